-- grant_funnel(): what each profile may do and, above all, may not.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(52);

SELECT create_funnel('crm');
CREATE ROLE "regress_lq App";
CREATE ROLE regress_lq_analyst;
CREATE ROLE regress_lq_sales;
CREATE ROLE regress_lq_marketing;
CREATE ROLE regress_lq_admin;
CREATE ROLE regress_lq_feed;
INSERT INTO crm.lead (email, full_name) VALUES ('ann@example.com', 'Ann');

SELECT results_eq($$ SELECT grant_funnel('crm', '"regress_lq App"', 'app') LIMIT 1 $$,
	$$ VALUES ('GRANT USAGE ON SCHEMA crm TO "regress_lq App"') $$,
	'the statements are shown');
SELECT lives_ok($$ SELECT grant_funnel('crm', 'regress_lq_analyst', 'analyst') $$, 'analyst');
SELECT lives_ok($$ SELECT grant_funnel('crm', 'regress_lq_sales', 'sales') $$, 'sales');
SELECT lives_ok($$ SELECT grant_funnel('crm', 'regress_lq_marketing', 'marketing') $$, 'marketing');
SELECT lives_ok($$ SELECT grant_funnel('crm', 'regress_lq_admin', 'admin') $$, 'admin');
SELECT throws_ok($$ SELECT grant_funnel('crm', 'regress_lq_sales', 'boss') $$, '22023', NULL,
	'an unknown profile is refused');
SELECT throws_ok($$ SELECT grant_funnel('crm', 'regress_lq_nobody', 'app') $$, '42704', NULL,
	'an unknown role is refused');
SELECT throws_ok($$ SELECT grant_funnel('public', 'regress_lq_sales', 'app') $$, '42809', NULL,
	'a schema that is no funnel is refused');

-- one statement, as a role, that works or lacks a privilege
CREATE FUNCTION pg_temp.attempt(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	RETURN 'done';
EXCEPTION WHEN insufficient_privilege THEN
	RESET ROLE;
	RETURN 'refused';
END $$;

-- a feed has the least
GRANT USAGE ON SCHEMA crm TO regress_lq_feed;
GRANT INSERT ON crm.activity TO regress_lq_feed;
SELECT is(pg_temp.attempt('regress_lq_feed', $$ INSERT INTO crm.activity (lead_id, kind)
		  VALUES (1, 'webinar') $$), 'done', 'USAGE and INSERT are enough to record an activity');

SELECT is(pg_temp.attempt('regress_lq App', statement), result, 'app: ' || statement)
FROM (VALUES ('INSERT INTO crm.lead (email) VALUES (''b@example.com'') ON CONFLICT DO NOTHING', 'done'),
			 ('INSERT INTO crm.lead (email) VALUES (''c@example.com'') RETURNING lead_id', 'done'),
			 ('INSERT INTO crm.activity (lead_id, kind) VALUES (1, ''webinar'')', 'done'),
			 ('SELECT lead_id FROM crm.lead WHERE lower(email) = ''ann@example.com''', 'done'),
			 ('SELECT scorecard FROM crm.lead', 'refused'),
			 ('UPDATE crm.lead SET stage = ''sql''', 'refused'),
			 ('SELECT * FROM crm.deal', 'refused'),
			 ('DELETE FROM crm.rule', 'refused')) AS tried (statement, result);

SELECT is(pg_temp.attempt('regress_lq_analyst', statement), result, 'analyst: ' || statement)
FROM (VALUES ('SELECT stage, source, scorecard FROM crm.lead', 'done'),
			 ('SELECT email FROM crm.lead', 'refused'),
			 ('SELECT full_name FROM crm.lead', 'refused'),
			 ('SELECT properties FROM crm.activity', 'refused'),
			 ('SELECT note FROM crm.stage_history', 'refused'),
			 ('SELECT * FROM crm.rule', 'done'),
			 ('INSERT INTO crm.activity (lead_id, kind) VALUES (1, ''webinar'')', 'refused')) AS tried (statement, result);

-- a view that shows personal data is not granted; every other one works
SELECT is_empty($$
	SELECT relname FROM pg_class AS c
	WHERE relnamespace = 'crm'::regnamespace AND relkind = 'v'
	AND pg_temp.attempt('regress_lq_analyst', format('SELECT * FROM crm.%I', relname))
		-- guards may read personal data
		<> CASE WHEN relname = 'readiness' OR EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid
							 AND attname IN ('email', 'full_name', 'note', 'marketing_note', 'external_id'))
				THEN 'refused' ELSE 'done' END $$,
	'analyst: every view without personal data, and no other');

SELECT is(pg_temp.attempt('regress_lq_sales', statement), result, 'sales: ' || statement)
FROM (VALUES ('UPDATE crm.lead SET owner = ''ben''', 'done'),
			 ('UPDATE crm.lead SET scorecard = NULL', 'done'),
			 ('INSERT INTO crm.deal (amount) VALUES (1)', 'done'),
			 ('INSERT INTO crm.verdict (lead_id, side, qualified) VALUES (1, ''sales'', true)', 'done'),
			 ('UPDATE crm.rule SET points = 1', 'refused')) AS tried (statement, result);

SELECT is(pg_temp.attempt('regress_lq_marketing', statement), result, 'marketing: ' || statement)
FROM (VALUES ('UPDATE crm.rule SET points = 2 WHERE name = ''website_visit''', 'done'),
			 ('INSERT INTO crm.list VALUES (''target_countries'', ''BE'')', 'done'),
			 ('UPDATE crm.stage SET description = description', 'done'),
			 ('SELECT copy_definition(''crm'', ''default'', ''next'')', 'done'),
			 ('UPDATE crm.definition SET max_fit = 50 WHERE definition = ''next''', 'done'),
			 ('UPDATE crm.definition SET sides = ''{}''', 'refused'),
			 ('UPDATE crm.setting SET sales_capacity = 40', 'done'),
			 ('UPDATE crm.setting SET lead_key = ''email''', 'refused'),
			 ('UPDATE crm.definition SET status = ''retired''', 'refused'),
			 ('UPDATE crm.definition SET version = 7', 'refused'),
			 ('UPDATE crm.definition SET definition = ''other'' WHERE definition = ''next''', 'refused'),
			 ('DELETE FROM crm.definition WHERE definition = ''next''', 'refused'),
			 ('INSERT INTO crm.spend (department, starts_on, ends_on, amount) '
			  'VALUES (''marketing'', ''2026-01-01'', ''2026-01-31'', 1)', 'done'),
			 ('INSERT INTO crm.deal (amount) VALUES (1)', 'refused')) AS tried (statement, result);

SELECT is(pg_temp.attempt(role, 'SELECT * FROM crm.lead JOIN crm.activity USING (lead_id) JOIN crm.stage_history USING (lead_id)'), 'done',
	'R004-26 marketing and sales see the same record: ' || role)
FROM unnest(ARRAY['regress_lq_marketing', 'regress_lq_sales']) AS role;

SELECT is(pg_temp.attempt('regress_lq_admin', 'DELETE FROM crm.spend'), 'done', 'admin: deletes');
SELECT is(pg_temp.attempt('regress_lq_admin', 'UPDATE crm.definition SET note = note'), 'done', 'admin: writes definitions');
SELECT is(pg_temp.attempt('regress_lq_admin', 'UPDATE crm.definition SET sides = ''{sales}'''), 'refused',
	'admin: does not say who must sign');
SELECT is(pg_temp.attempt('regress_lq_admin', 'UPDATE crm.definition SET status = ''retired'''), 'refused',
	'admin: nor what is in force');
SELECT is(pg_temp.attempt('regress_lq_admin', 'CREATE TABLE crm.mine ()'), 'refused',
	'admin: creates nothing in the schema');
SELECT throws_ok($$ SET LOCAL ROLE regress_lq_admin; SELECT grant_funnel('crm', 'regress_lq_feed', 'app') $$,
	'42501', NULL, 'only the owner grants');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
