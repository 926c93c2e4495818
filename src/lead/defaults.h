/*
 * defaults.h
 *		What a new lead has where nobody gives anything.
 */
#ifndef LQ_DEFAULTS_H
#define LQ_DEFAULTS_H

#include "utils/rel.h"

#include "funnel/tables.h"
#include "lead/lead.h"

extern Datum lq_lead_default(const LqLead *lead, LqColumn column,
							 bool *isnull);
extern void lq_lead_fill(LqLead *lead, Relation rel);

#endif							/* LQ_DEFAULTS_H */
