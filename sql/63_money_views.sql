--
-- Views of a funnel: what it costs and what it brings
--
CREATE FUNCTION _create_money_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	-- each expense over the months of its period, by days
	CREATE OR REPLACE VIEW monthly_spend WITH (security_invoker = true) AS
	WITH spent AS (
		SELECT p.department, p.source, p.campaign, sh.month, sh.amount,
			   coalesce(p.currency, s.currency) <> s.currency AS is_foreign
		FROM spend p
		JOIN setting s ON s.only_row = (p.starts_on <= p.ends_on)
		CROSS JOIN LATERAL (
			SELECT array_agg(m.first::date ORDER BY m.first) AS months,
				   array_agg((least(p.ends_on, (m.first + interval '1 month - 1 day')::date)
							  - greatest(p.starts_on, m.first::date) + 1)::numeric
							 ORDER BY m.first) AS days
			FROM generate_series(date_trunc('month', p.starts_on::timestamp),
								 p.ends_on::timestamp,
								 interval '1 month') AS m (first)
		) d
		CROSS JOIN LATERAL unnest(d.months, _share_out(p.amount, d.days))
			AS sh (month, amount)
	)
	SELECT t.month AS month,
		   t.department AS department,
		   t.source AS source,
		   t.campaign AS campaign,
		   coalesce(sum(t.amount) FILTER (WHERE NOT t.is_foreign), 0) AS amount,
		   count(*) FILTER (WHERE t.is_foreign) AS n_foreign
	FROM spent t
	GROUP BY t.month, t.department, t.source, t.campaign;

	PERFORM @extschema@._comment_view('monthly_spend'::text, '
One row per month, department, source and campaign with an expense.
month: first day of the month
department: marketing or sales
source: source that it was spent on; NULL: overhead
campaign: campaign that it was spent on; NULL: none in particular
amount: expense × days of its period in the month / days of its period, in setting.currency, in cents that add up to the expense over the months (largest remainder)
n_foreign: expenses in another currency than setting.currency, left out of the amount; a missing currency is the funnel''s
'::text);

	CREATE OR REPLACE VIEW cost_per_sql WITH (security_invoker = true) AS
	WITH direct AS (
		SELECT t.month, t.source, sum(t.amount) AS amount, sum(t.n_foreign)::bigint AS n_foreign
		FROM monthly_spend t
		GROUP BY t.month, t.source
	), won AS (
		SELECT u.month, u.source, count(*) AS sqls
		FROM (SELECT _month_of(j.sql_at, s.time_zone) AS month,
					 coalesce(j.sql_source, '(none)') AS source
			  FROM journey j
			  CROSS JOIN setting s
			  WHERE j.sql_at IS NOT NULL
			  OFFSET '0') u
		GROUP BY u.month, u.source
	), allocated AS (
		-- the overhead of a month over the sources of its SQLs
		SELECT w.month, sh.source, sh.amount
		FROM (SELECT g.month,
					 array_agg(g.source ORDER BY g.source) AS sources,
					 array_agg(g.sqls::numeric ORDER BY g.source) AS sqls
			  FROM won g
			  GROUP BY g.month) w
		JOIN direct d ON d.month = w.month AND d.source IS NULL
		CROSS JOIN LATERAL unnest(w.sources, _share_out(d.amount, w.sqls))
			AS sh (source, amount)
	), part AS (
		SELECT d.month, d.source, d.amount AS direct, 0 AS overhead,
			   0 AS sqls, d.n_foreign
		FROM direct d
		WHERE d.source IS NOT NULL
		UNION ALL
		SELECT a.month, a.source, 0 AS direct, a.amount AS overhead,
			   0 AS sqls, 0 AS n_foreign
		FROM allocated a
		UNION ALL
		SELECT w.month, w.source, 0 AS direct, 0 AS overhead,
			   w.sqls, 0 AS n_foreign
		FROM won w
		UNION ALL
		-- what nobody can be charged with
		SELECT d.month, '(overhead)' AS source, 0 AS direct,
			   CASE WHEN w.month IS NULL THEN d.amount ELSE 0 END AS overhead,
			   0 AS sqls, d.n_foreign
		FROM direct d
		LEFT JOIN (SELECT DISTINCT g.month FROM won g) w ON w.month = d.month
		WHERE d.source IS NULL AND (w.month IS NULL OR d.n_foreign > 0)
	), series AS (
		SELECT p.source, row_number() OVER (ORDER BY sum(p.sqls) DESC, p.source) AS rank
		FROM part p
		GROUP BY p.source
	), every AS (
		SELECT p.month, p.source, p.direct, p.overhead, p.sqls, p.n_foreign FROM part p
		UNION ALL
		SELECT g.month, r.source, 0 AS direct, 0 AS overhead, 0 AS sqls, 0 AS n_foreign
		FROM (SELECT min(p.month) AS month FROM part p) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN series r
		WHERE r.rank <= _most_series()
	)
	SELECT p.month AS month,
		   p.source AS source,
		   sum(p.direct) AS direct_cost,
		   sum(p.overhead) AS overhead,
		   sum(p.direct + p.overhead) AS cost,
		   sum(p.sqls)::bigint AS sqls,
		   _money_per(sum(p.direct + p.overhead), sum(p.sqls)::numeric) AS cost_per_sql,
		   sum(p.n_foreign)::bigint AS n_foreign
	FROM every p
	GROUP BY p.month, p.source
	ORDER BY p.month, p.source;

	PERFORM @extschema@._comment_view('cost_per_sql'::text, '
One row per month (of SQLs in the funnel''s time zone) and source: every month from the first with an expense or an SQL to the present one, for every source with either, with zeros where there is none; months to come have rows where they have expenses. Of more than 1,000 sources only the 1,000 with most SQLs have rows of zeros. Money is in setting.currency. Costs are not shifted by the time that leads take to become SQLs.
month: first day of the month
source: source of the expenses, and of the SQLs as they entered; (none) where an SQL has none; (overhead) for what no source can be charged with
direct_cost: expenses of marketing and sales on the source: amount × days of the period in the month / days of the period, in cents that add up to the amount over the months (largest remainder)
overhead: expenses without a source, by the source''s share of the month''s SQLs, adding up likewise; in a month without SQLs they stay in the source (overhead)
cost: direct_cost + overhead
sqls: units (lead and cycle) that entered sql in the month
cost_per_sql: cost / sqls; NULL without SQLs
n_foreign: expenses in another currency than setting.currency, left out of the costs; a missing currency is the funnel''s
'::text);

	CREATE OR REPLACE VIEW sql_revenue WITH (security_invoker = true) AS
	WITH dated AS (
		SELECT k.by, _month_of(k.at, s.time_zone) AS month,
			   w.amount, w.foreign_currency, false AS undated
		FROM won_deal w
		CROSS JOIN setting s
		CROSS JOIN LATERAL (VALUES ('close_month', w.closed_at),
								   ('sql_month', w.sql_at)) AS k (by, at)
		WHERE w.sql_at IS NOT NULL
		UNION ALL
		-- of an SQL, but who knows whether after it
		SELECT 'sql_month' AS by, _month_of(q.at, s.time_zone) AS month,
			   NULL::numeric AS amount, false AS foreign_currency, true AS undated
		FROM won_deal w
		CROSS JOIN setting s
		CROSS JOIN LATERAL (SELECT max(h.entered_at) AS at
							FROM deal_contact c
							JOIN stage_history h ON h.lead_id = c.lead_id
							JOIN stage st ON st.stage = h.to_stage
							WHERE c.deal_id = w.deal_id AND h.voided_at IS NULL
							AND st.milestone = 'sql') q
		WHERE w.closed_at IS NULL AND q.at IS NOT NULL
	), counted AS (
		SELECT d.by, d.month,
			   count(*) FILTER (WHERE NOT d.undated) AS deals,
			   sum(d.amount) AS revenue,
			   count(*) FILTER (WHERE d.foreign_currency) AS n_foreign,
			   count(*) FILTER (WHERE d.amount IS NULL AND NOT d.undated
								AND NOT d.foreign_currency) AS n_unpriced,
			   count(*) FILTER (WHERE d.undated) AS n_undated
		FROM dated d
		GROUP BY d.by, d.month
	), every AS (
		SELECT c.by, c.month FROM counted c
		UNION
		SELECT k.by, g.month
		FROM (SELECT min(c.month) AS month FROM counted c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN (VALUES ('close_month'), ('sql_month')) k (by)
	)
	SELECT e.by AS by,
		   e.month AS month,
		   coalesce(c.deals, 0) AS deals,
		   coalesce(c.revenue, 0) AS revenue,
		   coalesce(c.n_foreign, 0) AS n_foreign,
		   coalesce(c.n_unpriced, 0) AS n_unpriced,
		   coalesce(c.n_undated, 0) AS n_undated
	FROM every e
	LEFT JOIN counted c ON c.by = e.by AND c.month = e.month
	ORDER BY e.by, e.month;

	PERFORM @extschema@._comment_view('sql_revenue'::text, '
Revenue from SQLs by month (in the funnel''s time zone), in two kinds of rows, each of which has every deal once; every month from the first that either has to the present one. Deals are won ones closed at or after an entered(sql) of one of their contacts: customers that never were an SQL are left out, and so are deals without a close date, which may precede the SQLs of their contacts.
by: close_month: by the month of the close; sql_month: by the month of the entered(sql) that the deal is credited to (see won_deal: the latest of its contacts at or before the close)
month: first day of the month
deals: won deals
revenue: their amounts in setting.currency: home_amount, or amount where the currency is missing or the funnel''s
n_foreign: deals with an amount in another currency, which add nothing
n_unpriced: deals without an amount, which add nothing
n_undated: won deals without a close date, in the sql_month of the latest SQL of their contacts; not in deals
'::text);
END
$template$;

COMMENT ON FUNCTION _create_money_views() IS
'creates the views of a funnel on costs and revenue; called by _create_funnel_views()';
