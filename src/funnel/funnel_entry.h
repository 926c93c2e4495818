/*
 * funnel_entry.h
 *		Where a session keeps a funnel, and how long; private to src/funnel.
 */
#ifndef LQ_FUNNEL_ENTRY_H
#define LQ_FUNNEL_ENTRY_H

#include "funnel/funnel.h"
#include "funnel/tables.h"

/* in what way the one kept is out of date: bits */
typedef int LqStale;

#define LQ_STALE_RULES		0x01	/* rules or transitions changed */
#define LQ_STALE_ALL		0x02	/* anything else did */

typedef struct LqFunnelEntry
{
	Oid			schema;			/* hash key, must be first */
	uint32		hash;			/* of it in the system cache */
	LqStale		stale;			/* set by invalidation callbacks */
	int			loading;		/* how many times up the stack */
	bool		maybe_gone;		/* the row of the schema changed */
	Oid			relid[LQ_N_TABLES]; /* what the callbacks look for ... */
	Oid			lead;			/* ... and "lead", which may be a view */
	LqFunnel   *current;		/* the last one read, or NULL; those that it
								 * replaced follow it, the latest first */
} LqFunnelEntry;

/* The entry of a schema, which is new and stale if there was none. */
extern LqFunnelEntry *lq_entry(Oid schema);

/* Put a funnel that was read in the place of the current one. */
extern void lq_entry_set(LqFunnelEntry *entry, LqFunnel *funnel);

/* Keep a funnel until the current memory context is reset. */
extern void lq_entry_pin(LqFunnel *funnel);

/* Is it known already that this is that table, or a partition of the leads? */
extern bool lq_funnel_knows_table(Oid schema, LqTable table, Oid relid);

/* Are the rules and transitions of the funnel, just looked up, up to date? */
extern bool lq_funnel_rules_current(const LqFunnel *funnel);

/* The funnel as it was before, earlier in this transaction; or NULL. */
extern LqFunnel *lq_funnel_replaced(const LqFunnel *funnel);

#endif							/* LQ_FUNNEL_ENTRY_H */
