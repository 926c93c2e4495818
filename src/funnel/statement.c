/*
 * statement.c
 *		The SQL statements that the C code runs over a funnel's tables.
 *
 * Each is prepared once for a funnel that a session keeps.  All names are qualified, and
 * all run as the funnel's owner under the path that lq_funnel_enter() sets,
 * on which pg_catalog comes first, and the funnel's schema after it.  An
 * operator or a function there whose arguments fit exactly would be preferred
 * to one of the server's that takes them by a cast.  So keys, whose type is
 * the user's (varchar, a domain), are compared by {=}, and functions that are
 * polymorphic are named with their schema.
 *
 * As in referential integrity triggers, a statement sees all that is
 * committed when it starts.  A writer that waited for a lead's row must see
 * what the one before it wrote, whatever snapshot its own command has.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "catalog.h"
#include "compat.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/lead_table.h"
#include "funnel/statement.h"
#include "funnel/tables.h"

PG_FUNCTION_INFO_V1(latest_first);

/* which of the answers to an element holds */
#define LATEST_FIRST "answered_at DESC, answer_id DESC"

/*
 * {lead} and the like stand for the qualified table, {key} for the lead's key;
 * {lead_rows} and {rows_key} for the same where leads are in a table of the
 * user's and {lead} is a view of it; {=} for the server's own operator;
 * {deals_of_leads} for the query that counts deals.  {frameworks} are the
 * columns of the frameworks that are types, {set_frameworks} sets them to the
 * last arguments, {best_frameworks} aggregates them, and {framework_names}
 * lists them as values.
 * The types of arguments, and of the columns that come back, are codes of
 * lq_type_of_code(); in what comes back, ! follows where there must be a
 * value, F stands for those of the frameworks, and L, E and O are whole rows
 * of lead, activity and account.
 */
/* *INDENT-OFF* */
static const struct
{
	const char *args;
	const char *result;
	const char *text;
}			statements[LQ_N_STATEMENTS] =

{
	[LQ_STATEMENT_LOCK_LEAD] = {"k", "ctF!j!i!i!i!n!",
		"SELECT scorecard, source, {frameworks}, answers,"
		" deals_open, deals_won, deals_lost, won_amount"
	" FROM {lead} WHERE {key} {=} $1 FOR NO KEY UPDATE"},
	[LQ_STATEMENT_LOCK_LEADS] = {"K", "k!",
		"SELECT {key} FROM {lead} WHERE {key} {=} ANY ($1) ORDER BY {key}"
	" FOR NO KEY UPDATE"},
	[LQ_STATEMENT_LEAD_EXISTS] = {"k", "",
	"SELECT FROM {lead} WHERE {key} {=} $1"},
	[LQ_STATEMENT_NAMED] = {"k", "",
		"SELECT WHERE EXISTS (SELECT FROM {activity} WHERE lead_id {=} $1)"
		" OR EXISTS (SELECT FROM {answer} WHERE lead_id {=} $1)"
		" OR EXISTS (SELECT FROM {baseline} WHERE lead_id {=} $1)"
		" OR EXISTS (SELECT FROM {deal_contact} WHERE lead_id {=} $1)"
		" OR EXISTS (SELECT FROM {signature} WHERE lead_id {=} $1)"
		" OR EXISTS (SELECT FROM {stage_history} WHERE lead_id {=} $1)"
	" OR EXISTS (SELECT FROM {verdict} WHERE lead_id {=} $1)"},
	[LQ_STATEMENT_LEAD] = {"k", "L!",
	"SELECT (l.*)::{lead_rows} FROM {lead_rows} AS l WHERE l.{rows_key} {=} $1"},
	[LQ_STATEMENT_SET_CARD] = {"kc", "",
	"UPDATE {lead} SET scorecard = $2 WHERE {key} {=} $1"},
	[LQ_STATEMENT_SET_CARD_AND_SOURCE] = {"kctt", "",
		"UPDATE {lead} SET scorecard = $2, source = $3,"
	" campaign = coalesce(campaign, $4) WHERE {key} {=} $1"},
	[LQ_STATEMENT_SET_ANSWERS] = {"kjF", "",
		"UPDATE {lead} SET answers = $2, {set_frameworks}"
	" WHERE {key} {=} $1"},
	[LQ_STATEMENT_SET_DEALS] = {"kiiint", "",
		"UPDATE {lead} SET deals_open = $2, deals_won = $3, deals_lost = $4,"
	" won_amount = $5, reason = coalesce($6, reason) WHERE {key} {=} $1"},
	[LQ_STATEMENT_REVIEW] = {"k", "",
	"UPDATE {lead} SET review_at = review_at WHERE {key} {=} $1"},
	/* the log with what was archived of it, as one snapshot has them */
	[LQ_STATEMENT_LOG] = {"k", "Ec",
		"SELECT (a.*)::{activity}, b.scorecard FROM (SELECT) AS one"
		" LEFT JOIN {baseline} AS b ON b.lead_id {=} $1"
		" LEFT JOIN {activity} AS a ON a.lead_id {=} $1"
		" ORDER BY {_counts_at}(a.occurred_at::timestamptz, a.recorded_at::timestamptz),"
	" a.activity_id"},
	/* from its end, some at a time; of these kinds, or of any */
	[LQ_STATEMENT_LOG_BACKWARDS] = {"kzIiT", "E!",
		"SELECT (a.*)::{activity} FROM {activity} AS a WHERE a.lead_id {=} $1"
		" AND (a.occurred_at, a.activity_id) OPERATOR(pg_catalog.<) ($2, $3)"
		" AND ($5 IS NULL OR a.kind::text {=} ANY ($5))"
	" ORDER BY a.occurred_at DESC, a.activity_id DESC LIMIT $4"},
	[LQ_STATEMENT_BASELINE] = {"k", "c!",
	"SELECT scorecard FROM {baseline} WHERE lead_id {=} $1"},
	[LQ_STATEMENT_OLD_LEADS] = {"z", "K",
		"SELECT pg_catalog.array_agg(lead_id ORDER BY lead_id)"
		" FROM (SELECT DISTINCT lead_id FROM {activity}"
		" WHERE {_counts_at}(occurred_at::timestamptz, recorded_at::timestamptz)"
	" < $1) AS a"},
	[LQ_STATEMENT_TAKE_OLD] = {"kz", "E!c",
		"WITH old AS (DELETE FROM {activity} AS a WHERE lead_id {=} $1"
		" AND {_counts_at}(occurred_at::timestamptz, recorded_at::timestamptz) < $2"
		" RETURNING (a.*)::{activity} AS event, activity_id,"
		" {_counts_at}(occurred_at::timestamptz, recorded_at::timestamptz) AS at)"
		" SELECT old.event, b.scorecard FROM old"
		" LEFT JOIN {baseline} AS b ON b.lead_id {=} $1"
	" ORDER BY old.at, old.activity_id"},
	[LQ_STATEMENT_SET_BASELINE] = {"kczI", "",
		"INSERT INTO {baseline} AS b (lead_id, scorecard, archived_before, n)"
		" VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (lead_id) DO UPDATE SET scorecard = excluded.scorecard,"
		" archived_before = greatest(b.archived_before, excluded.archived_before),"
	" n = b.n + excluded.n"},
	[LQ_STATEMENT_RULE_NAME] = {"I", "t!",
	"SELECT name FROM {rule} WHERE rule_id = $1"},
	[LQ_STATEMENT_LATEST_ANSWER] = {"ktt", "l!",
		"SELECT level FROM {answer}"
		" WHERE lead_id {=} $1 AND framework = $2 AND element = $3"
	" ORDER BY " LATEST_FIRST " LIMIT 1"},
	[LQ_STATEMENT_OTHER_ANSWERS] = {"k", "j!",
		"SELECT coalesce(pg_catalog.jsonb_object_agg(framework, levels), '{}')"
		" FROM (SELECT framework,"
		" pg_catalog.jsonb_object_agg(element, level::text) AS levels"
		" FROM (SELECT DISTINCT ON (framework, element) framework, element, level"
		" FROM {answer} WHERE lead_id {=} $1"
		" AND framework NOT IN ({framework_names})"
		" ORDER BY framework, element, " LATEST_FIRST ") AS latest"
	" GROUP BY framework) AS f"},
	[LQ_STATEMENT_ADD_ANSWER] = {"kttltz", "",
		"INSERT INTO {answer} (lead_id, framework, element, level, via,"
		" answered_by, answered_at)"
		" SELECT $1, $2, $3, $4, 'lead', $5, greatest($6, max(answered_at))"
		" FROM {answer}"
	" WHERE lead_id {=} $1 AND framework = $2 AND element = $3"},
	[LQ_STATEMENT_EXPIRE_ANSWERS] = {"kz", "",
		"INSERT INTO {answer} (lead_id, framework, element, level, via, answered_at)"
		" SELECT $1, e.framework, e.element, 'unknown', 'expired', $2"
		" FROM {setting} AS s CROSS JOIN {element} AS e CROSS JOIN LATERAL"
		" (SELECT level, answered_at FROM {answer} WHERE lead_id {=} $1"
		" AND framework = e.framework AND element = e.element"
		" ORDER BY " LATEST_FIRST " LIMIT 1) AS a"
		" WHERE e.valid_for IS NOT NULL AND a.level::text <> 'unknown'"
		" AND (a.answered_at AT TIME ZONE s.time_zone + e.valid_for)"
	" AT TIME ZONE s.time_zone <= $2"},
	[LQ_STATEMENT_ADD_HISTORY] = {"kttzitBBttntittt" "Iz", "",
		"INSERT INTO {stage_history} (lead_id, from_stage, to_stage,"
		" entered_at, cycle, actor, automatic, exception, reason, note, score,"
		" definition, version, source, campaign, owner, account_id, due_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
	" $15, $16, $17, $18)"},
	[LQ_STATEMENT_ACCOUNT] = {"I", "O!",
	"SELECT (a.*)::{account} FROM {account} AS a WHERE a.account_id {=} $1"},
	[LQ_STATEMENT_ACCOUNT_LEADS] = {"A", "k!",
	"SELECT {key} FROM {lead} WHERE account_id {=} ANY ($1) ORDER BY {key}"},
	[LQ_STATEMENT_ACCOUNT_ANSWERS] = {"Ik", "F",
		"SELECT {best_frameworks} FROM {lead}"
	" WHERE account_id {=} $1 AND NOT {key} {=} $2"},
	[LQ_STATEMENT_LOCK_DEALS] = {"A", "",
		"SELECT FROM {deal} WHERE deal_id {=} ANY ($1) ORDER BY deal_id"
	" FOR NO KEY UPDATE"},
	[LQ_STATEMENT_DEAL_LEADS] = {"A", "k!",
		"SELECT DISTINCT lead_id FROM {deal_contact}"
	" WHERE deal_id = ANY ($1) ORDER BY lead_id"},
	[LQ_STATEMENT_DEALS] = {"k", "i!i!i!n!t",
		"SELECT deals_open, deals_won, deals_lost, won_amount, reason"
	" FROM ({deals_of_leads}) AS d WHERE key {=} $1"},
	[LQ_STATEMENT_KEYS] = {"", "k!",
	"SELECT {key} FROM {lead} ORDER BY {key}"},
	[LQ_STATEMENT_DUE] = {"z", "k!",
	"SELECT {key} FROM {lead} WHERE review_at <= $1 ORDER BY review_at"},
	[LQ_STATEMENT_CLAIM_DUE] = {"kz", "",
		"SELECT FROM {lead} WHERE {key} {=} $1 AND review_at <= $2"
	" FOR NO KEY UPDATE SKIP LOCKED"},
	/* what is due is for the other sweep, and comes last if it failed there */
	[LQ_STATEMENT_STALE] = {"iz", "k!",
		"SELECT {key} FROM {lead} WHERE (scorecard IS NULL"
		" OR {scored_version}(scorecard) <> $1)"
	" AND (review_at <= $2) IS NOT TRUE"},
	[LQ_STATEMENT_CLAIM_STALE] = {"ki", "",
		"SELECT FROM {lead} WHERE {key} {=} $1 AND (scorecard IS NULL"
		" OR {scored_version}(scorecard) <> $2)"
	" FOR NO KEY UPDATE SKIP LOCKED"},
	[LQ_STATEMENT_PUT_LAST] = {"kz", "",
	"UPDATE {lead} SET review_at = $2 WHERE {key} {=} $1"},
	/* to which, guard_definition() says */
	[LQ_STATEMENT_RAISE_VERSION] = {"t", "",
	"UPDATE {definition} SET version = version + 1 WHERE definition = $1"},
	/* the sides that signed what may not be changed */
	[LQ_STATEMENT_BOUND] = {"t", "t",
		"SELECT pg_catalog.array_to_string(sides, ', ') FROM {definition}"
		" WHERE definition = $1 AND status = 'active'"
		" AND pg_catalog.cardinality(sides) > 0"
	" AND NOT coalesce((SELECT edit_signed FROM {setting}), false)"},
	[LQ_STATEMENT_SIGNERS] = {"ktitz", "t!",
		"SELECT DISTINCT signed_by FROM {signature}"
		" WHERE lead_id {=} $1 AND to_stage = $2 AND cycle = $3 AND side = $4"
		" AND signed_at >= $5"
	" ORDER BY signed_by"},
	[LQ_STATEMENT_FORGET] = {"k", "",
		"WITH gone AS (SELECT FROM (SELECT) AS one"
		" WHERE NOT EXISTS (SELECT FROM {lead} WHERE {key} {=} $1)),"
		" a AS (DELETE FROM {activity} WHERE lead_id {=} $1"
		" AND EXISTS (SELECT FROM gone)),"
		" b AS (DELETE FROM {baseline} WHERE lead_id {=} $1"
		" AND EXISTS (SELECT FROM gone)),"
		" c AS (DELETE FROM {answer} WHERE lead_id {=} $1"
		" AND EXISTS (SELECT FROM gone))"
		" DELETE FROM {verdict} WHERE lead_id {=} $1"
	" AND EXISTS (SELECT FROM gone)"},
};

/* *INDENT-ON* */

/*
 * The query that counts deals by lead, which functions in SQL work with, too:
 * _deals_query(funnel text, leads regclass, key name).
 */
static char *
deals_query(const LqFunnel *funnel)
{
	Oid			argtypes[3] = {TEXTOID, REGCLASSOID, NAMEOID};
	Oid			schema = lq_extension_schema();
	oidvector  *types = buildoidvector(argtypes, 3);
	Oid			leads = OidIsValid(funnel->lead_view) ? funnel->lead_view :
	funnel->relid[LQ_TABLE_LEAD];
	NameData	key;
	Oid			function =
	GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
					CStringGetDatum("_deals_query"), PointerGetDatum(types),
					ObjectIdGetDatum(schema));

	if (!OidIsValid(function))
		elog(ERROR, "function \"%s\" of lead_qual not found", "_deals_query");
	namestrcpy(&key, lq_lead_key_column(funnel));
	return TextDatumGetCString(OidFunctionCall3(function,
												CStringGetTextDatum(funnel->name),
												ObjectIdGetDatum(leads),
												NameGetDatum(&key)));
}

/* How many types is this code for? */
static int
code_width(const LqFunnel *funnel, char code)
{
	return code == 'F' ? lq_n_frameworks(funnel) : 1;
}

/* The i-th of them, as lq_type_of_code() knows it. */
static char
code_at(char code, int i)
{
	return code == 'F' ? '0' + i : code;
}

/* The name of something of ours, with its schema. */
static const char *
ours(const char *name)
{
	return quote_qualified_identifier(get_namespace_name(lq_extension_schema()),
									  name);
}

/*
 * Something for each framework: its column, its name as a value, or, from
 * first_param on, what sets the column.
 */
static void
append_frameworks(StringInfo buf, const LqFunnel *funnel, const char *what,
				  int first_param)
{
	for (int i = 0; i < lq_n_frameworks(funnel); i++)
	{
		const char *column = lq_column_name(LQ_LEAD_FRAMEWORK(i));

		if (i > 0)
			appendStringInfoString(buf, ", ");
		if (strcmp(what, "framework_names") == 0)
			appendStringInfoString(buf, quote_literal_cstr(column));
		else if (strcmp(what, "best_frameworks") == 0)
			appendStringInfo(buf, "%s(%s::%s) AS %s", ours("best"),
							 quote_identifier(column), ours(column),
							 quote_identifier(column));
		else
			appendStringInfoString(buf, quote_identifier(column));
		if (strcmp(what, "set_frameworks") == 0)
			appendStringInfo(buf, " = $%d", first_param + i);
	}
}

/* Put the funnel's names in the place of {...}. */
static char *
expand(const LqFunnel *funnel, LqStatement statement)
{
	const char *text = statements[statement].text;
	StringInfoData buf;

	initStringInfo(&buf);
	while (*text != '\0')
	{
		const char *end;
		char	   *name;
		LqTable		table;

		/* '{}' in a literal stays */
		if (*text != '{' || text[1] == '}')
		{
			if (*text == '{')
				appendStringInfoChar(&buf, *text++);
			appendStringInfoChar(&buf, *text++);
			continue;
		}
		end = strchr(text, '}');
		name = pnstrdup(text + 1, end - text - 1);
		if (strcmp(name, "=") == 0)
			appendStringInfoString(&buf, "OPERATOR(pg_catalog.=)");
		else if (strcmp(name, "key") == 0)
			appendStringInfoString(&buf,
								   quote_identifier(lq_lead_key_column(funnel)));
		else if (strcmp(name, "rows_key") == 0)
			appendStringInfoString(&buf, quote_identifier(funnel->key_name));
		else if (strcmp(name, "deals_of_leads") == 0)
			appendStringInfoString(&buf, deals_query(funnel));
		else if (strcmp(name, "lead_rows") == 0)
			appendStringInfoString(&buf,
								   lq_relation_name(funnel->relid[LQ_TABLE_LEAD]));
		else if (strstr(name, "framework") != NULL)
			append_frameworks(&buf, funnel, name,
							  strlen(statements[statement].args));
		else if (lq_table_by_name(name, &table))
			appendStringInfoString(&buf, lq_funnel_table(funnel, table));
		else
			appendStringInfoString(&buf, ours(name));
		text = end + 1;
	}
	return buf.data;
}

/*
 * What is sought by key is planned once: no other key would have another plan,
 * though the planner may think so of arrays and plan anew each time.  But a
 * log that is read from its end is planned as its reader wants it.
 */
static int
plan_options(LqStatement statement)
{
	char		code = statements[statement].args[0];

	if (statement == LQ_STATEMENT_LOG_BACKWARDS)
		return CURSOR_OPT_CUSTOM_PLAN;
	return code == 'k' || code == 'K' ? CURSOR_OPT_GENERIC_PLAN : 0;
}

static SPIPlanPtr
statement_plan(const LqFunnel *funnel, LqStatement statement)
{
	SPIPlanPtr	plan = funnel->plans[statement];
	const char *args = statements[statement].args;
	int			nargs = 0;
	Oid			argtypes[FUNC_MAX_ARGS];

	if (plan != NULL)
		return plan;

	for (; *args != '\0'; args++)
		for (int i = 0; i < code_width(funnel, *args); i++)
			argtypes[nargs++] = lq_type_of_code(funnel, code_at(*args, i));
	plan = SPI_prepare_cursor(expand(funnel, statement), nargs, argtypes,
							  plan_options(statement));
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	funnel->plans[statement] = plan;
	return plan;
}

/*
 * A constraint of the user's that our write violates reports the row, for the
 * owner may read it.  But it is another who reads the error.
 */
static void
rethrow(const LqFunnel *funnel, MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) ==
		ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION &&
		!lq_is_owner(GetOuterUserId(), funnel->owner))
		error->detail = NULL;
	FlushErrorState();
	ReThrowError(error);
}

static bool
is_row_code(char code)
{
	return code == 'L' || code == 'E' || code == 'O';
}

/* Are rows of that type in the shape that the funnel knows? */
static bool
row_fits(const LqFunnel *funnel, char code, Oid type)
{
	LqTable		table = code == 'L' ? LQ_TABLE_LEAD :
	code == 'E' ? LQ_TABLE_ACTIVITY : LQ_TABLE_ACCOUNT;
	TupleDesc	known = code == 'L' ? funnel->lead_desc :
	code == 'E' ? funnel->activity_desc : funnel->account_desc;
	TupleDesc	desc;
	bool		fits;

	if (type != get_rel_type_id(funnel->relid[table]))
		return false;
	desc = lookup_rowtype_tupdesc(type, -1);
	fits = desc->natts == known->natts;
	for (int i = 0; fits && i < desc->natts; i++)
		fits = TupleDescAttr(desc, i)->atttypid ==
			TupleDescAttr(known, i)->atttypid;
	ReleaseTupleDesc(desc);
	return fits;
}

/*
 * Raise unless a result is what its reader takes it for.  The columns were
 * proven when the funnel was read, but a trigger of the user's may have altered
 * a table since, in the midst of our work.  rows: NULL for those of a cursor.
 */
static void
check_result(const LqFunnel *funnel, LqStatement statement, TupleDesc desc,
			 const SPITupleTable *rows, uint64 n)
{
	const char *code = statements[statement].result;
	int			nth = 0;

	for (int i = 0; *code != '\0'; i++)
	{
		Oid			type = TupleDescAttr(desc, i)->atttypid;
		char		expected = code_at(*code, nth);
		bool		not_null = code[1] == '!';
		bool		fits = is_row_code(expected) ?
		row_fits(funnel, expected, type) :
		lq_type_fits(type, lq_type_of_code(funnel, expected));

		for (uint64 r = 0; not_null && rows != NULL && r < n; r++)
			if (HeapTupleHasNulls(rows->vals[r]) &&
				heap_attisnull(rows->vals[r], i + 1, desc))
				fits = false;
		if (++nth == code_width(funnel, *code))
		{
			nth = 0;
			code += not_null ? 2 : 1;
		}
		if (!fits)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("a table of funnel \"%s\" was altered while it was in use",
							funnel->name),
					 errdetail("Column \"%s\" that was read from it is of type %s, or null.",
							   NameStr(TupleDescAttr(desc, i)->attname),
							   format_type_be(type)),
					 errhint("Alter tables of a funnel in a statement of its own, not in a trigger.")));
	}
}

Datum
lq_statement_get(const SPITupleTable *rows, uint64 row, LqColumn column,
				 bool *isnull)
{
	int			attno = SPI_fnumber(rows->tupdesc, lq_column_name(column));

	if (attno <= 0)
		elog(ERROR, "column \"%s\" was not read", lq_column_name(column));
	return SPI_getbinval(rows->vals[row], rows->tupdesc, attno, isnull);
}

static uint64
run(const LqFunnel *funnel, LqStatement statement, Datum *values,
	const char *nulls, Snapshot snapshot, Snapshot crosscheck)
{
	MemoryContext caller = CurrentMemoryContext;
	int			result = 0;

	PG_TRY();
	{
		result = SPI_execute_snapshot(statement_plan(funnel, statement),
									  values, nulls, snapshot, crosscheck,
									  false, true, 0);
	}
	PG_CATCH();
	{
		rethrow(funnel, caller);
	}
	PG_END_TRY();
	/* SPI leaves its own context current */
	MemoryContextSwitchTo(caller);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s",
			 SPI_result_code_string(result));
	if (SPI_tuptable != NULL)
		check_result(funnel, statement, SPI_tuptable->tupdesc, SPI_tuptable,
					 SPI_processed);
	return SPI_processed;
}

/*
 * Run a statement; its rows are in SPI_tuptable.  The caller has connected to
 * SPI and entered the funnel.
 *
 * SPI leaves its own memory context behind as the current one.  Who works
 * lead by lead frees a context with each, and must be back in it.
 */
uint64
lq_statement_run(const LqFunnel *funnel, LqStatement statement,
				 Datum *values, const char *nulls)
{
	return run(funnel, statement, values, nulls, InvalidSnapshot,
			   InvalidSnapshot);
}

/*
 * Run a statement over what the lock of a lead protects.  A fact of the lead
 * need not have written its row, only locked it; so where a transaction has
 * one snapshot for all, the lock can be had and the snapshot lack the fact.
 * The statement reads what is committed by now, and one that would change a
 * row that the transaction cannot see fails: as in ri_triggers.c.
 */
uint64
lq_statement_run_latest(const LqFunnel *funnel, LqStatement statement,
						Datum *values, const char *nulls)
{
	if (!IsolationUsesXactSnapshot())
		return lq_statement_run(funnel, statement, values, nulls);
	(void) statement_plan(funnel, statement);
	CommandCounterIncrement();
	return run(funnel, statement, values, nulls, GetLatestSnapshot(),
			   GetTransactionSnapshot());
}

Portal
lq_statement_open(const LqFunnel *funnel, LqStatement statement,
				  Datum *values)
{
	Portal		portal = SPI_cursor_open(NULL,
										 statement_plan(funnel, statement),
										 values, NULL, false);

	check_result(funnel, statement, portal->tupDesc, NULL, 0);
	return portal;
}

/* _latest_first() - text: an ORDER BY of answers to one element */
Datum
latest_first(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(LATEST_FIRST));
}
