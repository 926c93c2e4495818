--
-- The real funnel of Olist, a Brazilian marketplace: 8,000 marketing
-- qualified leads of a year, and the 842 of them that became sellers.  Shown
-- only with DATA=folder; nothing of it is in this repository.
--
\getenv data LQ_DATA
\if :{?data}
SET TimeZone = 'UTC';
SET client_min_messages = warning;
\pset footer off
\pset border 0
\pset null '-'

\echo
\echo 'REAL DATA: the funnel of Olist, 2017-06 to 2018-11, loaded as it was'
\set QUIET on
CREATE TEMP TABLE mql (
	mql_id text, first_contact_date date, landing_page_id text, origin text);
CREATE TEMP TABLE won (
	mql_id text, seller_id text, sdr_id text, sr_id text, won_date timestamp,
	business_segment text, lead_type text, profile text, has_company text, has_gtin text,
	average_stock text, business_type text, catalog_size text, monthly_revenue numeric);
CREATE TEMP TABLE revenue (
	seller_id text, orders_count int, items_sold int, gross_revenue numeric);
\set file :data '/olist/olist_marketing_qualified_leads_dataset.csv'
\set load '\\copy mql FROM ' :'file' ' WITH (FORMAT csv, HEADER)'
:load
\set file :data '/olist/olist_closed_deals_dataset.csv'
\set load '\\copy won FROM ' :'file' ' WITH (FORMAT csv, HEADER)'
:load
\set file :data '/olist/seller_revenue.csv'
\set load '\\copy revenue FROM ' :'file' ' WITH (FORMAT csv, HEADER)'
:load

SELECT create_funnel('olist', time_zone => 'UTC', currency => 'BRL') \g /dev/null
SET lead_qual.clock = '2018-12-01 00:00';

-- Olist's funnel has two steps
DELETE FROM olist.transition;
DELETE FROM olist.reason;
DELETE FROM olist.stage WHERE stage NOT IN ('mql', 'customer');
INSERT INTO olist.transition (definition, position, from_stage, to_stage, automatic, condition, description) VALUES
	('default', 10, NULL, 'mql', true, NULL, 'who fills in a form on a landing page'),
	('default', 20, 'mql', 'customer', true, 'deals_won > 0', 'who signs becomes a seller');

SET lead_qual.import = on;

-- Only two things are dated: that a lead was qualified by marketing, and that
-- it was won.  A NULL origin stays NULL; "unknown" is what it says.
INSERT INTO olist.lead (external_id, source, campaign, stage, owner, created_at, properties)
SELECT m.mql_id, m.origin, m.landing_page_id,
	   CASE WHEN w.mql_id IS NULL THEN 'mql' ELSE 'customer' END, w.sr_id,
	   m.first_contact_date,
	   jsonb_strip_nulls(jsonb_build_object('segment', w.business_segment, 'lead_type', w.lead_type,
											'business_type', w.business_type,
											'profile', to_jsonb(string_to_array(w.profile, ', '))))
FROM mql m
LEFT JOIN won w ON w.mql_id = m.mql_id
ORDER BY m.first_contact_date, m.mql_id;

INSERT INTO olist.stage_history (lead_id, to_stage, entered_at, actor, owner)
SELECT l.lead_id, 'mql', m.first_contact_date, 'import', NULL
FROM mql m
JOIN olist.lead l ON l.external_id = m.mql_id
UNION ALL
SELECT l.lead_id, 'customer', w.won_date::date, w.sr_id, w.sr_id
FROM won w
JOIN olist.lead l ON l.external_id = w.mql_id
ORDER BY 2 DESC, 3, 1;	-- who signed on the day of the first contact: in this order

INSERT INTO olist.deal (external_id, owner, amount, home_amount, currency, status, opened_at, closed_at)
SELECT w.seller_id, w.sr_id, r.gross_revenue, r.gross_revenue, 'BRL', 'won', w.won_date, w.won_date
FROM won w
LEFT JOIN revenue r ON r.seller_id = w.seller_id
ORDER BY w.won_date, w.seller_id;

INSERT INTO olist.deal_contact (deal_id, lead_id, role)
SELECT d.deal_id, l.lead_id, 'seller'
FROM won w
JOIN olist.deal d ON d.external_id = w.seller_id
JOIN olist.lead l ON l.external_id = w.mql_id;

SET lead_qual.import = off;
SELECT rebuild_history('olist') \g /dev/null

INSERT INTO olist.source (source) SELECT DISTINCT source FROM olist.lead WHERE source IS NOT NULL
	ON CONFLICT DO NOTHING;
SELECT rescore_funnel('olist') \g /dev/null
ANALYZE olist.lead, olist.stage_history, olist.deal, olist.deal_contact;
SET search_path = olist, public;

\echo '                                                             view olist.funnel'
SELECT milestone, reached, round(100 * rate_from_first, 2) AS "% of MQLs, in order", skipped, bar
FROM funnel WHERE reached > 0 ORDER BY position;

SELECT sum(won_deals) AS deals, count(*) FILTER (WHERE won_amount > 0) AS "that sold anything",
	   to_char(sum(won_amount), '999,999.99') AS "revenue (BRL)",
	   round(100.0 * count(customer_at) / count(*), 2) AS "% won of all"
FROM lead_journey;

\echo 'By origin                                             view olist.lead_journey'
SELECT CASE source WHEN '(none)' THEN 'unknown' ELSE source END AS origin, count(*) AS leads,
	   count(customer_at) AS won, round(100.0 * count(customer_at) / count(*), 2) AS "%",
	   repeat('█', (100.0 * count(customer_at) / count(*))::int) AS bar
FROM lead_journey
GROUP BY 1 ORDER BY 100.0 * count(customer_at) / count(*) DESC;

\echo 'By month of the first contact: what came of it by 1 December 2018'
SELECT to_char(mql_at, 'YYYY-MM') AS month, count(*) AS mqls, count(customer_at) AS won,
	   round(100.0 * count(customer_at) / count(*), 2) AS "%",
	   repeat('█', (100.0 * count(customer_at) / count(*))::int) AS bar
FROM lead_journey
GROUP BY 1 ORDER BY 1;

\echo 'Days from first contact to won; odd: won before the first contact'
\echo '                                                     view olist.stage_velocity'
SELECT n, n_odd AS odd, round(mean_days, 2) AS mean, round(median_days, 1) AS median,
	   round(p90_days, 1) AS p90
FROM stage_velocity WHERE from_milestone = 'mql' AND to_milestone = 'customer';

\echo 'That odd one                                           view olist.lead_journey'
SELECT lead_id AS lead, cycle, mql_at::date AS mql, customer_at::date AS customer, won_amount
FROM lead_journey WHERE customer_at < mql_at;
\endif
