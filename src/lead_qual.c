/*
 * lead_qual.c
 *		Module entry: the settings, and the clock that everything goes by.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "lead_qual.h"

PG_MODULE_MAGIC;

/*
 * lead_qual.clock: the instant to go by instead of now().  Tests, replays and
 * imports set it; triggers honour it only for members of the funnel's owner.
 */
static char *clock_setting = NULL;
static TimestampTz clock_value = 0;
static bool clock_set = false;

/*
 * lead_qual.actor: the end user on whose behalf an application acts.  A
 * superuser setting, granted to the application's role with GRANT SET ON
 * PARAMETER, because history shows it as who did it.
 */
char	   *lq_actor_setting = NULL;

/*
 * lead_qual.import: history is loaded as it was, nothing is judged or
 * stamped.  For the funnel's owner, while migrating.
 */
bool		lq_import_setting = false;

void		_PG_init(void);

PG_FUNCTION_INFO_V1(funnel_now);

/*
 * Accept an absolute instant.  The special words (now, today, ...) would move
 * with the wall clock, which the setting is there to replace.
 */
static bool
check_clock(char **newval, void **extra, GucSource source)
{
	char	   *str = *newval;
	char		workbuf[MAXDATELEN + MAXDATEFIELDS];
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	int			dtype;
	int			nf;
	int			tz;
	struct pg_tm tm;
	fsec_t		fsec;
	TimestampTz value;
	TimestampTz *result;
	char	   *canonical;

	if (str == NULL || *str == '\0')
		return true;

	if (strlen(str) >= MAXDATELEN ||
		ParseDateTime(str, workbuf, sizeof(workbuf),
					  field, ftype, MAXDATEFIELDS, &nf) != 0 ||
		lq_decode_datetime(field, ftype, nf, &dtype, &tm, &fsec, &tz) != 0 ||
		dtype != DTK_DATE ||
		tm2timestamp(&tm, fsec, &tz, &value) != 0)
	{
		GUC_check_errdetail("\"%s\" is not a point in time such as \"2026-01-31 09:00:00+01\".",
							str);
		return false;
	}

	for (int i = 0; i < nf; i++)
	{
		int			special;

		if (ftype[i] == DTK_STRING &&
			DecodeSpecial(i, field[i], &special) == RESERV &&
			(special == DTK_NOW || special == DTK_TODAY ||
			 special == DTK_TOMORROW || special == DTK_YESTERDAY))
		{
			GUC_check_errdetail("\"%s\" moves with the wall clock.", str);
			return false;
		}
	}

	/*
	 * A parallel worker reads the setting again before it has the session's
	 * time zone, its abbreviations and its date style: so it is kept in a
	 * form that needs none of them.
	 */
	if (timestamp2tm(value, NULL, &tm, &fsec, NULL, NULL) != 0)
		return false;
	if (tm.tm_year > 0)
	{
		canonical = (char *) lq_guc_malloc(MAXDATELEN);
		if (canonical == NULL)
			return false;
		snprintf(canonical, MAXDATELEN, "%04d-%02d-%02d %02d:%02d:%02d.%06d+00",
				 tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min,
				 tm.tm_sec, (int) fsec);
		lq_guc_free(*newval);
		*newval = canonical;
	}

	result = (TimestampTz *) lq_guc_malloc(sizeof(TimestampTz));
	if (result == NULL)
		return false;
	*result = value;
	*extra = result;
	return true;
}

static void
assign_clock(const char *newval, void *extra)
{
	clock_set = (extra != NULL);
	if (clock_set)
		clock_value = *(TimestampTz *) extra;
}

void
_PG_init(void)
{
	DefineCustomStringVariable("lead_qual.clock",
							   "The instant that scores, stages and views go by instead of now().",
							   "Empty means now(). Triggers honour it only for members of the role that owns the funnel.",
							   &clock_setting,
							   "",
							   PGC_USERSET,
							   0,
							   check_clock, assign_clock, NULL);

	DefineCustomStringVariable("lead_qual.actor",
							   "Who acts: the end user of an application, as the stage history shows it.",
							   "Empty means the current role. Allow it with GRANT SET ON PARAMETER.",
							   &lq_actor_setting,
							   "",
							   PGC_SUSET,
							   0,
							   NULL, NULL, NULL);

	DefineCustomBoolVariable("lead_qual.import",
							 "Loads history as it was: nothing is judged, scored or stamped.",
							 "Honoured only for members of the role that owns the funnel.",
							 &lq_import_setting,
							 false,
							 PGC_USERSET,
							 0,
							 NULL, NULL, NULL);

	MarkGUCPrefixReserved("lead_qual");
}

/* Is lead_qual.clock in force? */
bool
lq_clock_is_set(void)
{
	return clock_set;
}

/* The instant to go by: lead_qual.clock, or the start of the transaction. */
TimestampTz
lq_now(void)
{
	return clock_set ? clock_value : GetCurrentTransactionStartTimestamp();
}

/*
 * funnel_now() - the instant that scores, stages and views go by.
 */
Datum
funnel_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(lq_now());
}
