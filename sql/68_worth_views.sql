--
-- Views of a funnel: what each step costs, what each source is worth
--
CREATE FUNCTION _create_worth_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	entries text;
	mature text;
	rungs text;
BEGIN
	-- mql and sql have a campaign of their own
	SELECT string_agg(format($query$
			SELECT %1$L AS milestone, u.month, u.source, u.campaign, count(*) AS entered
			FROM (SELECT _month_of(j.%1$I_at, s.time_zone) AS month,
						 coalesce(j.%1$I_source, '(none)') AS source, j.%2$I AS campaign
				  FROM journey j
				  JOIN setting s ON s.only_row = (j.%1$I_at IS NOT NULL)
				  OFFSET '0') u
			GROUP BY u.month, u.source, u.campaign$query$,
			m.milestone, CASE WHEN m.milestone IN ('mql', 'sql') THEN m.milestone || '_campaign' ELSE 'campaign' END),
			' UNION ALL ' ORDER BY m.position),
		   string_agg(format('count(*) FILTER (WHERE j.%1$I_at < b.until) AS %2$I, '
							 'count(*) FILTER (WHERE j.%1$I_at < b.until AND j.customer_at >= j.%1$I_at) AS %3$I',
							 m.milestone, m.milestone || ' n', m.milestone || ' won'), ', '),
		   string_agg(format('(%L, t.%I, t.%I)', m.milestone, m.milestone || ' n', m.milestone || ' won'), ', ')
		INTO entries, mature, rungs
	FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position)
	WHERE NOT _is_exit(m.milestone);

	--
	-- What cost_per_sql allocates to a source goes on to its campaigns, and of
	-- a month's overhead marketing's part to all of them: so every sum is that
	-- of the expenses, to the cent.
	--
	EXECUTE format($view$CREATE OR REPLACE VIEW cost_per_stage WITH (security_invoker = true) AS
	WITH entry AS (%s
	), expense AS (
		SELECT p.month, p.source, CASE WHEN p.source IS NOT NULL THEN p.campaign END AS campaign,
			   sum(p.amount) AS cost,
			   coalesce(sum(p.amount) FILTER (WHERE p.department = 'marketing'), 0) AS marketing,
			   sum(p.n_foreign)::bigint AS n_foreign
		FROM monthly_spend p
		GROUP BY p.month, p.source, CASE WHEN p.source IS NOT NULL THEN p.campaign END
	), charged AS (
		SELECT c.month, c.source, sh.campaign, sh.amount, sh.sqls
		FROM cost_per_sql c
		JOIN (SELECT e.month, e.source, array_agg(e.campaign ORDER BY e.campaign) AS campaigns,
					 array_agg(e.entered::numeric ORDER BY e.campaign) AS sqls
			  FROM entry e
			  WHERE e.milestone = 'sql'
			  GROUP BY e.month, e.source) q ON q.month = c.month AND q.source = c.source
		CROSS JOIN LATERAL unnest(q.campaigns, q.sqls, _share_out(c.overhead, q.sqls)) AS sh (campaign, sqls, amount)
		UNION ALL
		-- without SQLs it stays
		SELECT c.month, c.source, NULL::text AS campaign, c.overhead AS amount, 1 AS sqls
		FROM cost_per_sql c
		WHERE c.source = '(overhead)' AND c.month NOT IN (SELECT e.month FROM entry e WHERE e.milestone = 'sql')
	), overhead AS (
		SELECT g.month, sh.source, sh.campaign, sh.amount, sh.marketing
		FROM (SELECT c.month, array_agg(c.source ORDER BY c.source, c.campaign) AS sources,
					 array_agg(c.campaign ORDER BY c.source, c.campaign) AS campaigns,
					 array_agg(c.amount ORDER BY c.source, c.campaign) AS amounts,
					 -- expenses and refunds may be nothing together
					 CASE WHEN sum(c.amount) > 0 THEN array_agg(c.amount ORDER BY c.source, c.campaign)
						  WHEN sum(c.amount) < 0 THEN array_agg(-c.amount ORDER BY c.source, c.campaign)
						  ELSE array_agg(c.sqls ORDER BY c.source, c.campaign) END AS weights
			  FROM charged c
			  GROUP BY c.month) g
		JOIN expense x ON x.month = g.month AND x.source IS NULL
		CROSS JOIN LATERAL unnest(g.sources, g.campaigns, g.amounts, _share_out(x.marketing, g.weights))
			AS sh (source, campaign, amount, marketing)
	), part AS (
		SELECT x.month, x.source, x.campaign, x.cost AS direct, 0::numeric AS overhead, x.marketing, x.n_foreign
		FROM expense x
		WHERE x.source IS NOT NULL
		UNION ALL
		SELECT o.month, o.source, o.campaign, 0, o.amount, o.marketing, 0
		FROM overhead o
		UNION ALL
		SELECT x.month, '(overhead)' AS source, NULL AS campaign, 0, 0, 0, x.n_foreign
		FROM expense x
		WHERE x.source IS NULL AND x.n_foreign > 0
		UNION ALL
		SELECT e.month, e.source, e.campaign, 0, 0, 0, 0
		FROM entry e
	), series AS (
		SELECT p.source, p.campaign, row_number() OVER (ORDER BY count(*) DESC, p.source, p.campaign) AS rank
		FROM part p
		GROUP BY p.source, p.campaign
	), every AS (
		SELECT p.* FROM part p
		UNION ALL
		SELECT g.month, r.source, r.campaign, 0, 0, 0, 0
		FROM (SELECT min(p.month) AS month FROM part p) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN series r
		WHERE r.rank <= _most_series()
	), cost AS (
		SELECT p.month, p.source, p.campaign, sum(p.direct) AS direct, sum(p.overhead) AS overhead,
			   sum(p.direct + p.overhead) AS cost, sum(p.marketing) AS marketing, sum(p.n_foreign)::bigint AS n_foreign
		FROM every p
		GROUP BY p.month, p.source, p.campaign
	), step AS (
		SELECT m.milestone
		FROM unnest(_milestones()) AS m (milestone)
		WHERE NOT _is_exit(m.milestone) AND m.milestone IN (SELECT st.milestone FROM stage st)
	), counted AS (
		-- a campaign may be missing, so this is no join
		SELECT c.milestone, c.month, c.source, c.campaign, sum(c.entered)::bigint AS entered,
			   sum(c.direct) AS direct, sum(c.overhead) AS overhead, sum(c.cost) AS cost,
			   sum(c.marketing) AS marketing, sum(c.n_foreign)::bigint AS n_foreign
		FROM (SELECT s.milestone, k.month, k.source, k.campaign, 0::bigint AS entered,
					 k.direct, k.overhead, k.cost, k.marketing, k.n_foreign
			  FROM cost k
			  CROSS JOIN step s
			  UNION ALL
			  SELECT e.milestone, e.month, e.source, e.campaign, e.entered, 0, 0, 0, 0, 0
			  FROM entry e) c
		GROUP BY c.milestone, c.month, c.source, c.campaign
	)
	SELECT c.milestone AS milestone,
		   array_position(_milestones(), c.milestone)::bigint AS position,
		   c.month AS month,
		   c.source AS source,
		   c.campaign AS campaign,
		   c.entered AS entered,
		   c.direct AS direct_cost,
		   c.overhead AS overhead,
		   c.cost AS cost,
		   c.marketing AS marketing_cost,
		   c.cost - c.marketing AS sales_cost,
		   _money_per(c.cost, c.entered::numeric) AS cost_per_entry,
		   _money_per(c.marketing, c.entered::numeric) AS marketing_cost_per_entry,
		   _money_per(c.cost - c.marketing, c.entered::numeric) AS sales_cost_per_entry,
		   c.n_foreign AS n_foreign
	FROM counted c$view$, entries);

	PERFORM @extschema@._comment_view('cost_per_stage'::text, '
One row per milestone (lead to customer), month (in the funnel''s time zone), source and campaign: every month from the first with an expense or an entry to the present one, for every source and campaign with either, with zeros where there is none. Of more than 1,000 sources and campaigns only 1,000 have rows of zeros. Costs are those of the month, whatever the milestone: they add up to the expenses of the month, those of each department too, over sources and campaigns, and not over milestones.
milestone: milestone that was entered
position: order of the milestone
month: first day of the month
source: source of the entry, and of the expenses; (none): an entry without one; (overhead): what no source can be charged with
campaign: campaign, of entries as of that move for mql and sql, as of the begin of the unit for the others; NULL: none
entered: units (lead and cycle) that entered the milestone in the month
direct_cost: expenses for the source and campaign; one that names no campaign is not shared out among them
overhead: the source''s overhead of view cost_per_sql by the campaigns'' shares of its SQLs of the month, in cents that add up to it
cost: direct_cost + overhead, in setting.currency
marketing_cost: what of the cost is from department marketing
sales_cost: what of the cost is from department sales
cost_per_entry: cost / entered; NULL without entries
marketing_cost_per_entry: marketing_cost / entered; NULL without entries
sales_cost_per_entry: sales_cost / entered; NULL without entries
n_foreign: expenses in another currency than setting.currency, left out of the costs
'::text);

	CREATE OR REPLACE VIEW source_performance WITH (security_invoker = true) AS
	WITH spent AS (
		SELECT c.month, c.source, c.campaign, max(c.cost) AS cost, max(c.n_foreign) AS n_foreign,
			   coalesce(sum(c.entered) FILTER (WHERE c.milestone = 'lead'), 0)::bigint AS leads,
			   coalesce(sum(c.entered) FILTER (WHERE c.milestone = 'mql'), 0)::bigint AS mqls,
			   coalesce(sum(c.entered) FILTER (WHERE c.milestone = 'sql'), 0)::bigint AS sqls,
			   coalesce(sum(c.entered) FILTER (WHERE c.milestone = 'customer'), 0)::bigint AS customers
		FROM cost_per_stage c
		GROUP BY c.month, c.source, c.campaign
	), unit AS (
		SELECT u.month, u.source, u.campaign, count(*) AS leads, count(u.mql_at) AS mqls, count(u.sql_at) AS sqls, count(u.customer_at) AS customers
		FROM (SELECT _month_of(j.started_at, s.time_zone) AS month, coalesce(j.source, '(none)') AS source, j.campaign,
					 j.mql_at, j.sql_at, j.customer_at
			  FROM journey j
			  JOIN setting s ON s.only_row = (coalesce(j.lead_at, j.started_at) IS NOT NULL)
			  OFFSET '0') u
		GROUP BY u.month, u.source, u.campaign
	), won AS (
		SELECT _month_of(j.started_at, s.time_zone) AS begun_month, _month_of(d.closed_at, s.time_zone) AS closed_month,
			   coalesce(j.source, '(none)') AS source, j.campaign, w.amount, d.margin,
			   ((d.closed_at AT TIME ZONE s.time_zone)::date - _month_of(j.started_at, s.time_zone))::bigint AS day
		FROM won_deal w
		JOIN deal d ON d.deal_id = w.deal_id
		JOIN setting s ON s.only_row = (d.status = 'won')
		LEFT JOIN journey j ON j.lead_id = w.lead_id AND j.cycle = w.cycle
	), part AS (
		SELECT 'period' AS basis, c.month, c.source, c.campaign, c.cost, c.leads, c.mqls, c.sqls, c.customers,
			   0::bigint AS deals, 0::numeric AS revenue, 0::numeric AS margin, 0::bigint AS n_unpriced, 0::bigint AS n_without_margin, c.n_foreign
		FROM spent c
		UNION ALL
		SELECT 'cohort' AS basis, c.month, c.source, c.campaign, c.cost, 0, 0, 0, 0, 0, 0, 0, 0, 0, c.n_foreign
		FROM spent c
		UNION ALL
		SELECT 'cohort' AS basis, u.month, u.source, u.campaign, 0, u.leads, u.mqls, u.sqls, u.customers, 0, 0, 0, 0, 0, 0
		FROM unit u
		UNION ALL
		SELECT b.basis, b.month, w.source, w.campaign, 0, 0, 0, 0, 0, 1, coalesce(w.amount, 0), coalesce(w.margin, 0),
			   CASE WHEN w.amount IS NULL THEN 1 ELSE 0 END, CASE WHEN w.margin IS NULL AND w.amount IS DISTINCT FROM 0 THEN 1 ELSE 0 END, 0
		FROM won w
		CROSS JOIN LATERAL (VALUES ('cohort', w.begun_month), ('period', w.closed_month)) AS b (basis, month)
	), counted AS (
		SELECT p.basis, p.month, p.source, p.campaign, sum(p.cost) AS cost, sum(p.leads)::bigint AS leads, sum(p.mqls)::bigint AS mqls,
			   sum(p.sqls)::bigint AS sqls, sum(p.customers)::bigint AS customers, sum(p.deals)::bigint AS deals, sum(p.revenue) AS revenue,
			   CASE WHEN sum(p.n_without_margin) = 0 THEN sum(p.margin) END AS margin,
			   sum(p.n_unpriced)::bigint AS n_unpriced, sum(p.n_without_margin)::bigint AS n_without_margin, sum(p.n_foreign)::bigint AS n_foreign
		FROM part p
		GROUP BY p.basis, p.month, p.source, p.campaign
	), earned AS (
		-- by which day how much had come in
		SELECT w.begun_month AS month, w.source, w.campaign, w.day,
			   sum(sum(w.margin)) OVER (PARTITION BY w.begun_month, w.source, w.campaign ORDER BY w.day) AS margin
		FROM won w
		WHERE w.day IS NOT NULL
		GROUP BY w.begun_month, w.source, w.campaign, w.day
	), break_even AS (
		SELECT c.month, c.source, c.campaign, min(e.day) AS day
		FROM counted c
		JOIN earned e ON e.month = c.month AND e.source = c.source AND coalesce(e.campaign, '') = coalesce(c.campaign, '')
			AND (e.campaign IS NULL) = (c.campaign IS NULL)
		WHERE c.basis = 'cohort' AND c.cost > 0 AND c.margin IS NOT NULL AND e.margin >= c.cost
		GROUP BY c.month, c.source, c.campaign
	)
	SELECT c.basis AS basis,
		   c.month AS month,
		   c.source AS source,
		   c.campaign AS campaign,
		   c.cost AS cost,
		   c.leads AS leads,
		   c.mqls AS mqls,
		   c.sqls AS sqls,
		   c.customers AS customers,
		   _money_per(c.cost, c.leads::numeric) AS cost_per_lead,
		   _money_per(c.cost, c.mqls::numeric) AS cost_per_mql,
		   _money_per(c.cost, c.sqls::numeric) AS cost_per_sql,
		   _money_per(c.cost, c.customers::numeric) AS cost_per_customer,
		   c.deals AS deals,
		   c.revenue AS revenue,
		   c.margin AS margin,
		   CASE WHEN c.cost > 0 THEN _ratio(c.revenue - c.cost, c.cost) END AS roi,
		   CASE WHEN c.cost > 0 THEN _ratio(c.margin - c.cost, c.cost) END AS margin_roi,
		   p.day AS pay_back_days,
		   CASE WHEN c.basis = 'cohort' AND c.cost > 0 THEN _ratio(c.margin, c.cost) END AS paid_back,
		   CASE WHEN c.basis = 'cohort' THEN _mature_at(c.month, s.maturity_days::bigint, s.time_zone) <= funnel_now() END AS mature,
		   c.n_unpriced AS n_unpriced,
		   c.n_without_margin AS n_without_margin,
		   c.n_foreign AS n_foreign
	FROM counted c
	CROSS JOIN (SELECT x.maturity_days, x.time_zone FROM setting x LIMIT 1) s
	LEFT JOIN break_even p ON c.basis = 'cohort' AND p.month = c.month AND p.source = c.source
		AND coalesce(p.campaign, '') = coalesce(c.campaign, '') AND (p.campaign IS NULL) = (c.campaign IS NULL);

	PERFORM @extschema@._comment_view('source_performance'::text, '
Two kinds of rows, each of which has every expense and every won deal once, by month (in the funnel''s time zone), source and campaign: every month from the first with either or a lead to the present one. basis cohort tells what became of the units (lead and cycle) that began in the month, whenever; basis period what happened in the month.
basis: cohort or period
month: first day of the month; NULL: deals without a date, or without a unit
source: source, of a cohort as the unit began, of a period as view cost_per_stage has it; of deals as the unit began that won_deal credits; (none) and (overhead) as there
campaign: campaign, likewise
cost: what view cost_per_stage charges the source and campaign with in the month, in setting.currency
leads: units that began in the month; period: that entered lead
mqls: those of them that entered mql; period: units that entered it in the month
sqls: those of them that entered sql; period: likewise
customers: those of them that entered customer; period: likewise
cost_per_lead: cost / leads; NULL without leads
cost_per_mql: cost / mqls; NULL without MQLs
cost_per_sql: cost / sqls; NULL without SQLs
cost_per_customer: cost / customers; NULL without customers
deals: won deals of these units; period: won deals closed in the month
revenue: what they won, as view won_deal has it, in setting.currency
margin: profit in them; NULL where one has no margin, for a mix would tell nothing
roi: (revenue - cost) / cost, as a fraction; NULL without a cost
margin_roi: (margin - cost) / cost, as a fraction; NULL without a cost
pay_back_days: days from the first day of the month to the first by which the margin of deals closed until then is at least the cost; NULL: there is none yet, no cost, or a period
paid_back: margin / cost: the share that has come back so far, as a fraction; NULL without a cost, or for a period
mature: whether the month ended at least setting.maturity_days ago; NULL for a period
n_unpriced: of the deals, those without an amount in setting.currency, which add nothing to the revenue
n_without_margin: of the deals, those without a margin
n_foreign: expenses in another currency than setting.currency, left out of the cost
'::text);

	CREATE OR REPLACE VIEW pipeline WITH (security_invoker = true) AS
	WITH today AS (
		SELECT s.time_zone, s.currency, (funnel_now() AT TIME ZONE s.time_zone)::date AS day FROM setting s LIMIT 1
	), goal AS (
		SELECT coalesce(t.source, '(all)') AS source, t.starts_on, t.ends_on, t.value
		FROM target t
		CROSS JOIN today o
		WHERE t.metric = 'revenue' AND t.owner IS NULL AND o.day BETWEEN t.starts_on AND t.ends_on
	), ahead AS (
		SELECT coalesce(c.source, '(none)') AS source,
			   _home_amount(d.home_amount, d.amount, d.currency, o.currency) AS amount,
			   d.home_amount IS NULL AND d.amount IS NOT NULL AND coalesce(d.currency, o.currency) <> o.currency AS is_foreign
		FROM deal d
		CROSS JOIN today o
		LEFT JOIN LATERAL (
			SELECT j.source
			FROM deal_contact k
			JOIN journey j ON j.lead_id = k.lead_id
			WHERE k.deal_id = d.deal_id
			ORDER BY j.sql_at DESC NULLS LAST, j.started_at DESC, j.lead_id, j.cycle
			LIMIT 1) c ON true
		WHERE d.status = 'open'
	), behind AS (
		SELECT coalesce(j.source, '(none)') AS source, (w.closed_at AT TIME ZONE o.time_zone)::date AS day, w.amount
		FROM won_deal w
		CROSS JOIN today o
		LEFT JOIN journey j ON j.lead_id = w.lead_id AND j.cycle = w.cycle
		WHERE (w.closed_at AT TIME ZONE o.time_zone)::date BETWEEN (SELECT min(g.starts_on) FROM goal g) AND (SELECT max(g.ends_on) FROM goal g)
	), open AS (
		SELECT coalesce(a.source, '(all)') AS source, count(*) FILTER (WHERE a.source <> '') AS deals, coalesce(sum(a.amount), 0) AS amount,
			   count(*) FILTER (WHERE a.amount IS NULL AND NOT a.is_foreign) AS n_unpriced, count(*) FILTER (WHERE a.is_foreign) AS n_foreign
		FROM ahead a
		GROUP BY GROUPING SETS ((a.source), ())
	), row AS (
		SELECT o.source FROM open o
		UNION
		SELECT g.source FROM goal g
	)
	SELECT r.source AS source,
		   coalesce(o.deals, 0) AS deals,
		   coalesce(o.amount, 0) AS amount,
		   coalesce(o.n_unpriced, 0) AS n_unpriced,
		   coalesce(o.n_foreign, 0) AS n_foreign,
		   g.starts_on AS starts_on,
		   g.ends_on AS ends_on,
		   g.value AS target,
		   w.amount AS won,
		   CASE WHEN g.value IS NOT NULL THEN greatest(g.value - w.amount, 0) END AS remaining,
		   CASE WHEN g.value IS NOT NULL THEN _ratio(coalesce(o.amount, 0), greatest(g.value - w.amount, 0)) END AS coverage
	FROM row r
	LEFT JOIN open o ON o.source = r.source
	LEFT JOIN goal g ON g.source = r.source
	LEFT JOIN LATERAL (
		SELECT coalesce(sum(b.amount), 0) AS amount
		FROM behind b
		WHERE b.day >= g.starts_on AND b.day <= g.ends_on AND (r.source = '(all)' OR b.source = r.source)) w ON g.value IS NOT NULL;

	PERFORM @extschema@._comment_view('pipeline'::text, '
One row per source and current target of metric revenue (table target, not of an owner); a source without a target, and the row (all), once. Coverage of 3 means that a third of what is open must be won.
source: source of the deals: of the unit of its contacts with the latest entered(sql), or else that began last; (none): it has none; (all): all deals, and targets without a source
deals: open deals, each once
amount: what they are worth, in setting.currency
n_unpriced: open deals without an amount, which add nothing
n_foreign: open deals with an amount in another currency, which add nothing
starts_on: first day of the target''s period
ends_on: last day of the target''s period
target: what is to be won from the source in these days; NULL without a target
won: what deals of the source closed in these days have won so far
remaining: target - won, not below 0
coverage: amount / remaining, as a fraction; NULL where nothing remains, or without a target
'::text);

	EXECUTE format($view$CREATE OR REPLACE VIEW lead_worth WITH (security_invoker = true) AS
	WITH bound AS (
		-- since when months are not mature
		SELECT (date_trunc('month', funnel_now() AT TIME ZONE s.time_zone - s.maturity_days * interval '1 day')) AT TIME ZONE s.time_zone AS until,
			   s.worth_rate
		FROM setting s
		LIMIT 1
	), told AS (
		SELECT %1$s
		FROM journey j
		CROSS JOIN bound b
	), won AS (
		SELECT count(w.amount) AS deals, avg(w.amount) AS amount,
			   sum(d.margin) FILTER (WHERE w.amount IS NOT NULL AND d.margin IS NOT NULL) AS margin,
			   NULLIF(sum(w.amount) FILTER (WHERE d.margin IS NOT NULL), 0) AS margin_of
		FROM won_deal w
		JOIN deal d ON d.deal_id = w.deal_id
	), worth AS (
		SELECT w.deals, w.amount, coalesce(w.amount * w.margin / w.margin_of, w.amount) AS margin,
			   CASE WHEN w.margin / w.margin_of IS NOT NULL THEN 'margin' WHEN w.amount IS NOT NULL THEN 'amount' END AS margin_from
		FROM won w
	), present AS (
		SELECT st.milestone, sum(l.leads)::bigint AS leads
		FROM (SELECT stage, count(*) AS leads FROM lead GROUP BY stage) l
		JOIN stage st ON st.stage = l.stage
		GROUP BY st.milestone
	), rung AS (
		SELECT row_number() OVER (ORDER BY m.position) AS position, m.milestone, r.n, r.won
		FROM told t
		CROSS JOIN LATERAL (VALUES %2$s) r (milestone, n, won)
		JOIN unnest(_milestones()) WITH ORDINALITY AS m (milestone, position) ON m.milestone = r.milestone
		WHERE _is_on_path(m.milestone) AND m.milestone IN (SELECT st.milestone FROM stage st)
	)
	SELECT r.position AS position,
		   r.milestone AS milestone,
		   r.n AS n,
		   r.won AS customers,
		   _ratio(r.won::numeric, r.n::numeric) AS probability,
		   CASE WHEN r.n > 0 THEN 'mature rate' END AS probability_from,
		   w.deals AS deals,
		   _per(w.amount, 1::numeric) AS mean_amount,
		   _per(w.margin, 1::numeric) AS mean_margin,
		   w.margin_from AS margin_from,
		   _per(r.won * w.margin, r.n::numeric) AS expected_value,
		   b.worth_rate AS worth_rate,
		   _per(r.won * w.margin * b.worth_rate, r.n::numeric) AS affordable_cost,
		   _per(w.margin * b.worth_rate, 1::numeric) AS rule_of_thumb,
		   coalesce(p.leads, 0) AS leads_now,
		   _per(coalesce(p.leads, 0) * r.won * w.margin, r.n::numeric) AS value_now
	FROM rung r
	CROSS JOIN worth w
	CROSS JOIN bound b
	LEFT JOIN present p ON p.milestone = r.milestone
	ORDER BY r.position$view$, mature, rungs);

	PERFORM @extschema@._comment_view('lead_worth'::text, '
One row per milestone of the path that this funnel has stages for: what a lead there is worth. From rates and means that are not rounded; NULL where there is no mature unit, or nothing was won.
position: order of the milestone
milestone: milestone
n: units (lead and cycle) that entered it in mature months, which ended at least setting.maturity_days ago
customers: those of them that entered customer at or after that
probability: customers / n, as a fraction
probability_from: mature rate: where the probability is from
deals: won deals that have an amount
mean_amount: mean of these, in setting.currency
mean_margin: mean_amount × sum of margins / sum of amounts of won deals that have both
margin_from: margin; or amount: no deal has a margin, and mean_margin is mean_amount
expected_value: probability × mean_margin: what a lead there is worth
worth_rate: setting.worth_rate
affordable_cost: worth_rate × expected_value: what a lead there may cost
rule_of_thumb: worth_rate × mean_margin: what one that buys may cost
leads_now: leads that are in its stages now
value_now: leads_now × expected_value
'::text);

	CREATE OR REPLACE VIEW pareto WITH (security_invoker = true) AS
	WITH earner AS (
		SELECT w.lead_id, coalesce(sum(w.amount), 0) AS revenue
		FROM won_deal w
		WHERE w.lead_id IS NOT NULL
		GROUP BY w.lead_id
	), ranked AS (
		SELECT row_number() OVER best AS place, sum(e.revenue) OVER best AS revenue
		FROM earner e
		WINDOW best AS (ORDER BY e.revenue DESC ROWS UNBOUNDED PRECEDING)
	), whole AS (
		SELECT count(*) AS customers, coalesce(max(r.revenue), 0) AS revenue FROM ranked r
	), again AS (
		SELECT coalesce(sum(u.n - 1), 0)::bigint AS n
		FROM (SELECT count(*) AS n
			  FROM journey j
			  WHERE EXISTS (SELECT FROM journey o WHERE o.lead_id = j.lead_id AND o.cycle > 1)
			  GROUP BY j.lead_id) u
	), size AS (
		SELECT v.among, v.n, w.revenue
		FROM whole w
		CROSS JOIN again a
		CROSS JOIN (SELECT count(*) AS units FROM journey) j
		CROSS JOIN LATERAL (VALUES ('leads', j.units - a.n), ('customers', w.customers)) v (among, n)
	), wanted AS (
		SELECT s.among, b.percent::bigint AS percent, ceil(s.n * b.percent / 100.0)::bigint AS n, s.n AS of_n, s.revenue AS of_revenue
		FROM size s
		CROSS JOIN (VALUES (1), (5), (10), (20)) b (percent)
	)
	SELECT t.among AS among,
		   t.percent AS percent,
		   t.n AS n,
		   t.of_n AS of_n,
		   coalesce((SELECT max(r.revenue) FROM ranked r WHERE r.place <= t.n), 0) AS revenue,
		   t.of_revenue AS of_revenue,
		   _ratio(coalesce((SELECT max(r.revenue) FROM ranked r WHERE r.place <= t.n), 0), t.of_revenue) AS share
	FROM wanted t
	ORDER BY t.among DESC, t.percent;

	PERFORM @extschema@._comment_view('pareto'::text, '
Share of revenue of the best 1, 5, 10 and 20 percent, of leads and of customers. Deals without a contact are nobody''s, and left out.
among: leads: of all leads that ever had a unit; customers: of those with a won deal
percent: best percent
n: how many that is, rounded up
of_n: of how many
revenue: what the n with the most revenue brought: won deals as view won_deal credits them, in setting.currency
of_revenue: what all brought
share: revenue / of_revenue, as a fraction; NULL where nothing was won
'::text);
END
$template$;

COMMENT ON FUNCTION _create_worth_views() IS
'creates the views of a funnel on the cost of stages, the performance of sources and the worth of leads; called by _create_funnel_views()';
