-- Every trigger function of ours, attached by whoever may create a table to
-- whatever tables there are, at every time and level and for every event.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(11);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_evil;
DO $$ BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database());
	EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO regress_lq_evil', current_database());
END $$;
SET LOCAL ROLE regress_lq_owner;
SELECT create_funnel('crm', 'UTC');
INSERT INTO crm.lead (email) VALUES ('ann@example.com');
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar');
RESET ROLE;

-- where: a schema of the stranger's for each kind of table, with one for each
-- that a function is for
CREATE TEMP TABLE function AS
SELECT p.oid, p.proname AS name, coalesce(t.relation, 'rule') AS relation, coalesce(t.types, '{}') AS types
FROM pg_proc AS p
JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid AND e.extname = 'lead_qual'
LEFT JOIN (SELECT function, min(relation::text) AS relation, array_agg(DISTINCT concat_ws(' ', relation, timing, level, event)) AS types
		   FROM _template_triggers(), regexp_split_to_table(events, ' OR ') AS event
		   GROUP BY function) AS t ON t.function = p.oid
WHERE p.prorettype = 'trigger'::regtype;
GRANT SELECT ON function TO PUBLIC;
SET LOCAL ROLE regress_lq_evil;
CREATE SCHEMA plain;
CREATE SCHEMA view;
CREATE SCHEMA parted;
CREATE SCHEMA alike;
-- a view fires triggers for statements only where others act for its rows
CREATE FUNCTION view.act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN coalesce(NEW, OLD); END';
DO $$
DECLARE
	name name;
BEGIN
	FOREACH name IN ARRAY _funnel_relations(_template_version()) LOOP
		EXECUTE format('CREATE TABLE alike.%I AS SELECT 1 AS x', name);
	END LOOP;
	FOR name IN SELECT DISTINCT f.relation FROM function AS f LOOP
		EXECUTE format('CREATE TEMP TABLE %I AS SELECT 1 AS x', name);
		EXECUTE format('CREATE VIEW view.%I AS SELECT x FROM alike.%1$I', name);
		EXECUTE format('CREATE TRIGGER z INSTEAD OF INSERT OR UPDATE OR DELETE ON view.%I FOR EACH ROW EXECUTE FUNCTION view.act()', name);
		EXECUTE format('CREATE TABLE parted.%I (x int) PARTITION BY LIST (x)', name);
		EXECUTE format('CREATE TABLE parted.%I PARTITION OF parted.%I DEFAULT', name || '_default', name);
		EXECUTE format('INSERT INTO parted.%I VALUES (1)', name);
	END LOOP;
END $$;
RESET ROLE;

-- how: the statements that make a trigger and fire it
CREATE TEMP TABLE way AS
SELECT timing, level, event, rows, argument
FROM unnest('{BEFORE,AFTER,INSTEAD OF}'::text[]) AS timing, unnest('{ROW,STATEMENT}'::text[]) AS level,
	 (VALUES ('INSERT', '{"",REFERENCING NEW TABLE AS n}'::text[]),
			 ('UPDATE', '{"",REFERENCING OLD TABLE AS o NEW TABLE AS n,REFERENCING OLD TABLE AS o}'),
			 ('DELETE', '{"",REFERENCING OLD TABLE AS o}'), ('TRUNCATE', '{""}')) AS e (event, tables),
	 unnest(tables) AS rows, unnest('{"",''crm''}'::text[]) AS argument
WHERE (timing = 'AFTER' OR rows = '') AND (timing <> 'INSTEAD OF' OR level = 'ROW') AND (level = 'STATEMENT' OR event <> 'TRUNCATE');

-- what came of it: the SQLSTATE, "done", or NULL where there can be no such
-- trigger; it is fired on a replica, too, where no other is in its way
CREATE FUNCTION pg_temp.fire(role name, function name, target text, x text, w way, replica text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	made boolean := false;
BEGIN
	EXECUTE pg_catalog.format('SET LOCAL session_replication_role = %s; SET LOCAL ROLE %I', replica, role);
	EXECUTE pg_catalog.format('CREATE TRIGGER a %s %s ON %s %s FOR EACH %s EXECUTE FUNCTION public.%I(%s)',
							  w.timing, w.event, target, w.rows, w.level, function, w.argument);
	IF w.timing <> 'INSTEAD OF' AND replica = 'replica' THEN
		EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER a', target);
	END IF;
	made := true;
	EXECUTE pg_catalog.format(CASE w.event WHEN 'INSERT' THEN 'INSERT INTO %s DEFAULT VALUES' WHEN 'DELETE' THEN 'DELETE FROM %s'
							  WHEN 'UPDATE' THEN 'UPDATE %s SET %I = %2$I' ELSE 'TRUNCATE %s CASCADE' END, target, x);
	RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO1';
EXCEPTION
	WHEN SQLSTATE 'UNDO1' THEN RETURN 'done';
	WHEN OTHERS THEN RETURN CASE WHEN made THEN SQLSTATE END;
END $$;

CREATE TEMP TABLE own AS
SELECT c.relname, quote_ident(a.attname) AS x FROM pg_class AS c
JOIN LATERAL (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND attidentity = '' AND attgenerated = ''
			  ORDER BY attnum DESC LIMIT 1) AS a ON true
WHERE c.relnamespace = 'crm'::regnamespace AND c.relname IN ('lead', 'activity', 'rule', 'setting', 'definition');
CREATE TEMP TABLE result AS
SELECT s.kind, f.name, w.*, concat_ws(' ', f.relation, w.timing, w.level, w.event) = ANY (f.types) AS right,
	   pg_temp.fire('regress_lq_evil', f.name, format('%I.%I', s.kind, f.relation), 'x', w, 'origin') AS code
FROM function AS f, way AS w, unnest('{pg_temp,plain,view,parted,alike}'::text[]) AS s (kind)
WHERE s.kind <> 'plain';
-- alone in its schema
DO $$
DECLARE
	f function;
BEGIN
	FOR f IN TABLE function LOOP
		SET LOCAL ROLE regress_lq_evil;
		EXECUTE format('CREATE TABLE plain.%I AS SELECT 1 AS x', f.relation);
		RESET ROLE;
		INSERT INTO result SELECT 'plain', f.name, w.*, concat_ws(' ', f.relation, w.timing, w.level, w.event) = ANY (f.types),
			pg_temp.fire('regress_lq_evil', f.name, format('plain.%I', f.relation), 'x', w, 'origin')
		FROM way AS w;
		EXECUTE format('DROP TABLE plain.%I', f.relation);
	END LOOP;
END $$;
INSERT INTO result
SELECT 'own', f.name, w.*, concat_ws(' ', o.relname, w.timing, w.level, w.event) = ANY (f.types),
	   pg_temp.fire('regress_lq_owner', f.name, format('crm.%I', o.relname), o.x, w, 'replica')
FROM function AS f, way AS w, own AS o
-- without values a row comes no further
WHERE (w.event <> 'INSERT' OR w.timing = 'BEFORE') AND w.argument = '';

SELECT is_empty(format($$ SELECT name, timing, level, event, rows, argument, code FROM result
	WHERE kind = %L AND code !~ '^(39P01|42[0-9A-Z]{3}|55[0-9A-Z]{3})$' AND NOT ("right" AND kind IN ('alike', 'own')) LIMIT 20 $$, kind),
	'S1: each trigger function, wherever it is attached, refuses: ' || kind)
FROM unnest('{pg_temp,plain,view,parted,alike,own}'::text[]) AS kind;
SELECT is_empty($$ SELECT kind, name, timing, level, event, rows, argument, code FROM result
	WHERE code ~ '^(XX|53|57|58)' LIMIT 20 $$, 'S1: and none of them ends in an internal error');
SELECT is_empty($$ SELECT name FROM function EXCEPT SELECT name FROM result WHERE kind = 'pg_temp' AND code = '39P01' $$,
	'S1: all were fired on temporary tables');
SELECT ok(count(*) > 3000, 'and many times: ' || count(*)) FROM result WHERE code IS NOT NULL;
SELECT is_empty($$ SELECT name FROM function WHERE types = '{}' $$, 'no trigger function is missing in the rows');
SELECT results_eq('SELECT count(*), max(stage) FROM crm.lead', $$ VALUES (1::bigint, 'lead') $$, 'no lead was touched');

SELECT * FROM finish();
ROLLBACK;
