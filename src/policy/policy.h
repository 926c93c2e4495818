/*
 * policy.h
 *		What follows from a change of a row of policy.
 */
#ifndef LQ_POLICY_CHANGED_H
#define LQ_POLICY_CHANGED_H

#include "commands/trigger.h"

/* A new version, where cards, moves or deadlines depend on it, and the log. */
extern void lq_policy_row_changed(TriggerData *trigdata);

#endif							/* LQ_POLICY_CHANGED_H */
