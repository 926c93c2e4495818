/*
 * qualification.c
 *		Packed answers: parse, print, compare and combine, for any framework.
 *
 * Nothing here knows the function manager; qualification_type.c makes SQL
 * functions of it.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "type/answer_level.h"
#include "type/qualification.h"

/* A literal being read. */
typedef struct Reader
{
	const LqFramework *fw;
	const char *start;			/* of the literal */
	const char *at;				/* what comes next */
	LqParseError *error;
} Reader;

static bool
same_word(const char *word, const char *str, int len)
{
	return strlen(word) == len && pg_strncasecmp(word, str, len) == 0;
}

/*
 * Which element goes by that symbol or long name?  -1 if none does.
 */
int
lq_element_index(const LqFramework *fw, const char *str, int len)
{
	for (int i = 0; i < fw->nelements; i++)
	{
		if (same_word(fw->elements[i].symbol, str, len) ||
			same_word(fw->elements[i].name, str, len))
			return i;
	}
	return -1;
}

/*
 * A hint that lists what lq_element_index() accepts.
 */
char *
lq_element_hint(const LqFramework *fw)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "The elements are ");
	for (int i = 0; i < fw->nelements; i++)
		appendStringInfo(&buf, "%s%s (%s)",
						 i == 0 ? "" : i < fw->nelements - 1 ? ", " : " and ",
						 fw->elements[i].symbol, fw->elements[i].name);
	appendStringInfoChar(&buf, '.');
	return buf.data;
}

/*
 * Can these bits be a value?  For bytes from outside.
 */
bool
lq_qualification_is_valid(const LqFramework *fw, uint32 bits)
{
	/* each pair of bits is a level, so only the rest can be wrong */
	return ((uint64) bits >> (2 * fw->nelements)) == 0;
}

/*
 * Our own idea of white space: the server's changed between versions.
 */
static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * Bytes above ASCII count as letters, so that a foreign word is quoted whole.
 */
static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '_' || IS_HIGHBIT_SET(c);
}

static bool
is_symbol(char c)
{
	return c == '-' || c == '?' || c == '~' || c == '+';
}

static void
skip_space(Reader *reader)
{
	while (is_space(*reader->at))
		reader->at++;
}

static int
word_length(Reader *reader)
{
	int			len = 0;

	while (is_word(reader->at[len]))
		len++;
	return len;
}

/* Where a reader stands, as users count: in characters, from 1. */
static int
position(Reader *reader)
{
	return pg_mbstrlen_with_len(reader->start, reader->at - reader->start) + 1;
}

/*
 * Report that something else than what stands here was expected.
 */
static bool
expected(Reader *reader, const char *what, char *hint)
{
	if (*reader->at == '\0')
		reader->error->detail = psprintf("%s is missing at the end.", what);
	else
		reader->error->detail = psprintf("%s is expected at character %d, not \"%.*s\".",
										 what, position(reader),
										 is_word(*reader->at) ?
										 word_length(reader) : 1,
										 reader->at);
	reader->error->hint = hint;
	return false;
}

/*
 * Read a symbol of an element or its long name; -1 if that cannot be.
 */
static int
read_element(Reader *reader)
{
	int			len = word_length(reader);
	int			element;

	if (len == 0)
	{
		expected(reader, "An element", lq_element_hint(reader->fw));
		return -1;
	}

	element = lq_element_index(reader->fw, reader->at, len);
	if (element < 0)
	{
		reader->error->detail = psprintf("Unknown element \"%.*s\" at character %d.",
										 len, reader->at, position(reader));
		reader->error->hint = lq_element_hint(reader->fw);
		return -1;
	}
	reader->at += len;
	return element;
}

/*
 * Read the same where no element may come twice, and add it to those seen.
 */
static int
read_new_element(Reader *reader, uint32 *seen)
{
	Reader		first = *reader;
	int			element = read_element(reader);

	if (element < 0)
		return -1;
	if (*seen & ((uint32) 1 << element))
	{
		reader->error->detail = psprintf("Element \"%s\" is given a second time at character %d.",
										 reader->fw->elements[element].name,
										 position(&first));
		reader->error->hint = pstrdup("Give each element at most once.");
		return -1;
	}
	*seen |= (uint32) 1 << element;
	return element;
}

/*
 * Read a level of an element, its symbol or its name.
 */
static bool
read_level_name(Reader *reader, int element, LqLevel *level)
{
	const char *name = reader->fw->elements[element].name;
	int			len;

	len = is_symbol(*reader->at) ? 1 : word_length(reader);
	if (len == 0)
		return expected(reader, psprintf("A level of element \"%s\"", name),
						pstrdup(LQ_LEVEL_HINT));
	if (!lq_level_parse(reader->at, len, level))
	{
		reader->error->detail = psprintf("Unknown level \"%.*s\" of element \"%s\" at character %d.",
										 len, reader->at, name,
										 position(reader));
		reader->error->hint = pstrdup(LQ_LEVEL_HINT);
		return false;
	}
	reader->at += len;
	return true;
}

/*
 * Read a level: its symbol right behind the element, or "=" and its name.
 */
static bool
read_level(Reader *reader, int element, LqLevel *level)
{
	const char *name = reader->fw->elements[element].name;

	if (!is_symbol(*reader->at))
	{
		skip_space(reader);
		if (*reader->at != '=')
			return expected(reader, psprintf("A level of element \"%s\"", name),
							pstrdup(LQ_LEVEL_HINT));
		reader->at++;
		skip_space(reader);
	}
	return read_level_name(reader, element, level);
}

/*
 * Read one character of JSON.
 */
static bool
read_char(Reader *reader, char c)
{
	const LqFramework *fw = reader->fw;

	if (*reader->at != c)
		return expected(reader,
						c == '"' ? "A quotation mark" : c == ':' ? "A colon" :
						c == '}' ? "A comma or a closing brace" : "The end of the text",
						psprintf("Write an object such as {\"%s\": \"%s\"}.",
								 fw->elements[0].name,
								 lq_level_name(LQ_LEVEL_YES)));
	if (c != '\0')
		reader->at++;
	return true;
}

/*
 * Read an object of levels by element, as JSON has it, to the end.  Names of
 * elements and levels need no escapes, so there are none.
 */
static bool
read_object(Reader *reader, uint32 *bits)
{
	uint32		seen = 0;
	bool		more;

	reader->at++;
	skip_space(reader);
	for (more = *reader->at != '}'; more;)
	{
		LqLevel		level = LQ_LEVEL_UNKNOWN;
		int			element;

		if (!read_char(reader, '"'))
			return false;
		element = read_new_element(reader, &seen);
		if (element < 0 || !read_char(reader, '"'))
			return false;
		skip_space(reader);
		if (!read_char(reader, ':'))
			return false;
		skip_space(reader);
		if (word_length(reader) == 4 && strncmp(reader->at, "null", 4) == 0)
			reader->at += 4;
		else if (!read_char(reader, '"') ||
				 !read_level_name(reader, element, &level) ||
				 !read_char(reader, '"'))
			return false;
		*bits = lq_qualification_set(*bits, element, level);

		skip_space(reader);
		more = *reader->at == ',';
		if (more)
		{
			reader->at++;
			skip_space(reader);
		}
	}
	if (!read_char(reader, '}'))
		return false;
	skip_space(reader);
	return read_char(reader, '\0');
}

/*
 * Read a literal such as "B+ A?" or "budget=yes, authority=unknown".
 *
 * Elements come in any order, each at most once, with spaces or one comma
 * between them (nothing is needed behind a level's symbol); those left out
 * are unknown.  JSON is read as well, for clients that have an object.  False
 * means that *error says what is wrong and where.
 */
bool
lq_qualification_parse(const LqFramework *fw, const char *str,
					   uint32 *bits, LqParseError *error)
{
	Reader		reader = {fw, str, str, error};
	uint32		seen = 0;

	*bits = 0;
	skip_space(&reader);
	if (*reader.at == '{')
		return read_object(&reader, bits);
	while (*reader.at != '\0')
	{
		int			element = read_new_element(&reader, &seen);
		LqLevel		level;

		if (element < 0 || !read_level(&reader, element, &level))
			return false;
		*bits = lq_qualification_set(*bits, element, level);

		skip_space(&reader);
		if (*reader.at == ',')
		{
			reader.at++;
			skip_space(&reader);
			if (*reader.at == '\0')
				return expected(&reader, "An element", lq_element_hint(fw));
		}
	}
	return true;
}

/*
 * The canonical text: "B+ A? N~ T-".
 */
char *
lq_qualification_print(const LqFramework *fw, uint32 bits)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < fw->nelements; i++)
	{
		if (i > 0)
			appendStringInfoChar(&buf, ' ');
		appendStringInfoString(&buf, fw->elements[i].symbol);
		appendStringInfoChar(&buf,
							 lq_level_symbol(lq_qualification_level(bits, i)));
	}
	return buf.data;
}

/*
 * The total order: by the levels, the first element counting most.  A value
 * that covers another is never below it.
 */
int
lq_qualification_compare(const LqFramework *fw, uint32 a, uint32 b)
{
	for (int i = 0; i < fw->nelements; i++)
	{
		LqLevel		mine = lq_qualification_level(a, i);
		LqLevel		other = lq_qualification_level(b, i);

		if (mine != other)
			return (int) mine - (int) other;
	}
	return 0;
}

/*
 * Is each element of a at least as high as that of b?
 */
bool
lq_qualification_covers(const LqFramework *fw, uint32 a, uint32 b)
{
	for (int i = 0; i < fw->nelements; i++)
	{
		if (lq_qualification_level(a, i) < lq_qualification_level(b, i))
			return false;
	}
	return true;
}

/*
 * News b on top of a: what b knows, wins.
 */
uint32
lq_qualification_merge(const LqFramework *fw, uint32 a, uint32 b)
{
	for (int i = 0; i < fw->nelements; i++)
	{
		LqLevel		level = lq_qualification_level(b, i);

		if (level != LQ_LEVEL_UNKNOWN)
			a = lq_qualification_set(a, i, level);
	}
	return a;
}

/*
 * Two contacts of one account: the higher answer counts, and any answer, a
 * "no" as well, tells more than none.  That is the maximum under unknown <
 * no < partial < yes, so the order of the contacts does not matter.
 */
uint32
lq_qualification_best(const LqFramework *fw, uint32 a, uint32 b)
{
	for (int i = 0; i < fw->nelements; i++)
	{
		LqLevel		mine = lq_qualification_level(a, i);
		LqLevel		other = lq_qualification_level(b, i);

		if (mine == LQ_LEVEL_UNKNOWN ||
			(other != LQ_LEVEL_UNKNOWN && other > mine))
			a = lq_qualification_set(a, i, other);
	}
	return a;
}

/*
 * How many elements stand at this level?
 */
int
lq_qualification_count(const LqFramework *fw, uint32 bits, LqLevel level)
{
	int			count = 0;

	for (int i = 0; i < fw->nelements; i++)
	{
		if (lq_qualification_level(bits, i) == level)
			count++;
	}
	return count;
}
