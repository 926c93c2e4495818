/*
 * columns.c
 *		The tables of a funnel and their columns, proven before they are read.
 *
 * The tables are the user's, who may alter them, and anybody may put together
 * tables of these names.  The code takes values apart by their types, so a
 * column of another type, or a NULL where it expects none, would have it read
 * memory at an address of the user's choice.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "compat.h"
#include "funnel/columns.h"
#include "funnel/funnel.h"
#include "funnel/lead_table.h"
#include "funnel/tables.h"
#include "type/frameworks.h"

#define LQ_CODE_OF_FRAMEWORK(symbol) ('0' + LQ_FRAMEWORK_##symbol)

/* *INDENT-OFF* */
static const char *const table_names[] = {
#define LQ_TABLE(symbol, name) name,
#include "funnel/column_list.h"
};

static const struct
{
	LqTable		table;
	const char *name;
	char		type;			/* see lq_type_of_code() */
	bool		not_null;
	int			since;			/* the template that brought it */
}			columns[] = {
#define LQ_COLUMN(table, symbol, name, type, not_null, since) \
	{LQ_TABLE_##table, name, type, not_null, since},
#include "funnel/column_list.h"
};

/* *INDENT-ON* */

const char *
lq_table_name(LqTable table)
{
	return table_names[table];
}

bool
lq_table_by_name(const char *name, LqTable *table)
{
	for (int i = 0; i < LQ_N_TABLES; i++)
	{
		if (strcmp(name, table_names[i]) == 0)
		{
			*table = i;
			return true;
		}
	}
	return false;
}

const char *
lq_column_name(LqColumn column)
{
	return columns[column].name;
}

void
lq_table_columns(LqTable table, LqColumn *first, LqColumn *end)
{
	int			i = 0;

	while (i < LQ_N_COLUMNS && columns[i].table != table)
		i++;
	*first = i;
	while (i < LQ_N_COLUMNS && columns[i].table == table)
		i++;
	*end = i;
}

LqColumn
lq_key_column(LqTable table)
{
	for (int i = 0; i < LQ_N_COLUMNS; i++)
		if (columns[i].table == table && columns[i].type == 'k')
			return i;
	elog(ERROR, "table \"%s\" has no column for a lead", table_names[table]);
	return 0;					/* keep compiler quiet */
}

bool
lq_column_is_there(const LqFunnel *funnel, LqColumn column)
{
	return columns[column].since <= funnel->template_version;
}

int
lq_n_frameworks(const LqFunnel *funnel)
{
	int			n = 0;

	while (n < LQ_N_FRAMEWORKS &&
		   lq_column_is_there(funnel, LQ_LEAD_FRAMEWORK(n)))
		n++;
	return n;
}

/* A type of ours: the extension's schema can hold but one of that name. */
static Oid
own_type(Oid schema, const char *name)
{
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									   CStringGetDatum(name),
									   ObjectIdGetDatum(schema));

	if (!OidIsValid(type))
		elog(ERROR, "type \"%s\" of lead_qual not found", name);
	return type;
}

/* Find the types of ours, once: where the extension is takes a while. */
void
lq_types_find(LqFunnel *funnel)
{
	Oid			schema = lq_extension_schema();

	funnel->scorecard_type = own_type(schema, "scorecard");
	for (int i = 0; i < LQ_N_FRAMEWORKS; i++)
		funnel->framework_type[i] = own_type(schema, lq_frameworks[i]->name);
	funnel->level_type = own_type(schema, "answer_level");
}

/*
 * Codes of types: k the key of a lead, K an array of keys, c scorecard,
 * 0 and so on the frameworks by number, l answer_level, t text, T text[], z timestamptz,
 * n numeric, i integer, I bigint, A bigint[], B boolean, j jsonb, v interval,
 * a name, r regclass, h time, d date.  Only those that are not built in need
 * the funnel.
 */
Oid
lq_type_of_code(const LqFunnel *funnel, char code)
{
	if (funnel != NULL && code >= '0' && code < '0' + LQ_N_FRAMEWORKS)
		return funnel->framework_type[code - '0'];
	switch (code)
	{
		case 'k':
			return funnel->key_type;
		case 'K':
			return get_array_type(funnel->key_type);
		case 'c':
			return funnel->scorecard_type;
		case 'l':
			return funnel->level_type;
		case 't':
			return TEXTOID;
		case 'T':
			return TEXTARRAYOID;
		case 'z':
			return TIMESTAMPTZOID;
		case 'n':
			return NUMERICOID;
		case 'i':
			return INT4OID;
		case 'I':
			return INT8OID;
		case 'A':
			return INT8ARRAYOID;
		case 'B':
			return BOOLOID;
		case 'j':
			return JSONBOID;
		case 'v':
			return INTERVALOID;
		case 'a':
			return NAMEOID;
		case 'r':
			return REGCLASSOID;
		case 'h':
			return TIMEOID;
		case 'd':
			return DATEOID;
	}
	elog(ERROR, "unrecognized type code \"%c\"", code);
	return InvalidOid;			/* keep compiler quiet */
}

/* Can values be taken apart as of that type?  A domain or varchar can. */
bool
lq_type_fits(Oid type, Oid expected)
{
	return type == expected ||
		IsBinaryCoercible(getBaseType(type), getBaseType(expected));
}

static AttrNumber
find_attribute(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);

		if (!attr->attisdropped && strcmp(NameStr(attr->attname), name) == 0)
			return attr->attnum;
	}
	return InvalidAttrNumber;
}

/* otherwise is what helps besides renaming a column. */
static void
refuse_missing(Relation rel, const char *name, const char *otherwise)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of relation \"%s\" does not exist",
					name, RelationGetRelationName(rel)),
			 errdetail("A funnel needs it."),
			 errhint("The columns that create_funnel() made must keep their names: ALTER TABLE %s RENAME%s.",
					 lq_relation_name(RelationGetRelid(rel)), otherwise),
			 errtable(rel)));
}

/*
 * Raise unless a relation has that column, of that type; attno is invalid
 * where there is none of its name.
 */
static void
prove(Relation rel, AttrNumber attno, const char *name, Oid type,
	  bool not_null)
{
	TupleDesc	desc = RelationGetDescr(rel);
	const char *relation = lq_relation_name(RelationGetRelid(rel));
	Form_pg_attribute attr;

	if (attno == InvalidAttrNumber)
		refuse_missing(rel, name,
					   psprintf(", or ADD the column as %s%s",
								format_type_be(type),
								not_null ? " NOT NULL" : ""));
	attr = TupleDescAttr(desc, attno - 1);
	if (!lq_type_fits(attr->atttypid, type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of relation \"%s\" is of type %s, not %s",
						NameStr(attr->attname), RelationGetRelationName(rel),
						format_type_be(attr->atttypid), format_type_be(type)),
				 errdetail("A funnel reads and writes it as %s.",
						   format_type_be(type)),
				 errhint("The columns that create_funnel() made must keep their types: ALTER TABLE %s ALTER COLUMN %s TYPE %s USING ...",
						 relation, quote_identifier(NameStr(attr->attname)),
						 format_type_be(type)),
				 errtablecol(rel, attno)));
	if (not_null && !lq_attribute_not_null(desc, attno - 1))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of relation \"%s\" is not NOT NULL",
						NameStr(attr->attname), RelationGetRelationName(rel)),
				 errdetail("A funnel expects a value in every row."),
				 errhint("The columns that create_funnel() made must keep their constraints: ALTER TABLE %s ALTER COLUMN %s SET NOT NULL.",
						 relation, quote_identifier(NameStr(attr->attname))),
				 errtablecol(rel, attno)));
}

static AttrNumber
prove_column(const LqFunnel *funnel, Relation rel, LqColumn column)
{
	const char *name = columns[column].name;
	AttrNumber	attno = funnel != NULL && columns[column].table == LQ_TABLE_LEAD ?
	lq_lead_attno(funnel, name) : find_attribute(RelationGetDescr(rel), name);

	prove(rel, attno, name, lq_type_of_code(funnel, columns[column].type),
		  columns[column].not_null);
	return attno;
}

/* Prove the columns of a table that hold a key, or those that do not. */
static void
prove_table(LqFunnel *funnel, LqTable table, bool keys)
{
	Relation	rel = table_open(funnel->relid[table], AccessShareLock);
	LqColumn	column;
	LqColumn	end;

	for (lq_table_columns(table, &column, &end); column < end; column++)
		if (lq_column_is_there(funnel, column) &&
			(columns[column].type == 'k') == keys)
			funnel->attno[column] = prove_column(funnel, rel, column);
	table_close(rel, AccessShareLock);
}

void
lq_columns_prove(LqFunnel *funnel, LqTable table)
{
	prove_table(funnel, table, false);
}

/* The key of the leads, and the columns elsewhere that hold one. */
void
lq_columns_prove_keys(LqFunnel *funnel)
{
	Relation	rel = table_open(funnel->relid[LQ_TABLE_LEAD],
								 AccessShareLock);

	prove(rel, funnel->key_attno, funnel->key_name, funnel->key_type, true);
	table_close(rel, AccessShareLock);
	for (int i = 0; i < LQ_N_TABLES; i++)
		prove_table(funnel, i, true);
}

/* What tells the template is proven before it is known. */
void
lq_columns_prove_template(LqFunnel *funnel)
{
	Relation	rel = table_open(funnel->relid[LQ_TABLE_SETTING],
								 AccessShareLock);

	funnel->attno[LQ_SETTING_TEMPLATE_VERSION] =
		prove_column(funnel, rel, LQ_SETTING_TEMPLATE_VERSION);
	table_close(rel, AccessShareLock);
}

bool
lq_columns_stay(LqFunnel *now, const LqFunnel *before)
{
	for (int i = 0; i < LQ_N_TABLES; i++)
		lq_columns_prove(now, i);
	lq_columns_prove_keys(now);
	return memcmp(now->attno, before->attno, sizeof(now->attno)) == 0;
}

AttrNumber
lq_column_of(Relation rel, LqColumn column)
{
	return prove_column(NULL, rel, column);
}

AttrNumber
lq_column_named(Relation rel, LqColumn column)
{
	AttrNumber	attno = find_attribute(RelationGetDescr(rel),
									   columns[column].name);

	if (attno == InvalidAttrNumber)
		refuse_missing(rel, columns[column].name, "");
	return attno;
}
