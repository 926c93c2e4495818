/*
 * model_rows.c
 *		Reads the policy rows of a funnel.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/model.h"

/*
 * Where a row being read is copied to: the funnel's context, while SPI works
 * in its own.
 */
typedef struct RowReader
{
	LqFunnel   *funnel;
	HeapTuple	tuple;
	TupleDesc	desc;
} RowReader;

static Datum
get(const RowReader *row, int column, bool *isnull)
{
	return SPI_getbinval(row->tuple, row->desc, column, isnull);
}

static char *
get_text(const RowReader *row, int column)
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
get_bool(const RowReader *row, int column)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);

	return !isnull && DatumGetBool(value);
}

static int32
get_int(const RowReader *row, int column, int32 otherwise)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);

	return isnull ? otherwise : DatumGetInt32(value);
}

static int64
get_int64(const RowReader *row, int column)
{
	bool		isnull;

	return DatumGetInt64(get(row, column, &isnull));
}

static double
get_double(const RowReader *row, int column, double otherwise)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);

	return isnull ? otherwise :
		DatumGetFloat8(DirectFunctionCall1(numeric_float8, value));
}

/* An array of text without NULLs; returns how many. */
static int
get_texts(const RowReader *row, int column, char ***texts)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);
	Datum	   *elements;
	int			n;
	MemoryContext old;

	if (isnull)
		return 0;
	old = MemoryContextSwitchTo(row->funnel->context);
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, NULL, &n);
	*texts = palloc(Max(n, 1) * sizeof(char *));
	for (int i = 0; i < n; i++)
		(*texts)[i] = TextDatumGetCString(elements[i]);
	MemoryContextSwitchTo(old);
	return n;
}

static Interval *
get_interval(const RowReader *row, int column)
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
get_usecs(const RowReader *row, int column, const char *what)
{
	bool		isnull;
	Datum		value = get(row, column, &isnull);

	return isnull ? 0 : lq_interval_usecs(DatumGetIntervalP(value), what);
}

/*
 * Read the rows of one policy table, as the owner, seeing what is committed
 * now (see funnel.c).  Returns how many; *array gets room for them.
 */
static int
read_rows(LqFunnel *funnel, LqTable table, const char *columns,
		  const char *rest, Size size, void **array,
		  void (*read_row) (RowReader *row, void *element))
{
	char	   *query;
	SPIPlanPtr	plan;
	Snapshot	snapshot;
	SPITupleTable *rows;
	int			n;
	int			result;

	query = psprintf("SELECT %s FROM %s %s", columns,
					 lq_funnel_table(funnel, table), rest);
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

	n = (int) SPI_processed;
	rows = SPI_tuptable;
	if (array != NULL)
		*array = MemoryContextAllocZero(funnel->context,
										Max(n, 1) * size);
	for (int i = 0; i < n; i++)
	{
		RowReader	row = {funnel, rows->vals[i], rows->tupdesc};

		read_row(&row, array == NULL ? NULL : (char *) *array + i * size);
	}
	SPI_freetuptable(rows);
	SPI_freeplan(plan);
	return n;
}

static void
read_setting(RowReader *row, void *element)
{
	Datum		value;
	bool		isnull;

	row->funnel->time_zone = get_text(row, 1);
	row->funnel->key_name = get_text(row, 2);
	value = get(row, 3, &isnull);
	row->funnel->attached_to = isnull ? InvalidOid : DatumGetObjectId(value);
}

static void
read_definition(RowReader *row, void *element)
{
	LqFunnel   *funnel = row->funnel;

	funnel->definition = get_text(row, 1);
	funnel->version = get_int(row, 2, 0);
	funnel->limits.max_fit = get_double(row, 3, get_float8_infinity());
	funnel->limits.max_engagement = get_double(row, 4, get_float8_infinity());
	funnel->limits.floor = get_double(row, 5, -get_float8_infinity());
}

static void
read_stage(RowReader *row, void *element)
{
	LqStage    *stage = element;
	char	   *milestone = get_text(row, 3);

	stage->name = get_text(row, 1);
	stage->position = get_int(row, 2, 0);
	stage->sla = get_interval(row, 4);
	stage->notify = get_bool(row, 5);
	stage->working_time = get_bool(row, 6);
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

	kind->name = get_text(row, 1);
	kind->of_lead = get_bool(row, 2);
	kind->touch = get_bool(row, 3);
	header = DatumGetHeapTupleHeader(get(row, 4, &isnull));
	tuple = lq_tuple_of_row(header);
	old = MemoryContextSwitchTo(row->funnel->context);
	kind->tuple = heap_copytuple(&tuple);
	MemoryContextSwitchTo(old);
}

static void
read_rule(RowReader *row, void *element)
{
	LqRule	   *rule = element;

	rule->card.rule_id = get_int64(row, 1);
	rule->name = get_text(row, 2);
	rule->card.axis = get_bool(row, 3) ? LQ_AXIS_FIT : LQ_AXIS_ENGAGEMENT;
	rule->kind = get_text(row, 4);
	rule->condition_text = get_text(row, 5);
	rule->condition_sql = get_text(row, 6);
	rule->has_condition = rule->condition_text != NULL;
	rule->card.points = get_double(row, 7, 0);
	rule->card.half_life = get_usecs(row, 8, "half_life");
	rule->card.max_points = get_double(row, 9, get_float8_infinity());
	rule->card.max_hits = get_int(row, 10, 0);
	rule->card.per = get_usecs(row, 11, "per");
	rule->enabled = get_bool(row, 12);
	rule->description = get_text(row, 13);
}

static void
read_transition(RowReader *row, void *element)
{
	LqTransition *transition = element;
	char	   *from = get_text(row, 2);
	char	   *to = get_text(row, 3);

	transition->transition_id = get_int64(row, 1);
	transition->from_any = from != NULL && strcmp(from, "*") == 0;
	transition->creation = from == NULL;
	if (from != NULL && !transition->from_any)
		transition->from = lq_funnel_stage(row->funnel, from);
	transition->to = lq_funnel_stage(row->funnel, to);
	transition->automatic = get_bool(row, 4);
	transition->after = get_interval(row, 5);
	transition->condition_text = get_text(row, 6);
	transition->condition_sql = get_text(row, 7);
	transition->has_condition = transition->condition_text != NULL;
	transition->needs_reason = get_bool(row, 8);
	transition->exception = get_bool(row, 9);
	transition->description = get_text(row, 10);
	transition->n_sides = get_texts(row, 11, &transition->sides);
	transition->reason = get_text(row, 12);
	/* a stage that is gone: such a move cannot happen */
	if (transition->to == NULL ||
		(transition->from == NULL && from != NULL && !transition->from_any))
		transition->broken = true;
}

static void
read_reason(RowReader *row, void *element)
{
	LqReason   *reason = element;

	reason->reason = get_text(row, 1);
	reason->applies_to = get_text(row, 2);
}

static void
read_side(RowReader *row, void *element)
{
	LqSide	   *side = element;

	side->name = get_text(row, 1);
	side->role = get_text(row, 2);
}

static void
read_element(RowReader *row, void *element)
{
	LqKnownElement *e = element;

	e->framework = get_text(row, 1);
	e->element = get_text(row, 2);
}

static void
read_hours(RowReader *row, void *element)
{
	LqHours    *hours = element;
	bool		isnull;

	hours->weekday = get_int(row, 1, 0);
	hours->opens = DatumGetTimeADT(get(row, 2, &isnull));
	hours->closes = DatumGetTimeADT(get(row, 3, &isnull));
}

static void
read_holiday(RowReader *row, void *element)
{
	bool		isnull;

	*(DateADT *) element = DatumGetDateADT(get(row, 1, &isnull));
}

static void
read_list(RowReader *row, void *element)
{
	LqNamedList *list = element;
	bool		isnull;
	Datum		values = get(row, 2, &isnull);
	MemoryContext old;

	list->name = get_text(row, 1);
	old = MemoryContextSwitchTo(row->funnel->context);
	list->values = DatumGetArrayTypePCopy(values);
	MemoryContextSwitchTo(old);
}

static void
read_named_rule(RowReader *row, void *element)
{
	LqNamedRule *rule = element;

	rule->rule_id = get_int64(row, 1);
	rule->name = get_text(row, 2);
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

void
lq_model_read_policy(LqFunnel *funnel)
{
	char	   *of_definition;

	(void) read_rows(funnel, LQ_TABLE_SETTING,
					 "time_zone, lead_key::text, lead_table", "", 0, NULL,
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
	(void) read_rows(funnel, LQ_TABLE_DEFINITION,
					 "definition, version, max_fit, max_engagement, floor",
					 "WHERE status = 'active'", 0, NULL, read_definition);
	funnel->n_stages =
		read_rows(funnel, LQ_TABLE_STAGE,
				  "stage, position, milestone, sla, notify, working_time",
				  "ORDER BY position, stage",
				  sizeof(LqStage), (void **) &funnel->stages, read_stage);
	funnel->n_kinds =
		read_rows(funnel, LQ_TABLE_KIND,
				  "k.kind, k.party = 'lead', k.touch, k",
				  "AS k ORDER BY k.kind COLLATE \"C\"",
				  sizeof(LqKind), (void **) &funnel->kinds, read_kind);
	funnel->n_lists =
		read_rows(funnel, LQ_TABLE_LIST,
				  "list, pg_catalog.array_agg(value ORDER BY value)",
				  "GROUP BY list ORDER BY list",
				  sizeof(LqNamedList), (void **) &funnel->lists, read_list);
	funnel->n_reasons =
		read_rows(funnel, LQ_TABLE_REASON, "reason, applies_to",
				  "ORDER BY applies_to, position, reason",
				  sizeof(LqReason), (void **) &funnel->reasons, read_reason);
	funnel->n_sides =
		read_rows(funnel, LQ_TABLE_SIDE, "side, role::text", "ORDER BY side",
				  sizeof(LqSide), (void **) &funnel->sides, read_side);
	funnel->n_elements =
		read_rows(funnel, LQ_TABLE_ELEMENT, "framework, element",
				  "ORDER BY framework, position, element",
				  sizeof(LqKnownElement), (void **) &funnel->elements,
				  read_element);

	funnel->n_hours =
		read_rows(funnel, LQ_TABLE_CALENDAR, "weekday, opens, closes",
				  "ORDER BY weekday, opens",
				  sizeof(LqHours), (void **) &funnel->hours, read_hours);
	funnel->n_holidays =
		read_rows(funnel, LQ_TABLE_HOLIDAY, "day", "ORDER BY day",
				  sizeof(DateADT), (void **) &funnel->holidays, read_holiday);

	if (funnel->definition == NULL)
		return;
	of_definition = quote_literal_cstr(funnel->definition);
	funnel->n_rules =
		read_rows(funnel, LQ_TABLE_RULE,
				  "rule_id, name, axis = 'fit', kind, condition,"
				  " condition_sql, points, half_life, max_points, max_hits,"
				  " per, enabled, description",
				  psprintf("WHERE definition = %s ORDER BY rule_id",
						   of_definition),
				  sizeof(LqRule), (void **) &funnel->rules, read_rule);
	funnel->n_transitions =
		read_rows(funnel, LQ_TABLE_TRANSITION,
				  "transition_id, from_stage, to_stage, automatic, after,"
				  " condition, condition_sql, needs_reason, exception,"
				  " description, pg_catalog.array_remove(sides, NULL), reason",
				  psprintf("WHERE definition = %s"
						   " ORDER BY position, transition_id",
						   of_definition),
				  sizeof(LqTransition), (void **) &funnel->transitions,
				  read_transition);
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
	return read_rows(&reader, LQ_TABLE_RULE, "rule_id, name",
					 psprintf("WHERE definition = %s ORDER BY rule_id",
							  quote_literal_cstr(definition)),
					 sizeof(LqNamedRule), (void **) rules, read_named_rule);
}
