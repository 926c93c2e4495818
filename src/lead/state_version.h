/*
 * state_version.h
 *		Which state of a lead a row that is written goes by.
 */
#ifndef LQ_STATE_VERSION_H
#define LQ_STATE_VERSION_H

#include "lead/lead.h"

extern void lq_state_version_begin(LqLead *lead);
extern void lq_state_version_ask(LqLead *lead, const LqLead *old, bool own,
								 bool asks);
extern void lq_state_version_keep(LqLead *lead, const LqLead *old,
								  bool unasked);
extern void lq_state_version_import(LqLead *lead, const LqLead *old);

#endif							/* LQ_STATE_VERSION_H */
