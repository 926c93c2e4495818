/*
 * lead.h
 *		One lead at hand: its row and its card.
 */
#ifndef LQ_LEAD_H
#define LQ_LEAD_H

#include "executor/tuptable.h"

#include "funnel/funnel.h"
#include "funnel/tables.h"
#include "type/scorecard.h"

#define LQ_FIRST_CYCLE 1

typedef struct LqLead
{
	LqFunnel   *funnel;
	MemoryContext context;		/* lives as long as this */
	TupleTableSlot *slot;		/* virtual, of funnel->lead_desc */
	Datum	   *values;			/* the slot's, to be changed through set */
	bool	   *isnull;
	bool		changed;		/* a value was set */
	LqCard	   *card;			/* never NULL */
	bool		card_changed;
	TimestampTz now;
	int32		first_cycle;	/* in which it began, if it is new */
	HeapTuple	account;		/* its account's row, once looked up */
	bool		account_read;
	uint32		together[LQ_N_FRAMEWORKS];	/* the best that other leads of
											 * its account answered, likewise */
	bool		together_read;
	const char *reason;			/* given with a move, or NULL */
} LqLead;

extern void lq_lead_init(LqLead *lead, LqFunnel *funnel, HeapTuple tuple);
extern void lq_lead_done(LqLead *lead);
extern Datum lq_lead_get(const LqLead *lead, LqColumn column,
						 bool *isnull);
extern char *lq_lead_get_text(const LqLead *lead, LqColumn column);
extern bool lq_lead_same(const LqLead *a, const LqLead *b, LqColumn column);
extern void lq_lead_set(LqLead *lead, LqColumn column, Datum value,
						bool isnull);
extern void lq_lead_set_text(LqLead *lead, LqColumn column,
							 const char *value);
extern TimestampTz lq_lead_instant(const LqLead *lead, LqColumn column,
								   TimestampTz otherwise);
extern char *lq_value_text(Datum value, Oid type);

#endif							/* LQ_LEAD_H */
