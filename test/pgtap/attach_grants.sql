-- grant_funnel() where leads are rows of a table of the user's, and its row
-- security.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(35);

CREATE SCHEMA app;
CREATE TABLE app."Contact" ("The Id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "E-Mail, 100%" text, phone text, stage text);
INSERT INTO app."Contact" ("E-Mail, 100%", phone, stage) VALUES ('ann@example.com', '555', 'old');
SELECT create_funnel('crm', 'UTC', lead_table => 'app."Contact"', lead_key => 'The Id', columns => '{"email": "E-Mail, 100%"}', prefix => 'lq_');
CREATE ROLE regress_lq_app;
CREATE ROLE regress_lq_analyst;
CREATE ROLE regress_lq_marketing;
CREATE ROLE regress_lq_admin;
SELECT isnt_empty($$ SELECT grant_funnel('crm', 'regress_lq_app', 'app') $$, 'app');
SELECT set_has($$ SELECT grant_funnel('crm', 'regress_lq_marketing', 'marketing') $$,
	$$ VALUES ('GRANT USAGE ON SCHEMA app TO regress_lq_marketing'), ('GRANT INSERT ON app."Contact" TO regress_lq_marketing'),
			  ('GRANT SELECT ON app."Contact" TO regress_lq_marketing') $$, 'marketing: what is granted on the table is told');
SELECT isnt_empty($$ SELECT grant_funnel('crm', 'regress_lq_analyst', 'analyst') $$, 'analyst');
SELECT isnt_empty($$ SELECT grant_funnel('crm', 'regress_lq_admin', 'admin') $$, 'admin');

CREATE FUNCTION pg_temp.attempt(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	RETURN 'done';
EXCEPTION
	WHEN insufficient_privilege THEN RESET ROLE; RETURN 'refused';
	WHEN OTHERS THEN RESET ROLE; RETURN SQLERRM;
END $$;
SELECT is(pg_temp.attempt('regress_lq_' || role, statement), result, role || ': ' || statement)
FROM (VALUES
	('app', 'INSERT INTO app."Contact" ("E-Mail, 100%") VALUES (''ben@example.com'')', 'done'),
	('app', 'INSERT INTO crm.lead (email) VALUES (''cid@example.com'')', 'done'),
	('app', 'SELECT record_activity(''crm'', ''ben@example.com'', ''demo_request'')', 'done'),
	('app', 'SELECT lead_id, email FROM crm.lead', 'done'),
	('app', 'SELECT phone FROM crm.lead', 'refused'),
	('app', 'UPDATE app."Contact" SET lq_stage = ''sal''', 'refused'),
	('analyst', 'SELECT lead_id, stage, country, scorecard FROM crm.lead', 'done'),
	('analyst', 'SELECT * FROM crm.lead_now', 'done'),
	('analyst', 'SELECT * FROM crm.lead_journey', 'done'),
	('analyst', 'SELECT email FROM crm.lead', 'refused'),
	('analyst', 'SELECT phone FROM crm.lead', 'refused'),
	('analyst', 'SELECT "E-Mail, 100%" FROM app."Contact"', 'refused'),
	('marketing', 'SELECT phone FROM crm.lead', 'done'),
	('marketing', 'UPDATE crm.lead SET owner = ''mia'' WHERE email = ''ben@example.com''', 'done'),
	('marketing', 'SELECT score FROM crm.lead_now', 'done'),
	('marketing', 'UPDATE app."Contact" SET lq_stage = ''sal'' WHERE "E-Mail, 100%" = ''ben@example.com''', 'done'),
	('marketing', 'UPDATE crm.lead SET cycle = 7', 'done'),
	('marketing', 'UPDATE crm.lead SET phone = ''1''', 'refused'),
	('marketing', 'DELETE FROM app."Contact"', 'refused'),
	('admin', 'UPDATE crm.lead SET phone = ''1''', 'done'),
	('admin', 'DELETE FROM crm.lead WHERE email = ''cid@example.com''', 'done')) AS tried (role, statement, result);
SELECT is((SELECT lq_stage FROM app."Contact" WHERE "E-Mail, 100%" = 'ben@example.com'), 'sal', 'the move was made');
SELECT results_eq($$ SELECT actor FROM crm.stage_history WHERE to_stage = 'sal' $$, $$ VALUES ('regress_lq_marketing') $$, 'by whom');

-- row security of the table, later and from the start
ALTER TABLE app."Contact" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON app."Contact" TO regress_lq_marketing USING (lq_owner = 'mia');
SELECT results_eq($$ SELECT finding, object FROM check_funnel('crm') WHERE finding ~ 'security' $$, $$ VALUES ('row_security_bypassed', 'crm.lead') $$,
	'row security that comes later is told of');
ALTER VIEW crm.lead SET (security_invoker = true);
SELECT is_empty($$ SELECT finding FROM check_funnel('crm') WHERE finding ~ 'security' $$, 'until the view obeys it');
CREATE FUNCTION pg_temp.sees(funnel text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.attempt('regress_lq_marketing', format('DO $d$ BEGIN RAISE EXCEPTION ''%%'', (SELECT count(*) FROM %1$I.lead_now) + (SELECT count(*) FROM %1$I.lead); END $d$', funnel)) $$;
SELECT is(pg_temp.sees('crm'), '2', 'then who reads views sees his own rows');
CREATE TABLE app.tenant (id bigint PRIMARY KEY, owner text);
INSERT INTO app.tenant VALUES (1, 'mia'), (2, 'sam');
ALTER TABLE app.tenant ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON app.tenant TO regress_lq_marketing USING (owner = 'mia');
SELECT lives_ok($$ SELECT create_funnel('t', 'UTC', lead_table => 'app.tenant', lead_key => 'id', columns => '{"owner": "owner"}') $$, 'row security from the start');
SELECT isnt_empty($$ SELECT grant_funnel('t', 'regress_lq_marketing', 'marketing') $$, 'is no obstacle');
SELECT is(pg_temp.sees('t'), '2', 'and binds the views');
SELECT is_empty($$ SELECT finding FROM check_funnel('t') WHERE finding ~ 'security' $$, 'of which there is nothing to tell');

CREATE SCHEMA "100%s";
CREATE TABLE "100%s"."t%I" (id bigint PRIMARY KEY);
SELECT create_funnel('u%s', 'UTC', lead_table => '"100%s"."t%I"', lead_key => 'id');
SELECT set_has($$ SELECT grant_funnel('u%s', 'regress_lq_app', 'app') $$, $$ VALUES ('GRANT USAGE ON SCHEMA "100%s" TO regress_lq_app') $$,
	'the schema of the table is named as it is');

SELECT * FROM finish();
ROLLBACK;
