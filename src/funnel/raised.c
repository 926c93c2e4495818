/*
 * raised.c
 *		What a transaction knows of the versions of definitions.
 *
 * When a subtransaction is undone it is forgotten, and a version raised once
 * too often rather than not at all.
 */
#include "postgres.h"

#include "access/xact.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

#include "funnel/raised.h"

typedef struct Known
{
	Oid			schema;
	char	   *definition;		/* NULL: what all definitions share */
	LqVersionFact fact;
} Known;

static List *known = NIL;
static bool registered = false;

static void
forget_at_end(XactEvent event, void *arg)
{
	known = NIL;				/* its memory goes with the transaction */
}

static void
forget_at_undo(SubXactEvent event, SubTransactionId mine,
			   SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		known = NIL;
}

bool
lq_version_is(Oid schema, const char *definition, LqVersionFact fact)
{
	ListCell   *cell;

	foreach(cell, known)
	{
		Known	   *k = lfirst(cell);

		if (k->schema == schema && k->fact == fact &&
			(definition == NULL ? k->definition == NULL :
			 k->definition != NULL && strcmp(k->definition, definition) == 0))
			return true;
	}
	return false;
}

void
lq_version_note(Oid schema, const char *definition, LqVersionFact fact)
{
	MemoryContext old;
	Known	   *k;

	if (!registered)
	{
		RegisterXactCallback(forget_at_end, NULL);
		RegisterSubXactCallback(forget_at_undo, NULL);
		registered = true;
	}
	old = MemoryContextSwitchTo(TopTransactionContext);
	k = palloc(sizeof(Known));
	k->schema = schema;
	k->definition = definition == NULL ? NULL : pstrdup(definition);
	k->fact = fact;
	known = lappend(known, k);
	MemoryContextSwitchTo(old);
}

void
lq_version_forget(Oid schema, LqVersionFact fact)
{
	ListCell   *cell;

	foreach(cell, known)
	{
		Known	   *k = lfirst(cell);

		if (k->schema != schema || k->fact != fact)
			continue;
		known = foreach_delete_current(known, cell);
		if (k->definition != NULL)
			pfree(k->definition);
		pfree(k);
	}
}
