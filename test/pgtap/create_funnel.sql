-- create_funnel(): whose the funnel is, what it holds, what it leaves alone.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(27);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_stranger;
DO $$ BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database());
END $$;
CREATE SCHEMA somewhere;
GRANT USAGE ON SCHEMA somewhere TO regress_lq_owner;

SET ROLE regress_lq_owner;
SET search_path = somewhere, public;
SELECT lives_ok($$ SELECT create_funnel('crm', 'Europe/Berlin', 'CHF') $$,
	'a role that may create schemas creates a funnel');
SELECT is(current_setting('search_path'), 'somewhere, public',
	'the caller''s search_path is untouched');
RESET ROLE;
SET search_path = public;

SELECT schema_owner_is('crm', 'regress_lq_owner', 'the schema is the caller''s');
SELECT is_empty($$
	SELECT relname FROM pg_class
	WHERE relnamespace = 'crm'::regnamespace
	AND pg_get_userbyid(relowner) <> 'regress_lq_owner' $$,
	'and so is every table, view and sequence');
SELECT is_empty($$
	SELECT d.objid FROM pg_depend AS d
	JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
	WHERE d.deptype = 'e' AND c.relnamespace = 'crm'::regnamespace $$,
	'nothing of it belongs to the extension');
SELECT is_empty($$
	SELECT acl.grantee FROM pg_namespace, aclexplode(nspacl) AS acl
	WHERE nspname = 'crm' AND acl.grantee <> nspowner
	UNION ALL
	SELECT acl.grantee FROM pg_class, aclexplode(relacl) AS acl
	WHERE relnamespace = 'crm'::regnamespace AND acl.grantee <> relowner $$,
	'nobody else has any privilege on it');

SELECT results_eq(
	'SELECT time_zone, currency, template_version FROM crm.setting',
	$$ VALUES ('Europe/Berlin', 'CHF', _template_version()) $$,
	'the settings are those asked for');
SELECT results_eq(
	'SELECT definition, status FROM crm.definition',
	$$ VALUES ('default', 'active') $$,
	'one definition is active');

SELECT is_empty($$
	SELECT c.relname FROM pg_class AS c
	WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind IN ('r', 'v')
	AND obj_description(c.oid, 'pg_class') IS NULL $$,
	'R002-12 every table and view explains itself');
SELECT is_empty($$
	SELECT c.relname, a.attname FROM pg_class AS c
	JOIN pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r'
	AND a.attnum > 0 AND col_description(c.oid, a.attnum) IS NULL $$,
	'R002-12 and so does every column of a table');

SELECT is_empty($$
	SELECT relname FROM unnest(ARRAY['setting', 'kind', 'source', 'list', 'element', 'stage', 'calendar', 'holiday',
									 'definition', 'transition', 'rule', 'reason']) AS relname
	WHERE (SELECT count(*) FROM pg_trigger AS t
		   WHERE t.tgrelid = format('crm.%I', relname)::regclass
		   AND t.tgfoid = '_policy_changed'::regproc AND t.tgenabled = 'A') <> 2 $$,
	'every policy table tells of changes, whatever session_replication_role is');
SELECT is_empty($$
	SELECT t.tgname FROM pg_trigger AS t
	JOIN pg_class AS c ON c.oid = t.tgrelid
	WHERE c.relnamespace = 'crm'::regnamespace AND NOT t.tgisinternal
	AND t.tgqual IS NOT NULL $$,
	'no trigger has a WHEN, which a dump could not restore on our types');

-- names
SELECT lives_ok($$ SELECT create_funnel('Crm "é" x''y; --') $$, 'an odd name is a name');
SELECT has_table('Crm "é" x''y; --', 'lead', 'its tables are there');
SELECT is((SELECT count(*) FROM "Crm ""é"" x'y; --".rule),
		  (SELECT count(*) FROM crm.rule),
		  'two funnels of one session have the same policy');
SELECT is((SELECT time_zone FROM "Crm ""é"" x'y; --".setting), current_setting('TimeZone'),
		  'the time zone is the session''s by default');
SELECT lives_ok($$ SELECT create_funnel(repeat('é', 31) || 'x') $$, '63 bytes fit');

-- refused
SELECT throws_ok($$ SELECT create_funnel('') $$, '42602', NULL, 'an empty name is refused');
SELECT throws_ok($$ SELECT create_funnel(NULL) $$, '22004', NULL, 'a null name is refused');
SELECT throws_ok($$ SELECT create_funnel(repeat('é', 32)) $$, '42622', NULL,
	'64 bytes are refused, not cut off');
SELECT throws_ok($$ SELECT create_funnel('pg_crm') $$, '42939', NULL,
	'names of the system are refused');
SELECT throws_ok($$ SELECT create_funnel('crm') $$, '42P06', NULL, 'a name in use is refused');
SELECT throws_ok($$ SELECT create_funnel('mars', 'Mars/Olympus') $$, '22023', NULL,
	'an unknown time zone is refused');
SELECT throws_ok($$ SELECT create_funnel('mars', 'UTC', 'euro') $$, '22023', NULL,
	'an invalid currency is refused');
SELECT hasnt_schema('mars', 'a refused funnel leaves nothing behind');

SET ROLE regress_lq_stranger;
SELECT throws_ok($$ SELECT create_funnel('mine') $$, '42501', NULL,
	'who may not create schemas may not create funnels');
SELECT throws_ok($$ SELECT drop_funnel('crm') $$, '42501', NULL,
	'a stranger may not drop a funnel');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
