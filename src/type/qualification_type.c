/*
 * qualification_type.c
 *		What the SQL functions of every qualification type do.
 *
 * Each stands for one function a type, bant_in, meddic_in and so on, which
 * passes its framework along (see qualification_type.h).
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "compat.h"
#include "type/answer_level.h"
#include "type/qualification.h"
#include "type/qualification_type.h"

#define GETARG(n)	DatumGetLqQualification(fw, PG_GETARG_DATUM(n))
#define RETURN(x)	return LqQualificationGetDatum(fw, x)

/*
 * Text and binary
 */

Datum
lq_qualification_type_in(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	char	   *str = PG_GETARG_CSTRING(0);
	uint32		bits;
	LqParseError error;

	if (!lq_qualification_parse(fw, str, &bits, &error))
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"",
						fw->name, str),
				 errdetail_internal("%s", error.detail),
				 errhint("%s", error.hint)));
	RETURN(bits);
}

Datum
lq_qualification_type_out(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	PG_RETURN_CSTRING(lq_qualification_print(fw, GETARG(0)));
}

/*
 * The stored bits in network order.
 */
Datum
lq_qualification_type_recv(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	uint32		bits = pq_getmsgint(buf, fw->size);

	if (!lq_qualification_is_valid(fw, bits))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid bits in external %s value", fw->name),
				 errdetail("Bits beyond the last of its %d elements are set.",
						   fw->nelements)));
	RETURN(bits);
}

Datum
lq_qualification_type_send(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	if (fw->size == 1)
		pq_sendint8(&buf, GETARG(0));
	else
		pq_sendint16(&buf, GETARG(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/*
 * jsonb
 */

/*
 * An object of all elements: {"budget": "yes", ...}.
 */
Datum
lq_qualification_type_to_jsonb(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	uint32		bits = GETARG(0);
	StringInfoData buf;

	/* names of elements and levels need no escape */
	initStringInfo(&buf);
	for (int i = 0; i < fw->nelements; i++)
		appendStringInfo(&buf, "%c\"%s\":\"%s\"", i == 0 ? '{' : ',',
						 fw->elements[i].name,
						 lq_level_name(lq_qualification_level(bits, i)));
	appendStringInfoChar(&buf, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

/*
 * Add what one pair of an object says.
 */
static uint32
add_pair(const LqFramework *fw, uint32 bits, uint32 *seen,
		 const JsonbValue *key, const JsonbValue *value)
{
	char	   *name = pnstrdup(key->val.string.val, key->val.string.len);
	int			element = lq_element_index(fw, name, strlen(name));
	LqLevel		level = LQ_LEVEL_UNKNOWN;

	if (element < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid jsonb object for type %s", fw->name),
				 errdetail("Unknown element \"%s\".", name),
				 errhint("%s", lq_element_hint(fw))));
	if (*seen & ((uint32) 1 << element))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid jsonb object for type %s", fw->name),
				 errdetail("Element \"%s\" is given twice.",
						   fw->elements[element].name),
				 errhint("Give each element at most once.")));
	*seen |= (uint32) 1 << element;

	if (value->type == jbvString)
	{
		if (!lq_level_parse(value->val.string.val, value->val.string.len,
							&level))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid jsonb object for type %s", fw->name),
					 errdetail("Unknown level \"%.*s\" of element \"%s\".",
							   value->val.string.len, value->val.string.val,
							   fw->elements[element].name),
					 errhint(LQ_LEVEL_HINT)));
	}
	else if (value->type != jbvNull)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid jsonb object for type %s", fw->name),
				 errdetail("The level of element \"%s\" is neither a string nor null.",
						   fw->elements[element].name),
				 errhint(LQ_LEVEL_HINT)));

	return lq_qualification_set(bits, element, level);
}

/*
 * An object such as to_jsonb makes, in which a null or missing level is
 * unknown, or a string with a literal, which is what the server's own
 * to_jsonb(row) makes.  A JSON null is NULL.
 */
Datum
lq_qualification_type_from_jsonb(const LqFramework *fw,
								 FunctionCallInfo fcinfo)
{
	Jsonb	   *json = PG_GETARG_JSONB_P(0);
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	uint32		seen = 0;
	uint32		bits = 0;

	if (JsonbExtractScalar(&json->root, &value))
	{
		LqParseError error;
		char	   *str;

		if (value.type == jbvNull)
			PG_RETURN_NULL();
		if (value.type == jbvString)
		{
			str = pnstrdup(value.val.string.val, value.val.string.len);
			if (!lq_qualification_parse(fw, str, &bits, &error))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						 errmsg("invalid jsonb string for type %s: \"%s\"",
								fw->name, str),
						 errdetail_internal("%s", error.detail),
						 errhint("%s", error.hint)));
			RETURN(bits);
		}
	}

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot cast jsonb %s to type %s",
						JB_ROOT_IS_SCALAR(json) ? JsonbTypeName(&value) :
						"array", fw->name),
				 errhint("Write an object such as {\"%s\": \"%s\"}.",
						 fw->elements[0].name,
						 lq_level_name(LQ_LEVEL_YES))));

	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		bits = add_pair(fw, bits, &seen, &key, &value);
	}
	RETURN(bits);
}

/*
 * The levels in the order of the elements, as text: an array of a type that
 * clients know.
 */
Datum
lq_qualification_type_to_array(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	uint32		bits = GETARG(0);
	Datum	   *levels = palloc(fw->nelements * sizeof(Datum));

	for (int i = 0; i < fw->nelements; i++)
		levels[i] =
			CStringGetTextDatum(lq_level_name(lq_qualification_level(bits, i)));
	PG_RETURN_ARRAYTYPE_P(construct_array(levels, fw->nelements, TEXTOID, -1,
										  false, TYPALIGN_INT));
}

/*
 * Elements
 */

/*
 * The element that an argument names, or an error.
 */
static int
getarg_element(const LqFramework *fw, FunctionCallInfo fcinfo, int n)
{
	text	   *name = PG_GETARG_TEXT_PP(n);
	int			element = lq_element_index(fw, VARDATA_ANY(name),
										   VARSIZE_ANY_EXHDR(name));

	if (element < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("type %s has no element \"%s\"",
						fw->name, text_to_cstring(name)),
				 errhint("%s", lq_element_hint(fw))));
	return element;
}

Datum
lq_qualification_type_get(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	int			element = getarg_element(fw, fcinfo, 1);

	PG_RETURN_ANSWER_LEVEL(lq_qualification_level(GETARG(0), element));
}

Datum
lq_qualification_type_get_text(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	int			element = getarg_element(fw, fcinfo, 1);
	LqLevel		level = lq_qualification_level(GETARG(0), element);

	PG_RETURN_TEXT_P(cstring_to_text(lq_level_name(level)));
}

Datum
lq_qualification_type_set_level(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	int			element = getarg_element(fw, fcinfo, 1);

	RETURN(lq_qualification_set(GETARG(0), element,
								PG_GETARG_ANSWER_LEVEL(2)));
}

Datum
lq_qualification_type_merge(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	RETURN(lq_qualification_merge(fw, GETARG(0), GETARG(1)));
}

/*
 * The whole
 */

Datum
lq_qualification_type_met(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	PG_RETURN_INT32(lq_qualification_met(fw, GETARG(0)));
}

Datum
lq_qualification_type_known(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	PG_RETURN_INT32(lq_qualification_known(fw, GETARG(0)));
}

Datum
lq_qualification_type_refuted(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	PG_RETURN_INT32(lq_qualification_refuted(fw, GETARG(0)));
}

/*
 * Long names of the elements not met, in order.
 */
Datum
lq_qualification_type_gaps(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	uint32		bits = GETARG(0);
	Datum	   *names = palloc(fw->nelements * sizeof(Datum));
	int			count = 0;

	for (int i = 0; i < fw->nelements; i++)
	{
		if (lq_qualification_level(bits, i) != LQ_LEVEL_YES)
			names[count++] = CStringGetTextDatum(fw->elements[i].name);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(names, count, TEXTOID, -1, false,
										  TYPALIGN_INT));
}

/*
 * The numbers of an array of weights, one an element.
 */
static const float8 *
getarg_weights(const LqFramework *fw, FunctionCallInfo fcinfo, int n)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(n);
	const float8 *weights = (const float8 *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != fw->nelements)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights for type %s must be an array of %d numbers",
						fw->name, fw->nelements),
				 errhint("%s", lq_element_hint(fw))));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("weights must not be null")));
	for (int i = 0; i < fw->nelements; i++)
	{
		if (!isfinite(weights[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weights must be finite"),
					 errdetail("The weight of element \"%s\" is not.",
							   fw->elements[i].name)));
	}
	return weights;
}

/*
 * The sum of the weights of what is met; something partial counts for the
 * given part of its weight, the rest for nothing.
 */
Datum
lq_qualification_type_weigh(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	uint32		bits = GETARG(0);
	const float8 *weights = getarg_weights(fw, fcinfo, 1);
	float8		part = PG_GETARG_FLOAT8(2);
	float8		sum = 0;

	if (!(part >= 0 && part <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("part of a weight must be between 0 and 1")));

	for (int i = 0; i < fw->nelements; i++)
	{
		LqLevel		level = lq_qualification_level(bits, i);

		if (level == LQ_LEVEL_YES)
			sum += weights[i];
		else if (level == LQ_LEVEL_PARTIAL)
			sum += weights[i] * part;
	}
	if (!isfinite(sum))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum of weights is out of range")));
	PG_RETURN_FLOAT8(sum);
}

/*
 * Is enough met?  Disqualified is what cannot reach it any more: an element
 * refuted is lost, one unknown may still come, unless unknown is to count as
 * no.  One that is partial may always come.
 */
Datum
lq_qualification_type_verdict(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	uint32		bits = GETARG(0);
	int32		need = PG_GETARG_INT32(1);
	bool		unknown_as_no = PG_GETARG_BOOL(2);
	int			lost = lq_qualification_refuted(fw, bits);
	const char *verdict;

	if (need < 0 || need > fw->nelements)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of elements needed must be between 0 and %d",
						fw->nelements),
				 errdetail("Type %s has %d elements, %d are asked for.",
						   fw->name, fw->nelements, need)));

	if (unknown_as_no)
		lost += lq_qualification_count(fw, bits, LQ_LEVEL_UNKNOWN);

	if (lq_qualification_met(fw, bits) >= need)
		verdict = "qualified";
	else if (fw->nelements - lost < need)
		verdict = "disqualified";
	else
		verdict = "open";
	PG_RETURN_TEXT_P(cstring_to_text(verdict));
}

Datum
lq_qualification_type_contains(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	PG_RETURN_BOOL(lq_qualification_covers(fw, GETARG(0), GETARG(1)));
}

Datum
lq_qualification_type_contained(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	PG_RETURN_BOOL(lq_qualification_covers(fw, GETARG(1), GETARG(0)));
}

/*
 * Order and hash.  Equal values have equal bits, so the bits are hashed.
 */

int
lq_qualification_type_compare(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	return lq_qualification_compare(fw, GETARG(0), GETARG(1));
}

Datum
lq_qualification_type_hash(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	return hash_uint32(GETARG(0));
}

Datum
lq_qualification_type_hash_extended(const LqFramework *fw,
									FunctionCallInfo fcinfo)
{
	return hash_uint32_extended(GETARG(0), PG_GETARG_INT64(1));
}

/* step of the aggregate best */
Datum
lq_qualification_type_best(const LqFramework *fw, FunctionCallInfo fcinfo)
{
	RETURN(lq_qualification_best(fw, GETARG(0), GETARG(1)));
}
