/*
 * row.h
 *		Rows that SPI gives as composite values, and rows that triggers compare.
 *
 * Copyright (c) 2026, lead_qual contributors
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

/* Do two rows differ, byte by byte, in an attribute? */
static inline bool
lq_attribute_differs(TupleDesc desc, int attno, HeapTuple a, HeapTuple b)
{
	Form_pg_attribute attr = TupleDescAttr(desc, attno - 1);
	bool		a_isnull;
	bool		b_isnull;
	Datum		a_value = heap_getattr(a, attno, desc, &a_isnull);
	Datum		b_value = heap_getattr(b, attno, desc, &b_isnull);

	return a_isnull != b_isnull ||
		(!a_isnull && !datum_image_eq(a_value, b_value, attr->attbyval,
									  attr->attlen));
}

#endif							/* LQ_ROW_H */
