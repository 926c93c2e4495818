/*
 * entries.c
 *		How many units entered each milestone, by month and source, and how far
 *		these came.
 *
 * A unit has a month, a source and an account for each milestone that it
 * entered.  To make a row of each and group these takes several times longer,
 * in a plan whose price has the server compile it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "compat.h"
#include "type/aggregate.h"

PG_FUNCTION_INFO_V1(entries_add);
PG_FUNCTION_INFO_V1(entries_join);
PG_FUNCTION_INFO_V1(entries_write);
PG_FUNCTION_INFO_V1(entries_read);
PG_FUNCTION_INFO_V1(entries_end);
PG_FUNCTION_INFO_V1(steps_add);

/* what is counted by: the milestone's place, month and source */
typedef struct EntryKey
{
	int32		place;
	DateADT		month;
	uint32		hash;			/* of the three */
	uint32		length;
	const char *source;			/* not ended by a null */
} EntryKey;

typedef struct Entry
{
	EntryKey	key;
	char		status;
	uint32		number;			/* among those of this state */
	int64		entered;
	int64		accounts;
	/* of a step: by milestone, those that entered it, too, not before */
	int64		reached[LQ_MOST_PLACES];
	/* and those that did not enter it, though it comes earlier */
	int64		skipped[LQ_MOST_PLACES];
} Entry;

static inline bool
same_key(const EntryKey *a, const EntryKey *b)
{
	return a->place == b->place && a->month == b->month &&
		a->length == b->length && memcmp(a->source, b->source, a->length) == 0;
}

#define SH_PREFIX entry
#define SH_ELEMENT_TYPE Entry
#define SH_KEY_TYPE EntryKey
#define SH_KEY key
#define SH_HASH_KEY(tb, k) ((k).hash)
#define SH_EQUAL(tb, a, b) same_key(&(a), &(b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

/* an account that a unit of a entry was with */
typedef struct MemberKey
{
	int64		account;
	int64		of;				/* number of its entry */
} MemberKey;

typedef struct Member
{
	MemberKey	key;
	char		status;
} Member;

static inline uint32
hash_member(const MemberKey *key)
{
	uint32		account = (uint32) key->account ^
	(uint32) ((uint64) key->account >> 32);

	return hash_combine(murmurhash32(account), (uint32) key->of);
}

#define SH_PREFIX member
#define SH_ELEMENT_TYPE Member
#define SH_KEY_TYPE MemberKey
#define SH_KEY key
#define SH_HASH_KEY(tb, k) hash_member(&(k))
#define SH_EQUAL(tb, a, b) ((a).account == (b).account && (a).of == (b).of)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

typedef struct Entries
{
	MemoryContext context;
	entry_hash *table;
	member_hash *members;
} Entries;

/* the state of an argument; NULL is none */
static Entries *
entries_of(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : (Entries *) PG_GETARG_POINTER(n);
}

static Entries *
new_entries(FunctionCallInfo fcinfo)
{
	MemoryContext context = lq_aggregate_context(fcinfo);
	Entries    *entries = MemoryContextAlloc(context, sizeof(Entries));

	entries->context = context;
	entries->table = entry_create(context, 16, NULL);
	entries->members = member_create(context, 16, NULL);
	return entries;
}

/* the entry of that key, with its source copied if it is a new one */
static Entry *
entry_of(Entries *entries, int place, DateADT month, const char *source,
		 uint32 length)
{
	EntryKey	key = {place, month, 0, length, source};
	Entry	   *entry;
	bool		found;

	key.hash = hash_combine(hash_bytes((const unsigned char *) source, length),
							murmurhash32((uint32) month * LQ_MOST_PLACES + place));
	entry = entry_insert(entries->table, key, &found);
	if (!found)
	{
		char	   *copy = MemoryContextAlloc(entries->context, length + 1);

		memcpy(copy, source, length);
		entry->key.source = copy;
		entry->number = entries->table->members - 1;
		entry->entered = 0;
		entry->accounts = 0;
		memset(entry->reached, 0, sizeof(entry->reached));
		memset(entry->skipped, 0, sizeof(entry->skipped));
	}
	return entry;
}

/* add what another state has counted, but for accounts */
static void
add_entry(Entries *entries, const Entry *other, const char *source)
{
	Entry	   *entry = entry_of(entries, other->key.place, other->key.month,
								 source, other->key.length);

	entry->entered += other->entered;
	for (int i = 0; i < LQ_MOST_PLACES; i++)
	{
		entry->reached[i] += other->reached[i];
		entry->skipped[i] += other->skipped[i];
	}
}

static void
add_account(Entries *entries, Entry *entry, int64 account)
{
	MemberKey	key = {account, entry->number};
	bool		found;

	(void) member_insert(entries->members, key, &found);
	if (!found)
		entry->accounts++;
}

/*
 * _entries_add(internal, months date[], sources text[], accounts bigint[]) -
 * internal
 */
Datum
entries_add(PG_FUNCTION_ARGS)
{
	Entries    *entries = entries_of(fcinfo, 0);
	Datum	   *months;
	Datum	   *sources;
	Datum	   *accounts;
	bool	   *no_month;
	bool	   *no_source;
	bool	   *no_account;
	int			n;
	int			n_sources;
	int			n_accounts;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("months, sources and accounts must not be null")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), DATEOID, sizeof(DateADT), true,
					  TYPALIGN_INT, &months, &no_month, &n);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false,
					  TYPALIGN_INT, &sources, &no_source, &n_sources);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(3), INT8OID, sizeof(int64),
					  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &accounts, &no_account,
					  &n_accounts);
	if (n > LQ_MOST_PLACES || n != n_sources || n != n_accounts)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("numbers of milestones differ, or are above %d",
							   LQ_MOST_PLACES)));
	if (entries == NULL)
		entries = new_entries(fcinfo);
	for (int i = 0; i < n; i++)
	{
		Entry	   *entry;
		text	   *source;

		if (no_month[i] || no_source[i])
			continue;
		source = DatumGetTextPP(sources[i]);
		entry = entry_of(entries, i + 1, DatumGetDateADT(months[i]),
						 VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source));
		entry->entered++;
		if (!no_account[i])
			add_account(entries, entry, DatumGetInt64(accounts[i]));
	}
	PG_RETURN_POINTER(entries);
}

/*
 * _steps_add(internal, instants timestamptz[], months date[], sources text[]) -
 * internal
 */
Datum
steps_add(PG_FUNCTION_ARGS)
{
	Entries    *entries = entries_of(fcinfo, 0);
	Datum	   *instants;
	Datum	   *months;
	Datum	   *sources;
	bool	   *no_instant;
	bool	   *no_month;
	bool	   *no_source;
	int			n;
	int			n_months;
	int			n_sources;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("instants, months and sources must not be null")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TIMESTAMPTZOID,
					  sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &instants, &no_instant, &n);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), DATEOID, sizeof(DateADT), true,
					  TYPALIGN_INT, &months, &no_month, &n_months);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(3), TEXTOID, -1, false,
					  TYPALIGN_INT, &sources, &no_source, &n_sources);
	if (n > LQ_MOST_PLACES || n != n_months || n != n_sources)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("numbers of milestones differ, or are above %d",
							   LQ_MOST_PLACES)));
	if (entries == NULL)
		entries = new_entries(fcinfo);
	for (int i = 0; i < n; i++)
	{
		TimestampTz at;
		Entry	   *entry;
		text	   *source;

		if (no_instant[i] || no_month[i] || no_source[i])
			continue;
		at = DatumGetTimestampTz(instants[i]);
		source = DatumGetTextPP(sources[i]);
		entry = entry_of(entries, i + 1, DatumGetDateADT(months[i]),
						 VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source));
		entry->entered++;
		for (int k = 0; k < i; k++)
			entry->skipped[k] += no_instant[k];
		for (int k = i + 1; k < n; k++)
			entry->reached[k] += !no_instant[k] &&
				DatumGetTimestampTz(instants[k]) >= at;
	}
	PG_RETURN_POINTER(entries);
}

/* the entries of a state by their numbers */
static Entry **
numbered(Entries *entries)
{
	Entry	  **each = palloc(sizeof(Entry *) * (entries->table->members + 1));
	entry_iterator i;
	Entry	   *entry;

	entry_start_iterate(entries->table, &i);
	while ((entry = entry_iterate(entries->table, &i)) != NULL)
		each[entry->number] = entry;
	return each;
}

/* _entries_join(internal, internal) - internal */
Datum
entries_join(PG_FUNCTION_ARGS)
{
	Entries    *entries = entries_of(fcinfo, 0);
	Entries    *other = entries_of(fcinfo, 1);

	if (other != NULL)
	{
		Entry	  **each = numbered(other);
		member_iterator i;
		Member	   *member;

		if (entries == NULL)
			entries = new_entries(fcinfo);
		for (uint32 k = 0; k < other->table->members; k++)
			add_entry(entries, each[k], each[k]->key.source);
		member_start_iterate(other->members, &i);
		while ((member = member_iterate(other->members, &i)) != NULL)
		{
			EntryKey   *key = &each[member->key.of]->key;

			add_account(entries, entry_of(entries, key->place, key->month,
										  key->source, key->length),
						member->key.account);
		}
	}
	if (entries == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(entries);
}

/* _entries_write(internal) - bytea: for another process */
Datum
entries_write(PG_FUNCTION_ARGS)
{
	Entries    *entries = entries_of(fcinfo, 0);
	Entry	  **each = numbered(entries);
	StringInfoData written;
	bytea	   *result;
	member_iterator i;
	Member	   *member;

	initStringInfo(&written);
	appendBinaryStringInfo(&written, (char *) &entries->table->members,
						   sizeof(uint32));
	for (uint32 k = 0; k < entries->table->members; k++)
	{
		appendBinaryStringInfo(&written, (char *) each[k], sizeof(Entry));
		appendBinaryStringInfo(&written, each[k]->key.source,
							   each[k]->key.length);
	}
	member_start_iterate(entries->members, &i);
	while ((member = member_iterate(entries->members, &i)) != NULL)
		appendBinaryStringInfo(&written, (char *) &member->key,
							   sizeof(MemberKey));
	result = palloc(VARHDRSZ + (Size) written.len);
	SET_VARSIZE(result, VARHDRSZ + written.len);
	memcpy(VARDATA(result), written.data, written.len);
	PG_RETURN_BYTEA_P(result);
}

/* _entries_read(bytea, internal) - internal */
Datum
entries_read(PG_FUNCTION_ARGS)
{
	bytea	   *written = PG_GETARG_BYTEA_PP(0);
	Entries    *entries = new_entries(fcinfo);
	const char *next = VARDATA_ANY(written);
	const char *end = next + VARSIZE_ANY_EXHDR(written);
	Entry	  **each;
	uint32		n;

	memcpy(&n, next, sizeof(n));
	next += sizeof(n);
	for (uint32 k = 0; k < n; k++)
	{
		Entry		entry;

		memcpy(&entry, next, sizeof(Entry));
		next += sizeof(Entry);
		add_entry(entries, &entry, next);
		next += entry.key.length;
	}
	each = numbered(entries);
	while (next < end)
	{
		MemberKey	key;

		memcpy(&key, next, sizeof(MemberKey));
		next += sizeof(MemberKey);
		add_account(entries, each[key.of], key.account);
	}
	PG_RETURN_POINTER(entries);
}

static Datum
count_array(const int64 *counts)
{
	Datum		each[LQ_MOST_PLACES];

	for (int i = 0; i < LQ_MOST_PLACES; i++)
		each[i] = Int64GetDatum(counts[i]);
	return PointerGetDatum(construct_array(each, LQ_MOST_PLACES, INT8OID,
										   sizeof(int64), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

/* _entries_end(internal) - _entry[], _steps_end(internal) - _step[] */
Datum
entries_end(PG_FUNCTION_ARGS)
{
	Entries    *entries = entries_of(fcinfo, 0);
	Oid			type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	TupleDesc	desc;
	Entry	  **each;
	Datum	   *rows;
	uint32		n;

	if (entries == NULL)
		PG_RETURN_NULL();
	desc = lookup_rowtype_tupdesc_copy(type, -1);
	each = numbered(entries);
	n = entries->table->members;
	rows = palloc(sizeof(Datum) * (n + 1));
	for (uint32 k = 0; k < n; k++)
	{
		Datum		values[6];
		bool		nulls[6] = {false};

		values[0] = Int32GetDatum(each[k]->key.place);
		values[1] = DateADTGetDatum(each[k]->key.month);
		values[2] = PointerGetDatum(cstring_to_text_with_len(each[k]->key.source,
															 each[k]->key.length));
		values[3] = Int64GetDatum(each[k]->entered);
		if (desc->natts == 5)
			values[4] = Int64GetDatum(each[k]->accounts);
		else
		{
			values[4] = count_array(each[k]->reached);
			values[5] = count_array(each[k]->skipped);
		}
		rows[k] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(rows, n, type, -1, false,
										  TYPALIGN_DOUBLE));
}
