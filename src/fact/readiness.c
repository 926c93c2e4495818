/*
 * readiness.c
 *		How many leads are ready for sales, and how many nearly so.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/lookup.h"
#include "funnel/milestone.h"
#include "funnel/policy.h"
#include "funnel/row.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "lead/lead.h"
#include "lead/refuse.h"
#include "lead/way.h"
#include "result.h"

PG_FUNCTION_INFO_V1(_readiness);

/* leads that the cursor brings at a time */
#define FETCH_SIZE	1000

/* how far leads are from SQL; what is further counts as the last */
#define N_DISTANCES	3

/* a way from a stage to one of milestone sql */
typedef struct Way
{
	int			length;
	const LqStage **stages;		/* after the first */
} Way;

typedef struct Start
{
	bool		counts;			/* it is on the path before SQL */
	int			n_ways;
	Way		   *ways;
	int64		n[N_DISTANCES];
} Start;

static Start *
find_starts(const LqFunnel *funnel)
{
	Start	   *starts = palloc0(funnel->n_stages * sizeof(Start));

	for (int i = 0; i < funnel->n_stages; i++)
	{
		LqMilestone milestone = funnel->stages[i].milestone;

		starts[i].counts = lq_is_on_path(milestone) &&
			!lq_has_reached(milestone, LQ_MILESTONE_SQL);
		starts[i].ways = palloc(funnel->n_stages * sizeof(Way));
		for (int k = 0; starts[i].counts && k < funnel->n_stages; k++)
		{
			Way		   *way = &starts[i].ways[starts[i].n_ways];

			if (funnel->stages[k].milestone != LQ_MILESTONE_SQL)
				continue;
			way->stages = palloc(funnel->n_stages * sizeof(LqStage *));
			way->length = lq_find_way(funnel, &funnel->stages[i],
									  &funnel->stages[k], way->stages);
			if (way->length > 0)
				starts[i].n_ways++;
		}
	}
	return starts;
}

/* The same of one step of the way: by the transition that is nearest. */
static int
step_distance(LqLead *lead, const LqStage *from, const LqStage *to)
{
	const LqFunnel *funnel = lead->funnel;
	int			least = N_DISTANCES - 1;

	for (int i = 0; i < funnel->n_transitions && least > 0; i++)
		if (funnel->transitions[i].to == to &&
			lq_is_step(&funnel->transitions[i], from))
			least = Min(least,
						lq_transition_distance(lead, &funnel->transitions[i]));
	return least;
}

/* How far is the lead from SQL, by the way that is nearest? */
static int
lead_distance(LqLead *lead, const LqStage *from, const Start *start)
{
	int			least = N_DISTANCES - 1;

	for (int i = 0; i < start->n_ways; i++)
	{
		const Way  *way = &start->ways[i];
		int			distance = 0;

		for (int k = 0; k < way->length && distance < least; k++)
			distance += step_distance(lead, k == 0 ? from : way->stages[k - 1],
									  way->stages[k]);
		least = Min(least, distance);
	}
	return least;
}

static void
count_lead(LqFunnel *funnel, Start *starts, HeapTuple tuple)
{
	LqLead		lead;
	const LqStage *from;
	char	   *name;

	lq_lead_init(&lead, funnel, tuple);
	name = lq_lead_get_text(&lead, LQ_LEAD_STAGE);
	from = name == NULL ? NULL : lq_funnel_stage(funnel, name);
	if (from != NULL && starts[from - funnel->stages].counts)
	{
		Start	   *start = &starts[from - funnel->stages];

		start->n[lead_distance(&lead, from, start)]++;
	}
	lq_lead_done(&lead);
}

/*
 * _readiness(setting oid) -
 *		setof (stage, ready, one_step_short, to_be_worked)
 *
 * Leads of each stage on the path before SQL of the funnel whose table
 * "setting" that is, by what why_not() says of SQL.  Leads are read with the
 * caller's rights.
 */
Datum
_readiness(PG_FUNCTION_ARGS)
{
	LqResult	result;
	LqFunnel   *funnel = lq_funnel_by_schema(get_rel_namespace(PG_GETARG_OID(0)));
	MemoryContext batch;
	MemoryContext each;
	Portal		portal;
	Start	   *starts;
	uint64		n;

	lq_result_begin(&result, fcinfo);
	SPI_connect();
	starts = find_starts(funnel);
	batch = AllocSetContextCreate(CurrentMemoryContext, "lead_qual leads",
								  ALLOCSET_DEFAULT_SIZES);
	each = AllocSetContextCreate(CurrentMemoryContext, "lead_qual lead",
								 ALLOCSET_DEFAULT_SIZES);
	portal = lq_statement_open(funnel, LQ_STATEMENT_LEADS, NULL);
	do
	{
		MemoryContext old = MemoryContextSwitchTo(batch);
		SPITupleTable *rows;

		SPI_cursor_fetch(portal, true, FETCH_SIZE);
		MemoryContextSwitchTo(each);
		rows = SPI_tuptable;
		n = SPI_processed;
		for (uint64 i = 0; i < n; i++)
		{
			bool		isnull;
			Datum		row = SPI_getbinval(rows->vals[i], rows->tupdesc, 1,
											&isnull);
			HeapTupleData tuple = lq_tuple_of_row(DatumGetHeapTupleHeader(row));

			CHECK_FOR_INTERRUPTS();
			count_lead(funnel, starts, &tuple);
			MemoryContextReset(each);
		}
		SPI_freetuptable(rows);
		MemoryContextSwitchTo(old);
		MemoryContextReset(batch);
	} while (n > 0);
	SPI_cursor_close(portal);
	for (int i = 0; i < funnel->n_stages; i++)
	{
		if (!starts[i].counts)
			continue;
		lq_result_add_text(&result, funnel->stages[i].name);
		for (int k = 0; k < N_DISTANCES; k++)
			lq_result_add(&result, Int64GetDatum(starts[i].n[k]));
		lq_result_end_row(&result);
	}
	SPI_finish();
	return (Datum) 0;
}
