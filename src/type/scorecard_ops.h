/*
 * scorecard_ops.h
 *		An interval as a card counts it.
 */
#ifndef LQ_SCORECARD_OPS_H
#define LQ_SCORECARD_OPS_H

#include "datatype/timestamp.h"

extern int64 lq_interval_usecs(const Interval *interval, const char *what);

#endif							/* LQ_SCORECARD_OPS_H */
