/*
 * statement_text.c
 *		The texts of the SQL statements that the C code runs.
 *
 * All names are qualified, and all run under a path on which pg_catalog comes
 * first, and the funnel's schema after it.  An operator or a function there
 * whose arguments fit exactly would be preferred to one of the server's that
 * takes them by a cast.  So keys, whose type is the user's (varchar, a domain),
 * are compared by {=}, and functions that are polymorphic are named with their
 * schema.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/lead_table.h"
#include "funnel/milestone.h"
#include "funnel/query_text.h"
#include "funnel/statement_text.h"
#include "funnel/tables.h"
#include "funnel/unit_row.h"

PG_FUNCTION_INFO_V1(latest_first);

/* which of the answers to an element holds */
#define LATEST_FIRST "answered_at DESC, answer_id DESC"

/*
 * {lead} and the like stand for the qualified table, {key} for the lead's key;
 * {lead_rows} and {rows_key} for the same where leads are in a table of the
 * user's and {lead} is a view of it; {external_id} and {email} for those of
 * a lead, NULL where it has none, {external_id_as} for what to compare the
 * first with, {external_id_type} for its type; {=} for the server's own operator; {deals_of_leads} for the
 * query that counts deals.  {frameworks} are the
 * columns of the frameworks that are types, {set_frameworks} sets them to the
 * last arguments, {best_frameworks} aggregates them, and {framework_names}
 * lists them as values.
 * The types of arguments, and of the columns that come back, are codes of
 * lq_type_of_code(); in what comes back, ! follows where there must be a
 * value, F stands for those of the frameworks, and L, E and O are whole rows
 * of lead, activity and account.
 */
/* *INDENT-OFF* */
typedef struct Statement
{
	const char *args;
	const char *result;
	const char *text;
} Statement;

static const Statement statements[] =

{
	[LQ_STATEMENT_LOCK_LEAD] = {"k", "ctF!j!i!i!i!n!",
		"SELECT scorecard, source, {frameworks}, answers,"
		" deals_open, deals_won, deals_lost, won_amount"
	" FROM {lead} WHERE {key} {=} $1 FOR NO KEY UPDATE"},
	[LQ_STATEMENT_LOCK_LEADS] = {"K", "k!",
		"SELECT {key} FROM {lead} WHERE {key} {=} ANY ($1) ORDER BY {key}"
	" FOR NO KEY UPDATE"},
	[LQ_STATEMENT_LOCK_CYCLE] = {"k", "i!z!",
		"SELECT cycle, cycle_started_at FROM {lead} WHERE {key} {=} $1"
	" FOR NO KEY UPDATE"},
	[LQ_STATEMENT_LEAD_EXISTS] = {"k", "",
	"SELECT FROM {lead} WHERE {key} {=} $1"},
	[LQ_STATEMENT_DEPARTED] = {"k", "",
	"SELECT FROM {departure} WHERE lead_id {=} $1 LIMIT 1"},
	/* two are enough to know that it is not one */
	[LQ_STATEMENT_SEEK_EXTERNAL_ID] = {"t", "k!",
		"SELECT {key} FROM {lead} WHERE external_id {=} $1::{external_id_type}"
	" LIMIT 2"},
	[LQ_STATEMENT_SEEK_EMAIL] = {"t", "k!",
		"SELECT {key} FROM {lead} WHERE pg_catalog.lower({email})"
	" {=} pg_catalog.lower($1) LIMIT 2"},
	[LQ_STATEMENT_SEEK_ALIAS_ID] = {"t", "k!",
		"SELECT a.lead_id FROM {lead_alias} AS a JOIN {lead} AS l"
	" ON l.{key} {=} a.lead_id WHERE a.external_id {=} $1"},
	[LQ_STATEMENT_SEEK_ALIAS_EMAIL] = {"t", "k!",
		"SELECT a.lead_id FROM {lead_alias} AS a JOIN {lead} AS l"
		" ON l.{key} {=} a.lead_id"
	" WHERE pg_catalog.lower(a.email) {=} pg_catalog.lower($1)"},
	[LQ_STATEMENT_SEEK_FORMER_KEY] = {"t", "k!",
		"SELECT a.lead_id FROM {lead_alias} AS a JOIN {lead} AS l"
	" ON l.{key} {=} a.lead_id WHERE a.former_key {=} $1"},
	/* another lead that has an external id or an address, or an alias of one */
	[LQ_STATEMENT_ADDRESS_OF] = {"ktt", "k!",
		"SELECT {key} FROM {lead}"
		" WHERE {external_id} {=} $2::{external_id_as}"
		" AND NOT {key} {=} $1 UNION ALL"
		" SELECT {key} FROM {lead} WHERE pg_catalog.lower({email})"
		" {=} pg_catalog.lower($3) AND NOT {key} {=} $1"
	" LIMIT 1"},
	[LQ_STATEMENT_ALIAS_OF] = {"ktt", "k!t",
		"SELECT lead_id, email FROM {lead_alias} WHERE external_id {=} $2"
		" AND NOT lead_id {=} $1 UNION ALL"
		" SELECT lead_id, email FROM {lead_alias} WHERE pg_catalog.lower(email)"
		" {=} pg_catalog.lower($3) AND NOT lead_id {=} $1"
	" LIMIT 1"},
	[LQ_STATEMENT_NAMED] = {"k", "",
		"SELECT WHERE EXISTS (SELECT FROM {activity} WHERE lead_id {=} $1)"
		" OR EXISTS (SELECT FROM {answer} WHERE lead_id {=} $1)"
		" OR EXISTS (SELECT FROM {baseline} WHERE lead_id {=} $1)"
		" OR EXISTS (SELECT FROM {deal_contact} WHERE lead_id {=} $1)"
		" OR EXISTS (SELECT FROM {lead_alias} WHERE lead_id {=} $1)"
		" OR EXISTS (SELECT FROM {signature} WHERE lead_id {=} $1)"
		" OR EXISTS (SELECT FROM {stage_history} WHERE lead_id {=} $1)"
	" OR EXISTS (SELECT FROM {verdict} WHERE lead_id {=} $1)"},
	[LQ_STATEMENT_LEAD] = {"k", "L!",
	"SELECT (l.*)::{lead_rows} FROM {lead_rows} AS l WHERE l.{rows_key} {=} $1"},
	[LQ_STATEMENT_LEADS] = {"", "L!",
	"SELECT (l.*)::{lead_rows} FROM {lead_rows} AS l"},
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
	[LQ_STATEMENT_ACCOUNT] = {"I", "O!",
	"SELECT (a.*)::{account} FROM {account} AS a WHERE a.account_id {=} $1"},
	/* against its update, which need not see a lead that is not committed */
	[LQ_STATEMENT_HOLD_ACCOUNT] = {"I", "O!",
		"SELECT (a.*)::{account} FROM {account} AS a WHERE a.account_id {=} $1"
	" FOR SHARE"},
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
	/* to which, _guard_definition() says */
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
	/* its facts go, and its units end */
	[LQ_STATEMENT_FORGET] = {"kz", "",
		"WITH a AS (DELETE FROM {activity} WHERE lead_id {=} $1),"
		" b AS (DELETE FROM {baseline} WHERE lead_id {=} $1),"
		" c AS (DELETE FROM {answer} WHERE lead_id {=} $1),"
		" d AS (DELETE FROM {verdict} WHERE lead_id {=} $1),"
		" e AS (DELETE FROM {lead_alias} WHERE lead_id {=} $1),"
		" j AS (UPDATE {journey} SET gone_at = $2"
		" WHERE lead_id {=} $1 AND gone_at IS NULL)"
		" INSERT INTO {departure} (lead_id, at, how, last_move)"
		" SELECT $1, $2, 'deleted', coalesce(max(history_id), 0)"
	" FROM {stage_history} WHERE lead_id {=} $1"},
	/* the units of a lead's present life, with what sales did in each */
#define PRESENT_UNITS \
	"(SELECT j.cycle, j.mql_at," \
	" lead(j.started_at) OVER (ORDER BY j.cycle) AS ended_at" \
	" FROM {journey} AS j WHERE j.lead_id {=} $1 AND j.gone_at IS NULL) AS u" \
	" CROSS JOIN LATERAL (SELECT count(*), min(l.at)," \
	" min(l.at) FILTER (WHERE l.conversation) FROM ({sales_log}) AS l" \
	" WHERE l.lead_id {=} $1 AND l.at >= u.mql_at" \
	" AND l.at < coalesce(u.ended_at, 'infinity') AND l.at < $2)" \
	" AS t (n, touch_at, conversation_at)"
	[LQ_STATEMENT_KEEP_TOUCHES] = {"kz", "",
		"UPDATE {stage_history} AS h"
		" SET touches = coalesce(h.touches, 0) + t.n,"
		" first_touch_at = least(h.first_touch_at, t.touch_at),"
		" first_conversation_at = least(h.first_conversation_at, t.conversation_at)"
		" FROM " PRESENT_UNITS
		" WHERE t.n > 0 AND h.history_id = (SELECT m.history_id"
		" FROM {stage_history} AS m JOIN {stage} AS s ON s.stage = m.to_stage"
		" WHERE m.lead_id {=} $1 AND m.cycle = u.cycle AND m.voided_at IS NULL"
		" AND s.milestone = 'mql'"
	" ORDER BY m.entered_at, m.ordinal, m.history_id LIMIT 1)"},
	[LQ_STATEMENT_TOUCHES_ANEW] = {"kz", "",
		"UPDATE {journey} AS j SET first_touch_at = w.touch_at,"
		" first_conversation_at = w.conversation_at"
		" FROM (SELECT u.cycle, least(t.touch_at, k.touch_at) AS touch_at,"
		" least(t.conversation_at, k.conversation_at) AS conversation_at"
		" FROM " PRESENT_UNITS
		" CROSS JOIN LATERAL (SELECT min(h.first_touch_at),"
		" min(h.first_conversation_at) FROM {stage_history} AS h"
		" WHERE h.lead_id {=} $1 AND h.cycle = u.cycle AND h.voided_at IS NULL)"
		" AS k (touch_at, conversation_at)) AS w"
		" WHERE j.lead_id {=} $1 AND j.cycle = w.cycle"
		" AND (j.first_touch_at, j.first_conversation_at)"
	" IS DISTINCT FROM (w.touch_at, w.conversation_at)"},
	/* one more touch, and whether it was a conversation; is it a first? */
#define FIRST_TOUCH \
	" j.lead_id {=} $1 AND j.mql_at <= $2 AND j.gone_at IS NULL" \
	" AND (j.first_touch_at > $2 OR j.first_touch_at IS NULL" \
	" OR j.first_conversation_at > $3" \
	" OR (j.first_conversation_at IS NULL AND $3 IS NOT NULL))"
	[LQ_STATEMENT_IS_FIRST_TOUCH] = {"kzz", "",
	"SELECT FROM {journey} AS j WHERE" FIRST_TOUCH},
	[LQ_STATEMENT_TOUCH] = {"kzz", "",
		"UPDATE {journey} AS j"
		" SET first_touch_at = least(j.first_touch_at, $2),"
		" first_conversation_at = least(j.first_conversation_at, $3)"
		" WHERE" FIRST_TOUCH
		" AND NOT EXISTS (SELECT FROM {journey} AS n WHERE n.lead_id {=} $1"
	" AND n.cycle = j.cycle + 1 AND n.started_at <= $2)"},
	/* what sales did from then on is of the next unit */
	[LQ_STATEMENT_END_UNIT] = {"kiz", "",
		"UPDATE {journey} SET"
		" first_touch_at = CASE WHEN first_touch_at < $3 THEN first_touch_at END,"
		" first_conversation_at ="
		" CASE WHEN first_conversation_at < $3 THEN first_conversation_at END"
		" WHERE lead_id {=} $1 AND cycle = $2 AND gone_at IS NULL"
	" AND (first_touch_at >= $3 OR first_conversation_at >= $3)"},
	[LQ_STATEMENT_LAST_CYCLE] = {"k", "i!",
		"SELECT cycle FROM {journey} WHERE lead_id {=} $1"
	" ORDER BY cycle DESC LIMIT 1"},
	/* none: of no lead, and not of all */
#define REBUILD_OF(leads) \
	"SELECT {_rebuild_journey}($1, k.keys) FROM (SELECT pg_catalog.array_agg(" \
	"l.lead_id::text) FROM (" leads ") AS l) AS k (keys)" \
	" WHERE k.keys IS NOT NULL"
	[LQ_STATEMENT_FOLLOW_STAGE] = {"tT", "I",
		REBUILD_OF("SELECT DISTINCT lead_id FROM {stage_history}"
				   " WHERE to_stage = ANY ($2) AND voided_at IS NULL")},
	[LQ_STATEMENT_FOLLOW_KIND] = {"tT", "I",
		REBUILD_OF("SELECT DISTINCT j.lead_id FROM {journey} AS j"
				   " JOIN {activity} AS a ON a.lead_id {=} j.lead_id"
				   " WHERE j.mql_at <= a.occurred_at AND a.kind = ANY ($2)")},
	[LQ_STATEMENT_FOLLOW_HISTORY] = {"tT", "I",
	"SELECT {_rebuild_journey}($1, $2)"},

	/* what key_stream.c reads side by side */
	[LQ_STATEMENT_ALL_LEADS] = {"", "k!L!",
		"SELECT l.{rows_key}, (l.*)::{lead_rows} FROM {lead_rows} AS l"
	" ORDER BY l.{rows_key}"},
	[LQ_STATEMENT_ALL_LOGS] = {"", "k!E!",
		"SELECT a.lead_id, (a.*)::{activity} FROM {activity} AS a"
		" ORDER BY a.lead_id,"
		" {_counts_at}(a.occurred_at::timestamptz, a.recorded_at::timestamptz),"
	" a.activity_id"},
	[LQ_STATEMENT_ALL_BASELINES] = {"", "k!c!",
	"SELECT lead_id, scorecard FROM {baseline} ORDER BY lead_id"},
	/* as in MOVE below, and then what else odd_leads.c reads */
	[LQ_STATEMENT_ALL_MOVES] = {"", "k!",
		"SELECT h.lead_id, h.from_stage::text, h.to_stage::text,"
		" h.entered_at::timestamptz, h.cycle::int4, NULL, h.automatic::bool,"
		" NULL, h.reason::text, NULL, NULL, h.definition::text,"
		" h.version::int4, h.source::text, h.campaign::text, h.owner::text,"
		" h.account_id::int8, h.due_at::timestamptz, NULL, NULL,"
		" h.history_id::int8, h.ordinal, h.voided_at IS NOT NULL,"
		" h.first_touch_at::timestamptz, h.first_conversation_at::timestamptz"
		" FROM {stage_history} AS h WHERE h.voided_at IS NULL"
		" OR h.from_stage::text {=} h.to_stage::text"
	" ORDER BY h.lead_id, h.cycle, h.entered_at, h.ordinal, h.history_id"},
	[LQ_STATEMENT_ALL_UNITS] = {"", "k!",
		"SELECT j.lead_id, j.cycle::int4, j.gone_at::timestamptz,"
		" j.first_touch_at::timestamptz, j.first_conversation_at::timestamptz"
	"{unit_list} FROM {journey} AS j ORDER BY j.lead_id, j.cycle"},
	[LQ_STATEMENT_ALL_DEPARTURES] = {"", "k!",
		"SELECT lead_id, last_move::int8, at::timestamptz FROM {departure}"
	" ORDER BY lead_id, last_move, departure_id"},
	[LQ_STATEMENT_ALL_STAGES] = {"", "k!",
		"SELECT {key}, stage::text, cycle::int4, {scored_version}(scorecard),"
		" deals_open::int4, deals_won::int4, deals_lost::int4,"
	" won_amount::numeric <> 0::numeric FROM {lead} ORDER BY {key}"},
	[LQ_STATEMENT_ALL_TOUCHES] = {"", "k!",
		"SELECT l.lead_id, l.at, l.conversation::bool FROM ({sales_log}) AS l"
	" ORDER BY l.lead_id"},
	[LQ_STATEMENT_ALL_CONTACTS] = {"", "k!",
	"SELECT lead_id FROM {deal_contact} ORDER BY lead_id"},

	/*
	 * A move goes to the history and into its unit's row, which it begins or
	 * finds there.  A statement for each milestone.
	 */
#define MOVE_ARGS "kttzitBBttntittt" "IzcB"
#define INSERT_MOVE \
	"INSERT INTO {stage_history} (lead_id, from_stage, to_stage," \
	" entered_at, cycle, actor, automatic, exception, reason, note, score," \
	" definition, version, source, campaign, owner, account_id, due_at," \
	" scorecard)" \
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14," \
	" $15, $16, $17, $18, $19)"
#define MOVE "WITH move AS (" INSERT_MOVE ") "
#define NEW_UNIT \
	"INSERT INTO {journey} (lead_id, cycle{unit_columns})" \
	" SELECT $1, $5{unit_values}" \
	" FROM (SELECT) AS one{unit_touch}"
	[LQ_STATEMENT_MOVE] = {MOVE_ARGS, "", INSERT_MOVE},
	[LQ_STATEMENT_BEGIN_UNIT] = {MOVE_ARGS, "", MOVE NEW_UNIT},
	[LQ_STATEMENT_ENTER_UNIT] = {MOVE_ARGS, "", MOVE
		"UPDATE {journey} AS j SET{unit_changes}"
		" FROM (SELECT) AS one{unit_touch}"
	" WHERE j.lead_id {=} $1 AND j.cycle = $5"},
	[LQ_STATEMENT_ADD_UNIT] = {MOVE_ARGS, "", NEW_UNIT},
};

/* *INDENT-ON* */

/* A statement for each milestone is one text. */
static LqStatement
first_of(LqStatement statement)
{
	return statement < LQ_STATEMENT_BEGIN_UNIT ? statement :
		statement - (statement - LQ_STATEMENT_BEGIN_UNIT) % LQ_N_MILESTONES;
}

static LqMilestone
milestone_of(LqStatement statement)
{
	return statement - first_of(statement);
}

const char *
lq_statement_args(LqStatement statement)
{
	return statements[first_of(statement)].args;
}

const char *
lq_statement_result(LqStatement statement)
{
	return statements[first_of(statement)].result;
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
			appendStringInfo(buf, "%s(%s::%s) AS %s", lq_ours("best"),
							 quote_identifier(column), lq_ours(column),
							 quote_identifier(column));
		else
			appendStringInfoString(buf, quote_identifier(column));
		if (strcmp(what, "set_frameworks") == 0)
			appendStringInfo(buf, " = $%d", first_param + i);
	}
}

/*
 * A lead's external id, the type that it is compared in, and the type that it
 * has, or what that is a domain over.  What is no text is compared as such; a
 * cast of a text to text would leave its index out.
 */
static char *
external_id(const LqFunnel *funnel, const char *what)
{
	AttrNumber	attno = lq_lead_attno(funnel, "external_id");
	Oid			type = AttributeNumberIsValid(attno) ?
	getBaseType(get_atttype(funnel->relid[LQ_TABLE_LEAD], attno)) : TEXTOID;
	char	   *name = format_type_extended(type, -1,
											FORMAT_TYPE_TYPEMOD_GIVEN |
											FORMAT_TYPE_FORCE_QUALIFY);
	bool		as_it_is = TypeCategory(type) == TYPCATEGORY_STRING;

	if (strcmp(what, "external_id_type") == 0)
		return name;
	if (strcmp(what, "external_id_as") == 0)
		return as_it_is ? name : "pg_catalog.text";
	return !AttributeNumberIsValid(attno) ? "NULL::pg_catalog.text" :
		as_it_is ? "external_id" : "external_id::pg_catalog.text";
}

char *
lq_statement_text(const LqFunnel *funnel, LqStatement statement)
{
	const char *text = statements[first_of(statement)].text;
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
		else if (strncmp(name, "external_id", strlen("external_id")) == 0)
			appendStringInfoString(&buf, external_id(funnel, name));
		else if (strcmp(name, "email") == 0)
			appendStringInfo(&buf, "%s::pg_catalog.text",
							 AttributeNumberIsValid(lq_lead_attno(funnel, name)) ?
							 name : "NULL");
		else if (strcmp(name, "deals_of_leads") == 0)
			appendStringInfoString(&buf, lq_deals_query(funnel));
		else if (strcmp(name, "sales_log") == 0)
			appendStringInfoString(&buf, lq_sales_log_query(funnel));
		else if (strcmp(name, "unit_columns") == 0)
			lq_append_unit_columns(&buf, milestone_of(statement));
		else if (strcmp(name, "unit_values") == 0)
			lq_append_unit_values(&buf, milestone_of(statement));
		else if (strcmp(name, "unit_changes") == 0)
			lq_append_unit_changes(&buf, milestone_of(statement));
		else if (strcmp(name, "unit_list") == 0)
			lq_append_unit_list(&buf);
		else if (strcmp(name, "unit_touch") == 0)
			lq_append_unit_touch(&buf, funnel, milestone_of(statement));
		else if (strcmp(name, "lead_rows") == 0)
			appendStringInfoString(&buf,
								   lq_relation_name(funnel->relid[LQ_TABLE_LEAD]));
		else if (strstr(name, "framework") != NULL)
			append_frameworks(&buf, funnel, name,
							  strlen(statements[first_of(statement)].args));
		else if (lq_table_by_name(name, &table))
			appendStringInfoString(&buf, lq_funnel_table(funnel, table));
		else
			appendStringInfoString(&buf, lq_ours(name));
		text = end + 1;
	}
	return buf.data;
}

/* _latest_first() - text: an ORDER BY of answers to one element */
Datum
latest_first(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(LATEST_FIRST));
}
