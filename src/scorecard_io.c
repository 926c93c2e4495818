/*
 * scorecard_io.c
 *		Text, binary and jsonb forms of a scorecard.
 *
 * The text form is one line, the same under every setting and time zone:
 *
 *	{v1 as_of=2026-01-02T03:04:05Z last_activity=2026-01-02T03:04:05Z version=3
 *	 max_fit=100 max_engagement=200 floor=0
 *	 | 12 engagement hits=3 last=2026-01-02T03:04:05Z points=12.25 half_life=30d
 *	   max_points=30 max_hits=3 per=1d window=2026-01-02T03:04:05Z window_hits=2
 *	 | 13 fit hits=1 points=10}
 *
 * What there is none of is left out.  Input wants this order and takes any
 * amount of blank space between words.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "common/int.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "scorecard.h"

PG_FUNCTION_INFO_V1(scorecard_in);
PG_FUNCTION_INFO_V1(scorecard_out);
PG_FUNCTION_INFO_V1(scorecard_recv);
PG_FUNCTION_INFO_V1(scorecard_send);

/* how long a quotation of the input in a message may be */
#define QUOTE_LEN		64

/* units of a duration, the longest first */
static const struct
{
	const char *name;
	int64		usecs;
}			units[] =

{
	{"d", USECS_PER_DAY},
	{"h", USECS_PER_HOUR},
	{"min", USECS_PER_MINUTE},
	{"s", USECS_PER_SEC},
	{"ms", INT64CONST(1000)},
	{"us", INT64CONST(1)},
};

/* the state of the text parser */
typedef struct Parser
{
	const char *text;
	const char *at;
	int			sqlstate;		/* of the first failure; 0 = none yet */
	char	   *detail;
} Parser;

/*
 * Writing
 */

/* An instant in ISO 8601, UTC; microseconds only if there are any. */
char *
lq_instant_text(TimestampTz instant, char *buf)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (TIMESTAMP_IS_NOBEGIN(instant))
		return strcpy(buf, "-infinity");
	if (TIMESTAMP_IS_NOEND(instant))
		return strcpy(buf, "infinity");
	if (timestamp2tm(instant, NULL, &tm, &fsec, NULL, NULL) != 0)
		elog(ERROR, "timestamp out of range");
	if (fsec != 0)
		snprintf(buf, LQ_INSTANT_LEN, "%s%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
				 tm.tm_year < 0 ? "-" : "", abs(tm.tm_year), tm.tm_mon,
				 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int) fsec);
	else
		snprintf(buf, LQ_INSTANT_LEN, "%s%04d-%02d-%02dT%02d:%02d:%02dZ",
				 tm.tm_year < 0 ? "-" : "", abs(tm.tm_year), tm.tm_mon,
				 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return buf;
}

static void
put_instant(StringInfo buf, const char *name, TimestampTz instant)
{
	char		text[LQ_INSTANT_LEN];

	if (instant != DT_NOBEGIN)
		appendStringInfo(buf, " %s=%s", name, lq_instant_text(instant, text));
}

/* The shortest digits that give the same number back. */
static void
put_number(StringInfo buf, const char *name, double value)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (isinf(value))
		return;
	double_to_shortest_decimal_buf(value, text);
	appendStringInfo(buf, " %s=%s", name, text);
}

/* A duration in the longest unit that divides it. */
static void
put_duration(StringInfo buf, const char *name, int64 usecs)
{
	int			i = 0;

	if (usecs == 0)
		return;
	while (usecs % units[i].usecs != 0)
		i++;
	appendStringInfo(buf, " %s=" INT64_FORMAT "%s",
					 name, usecs / units[i].usecs, units[i].name);
}

static void
put_entry(StringInfo buf, const LqCardEntry *entry)
{
	appendStringInfo(buf, " | " INT64_FORMAT " %s hits=" INT64_FORMAT,
					 entry->rule_id,
					 entry->axis == LQ_AXIS_FIT ? "fit" : "engagement",
					 entry->hits);
	put_instant(buf, "last", entry->last_hit);
	put_number(buf, "points", entry->points);
	put_duration(buf, "half_life", entry->half_life);
	put_number(buf, "max_points", entry->max_points);
	if (entry->max_hits > 0)
	{
		appendStringInfo(buf, " max_hits=%d", entry->max_hits);
		put_duration(buf, "per", entry->per);
		put_instant(buf, "window", entry->window_start);
		appendStringInfo(buf, " window_hits=%d", entry->window_hits);
	}
}

Datum
scorecard_out(PG_FUNCTION_ARGS)
{
	LqCard		card;
	StringInfoData buf;

	lq_card_view(&card, PG_GETARG_SCORECARD_P(0));
	initStringInfo(&buf);
	appendStringInfoString(&buf, "{v1");
	put_instant(&buf, "as_of", card.as_of);
	put_instant(&buf, "last_activity", card.last_activity);
	appendStringInfo(&buf, " version=%d", card.version);
	put_number(&buf, "max_fit", card.limits.max_fit);
	put_number(&buf, "max_engagement", card.limits.max_engagement);
	put_number(&buf, "floor", card.limits.floor);
	for (int i = 0; i < card.n_entries; i++)
		put_entry(&buf, &card.entries[i]);
	appendStringInfoChar(&buf, '}');
	PG_RETURN_CSTRING(buf.data);
}

/*
 * Reading.  Every function says whether it succeeded; the first failure is
 * kept for the error.
 */

static bool
fail(Parser *parser, int sqlstate, const char *what)
{
	int			place = parser->at - parser->text + 1;

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
fail_syntax(Parser *parser, const char *what)
{
	return fail(parser, ERRCODE_INVALID_TEXT_REPRESENTATION, what);
}

static bool
fail_range(Parser *parser, const char *what)
{
	return fail(parser, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, what);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_blank(Parser *parser)
{
	while (is_blank(*parser->at))
		parser->at++;
}

/* Does a word or a mark end here? */
static bool
at_end(const Parser *parser)
{
	char		c = *parser->at;

	return c == '\0' || c == '|' || c == '}' || is_blank(c);
}

static bool
want_end(Parser *parser)
{
	return at_end(parser) || fail_syntax(parser, "Unexpected character");
}

static bool
want_char(Parser *parser, char c, const char *what)
{
	skip_blank(parser);
	if (*parser->at != c)
		return fail_syntax(parser, what);
	parser->at++;
	return true;
}

/* Take the name and its equals sign, if that is what comes. */
static bool
accept_name(Parser *parser, const char *name)
{
	size_t		len = strlen(name);

	skip_blank(parser);
	if (strncmp(parser->at, name, len) != 0 || parser->at[len] != '=')
		return false;
	parser->at += len + 1;
	return true;
}

static bool
want_word(Parser *parser, const char *word)
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
parse_digits(Parser *parser, int64 least, int64 most, int64 *result)
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
parse_int64(Parser *parser, int64 least, int64 *result)
{
	return parse_digits(parser, least, PG_INT64_MAX, result) &&
		want_end(parser);
}

static bool
parse_int32(Parser *parser, int32 least, int32 *result)
{
	int64		value;

	if (!parse_digits(parser, least, PG_INT32_MAX, &value) ||
		!want_end(parser))
		return false;
	*result = (int32) value;
	return true;
}

/* A finite number; NaN, infinity and hexadecimal do not pass. */
static bool
parse_number(Parser *parser, double *result)
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
parse_duration(Parser *parser, int64 *result)
{
	const char *start = parser->at;
	int64		count;

	if (!parse_digits(parser, 1, PG_INT64_MAX, &count))
		return false;
	for (int i = 0; i < lengthof(units); i++)
	{
		if (!want_word(parser, units[i].name))
			continue;
		if (pg_mul_s64_overflow(count, units[i].usecs, result))
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
parse_instant(Parser *parser, TimestampTz *result)
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
parse_head(Parser *parser, LqCard *card)
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
parse_entry(Parser *parser, LqCardEntry *entry)
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
parse_entries(Parser *parser, LqCard *card)
{
	for (skip_blank(parser); *parser->at == '|'; skip_blank(parser))
	{
		LqCardEntry *entry;
		const char *problem;

		if (card->n_entries >= LQ_CARD_MAX_ENTRIES)
			return fail_range(parser, "There are too many rules");
		parser->at++;
		if (card->n_entries >= card->room)
		{
			card->room = Max(8, card->room * 2);
			card->entries = card->entries == NULL ?
				palloc(card->room * sizeof(LqCardEntry)) :
				repalloc(card->entries, card->room * sizeof(LqCardEntry));
		}
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
parse_card(Parser *parser, LqCard *card)
{
	if (!parse_head(parser, card) || !parse_entries(parser, card) ||
		!want_char(parser, '}', "Unknown, misplaced or missing word"))
		return false;
	skip_blank(parser);
	if (*parser->at != '\0')
		return fail_syntax(parser, "There is something after the scorecard");
	return true;
}

Datum
scorecard_in(PG_FUNCTION_ARGS)
{
	char	   *str = PG_GETARG_CSTRING(0);
	Parser		parser = {str, str, 0, NULL};
	LqCard	   *card = lq_card_new(0, NULL);

	if (!parse_card(&parser, card))
	{
		int			len = strlen(str);

		if (len > QUOTE_LEN)
			str = psprintf("%.*s...", pg_mbcliplen(str, len, QUOTE_LEN), str);
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(parser.sqlstate),
				 parser.sqlstate == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE ?
				 errmsg("value out of range for type %s: \"%s\"",
						"scorecard", str) :
				 errmsg("invalid input syntax for type %s: \"%s\"",
						"scorecard", str),
				 errdetail("%s", parser.detail)));
	}
	PG_RETURN_DATUM(lq_card_to_datum(card));
}

/*
 * Binary: the fields of the stored value in their order, network byte order,
 * without padding.
 */

Datum
scorecard_send(PG_FUNCTION_ARGS)
{
	LqCard		card;
	StringInfoData buf;

	lq_card_view(&card, PG_GETARG_SCORECARD_P(0));
	pq_begintypsend(&buf);
	pq_sendint8(&buf, LQ_CARD_FORMAT);
	pq_sendint8(&buf, 0);		/* flags */
	pq_sendint16(&buf, card.n_entries);
	pq_sendint32(&buf, card.version);
	pq_sendint64(&buf, card.as_of);
	pq_sendint64(&buf, card.last_activity);
	pq_sendfloat8(&buf, card.limits.max_fit);
	pq_sendfloat8(&buf, card.limits.max_engagement);
	pq_sendfloat8(&buf, card.limits.floor);
	for (int i = 0; i < card.n_entries; i++)
	{
		const LqCardEntry *entry = &card.entries[i];

		pq_sendint64(&buf, entry->rule_id);
		pq_sendint64(&buf, entry->hits);
		pq_sendint64(&buf, entry->last_hit);
		pq_sendfloat8(&buf, entry->points);
		pq_sendint64(&buf, entry->half_life);
		pq_sendfloat8(&buf, entry->max_points);
		pq_sendint64(&buf, entry->per);
		pq_sendint64(&buf, entry->window_start);
		pq_sendint32(&buf, entry->max_hits);
		pq_sendint32(&buf, entry->window_hits);
		pq_sendint8(&buf, entry->axis);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* bytes of an entry on the wire */
#define WIRE_ENTRY_SIZE		73

static void
pg_attribute_noreturn()
bad_binary(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid external scorecard value"),
			 errdetail("%s", detail)));
}

static void
receive_entry(StringInfo buf, LqCardEntry *entry)
{
	memset(entry, 0, sizeof(LqCardEntry));
	entry->rule_id = pq_getmsgint64(buf);
	entry->hits = pq_getmsgint64(buf);
	entry->last_hit = pq_getmsgint64(buf);
	entry->points = pq_getmsgfloat8(buf) + 0.0;
	entry->half_life = pq_getmsgint64(buf);
	entry->max_points = pq_getmsgfloat8(buf);
	entry->per = pq_getmsgint64(buf);
	entry->window_start = pq_getmsgint64(buf);
	entry->max_hits = pq_getmsgint(buf, 4);
	entry->window_hits = pq_getmsgint(buf, 4);
	entry->axis = pq_getmsgbyte(buf);
}

Datum
scorecard_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	LqCard	   *card = lq_card_new(0, NULL);
	const char *problem;
	int			n;

	if (buf->len - buf->cursor < 48)
		bad_binary("It is too short.");
	if (pq_getmsgbyte(buf) != LQ_CARD_FORMAT)
		bad_binary("The format is unknown.");
	if (pq_getmsgbyte(buf) != 0)
		bad_binary("The flags are unknown.");
	n = pq_getmsgint(buf, 2);
	if (n > LQ_CARD_MAX_ENTRIES)
		bad_binary("There are too many rules.");

	card->version = pq_getmsgint(buf, 4);
	card->as_of = pq_getmsgint64(buf);
	card->last_activity = pq_getmsgint64(buf);
	card->limits.max_fit = pq_getmsgfloat8(buf);
	card->limits.max_engagement = pq_getmsgfloat8(buf);
	card->limits.floor = pq_getmsgfloat8(buf) + 0.0;
	problem = lq_card_check_head(card);
	if (problem != NULL)
		bad_binary(problem);
	if (buf->len - buf->cursor != n * WIRE_ENTRY_SIZE)
		bad_binary("Its length does not fit the number of rules.");

	card->entries = palloc((n + 1) * sizeof(LqCardEntry));
	card->room = n + 1;
	for (int i = 0; i < n; i++)
	{
		receive_entry(buf, &card->entries[i]);
		problem = lq_card_check_entry(card, &card->entries[i]);
		if (problem != NULL)
			bad_binary(problem);
		if (i > 0 &&
			card->entries[i - 1].rule_id >= card->entries[i].rule_id)
			bad_binary("The rules are out of order.");
		card->n_entries++;
	}
	PG_RETURN_DATUM(lq_card_to_datum(card));
}
