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
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"

#include "compat.h"
#include "funnel/between_triggers.h"
#include "funnel/depends.h"
#include "funnel/funnel.h"
#include "funnel/partition.h"
#include "funnel/tables.h"
#include "plan_expression.h"

/*
 * The partition that a trigger was fired on, or NULL for the lead table
 * itself.  What is kept of it goes when the funnel is read anew, which any
 * change of the partition brings about; see lookup.c.
 */
LqPartition *
lq_partition(LqFunnel *funnel, Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	LqPartition *partition;
	LqPartition made;
	TupleDesc	desc;
	Expr	   *constraint;
	List	   *depends;
	MemoryContext old;

	if (relid == funnel->relid[LQ_TABLE_LEAD])
		return NULL;
	if (funnel->partitions == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(LqPartition);
		ctl.hcxt = funnel->context;
		funnel->partitions = hash_create("lead_qual partitions", 16, &ctl,
										 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	partition = hash_search(funnel->partitions, &relid, HASH_FIND, NULL);
	if (partition != NULL)
		return partition;

	/* complete before it is entered: an error half-way leaves none */
	old = MemoryContextSwitchTo(funnel->context);
	desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	made.relid = relid;
	made.slot = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);
	made.to_lead = convert_tuples_by_name(desc, funnel->lead_desc);
	made.from_lead = convert_tuples_by_name(funnel->lead_desc, desc);
	constraint = make_ands_explicit(RelationGetPartitionQual(rel));
	constraint = lq_plan_expression(constraint, &depends);
	lq_depends_on_items(funnel, depends);
	made.constraint = ExecInitExpr(constraint, NULL);
	made.econtext = CreateStandaloneExprContext();
	partition = hash_search(funnel->partitions, &relid, HASH_ENTER, NULL);
	*partition = made;
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
	TupleDesc	desc;

	if (partition == NULL)
		return tuple;
	desc = partition->slot->tts_tupleDescriptor;
	if (HeapTupleHeaderGetNatts(tuple->t_data) < desc->natts)
		tuple = heap_expand_tuple(tuple, desc);
	return partition->to_lead == NULL ? tuple :
		execute_attr_map_tuple(tuple, partition->to_lead);
}

HeapTuple
lq_partition_from_lead(const LqPartition *partition, HeapTuple tuple)
{
	return partition == NULL || partition->from_lead == NULL ? tuple :
		execute_attr_map_tuple(tuple, partition->from_lead);
}

/*
 * May the partition hold this row, which has its shape?
 */
bool
lq_partition_holds(LqPartition *partition, HeapTuple tuple)
{
	bool		holds;

	ExecStoreHeapTuple(tuple, partition->slot, false);
	partition->econtext->ecxt_scantuple = partition->slot;
	holds = ExecCheck(partition->constraint, partition->econtext);
	ResetExprContext(partition->econtext);
	ExecClearTuple(partition->slot);
	return holds;
}

/* A lead, as it was before, is about to go to another partition. */
void
lq_partition_leave(const LqFunnel *funnel, Datum key, HeapTuple before)
{
	MemoryContext old = MemoryContextSwitchTo(CurTransactionContext);

	before = heap_copytuple(before);
	MemoryContextSwitchTo(old);
	lq_waiting_put(funnel, key, LQ_WAITING_OTHER_PARTITION, before);
}

/* Does this new row of a partition come from another?  AFTER takes it then. */
bool
lq_partition_arrives(const LqFunnel *funnel, Datum key)
{
	return lq_waiting_claim(funnel, key, LQ_WAITING_OTHER_PARTITION);
}

/* The row before, for the last trigger that asks; NULL: it is a new lead. */
HeapTuple
lq_partition_take(const LqFunnel *funnel, Datum key)
{
	return lq_waiting_take_claimed(funnel, key, LQ_WAITING_OTHER_PARTITION);
}
