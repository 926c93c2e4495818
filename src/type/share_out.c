/*
 * share_out.c
 *		An amount divided by weights, in cents that add up to it exactly: the
 *		method of the largest remainder.
 *
 * Everything is counted in whole cents with exact remainders; a division
 * would round.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "compat.h"
#include "type/share_out.h"

PG_FUNCTION_INFO_V1(share_out);

/* one of those who get something */
typedef struct Part
{
	int			place;
	Numeric		cents;
	Numeric		rest;			/* what is left of a cent, times the whole */
} Part;

static Numeric
compute(PGFunction function, Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(function,
											   NumericGetDatum(a),
											   NumericGetDatum(b)));
}

static int
compare(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a),
											 NumericGetDatum(b)));
}

/* the largest remainder first, of equal ones the earlier */
static int
by_rest(const void *a, const void *b)
{
	const Part *left = a;
	const Part *right = b;
	int			order = compare(right->rest, left->rest);

	return order != 0 ? order : left->place - right->place;
}

/*
 * What the amount has below a cent goes to the next in line.  False where no
 * weight is above zero.
 */
bool
lq_share_out(Numeric amount, const Numeric *weights, int n, Numeric *shares)
{
	Numeric		zero = int64_to_numeric(0);
	Numeric		one = int64_to_numeric(1);
	Numeric		cent = int64_div_fast_to_numeric(1, 2);
	Numeric		due = compute(numeric_mul, amount, int64_to_numeric(100));
	Numeric		whole = zero;
	Numeric		spare = due;
	Part	   *parts = palloc(n * sizeof(Part));

	for (int i = 0; i < n; i++)
		whole = compute(numeric_add, whole, weights[i]);
	if (compare(whole, zero) <= 0)
		return false;

	for (int i = 0; i < n; i++)
	{
		Part	   *part = &parts[i];
		Numeric		product = compute(numeric_mul, due, weights[i]);

		part->place = i;
		part->cents = compute(numeric_div_trunc, product, whole);
		part->rest = compute(numeric_sub, product,
							 compute(numeric_mul, part->cents, whole));
		if (compare(part->rest, zero) < 0)
		{
			part->cents = compute(numeric_sub, part->cents, one);
			part->rest = compute(numeric_add, part->rest, whole);
		}
		spare = compute(numeric_sub, spare, part->cents);
	}

	qsort(parts, n, sizeof(Part), by_rest);
	for (int i = 0; i < n; i++)
	{
		Numeric		cents = parts[i].cents;

		if (compare(spare, zero) > 0)
		{
			Numeric		more = compare(spare, one) < 0 ? spare : one;

			cents = compute(numeric_add, cents, more);
			spare = compute(numeric_sub, spare, more);
		}
		cents = DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale,
													NumericGetDatum(cents)));
		shares[parts[i].place] = compute(numeric_mul, cents, cent);
	}
	pfree(parts);
	return true;
}

/* _share_out(amount numeric, weights numeric[]) - numeric[] */
Datum
share_out(PG_FUNCTION_ARGS)
{
	ArrayType  *weights = PG_GETARG_ARRAYTYPE_P(1);
	Datum	   *values;
	bool	   *nulls;
	Numeric    *shares;
	int			n;
	int			from = 1;

	deconstruct_array(weights, NUMERICOID, -1, false, TYPALIGN_INT,
					  &values, &nulls, &n);
	if (n == 0)
		PG_RETURN_NULL();
	for (int i = 0; i < n; i++)
		if (nulls[i])
			PG_RETURN_NULL();

	shares = palloc(n * sizeof(Numeric));
	if (lq_share_out(PG_GETARG_NUMERIC(0), (Numeric *) values, n, shares))
		PG_RETURN_ARRAYTYPE_P(construct_array((Datum *) shares, n, NUMERICOID,
											  -1, false, TYPALIGN_INT));
	memset(nulls, true, n);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, nulls, 1, &n, &from,
											 NUMERICOID, -1, false,
											 TYPALIGN_INT));
}
