/*
 * take_back.h
 *		Takes activities that are gone off a lead's card.
 */
#ifndef LQ_TAKE_BACK_H
#define LQ_TAKE_BACK_H

#include "fact/activity.h"
#include "funnel/funnel.h"
#include "type/scorecard.h"

/*
 * gone lists n activities that the card holds and the log of the lead, which
 * is locked, does not any more.  False if only the whole log can tell what the
 * card is now; then this one is spoilt.
 */
extern bool lq_take_back(const LqFunnel *funnel, Datum key, LqCard *card,
						 const LqActivity **gone, int n);

#endif							/* LQ_TAKE_BACK_H */
