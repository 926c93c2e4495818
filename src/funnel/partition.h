/*
 * partition.h
 *		Rows of a partition of the lead table.
 */
#ifndef LQ_PARTITION_H
#define LQ_PARTITION_H

#include "access/tupconvert.h"
#include "nodes/execnodes.h"
#include "utils/relcache.h"

#include "funnel/funnel.h"

/* how rows of a partition are read; kept with the funnel */
typedef struct LqPartition
{
	Oid			relid;			/* hash key, must be first */
	TupleTableSlot *slot;		/* a row of its shape */
	TupleConversionMap *to_lead;	/* NULL: it numbers its columns alike */
	TupleConversionMap *from_lead;
	ExprState  *constraint;		/* which rows it may hold */
	ExprContext *econtext;
} LqPartition;

extern LqPartition *lq_partition(LqFunnel *funnel, Relation rel);
extern HeapTuple lq_partition_to_lead(const LqPartition *partition,
									  HeapTuple tuple);
extern HeapTuple lq_partition_from_lead(const LqPartition *partition,
										HeapTuple tuple);
extern bool lq_partition_holds(LqPartition *partition, HeapTuple tuple);

/* The row before, of one that moves from one partition to another. */
extern void lq_partition_leave(const LqFunnel *funnel, Datum key,
							   HeapTuple before);
extern bool lq_partition_arrives(const LqFunnel *funnel, Datum key);
extern HeapTuple lq_partition_take(const LqFunnel *funnel, Datum key);

#endif							/* LQ_PARTITION_H */
