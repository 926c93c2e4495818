/*
 * key_stream.c
 *		Rows about leads, lead by lead, from several tables side by side.
 *
 * Each table is read by a cursor in the order of the keys, and no row is read
 * twice or kept for longer than its lead is looked at.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "funnel/key.h"
#include "funnel/key_stream.h"

/* rows that a cursor brings at a time */
#define FETCH_SIZE	1000

/* what receives rows from the executor */
typedef struct Receiver
{
	DestReceiver pub;
	LqKeyStream *stream;
} Receiver;

static Size
size_of(Datum value, Form_pg_attribute column)
{
	return MAXALIGN(datumGetSize(value, column->attbyval, column->attlen));
}

/* Keep a row: all of it is one piece of memory. */
static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	LqKeyStream *stream = ((Receiver *) self)->stream;
	TupleDesc	desc = slot->tts_tupleDescriptor;
	Size		size = MAXALIGN(desc->natts * (sizeof(Datum) + sizeof(bool)));
	LqStreamRow row;
	char	   *at;

	slot_getallattrs(slot);
	for (int i = 0; i < desc->natts; i++)
		if (!slot->tts_isnull[i] && !TupleDescAttr(desc, i)->attbyval)
			size += size_of(slot->tts_values[i], TupleDescAttr(desc, i));
	at = MemoryContextAlloc(stream->batch, size);
	row.values = (Datum *) at;
	row.nulls = (bool *) (row.values + desc->natts);
	at += MAXALIGN(desc->natts * (sizeof(Datum) + sizeof(bool)));
	memcpy(row.values, slot->tts_values, desc->natts * sizeof(Datum));
	memcpy(row.nulls, slot->tts_isnull, desc->natts * sizeof(bool));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		Datum		value = slot->tts_values[i];

		if (slot->tts_isnull[i] || column->attbyval)
			continue;
		memcpy(at, DatumGetPointer(value),
			   datumGetSize(value, false, column->attlen));
		row.values[i] = PointerGetDatum(at);
		at += size_of(value, column);
	}
	stream->brought[stream->n_brought++] = row;
	return true;
}

static void
start(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
stop(DestReceiver *self)
{
}

static void
bring(LqKeyStream *stream)
{
	Receiver	receiver = {{receive, start, stop, stop, DestNone}, stream};

	if (stream->batch != NULL)
		stream->spent = lappend(stream->spent, stream->batch);
	stream->batch = AllocSetContextCreate(stream->context, "lead_qual rows",
										  ALLOCSET_DEFAULT_SIZES);
	stream->brought = MemoryContextAlloc(stream->batch,
										 FETCH_SIZE * sizeof(LqStreamRow));
	stream->n_brought = 0;
	stream->next = 0;
	(void) PortalRunFetch(stream->portal, FETCH_FORWARD, FETCH_SIZE,
						  &receiver.pub);
}

void
lq_key_stream_open(LqKeyStream *stream, const LqFunnel *funnel,
				   LqStatement statement)
{
	MemoryContext caller = CurrentMemoryContext;

	memset(stream, 0, sizeof(LqKeyStream));
	stream->funnel = funnel;
	stream->portal = lq_statement_open(funnel, statement, NULL);
	MemoryContextSwitchTo(caller);
	stream->context = caller;
	stream->max_rows = 16;
	stream->rows = palloc(stream->max_rows * sizeof(LqStreamRow));
	bring(stream);
}

static bool
at_end(const LqKeyStream *stream)
{
	return stream->next == stream->n_brought;
}

static Datum
key_ahead(const LqKeyStream *stream)
{
	return stream->brought[stream->next].values[0];
}

static void
take(LqKeyStream *stream)
{
	if (stream->n_rows == stream->max_rows)
	{
		stream->max_rows *= 2;
		stream->rows = repalloc(stream->rows,
								stream->max_rows * sizeof(LqStreamRow));
	}
	stream->rows[stream->n_rows++] = stream->brought[stream->next++];
	if (at_end(stream))
		bring(stream);
}

static void
forget_rows(LqKeyStream *stream)
{
	ListCell   *cell;

	foreach(cell, stream->spent)
		MemoryContextDelete(lfirst(cell));
	list_free(stream->spent);
	stream->spent = NIL;
	stream->n_rows = 0;
}

bool
lq_key_streams_next(LqKeyStream *streams, int n, Datum *key)
{
	const LqFunnel *funnel = streams[0].funnel;
	bool		found = false;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < n; i++)
	{
		forget_rows(&streams[i]);
		if (!at_end(&streams[i]) &&
			(!found || lq_key_cmp(funnel, key_ahead(&streams[i]), *key) < 0))
		{
			*key = key_ahead(&streams[i]);
			found = true;
		}
	}
	for (int i = 0; found && i < n; i++)
		while (!at_end(&streams[i]) &&
			   lq_key_cmp(funnel, key_ahead(&streams[i]), *key) == 0)
			take(&streams[i]);
	return found;
}

void
lq_key_stream_close(LqKeyStream *stream)
{
	SPI_cursor_close(stream->portal);
}
