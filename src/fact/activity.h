/*
 * activity.h
 *		What one activity is worth.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_ACTIVITY_H
#define LQ_ACTIVITY_H

#include "funnel/funnel.h"
#include "type/scorecard.h"

typedef struct LqActivity
{
	TimestampTz at;				/* when it counts */
	bool		planned;		/* nobody said yet that it took place */
	const LqKind *kind;			/* NULL: unknown */
	char	   *kind_name;
	int			n_hits;
	const LqRule **hits;		/* rules it satisfies */
} LqActivity;

extern bool lq_activity_planned(const LqKind *kind, TimestampTz occurred,
								TimestampTz recorded);
extern void lq_activity_read(const LqFunnel *funnel, TupleTableSlot *slot,
							 LqActivity *activity);

/* In time order: only so do frequency limits come out right. */
extern bool lq_activity_in_order(const LqActivity *activity,
								 const LqCard *card);
extern void lq_activity_apply(const LqActivity *activity, LqCard *card);

/* Take it back without the log; false, and the card as it was, if it cannot. */
extern bool lq_activity_take_back(const LqActivity *activity, LqCard *card);

/* baseline.c: the card that a replay begins with */
extern LqCard *lq_baseline_card(const LqFunnel *funnel, Datum stored,
								bool keep_all);

/* rescore.c: the card that a lead's whole log gives */
extern void lq_replay_rows(const LqFunnel *funnel, SPITupleTable *rows,
						   uint64 n, TimestampTz until, LqCard *card);
extern bool lq_replay_saw_statement(void);
extern LqCard *lq_replay(const LqFunnel *funnel, Datum key, TimestampTz until);
extern LqCard *lq_replay_locked(const LqFunnel *funnel, Datum key);
extern bool lq_rescore_lead(const LqFunnel *funnel, Datum key, int flags);

#endif							/* LQ_ACTIVITY_H */
