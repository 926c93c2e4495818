/*
 * lead.h
 *		One lead at hand: its row, its card, and the moves it may make.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_LEAD_H
#define LQ_LEAD_H

#include "executor/tuptable.h"

#include "funnel/funnel.h"

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
	HeapTuple	account;		/* its account's row, once looked up */
	bool		account_read;
	const char *reason;			/* given with a move, or NULL */
} LqLead;

/* one move of a path */
typedef struct LqHop
{
	const LqTransition *transition;
	const LqStage *from;		/* NULL: creation */
	const LqStage *to;
	bool		automatic;
	TimestampTz entered_at;
	TimestampTz due_at;			/* DT_NOEND: never */
	int32		cycle;
} LqHop;

typedef struct LqPath
{
	int			n_hops;
	LqHop	   *hops;			/* room for every stage once */
} LqPath;

/* lead.c: the row */
extern void lq_lead_init(LqLead *lead, LqFunnel *funnel, HeapTuple tuple);
extern void lq_lead_done(LqLead *lead);
extern Datum lq_lead_get(const LqLead *lead, LqColumn column,
						 bool *isnull);
extern char *lq_lead_get_text(const LqLead *lead, LqColumn column);
extern void lq_lead_set(LqLead *lead, LqColumn column, Datum value,
						bool isnull);
extern void lq_lead_set_text(LqLead *lead, LqColumn column,
							 const char *value);
extern TimestampTz lq_lead_instant(const LqLead *lead, LqColumn column,
								   TimestampTz otherwise);
extern char *lq_value_text(Datum value, Oid type);

/* qualify.c: what the lead's two triggers share */
extern void lq_lead_restore(LqLead *lead, const LqLead *old,
							LqColumn first, LqColumn last);

/* stage.c: moves */
extern bool lq_stage_ask(LqLead *lead, const LqStage *to, LqPath *path);
extern void lq_stage_advance(LqLead *lead, LqPath *path);
extern bool lq_stage_create(LqLead *lead, const LqStage *asked, LqPath *path);
extern bool lq_transition_leaves(const LqTransition *transition,
								 const LqStage *from);
extern TimestampTz lq_transition_earliest(const LqLead *lead,
										  const LqTransition *transition);
extern bool lq_transition_reason_given(const LqLead *lead,
									   const LqTransition *transition);
extern bool lq_transition_exception_allowed(const LqLead *lead,
											const LqTransition *transition);

/* signature.c: who must agree, and whether they did */
typedef enum LqSigned
{
	LQ_SIGNED_NOT,
	LQ_SIGNED_BY_ACTOR,			/* by nobody but who asks now */
	LQ_SIGNED
} LqSigned;

extern LqSigned lq_transition_signed(const LqLead *lead,
									 const LqTransition *transition,
									 const char *side);
extern bool lq_transition_all_signed(const LqLead *lead,
									 const LqTransition *transition);
extern const char *lq_side_members(const LqFunnel *funnel, const char *side);
extern bool lq_side_has_caller(const LqFunnel *funnel, const char *side);

/* review.c: when time alone may move the lead */
extern TimestampTz lq_lead_review_at(LqLead *lead);

/* refuse.c: why not, in words */
typedef void (*LqPartReport) (void *arg, const LqTransition *transition,
							  const char *part, const char *state,
							  const char *needs);
extern void lq_transition_explain(LqLead *lead, const LqTransition *transition,
								  LqPartReport report, void *arg);
pg_noreturn extern void lq_stage_refuse(LqLead *lead, const LqStage *from,
										const char *asked);

#endif							/* LQ_LEAD_H */
