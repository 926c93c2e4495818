/*
 * frameworks.c
 *		The frameworks that there are, by name.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "type/bant.h"
#include "type/frameworks.h"
#include "type/meddic.h"
#include "type/qualification.h"

static const LqFramework *const frameworks[] = {
	&lq_bant, &lq_meddic, &lq_meddpicc
};

/*
 * The framework of that name, as rows of answer spell it, or NULL.
 */
const LqFramework *
lq_framework_by_name(const char *name)
{
	for (int i = 0; i < lengthof(frameworks); i++)
	{
		if (strcmp(frameworks[i]->name, name) == 0)
			return frameworks[i];
	}
	return NULL;
}
