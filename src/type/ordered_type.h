/*
 * ordered_type.h
 *		The SQL functions of a type that is ordered.
 *
 * LQ_ORDERED_TYPE(type, compare) makes type_eq() and so on, to which
 * sql/21_ordered_type.sql refers; compare(fcinfo) tells by its sign how the two
 * arguments stand to each other.  LQ_EXTREMES(type, compare) makes the steps of
 * the aggregates max and min.
 */
#ifndef LQ_ORDERED_TYPE_H
#define LQ_ORDERED_TYPE_H

#include "type/sql_function.h"

#define LQ_ORDERED_TYPE(type, compare) \
	LQ_SQL_FUNCTION(type##_eq, BoolGetDatum(compare(fcinfo) == 0)) \
	LQ_SQL_FUNCTION(type##_ne, BoolGetDatum(compare(fcinfo) != 0)) \
	LQ_SQL_FUNCTION(type##_lt, BoolGetDatum(compare(fcinfo) < 0)) \
	LQ_SQL_FUNCTION(type##_le, BoolGetDatum(compare(fcinfo) <= 0)) \
	LQ_SQL_FUNCTION(type##_gt, BoolGetDatum(compare(fcinfo) > 0)) \
	LQ_SQL_FUNCTION(type##_ge, BoolGetDatum(compare(fcinfo) >= 0)) \
	LQ_SQL_FUNCTION(type##_cmp, Int32GetDatum(compare(fcinfo)))

#define LQ_EXTREMES(type, compare) \
	LQ_SQL_FUNCTION(type##_larger, \
					PG_GETARG_DATUM(compare(fcinfo) >= 0 ? 0 : 1)) \
	LQ_SQL_FUNCTION(type##_smaller, \
					PG_GETARG_DATUM(compare(fcinfo) <= 0 ? 0 : 1))

#endif							/* LQ_ORDERED_TYPE_H */
