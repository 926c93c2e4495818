/*
 * statement.h
 *		The SQL statements that the C code runs over a funnel's tables.
 */
#ifndef LQ_STATEMENT_H
#define LQ_STATEMENT_H

#include "executor/spi.h"

#include "funnel/tables.h"

typedef enum LqStatement
{
	LQ_STATEMENT_LOCK_LEAD,
	LQ_STATEMENT_LOCK_LEADS,
	LQ_STATEMENT_LEAD_EXISTS,
	LQ_STATEMENT_NAMED,
	LQ_STATEMENT_LEAD,
	LQ_STATEMENT_SET_CARD,
	LQ_STATEMENT_SET_CARD_AND_SOURCE,
	LQ_STATEMENT_SET_ANSWERS,
	LQ_STATEMENT_SET_DEALS,
	LQ_STATEMENT_REVIEW,
	LQ_STATEMENT_LOG,
	LQ_STATEMENT_LOG_BACKWARDS,
	LQ_STATEMENT_BASELINE,
	LQ_STATEMENT_OLD_LEADS,
	LQ_STATEMENT_TAKE_OLD,
	LQ_STATEMENT_SET_BASELINE,
	LQ_STATEMENT_RULE_NAME,
	LQ_STATEMENT_LATEST_ANSWER,
	LQ_STATEMENT_OTHER_ANSWERS,
	LQ_STATEMENT_ADD_ANSWER,
	LQ_STATEMENT_EXPIRE_ANSWERS,
	LQ_STATEMENT_ADD_HISTORY,
	LQ_STATEMENT_ACCOUNT,
	LQ_STATEMENT_ACCOUNT_LEADS,
	LQ_STATEMENT_ACCOUNT_ANSWERS,
	LQ_STATEMENT_LOCK_DEALS,
	LQ_STATEMENT_DEAL_LEADS,
	LQ_STATEMENT_DEALS,
	LQ_STATEMENT_KEYS,
	LQ_STATEMENT_DUE,
	LQ_STATEMENT_CLAIM_DUE,
	LQ_STATEMENT_STALE,
	LQ_STATEMENT_CLAIM_STALE,
	LQ_STATEMENT_PUT_LAST,
	LQ_STATEMENT_RAISE_VERSION,
	LQ_STATEMENT_BOUND,
	LQ_STATEMENT_SIGNERS,
	LQ_STATEMENT_FORGET
#define LQ_N_STATEMENTS (LQ_STATEMENT_FORGET + 1)
} LqStatement;

struct LqFunnel;

/* Run a statement over a funnel's tables; returns the number of rows. */
extern uint64 lq_statement_run(const struct LqFunnel *funnel,
							   LqStatement statement,
							   Datum *values, const char *nulls);

/*
 * The same over facts of a lead that the caller has locked: what is committed
 * by now, whatever snapshot the transaction has.
 */
extern uint64 lq_statement_run_latest(const struct LqFunnel *funnel,
									  LqStatement statement,
									  Datum *values, const char *nulls);

/* A value of a row that a statement gave, by the name of its column. */
extern Datum lq_statement_get(const SPITupleTable *rows, uint64 row,
							  LqColumn column, bool *isnull);

/* Open a cursor over a statement. */
extern Portal lq_statement_open(const struct LqFunnel *funnel,
								LqStatement statement, Datum *values);

#endif							/* LQ_STATEMENT_H */
