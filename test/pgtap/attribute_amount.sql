-- attribute_amount(): what each touch is credited with.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(50);

-- touches on days after 1 January 2026
CREATE FUNCTION pg_temp.days(VARIADIC days numeric[]) RETURNS timestamptz[] LANGUAGE sql AS
	$$ SELECT array_agg(timestamptz '2026-01-01Z' + d * interval '1 day' ORDER BY n) FROM unnest(days) WITH ORDINALITY AS u (d, n) $$;
CREATE FUNCTION pg_temp.credit(amount numeric, days numeric[], model text) RETURNS numeric[] LANGUAGE sql AS
	$$ SELECT attribute_amount(amount, pg_temp.days(VARIADIC days), '2026-12-31Z', model) $$;

SELECT is(pg_temp.credit(12000, '{0,5,12,30,38}', m), c, 'X10: 12,000 over days 0, 5, 12, 30, 38 by ' || m)
FROM (VALUES ('first', '{12000,0,0,0,0}'::numeric[]), ('last', '{0,0,0,0,12000}'), ('last_non_direct', '{0,0,0,0,12000}'),
	('linear', '{2400,2400,2400,2400,2400}'), ('u', '{4800,800,800,800,4800}'),
	('w', '{9000,750,750,750,750}')) AS v (m, c);
SELECT ok((SELECT bool_and(abs(c - x10) < 0.055) FROM unnest(pg_temp.credit(12000, '{0,5,12,30,38}', 'decay'), '{175.2,287.4,574.9,3417.0,7545.4}'::numeric[]) AS u (c, x10)),
	'X10: by decay, half-life 7 days');
SELECT is(pg_temp.credit(12000, '{0,5,12,30,38}', 'decay'), '{175.19,287.44,574.88,3417.04,7545.45}'::numeric[], 'X10: in cents');
SELECT is((SELECT sum(x) FROM unnest(pg_temp.credit(12000, '{0,5,12,30,38}', 'decay')) AS x), 12000.00, 'X10: to the cent');
SELECT is(attribute_amount(12000, pg_temp.days(0, 5, 12, 30, 38), '2026-02-09Z', 'decay', '1 day') < attribute_amount(12000, pg_temp.days(0, 5, 12, 30, 38), '2026-02-09Z', 'decay', '30 days'),
	true, 'X10: a half-life of its own');

-- D12: W has the first touch, the last before mql and the last before opportunity
CREATE FUNCTION pg_temp.w(amount numeric, days numeric[], mql numeric, opportunity numeric, anchor numeric DEFAULT 0.3) RETURNS numeric[] LANGUAGE sql AS
	$$ SELECT attribute_amount(amount, pg_temp.days(VARIADIC days), '2026-12-31Z', 'w', '7 days', NULL,
		(pg_temp.days(mql))[1], (pg_temp.days(opportunity))[1], 0.4, 0.4, anchor) $$;
SELECT is(pg_temp.w(1000, '{0,5,12,30,38}', 12, 35), '{300,50,300,300,50}'::numeric[], 'D12: W: 30/30/30, and 10 to the rest; at the instant is before');
SELECT is(pg_temp.w(1000, '{0,5,12}', 5, 20), '{333.34,333.33,333.33}'::numeric[], 'D12: W: an empty rest goes to the anchors');
SELECT is(pg_temp.w(1000, '{0,5,12,13}', 3, 20), '{600,50,50,300}'::numeric[], 'D12: W: weights of one touch add up');
SELECT is(pg_temp.w(700, '{0,5,12,13}', NULL, 20), '{300,50,50,300}'::numeric[], 'D12: W: an anchor without a milestone leaves its share to the others');
SELECT is(pg_temp.w(700, '{1,5,12,13}', 0, 20), '{300,50,50,300}'::numeric[], 'D12: W: so does one without a touch');
SELECT is(pg_temp.w(700, '{0}', 0, 20), '{700}'::numeric[], 'D12: W: one touch has it all');
SELECT is(pg_temp.w(100, '{0,1,2}', NULL, NULL, 0), '{0,50,50}'::numeric[], 'D12: W: without weight for anchors the rest has all');
SELECT is(pg_temp.w(100, '{0,1}', 1, NULL, 0), '{50,50}'::numeric[], 'D12: W: nobody has a weight: alike');

-- D12: U
CREATE FUNCTION pg_temp.u(days numeric[], f numeric, l numeric) RETURNS numeric[] LANGUAGE sql AS
	$$ SELECT attribute_amount(1000, pg_temp.days(VARIADIC days), '2026-12-31Z', 'u', '7 days', NULL, NULL, NULL, f, l, 0.3) $$;
SELECT is(pg_temp.u('{0,1}', 0.3, 0.1), '{750,250}'::numeric[], 'D12: U: two touches share by first/(first + last)');
SELECT is(pg_temp.u('{0}', 0.3, 0.1), '{1000}'::numeric[], 'D12: U: one touch has it all');
SELECT is(pg_temp.u('{0,1,2}', 0.5, 0.5), '{500,0,500}'::numeric[], 'D12: U: nothing is left for the middle');
SELECT is(pg_temp.u('{0,1,2}', 0, 0), '{0,1000,0}'::numeric[], 'D12: U: or all');
SELECT is(pg_temp.u('{0,1}', 0, 0), '{500,500}'::numeric[], 'D12: U: nobody has a weight: alike');

-- D12: what came by itself
SELECT is(attribute_amount(10, pg_temp.days(0, 1, 2), '2026-12-31Z', 'last_non_direct', direct => d), c, 'D12: last non-direct of ' || d::text)
FROM (VALUES ('{f,f,t}'::bool[], '{0,10,0}'::numeric[]), ('{f,t,t}', '{10,0,0}'), ('{t,t,t}', '{0,0,10}'), ('{f,NULL,t}', '{0,10,0}')) AS v (d, c);

-- a touch is not credited with what came before it
SELECT is(attribute_amount(90, pg_temp.days(0, 5, 9), '2026-01-06Z', m), c, 'D24: a touch after the close has nothing, by ' || m)
FROM (VALUES ('first', '{90,0,0}'::numeric[]), ('last', '{0,90,0}'), ('linear', '{45,45,0}'), ('u', '{45,45,0}')) AS v (m, c);
SELECT is(attribute_amount(90, pg_temp.days(7, 9), '2026-01-06Z', 'linear'), '{NULL,NULL}'::numeric[], 'D24: nobody to credit');
SELECT is(attribute_amount(90, ARRAY[NULL, timestamptz '2026-01-01Z'], '2026-01-06Z', 'linear'), '{0,90}'::numeric[], 'D24: nor has one without a date');

-- D24: cents
SELECT is(pg_temp.credit(100, '{3,1,2}', 'linear'), '{33.33,33.34,33.33}'::numeric[], 'D24: the cent left over goes to the earliest, wherever it stands');
SELECT is(pg_temp.credit(0.05, '{1,1,1}', 'linear'), '{0.02,0.02,0.01}'::numeric[], 'D24: of one instant to the one given first');
SELECT is(pg_temp.credit(-10, '{0,1,2}', 'linear'), '{-3.33,-3.33,-3.34}'::numeric[], 'D24: a refund');
SELECT is(pg_temp.credit(0, '{0,1}', 'decay'), '{0,0}'::numeric[], 'D24: nothing');
SELECT is(pg_temp.credit(5, ARRAY[]::numeric[], 'u'), NULL, 'D24: touches that nobody knows');
SELECT is(attribute_amount(5, '{}', now(), 'u'), '{}'::numeric[], 'D24: no touches');
SELECT is(attribute_amount(NULL, '{2026-01-01}', now(), 'u'), NULL, 'D24: no amount');
SELECT is(attribute_amount(100, '{-infinity,2026-01-01,2026-01-01}', 'infinity', 'decay'), '{0,50,50}'::numeric[], 'D24: decay of what is infinitely old');
SELECT is(attribute_amount(100, '{1900-01-01,2026-01-01}', '2026-01-02', 'decay', '1 second'), '{0,100}'::numeric[], 'D24: decay of what is very old');
-- 2,000 random amounts: every model adds up, and its own arithmetic is that of the share-out
CREATE TEMP TABLE dealt AS
SELECT n, a.amount, t.touched_at, m.model, attribute_amount(a.amount, t.touched_at, '2027-01-01Z', m.model, '20 days', NULL, '2026-03-01Z', '2026-05-01Z', 0.35, 0.25, 0.2) AS credits
FROM (SELECT setseed(0.3)) AS seed, generate_series(1, 2000) AS n,
	LATERAL (SELECT round((random() * 2e6 - 1e5 + n * 0)::numeric, n % 4) AS amount) AS a,
	LATERAL (SELECT pg_temp.days(VARIADIC d) AS touched_at FROM (SELECT array_agg(floor(random() * 300 + i * 0)::numeric) AS d FROM generate_series(1, 1 + n % 12) AS i) AS x) AS t,
	unnest(_attribution_models()) AS m (model);
SELECT is_empty('SELECT * FROM dealt AS d WHERE (SELECT sum(c) FROM unnest(d.credits) AS c) IS DISTINCT FROM d.amount OR cardinality(credits) <> cardinality(touched_at)', 'D24: every model adds up to 2,000 random amounts');
SELECT is_empty($$ SELECT * FROM dealt AS d WHERE model = 'decay' AND EXISTS (SELECT FROM (SELECT c,
	amount * exp(-ln(2::float8) * (extract(epoch FROM timestamptz '2027-01-01Z' - t)::float8 / 1728000))::numeric
		/ sum(exp(-ln(2::float8) * (extract(epoch FROM timestamptz '2027-01-01Z' - t)::float8 / 1728000))::numeric) OVER () AS due
	FROM unnest(d.credits, d.touched_at) AS u (c, t)) AS x WHERE abs(c - due) > 0.01) $$, 'D24: decay is 2 ^ (-age / half-life), to a cent');

-- bad input
DO $$
DECLARE said text;
BEGIN
	PERFORM attribute_amount(1, '{}', now(), 'best');
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS said = PG_EXCEPTION_HINT;
	PERFORM set_config('told.hint', said, true);
END $$;
SELECT is(string_to_array(rtrim(replace(replace(current_setting('told.hint'), 'Models are ', ''), ' and ', ', '), '.'), ', '), _attribution_models(), 'an unknown model: the hint lists those that there are');
SELECT throws_like(format('SELECT attribute_amount(%s)', a), e, 'refused: ' || a)
FROM (VALUES ($$1, '{2026-01-01}', now(), 'best'$$, 'there is no attribution model "best"'),
	($$1, '{2026-01-01}', now(), 'decay', '0 days'$$, 'half-life must be positive'),
	($$1, '{2026-01-01}', now(), 'u', direct => '{t,f}'$$, 'direct must say so of each touch'),
	($$1, '{2026-01-01}', now(), 'u', first_share => 0.7, last_share => 0.4$$, '% must not be above 1 together'),
	($$'NaN', '{2026-01-01}', now(), 'u'$$, 'amount must be a finite number')) AS v (a, e);

SELECT * FROM finish();
ROLLBACK;
