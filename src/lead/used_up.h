/*
 * used_up.h
 *		What a move used up, between the lead's two triggers.
 */
#ifndef LQ_USED_UP_H
#define LQ_USED_UP_H

#include "lead/lead.h"

/* columns that a move may clear */
typedef struct LqUsedUp
{
	Datum		values[6];
	bool		isnull[6];
	int32		first_cycle;	/* a new lead's, see lead.h */
} LqUsedUp;

extern void lq_used_up_read(const LqLead *lead, LqUsedUp *columns);
extern void lq_used_up_restore(LqLead *lead, const LqUsedUp *columns);
extern void lq_used_up_put(const LqLead *lead, Datum key,
						   const LqUsedUp *before);
extern void lq_used_up_refused(const LqLead *lead, Datum key);
extern uint64 lq_used_up_take(LqLead *lead, Datum key, LqUsedUp *columns);

#endif							/* LQ_USED_UP_H */
