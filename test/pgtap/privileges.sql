-- Settings of those who may not, row security, and what errors tell.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(35);

\ir helper/attempt.sql

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_marketing;
CREATE ROLE regress_lq_feed;
CREATE ROLE regress_lq_sales;
CREATE ROLE regress_lq_web;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;
SELECT is(pg_temp.attempt('regress_lq_owner', $$ SELECT create_funnel('crm', 'UTC') $$), 'done', 'a funnel');
SELECT is(pg_temp.attempt('regress_lq_owner', format('SELECT grant_funnel(''crm'', ''regress_lq_%1$s'', ''%1$s'')', profile)), 'done', profile)
FROM (VALUES ('marketing'), ('sales')) AS p (profile);
GRANT USAGE ON SCHEMA crm TO regress_lq_feed, regress_lq_web;
GRANT INSERT ON crm.activity TO regress_lq_feed, regress_lq_web;
INSERT INTO crm.account (name, domain) VALUES ('Secret Corp', 'secret.example');
INSERT INTO crm.lead (email, account_id) VALUES ('ann@example.com', 1), ('ben@example.com', 1);

--
-- lead_qual.clock and lead_qual.import
--
SELECT alike(pg_temp.attempt('regress_lq_marketing', 'SET LOCAL lead_qual.' || setting || '; ' || statement), '42501 permission denied to use "lead_qual.%', setting || ': ' || statement)
FROM (VALUES ('clock = ''2020-01-01'''), ('import = on')) AS s (setting),
	 (VALUES ('INSERT INTO crm.activity (lead_id, kind) VALUES (1, ''webinar'')'), ('INSERT INTO crm.lead (email) VALUES (''c'')'),
			 ('UPDATE crm.lead SET note = ''x'''), ('UPDATE crm.rule SET points = 1'), ('DELETE FROM crm.list'),
			 ('UPDATE crm.stage SET position = position + 1'), ('UPDATE crm.setting SET currency = ''USD''')) AS t (statement);
SELECT alike(pg_temp.attempt('regress_lq_owner', 'SET LOCAL lead_qual.' || setting || '; UPDATE crm.rule SET points = points'), 'done', 'the owner may: ' || setting)
FROM (VALUES ('clock = ''2020-01-01'''), ('import = on')) AS s (setting);
RESET lead_qual.clock;
RESET lead_qual.import;
-- even through a function of the owner's
CREATE FUNCTION crm.feed() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'INSERT INTO crm.activity (lead_id, kind) VALUES (1, ''webinar'')';
ALTER FUNCTION crm.feed() OWNER TO regress_lq_owner;
SELECT is(pg_temp.attempt('regress_lq_feed', 'SELECT crm.feed()'), 'done', 'a SECURITY DEFINER function of the owner''s');
SELECT alike(pg_temp.attempt('regress_lq_feed', 'SET LOCAL lead_qual.clock = ''2020-01-01''; SELECT crm.feed()'), '42501%', '... does not lend his right to set the clock');

--
-- lead_qual.actor
--
SELECT alike(pg_temp.attempt('regress_lq_web', 'SET LOCAL lead_qual.actor = ''boss'''), '42501%', 'nobody is somebody else');
GRANT SET ON PARAMETER lead_qual.actor TO regress_lq_web;
GRANT UPDATE (stage), SELECT (lead_id, stage) ON crm.lead TO regress_lq_web;
SELECT is(pg_temp.attempt('regress_lq_web', $$ SET LOCAL lead_qual.actor = 'ann'; INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'demo_request') $$), 'done', 'who was granted it may say for whom he acts');
RESET lead_qual.actor;
SELECT is((SELECT actor FROM crm.stage_history WHERE lead_id = 1 AND to_stage = 'mql'), 'ann', 'and the history tells');

--
-- What a refusal tells
--
INSERT INTO crm.transition (definition, position, from_stage, to_stage, condition) VALUES
	('default', 45, 'mql', 'sql', 'account.domain = ''x'' AND score > 5000 AND industry = ''y'' AND days_in_stage > 7');
SELECT is(pg_temp.attempt('regress_lq_web', $$ UPDATE crm.lead SET stage = 'sql' WHERE lead_id = 1 $$) ~ 'secret|score is|industry is|days_in_stage is', false,
	'a refusal shows nothing that the caller may not read');
SELECT alike(pg_temp.attempt('regress_lq_sales', $$ UPDATE crm.lead SET stage = 'sql' WHERE lead_id = 1 $$), '%account.domain is secret.example%score is 140%', 'and the rest to who may');
ALTER TABLE crm.lead ADD CONSTRAINT few CHECK (score(scorecard, now()) < 400) NOT VALID;
SELECT is(pg_temp.attempt('regress_lq_feed', $$ INSERT INTO crm.activity (lead_id, kind) VALUES (2, 'demo_request'), (2, 'free_trial'), (2, 'meeting_booked'), (2, 'sales_inquiry') $$),
	'23514 new row for relation "lead" violates check constraint "few"', 'a violated constraint does not show the row');
SELECT alike(pg_temp.attempt('regress_lq_owner', $$ INSERT INTO crm.activity (lead_id, kind) VALUES (2, 'demo_request'), (2, 'free_trial'), (2, 'meeting_booked'), (2, 'sales_inquiry') $$),
	'23514%ben@example.com%', '... but to the owner');
ALTER TABLE crm.lead DROP CONSTRAINT few;

--
-- Row security
--
ALTER TABLE crm.lead ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE crm.stage_history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE crm.rule ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON crm.lead USING (owner = current_user);
SELECT is(pg_temp.attempt('regress_lq_feed', $$ INSERT INTO crm.activity (lead_id, kind) VALUES (2, 'demo_request') $$), 'done', 'an activity is scored past forced row security');
SELECT is(pg_temp.attempt('regress_lq_owner', $$ INSERT INTO crm.activity (lead_id, kind) VALUES (2, 'webinar') $$), 'done', 'of the owner, too');
SELECT is((SELECT sum(hits) FROM explain_score('crm', 2)), 2::numeric, 'both count');
SELECT is((SELECT stage FROM crm.lead WHERE lead_id = 2), 'mql', 'and the lead has moved');
SELECT is((SELECT count(*) FROM crm.stage_history WHERE lead_id = 2), 2::bigint, 'with its history');
SELECT is(pg_temp.attempt('regress_lq_sales', $$ SELECT 1 / (CASE WHEN (SELECT count(*) FROM crm.lead_now) = 0 THEN 1 ELSE 0 END) $$), 'done', 'views show the caller''s rows only');
SELECT alike(pg_temp.attempt('regress_lq_sales', $$ SELECT 1 / (SELECT count(*) FROM explain_score('crm', 2)) $$), ANY_ERROR, 'and so do functions')
FROM (VALUES ('_____ %')) AS e (ANY_ERROR);

SELECT * FROM finish();
ROLLBACK;
