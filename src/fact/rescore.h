/*
 * rescore.h
 *		Makes a lead's card anew.
 */
#ifndef LQ_RESCORE_H
#define LQ_RESCORE_H

#include "funnel/funnel.h"

extern bool lq_rescore_lead(const LqFunnel *funnel, Datum key, int flags);

#endif							/* LQ_RESCORE_H */
