/*
 * replay_rows.c
 *		Applies the rows of a log to a card.
 *
 * Copyright (c) 2026, lead_qual contributors
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

/*
 * Apply activities, the first column of rows in time order, to a card.
 */
void
lq_replay_rows(const LqFunnel *funnel, SPITupleTable *rows, uint64 n,
			   TimestampTz until, LqCard *card)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "lead_qual activity",
													  ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot = NULL;

	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext old;
		HeapTupleHeader header;
		HeapTupleData tuple;
		LqActivity	activity;
		bool		isnull;
		Datum		row = SPI_getbinval(rows->vals[i], rows->tupdesc, 1,
										&isnull);

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			continue;			/* the one row of an empty log */
		header = DatumGetHeapTupleHeader(row);
		if (slot == NULL)
			slot = MakeSingleTupleTableSlot(funnel->activity_desc,
											&TTSOpsHeapTuple);
		tuple = lq_tuple_of_row(header);
		ExecStoreHeapTuple(&tuple, slot, false);

		old = MemoryContextSwitchTo(row_context);
		lq_activity_read(funnel, slot, &activity);
		MemoryContextSwitchTo(old);
		if (activity.at <= until)
			lq_activity_apply(&activity, card);
		ExecClearTuple(slot);
		MemoryContextReset(row_context);
	}
	if (slot != NULL)
		ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(row_context);
}
