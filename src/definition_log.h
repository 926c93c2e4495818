/*
 * definition_log.h
 *		What the rules of a funnel were: every change of them.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_DEFINITION_LOG_H
#define LQ_DEFINITION_LOG_H

#include "commands/trigger.h"

/* Log a change of a rule, transition, stage or definition. */
extern void lq_definition_log(const TriggerData *trigdata);

#endif							/* LQ_DEFINITION_LOG_H */
