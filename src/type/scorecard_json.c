/*
 * scorecard_json.c
 *		A scorecard as jsonb, for applications to look at.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "type/decay.h"
#include "type/scorecard.h"
#include "type/scorecard_io.h"

PG_FUNCTION_INFO_V1(scorecard_to_jsonb);

static void
put_instant(StringInfo buf, const char *name, TimestampTz instant)
{
	char		buffer[LQ_INSTANT_LEN];

	if (instant == DT_NOBEGIN)
		appendStringInfo(buf, ", \"%s\": null", name);
	else
		appendStringInfo(buf, ", \"%s\": \"%s\"", name,
						 lq_instant_text(instant, buffer));
}

static void
put_number(StringInfo buf, const char *name, double value)
{
	char		buffer[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (isinf(value))
		strlcpy(buffer, "null", sizeof(buffer));
	else
		double_to_shortest_decimal_buf(value, buffer);
	appendStringInfo(buf, ", \"%s\": %s", name, buffer);
}

/* Durations are numbers of seconds. */
static void
put_duration(StringInfo buf, const char *name, int64 usecs)
{
	if (usecs == 0)
		appendStringInfo(buf, ", \"%s\": null", name);
	else
		appendStringInfo(buf, ", \"%s\": " INT64_FORMAT ".%06d", name,
						 usecs / USECS_PER_SEC, (int) (usecs % USECS_PER_SEC));
}

static void
put_entry(StringInfo buf, const LqCard *card, const LqCardEntry *entry)
{
	appendStringInfo(buf, "{\"rule_id\": " INT64_FORMAT ", \"axis\": \"%s\", \"hits\": " INT64_FORMAT,
					 entry->rule_id,
					 entry->axis == LQ_AXIS_FIT ? "fit" : "engagement",
					 entry->hits);
	put_instant(buf, "last_hit", entry->last_hit);
	put_number(buf, "points",
			   (double) lq_card_entry_points(card, entry, card->as_of) /
			   (double) LQ_HUNDREDTHS);
	put_number(buf, "earned", entry->points);
	put_duration(buf, "half_life_seconds", entry->half_life);
	put_number(buf, "max_points", entry->max_points);
	if (entry->max_hits > 0)
	{
		appendStringInfo(buf, ", \"max_hits\": %d", entry->max_hits);
		put_duration(buf, "per_seconds", entry->per);
		put_instant(buf, "window_start", entry->window_start);
		appendStringInfo(buf, ", \"window_hits\": %d", entry->window_hits);
	}
	appendStringInfoChar(buf, '}');
}

/*
 * scorecard_to_jsonb(card) - the cast
 */
Datum
scorecard_to_jsonb(PG_FUNCTION_ARGS)
{
	LqCard		card;
	StringInfoData buf;

	lq_card_view(&card, PG_GETARG_SCORECARD_P(0));
	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"version\": %d", card.version);
	put_instant(&buf, "as_of", card.as_of);
	put_instant(&buf, "last_activity", card.last_activity);
	put_number(&buf, "max_fit", card.limits.max_fit);
	put_number(&buf, "max_engagement", card.limits.max_engagement);
	put_number(&buf, "floor", card.limits.floor);
	appendStringInfoString(&buf, ", \"rules\": [");
	for (int i = 0; i < card.n_entries; i++)
	{
		if (i > 0)
			appendStringInfoString(&buf, ", ");
		put_entry(&buf, &card, &card.entries[i]);
	}
	appendStringInfoString(&buf, "]}");
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data)));
}
