/*
 * scorecard_check.c
 *		What makes a scorecard sound, for every entrance alike.
 */
#include "postgres.h"

#include <math.h>

#include "utils/timestamp.h"

#include "type/decay.h"
#include "type/scorecard.h"
#include "type/scorecard_check.h"

static bool
instant_or_none(TimestampTz instant)
{
	return instant == DT_NOBEGIN || IS_VALID_TIMESTAMP(instant);
}

/* What is wrong with a card apart from its entries; NULL if nothing. */
const char *
lq_card_check_head(const LqCard *card)
{
	if (card->version < 0)
		return "The version is negative.";
	if (!instant_or_none(card->as_of))
		return "The instant it is as of is out of range.";
	if (!instant_or_none(card->last_activity))
		return "The instant of the last activity is out of range.";
	if (isnan(card->limits.max_fit) || card->limits.max_fit <= 0)
		return "The limit of fit is not positive.";
	if (isnan(card->limits.max_engagement) ||
		card->limits.max_engagement <= 0)
		return "The limit of engagement is not positive.";
	if (isnan(card->limits.floor) || card->limits.floor == INFINITY)
		return "The floor is not a number.";
	return NULL;
}

static const char *
check_window(const LqCardEntry *entry)
{
	if (entry->max_hits < 0)
		return "The frequency limit is negative.";
	if (entry->per < 0)
		return "The window of the frequency limit is negative.";
	if (entry->max_hits == 0)
	{
		if (entry->per != 0 || entry->window_hits != 0 ||
			entry->window_start != DT_NOBEGIN)
			return "There is a window without a frequency limit.";
		return NULL;
	}
	if (entry->window_hits < 1 || entry->window_hits > entry->max_hits ||
		entry->window_hits > entry->hits)
		return "The number of hits in the window is out of range.";
	if (!IS_VALID_TIMESTAMP(entry->window_start) ||
		entry->window_start > entry->last_hit)
		return "The start of the window is out of range.";
	return NULL;
}

/* What is wrong with an entry of a card; NULL if nothing. */
const char *
lq_card_check_entry(const LqCard *card, const LqCardEntry *entry)
{
	if (entry->axis != LQ_AXIS_FIT && entry->axis != LQ_AXIS_ENGAGEMENT)
		return "The axis is unknown.";
	if (entry->hits < 1)
		return "The number of hits is not positive.";
	if (isnan(entry->points) || fabs(entry->points) > LQ_STORED_POINTS_MAX)
		return "The points are out of range.";
	if (isnan(entry->max_points) || entry->max_points <= 0)
		return "The cap is not positive.";
	if (entry->half_life < 0)
		return "The half-life is negative.";
	if (entry->axis == LQ_AXIS_FIT)
	{
		if (entry->half_life != 0 || entry->max_hits != 0)
			return "Fit neither fades nor has a frequency limit.";
		if (entry->last_hit != DT_NOBEGIN)
			return "Fit has no last hit.";
	}
	else if (!IS_VALID_TIMESTAMP(entry->last_hit) ||
			 entry->last_hit > card->as_of)
		return "The last hit is missing, or after the instant the card is as of.";
	return check_window(entry);
}
