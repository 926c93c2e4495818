/*
 * part.h
 *		One operand of a condition's top-level AND, as others see it.
 */
#ifndef LQ_PART_H
#define LQ_PART_H

#include "nodes/bitmapset.h"
#include "utils/timestamp.h"

#include "condition/pseudo.h"

/*
 * A comparison of one pseudo-column with a constant, found as a whole part
 * of the condition's top-level AND or nested in it: the instants at which the
 * condition may change its mind while nothing happens follow from these.
 */
typedef enum LqCompare
{
	LQ_COMPARE_LT,
	LQ_COMPARE_LE,
	LQ_COMPARE_EQ,
	LQ_COMPARE_GE,
	LQ_COMPARE_GT
} LqCompare;

typedef struct LqTimeTest
{
	const LqPseudo *pseudo;		/* one that measures something */
	LqCompare	compare;		/* pseudo-column on the left */
	int64		units;			/* the constant: in hundredths of a point, or
								 * in units of a day */
} LqTimeTest;

/* days are told in millionths, which are whole numbers of microseconds */
#define LQ_DAY_DIGITS			6
#define LQ_DAY_UNITS			INT64CONST(1000000)
#define LQ_USECS_PER_DAY_UNIT	(USECS_PER_DAY / LQ_DAY_UNITS)

/* one operand of the top-level AND: the unit in which why_not answers */
typedef struct LqConditionPart
{
	char	   *text;			/* as the person wrote it */
	Bitmapset  *columns;		/* attribute numbers of the relation it reads */
	int			n_pseudos;
	const LqPseudo **pseudos;
	int			n_tests;
	LqTimeTest *tests;
	bool		is_test;		/* it is tests[0] and nothing else */
	bool		otherwise_timed;	/* reads the clock, or other leads,
									 * through a pseudo-column in a way that
									 * tests does not cover */
} LqConditionPart;

#endif							/* LQ_PART_H */
