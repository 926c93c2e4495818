/*
 * scorecard_crossing.h
 *		When a quantity of a card crosses a threshold.
 */
#ifndef LQ_SCORECARD_CROSSING_H
#define LQ_SCORECARD_CROSSING_H

#include "datatype/timestamp.h"

#include "type/scorecard.h"

typedef enum LqCardQuantity
{
	LQ_CARD_SCORE,
	LQ_CARD_FIT,
	LQ_CARD_ENGAGEMENT,
	LQ_CARD_RULE_POINTS
} LqCardQuantity;

/* In hundredths; an instant before card->as_of counts as as_of. */
extern int64 lq_card_points(const LqCard *card, LqCardQuantity what,
							int64 rule_id, TimestampTz at);

extern bool lq_card_is_steady(const LqCard *card);

/*
 * First instant > at where the quantity is below the threshold (falls) or has
 * reached it (rises: not falls); DT_NOEND if it never will.
 *
 * Exact, but for cards where rules of opposite sign keep the quantity within
 * a billionth of a rounding edge for long: then, after much work, the answer
 * may be an instant that comes before the crossing (and after at).
 * Who waits for a crossing asks again from there.
 */
extern TimestampTz lq_card_crossing(const LqCard *card, LqCardQuantity what,
									int64 rule_id, bool falls,
									int64 threshold, TimestampTz at);

#endif							/* LQ_SCORECARD_CROSSING_H */
