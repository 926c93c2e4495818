/*
 * raised.h
 *		What a transaction knows of the versions of definitions.
 *
 * Changes of a definition in one transaction share a version, as long as
 * nobody went by it: when a lead was judged by it or a side signed it, the
 * next change gets another.
 */
#ifndef LQ_RAISED_H
#define LQ_RAISED_H

typedef enum LqVersionFact
{
	LQ_VERSION_RAISED,			/* by this transaction, and nobody used it */
	LQ_VERSION_UNBOUND			/* no signature forbids to change it */
} LqVersionFact;

/* definition NULL: what all definitions share */
extern bool lq_version_is(Oid schema, const char *definition,
						  LqVersionFact fact);
extern void lq_version_note(Oid schema, const char *definition,
							LqVersionFact fact);

/* The fact holds of no definition of the funnel any more. */
extern void lq_version_forget(Oid schema, LqVersionFact fact);

#endif							/* LQ_RAISED_H */
