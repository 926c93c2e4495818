/*
 * bulk.c
 *		Many leads, one after the other.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "clip.h"
#include "fact/bulk.h"
#include "funnel/funnel.h"
#include "funnel/key.h"
#include "funnel/statement.h"
#include "subtransaction.h"

/* leads that a cursor brings at a time */
#define FETCH_SIZE	1000

/*
 * The next keys that a cursor brings, in the current memory context and in
 * the order in which every statement takes its leads.
 */
static int
fetch(const LqFunnel *funnel, Portal portal, int64 most, Datum **keys)
{
	MemoryContext caller = CurrentMemoryContext;
	SPITupleTable *rows;
	int			n;

	SPI_cursor_fetch(portal, true, Min(most, FETCH_SIZE));
	MemoryContextSwitchTo(caller);
	n = SPI_processed;
	rows = SPI_tuptable;
	*keys = palloc(Max(n, 1) * sizeof(Datum));
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		key = SPI_getbinval(rows->vals[i], rows->tupdesc, 1,
										&isnull);

		(*keys)[i] = datumCopy(key, funnel->key_typbyval, funnel->key_typlen);
	}
	SPI_freetuptable(rows);
	qsort_arg(*keys, n, sizeof(Datum), lq_key_compare,
			  unconstify(LqFunnel *, funnel));
	return n;
}

/*
 * The keys lie in memory that is current while they are worked on, and is
 * reset then.
 */
void
lq_bulk(const LqFunnel *funnel, LqStatement statement, Datum *values,
		int64 most, LqBulkWork work, void *arg)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "lead_qual leads",
												  ALLOCSET_DEFAULT_SIZES);
	Portal		portal = lq_statement_open(funnel, statement, values);
	int			n;

	do
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		Datum	   *keys;

		n = fetch(funnel, portal, most, &keys);
		most = work(arg, keys, n);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	} while (n > 0 && most > 0);
	MemoryContextDelete(context);
	SPI_cursor_close(portal);
}

/* One lead failed, the others go on. */
void
lq_bulk_warn(const LqFunnel *funnel, Datum key, const char *done,
			 const LqFailure *failure)
{
	ereport(WARNING,
			(errcode(failure->sqlerrcode),
			 errmsg("lead %s of funnel \"%s\" could not be %s",
					lq_clip(lq_key_text(funnel, key)), funnel->name, done),
			 errdetail_internal("%s", failure->message)));
}
