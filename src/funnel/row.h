/*
 * row.h
 *		Rows that SPI gives as composite values.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_ROW_H
#define LQ_ROW_H

#include "access/htup_details.h"

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

#endif							/* LQ_ROW_H */
