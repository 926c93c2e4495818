/*
 * stamp.h
 *		Who did it, and when, as our triggers put it down.
 */
#ifndef LQ_STAMP_H
#define LQ_STAMP_H

#include "commands/trigger.h"

#include "funnel/tables.h"

/*
 * The row to be written, with who and when put down: the actor and the clock
 * where it is new or one of the columns changed, else as it was.  LQ_N_COLUMNS
 * for "at": it is not stamped.
 */
extern HeapTuple lq_stamp_row(const TriggerData *trigdata);
extern HeapTuple lq_stamp(const TriggerData *trigdata, LqColumn by,
						  LqColumn at, const LqColumn *columns,
						  int ncolumns);

#endif							/* LQ_STAMP_H */
