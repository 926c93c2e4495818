/*
 * lead.c
 *		One lead at hand: its columns, its card, and what conditions see of it.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "funnel/statement.h"
#include "lead/lead.h"
#include "lead_qual.h"

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
lq_lead_get(const LqLead *lead, LqLeadColumn column, bool *isnull)
{
	int			i = lead->funnel->lead_attno[column] - 1;

	*isnull = lead->isnull[i];
	return lead->values[i];
}

char *
lq_lead_get_text(const LqLead *lead, LqLeadColumn column)
{
	bool		isnull;
	Datum		value = lq_lead_get(lead, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

TimestampTz
lq_lead_instant(const LqLead *lead, LqLeadColumn column,
				TimestampTz otherwise)
{
	bool		isnull;
	Datum		value = lq_lead_get(lead, column, &isnull);

	return isnull ? otherwise : DatumGetTimestampTz(value);
}

void
lq_lead_set(LqLead *lead, LqLeadColumn column, Datum value, bool isnull)
{
	int			i = lead->funnel->lead_attno[column] - 1;
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
lq_lead_set_text(LqLead *lead, LqLeadColumn column, const char *value)
{
	lq_lead_set(lead, column,
				value == NULL ? (Datum) 0 : CStringGetTextDatum(value),
				value == NULL);
}

/* A span in days. */
static Datum
days_between(TimestampTz from, TimestampTz to, bool *isnull)
{
	Numeric		days;

	if (TIMESTAMP_NOT_FINITE(from))
	{
		*isnull = true;
		return (Datum) 0;
	}
	days = int64_div_fast_to_numeric(Max(to - from, 0) / LQ_USECS_PER_DAY_UNIT,
									 LQ_DAY_DIGITS);
	return DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(days));
}

/*
 * The row of the lead's account, or NULL; read as the owner, once.  This is
 * called in the midst of a condition, whose own memory goes before the next.
 */
static HeapTuple
lead_account(LqLead *lead)
{
	Datum		id;
	bool		isnull;
	LqIdentity	saved;

	if (lead->account_read)
		return lead->account;
	id = lq_lead_get(lead, LQ_LEAD_ACCOUNT_ID, &isnull);
	if (isnull)
		return NULL;

	lq_funnel_enter(lead->funnel, &saved);
	SPI_connect();
	if (lq_statement_run(lead->funnel, LQ_STATEMENT_ACCOUNT, &id, NULL) > 0)
	{
		HeapTupleHeader header =
		DatumGetHeapTupleHeader(SPI_getbinval(SPI_tuptable->vals[0],
											  SPI_tuptable->tupdesc,
											  1, &isnull));
		HeapTupleData tuple;
		MemoryContext old = MemoryContextSwitchTo(lead->context);

		tuple = lq_tuple_of_row(header);
		lead->account = heap_copytuple(&tuple);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	lq_funnel_leave(&saved);
	lead->account_read = true;
	return lead->account;
}

/*
 * The value of a pseudo-column (LqPseudoFetch).
 */
Datum
lq_lead_pseudo(void *arg, const LqPseudo *pseudo, bool *isnull)
{
	LqLead	   *lead = arg;
	TimestampTz instant;

	*isnull = false;
	switch (pseudo->kind)
	{
		case LQ_PSEUDO_SCORE:
			return lq_points_to_numeric(lq_card_score(lead->card, lead->now));
		case LQ_PSEUDO_FIT:
			return lq_points_to_numeric(lq_card_fit(lead->card, lead->now));
		case LQ_PSEUDO_ENGAGEMENT:
			return lq_points_to_numeric(lq_card_engagement(lead->card,
														   lead->now));
		case LQ_PSEUDO_HITS:
			return Int64GetDatum(lq_card_rule_hits(lead->card,
												   pseudo->rule_id));
		case LQ_PSEUDO_POINTS:
			return lq_points_to_numeric(lq_card_rule_points(lead->card,
															pseudo->rule_id,
															lead->now));
		case LQ_PSEUDO_LAST:
			instant = lq_card_rule_last(lead->card, pseudo->rule_id);
			*isnull = TIMESTAMP_NOT_FINITE(instant);
			return TimestampTzGetDatum(instant);
		case LQ_PSEUDO_LAST_ACTIVITY:
			instant = lead->card->last_activity;
			*isnull = TIMESTAMP_NOT_FINITE(instant);
			return TimestampTzGetDatum(instant);
		case LQ_PSEUDO_IDLE_DAYS:
			return days_between(lead->card->last_activity, lead->now, isnull);
		case LQ_PSEUDO_DAYS_IN_STAGE:
			return days_between(lq_lead_instant(lead, LQ_LEAD_STAGE_ENTERED_AT,
												lead->now),
								lead->now, isnull);
		case LQ_PSEUDO_ACCOUNT:
			if (lead_account(lead) == NULL)
			{
				*isnull = true;
				return (Datum) 0;
			}
			return heap_getattr(lead->account, pseudo->attno,
								lead->funnel->account_desc, isnull);
		case LQ_PSEUDO_KIND:
			break;				/* of an activity only */
	}
	elog(ERROR, "unexpected pseudo-column %d", (int) pseudo->kind);
	return (Datum) 0;			/* keep compiler quiet */
}

/* Does the condition hold?  NULL means no. */
bool
lq_lead_holds(LqLead *lead, LqCondition *condition)
{
	return lq_condition_eval(condition, lead->slot,
							 lq_lead_pseudo, lead) == LQ_TRUE;
}

/*
 * Weigh who the lead is: every fit rule that holds gives its points.
 */
void
lq_lead_set_fit(LqLead *lead)
{
	const LqFunnel *funnel = lead->funnel;
	LqCardRule *hits = palloc(Max(funnel->n_rules, 1) * sizeof(LqCardRule));
	int			n = 0;

	for (int i = 0; i < funnel->n_rules; i++)
	{
		const LqRule *rule = &funnel->rules[i];

		if (rule->card.axis != LQ_AXIS_FIT || !rule->enabled || rule->broken)
			continue;
		if (!rule->has_condition || lq_lead_holds(lead, rule->condition))
			hits[n++] = rule->card;
	}
	lq_card_set_fit(lead->card, hits, n);
	lead->card_changed = true;
	pfree(hits);
}
