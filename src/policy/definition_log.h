/*
 * definition_log.h
 *		What the rules of a funnel were: every change of them.
 */
#ifndef LQ_DEFINITION_LOG_H
#define LQ_DEFINITION_LOG_H

#include "commands/trigger.h"

/* Does the log have the changes of that table? */
extern bool lq_definition_logs(const char *table);

/* The definition that a row of such a table belongs to; NULL: to all of them. */
extern char *lq_definition_of(Relation rel, HeapTuple row);

/* Was the row that the trigger is fired for changed at all? */
extern bool lq_definition_row_changed(const TriggerData *trigdata);

extern void lq_definition_log(const TriggerData *trigdata);

/* A row got another name; a list did. */
extern void lq_definition_log_renamed(const TriggerData *trigdata,
									  HeapTuple old, HeapTuple new);
extern void lq_definition_log_list_renamed(const TriggerData *trigdata,
										   const char *before,
										   const char *after);

#endif							/* LQ_DEFINITION_LOG_H */
