/*
 * lookup.c
 *		Finds the tables of a funnel and what they say, as of now.
 *
 * A funnel is a schema of ordinary tables.  What a backend needs of it (which
 * tables, which key, the policy rows, the compiled conditions) is read once
 * and kept in an LqFunnel.  It goes stale in three ways:
 *
 *	- a table is altered, or a policy row changes: the trigger _policy_changed()
 *	  sends a relcache invalidation for its table, which arrives in every
 *	  session when the change commits;
 *	- a function, type or operator changes that a condition may call;
 *	- a schema is renamed.
 *
 * How long it is kept is in funnel_entry.c.  A message may also arrive while we
 * read: the mark is cleared before reading and looked at afterwards.
 *
 * Policy is read under a snapshot taken after the messages were accepted.
 * With the transaction's own snapshot, a REPEATABLE READ transaction would
 * read old rules, clear the mark, and go on using them in later transactions.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "compat.h"
#include "funnel/columns.h"
#include "funnel/depends.h"
#include "funnel/funnel.h"
#include "funnel/funnel_entry.h"
#include "funnel/lead_table.h"
#include "funnel/lookup.h"
#include "funnel/model.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "lead_qual.h"

/* How often to read again when messages keep arriving meanwhile. */
#define MAX_LOADS 10

/*
 * The relation's kind, once it is proven that it belongs to whom the others
 * do.
 */
static char
prove_owner(LqFunnel *funnel, LqTable table, Oid relid)
{
	HeapTuple	tuple = OidIsValid(relid) ?
	SearchSysCache1(RELOID, ObjectIdGetDatum(relid)) : NULL;
	Form_pg_class class_form;
	char		relkind;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("schema \"%s\" is not a funnel", funnel->name),
				 errdetail("It has no table \"%s\".", lq_table_name(table)),
				 errhint("Funnels are made by create_funnel().")));
	class_form = (Form_pg_class) GETSTRUCT(tuple);
	relkind = class_form->relkind;
	if (!OidIsValid(funnel->owner))
		funnel->owner = class_form->relowner;
	else if (funnel->owner != class_form->relowner)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("tables of funnel \"%s\" belong to different roles",
						funnel->name),
				 errdetail("Table \"%s\" belongs to \"%s\", table \"%s\" to \"%s\".",
						   lq_table_name(0),
						   GetUserNameFromId(funnel->owner, false),
						   NameStr(class_form->relname),
						   GetUserNameFromId(class_form->relowner, false)),
				 errhint("Give all of them to one role with ALTER TABLE ... OWNER TO.")));
	ReleaseSysCache(tuple);
	return relkind;
}

pg_noreturn static void
refuse_kind(const LqFunnel *funnel, LqTable table)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s.%s\" is not a table",
					funnel->name, lq_table_name(table))));
}

/*
 * Find the tables, and prove that one role owns them all.  Were a sibling
 * somebody else's, acting as the owner of the table that fired would let its
 * owner write into a funnel of his choice.
 */
static void
find_tables(LqFunnel *funnel, Oid *relid)
{
	funnel->owner = InvalidOid;

	for (int i = 0; i < LQ_N_TABLES; i++)
	{
		char		relkind;

		relid[i] = get_relname_relid(lq_table_name(i), funnel->schema);
		relkind = prove_owner(funnel, i, relid[i]);
		if (i == LQ_TABLE_LEAD && relkind == RELKIND_VIEW)
		{
			relid[i] = lq_lead_table_find(funnel, relid[i]);
			relkind = prove_owner(funnel, i, relid[i]);
		}
		if (relkind != RELKIND_RELATION &&
			relkind != RELKIND_PARTITIONED_TABLE)
			refuse_kind(funnel, i);
	}
}

/*
 * Prove that a schema holds a funnel, by its tables alone; returns their
 * owner.  Nothing is opened.
 */
Oid
lq_funnel_prove_tables(Oid schema)
{
	LqFunnel	funnel = {0};

	funnel.schema = schema;
	funnel.name = get_namespace_name(schema);
	if (funnel.name == NULL)
		funnel.name = "";
	for (int i = 0; i < LQ_N_TABLES; i++)
	{
		char		relkind;

		relkind = prove_owner(&funnel, i,
							  get_relname_relid(lq_table_name(i), schema));
		if (relkind != RELKIND_RELATION &&
			relkind != RELKIND_PARTITIONED_TABLE &&
			!(i == LQ_TABLE_LEAD && relkind == RELKIND_VIEW))
			refuse_kind(&funnel, i);
	}
	return funnel.owner;
}

static void
load(LqFunnelEntry *entry)
{
	MemoryContext context;
	MemoryContext old;
	LqFunnel   *funnel;
	Oid			relid[LQ_N_TABLES];
	char	   *name = get_namespace_name(entry->schema);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema with OID %u does not exist", entry->schema)));

	/* short-lived until complete, so that an error half-way leaks nothing */
	context = AllocSetContextCreate(CurrentMemoryContext, "lead_qual funnel",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	funnel = palloc0(sizeof(LqFunnel));
	funnel->schema = entry->schema;
	funnel->name = pstrdup(name);
	funnel->context = context;
	funnel->entry = entry;
	MemoryContextCopyAndSetIdentifier(context, funnel->name);

	/* it is told of changes from before we look at it */
	entry->lead = get_relname_relid(lq_table_name(LQ_TABLE_LEAD), entry->schema);
	find_tables(funnel, relid);
	memcpy(funnel->relid, relid, sizeof(relid));
	funnel->plans = palloc0(LQ_N_STATEMENTS * sizeof(SPIPlanPtr));
	lq_depends_on_schema(funnel, funnel->schema);
	lq_depends_on_schema(funnel, lq_extension_schema());
	lq_depends_on_schema(funnel, get_rel_namespace(relid[LQ_TABLE_LEAD]));
	/* from here on the callback knows the tables */
	memcpy(entry->relid, relid, sizeof(relid));

	lq_model_load(funnel);

	MemoryContextSwitchTo(old);
	lq_entry_set(entry, funnel);
}

/*
 * Keep the tables whose rows we take apart in the shape that we know, to the
 * end of the transaction.  Taking the lock brings the message of who altered
 * one.
 */
static void
lock_shapes(const LqFunnelEntry *entry)
{
	static const LqTable tables[] = {
		LQ_TABLE_LEAD, LQ_TABLE_ACCOUNT
	};

	for (int i = 0; i < lengthof(tables); i++)
		if (OidIsValid(entry->relid[tables[i]]))
			LockRelationOid(entry->relid[tables[i]], AccessShareLock);
}

/*
 * Are the tables those that they were, and do they still have the columns
 * that the code reads?
 */
static bool
same_tables(const LqFunnel *funnel)
{
	LqFunnel	now = *funnel;

	find_tables(&now, now.relid);
	if (now.owner != funnel->owner ||
		memcmp(now.relid, funnel->relid, sizeof(now.relid)) != 0)
		return false;
	return lq_columns_stay(&now, funnel);
}

/*
 * The funnel in that schema, as it is now; but_rules: of rules and transitions
 * any that were read will do.
 */
static LqFunnel *
look_up(Oid schema, bool but_rules)
{
	LqFunnelEntry *entry = lq_entry(schema);

	lock_shapes(entry);
	for (int i = 0; entry->stale != 0 && i < MAX_LOADS; i++)
	{
		AcceptInvalidationMessages();
		if (but_rules && entry->stale == LQ_STALE_RULES &&
			same_tables(entry->current))
			break;
		entry->stale = 0;
		entry->loading++;
		PG_TRY();
		{
			load(entry);
			entry->loading--;
		}
		PG_CATCH();
		{
			entry->loading--;
			entry->stale = LQ_STALE_ALL;
			PG_RE_THROW();
		}
		PG_END_TRY();
	}
	if (entry->current->unset && !lq_import_setting)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"setting\" of funnel \"%s\" is empty",
						entry->current->name),
				 errhint("A funnel has exactly one row there.")));
	lq_entry_pin(entry->current);
	return entry->current;
}

LqFunnel *
lq_funnel_by_schema(Oid schema)
{
	return look_up(schema, false);
}

/*
 * For what checks and announces changes of rules and transitions: to read all
 * of them anew for each row that changes would be slow.
 */
LqFunnel *
lq_funnel_but_rules(Oid schema)
{
	return look_up(schema, true);
}

LqFunnel *
lq_funnel_by_name(const char *name)
{
	Oid			schema = get_namespace_oid(name, true);

	if (!OidIsValid(schema))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("funnel \"%s\" does not exist", name),
				 errhint("Create it with create_funnel().")));
	return lq_funnel_by_schema(schema);
}
