/*
 * safe.c
 *		Which compiled expressions cannot raise an error, for values up to a
 *		size.
 *
 * Only what can raise is evaluated in a subtransaction.  Almost nothing is
 * safe for values of every size: texts are put together until they are larger
 * than memory may be, documents are nested deeper than the stack.  So it is
 * asked how large the value of each part of an expression may become where no
 * value of the row is larger than a limit.  A row with larger ones pays for
 * the subtransaction, and so does every row where even small values may raise:
 * the table of functions that grow predictably is all that is spared.  Being
 * wrong on the safe side costs microseconds.
 */
#include "postgres.h"

#include "access/detoast.h"
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

#include "catalog.h"
#include "compat.h"
#include "condition/safe.h"

/* sizes of the row's values that are tried, the largest first */
static const int limits[] = {1024 * 1024, 64 * 1024, 4 * 1024, 1024};

/*
 * No value within an expression may be larger than this: functions take up to
 * eight bytes of memory for each of their argument's, of the gigabyte there is
 * for one piece.
 */
#define MAX_SIZE		(64.0 * 1024 * 1024)

/* of a value that may raise */
#define UNSAFE			(-1.0)

/* of a value that is no larger than the fixed ones */
#define FIXED			64.0

/* the longest text of a number, and the least that one takes in a document */
#define NUMBER_TEXT		150000.0
#define NUMBER_SIZE		16.0

/* constants that a function's depth follows from: a pattern, a document */
#define MAX_DEEP		1000

/* how large the result is */
typedef enum Growth
{
	GROW_FIXED,
	GROW_FIRST,					/* not larger than the first argument */
	GROW_SUM,					/* not larger than all of them */
	GROW_CASE,					/* characters of other lengths */
	GROW_DOCUMENT				/* the text of a part of a document */
} Growth;

/* functions that answer for all arguments of such sizes */
static const struct
{
	Oid			function;
	Growth		growth;
}			safe_functions[] =

{
	/* text */
	{F_TEXTCAT, GROW_SUM},
	{F_LOWER_TEXT, GROW_CASE}, {F_UPPER_TEXT, GROW_CASE},
	{F_INITCAP, GROW_CASE},
	{F_LENGTH_TEXT, GROW_FIXED}, {F_CHAR_LENGTH_TEXT, GROW_FIXED},
	{F_CHARACTER_LENGTH_TEXT, GROW_FIXED},
	{F_BTRIM_TEXT, GROW_FIRST}, {F_LTRIM_TEXT, GROW_FIRST},
	{F_RTRIM_TEXT, GROW_FIRST}, {F_BTRIM_TEXT_TEXT, GROW_FIRST},
	{F_LTRIM_TEXT_TEXT, GROW_FIRST}, {F_RTRIM_TEXT_TEXT, GROW_FIRST},
	{F_STARTS_WITH, GROW_FIXED}, {F_STRPOS, GROW_FIXED},
	{F_POSITION_TEXT_TEXT, GROW_FIXED},

	/* numbers that fit where they go */
	{F_INT4_INT2, GROW_FIXED}, {F_INT8_INT2, GROW_FIXED},
	{F_INT8_INT4, GROW_FIXED}, {F_FLOAT8_INT2, GROW_FIXED},
	{F_FLOAT8_INT4, GROW_FIXED}, {F_FLOAT8_INT8, GROW_FIXED},
	{F_FLOAT8_FLOAT4, GROW_FIXED}, {F_NUMERIC_INT2, GROW_FIXED},
	{F_NUMERIC_INT4, GROW_FIXED}, {F_NUMERIC_INT8, GROW_FIXED},
	{F_NUMERIC_ABS, GROW_FIRST}, {F_NUMERIC_UMINUS, GROW_FIRST},

	/* jsonb and arrays */
	{F_JSONB_OBJECT_FIELD, GROW_SUM}, {F_JSONB_ARRAY_ELEMENT, GROW_SUM},
	{F_JSONB_OBJECT_FIELD_TEXT, GROW_DOCUMENT},
	{F_JSONB_ARRAY_ELEMENT_TEXT, GROW_DOCUMENT},
	{F_JSONB_EXISTS, GROW_FIXED}, {F_JSONB_EXISTS_ANY, GROW_FIXED},
	{F_JSONB_EXISTS_ALL, GROW_FIXED}, {F_JSONB_TYPEOF, GROW_FIXED},
	{F_CARDINALITY, GROW_FIXED}
};

/* the same of arrays whose elements can be compared */
static const Oid array_functions[] = {
	F_ARRAYOVERLAP, F_ARRAYCONTAINS, F_ARRAYCONTAINED
};

/* they go as deep as both documents: safe if one is a small constant */
static const Oid document_functions[] = {
	F_JSONB_CONTAINS, F_JSONB_CONTAINED
};

/* matching: safe for a constant pattern that is found to be sound */
static const Oid like_functions[] = {
	F_TEXTLIKE, F_TEXTNLIKE, F_TEXTICLIKE, F_TEXTICNLIKE
};
static const Oid regex_functions[] = {
	F_TEXTREGEXEQ, F_TEXTREGEXNE, F_TEXTICREGEXEQ, F_TEXTICREGEXNE
};

/* types whose values can always be compared, besides enums and ours */
static const Oid comparable_types[] = {
	BOOLOID, INT2OID, INT4OID, INT8OID, OIDOID, FLOAT4OID, FLOAT8OID,
	NUMERICOID, CASHOID, TEXTOID, VARCHAROID, BPCHAROID, NAMEOID, CHAROID,
	BYTEAOID, DATEOID, TIMEOID, TIMETZOID, TIMESTAMPOID, TIMESTAMPTZOID,
	INTERVALOID, UUIDOID, INETOID, CIDROID, MACADDROID, MACADDR8OID, BITOID,
	VARBITOID, JSONBOID, INT4RANGEOID, INT8RANGEOID, NUMRANGEOID, DATERANGEOID,
	TSRANGEOID, TSTZRANGEOID
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
 * Is there an order or an equality of the type that never fails?
 */
static bool
is_comparable(Oid type)
{
	Oid			element;

	type = getBaseType(type);
	element = get_element_type(type);
	if (OidIsValid(element))
		return is_comparable(element);
	if (type_is_enum(type))
		return true;
	if (lq_is_member(TypeRelationId, type))
		return get_typlen(type) > 0;
	return contains(comparable_types, lengthof(comparable_types), type);
}

static bool
are_comparable(List *args)
{
	ListCell   *lc;

	foreach(lc, args)
		if (!is_comparable(exprType((Node *) lfirst(lc))))
		return false;
	return true;
}

/* A constant that is not NULL, or NULL. */
static Const *
constant(Node *node)
{
	return node != NULL && IsA(node, Const) && !((Const *) node)->constisnull ?
		(Const *) node : NULL;
}

static double
constant_size(const Const *con)
{
	if (con->constisnull || con->constlen != -1)
		return FIXED;
	return toast_raw_datum_size(con->constvalue);
}

static bool
is_shallow(Node *node)
{
	Const	   *con = constant(node);

	return con != NULL && constant_size(con) <= MAX_DEEP;
}

/*
 * One pattern or an array of them; only a backslash can be wrong.
 */
static bool
like_is_safe(const Const *pattern)
{
	if (pattern->consttype == TEXTOID)
		return strchr(TextDatumGetCString(pattern->constvalue), '\\') == NULL;
	return pattern->consttype == TEXTARRAYOID &&
		strchr(OidOutputFunctionCall(F_ARRAY_OUT, pattern->constvalue),
			   '\\') == NULL;
}

/*
 * A bad one is better reported now than for each row.  What refers back is
 * matched another way.
 */
static bool
regex_is_safe(Oid function, const Const *pattern)
{
	const char *at;

	if (pattern->consttype != TEXTOID)
		return false;
	(void) OidFunctionCall2Coll(function, DEFAULT_COLLATION_OID,
								PointerGetDatum(cstring_to_text("")),
								pattern->constvalue);
	at = TextDatumGetCString(pattern->constvalue);
	while ((at = strchr(at, '\\')) != NULL && at[1] != '\0')
	{
		if (at[1] >= '1' && at[1] <= '9')
			return false;
		at += 2;
	}
	return true;
}

/*
 * How large is the result of a call of a function, of an operator if opno is
 * valid?  first is the size of its first argument, sum that of all of them.
 */
static double
call_size(Oid function, Oid opno, List *args, double first, double sum)
{
	Const	   *second = list_length(args) >= 2 ? constant(lsecond(args)) : NULL;

	/* ordering and equality: indexes depend on it */
	if (OidIsValid(opno) && lq_is_index_operator(opno))
		return are_comparable(args) ? FIXED : UNSAFE;
	for (int i = 0; i < lengthof(safe_functions); i++)
	{
		if (safe_functions[i].function != function)
			continue;
		switch (safe_functions[i].growth)
		{
			case GROW_FIXED:
				return FIXED;
			case GROW_FIRST:
				return first;
			case GROW_SUM:
				return sum;
			case GROW_CASE:
				return first * 4;
			case GROW_DOCUMENT:
				return NUMBER_TEXT + first * (NUMBER_TEXT / NUMBER_SIZE);
		}
	}
	if (function >= FirstNormalObjectId)
		return our_function_is_safe(function, args) ? FIXED : UNSAFE;
	if (contains(array_functions, lengthof(array_functions), function))
		return are_comparable(args) ? FIXED : UNSAFE;
	if (contains(document_functions, lengthof(document_functions), function))
		return is_shallow(linitial(args)) || is_shallow(lsecond(args)) ?
			FIXED : UNSAFE;

	/* a part is wanted, counted from 1 or from the end */
	if (function == F_SPLIT_PART)
	{
		Const	   *number = constant(lthird(args));

		return number != NULL && DatumGetInt32(number->constvalue) != 0 ?
			first : UNSAFE;
	}

	/* each character may become the whole of what takes its place */
	if (function == F_REPLACE)
	{
		Const	   *to = constant(lthird(args));

		return to != NULL ? first * (1 + constant_size(to)) : UNSAFE;
	}

	if (list_length(args) == 2 && second != NULL &&
		constant_size(second) <= MAX_DEEP)
	{
		if (contains(like_functions, lengthof(like_functions), function))
			return like_is_safe(second) ? FIXED : UNSAFE;
		if (contains(regex_functions, lengthof(regex_functions), function))
			return regex_is_safe(function, second) ? FIXED : UNSAFE;
	}
	return UNSAFE;
}

/*
 * The text of a value, for types whose output does not fail.
 */
static double
conversion_size(const CoerceViaIO *coerce, double size)
{
	if (coerce->resulttype != TEXTOID)
		return UNSAFE;
	switch (exprType((Node *) coerce->arg))
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case UUIDOID:
		case NAMEOID:
			return FIXED;
		case NUMERICOID:
			return NUMBER_TEXT;
		case JSONBOID:
			return NUMBER_TEXT + size * (NUMBER_TEXT / NUMBER_SIZE);
		default:
			return UNSAFE;
	}
}

typedef struct SizeContext
{
	double		limit;			/* of the row's values */
	double		first;			/* of the first child */
	double		sum;			/* of all children */
	int			n;
} SizeContext;

static double size_of(Node *node, double limit);

static bool
size_walker(Node *node, void *context)
{
	SizeContext *cxt = (SizeContext *) context;
	double		size;

	if (node == NULL)
		return false;
	if (IsA(node, List))
		return expression_tree_walker(node, size_walker, context);
	size = size_of(node, cxt->limit);
	if (size < 0)
		return true;
	if (cxt->n++ == 0)
		cxt->first = size;
	cxt->sum += size;
	return false;
}

/*
 * How large the value of an expression may be where no value of the row is
 * larger than the limit; UNSAFE if it may raise.
 */
static double
size_of(Node *node, double limit)
{
	SizeContext cxt = {limit, 0, 0, 0};
	double		size;

	if (IsA(node, Const))
		return constant_size((Const *) node);
	if (IsA(node, Var) || IsA(node, Param))
		return get_typlen(exprType(node)) == -1 ? limit : FIXED;

	/* it stands for a value that was looked at where it comes from */
	if (IsA(node, CaseTestExpr))
		return MAX_SIZE;
	if (expression_tree_walker(node, size_walker, &cxt))
		return UNSAFE;

	switch (nodeTag(node))
	{
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
			return FIXED;

		case T_CaseExpr:
		case T_CaseWhen:
		case T_CoalesceExpr:
		case T_RelabelType:
		case T_CollateExpr:
			size = cxt.sum;
			break;

		case T_MinMaxExpr:
			size = are_comparable(((MinMaxExpr *) node)->args) ? cxt.sum :
				UNSAFE;
			break;

		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			size = call_size(((OpExpr *) node)->opfuncid,
							 ((OpExpr *) node)->opno,
							 ((OpExpr *) node)->args, cxt.first, cxt.sum);
			if (size >= 0 && IsA(node, NullIfExpr))
				size = cxt.first;
			break;

		case T_ScalarArrayOpExpr:
			size = call_size(((ScalarArrayOpExpr *) node)->opfuncid,
							 ((ScalarArrayOpExpr *) node)->opno,
							 ((ScalarArrayOpExpr *) node)->args,
							 cxt.first, cxt.sum);
			break;

		case T_FuncExpr:
			size = call_size(((FuncExpr *) node)->funcid, InvalidOid,
							 ((FuncExpr *) node)->args, cxt.first, cxt.sum);
			break;

		case T_CoerceViaIO:
			size = conversion_size((CoerceViaIO *) node, cxt.sum);
			break;

		case T_ArrayExpr:
			if (((ArrayExpr *) node)->multidims)
				return UNSAFE;
			size = FIXED + cxt.sum + cxt.n * FIXED;
			break;

		default:
			return UNSAFE;
	}
	return size > MAX_SIZE ? UNSAFE : size;
}

/*
 * The size of values up to which evaluating the planned expression does not
 * raise; 0 if there is none.  Raises for a constant that cannot be right for
 * any row.
 */
Size
lq_spared_up_to(Node *expr)
{
	for (int i = 0; i < lengthof(limits); i++)
		if (size_of(expr, limits[i]) >= 0)
			return limits[i];
	return 0;
}
