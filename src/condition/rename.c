/*
 * rename.c
 *		Another name in the text of a condition.
 *
 * Works on the text as the parser reads it and before anything is looked up,
 * so that what a person wrote and the qualified form are treated alike, and
 * all but the name stays as it is.  A list or a rule is an identifier behind
 * the name of its family.  A stage, kind, source or reason is a string, and
 * only where it is compared with the column that holds such names: whatever
 * else is done with that column, or with that string, may come to mean
 * something else, and is told as a problem.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/keywords.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/scanner.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "compat.h"
#include "condition/parse.h"
#include "condition/pseudo.h"
#include "condition/rename.h"

PG_FUNCTION_INFO_V1(_rename_in_condition);

typedef struct Edit
{
	int			location;
	bool		identifier;		/* the name after the dot, not a string */
} Edit;

typedef struct Walk
{
	const LqRename *rename;
	LqRenamed  *renamed;
	List	   *edits;
} Walk;

typedef struct Token
{
	int			start;
	int			len;
} Token;

static bool walker(Node *node, void *context);

/* An operand without casts between strings, which change no name. */
static Node *
bare(Node *node)
{
	while (node != NULL && IsA(node, TypeCast))
	{
		TypeName   *type = ((TypeCast *) node)->typeName;
		const char *name;

		if (type->names == NIL || type->typmods != NIL || type->setof)
			break;
		name = strVal(llast(type->names));
		if (strcmp(name, "text") != 0 && strcmp(name, "varchar") != 0)
			break;
		node = ((TypeCast *) node)->arg;
	}
	return node;
}

/* The name that a reference spells, "a" or "a.b"; NULL: something else. */
static char *
reference(Node *node)
{
	List	   *fields;

	node = bare(node);
	if (node == NULL || !IsA(node, ColumnRef))
		return NULL;
	fields = ((ColumnRef *) node)->fields;
	if (list_length(fields) > 2 || !IsA(llast(fields), String))
		return NULL;
	if (list_length(fields) == 1)
		return strVal(linitial(fields));
	return psprintf("%s.%s", strVal(linitial(fields)), strVal(lsecond(fields)));
}

static bool
is_column(const Walk *walk, Node *node)
{
	char	   *name = reference(node);
	ListCell   *cell;

	if (name == NULL)
		return false;
	foreach(cell, walk->rename->columns)
		if (strcmp(lfirst(cell), name) == 0)
		return true;
	return false;
}

/* The name of a list that an operand is; else NULL. */
static char *
list_name(Node *node)
{
	List	   *fields;

	node = bare(node);
	if (node == NULL || !IsA(node, ColumnRef))
		return NULL;
	fields = ((ColumnRef *) node)->fields;
	if (list_length(fields) != 2 || !IsA(lsecond(fields), String) ||
		!lq_is_list_family(strVal(linitial(fields))))
		return NULL;
	return strVal(lsecond(fields));
}

/* Is it a string, or NULL, written down? */
static bool
is_literal(Node *node)
{
	node = bare(node);
	return node != NULL && IsA(node, A_Const) &&
		(((A_Const *) node)->isnull ||
		 IsA(&((A_Const *) node)->val, String));
}

static bool
literal_is(Node *node, const char *value)
{
	A_Const    *constant = castNode(A_Const, bare(node));

	return !constant->isnull && strcmp(strVal(&constant->val), value) == 0;
}

/* All of an array or a list of values; NIL: not all are written down. */
static List *
literals(Node *node)
{
	List	   *elements = NIL;
	ListCell   *cell;

	node = bare(node);
	if (node != NULL && IsA(node, List))
		elements = (List *) node;
	else if (node != NULL && IsA(node, A_ArrayExpr))
		elements = ((A_ArrayExpr *) node)->elements;
	foreach(cell, elements)
		if (!is_literal(lfirst(cell)))
		return NIL;
	return elements;
}

static void
problem(Walk *walk, const char *what)
{
	if (walk->renamed->problem == NULL)
		walk->renamed->problem = pstrdup(what);
}

static void
edit(Walk *walk, int location, bool identifier)
{
	Edit	   *e = palloc(sizeof(Edit));

	e->location = location;
	e->identifier = identifier;
	walk->edits = lappend(walk->edits, e);
}

/* The column is compared with what is written down. */
static void
compared(Walk *walk, Node *literal)
{
	if (literal_is(literal, walk->rename->before))
		edit(walk, castNode(A_Const, bare(literal))->location, false);
	else if (literal_is(literal, walk->rename->after))
		problem(walk, "It names the new one already.");
}

static bool
is_one_of(const char *name, const char *const names[], int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static const char *const equality[] = {"=", "<>"};
static const char *const likeness[] = {"~~", "!~~", "~~*", "!~~*"};
static const char *const keyed[] = {"->", "->>", "?"};

/* The server's own operator of an expression; else NULL. */
static const char *
operator_of(const A_Expr *expr)
{
	if (expr->name == NIL ||
		(list_length(expr->name) > 1 &&
		 strcmp(strVal(linitial(expr->name)), "pg_catalog") != 0))
		return NULL;
	return strVal(llast(expr->name));
}

/* Does a pattern that is written down match the new name as the old one? */
static bool
matches_alike(const Walk *walk, const char *operator, Node *pattern)
{
	PGFunction	like = operator[strlen(operator) - 1] == '*' ? texticlike : textlike;
	A_Const    *constant = castNode(A_Const, bare(pattern));
	Datum		value;

	if (constant->isnull)
		return true;
	value = CStringGetTextDatum(strVal(&constant->val));
	return DatumGetBool(DirectFunctionCall2Coll(like, DEFAULT_COLLATION_OID,
												CStringGetTextDatum(walk->rename->before),
												value)) ==
		DatumGetBool(DirectFunctionCall2Coll(like, DEFAULT_COLLATION_OID,
											 CStringGetTextDatum(walk->rename->after),
											 value));
}

/* A comparison of what we know all about; false: look at its operands. */
static bool
known_comparison(Walk *walk, A_Expr *expr)
{
	const char *operator = operator_of(expr);
	Node	   *column = expr->lexpr;
	Node	   *value = expr->rexpr;
	bool		equals;
	bool		of_array = expr->kind == AEXPR_OP_ANY ||
	expr->kind == AEXPR_OP_ALL;
	List	   *values;
	ListCell   *cell;

	if (operator == NULL || column == NULL)
		return false;
	equals = is_one_of(operator, equality, lengthof(equality));
	if (expr->kind == AEXPR_OP &&
		is_one_of(operator, keyed, lengthof(keyed)) && is_literal(value))
		return walker(column, walk), true;
	if (!equals && !is_one_of(operator, likeness, lengthof(likeness)))
		return false;

	if (of_array && list_name(value) != NULL && is_column(walk, column))
	{
		walk->renamed->lists = lappend(walk->renamed->lists,
									   psprintf("%s %s", operator,
												list_name(value)));
		return true;
	}
	if (!of_array && expr->kind != AEXPR_IN)
	{
		if (equals && is_literal(column))
		{
			column = expr->rexpr;
			value = expr->lexpr;
		}
		if (!is_literal(value) || reference(column) == NULL)
			return false;
		if (!is_column(walk, column))
			return true;
		if (equals)
			compared(walk, value);
		else if (!matches_alike(walk, operator, value))
			problem(walk, "It compares the name with a pattern.");
		return true;
	}
	values = literals(value);
	if (!equals || values == NIL || reference(column) == NULL)
		return false;
	if (is_column(walk, column))
		foreach(cell, values)
			compared(walk, lfirst(cell));
	return true;
}

static bool
known_case(Walk *walk, CaseExpr *expr)
{
	ListCell   *cell;

	if (!is_column(walk, (Node *) expr->arg))
		return false;
	foreach(cell, expr->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, cell);

		if (is_literal((Node *) when->expr))
			compared(walk, (Node *) when->expr);
		else
			problem(walk, "It compares the name with what is not written down.");
		(void) walker((Node *) when->result, walk);
	}
	(void) walker((Node *) expr->defresult, walk);
	return true;
}

/* A reference that is no operand of a comparison that we know. */
static void
referred(Walk *walk, ColumnRef *ref)
{
	const LqRename *rename = walk->rename;

	if (rename->is_family != NULL)
	{
		if (list_length(ref->fields) != 2 || !IsA(lsecond(ref->fields), String) ||
			!rename->is_family(strVal(linitial(ref->fields))))
			return;
		if (strcmp(strVal(lsecond(ref->fields)), rename->before) == 0)
			edit(walk, ref->location, true);
		else if (strcmp(strVal(lsecond(ref->fields)), rename->after) == 0)
			problem(walk, "It names the new one already.");
	}
	else if (is_column(walk, (Node *) ref))
		problem(walk, "It uses the name otherwise than in a comparison with a string.");
	else if (list_name((Node *) ref) != NULL)
		walk->renamed->others = lappend(walk->renamed->others,
										list_name((Node *) ref));
}

static bool
walker(Node *node, void *context)
{
	Walk	   *walk = context;
	bool		of_values = walk->rename->is_family == NULL;

	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef))
	{
		referred(walk, (ColumnRef *) node);
		return false;
	}
	if (of_values)
	{
		if (IsA(node, A_Expr) && known_comparison(walk, (A_Expr *) node))
			return false;
		if (IsA(node, CaseExpr) && known_case(walk, (CaseExpr *) node))
			return false;
		if (IsA(node, NullTest) &&
			is_column(walk, (Node *) ((NullTest *) node)->arg))
			return false;
		if (IsA(node, A_Const) && is_literal(node) &&
			literal_is(node, walk->rename->before))
			problem(walk, "It has the name as a string that is compared with something else.");
	}
	return raw_expression_tree_walker(node, walker, context);
}

/* Where the tokens of a text begin and end. */
static Token *
tokens_of(const char *text, int *n)
{
	core_yy_extra_type extra;
	core_yyscan_t scanner;
	core_YYSTYPE value;
	YYLTYPE		location;
	Token	   *tokens = palloc((strlen(text) + 1) * sizeof(Token));

	scanner = scanner_init(text, &extra, &ScanKeywords, ScanKeywordTokens);
	lq_no_escape_warning(extra);
	*n = 0;
	while (core_yylex(&value, &location, scanner) != 0)
	{
		/* the scanner ends the token that it is at with a zero */
		tokens[*n].start = location;
		tokens[*n].len = strlen(extra.scanbuf + location);
		(*n)++;
	}
	scanner_finish(scanner);
	return tokens;
}

static int
compare_edits(const ListCell *a, const ListCell *b)
{
	return ((Edit *) lfirst(a))->location - ((Edit *) lfirst(b))->location;
}

static char *
edited(Walk *walk, const char *text)
{
	StringInfoData buf;
	int			n;
	int			at = 0;
	int			done = 0;
	Token	   *tokens;
	ListCell   *cell;

	if (walk->edits == NIL)
		return pstrdup(text);
	tokens = tokens_of(text, &n);
	list_sort(walk->edits, compare_edits);
	initStringInfo(&buf);
	foreach(cell, walk->edits)
	{
		Edit	   *e = lfirst(cell);
		const Token *token;
		const char *name = walk->rename->after;

		while (at < n && tokens[at].start < e->location)
			at++;
		if (at + (e->identifier ? 2 : 0) >= n)
			elog(ERROR, "unexpected end of a condition");
		token = &tokens[at + (e->identifier ? 2 : 0)];
		/* an escape character may follow, which would be left over */
		if (pg_strncasecmp(text + token->start, "U&", 2) == 0)
			problem(walk, "It spells the name in Unicode escapes.");
		appendBinaryStringInfo(&buf, text + done, token->start - done);
		appendStringInfoString(&buf, e->identifier ? quote_identifier(name) :
							   quote_literal_cstr(name));
		done = token->start + token->len;
	}
	appendStringInfoString(&buf, text + done);
	return buf.data;
}

void
lq_condition_rename(const char *text, const LqRename *rename,
					LqRenamed *renamed)
{
	Walk		walk = {rename, renamed, NIL};

	memset(renamed, 0, sizeof(LqRenamed));
	(void) walker(lq_parse_raw(text), &walk);
	renamed->text = edited(&walk, text);
}

static Datum
to_array(List *texts)
{
	Datum	   *values = palloc(Max(list_length(texts), 1) * sizeof(Datum));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, texts)
		values[n++] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(values, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

/*
 * _rename_in_condition(condition, what, columns, before, after) - record
 *
 * To be called under settings that say how a stored text is read.
 */
Datum
_rename_in_condition(PG_FUNCTION_ARGS)
{
	char	   *condition = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *what = text_to_cstring(PG_GETARG_TEXT_PP(1));
	LqRename	rename = {0};
	LqRenamed	renamed;
	Datum	   *columns;
	int			n;
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false, false, false, false};

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false,
					  TYPALIGN_INT, &columns, NULL, &n);
	for (int i = 0; i < n; i++)
		rename.columns = lappend(rename.columns,
								 TextDatumGetCString(columns[i]));
	if (strcmp(what, "list") == 0)
		rename.is_family = lq_is_list_family;
	else if (strcmp(what, "rule") == 0)
		rename.is_family = lq_is_rule_family;
	rename.before = text_to_cstring(PG_GETARG_TEXT_PP(3));
	rename.after = text_to_cstring(PG_GETARG_TEXT_PP(4));
	lq_condition_rename(condition, &rename, &renamed);

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = CStringGetTextDatum(renamed.text);
	nulls[1] = renamed.problem == NULL;
	values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(renamed.problem);
	values[2] = to_array(renamed.lists);
	values[3] = to_array(renamed.others);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 nulls));
}
