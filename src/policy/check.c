/*
 * check.c
 *		What only the code can tell of a funnel's health: conditions that do
 *		not compile or raise, and cards that their log does not give.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "condition/eval.h"
#include "condition/pseudo.h"
#include "fact/baseline.h"
#include "fact/replay.h"
#include "fact/replay_rows.h"
#include "funnel/compile.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/key.h"
#include "funnel/key_stream.h"
#include "funnel/lookup.h"
#include "funnel/policy.h"
#include "funnel/row.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "lead/fit.h"
#include "lead/lead.h"
#include "lead/pseudo.h"
#include "lead/stage.h"
#include "result.h"
#include "subtransaction.h"
#include "type/decay.h"
#include "type/scorecard.h"

PG_FUNCTION_INFO_V1(_check_policy);

/* leads that a finding names */
#define MAX_NAMED		5

/* how far sums of the same points in another order may lie apart */
#define TOLERANCE		1e-9

/* a condition under observation */
typedef struct Watched
{
	const char *label;
	LqCondition *condition;
	int64		n_raised;		/* when the check began */
	int64		seen;			/* when the last lead was done */
	char	   *first;			/* the lead at which it raised first ... */
	char	   *error;			/* ... and what it said */
} Watched;

/* leads that have something in common */
typedef struct Named
{
	int64		n;
	StringInfoData keys;		/* the first of them */
	char	   *first;			/* what is wrong with the first */
} Named;

/* what cards are weighed from */
typedef enum Source
{
	LEADS,
	LOGS,
	BASELINES
#define N_SOURCES (BASELINES + 1)
} Source;

typedef struct Check
{
	LqFunnel   *funnel;
	LqResult	result;
	MemoryContext context;		/* of the whole check */
	Watched    *watched;
	int			n_watched;
	Named		differ;			/* leads whose card differs */
	Named		failed;			/* leads that could not be checked */

	/* the lead at hand, which is read with the others, or by itself */
	LqKeyStream streams[N_SOURCES];
	Datum		key;
	bool		lock;
	char	   *difference;
} Check;

static void
report(Check *check, const char *finding, const char *severity,
	   const char *object, int64 n, const char *detail, const char *hint)
{
	LqResult   *result = &check->result;

	lq_result_add_text(result, finding);
	lq_result_add_text(result, severity);
	lq_result_add_text(result, object);
	lq_result_add(result, Int64GetDatum(n));
	lq_result_add_text(result, detail);
	lq_result_add_text(result, hint);
	lq_result_end_row(result);
}

/*
 * Why a stored condition does not compile.
 */
static char *
compile_error(const LqFunnel *funnel, LqConditionFor target, LqTable table,
			  const char *sql, const char *text, const char *label)
{
	Relation	rel = table_open(funnel->relid[table], AccessShareLock);
	LqFailure	failure = {0, "It compiles now."};

	(void) lq_funnel_compile(funnel, target, rel, sql, text, label,
							 CurrentMemoryContext, &failure);
	table_close(rel, AccessShareLock);
	return failure.message;
}

static void
watch(Check *check, const char *label, LqCondition *condition)
{
	Watched    *watched = &check->watched[check->n_watched++];

	watched->label = label;
	watched->condition = condition;
	watched->n_raised = lq_condition_n_raised(condition);
	watched->seen = watched->n_raised;
	watched->first = NULL;
}

/*
 * Report the conditions that do not compile; observe the others.
 */
static void
check_conditions(Check *check)
{
	LqFunnel   *funnel = check->funnel;
	bool		way_in = false;

	check->watched = palloc((funnel->n_rules + funnel->n_transitions + 1) *
							sizeof(Watched));
	for (int i = 0; i < funnel->n_rules; i++)
	{
		const LqRule *rule = &funnel->rules[i];
		bool		fit = rule->card.axis == LQ_AXIS_FIT;
		char	   *label = psprintf("rule \"%s\"", rule->name);

		if (i >= LQ_CARD_MAX_ENTRIES)
		{
			report(check, "too_many_rules", "error", label,
				   funnel->n_rules - LQ_CARD_MAX_ENTRIES,
				   psprintf("A scorecard has room for %d rules. This one and those that came after it give no points.",
							LQ_CARD_MAX_ENTRIES),
				   "Remove rules. Where they differ in a value only, keep the values in a list.");
			break;
		}
		if (rule->broken)
			report(check, "condition_does_not_compile", "error", label, 1,
				   compile_error(funnel, fit ? LQ_FOR_FIT : LQ_FOR_ACTIVITY,
								 fit ? LQ_TABLE_LEAD : LQ_TABLE_ACTIVITY,
								 rule->condition_sql, rule->condition_text,
								 label),
				   "The rule gives no points. Write its condition again.");
		else if (rule->condition != NULL)
			watch(check, label, rule->condition);
	}
	for (int i = 0; i < funnel->n_transitions; i++)
	{
		const LqTransition *transition = &funnel->transitions[i];
		char	   *label = psprintf("transition " INT64_FORMAT,
									 transition->transition_id);

		if (transition->broken && transition->has_condition &&
			transition->to != NULL &&
			(transition->from != NULL || transition->from_any ||
			 transition->creation))
			report(check, "condition_does_not_compile", "error", label, 1,
				   compile_error(funnel, LQ_FOR_TRANSITION, LQ_TABLE_LEAD,
								 transition->condition_sql,
								 transition->condition_text, label),
				   "The transition grants nothing. Write its condition again.");
		else if (transition->broken)
			report(check, "transition_without_stage", "error", label, 1,
				   "It names a stage that does not exist.",
				   "The transition grants nothing. Add the stage, or name another.");
		else if (transition->condition != NULL)
			watch(check, label, transition->condition);
		way_in |= lq_transition_leaves(transition, NULL);
	}
	if (funnel->definition != NULL && !way_in)
		report(check, "no_way_in", "error", "transition", 1,
			   "No transition of the active definition can create a lead: every INSERT of one is refused.",
			   "Add one whose from_stage is NULL, to the stage where leads begin, or mend the one that is broken.");
}

static double
points_at(const LqCard *card, const LqCardEntry *entry, TimestampTz at)
{
	if (entry->half_life == 0 || at <= card->as_of)
		return entry->points;
	return lq_decay(entry->points, entry->half_life, lq_span(at, card->as_of));
}

static char *
rule_label(const LqFunnel *funnel, int64 rule_id)
{
	const LqRule *rule = lq_funnel_rule(funnel, rule_id);

	return rule == NULL ? psprintf("rule " INT64_FORMAT, rule_id) :
		psprintf("rule \"%s\"", rule->name);
}

/*
 * How the stored card differs from the one that facts give; NULL if it does
 * not.
 */
static char *
card_difference(const LqFunnel *funnel, const LqCard *stored,
				const LqCard *fresh)
{
	TimestampTz at = Max(stored->as_of, fresh->as_of);
	int			i = 0;
	int			j = 0;

	while (i < stored->n_entries || j < fresh->n_entries)
	{
		const LqCardEntry *a = i < stored->n_entries ? &stored->entries[i] : NULL;
		const LqCardEntry *b = j < fresh->n_entries ? &fresh->entries[j] : NULL;
		double		has;
		double		gives;

		if (b == NULL || (a != NULL && a->rule_id < b->rule_id))
			return psprintf("%s has hits, but none is in its facts",
							rule_label(funnel, a->rule_id));
		if (a == NULL || b->rule_id < a->rule_id)
			return psprintf("%s lacks its hits",
							rule_label(funnel, b->rule_id));
		if (a->hits != b->hits)
			return psprintf("%s has " INT64_FORMAT " hits, its facts give " INT64_FORMAT,
							rule_label(funnel, a->rule_id), a->hits, b->hits);
		if (a->last_hit != b->last_hit)
			return psprintf("%s has another last hit than its facts",
							rule_label(funnel, a->rule_id));
		has = points_at(stored, a, at);
		gives = points_at(fresh, b, at);
		if (fabs(has - gives) > TOLERANCE * Max(1.0, fabs(gives)))
			return psprintf("%s has %g points, its facts give %g",
							rule_label(funnel, a->rule_id), has, gives);
		i++;
		j++;
	}
	if (stored->last_activity != fresh->last_activity)
		return "the last activity is another than in the log";
	return NULL;
}

/* How the card that the lead's facts give differs; every condition is asked. */
static void
weigh(Check *check, Datum row, LqCard *fresh)
{
	LqFunnel   *funnel = check->funnel;
	HeapTupleData tuple = lq_tuple_of_row(DatumGetHeapTupleHeader(row));
	LqLead		lead;
	LqCard	   *stored;

	lq_lead_init(&lead, funnel, &tuple);
	stored = lead.card;
	lead.card = fresh;
	lq_lead_set_fit(&lead);
	for (int i = 0; i < funnel->n_transitions; i++)
	{
		const LqTransition *transition = &funnel->transitions[i];

		if (!transition->broken && transition->condition != NULL)
			(void) lq_lead_holds(&lead, transition->condition);
	}

	/* a card of another version is stale, which is another finding */
	if (stored->version == funnel->version)
		check->difference = card_difference(funnel, stored, lead.card);
	lq_lead_done(&lead);
}

/* Weigh the lead at hand from what was read with the others ... */
static void
check_read(Check *check)
{
	const LqFunnel *funnel = check->funnel;
	const LqKeyStream *baselines = &check->streams[BASELINES];
	LqCard	   *card = baselines->n_rows == 0 ?
	lq_card_new(funnel->version, &funnel->limits) :
	lq_baseline_card(funnel, baselines->rows[0].values[1], false);

	lq_replay_stream(funnel, &check->streams[LOGS], card);
	weigh(check, check->streams[LEADS].rows[0].values[1], card);
}

/* ... or locked, as it is by now. */
static void
check_locked(Check *check)
{
	const LqFunnel *funnel = check->funnel;
	SPITupleTable *rows;
	bool		isnull;

	(void) lq_statement_run(funnel, LQ_STATEMENT_LOCK_LEAD, &check->key, NULL);
	SPI_freetuptable(SPI_tuptable);
	if (lq_statement_run(funnel, LQ_STATEMENT_LEAD, &check->key, NULL) == 0)
		return;					/* deleted meanwhile */
	rows = SPI_tuptable;
	weigh(check, SPI_getbinval(rows->vals[0], rows->tupdesc, 1, &isnull),
		  lq_replay_locked(funnel, check->key));
	SPI_freetuptable(rows);
}

static void
check_lead(void *arg)
{
	Check	   *check = arg;

	check->difference = NULL;
	if (check->lock)
		check_locked(check);
	else
		check_read(check);
}

static void
name_lead(Check *check, Named *named, const char *what)
{
	MemoryContext old = MemoryContextSwitchTo(check->context);

	if (named->n == 0)
	{
		initStringInfo(&named->keys);
		named->first = pstrdup(what);
	}
	if (named->n < MAX_NAMED)
		appendStringInfo(&named->keys, "%s%s", named->n > 0 ? ", " : "",
						 lq_key_text(check->funnel, check->key));
	else if (named->n == MAX_NAMED)
		appendStringInfoString(&named->keys, ", ...");
	named->n++;
	MemoryContextSwitchTo(old);
}

static void
report_named(Check *check, const Named *named, const char *finding,
			 const char *hint)
{
	if (named->n > 0)
		report(check, finding, "error", "lead", named->n,
			   psprintf("Leads %s. The first: %s.", named->keys.data,
						named->first),
			   hint);
}

/*
 * Note the conditions that raised for the lead at hand.  What a second look
 * raised was counted by the first.
 */
static void
note_raised(Check *check, bool again)
{
	MemoryContext old = MemoryContextSwitchTo(check->context);

	for (int i = 0; i < check->n_watched; i++)
	{
		Watched    *watched = &check->watched[i];
		int64		n = lq_condition_n_raised(watched->condition);

		if (again)
			watched->n_raised += n - watched->seen;
		else if (n != watched->seen && watched->first == NULL)
		{
			watched->first = lq_key_text(check->funnel, check->key);
			watched->error = pstrdup(lq_condition_last_error(watched->condition));
		}
		watched->seen = n;
	}
	MemoryContextSwitchTo(old);
}

/*
 * One look at the lead at hand; one that fails is named, and the others go
 * on.
 */
static void
look(Check *check, bool again)
{
	LqFailure	failure;

	check->lock = again;
	if (!lq_try(LQ_TRY_LEAD, check_lead, check, &failure))
	{
		name_lead(check, &check->failed, failure.message);
		check->difference = NULL;
	}
	note_raised(check, again);
}

static void
open_streams(Check *check)
{
	const LqFunnel *funnel = check->funnel;

	lq_key_stream_open(&check->streams[LEADS], funnel,
					   LQ_STATEMENT_ALL_LEADS);
	lq_key_stream_open(&check->streams[LOGS], funnel, LQ_STATEMENT_ALL_LOGS);
	lq_key_stream_open(&check->streams[BASELINES], funnel,
					   LQ_STATEMENT_ALL_BASELINES);
}

static void
check_leads(Check *check)
{
	bool		may_lock = !XactReadOnly && !RecoveryInProgress();
	MemoryContext lead_context = AllocSetContextCreate(CurrentMemoryContext,
													   "lead_qual lead",
													   ALLOCSET_DEFAULT_SIZES);

	open_streams(check);
	while (lq_key_streams_next(check->streams, N_SOURCES, &check->key))
	{
		MemoryContext old;

		/* facts of nobody are another finding */
		if (check->streams[LEADS].n_rows == 0)
			continue;
		old = MemoryContextSwitchTo(lead_context);
		look(check, false);
		/* an activity may have come in between: look undisturbed */
		if (check->difference != NULL && may_lock)
			look(check, true);
		if (check->difference != NULL)
			name_lead(check, &check->differ, check->difference);
		MemoryContextSwitchTo(old);
		MemoryContextReset(lead_context);
	}
	for (int i = 0; i < N_SOURCES; i++)
		lq_key_stream_close(&check->streams[i]);
	MemoryContextDelete(lead_context);

	for (int i = 0; i < check->n_watched; i++)
	{
		const Watched *watched = &check->watched[i];
		int64		n = watched->seen - watched->n_raised;

		if (n > 0)
			report(check, "condition_raises", "warning", watched->label, n,
				   psprintf("%s (first for lead %s)",
							watched->error, watched->first),
				   "Such a row counts as one for which the condition does not hold. Correct the rows, or guard the condition.");
	}
	report_named(check, &check->differ, "card_differs",
				 "Was a trigger disabled? rescore_funnel() makes the cards anew.");
	report_named(check, &check->failed, "lead_not_checked",
				 "Nothing is known of the card of such a lead. Correct what the message names.");
}

/*
 * _check_policy(funnel text, deep boolean) - set of findings
 *
 * With deep, every lead's log is weighed again.  The part of check_funnel()
 * that is written in C.
 */
Datum
_check_policy(PG_FUNCTION_ARGS)
{
	Check		check = {0};
	LqIdentity	saved;

	check.funnel = lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	lq_funnel_check_owner(check.funnel, "check_funnel");
	lq_funnel_check_settings(check.funnel);
	lq_result_begin(&check.result, fcinfo);
	check.context = CurrentMemoryContext;

	lq_funnel_enter(check.funnel, &saved);
	check_conditions(&check);
	if (PG_GETARG_BOOL(1))
		check_leads(&check);
	lq_funnel_leave(&saved);
	return (Datum) 0;
}
