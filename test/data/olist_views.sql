-- Every view of funnel olist is what its history tells row by row. Where there is no
-- data, skipped.
\set QUIET on
\getenv data LQ_DATA
BEGIN;
CREATE SCHEMA pgtap;
CREATE EXTENSION pgtap SCHEMA pgtap;
\if :{?data}
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2018-12-01 00:00';
\set funnel olist
\ir ../pgtap/helper/told_units.sql
\ir ../pgtap/helper/told_rates.sql
\ir ../pgtap/helper/told_money.sql
\ir ../pgtap/helper/told_outcomes.sql
SET LOCAL search_path = olist, public, pgtap;
SELECT plan(12);
SELECT is_empty(format('SELECT pg_temp.differences(%L, %L)', :'funnel', v), v || ' is as told')
FROM unnest('{won_deal,lead_journey,stage_velocity,funnel,funnel_monthly,mql_to_sql,sql_conversion,cost_per_sql,sql_revenue,
	hand_over,sla,stage_stay}'::text[]) AS v;
\else
SET LOCAL search_path = pgtap;
SELECT plan(1);
SELECT skip('no real data: set LQ_DATA', 1);
\endif
SELECT * FROM finish();
ROLLBACK;
