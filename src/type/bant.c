/*
 * bant.c
 *		Type bant: budget, authority, need, timeline.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "type/bant.h"
#include "type/qualification.h"
#include "type/qualification_type.h"

static const LqElement elements[] = {
	{"B", "budget"},
	{"A", "authority"},
	{"N", "need"},
	{"T", "timeline"},
};

const LqFramework lq_bant = {
	.name = "bant",
	.size = 1,
	.nelements = lengthof(elements),
	.elements = elements,
};

LQ_QUALIFICATION_TYPE(bant)
