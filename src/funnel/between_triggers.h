/*
 * between_triggers.h
 *		What one trigger of ours leaves for another.
 */
#ifndef LQ_BETWEEN_TRIGGERS_H
#define LQ_BETWEEN_TRIGGERS_H

#include "access/htup.h"
#include "datatype/timestamp.h"

#include "funnel/funnel.h"
#include "funnel/statement.h"
#include "funnel/tables.h"

#define LQ_WRITE_REFIT		0x01	/* weigh the fit rules again */
#define LQ_WRITE_STAY		0x02	/* do not move the lead */
#define LQ_WRITE_DATE		0x08	/* review_at is written, nothing else */
#define LQ_WRITE_ANSWERS	0x04	/* answers come from the log already */

/* Run an UPDATE of one lead, which is locked; values[0] is its key. */
extern void lq_own_write(const LqFunnel *funnel, LqStatement statement,
						 Datum *values, const char *nulls, int flags);

/* Is this row being updated by us?  Each answers yes once a write. */
extern bool lq_own_write_before(const LqFunnel *funnel, Datum key, int *flags);
extern bool lq_own_write_after(const LqFunnel *funnel, Datum key, int *flags);

/*
 * Run an INSERT of a row that names a lead which is there and locked;
 * values[0] is its key.  Is this such a row of that table?
 */
extern uint64 lq_write_for_lead(const LqFunnel *funnel, LqTable table,
								LqStatement statement, Datum *values,
								const char *nulls);
extern bool lq_lead_at_hand(const LqFunnel *funnel, LqTable table, Datum key);

/* What BEFORE INSERT left of the row of a statement that may yet give way. */
typedef struct LqProposed
{
	HeapTuple	tuple;			/* in the shape of its table */
	bool		stage_given;	/* by the client */
} LqProposed;

extern void lq_proposed_put(Oid relid, HeapTuple tuple, bool stage_given);
extern const LqProposed *lq_proposed(Oid relid);

/*
 * Take back, as of that instant, the answers of a lead that hold for a cycle;
 * are they being taken back?
 */
extern void lq_expire_answers(const LqFunnel *funnel, Datum key,
							  TimestampTz at);
extern bool lq_answers_are_expiring(void);

/* A lead's log was just read; may that have seen what fires a trigger now? */
extern void lq_replay_noted(void);
extern bool lq_replay_saw_statement(void);

typedef enum LqWaitingFor
{
	LQ_WAITING_USED_UP,			/* used_up.c: what a move used up */
	LQ_WAITING_OTHER_PARTITION	/* partition.c: the row before an update that
								 * moves it to another partition */
} LqWaitingFor;

extern void lq_waiting_put(const LqFunnel *funnel, Datum key,
						   LqWaitingFor what, void *data);
extern bool lq_waiting_claim(const LqFunnel *funnel, Datum key,
							 LqWaitingFor what);
extern void *lq_waiting_take(const LqFunnel *funnel, Datum key,
							 LqWaitingFor what);
extern void *lq_waiting_take_claimed(const LqFunnel *funnel, Datum key,
									 LqWaitingFor what);

#endif							/* LQ_BETWEEN_TRIGGERS_H */
