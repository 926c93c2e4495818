/*
 * parts.h
 *		The operands of a text's top-level AND, as a person sees them.
 */
#ifndef LQ_PARTS_H
#define LQ_PARTS_H

#include "nodes/pg_list.h"

typedef struct LqPartText
{
	char	   *text;
	int			n_conjuncts;	/* how many the analyser makes of it */
} LqPartText;

extern List *lq_split_text(const char *condition);

#endif							/* LQ_PARTS_H */
