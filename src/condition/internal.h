/*
 * internal.h
 *		What the files of the condition compiler share.
 *
 *		parse.c	text to a checked tree, and back to qualified text
 *		names.c	columns and pseudo-columns in a text
 *		source.c	the columns that each family of names has
 *		ours.c	functions, operators and types of the extension
 *		members.c	choosing among its functions and operators
 *		allow.c	what a condition may consist of
 *		eval.c	compiled conditions
 *		parts.c	operands of the top-level AND, as a person sees them
 *		time.c	comparisons that the passing of time may turn
 *		safe.c	which expressions cannot raise an error, for values up to a size
 *		reads.c	what a condition reads, and who may be told of it
 *		warned.c	which conditions a session has warned about
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_CONDITION_INTERNAL_H
#define LQ_CONDITION_INTERNAL_H

#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "parser/parse_node.h"

#include "compat.h"
#include "condition/condition.h"

/* one run of the parser over one text */
typedef struct LqParse
{
	const char *text;
	const char *label;			/* for the error context, or NULL */
	const LqConditionScope *scope;
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

/* parse.c */
extern void lq_parse_begin(LqParse *parse, const char *text,
						   const char *label, const LqConditionScope *scope);
extern void lq_parse_end(LqParse *parse);
extern Node *lq_parse_tree(LqParse *parse);
extern Node *lq_parse_expand_generated(LqParse *parse, Node *tree);
extern char *lq_parse_deparse(LqParse *parse, Node *tree, bool qualified);
extern Node *lq_parse_raw(const char *text);

/* names.c */
extern void lq_names_begin(LqParse *parse);

/* source.c */
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

/* ours.c */
extern void lq_ours_prepare(LqParse *parse, Node *raw);
extern Node *lq_ours_transform(ParseState *pstate, ParamRef *ref);

/* members.c */
extern bool lq_is_our_type(Oid type);
extern bool lq_is_our_function(const char *name, char kind);
extern bool lq_name_may_be_ours(LqParse *parse, List *name);
extern Node *lq_operate(LqParse *parse, List *name, Node *left, Node *right,
						int location);
extern Node *lq_must_operate(LqParse *parse, const char *name, Node *left,
							 Node *right, int location);
extern Node *lq_operate_array(LqParse *parse, A_Expr *a, Node *left,
							  Node *right);
extern Node *lq_call_function(LqParse *parse, FuncCall *call);

/* allow.c */
extern void lq_allow_check(LqParse *parse, Node *tree, int location);
extern void lq_allow_column(LqParse *parse, Oid type, int location);
extern void lq_allow_cast_to(LqParse *parse, Oid type, int location);
pg_noreturn extern void lq_refuse(LqParse *parse, int location,
								  const char *detail, const char *hint);

/* parts.c */
typedef struct LqPartText
{
	char	   *text;
	int			n_conjuncts;	/* how many the analyser makes of it */
} LqPartText;

extern List *lq_split_text(const char *condition);

/* time.c */
extern void lq_find_tests(Node *expr, const LqPseudo *pseudos,
						  LqConditionPart *part);

/* safe.c */
extern Size lq_spared_up_to(Node *expr);

/* reads.c */
typedef struct LqReads
{
	Oid			relid;
	Bitmapset  *columns;		/* 0: the whole table */
} LqReads;

extern List *lq_reads(const LqConditionScope *scope, Node *tree, List *reads);
extern bool lq_may_read(const List *reads);

/* warned.c */
extern bool lq_first_warning(uint64 hash);

/* catalog.c */
extern bool lq_is_member(Oid class_id, Oid object_id);

#endif							/* LQ_CONDITION_INTERNAL_H */
