--
-- Views of a funnel: at what pace
--
CREATE FUNCTION sales_velocity(opportunities numeric, win_rate numeric, mean_amount numeric, cycle_days numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN _money_per(opportunities * win_rate * mean_amount, cycle_days);

COMMENT ON FUNCTION sales_velocity(numeric, numeric, numeric, numeric) IS
'what a pipeline brings a day: opportunities × win rate × mean amount of a won deal / days that one takes; in the currency of the amount, to 6 digits; NULL where it takes no time';

CREATE FUNCTION _create_pace_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	path text[] := ARRAY(SELECT m.milestone FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position)
						 WHERE NOT _is_exit(m.milestone) ORDER BY m.position);
	months text;
	so_far text;
	entries text;
BEGIN
	--
	-- D6
	--
	EXECUTE format($view$CREATE OR REPLACE VIEW sql_velocity WITH (security_invoker = true) AS
	WITH unit AS (
		SELECT g.by, g.month, g.source, v.way, v.gone, v.time
		FROM (SELECT _month_of(j.sql_at, s.time_zone) AS month, coalesce(j.sql_source, '(none)') AS source, %1$s
			  FROM journey j
			  JOIN setting s ON s.only_row = (j.sql_at IS NOT NULL)
			  OFFSET '0') v
		CROSS JOIN LATERAL (VALUES ('month', v.month, NULL::text), ('source', NULL::date, v.source), ('all', NULL::date, NULL::text))
			AS g (by, month, source)
	), counted AS (
		SELECT u.by, u.month, u.source, %2$s
		FROM unit u
		GROUP BY u.by, u.month, u.source
	), every AS (
		SELECT c.by, c.month, c.source FROM counted c
		UNION
		SELECT 'month' AS by, g.month, NULL AS source
		FROM (SELECT min(c.month) AS month FROM counted c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
	)
	SELECT e.month AS month,
		   coalesce(c.units, 0) AS sqls,
		   coalesce(c.n, 0) AS n,
		   coalesce(c.n_open, 0) AS n_open,
		   coalesce(c.n_exited, 0) AS n_exited,
		   coalesce(c.n_gone, 0) AS n_gone,
		   coalesce(c.n_odd, 0) AS n_odd,
		   _days(c.estimate[1]::numeric) AS won_median_days,
		   _days(c.mean) AS mean_days,
		   _days(c.parts[1]::numeric) AS median_days,
		   _days(c.parts[2]::numeric) AS p90_days,
		   _days(c.estimate[2]::numeric) AS km_median_days,
		   _ratio(c.estimate[3]::numeric, 1::numeric) AS won_by_30,
		   _ratio(c.estimate[4]::numeric, 1::numeric) AS won_by_60,
		   _ratio(c.estimate[5]::numeric, 1::numeric) AS won_by_90,
		   _ratio(c.estimate[6]::numeric, 1::numeric) AS won_by_180,
		   e.by AS by,
		   e.source AS source
	FROM every e
	LEFT JOIN counted c ON c.by = e.by AND (c.month = e.month OR c.source = e.source OR e.by = 'all')
	ORDER BY e.month, e.by DESC, e.source$view$, _velocity_unit('sql'::text, 'customer'::text), _velocity_counts());

	PERFORM @extschema@._comment_view('sql_velocity'::text, '
Three kinds of rows, each kind has every SQL once: by = month, one row per month (in the funnel''s time zone) of entered(sql), from the first with an SQL to the present one; by = source, one row per source of that history row; by = all, one row. Velocity = entered(customer) - entered(sql) in the same cycle, in days. sqls = n + n_open + n_exited + n_gone + n_odd. The same for other milestones, and by more: velocity().
month: first day of the month; NULL: of a source, or of all
sqls: units (lead and cycle) that entered sql
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
by: kind of row: month, source or all
source: source of the unit when it entered sql, (none) where it is missing; NULL: of a month, or of all
'::text);

	--
	-- X14, D29: units by the months of all their entries, in one pass
	--
	SELECT string_agg(format('_month_of(j.%1$I_at, s.time_zone) AS %1$I, j.%1$I_at >= s.since AND j.%1$I_at < s.until AS %2$I',
							 m, m || ' so far'), ', '),
		   string_agg(format('count(*) FILTER (WHERE u.%1$I) AS %1$I', m || ' so far'), ', '),
		   string_agg(format('(%L, u.%I, u.%I)', m, m, m || ' so far'), ', ')
		INTO months, so_far, entries
	FROM unnest(path) AS m;

	EXECUTE format($view$CREATE OR REPLACE VIEW lead_velocity_rate WITH (security_invoker = true) AS
	WITH unit AS (
		SELECT u.started, %3$s, u.definition, u.version, u.mql_definition, u.mql_version, u.sql_definition, u.sql_version,
			   count(*) AS n, %2$s
		FROM (SELECT _month_of(j.started_at, s.time_zone) AS started, %1$s,
					 j.definition, j.version, j.mql_definition, j.mql_version, j.sql_definition, j.sql_version
			  FROM journey j
			  JOIN (SELECT w.only_row, w.time_zone, w.last AT TIME ZONE w.time_zone AS since,
						   least(w.month, w.last + (w.now - w.month)) AT TIME ZONE w.time_zone AS until
					FROM (SELECT t.only_row, t.time_zone, t.month::timestamp AS month, t.month - interval '1 month' AS last,
								 funnel_now() AT TIME ZONE t.time_zone AS now
						  FROM (SELECT g.only_row, g.time_zone, _month_of(funnel_now(), g.time_zone) AS month FROM setting g) t) w
					OFFSET '0') s ON s.only_row = (coalesce(%5$s) IS NOT NULL)
			  OFFSET '0') u
		GROUP BY u.started, %3$s, u.definition, u.version, u.mql_definition, u.mql_version, u.sql_definition, u.sql_version
	), entry AS (
		SELECT e.milestone, e.month, sum(u.n)::bigint AS n, sum(e.so_far)::bigint AS so_far
		FROM unit u
		CROSS JOIN LATERAL (VALUES %4$s) e (milestone, month, so_far)
		WHERE e.month IS NOT NULL
		GROUP BY e.milestone, e.month
	), stamp AS (
		-- which definition was in force: all that was written down of the month
		SELECT d.month, min(d.definition) AS first, max(d.definition) AS last, min(d.version) AS oldest, max(d.version) AS newest,
			   bool_or(d.definition IS NULL OR d.version IS NULL) AS unknown
		FROM unit u
		CROSS JOIN LATERAL (VALUES (u.started, u.definition, u.version), (u.mql, u.mql_definition, u.mql_version),
								   (u.sql, u.sql_definition, u.sql_version)) d (month, definition, version)
		WHERE d.month IS NOT NULL
		GROUP BY d.month
	), months AS (
		SELECT m.month, m.month = _month_of(funnel_now(), s.time_zone) AS partial
		FROM (SELECT min(e.month) AS month FROM entry e) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) m (month)
	), ruled AS (
		SELECT m.month, m.partial, d.unknown,
			   min(d.first) OVER pair = max(d.last) OVER pair AND min(d.oldest) OVER pair = max(d.newest) OVER pair AS same,
			   bool_or(d.unknown) OVER pair AS unsure,
			   CASE WHEN d.first = d.last AND d.oldest = d.newest AND NOT d.unknown THEN d.first END AS definition,
			   CASE WHEN d.first = d.last AND d.oldest = d.newest AND NOT d.unknown THEN d.oldest END AS version
		FROM months m
		LEFT JOIN stamp d ON d.month = m.month
		WINDOW pair AS (ORDER BY m.month ROWS 1 PRECEDING)
	), paced AS (
		SELECT r.month, r.partial, r.definition, r.version, p.position, p.milestone,
			   CASE WHEN NOT r.same THEN false WHEN r.unsure THEN NULL ELSE r.same END AS comparable,
			   coalesce(e.n, 0) AS qualified,
			   lag(coalesce(e.n, 0)) OVER past AS previous,
			   lag(coalesce(e.so_far, 0)) OVER past AS so_far
		FROM ruled r
		CROSS JOIN unnest(_milestones()) WITH ORDINALITY AS p (milestone, position)
		LEFT JOIN entry e ON e.month = r.month AND e.milestone = p.milestone
		WHERE NOT _is_exit(p.milestone) AND p.milestone IN (SELECT st.milestone FROM stage st)
		WINDOW past AS (PARTITION BY p.milestone ORDER BY r.month)
	)
	SELECT p.month AS month,
		   row_number() OVER (PARTITION BY p.month ORDER BY p.position) AS position,
		   p.milestone AS milestone,
		   p.qualified AS qualified,
		   p.previous AS previous,
		   CASE WHEN NOT p.partial THEN _ratio((p.qualified - p.previous)::numeric, p.previous::numeric) END AS rate,
		   p.partial AS partial,
		   p.comparable AS comparable,
		   CASE WHEN p.partial THEN p.so_far END AS previous_so_far,
		   p.definition AS definition,
		   p.version::bigint AS version
	FROM paced p
	ORDER BY p.month, p.position$view$, months, so_far,
		(SELECT string_agg(format('u.%I', m), ', ') FROM unnest(path) AS m), entries,
		(SELECT string_agg(format('j.%I_at', m), ', ') FROM unnest(path) AS m));

	PERFORM @extschema@._comment_view('lead_velocity_rate'::text, '
Lead velocity rate: one row per month (in the funnel''s time zone) and milestone of the path that the funnel has stages for, from the first month with an entry to the present one.
month: month, its first day
position: order of the milestone among those that the funnel has stages for
milestone: milestone of the path
qualified: units (lead and cycle) that entered it in the month
previous: those of the month before; NULL in the first month
rate: (qualified - previous) / previous: 0.15 is 15 % more; NULL where previous is 0 or the month is not over
partial: whether the month is not over
comparable: whether all that began, became an MQL or became an SQL in the two months did so under one version of one definition: if not, the rules changed, and so did what is counted; NULL: it is not known of all, as they were imported
previous_so_far: while the month is not over: entries of the month before up to the same day and time
definition: definition in force in the month; NULL: several, or not known
version: its version
'::text);

	--
	-- X13, D27
	--
	CREATE OR REPLACE VIEW sales_velocity WITH (security_invoker = true) AS
	WITH deal_part AS (
		SELECT d.owner, c.source, d.status, d.closed_at,
			   least(d.opened_at, d.closed_at) AS opened_at,
			   _home_amount(d.home_amount, d.amount, d.currency, s.currency) AS amount,
			   _month_of(least(d.opened_at, d.closed_at), s.time_zone) AS opened,
			   _month_of(d.closed_at, s.time_zone) AS closed
		FROM deal d
		JOIN setting s ON s.only_row = (d.deal_id IS NOT NULL)
		LEFT JOIN (
			-- as won_deal does
			SELECT DISTINCT ON (k.deal_id) k.deal_id, j.source
			FROM deal_contact k
			JOIN deal o ON o.deal_id = k.deal_id
			JOIN journey j ON j.lead_id = k.lead_id
			ORDER BY k.deal_id, CASE WHEN j.sql_at <= coalesce(o.closed_at, funnel_now()) THEN j.sql_at END DESC NULLS LAST,
					 j.started_at <= coalesce(o.closed_at, funnel_now()) DESC, j.started_at DESC, j.lead_id, j.cycle) c
			ON c.deal_id = d.deal_id
		WHERE d.status = 'open' OR d.closed_at IS NOT NULL
	), clock AS (
		SELECT s.time_zone, _month_of(funnel_now(), s.time_zone) AS month,
			   (funnel_now() AT TIME ZONE s.time_zone - interval '1 year') AT TIME ZONE s.time_zone AS since,
			   _month_of(funnel_now(), s.time_zone)::timestamp AT TIME ZONE s.time_zone AS began
		FROM setting s
		LIMIT 1
	), year_part AS (
		SELECT g.by, g.value,
			   count(*) FILTER (WHERE d.status = 'open') AS opportunities,
			   count(*) FILTER (WHERE d.status = 'won') AS won,
			   count(*) FILTER (WHERE d.status = 'lost') AS lost,
			   count(d.amount) FILTER (WHERE d.status = 'won') AS priced,
			   sum(d.amount) FILTER (WHERE d.status = 'won') AS amount,
			   sum(_microseconds_between(d.opened_at, d.closed_at)) FILTER (WHERE d.status = 'won') AS time,
			   coalesce(sum(d.amount) FILTER (WHERE d.status = 'won'), 0) AS revenue,
			   _microseconds_between(min(c.since), funnel_now())::numeric AS period
		FROM deal_part d
		CROSS JOIN clock c
		CROSS JOIN LATERAL (VALUES ('all', 'all'), ('owner', coalesce(d.owner, '(none)')),
								   ('source', coalesce(d.source, '(none)'))) g (by, value)
		WHERE CASE WHEN d.status = 'open' THEN d.opened_at <= funnel_now()
				   ELSE d.closed_at > c.since AND d.closed_at <= funnel_now() END
		GROUP BY g.by, g.value
	), event AS (
		SELECT e.month, sum(e.opens) AS opens,
			   count(*) FILTER (WHERE e.status = 'won') AS won,
			   count(*) FILTER (WHERE e.status = 'lost') AS lost,
			   count(e.amount) FILTER (WHERE e.status = 'won') AS priced,
			   sum(e.amount) FILTER (WHERE e.status = 'won') AS amount,
			   sum(e.time) FILTER (WHERE e.status = 'won') AS time
		FROM deal_part d
		CROSS JOIN LATERAL (VALUES (d.opened, 1, NULL, NULL::numeric, NULL::bigint),
								   (d.closed, -1, d.status, d.amount, _microseconds_between(d.opened_at, d.closed_at)))
			e (month, opens, status, amount, time)
		WHERE e.month IS NOT NULL
		GROUP BY e.month
	), month_part AS (
		SELECT m.month AS month,
			   (sum(e.opens) OVER (ORDER BY m.month))::bigint AS opportunities,
			   sum(e.won) OVER past AS won, sum(e.lost) OVER past AS lost, sum(e.priced) OVER past AS priced,
			   sum(e.amount) OVER past AS amount, sum(e.time) OVER past AS time,
			   coalesce(e.amount, 0) AS revenue,
			   CASE WHEN m.month < c.month THEN extract(epoch FROM m.month + interval '1 month' - m.month) * 1000000
					ELSE _microseconds_between(c.began, funnel_now())::numeric END AS period
		FROM clock c
		CROSS JOIN LATERAL _months_since((SELECT min(e.month) FROM event e), c.time_zone) m (month)
		LEFT JOIN event e ON e.month = m.month
		WINDOW past AS (ORDER BY m.month ROWS 11 PRECEDING)
	), part AS (
		SELECT y.by, y.value, y.opportunities, y.won, y.lost, y.priced, y.amount, y.time::numeric, y.revenue, y.period
		FROM year_part y
		UNION ALL
		SELECT 'month' AS by, to_char(m.month::timestamp, 'YYYY-MM-DD'), coalesce(m.opportunities, 0), coalesce(m.won, 0), coalesce(m.lost, 0),
			   coalesce(m.priced, 0), m.amount, m.time, m.revenue, m.period
		FROM month_part m
	)
	SELECT p.by AS by,
		   p.value AS value,
		   p.opportunities AS opportunities,
		   p.won::bigint AS won,
		   p.lost::bigint AS lost,
		   _ratio(p.won::numeric, (p.won + p.lost)::numeric) AS win_rate,
		   _money_per(p.amount, p.priced::numeric) AS mean_amount,
		   _days(p.time / NULLIF(p.won, 0)) AS mean_cycle_days,
		   sales_velocity(p.opportunities::numeric, p.won::numeric / NULLIF(p.won + p.lost, 0), p.amount / NULLIF(p.priced, 0),
						  p.time / NULLIF(p.won, 0) / 86400000000) AS per_day,
		   _money_per(p.revenue, p.period / 86400000000) AS won_per_day,
		   p.priced::bigint AS priced,
		   trim_scale(p.revenue) AS revenue,
		   _days(p.period) AS days
	FROM part p
	ORDER BY p.by, p.value;

	PERFORM @extschema@._comment_view('sales_velocity'::text, '
What the pipeline brings a day. Rows by = month: one per month (in the funnel''s time zone; value its first day) from that of the first deal to the present one; by = all, owner and source: of the year up to now, one row, one per owner of deals, and one per source of the unit (lead and cycle) that a deal is credited to, as won_deal does. per_day = opportunities × win_rate × mean_amount / mean_cycle_days, see sales_velocity(): opportunities are the deals open at the end of the period; win_rate = won / (won + lost), the deals closed in the 12 months to that end; mean_amount of the won ones that have an amount (priced) in the funnel''s currency; mean_cycle_days from opened_at (or closed_at, if that was before) to closed_at of the won ones. NULL where the cycle is 0 or nothing was won. Beside it what came: won_per_day = revenue / days, revenue of the deals won in the period itself, days of it that have passed. Deals closed at an unknown time count for nothing. Rows by owner or source do not add up to that of all.
by: kind of row: all, month, owner or source
value: all; first day of the month; owner of the deal; source of the unit that it is credited to
opportunities: deals open at the end of the period
won: deals won in the 12 months to the end of the period
lost: deals lost in these
win_rate: won / (won + lost)
mean_amount: mean amount of the won ones that have one, in the funnel''s currency
mean_cycle_days: mean days from opened to won
per_day: opportunities × win_rate × mean_amount / mean_cycle_days, in the funnel''s currency
won_per_day: revenue / days
priced: of won those that have an amount in the funnel''s currency
revenue: amounts of the deals won in the period, in the funnel''s currency
days: days of the period that have passed
'::text);

	--
	-- D19
	--
	CREATE OR REPLACE VIEW forecast WITH (security_invoker = true) AS
	SELECT f.milestone AS milestone,
		   f.horizon_days::bigint AS horizon_days,
		   f.expected AS expected,
		   f.lower AS lower,
		   f.upper AS upper,
		   f.waiting AS waiting,
		   f.begin_per_week AS begin_per_week,
		   f.from_waiting AS from_waiting,
		   f.from_new AS from_new,
		   f.revenue AS revenue,
		   f.revenue_lower AS revenue_lower,
		   f.revenue_upper AS revenue_upper
	FROM setting s
	CROSS JOIN LATERAL _forecast_of(s.tableoid, funnel_now()) f;

	PERFORM @extschema@._comment_view('forecast'::text, '
One row per milestone of the path that the funnel has stages for, and horizon of 30, 60 and 90 days from now: how many units (lead and cycle) will enter it by then. expected = from_waiting + from_new. from_waiting: of the waiting units, which are in an earlier milestone now, by how many weeks they have been there: the chance to go on from it in each further week is the Aalen-Johansen estimate over stays begun in the last 365 days, leaving (nurture, disqualified, lost, gone) competing; then on through later milestones, week by week. Where fewer than 20 were followed to a week, the chances of the last week with 20; a milestone with fewer than 20 stays has the incidence of units from their begin. from_new: of units that will begin, as many a week (begin_per_week) as in the last 13 full weeks; where there have been fewer weeks, in these; under 4, NULL, and so is expected. lower, upper: 90 % interval, cut at 0, of what chance does to each unit, of how far the chances and the number that begin are known, and of how that number varies; NULL under 10 past entries. revenue (of customers): expected × mean amount of all won deals, in the funnel''s currency, with its interval. Everything is as if nothing changed: see forecast_check() for how it did.
milestone: milestone of the path
horizon_days: days from now
expected: units expected to enter it by then
lower: lower limit of the 90 % interval
upper: upper limit of it
waiting: units in an earlier milestone now
begin_per_week: units that begin a week, by the last 13 full weeks
from_waiting: units expected of those waiting
from_new: units expected of those that will begin
revenue: expected × mean amount won, in the funnel''s currency; of customers
revenue_lower: lower limit of its 90 % interval
revenue_upper: upper limit of it
'::text);

	--
	-- D29
	--
	CREATE OR REPLACE VIEW target_attainment WITH (security_invoker = true) AS
	SELECT t.metric AS metric,
		   t.starts_on AS starts_on,
		   t.ends_on AS ends_on,
		   t.source AS source,
		   t.owner AS owner,
		   t.value AS value,
		   t.attained AS attained,
		   t.n AS n,
		   t.of_n AS of_n,
		   _ratio(t.attained, t.value) AS attained_share,
		   t.days AS days,
		   t.elapsed_days AS elapsed_days,
		   t.expected_by_now AS expected_by_now,
		   t.forecast AS forecast,
		   t.forecast_upper AS forecast_upper,
		   t.alarm AS alarm,
		   t.target_id AS target_id
	FROM setting s
	CROSS JOIN LATERAL _targets_of(s.tableoid) t;

	PERFORM @extschema@._comment_view('target_attainment'::text, '
One row per target. attained: entries: units (lead and cycle) that entered the milestone from starts_on to ends_on, in the funnel''s time zone, up to now; revenue: won deals closed then, in the funnel''s currency; rate: of the of_n units that entered the first milestone then, the n that entered the second at or after that, a fraction. Of a source (as the unit entered the milestone; of revenue that of the unit that the deal is credited to, as it began) or an owner (as the unit entered mql or sql, else as it began; of the deal) where the target names one. expected_by_now = value × the part of the period that has passed; of a rate the value. forecast: what view forecast says of the rest of the period, forecast_upper the upper limit of its 90 % interval; NULL for rates, exits, and ends more than two years away. alarm: attained + forecast_upper < value: chance alone will hardly reach it; of a rate: it is below the value setting.maturity_days after the end; NULL: not known (yet).
metric: entries:<milestone>, revenue or rate:<milestone>><milestone>
starts_on: first day of the period
ends_on: last day of the period
source: source it is for; NULL: all
owner: owner it is for; NULL: all
value: what is to be reached
attained: what has been: units, an amount in the funnel''s currency, or a fraction
n: units, or deals, of which it is made
of_n: of a rate: of how many
attained_share: attained / value
days: days of the period
elapsed_days: days of it that have passed
expected_by_now: value × elapsed_days / days; of a rate the value
forecast: what is expected of the rest of the period
forecast_upper: upper limit of the 90 % interval of that
alarm: it will hardly be reached
target_id: key of the target
'::text);

END
$template$;

COMMENT ON FUNCTION _create_pace_views() IS
'creates the views of a funnel on velocity; called by _create_funnel_views()';
