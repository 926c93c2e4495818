-- A11: nothing that people see is without a comment: what the extension has,
-- and tables, views and their columns of a funnel, attached or not.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(8);
SELECT create_funnel('crm');
CREATE TABLE contact (id bigint PRIMARY KEY, mail text, phone text);
SELECT create_funnel('att', lead_table => 'contact', lead_key => 'id', columns => '{"email": "mail"}');
SELECT detach_funnel('att');
SELECT create_funnel('att2', lead_table => 'contact', lead_key => 'id', columns => '{"email": "mail"}');

CREATE FUNCTION pg_temp.untold(kind "char") RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s.%s', c.oid::regclass, a.attname)
	FROM pg_class AS c LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE c.relnamespace::regnamespace::text IN ('crm', 'att', 'att2') AND c.relkind = kind
	AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL) ORDER BY 1 $$;
SELECT is_empty($$ SELECT u FROM pg_temp.untold('v') AS u WHERE u !~ '^att2?.lead.phone$' $$, 'A11: every view says what it is, and every column of it');
SELECT is_empty($$ SELECT u FROM pg_temp.untold('r') AS u WHERE u <> 'att.detached_lead.phone' $$, 'A11: every table, and every column');
SELECT cmp_ok(count(*), '>', 300::bigint, 'A11: columns of views are told') FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'v' AND col_description(c.oid, a.attnum) <> '';
SELECT is_empty($$ SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'v' AND a.attname ~ '(^|_)days' AND col_description(c.oid, a.attnum) !~* '\mdays|median$|likewise$' $$,
	'A11: days say that they are days');

CREATE TEMP VIEW member AS SELECT d.classid, d.objid FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
	WHERE e.extname = 'lead_qual' AND d.deptype = 'e';
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc AS p JOIN member AS m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
	WHERE obj_description(p.oid, 'pg_proc') IS NULL $$, 'A11: every function and aggregate');
SELECT is_empty($$ SELECT t.oid::regtype FROM pg_type AS t JOIN member AS m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
	WHERE t.typelem = 0 AND obj_description(t.oid, 'pg_type') IS NULL $$, 'A11: every type');
SELECT is_empty($$ SELECT o.oid::regoperator FROM pg_operator AS o JOIN member AS m ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
	WHERE obj_description(o.oid, 'pg_operator') IS NULL $$, 'A11: every operator');
SELECT is_empty($$ SELECT pg_describe_object(m.classid, m.objid, 0) FROM member AS m
	WHERE m.classid IN ('pg_class'::regclass, 'pg_opclass'::regclass) AND obj_description(m.objid, m.classid::regclass::text) IS NULL
	AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = m.objid AND m.classid = 'pg_class'::regclass AND c.relkind = 'c') $$, 'A11: and whatever else has a name');
SELECT * FROM finish();
ROLLBACK;
