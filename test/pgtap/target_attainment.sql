-- target_attainment (D29, R003-23) and plan(): by hand, against raw tables, and
-- where there is nothing.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(23);
SELECT create_funnel('f', 'America/St_Johns');
SET LOCAL search_path = f, public, pg_temp;
SET LOCAL lead_qual.clock = '2026-03-16 02:30Z';

SELECT is_empty('SELECT * FROM target_attainment', 'no targets');
INSERT INTO target (metric, starts_on, ends_on, value) VALUES ('entries:mql', '2026-03-01', '2026-03-31', 100), ('revenue', '2026-03-01', '2026-03-31', 5000),
	('rate:mql>sql', '2025-11-01', '2025-11-30', 0.2), ('entries:lost', '2026-03-01', '2026-03-31', 5), ('entries:sql', '2026-04-01', '2026-04-30', 5), ('entries:sql', '2026-01-01', '2026-01-31', 5);
SELECT results_eq('SELECT metric, attained, n, of_n, forecast, alarm FROM target_attainment',
	$$ VALUES ('rate:mql>sql', NULL::numeric, 0::bigint, 0::bigint, NULL::numeric, NULL::boolean), ('entries:sql', 0, 0, NULL, 0, true), ('entries:lost', 0, 0, NULL, NULL, NULL),
			  ('entries:mql', 0, 0, NULL, NULL, NULL), ('revenue', 0, 0, NULL, NULL, NULL), ('entries:sql', 0, 0, NULL, NULL, NULL) $$, 'an empty funnel: what is over is missed, else nothing is known');
SELECT results_eq('SELECT milestone, rate, needed, short FROM plan(''f'', 1000)', $$ VALUES ('customer', NULL::numeric, NULL::numeric, NULL::numeric), ('sql', NULL, NULL, NULL), ('mql', NULL, NULL, NULL), ('lead', NULL, NULL, NULL) $$,
	'plan() of an empty funnel');

-- six leads a day since a year; of six one stays a lead, of the others every
-- fifth is an SQL two days after it was an MQL, and a customer ten days later
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, stage, source, owner) SELECT i, 'lead', (ARRAY['event', 'social'])[1 + i % 2], 'o' || i % 3 FROM generate_series(1, 2190) AS i;
INSERT INTO stage_history (lead_id, to_stage, entered_at, source, owner)
	SELECT l.lead_id, w.stage, w.at, l.source, l.owner
	FROM lead AS l, LATERAL (SELECT timestamptz '2026-03-15 12:00Z' - (l.lead_id / 6) * interval '1 day' AS at) AS t,
		 LATERAL (VALUES ('lead', t.at, true), ('mql', t.at + interval '1 hour', l.lead_id % 6 > 0), ('sql', t.at + interval '49 hours', l.lead_id % 6 > 0 AND l.lead_id % 5 = 0),
						 ('customer', t.at + interval '289 hours', l.lead_id % 6 > 0 AND l.lead_id % 5 = 0), ('nurture', t.at + interval '50 hours', l.lead_id % 6 = 0 OR l.lead_id % 5 > 0)) AS w (stage, at, wanted)
	WHERE w.wanted AND w.at < funnel_now();
SELECT rebuild_history('f') > 0;
SET LOCAL lead_qual.import = off;
INSERT INTO deal (owner, amount, status, opened_at, closed_at) VALUES ('o1', 1000, 'won', '2026-03-01Z', '2026-03-05Z'), ('o2', 3000, 'won', '2026-03-01Z', '2026-03-06Z'),
	('o1', 2000, 'won', '2026-01-01Z', '2026-03-01 03:29Z'), ('o1', NULL, 'won', '2026-01-01Z', '2026-03-07Z'), ('o1', 700, 'lost', '2026-01-01Z', '2026-03-07Z');
INSERT INTO target (metric, starts_on, ends_on, source, value) VALUES ('entries:mql', '2026-03-01', '2026-03-31', 'event', 1000);
INSERT INTO target (metric, starts_on, ends_on, owner, value) VALUES ('revenue', '2026-03-01', '2026-03-31', 'o1', 900), ('entries:mql', '2026-03-01', '2026-03-31', 'o1', 10);

CREATE TEMP VIEW mql AS SELECT * FROM milestone_entry WHERE milestone = 'mql' AND entered_at >= '2026-03-01 03:30Z';
SELECT results_eq($$ SELECT attained, n, days, elapsed_days, expected_by_now FROM target_attainment WHERE metric = 'entries:mql' AND coalesce(source, owner) IS NULL $$,
	$$ SELECT count(*)::numeric, count(*), 31::numeric, 14.98, 48.32 FROM mql $$, 'D29: entries, expected by now: days of the funnel''s zone, of which one has 23 hours');
SELECT results_eq($$ SELECT coalesce(source, owner), attained FROM target_attainment WHERE metric = 'entries:mql' AND coalesce(source, owner) IS NOT NULL ORDER BY 1 $$,
	$$ SELECT 'event', count(*)::numeric FROM mql WHERE source = 'event' UNION ALL SELECT 'o1', count(*) FROM mql WHERE owner = 'o1' $$, 'D29: of a source, of an owner');
SELECT results_eq($$ SELECT owner, attained, n FROM target_attainment WHERE metric = 'revenue' ORDER BY value $$, $$ VALUES ('o1', 1000::numeric, 2::bigint), (NULL, 4000, 3) $$,
	'D29: revenue by the close in the funnel''s zone');
SELECT results_eq($$ SELECT attained, n, of_n, expected_by_now, alarm FROM target_attainment WHERE metric = 'rate:mql>sql' $$,
	$$ SELECT round(count(s.lead_id)::numeric / count(*), 4), count(s.lead_id), count(*), 0.2, count(s.lead_id)::numeric / count(*) < 0.2 FROM milestone_entry AS m
	   LEFT JOIN milestone_entry AS s ON s.lead_id = m.lead_id AND s.cycle = m.cycle AND s.milestone = 'sql'
	   WHERE m.milestone = 'mql' AND m.entered_at >= '2025-11-01 02:30Z' AND m.entered_at < '2025-12-01 03:30Z' $$, 'D29, R003-23: the MQL to SQL rate');
SELECT ok(alarm = false AND forecast BETWEEN 65 AND 90, 'D29: 5 MQLs a day will reach 100: ' || forecast::text) FROM target_attainment WHERE metric = 'entries:mql' AND coalesce(source, owner) IS NULL;
SELECT ok(alarm AND attained + forecast_upper < 1000, 'R003-23: they will not reach 1,000 from events') FROM target_attainment WHERE source = 'event';
SELECT is(alarm, attained + forecast_upper < value, 'D29: alarm, where not even the upper limit helps') FROM target_attainment WHERE metric = 'revenue' AND owner IS NULL;
SELECT results_eq($$ SELECT t.forecast, t.forecast_upper FROM target_attainment AS t WHERE t.metric = 'entries:mql' AND coalesce(t.source, t.owner) IS NULL $$,
	$$ SELECT expected, upper FROM _forecast_told('f'::text, funnel_now(), '{mql}'::text[], '{16}'::int[], NULL::text, NULL::text) $$, 'D29: the forecast of the days left');
SELECT ok(forecast IS NULL AND alarm IS NULL AND attained > 0, 'no forecast of rates') FROM (SELECT forecast, alarm, attained FROM target_attainment
	WHERE metric LIKE 'rate%' AND ends_on > '2026-01-01' UNION ALL SELECT NULL, NULL, 1) AS t;
SELECT is(alarm, NULL, 'what has not begun is not late') FROM target_attainment WHERE starts_on = '2026-04-01';
SELECT is(alarm, false, 'what is over and reached') FROM target_attainment WHERE starts_on = '2026-01-01';

-- plan(): customers of 2,000; mature rates of the year before 16 December
CREATE TEMP TABLE cohort AS
SELECT j.*, '2026-03-16 02:30Z'::timestamptz - interval '90 days' AS ripe FROM journey AS j;
SELECT results_eq('SELECT milestone, came, entered, days FROM plan(''f'', 100000, ''2026-03-31'')',
	$$ SELECT 'customer', NULL::bigint, NULL::bigint, 16
	   UNION ALL SELECT 'sql', count(*) FILTER (WHERE customer_at >= sql_at), count(*), 16 FROM cohort WHERE sql_at <= ripe AND sql_at > ripe - interval '1 year'
	   UNION ALL SELECT 'mql', count(*) FILTER (WHERE sql_at >= mql_at), count(*), 16 FROM cohort WHERE mql_at <= ripe AND mql_at > ripe - interval '1 year'
	   UNION ALL SELECT 'lead', count(*) FILTER (WHERE mql_at >= lead_at), count(*), 16 FROM cohort WHERE lead_at <= ripe AND lead_at > ripe - interval '1 year' $$, 'plan(): mature rates, both numbers');
SELECT results_eq('SELECT milestone, needed FROM plan(''f'', 100000, ''2026-03-31'')', $$ WITH p AS (SELECT * FROM plan('f', 100000, '2026-03-31'))
	SELECT 'customer', 50::numeric UNION ALL SELECT 'sql', (SELECT ceil(50 / (came::numeric / entered)) FROM p WHERE milestone = 'sql')
	UNION ALL SELECT 'mql', (SELECT ceil(50 / (s.came::numeric / s.entered) / (m.came::numeric / m.entered)) FROM p AS s, p AS m WHERE s.milestone = 'sql' AND m.milestone = 'mql')
	UNION ALL SELECT 'lead', (SELECT ceil(50 / (s.came::numeric / s.entered) / (m.came::numeric / m.entered) / (l.came::numeric / l.entered))
		FROM p AS s, p AS m, p AS l WHERE s.milestone = 'sql' AND m.milestone = 'mql' AND l.milestone = 'lead') $$, 'plan(): 100,000 at 2,000 each are 50 customers, and so many before');
SELECT results_eq('SELECT milestone, pace FROM plan(''f'', 100000, ''2026-03-31'') WHERE milestone = ''mql''',
	$$ SELECT 'mql', round(count(*) * 16 / 91.0, 2) FROM milestone_entry WHERE milestone = 'mql' AND entered_at > funnel_now() - interval '91 days' $$, 'plan(): the present pace');
SELECT results_eq('SELECT milestone, days FROM plan(''f'', 1)', $$ VALUES ('customer', 16), ('sql', 16), ('mql', 16), ('lead', 16) $$, 'plan(): until the end of the quarter');
SELECT ok(bool_and(short = 0), 'plan(): an easy one') FROM plan('f', 1);

SELECT throws_ok('SELECT * FROM plan(''f'', 0)', '22023', 'revenue must be an amount above zero', 'no revenue');
SELECT throws_ok('SELECT * FROM plan(''f'', NULL)', '22023', NULL, 'none given');
SELECT throws_ok('SELECT * FROM plan(''f'', 1, ''2026-03-14'')', '22023', 'the day must be one of the next hundred years', 'a day that is over');
SELECT throws_ok('SELECT * FROM plan(''f'', 1, ''infinity'')', '22023', NULL, 'for ever');

SELECT * FROM finish();
ROLLBACK;
