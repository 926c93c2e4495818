/*
 * used_up.c
 *		What a move used up, between the lead's two triggers.
 *
 * Reason and note are given in the row with a move, kept in the history, and
 * cleared in the row; a move that begins a cycle clears resume_at and the
 * deals of the cycle before, a return to marketing the owner.  So the BEFORE trigger takes them out, and the
 * AFTER trigger, which finds the same moves again, no longer finds there what
 * they followed from.  It waits here.
 */
#include "postgres.h"

#include "utils/datum.h"
#include "utils/memutils.h"

#include "compat.h"
#include "funnel/between_triggers.h"
#include "funnel/funnel.h"
#include "funnel/funnel_entry.h"
#include "funnel/tables.h"
#include "lead/lead.h"
#include "lead/used_up.h"

static const LqColumn cleared[] = {
	LQ_LEAD_REASON, LQ_LEAD_NOTE, LQ_LEAD_RESUME_AT,
	LQ_LEAD_DEALS_WON, LQ_LEAD_DEALS_LOST, LQ_LEAD_OWNER,
};

StaticAssertDecl(lengthof(cleared) == lengthof(((LqUsedUp *) 0)->values),
				 "LqUsedUp has room for every column that a move clears");

typedef struct Kept
{
	uint64		refused_by;		/* the policy, by its serial; 0: the move was
								 * granted */
	LqUsedUp	columns;
} Kept;

/* The lead's columns that a move may clear, as they are. */
void
lq_used_up_read(const LqLead *lead, LqUsedUp *columns)
{
	for (int i = 0; i < lengthof(cleared); i++)
		columns->values[i] = lq_lead_get(lead, cleared[i],
										 &columns->isnull[i]);
	columns->first_cycle = lead->first_cycle;
}

/* Keep that for the AFTER trigger. */
static void
put(const LqFunnel *funnel, Datum key, const LqUsedUp *columns,
	uint64 refused_by)
{
	MemoryContext old = MemoryContextSwitchTo(CurTransactionContext);
	Kept	   *kept = palloc(sizeof(Kept));

	kept->refused_by = refused_by;
	kept->columns.first_cycle = columns->first_cycle;
	for (int i = 0; i < lengthof(cleared); i++)
	{
		Form_pg_attribute attr = TupleDescAttr(funnel->lead_desc,
											   funnel->attno[cleared[i]] - 1);

		kept->columns.isnull[i] = columns->isnull[i];
		kept->columns.values[i] = columns->isnull[i] ? (Datum) 0 :
			datumCopy(columns->values[i], attr->attbyval, attr->attlen);
	}
	MemoryContextSwitchTo(old);
	lq_waiting_put(funnel, key, LQ_WAITING_USED_UP, kept);
}

/* Keep what the lead had there before its move, if the move changed it. */
void
lq_used_up_put(const LqLead *lead, Datum key, const LqUsedUp *before)
{
	bool		changed = before->first_cycle != LQ_FIRST_CYCLE;

	(void) lq_waiting_take(lead->funnel, key, LQ_WAITING_USED_UP);
	for (int i = 0; i < lengthof(cleared) && !changed; i++)
	{
		bool		isnull;
		Datum		value = lq_lead_get(lead, cleared[i], &isnull);

		/* what was not set anew is the very same datum */
		changed = isnull != before->isnull[i] || value != before->values[i];
	}
	if (changed)
		put(lead->funnel, key, before, 0);
}

/*
 * Note that this policy does not let the new lead in where it asks to be.
 * That is news only where there is an earlier one, which might.
 */
void
lq_used_up_refused(const LqLead *lead, Datum key)
{
	LqUsedUp	columns;

	(void) lq_waiting_take(lead->funnel, key, LQ_WAITING_USED_UP);
	if (lq_funnel_replaced(lead->funnel) == NULL &&
		lead->first_cycle == LQ_FIRST_CYCLE)
		return;
	lq_used_up_read(lead, &columns);
	put(lead->funnel, key, &columns, lead->funnel->serial);
}

/* Put such columns back. */
void
lq_used_up_restore(LqLead *lead, const LqUsedUp *columns)
{
	for (int i = 0; i < lengthof(cleared); i++)
		lq_lead_set(lead, cleared[i], columns->values[i], columns->isnull[i]);
	lead->first_cycle = columns->first_cycle;
}

/*
 * Put what the lead's move used up back into the row at hand, and tell it.
 * Returns the serial of the policy that refused a new lead its stage, or 0.
 */
uint64
lq_used_up_take(LqLead *lead, Datum key, LqUsedUp *columns)
{
	Kept	   *kept = lq_waiting_take(lead->funnel, key, LQ_WAITING_USED_UP);

	if (kept != NULL)
		lq_used_up_restore(lead, &kept->columns);
	lq_used_up_read(lead, columns);
	return kept == NULL ? 0 : kept->refused_by;
}
