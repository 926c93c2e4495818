/*
 * stage.c
 *		The moves a lead may make: asked for, earned, and at its creation.
 *
 * Nothing here reads a table or writes one.  The BEFORE trigger applies a
 * path to the row, the AFTER trigger finds the same path again from the same
 * data and tells it to the history.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/milestone.h"
#include "funnel/policy.h"
#include "funnel/tables.h"
#include "lead/lead.h"
#include "lead/pseudo.h"
#include "lead/signature.h"
#include "lead/stage.h"
#include "lead/working_time.h"

/* Does the transition lead away from that stage (NULL: creation)? */
bool
lq_transition_leaves(const LqTransition *transition, const LqStage *from)
{
	if (transition->broken || transition->to == from)
		return false;
	if (from == NULL)
		return transition->creation;
	return transition->from_any || transition->from == from;
}

/* The first instant at which the transition's "after" allows it. */
TimestampTz
lq_transition_earliest(const LqLead *lead, const LqTransition *transition)
{
	TimestampTz entered;

	if (transition->after == NULL)
		return DT_NOBEGIN;
	entered = lq_lead_instant(lead, LQ_LEAD_STAGE_ENTERED_AT, lead->now);
	return lq_add_interval(lead->funnel, entered, transition->after);
}

/* A reason where one is needed, and one that the stage knows. */
bool
lq_transition_reason_given(const LqLead *lead, const LqTransition *transition)
{
	const LqFunnel *funnel = lead->funnel;

	if (!transition->needs_reason)
		return true;
	if (lead->reason == NULL)
		return false;
	for (int i = 0; i < funnel->n_reasons; i++)
		if (strcmp(funnel->reasons[i].applies_to, transition->to->name) == 0 &&
			strcmp(funnel->reasons[i].reason, lead->reason) == 0)
			return true;
	return false;
}

/* Exceptions are for the manager: a side, which the owner may name. */
bool
lq_transition_exception_allowed(const LqLead *lead,
								const LqTransition *transition)
{
	return !transition->exception ||
		lq_side_has_caller(lead->funnel, "manager");
}

static bool
transition_holds(LqLead *lead, const LqTransition *transition)
{
	return lq_transition_earliest(lead, transition) <= lead->now &&
		(!transition->has_condition ||
		 lq_lead_holds(lead, transition->condition));
}

/* Put the lead into the transition's stage, and note the hop. */
static void
move(LqLead *lead, const LqTransition *transition, const LqStage *from,
	 bool automatic, LqPath *path)
{
	const LqStage *to = transition->to;
	LqHop	   *hop;
	TimestampTz entered;
	TimestampTz due;
	int32		cycle;
	bool		isnull;

	if (path->hops == NULL)
		path->hops = palloc((lead->funnel->n_stages + 1) * sizeof(LqHop));
	entered = Max(lead->now, lq_lead_instant(lead, LQ_LEAD_STAGE_ENTERED_AT,
											 lead->now));
	cycle = DatumGetInt32(lq_lead_get(lead, LQ_LEAD_CYCLE, &isnull));

	lq_lead_set_text(lead, LQ_LEAD_STAGE, to->name);
	lq_lead_set(lead, LQ_LEAD_STAGE_ENTERED_AT,
				TimestampTzGetDatum(entered), false);
	if (from != NULL && lq_begins_cycle(from->milestone, to->milestone))
	{
		cycle++;
		lq_lead_set(lead, LQ_LEAD_CYCLE, Int32GetDatum(cycle), false);
		lq_lead_set(lead, LQ_LEAD_CYCLE_STARTED_AT,
					TimestampTzGetDatum(entered), false);
		lq_lead_set(lead, LQ_LEAD_ACCEPTED_BY, (Datum) 0, true);
		lq_lead_set(lead, LQ_LEAD_ACCEPTED_AT, (Datum) 0, true);
		lq_lead_set(lead, LQ_LEAD_RESUME_AT, (Datum) 0, true);
		/* deals closed in an earlier cycle do not decide this one */
		lq_lead_set(lead, LQ_LEAD_DEALS_WON, Int32GetDatum(0), false);
		lq_lead_set(lead, LQ_LEAD_DEALS_LOST, Int32GetDatum(0), false);
	}
	/* acceptance is the asked move alone, and the first one counts */
	if (to->milestone == LQ_MILESTONE_SAL && !automatic &&
		lq_lead_instant(lead, LQ_LEAD_ACCEPTED_AT, DT_NOBEGIN) == DT_NOBEGIN)
	{
		lq_lead_set_text(lead, LQ_LEAD_ACCEPTED_BY, lq_actor());
		lq_lead_set(lead, LQ_LEAD_ACCEPTED_AT,
					TimestampTzGetDatum(entered), false);
	}
	due = lq_stage_due_at(lead->funnel, to, entered);
	lq_lead_set(lead, LQ_LEAD_DUE_AT, TimestampTzGetDatum(due),
				to->sla == NULL);

	hop = &path->hops[path->n_hops++];
	hop->transition = transition;
	hop->from = from;
	hop->to = to;
	hop->automatic = automatic;
	hop->entered_at = entered;
	hop->due_at = due;
	hop->cycle = cycle;
}

static const LqStage *
current_stage(const LqLead *lead)
{
	char	   *name = lq_lead_get_text(lead, LQ_LEAD_STAGE);

	return name == NULL ? NULL : lq_funnel_stage(lead->funnel, name);
}

/* The first transition by position that grants the move, or NULL. */
static const LqTransition *
granting(LqLead *lead, const LqStage *from, const LqStage *to)
{
	for (int i = 0; i < lead->funnel->n_transitions; i++)
	{
		const LqTransition *transition = &lead->funnel->transitions[i];

		if (transition->to == to &&
			lq_transition_leaves(transition, from) &&
			lq_transition_reason_given(lead, transition) &&
			lq_transition_exception_allowed(lead, transition) &&
			transition_holds(lead, transition) &&
			lq_transition_all_signed(lead, transition))
			return transition;
	}
	return NULL;
}

/*
 * Somebody asks for a stage.  Moves the lead there, or leaves it and says no.
 */
bool
lq_stage_ask(LqLead *lead, const LqStage *to, LqPath *path)
{
	const LqStage *from = current_stage(lead);
	const LqTransition *transition = granting(lead, from, to);

	if (transition == NULL)
		return false;
	move(lead, transition, from, false, path);
	return true;
}

/*
 * Nobody asks: the lead moves on by the automatic transitions, first by
 * position, until it rests.  No stage comes twice, so it always rests.
 */
void
lq_stage_advance(LqLead *lead, LqPath *path)
{
	const LqFunnel *funnel = lead->funnel;
	const LqStage *stage = current_stage(lead);
	Bitmapset  *seen = NULL;
	bool		moved = true;

	while (moved && stage != NULL)
	{
		moved = false;
		seen = bms_add_member(seen, stage - funnel->stages);
		for (int i = 0; i < funnel->n_transitions && !moved; i++)
		{
			const LqTransition *transition = &funnel->transitions[i];

			if (transition->automatic &&
				lq_transition_leaves(transition, stage) &&
				!bms_is_member(transition->to - funnel->stages, seen) &&
				transition_holds(lead, transition))
			{
				move(lead, transition, stage, true, path);
				stage = transition->to;
				moved = true;
			}
		}
	}
	bms_free(seen);
}

/*
 * A lead comes into being, at a stage somebody asks for or (NULL) where the
 * automatic transitions put it.  False where no transition lets it in.
 */
bool
lq_stage_create(LqLead *lead, const LqStage *asked, LqPath *path)
{
	const LqFunnel *funnel = lead->funnel;

	if (asked != NULL)
	{
		const LqTransition *transition = granting(lead, NULL, asked);

		if (transition == NULL)
			return false;
		move(lead, transition, NULL, transition->automatic, path);
		return true;
	}
	for (int i = 0; i < funnel->n_transitions; i++)
	{
		const LqTransition *transition = &funnel->transitions[i];

		if (transition->automatic &&
			lq_transition_leaves(transition, NULL) &&
			transition_holds(lead, transition))
		{
			move(lead, transition, NULL, true, path);
			lq_stage_advance(lead, path);
			return true;
		}
	}
	return false;
}
