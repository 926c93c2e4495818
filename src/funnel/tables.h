/*
 * tables.h
 *		The tables of a funnel and their columns, by number.
 */
#ifndef LQ_TABLES_H
#define LQ_TABLES_H

/* *INDENT-OFF* */
typedef enum LqTable
{
#define LQ_TABLE(symbol, name) LQ_TABLE_##symbol,
#include "funnel/column_list.h"
	LQ_N_TABLES
} LqTable;

typedef enum LqColumn
{
#define LQ_COLUMN(table, symbol, name, type, not_null, since) \
	LQ_##table##_##symbol,
#include "funnel/column_list.h"
	LQ_N_COLUMNS
} LqColumn;

/* *INDENT-ON* */

/* of the lead's columns, those that triggers keep */
#define LQ_LEAD_FIRST_STATE LQ_LEAD_STAGE_ENTERED_AT
#define LQ_LEAD_LAST_STATE LQ_LEAD_REVIEW_AT
#define LQ_LEAD_FIRST_SUM LQ_LEAD_SCORECARD
#define LQ_LEAD_LAST_SUM LQ_LEAD_ANSWERS

/* and those of the frameworks that are types, as lq_frameworks has them */
#define LQ_LEAD_FRAMEWORK(framework) (LQ_LEAD_LAST_SUM + 1 + (framework))

#endif							/* LQ_TABLES_H */
