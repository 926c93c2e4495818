/*
 * signature.c
 *		Who acts for a side: agrees to a move, judges a lead.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/key.h"
#include "funnel/lookup.h"
#include "funnel/policy.h"
#include "funnel/stamp.h"
#include "funnel/statement.h"
#include "funnel/tables.h"
#include "funnel/trigger.h"
#include "lead/lead.h"
#include "lead/signature.h"

PG_FUNCTION_INFO_V1(_lock_cycle);
PG_FUNCTION_INFO_V1(_guard_verdict);

static const char *
role_of_side(const LqFunnel *funnel, const char *side)
{
	for (int i = 0; i < funnel->n_sides; i++)
		if (strcmp(funnel->sides[i].name, side) == 0)
			return funnel->sides[i].role;
	return NULL;
}

/* Who acts for a side, in words. */
const char *
lq_side_members(const LqFunnel *funnel, const char *side)
{
	const char *role = role_of_side(funnel, side);

	return role == NULL ? "a member of the role that owns the funnel" :
		psprintf("a member of role \"%s\"", role);
}

/* A role that is gone has no members. */
bool
lq_side_has_caller(const LqFunnel *funnel, const char *side)
{
	const char *name = role_of_side(funnel, side);
	Oid			role = name == NULL ? funnel->owner :
	get_role_oid(name, true);

	return OidIsValid(role) && is_member_of_role(GetOuterUserId(), role);
}

/*
 * Did that side sign this move, in this cycle?  Whoever asks for the move is
 * not the one to agree to it.
 */
LqSigned
lq_transition_signed(const LqLead *lead, const LqTransition *transition,
					 const char *side)
{
	const LqFunnel *funnel = lead->funnel;
	const char *actor = lq_actor();
	LqSigned	result = LQ_SIGNED_NOT;
	LqIdentity	saved;
	Datum		values[5];
	bool		isnull;
	uint64		n;

	values[0] = lead->values[funnel->key_attno - 1];
	values[1] = CStringGetTextDatum(transition->to->name);
	values[2] = lq_lead_get(lead, LQ_LEAD_CYCLE, &isnull);
	values[3] = CStringGetTextDatum(side);
	/* a lead that went and came again under its key begins a cycle anew */
	values[4] = lq_lead_get(lead, LQ_LEAD_CYCLE_STARTED_AT, &isnull);
	lq_funnel_enter(funnel, &saved);
	n = lq_statement_run_latest(funnel, LQ_STATEMENT_SIGNERS, values, NULL);
	for (uint64 i = 0; i < n && result != LQ_SIGNED; i++)
	{
		char	   *signer = SPI_getvalue(SPI_tuptable->vals[i],
										  SPI_tuptable->tupdesc, 1);

		result = strcmp(signer, actor) == 0 ? LQ_SIGNED_BY_ACTOR : LQ_SIGNED;
	}
	lq_funnel_leave(&saved);
	return result;
}

bool
lq_transition_all_signed(const LqLead *lead, const LqTransition *transition)
{
	for (int i = 0; i < transition->n_sides; i++)
		if (lq_transition_signed(lead, transition,
								 transition->sides[i]) != LQ_SIGNED)
			return false;
	return true;
}

/*
 * _lock_cycle(signature oid, lead text, OUT cycle integer,
 *			   OUT started_at timestamptz)
 *
 * The cycle of a lead, for who signs in it, and since when: no move begins
 * another until the transaction ends.  Read as the owner, since who may sign
 * need not have a right to lock leads; NULL if the lead is gone.
 */
Datum
_lock_cycle(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	LqFunnel   *funnel;
	LqIdentity	saved;
	TupleDesc	desc;
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};
	Datum		key;
	bool		found;
	TimestampTz started_at = 0;

	if (pg_class_aclcheck(relid, GetUserId(), ACL_INSERT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_INSERT,
								  ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	funnel = lq_funnel_by_schema(get_rel_namespace(relid));
	if (relid != funnel->relid[LQ_TABLE_SIGNATURE])
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not the table of signatures of a funnel",
						get_rel_name(relid))));
	key = lq_key_of_text(funnel, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	lq_funnel_enter(funnel, &saved);
	found = lq_statement_run(funnel, LQ_STATEMENT_LOCK_CYCLE, &key, NULL) > 0;
	if (found)
	{
		HeapTuple	row = SPI_tuptable->vals[0];
		TupleDesc	of_row = SPI_tuptable->tupdesc;

		values[0] = SPI_getbinval(row, of_row, 1, &nulls[0]);
		started_at = DatumGetTimestampTz(SPI_getbinval(row, of_row, 2,
													   &nulls[1]));
	}
	lq_funnel_leave(&saved);
	if (found)
		values[1] = TimestampTzGetDatum(started_at);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 nulls));
}

/*
 * _guard_verdict() - BEFORE INSERT OR UPDATE ON verdict FOR EACH ROW
 *
 * Where a side names a role, its members judge for it, or the funnel's owner.
 * Who judged, and when, is put down here.
 */
Datum
_guard_verdict(PG_FUNCTION_ARGS)
{
	LqFunnel   *funnel = lq_funnel_of_trigger(fcinfo, "_guard_verdict");
	static const LqColumn columns[] = {
		LQ_VERDICT_LEAD_ID, LQ_VERDICT_SIDE, LQ_VERDICT_QUALIFIED
	};
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel = trigdata->tg_relation;
	HeapTuple	row = lq_stamp_row(trigdata);
	char	   *side;

	if (lq_funnel_importing(funnel))
		return PointerGetDatum(row);
	side = SPI_getvalue(row, RelationGetDescr(rel),
						lq_column_of(rel, LQ_VERDICT_SIDE));
	if (side != NULL && role_of_side(funnel, side) != NULL &&
		!lq_side_has_caller(funnel, side) &&
		!lq_is_owner(GetOuterUserId(), funnel->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to judge leads for side \"%s\"",
						side),
				 errdetail("Only members of role \"%s\" may.",
						   role_of_side(funnel, side)),
				 errhint("The owner of the funnel names the role in table \"side\".")));
	return PointerGetDatum(lq_stamp(trigdata, LQ_VERDICT_JUDGED_BY,
									LQ_VERDICT_JUDGED_AT,
									columns, lengthof(columns)));
}
