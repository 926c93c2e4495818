/*
 * answer_level.h
 *		How far one element of a framework is answered.
 */
#ifndef LQ_ANSWER_LEVEL_H
#define LQ_ANSWER_LEVEL_H

#include "fmgr.h"

/*
 * How far an element is answered.  The numbers are stored and their order is
 * the order of type answer_level.
 */
typedef enum LqLevel
{
	LQ_LEVEL_NO = -1,
	LQ_LEVEL_UNKNOWN = 0,
	LQ_LEVEL_PARTIAL = 1,
	LQ_LEVEL_YES = 2
} LqLevel;

#define LQ_LEVEL_MIN	LQ_LEVEL_NO
#define LQ_LEVEL_MAX	LQ_LEVEL_YES
#define LQ_LEVEL_HINT	"The levels are no (-), unknown (?), partial (~) and yes (+)."

extern const char *lq_level_name(LqLevel level);
extern char lq_level_symbol(LqLevel level);
extern bool lq_level_parse(const char *str, int len, LqLevel *level);

/* answer_level: the number of the level in one byte, for ever */
#define DatumGetAnswerLevel(X)	((LqLevel) (int8) DatumGetChar(X))
#define AnswerLevelGetDatum(X)	CharGetDatum((char) (X))
#define PG_GETARG_ANSWER_LEVEL(n)	DatumGetAnswerLevel(PG_GETARG_DATUM(n))
#define PG_RETURN_ANSWER_LEVEL(x)	return AnswerLevelGetDatum(x)

#endif							/* LQ_ANSWER_LEVEL_H */
