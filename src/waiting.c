/*
 * waiting.c
 *		What one trigger of a lead leaves for a later one.
 *
 * Kept by lead.  A row that was not written after all leaves it behind: what
 * comes next for that lead takes its place, and the end of the transaction
 * forgets it.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/ilist.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "compat.h"
#include "waiting.h"

typedef struct Waiting
{
	dlist_node	node;
	Oid			schema;
	Datum		key;
	LqWaitingFor what;
	SubTransactionId subxact;	/* that left it */
	void	   *data;			/* in TopTransactionContext, like this */
} Waiting;

/* a statement may move a hundred thousand leads */
#define N_BUCKETS 1024

static dlist_head buckets[N_BUCKETS];
static bool in_use = false;
static bool registered = false;

/* The memory goes with the transaction; the lists must not point there. */
static void
forget(XactEvent event, void *arg)
{
	in_use = false;
}

static dlist_head *
bucket_of(const LqFunnel *funnel, Datum key)
{
	return &buckets[datum_image_hash(key, funnel->key_typbyval,
									 funnel->key_typlen) % N_BUCKETS];
}

static Waiting *
find(const LqFunnel *funnel, Datum key, LqWaitingFor what)
{
	dlist_iter	iter;

	if (!in_use)
		return NULL;
	dlist_foreach(iter, bucket_of(funnel, key))
	{
		Waiting    *waiting = dlist_container(Waiting, node, iter.cur);

		if (waiting->what == what && waiting->schema == funnel->schema &&
			datum_image_eq(waiting->key, key, funnel->key_typbyval,
						   funnel->key_typlen))
			return waiting;
	}
	return NULL;
}

/* Leave data, which lies in TopTransactionContext, in the place of any. */
void
lq_waiting_put(const LqFunnel *funnel, Datum key, LqWaitingFor what,
			   void *data)
{
	MemoryContext old;
	Waiting    *waiting;

	if (!registered)
	{
		RegisterXactCallback(forget, NULL);
		registered = true;
	}
	if (!in_use)
	{
		for (int i = 0; i < N_BUCKETS; i++)
			dlist_init(&buckets[i]);
		in_use = true;
	}
	(void) lq_waiting_take(funnel, key, what);
	old = MemoryContextSwitchTo(TopTransactionContext);
	waiting = palloc(sizeof(Waiting));
	waiting->schema = funnel->schema;
	waiting->key = datumCopy(key, funnel->key_typbyval, funnel->key_typlen);
	waiting->what = what;
	waiting->subxact = GetCurrentSubTransactionId();
	waiting->data = data;
	dlist_push_tail(bucket_of(funnel, key), &waiting->node);
	MemoryContextSwitchTo(old);
}

/* What was left in this very subtransaction, or NULL. */
void *
lq_waiting_look(const LqFunnel *funnel, Datum key, LqWaitingFor what)
{
	Waiting    *waiting = find(funnel, key, what);

	return waiting != NULL && waiting->subxact == GetCurrentSubTransactionId() ?
		waiting->data : NULL;
}

/* What was left, which is then no longer there, or NULL. */
void *
lq_waiting_take(const LqFunnel *funnel, Datum key, LqWaitingFor what)
{
	Waiting    *waiting = find(funnel, key, what);
	void	   *data;

	if (waiting == NULL)
		return NULL;
	dlist_delete(&waiting->node);
	data = waiting->data;
	pfree(waiting);
	return data;
}
