/*
 * key.c
 *		The keys of leads, whose type is the user's.
 */
#include "postgres.h"

#include "utils/lsyscache.h"

#include "funnel/funnel.h"
#include "funnel/key.h"

int
lq_key_compare(const void *a, const void *b, void *arg)
{
	return lq_key_cmp(arg, *(const Datum *) a, *(const Datum *) b);
}

char *
lq_key_text(const LqFunnel *funnel, Datum key)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(funnel->key_type, &output, &varlena);
	return OidOutputFunctionCall(output, key);
}

Datum
lq_key_of_text(const LqFunnel *funnel, char *text)
{
	Oid			input;
	Oid			param;

	getTypeInputInfo(funnel->key_type, &input, &param);
	return OidInputFunctionCall(input, text, param, -1);
}
