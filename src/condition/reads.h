/*
 * reads.h
 *		What a condition reads, and who may be told of it.
 */
#ifndef LQ_READS_H
#define LQ_READS_H

#include "nodes/bitmapset.h"
#include "nodes/nodes.h"
#include "nodes/pg_list.h"

#include "condition/scope.h"

typedef struct LqReads
{
	Oid			relid;
	Bitmapset  *columns;		/* 0: the whole table */
} LqReads;

extern List *lq_reads(const LqConditionScope *scope, Node *tree, List *reads);
extern bool lq_may_read(const List *reads);

/* May the client, who is not always the current user, read all of a table? */
extern bool lq_may_read_table(Oid relid);

#endif							/* LQ_READS_H */
