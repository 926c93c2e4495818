-- A scorecard tells a score at any instant, and its parts add up to it.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS lead_qual;
SELECT plan(38);
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-03-01 00:00Z';

-- X2
CREATE FUNCTION pg_temp.x2() RETURNS scorecard LANGUAGE sql
RETURN add_hit(NULL, 1, 10, '2026-01-01Z', '30 days');
SELECT is(score(pg_temp.x2(), '2026-01-01Z'), 10::numeric, 'X2: 10 points at once');
SELECT is(score(pg_temp.x2(), '2026-01-31Z'), 5::numeric, 'X2: 5 after a half-life');
SELECT is(score(pg_temp.x2(), '2026-03-02Z'), 2.5, 'X2: 2.5 after two');
SELECT is(round(extract(epoch FROM falls_below(pg_temp.x2(), 4, '2026-01-01Z') - '2026-01-01Z') / 86400, 2),
	39.71, 'D14: falls below 4 when it is shown as 3.99, after 39.71 days');
SELECT is(score(pg_temp.x2(), '2026-01-01Z'::timestamptz + 39.66 * interval '1 day'), 4::numeric, 'X2: falls to 4 after 39.66 days');
SELECT is(round((30 * log(2, 2.5))::numeric, 2), 39.66, 'X2: which is 30 x log2(2.5)');

-- D14
SELECT is(score(card, '2026-01-01Z'), 100::numeric, 'D14: 1,000 hits of 0.1 are 100')
FROM (SELECT merge(add_hit(NULL, 1, 0.1, '2026-01-01Z')) AS card FROM generate_series(1, 1000)) c;
SELECT is(hits(card, 1), 1000::bigint, 'D14: and 1,000 hits')
FROM (SELECT merge(add_hit(NULL, 1, 0.1, '2026-01-01Z')) AS card FROM generate_series(1, 1000)) c;
SELECT is(score(add_hit(NULL, 1, 99.9749, '2026-01-01Z'), '2026-01-01Z'), 99.97, 'D14: rounded to 2 digits');
SELECT is(score(add_hit(NULL, 1, 10, '2026-01-01Z', '1 day'))::text, '0', 'funnel_now() is the default instant');

-- R001-05: blog yesterday evening, against ebook long ago, more since, and the pricing page this week
SELECT ok(bool_and(score(two) > score(one)), 'R001-05: contact 2 ranks above contact 1 for half-lives of 7 to 90 days')
FROM generate_series(7, 90) d,
	LATERAL (SELECT make_interval(days => d)) h (h),
	LATERAL (SELECT add_hit(NULL, 1, 5, '2026-02-28 19:00Z', h)) a (one),
	LATERAL (SELECT add_hit(add_hit(add_hit(add_hit(NULL, 2, 10, '2025-12-01Z', h),
		1, 5, '2026-01-10Z', h), 3, 3, '2026-02-01Z', h), 4, 15, '2026-02-26Z', h)) b (two);

-- caps and limits apply when a card is read
CREATE FUNCTION pg_temp.card(head text, entries text) RETURNS scorecard LANGUAGE sql
RETURN ('{v1 as_of=2026-01-01T00:00:00Z version=3 ' || head || replace(entries, '@', ' hits=1 last=2026-01-01T00:00:00Z points=') || '}')::scorecard;
SELECT is(score(pg_temp.card('', '|1 engagement@40 half_life=1d max_points=10'), '2026-01-02Z'), 10::numeric, 'a cap hides what is above it');
SELECT is(score(pg_temp.card('', '|1 engagement@40 half_life=1d max_points=10'), '2026-01-04Z'), 5::numeric, 'the uncapped points are what fades');
SELECT is(score(pg_temp.card('', '|1 engagement@-40 max_points=10')), -10::numeric, 'a cap holds below zero as well');
SELECT is(fit(pg_temp.card('max_fit=25', '|1 fit hits=1 points=20|2 fit hits=1 points=20')), 25::numeric, 'max_fit');
SELECT is(engagement(pg_temp.card('max_engagement=25', '|1 engagement@20|2 engagement@20')), 25::numeric, 'max_engagement');
SELECT is(engagement(pg_temp.card('max_engagement=25', '|1 engagement@-20|2 engagement@-20')), -40::numeric, 'max_engagement is no lower limit');
SELECT is(score(pg_temp.card('floor=-5', '|1 engagement@-20|2 fit hits=1 points=4')), -5::numeric, 'floor');
SELECT results_eq(
	$$ SELECT part, rule_id, axis, points, capped FROM explain_score(pg_temp.card('max_fit=9 max_engagement=25 floor=50', '|1 engagement@20|2 engagement@20 max_points=15|3 fit hits=1 points=10')) $$,
	$$ VALUES ('rule', 1::bigint, 'engagement', 20::numeric, false), ('rule', 2, 'engagement', 15, true), ('rule', 3, 'fit', 10, false),
		('max_fit', NULL, 'fit', -1, NULL), ('max_engagement', NULL, 'engagement', -10, NULL), ('floor', NULL, 'floor', 16, NULL) $$,
	'explain_score shows caps, limits and floor');
SELECT results_eq(
	$$ SELECT hits, last_hit, half_life FROM explain_score(pg_temp.card('', '|1 engagement@20 half_life=36h|3 fit hits=1 points=10')) $$,
	$$ VALUES (1::bigint, '2026-01-01Z'::timestamptz, '1 day 12:00'::interval), (1, NULL, NULL) $$,
	'explain_score shows hits, last hit and half-life');

-- random cards
SELECT setseed(0.42);
CREATE TEMP TABLE card AS
SELECT g, pg_temp.card(
	(CASE WHEN random() < .5 THEN 'max_fit=' || (random() * 40 + 1) ELSE '' END) ||
	(CASE WHEN random() < .5 THEN ' max_engagement=' || (random() * 60 + 1) ELSE '' END) ||
	(CASE WHEN random() < .5 THEN ' floor=' || (random() * 40 - 20) ELSE '' END),
	(SELECT coalesce(string_agg('|' || i || CASE WHEN i % 4 = 0
			THEN ' fit hits=1 points=' || (random() * 30 - 5)
			ELSE ' engagement@' || (random() * 60 - 15) ||
				CASE WHEN random() < .8 THEN ' half_life=' || (1 + random() * 5e12)::bigint || 'us' ELSE '' END END ||
			CASE WHEN random() < .5 THEN ' max_points=' || (random() * 30 + 1) ELSE '' END, '' ORDER BY i), '')
		FROM generate_series(1, g % 13) i)) AS c
FROM generate_series(1, 1000) g;
SELECT is(count(*), 0::bigint, 'explain adds up to the score on 1,000 random cards at three instants')
FROM card, unnest('{2026-01-01Z,2026-01-20 03:04:05.678901Z,2027-05-05Z}'::timestamptz[]) at
WHERE score(c, at) <> (SELECT coalesce(sum(points), 0) FROM explain_score(c, at));
SELECT cmp_ok((SELECT count(DISTINCT part) FROM card, explain_score(c)), '=', 5::bigint, 'and all kinds of part occur');
SELECT is(count(*), 0::bigint, 'points() agrees with explain_score()')
FROM card, explain_score(c) e WHERE part = 'rule' AND points(c, rule_id) <> e.points;

-- text and binary are exact and go by no setting
SELECT is(count(*), 0::bigint, 'text reads back as the same card') FROM card WHERE c::text::scorecard <> c;
CREATE TEMP TABLE before AS SELECT g, c::text AS t, scorecard_send(c) AS b FROM card;
SET LOCAL TimeZone = 'America/St_Johns';
SET LOCAL DateStyle = 'SQL, DMY';
SET LOCAL IntervalStyle = 'iso_8601';
SET LOCAL extra_float_digits = -15;
SELECT is(count(*), 0::bigint, 'the forms are the same under other settings')
FROM card JOIN before USING (g) WHERE c::text <> t OR scorecard_send(c) <> b OR t::scorecard <> c;
RESET extra_float_digits;
SET LOCAL TimeZone = 'UTC';
CREATE TEMP TABLE copied (g int, c scorecard);
DO $$
DECLARE
	file text := current_setting('data_directory') || '/lead_qual_card.bin';
BEGIN
	EXECUTE format('COPY (SELECT g, c FROM card) TO %L (FORMAT binary)', file);
	EXECUTE format('COPY copied FROM %L (FORMAT binary)', file);
END $$;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -f lead_qual_card.bin';
SELECT is(count(*), 1000::bigint, 'binary COPY reads back as the same cards') FROM card JOIN copied USING (g) WHERE card.c = copied.c;

-- equality and order
SELECT is(count(*), 1000::bigint, 'hash join of equal cards') FROM (SELECT DISTINCT c FROM card) a JOIN copied b USING (c);
SELECT is(count(*), 0::bigint, 'EXCEPT') FROM (SELECT c FROM card EXCEPT SELECT c FROM copied) x;
SELECT is(count(*), (SELECT count(DISTINCT c::text) FROM card), 'GROUP BY') FROM (SELECT c FROM card GROUP BY c) x;
SELECT is(count(*), 0::bigint, 'the order is total and goes both ways')
FROM (SELECT c FROM card LIMIT 60) a (x), (SELECT c FROM card LIMIT 60) b (y)
WHERE scorecard_cmp(x, y) <> -scorecard_cmp(y, x) OR (x < y) <> (scorecard_cmp(x, y) < 0) OR (x = y) = (x <> y)
	OR (x <= y) <> (NOT x > y) OR (x >= y) <> (NOT x < y) OR (x = y) <> (x::text = y::text);
CREATE INDEX ON copied USING hash (c);
SELECT set_config('enable_seqscan', 'off', true) \g /dev/null
SELECT is(count(*), 1000::bigint, 'hash index finds every card') FROM card a WHERE EXISTS (SELECT FROM copied b WHERE a.c = b.c);
SELECT is(scorecard_hash_extended(c, 0) & 4294967295, scorecard_hash(c)::bigint & 4294967295, 'extended hash with seed 0 begins like the hash')
FROM card LIMIT 1;

-- codes
SELECT throws_ok($$ SELECT score(pg_temp.x2(), '2025-12-31Z') $$, '22023', NULL, 'before as_of: 22023');
SELECT throws_ok($$ SELECT merge(add_hit(NULL, 1, 1, now(), max_hits => 1), '{v1 version=0}') $$, '0A000', NULL, 'merge with a frequency limit: 0A000');
SELECT throws_ok($$ SELECT merge('{v1 version=0}'::scorecard, '{v1 version=1}') $$, '22023', NULL, 'merge across versions: 22023');
SELECT throws_ok($$ SELECT add_hit(NULL, 1, 'NaN', now()) $$, '22003', NULL, 'NaN points: 22003');
SELECT throws_ok($$ SELECT add_hit(NULL, 1, 1, now(), '1 mon') $$, '22023', NULL, 'months in a half-life: 22023');
SELECT throws_ok($$ SELECT '{v1 version=0 | 1 fit hits=1 points=inf}'::scorecard $$, '22P02', NULL, 'infinite points: 22P02');
SELECT * FROM finish();
ROLLBACK;
