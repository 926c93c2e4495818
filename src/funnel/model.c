/*
 * model.c
 *		What a backend knows of a funnel: its policy, shapes and conditions.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "access/xact.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "compat.h"
#include "condition/eval.h"
#include "condition/part.h"
#include "condition/pseudo.h"
#include "condition/reads.h"
#include "funnel/columns.h"
#include "funnel/compile.h"
#include "funnel/depends.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/lead_table.h"
#include "funnel/model.h"
#include "funnel/model_rows.h"
#include "funnel/policy.h"
#include "funnel/tables.h"
#include "subtransaction.h"
#include "type/scorecard.h"


/* The shapes of the tables whose columns conditions may name. */
static void
read_shapes(LqFunnel *funnel)
{
	Relation	rel;
	TypeCacheEntry *type;
	MemoryContext old = MemoryContextSwitchTo(funnel->context);

	/* locks on what rows are taken apart by stay: see lock_shapes() */
	rel = table_open(funnel->relid[LQ_TABLE_ACCOUNT], AccessShareLock);
	funnel->account_desc = CreateTupleDescCopy(RelationGetDescr(rel));
	lq_depends_on_types(funnel, funnel->account_desc);
	table_close(rel, NoLock);
	rel = table_open(funnel->relid[LQ_TABLE_KIND], AccessShareLock);
	funnel->kind_desc = CreateTupleDescCopy(RelationGetDescr(rel));
	lq_depends_on_types(funnel, funnel->kind_desc);
	table_close(rel, AccessShareLock);
	rel = table_open(funnel->relid[LQ_TABLE_LEAD], AccessShareLock);
	funnel->lead_desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	lq_depends_on_types(funnel, funnel->lead_desc);
	table_close(rel, NoLock);
	rel = table_open(funnel->relid[LQ_TABLE_ACTIVITY], AccessShareLock);
	funnel->activity_desc = CreateTupleDescCopy(RelationGetDescr(rel));
	lq_depends_on_types(funnel, funnel->activity_desc);
	table_close(rel, AccessShareLock);

	lq_columns_prove(funnel, LQ_TABLE_LEAD);
	funnel->key_attno = lq_lead_attno(funnel, lq_lead_key_column(funnel));
	if (funnel->key_attno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						funnel->key_name, "lead"),
				 errhint("setting.lead_key names the key of the lead table.")));
	if (OidIsValid(funnel->lead_view))
		funnel->key_name = pstrdup(NameStr(TupleDescAttr(funnel->lead_desc,
														 funnel->key_attno - 1)->attname));
	funnel->key_type = TupleDescAttr(funnel->lead_desc,
									 funnel->key_attno - 1)->atttypid;
	funnel->key_collation = TupleDescAttr(funnel->lead_desc,
										  funnel->key_attno - 1)->attcollation;
	type = lookup_type_cache(funnel->key_type, TYPECACHE_CMP_PROC);
	if (!OidIsValid(type->cmp_proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("could not identify a comparison function for type %s",
						format_type_be(funnel->key_type))));
	lq_columns_prove_keys(funnel);
	funnel->key_typlen = type->typlen;
	funnel->key_typbyval = type->typbyval;
	fmgr_info_cxt(type->cmp_proc, &funnel->key_cmp, funnel->context);
	lq_depends_on_function(funnel, type->cmp_proc);
	MemoryContextSwitchTo(old);
}

/*
 * Compile a stored condition.  One that no longer compiles (a function or a
 * column is gone) must not stop the leads: it is marked, skipped and
 * reported by check_funnel().
 */
static LqCondition *
compile(LqFunnel *funnel, LqConditionFor target, Relation rel,
		const char *sql, const char *text, const char *label, bool *broken)
{
	LqFailure	failure;
	LqCondition *result;
	LqTable		policy = target == LQ_FOR_TRANSITION ? LQ_TABLE_TRANSITION :
	LQ_TABLE_RULE;

	result = lq_funnel_compile(funnel, target, rel, sql, text, label,
							   funnel->context, &failure);
	if (result != NULL)
	{
		lq_depends_on_items(funnel, lq_condition_depends(result));
		return result;
	}
	*broken = true;
	funnel->any_broken = true;
	ereport(WARNING,
			(errcode(failure.sqlerrcode),
			 errmsg("condition of %s in funnel \"%s\" does not compile and is skipped",
					label, funnel->name),
			 lq_may_read_table(funnel->relid[policy]) &&
			 lq_may_read_table(funnel->relid[LQ_TABLE_LIST]) ?
			 errdetail_internal("%s", failure.message) : 0,
			 errhint("See check_funnel().")));
	return NULL;
}

/*
 * Note a column of account that a condition reads.  Nothing stores a virtual
 * generated one: note those that it is made of.
 */
static void
note_account_column(LqFunnel *funnel, Relation account, AttrNumber column)
{
	char		generated = TupleDescAttr(RelationGetDescr(account),
										  column - 1)->attgenerated;
	Bitmapset  *reads = NULL;
	int			i = -1;

	if (generated == '\0' || generated == ATTRIBUTE_GENERATED_STORED)
	{
		funnel->account_columns =
			bms_add_member(funnel->account_columns, column);
		return;
	}
	pull_varattnos(build_column_default(account, column), 1, &reads);
	while ((i = bms_next_member(reads, i)) >= 0)
		funnel->account_columns =
			bms_add_member(funnel->account_columns,
						   i + FirstLowInvalidHeapAttributeNumber);
}

static void
note_account_columns(LqFunnel *funnel, Relation account,
					 const LqCondition *condition)
{
	for (int p = 0; p < lq_condition_n_parts(condition); p++)
	{
		const LqConditionPart *part = lq_condition_part(condition, p);

		for (int i = 0; i < part->n_pseudos; i++)
			if (part->pseudos[i]->kind == LQ_PSEUDO_ACCOUNT)
				note_account_column(funnel, account,
									part->pseudos[i]->attno);
	}
}

static void
compile_conditions(LqFunnel *funnel)
{
	Relation	lead = table_open(funnel->relid[LQ_TABLE_LEAD],
								  AccessShareLock);
	Relation	activity = table_open(funnel->relid[LQ_TABLE_ACTIVITY],
									  AccessShareLock);
	Relation	account = table_open(funnel->relid[LQ_TABLE_ACCOUNT],
									 AccessShareLock);
	MemoryContext old = MemoryContextSwitchTo(funnel->context);

	for (int i = 0; i < funnel->n_rules; i++)
	{
		LqRule	   *rule = &funnel->rules[i];
		bool		fit = rule->card.axis == LQ_AXIS_FIT;

		/* such a rule came in past its trigger: no card has room for it */
		if (i >= LQ_CARD_MAX_ENTRIES)
			rule->broken = true;
		if (!rule->has_condition || !rule->enabled || rule->broken)
			continue;
		rule->condition = compile(funnel,
								  fit ? LQ_FOR_FIT : LQ_FOR_ACTIVITY,
								  fit ? lead : activity,
								  rule->condition_sql, rule->condition_text,
								  psprintf("rule \"%s\"", rule->name),
								  &rule->broken);
		if (fit && rule->condition != NULL)
			funnel->fit_columns =
				bms_add_members(funnel->fit_columns,
								lq_condition_columns(rule->condition));
		if (fit && rule->condition != NULL)
			note_account_columns(funnel, account, rule->condition);
		for (int p = 0; fit && rule->condition != NULL &&
			 p < lq_condition_n_parts(rule->condition); p++)
		{
			const LqConditionPart *part =
			lq_condition_part(rule->condition, p);

			/* what the account says is found through its id */
			if (part->n_pseudos > 0)
				funnel->fit_columns =
					bms_add_member(funnel->fit_columns,
								   funnel->attno[LQ_LEAD_ACCOUNT_ID]);
		}
	}
	for (int i = 0; i < funnel->n_transitions; i++)
	{
		LqTransition *transition = &funnel->transitions[i];

		if (transition->broken || !transition->has_condition)
			continue;
		transition->condition =
			compile(funnel, LQ_FOR_TRANSITION, lead,
					transition->condition_sql, transition->condition_text,
					psprintf("transition " INT64_FORMAT,
							 transition->transition_id),
					&transition->broken);
		if (transition->condition != NULL)
			note_account_columns(funnel, account, transition->condition);
	}
	MemoryContextSwitchTo(old);
	table_close(account, AccessShareLock);
	table_close(activity, AccessShareLock);
	table_close(lead, AccessShareLock);
}

/*
 * After detach_funnel() the view shows what the leads were.
 */
static void
check_attached(const LqFunnel *funnel)
{
	if (!OidIsValid(funnel->lead_view) || funnel->unset ||
		funnel->attached_to == funnel->relid[LQ_TABLE_LEAD])
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("funnel \"%s\" is not attached to a table of leads",
					funnel->name),
			 errdetail("View \"lead\" reads table \"%s\", setting.lead_table names another or none.",
					   get_rel_name(funnel->relid[LQ_TABLE_LEAD])),
			 errhint("After detach_funnel() it can be read, and dropped with drop_funnel().")));
}

/*
 * Fill in a funnel whose tables are known.
 */
void
lq_model_load(LqFunnel *funnel)
{
	LqIdentity	saved;

	lq_funnel_enter(funnel, &saved);
	lq_types_find(funnel);
	lq_model_read_policy(funnel);
	check_attached(funnel);
	read_shapes(funnel);
	compile_conditions(funnel);
	lq_funnel_leave(&saved);
}
