-- A superuser who calls functions on a funnel of another's runs none of its
-- owner's code.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT * FROM no_plan();	-- a test for each function that writes
CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_plain;
DO $$ BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database());
END $$;
\ir helper/attempt.sql
SET LOCAL ROLE regress_lq_owner;
SELECT create_funnel('crm', 'UTC');
INSERT INTO crm.lead (email) VALUES ('ann@example.com'), ('bob@example.com');

-- what fires whoever writes: for each table, and where a table's name is a
-- view's, for who reads
CREATE FUNCTION crm.seize() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	ALTER ROLE regress_lq_owner SUPERUSER;
EXCEPTION WHEN insufficient_privilege THEN
	NULL;
END $$;
CREATE FUNCTION crm.seize_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM crm.seize(); RETURN coalesce(NEW, OLD); END';
DO $$
DECLARE
	relation regclass;
BEGIN
	FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('CREATE TRIGGER a BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION crm.seize_row()', relation);
		EXECUTE format('CREATE TRIGGER b BEFORE INSERT OR UPDATE OR DELETE ON %s EXECUTE FUNCTION crm.seize_row()', relation);
	END LOOP;
END $$;
RESET ROLE;
CREATE FUNCTION pg_temp.seized() RETURNS boolean LANGUAGE sql RETURN (SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_lq_owner');

-- every function that may write, with something for each argument
CREATE TEMP TABLE call AS
SELECT p.proname AS name, format('SELECT %I(%s)', p.proname,
	(SELECT string_agg(CASE a.position WHEN 1 THEN '''crm''::text' ELSE format('%s::%s', quote_literal(CASE t.typname
		WHEN 'timestamptz' THEN '2026-01-01' WHEN 'bool' THEN 'true' WHEN 'jsonb' THEN '{}' WHEN 'anycompatiblearray' THEN '{1}'
		ELSE CASE t.typcategory WHEN 'A' THEN '{1}' ELSE '1' END END),
		CASE WHEN t.typname = 'anycompatiblearray' THEN 'text[]' WHEN t.typtype = 'p' THEN 'bigint' ELSE format_type(t.oid, NULL) END) END, ', ' ORDER BY a.position)
	 FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, position)
	 JOIN pg_type AS t ON t.oid = a.type)) AS statement
FROM pg_proc AS p
JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid AND e.extname = 'lead_qual'
WHERE p.provolatile = 'v' AND p.proname NOT LIKE '\_%' AND p.proargnames[1] = 'funnel' AND p.prorettype <> 'trigger'::regtype;
-- these act as the owner, or read, or make what is the caller's
CREATE TEMP TABLE exempt (name) AS VALUES ('create_funnel'), ('grant_funnel'), ('check_funnel'), ('rescore_funnel'), ('sweep_funnel'), ('archive_activities');

SELECT alike(pg_temp.attempt(current_user, statement),
	format('42501 %s() is not run by a superuser in funnel "crm" It would run triggers and other code of "regress_lq_owner"%%', name), 'S11: ' || statement)
FROM call WHERE name NOT IN (TABLE exempt) ORDER BY statement;
SELECT ok(NOT pg_temp.seized(), 'S11: none of them ran the owner''s code as the superuser');
SELECT ok(count(*) > 20, 'there are many: ' || count(*)) FROM call WHERE name NOT IN (TABLE exempt);

-- those that act as the owner
SELECT is(pg_temp.attempt(current_user, statement), 'done', 'acts as the owner: ' || statement)
FROM unnest('{SELECT rescore_funnel(''crm''),SELECT sweep_funnel(''crm''),"SELECT archive_activities(''crm'', funnel_now())",SELECT * FROM check_funnel(''crm'')}'::text[]) AS statement;
SELECT ok(NOT pg_temp.seized(), 'S11: nor did these');
SELECT is(pg_temp.attempt(current_user, 'SELECT grant_funnel(''crm'', ''regress_lq_plain'', ''admin'')'), 'done', 'a superuser grants');

-- the owner, and who says so
SELECT is(pg_temp.attempt('regress_lq_owner', statement), 'done', 'the owner: ' || statement)
FROM unnest('{"SELECT record_activity(''crm'', ''1'', ''webinar'')","SELECT merge_leads(''crm'', ''1'', ''2'')","SELECT drop_funnel(''crm'', true)"}'::text[]) AS statement;
SELECT create_funnel('mine', 'UTC');
SELECT is(pg_temp.attempt(current_user, 'SELECT drop_funnel(''mine'')'), 'done', 'a superuser''s own funnel');

SELECT * FROM finish();
ROLLBACK;
