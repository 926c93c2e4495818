/*
 * upsert.c
 *		INSERT ... ON CONFLICT DO UPDATE of leads.
 *
 * EXCLUDED is the row as our BEFORE INSERT trigger left it: in the stage where
 * new leads begin, with answers that are all unknown.  A client that takes all
 * columns from there asks for that stage, and takes answers back, though
 * nobody gave either.  So BEFORE INSERT leaves what it made of the row, and
 * BEFORE UPDATE takes back what came from there.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "compat.h"
#include "funnel/between_triggers.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/partition.h"
#include "funnel/tables.h"
#include "lead/lead.h"
#include "lead/upsert.h"
#include "type/frameworks.h"
#include "type/qualification.h"

static uint32
answers_to(const LqLead *lead, int f)
{
	bool		isnull;
	Datum		value = lq_lead_get(lead, LQ_LEAD_FRAMEWORK(f), &isnull);

	return isnull ? 0 : DatumGetLqQualification(lq_frameworks[f], value);
}

/* Leave a new row, in the shape of its table, for a BEFORE UPDATE trigger. */
void
lq_upsert_propose(Relation rel, HeapTuple tuple, bool stage_given)
{
	lq_proposed_put(RelationGetRelid(rel), tuple, stage_given);
}

/* The keys of a row in an index; false: it has none there. */
static bool
index_keys(IndexInfo *info, HeapTuple tuple, TupleTableSlot *slot,
		   EState *estate, Datum *values, bool *isnull)
{
	ExprContext *econtext = GetPerTupleExprContext(estate);

	ExecStoreHeapTuple(tuple, slot, false);
	econtext->ecxt_scantuple = slot;
	if (info->ii_Predicate != NIL &&
		!ExecQual(ExecPrepareQual(info->ii_Predicate, estate), econtext))
		return false;
	FormIndexDatum(info, slot, estate, values, isnull);
	return true;
}

/*
 * Is a column stored, but generated?  It has no value yet while BEFORE
 * triggers are at work.
 */
static bool
is_computed_later(Relation rel, AttrNumber attno)
{
	return attno > 0 &&
		TupleDescAttr(RelationGetDescr(rel), attno - 1)->attgenerated != '\0';
}

/* Can an index not hold both rows? */
static bool
index_refuses(Relation rel, Relation index, HeapTuple a, HeapTuple b,
			  TupleTableSlot *slot, EState *estate)
{
	IndexInfo  *info = BuildIndexInfo(index);
	Datum		a_values[INDEX_MAX_KEYS];
	Datum		b_values[INDEX_MAX_KEYS];
	bool		a_isnull[INDEX_MAX_KEYS];
	bool		b_isnull[INDEX_MAX_KEYS];

	BuildSpeculativeIndexInfo(index, info);
	if (!index_keys(info, a, slot, estate, a_values, a_isnull) ||
		!index_keys(info, b, slot, estate, b_values, b_isnull))
		return false;
	for (int i = 0; i < info->ii_NumIndexKeyAttrs; i++)
	{
		if (is_computed_later(rel, info->ii_IndexAttrNumbers[i]))
			continue;
		if (a_isnull[i] || b_isnull[i])
		{
			if (!info->ii_NullsNotDistinct || !a_isnull[i] || !b_isnull[i])
				return false;
		}
		else if (!DatumGetBool(OidFunctionCall2Coll(info->ii_UniqueProcs[i],
													index->rd_indcollation[i],
													a_values[i], b_values[i])))
			return false;
	}
	return true;
}

/*
 * Did the new row give way to this one?  A statement may insert some rows and
 * update others (MERGE, a WITH), and then both go in.
 */
static bool
gave_way(Relation rel, HeapTuple proposed, HeapTuple before)
{
	List	   *indexes = RelationGetIndexList(rel);
	EState	   *estate = CreateExecutorState();
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel),
													&TTSOpsHeapTuple);
	ListCell   *lc;
	bool		found = false;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (index->rd_index->indisunique && index->rd_index->indimmediate &&
			index->rd_index->indisvalid)
			found = index_refuses(rel, index, proposed, before, slot, estate);
		index_close(index, AccessShareLock);
		if (found)
			break;
	}
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
	return found;
}

/* Is there anything in the update that may come from EXCLUDED unasked for? */
static bool
is_suspect(const LqLead *lead, const LqLead *old, bool asks_unasked)
{
	if (asks_unasked || !lq_lead_same(lead, old, LQ_LEAD_STATE_VERSION))
		return true;
	for (int f = 0; f < lq_n_frameworks(lead->funnel); f++)
		if (answers_to(lead, f) == 0 && answers_to(old, f) != 0)
			return true;
	return false;
}

/*
 * Put back what an update took from EXCLUDED though nobody gave it: answers,
 * the version of a row that is new, and the stage.  Returns the stage
 * that is asked for then, or NULL.  before is the row that is updated, in the
 * shape of its table.
 */
char *
lq_upsert_take_back(LqLead *lead, const LqLead *old,
					const LqPartition *partition, Relation rel,
					HeapTuple before, char *asked)
{
	const LqFunnel *funnel = lead->funnel;
	const LqProposed *proposed = lq_proposed(RelationGetRelid(rel));
	LqLead		excluded;
	char	   *stage;

	if (proposed == NULL ||
		!is_suspect(lead, old, asked != NULL && !proposed->stage_given) ||
		!gave_way(rel, proposed->tuple, before))
		return asked;
	lq_lead_init(&excluded, lead->funnel,
				 lq_partition_to_lead(partition, proposed->tuple));
	for (int f = 0; f < lq_n_frameworks(funnel); f++)
	{
		LqColumn	column = LQ_LEAD_FRAMEWORK(f);
		bool		isnull;
		Datum		value = lq_lead_get(old, column, &isnull);

		if (answers_to(&excluded, f) == 0 && answers_to(lead, f) == 0)
			lq_lead_set(lead, column, value, isnull);
	}
	if (lq_lead_same(lead, &excluded, LQ_LEAD_STATE_VERSION))
	{
		bool		isnull;
		Datum		value = lq_lead_get(old, LQ_LEAD_STATE_VERSION, &isnull);

		lq_lead_set(lead, LQ_LEAD_STATE_VERSION, value, isnull);
	}
	stage = lq_lead_get_text(&excluded, LQ_LEAD_STAGE);
	if (asked != NULL && !proposed->stage_given && stage != NULL &&
		strcmp(asked, stage) == 0)
		asked = NULL;
	lq_lead_done(&excluded);
	return asked;
}
