/*
 * allow.h
 *		What a condition may consist of.
 */
#ifndef LQ_ALLOW_H
#define LQ_ALLOW_H

#include "nodes/nodes.h"

#include "compat.h"
#include "condition/parse_state.h"

extern void lq_allow_check(LqParse *parse, Node *tree, int location);
extern void lq_allow_column(LqParse *parse, Oid type, int location);
extern void lq_allow_cast_to(LqParse *parse, Oid type, int location);
pg_noreturn extern void lq_refuse(LqParse *parse, int location,
								  const char *detail, const char *hint);

#endif							/* LQ_ALLOW_H */
