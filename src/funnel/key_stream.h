/*
 * key_stream.h
 *		Rows about leads, lead by lead, from several tables side by side.
 */
#ifndef LQ_KEY_STREAM_H
#define LQ_KEY_STREAM_H

#include "access/htup.h"
#include "utils/portal.h"

#include "funnel/funnel.h"
#include "funnel/statement.h"

/* a row: what each column has */
typedef struct LqStreamRow
{
	Datum	   *values;
	bool	   *nulls;
} LqStreamRow;

typedef struct LqKeyStream
{
	const LqFunnel *funnel;
	Portal		portal;
	MemoryContext context;
	MemoryContext batch;		/* of the rows that were brought last */
	LqStreamRow *brought;
	int			n_brought;
	int			next;			/* of them; at the end there is none */
	List	   *spent;			/* batches before it that the lead's rows are
								 * in */
	LqStreamRow *rows;			/* of the lead at hand */
	int			n_rows;
	int			max_rows;
} LqKeyStream;

/* Open one over a statement that gives the key first, and sorts by it. */
extern void lq_key_stream_open(LqKeyStream *stream, const LqFunnel *funnel,
							   LqStatement statement);

/*
 * Take the rows of the first lead that any of the streams has next; false if
 * there is none.  They last until the next call.
 */
extern bool lq_key_streams_next(LqKeyStream *streams, int n, Datum *key);

extern void lq_key_stream_close(LqKeyStream *stream);

#endif							/* LQ_KEY_STREAM_H */
