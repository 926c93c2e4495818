/*
 * scorecard_parse.h
 *		Reads the text of a card.
 */
#ifndef LQ_SCORECARD_PARSE_H
#define LQ_SCORECARD_PARSE_H

#include "type/scorecard.h"

typedef struct LqCardUnit
{
	const char *name;
	int64		usecs;
} LqCardUnit;

#define LQ_CARD_UNITS			6

extern const LqCardUnit lq_card_units[LQ_CARD_UNITS];

extern bool lq_card_parse(const char *str, LqCard *card,
						  int *sqlstate, char **detail);

#endif							/* LQ_SCORECARD_PARSE_H */
