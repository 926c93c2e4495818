/*
 * record.c
 *		The AFTER trigger of the lead table: what happened goes to the history.
 *
 * The row is written now, so a new lead's stage can be judged (before, an
 * INSERT ... ON CONFLICT might not have inserted).  The moves are found again
 * from the row as it was and as it is: a trigger of the user's that fired
 * after ours may have put the lead somewhere no transition leads.
 *
 * Copyright (c) 2026, lead_qual contributors
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
#include "lead.h"
#include "own_write.h"
#include "qualification.h"
#include "used_up.h"

PG_FUNCTION_INFO_V1(record_lead);

static bool
same(const LqLead *a, const LqLead *b, LqLeadColumn column)
{
	Form_pg_attribute attr = TupleDescAttr(a->funnel->lead_desc,
										   a->funnel->lead_attno[column] - 1);
	bool		a_isnull;
	bool		b_isnull;
	Datum		a_value = lq_lead_get(a, column, &a_isnull);
	Datum		b_value = lq_lead_get(b, column, &b_isnull);

	return a_isnull == b_isnull &&
		(a_isnull || datum_image_eq(a_value, b_value, attr->attbyval,
									attr->attlen));
}

static void
pg_attribute_noreturn()
refuse_tampering(const LqFunnel *funnel, LqLeadColumn column)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("a trigger changed column \"%s\" after qualify_lead() had set it",
					NameStr(TupleDescAttr(funnel->lead_desc,
										  funnel->lead_attno[column] - 1)->attname)),
			 errhint("Let BEFORE triggers of yours sort before \"zz_qualify\", and ask for a stage there.")));
}

/*
 * The first column of a lead's state that is not as expected, or -1: what the
 * moves left in the row must be what the BEFORE trigger put there.
 */
static int
first_difference(const LqLead *expected, const LqLead *actual)
{
	static const LqLeadColumn columns[] = {
		LQ_LEAD_STAGE, LQ_LEAD_STAGE_ENTERED_AT, LQ_LEAD_CYCLE,
		LQ_LEAD_CYCLE_STARTED_AT, LQ_LEAD_ACCEPTED_BY,
		LQ_LEAD_ACCEPTED_AT, LQ_LEAD_DUE_AT,
	};

	for (int i = 0; i < lengthof(columns); i++)
		if (!same(expected, actual, columns[i]))
			return columns[i];
	return -1;
}

/*
 * Find the path that led to where the lead is: the one nobody asked for, or
 * else the move that somebody asked for.  expected is the row with its facts
 * as they are and its state as it was (old = NULL: as it came).
 */
static void
find_path(LqLead *expected, const LqLead *actual, const LqLead *old,
		  LqPath *path)
{
	LqFunnel   *funnel = expected->funnel;
	char	   *before = old == NULL ? NULL :
	lq_lead_get_text(old, LQ_LEAD_STAGE);
	char	   *now = lq_lead_get_text(actual, LQ_LEAD_STAGE);
	const LqStage *to = lq_funnel_stage(funnel, now);
	LqUsedUp	facts;
	int			difference;

	lq_used_up_read(expected, &facts);

	if (old != NULL)
		lq_stage_advance(expected, path);
	else
		(void) lq_stage_create(expected, NULL, path);
	if (path->n_hops > 0 && first_difference(expected, actual) < 0)
		return;

	path->n_hops = 0;
	lq_lead_restore(expected, old, LQ_LEAD_FIRST_STATE, LQ_LEAD_LAST_STATE);
	lq_lead_set_text(expected, LQ_LEAD_STAGE, before);
	lq_used_up_restore(expected, &facts);
	if (to == NULL || !(old != NULL ? lq_stage_ask(expected, to, path) :
						lq_stage_create(expected, to, path)))
	{
		/* an update was judged BEFORE: what it granted is not what is here */
		if (old != NULL)
			refuse_tampering(funnel, LQ_LEAD_STAGE);
		lq_stage_refuse(expected, NULL, now);
	}
	difference = first_difference(expected, actual);
	if (difference >= 0)
		refuse_tampering(funnel, difference);
}

/* One row of history a hop.  The last carries the reason and the note. */
static void
add_history(const LqLead *lead, Datum key, const LqHop *hop,
			const char *reason, const char *note)
{
	const LqFunnel *funnel = lead->funnel;
	Datum		values[18];
	char		nulls[19];
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
	ADD(lq_micro_to_numeric(lq_card_score(lead->card, hop->entered_at)), false);
	ADD_TEXT(funnel->definition);
	ADD(Int32GetDatum(funnel->version), false);
	ADD_COLUMN(LQ_LEAD_SOURCE);
	ADD_COLUMN(LQ_LEAD_CAMPAIGN);
	ADD_COLUMN(LQ_LEAD_OWNER);
	ADD_COLUMN(LQ_LEAD_ACCOUNT_ID);
	ADD(TimestampTzGetDatum(hop->due_at), TIMESTAMP_IS_NOEND(hop->due_at));
	nulls[n] = '\0';

#undef ADD
#undef ADD_TEXT
#undef ADD_COLUMN

	(void) lq_statement_run(funnel, LQ_STATEMENT_ADD_HISTORY, values, nulls);
}

/* Tell who listens on the channel named like the funnel. */
static void
notify(const LqFunnel *funnel, Datum key, const LqHop *hop)
{
	StringInfoData payload;
	Oid			output;
	bool		varlena;

	initStringInfo(&payload);
	getTypeOutputInfo(funnel->key_type, &output, &varlena);
	appendStringInfoString(&payload, "{\"funnel\": ");
	escape_json(&payload, funnel->name);
	appendStringInfoString(&payload, ", \"lead_id\": ");
	escape_json(&payload, OidOutputFunctionCall(output, key));
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

/* Answers written straight into the lead belong into the log as well. */
static void
log_answers(const LqLead *lead, const LqLead *old, Datum key,
			LqLeadColumn column, const LqFramework *framework)
{
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
		(void) lq_statement_run(lead->funnel, LQ_STATEMENT_ADD_ANSWER,
								values, NULL);
	}
}

/*
 * record_lead() - AFTER INSERT OR UPDATE ON lead FOR EACH ROW
 *
 * Checks that the lead is where a transition leads, writes each move to
 * stage_history, and the answers somebody gave to the answer log.
 */
Datum
record_lead(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, LQ_TABLE_LEAD,
											  TRIGGER_EVENT_ROW,
											  "record_lead");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	LqLead		lead;
	LqLead		old;
	LqLead		expected;
	LqPath		path = {0, NULL};
	LqIdentity	saved;
	Datum		key;
	char	   *reason = NULL;
	char	   *note = NULL;
	int			flags = 0;
	bool		answered;

	if (!update && !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired for INSERT or UPDATE",
						"record_lead")));
	lq_lead_check_shape(funnel, trigdata->tg_relation);
	if (lq_funnel_importing(funnel))
		return PointerGetDatum(NULL);

	lq_lead_init(&lead, funnel,
				 update ? trigdata->tg_newtuple : trigdata->tg_trigtuple);
	key = lead.values[funnel->key_attno - 1];
	if (update)
	{
		lq_lead_init(&old, funnel, trigdata->tg_trigtuple);
		(void) lq_own_write_after(funnel, key, &flags);
	}

	if (!update || !same(&lead, &old, LQ_LEAD_STAGE))
	{
		lq_lead_init(&expected, funnel,
					 update ? trigdata->tg_newtuple : trigdata->tg_trigtuple);
		lq_lead_restore(&expected, update ? &old : NULL,
						LQ_LEAD_FIRST_STATE, LQ_LEAD_LAST_STATE);
		lq_lead_set_text(&expected, LQ_LEAD_STAGE,
						 update ? lq_lead_get_text(&old, LQ_LEAD_STAGE) : NULL);
		lq_used_up_take(&expected, key);
		reason = lq_lead_get_text(&expected, LQ_LEAD_REASON);
		note = lq_lead_get_text(&expected, LQ_LEAD_NOTE);
		expected.reason = reason;
		find_path(&expected, &lead, update ? &old : NULL, &path);
		lq_lead_done(&expected);
	}
	else
	{
		int			difference = first_difference(&old, &lead);

		if (difference >= 0)
			refuse_tampering(funnel, difference);
	}

	answered = (flags & LQ_WRITE_ANSWERS) == 0 &&
		(!update || !same(&lead, &old, LQ_LEAD_BANT) ||
		 !same(&lead, &old, LQ_LEAD_MEDDIC));

	if (path.n_hops > 0 || answered)
	{
		lq_funnel_enter(funnel, &saved);
		SPI_connect();
		for (int i = 0; i < path.n_hops; i++)
		{
			bool		last = i == path.n_hops - 1;

			add_history(&lead, key, &path.hops[i],
						last ? reason : NULL, last ? note : NULL);
			if (path.hops[i].to->notify)
				notify(funnel, key, &path.hops[i]);
		}
		if (answered)
		{
			log_answers(&lead, update ? &old : NULL, key, LQ_LEAD_BANT,
						&lq_bant);
			log_answers(&lead, update ? &old : NULL, key, LQ_LEAD_MEDDIC,
						&lq_meddic);
		}
		SPI_finish();
		lq_funnel_leave(&saved);
	}

	lq_lead_done(&lead);
	if (update)
		lq_lead_done(&old);
	return PointerGetDatum(NULL);
}
