/*
 * unit_update.c
 *		One more move in the row of its unit.
 *
 * The row is wide and few of its columns change, but an UPDATE sets up an
 * expression for each, which is a quarter of what a move costs.  So the row is
 * found by its key and written as it is to be, as a subscriber of logical
 * replication does.  Where that could differ from an UPDATE, because of
 * triggers, rules or constraints of the user's, or of a snapshot that the whole
 * transaction goes by, the statement is run.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "funnel/tables.h"
#include "funnel/unit_row.h"
#include "lead/unit_update.h"

/* where the columns are in table journey; of the funnel used last */
typedef struct Layout
{
	uint64		funnel;			/* its serial */
	int			natts;			/* 0: the table lacks one */
	AttrNumber	lead_id;
	AttrNumber	cycle;
	AttrNumber	attnos[LQ_MAX_UNIT_COLUMNS];
	RegProcedure same_key;
} Layout;

static LqUnitShape shape;
static Layout layout;

static AttrNumber
attno_of(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped &&
			strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return i + 1;
	return InvalidAttrNumber;
}

static void
lay_out(const LqFunnel *funnel, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	bool		complete;

	if (shape.n_columns == 0)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
		LqUnitShape made;

		lq_unit_shape(&made);
		shape = made;
		MemoryContextSwitchTo(old);
	}
	layout.funnel = 0;
	layout.lead_id = attno_of(desc, "lead_id");
	layout.cycle = attno_of(desc, "cycle");
	complete = AttributeNumberIsValid(layout.lead_id) &&
		AttributeNumberIsValid(layout.cycle) &&
		TupleDescAttr(desc, layout.lead_id - 1)->atttypid == funnel->key_type;
	for (int i = 0; i < shape.n_columns; i++)
	{
		layout.attnos[i] = attno_of(desc, shape.names[i]);
		complete &= AttributeNumberIsValid(layout.attnos[i]) &&
			TupleDescAttr(desc, layout.attnos[i] - 1)->atttypid ==
			lq_unit_type(&shape, i);
	}
	layout.natts = complete ? desc->natts : 0;
	layout.same_key = InvalidOid;
	layout.funnel = funnel->serial;
}

/* Would an UPDATE do no more than to write the row? */
static bool
is_plain(Relation rel)
{
	const TupleConstr *constraints = RelationGetDescr(rel)->constr;
	const TriggerDesc *triggers = rel->trigdesc;

	if (rel->rd_rel->relkind != RELKIND_RELATION ||
		rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		rel->rd_rel->relispartition || rel->rd_rules != NULL)
		return false;
	if (constraints != NULL &&
		(constraints->num_check > 0 || constraints->has_generated_stored))
		return false;
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (TRIGGER_FOR_UPDATE(triggers->triggers[i].tgtype) &&
			strcmp(triggers->triggers[i].tgname, "zz_kept") != 0)
			return false;
	list_free(RelationGetIndexList(rel));
	return OidIsValid(rel->rd_pkindex);
}

/* Begin to seek the unit by its key. */
static SysScanDesc
seek(Relation rel, Snapshot snapshot, Datum key, Datum cycle)
{
	Relation	index = index_open(rel->rd_pkindex, AccessShareLock);
	ScanKeyData keys[2];

	if (!RegProcedureIsValid(layout.same_key))
		layout.same_key =
			get_opcode(get_opfamily_member(index->rd_opfamily[0],
										   index->rd_opcintype[0],
										   index->rd_opcintype[0],
										   BTEqualStrategyNumber));
	ScanKeyEntryInitialize(&keys[0], 0, layout.lead_id, BTEqualStrategyNumber,
						   InvalidOid, index->rd_indcollation[0],
						   layout.same_key, key);
	ScanKeyEntryInitialize(&keys[1], 0, layout.cycle, BTEqualStrategyNumber,
						   InvalidOid, InvalidOid, F_INT4EQ, cycle);
	index_close(index, NoLock);
	return systable_beginscan(rel, rel->rd_pkindex, true, snapshot, 2, keys);
}

/* The row as it is to be, in place of the one that was found. */
static void
replace(Relation rel, Snapshot snapshot, ItemPointer tid, TupleTableSlot *row)
{
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *result = makeNode(ResultRelInfo);
	TupleTableSlot *found = MakeSingleTupleTableSlot(RelationGetDescr(rel),
													 &TTSOpsVirtual);
	EPQState	nothing = {0};

	InitResultRelInfo(result, rel, 0, NULL, 0);
	estate->es_snapshot = snapshot;
	ExecOpenIndices(result, false);
	found->tts_tid = *tid;
	ExecSimpleRelationUpdate(result, estate, &nothing, found, row);
	ExecCloseIndices(result);
	ExecDropSingleTupleTableSlot(found);
	FreeExecutorState(estate);
}

static void
write_unit(Relation rel, Snapshot snapshot, HeapTuple tuple, LqMilestone to,
		   const Datum *values, const char *nulls)
{
	TupleTableSlot *row = MakeSingleTupleTableSlot(RelationGetDescr(rel),
												   &TTSOpsVirtual);
	bool		absent[LQ_N_MOVE_VALUES];
	LqUnitRow	unit;

	heap_deform_tuple(tuple, RelationGetDescr(rel), row->tts_values,
					  row->tts_isnull);
	unit.begun = true;
	for (int i = 0; i < shape.n_columns; i++)
	{
		unit.values[i] = row->tts_values[layout.attnos[i] - 1];
		unit.nulls[i] = row->tts_isnull[layout.attnos[i] - 1];
	}
	for (int i = 0; i < LQ_N_MOVE_VALUES; i++)
		absent[i] = nulls[i] == 'n';
	if (lq_unit_move(&unit, &shape, to, values, absent))
	{
		for (int i = 0; i < shape.n_columns; i++)
		{
			row->tts_values[layout.attnos[i] - 1] = unit.values[i];
			row->tts_isnull[layout.attnos[i] - 1] = unit.nulls[i];
		}
		ExecStoreVirtualTuple(row);
		replace(rel, snapshot, &tuple->t_self, row);
	}
	ExecDropSingleTupleTableSlot(row);
}

static LqUnitUpdate
update(Relation rel, LqMilestone to, const Datum *values, const char *nulls)
{
	Snapshot	snapshot;
	SysScanDesc scan;
	HeapTuple	tuple;
	LqUnitUpdate result = LQ_UNIT_UPDATED;

	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = seek(rel, snapshot, values[LQ_MOVE_LEAD_ID],
				values[LQ_MOVE_CYCLE]);
	tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		result = LQ_UNIT_NOT_THERE;
	else if ((tuple->t_data->t_infomask & HEAP_XMAX_INVALID) == 0)
		/* somebody edits it by hand: the statement waits */
		result = LQ_UNIT_NOT_PLAIN;
	else
		write_unit(rel, snapshot, tuple, to, values, nulls);
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	return result;
}

LqUnitUpdate
lq_unit_update(const LqFunnel *funnel, LqMilestone to, const Datum *values,
			   const char *nulls)
{
	Relation	rel;
	LqUnitUpdate result = LQ_UNIT_NOT_PLAIN;

	if (IsolationUsesXactSnapshot())
		return LQ_UNIT_NOT_PLAIN;
	rel = table_open(funnel->relid[LQ_TABLE_JOURNEY], RowExclusiveLock);
	if (layout.funnel != funnel->serial)
		lay_out(funnel, rel);
	if (layout.natts == RelationGetNumberOfAttributes(rel) && is_plain(rel))
		result = update(rel, to, values, nulls);
	table_close(rel, NoLock);
	return result;
}
