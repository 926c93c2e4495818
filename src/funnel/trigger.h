/*
 * trigger.h
 *		The triggers of a funnel, and the proof that one was fired as it should.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_TRIGGER_H
#define LQ_TRIGGER_H

#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "fmgr.h"

#include "funnel/columns.h"
#include "funnel/funnel.h"

/* a trigger that every funnel has */
typedef struct LqTrigger
{
	LqTable		table;
	const char *name;
	const char *function;
	int16		type;			/* time, level and events, as in pg_trigger */
	int			flags;
} LqTrigger;

/* with transition tables, those that its events have */
#define LQ_TRIGGER_ROWS			1
/* a constraint trigger, deferrable and initially immediate */
#define LQ_TRIGGER_DEFERRABLE	2
/* fires for rows that replication brings, too */
#define LQ_TRIGGER_ALWAYS		4

/* trigger_rows.c: all of them, in the order in which they are created */
extern const LqTrigger lq_triggers[];
extern const int lq_n_triggers;

/* "INSERT OR UPDATE" */
extern char *lq_trigger_events(int16 type);

static inline bool
lq_trigger_old_rows(const LqTrigger *trigger)
{
	return (trigger->flags & LQ_TRIGGER_ROWS) != 0 &&
		(trigger->type & (TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE)) != 0;
}

static inline bool
lq_trigger_new_rows(const LqTrigger *trigger)
{
	return (trigger->flags & LQ_TRIGGER_ROWS) != 0 &&
		(trigger->type & (TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE)) != 0;
}

/*
 * The first act of every trigger function: raise unless it was fired at the
 * time and level, for the event and on the table that one of the rows above
 * gives it, and that table stands in a funnel of its owner's.
 */
extern void lq_trigger_prove(FunctionCallInfo fcinfo, const char *function);

/* The same, and the funnel that the trigger works for. */
extern LqFunnel *lq_funnel_of_trigger(FunctionCallInfo fcinfo,
									  const char *function);

#endif							/* LQ_TRIGGER_H */
