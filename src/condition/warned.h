/*
 * warned.h
 *		Which conditions a session has warned about.
 */
#ifndef LQ_WARNED_H
#define LQ_WARNED_H

/* Is this the first warning about the text of that hash? */
extern bool lq_first_warning(uint64 hash);

#endif							/* LQ_WARNED_H */
