/*
 * safe.c
 *		Which compiled expressions cannot raise an error.
 *
 * Only those that can are evaluated in a subtransaction.  Being wrong on the
 * safe side costs microseconds; so there is no more in the table than what
 * conditions commonly use.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "condition/internal.h"

/* functions that answer for all arguments */
static const Oid safe_functions[] = {
	/* text */
	F_TEXTCAT, F_LOWER_TEXT, F_UPPER_TEXT, F_INITCAP,
	F_LENGTH_TEXT, F_CHAR_LENGTH_TEXT, F_CHARACTER_LENGTH_TEXT,
	F_BTRIM_TEXT, F_LTRIM_TEXT, F_RTRIM_TEXT,
	F_BTRIM_TEXT_TEXT, F_LTRIM_TEXT_TEXT, F_RTRIM_TEXT_TEXT,
	F_STARTS_WITH, F_STRPOS, F_POSITION_TEXT_TEXT, F_REPLACE, F_MD5_TEXT,

	/* numbers that fit where they go */
	F_INT4_INT2, F_INT8_INT2, F_INT8_INT4, F_FLOAT8_INT2, F_FLOAT8_INT4,
	F_FLOAT8_INT8, F_FLOAT8_FLOAT4, F_NUMERIC_INT2, F_NUMERIC_INT4,
	F_NUMERIC_INT8, F_NUMERIC_ABS, F_NUMERIC_UMINUS,

	/* jsonb and arrays */
	F_JSONB_OBJECT_FIELD, F_JSONB_OBJECT_FIELD_TEXT,
	F_JSONB_ARRAY_ELEMENT, F_JSONB_ARRAY_ELEMENT_TEXT,
	F_JSONB_CONTAINS, F_JSONB_CONTAINED,
	F_JSONB_EXISTS, F_JSONB_EXISTS_ANY, F_JSONB_EXISTS_ALL,
	F_JSONB_TYPEOF,
	F_ARRAYOVERLAP, F_ARRAYCONTAINS, F_ARRAYCONTAINED, F_CARDINALITY
};

/* matching: safe for a constant pattern that is found to be sound */
static const Oid like_functions[] = {
	F_TEXTLIKE, F_TEXTNLIKE, F_TEXTICLIKE, F_TEXTICNLIKE
};
static const Oid regex_functions[] = {
	F_TEXTREGEXEQ, F_TEXTREGEXNE, F_TEXTICREGEXEQ, F_TEXTICREGEXNE
};

/* the same for functions of ours: how their C names end */
static const char *const safe_endings[] = {
	"_met", "_known", "_refuted", "answers_level"
};

static bool
contains(const Oid *functions, int n, Oid function)
{
	for (int i = 0; i < n; i++)
	{
		if (functions[i] == function)
			return true;
	}
	return false;
}

/* the level of an element: safe for a constant that names one */
static const char *const level_ending = "_get";

static bool
ends_with(const char *str, const char *ending)
{
	int			extra = strlen(str) - strlen(ending);

	return extra >= 0 && strcmp(str + extra, ending) == 0;
}

static bool
our_function_is_safe(Oid function, List *args)
{
	HeapTuple	tuple;
	Form_pg_proc form;
	char	   *symbol = NULL;

	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prolang == ClanguageId)
	{
		bool		isnull;
		Datum		source;

		source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
		symbol = isnull ? NULL : TextDatumGetCString(source);
	}
	ReleaseSysCache(tuple);
	if (symbol == NULL || !lq_is_member(ProcedureRelationId, function))
		return false;

	for (int i = 0; i < lengthof(safe_endings); i++)
	{
		if (ends_with(symbol, safe_endings[i]))
			return true;
	}
	if (ends_with(symbol, level_ending) && list_length(args) == 2 &&
		IsA(lsecond(args), Const) && !lsecond_node(Const, args)->constisnull)
	{
		Oid			input;
		Oid			param;

		/* no such element: better reported now than for each row */
		getTypeInputInfo(exprType(linitial(args)), &input, &param);
		(void) OidFunctionCall2(function,
								OidInputFunctionCall(input, "", param, -1),
								lsecond_node(Const, args)->constvalue);
		return true;
	}
	return false;
}

/*
 * A call of a function, of an operator if opno is valid.
 */
static bool
call_is_safe(Oid function, Oid opno, List *args)
{
	Const	   *pattern;

	/* ordering and equality never fail: indexes depend on it */
	if (OidIsValid(opno) && lq_is_index_operator(opno))
		return true;
	if (contains(safe_functions, lengthof(safe_functions), function))
		return true;
	if (function >= FirstNormalObjectId)
		return our_function_is_safe(function, args);

	/* a part is wanted, counted from 1 or from the end */
	if (function == F_SPLIT_PART)
	{
		Const	   *number = (Const *) lthird(args);

		return IsA(number, Const) && !number->constisnull &&
			DatumGetInt32(number->constvalue) != 0;
	}

	if (list_length(args) != 2 || !IsA(lsecond(args), Const))
		return false;
	pattern = lsecond_node(Const, args);
	if (pattern->constisnull)
		return false;
	if (contains(like_functions, lengthof(like_functions), function))
	{
		/* one pattern or an array of them; only a backslash can be wrong */
		if (pattern->consttype == TEXTOID)
			return strchr(TextDatumGetCString(pattern->constvalue),
						  '\\') == NULL;
		return pattern->consttype == TEXTARRAYOID &&
			strchr(OidOutputFunctionCall(F_ARRAY_OUT, pattern->constvalue),
				   '\\') == NULL;
	}
	if (pattern->consttype != TEXTOID)
		return false;
	if (contains(regex_functions, lengthof(regex_functions), function))
	{
		/* a bad one is better reported now than for each row */
		(void) OidFunctionCall2Coll(function, DEFAULT_COLLATION_OID,
									PointerGetDatum(cstring_to_text("")),
									pattern->constvalue);
		return true;
	}
	return false;
}

/*
 * To text, from types whose output does not fail.
 */
static bool
conversion_is_safe(CoerceViaIO *coerce)
{
	if (coerce->resulttype != TEXTOID)
		return false;
	switch (exprType((Node *) coerce->arg))
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
		case UUIDOID:
		case NAMEOID:
		case JSONBOID:
			return true;
		default:
			return false;
	}
}

static bool
raise_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;

	switch (nodeTag(node))
	{
		case T_List:
		case T_Var:
		case T_Const:
		case T_Param:
		case T_BoolExpr:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_MinMaxExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_RelabelType:
		case T_CollateExpr:
			break;

		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			if (!call_is_safe(((OpExpr *) node)->opfuncid,
							  ((OpExpr *) node)->opno,
							  ((OpExpr *) node)->args))
				return true;
			break;
		case T_ScalarArrayOpExpr:
			if (!call_is_safe(((ScalarArrayOpExpr *) node)->opfuncid,
							  ((ScalarArrayOpExpr *) node)->opno,
							  ((ScalarArrayOpExpr *) node)->args))
				return true;
			break;
		case T_FuncExpr:
			if (!call_is_safe(((FuncExpr *) node)->funcid, InvalidOid,
							  ((FuncExpr *) node)->args))
				return true;
			break;
		case T_CoerceViaIO:
			if (!conversion_is_safe((CoerceViaIO *) node))
				return true;
			break;
		case T_ArrayExpr:
			if (((ArrayExpr *) node)->multidims)
				return true;
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, raise_walker, context);
}

/*
 * May evaluating the planned expression raise an error in the data?  Raises
 * for a constant that cannot be right for any row.
 */
bool
lq_can_raise(Node *expr)
{
	return raise_walker(expr, NULL);
}
