/*
 * review.c
 *		When time alone may move a lead: the instant to look at it again.
 *
 * A lead whose facts rest can still move: its score falls (or, with rules of
 * opposite sign and different half-lives, rises), a stay grows long, a date
 * is reached.  The instant found here is a lower bound.  Looking too early
 * costs a look, looking too late would be wrong.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "lead/lead.h"

/* a condition that time may change in a way not understood: look daily */
#define UNKNOWN_REVIEW	USECS_PER_DAY

/* When a span that began then reaches so many units of a day. */
static TimestampTz
span_reaches(TimestampTz began, int64 units, TimestampTz now)
{
	TimestampTz at;

	if (TIMESTAMP_NOT_FINITE(began) ||
		pg_mul_s64_overflow(units, LQ_USECS_PER_DAY_UNIT, &at) ||
		pg_add_s64_overflow(began, at, &at) ||
		!IS_VALID_TIMESTAMP(at))
		return DT_NOEND;
	return at > now ? at : DT_NOEND;
}

/* When the card's quantity next passes the threshold, either way. */
static TimestampTz
card_passes(const LqLead *lead, LqCardQuantity what, int64 rule_id,
			int64 threshold, int64 value)
{
	return lq_card_crossing(lead->card, what, rule_id, value >= threshold,
							threshold, lead->now);
}

/* The next instant at which the comparison changes its answer. */
static TimestampTz
test_changes(const LqLead *lead, const LqTimeTest *test)
{
	const LqPseudo *pseudo = test->pseudo;
	TimestampTz result = DT_NOEND;

	/*
	 * x < c and x >= c change as x passes c, x <= c and x > c as it passes
	 * the next unit, x = c at either.
	 */
	for (int i = 0; i < 2; i++)
	{
		int64		threshold = test->units + i;
		TimestampTz at = DT_NOEND;

		if (i == 0 && (test->compare == LQ_COMPARE_LE ||
					   test->compare == LQ_COMPARE_GT))
			continue;
		if (i == 1 && (test->compare == LQ_COMPARE_LT ||
					   test->compare == LQ_COMPARE_GE))
			continue;
		switch (pseudo->kind)
		{
			case LQ_PSEUDO_SCORE:
				at = card_passes(lead, LQ_CARD_SCORE, 0, threshold,
								 lq_card_score(lead->card, lead->now));
				break;
			case LQ_PSEUDO_FIT:
				break;			/* never fades */
			case LQ_PSEUDO_ENGAGEMENT:
				at = card_passes(lead, LQ_CARD_ENGAGEMENT, 0, threshold,
								 lq_card_engagement(lead->card, lead->now));
				break;
			case LQ_PSEUDO_POINTS:
				at = card_passes(lead, LQ_CARD_RULE_POINTS, pseudo->rule_id,
								 threshold,
								 lq_card_rule_points(lead->card,
													 pseudo->rule_id,
													 lead->now));
				break;
			case LQ_PSEUDO_IDLE_DAYS:
				at = span_reaches(lead->card->last_activity, threshold,
								  lead->now);
				break;
			case LQ_PSEUDO_DAYS_IN_STAGE:
				at = span_reaches(lq_lead_instant(lead,
												  LQ_LEAD_STAGE_ENTERED_AT,
												  lead->now),
								  threshold, lead->now);
				break;
			default:
				break;			/* stands still while nothing happens */
		}
		result = Min(result, at);
	}
	return result;
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

	n_parts = lq_condition_n_parts(transition->condition);
	for (int i = 0; i < n_parts; i++)
	{
		const LqConditionPart *part =
		lq_condition_part(transition->condition, i);

		/* what holds now is looked at again when the others come to hold */
		if (lq_condition_eval_part(transition->condition, i, lead->slot,
								   lq_lead_pseudo, lead) == LQ_TRUE)
			continue;
		if (part->n_tests == 0 && !part->otherwise_timed)
			return DT_NOEND;
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
