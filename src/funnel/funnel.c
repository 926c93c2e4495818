/*
 * funnel.c
 *		What is at hand of a funnel that was looked up.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "funnel/funnel.h"
#include "funnel/policy.h"
#include "funnel/tables.h"

const char *
lq_relation_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  get_rel_name(relid));
}

const char *
lq_funnel_table(const LqFunnel *funnel, LqTable table)
{
	return lq_relation_name(table == LQ_TABLE_LEAD &&
							OidIsValid(funnel->lead_view) ?
							funnel->lead_view : funnel->relid[table]);
}

const LqStage *
lq_funnel_stage(const LqFunnel *funnel, const char *name)
{
	for (int i = 0; i < funnel->n_stages; i++)
		if (strcmp(funnel->stages[i].name, name) == 0)
			return &funnel->stages[i];
	return NULL;
}

/* kinds are sorted by name, bytewise */
const LqKind *
lq_funnel_kind(const LqFunnel *funnel, const char *name)
{
	int			low = 0;
	int			high = funnel->n_kinds - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			cmp = strcmp(name, funnel->kinds[middle].name);

		if (cmp == 0)
			return &funnel->kinds[middle];
		if (cmp < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return NULL;
}

const LqRule *
lq_funnel_rule(const LqFunnel *funnel, int64 rule_id)
{
	for (int i = 0; i < funnel->n_rules; i++)
		if (funnel->rules[i].card.rule_id == rule_id)
			return &funnel->rules[i];
	return NULL;
}
