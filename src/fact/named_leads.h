/*
 * named_leads.h
 *		The leads that rows of facts name, which are there and locked.
 */
#ifndef LQ_NAMED_LEADS_H
#define LQ_NAMED_LEADS_H

#include "commands/trigger.h"
#include "executor/spi.h"

#include "funnel/funnel.h"
#include "funnel/tables.h"

/* Lock a lead FOR NO KEY UPDATE; its row, or NULL where there is none. */
extern SPITupleTable *lq_lock_lead(const LqFunnel *funnel, Datum key);

/* Raise if a row of the statement names that lead, which is not there. */
extern void lq_refuse_if_named(const LqFunnel *funnel, TriggerData *trigdata,
							   LqTable table, Datum key);

/* Lock the leads that rows of the statement name; raise if one is missing. */
extern void lq_require_leads(const LqFunnel *funnel, TriggerData *trigdata,
							 LqTable table);

#endif							/* LQ_NAMED_LEADS_H */
