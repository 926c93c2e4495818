/*
 * used_up.c
 *		What a move used up, between the lead's two triggers.
 *
 * Reason and note are given in the row with a move, kept in the history, and
 * cleared in the row; a move that begins a cycle clears resume_at and the
 * deals of the cycle before.  So the BEFORE trigger takes them out, and the
 * AFTER trigger, which finds the same moves again, no longer finds there what
 * they followed from.  It waits here.  A row that was not written after all
 * leaves its values behind: the next move of that lead replaces them, the end
 * of the transaction forgets them.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/ilist.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "compat.h"
#include "used_up.h"

static const LqLeadColumn cleared[] = {
	LQ_LEAD_REASON, LQ_LEAD_NOTE, LQ_LEAD_RESUME_AT,
	LQ_LEAD_DEALS_WON, LQ_LEAD_DEALS_LOST,
};

StaticAssertDecl(lengthof(cleared) == lengthof(((LqUsedUp *) 0)->values),
				 "LqUsedUp has room for every column that a move clears");

typedef struct Waiting
{
	dlist_node	node;
	Oid			schema;
	Datum		key;
	const LqFunnel *refused_by; /* NULL: the move was granted */
	LqUsedUp	columns;
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

/* Take the lead's values off the list; NULL if there are none. */
static Waiting *
take(const LqFunnel *funnel, Datum key)
{
	dlist_iter	iter;

	if (!in_use)
		return NULL;
	dlist_foreach(iter, bucket_of(funnel, key))
	{
		Waiting    *waiting = dlist_container(Waiting, node, iter.cur);

		if (waiting->schema == funnel->schema &&
			datum_image_eq(waiting->key, key, funnel->key_typbyval,
						   funnel->key_typlen))
		{
			dlist_delete(&waiting->node);
			return waiting;
		}
	}
	return NULL;
}

/* The lead's columns that a move may clear, as they are. */
void
lq_used_up_read(const LqLead *lead, LqUsedUp *columns)
{
	for (int i = 0; i < lengthof(cleared); i++)
		columns->values[i] = lq_lead_get(lead, cleared[i],
										 &columns->isnull[i]);
}

/* Keep that for the AFTER trigger. */
static void
put(const LqFunnel *funnel, Datum key, const LqUsedUp *columns,
	const LqFunnel *refused_by)
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
	old = MemoryContextSwitchTo(TopTransactionContext);
	waiting = palloc(sizeof(Waiting));
	waiting->schema = funnel->schema;
	waiting->key = datumCopy(key, funnel->key_typbyval, funnel->key_typlen);
	waiting->refused_by = refused_by;
	for (int i = 0; i < lengthof(cleared); i++)
	{
		Form_pg_attribute attr = TupleDescAttr(funnel->lead_desc,
											   funnel->lead_attno[cleared[i]] - 1);

		waiting->columns.isnull[i] = columns->isnull[i];
		waiting->columns.values[i] = columns->isnull[i] ? (Datum) 0 :
			datumCopy(columns->values[i], attr->attbyval, attr->attlen);
	}
	dlist_push_tail(bucket_of(funnel, key), &waiting->node);
	MemoryContextSwitchTo(old);
}

/* Keep what the lead had there before its move, if the move changed it. */
void
lq_used_up_put(const LqLead *lead, Datum key, const LqUsedUp *before)
{
	bool		changed = false;

	(void) take(lead->funnel, key);
	for (int i = 0; i < lengthof(cleared) && !changed; i++)
	{
		bool		isnull;
		Datum		value = lq_lead_get(lead, cleared[i], &isnull);

		/* what was not set anew is the very same datum */
		changed = isnull != before->isnull[i] || value != before->values[i];
	}
	if (changed)
		put(lead->funnel, key, before, NULL);
}

/*
 * Note that this policy does not let the new lead in where it asks to be.
 * That is news only where there is an earlier one, which might.
 */
void
lq_used_up_refused(const LqLead *lead, Datum key)
{
	LqUsedUp	columns;

	(void) take(lead->funnel, key);
	if (lq_funnel_replaced(lead->funnel) == NULL)
		return;
	lq_used_up_read(lead, &columns);
	put(lead->funnel, key, &columns, lead->funnel);
}

/* Put such columns back. */
void
lq_used_up_restore(LqLead *lead, const LqUsedUp *columns)
{
	for (int i = 0; i < lengthof(cleared); i++)
		lq_lead_set(lead, cleared[i], columns->values[i], columns->isnull[i]);
}

/*
 * Put what the lead's move used up back into the row at hand.  Returns the
 * policy that refused a new lead its stage, or NULL.
 */
const LqFunnel *
lq_used_up_take(LqLead *lead, Datum key)
{
	Waiting    *waiting = take(lead->funnel, key);

	if (waiting == NULL)
		return NULL;
	lq_used_up_restore(lead, &waiting->columns);
	return waiting->refused_by;
}
