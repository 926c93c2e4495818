-- Signatures bind: what was signed is not changed in place, and who must sign
-- is not for those to say who sign.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(41);

SELECT create_funnel('crm', 'UTC');
CREATE ROLE regress_lq_mkt;
CREATE ROLE regress_lq_sls;
CREATE ROLE regress_lq_mia IN ROLE regress_lq_mkt;
CREATE ROLE regress_lq_sam IN ROLE regress_lq_sls;
SELECT count(*) > 0 FROM grant_funnel('crm', 'regress_lq_mkt', 'marketing') AS m, grant_funnel('crm', 'regress_lq_sls', 'sales') AS s;
UPDATE crm.side SET role = CASE side WHEN 'marketing' THEN 'regress_lq_mkt' WHEN 'sales' THEN 'regress_lq_sls' END
WHERE side IN ('marketing', 'sales');

\ir helper/attempt.sql

-- before anybody is asked, rules are edited in place
SELECT is(pg_temp.attempt('regress_lq_mia', 'UPDATE crm.rule SET points = points + 1 WHERE points = 10'), 'done', 'nobody is asked: rules are edited');

UPDATE crm.definition SET sides = '{marketing,sales}' WHERE status = 'active';
SELECT lives_ok(format('SELECT sign_definition(''crm'', ''default'', %L)', side), 'signed for ' || side) FROM (VALUES ('marketing'), ('sales')) AS s (side);

-- rules, transitions and limits of the active definition stand
SELECT alike(pg_temp.attempt(role, statement), '55000 definition "default" is not changed while it is active%', 'S10: ' || role || ': ' || statement)
FROM (VALUES ('regress_lq_mia'), (current_user)) AS r (role),
	 (VALUES ('UPDATE crm.rule SET points = 99 WHERE points = 5'),
			 ('UPDATE crm.rule SET enabled = false'),
			 ('DELETE FROM crm.rule WHERE axis = ''fit'''),
			 ('INSERT INTO crm.rule (definition, name, axis, points, condition) VALUES (''default'', ''mine'', ''fit'', 99, ''country IS NOT NULL'')'),
			 ('UPDATE crm.transition SET condition = NULL WHERE to_stage = ''sql'''),
			 ('INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES (''default'', 1, ''*'', ''customer'')'),
			 ('UPDATE crm.definition SET floor = -5 WHERE status = ''active''')) AS s (statement);
SELECT is(pg_temp.attempt('regress_lq_mia', 'UPDATE crm.rule SET points = points'), 'done', 'S10: what is written back as it was is no change');

-- the way it goes
SELECT is(pg_temp.attempt('regress_lq_mia', $$ SELECT copy_definition('crm', 'default', 'next') $$), 'done', 'S10: a copy is made');
SELECT is(pg_temp.attempt('regress_lq_mia', 'UPDATE crm.rule SET points = 99 WHERE points = 5 AND definition = ''next'''), 'done', 'S10: and edited');
SELECT alike(pg_temp.attempt('regress_lq_mia', 'UPDATE crm.rule SET definition = ''default'', name = name || ''_2'' WHERE definition = ''next'' AND points = 99'),
	'55000 definition "default" is not changed while it is active%', 'S10: its rows do not move into the signed one');

-- what goes out of a signed draft leaves another one than was signed
UPDATE crm.definition SET sides = '{marketing}' WHERE definition = 'next';
SELECT lives_ok($$ SELECT sign_definition('crm', 'next', 'marketing') $$, 'a draft is signed');
SELECT is_empty($$ SELECT * FROM check_definition('crm', 'next') WHERE problem ~ 'signed it as' $$, 'as it is now');
SELECT is(pg_temp.attempt('regress_lq_mia', $$ INSERT INTO crm.definition (definition) VALUES ('away') $$), 'done', 'there is another draft');
SAVEPOINT whole;
UPDATE crm.rule SET definition = 'away' WHERE definition = 'next' AND name = 'title_outside';
SELECT isnt_empty($$ SELECT * FROM check_definition('crm', 'next') WHERE problem ~ 'has not signed it as it is now' $$, 'S10: a rule that goes over to another draft leaves this one unsigned');
ROLLBACK TO whole;
UPDATE crm.transition SET definition = 'away' WHERE definition = 'next' AND to_stage = 'disqualified';
SELECT isnt_empty($$ SELECT * FROM check_definition('crm', 'next') WHERE problem ~ 'has not signed it as it is now' $$, 'S10: so does a transition');
ROLLBACK TO whole;
UPDATE crm.definition SET sides = NULL WHERE definition = 'next';

-- where the owner allows it, the definition is unsigned, and it shows
SELECT alike(pg_temp.attempt('regress_lq_mia', 'UPDATE crm.setting SET edit_signed = true'), '42501 permission denied for table setting%', 'S10: not marketing allows it');
UPDATE crm.setting SET edit_signed = true;
SELECT is((SELECT count(*) FROM check_funnel('crm', true) WHERE finding = 'definition_unsigned'), 0::bigint, 'it is signed as it is');
SELECT is(pg_temp.attempt('regress_lq_mia', 'UPDATE crm.rule SET points = points + 1 WHERE points = 20 AND definition = ''default'''), 'done', 'S10: the owner allows it');
SELECT results_eq($$ SELECT object, n, detail FROM check_funnel('crm', true) WHERE finding = 'definition_unsigned' $$,
	$$ VALUES ('default', 2::bigint, 'These sides have not signed it as it is now: marketing, sales.') $$, 'S10: check_funnel() says that it is unsigned');
SELECT set_has($$ SELECT text FROM crm.agreement WHERE section = 'signatures' $$,
	$$ VALUES ('not signed as it is now: marketing, sales') $$, 'S10: so does the agreement');
UPDATE crm.setting SET edit_signed = false;
UPDATE crm.definition SET sides = NULL WHERE status = 'active';

-- who must sign a move
UPDATE crm.transition SET sides = '{marketing,sales}' WHERE definition = 'default' AND position = 60;
SELECT alike(pg_temp.attempt('regress_lq_mia', statement), '42501 permission denied to change who must sign a move to stage "sql"%', 'S10: ' || statement)
FROM (VALUES ('UPDATE crm.transition SET sides = NULL WHERE position = 60 AND definition = ''default'''),
			 ('UPDATE crm.transition SET sides = ''{sales}'' WHERE position = 60 AND definition = ''default'''),
			 ('DELETE FROM crm.transition WHERE position = 60 AND definition = ''default'''),
			 ('INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES (''default'', 1, ''sal'', ''sql'')'),
			 ('INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES (''default'', 1, ''*'', ''sql'')'),
			 ('INSERT INTO crm.transition (definition, position, from_stage, to_stage, automatic) VALUES (''default'', 1, ''mql'', ''sql'', true)'),
			 ('UPDATE crm.transition SET to_stage = ''sql'' WHERE from_stage = ''nurture'' AND to_stage = ''lead'' AND definition = ''default''')) AS s (statement);

-- a signature is for the lead that was there
UPDATE crm.transition SET sides = '{sales}' WHERE definition = 'default' AND from_stage = 'mql' AND to_stage = 'sal';
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO crm.lead (lead_id, email) OVERRIDING SYSTEM VALUE VALUES (1, 'ann@example.com'), (2, 'bob@example.com');
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'demo_request'), (2, 'demo_request');
SET LOCAL lead_qual.actor = 'sam';
SELECT lives_ok(format('SELECT sign_move(''crm'', ''%s'', ''sal'')', l), 'sales signs for lead ' || l) FROM generate_series(1, 2) AS l;
SET LOCAL lead_qual.actor = '';
SET LOCAL lead_qual.clock = '2026-03-03 09:00Z';
DELETE FROM crm.lead WHERE lead_id = 1;
INSERT INTO crm.lead (lead_id, email) OVERRIDING SYSTEM VALUE VALUES (1, 'eve@example.com');
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'demo_request');
SELECT results_eq($$ SELECT lead_id, count(w.part) FROM crm.lead, LATERAL why_not('crm', lead_id, 'sal') AS w WHERE w.part ~ 'signature' AND w.state <> 'met' GROUP BY 1 ORDER BY 1 $$,
	$$ VALUES (1::bigint, 1::bigint) $$, 'S10: a lead that came under the key of one that went has no signature');

SELECT * FROM finish();
ROLLBACK;
