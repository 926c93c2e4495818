/*
 * subtransaction.c
 *		Run something that may fail, without failing with it.
 *
 * One bad value must not lose a lead, nor one lead a whole sweep.  But not
 * every error is one of the value or the lead: what says that the server has
 * no memory, that somebody cancelled or that others hold the lock is no
 * better with the next one, and to swallow it would be to guess.
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "utils/resowner.h"

#include "stack.h"
#include "subtransaction.h"

/* bytes of a message that are kept: it may quote a value of any size */
#define MAX_MESSAGE		1000

/* memory that must be there before anything is begun */
#define RESERVE			(64 * 1024)

/* The state of the server, or of other sessions, and not what was run. */
static bool
passes(LqTry what, int sqlerrcode)
{
	static const int classes[] = {
		ERRCODE_CONNECTION_EXCEPTION,
		ERRCODE_TRANSACTION_ROLLBACK,
		ERRCODE_INSUFFICIENT_RESOURCES,
		ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
		ERRCODE_OPERATOR_INTERVENTION
	};

	/* in that class, but what a trigger of the user's says of one lead */
	if (what == LQ_TRY_LEAD &&
		sqlerrcode == ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE)
		return false;
	for (int i = 0; i < lengthof(classes); i++)
		if (ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_TO_CATEGORY(classes[i]))
			return true;
	return sqlerrcode == ERRCODE_DATA_CORRUPTED ||
		sqlerrcode == ERRCODE_INDEX_CORRUPTED;
}

/* A regular expression does not say that it was the stack. */
static bool
may_be_depth(int sqlerrcode)
{
	return sqlerrcode == ERRCODE_STATEMENT_TOO_COMPLEX ||
		sqlerrcode == ERRCODE_INVALID_REGULAR_EXPRESSION;
}

/*
 * Take the error off the server's stack of errors.
 */
static void
take(LqFailure *failure)
{
	ErrorData  *error = CopyErrorData();
	const char *message = error->message ? error->message :
	"missing error text";

	FlushErrorState();
	failure->sqlerrcode = error->sqlerrcode;
	failure->message = pnstrdup(message,
								pg_mbcliplen(message, strlen(message),
											 MAX_MESSAGE));
	FreeErrorData(error);
}

/*
 * Do the work with a portion of the stack, and end the subtransaction.
 */
static void
complete(LqTry what, LqWork work, void *arg, bool *portion)
{
	LqStack		stack;

	*portion = what == LQ_TRY_CONDITION && lq_stack_portion(&stack);
	PG_TRY();
	{
		work(arg);
	}
	PG_FINALLY();
	{
		if (*portion)
			lq_stack_give_back(&stack);
	}
	PG_END_TRY();
	ReleaseCurrentSubTransaction();
}

/*
 * Do the work in a subtransaction; false, with the failure, if it was undone.
 * An error that passes is raised to the caller.
 *
 * Whatever was the error, the first thing is to end the subtransaction.  To
 * copy the error takes memory, which there may be none of; and an error
 * raised in between would leave the subtransaction open, for the caller to
 * end one of its own by mistake.
 */
bool
lq_try(LqTry what, LqWork work, void *arg, LqFailure *failure)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	bool		portion = false;

	/* no subtransaction can be started there */
	if (IsInParallelMode())
	{
		work(arg);
		return true;
	}

	/* one that is half begun cannot be ended */
	pfree(palloc(RESERVE));
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		complete(what, work, arg, &portion);
	}
	PG_CATCH();
	{
		int			sqlerrcode = geterrcode();

		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		if (passes(what, sqlerrcode) ||
			(what == LQ_TRY_CONDITION && !portion && may_be_depth(sqlerrcode)))
			PG_RE_THROW();
		take(failure);
		return false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return true;
}
