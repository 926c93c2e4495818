/*
 * qualification.h
 *		Packed answers to the elements of a qualification framework.
 *
 * A value is one level for each element of a framework, two bits an element:
 * the first element in the lowest two bits, the next in the two above, and
 * so on.  The two bits are the level in two's complement (see LqLevel), so
 * that the zero word means "all unknown", and bits beyond the last element
 * are zero: equal values have equal bits.
 *
 * THE LAYOUT IS FROZEN.  pg_upgrade carries these bytes from one major
 * version to the next, so the width of a type, the order of its elements and
 * the code of a level must never change.  Another framework is another type.
 */
#ifndef LQ_QUALIFICATION_H
#define LQ_QUALIFICATION_H

#include "fmgr.h"

#include "type/answer_level.h"

typedef struct LqElement
{
	const char *symbol;			/* in canonical text: "DC" */
	const char *name;			/* long name: "decision_criteria" */
} LqElement;

/*
 * What distinguishes one qualification type from another.
 */
typedef struct LqFramework
{
	const char *name;			/* of the framework and its SQL type */
	int			size;			/* of a stored value: 1 or 2 bytes */
	int			nelements;
	const LqElement *elements;	/* in the order of bits and of output */
} LqFramework;

/* Why a literal was refused; the caller raises it. */
typedef struct LqParseError
{
	char	   *detail;
	char	   *hint;
} LqParseError;

/* elements of a framework */
extern int	lq_element_index(const LqFramework *fw, const char *str, int len);
extern char *lq_element_hint(const LqFramework *fw);

/* packed values */
extern bool lq_qualification_is_valid(const LqFramework *fw, uint32 bits);
extern bool lq_qualification_parse(const LqFramework *fw, const char *str,
								   uint32 *bits, LqParseError *error);
extern char *lq_qualification_print(const LqFramework *fw, uint32 bits);
extern int	lq_qualification_compare(const LqFramework *fw, uint32 a, uint32 b);
extern bool lq_qualification_covers(const LqFramework *fw, uint32 a, uint32 b);
extern uint32 lq_qualification_merge(const LqFramework *fw, uint32 a, uint32 b);
extern uint32 lq_qualification_best(const LqFramework *fw, uint32 a, uint32 b);
extern int	lq_qualification_count(const LqFramework *fw, uint32 bits,
								   LqLevel level);

static inline LqLevel
lq_qualification_level(uint32 bits, int element)
{
	uint32		code = (bits >> (2 * element)) & 3;

	return code == 3 ? LQ_LEVEL_NO : (LqLevel) code;
}

static inline uint32
lq_qualification_set(uint32 bits, int element, LqLevel level)
{
	int			shift = 2 * element;

	return (bits & ~((uint32) 3 << shift)) | (((uint32) level & 3) << shift);
}

/* How many elements are answered with yes, at all, with no. */
static inline int
lq_qualification_met(const LqFramework *fw, uint32 bits)
{
	return lq_qualification_count(fw, bits, LQ_LEVEL_YES);
}

static inline int
lq_qualification_known(const LqFramework *fw, uint32 bits)
{
	return fw->nelements - lq_qualification_count(fw, bits, LQ_LEVEL_UNKNOWN);
}

static inline int
lq_qualification_refuted(const LqFramework *fw, uint32 bits)
{
	return lq_qualification_count(fw, bits, LQ_LEVEL_NO);
}

/*
 * To and from a Datum.
 *
 * A short by-value Datum must be widened exactly as fetch_att() widens what
 * it reads from a tuple, that is through char and int16: the image
 * comparisons of the server (memoize, record_image_eq, deduplication) look
 * at the whole word.
 */
static inline Datum
LqQualificationGetDatum(const LqFramework *fw, uint32 bits)
{
	return fw->size == 1 ? CharGetDatum((char) bits) :
		Int16GetDatum((int16) bits);
}

static inline uint32
DatumGetLqQualification(const LqFramework *fw, Datum value)
{
	return fw->size == 1 ? (uint32) (uint8) DatumGetChar(value) :
		(uint32) (uint16) DatumGetInt16(value);
}

#endif							/* LQ_QUALIFICATION_H */
