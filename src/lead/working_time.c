/*
 * working_time.c
 *		Deadlines: counted by the clock on the wall or in working time.
 *
 * Working time is what the calendar says for a day of the week, in the
 * funnel's time zone, but for holidays.  Of a deadline in working time, hours
 * are hours open, as they pass: a night whose clock is set back is longer.  A
 * day is a working day: it ends at the same time of the next day that has
 * hours, or when closed at that time, at the closing before it, or else as
 * that day opens.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/lookup.h"
#include "funnel/policy.h"
#include "lead/working_time.h"

PG_FUNCTION_INFO_V1(due_at);
PG_FUNCTION_INFO_V1(_working_time_between);

/* how far to look for hours: holidays may be without end */
#define MAX_DAYS	1000000

typedef struct Period
{
	TimestampTz opens;
	TimestampTz closes;
} Period;

/*
 * Days and months of an interval are those of the funnel's time zone.  One
 * that would lead beyond the end of time never passes.
 */
TimestampTz
lq_add_interval(const LqFunnel *funnel, TimestampTz start,
				const Interval *interval)
{
	pg_tz	   *saved = session_timezone;
	pg_tz	   *zone = pg_tzset(funnel->time_zone);
	Datum		result;
	double		most = start + interval->time +
	(interval->day + interval->month * 31.0) * USECS_PER_DAY;

	if (most >= END_TIMESTAMP)
		return DT_NOEND;
	if (zone != NULL)
		session_timezone = zone;
	PG_TRY();
	{
		result = DirectFunctionCall2(timestamptz_pl_interval,
									 TimestampTzGetDatum(start),
									 IntervalPGetDatum(interval));
	}
	PG_FINALLY();
	{
		session_timezone = saved;
	}
	PG_END_TRY();
	return DatumGetTimestampTz(result);
}

/* A day, numbered as Julian days are, and a time of it in the zone. */
static void
to_local(pg_tz *zone, TimestampTz at, int *day, TimeADT *time)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;

	if (timestamp2tm(at, &offset, &tm, &fsec, NULL, zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	*day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday);
	*time = ((tm.tm_hour * MINS_PER_HOUR + tm.tm_min) * SECS_PER_MINUTE +
			 tm.tm_sec) * USECS_PER_SEC + fsec;
}

static TimestampTz
from_local(pg_tz *zone, int day, TimeADT time)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;
	TimestampTz result;

	day += time / USECS_PER_DAY;	/* 24:00 */
	time %= USECS_PER_DAY;
	memset(&tm, 0, sizeof(tm));
	j2date(day, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	tm.tm_hour = time / USECS_PER_HOUR;
	tm.tm_min = time / USECS_PER_MINUTE % MINS_PER_HOUR;
	tm.tm_sec = time / USECS_PER_SEC % SECS_PER_MINUTE;
	fsec = time % USECS_PER_SEC;
	tm.tm_isdst = -1;
	offset = DetermineTimeZoneOffset(&tm, zone);
	if (tm2timestamp(&tm, fsec, &offset, &result) != 0)
		return DT_NOEND;
	return result;
}

static bool
is_holiday(const LqFunnel *funnel, int day)
{
	DateADT		date = day - POSTGRES_EPOCH_JDATE;
	int			low = 0;
	int			high = funnel->n_holidays - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;

		if (funnel->holidays[middle] == date)
			return true;
		if (funnel->holidays[middle] < date)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return false;
}

/* The hours of a day, earliest first; room for all rows of the calendar. */
static int
hours_of(const LqFunnel *funnel, pg_tz *zone, int day, Period *periods)
{
	int			weekday = j2day(day) == 0 ? 7 : j2day(day);
	int			n = 0;

	if (is_holiday(funnel, day))
		return 0;
	for (int i = 0; i < funnel->n_hours; i++)
	{
		const LqHours *hours = &funnel->hours[i];
		Period	   *period = &periods[n];

		if (hours->weekday != weekday)
			continue;
		period->opens = from_local(zone, day, hours->opens);
		period->closes = from_local(zone, day, hours->closes);
		/* they may fall into an hour that the clock skips */
		if (period->closes > period->opens)
			n++;
	}
	return n;
}

/*
 * The first instant, from the given one on, after so much time open; with no
 * time at all, the first instant open.
 */
static TimestampTz
after_time(const LqFunnel *funnel, pg_tz *zone, TimestampTz at, int64 usecs,
		   Period *periods)
{
	int			first;
	TimeADT		time;

	to_local(zone, at, &first, &time);
	/* the day before may have ended late where a clock was set back */
	for (int day = first - 1; day < first + MAX_DAYS; day++)
	{
		int			n = hours_of(funnel, zone, day, periods);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
		{
			TimestampTz from = Max(at, periods[i].opens);

			if (periods[i].closes <= from)
				continue;
			if (periods[i].closes - from >= usecs)
				return from + usecs;
			usecs -= periods[i].closes - from;
		}
	}
	return DT_NOEND;
}

/* So many working days after an instant that is open. */
static TimestampTz
after_days(const LqFunnel *funnel, pg_tz *zone, TimestampTz at, int days,
		   Period *periods)
{
	int			first;
	TimeADT		time;

	to_local(zone, at, &first, &time);
	for (int day = first + 1; day < first + MAX_DAYS; day++)
	{
		int			n = hours_of(funnel, zone, day, periods);
		TimestampTz then;
		TimestampTz result;

		CHECK_FOR_INTERRUPTS();
		if (n == 0 || --days > 0)
			continue;
		then = from_local(zone, day, time);
		result = periods[0].opens;
		for (int i = 0; i < n; i++)
			if (periods[i].opens <= then)
				result = Min(then, periods[i].closes);
		return result;
	}
	return DT_NOEND;
}

/*
 * When what began then is due.  Without any hours in the calendar, which its
 * triggers refuse but replication may bring, the clock on the wall decides:
 * no move fails for want of a deadline.
 */
TimestampTz
lq_stage_due_at(const LqFunnel *funnel, const LqStage *stage,
				TimestampTz entered)
{
	pg_tz	   *zone = pg_tzset(funnel->time_zone);
	TimestampTz result = entered;
	Period	   *periods;

	if (stage->sla == NULL)
		return DT_NOEND;
	if (!stage->working_time || funnel->n_hours == 0 || zone == NULL)
		return lq_add_interval(funnel, entered, stage->sla);

	periods = palloc(funnel->n_hours * sizeof(Period));
	if (stage->sla->day > 0)
	{
		result = after_time(funnel, zone, result, 0, periods);
		if (!TIMESTAMP_IS_NOEND(result))
			result = after_days(funnel, zone, result, stage->sla->day,
								periods);
	}
	if (stage->sla->time > 0 && !TIMESTAMP_IS_NOEND(result))
		result = after_time(funnel, zone, result, stage->sla->time, periods);
	pfree(periods);
	return result;
}

/*
 * _due_at(funnel text, stage text, entered_at timestamptz) - timestamptz
 *
 * The deadline of a lead that entered a stage then, by the policy of today;
 * NULL where the stage has none.
 */
Datum
due_at(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	const LqStage *stage = lq_funnel_stage(funnel, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	TimestampTz entered = PG_GETARG_TIMESTAMPTZ(2);

	lq_funnel_check_owner(funnel, "_due_at");
	if (stage == NULL || stage->sla == NULL || TIMESTAMP_NOT_FINITE(entered))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(lq_stage_due_at(funnel, stage, entered));
}

/* How long was open from one instant to a later one. */
static int64
time_open(const LqFunnel *funnel, pg_tz *zone, TimestampTz from,
		  TimestampTz to)
{
	Period	   *periods = palloc(funnel->n_hours * sizeof(Period));
	int64		open = 0;
	int			first;
	int			last;
	TimeADT		time;

	to_local(zone, from, &first, &time);
	to_local(zone, to, &last, &time);
	/* as in after_time(), the day before may have ended late */
	for (int day = first - 1; day <= last; day++)
	{
		int			n = hours_of(funnel, zone, day, periods);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			open += Max(0, Min(to, periods[i].closes) -
						Max(from, periods[i].opens));
	}
	pfree(periods);
	return open;
}

/*
 * _working_time_between(setting oid, begins, ends timestamptz) - numeric
 *
 * Hours open by the calendar of the funnel whose table "setting" that is;
 * without a calendar, those on the wall, as of deadlines.  NULL where the end
 * comes first.
 */
Datum
_working_time_between(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel;
	TimestampTz from = PG_GETARG_TIMESTAMPTZ(1);
	TimestampTz to = PG_GETARG_TIMESTAMPTZ(2);
	pg_tz	   *zone;
	int64		open;

	if (TIMESTAMP_NOT_FINITE(from) || TIMESTAMP_NOT_FINITE(to) || to < from)
		PG_RETURN_NULL();
	funnel = lq_funnel_by_schema(get_rel_namespace(PG_GETARG_OID(0)));
	zone = pg_tzset(funnel->time_zone);
	open = funnel->n_hours == 0 || zone == NULL ? to - from :
		time_open(funnel, zone, from, to);

	/* an hour has 3.6 billion microseconds */
	PG_RETURN_DATUM(DirectFunctionCall2(numeric_div,
										NumericGetDatum(int64_to_numeric(open)),
										NumericGetDatum(int64_to_numeric(USECS_PER_HOUR))));
}
