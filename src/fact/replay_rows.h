/*
 * replay_rows.h
 *		Applies the rows of a log to a card.
 */
#ifndef LQ_REPLAY_ROWS_H
#define LQ_REPLAY_ROWS_H

#include "executor/spi.h"
#include "utils/timestamp.h"

#include "fact/activity.h"
#include "funnel/funnel.h"
#include "funnel/key_stream.h"
#include "type/scorecard.h"

/*
 * a walk over activities, the first column of rows that a statement gave, or
 * the second of those that a stream did
 */
typedef struct LqLogRows
{
	const LqFunnel *funnel;
	SPITupleTable *rows;		/* NULL: of a stream */
	const LqStreamRow *stream_rows;
	uint64		n;
	uint64		next;
	MemoryContext context;		/* of the activity at hand */
	TupleTableSlot *slot;		/* its row */
	HeapTupleData tuple;
} LqLogRows;

extern void lq_log_rows_begin(LqLogRows *scan, const LqFunnel *funnel,
							  SPITupleTable *rows, uint64 n);
extern bool lq_log_rows_next(LqLogRows *scan, LqActivity *activity);
extern void lq_log_rows_end(LqLogRows *scan);

/* Apply activities in time order to a card. */
extern void lq_replay_rows(const LqFunnel *funnel, SPITupleTable *rows,
						   uint64 n, TimestampTz until, LqCard *card);
extern void lq_replay_stream(const LqFunnel *funnel, const LqKeyStream *log,
							 LqCard *card);

#endif							/* LQ_REPLAY_ROWS_H */
