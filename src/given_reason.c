/*
 * given_reason.c
 *		The reason and note of a move, between the lead's two triggers.
 *
 * Reason and note are given in the row with a move, kept in the history, and
 * cleared in the row: so the BEFORE trigger takes them out, and the AFTER
 * trigger, which writes the history, no longer finds them there.  They wait
 * here.  A row that was not written after all leaves its reason behind: the
 * next move of that lead replaces it, the end of the transaction forgets it.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/ilist.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "compat.h"
#include "given_reason.h"

typedef struct GivenReason
{
	dlist_node	node;
	Oid			schema;
	Datum		key;
	char	   *reason;			/* or NULL */
	char	   *note;			/* or NULL */
} GivenReason;

static dlist_head waiting = DLIST_STATIC_INIT(waiting);
static bool registered = false;

/* The memory goes with the transaction; the list must not point there. */
static void
forget(XactEvent event, void *arg)
{
	dlist_init(&waiting);
}

static GivenReason *
find(const LqFunnel *funnel, Datum key)
{
	dlist_iter	iter;

	/* AFTER triggers come in the order of BEFORE triggers: the first, mostly */
	dlist_foreach(iter, &waiting)
	{
		GivenReason *given = dlist_container(GivenReason, node, iter.cur);

		if (given->schema == funnel->schema &&
			datumIsEqual(given->key, key, funnel->key_typbyval,
						 funnel->key_typlen))
			return given;
	}
	return NULL;
}

void
lq_given_reason_put(const LqFunnel *funnel, Datum key,
					const char *reason, const char *note)
{
	MemoryContext old;
	GivenReason *given;

	if (!registered)
	{
		RegisterXactCallback(forget, NULL);
		registered = true;
	}
	given = find(funnel, key);
	if (given != NULL)
		dlist_delete(&given->node);

	old = MemoryContextSwitchTo(TopTransactionContext);
	given = palloc(sizeof(GivenReason));
	given->schema = funnel->schema;
	given->key = datumCopy(key, funnel->key_typbyval, funnel->key_typlen);
	given->reason = reason == NULL ? NULL : pstrdup(reason);
	given->note = note == NULL ? NULL : pstrdup(note);
	dlist_push_tail(&waiting, &given->node);
	MemoryContextSwitchTo(old);
}

void
lq_given_reason_take(const LqFunnel *funnel, Datum key,
					 char **reason, char **note)
{
	GivenReason *given = find(funnel, key);

	*reason = NULL;
	*note = NULL;
	if (given == NULL)
		return;
	dlist_delete(&given->node);
	*reason = given->reason;
	*note = given->note;
}
