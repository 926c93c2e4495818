/*
 * policy.c
 *		Triggers of the policy tables.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "nodes/pg_list.h"
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
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "lead_qual.h"
#include "policy/definition_log.h"

PG_FUNCTION_INFO_V1(policy_changed);
PG_FUNCTION_INFO_V1(refuse_truncate);

/*
 * Definitions whose version this transaction has raised already.  When a
 * subtransaction is undone they are forgotten, and raised once too often
 * rather than not at all.
 */
typedef struct Raised
{
	Oid			schema;
	char	   *definition;		/* NULL: what all definitions share changed */
} Raised;

static List *raised = NIL;
static bool registered = false;

static void
forget_at_end(XactEvent event, void *arg)
{
	raised = NIL;				/* its memory goes with the transaction */
}

static void
forget_at_undo(SubXactEvent event, SubTransactionId mine,
			   SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		raised = NIL;
}

static bool
is_raised(Oid schema, const char *definition)
{
	ListCell   *cell;

	foreach(cell, raised)
	{
		Raised	   *r = lfirst(cell);

		if (r->schema == schema &&
			(definition == NULL ? r->definition == NULL :
			 r->definition != NULL && strcmp(r->definition, definition) == 0))
			return true;
	}
	return false;
}

static void
note_raised(Oid schema, const char *definition)
{
	MemoryContext old;
	Raised	   *r;

	if (!registered)
	{
		RegisterXactCallback(forget_at_end, NULL);
		RegisterSubXactCallback(forget_at_undo, NULL);
		registered = true;
	}
	old = MemoryContextSwitchTo(TopTransactionContext);
	r = palloc(sizeof(Raised));
	r->schema = schema;
	r->definition = definition == NULL ? NULL : pstrdup(definition);
	raised = lappend(raised, r);
	MemoryContextSwitchTo(old);
}

/*
 * A definition gets a new version when its rules or transitions change, or
 * what all definitions share, once a transaction: cards say which version they
 * were scored under.
 */
static void
raise_version(LqFunnel *funnel, const char *definition)
{
	Datum		value = CStringGetTextDatum(definition);
	LqIdentity	saved;

	lq_funnel_enter(funnel, &saved);
	(void) lq_statement_run(funnel, LQ_STATEMENT_RAISE_VERSION, &value, NULL);
	lq_funnel_leave(&saved);
	note_raised(funnel->schema, definition);
}

/* row: NULL if all of them went */
static void
version_of_row(TriggerData *trigdata, HeapTuple row)
{
	Relation	rel = trigdata->tg_relation;
	Oid			schema = RelationGetNamespace(rel);
	char	   *definition = row == NULL ? NULL : lq_definition_of(rel, row);

	if (definition == NULL)
	{
		if (is_raised(schema, NULL))
			return;
		/* what is shared counts for whichever definition is active */
		definition = lq_funnel_but_rules(schema)->definition;
		note_raised(schema, NULL);
	}
	if (definition != NULL && !is_raised(schema, definition))
		raise_version(lq_funnel_but_rules(schema), definition);
}

/* Did the caps or the floor of a definition change, which cards keep? */
static bool
limits_changed(TriggerData *trigdata)
{
	static const LqColumn columns[] = {
		LQ_DEFINITION_MAX_FIT, LQ_DEFINITION_MAX_ENGAGEMENT,
		LQ_DEFINITION_FLOOR
	};
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);

	for (int i = 0; i < lengthof(columns); i++)
	{
		int			attno = lq_column_of(trigdata->tg_relation, columns[i]);
		char	   *before = SPI_getvalue(trigdata->tg_trigtuple, desc, attno);
		char	   *after = SPI_getvalue(trigdata->tg_newtuple, desc, attno);

		if (before == NULL || after == NULL ? before != after :
			strcmp(before, after) != 0)
			return true;
	}
	return false;
}

/* Do cards or moves depend on what changed? */
static bool
raises_version(TriggerData *trigdata)
{
	const char *table = RelationGetRelationName(trigdata->tg_relation);

	if (strcmp(table, "definition") == 0)
		return TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) &&
			limits_changed(trigdata);
	return true;
}

/*
 * policy_changed() - AFTER ROW and AFTER TRUNCATE on every policy table,
 *					  ENABLE ALWAYS
 *
 * Tells every session, when this commits, that what it keeps of the funnel is
 * out of date.  The message is that of a change of the table, so that it
 * obeys savepoints and reaches ourselves at the next command.
 */
Datum
policy_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	lq_trigger_prove(fcinfo, "policy_changed");
	lq_check_settings(trigdata->tg_relation->rd_rel->relowner,
					  get_namespace_name(RelationGetNamespace(trigdata->tg_relation)));
	CacheInvalidateRelcache(trigdata->tg_relation);

	/* a replica gets the publisher's version and log with its rows */
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA ||
		lq_import_setting)
		return PointerGetDatum(NULL);
	if (!lq_definition_logs(RelationGetRelationName(trigdata->tg_relation)) ||
		!lq_definition_row_changed(trigdata))
		return PointerGetDatum(NULL);
	if (raises_version(trigdata))
	{
		version_of_row(trigdata, TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ?
					   trigdata->tg_trigtuple : NULL);
		if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
			version_of_row(trigdata, trigdata->tg_newtuple);
	}
	lq_definition_log(trigdata);
	return PointerGetDatum(NULL);
}

/*
 * refuse_truncate() - BEFORE TRUNCATE on tables of facts and their history
 *
 * TRUNCATE tells no trigger which rows went, so leads could not follow.
 */
Datum
refuse_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	lq_trigger_prove(fcinfo, "refuse_truncate");
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot truncate table \"%s\" of a funnel",
					RelationGetRelationName(trigdata->tg_relation)),
			 errdetail("Leads could not follow: TRUNCATE does not say which rows went."),
			 errhint("Use DELETE, or drop_funnel().")));
	return PointerGetDatum(NULL);
}
