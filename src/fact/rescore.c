/*
 * rescore.c
 *		Cards made anew from the log: those of one lead, or of all.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "fact/bulk.h"
#include "fact/named_leads.h"
#include "fact/replay.h"
#include "fact/rescore.h"
#include "funnel/between_triggers.h"
#include "funnel/deferred.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/key.h"
#include "funnel/lookup.h"
#include "funnel/statement.h"
#include "subtransaction.h"
#include "type/scorecard.h"

PG_FUNCTION_INFO_V1(rescore_funnel);
PG_FUNCTION_INFO_V1(_rescore_lead);

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
	int			n_scored;		/* of these */
	int64		n_all;			/* scored in all */
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
static int64
rescore_batch(void *arg, Datum *keys, int n)
{
	Rescore    *batch = arg;
	LqFailure	failure;

	batch->keys = keys;
	batch->n = n;
	if (lq_try(LQ_TRY_LEAD, rescore_leads, batch, &failure))
	{
		batch->n_all += batch->n_scored;
		return LQ_BULK_ALL;
	}
	batch->n = 1;
	for (int i = 0; i < n; i++)
	{
		batch->keys = &keys[i];
		if (lq_try(LQ_TRY_LEAD, rescore_leads, batch, &failure))
			batch->n_all += batch->n_scored;
		else
			lq_bulk_warn(batch->funnel, keys[i], "rescored", &failure);
	}
	return LQ_BULK_ALL;
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
	LqIdentity	saved;

	lq_funnel_check_owner(funnel, "rescore_funnel");
	lq_refuse_deferred(funnel, "rescore_funnel");
	lq_funnel_check_settings(funnel);
	lq_funnel_enter(funnel, &saved);
	batch.flags = PG_GETARG_BOOL(1) ? 0 : LQ_WRITE_STAY;
	batch.lead_context = AllocSetContextCreate(CurrentMemoryContext,
											   "lead_qual lead",
											   ALLOCSET_DEFAULT_SIZES);
	lq_bulk(funnel, LQ_STATEMENT_KEYS, NULL, LQ_BULK_ALL, rescore_batch,
			&batch);
	lq_funnel_leave(&saved);
	PG_RETURN_INT64(batch.n_all);
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
	Datum		key;
	bool		found;

	lq_funnel_check_owner(funnel, "_rescore_lead");
	lq_refuse_deferred(funnel, "_rescore_lead");
	lq_funnel_check_settings(funnel);
	key = lq_key_of_text(funnel, lead);
	lq_funnel_enter(funnel, &saved);
	found = lq_rescore_lead(funnel, key, flags);
	lq_funnel_leave(&saved);
	PG_RETURN_BOOL(found);
}
