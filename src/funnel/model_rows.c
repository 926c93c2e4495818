/*
 * model_rows.c
 *		Reads the policy rows of a funnel.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "condition/scope.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/milestone.h"
#include "funnel/model_rows.h"
#include "funnel/policy.h"
#include "funnel/row.h"
#include "funnel/tables.h"
#include "funnel/template.h"
#include "type/scorecard.h"
#include "type/scorecard_ops.h"

/*
 * A row that is being read.  What is kept of it is copied to the funnel's
 * context, while SPI works in its own.
 */
typedef struct RowReader
{
	LqFunnel   *funnel;
	LqColumn	first;			/* of the table: the first of the result */
	HeapTuple	tuple;
	TupleDesc	desc;
} RowReader;

static Datum
get(const RowReader *row, LqColumn column, bool *isnull)
{
	return SPI_getbinval(row->tuple, row->desc, column - row->first + 1,
						 isnull);
}

static char *
get_text(const RowReader *row, LqColumn column)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);
	MemoryContext old;
	char	   *result;

	if (isnull)
		return NULL;
	old = MemoryContextSwitchTo(row->funnel->context);
	result = TextDatumGetCString(value);
	MemoryContextSwitchTo(old);
	return result;
}

static bool
get_bool(const RowReader *row, LqColumn column)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);

	return !isnull && DatumGetBool(value);
}

static int32
get_int(const RowReader *row, LqColumn column, int32 otherwise)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);

	return isnull ? otherwise : DatumGetInt32(value);
}

static int64
get_int64(const RowReader *row, LqColumn column)
{
	bool		isnull;

	return DatumGetInt64(get(row, column, &isnull));
}

static double
get_double(const RowReader *row, LqColumn column, double otherwise)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);

	return isnull ? otherwise :
		DatumGetFloat8(DirectFunctionCall1(numeric_float8, value));
}

static char *
get_name(const RowReader *row, LqColumn column)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);

	return isnull ? NULL : MemoryContextStrdup(row->funnel->context,
											   NameStr(*DatumGetName(value)));
}

/* Is the column, which is not null, that text? */
static bool
is_text(const RowReader *row, LqColumn column, const char *expected)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);

	return strcmp(TextDatumGetCString(value), expected) == 0;
}

/* An array of text, but for NULLs; returns how many. */
static int
get_texts(const RowReader *row, LqColumn column, char ***texts)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			kept = 0;
	MemoryContext old;

	if (isnull)
		return 0;
	old = MemoryContextSwitchTo(row->funnel->context);
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, &nulls, &n);
	*texts = palloc(Max(n, 1) * sizeof(char *));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			(*texts)[kept++] = TextDatumGetCString(elements[i]);
	MemoryContextSwitchTo(old);
	return kept;
}

static Interval *
get_interval(const RowReader *row, LqColumn column)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);
	Interval   *result;

	if (isnull)
		return NULL;
	result = MemoryContextAlloc(row->funnel->context, sizeof(Interval));
	*result = *DatumGetIntervalP(value);
	return result;
}

static int64
get_usecs(const RowReader *row, LqColumn column, const char *what)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);

	return isnull ? 0 : lq_interval_usecs(DatumGetIntervalP(value), what);
}

/*
 * Run a query as the owner, seeing what is committed now (see lookup.c); the
 * rows are in SPI_tuptable.
 */
static int
select_rows(const char *query)
{
	SPIPlanPtr	plan;
	Snapshot	snapshot;
	int			result;

	plan = SPI_prepare(query, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed for: %s", query);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	result = SPI_execute_snapshot(plan, NULL, NULL, snapshot, InvalidSnapshot,
								  true, false, 0);
	UnregisterSnapshot(snapshot);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_snapshot failed: %s",
			 SPI_result_code_string(result));
	SPI_freeplan(plan);
	return (int) SPI_processed;
}

/*
 * The query for the columns of a table that C knows, in the order of their
 * list, and then the whole row, if that is asked for.  What a template does
 * not have yet is NULL.
 */
static char *
table_query(const LqFunnel *funnel, LqTable table, bool whole_row,
			const char *rest)
{
	StringInfoData query;
	LqColumn	first;
	LqColumn	end;

	initStringInfo(&query);
	lq_table_columns(table, &first, &end);
	for (LqColumn column = first; column < end; column++)
		appendStringInfo(&query, "%s %s%s", column == first ? "SELECT" : ",",
						 lq_column_is_there(funnel, column) ? "t." : "NULL AS ",
						 quote_identifier(lq_column_name(column)));
	if (whole_row)
		appendStringInfo(&query, ", (t.*)::%s", lq_funnel_table(funnel, table));
	appendStringInfo(&query, " FROM %s AS t %s",
					 lq_funnel_table(funnel, table), rest);
	return query.data;
}

/*
 * Read the rows of one policy table, once its columns are proven.  Returns
 * how many; *array gets room for them.
 */
static int
read_rows(LqFunnel *funnel, LqTable table, bool whole_row, const char *rest,
		  Size size, void **array,
		  void (*read_row) (RowReader *row, void *element))
{
	SPITupleTable *rows;
	LqColumn	first;
	LqColumn	end;
	int			n;

	lq_table_columns(table, &first, &end);
	/* nobody may alter it between the proof and the reading */
	LockRelationOid(funnel->relid[table], AccessShareLock);
	lq_columns_prove(funnel, table);
	n = select_rows(table_query(funnel, table, whole_row, rest));
	rows = SPI_tuptable;
	if (array != NULL)
		*array = MemoryContextAllocZero(funnel->context,
										Max(n, 1) * size);
	for (int i = 0; i < n; i++)
	{
		RowReader	row = {funnel, first, rows->vals[i], rows->tupdesc};

		read_row(&row, array == NULL ? NULL : (char *) *array + i * size);
	}
	SPI_freetuptable(rows);
	return n;
}

/* The template comes first: it says which columns there are. */
static void
read_template(LqFunnel *funnel)
{
	bool		isnull;

	/* while a restore has not brought them, nothing newer is asked for */
	funnel->template_version = LQ_OLDEST_TEMPLATE_VERSION;
	LockRelationOid(funnel->relid[LQ_TABLE_SETTING], AccessShareLock);
	lq_columns_prove_template(funnel);
	if (select_rows(psprintf("SELECT %s FROM %s",
							 lq_column_name(LQ_SETTING_TEMPLATE_VERSION),
							 lq_funnel_table(funnel, LQ_TABLE_SETTING))) > 0)
		funnel->template_version =
			DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
										SPI_tuptable->tupdesc, 1, &isnull));
	lq_template_check(funnel->name, funnel->template_version);
}

static void
read_setting(RowReader *row, void *element)
{
	Datum		value;
	bool		isnull;

	row->funnel->time_zone = get_text(row, LQ_SETTING_TIME_ZONE);
	row->funnel->key_name = get_name(row, LQ_SETTING_LEAD_KEY);
	value = get(row, LQ_SETTING_LEAD_TABLE, &isnull);
	row->funnel->attached_to = isnull ? InvalidOid : DatumGetObjectId(value);
}

static void
read_definition(RowReader *row, void *element)
{
	LqFunnel   *funnel = row->funnel;

	funnel->definition = get_text(row, LQ_DEFINITION_DEFINITION);
	funnel->version = get_int(row, LQ_DEFINITION_VERSION, 0);
	funnel->limits.max_fit = get_double(row, LQ_DEFINITION_MAX_FIT, get_float8_infinity());
	funnel->limits.max_engagement = get_double(row, LQ_DEFINITION_MAX_ENGAGEMENT, get_float8_infinity());
	funnel->limits.floor = get_double(row, LQ_DEFINITION_FLOOR, -get_float8_infinity());
}

static void
read_stage(RowReader *row, void *element)
{
	LqStage    *stage = element;
	char	   *milestone = get_text(row, LQ_STAGE_MILESTONE);

	stage->name = get_text(row, LQ_STAGE_STAGE);
	stage->sla = get_interval(row, LQ_STAGE_SLA);
	stage->notify = get_bool(row, LQ_STAGE_NOTIFY);
	stage->working_time = get_bool(row, LQ_STAGE_WORKING_TIME);
	(void) lq_milestone_named(milestone, &stage->milestone);
}

static void
read_kind(RowReader *row, void *element)
{
	LqKind	   *kind = element;
	bool		isnull;
	HeapTupleHeader header;
	HeapTupleData tuple;
	MemoryContext old;

	kind->name = get_text(row, LQ_KIND_KIND);
	kind->of_lead = is_text(row, LQ_KIND_PARTY, "lead");
	kind->of_sales = is_text(row, LQ_KIND_PARTY, "sales");
	kind->touch = get_bool(row, LQ_KIND_TOUCH);
	kind->conversation = get_bool(row, LQ_KIND_CONVERSATION);
	header = DatumGetHeapTupleHeader(SPI_getbinval(row->tuple, row->desc,
												   row->desc->natts,
												   &isnull));
	tuple = lq_tuple_of_row(header);
	old = MemoryContextSwitchTo(row->funnel->context);
	kind->tuple = heap_copytuple(&tuple);
	MemoryContextSwitchTo(old);
}

static void
read_rule(RowReader *row, void *element)
{
	LqRule	   *rule = element;

	rule->card.rule_id = get_int64(row, LQ_RULE_RULE_ID);
	rule->name = get_text(row, LQ_RULE_NAME);
	rule->card.axis = is_text(row, LQ_RULE_AXIS, "fit") ?
		LQ_AXIS_FIT : LQ_AXIS_ENGAGEMENT;
	rule->kind = get_text(row, LQ_RULE_KIND);
	rule->condition_text = get_text(row, LQ_RULE_CONDITION);
	rule->condition_sql = get_text(row, LQ_RULE_CONDITION_SQL);
	rule->has_condition = rule->condition_text != NULL;
	rule->card.points = get_double(row, LQ_RULE_POINTS, 0);
	rule->card.half_life = get_usecs(row, LQ_RULE_HALF_LIFE, "half_life");
	rule->card.max_points = get_double(row, LQ_RULE_MAX_POINTS, get_float8_infinity());
	rule->card.max_hits = get_int(row, LQ_RULE_MAX_HITS, 0);
	rule->card.per = get_usecs(row, LQ_RULE_PER, "per");
	rule->enabled = get_bool(row, LQ_RULE_ENABLED);
	rule->description = get_text(row, LQ_RULE_DESCRIPTION);
}

static void
read_transition(RowReader *row, void *element)
{
	LqTransition *transition = element;
	char	   *from = get_text(row, LQ_TRANSITION_FROM_STAGE);
	char	   *to = get_text(row, LQ_TRANSITION_TO_STAGE);

	transition->transition_id = get_int64(row, LQ_TRANSITION_TRANSITION_ID);
	transition->from_any = from != NULL && strcmp(from, "*") == 0;
	transition->creation = from == NULL;
	if (from != NULL && !transition->from_any)
		transition->from = lq_funnel_stage(row->funnel, from);
	transition->to = lq_funnel_stage(row->funnel, to);
	transition->automatic = get_bool(row, LQ_TRANSITION_AUTOMATIC);
	transition->after = get_interval(row, LQ_TRANSITION_AFTER);
	transition->condition_text = get_text(row, LQ_TRANSITION_CONDITION);
	transition->condition_sql = get_text(row, LQ_TRANSITION_CONDITION_SQL);
	transition->has_condition = transition->condition_text != NULL;
	transition->needs_reason = get_bool(row, LQ_TRANSITION_NEEDS_REASON);
	transition->exception = get_bool(row, LQ_TRANSITION_EXCEPTION);
	transition->description = get_text(row, LQ_TRANSITION_DESCRIPTION);
	transition->n_sides = get_texts(row, LQ_TRANSITION_SIDES, &transition->sides);
	transition->reason = get_text(row, LQ_TRANSITION_REASON);
	/* a stage that is gone: such a move cannot happen */
	if (transition->to == NULL ||
		(transition->from == NULL && from != NULL && !transition->from_any))
		transition->broken = true;
}

static void
read_reason(RowReader *row, void *element)
{
	LqReason   *reason = element;

	reason->reason = get_text(row, LQ_REASON_REASON);
	reason->applies_to = get_text(row, LQ_REASON_APPLIES_TO);
}

static void
read_side(RowReader *row, void *element)
{
	LqSide	   *side = element;

	side->name = get_text(row, LQ_SIDE_SIDE);
	side->role = get_name(row, LQ_SIDE_ROLE);
}

static void
read_element(RowReader *row, void *element)
{
	LqKnownElement *e = element;

	e->framework = get_text(row, LQ_ELEMENT_FRAMEWORK);
	e->element = get_text(row, LQ_ELEMENT_ELEMENT);
}

static void
read_hours(RowReader *row, void *element)
{
	LqHours    *hours = element;
	bool		isnull;

	hours->weekday = get_int(row, LQ_CALENDAR_WEEKDAY, 0);
	hours->opens = DatumGetTimeADT(get(row, LQ_CALENDAR_OPENS, &isnull));
	hours->closes = DatumGetTimeADT(get(row, LQ_CALENDAR_CLOSES, &isnull));
}

static void
read_holiday(RowReader *row, void *element)
{
	bool		isnull;

	*(DateADT *) element = DatumGetDateADT(get(row, LQ_HOLIDAY_DAY, &isnull));
}

typedef struct ListValue
{
	char	   *list;
	Datum		value;
} ListValue;

static void
read_list_value(RowReader *row, void *element)
{
	ListValue  *v = element;

	v->list = get_text(row, LQ_LIST_LIST);
	v->value = CStringGetTextDatum(get_text(row, LQ_LIST_VALUE));
}

/* The values, which are in the order of their lists, as arrays of text. */
static void
read_lists(LqFunnel *funnel)
{
	ListValue  *values;
	int			n;

	n = read_rows(funnel, LQ_TABLE_LIST, false, "ORDER BY t.list, t.value",
				  sizeof(ListValue), (void **) &values, read_list_value);
	funnel->lists = MemoryContextAllocZero(funnel->context,
										   Max(n, 1) * sizeof(LqNamedList));
	for (int i = 0, next; i < n; i = next)
	{
		LqNamedList *list = &funnel->lists[funnel->n_lists++];
		Datum	   *elements = palloc(n * sizeof(Datum));
		int			n_elements = 0;
		MemoryContext old;

		for (next = i; next < n &&
			 strcmp(values[next].list, values[i].list) == 0; next++)
			elements[n_elements++] = values[next].value;
		list->name = values[i].list;
		old = MemoryContextSwitchTo(funnel->context);
		list->values = construct_array(elements, n_elements, TEXTOID, -1,
									   false, TYPALIGN_INT);
		MemoryContextSwitchTo(old);
		pfree(elements);
	}
}

static void
read_named_rule(RowReader *row, void *element)
{
	LqNamedRule *rule = element;

	rule->rule_id = get_int64(row, LQ_RULE_RULE_ID);
	rule->name = get_text(row, LQ_RULE_NAME);
}

/* While there are no settings yet: the defaults, and the lead's primary key. */
static void
suppose_setting(LqFunnel *funnel)
{
	MemoryContext old = MemoryContextSwitchTo(funnel->context);
	Oid			constraint;
	Bitmapset  *key = get_primary_key_attnos(funnel->relid[LQ_TABLE_LEAD],
											 false, &constraint);
	int			column = bms_next_member(key, -1);

	funnel->time_zone = "UTC";
	funnel->key_name = column < 0 ? "lead_id" :
		get_attname(funnel->relid[LQ_TABLE_LEAD],
					column + FirstLowInvalidHeapAttributeNumber, false);
	MemoryContextSwitchTo(old);
}

/*
 * Statements read and write the other tables.  The leads come later, with
 * their shape.
 */
static void
prove_tables(LqFunnel *funnel)
{
	for (int i = 0; i < LQ_N_TABLES; i++)
		if (i != LQ_TABLE_LEAD)
			lq_columns_prove(funnel, i);
}

void
lq_model_read_policy(LqFunnel *funnel)
{
	const char *of_definition;

	read_template(funnel);
	(void) read_rows(funnel, LQ_TABLE_SETTING, false, "", 0, NULL,
					 read_setting);
	if (funnel->key_name == NULL)
	{
		/* a restore may bring the facts before the settings */
		funnel->unset = true;
		suppose_setting(funnel);
	}
	funnel->limits.max_fit = get_float8_infinity();
	funnel->limits.max_engagement = get_float8_infinity();
	funnel->limits.floor = -get_float8_infinity();
	(void) read_rows(funnel, LQ_TABLE_DEFINITION, false,
					 "WHERE t.status = 'active'", 0, NULL, read_definition);
	funnel->n_stages =
		read_rows(funnel, LQ_TABLE_STAGE, false,
				  "ORDER BY t.position, t.stage",
				  sizeof(LqStage), (void **) &funnel->stages, read_stage);
	funnel->n_kinds =
		read_rows(funnel, LQ_TABLE_KIND, true,
				  "ORDER BY t.kind COLLATE \"C\"",
				  sizeof(LqKind), (void **) &funnel->kinds, read_kind);
	read_lists(funnel);
	funnel->n_reasons =
		read_rows(funnel, LQ_TABLE_REASON, false,
				  "ORDER BY t.applies_to, t.position, t.reason",
				  sizeof(LqReason), (void **) &funnel->reasons, read_reason);
	funnel->n_sides =
		read_rows(funnel, LQ_TABLE_SIDE, false, "ORDER BY t.side",
				  sizeof(LqSide), (void **) &funnel->sides, read_side);
	funnel->n_elements =
		read_rows(funnel, LQ_TABLE_ELEMENT, false,
				  "ORDER BY t.framework, t.position, t.element",
				  sizeof(LqKnownElement), (void **) &funnel->elements,
				  read_element);
	funnel->n_hours =
		read_rows(funnel, LQ_TABLE_CALENDAR, false,
				  "ORDER BY t.weekday, t.opens",
				  sizeof(LqHours), (void **) &funnel->hours, read_hours);
	funnel->n_holidays =
		read_rows(funnel, LQ_TABLE_HOLIDAY, false, "ORDER BY t.day",
				  sizeof(DateADT), (void **) &funnel->holidays, read_holiday);

	of_definition = funnel->definition == NULL ? "NULL" :
		quote_literal_cstr(funnel->definition);
	funnel->n_rules =
		read_rows(funnel, LQ_TABLE_RULE, false,
				  psprintf("WHERE t.definition = %s ORDER BY t.rule_id",
						   of_definition),
				  sizeof(LqRule), (void **) &funnel->rules, read_rule);
	funnel->n_transitions =
		read_rows(funnel, LQ_TABLE_TRANSITION, false,
				  psprintf("WHERE t.definition = %s"
						   " ORDER BY t.position, t.transition_id",
						   of_definition),
				  sizeof(LqTransition), (void **) &funnel->transitions,
				  read_transition);
	prove_tables(funnel);
}

/*
 * The names and ids of the rules of any definition of the funnel; they lie in
 * the current context.
 */
int
lq_model_read_rule_names(const LqFunnel *funnel, const char *definition,
						 LqNamedRule **rules)
{
	LqFunnel	reader = *funnel;

	reader.context = CurrentMemoryContext;
	return read_rows(&reader, LQ_TABLE_RULE, false,
					 psprintf("WHERE t.definition = %s ORDER BY t.rule_id",
							  quote_literal_cstr(definition)),
					 sizeof(LqNamedRule), (void **) rules, read_named_rule);
}
