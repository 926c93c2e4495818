/*
 * catalog.c
 *		The extension and its members, found in the catalogs.
 *
 * Nothing of ours is ever found by a bare name: its schema may be one where
 * anybody may create objects.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "catalog.h"

static Oid
extension_oid(void)
{
	return get_extension_oid("lead_qual", false);
}

/*
 * The schema that the extension's objects stand in.
 */
Oid
lq_extension_schema(void)
{
	Oid			extension = extension_oid();
	Oid			schema = InvalidOid;
	Relation	rel;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(rel, ExtensionOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		schema = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	if (!OidIsValid(schema))
		elog(ERROR, "could not find extension %u", extension);
	return schema;
}

/*
 * Is the object a member of this extension?
 */
bool
lq_is_member(Oid class_id, Oid object_id)
{
	return getExtensionOfObject(class_id, object_id) == extension_oid();
}
