/*
 * trigger_rows.h
 *		The triggers of a funnel, each written once.
 */
#ifndef LQ_TRIGGER_ROWS_H
#define LQ_TRIGGER_ROWS_H

#include "catalog/pg_trigger.h"

#include "funnel/tables.h"

/* a trigger that every funnel of some templates has */
typedef struct LqTrigger
{
	LqTable		table;
	const char *name;
	const char *function;
	int16		type;			/* time, level and events, as in pg_trigger */
	int			flags;
	int			since;			/* the first template that has it; 0: all */
	int			until;			/* the last one that has it; 0: no end */
} LqTrigger;

/* with transition tables, those that its events have */
#define LQ_TRIGGER_ROWS			1
/* a constraint trigger, deferrable and initially immediate */
#define LQ_TRIGGER_DEFERRABLE	2
/* fires for rows that replication brings, too */
#define LQ_TRIGGER_ALWAYS		4

/* All of them, in the order in which they are created */
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

#endif							/* LQ_TRIGGER_ROWS_H */
