-- More views of schema "told" (told_units.sql).
SET LOCAL search_path = told, :funnel, public, pg_temp;
CREATE VIEW funnel AS
WITH step AS (
	SELECT row_number() OVER (ORDER BY m.position) AS position, m.milestone
	FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position)
	WHERE NOT _is_exit(m.milestone)
		  AND m.milestone IN (SELECT st.milestone FROM stage st)
), entry AS (
	SELECT e.lead_id, e.cycle, e.milestone, e.entered_at, e.account_id
	FROM milestone_entry e
	WHERE NOT _is_exit(e.milestone)
), counted AS (
	SELECT e.milestone,
		   count(*) AS reached,
		   count(DISTINCT e.lead_id) AS leads,
		   count(DISTINCT e.account_id) AS accounts
	FROM entry e
	GROUP BY e.milestone
), present AS (
	SELECT st.milestone, count(*) AS leads
	FROM lead l
	JOIN stage st ON st.stage = l.stage
	GROUP BY st.milestone
), rung AS (
	SELECT s.position, s.milestone,
		   coalesce(c.reached, 0) AS reached,
		   coalesce(c.leads, 0) AS leads,
		   coalesce(c.accounts, 0) AS accounts,
		   coalesce(p.leads, 0) AS in_it_now,
		   c.reached IS NULL
			   AND bool_or(c.reached > 0) OVER (
				   ORDER BY s.position ROWS BETWEEN 1 FOLLOWING
					   AND UNBOUNDED FOLLOWING) IS TRUE AS unused,
		   CASE WHEN count(c.reached) OVER () > 0
				THEN max(s.position) FILTER (WHERE c.reached > 0) OVER earlier
				ELSE s.position - 1 END AS previous,
		   coalesce(min(s.position) FILTER (WHERE c.reached > 0)
						OVER (), 1) AS first,
		   max(coalesce(c.reached, 0)) OVER () AS widest
	FROM step s
	LEFT JOIN counted c ON c.milestone = s.milestone
	LEFT JOIN present p ON p.milestone = s.milestone
	WINDOW earlier AS (ORDER BY s.position ROWS BETWEEN UNBOUNDED PRECEDING
					   AND 1 PRECEDING)
), way AS (
	SELECT r.milestone,
		   lag(r.position) OVER unit = r.previous AS has_previous,
		   lag(e.entered_at) OVER unit <= e.entered_at AS in_order,
		   first_value(r.position) OVER unit = r.first
			   AND first_value(e.entered_at) OVER unit <= e.entered_at
			   AS from_first
	FROM entry e
	JOIN rung r ON r.milestone = e.milestone
	WINDOW unit AS (PARTITION BY e.lead_id, e.cycle ORDER BY r.position)
), passed AS (
	SELECT w.milestone,
		   count(*) FILTER (WHERE w.has_previous AND w.in_order)
			   AS from_previous,
		   count(*) FILTER (WHERE w.from_first) AS from_first,
		   count(*) FILTER (WHERE w.has_previous IS NOT TRUE) AS skipped
	FROM way w
	GROUP BY w.milestone
), joined AS (
	SELECT r.*, v.milestone AS previous_milestone,
		   v.reached AS previous_reached,
		   CASE WHEN v.position IS NOT NULL AND NOT r.unused
				THEN coalesce(p.from_previous, 0) END AS from_previous,
		   f.milestone AS first_milestone,
		   f.reached AS first_reached,
		   CASE WHEN NOT r.unused THEN coalesce(p.from_first, 0) END
			   AS from_first,
		   CASE WHEN v.position IS NOT NULL
				THEN coalesce(p.skipped, 0) ELSE 0 END AS skipped
	FROM rung r
	JOIN rung f ON f.position = r.first
	LEFT JOIN rung v ON v.position = r.previous
	LEFT JOIN passed p ON p.milestone = r.milestone
)
SELECT j.position AS position,
	   j.milestone AS milestone,
	   j.reached AS reached,
	   j.leads AS leads,
	   j.accounts AS accounts,
	   j.in_it_now AS in_it_now,
	   j.previous_milestone AS previous_milestone,
	   j.previous_reached AS previous_reached,
	   j.from_previous AS from_previous,
	   _ratio(j.from_previous::numeric, j.previous_reached::numeric) AS rate_from_previous,
	   j.first_milestone AS first_milestone,
	   j.first_reached AS first_reached,
	   j.from_first AS from_first,
	   _ratio(j.from_first::numeric, j.first_reached::numeric) AS rate_from_first,
	   j.skipped AS skipped,
	   j.unused AS unused,
	   repeat('█', ceil(30 * _ratio(j.reached::numeric, j.widest::numeric))::integer) AS bar
FROM joined j
ORDER BY j.position;
CREATE VIEW funnel_monthly AS
SELECT _month_of(e.entered_at, s.time_zone) AS month,
	   e.source AS source,
	   e.milestone AS milestone,
	   count(*) AS entered,
	   count(DISTINCT e.lead_id) AS leads,
	   count(DISTINCT e.account_id) AS accounts
FROM milestone_entry e
CROSS JOIN setting s
GROUP BY _month_of(e.entered_at, s.time_zone), e.source, e.milestone;
CREATE VIEW mql_to_sql AS
WITH entry AS (
	SELECT _month_of(e.at, s.time_zone) AS month, e.milestone,
		   j.mql_at, j.sql_at
	FROM lead_journey j
	CROSS JOIN setting s
	CROSS JOIN LATERAL (VALUES ('mql', j.mql_at), ('sql', j.sql_at))
		AS e (milestone, at)
	WHERE e.at IS NOT NULL
), counted AS (
	SELECT e.month,
		   count(*) FILTER (WHERE e.milestone = 'mql') AS mqls,
		   count(*) FILTER (WHERE e.milestone = 'mql'
			   AND e.sql_at >= e.mql_at) AS sqls_of_cohort,
		   count(*) FILTER (WHERE e.milestone = 'mql'
			   AND e.sql_at < e.mql_at) AS odd,
		   count(*) FILTER (WHERE e.milestone = 'sql') AS sqls_entered,
		   count(*) FILTER (WHERE e.milestone = 'sql'
			   AND e.mql_at IS NULL) AS skipped
	FROM entry e
	GROUP BY e.month
)
SELECT c.month AS month,
	   c.mqls AS mqls,
	   c.sqls_of_cohort AS sqls_of_cohort,
	   _ratio(c.sqls_of_cohort::numeric, c.mqls::numeric) AS cohort_rate,
	   c.sqls_entered AS sqls_entered,
	   _ratio(c.sqls_entered::numeric, c.mqls::numeric) AS period_rate,
	   c.skipped AS skipped,
	   c.odd AS odd,
	   _mature_at(c.month, s.maturity_days::bigint, s.time_zone) <= funnel_now()
		   AS mature
FROM counted c
CROSS JOIN setting s
ORDER BY c.month;
CREATE VIEW sql_conversion AS
WITH entry AS (
	SELECT _month_of(e.at, s.time_zone) AS month, e.milestone,
		   j.sql_at, j.customer_at
	FROM lead_journey j
	CROSS JOIN setting s
	CROSS JOIN LATERAL (VALUES ('sql', j.sql_at),
							   ('customer', j.customer_at))
		AS e (milestone, at)
	WHERE e.at IS NOT NULL
), counted AS (
	SELECT e.month,
		   count(*) FILTER (WHERE e.milestone = 'sql') AS sqls,
		   count(*) FILTER (WHERE e.milestone = 'sql'
			   AND e.customer_at >= e.sql_at) AS customers,
		   count(*) FILTER (WHERE e.milestone = 'sql'
			   AND e.customer_at < e.sql_at) AS odd,
		   count(*) FILTER (WHERE e.milestone = 'customer')
			   AS customers_entered,
		   count(*) FILTER (WHERE e.milestone = 'customer'
			   AND e.sql_at IS NULL) AS skipped
	FROM entry e
	GROUP BY e.month
)
SELECT c.month AS month,
	   c.sqls AS sqls,
	   c.customers AS customers,
	   _ratio(c.customers::numeric, c.sqls::numeric) AS rate,
	   c.customers_entered AS customers_entered,
	   _ratio(c.customers_entered::numeric, c.sqls::numeric) AS period_rate,
	   c.skipped AS skipped,
	   c.odd AS odd,
	   _mature_at(c.month, s.maturity_days::bigint, s.time_zone) <= funnel_now()
		   AS mature
FROM counted c
CROSS JOIN setting s
ORDER BY c.month;
SET LOCAL search_path = :funnel, public, pg_temp;
