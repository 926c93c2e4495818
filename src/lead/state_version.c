/*
 * state_version.c
 *		Which state of a lead a row that is written goes by.
 *
 * state_version is one more with each change of a lead's stage or answers.
 * Who reads a row and later saves the whole of it writes back the stage and
 * the answers of then, and would ask for a move, or take back answers,
 * without meaning to.  The version in the row that is written tells:
 *
 * as it is		only what changes is written: there is nothing to check
 * one more		the writer keeps the column itself, as ORMs do with a column
 *				that they lock by, and has seen to it that the row is fresh
 * less			the row is stale: it may not change stage or answers
 * more			it is of no state that the lead ever had
 */
#include "postgres.h"

#include "compat.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/tables.h"
#include "lead/lead.h"
#include "lead/refuse.h"
#include "lead/state_version.h"

/* NULL, which a writer may give, is what the lead has. */
static int64
version_of(const LqLead *lead, int64 otherwise)
{
	bool		isnull;
	Datum		value = lq_lead_get(lead, LQ_LEAD_STATE_VERSION, &isnull);

	return isnull ? otherwise : DatumGetInt64(value);
}

static void
set_version(LqLead *lead, int64 version)
{
	lq_lead_set(lead, LQ_LEAD_STATE_VERSION, Int64GetDatum(version), false);
}

static int64
next_version(int64 version)
{
	return version < PG_INT64_MAX ? version + 1 : version;
}

/* Does the lead differ from what it was in its stage or its answers? */
static bool
state_differs(const LqLead *lead, const LqLead *old)
{
	for (int f = 0; f < lq_n_frameworks(lead->funnel); f++)
		if (!lq_lead_same(lead, old, LQ_LEAD_FRAMEWORK(f)))
			return true;
	return !lq_lead_same(lead, old, LQ_LEAD_ANSWERS) ||
		!lq_lead_same(lead, old, LQ_LEAD_STAGE);
}

/*
 * A new lead's is 0; but a column that an ORM locks by may begin with 1, one
 * more than where there was none.
 */
void
lq_state_version_begin(LqLead *lead)
{
	set_version(lead, version_of(lead, 0) == 1 ? 1 : 0);
}

/*
 * An update comes: raise where the row is stale and would change what has
 * changed since.  asks: it asks for another stage, which is no longer in the
 * row.  What is an own write is never stale.
 */
void
lq_state_version_ask(LqLead *lead, const LqLead *old, bool own, bool asks)
{
	int64		before = version_of(old, 0);
	int64		given = own ? before : version_of(lead, before);

	if (given < before && (asks || state_differs(lead, old)))
		lq_stale_refuse(lead, given, before);
	if (given > before && given - 1 != before)
		lq_ahead_refuse(lead, given, before);
	set_version(lead, Max(given, before));
}

/*
 * The update is judged: one more where it changed the state, unless the
 * writer's own column counted that.  What the writer did not ask for
 * (unasked: a transition that is automatic) no writer has counted.
 */
void
lq_state_version_keep(LqLead *lead, const LqLead *old, bool unasked)
{
	int64		before = version_of(old, 0);
	int64		given = version_of(lead, before);

	if (unasked || (given == before && state_differs(lead, old)))
		set_version(lead, next_version(given));
}

/*
 * An import writes what was (old = NULL: a new lead); but who has read the
 * lead before it must not write back what it replaced.
 */
void
lq_state_version_import(LqLead *lead, const LqLead *old)
{
	int64		before = old == NULL ? 0 : version_of(old, 0);
	int64		given = version_of(lead, before);

	if (old != NULL && given == before && state_differs(lead, old))
		given = next_version(given);
	set_version(lead, given);
}
