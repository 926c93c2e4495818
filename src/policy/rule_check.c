/*
 * rule_check.c
 *		Rules and transitions are checked as they are written.
 *
 * What these triggers let pass is what the model can be built from, and the
 * qualified form of a condition is always ours: what a client writes into
 * condition_sql is ignored.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "clip.h"
#include "condition/parse.h"
#include "condition/pseudo.h"
#include "condition/scope.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/lookup.h"
#include "funnel/scope.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "lead_qual.h"
#include "type/scorecard.h"
#include "type/scorecard_ops.h"

PG_FUNCTION_INFO_V1(check_condition);
PG_FUNCTION_INFO_V1(_check_rule);
PG_FUNCTION_INFO_V1(_check_transition);
PG_FUNCTION_INFO_V1(_protect_rule);

/* the row that is being written */
typedef struct Written
{
	TriggerData *trigdata;
	LqFunnel   *funnel;
	LqTable		table;
	TupleDesc	desc;
	HeapTuple	row;
	HeapTuple	old;			/* NULL on INSERT */
} Written;

static void
start(Written *w, FunctionCallInfo fcinfo, const char *function)
{
	w->funnel = lq_funnel_of_trigger(fcinfo, function);
	w->trigdata = (TriggerData *) fcinfo->context;
	(void) lq_table_by_name(RelationGetRelationName(w->trigdata->tg_relation),
							&w->table);
	w->desc = RelationGetDescr(w->trigdata->tg_relation);
	if (TRIGGER_FIRED_BY_UPDATE(w->trigdata->tg_event))
	{
		w->row = w->trigdata->tg_newtuple;
		w->old = w->trigdata->tg_trigtuple;
	}
	else
	{
		w->row = w->trigdata->tg_trigtuple;
		w->old = NULL;
	}
}

/* By name: what is checked here stands in rules and in transitions. */
static int
column(const Written *w, const char *name)
{
	LqColumn	first;
	LqColumn	end;

	for (lq_table_columns(w->table, &first, &end); first < end; first++)
		if (strcmp(lq_column_name(first), name) == 0)
			return w->funnel->attno[first];
	elog(ERROR, "column \"%s\" is not in the list of columns", name);
	return 0;					/* keep compiler quiet */
}

static char *
text_of(const Written *w, HeapTuple tuple, const char *name)
{
	bool		isnull;
	Datum		value;

	value = heap_getattr(tuple, column(w, name), w->desc, &isnull);
	return isnull ? NULL : TextDatumGetCString(value);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/*
 * Is the column new, named in the UPDATE, or otherwise changed?
 */
static bool
is_written(const Written *w, const char *name)
{
	if (w->old == NULL)
		return true;
	if (bms_is_member(column(w, name) - FirstLowInvalidHeapAttributeNumber,
					  w->trigdata->tg_updatedcols))
		return true;
	return !same_text(text_of(w, w->row, name), text_of(w, w->old, name));
}

/*
 * Run a query over tables of the funnel as its owner; the first column of its
 * rows, as text.
 */
static List *
query_texts(const LqFunnel *funnel, const char *query, const char *arg)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(arg);
	LqIdentity	saved;
	List	   *texts = NIL;
	int			result;

	lq_funnel_enter(funnel, &saved);
	result = SPI_execute_with_args(query, 1, &type, &value, NULL, false, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed: %s",
			 SPI_result_code_string(result));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *text = SPI_getvalue(SPI_tuptable->vals[i],
										SPI_tuptable->tupdesc, 1);
		MemoryContext old = MemoryContextSwitchTo(context);

		texts = lappend(texts, text ? pstrdup(text) : NULL);
		MemoryContextSwitchTo(old);
	}
	lq_funnel_leave(&saved);
	return texts;
}

static bool
definition_exists(const LqFunnel *funnel, const char *definition)
{
	return query_texts(funnel,
					   psprintf("SELECT definition FROM %s WHERE definition = $1",
								lq_funnel_table(funnel, LQ_TABLE_DEFINITION)),
					   definition) != NIL;
}

/*
 * Conditions
 */

static char *
check(LqFunnel *funnel, LqConditionFor target, const char *condition,
	  const char *definition)
{
	LqTable		table;
	Relation	relation;
	LqConditionScope scope;
	LqIdentity	saved;
	char	   *qualified;

	table = target == LQ_FOR_ACTIVITY ? LQ_TABLE_ACTIVITY : LQ_TABLE_LEAD;
	relation = table_open(funnel->relid[table], AccessShareLock);
	lq_funnel_scope(funnel, target, relation, definition, &scope);
	lq_funnel_enter_restricted(funnel, &saved);
	qualified = lq_condition_check(condition, &scope);
	lq_funnel_leave_restricted(&saved);
	table_close(relation, NoLock);
	return qualified;
}

/*
 * The value for condition_sql.  A condition that was not touched keeps its
 * form, so that a rule which is broken by now can still be switched off.
 */
static char *
qualified_condition(const Written *w, LqConditionFor target)
{
	char	   *condition = text_of(w, w->row, "condition");
	char	   *definition = text_of(w, w->row, "definition");
	char	   *kept = NULL;
	bool		checks = is_written(w, "condition");

	if (condition == NULL)
		return NULL;
	if (w->old != NULL)
	{
		char	   *before = text_of(w, w->old, "definition");

		kept = text_of(w, w->old, "condition_sql");
		if (kept == NULL)
			checks = true;

		/* names mean other rules there, unless all moves together */
		if (!same_text(definition, before) && before != NULL &&
			definition_exists(w->funnel, before))
			checks = true;
	}
	return checks ? check(w->funnel, target, condition, definition) : kept;
}

/*
 * The row with condition_sql set.
 */
static HeapTuple
with_condition_sql(const Written *w, const char *qualified)
{
	int			attno = column(w, "condition_sql");
	Datum		value = (Datum) 0;
	bool		isnull = (qualified == NULL);

	if (same_text(qualified, text_of(w, w->row, "condition_sql")))
		return w->row;
	if (!isnull)
		value = CStringGetTextDatum(qualified);
	return heap_modify_tuple_by_cols(w->row, w->desc, 1, &attno, &value,
									 &isnull);
}

/*
 * The context of an error in a row
 */

typedef struct Where
{
	ErrorContextCallback callback;
	const char *what;
} Where;

static void
where_callback(void *arg)
{
	errcontext("condition of %s", ((Where *) arg)->what);
}

static void
enter_where(Where *where, const char *what)
{
	where->what = what;
	where->callback.callback = where_callback;
	where->callback.arg = where;
	where->callback.previous = error_context_stack;
	error_context_stack = &where->callback;
}

static void
leave_where(Where *where)
{
	error_context_stack = where->callback.previous;
}

/*
 * Numbers of a rule
 */

static void
check_number(const Written *w, const char *name, double min, double max,
			 const char *detail)
{
	bool		isnull;
	Datum		value;
	double		number;

	value = heap_getattr(w->row, column(w, name), w->desc, &isnull);
	if (isnull)
		return;
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												value));
	if (isnan(number) || number < min || number > max)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s is out of range", name),
				 errdetail("%s", detail),
				 errtablecol(w->trigdata->tg_relation, column(w, name))));
}

static void
check_interval(const Written *w, const char *name)
{
	bool		isnull;
	Datum		value;

	value = heap_getattr(w->row, column(w, name), w->desc, &isnull);
	if (!isnull)
		(void) lq_interval_usecs(DatumGetIntervalP(value), name);
}

static void
check_numbers(const Written *w)
{
	bool		isnull;
	Datum		value;

	check_number(w, "points", -LQ_MAX_POINTS, LQ_MAX_POINTS,
				 "Points of one hit are from -1000000 to 1000000.");
	/* less would be shown, and compared, as nothing */
	check_number(w, "max_points", 0.01, 1e9,
				 "A limit is at least 0.01 and at most 1000000000.");
	check_interval(w, "half_life");
	check_interval(w, "per");

	value = heap_getattr(w->row, column(w, "max_hits"), w->desc, &isnull);
	if (!isnull && DatumGetInt32(value) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("max_hits must be positive"),
				 errhint("NULL means no limit."),
				 errtablecol(w->trigdata->tg_relation,
							 column(w, "max_hits"))));
}

static void
check_kind(const Written *w)
{
	char	   *kind = text_of(w, w->row, "kind");

	if (kind == NULL || strcmp(kind, "*") == 0 || !is_written(w, "kind") ||
		lq_funnel_kind(w->funnel, kind) != NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("kind \"%s\" does not exist", lq_clip(kind)),
			 errhint("Insert it into table \"kind\" first, or write '*' for any kind."),
			 errtablecol(w->trigdata->tg_relation, column(w, "kind"))));
}

/*
 * A lead's card has room for so many rules; it is the rule that is refused,
 * and not the fact that would be the first to need more.
 */
static void
check_room(const Written *w)
{
	char	   *definition = text_of(w, w->row, "definition");
	char	   *before = w->old ? text_of(w, w->old, "definition") : NULL;

	if (definition == NULL || same_text(definition, before) ||
		query_texts(w->funnel,
					psprintf("SELECT definition FROM %s WHERE definition = $1"
							 " OFFSET %d LIMIT 1",
							 lq_funnel_table(w->funnel, LQ_TABLE_RULE),
							 LQ_CARD_MAX_ENTRIES - 1),
					definition) == NIL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a definition cannot have more than %d rules",
					LQ_CARD_MAX_ENTRIES),
			 errhint("Where rules differ in a value only, keep the values in a list: country = ANY (list.target_countries).")));
}

/*
 * _check_rule() - BEFORE INSERT OR UPDATE ON rule FOR EACH ROW
 */
Datum
_check_rule(PG_FUNCTION_ARGS)
{
	Written		w;
	Where		where;
	char	   *name;
	char	   *axis;
	char	   *qualified;

	start(&w, fcinfo, "_check_rule");
	name = text_of(&w, w.row, "name");
	axis = text_of(&w, w.row, "axis");

	check_room(&w);
	check_numbers(&w);
	check_kind(&w);

	/* constraints of the table refuse any other axis */
	enter_where(&where, psprintf("rule \"%s\"", name ? name : ""));
	qualified = qualified_condition(&w,
									axis && strcmp(axis, "fit") == 0 ?
									LQ_FOR_FIT : LQ_FOR_ACTIVITY);
	leave_where(&where);
	return PointerGetDatum(with_condition_sql(&w, qualified));
}

static void
check_stage(const Written *w, const char *name)
{
	char	   *stage = text_of(w, w->row, name);
	StringInfoData stages;

	if (stage == NULL || !is_written(w, name) ||
		lq_funnel_stage(w->funnel, stage) != NULL ||
		(strcmp(name, "from_stage") == 0 && strcmp(stage, "*") == 0))
		return;

	initStringInfo(&stages);
	for (int i = 0; i < w->funnel->n_stages; i++)
		appendStringInfo(&stages, "%s%s", i > 0 ? ", " : "",
						 w->funnel->stages[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("stage \"%s\" does not exist", lq_clip(stage)),
			 w->funnel->n_stages > 0 ?
			 errhint("The stages are: %s.", stages.data) :
			 errhint("Insert it into table \"stage\" first."),
			 errtablecol(w->trigdata->tg_relation, column(w, name))));
}

/* The reason that moves are recorded with is one of the stage they lead to. */
static void
_check_reason(const Written *w, const char *to)
{
	char	   *reason = text_of(w, w->row, "reason");

	if (reason == NULL || to == NULL ||
		!(is_written(w, "reason") || is_written(w, "to_stage")))
		return;
	for (int i = 0; i < w->funnel->n_reasons; i++)
		if (strcmp(w->funnel->reasons[i].applies_to, to) == 0 &&
			strcmp(w->funnel->reasons[i].reason, reason) == 0)
			return;
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("reason \"%s\" does not exist for stage \"%s\"",
					lq_clip(reason), to),
			 errhint("Insert it into table \"reason\" first."),
			 errtablecol(w->trigdata->tg_relation, column(w, "reason"))));
}

/*
 * _check_transition() - BEFORE INSERT OR UPDATE ON transition FOR EACH ROW
 */
Datum
_check_transition(PG_FUNCTION_ARGS)
{
	Written		w;
	Where		where;
	char	   *from;
	char	   *to;
	char	   *qualified;

	start(&w, fcinfo, "_check_transition");
	from = text_of(&w, w.row, "from_stage");
	to = text_of(&w, w.row, "to_stage");

	check_stage(&w, "from_stage");
	check_stage(&w, "to_stage");
	_check_reason(&w, to);

	enter_where(&where, from == NULL ?
				psprintf("the transition to \"%s\"", to ? to : "") :
				psprintf("the transition from \"%s\" to \"%s\"",
						 from, to ? to : ""));
	qualified = qualified_condition(&w, LQ_FOR_TRANSITION);
	leave_where(&where);
	return PointerGetDatum(with_condition_sql(&w, qualified));
}

/*
 * _protect_rule() - BEFORE UPDATE OR DELETE ON rule FOR EACH ROW
 *
 * A rule that a guard names is not removed, nor does it go over to another
 * definition.  It goes with its whole definition, whose row is gone by then.
 */
Datum
_protect_rule(PG_FUNCTION_ARGS)
{
	Written		w;
	HeapTuple	old;
	char	   *name;
	char	   *definition;
	List	   *conditions;
	List	   *labels;
	ListCell   *lc;
	ListCell   *lc2;
	StringInfoData uses;

	start(&w, fcinfo, "_protect_rule");
	old = w.trigdata->tg_trigtuple;
	name = text_of(&w, old, "name");
	definition = text_of(&w, old, "definition");
	if (w.old != NULL &&
		same_text(definition, text_of(&w, w.row, "definition")))
		return PointerGetDatum(w.row);
	if (!definition_exists(w.funnel, definition))
		return PointerGetDatum(w.row);

	conditions = query_texts(w.funnel,
							 psprintf("SELECT condition_sql FROM %s"
									  " WHERE definition = $1 AND condition_sql IS NOT NULL"
									  " ORDER BY position, transition_id",
									  lq_funnel_table(w.funnel,
													  LQ_TABLE_TRANSITION)),
							 definition);
	labels = query_texts(w.funnel,
						 psprintf("SELECT coalesce('from \"' || from_stage || '\" ', '')"
								  " || 'to \"' || to_stage || '\"' FROM %s"
								  " WHERE definition = $1 AND condition_sql IS NOT NULL"
								  " ORDER BY position, transition_id",
								  lq_funnel_table(w.funnel,
												  LQ_TABLE_TRANSITION)),
						 definition);
	initStringInfo(&uses);
	forboth(lc, conditions, lc2, labels)
	{
		if (lq_condition_text_names_rule(lfirst(lc), name))
			appendStringInfo(&uses, "%s%s", uses.len > 0 ? ", " : "",
							 (char *) lfirst(lc2));
	}
	if (uses.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("rule \"%s\" is in use", name),
				 errdetail("Conditions of transitions name it: %s.", uses.data),
				 errhint("Change those conditions first, or switch the rule off with enabled = false."),
				 errtable(w.trigdata->tg_relation)));
	return PointerGetDatum(w.row);
}

/*
 * check_condition(funnel, target, condition, definition) - its qualified form
 */
Datum
check_condition(PG_FUNCTION_ARGS)
{
	char	   *name;
	char	   *target_name;
	LqConditionFor target = 0;
	LqFunnel   *funnel;
	char	   *definition;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	name = NameStr(*PG_GETARG_NAME(0));
	target_name = text_to_cstring(PG_GETARG_TEXT_PP(1));

	while (target < LQ_N_TARGETS &&
		   strcmp(target_name, lq_target_names[target]) != 0)
		target++;
	if (target == LQ_N_TARGETS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown target of a condition: \"%s\"",
						lq_clip(target_name)),
				 errhint("It is \"fit\", \"activity\" or \"transition\".")));

	/* whoever may not look into the schema learns nothing of it here */
	(void) LookupExplicitNamespace(name, true);
	funnel = lq_funnel_by_name(name);
	definition = PG_ARGISNULL(3) ? funnel->definition :
		text_to_cstring(PG_GETARG_TEXT_PP(3));
	PG_RETURN_TEXT_P(cstring_to_text(check(funnel, target,
										   text_to_cstring(PG_GETARG_TEXT_PP(2)),
										   definition)));
}
