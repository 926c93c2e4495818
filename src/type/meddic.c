/*
 * meddic.c
 *		Types meddic and meddpicc, for complex sales.
 *
 * MEDDPICC is MEDDIC and two elements more.  They stand in the middle, so the
 * two types share neither bits nor elements.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "type/meddic.h"
#include "type/qualification.h"
#include "type/qualification_type.h"

static const LqElement meddic_elements[] = {
	{"M", "metrics"},
	{"E", "economic_buyer"},
	{"DC", "decision_criteria"},
	{"DP", "decision_process"},
	{"I", "identify_pain"},
	{"C", "champion"},
};

static const LqElement meddpicc_elements[] = {
	{"M", "metrics"},
	{"E", "economic_buyer"},
	{"DC", "decision_criteria"},
	{"DP", "decision_process"},
	{"PP", "paper_process"},
	{"I", "identify_pain"},
	{"C", "champion"},
	{"CO", "competition"},
};

const LqFramework lq_meddic = {
	.name = "meddic",
	.size = 2,
	.nelements = lengthof(meddic_elements),
	.elements = meddic_elements,
};

const LqFramework lq_meddpicc = {
	.name = "meddpicc",
	.size = 2,
	.nelements = lengthof(meddpicc_elements),
	.elements = meddpicc_elements,
};

LQ_QUALIFICATION_TYPE(meddic)
LQ_QUALIFICATION_TYPE(meddpicc)
