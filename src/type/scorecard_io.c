/*
 * scorecard_io.c
 *		Text and binary forms of a scorecard.
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
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "type/scorecard.h"
#include "type/scorecard_check.h"
#include "type/scorecard_io.h"
#include "type/scorecard_parse.h"

PG_FUNCTION_INFO_V1(scorecard_in);
PG_FUNCTION_INFO_V1(scorecard_out);
PG_FUNCTION_INFO_V1(scorecard_recv);
PG_FUNCTION_INFO_V1(scorecard_send);

/* how long a quotation of the input in a message may be */
#define QUOTE_LEN		64

/* An instant in ISO 8601, UTC; microseconds only if there are any. */
char *
lq_instant_text(TimestampTz instant, char *buf)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (TIMESTAMP_NOT_FINITE(instant))
	{
		strlcpy(buf, instant == DT_NOEND ? "infinity" : "-infinity",
				LQ_INSTANT_LEN);
		return buf;
	}
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
	char		buffer[LQ_INSTANT_LEN];

	if (instant != DT_NOBEGIN)
		appendStringInfo(buf, " %s=%s", name, lq_instant_text(instant, buffer));
}

/* The shortest digits that give the same number back. */
static void
put_number(StringInfo buf, const char *name, double value)
{
	char		buffer[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (isinf(value))
		return;
	double_to_shortest_decimal_buf(value, buffer);
	appendStringInfo(buf, " %s=%s", name, buffer);
}

/* A duration in the longest unit that divides it. */
static void
put_duration(StringInfo buf, const char *name, int64 usecs)
{
	int			i = 0;

	if (usecs == 0)
		return;
	while (usecs % lq_card_units[i].usecs != 0)
		i++;
	appendStringInfo(buf, " %s=" INT64_FORMAT "%s",
					 name, usecs / lq_card_units[i].usecs, lq_card_units[i].name);
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

Datum
scorecard_in(PG_FUNCTION_ARGS)
{
	char	   *str = PG_GETARG_CSTRING(0);
	int			sqlstate;
	char	   *detail;
	LqCard	   *card = lq_card_new(0, NULL);

	if (!lq_card_parse(str, card, &sqlstate, &detail))
	{
		int			len = strlen(str);

		if (len > QUOTE_LEN)
			str = psprintf("%.*s...", pg_mbcliplen(str, len, QUOTE_LEN), str);
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(sqlstate),
				 sqlstate == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE ?
				 errmsg("value out of range for type %s: \"%s\"",
						"scorecard", str) :
				 errmsg("invalid input syntax for type %s: \"%s\"",
						"scorecard", str),
				 errdetail("%s", detail)));
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

pg_noreturn static void bad_binary(const char *detail);

static void
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

	lq_card_reserve(card, n);
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
