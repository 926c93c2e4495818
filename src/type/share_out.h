/*
 * share_out.h
 *		An amount divided by weights, in cents that add up to it.
 */
#ifndef LQ_SHARE_OUT_H
#define LQ_SHARE_OUT_H

#include "utils/numeric.h"

extern bool lq_share_out(Numeric amount, const Numeric *weights, int n,
						 Numeric *shares);

#endif							/* LQ_SHARE_OUT_H */
