/*
 * scorecard_explain.c
 *		SQL functions that read a scorecard, and the rows that explain it.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "result.h"
#include "type/decay.h"
#include "type/scorecard.h"
#include "type/scorecard_crossing.h"
#include "type/scorecard_explain.h"
#include "type/scorecard_io.h"
#include "type/sql_function.h"

PG_FUNCTION_INFO_V1(scorecard_hits);
PG_FUNCTION_INFO_V1(scorecard_as_of);
PG_FUNCTION_INFO_V1(scorecard_last_activity);
PG_FUNCTION_INFO_V1(scorecard_version);
PG_FUNCTION_INFO_V1(scorecard_explain);
PG_FUNCTION_INFO_V1(scorecard_best_rules);

/* Hundredths of a point as a number without trailing zeros. */
Datum
lq_points_to_numeric(int64 hundredths)
{
	Numeric		value = int64_div_fast_to_numeric(hundredths, 2);

	return DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(value));
}

/*
 * The least number of hundredths that is not below a threshold: a whole
 * number is below the one exactly if it is below the other.
 */
static int64
threshold_hundredths(Numeric threshold)
{
	const int64 beyond = LQ_HUNDREDTHS_MAX + 1;
	Datum		least;
	Datum		bound;

	if (numeric_is_nan(threshold))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("threshold must not be NaN")));

	least = DirectFunctionCall2(numeric_mul, NumericGetDatum(threshold),
								NumericGetDatum(int64_to_numeric(LQ_HUNDREDTHS)));
	least = DirectFunctionCall1(numeric_ceil, least);

	bound = NumericGetDatum(int64_to_numeric(beyond));
	if (DatumGetBool(DirectFunctionCall2(numeric_gt, least, bound)))
		return beyond;
	bound = NumericGetDatum(int64_to_numeric(-beyond));
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, least, bound)))
		return -beyond;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, least));
}

/*
 * The card to be read, and the instant that an argument names.  A card knows
 * nothing of the time before its latest hit.
 */
static TimestampTz
view_at(FunctionCallInfo fcinfo, int arg, LqCard *card)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(arg);
	char		as_of[LQ_INSTANT_LEN];
	char		asked[LQ_INSTANT_LEN];

	lq_card_view(card, PG_GETARG_SCORECARD_P(0));
	if (at < card->as_of)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot evaluate a scorecard before the instant it is as of"),
				 errdetail("It is as of %s, and was asked for %s.",
						   lq_instant_text(card->as_of, as_of),
						   lq_instant_text(at, asked)),
				 errhint("The past is told by replaying the log: use score_at().")));
	return at;
}

static Datum
points_at(FunctionCallInfo fcinfo, LqCardQuantity quantity, int64 rule_id,
		  int arg)
{
	LqCard		card;
	TimestampTz at = view_at(fcinfo, arg, &card);

	return lq_points_to_numeric(lq_card_points(&card, quantity, rule_id, at));
}

/* score(), fit() and engagement() of (card, at), points(card, rule_id, at) */
LQ_SQL_FUNCTION(scorecard_score, points_at(fcinfo, LQ_CARD_SCORE, 0, 1))
LQ_SQL_FUNCTION(scorecard_fit, points_at(fcinfo, LQ_CARD_FIT, 0, 1))
LQ_SQL_FUNCTION(scorecard_engagement,
				points_at(fcinfo, LQ_CARD_ENGAGEMENT, 0, 1))
LQ_SQL_FUNCTION(scorecard_points,
				points_at(fcinfo, LQ_CARD_RULE_POINTS, PG_GETARG_INT64(1), 2))

/*
 * hits(card, rule_id)
 */
Datum
scorecard_hits(PG_FUNCTION_ARGS)
{
	LqCard		card;

	lq_card_view(&card, PG_GETARG_SCORECARD_P(0));
	PG_RETURN_INT64(lq_card_rule_hits(&card, PG_GETARG_INT64(1)));
}

/*
 * as_of(card) - the latest hit that counted
 */
Datum
scorecard_as_of(PG_FUNCTION_ARGS)
{
	LqCard		card;

	lq_card_view(&card, PG_GETARG_SCORECARD_P(0));
	if (card.as_of == DT_NOBEGIN)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(card.as_of);
}

/*
 * last_activity(card) - the latest thing that the lead did, scored or not
 */
Datum
scorecard_last_activity(PG_FUNCTION_ARGS)
{
	LqCard		card;

	lq_card_view(&card, PG_GETARG_SCORECARD_P(0));
	if (card.last_activity == DT_NOBEGIN)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(card.last_activity);
}

/*
 * scored_version(card) - of the definition
 */
Datum
scorecard_version(PG_FUNCTION_ARGS)
{
	LqCard		card;

	lq_card_view(&card, PG_GETARG_SCORECARD_P(0));
	PG_RETURN_INT32(card.version);
}

/*
 * The first instant from "at" on where the score is below the threshold, or
 * has reached it: NULL if that is so at once, infinity if it never will be.
 */
static Datum
score_crossing(FunctionCallInfo fcinfo, bool falls)
{
	int64		threshold = threshold_hundredths(PG_GETARG_NUMERIC(1));
	LqCard		card;
	TimestampTz at = view_at(fcinfo, 2, &card);

	if ((lq_card_score(&card, at) < threshold) == falls)
		PG_RETURN_NULL();

	/* an answer may come early: ask again from there */
	do
	{
		CHECK_FOR_INTERRUPTS();
		at = lq_card_crossing(&card, LQ_CARD_SCORE, 0, falls, threshold, at);
	} while (at != DT_NOEND &&
			 (lq_card_score(&card, at) < threshold) != falls);

	PG_RETURN_TIMESTAMPTZ(at);
}

/* (card, threshold, at); points below zero fade as well */
LQ_SQL_FUNCTION(scorecard_falls_below, score_crossing(fcinfo, true))
LQ_SQL_FUNCTION(scorecard_reaches, score_crossing(fcinfo, false))

/* A half-life for people: whole days as days. */
static Datum
usecs_interval(int64 usecs)
{
	Interval   *result = palloc0(sizeof(Interval));

	if (usecs / USECS_PER_DAY <= PG_INT32_MAX)
	{
		result->day = (int32) (usecs / USECS_PER_DAY);
		result->time = usecs % USECS_PER_DAY;
	}
	else
		result->time = usecs;
	return IntervalPGetDatum(result);
}

static void
put_rule(LqResult *result, const LqCard *card, const LqCardEntry *entry,
		 TimestampTz at)
{
	LqCardEntry uncapped = *entry;
	int64		points = lq_card_entry_points(card, entry, at);

	uncapped.max_points = INFINITY;
	lq_result_add_text(result, "rule");
	lq_result_add(result, Int64GetDatum(entry->rule_id));
	lq_result_add_text(result, entry->axis == LQ_AXIS_FIT ?
					   "fit" : "engagement");
	lq_result_add(result, Int64GetDatum(entry->hits));
	if (entry->last_hit == DT_NOBEGIN)
		lq_result_add_null(result);
	else
		lq_result_add(result, TimestampTzGetDatum(entry->last_hit));
	lq_result_add(result, lq_points_to_numeric(points));
	if (entry->half_life == 0)
		lq_result_add_null(result);
	else
		lq_result_add(result, usecs_interval(entry->half_life));
	lq_result_add(result,
				  BoolGetDatum(lq_card_entry_real(card, entry, at) !=
							   lq_card_entry_real(card, &uncapped, at)));
	lq_result_end_row(result);
}

/* What a limit or rounding takes or gives; no row if it does neither. */
static void
put_adjustment(LqResult *result, const char *part, const char *axis,
			   int64 hundredths)
{
	if (hundredths == 0)
		return;
	lq_result_add_text(result, part);
	lq_result_add_null(result);
	lq_result_add_text(result, axis);
	lq_result_add_null(result);
	lq_result_add_null(result);
	lq_result_add(result, lq_points_to_numeric(hundredths));
	lq_result_add_null(result);
	lq_result_add_null(result);
	lq_result_end_row(result);
}

/*
 * explain_score(card, at) - a row a rule, then what limits, floor and rounding
 * change: the points add up to the score, to the last digit
 */
Datum
scorecard_explain(PG_FUNCTION_ARGS)
{
	LqResult	result;
	LqCard		card;
	LqCardParts parts;
	TimestampTz at = view_at(fcinfo, 1, &card);

	lq_result_begin(&result, fcinfo);

	for (int i = 0; i < card.n_entries; i++)
		put_rule(&result, &card, &card.entries[i], at);
	lq_card_parts(&card, at, &parts);
	put_adjustment(&result, "max_fit", "fit", parts.max_fit);
	put_adjustment(&result, "max_engagement", "engagement",
				   parts.max_engagement);
	put_adjustment(&result, "floor", "floor", parts.floor);
	put_adjustment(&result, "rounding", NULL, parts.rounding);
	return (Datum) 0;
}

/* how many rules _best_rules() names */
#define BEST_RULES 3

/*
 * _best_rules(card, at) - the rules that give most points then, or as of the
 * card where that is later: the best first, of equals the first by rule_id
 */
Datum
scorecard_best_rules(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
	LqCard		card;
	Datum		ids[BEST_RULES];
	int64		best[BEST_RULES];
	int			n = 0;

	lq_card_view(&card, PG_GETARG_SCORECARD_P(0));
	for (int i = 0; i < card.n_entries; i++)
	{
		int64		points = lq_card_entry_points(&card, &card.entries[i], at);
		int			place = n;

		if (points <= 0)
			continue;
		while (place > 0 && best[place - 1] < points)
			place--;
		if (place == BEST_RULES)
			continue;
		n = Min(n + 1, BEST_RULES);
		for (int j = n - 1; j > place; j--)
		{
			ids[j] = ids[j - 1];
			best[j] = best[j - 1];
		}
		ids[place] = Int64GetDatum(card.entries[i].rule_id);
		best[place] = points;
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(ids, n, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
