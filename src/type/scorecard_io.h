/*
 * scorecard_io.h
 *		How a card shows an instant.
 */
#ifndef LQ_SCORECARD_IO_H
#define LQ_SCORECARD_IO_H

#include "datatype/timestamp.h"

/* room for lq_instant_text() */
#define LQ_INSTANT_LEN			40

extern char *lq_instant_text(TimestampTz instant, char *buf);

#endif							/* LQ_SCORECARD_IO_H */
