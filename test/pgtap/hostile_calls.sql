-- Every function of ours called by hand, with NULLs and with values that no
-- caller means, by the owner of a funnel, by an application and by a stranger.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(4);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_app;
CREATE ROLE regress_lq_evil;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;
SET LOCAL ROLE regress_lq_owner;
SELECT create_funnel('crm', 'UTC');
SELECT grant_funnel('crm', 'regress_lq_app', 'app');
INSERT INTO crm.lead (email) VALUES ('ann@example.com'), ('ben@example.com');
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar'), (2, 'demo_request');
RESET ROLE;

-- values by type, a column a way to call; where a type is not listed, NULL
CREATE TEMP TABLE value (type regtype PRIMARY KEY, a text, b text, c text, d text, e text);
INSERT INTO value VALUES
	('text', '''crm''', '''''', '''1''', 'repeat(''x'', 100000)', '''default'''),
	('name', '''crm''', '''''', '''lead_id''', '''pg_catalog''', '''transition'''),
	('cstring', '''x''', '''''', '''{}''', '''B+''', '''99999999999999999999'''),
	('oid', '''crm''::regnamespace::oid', '0', '1', '4294967295', '''crm.rule''::regclass::oid'),
	('regclass', '''crm.lead''', '0::regclass', '''pg_class''', '''crm.stage''', '''crm.lead_now'''),
	('integer', '1', '0', '-1', '2147483647', '-2147483648'),
	('bigint', '1', '0', '-1', '9223372036854775807', '-9223372036854775808'),
	('smallint', '1', '0', '-1', '32767', '-32768'),
	('boolean', 'true', 'false', 'true', 'false', 'true'),
	('numeric', '1', '''NaN''', '''Infinity''', '1e100', '-1e-100'),
	('double precision', '1', '''NaN''', '''Infinity''', '1e300', '''-Infinity'''),
	('real', '1', '''NaN''', '''Infinity''', '1e30', '''-Infinity'''),
	('timestamptz', 'now()', '''infinity''', '''-infinity''', '''294276-12-31''', '''4713-01-01 BC'''),
	('date', 'current_date', '''infinity''', '''-infinity''', '''5874897-12-31''', '''4713-01-01 BC'''),
	('time', '''12:00''', '''00:00''', '''24:00''', '''12:00''', '''00:00'''),
	('interval', '''1 day''', '''0''', '''178000000 years''', '''-178000000 years''', '''1 month'''),
	('json', '''{}''', '''null''', '''[1]''', '''"x"''', '''{"a": {"b": [null]}}'''),
	('jsonb', '''{}''', '''null''', '''[1]''', '''"x"''', '''{"a": {"b": [null]}}'''),
	('bytea', '''\x''', '''\x00''', '''\xffffffffffffffff''', '''\x01000000''', '''\x0102030405'''),
	('"char"', '''A''', '''''', '''O''', '''x''', '''''');
INSERT INTO value
SELECT (type::text || '[]')::regtype, format('ARRAY[%s]::%s[]', a, type), format('''{}''::%s[]', type), format('ARRAY[NULL, %s]::%s[]', c, type),
	   format('ARRAY[[%s, %s], [%1$s, %2$s]]::%s[]', c, d, type), format('array_fill(%s::%s, ARRAY[2], ARRAY[-7])', e, type)
FROM value WHERE type::text NOT IN ('cstring', '"char"');
INSERT INTO value VALUES
	('bant', '''B+''', '''''', '''B- A- N- T-''', '''B~''', '''B+ A+ N+ T+'''),
	('meddic', '''M+''', '''''', '''M-''', '''E~''', '''M+ E+'''),
	('meddpicc', '''M+''', '''''', '''M-''', '''E~''', '''M+ E+'''),
	('answer_level', '''yes''', '''no''', '''unknown''', '''partial''', '''yes'''),
	('scorecard', '(SELECT scorecard FROM card LIMIT 1)', 'NULL', '(SELECT scorecard FROM card ORDER BY 1 DESC LIMIT 1)', 'NULL', '(SELECT scorecard FROM card LIMIT 1)');
CREATE TEMP TABLE card AS SELECT scorecard FROM crm.lead;
GRANT SELECT ON card TO PUBLIC;

CREATE TEMP TABLE call AS
SELECT DISTINCT p.oid::regprocedure AS function, way,
	   format(CASE WHEN p.prokind = 'a' OR p.prorettype = 'trigger'::regtype THEN 'SELECT %s(%s)' ELSE 'SELECT count(*) FROM %s(%s) AS f' END,
			  p.oid::regproc,
			  coalesce(string_agg(format('%s(%s)::%s', CASE WHEN p.provariadic <> 0 AND a.n = p.pronargs THEN 'VARIADIC ' END,
										 coalesce(CASE WHEN a.n = 1 AND t.typname = 'text' AND way IN ('c', 'd', 'e') THEN '''crm''' END, CASE way WHEN 'a' THEN v.a WHEN 'b' THEN v.b WHEN 'c' THEN v.c WHEN 'd' THEN v.d WHEN 'e' THEN v.e END, 'NULL'),
										 CASE t.typname WHEN 'anyarray' THEN 'integer[]' WHEN 'anyelement' THEN 'integer'
										 WHEN 'anycompatible' THEN 'bigint' WHEN 'anycompatiblearray' THEN 'bigint[]' ELSE t.oid::regtype::text END), ', ' ORDER BY a.n) FILTER (WHERE a.n IS NOT NULL), '')) AS statement
FROM pg_proc AS p
JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension AS x ON d.refclassid = 'pg_extension'::regclass AND x.oid = d.refobjid AND x.extname = 'lead_qual'
CROSS JOIN unnest('{null,a,b,c,d,e}'::text[]) AS way
LEFT JOIN LATERAL unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, n) ON true
LEFT JOIN pg_type AS t ON t.oid = a.type
LEFT JOIN value AS v ON v.type = a.type
-- the server itself calls those
WHERE NOT EXISTS (SELECT FROM unnest(p.proargtypes::oid[]) AS i WHERE i = 'internal'::regtype)
GROUP BY p.oid, p.prokind, p.pronargs, p.provariadic, way;

CREATE FUNCTION pg_temp.attempt(role name, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE pg_catalog.format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO1';
EXCEPTION
	WHEN SQLSTATE 'UNDO1' THEN RETURN 'done';
	WHEN OTHERS THEN RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END $$;

CREATE TEMP TABLE result AS
SELECT c.function, c.way, r AS role, c.statement, pg_temp.attempt(r, c.statement) AS said
FROM call AS c, unnest('{regress_lq_owner,regress_lq_app,regress_lq_evil}'::name[]) AS r;

SELECT is_empty($$ SELECT role, left(statement, 200), said FROM result WHERE said ~ '^(XX|F0|58)' LIMIT 30 $$,
	'S1: no function of ours, called by hand, ends in an internal error');
SELECT is_empty($$ SELECT * FROM (SELECT left(statement, 200),
			pg_temp.attempt(current_user, format('PREPARE q AS %s; DEALLOCATE q', statement)) FROM call) AS c (call, said) WHERE said <> 'done' LIMIT 30 $$, 'all of them were called as they are declared');
SELECT ok(count(*) > 4000, 'many times: ' || count(*)) FROM result;
SELECT is((SELECT array_agg(DISTINCT stage ORDER BY stage) FROM crm.lead), '{lead,mql}', 'nothing was changed');

SELECT * FROM finish();
ROLLBACK;
