/*
 * defaults.c
 *		What a new lead has where nobody gives anything.
 *
 * NULL stands for it, as in other tables: see column_default.c.  The stage is
 * where the transitions let a lead begin.  Its default in the catalog, for
 * those who ask whether the column may be left out, is '*', which is no stage:
 * the server keeps no default NULL, and generators of clients understand
 * nothing but a constant that is not empty.  The empty text, which clients
 * write where they know of no value, stands for the same.
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "funnel/column_default.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/tables.h"
#include "lead/defaults.h"
#include "lead/lead.h"
#include "type/frameworks.h"
#include "type/qualification.h"

/* The value that a column which C knows begins with. */
Datum
lq_lead_default(const LqLead *lead, LqColumn column, bool *isnull)
{
	*isnull = false;
	switch (column)
	{
		case LQ_LEAD_STAGE_ENTERED_AT:
		case LQ_LEAD_CYCLE_STARTED_AT:
			return TimestampTzGetDatum(lead->now);
		case LQ_LEAD_CYCLE:
			return Int32GetDatum(lead->first_cycle);
		case LQ_LEAD_DEALS_OPEN:
		case LQ_LEAD_DEALS_WON:
		case LQ_LEAD_DEALS_LOST:
			return Int32GetDatum(0);
		case LQ_LEAD_WON_AMOUNT:
			return DirectFunctionCall1(int4_numeric, Int32GetDatum(0));
		case LQ_LEAD_ANSWERS:
			return DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
		default:
			break;
	}
	for (int f = 0; f < lq_n_frameworks(lead->funnel); f++)
		if (column == LQ_LEAD_FRAMEWORK(f))
			return LqQualificationGetDatum(lq_frameworks[f], 0);
	*isnull = true;
	return (Datum) 0;
}

/*
 * Put defaults where a new lead has NULL and may not: in the columns that C
 * knows and, where the table is the funnel's own, in all of them.  What else is
 * in a table of the user's is the user's.  The stage is NULL from here on where
 * nobody gave one, until the transitions find it.
 */
void
lq_lead_fill(LqLead *lead, Relation rel)
{
	const LqFunnel *funnel = lead->funnel;
	TupleDesc	desc = funnel->lead_desc;
	bool		own = RelationGetRelid(rel) == funnel->relid[LQ_TABLE_LEAD] &&
	!OidIsValid(funnel->lead_view);
	LqColumn	column;
	LqColumn	end;
	bool		isnull;
	char	   *stage;

	stage = lq_lead_get_text(lead, LQ_LEAD_STAGE);
	if (stage != NULL && (strcmp(stage, "*") == 0 || strcmp(stage, "") == 0))
		lq_lead_set(lead, LQ_LEAD_STAGE, (Datum) 0, true);

	lq_table_columns(LQ_TABLE_LEAD, &column, &end);
	for (; column < end; column++)
	{
		int			i;

		if (!lq_column_is_there(funnel, column))
			continue;
		i = funnel->attno[column] - 1;
		if (lead->isnull[i] && TupleDescAttr(desc, i)->attnotnull)
		{
			Datum		value = lq_lead_default(lead, column, &isnull);

			lq_lead_set(lead, column, value, isnull);
		}
	}
	for (int i = 0; own && i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);

		if (!lead->isnull[i] || !attr->attnotnull || attr->attisdropped ||
			attr->attgenerated != '\0' ||
			attr->attnum == funnel->attno[LQ_LEAD_STAGE])
			continue;
		lead->values[i] = lq_column_default(rel, i + 1, &isnull);
		lead->isnull[i] = isnull;
		lead->changed |= !isnull;
	}
}
