/*
 * column_default.c
 *		Defaults of columns, for rows that have NULL where none is allowed.
 *
 * Clients that write whole rows write NULL where they have nothing.  In a new
 * row that stands for the default, as if the column had been left out.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "rewrite/rewriteHandler.h"
#include "utils/datum.h"

#include "compat.h"
#include "funnel/column_default.h"

/*
 * The default of a column, as INSERT would have evaluated it; NULL where it
 * has none.
 */
Datum
lq_column_default(Relation rel, AttrNumber attno, bool *isnull)
{
	Node	   *expr = build_column_default(rel, attno);
	EState	   *estate;
	Datum		value;

	*isnull = true;
	if (expr == NULL)
		return (Datum) 0;
	estate = CreateExecutorState();
	value = ExecEvalExpr(ExecPrepareExpr((Expr *) expr, estate),
						 GetPerTupleExprContext(estate), isnull);
	if (!*isnull)
	{
		Form_pg_attribute attr = TupleDescAttr(RelationGetDescr(rel),
											   attno - 1);

		value = datumCopy(value, attr->attbyval, attr->attlen);
	}
	FreeExecutorState(estate);
	return value;
}

/*
 * A new row with defaults where it has NULL and may not.  What has no default
 * the table refuses.
 */
HeapTuple
lq_fill_defaults(Relation rel, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts && HeapTupleHasNulls(tuple); i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);
		int			attno = i + 1;
		Datum		value;
		bool		isnull;

		if (!attr->attnotnull || attr->attisdropped ||
			attr->attgenerated != '\0' || !heap_attisnull(tuple, attno, desc))
			continue;
		value = lq_column_default(rel, attno, &isnull);
		if (!isnull)
			tuple = heap_modify_tuple_by_cols(tuple, desc, 1, &attno, &value,
											  &isnull);
	}
	return tuple;
}
