/*
 * unit_columns.c
 *		What a unit takes over from its moves.
 *
 * A unit, a row of table journey, has a column for whatever a move is the
 * first of.  What the query of _journey_query() says of all moves of a unit,
 * this says of one more; the tests hold them against each other.
 */
#include "postgres.h"

#include "funnel/unit_columns.h"

typedef struct UnitColumn
{
	const char *name;
	LqMoveValue value;
} UnitColumn;

static const UnitColumn of_beginning[] = {
	{"started_at", LQ_MOVE_ENTERED_AT},
	{"account_id", LQ_MOVE_ACCOUNT_ID},
	{"source", LQ_MOVE_SOURCE},
	{"campaign", LQ_MOVE_CAMPAIGN},
	{"owner", LQ_MOVE_OWNER},
	{"definition", LQ_MOVE_DEFINITION},
	{"version", LQ_MOVE_VERSION},
};

static const UnitColumn of_every_entry[] = {
	{"at", LQ_MOVE_ENTERED_AT},
	{"account_id", LQ_MOVE_ACCOUNT_ID},
	{"source", LQ_MOVE_SOURCE},
};

static const UnitColumn of_main_entry[] = {
	{"campaign", LQ_MOVE_CAMPAIGN},
	{"owner", LQ_MOVE_OWNER},
	{"definition", LQ_MOVE_DEFINITION},
	{"version", LQ_MOVE_VERSION},
};

static const UnitColumn of_hand_over[] = {
	{"mql_stage", LQ_MOVE_TO_STAGE},
	{"due_at", LQ_MOVE_DUE_AT},
};

static const UnitColumn of_acceptance[] = {
	{"accepted_at", LQ_MOVE_ENTERED_AT},
	{"accepted_owner", LQ_MOVE_OWNER},
};

static const UnitColumn of_exit[] = {
	{"exited_at", LQ_MOVE_ENTERED_AT},
	{"exit", LQ_MOVE_MILESTONE},
	{"exit_reason", LQ_MOVE_REASON},
	{"exit_owner", LQ_MOVE_OWNER},
	{"exit_automatic", LQ_MOVE_AUTOMATIC},
};

static void
each_of(const UnitColumn *columns, int n, const char *milestone,
		LqUnitWork work, void *arg)
{
	for (int i = 0; i < n; i++)
		work(arg, milestone == NULL ? columns[i].name :
			 psprintf("%s_%s", milestone, columns[i].name),
			 columns[i].value);
}

#define EACH_OF(columns, milestone) \
	each_of(columns, lengthof(columns), milestone, work, arg)

void
lq_unit_columns(LqUnitEvent event, LqMilestone to, LqUnitWork work, void *arg)
{
	const char *milestone = lq_milestone_name(to);

	switch (event)
	{
		case LQ_UNIT_BEGINS:
			EACH_OF(of_beginning, NULL);
			break;
		case LQ_UNIT_ENTERS:
			EACH_OF(of_every_entry, milestone);
			if (to == LQ_MILESTONE_MQL || to == LQ_MILESTONE_SQL)
				EACH_OF(of_main_entry, milestone);
			if (to == LQ_MILESTONE_MQL)
				EACH_OF(of_hand_over, NULL);
			break;
		case LQ_UNIT_ACCEPTED:
			EACH_OF(of_acceptance, NULL);
			break;
		case LQ_UNIT_EXITS:
			EACH_OF(of_exit, NULL);
			break;
	}
}
