/*
 * scorecard_crossing.c
 *		When will a score fall below a threshold, or reach it?
 *
 * A score is a step function of time: what its rules give is added up and
 * rounded to hundredths, and one microsecond decides.  With one half-life there is a
 * formula, but points of opposite sign that fade at different speeds make a
 * score rise and then fall, and caps and limits add corners.  So the first
 * crossing is found by branch and bound over whole microseconds: on [a, b]
 * every rule's points lie between their values at a and at b, and sums, caps
 * and limits keep that order, and so does rounding; an interval that cannot
 * hold a crossing is dropped, one that can is halved, the earlier half first.
 * Where no more than a microsecond is left, the card itself is asked.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

#include "type/decay.h"
#include "type/scorecard.h"
#include "type/scorecard_crossing.h"

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
	double		uncapped;
	double		points;
} LqPartValue;

typedef struct LqCrossing
{
	const LqCard *card;
	LqCardQuantity what;
	int64		rule_id;
	int			n_parts;
	LqFadingPart *parts;		/* by half-life */
	double		steady;			/* points that never fade */
	double		limit;			/* of steady and fading together */
	double		offset;			/* added after that */
	double		floor;			/* applies last */
	double		blur;			/* sums in another order differ by less */
	bool		falls;
	int64		threshold;		/* in hundredths */
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

static double
quantity(const LqCrossing *search, double fading)
{
	double		sum = Min(search->steady + fading, search->limit);

	return Max(sum + search->offset, search->floor);
}

/* The quantity, in hundredths, as every reader sees it. */
int64
lq_card_points(const LqCard *card, LqCardQuantity what, int64 rule_id,
			   TimestampTz at)
{
	switch (what)
	{
		case LQ_CARD_SCORE:
			return lq_card_score(card, at);
		case LQ_CARD_FIT:
			return lq_card_fit(card, at);
		case LQ_CARD_ENGAGEMENT:
			return lq_card_engagement(card, at);
		case LQ_CARD_RULE_POINTS:
			return lq_card_rule_points(card, rule_id, at);
	}
	pg_unreachable();
}

/* Has the card crossed at that instant? */
static bool
crossed(const LqCrossing *search, TimestampTz at)
{
	int64		value = lq_card_points(search->card, search->what,
									   search->rule_id, at);

	return search->falls ? value < search->threshold :
		value >= search->threshold;
}

static void
evaluate(const LqCrossing *search, TimestampTz at, LqPartValue *values)
{
	int64		span = lq_span(at, search->card->as_of);

	for (int i = 0; i < search->n_parts; i++)
	{
		const LqFadingPart *part = &search->parts[i];

		values[i].uncapped = lq_decay(part->points, part->half_life, span);
		values[i].points = lq_capped(values[i].uncapped, part->cap);
	}
}

/*
 * Bounds of the parts that share a half-life with parts of the other sign.
 * One by one they would give hopelessly wide bounds where they cancel out, so
 * those that no cap touches within the interval are netted:
 * the net has one sign and fades as each of them does.
 */
static void
netted_bounds(const LqCrossing *search, int first, int end,
			  const LqPartValue *va, const LqPartValue *vb,
			  double *low, double *high)
{
	double		net_a = 0;
	double		net_b = 0;
	double		one_low = 0;
	double		one_high = 0;
	double		other_low = 0;
	double		other_high = 0;

	for (int i = first; i < end; i++)
	{
		double		least = Min(va[i].points, vb[i].points);
		double		most = Max(va[i].points, vb[i].points);

		one_low += least;
		one_high += most;
		if (fabs(va[i].uncapped) <= search->parts[i].cap)
		{
			net_a += va[i].uncapped;
			net_b += vb[i].uncapped;
		}
		else
		{
			other_low += least;
			other_high += most;
		}
	}

	other_low += Min(net_a, net_b);
	other_high += Max(net_a, net_b);
	*low += Max(one_low, other_low);
	*high += Min(one_high, other_high);
}

/*
 * Bounds of the quantity over an interval, in hundredths, from the parts at
 * its ends.
 */
static void
bounds(const LqCrossing *search, const LqPartValue *va, const LqPartValue *vb,
	   int64 *low, int64 *high)
{
	double		sum_low = 0;
	double		sum_high = 0;
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
			sum_low += Min(va[i].points, vb[i].points);
			sum_high += Max(va[i].points, vb[i].points);
		}
		i = end;
	}
	*low = lq_hundredths(quantity(search, sum_low) - search->blur);
	*high = lq_hundredths(quantity(search, sum_high) + search->blur);
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
		if (crossed(search, a))
			return a;
		return crossed(search, b) ? b : DT_NOEND;
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

/* Is it the same at all times, as long as nothing happens? */
bool
lq_card_is_steady(const LqCard *card)
{
	for (int i = 0; i < card->n_entries; i++)
		if (card->entries[i].half_life > 0 && card->entries[i].points != 0)
			return false;
	return true;
}

/* Fill the search for a quantity of the card. */
static void
search_init(LqCrossing *search, const LqCard *card, LqCardQuantity what,
			int64 rule_id)
{
	double		size = 0;

	memset(search, 0, sizeof(LqCrossing));
	search->card = card;
	search->what = what;
	search->rule_id = rule_id;
	search->limit = INFINITY;
	search->floor = -INFINITY;
	search->parts = palloc((card->n_entries + 1) * sizeof(LqFadingPart));

	if (what == LQ_CARD_SCORE)
		search->floor = card->limits.floor;
	if (what == LQ_CARD_SCORE || what == LQ_CARD_ENGAGEMENT)
		search->limit = card->limits.max_engagement;

	for (int i = 0; i < card->n_entries; i++)
	{
		const LqCardEntry *entry = &card->entries[i];
		double		points = lq_card_entry_real(card, entry, card->as_of);

		if (what == LQ_CARD_RULE_POINTS && entry->rule_id != rule_id)
			continue;
		size += fabs(points);
		if (entry->axis == LQ_AXIS_FIT)
		{
			if (what != LQ_CARD_ENGAGEMENT)
				search->offset += points;
		}
		else if (what == LQ_CARD_FIT)
			continue;
		else if (entry->half_life == 0)
			search->steady += points;
		else if (points != 0)
		{
			LqFadingPart *part = &search->parts[search->n_parts++];

			part->points = entry->points;
			part->cap = Min(entry->max_points, LQ_EVAL_POINTS_MAX);
			part->half_life = entry->half_life;
		}
	}
	if (what == LQ_CARD_SCORE || what == LQ_CARD_FIT)
		search->offset = Min(search->offset, card->limits.max_fit);
	search->blur = size * card->n_entries * 4 * DBL_EPSILON;
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
	if (lq_span(END_TIMESTAMP - 1, search->card->as_of) <= span)
		return END_TIMESTAMP - 1;
	return search->card->as_of + span;
}

TimestampTz
lq_card_crossing(const LqCard *card, LqCardQuantity what, int64 rule_id,
				 bool falls, int64 threshold, TimestampTz at)
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
	search.threshold = threshold;
	if (search.n_parts == 0)
	{
		/* nothing fades: now or never */
		pfree(search.parts);
		return crossed(&search, start) ? start : DT_NOEND;
	}
	search.values = palloc((Size) MAX_DEPTH * search.n_parts *
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
