/*
 * spread.c
 *		Median and 90th percentile of whole numbers.
 *
 * The same as percentile_cont(ARRAY[0.5, 0.9]), which wants its groups sorted
 * and cannot be shared between processes.  Here the numbers of a group are
 * collected, and only as far put in order as the two need.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "type/aggregate.h"

PG_FUNCTION_INFO_V1(spread_add);
PG_FUNCTION_INFO_V1(spread_join);
PG_FUNCTION_INFO_V1(spread_write);
PG_FUNCTION_INFO_V1(spread_read);
PG_FUNCTION_INFO_V1(spread_end);

typedef struct Numbers
{
	int64		n;
	int64		room;
	int64	   *values;
} Numbers;

/* the numbers of an argument; NULL is none */
static Numbers *
numbers_of(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : (Numbers *) PG_GETARG_POINTER(n);
}

/* appends, to a new set where there is none */
static Numbers *
append(FunctionCallInfo fcinfo, Numbers *numbers, const int64 *values, int64 n)
{
	MemoryContext context = lq_aggregate_context(fcinfo);

	if (numbers == NULL)
		numbers = MemoryContextAllocZero(context, sizeof(Numbers));
	if (numbers->n + n > numbers->room)
	{
		int64		room = Max(Max(numbers->room * 2, numbers->n + n), 8);

		numbers->values = numbers->values == NULL ?
			MemoryContextAllocHuge(context, room * sizeof(int64)) :
			repalloc_huge(numbers->values, room * sizeof(int64));
		numbers->room = room;
	}
	memcpy(numbers->values + numbers->n, values, n * sizeof(int64));
	numbers->n += n;
	return numbers;
}

/*
 * Puts values in such an order that the one at place k is where it would be
 * if all were sorted, with none greater before it and none less after it.
 */
static int64
put_in_place(int64 *values, int64 low, int64 high, int64 k)
{
	while (low < high)
	{
		int64		pivot = values[low + (high - low) / 2];
		int64		i = low;
		int64		j = high;

		while (i <= j)
		{
			while (values[i] < pivot)
				i++;
			while (values[j] > pivot)
				j--;
			if (i <= j)
			{
				int64		value = values[i];

				values[i++] = values[j];
				values[j--] = value;
			}
		}
		if (k <= j)
			high = j;
		else if (k >= i)
			low = i;
		else
			break;
	}
	return values[k];
}

static float8
percentile(Numbers *numbers, float8 part)
{
	float8		place = part * (numbers->n - 1);
	int64		first = (int64) floor(place);
	int64		second = (int64) ceil(place);
	float8		low = put_in_place(numbers->values, 0, numbers->n - 1, first);

	if (second == first)
		return low;
	else
	{
		/* after the first in place all others are at least as great */
		float8		high = put_in_place(numbers->values, second,
										numbers->n - 1, second);

		return low + (place - first) * (high - low);
	}
}

/* _spread_add(internal, bigint) - internal */
Datum
spread_add(PG_FUNCTION_ARGS)
{
	Numbers    *numbers = numbers_of(fcinfo, 0);

	if (!PG_ARGISNULL(1))
	{
		int64		value = PG_GETARG_INT64(1);

		numbers = append(fcinfo, numbers, &value, 1);
	}
	if (numbers == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(numbers);
}

/* _spread_join(internal, internal) - internal */
Datum
spread_join(PG_FUNCTION_ARGS)
{
	Numbers    *numbers = numbers_of(fcinfo, 0);
	Numbers    *others = numbers_of(fcinfo, 1);

	if (others != NULL)
		numbers = append(fcinfo, numbers, others->values, others->n);
	if (numbers == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(numbers);
}

/* _spread_write(internal) - bytea: for another process */
Datum
spread_write(PG_FUNCTION_ARGS)
{
	Numbers    *numbers = numbers_of(fcinfo, 0);
	Size		size = VARHDRSZ + sizeof(int64) * (Size) numbers->n;
	bytea	   *result;

	if (!AllocSizeIsValid(size))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("too many numbers in one group")));
	result = palloc(size);
	SET_VARSIZE(result, size);
	memcpy(VARDATA(result), numbers->values, size - VARHDRSZ);
	PG_RETURN_BYTEA_P(result);
}

/* _spread_read(bytea, internal) - internal */
Datum
spread_read(PG_FUNCTION_ARGS)
{
	bytea	   *written = PG_GETARG_BYTEA_PP(0);

	PG_RETURN_POINTER(append(fcinfo, NULL, (const int64 *) VARDATA_ANY(written),
							 VARSIZE_ANY_EXHDR(written) / sizeof(int64)));
}

/* _spread_end(internal) - float8[]: median and 90th percentile */
Datum
spread_end(PG_FUNCTION_ARGS)
{
	Numbers    *numbers = numbers_of(fcinfo, 0);
	Datum		parts[2];

	if (numbers == NULL)
		PG_RETURN_NULL();
	parts[0] = Float8GetDatum(percentile(numbers, 0.5));
	parts[1] = Float8GetDatum(percentile(numbers, 0.9));
	PG_RETURN_ARRAYTYPE_P(construct_array(parts, 2, FLOAT8OID, sizeof(float8),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
