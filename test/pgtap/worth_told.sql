-- What steps cost and sources are worth, on a funnel of random operations:
-- against the history itself, and sums against each other.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(19);
\ir helper/random_funnel.sql
UPDATE operation SET share = 3 * share WHERE name IN ('deal', 'close a deal');
SELECT isnt_empty('SELECT * FROM pg_temp.random_operations(1500, 0.4)', 'a funnel');
UPDATE setting SET time_zone = 'Australia/Lord_Howe', maturity_days = 20;
UPDATE deal SET margin = CASE WHEN deal_id % 6 > 0 THEN round((deal_id * 7919 % 1000)::numeric - 300, 2) END;
INSERT INTO spend (department, source, campaign, starts_on, ends_on, amount, currency)
SELECT (ARRAY['marketing', 'sales'])[1 + n % 2], (ARRAY['event', 'social', NULL, 'print'])[1 + n % 4], (ARRAY['c0', 'c1', NULL])[1 + n % 3], d, d + n * 7 % 90,
	   round((hashint4(n) % 100000 / 37.0)::numeric, 2 + n % 2), CASE WHEN n % 11 = 0 THEN 'USD' END
FROM generate_series(1, 120) AS n, LATERAL (SELECT date '2025-11-20' + n * 2 AS d) AS x;

CREATE TEMP TABLE won AS TABLE won_deal;

-- D1: entries, by a look at each move
CREATE TEMP VIEW told_entry AS
SELECT e.milestone, date_trunc('month', e.entered_at AT TIME ZONE s.time_zone)::date AS month, e.source,
	   CASE WHEN e.milestone IN ('mql', 'sql') THEN e.campaign
			ELSE (SELECT h.campaign FROM stage_history AS h WHERE h.lead_id = e.lead_id AND h.cycle = e.cycle AND h.voided_at IS NULL
				  ORDER BY h.entered_at, h.ordinal, h.history_id LIMIT 1) END AS campaign
FROM milestone_entry AS e, setting AS s WHERE e.milestone = ANY ('{lead,mql,sal,sql,opportunity,customer}');
SELECT is_empty($$ (SELECT milestone, month, source, campaign, entered FROM cost_per_stage WHERE entered > 0 EXCEPT ALL SELECT milestone, month, source, campaign, count(*) FROM told_entry GROUP BY 1, 2, 3, 4)
	UNION ALL (SELECT milestone, month, source, campaign, count(*) FROM told_entry GROUP BY 1, 2, 3, 4 EXCEPT ALL SELECT milestone, month, source, campaign, entered FROM cost_per_stage WHERE entered > 0) $$, 'D1: entries of every milestone, month, source and campaign');
SELECT is_empty('SELECT milestone, month, source, campaign FROM cost_per_stage GROUP BY 1, 2, 3, 4 HAVING count(*) > 1', 'one row each');
SELECT is_empty('SELECT FROM cost_per_stage GROUP BY month, source, campaign HAVING count(*) <> 6', 'and one for each milestone');

-- D7: cost
CREATE TEMP VIEW told_spend AS SELECT p.*, d::date AS day, p.amount / (p.ends_on - p.starts_on + 1) AS part FROM spend AS p, generate_series(p.starts_on::timestamp, p.ends_on, '1 day') AS d
	WHERE coalesce(p.currency, 'EUR') = 'EUR';
SELECT is_empty($$ SELECT m.month, m.department, m.source, m.campaign, m.amount, t.amount FROM monthly_spend AS m
	LEFT JOIN (SELECT date_trunc('month', day)::date AS month, department, source, campaign, sum(part) AS amount, count(DISTINCT spend_id) AS n FROM told_spend GROUP BY 1, 2, 3, 4) AS t
	ON t.month = m.month AND t.department = m.department AND concat_ws('|', t.source, '-', t.campaign) = concat_ws('|', m.source, '-', m.campaign)
	WHERE abs(m.amount - coalesce(t.amount, 0)) > 0.01 * coalesce(t.n, 0) $$, 'D7: an expense by the days of its period');
SELECT results_eq('SELECT sum(amount) FROM monthly_spend', 'SELECT sum(amount) FROM spend WHERE coalesce(currency, ''EUR'') = ''EUR''', 'D7: to the cent');
SELECT is_empty($$ SELECT * FROM (SELECT milestone, month, sum(cost) AS cost, sum(marketing_cost) AS m, sum(sales_cost) AS s FROM cost_per_stage GROUP BY 1, 2) AS c
	JOIN (SELECT month, sum(amount) AS cost, sum(amount) FILTER (WHERE department = 'marketing') AS m, sum(amount) FILTER (WHERE department = 'sales') AS s FROM monthly_spend GROUP BY 1) AS p USING (month)
	WHERE (c.cost, c.m, c.s) IS DISTINCT FROM (p.cost, coalesce(p.m, 0), coalesce(p.s, 0)) $$, 'D7: costs of every month and department are what was spent, whatever the milestone');
SELECT is_empty($$ (SELECT month, source, sum(direct_cost), sum(overhead), sum(cost), sum(entered), sum(n_foreign) FROM cost_per_stage WHERE milestone = 'sql' GROUP BY 1, 2 HAVING sum(entered) > 0 OR sum(cost) <> 0 OR sum(n_foreign) > 0 EXCEPT ALL SELECT month, source, direct_cost, overhead, cost, sqls, n_foreign FROM cost_per_sql WHERE sqls > 0 OR cost <> 0 OR n_foreign > 0)
	UNION ALL (SELECT month, source, direct_cost, overhead, cost, sqls, n_foreign FROM cost_per_sql WHERE sqls > 0 OR cost <> 0 OR n_foreign > 0 EXCEPT ALL SELECT month, source, sum(direct_cost), sum(overhead), sum(cost), sum(entered), sum(n_foreign) FROM cost_per_stage WHERE milestone = 'sql' GROUP BY 1, 2 HAVING sum(entered) > 0 OR sum(cost) <> 0 OR sum(n_foreign) > 0) $$, 'D7: campaigns add up to the source, in cents: cost_per_sql');
SELECT is_empty($$ SELECT * FROM cost_per_stage AS c JOIN (SELECT month, source, campaign, sum(amount) AS amount FROM monthly_spend WHERE source IS NOT NULL GROUP BY 1, 2, 3) AS p
	ON p.month = c.month AND p.source = c.source AND p.campaign IS NOT DISTINCT FROM c.campaign WHERE c.direct_cost <> p.amount $$, 'D7: direct cost of a campaign');
SELECT is_empty($$ SELECT * FROM cost_per_stage AS a JOIN cost_per_stage AS b ON b.month = a.month AND b.milestone = a.milestone AND a.entered > 0 AND b.entered > 0 AND a.milestone = 'sql'
	WHERE abs(a.overhead / a.entered - b.overhead / b.entered) > 0.02 $$, 'D7: overhead by SQLs');

-- D28
CREATE TEMP TABLE told_unit AS
SELECT date_trunc('month', j.started_at AT TIME ZONE s.time_zone)::date AS month, j.source, j.campaign, j.mql_at, j.sql_at, j.customer_at,
	   (SELECT count(*) FROM won AS w WHERE w.lead_id = j.lead_id AND w.cycle = j.cycle) AS deals, (SELECT coalesce(sum(w.amount), 0) FROM won AS w WHERE w.lead_id = j.lead_id AND w.cycle = j.cycle) AS revenue
FROM lead_journey AS j, setting AS s;
SELECT is_empty($$ (SELECT month, source, campaign, leads, mqls, sqls, customers, deals, revenue FROM source_performance WHERE basis = 'cohort' AND leads > 0
	EXCEPT ALL SELECT month, source, campaign, count(*), count(mql_at), count(sql_at), count(customer_at), sum(deals)::bigint, sum(revenue) FROM told_unit GROUP BY 1, 2, 3)
	UNION ALL (SELECT month, source, campaign, count(*), count(mql_at), count(sql_at), count(customer_at), sum(deals)::bigint, sum(revenue) FROM told_unit GROUP BY 1, 2, 3
	EXCEPT ALL SELECT month, source, campaign, leads, mqls, sqls, customers, deals, revenue FROM source_performance WHERE basis = 'cohort' AND leads > 0) $$, 'D28: cohorts, and what became of them');
SELECT results_eq('SELECT basis, sum(cost), sum(revenue), sum(deals)::bigint FROM source_performance GROUP BY 1 ORDER BY 1',
	$$ SELECT b, (SELECT sum(amount) FROM monthly_spend), (SELECT sum(amount) FROM won_deal), (SELECT count(*) FROM won_deal) FROM unnest('{cohort,period}'::text[]) AS b $$, 'D28: by source and month, both ways: all that was spent, all that was won');
SELECT is_empty($$ SELECT date_trunc('month', w.closed_at AT TIME ZONE s.time_zone)::date, sum(w.amount), count(*) FROM won_deal AS w, setting AS s GROUP BY 1 EXCEPT ALL SELECT month, sum(revenue), sum(deals)::bigint FROM source_performance WHERE basis = 'period' GROUP BY 1 $$, 'D28: revenue by month of the close');
-- the least day, by trying each
CREATE TEMP TABLE told_margin AS SELECT u.month, j.source, j.campaign, (w.closed_at AT TIME ZONE s.time_zone)::date - u.month AS day, e.margin
FROM setting AS s, won_deal AS w JOIN deal AS e ON e.deal_id = w.deal_id JOIN lead_journey AS j ON j.lead_id = w.lead_id AND j.cycle = w.cycle,
	LATERAL (SELECT date_trunc('month', j.started_at AT TIME ZONE s.time_zone)::date AS month FROM setting AS s) AS u;
SELECT is_empty($$ SELECT * FROM source_performance AS p WHERE p.basis = 'cohort' AND p.cost > 0 AND p.margin IS NOT NULL AND p.pay_back_days IS DISTINCT FROM
	(SELECT min(d.day) FROM told_margin AS d WHERE p.cost <= (SELECT sum(m.margin) FROM told_margin AS m WHERE m.month = p.month AND m.source = p.source AND m.campaign IS NOT DISTINCT FROM p.campaign AND m.day <= d.day)
	 AND d.month = p.month AND d.source = p.source AND d.campaign IS NOT DISTINCT FROM p.campaign) $$, 'D28: the day by which the margin covers the cost');
-- the others
SELECT is_empty($$ SELECT * FROM pipeline AS p JOIN (SELECT count(*) AS n, coalesce(sum(coalesce(home_amount, CASE WHEN currency IS NULL OR currency = 'EUR' THEN amount END)), 0) AS amount FROM deal WHERE status = 'open') AS d ON true
	WHERE p.source = '(all)' AND (p.deals, p.amount) <> (d.n, d.amount) $$, 'open deals: all of them');
SELECT results_eq($$ SELECT sum(deals)::bigint, sum(amount) FROM pipeline WHERE source <> '(all)' $$, $$ SELECT deals, amount FROM pipeline WHERE source = '(all)' $$, 'open deals: by source');
SELECT results_eq($$ SELECT milestone, open_deals, open_amount FROM funnel WHERE open_deals > 0 ORDER BY 1 $$, $$ SELECT milestone, count(*), coalesce(sum(amount), 0) FROM (
	SELECT DISTINCT ON (d.deal_id) st.milestone, coalesce(d.home_amount, CASE WHEN d.currency IS NULL OR d.currency = 'EUR' THEN d.amount END) AS amount
	FROM deal AS d JOIN deal_contact AS k USING (deal_id) JOIN lead AS l USING (lead_id) JOIN stage AS st USING (stage) WHERE d.status = 'open' AND st.milestone NOT IN ('nurture', 'disqualified', 'lost')
	ORDER BY d.deal_id, array_position('{lead,mql,sal,sql,opportunity,customer}', st.milestone) DESC) AS x GROUP BY 1 ORDER BY 1 $$, 'open deals: by stage');
SELECT results_eq('SELECT milestone, n, customers FROM lead_worth ORDER BY position', $$ SELECT m, count(*) FILTER (WHERE e.ripe), count(*) FILTER (WHERE e.ripe AND c.entered_at >= e.entered_at)
	FROM unnest('{lead,mql,sal,sql,opportunity}'::text[]) WITH ORDINALITY AS u (m, o)
	LEFT JOIN (SELECT e.*, (date_trunc('month', e.entered_at AT TIME ZONE s.time_zone) + '1 month' + s.maturity_days * interval '1 day') AT TIME ZONE s.time_zone <= funnel_now() AS ripe FROM milestone_entry AS e, setting AS s) AS e ON e.milestone = m
	LEFT JOIN milestone_entry AS c ON c.lead_id = e.lead_id AND c.cycle = e.cycle AND c.milestone = 'customer' GROUP BY m, o ORDER BY o $$, 'D20: rates of mature months');
CREATE TEMP TABLE told_lead AS SELECT l.lead_id, coalesce(sum(w.amount), 0) AS revenue, count(w.deal_id) AS deals
FROM (SELECT DISTINCT lead_id FROM stage_history WHERE voided_at IS NULL) AS l LEFT JOIN won AS w ON w.lead_id = l.lead_id GROUP BY 1;
SELECT is_empty($$ SELECT * FROM pareto AS p, LATERAL (SELECT coalesce(sum(revenue), 0) AS revenue FROM (SELECT revenue FROM told_lead ORDER BY 1 DESC LIMIT p.n) AS x) AS t
	WHERE p.revenue <> t.revenue OR p.n <> ceil(p.of_n * p.percent / 100.0) OR p.of_n <> (SELECT count(*) FROM told_lead WHERE p.among = 'leads' OR deals > 0) $$, 'R002-14: the best, by sorting all');

SELECT * FROM finish();
ROLLBACK;
