/*
 * statement.h
 *		The SQL statements that the C code runs over a funnel's tables.
 */
#ifndef LQ_STATEMENT_H
#define LQ_STATEMENT_H

#include "executor/spi.h"

#include "funnel/statement_text.h"
#include "funnel/tables.h"

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
