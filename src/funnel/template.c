/*
 * template.c
 *		Which library serves which template of a funnel, and which SQL.
 *
 * The library comes first to a machine, then the extension's SQL, then one
 * funnel after the other is brought up; and a session keeps the library that
 * it began with.  So any two of them may be a version apart.
 */
#include "postgres.h"

#include "fmgr.h"

#include "funnel/template.h"

PG_FUNCTION_INFO_V1(_serve_template);

#define RECONNECT_HINT \
	"Reconnect: a session keeps the library that it began with. Where that does not help, install the lead_qual that "

void
lq_template_check(const char *funnel, int32 version)
{
	if (version >= LQ_OLDEST_TEMPLATE_VERSION &&
		version <= LQ_TEMPLATE_VERSION)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("template version %d of funnel \"%s\" is not supported",
					version, funnel),
			 errdetail("The library of lead_qual in this session serves versions %d to %d.",
					   LQ_OLDEST_TEMPLATE_VERSION, LQ_TEMPLATE_VERSION),
			 version > LQ_TEMPLATE_VERSION ?
			 errhint(RECONNECT_HINT "made the funnel, or a later one.") :
			 version > 0 ?
			 errhint("Install a lead_qual that serves version %d, call upgrade_funnel(), and go on from there.",
					 version) :
			 errhint("Table \"setting\" says which template made the funnel: its owner puts back what stood there, under lead_qual.import.")));
}

/*
 * _serve_template(template integer) - integer
 *
 * The template of the extension's SQL, which asks whether the library of the
 * session is of its time.
 */
Datum
_serve_template(PG_FUNCTION_ARGS)
{
	int32		version = PG_GETARG_INT32(0);

	if (version > LQ_TEMPLATE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the library of lead_qual in this session is older than the extension"),
				 errdetail("It serves template versions %d to %d, and the extension makes funnels of version %d.",
						   LQ_OLDEST_TEMPLATE_VERSION, LQ_TEMPLATE_VERSION,
						   version),
				 errhint(RECONNECT_HINT "the extension was updated to.")));
	if (version < LQ_OLDEST_TEMPLATE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the extension lead_qual is too old for its library"),
				 errdetail("It makes funnels of template version %d, and the library serves versions %d to %d.",
						   version, LQ_OLDEST_TEMPLATE_VERSION,
						   LQ_TEMPLATE_VERSION),
				 errhint("Run ALTER EXTENSION lead_qual UPDATE.")));
	PG_RETURN_INT32(version);
}
