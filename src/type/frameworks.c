/*
 * frameworks.c
 *		The frameworks that are types, and columns of a lead: for C and SQL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "compat.h"
#include "type/frameworks.h"
#include "type/qualification.h"
#include "type/qualification_type.h"

PG_FUNCTION_INFO_V1(frameworks);
PG_FUNCTION_INFO_V1(may_have_element);

/* *INDENT-OFF* */
#define LQ_ELEMENT(symbol, name) {symbol, name}
#define LQ_FRAMEWORK(symbol, name_, since, ...) \
static const LqElement name_##_elements[] = {__VA_ARGS__}; \
static const LqFramework name_ = { \
	.name = #name_, \
	.size = lengthof(name_##_elements) > 4 ? 2 : 1, \
	.nelements = lengthof(name_##_elements), \
	.elements = name_##_elements, \
}; \
StaticAssertDecl(lengthof(name_##_elements) <= 8, "two bytes hold " #name_); \
LQ_QUALIFICATION_TYPE(name_)
#include "type/framework_list.h"

const LqFramework *const lq_frameworks[LQ_N_FRAMEWORKS] = {
#define LQ_FRAMEWORK(symbol, name_, since, ...) &name_,
#include "type/framework_list.h"
};

/* *INDENT-ON* */

int
lq_framework_index(const char *name)
{
	for (int i = 0; i < LQ_N_FRAMEWORKS; i++)
		if (strcmp(lq_frameworks[i]->name, name) == 0)
			return i;
	return -1;
}

/* _frameworks() - text[]: in the order of the list */
Datum
frameworks(PG_FUNCTION_ARGS)
{
	Datum		names[LQ_N_FRAMEWORKS];

	for (int i = 0; i < LQ_N_FRAMEWORKS; i++)
		names[i] = CStringGetTextDatum(lq_frameworks[i]->name);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, LQ_N_FRAMEWORKS, TEXTOID, -1,
										  false, TYPALIGN_INT));
}

/*
 * _may_have_element(framework text, element text) - boolean: false where the
 * framework is one of the list and has none of that name
 */
Datum
may_have_element(PG_FUNCTION_ARGS)
{
	int			f = lq_framework_index(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char	   *element = text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (f < 0)
		PG_RETURN_BOOL(true);
	for (int i = 0; i < lq_frameworks[f]->nelements; i++)
		if (strcmp(lq_frameworks[f]->elements[i].name, element) == 0)
			PG_RETURN_BOOL(true);
	PG_RETURN_BOOL(false);
}
