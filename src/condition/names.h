/*
 * names.h
 *		The columns and pseudo-columns in a text.
 */
#ifndef LQ_NAMES_H
#define LQ_NAMES_H

#include "condition/parse_state.h"

extern void lq_names_begin(LqParse *parse);

#endif							/* LQ_NAMES_H */
