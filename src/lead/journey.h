/*
 * journey.h
 *		The units of a lead, a row each, beside its history.
 */
#ifndef LQ_JOURNEY_H
#define LQ_JOURNEY_H

#include "lead/lead.h"
#include "lead/stage.h"

/* In which cycle does a lead that comes under this key begin? */
extern int32 lq_first_cycle(const LqFunnel *funnel, Datum key);

/* Write a move; the values are those of LQ_STATEMENT_BEGIN_UNIT. */
extern void lq_journey_move(const LqFunnel *funnel, const LqHop *hop,
							Datum *values, const char *nulls);

#endif							/* LQ_JOURNEY_H */
