/*
 * rescore.c
 *		Cards made anew from the log: one lead's, a funnel's, the past.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "fact/activity.h"
#include "fact/bulk.h"
#include "fact/named_leads.h"
#include "funnel/deferred.h"
#include "funnel/funnel.h"
#include "funnel/own_write.h"
#include "funnel/statement.h"
#include "subtransaction.h"
#include "type/scorecard.h"

PG_FUNCTION_INFO_V1(rescore_funnel);
PG_FUNCTION_INFO_V1(_rescore_lead);

/* the last replay: which transaction, and up to which command it saw */
static TransactionId replay_xid = InvalidTransactionId;
static CommandId replay_cid = 0;

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
 * Apply activities, the first column of rows in time order, to a card.
 */
void
lq_replay_rows(const LqFunnel *funnel, SPITupleTable *rows, uint64 n,
			   TimestampTz until, LqCard *card)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "lead_qual activity",
													  ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot = NULL;

	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext old;
		HeapTupleHeader header;
		HeapTupleData tuple;
		LqActivity	activity;
		bool		isnull;
		Datum		row = SPI_getbinval(rows->vals[i], rows->tupdesc, 1,
										&isnull);

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			continue;			/* the one row of an empty log */
		header = DatumGetHeapTupleHeader(row);
		if (slot == NULL)
			slot = MakeSingleTupleTableSlot(funnel->activity_desc,
											&TTSOpsHeapTuple);
		tuple = lq_tuple_of_row(header);
		ExecStoreHeapTuple(&tuple, slot, false);

		old = MemoryContextSwitchTo(row_context);
		lq_activity_read(funnel, slot, &activity);
		MemoryContextSwitchTo(old);
		if (activity.at <= until)
			lq_activity_apply(&activity, card);
		ExecClearTuple(slot);
		MemoryContextReset(row_context);
	}
	if (slot != NULL)
		ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(row_context);
}

/* The card that the log gives, which has just been read: SPI_tuptable. */
static LqCard *
replay(const LqFunnel *funnel, uint64 n, TimestampTz until)
{
	LqCard	   *card;
	SPITupleTable *rows;
	Datum		stored;
	bool		isnull;

	replay_xid = GetTopTransactionIdIfAny();
	replay_cid = GetCurrentCommandId(false);
	rows = SPI_tuptable;
	stored = SPI_getbinval(rows->vals[0], rows->tupdesc, 2, &isnull);
	card = isnull ? lq_card_new(funnel->version, &funnel->limits) :
		lq_baseline_card(funnel, stored, false);
	if (until < card->as_of)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the score of the lead at that time is not known any more"),
				 errdetail("Its activities up to %s were archived.",
						   timestamptz_to_str(card->as_of)),
				 errhint("Ask for an instant from then on.")));
	lq_replay_rows(funnel, rows, n, until, card);
	SPI_freetuptable(rows);
	return card;
}

/*
 * The engagement that a lead's whole log gives, in time order, up to an
 * instant.  It begins with what archived activities gave.  Fit is not in it:
 * that is for the lead's own trigger.  The caller has connected to SPI and
 * entered the funnel.
 */
LqCard *
lq_replay(const LqFunnel *funnel, Datum key, TimestampTz until)
{
	uint64		n = lq_statement_run(funnel, LQ_STATEMENT_LOG, &key, NULL);

	return replay(funnel, n, until);
}

/* The same for a lead that the caller has locked, as it is by now. */
LqCard *
lq_replay_locked(const LqFunnel *funnel, Datum key)
{
	uint64		n = lq_statement_run_latest(funnel, LQ_STATEMENT_LOG, &key,
											NULL);

	return replay(funnel, n, DT_NOEND);
}

/*
 * Make a lead's card anew; false if the lead is gone.  It is locked first, so
 * whatever other sessions add comes after.
 */
bool
lq_rescore_lead(const LqFunnel *funnel, Datum key, int flags)
{
	Datum		values[2];
	SPITupleTable *lead = lq_lock_lead(funnel, key);

	if (lead == NULL)
		return false;
	SPI_freetuptable(lead);
	values[0] = key;
	values[1] = lq_card_to_datum(lq_replay_locked(funnel, key));
	lq_own_write(funnel, LQ_STATEMENT_SET_CARD, values, NULL,
				 LQ_WRITE_REFIT | flags);
	return true;
}

/* leads to rescore together */
typedef struct Rescore
{
	const LqFunnel *funnel;
	int			flags;
	MemoryContext lead_context;
	Datum	   *keys;
	int			n;
	int			n_scored;
} Rescore;

static void
rescore_leads(void *arg)
{
	Rescore    *rescore = arg;
	MemoryContext old = MemoryContextSwitchTo(rescore->lead_context);

	rescore->n_scored = 0;
	for (int i = 0; i < rescore->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (lq_rescore_lead(rescore->funnel, rescore->keys[i], rescore->flags))
			rescore->n_scored++;
		MemoryContextReset(rescore->lead_context);
	}
	MemoryContextSwitchTo(old);
}

/*
 * Rescore a batch in one subtransaction, or, if a lead in it fails, each lead
 * in its own, so that the others go on.
 */
static int
rescore_batch(Rescore *batch)
{
	LqFailure	failure;
	int			n_scored = 0;

	if (lq_try(LQ_TRY_LEAD, rescore_leads, batch, &failure))
		return batch->n_scored;
	for (int i = 0; i < batch->n; i++)
	{
		Rescore		one = *batch;

		one.keys = &batch->keys[i];
		one.n = 1;
		if (lq_try(LQ_TRY_LEAD, rescore_leads, &one, &failure))
			n_scored += one.n_scored;
		else
			lq_bulk_warn(batch->funnel, *one.keys, "rescored", &failure);
	}
	return n_scored;
}

/*
 * rescore_funnel(funnel text, move boolean) - bigint
 *
 * Scores every lead anew by the active definition as it is now, from its
 * whole log.  Leads stay in their stages unless move is true.  Returns how
 * many leads were scored; one that fails is named in a warning.  For members
 * of the role that owns the funnel.
 */
Datum
rescore_funnel(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Rescore		batch = {funnel};
	MemoryContext batch_context;
	LqIdentity	saved;
	Portal		portal;
	int64		scored = 0;

	lq_funnel_check_owner(funnel, "rescore_funnel");
	lq_refuse_deferred(funnel, "rescore_funnel");
	lq_funnel_check_settings(funnel);
	lq_funnel_enter(funnel, &saved);
	SPI_connect();
	batch_context = AllocSetContextCreate(CurrentMemoryContext,
										  "lead_qual leads",
										  ALLOCSET_DEFAULT_SIZES);
	batch.flags = PG_GETARG_BOOL(1) ? 0 : LQ_WRITE_STAY;
	batch.lead_context = AllocSetContextCreate(CurrentMemoryContext,
											   "lead_qual lead",
											   ALLOCSET_DEFAULT_SIZES);
	portal = lq_statement_open(funnel, LQ_STATEMENT_KEYS, NULL);
	do
	{
		MemoryContext old = MemoryContextSwitchTo(batch_context);

		batch.n = lq_bulk_fetch(funnel, portal, LQ_BULK_SIZE, &batch.keys);
		scored += rescore_batch(&batch);
		MemoryContextSwitchTo(old);
		MemoryContextReset(batch_context);
	} while (batch.n > 0);
	SPI_cursor_close(portal);
	SPI_finish();
	lq_funnel_leave(&saved);
	PG_RETURN_INT64(scored);
}

/*
 * _rescore_lead(funnel text, lead text, move boolean) - boolean
 *
 * Scores one lead anew, named by its key as text; false if it is gone.
 */
Datum
_rescore_lead(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char	   *lead = text_to_cstring(PG_GETARG_TEXT_PP(1));
	int			flags = PG_GETARG_BOOL(2) ? 0 : LQ_WRITE_STAY;
	LqIdentity	saved;
	Oid			input;
	Oid			param;
	Datum		key;
	bool		found;

	lq_funnel_check_owner(funnel, "_rescore_lead");
	lq_funnel_check_settings(funnel);
	getTypeInputInfo(funnel->key_type, &input, &param);
	key = OidInputFunctionCall(input, lead, param, -1);
	lq_funnel_enter(funnel, &saved);
	SPI_connect();
	found = lq_rescore_lead(funnel, key, flags);
	SPI_finish();
	lq_funnel_leave(&saved);
	PG_RETURN_BOOL(found);
}
