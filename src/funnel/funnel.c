/*
 * funnel.c
 *		Finds the tables of a funnel and keeps what they say.
 *
 * A funnel is a schema of ordinary tables.  What a backend needs of it (which
 * tables, which key, the policy rows, the compiled conditions) is read once
 * and kept in an LqFunnel.  It goes stale in three ways:
 *
 *	- a table is altered, or a policy row changes: the trigger policy_changed()
 *	  sends a relcache invalidation for its table, which arrives in every
 *	  session when the change commits;
 *	- a function, type or operator changes that a condition may call;
 *	- a schema is renamed.
 *
 * The callbacks only mark, because they run at places where no catalog may be
 * read.  The next look-up reads everything anew.  A message may also arrive
 * while we read: the mark is cleared before reading and looked at afterwards.
 *
 * Policy is read under a snapshot taken after the messages were accepted.
 * With the transaction's own snapshot, a REPEATABLE READ transaction would
 * read old rules, clear the mark, and go on using them in later transactions.
 *
 * Somebody up the stack may still be using an LqFunnel that has gone stale,
 * so its memory goes at the end of the transaction, not at once.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/funnel_entry.h"
#include "lead_qual.h"

static const char *const table_names[LQ_N_TABLES] = {
	[LQ_TABLE_ACCOUNT] = "account",
	[LQ_TABLE_ACTIVITY] = "activity",
	[LQ_TABLE_ANSWER] = "answer",
	[LQ_TABLE_BASELINE] = "baseline",
	[LQ_TABLE_CALENDAR] = "calendar",
	[LQ_TABLE_DEAL] = "deal",
	[LQ_TABLE_DEAL_CONTACT] = "deal_contact",
	[LQ_TABLE_DEFINITION] = "definition",
	[LQ_TABLE_DEFINITION_LOG] = "definition_log",
	[LQ_TABLE_ELEMENT] = "element",
	[LQ_TABLE_HOLIDAY] = "holiday",
	[LQ_TABLE_KIND] = "kind",
	[LQ_TABLE_LEAD] = "lead",
	[LQ_TABLE_LIST] = "list",
	[LQ_TABLE_REASON] = "reason",
	[LQ_TABLE_RULE] = "rule",
	[LQ_TABLE_SETTING] = "setting",
	[LQ_TABLE_SIDE] = "side",
	[LQ_TABLE_SIGNATURE] = "signature",
	[LQ_TABLE_SOURCE] = "source",
	[LQ_TABLE_STAGE] = "stage",
	[LQ_TABLE_STAGE_HISTORY] = "stage_history",
	[LQ_TABLE_TRANSITION] = "transition",
	[LQ_TABLE_VERDICT] = "verdict",
};

/* How often to read again when messages keep arriving meanwhile. */
#define MAX_LOADS 10

static HTAB *entries = NULL;

/* A partition of the lead table that we have met?  Changes of it tell us. */
static bool
is_partition(const LqFunnel *funnel, Oid relid)
{
	return funnel != NULL && funnel->partitions != NULL &&
		hash_search(funnel->partitions, &relid, HASH_FIND, NULL) != NULL;
}

static void
mark_relation(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS scan;
	LqFunnelEntry *entry;

	hash_seq_init(&scan, entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (!entry->valid)
			continue;
		if (!OidIsValid(relid))
		{
			entry->valid = false;
			continue;
		}
		if (entry->lead == relid || is_partition(entry->current, relid))
			entry->valid = false;
		for (int i = 0; i < LQ_N_TABLES; i++)
		{
			if (entry->relid[i] == relid)
			{
				entry->valid = false;
				break;
			}
		}
	}
}

static void
mark_all(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS scan;
	LqFunnelEntry *entry;

	hash_seq_init(&scan, entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
		entry->valid = false;
}

/*
 * Every CREATE TABLE makes types.  Only those matter that columns of the
 * funnel's tables have and that are not built in.
 */
static void
mark_type(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS scan;
	LqFunnelEntry *entry;

	hash_seq_init(&scan, entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		bool		ours = hashvalue == 0 || entry->current == NULL;

		for (int i = 0; !ours && i < entry->current->n_type_hashes; i++)
			ours = entry->current->type_hashes[i] == hashvalue;
		if (ours)
			entry->valid = false;
	}
}

static void
init_entries(void)
{
	HASHCTL		ctl;

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(LqFunnelEntry);
	entries = hash_create("lead_qual funnels", 8, &ctl,
						  HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(mark_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, mark_all, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, mark_type, (Datum) 0);
	CacheRegisterSyscacheCallback(OPEROID, mark_all, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, mark_all, (Datum) 0);
}

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
				 errdetail("It has no table \"%s\".", table_names[table]),
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
						   table_names[0],
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
					funnel->name, table_names[table])));
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

		relid[i] = get_relname_relid(table_names[i], funnel->schema);
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
							  get_relname_relid(table_names[i], schema));
		if (relkind != RELKIND_RELATION &&
			relkind != RELKIND_PARTITIONED_TABLE &&
			!(i == LQ_TABLE_LEAD && relkind == RELKIND_VIEW))
			refuse_kind(&funnel, i);
	}
	return funnel.owner;
}

/*
 * Plans name the tables, the key and our schema, and have the key's type.
 * Any of these may be what changed.
 */
static void
forget_plans(LqFunnelEntry *entry)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	for (int i = 0; i < LQ_N_STATEMENTS; i++)
	{
		if (entry->plans[i] != NULL)
			entry->dead_plans = lappend(entry->dead_plans, entry->plans[i]);
		entry->plans[i] = NULL;
	}
	entry->dead_since = lq_local_xid();
	MemoryContextSwitchTo(old);
}

/* Somebody up the stack may be running one, until the transaction is over. */
static void
free_dead_plans(LqFunnelEntry *entry)
{
	ListCell   *cell;

	if (entry->dead_plans == NIL || entry->dead_since == lq_local_xid())
		return;
	foreach(cell, entry->dead_plans)
		SPI_freeplan((SPIPlanPtr) lfirst(cell));
	list_free(entry->dead_plans);
	entry->dead_plans = NIL;
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
	entry->lead = get_relname_relid(table_names[LQ_TABLE_LEAD], entry->schema);
	find_tables(funnel, relid);
	memcpy(funnel->relid, relid, sizeof(relid));
	forget_plans(entry);
	/* from here on the callback knows the tables */
	memcpy(entry->relid, relid, sizeof(relid));

	lq_model_load(funnel);

	MemoryContextSwitchTo(old);
	if (entry->current != NULL)
	{
		MemoryContextSetParent(entry->current->context, TopTransactionContext);
		funnel->replaced = entry->current;
		funnel->replaced_in = lq_local_xid();
	}
	MemoryContextSetParent(context, CacheMemoryContext);
	entry->current = funnel;
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
 * The funnel in that schema, as it is now.
 */
LqFunnel *
lq_funnel_by_schema(Oid schema)
{
	LqFunnelEntry *entry;
	bool		found;

	if (entries == NULL)
		init_entries();

	entry = hash_search(entries, &schema, HASH_ENTER, &found);
	if (!found)
	{
		/* the key stands first; all else starts empty */
		memset((char *) entry + sizeof(Oid), 0,
			   sizeof(LqFunnelEntry) - sizeof(Oid));
	}
	free_dead_plans(entry);
	lock_shapes(entry);

	for (int i = 0; !entry->valid && i < MAX_LOADS; i++)
	{
		AcceptInvalidationMessages();
		entry->valid = true;
		PG_TRY();
		{
			load(entry);
		}
		PG_CATCH();
		{
			entry->valid = false;
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
	return entry->current;
}

/*
 * Does a funnel that we keep, and that is not out of date, prove that this is
 * a table of it?
 */
bool
lq_funnel_knows_table(Oid schema, LqTable table, Oid relid)
{
	LqFunnelEntry *entry = entries == NULL ? NULL :
	hash_search(entries, &schema, HASH_FIND, NULL);

	return entry != NULL && entry->valid && entry->current != NULL &&
		(entry->current->relid[table] == relid ||
		 (table == LQ_TABLE_LEAD && is_partition(entry->current, relid)));
}

LqFunnel *
lq_funnel_replaced(const LqFunnel *funnel)
{
	return funnel->replaced_in == lq_local_xid() ? funnel->replaced : NULL;
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

const char *
lq_table_name(LqTable table)
{
	return table_names[table];
}

bool
lq_table_by_name(const char *name, LqTable *table)
{
	for (int i = 0; i < LQ_N_TABLES; i++)
	{
		if (strcmp(name, table_names[i]) == 0)
		{
			*table = i;
			return true;
		}
	}
	return false;
}

const char *
lq_relation_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  get_rel_name(relid));
}

const char *
lq_funnel_table(const LqFunnel *funnel, LqTable table)
{
	return lq_relation_name(table == LQ_TABLE_LEAD &&
							OidIsValid(funnel->lead_view) ?
							funnel->lead_view : funnel->relid[table]);
}

const LqStage *
lq_funnel_stage(const LqFunnel *funnel, const char *name)
{
	for (int i = 0; i < funnel->n_stages; i++)
		if (strcmp(funnel->stages[i].name, name) == 0)
			return &funnel->stages[i];
	return NULL;
}

/* kinds are sorted by name, bytewise */
const LqKind *
lq_funnel_kind(const LqFunnel *funnel, const char *name)
{
	int			low = 0;
	int			high = funnel->n_kinds - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			cmp = strcmp(name, funnel->kinds[middle].name);

		if (cmp == 0)
			return &funnel->kinds[middle];
		if (cmp < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return NULL;
}

const LqRule *
lq_funnel_rule(const LqFunnel *funnel, int64 rule_id)
{
	for (int i = 0; i < funnel->n_rules; i++)
		if (funnel->rules[i].card.rule_id == rule_id)
			return &funnel->rules[i];
	return NULL;
}
