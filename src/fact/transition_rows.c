/*
 * transition_rows.c
 *		Walks the transition tables of a statement trigger.
 *
 * A statement on a partition fires the partition's own trigger, with rows of
 * the partition's shape: they are turned into rows of the funnel's table.
 */
#include "postgres.h"

#include "access/table.h"
#include "executor/executor.h"
#include "utils/rel.h"

#include "compat.h"
#include "fact/transition_rows.h"

void
lq_transition_rows_begin(LqTransitionRows *scan, TriggerData *trigdata,
						 Tuplestorestate *rows, Oid relid)
{
	TupleDesc	stored = RelationGetDescr(trigdata->tg_relation);

	scan->rows = rows;
	scan->map = NULL;
	scan->desc = stored;
	if (RelationGetRelid(trigdata->tg_relation) != relid)
	{
		Relation	rel = table_open(relid, AccessShareLock);

		scan->desc = CreateTupleDescCopy(RelationGetDescr(rel));
		scan->map = convert_tuples_by_name(stored, scan->desc);
		table_close(rel, AccessShareLock);
	}
	scan->stored = MakeSingleTupleTableSlot(stored, &TTSOpsMinimalTuple);
	scan->slot = scan->map == NULL ? scan->stored :
		MakeSingleTupleTableSlot(scan->desc, &TTSOpsVirtual);

	/* others may read the same table: leave their place alone */
	scan->pointer = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);
	tuplestore_select_read_pointer(rows, scan->pointer);
	tuplestore_rescan(rows);
}

TupleTableSlot *
lq_transition_rows_next(LqTransitionRows *scan)
{
	/* what ran since may have moved to a pointer of its own */
	tuplestore_select_read_pointer(scan->rows, scan->pointer);
	if (!tuplestore_gettupleslot(scan->rows, true, false, scan->stored))
		return NULL;
	if (scan->map != NULL)
		(void) execute_attr_map_slot(scan->map->attrMap, scan->stored,
									 scan->slot);
	return scan->slot;
}

void
lq_transition_rows_end(LqTransitionRows *scan)
{
	if (scan->slot != scan->stored)
		ExecDropSingleTupleTableSlot(scan->slot);
	ExecDropSingleTupleTableSlot(scan->stored);
}
