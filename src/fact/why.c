/*
 * why.c
 *		What one lead's score is made of, and where it may go.
 *
 * These functions read the lead and its log with the caller's rights.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "clip.h"
#include "compat.h"
#include "fact/replay.h"
#include "funnel/find_lead.h"
#include "funnel/funnel.h"
#include "funnel/key.h"
#include "funnel/lookup.h"
#include "funnel/policy.h"
#include "funnel/row.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "lead/lead.h"
#include "lead/refuse.h"
#include "lead/stage.h"
#include "lead/way.h"
#include "lead_qual.h"
#include "result.h"
#include "type/scorecard.h"
#include "type/scorecard_explain.h"

PG_FUNCTION_INFO_V1(explain_lead_score);
PG_FUNCTION_INFO_V1(score_at);
PG_FUNCTION_INFO_V1(why_not);
PG_FUNCTION_INFO_V1(next_stages);

/* Read the lead of that key as the caller; NULL if there is none he may see. */
static HeapTupleHeader
read_row(const LqFunnel *funnel, Datum key)
{
	bool		isnull;

	if (lq_statement_run(funnel, LQ_STATEMENT_LEAD, &key, NULL) == 0)
		return NULL;
	return DatumGetHeapTupleHeader(SPI_getbinval(SPI_tuptable->vals[0],
												 SPI_tuptable->tupdesc,
												 1, &isnull));
}

/*
 * Read the lead that an argument names as the caller; returns its key.  A
 * value of the key's own type is looked for without ado.
 */
static Datum
read_lead(FunctionCallInfo fcinfo, int arg, LqLead *lead, LqFunnel *funnel)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, arg);
	Datum		key = PG_GETARG_DATUM(arg);
	HeapTupleHeader header = NULL;
	HeapTupleData tuple;

	if (!PG_ARGISNULL(arg) && type == funnel->key_type && type != TEXTOID)
		header = read_row(funnel, key);
	if (header == NULL)
	{
		key = lq_find_lead(fcinfo, arg, funnel);
		header = read_row(funnel, key);
	}
	if (header == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("funnel \"%s\" has no lead \"%s\"",
						funnel->name, lq_clip(lq_key_text(funnel, key)))));
	tuple = lq_tuple_of_row(header);
	lq_lead_init(lead, funnel, &tuple);
	return key;
}

/*
 * The card as it stood at an instant.  Before the stored one's own instant
 * only the log can tell; who the lead was then is not known, so fit is today's.
 */
static LqCard *
card_at(LqLead *lead, Datum key, TimestampTz at)
{
	LqCard	   *card;
	LqCardRule *fit;
	int			n = 0;

	if (at >= lead->card->as_of)
		return lead->card;
	card = lq_replay(lead->funnel, key, at);
	fit = palloc(Max(lead->card->n_entries, 1) * sizeof(LqCardRule));
	for (int i = 0; i < lead->card->n_entries; i++)
	{
		const LqCardEntry *entry = &lead->card->entries[i];

		if (entry->axis != LQ_AXIS_FIT)
			continue;
		memset(&fit[n], 0, sizeof(LqCardRule));
		fit[n].rule_id = entry->rule_id;
		fit[n].axis = LQ_AXIS_FIT;
		fit[n].points = entry->points;
		fit[n].max_points = entry->max_points;
		n++;
	}
	lq_card_set_fit(card, fit, n);
	return card;
}

static void
check_instant(TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a score is asked for at a finite instant")));
}

/* The default of an argument "at", but never before the card's own instant. */
static TimestampTz
get_instant(FunctionCallInfo fcinfo, int arg, const LqLead *lead)
{
	if (PG_ARGISNULL(arg))
		return Max(lq_now(), lead->card->as_of);
	check_instant(PG_GETARG_TIMESTAMPTZ(arg));
	return PG_GETARG_TIMESTAMPTZ(arg);
}

static void
require_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

static void
put_adjustment(LqResult *result, const char *part, const char *axis,
			   int64 hundredths, const char *description)
{
	if (hundredths == 0)
		return;
	lq_result_add_text(result, part);
	lq_result_add_text(result, axis);
	lq_result_add_null(result);
	lq_result_add_null(result);
	lq_result_add(result, lq_points_to_numeric(hundredths));
	lq_result_add_text(result, description);
	lq_result_end_row(result);
}

/*
 * explain_score(funnel text, lead, at timestamptz) -
 *		setof (rule, axis, hits, last_hit, points, description)
 *
 * A row a rule, and one for each limit of the definition that bites and for
 * rounding; the points add up to the score exactly.
 */
Datum
explain_lead_score(PG_FUNCTION_ARGS)
{
	LqResult	result;
	LqFunnel   *funnel;
	LqLead		lead;
	LqCard	   *card;
	Datum		key;
	TimestampTz at;
	LqCardParts parts;
	const char *of_limit = "what a limit of the definition gives or takes";

	require_argument(fcinfo, 0, "funnel");
	lq_result_begin(&result, fcinfo);
	funnel = lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	SPI_connect();
	key = read_lead(fcinfo, 1, &lead, funnel);
	at = get_instant(fcinfo, 2, &lead);
	card = card_at(&lead, key, at);

	for (int i = 0; i < card->n_entries; i++)
	{
		const LqCardEntry *entry = &card->entries[i];
		const LqRule *rule = lq_funnel_rule(funnel, entry->rule_id);
		int64		points = lq_card_entry_points(card, entry, at);

		lq_result_add_text(&result, rule == NULL ?
						   psprintf("(rule " INT64_FORMAT ")", entry->rule_id) :
						   rule->name);
		lq_result_add_text(&result, entry->axis == LQ_AXIS_FIT ?
						   "fit" : "engagement");
		lq_result_add(&result, Int64GetDatum(entry->hits));
		if (TIMESTAMP_NOT_FINITE(entry->last_hit))
			lq_result_add_null(&result);
		else
			lq_result_add(&result, TimestampTzGetDatum(entry->last_hit));
		lq_result_add(&result, lq_points_to_numeric(points));
		lq_result_add_text(&result, rule == NULL ? NULL : rule->description);
		lq_result_end_row(&result);
	}
	lq_card_parts(card, at, &parts);
	put_adjustment(&result, "(max_fit)", "fit", parts.max_fit, of_limit);
	put_adjustment(&result, "(max_engagement)", "engagement",
				   parts.max_engagement, of_limit);
	put_adjustment(&result, "(floor)", NULL, parts.floor, of_limit);
	put_adjustment(&result, "(rounding)", NULL, parts.rounding,
				   "every part is rounded by itself, and so is the score");
	lq_lead_done(&lead);
	SPI_finish();
	return (Datum) 0;
}

/*
 * score_at(funnel text, lead, at timestamptz) - numeric
 *
 * The score at any instant, the past included, by the active definition.
 */
Datum
score_at(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel;
	LqLead		lead;
	Datum		key;
	TimestampTz at;
	int64		score;

	require_argument(fcinfo, 0, "funnel");
	require_argument(fcinfo, 2, "at");
	funnel = lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	at = PG_GETARG_TIMESTAMPTZ(2);
	check_instant(at);
	SPI_connect();
	key = read_lead(fcinfo, 1, &lead, funnel);
	score = lq_card_score(card_at(&lead, key, at), at);
	lq_lead_done(&lead);
	SPI_finish();
	return lq_points_to_numeric(score);
}

static const LqStage *
stage_of(const LqLead *lead)
{
	char	   *name = lq_lead_get_text(lead, LQ_LEAD_STAGE);

	return lq_funnel_stage(lead->funnel, name);
}

/* what reports of parts are told to */
typedef struct Report
{
	LqResult	result;
	int			step;
	const LqStage *from;
	int			unmet;
	StringInfo	words;			/* or NULL */
} Report;

static void
report_part(void *arg, const LqTransition *transition, const char *part,
			const char *state, const char *needs)
{
	Report	   *report = arg;

	lq_result_add(&report->result, Int32GetDatum(report->step));
	lq_result_add(&report->result, Int64GetDatum(transition->transition_id));
	lq_result_add_text(&report->result, report->from == NULL ? NULL : report->from->name);
	lq_result_add_text(&report->result, transition->to->name);
	lq_result_add_text(&report->result, part);
	lq_result_add_text(&report->result, state);
	lq_result_add_text(&report->result, needs);
	lq_result_end_row(&report->result);
}

static void
count_unmet(void *arg, const LqTransition *transition, const char *part,
			const char *state, const char *needs)
{
	Report	   *report = arg;

	if (strcmp(state, "met") == 0)
		return;
	report->unmet++;
	if (report->words != NULL)
		appendStringInfo(report->words, "%s%s%s%s%s",
						 report->words->len > 0 ? "; " : "", part,
						 needs != NULL && *needs != '\0' ? " (" : "",
						 needs != NULL && *needs != '\0' ? needs : "",
						 needs != NULL && *needs != '\0' ? ")" : "");
}

/* Do all parts of the transition hold? */
static bool
all_met(LqLead *lead, const LqTransition *transition)
{
	Report		report = {0};

	lq_transition_explain(lead, transition, count_unmet, &report);
	return report.unmet == 0;
}

/* Report one step of the way, unless it may be taken now. */
static void
report_step(LqLead *lead, const LqStage *from, const LqStage *to,
			Report *report)
{
	const LqFunnel *funnel = lead->funnel;

	for (int i = 0; i < funnel->n_transitions; i++)
		if (funnel->transitions[i].to == to &&
			lq_is_step(&funnel->transitions[i], from) &&
			all_met(lead, &funnel->transitions[i]))
			return;
	report->from = from;
	for (int i = 0; i < funnel->n_transitions; i++)
		if (funnel->transitions[i].to == to &&
			lq_is_step(&funnel->transitions[i], from))
			lq_transition_explain(lead, &funnel->transitions[i], report_part,
								  report);
}

/*
 * why_not(funnel text, lead, stage text) -
 *		setof (step, transition_id, from_stage, to_stage, part, state, needs)
 *
 * What keeps a lead from a stage, part by part: met, unmet, or unknown for
 * want of an answer.  No row: it may go there now, or is there.  For a stage
 * further on, each step of the way, the first one first.
 */
Datum
why_not(PG_FUNCTION_ARGS)
{
	Report		report = {0};
	LqFunnel   *funnel;
	LqLead		lead;
	char	   *name;
	const LqStage *from;
	const LqStage *to;
	const LqStage **way;
	int			length;

	require_argument(fcinfo, 0, "funnel");
	require_argument(fcinfo, 2, "stage");
	lq_result_begin(&report.result, fcinfo);
	funnel = lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	name = text_to_cstring(PG_GETARG_TEXT_PP(2));
	to = lq_funnel_stage(funnel, name);
	if (to == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("stage \"%s\" does not exist", lq_clip(name)),
				 errhint("The stages are in table \"stage\" of funnel \"%s\".",
						 funnel->name)));

	SPI_connect();
	(void) read_lead(fcinfo, 1, &lead, funnel);
	from = stage_of(&lead);
	if (from != NULL && from != to)
	{
		way = palloc(funnel->n_stages * sizeof(LqStage *));
		length = lq_find_way(funnel, from, to, way);
		for (int i = 0; i < length; i++)
		{
			report.step = i + 1;
			report_step(&lead, i == 0 ? from : way[i - 1], way[i], &report);
		}
		if (length == 0)
		{
			lq_result_add(&report.result, Int32GetDatum(1));
			lq_result_add_null(&report.result);
			lq_result_add_text(&report.result, from->name);
			lq_result_add_text(&report.result, to->name);
			lq_result_add_text(&report.result, "path");
			lq_result_add_text(&report.result, "unmet");
			lq_result_add_text(&report.result, "a transition that leads there");
			lq_result_end_row(&report.result);
		}
	}
	lq_lead_done(&lead);
	SPI_finish();
	return (Datum) 0;
}

/*
 * next_stages(funnel text, lead) -
 *		setof (stage, transition_id, automatic, exception, allowed, needs,
 *			   description)
 *
 * Every transition that leads on from where the lead is, and whether it may
 * be taken now.
 */
Datum
next_stages(PG_FUNCTION_ARGS)
{
	LqResult	result;
	LqFunnel   *funnel;
	LqLead		lead;
	const LqStage *from;

	require_argument(fcinfo, 0, "funnel");
	lq_result_begin(&result, fcinfo);
	funnel = lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	SPI_connect();
	(void) read_lead(fcinfo, 1, &lead, funnel);
	from = stage_of(&lead);
	for (int i = 0; from != NULL && i < funnel->n_transitions; i++)
	{
		const LqTransition *transition = &funnel->transitions[i];
		StringInfoData words;
		Report		report = {0};

		if (!lq_transition_leaves(transition, from))
			continue;
		initStringInfo(&words);
		report.words = &words;
		lq_transition_explain(&lead, transition, count_unmet, &report);
		lq_result_add_text(&result, transition->to->name);
		lq_result_add(&result, Int64GetDatum(transition->transition_id));
		lq_result_add(&result, BoolGetDatum(transition->automatic));
		lq_result_add(&result, BoolGetDatum(transition->exception));
		lq_result_add(&result, BoolGetDatum(report.unmet == 0));
		lq_result_add_text(&result, report.unmet == 0 ? NULL : words.data);
		lq_result_add_text(&result, transition->description);
		lq_result_end_row(&result);
	}
	lq_lead_done(&lead);
	SPI_finish();
	return (Datum) 0;
}
