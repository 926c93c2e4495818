/*
 * frameworks.h
 *		The frameworks that there are.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_FRAMEWORKS_H
#define LQ_FRAMEWORKS_H

#include "type/qualification.h"

/* The one of that name, as rows of answer spell it, or NULL. */
extern const LqFramework *lq_framework_by_name(const char *name);

#endif							/* LQ_FRAMEWORKS_H */
