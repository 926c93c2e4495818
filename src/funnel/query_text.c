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
 * columns here are those of the milestone that it leads to.  What the query
 * of _journey_query() says of all moves of a unit, this says of one more; the
 * tests hold them against each other.
 */

/*
 * A column, and what it has of a move: the parameters are those of the history
 * that the same statement writes, t is what sales has done already.
 */
typedef struct UnitColumn
{
	const char *name;
	const char *value;			/* NULL: the milestone */
} UnitColumn;

static const UnitColumn of_every_entry[] = {
	{"at", "$4"},
	{"account_id", "$17"},
	{"source", "$14"},
};

static const UnitColumn of_main_entry[] = {
	{"campaign", "$15"},
	{"owner", "$16"},
	{"definition", "$12"},
	{"version", "$13"},
};

static const UnitColumn of_hand_over[] = {
	{"mql_stage", "$3"},
	{"due_at", "$18"},
};

static const UnitColumn of_touches[] = {
	{"first_touch_at", "t.touch_at"},
	{"first_conversation_at", "t.conversation_at"},
};

static const UnitColumn of_exit[] = {
	{"exited_at", "$4"},
	{"exit", NULL},
	{"exit_reason", "$9"},
	{"exit_owner", "$16"},
	{"exit_automatic", "$7"},
};

static const UnitColumn of_acceptance[] = {
	{"accepted_at", "$4"},
	{"accepted_owner", "$16"},
};

/* what is done with each column: its name, its value, when it is to be set */
typedef void (*ColumnWork) (StringInfo buf, const char *column,
							const char *value, const char *unless);

static void
each_of(StringInfo buf, LqMilestone to, const UnitColumn *columns, int n,
		const char *prefix, const char *unless, ColumnWork work)
{
	for (int i = 0; i < n; i++)
		work(buf, psprintf("%s%s", prefix, columns[i].name),
			 columns[i].value != NULL ? columns[i].value :
			 quote_literal_cstr(lq_milestone_name(to)), unless);
}

#define EACH_OF(columns, prefix, unless) \
	each_of(buf, to, columns, lengthof(columns), prefix, unless, work)

static void
each_column(StringInfo buf, LqMilestone to, ColumnWork work)
{
	char	   *prefix = psprintf("%s_", lq_milestone_name(to));
	char	   *there = psprintf("j.%sat IS NOT NULL", prefix);

	EACH_OF(of_every_entry, prefix, there);
	if (to == LQ_MILESTONE_MQL || to == LQ_MILESTONE_SQL)
		EACH_OF(of_main_entry, prefix, there);
	if (to == LQ_MILESTONE_MQL)
	{
		EACH_OF(of_hand_over, "", there);
		EACH_OF(of_touches, "", there);
	}
	if (lq_is_exit(to))
		EACH_OF(of_exit, "",
				"j.exit IS NOT NULL OR j.customer_at IS NOT NULL");
}

static void
append_column(StringInfo buf, const char *column, const char *value,
			  const char *unless)
{
	appendStringInfo(buf, ", %s", column);
}

static void
append_value(StringInfo buf, const char *column, const char *value,
			 const char *unless)
{
	appendStringInfo(buf, ", %s", value);
}

static void
append_change(StringInfo buf, const char *column, const char *value,
			  const char *unless)
{
	appendStringInfo(buf, ", %s = CASE WHEN %s THEN j.%s ELSE %s END",
					 column, unless, column, value);
}

void
lq_append_unit_columns(StringInfo buf, LqMilestone to)
{
	each_column(buf, to, append_column);
}

void
lq_append_unit_values(StringInfo buf, LqMilestone to)
{
	each_column(buf, to, append_value);
}

/*
 * A move that is not the first of its kind leaves the row as it was.  But who
 * comes back from an exit as a customer has not left (back on the path, a cycle
 * begins), and a hand-over is accepted.
 */
void
lq_append_unit_changes(StringInfo buf, LqMilestone to)
{
	int			begin = buf->len;

	each_column(buf, to, append_change);
	if (to == LQ_MILESTONE_CUSTOMER)
		for (int i = 0; i < lengthof(of_exit); i++)
			appendStringInfo(buf, ", %s = NULL", of_exit[i].name);
	if (to >= LQ_MILESTONE_SAL && to <= LQ_MILESTONE_CUSTOMER)
		for (int i = 0; i < lengthof(of_acceptance); i++)
			appendStringInfo(buf, ", %s = CASE WHEN j.mql_at IS NOT NULL"
							 " AND j.accepted_at IS NULL AND " LQ_UNIT_ACCEPTS
							 " THEN %s ELSE j.%s END",
							 of_acceptance[i].name, of_acceptance[i].value,
							 of_acceptance[i].name);
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
