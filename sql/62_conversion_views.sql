--
-- Views of a funnel: how many get how far, and how fast
--
CREATE FUNCTION _create_conversion_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
-- lint: search_path, because the caller puts the new funnel's schema first
AS $template$
BEGIN
	CREATE VIEW funnel WITH (security_invoker = true) AS
	WITH step AS (
		SELECT row_number() OVER (ORDER BY m.position) AS position, m.milestone
		FROM (VALUES (1, 'lead'), (2, 'mql'), (3, 'sal'), (4, 'sql'),
					 (5, 'opportunity'), (6, 'customer')) AS m (position, milestone)
		WHERE m.milestone IN (SELECT st.milestone FROM stage st)
	), entry AS (
		-- in step order, the row before is the previous step or a gap
		SELECT s.position, e.lead_id, e.account_id,
			   lag(s.position) OVER unit = s.position - 1 AS has_previous,
			   lag(e.entered_at) OVER unit <= e.entered_at AS in_order,
			   first_value(s.position) OVER unit = 1
				   AND first_value(e.entered_at) OVER unit <= e.entered_at
				   AS from_first
		FROM milestone_entry e
		JOIN step s ON s.milestone = e.milestone
		WINDOW unit AS (PARTITION BY e.lead_id, e.cycle ORDER BY s.position)
	), counted AS (
		SELECT e.position,
			   count(*) AS reached,
			   count(DISTINCT e.lead_id) AS leads,
			   count(DISTINCT e.account_id) AS accounts,
			   count(*) FILTER (WHERE e.has_previous AND e.in_order)
				   AS from_previous,
			   count(*) FILTER (WHERE e.from_first) AS from_first,
			   count(*) FILTER (WHERE e.position > 1
				   AND e.has_previous IS NOT TRUE) AS skipped
		FROM entry e
		GROUP BY e.position
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
			   lag(s.milestone) OVER path AS previous_milestone,
			   lag(coalesce(c.reached, 0)) OVER path AS previous_reached,
			   CASE WHEN s.position > 1
					THEN coalesce(c.from_previous, 0) END AS from_previous,
			   first_value(coalesce(c.reached, 0)) OVER path AS first_reached,
			   coalesce(c.from_first, 0) AS from_first,
			   coalesce(c.skipped, 0) AS skipped,
			   max(coalesce(c.reached, 0)) OVER () AS widest
		FROM step s
		LEFT JOIN counted c ON c.position = s.position
		LEFT JOIN present p ON p.milestone = s.milestone
		WINDOW path AS (ORDER BY s.position)
	)
	SELECT r.position AS position,
		   r.milestone AS milestone,
		   r.reached AS reached,
		   r.leads AS leads,
		   r.accounts AS accounts,
		   r.in_it_now AS in_it_now,
		   r.previous_milestone AS previous_milestone,
		   r.previous_reached AS previous_reached,
		   r.from_previous AS from_previous,
		   _ratio(r.from_previous::numeric, r.previous_reached::numeric) AS rate_from_previous,
		   r.first_reached AS first_reached,
		   r.from_first AS from_first,
		   _ratio(r.from_first::numeric, r.first_reached::numeric) AS rate_from_first,
		   r.skipped AS skipped,
		   repeat('█', ceil(30 * _ratio(r.reached::numeric, r.widest::numeric))::integer) AS bar
	FROM rung r
	ORDER BY r.position;

	COMMENT ON VIEW funnel IS
'One row per milestone of the path that this funnel has stages for, over all time. reached: units (lead and cycle) that ever entered it; leads, accounts: distinct, of those units; in_it_now: leads in its stages now. rate_from_previous = from_previous / previous_reached: units that entered the previous milestone and this one at or after it, over units that entered the previous one; rate_from_first the same from the first milestone. skipped: units that entered this one but never the previous, not in from_previous. Rates are fractions: 0.25 is 25 %. All cohorts, ripe or not: see mql_to_sql and sql_conversion for maturity.';

	CREATE VIEW funnel_monthly WITH (security_invoker = true) AS
	SELECT _month_of(e.entered_at, s.time_zone) AS month,
		   e.source AS source,
		   e.milestone AS milestone,
		   count(*) AS entered,
		   count(DISTINCT e.lead_id) AS leads,
		   count(DISTINCT e.account_id) AS accounts
	FROM milestone_entry e
	CROSS JOIN setting s
	GROUP BY _month_of(e.entered_at, s.time_zone), e.source, e.milestone;

	COMMENT ON VIEW funnel_monthly IS
'One row per month (in the funnel''s time zone), source and milestone with an entry: entered: units (lead and cycle) that entered the milestone in the month, by the source of that history row; leads, accounts: distinct, of those units (do not add them up over months or sources).';

	CREATE VIEW mql_to_sql WITH (security_invoker = true) AS
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

	COMMENT ON VIEW mql_to_sql IS
'One row per month (in the funnel''s time zone). Cohort: cohort_rate = sqls_of_cohort / mqls, where mqls are the units (lead and cycle) that entered mql in the month and sqls_of_cohort those of them that entered sql at or after that, whenever. Period: period_rate = sqls_entered / mqls, where sqls_entered are the units that entered sql in the month; it may exceed 1. skipped: units of sqls_entered that never were an MQL, never in the cohort''s numerator; odd: units of mqls that were an SQL first. mature: the month ended at least setting.maturity_days ago; a rate that is not mature will still rise. Rates are fractions: 0.1 is 10 %.';

	CREATE VIEW sql_conversion WITH (security_invoker = true) AS
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

	COMMENT ON VIEW sql_conversion IS
'One row per month (in the funnel''s time zone). Cohort: rate = customers / sqls, where sqls are the units (lead and cycle) that entered sql in the month and customers those of them that entered customer at or after that, whenever. Period: period_rate = customers_entered / sqls, where customers_entered are the units that entered customer in the month; it may exceed 1. skipped: units of customers_entered that never were an SQL, never in customers; odd: units of sqls that were a customer first. mature: the month ended at least setting.maturity_days ago. Rates are fractions: 0.25 is 25 %.';

	--
	-- Times of events and of censoring, one row a distinct time; then the
	-- product-limit estimates over them.  Without follow-up to day n there is
	-- no estimate for day n.
	--
	CREATE VIEW sql_velocity WITH (security_invoker = true) AS
	WITH unit AS (
		SELECT _month_of(j.sql_at, s.time_zone) AS month,
			   CASE WHEN j.customer_at < j.sql_at THEN 'odd'
					WHEN j.customer_at IS NOT NULL THEN 'won'
					WHEN j.exited_at IS NOT NULL THEN 'exited'
					ELSE 'open' END AS state,
			   _days_between(j.sql_at,
							 CASE WHEN j.customer_at IS NOT NULL
								  THEN j.customer_at
								  WHEN j.exited_at IS NOT NULL
								  THEN j.exited_at
								  WHEN j.last_seen_at IS NOT NULL
								  THEN greatest(j.last_seen_at, j.sql_at)
								  ELSE greatest(funnel_now(), j.sql_at)
							 END) AS days
		FROM lead_journey j
		CROSS JOIN setting s
		WHERE j.sql_at IS NOT NULL
	), counted AS (
		SELECT u.month,
			   count(*) AS sqls,
			   count(*) FILTER (WHERE u.state = 'won') AS n,
			   count(*) FILTER (WHERE u.state = 'open') AS n_open,
			   count(*) FILTER (WHERE u.state = 'exited') AS n_exited,
			   count(*) FILTER (WHERE u.state = 'odd') AS n_odd,
			   avg(u.days) FILTER (WHERE u.state = 'won') AS mean_days,
			   percentile_cont(0.5) WITHIN GROUP (ORDER BY u.days)
				   FILTER (WHERE u.state = 'won') AS median_days,
			   percentile_cont(0.9) WITHIN GROUP (ORDER BY u.days)
				   FILTER (WHERE u.state = 'won') AS p90_days
		FROM unit u
		GROUP BY u.month
	), instant AS (
		SELECT u.month, u.days,
			   count(*) FILTER (WHERE u.state = 'won') AS won,
			   count(*) FILTER (WHERE u.state IN ('won', 'exited')) AS ended,
			   (sum(count(*)) OVER (PARTITION BY u.month
									ORDER BY u.days DESC))::bigint AS at_risk
		FROM unit u
		WHERE u.state <> 'odd'
		GROUP BY u.month, u.days
	), survival AS (
		SELECT i.month, i.days, i.won, i.at_risk,
			   _survival(i.at_risk, i.won) OVER past AS not_won,
			   _survival(i.at_risk, i.ended) OVER past AS left_over,
			   _survival(i.at_risk, i.ended) OVER before AS left_before
		FROM instant i
		WINDOW past AS (PARTITION BY i.month ORDER BY i.days
						ROWS UNBOUNDED PRECEDING),
			   before AS (PARTITION BY i.month ORDER BY i.days
						  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
	), incidence AS (
		SELECT v.month, v.days, v.not_won,
			   sum(v.left_before * v.won / v.at_risk) OVER past AS won_by,
			   max(v.days) OVER whole AS followed,
			   min(v.left_over) OVER whole AS left_at_end
		FROM survival v
		WINDOW past AS (PARTITION BY v.month ORDER BY v.days
						ROWS UNBOUNDED PRECEDING),
			   whole AS (PARTITION BY v.month)
	), estimate AS (
		SELECT i.month,
			   min(i.days) FILTER (WHERE round(i.not_won, 20) <= 0.5)
				   AS km_median_days,
			   max(i.won_by) FILTER (WHERE i.days <= 30) AS by_30,
			   max(i.won_by) FILTER (WHERE i.days <= 60) AS by_60,
			   max(i.won_by) FILTER (WHERE i.days <= 90) AS by_90,
			   max(i.won_by) FILTER (WHERE i.days <= 180) AS by_180,
			   CASE WHEN min(i.left_at_end) = 0 THEN 'infinity'
					ELSE max(i.followed) END AS known_to
		FROM incidence i
		GROUP BY i.month
	)
	SELECT c.month AS month,
		   c.sqls AS sqls,
		   c.n AS n,
		   c.n_open AS n_open,
		   c.n_exited AS n_exited,
		   c.n_odd AS n_odd,
		   round(c.mean_days, 6) AS mean_days,
		   round(c.median_days::numeric, 6) AS median_days,
		   round(c.p90_days::numeric, 6) AS p90_days,
		   round(e.km_median_days, 6) AS km_median_days,
		   CASE WHEN e.known_to >= 30
				THEN round(coalesce(e.by_30, 0), 6) END AS won_by_30,
		   CASE WHEN e.known_to >= 60
				THEN round(coalesce(e.by_60, 0), 6) END AS won_by_60,
		   CASE WHEN e.known_to >= 90
				THEN round(coalesce(e.by_90, 0), 6) END AS won_by_90,
		   CASE WHEN e.known_to >= 180
				THEN round(coalesce(e.by_180, 0), 6) END AS won_by_180
	FROM counted c
	LEFT JOIN estimate e ON e.month = c.month
	ORDER BY c.month;

	COMMENT ON VIEW sql_velocity IS
'One row per month (in the funnel''s time zone) of entered(sql). Velocity = entered(customer) - entered(sql) in the same cycle, in days. sqls = n + n_open + n_exited + n_odd: n became a customer, n_exited left for nurture, disqualified or lost without, n_open did neither, n_odd were a customer first and are left out of the rest. mean_days, median_days, p90_days: of the n closed, hence too short while many are open. km_median_days: Kaplan-Meier, exits censored at the exit, open ones at now, those of deleted leads at their last entry, events before ties; the least t with S(t) <= 0.5, NULL if there is none. won_by_30 … won_by_180: Aalen-Johansen, the share that is a customer by day 30 … 180, exits competing; a fraction, NULL where nobody was followed that long.';
END
$template$;

COMMENT ON FUNCTION _create_conversion_views() IS
'creates the views of a funnel on counts and rates; called by _create_funnel_views()';
