/*
 * unit_row.h
 *		A unit, made from its moves one by one.
 */
#ifndef LQ_UNIT_ROW_H
#define LQ_UNIT_ROW_H

#include "lib/stringinfo.h"
#include "utils/timestamp.h"

#include "funnel/milestone.h"
#include "funnel/unit_columns.h"

/* the columns that follow from moves, one after the other in units */
#define LQ_MAX_UNIT_COLUMNS	80

typedef struct LqUnitSlot
{
	int			column;
	LqMoveValue value;
} LqUnitSlot;

typedef struct LqUnitShape
{
	int			n_columns;
	const char *names[LQ_MAX_UNIT_COLUMNS];
	LqMoveValue values[LQ_MAX_UNIT_COLUMNS];	/* tells the type, too */
	struct
	{
		int			n;
		LqUnitSlot	slots[16];	/* the first is the instant */
	}			of[LQ_N_UNIT_EVENTS][LQ_N_MILESTONES];
	Datum		milestones[LQ_N_MILESTONES];	/* their names */
} LqUnitShape;

typedef struct LqUnitRow
{
	Datum		values[LQ_MAX_UNIT_COLUMNS];
	bool		nulls[LQ_MAX_UNIT_COLUMNS];
	bool		begun;
} LqUnitRow;

extern void lq_unit_shape(LqUnitShape *shape);

/* The columns as a query gives them: ", j.started_at::..., ...". */
extern void lq_append_unit_list(StringInfo buf);

/* The type of one of them. */
extern Oid	lq_unit_type(const LqUnitShape *shape, int column);

extern void lq_unit_clear(LqUnitRow *unit, const LqUnitShape *shape);

/*
 * One more move; its values are by LqMoveValue, and stay where they are.  Is
 * it the first of anything?
 */
extern bool lq_unit_move(LqUnitRow *unit, const LqUnitShape *shape,
						 LqMilestone to, const Datum *values,
						 const bool *nulls);

/* When it first entered a milestone; DT_NOEND: never. */
extern TimestampTz lq_unit_entered(const LqUnitRow *unit,
								   const LqUnitShape *shape,
								   LqMilestone milestone);

/* Are these its values? */
extern bool lq_unit_is(const LqUnitRow *unit, const LqUnitShape *shape,
					   const Datum *values, const bool *nulls);

#endif							/* LQ_UNIT_ROW_H */
