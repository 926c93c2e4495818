-- Every view of funnel crm is what its history tells row by row.
\set QUIET on
BEGIN;
CREATE SCHEMA pgtap;
CREATE EXTENSION pgtap SCHEMA pgtap;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2025-12-31 20:00';
\set funnel crm
\ir ../../pgtap/helper/told_units.sql
\ir ../../pgtap/helper/told_rates.sql
\ir ../../pgtap/helper/told_money.sql
\ir ../../pgtap/helper/told_outcomes.sql
SET LOCAL search_path = crm, public, pgtap;
SELECT plan(12);
SELECT is_empty(format('SELECT pg_temp.differences(%L, %L)', :'funnel', v), v || ' is as told')
FROM unnest('{won_deal,lead_journey,stage_velocity,funnel,funnel_monthly,mql_to_sql,sql_conversion,cost_per_sql,sql_revenue,
	hand_over,sla,stage_stay}'::text[]) AS v;
SELECT * FROM finish();
ROLLBACK;
