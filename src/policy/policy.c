/*
 * policy.c
 *		Triggers of the policy tables.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/lookup.h"
#include "funnel/raised.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "lead_qual.h"
#include "policy/definition_log.h"
#include "policy/policy.h"
#include "policy/rename.h"

PG_FUNCTION_INFO_V1(_policy_changed);
PG_FUNCTION_INFO_V1(_version_used);
PG_FUNCTION_INFO_V1(_refuse_truncate);

/* The first value that a statement about a definition gives; NULL: none. */
static char *
ask(const LqFunnel *funnel, LqStatement statement, const char *definition)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		value = CStringGetTextDatum(definition);
	char	   *answer = NULL;
	LqIdentity	saved;

	lq_funnel_enter(funnel, &saved);
	if (lq_statement_run(funnel, statement, &value, NULL) > 0 &&
		SPI_tuptable != NULL)
	{
		answer = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		if (answer != NULL)
			answer = MemoryContextStrdup(caller, answer);
	}
	lq_funnel_leave(&saved);
	return answer;
}

/*
 * What was signed stays as it was signed.
 */
static void
refuse_signed(Relation rel, const char *definition)
{
	LqFunnel   *funnel;
	char	   *asked;

	if (lq_version_is(RelationGetNamespace(rel), definition,
					  LQ_VERSION_UNBOUND))
		return;
	funnel = lq_funnel_but_rules(RelationGetNamespace(rel));
	asked = ask(funnel, LQ_STATEMENT_BOUND, definition);
	if (asked != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("definition \"%s\" is not changed while it is active",
						definition),
				 errdetail("It asks for the signatures of: %s.", asked),
				 errhint("Call copy_definition(), change the copy, have it signed with sign_definition() and call activate_definition(); or the owner sets edit_signed in %s.setting.",
						 quote_identifier(funnel->name)),
				 errtable(rel)));
	lq_version_note(funnel->schema, definition, LQ_VERSION_UNBOUND);
}

/*
 * A definition gets a new version when its rules or transitions change, or
 * what all definitions share: cards say which version they were scored under,
 * signatures which one was signed.
 */
static void
raise_version(Relation rel, const char *definition)
{
	LqFunnel   *funnel;

	if (lq_version_is(RelationGetNamespace(rel), definition,
					  LQ_VERSION_RAISED))
		return;
	funnel = lq_funnel_but_rules(RelationGetNamespace(rel));
	(void) ask(funnel, LQ_STATEMENT_RAISE_VERSION, definition);
	lq_version_note(funnel->schema, definition, LQ_VERSION_RAISED);
}

/*
 * A row came, changed or went; row: NULL if all of them went.  What all
 * definitions share has no copy to be changed and signed instead: it leaves
 * the active one unsigned, unless it is refused as a rule would be (binds).
 */
static void
new_version(TriggerData *trigdata, HeapTuple row, bool binds)
{
	Relation	rel = trigdata->tg_relation;
	Oid			schema = RelationGetNamespace(rel);
	char	   *definition = row == NULL ? NULL : lq_definition_of(rel, row);

	if (definition == NULL)
	{
		if (!binds && lq_version_is(schema, NULL, LQ_VERSION_RAISED))
			return;
		/* what is shared counts for whichever definition is active */
		definition = lq_funnel_but_rules(schema)->definition;
		lq_version_note(schema, NULL, LQ_VERSION_RAISED);
		if (definition == NULL)
			return;
		definition = pstrdup(definition);
	}
	else
		binds = true;
	if (binds)
		refuse_signed(rel, definition);
	raise_version(rel, definition);
}

/* Did one of the columns change? */
static bool
changed(TriggerData *trigdata, LqColumn first, LqColumn last)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);

	for (int column = first; column <= last; column++)
	{
		int			attno = lq_column_of(trigdata->tg_relation, column);
		char	   *before = SPI_getvalue(trigdata->tg_trigtuple, desc, attno);
		char	   *after = SPI_getvalue(trigdata->tg_newtuple, desc, attno);

		if (before == NULL || after == NULL ? before != after :
			strcmp(before, after) != 0)
			return true;
	}
	return false;
}

static bool
is_of(const TriggerData *trigdata, LqTable table)
{
	return strcmp(RelationGetRelationName(trigdata->tg_relation),
				  lq_table_name(table)) == 0;
}

/*
 * Do cards, moves or deadlines depend on what changed?  Of a definition itself
 * the caps and the floor, which cards keep; of the settings the time zone.
 */
static bool
raises_version(TriggerData *trigdata)
{
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);

	if (is_of(trigdata, LQ_TABLE_DEFINITION))
		return update &&
			changed(trigdata, LQ_DEFINITION_MAX_FIT, LQ_DEFINITION_FLOOR);
	if (is_of(trigdata, LQ_TABLE_SETTING))
		return update &&
			changed(trigdata, LQ_SETTING_TIME_ZONE, LQ_SETTING_TIME_ZONE);
	return true;
}

/*
 * Is what changed refused as a rule would be?  A stage's milestone is what
 * transitions to it mean.
 */
static bool
binds(TriggerData *trigdata)
{
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return is_of(trigdata, LQ_TABLE_STAGE) &&
			changed(trigdata, LQ_STAGE_MILESTONE, LQ_STAGE_MILESTONE);
	/* all rules at once */
	return TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event) &&
		(is_of(trigdata, LQ_TABLE_RULE) || is_of(trigdata, LQ_TABLE_TRANSITION));
}

void
lq_policy_row_changed(TriggerData *trigdata)
{
	if (lq_import_setting ||
		!lq_definition_logs(RelationGetRelationName(trigdata->tg_relation)) ||
		!lq_definition_row_changed(trigdata))
		return;

	/* who must sign, what may be edited, which one is active: all may differ */
	if (is_of(trigdata, LQ_TABLE_DEFINITION) ||
		is_of(trigdata, LQ_TABLE_SETTING))
		lq_version_forget(RelationGetNamespace(trigdata->tg_relation),
						  LQ_VERSION_UNBOUND);
	if (raises_version(trigdata))
	{
		bool		as_rules = binds(trigdata);

		new_version(trigdata, TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ?
					trigdata->tg_trigtuple : NULL, as_rules);
		if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
			new_version(trigdata, trigdata->tg_newtuple, as_rules);
	}
	else if (is_of(trigdata, LQ_TABLE_SETTING))
		return;
	lq_definition_log(trigdata);
}

/*
 * _policy_changed() - AFTER ROW and AFTER TRUNCATE on every policy table,
 *					  ENABLE ALWAYS
 *
 * Tells every session, when this commits, that what it keeps of the funnel is
 * out of date.  The message is that of a change of the table, so that it
 * obeys savepoints and reaches ourselves at the next command.
 */
Datum
_policy_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!lq_trigger_prove(fcinfo, "_policy_changed"))
		return PointerGetDatum(NULL);
	lq_check_settings(trigdata->tg_relation->rd_rel->relowner,
					  get_namespace_name(RelationGetNamespace(trigdata->tg_relation)));
	CacheInvalidateRelcache(trigdata->tg_relation);

	/* a replica gets the publisher's version and log with its rows */
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA ||
		lq_list_changes(trigdata) || lq_rename_row(trigdata))
		return PointerGetDatum(NULL);
	lq_policy_row_changed(trigdata);
	return PointerGetDatum(NULL);
}

/*
 * _version_used(funnel text) - somebody signs a version as it is now
 */
Datum
_version_used(PG_FUNCTION_ARGS)
{
	lq_version_forget(get_namespace_oid(text_to_cstring(PG_GETARG_TEXT_PP(0)),
										false), LQ_VERSION_RAISED);
	PG_RETURN_VOID();
}

/*
 * _refuse_truncate() - BEFORE TRUNCATE on tables of facts and their history
 *
 * TRUNCATE tells no trigger which rows went, so leads could not follow.
 */
Datum
_refuse_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!lq_trigger_prove(fcinfo, "_refuse_truncate"))
		return PointerGetDatum(NULL);
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot truncate table \"%s\" of a funnel",
					RelationGetRelationName(trigdata->tg_relation)),
			 errdetail("Leads could not follow: TRUNCATE does not say which rows went."),
			 errhint("Use DELETE, or drop_funnel().")));
	return PointerGetDatum(NULL);
}
