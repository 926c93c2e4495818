/*
 * funnel_entry.h
 *		Where a session keeps a funnel; private to funnel.c and statement.c.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_FUNNEL_ENTRY_H
#define LQ_FUNNEL_ENTRY_H

#include "funnel/funnel.h"
#include "funnel/statement.h"
#include "storage/lock.h"

typedef struct LqFunnelEntry
{
	Oid			schema;			/* hash key, must be first */
	bool		valid;			/* cleared by invalidation callbacks */
	Oid			relid[LQ_N_TABLES]; /* what the callbacks look for ... */
	Oid			lead;			/* ... and "lead", which may be a view */
	LqFunnel   *current;		/* the last one read, or NULL */
	SPIPlanPtr	plans[LQ_N_STATEMENTS];
	List	   *dead_plans;		/* to be freed after the transaction */
	LocalTransactionId dead_since;
} LqFunnelEntry;

#endif							/* LQ_FUNNEL_ENTRY_H */
