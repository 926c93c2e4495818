/*
 * ways.c
 *		How many units came how far, and in which order.
 *
 * A unit has an instant and an account for each milestone that it entered.
 * Counted by hand these are dozens of aggregates with a filter each, which
 * take longer to plan, to compile and to run than one that looks at a unit
 * once.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "type/aggregate.h"

PG_FUNCTION_INFO_V1(ways_add);
PG_FUNCTION_INFO_V1(ways_join);
PG_FUNCTION_INFO_V1(ways_write);
PG_FUNCTION_INFO_V1(ways_read);
PG_FUNCTION_INFO_V1(ways_end);

typedef struct Account
{
	int64		account;
	char		status;
	uint16		places;			/* where units of it were */
} Account;

#define SH_PREFIX account
#define SH_ELEMENT_TYPE Account
#define SH_KEY_TYPE int64
#define SH_KEY account
#define SH_HASH_KEY(tb, key) murmurhash32((uint32) (key) ^ (uint32) ((uint64) (key) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

typedef struct Ways
{
	int64		n;				/* places */
	account_hash *accounts;
	int64		counts[LQ_MOST_PLACES * LQ_MOST_PLACES];	/* as in the result */
} Ways;

/* the state of an argument; NULL is none */
static Ways *
ways_of(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : (Ways *) PG_GETARG_POINTER(n);
}

static Ways *
new_ways(FunctionCallInfo fcinfo, int64 n, uint32 accounts)
{
	MemoryContext context = lq_aggregate_context(fcinfo);
	Ways	   *ways = MemoryContextAllocZero(context, sizeof(Ways));

	ways->n = n;
	ways->accounts = account_create(context, accounts, NULL);
	return ways;
}

static void
add_account(Ways *ways, int64 account, uint16 places)
{
	bool		found;
	Account    *entry = account_insert(ways->accounts, account, &found);

	entry->places = places | (found ? entry->places : 0);
}

/* the values of an argument, eight bytes each; which ones are there, as bits */
static const int64 *
values_of(FunctionCallInfo fcinfo, int argument, int *n, uint32 *there)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
	const uint8 *bitmap = ARR_NULLBITMAP(array);

	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (*n > LQ_MOST_PLACES)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("more than %d milestones", LQ_MOST_PLACES)));
	*there = (1 << *n) - 1;
	if (bitmap != NULL)
		*there &= bitmap[0] | (*n > 8 ? bitmap[1] << 8 : 0);
	return (const int64 *) ARR_DATA_PTR(array);
}

/* _ways_add(internal, instants timestamptz[], accounts bigint[]) - internal */
Datum
ways_add(PG_FUNCTION_ARGS)
{
	Ways	   *ways = ways_of(fcinfo, 0);
	const int64 *values;
	TimestampTz at[LQ_MOST_PLACES];
	uint32		there;
	int			n;
	int			n_accounts;
	int64		account = 0;
	uint16		places = 0;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("instants and accounts must not be null")));
	values = values_of(fcinfo, 1, &n, &there);
	if (ways == NULL)
		ways = new_ways(fcinfo, n, 64);
	for (int i = 0; i < n; i++)
	{
		if ((there & (1 << i)) == 0)
			continue;
		at[i] = *values++;
		ways->counts[i * n + i]++;
		for (int before = 0; before < i; before++)
			if ((there & (1 << before)) == 0)
				continue;
			else if (at[before] <= at[i])
				ways->counts[before * n + i]++;
			else
				ways->counts[i * n + before]++;
	}

	values = values_of(fcinfo, 2, &n_accounts, &there);
	if (n != ways->n || n_accounts != n)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("numbers of milestones differ")));
	/* mostly it is one account all the way */
	for (int i = 0; i < n; i++)
	{
		if ((there & (1 << i)) == 0)
			continue;
		if (places != 0 && *values != account)
		{
			add_account(ways, account, places);
			places = 0;
		}
		account = *values++;
		places |= 1 << i;
	}
	if (places != 0)
		add_account(ways, account, places);
	PG_RETURN_POINTER(ways);
}

/* _ways_join(internal, internal) - internal */
Datum
ways_join(PG_FUNCTION_ARGS)
{
	Ways	   *ways = ways_of(fcinfo, 0);
	Ways	   *other = ways_of(fcinfo, 1);

	if (other != NULL)
	{
		account_iterator i;
		Account    *entry;

		if (ways == NULL)
			ways = new_ways(fcinfo, other->n, other->accounts->members);
		for (int k = 0; k < ways->n * ways->n; k++)
			ways->counts[k] += other->counts[k];
		account_start_iterate(other->accounts, &i);
		while ((entry = account_iterate(other->accounts, &i)) != NULL)
			add_account(ways, entry->account, entry->places);
	}
	if (ways == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(ways);
}

/* _ways_write(internal) - bytea: for another process */
Datum
ways_write(PG_FUNCTION_ARGS)
{
	Ways	   *ways = ways_of(fcinfo, 0);
	Size		size = sizeof(Ways) +
	sizeof(Account) * (Size) ways->accounts->members;
	bytea	   *result;
	char	   *next;
	account_iterator i;
	Account    *entry;

	if (!AllocSizeIsValid(VARHDRSZ + size))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("too many different accounts to count")));
	result = palloc(VARHDRSZ + size);
	SET_VARSIZE(result, VARHDRSZ + size);
	next = VARDATA(result);
	memcpy(next, ways, sizeof(Ways));
	next += sizeof(Ways);
	account_start_iterate(ways->accounts, &i);
	while ((entry = account_iterate(ways->accounts, &i)) != NULL)
	{
		memcpy(next, entry, sizeof(Account));
		next += sizeof(Account);
	}
	PG_RETURN_BYTEA_P(result);
}

/* _ways_read(bytea, internal) - internal */
Datum
ways_read(PG_FUNCTION_ARGS)
{
	bytea	   *written = PG_GETARG_BYTEA_PP(0);
	int			n = (VARSIZE_ANY_EXHDR(written) - sizeof(Ways)) /
	sizeof(Account);
	const char *next = VARDATA_ANY(written);
	Ways		head;
	Ways	   *ways;

	memcpy(&head, next, sizeof(Ways));
	next += sizeof(Ways);
	ways = new_ways(fcinfo, head.n, n);
	memcpy(ways->counts, head.counts, sizeof(head.counts));
	for (; n > 0; n--, next += sizeof(Account))
	{
		Account		entry;

		memcpy(&entry, next, sizeof(Account));
		add_account(ways, entry.account, entry.places);
	}
	PG_RETURN_POINTER(ways);
}

/* _ways_end(internal) - bigint[] */
Datum
ways_end(PG_FUNCTION_ARGS)
{
	Ways	   *ways = ways_of(fcinfo, 0);
	Datum		result[LQ_MOST_PLACES * LQ_MOST_PLACES + LQ_MOST_PLACES];
	int64		accounts[LQ_MOST_PLACES] = {0};
	account_iterator i;
	Account    *entry;
	int			n = 0;

	if (ways == NULL)
		PG_RETURN_NULL();
	account_start_iterate(ways->accounts, &i);
	while ((entry = account_iterate(ways->accounts, &i)) != NULL)
		for (int k = 0; k < ways->n; k++)
			if ((entry->places & (1 << k)) != 0)
				accounts[k]++;
	for (; n < ways->n * ways->n; n++)
		result[n] = Int64GetDatum(ways->counts[n]);
	for (int k = 0; k < ways->n; k++)
		result[n++] = Int64GetDatum(accounts[k]);
	PG_RETURN_ARRAYTYPE_P(construct_array(result, n, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
