/*
 * model.c
 *		Reads the policy rows of a funnel and compiles their conditions.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "compat.h"
#include "funnel.h"
#include "lead_qual.h"

static const char *const lead_columns[LQ_N_LEAD_COLUMNS] = {
	[LQ_LEAD_STAGE] = "stage",
	[LQ_LEAD_STAGE_ENTERED_AT] = "stage_entered_at",
	[LQ_LEAD_CYCLE] = "cycle",
	[LQ_LEAD_CYCLE_STARTED_AT] = "cycle_started_at",
	[LQ_LEAD_ACCEPTED_BY] = "accepted_by",
	[LQ_LEAD_ACCEPTED_AT] = "accepted_at",
	[LQ_LEAD_SCORECARD] = "scorecard",
	[LQ_LEAD_DEALS_OPEN] = "deals_open",
	[LQ_LEAD_DEALS_WON] = "deals_won",
	[LQ_LEAD_DEALS_LOST] = "deals_lost",
	[LQ_LEAD_WON_AMOUNT] = "won_amount",
	[LQ_LEAD_DUE_AT] = "due_at",
	[LQ_LEAD_REVIEW_AT] = "review_at",
	[LQ_LEAD_ANSWERS] = "answers",
	[LQ_LEAD_BANT] = "bant",
	[LQ_LEAD_MEDDIC] = "meddic",
	[LQ_LEAD_RESUME_AT] = "resume_at",
	[LQ_LEAD_REASON] = "reason",
	[LQ_LEAD_NOTE] = "note",
	[LQ_LEAD_SOURCE] = "source",
	[LQ_LEAD_CAMPAIGN] = "campaign",
	[LQ_LEAD_OWNER] = "owner",
	[LQ_LEAD_ACCOUNT_ID] = "account_id",
};

/* must be in the order of LqMilestone */
static const char *const milestones[] = {
	"lead", "mql", "sal", "sql", "opportunity", "customer",
	"nurture", "disqualified", "lost",
};

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
	row->funnel->time_zone = get_text(row, 1);
	row->funnel->key_name = get_text(row, 2);
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
	for (int i = 0; i < lengthof(milestones); i++)
		if (strcmp(milestone, milestones[i]) == 0)
			stage->milestone = (LqMilestone) i;
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
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
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
read_element(RowReader *row, void *element)
{
	LqKnownElement *e = element;

	e->framework = get_text(row, 1);
	e->element = get_text(row, 2);
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

	funnel->time_zone = pstrdup("UTC");
	if (column >= 0)
		funnel->key_name = get_attname(funnel->relid[LQ_TABLE_LEAD],
									   column + FirstLowInvalidHeapAttributeNumber,
									   false);
	MemoryContextSwitchTo(old);
}

static void
read_policy(LqFunnel *funnel)
{
	char	   *of_definition;

	(void) read_rows(funnel, LQ_TABLE_SETTING, "time_zone, lead_key::text",
					 "", 0, NULL, read_setting);
	/* data of a dump come in the order of the tables' names */
	if (funnel->key_name == NULL && lq_import_setting)
		suppose_setting(funnel);
	if (funnel->key_name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"setting\" of funnel \"%s\" is empty",
						funnel->name),
				 errhint("A funnel has exactly one row there.")));
	funnel->limits.max_fit = get_float8_infinity();
	funnel->limits.max_engagement = get_float8_infinity();
	funnel->limits.floor = -get_float8_infinity();
	(void) read_rows(funnel, LQ_TABLE_DEFINITION,
					 "definition, version, max_fit, max_engagement, floor",
					 "WHERE status = 'active'", 0, NULL, read_definition);
	funnel->n_stages =
		read_rows(funnel, LQ_TABLE_STAGE,
				  "stage, position, milestone, sla, notify",
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
	funnel->n_elements =
		read_rows(funnel, LQ_TABLE_ELEMENT, "framework, element",
				  "ORDER BY framework, position, element",
				  sizeof(LqKnownElement), (void **) &funnel->elements,
				  read_element);

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
				  " description",
				  psprintf("WHERE definition = %s"
						   " ORDER BY position, transition_id",
						   of_definition),
				  sizeof(LqTransition), (void **) &funnel->transitions,
				  read_transition);
}

/* The shapes of the tables whose columns conditions may name. */
static void
read_shapes(LqFunnel *funnel)
{
	Relation	rel;
	TypeCacheEntry *type;
	MemoryContext old = MemoryContextSwitchTo(funnel->context);

	rel = table_open(funnel->relid[LQ_TABLE_ACCOUNT], AccessShareLock);
	funnel->account_desc = CreateTupleDescCopy(RelationGetDescr(rel));
	table_close(rel, AccessShareLock);
	rel = table_open(funnel->relid[LQ_TABLE_KIND], AccessShareLock);
	funnel->kind_desc = CreateTupleDescCopy(RelationGetDescr(rel));
	table_close(rel, AccessShareLock);
	rel = table_open(funnel->relid[LQ_TABLE_LEAD], AccessShareLock);
	funnel->lead_desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	table_close(rel, AccessShareLock);

	for (int i = 0; i < LQ_N_LEAD_COLUMNS; i++)
	{
		funnel->lead_attno[i] = get_attnum(funnel->relid[LQ_TABLE_LEAD],
										   lead_columns[i]);
		if (funnel->lead_attno[i] == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of relation \"%s\" does not exist",
							lead_columns[i], "lead"),
					 errhint("The columns that create_funnel() made must keep their names.")));
	}

	funnel->key_attno = get_attnum(funnel->relid[LQ_TABLE_LEAD],
								   funnel->key_name);
	if (funnel->key_attno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						funnel->key_name, "lead"),
				 errhint("setting.lead_key names the key of the lead table.")));
	funnel->key_type = TupleDescAttr(funnel->lead_desc,
									 funnel->key_attno - 1)->atttypid;
	funnel->key_collation = TupleDescAttr(funnel->lead_desc,
										  funnel->key_attno - 1)->attcollation;
	type = lookup_type_cache(funnel->key_type, TYPECACHE_CMP_PROC);
	if (!OidIsValid(type->cmp_proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("could not identify a comparison function for type %s",
						format_type_be(funnel->key_type))));
	lq_shape_check_keys(funnel);
	funnel->key_typlen = type->typlen;
	funnel->key_typbyval = type->typbyval;
	fmgr_info_cxt(type->cmp_proc, &funnel->key_cmp, funnel->context);
	MemoryContextSwitchTo(old);
}

/*
 * Compile a stored condition.  One that no longer compiles (a function or a
 * column is gone) must not stop the leads: it is marked, skipped and
 * reported by check_funnel().
 */
static LqCondition *
compile(LqFunnel *funnel, LqConditionFor target, Relation rel,
		const char *sql, const char *text, const char *label, bool *broken)
{
	LqConditionScope scope;
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	LqCondition *volatile result = NULL;

	lq_funnel_scope(funnel, target, rel, funnel->definition, &scope);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(funnel->context);
	PG_TRY();
	{
		if (sql == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("condition has not been checked"),
					 errhint("Write it again, so that its trigger checks it.")));
		result = lq_condition_compile(sql, text, &scope, label);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		*broken = true;
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("condition of %s in funnel \"%s\" does not compile and is skipped",
						label, funnel->name),
				 errdetail("%s", error->message),
				 errhint("See check_funnel().")));
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return result;
}

static void
compile_conditions(LqFunnel *funnel)
{
	Relation	lead = table_open(funnel->relid[LQ_TABLE_LEAD],
								  AccessShareLock);
	Relation	activity = table_open(funnel->relid[LQ_TABLE_ACTIVITY],
									  AccessShareLock);
	MemoryContext old = MemoryContextSwitchTo(funnel->context);

	for (int i = 0; i < funnel->n_rules; i++)
	{
		LqRule	   *rule = &funnel->rules[i];
		bool		fit = rule->card.axis == LQ_AXIS_FIT;

		if (!rule->has_condition || !rule->enabled)
			continue;
		rule->condition = compile(funnel,
								  fit ? LQ_FOR_FIT : LQ_FOR_ACTIVITY,
								  fit ? lead : activity,
								  rule->condition_sql, rule->condition_text,
								  psprintf("rule \"%s\"", rule->name),
								  &rule->broken);
		if (fit && rule->condition != NULL)
			funnel->fit_columns =
				bms_add_members(funnel->fit_columns,
								lq_condition_columns(rule->condition));
		for (int p = 0; fit && rule->condition != NULL &&
			 p < lq_condition_n_parts(rule->condition); p++)
		{
			const LqConditionPart *part =
			lq_condition_part(rule->condition, p);

			/* what the account says is found through its id */
			if (part->n_pseudos > 0)
				funnel->fit_columns =
					bms_add_member(funnel->fit_columns,
								   funnel->lead_attno[LQ_LEAD_ACCOUNT_ID]);
		}
	}
	for (int i = 0; i < funnel->n_transitions; i++)
	{
		LqTransition *transition = &funnel->transitions[i];

		if (transition->broken || !transition->has_condition)
			continue;
		transition->condition =
			compile(funnel, LQ_FOR_TRANSITION, lead,
					transition->condition_sql, transition->condition_text,
					psprintf("transition " INT64_FORMAT,
							 transition->transition_id),
					&transition->broken);
	}
	MemoryContextSwitchTo(old);
	table_close(activity, AccessShareLock);
	table_close(lead, AccessShareLock);
}

/*
 * Fill in a funnel whose tables are known.
 */
void
lq_model_load(LqFunnel *funnel)
{
	LqIdentity	saved;

	lq_funnel_enter(funnel, &saved);
	SPI_connect();
	lq_shape_check(funnel);
	read_policy(funnel);
	read_shapes(funnel);
	SPI_finish();
	compile_conditions(funnel);
	lq_funnel_leave(&saved);
}

/*
 * The names that a condition may use.  Those of rules come from the
 * definition that the condition belongs to, which need not be the active one.
 */
void
lq_funnel_scope(const LqFunnel *funnel, LqConditionFor target,
				Relation relation, const char *definition,
				LqConditionScope *scope)
{
	memset(scope, 0, sizeof(*scope));
	scope->target = target;
	scope->relation = relation;
	scope->n_lists = funnel->n_lists;
	scope->lists = funnel->lists;
	scope->account_desc = funnel->account_desc;
	scope->kind_desc = funnel->kind_desc;

	if (target != LQ_FOR_TRANSITION || definition == NULL)
		return;
	if (funnel->definition != NULL &&
		strcmp(funnel->definition, definition) == 0)
	{
		scope->n_rules = funnel->n_rules;
		scope->rules = palloc(Max(funnel->n_rules, 1) * sizeof(LqNamedRule));
		for (int i = 0; i < funnel->n_rules; i++)
		{
			scope->rules[i].name = funnel->rules[i].name;
			scope->rules[i].rule_id = funnel->rules[i].card.rule_id;
		}
	}
	else
	{
		LqFunnel	reader = *funnel;
		LqIdentity	saved;

		reader.context = CurrentMemoryContext;
		lq_funnel_enter(funnel, &saved);
		SPI_connect();
		scope->n_rules =
			read_rows(&reader, LQ_TABLE_RULE, "rule_id, name",
					  psprintf("WHERE definition = %s ORDER BY rule_id",
							   quote_literal_cstr(definition)),
					  sizeof(LqNamedRule), (void **) &scope->rules,
					  read_named_rule);
		SPI_finish();
		lq_funnel_leave(&saved);
	}
}
