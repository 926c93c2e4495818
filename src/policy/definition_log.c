/*
 * definition_log.c
 *		What the rules of a funnel were: every change of them.
 *
 * Rows are written as the owner of the table that changed, so that whoever
 * may edit rules cannot write the log.  The funnel is not looked up for it:
 * reading all policy anew for each row of a change would be slow.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/row.h"
#include "funnel/tables.h"
#include "lead_qual.h"
#include "policy/definition_log.h"

typedef struct LqLogged
{
	LqTable		table;
	LqColumn	definition;		/* the column that says whose a row is */
} LqLogged;

/* stages, lists and the like belong to all definitions */
static const LqLogged logged[] = {
	{LQ_TABLE_CALENDAR, LQ_N_COLUMNS},
	{LQ_TABLE_DEFINITION, LQ_DEFINITION_DEFINITION},
	{LQ_TABLE_ELEMENT, LQ_N_COLUMNS},
	{LQ_TABLE_HOLIDAY, LQ_N_COLUMNS},
	{LQ_TABLE_KIND, LQ_N_COLUMNS},
	{LQ_TABLE_LIST, LQ_N_COLUMNS},
	{LQ_TABLE_REASON, LQ_N_COLUMNS},
	{LQ_TABLE_RULE, LQ_RULE_DEFINITION},
	{LQ_TABLE_SETTING, LQ_N_COLUMNS},
	{LQ_TABLE_STAGE, LQ_N_COLUMNS},
	{LQ_TABLE_TRANSITION, LQ_TRANSITION_DEFINITION},
};

/* Raise unless the log has the columns that we write. */
static void
prove_log(Oid relid)
{
	Relation	rel = table_open(relid, RowExclusiveLock);
	LqColumn	column;
	LqColumn	end;

	for (lq_table_columns(LQ_TABLE_DEFINITION_LOG, &column, &end);
		 column < end; column++)
		(void) lq_column_of(rel, column);
	table_close(rel, NoLock);
}

/* Is it an ordinary table of that owner? */
static bool
is_table_of(Oid relid, Oid owner)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_class) GETSTRUCT(tuple))->relowner == owner &&
		((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_RELATION;
	ReleaseSysCache(tuple);
	return result;
}

/* Row of the list above for a table; NULL: changes of it are not logged. */
static const LqLogged *
logged_table(const char *table)
{
	for (int i = 0; i < lengthof(logged); i++)
		if (strcmp(table, lq_table_name(logged[i].table)) == 0)
			return &logged[i];
	return NULL;
}

bool
lq_definition_logs(const char *table)
{
	return logged_table(table) != NULL;
}

/*
 * A version that rises by our own hand is no change, nor is a row that is
 * written back as it was, by whoever brings his lists or kinds every night.
 */
bool
lq_definition_row_changed(const TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);

	if (!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return true;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);

		if (!attr->attisdropped &&
			strcmp(NameStr(attr->attname),
				   lq_column_name(LQ_DEFINITION_VERSION)) != 0 &&
			lq_attribute_differs(desc, i + 1, trigdata->tg_trigtuple,
								 trigdata->tg_newtuple))
			return true;
	}
	return false;
}

static Datum
row_to_jsonb(HeapTuple tuple, TupleDesc desc)
{
	Datum		json;

	json = DirectFunctionCall1(row_to_json,
							   heap_copy_tuple_as_datum(tuple, desc));
	return DirectFunctionCall1(jsonb_in,
							   CStringGetDatum(TextDatumGetCString(json)));
}

char *
lq_definition_of(Relation rel, HeapTuple row)
{
	const LqLogged *table = logged_table(RelationGetRelationName(rel));

	return table == NULL || table->definition == LQ_N_COLUMNS ? NULL :
		SPI_getvalue(row, RelationGetDescr(rel),
					 lq_column_of(rel, table->definition));
}

/*
 * The funnel whose log a change goes to; false: it has none that is the
 * owner's.  We are about to act as the owner.
 */
static bool
find_log(const TriggerData *trigdata, LqFunnel *funnel)
{
	Relation	rel = trigdata->tg_relation;
	Oid			log;

	memset(funnel, 0, sizeof(LqFunnel));
	funnel->schema = RelationGetNamespace(rel);
	funnel->name = get_namespace_name(funnel->schema);
	funnel->owner = rel->rd_rel->relowner;
	log = get_relname_relid(lq_table_name(LQ_TABLE_DEFINITION_LOG),
							funnel->schema);
	if (!is_table_of(log, funnel->owner) ||
		!is_table_of(get_relname_relid(lq_table_name(LQ_TABLE_DEFINITION),
									   funnel->schema), funnel->owner))
		return false;
	prove_log(log);
	return true;
}

/*
 * Write a row of the log, of a change from old to new (jsonb, or 0) of one
 * definition.
 */
static void
write_contents(const LqFunnel *funnel, const TriggerData *trigdata,
			   const char *operation, const char *definition, Datum old,
			   Datum new)
{
	static Oid	types[] = {
		TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, JSONBOID
	};
	LqIdentity	saved;
	char	   *quoted;
	Datum		values[7];
	char		nulls[8] = "       ";
	int			result;

	values[0] = TimestampTzGetDatum(lq_now());
	values[1] = CStringGetTextDatum(lq_actor());
	values[2] = CStringGetTextDatum(RelationGetRelationName(trigdata->tg_relation));
	values[3] = CStringGetTextDatum(operation);
	values[4] = definition == NULL ? (Datum) 0 : CStringGetTextDatum(definition);
	nulls[4] = definition == NULL ? 'n' : ' ';
	values[5] = old;
	nulls[5] = old == 0 ? 'n' : ' ';
	values[6] = new;
	nulls[6] = new == 0 ? 'n' : ' ';

	quoted = pstrdup(quote_identifier(funnel->name));
	lq_funnel_enter(funnel, &saved);
	result = SPI_execute_with_args(psprintf("INSERT INTO %s.definition_log"
											" (changed_at, actor, relation,"
											" operation, definition, version,"
											" old_row, new_row)"
											" SELECT $1, $2, $3, $4, $5,"
											" (SELECT version FROM %s.definition"
											" WHERE CASE WHEN $5 IS NULL"
											" THEN status = 'active'"
											" ELSE definition = $5 END),"
											" $6, $7", quoted, quoted),
								   7, types, values, nulls, false, 0);
	if (result != SPI_OK_INSERT)
		elog(ERROR, "SPI_execute_with_args failed: %s",
			 SPI_result_code_string(result));
	lq_funnel_leave(&saved);
}

static void
write_row(const LqFunnel *funnel, const TriggerData *trigdata,
		  const char *operation, HeapTuple old, HeapTuple new)
{
	Relation	rel = trigdata->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	char	   *definition = NULL;

	if (new != NULL || old != NULL)
		definition = lq_definition_of(rel, new != NULL ? new : old);
	write_contents(funnel, trigdata, operation, definition,
				   old == NULL ? (Datum) 0 : row_to_jsonb(old, desc),
				   new == NULL ? (Datum) 0 : row_to_jsonb(new, desc));
}

void
lq_definition_log_renamed(const TriggerData *trigdata, HeapTuple old,
						  HeapTuple new)
{
	LqFunnel	funnel;

	if (find_log(trigdata, &funnel))
		write_row(&funnel, trigdata, "renamed", old, new);
}

static Datum
list_to_jsonb(const char *name)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"%s\": ", lq_column_name(LQ_LIST_LIST));
	escape_json(&buf, name);
	appendStringInfoChar(&buf, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

void
lq_definition_log_list_renamed(const TriggerData *trigdata, const char *before,
							   const char *after)
{
	LqFunnel	funnel;

	if (find_log(trigdata, &funnel))
		write_contents(&funnel, trigdata, "renamed", NULL,
					   list_to_jsonb(before), list_to_jsonb(after));
}

/* Does a rule or a transition go from one definition to another? */
static bool
goes_over(const TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	char	   *before;
	char	   *after;

	if (strcmp(RelationGetRelationName(rel),
			   lq_table_name(LQ_TABLE_DEFINITION)) == 0)
		return false;
	before = lq_definition_of(rel, trigdata->tg_trigtuple);
	after = lq_definition_of(rel, trigdata->tg_newtuple);
	return before != NULL && after != NULL && strcmp(before, after) != 0;
}

void
lq_definition_log(const TriggerData *trigdata)
{
	HeapTuple	row = trigdata->tg_trigtuple;
	LqFunnel	funnel;

	if (!find_log(trigdata, &funnel))
		return;
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		write_row(&funnel, trigdata, "insert", NULL, row);
	else if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		write_row(&funnel, trigdata, "delete", row, NULL);
	else if (!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		write_row(&funnel, trigdata, "truncate", NULL, NULL);
	else if (goes_over(trigdata))
	{
		/* the one that it leaves is another one, too, than was signed */
		write_row(&funnel, trigdata, "delete", row, NULL);
		write_row(&funnel, trigdata, "insert", NULL, trigdata->tg_newtuple);
	}
	else
		write_row(&funnel, trigdata, "update", row, trigdata->tg_newtuple);
}
