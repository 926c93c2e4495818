/*
 * identity.c
 *		Who our code acts as, and who may ask for what.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "lead_qual.h"

/*
 * Act as the funnel's owner, as referential integrity does: an application
 * needs INSERT on activity and nothing else.  Row security that the owner
 * put on himself does not bind us.  Triggers of the user's own that our
 * updates fire run as the owner too, so the caller's search path must not
 * reach them.
 */
void
lq_funnel_enter(const LqFunnel *funnel, LqIdentity *saved)
{
	char	   *path = psprintf("pg_catalog, %s, pg_temp",
								quote_identifier(funnel->name));

	GetUserIdAndSecContext(&saved->userid, &saved->sec_context);
	saved->guc_level = NewGUCNestLevel();
	SetUserIdAndSecContext(funnel->owner,
						   saved->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	(void) set_config_option("search_path", path,
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	pfree(path);
}

/*
 * The same to analyse or compile a condition, which may run code of the
 * owner's: to read a literal of a domain is to check it.  That code must not
 * get at who looks at the funnel, nor at the session.
 */
void
lq_funnel_enter_restricted(const LqFunnel *funnel, LqIdentity *saved)
{
	Oid			userid;
	int			sec_context;

	lq_funnel_enter(funnel, saved);
	GetUserIdAndSecContext(&userid, &sec_context);
	SetUserIdAndSecContext(userid,
						   sec_context | SECURITY_RESTRICTED_OPERATION);
}

void
lq_funnel_leave(const LqIdentity *saved)
{
	AtEOXact_GUC(true, saved->guc_level);
	SetUserIdAndSecContext(saved->userid, saved->sec_context);
}

/*
 * A clock or an import by somebody who may not is an error, never ignored: he
 * would believe that it was in force.
 */
void
lq_check_settings(Oid owner, const char *funnel)
{
	if (!lq_clock_is_set() && !lq_import_setting)
		return;
	if (!is_member_of_role(GetOuterUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to use \"%s\" in funnel \"%s\"",
						lq_import_setting ? "lead_qual.import" : "lead_qual.clock",
						funnel),
				 errdetail("Only members of role \"%s\", which owns the funnel, may.",
						   GetUserNameFromId(owner, false)),
				 errhint("RESET %s.",
						 lq_import_setting ? "lead_qual.import" : "lead_qual.clock")));
}

void
lq_funnel_check_settings(const LqFunnel *funnel)
{
	lq_check_settings(funnel->owner, funnel->name);
}

/* Raise unless the caller may act as the funnel's owner. */
void
lq_funnel_check_owner(const LqFunnel *funnel, const char *function)
{
	if (!is_member_of_role(GetUserId(), funnel->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for funnel \"%s\"", funnel->name),
				 errdetail("%s() is for members of role \"%s\", which owns the funnel.",
						   function,
						   GetUserNameFromId(funnel->owner, false))));
}

bool
lq_funnel_importing(const LqFunnel *funnel)
{
	lq_funnel_check_settings(funnel);
	return lq_import_setting;
}

/* Who acts: the end user an application named, or the role. */
const char *
lq_actor(void)
{
	if (lq_actor_setting != NULL && *lq_actor_setting != '\0')
		return lq_actor_setting;
	return GetUserNameFromId(GetOuterUserId(), false);
}
