/*
 * answers.c
 *		Answers to frameworks that are data: {"champ": {"money": "yes"}}.
 *
 * What the packed types have for BANT and MEDDIC, for lead.answers.  None of
 * this raises an error: what is no level of an element counts as unknown.
 */
#include "postgres.h"

#include "fmgr.h"

#include "compat.h"
#include "type/answer_level.h"
#include "type/answers.h"

PG_FUNCTION_INFO_V1(answers_met);
PG_FUNCTION_INFO_V1(answers_known);
PG_FUNCTION_INFO_V1(answers_refuted);
PG_FUNCTION_INFO_V1(answers_level);

/* The elements of a framework, or NULL. */
static JsonbContainer *
find_framework(Jsonb *answers, const char *framework, int len)
{
	JsonbValue	buf;
	JsonbValue *value;

	if (!JB_ROOT_IS_OBJECT(answers))
		return NULL;
	value = getKeyJsonValueFromContainer(&answers->root, framework, len, &buf);
	if (value == NULL || value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		return NULL;
	return value->val.binary.data;
}

static LqLevel
level_of(const JsonbValue *value)
{
	LqLevel		level;

	if (value != NULL && value->type == jbvString &&
		lq_level_parse(value->val.string.val, value->val.string.len, &level))
		return level;
	return LQ_LEVEL_UNKNOWN;
}

LqLevel
lq_answers_level(Jsonb *answers, const char *framework, int framework_len,
				 const char *element, int element_len)
{
	JsonbContainer *elements = find_framework(answers, framework,
											  framework_len);
	JsonbValue	buf;

	if (elements == NULL)
		return LQ_LEVEL_UNKNOWN;
	return level_of(getKeyJsonValueFromContainer(elements, element,
												 element_len, &buf));
}

/* How many elements of the framework have that level? */
static int
count_level(FunctionCallInfo fcinfo, LqLevel level)
{
	Jsonb	   *answers = PG_GETARG_JSONB_P(0);
	text	   *framework = PG_GETARG_TEXT_PP(1);
	JsonbContainer *elements = find_framework(answers,
											  VARDATA_ANY(framework),
											  VARSIZE_ANY_EXHDR(framework));
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	int			n = 0;

	if (elements == NULL)
		return 0;
	iterator = JsonbIteratorInit(elements);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		if (token == WJB_VALUE && level_of(&value) == level)
			n++;
	return n;
}

/* answers_met(answers, framework) - number of elements answered yes */
Datum
answers_met(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(count_level(fcinfo, LQ_LEVEL_YES));
}

/* answers_known(answers, framework) - number answered no, partial or yes */
Datum
answers_known(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(count_level(fcinfo, LQ_LEVEL_YES) +
					count_level(fcinfo, LQ_LEVEL_PARTIAL) +
					count_level(fcinfo, LQ_LEVEL_NO));
}

/* answers_refuted(answers, framework) - number of elements answered no */
Datum
answers_refuted(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(count_level(fcinfo, LQ_LEVEL_NO));
}

/* answers_level(answers, framework, element) - unknown if there is none */
Datum
answers_level(PG_FUNCTION_ARGS)
{
	text	   *framework = PG_GETARG_TEXT_PP(1);
	text	   *element = PG_GETARG_TEXT_PP(2);

	PG_RETURN_ANSWER_LEVEL(lq_answers_level(PG_GETARG_JSONB_P(0),
											VARDATA_ANY(framework),
											VARSIZE_ANY_EXHDR(framework),
											VARDATA_ANY(element),
											VARSIZE_ANY_EXHDR(element)));
}
