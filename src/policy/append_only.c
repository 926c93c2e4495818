/*
 * append_only.c
 *		Triggers of tables whose rows stay as our own code wrote them.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "funnel/columns.h"
#include "funnel/identity.h"
#include "funnel/row.h"
#include "funnel/trigger.h"
#include "lead_qual.h"

PG_FUNCTION_INFO_V1(_append_only_history);
PG_FUNCTION_INFO_V1(_refuse_change);
PG_FUNCTION_INFO_V1(_refuse_write);

static HeapTuple
row_to_be(const TriggerData *trigdata)
{
	return TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
		trigdata->tg_newtuple : trigdata->tg_trigtuple;
}

/* Is it our code that writes, or the owner who loads what was, row by row? */
static bool
may_write(const TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	Oid			owner = rel->rd_rel->relowner;

	if (lq_acting_for(owner))
		return true;
	lq_check_settings(owner, get_namespace_name(RelationGetNamespace(rel)));
	return lq_import_setting && !TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event);
}

/* Does an update void a move that counted, and change nothing else? */
static bool
only_voids(const TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	AttrNumber	voided_at = lq_column_of(trigdata->tg_relation,
										 LQ_STAGE_HISTORY_VOIDED_AT);
	bool		was_null;
	bool		is_null;

	(void) SPI_getbinval(trigdata->tg_trigtuple, desc, voided_at, &was_null);
	(void) SPI_getbinval(trigdata->tg_newtuple, desc, voided_at, &is_null);
	if (!was_null || is_null)
		return false;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);

		if (!attr->attisdropped &&
			strncmp(NameStr(attr->attname), "voided_", 7) != 0 &&
			lq_attribute_differs(desc, i + 1, trigdata->tg_trigtuple,
								 trigdata->tg_newtuple))
			return false;
	}
	return true;
}

/*
 * _append_only_history() - BEFORE INSERT OR UPDATE OR DELETE ON stage_history
 *						   FOR EACH ROW
 *
 * What happened stays, and nobody but our triggers says what happened.  A move
 * may be voided, once; who does it, and when, is not for the client to say.
 */
Datum
_append_only_history(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;

	lq_trigger_prove(fcinfo, "_append_only_history");
	if (may_write(trigdata))
		return PointerGetDatum(row_to_be(trigdata));
	rel = trigdata->tg_relation;
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) && only_voids(trigdata))
	{
		TupleDesc	desc = RelationGetDescr(rel);
		int			columns[2];
		Datum		values[2];
		bool		nulls[2] = {false, false};

		columns[0] = lq_column_of(rel, LQ_STAGE_HISTORY_VOIDED_AT);
		values[0] = TimestampTzGetDatum(lq_now());
		columns[1] = lq_column_of(rel, LQ_STAGE_HISTORY_VOIDED_BY);
		values[1] = CStringGetTextDatum(lq_actor());
		return PointerGetDatum(heap_modify_tuple_by_cols(trigdata->tg_newtuple,
														 desc, 2, columns,
														 values, nulls));
	}
	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("the history of funnel \"%s\" is append-only",
					get_namespace_name(RelationGetNamespace(rel))),
			 errdetail("Its rows are written by the triggers of the leads; one that counts may be voided, once."),
			 errhint("To void moves call void_moves(); to load history as it was, the owner sets lead_qual.import.")));
	return PointerGetDatum(NULL);
}

/*
 * _refuse_change() - BEFORE ROW and BEFORE TRUNCATE on tables that are
 *					 append-only or kept by our code alone
 */
Datum
_refuse_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;
	char	   *schema;

	if (!lq_trigger_prove(fcinfo, "_refuse_change"))
		return PointerGetDatum(NULL);
	if (may_write(trigdata))
		return PointerGetDatum(row_to_be(trigdata));
	rel = trigdata->tg_relation;
	schema = get_namespace_name(RelationGetNamespace(rel));
	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("table \"%s\" of funnel \"%s\" is append-only",
					RelationGetRelationName(rel), schema),
			 errdetail("What was agreed, earned and in force stays known as it was put down."),
			 errhint("To load it as it was, the owner sets lead_qual.import."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, schema),
			 err_generic_string(PG_DIAG_TABLE_NAME,
								RelationGetRelationName(rel))));
	return PointerGetDatum(NULL);
}

/*
 * _refuse_write() - BEFORE STATEMENT on tables that follow from others
 */
Datum
_refuse_write(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;
	char	   *schema;

	lq_trigger_prove(fcinfo, "_refuse_write");
	if (may_write(trigdata))
		return PointerGetDatum(NULL);
	rel = trigdata->tg_relation;
	schema = get_namespace_name(RelationGetNamespace(rel));
	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("table \"%s\" of funnel \"%s\" is kept by triggers",
					RelationGetRelationName(rel), schema),
			 errdetail("It follows from the history, the departures and the log."),
			 errhint("To take moves back call void_moves(); to load history as it was, the owner sets lead_qual.import, and calls rebuild_history()."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, schema),
			 err_generic_string(PG_DIAG_TABLE_NAME,
								RelationGetRelationName(rel))));
	return PointerGetDatum(NULL);
}
