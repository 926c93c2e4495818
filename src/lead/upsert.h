/*
 * upsert.h
 *		INSERT ... ON CONFLICT DO UPDATE of leads.
 */
#ifndef LQ_UPSERT_H
#define LQ_UPSERT_H

#include "utils/rel.h"

#include "funnel/partition.h"
#include "lead/lead.h"

extern void lq_upsert_propose(Relation rel, HeapTuple tuple, bool stage_given);
extern char *lq_upsert_take_back(LqLead *lead, const LqLead *old,
								 const LqPartition *partition, Relation rel,
								 HeapTuple before, char *asked);

#endif							/* LQ_UPSERT_H */
