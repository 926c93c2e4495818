/*
 * query_text.c
 *		Parts of statements that are put together.
 *
 * Some are the text of a query that functions in SQL work with, too: they give
 * it.  Others follow from the list of milestones.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/lead_table.h"
#include "funnel/query_text.h"
#include "funnel/tables.h"
#include "funnel/unit_columns.h"

const char *
lq_ours(const char *name)
{
	return quote_qualified_identifier(get_namespace_name(lq_extension_schema()),
									  name);
}

static Oid
function_of_ours(const char *name, Oid *argtypes, int nargs)
{
	oidvector  *types = buildoidvector(argtypes, nargs);
	Oid			function =
	GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
					CStringGetDatum(name), PointerGetDatum(types),
					ObjectIdGetDatum(lq_extension_schema()));

	if (!OidIsValid(function))
		elog(ERROR, "function \"%s\" of lead_qual not found", name);
	return function;
}

/* The query that counts deals by lead: _deals_query(text, regclass, name). */
char *
lq_deals_query(const LqFunnel *funnel)
{
	Oid			argtypes[3] = {TEXTOID, REGCLASSOID, NAMEOID};
	Oid			leads = OidIsValid(funnel->lead_view) ? funnel->lead_view :
	funnel->relid[LQ_TABLE_LEAD];
	NameData	key;

	namestrcpy(&key, lq_lead_key_column(funnel));
	return TextDatumGetCString(OidFunctionCall3(function_of_ours("_deals_query",
																 argtypes, 3),
												CStringGetTextDatum(funnel->name),
												ObjectIdGetDatum(leads),
												NameGetDatum(&key)));
}

/* What sales did with leads: _sales_log_query(text). */
char *
lq_sales_log_query(const LqFunnel *funnel)
{
	Oid			argtypes[1] = {TEXTOID};

	return TextDatumGetCString(OidFunctionCall1(function_of_ours("_sales_log_query",
																 argtypes, 1),
												CStringGetTextDatum(funnel->name)));
}

/*
 * Table journey.  A move writes what it is the first of, in its unit: the
 * columns here are those of the milestone that it leads to.  The parameters
 * are those of the history that the same statement writes, t is what sales has
 * done already.
 */
typedef struct Changes
{
	StringInfo	buf;
	LqMilestone to;
	const char *when;			/* they are set; NULL: never more */
} Changes;

static const struct
{
	const char *column;
	const char *value;
}			of_touches[] = {
	{"first_touch_at", "t.touch_at"},
	{"first_conversation_at", "t.conversation_at"},
};

static const char *
value_of(const Changes *changes, LqMoveValue value)
{
	return value == LQ_MOVE_MILESTONE ?
		quote_literal_cstr(lq_milestone_name(changes->to)) :
		psprintf("$%d", value + 1);
}

static void
append_column(void *arg, const char *column, LqMoveValue value)
{
	Changes    *changes = arg;

	appendStringInfo(changes->buf, ", %s", column);
}

static void
append_value(void *arg, const char *column, LqMoveValue value)
{
	Changes    *changes = arg;

	appendStringInfo(changes->buf, ", %s", value_of(changes, value));
}

static void
append_set(const Changes *changes, const char *column, const char *value)
{
	appendStringInfo(changes->buf, ", %s = CASE WHEN %s THEN %s ELSE j.%s END",
					 column, changes->when, value, column);
}

static void
append_change(void *arg, const char *column, LqMoveValue value)
{
	Changes    *changes = arg;

	append_set(changes, column, value_of(changes, value));
}

static void
append_reset(void *arg, const char *column, LqMoveValue value)
{
	Changes    *changes = arg;

	appendStringInfo(changes->buf, ", %s = NULL", column);
}

/* A move that begins a unit enters a milestone, too, and may be an exit. */
static void
each_of_new(Changes *changes, LqUnitWork work)
{
	lq_unit_columns(LQ_UNIT_BEGINS, changes->to, work, changes);
	lq_unit_columns(LQ_UNIT_ENTERS, changes->to, work, changes);
	if (lq_is_exit(changes->to))
		lq_unit_columns(LQ_UNIT_EXITS, changes->to, work, changes);
}

void
lq_append_unit_columns(StringInfo buf, LqMilestone to)
{
	Changes		changes = {buf, to};

	each_of_new(&changes, append_column);
	for (int i = 0; to == LQ_MILESTONE_MQL && i < lengthof(of_touches); i++)
		appendStringInfo(buf, ", %s", of_touches[i].column);
}

void
lq_append_unit_values(StringInfo buf, LqMilestone to)
{
	Changes		changes = {buf, to};

	each_of_new(&changes, append_value);
	for (int i = 0; to == LQ_MILESTONE_MQL && i < lengthof(of_touches); i++)
		appendStringInfo(buf, ", %s", of_touches[i].value);
}

/*
 * A move that is not the first of its kind leaves the row as it was.  But who
 * comes back from an exit as a customer has not left (back on the path, a cycle
 * begins), and a hand-over is accepted.
 */
void
lq_append_unit_changes(StringInfo buf, LqMilestone to)
{
	Changes		changes = {buf, to};
	int			begin = buf->len;

	changes.when = psprintf("j.%s_at IS NULL", lq_milestone_name(to));
	lq_unit_columns(LQ_UNIT_ENTERS, to, append_change, &changes);
	for (int i = 0; to == LQ_MILESTONE_MQL && i < lengthof(of_touches); i++)
		append_set(&changes, of_touches[i].column, of_touches[i].value);
	if (lq_is_exit(to))
	{
		changes.when = "j.exit IS NULL AND j.customer_at IS NULL";
		lq_unit_columns(LQ_UNIT_EXITS, to, append_change, &changes);
	}
	if (to == LQ_MILESTONE_CUSTOMER)
		lq_unit_columns(LQ_UNIT_EXITS, to, append_reset, &changes);
	if (to >= LQ_MILESTONE_SAL && to <= LQ_MILESTONE_CUSTOMER)
	{
		changes.when = psprintf("j.mql_at IS NOT NULL AND j.accepted_at IS NULL AND $%d",
								LQ_MOVE_ACCEPTS + 1);
		lq_unit_columns(LQ_UNIT_ACCEPTED, to, append_change, &changes);
	}
	/* the first has no comma */
	buf->data[begin] = ' ';
}

/* What sales did with a lead that is handed over only now is known already. */
void
lq_append_unit_touch(StringInfo buf, const LqFunnel *funnel, LqMilestone to)
{
	if (to == LQ_MILESTONE_MQL)
		appendStringInfo(buf,
						 " CROSS JOIN LATERAL (SELECT min(l.at),"
						 " min(l.at) FILTER (WHERE l.conversation) FROM (%s) AS l"
						 " WHERE l.lead_id OPERATOR(pg_catalog.=) $1"
						 " AND l.at >= $4)"
						 " AS t (touch_at, conversation_at)",
						 lq_sales_log_query(funnel));
}
