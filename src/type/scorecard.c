/*
 * scorecard.c
 *		The score of one lead: representation, change and evaluation.
 *
 * Forward decay: a card holds what every rule has earned as of one instant,
 * the latest hit that counted.  A hit after that moves the card forward, one
 * before it is decayed to the card's instant; so a card is the same whatever
 * the order in which its hits came (points to rounding), and its value later
 * on is arithmetic.  Caps and limits apply only when it is read, which keeps
 * addition commutative.  Frequency limits do depend on the order, and their
 * hits must be fed in time order: see lq_card_in_order().
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"

#include "compat.h"
#include "type/decay.h"
#include "type/scorecard.h"

#define FIRST_ROOM	8

/* Place of a rule's entry, or where it would go. */
static int
entry_place(const LqCard *card, int64 rule_id, bool *found)
{
	int			low = 0;
	int			high = card->n_entries;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (card->entries[middle].rule_id < rule_id)
			low = middle + 1;
		else
			high = middle;
	}
	*found = low < card->n_entries && card->entries[low].rule_id == rule_id;
	return low;
}

LqCardEntry *
lq_card_entry(const LqCard *card, int64 rule_id)
{
	bool		found;
	int			place = entry_place(card, rule_id, &found);

	return found ? &card->entries[place] : NULL;
}

/* Make room for that many entries, and some more.  Not for a view. */
void
lq_card_reserve(LqCard *card, int n)
{
	Assert(card->room > 0);
	if (n <= card->room)
		return;
	card->room = Max(n, card->room * 2);
	card->entries = repalloc(card->entries, card->room * sizeof(LqCardEntry));
}

/* Make room for a rule's entry and return it, empty but for its name. */
static LqCardEntry *
entry_insert(LqCard *card, int place, int64 rule_id)
{
	LqCardEntry *entry;

	if (card->n_entries >= LQ_CARD_MAX_ENTRIES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a scorecard cannot hold more than %d rules",
						LQ_CARD_MAX_ENTRIES)));

	lq_card_reserve(card, card->n_entries + 1);
	entry = &card->entries[place];
	memmove(entry + 1, entry,
			(card->n_entries - place) * sizeof(LqCardEntry));
	card->n_entries++;

	memset(entry, 0, sizeof(LqCardEntry));
	entry->rule_id = rule_id;
	entry->last_hit = DT_NOBEGIN;
	entry->window_start = DT_NOBEGIN;
	return entry;
}

/* An instant on a card is a real one: infinity has no place in decay. */
static void
require_finite(TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot score at an infinite instant")));
}

static void
set_limits(LqCard *card, const LqCardLimits *limits)
{
	if (limits != NULL)
	{
		card->limits = *limits;
		card->limits.floor += 0.0;	/* never -0 */
	}
	else
	{
		card->limits.max_fit = INFINITY;
		card->limits.max_engagement = INFINITY;
		card->limits.floor = -INFINITY;
	}
}

/*
 * Making and storing
 */

LqCard *
lq_card_new(int32 version, const LqCardLimits *limits)
{
	LqCard	   *card = palloc0(sizeof(LqCard));

	card->version = version;
	card->as_of = DT_NOBEGIN;
	card->last_activity = DT_NOBEGIN;
	card->room = FIRST_ROOM;
	card->entries = palloc(FIRST_ROOM * sizeof(LqCardEntry));
	set_limits(card, limits);
	return card;
}

/*
 * Look at a stored card in place.  The caller keeps the detoasted value for
 * as long as it uses the view, and must not change it.
 */
void
lq_card_view(LqCard *card, LqScorecard *stored)
{
	if (VARSIZE(stored) < LQ_CARD_SIZE(0) ||
		stored->format != LQ_CARD_FORMAT || stored->flags != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("unknown format of scorecard"),
				 errhint("It was written by a later version of lead_qual, or is damaged.")));
	if (stored->n_entries > LQ_CARD_MAX_ENTRIES ||
		VARSIZE(stored) != LQ_CARD_SIZE(stored->n_entries))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("damaged scorecard")));

	card->version = stored->version;
	card->limits.max_fit = stored->max_fit;
	card->limits.max_engagement = stored->max_engagement;
	card->limits.floor = stored->floor;
	card->as_of = stored->as_of;
	card->last_activity = stored->last_activity;
	card->n_entries = stored->n_entries;
	card->room = 0;
	card->entries = stored->entries;
}

LqCard *
lq_card_from_datum(Datum datum)
{
	LqScorecard *stored = DatumGetScorecardP(datum);
	LqCard	   *card = palloc(sizeof(LqCard));
	Size		size;

	lq_card_view(card, stored);
	size = card->n_entries * sizeof(LqCardEntry);
	card->room = card->n_entries + FIRST_ROOM;
	card->entries = palloc(card->room * sizeof(LqCardEntry));
	memcpy(card->entries, stored->entries, size);

	if ((Pointer) stored != DatumGetPointer(datum))
		pfree(stored);
	return card;
}

Datum
lq_card_to_datum(const LqCard *card)
{
	Size		size = LQ_CARD_SIZE(card->n_entries);
	LqScorecard *stored = palloc0(size);

	SET_VARSIZE(stored, size);
	stored->format = LQ_CARD_FORMAT;
	stored->n_entries = card->n_entries;
	stored->version = card->version;
	stored->as_of = card->as_of;
	stored->last_activity = card->last_activity;
	stored->max_fit = card->limits.max_fit;
	stored->max_engagement = card->limits.max_engagement;
	stored->floor = card->limits.floor + 0.0;	/* never -0 */
	memcpy(stored->entries, card->entries,
		   card->n_entries * sizeof(LqCardEntry));
	return PointerGetDatum(stored);
}

/*
 * Changing
 */

/* Move the card forward: everything that fades fades to the new instant. */
void
lq_card_advance(LqCard *card, TimestampTz at)
{
	if (at <= card->as_of)
		return;
	if (card->as_of != DT_NOBEGIN)
	{
		int64		span = lq_span(at, card->as_of);

		for (int i = 0; i < card->n_entries; i++)
		{
			LqCardEntry *entry = &card->entries[i];

			entry->points = lq_decay(entry->points, entry->half_life, span);
		}
	}
	card->as_of = at;
}

/*
 * Can the hit simply be added?  Without a frequency limit, always.  With one,
 * only if it is not earlier than the last that counted: then every hit that
 * was left out came after that in a window which is full anyway, and the
 * outcome is that of the log in time order.
 */
bool
lq_card_in_order(const LqCard *card, const LqCardRule *rule, TimestampTz at)
{
	const LqCardEntry *entry;

	entry = lq_card_entry(card, rule->rule_id);
	if (entry == NULL || (rule->max_hits == 0 && entry->max_hits == 0))
		return true;
	return at >= entry->last_hit;
}

/*
 * Bring an entry to what its rule says now.  What it earned under the rule as
 * it was stays, until the lead is rescored; on the other axis it starts anew.
 */
static void
entry_adopt(LqCardEntry *entry, const LqCardRule *rule)
{
	if (entry->axis != (uint8) rule->axis)
	{
		entry->hits = 0;
		entry->points = 0;
		entry->last_hit = DT_NOBEGIN;
		entry->window_start = DT_NOBEGIN;
		entry->window_hits = 0;
	}
	entry->axis = (uint8) rule->axis;
	entry->max_points = rule->max_points;
	if (rule->axis == LQ_AXIS_FIT)
	{
		entry->half_life = 0;
		entry->max_hits = 0;
	}
	else
	{
		entry->half_life = rule->half_life;
		entry->max_hits = rule->max_hits;
	}
	if (entry->max_hits == 0)
	{
		entry->per = 0;
		entry->window_start = DT_NOBEGIN;
		entry->window_hits = 0;
	}
	else
	{
		entry->per = rule->per;
		entry->window_hits = Min(entry->window_hits, entry->max_hits);
	}
}

/* Is the hit within the entry's open window? */
static bool
in_window(TimestampTz window_start, int64 per, TimestampTz at)
{
	if (window_start == DT_NOBEGIN)
		return false;
	return per == 0 || lq_span(at, window_start) < per;
}

/*
 * Count one hit.
 *
 * With a frequency limit, windows are tumbling: the first hit opens one that
 * lasts "per" (for life if that is 0), and the first hit after its end opens
 * the next.  A hit beyond max_hits in an open window earns nothing and leaves
 * the card as it is, as_of and last hit included.
 *
 * Fit has no instant: such a hit counts, and moves nothing in time.
 */
bool
lq_card_hit(LqCard *card, const LqCardRule *rule, TimestampTz at)
{
	bool		fit = rule->axis == LQ_AXIS_FIT;
	bool		found;
	int			place;
	LqCardEntry *entry;
	double		points = rule->points;

	require_finite(at);
	Assert(card->room > 0);

	place = entry_place(card, rule->rule_id, &found);
	if (found && !fit && rule->max_hits > 0)
	{
		entry = &card->entries[place];
		if (entry->axis == LQ_AXIS_ENGAGEMENT && entry->max_hits > 0 &&
			in_window(entry->window_start, rule->per, at) &&
			entry->window_hits >= rule->max_hits)
			return false;
	}

	if (!fit)
	{
		lq_card_advance(card, at);
		points = lq_decay(points, rule->half_life,
						  lq_span(card->as_of, at));
	}

	entry = found ? &card->entries[place] :
		entry_insert(card, place, rule->rule_id);
	entry_adopt(entry, rule);
	entry->points = lq_add_points(entry->points, points);
	if (entry->hits < PG_INT64_MAX)
		entry->hits++;

	if (entry->max_hits > 0)
	{
		if (in_window(entry->window_start, entry->per, at))
			entry->window_hits++;
		else
		{
			entry->window_start = at;
			entry->window_hits = 1;
		}
	}
	if (!fit && at > entry->last_hit)
		entry->last_hit = at;
	return true;
}

/* Replace all that the lead's own data earns. */
void
lq_card_set_fit(LqCard *card, const LqCardRule *rules, int n)
{
	int			kept = 0;

	for (int i = 0; i < card->n_entries; i++)
	{
		if (card->entries[i].axis != LQ_AXIS_FIT)
			card->entries[kept++] = card->entries[i];
	}
	card->n_entries = kept;

	for (int i = 0; i < n; i++)
	{
		const LqCardRule *rule = &rules[i];
		bool		found;
		int			place = entry_place(card, rule->rule_id, &found);
		LqCardEntry *entry;

		Assert(rule->axis == LQ_AXIS_FIT);
		entry = found ? &card->entries[place] :
			entry_insert(card, place, rule->rule_id);
		entry_adopt(entry, rule);
		entry->hits = 1;
		entry->points = rule->points + 0.0;
	}
}

/*
 * Add an entry of another card that is as of the same instant, under a rule
 * (NULL: as it is).  What it earned stays; from here on it fades and counts as
 * the rule says.  Of two open windows, the later goes on.
 */
void
lq_card_absorb(LqCard *card, const LqCardEntry *entry, const LqCardRule *rule)
{
	int64		rule_id = rule == NULL ? entry->rule_id : rule->rule_id;
	bool		found;
	int			place = entry_place(card, rule_id, &found);
	LqCardEntry *to;

	Assert(card->room > 0);
	if (!found)
	{
		to = entry_insert(card, place, rule_id);
		*to = *entry;
		to->rule_id = rule_id;
		if (rule != NULL)
			entry_adopt(to, rule);
		return;
	}
	to = &card->entries[place];
	to->points = lq_add_points(to->points, entry->points);
	if (pg_add_s64_overflow(to->hits, entry->hits, &to->hits))
		to->hits = PG_INT64_MAX;
	if (to->max_hits > 0 && entry->window_start != DT_NOBEGIN)
	{
		TimestampTz earlier = Min(to->window_start, entry->window_start);
		TimestampTz later = Max(to->window_start, entry->window_start);

		if (in_window(earlier, to->per, later))
			to->window_hits = Min(to->max_hits,
								  to->window_hits + entry->window_hits);
		else if (later == entry->window_start)
			to->window_hits = Min(to->max_hits, entry->window_hits);
		to->window_start = later;
	}
	to->last_hit = Max(to->last_hit, entry->last_hit);
}

/* The lead did something, scored or not. */
void
lq_card_touch(LqCard *card, TimestampTz activity_at)
{
	require_finite(activity_at);
	if (activity_at > card->last_activity)
		card->last_activity = activity_at;
}

/*
 * Reading
 */

double
lq_card_entry_real(const LqCard *card, const LqCardEntry *entry,
				   TimestampTz at)
{
	double		points = entry->points;

	if (entry->half_life > 0 && at > card->as_of)
		points = at == DT_NOEND ? 0.0 :
			lq_decay(points, entry->half_life, lq_span(at, card->as_of));
	return lq_capped(points, entry->max_points);
}

int64
lq_card_entry_points(const LqCard *card, const LqCardEntry *entry,
					 TimestampTz at)
{
	return lq_hundredths(lq_card_entry_real(card, entry, at));
}

/* All that the rules of an axis give, not rounded, before its limit. */
static double
axis_real(const LqCard *card, LqAxis axis, TimestampTz at)
{
	double		sum = 0;

	for (int i = 0; i < card->n_entries; i++)
	{
		if (card->entries[i].axis == (uint8) axis)
			sum += lq_card_entry_real(card, &card->entries[i], at);
	}
	return sum;
}

static double
fit_real(const LqCard *card, TimestampTz at)
{
	return Min(axis_real(card, LQ_AXIS_FIT, at), card->limits.max_fit);
}

static double
engagement_real(const LqCard *card, TimestampTz at)
{
	return Min(axis_real(card, LQ_AXIS_ENGAGEMENT, at),
			   card->limits.max_engagement);
}

int64
lq_card_fit(const LqCard *card, TimestampTz at)
{
	return lq_hundredths(fit_real(card, at));
}

int64
lq_card_engagement(const LqCard *card, TimestampTz at)
{
	return lq_hundredths(engagement_real(card, at));
}

int64
lq_card_score(const LqCard *card, TimestampTz at)
{
	double		sum = fit_real(card, at) + engagement_real(card, at);

	return lq_hundredths(Max(sum, card->limits.floor));
}

void
lq_card_parts(const LqCard *card, TimestampTz at, LqCardParts *parts)
{
	double		fit = fit_real(card, at);
	double		engagement = engagement_real(card, at);

	parts->max_fit =
		lq_hundredths(fit - axis_real(card, LQ_AXIS_FIT, at));
	parts->max_engagement =
		lq_hundredths(engagement - axis_real(card, LQ_AXIS_ENGAGEMENT, at));
	parts->floor =
		lq_hundredths(Max(card->limits.floor - fit - engagement, 0));
	parts->rounding = lq_card_score(card, at) - parts->max_fit -
		parts->max_engagement - parts->floor;
	for (int i = 0; i < card->n_entries; i++)
		parts->rounding -= lq_card_entry_points(card, &card->entries[i], at);
}

int64
lq_card_rule_points(const LqCard *card, int64 rule_id, TimestampTz at)
{
	const LqCardEntry *entry = lq_card_entry(card, rule_id);

	return entry ? lq_card_entry_points(card, entry, at) : 0;
}

int64
lq_card_rule_hits(const LqCard *card, int64 rule_id)
{
	const LqCardEntry *entry = lq_card_entry(card, rule_id);

	return entry ? entry->hits : 0;
}

/* DT_NOBEGIN if there was none. */
TimestampTz
lq_card_rule_last(const LqCard *card, int64 rule_id)
{
	const LqCardEntry *entry = lq_card_entry(card, rule_id);

	return entry ? entry->last_hit : DT_NOBEGIN;
}
