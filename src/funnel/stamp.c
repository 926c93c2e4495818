/*
 * stamp.c
 *		Who did it, and when, as our triggers put it down.
 *
 * What a client writes there is ignored: else whoever may write a fact could
 * put it into another's mouth.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "funnel/column_default.h"
#include "funnel/columns.h"
#include "funnel/identity.h"
#include "funnel/row.h"
#include "funnel/stamp.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "lead_qual.h"

PG_FUNCTION_INFO_V1(_stamp_answer);

/* The row that is written; a new one with its defaults. */
HeapTuple
lq_stamp_row(const TriggerData *trigdata)
{
	return TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
		trigdata->tg_newtuple :
		lq_fill_defaults(trigdata->tg_relation, trigdata->tg_trigtuple);
}

HeapTuple
lq_stamp(const TriggerData *trigdata, LqColumn by, LqColumn at,
		 const LqColumn *columns, int ncolumns)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	row = lq_stamp_row(trigdata);
	bool		anew = true;
	int			attnos[2];
	Datum		values[2];
	bool		nulls[2] = {false, false};
	int			n = at == LQ_N_COLUMNS ? 1 : 2;

	attnos[0] = lq_column_of(trigdata->tg_relation, by);
	if (at != LQ_N_COLUMNS)
		attnos[1] = lq_column_of(trigdata->tg_relation, at);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		anew = false;
		for (int i = 0; i < ncolumns && !anew; i++)
			anew = lq_attribute_differs(desc,
										lq_column_named(trigdata->tg_relation,
														columns[i]),
										trigdata->tg_trigtuple, row);
	}
	values[0] = anew ? CStringGetTextDatum(lq_actor()) :
		SPI_getbinval(trigdata->tg_trigtuple, desc, attnos[0], &nulls[0]);
	if (at != LQ_N_COLUMNS)
		values[1] = anew ? TimestampTzGetDatum(lq_now()) :
			SPI_getbinval(trigdata->tg_trigtuple, desc, attnos[1], &nulls[1]);
	return heap_modify_tuple_by_cols(row, desc, n, attnos, values, nulls);
}

/*
 * _stamp_answer() - BEFORE INSERT OR UPDATE ON answer FOR EACH ROW
 *
 * Answers that follow from the lead's own columns, or that ran out, are
 * written by our code, which knows whose they are.
 */
Datum
_stamp_answer(PG_FUNCTION_ARGS)
{
	static const LqColumn columns[] = {
		LQ_ANSWER_LEAD_ID, LQ_ANSWER_FRAMEWORK, LQ_ANSWER_ELEMENT,
		LQ_ANSWER_LEVEL
	};
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;

	lq_trigger_prove(fcinfo, "_stamp_answer");
	rel = trigdata->tg_relation;
	lq_check_settings(rel->rd_rel->relowner,
					  get_namespace_name(RelationGetNamespace(rel)));
	if (lq_import_setting || lq_acting_for(rel->rd_rel->relowner))
		return PointerGetDatum(lq_stamp_row(trigdata));
	return PointerGetDatum(lq_stamp(trigdata, LQ_ANSWER_ANSWERED_BY,
									LQ_N_COLUMNS, columns, lengthof(columns)));
}
