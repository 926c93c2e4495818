/*
 * waiting.h
 *		What one trigger of a lead leaves for a later one.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_WAITING_H
#define LQ_WAITING_H

#include "funnel/funnel.h"

typedef enum LqWaitingFor
{
	LQ_WAITING_USED_UP,			/* used_up.c: what a move used up */
	LQ_WAITING_OTHER_PARTITION	/* partition.c: the row before an update that
								 * moves it to another partition */
} LqWaitingFor;

extern void lq_waiting_put(const LqFunnel *funnel, Datum key,
						   LqWaitingFor what, void *data);
extern bool lq_waiting_claim(const LqFunnel *funnel, Datum key,
							 LqWaitingFor what);
extern void *lq_waiting_take(const LqFunnel *funnel, Datum key,
							 LqWaitingFor what);
extern void *lq_waiting_take_claimed(const LqFunnel *funnel, Datum key,
									 LqWaitingFor what);

#endif							/* LQ_WAITING_H */
