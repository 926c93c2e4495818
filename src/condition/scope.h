/*
 * scope.h
 *		The names that a condition may use, besides the ones that never change.
 */
#ifndef LQ_SCOPE_H
#define LQ_SCOPE_H

#include "access/tupdesc.h"
#include "utils/array.h"
#include "utils/relcache.h"

#include "condition/pseudo.h"

typedef struct LqNamedList
{
	char	   *name;			/* list.<name> */
	ArrayType  *values;			/* text[] */
} LqNamedList;

typedef struct LqNamedRule
{
	char	   *name;			/* hits.<name>, points.<name>, last.<name> */
	int64		rule_id;
} LqNamedRule;

typedef struct LqNamedFramework
{
	const char *name;			/* account.<name> */
	Oid			type;
} LqNamedFramework;

/* the names that a condition may use, besides those of its relation */
typedef struct LqConditionScope
{
	LqConditionFor target;
	Relation	relation;		/* lead, activity, or a partition; open */
	char	  **column_names;	/* of its columns, where they are not its own;
								 * an empty one cannot be named */
	int			n_lists;
	LqNamedList *lists;
	bool		(*list_was) (void *arg, const char *name);	/* is one that is not
															 * there empty, or
															 * unknown? */
	void	   *list_arg;
	int			n_rules;		/* rules of the same definition */
	LqNamedRule *rules;
	int			n_frameworks;	/* that are types, and columns of a lead */
	LqNamedFramework *frameworks;
	/* by LqSource, of families that are tables besides the row */
	TupleDesc	table_desc[LQ_N_SOURCES + 1];
	Oid			table[LQ_N_SOURCES + 1];
} LqConditionScope;

#endif							/* LQ_SCOPE_H */
