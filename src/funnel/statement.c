/*
 * statement.c
 *		The SQL statements that the C code runs over a funnel's tables.
 *
 * Each is prepared once for a funnel that a session keeps; statement_text.c has
 * their texts.  All run as the funnel's owner under the path that
 * lq_funnel_enter() sets.
 *
 * As in referential integrity triggers, a statement sees all that is
 * committed when it starts.  A writer that waited for a lead's row must see
 * what the one before it wrote, whatever snapshot its own command has.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "compat.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/lead_table.h"
#include "funnel/statement.h"
#include "funnel/statement_text.h"
#include "funnel/tables.h"

/* How many types is this code for? */
static int
code_width(const LqFunnel *funnel, char code)
{
	return code == 'F' ? lq_n_frameworks(funnel) : 1;
}

/* The i-th of them, as lq_type_of_code() knows it. */
static char
code_at(char code, int i)
{
	return code == 'F' ? '0' + i : code;
}

/*
 * What is sought by key is planned once: no other key would have another plan,
 * though the planner may think so of arrays and plan anew each time.  But a
 * log that is read from its end is planned as its reader wants it.
 */
static int
plan_options(LqStatement statement)
{
	char		code = lq_statement_args(statement)[0];

	if (statement == LQ_STATEMENT_LOG_BACKWARDS)
		return CURSOR_OPT_CUSTOM_PLAN;
	return code == 'k' || code == 'K' ? CURSOR_OPT_GENERIC_PLAN : 0;
}

static SPIPlanPtr
statement_plan(const LqFunnel *funnel, LqStatement statement)
{
	SPIPlanPtr	plan = funnel->plans[statement];
	const char *args = lq_statement_args(statement);
	int			nargs = 0;
	Oid			argtypes[FUNC_MAX_ARGS];

	if (plan != NULL)
		return plan;

	for (; *args != '\0'; args++)
		for (int i = 0; i < code_width(funnel, *args); i++)
			argtypes[nargs++] = lq_type_of_code(funnel, code_at(*args, i));
	plan = SPI_prepare_cursor(lq_statement_text(funnel, statement), nargs,
							  argtypes, plan_options(statement));
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	funnel->plans[statement] = plan;
	return plan;
}

/*
 * A constraint of the user's that our write violates reports the row, for the
 * owner may read it.  But it is another who reads the error.
 */
static void
rethrow(const LqFunnel *funnel, MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) ==
		ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION &&
		!lq_is_owner(GetOuterUserId(), funnel->owner))
		error->detail = NULL;
	FlushErrorState();
	ReThrowError(error);
}

static bool
is_row_code(char code)
{
	return code == 'L' || code == 'E' || code == 'O';
}

/* Are rows of that type in the shape that the funnel knows? */
static bool
row_fits(const LqFunnel *funnel, char code, Oid type)
{
	LqTable		table = code == 'L' ? LQ_TABLE_LEAD :
	code == 'E' ? LQ_TABLE_ACTIVITY : LQ_TABLE_ACCOUNT;
	TupleDesc	known = code == 'L' ? funnel->lead_desc :
	code == 'E' ? funnel->activity_desc : funnel->account_desc;
	TupleDesc	desc;
	bool		fits;

	if (type != get_rel_type_id(funnel->relid[table]))
		return false;
	desc = lookup_rowtype_tupdesc(type, -1);
	fits = desc->natts == known->natts;
	for (int i = 0; fits && i < desc->natts; i++)
		fits = TupleDescAttr(desc, i)->atttypid ==
			TupleDescAttr(known, i)->atttypid;
	ReleaseTupleDesc(desc);
	return fits;
}

/*
 * Raise unless a result is what its reader takes it for.  The columns were
 * proven when the funnel was read, but a trigger of the user's may have altered
 * a table since, in the midst of our work.  rows: NULL for those of a cursor.
 */
static void
check_result(const LqFunnel *funnel, LqStatement statement, TupleDesc desc,
			 const SPITupleTable *rows, uint64 n)
{
	const char *code = lq_statement_result(statement);
	int			nth = 0;

	for (int i = 0; *code != '\0'; i++)
	{
		Oid			type = TupleDescAttr(desc, i)->atttypid;
		char		expected = code_at(*code, nth);
		bool		not_null = code[1] == '!';
		bool		fits = is_row_code(expected) ?
		row_fits(funnel, expected, type) :
		lq_type_fits(type, lq_type_of_code(funnel, expected));

		for (uint64 r = 0; not_null && rows != NULL && r < n; r++)
			if (HeapTupleHasNulls(rows->vals[r]) &&
				heap_attisnull(rows->vals[r], i + 1, desc))
				fits = false;
		if (++nth == code_width(funnel, *code))
		{
			nth = 0;
			code += not_null ? 2 : 1;
		}
		if (!fits)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("a table of funnel \"%s\" was altered while it was in use",
							funnel->name),
					 errdetail("Column \"%s\" that was read from it is of type %s, or null.",
							   NameStr(TupleDescAttr(desc, i)->attname),
							   format_type_be(type)),
					 errhint("Alter tables of a funnel in a statement of its own, not in a trigger.")));
	}
}

Datum
lq_statement_get(const SPITupleTable *rows, uint64 row, LqColumn column,
				 bool *isnull)
{
	int			attno = SPI_fnumber(rows->tupdesc, lq_column_name(column));

	if (attno <= 0)
		elog(ERROR, "column \"%s\" was not read", lq_column_name(column));
	return SPI_getbinval(rows->vals[row], rows->tupdesc, attno, isnull);
}

static uint64
run(const LqFunnel *funnel, LqStatement statement, Datum *values,
	const char *nulls, Snapshot snapshot, Snapshot crosscheck)
{
	MemoryContext caller = CurrentMemoryContext;
	int			result = 0;

	PG_TRY();
	{
		result = SPI_execute_snapshot(statement_plan(funnel, statement),
									  values, nulls, snapshot, crosscheck,
									  false, true, 0);
	}
	PG_CATCH();
	{
		rethrow(funnel, caller);
	}
	PG_END_TRY();
	/* SPI leaves its own context current */
	MemoryContextSwitchTo(caller);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s",
			 SPI_result_code_string(result));
	if (SPI_tuptable != NULL)
		check_result(funnel, statement, SPI_tuptable->tupdesc, SPI_tuptable,
					 SPI_processed);
	return SPI_processed;
}

/*
 * Run a statement; its rows are in SPI_tuptable.  The caller has connected to
 * SPI and entered the funnel.
 *
 * SPI leaves its own memory context behind as the current one.  Who works
 * lead by lead frees a context with each, and must be back in it.
 */
uint64
lq_statement_run(const LqFunnel *funnel, LqStatement statement,
				 Datum *values, const char *nulls)
{
	return run(funnel, statement, values, nulls, InvalidSnapshot,
			   InvalidSnapshot);
}

/*
 * Run a statement over what the lock of a lead protects.  A fact of the lead
 * need not have written its row, only locked it; so where a transaction has
 * one snapshot for all, the lock can be had and the snapshot lack the fact.
 * The statement reads what is committed by now, and one that would change a
 * row that the transaction cannot see fails: as in ri_triggers.c.
 */
uint64
lq_statement_run_latest(const LqFunnel *funnel, LqStatement statement,
						Datum *values, const char *nulls)
{
	if (!IsolationUsesXactSnapshot())
		return lq_statement_run(funnel, statement, values, nulls);
	(void) statement_plan(funnel, statement);
	CommandCounterIncrement();
	return run(funnel, statement, values, nulls, GetLatestSnapshot(),
			   GetTransactionSnapshot());
}

Portal
lq_statement_open(const LqFunnel *funnel, LqStatement statement,
				  Datum *values)
{
	Portal		portal = SPI_cursor_open(NULL,
										 statement_plan(funnel, statement),
										 values, NULL, false);

	check_result(funnel, statement, portal->tupDesc, NULL, 0);
	return portal;
}
