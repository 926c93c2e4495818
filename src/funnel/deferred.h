/*
 * deferred.h
 *		Triggers that would run after our code has stopped acting as the owner.
 */
#ifndef LQ_DEFERRED_H
#define LQ_DEFERRED_H

#include "funnel/funnel.h"

/* Raise if a superuser would run the owner's deferred triggers as such. */
extern void lq_refuse_deferred(const LqFunnel *funnel, const char *function);

#endif							/* LQ_DEFERRED_H */
