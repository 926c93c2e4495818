/*
 * frameworks.h
 *		The frameworks that are types, and columns of a lead.
 */
#ifndef LQ_FRAMEWORKS_H
#define LQ_FRAMEWORKS_H

#include "type/qualification.h"

/* *INDENT-OFF* */
enum
{
#define LQ_FRAMEWORK(symbol, name, since, ...) LQ_FRAMEWORK_##symbol,
#include "type/framework_list.h"
	LQ_N_FRAMEWORKS
};

/* *INDENT-ON* */

extern const LqFramework *const lq_frameworks[LQ_N_FRAMEWORKS];

/* Which of them has that name, as rows of answer spell it?  -1: none. */
extern int	lq_framework_index(const char *name);

#endif							/* LQ_FRAMEWORKS_H */
