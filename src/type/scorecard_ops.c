/*
 * scorecard_ops.c
 *		SQL functions that make, join and compare scorecards.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "common/int.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "lead_qual.h"
#include "type/decay.h"
#include "type/ordered_type.h"
#include "type/scorecard.h"
#include "type/scorecard_io.h"
#include "type/scorecard_ops.h"

PG_FUNCTION_INFO_V1(scorecard_add_hit);
PG_FUNCTION_INFO_V1(scorecard_merge);
PG_FUNCTION_INFO_V1(scorecard_heat);
PG_FUNCTION_INFO_V1(scorecard_hash);
PG_FUNCTION_INFO_V1(scorecard_hash_extended);

/*
 * An interval in microseconds, for a half-life or a window; a day has 24
 * hours.  Months have no fixed length and are refused.
 */
int64
lq_interval_usecs(const Interval *interval, const char *what)
{
	int64		usecs;

	if (interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not contain months or years", what),
				 errdetail("Months differ in length."),
				 errhint("Say it in days, such as \"30 days\".")));
	if (pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &usecs) ||
		pg_add_s64_overflow(usecs, interval->time, &usecs))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s is out of range", what)));
	if (usecs <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be positive", what)));
	return usecs;
}

static LqAxis
axis_from_text(text *name)
{
	char	   *str = text_to_cstring(name);

	if (strcmp(str, "engagement") == 0)
		return LQ_AXIS_ENGAGEMENT;
	if (strcmp(str, "fit") == 0)
		return LQ_AXIS_FIT;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown axis \"%s\"", str),
			 errhint("It is \"fit\" or \"engagement\".")));
}

/* The rule that the arguments of add_hit() describe. */
static void
rule_from_args(FunctionCallInfo fcinfo, LqCardRule *rule)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("rule, points and instant of a hit must not be null")));

	memset(rule, 0, sizeof(LqCardRule));
	rule->rule_id = PG_GETARG_INT64(1);
	rule->points = PG_GETARG_FLOAT8(2);
	if (isnan(rule->points) || fabs(rule->points) > LQ_MAX_POINTS)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("points are out of range"),
				 errdetail("A hit gives or takes at most %.0f points.",
						   LQ_MAX_POINTS)));
	if (!PG_ARGISNULL(4))
		rule->half_life = lq_interval_usecs(PG_GETARG_INTERVAL_P(4),
											"half-life");
	rule->max_points = PG_ARGISNULL(5) ? INFINITY : PG_GETARG_FLOAT8(5);
	if (isnan(rule->max_points) || rule->max_points <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("cap on points must be positive")));
	rule->axis = PG_ARGISNULL(6) ? LQ_AXIS_ENGAGEMENT :
		axis_from_text(PG_GETARG_TEXT_PP(6));
	if (!PG_ARGISNULL(7))
	{
		rule->max_hits = PG_GETARG_INT32(7);
		if (rule->max_hits <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("frequency limit must be positive")));
	}
	if (!PG_ARGISNULL(8))
	{
		if (rule->max_hits == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("window without a frequency limit"),
					 errhint("Give max_hits as well.")));
		rule->per = lq_interval_usecs(PG_GETARG_INTERVAL_P(8), "window");
	}
	if (rule->axis == LQ_AXIS_FIT &&
		(rule->half_life != 0 || rule->max_hits != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("fit neither fades nor has a frequency limit")));
}

/*
 * add_hit(card, rule_id, points, at, half_life, max_points, axis, max_hits,
 * per) - the card with one more hit; a NULL card is an empty one.
 */
Datum
scorecard_add_hit(PG_FUNCTION_ARGS)
{
	LqCardRule	rule;
	LqCard	   *card;
	TimestampTz at;
	char		last[LQ_INSTANT_LEN];
	char		this[LQ_INSTANT_LEN];

	rule_from_args(fcinfo, &rule);
	at = PG_GETARG_TIMESTAMPTZ(3);
	card = PG_ARGISNULL(0) ? lq_card_new(0, NULL) :
		lq_card_from_datum(PG_GETARG_DATUM(0));

	if (!lq_card_in_order(card, &rule, at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("hits of a rule with a frequency limit must come in order of time"),
				 errdetail("The last one that counted was at %s, this one is at %s.",
						   lq_instant_text(lq_card_rule_last(card,
															 rule.rule_id),
										   last),
						   lq_instant_text(at, this))));

	lq_card_hit(card, &rule, at);
	if (rule.axis == LQ_AXIS_ENGAGEMENT)
		lq_card_touch(card, at);
	PG_RETURN_DATUM(lq_card_to_datum(card));
}

pg_noreturn static void merge_differ(const char *what,
									 const LqCardEntry *entry);

static void
merge_differ(const char *what, const LqCardEntry *entry)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot merge scorecards that go by different rules"),
			 entry != NULL ?
			 errdetail("Rule %lld differs in %s.",
					   (long long) entry->rule_id, what) :
			 errdetail("They differ in %s.", what),
			 errhint("Rescore both under the same definition first.")));
}

static void
merge_check(const LqCard *a, const LqCard *b)
{
	const LqCard *both[2] = {a, b};

	for (int k = 0; k < 2; k++)
	{
		for (int i = 0; i < both[k]->n_entries; i++)
		{
			if (both[k]->entries[i].max_hits > 0)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot merge scorecards with a frequency limit"),
						 errdetail("Rule %lld counts at most so many hits in a time, which only the log can tell.",
								   (long long) both[k]->entries[i].rule_id),
						 errhint("Rescore the merged lead from its activities.")));
		}
	}

	if (a->version != b->version)
		merge_differ("the version of the definition", NULL);
	if (a->limits.max_fit != b->limits.max_fit)
		merge_differ("the limit of fit", NULL);
	if (a->limits.max_engagement != b->limits.max_engagement)
		merge_differ("the limit of engagement", NULL);
	if (a->limits.floor != b->limits.floor)
		merge_differ("the floor", NULL);
}

/*
 * merge(card, card) - both together: entries add up by rule, as of the later
 * instant.
 */
Datum
scorecard_merge(PG_FUNCTION_ARGS)
{
	LqCard	   *a = lq_card_from_datum(PG_GETARG_DATUM(0));
	LqCard	   *b = lq_card_from_datum(PG_GETARG_DATUM(1));
	LqCard	   *sum;
	int			i = 0;
	int			j = 0;

	merge_check(a, b);
	lq_card_advance(a, b->as_of);
	lq_card_advance(b, a->as_of);

	sum = lq_card_new(a->version, &a->limits);
	sum->as_of = a->as_of;
	sum->last_activity = Max(a->last_activity, b->last_activity);
	lq_card_reserve(sum, a->n_entries + b->n_entries);

	while (i < a->n_entries || j < b->n_entries)
	{
		LqCardEntry *to = &sum->entries[sum->n_entries++];
		const LqCardEntry *x;
		const LqCardEntry *y;

		if (i >= a->n_entries ||
			(j < b->n_entries &&
			 b->entries[j].rule_id < a->entries[i].rule_id))
		{
			*to = b->entries[j++];
			continue;
		}
		if (j >= b->n_entries ||
			a->entries[i].rule_id < b->entries[j].rule_id)
		{
			*to = a->entries[i++];
			continue;
		}

		x = &a->entries[i++];
		y = &b->entries[j++];
		if (x->axis != y->axis)
			merge_differ("its axis", x);
		if (x->half_life != y->half_life)
			merge_differ("its half-life", x);
		if (x->max_points != y->max_points)
			merge_differ("its cap", x);
		*to = *x;
		if (pg_add_s64_overflow(x->hits, y->hits, &to->hits))
			to->hits = PG_INT64_MAX;
		to->last_hit = Max(x->last_hit, y->last_hit);
		to->points = lq_add_points(x->points, y->points);
	}
	if (sum->n_entries > LQ_CARD_MAX_ENTRIES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a scorecard cannot hold more than %d rules",
						LQ_CARD_MAX_ENTRIES)));

	PG_RETURN_DATUM(lq_card_to_datum(sum));
}

/*
 * heat(card) - a number that orders cards by engagement, and does not change
 * while nothing happens.
 *
 * log2(points) + as_of / half-life is the logarithm of the points, carried
 * back to the year 2000: the same card scored as of any instant has the same
 * heat.
 */
Datum
scorecard_heat(PG_FUNCTION_ARGS)
{
	LqScorecard *stored = PG_GETARG_SCORECARD_P(0);
	LqCard		card;
	double		sum = 0;
	int64		half_life = -1;

	lq_card_view(&card, stored);
	for (int i = 0; i < card.n_entries; i++)
	{
		const LqCardEntry *entry = &card.entries[i];

		if (entry->axis != LQ_AXIS_ENGAGEMENT || entry->points == 0)
			continue;
		if (half_life >= 0 && entry->half_life != half_life)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("heat needs one half-life for all engagement"),
					 errdetail("Rule %lld fades at another speed than the rules before it.",
							   (long long) entry->rule_id)));
		half_life = entry->half_life;
		sum += entry->points;
	}

	if (half_life == 0)
		PG_RETURN_FLOAT8(sum + 0.0);
	if (half_life < 0 || sum <= 0)
		PG_RETURN_FLOAT8(-INFINITY);
	PG_RETURN_FLOAT8(log2(sum) + (double) card.as_of / (double) half_life);
}

/*
 * Comparison: equal cards have equal bytes, so bytes decide.  The order has
 * no meaning, but it is total and never raises.
 */
static int
compare_args(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_GETARG_VARLENA_P(0);
	struct varlena *b = PG_GETARG_VARLENA_P(1);
	Size		size_a = VARSIZE(a) - VARHDRSZ;
	Size		size_b = VARSIZE(b) - VARHDRSZ;
	int			result;

	result = memcmp(VARDATA(a), VARDATA(b), Min(size_a, size_b));
	if (result == 0)
		result = size_a < size_b ? -1 : size_a > size_b ? 1 : 0;
	else
		result = result < 0 ? -1 : 1;

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

LQ_ORDERED_TYPE(scorecard, compare_args)

Datum
scorecard_hash(PG_FUNCTION_ARGS)
{
	struct varlena *card = PG_GETARG_VARLENA_P(0);
	uint32		hash;

	hash = hash_bytes((unsigned char *) VARDATA(card),
					  VARSIZE(card) - VARHDRSZ);
	PG_FREE_IF_COPY(card, 0);
	PG_RETURN_UINT32(hash);
}

Datum
scorecard_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *card = PG_GETARG_VARLENA_P(0);
	uint64		hash;

	hash = hash_bytes_extended((unsigned char *) VARDATA(card),
							   VARSIZE(card) - VARHDRSZ,
							   PG_GETARG_INT64(1));
	PG_FREE_IF_COPY(card, 0);
	PG_RETURN_UINT64(hash);
}
