/*
 * warned.c
 *		Which conditions a session has warned about.
 */
#include "postgres.h"

#include "utils/hsearch.h"

#include "condition/warned.h"

/* conditions that a session remembers having warned about */
#define MAX_WARNED		1000

/*
 * Is this the first time that a condition is to be warned about?  When very
 * many have been, no more are.
 */
bool
lq_first_warning(uint64 hash)
{
	static HTAB *warned = NULL;
	bool		found;

	if (warned == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(uint64);
		ctl.entrysize = sizeof(uint64);
		warned = hash_create("lead_qual conditions warned about", 32, &ctl,
							 HASH_ELEM | HASH_BLOBS);
	}
	if (hash_get_num_entries(warned) >= MAX_WARNED)
		return false;
	(void) hash_search(warned, &hash, HASH_ENTER, &found);
	return !found;
}
