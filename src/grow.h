/*
 * grow.h
 *		Arrays that grow.
 */
#ifndef LQ_GROW_H
#define LQ_GROW_H

#include "utils/palloc.h"

/*
 * The array, of which n elements are in use, with room for another.  One that
 * is NULL is made in the current memory; it may become of any size.
 */
static inline void *
lq_grow(void *array, int n, int *room, Size size)
{
	if (n < *room)
		return array;
	*room = *room == 0 ? 8 : *room * 2;
	if (array == NULL)
		return palloc_extended(*room * size, MCXT_ALLOC_HUGE);
	return repalloc_huge(array, *room * size);
}

#endif							/* LQ_GROW_H */
