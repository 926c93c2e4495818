/*
 * column_list.h
 *		The tables of a funnel, and the columns of them that C knows.
 *
 * This is the only list of them.  Loading, the proof of types, attribute
 * numbers and what is said of a column that was altered follow from it.  There
 * is no #include guard on purpose: who includes it defines LQ_TABLE or
 * LQ_COLUMN first.
 *
 * LQ_TABLE(symbol, name)
 * LQ_COLUMN(table, symbol, name, type, not_null, since)
 *		makes LQ_TABLE_<symbol>, and LQ_<table>_<symbol>; columns of a table
 *		stand together.  The type is a code of lq_type_of_code(); since is the
 *		template version that brought the column.  The key of table "lead" is
 *		not here: its name is the user's.
 */
#ifndef LQ_TABLE
#define LQ_TABLE(symbol, name)
#endif
#ifndef LQ_COLUMN
#define LQ_COLUMN(table, symbol, name, type, not_null, since)
#endif

/* *INDENT-OFF* */

LQ_TABLE(ACCOUNT, "account")
LQ_TABLE(ACTIVITY, "activity")
LQ_TABLE(ANSWER, "answer")
LQ_TABLE(BASELINE, "baseline")
LQ_TABLE(CALENDAR, "calendar")
LQ_TABLE(DEAL, "deal")
LQ_TABLE(DEAL_CONTACT, "deal_contact")
LQ_TABLE(DEFINITION, "definition")
LQ_TABLE(DEFINITION_LOG, "definition_log")
LQ_TABLE(DEPARTURE, "departure")
LQ_TABLE(ELEMENT, "element")
LQ_TABLE(HOLIDAY, "holiday")
LQ_TABLE(JOURNEY, "journey")
LQ_TABLE(KIND, "kind")
LQ_TABLE(LEAD, "lead")
LQ_TABLE(LEAD_ALIAS, "lead_alias")
LQ_TABLE(LIST, "list")
LQ_TABLE(REASON, "reason")
LQ_TABLE(RULE, "rule")
LQ_TABLE(SETTING, "setting")
LQ_TABLE(SIDE, "side")
LQ_TABLE(SIGNATURE, "signature")
LQ_TABLE(SOURCE, "source")
LQ_TABLE(SPEND, "spend")
LQ_TABLE(STAGE, "stage")
LQ_TABLE(STAGE_HISTORY, "stage_history")
LQ_TABLE(TRANSITION, "transition")
LQ_TABLE(VERDICT, "verdict")

LQ_COLUMN(ACCOUNT, ACCOUNT_ID, "account_id", 'I', true, 1)

LQ_COLUMN(ACTIVITY, LEAD_ID, "lead_id", 'k', true, 1)
LQ_COLUMN(ACTIVITY, OCCURRED_AT, "occurred_at", 'z', true, 1)
LQ_COLUMN(ACTIVITY, ACTIVITY_ID, "activity_id", 'I', true, 1)
LQ_COLUMN(ACTIVITY, KIND, "kind", 't', true, 1)
LQ_COLUMN(ACTIVITY, SOURCE, "source", 't', false, 1)
LQ_COLUMN(ACTIVITY, CAMPAIGN, "campaign", 't', false, 1)
LQ_COLUMN(ACTIVITY, RECORDED_AT, "recorded_at", 'z', true, 1)

LQ_COLUMN(ANSWER, LEAD_ID, "lead_id", 'k', true, 1)
LQ_COLUMN(ANSWER, ANSWER_ID, "answer_id", 'I', true, 1)
LQ_COLUMN(ANSWER, FRAMEWORK, "framework", 't', true, 1)
LQ_COLUMN(ANSWER, ELEMENT, "element", 't', true, 1)
LQ_COLUMN(ANSWER, LEVEL, "level", 'l', true, 1)
LQ_COLUMN(ANSWER, VIA, "via", 't', false, 1)
LQ_COLUMN(ANSWER, ANSWERED_BY, "answered_by", 't', false, 1)
LQ_COLUMN(ANSWER, ANSWERED_AT, "answered_at", 'z', true, 1)

LQ_COLUMN(BASELINE, LEAD_ID, "lead_id", 'k', true, 1)
LQ_COLUMN(BASELINE, SCORECARD, "scorecard", 'c', true, 1)
LQ_COLUMN(BASELINE, ARCHIVED_BEFORE, "archived_before", 'z', true, 1)
LQ_COLUMN(BASELINE, N, "n", 'I', true, 1)

LQ_COLUMN(CALENDAR, WEEKDAY, "weekday", 'i', true, 1)
LQ_COLUMN(CALENDAR, OPENS, "opens", 'h', true, 1)
LQ_COLUMN(CALENDAR, CLOSES, "closes", 'h', true, 1)

LQ_COLUMN(DEAL, DEAL_ID, "deal_id", 'I', true, 1)
LQ_COLUMN(DEAL, AMOUNT, "amount", 'n', false, 1)
LQ_COLUMN(DEAL, HOME_AMOUNT, "home_amount", 'n', false, 1)
LQ_COLUMN(DEAL, STATUS, "status", 't', true, 1)
LQ_COLUMN(DEAL, CLOSED_AT, "closed_at", 'z', false, 1)
LQ_COLUMN(DEAL, REASON, "reason", 't', false, 1)

LQ_COLUMN(DEAL_CONTACT, DEAL_ID, "deal_id", 'I', true, 1)
LQ_COLUMN(DEAL_CONTACT, LEAD_ID, "lead_id", 'k', true, 1)

LQ_COLUMN(DEFINITION, DEFINITION, "definition", 't', true, 1)
LQ_COLUMN(DEFINITION, STATUS, "status", 't', true, 1)
LQ_COLUMN(DEFINITION, VERSION, "version", 'i', true, 1)
LQ_COLUMN(DEFINITION, SIDES, "sides", 'T', false, 1)
LQ_COLUMN(DEFINITION, MAX_FIT, "max_fit", 'n', false, 1)
LQ_COLUMN(DEFINITION, MAX_ENGAGEMENT, "max_engagement", 'n', false, 1)
LQ_COLUMN(DEFINITION, FLOOR, "floor", 'n', false, 1)

LQ_COLUMN(DEFINITION_LOG, CHANGED_AT, "changed_at", 'z', true, 1)
LQ_COLUMN(DEFINITION_LOG, ACTOR, "actor", 't', false, 1)
LQ_COLUMN(DEFINITION_LOG, RELATION, "relation", 't', true, 1)
LQ_COLUMN(DEFINITION_LOG, OPERATION, "operation", 't', true, 1)
LQ_COLUMN(DEFINITION_LOG, DEFINITION, "definition", 't', false, 1)
LQ_COLUMN(DEFINITION_LOG, VERSION, "version", 'i', false, 1)
LQ_COLUMN(DEFINITION_LOG, OLD_ROW, "old_row", 'j', false, 1)
LQ_COLUMN(DEFINITION_LOG, NEW_ROW, "new_row", 'j', false, 1)

LQ_COLUMN(DEPARTURE, LEAD_ID, "lead_id", 'k', true, 1)
LQ_COLUMN(DEPARTURE, AT, "at", 'z', true, 1)
LQ_COLUMN(DEPARTURE, HOW, "how", 't', true, 1)
LQ_COLUMN(DEPARTURE, LAST_MOVE, "last_move", 'I', true, 1)

LQ_COLUMN(ELEMENT, FRAMEWORK, "framework", 't', true, 1)
LQ_COLUMN(ELEMENT, ELEMENT, "element", 't', true, 1)
LQ_COLUMN(ELEMENT, POSITION, "position", 'i', true, 1)
LQ_COLUMN(ELEMENT, VALID_FOR, "valid_for", 'v', false, 1)

LQ_COLUMN(HOLIDAY, DAY, "day", 'd', true, 1)

LQ_COLUMN(JOURNEY, LEAD_ID, "lead_id", 'k', true, 1)
LQ_COLUMN(JOURNEY, CYCLE, "cycle", 'i', true, 1)
LQ_COLUMN(JOURNEY, STARTED_AT, "started_at", 'z', true, 1)
LQ_COLUMN(JOURNEY, GONE_AT, "gone_at", 'z', false, 1)
LQ_COLUMN(JOURNEY, FIRST_TOUCH_AT, "first_touch_at", 'z', false, 1)
LQ_COLUMN(JOURNEY, FIRST_CONVERSATION_AT, "first_conversation_at", 'z', false, 1)

LQ_COLUMN(KIND, KIND, "kind", 't', true, 1)
LQ_COLUMN(KIND, PARTY, "party", 't', true, 1)
LQ_COLUMN(KIND, TOUCH, "touch", 'B', true, 1)
LQ_COLUMN(KIND, CONVERSATION, "conversation", 'B', true, 1)

LQ_COLUMN(LEAD, STAGE, "stage", 't', true, 1)
/* state that follows from moves, kept by triggers: LQ_LEAD_FIRST_STATE ... */
LQ_COLUMN(LEAD, STAGE_ENTERED_AT, "stage_entered_at", 'z', true, 1)
LQ_COLUMN(LEAD, CYCLE, "cycle", 'i', true, 1)
LQ_COLUMN(LEAD, CYCLE_STARTED_AT, "cycle_started_at", 'z', true, 1)
LQ_COLUMN(LEAD, ACCEPTED_BY, "accepted_by", 't', false, 1)
LQ_COLUMN(LEAD, ACCEPTED_AT, "accepted_at", 'z', false, 1)
LQ_COLUMN(LEAD, DUE_AT, "due_at", 'z', false, 1)
LQ_COLUMN(LEAD, REVIEW_AT, "review_at", 'z', false, 1)
/* sums of facts, kept by triggers: LQ_LEAD_FIRST_SUM ... */
LQ_COLUMN(LEAD, SCORECARD, "scorecard", 'c', false, 1)
LQ_COLUMN(LEAD, DEALS_OPEN, "deals_open", 'i', true, 1)
LQ_COLUMN(LEAD, DEALS_WON, "deals_won", 'i', true, 1)
LQ_COLUMN(LEAD, DEALS_LOST, "deals_lost", 'i', true, 1)
LQ_COLUMN(LEAD, WON_AMOUNT, "won_amount", 'n', true, 1)
LQ_COLUMN(LEAD, ANSWERS, "answers", 'j', true, 1)
/* columns that people write */
#define LQ_FRAMEWORK(symbol, name, since, ...) \
	LQ_COLUMN(LEAD, symbol, #name, LQ_CODE_OF_FRAMEWORK(symbol), true, since)
#include "type/framework_list.h"
LQ_COLUMN(LEAD, RESUME_AT, "resume_at", 'z', false, 1)
LQ_COLUMN(LEAD, REASON, "reason", 't', false, 1)
LQ_COLUMN(LEAD, NOTE, "note", 't', false, 1)
LQ_COLUMN(LEAD, SOURCE, "source", 't', false, 1)
LQ_COLUMN(LEAD, CAMPAIGN, "campaign", 't', false, 1)
LQ_COLUMN(LEAD, OWNER, "owner", 't', false, 1)
LQ_COLUMN(LEAD, ACCOUNT_ID, "account_id", 'I', false, 1)
/* kept by triggers, but asked of a writer who gives it: state_version.c */
LQ_COLUMN(LEAD, STATE_VERSION, "state_version", 'I', true, 1)

LQ_COLUMN(LEAD_ALIAS, LEAD_ID, "lead_id", 'k', true, 1)
LQ_COLUMN(LEAD_ALIAS, EXTERNAL_ID, "external_id", 't', false, 1)
LQ_COLUMN(LEAD_ALIAS, EMAIL, "email", 't', false, 1)
LQ_COLUMN(LEAD_ALIAS, FORMER_KEY, "former_key", 't', false, 1)
LQ_COLUMN(LEAD_ALIAS, SINCE, "since", 'z', true, 1)

LQ_COLUMN(LIST, LIST, "list", 't', true, 1)
LQ_COLUMN(LIST, VALUE, "value", 't', true, 1)

LQ_COLUMN(REASON, REASON, "reason", 't', true, 1)
LQ_COLUMN(REASON, APPLIES_TO, "applies_to", 't', true, 1)
LQ_COLUMN(REASON, POSITION, "position", 'i', true, 1)

LQ_COLUMN(RULE, RULE_ID, "rule_id", 'I', true, 1)
LQ_COLUMN(RULE, DEFINITION, "definition", 't', true, 1)
LQ_COLUMN(RULE, NAME, "name", 't', true, 1)
LQ_COLUMN(RULE, AXIS, "axis", 't', true, 1)
LQ_COLUMN(RULE, KIND, "kind", 't', false, 1)
LQ_COLUMN(RULE, CONDITION, "condition", 't', false, 1)
LQ_COLUMN(RULE, CONDITION_SQL, "condition_sql", 't', false, 1)
LQ_COLUMN(RULE, POINTS, "points", 'n', true, 1)
LQ_COLUMN(RULE, HALF_LIFE, "half_life", 'v', false, 1)
LQ_COLUMN(RULE, MAX_POINTS, "max_points", 'n', false, 1)
LQ_COLUMN(RULE, MAX_HITS, "max_hits", 'i', false, 1)
LQ_COLUMN(RULE, PER, "per", 'v', false, 1)
LQ_COLUMN(RULE, ENABLED, "enabled", 'B', true, 1)
LQ_COLUMN(RULE, DESCRIPTION, "description", 't', false, 1)

LQ_COLUMN(SETTING, TIME_ZONE, "time_zone", 't', true, 1)
LQ_COLUMN(SETTING, EDIT_SIGNED, "edit_signed", 'B', false, 1)
LQ_COLUMN(SETTING, TEMPLATE_VERSION, "template_version", 'i', true, 1)
LQ_COLUMN(SETTING, LEAD_TABLE, "lead_table", 'r', false, 1)
LQ_COLUMN(SETTING, LEAD_KEY, "lead_key", 'a', true, 1)

LQ_COLUMN(SIDE, SIDE, "side", 't', true, 1)
LQ_COLUMN(SIDE, ROLE, "role", 'a', false, 1)

LQ_COLUMN(SIGNATURE, LEAD_ID, "lead_id", 'k', false, 1)
LQ_COLUMN(SIGNATURE, TO_STAGE, "to_stage", 't', false, 1)
LQ_COLUMN(SIGNATURE, CYCLE, "cycle", 'i', false, 1)
LQ_COLUMN(SIGNATURE, SIDE, "side", 't', true, 1)
LQ_COLUMN(SIGNATURE, SIGNED_BY, "signed_by", 't', true, 1)

LQ_COLUMN(SOURCE, SOURCE, "source", 't', true, 1)

LQ_COLUMN(STAGE, STAGE, "stage", 't', true, 1)
LQ_COLUMN(STAGE, POSITION, "position", 'i', true, 1)
LQ_COLUMN(STAGE, MILESTONE, "milestone", 't', true, 1)
LQ_COLUMN(STAGE, SLA, "sla", 'v', false, 1)
LQ_COLUMN(STAGE, NOTIFY, "notify", 'B', true, 1)
LQ_COLUMN(STAGE, WORKING_TIME, "working_time", 'B', true, 1)

LQ_COLUMN(STAGE_HISTORY, LEAD_ID, "lead_id", 'k', true, 1)
LQ_COLUMN(STAGE_HISTORY, FROM_STAGE, "from_stage", 't', false, 1)
LQ_COLUMN(STAGE_HISTORY, TO_STAGE, "to_stage", 't', true, 1)
LQ_COLUMN(STAGE_HISTORY, ENTERED_AT, "entered_at", 'z', true, 1)
LQ_COLUMN(STAGE_HISTORY, CYCLE, "cycle", 'i', true, 1)
LQ_COLUMN(STAGE_HISTORY, ACTOR, "actor", 't', false, 1)
LQ_COLUMN(STAGE_HISTORY, AUTOMATIC, "automatic", 'B', true, 1)
LQ_COLUMN(STAGE_HISTORY, EXCEPTION, "exception", 'B', true, 1)
LQ_COLUMN(STAGE_HISTORY, REASON, "reason", 't', false, 1)
LQ_COLUMN(STAGE_HISTORY, NOTE, "note", 't', false, 1)
LQ_COLUMN(STAGE_HISTORY, SCORE, "score", 'n', false, 1)
LQ_COLUMN(STAGE_HISTORY, DEFINITION, "definition", 't', false, 1)
LQ_COLUMN(STAGE_HISTORY, VERSION, "version", 'i', false, 1)
LQ_COLUMN(STAGE_HISTORY, SOURCE, "source", 't', false, 1)
LQ_COLUMN(STAGE_HISTORY, CAMPAIGN, "campaign", 't', false, 1)
LQ_COLUMN(STAGE_HISTORY, OWNER, "owner", 't', false, 1)
LQ_COLUMN(STAGE_HISTORY, ACCOUNT_ID, "account_id", 'I', false, 1)
LQ_COLUMN(STAGE_HISTORY, DUE_AT, "due_at", 'z', false, 1)
LQ_COLUMN(STAGE_HISTORY, SCORECARD, "scorecard", 'c', false, 1)
LQ_COLUMN(STAGE_HISTORY, FIRST_TOUCH_AT, "first_touch_at", 'z', false, 1)
LQ_COLUMN(STAGE_HISTORY, FIRST_CONVERSATION_AT, "first_conversation_at", 'z', false, 1)
LQ_COLUMN(STAGE_HISTORY, TOUCHES, "touches", 'i', false, 1)
LQ_COLUMN(STAGE_HISTORY, VOIDED_AT, "voided_at", 'z', false, 1)
LQ_COLUMN(STAGE_HISTORY, VOIDED_BY, "voided_by", 't', false, 1)

LQ_COLUMN(TRANSITION, TRANSITION_ID, "transition_id", 'I', true, 1)
LQ_COLUMN(TRANSITION, DEFINITION, "definition", 't', true, 1)
LQ_COLUMN(TRANSITION, POSITION, "position", 'i', true, 1)
LQ_COLUMN(TRANSITION, FROM_STAGE, "from_stage", 't', false, 1)
LQ_COLUMN(TRANSITION, TO_STAGE, "to_stage", 't', true, 1)
LQ_COLUMN(TRANSITION, AUTOMATIC, "automatic", 'B', true, 1)
LQ_COLUMN(TRANSITION, AFTER, "after", 'v', false, 1)
LQ_COLUMN(TRANSITION, CONDITION, "condition", 't', false, 1)
LQ_COLUMN(TRANSITION, CONDITION_SQL, "condition_sql", 't', false, 1)
LQ_COLUMN(TRANSITION, NEEDS_REASON, "needs_reason", 'B', true, 1)
LQ_COLUMN(TRANSITION, EXCEPTION, "exception", 'B', true, 1)
LQ_COLUMN(TRANSITION, SIDES, "sides", 'T', false, 1)
LQ_COLUMN(TRANSITION, REASON, "reason", 't', false, 1)
LQ_COLUMN(TRANSITION, DESCRIPTION, "description", 't', false, 1)

LQ_COLUMN(VERDICT, LEAD_ID, "lead_id", 'k', true, 1)
LQ_COLUMN(VERDICT, SIDE, "side", 't', true, 1)
LQ_COLUMN(VERDICT, QUALIFIED, "qualified", 'B', true, 1)
LQ_COLUMN(VERDICT, JUDGED_BY, "judged_by", 't', false, 1)
LQ_COLUMN(VERDICT, JUDGED_AT, "judged_at", 'z', false, 1)

/* *INDENT-ON* */

#undef LQ_TABLE
#undef LQ_COLUMN
