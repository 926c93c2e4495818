/*
 * between_triggers.c
 *		What one trigger of ours leaves for another.
 *
 * One change of a lead goes through several of our triggers, and the server
 * hands nothing on between them.  What they must tell each other is here, and
 * nowhere else:
 *
 * own write
 *		Whoever updates a lead for the module says so around the UPDATE.  The
 *		lead's BEFORE and its AFTER trigger ask, once each, and take for what
 *		it is what they ignore of a client.
 * lead at hand
 *		Whoever writes a row for a lead that is being written itself says so.
 *		The trigger that looks for the lead of such a row need not.
 * proposed
 *		A row that is inserted may give way to one that is there (ON CONFLICT
 *		DO UPDATE).  BEFORE INSERT leaves it; BEFORE UPDATE, which comes next,
 *		asks whether the update took from it what nobody gave.
 * expiry
 *		A move that begins a cycle takes answers back.  The trigger of table
 *		"answer" asks, and does not move the lead for it.
 * replay
 *		Whoever scores a lead from its log notes that it was read.  The trigger
 *		of table "activity" asks whether its own rows were in there, so that
 *		none counts twice.
 * used up
 *		What a move clears in the row.  BEFORE leaves it; AFTER takes it, finds
 *		the same moves by it and writes the history.
 * partition
 *		The row as it was, where an UPDATE takes it to another partition.
 *		BEFORE UPDATE leaves it there; BEFORE INSERT here claims it, so that
 *		the lead is no new one; AFTER INSERT takes it.
 *
 * Own write, lead at hand and expiry last for one statement of ours, also where
 * it fails, and may nest.  What is proposed is that of one statement, until its
 * next row.  Replay holds until the transaction ends.  The last two wait, by
 * lead and by what they are (LqWaitingFor), until they are taken; what their
 * data is, used_up.c and partition.c know.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "lib/ilist.h"
#include "storage/proc.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "funnel/between_triggers.h"
#include "funnel/funnel.h"
#include "funnel/key.h"
#include "funnel/statement.h"
#include "funnel/tables.h"

/*
 * Own writes: what a client writes into a column that triggers keep is
 * ignored, but our own triggers write those columns with UPDATE, like anybody.
 * An update that a trigger of the user's makes meanwhile is a client's.
 */

typedef struct OwnWrite
{
	const LqFunnel *funnel;		/* NULL: nothing is announced */
	Datum		key;
	int			flags;
	bool		before;			/* BEFORE trigger has yet to see it */
	bool		after;			/* so has AFTER */
} OwnWrite;

static OwnWrite current;

/*
 * Run an UPDATE of one lead; values[0] is its key.
 *
 * The caller has locked the lead, so it is there: a write that reaches no row
 * was suppressed, and the lead would go on without what it follows from.
 */
void
lq_own_write(const LqFunnel *funnel, LqStatement statement,
			 Datum *values, const char *nulls, int flags)
{
	OwnWrite	outer = current;
	uint64		rows = 0;

	current.funnel = funnel;
	current.key = values[0];
	current.flags = flags;
	current.before = true;
	current.after = true;
	PG_TRY();
	{
		rows = lq_statement_run(funnel, statement, values, nulls);
	}
	PG_FINALLY();
	{
		current = outer;
	}
	PG_END_TRY();
	if (rows != 1)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("a lead of funnel \"%s\" could not be updated",
						funnel->name),
				 errhint("A trigger or a rule on table \"lead\" suppressed the update.")));
}

static bool
is_current(const LqFunnel *funnel, Datum key)
{
	return current.funnel != NULL &&
		current.funnel->schema == funnel->schema &&
		lq_key_cmp(funnel, current.key, key) == 0;
}

bool
lq_own_write_before(const LqFunnel *funnel, Datum key, int *flags)
{
	if (!current.before || !is_current(funnel, key))
		return false;
	current.before = false;
	*flags = current.flags;
	return true;
}

bool
lq_own_write_after(const LqFunnel *funnel, Datum key, int *flags)
{
	if (!current.after || !is_current(funnel, key))
		return false;
	current.after = false;
	*flags = current.flags;
	return true;
}

/*
 * Lead at hand
 */

typedef struct AtHand
{
	const LqFunnel *funnel;		/* NULL: there is none */
	LqTable		table;			/* that is written */
	Datum		key;
} AtHand;

static AtHand at_hand;

uint64
lq_write_for_lead(const LqFunnel *funnel, LqTable table,
				  LqStatement statement, Datum *values, const char *nulls)
{
	AtHand		outer = at_hand;
	uint64		rows = 0;

	at_hand.funnel = funnel;
	at_hand.table = table;
	at_hand.key = values[0];
	PG_TRY();
	{
		rows = lq_statement_run(funnel, statement, values, nulls);
	}
	PG_FINALLY();
	{
		at_hand = outer;
	}
	PG_END_TRY();
	return rows;
}

/*
 * Is this the lead at hand?  What a trigger of the user's writes into another
 * table meanwhile is looked at like anybody's: it may have deleted the lead.
 */
bool
lq_lead_at_hand(const LqFunnel *funnel, LqTable table, Datum key)
{
	return at_hand.funnel != NULL && at_hand.table == table &&
		at_hand.funnel->schema == funnel->schema &&
		lq_key_cmp(funnel, at_hand.key, key) == 0;
}

/*
 * Proposed
 */

static struct
{
	LqProposed	row;			/* its tuple lies in TopTransactionContext */
	Oid			relid;
	LocalTransactionId lxid;
	SubTransactionId subxact;
	CommandId	command;
}			proposed;

/* While a statement's triggers fire, the active snapshot is its own. */
static CommandId
statement_at_work(void)
{
	return ActiveSnapshotSet() ? GetActiveSnapshot()->curcid : InvalidCommandId;
}

void
lq_proposed_put(Oid relid, HeapTuple tuple, bool stage_given)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	/* that of an earlier transaction went with it */
	if (proposed.row.tuple != NULL && proposed.lxid == lq_local_xid())
		heap_freetuple(proposed.row.tuple);
	proposed.row.tuple = NULL;
	proposed.lxid = lq_local_xid();
	proposed.row.tuple = heap_copytuple(tuple);
	proposed.row.stage_given = stage_given;
	proposed.relid = relid;
	proposed.subxact = GetCurrentSubTransactionId();
	proposed.command = statement_at_work();
	MemoryContextSwitchTo(old);
}

/* The last row that the statement at work inserts into that table, or NULL. */
const LqProposed *
lq_proposed(Oid relid)
{
	return proposed.row.tuple != NULL && proposed.relid == relid &&
		proposed.lxid == lq_local_xid() &&
		proposed.subxact == GetCurrentSubTransactionId() &&
		proposed.command == statement_at_work() ? &proposed.row : NULL;
}

/*
 * Expiry
 */

static bool answers_expiring = false;

/*
 * A new cycle begins: answers that hold for a time only, and are older, are
 * open again.  That is no news that would move the lead on.
 */
void
lq_expire_answers(const LqFunnel *funnel, Datum key, TimestampTz at)
{
	Datum		values[2];
	bool		outer = answers_expiring;

	values[0] = key;
	values[1] = TimestampTzGetDatum(at);
	answers_expiring = true;
	PG_TRY();
	{
		(void) lq_statement_run_latest(funnel, LQ_STATEMENT_EXPIRE_ANSWERS,
									   values, NULL);
	}
	PG_FINALLY();
	{
		answers_expiring = outer;
	}
	PG_END_TRY();
}

bool
lq_answers_are_expiring(void)
{
	return answers_expiring;
}

/*
 * Replays
 */

/* the last replay: which transaction, and up to which command it saw */
static TransactionId replay_xid = InvalidTransactionId;
static CommandId replay_cid = 0;

void
lq_replay_noted(void)
{
	replay_xid = GetTopTransactionIdIfAny();
	replay_cid = GetCurrentCommandId(false);
}

/*
 * May a replay have seen the rows of the statement whose trigger fires now?
 * One by another trigger of the same statement (ON CONFLICT DO UPDATE, MERGE)
 * or by a statement within it has, and to add them would count them twice.
 * While its triggers fire, the active snapshot is still the statement's.
 */
bool
lq_replay_saw_statement(void)
{
	if (!TransactionIdIsValid(replay_xid) ||
		replay_xid != GetTopTransactionIdIfAny())
		return false;
	return !ActiveSnapshotSet() || replay_cid > GetActiveSnapshot()->curcid;
}

/*
 * What waits: a row that was not written after all leaves it behind.  What
 * comes next for that lead takes its place, and the end of the transaction
 * forgets it, as does the end of a subtransaction that is undone.  What was
 * claimed stays for whoever did so: a trigger of the
 * user's may change the lead again before ours are done with it.
 */

typedef struct Waiting
{
	dlist_node	node;			/* in its bucket */
	dlist_node	by_age;
	Oid			schema;
	Datum		key;
	LqWaitingFor what;
	SubTransactionId subxact;	/* that left it */
	bool		claimed;
	void	   *data;			/* in CurTransactionContext, like this */
} Waiting;

/* a statement may move a hundred thousand leads */
#define N_BUCKETS 1024

static dlist_head buckets[N_BUCKETS];
static dlist_head newest_first;
static bool in_use = false;
static bool registered = false;

/*
 * The memory goes with the transaction, or with the part of it that is undone;
 * the lists must not point there.
 */
static void
forget(XactEvent event, void *arg)
{
	in_use = false;
}

static void
drop(Waiting *waiting)
{
	dlist_delete(&waiting->node);
	dlist_delete(&waiting->by_age);
}

/*
 * Numbers of subtransactions rise: what was left in the one that ends, or
 * within it, has the highest and is the newest.
 */
static void
forget_undone(SubXactEvent event, SubTransactionId mine,
			  SubTransactionId parent, void *arg)
{
	if (event != SUBXACT_EVENT_ABORT_SUB || !in_use)
		return;
	while (!dlist_is_empty(&newest_first))
	{
		Waiting    *waiting = dlist_head_element(Waiting, by_age,
												 &newest_first);

		if (waiting->subxact < mine)
			break;
		drop(waiting);
	}
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
 * Leave data, which lies in CurTransactionContext, in the place of any that
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
		RegisterSubXactCallback(forget_undone, NULL);
		registered = true;
	}
	if (!in_use)
	{
		for (int i = 0; i < N_BUCKETS; i++)
			dlist_init(&buckets[i]);
		dlist_init(&newest_first);
		in_use = true;
	}
	(void) lq_waiting_take(funnel, key, what);
	old = MemoryContextSwitchTo(CurTransactionContext);
	waiting = palloc(sizeof(Waiting));
	waiting->schema = funnel->schema;
	waiting->key = datumCopy(key, funnel->key_typbyval, funnel->key_typlen);
	waiting->what = what;
	waiting->subxact = GetCurrentSubTransactionId();
	waiting->claimed = false;
	waiting->data = data;
	dlist_push_head(bucket_of(funnel, key), &waiting->node);
	dlist_push_head(&newest_first, &waiting->by_age);
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
	drop(waiting);
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
