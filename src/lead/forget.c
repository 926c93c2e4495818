/*
 * forget.c
 *		The trigger that takes a lead's facts along when it is deleted.
 *
 * A foreign key could not: see named_leads.c, and one cannot refer to a table
 * that is partitioned by something else than the key.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/partition.h"
#include "funnel/statement.h"
#include "funnel/trigger.h"
#include "lead/lead.h"

PG_FUNCTION_INFO_V1(_forget_lead);

/*
 * What sales did since a hand-over outlives the log, in the row of that move.
 */
static void
keep_touches(const LqFunnel *funnel, Datum key)
{
	Datum		values[2];

	values[0] = key;
	values[1] = TimestampTzGetDatum(DT_NOEND);
	(void) lq_statement_run_latest(funnel, LQ_STATEMENT_KEEP_TOUCHES, values,
								   NULL);
}

/*
 * _forget_lead() - AFTER DELETE ON lead FOR EACH ROW
 *
 * An update that takes a lead to another partition deletes its row, too: so
 * the facts go only if no lead of that key is there any more.  Its moves stay
 * and its units end; departure parts them from those of a lead that comes
 * under its key one day.
 *
 * Whoever added a fact had locked the lead, and is done now that it is
 * deleted.  A fact that this transaction's snapshot does not show is an error.
 */
Datum
_forget_lead(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_forget_lead");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	LqIdentity	saved;
	LqLead		lead;
	Datum		values[2];

	lq_lead_init(&lead, funnel,
				 lq_partition_to_lead(lq_partition(funnel,
												   trigdata->tg_relation),
									  trigdata->tg_trigtuple));
	values[0] = lead.values[funnel->key_attno - 1];
	values[1] = TimestampTzGetDatum(lead.now);
	lq_funnel_enter(funnel, &saved);
	if (lq_statement_run_latest(funnel, LQ_STATEMENT_LEAD_EXISTS, values,
								NULL) == 0)
	{
		keep_touches(funnel, values[0]);
		(void) lq_statement_run_latest(funnel, LQ_STATEMENT_FORGET, values,
									   NULL);
	}
	lq_funnel_leave(&saved);
	lq_lead_done(&lead);
	return PointerGetDatum(NULL);
}
