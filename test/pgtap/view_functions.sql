-- Arithmetic that the views share: shares in cents, months, survival.
BEGIN;
SELECT plan(24);

-- what people read
SELECT results_eq('SELECT n, _days(n * 86400000000), _hours(n * 3600000000), _points(n), _ratio(n, 1) FROM unnest(ARRAY[1, 0.005, 2.00449]) AS n',
	$$ VALUES (1.0, 1.00, 1.00, 1.00, 1.0000), (0.005, 0.01, 0.01, 0.01, 0.0050), (2.00449, 2.00, 2.00, 2.00, 2.0045) $$,
	'A16, D14, D5: days (seconds / 86400), hours and points have two digits, rates four');
SELECT results_eq('SELECT _per(1, 3), _per(1, 0), _money_per(100, 3), _money_per(1000, 8), _money_per(1, 0)',
	$$ VALUES (0.33, NULL::numeric, 33.333333, 125::numeric, NULL::numeric) $$, 'A16, D14: numbers for each two; money is what it is');
SELECT is(_month_of('2026-01-31 23:30Z', 'Europe/Berlin'), date '2026-02-01',
		  'D3 a month is the time zone''s');
SELECT is(_month_of('2026-01-31 23:30Z', 'UTC'), date '2026-01-01',
		  'D3 the same instant in another zone');
SET LOCAL TimeZone = 'America/New_York';
SELECT is(_mature_at('2026-01-01', 90, 'Europe/Berlin'),
		  '2026-05-02 00:00+02'::timestamptz,
		  'D4 maturity counts local days, whatever the session''s zone');
SET LOCAL TimeZone = 'UTC';
SELECT is(_ratio(1, 0), NULL, 'R000-15 a ratio over zero is NULL');
SELECT is(_ratio(1, 3), 0.3333, 'D14 a ratio has 4 digits');

-- _share_out
SELECT is(_share_out(100, '{1,1,1}'), '{33.34,33.33,33.33}'::numeric[],
		  'D7 the cent left over goes to the first of equals');
SELECT is(_share_out(0.05, '{30,1,20}'), '{0.03,0.00,0.02}'::numeric[],
		  'D7 it goes to the largest remainder');
SELECT is(_share_out(-10, '{1,2}'), '{-3.33,-6.67}'::numeric[],
		  'D7 a refund is shared out like an expense');
SELECT is(_share_out(10, '{0,0}'), '{NULL,NULL}'::numeric[],
		  'D7 nobody to share among: NULL');
SELECT is(_share_out(100000000000000000000.01, '{1,2}'),
		  '{33333333333333333333.34,66666666666666666666.67}'::numeric[],
		  'D7 large amounts lose nothing');

CREATE TEMP TABLE dealt AS
SELECT a.amount, w.weights, _share_out(a.amount, w.weights) AS shares
FROM (SELECT setseed(0.4)) seed,
	 generate_series(1, 2000) n,
	 LATERAL (SELECT round((random() * 2e6 - 1e5 + n * 0)::numeric,
						   (n % 4)) AS amount) a,
	 LATERAL (SELECT array_agg(round((random() * 40 + k * 0)::numeric, n % 3) + 0.01) AS weights
			  FROM generate_series(1, 1 + n % 13) k) w;
SELECT is((SELECT count(*) FROM dealt d
		   WHERE (SELECT sum(s) FROM unnest(d.shares) s) <> d.amount),
		  0::bigint, 'D7 2,000 random shares add up exactly');
SELECT is((SELECT count(*)
		   FROM dealt d, unnest(d.shares, d.weights) AS s (share, weight)
		   WHERE abs(s.share - d.amount * s.weight
					 / (SELECT sum(w) FROM unnest(d.weights) w)) >= 0.01),
		  0::bigint, 'D7 no share is off by a cent');

-- _survival: the 21 patients on 6-mercaptopurine (Freireich et al., 1963)
CREATE TEMP TABLE remission (weeks int, relapse boolean);
INSERT INTO remission
SELECT abs(w), w > 0
FROM unnest(ARRAY[6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22,
				  23, -25, -32, -32, -34, -35]) w;
SELECT results_eq($$
	SELECT weeks, round(_survival(at_risk, relapses) OVER (ORDER BY weeks), 4)
	FROM (SELECT weeks, count(*) FILTER (WHERE relapse) AS relapses,
				 (sum(count(*)) OVER (ORDER BY weeks DESC))::bigint AS at_risk
		  FROM remission GROUP BY weeks) AS t
	WHERE relapses > 0 ORDER BY weeks $$,
	$$ VALUES (6, 0.8571), (7, 0.8067), (10, 0.7529), (13, 0.6902),
			  (16, 0.6275), (22, 0.5378), (23, 0.4482) $$,
	'D6 survival is the published Kaplan-Meier table');
SELECT is((SELECT round(_survival(n, d ORDER BY n DESC), 20)
		   FROM (VALUES (6::bigint, 2::bigint), (4, 1)) v (n, d)),
		  0.5, 'D6 4/6 of 3/4 is one half, not a little more');
SELECT is((SELECT _survival(n, d) FROM (VALUES (1::bigint, 1::bigint)) v (n, d)
		   WHERE false), 1::numeric, 'D6 without events everybody is left');

-- _ways and _entries, by one process and by several
CREATE TEMP TABLE unit AS
SELECT n, CASE WHEN n % 3 > 0 THEN '2026-01-01Z'::timestamptz + floor(random() * 90) * interval '1 day' END AS a_at,
	   CASE WHEN n % 4 > 0 THEN '2026-01-01Z'::timestamptz + floor(random() * 90) * interval '1 day' END AS b_at,
	   's' || n % 5 AS a_source, CASE WHEN n % 7 > 0 THEN 's' || n % 3 END AS b_source,
	   CASE WHEN n % 11 > 0 THEN n % 50 END AS a_account, CASE WHEN n % 2 > 0 THEN n % 49 END AS b_account
FROM (SELECT setseed(0.7)) s, generate_series(1, 3000) n;
CREATE FUNCTION pg_temp.agree(how text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT is((SELECT _ways(ARRAY[a_at, b_at], ARRAY[a_account, b_account]::bigint[]) FROM unit),
		(SELECT ARRAY[count(a_at), count(*) FILTER (WHERE a_at <= b_at), count(*) FILTER (WHERE a_at > b_at), count(b_at),
					  count(DISTINCT a_account), count(DISTINCT b_account)] FROM unit), '_ways: units in order, and accounts, ' || how);
	RETURN NEXT is_empty($q$
		WITH told AS (SELECT 1 AS place, date_trunc('month', a_at)::date AS month, a_source AS source, a_account AS account FROM unit WHERE a_at IS NOT NULL
					  UNION ALL SELECT 2, date_trunc('month', b_at)::date, b_source, b_account FROM unit WHERE b_at IS NOT NULL AND b_source IS NOT NULL),
			 counted AS (SELECT place, month, source, count(*), count(DISTINCT account) FROM told GROUP BY 1, 2, 3),
			 shown AS (SELECT e.* FROM (SELECT _entries(ARRAY[_month_of(a_at, 'UTC'), _month_of(b_at, 'UTC')], ARRAY[a_source, b_source],
														ARRAY[a_account, b_account]::bigint[]) AS e FROM unit) AS u, unnest(u.e) AS e)
		(TABLE shown EXCEPT TABLE counted) UNION ALL (TABLE counted EXCEPT TABLE shown) $q$, '_entries: by milestone, month and source, ' || how);
END $$;
SELECT pg_temp.agree('by one process');
CREATE TABLE shared AS TABLE unit;
DROP TABLE unit;
ALTER TABLE shared RENAME TO unit;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT pg_temp.agree('by several');
SELECT is((SELECT _ways(ARRAY[now()], ARRAY[1::bigint]) FROM unit WHERE false), NULL, '_ways: of no unit it is NULL');
SELECT throws_ok('SELECT _ways(ARRAY[now(), NULL], ARRAY[1::bigint])', '2202E', 'numbers of milestones differ', '_ways: an account for each instant');

SELECT is((SELECT count(*) FROM pg_proc p
		   WHERE p.proname IN ('_days', '_month_of', '_mature_at',
							   '_ratio', '_share_out', '_survive', '_survival',
							   '_create_funnel_views', '_create_journey_views',
							   '_create_conversion_views', '_create_money_views',
							   '_create_work_views', '_create_hand_over_views')
				 AND obj_description(p.oid, 'pg_proc') IS NOT NULL),
		  13::bigint, 'every function has a comment');

SELECT * FROM finish();
ROLLBACK;
