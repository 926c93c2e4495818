/*
 * record.c
 *		The AFTER trigger of the lead table: what happened goes to the history.
 *
 * The row is written now, so a new lead's stage can be judged (before, an
 * INSERT ... ON CONFLICT might not have inserted).  The moves are found again
 * from the row as it was and as it is: a trigger of the user's that fired
 * after ours may have put the lead somewhere no transition leads.
 */
#include "postgres.h"

#include "commands/async.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "funnel/between_triggers.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/funnel_entry.h"
#include "funnel/identity.h"
#include "funnel/key.h"
#include "funnel/milestone.h"
#include "funnel/partition.h"
#include "funnel/policy.h"
#include "funnel/row.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "funnel/unit_columns.h"
#include "lead/alias.h"
#include "lead/journey.h"
#include "lead/lead.h"
#include "lead/qualify.h"
#include "lead/refuse.h"
#include "lead/stage.h"
#include "lead/used_up.h"
#include "type/answer_level.h"
#include "type/frameworks.h"
#include "type/qualification.h"
#include "type/scorecard.h"
#include "type/scorecard_explain.h"

PG_FUNCTION_INFO_V1(_record_lead);

pg_noreturn static void
refuse_tampering(const LqFunnel *funnel, AttrNumber column)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("a trigger changed column \"%s\" after _qualify_lead() had set it",
					NameStr(TupleDescAttr(funnel->lead_desc,
										  column - 1)->attname)),
			 errhint("Let BEFORE triggers of yours sort before \"zz_qualify\", and ask for a stage there.")));
}

/* what find_path() and first_difference() say besides a column */
#define NO_DIFFERENCE	(-1)
#define NOT_GRANTED		(-2)

/*
 * The first column of a lead's state that is not as expected: what the moves
 * left in the row must be what the BEFORE trigger put there.
 */
static int
first_difference(const LqLead *expected, const LqLead *actual)
{
	static const LqColumn columns[] = {
		LQ_LEAD_STAGE, LQ_LEAD_STAGE_ENTERED_AT, LQ_LEAD_CYCLE,
		LQ_LEAD_CYCLE_STARTED_AT, LQ_LEAD_ACCEPTED_BY,
		LQ_LEAD_ACCEPTED_AT, LQ_LEAD_DUE_AT,
	};

	for (int i = 0; i < lengthof(columns); i++)
		if (!lq_lead_same(expected, actual, columns[i]))
			return columns[i];
	return NO_DIFFERENCE;
}

/* Give the row back its facts as they were judged, and its state before. */
static void
start_again(LqLead *expected, const LqLead *old, const LqUsedUp *facts)
{
	expected->first_cycle = facts->first_cycle;
	lq_lead_restore(expected, old, LQ_LEAD_FIRST_STATE, LQ_LEAD_LAST_STATE);
	lq_lead_set_text(expected, LQ_LEAD_STAGE, old == NULL ? NULL :
					 lq_lead_get_text(old, LQ_LEAD_STAGE));
	lq_used_up_restore(expected, facts);
}

/*
 * Find the path that led to where the lead is: the one nobody asked for, or
 * else the move that somebody asked for (old = NULL: at its creation).
 */
static int
find_path(LqLead *expected, const LqLead *actual, const LqLead *old,
		  const LqUsedUp *facts, LqPath *path)
{
	const LqStage *to = lq_funnel_stage(expected->funnel,
										lq_lead_get_text(actual, LQ_LEAD_STAGE));

	start_again(expected, old, facts);
	if (old != NULL)
		lq_stage_advance(expected, path);
	else
		(void) lq_stage_create(expected, NULL, path);
	if (path->n_hops > 0 &&
		first_difference(expected, actual) == NO_DIFFERENCE)
		return NO_DIFFERENCE;

	path->n_hops = 0;
	start_again(expected, old, facts);
	if (to == NULL || !(old != NULL ? lq_stage_ask(expected, to, path) :
						lq_stage_create(expected, to, path)))
		return NOT_GRANTED;
	return first_difference(expected, actual);
}

/*
 * Explain where the lead is by the transitions.  A policy that another
 * session committed after the BEFORE trigger had judged this row must not
 * fail the statement: then it is explained by the one before.  But what the
 * BEFORE trigger refused a new lead is not granted by a policy that had been
 * replaced even then.  Returns the funnel that the path belongs to.
 */
static LqFunnel *
explain_move(LqFunnel *funnel, HeapTuple tuple, const LqLead *actual,
			 const LqLead *old, const LqUsedUp *facts, char *reason,
			 uint64 refused_by, LqPath *path)
{
	LqLead		expected;
	int			difference = NO_DIFFERENCE;

	for (LqFunnel *model = funnel; model != NULL;
		 model = lq_funnel_replaced(model))
	{
		int			found;

		path->n_hops = 0;
		path->hops = NULL;
		lq_lead_init(&expected, model, tuple);
		expected.reason = reason;
		found = find_path(&expected, actual, old, facts, path);
		lq_lead_done(&expected);
		if (found == NO_DIFFERENCE)
			return model;
		if (model == funnel)
			difference = found;
		if (model->serial == refused_by)
			break;
	}

	/* an update was judged BEFORE: what that granted is not what is here */
	if (difference != NOT_GRANTED || old != NULL)
		refuse_tampering(funnel,
						 funnel->attno[difference == NOT_GRANTED ?
									   LQ_LEAD_STAGE : difference]);
	/* the policy in force says no, and says why */
	lq_lead_init(&expected, funnel, tuple);
	expected.reason = reason;
	start_again(&expected, NULL, facts);
	lq_stage_refuse(&expected, NULL, lq_lead_get_text(actual, LQ_LEAD_STAGE));
}

/*
 * What a lead had earned when it was handed over, or left the path, is asked
 * for later; its own card goes on.
 */
static bool
keeps_card(const LqHop *hop)
{
	return hop->to->milestone == LQ_MILESTONE_MQL ||
		lq_is_exit(hop->to->milestone);
}

/* One row of history a hop, and what that is to its unit. */
static void
add_move(const LqLead *lead, Datum key, const LqHop *hop,
		 const char *reason, const char *note, const Datum *owner)
{
	const LqFunnel *funnel = lead->funnel;
	Datum		values[LQ_N_MOVE_VALUES];
	char		nulls[LQ_N_MOVE_VALUES + 1];
	int			n = 0;

#define ADD(value, absent) \
	do { \
		nulls[n] = (absent) ? 'n' : ' '; \
		values[n++] = (absent) ? (Datum) 0 : (value); \
	} while (0)
#define ADD_TEXT(text) ADD(CStringGetTextDatum(text), (text) == NULL)
#define ADD_COLUMN(column) \
	do { \
		bool		absent_; \
		Datum		value_ = lq_lead_get(lead, column, &absent_); \
		ADD(value_, absent_); \
	} while (0)

	ADD(key, false);
	ADD_TEXT(hop->from == NULL ? NULL : hop->from->name);
	ADD_TEXT(hop->to->name);
	ADD(TimestampTzGetDatum(hop->entered_at), false);
	ADD(Int32GetDatum(hop->cycle), false);
	ADD_TEXT(lq_actor());
	ADD(BoolGetDatum(hop->automatic), false);
	ADD(BoolGetDatum(hop->transition->exception), false);
	ADD_TEXT(reason);
	ADD_TEXT(note);
	ADD(lq_points_to_numeric(lq_card_score(lead->card, hop->entered_at)), false);
	ADD_TEXT(funnel->definition);
	ADD(Int32GetDatum(funnel->version), false);
	ADD_COLUMN(LQ_LEAD_SOURCE);
	ADD_COLUMN(LQ_LEAD_CAMPAIGN);
	ADD(*owner, owner == NULL);
	ADD_COLUMN(LQ_LEAD_ACCOUNT_ID);
	ADD(TimestampTzGetDatum(hop->due_at), hop->to->sla == NULL);
	ADD(keeps_card(hop) ? lq_card_to_datum(lead->card) : (Datum) 0,
		!keeps_card(hop));
	ADD(BoolGetDatum(lq_accepts(hop->to->milestone, hop->automatic)), false);
	nulls[n] = '\0';

#undef ADD
#undef ADD_TEXT
#undef ADD_COLUMN

	lq_journey_move(funnel, hop, values, nulls);
}

/* Tell who listens on the channel named like the funnel. */
static void
notify(const LqFunnel *funnel, Datum key, const LqHop *hop)
{
	StringInfoData payload;

	initStringInfo(&payload);
	appendStringInfoString(&payload, "{\"funnel\": ");
	escape_json(&payload, funnel->name);
	appendStringInfoString(&payload, ", \"lead_id\": ");
	escape_json(&payload, lq_key_text(funnel, key));
	appendStringInfoString(&payload, ", \"from\": ");
	if (hop->from == NULL)
		appendStringInfoString(&payload, "null");
	else
		escape_json(&payload, hop->from->name);
	appendStringInfoString(&payload, ", \"to\": ");
	escape_json(&payload, hop->to->name);
	appendStringInfoChar(&payload, '}');
	Async_Notify(funnel->name, payload.data);
	pfree(payload.data);
}

static bool
same_answers(const LqLead *a, const LqLead *b)
{
	for (int f = 0; f < lq_n_frameworks(a->funnel); f++)
		if (!lq_lead_same(a, b, LQ_LEAD_FRAMEWORK(f)))
			return false;
	return true;
}

/* Answers written straight into the lead belong into the log as well. */
static void
log_answers(const LqLead *lead, const LqLead *old, Datum key, int f)
{
	const LqFramework *framework = lq_frameworks[f];
	LqColumn	column = LQ_LEAD_FRAMEWORK(f);
	bool		isnull;
	uint32		before = 0;
	uint32		now;
	Datum		value = lq_lead_get(lead, column, &isnull);

	if (isnull)
		return;
	now = DatumGetLqQualification(framework, value);
	if (old != NULL)
	{
		value = lq_lead_get(old, column, &isnull);
		before = isnull ? 0 : DatumGetLqQualification(framework, value);
	}
	for (int i = 0; i < framework->nelements; i++)
	{
		LqLevel		level = lq_qualification_level(now, i);
		Datum		values[6];

		if (level == lq_qualification_level(before, i))
			continue;
		values[0] = key;
		values[1] = CStringGetTextDatum(framework->name);
		values[2] = CStringGetTextDatum(framework->elements[i].name);
		values[3] = AnswerLevelGetDatum(level);
		values[4] = CStringGetTextDatum(lq_actor());
		values[5] = TimestampTzGetDatum(lead->now);
		(void) lq_statement_run_latest(lead->funnel, LQ_STATEMENT_ADD_ANSWER,
									   values, NULL);
	}
}

/*
 * _record_lead() - AFTER INSERT OR UPDATE ON lead FOR EACH ROW
 *
 * Checks that the lead is where a transition leads, writes each move to
 * stage_history, and the answers somebody gave to the answer log.
 */
Datum
_record_lead(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_record_lead");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	LqPartition *partition;
	HeapTuple	tuple;
	HeapTuple	before = NULL;
	LqLead		lead;
	LqLead		old;
	LqPath		path = {0, NULL};
	LqIdentity	saved;
	Datum		key;
	char	   *reason = NULL;
	char	   *note = NULL;
	Datum		owner = (Datum) 0;
	bool		owner_isnull = true;
	int			flags = 0;
	bool		answered;

	partition = lq_partition(funnel, trigdata->tg_relation);
	tuple = lq_partition_to_lead(partition, update ? trigdata->tg_newtuple :
								 trigdata->tg_trigtuple);
	if (update)
		before = lq_partition_to_lead(partition, trigdata->tg_trigtuple);
	lq_alias_refuse(funnel, tuple, before);
	if (lq_funnel_importing(funnel))
		return PointerGetDatum(NULL);

	lq_lead_init(&lead, funnel, tuple);
	key = lead.values[funnel->key_attno - 1];
	if (!update && partition != NULL)
		before = lq_partition_take(funnel, key);
	update = before != NULL;
	if (update)
	{
		lq_lead_init(&old, funnel, before);
		if (!datum_image_eq(old.values[funnel->key_attno - 1], key,
							funnel->key_typbyval, funnel->key_typlen))
			refuse_tampering(funnel, funnel->key_attno);
		(void) lq_own_write_after(funnel, key, &flags);
	}

	if (!update || !lq_lead_same(&lead, &old, LQ_LEAD_STAGE))
	{
		uint64		refused_by;
		LqLead		judged;
		LqUsedUp	facts;

		/* the row as it was judged, before a move used up some of it */
		lq_lead_init(&judged, funnel, tuple);
		refused_by = lq_used_up_take(&judged, key, &facts);
		reason = lq_lead_get_text(&judged, LQ_LEAD_REASON);
		note = lq_lead_get_text(&judged, LQ_LEAD_NOTE);
		owner = lq_lead_get(&judged, LQ_LEAD_OWNER, &owner_isnull);

		/* the history tells the definition that the lead moved by */
		lead.funnel = explain_move(funnel, tuple, &lead,
								   update ? &old : NULL, &facts, reason,
								   refused_by, &path);
		lq_lead_done(&judged);
	}
	else
	{
		int			difference = first_difference(&old, &lead);

		if (difference != NO_DIFFERENCE)
			refuse_tampering(funnel, funnel->attno[difference]);
	}

	answered = (flags & LQ_WRITE_ANSWERS) == 0 &&
		(!update || !same_answers(&lead, &old));

	if (path.n_hops > 0 || answered)
	{
		lq_funnel_enter(funnel, &saved);
		for (int i = 0; i < path.n_hops; i++)
		{
			/*
			 * The last carries the reason and the note that were given; a
			 * move that nobody gave one for has that of its transition.
			 */
			const LqHop *hop = &path.hops[i];
			bool		last = i == path.n_hops - 1;
			const char *given = last ? reason : NULL;

			if (given == NULL)
				given = hop->transition->reason;
			add_move(&lead, key, hop, given, last ? note : NULL,
					 owner_isnull ? NULL : &owner);
			if (path.hops[i].to->notify)
				notify(funnel, key, &path.hops[i]);
		}
		if (answered)
		{
			for (int f = 0; f < lq_n_frameworks(funnel); f++)
				log_answers(&lead, update ? &old : NULL, key, f);
		}
		if (update && path.n_hops > 0 && !lq_lead_same(&lead, &old, LQ_LEAD_CYCLE))
			lq_expire_answers(funnel, key, lead.now);
		lq_funnel_leave(&saved);
	}

	lq_lead_done(&lead);
	if (update)
		lq_lead_done(&old);
	return PointerGetDatum(NULL);
}
