/*
 * qualify.c
 *		The BEFORE trigger of the lead table: fit, stage, deadlines.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "funnel/between_triggers.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/milestone.h"
#include "funnel/partition.h"
#include "funnel/raised.h"
#include "funnel/policy.h"
#include "funnel/row.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "lead/defaults.h"
#include "lead/fit.h"
#include "lead/journey.h"
#include "lead/lead.h"
#include "lead/pseudo.h"
#include "lead/qualify.h"
#include "lead/refuse.h"
#include "lead/review.h"
#include "lead/stage.h"
#include "lead/state_version.h"
#include "lead/upsert.h"
#include "lead/used_up.h"
#include "type/scorecard.h"

PG_FUNCTION_INFO_V1(_qualify_lead);

/*
 * Put columns that triggers keep back to what they were (old = NULL: to those
 * of a lead that has just come).
 */
void
lq_lead_restore(LqLead *lead, const LqLead *old,
				LqColumn first, LqColumn last)
{
	for (int column = first; column <= last; column++)
	{
		Datum		value;
		bool		isnull;

		if (old != NULL)
			value = lq_lead_get(old, column, &isnull);
		else
			value = lq_lead_default(lead, column, &isnull);
		lq_lead_set(lead, column, value, isnull);
	}
}

/* What a client wrote into columns that triggers keep is ignored. */
static void
ignore_client(LqLead *lead, const LqLead *old)
{
	lq_lead_restore(lead, old, LQ_LEAD_FIRST_STATE, LQ_LEAD_LAST_SUM);
	lead->card = old != NULL ? old->card :
		lq_card_new(lead->funnel->version, &lead->funnel->limits);
}

/* Is the lead another account's than before? */
static bool
joins(const LqLead *lead, const LqLead *old)
{
	bool		isnull;
	bool		old_isnull;
	Datum		id = lq_lead_get(lead, LQ_LEAD_ACCOUNT_ID, &isnull);
	Datum		old_id;

	if (isnull || old == NULL)
		return !isnull;
	old_id = lq_lead_get(old, LQ_LEAD_ACCOUNT_ID, &old_isnull);
	return old_isnull || DatumGetInt64(id) != DatumGetInt64(old_id);
}

/* Did a column change that a fit rule reads? */
static bool
fit_columns_changed(const LqLead *lead, const LqLead *old)
{
	int			column = -1;

	while ((column = bms_next_member(lead->funnel->fit_columns, column)) >= 0)
	{
		Form_pg_attribute attr = TupleDescAttr(lead->funnel->lead_desc,
											   column - 1);

		if (lead->isnull[column - 1] != old->isnull[column - 1])
			return true;
		if (!lead->isnull[column - 1] &&
			!datumIsEqual(lead->values[column - 1], old->values[column - 1],
						  attr->attbyval, attr->attlen))
			return true;
	}
	return false;
}

/*
 * review_at is a lower bound.  It is written when it must come earlier, when
 * it has passed, and with a move, but not with every activity: it is indexed.
 */
static void
set_review(LqLead *lead, bool moved)
{
	TimestampTz before = lq_lead_instant(lead, LQ_LEAD_REVIEW_AT, DT_NOEND);
	TimestampTz review = lq_lead_review_at(lead);

	if (moved || review < before || before <= lead->now)
		lq_lead_set(lead, LQ_LEAD_REVIEW_AT, TimestampTzGetDatum(review),
					TIMESTAMP_IS_NOEND(review));
}

/* A move uses up the reason and the note that came with it. */
static void
use_up(LqLead *lead, Datum key, const LqUsedUp *before)
{
	lq_lead_set(lead, LQ_LEAD_REASON, (Datum) 0, true);
	lq_lead_set(lead, LQ_LEAD_NOTE, (Datum) 0, true);
	lq_used_up_put(lead, key, before);
}

/* Does any table name the lead? */
static bool
is_named(const LqFunnel *funnel, Datum key)
{
	LqIdentity	saved;
	bool		named;

	lq_funnel_enter(funnel, &saved);
	named = lq_statement_run_latest(funnel, LQ_STATEMENT_NAMED, &key, NULL) > 0;
	lq_funnel_leave(&saved);
	return named;
}

/* Does the path give back to marketing what sales had, or was to have? */
static bool
returns(const LqPath *path)
{
	for (int i = 0; i < path->n_hops; i++)
	{
		const LqStage *from = path->hops[i].from;

		if (path->hops[i].to->milestone == LQ_MILESTONE_NURTURE &&
			from != NULL && (from->milestone == LQ_MILESTONE_LOST ||
							 (from->milestone >= LQ_MILESTONE_MQL &&
							  from->milestone <= LQ_MILESTONE_OPPORTUNITY)))
			return true;
	}
	return false;
}

/*
 * A lead that was returned is nobody's in sales any more: the history tells
 * whose it was.  An owner whom the writer names with the move stays, and so
 * does one in a column that does not take NULL.
 */
static void
hand_back(LqLead *lead, const LqLead *old)
{
	const LqFunnel *funnel = lead->funnel;
	int			i = funnel->attno[LQ_LEAD_OWNER] - 1;
	Form_pg_attribute attr = TupleDescAttr(funnel->lead_desc, i);

	if (lead->isnull[i] || old->isnull[i] || attr->attnotnull ||
		attr->attgenerated != '\0' ||
		lq_value_differs(attr, lead->values[i], false, old->values[i], false))
		return;
	lq_lead_set(lead, LQ_LEAD_OWNER, (Datum) 0, true);
}

static void
check_key(const LqFunnel *funnel, Datum before, Datum after)
{
	if (datum_image_eq(before, after, funnel->key_typbyval, funnel->key_typlen))
		return;
	/* an import may put right what nothing follows from yet */
	if (lq_funnel_importing(funnel) && !is_named(funnel, before))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("the key of a lead cannot be changed"),
			 errdetail("Column \"%s\" identifies the lead in its log and its history.",
					   funnel->key_name),
			 errhint("Insert a new lead instead.")));
}

/*
 * A new lead goes to the stage asked for, if a transition lets it in there or
 * if it earns that stage anyway.  Otherwise it is left there, for the AFTER
 * trigger to refuse.
 */
static void
create(LqLead *lead, const char *asked, LqPath *path)
{
	const LqFunnel *funnel = lead->funnel;
	const LqStage *to = asked == NULL ? NULL : lq_funnel_stage(funnel, asked);

	lq_lead_set(lead, LQ_LEAD_STAGE, (Datum) 0, true);
	if (to != NULL && lq_stage_create(lead, to, path))
		return;
	if (lq_stage_create(lead, NULL, path) &&
		(asked == NULL || path->hops[path->n_hops - 1].to == to))
		return;

	path->n_hops = 0;
	lq_lead_restore(lead, NULL, LQ_LEAD_FIRST_STATE, LQ_LEAD_LAST_STATE);
	lq_lead_set_text(lead, LQ_LEAD_STAGE,
					 asked != NULL ? asked :
					 funnel->n_stages > 0 ? funnel->stages[0].name : "none");
}

/*
 * _qualify_lead() - BEFORE INSERT OR UPDATE ON lead FOR EACH ROW
 *
 * 1. Fit, if a column changed that a fit rule reads.
 * 2. If the writer asked for another stage, judge that; refusing is an error,
 *	  but not here for a new lead: INSERT ... ON CONFLICT may not insert.
 * 3. If nobody asked, the automatic transitions.
 * 4. The deadlines of where the lead is now.
 */
Datum
_qualify_lead(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_qualify_lead");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	tuple = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	HeapTuple	tuple_before = NULL;
	LqPartition *partition;
	LqLead		lead;
	LqLead		old;
	LqPath		path = {0, NULL};
	LqUsedUp	before_move;
	Datum		key;
	bool		key_isnull;
	char	   *asked = NULL;
	int			flags = 0;
	bool		own;
	bool		proposes = false;	/* a new row that may yet give way */
	bool		stage_given = false;

	lq_version_forget(funnel->schema, LQ_VERSION_RAISED);
	partition = lq_partition(funnel, trigdata->tg_relation);

	lq_lead_init(&lead, funnel, lq_partition_to_lead(partition, tuple));
	if (!update)
		lq_lead_fill(&lead, trigdata->tg_relation);
	key = lead.values[funnel->key_attno - 1];
	key_isnull = lead.isnull[funnel->key_attno - 1];

	if (lq_funnel_importing(funnel))
	{
		/* as it was; but every lead stays itself, and is at some stage */
		if (update && !key_isnull)
		{
			lq_lead_init(&old, funnel,
						 lq_partition_to_lead(partition,
											  trigdata->tg_trigtuple));
			check_key(funnel, old.values[funnel->key_attno - 1], key);
		}
		lq_state_version_import(&lead, update && !key_isnull ? &old : NULL);
		if (!update && funnel->n_stages > 0 &&
			lq_lead_get_text(&lead, LQ_LEAD_STAGE) == NULL)
			lq_lead_set_text(&lead, LQ_LEAD_STAGE, funnel->stages[0].name);
		goto finish;
	}
	if (key_isnull)
		goto finish;			/* the table refuses it */
	if (!update && partition != NULL && lq_partition_arrives(funnel, key))
		goto finish;			/* it was judged where it came from */

	own = update && lq_own_write_before(funnel, key, &flags);
	if (flags & LQ_WRITE_DATE)
		goto finish;
	if (update)
	{
		char	   *before;

		tuple_before = lq_partition_to_lead(partition, trigdata->tg_trigtuple);
		lq_lead_init(&old, funnel, tuple_before);
		check_key(funnel, old.values[funnel->key_attno - 1], key);
		before = lq_lead_get_text(&old, LQ_LEAD_STAGE);
		asked = lq_lead_get_text(&lead, LQ_LEAD_STAGE);
		if (asked == NULL)
			goto finish;		/* the table refuses it */
		if (before != NULL && strcmp(asked, before) == 0)
			asked = NULL;
		else
			lq_lead_set_text(&lead, LQ_LEAD_STAGE, before);
		if (!own)
			asked = lq_upsert_take_back(&lead, &old, partition,
										trigdata->tg_relation,
										trigdata->tg_trigtuple, asked);
	}
	else
	{
		asked = lq_lead_get_text(&lead, LQ_LEAD_STAGE);
		lead.first_cycle = lq_first_cycle(funnel, key);
		proposes = true;
		stage_given = asked != NULL;
	}
	if (!own)
		ignore_client(&lead, update ? &old : NULL);
	if (update)
		lq_state_version_ask(&lead, &old, own, asked != NULL);
	else
		lq_state_version_begin(&lead);
	lead.reason = lq_lead_get_text(&lead, LQ_LEAD_REASON);
	lq_used_up_read(&lead, &before_move);

	if (joins(&lead, update ? &old : NULL))
		lq_lead_join_account(&lead);
	if (!update || (flags & LQ_WRITE_REFIT) || fit_columns_changed(&lead, &old))
		lq_lead_set_fit(&lead);

	if (update && asked != NULL)
	{
		char	   *before = lq_lead_get_text(&old, LQ_LEAD_STAGE);
		const LqStage *to = lq_funnel_stage(funnel, asked);

		if (to == NULL || !lq_stage_ask(&lead, to, &path))
			lq_stage_refuse(&lead, lq_funnel_stage(funnel, before), asked);
	}
	else if (update)
	{
		if ((flags & LQ_WRITE_STAY) == 0)
			lq_stage_advance(&lead, &path);
	}
	else
		create(&lead, asked, &path);
	if (update && returns(&path))
		hand_back(&lead, &old);
	if (path.n_hops > 0)
		use_up(&lead, key, &before_move);
	else if (!update)
		lq_used_up_refused(&lead, key);
	set_review(&lead, path.n_hops > 0);
	if (update)
		lq_state_version_keep(&lead, &old, path.n_hops > 0 && asked == NULL);

	if (lead.card_changed || !update)
		lq_lead_set(&lead, LQ_LEAD_SCORECARD, lq_card_to_datum(lead.card),
					false);

finish:
	if (lead.changed)
		tuple = lq_partition_from_lead(partition,
									   heap_form_tuple(funnel->lead_desc,
													   lead.values,
													   lead.isnull));
	if (proposes)
		lq_upsert_propose(trigdata->tg_relation, tuple, stage_given);
	if (tuple_before != NULL && partition != NULL &&
		!lq_partition_holds(partition, tuple))
		lq_partition_leave(funnel, key, tuple_before);
	lq_lead_done(&lead);
	return PointerGetDatum(tuple);
}
