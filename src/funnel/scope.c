/*
 * scope.c
 *		The names that conditions of a funnel may use.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "condition/parse.h"
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
 * A list that lost its last value is empty, and not unknown, for whoever has
 * to write a condition that names it: as long as another one does (its copy,
 * its draft, the same before the change), or the log tells of its values.
 */
static bool
list_was(void *arg, const char *name)
{
	const LqFunnel *funnel = arg;
	MemoryContext caller = CurrentMemoryContext;
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(name);
	LqIdentity	saved;
	bool		found = false;
	int			result;

	lq_funnel_enter(funnel, &saved);
	result = SPI_execute_with_args(psprintf("SELECT condition_sql FROM %s"
											" WHERE strpos(condition_sql, $1) > 0"
											" UNION ALL SELECT condition_sql FROM %s"
											" WHERE strpos(condition_sql, $1) > 0"
											" UNION ALL SELECT concat('list.', quote_ident($1))"
											" WHERE EXISTS (SELECT FROM %s WHERE relation = 'list'::text"
											" AND operation <> 'renamed'::text"
											" AND $1 IN (old_row ->> 'list'::text, new_row ->> 'list'::text))",
											lq_funnel_table(funnel, LQ_TABLE_RULE),
											lq_funnel_table(funnel, LQ_TABLE_TRANSITION),
											lq_funnel_table(funnel, LQ_TABLE_DEFINITION_LOG)),
								   1, &type, &value, NULL, false, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed: %s",
			 SPI_result_code_string(result));
	for (uint64 i = 0; i < SPI_processed && !found; i++)
		found = lq_condition_text_names_list(SPI_getvalue(SPI_tuptable->vals[i],
														  SPI_tuptable->tupdesc,
														  1),
											 name);
	lq_funnel_leave(&saved);
	MemoryContextSwitchTo(caller);
	return found;
}

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
	scope->list_was = list_was;
	scope->list_arg = unconstify(LqFunnel *, funnel);
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
