/*
 * incidence.c
 *		What becomes of units that are followed for a time: how many came
 *		somewhere, for each way there, by the days that a figure is asked for.
 *
 * Incidence is the Aalen-Johansen estimate, with the ways competing; beside it
 * the median of the Kaplan-Meier estimate of the first of them, which takes
 * the others for the end of observation.  Both are sums and products over the
 * times of the group, in their order.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "type/aggregate.h"

PG_FUNCTION_INFO_V1(incidence_add);
PG_FUNCTION_INFO_V1(incidence_join);
PG_FUNCTION_INFO_V1(incidence_write);
PG_FUNCTION_INFO_V1(incidence_read);
PG_FUNCTION_INFO_V1(incidence_end);

/* ways to end: there, or off the path; 0 is not to have ended */
#define N_WAYS		4

/* the days that incidence is told for */
static const int told_days[] = {30, 60, 90, 180};

#define N_TOLD		((int) lengthof(told_days))

/* the medians come first */
#define N_FIGURES	(2 + N_WAYS * N_TOLD)

/* half of the people: what rounding leaves of it is still half */
#define TOLERANCE	1e-9

/* as long as this many are followed, the typical time is told */
#define FEWEST		5
#define LONGEST		(365 * USECS_PER_DAY)

typedef struct Followed
{
	int64		time;			/* microseconds */
	int64		way;
} Followed;

typedef struct Group
{
	int64		n;
	int64		room;
	Followed   *units;
} Group;

/* a time at which some ended */
typedef struct Step
{
	int64		time;
	float8		by[N_WAYS];		/* incidence */
	float8		kept;			/* Kaplan-Meier estimate of the first way */
} Step;

static Group *
group_of(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : (Group *) PG_GETARG_POINTER(n);
}

/* appends, to a new group where there is none */
static Group *
append(FunctionCallInfo fcinfo, Group *group, const Followed *units, int64 n)
{
	MemoryContext context = lq_aggregate_context(fcinfo);

	if (group == NULL)
		group = MemoryContextAllocZero(context, sizeof(Group));
	if (group->n + n > group->room)
	{
		int64		room = Max(Max(group->room * 2, group->n + n), 8);

		group->units = group->units == NULL ?
			MemoryContextAllocHuge(context, room * sizeof(Followed)) :
			repalloc_huge(group->units, room * sizeof(Followed));
		group->room = room;
	}
	memcpy(group->units + group->n, units, n * sizeof(Followed));
	group->n += n;
	return group;
}

static int
by_time(const void *a, const void *b)
{
	int64		one = ((const Followed *) a)->time;
	int64		other = ((const Followed *) b)->time;

	return one < other ? -1 : one > other;
}

/*
 * The steps of a sorted group, and what share ended in no way.  At a tie, what
 * ends comes before what is only followed no longer.
 */
static int64
steps_of(Group *group, Step *steps, float8 *left_over)
{
	int64		n_steps = 0;
	int64		i = 0;
	float8		left = 1;
	float8		kept = 1;
	float8		by[N_WAYS] = {0};

	while (i < group->n)
	{
		int64		time = group->units[i].time;
		int64		at_risk = group->n - i;
		int64		ended[N_WAYS + 1] = {0};
		int64		all = 0;

		for (; i < group->n && group->units[i].time == time; i++)
			ended[group->units[i].way]++;
		for (int way = 0; way < N_WAYS; way++)
		{
			by[way] += left * ended[way + 1] / at_risk;
			all += ended[way + 1];
		}
		if (all == 0)
			continue;
		left = left * (at_risk - all) / at_risk;
		kept = kept * (at_risk - ended[1]) / at_risk;
		steps[n_steps].time = time;
		memcpy(steps[n_steps].by, by, sizeof(by));
		steps[n_steps].kept = kept;
		n_steps++;
	}
	*left_over = left;
	return n_steps;
}

/* _incidence_add(internal, time bigint, way integer) - internal */
Datum
incidence_add(PG_FUNCTION_ARGS)
{
	Group	   *group = group_of(fcinfo, 0);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		Followed	unit = {PG_GETARG_INT64(1), PG_GETARG_INT32(2)};

		if (unit.way < 0 || unit.way > N_WAYS)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("there is no such way to end: %d",
								   (int) unit.way)));
		group = append(fcinfo, group, &unit, 1);
	}
	if (group == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(group);
}

/* _incidence_join(internal, internal) - internal */
Datum
incidence_join(PG_FUNCTION_ARGS)
{
	Group	   *group = group_of(fcinfo, 0);
	Group	   *others = group_of(fcinfo, 1);

	if (others != NULL)
		group = append(fcinfo, group, others->units, others->n);
	if (group == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(group);
}

/* _incidence_write(internal) - bytea: for another process */
Datum
incidence_write(PG_FUNCTION_ARGS)
{
	Group	   *group = group_of(fcinfo, 0);
	Size		size = VARHDRSZ + sizeof(Followed) * (Size) group->n;
	bytea	   *result;

	if (!AllocSizeIsValid(size))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("too many units in one group")));
	result = palloc(size);
	SET_VARSIZE(result, size);
	memcpy(VARDATA(result), group->units, size - VARHDRSZ);
	PG_RETURN_BYTEA_P(result);
}

/* _incidence_read(bytea, internal) - internal */
Datum
incidence_read(PG_FUNCTION_ARGS)
{
	bytea	   *written = PG_GETARG_BYTEA_PP(0);

	PG_RETURN_POINTER(append(fcinfo, NULL,
							 (const Followed *) VARDATA_ANY(written),
							 VARSIZE_ANY_EXHDR(written) / sizeof(Followed)));
}

/*
 * _incidence_end(internal) - float8[]
 *
 * The typical time of those who will come, the Kaplan-Meier median, then for
 * each way its incidence by each of the days.  What nobody was followed to is
 * not known, unless all have ended before.
 */
Datum
incidence_end(PG_FUNCTION_ARGS)
{
	Group	   *group = group_of(fcinfo, 0);
	Datum		figures[N_FIGURES];
	bool		unknown[N_FIGURES];
	int			dims[] = {N_FIGURES};
	int			lbs[] = {1};
	Step	   *steps;
	int64		n_steps;
	int64		horizon = LONGEST;
	float8		left_over;
	float8		by_horizon = 0;

	if (group == NULL)
		PG_RETURN_NULL();
	memset(unknown, true, sizeof(unknown));
	memset(figures, 0, sizeof(figures));

	qsort(group->units, group->n, sizeof(Followed), by_time);
	steps = MemoryContextAllocHuge(CurrentMemoryContext,
								   Max(group->n, 1) * sizeof(Step));
	n_steps = steps_of(group, steps, &left_over);

	if (group->n >= FEWEST)
		horizon = Min(horizon, group->units[group->n - FEWEST].time);
	for (int64 i = 0; i < n_steps && steps[i].time <= horizon; i++)
		by_horizon = steps[i].by[0];
	for (int64 i = 0; i < n_steps; i++)
	{
		if (unknown[0] && by_horizon > 0 &&
			steps[i].by[0] >= by_horizon / 2 - TOLERANCE)
		{
			figures[0] = Float8GetDatum(steps[i].time);
			unknown[0] = false;
		}
		if (unknown[1] && steps[i].kept <= 0.5 + TOLERANCE)
		{
			figures[1] = Float8GetDatum(steps[i].time);
			unknown[1] = false;
		}
	}

	for (int day = 0; day < N_TOLD; day++)
	{
		int64		time = told_days[day] * USECS_PER_DAY;
		int64		last = -1;

		if (left_over > 0 && group->units[group->n - 1].time < time)
			continue;
		while (last + 1 < n_steps && steps[last + 1].time <= time)
			last++;
		for (int way = 0; way < N_WAYS; way++)
		{
			int			place = 2 + way * N_TOLD + day;

			figures[place] = Float8GetDatum(last < 0 ? 0 : steps[last].by[way]);
			unknown[place] = false;
		}
	}
	pfree(steps);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(figures, unknown, 1, dims, lbs,
											 FLOAT8OID, sizeof(float8),
											 FLOAT8PASSBYVAL,
											 TYPALIGN_DOUBLE));
}
