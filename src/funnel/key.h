/*
 * key.h
 *		The keys of leads, whose type is the user's.
 */
#ifndef LQ_KEY_H
#define LQ_KEY_H

#include "fmgr.h"

#include "funnel/funnel.h"

/* Keys of leads are compared as the lead table's index does. */
static inline int
lq_key_cmp(const LqFunnel *funnel, Datum a, Datum b)
{
	return DatumGetInt32(FunctionCall2Coll(unconstify(FmgrInfo *, &funnel->key_cmp),
										   funnel->key_collation, a, b));
}


/* The same for qsort_arg(), whose arg is the funnel. */
extern int	lq_key_compare(const void *a, const void *b, void *arg);

/* A key as text, and back; what is no key raises. */
extern char *lq_key_text(const LqFunnel *funnel, Datum key);
extern Datum lq_key_of_text(const LqFunnel *funnel, char *text);

#endif							/* LQ_KEY_H */
