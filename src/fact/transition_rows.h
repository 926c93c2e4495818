/*
 * transition_rows.h
 *		Walks the transition tables of a statement trigger.
 */
#ifndef LQ_TRANSITION_ROWS_H
#define LQ_TRANSITION_ROWS_H

#include "access/tupconvert.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "utils/tuplestore.h"

typedef struct LqTransitionRows
{
	Tuplestorestate *rows;
	int			pointer;		/* our own read pointer */
	TupleTableSlot *stored;		/* as the fired table has it */
	TupleTableSlot *slot;		/* as the funnel's table has it */
	TupleConversionMap *map;	/* NULL: the same */
	TupleDesc	desc;			/* of slot */
} LqTransitionRows;

extern void lq_transition_rows_begin(LqTransitionRows *scan,
									 TriggerData *trigdata,
									 Tuplestorestate *rows, Oid relid);
extern TupleTableSlot *lq_transition_rows_next(LqTransitionRows *scan);
extern void lq_transition_rows_end(LqTransitionRows *scan);

#endif							/* LQ_TRANSITION_ROWS_H */
