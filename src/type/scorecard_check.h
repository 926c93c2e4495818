/*
 * scorecard_check.h
 *		What a sound card is.
 */
#ifndef LQ_SCORECARD_CHECK_H
#define LQ_SCORECARD_CHECK_H

#include "type/scorecard.h"

/*
 * Checks shared by every entrance: NULL if sound, else what is wrong, as an
 * errdetail() in English.
 */
extern const char *lq_card_check_head(const LqCard *card);
extern const char *lq_card_check_entry(const LqCard *card,
									   const LqCardEntry *entry);

#endif							/* LQ_SCORECARD_CHECK_H */
