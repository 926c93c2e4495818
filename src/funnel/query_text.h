/*
 * query_text.h
 *		Parts of statements that are put together.
 */
#ifndef LQ_QUERY_TEXT_H
#define LQ_QUERY_TEXT_H

#include "lib/stringinfo.h"

#include "funnel/milestone.h"

struct LqFunnel;

/* Queries that functions in SQL work with, too. */
extern char *lq_deals_query(const struct LqFunnel *funnel);
extern char *lq_sales_log_query(const struct LqFunnel *funnel);

/* The name of something of ours, with its schema. */
extern const char *lq_ours(const char *name);

/*
 * What a move to a stage of that milestone writes into table journey.
 */
extern void lq_append_unit_columns(StringInfo buf, LqMilestone to);
extern void lq_append_unit_values(StringInfo buf, LqMilestone to);
extern void lq_append_unit_changes(StringInfo buf, LqMilestone to);
extern void lq_append_unit_touch(StringInfo buf, const struct LqFunnel *funnel,
								 LqMilestone to);

#endif							/* LQ_QUERY_TEXT_H */
