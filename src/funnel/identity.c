/*
 * identity.c
 *		Who our code acts as, and who may ask for what.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/identity.h"
#include "lead_qual.h"

PG_FUNCTION_INFO_V1(_require_funnel_owner);
PG_FUNCTION_INFO_V1(_refuse_superuser);
PG_FUNCTION_INFO_V1(_owns_table);
PG_FUNCTION_INFO_V1(_check_settings);
PG_FUNCTION_INFO_V1(_lock_view);
PG_FUNCTION_INFO_V1(actor);

static void
act_as_owner(const LqFunnel *funnel, LqIdentity *saved, int restricted)
{
	char	   *path = psprintf("pg_catalog, %s, pg_temp",
								quote_identifier(funnel->name));

	GetUserIdAndSecContext(&saved->userid, &saved->sec_context);
	saved->guc_level = NewGUCNestLevel();
	SetUserIdAndSecContext(funnel->owner,
						   saved->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS |
						   restricted);
	(void) set_config_option("search_path", path,
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	pfree(path);
}

/*
 * Act as the funnel's owner, as referential integrity does, and connect to
 * SPI: an application needs INSERT on activity and nothing else.  Row security
 * that owners put on themselves does not bind us.  Triggers of the user's own
 * that our updates fire run as the owner too, so the caller's search path must
 * not reach them.
 */
void
lq_funnel_enter(const LqFunnel *funnel, LqIdentity *saved)
{
	act_as_owner(funnel, saved, 0);
	SPI_connect();
}

void
lq_funnel_leave(const LqIdentity *saved)
{
	SPI_finish();
	lq_funnel_leave_restricted(saved);
}

/*
 * The same, without SPI, to analyse or compile a condition, which may run code of the
 * owner's: to read a literal of a domain is to check it.  That code must not
 * get at who looks at the funnel, nor at the session.
 */
void
lq_funnel_enter_restricted(const LqFunnel *funnel, LqIdentity *saved)
{
	act_as_owner(funnel, saved, SECURITY_RESTRICTED_OPERATION);
}

void
lq_funnel_leave_restricted(const LqIdentity *saved)
{
	AtEOXact_GUC(true, saved->guc_level);
	SetUserIdAndSecContext(saved->userid, saved->sec_context);
}

/*
 * Is a role an owner of what that one owns?  As PostgreSQL has it for every
 * object: it has the owner's privileges.  A member that does not inherit them
 * says SET ROLE first.  No other place decides this.
 */
bool
lq_is_owner(Oid role, Oid owner)
{
	return has_privs_of_role(role, owner);
}

/*
 * Is the code that runs now acting as that owner by our doing (or by a
 * function of the owner's own), rather than at a client's bidding?
 */
bool
lq_acting_for(Oid owner)
{
	return InLocalUserIdChange() && GetUserId() == owner;
}

/*
 * A clock or an import by somebody who may not is an error, never ignored: he
 * would believe that it was in force.  Here a member will do that does not
 * inherit the owner's privileges: it acts as itself, not as the owner.
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

/* Raise unless the caller is an owner of the funnel. */
static void
check_owner(Oid owner, const char *funnel, const char *function)
{
	if (lq_is_owner(GetUserId(), owner))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for funnel \"%s\"", funnel),
			 errdetail("%s() is for role \"%s\", which owns the funnel, and for who has its privileges.",
					   function, GetUserNameFromId(owner, false)),
			 is_member_of_role(GetUserId(), owner) ?
			 errhint("SET ROLE %s.",
					 quote_identifier(GetUserNameFromId(owner, false))) : 0));
}

void
lq_funnel_check_owner(const LqFunnel *funnel, const char *function)
{
	check_owner(funnel->owner, funnel->name, function);
}

/* The owner of a table. */
static Oid
table_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid)));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * _require_funnel_owner(schema oid, function text) - void
 *
 * The same for functions in SQL.
 */
Datum
_require_funnel_owner(PG_FUNCTION_ARGS)
{
	Oid			schema;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("schema of a funnel and name of a function must not be null")));
	schema = PG_GETARG_OID(0);
	check_owner(table_owner(get_relname_relid("setting", schema)),
				get_namespace_name(schema),
				text_to_cstring(PG_GETARG_TEXT_PP(1)));
	PG_RETURN_VOID();
}

/*
 * A superuser who is not the owner would run code of the owner's with rights
 * that the owner lacks.  SET ROLE keeps that from happening by oversight; code
 * that means harm could say RESET ROLE.
 */
void
lq_refuse_superuser(Oid owner, const char *funnel, const char *function,
					const char *detail)
{
	const char *role = quote_identifier(GetUserNameFromId(owner, false));

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s() is not run by a superuser in funnel \"%s\"",
					function, funnel),
			 errdetail_internal("%s", detail),
			 errhint("Connect as %s; where its code is trusted, SET ROLE %s will do.",
					 role, role)));
}

/*
 * _refuse_superuser(funnel text, function text) - void
 *
 * For functions in SQL that write to tables of the owner's as their caller.
 */
Datum
_refuse_superuser(PG_FUNCTION_ARGS)
{
	char	   *funnel;
	Oid			schema;
	Oid			setting;
	Oid			owner;

	if (!superuser())
		PG_RETURN_VOID();
	funnel = text_to_cstring(PG_GETARG_TEXT_PP(0));
	schema = get_namespace_oid(funnel, true);
	setting = OidIsValid(schema) ? get_relname_relid("setting", schema) :
		InvalidOid;
	/* that there is no such funnel is told by what comes next */
	if (!OidIsValid(setting))
		PG_RETURN_VOID();
	owner = table_owner(setting);
	if (!superuser_arg(owner))
		lq_refuse_superuser(owner, funnel,
							text_to_cstring(PG_GETARG_TEXT_PP(1)),
							psprintf("It would run triggers and other code of \"%s\", which owns the funnel, as \"%s\".",
									 GetUserNameFromId(owner, false),
									 GetUserNameFromId(GetUserId(), false)));
	PG_RETURN_VOID();
}

/*
 * _owns_table(relation oid) - boolean
 */
Datum
_owns_table(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(lq_is_owner(GetUserId(), table_owner(PG_GETARG_OID(0))));
}

/*
 * _check_settings(relation oid) - void
 *
 * For triggers in SQL, by the table that they are fired on.
 */
Datum
_check_settings(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);

	lq_check_settings(table_owner(relid),
					  get_namespace_name(get_rel_namespace(relid)));
	PG_RETURN_VOID();
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

/*
 * _lock_view(view oid) - void
 *
 * Lock a view of one's own against everybody else, and nothing of what it
 * reads, which LOCK TABLE would do.
 */
Datum
_lock_view(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);

	if (!lq_is_owner(GetUserId(), table_owner(relid)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for relation with OID %u", relid)));
	LockRelationOid(relid, AccessExclusiveLock);
	PG_RETURN_VOID();
}

/* _actor() - text */
Datum
actor(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(lq_actor()));
}
