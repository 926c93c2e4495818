/*
 * depends.c
 *		What a funnel that a backend keeps was made from, besides its tables.
 *
 * Every CREATE FUNCTION and every CREATE TABLE, which makes types, tells all
 * sessions.  Only those matter that columns and conditions use, and those of
 * the server never change.  So their hashes are kept, as plancache.c does.
 *
 * A condition that does not compile may do so once something comes that it
 * lacks: then any change matters.
 */
#include "postgres.h"

#include "access/transam.h"
#include "nodes/plannodes.h"
#include "utils/syscache.h"

#include "funnel/depends.h"
#include "funnel/funnel.h"

static void
add(LqFunnel *funnel, int cache, uint32 hash)
{
	if (lq_depends(funnel, cache, hash))
		return;
	if (funnel->n_depends == funnel->max_depends)
	{
		funnel->max_depends = Max(16, 2 * funnel->max_depends);
		funnel->depends = funnel->depends == NULL ?
			MemoryContextAlloc(funnel->context,
							   funnel->max_depends * sizeof(LqDependency)) :
			repalloc(funnel->depends,
					 funnel->max_depends * sizeof(LqDependency));
	}
	funnel->depends[funnel->n_depends].cache = cache;
	funnel->depends[funnel->n_depends++].hash = hash;
}

void
lq_depends_on_types(LqFunnel *funnel, TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Oid			type = TupleDescAttr(desc, i)->atttypid;

		if (type >= FirstNormalObjectId)
			add(funnel, TYPEOID,
				GetSysCacheHashValue1(TYPEOID, ObjectIdGetDatum(type)));
	}
}

void
lq_depends_on_function(LqFunnel *funnel, Oid function)
{
	if (function >= FirstUnpinnedObjectId)
		add(funnel, PROCOID,
			GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(function)));
}

void
lq_depends_on_schema(LqFunnel *funnel, Oid schema)
{
	add(funnel, NAMESPACEOID,
		GetSysCacheHashValue1(NAMESPACEOID, ObjectIdGetDatum(schema)));
}

void
lq_depends_on_items(LqFunnel *funnel, List *items)
{
	ListCell   *cell;

	foreach(cell, items)
	{
		const PlanInvalItem *item = lfirst_node(PlanInvalItem, cell);

		add(funnel, item->cacheId, item->hashValue);
	}
}

bool
lq_depends(const LqFunnel *funnel, int cache, uint32 hash)
{
	for (int i = 0; i < funnel->n_depends; i++)
		if (funnel->depends[i].cache == cache &&
			funnel->depends[i].hash == hash)
			return true;
	return false;
}
