/*
 * bulk.h
 *		Many leads, one after the other.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_BULK_H
#define LQ_BULK_H

#include "funnel/funnel.h"
#include "subtransaction.h"

/* leads that a cursor brings at a time */
#define LQ_BULK_SIZE	1000

extern int	lq_bulk_fetch(const LqFunnel *funnel, Portal portal, int most,
						  Datum **keys);
extern void lq_bulk_warn(const LqFunnel *funnel, Datum key, const char *done,
						 const LqFailure *failure);

#endif							/* LQ_BULK_H */
