/*
 * unit_columns.h
 *		What a unit takes over from its moves.
 */
#ifndef LQ_UNIT_COLUMNS_H
#define LQ_UNIT_COLUMNS_H

#include "funnel/milestone.h"

/*
 * What is known of a move: the arguments, in their order, of the statements
 * that write one.
 */
typedef enum LqMoveValue
{
	LQ_MOVE_LEAD_ID,
	LQ_MOVE_FROM_STAGE,
	LQ_MOVE_TO_STAGE,
	LQ_MOVE_ENTERED_AT,
	LQ_MOVE_CYCLE,
	LQ_MOVE_ACTOR,
	LQ_MOVE_AUTOMATIC,
	LQ_MOVE_EXCEPTION,
	LQ_MOVE_REASON,
	LQ_MOVE_NOTE,
	LQ_MOVE_SCORE,
	LQ_MOVE_DEFINITION,
	LQ_MOVE_VERSION,
	LQ_MOVE_SOURCE,
	LQ_MOVE_CAMPAIGN,
	LQ_MOVE_OWNER,
	LQ_MOVE_ACCOUNT_ID,
	LQ_MOVE_DUE_AT,
	LQ_MOVE_SCORECARD,
	LQ_MOVE_ACCEPTS,
#define LQ_N_MOVE_VALUES (LQ_MOVE_ACCEPTS + 1)
	LQ_MOVE_MILESTONE			/* no argument, but known where one is */
} LqMoveValue;

/* what a move may be the first of in its unit */
typedef enum LqUnitEvent
{
	LQ_UNIT_BEGINS,
	LQ_UNIT_ENTERS,				/* that milestone */
	LQ_UNIT_ACCEPTED,
	LQ_UNIT_EXITS
#define LQ_N_UNIT_EVENTS (LQ_UNIT_EXITS + 1)
} LqUnitEvent;

/* What is done with a column of table journey: with its name, and its value. */
typedef void (*LqUnitWork) (void *arg, const char *column, LqMoveValue value);

/* Do that with what is set when a move to that milestone is the first. */
extern void lq_unit_columns(LqUnitEvent event, LqMilestone to,
							LqUnitWork work, void *arg);

#endif							/* LQ_UNIT_COLUMNS_H */
