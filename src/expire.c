/*
 * expire.c
 *		Answers that run out: a new cycle begins without them.
 *
 * An element may be valid for some time only: a timeline told half a year ago
 * tells nothing today.  Within a cycle the lead keeps the answer; when a new
 * one starts, what has run out becomes unknown in the lead.  The log keeps
 * it all, and is not told: nobody answered anything.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "expire.h"
#include "statement.h"

/* the frameworks that have a column of the lead to themselves */
typedef struct AnswerColumn
{
	LqLeadColumn column;
	const LqFramework *framework;
} AnswerColumn;

static const AnswerColumn answer_columns[] = {
	{LQ_LEAD_BANT, &lq_bant},
	{LQ_LEAD_MEDDIC, &lq_meddic},
};

/* What the lead answered, all unknown if the column is null. */
uint32
lq_lead_levels(const LqLead *lead, LqLeadColumn column,
			   const LqFramework *framework)
{
	bool		isnull;
	Datum		value = lq_lead_get(lead, column, &isnull);

	return isnull ? 0 : DatumGetLqQualification(framework, value);
}

Datum
lq_other_answers(const LqFunnel *funnel, Datum key, Datum cycle_started_at,
				 bool cycle_null)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;
	Datum		values[2];
	Datum		result;
	bool		isnull;

	values[0] = key;
	values[1] = cycle_started_at;
	(void) lq_statement_run(funnel, LQ_STATEMENT_OTHER_ANSWERS, values,
							cycle_null ? " n" : NULL);
	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						   &isnull);
	old = MemoryContextSwitchTo(caller);
	result = datumCopy(result, false, -1);
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
	return result;
}

/*
 * One answer has run out, unless this very update gave another: that comes to
 * the log only afterwards.
 */
static void
forget(LqLead *lead, const AnswerColumn *which, const char *name)
{
	const LqFramework *fw = which->framework;
	int			element = lq_element_index(fw, name, strlen(name));
	uint32		levels = lq_lead_levels(lead, which->column, fw);

	if (element < 0)
		return;
	if (lead->old != NULL &&
		lq_qualification_level(levels, element) !=
		lq_qualification_level(lq_lead_levels(lead->old, which->column, fw),
							   element))
		return;
	levels = lq_qualification_set(levels, element, LQ_LEVEL_UNKNOWN);
	lq_lead_set(lead, which->column, LqQualificationGetDatum(fw, levels),
				false);
}

void
lq_lead_expire(LqLead *lead, TimestampTz at)
{
	LqFunnel   *funnel = lead->funnel;
	Datum		values[2];
	LqIdentity	saved;
	MemoryContext caller = CurrentMemoryContext;
	uint64		n;
	bool		others = false;

	if (!funnel->answers_expire)
		return;
	values[0] = lead->values[funnel->key_attno - 1];
	values[1] = TimestampTzGetDatum(at);
	lq_funnel_enter(funnel, &saved);
	SPI_connect();
	n = lq_statement_run(funnel, LQ_STATEMENT_EXPIRED, values, NULL);
	for (uint64 i = 0; i < n; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		char	   *framework = SPI_getvalue(row, SPI_tuptable->tupdesc, 1);
		char	   *element = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);
		bool		known = false;

		for (int c = 0; c < lengthof(answer_columns); c++)
			if (strcmp(framework, answer_columns[c].framework->name) == 0)
			{
				forget(lead, &answer_columns[c], element);
				known = true;
			}
		others |= !known;
	}
	MemoryContextSwitchTo(caller);
	if (others)
		lq_lead_set(lead, LQ_LEAD_ANSWERS,
					lq_other_answers(funnel, values[0], values[1], false),
					false);
	SPI_finish();
	lq_funnel_leave(&saved);
}
