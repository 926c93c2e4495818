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

#define DatumGetBant(X)			DatumGetLqQualification(&lq_bant, X)
#define BantGetDatum(X)			LqQualificationGetDatum(&lq_bant, X)
#define PG_GETARG_BANT(n)		DatumGetBant(PG_GETARG_DATUM(n))
#define PG_RETURN_BANT(x)		return BantGetDatum(x)

#endif							/* LQ_BANT_H */
