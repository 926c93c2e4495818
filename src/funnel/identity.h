/*
 * identity.h
 *		Who our code acts as, and for whom.
 */
#ifndef LQ_IDENTITY_H
#define LQ_IDENTITY_H

#include "compat.h"
#include "funnel/funnel.h"

/* who a piece of our code acts as; see lq_funnel_enter() */
typedef struct LqIdentity
{
	Oid			userid;
	int			sec_context;
	int			guc_level;
} LqIdentity;

/*
 * Run statements as the funnel's owner, whom row security does not bind here,
 * or else analyse a condition: then there is no SPI, and code of the owner's
 * gets at nothing.
 */
extern void lq_funnel_enter(const LqFunnel *funnel, LqIdentity *saved);
extern void lq_funnel_leave(const LqIdentity *saved);
extern void lq_funnel_enter_restricted(const LqFunnel *funnel,
									   LqIdentity *saved);
extern void lq_funnel_leave_restricted(const LqIdentity *saved);
extern bool lq_acting_for(Oid owner);

/* Has the role the privileges of the owner? */
extern bool lq_is_owner(Oid role, Oid owner);

/* Raise unless the outer user may use lead_qual.clock or lead_qual.import. */
extern void lq_check_settings(Oid owner, const char *funnel);
extern void lq_funnel_check_settings(const LqFunnel *funnel);
extern void lq_funnel_check_owner(const LqFunnel *funnel,
								  const char *function);
pg_noreturn extern void lq_refuse_superuser(Oid owner, const char *funnel,
											const char *function,
											const char *detail);
extern bool lq_funnel_importing(const LqFunnel *funnel);
extern const char *lq_actor(void);

#endif							/* LQ_IDENTITY_H */
