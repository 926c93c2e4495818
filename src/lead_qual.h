/*
 * lead_qual.h
 *		Settings and limits shared by the whole module.
 */
#ifndef LEAD_QUAL_H
#define LEAD_QUAL_H

#include "datatype/timestamp.h"

/* points that one hit of a rule may give or take */
#define LQ_MAX_POINTS			1000000.0

extern char *lq_actor_setting;	/* lead_qual.actor, or "" */
extern bool lq_import_setting;	/* lead_qual.import */

extern bool lq_clock_is_set(void);
extern TimestampTz lq_now(void);

#endif							/* LEAD_QUAL_H */
