/*
 * attribution.c
 *		Which touches are credited with an amount, and with how much of it.
 *
 * Weights are exact numbers, so that what touches get adds up to the amount
 * in cents; see share_out.c.  They need not add up to one: whoever is left
 * gets the share of who is missing, pro rata.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "clip.h"
#include "compat.h"
#include "type/decay.h"
#include "type/share_out.h"

PG_FUNCTION_INFO_V1(attribution_models);
PG_FUNCTION_INFO_V1(attribute_amount);

/* a weight of 1 that is to be halved */
#define HALVINGS_KEPT	62

/* one that counts */
typedef struct Touch
{
	TimestampTz at;
	int			place;			/* among those given */
	bool		direct;
} Touch;

/* what the models are told besides the touches */
typedef struct Terms
{
	Interval   *half_life;
	const TimestampTz *anchors; /* before which a touch has a share of its own */
	int			n_anchors;
	Numeric		first_share;
	Numeric		last_share;
	Numeric		anchor_share;
} Terms;

/* no touch has it all */
#define SHARED			(-1)

/* Weigh the touches, or return the one that has it all. */
typedef int (*Weigh) (const Touch *touches, int n, const Terms *terms,
					  Numeric *weights);

static Numeric
compute(PGFunction function, Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(function,
											   NumericGetDatum(a),
											   NumericGetDatum(b)));
}

static int
compare(Numeric a, int64 b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a),
											 NumericGetDatum(int64_to_numeric(b))));
}

static void
fill(Numeric *weights, int n, Numeric weight)
{
	for (int i = 0; i < n; i++)
		weights[i] = weight;
}

static int
weigh_first(const Touch *touches, int n, const Terms *terms, Numeric *weights)
{
	return 0;
}

static int
weigh_last(const Touch *touches, int n, const Terms *terms, Numeric *weights)
{
	return n - 1;
}

static int
weigh_last_non_direct(const Touch *touches, int n, const Terms *terms,
					  Numeric *weights)
{
	int			i = n - 1;

	while (i >= 0 && touches[i].direct)
		i--;
	return i >= 0 ? i : n - 1;
}

static int
weigh_linear(const Touch *touches, int n, const Terms *terms, Numeric *weights)
{
	fill(weights, n, int64_to_numeric(1));
	return SHARED;
}

/*
 * Those at places[] have a share of their own, each as often as it is there;
 * the others share the rest of 1 alike.  All is multiplied by how many they
 * are, which leaves the shares exact.
 */
static void
weigh_places(Numeric *weights, int n, const int *places,
			 const Numeric *shares, int n_places, Numeric taken)
{
	Numeric		zero = int64_to_numeric(0);
	bool	   *own = palloc0(n * sizeof(bool));
	int			others = n;
	Numeric		times;
	Numeric		rest = compute(numeric_sub, int64_to_numeric(1), taken);

	for (int i = 0; i < n_places; i++)
		if (!own[places[i]])
		{
			own[places[i]] = true;
			others--;
		}
	times = int64_to_numeric(Max(others, 1));
	for (int i = 0; i < n; i++)
		weights[i] = own[i] ? zero : rest;
	for (int i = 0; i < n_places; i++)
		weights[places[i]] = compute(numeric_add, weights[places[i]],
									 compute(numeric_mul, shares[i], times));
	pfree(own);
}

static int
weigh_u(const Touch *touches, int n, const Terms *terms, Numeric *weights)
{
	const int	places[] = {0, n - 1};
	const Numeric shares[] = {terms->first_share, terms->last_share};

	weigh_places(weights, n, places, shares, 2,
				 compute(numeric_add, terms->first_share, terms->last_share));
	return SHARED;
}

static int
weigh_w(const Touch *touches, int n, const Terms *terms, Numeric *weights)
{
	const Numeric shares[] = {
		terms->anchor_share, terms->anchor_share, terms->anchor_share
	};
	int			places[3] = {0};
	int			n_places = 1;

	for (int anchor = 0; anchor < terms->n_anchors; anchor++)
	{
		int			i = n - 1;

		while (i >= 0 && touches[i].at > terms->anchors[anchor])
			i--;
		if (i >= 0)
			places[n_places++] = i;
	}
	weigh_places(weights, n, places, shares, n_places,
				 compute(numeric_mul, terms->anchor_share, int64_to_numeric(3)));
	return SHARED;
}

/* months have 30 days here, as where intervals are compared */
static int64
half_life_usecs(const Interval *half_life)
{
	double		usecs;

	usecs = ((double) half_life->month * DAYS_PER_MONTH + half_life->day) *
		USECS_PER_DAY + half_life->time;
	if (usecs < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half-life must be positive")));
	return usecs < (double) PG_INT64_MAX ? (int64) usecs : PG_INT64_MAX;
}

/* Only the ages among each other count, so the last touch has the weight 1. */
static int
weigh_decay(const Touch *touches, int n, const Terms *terms, Numeric *weights)
{
	int64		half_life = half_life_usecs(terms->half_life);

	for (int i = 0; i < n; i++)
	{
		double		weight = lq_decay(1, half_life,
									  lq_span(touches[n - 1].at, touches[i].at));

		weights[i] = int64_to_numeric((int64) rint(ldexp(weight, HALVINGS_KEPT)));
	}
	return SHARED;
}

static const struct
{
	const char *name;
	Weigh		weigh;
}			models[] = {
	{"first", weigh_first},
	{"last", weigh_last},
	{"last_non_direct", weigh_last_non_direct},
	{"linear", weigh_linear},
	{"u", weigh_u},
	{"w", weigh_w},
	{"decay", weigh_decay},
};

/* _attribution_models() - text[] */
Datum
attribution_models(PG_FUNCTION_ARGS)
{
	Datum		names[lengthof(models)];

	for (int i = 0; i < lengthof(models); i++)
		names[i] = CStringGetTextDatum(models[i].name);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, lengthof(models), TEXTOID,
										  -1, false, TYPALIGN_INT));
}

static Weigh
model_named(const text *name)
{
	for (int i = 0; i < lengthof(models); i++)
		if (strlen(models[i].name) == VARSIZE_ANY_EXHDR(name) &&
			memcmp(models[i].name, VARDATA_ANY(name),
				   VARSIZE_ANY_EXHDR(name)) == 0)
			return models[i].weigh;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no attribution model \"%s\"",
					lq_clip(text_to_cstring(name))),
			 errhint("Models are first, last, last_non_direct, linear, u, w and decay.")));
}

static Numeric
share_arg(FunctionCallInfo fcinfo, int i, const char *what)
{
	Numeric		share;

	if (PG_ARGISNULL(i))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", what)));
	share = PG_GETARG_NUMERIC(i);
	/* NaN is above everything */
	if (compare(share, 0) < 0 || compare(share, 1) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 0 and 1", what)));
	return share;
}

static void
check_taken(Numeric taken, const char *what)
{
	if (compare(taken, 1) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be above 1 together", what)));
}

static int
by_instant(const void *a, const void *b)
{
	const Touch *left = a;
	const Touch *right = b;

	if (left->at != right->at)
		return left->at < right->at ? -1 : 1;
	return left->place - right->place;
}

/* the touches at or before an instant, the earliest first */
static int
read_touches(ArrayType *given, ArrayType *direct, TimestampTz closed_at,
			 Touch **touches, int *n_given)
{
	Datum	   *at;
	bool	   *no_date;
	Datum	   *is_direct = NULL;
	bool	   *unknown = NULL;
	int			n_direct = 0;
	int			n = 0;

	if (ARR_NDIM(given) > 1 || (direct && ARR_NDIM(direct) > 1))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("touches must be a one-dimensional array")));
	deconstruct_array(given, TIMESTAMPTZOID, sizeof(TimestampTz),
					  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &at, &no_date, n_given);
	if (direct)
	{
		deconstruct_array(direct, BOOLOID, 1, true, TYPALIGN_CHAR,
						  &is_direct, &unknown, &n_direct);
		if (n_direct != *n_given)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("direct must say so of each touch"),
					 errdetail("There are %d touches and %d values of direct.",
							   *n_given, n_direct)));
	}

	*touches = palloc((*n_given + 1) * sizeof(Touch));
	for (int i = 0; i < *n_given; i++)
	{
		Touch	   *touch = &(*touches)[n];

		if (no_date[i] || DatumGetTimestampTz(at[i]) > closed_at)
			continue;
		touch->at = DatumGetTimestampTz(at[i]);
		touch->place = i;
		touch->direct = direct && !unknown[i] && DatumGetBool(is_direct[i]);
		n++;
	}
	qsort(*touches, n, sizeof(Touch), by_instant);
	return n;
}

static void
share(Numeric amount, const Touch *touches, int n, Numeric *weights,
	  Datum *credits)
{
	Numeric    *shares = palloc(n * sizeof(Numeric));

	if (!lq_share_out(amount, weights, n, shares))
	{
		/* those who are there have no share of their own: they are alike */
		fill(weights, n, int64_to_numeric(1));
		(void) lq_share_out(amount, weights, n, shares);
	}
	for (int i = 0; i < n; i++)
		credits[touches[i].place] = NumericGetDatum(shares[i]);
}

/*
 * attribute_amount(amount numeric, touched_at timestamptz[],
 *		closed_at timestamptz, model text, half_life interval,
 *		direct boolean[], mql_at timestamptz, opportunity_at timestamptz,
 *		first_share numeric, last_share numeric, anchor_share numeric)
 *		- numeric[]
 */
Datum
attribute_amount(PG_FUNCTION_ARGS)
{
	Weigh		weigh;
	Terms		terms = {0};
	TimestampTz anchors[2];
	Touch	   *touches;
	Datum	   *credits;
	bool	   *nulls;
	int			n;
	int			n_given;
	int			from = 1;

	if (PG_ARGISNULL(3))
		PG_RETURN_NULL();
	weigh = model_named(PG_GETARG_TEXT_PP(3));
	terms.first_share = share_arg(fcinfo, 8, "first_share");
	terms.last_share = share_arg(fcinfo, 9, "last_share");
	terms.anchor_share = share_arg(fcinfo, 10, "anchor_share");
	check_taken(compute(numeric_add, terms.first_share, terms.last_share),
				"first_share and last_share");
	check_taken(compute(numeric_mul, terms.anchor_share, int64_to_numeric(3)),
				"three times anchor_share");
	if (PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("half_life must not be null")));
	terms.half_life = PG_GETARG_INTERVAL_P(4);
	(void) half_life_usecs(terms.half_life);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	if (numeric_is_nan(PG_GETARG_NUMERIC(0)) || numeric_is_inf(PG_GETARG_NUMERIC(0)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount must be a finite number")));

	for (int i = 6; i <= 7; i++)
		if (!PG_ARGISNULL(i))
			anchors[terms.n_anchors++] = PG_GETARG_TIMESTAMPTZ(i);
	terms.anchors = anchors;
	n = read_touches(PG_GETARG_ARRAYTYPE_P(1),
					 PG_ARGISNULL(5) ? NULL : PG_GETARG_ARRAYTYPE_P(5),
					 PG_GETARG_TIMESTAMPTZ(2), &touches, &n_given);
	if (n_given == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(NUMERICOID));

	credits = palloc(n_given * sizeof(Datum));
	nulls = palloc(n_given * sizeof(bool));
	for (int i = 0; i < n_given; i++)
	{
		/* nobody to credit: nobody is credited with nothing, either */
		nulls[i] = n == 0;
		credits[i] = NumericGetDatum(int64_to_numeric(0));
	}
	if (n > 0)
	{
		Numeric    *weights = palloc(n * sizeof(Numeric));
		int			whose = weigh(touches, n, &terms, weights);

		if (whose == SHARED)
			share(PG_GETARG_NUMERIC(0), touches, n, weights, credits);
		else
			credits[touches[whose].place] = PG_GETARG_DATUM(0);
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(credits, nulls, 1, &n_given, &from,
											 NUMERICOID, -1, false,
											 TYPALIGN_INT));
}
