/*
 * scorecard.h
 *		The score of one lead: what it earned, by rule, as of one instant.
 *
 * The layout of LqScorecard and LqCardEntry is what lies on disk, for ever:
 * pg_upgrade carries the bytes over.  A change needs a new format number, and
 * the old one stays readable.
 */
#ifndef LQ_SCORECARD_H
#define LQ_SCORECARD_H

#include "datatype/timestamp.h"
#include "fmgr.h"

#define LQ_CARD_FORMAT			1

/* keeps every sum of hundredths within an int64 */
#define LQ_CARD_MAX_ENTRIES		4096

typedef enum LqAxis
{
	LQ_AXIS_FIT = 0,			/* who the lead is */
	LQ_AXIS_ENGAGEMENT = 1		/* what the lead does */
} LqAxis;

/*
 * What one rule gave.  No byte of it is padding.
 *
 * A fit entry never fades, has no last hit and no frequency limit.
 */
typedef struct LqCardEntry
{
	int64		rule_id;
	int64		hits;			/* those that counted; 1 or more */
	TimestampTz last_hit;		/* DT_NOBEGIN for fit */
	double		points;			/* uncapped, as of the card's instant */
	int64		half_life;		/* microseconds; 0 = never fades */
	double		max_points;		/* cap on either side of zero; infinity none */
	int64		per;			/* window of max_hits, us; 0 = for life */
	TimestampTz window_start;	/* hit that opened it; DT_NOBEGIN none */
	int32		max_hits;		/* 0 = unlimited */
	int32		window_hits;	/* counted in the open window */
	uint8		axis;			/* LqAxis */
	uint8		zero[7];
} LqCardEntry;

/* the stored value */
typedef struct LqScorecard
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	uint8		format;			/* LQ_CARD_FORMAT */
	uint8		flags;			/* none defined: zero */
	uint16		n_entries;
	int32		version;		/* of the definition it was scored under */
	int32		zero;
	TimestampTz as_of;			/* latest hit that counted; DT_NOBEGIN none */
	TimestampTz last_activity;	/* latest thing done; DT_NOBEGIN none */
	double		max_fit;		/* positive; infinity = none */
	double		max_engagement; /* positive; infinity = none */
	double		floor;			/* -infinity = none */
	LqCardEntry entries[FLEXIBLE_ARRAY_MEMBER]; /* by rule_id */
} LqScorecard;

#define LQ_CARD_SIZE(n) \
	(offsetof(LqScorecard, entries) + (Size) (n) * sizeof(LqCardEntry))

#define DatumGetScorecardP(x)	((LqScorecard *) PG_DETOAST_DATUM(x))
#define PG_GETARG_SCORECARD_P(n)	DatumGetScorecardP(PG_GETARG_DATUM(n))

/* a scoring rule, as far as a card needs to know it */
typedef struct LqCardRule
{
	int64		rule_id;
	LqAxis		axis;
	double		points;			/* of one hit */
	int64		half_life;		/* microseconds; 0 = never fades */
	double		max_points;		/* infinity = none */
	int32		max_hits;		/* 0 = unlimited */
	int64		per;			/* microseconds; 0 = for life */
} LqCardRule;

typedef struct LqCardLimits
{
	double		max_fit;		/* infinity = none */
	double		max_engagement; /* infinity = none */
	double		floor;			/* -infinity = none */
} LqCardLimits;

/* a card at work */
typedef struct LqCard
{
	int32		version;
	LqCardLimits limits;
	TimestampTz as_of;
	TimestampTz last_activity;
	int			n_entries;
	int			room;			/* entries there is space for; 0 = a view */
	LqCardEntry *entries;		/* by rule_id */
} LqCard;

/*
 * Making and storing.  limits may be NULL for none.  A view points into the
 * datum and must not be changed; lq_card_from_datum() gives a copy.
 */
extern LqCard *lq_card_new(int32 version, const LqCardLimits *limits);
extern LqCard *lq_card_from_datum(Datum datum);
extern void lq_card_view(LqCard *card, LqScorecard *stored);
extern Datum lq_card_to_datum(const LqCard *card);

/*
 * Changing.  lq_card_hit() tells whether the hit counted (a frequency limit
 * may leave it out, and then nothing at all changes).  Instants must be finite.
 */
extern bool lq_card_in_order(const LqCard *card, const LqCardRule *rule,
							 TimestampTz at);
extern bool lq_card_hit(LqCard *card, const LqCardRule *rule, TimestampTz at);
extern void lq_card_set_fit(LqCard *card, const LqCardRule *rules, int n);
extern void lq_card_touch(LqCard *card, TimestampTz activity_at);
extern void lq_card_absorb(LqCard *card, const LqCardEntry *entry,
						   const LqCardRule *rule);
extern void lq_card_reserve(LqCard *card, int n);
extern void lq_card_advance(LqCard *card, TimestampTz at);

/* The rule's entry, or NULL; of a view it must not be changed. */
extern LqCardEntry *lq_card_entry(const LqCard *card, int64 rule_id);

/*
 * Reading, in hundredths.  An instant before card->as_of counts as as_of.
 */
extern int64 lq_card_score(const LqCard *card, TimestampTz at);
extern int64 lq_card_fit(const LqCard *card, TimestampTz at);
extern int64 lq_card_engagement(const LqCard *card, TimestampTz at);
extern int64 lq_card_rule_points(const LqCard *card, int64 rule_id,
								 TimestampTz at);
extern int64 lq_card_rule_hits(const LqCard *card, int64 rule_id);
extern TimestampTz lq_card_rule_last(const LqCard *card, int64 rule_id);
extern int64 lq_card_entry_points(const LqCard *card,
								  const LqCardEntry *entry, TimestampTz at);
extern double lq_card_entry_real(const LqCard *card, const LqCardEntry *entry,
								 TimestampTz at);

/*
 * What makes a score of the points of its rules: all of these and the
 * entries' points add up to it, each rounded by itself.
 */
typedef struct LqCardParts
{
	int64		max_fit;		/* what the limit takes: zero or less */
	int64		max_engagement;
	int64		floor;			/* what the floor gives: zero or more */
	int64		rounding;		/* what rounding each part left out or put in */
} LqCardParts;

extern void lq_card_parts(const LqCard *card, TimestampTz at,
						  LqCardParts *parts);

#endif							/* LQ_SCORECARD_H */
