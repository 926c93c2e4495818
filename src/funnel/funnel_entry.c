/*
 * funnel_entry.c
 *		How long a session keeps what it read of a funnel.
 *
 * What was read goes stale when a message says so.  The callbacks only mark,
 * because they run at places where no catalog may be read; the next look-up
 * reads anew.
 *
 * Messages are not enough where a transaction reads what it changed itself,
 * for it may do so before the change is announced, and be undone before it
 * ever is.  So whatever was read in a transaction or subtransaction that is
 * undone is stale, too, unless nothing had been written by then.
 *
 * Somebody up the stack may still be using a funnel that was replaced.  Every
 * look-up pins it to the memory context that is current, which the caller's
 * caller resets when the call is over.  A few of those that were replaced stay
 * to the end of the transaction all the same: see lq_funnel_replaced().  The
 * rest is freed, so that a thousand changes of policy in one transaction need
 * no more memory than a few.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "storage/proc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "compat.h"
#include "funnel/depends.h"
#include "funnel/funnel.h"
#include "funnel/funnel_entry.h"
#include "funnel/statement.h"
#include "funnel/tables.h"

/* replaced funnels that stay for lq_funnel_replaced() */
#define KEEP_REPLACED 3

typedef struct LqPin
{
	MemoryContextCallback callback;
	dlist_node	node;
	MemoryContext context;		/* in which this lies */
} LqPin;

static HTAB *entries = NULL;

/* Was any read in this transaction after it had written? */
static bool any_open = false;

/* Has the row of any entry's schema changed? */
static bool any_maybe_gone = false;

/* A partition of the lead table that we have met?  Changes of it tell us. */
static bool
is_partition(const LqFunnel *funnel, Oid relid)
{
	return funnel != NULL && funnel->partitions != NULL &&
		hash_search(funnel->partitions, &relid, HASH_FIND, NULL) != NULL;
}

/*
 * Does a funnel that we keep, and that is not out of date, prove that this is
 * a table of it?
 */
bool
lq_funnel_knows_table(Oid schema, LqTable table, Oid relid)
{
	const LqFunnelEntry *entry = entries == NULL ? NULL :
	hash_search(entries, &schema, HASH_FIND, NULL);

	return entry != NULL && entry->stale == 0 && entry->current != NULL &&
		(entry->current->relid[table] == relid ||
		 (table == LQ_TABLE_LEAD && is_partition(entry->current, relid)));
}

static LqStale
stale_by_relation(const LqFunnelEntry *entry, Oid relid)
{
	if (!OidIsValid(relid) || entry->lead == relid ||
		is_partition(entry->current, relid))
		return LQ_STALE_ALL;
	for (int i = 0; i < LQ_N_TABLES; i++)
		if (entry->relid[i] == relid)
			return i == LQ_TABLE_RULE || i == LQ_TABLE_TRANSITION ?
				LQ_STALE_RULES : LQ_STALE_ALL;
	return 0;
}

static void
mark_relation(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS scan;
	LqFunnelEntry *entry;

	hash_seq_init(&scan, entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if ((entry->stale & LQ_STALE_ALL) == 0)
			entry->stale |= stale_by_relation(entry, relid);
}

/* hashvalue: that of the row of the catalog, 0 for all */
static void
mark_object(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS scan;
	LqFunnelEntry *entry;

	hash_seq_init(&scan, entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		/* one that is being read has yet to find out what it depends on */
		if (hashvalue == 0 || entry->loading > 0 || entry->current == NULL ||
			(entry->current->any_broken && cacheid != NAMESPACEOID) ||
			lq_depends(entry->current, cacheid, hashvalue))
			entry->stale |= LQ_STALE_ALL;
		if (cacheid == NAMESPACEOID &&
			(hashvalue == 0 || hashvalue == entry->hash))
			entry->maybe_gone = any_maybe_gone = true;
	}
}

/*
 * What was read in the part of the transaction that is undone.  Numbers of
 * subtransactions rise: those within the one that ends have higher ones.
 */
static void
undo_open(SubTransactionId from)
{
	HASH_SEQ_STATUS scan;
	LqFunnelEntry *entry;

	if (!any_open)
		return;
	hash_seq_init(&scan, entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		for (LqFunnel *f = entry->current; f != NULL; f = f->older)
		{
			if (f->read_in == InvalidSubTransactionId || f->read_in < from)
				continue;
			f->undone = true;
			if (f == entry->current)
				entry->stale |= LQ_STALE_ALL;
		}
	}
}

static void
close_open(void)
{
	HASH_SEQ_STATUS scan;
	LqFunnelEntry *entry;

	if (!any_open)
		return;
	hash_seq_init(&scan, entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
		for (LqFunnel *f = entry->current; f != NULL; f = f->older)
			f->read_in = InvalidSubTransactionId;
	any_open = false;
}

/* What a prepared transaction has written does not count here, either. */
static void
at_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
		case XACT_EVENT_PREPARE:
			undo_open(TopSubTransactionId);
			close_open();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
			close_open();
			break;
		default:
			break;
	}
}

static void
at_undo(SubXactEvent event, SubTransactionId mine, SubTransactionId parent,
		void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		undo_open(mine);
}

static void
init_entries(void)
{
	HASHCTL		ctl;

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(LqFunnelEntry);
	entries = hash_create("lead_qual funnels", 8, &ctl,
						  HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(mark_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, mark_object, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, mark_object, (Datum) 0);
	CacheRegisterSyscacheCallback(OPEROID, mark_object, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, mark_object, (Datum) 0);
	RegisterXactCallback(at_end, NULL);
	RegisterSubXactCallback(at_undo, NULL);
}

static void
free_funnel(LqFunnel *funnel)
{
	for (int i = 0; i < LQ_N_STATEMENTS; i++)
		if (funnel->plans[i] != NULL)
			SPI_freeplan(funnel->plans[i]);
	MemoryContextDelete(funnel->context);
}

/* Free those that nobody needs any more; current: that one as well. */
static void
free_unused(LqFunnelEntry *entry, bool current)
{
	LqFunnel  **link = &entry->current;
	int			kept = 0;

	if (!current && *link != NULL)
		link = &(*link)->older;
	while (*link != NULL)
	{
		LqFunnel   *funnel = *link;
		bool		wanted = !current && !funnel->undone &&
		funnel->replaced_in == lq_local_xid() && kept < KEEP_REPLACED;

		if (wanted)
			kept++;
		if (wanted || !dlist_is_empty(&funnel->pins))
		{
			link = &funnel->older;
			continue;
		}
		*link = funnel->older;
		free_funnel(funnel);
	}
}

/*
 * Forget the funnels whose schema is gone.  To look for it may read a catalog
 * and so bring messages, which mark entries: first all are looked for, then
 * they are removed.
 */
static void
forget_gone(void)
{
	HASH_SEQ_STATUS scan;
	LqFunnelEntry *entry;
	List	   *looked_at = NIL;
	ListCell   *cell;

	any_maybe_gone = false;
	hash_seq_init(&scan, entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (entry->maybe_gone)
			looked_at = lappend_oid(looked_at, entry->schema);
	foreach(cell, looked_at)
	{
		Oid			schema = lfirst_oid(cell);
		bool		there = SearchSysCacheExists1(NAMESPACEOID,
												  ObjectIdGetDatum(schema));

		entry = hash_search(entries, &schema, HASH_FIND, NULL);
		entry->maybe_gone = false;
		if (there)
			continue;
		entry->stale |= LQ_STALE_ALL;
		if (entry->loading == 0)
			free_unused(entry, true);
		/* somebody up the stack uses it: another time */
		if (entry->loading > 0 || entry->current != NULL)
			entry->maybe_gone = any_maybe_gone = true;
		else
			(void) hash_search(entries, &schema, HASH_REMOVE, NULL);
	}
	list_free(looked_at);
}

LqFunnelEntry *
lq_entry(Oid schema)
{
	LqFunnelEntry *entry;
	bool		found;

	if (entries == NULL)
		init_entries();
	if (any_maybe_gone)
		forget_gone();

	entry = hash_search(entries, &schema, HASH_ENTER, &found);
	if (!found)
	{
		/* the key stands first; all else starts empty */
		memset((char *) entry + sizeof(Oid), 0,
			   sizeof(LqFunnelEntry) - sizeof(Oid));
		entry->stale = LQ_STALE_ALL;
		entry->hash = GetSysCacheHashValue1(NAMESPACEOID,
											ObjectIdGetDatum(schema));
	}
	if (entry->current != NULL && entry->current->older != NULL)
		free_unused(entry, false);
	return entry;
}

/*
 * The funnel is complete: nothing raises from here on.
 */
void
lq_entry_set(LqFunnelEntry *entry, LqFunnel *funnel)
{
	static uint64 serial = 0;

	funnel->serial = ++serial;
	dlist_init(&funnel->pins);
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
	{
		funnel->read_in = GetCurrentSubTransactionId();
		any_open = true;
	}
	if (entry->current != NULL)
		entry->current->replaced_in = lq_local_xid();
	funnel->older = entry->current;
	MemoryContextSetParent(funnel->context, CacheMemoryContext);
	entry->current = funnel;
}

static void
unpin(void *arg)
{
	dlist_delete(&((LqPin *) arg)->node);
}

void
lq_entry_pin(LqFunnel *funnel)
{
	LqPin	   *pin;
	dlist_iter	iter;

	dlist_foreach(iter, &funnel->pins)
		if (dlist_container(LqPin, node, iter.cur)->context ==
			CurrentMemoryContext)
		return;
	pin = palloc(sizeof(LqPin));
	pin->context = CurrentMemoryContext;
	pin->callback.func = unpin;
	pin->callback.arg = pin;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &pin->callback);
	dlist_push_head(&funnel->pins, &pin->node);
}

bool
lq_funnel_rules_current(const LqFunnel *funnel)
{
	return funnel->entry->stale == 0;
}

/*
 * The funnel as it was before, earlier in this transaction.  Only a few are
 * kept.
 */
LqFunnel *
lq_funnel_replaced(const LqFunnel *funnel)
{
	LqFunnel   *older = funnel->older;

	while (older != NULL &&
		   (older->undone || older->replaced_in != lq_local_xid()))
		older = older->older;
	return older;
}
