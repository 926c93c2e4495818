/*
 * catalog.h
 *		The extension and its members, found in the catalogs.
 */
#ifndef LQ_CATALOG_H
#define LQ_CATALOG_H

/* Never by name: their schema may be one where anybody creates objects. */
extern Oid	lq_extension_schema(void);
extern bool lq_is_member(Oid class_id, Oid object_id);

#endif							/* LQ_CATALOG_H */
