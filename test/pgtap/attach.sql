-- A funnel whose leads are rows of a table that the user has: keys of any
-- type, columns by other names, rows that were there.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-03-02 09:00+00';
SELECT plan(48);

-- what the user's own triggers saw
CREATE TABLE seen (name text, operation text, n bigint);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	INSERT INTO seen VALUES (TG_NAME, TG_OP, 1);
	IF TG_ARGV[0] = 'touch' THEN NEW.updated_at := funnel_now(); END IF;
	RETURN NEW;
END $$;
ALTER FUNCTION note() SET search_path = public, pg_temp;

--
-- uuid keys, and the user's triggers before and after ours
--
CREATE TABLE person (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	serial bigint GENERATED ALWAYS AS IDENTITY,
	mail varchar(200),
	first_name text,
	last_name text,
	name text GENERATED ALWAYS AS (coalesce(first_name || ' ', '') || last_name) STORED,
	position varchar(100),
	staff bigint,
	land char(2),
	lifecycle text,
	born timestamptz NOT NULL DEFAULT '2026-01-05 00:00+00',
	updated_at timestamptz
);
CREATE TRIGGER a_touch BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION note('touch');
CREATE TRIGGER zzz_last AFTER UPDATE ON person FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO person (id, mail, first_name, last_name, position, staff, land, lifecycle) VALUES
	('00000000-0000-0000-0000-000000000001', 'Ann@Example.com', 'Ann', 'Lee', 'VP Marketing', 900, 'DE', 'subscriber'),
	('00000000-0000-0000-0000-000000000002', 'ben@example.com', NULL, 'Orr', NULL, NULL, NULL, 'marketingqualifiedlead'),
	('00000000-0000-0000-0000-000000000003', 'cid@example.com', 'Cid', NULL, 'Intern', 5, 'FR', NULL);

SELECT lives_ok($$ SELECT create_funnel('crm', 'UTC', lead_table => 'person', lead_key => 'id',
	columns => '{"email": "mail", "full_name": "name", "job_title": "position", "company_size": "staff", "country": "land", "created_at": "born"}',
	stage_column => 'lifecycle', stages => '{"subscriber": "lead", "marketingqualifiedlead": "mql"}') $$,
	'a funnel attaches to a table with a uuid key and columns of other names');
SELECT results_eq($$ SELECT lead_id, email::text, full_name, stage, stage_entered_at, created_at, due_at FROM crm.lead ORDER BY lead_id $$,
	$$ VALUES ('00000000-0000-0000-0000-000000000001'::uuid, 'Ann@Example.com', 'Ann Lee', 'lead', '2026-01-05 00:00+00'::timestamptz, '2026-01-05 00:00+00'::timestamptz, NULL::timestamptz),
			  ('00000000-0000-0000-0000-000000000002', 'ben@example.com', 'Orr', 'mql', '2026-03-02 09:00+00', '2026-01-05 00:00+00', '2026-03-03 09:00+00'),
			  ('00000000-0000-0000-0000-000000000003', 'cid@example.com', NULL, 'lead', '2026-01-05 00:00+00', '2026-01-05 00:00+00', NULL) $$,
	'rows that were there have the stage of their value, the first one without; R003-03 an MQL has a deadline');
SELECT results_eq($$ SELECT lead_id::text, from_stage, to_stage, entered_at, cycle FROM crm.stage_history ORDER BY lead_id $$,
	$$ VALUES ('00000000-0000-0000-0000-000000000001', NULL::text, 'lead', '2026-01-05 00:00+00'::timestamptz, 1),
			  ('00000000-0000-0000-0000-000000000002', NULL, 'mql', '2026-03-02 09:00+00', 1),
			  ('00000000-0000-0000-0000-000000000003', NULL, 'lead', '2026-01-05 00:00+00', 1) $$, 'and a row of history');
SELECT results_eq('SELECT name, count(*) FROM seen GROUP BY name ORDER BY name', $$ VALUES ('a_touch', 1::bigint), ('zzz_last', 1) $$,
	'triggers of the user''s heard of the one row that got a deadline, and of no other');
SELECT results_eq('SELECT finding, n FROM check_funnel(''crm'')', $$ VALUES ('card_stale', 3::bigint) $$, 'all that is left is to score them');
SELECT is(rescore_funnel('crm'), 3::bigint, 'which can be done');
SELECT is_empty('SELECT * FROM check_funnel(''crm'')', 'and then nothing is wrong');
SELECT results_eq('SELECT DISTINCT atttypid::regtype::text FROM pg_attribute WHERE attname = ''lead_id'' AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = ''crm''::regnamespace)',
	$$ VALUES ('uuid') $$, 'facts and views have the key''s type');
SELECT is_empty($$ SELECT FROM pg_constraint WHERE confrelid = 'person'::regclass AND contype = 'f' $$, 'R2: no fact has a foreign key to the table');
SELECT is_empty($$ SELECT d.objid FROM pg_depend AS d JOIN pg_attribute AS a ON d.classid = 'pg_class'::regclass AND a.attrelid = d.objid
	WHERE d.deptype = 'e' AND d.objid = 'person'::regclass $$, 'the table is no part of the extension');

-- an application that knows of no funnel
CREATE ROLE regress_lq_app NOINHERIT;
DO $$ BEGIN EXECUTE format('GRANT %I TO regress_lq_app', current_user); END $$;		-- for the clock
GRANT INSERT, UPDATE, SELECT ON person TO regress_lq_app;
GRANT INSERT ON seen TO regress_lq_app;
SET LOCAL ROLE regress_lq_app;
INSERT INTO person (id, mail, last_name, position, staff, land) VALUES ('00000000-0000-0000-0000-000000000004', 'dot@example.com', 'Dot', 'Head of Sales', 300, 'DE');
RESET ROLE;
SELECT results_eq($$ SELECT stage, fit, score FROM crm.lead_now WHERE lead_id = '00000000-0000-0000-0000-000000000004' $$,
	$$ VALUES ('lead', 25::numeric, 25::numeric) $$, 'what it inserts is scored, by columns that have other names');
SELECT results_eq($$ SELECT rule FROM explain_score('crm', '00000000-0000-0000-0000-000000000004'::uuid) ORDER BY rule $$,
	$$ VALUES ('company_size'), ('job_title'), ('location') $$, 'and explained');
SELECT is(record_activity('crm', 'DOT@example.com', 'demo_request'), true, 'an activity finds it by e-mail address');
SELECT is((SELECT stage FROM person WHERE mail = 'dot@example.com'), 'mql', 'and makes an MQL of it, in the table itself');
DELETE FROM seen;
SET LOCAL ROLE regress_lq_app;
SELECT lives_ok($$ UPDATE person SET stage = 'sal' WHERE mail = 'dot@example.com' $$, 'a move is asked for in the table');
SELECT throws_ok($$ UPDATE person SET stage = 'customer' WHERE mail = 'dot@example.com' $$, '23514', NULL, 'and refused there');
RESET ROLE;
SELECT lives_ok($$ UPDATE crm.lead SET stage = 'nurture', reason = 'too_early', note = 'call in May' WHERE email = 'dot@example.com' $$, 'or in the view');
SELECT results_eq($$ SELECT h.to_stage, h.actor = 'regress_lq_app', h.reason, h.note FROM crm.stage_history AS h WHERE lead_id = '00000000-0000-0000-0000-000000000004' ORDER BY history_id $$,
	$$ VALUES ('lead', true, NULL, NULL), ('mql', false, NULL, NULL), ('sal', true, NULL, NULL), ('nurture', false, 'too_early', 'call in May') $$,
	'the history has it all');
SELECT is((SELECT updated_at FROM person WHERE mail = 'dot@example.com'), '2026-03-02 09:00+00', 'the user''s BEFORE trigger works on');
SELECT is((SELECT count(*) FROM seen WHERE name = 'zzz_last'), 2::bigint, 'his AFTER trigger too');
UPDATE person SET first_name = 'Dora', reason = 'x', scorecard = NULL WHERE mail = 'dot@example.com';
SELECT results_eq($$ SELECT full_name, scorecard IS NULL FROM crm.lead WHERE email = 'dot@example.com' $$, $$ VALUES ('Dora Dot', false) $$,
	'a generated column is computed, and what triggers keep is kept');
INSERT INTO crm.rule (definition, name, axis, condition, points) VALUES ('default', 'dora', 'fit', 'full_name LIKE ''Dora %'' AND serial > 0', 7);
UPDATE person SET first_name = 'Thea' WHERE mail = 'dot@example.com';
SELECT is(hits(scorecard, (SELECT rule_id FROM crm.rule WHERE name = 'dora')), 0::bigint, 'a rule may read a generated column, as it will be')
	FROM person WHERE mail = 'dot@example.com';
UPDATE person SET first_name = 'Dora' WHERE mail = 'dot@example.com';
SELECT is(hits(scorecard, (SELECT rule_id FROM crm.rule WHERE name = 'dora')), 1::bigint, 'and a column that only the user''s table has')
	FROM person WHERE mail = 'dot@example.com';
SELECT throws_ok($$ INSERT INTO crm.rule (definition, name, axis, condition, points) VALUES ('default', 'x', 'fit', 'mail IS NULL', 1) $$, '42703',
	'column lead.mail does not exist', 'columns go by the names that the funnel knows');
SELECT throws_ok($$ UPDATE person SET id = gen_random_uuid() WHERE mail = 'dot@example.com' $$, '23001', NULL, 'the key stays');
SELECT results_eq($$ SELECT part FROM why_not('crm', '00000000-0000-0000-0000-000000000002', 'sal') $$, $$ SELECT NULL::text WHERE false $$, 'why_not() takes the key, quoted');
SELECT results_eq($$ SELECT lead, moved, sqlstate FROM move_leads('crm', ARRAY['00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000009', 'x'], 'sal') ORDER BY lead $$,
	$$ VALUES ('00000000-0000-0000-0000-000000000002', true, NULL), ('00000000-0000-0000-0000-000000000009', false, 'P0002'), ('x', false, 'P0002') $$, 'move_leads() too');
INSERT INTO crm.answer (lead_id, framework, element, level) VALUES ('00000000-0000-0000-0000-000000000002', 'bant', 'need', 'yes'), ('00000000-0000-0000-0000-000000000002', 'champ', 'money', 'yes');
INSERT INTO crm.deal (amount) VALUES (100);
INSERT INTO crm.deal_contact (deal_id, lead_id) VALUES (1, '00000000-0000-0000-0000-000000000002');
SELECT results_eq($$ SELECT bant, answers, deals_open FROM person WHERE id = '00000000-0000-0000-0000-000000000002' $$,
	$$ VALUES ('N+'::bant, '{"champ": {"money": "yes"}}'::jsonb, 1) $$, 'answers and deals arrive in the table');
SELECT is((framework_gaps('crm', '00000000-0000-0000-0000-000000000002'::uuid, 'bant')), '{budget,authority,timeline}', 'frameworks take the key');
INSERT INTO crm.account (domain) VALUES ('acme.example');
UPDATE person SET account_id = 1 WHERE mail = 'ben@example.com';
SELECT is((SELECT bant::text FROM crm.account_qualification), 'B? A? N+ T?', 'and so do accounts');
SELECT results_eq($$ SELECT activities, answers, deals, moves FROM merge_leads('crm', '00000000-0000-0000-0000-000000000004', '00000000-0000-0000-0000-000000000002') $$,
	$$ VALUES (0::bigint, 2::bigint, 1::bigint, 2::bigint) $$, 'two rows become one');
SELECT results_eq($$ SELECT count(*) FROM person $$, $$ VALUES (3::bigint) $$, 'in the table');
SELECT lives_ok($$ SELECT erase_lead('crm', '00000000-0000-0000-0000-000000000001') $$, 'a person is erased');
SELECT is_empty($$ SELECT FROM person WHERE id = '00000000-0000-0000-0000-000000000001' $$, 'from the table');
DELETE FROM crm.deal;
SELECT is(rescore_funnel('crm'), 2::bigint, 'new rules');
SELECT is_empty('SELECT * FROM check_funnel(''crm'')', 'nothing is wrong after all that');
SELECT is((SELECT count(*) FROM sweep_funnel('crm')), 1::bigint, 'it can be swept');
SELECT throws_ok('TRUNCATE person CASCADE', '0A000', NULL, 'not truncated');
DELETE FROM person WHERE mail = 'dot@example.com';
SELECT is_empty('SELECT lead_id FROM crm.activity UNION ALL SELECT lead_id FROM crm.answer', 'facts go with their lead');

--
-- text keys, without a mapping; names that collide
--
CREATE TABLE "Contact" (k varchar(20) PRIMARY KEY, stage text, note_ text);
INSERT INTO "Contact" VALUES ('a1', 'hot', 'n'), ('B2', 'cold', 'n');
SELECT lives_ok($$ SELECT create_funnel('Odd "funnel"', 'UTC', lead_table => '"Contact"', lead_key => 'k', prefix => 'lq_',
	stage_column => 'stage', stages => '{"hot": "sql", "cold": "nurture"}') $$, 'columns may be added with a prefix');
SELECT results_eq('SELECT k::text, stage, lq_stage, lq_cycle FROM "Contact" ORDER BY stage', $$ VALUES ('B2', 'cold', 'nurture', 1), ('a1', 'hot', 'sql', 1) $$,
	'the user''s column of the same name is his own');
SELECT lives_ok($$ INSERT INTO "Contact" (k, lq_external_id) VALUES ('c3', 'see') $$, 'a lead comes');
SELECT is(record_activity('Odd "funnel"', 'see', 'webinar'), true, 'and does something');
SELECT throws_ok($$ UPDATE "Contact" SET lq_stage = 'customer' WHERE k = 'c3' $$, '23514', 'cannot move lead from stage "lead" to "customer"', 'guards hold');
SELECT is(_rescore_lead('Odd "funnel"', 'c3', false), true, 'a text key is the same wherever it comes from');
SELECT is((SELECT sum(hits) FROM "Contact", explain_score(lq_scorecard) WHERE k = 'c3'), 1::numeric, 'so its card is kept');
SELECT results_eq($$ SELECT lead_id::text, stage FROM "Odd ""funnel""".lead ORDER BY stage $$, $$ VALUES ('c3', 'lead'), ('B2', 'nurture'), ('a1', 'sql') $$,
	'the view has the funnel''s stage');
SELECT throws_ok($$ INSERT INTO "Odd ""funnel""".rule (definition, name, axis, condition, points) VALUES ('default', 'x', 'fit', 'lq_stage = ''sql''', 1) $$, '42703', NULL,
	'which conditions call stage');

SELECT * FROM finish();
ROLLBACK;
