/*
 * decay.h
 *		Half-life arithmetic on plain numbers: no server, no memory.
 */
#ifndef LQ_DECAY_H
#define LQ_DECAY_H

/* no rule counts for more than this many points, whatever its cap says */
#define LQ_EVAL_POINTS_MAX		1e9

/* uncapped points of one rule saturate here, so sums stay finite */
#define LQ_STORED_POINTS_MAX	1e18

/* every display and comparison sees points in hundredths */
#define LQ_HUNDREDTHS			INT64CONST(100)

/* no amount in hundredths is further from zero */
#define LQ_HUNDREDTHS_MAX		INT64CONST(4200000000000000000)

extern int64 lq_span(int64 later, int64 earlier);
extern double lq_decay(double points, int64 half_life, int64 span);
extern double lq_undecay(double points, int64 half_life, int64 span);
extern double lq_add_points(double a, double b);
extern double lq_capped(double points, double max_points);
extern int64 lq_hundredths(double points);
extern int64 lq_decay_horizon(double points, int64 half_life);

#endif							/* LQ_DECAY_H */
