/*
 * ours.h
 *		The functions, operators and types of the extension in a text.
 */
#ifndef LQ_OURS_H
#define LQ_OURS_H

#include "parser/parse_node.h"

#include "condition/parse_state.h"

extern void lq_ours_prepare(LqParse *parse, Node *raw);
extern Node *lq_ours_transform(ParseState *pstate, ParamRef *ref);

#endif							/* LQ_OURS_H */
