/*
 * lead_table.h
 *		A table of the user's that holds the leads.
 */
#ifndef LQ_LEAD_TABLE_H
#define LQ_LEAD_TABLE_H

#include "access/attnum.h"

#include "funnel/funnel.h"

extern Oid	lq_lead_table_of_view(const char *funnel, Oid view);
extern Oid	lq_lead_table_find(LqFunnel *funnel, Oid view);
extern AttrNumber lq_lead_attno(const LqFunnel *funnel, const char *name);
extern const char *lq_lead_key_column(const LqFunnel *funnel);

#endif							/* LQ_LEAD_TABLE_H */
