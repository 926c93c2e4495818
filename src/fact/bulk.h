/*
 * bulk.h
 *		Many leads, one after the other.
 */
#ifndef LQ_BULK_H
#define LQ_BULK_H

#include "funnel/funnel.h"
#include "funnel/statement.h"
#include "subtransaction.h"

/* What is done with some leads; returns how many more it takes. */
typedef int64 (*LqBulkWork) (void *arg, Datum *keys, int n);

#define LQ_BULK_ALL		PG_INT64_MAX

/*
 * Do that with the leads that a statement finds, at most so many at first.
 */
extern void lq_bulk(const LqFunnel *funnel, LqStatement statement,
					Datum *values, int64 most, LqBulkWork work, void *arg);
extern void lq_bulk_warn(const LqFunnel *funnel, Datum key, const char *done,
						 const LqFailure *failure);

#endif							/* LQ_BULK_H */
