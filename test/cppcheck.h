/*
 * What cppcheck must know of the server, whose headers it is not given
 * because they cost it half a minute: these do not return from an error.
 */
#define NOTICE	18
#define WARNING	19
#define ERROR	21
#define FATAL	22
#define ereport(level, ...) do { if ((level) > 20) abort(); } while (0)
#define elog(level, ...) do { if ((level) > 20) abort(); } while (0)
#define PG_FUNCTION_INFO_V1(name) extern Datum name(PG_FUNCTION_ARGS)
#define PG_MODULE_MAGIC extern int no_magic
#define foreach(cell, list) \
	for (cell = list_head(list); cell != NULL; cell = lnext(list, cell))
#define forboth(a, list_a, b, list_b) \
	for (a = list_head(list_a), b = list_head(list_b); a != NULL && b != NULL; \
		 a = lnext(list_a, a), b = lnext(list_b, b))
#define dlist_foreach(iter, head) \
	for (iter.cur = dlist_first(head); iter.cur != NULL; iter.cur = dlist_next(iter.cur))
