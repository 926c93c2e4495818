-- Every function, operator and cast that a condition may use, on values made to
-- break them: no row is refused, and each condition holds where SQL says so.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(4);
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
DELETE FROM transition WHERE condition IS NOT NULL;
DELETE FROM rule;
UPDATE definition SET max_fit = NULL;

-- types, and values of them that are at the edge of something
CREATE TABLE edge (type text, n integer, value text);
INSERT INTO edge
SELECT t.type, row_number() OVER (PARTITION BY t.type), v.value
FROM (VALUES
	('text', ARRAY['', '(', '\', 'a%', '[1,2', '{"a": 1}', '2026-02-30', '1e400', '-1', 'ß', 'a & & b', '$.a[*] ? (@ > 1)', repeat('[', 20000), repeat('ab', 60000)]),
	('integer', '{-2147483648,-1,0,1,7,2147483647}'), ('bigint', '{-9223372036854775808,-1,0,3,9223372036854775807}'),
	('double precision', '{NaN,-Infinity,0,-0.5,1e308,1e-308}'), ('numeric', '{NaN,Infinity,0,-0.5,1e1000,123456789.123456789}'),
	('boolean', '{true,false}'), ('date', '{infinity,4713-01-01 BC,2026-02-28,5874897-12-31}'), ('time', '{00:00,24:00,12:34:56.789}'),
	('timestamp', '{-infinity,4713-11-24 BC,2026-03-01 12:00,294276-12-31}'), ('timestamptz', '{infinity,4713-11-24 BC,2026-03-01 12:00+00,294276-12-31}'),
	('interval', '{0,-1 month,178000000 years,-2147483648 days}'), ('uuid', '{00000000-0000-0000-0000-000000000000}'),
	('jsonb', ARRAY['null', '"a"', '[1e400, "x"]', '{"a": [1, {"b": null}]}', repeat('[', 1500) || repeat(']', 1500), '"2026-01-01"']),
	('text[]', '{"{}","{NULL,a}","{{a,b},{c,d}}","[5:5]={x}"}'), ('integer[]', '{"{}","{1,NULL}","{{1,2},{3,4}}"}'),
	('bytea', '{"","\\\\x00ff","\\\\xdeadbeef"}'), ('tsvector', '{"","''a'':1A ''b'':2"}'), ('tsquery', ARRAY['', '!(a & b)', repeat('!(b & ', 15) || 'a' || repeat(')', 15)]),
	('jsonpath', ARRAY['$', 'strict $[*].a ? (@ > 1)', '$.**']), ('inet', '{0.0.0.0/0,::1,10.1.2.3/8}'), ('int4range', '{empty,"[1,5)","(,)"}')) AS t (type, given),
	 unnest(t.given::text[]) AS v (value);
CREATE FUNCTION columns(type text) RETURNS text[] LANGUAGE sql AS
	$$ SELECT array_agg(format('e%s_%s', n, regexp_replace(regexp_replace(type, '\[\]', '_a'), '\W', '_', 'g')) ORDER BY n) FROM generate_series(1, 3) AS n $$;
DO $$ BEGIN
	EXECUTE (SELECT 'ALTER TABLE crm.lead ' || string_agg(format('ADD %I %s', c, type), ', ')
			 FROM (SELECT DISTINCT type FROM crm.edge) AS t, unnest(columns(type)) AS c);
END $$;

-- what can be written with them
CREATE TABLE given AS
WITH t AS (SELECT type, type::regtype::oid AS oid, columns(type) AS c FROM (SELECT DISTINCT type FROM edge) AS e)
SELECT row_number() OVER (ORDER BY condition) AS n, condition FROM (
	SELECT format('pg_catalog.%I(%s) IS NULL', p.proname, (SELECT string_agg((t.c)[a.n], ', ' ORDER BY a.n) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (oid, n) JOIN t ON t.oid = a.oid))
	FROM pg_proc AS p
	WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provolatile = 'i' AND NOT p.proretset AND p.pronargs BETWEEN 1 AND 3
	AND p.proargtypes::oid[] <@ (SELECT array_agg(oid) FROM t) AND p.prorettype <> ALL ('{internal,cstring,void,trigger}'::regtype[])
	-- the same as an operator's, or of use to the server alone
	AND NOT EXISTS (SELECT FROM pg_operator AS o WHERE o.oprcode = p.oid) AND p.proname !~ '^(gin|gist|ts_typanalyze|hash|in_range|spg)'
	UNION
	SELECT format('(%s OPERATOR(pg_catalog.%s) %s) IS NULL', coalesce((l.c)[1], ''), o.oprname, (r.c)[2])
	FROM pg_operator AS o LEFT JOIN t AS l ON l.oid = o.oprleft JOIN t AS r ON r.oid = o.oprright JOIN pg_proc AS p ON p.oid = o.oprcode
	WHERE (o.oprleft = 0 OR l.oid IS NOT NULL) AND p.provolatile = 'i'
	UNION
	SELECT format('(%s::%s) IS NULL', (a.c)[1], b.type) FROM t AS a, t AS b WHERE a.oid <> b.oid
	UNION
	SELECT format('%s OPERATOR(pg_catalog.%s) %L', (t.c)[1], op, e.value)
	FROM edge AS e JOIN t USING (type), unnest('{=,<>,<,>=,~,~*,!~,~~,~~*,||}'::text[]) AS op WHERE length(e.value) < 100) AS c (condition);
DO $$
DECLARE
	g record;
	form text;
BEGIN
	FOR g IN SELECT * FROM crm.given LOOP
		BEGIN
			form := check_condition('crm'::name, 'fit'::text, g.condition, 'default'::text);
		EXCEPTION WHEN OTHERS THEN
			DELETE FROM crm.given WHERE n = g.n;
		END;
	END LOOP;
END $$;
SELECT cmp_ok((SELECT count(*) FROM given), '>', 800::bigint, 'there is something to try');
INSERT INTO rule (definition, name, axis, condition, points) SELECT 'default', 'r' || n, 'fit', condition, 1 FROM given ORDER BY md5(condition) LIMIT 4000;

-- each row takes other values
SELECT setseed(0.42);
CREATE FUNCTION try(id bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE (SELECT format('INSERT INTO crm.lead (lead_id, %s) OVERRIDING SYSTEM VALUE VALUES (%s, %s)', string_agg(c, ', '), id, string_agg(format('%L::%s', value, type), ', '))
			 FROM (SELECT DISTINCT ON (c) c, e.type, value FROM crm.edge AS e, unnest(columns(e.type)) AS c ORDER BY c, md5(value || c || id)) AS v);
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT is((SELECT array_agg(DISTINCT try(n)) FROM generate_series(1, 12) AS n), '{done}', 'S7: no row is refused, whatever its values are');
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (100);

-- what SQL says of it
CREATE FUNCTION holds(condition text, id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE format('SELECT %s FROM crm.lead WHERE lead_id = $1', condition) INTO result USING id;
	RETURN coalesce(result, false);
EXCEPTION WHEN OTHERS THEN
	RETURN false;
END $$;
SELECT is((SELECT array_agg(format('%s for %s', condition, id)) FROM (
	SELECT r.condition, l.lead_id AS id FROM rule AS r, (VALUES (1), (5), (100)) AS l (lead_id)
	WHERE holds(r.condition, l.lead_id) <> EXISTS (SELECT FROM explain_score('crm', l.lead_id) AS e WHERE e.rule = r.name) LIMIT 5) AS d), NULL,
	'S7: a condition holds where SQL says so');
SELECT is((SELECT count(*) FROM check_funnel('crm') WHERE finding IN ('card_differs', 'condition_does_not_compile', 'lead_not_checked')), 0::bigint, 'check_funnel finds all in order');
SELECT * FROM finish();
ROLLBACK;
