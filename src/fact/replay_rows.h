/*
 * replay_rows.h
 *		Applies the rows of a log to a card.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_REPLAY_ROWS_H
#define LQ_REPLAY_ROWS_H

#include "executor/spi.h"
#include "utils/timestamp.h"

#include "funnel/funnel.h"
#include "type/scorecard.h"

extern void lq_replay_rows(const LqFunnel *funnel, SPITupleTable *rows,
						   uint64 n, TimestampTz until, LqCard *card);

#endif							/* LQ_REPLAY_ROWS_H */
