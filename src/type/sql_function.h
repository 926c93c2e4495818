/*
 * sql_function.h
 *		SQL functions that are one expression over their arguments (fcinfo).
 */
#ifndef LQ_SQL_FUNCTION_H
#define LQ_SQL_FUNCTION_H

#include "fmgr.h"

#define LQ_SQL_FUNCTION(name, result) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	return result; \
}

#endif							/* LQ_SQL_FUNCTION_H */
