-- The version of the definition, and rules that take effect at once.  What is
-- counted once a transaction needs several, so this file commits.
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET lead_qual.clock = '2026-03-02 09:00Z';
BEGIN;
SELECT plan(45);
SELECT create_funnel('crm', 'UTC');
COMMIT;
SET search_path = crm, public;

CREATE TEMP TABLE was (version int);
INSERT INTO was SELECT version FROM definition;
CREATE FUNCTION pg_temp.risen() RETURNS int LANGUAGE sql AS
	'WITH old AS (SELECT version AS before FROM was), new AS (UPDATE was SET version = d.version FROM crm.definition AS d WHERE status = ''active'')
	 SELECT d.version - before FROM old, crm.definition AS d WHERE status = ''active''';
CREATE FUNCTION pg_temp.points(lead bigint) RETURNS numeric LANGUAGE sql AS
	'SELECT score(scorecard, funnel_now()) FROM crm.lead WHERE lead_id = $1';

-- D13
SELECT is(version, 1, 'D13 a funnel begins with version 1') FROM was;
INSERT INTO lead (company_size) VALUES (900), (NULL);
UPDATE setting SET currency = 'CHF';
UPDATE definition SET note = 'the same';
UPDATE list SET value = value;
INSERT INTO kind (kind) VALUES ('webinar') ON CONFLICT (kind) DO UPDATE SET description = kind.description;
UPDATE rule SET points = points;
SELECT is(pg_temp.risen(), 0, 'D13 facts, notes, and rows written as they were leave the version');
SELECT is_empty('SELECT FROM lead_now WHERE stale', 'and no lead is stale');
UPDATE rule SET points = 11 WHERE name = 'company_size';
SELECT is(pg_temp.risen(), 1, 'D13 a rule raises it');
SELECT is(count(*), 2::bigint, 'and leads scored before are stale') FROM lead_now WHERE stale;
UPDATE transition SET description = description || '.' WHERE position = 50;
SELECT is(pg_temp.risen(), 1, 'D13 so does a transition');
UPDATE stage SET sla = '2 days' WHERE stage = 'mql';
SELECT is(pg_temp.risen(), 1, 'D13 so does a stage');
INSERT INTO list VALUES ('target_countries', 'NZ'), ('target_countries', 'FJ');
SELECT is(pg_temp.risen(), 1, 'so do values of lists, together');
INSERT INTO kind (kind) VALUES ('party_visit');
SELECT is(pg_temp.risen(), 1, 'so does a kind');
UPDATE element SET valid_for = '1 year' WHERE framework = 'bant';
SELECT is(pg_temp.risen(), 1, 'so does an element');
UPDATE definition SET max_engagement = 500;
SELECT is(pg_temp.risen(), 1, 'D13 so does a cap, which cards keep');
BEGIN;
UPDATE stage SET sla = '3 days' WHERE stage IN ('mql', 'sal');
UPDATE rule SET points = points + 1 WHERE axis = 'engagement';
DELETE FROM rule WHERE name = 'ad_click';
UPDATE definition SET floor = -100;
INSERT INTO transition (definition, position, from_stage, to_stage) VALUES ('default', 41, 'lead', 'nurture');
UPDATE stage SET sla = '4 days' WHERE stage = 'sal';
SELECT is(pg_temp.risen(), 1, 'D13 all of it together once');
COMMIT;
SELECT is(pg_temp.risen(), 0, 'D13 and not at commit');
UPDATE rule SET points = 10 WHERE false;
SELECT is(pg_temp.risen(), 0, 'a statement that changes nothing does not');
INSERT INTO definition (definition) VALUES ('draft');
INSERT INTO rule (definition, name, axis, points) VALUES ('draft', 'company_size', 'fit', 1);
SELECT is(pg_temp.risen(), 0, 'nor does a draft');
BEGIN;
UPDATE rule SET points = 12 WHERE name = 'company_size' AND definition = 'default';
ROLLBACK;
SELECT is(pg_temp.risen(), 0, 'nor what was rolled back');
SET lead_qual.import = on;
SELECT throws_ok($$ INSERT INTO definition (definition, status) VALUES ('second', 'active') $$, '23505', NULL, 'R000-22 exactly one definition is active');
RESET lead_qual.import;

-- at once
BEGIN;
INSERT INTO lead (lead_id, company_size) OVERRIDING SYSTEM VALUE VALUES (10, 900);
SELECT is(pg_temp.points(10), 11::numeric, 'the rule as it is');
UPDATE rule SET points = 20 WHERE name = 'company_size' AND definition = 'default';
INSERT INTO lead (lead_id, company_size) OVERRIDING SYSTEM VALUE VALUES (11, 900);
SELECT is(pg_temp.points(11), 20::numeric, 'as it is now, in the same transaction');
SAVEPOINT s;
UPDATE rule SET points = 30 WHERE name = 'company_size' AND definition = 'default';
INSERT INTO lead (lead_id, company_size) OVERRIDING SYSTEM VALUE VALUES (12, 900);
SELECT is(pg_temp.points(12), 30::numeric, 'in a savepoint');
ROLLBACK TO SAVEPOINT s;
INSERT INTO lead (lead_id, company_size) OVERRIDING SYSTEM VALUE VALUES (12, 900);
SELECT is(pg_temp.points(12), 20::numeric, 'and after going back to it');
UPDATE rule SET enabled = false WHERE name = 'company_size';
INSERT INTO activity (lead_id, kind) VALUES (12, 'webinar');
SELECT is(pg_temp.points(12), 21::numeric, 'R001-07 an activity brings the whole card up to date');
ROLLBACK;
INSERT INTO lead (lead_id, company_size) OVERRIDING SYSTEM VALUE VALUES (10, 900);
SELECT is(pg_temp.points(10), 11::numeric, 'after ROLLBACK the old rule holds');
CREATE FUNCTION pg_temp.both() RETURNS numeric[] LANGUAGE plpgsql AS $$
DECLARE a numeric;
BEGIN
	UPDATE rule SET points = 40 WHERE name = 'company_size' AND definition = 'default';
	INSERT INTO lead (lead_id, company_size) OVERRIDING SYSTEM VALUE VALUES (13, 900);
	a := pg_temp.points(13);
	UPDATE rule SET points = 50 WHERE name = 'company_size' AND definition = 'default';
	UPDATE lead SET company_size = 901 WHERE lead_id = 13;
	RETURN ARRAY[a, pg_temp.points(13)];
END $$;
SELECT is(pg_temp.both(), ARRAY[40, 50]::numeric[], 'within a function too');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT is(count(*), 4::bigint, 'a snapshot is taken') FROM lead;
INSERT INTO list VALUES ('target_countries', 'TO');
INSERT INTO lead (lead_id, country) OVERRIDING SYSTEM VALUE VALUES (14, 'to');
SELECT is(pg_temp.points(14), 5::numeric, 'a list takes effect at once');
COMMIT;
DELETE FROM list WHERE list = 'target_countries';
INSERT INTO lead (lead_id, country) OVERRIDING SYSTEM VALUE VALUES (15, 'TO');
SELECT is(pg_temp.points(15), 0::numeric, 'a list that lost its last value is empty');
SELECT cmp_ok(pg_temp.risen(), '>', 0, 'and its leads are stale');
TRUNCATE list;
SELECT is(pg_temp.risen(), 1, 'TRUNCATE raises the version too');
INSERT INTO lead (lead_id, job_title, email) OVERRIDING SYSTEM VALUE VALUES (16, 'Head of Sales', 'x@rival.example');
SELECT is(pg_temp.points(16), 0::numeric, 'so are all after TRUNCATE');

-- stale cards
UPDATE rule SET points = 40 WHERE name = 'company_size';
SELECT is(count(*), 7::bigint, 'a rule changed: all are stale') FROM lead_now WHERE stale;
SELECT is(rescored, 3::bigint, 'the sweep rescores stale cards') FROM sweep_funnel('crm', 3);
SELECT is(rescored, 4::bigint, 'the rest next time') FROM sweep_funnel('crm');
SELECT is(rescored, 0::bigint, 'until none is left') FROM sweep_funnel('crm');
SELECT is(pg_temp.points(1), 40::numeric, 'by the rule as it is');

-- a schema that is renamed, an extension and a funnel that come again
ALTER SCHEMA crm RENAME TO "c ""R""M";
SET search_path = "c ""R""M", public;
INSERT INTO activity (lead_id, kind) VALUES (10, 'demo_request');
SELECT results_eq('SELECT stage, why IS NULL FROM lead LEFT JOIN why_not(''c "R"M'', 10, ''mql'') AS why ON true WHERE lead_id = 10',
	$$ VALUES ('mql', true) $$, 'a renamed schema goes on working in the same session');
SELECT is(to_stage, 'mql', 'history included') FROM stage_history WHERE lead_id = 10 ORDER BY history_id DESC LIMIT 1;
SELECT throws_ok($$ SELECT * FROM explain_score('crm', 10) $$, '3F000', NULL, 'the old name is gone');
SELECT create_funnel('crm', 'UTC');
INSERT INTO crm.lead (company_size) VALUES (900);
SELECT results_eq('SELECT lead_id, stage FROM crm.lead', $$ VALUES (1::bigint, 'lead') $$, 'and free for another funnel');
SELECT is(count(*), 7::bigint, 'which does not touch the first') FROM lead;
SELECT throws_ok('DROP EXTENSION lead_qual', '2BP01', NULL, 'DROP EXTENSION is refused while there are funnels');
SELECT lives_ok($$ SELECT drop_funnel('c "R"M', true), drop_funnel('crm', true) $$, 'funnels can be dropped');
RESET lead_qual.clock;
SELECT lives_ok('DROP EXTENSION lead_qual', 'and then the extension');
SET search_path = public;
SELECT lives_ok('CREATE EXTENSION lead_qual', 'and come again in the same session');
SELECT create_funnel('crm', 'UTC');
INSERT INTO crm.lead (company_size) VALUES (900);
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'demo_request');
SELECT is(stage, 'mql', 'with a funnel that works') FROM crm.lead;
SELECT drop_funnel('crm', true);
SELECT * FROM finish();
