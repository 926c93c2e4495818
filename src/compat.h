/*
 * compat.h
 *		Differences between PostgreSQL versions.
 *
 * Every PG_VERSION_NUM test of the source tree stands in this file.
 */
#ifndef LQ_COMPAT_H
#define LQ_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "lead_qual needs PostgreSQL 15 or later"
#endif

/*
 * Soft errors came with 16.  Before that an input function raises.
 */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#else
#define ereturn(context, dummy_value, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#endif

/*
 * DecodeDateTime() gained an argument in 16.
 */
#if PG_VERSION_NUM >= 160000
#define lq_decode_datetime(field, ftype, nf, dtype, tm, fsec, tz) \
	({ DateTimeErrorExtra extra_; \
	   DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tz, &extra_); })
#else
#define lq_decode_datetime(field, ftype, nf, dtype, tm, fsec, tz) \
	DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tz)
#endif

/*
 * VARSIZE() and its kin moved out of postgres.h in 16.
 */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/*
 * What a check hook hands on as "extra" is freed by the server: with free()
 * up to 15, later by a memory context of its own.
 */
#if PG_VERSION_NUM >= 160000
#define lq_guc_malloc(size) guc_malloc(LOG, size)
#define lq_guc_free(pointer) guc_free(pointer)
#else
#define lq_guc_malloc(size) malloc(size)
#define lq_guc_free(pointer) free(pointer)
#endif

/*
 * The number of this backend's transaction moved into a struct in 17.
 */
#if PG_VERSION_NUM >= 170000
#define lq_local_xid() (MyProc->vxid.lxid)
#else
#define lq_local_xid() (MyProc->lxid)
#endif

/*
 * Is this an operator that an ordering index knows?  Not only of btrees since
 * 18.
 */
#if PG_VERSION_NUM >= 180000
#define lq_is_index_operator(opno) (get_op_index_interpretation(opno) != NIL)
#else
#define lq_is_index_operator(opno) (get_op_btree_interpretation(opno) != NIL)
#endif

/*
 * Functions that do not return are marked in front since 18.
 */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/*
 * DomainHasConstraints() tells more since 19 to those who want to know.
 */
#if PG_VERSION_NUM >= 190000
#define lq_domain_has_constraints(type) DomainHasConstraints(type, NULL)
#else
#define lq_domain_has_constraints(type) DomainHasConstraints(type)
#endif

/*
 * NOT NULL may be NOT VALID since 18.
 */
#if PG_VERSION_NUM >= 180000
#define lq_attribute_not_null(desc, i) \
	(TupleDescAttr(desc, i)->attnotnull && \
	 TupleDescCompactAttr(desc, i)->attnullability != ATTNULLABLE_INVALID)
#else
#define lq_attribute_not_null(desc, i) (TupleDescAttr(desc, i)->attnotnull)
#endif

/*
 * getIdentitySequence() takes the relation itself since 17.
 */
#if PG_VERSION_NUM >= 170000
#define lq_identity_sequence(rel, attno) getIdentitySequence(rel, attno, true)
#else
#define lq_identity_sequence(rel, attno) \
	getIdentitySequence(RelationGetRelid(rel), attno, true)
#endif

/*
 * The scanner warns of backslashes in plain strings no more since 19.
 */
#if PG_VERSION_NUM >= 190000
#define lq_no_escape_warning(extra) ((void) 0)
#else
#define lq_no_escape_warning(extra) ((extra).escape_string_warning = false)
#endif

#endif							/* LQ_COMPAT_H */
