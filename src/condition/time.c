/*
 * time.c
 *		Comparisons that the passing of time alone may turn.
 *
 * Scores fade and days pass while nothing happens.  Where a condition does no
 * more with such a quantity than compare it with a constant, the instant at
 * which its answer changes can be computed.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "condition/part.h"
#include "condition/pseudo.h"
#include "condition/time.h"
#include "type/decay.h"

/* no score and no number of days gets there */
#define UNREACHABLE		9e12

typedef struct TestsContext
{
	const LqPseudo *pseudos;
	LqConditionPart *part;
} TestsContext;

/*
 * The timed pseudo-column that the expression is, whatever type it is
 * converted to for the comparison; NULL if it is none.
 */
static const LqPseudo *
timed_pseudo(TestsContext *cxt, Node *node)
{
	const LqPseudo *pseudo;

	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid == F_FLOAT8_NUMERIC)
		node = linitial(((FuncExpr *) node)->args);
	if (!IsA(node, Param))
		return NULL;
	pseudo = &cxt->pseudos[((Param *) node)->paramid - 1];
	return lq_pseudo_measure(pseudo) == LQ_MEASURES_NOTHING ? NULL : pseudo;
}

/*
 * The kind of comparison that a function makes.  Equality changes where
 * inequality does.
 */
static bool
comparison(Oid function, LqCompare *compare)
{
	switch (function)
	{
		case F_NUMERIC_LT:
		case F_FLOAT8LT:
			*compare = LQ_COMPARE_LT;
			return true;
		case F_NUMERIC_LE:
		case F_FLOAT8LE:
			*compare = LQ_COMPARE_LE;
			return true;
		case F_NUMERIC_EQ:
		case F_FLOAT8EQ:
		case F_NUMERIC_NE:
		case F_FLOAT8NE:
			*compare = LQ_COMPARE_EQ;
			return true;
		case F_NUMERIC_GE:
		case F_FLOAT8GE:
			*compare = LQ_COMPARE_GE;
			return true;
		case F_NUMERIC_GT:
		case F_FLOAT8GT:
			*compare = LQ_COMPARE_GT;
			return true;
		default:
			return false;
	}
}

static LqCompare
mirrored(LqCompare compare)
{
	switch (compare)
	{
		case LQ_COMPARE_LT:
			return LQ_COMPARE_GT;
		case LQ_COMPARE_LE:
			return LQ_COMPARE_GE;
		case LQ_COMPARE_EQ:
			return LQ_COMPARE_EQ;
		case LQ_COMPARE_GE:
			return LQ_COMPARE_LE;
		case LQ_COMPARE_GT:
			return LQ_COMPARE_LT;
	}
	pg_unreachable();
}

/* How many units make one of what the pseudo-column counts. */
static int64
units_of(const LqPseudo *pseudo)
{
	return lq_pseudo_measure(pseudo) == LQ_MEASURES_DAYS ? LQ_DAY_UNITS :
		LQ_HUNDREDTHS;
}

/*
 * The constant in units of what it is compared with, and the comparison that
 * a whole number of units passes if and only if it passes the one given.
 * False if no quantity ever gets from one side of the constant to the other.
 */
static bool
constant_in_units(Const *con, int64 per_one, LqCompare *compare,
				  int64 *units)
{
	Datum		number = con->constvalue;
	Datum		scaled;
	int64		below;
	int64		above;
	double		approximate;

	if (con->consttype == FLOAT8OID)
	{
		approximate = DatumGetFloat8(number);
		if (isnan(approximate) || fabs(approximate) > UNREACHABLE)
			return false;
		number = DirectFunctionCall1(float8_numeric, number);
	}
	else
	{
		approximate = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
														 number));
		if (isnan(approximate) || fabs(approximate) > UNREACHABLE)
			return false;
	}

	scaled = DirectFunctionCall2(numeric_mul, number,
								 NumericGetDatum(int64_to_numeric(per_one)));
	below = DatumGetInt64(DirectFunctionCall1(numeric_int8,
											  DirectFunctionCall1(numeric_floor,
																  scaled)));
	above = DatumGetInt64(DirectFunctionCall1(numeric_int8,
											  DirectFunctionCall1(numeric_ceil,
																  scaled)));
	*units = below;
	if (below == above)
		return true;
	switch (*compare)
	{
		case LQ_COMPARE_LT:
		case LQ_COMPARE_LE:
			*compare = LQ_COMPARE_LE;
			return true;
		case LQ_COMPARE_GE:
		case LQ_COMPARE_GT:
			*compare = LQ_COMPARE_GE;
			*units = above;
			return true;
		case LQ_COMPARE_EQ:
			return false;
	}
	pg_unreachable();
}

static bool
tests_walker(Node *node, void *context)
{
	TestsContext *cxt = (TestsContext *) context;
	LqConditionPart *part = cxt->part;
	LqTimeTest	test;

	if (node == NULL)
		return false;

	if (IsA(node, OpExpr) && list_length(((OpExpr *) node)->args) == 2 &&
		comparison(((OpExpr *) node)->opfuncid, &test.compare))
	{
		Node	   *left = linitial(((OpExpr *) node)->args);
		Node	   *right = lsecond(((OpExpr *) node)->args);

		if (IsA(left, Const))
		{
			Node	   *swap = left;

			left = right;
			right = swap;
			test.compare = mirrored(test.compare);
		}
		test.pseudo = timed_pseudo(cxt, left);
		if (test.pseudo && IsA(right, Const))
		{
			if (((Const *) right)->constisnull ||
				!constant_in_units((Const *) right, units_of(test.pseudo),
								   &test.compare, &test.units))
				return false;
			if (part->tests == NULL)
				part->tests = palloc(sizeof(LqTimeTest));
			else
				part->tests = repalloc(part->tests, (part->n_tests + 1) *
									   sizeof(LqTimeTest));
			part->tests[part->n_tests++] = test;
			return false;
		}
	}
	else if (IsA(node, NullTest) &&
			 timed_pseudo(cxt, (Node *) ((NullTest *) node)->arg))
	{
		/* whether it is known at all does not depend on the time */
		return false;
	}
	else if (timed_pseudo(cxt, node))
	{
		part->otherwise_timed = true;
		return false;
	}
	return expression_tree_walker(node, tests_walker, context);
}

/*
 * Find in a planned part what depends on the time.
 */
void
lq_find_tests(Node *expr, const LqPseudo *pseudos, LqConditionPart *part)
{
	TestsContext cxt;
	LqCompare	compare;

	cxt.pseudos = pseudos;
	cxt.part = part;
	(void) tests_walker(expr, &cxt);
	part->is_test = part->n_tests == 1 && IsA(expr, OpExpr) &&
		comparison(((OpExpr *) expr)->opfuncid, &compare) &&
		(timed_pseudo(&cxt, linitial(((OpExpr *) expr)->args)) != NULL ||
		 timed_pseudo(&cxt, lsecond(((OpExpr *) expr)->args)) != NULL);
}
