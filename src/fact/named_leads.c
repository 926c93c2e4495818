/*
 * named_leads.c
 *		The leads that rows of facts name, which are there and locked.
 *
 * This is in the place of foreign keys.  One would lock the lead's row FOR KEY
 * SHARE before the trigger that follows locks it for its update, and several
 * writers of one lead would make multixacts of that and wait for each other
 * all the time.  Here the first lock is the one that the update needs.
 *
 * A row may name no lead that is not there, from the moment that it names it:
 * when it comes and when its key changes, under lead_qual.import, too.  The
 * lock keeps the lead until the row can be seen by whoever deletes it, see
 * _forget_lead().  Rows that stay behind when a lead goes, such as its history,
 * may be changed otherwise, and loaded where a departure tells of the lead.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/partition.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "clip.h"
#include "compat.h"
#include "fact/named_leads.h"
#include "fact/transition_rows.h"
#include "funnel/between_triggers.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/key.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "grow.h"

PG_FUNCTION_INFO_V1(_require_lead);

/* leads that one statement locks */
#define KEYS_AT_A_TIME 1000

/* a walk over the keys that rows of a statement name, and did not before */
typedef struct Naming
{
	LqTransitionRows after;
	LqTransitionRows before;
	bool		paired;			/* rows before are there, in the same order */
	int			lead_id;
	const LqFunnel *funnel;
} Naming;

static bool
naming_begin(Naming *naming, const LqFunnel *funnel, TriggerData *trigdata,
			 LqTable table)
{
	if (trigdata->tg_newtable == NULL)
		return false;
	naming->funnel = funnel;
	naming->paired = trigdata->tg_oldtable != NULL;
	lq_transition_rows_begin(&naming->after, trigdata, trigdata->tg_newtable,
							 funnel->relid[table]);
	if (naming->paired)
		lq_transition_rows_begin(&naming->before, trigdata,
								 trigdata->tg_oldtable, funnel->relid[table]);
	naming->lead_id = funnel->attno[lq_key_column(table)];
	return true;
}

static bool
naming_next(Naming *naming, Datum *key)
{
	TupleTableSlot *row;

	while ((row = lq_transition_rows_next(&naming->after)) != NULL)
	{
		TupleTableSlot *old_row = naming->paired ?
		lq_transition_rows_next(&naming->before) : NULL;
		bool		isnull;
		bool		old_isnull;
		Datum		old_key;

		CHECK_FOR_INTERRUPTS();
		*key = slot_getattr(row, naming->lead_id, &isnull);
		if (isnull)
			continue;
		if (old_row == NULL)
			return true;
		old_key = slot_getattr(old_row, naming->lead_id, &old_isnull);
		if (old_isnull || lq_key_cmp(naming->funnel, *key, old_key) != 0)
			return true;
	}
	return false;
}

static void
naming_end(Naming *naming)
{
	lq_transition_rows_end(&naming->after);
	if (naming->paired)
		lq_transition_rows_end(&naming->before);
}

/*
 * A lead that this transaction's snapshot does not show was inserted since:
 * what would be decided about it could not be serialized.
 */
static void
check_not_hidden(const LqFunnel *funnel, Datum key)
{
	if (IsolationUsesXactSnapshot() &&
		lq_statement_run_latest(funnel, LQ_STATEMENT_LEAD_EXISTS, &key,
								NULL) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update")));
}

SPITupleTable *
lq_lock_lead(const LqFunnel *funnel, Datum key)
{
	if (lq_statement_run(funnel, LQ_STATEMENT_LOCK_LEAD, &key, NULL) > 0)
		return SPI_tuptable;
	SPI_freetuptable(SPI_tuptable);
	check_not_hidden(funnel, key);
	return NULL;
}

/* As a foreign key says it, for those who read errors by program. */
pg_noreturn static void
refuse(const LqFunnel *funnel, TriggerData *trigdata, LqTable table, Datum key)
{
	Relation	rel = trigdata->tg_relation;
	char	   *constraint = psprintf("%s_lead_id_fkey",
									  get_rel_name(funnel->relid[table]));

	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("insert or update on table \"%s\" violates foreign key constraint \"%s\"",
					RelationGetRelationName(rel), constraint),
			 errdetail("Key (lead_id)=(%s) is not present in table \"%s\".",
					   lq_clip(lq_key_text(funnel, key)),
					   get_rel_name(funnel->relid[LQ_TABLE_LEAD])),
			 errhint("Insert the lead first."),
			 errtableconstraint(rel, constraint)));
}

/*
 * A lead was not found.  That is as it should be for rows that go, or were of
 * a lead that is gone already.
 */
void
lq_refuse_if_named(const LqFunnel *funnel, TriggerData *trigdata,
				   LqTable table, Datum key)
{
	Naming		naming;
	Datum		named;

	if (!naming_begin(&naming, funnel, trigdata, table))
		return;
	while (naming_next(&naming, &named))
		if (lq_key_cmp(funnel, named, key) == 0)
			refuse(funnel, trigdata, table, key);
	naming_end(&naming);
}

/* Is the row of a lead that went, and of those that stay behind? */
static bool
stays_behind(const LqFunnel *funnel, LqTable table, Datum key)
{
	bool		found;

	if (table != LQ_TABLE_STAGE_HISTORY && table != LQ_TABLE_DEAL_CONTACT &&
		table != LQ_TABLE_SIGNATURE)
		return false;
	if (!lq_funnel_importing(funnel))
		return false;
	found = lq_statement_run(funnel, LQ_STATEMENT_DEPARTED, &key, NULL) > 0;
	SPI_freetuptable(SPI_tuptable);
	return found;
}

/*
 * Lock the leads with these keys, which are in order; raise if one is not
 * there.  Keys that are arrays make no array, they are locked one by one, and
 * so is a single one.
 */
static void
lock_leads(const LqFunnel *funnel, TriggerData *trigdata, LqTable table,
		   Datum *keys, int n_keys)
{
	bool		at_once = n_keys > 1 &&
	OidIsValid(get_array_type(funnel->key_type));
	SPITupleTable *found = NULL;
	uint64		n = 0;
	uint64		next = 0;

	if (at_once)
	{
		int16		typlen;
		bool		typbyval;
		char		typalign;
		Datum		array;

		get_typlenbyvalalign(funnel->key_type, &typlen, &typbyval, &typalign);
		array = PointerGetDatum(construct_array(keys, n_keys, funnel->key_type,
												typlen, typbyval, typalign));
		n = lq_statement_run(funnel, LQ_STATEMENT_LOCK_LEADS, &array, NULL);
		found = SPI_tuptable;
	}
	for (int i = 0; i < n_keys; i++)
	{
		bool		isnull;

		if (next < n &&
			lq_key_cmp(funnel, keys[i],
					   SPI_getbinval(found->vals[next], found->tupdesc, 1,
									 &isnull)) == 0)
		{
			next++;
			continue;
		}
		if (!at_once && lq_lock_lead(funnel, keys[i]) != NULL)
		{
			SPI_freetuptable(SPI_tuptable);
			continue;
		}
		check_not_hidden(funnel, keys[i]);
		if (!stays_behind(funnel, table, keys[i]))
			refuse(funnel, trigdata, table, keys[i]);
	}
	SPI_freetuptable(found);
}

void
lq_require_leads(const LqFunnel *funnel, TriggerData *trigdata, LqTable table)
{
	Naming		naming;
	Datum	   *keys = NULL;
	Datum		key;
	int			n = 0;
	int			distinct = 0;
	int			room = 0;
	MemoryContext context;
	LqIdentity	saved;

	if (!naming_begin(&naming, funnel, trigdata, table))
		return;
	while (naming_next(&naming, &key))
	{
		if (lq_lead_at_hand(funnel, table, key))
			continue;
		/* rows of one lead often come together */
		if (n > 0 && lq_key_cmp(funnel, keys[n - 1], key) == 0)
			continue;
		keys = lq_grow(keys, n, &room, sizeof(Datum));
		keys[n++] = datumCopy(key, funnel->key_typbyval, funnel->key_typlen);
	}
	naming_end(&naming);
	if (n == 0)
		return;
	qsort_arg(keys, n, sizeof(Datum), lq_key_compare,
			  unconstify(LqFunnel *, funnel));
	for (int i = 0; i < n; i++)
		if (i == 0 || lq_key_cmp(funnel, keys[distinct - 1], keys[i]) != 0)
			keys[distinct++] = keys[i];

	lq_funnel_enter(funnel, &saved);
	context = AllocSetContextCreate(CurrentMemoryContext, "lead_qual keys",
									ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < distinct; i += KEYS_AT_A_TIME)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		CHECK_FOR_INTERRUPTS();
		lock_leads(funnel, trigdata, table, keys + i,
				   Min(KEYS_AT_A_TIME, distinct - i));
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	lq_funnel_leave(&saved);
}

/*
 * _require_lead() - AFTER INSERT or UPDATE ON a table that names leads
 *					FOR EACH STATEMENT, with transition tables
 *
 * For tables that nothing else follows from.
 */
Datum
_require_lead(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_require_lead");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Oid			relid = RelationGetRelid(trigdata->tg_relation);
	int			table = 0;

	if (funnel == NULL)
		return PointerGetDatum(NULL);
	if (trigdata->tg_relation->rd_rel->relispartition)
		relid = llast_oid(get_partition_ancestors(relid));
	while (table < LQ_N_TABLES && funnel->relid[table] != relid)
		table++;
	if (table == LQ_N_TABLES)
		elog(ERROR, "table with OID %u is not of funnel \"%s\"", relid,
			 funnel->name);
	lq_funnel_check_settings(funnel);
	lq_require_leads(funnel, trigdata, table);
	return PointerGetDatum(NULL);
}
