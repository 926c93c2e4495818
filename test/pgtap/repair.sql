-- repair_funnel(): what check_funnel() finds, set right; and what it finds of care.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(38);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_stranger;
DO $$ BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database());
END $$;
SET ROLE regress_lq_owner;
SELECT create_funnel('Crm é', 'Europe/Berlin');
SET LOCAL search_path = "Crm é", public;
INSERT INTO account (account_id, name) OVERRIDING SYSTEM VALUE VALUES (1, 'Acme');
INSERT INTO lead (lead_id, email, account_id, country, source) OVERRIDING SYSTEM VALUE
	SELECT g, g || '@example.com', 1, 'DE', 'event' FROM generate_series(1, 4) AS g;
INSERT INTO activity (lead_id, kind, occurred_at) SELECT l, k, now() - interval '3 days'
	FROM generate_series(1, 4) AS l, unnest(ARRAY['webinar', 'pricing_page_view']) AS k;
UPDATE lead SET bant = 'B+' WHERE lead_id = 1;
INSERT INTO deal (deal_id, amount) OVERRIDING SYSTEM VALUE VALUES (1, 100);
INSERT INTO deal_contact VALUES (1, 4);

CREATE FUNCTION pg_temp.found() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', finding, severity, object, n) FROM check_funnel('Crm é')
	WHERE finding <> 'deal_ahead_of_stage' $$;
CREATE FUNCTION pg_temp.repaired() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', finding, object, n, '|', coalesce(action, 'nothing')) FROM repair_funnel('Crm é')
	WHERE finding <> 'deal_ahead_of_stage' $$;
-- the funnel's triggers, in full
CREATE FUNCTION pg_temp.triggers() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
	WHERE c.relnamespace = '"Crm é"'::regnamespace AND NOT t.tgisinternal ORDER BY 1 $$;
CREATE TEMP TABLE had AS SELECT t FROM pg_temp.triggers() AS t;

SELECT is_empty('SELECT pg_temp.found()', 'nothing is wrong');
SELECT is_empty('SELECT pg_temp.repaired()', 'nothing is repaired');
SELECT throws_ok($$ SELECT * FROM repair_funnel('nowhere') $$, '3F000', NULL, 'no such funnel');
RESET ROLE;
SET ROLE regress_lq_stranger;
SELECT throws_ok($$ SELECT * FROM repair_funnel('Crm é') $$, '42501', NULL, 'it is for members of the owner');
RESET ROLE;

-- a superuser can disable a trigger, but not secretly
SELECT is(current_setting('is_superuser'), 'on', 'a superuser');
ALTER TABLE lead DISABLE TRIGGER zz_qualify;
ALTER TABLE activity DISABLE TRIGGER zz_insert;
ALTER TABLE rule ENABLE TRIGGER zz_changed;
INSERT INTO activity (lead_id, kind) VALUES (2, 'demo_request');
SET ROLE regress_lq_owner;
SELECT set_eq('SELECT pg_temp.found()', $$ VALUES ('trigger_disabled error lead.zz_qualify 1'),
	('trigger_disabled error activity.zz_insert 1'), ('trigger_disabled error rule.zz_changed 1'), ('card_differs error lead 1') $$,
	'what a superuser disabled is reported, and what came of it');
SELECT set_eq('SELECT pg_temp.repaired()', $$ VALUES
	('trigger_disabled lead.zz_qualify 1 | ALTER TABLE "Crm é".lead ENABLE TRIGGER zz_qualify'),
	('trigger_disabled activity.zz_insert 1 | ALTER TABLE "Crm é".activity ENABLE TRIGGER zz_insert'),
	('trigger_disabled rule.zz_changed 1 | ALTER TABLE "Crm é".rule ENABLE ALWAYS TRIGGER zz_changed'),
	('card_differs lead 1 | rescore_funnel(): 4 leads scored anew') $$, 'and repaired');
SELECT is_empty('SELECT pg_temp.found()', 'all is well');
SELECT set_eq('SELECT pg_temp.triggers()', 'SELECT t FROM had', 'the triggers are as before');

-- every trigger, dropped
DO $$ DECLARE t record; BEGIN
	FOR t IN SELECT tgname, tgrelid FROM pg_trigger JOIN pg_class AS c ON c.oid = tgrelid
		WHERE c.relnamespace = '"Crm é"'::regnamespace AND NOT tgisinternal AND c.relname <> 'setting' LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass);
	END LOOP;
END $$;
SELECT cmp_ok((SELECT count(*) FROM pg_temp.found()), '>', 40::bigint, 'all triggers gone');
SELECT is((SELECT count(*) FROM pg_temp.repaired() AS r WHERE r LIKE '%nothing'), 0::bigint, 'are made again');
SELECT set_eq('SELECT pg_temp.triggers()', 'SELECT t FROM had', 'every one as it was');
SELECT is_empty('SELECT pg_temp.found()', 'all is well again');
INSERT INTO activity (lead_id, kind) VALUES (3, 'demo_request');
SELECT is_empty('SELECT pg_temp.found()', 'and they work');
DROP TRIGGER zz_delete ON answer;
CREATE TRIGGER zz_delete AFTER DELETE ON answer FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
SELECT set_eq('SELECT pg_temp.repaired()', $$ VALUES ('trigger_missing answer.zz_delete 1 | nothing') $$,
	'a trigger of the user''s in its place is left to him');
DROP TRIGGER zz_delete ON answer;
SELECT isnt_empty('SELECT pg_temp.repaired()', 'until it is gone');

-- what leads hold
SET LOCAL lead_qual.import = on;
UPDATE lead SET bant = 'B-' WHERE lead_id = 1;
UPDATE lead SET deals_open = 7 WHERE lead_id = 4;
UPDATE lead SET stage = 'nurture' WHERE lead_id = 3;
DELETE FROM stage_history WHERE lead_id = 2;
SET LOCAL lead_qual.import = off;
SELECT set_eq('SELECT pg_temp.found()', $$ VALUES ('answers_differ error lead 1'), ('deals_differ error lead 1'),
	('stage_differs error lead 1'), ('history_missing error stage_history 1'), ('journey_differs error journey 1') $$, 'answers, deals, stages and moves that are not as they were');
SELECT matches(r, 'rebuild_history\(\): [1-9][0-9]* rows changed', r) FROM pg_temp.repaired() AS r;
SELECT is_empty('SELECT pg_temp.found()', 'are as they were');
SELECT is((SELECT bant FROM lead WHERE lead_id = 1), 'B+'::bant, 'as the log has them');
SELECT is((SELECT deals_open FROM lead WHERE lead_id = 4), 1, 'each of them');

SET LOCAL lead_qual.import = on;
UPDATE lead SET answers = '{"champ": {"money": "no"}}', review_at = now() - interval '2 hours' WHERE lead_id = 2;
INSERT INTO answer (lead_id, framework, element, level) VALUES (2, 'champ', 'money', 'yes');
SET LOCAL lead_qual.import = off;
UPDATE rule SET points = points + 1 WHERE name = 'webinar';
SELECT set_eq('SELECT pg_temp.found()', $$ VALUES ('answers_differ error lead 1'), ('review_overdue warning lead 1'), ('card_stale warning lead 4') $$,
	'answers of other frameworks, time and policy');
SELECT is((SELECT count(*) FROM pg_temp.repaired() AS r WHERE r LIKE '%nothing'), 0::bigint, 'are caught up with');
SELECT is_empty('SELECT pg_temp.found()', 'all is well once more');

-- left to a human
SAVEPOINT human;
SET LOCAL lead_qual.import = on;
UPDATE lead SET stage = 'moon' WHERE lead_id = 1;
SET LOCAL lead_qual.import = off;
SELECT set_eq('SELECT pg_temp.repaired()', $$ VALUES ('unknown_stage moon 1 | nothing'), ('stage_differs lead 1 | nothing') $$,
	'a stage that the funnel lacks');
ROLLBACK TO human;
ALTER TABLE lead DROP CONSTRAINT lead_account_id_fkey;
DELETE FROM account;
INSERT INTO verdict (lead_id, side, qualified) VALUES (1, 'sales', true);
ALTER TABLE lead DISABLE TRIGGER zz_forget;
DELETE FROM lead WHERE lead_id = 1;
ALTER TABLE lead ENABLE TRIGGER zz_forget;
SELECT set_eq('SELECT pg_temp.found()', $$ VALUES ('account_missing error lead 3'), ('lead_missing error activity 2'), ('lead_missing error answer 1'),
	('lead_missing error verdict 1') $$, 'R2: without a foreign key or a trigger, accounts and leads go missing');
SELECT set_eq('SELECT pg_temp.repaired()', $$ VALUES ('account_missing lead 3 | nothing'), ('lead_missing activity 2 | nothing'), ('lead_missing answer 1 | nothing'),
	('lead_missing verdict 1 | nothing') $$, 'R2: nothing is thrown away without asking');
DO $$ DECLARE f record; BEGIN
	FOR f IN SELECT * FROM check_funnel('Crm é') WHERE finding = 'lead_missing' LOOP
		EXECUTE substring(f.hint FROM 'DELETE.*[^.]');
	END LOOP;
END $$;
SELECT set_eq('SELECT pg_temp.found()', $$ VALUES ('account_missing error lead 3') $$, 'R2: the hint says how');
ROLLBACK TO human;
SELECT archive_activities('Crm é', now());
SELECT is_empty('SELECT pg_temp.found()', 'archived activities are nothing to find');
INSERT INTO definition (definition) VALUES ('next');
SET LOCAL lead_qual.import = on;
SET CONSTRAINTS ALL DEFERRED;
UPDATE definition SET status = 'retired' WHERE status = 'active';
UPDATE definition SET status = 'active', version = 99 WHERE definition = 'next';
SET CONSTRAINTS ALL IMMEDIATE;
SET LOCAL lead_qual.import = off;
SELECT set_has('SELECT pg_temp.found()', $$ VALUES ('baseline_unused info webinar 4') $$,
	'points that no rule of another definition goes on with');
ROLLBACK TO human;

-- partitions
DROP TABLE activity CASCADE;
CREATE TABLE activity (lead_id bigint, occurred_at timestamptz DEFAULT now(), activity_id bigint GENERATED BY DEFAULT AS IDENTITY,
	kind text NOT NULL, source text, campaign text, actor text, properties jsonb NOT NULL DEFAULT '{}', external_id text,
	recorded_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (lead_id, occurred_at, activity_id)) PARTITION BY RANGE (occurred_at);
CREATE TABLE activity_all PARTITION OF activity DEFAULT;
SELECT set_has('SELECT pg_temp.found()', $$ VALUES ('partition_without_triggers error "Crm é".activity_all 4') $$, 'a partition without triggers');
SELECT isnt_empty('SELECT pg_temp.repaired()', 'gets them');
SELECT is_empty('SELECT pg_temp.found()', 'and so does the new log');
INSERT INTO activity_all (lead_id, activity_id, kind) VALUES (1, 1, 'webinar');
SELECT is_empty('SELECT pg_temp.found()', 'an activity written straight there is scored');

RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
