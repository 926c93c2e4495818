/*
 * replay_rows.c
 *		Applies the rows of a log to a card.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "fact/activity.h"
#include "fact/replay_rows.h"
#include "funnel/funnel.h"
#include "funnel/row.h"
#include "type/scorecard.h"

void
lq_log_rows_begin(LqLogRows *scan, const LqFunnel *funnel,
				  SPITupleTable *rows, uint64 n)
{
	scan->funnel = funnel;
	scan->rows = rows;
	scan->stream_rows = NULL;
	scan->n = n;
	scan->next = 0;
	scan->context = AllocSetContextCreate(CurrentMemoryContext,
										  "lead_qual activity",
										  ALLOCSET_DEFAULT_SIZES);
	scan->slot = NULL;
}

/* The row of the next activity; NULL: that of an empty log. */
static HeapTupleHeader
next_row(LqLogRows *scan)
{
	uint64		i = scan->next++;
	bool		isnull;
	Datum		row;

	if (scan->rows == NULL)
		return DatumGetHeapTupleHeader(scan->stream_rows[i].values[1]);
	row = SPI_getbinval(scan->rows->vals[i], scan->rows->tupdesc, 1, &isnull);
	return isnull ? NULL : DatumGetHeapTupleHeader(row);
}

/* The next one, weighed; it lasts until the one after it. */
bool
lq_log_rows_next(LqLogRows *scan, LqActivity *activity)
{
	while (scan->next < scan->n)
	{
		MemoryContext old;
		HeapTupleHeader row = next_row(scan);

		CHECK_FOR_INTERRUPTS();
		if (row == NULL)
			continue;
		if (scan->slot == NULL)
			scan->slot = MakeSingleTupleTableSlot(scan->funnel->activity_desc,
												  &TTSOpsHeapTuple);
		ExecClearTuple(scan->slot);
		MemoryContextReset(scan->context);
		scan->tuple = lq_tuple_of_row(row);
		ExecStoreHeapTuple(&scan->tuple, scan->slot, false);

		old = MemoryContextSwitchTo(scan->context);
		lq_activity_read(scan->funnel, scan->slot, activity);
		MemoryContextSwitchTo(old);
		return true;
	}
	return false;
}

void
lq_log_rows_end(LqLogRows *scan)
{
	if (scan->slot != NULL)
		ExecDropSingleTupleTableSlot(scan->slot);
	MemoryContextDelete(scan->context);
}

static void
apply(LqLogRows *scan, TimestampTz until, LqCard *card)
{
	LqActivity	activity;

	while (lq_log_rows_next(scan, &activity))
		if (activity.at <= until)
			lq_activity_apply(&activity, card);
	lq_log_rows_end(scan);
}

void
lq_replay_rows(const LqFunnel *funnel, SPITupleTable *rows, uint64 n,
			   TimestampTz until, LqCard *card)
{
	LqLogRows	scan;

	lq_log_rows_begin(&scan, funnel, rows, n);
	apply(&scan, until, card);
}

void
lq_replay_stream(const LqFunnel *funnel, const LqKeyStream *log, LqCard *card)
{
	LqLogRows	scan;

	lq_log_rows_begin(&scan, funnel, NULL, log->n_rows);
	scan.stream_rows = log->rows;
	apply(&scan, DT_NOEND, card);
}
