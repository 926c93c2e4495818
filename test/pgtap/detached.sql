-- A partition that was detached is a table of no funnel: it is filled, emptied
-- and dropped as any other, though the triggers of statements stay on it.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(24);

-- logs in partitions, as an owner may put them in the place of a funnel's
SELECT create_funnel('crm', 'UTC');
CREATE FUNCTION pg_temp.partition(name text, by text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE crm.%I (LIKE crm.%I INCLUDING DEFAULTS INCLUDING IDENTITY) PARTITION BY LIST (%I)', 'new_' || name, name, by);
	EXECUTE format('DROP TABLE crm.%I CASCADE', name);
	EXECUTE format('ALTER TABLE crm.%I RENAME TO %I', 'new_' || name, name);
	EXECUTE format('CREATE TABLE crm.%I PARTITION OF crm.%I FOR VALUES IN (1)', name || '_old', name);
	EXECUTE format('CREATE TABLE crm.%I PARTITION OF crm.%I DEFAULT', name || '_rest', name);
END $$;
SELECT pg_temp.partition('activity', 'lead_id');
SELECT pg_temp.partition('verdict', 'lead_id');
SELECT pg_temp.partition('stage_history', 'lead_id');
SELECT count(*) FROM repair_funnel('crm');
SELECT is_empty($$ SELECT object FROM check_funnel('crm', false) WHERE finding ~ 'trigger|partition' $$, 'every partition has its triggers');
INSERT INTO crm.lead (email) VALUES ('ann@example.com'), ('bob@example.com');
INSERT INTO crm.activity_old (lead_id, activity_id, kind) VALUES (1, 1, 'webinar');
SELECT is((SELECT last_activity(scorecard) IS NOT NULL FROM crm.lead WHERE lead_id = 1), true, 'a partition is part of the funnel');
SELECT throws_ok('TRUNCATE crm.activity_old', '0A000', NULL, 'and not truncated');

ALTER TABLE crm.activity DETACH PARTITION crm.activity_old;
ALTER TABLE crm.verdict DETACH PARTITION crm.verdict_old;
ALTER TABLE crm.stage_history DETACH PARTITION crm.stage_history_old;
CREATE SCHEMA attic;
CREATE FUNCTION pg_temp.use(which text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	s text;
BEGIN
	FOREACH s IN ARRAY ARRAY[format('INSERT INTO %s.activity_old (lead_id, occurred_at, activity_id, kind) VALUES (99, now(), 2, ''webinar'')', which),
		format('UPDATE %s.activity_old SET kind = ''x''', which), format('DELETE FROM %s.activity_old WHERE lead_id = 99', which),
		format('TRUNCATE %s.activity_old', which), format('INSERT INTO %s.verdict_old (verdict_id, lead_id, side, qualified) VALUES (1, 99, ''sales'', true)', which),
		format('UPDATE %s.verdict_old SET lead_id = 98', which), format('TRUNCATE %s.verdict_old, %1$s.stage_history_old', which)] LOOP
		RETURN NEXT lives_ok(s, 'R: a table that was detached: ' || s);
	END LOOP;
END $$;
SELECT pg_temp.use('crm');
ALTER TABLE crm.activity_old SET SCHEMA attic;
ALTER TABLE crm.verdict_old SET SCHEMA attic;
ALTER TABLE crm.stage_history_old SET SCHEMA attic;
SELECT pg_temp.use('attic');
SELECT lives_ok('DROP TABLE attic.activity_old', 'and dropped');
SELECT is((SELECT count(*) FROM crm.lead), 2::bigint, 'leads are what they were');

-- attached again, it is part of the funnel
ALTER TABLE attic.verdict_old SET SCHEMA crm;
ALTER TABLE crm.verdict ATTACH PARTITION crm.verdict_old FOR VALUES IN (1);
SELECT throws_ok('TRUNCATE crm.stage_history', '0A000', NULL, 'the others are not truncated');

-- a table of leads of the user's
CREATE TABLE person (id bigint, land text, PRIMARY KEY (id, land)) PARTITION BY LIST (land);
CREATE TABLE person_de PARTITION OF person FOR VALUES IN ('DE');
CREATE TABLE person_fr PARTITION OF person FOR VALUES IN ('FR');
SELECT create_funnel('b2b', 'UTC', lead_table => 'person', lead_key => 'id', columns => '{"country": "land"}');
SELECT throws_ok('TRUNCATE person_de', '0A000', NULL, 'a partition of leads is not truncated');
ALTER TABLE person DETACH PARTITION person_de;
SELECT lives_ok('TRUNCATE person_de', 'R: until it is detached');
SELECT drop_funnel('b2b', true);
SELECT lives_ok('TRUNCATE person_de', 'R: and when the funnel is gone');
-- what only looks like one is refused as ever
CREATE TABLE person_it (id bigint);
CREATE TRIGGER x BEFORE TRUNCATE ON person_it EXECUTE FUNCTION _refuse_truncate();
SELECT throws_ok('TRUNCATE person_it', NULL, NULL, 'S1: a trigger by another name is not ours');

SELECT * FROM finish();
ROLLBACK;
