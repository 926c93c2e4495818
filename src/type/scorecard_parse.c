/*
 * scorecard_parse.c
 *		Reads the text form of a scorecard; see scorecard_io.c for how it looks.
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "common/int.h"
#include "mb/pg_wchar.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "type/scorecard.h"
#include "type/scorecard_check.h"
#include "type/scorecard_parse.h"

/* how long a quotation of the input in a message may be */
#define QUOTE_LEN		64

/* units of a duration, the longest first */
const LqCardUnit lq_card_units[LQ_CARD_UNITS] =
{
	{"d", USECS_PER_DAY},
	{"h", USECS_PER_HOUR},
	{"min", USECS_PER_MINUTE},
	{"s", USECS_PER_SEC},
	{"ms", INT64CONST(1000)},
	{"us", INT64CONST(1)},
};

/* the state of the text parser */
typedef struct LqCardParser
{
	const char *start;
	const char *at;
	int			sqlstate;		/* of the first failure; 0 = none yet */
	char	   *detail;
} LqCardParser;

/*
 * Every function says whether it succeeded; the first failure is kept for
 * the error.
 */

static bool
fail(LqCardParser *parser, int sqlstate, const char *what)
{
	int			place = parser->at - parser->start + 1;

	if (parser->sqlstate == 0)
	{
		parser->sqlstate = sqlstate;
		if (*parser->at == '\0')
			parser->detail = psprintf("%s, at the end.", what);
		else
		{
			int			len = strcspn(parser->at, " \t\r\n|}");

			len = pg_mbcliplen(parser->at, Max(len, 1), QUOTE_LEN);
			parser->detail = psprintf("%s, at character %d: \"%.*s\".",
									  what, place, len, parser->at);
		}
	}
	return false;
}

static bool
fail_syntax(LqCardParser *parser, const char *what)
{
	return fail(parser, ERRCODE_INVALID_TEXT_REPRESENTATION, what);
}

static bool
fail_range(LqCardParser *parser, const char *what)
{
	return fail(parser, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, what);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_blank(LqCardParser *parser)
{
	while (is_blank(*parser->at))
		parser->at++;
}

/* Does a word or a mark end here? */
static bool
at_end(const LqCardParser *parser)
{
	char		c = *parser->at;

	return c == '\0' || c == '|' || c == '}' || is_blank(c);
}

static bool
want_end(LqCardParser *parser)
{
	return at_end(parser) || fail_syntax(parser, "Unexpected character");
}

static bool
want_char(LqCardParser *parser, char c, const char *what)
{
	skip_blank(parser);
	if (*parser->at != c)
		return fail_syntax(parser, what);
	parser->at++;
	return true;
}

/* Take the name and its equals sign, if that is what comes. */
static bool
accept_name(LqCardParser *parser, const char *name)
{
	size_t		len = strlen(name);

	skip_blank(parser);
	if (strncmp(parser->at, name, len) != 0 || parser->at[len] != '=')
		return false;
	parser->at += len + 1;
	return true;
}

static bool
want_word(LqCardParser *parser, const char *word)
{
	size_t		len = strlen(word);

	if (strncmp(parser->at, word, len) != 0)
		return false;
	parser->at += len;
	if (at_end(parser))
		return true;
	parser->at -= len;
	return false;
}

/* A whole number, without its end. */
static bool
parse_digits(LqCardParser *parser, int64 least, int64 most, int64 *result)
{
	const char *start = parser->at;
	bool		negative = false;
	int64		value = 0;

	if (*parser->at == '-')
	{
		negative = true;
		parser->at++;
	}
	if (!isdigit((unsigned char) *parser->at))
	{
		parser->at = start;
		return fail_syntax(parser, "A whole number is missing");
	}
	for (; isdigit((unsigned char) *parser->at); parser->at++)
	{
		int			digit = *parser->at - '0';

		/* downwards, as there is one more negative number */
		if (pg_mul_s64_overflow(value, 10, &value) ||
			pg_sub_s64_overflow(value, digit, &value))
		{
			parser->at = start;
			return fail_range(parser, "The number is out of range");
		}
	}
	if ((!negative && value == PG_INT64_MIN) ||
		(negative ? value : -value) < least ||
		(negative ? value : -value) > most)
	{
		parser->at = start;
		return fail_range(parser, "The number is out of range");
	}
	*result = negative ? value : -value;
	return true;
}

static bool
parse_int64(LqCardParser *parser, int64 least, int64 *result)
{
	return parse_digits(parser, least, PG_INT64_MAX, result) &&
		want_end(parser);
}

static bool
parse_int32(LqCardParser *parser, int32 least, int32 *result)
{
	int64		value = 0;

	if (!parse_digits(parser, least, PG_INT32_MAX, &value) ||
		!want_end(parser))
		return false;
	*result = (int32) value;
	return true;
}

/* A finite number; NaN, infinity and hexadecimal do not pass. */
static bool
parse_number(LqCardParser *parser, double *result)
{
	size_t		len = strspn(parser->at, "0123456789+-.eE");
	char		digits[64];
	char	   *end;

	if (len == 0)
		return fail_syntax(parser, "A number is missing");
	if (len >= sizeof(digits))
		return fail_syntax(parser, "The number has too many digits");
	memcpy(digits, parser->at, len);
	digits[len] = '\0';

	errno = 0;
	*result = strtod(digits, &end);
	if (end != digits + len)
		return fail_syntax(parser, "Not a number");
	if (isinf(*result) || (errno == ERANGE && *result == 0))
		return fail_range(parser, "The number is out of range");
	*result += 0.0;				/* never -0 */
	parser->at += len;
	return want_end(parser);
}

static bool
parse_duration(LqCardParser *parser, int64 *result)
{
	const char *start = parser->at;
	int64		count;

	if (!parse_digits(parser, 1, PG_INT64_MAX, &count))
		return false;
	for (int i = 0; i < LQ_CARD_UNITS; i++)
	{
		if (!want_word(parser, lq_card_units[i].name))
			continue;
		if (pg_mul_s64_overflow(count, lq_card_units[i].usecs, result))
		{
			parser->at = start;
			return fail_range(parser, "The duration is out of range");
		}
		return true;
	}
	return fail_syntax(parser, "A unit (d, h, min, s, ms or us) is missing");
}

/* Exactly that many digits, and the mark after them. */
static bool
parse_field(const char **at, int digits, char mark, int *result)
{
	*result = 0;
	for (int i = 0; i < digits; i++, (*at)++)
	{
		if (!isdigit((unsigned char) **at))
			return false;
		*result = *result * 10 + (**at - '0');
	}
	if (mark == '\0')
		return true;
	return *(*at)++ == mark;
}

/* YYYY-MM-DDTHH:MM:SS[.ffffff]Z, the year possibly longer or negative. */
static bool
split_instant(const char **at, struct pg_tm *tm, int *fsec)
{
	bool		negative = **at == '-';
	int			digits;

	memset(tm, 0, sizeof(struct pg_tm));
	*fsec = 0;
	if (negative)
		(*at)++;
	digits = strspn(*at, "0123456789");
	if (digits < 4 || digits > 6 ||
		!parse_field(at, digits, '-', &tm->tm_year) ||
		!parse_field(at, 2, '-', &tm->tm_mon) ||
		!parse_field(at, 2, 'T', &tm->tm_mday) ||
		!parse_field(at, 2, ':', &tm->tm_hour) ||
		!parse_field(at, 2, ':', &tm->tm_min) ||
		!parse_field(at, 2, '\0', &tm->tm_sec))
		return false;
	if (negative)
		tm->tm_year = -tm->tm_year;
	if (**at == '.')
	{
		(*at)++;
		digits = strspn(*at, "0123456789");
		if (digits < 1 || digits > 6 || !parse_field(at, digits, '\0', fsec))
			return false;
		for (; digits < 6; digits++)
			*fsec *= 10;
	}
	return *(*at)++ == 'Z';
}

static bool
parse_instant(LqCardParser *parser, TimestampTz *result)
{
	const char *at = parser->at;
	struct pg_tm tm;
	int			fsec;
	int64		days;

	if (!split_instant(&at, &tm, &fsec))
		return fail_syntax(parser, "Not an instant such as 2026-01-31T09:00:00Z");
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
		tm.tm_mday > day_tab[isleap(tm.tm_year)][tm.tm_mon - 1] ||
		tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
		return fail_range(parser, "There is no such instant");
	if (!IS_VALID_JULIAN(tm.tm_year, tm.tm_mon, tm.tm_mday))
		return fail_range(parser, "The instant is out of range");

	days = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
	if (pg_mul_s64_overflow(days, USECS_PER_DAY, result) ||
		pg_add_s64_overflow(*result,
							((tm.tm_hour * INT64CONST(60) + tm.tm_min) * 60 +
							 tm.tm_sec) * USECS_PER_SEC + fsec, result) ||
		!IS_VALID_TIMESTAMP(*result))
		return fail_range(parser, "The instant is out of range");

	parser->at = at;
	return want_end(parser);
}

static bool
parse_head(LqCardParser *parser, LqCard *card)
{
	const char *problem;

	if (!want_char(parser, '{', "A scorecard begins with \"{\""))
		return false;
	if (!want_word(parser, "v1"))
		return fail_syntax(parser, "The format \"v1\" is missing");
	if (accept_name(parser, "as_of") && !parse_instant(parser, &card->as_of))
		return false;
	if (accept_name(parser, "last_activity") &&
		!parse_instant(parser, &card->last_activity))
		return false;
	if (!accept_name(parser, "version"))
		return fail_syntax(parser, "The version is missing");
	if (!parse_int32(parser, 0, &card->version))
		return false;
	if (accept_name(parser, "max_fit") &&
		!parse_number(parser, &card->limits.max_fit))
		return false;
	if (accept_name(parser, "max_engagement") &&
		!parse_number(parser, &card->limits.max_engagement))
		return false;
	if (accept_name(parser, "floor") &&
		!parse_number(parser, &card->limits.floor))
		return false;

	problem = lq_card_check_head(card);
	if (problem != NULL)
	{
		parser->sqlstate = ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
		parser->detail = pstrdup(problem);
		return false;
	}
	return true;
}

static bool
parse_entry(LqCardParser *parser, LqCardEntry *entry)
{
	memset(entry, 0, sizeof(LqCardEntry));
	entry->last_hit = DT_NOBEGIN;
	entry->window_start = DT_NOBEGIN;
	entry->max_points = INFINITY;

	skip_blank(parser);
	if (!parse_int64(parser, PG_INT64_MIN, &entry->rule_id))
		return false;
	skip_blank(parser);
	if (want_word(parser, "engagement"))
		entry->axis = LQ_AXIS_ENGAGEMENT;
	else if (want_word(parser, "fit"))
		entry->axis = LQ_AXIS_FIT;
	else
		return fail_syntax(parser, "The axis (fit or engagement) is missing");
	if (!accept_name(parser, "hits"))
		return fail_syntax(parser, "The number of hits is missing");
	if (!parse_int64(parser, 1, &entry->hits))
		return false;
	if (accept_name(parser, "last") &&
		!parse_instant(parser, &entry->last_hit))
		return false;
	if (!accept_name(parser, "points"))
		return fail_syntax(parser, "The points are missing");
	if (!parse_number(parser, &entry->points))
		return false;
	if (accept_name(parser, "half_life") &&
		!parse_duration(parser, &entry->half_life))
		return false;
	if (accept_name(parser, "max_points") &&
		!parse_number(parser, &entry->max_points))
		return false;
	if (accept_name(parser, "max_hits") &&
		!parse_int32(parser, 1, &entry->max_hits))
		return false;
	if (accept_name(parser, "per") && !parse_duration(parser, &entry->per))
		return false;
	if (accept_name(parser, "window") &&
		!parse_instant(parser, &entry->window_start))
		return false;
	if (accept_name(parser, "window_hits") &&
		!parse_int32(parser, 1, &entry->window_hits))
		return false;
	return true;
}

static bool
parse_entries(LqCardParser *parser, LqCard *card)
{
	for (skip_blank(parser); *parser->at == '|'; skip_blank(parser))
	{
		LqCardEntry *entry;
		const char *problem;

		if (card->n_entries >= LQ_CARD_MAX_ENTRIES)
			return fail_range(parser, "There are too many rules");
		parser->at++;
		lq_card_reserve(card, card->n_entries + 1);
		entry = &card->entries[card->n_entries];
		if (!parse_entry(parser, entry))
			return false;

		problem = lq_card_check_entry(card, entry);
		if (problem != NULL)
		{
			parser->sqlstate = ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
			parser->detail = psprintf("Rule " INT64_FORMAT ": %s",
									  entry->rule_id, problem);
			return false;
		}
		if (card->n_entries > 0 && entry[-1].rule_id >= entry->rule_id)
		{
			parser->sqlstate = ERRCODE_INVALID_TEXT_REPRESENTATION;
			parser->detail = psprintf("Rule " INT64_FORMAT " is out of order.",
									  entry->rule_id);
			return false;
		}
		card->n_entries++;
	}
	return true;
}

static bool
parse_card(LqCardParser *parser, LqCard *card)
{
	if (!parse_head(parser, card) || !parse_entries(parser, card) ||
		!want_char(parser, '}', "Unknown, misplaced or missing word"))
		return false;
	skip_blank(parser);
	if (*parser->at != '\0')
		return fail_syntax(parser, "There is something after the scorecard");
	return true;
}

/*
 * Read a card, which comes in empty.  On failure give the error code and, as
 * an errdetail(), what is wrong and where.
 */
bool
lq_card_parse(const char *str, LqCard *card, int *sqlstate, char **detail)
{
	LqCardParser parser = {str, str, 0, NULL};

	if (parse_card(&parser, card))
		return true;
	*sqlstate = parser.sqlstate;
	*detail = parser.detail;
	return false;
}
