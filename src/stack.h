/*
 * stack.h
 *		The portion of the stack that a condition may use.
 */
#ifndef LQ_STACK_H
#define LQ_STACK_H

#include "miscadmin.h"

/* what lq_stack_give_back() needs */
typedef pg_stack_base_t LqStack;

extern bool lq_stack_portion(LqStack *saved);
extern void lq_stack_give_back(const LqStack *saved);

#endif							/* LQ_STACK_H */
