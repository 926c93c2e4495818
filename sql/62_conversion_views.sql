--
-- Views of a funnel: how many get how far, and how fast
--
CREATE FUNCTION _create_conversion_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	CREATE OR REPLACE VIEW funnel WITH (security_invoker = true) AS
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
			   -- the nearest that units pass; without units, the nearest
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
		-- in step order; what no unit passes is in nobody's way
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

	COMMENT ON VIEW funnel IS
'One row per milestone of the path that this funnel has stages for, over all time. reached: units (lead and cycle) that ever entered it; leads, accounts: distinct, of those units; in_it_now: leads in its stages now. previous_milestone: the nearest earlier one that units of this funnel pass. unused: no unit ever entered it, though units got further: it is in nobody''s way, is no other''s previous, and has no rates. rate_from_previous = from_previous / previous_reached: units that entered the previous milestone and this one at or after it, over units that entered the previous one; rate_from_first the same from first_milestone, the first that units pass. skipped: units that entered this one but never the previous, not in from_previous. Rates are fractions: 0.25 is 25 %. All cohorts, ripe or not: see mql_to_sql and sql_conversion for maturity.';

	CREATE OR REPLACE VIEW funnel_monthly WITH (security_invoker = true) AS
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

	CREATE OR REPLACE VIEW mql_to_sql WITH (security_invoker = true) AS
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

	CREATE OR REPLACE VIEW sql_conversion WITH (security_invoker = true) AS
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
	CREATE OR REPLACE VIEW sql_velocity WITH (security_invoker = true) AS
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
