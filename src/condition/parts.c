/*
 * parts.c
 *		The operands of a condition's top-level AND, cut out of what a person
 *		wrote.
 *
 * The text is known to be one expression, so a scanner that knows brackets,
 * quotes, comments, CASE and BETWEEN finds each AND that stands at the top.
 */
#include "postgres.h"

#include <ctype.h>

#include "miscadmin.h"
#include "nodes/parsenodes.h"

#include "condition/parse.h"
#include "condition/parts.h"

typedef struct Token
{
	const char *start;
	const char *end;
	bool		word;			/* a bare word, not after a dot */
} Token;

static bool
starts_word(char c)
{
	return isalpha((unsigned char) c) || c == '_' || IS_HIGHBIT_SET(c);
}

static bool
continues_word(char c)
{
	return starts_word(c) || isdigit((unsigned char) c) || c == '$';
}

/*
 * End of a quoted piece that begins at s.  A doubled quote is one that is
 * meant; so is one after a backslash, where that escapes.
 */
static const char *
skip_quoted(const char *s, char quote, bool escapes)
{
	for (s++; *s; s++)
	{
		if (escapes && *s == '\\' && s[1])
			s++;
		else if (*s == quote)
		{
			if (s[1] != quote)
				return s + 1;
			s++;
		}
	}
	return s;
}

static const char *
skip_comment(const char *s)
{
	int			depth = 0;

	if (*s == '-')
		return s + strcspn(s, "\r\n");
	while (*s)
	{
		if (s[0] == '/' && s[1] == '*')
			depth++;
		else if (s[0] == '*' && s[1] == '/')
			depth--;
		else
		{
			s++;
			continue;
		}
		s += 2;
		if (depth == 0)
			break;
	}
	return s;
}

/*
 * End of a dollar-quoted piece that begins at s; s if none does.
 */
static const char *
skip_dollar_quoted(const char *s)
{
	const char *tag = s + 1;
	const char *end;
	char	   *delimiter;

	while (continues_word(*tag) && *tag != '$')
		tag++;
	if (*tag != '$')
		return s;
	delimiter = pnstrdup(s, tag + 1 - s);
	end = strstr(tag + 1, delimiter);
	return end ? end + strlen(delimiter) : s;
}

/*
 * The next token at or after s; false at the end.
 */
static bool
next_token(const char *s, Token *token)
{
	while (isspace((unsigned char) *s) ||
		   (s[0] == '-' && s[1] == '-') || (s[0] == '/' && s[1] == '*'))
	{
		if (isspace((unsigned char) *s))
			s++;
		else
			s = skip_comment(s);
	}
	if (*s == '\0')
		return false;

	token->start = s;
	token->word = false;
	if (*s == '\'')
		s = skip_quoted(s, '\'', false);
	else if ((*s == 'e' || *s == 'E') && s[1] == '\'')
		s = skip_quoted(s + 1, '\'', true);
	else if (*s == '"')
		s = skip_quoted(s, '"', false);
	else if (*s == '$')
	{
		s = skip_dollar_quoted(s);
		if (s == token->start)
			s++;
	}
	else if (starts_word(*s))
	{
		while (continues_word(*s))
			s++;
		token->word = true;
	}
	else if (isdigit((unsigned char) *s))
	{
		while (continues_word(*s) || *s == '.')
			s++;
	}
	else
		s++;
	token->end = s;
	return true;
}

static bool
is_word(const Token *token, const char *word)
{
	return token->word && token->end - token->start == strlen(word) &&
		pg_strncasecmp(token->start, word, strlen(word)) == 0;
}

/*
 * How many conjuncts the analyser will make of one part: more than one where
 * the grammar has a shorthand for AND.
 */
static int
count_conjuncts(const char *text)
{
	A_Expr	   *a = (A_Expr *) lq_parse_raw(text);
	bool		rows;
	int			n_items;

	if (a == NULL || !IsA(a, A_Expr))
		return 1;
	rows = a->lexpr != NULL && IsA(a->lexpr, RowExpr);
	switch (a->kind)
	{
		case AEXPR_BETWEEN:
			return 2;

		case AEXPR_OP:
			if (rows && IsA(a->rexpr, RowExpr) &&
				strcmp(strVal(llast(a->name)), "=") == 0)
				return list_length(((RowExpr *) a->lexpr)->args);
			return 1;

		case AEXPR_IN:
			/* with one row, or NOT IN over rows, a chain of AND */
			n_items = list_length((List *) a->rexpr);
			if (!rows)
				return 1;
			if (strcmp(strVal(llast(a->name)), "<>") == 0)
				return n_items;
			return n_items == 1 ?
				list_length(((RowExpr *) a->lexpr)->args) : 1;

		default:
			return 1;
	}
}

/*
 * Append the parts of the text to the list.
 */
static List *
split(List *parts, const char *text)
{
	Token	   *tokens;
	int			n = 0;
	int			first = 0;
	int			last;
	int			depth = 0;
	int			betweens = 0;
	int			begin;
	List	   *operands = NIL;
	ListCell   *lc;
	LqPartText *part;

	check_stack_depth();

	tokens = palloc((strlen(text) + 1) * sizeof(Token));
	for (const char *s = text; next_token(s, &tokens[n]); s = tokens[n++].end)
	{
		if (n > 0 && *tokens[n - 1].start == '.')
			tokens[n].word = false;
	}
	last = n - 1;

	/* parentheses around the whole */
	while (first < last && *tokens[first].start == '(')
	{
		int			i;

		for (i = first; i <= last; i++)
		{
			if (*tokens[i].start == '(')
				depth++;
			else if (*tokens[i].start == ')' && --depth == 0)
				break;
		}
		depth = 0;
		if (i != last)
			break;
		first++;
		last--;
	}
	if (first > last)
		return parts;

	begin = first;
	for (int i = first; i <= last; i++)
	{
		const Token *token = &tokens[i];

		if (*token->start == '(' || *token->start == '[' ||
			is_word(token, "case"))
			depth++;
		else if (*token->start == ')' || *token->start == ']' ||
				 is_word(token, "end"))
			depth--;
		else if (depth > 0)
			continue;
		else if (is_word(token, "or"))
		{
			operands = NIL;
			break;
		}
		else if (is_word(token, "between"))
			betweens++;
		else if (is_word(token, "and"))
		{
			if (betweens > 0)
				betweens--;
			else if (i > begin)
			{
				operands = lappend(operands,
								   pnstrdup(tokens[begin].start,
											tokens[i - 1].end -
											tokens[begin].start));
				begin = i + 1;
			}
		}
	}

	if (operands != NIL && begin <= last)
	{
		operands = lappend(operands,
						   pnstrdup(tokens[begin].start,
									tokens[last].end - tokens[begin].start));
		foreach(lc, operands)
			parts = split(parts, (const char *) lfirst(lc));
		return parts;
	}

	part = palloc(sizeof(LqPartText));
	part->text = pnstrdup(tokens[first].start,
						  tokens[last].end - tokens[first].start);
	part->n_conjuncts = count_conjuncts(part->text);
	return lappend(parts, part);
}

/*
 * The parts of what a person wrote, a list of LqPartText; NIL if they are not
 * found.
 */
List *
lq_split_text(const char *condition)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *volatile parts = NIL;

	/*
	 * The text is shown only: a piece that does not parse must not disable
	 * the condition.  The grammar takes no lock and no other resource, so
	 * that no subtransaction is needed to get out of it.
	 */
	PG_TRY();
	{
		parts = split(NIL, condition);
	}
	PG_CATCH();
	{
		if (geterrcode() != ERRCODE_SYNTAX_ERROR)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		parts = NIL;
	}
	PG_END_TRY();
	return parts;
}
