/*
 * count_distinct.c
 *		How many different numbers there are.
 *
 * The server sorts for count(DISTINCT); over millions of rows in many groups
 * a set of each group's numbers is several times faster, and can be counted
 * by several processes.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "type/aggregate.h"

PG_FUNCTION_INFO_V1(count_distinct_add);
PG_FUNCTION_INFO_V1(count_distinct_join);
PG_FUNCTION_INFO_V1(count_distinct_write);
PG_FUNCTION_INFO_V1(count_distinct_read);
PG_FUNCTION_INFO_V1(count_distinct_end);

typedef struct Number
{
	int64		value;
	char		status;
} Number;

#define SH_PREFIX number
#define SH_ELEMENT_TYPE Number
#define SH_KEY_TYPE int64
#define SH_KEY value
#define SH_HASH_KEY(tb, key) murmurhash32((uint32) (key) ^ (uint32) ((uint64) (key) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

/* the set of an argument; NULL is an empty one */
static number_hash *
set_of(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : (number_hash *) PG_GETARG_POINTER(n);
}

static number_hash *
new_set(FunctionCallInfo fcinfo, uint32 size)
{
	return number_create(lq_aggregate_context(fcinfo), size, NULL);
}

static void
add(number_hash * set, int64 value)
{
	bool		found;

	(void) number_insert(set, value, &found);
}

/* _count_distinct_add(internal, bigint) - internal */
Datum
count_distinct_add(PG_FUNCTION_ARGS)
{
	number_hash *set = set_of(fcinfo, 0);

	if (PG_ARGISNULL(1))
	{
		if (set == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(set);
	}
	if (set == NULL)
		set = new_set(fcinfo, 4);
	add(set, PG_GETARG_INT64(1));
	PG_RETURN_POINTER(set);
}

/* _count_distinct_join(internal, internal) - internal */
Datum
count_distinct_join(PG_FUNCTION_ARGS)
{
	number_hash *set = set_of(fcinfo, 0);
	number_hash *other = set_of(fcinfo, 1);

	if (set == NULL && other != NULL)
		set = new_set(fcinfo, other->members);
	if (other != NULL)
	{
		number_iterator i;
		Number	   *number;

		number_start_iterate(other, &i);
		while ((number = number_iterate(other, &i)) != NULL)
			add(set, number->value);
	}
	if (set == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(set);
}

/* _count_distinct_write(internal) - bytea: for another process */
Datum
count_distinct_write(PG_FUNCTION_ARGS)
{
	number_hash *set = set_of(fcinfo, 0);
	Size		size = VARHDRSZ + sizeof(int64) * (Size) set->members;
	bytea	   *result;
	char	   *next;
	number_iterator i;
	Number	   *number;

	if (!AllocSizeIsValid(size))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("too many different values to count")));
	result = palloc(size);
	SET_VARSIZE(result, size);
	next = VARDATA(result);
	number_start_iterate(set, &i);
	while ((number = number_iterate(set, &i)) != NULL)
	{
		memcpy(next, &number->value, sizeof(int64));
		next += sizeof(int64);
	}
	PG_RETURN_BYTEA_P(result);
}

/* _count_distinct_read(bytea, internal) - internal */
Datum
count_distinct_read(PG_FUNCTION_ARGS)
{
	bytea	   *written = PG_GETARG_BYTEA_PP(0);
	int			n = VARSIZE_ANY_EXHDR(written) / sizeof(int64);
	const char *next = VARDATA_ANY(written);
	number_hash *set = new_set(fcinfo, n);

	for (; n > 0; n--, next += sizeof(int64))
	{
		int64		value;

		memcpy(&value, next, sizeof(int64));
		add(set, value);
	}
	PG_RETURN_POINTER(set);
}

/* _count_distinct_end(internal) - bigint */
Datum
count_distinct_end(PG_FUNCTION_ARGS)
{
	number_hash *set = set_of(fcinfo, 0);

	PG_RETURN_INT64(set == NULL ? 0 : (int64) set->members);
}
