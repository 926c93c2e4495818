/*
 * decay.c
 *		Half-life arithmetic on plain numbers: no server, no memory.
 *
 * Spans and half-lives are in microseconds.  A half-life of 0 means that the
 * points never fade.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"

#include "type/decay.h"

/* halvings after which even LQ_STORED_POINTS_MAX is nothing to a double */
#define HALVINGS_TO_NOTHING		1200

/*
 * Microseconds between two instants.  The whole range of timestamps is a
 * little wider than an int64, hence saturating.
 */
int64
lq_span(int64 later, int64 earlier)
{
	int64		span;

	if (pg_sub_s64_overflow(later, earlier, &span))
		return later > earlier ? PG_INT64_MAX : PG_INT64_MIN;
	return span;
}

/*
 * What is left of points after a span.
 *
 * Whole half-lives are taken off the exponent, which is exact: 10 points are
 * 5 after one half-life and 2.5 after two, to the last bit.  Never gives -0.
 */
double
lq_decay(double points, int64 half_life, int64 span)
{
	int64		whole;
	double		part;

	if (half_life <= 0 || span <= 0 || points == 0)
		return points + 0.0;

	whole = span / half_life;
	if (whole > HALVINGS_TO_NOTHING)
		return 0.0;
	part = (double) (span % half_life) / (double) half_life;

	return ldexp(points * exp2(-part), -(int) whole) + 0.0;
}

/* Sum of two uncapped amounts, saturating, never -0. */
double
lq_add_points(double a, double b)
{
	double		sum = a + b;

	if (sum > LQ_STORED_POINTS_MAX)
		return LQ_STORED_POINTS_MAX;
	if (sum < -LQ_STORED_POINTS_MAX)
		return -LQ_STORED_POINTS_MAX;
	return sum + 0.0;
}

/*
 * Points as every reader sees them: limited to max_points on either side of
 * zero, and rounded to a whole number of millionths (ties to even).
 */
int64
lq_micropoints(double points, double max_points)
{
	double		cap = Min(max_points, LQ_EVAL_POINTS_MAX);

	if (points > cap)
		points = cap;
	else if (points < -cap)
		points = -cap;

	return (int64) rint(points * (double) LQ_MICRO);
}

/*
 * A limit on a sum, in millionths.  Sums never reach 4.2e18 (4096 rules of
 * 1e15), so that is what stands for "none".
 */
int64
lq_micro_limit(double limit)
{
	double		micro = rint(limit * (double) LQ_MICRO);

	if (micro >= 4.2e18)
		return INT64CONST(4200000000000000000);
	if (micro <= -4.2e18)
		return -INT64CONST(4200000000000000000);
	return (int64) micro;
}

/*
 * A span after which the points round to nothing; PG_INT64_MAX if that is
 * beyond all calendars.
 */
int64
lq_decay_horizon(double points, int64 half_life)
{
	double		halvings;
	double		span;

	if (points == 0)
		return 0;
	halvings = ceil(log2(fabs(points) * (double) LQ_MICRO * 2.0)) + 1.0;
	if (halvings <= 0)
		return 0;
	span = halvings * (double) half_life;

	return span < 9e18 ? (int64) span : PG_INT64_MAX;
}
