-- What steps cost and sources are worth: cost_per_stage, source_performance,
-- pipeline, lead_worth, pareto and the open deals of funnel, by hand.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(31);
SELECT create_funnel('f', 'Europe/Berlin', 'EUR');
SET LOCAL search_path = f, public, pg_temp;
SET LOCAL lead_qual.clock = '2026-09-15 12:00Z';
SAVEPOINT nothing;

-- nothing is there
SELECT is_empty('SELECT * FROM ' || v, 'empty: ' || v) FROM unnest('{monthly_spend,cost_per_stage,source_performance}'::text[]) AS v;
SELECT results_eq('SELECT source, deals, amount, target, coverage FROM pipeline', $$ VALUES ('(all)', 0::bigint, 0::numeric, NULL::numeric, NULL::numeric) $$, 'empty: pipeline');
SELECT results_eq('SELECT milestone, n, probability, expected_value, rule_of_thumb FROM lead_worth ORDER BY position',
	$$ SELECT m, 0::bigint, NULL::numeric, NULL::numeric, NULL::numeric FROM unnest('{lead,mql,sal,sql,opportunity}'::text[]) AS m $$, 'empty: lead_worth');
SELECT is((SELECT array_agg(DISTINCT concat_ws(' ', n, revenue, share)) FROM pareto), '{"0 0"}'::text[], 'empty: pareto');
-- spend without leads, one lead without spend
INSERT INTO spend (department, source, starts_on, ends_on, amount) VALUES ('sales', NULL, '2026-01-01', '2026-01-31', 10), ('marketing', NULL, '2026-01-01', '2026-01-31', -10), ('sales', 'event', '2026-01-01', '2026-01-31', 0);
SELECT results_eq($$ SELECT source, entered, cost, marketing_cost, sales_cost, cost_per_entry FROM cost_per_stage WHERE milestone = 'lead' AND month = '2026-01-01' ORDER BY source COLLATE "C" $$,
	$$ VALUES ('(overhead)', 0::bigint, 0::numeric, -10::numeric, 10::numeric, NULL::numeric), ('event', 0, 0, 0, 0, NULL) $$, 'spend without leads, a refund and a zero: no error');
SELECT results_eq($$ SELECT basis, source, cost, roi, margin_roi, pay_back_days FROM source_performance WHERE basis = 'period' AND month = '2026-01-01' ORDER BY basis, source COLLATE "C" $$,
	$$ VALUES ('period', '(overhead)', 0::numeric, NULL::numeric, NULL::numeric, NULL::bigint), ('period', 'event', 0, NULL, NULL, NULL) $$, 'D28: a cost of 0 has no return');
DELETE FROM spend;
INSERT INTO lead (lead_id) VALUES (1);
SELECT results_eq('SELECT basis, month, source, cost, leads, cost_per_lead, roi FROM source_performance ORDER BY basis',
	$$ VALUES ('cohort', date '2026-09-01', '(none)', 0::numeric, 1::bigint, 0::numeric, NULL::numeric), ('period', '2026-09-01', '(none)', 0, 1, 0, NULL) $$, 'one lead, no spend');
SELECT is((SELECT array_agg(DISTINCT n ORDER BY n) FROM pareto WHERE among = 'leads'), '{1}'::bigint[], 'one lead is its best percent');
ROLLBACK TO nothing;

-- ten units of two sources, loaded
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, email, source, campaign, stage) SELECT n, n || '@example.com', CASE WHEN n <= 6 THEN 'event' ELSE 'social' END, CASE WHEN n <= 2 THEN 'fair' END, 'lead' FROM generate_series(1, 10) AS n;
INSERT INTO stage_history (lead_id, to_stage, entered_at, source, campaign) SELECT l.lead_id, m.stage, m.at + l.lead_id * interval '1 hour', l.source, l.campaign
	FROM lead AS l, (VALUES ('lead', timestamptz '2026-01-05Z', 10), ('mql', '2026-01-10Z', 8), ('sal', '2026-01-12Z', 4), ('sql', '2026-02-02Z', 4), ('opportunity', '2026-02-05Z', 3), ('customer', '2026-03-01Z', 2)) AS m (stage, at, upto)
	WHERE l.lead_id <= m.upto;
INSERT INTO deal (deal_id, amount, margin, status, opened_at, closed_at) VALUES (1, 20000, 5000, 'won', '2026-02-05Z', '2026-03-01Z'), (2, 10000, 2500, 'won', '2026-02-05Z', '2026-03-11Z'), (3, 3000, NULL, 'open', '2026-02-05Z', NULL),
	(4, 70, NULL, 'open', '2026-02-05Z', NULL), (5, NULL, NULL, 'open', '2026-02-05Z', NULL), (6, 900, NULL, 'lost', '2026-02-05Z', '2026-02-07Z');
INSERT INTO deal_contact (deal_id, lead_id) VALUES (1, 1), (2, 2), (3, 3), (3, 7), (4, 8), (5, 1);
INSERT INTO spend (department, source, campaign, starts_on, ends_on, amount) VALUES ('marketing', 'event', 'fair', '2026-01-01', '2026-01-31', 6000), ('sales', 'event', NULL, '2026-01-01', '2026-02-28', 590), ('marketing', 'social', NULL, '2026-02-01', '2026-02-28', 100),
	('marketing', NULL, NULL, '2026-02-01', '2026-02-28', 100.01), ('sales', NULL, NULL, '2026-02-01', '2026-02-28', 33.33);
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('f') \g /dev/null

SELECT results_eq($$ SELECT milestone, source, campaign, entered, cost, cost_per_entry FROM cost_per_stage WHERE month = '2026-01-01' AND milestone IN ('lead', 'mql', 'sql') ORDER BY milestone, source, campaign $$, $$ VALUES
	('lead', 'event', 'fair', 2::bigint, 6000::numeric, 3000::numeric), ('lead', 'event', NULL, 4, 310, 77.5), ('lead', 'social', NULL, 4, 0, 0),
	('mql', 'event', 'fair', 2, 6000, 3000), ('mql', 'event', NULL, 4, 310, 77.5), ('mql', 'social', NULL, 2, 0, 0),
	('sql', 'event', 'fair', 0, 6000, NULL), ('sql', 'event', NULL, 0, 310, NULL), ('sql', 'social', NULL, 0, 0, NULL) $$, 'D7: what a lead, an MQL and an SQL cost, by campaign');
SELECT results_eq($$ SELECT source, campaign, entered, direct_cost, overhead, marketing_cost, sales_cost, cost_per_entry FROM cost_per_stage WHERE month = '2026-02-01' AND milestone = 'sql' ORDER BY source, campaign $$, $$ VALUES
	('event', 'fair', 2::bigint, 0::numeric, 66.67, 50.01, 16.66, 33.335), ('event', NULL, 2, 280, 66.67, 50.00, 296.67, 173.335), ('social', NULL, 0, 100, 0, 100, 0, NULL) $$,
	'D7: overhead by the SQLs of the campaigns, of each department to the cent');
SELECT is((SELECT sum(cost) FROM cost_per_stage WHERE milestone = 'mql'), (SELECT sum(amount) FROM spend), 'D7: cost is spend');

-- D28
SELECT results_eq($$ SELECT source, campaign, cost, leads, mqls, sqls, customers, cost_per_sql, cost_per_customer, revenue, margin, roi, margin_roi, pay_back_days, paid_back, mature
	FROM source_performance WHERE basis = 'cohort' AND month = '2026-01-01' ORDER BY source, campaign $$, $$ VALUES
	('event', 'fair', 6000::numeric, 2::bigint, 2::bigint, 2::bigint, 2::bigint, 3000::numeric, 3000::numeric, 30000::numeric, 7500::numeric, 4.0000, 0.2500, 69::bigint, 1.2500, true),
	('event', NULL, 310, 4, 4, 2, 0, 155, NULL, 0, 0, -1, -1, NULL, 0, true), ('social', NULL, 0, 4, 2, 0, 0, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, true) $$,
	'R000-18, D28: the cohort of January: cost, leads, return, and the day that it is paid back');
SELECT results_eq($$ SELECT month, source, campaign, cost, leads, sqls, customers, deals, revenue FROM source_performance WHERE basis = 'period' AND (cost <> 0 OR leads + sqls + deals > 0) ORDER BY month, source, campaign $$, $$ VALUES
	(date '2026-01-01', 'event', 'fair', 6000::numeric, 2::bigint, 0::bigint, 0::bigint, 0::bigint, 0::numeric), ('2026-01-01', 'event', NULL, 310, 4, 0, 0, 0, 0), ('2026-01-01', 'social', NULL, 0, 4, 0, 0, 0, 0),
	('2026-02-01', 'event', 'fair', 66.67, 0, 2, 0, 0, 0), ('2026-02-01', 'event', NULL, 346.67, 0, 2, 0, 0, 0), ('2026-02-01', 'social', NULL, 100, 0, 0, 0, 0, 0),
	('2026-03-01', 'event', 'fair', 0, 0, 0, 2, 2, 30000) $$, 'D28: and what happened in each month');
UPDATE deal SET margin = NULL WHERE deal_id = 2;
SELECT results_eq($$ SELECT margin, margin_roi, pay_back_days, paid_back, n_without_margin FROM source_performance WHERE basis = 'cohort' AND campaign = 'fair' AND month = '2026-01-01' $$,
	$$ VALUES (NULL::numeric, NULL::numeric, NULL::bigint, NULL::numeric, 1::bigint) $$, 'D28: a margin that is known in part is not known');
UPDATE deal SET margin = 1000 WHERE deal_id IN (1, 2);
SELECT results_eq($$ SELECT pay_back_days, paid_back FROM source_performance WHERE basis = 'cohort' AND campaign = 'fair' AND month = '2026-01-01' $$, $$ VALUES (NULL::bigint, 0.3333) $$, 'D28: not paid back yet: the share so far');

-- R003-22
UPDATE deal SET margin = 5000 WHERE deal_id = 1;
UPDATE deal SET margin = NULL WHERE deal_id = 2;
SELECT results_eq($$ SELECT milestone, n, customers, probability, mean_amount, mean_margin, margin_from, expected_value, affordable_cost, rule_of_thumb FROM lead_worth ORDER BY position $$, $$ VALUES
	('lead', 10::bigint, 2::bigint, 0.2000, 15000.00, 3750.00, 'margin', 750.00, 150.00, 750.00), ('mql', 8, 2, 0.2500, 15000, 3750, 'margin', 937.5, 187.5, 750),
	('sal', 4, 2, 0.5, 15000, 3750, 'margin', 1875, 375, 750), ('sql', 4, 2, 0.5, 15000, 3750, 'margin', 1875, 375, 750), ('opportunity', 3, 2, 0.6667, 15000, 3750, 'margin', 2500, 500, 750) $$,
	'D20: what a lead is worth: mean amount by margin over amount of the deals that have both');
DELETE FROM deal WHERE deal_id = 2;
SELECT results_eq('SELECT DISTINCT mean_margin, rule_of_thumb FROM lead_worth', $$ VALUES (5000.00, 1000.00) $$, 'R003-22: 20 % of a net profit of 5,000 is 1,000');
UPDATE deal SET margin = NULL;
SELECT results_eq('SELECT DISTINCT mean_margin, margin_from FROM lead_worth', $$ VALUES (20000.00, 'amount') $$, 'D20: without margins the amount, and it says so');
UPDATE setting SET maturity_days = 3650;
SELECT is((SELECT max(n) FROM lead_worth), 0::bigint, 'D20: only mature months');
UPDATE setting SET maturity_days = 90;

-- what is open
SELECT results_eq($$ SELECT milestone, open_deals, open_amount FROM funnel WHERE open_deals > 0 ORDER BY position $$,
	$$ SELECT st.milestone, count(*), coalesce(sum(amount), 0)::numeric FROM (VALUES (3, 3000), (1, NULL), (8, 70)) AS d (lead_id, amount) JOIN lead AS l USING (lead_id) JOIN stage AS st USING (stage) JOIN unnest(_milestones()) WITH ORDINALITY AS m (milestone, n) USING (milestone) GROUP BY 1, m.n ORDER BY m.n $$,
	'open deals by stage, each where its furthest contact is');
INSERT INTO target (metric, starts_on, ends_on, source, value) VALUES ('revenue', '2026-01-01', '2026-12-31', NULL, 30000), ('revenue', '2026-01-01', '2026-12-31', 'event', 25000), ('revenue', '2026-09-01', '2026-09-30', 'email', 50),
	('revenue', '2026-01-01', '2026-01-31', NULL, 7), ('entries:sql', '2026-01-01', '2026-12-31', NULL, 7);
SELECT results_eq($$ SELECT source, deals, amount, n_unpriced, target, won, remaining, coverage FROM pipeline ORDER BY source COLLATE "C" $$, $$ VALUES
	('(all)', 3::bigint, 3070::numeric, 1::bigint, 30000::numeric, 20000::numeric, 10000::numeric, 0.3070), ('email', 0, 0, 0, 50, 0, 50, 0), ('event', 2, 3000, 1, 25000, 20000, 5000, 0.6000), ('social', 1, 70, 0, NULL, NULL, NULL, NULL) $$,
	'open deals by source, and how far they cover the target');
UPDATE target SET value = 15000 WHERE metric = 'revenue' AND source = 'event';
SELECT results_eq($$ SELECT remaining, coverage FROM pipeline WHERE source = 'event' $$, $$ VALUES (0::numeric, NULL::numeric) $$, 'a target that is reached needs no cover');

-- pareto: 20 leads, 5 customers
DELETE FROM deal;
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, email) SELECT n, n || '@example.com' FROM generate_series(11, 20) AS n;
INSERT INTO stage_history (lead_id, to_stage, entered_at) SELECT n, 'lead', '2026-02-01Z' FROM generate_series(11, 20) AS n;
INSERT INTO deal (deal_id, amount, status, opened_at, closed_at) VALUES (11, 700, 'won', '2026-02-05Z', '2026-03-01Z'), (12, 100, 'won', '2026-02-05Z', '2026-03-01Z'), (13, 100, 'won', '2026-02-05Z', '2026-03-01Z'), (14, 50, 'won', '2026-02-05Z', '2026-03-01Z'), (15, 50, 'won', '2026-02-05Z', '2026-03-01Z'), (16, 99, 'won', '2026-02-05Z', '2026-03-01Z');
INSERT INTO deal_contact (deal_id, lead_id) VALUES (11, 11), (12, 12), (13, 13), (14, 14), (15, 15);
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('f') \g /dev/null
SELECT results_eq('SELECT among, percent, n, of_n, revenue, share FROM pareto ORDER BY among DESC, percent', $$ VALUES
	('leads', 1::bigint, 1::bigint, 20::bigint, 700::numeric, 0.7000), ('leads', 5, 1, 20, 700, 0.7), ('leads', 10, 2, 20, 800, 0.8), ('leads', 20, 4, 20, 950, 0.95),
	('customers', 1, 1, 5, 700, 0.7), ('customers', 5, 1, 5, 700, 0.7), ('customers', 10, 1, 5, 700, 0.7), ('customers', 20, 1, 5, 700, 0.7) $$, 'R002-14: the revenue of the best, of all leads and of customers');
UPDATE deal SET amount = 0, home_amount = 0;
SELECT is((SELECT count(share) FROM pareto), 0::bigint, 'R002-14: of nothing there is no share');
UPDATE deal SET status = 'lost';
SELECT lives_ok('TABLE ' || v, 'all lost: ' || v) FROM unnest('{source_performance,pipeline,lead_worth,pareto,attribution_summary}'::text[]) AS v;

SELECT * FROM finish();
ROLLBACK;
