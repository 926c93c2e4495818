/*
 * scorecard_unhit.c
 *		Taking hits back from a scorecard.
 *
 * A hit is taken back by subtracting what it gave.  What is left is as exact
 * as a sum of the hits that stay while it is not much smaller than what there
 * was: a difference keeps the errors of its terms.  How much smaller is
 * counted over all that is ever taken back, not each time; and it must not
 * matter that points fade between.  So it is counted in halvings, of points
 * carried back to the year 2000, and each time that these pass a multiple of
 * DIGITS the sum is to be made anew from its hits.  Between two such times no
 * more than DIGITS binary digits of 53 are lost.
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "type/decay.h"
#include "type/scorecard.h"
#include "type/scorecard_unhit.h"

/* binary digits that may be lost before a sum is made anew */
#define DIGITS		6

/* points this small have lost digits by fading, and may be nothing at all */
#define TOO_SMALL	1e-280

/*
 * Can a hit be taken back by subtraction?  Not under a frequency limit, where
 * another would take its place, nor where points have reached the largest
 * amount there is.
 */
bool
lq_card_can_unhit(const LqCard *card, const LqCardRule *rule, TimestampTz at)
{
	const LqCardEntry *entry = lq_card_entry(card, rule->rule_id);

	return entry != NULL && entry->axis == (uint8) rule->axis &&
		rule->axis == LQ_AXIS_ENGAGEMENT &&
		rule->max_hits == 0 && entry->max_hits == 0 &&
		entry->half_life == rule->half_life &&
		entry->hits < PG_INT64_MAX &&
		fabs(entry->points) < LQ_STORED_POINTS_MAX &&
		at <= entry->last_hit && at <= card->as_of;
}

void
lq_card_unhit(LqCard *card, const LqCardRule *rule, TimestampTz at)
{
	LqCardEntry *entry = lq_card_entry(card, rule->rule_id);

	Assert(entry != NULL && card->room > 0);
	if (entry->hits == 1)
	{
		card->n_entries--;
		memmove(entry, entry + 1,
				(card->entries + card->n_entries - entry) *
				sizeof(LqCardEntry));
		return;
	}
	entry->hits--;
	entry->points = lq_add_points(entry->points,
								  -lq_decay(rule->points, rule->half_life,
											lq_span(card->as_of, at)));
}

/* The points in halvings, wherever the card is in time, in steps of DIGITS. */
static double
magnitude(const LqCard *card, const LqCardRule *rule, double points)
{
	double		halvings = log2(fabs(points));

	if (rule->half_life > 0)
		halvings += (double) card->as_of / (double) rule->half_life;
	return floor(halvings / DIGITS);
}

bool
lq_card_lost_digits(const LqCard *card, const LqCardRule *rule,
					double before, double after)
{
	if (rule->points == 0)
		return false;
	if (fabs(before) < TOO_SMALL || fabs(after) < TOO_SMALL ||
		(before > 0) != (after > 0))
		return true;
	return magnitude(card, rule, before) != magnitude(card, rule, after);
}

bool
lq_card_can_go_back(const LqCardEntry *entry)
{
	return entry->half_life == 0 || fabs(entry->points) >= TOO_SMALL;
}

/*
 * What fades becomes what it was then.  Never before a hit.
 */
void
lq_card_go_back(LqCard *card, TimestampTz at)
{
	int64		span = lq_span(card->as_of, at);

	Assert(at <= card->as_of);
	for (int i = 0; i < card->n_entries; i++)
	{
		LqCardEntry *entry = &card->entries[i];

		entry->points = lq_undecay(entry->points, entry->half_life, span);
	}
	card->as_of = at;
}
