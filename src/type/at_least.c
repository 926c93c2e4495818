/*
 * at_least.c
 *		k out of n conditions.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(at_least);

/*
 * at_least(n, VARIADIC conditions) - do n of the conditions hold?
 *
 * Three-valued like AND and OR: NULL while the unknown ones decide.
 */
Datum
at_least(PG_FUNCTION_ARGS)
{
	int32		need = PG_GETARG_INT32(0);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	Datum	   *conditions;
	bool	   *nulls;
	int			count;
	int			hold = 0;
	int			open = 0;

	deconstruct_array(array, BOOLOID, sizeof(bool), true, TYPALIGN_CHAR,
					  &conditions, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			open++;
		else if (DatumGetBool(conditions[i]))
			hold++;
	}

	if (hold >= need)
		PG_RETURN_BOOL(true);
	if (hold + open < need)
		PG_RETURN_BOOL(false);
	PG_RETURN_NULL();
}
