/*
 * compile.c
 *		Conditions of a funnel are compiled as its owner.
 */
#include "postgres.h"

#include "condition/eval.h"
#include "condition/pseudo.h"
#include "condition/scope.h"
#include "funnel/compile.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "funnel/scope.h"
#include "subtransaction.h"

typedef struct Compilation
{
	const LqFunnel *funnel;
	LqConditionScope scope;
	const char *sql;
	const char *text;
	const char *label;
	MemoryContext context;
	LqCondition *result;
} Compilation;

/* A list that a stored condition names is empty where it has no values. */
static bool
any_list(void *arg, const char *name)
{
	return true;
}

static void
compile(void *arg)
{
	Compilation *c = arg;
	MemoryContext old;
	LqIdentity	saved;

	lq_funnel_enter_restricted(c->funnel, &saved);
	old = MemoryContextSwitchTo(c->context);
	c->result = lq_condition_compile(c->sql, c->text, &c->scope, c->label);
	MemoryContextSwitchTo(old);
	lq_funnel_leave_restricted(&saved);
}

/*
 * Compile a stored condition of the active definition, in that context; NULL,
 * with the failure, where it does not compile.  What says nothing of the
 * condition (no memory, a lock, a cancelled query) is raised, so that the
 * next one tries again.
 */
LqCondition *
lq_funnel_compile(const LqFunnel *funnel, LqConditionFor target, Relation rel,
				  const char *sql, const char *text, const char *label,
				  MemoryContext context, LqFailure *failure)
{
	Compilation c = {funnel};

	if (sql == NULL)
	{
		failure->sqlerrcode = ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
		failure->message = pstrdup("It has not been checked: its trigger did not fire.");
		return NULL;
	}
	lq_funnel_scope(funnel, target, rel, funnel->definition, &c.scope);
	c.scope.list_was = any_list;
	c.sql = sql;
	c.text = text;
	c.label = label;
	c.context = context;
	return lq_try(LQ_TRY_CONDITION, compile, &c, failure) ? c.result : NULL;
}
