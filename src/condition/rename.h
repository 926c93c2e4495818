/*
 * rename.h
 *		Another name in the text of a condition.
 */
#ifndef LQ_RENAME_H
#define LQ_RENAME_H

#include "nodes/pg_list.h"

typedef struct LqRename
{
	bool		(*is_family) (const char *name);	/* <family>.<name> is what
													 * goes by the name; NULL:
													 * a value of a column
													 * does */
	List	   *columns;		/* spellings of that column, as char * */
	const char *before;
	const char *after;
} LqRename;

typedef struct LqRenamed
{
	char	   *text;			/* with the new name */
	char	   *problem;		/* why it would mean something else; or NULL */
	List	   *lists;			/* "<operator> <list>" that the column is held
								 * against, as char * */
	List	   *others;			/* lists that something else is held against */
} LqRenamed;

extern void lq_condition_rename(const char *text, const LqRename *rename,
								LqRenamed *renamed);

#endif							/* LQ_RENAME_H */
