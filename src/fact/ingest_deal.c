/*
 * ingest_deal.c
 *		The statement triggers of deal and deal_contact: a lead knows how many
 *		deals it has, and the transitions do the rest.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"

#include "compat.h"
#include "fact/named_leads.h"
#include "fact/transition_rows.h"
#include "funnel/between_triggers.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/key.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "grow.h"

PG_FUNCTION_INFO_V1(_ingest_deal);
PG_FUNCTION_INFO_V1(_ingest_deal_contact);

/* the values of one column of a transition table */
typedef struct Column
{
	Datum	   *values;
	int			n;
	int			room;
} Column;

static void
read_column(Column *column, const LqFunnel *funnel, TriggerData *trigdata,
			Tuplestorestate *rows, LqTable table, LqColumn name,
			bool byval, int16 typlen)
{
	LqTransitionRows scan;
	TupleTableSlot *slot;

	if (rows == NULL)
		return;
	lq_transition_rows_begin(&scan, trigdata, rows, funnel->relid[table]);
	while ((slot = lq_transition_rows_next(&scan)) != NULL)
	{
		bool		isnull;
		Datum		value = slot_getattr(slot, funnel->attno[name], &isnull);

		CHECK_FOR_INTERRUPTS();
		column->values = lq_grow(column->values, column->n, &column->room,
								 sizeof(Datum));
		column->values[column->n++] = datumCopy(value, byval, typlen);
	}
	lq_transition_rows_end(&scan);
}

static Datum
id_array(const Column *ids)
{
	return PointerGetDatum(construct_array(ids->values, ids->n, INT8OID,
										   sizeof(int64), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

/* Does the lead know these deals already? */
static bool
same_deals(const SPITupleTable *lead, const SPITupleTable *deals)
{
	bool		isnull;

	for (LqColumn column = LQ_LEAD_DEALS_OPEN; column <= LQ_LEAD_DEALS_LOST;
		 column++)
		if (DatumGetInt32(lq_statement_get(lead, 0, column, &isnull)) !=
			DatumGetInt32(lq_statement_get(deals, 0, column, &isnull)))
			return false;
	return DatumGetBool(DirectFunctionCall2(numeric_eq,
											lq_statement_get(lead, 0, LQ_LEAD_WON_AMOUNT, &isnull),
											lq_statement_get(deals, 0, LQ_LEAD_WON_AMOUNT, &isnull)));
}

/*
 * Count a lead's deals anew.  A contact whose lead is gone stays for the
 * statistics; trigdata is of rows that may name one now, or NULL.
 */
static void
update_lead(LqFunnel *funnel, Datum key, TriggerData *trigdata)
{
	SPITupleTable *lead = lq_lock_lead(funnel, key);
	SPITupleTable *deals;
	Datum		values[6];
	char		nulls[7] = "      ";

	if (lead == NULL)
	{
		if (trigdata != NULL)
			lq_refuse_if_named(funnel, trigdata, LQ_TABLE_DEAL_CONTACT, key);
		return;
	}
	(void) lq_statement_run_latest(funnel, LQ_STATEMENT_DEALS, &key, NULL);
	deals = SPI_tuptable;

	if (!same_deals(lead, deals))
	{
		static const LqColumn columns[] = {
			LQ_LEAD_DEALS_OPEN, LQ_LEAD_DEALS_WON, LQ_LEAD_DEALS_LOST,
			LQ_LEAD_WON_AMOUNT, LQ_LEAD_REASON,
		};
		bool		isnull;

		values[0] = key;
		for (int i = 1; i <= lengthof(columns); i++)
		{
			values[i] = lq_statement_get(deals, 0, columns[i - 1], &isnull);
			if (isnull)
				nulls[i] = 'n';
		}
		/* why a deal was lost is why the lead is, when none is left */
		if (DatumGetInt32(values[1]) > 0 || DatumGetInt32(values[2]) > 0)
			nulls[5] = 'n';
		lq_own_write(funnel, LQ_STATEMENT_SET_DEALS, values, nulls, 0);
	}
	SPI_freetuptable(deals);
	SPI_freetuptable(lead);
}

static void
update_leads(LqFunnel *funnel, Column *keys, TriggerData *trigdata)
{
	MemoryContext lead_context = AllocSetContextCreate(CurrentMemoryContext,
													   "lead_qual lead",
													   ALLOCSET_DEFAULT_SIZES);

	if (keys->n > 1)
		qsort_arg(keys->values, keys->n, sizeof(Datum), lq_key_compare, funnel);
	for (int i = 0; i < keys->n; i++)
	{
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		if (i > 0 && lq_key_compare(&keys->values[i - 1], &keys->values[i],
									funnel) == 0)
			continue;
		old = MemoryContextSwitchTo(lead_context);
		update_lead(funnel, keys->values[i], trigdata);
		MemoryContextSwitchTo(old);
		MemoryContextReset(lead_context);
	}
}

/*
 * _ingest_deal() - AFTER INSERT, UPDATE or DELETE ON deal
 *				   FOR EACH STATEMENT, with transition tables
 */
Datum
_ingest_deal(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_ingest_deal");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	LqIdentity	saved;
	Column		deals = {NULL, 0, 0};
	Column		keys = {NULL, 0, 0};

	if (funnel == NULL)
		return PointerGetDatum(NULL);
	if (lq_funnel_importing(funnel))
		return PointerGetDatum(NULL);
	read_column(&deals, funnel, trigdata, trigdata->tg_oldtable,
				LQ_TABLE_DEAL, LQ_DEAL_DEAL_ID, true, sizeof(int64));
	read_column(&deals, funnel, trigdata, trigdata->tg_newtable,
				LQ_TABLE_DEAL, LQ_DEAL_DEAL_ID, true, sizeof(int64));
	if (deals.n == 0)
		return PointerGetDatum(NULL);

	lq_funnel_enter(funnel, &saved);
	{
		Datum		ids = id_array(&deals);
		SPITupleTable *rows;

		keys.n = lq_statement_run_latest(funnel, LQ_STATEMENT_DEAL_LEADS,
										 &ids, NULL);
		rows = SPI_tuptable;
		keys.values = palloc(Max(keys.n, 1) * sizeof(Datum));
		for (int i = 0; i < keys.n; i++)
		{
			bool		isnull;

			keys.values[i] = SPI_getbinval(rows->vals[i], rows->tupdesc, 1,
										   &isnull);
		}
		update_leads(funnel, &keys, NULL);
	}
	lq_funnel_leave(&saved);
	return PointerGetDatum(NULL);
}

/*
 * _ingest_deal_contact() - AFTER INSERT, UPDATE or DELETE ON deal_contact
 *						   FOR EACH STATEMENT, with transition tables
 */
Datum
_ingest_deal_contact(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_ingest_deal_contact");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	LqIdentity	saved;
	Column		deals = {NULL, 0, 0};
	Column		keys = {NULL, 0, 0};

	if (funnel == NULL)
		return PointerGetDatum(NULL);
	if (lq_funnel_importing(funnel))
	{
		lq_require_leads(funnel, trigdata, LQ_TABLE_DEAL_CONTACT);
		return PointerGetDatum(NULL);
	}
	read_column(&deals, funnel, trigdata, trigdata->tg_newtable,
				LQ_TABLE_DEAL_CONTACT, LQ_DEAL_CONTACT_DEAL_ID, true, sizeof(int64));
	read_column(&keys, funnel, trigdata, trigdata->tg_oldtable,
				LQ_TABLE_DEAL_CONTACT, LQ_DEAL_CONTACT_LEAD_ID,
				funnel->key_typbyval, funnel->key_typlen);
	read_column(&keys, funnel, trigdata, trigdata->tg_newtable,
				LQ_TABLE_DEAL_CONTACT, LQ_DEAL_CONTACT_LEAD_ID,
				funnel->key_typbyval, funnel->key_typlen);
	if (keys.n == 0)
		return PointerGetDatum(NULL);

	lq_funnel_enter(funnel, &saved);

	/*
	 * Whoever changes one of these deals does not see the new contact yet.
	 * Deals come before leads, as in an update of a deal.
	 */
	if (deals.n > 0)
	{
		Datum		ids = id_array(&deals);

		(void) lq_statement_run(funnel, LQ_STATEMENT_LOCK_DEALS, &ids, NULL);
	}
	update_leads(funnel, &keys, trigdata);
	lq_funnel_leave(&saved);
	return PointerGetDatum(NULL);
}
