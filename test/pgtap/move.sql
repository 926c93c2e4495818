-- Asking for a stage: granted, refused, with a reason, by exception, at creation.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(47);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
ALTER TABLE lead ALTER COLUMN lead_id RESTART WITH 1000;

CREATE FUNCTION pg_temp.stage(lead bigint) RETURNS text LANGUAGE sql AS
	'SELECT stage FROM crm.lead WHERE lead_id = $1';
CREATE FUNCTION pg_temp.last_move(lead bigint) RETURNS crm.stage_history LANGUAGE sql AS
	'SELECT h FROM crm.stage_history AS h WHERE lead_id = $1 ORDER BY history_id DESC LIMIT 1';
-- what an error says, field by field
CREATE FUNCTION pg_temp.refusal(query text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE code text; message text; detail text; hint text; s text; t text; c text;
BEGIN
	EXECUTE query;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		hint = PG_EXCEPTION_HINT, s = SCHEMA_NAME, t = TABLE_NAME, c = COLUMN_NAME;
	RETURN ARRAY[code, s, t, c, message, detail, hint];
END $$;

INSERT INTO lead (lead_id, email, owner, source, campaign) OVERRIDING SYSTEM VALUE VALUES
	(1, 'a@example.com', 'eve', 'event', 'fair'), (2, 'b@example.com', NULL, NULL, NULL);
INSERT INTO activity (lead_id, kind) VALUES (1, 'demo_request');

-- refused
CREATE TEMP TABLE refused AS SELECT pg_temp.refusal($$ UPDATE crm.lead SET stage = 'sql' WHERE lead_id = 1 $$) AS said;
SELECT is(said[1:4], ARRAY['23514', 'crm', 'lead', 'stage'], 'refused with SQLSTATE, schema, table and column') FROM refused;
SELECT is(said[5], 'cannot move lead from stage "mql" to "sql"', 'the message says what') FROM refused;
SELECT is(said[6], E'The key of the lead is 1.\nNo transition allows this move.', 'A8: the detail says which lead, and why') FROM refused;
SELECT is(said[7], 'Transitions lead from here to: disqualified, sal, nurture.', 'the hint says where to') FROM refused;
SELECT is(pg_temp.stage(1), 'mql', 'and the lead stays');
UPDATE lead SET stage = 'sal' WHERE lead_id = 1;
UPDATE refused SET said = pg_temp.refusal($$ UPDATE crm.lead SET stage = 'sql', bant = 'B+ A-' WHERE lead_id = 1 $$);
SELECT matches(said[6], 'last\.sales_conversation >= cycle_started_at \(.*last\.sales_conversation is never\)', 'the detail names the part that fails') FROM refused;
SELECT matches(said[6], 'met\(bant\) >= 3 \(authority: no, need: unknown, timeline: unknown\)', 'and the answers that it lacks') FROM refused;
SELECT matches(said[6], 'Transition \d+ \(sales spoke [^()]+ refuted\) needs last[^\n]+\nIt also needs met[^\n]+\n.*Transition \d+ \(an exception[^()]+\) needs last[^\n]+\nIt also needs reason \(a reason\)',
	'A17: each way is told by its description; the one by exception, too') FROM refused;
SELECT is((pg_temp.refusal($$ UPDATE crm.lead SET stage = 'nowhere' WHERE lead_id = 1 $$))[6], E'The key of the lead is 1.\nStage "nowhere" does not exist.', 'an unknown stage');
SELECT is((pg_temp.refusal($$ UPDATE crm.lead SET stage = NULL WHERE lead_id = 1 $$))[1], '23502', 'no stage at all');
SELECT is((pg_temp.refusal($$ UPDATE crm.lead SET stage = '' WHERE lead_id = 1 $$))[1], '23514', 'an empty one');

-- reasons
SELECT matches(array_to_string(pg_temp.refusal(format('UPDATE crm.lead SET stage = ''nurture'', reason = %L WHERE lead_id = 1', given)), '|'),
	'^23514\|crm\|lead\|stage\|cannot move lead from stage "sal" to "nurture"\|The key of the lead is 1\.\sTransition \d+ \(not ready: marketing keeps the interest alive\) needs reason \(' || needs
	|| '\)\.\|Transitions lead from here to: disqualified, sql, nurture\.$', what)
FROM (VALUES (NULL, 'a reason', 'R004-09 a return needs a reason'), ('', 'a reason.*', 'an empty one is none'),
	('price', 'a reason that table "reason" lists for stage "nurture", not "price"', 'R004-09 one that the stage knows')) AS r (given, needs, what);
UPDATE lead SET stage = 'nurture', reason = 'too_early', note = 'in spring' WHERE lead_id = 1;
SELECT results_eq('SELECT reason, note, owner, source, campaign, definition FROM pg_temp.last_move(1)',
	$$ VALUES ('too_early', 'in spring', 'eve', 'event', 'fair', 'default') $$, 'the history keeps the reason, and the lead as it was');
SELECT results_eq('SELECT reason, note FROM lead WHERE lead_id = 1', 'SELECT NULL::text, NULL::text', 'the row does not');

-- the reason of a move that failed is not that of the next
INSERT INTO lead (lead_id, stage, source) OVERRIDING SYSTEM VALUE VALUES (3, 'sal', 'outbound'), (4, 'sal', 'outbound');
SELECT is((pg_temp.refusal($$ UPDATE crm.lead SET stage = 'nurture', reason = 'too_early', note = 'x', email = 'B@example.com' WHERE lead_id = 3 $$))[1],
	'23505', 'a move that fails for another reason');
INSERT INTO reason (applies_to, reason) VALUES ('sql', 'because');
INSERT INTO activity (lead_id, kind) VALUES (3, 'meeting'), (4, 'meeting');
UPDATE lead SET stage = 'sql', bant = 'B+ A+ N+' WHERE lead_id = 3;
SELECT results_eq('SELECT to_stage, reason, note FROM pg_temp.last_move(3)', $$ VALUES ('sql', NULL::text, NULL::text) $$, 'leaves nothing to the next one');

-- exceptions
SELECT is((pg_temp.refusal($$ UPDATE crm.lead SET stage = 'sql' WHERE lead_id = 4 $$))[1], '23514', 'an exception needs a reason');
UPDATE lead SET stage = 'sql', reason = 'strategic_account' WHERE lead_id = 4;
SELECT results_eq('SELECT exception, reason FROM pg_temp.last_move(4)', $$ VALUES (true, 'strategic_account') $$, 'an exception by a manager is flagged');
CREATE ROLE regress_lq_rep;
GRANT USAGE ON SCHEMA crm TO regress_lq_rep;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA crm TO regress_lq_rep;
INSERT INTO lead (lead_id, stage, source) OVERRIDING SYSTEM VALUE VALUES (5, 'sal', 'outbound');
INSERT INTO activity (lead_id, kind) VALUES (5, 'meeting');
RESET lead_qual.clock;
SET LOCAL ROLE regress_lq_rep;
SELECT matches((pg_temp.refusal($$ UPDATE crm.lead SET stage = 'sql', reason = 'strategic_account' WHERE lead_id = 5 $$))[6],
	'needs manager \(a member of the role that owns the funnel\)', 'and only by one');
UPDATE lead SET stage = 'sql', bant = 'B+ A+ N+', reason = 'strategic_account' WHERE lead_id = 5;
RESET ROLE;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SELECT results_eq('SELECT exception, actor FROM pg_temp.last_move(5)', $$ VALUES (false, 'regress_lq_rep') $$, 'who meets the guard needs none; the actor is the role');

-- creation
SELECT lives_ok($$ INSERT INTO lead (stage, source) VALUES ('sal', 'PARTNER') $$, 'sales'' own leads begin at SAL');
SELECT is((pg_temp.refusal($$ INSERT INTO crm.lead (stage, source) VALUES ('sal', 'event') $$))[1], '23514', 'those of others do not');
SELECT is((pg_temp.refusal($$ INSERT INTO crm.lead (stage, source, bant) VALUES ('sql', 'partner', 'B+ A+ N+ T+') $$))[5],
	'cannot create lead in stage "sql"', 'nobody begins at SQL');
SELECT is((pg_temp.refusal($$ INSERT INTO crm.lead (stage) VALUES ('nowhere') $$))[5], 'cannot create lead in stage "nowhere"', 'nor at a stage that is none');
SELECT lives_ok($$ INSERT INTO lead (stage) VALUES ('lead') $$, 'asking for what one gets');
SELECT results_eq($$ SELECT from_stage, to_stage, automatic FROM stage_history WHERE lead_id = (SELECT max(lead_id) FROM lead) $$,
	$$ VALUES (NULL::text, 'lead', true) $$, 'is no decision of anybody''s');
INSERT INTO lead (lead_id, email) OVERRIDING SYSTEM VALUE VALUES (6, 'x@rival.example');
SELECT results_eq($$ SELECT string_agg(to_stage, ' ' ORDER BY history_id) FROM stage_history WHERE lead_id = 6 $$, $$ VALUES ('lead disqualified') $$, 'R004-20 a rival is stopped at once');

-- the key, the history
SELECT is((pg_temp.refusal($$ UPDATE crm.lead SET lead_id = 77 WHERE lead_id = 1 $$))[1], '23001', 'a key cannot be changed');
SELECT lives_ok('UPDATE lead SET lead_id = lead_id WHERE lead_id = 1', 'but written as it is');
SELECT is((pg_temp.refusal(format('TRUNCATE crm.%I CASCADE', t)))[1], '0A000', format('%s cannot be truncated', t))
	FROM unnest(ARRAY['lead', 'activity', 'answer', 'deal', 'deal_contact', 'stage_history']) AS t;
SELECT is((pg_temp.refusal('DELETE FROM crm.stage_history'))[1], '23001', 'history cannot be deleted');
SELECT is((pg_temp.refusal($$ UPDATE crm.stage_history SET entered_at = entered_at - interval '1 day' $$))[1], '23001', 'nor changed');
SELECT is((pg_temp.refusal($$ UPDATE crm.stage_history SET voided_at = now(), reason = 'x' WHERE lead_id = 1 $$))[1], '23001', 'nor under cover of voiding');
SELECT lives_ok($$ UPDATE stage_history SET voided_at = funnel_now(), voided_by = 'me', voided_why = 'error' WHERE lead_id = 1 AND to_stage = 'mql' $$, 'a move may be voided');
SELECT is((SELECT mql_at FROM lead_journey WHERE lead_id = 1), NULL, 'and then does not count');
SELECT is((pg_temp.refusal($$ UPDATE crm.stage_history SET voided_at = NULL WHERE lead_id = 1 AND voided_at IS NOT NULL $$))[1], '23001', 'S9: but it does not come back');

-- many at once, a plan kept, time that stands still
INSERT INTO lead (stage, source) SELECT 'sal', 'partner' FROM generate_series(1, 3000);
UPDATE lead SET stage = 'nurture', reason = 'no_need', note = lead_id::text WHERE stage = 'sal';
SELECT is((SELECT count(*) FROM stage_history WHERE to_stage = 'nurture' AND note = lead_id::text), 3001::bigint,
	'3,001 leads moved by one statement, each with its own note');
PREPARE ask(bigint, text, text) AS UPDATE lead SET stage = $2, reason = $3 WHERE lead_id = $1;
SELECT lives_ok(format('EXECUTE ask(%s, ''disqualified'', ''spam'')', lead_id), 'a prepared statement asks')
	FROM (SELECT max(lead_id) AS lead_id FROM lead) AS l;
SELECT is((SELECT count(*) FROM stage_history AS h JOIN stage_history AS g USING (lead_id)
	WHERE h.history_id < g.history_id AND h.entered_at > g.entered_at), 0::bigint, 'entered_at never runs backward');
SET LOCAL lead_qual.clock = '2026-03-01 09:00Z';
UPDATE lead SET stage = 'nurture', reason = 'no_need' WHERE lead_id = 3;
SELECT is((pg_temp.last_move(3)).entered_at, '2026-03-02 09:00Z'::timestamptz, 'not even if the clock does');

SELECT * FROM finish();
ROLLBACK;
