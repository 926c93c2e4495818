-- forecast and forecast_check() (D19): on simulated funnels whose chances are
-- known, by hand, and where little is known.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(24);

-- tables alone: units are written as they are
CREATE SCHEMA f;
SET LOCAL search_path = f, public, pg_temp;
DO $$ BEGIN PERFORM _create_funnel_tables(); END $$;
INSERT INTO setting (template_version, time_zone) VALUES (_template_version(), 'America/St_Johns');
INSERT INTO stage (stage, position, milestone) SELECT m, n, m FROM unnest(_milestones()) WITH ORDINALITY AS m (m, n);
SET LOCAL lead_qual.clock = '2026-06-03 12:00Z';

SELECT results_eq($$ SELECT milestone, horizon_days, expected, lower, waiting FROM _forecast_of('f.setting'::regclass::oid, funnel_now()) WHERE milestone IN ('lead', 'customer') $$,
	$$ VALUES ('lead', 30, NULL::numeric, NULL::numeric, 0::bigint), ('lead', 60, NULL, NULL, 0), ('lead', 90, NULL, NULL, 0),
			  ('customer', 30, NULL, NULL, 0), ('customer', 60, NULL, NULL, 0), ('customer', 90, NULL, NULL, 0) $$, 'an empty funnel says nothing');

-- 25 weeks of 10 units each, every one an MQL a day later: 100 in 10 weeks
INSERT INTO journey (lead_id, cycle, started_at, lead_at, mql_at)
	SELECT 10 * w + i, 1, t.at, t.at, CASE WHEN t.at + interval '1 day' < funnel_now() THEN t.at + interval '1 day' END
	FROM generate_series(0, 24) AS w, generate_series(1, 10) AS i, LATERAL (SELECT timestamptz '2026-06-01 10:00Z' - w * interval '7 days' AS at) AS t;
SELECT is(begin_per_week, 10.00, 'D19: units that begin a week') FROM _forecast_of('f.setting'::regclass::oid, funnel_now()) LIMIT 1;
SELECT results_eq($$ SELECT horizon_days, from_waiting, round(from_new / 10 - horizon_days / 7.0, 1) FROM _forecast_of('f.setting'::regclass::oid, funnel_now()) WHERE milestone = 'lead' $$,
	$$ VALUES (30, 0.00, 0.0), (60, 0.00, 0.0), (90, 0.00, 0.0) $$, 'D19: 10 units a week begin');
SELECT ok(bool_and(from_waiting = 0 AND abs(from_new - 10 * (horizon_days / 7.0 - 0.2)) < 2), 'D19: and are MQLs a day later: ' || string_agg(from_new::text, ' '))
FROM _forecast_of('f.setting'::regclass::oid, funnel_now()) WHERE milestone = 'mql';
SELECT ok(bool_and(expected = 0), 'D19: nobody goes further') FROM _forecast_of('f.setting'::regclass::oid, funnel_now()) WHERE milestone = 'customer';
SELECT ok(bool_and(lower IS NULL AND upper IS NULL), 'D19: no interval under 10 past entries') FROM _forecast_of('f.setting'::regclass::oid, funnel_now()) WHERE milestone = 'customer';

-- of 100 SQLs of a year ago half were won within a day, the others left after
-- 20; all 112 were at risk on the first day; 8 wait since today, 4 since ten days
TRUNCATE journey;
INSERT INTO journey (lead_id, cycle, started_at, sql_at, customer_at, exited_at)
	SELECT i, 1, t.at, t.at, CASE WHEN i % 2 = 0 THEN t.at + interval '6 hours' END, CASE WHEN i % 2 = 1 THEN t.at + interval '20 days' END
	FROM generate_series(1, 100) AS i, LATERAL (SELECT funnel_now() - interval '200 days' + i * interval '1 hour' AS at) AS t;
INSERT INTO journey (lead_id, cycle, started_at, sql_at) SELECT 200 + i, 1, t.at, t.at
	FROM generate_series(1, 12) AS i, LATERAL (SELECT funnel_now() - CASE WHEN i <= 8 THEN interval '1 minute' ELSE interval '10 days' END AS at) AS t;
SELECT ok(bool_and(abs(from_waiting - 8 * 13 / 14.0 * 50 / 112) < 0.01), 'D19: who has waited for long is not who has just come: ' || string_agg(from_waiting::text, ' '))
FROM _forecast_of('f.setting'::regclass::oid, funnel_now()) WHERE milestone = 'customer';
SELECT is(min(waiting), 12::bigint, 'those who wait') FROM _forecast_of('f.setting'::regclass::oid, funnel_now()) WHERE milestone = 'customer';
INSERT INTO deal (amount, status, opened_at, closed_at) VALUES (100, 'won', '2026-01-01Z', '2026-02-01Z'), (300, 'won', '2026-01-01Z', '2026-02-01Z'), (NULL, 'won', '2026-01-01Z', '2026-02-01Z');
SELECT ok(bool_and(abs(revenue - 200 * expected) < 2 AND revenue_lower < revenue AND revenue < revenue_upper), 'D19: revenue is as many times the mean amount')
FROM _forecast_of('f.setting'::regclass::oid, funnel_now()) WHERE milestone = 'customer';

-- fewer than 20 stays: the incidence since the begin
TRUNCATE journey;
INSERT INTO journey (lead_id, cycle, started_at, lead_at, opportunity_at, customer_at, exited_at)
	SELECT i, 1, t.at, t.at, CASE WHEN i <= 6 THEN t.at + interval '3 days' END, CASE WHEN i <= 5 THEN t.at + interval '4 days' END, CASE WHEN i > 6 THEN t.at + interval '10 days' END
	FROM generate_series(1, 50) AS i, LATERAL (SELECT timestamptz '2026-02-01Z' + i * interval '1 hour' AS at) AS t;
SELECT ok(bool_and(abs(from_waiting - 0.1) < 0.02), 'D19: fewer than 20 stays: the incidence of all units, 10 %') FROM _forecast_of('f.setting'::regclass::oid, funnel_now()) WHERE milestone = 'customer';
DELETE FROM journey WHERE lead_id > 15;
SELECT ok(bool_and(from_waiting = 0), 'D19: fewer than 20 units: nothing') FROM _forecast_of('f.setting'::regclass::oid, funnel_now()) WHERE milestone = 'customer';

-- known chances
\ir helper/simulated_funnel.sql
SELECT pg_temp.watch(24, 30);
SELECT ok(avg((came BETWEEN lower AND upper)::int) BETWEEN 0.85 AND 0.95, format('D19: within %s days %s %% are in the interval', horizon_days, round(100 * avg((came BETWEEN lower AND upper)::int))))
FROM seen GROUP BY horizon_days ORDER BY horizon_days;
-- of 24 the mean is off by less than three of its standard deviations
SELECT ok(abs(avg((came - expected) / (upper - lower) * 3.29)) < 3 / sqrt(24), format('D19: it is not off: %s by %s of %s', milestone, round(avg(came - expected), 1), round(avg(expected), 1)))
FROM seen WHERE horizon_days = 90 GROUP BY milestone ORDER BY milestone;

-- on a funnel of its own
SELECT create_funnel('g', 'Australia/Lord_Howe');
SET LOCAL search_path = g, public, pg_temp;
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, stage) SELECT i, 'lead' FROM generate_series(1, 200) AS i;
INSERT INTO stage_history (lead_id, to_stage, entered_at)
	SELECT i, s, timestamptz '2026-01-01Z' + i * interval '16 hours' + (s = 'mql')::int * (i % 9) * interval '1 day' FROM generate_series(1, 200) AS i, unnest('{lead,mql}'::text[]) AS s
	WHERE i % 3 > 0 OR s = 'lead';
SELECT rebuild_history('g') > 0;
SET LOCAL lead_qual.import = off;
CREATE TEMP TABLE said AS SELECT milestone, horizon_days, expected, lower, upper FROM forecast WHERE milestone IN ('lead', 'mql');
SET LOCAL lead_qual.clock = '2026-07-10 12:00Z';
SELECT results_eq('SELECT milestone, horizon_days, expected, lower, upper FROM forecast_check(''g'', ''2026-04-03 12:00Z'') WHERE milestone IN (''lead'', ''mql'') AND upper > 0',
	$$ SELECT c.milestone, c.horizon_days, c.expected, c.lower, c.upper FROM _forecast_of('g.setting'::regclass::oid, '2026-04-03 12:00Z') AS c WHERE c.milestone IN ('lead', 'mql') $$, 'D19: what it would have said');
SELECT results_eq('SELECT came, within FROM forecast_check(''g'', ''2026-04-03 12:00Z'') WHERE milestone = ''mql'' AND horizon_days = 30',
	$$ SELECT count(*), true FROM milestone_entry WHERE milestone = 'mql' AND entered_at > '2026-04-03 12:00Z' AND entered_at <= '2026-05-03 12:00Z' $$, 'D19: beside what came');
SELECT is(within, NULL, 'D19: whose time is not over is not judged') FROM forecast_check('g', '2026-07-01Z') WHERE milestone = 'mql' AND horizon_days = 90;
SELECT throws_ok('SELECT * FROM forecast_check(''g'', NULL)', '22004', 'the instant must not be null', 'no instant');
CREATE ROLE regress_lq_analyst;
SELECT lives_ok($$ DO $d$ BEGIN PERFORM grant_funnel('g', 'regress_lq_analyst', 'analyst'); SET LOCAL ROLE regress_lq_analyst; PERFORM FROM forecast; PERFORM FROM target_attainment;
	PERFORM FROM lead_velocity_rate; PERFORM FROM sales_velocity; RESET ROLE; END $d$ $$, 'an analyst reads it');

SELECT * FROM finish();
ROLLBACK;
