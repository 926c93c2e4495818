-- How often the forecast's 90 % intervals hold, on simulated funnels whose
-- chances are known: 85 to 95 % should, of each milestone and horizon.
--
--   test/tempserver psql -q -v n=200 -v a_week=30 -f test/bench/forecast.sql
--
-- n funnels; a_week units begin in each a week.  off: of what came less what was
-- expected, the mean in standard deviations of the forecast, and their spread; 0
-- and 1 would be perfect.
\set ON_ERROR_STOP on
\if :{?n}
\else
\set n 200
\endif
\if :{?a_week}
\else
\set a_week 30
\endif
SET client_min_messages = error;
SET lead_qual.clock = '2026-06-03 12:00+00';
CREATE EXTENSION IF NOT EXISTS lead_qual;
CREATE SCHEMA f;
SET search_path = f, public;
DO $$ BEGIN PERFORM _create_funnel_tables(); END $$;
INSERT INTO setting (template_version, time_zone) VALUES (2, 'UTC');
INSERT INTO stage (stage, position, milestone) SELECT m, n, m FROM unnest(_milestones()) WITH ORDINALITY AS m (m, n);
\ir ../pgtap/helper/simulated_funnel.sql
\o /dev/null
SELECT pg_temp.watch(:n, :a_week);
\o
SELECT milestone, horizon_days, count(*) AS forecasts, round(100.0 * count(*) FILTER (WHERE came BETWEEN lower AND upper) / count(*), 1) AS "% held",
	   round(avg((came - expected) / (upper - lower) * 3.29), 2) AS off, round(stddev((came - expected) / (upper - lower) * 3.29), 2) AS spread
FROM seen GROUP BY milestone, horizon_days ORDER BY array_position(_milestones(), milestone), horizon_days;
