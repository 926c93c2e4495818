/*
 * own_write.h
 *		Updates of a lead that the module itself makes, and how its triggers
 *		tell them from a client's.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_OWN_WRITE_H
#define LQ_OWN_WRITE_H

#include "funnel/funnel.h"
#include "funnel/statement.h"

#define LQ_WRITE_REFIT		0x01	/* weigh the fit rules again */
#define LQ_WRITE_STAY		0x02	/* do not move the lead */
#define LQ_WRITE_DATE		0x08	/* review_at is written, nothing else */
#define LQ_WRITE_ANSWERS	0x04	/* answers come from the log already */

/* Run an UPDATE of one lead, which is locked; values[0] is its key. */
extern void lq_own_write(const LqFunnel *funnel, LqStatement statement,
						 Datum *values, const char *nulls, int flags);

/* Are answers being taken back because they ran out?  ingest_answer.c */
extern bool lq_answers_expire;

/* Is this row being updated by us?  Each answers yes once a write. */
extern bool lq_own_write_before(const LqFunnel *funnel, Datum key, int *flags);
extern bool lq_own_write_after(const LqFunnel *funnel, Datum key, int *flags);

#endif							/* LQ_OWN_WRITE_H */
