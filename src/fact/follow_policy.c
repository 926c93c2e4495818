/*
 * follow_policy.c
 *		Units follow what stages and kinds are said to mean, and moves that are
 *		voided by hand.
 *
 * Which milestone a stage is of, and which kinds of activity are those of
 * sales, says policy; table journey has it worked out.  When that changes, the
 * units of the leads concerned are made anew, while nobody moves a lead or
 * records an activity.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "compat.h"
#include "fact/transition_rows.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"

PG_FUNCTION_INFO_V1(_follow_stage);
PG_FUNCTION_INFO_V1(_follow_kind);
PG_FUNCTION_INFO_V1(_follow_history);

/* a name, and what it means */
typedef struct Meaning
{
	char	   *name;
	char	   *means;			/* columns, one after the other */
} Meaning;

static List *
read_meanings(const LqFunnel *funnel, TriggerData *trigdata,
			  Tuplestorestate *rows, Oid relid, const LqColumn *columns, int n)
{
	List	   *meanings = NIL;
	LqTransitionRows scan;
	TupleTableSlot *slot;

	if (rows == NULL)
		return NIL;
	lq_transition_rows_begin(&scan, trigdata, rows, relid);
	while ((slot = lq_transition_rows_next(&scan)) != NULL)
	{
		Meaning    *meaning = palloc(sizeof(Meaning));
		HeapTuple	tuple = ExecCopySlotHeapTuple(slot);
		StringInfoData means;

		initStringInfo(&means);
		for (int i = 0; i < n; i++)
		{
			char	   *value = SPI_getvalue(tuple, slot->tts_tupleDescriptor,
											 funnel->attno[columns[i]]);

			if (i == 0)
				meaning->name = value;
			else
				appendStringInfo(&means, "/%s", value);
		}
		meaning->means = means.data;
		meanings = lappend(meanings, meaning);
	}
	lq_transition_rows_end(&scan);
	return meanings;
}

static bool
contains(const List *meanings, const Meaning *meaning)
{
	ListCell   *cell;

	foreach(cell, meanings)
	{
		const Meaning *other = lfirst(cell);

		if (strcmp(other->name, meaning->name) == 0 &&
			strcmp(other->means, meaning->means) == 0)
			return true;
	}
	return false;
}

/* The names in one list that mean something else, or nothing, in the other. */
static List *
differing(List *names, const List *meanings, const List *others)
{
	ListCell   *cell;

	foreach(cell, meanings)
	{
		Meaning    *meaning = lfirst(cell);

		if (!contains(others, meaning))
			names = lappend(names, meaning->name);
	}
	return names;
}

/*
 * The names, before and after, of rows that mean something else now.  An
 * UPDATE has them in the same order on both sides; a name alone that changed
 * is followed elsewhere.
 */
static List *
updated(const List *before, const List *after)
{
	List	   *names = NIL;
	ListCell   *old;
	ListCell   *new;

	forboth(old, before, new, after)
	{
		Meaning    *was = lfirst(old);
		Meaning    *is = lfirst(new);

		if (strcmp(was->means, is->means) != 0)
			names = lappend(lappend(names, was->name), is->name);
	}
	return names;
}

static Datum
text_array(const List *names)
{
	Datum	   *values = palloc(list_length(names) * sizeof(Datum));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, names)
		values[n++] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(values, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

/* A table and its partitions, in the way of all who write it. */
static void
hold(const LqFunnel *funnel, LqTable table)
{
	LockRelationOid(funnel->relid[table], ShareRowExclusiveLock);
	(void) find_all_inheritors(funnel->relid[table], ShareRowExclusiveLock,
							   NULL);
}

/* Makes units anew that have to do with what is named. */
static void
make_anew(LqFunnel *funnel, const List *names, LqStatement statement)
{
	LqIdentity	saved;
	Datum		values[2];

	values[0] = CStringGetTextDatum(funnel->name);
	values[1] = text_array(names);
	lq_funnel_enter(funnel, &saved);
	if (statement == LQ_STATEMENT_FOLLOW_KIND)
		hold(funnel, LQ_TABLE_ACTIVITY);
	hold(funnel, LQ_TABLE_LEAD);
	hold(funnel, LQ_TABLE_JOURNEY);
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 statement == LQ_STATEMENT_FOLLOW_HISTORY ?
				 errmsg("moves cannot be voided in a transaction of this isolation level") :
				 errmsg("what \"%s\" means cannot be changed in a transaction of this isolation level",
						(char *) linitial(names)),
				 errdetail("Units of leads are made anew, and others may have changed them since the transaction began."),
				 errhint("BEGIN ISOLATION LEVEL READ COMMITTED.")));
	(void) lq_statement_run(funnel, statement, values, NULL);
	lq_funnel_leave(&saved);
}

static Datum
follow(FunctionCallInfo fcinfo, const char *function, LqTable table,
	   const LqColumn *columns, int n, LqStatement statement)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, function);
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Oid			relid = funnel->relid[table];
	List	   *before = read_meanings(funnel, trigdata, trigdata->tg_oldtable, relid,
									   columns, n);
	List	   *after = read_meanings(funnel, trigdata, trigdata->tg_newtable, relid,
									  columns, n);
	List	   *names = before != NIL && after != NIL ?
	updated(before, after) :
	differing(differing(NIL, before, after), after, before);

	/* who loads a funnel rebuilds its history when all is there */
	if (names != NIL && !lq_funnel_importing(funnel))
		make_anew(funnel, names, statement);
	return PointerGetDatum(NULL);
}

/*
 * _follow_stage() - AFTER INSERT, UPDATE or DELETE ON stage FOR EACH STATEMENT,
 *					with transition tables
 */
Datum
_follow_stage(PG_FUNCTION_ARGS)
{
	static const LqColumn columns[] = {LQ_STAGE_STAGE, LQ_STAGE_MILESTONE};

	return follow(fcinfo, "_follow_stage", LQ_TABLE_STAGE, columns,
				  lengthof(columns), LQ_STATEMENT_FOLLOW_STAGE);
}

/*
 * _follow_kind() - AFTER INSERT, UPDATE or DELETE ON kind FOR EACH STATEMENT,
 *				   with transition tables
 */
Datum
_follow_kind(PG_FUNCTION_ARGS)
{
	static const LqColumn columns[] = {
		LQ_KIND_KIND, LQ_KIND_PARTY, LQ_KIND_CONVERSATION
	};

	return follow(fcinfo, "_follow_kind", LQ_TABLE_KIND, columns,
				  lengthof(columns), LQ_STATEMENT_FOLLOW_KIND);
}

/*
 * _follow_history() - AFTER UPDATE ON stage_history FOR EACH STATEMENT, with
 *					  transition tables
 *
 * A move that is voided by hand counts no more.  Our own code, and who loads
 * history, make units anew when all is done.
 */
Datum
_follow_history(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_follow_history");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	List	   *keys = NIL;
	List	   *moves;
	ListCell   *cell;
	static const LqColumn columns[] = {LQ_STAGE_HISTORY_LEAD_ID};

	if (lq_acting_for(trigdata->tg_relation->rd_rel->relowner) ||
		lq_funnel_importing(funnel))
		return PointerGetDatum(NULL);
	moves = read_meanings(funnel, trigdata, trigdata->tg_newtable,
						  funnel->relid[LQ_TABLE_STAGE_HISTORY], columns,
						  lengthof(columns));
	foreach(cell, moves)
		keys = lappend(keys, ((Meaning *) lfirst(cell))->name);
	if (keys != NIL)
		make_anew(funnel, keys, LQ_STATEMENT_FOLLOW_HISTORY);
	return PointerGetDatum(NULL);
}
