/*
 * review.h
 *		When time alone may move a lead.
 */
#ifndef LQ_REVIEW_H
#define LQ_REVIEW_H

#include "datatype/timestamp.h"

#include "lead/lead.h"

extern TimestampTz lq_lead_review_at(LqLead *lead);

#endif							/* LQ_REVIEW_H */
