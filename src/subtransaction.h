/*
 * subtransaction.h
 *		Run something that may fail, without failing with it.
 */
#ifndef LQ_SUBTRANSACTION_H
#define LQ_SUBTRANSACTION_H

/* which errors say something of what was run; the others pass through */
typedef enum LqTry
{
	LQ_TRY_CONDITION,			/* any but those of the server's state, and of
								 * a stack that its caller has used up */
	LQ_TRY_LEAD					/* any but those of the server's state */
} LqTry;

/* what went wrong, in the memory that was current */
typedef struct LqFailure
{
	int			sqlerrcode;
	char	   *message;		/* its beginning */
} LqFailure;

typedef void (*LqWork) (void *arg);

extern bool lq_try(LqTry what, LqWork work, void *arg, LqFailure *failure);

#endif							/* LQ_SUBTRANSACTION_H */
