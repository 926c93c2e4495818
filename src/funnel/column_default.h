/*
 * column_default.h
 *		Defaults of columns, for rows that have NULL where none is allowed.
 */
#ifndef LQ_COLUMN_DEFAULT_H
#define LQ_COLUMN_DEFAULT_H

#include "access/htup.h"
#include "utils/rel.h"

extern Datum lq_column_default(Relation rel, AttrNumber attno, bool *isnull);
extern HeapTuple lq_fill_defaults(Relation rel, HeapTuple tuple);

#endif							/* LQ_COLUMN_DEFAULT_H */
