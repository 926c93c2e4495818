/*
 * refit.c
 *		The statement trigger of account: what changes there is weighed again in
 *		the account's leads.
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"

#include "compat.h"
#include "fact/named_leads.h"
#include "fact/transition_rows.h"
#include "funnel/between_triggers.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/row.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "grow.h"

PG_FUNCTION_INFO_V1(_refit_account_leads);

/* keys of accounts; room grows */
typedef struct Accounts
{
	Datum	   *ids;
	int			n;
	int			room;
} Accounts;

static void
add(Accounts *accounts, Datum id)
{
	accounts->ids = lq_grow(accounts->ids, accounts->n, &accounts->room,
							sizeof(Datum));
	accounts->ids[accounts->n++] = id;
}

/* Do two rows of account differ in a column that conditions read? */
static bool
differs(const LqFunnel *funnel, TupleTableSlot *a, TupleTableSlot *b)
{
	int			column = -1;

	while ((column = bms_next_member(funnel->account_columns, column)) >= 0)
	{
		Form_pg_attribute attr = TupleDescAttr(funnel->account_desc,
											   column - 1);
		bool		a_isnull;
		bool		b_isnull;
		Datum		a_value = slot_getattr(a, column, &a_isnull);
		Datum		b_value = slot_getattr(b, column, &b_isnull);

		if (lq_value_differs(attr, a_value, a_isnull, b_value, b_isnull))
			return true;
	}
	return false;
}

/*
 * The accounts that changed.  Both tables hold an updated row at the same
 * place; where they do not, two rows that are not the same account's, both
 * count as changed.
 */
static void
read_changed(Accounts *changed, const LqFunnel *funnel, TriggerData *trigdata)
{
	Oid			relid = funnel->relid[LQ_TABLE_ACCOUNT];
	LqTransitionRows before;
	LqTransitionRows after;
	AttrNumber	account_id = funnel->attno[LQ_ACCOUNT_ACCOUNT_ID];

	lq_transition_rows_begin(&before, trigdata, trigdata->tg_oldtable, relid);
	lq_transition_rows_begin(&after, trigdata, trigdata->tg_newtable, relid);
	for (;;)
	{
		TupleTableSlot *a = lq_transition_rows_next(&before);
		TupleTableSlot *b = lq_transition_rows_next(&after);
		Datum		a_id;
		Datum		b_id;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		if (a == NULL || b == NULL)
			break;
		a_id = slot_getattr(a, account_id, &isnull);
		b_id = slot_getattr(b, account_id, &isnull);
		if (DatumGetInt64(a_id) != DatumGetInt64(b_id))
			add(changed, a_id);
		else if (!differs(funnel, a, b))
			continue;
		add(changed, b_id);
	}
	lq_transition_rows_end(&after);
	lq_transition_rows_end(&before);
}

/*
 * Every lead of those accounts is judged as it is now, in key order.  One that
 * is deleted meanwhile is left out.
 */
static void
refit(const LqFunnel *funnel, const Accounts *accounts)
{
	Datum		ids = PointerGetDatum(construct_array(accounts->ids,
													  accounts->n, INT8OID,
													  sizeof(int64),
													  FLOAT8PASSBYVAL,
													  TYPALIGN_DOUBLE));
	uint64		n = lq_statement_run_latest(funnel, LQ_STATEMENT_ACCOUNT_LEADS,
											&ids, NULL);
	SPITupleTable *rows = SPI_tuptable;
	MemoryContext lead_context = AllocSetContextCreate(CurrentMemoryContext,
													   "lead_qual lead",
													   ALLOCSET_DEFAULT_SIZES);

	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(lead_context);
		bool		isnull;
		Datum		key = SPI_getbinval(rows->vals[i], rows->tupdesc, 1,
										&isnull);
		SPITupleTable *lead = lq_lock_lead(funnel, key);

		CHECK_FOR_INTERRUPTS();
		if (lead != NULL)
			lq_own_write(funnel, LQ_STATEMENT_REVIEW, &key, NULL,
						 LQ_WRITE_REFIT);
		SPI_freetuptable(lead);
		MemoryContextSwitchTo(old);
		MemoryContextReset(lead_context);
	}
}

/*
 * _refit_account_leads() - AFTER UPDATE ON account
 *						   FOR EACH STATEMENT, with transition tables
 *
 * Intent and firmographics of a company are facts about each of its leads.
 * Nothing is done unless a condition reads a column that changed.
 */
Datum
_refit_account_leads(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_refit_account_leads");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Accounts	changed = {NULL, 0, 0};
	LqIdentity	saved;

	if (funnel == NULL)
		return PointerGetDatum(NULL);
	if (lq_funnel_importing(funnel) || bms_is_empty(funnel->account_columns))
		return PointerGetDatum(NULL);
	read_changed(&changed, funnel, trigdata);
	if (changed.n == 0)
		return PointerGetDatum(NULL);

	lq_funnel_enter(funnel, &saved);
	refit(funnel, &changed);
	lq_funnel_leave(&saved);
	return PointerGetDatum(NULL);
}
