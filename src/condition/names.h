/*
 * names.h
 *		The columns and pseudo-columns in a text.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_NAMES_H
#define LQ_NAMES_H

#include "condition/parse_state.h"

extern void lq_names_begin(LqParse *parse);

#endif							/* LQ_NAMES_H */
