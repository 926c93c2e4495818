/*
 * rename.c
 *		What names a row of policy follows its new name.
 *
 * A stage, kind, source, reason, list or rule is renamed by an UPDATE of its
 * row.  References, conditions, facts and history follow (see _rename() in
 * SQL), as on a replica, where no trigger judges, records or counts what is
 * written: all means what it meant.  Whoever may write the row may rename it,
 * so the rest is written as the owner.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "catalog.h"
#include "compat.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/row.h"
#include "funnel/tables.h"
#include "lead_qual.h"
#include "policy/definition_log.h"
#include "policy/rename.h"

typedef struct Named
{
	LqTable		table;
	LqColumn	name;
	LqColumn	scope;			/* within which the name is one; or
								 * LQ_N_COLUMNS */
} Named;

/* lists, whose name many rows have, are told at the end of the statement */
static const Named named[] = {
	{LQ_TABLE_STAGE, LQ_STAGE_STAGE, LQ_N_COLUMNS},
	{LQ_TABLE_KIND, LQ_KIND_KIND, LQ_N_COLUMNS},
	{LQ_TABLE_SOURCE, LQ_SOURCE_SOURCE, LQ_N_COLUMNS},
	{LQ_TABLE_REASON, LQ_REASON_REASON, LQ_REASON_APPLIES_TO},
	{LQ_TABLE_RULE, LQ_RULE_NAME, LQ_RULE_DEFINITION},
};

static const Named *
named_table(const TriggerData *trigdata)
{
	for (int i = 0; i < lengthof(named); i++)
		if (strcmp(RelationGetRelationName(trigdata->tg_relation),
				   lq_table_name(named[i].table)) == 0)
			return &named[i];
	return NULL;
}

static char *
value_of(const TriggerData *trigdata, HeapTuple row, LqColumn column)
{
	return SPI_getvalue(row, RelationGetDescr(trigdata->tg_relation),
						lq_column_of(trigdata->tg_relation, column));
}

bool
lq_list_changes(const TriggerData *trigdata)
{
	if (!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ||
		strcmp(RelationGetRelationName(trigdata->tg_relation),
			   lq_table_name(LQ_TABLE_LIST)) != 0)
		return false;
	return strcmp(value_of(trigdata, trigdata->tg_trigtuple, LQ_LIST_LIST),
				  value_of(trigdata, trigdata->tg_newtuple, LQ_LIST_LIST)) != 0;
}

/* Call a function of ours as the owner, with texts; its answer, or NULL. */
static char *
call(const LqFunnel *funnel, const char *query, int n, const char *const *args,
	 bool as_replica)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[5];
	Datum		values[5];
	char		nulls[5];
	LqIdentity	saved;
	char	   *answer;
	int			result;

	for (int i = 0; i < n; i++)
	{
		types[i] = TEXTOID;
		nulls[i] = args[i] == NULL ? 'n' : ' ';
		values[i] = args[i] == NULL ? (Datum) 0 : CStringGetTextDatum(args[i]);
	}
	lq_funnel_enter(funnel, &saved);
	/* it goes back with the search path, on an error too */
	if (as_replica)
		(void) set_config_option("session_replication_role", "replica",
								 PGC_SUSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	result = SPI_execute_with_args(query, n, types, values, nulls, false, 0);
	if (result != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "SPI_execute_with_args failed: %s",
			 SPI_result_code_string(result));
	answer = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (answer != NULL)
		answer = MemoryContextStrdup(caller, answer);
	lq_funnel_leave(&saved);
	return answer;
}

static void
init_funnel(const TriggerData *trigdata, LqFunnel *funnel)
{
	memset(funnel, 0, sizeof(LqFunnel));
	funnel->schema = RelationGetNamespace(trigdata->tg_relation);
	funnel->name = get_namespace_name(funnel->schema);
	funnel->owner = trigdata->tg_relation->rd_rel->relowner;
}

char *
lq_rename_ask(const TriggerData *trigdata, const char *query, int n,
			  const char *const *args)
{
	LqFunnel	funnel;

	init_funnel(trigdata, &funnel);
	return call(&funnel, query, n, args, false);
}

void
lq_rename_follow(const TriggerData *trigdata, const char *before,
				 const char *after, const char *scope)
{
	const char *what = RelationGetRelationName(trigdata->tg_relation);
	LqFunnel	funnel;
	const char *args[5];

	init_funnel(trigdata, &funnel);
	if (*after == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("name of a %s must not be empty", what),
				 errtable(trigdata->tg_relation)));
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("%s \"%s\" cannot be renamed in a transaction of this isolation level",
						what, before),
				 errdetail("What names it follows, and others may have named it since the transaction began."),
				 errhint("BEGIN ISOLATION LEVEL READ COMMITTED."),
				 errtable(trigdata->tg_relation)));
	args[0] = funnel.name;
	args[1] = what;
	args[2] = before;
	args[3] = after;
	args[4] = scope;
	(void) call(&funnel,
				psprintf("SELECT %s._rename($1, $2, $3, $4, $5)",
						 quote_identifier(get_namespace_name(lq_extension_schema()))),
				5, args, true);
}

bool
lq_rename_changes_else(const TriggerData *trigdata, LqColumn name)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	int			attno = lq_column_of(trigdata->tg_relation, name);

	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped && i + 1 != attno &&
			lq_attribute_differs(desc, i + 1, trigdata->tg_trigtuple,
								 trigdata->tg_newtuple))
			return true;
	return false;
}

bool
lq_rename_row(const TriggerData *trigdata)
{
	const Named *row = named_table(trigdata);
	char	   *before;
	char	   *after;
	char	   *scope = NULL;

	if (row == NULL || !TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return false;
	before = value_of(trigdata, trigdata->tg_trigtuple, row->name);
	after = value_of(trigdata, trigdata->tg_newtuple, row->name);
	if (before == NULL || after == NULL || strcmp(before, after) == 0)
		return false;
	if (row->scope != LQ_N_COLUMNS)
	{
		scope = value_of(trigdata, trigdata->tg_trigtuple, row->scope);
		if (strcmp(scope, value_of(trigdata, trigdata->tg_newtuple,
								   row->scope)) != 0)
			return false;
	}
	lq_rename_follow(trigdata, before, after, scope);
	lq_definition_log_renamed(trigdata, trigdata->tg_trigtuple,
							  trigdata->tg_newtuple);
	return !lq_rename_changes_else(trigdata, row->name);
}
