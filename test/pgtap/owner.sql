-- Who is an owner of a funnel: one rule for all that ask, in C and in SQL.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(27);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_heir IN ROLE regress_lq_owner;
CREATE ROLE regress_lq_guest NOINHERIT IN ROLE regress_lq_owner;
CREATE ROLE regress_lq_stranger;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;
CREATE TABLE public.person (id bigint PRIMARY KEY);
ALTER TABLE public.person OWNER TO regress_lq_owner;
GRANT CREATE ON SCHEMA public TO regress_lq_owner;
SET LOCAL ROLE regress_lq_owner;
SELECT FROM create_funnel('crm', 'UTC') AS a, create_funnel('own', 'UTC', lead_table => 'public.person', lead_key => 'id') AS b;
INSERT INTO crm.lead (email) VALUES ('ann@example.com'), ('bob@example.com'), ('cy@example.com');
SELECT count(*) FROM grant_funnel('crm', 'regress_lq_guest', 'marketing');
RESET ROLE;

-- what asks for an owner, with a call that an owner may make
CREATE TEMP TABLE demand (n serial, function name, call text);
INSERT INTO demand (function, call) VALUES
	('grant_funnel', $$ SELECT grant_funnel('crm', 'regress_lq_stranger', 'app') $$),
	('check_funnel', $$ SELECT * FROM check_funnel('crm') $$),
	('upgrade_funnel', $$ SELECT * FROM upgrade_funnel('crm') $$),
	('repair_funnel', $$ SELECT * FROM repair_funnel('crm') $$),
	('rescore_funnel', $$ SELECT rescore_funnel('crm') $$),
	('sweep_funnel', $$ SELECT * FROM sweep_funnel('crm') $$),
	('rebuild_history', $$ SELECT rebuild_history('crm') $$),
	('void_moves', $$ SELECT void_moves('crm', '{}', 'none') $$),
	('archive_activities', $$ SELECT archive_activities('crm', '2020-01-01') $$),
	('merge_leads', $$ SELECT * FROM merge_leads('crm', '1', '2') $$),
	('erase_lead', $$ SELECT erase_lead('crm', '3') $$),
	('forget_leads', $$ SELECT forget_leads('crm', '{3}') $$),
	('preview_definition', $$ SELECT * FROM preview_definition('crm', 'default') $$),
	('activate_definition', $$ SELECT copy_definition('crm', 'default', 'd2'); SELECT activate_definition('crm', 'd2') $$),
	('detach_funnel', $$ SELECT detach_funnel('own') $$),
	('drop_funnel', $$ SELECT drop_funnel('crm', true) $$);
GRANT SELECT ON demand TO public;

-- "done", or SQLSTATE, message and hint; settings go back with it
CREATE FUNCTION pg_temp.attempt(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	SET LOCAL lead_qual.import = off;
	SET LOCAL lead_qual.clock = '';
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RESET ROLE;
	RETURN concat_ws(', ', SQLSTATE, regexp_replace(SQLERRM, '"(crm|own)"', '...'), nullif(hint, ''));
END $$;

-- from the catalogue, so that what comes anew is here; in C by what it says
SELECT is_empty($$ SELECT p.proname FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	WHERE p.prosrc ~ '_require_funnel_owner\(' EXCEPT SELECT function FROM demand $$, 'each function in SQL that asks for an owner is tried here');
SELECT is_empty($$ SELECT p.proname FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	WHERE p.prosrc ~ '\mpg_has_role\M' AND p.proname NOT IN ('_stamp_signature', 'sign_move') $$, 'R13: none has a rule of its own, but for the members of a side');

SELECT is_empty($$ SELECT function, ended FROM demand, pg_temp.attempt('regress_lq_stranger', call) AS ended
	WHERE ended <> '42501, permission denied for funnel ...' AND ended !~ '^42501, permission denied for schema' $$, 'a stranger may call none');
SELECT is(pg_temp.attempt('regress_lq_guest', call), '42501, permission denied for funnel ..., SET ROLE regress_lq_owner.',
		  format('R13: %s() is not for a member without the owner''s privileges', function)) FROM demand ORDER BY n;

-- what is for an owner, and what is for any member
CREATE TEMP TABLE act (n serial, guest text, statement text);
GRANT SELECT ON act TO public;
INSERT INTO act (guest, statement) VALUES
	('42501, permission denied to change status or sides of definition "default"', $$ UPDATE crm.definition SET sides = '{}' WHERE definition = 'default' $$),
	('done', $$ SET LOCAL lead_qual.clock = '2026-01-01'; INSERT INTO crm.lead (email) VALUES ('x@example.com'); DELETE FROM crm.lead WHERE email = 'x@example.com' $$),
	('done', $$ SET LOCAL lead_qual.import = on; INSERT INTO crm.list VALUES ('target_countries', 'XX'); DELETE FROM crm.list WHERE value = 'XX' $$),
	('done', $$ SET LOCAL lead_qual.import = on; INSERT INTO crm.signature (definition, version, side, signed_by) VALUES ('default', 1, 'sales', 'x') $$),
	('done', $$ SET LOCAL lead_qual.import = on; DELETE FROM crm.definition_log $$);
GRANT USAGE ON SCHEMA crm TO regress_lq_stranger;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crm TO regress_lq_guest, regress_lq_stranger;
SELECT is_empty($$ SELECT statement, ended FROM act, pg_temp.attempt('regress_lq_stranger', statement) AS ended WHERE ended !~ '^42501, permission denied to (use "lead_qual|change status)' $$, 'a stranger may nothing of what follows');
SELECT is(pg_temp.attempt('regress_lq_guest', statement), guest, 'R13: a member without them: ' || left(btrim(statement), 60)) FROM act ORDER BY n;
SELECT is_empty($$ SELECT statement, ended FROM act, pg_temp.attempt('regress_lq_heir', statement) AS ended WHERE ended <> 'done' $$, 'a member that inherits them may all that');
SELECT is_empty($$ SELECT function, ended FROM demand, pg_temp.attempt('regress_lq_heir', call) AS ended WHERE ended <> 'done' $$, 'all are for a member that inherits them');

SELECT * FROM finish();
ROLLBACK;
