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

#define DatumGetMeddic(X)		DatumGetLqQualification(&lq_meddic, X)
#define MeddicGetDatum(X)		LqQualificationGetDatum(&lq_meddic, X)
#define PG_GETARG_MEDDIC(n)		DatumGetMeddic(PG_GETARG_DATUM(n))
#define PG_RETURN_MEDDIC(x)		return MeddicGetDatum(x)

#define DatumGetMeddpicc(X)		DatumGetLqQualification(&lq_meddpicc, X)
#define MeddpiccGetDatum(X)		LqQualificationGetDatum(&lq_meddpicc, X)
#define PG_GETARG_MEDDPICC(n)	DatumGetMeddpicc(PG_GETARG_DATUM(n))
#define PG_RETURN_MEDDPICC(x)	return MeddpiccGetDatum(x)

#endif							/* LQ_MEDDIC_H */
