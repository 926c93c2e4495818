-- How clients know a row of the log: by one column, found by an index.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL enable_seqscan = off;
SELECT plan(14);

SELECT create_funnel('crm', 'UTC');
CREATE TABLE contact (id uuid PRIMARY KEY);
SELECT create_funnel('b2b', 'UTC', lead_table => 'contact', lead_key => 'id');
CREATE FUNCTION pg_temp.plan(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; said text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || statement LOOP said := said || line || ' '; END LOOP;
	RETURN said;
END $$;

SELECT is_empty($$ SELECT c.relname FROM pg_class AS c WHERE relnamespace = 'crm'::regnamespace AND relkind = 'r' AND relname <> 'activity'
	AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1)
	AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attidentity <> '') $$,
	'A9: of the tables with ids only the log is keyed by more than the id');
SELECT col_is_pk(f, 'answer', 'answer_id', 'A9: an answer is known by its id: ' || f) FROM unnest(ARRAY['crm', 'b2b']::name[]) AS f;
SELECT col_is_pk(f, 'activity', ARRAY['lead_id', 'occurred_at', 'activity_id']::name[], 'the log can be partitioned by time: ' || f) FROM unnest(ARRAY['crm', 'b2b']::name[]) AS f;
SELECT col_is_unique(f, 'activity', ARRAY['lead_id', 'external_id']::name[], 'A9: an event is known by its lead and external id: ' || f) FROM unnest(ARRAY['crm', 'b2b']::name[]) AS f;
SELECT matches(pg_temp.plan(format('SELECT * FROM %I.activity WHERE activity_id = 1', f)), 'Index Scan (using|on) activity_activity_id', 'A9: an activity is found by its id: ' || f)
	FROM unnest(ARRAY['crm', 'b2b']) AS f;
SELECT matches(pg_temp.plan('UPDATE crm.activity SET source = ''x'' WHERE activity_id = 1'), 'Index Scan (using|on) activity_activity_id', 'A9: to be changed');
SELECT matches(pg_temp.plan('DELETE FROM crm.answer WHERE answer_id = 1'), 'Index Scan (using|on) answer_pkey', 'A9: so is an answer');
SELECT matches(pg_temp.plan(format('SELECT level FROM %I.answer WHERE lead_id = %L AND framework = ''bant'' AND element = ''need'' ORDER BY answered_at DESC, answer_id DESC LIMIT 1', f, k)),
	'answer_lead', 'and those of a lead: ' || f) FROM (VALUES ('crm', '1'), ('b2b', '00000000-0000-0000-0000-000000000001')) AS v (f, k);
INSERT INTO crm.lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (1), (2);
INSERT INTO crm.answer (lead_id, answer_id, framework, element, level) OVERRIDING SYSTEM VALUE VALUES (1, 7, 'bant', 'need', 'yes');
SELECT throws_ok($$ INSERT INTO crm.answer (lead_id, answer_id, framework, element, level) OVERRIDING SYSTEM VALUE VALUES (2, 7, 'bant', 'need', 'yes') $$,
	'23505', NULL, 'no two answers share an id');

SELECT * FROM finish();
ROLLBACK;
