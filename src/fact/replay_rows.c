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
	scan->n = n;
	scan->next = 0;
	scan->context = AllocSetContextCreate(CurrentMemoryContext,
										  "lead_qual activity",
										  ALLOCSET_DEFAULT_SIZES);
	scan->slot = NULL;
}

/* The next one, weighed; it lasts until the one after it. */
bool
lq_log_rows_next(LqLogRows *scan, LqActivity *activity)
{
	while (scan->next < scan->n)
	{
		MemoryContext old;
		bool		isnull;
		Datum		row = SPI_getbinval(scan->rows->vals[scan->next++],
										scan->rows->tupdesc, 1, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			continue;			/* the one row of an empty log */
		if (scan->slot == NULL)
			scan->slot = MakeSingleTupleTableSlot(scan->funnel->activity_desc,
												  &TTSOpsHeapTuple);
		ExecClearTuple(scan->slot);
		MemoryContextReset(scan->context);
		scan->tuple = lq_tuple_of_row(DatumGetHeapTupleHeader(row));
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

void
lq_replay_rows(const LqFunnel *funnel, SPITupleTable *rows, uint64 n,
			   TimestampTz until, LqCard *card)
{
	LqLogRows	scan;
	LqActivity	activity;

	lq_log_rows_begin(&scan, funnel, rows, n);
	while (lq_log_rows_next(&scan, &activity))
		if (activity.at <= until)
			lq_activity_apply(&activity, card);
	lq_log_rows_end(&scan);
}
