/*
 * lookup.h
 *		Finds a funnel and what it says, as of now.
 */
#ifndef LQ_LOOKUP_H
#define LQ_LOOKUP_H

#include "funnel/funnel.h"

/*
 * The funnel of that name, for an SQL function.  It can be used until the
 * memory context is reset that is current now.
 */
extern LqFunnel *lq_funnel_by_name(const char *name);
extern LqFunnel *lq_funnel_by_schema(Oid schema);

/* The same, but its rules and transitions may be out of date. */
extern LqFunnel *lq_funnel_but_rules(Oid schema);

/* Raise unless the schema holds a funnel's tables; returns their owner. */
extern Oid	lq_funnel_prove_tables(Oid schema);

#endif							/* LQ_LOOKUP_H */
