/*
 * funnel.h
 *		The tables of a funnel and the policy it holds, as a backend keeps them.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#ifndef LQ_FUNNEL_H
#define LQ_FUNNEL_H

#include "access/htup_details.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/ilist.h"
#include "storage/lock.h"
#include "utils/date.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "funnel/columns.h"
#include "condition/eval.h"
#include "condition/pseudo.h"
#include "condition/scope.h"
#include "funnel/depends.h"
#include "funnel/milestone.h"
#include "type/scorecard.h"

typedef struct LqStage
{
	char	   *name;
	int			position;
	LqMilestone milestone;
	Interval   *sla;			/* NULL: no deadline */
	bool		working_time;	/* sla counts the calendar's hours */
	bool		notify;
} LqStage;

/* hours of a day of the week: a row of table calendar */
typedef struct LqHours
{
	int			weekday;		/* 1 is Monday, 7 Sunday */
	TimeADT		opens;
	TimeADT		closes;
} LqHours;

typedef struct LqKind
{
	char	   *name;
	bool		of_lead;		/* party = lead */
	bool		touch;
	HeapTuple	tuple;			/* the row, for kind.<column> */
} LqKind;

typedef struct LqRule
{
	char	   *name;
	LqCardRule	card;			/* id, axis, points, half-life, limits */
	char	   *kind;			/* NULL for fit, "*" for any kind */
	bool		has_condition;
	char	   *condition_text;
	char	   *condition_sql;
	char	   *description;
	LqCondition *condition;		/* NULL when there is none or it is broken */
	bool		enabled;
	bool		broken;			/* does not compile: the rule is skipped */
} LqRule;

typedef struct LqTransition
{
	int64		transition_id;
	const LqStage *from;		/* NULL: creation, or any */
	bool		from_any;
	bool		creation;
	const LqStage *to;
	bool		automatic;
	Interval   *after;			/* NULL: at once */
	bool		needs_reason;
	char	   *reason;			/* that the move is recorded with, or NULL */
	bool		exception;
	int			n_sides;		/* that must have signed */
	char	  **sides;
	bool		has_condition;
	char	   *condition_text;
	char	   *condition_sql;
	char	   *description;
	LqCondition *condition;
	bool		broken;			/* does not compile: it never holds */
} LqTransition;

typedef struct LqReason
{
	char	   *reason;
	char	   *applies_to;
} LqReason;

/* who may be asked to agree: a row of table side */
typedef struct LqSide
{
	char	   *name;
	char	   *role;			/* NULL: the owner of the funnel */
} LqSide;

/* an element that answers may be about: a row of table element */
typedef struct LqKnownElement
{
	char	   *framework;
	char	   *element;
} LqKnownElement;

/*
 * Everything a backend knows of a funnel.  It is replaced as a whole when
 * something in it changed; a replaced one stays readable for those who looked
 * it up, see funnel_entry.c.
 */
typedef struct LqFunnel
{
	Oid			schema;
	char	   *name;			/* of the schema, not quoted */
	Oid			owner;			/* of all its tables */
	Oid			relid[LQ_N_TABLES];

	/* where leads are in a table of the user's, see lead_table.c */
	Oid			lead_view;		/* the view "lead"; InvalidOid: a table */
	int			n_lead_names;
	char	  **lead_names;		/* what its columns are called in a funnel;
								 * NULL: by their own names */
	Oid			attached_to;	/* the table that setting.lead_table names */
	HTAB	   *partitions;		/* of the lead table, as they were met; see
								 * partition.c */

	/* the key of the lead table */
	AttrNumber	key_attno;
	char	   *key_name;
	Oid			key_type;
	int16		key_typlen;
	bool		key_typbyval;
	Oid			key_collation;
	FmgrInfo	key_cmp;

	/* policy: the active definition and what belongs to it */
	char	   *time_zone;
	bool		unset;			/* table setting is empty: being imported */
	int			template_version;
	char	   *definition;		/* NULL: none is active */
	int			version;
	LqCardLimits limits;
	int			n_stages;
	LqStage    *stages;			/* by position */
	int			n_kinds;
	LqKind	   *kinds;			/* by name */
	int			n_rules;
	LqRule	   *rules;			/* by rule_id */
	int			n_transitions;
	LqTransition *transitions;	/* by position, transition_id */
	int			n_reasons;
	LqReason   *reasons;
	int			n_sides;
	LqSide	   *sides;
	int			n_elements;
	LqKnownElement *elements;
	int			n_hours;
	LqHours    *hours;			/* by weekday and time */
	int			n_holidays;
	DateADT    *holidays;		/* in order */
	int			n_lists;
	LqNamedList *lists;
	TupleDesc	account_desc;
	TupleDesc	kind_desc;
	TupleDesc	lead_desc;
	TupleDesc	activity_desc;
	AttrNumber	attno[LQ_N_COLUMNS];	/* as they were proven */
	Oid			scorecard_type; /* types of ours */
	Oid			bant_type;
	Oid			meddic_type;
	Oid			level_type;
	Bitmapset  *fit_columns;	/* of lead, that fit rules read */
	Bitmapset  *account_columns;	/* of account, that conditions read */

	/* what else it was made from; depends.c */
	int			n_depends;
	int			max_depends;
	LqDependency *depends;
	bool		any_broken;		/* some condition does not compile */

	SPIPlanPtr *plans;			/* by LqStatement; statement.c */

	/* how long it is kept; funnel_entry.c */
	MemoryContext context;		/* holds all of this but the plans */
	struct LqFunnelEntry *entry;	/* where a session keeps it */
	uint64		serial;			/* no other funnel has ever had it */
	SubTransactionId read_in;	/* of the open transaction, which had written
								 * by then */
	bool		undone;			/* that was undone */
	struct LqFunnel *older;		/* what this took the place of, if that is
								 * still there */
	LocalTransactionId replaced_in; /* when this was replaced */
	dlist_head	pins;			/* for those who are using it */
} LqFunnel;

/* who a piece of our code acts as; see lq_funnel_enter() */
typedef struct LqIdentity
{
	Oid			userid;
	int			sec_context;
	int			guc_level;
} LqIdentity;

/*
 * The funnel of that name, for an SQL function.  It can be used until the
 * memory context is reset that is current now.
 */
extern LqFunnel *lq_funnel_by_name(const char *name);
extern LqFunnel *lq_funnel_by_schema(Oid schema);

/* The same, but its rules and transitions may be out of date. */
extern LqFunnel *lq_funnel_but_rules(Oid schema);
extern bool lq_funnel_rules_current(const LqFunnel *funnel);

/* The funnel as it was before, earlier in this transaction; or NULL. */
extern LqFunnel *lq_funnel_replaced(const LqFunnel *funnel);

/* Read the policy rows into the funnel; model.c. */
extern void lq_model_load(LqFunnel *funnel);

/* Raise unless the schema holds a funnel's tables; returns their owner. */
extern Oid	lq_funnel_prove_tables(Oid schema);

/* Is it known already that this is that table, or a partition of the leads? */
extern bool lq_funnel_knows_table(Oid schema, LqTable table, Oid relid);

/* The table's name, quoted and with its schema, for SPI. */
extern const char *lq_funnel_table(const LqFunnel *funnel, LqTable table);
extern const char *lq_relation_name(Oid relid);

/* lead_table.c: a table of the user's that holds the leads */
extern Oid	lq_lead_table_of_view(const char *funnel, Oid view);
extern Oid	lq_lead_table_find(LqFunnel *funnel, Oid view);
extern AttrNumber lq_lead_attno(const LqFunnel *funnel, const char *name);
extern const char *lq_lead_key_column(const LqFunnel *funnel);

/* Act as the funnel's owner, whose row security does not bind him here. */
extern void lq_funnel_enter(const LqFunnel *funnel, LqIdentity *saved);
extern void lq_funnel_enter_restricted(const LqFunnel *funnel,
									   LqIdentity *saved);
extern void lq_funnel_leave(const LqIdentity *saved);
extern bool lq_acting_for(Oid owner);

/* Has the role the privileges of the owner? */
extern bool lq_is_owner(Oid role, Oid owner);

/* Raise unless the outer user may use lead_qual.clock or lead_qual.import. */
extern void lq_check_settings(Oid owner, const char *funnel);
extern void lq_funnel_check_settings(const LqFunnel *funnel);
extern void lq_funnel_check_owner(const LqFunnel *funnel,
								  const char *function);
extern bool lq_funnel_importing(const LqFunnel *funnel);
extern const char *lq_actor(void);

extern const LqStage *lq_funnel_stage(const LqFunnel *funnel,
									  const char *name);
extern const LqKind *lq_funnel_kind(const LqFunnel *funnel, const char *name);
extern const LqRule *lq_funnel_rule(const LqFunnel *funnel, int64 rule_id);

/* The scope of a condition of this funnel over that relation. */
extern void lq_funnel_scope(const LqFunnel *funnel, LqConditionFor target,
							Relation relation, const char *definition,
							LqConditionScope *scope);

/* Keys of leads are compared as the lead table's index does. */
static inline int
lq_key_cmp(const LqFunnel *funnel, Datum a, Datum b)
{
	return DatumGetInt32(FunctionCall2Coll(unconstify(FmgrInfo *, &funnel->key_cmp),
										   funnel->key_collation, a, b));
}

/* A row that SPI gave as a composite value, as a tuple in the same memory. */
static inline HeapTupleData
lq_tuple_of_row(HeapTupleHeader row)
{
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	return tuple;
}

#endif							/* LQ_FUNNEL_H */
