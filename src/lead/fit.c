/*
 * fit.c
 *		Who the lead is, in points.
 */
#include "postgres.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/policy.h"
#include "lead/fit.h"
#include "lead/lead.h"
#include "lead/pseudo.h"
#include "type/scorecard.h"

/*
 * Weigh who the lead is: every fit rule that holds gives its points.
 */
void
lq_lead_set_fit(LqLead *lead)
{
	const LqFunnel *funnel = lead->funnel;
	LqCardRule *hits = palloc(Max(funnel->n_rules, 1) * sizeof(LqCardRule));
	int			n = 0;

	for (int i = 0; i < funnel->n_rules; i++)
	{
		const LqRule *rule = &funnel->rules[i];

		if (rule->card.axis != LQ_AXIS_FIT || !rule->enabled || rule->broken)
			continue;
		if (!rule->has_condition || lq_lead_holds(lead, rule->condition))
			hits[n++] = rule->card;
	}
	lq_card_set_fit(lead->card, hits, n);
	lead->card_changed = true;
	pfree(hits);
}
