-- The leads as they are now: lead_now and inbox.
BEGIN;
SELECT plan(22);

CREATE SCHEMA f;
SET LOCAL search_path = f, public, pg_temp;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-03-31 00:00Z';
DO $$ BEGIN PERFORM _create_funnel_tables(); END $$;
\ir helper/told_journey.sql
DO $$ BEGIN PERFORM _create_funnel_views(); END $$;
INSERT INTO setting (template_version) VALUES (1);
INSERT INTO stage (stage, position, milestone, owner_role) VALUES
	('new', 1, 'lead', 'marketing'), ('mql', 2, 'mql', 'marketing'), ('sal', 3, 'sal', 'sales'),
	('nurture', 4, 'nurture', 'marketing');
INSERT INTO definition (definition, status, version) VALUES ('d', 'active', 3), ('old', 'retired', 9);
INSERT INTO rule (rule_id, definition, name, axis, kind, points, category) VALUES
	(1, 'd', 'job', 'fit', NULL, 30, NULL), (2, 'd', 'pricing', 'engagement', 'page_view', 40, 'intent'),
	(3, 'd', 'demo', 'engagement', 'demo', 20, 'intent'), (4, 'd', 'mail', 'engagement', 'mail', 5, 'email'),
	(5, 'd', 'careers', 'engagement', 'page_view', -7, NULL);
INSERT INTO lead (lead_id, full_name, company, owner, stage, stage_entered_at, due_at, scorecard, bant, meddic) VALUES
	(1, 'Ann', 'Acme', 'ben', 'sal', '2026-03-21 00:00Z', '2026-04-02Z',
	 '{v1 as_of=2026-03-01T00:00:00Z last_activity=2026-03-02T00:00:00Z version=3 | 1 fit hits=1 points=30
	   | 2 engagement hits=1 last=2026-03-01T00:00:00Z points=40 half_life=30d
	   | 3 engagement hits=2 last=2026-03-01T00:00:00Z points=19.99
	   | 4 engagement hits=1 last=2026-03-01T00:00:00Z points=5 | 5 engagement hits=1 last=2026-03-01T00:00:00Z points=-7}',
	 'B+ A?', ''),
	(2, 'Bob', NULL, 'ben', 'mql', '2026-03-29Z', '2026-03-30Z', NULL, '', ''),
	(3, 'Cid', NULL, NULL, 'new', '2026-03-29Z', NULL, '{v1 as_of=2026-05-01T00:00:00Z version=2 | 2 engagement hits=1 last=2026-05-01T00:00:00Z points=40 half_life=30d}', '', ''),
	(4, 'Dee', NULL, NULL, 'sal', '2026-03-29Z', '2026-04-02Z', '{v1 version=3 | 1 fit hits=1 points=90}', 'B+ A+ N+ T+', ''),
	(5, 'Eve', NULL, NULL, 'sal', '2026-04-10Z', '2026-03-31 00:00Z', '{v1 version=3}', 'B+ A+ N+ T+', ''),
	(6, 'Fay', NULL, NULL, 'gone', '2026-03-29Z', '2026-03-01Z', '{v1 version=3}', '', ''),
	(7, 'Gus', NULL, NULL, 'mql', '2026-03-29Z', NULL, '{v1 version=3}', '', '');
UPDATE lead SET accepted_at = cycle_started_at WHERE lead_id = 7;
INSERT INTO element (framework, element) VALUES ('bant', 'budget'), ('bant', 'authority'), ('champ', 'prioritization'), ('meddic', 'champion');
INSERT INTO question (question_id, framework, element, text, position) VALUES
	(1, 'bant', 'budget', 'Is there a budget?', 1), (2, 'bant', 'authority', 'Who decides?', 3),
	(3, 'champ', 'prioritization', 'When do you buy?', 4), (4, 'meddic', 'champion', 'Who is on our side?', 5);

-- lead_now
SELECT results_eq('SELECT fit, engagement, intent, score, stale FROM lead_now WHERE lead_id = 1',
	$$ VALUES (30::numeric, 37.99, 39.99, 67.99, false) $$,
	'R003-16 fit, engagement and intent are visible, faded to now');
SELECT is((SELECT sum(points) FROM lead l, explain_score(l.scorecard, funnel_now()) WHERE lead_id = 1),
		  (SELECT score FROM lead_now WHERE lead_id = 1), 'D14 the score is what its explanation adds up to');
SELECT results_eq('SELECT fit, engagement, intent, score, stale, last_activity FROM lead_now WHERE lead_id = 2',
	$$ VALUES (NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, true, NULL::timestamptz) $$,
	'a lead without a card has no score and is stale');
SELECT results_eq('SELECT score, intent, stale FROM lead_now WHERE lead_id = 3', $$ VALUES (40::numeric, 40::numeric, true) $$,
	'a card ahead of the clock is read as of itself; another version is stale');
SELECT is((SELECT intent FROM lead_now WHERE lead_id = 4), 0::numeric, 'D15 no hits of category intent are 0 points');
SELECT is((SELECT last_activity FROM lead_now WHERE lead_id = 1), '2026-03-02Z'::timestamptz, 'last_activity is the card''s');
SELECT is((SELECT days_in_stage FROM lead_now WHERE lead_id = 1), 10::numeric, 'days_in_stage: 21 to 31 March is 10');
SELECT is((SELECT days_in_stage FROM lead_now WHERE lead_id = 5), 0::numeric, 'days_in_stage: never negative');
SELECT results_eq('SELECT lead_id, overdue FROM lead_now WHERE due_at IS NOT NULL ORDER BY lead_id',
	$$ VALUES (1::bigint, false), (2, true), (4, false), (5, false), (6, true) $$,
	'R004-10 overdue only after due_at, not at it');
SELECT is((SELECT overdue FROM lead_now WHERE lead_id = 3), false, 'no deadline is not overdue');
SELECT results_eq('SELECT milestone, owner_role FROM lead_now WHERE lead_id IN (1, 6) ORDER BY lead_id',
	$$ VALUES ('sal', 'sales'), (NULL, NULL) $$, 'a stage without a row loses no lead');
UPDATE definition SET status = 'retired';
SELECT is((SELECT count(*) FROM lead_now WHERE stale), 7::bigint, 'without an active definition all is stale');
UPDATE definition SET status = 'active' WHERE definition = 'd';

-- inbox
SELECT results_eq('SELECT lead_id, past_due FROM inbox', $$ VALUES (2::bigint, true), (5, false), (4, false), (1, false) $$,
	'R004-10 the inbox: past due, then due_at, then the highest score');
SELECT is((SELECT count(*) FROM inbox WHERE lead_id IN (3, 6)), 0::bigint, 'R002-08 leads of marketing are not in it');
SELECT is((SELECT count(*) FROM inbox WHERE lead_id = 7), 0::bigint, 'an MQL accepted in this cycle is not waiting');
UPDATE lead SET cycle_started_at = accepted_at + interval '1 day' WHERE lead_id = 7;
SELECT is((SELECT count(*) FROM inbox WHERE lead_id = 7), 1::bigint, 'one accepted in an earlier cycle is');
SELECT is((SELECT reasons FROM inbox WHERE lead_id = 1), 'job +30, pricing +20, demo +19.99',
		  'D14 the top three reasons, cut and not rounded');
SELECT is((SELECT reasons FROM inbox WHERE lead_id = 5), NULL, 'no points, no reasons');
SELECT is((SELECT next_question FROM inbox WHERE lead_id = 1), 'Who decides?',
		  'R004-15 the next question is the first of an unknown element');
SELECT is((SELECT next_question FROM inbox WHERE lead_id = 4), 'When do you buy?', 'R004-15 other frameworks follow');
INSERT INTO answer (lead_id, framework, element, level, answered_at) VALUES
	(4, 'champ', 'prioritization', 'yes', '2026-03-01Z'), (5, 'champ', 'prioritization', 'yes', '2026-03-01Z'),
	(5, 'champ', 'prioritization', 'unknown', '2026-03-02Z');
SELECT results_eq('SELECT lead_id, next_question FROM inbox WHERE lead_id IN (4, 5) ORDER BY lead_id',
	$$ VALUES (4::bigint, 'Who is on our side?'), (5, 'When do you buy?') $$,
	'R004-15 an answered one is not asked again, unless the latest answer is unknown');
UPDATE lead SET meddic = 'C+' WHERE lead_id = 4;
SELECT is((SELECT next_question FROM inbox WHERE lead_id = 4), NULL, 'nothing left to ask');

SELECT * FROM finish();
ROLLBACK;
