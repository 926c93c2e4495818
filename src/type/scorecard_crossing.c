/*
 * scorecard_crossing.c
 *		When will a score fall below a threshold, or reach it?
 *
 * A score is a step function of time: every rule's points are rounded to
 * millionths, and one microsecond decides.  With one half-life there is a
 * formula, but points of opposite sign that fade at different speeds make a
 * score rise and then fall, and caps and limits add corners.  So the first
 * crossing is found by branch and bound over whole microseconds: on [a, b]
 * every rule's points lie between their values at a and at b, and sums, caps
 * and limits keep that order; an interval that cannot hold a crossing is
 * dropped, one that can is halved, the earlier half first.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "type/scorecard.h"

/* a span halves to nothing in 64 steps, plus both ends */
#define MAX_DEPTH		68

/* intervals to look into before the answer may come early */
#define MAX_INTERVALS	50000

/* the points of a rule that still fade */
typedef struct LqFadingPart
{
	double		points;			/* as of the card's instant */
	double		cap;			/* never more than LQ_EVAL_POINTS_MAX */
	int64		half_life;
	bool		netted;			/* others of this half-life oppose it */
} LqFadingPart;

/* a part at one instant */
typedef struct LqPartValue
{
	double		real;			/* uncapped, not rounded */
	int64		micro;			/* as readers see it */
} LqPartValue;

typedef struct LqCrossing
{
	TimestampTz as_of;
	int			n_parts;
	LqFadingPart *parts;		/* by half-life */
	int64		steady;			/* micropoints that never fade */
	int64		limit;			/* of steady and fading together */
	int64		offset;			/* added after that */
	int64		floor;			/* applies last */
	bool		falls;
	int64		threshold;
	int			intervals;		/* looked into so far */
	LqPartValue *values;		/* MAX_DEPTH rows of n_parts */
} LqCrossing;

static int
compare_parts(const void *a, const void *b)
{
	const LqFadingPart *x = a;
	const LqFadingPart *y = b;

	if (x->half_life != y->half_life)
		return x->half_life < y->half_life ? -1 : 1;
	return 0;
}

static int64
quantity(const LqCrossing *search, int64 fading)
{
	int64		sum = Min(search->steady + fading, search->limit);

	return Max(sum + search->offset, search->floor);
}

static bool
crossed(const LqCrossing *search, int64 value)
{
	return search->falls ? value < search->threshold :
		value >= search->threshold;
}

static int64
evaluate(const LqCrossing *search, TimestampTz at, LqPartValue *values)
{
	int64		span = lq_span(at, search->as_of);
	int64		sum = 0;

	for (int i = 0; i < search->n_parts; i++)
	{
		const LqFadingPart *part = &search->parts[i];

		values[i].real = lq_decay(part->points, part->half_life, span);
		values[i].micro = lq_micropoints(values[i].real, part->cap);
		sum += values[i].micro;
	}
	return quantity(search, sum);
}

/*
 * Bounds of the parts that share a half-life with parts of the other sign.
 * One by one they would give hopelessly wide bounds where they cancel out, so
 * those that no cap touches within the interval are netted as real numbers:
 * the net has one sign, and rounding moves each by half a millionth at most.
 */
static void
netted_bounds(const LqCrossing *search, int first, int end,
			  const LqPartValue *va, const LqPartValue *vb,
			  int64 *low, int64 *high)
{
	double		net_a = 0;
	double		net_b = 0;
	double		size = 0;
	double		slack;
	int			n_net = 0;
	int64		one_low = 0;
	int64		one_high = 0;
	int64		other_low = 0;
	int64		other_high = 0;

	for (int i = first; i < end; i++)
	{
		int64		least = Min(va[i].micro, vb[i].micro);
		int64		most = Max(va[i].micro, vb[i].micro);

		one_low += least;
		one_high += most;
		if (fabs(va[i].real) <= search->parts[i].cap)
		{
			net_a += va[i].real;
			net_b += vb[i].real;
			size += fabs(va[i].real);
			n_net++;
		}
		else
		{
			other_low += least;
			other_high += most;
		}
	}

	slack = 0.5 * n_net + 1e-6 + size * (double) LQ_MICRO * 1e-14;
	other_low += (int64) ceil(Min(net_a, net_b) * (double) LQ_MICRO - slack);
	other_high += (int64) floor(Max(net_a, net_b) * (double) LQ_MICRO + slack);

	*low += Max(one_low, other_low);
	*high += Min(one_high, other_high);
}

/* Bounds of the quantity over an interval, from the parts at its ends. */
static void
bounds(const LqCrossing *search, const LqPartValue *va, const LqPartValue *vb,
	   int64 *low, int64 *high)
{
	int64		sum_low = 0;
	int64		sum_high = 0;
	int			i = 0;

	while (i < search->n_parts)
	{
		const LqFadingPart *part = &search->parts[i];
		int			end = i + 1;

		if (part->netted)
		{
			while (end < search->n_parts &&
				   search->parts[end].half_life == part->half_life)
				end++;
			netted_bounds(search, i, end, va, vb, &sum_low, &sum_high);
		}
		else
		{
			sum_low += Min(va[i].micro, vb[i].micro);
			sum_high += Max(va[i].micro, vb[i].micro);
		}
		i = end;
	}
	*low = quantity(search, sum_low);
	*high = quantity(search, sum_high);
}

/* The first crossing in [a, b], given the parts at both ends. */
static TimestampTz
search_interval(LqCrossing *search, TimestampTz a, const LqPartValue *va,
				TimestampTz b, const LqPartValue *vb, int depth)
{
	LqPartValue *vm = search->values + (Size) depth * search->n_parts;
	TimestampTz middle;
	TimestampTz result;
	uint64		width;
	int64		low;
	int64		high;

	bounds(search, va, vb, &low, &high);
	if (search->falls ? low >= search->threshold : high < search->threshold)
		return DT_NOEND;
	if (search->falls ? high < search->threshold : low >= search->threshold)
		return a;

	width = (uint64) b - (uint64) a;
	if (width <= 1)
	{
		if (crossed(search, evaluate(search, a, vm)))
			return a;
		return crossed(search, evaluate(search, b, vm)) ? b : DT_NOEND;
	}

	if (++search->intervals > MAX_INTERVALS)
		return a;
	if (search->intervals % 1024 == 0)
		CHECK_FOR_INTERRUPTS();
	Assert(depth < MAX_DEPTH);

	middle = a + (int64) (width / 2);
	evaluate(search, middle, vm);
	result = search_interval(search, a, va, middle, vm, depth + 1);
	if (result != DT_NOEND)
		return result;
	return search_interval(search, middle, vm, b, vb, depth + 1);
}

/*
 * Leave out pairs that cancel each other to the last digit for ever, and mark
 * the half-lives that have points of both signs.
 */
static void
arrange_parts(LqCrossing *search)
{
	LqFadingPart *parts = search->parts;
	int			n = search->n_parts;

	for (int i = 0; i < n; i++)
	{
		for (int j = i + 1; j < n; j++)
		{
			if (parts[i].half_life == parts[j].half_life &&
				parts[i].points == -parts[j].points &&
				parts[i].cap == parts[j].cap)
			{
				parts[j] = parts[--n];
				parts[i] = parts[--n];
				i--;
				break;
			}
		}
	}
	search->n_parts = n;

	qsort(parts, n, sizeof(LqFadingPart), compare_parts);
	for (int i = 0; i < n;)
	{
		bool		plus = false;
		bool		minus = false;
		int			end;

		for (end = i; end < n && parts[end].half_life == parts[i].half_life;
			 end++)
		{
			if (parts[end].points > 0)
				plus = true;
			else
				minus = true;
		}
		for (; i < end; i++)
			parts[i].netted = plus && minus;
	}
}

/* Fill the search for a quantity of the card. */
static void
search_init(LqCrossing *search, const LqCard *card, LqCardQuantity what,
			int64 rule_id)
{
	memset(search, 0, sizeof(LqCrossing));
	search->as_of = card->as_of;
	search->limit = lq_micro_limit(INFINITY);
	search->floor = lq_micro_limit(-INFINITY);
	search->parts = palloc((card->n_entries + 1) * sizeof(LqFadingPart));

	if (what == LQ_CARD_FIT)
	{
		search->steady = lq_card_fit(card, card->as_of);
		return;
	}
	if (what == LQ_CARD_SCORE)
	{
		search->offset = lq_card_fit(card, card->as_of);
		search->floor = lq_micro_limit(card->limits.floor);
	}
	if (what != LQ_CARD_RULE_POINTS)
		search->limit = lq_micro_limit(card->limits.max_engagement);

	for (int i = 0; i < card->n_entries; i++)
	{
		const LqCardEntry *entry = &card->entries[i];

		if (what == LQ_CARD_RULE_POINTS ? entry->rule_id != rule_id :
			entry->axis != LQ_AXIS_ENGAGEMENT)
			continue;
		if (entry->half_life > 0)
		{
			LqFadingPart *part = &search->parts[search->n_parts];

			part->points = entry->points;
			part->cap = Min(entry->max_points, LQ_EVAL_POINTS_MAX);
			part->half_life = entry->half_life;
			if (lq_micropoints(part->points, part->cap) != 0)
				search->n_parts++;
		}
		else
			search->steady += lq_card_entry_points(card, entry, card->as_of);
	}
	arrange_parts(search);
}

/* The instant from which on nothing changes any more. */
static TimestampTz
search_end(const LqCrossing *search)
{
	int64		span = 0;

	for (int i = 0; i < search->n_parts; i++)
		span = Max(span, lq_decay_horizon(search->parts[i].points,
										  search->parts[i].half_life));
	if (search->n_parts == 0)
		return DT_NOBEGIN;
	if (lq_span(END_TIMESTAMP - 1, search->as_of) <= span)
		return END_TIMESTAMP - 1;
	return search->as_of + span;
}

TimestampTz
lq_card_crossing(const LqCard *card, LqCardQuantity what, int64 rule_id,
				 bool falls, int64 threshold_micro, TimestampTz at)
{
	LqCrossing	search;
	TimestampTz start;
	TimestampTz end;
	TimestampTz result;
	LqPartValue *va;
	LqPartValue *vb;

	start = Max(Max(at, card->as_of), MIN_TIMESTAMP - 1);
	if (start >= END_TIMESTAMP - 1)
		return DT_NOEND;
	start++;

	search_init(&search, card, what, rule_id);
	search.falls = falls;
	search.threshold = threshold_micro;
	search.values = palloc((Size) MAX_DEPTH * (search.n_parts + 1) *
						   sizeof(LqPartValue));
	end = Max(search_end(&search), start);

	va = search.values;
	vb = search.values + search.n_parts;
	evaluate(&search, start, va);
	evaluate(&search, end, vb);
	result = search_interval(&search, start, va, end, vb, 2);

	pfree(search.values);
	pfree(search.parts);
	return result;
}
