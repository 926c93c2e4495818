/*
 * scorecard_explain.h
 *		Points as SQL shows them.
 */
#ifndef LQ_SCORECARD_EXPLAIN_H
#define LQ_SCORECARD_EXPLAIN_H

extern Datum lq_points_to_numeric(int64 hundredths);

#endif							/* LQ_SCORECARD_EXPLAIN_H */
