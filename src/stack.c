/*
 * stack.c
 *		The portion of the stack that a condition may use.
 *
 * How deep a parser or a comparison may recurse is measured from where the
 * session began, so that the same value would be good for one caller and too
 * much for another who stands deeper.  What a condition says of a row must
 * not depend on who asks.  So it is given the same portion by everybody, half
 * of max_stack_depth, counted from where it begins; and who has used up more
 * than the other half can tell nothing by its failing.
 */
#include "postgres.h"

#include "tcop/tcopprot.h"

#include "stack.h"

/*
 * Let the stack end a portion from here, until it is given back, after an
 * error too.  False, and all stays as it is, if no whole portion is left.
 */
bool
lq_stack_portion(LqStack *saved)
{
	char	   *here = __builtin_frame_address(0);
	long		other_half = max_stack_depth * 1024L / 2;
	long		used;

	/* to learn where the base is it has to be set */
	*saved = set_stack_base();
	restore_stack_base(*saved);
	used = *saved - here;
	if (labs(used) > other_half)
		return false;
	restore_stack_base(used > 0 ? here + other_half : here - other_half);
	return true;
}

void
lq_stack_give_back(const LqStack *saved)
{
	restore_stack_base(*saved);
}
