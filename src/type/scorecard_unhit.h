/*
 * scorecard_unhit.h
 *		Taking hits back from a scorecard.
 */
#ifndef LQ_SCORECARD_UNHIT_H
#define LQ_SCORECARD_UNHIT_H

#include "type/scorecard.h"

/*
 * Take back a hit that may be.  When the last hit of the rule was, and as of
 * when the card is, stays as if it were still there.
 */
extern bool lq_card_can_unhit(const LqCard *card, const LqCardRule *rule,
							  TimestampTz at);
extern void lq_card_unhit(LqCard *card, const LqCardRule *rule,
						  TimestampTz at);

/* Are the points that hits of a rule left what a sum without them gives? */
extern bool lq_card_lost_digits(const LqCard *card, const LqCardRule *rule,
								double before, double after);

/* Move the card back to an instant at which it had all its hits. */
extern bool lq_card_can_go_back(const LqCardEntry *entry);
extern void lq_card_go_back(LqCard *card, TimestampTz at);

#endif							/* LQ_SCORECARD_UNHIT_H */
