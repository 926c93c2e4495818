-- What happens as time goes by, and what happens in bulk: sweeping, rescoring, importing.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(44);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
ALTER TABLE lead ALTER COLUMN lead_id RESTART WITH 1000;

CREATE FUNCTION pg_temp.stage(lead bigint) RETURNS text LANGUAGE sql AS
	'SELECT stage FROM crm.lead WHERE lead_id = $1';
CREATE FUNCTION pg_temp.sweep(max int DEFAULT 1000) RETURNS text LANGUAGE sql AS
	'SELECT format(''%s reviewed, %s rescored, %s failed'', reviewed, rescored, failed) FROM sweep_funnel(''crm'', $1)';
CREATE FUNCTION pg_temp.due() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM crm.lead WHERE review_at <= funnel_now()';

INSERT INTO transition (definition, position, from_stage, to_stage, automatic, after, condition) VALUES
	('default', 200, 'lead', 'nurture', true, NULL, 'idle_days >= 90'),
	('default', 201, 'sal', 'nurture', true, '14 days', NULL),
	('default', 202, 'mql', 'nurture', true, '1 month', 'score < 60'),
	('default', 203, 'nurture', 'disqualified', true, NULL, 'days_in_stage > 365 AND score <= 1'),
	('default', 204, 'sql', 'nurture', true, NULL, 'idle_days >= 10 AND last_activity IS NULL');

-- idle
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (1), (2);
INSERT INTO activity (lead_id, kind) VALUES (1, 'webinar');
SELECT results_eq('SELECT lead_id, review_at FROM lead ORDER BY lead_id', $$ VALUES (1::bigint, '2026-05-31 09:00Z'::timestamptz), (2, NULL) $$,
	'idle_days >= 90: due in 90 days; who never did anything is not idle');
SET LOCAL lead_qual.clock = '2026-05-31 08:59:59Z';
SELECT is(pg_temp.sweep(), '0 reviewed, 0 rescored, 0 failed', 'nobody is due a second before');
SET LOCAL lead_qual.clock = '2026-05-31 09:00Z';
SELECT is(pg_temp.stage(1), 'lead', 'time alone moves nobody');
SELECT is(pg_temp.sweep(), '1 reviewed, 0 rescored, 0 failed', 'the sweep finds who is due');
SELECT is(pg_temp.stage(1), 'nurture', 'and moves it');
SELECT results_eq($$ SELECT automatic, entered_at FROM stage_history WHERE lead_id = 1 AND to_stage = 'nurture' $$, $$ VALUES (true, funnel_now()) $$, 'history included');
SELECT is(pg_temp.sweep(), '0 reviewed, 0 rescored, 0 failed', 'once');

-- put off by an activity: review_at is a lower bound
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (3);
INSERT INTO activity (lead_id, kind) VALUES (3, 'webinar');
SET LOCAL lead_qual.clock = '2026-05-01 09:00Z';
INSERT INTO activity (lead_id, kind) VALUES (3, 'website_visit');
SET LOCAL lead_qual.clock = '2026-05-31 09:00Z';
SELECT pg_temp.sweep();
SELECT results_eq('SELECT stage, review_at FROM lead WHERE lead_id = 3', $$ VALUES ('lead', '2026-07-30 09:00Z'::timestamptz) $$, 'an activity puts it off');
DELETE FROM activity WHERE lead_id = 3 AND kind = 'website_visit';
SELECT is(pg_temp.stage(3), 'nurture', 'and its deletion brings it back');

-- after
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO lead (lead_id, stage, source) OVERRIDING SYSTEM VALUE VALUES (4, 'sal', 'partner');
SELECT is(review_at, '2026-03-09 09:00Z'::timestamptz, 'the deadline of the stage comes first') FROM lead WHERE lead_id = 4;
SET LOCAL lead_qual.clock = '2026-03-09 09:00Z';
SELECT is(pg_temp.sweep() || ', ' || pg_temp.stage(4), '1 reviewed, 0 rescored, 0 failed, sal', 'the deadline moves nobody');
SELECT is(review_at, '2026-03-16 09:00Z'::timestamptz, 'then the transition''s after') FROM lead WHERE lead_id = 4;
SET LOCAL lead_qual.clock = '2026-03-16 08:59:59.999999Z';
UPDATE lead SET note = 'x' WHERE lead_id = 4;
SELECT is(pg_temp.stage(4), 'sal', 'not before it is over');
SET LOCAL lead_qual.clock = '2026-03-16 09:00Z';
SELECT is(pg_temp.sweep() || ', ' || pg_temp.stage(4), '1 reviewed, 0 rescored, 0 failed, nurture', 'after 14 days back to marketing');

-- a month and a falling score
SET LOCAL lead_qual.clock = '2026-01-31 09:00Z';
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (5);
INSERT INTO activity (lead_id, kind) VALUES (5, 'demo_request');
SET LOCAL lead_qual.clock = '2026-02-28 09:00Z';
SELECT is(pg_temp.stage(5), 'mql', 'an MQL');
SET LOCAL lead_qual.clock = '2026-03-02 08:59Z';
SELECT is(pg_temp.sweep() ~ ' 0 failed' AND pg_temp.stage(5) = 'mql', true, 'a month is over, and the half-life is not');
SET LOCAL lead_qual.clock = '2026-03-02 09:06Z';
SELECT is(pg_temp.sweep() ~ ' 0 failed' AND pg_temp.stage(5) = 'nurture', true, 'after 30 days of half-life and some minutes the score shows 59.99');
SET LOCAL lead_qual.clock = '2028-03-03 09:00Z';
SELECT pg_temp.sweep();
SELECT is(pg_temp.stage(5), 'disqualified', 'two conditions of time at once');

-- max, and leads that fail
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE SELECT generate_series(100, 109);
INSERT INTO activity (lead_id, kind) SELECT lead_id, 'webinar' FROM lead WHERE lead_id BETWEEN 100 AND 109;
SET LOCAL lead_qual.clock = '2026-06-02 09:00Z';
SELECT is(pg_temp.sweep(4), '4 reviewed, 0 rescored, 0 failed', 'as many as asked for');
SELECT throws_ok($$ SELECT pg_temp.sweep(0) $$, '22023', NULL, 'at least one');
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON lead FOR EACH ROW WHEN (OLD.lead_id = 109) EXECUTE FUNCTION pg_temp.refuse();
SELECT is(pg_temp.sweep(), '5 reviewed, 0 rescored, 1 failed', 'one that fails does not stop the rest');
SELECT is((SELECT count(*) FROM lead WHERE lead_id BETWEEN 100 AND 109 AND stage = 'nurture'), 9::bigint, 'which moved');
DROP TRIGGER refuse ON lead;
SELECT is(pg_temp.sweep() || ', ' || pg_temp.due(), '1 reviewed, 0 rescored, 0 failed, 0', 'and it is found again');

-- stale cards
UPDATE rule SET points = 500 WHERE name = 'webinar';
UPDATE rule SET max_points = NULL WHERE name = 'webinar';
SELECT is((SELECT count(*) FROM lead_now WHERE stale), (SELECT count(*) FROM lead), 'a rule changed: all are stale');
SELECT is(rescore_funnel('crm'), (SELECT count(*) FROM lead), 'all are rescored');
SELECT is((SELECT count(*) FROM lead_now WHERE stale), 0::bigint, 'none is stale');
SELECT is((SELECT count(*) FROM lead WHERE lead_id BETWEEN 100 AND 109 AND stage = 'nurture'), 10::bigint, 'rescore_funnel moves nobody');
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (110);
UPDATE rule SET points = 15 WHERE name = 'webinar';
INSERT INTO activity (lead_id, kind) VALUES (110, 'webinar');
UPDATE rule SET points = 500 WHERE name = 'webinar';
SELECT is(rescore_funnel('crm') > 0 AND pg_temp.stage(110) = 'lead', true, 'not even over the threshold');
SELECT is(rescore_funnel('crm', move => true) > 0 AND pg_temp.stage(110) = 'mql', true, 'unless it is told to');

-- import
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, stage, cycle, company_size, stage_entered_at, due_at, accepted_by, deals_won, reason, bant) OVERRIDING SYSTEM VALUE VALUES
	(200, 'sql', 3, 900, '2020-01-01Z', '2020-01-02Z', 'eve', 2, 'kept', 'B+ A+ N+'), (201, DEFAULT, 1, NULL, DEFAULT, NULL, NULL, 0, NULL, '');
INSERT INTO activity (lead_id, kind, occurred_at, recorded_at) VALUES (200, 'demo_request', '2020-01-01Z', '2020-01-01Z'), (200, 'limited', '2020-01-01Z', '2020-01-01Z');
INSERT INTO answer (lead_id, framework, element, level) VALUES (200, 'bant', 'budget', 'no');
INSERT INTO deal (deal_id, status, amount) OVERRIDING SYSTEM VALUE VALUES (1, 'won', 7);
INSERT INTO deal_contact VALUES (1, 200);
INSERT INTO stage_history (lead_id, to_stage, entered_at) VALUES (200, 'lead', '2019-01-01Z');
UPDATE stage_history SET entered_at = '2019-01-02Z' WHERE lead_id = 200;
SELECT results_eq('SELECT stage, cycle, stage_entered_at, due_at, accepted_by, deals_won, reason, bant::text, scorecard IS NULL, review_at FROM lead WHERE lead_id = 200',
	$$ VALUES ('sql', 3, '2020-01-01Z'::timestamptz, '2020-01-02Z'::timestamptz, 'eve', 2, 'kept', 'B+ A+ N+ T?', true, NULL::timestamptz) $$,
	'import: nothing is judged, stamped, counted or scored');
SELECT is(stage, 'lead', 'a lead without a stage gets the first') FROM lead WHERE lead_id = 201;
SELECT is(count(*), 1::bigint, 'the history is what was loaded') FROM stage_history WHERE lead_id IN (200, 201);
SELECT is(recorded_at, '2020-01-01Z'::timestamptz, 'recorded_at too') FROM activity WHERE kind = 'limited';
SELECT is(count(*), 1::bigint, 'and the answers') FROM answer WHERE lead_id = 200;
SELECT lives_ok('UPDATE lead SET lead_id = 202 WHERE lead_id = 201', 'even a key can be changed');
SET LOCAL lead_qual.import = off;
SELECT is((SELECT stale FROM lead_now WHERE lead_id = 200), true, 'an imported lead is stale');
SELECT ok(rescore_funnel('crm') > 0, 'rescored');
INSERT INTO lead (lead_id, company_size) OVERRIDING SYSTEM VALUE VALUES (203, 900);
INSERT INTO activity (lead_id, kind, occurred_at) VALUES (203, 'demo_request', '2020-01-01Z'), (203, 'limited', '2020-01-01Z');
SELECT is((SELECT scorecard::text FROM lead WHERE lead_id = 200), (SELECT scorecard::text FROM lead WHERE lead_id = 203), 'it has the card that it would have had');
SELECT is(pg_temp.stage(200), 'sql', 'and is where it was');
SELECT lives_ok($$ INSERT INTO activity (lead_id, kind) VALUES (202, 'demo_request') $$, 'an imported lead lives on');
SELECT is(pg_temp.stage(202), 'mql', 'and moves');

-- for the owner
CREATE ROLE regress_lq_rep;
GRANT USAGE ON SCHEMA crm TO regress_lq_rep;
GRANT ALL ON ALL TABLES IN SCHEMA crm TO regress_lq_rep;
RESET lead_qual.clock;
SET LOCAL ROLE regress_lq_rep;
SELECT throws_ok($$ SELECT rescore_funnel('crm') $$, '42501', NULL, 'rescoring is for the owner');
SELECT throws_ok($$ SELECT * FROM sweep_funnel('crm') $$, '42501', NULL, 'so is sweeping');
SELECT throws_ok($$ SELECT rescore_funnel('nonesuch') $$, '3F000', NULL, 'no such funnel');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
