/*
 * bant.h
 *		Type bant as C sees it.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_BANT_H
#define LQ_BANT_H

#include "type/qualification.h"

extern const LqFramework lq_bant;

#endif							/* LQ_BANT_H */
