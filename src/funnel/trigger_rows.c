/*
 * trigger_rows.c
 *		The triggers of a funnel, each written once.
 *
 * They are created, checked and repaired by these rows, and a trigger function
 * refuses whatever they do not say of it.
 *
 * Names begin with zz: triggers fire in the order of their names, and ours see
 * what the user's own BEFORE triggers left.  The exception is aa_record: a
 * move is in the history before an AFTER trigger of the user's makes another.
 *
 * A row that comes with a later template says since when; one that goes stays
 * and says until when, as long as funnels of that template are served.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "compat.h"
#include "funnel/columns.h"
#include "funnel/tables.h"
#include "funnel/template.h"
#include "funnel/trigger_rows.h"
#include "result.h"

PG_FUNCTION_INFO_V1(_template_triggers);

#define BEFORE_ROW			(TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_ROW)
#define AFTER_ROW			(TRIGGER_TYPE_AFTER | TRIGGER_TYPE_ROW)
#define BEFORE_STATEMENT	(TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_STATEMENT)
#define AFTER_STATEMENT		(TRIGGER_TYPE_AFTER | TRIGGER_TYPE_STATEMENT)
#define ON_INSERT			TRIGGER_TYPE_INSERT
#define ON_UPDATE			TRIGGER_TYPE_UPDATE
#define ON_DELETE			TRIGGER_TYPE_DELETE
#define ON_TRUNCATE			TRIGGER_TYPE_TRUNCATE

/* leads follow each statement on facts; TRUNCATE does not say what went */
#define FACTS(table, function) \
	{table, "zz_insert", function, AFTER_STATEMENT | ON_INSERT, \
		LQ_TRIGGER_ROWS}, \
	{table, "zz_update", function, AFTER_STATEMENT | ON_UPDATE, \
		LQ_TRIGGER_ROWS}, \
	{table, "zz_delete", function, AFTER_STATEMENT | ON_DELETE, \
		LQ_TRIGGER_ROWS}, \
	{table, "zz_no_truncate", "_refuse_truncate", \
		BEFORE_STATEMENT | ON_TRUNCATE, 0}

/* units of leads follow each statement on what they are told by */
#define FOLLOWED(table, function) \
	{table, "zz_insert", function, AFTER_STATEMENT | ON_INSERT, \
		LQ_TRIGGER_ROWS}, \
	{table, "zz_update", function, AFTER_STATEMENT | ON_UPDATE, \
		LQ_TRIGGER_ROWS}, \
	{table, "zz_delete", function, AFTER_STATEMENT | ON_DELETE, \
		LQ_TRIGGER_ROWS}

/* in the place of a foreign key */
#define NAMES_LEAD(table) \
	{table, "zz_insert", "_require_lead", AFTER_STATEMENT | ON_INSERT, \
		LQ_TRIGGER_ROWS}, \
	{table, "zz_update", "_require_lead", AFTER_STATEMENT | ON_UPDATE, \
		LQ_TRIGGER_ROWS}

/*
 * every session hears of a change of policy, also of one that replication or
 * session_replication_role = replica brings
 */
#define POLICY(table) \
	{table, "zz_changed", "_policy_changed", \
		AFTER_ROW | ON_INSERT | ON_UPDATE | ON_DELETE, LQ_TRIGGER_ALWAYS}, \
	{table, "zz_emptied", "_policy_changed", AFTER_STATEMENT | ON_TRUNCATE, \
		LQ_TRIGGER_ALWAYS}

/* in the place of foreign keys from busy tables to small ones */
#define IN_USE(table) \
	{table, "zz_protect", "_protect_used", \
		BEFORE_ROW | ON_UPDATE | ON_DELETE, 0}, \
	{table, "zz_no_truncate", "_protect_used", \
		BEFORE_STATEMENT | ON_TRUNCATE, 0}

/* in the place of GENERATED ALWAYS, under which no dump could be loaded */
#define ID(table) \
	{table, "zz_id", "_guard_id", BEFORE_ROW | ON_INSERT | ON_UPDATE, 0}

#define APPEND_ONLY(table, events) \
	{table, "zz_append_only", "_refuse_change", BEFORE_ROW | (events), 0}, \
	{table, "zz_no_truncate", "_refuse_change", \
		BEFORE_STATEMENT | ON_TRUNCATE, 0}

/* *INDENT-OFF* */
const LqTrigger lq_triggers[] =
{
	/* that of a table of the user's is found first: it stands in no funnel */
	{LQ_TABLE_LEAD, "zz_id", "_guard_id", BEFORE_ROW | ON_INSERT, 0},
	{LQ_TABLE_LEAD, "zz_qualify", "_qualify_lead",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	{LQ_TABLE_LEAD, "aa_record", "_record_lead",
	AFTER_ROW | ON_INSERT | ON_UPDATE, 0},
	{LQ_TABLE_LEAD, "zz_forget", "_forget_lead",
	AFTER_ROW | ON_DELETE, 0},
	{LQ_TABLE_LEAD, "zz_no_truncate", "_refuse_truncate",
	BEFORE_STATEMENT | ON_TRUNCATE, 0},
	{LQ_TABLE_LEAD_ALIAS, "zz_guard", "_guard_alias",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	{LQ_TABLE_STAGE_HISTORY, "zz_append_only", "_append_only_history",
	BEFORE_ROW | ON_INSERT | ON_UPDATE | ON_DELETE, 0},
	{LQ_TABLE_STAGE_HISTORY, "zz_no_truncate", "_refuse_truncate",
	BEFORE_STATEMENT | ON_TRUNCATE, 0},

	{LQ_TABLE_ACTIVITY, "zz_stamp", "_stamp_activity",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	FACTS(LQ_TABLE_ACTIVITY, "_ingest_activity"),
	{LQ_TABLE_ANSWER, "zz_stamp", "_stamp_answer",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	FACTS(LQ_TABLE_ANSWER, "_ingest_answer"),
	{LQ_TABLE_ACCOUNT, "zz_update", "_refit_account_leads",
	AFTER_STATEMENT | ON_UPDATE, LQ_TRIGGER_ROWS},
	{LQ_TABLE_DEAL, "zz_stamp", "_stamp_deal",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	FACTS(LQ_TABLE_DEAL, "_ingest_deal"),
	FACTS(LQ_TABLE_DEAL_CONTACT, "_ingest_deal_contact"),
	NAMES_LEAD(LQ_TABLE_BASELINE),
	NAMES_LEAD(LQ_TABLE_LEAD_ALIAS),
	NAMES_LEAD(LQ_TABLE_SIGNATURE),
	NAMES_LEAD(LQ_TABLE_STAGE_HISTORY),
	{LQ_TABLE_STAGE_HISTORY, "zz_void", "_follow_history",
	AFTER_STATEMENT | ON_UPDATE, LQ_TRIGGER_ROWS},
	NAMES_LEAD(LQ_TABLE_VERDICT),

	/* policy is checked as it is written */
	{LQ_TABLE_SETTING, "zz_keep", "_keep_setting",
	BEFORE_ROW | ON_INSERT | ON_UPDATE | ON_DELETE, 0},
	{LQ_TABLE_SETTING, "zz_no_truncate", "_keep_setting",
	BEFORE_STATEMENT | ON_TRUNCATE, 0},
	{LQ_TABLE_RULE, "zz_check", "_check_rule",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	{LQ_TABLE_RULE, "zz_protect", "_protect_rule",
	BEFORE_ROW | ON_UPDATE | ON_DELETE, 0},
	{LQ_TABLE_TRANSITION, "zz_check", "_check_transition",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	IN_USE(LQ_TABLE_STAGE),
	IN_USE(LQ_TABLE_ELEMENT),
	IN_USE(LQ_TABLE_KIND),
	IN_USE(LQ_TABLE_REASON),
	IN_USE(LQ_TABLE_SIDE),
	ID(LQ_TABLE_RULE),
	ID(LQ_TABLE_TRANSITION),
	ID(LQ_TABLE_SIGNATURE),
	ID(LQ_TABLE_VERDICT),
	ID(LQ_TABLE_ACCOUNT),
	ID(LQ_TABLE_ANSWER),
	ID(LQ_TABLE_DEAL),
	ID(LQ_TABLE_SPEND),
	{LQ_TABLE_STAGE, "zz_open", "_check_working_time",
	AFTER_STATEMENT | ON_INSERT | ON_UPDATE, 0},
	FOLLOWED(LQ_TABLE_STAGE, "_follow_stage"),
	FOLLOWED(LQ_TABLE_KIND, "_follow_kind"),
	{LQ_TABLE_CALENDAR, "zz_hours", "_check_hours",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	{LQ_TABLE_CALENDAR, "zz_open", "_check_working_time",
	AFTER_STATEMENT | ON_DELETE | ON_TRUNCATE, 0},
	{LQ_TABLE_TRANSITION, "zz_circle", "_refuse_circle",
	AFTER_ROW | ON_INSERT | ON_UPDATE, 0},
	{LQ_TABLE_STAGE, "zz_circle", "_refuse_circle",
	AFTER_ROW | ON_UPDATE, 0},
	{LQ_TABLE_TRANSITION, "zz_way_in", "_keep_way_in",
	AFTER_ROW | ON_UPDATE | ON_DELETE, LQ_TRIGGER_DEFERRABLE},
	{LQ_TABLE_TRANSITION, "zz_owner", "_guard_sides",
	BEFORE_ROW | ON_INSERT | ON_UPDATE | ON_DELETE, 0},
	{LQ_TABLE_STAGE, "zz_owner", "_guard_sides",
	BEFORE_ROW | ON_UPDATE, 0},
	{LQ_TABLE_SIDE, "zz_owner", "_guard_sides",
	BEFORE_ROW | ON_UPDATE, 0},
	{LQ_TABLE_TRANSITION, "zz_sides", "_check_sides",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	{LQ_TABLE_DEFINITION, "zz_sides", "_check_sides",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	{LQ_TABLE_LIST, "zz_renamed", "_list_changed",
	AFTER_STATEMENT | ON_UPDATE, LQ_TRIGGER_ROWS},
	{LQ_TABLE_REASON, "zz_check", "_check_reason",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	{LQ_TABLE_DEFINITION, "zz_guard", "_guard_definition",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	{LQ_TABLE_DEFINITION, "zz_one_active", "_keep_one_active",
	AFTER_ROW | ON_UPDATE | ON_DELETE, LQ_TRIGGER_DEFERRABLE},
	{LQ_TABLE_VERDICT, "zz_guard", "_guard_verdict",
	BEFORE_ROW | ON_INSERT | ON_UPDATE, 0},
	{LQ_TABLE_SIGNATURE, "zz_stamp", "_stamp_signature",
	BEFORE_ROW | ON_INSERT, 0},
	APPEND_ONLY(LQ_TABLE_SIGNATURE, ON_UPDATE | ON_DELETE),
	/* only our code writes these at all */
	APPEND_ONLY(LQ_TABLE_DEFINITION_LOG, ON_INSERT | ON_UPDATE | ON_DELETE),
	APPEND_ONLY(LQ_TABLE_BASELINE, ON_INSERT | ON_UPDATE | ON_DELETE),
	APPEND_ONLY(LQ_TABLE_DEPARTURE, ON_INSERT | ON_UPDATE | ON_DELETE),
	{LQ_TABLE_JOURNEY, "zz_kept", "_refuse_write",
	BEFORE_STATEMENT | ON_INSERT | ON_UPDATE | ON_DELETE | ON_TRUNCATE, 0},

	POLICY(LQ_TABLE_SETTING),
	POLICY(LQ_TABLE_KIND),
	POLICY(LQ_TABLE_SOURCE),
	POLICY(LQ_TABLE_LIST),
	POLICY(LQ_TABLE_ELEMENT),
	POLICY(LQ_TABLE_STAGE),
	POLICY(LQ_TABLE_CALENDAR),
	POLICY(LQ_TABLE_HOLIDAY),
	POLICY(LQ_TABLE_DEFINITION),
	POLICY(LQ_TABLE_TRANSITION),
	POLICY(LQ_TABLE_RULE),
	POLICY(LQ_TABLE_SIDE),
	POLICY(LQ_TABLE_REASON),
};

/* *INDENT-ON* */

const int	lq_n_triggers = lengthof(lq_triggers);

char *
lq_trigger_events(int16 type)
{
	static const struct
	{
		int16		bit;
		const char *name;
	}			events[] =

	{
		{ON_INSERT, "INSERT"},
		{ON_UPDATE, "UPDATE"},
		{ON_DELETE, "DELETE"},
		{ON_TRUNCATE, "TRUNCATE"},
	};
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < lengthof(events); i++)
		if (type & events[i].bit)
			appendStringInfo(&buf, "%s%s", buf.len > 0 ? " OR " : "",
							 events[i].name);
	return buf.data;
}

/* The function, which SQL of an older version lacks if the row is newer. */
static Oid
function_oid(const char *name, Oid schema, bool missing_ok)
{
	oidvector  *none = buildoidvector(NULL, 0);
	Oid			function =
	GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
					CStringGetDatum(name), PointerGetDatum(none),
					ObjectIdGetDatum(schema));

	if (!OidIsValid(function) && !missing_ok)
		elog(ERROR, "function \"%s\" of lead_qual not found", name);
	return function;
}

/*
 * _template_triggers() - the rows above, as a set
 */
Datum
_template_triggers(PG_FUNCTION_ARGS)
{
	LqResult	result;
	Oid			schema = lq_extension_schema();

	lq_result_begin(&result, fcinfo);
	for (int i = 0; i < lq_n_triggers; i++)
	{
		const LqTrigger *trigger = &lq_triggers[i];
		NameData	relation;
		NameData	name;
		Oid			function;

		function = function_oid(trigger->function, schema,
								trigger->since > LQ_OLDEST_TEMPLATE_VERSION);
		if (!OidIsValid(function))
			continue;

		namestrcpy(&relation, lq_table_name(trigger->table));
		namestrcpy(&name, trigger->name);
		lq_result_add(&result, NameGetDatum(&relation));
		lq_result_add(&result, NameGetDatum(&name));
		lq_result_add(&result, ObjectIdGetDatum(function));
		lq_result_add_text(&result, TRIGGER_FOR_BEFORE(trigger->type) ?
						   "BEFORE" : "AFTER");
		lq_result_add_text(&result, lq_trigger_events(trigger->type));
		lq_result_add_text(&result, TRIGGER_FOR_ROW(trigger->type) ?
						   "ROW" : "STATEMENT");
		lq_result_add(&result, BoolGetDatum(lq_trigger_old_rows(trigger)));
		lq_result_add(&result, BoolGetDatum(lq_trigger_new_rows(trigger)));
		lq_result_add(&result,
					  BoolGetDatum((trigger->flags & LQ_TRIGGER_DEFERRABLE) != 0));
		lq_result_add(&result,
					  CharGetDatum((trigger->flags & LQ_TRIGGER_ALWAYS) != 0 ?
								   TRIGGER_FIRES_ALWAYS :
								   TRIGGER_FIRES_ON_ORIGIN));
		lq_result_add(&result, Int16GetDatum(trigger->type));
		lq_result_add(&result, Int32GetDatum(trigger->since));
		if (trigger->until == 0)
			lq_result_add_null(&result);
		else
			lq_result_add(&result, Int32GetDatum(trigger->until));
		lq_result_end_row(&result);
	}
	return (Datum) 0;
}
