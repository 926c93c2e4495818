/*
 * qualification_type.h
 *		The SQL functions of a qualification type, made from its framework.
 *
 * Where its LqFramework has the type's name, LQ_QUALIFICATION_TYPE(type) makes
 * them all.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_QUALIFICATION_TYPE_H
#define LQ_QUALIFICATION_TYPE_H

#include "type/qualification.h"

#define LQ_EACH_QUALIFICATION_FUNCTION(X, type) \
	X(type, in) \
	X(type, out) \
	X(type, recv) \
	X(type, send) \
	X(type, to_jsonb) \
	X(type, from_jsonb) \
	X(type, get) \
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
	X(type, eq) \
	X(type, ne) \
	X(type, lt) \
	X(type, le) \
	X(type, gt) \
	X(type, ge) \
	X(type, cmp) \
	X(type, hash) \
	X(type, hash_extended) \
	X(type, larger) \
	X(type, smaller) \
	X(type, best)

#define LQ_DECLARE_QUALIFICATION_FUNCTION(type, verb) \
extern Datum lq_##type##_##verb(const LqFramework *fw, FunctionCallInfo fcinfo);

#define LQ_DEFINE_QUALIFICATION_FUNCTION(type, verb) \
PG_FUNCTION_INFO_V1(type##_##verb); \
Datum \
type##_##verb(PG_FUNCTION_ARGS) \
{ \
	return lq_qualification_type_##verb(&type, fcinfo); \
}

LQ_EACH_QUALIFICATION_FUNCTION(LQ_DECLARE_QUALIFICATION_FUNCTION,
							   qualification_type)

#define LQ_QUALIFICATION_TYPE(type) \
	LQ_EACH_QUALIFICATION_FUNCTION(LQ_DEFINE_QUALIFICATION_FUNCTION, type)

#endif							/* LQ_QUALIFICATION_TYPE_H */
