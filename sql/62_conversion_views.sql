--
-- Views of a funnel: how many get how far, and how fast
--
-- The text of view "funnel" and of what funnel_at() asks: over units that have
-- the columns of table journey, leads by stage, open deals by milestone, and the
-- tables of a schema.
CREATE FUNCTION _funnel_query(units text, present text, deals text, prefix text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	n_path constant integer := (SELECT count(*) FROM unnest(@extschema@._milestones()) AS m WHERE NOT @extschema@._is_exit(m::text));
	instants text;
	accounts text;
	again text;
	rungs text;
	pairs text;
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
	FROM unnest(@extschema@._milestones()) WITH ORDINALITY AS m (milestone, position)
	WHERE NOT @extschema@._is_exit(m.milestone::text);
	SELECT string_agg(format('(%L, %L, coalesce(t.n[%s], 0), coalesce(t.n[%s], 0))', a.milestone, b.milestone,
							 (a.position - 1) * n_path + b.position, (b.position - 1) * n_path + a.position), ', ')
		INTO pairs
	FROM unnest(@extschema@._milestones()) WITH ORDINALITY AS a (milestone, position)
	JOIN unnest(@extschema@._milestones()) WITH ORDINALITY AS b (milestone, position)
		ON b.position > a.position AND NOT @extschema@._is_exit(b.milestone::text);

	RETURN format($query$
	WITH step AS (
		SELECT row_number() OVER (ORDER BY m.position) AS position, m.milestone
		FROM unnest(@extschema@._milestones()) WITH ORDINALITY AS m (milestone, position)
		WHERE NOT @extschema@._is_exit(m.milestone::text)
			  AND m.milestone IN (SELECT st.milestone FROM %9$sstage st)
	), told AS (
		SELECT @extschema@._ways(ARRAY[%1$s], ARRAY[%2$s]) AS n FROM %7$s j
	), again AS (
		SELECT %3$s
		FROM (SELECT %6$s
			  FROM %7$s j
			  WHERE EXISTS (SELECT FROM %7$s o WHERE o.lead_id = j.lead_id AND o.cycle > 1)
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
		FROM (%8$s) l
		JOIN %9$sstage st ON st.stage = l.stage
		GROUP BY st.milestone
	), ahead AS (
		%10$s
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
		   @extschema@._ratio(j.from_previous::numeric, j.previous_reached::numeric) AS rate_from_previous,
		   j.first_milestone AS first_milestone,
		   j.first_reached AS first_reached,
		   j.from_first AS from_first,
		   @extschema@._ratio(j.from_first::numeric, j.first_reached::numeric) AS rate_from_first,
		   j.skipped AS skipped,
		   j.unused AS unused,
		   repeat('█', ceil(30.0 * j.reached / NULLIF(j.widest, 0))::integer) AS bar,
		   j.open_deals AS open_deals,
		   j.open_amount AS open_amount
	FROM joined j
	ORDER BY j.position$query$, instants, accounts, again, rungs, pairs,
		(SELECT string_agg(format('count(j.%1$I_at) AS %1$I', m), ', ')
		 FROM unnest(@extschema@._milestones()) AS m WHERE NOT @extschema@._is_exit(m::text)),
		units, present, prefix, deals);
END
$body$;

COMMENT ON FUNCTION _funnel_query(text, text, text, text) IS
'text of a query: how many units get how far, as view funnel tells it';

CREATE FUNCTION _create_conversion_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	months text;
	sources text;
	all_accounts text;
	open_deals constant text := $deals$-- an open deal is where the furthest of its contacts is
		SELECT (_milestones())[d.place] AS milestone, count(*) AS deals, sum(d.amount) AS amount
		FROM (SELECT max(array_position(_milestones(), st.milestone)) AS place,
					 _home_amount(d.home_amount, d.amount, d.currency, g.currency) AS amount
			  FROM deal d
			  JOIN setting g ON g.only_row
			  JOIN deal_contact k ON k.deal_id = d.deal_id
			  JOIN lead l ON l.lead_id = k.lead_id
			  JOIN stage st ON st.stage = l.stage
			  WHERE d.status = 'open' AND NOT _is_exit(st.milestone)
			  GROUP BY d.deal_id, g.currency) d
		GROUP BY d.place$deals$;
BEGIN
	SELECT string_agg(format('_month_of(j.%I_at, s.time_zone)', m.milestone), ', ' ORDER BY m.position),
		   string_agg(format('coalesce(j.%I_source, ''(none)'')', m.milestone), ', ' ORDER BY m.position),
		   string_agg(format('j.%I_account_id', m.milestone), ', ' ORDER BY m.position)
		INTO months, sources, all_accounts
	FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position);

	EXECUTE 'CREATE OR REPLACE VIEW funnel WITH (security_invoker = true) AS '
		|| _funnel_query('journey'::text, 'SELECT stage, count(*) AS leads FROM lead GROUP BY stage'::text, open_deals::text, ''::text);

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
END
$template$;

COMMENT ON FUNCTION _create_conversion_views() IS
'creates the views of a funnel on counts and rates; called by _create_funnel_views()';
