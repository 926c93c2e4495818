/*
 * clip.h
 *		Values of the user's in messages.
 */
#ifndef LQ_CLIP_H
#define LQ_CLIP_H

#include "mb/pg_wchar.h"

#define LQ_CLIP_LEN		200

/* The text, or its beginning and dots: a message is read, not parsed. */
static inline const char *
lq_clip(const char *text)
{
	int			len = strlen(text);

	if (len <= LQ_CLIP_LEN)
		return text;
	return psprintf("%.*s...", pg_mbcliplen(text, len, LQ_CLIP_LEN), text);
}

#endif							/* LQ_CLIP_H */
