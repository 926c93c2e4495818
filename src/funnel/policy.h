/*
 * policy.h
 *		The rows of a funnel's policy tables, as a backend keeps them.
 */
#ifndef LQ_POLICY_H
#define LQ_POLICY_H

#include "access/htup.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "condition/eval.h"
#include "funnel/milestone.h"
#include "type/scorecard.h"

typedef struct LqStage
{
	char	   *name;
	LqMilestone milestone;
	Interval   *sla;			/* NULL: no deadline */
	bool		working_time;	/* sla counts the calendar's hours */
	bool		notify;
} LqStage;

/* hours of a day of the week: a row of table calendar */
typedef struct LqHours
{
	int			weekday;		/* 1 is Monday, 7 Sunday */
	TimeADT		opens;
	TimeADT		closes;
} LqHours;

typedef struct LqKind
{
	char	   *name;
	bool		of_lead;		/* party = lead */
	bool		of_sales;		/* party = sales */
	bool		touch;
	bool		conversation;
	HeapTuple	tuple;			/* the row, for kind.<column> */
} LqKind;

typedef struct LqRule
{
	char	   *name;
	LqCardRule	card;			/* id, axis, points, half-life, limits */
	char	   *kind;			/* NULL for fit, "*" for any kind */
	bool		has_condition;
	char	   *condition_text;
	char	   *condition_sql;
	char	   *description;
	LqCondition *condition;		/* NULL when there is none or it is broken */
	bool		enabled;
	bool		broken;			/* does not compile: the rule is skipped */
} LqRule;

typedef struct LqTransition
{
	int64		transition_id;
	const LqStage *from;		/* NULL: creation, or any */
	bool		from_any;
	bool		creation;
	const LqStage *to;
	bool		automatic;
	Interval   *after;			/* NULL: at once */
	bool		needs_reason;
	char	   *reason;			/* that the move is recorded with, or NULL */
	bool		exception;
	int			n_sides;		/* that must have signed */
	char	  **sides;
	bool		has_condition;
	char	   *condition_text;
	char	   *condition_sql;
	char	   *description;
	LqCondition *condition;
	bool		broken;			/* does not compile: it never holds */
} LqTransition;

typedef struct LqReason
{
	char	   *reason;
	char	   *applies_to;
} LqReason;

/* who may be asked to agree: a row of table side */
typedef struct LqSide
{
	char	   *name;
	char	   *role;			/* NULL: the owner of the funnel */
} LqSide;

/* an element that answers may be about: a row of table element */
typedef struct LqKnownElement
{
	char	   *framework;
	char	   *element;
} LqKnownElement;

#endif							/* LQ_POLICY_H */
