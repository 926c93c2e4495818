/*
 * instant.c
 *		What views ask of every row: the month of an instant, and how far two
 *		instants are apart.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "compat.h"

PG_FUNCTION_INFO_V1(month_of);
PG_FUNCTION_INFO_V1(microseconds_between);

/* the zone of the call before, and days of a month that are in it anywhere */
typedef struct Zone
{
	int			first_day;
	int			last_day;
	int			length;
	char		name[FLEXIBLE_ARRAY_MEMBER];
} Zone;

static bool
is_zone(const Zone *zone, const text *name)
{
	return zone != NULL && zone->length == VARSIZE_ANY_EXHDR(name) &&
		memcmp(zone->name, VARDATA_ANY(name), zone->length) == 0;
}

/*
 * No place on earth is a day from UTC, but a zone can be written with any
 * offset below a week; its name has a digit then.
 */
static Zone *
make_zone(MemoryContext context, const text *name)
{
	int			length = VARSIZE_ANY_EXHDR(name);
	Zone	   *zone = MemoryContextAlloc(context,
										  offsetof(Zone, name) + length);

	zone->length = length;
	memcpy(zone->name, VARDATA_ANY(name), length);
	zone->first_day = 3;
	zone->last_day = 26;
	for (int i = 0; i < length; i++)
		if (zone->name[i] >= '0' && zone->name[i] <= '9')
		{
			zone->first_day = 8;
			zone->last_day = 21;
		}
	return zone;
}

/* the month of that day, as a date */
static DateADT
first_of(int year, int month)
{
	return date2j(year, month, 1) - POSTGRES_EPOCH_JDATE;
}

/*
 * _month_of(at timestamptz, time_zone text) - date
 *
 * The same as date_trunc('month', at AT TIME ZONE time_zone)::date.  Most
 * instants are far enough from the ends of a month to be in it in any zone.
 */
Datum
month_of(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	text	   *name = PG_GETARG_TEXT_PP(1);
	Zone	   *zone = fcinfo->flinfo->fn_extra;
	Timestamp	local;
	int			year;
	int			month;
	int			day;

	if (is_zone(zone, name) && !TIMESTAMP_NOT_FINITE(at))
	{
		int64		days = at / USECS_PER_DAY;

		if (at % USECS_PER_DAY < 0)
			days--;
		j2date((int) days + POSTGRES_EPOCH_JDATE, &year, &month, &day);
		if (day >= zone->first_day && day <= zone->last_day)
			PG_RETURN_DATEADT(first_of(year, month));
	}

	local = DatumGetTimestamp(DirectFunctionCall2(timestamptz_zone,
												  PointerGetDatum(name),
												  TimestampTzGetDatum(at)));
	/* it is one */
	if (!is_zone(zone, name))
		fcinfo->flinfo->fn_extra = make_zone(fcinfo->flinfo->fn_mcxt, name);
	if (TIMESTAMP_NOT_FINITE(local))
		PG_RETURN_DATEADT(TIMESTAMP_IS_NOBEGIN(local) ? DATEVAL_NOBEGIN :
						  DATEVAL_NOEND);
	else
	{
		struct pg_tm tm;
		fsec_t		fsec;

		if (timestamp2tm(local, NULL, &tm, &fsec, NULL, NULL) != 0)
			ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
							errmsg("timestamp out of range")));
		PG_RETURN_DATEADT(first_of(tm.tm_year, tm.tm_mon));
	}
}

/*
 * _microseconds_between(since timestamptz, until timestamptz) - bigint
 *
 * A finite instant is less than 300,000 years from any other.
 */
Datum
microseconds_between(PG_FUNCTION_ARGS)
{
	TimestampTz since = PG_GETARG_TIMESTAMPTZ(0);
	TimestampTz until = PG_GETARG_TIMESTAMPTZ(1);

	if (TIMESTAMP_NOT_FINITE(since) || TIMESTAMP_NOT_FINITE(until))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("cannot subtract infinite timestamps")));
	PG_RETURN_INT64(until - since);
}
