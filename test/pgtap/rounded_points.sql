-- Thresholds and views see the same number: points with two decimals.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS lead_qual;
SELECT plan(32);
SELECT setseed(0.14);

--
-- Cards alone
--
CREATE FUNCTION pg_temp.card(head text, entries text) RETURNS scorecard LANGUAGE sql
RETURN ('{v1 as_of=2026-01-01T00:00:00Z version=0 ' || head || replace(entries, '@', ' engagement hits=1 last=2026-01-01T00:00:00Z points=') || '}')::scorecard;
CREATE FUNCTION pg_temp.shown(points text) RETURNS numeric LANGUAGE sql
RETURN score(pg_temp.card('', '|1@' || points), '2026-01-01Z');

SELECT is(pg_temp.shown(points), shown, format('D14: %s is shown as %s', points, shown))
FROM (VALUES ('99.994', 99.99), ('99.995', 100), ('99.994999999', 99.99), ('99.9949999996', 100), ('-99.995', -100), ('-99.994', -99.99),
	('0.005', 0.01), ('0.004999', 0), ('-0.004', 0), ('1.005', 1.01), ('2.675', 2.68), ('1234567.125', 1234567.13), ('30000000.005', 30000000.01)) v (points, shown);
SELECT is(count(*), 0::bigint, 'D14: every half of a hundredth is rounded away from zero, though a double is seldom a half')
FROM generate_series(1, 20000) g, LATERAL (SELECT (g * 0.01 + 0.005)::numeric) v (points)
WHERE pg_temp.shown(points::text) <> round(points, 2) OR pg_temp.shown((-points)::text) <> round(-points, 2);
SELECT is(score(add_hit(add_hit(NULL, 1, 60, '2026-01-01Z', '30 days'), 2, 40, '2026-01-01 00:00:00.05Z', '30 days'), '2026-01-01 00:00:00.05Z'),
	100::numeric, 'N17: 60 and 40 points 50 ms apart are 100');
SELECT results_eq($$ SELECT part, axis, points FROM explain_score(pg_temp.card('', '|1@33.335|2@33.335|3@33.33'), '2026-01-01Z') $$,
	$$ VALUES ('rule', 'engagement', 33.34), ('rule', 'engagement', 33.34), ('rule', 'engagement', 33.33), ('rounding', NULL, -0.01) $$,
	'D14: each part is rounded by itself, and a row carries the difference');
SELECT is(pg_temp.card('max_fit=10', '|1@33.335 max_points=7|2@60.000000001')::jsonb #> '{rules}' @> '[{"points": 7, "earned": 33.335}, {"points": 60, "earned": 60.000000001}]',
	true, 'D14: as jsonb too, beside what is kept');

-- any order of the same events
CREATE TEMP TABLE event AS
SELECT c, 1 + (random() * 5)::int AS r, '2026-01-01Z'::timestamptz + random() * interval '90 days' AS at
FROM generate_series(1, 60) c, generate_series(1, 30);
CREATE TEMP TABLE rule AS
SELECT r, (ARRAY[0.1, 33.335, 20, 0.005, 14.995, 60])[r]::float8 AS points, CASE WHEN r > 3 THEN '30 days'::interval END AS half_life FROM generate_series(1, 6) r;
CREATE FUNCTION pg_temp.build(which int, sorting text) RETURNS scorecard LANGUAGE plpgsql AS $$
DECLARE
	card scorecard;
	h record;
BEGIN
	FOR h IN EXECUTE 'SELECT * FROM event JOIN rule USING (r) WHERE c = $1 AND CASE $1 % 3 WHEN 1 THEN r <= 3 WHEN 2 THEN r > 3 ELSE true END ORDER BY ' || sorting USING which LOOP
		card := add_hit(card, h.r, h.points, h.at, h.half_life);
	END LOOP;
	RETURN card;
END $$;
CREATE TEMP TABLE built AS
SELECT c, pg_temp.build(c, 'at') AS a, pg_temp.build(c, 'at DESC') AS b, pg_temp.build(c, 'random()') AS d FROM generate_series(1, 60) c;
SELECT is(count(*), 0::bigint, 'D14: any order of the same events shows the same points, at once and later')
FROM built, unnest('{0,1,17,400}'::int[]) n, LATERAL (SELECT as_of(a) + n * interval '1 day') i (at)
WHERE (score(a, at), engagement(a, at), points(a, 2, at)) IS DISTINCT FROM (score(b, at), engagement(b, at), points(b, 2, at))
	OR score(a, at) <> score(d, at);
SELECT is(count(*), 0::bigint, 'D14: and never more than two decimals')
FROM built, generate_series(0, 50) n, LATERAL (SELECT score(a, as_of(a) + n * interval '1 hour')) s (shown) WHERE scale(shown) > 2;

-- the crossing is that of the number shown
CREATE TEMP TABLE crossing AS
SELECT a AS card, threshold, falls_below(a, threshold, as_of(a)) AS at FROM built, generate_series(1, 150, 7) threshold WHERE c % 3 = 2;
SELECT cmp_ok(count(*), '>', 100::bigint, 'D14: many cards fall') FROM crossing WHERE isfinite(at);
SELECT is(count(*), 0::bigint, 'D14: at that instant the score shown is below, a microsecond before it is the threshold itself')
FROM crossing WHERE isfinite(at) AND (score(card, at) <> threshold - 0.01 OR score(card, at - interval '1 microsecond') <> threshold);
SELECT is(score(card, at), 100::numeric, 'D14: reaches is when it is rounded up to the threshold')
FROM (VALUES (pg_temp.card('', '|1@101|2@-10 half_life=7d'))) v (card), reaches(card, 100, '2026-01-01Z') at
WHERE score(card, at - interval '1 microsecond') = 99.99;
SELECT is(falls_below(card, 5, '2026-01-31Z'), falls_below(card, 4.991, '2026-01-31Z'), 'D14: a threshold between hundredths is the next one')
FROM (VALUES (add_hit(NULL, 1, 10, '2026-01-01Z', '30 days'))) v (card);

--
-- A funnel
--
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public, pg_temp;
SET LOCAL lead_qual.clock = '2026-03-02 09:00:00Z';
INSERT INTO kind (kind) VALUES ('sixty'), ('forty'), ('near'), ('fade');
INSERT INTO crm.rule (definition, name, axis, kind, points, half_life) VALUES
	('default', 'sixty', 'engagement', 'sixty', 60, '30 days'), ('default', 'forty', 'engagement', 'forty', 40, '7 days'),
	('default', 'near', 'engagement', 'near', 99.9949, NULL), ('default', 'fade', 'engagement', 'fade', 100, '30 days');
INSERT INTO lead (lead_id, email) OVERRIDING SYSTEM VALUE SELECT i, i || '@x.example' FROM generate_series(1, 4) i;

INSERT INTO activity (lead_id, kind) VALUES (1, 'sixty');
SET LOCAL lead_qual.clock = '2026-03-02 09:00:00.05Z';
INSERT INTO activity (lead_id, kind) VALUES (1, 'forty');
SELECT results_eq('SELECT stage, score FROM lead_now WHERE lead_id = 1', $$ VALUES ('mql', 100::numeric) $$, 'N17: and the guard is met');
SELECT is((SELECT score FROM stage_history WHERE lead_id = 1 AND to_stage = 'mql'), 100::numeric, 'N17: and history says so');
INSERT INTO activity (lead_id, kind) VALUES (2, 'near');
SELECT results_eq('SELECT stage, score FROM lead_now WHERE lead_id = 2', $$ VALUES ('lead', 99.99) $$, 'D14: 99.9949 is shown as 99.99 and does not reach 100');
SELECT is((SELECT needs FROM why_not('crm', 2, 'mql') WHERE part LIKE 'score%'), 'score is 99.99', 'D14: why_not says the same');
UPDATE crm.rule SET points = 99.995 WHERE name = 'near';
INSERT INTO activity (lead_id, kind) VALUES (3, 'near');
SELECT results_eq('SELECT stage, score FROM lead_now WHERE lead_id = 3', $$ VALUES ('mql', 100::numeric) $$, 'D14: 99.995 is shown as 100 and reaches it');

-- guards on one rule, and the time they turn at
UPDATE transition SET automatic = false WHERE to_stage = 'mql';
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition) VALUES ('default', 45, 'lead', 'nurture', true, 'hits.fade > 0 AND points.fade < 50');
INSERT INTO activity (lead_id, kind) VALUES (4, 'fade');
SELECT is(review_at, falls_below(scorecard, 50, funnel_now()), 'D14: the lead is looked at when the number shown falls below') FROM lead WHERE lead_id = 4;
SELECT set_config('lead_qual.clock', (review_at - interval '1 microsecond')::text, true) FROM lead WHERE lead_id = 4 \g /dev/null
UPDATE lead SET company = 'a' WHERE lead_id = 4;
SELECT results_eq('SELECT stage, score FROM lead_now WHERE lead_id = 4', $$ VALUES ('lead', 50::numeric) $$, 'D14: a microsecond before, it is 50 and stays');
SELECT set_config('lead_qual.clock', (funnel_now() + interval '1 microsecond')::text, true) \g /dev/null
SELECT sweep_funnel('crm') \g /dev/null
SELECT results_eq('SELECT stage, score FROM lead_now WHERE lead_id = 4', $$ VALUES ('nurture', 49.99) $$, 'D14: then it is 49.99 and moves');
SELECT results_eq($$ SELECT l.lead_id FROM lead l WHERE score_at('crm', l.lead_id, funnel_now()) <> (SELECT sum(points) FROM explain_score('crm', l.lead_id)) $$,
	$$ SELECT 0::bigint WHERE false $$, 'D14: the explanation adds up to the score');

SELECT * FROM finish();
ROLLBACK;
