-- The first crossing is found to the microsecond, rise and fall included.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS lead_qual;
SELECT plan(12);
SET LOCAL TimeZone = 'UTC';
SELECT setseed(0.3);

CREATE FUNCTION pg_temp.card(head text, entries text) RETURNS scorecard LANGUAGE sql
RETURN ('{v1 as_of=2026-01-01T00:00:00Z version=0 ' || head || replace(entries, '@', ' engagement hits=1 last=2026-01-01T00:00:00Z points=') || '}')::scorecard;
CREATE FUNCTION pg_temp.random_card(g int, longest float8) RETURNS scorecard LANGUAGE sql VOLATILE
AS $$ SELECT pg_temp.card(
	CASE WHEN random() < .2 THEN ' max_engagement=' || 2 + random() * 8 ELSE '' END ||
	CASE WHEN random() < .2 THEN ' floor=' || random() * 4 - 2 ELSE '' END,
	(SELECT string_agg('|' || i || '@' || (random() * 20 - 10) ||
		CASE WHEN random() < .85 THEN ' half_life=' || (CASE WHEN random() < .3 THEN longest / 3 ELSE 1 + random() * longest END)::bigint || 'us' ELSE '' END ||
		CASE WHEN random() < .3 THEN ' max_points=' || random() * 6 + .1 ELSE '' END, '' ORDER BY i)
	FROM generate_series(1, 1 + g % 5) i) || '|9 fit hits=1 points=1') $$;

-- half-lives of microseconds: every instant can be looked at
CREATE TEMP TABLE small AS SELECT g, pg_temp.random_card(g, 150) AS c, (random() * 400)::int AS start FROM generate_series(1, 100) g;
CREATE TEMP TABLE scan AS
SELECT g, c, u, '2026-01-01Z'::timestamptz + u * interval '1 microsecond' AS at,
	score(c, '2026-01-01Z'::timestamptz + u * interval '1 microsecond') AS s
FROM small, generate_series(start, 4500) u;
CREATE INDEX ON scan (g, u);
CREATE INDEX ON scan (g, at);
ANALYZE scan;
-- thresholds: one of the values seen, at random
CREATE TEMP TABLE goal AS
SELECT small.g, c, '2026-01-01Z'::timestamptz + start * interval '1 microsecond' AS at, s AS threshold, n
FROM small, generate_series(1, 4) n, LATERAL (SELECT start + (random() ^ 3 * 3000)::int + 0 * n) r (u),
	LATERAL (SELECT s FROM scan WHERE scan.g = small.g AND scan.u = r.u) x;
CREATE TEMP TABLE found AS
SELECT goal.*, now_at.s AS at_once,
	(SELECT min(scan.at) FROM scan WHERE scan.g = goal.g AND s < threshold) AS scan_falls,
	(SELECT min(scan.at) FROM scan WHERE scan.g = goal.g AND s >= threshold) AS scan_reaches
FROM goal JOIN scan now_at USING (g, at);
SELECT cmp_ok(count(*), '=', 400::bigint, 'there are thresholds enough') FROM found;
SELECT is(count(*), 0::bigint, 'falls_below agrees with a scan of every microsecond')
FROM found WHERE falls_below(c, threshold, at) IS DISTINCT FROM
	CASE WHEN at_once < threshold THEN NULL ELSE coalesce(scan_falls, 'infinity') END;
SELECT is(count(*), 0::bigint, 'and so does reaches')
FROM found WHERE reaches(c, threshold, at) IS DISTINCT FROM
	CASE WHEN at_once >= threshold THEN NULL ELSE coalesce(scan_reaches, 'infinity') END;
SELECT cmp_ok(count(*), '>', 5::bigint, 'a rise and then a fall does occur')
FROM found WHERE scan_reaches > at AND scan_falls = at AND EXISTS (
	SELECT FROM scan WHERE scan.g = found.g AND scan.at > scan_reaches AND s < threshold);

-- days: a microsecond before, the score is not below
CREATE TEMP TABLE big AS
SELECT g, pg_temp.random_card(g, 9e12) AS c, (random() * 8 - 4)::numeric AS threshold FROM generate_series(1, 2000) g;
CREATE TEMP TABLE fall AS
SELECT g, c, threshold, falls_below(c, threshold, '2026-01-01Z') AS f, reaches(c, threshold, '2026-01-01Z') AS r FROM big;
SELECT is(count(*), 0::bigint, 'at the answer it is below, a microsecond before it is not')
FROM fall WHERE isfinite(f) AND NOT (score(c, f) < threshold AND score(c, f - interval '1 microsecond') >= threshold);
SELECT is(count(*), 0::bigint, 'at the answer it is reached, a microsecond before it is not')
FROM fall WHERE isfinite(r) AND NOT (score(c, r) >= threshold AND score(c, r - interval '1 microsecond') < threshold);
SELECT cmp_ok(least(count(*) FILTER (WHERE isfinite(f)), count(*) FILTER (WHERE isfinite(r)), count(*) FILTER (WHERE NOT isfinite(f))), '>', 100::bigint, 'on many cards of each kind') FROM fall;
SELECT is(count(*), 0::bigint, 'and not at 100 instants before it')
FROM fall, generate_series(0, 99) k
WHERE f IS NOT NULL AND score(c, '2026-01-01Z'::timestamptz + (least(f, '2036-01-01Z') - '2026-01-01Z') * (k / 100.0)) < threshold;

-- X2 and what a person would try
SELECT is(falls_below(pg_temp.card('', '|1@-10 half_life=50us|2@8 half_life=300us'), 3, '2026-01-01Z'), NULL, 'below at once');
SELECT is(falls_below(pg_temp.card('', '|1@-10 half_life=50us|2@8 half_life=300us'), 3,
	reaches(pg_temp.card('', '|1@-10 half_life=50us|2@8 half_life=300us'), 3, '2026-01-01Z')),
	(SELECT max('2026-01-01Z'::timestamptz + u * interval '1 microsecond') + interval '1 microsecond' FROM generate_series(0, 4000) u
		WHERE score(pg_temp.card('', '|1@-10 half_life=50us|2@8 half_life=300us'), '2026-01-01Z'::timestamptz + u * interval '1 microsecond') >= 3),
	'rises, then falls');
SELECT is(falls_below(pg_temp.card('', '|1@10 half_life=30d|2@-10 half_life=30d'), 0, '2026-01-01Z'), 'infinity', 'points that cancel out never fall');
SELECT is(falls_below(pg_temp.card('', '|1@100|2@10 half_life=30d|3@-10 half_life=7d'), 100, '2026-01-01Z'), 'infinity', 'an approach from above never falls below');
SELECT * FROM finish();
ROLLBACK;
