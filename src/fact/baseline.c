/*
 * baseline.c
 *		Old activities folded into a card, with which a lead's log begins.
 *
 * The baseline of a lead holds what its archived activities gave by the rules
 * of the day.  Nothing can score them again: what a rule has given stays as it
 * was earned when its points change, fades and is capped as the rule says now,
 * and counts for nothing while the rule is disabled or gone.  Activating
 * another definition hands it to the rule of the same name there.
 *
 * Frequency limits go on in the windows that the baseline left open.  An
 * event from before that comes late counts within the open window, if there
 * is room.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "fact/baseline.h"
#include "fact/named_leads.h"
#include "fact/replay_rows.h"
#include "funnel/deferred.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/lookup.h"
#include "funnel/policy.h"
#include "funnel/statement.h"
#include "lead_qual.h"
#include "type/scorecard.h"

PG_FUNCTION_INFO_V1(archive_activities);
PG_FUNCTION_INFO_V1(_join_baselines);

/*
 * The rule of the active definition that goes on with an entry, or NULL: the
 * one that earned it, or else the one of the same name.
 */
static const LqRule *
heir_of(const LqFunnel *funnel, int64 rule_id)
{
	const LqRule *heir = lq_funnel_rule(funnel, rule_id);
	Datum		id = Int64GetDatum(rule_id);

	if (heir == NULL &&
		lq_statement_run(funnel, LQ_STATEMENT_RULE_NAME, &id, NULL) > 0)
	{
		char	   *name = SPI_getvalue(SPI_tuptable->vals[0],
										SPI_tuptable->tupdesc, 1);

		for (int i = 0; i < funnel->n_rules && heir == NULL; i++)
			if (strcmp(funnel->rules[i].name, name) == 0)
				heir = &funnel->rules[i];
		SPI_freetuptable(SPI_tuptable);
	}
	if (heir != NULL && heir->card.axis != LQ_AXIS_ENGAGEMENT)
		heir = NULL;
	return heir;
}

/*
 * A stored baseline as the active definition sees it.  With keep_all, what no
 * rule goes on with stays, for another day.
 */
LqCard *
lq_baseline_card(const LqFunnel *funnel, Datum stored, bool keep_all)
{
	LqCard	   *before = lq_card_from_datum(stored);
	LqCard	   *card = lq_card_new(funnel->version, &funnel->limits);

	card->as_of = before->as_of;
	card->last_activity = before->last_activity;
	for (int i = 0; i < before->n_entries; i++)
	{
		const LqCardEntry *entry = &before->entries[i];
		const LqRule *heir = heir_of(funnel, entry->rule_id);

		if (heir != NULL && (keep_all || (heir->enabled && !heir->broken)))
			lq_card_absorb(card, entry, &heir->card);
		else if (heir == NULL && keep_all)
			lq_card_absorb(card, entry, NULL);
	}
	return card;
}

/* What would be archived is scored now, or never. */
static void
check_scorable(const LqFunnel *funnel)
{
	if (funnel->definition == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("funnel \"%s\" has no active definition",
						funnel->name),
				 errdetail("What archived activities give could never be known.")));
	for (int i = 0; i < funnel->n_rules; i++)
	{
		const LqRule *rule = &funnel->rules[i];

		if (rule->broken && rule->enabled && rule->kind != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the condition of rule \"%s\" does not compile",
							rule->name),
					 errdetail("What archived activities give by it could never be known."),
					 errhint("Write its condition again, or disable the rule.")));
	}
}

/* Fold a lead's old activities into its baseline; returns how many. */
static uint64
archive_lead(const LqFunnel *funnel, Datum key, TimestampTz before)
{
	Datum		values[4];
	uint64		n;
	SPITupleTable *rows;
	Datum		stored;
	bool		isnull;
	LqCard	   *card;

	rows = lq_lock_lead(funnel, key);
	if (rows == NULL)
		return 0;				/* deleted meanwhile, with its log */
	SPI_freetuptable(rows);

	values[0] = key;
	values[1] = TimestampTzGetDatum(before);
	(void) lq_statement_run_latest(funnel, LQ_STATEMENT_KEEP_TOUCHES, values,
								   NULL);
	n = lq_statement_run_latest(funnel, LQ_STATEMENT_TAKE_OLD, values, NULL);
	rows = SPI_tuptable;
	if (n == 0)
		return 0;
	stored = SPI_getbinval(rows->vals[0], rows->tupdesc, 2, &isnull);
	card = isnull ? lq_card_new(funnel->version, &funnel->limits) :
		lq_baseline_card(funnel, stored, true);
	lq_replay_rows(funnel, rows, n, DT_NOEND, card);
	SPI_freetuptable(rows);

	values[1] = lq_card_to_datum(card);
	values[2] = TimestampTzGetDatum(before);
	values[3] = Int64GetDatum(n);
	(void) lq_statement_run(funnel, LQ_STATEMENT_SET_BASELINE, values, NULL);
	return n;
}

/*
 * archive_activities(funnel text, before timestamptz) - bigint
 *
 * Folds the activities from before an instant into baselines and deletes
 * them.  No score changes, so no lead is touched; the function's definition
 * sets lead_qual.import, which spares the leads what deletions would bring.
 * Returns how many activities went.  For members of the funnel's owner.
 */
Datum
archive_activities(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	TimestampTz before = PG_GETARG_TIMESTAMPTZ(1);
	Datum		instant = TimestampTzGetDatum(before);
	MemoryContext lead_context;
	LqIdentity	saved;
	Datum		leads;
	bool		isnull;
	int64		archived = 0;

	lq_funnel_check_owner(funnel, "archive_activities");
	lq_refuse_deferred(funnel, "archive_activities");
	lq_funnel_check_settings(funnel);
	if (TIMESTAMP_NOT_FINITE(before) || before > lq_now())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("activities can be archived up to now at most")));
	check_scorable(funnel);

	lq_funnel_enter(funnel, &saved);
	lead_context = AllocSetContextCreate(CurrentMemoryContext,
										 "lead_qual lead",
										 ALLOCSET_DEFAULT_SIZES);
	(void) lq_statement_run(funnel, LQ_STATEMENT_OLD_LEADS, &instant, NULL);
	leads = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						  &isnull);
	if (!isnull)
	{
		Datum	   *keys;
		int			n_keys;
		int16		typlen;
		bool		typbyval;
		char		typalign;

		get_typlenbyvalalign(funnel->key_type, &typlen, &typbyval, &typalign);
		deconstruct_array(DatumGetArrayTypeP(leads), funnel->key_type, typlen,
						  typbyval, typalign, &keys, NULL, &n_keys);
		for (int i = 0; i < n_keys; i++)
		{
			MemoryContext old = MemoryContextSwitchTo(lead_context);

			CHECK_FOR_INTERRUPTS();
			archived += archive_lead(funnel, keys[i], before);
			MemoryContextSwitchTo(old);
			MemoryContextReset(lead_context);
		}
	}
	lq_funnel_leave(&saved);
	PG_RETURN_INT64(archived);
}

/*
 * _join_baselines(scorecard, scorecard) - scorecard
 *
 * The baseline of two leads that turned out to be one.
 */
Datum
_join_baselines(PG_FUNCTION_ARGS)
{
	LqCard	   *a = lq_card_from_datum(PG_GETARG_DATUM(0));
	LqCard	   *b = lq_card_from_datum(PG_GETARG_DATUM(1));

	lq_card_advance(a, b->as_of);
	lq_card_advance(b, a->as_of);
	for (int i = 0; i < b->n_entries; i++)
		lq_card_absorb(a, &b->entries[i], NULL);
	if (b->last_activity != DT_NOBEGIN)
		lq_card_touch(a, b->last_activity);
	PG_RETURN_DATUM(lq_card_to_datum(a));
}
