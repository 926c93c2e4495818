/*
 * find_lead.c
 *		The lead that somebody names.
 *
 * A text may be a key, an external id, an e-mail address or an alias; it is
 * looked for as all of them, or as the one that is said before a colon.  What
 * fits two leads is nobody's guess.  A value of any other type is a key.
 *
 * Leads are sought with the caller's rights, and by what the caller may read:
 * a role that sees no addresses names leads by their keys.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "clip.h"
#include "compat.h"
#include "funnel/columns.h"
#include "funnel/find_lead.h"
#include "funnel/funnel.h"
#include "funnel/key.h"
#include "funnel/lead_table.h"
#include "funnel/lead_table.h"
#include "funnel/lookup.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "grow.h"
#include "result.h"
#include "subtransaction.h"

PG_FUNCTION_INFO_V1(_find_lead);
PG_FUNCTION_INFO_V1(_seek_lead);
PG_FUNCTION_INFO_V1(_name_key);

/* by what leads are sought; the first is the key, which is told of in any case */
static const struct
{
	const char *prefix;			/* what says that it is meant */
	const char *what;
	const char *column;
	LqTable		table;
	LqStatement statement;
}			ways[] =

{
	{"key", "key", NULL, LQ_TABLE_LEAD, LQ_STATEMENT_LEAD_EXISTS},
	{"external_id", "external id", "external_id", LQ_TABLE_LEAD,
	LQ_STATEMENT_SEEK_EXTERNAL_ID},
	{"email", "e-mail address", "email", LQ_TABLE_LEAD,
	LQ_STATEMENT_SEEK_EMAIL},
	{"external_id", "alias", "external_id", LQ_TABLE_LEAD_ALIAS,
	LQ_STATEMENT_SEEK_ALIAS_ID},
	{"email", "alias", "email", LQ_TABLE_LEAD_ALIAS,
	LQ_STATEMENT_SEEK_ALIAS_EMAIL},
	{"key", "alias", "former_key", LQ_TABLE_LEAD_ALIAS,
	LQ_STATEMENT_SEEK_FORMER_KEY},
};

#define WAY_KEY			0
#define WAY_EXTERNAL_ID	1
#define WAY_FORMER_KEY	5

/* a lead that was found */
typedef struct Hit
{
	int			way;
	char	   *key;
} Hit;

typedef struct Hits
{
	Hit		   *hits;
	int			n;
	int			room;
} Hits;

/* a text on its way through a type */
typedef struct Reading
{
	char	   *text;
	Oid			type;
	Datum		value;
} Reading;

static void
read_text(void *arg)
{
	Reading    *reading = arg;
	Oid			function;
	Oid			param;
	bool		varlena;

	getTypeInputInfo(reading->type, &function, &param);
	reading->value = OidInputFunctionCall(function, reading->text, param, -1);
	getTypeOutputInfo(reading->type, &function, &varlena);
	reading->text = OidOutputFunctionCall(function, reading->value);
}

/*
 * Read a text as a value of a type, and write it again as that does; false if
 * it is none.  A domain's own check is not run: it may be anybody's code, and
 * what it refuses is not there to be found.
 */
static bool
read_as(Reading *reading, Oid type, const char *text)
{
	LqFailure	failure;

	reading->text = pstrdup(text);
	reading->type = getBaseType(type);
	/* it would be cut off, and could be another's */
	if (reading->type == NAMEOID && strlen(text) >= NAMEDATALEN)
		return false;
	if (reading->type == TEXTOID || reading->type == VARCHAROID)
	{
		read_text(reading);
		return true;
	}
	return lq_try(LQ_TRY_CONDITION, read_text, reading, &failure);
}

static const char *
key_type_name(const LqFunnel *funnel)
{
	return format_type_be(getBaseType(funnel->key_type));
}

/* May the caller read that column, and is it there at all? */
static AttrNumber
readable(const LqFunnel *funnel, int way, Oid *relid)
{
	AttrNumber	attno;

	*relid = ways[way].table == LQ_TABLE_LEAD &&
		OidIsValid(funnel->lead_view) ? funnel->lead_view :
		funnel->relid[ways[way].table];
	attno = get_attnum(*relid, ways[way].column != NULL ? ways[way].column :
					   lq_lead_key_column(funnel));
	if (AttributeNumberIsValid(attno) && way != WAY_KEY &&
		pg_class_aclcheck(*relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck(*relid, attno, GetUserId(),
							  ACL_SELECT) != ACLCHECK_OK)
		attno = InvalidAttrNumber;
	return attno;
}

static void
add_hit(Hits *hits, int way, char *key)
{
	hits->hits = lq_grow(hits->hits, hits->n, &hits->room, sizeof(Hit));
	hits->hits[hits->n].way = way;
	hits->hits[hits->n++].key = key;
}

/* Seek leads in one way; key: what the text is as a key, if it is one. */
static void
seek_way(const LqFunnel *funnel, int way, const char *text,
		 const Reading *key, Hits *hits)
{
	MemoryContext caller = CurrentMemoryContext;
	Reading		reading;
	Oid			relid;
	AttrNumber	attno = readable(funnel, way, &relid);
	Datum		value;
	uint64		n;

	if (!AttributeNumberIsValid(attno) ||
		(way == WAY_FORMER_KEY && key == NULL) ||
		(way == WAY_EXTERNAL_ID &&
		 !read_as(&reading, get_atttype(relid, attno), text)))
		return;

	if (way == WAY_KEY && key != NULL)
		value = key->value;
	else
		value = CStringGetTextDatum(way == WAY_FORMER_KEY ? key->text : text);
	SPI_connect();
	/* who may not read keys is told so even where it is none */
	n = lq_statement_run(funnel, ways[way].statement, &value,
						 way == WAY_KEY && key == NULL ? "n" : NULL);
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		MemoryContextSwitchTo(caller);
		add_hit(hits, way, way == WAY_KEY ? key->text :
				lq_key_text(funnel, SPI_getbinval(SPI_tuptable->vals[i],
												  SPI_tuptable->tupdesc, 1,
												  &isnull)));
	}
	SPI_finish();
	MemoryContextSwitchTo(caller);
}

/* Seek leads as what the prefix says, or, where it is empty, as anything. */
static void
seek(const LqFunnel *funnel, const char *prefix, const char *text, Hits *hits)
{
	Reading		key;
	bool		is_key = read_as(&key, funnel->key_type, text);

	for (int way = 0; way < lengthof(ways); way++)
	{
		if (*prefix != '\0' && strcmp(prefix, ways[way].prefix) != 0)
			continue;
		/* the key of a lead that is there is no former one */
		if (way == WAY_FORMER_KEY && hits->n > 0 &&
			hits->hits[0].way == WAY_KEY)
			continue;
		seek_way(funnel, way, text, is_key ? &key : NULL, hits);
	}
}

/* By what a lead was sought, in words. */
static char *
sought_by(const LqFunnel *funnel, const char *prefix, const char *text)
{
	StringInfoData buf;
	Reading		key;
	const char *words[lengthof(ways)];
	int			n = 0;

	for (int way = 0; way < lengthof(ways); way++)
	{
		Oid			relid;

		if ((*prefix != '\0' && strcmp(prefix, ways[way].prefix) != 0) ||
			!AttributeNumberIsValid(readable(funnel, way, &relid)) ||
			(n > 0 && strcmp(words[n - 1], ways[way].what) == 0))
			continue;
		words[n++] = way == WAY_KEY &&
			!read_as(&key, funnel->key_type, text) ?
			psprintf("key (it is no %s)", key_type_name(funnel)) :
			ways[way].what;
	}
	initStringInfo(&buf);
	for (int i = 0; i < n; i++)
		appendStringInfo(&buf, "%s%s", i == 0 ? "" :
						 i == n - 1 ? " and " : ", ", words[i]);
	return buf.data;
}

pg_noreturn static void
refuse_ambiguous(const LqFunnel *funnel, const char *lead, const Hits *hits)
{
	StringInfoData fits;
	StringInfoData keys;

	initStringInfo(&fits);
	initStringInfo(&keys);
	for (int i = 0; i < hits->n; i++)
	{
		const char *what = ways[hits->hits[i].way].what;
		bool		told = false;

		appendStringInfo(&fits, "%s%s %s of lead %s", i == 0 ? "" : " and ",
						 strcmp(what, "alias") == 0 ? "an" : "the", what,
						 hits->hits[i].key);
		for (int j = 0; j < i; j++)
			told |= strcmp(hits->hits[i].key, hits->hits[j].key) == 0;
		if (!told)
			appendStringInfo(&keys, "%s'key:%s'", i == 0 ? "" : " or ",
							 hits->hits[i].key);
	}
	ereport(ERROR,
			(errcode(ERRCODE_CARDINALITY_VIOLATION),
			 errmsg("\"%s\" fits more than one lead of funnel \"%s\"",
					lq_clip(lead), funnel->name),
			 errdetail("It is %s.", fits.data),
			 errhint("Say which, by its key: %s.", keys.data)));
}

/* The key, as text, of the one lead that is meant. */
static char *
find(const LqFunnel *funnel, const char *lead)
{
	const char *prefix = "";
	const char *text = lead;
	Hits		hits = {0};

	for (int way = 0; way < lengthof(ways); way++)
	{
		size_t		length = strlen(ways[way].prefix);

		if (strncmp(lead, ways[way].prefix, length) == 0 &&
			lead[length] == ':')
		{
			prefix = ways[way].prefix;
			text = lead + length + 1;
		}
	}
	seek(funnel, prefix, text, &hits);
	if (hits.n == 0)
	{
		char	   *by = sought_by(funnel, prefix, text);

		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("funnel \"%s\" has no lead \"%s\"", funnel->name,
						lq_clip(lead)),
				 errdetail("It was looked for by %s.", by),
				 errhint("find_or_create_lead() creates a lead that is not there.")));
	}
	for (int i = 1; i < hits.n; i++)
		if (strcmp(hits.hits[i].key, hits.hits[0].key) != 0)
			refuse_ambiguous(funnel, lead, &hits);
	return hits.hits[0].key;
}

/*
 * What names a lead by a key, which is given as a value of another type in
 * words.  A value that the key's type would read as another is refused: 7.5 is
 * not 8.
 */
static char *
name_key(const LqFunnel *funnel, const char *value, Oid type)
{
	char	   *given = pstrdup(value);
	Reading		key;
	Reading		back;

	if (getBaseType(type) == NUMERICOID && strchr(given, '.') != NULL)
	{
		int			length = strlen(given);

		while (given[length - 1] == '0')
			length--;
		if (given[length - 1] == '.')
			length--;
		given[length] = '\0';
	}
	if (!read_as(&key, funnel->key_type, given) ||
		(strcmp(key.text, given) != 0 &&
		 !(read_as(&back, type, key.text) && strcmp(back.text, given) == 0)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("%s of type %s is no key of a lead of funnel \"%s\"",
						lq_clip(value), format_type_be(type), funnel->name),
				 errdetail("Keys of its leads are of type %s.",
						   key_type_name(funnel)),
				 errhint("Give an external id or an e-mail address as text.")));
	return psprintf("%s:%s", ways[WAY_KEY].prefix, key.text);
}

pg_noreturn static void
refuse_null(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("lead must not be null"),
			 errhint("Name it by its key, its external id or its e-mail address.")));
}

Datum
lq_find_lead(FunctionCallInfo fcinfo, int arg, LqFunnel *funnel)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, arg);
	Datum		value = PG_GETARG_DATUM(arg);
	Oid			output;
	bool		varlena;
	char	   *lead;

	if (PG_ARGISNULL(arg))
		refuse_null();
	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of argument \"%s\"",
						"lead")));
	if (type == TEXTOID)
		lead = TextDatumGetCString(value);
	else
	{
		getTypeOutputInfo(type, &output, &varlena);
		lead = name_key(funnel, OidOutputFunctionCall(output, value), type);
	}
	return lq_key_of_text(funnel, find(funnel, lead));
}

static LqFunnel *
get_funnel(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name of a funnel must not be null")));
	return lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
}

/* _find_lead(funnel text, lead text) - text */
Datum
_find_lead(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = get_funnel(fcinfo);

	if (PG_ARGISNULL(1))
		refuse_null();
	PG_RETURN_TEXT_P(cstring_to_text(find(funnel,
										  text_to_cstring(PG_GETARG_TEXT_PP(1)))));
}

/*
 * _seek_lead(funnel text, way text, sought text) - setof (what text, key text)
 */
Datum
_seek_lead(PG_FUNCTION_ARGS)
{
	LqResult	result;
	Hits		hits = {0};

	lq_result_begin(&result, fcinfo);
	seek(get_funnel(fcinfo), text_to_cstring(PG_GETARG_TEXT_PP(1)),
		 text_to_cstring(PG_GETARG_TEXT_PP(2)), &hits);
	for (int i = 0; i < hits.n; i++)
	{
		lq_result_add_text(&result, ways[hits.hits[i].way].what);
		lq_result_add_text(&result, hits.hits[i].key);
		lq_result_end_row(&result);
	}
	return (Datum) 0;
}

/* _name_key(funnel text, value text, type oid) - text */
Datum
_name_key(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = get_funnel(fcinfo);
	Oid			type = PG_ARGISNULL(2) ? InvalidOid : PG_GETARG_OID(2);

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (!SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(type)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type with OID %u does not exist", type)));
	PG_RETURN_TEXT_P(cstring_to_text(name_key(funnel,
											  text_to_cstring(PG_GETARG_TEXT_PP(1)),
											  type)));
}
