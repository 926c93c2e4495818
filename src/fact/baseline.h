/*
 * baseline.h
 *		Old activities folded into a card.
 */
#ifndef LQ_BASELINE_H
#define LQ_BASELINE_H

#include "funnel/funnel.h"
#include "type/scorecard.h"

/* The card that a replay begins with. */
extern LqCard *lq_baseline_card(const LqFunnel *funnel, Datum stored,
								bool keep_all);

#endif							/* LQ_BASELINE_H */
