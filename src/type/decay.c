/*
 * decay.c
 *		Half-life arithmetic on plain numbers: no server, no memory.
 *
 * Spans and half-lives are in microseconds.  A half-life of 0 means that the
 * points never fade.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/int.h"

#include "type/decay.h"

/* halvings after which even LQ_STORED_POINTS_MAX is nothing to a double */
#define HALVINGS_TO_NOTHING		1200

/* halvings after which one point leaves every digit of a sum as it is */
#define HALVINGS_TO_NO_DIGIT	80

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

/* What points were a span before: the other way. */
double
lq_undecay(double points, int64 half_life, int64 span)
{
	int64		whole;
	double		part;

	if (half_life <= 0 || span <= 0 || points == 0)
		return points + 0.0;

	whole = Min(span / half_life, 2 * HALVINGS_TO_NOTHING);
	part = (double) (span % half_life) / (double) half_life;

	/* may be beyond all bounds: saturates */
	return lq_add_points(ldexp(points * exp2(part), (int) whole), 0);
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

/* Points limited to max_points on either side of zero. */
double
lq_capped(double points, double max_points)
{
	double		cap = Min(max_points, LQ_EVAL_POINTS_MAX);

	if (points > cap)
		return cap;
	if (points < -cap)
		return -cap;
	return points;
}

/*
 * Points as every reader sees them, comparison and display alike: rounded to
 * two decimals, half away from zero, of the value first rounded to nine.
 *
 * The nine decimals keep the order of adding, which moves a double by its
 * last bits, from deciding about 99.995: what comes within half a billionth
 * of a point of it is it.  Of large amounts the last bits are more than that.
 */
int64
lq_hundredths(double points)
{
	double		size = fabs(points) * (double) LQ_HUNDREDTHS;
	double		near = Max(5e-8, size * 4 * DBL_EPSILON);
	double		rounded = floor(size + 0.5 + near);

	if (rounded >= (double) LQ_HUNDREDTHS_MAX)
		rounded = (double) LQ_HUNDREDTHS_MAX;
	return points < 0 ? -(int64) rounded : (int64) rounded;
}

/*
 * A span after which the points are nothing beside a billionth;
 * PG_INT64_MAX if that is beyond all calendars.
 */
int64
lq_decay_horizon(double points, int64 half_life)
{
	double		halvings;
	double		span;

	if (points == 0)
		return 0;
	halvings = ceil(log2(fabs(points)) + HALVINGS_TO_NO_DIGIT);
	if (halvings <= 0)
		return 0;
	span = halvings * (double) half_life;

	return span < 9e18 ? (int64) span : PG_INT64_MAX;
}
