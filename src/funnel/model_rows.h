/*
 * model_rows.h
 *		Reads the rows of a funnel's policy tables.
 */
#ifndef LQ_MODEL_ROWS_H
#define LQ_MODEL_ROWS_H

#include "condition/scope.h"
#include "funnel/funnel.h"

/* The caller has connected to SPI and entered the funnel. */
extern void lq_model_read_policy(LqFunnel *funnel);
extern int	lq_model_read_rule_names(const LqFunnel *funnel,
									 const char *definition,
									 LqNamedRule **rules);

#endif							/* LQ_MODEL_ROWS_H */
