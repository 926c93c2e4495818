/*
 * stays.c
 *		How long units wait in milestones, and how that ends.
 *
 * A unit waits in a milestone from when it came there, if it had not been
 * further by then, until it comes to a later one, or leaves.  Units are
 * counted by milestone, whole days and end; they are looked at once.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "type/aggregate.h"

PG_FUNCTION_INFO_V1(stays_add);
PG_FUNCTION_INFO_V1(stays_join);
PG_FUNCTION_INFO_V1(stays_write);
PG_FUNCTION_INFO_V1(stays_read);
PG_FUNCTION_INFO_V1(stays_end);

/* stays that began before are not counted, but where they go on */
#define RECENT		(365 * USECS_PER_DAY)

/* days of a stay that are told apart */
#define N_DAYS		372

/*
 * How stays end, by number: 0 they go on, 1 to n that they went on to the
 * milestone at that place, and three more.
 */
#define LEFT(n)		((n) + 1)
#define OLD(n)		((n) + 2)	/* goes on, and began too long ago */
#define ENTERED(n)	((n) + 3)	/* not a stay: entries so far */
#define N_WAYS(n)	((n) + 4)

typedef struct Stays
{
	int64		n;				/* places */
	int64		counts[FLEXIBLE_ARRAY_MEMBER];	/* by place, way and day */
} Stays;

#define N_COUNTS(n)	((Size) (n) * N_WAYS(n) * N_DAYS)
#define STAYS_SIZE(n)	(offsetof(Stays, counts) + N_COUNTS(n) * sizeof(int64))

static Stays *
stays_of(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : (Stays *) PG_GETARG_POINTER(n);
}

static void
count(Stays *stays, int place, int way, int64 time)
{
	int64		day = Min(time / USECS_PER_DAY, N_DAYS - 1);

	stays->counts[(place * N_WAYS(stays->n) + way) * N_DAYS + day]++;
}

/*
 * _stays_add(internal, instants timestamptz[], left_at timestamptz,
 *			  at timestamptz) - internal
 */
Datum
stays_add(PG_FUNCTION_ARGS)
{
	Stays	   *stays = stays_of(fcinfo, 0);
	TimestampTz instants[LQ_MOST_PLACES];
	TimestampTz left_at = DT_NOEND;
	TimestampTz now;
	Datum	   *values;
	bool	   *nulls;
	int			n;
	TimestampTz next_at = DT_NOEND;
	int			next = 0;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("instants must not be null")));
	now = PG_GETARG_TIMESTAMPTZ(3);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TIMESTAMPTZOID,
					  sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &values, &nulls, &n);
	if (n > LQ_MOST_PLACES)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("more than %d milestones", LQ_MOST_PLACES)));
	if (stays == NULL)
	{
		stays = MemoryContextAllocZero(lq_aggregate_context(fcinfo),
									   STAYS_SIZE(n));
		stays->n = n;
	}
	if (n != stays->n)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("numbers of milestones differ")));
	for (int place = 0; place < LQ_MOST_PLACES; place++)
	{
		instants[place] = DT_NOEND;
		if (place < n && !nulls[place] &&
			DatumGetTimestampTz(values[place]) <= now)
		{
			instants[place] = DatumGetTimestampTz(values[place]);
			count(stays, place, ENTERED(n), 0);
		}
	}
	if (!PG_ARGISNULL(2) && PG_GETARG_TIMESTAMPTZ(2) <= now)
		left_at = PG_GETARG_TIMESTAMPTZ(2);

	/* the last one is where the way ends */
	for (int place = n - 1; place >= 0; place--)
	{
		TimestampTz since = instants[place];

		if (since == DT_NOEND)
			continue;
		if (place < n - 1 && since <= next_at)
		{
			bool		recent = since > now - RECENT;

			if (next_at != DT_NOEND)
			{
				if (recent)
					count(stays, place, next, next_at - since);
			}
			else if (left_at != DT_NOEND)
			{
				if (recent)
					count(stays, place, LEFT(n), Max(left_at - since, 0));
			}
			else
				count(stays, place, recent ? 0 : OLD(n), now - since);
		}
		/* of several at one instant the nearest is next */
		if (since <= next_at)
		{
			next_at = since;
			next = place + 1;
		}
	}
	PG_RETURN_POINTER(stays);
}

/* _stays_join(internal, internal) - internal */
Datum
stays_join(PG_FUNCTION_ARGS)
{
	Stays	   *stays = stays_of(fcinfo, 0);
	Stays	   *others = stays_of(fcinfo, 1);

	if (others == NULL)
	{
		if (stays == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(stays);
	}
	if (stays == NULL)
	{
		stays = MemoryContextAllocZero(lq_aggregate_context(fcinfo),
									   STAYS_SIZE(others->n));
		stays->n = others->n;
	}
	for (Size i = 0; i < N_COUNTS(stays->n); i++)
		stays->counts[i] += others->counts[i];
	PG_RETURN_POINTER(stays);
}

/* _stays_write(internal) - bytea: for another process */
Datum
stays_write(PG_FUNCTION_ARGS)
{
	Stays	   *stays = stays_of(fcinfo, 0);
	bytea	   *result = palloc(VARHDRSZ + STAYS_SIZE(stays->n));

	SET_VARSIZE(result, VARHDRSZ + STAYS_SIZE(stays->n));
	memcpy(VARDATA(result), stays, STAYS_SIZE(stays->n));
	PG_RETURN_BYTEA_P(result);
}

/* _stays_read(bytea, internal) - internal */
Datum
stays_read(PG_FUNCTION_ARGS)
{
	bytea	   *written = PG_GETARG_BYTEA_PP(0);
	Size		size = VARSIZE_ANY_EXHDR(written);
	Stays	   *stays = MemoryContextAlloc(lq_aggregate_context(fcinfo), size);

	memcpy(stays, VARDATA_ANY(written), size);
	PG_RETURN_POINTER(stays);
}

/* _stays_end(internal) - bigint[]: place, way, day and number, again and again */
Datum
stays_end(PG_FUNCTION_ARGS)
{
	Stays	   *stays = stays_of(fcinfo, 0);
	Datum	   *told;
	int			n_told = 0;

	if (stays == NULL)
		PG_RETURN_NULL();
	told = palloc(N_COUNTS(stays->n) * 4 * sizeof(Datum));
	for (Size i = 0; i < N_COUNTS(stays->n); i++)
	{
		if (stays->counts[i] == 0)
			continue;
		told[n_told++] = Int64GetDatum(i / N_DAYS / N_WAYS(stays->n) + 1);
		told[n_told++] = Int64GetDatum(i / N_DAYS % N_WAYS(stays->n));
		told[n_told++] = Int64GetDatum(i % N_DAYS);
		told[n_told++] = Int64GetDatum(stays->counts[i]);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(told, n_told, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
