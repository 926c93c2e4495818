/*
 * find_lead.h
 *		The lead that somebody names.
 */
#ifndef LQ_FIND_LEAD_H
#define LQ_FIND_LEAD_H

#include "fmgr.h"

#include "funnel/funnel.h"

/*
 * The key of the lead that an argument of an SQL function names, which is text
 * or of any other type; raises where it names none.
 */
extern Datum lq_find_lead(FunctionCallInfo fcinfo, int arg,
						  LqFunnel *funnel);

#endif							/* LQ_FIND_LEAD_H */
