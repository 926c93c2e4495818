-- A column that nothing reads says so, and one that a view reads does not say
-- that none does.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(3);
SELECT create_funnel('crm', 'UTC');

CREATE TEMP VIEW unread AS
SELECT c.relname || '.' || a.attname AS name, c.oid, a.attnum
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r'
AND col_description(c.oid, a.attnum) LIKE '%no view reads it%';

SELECT is(array_agg(name ORDER BY name),
	'{source.paid}'::text[],
	'N21: columns for reports of the user''s own say so')
FROM unread;
SELECT is_empty($$ SELECT u.name, d.objid::regclass FROM unread AS u
	JOIN (SELECT refobjid, refobjsubid, r.ev_class AS objid FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid
		  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass) AS d
	ON d.refobjid = u.oid AND d.refobjsubid = u.attnum $$, 'N21: and no view reads them');
SELECT is_empty($$ SELECT u.name FROM unread AS u JOIN pg_proc AS p ON p.prosrc ~ ('\y' || split_part(u.name, '.', 2) || '\y')
	AND p.proname !~ 'create_funnel|_funnel_grants'
	JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'lead_qual'$$, 'N21: nor does a function of ours');

SELECT * FROM finish();
ROLLBACK;
