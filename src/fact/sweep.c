/*
 * sweep.c
 *		Looks again at leads that time may have moved.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "compat.h"
#include "fact/bulk.h"
#include "fact/rescore.h"
#include "funnel/between_triggers.h"
#include "funnel/deferred.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/lookup.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "lead_qual.h"
#include "subtransaction.h"

PG_FUNCTION_INFO_V1(sweep_funnel);

/* leads that are tried in one subtransaction */
#define TOGETHER	100

/* one kind of leads to sweep */
typedef struct Sweep
{
	const LqFunnel *funnel;
	LqStatement find;			/* their keys ... */
	LqStatement claim;			/* ... and one of them */
	Datum		values[2];		/* arguments of that, the first of both */
	bool		rescore;		/* or else review */

	MemoryContext lead_context;
	Datum	   *keys;			/* of leads that are tried together */
	int			n;
	int			n_together;
	bool		completed;

	Datum		key;			/* of the lead at hand */
	bool		claimed;
	bool		claiming;
	int64		most;			/* of both together */
	int64		n_done;
	int64		n_failed;
} Sweep;

/*
 * Lock a lead, unless somebody else has it.
 *
 * This is a statement of its own, with a snapshot of now: a scan that locks
 * as it goes has an older one.  Even so SKIP LOCKED waits where it follows a
 * lead to its newer version, and to wait while holding other leads makes
 * deadlocks; so it may wait for next to no time.
 */
static void
claim_lead(Sweep *sweep)
{
	int			level = NewGUCNestLevel();
	Datum		values[2];

	values[0] = sweep->key;
	values[1] = sweep->values[0];
	sweep->claiming = true;
	(void) set_config_option("lock_timeout", "1",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	sweep->claimed = lq_statement_run(sweep->funnel, sweep->claim, values,
									  NULL) > 0;
	SPI_freetuptable(SPI_tuptable);
	AtEOXact_GUC(true, level);
	sweep->claiming = false;
}

static void
sweep_one(void *arg)
{
	Sweep	   *sweep = arg;

	claim_lead(sweep);
	if (!sweep->claimed)
		return;
	if (sweep->rescore)
		(void) lq_rescore_lead(sweep->funnel, sweep->key, LQ_WRITE_STAY);
	else
		lq_own_write(sweep->funnel, LQ_STATEMENT_REVIEW, &sweep->key, NULL, 0);
}

static void
sweep_together(void *arg)
{
	Sweep	   *sweep = arg;

	sweep->n_together = 0;
	for (int i = 0; i < sweep->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		sweep->key = sweep->keys[i];
		sweep_one(sweep);
		if (sweep->claimed)
			sweep->n_together++;
		MemoryContextReset(sweep->lead_context);
	}
	sweep->completed = true;
}

/*
 * A lead that failed is due again, but after all that are due now: it must
 * not keep them waiting for ever.
 */
static void
put_last(void *arg)
{
	Sweep	   *sweep = arg;
	Datum		values[2];

	claim_lead(sweep);
	if (!sweep->claimed)
		return;
	values[0] = sweep->key;
	values[1] = TimestampTzGetDatum(lq_now());
	lq_own_write(sweep->funnel, LQ_STATEMENT_PUT_LAST, values, NULL,
				 LQ_WRITE_DATE);
}

/*
 * Do it in a subtransaction; an error of others that hold it is
 * none.
 */
static bool
try_sweep(Sweep *sweep, LqWork work, LqFailure *failure)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile bool result = true;

	sweep->claimed = false;
	sweep->claiming = false;
	PG_TRY();
	{
		result = lq_try(LQ_TRY_LEAD, work, sweep, failure);
	}
	PG_CATCH();
	{
		if (!sweep->claiming || geterrcode() != ERRCODE_LOCK_NOT_AVAILABLE)
			PG_RE_THROW();
		MemoryContextSwitchTo(caller);
		FlushErrorState();
	}
	PG_END_TRY();
	return result;
}

/*
 * Review or rescore one lead: one that fails (a trigger of the user's raises,
 * a constraint is violated) must not stop the rest.
 */
static void
sweep_lead(Sweep *sweep, Datum key)
{
	LqFailure	failure;

	sweep->key = key;
	if (try_sweep(sweep, sweep_one, &failure))
	{
		if (sweep->claimed)
			sweep->n_done++;
		return;
	}
	sweep->n_failed++;
	lq_bulk_warn(sweep->funnel, key, "swept", &failure);
	(void) try_sweep(sweep, put_last, &failure);
}

/*
 * Sweep some leads in one subtransaction, for each leaves memory behind to the
 * end of the transaction; or, if that fails, each in its own.
 */
static void
sweep_some(Sweep *sweep, Datum *keys, int n)
{
	LqFailure	failure;

	sweep->keys = keys;
	sweep->n = n;
	sweep->completed = false;
	if (try_sweep(sweep, sweep_together, &failure) && sweep->completed)
	{
		sweep->n_done += sweep->n_together;
		return;
	}
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		sweep_lead(sweep, keys[i]);
		MemoryContextReset(sweep->lead_context);
	}
}

static int64
sweep_batch(void *arg, Datum *keys, int n)
{
	Sweep	   *sweep = arg;
	MemoryContext old = MemoryContextSwitchTo(sweep->lead_context);

	for (int i = 0; i < n; i += TOGETHER)
		sweep_some(sweep, keys + i, Min(TOGETHER, n - i));
	MemoryContextSwitchTo(old);
	return sweep->most - sweep->n_done - sweep->n_failed;
}

/*
 * Sweep at most so many leads.
 */
static void
sweep_leads(Sweep *sweep, int64 most)
{
	sweep->lead_context = AllocSetContextCreate(CurrentMemoryContext,
												"lead_qual lead",
												ALLOCSET_DEFAULT_SIZES);
	sweep->most = most;
	lq_bulk(sweep->funnel, sweep->find, sweep->values,
			most - sweep->n_done - sweep->n_failed, sweep_batch, sweep);
	MemoryContextDelete(sweep->lead_context);
}

/*
 * sweep_funnel(funnel text, max integer) - record (reviewed, rescored, failed)
 *
 * Reviews leads whose review_at has come, then rescores leads whose card was
 * made under another version of the definition, max of both together.  New
 * rules alone move nobody: who is rescored stays until something happens.  Leads
 * that another session holds are left to it, so any number of sweepers may
 * run side by side.  A lead that cannot be swept is counted in failed, with a
 * warning, and comes last next time.  For members of the role that owns the
 * funnel.
 */
Datum
sweep_funnel(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	int32		most = PG_GETARG_INT32(1);
	LqIdentity	saved;
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};
	Sweep		due = {
		funnel, LQ_STATEMENT_DUE, LQ_STATEMENT_CLAIM_DUE,
		{TimestampTzGetDatum(lq_now())}, false
	};
	Sweep		stale = {
		funnel, LQ_STATEMENT_STALE, LQ_STATEMENT_CLAIM_STALE,
		{Int32GetDatum(funnel->version), TimestampTzGetDatum(lq_now())}, true
	};
	int64		left;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (most < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"max\" must be at least 1")));

	lq_funnel_check_owner(funnel, "sweep_funnel");
	lq_refuse_deferred(funnel, "sweep_funnel");
	lq_funnel_check_settings(funnel);
	lq_funnel_enter(funnel, &saved);
	/* for the table one waits, for a lead never */
	LockRelationOid(funnel->relid[LQ_TABLE_LEAD], RowExclusiveLock);
	sweep_leads(&due, most);
	left = most - due.n_done - due.n_failed;
	if (left > 0)
		sweep_leads(&stale, left);
	lq_funnel_leave(&saved);

	values[0] = Int64GetDatum(due.n_done);
	values[1] = Int64GetDatum(stale.n_done);
	values[2] = Int64GetDatum(due.n_failed + stale.n_failed);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}
