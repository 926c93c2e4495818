-- _odd_leads(): check_funnel() passes over a lead only if the queries that tell
-- what is right have nothing to say of it.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(9);
\ir helper/random_funnel.sql

SELECT pg_temp.random_operations(1000, 0.7) \g /dev/null
SET LOCAL lead_qual.import = on;

-- leads that the queries find something wrong with
CREATE FUNCTION pg_temp.wrong() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	columns text := (SELECT 'lead_id, cycle, ' || string_agg(quote_ident(name), ', ') FROM _journey_columns());
BEGIN
	RETURN QUERY EXECUTE format(
		'SELECT lead_id::text FROM (%1$s) AS w WHERE w.differs '
		'UNION SELECT l.lead_id::text FROM lead AS l LEFT JOIN (%1$s) AS w ON w.lead_id = l.lead_id AND w.is_last '
		'WHERE (w.to_stage, w.cycle) IS DISTINCT FROM (l.stage, l.cycle) '
		'UNION SELECT coalesce(j.j, w.w) ->> ''lead_id'' FROM (SELECT to_jsonb(t) AS j FROM (SELECT %2$s FROM journey) AS t) AS j '
		'FULL JOIN (SELECT to_jsonb(t) AS w FROM (SELECT %2$s FROM (%3$s) AS q) AS t) AS w ON j.j = w.w WHERE j.j IS NULL OR w.w IS NULL',
		_history_query('crm', NULL::text[], NULL::text), columns, _journey_query('crm', NULL::text[], NULL::text));
END $$;
-- those of them that are passed over after a statement, which is undone
CREATE FUNCTION pg_temp.missed(statement text, deep boolean, OUT n bigint, OUT missed text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	SELECT count(*), string_agg(DISTINCT w.w, ' ') FILTER (WHERE w.w <> ALL ((SELECT o.moves FROM _odd_leads('crm', deep) AS o)::text[]))
		INTO n, missed FROM pg_temp.wrong() AS w (w);
	RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO1';
EXCEPTION
	WHEN SQLSTATE 'UNDO1' THEN NULL;
	-- what a constraint refuses cannot be wrong
	WHEN integrity_constraint_violation THEN n := 0;
END $$;
-- another value of a column
CREATE FUNCTION pg_temp.other(name text, type text) RETURNS text LANGUAGE sql AS $$
	SELECT format(CASE WHEN type LIKE 'timestamp%' THEN '%1$s = coalesce(%1$s, ''2026-03-01Z'') - interval ''1 day'''
					   WHEN type LIKE 'text%' THEN '%1$s = coalesce(%1$s || ''x'', ''sal'')'
					   WHEN type LIKE 'boolean%' THEN '%1$s = %1$s IS NOT TRUE'
					   ELSE '%1$s = coalesce(%1$s, 0) + 1' END, quote_ident(name)) $$;

SELECT is_empty('SELECT pg_temp.wrong()', 'nothing is wrong with the funnel');
SELECT is_empty($$ SELECT k FROM _odd_leads('crm', true) AS o, unnest(o.moves) AS k
	WHERE NOT EXISTS (SELECT FROM stage_history AS h WHERE h.lead_id = k::bigint AND (h.definition IS NULL OR h.from_stage = h.to_stage OR h.ordinal IS NOT NULL)) $$,
	'and no lead is looked at again whose moves were not loaded');
SELECT cmp_ok((SELECT cardinality(o.moves) FROM _odd_leads('crm', true) AS o), '<', (SELECT count(DISTINCT lead_id) / 4 FROM stage_history)::int, 'few are');

CREATE TEMP TABLE tried AS
	SELECT c.name, m.*, way FROM _journey_columns() AS c, unnest('{set,change,unset}'::text[]) AS way,
		LATERAL pg_temp.missed(format('UPDATE journey SET %s WHERE (lead_id, cycle) IN (SELECT lead_id, cycle FROM journey WHERE %I IS %s ORDER BY lead_id %% 17, cycle LIMIT 4)',
									  CASE way WHEN 'unset' THEN quote_ident(c.name) || ' = NULL' ELSE pg_temp.other(c.name, c.type) END,
									  c.name, CASE way WHEN 'set' THEN 'NULL' ELSE 'NOT NULL' END), true) AS m;
SELECT is_empty('SELECT * FROM tried WHERE missed IS NOT NULL', 'each column of a unit is looked at');
SELECT is((SELECT string_agg(DISTINCT name, ' ' ORDER BY name) FROM tried AS t WHERE NOT EXISTS (SELECT FROM tried AS o WHERE o.name = t.name AND o.n > 0)), NULL, 'with some value');
SELECT is_empty($$ SELECT c.name, way, m.missed FROM _journey_columns() AS c, unnest('{change,unset}'::text[]) AS way,
		LATERAL pg_temp.missed(format('UPDATE journey SET %s WHERE %I IS NOT NULL', CASE way WHEN 'unset' THEN quote_ident(c.name) || ' = NULL' ELSE pg_temp.other(c.name, c.type) END, c.name), false) AS m
	WHERE m.missed IS NOT NULL AND c.name NOT LIKE 'first\_%' $$, 'without the log all but first touches');
SELECT is_empty($$ SELECT s, m.* FROM unnest(ARRAY['DELETE FROM journey WHERE lead_id % 5 = 0', 'UPDATE journey SET cycle = cycle + 1 WHERE lead_id % 5 = 1',
		'INSERT INTO journey (lead_id, cycle, started_at) SELECT 1000 + lead_id, 1, started_at FROM journey WHERE cycle = 1',
		'DELETE FROM departure WHERE lead_id % 2 = 0', 'UPDATE departure SET at = at + interval ''1 hour''', 'UPDATE departure SET last_move = last_move - 2',
		'UPDATE lead SET stage = ''sal'' WHERE lead_id % 3 = 0', 'UPDATE lead SET cycle = cycle + 1', 'DELETE FROM stage_history WHERE history_id % 7 = 0',
		'DELETE FROM activity WHERE kind = ''sales_call''']) AS s, LATERAL pg_temp.missed(s, true) AS m
	WHERE m.n = 0 OR m.missed IS NOT NULL $$, 'nor is a unit, a departure, a stage or a move that is missing or too many passed over');

-- one row at a time, by chance but always the same
SELECT setseed(0.3);
CREATE TEMP TABLE shaken AS
	SELECT a.attname, m.*
	FROM pg_attribute AS a, generate_series(1, 8) AS nth,
		LATERAL pg_temp.missed(format('UPDATE stage_history SET %s WHERE history_id IN (SELECT history_id FROM stage_history ORDER BY random() LIMIT 3)',
									  CASE WHEN nth = 1 THEN quote_ident(a.attname) || ' = NULL' ELSE pg_temp.other(a.attname, format_type(a.atttypid, a.atttypmod)) END), nth % 2 = 0) AS m
	WHERE a.attrelid = 'stage_history'::regclass AND a.attnum > 0 AND a.attname NOT IN ('history_id', 'lead_id', 'scorecard');
SELECT is_empty('SELECT * FROM shaken WHERE missed IS NOT NULL', 'what makes a move wrong, or what its unit took over, is not passed over');
SELECT cmp_ok((SELECT count(DISTINCT attname) FROM shaken WHERE n > 0), '>=', 15::bigint, 'most columns make something wrong');

SELECT * FROM finish();
ROLLBACK;
