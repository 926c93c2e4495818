/*
 * id.c
 *		Ids come from their sequence.
 *
 * One that is ahead of its sequence would be given a second time, and whoever
 * inserts that row is refused.
 */
#include "postgres.h"

#include "catalog/dependency.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/trigger.h"

PG_FUNCTION_INFO_V1(_guard_id);

/* The last id that the sequence gave; none is before all. */
static int64
last_given(const LqFunnel *funnel, Oid sequence)
{
	LOCAL_FCINFO(fcinfo, 1);
	LqIdentity	saved;
	Datum		last;

	lq_funnel_enter(funnel, &saved);
	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = ObjectIdGetDatum(sequence);
	fcinfo->args[0].isnull = false;
	last = pg_sequence_last_value(fcinfo);
	lq_funnel_leave(&saved);
	return fcinfo->isnull ? PG_INT64_MIN : DatumGetInt64(last);
}

static int64
id_of(HeapTuple row, TupleDesc desc, int attno)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, attno, &isnull);

	return isnull ? PG_INT64_MIN : DatumGetInt64(value);
}

/*
 * _guard_id() - BEFORE INSERT OR UPDATE on tables with an id, FOR EACH ROW
 *
 * The owner may give ids as well: that is how a dump is loaded.  Activities
 * go without: their key is made of more.  So does a table of leads of the
 * user's, whose keys are the user's own.
 */
Datum
_guard_id(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_guard_id");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel = trigdata->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	row = is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;

	if (lq_funnel_importing(funnel) ||
		lq_is_owner(GetUserId(), funnel->owner) ||
		(trigdata->tg_trigger->tgnargs > 0 && OidIsValid(funnel->lead_view)))
		return PointerGetDatum(row);
	for (int attno = 1; attno <= desc->natts; attno++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, attno - 1);
		int64		id;
		Oid			sequence;

		if (attr->attisdropped || attr->attidentity == '\0' ||
			attr->atttypid != INT8OID)
			continue;
		id = id_of(row, desc, attno);
		if (is_update && id_of(trigdata->tg_trigtuple, desc, attno) == id)
			continue;
		sequence = lq_identity_sequence(rel, attno);
		if (!OidIsValid(sequence) || id <= last_given(funnel, sequence))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("%s " INT64_FORMAT " was not given by its sequence",
						NameStr(attr->attname), id),
				 errdetail("A row that comes later would get the same, and be refused."),
				 errhint("Leave the column out. Only the owner of the funnel loads rows with their ids."),
				 errtablecol(rel, attno)));
	}
	return PointerGetDatum(row);
}
