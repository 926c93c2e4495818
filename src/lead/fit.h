/*
 * fit.h
 *		Who the lead is, in points.
 */
#ifndef LQ_FIT_H
#define LQ_FIT_H

#include "lead/lead.h"

extern void lq_lead_set_fit(LqLead *lead);

#endif							/* LQ_FIT_H */
