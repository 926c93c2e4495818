-- What nobody but the triggers of a funnel writes, and who it was that acted.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(27);

SELECT create_funnel('crm', 'UTC');
CREATE ROLE regress_lq_admin;
CREATE ROLE regress_lq_sales;
CREATE ROLE regress_lq_owner;
SELECT count(*) > 0 FROM grant_funnel('crm', 'regress_lq_admin', 'admin') AS a, grant_funnel('crm', 'regress_lq_sales', 'sales') AS s;
SET LOCAL lead_qual.clock = '2026-03-01 09:00+00';
INSERT INTO crm.lead (email) VALUES ('ann@example.com'), ('ben@example.com');
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar');
RESET lead_qual.clock;

\ir helper/attempt.sql

-- rows of tables that our code alone writes
SELECT alike(pg_temp.attempt(role, statement), '23001 %', format('S9: %s: %s', role, statement))
FROM (VALUES ('regress_lq_admin'), (current_user)) AS r (role),
	 (VALUES ('INSERT INTO crm.stage_history (lead_id, to_stage) VALUES (1, ''customer'')'),
			 ('INSERT INTO crm.definition_log (relation, operation, actor) VALUES (''rule'', ''update'', ''somebody'')'),
			 ('UPDATE crm.definition_log SET actor = ''somebody'''),
			 ('INSERT INTO crm.baseline (lead_id, scorecard, archived_before, n) SELECT 1, scorecard, now(), 99 FROM crm.lead WHERE lead_id = 1'),
			 ('UPDATE crm.stage_history SET entered_at = entered_at - interval ''1 day'''),
			 ('DELETE FROM crm.stage_history')) AS s (statement);

-- a move is voided once, by whoever does it, now
SELECT is(pg_temp.attempt('regress_lq_admin', 'UPDATE crm.stage_history SET voided_at = ''2020-01-01'', voided_by = ''somebody'', voided_why = ''a test'' WHERE lead_id = 2'), 'done', 'a move is voided');
SELECT results_eq('SELECT voided_by, voided_at = now(), voided_why FROM crm.stage_history WHERE lead_id = 2', $$ VALUES ('regress_lq_admin', true, 'a test') $$, 'S9: by who does it, now');
SELECT alike(pg_temp.attempt('regress_lq_admin', 'UPDATE crm.stage_history SET voided_at = NULL WHERE lead_id = 2'), '23001 %', 'S9: it does not come back');
SELECT alike(pg_temp.attempt('regress_lq_admin', 'UPDATE crm.stage_history SET voided_by = ''somebody'' WHERE lead_id = 2'), '23001 %', 'S9: nor is it put down to another');

-- who judged and who answered
SELECT is(pg_temp.attempt('regress_lq_sales', 'INSERT INTO crm.verdict (lead_id, side, qualified, judged_by, judged_at) VALUES (1, ''sales'', true, ''boss'', ''2020-01-01'')'), 'done', 'a verdict');
SELECT results_eq('SELECT judged_by, judged_at = now() FROM crm.verdict', $$ VALUES ('regress_lq_sales', true) $$, 'S9: of who gives it, now');
SELECT lives_ok('UPDATE crm.verdict SET note = ''x'', judged_by = ''boss''', 'a note about it');
SELECT is((SELECT judged_by FROM crm.verdict), 'regress_lq_sales', 'S9: does not make it another''s');
SELECT is(pg_temp.attempt('regress_lq_sales', 'INSERT INTO crm.answer (lead_id, framework, element, level, answered_by, answered_at) VALUES (1, ''bant'', ''budget'', ''yes'', ''boss'', ''2026-02-01'')'), 'done', 'an answer that comes late');
SELECT results_eq('SELECT answered_by, answered_at FROM crm.answer', $$ VALUES ('regress_lq_sales', timestamptz '2026-02-01') $$, 'S9: of who gives it, when it says');
SET LOCAL lead_qual.actor = 'sue@example.com';
UPDATE crm.lead SET bant = bant || 'A+' WHERE lead_id = 1;
SELECT is((SELECT answered_by FROM crm.answer WHERE element = 'authority'), 'sue@example.com', 'what is written into the lead is the actor''s');
UPDATE crm.answer SET level = 'no', answered_by = 'boss' WHERE element = 'budget';
SELECT is((SELECT answered_by FROM crm.answer WHERE element = 'budget'), 'sue@example.com', 'S9: so is an answer that is changed');
UPDATE crm.answer SET note = 'x' WHERE element = 'budget';
RESET lead_qual.actor;

-- the owner loads what was as it was
SET LOCAL lead_qual.import = on;
SELECT lives_ok($$ INSERT INTO crm.verdict (lead_id, side, qualified, judged_by, judged_at) VALUES (1, 'marketing', true, 'mia', '2025-01-01');
	INSERT INTO crm.answer (lead_id, framework, element, level, answered_by) VALUES (1, 'bant', 'need', 'yes', 'mia');
	INSERT INTO crm.stage_history (lead_id, to_stage, entered_at) VALUES (2, 'mql', '2025-01-01') $$, 'under import history is loaded');
SELECT results_eq($$ SELECT judged_by, judged_at FROM crm.verdict WHERE side = 'marketing' $$, $$ VALUES ('mia', timestamptz '2025-01-01') $$, 'as it was');
SELECT alike(pg_temp.attempt('regress_lq_admin', 'INSERT INTO crm.stage_history (lead_id, to_stage) VALUES (1, ''customer'')'), '42501 %', 'S9: import is for the owner');
RESET lead_qual.import;

SELECT * FROM finish();
ROLLBACK;
