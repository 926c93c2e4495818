/*
 * rename.h
 *		What names a row of policy follows its new name.
 */
#ifndef LQ_RENAME_POLICY_H
#define LQ_RENAME_POLICY_H

#include "commands/trigger.h"

#include "funnel/columns.h"

/*
 * Is the row that an UPDATE trigger is fired for one of a list that gets
 * another name?  Whether the whole list does shows at the statement's end.
 */
extern bool lq_list_changes(const TriggerData *trigdata);

/*
 * If the row got another name have all that names it follow; true if nothing
 * else of the row changed.
 */
extern bool lq_rename_row(const TriggerData *trigdata);

/* Have all that names it follow, within a scope or (NULL) in all of them. */
extern void lq_rename_follow(const TriggerData *trigdata, const char *before,
							 const char *after, const char *scope);

/* Did another column change than the name? */
extern bool lq_rename_changes_else(const TriggerData *trigdata,
								   LqColumn name);

/* The one answer to a query with texts, asked as the owner. */
extern char *lq_rename_ask(const TriggerData *trigdata, const char *query,
						   int n, const char *const *args);

#endif							/* LQ_RENAME_POLICY_H */
