-- The same events in any order give the same card; merge and heat follow.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS lead_qual;
SELECT plan(16);
SET LOCAL TimeZone = 'UTC';
SELECT setseed(0.7);

CREATE TEMP TABLE rule AS
SELECT r, (random() * 60 - 20)::numeric(6, 2)::float8 AS points,
	CASE WHEN r % 4 > 0 THEN make_interval(days => r * 7) END AS half_life,
	CASE WHEN r % 3 = 0 THEN 25 END AS cap
FROM generate_series(1, 12) r;
CREATE TEMP TABLE event AS
SELECT c, row_number() OVER () AS e, 1 + (random() * 11)::int AS r,
	'2026-01-01Z'::timestamptz + random() * interval '400 days' AS at
FROM generate_series(1, 60) c, generate_series(1, 40) e;

CREATE FUNCTION pg_temp.build(which int, sorting text) RETURNS scorecard LANGUAGE plpgsql AS $$
DECLARE
	card scorecard;
	h record;
BEGIN
	FOR h IN EXECUTE 'SELECT * FROM event JOIN rule USING (r) WHERE c = $1 ORDER BY ' || sorting USING which LOOP
		card := add_hit(card, h.r, h.points, h.at, h.half_life, h.cap);
	END LOOP;
	RETURN card;
END $$;
CREATE TEMP TABLE built AS
SELECT c, pg_temp.build(c, 'at') AS forward, pg_temp.build(c, 'at DESC') AS backward, pg_temp.build(c, 'random()') AS shuffled
FROM generate_series(1, 60) c;

-- the uncapped points of a card, as exact as they are kept
CREATE FUNCTION pg_temp.parts(card scorecard) RETURNS TABLE (r int, n bigint, last_hit timestamptz, p float8) LANGUAGE sql
AS $$ SELECT x."rule_id", x."hits", x."last_hit", x."earned"
	FROM jsonb_to_recordset(card::jsonb -> 'rules') x ("rule_id" int, "hits" bigint, "last_hit" timestamptz, "earned" float8) $$;
CREATE FUNCTION pg_temp.near(a float8, b float8) RETURNS boolean LANGUAGE sql
RETURN abs(a - b) <= 1e-9 * greatest(1, abs(a), abs(b));
CREATE FUNCTION pg_temp.alike(a scorecard, b scorecard) RETURNS boolean LANGUAGE sql
AS $$ SELECT as_of(a) = as_of(b) AND last_activity(a) = last_activity(b) AND bool_and(coalesce(
		x.n = y.n AND x.last_hit = y.last_hit AND pg_temp.near(x.p, y.p), false))
	FROM pg_temp.parts(a) x FULL JOIN pg_temp.parts(b) y USING (r) $$;

SELECT ok(bool_and(pg_temp.alike(forward, backward)), 'backwards gives the same card') FROM built;
SELECT ok(bool_and(pg_temp.alike(forward, shuffled)), 'and so does any order') FROM built;
SELECT is(count(*), 0::bigint, 'as_of is the latest hit')
FROM built WHERE as_of(shuffled) <> (SELECT max(at) FROM event WHERE event.c = built.c);

-- the oracle: sum of points x 2^-(age/half-life), over the log
CREATE TEMP TABLE oracle AS
SELECT c, r, count(*) AS n, max(at) AS last_hit,
	sum(points * CASE WHEN half_life IS NULL THEN 1 ELSE
		power(2::float8, -(extract(epoch FROM as_of(forward)) - extract(epoch FROM at))::float8 /
			extract(epoch FROM half_life)::float8) END) AS p
FROM event JOIN rule USING (r) JOIN built USING (c) GROUP BY c, r;
SELECT is(count(*), 0::bigint, 'every part is what the log adds up to')
FROM (SELECT c, x.* FROM built, pg_temp.parts(shuffled) x) b FULL JOIN oracle o USING (c, r)
WHERE (b.n = o.n AND b.last_hit = o.last_hit AND pg_temp.near(b.p, o.p)) IS NOT TRUE;
SELECT is(count(*), 0::bigint, 'and so is the score a month and a year later, caps included')
FROM built, unnest('{30,365}'::int[]) days
WHERE abs(score(shuffled, as_of(shuffled) + days * interval '24 hours') - (
	SELECT sum(CASE WHEN cap IS NULL THEN v ELSE greatest(least(v, cap), -cap) END)
	FROM (SELECT r, cap, p * CASE WHEN half_life IS NULL THEN 1 ELSE power(2::float8, -days * 86400 / extract(epoch FROM half_life)::float8) END AS v
		FROM oracle JOIN rule USING (r) WHERE oracle.c = built.c) x)::numeric) > 0.0051;

-- frequency limits: at most 2 hits in a window that the first one opens
CREATE FUNCTION pg_temp.tumbling(which int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	t timestamptz; opened timestamptz; n int; counted int := 0;
BEGIN
	FOR t IN SELECT at FROM event WHERE c = which ORDER BY at LOOP
		IF opened IS NULL OR t >= opened + interval '480 hours' THEN
			opened := t; n := 0;
		END IF;
		IF n < 2 THEN
			n := n + 1; counted := counted + 1;
		END IF;
	END LOOP;
	RETURN counted;
END $$;
CREATE FUNCTION pg_temp.limited(which int) RETURNS scorecard LANGUAGE plpgsql AS $$
DECLARE
	card scorecard; t timestamptz;
BEGIN
	FOR t IN SELECT at FROM event WHERE c = which ORDER BY at LOOP
		card := add_hit(card, 1, 3, t, max_hits => 2, per => '20 days');
	END LOOP;
	RETURN card;
END $$;
SELECT is(count(*), 0::bigint, 'a frequency limit counts in tumbling windows')
FROM built WHERE hits(pg_temp.limited(c), 1) <> pg_temp.tumbling(c);
SELECT is(count(*), 0::bigint, 'and points follow the hits that counted')
FROM built WHERE score(pg_temp.limited(c), 'infinity') <> 3 * hits(pg_temp.limited(c), 1);

-- merge
CREATE TEMP TABLE triple AS
SELECT a.forward AS x, b.forward AS y, c.forward AS z
FROM built a JOIN built b ON b.c = a.c % 60 + 1 JOIN built c ON c.c = b.c % 60 + 1;
SELECT ok(bool_and(merge(x, y) = merge(y, x)), 'merge is commutative, to the last bit') FROM triple;
SELECT ok(bool_and(pg_temp.alike(merge(merge(x, y), z), merge(x, merge(y, z)))), 'and associative') FROM triple;
CREATE FUNCTION pg_temp.both(a int, b int) RETURNS scorecard LANGUAGE plpgsql AS $$
DECLARE
	card scorecard; h record;
BEGIN
	FOR h IN SELECT * FROM event JOIN rule USING (r) WHERE c IN (a, b) ORDER BY at LOOP
		card := add_hit(card, h.r, h.points, h.at, h.half_life, h.cap);
	END LOOP;
	RETURN card;
END $$;
SELECT ok(bool_and(pg_temp.alike(merge(a.forward, b.shuffled), pg_temp.both(a.c, b.c))), 'merge is the card of both logs')
FROM built a JOIN built b ON b.c = a.c + 30;
SELECT ok(pg_temp.alike(merge(forward ORDER BY c), merge(shuffled ORDER BY c DESC)), 'the aggregate gives the same in any order') FROM built;
SELECT is(merge(forward), NULL, 'the aggregate of nothing is NULL') FROM built WHERE false;

-- heat
CREATE TEMP TABLE hot AS
SELECT c, (SELECT merge(add_hit(NULL, r, abs(points), at, '30 days')) FROM event JOIN rule USING (r) WHERE event.c = built.c) AS card
FROM built;
SELECT is(count(*), 0::bigint, 'heat orders as the score does, at any later instant')
FROM hot a, hot b, unnest('{2027-03-01Z,2027-06-01Z,2028-01-01Z}'::timestamptz[]) at
WHERE sign(score(a.card, at) - score(b.card, at)) * sign(heat(a.card) - heat(b.card)) < 0;
SELECT ok(bool_and(pg_temp.near(heat(card), heat(add_hit(card, 99, 0, as_of(card) + interval '1000 days', '30 days')))),
	'heat stays while nothing is earned, whatever the card is as of') FROM hot;
SELECT cmp_ok(heat(add_hit(NULL, 1, 10, '2026-02-01Z', '30 days')), '>', heat(add_hit(NULL, 1, 10, '2026-01-01Z', '30 days')), 'later is hotter');
CREATE INDEX ON hot (heat(card));
SELECT pass('heat can be indexed');
SELECT * FROM finish();
ROLLBACK;
