/*
 * answer_level.c
 *		Type answer_level: how far one element is answered.
 *
 * One byte, the number of an LqLevel.  Order and equality are those of the
 * numbers.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "libpq/pqformat.h"

#include "compat.h"
#include "type/answer_level.h"
#include "type/ordered_type.h"

/* by level, from LQ_LEVEL_MIN */
static const struct
{
	const char *name;
	char		symbol;
}			levels[] = {
	{"no", '-'},
	{"unknown", '?'},
	{"partial", '~'},
	{"yes", '+'},
};

PG_FUNCTION_INFO_V1(answer_level_in);
PG_FUNCTION_INFO_V1(answer_level_out);
PG_FUNCTION_INFO_V1(answer_level_recv);
PG_FUNCTION_INFO_V1(answer_level_send);
PG_FUNCTION_INFO_V1(answer_level_hash);
PG_FUNCTION_INFO_V1(answer_level_hash_extended);

const char *
lq_level_name(LqLevel level)
{
	return levels[level - LQ_LEVEL_MIN].name;
}

char
lq_level_symbol(LqLevel level)
{
	return levels[level - LQ_LEVEL_MIN].symbol;
}

/*
 * Read the name of a level, in any case, or its symbol.
 */
bool
lq_level_parse(const char *str, int len, LqLevel *level)
{
	for (int i = 0; i < lengthof(levels); i++)
	{
		if ((len == 1 && *str == levels[i].symbol) ||
			(len == strlen(levels[i].name) &&
			 pg_strncasecmp(str, levels[i].name, len) == 0))
		{
			*level = (LqLevel) (i + LQ_LEVEL_MIN);
			return true;
		}
	}
	return false;
}

Datum
answer_level_in(PG_FUNCTION_ARGS)
{
	char	   *str = PG_GETARG_CSTRING(0);
	LqLevel		level;

	if (!lq_level_parse(str, strlen(str), &level))
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"",
						"answer_level", str),
				 errhint(LQ_LEVEL_HINT)));

	PG_RETURN_ANSWER_LEVEL(level);
}

Datum
answer_level_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(pstrdup(lq_level_name(PG_GETARG_ANSWER_LEVEL(0))));
}

Datum
answer_level_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			level = (int8) pq_getmsgbyte(buf);

	if (level < LQ_LEVEL_MIN || level > LQ_LEVEL_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid level in external %s value", "answer_level"),
				 errdetail("%d is not between %d and %d.",
						   level, LQ_LEVEL_MIN, LQ_LEVEL_MAX)));

	PG_RETURN_ANSWER_LEVEL(level);
}

Datum
answer_level_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, (uint8) PG_GETARG_ANSWER_LEVEL(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

static int
compare(FunctionCallInfo fcinfo)
{
	return (int) PG_GETARG_ANSWER_LEVEL(0) - (int) PG_GETARG_ANSWER_LEVEL(1);
}

LQ_ORDERED_TYPE(answer_level, compare)
LQ_EXTREMES(answer_level, compare)

Datum
answer_level_hash(PG_FUNCTION_ARGS)
{
	return hash_uint32((uint32) PG_GETARG_ANSWER_LEVEL(0));
}

Datum
answer_level_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_uint32_extended((uint32) PG_GETARG_ANSWER_LEVEL(0),
								PG_GETARG_INT64(1));
}
