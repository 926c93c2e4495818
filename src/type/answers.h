/*
 * answers.h
 *		Answers to frameworks that are data: {"champ": {"money": "yes"}}.
 */
#ifndef LQ_ANSWERS_H
#define LQ_ANSWERS_H

#include "utils/jsonb.h"

#include "type/answer_level.h"

/* The level of an element, unknown where the object does not tell. */
extern LqLevel lq_answers_level(Jsonb *answers, const char *framework,
								int framework_len, const char *element,
								int element_len);

#endif							/* LQ_ANSWERS_H */
