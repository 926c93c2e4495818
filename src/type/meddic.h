/*
 * meddic.h
 *		Types meddic and meddpicc as C sees them.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_MEDDIC_H
#define LQ_MEDDIC_H

#include "type/qualification.h"

extern const LqFramework lq_meddic;
extern const LqFramework lq_meddpicc;

#endif							/* LQ_MEDDIC_H */
