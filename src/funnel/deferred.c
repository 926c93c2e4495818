/*
 * deferred.c
 *		Triggers that would run after our code has stopped acting as the owner.
 *
 * What a function of ours writes is written as the funnel's owner, and so run
 * the triggers of the owner's that it fires.  One that is deferred runs at the
 * end of the transaction, as whoever called: for a superuser that is more than
 * its author may do.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/rel.h"

#include "catalog.h"
#include "compat.h"
#include "funnel/deferred.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/tables.h"

static void
refuse_deferred(Relation rel, const LqFunnel *funnel, const char *function)
{
	const TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (!trigger->tgdeferrable || trigger->tgisinternal ||
			trigger->tgenabled == TRIGGER_DISABLED ||
			lq_is_member(ProcedureRelationId, trigger->tgfoid))
			continue;
		lq_refuse_superuser(funnel->owner, funnel->name, function,
							psprintf("Trigger \"%s\" of table \"%s\" may be deferred: it would run as \"%s\" when the transaction ends.",
									 trigger->tgname,
									 RelationGetRelationName(rel),
									 GetUserNameFromId(GetUserId(), false)));
	}
}

void
lq_refuse_deferred(const LqFunnel *funnel, const char *function)
{
	if (!superuser_arg(GetUserId()) || superuser_arg(funnel->owner))
		return;
	for (int table = 0; table < LQ_N_TABLES; table++)
	{
		/* each partition may have triggers of its own */
		List	   *relids = find_all_inheritors(funnel->relid[table],
												 AccessShareLock, NULL);
		ListCell   *cell;

		foreach(cell, relids)
		{
			Relation	rel = table_open(lfirst_oid(cell), NoLock);

			refuse_deferred(rel, funnel, function);
			table_close(rel, NoLock);
		}
	}
}
