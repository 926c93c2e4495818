/*
 * rename_list.c
 *		Lists whose every value got the same new name.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "catalog.h"
#include "compat.h"
#include "fact/transition_rows.h"
#include "funnel/columns.h"
#include "funnel/trigger.h"
#include "policy/definition_log.h"
#include "policy/policy.h"
#include "policy/rename.h"

PG_FUNCTION_INFO_V1(_list_changed);

/* rows of a list that are those of another one now */
typedef struct Moved
{
	char	   *from;
	char	   *to;				/* perhaps the same */
	int64		n;
	bool		whole;			/* all rows of the one, and no others */
} Moved;

static char *
list_of(const TriggerData *trigdata, HeapTuple row)
{
	return SPI_getvalue(row, RelationGetDescr(trigdata->tg_relation),
						lq_column_of(trigdata->tg_relation, LQ_LIST_LIST));
}

static void
note_moved(List **moves, char *from, char *to)
{
	Moved	   *move;
	ListCell   *cell;

	foreach(cell, *moves)
	{
		move = lfirst(cell);
		if (strcmp(move->from, from) == 0 && strcmp(move->to, to) == 0)
		{
			move->n++;
			return;
		}
	}
	move = palloc0(sizeof(Moved));
	move->from = from;
	move->to = to;
	move->n = 1;
	*moves = lappend(*moves, move);
}

static const char *
schema_name(const TriggerData *trigdata)
{
	return get_namespace_name(RelationGetNamespace(trigdata->tg_relation));
}

/* Rows that the list has now. */
static int64
n_rows(const TriggerData *trigdata, const char *list)
{
	return strtoll(lq_rename_ask(trigdata,
								 psprintf("SELECT pg_catalog.count(*) FROM %s.list WHERE list = $1",
										  quote_identifier(schema_name(trigdata))),
								 1, &list), NULL, 10);
}

/* The conditions that name a list would find it empty. */
static void
refuse_merged(const TriggerData *trigdata, const Moved *move)
{
	const char *args[2];

	if (strcmp(move->from, move->to) == 0 || n_rows(trigdata, move->from) > 0)
		return;
	args[0] = schema_name(trigdata);
	args[1] = move->from;
	if (strcmp(lq_rename_ask(trigdata,
							 psprintf("SELECT %s._list_is_named($1, $2)",
									  quote_identifier(get_namespace_name(lq_extension_schema()))),
							 2, args), "t") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("list \"%s\" cannot be renamed to \"%s\"",
						move->from, move->to),
				 errdetail("Conditions name it, and its values are not all that the other list has now."),
				 errhint("Rename it as a whole to what no list is called, or change those conditions first."),
				 errtable(trigdata->tg_relation)));
}

/*
 * Did a whole list get a name that no other had?  Then none of its rows are
 * left, and all that have the new name came from it.  Rows of other lists may
 * have got the old name, and those of that name another one.
 */
static bool
is_whole(const TriggerData *trigdata, const List *moves, const Moved *move)
{
	int64		n_came = 0;
	ListCell   *cell;

	if (strcmp(move->from, move->to) == 0)
		return false;
	foreach(cell, moves)
	{
		const Moved *other = lfirst(cell);

		if (other != move && (strcmp(other->from, move->from) == 0 ||
							  strcmp(other->to, move->to) == 0))
			return false;
		if (strcmp(other->to, move->from) == 0)
			n_came += other->n;
	}
	return n_rows(trigdata, move->to) == move->n &&
		n_rows(trigdata, move->from) == n_came;
}

/* Rows of a statement, before and after, in the same order. */
static void
begin_rows(TriggerData *trigdata, LqTransitionRows *old, LqTransitionRows *new)
{
	Oid			relid = RelationGetRelid(trigdata->tg_relation);

	lq_transition_rows_begin(old, trigdata, trigdata->tg_oldtable, relid);
	lq_transition_rows_begin(new, trigdata, trigdata->tg_newtable, relid);
}

static bool
next_rows(TriggerData *row, LqTransitionRows *old, LqTransitionRows *new)
{
	TupleTableSlot *old_slot = lq_transition_rows_next(old);
	TupleTableSlot *new_slot = lq_transition_rows_next(new);

	if (old_slot == NULL || new_slot == NULL)
		return false;
	row->tg_trigtuple = ExecCopySlotHeapTuple(old_slot);
	row->tg_newtuple = ExecCopySlotHeapTuple(new_slot);
	return true;
}

/*
 * Lists whose names went round, each to the next, have no order in which one
 * name after the other could be changed.
 */
static void
refuse_round(const TriggerData *trigdata, const List *moves)
{
	ListCell   *cell;
	ListCell   *cell2;

	foreach(cell, moves)
	{
		const Moved *move = lfirst(cell);

		foreach(cell2, moves)
		{
			const Moved *other = lfirst(cell2);

			if (move->whole && other->whole &&
				strcmp(move->to, other->from) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_UNIQUE_VIOLATION),
						 errmsg("list \"%s\" cannot be renamed to \"%s\" by the statement that renames that one",
								move->from, move->to),
						 errhint("Rename one after the other, by way of a name that is free."),
						 errtable(trigdata->tg_relation)));
		}
	}
}

static bool
is_renamed(const TriggerData *row, const List *moves)
{
	char	   *from = list_of(row, row->tg_trigtuple);
	char	   *to = list_of(row, row->tg_newtuple);
	ListCell   *cell;

	foreach(cell, moves)
	{
		const Moved *move = lfirst(cell);

		if (strcmp(move->from, from) == 0 && strcmp(move->to, to) == 0)
			return move->whole;
	}
	return false;
}

/*
 * _list_changed() - AFTER UPDATE ON list FOR EACH STATEMENT, with transition
 *					tables
 *
 * A list whose every value got the same new name is renamed.  Other values
 * have only gone from one list to another, which is a change like any other;
 * so has one of a renamed list that is another value now as well.
 */
Datum
_list_changed(PG_FUNCTION_ARGS)
{
	TriggerData row;
	LqTransitionRows old;
	LqTransitionRows new;
	List	   *moves = NIL;
	ListCell   *cell;

	lq_trigger_prove(fcinfo, "_list_changed");
	row = *(TriggerData *) fcinfo->context;
	/* row by row, below */
	row.tg_event = TRIGGER_EVENT_UPDATE | TRIGGER_EVENT_ROW |
		TRIGGER_EVENT_AFTER;
	begin_rows(&row, &old, &new);
	while (next_rows(&row, &old, &new))
		note_moved(&moves, list_of(&row, row.tg_trigtuple),
				   list_of(&row, row.tg_newtuple));
	lq_transition_rows_end(&old);
	lq_transition_rows_end(&new);

	foreach(cell, moves)
	{
		Moved	   *move = lfirst(cell);

		move->whole = is_whole(&row, moves, move);
	}
	refuse_round(&row, moves);
	foreach(cell, moves)
	{
		const Moved *move = lfirst(cell);

		if (!move->whole)
		{
			refuse_merged(&row, move);
			continue;
		}
		lq_rename_follow(&row, move->from, move->to, NULL);
		lq_definition_log_list_renamed(&row, move->from, move->to);
	}

	begin_rows(&row, &old, &new);
	while (next_rows(&row, &old, &new))
		if (lq_list_changes(&row) &&
			(!is_renamed(&row, moves) || lq_rename_changes_else(&row, LQ_LIST_LIST)))
			lq_policy_row_changed(&row);
	lq_transition_rows_end(&old);
	lq_transition_rows_end(&new);
	return PointerGetDatum(NULL);
}
