/*
 * sweep.c
 *		Looks again at leads that time may have moved.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "fact/activity.h"
#include "funnel/own_write.h"
#include "lead_qual.h"

PG_FUNCTION_INFO_V1(sweep_funnel);

#define ROWS_AT_A_TIME 100

typedef enum Swept
{
	SWEPT_DONE,
	SWEPT_FAILED,
	SWEPT_LEFT					/* another session has it, or is done with it */
} Swept;

/*
 * Review or rescore one lead in a subtransaction: one that fails (a trigger
 * of the user's raises, a constraint is violated) must not stop the rest.
 *
 * The lead is claimed by a statement of its own, with a snapshot of now.  A
 * scan that locks as it goes has an older one, and following a lead to its
 * newer versions it waits, SKIP LOCKED or not: which with the leads that it
 * holds already makes deadlocks.
 */
static Swept
sweep_lead(const LqFunnel *funnel, Datum key, Datum value, bool rescore)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile Swept swept = SWEPT_FAILED;
	Datum		claim[2];

	claim[0] = key;
	claim[1] = value;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		if (lq_statement_run(funnel, rescore ? LQ_STATEMENT_CLAIM_STALE :
							 LQ_STATEMENT_CLAIM_DUE, claim, NULL) == 0)
			swept = SWEPT_LEFT;
		else if (rescore)
			(void) lq_rescore_lead(funnel, key, LQ_WRITE_STAY);
		else
			lq_own_write(funnel, LQ_STATEMENT_REVIEW, &key, NULL, 0);
		ReleaseCurrentSubTransaction();
		if (swept != SWEPT_LEFT)
			swept = SWEPT_DONE;
	}
	PG_CATCH();
	{
		ErrorData  *error;
		Oid			output;
		bool		varlena;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		/* not the lead's fault, and no better with the next */
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
			error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE)
			ReThrowError(error);
		getTypeOutputInfo(funnel->key_type, &output, &varlena);
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("lead %s of funnel \"%s\" could not be swept",
						OidOutputFunctionCall(output, key), funnel->name),
				 errdetail("%s", error->message)));
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return swept;
}

/*
 * Sweep at most so many of the leads that a statement finds.  Those that fail
 * do not count: they would be first again next time, and enough of them would
 * keep all others from ever being swept.
 */
static int64
sweep_found(const LqFunnel *funnel, LqStatement statement, Datum value,
			int64 most, bool rescore, int64 *failed)
{
	Portal		portal = lq_statement_open(funnel, statement, &value);
	int64		swept = 0;
	MemoryContext lead_context;

	lead_context = AllocSetContextCreate(CurrentMemoryContext,
										 "lead_qual lead",
										 ALLOCSET_DEFAULT_SIZES);
	while (swept < most)
	{
		SPITupleTable *rows;
		uint64		n;

		SPI_cursor_fetch(portal, true, ROWS_AT_A_TIME);
		n = SPI_processed;
		rows = SPI_tuptable;
		if (n == 0)
			break;
		for (uint64 i = 0; i < n && swept < most; i++)
		{
			MemoryContext old = MemoryContextSwitchTo(lead_context);
			bool		isnull;
			Datum		key = SPI_getbinval(rows->vals[i], rows->tupdesc, 1,
											&isnull);

			CHECK_FOR_INTERRUPTS();
			switch (sweep_lead(funnel, key, value, rescore))
			{
				case SWEPT_DONE:
					swept++;
					break;
				case SWEPT_FAILED:
					(*failed)++;
					break;
				case SWEPT_LEFT:
					break;
			}
			MemoryContextSwitchTo(old);
			MemoryContextReset(lead_context);
		}
		SPI_freetuptable(rows);
	}
	MemoryContextDelete(lead_context);
	SPI_cursor_close(portal);
	return swept;
}

/*
 * sweep_funnel(funnel text, max integer) - record (reviewed, rescored, failed)
 *
 * Reviews leads whose review_at has come, then rescores leads whose card was
 * made under another version of the definition, max of both together.  New
 * rules alone move nobody: who is rescored stays until something happens.  Leads
 * that another session holds are left to it, so any number of sweepers may
 * run side by side.  A lead that cannot be swept is counted in failed, with a
 * warning, and not in max.  For members of the role that owns the funnel.
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
	int64		reviewed;
	int64		rescored;
	int64		failed = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (most < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"max\" must be at least 1")));

	lq_funnel_check_owner(funnel, "sweep_funnel");
	lq_funnel_check_settings(funnel);
	lq_funnel_enter(funnel, &saved);
	SPI_connect();
	reviewed = sweep_found(funnel, LQ_STATEMENT_DUE,
						   TimestampTzGetDatum(lq_now()), most, false,
						   &failed);
	rescored = sweep_found(funnel, LQ_STATEMENT_STALE,
						   Int32GetDatum(funnel->version),
						   most - reviewed, true, &failed);
	SPI_finish();
	lq_funnel_leave(&saved);

	values[0] = Int64GetDatum(reviewed);
	values[1] = Int64GetDatum(rescored);
	values[2] = Int64GetDatum(failed);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}
