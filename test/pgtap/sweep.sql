-- What time alone brings about: after, resume_at, a score that crosses a
-- threshold, deadlines that run out; and sweeps that meet trouble.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(38);
SELECT create_funnel('crm', 'Europe/Berlin');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
CREATE FUNCTION at(clock text) RETURNS void LANGUAGE sql AS $$ SELECT set_config('lead_qual.clock', clock, true) $$;
CREATE FUNCTION stage(lead bigint) RETURNS text LANGUAGE sql AS 'SELECT stage FROM crm.lead WHERE lead_id = $1';
CREATE FUNCTION swept(most integer DEFAULT 1000) RETURNS text LANGUAGE sql AS
	$$ SELECT format('%s %s %s', reviewed, rescored, failed) FROM sweep_funnel('crm', most) $$;
INSERT INTO lead (lead_id, email) OVERRIDING SYSTEM VALUE SELECT n, n || '@example.com' FROM generate_series(1, 6) AS n;

-- after: days are days of the funnel's time zone
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, after, condition) VALUES
	('default', 45, 'lead', 'nurture', true, '30 days', 'country = ''DE''');
-- the leads were judged by the version before
SELECT rescore_funnel('crm');
UPDATE lead SET country = 'DE' WHERE lead_id = 1;
SELECT is((SELECT review_at FROM lead WHERE lead_id = 1), '2026-04-01 08:00Z', 'after: looked at when it is over, as the clock of Berlin says');
SELECT is((SELECT review_at FROM lead WHERE lead_id = 2), NULL, 'a part that time cannot change needs no look');
SELECT at('2026-04-01 07:59:59Z');
SELECT is(swept() || stage(1), '0 0 0lead', 'not before');
SELECT at('2026-04-01 08:00Z');
SELECT is(swept() || stage(1), '1 0 0nurture', 'after so long it moves');
SELECT results_eq($$ SELECT automatic, entered_at FROM stage_history WHERE lead_id = 1 AND to_stage = 'nurture' $$,
	$$ VALUES (true, timestamptz '2026-04-01 08:00Z') $$, 'as of the sweep');
SELECT is(swept(), '0 0 0', 'then it rests');

-- resume_at
UPDATE lead SET resume_at = '2026-05-01 00:00Z' WHERE lead_id = 1;
SELECT is((SELECT review_at FROM lead WHERE lead_id = 1), '2026-04-02 08:00Z', 'a guard that computes with time is looked at daily');
SELECT at('2026-04-30 23:59:59Z');
SELECT is(swept() || stage(1), '1 0 0nurture', 'R003-15 not before its date');
SELECT is((SELECT review_at FROM lead WHERE lead_id = 1), '2026-05-01 00:00Z', 'R003-15 looked at on its date');
SELECT at('2026-05-01 00:00Z');
SELECT is(swept() || stage(1), '1 0 0mql', 'R003-15 R003-20 on its date it is back');
SELECT results_eq('SELECT cycle, resume_at FROM lead WHERE lead_id = 1', $$ VALUES (2, NULL::timestamptz) $$, 'in a new cycle, the date used up');

-- a score that falls below a threshold, and one that rises over it
SAVEPOINT years;
INSERT INTO activity (lead_id, kind) VALUES (6, 'demo_request');
SELECT at('2036-05-01 00:00Z');
SELECT is(swept() || stage(6) || (SELECT round(score) FROM lead_now WHERE lead_id = 6), '2 0 0mql0', 'D2 decay never demotes by default');
ROLLBACK TO years;
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition) VALUES
	('default', 46, 'mql', 'lead', true, 'score < 60'), ('default', 47, 'lead', 'disqualified', true, 'score <= -10');
INSERT INTO kind (kind) VALUES ('complaint'), ('showroom');
INSERT INTO rule (definition, name, axis, kind, points, half_life) VALUES
	('default', 'complaint', 'engagement', 'complaint', -90, '5 days'), ('default', 'visit', 'engagement', 'showroom', 120, '120 days');
DELETE FROM transition WHERE position = 45;
SELECT is(rescore_funnel('crm'), 6::bigint, 'all leads know the new rules');
INSERT INTO activity (lead_id, kind) VALUES (2, 'demo_request'), (3, 'showroom'), (3, 'complaint');
SELECT is(stage(2) || ' ' || stage(3), 'mql lead', 'a demo makes an MQL, a complaint holds another back');
-- 120 x 2^(-t/30) = 60 at t = 30; but the deadline comes first
SELECT is((SELECT review_at FROM lead WHERE lead_id = 2), '2026-05-02 00:00Z', 'a deadline is a date to look, too');
SELECT at('2026-05-02 00:00:01Z');
SELECT is(swept() || stage(2), '2 0 0mql', 'R004-10 the deadline ran out: nobody takes the lead away');
SELECT is((SELECT overdue FROM lead_now WHERE lead_id = 2), true, 'R004-10 it is overdue');
SELECT cmp_ok((SELECT review_at FROM lead WHERE lead_id = 2), '>', timestamptz '2026-05-30 23:00Z', 'the next date is the fall of the score');
SELECT at('2026-05-04 00:00Z');
SELECT is(stage(3), 'lead', 'the other one''s score');
SELECT is((SELECT score FROM lead_now WHERE lead_id = 3) < 100, true, 'is below the threshold still');
SELECT at((SELECT review_at::text FROM lead WHERE lead_id = 3));
SELECT is(swept() || stage(3), '1 0 0mql', 'a score rises over the threshold as the complaint fades');
SELECT cmp_ok((SELECT score FROM lead_now WHERE lead_id = 3), '>=', 100::numeric, 'D14 and is over it');
SELECT at('2026-05-30 23:59:00Z');
SELECT is(swept() IS NOT NULL AND stage(2) = 'mql', true, 'just before the fall');
SELECT at('2026-05-31 00:06:00Z');
SELECT is(swept() IS NOT NULL AND stage(2) = 'lead', true, 'X2 120 points of half-life 30 days are 60 after 30 days: it falls');

-- a deadline that moves the lead
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, after) VALUES
	('default', 48, 'mql', 'nurture', true, '48 hours');
SELECT rescore_funnel('crm');
SELECT at('2026-06-10 00:00Z');
INSERT INTO activity (lead_id, kind) VALUES (4, 'demo_request');
SELECT at('2026-06-12 00:00Z');
SELECT is(swept() IS NOT NULL AND stage(4) = 'nurture', true, 'R004-08 who may wait no longer goes back by itself, if a transition says so');

-- poison
SELECT at('2026-07-01 00:00Z');
UPDATE transition SET from_stage = 'lead' WHERE position = 48;
DELETE FROM transition WHERE position IN (46, 47);
DELETE FROM lead;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE SELECT n FROM generate_series(11, 19) AS n;
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF NEW.lead_id IN (11, 15) AND NEW.stage = 'nurture' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NULL;
END $$;
CREATE TRIGGER zzz_poison AFTER UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION poison();
SELECT at('2026-07-03 00:00Z');
SELECT is(swept(2), '1 0 1', 'R4: a lead that fails does not stop the others, and counts');
SELECT is((SELECT array_agg(lead_id ORDER BY lead_id) FROM lead WHERE stage = 'nurture'), '{12}', 'R4: max of them are tried');
SELECT is(swept(1), '1 0 0', 'R4: it comes last next time');
SELECT is(swept(), '5 0 2', 'the rest');
SELECT is(swept(), '0 0 2', 'the failing ones are tried each time');
SELECT is((SELECT count(*) FROM stage_history WHERE lead_id IN (11, 15) AND to_stage = 'nurture'), 0::bigint, 'nothing is left of what failed');
DROP TRIGGER zzz_poison ON lead;
SELECT is(swept(), '2 0 0', 'and succeed once the cause is gone');
SELECT is((SELECT count(*) FROM stage_history WHERE lead_id > 10 AND to_stage = 'nurture'), 9::bigint, 'each lead moved once');
SELECT is((SELECT count(*) FROM lead WHERE review_at <= funnel_now()), 0::bigint, 'nothing is due any more');

-- refused
SELECT throws_ok($$ SELECT sweep_funnel('crm', 0) $$, '22023', NULL, 'at least one');
SELECT throws_ok($$ SELECT sweep_funnel('nowhere') $$, '3F000', NULL, 'of a funnel');
CREATE ROLE regress_lq_stranger;
GRANT USAGE ON SCHEMA crm TO regress_lq_stranger;
RESET lead_qual.clock;
SET ROLE regress_lq_stranger;
SELECT throws_ok($$ SELECT sweep_funnel('crm') $$, '42501', NULL, 'by its owner');
RESET ROLE;
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE severity = 'error' $$, 'nothing is wrong after it');

SELECT * FROM finish();
ROLLBACK;
