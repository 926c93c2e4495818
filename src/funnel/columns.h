/*
 * columns.h
 *		The tables of a funnel and their columns, proven before they are read.
 */
#ifndef LQ_COLUMNS_H
#define LQ_COLUMNS_H

#include "access/attnum.h"
#include "utils/rel.h"

#include "funnel/tables.h"

struct LqFunnel;

/* A table's name in every funnel, and the other way round. */
extern const char *lq_table_name(LqTable table);
extern bool lq_table_by_name(const char *name, LqTable *table);

extern const char *lq_column_name(LqColumn column);

/* The columns of a table are from first up to, but without, end. */
extern void lq_table_columns(LqTable table, LqColumn *first, LqColumn *end);

/* The column of a table other than "lead" that holds a lead's key. */
extern LqColumn lq_key_column(LqTable table);

/* Does the funnel's template have that column? */
extern bool lq_column_is_there(const struct LqFunnel *funnel,
							   LqColumn column);

/* How many frameworks have a column in the funnel's template? */
extern int	lq_n_frameworks(const struct LqFunnel *funnel);

/* The type that a code in column_list.h or statement.c stands for. */
extern void lq_types_find(struct LqFunnel *funnel);
extern Oid	lq_type_of_code(const struct LqFunnel *funnel, char code);
extern bool lq_type_fits(Oid type, Oid expected);

/*
 * Raise unless the table has its columns as C knows them; their numbers go
 * into the funnel.  Those that hold a lead's key wait for that key to be known.
 */
extern void lq_columns_prove(struct LqFunnel *funnel, LqTable table);
extern void lq_columns_prove_keys(struct LqFunnel *funnel);
extern void lq_columns_prove_template(struct LqFunnel *funnel);

/* Prove all of them anew; are they where they were before? */
extern bool lq_columns_stay(struct LqFunnel *now,
							const struct LqFunnel *before);

/*
 * The number of a column in a relation that need not be the funnel's own table
 * (a partition, or whatever a trigger was put on); raises as the others do.
 */
extern AttrNumber lq_column_of(Relation rel, LqColumn column);

/* The same, but of any type: for who compares values and takes none apart. */
extern AttrNumber lq_column_named(Relation rel, LqColumn column);

#endif							/* LQ_COLUMNS_H */
