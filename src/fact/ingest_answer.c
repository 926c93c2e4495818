/*
 * ingest_answer.c
 *		The statement triggers of answer: the latest answers go to the lead.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "clip.h"
#include "compat.h"
#include "fact/named_leads.h"
#include "fact/transition_rows.h"
#include "funnel/between_triggers.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/key.h"
#include "funnel/policy.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "grow.h"
#include "type/answer_level.h"
#include "type/frameworks.h"
#include "type/qualification.h"

PG_FUNCTION_INFO_V1(_ingest_answer);

/* an element of a lead that the statement touched */
typedef struct Touched
{
	Datum		key;
	char	   *framework;
	char	   *element;
} Touched;

typedef struct Batch
{
	LqFunnel   *funnel;
	TriggerData *trigdata;
	Touched    *touched;
	int			n;
	int			room;
} Batch;

/* An answer to a question nobody asks would never be seen: refuse it. */
static void
check_element(const LqFunnel *funnel, const char *framework,
			  const char *element)
{
	StringInfoData known;

	initStringInfo(&known);
	for (int i = 0; i < funnel->n_elements; i++)
	{
		const LqKnownElement *e = &funnel->elements[i];

		if (strcmp(e->framework, framework) != 0)
			continue;
		if (strcmp(e->element, element) == 0)
			return;
		appendStringInfo(&known, "%s%s", known.len > 0 ? ", " : "",
						 e->element);
	}
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("framework \"%s\" has no element \"%s\"",
					lq_clip(framework), lq_clip(element)),
			 known.len > 0 ?
			 errhint("Its elements are: %s.", known.data) :
			 errhint("Describe the framework in table \"element\" of funnel \"%s\".",
					 funnel->name)));
}

static void
read_rows(Batch *batch, TriggerData *trigdata, Tuplestorestate *rows,
		  bool is_new)
{
	LqFunnel   *funnel = batch->funnel;
	LqTransitionRows scan;
	TupleTableSlot *slot;
	const AttrNumber *attno = funnel->attno;

	lq_transition_rows_begin(&scan, trigdata, rows,
							 funnel->relid[LQ_TABLE_ANSWER]);
	while ((slot = lq_transition_rows_next(&scan)) != NULL)
	{
		Touched    *touched;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		batch->touched = lq_grow(batch->touched, batch->n, &batch->room,
								 sizeof(Touched));
		touched = &batch->touched[batch->n++];
		touched->key = datumCopy(slot_getattr(slot, attno[LQ_ANSWER_LEAD_ID],
											  &isnull),
								 funnel->key_typbyval, funnel->key_typlen);
		touched->framework =
			TextDatumGetCString(slot_getattr(slot, attno[LQ_ANSWER_FRAMEWORK], &isnull));
		touched->element =
			TextDatumGetCString(slot_getattr(slot, attno[LQ_ANSWER_ELEMENT], &isnull));
		if (is_new)
			check_element(funnel, touched->framework, touched->element);
	}
	lq_transition_rows_end(&scan);
}

static int
compare_touched(const void *a, const void *b, void *arg)
{
	const Touched *ta = a;
	const Touched *tb = b;

	return lq_key_cmp(arg, ta->key, tb->key);
}

/* The latest answer to an element, unknown where there is none. */
static LqLevel
latest_level(const LqFunnel *funnel, const Touched *touched)
{
	Datum		values[3];
	LqLevel		level = LQ_LEVEL_UNKNOWN;
	bool		isnull;

	values[0] = touched->key;
	values[1] = CStringGetTextDatum(touched->framework);
	values[2] = CStringGetTextDatum(touched->element);
	if (lq_statement_run_latest(funnel, LQ_STATEMENT_LATEST_ANSWER, values,
								NULL) > 0)
		level = DatumGetAnswerLevel(SPI_getbinval(SPI_tuptable->vals[0],
												  SPI_tuptable->tupdesc,
												  1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return level;
}

/* The answers of all frameworks that have no type of their own. */
static Datum
other_answers(const LqFunnel *funnel, Datum key)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;
	Datum		result;
	bool		isnull;

	(void) lq_statement_run_latest(funnel, LQ_STATEMENT_OTHER_ANSWERS, &key,
								   NULL);
	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						   &isnull);
	old = MemoryContextSwitchTo(caller);
	/* a short header would make it differ from what it equals */
	result = PointerGetDatum(PG_DETOAST_DATUM_COPY(result));
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
	return result;
}

static void
update_lead(Batch *batch, const Touched *touched, int n)
{
	LqFunnel   *funnel = batch->funnel;
	SPITupleTable *lead;
	bool		isnull;
	bool		changed = false;
	int			n_frameworks = lq_n_frameworks(funnel);
	uint32		held[LQ_N_FRAMEWORKS];
	Datum		answers;
	Datum		values[2 + LQ_N_FRAMEWORKS];
	Datum		key = touched[0].key;

	lead = lq_lock_lead(funnel, key);
	if (lead == NULL)
	{
		/* the rows may have been deleted with their lead */
		lq_refuse_if_named(funnel, batch->trigdata, LQ_TABLE_ANSWER, key);
		return;
	}
	for (int f = 0; f < n_frameworks; f++)
		held[f] = DatumGetLqQualification(lq_frameworks[f],
										  lq_statement_get(lead, 0,
														   LQ_LEAD_FRAMEWORK(f),
														   &isnull));
	answers = lq_statement_get(lead, 0, LQ_LEAD_ANSWERS, &isnull);

	for (int i = 0; i < n; i++)
	{
		int			f = lq_framework_index(touched[i].framework);
		LqLevel		level;
		int			element;

		if (f < 0 || f >= n_frameworks)
		{
			Datum		now = other_answers(funnel, key);

			if (!datumIsEqual(PointerGetDatum(PG_DETOAST_DATUM(answers)), now,
							  false, -1))
				changed = true;
			answers = now;
			continue;
		}
		level = latest_level(funnel, &touched[i]);
		element = lq_element_index(lq_frameworks[f], touched[i].element,
								   strlen(touched[i].element));
		if (element < 0)
			continue;
		changed |= lq_qualification_level(held[f], element) != level;
		held[f] = lq_qualification_set(held[f], element, level);
	}
	if (changed)
	{
		values[0] = key;
		values[1] = answers;
		for (int f = 0; f < n_frameworks; f++)
			values[2 + f] = LqQualificationGetDatum(lq_frameworks[f], held[f]);
		lq_own_write(funnel, LQ_STATEMENT_SET_ANSWERS, values, NULL,
					 LQ_WRITE_ANSWERS |
					 (lq_answers_are_expiring() ? LQ_WRITE_STAY : 0));
	}
	SPI_freetuptable(lead);
}

/*
 * _ingest_answer() - AFTER INSERT, UPDATE or DELETE ON answer
 *					 FOR EACH STATEMENT, with transition tables
 *
 * The lead holds the latest answer to each element; the log keeps them all.
 */
Datum
_ingest_answer(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_ingest_answer");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	MemoryContext lead_context;
	LqIdentity	saved;
	Batch		batch = {funnel, trigdata, NULL, 0, 0};

	if (funnel == NULL)
		return PointerGetDatum(NULL);
	if (lq_funnel_importing(funnel))
	{
		lq_require_leads(funnel, trigdata, LQ_TABLE_ANSWER);
		return PointerGetDatum(NULL);
	}
	if (trigdata->tg_oldtable != NULL)
		read_rows(&batch, trigdata, trigdata->tg_oldtable, false);
	if (trigdata->tg_newtable != NULL)
		read_rows(&batch, trigdata, trigdata->tg_newtable, true);
	if (batch.n == 0)
		return PointerGetDatum(NULL);
	qsort_arg(batch.touched, batch.n, sizeof(Touched), compare_touched,
			  funnel);

	lq_funnel_enter(funnel, &saved);
	lead_context = AllocSetContextCreate(CurrentMemoryContext,
										 "lead_qual lead",
										 ALLOCSET_DEFAULT_SIZES);
	for (int i = 0, next; i < batch.n; i = next)
	{
		MemoryContext old = MemoryContextSwitchTo(lead_context);

		CHECK_FOR_INTERRUPTS();
		for (next = i + 1; next < batch.n; next++)
			if (compare_touched(&batch.touched[i], &batch.touched[next],
								funnel) != 0)
				break;
		update_lead(&batch, &batch.touched[i], next - i);
		MemoryContextSwitchTo(old);
		MemoryContextReset(lead_context);
	}
	lq_funnel_leave(&saved);
	return PointerGetDatum(NULL);
}
