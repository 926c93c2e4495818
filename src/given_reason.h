/*
 * given_reason.h
 *		The reason and note of a move, between the lead's two triggers.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_GIVEN_REASON_H
#define LQ_GIVEN_REASON_H

#include "funnel.h"

extern void lq_given_reason_put(const LqFunnel *funnel, Datum key,
								const char *reason, const char *note);
extern void lq_given_reason_take(const LqFunnel *funnel, Datum key,
								 char **reason, char **note);

#endif							/* LQ_GIVEN_REASON_H */
