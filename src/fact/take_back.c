/*
 * take_back.c
 *		Takes activities that are gone off a lead's card.
 *
 * What they gave is subtracted.  What a subtraction does not tell is looked
 * for in the log, from its end backwards and no further than need be: the last
 * hit of a rule whose last one went, the last thing that the lead did, and the
 * points of a rule of which too few digits are left.
 *
 * The whole log has to be read, in time order, where a rule with a frequency
 * limit is hit by what went: another hit takes its place.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "fact/baseline.h"
#include "fact/replay_rows.h"
#include "fact/take_back.h"
#include "funnel/between_triggers.h"
#include "funnel/policy.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "type/decay.h"
#include "type/scorecard_unhit.h"

/* rows of the log that are read at a time: few at first, then many */
#define FEW_ROWS	16
#define MANY_ROWS	4096

/* what has to be looked for of one rule */
typedef struct Wanted
{
	bool		hit;			/* something of it went */
	double		before;			/* its points until then */
	bool		last;			/* its last hit */
	bool		points;			/* its points */
	bool		found;			/* what is wanted of it */
} Wanted;

typedef struct TakeBack
{
	const LqFunnel *funnel;
	Datum		key;
	LqCard	   *card;
	Wanted	   *rules;			/* by their place in funnel->rules */
	bool		activity;		/* the last activity is wanted, too */
	bool		as_of;			/* the card may be of an earlier instant */
	LqCard	   *found;			/* what is wanted, as far as it was read */
	TimestampTz archived;		/* the instant of what was archived */
} TakeBack;

/* Subtract; what must be known then? */
static bool
subtract(TakeBack *this, const LqActivity *activity)
{
	LqCard	   *card = this->card;

	for (int i = 0; i < activity->n_hits; i++)
	{
		const LqRule *rule = activity->hits[i];
		Wanted	   *wanted = &this->rules[rule - this->funnel->rules];
		LqCardEntry *entry;

		if (!lq_card_can_unhit(card, &rule->card, activity->at))
			return false;
		entry = lq_card_entry(card, rule->card.rule_id);
		if (!wanted->hit)
			wanted->before = entry->points;
		wanted->hit = true;
		wanted->last |= activity->at == entry->last_hit;
		this->as_of |= activity->at == card->as_of;
		lq_card_unhit(card, &rule->card, activity->at);
	}
	if (activity->kind != NULL && activity->kind->of_lead &&
		activity->at >= card->last_activity)
		this->activity = true;
	return true;
}

/* Find out what is wanted; false if it takes the whole log. */
static bool
want(TakeBack *this)
{
	for (int i = 0; i < this->funnel->n_rules; i++)
	{
		const LqCardRule *rule = &this->funnel->rules[i].card;
		Wanted	   *wanted = &this->rules[i];
		const LqCardEntry *entry = lq_card_entry(this->card, rule->rule_id);

		if (entry == NULL || entry->axis != LQ_AXIS_ENGAGEMENT)
			wanted->last = false;	/* none of its hits is left */
		else if (wanted->hit)
			wanted->points = lq_card_lost_digits(this->card, rule,
												 wanted->before,
												 entry->points);
		else if (this->as_of && rule->points != 0 &&
				 !lq_card_can_go_back(entry))
		{
			if (entry->max_hits > 0)
				return false;
			wanted->points = true;
		}
	}
	return true;
}

static bool
is_wanted(const Wanted *wanted)
{
	return wanted->last || wanted->points;
}

/*
 * Is all found of a rule, where what has not been read yet counts at that
 * instant at the latest?  DT_NOBEGIN: all has been read.
 */
static bool
rule_is_found(const TakeBack *this, int i, TimestampTz rest)
{
	const LqCardRule *rule = &this->funnel->rules[i].card;
	const LqCardEntry *has = lq_card_entry(this->card, rule->rule_id);
	const LqCardEntry *found = lq_card_entry(this->found, rule->rule_id);
	double		points;

	if (found == NULL)
		return false;
	if (found->hits >= has->hits)
		return true;
	if (found->last_hit < rest || rest == DT_NOBEGIN)
		return false;
	if (!this->rules[i].points)
		return true;
	/* hits so long ago do not move the last digit any more */
	points = (double) (has->hits - found->hits) * rule->points;
	return rule->half_life > 0 &&
		fabs(lq_decay(points, rule->half_life,
					  lq_span(this->found->as_of, rest))) <
		fabs(found->points) * DBL_EPSILON / 2;
}

/*
 * Is all found?  If not, which kinds of activities have yet to be looked at:
 * an array, or none if it is all kinds.
 */
static bool
is_found(TakeBack *this, TimestampTz rest, Datum *kinds, bool *all_kinds)
{
	Datum	   *names = palloc((this->funnel->n_rules + 1) * sizeof(Datum));
	int			n = 0;

	*all_kinds = this->activity && this->found->last_activity < rest;
	for (int i = 0; i < this->funnel->n_rules; i++)
	{
		Wanted	   *wanted = &this->rules[i];
		const char *kind = this->funnel->rules[i].kind;

		if (!is_wanted(wanted) || wanted->found)
			continue;
		wanted->found = rule_is_found(this, i, rest);
		if (wanted->found)
			continue;
		if (strcmp(kind, "*") == 0)
			*all_kinds = true;
		names[n++] = CStringGetTextDatum(kind);
	}
	*kinds = PointerGetDatum(construct_array(names, n, TEXTOID, -1, false,
											 TYPALIGN_INT));
	return n == 0 && !*all_kinds;
}

/* Take from an activity what is wanted. */
static void
take(TakeBack *this, const LqActivity *activity)
{
	for (int i = 0; i < activity->n_hits; i++)
	{
		const LqRule *rule = activity->hits[i];
		const Wanted *wanted = &this->rules[rule - this->funnel->rules];

		if (is_wanted(wanted))
			(void) lq_card_hit(this->found, &rule->card, activity->at);
	}
	if (activity->kind != NULL && activity->kind->of_lead)
		lq_card_touch(this->found, activity->at);
}

/*
 * Read some rows of it.  The planner may take a long log for a short one, of
 * which it has no statistics yet, and sort it whole to give a few rows: it
 * must take the index that has their order.
 */
static uint64
read_rows(const LqFunnel *funnel, Datum *values, const char *nulls)
{
	int			level = NewGUCNestLevel();
	uint64		n;

	(void) set_config_option("enable_sort", "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	n = lq_statement_run_latest(funnel, LQ_STATEMENT_LOG_BACKWARDS, values,
								nulls);
	AtEOXact_GUC(true, level);
	return n;
}

/*
 * Read the log until all that is wanted is found.  No activity counts after it
 * occurred, so what is read in that order is known to be the last when the
 * rest occurred before.  False if the log does not hold what the card has.
 */
static bool
read_backwards(TakeBack *this)
{
	const LqFunnel *funnel = this->funnel;
	TimestampTz rest = DT_NOEND;
	bool		all_kinds;
	Datum		values[5];
	int			rows = FEW_ROWS;

	values[0] = this->key;
	values[1] = TimestampTzGetDatum(DT_NOEND);
	values[2] = Int64GetDatum(PG_INT64_MAX);
	while (!is_found(this, rest, &values[4], &all_kinds))
	{
		LqLogRows	scan;
		LqActivity	activity;
		SPITupleTable *read;
		uint64		n;

		if (rest == DT_NOBEGIN)
			return false;
		values[3] = Int32GetDatum(rows);
		n = read_rows(funnel, values, all_kinds ? "    n" : NULL);
		read = SPI_tuptable;
		lq_log_rows_begin(&scan, funnel, read, n);
		while (lq_log_rows_next(&scan, &activity))
		{
			bool		isnull;

			take(this, &activity);
			values[1] = slot_getattr(scan.slot,
									 funnel->attno[LQ_ACTIVITY_OCCURRED_AT],
									 &isnull);
			values[2] = slot_getattr(scan.slot,
									 funnel->attno[LQ_ACTIVITY_ACTIVITY_ID],
									 &isnull);
			rest = DatumGetTimestampTz(values[1]);
		}
		lq_log_rows_end(&scan);
		SPI_freetuptable(read);
		if (n < rows)
			rest = DT_NOBEGIN;
		rows = Min(rows * 4, MANY_ROWS);
	}
	return true;
}

/* Begin with what was archived. */
static void
read_baseline(TakeBack *this)
{
	const LqFunnel *funnel = this->funnel;
	bool		isnull;

	if (lq_statement_run_latest(funnel, LQ_STATEMENT_BASELINE, &this->key,
								NULL) > 0)
	{
		SPITupleTable *rows = SPI_tuptable;

		this->found = lq_baseline_card(funnel,
									   SPI_getbinval(rows->vals[0],
													 rows->tupdesc, 1,
													 &isnull), false);
		SPI_freetuptable(rows);
	}
	else
		this->found = lq_card_new(funnel->version, &funnel->limits);
	this->archived = this->found->as_of;
}

/* Put what was found into the card. */
static bool
settle(TakeBack *this)
{
	LqCard	   *card = this->card;

	if (this->activity)
		card->last_activity = this->found->last_activity;
	for (int i = 0; i < this->funnel->n_rules; i++)
		if (this->rules[i].last)
			lq_card_entry(card, this->funnel->rules[i].card.rule_id)->last_hit =
				lq_card_entry(this->found,
							  this->funnel->rules[i].card.rule_id)->last_hit;
	if (this->as_of)
	{
		TimestampTz as_of = this->archived;

		for (int i = 0; i < card->n_entries; i++)
			as_of = Max(as_of, card->entries[i].last_hit);
		if (as_of > card->as_of)
			return false;
		lq_card_go_back(card, as_of);
	}
	lq_card_advance(this->found, card->as_of);
	for (int i = 0; i < this->funnel->n_rules; i++)
	{
		int64		rule_id = this->funnel->rules[i].card.rule_id;

		if (!this->rules[i].points)
			continue;
		/* what another trigger has not counted yet may be in the log */
		if (this->found->as_of != card->as_of)
			return false;
		lq_card_entry(card, rule_id)->points =
			lq_card_entry(this->found, rule_id)->points;
	}
	return true;
}

bool
lq_take_back(const LqFunnel *funnel, Datum key, LqCard *card,
			 const LqActivity **gone, int n)
{
	TakeBack	this = {funnel, key, card};
	bool		wanted;

	this.rules = palloc0(Max(funnel->n_rules, 1) * sizeof(Wanted));
	for (int i = 0; i < n; i++)
		if (!subtract(&this, gone[i]))
			return false;
	if (!want(&this))
		return false;
	wanted = this.activity || this.as_of;
	for (int i = 0; i < funnel->n_rules && !wanted; i++)
		wanted = is_wanted(&this.rules[i]);
	if (!wanted)
		return true;

	lq_replay_noted();
	read_baseline(&this);
	return read_backwards(&this) && settle(&this);
}
