/*
 * find_lead.c
 *		The lead that somebody names.
 *
 * What a text may name a lead by, and whose right it takes to look, is said in
 * SQL, for functions in either language: see 70_find_lead.sql.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "compat.h"
#include "funnel/find_lead.h"
#include "funnel/funnel.h"
#include "funnel/key.h"
#include "subtransaction.h"

PG_FUNCTION_INFO_V1(_text_as);
PG_FUNCTION_INFO_V1(_base_type);

/* The type, or what it is a domain over. */
static Oid
base_type(Oid type)
{
	if (!SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(type)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type with OID %u does not exist", type)));
	return getBaseType(type);
}

/* a text on its way through a type */
typedef struct Reading
{
	char	   *text;
	Oid			type;
} Reading;

static void
read_text(void *arg)
{
	Reading    *reading = arg;
	Oid			function;
	Oid			param;
	bool		varlena;
	Datum		value;

	getTypeInputInfo(reading->type, &function, &param);
	value = OidInputFunctionCall(function, reading->text, param, -1);
	getTypeOutputInfo(reading->type, &function, &varlena);
	reading->text = OidOutputFunctionCall(function, value);
}

/*
 * _text_as(value text, type oid) - text
 *
 * A domain's own check is not run: it may be anybody's code, and what it
 * refuses is not there to be found.
 */
Datum
_text_as(PG_FUNCTION_ARGS)
{
	Reading		reading;
	LqFailure	failure;

	reading.text = text_to_cstring(PG_GETARG_TEXT_PP(0));
	reading.type = base_type(PG_GETARG_OID(1));
	if (reading.type == TEXTOID || reading.type == VARCHAROID)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	/* it would be cut off, and could be another's */
	if (reading.type == NAMEOID && strlen(reading.text) >= NAMEDATALEN)
		PG_RETURN_NULL();
	if (!lq_try(LQ_TRY_CONDITION, read_text, &reading, &failure))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(reading.text));
}

/* _base_type(type oid) - text */
Datum
_base_type(PG_FUNCTION_ARGS)
{
	Oid			type = base_type(PG_GETARG_OID(0));

	PG_RETURN_TEXT_P(cstring_to_text(format_type_extended(type, -1,
														  FORMAT_TYPE_TYPEMOD_GIVEN)));
}

/* The result of a function of ours that takes a funnel's name and more. */
static char *
call(const char *name, const LqFunnel *funnel, char *value, Oid type)
{
	Oid			argtypes[3] = {TEXTOID, TEXTOID, OIDOID};
	oidvector  *types = buildoidvector(argtypes, OidIsValid(type) ? 3 : 2);
	Oid			function =
	GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
					PointerGetDatum(types),
					ObjectIdGetDatum(lq_extension_schema()));
	Datum		result;

	if (!OidIsValid(function))
		elog(ERROR, "function \"%s\" of lead_qual not found", name);
	result = OidIsValid(type) ?
		OidFunctionCall3(function, CStringGetTextDatum(funnel->name),
						 CStringGetTextDatum(value), ObjectIdGetDatum(type)) :
		OidFunctionCall2(function, CStringGetTextDatum(funnel->name),
						 CStringGetTextDatum(value));
	return TextDatumGetCString(result);
}

Datum
lq_find_lead(FunctionCallInfo fcinfo, int arg, const LqFunnel *funnel)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, arg);
	Datum		value = PG_GETARG_DATUM(arg);
	char	   *lead;

	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("lead must not be null"),
				 errhint("Name it by its key, its external id or its e-mail address.")));
	if (!OidIsValid(type))
		elog(ERROR, "could not determine the type of argument %d", arg + 1);
	if (type == TEXTOID)
		lead = TextDatumGetCString(value);
	else
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(type, &output, &varlena);
		lead = call("_name_key", funnel, OidOutputFunctionCall(output, value),
					type);
	}
	return lq_key_of_text(funnel, call("_find_lead", funnel, lead, InvalidOid));
}
