/*
 * parse.h
 *		The text of a condition to a checked tree, and back.
 *
 * A condition lives through three forms.  The text a person wrote is checked
 * once, when the row is written (lq_condition_check), and its fully qualified
 * form is stored beside it.  Every session compiles the stored form under
 * fixed settings (lq_condition_compile in eval.h) and evaluates it row by row
 * (lq_condition_eval).
 */
#ifndef LQ_PARSE_H
#define LQ_PARSE_H

#include "nodes/nodes.h"

#include "condition/parse_state.h"
#include "condition/scope.h"

extern char *lq_condition_check(const char *condition,
								LqConditionScope *scope);

/* Does a stored text name that rule, or that list?  It is not compiled. */
extern bool lq_condition_text_names_rule(const char *condition_sql,
										 const char *name);
extern bool lq_condition_text_names_list(const char *condition_sql,
										 const char *name);

extern void lq_parse_begin(LqParse *parse, const char *text,
						   const char *label, LqConditionScope *scope);
extern void lq_parse_end(LqParse *parse);
extern Node *lq_parse_tree(LqParse *parse);
extern Node *lq_parse_expand_generated(LqParse *parse, Node *tree);
extern char *lq_parse_deparse(LqParse *parse, Node *tree, bool qualified);
extern Node *lq_parse_raw(const char *text);

#endif							/* LQ_PARSE_H */
