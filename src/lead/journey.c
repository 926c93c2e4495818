/*
 * journey.c
 *		The units of a lead, a row each, beside its history.
 *
 * A move writes into its unit's row what it is the first of.  No move reads
 * the history for it; what moves that are voided or loaded make of a unit,
 * _rebuild_journey() works out.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "funnel/between_triggers.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/key.h"
#include "funnel/milestone.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "lead/journey.h"
#include "lead/lead.h"
#include "lead/stage.h"
#include "lead/unit_update.h"

/* The last cycle under this key, in whichever life; 0: there is none. */
static int32
last_cycle(const LqFunnel *funnel, Datum key)
{
	bool		isnull;

	if (lq_statement_run_latest(funnel, LQ_STATEMENT_LAST_CYCLE, &key,
								NULL) == 0)
		return LQ_FIRST_CYCLE - 1;
	return DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &isnull));
}

/*
 * Cycles are counted through all lives of a key: who comes under one that has
 * been here is another lead.
 */
int32
lq_first_cycle(const LqFunnel *funnel, Datum key)
{
	LqIdentity	saved;
	int32		cycle;

	lq_funnel_enter(funnel, &saved);
	cycle = 1 + last_cycle(funnel, key);
	lq_funnel_leave(&saved);
	return cycle;
}

/* The unit before has ended: what sales does from now on is of the new one. */
static void
end_unit(const LqFunnel *funnel, Datum key, const LqHop *hop)
{
	Datum		values[3];

	values[0] = key;
	values[1] = Int32GetDatum(hop->cycle - 1);
	values[2] = TimestampTzGetDatum(hop->entered_at);
	(void) lq_statement_run(funnel, LQ_STATEMENT_END_UNIT, values, NULL);
}

/*
 * Under the key of a lead that another session was deleting a new one comes
 * when that is done; its cycle was taken from what was there before.
 */
pg_noreturn static void
refuse_taken(const LqFunnel *funnel, Datum key, const LqHop *hop)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent delete"),
			 errdetail("Lead %s of funnel \"%s\" has just gone, and its last cycle is not the one before %d.",
					   lq_key_text(funnel, key), funnel->name, hop->cycle),
			 errhint("Try the transaction again.")));
}

/* The move that brings a new lead. */
static void
begin(const LqFunnel *funnel, const LqHop *hop, Datum *values,
	  const char *nulls)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		key = values[0];

	if (hop->cycle != LQ_FIRST_CYCLE &&
		last_cycle(funnel, key) != hop->cycle - 1)
		refuse_taken(funnel, key, hop);
	PG_TRY();
	{
		(void) lq_write_for_lead(funnel, LQ_TABLE_STAGE_HISTORY,
								 LQ_STATEMENT_BEGIN_UNIT + hop->to->milestone,
								 values, nulls);
	}
	PG_CATCH();
	{
		if (geterrcode() != ERRCODE_UNIQUE_VIOLATION)
			PG_RE_THROW();
		MemoryContextSwitchTo(caller);
		FlushErrorState();
		refuse_taken(funnel, key, hop);
	}
	PG_END_TRY();
}

/* A move in a unit; false if that is not there. */
static bool
enter(const LqFunnel *funnel, LqMilestone to, Datum *values,
	  const char *nulls)
{
	LqUnitUpdate update = to == LQ_MILESTONE_MQL ? LQ_UNIT_NOT_PLAIN :
	lq_unit_update(funnel, to, values, nulls);

	if (update == LQ_UNIT_NOT_PLAIN)
		return lq_write_for_lead(funnel, LQ_TABLE_STAGE_HISTORY,
								 LQ_STATEMENT_ENTER_UNIT + to, values,
								 nulls) > 0;
	(void) lq_write_for_lead(funnel, LQ_TABLE_STAGE_HISTORY,
							 LQ_STATEMENT_MOVE, values, nulls);
	return update == LQ_UNIT_UPDATED;
}

void
lq_journey_move(const LqFunnel *funnel, const LqHop *hop, Datum *values,
				const char *nulls)
{
	LqMilestone to = hop->to->milestone;

	if (hop->from == NULL)
	{
		begin(funnel, hop, values, nulls);
		return;
	}
	if (lq_begins_cycle(hop->from->milestone, to))
		end_unit(funnel, values[0], hop);
	/* of history that was loaded, the unit may not have been made yet */
	if (!enter(funnel, to, values, nulls))
		(void) lq_statement_run(funnel, LQ_STATEMENT_ADD_UNIT + to, values,
								nulls);
}
