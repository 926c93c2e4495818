/*
 * activity.c
 *		What one activity is worth: the rules it satisfies.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "condition/eval.h"
#include "condition/pseudo.h"
#include "fact/activity.h"
#include "funnel/funnel.h"
#include "funnel/policy.h"
#include "funnel/tables.h"
#include "type/scorecard.h"

PG_FUNCTION_INFO_V1(counts_at);

/* an event further ahead than this is not told by a clock that runs fast */
#define FUTURE_TOLERANCE		(5 * USECS_PER_MINUTE)

/* whose pseudo-columns a condition asks for */
typedef struct KindOf
{
	const LqFunnel *funnel;
	const LqActivity *activity;
} KindOf;

/* The value of a pseudo-column (LqPseudoFetch): of the activity's kind. */
static Datum
activity_pseudo(void *arg, const LqPseudo *pseudo, bool *isnull)
{
	const KindOf *of = arg;
	const LqActivity *activity = of->activity;

	if (pseudo->kind != LQ_PSEUDO_KIND)
		elog(ERROR, "unexpected pseudo-column %d", (int) pseudo->kind);
	if (activity->kind == NULL)
	{
		*isnull = true;
		return (Datum) 0;
	}
	return heap_getattr(activity->kind->tuple, pseudo->attno,
						of->funnel->kind_desc, isnull);
}

/*
 * When an activity counts.  An event from further ahead than clocks may differ
 * counts as of when it was recorded.
 */
TimestampTz
lq_counts_at(TimestampTz occurred, TimestampTz recorded)
{
	/* infinity comes with imports, and must not wrap */
	if (TIMESTAMP_NOT_FINITE(occurred) || TIMESTAMP_NOT_FINITE(recorded))
		return Min(occurred, recorded);
	return occurred - FUTURE_TOLERANCE > recorded ? recorded : occurred;
}

/* _counts_at(occurred_at timestamptz, recorded_at timestamptz) */
Datum
counts_at(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(lq_counts_at(PG_GETARG_TIMESTAMPTZ(0),
									   PG_GETARG_TIMESTAMPTZ(1)));
}

/*
 * Is it a plan?  What the lead did is told by machines, whose clocks may run
 * fast; a call of our own side that is dated ahead has not taken place, and
 * may never do.
 */
bool
lq_activity_planned(const LqKind *kind, TimestampTz occurred,
					TimestampTz recorded)
{
	return kind != NULL && !kind->of_lead &&
		lq_counts_at(occurred, recorded) != occurred;
}

/* Read an activity and find the rules it satisfies; a plan satisfies none. */
void
lq_activity_read(const LqFunnel *funnel, TupleTableSlot *slot,
				 LqActivity *activity)
{
	const AttrNumber *attno = funnel->attno;
	KindOf		of = {funnel, activity};
	TimestampTz occurred;
	TimestampTz recorded;
	bool		isnull;

	occurred = DatumGetTimestampTz(slot_getattr(slot, attno[LQ_ACTIVITY_OCCURRED_AT],
												&isnull));
	recorded = DatumGetTimestampTz(slot_getattr(slot, attno[LQ_ACTIVITY_RECORDED_AT],
												&isnull));
	activity->at = lq_counts_at(occurred, recorded);
	activity->kind_name = TextDatumGetCString(slot_getattr(slot, attno[LQ_ACTIVITY_KIND],
														   &isnull));
	activity->kind = lq_funnel_kind(funnel, activity->kind_name);
	activity->planned = lq_activity_planned(activity->kind, occurred,
											recorded);
	activity->n_hits = 0;
	activity->hits = NULL;
	if (activity->planned)
		return;

	for (int i = 0; i < funnel->n_rules; i++)
	{
		const LqRule *rule = &funnel->rules[i];

		if (rule->kind == NULL || !rule->enabled || rule->broken)
			continue;
		if (strcmp(rule->kind, "*") != 0 &&
			strcmp(rule->kind, activity->kind_name) != 0)
			continue;
		if (rule->has_condition &&
			lq_condition_eval(rule->condition, slot, activity_pseudo,
							  &of) != LQ_TRUE)
			continue;
		if (activity->hits == NULL)
			activity->hits = palloc(funnel->n_rules * sizeof(LqRule *));
		activity->hits[activity->n_hits++] = rule;
	}
}

bool
lq_activity_in_order(const LqActivity *activity, const LqCard *card)
{
	for (int i = 0; i < activity->n_hits; i++)
		if (!lq_card_in_order(card, &activity->hits[i]->card, activity->at))
			return false;
	return true;
}

void
lq_activity_apply(const LqActivity *activity, LqCard *card)
{
	for (int i = 0; i < activity->n_hits; i++)
		(void) lq_card_hit(card, &activity->hits[i]->card, activity->at);
	if (activity->kind != NULL && activity->kind->of_lead)
		lq_card_touch(card, activity->at);
}
