-- A lead that nothing can be done with does not stop the others.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(12);
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
CREATE FUNCTION swept(most integer) RETURNS text LANGUAGE sql AS
	$$ SELECT format('%s %s %s', reviewed, rescored, failed) FROM sweep_funnel('crm', most) $$;
INSERT INTO lead (lead_id, country) OVERRIDING SYSTEM VALUE SELECT n, 'DE' FROM generate_series(1, 2500) AS n;
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF NEW.lead_id % 1000 = 7 AND NEW.scorecard::text <> OLD.scorecard::text THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NULL;
END $$;
CREATE FUNCTION fit(lead bigint) RETURNS numeric LANGUAGE sql AS $$ SELECT fit(scorecard) FROM crm.lead WHERE lead_id = $1 $$;

-- rescored
UPDATE rule SET enabled = false WHERE axis = 'fit';
INSERT INTO rule (definition, name, axis, condition, points) VALUES ('default', 'german', 'fit', 'country = ''DE''', 41);
CREATE TRIGGER zzz_poison AFTER UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION poison();
SELECT is(rescore_funnel('crm'), 2497::bigint, 'S7: rescore_funnel goes on past leads that fail');
SELECT is(fit(6) + fit(8) + fit(1008), 123::numeric, 'S7: the others are rescored');
SELECT isnt(fit(7), 41::numeric, 'S7: those are not');
DROP TRIGGER zzz_poison ON lead;
SELECT is(rescore_funnel('crm'), 2500::bigint, 'S7: until the cause is gone');

-- stale
SAVEPOINT rescored;
SELECT copy_definition('crm', 'default', 'next');
UPDATE rule SET points = 42 WHERE definition = 'next' AND name = 'german';
SELECT activate_definition('crm', 'next');
CREATE TRIGGER zzz_poison AFTER UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION poison();
SELECT is(swept(3000), '0 2497 3', 'R4: stale leads that fail do not stop the others');
SELECT is(swept(3000), '3 0 3', 'R4: they are looked at with what is due, and tried each time');
SELECT is(swept(2), '2 0 0', 'R4: all together are no more than max');
ROLLBACK TO rescored;

-- what the lead is to blame for, and what it is not
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF NEW.lead_id = 7 THEN RAISE EXCEPTION 'not now' USING ERRCODE = TG_ARGV[0]; END IF; RETURN NULL;
END $$;
CREATE TRIGGER zzz_refuse AFTER UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION refuse('55000');
SELECT is(rescore_funnel('crm'), 2499::bigint, 'R4 S7: a state that a trigger asks of one lead does not stop the others');
CREATE OR REPLACE TRIGGER zzz_refuse AFTER UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION refuse('55006');
SELECT throws_ok($$ SELECT rescore_funnel('crm') $$, '55006', 'not now', 'R4: what others hold does');
CREATE OR REPLACE TRIGGER zzz_refuse AFTER UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION refuse('53100');
SELECT throws_ok($$ SELECT rescore_funnel('crm') $$, '53100', 'not now', 'R4: and a full disk');
DROP TRIGGER zzz_refuse ON lead;

-- checked: a log that cannot be weighed
ALTER TABLE activity DROP CONSTRAINT IF EXISTS activity_occurred_at_check;
SET LOCAL session_replication_role = replica;
INSERT INTO activity (lead_id, kind, occurred_at, recorded_at) VALUES (5, 'webinar', '-infinity', '2026-01-01 00:00Z');
UPDATE lead SET country = 'FR' WHERE lead_id = 8;
SET LOCAL session_replication_role = origin;
SELECT results_eq($$ SELECT finding, severity, n, detail LIKE 'Leads 5. The first: cannot score%' FROM check_funnel('crm') WHERE finding = 'lead_not_checked' $$,
	$$ VALUES ('lead_not_checked', 'error', 1::bigint, true) $$, 'S7: a deep check names the lead that it cannot check');
SELECT results_eq($$ SELECT detail LIKE 'Leads 8. %' FROM check_funnel('crm') WHERE finding = 'card_differs' $$, 'VALUES (true)', 'S7: and goes on');
SELECT * FROM finish();
ROLLBACK;
