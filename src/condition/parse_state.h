/*
 * parse_state.h
 *		One run of the parser over one text of a condition.
 */
#ifndef LQ_PARSE_STATE_H
#define LQ_PARSE_STATE_H

#include "nodes/parsenodes.h"
#include "parser/parse_node.h"

#include "condition/scope.h"

typedef struct LqParse
{
	const char *text;
	const char *label;			/* for the error context, or NULL */
	LqConditionScope *scope;
	ParseState *pstate;
	List	   *rtable;			/* LQ_N_SOURCES entries, for deparsing */
	List	   *rtable_names;
	char	   *schema;			/* of the extension */
	List	   *delayed;		/* see ours.c */
	List	   *strings;		/* A_Const nodes that hold a string */
	List	   *alone;			/* locations of columns that are only cast, or
								 * tested for NULL */
	ErrorContextCallback callback;
	int			guc_level;
} LqParse;

#endif							/* LQ_PARSE_STATE_H */
