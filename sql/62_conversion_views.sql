--
-- Views of a funnel: how many get how far, and how fast
--
CREATE FUNCTION _create_conversion_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	n_path integer := (SELECT count(*) FROM unnest(_milestones()) AS m WHERE NOT _is_exit(m));
	instants text;
	accounts text;
	again text;
	rungs text;
	pairs text;
	months text;
	sources text;
	all_accounts text;
BEGIN
	--
	-- Units by milestone of the path, and by each two of them in their order,
	-- in one pass.  A lead counts once: of those with a further unit few are
	-- looked at, whose units but one are too many.
	--
	SELECT string_agg(format('j.%I_at', m.milestone), ', ' ORDER BY m.position),
		   string_agg(format('j.%I_account_id', m.milestone), ', ' ORDER BY m.position),
		   string_agg(format('coalesce(sum(greatest(u.%1$I - 1, 0)), 0)::bigint AS %1$I', m.milestone), ', '),
		   string_agg(format('(%L, t.n[%s], a.%I, t.n[%s])', m.milestone, (m.position - 1) * n_path + m.position,
							 m.milestone, n_path * n_path + m.position), ', ')
		INTO instants, accounts, again, rungs
	FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position)
	WHERE NOT _is_exit(m.milestone);
	SELECT string_agg(format('(%L, %L, coalesce(t.n[%s], 0), coalesce(t.n[%s], 0))', a.milestone, b.milestone,
							 (a.position - 1) * n_path + b.position, (b.position - 1) * n_path + a.position), ', ')
		INTO pairs
	FROM unnest(_milestones()) WITH ORDINALITY AS a (milestone, position)
	JOIN unnest(_milestones()) WITH ORDINALITY AS b (milestone, position)
		ON b.position > a.position AND NOT _is_exit(b.milestone);
	SELECT string_agg(format('_month_of(j.%I_at, s.time_zone)', m.milestone), ', ' ORDER BY m.position),
		   string_agg(format('coalesce(j.%I_source, ''(none)'')', m.milestone), ', ' ORDER BY m.position),
		   string_agg(format('j.%I_account_id', m.milestone), ', ' ORDER BY m.position)
		INTO months, sources, all_accounts
	FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position);

	EXECUTE format($view$CREATE OR REPLACE VIEW funnel WITH (security_invoker = true) AS
	WITH step AS (
		SELECT row_number() OVER (ORDER BY m.position) AS position, m.milestone
		FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position)
		WHERE NOT _is_exit(m.milestone)
			  AND m.milestone IN (SELECT st.milestone FROM stage st)
	), told AS (
		SELECT _ways(ARRAY[%1$s], ARRAY[%2$s]) AS n FROM journey j
	), again AS (
		SELECT %3$s
		FROM (SELECT %6$s
			  FROM journey j
			  WHERE EXISTS (SELECT FROM journey o WHERE o.lead_id = j.lead_id AND o.cycle > 1)
			  GROUP BY j.lead_id) u
	), counted AS (
		SELECT r.milestone, r.reached, r.reached - r.again AS leads, r.accounts
		FROM told t
		CROSS JOIN again a
		CROSS JOIN LATERAL (VALUES %4$s) r (milestone, reached, again, accounts)
		WHERE r.reached > 0
	), pair AS (
		SELECT p.*
		FROM told t
		CROSS JOIN LATERAL (VALUES %5$s) p (earlier, later, in_order, odd)
	), present AS (
		SELECT st.milestone, sum(l.leads)::bigint AS leads
		FROM (SELECT stage, count(*) AS leads FROM lead GROUP BY stage) l
		JOIN stage st ON st.stage = l.stage
		GROUP BY st.milestone
	), ahead AS (
		-- an open deal is where the furthest of its contacts is
		SELECT (_milestones())[d.place] AS milestone, count(*) AS deals, sum(d.amount) AS amount
		FROM (SELECT max(array_position(_milestones(), st.milestone)) AS place,
					 CASE WHEN d.home_amount IS NOT NULL THEN d.home_amount
						  WHEN coalesce(d.currency, g.currency) = g.currency THEN d.amount END AS amount
			  FROM deal d
			  JOIN setting g ON g.only_row
			  JOIN deal_contact k ON k.deal_id = d.deal_id
			  JOIN lead l ON l.lead_id = k.lead_id
			  JOIN stage st ON st.stage = l.stage
			  WHERE d.status = 'open' AND NOT _is_exit(st.milestone)
			  GROUP BY d.deal_id, g.currency) d
		GROUP BY d.place
	), rung AS (
		SELECT s.position, s.milestone,
			   coalesce(a.deals, 0) AS open_deals,
			   coalesce(a.amount, 0) AS open_amount,
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
		LEFT JOIN ahead a ON a.milestone = s.milestone
		WINDOW earlier AS (ORDER BY s.position ROWS BETWEEN UNBOUNDED PRECEDING
						   AND 1 PRECEDING)
	), joined AS (
		-- what no unit passes is in nobody's way
		SELECT r.*, v.milestone AS previous_milestone,
			   v.reached AS previous_reached,
			   CASE WHEN NOT r.unused THEN p.in_order END AS from_previous,
			   f.milestone AS first_milestone,
			   f.reached AS first_reached,
			   CASE WHEN r.unused THEN NULL
					WHEN r.position = r.first THEN r.reached
					ELSE coalesce(o.in_order, 0) END AS from_first,
			   coalesce(r.reached - p.in_order - p.odd, 0) AS skipped
		FROM rung r
		JOIN rung f ON f.position = r.first
		LEFT JOIN rung v ON v.position = r.previous
		LEFT JOIN pair p ON p.earlier = v.milestone AND p.later = r.milestone
		LEFT JOIN pair o ON o.earlier = f.milestone AND o.later = r.milestone
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
		   repeat('█', ceil(30.0 * j.reached / NULLIF(j.widest, 0))::integer) AS bar,
		   j.open_deals AS open_deals,
		   j.open_amount AS open_amount
	FROM joined j
	ORDER BY j.position$view$, instants, accounts, again, rungs, pairs,
		(SELECT string_agg(format('count(j.%1$I_at) AS %1$I', m), ', ') FROM unnest(_milestones()) AS m WHERE NOT _is_exit(m)));

	PERFORM @extschema@._comment_view('funnel'::text, '
One row per milestone of the path that this funnel has stages for, over all time. Rates are fractions: 0.25 is 25 %. All cohorts, ripe or not: see mql_to_sql and sql_conversion for maturity.
position: order of the milestone among those that the funnel has stages for
milestone: milestone
reached: units (lead and cycle) that ever entered it
leads: distinct leads of these units
accounts: distinct accounts of these units, as they were then
in_it_now: leads that are in its stages now
previous_milestone: the nearest earlier one that units of this funnel pass
previous_reached: units that ever entered that
from_previous: units that entered the previous milestone, and this one at or after it
rate_from_previous: from_previous / previous_reached
first_milestone: the first milestone that units of this funnel pass
first_reached: units that ever entered that
from_first: units that entered the first milestone, and this one at or after it
rate_from_first: from_first / first_reached
skipped: units that entered this one but never the previous, not in from_previous
unused: whether no unit ever entered it, though some got further: it is in nobody''s way, is no other''s previous, and has no rates
bar: reached as a bar, of 30 characters where most units are
open_deals: open deals whose furthest contact is in its stages now, each deal once; deals whose contacts have all left the path are in no row
open_amount: what these deals are worth, in setting.currency; deals without an amount, or with one in another currency, add nothing
'::text);

	EXECUTE format($view$CREATE OR REPLACE VIEW funnel_monthly WITH (security_invoker = true) AS
	WITH counted AS (
		SELECT e.*
		FROM (SELECT _entries(ARRAY[%1$s], ARRAY[%2$s], ARRAY[%3$s]) AS entries
			  FROM journey j
			  JOIN setting s ON s.only_row = (coalesce(%4$s) IS NOT NULL)) u
		CROSS JOIN LATERAL unnest(u.entries) e
	), again AS (
		SELECT e.place, e.month, e.source, sum(e.entered - 1)::bigint AS n
		FROM (SELECT _entries(ARRAY[%1$s], ARRAY[%2$s], ARRAY[%3$s]) AS entries
			  FROM journey j
			  CROSS JOIN setting s
			  WHERE EXISTS (SELECT FROM journey o WHERE o.lead_id = j.lead_id AND o.cycle > 1)
			  GROUP BY j.lead_id) u
		CROSS JOIN LATERAL unnest(u.entries) e
		WHERE e.entered > 1
		GROUP BY e.place, e.month, e.source
	), step AS (
		SELECT m.place::integer AS place, row_number() OVER (ORDER BY m.place) AS position
		FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, place)
		WHERE m.milestone IN (SELECT st.milestone FROM stage st)
	), series AS (
		SELECT c.source, row_number() OVER (ORDER BY sum(c.entered) DESC, c.source) AS rank
		FROM counted c
		GROUP BY c.source
	), cell AS (
		SELECT c.place, c.month, c.source FROM counted c
		UNION
		SELECT m.place, g.month, r.source
		FROM (SELECT min(c.month) AS month FROM counted c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN series r
		CROSS JOIN step m
		WHERE r.rank <= _most_series()
	)
	SELECT e.month AS month,
		   e.source AS source,
		   m.position AS position,
		   (_milestones())[e.place] AS milestone,
		   coalesce(c.entered, 0) AS entered,
		   coalesce(c.entered - coalesce(a.n, 0), 0) AS leads,
		   coalesce(c.accounts, 0) AS accounts
	FROM cell e
	LEFT JOIN step m ON m.place = e.place
	LEFT JOIN counted c ON c.place = e.place AND c.month = e.month AND c.source = e.source
	LEFT JOIN again a ON a.place = e.place AND a.month = e.month AND a.source = e.source
	ORDER BY e.month, e.source, e.place$view$,
		months, sources, all_accounts,
		(SELECT string_agg(format('j.%I_at', m), ', ') FROM unnest(_milestones()) AS m));

	PERFORM @extschema@._comment_view('funnel_monthly'::text, '
One row per month (in the funnel''s time zone), source and milestone: every month from the first with an entry to the present one, for every source that any unit has and every milestone that the funnel has stages for, with zeros where nothing entered. Of more than 1,000 sources only the 1,000 with most entries have rows of zeros. Do not add up leads or accounts over months or sources.
month: first day of the month
source: source of the unit when it entered the milestone; (none) where it is missing
position: order of the milestone among those that the funnel has stages for; NULL for one that it has none for any more
milestone: milestone
entered: units (lead and cycle) that first entered the milestone in the month
leads: distinct leads of these units
accounts: distinct accounts of these units, as they were then
'::text);

	CREATE OR REPLACE VIEW mql_to_sql WITH (security_invoker = true) AS
	WITH unit AS (
		SELECT u.mql_month, u.sql_month, count(*) AS n,
			   count(*) FILTER (WHERE u.sql_at >= u.mql_at) AS in_order,
			   count(*) FILTER (WHERE u.sql_at < u.mql_at) AS odd
		FROM (SELECT _month_of(j.mql_at, s.time_zone) AS mql_month,
					 _month_of(j.sql_at, s.time_zone) AS sql_month,
					 j.mql_at, j.sql_at
			  FROM journey j
			  JOIN setting s ON s.only_row = (coalesce(j.mql_at, j.sql_at) IS NOT NULL)
			  OFFSET '0') u
		GROUP BY u.mql_month, u.sql_month
	), entry AS (
		SELECT u.mql_month AS month, u.n AS mqls, u.in_order, u.odd,
			   0 AS entered, 0 AS skipped
		FROM unit u
		UNION ALL
		SELECT u.sql_month AS month, 0 AS mqls, 0 AS in_order, 0 AS odd,
			   u.n AS entered,
			   CASE WHEN u.mql_month IS NULL THEN u.n ELSE 0 END AS skipped
		FROM unit u
		UNION ALL
		SELECT g.month, 0 AS mqls, 0 AS in_order, 0 AS odd, 0 AS entered, 0 AS skipped
		FROM (SELECT min(least(u.mql_month, u.sql_month)) AS month FROM unit u) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
	), counted AS (
		SELECT e.month,
			   sum(e.mqls)::bigint AS mqls,
			   sum(e.in_order)::bigint AS sqls_of_cohort,
			   sum(e.odd)::bigint AS odd,
			   sum(e.entered)::bigint AS sqls_entered,
			   sum(e.skipped)::bigint AS skipped
		FROM entry e
		WHERE e.month IS NOT NULL
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

	PERFORM @extschema@._comment_view('mql_to_sql'::text, '
One row per month (in the funnel''s time zone), from the first with an MQL or SQL to the present one. The cohort is whoever entered mql in the month, whenever the rest follows; the period is what entered in the month. Rates are fractions: 0.1 is 10 %.
month: first day of the month
mqls: units (lead and cycle) that entered mql in the month
sqls_of_cohort: those of them that entered sql at or after that, whenever
cohort_rate: sqls_of_cohort / mqls; NULL without MQLs
sqls_entered: units that entered sql in the month
period_rate: sqls_entered / mqls, which may exceed 1; NULL without MQLs
skipped: units of sqls_entered that never were an MQL, never in the cohort''s numerator
odd: units of mqls that were an SQL first
mature: whether the month ended at least setting.maturity_days ago: a rate that is not mature will still rise
'::text);

	CREATE OR REPLACE VIEW sql_conversion WITH (security_invoker = true) AS
	WITH unit AS (
		SELECT u.sql_month, u.customer_month, count(*) AS n,
			   count(*) FILTER (WHERE u.customer_at >= u.sql_at) AS in_order,
			   count(*) FILTER (WHERE u.customer_at < u.sql_at) AS odd
		FROM (SELECT _month_of(j.sql_at, s.time_zone) AS sql_month,
					 _month_of(j.customer_at, s.time_zone) AS customer_month,
					 j.sql_at, j.customer_at
			  FROM journey j
			  JOIN setting s ON s.only_row = (coalesce(j.sql_at, j.customer_at) IS NOT NULL)
			  OFFSET '0') u
		GROUP BY u.sql_month, u.customer_month
	), entry AS (
		SELECT u.sql_month AS month, u.n AS sqls, u.in_order, u.odd,
			   0 AS entered, 0 AS skipped
		FROM unit u
		UNION ALL
		SELECT u.customer_month AS month, 0 AS sqls, 0 AS in_order, 0 AS odd,
			   u.n AS entered,
			   CASE WHEN u.sql_month IS NULL THEN u.n ELSE 0 END AS skipped
		FROM unit u
		UNION ALL
		SELECT g.month, 0 AS sqls, 0 AS in_order, 0 AS odd, 0 AS entered, 0 AS skipped
		FROM (SELECT min(least(u.sql_month, u.customer_month)) AS month FROM unit u) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
	), counted AS (
		SELECT e.month,
			   sum(e.sqls)::bigint AS sqls,
			   sum(e.in_order)::bigint AS customers,
			   sum(e.odd)::bigint AS odd,
			   sum(e.entered)::bigint AS customers_entered,
			   sum(e.skipped)::bigint AS skipped
		FROM entry e
		WHERE e.month IS NOT NULL
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

	PERFORM @extschema@._comment_view('sql_conversion'::text, '
One row per month (in the funnel''s time zone), from the first with an SQL or customer to the present one. The cohort is whoever entered sql in the month, whenever the rest follows; the period is what entered in the month. Rates are fractions: 0.25 is 25 %.
month: first day of the month
sqls: units (lead and cycle) that entered sql in the month
customers: those of them that entered customer at or after that, whenever
rate: customers / sqls; NULL without SQLs
customers_entered: units that entered customer in the month
period_rate: customers_entered / sqls, which may exceed 1; NULL without SQLs
skipped: units of customers_entered that never were an SQL, never in customers
odd: units of sqls that were a customer first
mature: whether the month ended at least setting.maturity_days ago: a rate that is not mature will still rise
'::text);

	--
	-- Times of events and of censoring, one row a distinct time; then the
	-- product-limit estimates over those at which something ended.  Without
	-- follow-up to day n there is no estimate for day n.
	--
	CREATE OR REPLACE VIEW sql_velocity WITH (security_invoker = true) AS
	WITH unit AS (
		SELECT _month_of(j.sql_at, s.time_zone) AS month,
			   CASE WHEN j.customer_at < j.sql_at THEN 'odd'
					WHEN j.customer_at IS NOT NULL THEN 'won'
					WHEN j.exited_at IS NOT NULL THEN 'exited'
					WHEN j.gone_at IS NOT NULL THEN 'gone'
					ELSE 'open' END AS state,
			   _microseconds_between(j.sql_at,
									 coalesce(j.customer_at, j.exited_at,
											  greatest(coalesce(j.gone_at, funnel_now()), j.sql_at)))
				   AS time
		FROM journey j
		CROSS JOIN setting s
		WHERE j.sql_at IS NOT NULL
		OFFSET '0'
	), counted AS (
		SELECT u.month,
			   count(*) AS sqls,
			   count(*) FILTER (WHERE u.state = 'won') AS n,
			   count(*) FILTER (WHERE u.state = 'open') AS n_open,
			   count(*) FILTER (WHERE u.state = 'exited') AS n_exited,
			   count(*) FILTER (WHERE u.state = 'gone') AS n_gone,
			   count(*) FILTER (WHERE u.state = 'odd') AS n_odd,
			   avg(u.time) FILTER (WHERE u.state = 'won') AS mean,
			   _spread(u.time) FILTER (WHERE u.state = 'won') AS parts
		FROM unit u
		GROUP BY u.month
	), instant AS (
		SELECT u.month, u.time,
			   count(*) FILTER (WHERE u.state = 'won') AS won,
			   count(*) FILTER (WHERE u.state IN ('won', 'exited')) AS ended,
			   (sum(count(*)) OVER (PARTITION BY u.month
									ORDER BY u.time DESC))::bigint AS at_risk
		FROM unit u
		WHERE u.state <> 'odd'
		GROUP BY u.month, u.time
	), followed AS (
		SELECT i.month,
			   max(i.time) AS until,
			   least(max(i.time) FILTER (WHERE i.at_risk >= 5), 365 * 86400000000) AS horizon
		FROM instant i
		GROUP BY i.month
	), survival AS (
		SELECT i.month, i.time, i.won, i.at_risk,
			   _survival(i.at_risk, i.won) OVER past AS not_won,
			   _survival(i.at_risk, i.ended) OVER past AS left_over
		FROM instant i
		WHERE i.ended > 0
		WINDOW past AS (PARTITION BY i.month ORDER BY i.time ROWS UNBOUNDED PRECEDING)
	), step AS (
		SELECT v.month, v.time, v.won, v.at_risk, v.not_won, v.left_over,
			   coalesce(lag(v.left_over) OVER past, 1) AS left_before
		FROM survival v
		WINDOW past AS (PARTITION BY v.month ORDER BY v.time)
	), incidence AS (
		SELECT p.month, p.time, p.not_won, p.left_over,
			   sum(p.left_before * p.won / p.at_risk) OVER (
				   PARTITION BY p.month ORDER BY p.time ROWS UNBOUNDED PRECEDING) AS won_by
		FROM step p
	), horizon AS (
		SELECT i.month, max(i.won_by) AS won_by
		FROM incidence i
		JOIN followed f ON f.month = i.month
		WHERE i.time <= f.horizon
		GROUP BY i.month
	), estimate AS (
		SELECT i.month,
			   min(i.time) FILTER (WHERE h.won_by > 0
				   AND round(i.won_by - h.won_by / 2, 20) >= 0) AS won_median,
			   min(i.time) FILTER (WHERE round(i.not_won, 20) <= 0.5) AS km_median,
			   max(i.won_by) FILTER (WHERE i.time <= 30 * 86400000000) AS by_30,
			   max(i.won_by) FILTER (WHERE i.time <= 60 * 86400000000) AS by_60,
			   max(i.won_by) FILTER (WHERE i.time <= 90 * 86400000000) AS by_90,
			   max(i.won_by) FILTER (WHERE i.time <= 180 * 86400000000) AS by_180,
			   min(i.left_over) = 0 AS is_over
		FROM incidence i
		LEFT JOIN horizon h ON h.month = i.month
		GROUP BY i.month
	), known AS (
		-- to which day
		SELECT f.month,
			   CASE WHEN e.is_over THEN 'infinity' ELSE f.until / 86400000000.0 END AS days
		FROM followed f
		LEFT JOIN estimate e ON e.month = f.month
	), every AS (
		SELECT c.month FROM counted c
		UNION
		SELECT g.month
		FROM (SELECT min(c.month) AS month FROM counted c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
	)
	SELECT m.month AS month,
		   coalesce(c.sqls, 0) AS sqls,
		   coalesce(c.n, 0) AS n,
		   coalesce(c.n_open, 0) AS n_open,
		   coalesce(c.n_exited, 0) AS n_exited,
		   coalesce(c.n_gone, 0) AS n_gone,
		   coalesce(c.n_odd, 0) AS n_odd,
		   _days(e.won_median::numeric) AS won_median_days,
		   _days(c.mean) AS mean_days,
		   _days(c.parts[1]::numeric) AS median_days,
		   _days(c.parts[2]::numeric) AS p90_days,
		   _days(e.km_median::numeric) AS km_median_days,
		   CASE WHEN k.days >= 30
				THEN _ratio(coalesce(e.by_30, 0::numeric), 1::numeric) END AS won_by_30,
		   CASE WHEN k.days >= 60
				THEN _ratio(coalesce(e.by_60, 0::numeric), 1::numeric) END AS won_by_60,
		   CASE WHEN k.days >= 90
				THEN _ratio(coalesce(e.by_90, 0::numeric), 1::numeric) END AS won_by_90,
		   CASE WHEN k.days >= 180
				THEN _ratio(coalesce(e.by_180, 0::numeric), 1::numeric) END AS won_by_180
	FROM every m
	LEFT JOIN counted c ON c.month = m.month
	LEFT JOIN estimate e ON e.month = m.month
	LEFT JOIN known k ON k.month = m.month
	ORDER BY m.month;

	PERFORM @extschema@._comment_view('sql_velocity'::text, '
One row per month (in the funnel''s time zone) of entered(sql), from the first with an SQL to the present one. Velocity = entered(customer) - entered(sql) in the same cycle, in days. sqls = n + n_open + n_exited + n_gone + n_odd.
month: first day of the month
sqls: units (lead and cycle) that entered sql in the month
n: SQLs that became a customer
n_open: SQLs that did none of these yet
n_exited: SQLs that left for nurture, disqualified or lost without becoming a customer
n_gone: SQLs whose lead was deleted, erased or merged before either
n_odd: SQLs that were a customer first, left out of all that follows
won_median_days: the typical time of those who will buy: the least number of days by which half of all are customers who are so by the horizon, exits competing; the horizon is the last day to which at least 5 SQLs were followed, at most 365; NULL where nobody is a customer by then
mean_days: mean of the days of n, too short while many are open
median_days: median of the days of n, too short while many are open
p90_days: nine in ten of n took no longer, in days
km_median_days: Kaplan-Meier: exits censored at the exit, open ones at now, those gone when they went, events before ties; the least number of days with S <= 0.5, NULL if there is none: it tells what were if nobody ever dropped out
won_by_30: Aalen-Johansen: the share that is a customer by day 30, exits competing, as a fraction; NULL where nobody was followed that long
won_by_60: the share by day 60, likewise
won_by_90: the share by day 90, likewise
won_by_180: the share by day 180, likewise
'::text);
END
$template$;

COMMENT ON FUNCTION _create_conversion_views() IS
'creates the views of a funnel on counts and rates; called by _create_funnel_views()';
