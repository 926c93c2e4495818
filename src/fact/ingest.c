/*
 * ingest.c
 *		The statement triggers of activity: every lead is updated once.
 *
 * A statement's rows are read from its transition table, weighed by kind,
 * sorted by lead and instant, and each lead is locked and updated once, in
 * the order of keys, so that two statements never wait for each other crosswise.
 *
 * An event whose rules have no frequency limit, or that comes after all that
 * the lead has, is added to the card; one that goes is taken back, see
 * take_back.c.  Otherwise (late events and those that go under a limit, cards
 * scored under an older version of the definition) the card is made anew from the lead's log, which is read after
 * the lead was locked and so holds what other sessions committed.  The result
 * is always what the whole log in time order gives.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "clip.h"
#include "compat.h"
#include "fact/activity.h"
#include "fact/named_leads.h"
#include "fact/replay.h"
#include "fact/take_back.h"
#include "fact/transition_rows.h"
#include "funnel/between_triggers.h"
#include "funnel/column_default.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/key.h"
#include "funnel/policy.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "grow.h"
#include "lead_qual.h"
#include "type/scorecard.h"

PG_FUNCTION_INFO_V1(_stamp_activity);
PG_FUNCTION_INFO_V1(_ingest_activity);

/* one row of the statement */
typedef struct Event
{
	Datum		key;
	LqActivity	activity;
	bool		replay;			/* the log has to be read */
	bool		gone;			/* the row was deleted, or is another now */
	char	   *source;			/* of a touch, or NULL */
	char	   *campaign;
} Event;

typedef struct Batch
{
	LqFunnel   *funnel;
	TriggerData *trigdata;
	MemoryContext context;		/* events and what they point to */
	Event	   *events;
	int			n_events;
	int			room;
	List	   *unknown_kinds;	/* warned of */
	bool		warned_planned;
	bool		seen;			/* a replay may have seen the rows already */
} Batch;

static Event *
add_event(Batch *batch, Datum key)
{
	const LqFunnel *funnel = batch->funnel;
	Event	   *event;

	batch->events = lq_grow(batch->events, batch->n_events, &batch->room,
							sizeof(Event));
	event = &batch->events[batch->n_events++];
	memset(event, 0, sizeof(*event));
	event->key = datumCopy(key, funnel->key_typbyval, funnel->key_typlen);
	return event;
}

static void
warn_unknown_kind(Batch *batch, const char *kind)
{
	ListCell   *cell;

	foreach(cell, batch->unknown_kinds)
		if (strcmp(lfirst(cell), kind) == 0)
		return;
	batch->unknown_kinds = lappend(batch->unknown_kinds, pstrdup(kind));
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("activity of unknown kind \"%s\" is kept and counts for rules of any kind only",
					lq_clip(kind)),
			 errhint("Add it to table \"kind\" of funnel \"%s\".",
					 batch->funnel->name)));
}

static void
warn_planned(Batch *batch, const char *kind)
{
	if (batch->warned_planned)
		return;
	batch->warned_planned = true;
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("activity of kind \"%s\" that is dated ahead is kept and does not count yet",
					lq_clip(kind)),
			 errdetail("What sales or marketing plans has not taken place."),
			 errhint("Update its row once it has, or record it then.")));
}

static char *
slot_text(TupleTableSlot *slot, AttrNumber attno)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, attno, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* rows of a statement from which on it is asked whether their leads are gone */
#define MANY_GONE 1000

/*
 * Is the lead of a row gone?  Only the last answer is remembered: the rows of
 * a lead that goes with them come together.
 */
static bool
lead_is_gone(Batch *batch, Datum key)
{
	const LqFunnel *funnel = batch->funnel;
	const Event *before = batch->events + batch->n_events - 1;
	LqIdentity	saved;
	bool		gone;

	if (batch->n_events > 0 && lq_key_cmp(funnel, before->key, key) == 0)
		return before->replay;
	lq_funnel_enter(funnel, &saved);
	SPI_connect();
	gone = lq_statement_run(funnel, LQ_STATEMENT_LEAD_EXISTS, &key, NULL) == 0;
	SPI_finish();
	lq_funnel_leave(&saved);
	return gone;
}

/*
 * Take the rows of one transition table into the batch.  Rows that go with
 * their leads need not be weighed, which counts where they are many.
 */
static void
read_rows(Batch *batch, TriggerData *trigdata, Tuplestorestate *rows,
		  bool gone)
{
	bool		many_gone = gone && tuplestore_tuple_count(rows) > MANY_GONE;
	LqTransitionRows scan;
	const AttrNumber *attno = batch->funnel->attno;
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "lead_qual activity",
													  ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot;

	lq_transition_rows_begin(&scan, trigdata, rows,
							 batch->funnel->relid[LQ_TABLE_ACTIVITY]);
	while ((slot = lq_transition_rows_next(&scan)) != NULL)
	{
		MemoryContext old;
		Event	   *event;
		LqActivity	activity;
		bool		isnull;
		Datum		key = slot_getattr(slot, attno[LQ_ACTIVITY_LEAD_ID],
									   &isnull);

		CHECK_FOR_INTERRUPTS();
		if (many_gone && lead_is_gone(batch, key))
		{
			old = MemoryContextSwitchTo(batch->context);
			add_event(batch, key)->replay = true;
			MemoryContextSwitchTo(old);
			continue;
		}

		/* weighing leaves rubbish behind, the result is small */
		old = MemoryContextSwitchTo(row_context);
		lq_activity_read(batch->funnel, slot, &activity);
		MemoryContextSwitchTo(batch->context);
		event = add_event(batch, key);
		event->activity = activity;
		event->gone = gone;
		if (activity.kind == NULL && !gone)
			warn_unknown_kind(batch, activity.kind_name);
		if (activity.planned)
			warn_planned(batch, activity.kind_name);
		event->activity.kind_name = NULL;
		if (activity.n_hits > 0)
		{
			Size		size = activity.n_hits * sizeof(LqRule *);

			event->activity.hits = palloc(size);
			memcpy(event->activity.hits, activity.hits, size);
		}
		if (activity.kind != NULL && activity.kind->touch &&
			trigdata->tg_oldtable == NULL)
		{
			event->source = slot_text(slot, attno[LQ_ACTIVITY_SOURCE]);
			event->campaign = slot_text(slot, attno[LQ_ACTIVITY_CAMPAIGN]);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	lq_transition_rows_end(&scan);
	MemoryContextDelete(row_context);
}

static int
compare_events(const void *a, const void *b, void *arg)
{
	const Event *ea = a;
	const Event *eb = b;
	LqFunnel   *funnel = arg;
	int			cmp;

	cmp = lq_key_cmp(funnel, ea->key, eb->key);
	if (cmp != 0)
		return cmp;
	return ea->activity.at < eb->activity.at ? -1 :
		ea->activity.at > eb->activity.at ? 1 : 0;
}

/*
 * Those that are gone go off the card, which holds what has come: as the log
 * does.
 */
static bool
take_back(const LqFunnel *funnel, Datum key, LqCard *card,
		  const Event *events, int n)
{
	const LqActivity **gone = palloc(n * sizeof(LqActivity *));
	int			n_gone = 0;

	for (int i = 0; i < n; i++)
		if (events[i].gone)
			gone[n_gone++] = &events[i].activity;
	return n_gone == 0 || lq_take_back(funnel, key, card, gone, n_gone);
}

/*
 * What sales did may be the first since a hand-over.  One event is held
 * against what is known; else, and where events go, the log is read.
 */
static void
note_touches(const LqFunnel *funnel, const Event *events, int n)
{
	const Event *touch = NULL;
	bool		anew = false;
	Datum		values[3];
	char		nulls[4] = "   ";

	for (int i = 0; i < n && !anew; i++)
	{
		const LqActivity *activity = &events[i].activity;

		/* of those that are not read one by one, the kind is not known */
		anew = events[i].replay;
		if (activity->kind == NULL || !activity->kind->of_sales ||
			activity->planned)
			continue;
		anew |= events[i].gone || touch != NULL;
		touch = &events[i];
	}
	values[0] = events[0].key;
	if (anew)
	{
		values[1] = TimestampTzGetDatum(DT_NOEND);
		(void) lq_statement_run_latest(funnel, LQ_STATEMENT_TOUCHES_ANEW,
									   values, NULL);
	}
	else if (touch != NULL)
	{
		values[1] = TimestampTzGetDatum(touch->activity.at);
		values[2] = values[1];
		if (!touch->activity.kind->conversation)
			nulls[2] = 'n';
		if (lq_statement_run_latest(funnel, LQ_STATEMENT_IS_FIRST_TOUCH,
									values, nulls) > 0)
			(void) lq_statement_run_latest(funnel, LQ_STATEMENT_TOUCH, values,
										   nulls);
	}
}

/*
 * Bring one lead up to date with its events.
 */
static void
update_lead(Batch *batch, const Event *events, int n)
{
	LqFunnel   *funnel = batch->funnel;
	Datum		key = events[0].key;
	SPITupleTable *lead;
	Datum		stored;
	bool		isnull;
	bool		has_source;
	LqCard	   *card;
	bool		replay;
	const Event *first_touch = NULL;
	Datum		values[4];
	char		nulls[5] = "    ";
	int			flags = 0;

	lead = lq_lock_lead(funnel, key);
	if (lead == NULL)
	{
		/* the rows may have been deleted with their lead */
		lq_refuse_if_named(funnel, batch->trigdata, LQ_TABLE_ACTIVITY, key);
		return;
	}
	stored = lq_statement_get(lead, 0, LQ_LEAD_SCORECARD, &isnull);
	card = isnull ? NULL : lq_card_from_datum(stored);
	(void) lq_statement_get(lead, 0, LQ_LEAD_SOURCE, &isnull);
	has_source = !isnull;
	SPI_freetuptable(lead);

	replay = batch->seen || card == NULL ||
		card->version != funnel->version;
	for (int i = 0; i < n && !replay; i++)
		replay = events[i].replay;
	for (int i = 0; i < n && !replay; i++)
	{
		if (events[i].gone)
			continue;
		if (!lq_activity_in_order(&events[i].activity, card))
			replay = true;
		else
			lq_activity_apply(&events[i].activity, card);
	}
	replay = replay || !take_back(funnel, key, card, events, n);
	if (replay)
	{
		card = lq_replay_locked(funnel, key);
		flags = LQ_WRITE_REFIT;
	}

	/* where a lead came from is its first touch's source, set once */
	for (int i = 0; i < n && !has_source && first_touch == NULL; i++)
		if (events[i].source != NULL)
			first_touch = &events[i];

	values[0] = key;
	values[1] = lq_card_to_datum(card);
	if (first_touch != NULL)
	{
		values[2] = CStringGetTextDatum(first_touch->source);
		if (first_touch->campaign != NULL)
			values[3] = CStringGetTextDatum(first_touch->campaign);
		else
			nulls[3] = 'n';
	}
	lq_own_write(funnel,
				 first_touch != NULL ? LQ_STATEMENT_SET_CARD_AND_SOURCE :
				 LQ_STATEMENT_SET_CARD,
				 values, nulls, flags);
	note_touches(funnel, events, n);
}

static void
update_leads(Batch *batch)
{
	MemoryContext lead_context;
	LqIdentity	saved;

	if (batch->n_events == 0)
		return;
	qsort_arg(batch->events, batch->n_events, sizeof(Event), compare_events,
			  batch->funnel);

	lq_funnel_enter(batch->funnel, &saved);
	lead_context = AllocSetContextCreate(CurrentMemoryContext,
										 "lead_qual lead",
										 ALLOCSET_DEFAULT_SIZES);
	for (int i = 0, next; i < batch->n_events; i = next)
	{
		MemoryContext old = MemoryContextSwitchTo(lead_context);

		CHECK_FOR_INTERRUPTS();
		for (next = i + 1; next < batch->n_events; next++)
			if (lq_key_cmp(batch->funnel, batch->events[i].key,
						   batch->events[next].key) != 0)
				break;
		update_lead(batch, &batch->events[i], next - i);
		MemoryContextSwitchTo(old);
		MemoryContextReset(lead_context);
	}
	lq_funnel_leave(&saved);
}

/*
 * _ingest_activity() - AFTER INSERT, UPDATE or DELETE ON activity
 *					   FOR EACH STATEMENT, with transition tables
 */
Datum
_ingest_activity(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_ingest_activity");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Batch		batch = {0};

	if (funnel == NULL)
		return PointerGetDatum(NULL);
	if (lq_funnel_importing(funnel))
	{
		lq_require_leads(funnel, trigdata, LQ_TABLE_ACTIVITY);
		return PointerGetDatum(NULL);
	}

	batch.funnel = funnel;
	batch.trigdata = trigdata;
	batch.context = CurrentMemoryContext;
	batch.seen = lq_replay_saw_statement();
	if (trigdata->tg_oldtable != NULL)
		read_rows(&batch, trigdata, trigdata->tg_oldtable, true);
	if (trigdata->tg_newtable != NULL)
		read_rows(&batch, trigdata, trigdata->tg_newtable, false);
	update_leads(&batch);
	return PointerGetDatum(NULL);
}

/* Was it a plan, and is it in the past now? */
static bool
took_place(const LqFunnel *funnel, Relation rel, HeapTuple old,
		   HeapTuple new, TimestampTz recorded)
{
	TupleDesc	desc = RelationGetDescr(rel);
	AttrNumber	kind = lq_column_of(rel, LQ_ACTIVITY_KIND);
	AttrNumber	occurred = lq_column_of(rel, LQ_ACTIVITY_OCCURRED_AT);
	bool		isnull;
	Datum		name;
	TimestampTz before;
	TimestampTz after;

	name = SPI_getbinval(old, desc, kind, &isnull);
	if (isnull)
		return false;
	before = DatumGetTimestampTz(SPI_getbinval(old, desc, occurred, &isnull));
	after = DatumGetTimestampTz(SPI_getbinval(new, desc, occurred, &isnull));
	return !isnull && lq_counts_at(after, lq_now()) == after &&
		lq_activity_planned(lq_funnel_kind(funnel, TextDatumGetCString(name)),
							before, recorded);
}

/*
 * _stamp_activity() - BEFORE INSERT OR UPDATE ON activity FOR EACH ROW
 *
 * recorded_at is ours: what counts for an event from the future.  It stays,
 * but for a plan whose row is written again after its time: that it took place
 * is recorded then.
 */
Datum
_stamp_activity(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_stamp_activity");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	tuple = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	int			attno;
	Datum		recorded;
	bool		isnull = false;

	if (!update)
		tuple = lq_fill_defaults(trigdata->tg_relation, tuple);
	if (lq_funnel_importing(funnel))
		return PointerGetDatum(tuple);
	attno = lq_column_of(trigdata->tg_relation, LQ_ACTIVITY_RECORDED_AT);
	recorded = update ?
		SPI_getbinval(trigdata->tg_trigtuple, desc, attno, &isnull) :
		TimestampTzGetDatum(lq_now());
	if (update && !isnull && took_place(funnel, trigdata->tg_relation, trigdata->tg_trigtuple,
										tuple, DatumGetTimestampTz(recorded)))
		recorded = TimestampTzGetDatum(lq_now());
	tuple = heap_modify_tuple_by_cols(tuple, desc, 1, &attno, &recorded,
									  &isnull);
	return PointerGetDatum(tuple);
}
