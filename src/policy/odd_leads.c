/*
 * odd_leads.c
 *		Leads that may not be as they should.
 *
 * What is right is told by queries: _history_query() and _journey_query().
 * They sort all moves more than once.  Most leads have a history in which a
 * move follows from the one before it, whatever else there is, and units that
 * follow from it move by move; this reads each row once, in the order of its
 * index, and leaves to the queries only the others.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/key.h"
#include "funnel/lookup.h"
#include "funnel/unit_columns.h"
#include "funnel/key_stream.h"
#include "funnel/unit_row.h"
#include "result.h"

PG_FUNCTION_INFO_V1(_odd_leads);

/* so many leads are named one by one, or the queries go over all */
#define MAX_KEYS	100000

typedef enum Source
{
	MOVES,
	UNITS,
	DEPARTURES,
	LEADS,
	SALES_LOG,					/* from here on only if deep */
	CONTACTS,
#define N_SOURCES (CONTACTS + 1)
} Source;

/* what is read of a move besides what LqMoveValue names */
typedef enum MoveColumn
{
	MOVE_ID = LQ_N_MOVE_VALUES,
	MOVE_ORDINAL,
	MOVE_IS_VOID,
	MOVE_TOUCH_AT,
	MOVE_CONVERSATION_AT,
} MoveColumn;

/* columns of the other sources, after the key */
enum
{
	UNIT_CYCLE = 1,
	UNIT_GONE_AT,
	UNIT_TOUCH_AT,
	UNIT_CONVERSATION_AT,
	UNIT_FIRST_COLUMN,
	DEPARTURE_LAST_MOVE = 1,
	DEPARTURE_AT,
	LEAD_STAGE = 1,
	LEAD_CYCLE,
	LEAD_VERSION,
	LEAD_DEALS_OPEN,
	LEAD_DEALS_WON,
	LEAD_DEALS_LOST,
	LEAD_HAS_WON,
	LOG_AT = 1,
	LOG_CONVERSATION
};

/* what is odd about a lead, as the result has it */
typedef enum Oddity
{
	ODD_MOVES,					/* or units */
	ODD_STAGE,					/* one that the funnel does not have */
	ODD_DEALS,					/* and stage */
	ODD_CARD,					/* of another version */
	ODD_COUNTS					/* of deals: those that have any; only if deep */
#define N_ODDITIES (ODD_COUNTS + 1)
} Oddity;

/* leads that have something in common */
typedef struct Found
{
	int64		n;
	ArrayBuildState *keys;		/* the first of them */
} Found;

typedef struct Search
{
	LqFunnel   *funnel;
	bool		deep;
	int			n_streams;
	LqKeyStream streams[N_SOURCES];
	LqUnitShape shape;
	LqUnitRow	unit;			/* as the moves of one say */
	MemoryContext context;		/* of what is found */
	Found		found[N_ODDITIES];
} Search;

static const LqStage *
stage_of(const Search *search, const LqStreamRow *move, int column)
{
	const text *name = DatumGetTextPP(move->values[column]);

	for (int i = 0; i < search->funnel->n_stages; i++)
	{
		const char *known = search->funnel->stages[i].name;

		if (strlen(known) == VARSIZE_ANY_EXHDR(name) &&
			memcmp(known, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) == 0)
			return &search->funnel->stages[i];
	}
	return NULL;
}

static TimestampTz
instant(const LqStreamRow *row, int column, TimestampTz absent)
{
	return row->nulls[column] ? absent : DatumGetTimestampTz(row->values[column]);
}

static int64
move_id(const LqStreamRow *move)
{
	return DatumGetInt64(move->values[MOVE_ID]);
}

static bool
is_loaded(const LqStreamRow *move)
{
	return move->nulls[LQ_MOVE_DEFINITION];
}

/* how many departures of the lead were before a move */
static int
life_of(const LqKeyStream *departures, const LqStreamRow *move)
{
	int			life = 0;

	while (life < departures->n_rows &&
		   DatumGetInt64(departures->rows[life].values[DEPARTURE_LAST_MOVE]) < move_id(move))
		life++;
	return life;
}

static bool
same_text(const LqStreamRow *a, int column_a,
		  const LqStreamRow *b, int column_b)
{
	return !a->nulls[column_a] && !b->nulls[column_b] &&
		datum_image_eq(a->values[column_a], b->values[column_b], false, -1);
}

/*
 * May a loaded move be one of those that hardly happened so?  All are looked
 * at that lead back, and those from an exit to the path within a day, which
 * may be from a date to a time.
 */
static bool
may_lead_back(const LqStage *left, const LqStage *to, const LqStage *first,
			  TimestampTz left_at, TimestampTz at)
{
	if (lq_is_exit(to->milestone))
		return false;
	if (!lq_is_exit(left->milestone) && left <= to)
		return false;
	/* in this millennium, midnight is a whole minute in every time zone */
	if (at - left_at < 26 * USECS_PER_HOUR &&
		(left_at < 0 || left_at % USECS_PER_MINUTE == 0))
		return true;
	return lq_is_on_path(to->milestone) &&
		(lq_is_on_path(left->milestone) ||
		 (!lq_is_on_path(first->milestone) &&
		  left->milestone != LQ_MILESTONE_NURTURE));
}

/*
 * Does the move follow from the one before it in the lead's log, so that the
 * order in which the rows were read is theirs?  Moves that were loaded for the
 * same instant, and what repeats, are for the query.
 */
static bool
follows(const LqStreamRow *before, const LqStreamRow *move,
		const LqStage *left, const LqStage *to, const LqStage *first)
{
	TimestampTz left_at = instant(before, LQ_MOVE_ENTERED_AT, DT_NOBEGIN);
	TimestampTz at = instant(move, LQ_MOVE_ENTERED_AT, DT_NOBEGIN);
	int32		cycle = DatumGetInt32(before->values[LQ_MOVE_CYCLE]);

	if (left == to || !same_text(move, LQ_MOVE_FROM_STAGE,
								 before, LQ_MOVE_TO_STAGE))
		return false;
	if (at < left_at ||
		(at == left_at && (is_loaded(before) || is_loaded(move) ||
						   move_id(move) < move_id(before))))
		return false;
	if (lq_begins_cycle(left->milestone, to->milestone))
		cycle++;
	if (DatumGetInt32(move->values[LQ_MOVE_CYCLE]) != cycle)
		return false;
	return !is_loaded(move) ||
		(left->milestone != LQ_MILESTONE_CUSTOMER &&
		 !may_lead_back(left, to, first, left_at, at));
}

/* first touch and conversation of a unit: what was kept, and the log has */
static bool
right_touch(const Search *search, const LqStreamRow *unit, int column,
			TimestampTz kept, TimestampTz mql_at, TimestampTz ended_at)
{
	const LqKeyStream *log = &search->streams[SALES_LOG];
	TimestampTz has = instant(unit, column, DT_NOEND);
	TimestampTz first = kept;

	if (mql_at == DT_NOEND || !unit->nulls[UNIT_GONE_AT])
		return has == kept;
	if (!search->deep)
		return has == kept || (has < kept && has >= mql_at && has < ended_at);
	for (int i = 0; i < log->n_rows; i++)
	{
		TimestampTz at = instant(&log->rows[i], LOG_AT, DT_NOBEGIN);

		if (at >= mql_at && at < ended_at && at < first &&
			(column == UNIT_TOUCH_AT ||
			 (!log->rows[i].nulls[LOG_CONVERSATION] &&
			  DatumGetBool(log->rows[i].values[LOG_CONVERSATION]))))
			first = at;
	}
	return has == first;
}

/* Is a unit what its moves say?  The next one begins where it ends. */
static bool
right_unit(Search *search, const LqStreamRow *unit, const LqStreamRow *moves,
		   int n, TimestampTz ended_at)
{
	const LqKeyStream *departures = &search->streams[DEPARTURES];
	TimestampTz touch_at = DT_NOEND;
	TimestampTz conversation_at = DT_NOEND;
	TimestampTz mql_at;
	const LqStreamRow *last = &moves[0];
	int			life;

	if (DatumGetInt32(unit->values[UNIT_CYCLE]) !=
		DatumGetInt32(moves[0].values[LQ_MOVE_CYCLE]))
		return false;
	lq_unit_clear(&search->unit, &search->shape);
	for (int i = 0; i < n; i++)
	{
		const LqStreamRow *move = &moves[i];

		lq_unit_move(&search->unit, &search->shape,
					 stage_of(search, move, LQ_MOVE_TO_STAGE)->milestone,
					 move->values, move->nulls);
		touch_at = Min(touch_at, instant(move, MOVE_TOUCH_AT, DT_NOEND));
		conversation_at = Min(conversation_at,
							  instant(move, MOVE_CONVERSATION_AT, DT_NOEND));
		if (move_id(move) > move_id(last))
			last = move;
	}
	if (!lq_unit_is(&search->unit, &search->shape,
					unit->values + UNIT_FIRST_COLUMN,
					unit->nulls + UNIT_FIRST_COLUMN))
		return false;

	life = life_of(departures, last);
	if (life < departures->n_rows ?
		instant(unit, UNIT_GONE_AT, DT_NOEND) !=
		instant(&departures->rows[life], DEPARTURE_AT, DT_NOEND) :
		!unit->nulls[UNIT_GONE_AT])
		return false;
	mql_at = lq_unit_entered(&search->unit, &search->shape, LQ_MILESTONE_MQL);
	return right_touch(search, unit, UNIT_TOUCH_AT, touch_at, mql_at,
					   ended_at) &&
		right_touch(search, unit, UNIT_CONVERSATION_AT, conversation_at,
					mql_at, ended_at);
}

/* Moves of a lead, each after the one before it. */
static bool
right_moves(Search *search)
{
	const LqKeyStream *moves = &search->streams[MOVES];
	const LqKeyStream *departures = &search->streams[DEPARTURES];
	const LqKeyStream *lead = &search->streams[LEADS];
	const LqStage *first = NULL;
	const LqStage *left = NULL;
	int			life = -1;

	for (int i = 0; i < moves->n_rows; i++)
	{
		const LqStreamRow *move = &moves->rows[i];
		const LqStage *to = stage_of(search, move, LQ_MOVE_TO_STAGE);
		int			lived = life_of(departures, move);

		if (to == NULL || move->nulls[LQ_MOVE_CYCLE] || lived < life || !move->nulls[MOVE_ORDINAL] ||
			DatumGetBool(move->values[MOVE_IS_VOID]))
			return false;
		if (lived == life)
		{
			if (!follows(move - 1, move, left, to, first))
				return false;
		}
		else
		{
			int32		cycle = i == 0 ? 0 :
			DatumGetInt32(move[-1].values[LQ_MOVE_CYCLE]);

			if (!move->nulls[LQ_MOVE_FROM_STAGE] ||
				DatumGetInt32(move->values[LQ_MOVE_CYCLE]) != cycle + 1)
				return false;
			first = to;
		}
		life = lived;
		left = to;
	}

	if (lead->n_rows == 0)
		return true;
	/* one that is there stands where the last move of this life led */
	return life == departures->n_rows &&
		same_text(&lead->rows[0], LEAD_STAGE,
				  &moves->rows[moves->n_rows - 1], LQ_MOVE_TO_STAGE) &&
		DatumGetInt32(lead->rows[0].values[LEAD_CYCLE]) ==
		DatumGetInt32(moves->rows[moves->n_rows - 1].values[LQ_MOVE_CYCLE]);
}

static bool
right_units(Search *search)
{
	const LqKeyStream *moves = &search->streams[MOVES];
	const LqKeyStream *units = &search->streams[UNITS];
	int			n_units = 0;
	int			begin = 0;

	for (int end = 1; end <= moves->n_rows; end++)
	{
		const LqStreamRow *next = end < moves->n_rows ? &moves->rows[end] : NULL;

		if (next != NULL && DatumGetInt32(next->values[LQ_MOVE_CYCLE]) ==
			DatumGetInt32(moves->rows[begin].values[LQ_MOVE_CYCLE]))
			continue;
		if (n_units == units->n_rows ||
			!right_unit(search, &units->rows[n_units], &moves->rows[begin],
						end - begin, next == NULL ? DT_NOEND :
						instant(next, LQ_MOVE_ENTERED_AT, DT_NOEND)))
			return false;
		n_units++;
		begin = end;
	}
	return n_units == units->n_rows;
}

static void
open_streams(Search *search)
{
	static const LqStatement statements[N_SOURCES] = {
		[MOVES] = LQ_STATEMENT_ALL_MOVES,
		[UNITS] = LQ_STATEMENT_ALL_UNITS,
		[DEPARTURES] = LQ_STATEMENT_ALL_DEPARTURES,
		[LEADS] = LQ_STATEMENT_ALL_STAGES,
		[SALES_LOG] = LQ_STATEMENT_ALL_TOUCHES,
		[CONTACTS] = LQ_STATEMENT_ALL_CONTACTS,
	};

	for (int i = 0; i < search->n_streams; i++)
		lq_key_stream_open(&search->streams[i], search->funnel, statements[i]);
}

static void
note(Search *search, Oddity oddity, Datum key)
{
	Found	   *found = &search->found[oddity];

	if (found->n++ < MAX_KEYS)
		found->keys = accumArrayResult(found->keys,
									   CStringGetTextDatum(lq_key_text(search->funnel, key)),
									   false, TEXTOID, search->context);
}

static bool
has_deals(const LqStreamRow *lead)
{
	return DatumGetInt32(lead->values[LEAD_DEALS_WON]) > 0 ||
		DatumGetInt32(lead->values[LEAD_DEALS_OPEN]) > 0 ||
		DatumGetInt32(lead->values[LEAD_DEALS_LOST]) > 0;
}

/*
 * May the lead's stage not be what its deals say?  Whom somebody moved need
 * not have any.
 */
static bool
may_be_astray(const Search *search, const LqStreamRow *lead,
			  const LqStage *stage)
{
	const LqKeyStream *moves = &search->streams[MOVES];
	bool		any = has_deals(lead);

	if (any && stage->milestone != LQ_MILESTONE_CUSTOMER)
		return true;
	if (DatumGetInt32(lead->values[LEAD_DEALS_WON]) > 0 ||
		(stage->milestone != LQ_MILESTONE_OPPORTUNITY &&
		 stage->milestone != LQ_MILESTONE_CUSTOMER &&
		 stage->milestone != LQ_MILESTONE_LOST))
		return false;
	for (int i = 0; i < moves->n_rows; i++)
		any |= DatumGetBool(moves->rows[i].values[LQ_MOVE_AUTOMATIC]) &&
			stage_of(search, &moves->rows[i], LQ_MOVE_TO_STAGE) == stage;
	return any;
}

static void
look_at(Search *search, Datum key)
{
	const LqFunnel *funnel = search->funnel;
	const LqKeyStream *lead = &search->streams[LEADS];

	if (!right_moves(search) || !right_units(search))
		note(search, ODD_MOVES, key);
	if (lead->n_rows > 0)
	{
		const LqStreamRow *row = &lead->rows[0];
		const LqStage *stage = row->nulls[LEAD_STAGE] ? NULL :
		stage_of(search, row, LEAD_STAGE);

		if (stage == NULL)
			note(search, ODD_STAGE, key);
		if (funnel->definition != NULL &&
			(row->nulls[LEAD_VERSION] ||
			 DatumGetInt32(row->values[LEAD_VERSION]) != funnel->version))
			note(search, ODD_CARD, key);
		if (stage != NULL && may_be_astray(search, row, stage))
			note(search, ODD_DEALS, key);
		if (search->deep &&
			(search->streams[CONTACTS].n_rows > 0 || has_deals(row) ||
			 DatumGetBool(row->values[LEAD_HAS_WON])))
			note(search, ODD_COUNTS, key);
	}
}

/*
 * Go through the leads; false if the tables do not sort keys as the index of
 * the lead table does.
 */
static bool
search_leads(Search *search)
{
	const LqFunnel *funnel = search->funnel;
	bool		begun = false;
	bool		ordered = true;
	Datum		last = (Datum) 0;
	Datum		key;

	open_streams(search);
	while (ordered && lq_key_streams_next(search->streams, search->n_streams,
										  &key))
	{
		ordered = !begun || lq_key_cmp(funnel, last, key) < 0;
		if (begun && !funnel->key_typbyval)
			pfree(DatumGetPointer(last));
		last = datumCopy(key, funnel->key_typbyval, funnel->key_typlen);
		begun = true;
		if (ordered)
			look_at(search, key);
	}
	for (int i = 0; i < search->n_streams; i++)
		lq_key_stream_close(&search->streams[i]);
	return ordered;
}

/*
 * _odd_leads(funnel text, deep boolean) - record
 *
 * The keys of leads that a closer look is due at, for each of the oddities;
 * NULL: at all.  Unless deep, a first touch is not sought in the log of
 * activities.  A part of check_funnel().
 */
Datum
_odd_leads(PG_FUNCTION_ARGS)
{
	Search		search = {0};
	LqResult	result;
	LqIdentity	saved;
	bool		complete;

	search.funnel = lq_funnel_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	search.deep = PG_GETARG_BOOL(1);
	search.n_streams = search.deep ? N_SOURCES : SALES_LOG;
	lq_funnel_check_owner(search.funnel, "check_funnel");
	lq_funnel_check_settings(search.funnel);
	lq_result_begin(&result, fcinfo);
	lq_unit_shape(&search.shape);
	search.context = CurrentMemoryContext;

	lq_funnel_enter(search.funnel, &saved);
	complete = search_leads(&search);
	lq_funnel_leave(&saved);

	for (int i = 0; i < N_ODDITIES; i++)
	{
		const Found *found = &search.found[i];

		if (!complete || found->n > MAX_KEYS)
			lq_result_add_null(&result);
		else
			lq_result_add(&result, found->n == 0 ?
						  PointerGetDatum(construct_empty_array(TEXTOID)) :
						  makeArrayResult(found->keys, CurrentMemoryContext));
	}
	lq_result_end_row(&result);
	return (Datum) 0;
}
