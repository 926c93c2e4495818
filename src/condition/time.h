/*
 * time.h
 *		The comparisons that the passing of time may turn.
 */
#ifndef LQ_TIME_H
#define LQ_TIME_H

#include "nodes/nodes.h"

#include "condition/part.h"
#include "condition/pseudo.h"

extern void lq_find_tests(Node *expr, const LqPseudo *pseudos,
						  LqConditionPart *part);

#endif							/* LQ_TIME_H */
