/*
 * qualification_type.h
 *		The SQL functions of a qualification type, made from its framework.
 *
 * Where its LqFramework has the type's name, LQ_QUALIFICATION_TYPE(type) makes
 * them all.
 */
#ifndef LQ_QUALIFICATION_TYPE_H
#define LQ_QUALIFICATION_TYPE_H

#include "type/ordered_type.h"
#include "type/qualification.h"

#define LQ_EACH_QUALIFICATION_FUNCTION(X, type) \
	X(type, in) \
	X(type, out) \
	X(type, recv) \
	X(type, send) \
	X(type, to_jsonb) \
	X(type, from_jsonb) \
	X(type, to_array) \
	X(type, get) \
	X(type, get_text) \
	X(type, set_level) \
	X(type, merge) \
	X(type, met) \
	X(type, known) \
	X(type, refuted) \
	X(type, gaps) \
	X(type, weigh) \
	X(type, verdict) \
	X(type, contains) \
	X(type, contained) \
	X(type, hash) \
	X(type, hash_extended) \
	X(type, best)

#define LQ_DECLARE_QUALIFICATION_FUNCTION(type, verb) \
extern Datum lq_##type##_##verb(const LqFramework *fw, FunctionCallInfo fcinfo);

#define LQ_DEFINE_QUALIFICATION_FUNCTION(type, verb) \
	LQ_SQL_FUNCTION(type##_##verb, lq_qualification_type_##verb(&type, fcinfo))

LQ_EACH_QUALIFICATION_FUNCTION(LQ_DECLARE_QUALIFICATION_FUNCTION,
							   qualification_type)

extern int	lq_qualification_type_compare(const LqFramework *fw,
										  FunctionCallInfo fcinfo);

#define LQ_QUALIFICATION_TYPE(type) \
	LQ_EACH_QUALIFICATION_FUNCTION(LQ_DEFINE_QUALIFICATION_FUNCTION, type) \
static int \
type##_compare(FunctionCallInfo fcinfo) \
{ \
	return lq_qualification_type_compare(&type, fcinfo); \
} \
LQ_ORDERED_TYPE(type, type##_compare) \
LQ_EXTREMES(type, type##_compare)

#endif							/* LQ_QUALIFICATION_TYPE_H */
