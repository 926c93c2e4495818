/*
 * members.h
 *		Chooses among the functions and operators of the extension.
 */
#ifndef LQ_MEMBERS_H
#define LQ_MEMBERS_H

#include "nodes/parsenodes.h"

#include "condition/parse_state.h"

extern bool lq_is_our_type(Oid type);
extern bool lq_is_our_function(const char *name, char kind);
extern bool lq_name_may_be_ours(LqParse *parse, List *name);
extern Node *lq_operate(LqParse *parse, List *name, Node *left, Node *right,
						int location);
extern Node *lq_must_operate(LqParse *parse, const char *name, Node *left,
							 Node *right, int location);
extern Node *lq_operate_array(LqParse *parse, A_Expr *a, Node *left,
							  Node *right);
extern Node *lq_call_function(LqParse *parse, FuncCall *call);

#endif							/* LQ_MEMBERS_H */
