/*
 * trigger.c
 *		Proves that a trigger function of ours was fired as it should be.
 *
 * Anybody may attach our functions to tables of his own.  Each function proves
 * first of all that it was fired at the time and level and for an event that
 * trigger_rows.c gives it, and on that table of a funnel or a partition of it;
 * what is not known of the funnel yet is read from the catalogs.  Only then is
 * a tuple looked at, or the funnel read.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/funnel_entry.h"
#include "funnel/lead_table.h"
#include "funnel/lookup.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "funnel/trigger_rows.h"

PG_FUNCTION_INFO_V1(_prove_trigger);

/* what was fired, and how */
typedef struct Fired
{
	const char *function;
	int16		type;			/* as in pg_trigger, with one event */
	Oid			relid;
	Oid			namespace;		/* in which that stands */
	const Trigger *trigger;		/* NULL: not known, and of no account */
	Oid			schema;			/* of the funnel */
	bool		known;			/* its tables are proven already */
	bool		detached;		/* it was a partition: nothing is to be done */
} Fired;

static void
describe(StringInfo buf, int16 type)
{
	appendStringInfo(buf, "%s %s FOR EACH %s",
					 TRIGGER_FOR_BEFORE(type) ? "BEFORE" : "AFTER",
					 lq_trigger_events(type),
					 TRIGGER_FOR_ROW(type) ? "ROW" : "STATEMENT");
}

/* It was fired at a time, a level or for an event that it is not for. */
pg_noreturn static void
refuse_type(const Fired *fired)
{
	int16		types[4];
	int			n = 0;
	StringInfoData buf;

	for (int i = 0; i < lq_n_triggers; i++)
	{
		int16		type = lq_triggers[i].type;
		int			at;

		if (strcmp(lq_triggers[i].function, fired->function) != 0)
			continue;
		/* one for each time and level, with all events */
		for (at = 0; at < n; at++)
			if (TRIGGER_FOR_BEFORE(types[at]) == TRIGGER_FOR_BEFORE(type) &&
				TRIGGER_FOR_ROW(types[at]) == TRIGGER_FOR_ROW(type))
				break;
		if (at == n)
			types[n++] = type;
		else
			types[at] |= type;
	}
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("funnels have no trigger function \"%s\"",
						fired->function)));
	initStringInfo(&buf);
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(&buf, " or ");
		describe(&buf, types[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("function \"%s\" must be fired %s",
					fired->function, buf.data)));
}

/* It was fired on another table than one that it is for. */
pg_noreturn static void
refuse_table(const Fired *fired)
{
	Bitmapset  *tables = NULL;
	int			table = -1;
	StringInfoData buf;

	for (int i = 0; i < lq_n_triggers; i++)
		if (strcmp(lq_triggers[i].function, fired->function) == 0)
			tables = bms_add_member(tables, lq_triggers[i].table);
	initStringInfo(&buf);
	while ((table = bms_next_member(tables, table)) >= 0)
		appendStringInfo(&buf, "%s\"%s\"", buf.len == 0 ? "" :
						 bms_next_member(tables, table) < 0 ? " or " : ", ",
						 lq_table_name(table));
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("function \"%s\" must be fired for table %s of a funnel",
					fired->function, buf.data),
			 errdetail("It was fired for table \"%s.%s\".",
					   get_namespace_name_or_temp(fired->namespace),
					   get_rel_name(fired->relid))));
}

pg_noreturn static void
refuse_owner(const char *table, const char *funnel)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("table \"%s\" does not belong to the owner of funnel \"%s\"",
					table, funnel)));
}

/* The rows that it may have been fired by: of the function, and such. */
static const LqTrigger *
next_row(const Fired *fired, const LqTrigger *after)
{
	const int16 event = fired->type & TRIGGER_TYPE_EVENT_MASK;
	const int16 how = fired->type & ~TRIGGER_TYPE_EVENT_MASK;

	for (const LqTrigger *row = after == NULL ? lq_triggers : after + 1;
		 row < lq_triggers + lq_n_triggers; row++)
		if ((row->type & ~TRIGGER_TYPE_EVENT_MASK) == how &&
			(row->type & event) != 0 &&
			strcmp(row->function, fired->function) == 0)
			return row;
	return NULL;
}

/*
 * The schema of the funnel that a trigger works for: the one in which the
 * fired table stands, or, on a table of leads of the user's, the one that the
 * trigger names.
 */
static Oid
schema_of(const Fired *fired, const LqTrigger *row, bool missing_ok)
{
	const Trigger *trigger = fired->trigger;
	Oid			schema;

	if (row->table != LQ_TABLE_LEAD || trigger == NULL ||
		trigger->tgnargs == 0)
		return fired->namespace;
	schema = get_namespace_oid(trigger->tgargs[0], true);
	if (!OidIsValid(schema) && !missing_ok)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("funnel \"%s\" does not exist", trigger->tgargs[0]),
				 errdetail("Trigger \"%s\" of table \"%s\" names it.",
						   trigger->tgname, get_rel_name(fired->relid)),
				 errhint("Where its schema was renamed, call repair_funnel(); where it was dropped, drop the trigger.")));
	return schema;
}

static Oid
owner_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

/*
 * Is it that table of the funnel, or a partition?  The view of a table of the
 * user's is opened only where both belong to one role.
 */
static bool
is_table(const Fired *fired, Form_pg_class form, LqTable table)
{
	const char *funnel = get_namespace_name(fired->schema);
	Oid			relid = get_relname_relid(lq_table_name(table), fired->schema);

	/* says which one it lacks */
	if (!OidIsValid(relid))
		(void) lq_funnel_prove_tables(fired->schema);
	if (table == LQ_TABLE_LEAD && get_rel_relkind(relid) == RELKIND_VIEW)
	{
		if (form->relowner != owner_of(relid))
			refuse_owner(get_rel_name(fired->relid), funnel);
		relid = lq_lead_table_of_view(funnel, relid);
	}
	return relid == fired->relid ||
		(form->relispartition &&
		 list_member_oid(get_partition_ancestors(fired->relid), relid));
}

/* Is there a funnel's table of that name, or what goes by it? */
static bool
stands(Oid schema, LqTable table)
{
	return OidIsValid(schema) &&
		OidIsValid(get_relname_relid(lq_table_name(table), schema));
}

/*
 * Might it be a partition that was detached?  The triggers of rows went with
 * that; those of statements, which we gave to each partition, stayed.  They
 * are known by their names, and do nothing: whoever archives old months fills,
 * empties and drops them as tables of no funnel.
 */
static bool
may_be_detached(const Fired *fired, Form_pg_class form, const LqTrigger *row)
{
	return !TRIGGER_FOR_ROW(row->type) && fired->trigger != NULL &&
		form->relkind == RELKIND_RELATION && !form->relispartition &&
		strcmp(fired->trigger->tgname, row->name) == 0 &&
		strcmp(NameStr(form->relname), lq_table_name(row->table)) != 0;
}

/*
 * Prove the table: at once if it is of a funnel that we know, else by the
 * catalogs; returns the row that fits.
 */
static const LqTrigger *
prove_table(Fired *fired)
{
	const LqTrigger *row = next_row(fired, NULL);
	const LqTrigger *was = NULL;
	HeapTuple	tuple;
	Form_pg_class form;

	fired->detached = false;
	if (row == NULL)
		refuse_type(fired);
	for (; row != NULL; row = next_row(fired, row))
	{
		fired->schema = schema_of(fired, row, true);
		fired->known = lq_funnel_knows_table(fired->schema, row->table,
											 fired->relid);
		if (fired->known)
			return row;
	}

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(fired->relid));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", fired->relid)));
	form = (Form_pg_class) GETSTRUCT(tuple);
	if (form->relpersistence == RELPERSISTENCE_TEMP ||
		(form->relkind != RELKIND_RELATION &&
		 form->relkind != RELKIND_PARTITIONED_TABLE))
		refuse_table(fired);
	while ((row = next_row(fired, row)) != NULL)
	{
		bool		detached = may_be_detached(fired, form, row);

		fired->schema = schema_of(fired, row, detached);
		if ((!detached || stands(fired->schema, row->table)) &&
			is_table(fired, form, row->table))
			break;
		if (detached)
			was = row;
	}
	fired->detached = row == NULL && was != NULL;
	if (fired->detached)
		row = was;
	if (row == NULL)
		refuse_table(fired);
	ReleaseSysCache(tuple);
	return row;
}

/* Prove that its siblings are there, and belong to whom it does. */
static void
prove_siblings(const Fired *fired)
{
	if (!fired->known &&
		owner_of(fired->relid) != lq_funnel_prove_tables(fired->schema))
		refuse_owner(get_rel_name(fired->relid),
					 get_namespace_name(fired->schema));
}

/* A function that was made to see rows would see none, and say nothing. */
static void
prove_rows(const LqTrigger *row, const TriggerData *trigdata)
{
	if ((lq_trigger_old_rows(row) && trigdata->tg_oldtable == NULL) ||
		(lq_trigger_new_rows(row) && trigdata->tg_newtable == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" needs transition tables",
						row->function),
				 errhint("Create the trigger with REFERENCING NEW TABLE AS new_rows, OLD TABLE AS old_rows, as the event has them.")));
}

static int16
type_of_event(TriggerEvent event)
{
	int16		type;

	type = TRIGGER_FIRED_BY_INSERT(event) ? TRIGGER_TYPE_INSERT :
		TRIGGER_FIRED_BY_DELETE(event) ? TRIGGER_TYPE_DELETE :
		TRIGGER_FIRED_BY_UPDATE(event) ? TRIGGER_TYPE_UPDATE :
		TRIGGER_TYPE_TRUNCATE;
	if (TRIGGER_FIRED_FOR_ROW(event))
		type |= TRIGGER_TYPE_ROW;
	if (TRIGGER_FIRED_BEFORE(event))
		type |= TRIGGER_TYPE_BEFORE;
	else if (TRIGGER_FIRED_INSTEAD(event))
		type |= TRIGGER_TYPE_INSTEAD;
	return type;
}

static const LqTrigger *
prove(FunctionCallInfo fcinfo, const char *function, Fired *fired)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	const LqTrigger *row;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a trigger",
						function)));
	fired->function = function;
	fired->type = type_of_event(trigdata->tg_event);
	fired->relid = RelationGetRelid(trigdata->tg_relation);
	fired->namespace = RelationGetNamespace(trigdata->tg_relation);
	fired->trigger = trigdata->tg_trigger;
	row = prove_table(fired);
	prove_rows(row, trigdata);
	return row;
}

bool
lq_trigger_prove(FunctionCallInfo fcinfo, const char *function)
{
	Fired		fired;

	(void) prove(fcinfo, function, &fired);
	if (fired.detached)
		return false;
	prove_siblings(&fired);
	return true;
}

/* Reading the funnel begins with a proof of its tables. */
LqFunnel *
lq_funnel_of_trigger(FunctionCallInfo fcinfo, const char *function)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Fired		fired;
	const LqTrigger *row = prove(fcinfo, function, &fired);
	LqFunnel   *funnel;

	if (fired.detached)
		return NULL;
	/* what is fired for a rule must not need the others */
	funnel = row->table == LQ_TABLE_RULE || row->table == LQ_TABLE_TRANSITION ?
		lq_funnel_but_rules(fired.schema) : lq_funnel_by_schema(fired.schema);
	if (trigdata->tg_relation->rd_rel->relowner != funnel->owner)
		refuse_owner(RelationGetRelationName(trigdata->tg_relation),
					 funnel->name);
	return funnel;
}

static bool
says(text *value, const char *word)
{
	return VARSIZE_ANY_EXHDR(value) == strlen(word) &&
		memcmp(VARDATA_ANY(value), word, strlen(word)) == 0;
}

/*
 * _prove_trigger(function text, relid oid, tg_when text, tg_level text,
 *				  tg_op text) - boolean
 *
 * The same for trigger functions in PL/pgSQL, which give their name and what
 * they know of how they were fired.
 */
Datum
_prove_trigger(PG_FUNCTION_ARGS)
{
	text	   *when = PG_GETARG_TEXT_PP(2);
	text	   *op = PG_GETARG_TEXT_PP(4);
	Fired		fired;

	fired.function = text_to_cstring(PG_GETARG_TEXT_PP(0));
	fired.relid = PG_GETARG_OID(1);
	fired.namespace = get_rel_namespace(fired.relid);
	fired.trigger = NULL;
	fired.type = says(op, "INSERT") ? TRIGGER_TYPE_INSERT :
		says(op, "UPDATE") ? TRIGGER_TYPE_UPDATE :
		says(op, "DELETE") ? TRIGGER_TYPE_DELETE : TRIGGER_TYPE_TRUNCATE;
	if (says(PG_GETARG_TEXT_PP(3), "ROW"))
		fired.type |= TRIGGER_TYPE_ROW;
	if (says(when, "BEFORE"))
		fired.type |= TRIGGER_TYPE_BEFORE;
	else if (!says(when, "AFTER"))
		fired.type |= TRIGGER_TYPE_INSTEAD;
	(void) prove_table(&fired);
	prove_siblings(&fired);
	PG_RETURN_BOOL(true);
}
