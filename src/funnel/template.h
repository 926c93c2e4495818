/*
 * template.h
 *		Which library serves which template of a funnel, and which SQL.
 */
#ifndef LQ_TEMPLATE_H
#define LQ_TEMPLATE_H

/*
 * The template that this library makes the most of, which is the one of the
 * SQL that is built with it, and the oldest that it serves.  See
 * upgrade_funnel() and setting.template_version.
 */
#define LQ_TEMPLATE_VERSION			2
#define LQ_OLDEST_TEMPLATE_VERSION	1

/* Raise unless this library serves funnels of that template. */
extern void lq_template_check(const char *funnel, int32 version);

#endif							/* LQ_TEMPLATE_H */
