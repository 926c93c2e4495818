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
