/*
 * safe.h
 *		Which expressions cannot raise an error.
 */
#ifndef LQ_SAFE_H
#define LQ_SAFE_H

#include "nodes/nodes.h"

/* For values up to what size?  0: for none. */
extern Size lq_spared_up_to(Node *expr);

#endif							/* LQ_SAFE_H */
