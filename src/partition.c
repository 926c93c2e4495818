/*
 * partition.c
 *		Rows of a partition of the lead table.
 *
 * A partition may number its columns otherwise than the table: its rows are
 * turned into rows of the table and back.
 *
 * An update that takes a lead to another partition fires BEFORE UPDATE here,
 * but then it deletes the row and inserts it there.  It is an update all the
 * same: what BEFORE UPDATE granted holds, and the row as it was waits for the
 * AFTER INSERT trigger there, which tells the history by it.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"

#include "compat.h"
#include "partition.h"
#include "waiting.h"

/*
 * The relation that the trigger was fired on; worked out once for a statement.
 */
LqPartition *
lq_partition(FunctionCallInfo fcinfo, const LqFunnel *funnel)
{
	Relation	rel = ((TriggerData *) fcinfo->context)->tg_relation;
	LqPartition *partition = fcinfo->flinfo->fn_extra;
	MemoryContext old;

	if (partition != NULL)
		return partition;

	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	partition = palloc0(sizeof(LqPartition));
	partition->is_partition =
		RelationGetRelid(rel) != funnel->relid[LQ_TABLE_LEAD];
	if (partition->is_partition)
	{
		TupleDesc	lead = CreateTupleDescCopy(funnel->lead_desc);

		partition->desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
		partition->to_lead = convert_tuples_by_name(partition->desc, lead);
		partition->from_lead = convert_tuples_by_name(lead, partition->desc);
	}
	fcinfo->flinfo->fn_extra = partition;
	MemoryContextSwitchTo(old);
	return partition;
}

/*
 * Columns that were added since the row was written have their value with
 * the partition: the lead table, which stores nothing, does not know it.
 */
HeapTuple
lq_partition_to_lead(const LqPartition *partition, HeapTuple tuple)
{
	if (partition->is_partition &&
		HeapTupleHeaderGetNatts(tuple->t_data) < partition->desc->natts)
		tuple = heap_expand_tuple(tuple, partition->desc);
	return partition->to_lead == NULL ? tuple :
		execute_attr_map_tuple(tuple, partition->to_lead);
}

HeapTuple
lq_partition_from_lead(const LqPartition *partition, HeapTuple tuple)
{
	return partition->from_lead == NULL ? tuple :
		execute_attr_map_tuple(tuple, partition->from_lead);
}

/*
 * May the partition hold this row, which has its shape?
 */
bool
lq_partition_holds(LqPartition *partition, Relation rel, HeapTuple tuple)
{
	TupleTableSlot *slot;
	bool		holds;

	if (partition->econtext == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(partition));
		Expr	   *expr = make_ands_explicit(RelationGetPartitionQual(rel));

		partition->constraint = ExecInitExpr(expression_planner(expr), NULL);
		partition->econtext = CreateStandaloneExprContext();
		MemoryContextSwitchTo(old);
	}
	slot = MakeSingleTupleTableSlot(partition->desc, &TTSOpsHeapTuple);
	ExecStoreHeapTuple(tuple, slot, false);
	partition->econtext->ecxt_scantuple = slot;
	holds = ExecCheck(partition->constraint, partition->econtext);
	ResetExprContext(partition->econtext);
	ExecDropSingleTupleTableSlot(slot);
	return holds;
}

/* A lead, as it was before, is about to go to another partition. */
void
lq_partition_leave(const LqFunnel *funnel, Datum key, HeapTuple before)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	before = heap_copytuple(before);
	MemoryContextSwitchTo(old);
	lq_waiting_put(funnel, key, LQ_WAITING_OTHER_PARTITION, before);
}

bool
lq_partition_arrives(const LqFunnel *funnel, Datum key)
{
	return lq_waiting_look(funnel, key, LQ_WAITING_OTHER_PARTITION) != NULL;
}

/* The row before, for the last trigger that asks; NULL: it is a new lead. */
HeapTuple
lq_partition_take(const LqFunnel *funnel, Datum key)
{
	return lq_partition_arrives(funnel, key) ?
		lq_waiting_take(funnel, key, LQ_WAITING_OTHER_PARTITION) : NULL;
}
