-- A refused move: which lead it was, and how a client tells it from another violation.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(13);

SELECT create_funnel('crm', 'UTC');
CREATE ROLE regress_lq_rep;
CREATE ROLE regress_lq_blind;
GRANT USAGE ON SCHEMA crm TO regress_lq_rep, regress_lq_blind;
GRANT SELECT, INSERT, UPDATE ON crm.lead TO regress_lq_rep;
GRANT UPDATE (stage), INSERT (stage) ON crm.lead TO regress_lq_blind;
INSERT INTO crm.lead (lead_id, source, stage) OVERRIDING SYSTEM VALUE
	VALUES (11, 'partner', 'sal'), (12, 'partner', 'sal'), (13, 'partner', 'sal');
-- only the owner gives ids that the sequence has yet to give
SELECT setval('crm.lead_lead_id_seq', 100);

-- constraint, first line of the detail
CREATE FUNCTION pg_temp.refused(role text, statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	violated text;
BEGIN
	EXECUTE pg_catalog.format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	RETURN '{done}';
EXCEPTION WHEN check_violation THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, violated = CONSTRAINT_NAME;
	RESET ROLE;
	RETURN ARRAY[violated, pg_catalog.split_part(detail, E'\n', 1)];
END $$;

SELECT is(pg_temp.refused('regress_lq_rep', $$ UPDATE crm.lead SET stage = CASE lead_id WHEN 12 THEN 'customer' ELSE 'sal' END $$),
	'{lead_stage_move,The key of the lead is 12.}', 'A8: one refused of several is named');
SELECT is(pg_temp.refused('regress_lq_rep', $$ UPDATE crm.lead SET stage = 'nowhere' WHERE lead_id = 13 $$),
	'{lead_stage_move,The key of the lead is 13.}', 'A8: so is one that asks for no stage of the funnel');
SELECT is(pg_temp.refused('regress_lq_rep', $$ INSERT INTO crm.lead (lead_id, stage, source) OVERRIDING SYSTEM VALUE
	VALUES (21, 'sal', 'partner'), (22, 'sal', 'event') $$), '{lead_stage_move,The key of the lead is 22.}', 'A8: and one of several that come');
SELECT is(pg_temp.refused('regress_lq_rep', $$ INSERT INTO crm.lead (lead_id, stage) OVERRIDING SYSTEM VALUE VALUES (11, 'lead')
	ON CONFLICT (lead_id) DO UPDATE SET stage = 'customer' $$), '{lead_stage_move,The key of the lead is 11.}', 'A8: through an upsert');
SELECT is((pg_temp.refused('regress_lq_rep', $$ UPDATE crm.lead SET resume_at = 'infinity' WHERE lead_id = 11 $$))[1],
	'lead_resume_at_check', 'A8: another violation has another constraint');
SELECT results_eq($$ SELECT lead, split_part(detail, E'\n', 1) FROM move_leads('crm', ARRAY['11', '13'], 'customer') $$,
	$$ VALUES ('11', 'The key of the lead is 11.'), ('13', 'The key of the lead is 13.') $$, 'A8: move_leads() says no less');

-- nobody is told of a key that is not theirs to read
SELECT is(pg_temp.refused('regress_lq_blind', $$ UPDATE crm.lead SET stage = 'customer' $$),
	'{lead_stage_move,"No transition allows this move."}', 'A8: not to who may not read the key');
SELECT is(pg_temp.refused('regress_lq_blind', $$ INSERT INTO crm.lead (stage) VALUES ('customer') $$),
	'{lead_stage_move,"No transition allows this move."}', 'A8: nor one that was given out just now');
SELECT matches((pg_temp.refused('regress_lq_blind', $$ UPDATE crm.lead SET stage = 'sql' $$))[2], '^Transition \d+ needs last',
	'A17: nor what a transition is described as');
ALTER TABLE crm.lead ENABLE ROW LEVEL SECURITY;
CREATE POLICY wide ON crm.lead FOR UPDATE USING (true);
SELECT is(pg_temp.refused('regress_lq_rep', $$ UPDATE crm.lead SET stage = 'customer' $$),
	'{lead_stage_move,"No transition allows this move."}', 'A8: nor of a row that row security hides');

-- leads of a table of the user's
CREATE TABLE contact (id text PRIMARY KEY, mail text);
INSERT INTO contact VALUES ('gil@example.org', 'gil@example.org'), ('hal', NULL);
SELECT lives_ok($$ SELECT create_funnel('b2b', 'UTC', lead_table => 'contact', lead_key => 'id', columns => '{"email": "mail"}') $$, 'an attached table');
SELECT is(pg_temp.refused(current_user, format('UPDATE %s SET stage = ''customer'' WHERE %I = ''hal''', t, k)),
	'{lead_stage_move,The key of the lead is hal.}', 'A8: of an attached table, through ' || t)
FROM (VALUES ('contact', 'id'), ('b2b.lead', 'lead_id')) AS v (t, k);

SELECT * FROM finish();
ROLLBACK;
