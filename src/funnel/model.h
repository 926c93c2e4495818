/*
 * model.h
 *		Reads a funnel's policy.
 */
#ifndef LQ_MODEL_H
#define LQ_MODEL_H

#include "funnel/funnel.h"

/* Read the policy rows into the funnel. */
extern void lq_model_load(LqFunnel *funnel);

#endif							/* LQ_MODEL_H */
