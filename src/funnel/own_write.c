/*
 * own_write.c
 *		Updates of a lead that the module itself makes.
 *
 * What a client writes into a column that triggers keep is ignored, but our
 * own triggers write those columns with UPDATE, like anybody.  The write is
 * announced here, and each of the lead's triggers accepts the announcement
 * once, for that lead only: an update that a user's trigger makes meanwhile is
 * a client's.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "utils/datum.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/key.h"
#include "funnel/own_write.h"
#include "funnel/statement.h"

typedef struct OwnWrite
{
	const LqFunnel *funnel;		/* NULL: nothing is announced */
	Datum		key;
	int			flags;
	bool		before;			/* BEFORE trigger has yet to see it */
	bool		after;			/* so has AFTER */
} OwnWrite;

static OwnWrite current;

/*
 * Run an UPDATE of one lead; values[0] is its key.
 *
 * The caller has locked the lead, so it is there: a write that reaches no row
 * was suppressed, and the lead would go on without what it follows from.
 */
void
lq_own_write(const LqFunnel *funnel, LqStatement statement,
			 Datum *values, const char *nulls, int flags)
{
	OwnWrite	outer = current;
	uint64		rows = 0;

	current.funnel = funnel;
	current.key = values[0];
	current.flags = flags;
	current.before = true;
	current.after = true;
	PG_TRY();
	{
		rows = lq_statement_run(funnel, statement, values, nulls);
	}
	PG_FINALLY();
	{
		current = outer;
	}
	PG_END_TRY();
	if (rows != 1)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("a lead of funnel \"%s\" could not be updated",
						funnel->name),
				 errhint("A trigger or a rule on table \"lead\" suppressed the update.")));
}

static bool
is_current(const LqFunnel *funnel, Datum key)
{
	return current.funnel != NULL &&
		current.funnel->schema == funnel->schema &&
		lq_key_cmp(funnel, current.key, key) == 0;
}

bool
lq_own_write_before(const LqFunnel *funnel, Datum key, int *flags)
{
	if (!current.before || !is_current(funnel, key))
		return false;
	current.before = false;
	*flags = current.flags;
	return true;
}

bool
lq_own_write_after(const LqFunnel *funnel, Datum key, int *flags)
{
	if (!current.after || !is_current(funnel, key))
		return false;
	current.after = false;
	*flags = current.flags;
	return true;
}
