/*
 * pseudo.c
 *		What pseudo-columns are of a lead, and what conditions see of it.
 *
 * Each is a row of a table here; its name, type and measure are described in
 * condition/pseudo.c.
 */
#include "postgres.h"

#include "common/int.h"
#include "executor/spi.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "condition/eval.h"
#include "condition/part.h"
#include "condition/pseudo.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/policy.h"
#include "funnel/row.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "lead/lead.h"
#include "lead/pseudo.h"
#include "type/frameworks.h"
#include "type/qualification.h"
#include "type/scorecard.h"
#include "type/scorecard_crossing.h"
#include "type/scorecard_explain.h"

typedef struct LqLeadPseudo
{
	LqTable		table;			/* who may read this may be told of it */
	LqColumn	column;			/* of table lead; else it is pseudo->attno */
	LqCardQuantity quantity;	/* where it measures points */
	TimestampTz (*since) (const LqLead *lead);	/* where it measures days */
	Datum		(*fetch) (LqLead *lead, const LqPseudo *pseudo, bool *isnull);
	const char *when_null;		/* in words; NULL: "NULL" */
} LqLeadPseudo;

/*
 * The row of the lead's account, or NULL; read as the owner, once.  This is
 * called in the midst of a condition, whose own memory goes before the next.
 */
static HeapTuple
read_account(LqLead *lead, LqStatement statement)
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
	if (lq_statement_run(lead->funnel, statement, &id, NULL) > 0)
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
	lq_funnel_leave(&saved);
	lead->account_read = true;
	return lead->account;
}

static HeapTuple
lead_account(LqLead *lead)
{
	return read_account(lead, LQ_STATEMENT_ACCOUNT);
}

/*
 * A lead comes to its account: who updates the account at the same time weighs
 * the leads that it sees there, which this is none of yet.  So one waits for
 * the other.  The foreign key, whose lock is not against updates, comes later.
 */
void
lq_lead_join_account(LqLead *lead)
{
	if (!bms_is_empty(lead->funnel->account_columns))
		(void) read_account(lead, LQ_STATEMENT_HOLD_ACCOUNT);
}

static Datum
account_column(LqLead *lead, const LqPseudo *pseudo, bool *isnull)
{
	if (lead_account(lead) == NULL)
	{
		*isnull = true;
		return (Datum) 0;
	}
	return heap_getattr(lead->account, pseudo->attno,
						lead->funnel->account_desc, isnull);
}

/*
 * The best that the account's leads answered: what the others have is read as
 * the owner, once; what this one has is in its row at hand.
 */
static void
read_together(LqLead *lead, Datum account)
{
	const LqFunnel *funnel = lead->funnel;
	Datum		values[2] = {account, lead->values[funnel->key_attno - 1]};
	LqIdentity	saved;

	lq_funnel_enter(funnel, &saved);
	lq_statement_run(funnel, LQ_STATEMENT_ACCOUNT_ANSWERS, values, NULL);
	for (int f = 0; f < lq_n_frameworks(funnel); f++)
	{
		bool		isnull;
		Datum		best = lq_statement_get(SPI_tuptable, 0,
											LQ_LEAD_FRAMEWORK(f), &isnull);

		/* it is NULL where there are no others */
		lead->together[f] = isnull ? 0 :
			DatumGetLqQualification(lq_frameworks[f], best);
	}
	lq_funnel_leave(&saved);
	lead->together_read = true;
}

static Datum
account_answers(LqLead *lead, const LqPseudo *pseudo, bool *isnull)
{
	int			f = pseudo->attno - 1;
	const LqFramework *framework = lq_frameworks[f];
	Datum		account = lq_lead_get(lead, LQ_LEAD_ACCOUNT_ID, isnull);
	bool		unanswered;
	Datum		own;

	if (*isnull)
		return (Datum) 0;
	if (!lead->together_read)
		read_together(lead, account);
	own = lq_lead_get(lead, LQ_LEAD_FRAMEWORK(f), &unanswered);
	if (unanswered)
		own = (Datum) 0;
	return LqQualificationGetDatum(framework,
								   lq_qualification_best(framework, lead->together[f],
														 DatumGetLqQualification(framework,
																				 own)));
}

static Datum
rule_hits(LqLead *lead, const LqPseudo *pseudo, bool *isnull)
{
	return Int64GetDatum(lq_card_rule_hits(lead->card, pseudo->rule_id));
}

static Datum
rule_last(LqLead *lead, const LqPseudo *pseudo, bool *isnull)
{
	TimestampTz instant = lq_card_rule_last(lead->card, pseudo->rule_id);

	*isnull = TIMESTAMP_NOT_FINITE(instant);
	return TimestampTzGetDatum(instant);
}

static TimestampTz
since_activity(const LqLead *lead)
{
	return lead->card->last_activity;
}

static Datum
last_activity(LqLead *lead, const LqPseudo *pseudo, bool *isnull)
{
	*isnull = TIMESTAMP_NOT_FINITE(lead->card->last_activity);
	return TimestampTzGetDatum(lead->card->last_activity);
}

static TimestampTz
since_stage_entered(const LqLead *lead)
{
	return lq_lead_instant(lead, LQ_LEAD_STAGE_ENTERED_AT, lead->now);
}

#define OF_CARD LQ_TABLE_LEAD, LQ_LEAD_SCORECARD

/* *INDENT-OFF* */
static const LqLeadPseudo of_lead[LQ_N_PSEUDOS] =
{
	[LQ_PSEUDO_SCORE] = {OF_CARD,.quantity = LQ_CARD_SCORE},
	[LQ_PSEUDO_FIT] = {OF_CARD,.quantity = LQ_CARD_FIT},
	[LQ_PSEUDO_ENGAGEMENT] = {OF_CARD,.quantity = LQ_CARD_ENGAGEMENT},
	[LQ_PSEUDO_HITS] = {OF_CARD,.fetch = rule_hits},
	[LQ_PSEUDO_POINTS] = {OF_CARD,.quantity = LQ_CARD_RULE_POINTS},
	[LQ_PSEUDO_LAST] = {OF_CARD,.fetch = rule_last,.when_null = "never"},
	[LQ_PSEUDO_LAST_ACTIVITY] = {OF_CARD,.fetch = last_activity},
	[LQ_PSEUDO_IDLE_DAYS] = {OF_CARD,.since = since_activity},
	[LQ_PSEUDO_DAYS_IN_STAGE] = {LQ_TABLE_LEAD, LQ_LEAD_STAGE_ENTERED_AT,
	.since = since_stage_entered},
	/* of which column, the pseudo-column says */
	[LQ_PSEUDO_TOGETHER] = {LQ_TABLE_LEAD,.fetch = account_answers},
	[LQ_PSEUDO_ACCOUNT] = {LQ_TABLE_ACCOUNT,.fetch = account_column},
	/* lists are constants, kinds are of activities */
};

/* *INDENT-ON* */

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

static int64
points_of(const LqLead *lead, const LqPseudo *pseudo)
{
	return lq_card_points(lead->card, of_lead[pseudo->kind].quantity,
						  pseudo->rule_id, lead->now);
}

/*
 * The value of a pseudo-column (LqPseudoFetch).
 */
static Datum
fetch(void *arg, const LqPseudo *pseudo, bool *isnull)
{
	LqLead	   *lead = arg;
	const LqLeadPseudo *this = &of_lead[pseudo->kind];

	*isnull = false;
	switch (lq_pseudo_measure(pseudo))
	{
		case LQ_MEASURES_POINTS:
			return lq_points_to_numeric(points_of(lead, pseudo));
		case LQ_MEASURES_DAYS:
			return days_between(this->since(lead), lead->now, isnull);
		case LQ_MEASURES_OTHERS:
		case LQ_MEASURES_NOTHING:
			if (this->fetch != NULL)
				return this->fetch(lead, pseudo, isnull);
	}
	elog(ERROR, "unexpected pseudo-column %d", (int) pseudo->kind);
	return (Datum) 0;			/* keep compiler quiet */
}

/* Does the condition hold?  NULL means no. */
bool
lq_lead_holds(LqLead *lead, LqCondition *condition)
{
	return lq_condition_eval(condition, lead->slot, fetch, lead) == LQ_TRUE;
}

LqTruth
lq_lead_holds_part(LqLead *lead, LqCondition *condition, int part)
{
	return lq_condition_eval_part(condition, part, lead->slot, fetch, lead);
}

/* When a span that began then reaches so many units of a day. */
static TimestampTz
span_reaches(TimestampTz began, int64 units, TimestampTz now)
{
	TimestampTz at;

	if (TIMESTAMP_NOT_FINITE(began) ||
		pg_mul_s64_overflow(units, LQ_USECS_PER_DAY_UNIT, &at) ||
		pg_add_s64_overflow(began, at, &at) ||
		!IS_VALID_TIMESTAMP(at))
		return DT_NOEND;
	return at > now ? at : DT_NOEND;
}

/*
 * When it next passes the threshold, in units of what it measures, either way;
 * DT_NOEND if never while nothing happens.
 */
TimestampTz
lq_lead_pseudo_passes(const LqLead *lead, const LqPseudo *pseudo,
					  int64 threshold)
{
	const LqLeadPseudo *this = &of_lead[pseudo->kind];

	switch (lq_pseudo_measure(pseudo))
	{
		case LQ_MEASURES_POINTS:
			if (lq_card_is_steady(lead->card))
				return DT_NOEND;
			return lq_card_crossing(lead->card, this->quantity,
									pseudo->rule_id,
									points_of(lead, pseudo) >= threshold,
									threshold, lead->now);
		case LQ_MEASURES_DAYS:
			return span_reaches(this->since(lead), threshold, lead->now);
		case LQ_MEASURES_OTHERS:
		case LQ_MEASURES_NOTHING:
			break;
	}
	return DT_NOEND;
}

const char *
lq_lead_pseudo_name(const LqFunnel *funnel, const LqPseudo *pseudo)
{
	const LqRule *rule = lq_funnel_rule(funnel, pseudo->rule_id);

	if (pseudo->kind == LQ_PSEUDO_TOGETHER)
		return lq_pseudo_name(pseudo,
							  lq_column_name(LQ_LEAD_FRAMEWORK(pseudo->attno - 1)));
	if (pseudo->attno != 0)
		return lq_pseudo_name(pseudo,
							  NameStr(TupleDescAttr(funnel->account_desc,
													pseudo->attno - 1)->attname));
	return lq_pseudo_name(pseudo, rule == NULL ? "?" : rule->name);
}

/*
 * What it is now.  Days are cut, since 6.999 days do not reach 7.
 */
const char *
lq_lead_pseudo_text(LqLead *lead, const LqPseudo *pseudo)
{
	const char *when_null = of_lead[pseudo->kind].when_null;
	bool		isnull;
	Datum		value = fetch(lead, pseudo, &isnull);

	if (isnull)
		return when_null != NULL ? when_null : "NULL";
	if (lq_pseudo_measure(pseudo) == LQ_MEASURES_DAYS)
		value = DirectFunctionCall2(numeric_trunc, value, Int32GetDatum(2));
	return lq_value_text(value, pseudo->type);
}

/*
 * What it is made of, a table and a column: who may read that may be told.
 */
Oid
lq_lead_pseudo_reads(const LqFunnel *funnel, const LqPseudo *pseudo,
					 AttrNumber *column)
{
	const LqLeadPseudo *this = &of_lead[pseudo->kind];

	if (pseudo->kind == LQ_PSEUDO_TOGETHER)
		*column = funnel->attno[LQ_LEAD_FRAMEWORK(pseudo->attno - 1)];
	else
		*column = this->table == LQ_TABLE_LEAD ?
			funnel->attno[this->column] : pseudo->attno;
	return funnel->relid[this->table];
}
