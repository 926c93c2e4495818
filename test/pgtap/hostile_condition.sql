-- Conditions are written by people who may edit rules, and run on whatever
-- rows others write: no code but the server's immutable functions and ours.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(33);

\ir helper/attempt.sql

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_marketing;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;
SELECT is(pg_temp.attempt('regress_lq_owner', $$ SELECT create_funnel('crm', 'UTC') $$), 'done', 'a funnel');
SELECT is(pg_temp.attempt('regress_lq_owner', $$ SELECT grant_funnel('crm', 'regress_lq_marketing', 'marketing') $$), 'done', 'a role that edits rules');
CREATE SCHEMA evil AUTHORIZATION regress_lq_marketing;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
SET LOCAL ROLE regress_lq_marketing;
CREATE FUNCTION evil.f(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''planted''; END';
CREATE FUNCTION evil.f(text, text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''planted''; END';
CREATE OPERATOR evil.=== (leftarg = text, rightarg = text, function = evil.f);
CREATE DOMAIN evil.d AS text CHECK (evil.f(VALUE));
CREATE DOMAIN evil.plain AS text;
CREATE TYPE evil.e AS ENUM ('x');
CREATE TYPE evil.c AS (a text);
CREATE COLLATION evil.c (provider = libc, locale = 'C');
RESET ROLE;

SELECT isnt(pg_temp.attempt('regress_lq_marketing', format('UPDATE crm.rule SET condition = %L WHERE axis = ''fit''', condition)), 'done', condition)
FROM (VALUES ('evil.f(country)'), ('country OPERATOR(evil.===) ''x'''), ('country::evil.d = ''x'''), ('''x''::evil.d IS NULL'), ('(country::evil.c).a = ''x'''),
			 ('country = ''x'' COLLATE evil.c'), ('set_config(''lead_qual.import'', ''on'', false) = ''on'''), ('current_setting(''port'') = ''1'''),
			 ('pg_read_file(''PG_VERSION'') = ''x'''), ('pg_sleep(1) IS NULL'), ('query_to_xml(''select 1'', true, true, '''') IS NULL'), ('lo_import(''x'') = 1'),
			 ('current_user = ''x'''), ('now() > ''2020-01-01'''), ('random() > 0'), ('nextval(''crm.lead_lead_id_seq'') > 0'), ('country::regclass = 1'),
			 ('(SELECT true)'), ('EXISTS (SELECT FROM crm.lead)'), ('country = ANY (SELECT value FROM crm.list)'), ('true; DROP TABLE crm.lead'), ('true) OR (true'),
			 ('count(*) > 1'), ('row_number() OVER () > 1'), ('lead_id = $1'), ('create_funnel(''x'') IS NULL'), ('generate_series(1, 2) = 1'), ('')) AS c (condition);

-- what is stored is ours, whatever is written there
SELECT is(pg_temp.attempt('regress_lq_marketing', $$ UPDATE crm.rule SET condition_sql = 'evil.f(country)', enabled = true WHERE axis = 'fit' $$), 'done', 'condition_sql may be written');
SELECT is((SELECT count(*) FROM crm.rule WHERE condition_sql LIKE '%evil%'), 0::bigint, '... and is ignored');
-- and even one that came by another way does not run
SET LOCAL session_replication_role = replica;
UPDATE crm.rule SET condition = 'true', condition_sql = 'evil.f(country)' WHERE axis = 'fit';
SET LOCAL session_replication_role = origin;
SELECT is(pg_temp.attempt('regress_lq_owner', $$ INSERT INTO crm.lead (email, country) VALUES ('a', 'DE') $$), 'done', 'a condition that was smuggled in does not run');

SELECT * FROM finish();
ROLLBACK;
