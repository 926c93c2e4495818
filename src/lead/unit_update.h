/*
 * unit_update.h
 *		One more move in the row of its unit.
 */
#ifndef LQ_UNIT_UPDATE_H
#define LQ_UNIT_UPDATE_H

#include "funnel/funnel.h"
#include "funnel/milestone.h"

typedef enum LqUnitUpdate
{
	LQ_UNIT_UPDATED,			/* or as it was */
	LQ_UNIT_NOT_THERE,
	LQ_UNIT_NOT_PLAIN			/* table journey: run the statement */
} LqUnitUpdate;

/*
 * Does what LQ_STATEMENT_ENTER_UNIT does with the unit, sooner; not for the
 * hand-over, which asks the log.  The caller has the lead's lock, under which
 * alone units are written.
 */
extern LqUnitUpdate lq_unit_update(const LqFunnel *funnel, LqMilestone to,
								   const Datum *values, const char *nulls);

#endif							/* LQ_UNIT_UPDATE_H */
