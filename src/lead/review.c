/*
 * review.c
 *		When time alone may move a lead: the instant to look at it again.
 *
 * A lead whose facts rest can still move: its score falls (or, with rules of
 * opposite sign and different half-lives, rises), a stay grows long, a date
 * is reached.  The instant found here is a lower bound.  Looking too early
 * costs a look, looking too late would be wrong.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "compat.h"
#include "condition/eval.h"
#include "condition/part.h"
#include "funnel/funnel.h"
#include "funnel/policy.h"
#include "funnel/tables.h"
#include "lead/lead.h"
#include "lead/pseudo.h"
#include "lead/review.h"
#include "lead/stage.h"

/* a condition that time may change in a way not understood: look daily */
#define UNKNOWN_REVIEW	USECS_PER_DAY

/* The next instant at which the comparison changes its answer. */
static TimestampTz
test_changes(const LqLead *lead, const LqTimeTest *test)
{
	TimestampTz result = DT_NOEND;

	/*
	 * x < c and x >= c change as x passes c, x <= c and x > c as it passes
	 * the next unit, x = c at either.
	 */
	for (int i = 0; i < 2; i++)
	{
		if (i == 0 && (test->compare == LQ_COMPARE_LE ||
					   test->compare == LQ_COMPARE_GT))
			continue;
		if (i == 1 && (test->compare == LQ_COMPARE_LT ||
					   test->compare == LQ_COMPARE_GE))
			continue;
		result = Min(result,
					 lq_lead_pseudo_passes(lead, test->pseudo,
										   test->units + i));
	}
	return result;
}

static bool
is_timed(const LqConditionPart *part)
{
	return part->n_tests > 0 || part->otherwise_timed;
}

/*
 * When an automatic transition that does not hold now may come to hold.  A
 * part that time cannot change and that is not met leaves it to the facts.
 */
static TimestampTz
transition_review(LqLead *lead, const LqTransition *transition)
{
	TimestampTz result = lq_transition_earliest(lead, transition);
	int			n_parts;

	if (result <= lead->now)
		result = DT_NOEND;
	if (!transition->has_condition)
		return result;

	/* first what decides at once; to look ahead costs more */
	n_parts = lq_condition_n_parts(transition->condition);
	for (int i = 0; i < n_parts; i++)
		if (!is_timed(lq_condition_part(transition->condition, i)) &&
			lq_lead_holds_part(lead, transition->condition, i) != LQ_TRUE)
			return DT_NOEND;
	for (int i = 0; i < n_parts; i++)
	{
		const LqConditionPart *part =
		lq_condition_part(transition->condition, i);

		/* what holds now is looked at again when the others come to hold */
		if (!is_timed(part) ||
			lq_lead_holds_part(lead, transition->condition, i) == LQ_TRUE)
			continue;
		if (part->otherwise_timed)
			result = Min(result, lead->now + UNKNOWN_REVIEW);
		for (int j = 0; j < part->n_tests; j++)
			result = Min(result, test_changes(lead, &part->tests[j]));
	}
	return result;
}

/*
 * The first instant after now at which time may move the lead or a date of
 * its own is reached; DT_NOEND if there is none.
 */
TimestampTz
lq_lead_review_at(LqLead *lead)
{
	const LqFunnel *funnel = lead->funnel;
	char	   *name = lq_lead_get_text(lead, LQ_LEAD_STAGE);
	const LqStage *stage = name == NULL ? NULL : lq_funnel_stage(funnel, name);
	TimestampTz result = DT_NOEND;
	TimestampTz date;

	if (stage == NULL)
		return DT_NOEND;
	for (int i = 0; i < funnel->n_transitions; i++)
	{
		const LqTransition *transition = &funnel->transitions[i];

		if (transition->automatic && lq_transition_leaves(transition, stage))
			result = Min(result, transition_review(lead, transition));
	}
	date = lq_lead_instant(lead, LQ_LEAD_DUE_AT, DT_NOEND);
	if (date > lead->now)
		result = Min(result, date);
	date = lq_lead_instant(lead, LQ_LEAD_RESUME_AT, DT_NOEND);
	if (date > lead->now)
		result = Min(result, date);
	return result;
}
