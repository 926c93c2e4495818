/*
 * refuse.c
 *		Why a lead does not move, in words.
 */
#include "postgres.h"

#include "access/table.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/timestamp.h"

#include "clip.h"
#include "compat.h"
#include "condition/eval.h"
#include "condition/part.h"
#include "condition/pseudo.h"
#include "condition/reads.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/key.h"
#include "funnel/policy.h"
#include "funnel/tables.h"
#include "lead/lead.h"
#include "lead/pseudo.h"
#include "lead/refuse.h"
#include "lead/signature.h"
#include "lead/stage.h"
#include "type/answer_level.h"
#include "type/answers.h"
#include "type/frameworks.h"
#include "type/qualification.h"
#include "type/scorecard_io.h"

/* "budget: no, timeline: unknown": what the answers still lack */
static void
describe_gaps(StringInfo buf, const LqFramework *framework, uint32 value)
{
	for (int i = 0; i < framework->nelements; i++)
	{
		LqLevel		level = lq_qualification_level(value, i);

		if (level == LQ_LEVEL_YES)
			continue;
		appendStringInfo(buf, "%s%s: %s", buf->len > 0 ? ", " : "",
						 framework->elements[i].name, lq_level_name(level));
	}
}

/* The value with every element that was not asked answered yes. */
static uint32
suppose_yes(const LqFramework *framework, uint32 value)
{
	for (int i = 0; i < framework->nelements; i++)
		if (lq_qualification_level(value, i) == LQ_LEVEL_UNKNOWN)
			value = lq_qualification_set(value, i, LQ_LEVEL_YES);
	return value;
}

/* The caller is told nothing that he could not read himself. */
static bool
may_read_column(Oid relid, AttrNumber column)
{
	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck(relid, column, GetUserId(),
							  ACL_SELECT) == ACLCHECK_OK;
}

static bool
may_read(const LqFunnel *funnel, AttrNumber column)
{
	return may_read_column(funnel->relid[LQ_TABLE_LEAD], column);
}

/* The same for a pseudo-column: may it be told what that is made of? */
static bool
may_read_pseudo(const LqFunnel *funnel, const LqPseudo *pseudo)
{
	AttrNumber	column;
	Oid			relid = lq_lead_pseudo_reads(funnel, pseudo, &column);

	if (!may_read_column(relid, column))
		return false;
	/* other rows than the lead's were read as the owner, past row security */
	return (relid == funnel->relid[LQ_TABLE_LEAD] &&
			lq_pseudo_measure(pseudo) != LQ_MEASURES_OTHERS) ||
		check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED;
}

/* Which framework is that column of the lead?  -1: none. */
static int
framework_of(const LqFunnel *funnel, AttrNumber column)
{
	for (int f = 0; f < lq_n_frameworks(funnel); f++)
		if (funnel->attno[LQ_LEAD_FRAMEWORK(f)] == column)
			return f;
	return -1;
}

/*
 * What the lead has where a part reads: answers still open, else the values.
 * The part itself says what it needs of them.
 */
static char *
describe_needs(LqLead *lead, const LqConditionPart *part)
{
	const LqFunnel *funnel = lead->funnel;
	StringInfoData buf;
	int			column = -1;

	initStringInfo(&buf);
	while ((column = bms_next_member(part->columns, column)) >= 0)
	{
		Form_pg_attribute attr = TupleDescAttr(funnel->lead_desc, column - 1);
		int			f = framework_of(funnel, column);

		if (!may_read(funnel, column))
			continue;
		if (f >= 0)
		{
			describe_gaps(&buf, lq_frameworks[f],
						  DatumGetLqQualification(lq_frameworks[f],
												  lead->values[column - 1]));
			continue;
		}
		appendStringInfo(&buf, "%s%s is %s", buf.len > 0 ? ", " : "",
						 NameStr(attr->attname),
						 lead->isnull[column - 1] ? "NULL" :
						 lq_clip(lq_value_text(lead->values[column - 1],
											   attr->atttypid)));
	}
	for (int i = 0; i < part->n_pseudos; i++)
	{
		const LqPseudo *pseudo = part->pseudos[i];

		if (may_read_pseudo(funnel, pseudo))
			appendStringInfo(&buf, "%s%s is %s", buf.len > 0 ? ", " : "",
							 lq_lead_pseudo_name(funnel, pseudo),
							 lq_clip(lq_lead_pseudo_text(lead, pseudo)));
	}
	return buf.data;
}

/*
 * Answers to the frameworks that are data, with yes to one element, or where
 * none is known.
 */
#define ALL_UNKNOWN (-1)

static Datum
suppose_answers(const LqLead *lead, int element)
{
	const LqFunnel *funnel = lead->funnel;
	StringInfoData buf;
	Jsonb	   *answers;
	const char *framework = "";
	bool		isnull;

	answers = DatumGetJsonbP(lq_lead_get(lead, LQ_LEAD_ANSWERS, &isnull));
	initStringInfo(&buf);
	/* elements come framework by framework */
	for (int i = 0; i < funnel->n_elements; i++)
	{
		const LqKnownElement *e = &funnel->elements[i];
		LqLevel		level = lq_answers_level(answers, e->framework,
											 strlen(e->framework), e->element,
											 strlen(e->element));

		if (element == i ||
			(element == ALL_UNKNOWN && level == LQ_LEVEL_UNKNOWN))
			level = LQ_LEVEL_YES;
		if (level == LQ_LEVEL_UNKNOWN)
			continue;
		if (strcmp(framework, e->framework) != 0)
		{
			appendStringInfoString(&buf, buf.len == 0 ? "{" : "}, ");
			escape_json(&buf, e->framework);
			appendStringInfoString(&buf, ": {");
			framework = e->framework;
		}
		else
			appendStringInfoString(&buf, ", ");
		escape_json(&buf, e->element);
		appendStringInfoString(&buf, ": ");
		escape_json(&buf, lq_level_name(level));
	}
	appendStringInfoString(&buf, buf.len == 0 ? "{}" : "}}");
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

/* Would the part hold if all that was not asked were answered yes? */
static bool
answers_may_meet(LqLead *lead, LqCondition *condition, int part)
{
	const AttrNumber *attno = lead->funnel->attno;
	int			n_frameworks = lq_n_frameworks(lead->funnel);
	Datum		saved[LQ_N_FRAMEWORKS];
	int			answers = attno[LQ_LEAD_ANSWERS] - 1;
	Datum		saved_answers = lead->values[answers];
	LqTruth		truth;

	for (int f = 0; f < n_frameworks; f++)
	{
		const LqFramework *framework = lq_frameworks[f];
		Datum	   *value = &lead->values[attno[LQ_LEAD_FRAMEWORK(f)] - 1];
		uint32		bits = DatumGetLqQualification(framework, *value);

		saved[f] = *value;
		*value = LqQualificationGetDatum(framework,
										 suppose_yes(framework, bits));
	}
	if (!lead->isnull[answers])
		lead->values[answers] = suppose_answers(lead, ALL_UNKNOWN);
	truth = lq_lead_holds_part(lead, condition, part);
	for (int f = 0; f < n_frameworks; f++)
		lead->values[attno[LQ_LEAD_FRAMEWORK(f)] - 1] = saved[f];
	lead->values[answers] = saved_answers;
	return truth == LQ_TRUE;
}

static bool
reads_answers(const LqFunnel *funnel, const LqConditionPart *part)
{
	for (int f = 0; f < lq_n_frameworks(funnel); f++)
		if (bms_is_member(funnel->attno[LQ_LEAD_FRAMEWORK(f)], part->columns))
			return true;
	for (int i = 0; i < part->n_pseudos; i++)
		if (part->pseudos[i]->kind == LQ_PSEUDO_TOGETHER)
			return true;
	return bms_is_member(funnel->attno[LQ_LEAD_ANSWERS], part->columns);
}

/* Does the part hold with that value there? */
static bool
holds_with(LqLead *lead, LqCondition *condition, int part, AttrNumber column,
		   Datum value)
{
	Datum		saved = lead->values[column - 1];
	LqTruth		truth;

	lead->values[column - 1] = value;
	truth = lq_lead_holds_part(lead, condition, part);
	lead->values[column - 1] = saved;
	return truth == LQ_TRUE;
}

/* Would the part hold if one more element were answered yes? */
static bool
one_answer_meets(LqLead *lead, LqCondition *condition, int part)
{
	const LqFunnel *funnel = lead->funnel;
	AttrNumber	answers = funnel->attno[LQ_LEAD_ANSWERS];

	for (int f = 0; f < lq_n_frameworks(funnel); f++)
	{
		const LqFramework *framework = lq_frameworks[f];
		AttrNumber	column = funnel->attno[LQ_LEAD_FRAMEWORK(f)];
		uint32		value = DatumGetLqQualification(framework,
													lead->values[column - 1]);

		for (int i = 0; i < framework->nelements; i++)
			if (lq_qualification_level(value, i) != LQ_LEVEL_YES &&
				holds_with(lead, condition, part, column,
						   LqQualificationGetDatum(framework,
												   lq_qualification_set(value, i, LQ_LEVEL_YES))))
				return true;
	}
	if (!lead->isnull[answers - 1])
		for (int i = 0; i < funnel->n_elements; i++)
			if (holds_with(lead, condition, part, answers,
						   suppose_answers(lead, i)))
				return true;
	return false;
}

/*
 * How far a transition is from what lq_transition_explain() reports as met: 0
 * where all is, 1 where one part is not, and, if that is about answers, one
 * more would do; else 2.
 */
int
lq_transition_distance(LqLead *lead, const LqTransition *transition)
{
	int			unmet = 0;
	int			part = -1;

	if (transition->broken)
		return 1;
	for (int i = 0; transition->has_condition &&
		 i < lq_condition_n_parts(transition->condition); i++)
	{
		if (lq_lead_holds_part(lead, transition->condition, i) == LQ_TRUE)
			continue;
		if (++unmet > 1)
			return 2;
		part = i;
	}
	if (transition->after != NULL)
		unmet += lq_transition_earliest(lead, transition) > lead->now;
	if (transition->needs_reason)
		unmet += !lq_transition_reason_given(lead, transition);
	if (transition->exception)
		unmet += !lq_transition_exception_allowed(lead, transition);
	for (int i = 0; i < transition->n_sides && unmet < 2; i++)
		unmet += lq_transition_signed(lead, transition,
									  transition->sides[i]) != LQ_SIGNED;
	if (unmet == 1 && part >= 0 &&
		reads_answers(lead->funnel,
					  lq_condition_part(transition->condition, part)) &&
		!one_answer_meets(lead, transition->condition, part))
		return 2;
	return Min(unmet, 2);
}

static const char *
part_state(LqLead *lead, LqCondition *condition, int part)
{
	const LqConditionPart *p = lq_condition_part(condition, part);

	switch (lq_lead_holds_part(lead, condition, part))
	{
		case LQ_TRUE:
			return "met";
		case LQ_UNKNOWN:
			return "unknown";
		case LQ_FALSE:
			break;
	}
	/* not met for want of an answer is not known, rather than no */
	if (reads_answers(lead->funnel, p) &&
		answers_may_meet(lead, condition, part))
		return "unknown";
	return "unmet";
}

static void append_failing(void *arg, const LqTransition *transition,
						   const char *part, const char *state,
						   const char *needs);

/*
 * Report what a transition asks for, part by part: those of its condition,
 * and the reason, time or manager it needs.
 */
void
lq_transition_explain(LqLead *lead, const LqTransition *transition,
					  LqPartReport report, void *arg)
{
	if (transition->broken)
	{
		report(arg, transition, transition->condition_text, "unknown",
			   "the condition does not compile, see check_funnel()");
		return;
	}
	if (transition->has_condition)
	{
		int			n = lq_condition_n_parts(transition->condition);

		/* whoever may update a row need not be one to whom it is shown */
		bool		hidden = report == append_failing &&
		check_enable_rls(lead->funnel->relid[LQ_TABLE_LEAD], InvalidOid,
						 true) == RLS_ENABLED;

		for (int i = 0; i < n; i++)
		{
			const LqConditionPart *part =
			lq_condition_part(transition->condition, i);
			const char *state = part_state(lead, transition->condition, i);

			report(arg, transition, part->text, state,
				   strcmp(state, "met") == 0 ? NULL :
				   hidden ? "" : describe_needs(lead, part));
		}
	}
	if (transition->after != NULL)
	{
		TimestampTz earliest = lq_transition_earliest(lead, transition);
		char		buf[LQ_INSTANT_LEN];

		report(arg, transition, "after", earliest <= lead->now ? "met" : "unmet",
			   earliest <= lead->now ? NULL :
			   psprintf("not before %s", lq_instant_text(earliest, buf)));
	}
	if (transition->needs_reason)
	{
		bool		given = lq_transition_reason_given(lead, transition);

		report(arg, transition, "reason", given ? "met" : "unmet",
			   given ? NULL :
			   lead->reason == NULL ? "a reason" :
			   psprintf("a reason that table \"reason\" lists for stage \"%s\", not \"%s\"",
						transition->to->name, lead->reason));
	}
	if (transition->exception)
	{
		bool		allowed = lq_transition_exception_allowed(lead, transition);

		report(arg, transition, "manager", allowed ? "met" : "unmet",
			   allowed ? NULL :
			   lq_side_members(lead->funnel, "manager"));
	}
	for (int i = 0; i < transition->n_sides; i++)
	{
		const char *side = transition->sides[i];
		LqSigned	is_signed = lq_transition_signed(lead, transition, side);

		report(arg, transition, psprintf("signature of %s", side),
			   is_signed == LQ_SIGNED ? "met" : "unmet",
			   is_signed == LQ_SIGNED ? NULL :
			   psprintf(is_signed == LQ_SIGNED_NOT ?
						"sign_move() by %s" :
						"%s, other than who asks for the move",
						lq_side_members(lead->funnel, side)));
	}
}

/* what a refused move is told with, and the transition told of last */
typedef struct Failing
{
	StringInfoData text;
	const LqTransition *transition;
	bool		may_describe;	/* may the caller read table "transition"? */
} Failing;

/*
 * Collects the parts that fail.  A transition is told by its number, and by
 * its description to who may read that, so that the number need not be looked
 * up.
 */
static void
append_failing(void *arg, const LqTransition *transition, const char *part,
			   const char *state, const char *needs)
{
	Failing    *failing = arg;
	StringInfo	buf = &failing->text;

	if (strcmp(state, "met") == 0)
		return;
	if (buf->len > 0)
		appendStringInfoChar(buf, '\n');
	if (failing->transition == transition)
		appendStringInfo(buf, "It also needs %s", part);
	else if (transition->description != NULL && failing->may_describe)
		appendStringInfo(buf, "Transition " INT64_FORMAT " (%s) needs %s",
						 transition->transition_id,
						 lq_clip(transition->description), part);
	else
		appendStringInfo(buf, "Transition " INT64_FORMAT " needs %s",
						 transition->transition_id, part);
	failing->transition = transition;
	if (needs != NULL && *needs != '\0')
		appendStringInfo(buf, " (%s)", needs);
	appendStringInfoChar(buf, '.');
}

/* What clients know a refused move by, as they do a constraint of a table. */
#define STAGE_CONSTRAINT "lead_stage_move"

/*
 * Which of a statement's leads it is.  As in the server's own errors, a row
 * that row security may hide is not told of.
 */
static void
name_lead(StringInfo buf, const LqLead *lead)
{
	const LqFunnel *funnel = lead->funnel;
	int			key = funnel->key_attno - 1;

	if (lead->isnull[key] || !may_read(funnel, funnel->key_attno) ||
		check_enable_rls(funnel->relid[LQ_TABLE_LEAD], InvalidOid,
						 true) == RLS_ENABLED)
		return;
	appendStringInfo(buf, "The key of the lead is %s.\n",
					 lq_clip(lq_key_text(funnel, lead->values[key])));
}

/*
 * Refuse a move that somebody asked for: which lead it is and what fails in
 * the detail, where the lead may go in the hint.
 */
void
lq_stage_refuse(LqLead *lead, const LqStage *from, const char *asked)
{
	const LqFunnel *funnel = lead->funnel;
	const LqStage *to = lq_funnel_stage(funnel, asked);
	StringInfoData which;
	Failing		detail = {0};
	StringInfoData allowed;
	Bitmapset  *seen = NULL;
	Relation	rel;

	asked = lq_clip(asked);
	initStringInfo(&which);
	name_lead(&which, lead);
	initStringInfo(&detail.text);
	detail.may_describe =
		lq_may_read_table(funnel->relid[LQ_TABLE_TRANSITION]);
	initStringInfo(&allowed);
	for (int i = 0; i < funnel->n_transitions; i++)
	{
		const LqTransition *transition = &funnel->transitions[i];
		int			position;

		if (!lq_transition_leaves(transition, from))
			continue;
		if (transition->to == to)
			lq_transition_explain(lead, transition, append_failing, &detail);
		position = transition->to - funnel->stages;
		if (!bms_is_member(position, seen))
			appendStringInfo(&allowed, "%s%s", allowed.len > 0 ? ", " : "",
							 transition->to->name);
		seen = bms_add_member(seen, position);
	}
	if (to == NULL)
		appendStringInfo(&detail.text, "Stage \"%s\" does not exist.", asked);
	else if (detail.text.len == 0)
		appendStringInfoString(&detail.text, "No transition allows this move.");

	rel = table_open(funnel->relid[LQ_TABLE_LEAD], AccessShareLock);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 from == NULL ?
			 errmsg("cannot create lead in stage \"%s\"", asked) :
			 errmsg("cannot move lead from stage \"%s\" to \"%s\"",
					from->name, asked),
			 errdetail("%s%s", which.data, detail.text.data),
			 allowed.len > 0 ?
			 errhint(from == NULL ?
					 "Transitions lead in to: %s." :
					 "Transitions lead from here to: %s.", allowed.data) :
			 errhint("No transition leads from here; see table \"transition\"."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME,
								get_namespace_name(RelationGetNamespace(rel))),
			 err_generic_string(PG_DIAG_TABLE_NAME,
								RelationGetRelationName(rel)),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, STAGE_CONSTRAINT),
			 err_generic_string(PG_DIAG_COLUMN_NAME,
								NameStr(TupleDescAttr(funnel->lead_desc,
													  funnel->attno[LQ_LEAD_STAGE] - 1)->attname))));
}

/* The two versions, for who may read that of the lead. */
static char *
describe_versions(const LqLead *lead, int64 given, int64 has)
{
	const LqFunnel *funnel = lead->funnel;
	AttrNumber	column = funnel->attno[LQ_LEAD_STATE_VERSION];
	StringInfoData buf;

	initStringInfo(&buf);
	name_lead(&buf, lead);
	appendStringInfo(&buf, "The row that is written has " INT64_FORMAT " in column \"%s\"",
					 given, NameStr(TupleDescAttr(funnel->lead_desc,
												  column - 1)->attname));
	if (may_read(funnel, column))
		appendStringInfo(&buf, ", the lead has " INT64_FORMAT, has);
	appendStringInfoChar(&buf, '.');
	return buf.data;
}

/* Refuse a row that was read before stage or answers of the lead changed. */
void
lq_stale_refuse(const LqLead *lead, int64 given, int64 has)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("stage or answers of the lead have changed since it was read"),
			 errdetail("%s", describe_versions(lead, given, has)),
			 errhint("Read the lead again and change it as it is now, or write only the columns that you change.")));
}

/* Refuse a row of a state that the lead never had. */
void
lq_ahead_refuse(const LqLead *lead, int64 given, int64 has)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the row that is written is ahead of the lead"),
			 errdetail("%s", describe_versions(lead, given, has)),
			 errhint("Leave the column out, or write what was read there or, where you keep it as a lock, one more.")));
}
