/*
 * milestone.c
 *		The milestones, and when a cycle begins: for C and for SQL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "compat.h"
#include "funnel/milestone.h"

PG_FUNCTION_INFO_V1(milestones);
PG_FUNCTION_INFO_V1(is_on_path);
PG_FUNCTION_INFO_V1(is_exit);
PG_FUNCTION_INFO_V1(has_reached);
PG_FUNCTION_INFO_V1(begins_cycle);

typedef enum Part
{
	ON_PATH,					/* towards a customer */
	AT_GOAL,
	AT_EXIT
} Part;

/* in the order of the way, exits last */
static const struct
{
	const char *name;
	Part		part;
}			known[LQ_N_MILESTONES] = {
	[LQ_MILESTONE_LEAD] = {"lead", ON_PATH},
	[LQ_MILESTONE_MQL] = {"mql", ON_PATH},
	[LQ_MILESTONE_SAL] = {"sal", ON_PATH},
	[LQ_MILESTONE_SQL] = {"sql", ON_PATH},
	[LQ_MILESTONE_OPPORTUNITY] = {"opportunity", ON_PATH},
	[LQ_MILESTONE_CUSTOMER] = {"customer", AT_GOAL},
	[LQ_MILESTONE_NURTURE] = {"nurture", AT_EXIT},
	[LQ_MILESTONE_DISQUALIFIED] = {"disqualified", AT_EXIT},
	[LQ_MILESTONE_LOST] = {"lost", AT_EXIT},
};

/* views ask of every row of a history, so nothing is copied */
static bool
named(const char *name, size_t length, LqMilestone *milestone)
{
	for (int i = 0; i < LQ_N_MILESTONES; i++)
		if (strncmp(known[i].name, name, length) == 0 &&
			known[i].name[length] == '\0')
		{
			*milestone = (LqMilestone) i;
			return true;
		}
	return false;
}

bool
lq_milestone_named(const char *name, LqMilestone *milestone)
{
	return named(name, strlen(name), milestone);
}

const char *
lq_milestone_name(LqMilestone milestone)
{
	return known[milestone].name;
}

bool
lq_is_on_path(LqMilestone milestone)
{
	return known[milestone].part == ON_PATH;
}

bool
lq_is_exit(LqMilestone milestone)
{
	return known[milestone].part == AT_EXIT;
}

/* Off the path it has not. */
bool
lq_has_reached(LqMilestone milestone, LqMilestone least)
{
	return known[milestone].part != AT_EXIT && milestone >= least;
}

/* Would such a move accept what was handed over before? */
bool
lq_accepts(LqMilestone entered, bool automatic)
{
	return entered == LQ_MILESTONE_SAL ? !automatic :
		lq_has_reached(entered, LQ_MILESTONE_SQL);
}

/*
 * A new cycle begins when a lead leaves what ends one, be it success, for
 * the path.
 */
bool
lq_begins_cycle(LqMilestone left, LqMilestone entered)
{
	return known[left].part != ON_PATH && known[entered].part == ON_PATH;
}

/* _milestones() - text[]: in the order of the way, exits last */
Datum
milestones(PG_FUNCTION_ARGS)
{
	Datum		names[LQ_N_MILESTONES];

	for (int i = 0; i < LQ_N_MILESTONES; i++)
		names[i] = CStringGetTextDatum(known[i].name);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, LQ_N_MILESTONES, TEXTOID, -1,
										  false, TYPALIGN_INT));
}

static bool
argument(FunctionCallInfo fcinfo, int n, LqMilestone *milestone)
{
	const text *name = PG_GETARG_TEXT_PP(n);

	return named(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), milestone);
}

/* _is_on_path(milestone text) - boolean */
Datum
is_on_path(PG_FUNCTION_ARGS)
{
	LqMilestone milestone;

	PG_RETURN_BOOL(argument(fcinfo, 0, &milestone) &&
				   lq_is_on_path(milestone));
}

/* _is_exit(milestone text) - boolean */
Datum
is_exit(PG_FUNCTION_ARGS)
{
	LqMilestone milestone;

	PG_RETURN_BOOL(argument(fcinfo, 0, &milestone) &&
				   lq_is_exit(milestone));
}

/* _has_reached(milestone text, other text) - boolean */
Datum
has_reached(PG_FUNCTION_ARGS)
{
	LqMilestone milestone;
	LqMilestone least;

	PG_RETURN_BOOL(argument(fcinfo, 0, &milestone) &&
				   argument(fcinfo, 1, &least) &&
				   lq_has_reached(milestone, least));
}

/* _begins_cycle(left_milestone text, entered_milestone text) - boolean */
Datum
begins_cycle(PG_FUNCTION_ARGS)
{
	LqMilestone left;
	LqMilestone entered;

	PG_RETURN_BOOL(argument(fcinfo, 0, &left) &&
				   argument(fcinfo, 1, &entered) &&
				   lq_begins_cycle(left, entered));
}
