/*
 * unit_row.c
 *		A unit, made from its moves one by one.
 *
 * The moves come in their order.  What a unit takes over from them is in
 * unit_columns.c, and is written by the statements of query_text.c when they
 * happen.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"

#include "funnel/unit_row.h"

/* which event's columns are being collected */
typedef struct Collector
{
	LqUnitShape *shape;
	LqUnitEvent event;
	LqMilestone to;
} Collector;

static void
collect(void *arg, const char *column, LqMoveValue value)
{
	Collector  *collector = arg;
	LqUnitShape *shape = collector->shape;
	int			n = shape->of[collector->event][collector->to].n++;
	int			i = 0;

	while (i < shape->n_columns && strcmp(shape->names[i], column) != 0)
		i++;
	if (i == shape->n_columns)
	{
		Assert(i < LQ_MAX_UNIT_COLUMNS);
		shape->names[i] = column;
		shape->values[i] = value;
		shape->n_columns++;
	}
	Assert(n < lengthof(shape->of[0][0].slots));
	shape->of[collector->event][collector->to].slots[n].column = i;
	shape->of[collector->event][collector->to].slots[n].value = value;
}

void
lq_unit_shape(LqUnitShape *shape)
{
	Collector	collector = {shape};

	memset(shape, 0, sizeof(LqUnitShape));
	for (int event = 0; event < LQ_N_UNIT_EVENTS; event++)
		for (int to = 0; to < LQ_N_MILESTONES; to++)
		{
			collector.event = event;
			collector.to = to;
			lq_unit_columns(event, to, collect, &collector);
		}
	for (int to = 0; to < LQ_N_MILESTONES; to++)
		shape->milestones[to] = CStringGetTextDatum(lq_milestone_name(to));
}

Oid
lq_unit_type(const LqUnitShape *shape, int column)
{
	switch (shape->values[column])
	{
		case LQ_MOVE_ENTERED_AT:
		case LQ_MOVE_DUE_AT:
			return TIMESTAMPTZOID;
		case LQ_MOVE_ACCOUNT_ID:
			return INT8OID;
		case LQ_MOVE_VERSION:
			return INT4OID;
		case LQ_MOVE_AUTOMATIC:
			return BOOLOID;
		default:
			return TEXTOID;
	}
}

void
lq_append_unit_list(StringInfo buf)
{
	LqUnitShape *shape = palloc(sizeof(LqUnitShape));

	lq_unit_shape(shape);
	for (int i = 0; i < shape->n_columns; i++)
		appendStringInfo(buf, ", j.%s::%s", quote_identifier(shape->names[i]),
						 format_type_be(lq_unit_type(shape, i)));
	pfree(shape);
}

void
lq_unit_clear(LqUnitRow *unit, const LqUnitShape *shape)
{
	memset(unit->nulls, true, shape->n_columns * sizeof(bool));
	unit->begun = false;
}

/* Has it happened?  The instant tells. */
static bool
is_set(const LqUnitRow *unit, const LqUnitShape *shape, LqUnitEvent event,
	   LqMilestone to)
{
	return !unit->nulls[shape->of[event][to].slots[0].column];
}

static void
set(LqUnitRow *unit, const LqUnitShape *shape, LqUnitEvent event,
	LqMilestone to, const Datum *values, const bool *nulls)
{
	for (int i = 0; i < shape->of[event][to].n; i++)
	{
		LqUnitSlot	slot = shape->of[event][to].slots[i];
		bool		named = slot.value == LQ_MOVE_MILESTONE;

		unit->nulls[slot.column] = !named && nulls[slot.value];
		unit->values[slot.column] = named ? shape->milestones[to] :
			values[slot.value];
	}
}

static void
reset(LqUnitRow *unit, const LqUnitShape *shape, LqUnitEvent event,
	  LqMilestone to)
{
	for (int i = 0; i < shape->of[event][to].n; i++)
		unit->nulls[shape->of[event][to].slots[i].column] = true;
}

/* as lq_append_unit_changes() has it for the table */
bool
lq_unit_move(LqUnitRow *unit, const LqUnitShape *shape, LqMilestone to,
			 const Datum *values, const bool *nulls)
{
	bool		changed = !unit->begun;

	if (!unit->begun)
		set(unit, shape, LQ_UNIT_BEGINS, to, values, nulls);
	unit->begun = true;
	if (!is_set(unit, shape, LQ_UNIT_ENTERS, to))
	{
		set(unit, shape, LQ_UNIT_ENTERS, to, values, nulls);
		changed = true;
	}
	if (!lq_is_exit(to))
	{
		changed |= is_set(unit, shape, LQ_UNIT_EXITS, to);
		reset(unit, shape, LQ_UNIT_EXITS, to);
	}
	else if (!is_set(unit, shape, LQ_UNIT_EXITS, to) &&
			 !is_set(unit, shape, LQ_UNIT_ENTERS, LQ_MILESTONE_CUSTOMER))
	{
		set(unit, shape, LQ_UNIT_EXITS, to, values, nulls);
		changed = true;
	}
	if (is_set(unit, shape, LQ_UNIT_ENTERS, LQ_MILESTONE_MQL) &&
		!is_set(unit, shape, LQ_UNIT_ACCEPTED, to) &&
		lq_accepts(to, DatumGetBool(values[LQ_MOVE_AUTOMATIC])))
	{
		set(unit, shape, LQ_UNIT_ACCEPTED, to, values, nulls);
		changed = true;
	}
	return changed;
}

TimestampTz
lq_unit_entered(const LqUnitRow *unit, const LqUnitShape *shape,
				LqMilestone milestone)
{
	return is_set(unit, shape, LQ_UNIT_ENTERS, milestone) ?
		DatumGetTimestampTz(unit->values[shape->of[LQ_UNIT_ENTERS][milestone].slots[0].column]) :
		DT_NOEND;
}

bool
lq_unit_is(const LqUnitRow *unit, const LqUnitShape *shape,
		   const Datum *values, const bool *nulls)
{
	for (int i = 0; i < shape->n_columns; i++)
	{
		if (unit->nulls[i] != nulls[i])
			return false;
		if (!nulls[i] && unit->values[i] != values[i] &&
			(lq_unit_type(shape, i) != TEXTOID ||
			 !datum_image_eq(unit->values[i], values[i], false, -1)))
			return false;
	}
	return true;
}
