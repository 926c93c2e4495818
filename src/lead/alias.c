/*
 * alias.c
 *		Further names of leads, which no two leads share.
 *
 * An external id or an address is either a lead's own or an alias, never of
 * two leads.  No index of one table can see to it, so that whoever writes
 * either looks at the other table; and so that two who write at once do not
 * miss each other, they meet at a lock.  It is one of a few, by the value:
 * many leads in one transaction take no more than these.  Those who write
 * leads share it, for among them there is an index.  The lock comes after the
 * lead's row is written, and before the alias's.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/key.h"
#include "funnel/lead_table.h"
#include "funnel/lookup.h"
#include "funnel/row.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "lead/alias.h"
#include "lead_qual.h"

PG_FUNCTION_INFO_V1(_guard_alias);
PG_FUNCTION_INFO_V1(_lock_name);

/* how many locks there are, and of those who would create a lead */
#define N_LOCKS			64
#define N_CREATOR_LOCKS 1024

/* a lead, and by what it is to be known: arguments of the statements */
typedef struct Known
{
	Datum		values[3];		/* key, external id, e-mail address */
	char		nulls[4];
	char	   *texts[3];
} Known;

/* Lock what stands for a text, one of n from the first on. */
static void
lock_text(const LqFunnel *funnel, const char *text, int first, int n,
		  LOCKMODE mode)
{
	size_t		length = strlen(text);
	char	   *lower = str_tolower(text, length, DEFAULT_COLLATION_OID);
	uint32		hash = hash_bytes((unsigned char *) lower, strlen(lower));

	LockDatabaseObject(RelationRelationId,
					   funnel->relid[LQ_TABLE_LEAD_ALIAS],
					   first + hash % n, mode);
}

static void
name_set(Known *name, int i, Datum value, bool isnull)
{
	name->values[i] = value;
	name->nulls[i] = isnull ? 'n' : ' ';
	name->texts[i] = NULL;
}

static void
name_set_text(Known *name, int i, char *text)
{
	name_set(name, i, text == NULL ? (Datum) 0 : CStringGetTextDatum(text),
			 text == NULL);
	name->texts[i] = text;
}

static void
name_lock(const Known *name, const LqFunnel *funnel, LOCKMODE mode)
{
	for (int i = 1; i < 3; i++)
		if (name->texts[i] != NULL)
			lock_text(funnel, name->texts[i], 1, N_LOCKS, mode);
}

/* Most funnels have no aliases; to see that takes no statement. */
static bool
any_alias(const LqFunnel *funnel)
{
	Relation	rel = table_open(funnel->relid[LQ_TABLE_LEAD_ALIAS],
								 AccessShareLock);
	bool		any = rel->rd_rel->relkind != RELKIND_RELATION ||
	RelationGetNumberOfBlocks(rel) > 0;

	table_close(rel, AccessShareLock);
	return any;
}

/* Is there another lead of that name?  Its key as text, or NULL. */
static char *
other_lead(const LqFunnel *funnel, LqStatement statement, Known *name,
		   bool *by_email)
{
	MemoryContext caller = CurrentMemoryContext;
	LqIdentity	saved;
	char	   *other = NULL;
	bool		isnull;

	lq_funnel_enter(funnel, &saved);
	if (lq_statement_run_latest(funnel, statement, name->values,
								name->nulls) > 0)
	{
		HeapTuple	row = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		MemoryContext spi;

		*by_email = name->texts[2] != NULL;
		if (desc->natts > 1)
		{
			(void) SPI_getbinval(row, desc, 2, &isnull);
			*by_email = !isnull;
		}
		spi = MemoryContextSwitchTo(caller);
		other = lq_key_text(funnel, SPI_getbinval(row, desc, 1, &isnull));
		MemoryContextSwitchTo(spi);
	}
	lq_funnel_leave(&saved);
	return other;
}

static const char *
kind_of_name(bool by_email)
{
	return by_email ? "e-mail address" : "external id";
}

void
lq_alias_refuse(LqFunnel *funnel, HeapTuple row, HeapTuple before)
{
	static const char *const columns[] = {"", "external_id", "email"};
	Known		name = {.nulls = "   "};
	bool		isnull;
	bool		by_email;
	char	   *other;

	for (int i = 1; i < 3; i++)
	{
		AttrNumber	attno = lq_lead_attno(funnel, columns[i]);

		if (AttributeNumberIsValid(attno) &&
			(before == NULL || lq_attribute_differs(funnel->lead_desc, attno,
													before, row)))
			name_set_text(&name, i, SPI_getvalue(row, funnel->lead_desc,
												 attno));
		else
			name_set_text(&name, i, NULL);
	}
	if (name.texts[1] == NULL && name.texts[2] == NULL)
		return;
	name_lock(&name, funnel, AccessShareLock);
	if (!any_alias(funnel))
		return;

	name_set(&name, 0, heap_getattr(row, funnel->key_attno, funnel->lead_desc,
									&isnull), false);
	other = other_lead(funnel, LQ_STATEMENT_ALIAS_OF, &name, &by_email);
	if (other != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("%s \"%s\" is an alias of another lead",
						kind_of_name(by_email), name.texts[by_email ? 2 : 1]),
				 errdetail("It is one of lead %s of funnel \"%s\".", other,
						   funnel->name),
				 errhint("Use that lead, or delete the row of table \"lead_alias\" first."),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, by_email ?
									"lead_alias_email" :
									"lead_alias_external_id_key")));
}

/*
 * _guard_alias() - BEFORE INSERT OR UPDATE ON lead_alias FOR EACH ROW
 */
Datum
_guard_alias(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_guard_alias");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel = trigdata->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	row = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	int			since = lq_column_of(rel, LQ_LEAD_ALIAS_SINCE);
	Known		name = {.nulls = "   "};
	Datum		at = TimestampTzGetDatum(lq_now());
	Datum		key;
	bool		isnull;
	bool		by_email;
	char	   *other;

	key = SPI_getbinval(row, desc, lq_column_named(rel, LQ_LEAD_ALIAS_LEAD_ID),
						&isnull);
	name_set(&name, 0, key, isnull);
	name_set_text(&name, 1,
				  SPI_getvalue(row, desc,
							   lq_column_of(rel, LQ_LEAD_ALIAS_EXTERNAL_ID)));
	name_set_text(&name, 2,
				  SPI_getvalue(row, desc,
							   lq_column_of(rel, LQ_LEAD_ALIAS_EMAIL)));
	name_lock(&name, funnel, AccessExclusiveLock);
	other = other_lead(funnel, LQ_STATEMENT_ADDRESS_OF, &name, &by_email);
	if (other != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("%s \"%s\" is another lead's own",
						kind_of_name(by_email), name.texts[by_email ? 2 : 1]),
				 errdetail("It is that of lead %s of funnel \"%s\".", other,
						   funnel->name),
				 errhint("Where both are one person, merge_leads() makes one lead of them."),
				 errtableconstraint(rel, by_email ? "lead_alias_email" :
									"lead_alias_external_id_key")));

	if (lq_funnel_importing(funnel))
		return PointerGetDatum(row);
	if (update)
		at = SPI_getbinval(trigdata->tg_trigtuple, desc, since, &isnull);
	isnull = false;
	return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, 1, &since, &at,
													 &isnull));
}

/*
 * _lock_name(funnel text, name text) - void
 *
 * Who would create a lead of that name waits for another who would: where
 * there is no index for them to meet at.
 */
Datum
_lock_name(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Oid			leads = OidIsValid(funnel->lead_view) ? funnel->lead_view :
	funnel->relid[LQ_TABLE_LEAD];

	if (pg_class_aclcheck(leads, GetUserId(), ACL_INSERT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(leads, GetUserId(), ACL_INSERT,
								  ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(leads));
	lock_text(funnel, text_to_cstring(PG_GETARG_TEXT_PP(1)), 1 + N_LOCKS,
			  N_CREATOR_LOCKS, AccessExclusiveLock);
	PG_RETURN_VOID();
}
