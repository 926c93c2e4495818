--
-- Real money: 28 days of eleven advertising campaigns.  Only with DATA=folder.
--
\getenv data LQ_DATA
\if :{?data}
SET TimeZone = 'UTC';
SET client_min_messages = warning;
\pset footer off
\pset border 0
\pset null '-'

\echo
\echo 'REAL DATA: what the leads of eleven campaigns cost, February 2021'
\set QUIET on
CREATE TEMP TABLE day (
	id int, c_date date, campaign_name text, category text, campaign_id int, impressions bigint,
	mark_spent numeric, clicks int, leads int, orders int, revenue numeric);
\set file :data '/spend/marketing_spend.csv'
\set load '\\copy day FROM ' :'file' ' WITH (FORMAT csv, HEADER)'
:load

-- nobody says which currency; XXX is the code for none
SELECT create_funnel('ads', time_zone => 'UTC', currency => 'XXX') \g /dev/null
SET lead_qual.clock = '2021-03-01 00:00';

INSERT INTO ads.spend (external_id, department, source, campaign, starts_on, ends_on, amount)
SELECT id::text, 'marketing', category, lower(campaign_name), c_date, c_date, mark_spent
FROM day ORDER BY id;

-- all that is known of a lead: its day and its campaign
SET lead_qual.import = on;
INSERT INTO ads.lead (external_id, source, campaign, stage, stage_entered_at, cycle_started_at, created_at)
SELECT format('%s/%s', d.id, n), d.category, lower(d.campaign_name), 'lead', d.c_date, d.c_date, d.c_date
FROM day d
CROSS JOIN generate_series(1, d.leads) AS n
ORDER BY d.id, n;
SET lead_qual.import = off;
SELECT rebuild_history('ads') \g /dev/null
SELECT rescore_funnel('ads') \g /dev/null
INSERT INTO ads.source (source) SELECT DISTINCT source FROM ads.lead WHERE source IS NOT NULL
	ON CONFLICT DO NOTHING;
ANALYZE ads.lead, ads.stage_history;
SET search_path = ads, public;

SELECT to_char(s.amount, '99,999,999.99') AS spent, to_char(j.leads, '99,999') AS leads,
	   round(s.amount / j.leads, 2) AS "a lead"
FROM (SELECT sum(amount) AS amount FROM spend) s, (SELECT count(*) AS leads FROM lead_journey) j;

\echo 'By campaign                              table ads.spend, view ads.lead_journey'
SELECT s.campaign, to_char(s.amount, '99,999,999.99') AS spent, to_char(j.leads, '99,999') AS leads,
	   round(s.amount / j.leads, 2) AS "a lead", repeat('█', (s.amount / j.leads / 54)::int) AS bar
FROM (SELECT campaign, sum(amount) AS amount FROM spend GROUP BY campaign) s
JOIN (SELECT campaign, count(*) AS leads FROM lead_journey GROUP BY campaign) j ON j.campaign = s.campaign
ORDER BY s.amount / j.leads;

\echo 'The same month in the cost view: no SQLs, so no cost per SQL, and no error'
\echo '                                                         view ads.cost_per_sql'
SELECT to_char(month, 'YYYY-MM') AS month, source, cost, sqls, cost_per_sql FROM cost_per_sql ORDER BY source;
\endif
