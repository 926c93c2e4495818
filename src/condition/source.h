/*
 * source.h
 *		The columns that each family of names has.
 */
#ifndef LQ_SOURCE_H
#define LQ_SOURCE_H

#include "access/attnum.h"
#include "nodes/primnodes.h"

#include "condition/pseudo.h"
#include "condition/scope.h"

extern const char *lq_source_name(const LqConditionScope *scope,
								  LqSource source);
extern bool lq_source_available(const LqConditionScope *scope,
								LqSource source);
extern int	lq_source_n_columns(const LqConditionScope *scope,
								LqSource source);
extern const char *lq_source_column_name(const LqConditionScope *scope,
										 LqSource source, int i);
extern Var *lq_source_var(const LqConditionScope *scope, LqSource source,
						  int i);
extern void lq_source_pseudo(const LqConditionScope *scope, const Var *var,
							 LqPseudo *pseudo);
extern Oid	lq_source_reads(const LqConditionScope *scope, const Var *var,
							AttrNumber *column);

#endif							/* LQ_SOURCE_H */
