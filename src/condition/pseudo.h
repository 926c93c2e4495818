/*
 * pseudo.h
 *		The names that a condition knows, each described once.
 *
 * Names come in families: "account.industry" is of family ACCOUNT.  Where two
 * have one name, the first that has the column is meant.  What a
 * pseudo-column is called, where it may be used, its type and what it measures
 * is a row of lq_pseudo_columns; what it is of a lead, one of lead/pseudo.c.
 */
#ifndef LQ_PSEUDO_H
#define LQ_PSEUDO_H

#include "access/attnum.h"

/* what a condition is written for: decides which names it may use */
typedef enum LqConditionFor
{
	LQ_FOR_FIT,
	LQ_FOR_ACTIVITY,
	LQ_FOR_TRANSITION
#define LQ_N_TARGETS (LQ_FOR_TRANSITION + 1)
} LqConditionFor;

/*
 * Where a name comes from.  These are also the numbers of the range table
 * entries, so that a Var says which one it is from.
 */
typedef enum LqSource
{
	LQ_SOURCE_ROW = 1,			/* lead.<column> or activity.<column> */
	LQ_SOURCE_LIST,
	LQ_SOURCE_HITS,
	LQ_SOURCE_POINTS,
	LQ_SOURCE_LAST,
	LQ_SOURCE_TOGETHER,			/* account.<framework>; before its columns */
	LQ_SOURCE_ACCOUNT,
	LQ_SOURCE_KIND,
	LQ_SOURCE_NOW				/* score, fit, ...; now.<name> when stored */
#define LQ_N_SOURCES LQ_SOURCE_NOW
} LqSource;

/* what the columns of a family are */
typedef enum LqColumns
{
	LQ_COLUMNS_OF_TABLE,		/* those of a table */
	LQ_COLUMNS_LISTS,			/* one for each list */
	LQ_COLUMNS_RULES,			/* one for each rule of the definition */
	LQ_COLUMNS_FRAMEWORKS,		/* one for each that is a column of a lead */
	LQ_COLUMNS_NAMED			/* the pseudo-columns that have names */
} LqColumns;

typedef struct LqFamily
{
	const char *name;
	LqColumns	columns;
	int			targets;		/* 1 << LqConditionFor */
} LqFamily;

typedef enum LqPseudoKind
{
	LQ_PSEUDO_SCORE,
	LQ_PSEUDO_FIT,
	LQ_PSEUDO_ENGAGEMENT,
	LQ_PSEUDO_HITS,
	LQ_PSEUDO_POINTS,
	LQ_PSEUDO_LAST,
	LQ_PSEUDO_LAST_ACTIVITY,
	LQ_PSEUDO_IDLE_DAYS,
	LQ_PSEUDO_DAYS_IN_STAGE,
	LQ_PSEUDO_LIST,				/* a constant once compiled */
	LQ_PSEUDO_TOGETHER,
	LQ_PSEUDO_ACCOUNT,
	LQ_PSEUDO_KIND
#define LQ_N_PSEUDOS (LQ_PSEUDO_KIND + 1)
} LqPseudoKind;

/* what changes it while nothing happens */
typedef enum LqMeasure
{
	LQ_MEASURES_NOTHING,		/* it stands still */
	LQ_MEASURES_POINTS,			/* they fade */
	LQ_MEASURES_DAYS,			/* they pass */
	LQ_MEASURES_OTHERS			/* other leads, which have facts of their own */
} LqMeasure;

typedef struct LqPseudoColumn
{
	const char *name;			/* NULL: <family>.<column> */
	LqSource	source;
	Oid			type;			/* 0: that of the column */
	LqMeasure	measure;
} LqPseudoColumn;

/* one pseudo-column that a condition reads */
typedef struct LqPseudo
{
	LqPseudoKind kind;
	int64		rule_id;		/* of a family of rules */
	AttrNumber	attno;			/* of a family of a table; of frameworks,
								 * which one, from 1 */
	Oid			type;
	int16		typlen;
} LqPseudo;

extern const char *const lq_target_names[LQ_N_TARGETS];
extern const LqFamily lq_families[LQ_N_SOURCES + 1];
extern const LqPseudoColumn lq_pseudo_columns[LQ_N_PSEUDOS];

extern bool lq_is_list_family(const char *name);
extern bool lq_is_rule_family(const char *name);
extern const char *lq_pseudo_name(const LqPseudo *pseudo,
								  const char *column);
extern LqMeasure lq_pseudo_measure(const LqPseudo *pseudo);

#endif							/* LQ_PSEUDO_H */
