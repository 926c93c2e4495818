/*
 * lead.c
 *		One lead at hand: its columns and its card.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/row.h"
#include "funnel/tables.h"
#include "lead/lead.h"
#include "lead_qual.h"
#include "type/scorecard.h"

/*
 * Take a lead's row apart.  The row's shape is that of funnel->lead_desc: a
 * relation that was altered meanwhile would have made the funnel stale.
 */
void
lq_lead_init(LqLead *lead, LqFunnel *funnel, HeapTuple tuple)
{
	Datum		card;
	bool		isnull;

	memset(lead, 0, sizeof(*lead));
	lead->funnel = funnel;
	lead->context = CurrentMemoryContext;
	lead->now = lq_now();
	lead->first_cycle = LQ_FIRST_CYCLE;
	lead->slot = MakeSingleTupleTableSlot(funnel->lead_desc, &TTSOpsVirtual);
	lead->values = lead->slot->tts_values;
	lead->isnull = lead->slot->tts_isnull;
	heap_deform_tuple(tuple, funnel->lead_desc, lead->values, lead->isnull);
	ExecStoreVirtualTuple(lead->slot);

	card = lq_lead_get(lead, LQ_LEAD_SCORECARD, &isnull);
	/* a lead without a card was imported: it is stale until rescored */
	lead->card = isnull ? lq_card_new(0, &funnel->limits) :
		lq_card_from_datum(card);
}

void
lq_lead_done(LqLead *lead)
{
	ExecDropSingleTupleTableSlot(lead->slot);
}

Datum
lq_lead_get(const LqLead *lead, LqColumn column, bool *isnull)
{
	int			i = lead->funnel->attno[column] - 1;

	*isnull = lead->isnull[i];
	return lead->values[i];
}

char *
lq_lead_get_text(const LqLead *lead, LqColumn column)
{
	bool		isnull;
	Datum		value = lq_lead_get(lead, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

TimestampTz
lq_lead_instant(const LqLead *lead, LqColumn column,
				TimestampTz otherwise)
{
	bool		isnull;
	Datum		value = lq_lead_get(lead, column, &isnull);

	return isnull ? otherwise : DatumGetTimestampTz(value);
}

/* Have two rows of a lead the same there?  They are of one funnel. */
bool
lq_lead_same(const LqLead *a, const LqLead *b, LqColumn column)
{
	int			i = a->funnel->attno[column] - 1;

	return !lq_value_differs(TupleDescAttr(a->funnel->lead_desc, i),
							 a->values[i], a->isnull[i],
							 b->values[i], b->isnull[i]);
}

void
lq_lead_set(LqLead *lead, LqColumn column, Datum value, bool isnull)
{
	int			i = lead->funnel->attno[column] - 1;
	Form_pg_attribute attr = TupleDescAttr(lead->funnel->lead_desc, i);

	if (lead->isnull[i] == isnull &&
		(isnull || datumIsEqual(lead->values[i], value, attr->attbyval,
								attr->attlen)))
		return;
	lead->values[i] = isnull ? (Datum) 0 : value;
	lead->isnull[i] = isnull;
	lead->changed = true;
}

void
lq_lead_set_text(LqLead *lead, LqColumn column, const char *value)
{
	lq_lead_set(lead, column,
				value == NULL ? (Datum) 0 : CStringGetTextDatum(value),
				value == NULL);
}

/* A value as it is shown. */
char *
lq_value_text(Datum value, Oid type)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(type, &output, &varlena);
	return OidOutputFunctionCall(output, value);
}
