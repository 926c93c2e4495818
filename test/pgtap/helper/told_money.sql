-- More views of schema "told" (told_units.sql): money.
SET LOCAL search_path = told, :funnel, public, pg_temp;
CREATE VIEW cost_per_sql AS
WITH spent AS (
	SELECT p.source, sh.month, sh.amount,
		   coalesce(p.currency, s.currency) <> s.currency AS is_foreign
	FROM spend p
	CROSS JOIN setting s
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
), direct AS (
	SELECT t.month, t.source,
		   coalesce(sum(t.amount) FILTER (WHERE NOT t.is_foreign), 0) AS amount,
		   count(*) FILTER (WHERE t.is_foreign) AS n_foreign
	FROM spent t
	GROUP BY t.month, t.source
), won AS (
	SELECT _month_of(e.entered_at, s.time_zone) AS month, e.source,
		   count(*) AS sqls
	FROM milestone_entry e
	CROSS JOIN setting s
	WHERE e.milestone = 'sql'
	GROUP BY _month_of(e.entered_at, s.time_zone), e.source
), allocated AS (
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
	SELECT d.month, '(overhead)' AS source, 0 AS direct,
		   CASE WHEN w.month IS NULL THEN d.amount ELSE 0 END AS overhead,
		   0 AS sqls, d.n_foreign
	FROM direct d
	LEFT JOIN (SELECT DISTINCT g.month FROM won g) w ON w.month = d.month
	WHERE d.source IS NULL AND (w.month IS NULL OR d.n_foreign > 0)
)
SELECT p.month AS month,
	   p.source AS source,
	   sum(p.direct) AS direct_cost,
	   sum(p.overhead) AS overhead,
	   sum(p.direct + p.overhead) AS cost,
	   sum(p.sqls)::bigint AS sqls,
	   round(sum(p.direct + p.overhead) / NULLIF(sum(p.sqls), 0), 6) AS cost_per_sql,
	   sum(p.n_foreign)::bigint AS n_foreign
FROM part p
GROUP BY p.month, p.source
ORDER BY p.month, p.source;
CREATE VIEW sql_revenue AS
WITH dated AS (
	SELECT k.by, _month_of(k.at, s.time_zone) AS month,
		   w.amount, w.foreign_currency, false AS undated
	FROM won_deal w
	CROSS JOIN setting s
	CROSS JOIN LATERAL (VALUES ('close_month', w.closed_at),
							   ('sql_month', w.sql_at)) AS k (by, at)
	WHERE w.sql_at IS NOT NULL
	UNION ALL
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
)
SELECT d.by AS by,
	   d.month AS month,
	   count(*) FILTER (WHERE NOT d.undated) AS deals,
	   coalesce(sum(d.amount), 0) AS revenue,
	   count(*) FILTER (WHERE d.foreign_currency) AS n_foreign,
	   count(*) FILTER (WHERE d.amount IS NULL AND NOT d.undated
						AND NOT d.foreign_currency) AS n_unpriced,
	   count(*) FILTER (WHERE d.undated) AS n_undated
FROM dated d
GROUP BY d.by, d.month
ORDER BY d.by, d.month;
SET LOCAL search_path = :funnel, public, pg_temp;
