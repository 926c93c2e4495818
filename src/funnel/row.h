/*
 * row.h
 *		Rows that SPI gives as composite values, and rows that triggers compare.
 */
#ifndef LQ_ROW_H
#define LQ_ROW_H

#include "access/htup_details.h"
#include "utils/datum.h"

/* A row that SPI gave as a composite value, as a tuple in the same memory. */
static inline HeapTupleData
lq_tuple_of_row(HeapTupleHeader row)
{
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	return tuple;
}

/*
 * Do two values of a column differ, byte by byte?  Those stored elsewhere are
 * fetched to be compared.
 */
static inline bool
lq_value_differs(Form_pg_attribute attr, Datum a, bool a_isnull, Datum b,
				 bool b_isnull)
{
	return a_isnull != b_isnull ||
		(!a_isnull && !datum_image_eq(a, b, attr->attbyval, attr->attlen));
}

/* Do two rows differ in an attribute? */
static inline bool
lq_attribute_differs(TupleDesc desc, int attno, HeapTuple a, HeapTuple b)
{
	bool		a_isnull;
	bool		b_isnull;
	Datum		a_value = heap_getattr(a, attno, desc, &a_isnull);
	Datum		b_value = heap_getattr(b, attno, desc, &b_isnull);

	return lq_value_differs(TupleDescAttr(desc, attno - 1), a_value, a_isnull,
							b_value, b_isnull);
}

#endif							/* LQ_ROW_H */
