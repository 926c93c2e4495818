-- A role without rights on a funnel changes no row of it by attaching our
-- functions to tables of its own, wherever they stand.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(28);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_evil;
CREATE ROLE regress_lq_feed;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner, regress_lq_evil', current_database()); END $$;

\ir helper/attempt.sql

SELECT is(pg_temp.attempt('regress_lq_owner', $$ SELECT create_funnel('crm', 'UTC') $$), 'done', 'no superuser is needed to have a funnel');
SELECT is(pg_temp.attempt('regress_lq_owner', $$ INSERT INTO crm.lead (email, job_title) VALUES ('ann@example.com', 'CEO') $$), 'done', 'nor to use it');
CREATE TEMP TABLE before AS SELECT * FROM crm.lead;

-- what no one else may
SELECT alike(pg_temp.attempt('regress_lq_evil', statement), '42501%', 'a stranger: ' || statement)
FROM (VALUES ('SELECT drop_funnel(''crm'')'), ('SELECT drop_funnel(''crm'', true)'), ('SELECT rescore_funnel(''crm'')'),
			 ('SELECT * FROM sweep_funnel(''crm'')'), ('SELECT * FROM explain_score(''crm'', 1)'),
			 ('SELECT grant_funnel(''crm'', ''regress_lq_evil'', ''admin'')'), ('SELECT record_activity(''crm'', ''ann@example.com'', ''webinar'')'),
			 ('SELECT * FROM why_not(''crm'', 1, ''sal'')')) AS s (statement);

-- least privileges
GRANT USAGE ON SCHEMA crm TO regress_lq_feed;
GRANT INSERT ON crm.activity TO regress_lq_feed;
SELECT is(pg_temp.attempt('regress_lq_feed', $$ INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar') $$), 'done', 'INSERT on activity is enough');
SELECT is((SELECT hits FROM explain_score('crm', 1) WHERE rule = 'webinar'), 1::bigint, '... and the activity is scored');
SELECT alike(pg_temp.attempt('regress_lq_feed', statement), '42501 permission denied%', 'a feed: ' || statement)
FROM (VALUES ('SELECT FROM crm.activity'), ('SELECT FROM crm.lead'), ('SELECT * FROM crm.lead_now'), ('UPDATE crm.lead SET note = '''''),
			 ('SELECT * FROM explain_score(''crm'', 1)'), ('INSERT INTO crm.activity (lead_id, kind) VALUES (1, ''webinar'') RETURNING lead_id')) AS s (statement);
SELECT alike(pg_temp.attempt('regress_lq_feed', $$ INSERT INTO crm.activity (lead_id, kind) VALUES (99, 'webinar') $$),
	'23503%', 'a lead that does not exist is refused');
UPDATE before SET scorecard = (SELECT scorecard FROM crm.lead);

--
-- Our functions on tables of the attacker's
--
GRANT USAGE ON SCHEMA crm TO regress_lq_evil;
CREATE SCHEMA evil AUTHORIZATION regress_lq_evil;
CREATE TABLE evil.activity (LIKE crm.activity);
ALTER TABLE evil.activity OWNER TO regress_lq_evil;
SET LOCAL ROLE regress_lq_evil;
CREATE TRIGGER t AFTER INSERT ON evil.activity REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION _ingest_activity('crm');
RESET ROLE;
SELECT alike(pg_temp.attempt('regress_lq_evil', $$ INSERT INTO evil.activity SELECT 1, now(), 1, 'demo_request', NULL, NULL, NULL, '{}', NULL, now() $$),
	'42P01 schema "evil" is not a funnel%', 'a table in a schema without a funnel');

-- all siblings are there, but the leads are a view on the victim's
DO $$ DECLARE t text; BEGIN
	FOREACH t IN ARRAY '{account,answer,baseline,calendar,deal,deal_contact,definition,definition_log,departure,element,holiday,journey,kind,list,reason,rule,setting,side,signature,source,stage,stage_history,transition}'::text[] LOOP
		EXECUTE format('CREATE TABLE evil.%I (LIKE crm.%1$I)', t);
		EXECUTE format('ALTER TABLE evil.%I OWNER TO regress_lq_evil', t);
	END LOOP;
END $$;
SET LOCAL ROLE regress_lq_evil;
CREATE VIEW evil.lead AS SELECT * FROM crm.lead;
INSERT INTO evil.setting SELECT true, 'UTC', 'EUR', 90, 0.2, NULL, 0.4, 0.4, 0.3, '7 days', 1, NULL, 'lead_id';
RESET ROLE;
SELECT alike(pg_temp.attempt('regress_lq_evil', $$ INSERT INTO evil.activity SELECT 1, now(), 1, 'demo_request', NULL, NULL, NULL, '{}', NULL, now() $$),
	'42501 tables of funnel "evil" belong to different roles%', 'a view in the place of the leads');

-- a real table of the victim's, moved there
SET LOCAL ROLE regress_lq_evil;
DROP VIEW evil.lead;
RESET ROLE;
CREATE TABLE evil.lead (LIKE crm.lead INCLUDING ALL);
ALTER TABLE evil.lead OWNER TO regress_lq_owner;
SELECT alike(pg_temp.attempt('regress_lq_evil', $$ INSERT INTO evil.activity SELECT 1, now(), 1, 'demo_request', NULL, NULL, NULL, '{}', NULL, now() $$),
	'42501 tables of funnel "evil" belong to different roles%', 'siblings of different owners');

-- a table of the attacker's in the victim's schema
GRANT CREATE ON SCHEMA crm TO regress_lq_evil;
CREATE TABLE crm.activity2 (LIKE crm.activity);
CREATE TABLE crm.lead2 (LIKE crm.lead);
ALTER TABLE crm.activity2 OWNER TO regress_lq_evil;
ALTER TABLE crm.lead2 OWNER TO regress_lq_evil;
SET LOCAL ROLE regress_lq_evil;
CREATE TRIGGER t AFTER INSERT ON crm.activity2 REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION _ingest_activity();
CREATE TRIGGER t BEFORE INSERT ON crm.lead2 FOR EACH ROW EXECUTE FUNCTION _qualify_lead();
RESET ROLE;
SELECT alike(pg_temp.attempt('regress_lq_evil', $$ INSERT INTO crm.activity2 SELECT 1, now(), 1, 'demo_request', NULL, NULL, NULL, '{}', NULL, now() $$),
	'39P01%must be fired for table "activity"%', 'another table in the schema of a funnel');
SELECT alike(pg_temp.attempt('regress_lq_evil', $$ INSERT INTO crm.lead2 (lead_id, stage) VALUES (1, 'lead') $$),
	'39P01%must be fired for table "lead"%', 'another table of leads');

-- called by hand
SELECT is((SELECT count(*) FROM pg_proc AS p JOIN pg_depend AS d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
		   JOIN pg_extension AS e ON e.oid = d.refobjid AND extname = 'lead_qual'
		   WHERE prorettype = 'trigger'::regtype AND pg_temp.attempt('regress_lq_evil', 'SELECT ' || p.oid::regproc || '()') !~ '^39P01|^0A000'),
	0::bigint, 'trigger functions called directly refuse to');
SELECT is((SELECT count(*) FROM pg_proc AS p JOIN pg_depend AS d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
		   JOIN pg_extension AS e ON e.oid = d.refobjid AND extname = 'lead_qual' WHERE prosecdef), 0::bigint, 'nothing is SECURITY DEFINER');

-- a caller that is SECURITY DEFINER acts as itself
CREATE FUNCTION pg_temp.feed() RETURNS void LANGUAGE sql SECURITY DEFINER AS
	'INSERT INTO crm.activity (lead_id, kind) VALUES (1, ''webinar'')';
ALTER FUNCTION pg_temp.feed() OWNER TO regress_lq_feed;
SELECT results_eq('TABLE before', 'SELECT * FROM crm.lead', 'all this changed no lead');
SELECT lives_ok('SELECT pg_temp.feed()', 'a SECURITY DEFINER function of the feed''s records');

SELECT * FROM finish();
ROLLBACK;
