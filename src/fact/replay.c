/*
 * replay.c
 *		The card that a lead's whole log gives.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/timestamp.h"

#include "fact/baseline.h"
#include "fact/replay.h"
#include "fact/replay_rows.h"
#include "funnel/between_triggers.h"
#include "funnel/funnel.h"
#include "funnel/statement.h"
#include "type/scorecard.h"

/* The card that the log gives, which has just been read: SPI_tuptable. */
static LqCard *
replay(const LqFunnel *funnel, uint64 n, TimestampTz until)
{
	LqCard	   *card;
	SPITupleTable *rows;
	Datum		stored;
	bool		isnull;

	lq_replay_noted();
	rows = SPI_tuptable;
	stored = SPI_getbinval(rows->vals[0], rows->tupdesc, 2, &isnull);
	card = isnull ? lq_card_new(funnel->version, &funnel->limits) :
		lq_baseline_card(funnel, stored, false);
	if (until < card->as_of)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the score of the lead at that time is not known any more"),
				 errdetail("Its activities up to %s were archived.",
						   timestamptz_to_str(card->as_of)),
				 errhint("Ask for an instant from then on.")));
	lq_replay_rows(funnel, rows, n, until, card);
	SPI_freetuptable(rows);
	return card;
}

/*
 * The engagement that a lead's whole log gives, in time order, up to an
 * instant.  It begins with what archived activities gave.  Fit is not in it:
 * that is for the lead's own trigger.  The caller has connected to SPI and
 * entered the funnel.
 */
LqCard *
lq_replay(const LqFunnel *funnel, Datum key, TimestampTz until)
{
	uint64		n = lq_statement_run(funnel, LQ_STATEMENT_LOG, &key, NULL);

	return replay(funnel, n, until);
}

/* The same for a lead that the caller has locked, as it is by now. */
LqCard *
lq_replay_locked(const LqFunnel *funnel, Datum key)
{
	uint64		n = lq_statement_run_latest(funnel, LQ_STATEMENT_LOG, &key,
											NULL);

	return replay(funnel, n, DT_NOEND);
}
