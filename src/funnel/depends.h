/*
 * depends.h
 *		What a funnel that a backend keeps was made from, besides its tables.
 */
#ifndef LQ_DEPENDS_H
#define LQ_DEPENDS_H

#include "access/tupdesc.h"
#include "nodes/pg_list.h"

struct LqFunnel;

/* a row of a catalog, as invalidation messages name it */
typedef struct LqDependency
{
	int			cache;			/* PROCOID, TYPEOID, NAMESPACEOID */
	uint32		hash;
} LqDependency;

/* Note such rows, unless they belong to the server itself. */
extern void lq_depends_on_types(struct LqFunnel *funnel, TupleDesc desc);
extern void lq_depends_on_function(struct LqFunnel *funnel, Oid function);
extern void lq_depends_on_schema(struct LqFunnel *funnel, Oid schema);

/* Those of a plan: a list of PlanInvalItem. */
extern void lq_depends_on_items(struct LqFunnel *funnel, List *items);

/* Could what the message is about change what we keep of the funnel? */
extern bool lq_depends(const struct LqFunnel *funnel, int cache, uint32 hash);

#endif							/* LQ_DEPENDS_H */
