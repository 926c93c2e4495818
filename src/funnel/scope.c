/*
 * scope.c
 *		The names that conditions of a funnel may use.
 */
#include "postgres.h"


#include "condition/pseudo.h"
#include "condition/scope.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/funnel_entry.h"
#include "funnel/identity.h"
#include "funnel/model_rows.h"
#include "funnel/scope.h"
#include "funnel/tables.h"

/*
 * The names that a condition may use.  Those of rules come from the
 * definition that the condition belongs to, which need not be the active one.
 */
void
lq_funnel_scope(const LqFunnel *funnel, LqConditionFor target,
				Relation relation, const char *definition,
				LqConditionScope *scope)
{
	memset(scope, 0, sizeof(*scope));
	scope->target = target;
	scope->relation = relation;
	scope->n_lists = funnel->n_lists;
	scope->lists = funnel->lists;
	scope->table_desc[LQ_SOURCE_ACCOUNT] = funnel->account_desc;
	scope->table_desc[LQ_SOURCE_KIND] = funnel->kind_desc;
	scope->table[LQ_SOURCE_ACCOUNT] = funnel->relid[LQ_TABLE_ACCOUNT];
	scope->table[LQ_SOURCE_KIND] = funnel->relid[LQ_TABLE_KIND];
	scope->table[LQ_SOURCE_LIST] = funnel->relid[LQ_TABLE_LIST];
	if (target != LQ_FOR_ACTIVITY)
		scope->column_names = funnel->lead_names;

	scope->n_frameworks = lq_n_frameworks(funnel);
	scope->frameworks = palloc(LQ_N_FRAMEWORKS * sizeof(LqNamedFramework));
	for (int f = 0; f < scope->n_frameworks; f++)
	{
		scope->frameworks[f].name = lq_column_name(LQ_LEAD_FRAMEWORK(f));
		scope->frameworks[f].type = funnel->framework_type[f];
	}

	if (target != LQ_FOR_TRANSITION || definition == NULL)
		return;
	if (lq_funnel_rules_current(funnel) && funnel->definition != NULL &&
		strcmp(funnel->definition, definition) == 0)
	{
		scope->n_rules = funnel->n_rules;
		scope->rules = palloc(Max(funnel->n_rules, 1) * sizeof(LqNamedRule));
		for (int i = 0; i < funnel->n_rules; i++)
		{
			scope->rules[i].name = funnel->rules[i].name;
			scope->rules[i].rule_id = funnel->rules[i].card.rule_id;
		}
	}
	else
	{
		MemoryContext caller = CurrentMemoryContext;
		LqNamedRule *rules;
		LqIdentity	saved;

		lq_funnel_enter(funnel, &saved);
		MemoryContextSwitchTo(caller);
		scope->n_rules = lq_model_read_rule_names(funnel, definition, &rules);
		scope->rules = rules;
		lq_funnel_leave(&saved);
	}
}
