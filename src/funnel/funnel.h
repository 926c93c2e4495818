/*
 * funnel.h
 *		The tables of a funnel and the policy it holds, as a backend keeps them.
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

#include "condition/scope.h"
#include "funnel/policy.h"
#include "funnel/tables.h"
#include "type/frameworks.h"
#include "type/scorecard.h"

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
	Oid			framework_type[LQ_N_FRAMEWORKS];
	Oid			level_type;
	Bitmapset  *fit_columns;	/* of lead, that fit rules read */
	Bitmapset  *account_columns;	/* of account, that conditions read */

	/* what else it was made from; depends.c */
	int			n_depends;
	int			max_depends;
	struct LqDependency *depends;
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

/* The table's name, quoted and with its schema, for SPI. */
extern const char *lq_funnel_table(const LqFunnel *funnel, LqTable table);
extern const char *lq_relation_name(Oid relid);

extern const LqStage *lq_funnel_stage(const LqFunnel *funnel,
									  const char *name);
extern const LqKind *lq_funnel_kind(const LqFunnel *funnel, const char *name);
extern const LqRule *lq_funnel_rule(const LqFunnel *funnel, int64 rule_id);

#endif							/* LQ_FUNNEL_H */
