/*
 * waiting.c
 *		What one trigger of a lead leaves for a later one.
 *
 * Kept by lead.  A row that was not written after all leaves it behind: what
 * comes next for that lead takes its place, and the end of the transaction
 * forgets it.  What was claimed stays for whoever did so: a trigger of the
 * user's may change the lead again before ours are done with it.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/ilist.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/waiting.h"

typedef struct Waiting
{
	dlist_node	node;
	Oid			schema;
	Datum		key;
	LqWaitingFor what;
	SubTransactionId subxact;	/* that left it */
	bool		claimed;
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

/* The last that was left; of what is claimed, in this very subtransaction. */
static Waiting *
find(const LqFunnel *funnel, Datum key, LqWaitingFor what, bool claimed)
{
	dlist_iter	iter;

	if (!in_use)
		return NULL;
	dlist_foreach(iter, bucket_of(funnel, key))
	{
		Waiting    *waiting = dlist_container(Waiting, node, iter.cur);

		if (waiting->what == what && waiting->schema == funnel->schema &&
			waiting->claimed == claimed &&
			(!claimed || waiting->subxact == GetCurrentSubTransactionId()) &&
			datum_image_eq(waiting->key, key, funnel->key_typbyval,
						   funnel->key_typlen))
			return waiting;
	}
	return NULL;
}

/*
 * Leave data, which lies in TopTransactionContext, in the place of any that
 * nobody has claimed.
 */
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
	waiting->claimed = false;
	waiting->data = data;
	dlist_push_head(bucket_of(funnel, key), &waiting->node);
	MemoryContextSwitchTo(old);
}

/* Claim what was left in this very subtransaction; is there any? */
bool
lq_waiting_claim(const LqFunnel *funnel, Datum key, LqWaitingFor what)
{
	Waiting    *waiting = find(funnel, key, what, false);

	if (waiting == NULL || waiting->subxact != GetCurrentSubTransactionId())
		return false;
	waiting->claimed = true;
	return true;
}

static void *
take(Waiting *waiting)
{
	void	   *data;

	if (waiting == NULL)
		return NULL;
	dlist_delete(&waiting->node);
	data = waiting->data;
	pfree(waiting);
	return data;
}

/* What was left, which is then no longer there, or NULL. */
void *
lq_waiting_take(const LqFunnel *funnel, Datum key, LqWaitingFor what)
{
	return take(find(funnel, key, what, false));
}

/* The same of what was claimed. */
void *
lq_waiting_take_claimed(const LqFunnel *funnel, Datum key, LqWaitingFor what)
{
	return take(find(funnel, key, what, true));
}
