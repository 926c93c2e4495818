-- Every view that reads table journey is what the history tells row by row, on
-- a funnel that 6,000 random operations have made.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(25);
\ir helper/random_funnel.sql
\ir helper/journey.sql
\set funnel crm
\ir helper/told_units.sql
\ir helper/told_rates.sql
\ir helper/told_money.sql
\ir helper/told_outcomes.sql
\ir helper/told_steps.sql

CREATE TEMP TABLE tally AS SELECT * FROM pg_temp.random_operations(6000, 0.5);
SELECT is_empty('SELECT pg_temp.unlike(''crm'')', 'table journey is what the one statement makes anew');
SELECT is_empty('SELECT name FROM operation EXCEPT SELECT name FROM tally WHERE done > 0', 'every kind of operation was done');
SELECT cmp_ok(count(*), '>', 3::bigint, 'N8: keys had several lives: ' || max(lives)) FROM (
	SELECT lead_id, count(*) AS lives FROM departure GROUP BY lead_id) AS d WHERE lives > 1;
SELECT ok(bool_and(n > 0), 'hand-overs came to everything: ' || string_agg(concat_ws(' ', n, outcome), ', ')) FROM (
	SELECT o.outcome, count(h.outcome) AS n FROM unnest('{accepted,returned,withdrawn,gone,pending,overdue}'::text[]) AS o (outcome)
	LEFT JOIN hand_over AS h ON h.outcome = o.outcome GROUP BY 1) AS x;
SELECT ok(count(customer_at) > 20 AND count(gone_at) > 20 AND count(exited_at) > 20 AND max(cycle) > 2, 'units got far') FROM journey;

SELECT is_empty(format('SELECT pg_temp.differences(''crm'', %L)', v), finding || v || ' is as told')
FROM (VALUES ('', 'won_deal'), ('N12: ', 'lead_journey'), ('', 'stage_velocity'), ('', 'funnel'), ('', 'funnel_monthly'), ('', 'mql_to_sql'),
	('', 'sql_conversion'), ('', 'cost_per_sql'), ('', 'sql_revenue'), ('N11, N15: ', 'hand_over'), ('N11, N15: ', 'sla'), ('N8: ', 'stage_stay'),
	('D4: ', 'conversion'), ('D18: ', 'bottleneck'), ('', 'funnel_weekly'), ('', 'stuck')) AS v (finding, v);

-- D6, by a loop
\ir helper/told_velocity.sql
SELECT results_eq('SELECT month, sqls, n, n_open, n_exited, n_gone, n_odd FROM sql_velocity WHERE by = ''month'' ORDER BY 1',
	$$ SELECT month, count(*), count(*) FILTER (WHERE state = 'won'), count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'exited'),
			  count(*) FILTER (WHERE state = 'gone'), count(*) FILTER (WHERE state = 'odd') FROM followed GROUP BY 1 ORDER BY 1 $$,
	'N11, D6: every SQL is one of these');
SELECT results_eq('SELECT month, won_by_30, won_by_60, won_by_90 FROM sql_velocity WHERE by = ''month'' ORDER BY 1',
	$$ SELECT month, CASE WHEN over OR known >= 30 THEN round(pg_temp.incidence(month, 30)::numeric, 4) END,
			  CASE WHEN over OR known >= 60 THEN round(pg_temp.incidence(month, 60)::numeric, 4) END,
			  CASE WHEN over OR known >= 90 THEN round(pg_temp.incidence(month, 90)::numeric, 4) END
	   FROM (SELECT month, max(days) FILTER (WHERE state <> 'odd') AS known,
					(array_agg(state ORDER BY days DESC, state IN ('won', 'exited')) FILTER (WHERE state <> 'odd'))[1] IN ('won', 'exited') AS over
			 FROM followed GROUP BY month) AS m ORDER BY 1 $$,
	'N11, D6: won_by, those gone censored when they went');
SELECT results_eq('SELECT month, won_median_days FROM sql_velocity WHERE by = ''month'' ORDER BY 1',
	'SELECT DISTINCT month, round(pg_temp.won_median(month)::numeric, 2) FROM followed ORDER BY 1', 'D6: half of those who are won by the horizon');
SELECT results_eq('SELECT month, median_days, p90_days, mean_days FROM sql_velocity WHERE by = ''month'' ORDER BY 1',
	$$ SELECT month, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY days) FILTER (WHERE state = 'won'))::numeric, 2),
			  round((percentile_cont(0.9) WITHIN GROUP (ORDER BY days) FILTER (WHERE state = 'won'))::numeric, 2),
			  round((avg(days) FILTER (WHERE state = 'won'))::numeric, 2) FROM followed GROUP BY 1 ORDER BY 1 $$, 'D6: the closed');

SELECT * FROM finish();
ROLLBACK;
