/*
 * replay.h
 *		The card that a lead's whole log gives.
 */
#ifndef LQ_REPLAY_H
#define LQ_REPLAY_H

#include "utils/timestamp.h"

#include "funnel/funnel.h"
#include "type/scorecard.h"

extern LqCard *lq_replay(const LqFunnel *funnel, Datum key, TimestampTz until);
extern LqCard *lq_replay_locked(const LqFunnel *funnel, Datum key);

#endif							/* LQ_REPLAY_H */
