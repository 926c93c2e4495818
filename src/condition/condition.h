/*
 * condition.h
 *		Conditions of rules and transitions: boolean SQL expressions over one
 *		row and a few pseudo-columns.
 *
 * A condition lives through three forms.  The text a person wrote is checked
 * once, when the row is written (lq_condition_check), and its fully qualified
 * form is stored beside it.  Every session compiles the stored form under
 * fixed settings (lq_condition_compile) and evaluates it row by row
 * (lq_condition_eval).
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_CONDITION_H
#define LQ_CONDITION_H

#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "utils/array.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"

#include "condition/pseudo.h"

/* the caller's source of pseudo-column values for the row at hand */
typedef Datum (*LqPseudoFetch) (void *arg, const LqPseudo *pseudo,
								bool *isnull);

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

/* the names that a condition may use, besides those of its relation */
typedef struct LqConditionScope
{
	LqConditionFor target;
	Relation	relation;		/* lead, activity, or a partition; open */
	char	  **column_names;	/* of its columns, where they are not its own;
								 * an empty one cannot be named */
	int			n_lists;
	LqNamedList *lists;
	bool		lists_empty;	/* one that is not there has no values: it
								 * lost its last one since the condition was
								 * written */
	int			n_rules;		/* rules of the same definition */
	LqNamedRule *rules;
	/* by LqSource, of families that are tables besides the row */
	TupleDesc	table_desc[LQ_N_SOURCES + 1];
	Oid			table[LQ_N_SOURCES + 1];
} LqConditionScope;

/*
 * A comparison of one pseudo-column with a constant, found as a whole part
 * of the condition's top-level AND or nested in it: the instants at which the
 * condition may change its mind while nothing happens follow from these.
 */
typedef enum LqCompare
{
	LQ_COMPARE_LT,
	LQ_COMPARE_LE,
	LQ_COMPARE_EQ,
	LQ_COMPARE_GE,
	LQ_COMPARE_GT
} LqCompare;

typedef struct LqTimeTest
{
	const LqPseudo *pseudo;		/* one that measures something */
	LqCompare	compare;		/* pseudo-column on the left */
	int64		units;			/* the constant: in hundredths of a point, or
								 * in units of a day */
} LqTimeTest;

/* days are told in millionths, which are whole numbers of microseconds */
#define LQ_DAY_DIGITS			6
#define LQ_DAY_UNITS			INT64CONST(1000000)
#define LQ_USECS_PER_DAY_UNIT	(USECS_PER_DAY / LQ_DAY_UNITS)

typedef enum LqTruth
{
	LQ_FALSE,
	LQ_TRUE,
	LQ_UNKNOWN					/* NULL: does not hold */
} LqTruth;

typedef struct LqCondition LqCondition;

/* one operand of the top-level AND: the unit in which why_not answers */
typedef struct LqConditionPart
{
	char	   *text;			/* as the person wrote it */
	Bitmapset  *columns;		/* attribute numbers of the relation it reads */
	int			n_pseudos;
	const LqPseudo **pseudos;
	int			n_tests;
	LqTimeTest *tests;
	bool		is_test;		/* it is tests[0] and nothing else */
	bool		otherwise_timed;	/* reads the clock through a pseudo-column
									 * in a way that tests does not cover */
} LqConditionPart;

extern char *lq_condition_check(const char *condition,
								const LqConditionScope *scope);
extern LqCondition *lq_condition_compile(const char *condition_sql,
										 const char *condition,
										 const LqConditionScope *scope,
										 const char *label);

extern LqTruth lq_condition_eval(LqCondition *condition, TupleTableSlot *row,
								 LqPseudoFetch fetch, void *fetch_arg);
extern LqTruth lq_condition_eval_part(LqCondition *condition, int part,
									  TupleTableSlot *row,
									  LqPseudoFetch fetch, void *fetch_arg);

extern int	lq_condition_n_parts(const LqCondition *condition);
extern const LqConditionPart *lq_condition_part(const LqCondition *condition,
												int part);
extern Bitmapset *lq_condition_columns(const LqCondition *condition);

/*
 * What it must be compiled anew for when it changes, besides its relation: a
 * list of PlanInvalItem.
 */
extern List *lq_condition_depends(const LqCondition *condition);

/*
 * How often evaluating it raised an error in this session, since it was
 * compiled, and what the last one said (NULL: none).
 */
extern int64 lq_condition_n_raised(const LqCondition *condition);
extern const char *lq_condition_last_error(const LqCondition *condition);

/* May the client, who is not always the current user, read all of a table? */
extern bool lq_may_read_table(Oid relid);

/* The same of a stored text, by name, without compiling it. */
extern bool lq_condition_text_names_rule(const char *condition_sql,
										 const char *name);

/* Our own schema and objects, found through the extension, never by name */
extern Oid	lq_extension_oid(void);
extern Oid	lq_extension_schema(void);

#endif							/* LQ_CONDITION_H */
