-- The published numbers of Olist, from the views of the funnel that the demo
-- has loaded.  Where there is no data, skipped.
\set QUIET on
\getenv data LQ_DATA
BEGIN;
CREATE SCHEMA pgtap;
CREATE EXTENSION pgtap SCHEMA pgtap;
\if :{?data}
SET LOCAL search_path = olist, public, pgtap;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2018-12-01 00:00';
SELECT plan(17);

SELECT results_eq($$ SELECT milestone, reached FROM funnel ORDER BY position $$,
	$$ VALUES ('mql', 8000::bigint), ('customer', 842) $$, 'Olist: 8,000 MQLs, 842 customers');
SELECT results_eq($$ SELECT round(100.0 * count(customer_at) / count(*), 2) FROM lead_journey $$,
	$$ VALUES (10.53) $$, 'Olist: 10.53 % of the MQLs bought');
SELECT is((SELECT count(*) FROM lead WHERE source IS NULL), 60::bigint, 'Olist: a NULL origin stays NULL');
SELECT results_eq($$
	SELECT CASE source WHEN '(none)' THEN 'unknown' ELSE source END, count(*), count(customer_at),
		   round(100.0 * count(customer_at) / count(*), 2)
	FROM lead_journey GROUP BY 1 ORDER BY 1 $$,
	$$ VALUES ('direct_traffic', 499::bigint, 56::bigint, 11.22), ('display', 118, 6, 5.08), ('email', 493, 15, 3.04),
			  ('organic_search', 2296, 271, 11.80), ('other', 150, 4, 2.67), ('other_publicities', 65, 3, 4.62),
			  ('paid_search', 1586, 195, 12.30), ('referral', 284, 24, 8.45), ('social', 1350, 75, 5.56),
			  ('unknown', 1159, 193, 16.65) $$, 'Olist: conversion by origin as published');
SELECT results_eq($$
	SELECT to_char(mql_at, 'YYYY-MM'), round(100.0 * count(customer_at) / count(*), 2)
	FROM lead_journey WHERE mql_at >= '2017-07-01' GROUP BY 1 ORDER BY 1 $$,
	$$ VALUES ('2017-07', 0.84), ('2017-08', 2.33), ('2017-09', 2.24), ('2017-10', 3.37), ('2017-11', 4.04),
			  ('2017-12', 5.50), ('2018-01', 13.32), ('2018-02', 14.49), ('2018-03', 14.22), ('2018-04', 13.54),
			  ('2018-05', 9.98) $$, 'Olist: cohort conversion by month as published');
SELECT results_eq($$
	SELECT n, n_odd, round(mean_days, 2), round(median_days, 2) FROM stage_velocity
	WHERE from_milestone = 'mql' AND to_milestone = 'customer' $$,
	$$ VALUES (841::bigint, 1::bigint, 48.50, 14.00) $$,
	'Olist, D5: 841 deals took 48.50 days on average, 14 in the median; one was won before its first contact, and is counted');
SELECT results_eq($$
	SELECT percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY extract(epoch FROM customer_at - mql_at)::double precision / 86400)
	FROM lead_journey WHERE customer_at >= mql_at $$,
	$$ VALUES (ARRAY[5, 14, 55]::double precision[]) $$, 'Olist: quartiles 5, 14, 55 days');
SELECT results_eq($$ SELECT sum(won_amount), sum(won_deals)::bigint, count(*) FILTER (WHERE won_amount > 0) FROM lead_journey $$,
	$$ VALUES (676851.48, 842::bigint, 380::bigint) $$, 'Olist: 380 of 842 sellers sold 676,851.48');
SELECT results_eq($$ SELECT basis, sum(leads)::bigint, sum(mqls)::bigint, sum(customers)::bigint, sum(deals)::bigint, sum(revenue), sum(n_unpriced)::bigint FROM source_performance GROUP BY basis ORDER BY basis $$,
	$$ VALUES ('cohort', 8000::bigint, 8000::bigint, 842::bigint, 842::bigint, 676851.48, 462::bigint), ('period', 0, 8000, 842, 842, 676851.48, 462) $$, 'Olist, D28: all leads, customers and revenue, both ways');
SELECT results_eq($$ SELECT CASE source WHEN '(none)' THEN 'unknown' ELSE source END, sum(leads)::bigint, sum(customers)::bigint, round(100.0 * sum(customers) / sum(leads), 2)
		FROM source_performance WHERE basis = 'cohort' GROUP BY 1 ORDER BY 1 $$,
	$$ VALUES ('direct_traffic', 499::bigint, 56::bigint, 11.22), ('display', 118, 6, 5.08), ('email', 493, 15, 3.04),
			  ('organic_search', 2296, 271, 11.80), ('other', 150, 4, 2.67), ('other_publicities', 65, 3, 4.62),
			  ('paid_search', 1586, 195, 12.30), ('referral', 284, 24, 8.45), ('social', 1350, 75, 5.56),
			  ('unknown', 1159, 193, 16.65) $$, 'Olist, D28: by origin as published');
SELECT results_eq($$ SELECT to_char(month, 'YYYY-MM'), round(100.0 * sum(customers) / sum(leads), 2) FROM source_performance
		WHERE basis = 'cohort' AND month BETWEEN '2017-07-01' AND '2018-05-01' GROUP BY 1 ORDER BY 1 $$,
	$$ VALUES ('2017-07', 0.84), ('2017-08', 2.33), ('2017-09', 2.24), ('2017-10', 3.37), ('2017-11', 4.04),
			  ('2017-12', 5.50), ('2018-01', 13.32), ('2018-02', 14.49), ('2018-03', 14.22), ('2018-04', 13.54),
			  ('2018-05', 9.98) $$, 'Olist, D28: by month as published');
SELECT results_eq($$ SELECT model, source, sum(amount), count(DISTINCT deal_id) FROM attribution GROUP BY 1, 2 ORDER BY 1 $$,
	$$ SELECT m, '(none)', 676851.48, 842::bigint FROM unnest(_attribution_models()) AS m ORDER BY 1 $$, 'Olist, D24: nobody knows the touches');
SELECT results_eq($$ SELECT n, of_n, revenue, of_revenue FROM pareto WHERE among = 'customers' AND percent = 20 $$,
	$$ SELECT 169::bigint, 842::bigint, sum(amount), 676851.48 FROM (SELECT amount FROM deal WHERE amount IS NOT NULL ORDER BY amount DESC LIMIT 169) AS d $$, 'Olist, R002-14: the best fifth of the sellers');
SELECT results_eq($$ SELECT milestone, deals, mean_amount, margin_from FROM lead_worth $$,
	$$ VALUES ('mql', 380::bigint, round(676851.48 / 380, 2), 'amount') $$, 'Olist, D20: without margins the amounts');
SELECT is((SELECT sum(entered) FROM funnel_monthly WHERE milestone = 'mql'), 8000::numeric,
	'Olist: the months add up to all MQLs');
SELECT is((SELECT array_agg(DISTINCT stage || ' ' || deals_won) FROM lead WHERE lead_id NOT IN
		(SELECT lead_id FROM lead_journey WHERE customer_at < mql_at)), '{"customer 1","mql 0"}'::text[],
	'Olist, D11: exactly the customers have a won deal');
SELECT is_empty($$ SELECT * FROM check_funnel('olist') WHERE finding <> 'deal_unpriced' $$, 'Olist: check_funnel() finds nothing after rebuild_history()');
\else
SET LOCAL search_path = pgtap;
SELECT plan(1);
SELECT skip('no real data: set LQ_DATA', 1);
\endif
SELECT * FROM finish();
ROLLBACK;
