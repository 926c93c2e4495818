/*
 * expire.h
 *		Answers that run out: a new cycle begins without them.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_EXPIRE_H
#define LQ_EXPIRE_H

#include "lead.h"
#include "qualification.h"

/* What the lead answered, all unknown if the column is null. */
extern uint32 lq_lead_levels(const LqLead *lead, LqLeadColumn column,
							 const LqFramework *framework);

/* Forget the answers that have run out at that instant, a cycle's start. */
extern void lq_lead_expire(LqLead *lead, TimestampTz at);

/*
 * The answers to all frameworks without a column of their own, from the log;
 * in the caller's context.  He has connected to SPI and entered the funnel.
 */
extern Datum lq_other_answers(const LqFunnel *funnel, Datum key,
							  Datum cycle_started_at, bool cycle_null);

#endif							/* LQ_EXPIRE_H */
