/*
 * alias.h
 *		Further names of leads, which no two leads share.
 */
#ifndef LQ_ALIAS_H
#define LQ_ALIAS_H

#include "access/htup.h"

#include "funnel/funnel.h"

/*
 * Raise if a lead's external id or address, as it was written, is an alias of
 * another lead.  before: the row that there was, or NULL.
 */
extern void lq_alias_refuse(LqFunnel *funnel, HeapTuple row,
							HeapTuple before);

#endif							/* LQ_ALIAS_H */
