--
-- Views of a funnel: from one milestone to the next
--
-- A step leads from a milestone of the path to the next one that this funnel
-- has stages for.  One that no unit entered, though units got further, is in
-- nobody's way, as in view "funnel".
--
CREATE FUNCTION _create_step_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	instants text;
	months text;
	sources text;
	cohorts text;
	furthest text;
	since text;
	times text;
	stays text;
	every text;
	weeks text;
	parts text;
	-- the milestones that units pass, of which a relation says how many by their place
	path constant text := $path$(
		SELECT m.place, m.milestone,
			   lead(m.place) OVER (ORDER BY m.place) AS next_place,
			   lead(m.milestone) OVER (ORDER BY m.place) AS next_milestone
		FROM (SELECT m.place::integer AS place, m.milestone, sum(e.entered) > 0 AS passed,
					 bool_or(sum(e.entered) > 0) OVER (ORDER BY m.place ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
						 AS passed_by
			  FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, place)
			  LEFT JOIN %s e ON e.place = m.place
			  WHERE NOT _is_exit(m.milestone)
					AND m.milestone IN (SELECT st.milestone FROM stage st)
			  GROUP BY m.place, m.milestone) m
		WHERE m.passed OR m.passed_by IS NOT TRUE)$path$;
	-- the cohort of 12 months that is judged, and the one before
	year constant text := $year$(
		SELECT d.only_row, d.today, d.starts_on, d.past_on,
			   d.ends_on::timestamp AT TIME ZONE d.time_zone AS ends_at,
			   d.starts_on::timestamp AT TIME ZONE d.time_zone AS starts_at,
			   d.past_on::timestamp AT TIME ZONE d.time_zone AS past_at
		FROM (SELECT s.only_row, s.time_zone, t.today, t.today - s.maturity_days AS ends_on,
					 (t.today - s.maturity_days - interval '12 months')::date AS starts_on,
					 (t.today - s.maturity_days - interval '24 months')::date AS past_on
			  FROM setting s
			  CROSS JOIN LATERAL (SELECT (funnel_now() AT TIME ZONE s.time_zone)::date AS today) t) d
		OFFSET '0')$year$;
	-- the week that goes on
	clock constant text := $clock$(
		SELECT s.only_row, s.time_zone, t.now, date_trunc('week', t.now)::date AS week, t.now - date_trunc('week', t.now) AS so_far,
			   (date_trunc('week', t.now) - interval '16 weeks') AT TIME ZONE s.time_zone AS since
		FROM setting s
		CROSS JOIN LATERAL (SELECT funnel_now() AT TIME ZONE s.time_zone AS now) t
		OFFSET '0')$clock$;
BEGIN
	SELECT string_agg(format('j.%I_at', m.milestone), ', ' ORDER BY m.place),
		   string_agg(format('_month_of(j.%I_at, s.time_zone)', m.milestone), ', ' ORDER BY m.place),
		   string_agg(format('coalesce(j.%I_source, ''(none)'')', m.milestone), ', ' ORDER BY m.place),
		   string_agg(format('CASE WHEN j.%1$I_at >= w.ends_at THEN date ''-infinity'' WHEN j.%1$I_at >= w.starts_at THEN w.starts_on '
							 'WHEN j.%1$I_at >= w.past_at THEN w.past_on ELSE date ''-infinity'' END', m.milestone), ', ' ORDER BY m.place),
		   string_agg(format('WHEN j.%I_at IS NOT NULL THEN %s', m.milestone, m.place), ' ' ORDER BY m.place DESC),
		   string_agg(format('j.%I_at', m.milestone), ', ' ORDER BY m.place DESC)
		INTO instants, months, sources, cohorts, furthest, since
	FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, place)
	WHERE NOT _is_exit(m.milestone);

	EXECUTE format($view$CREATE OR REPLACE VIEW conversion WITH (security_invoker = true) AS
	WITH told AS (
		SELECT _steps(ARRAY[%1$s], ARRAY[%2$s], ARRAY[%3$s]) AS steps
		FROM journey j
		JOIN setting s ON s.only_row = (coalesce(%1$s) IS NOT NULL)
	), entry AS (
		SELECT e.* FROM told t CROSS JOIN LATERAL unnest(t.steps) e
	), path AS %4$s, step AS (
		SELECT row_number() OVER (ORDER BY p.place) AS position, p.place AS a, p.milestone AS from_milestone,
			   p.next_place AS b, p.next_milestone AS to_milestone
		FROM path p
		WHERE p.next_place IS NOT NULL
		UNION ALL
		SELECT count(*), f.place, f.milestone, l.place, l.milestone
		FROM path p
		CROSS JOIN (SELECT p.place, p.milestone FROM path p ORDER BY p.place LIMIT 1) f
		CROSS JOIN (SELECT p.place, p.milestone FROM path p WHERE p.milestone = 'customer') l
		GROUP BY f.place, f.milestone, l.place, l.milestone
		HAVING count(*) > 2
	), series AS (
		SELECT e.source, row_number() OVER (ORDER BY sum(e.entered) DESC, e.source) AS rank
		FROM entry e
		GROUP BY e.source
	), cell AS (
		SELECT e.month, e.source FROM entry e
		UNION
		SELECT g.month, r.source
		FROM (SELECT min(e.month) AS month FROM entry e) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN series r
		WHERE r.rank <= _most_series()
	), line AS (
		SELECT c.month, c.source, t.position, t.from_milestone, t.to_milestone,
			   coalesce(a.entered, 0) AS n, coalesce(a.reached[t.b], 0) AS converted,
			   coalesce(b.entered, 0) AS entered, coalesce(b.skipped[t.a], 0) AS skipped
		FROM cell c
		CROSS JOIN step t
		LEFT JOIN entry a ON a.place = t.a AND a.month = c.month AND a.source = c.source
		LEFT JOIN entry b ON b.place = t.b AND b.month = c.month AND b.source = c.source
	)
	SELECT l.month AS month,
		   l.source AS source,
		   l.position AS position,
		   l.from_milestone AS from_milestone,
		   l.to_milestone AS to_milestone,
		   l.n AS n,
		   l.converted AS converted,
		   _ratio(l.converted::numeric, l.n::numeric) AS rate,
		   _ratio(w.limits[1], 1::numeric) AS rate_lower,
		   _ratio(w.limits[2], 1::numeric) AS rate_upper,
		   l.entered AS entered,
		   _ratio(l.entered::numeric, l.n::numeric) AS period_rate,
		   l.skipped AS skipped,
		   _mature_at(l.month, s.maturity_days::bigint, s.time_zone) <= funnel_now() AS mature
	FROM line l
	CROSS JOIN setting s
	CROSS JOIN LATERAL (SELECT _wilson(l.converted::numeric, l.n::numeric) AS limits) w
	ORDER BY l.month, l.source, l.position$view$, instants, months, sources, format(path, 'entry'));

	PERFORM @extschema@._comment_view('conversion'::text, '
One row per month (in the funnel''s time zone), source and step: every month from the first with an entry to the present one, for every source that any unit has, with zeros where nothing entered (of more than 1,000 sources, the 1,000 with most entries). Steps are each two milestones of the path that follow each other (of those that this funnel has stages for and units pass), and from the first of them to customer. Cohort: rate = converted / n, where n are the units (lead and cycle) that entered from_milestone in the month, by the source of that move, and converted those of them that entered to_milestone at or after that, whenever. Period: period_rate = entered / n, where entered are the units that entered to_milestone in the month, by the source of that move; it may exceed 1. Add up n and converted, never rates.
month: first day of the month of the entry
source: source as the move has it; (none): unknown
position: order of the steps
from_milestone: where the step begins
to_milestone: where it ends
n: units that entered from_milestone in the month
converted: units of n that entered to_milestone at or after that, whenever
rate: converted / n; a fraction: 0.25 is 25 %; NULL where n is 0
rate_lower: lower limit of the rate''s 95 % interval (Wilson); a fraction
rate_upper: upper limit of the rate''s 95 % interval (Wilson); a fraction
entered: units that entered to_milestone in the month
period_rate: entered / n; a ratio, which may exceed 1; NULL where n is 0
skipped: units of entered that never were in from_milestone
mature: whether the month ended at least setting.maturity_days ago; if not, the rate will still rise
'::text);

	--
	-- D18
	--
	EXECUTE format($view$CREATE OR REPLACE VIEW bottleneck WITH (security_invoker = true) AS
	WITH told AS (
		SELECT _steps(ARRAY[%1$s], ARRAY[%2$s], ARRAY[%6$s]) AS steps
		FROM journey j
		JOIN %7$s w ON w.only_row = (coalesce(%1$s) IS NOT NULL)
	), entry AS (
		SELECT e.* FROM told t CROSS JOIN LATERAL unnest(t.steps) e
	), passage AS (
		SELECT e.place, e.entered FROM entry e WHERE e.month > '-infinity'
		UNION ALL
		SELECT r.place::integer, r.n
		FROM entry e
		CROSS JOIN LATERAL unnest(e.reached) WITH ORDINALITY AS r (n, place)
		WHERE e.month > '-infinity'
	), path AS %5$s, goal AS (
		SELECT DISTINCT ON (t.metric) t.metric, t.value
		FROM target t
		CROSS JOIN %7$s w
		WHERE t.source IS NULL AND t.owner IS NULL AND t.starts_on <= w.today AND t.ends_on >= w.starts_on
		ORDER BY t.metric, t.starts_on DESC, t.ends_on DESC
	), step AS (
		SELECT row_number() OVER (ORDER BY p.place) AS position, p.place, p.milestone AS from_milestone,
			   p.next_milestone AS to_milestone,
			   coalesce(e.entered, 0) AS n, coalesce(e.reached[p.next_place], 0) AS converted,
			   coalesce(g.value, b.reached[p.next_place]::numeric / b.entered) AS target,
			   CASE WHEN g.value IS NOT NULL THEN 'target' WHEN b.entered > 0 THEN 'own past' END AS target_of
		FROM path p
		CROSS JOIN %7$s w
		LEFT JOIN entry e ON e.place = p.place AND e.month = w.starts_on
		LEFT JOIN entry b ON b.place = p.place AND b.month = w.past_on
		LEFT JOIN goal g ON g.metric = 'rate:' || p.milestone || '>' || p.next_milestone
		WHERE p.next_place IS NOT NULL
	), blame AS (
		SELECT r.reason, st.milestone, min(r.side) AS side
		FROM reason r
		JOIN stage st ON st.stage = r.applies_to
		GROUP BY r.reason, st.milestone
		HAVING count(*) = count(r.side) AND min(r.side) = max(r.side)
	), lost AS (
		-- of the cohort, those that came to this milestone and no further
		SELECT u.place, coalesce(b.side, h.side, h.owner_role) AS side
		FROM (SELECT j.lead_id, j.cycle, j.exit, j.exit_reason, j.exited_at, p.place
			  FROM journey j
			  JOIN %7$s w ON w.only_row = (j.exited_at IS NOT NULL AND j.customer_at IS NULL)
			  CROSS JOIN LATERAL (SELECT CASE %3$s END AS place, coalesce(%4$s) AS at OFFSET '0') p
			  WHERE p.at >= w.starts_at AND p.at < w.ends_at) u
		LEFT JOIN blame b ON b.reason = u.exit_reason AND b.milestone = u.exit
		-- where the reason does not tell, the move does
		LEFT JOIN LATERAL (
			SELECT r.side, f.owner_role
			FROM stage_history h
			JOIN stage st ON st.stage = h.to_stage AND st.milestone = u.exit
			LEFT JOIN reason r ON r.applies_to = h.to_stage AND r.reason = h.reason
			LEFT JOIN stage f ON f.stage = h.from_stage
			WHERE b.side IS NULL AND h.lead_id = u.lead_id AND h.cycle = u.cycle AND h.entered_at = u.exited_at
				  AND h.voided_at IS NULL
			ORDER BY h.ordinal, h.history_id
			LIMIT 1) h ON true
		UNION ALL
		SELECT p.place, st.owner_role
		FROM lead l
		JOIN stage st ON st.stage = l.stage AND _is_on_path(st.milestone)
		JOIN journey j ON j.lead_id = l.lead_id AND j.cycle = l.cycle
			AND j.exited_at IS NULL AND j.gone_at IS NULL AND j.customer_at IS NULL
		CROSS JOIN LATERAL (SELECT CASE %3$s END AS place, coalesce(%4$s) AS at OFFSET '0') p
		CROSS JOIN %7$s w
		WHERE l.due_at < funnel_now() AND p.at >= w.starts_at AND p.at < w.ends_at
	), side AS (
		SELECT l.place,
			   count(*) FILTER (WHERE l.side = 'marketing') AS marketing,
			   count(*) FILTER (WHERE l.side = 'sales') AS sales
		FROM lost l
		GROUP BY l.place
	), judged AS (
		SELECT t.*, w.limits,
			   coalesce(t.n >= 30 AND w.limits[2] < t.target, false) AS proven,
			   coalesce(t.converted = 0 AND t.n > 0 AND t.target > 0, false) AS stopped
		FROM step t
		CROSS JOIN LATERAL (SELECT _wilson(t.converted::numeric, t.n::numeric) AS limits) w
	), worst AS (
		SELECT u.from_milestone || '>' || u.to_milestone AS step
		FROM judged u
		WHERE u.proven
		ORDER BY u.stopped DESC, u.target * u.n / NULLIF(u.converted, 0) DESC, u.position
		LIMIT 1
	)
	SELECT u.position AS position,
		   u.from_milestone AS from_milestone,
		   u.to_milestone AS to_milestone,
		   u.n AS n,
		   u.converted AS converted,
		   _ratio(u.converted::numeric, u.n::numeric) AS rate,
		   _ratio(w.limits[1], 1::numeric) AS rate_lower,
		   _ratio(w.limits[2], 1::numeric) AS rate_upper,
		   CASE u.target_of WHEN 'target' THEN u.target ELSE _ratio(u.target, 1::numeric) END AS target_rate,
		   u.target_of AS target_of,
		   CASE WHEN u.target IS NOT NULL AND u.n > 0
				THEN CASE WHEN u.converted < u.target * u.n
						  THEN _ratio(u.target * u.n - u.converted, u.converted::numeric)
						  ELSE 0 END END AS gain,
		   u.proven AS proven,
		   coalesce(d.marketing, 0) AS lost_by_marketing,
		   coalesce(d.sales, 0) AS lost_by_sales,
		   CASE WHEN d.marketing > d.sales THEN 'marketing' WHEN d.sales > d.marketing THEN 'sales' END AS side,
		   coalesce((SELECT x.step FROM worst x), 'none proven') AS bottleneck
	FROM judged u
	CROSS JOIN LATERAL (SELECT u.limits) w
	LEFT JOIN side d ON d.place = u.place
	ORDER BY u.stopped DESC, gain DESC NULLS LAST, u.position$view$,
		instants, cohorts, furthest, since, format(path, 'passage'),
		(SELECT string_agg('''''', ', ') FROM unnest(_milestones()) AS m WHERE NOT _is_exit(m)), year);

	PERFORM @extschema@._comment_view('bottleneck'::text, '
One row per step of the path (between milestones that units of these months pass), the largest gain first: where it would help most to be as good as one should, or once was, and whose it is. n, converted, rate: the cohort rate (see view conversion) of units that entered from_milestone in the 12 months that ended setting.maturity_days ago. target_rate: the target for metric rate:<from>><to>, the latest one that has begun and had not ended before these months; without one the funnel''s own rate over the 12 months before. gain = target_rate / rate - 1 where the rate is below, else 0. A step is proven to be below its target when n is at least 30 and the upper limit of the rate''s interval is below. lost_by_marketing, lost_by_sales: units of the months that came as far as from_milestone and no further, and left the path, by reason.side, and without one by the owner_role of the stage that they left; or that wait there past due, by the owner_role of their stage.
position: order of the steps
from_milestone: where the step begins
to_milestone: where it ends
n: units that entered from_milestone in the 12 months
converted: units of n that entered to_milestone at or after that
rate: converted / n; a fraction: 0.25 is 25 %; NULL where n is 0
rate_lower: lower limit of the rate''s 95 % interval (Wilson); a fraction
rate_upper: upper limit of the rate''s 95 % interval (Wilson); a fraction
target_rate: what the rate is held against; a fraction
target_of: where that is from: target, or own past; NULL: neither is there
gain: target_rate / rate - 1, by how much more would get further at the target; a fraction: 0.5 is half as many again; NULL where the rate is 0 or unknown
proven: whether n is at least 30 and rate_upper, before rounding, below the target
lost_by_marketing: units lost or waiting past due at the step, with marketing
lost_by_sales: units lost or waiting past due at the step, with sales
side: who has more of them: marketing or sales; NULL: neither
bottleneck: the same in each row: the step with the largest gain of those that are proven, as in mql>sql, or none proven
'::text);

	--
	-- Weeks begin on Monday
	--
	SELECT string_agg(format('j.%I_at', m.milestone), ', ' ORDER BY m.place),
		   string_agg(format('CASE WHEN j.%1$I_at >= c.since AND j.%1$I_at <= funnel_now() '
							 'THEN date_trunc(''week'', j.%1$I_at AT TIME ZONE c.time_zone)::date END', m.milestone), ', ' ORDER BY m.place),
		   string_agg(format('CASE WHEN j.%1$I_at >= c.since '
							 'AND j.%1$I_at AT TIME ZONE c.time_zone - date_trunc(''week'', j.%1$I_at AT TIME ZONE c.time_zone) <= c.so_far '
							 'THEN ''so far'' ELSE '''' END', m.milestone), ', ' ORDER BY m.place)
		INTO every, weeks, parts
	FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, place);

	EXECUTE format($view$CREATE OR REPLACE VIEW funnel_weekly WITH (security_invoker = true) AS
	WITH told AS (
		SELECT _steps(ARRAY[%2$s], ARRAY[%1$s], ARRAY[%4$s]) AS steps
		FROM journey j
		JOIN %3$s c ON c.only_row = (coalesce(%2$s) IS NOT NULL)
		WHERE greatest(%2$s) >= c.since
	), entry AS (
		SELECT e.place, e.month AS week, sum(e.entered) AS n, coalesce(sum(e.entered) FILTER (WHERE e.source = 'so far'), 0) AS so_far
		FROM told t
		CROSS JOIN LATERAL unnest(t.steps) e
		GROUP BY e.place, e.month
	), line AS (
		SELECT g.week, m.place, m.milestone, g.week = c.week AS partial, coalesce(e.n, 0)::bigint AS entered,
			   (SELECT coalesce(sum(CASE WHEN g.week = c.week THEN b.so_far ELSE b.n END), 0)
				FROM entry b
				WHERE b.place = m.place AND b.week >= g.week - 28 AND b.week < g.week) AS before
		FROM %3$s c
		CROSS JOIN LATERAL (SELECT c.week - 7 * w.ago AS week FROM generate_series(0, 12) AS w (ago)) g
		CROSS JOIN unnest(_milestones()) WITH ORDINALITY AS m (milestone, place)
		LEFT JOIN entry e ON e.place = m.place AND e.week = g.week
		WHERE m.milestone IN (SELECT st.milestone FROM stage st)
	)
	SELECT l.week AS week,
		   row_number() OVER (PARTITION BY l.week ORDER BY l.place) AS position,
		   l.milestone AS milestone,
		   l.entered AS entered,
		   _per(l.before, 4::numeric) AS mean_before,
		   _ratio(4 * l.entered - l.before, l.before) AS change,
		   l.partial AS partial,
		   repeat('█', ceil(20.0 * l.entered / NULLIF(max(l.entered) OVER (PARTITION BY l.milestone), 0))::integer) AS bar
	FROM line l
	ORDER BY l.place, l.week$view$, weeks, every, clock, parts);

	PERFORM @extschema@._comment_view('funnel_weekly'::text, '
One row per milestone of this funnel and week, from Monday in the funnel''s time zone: the last 12 weeks and the one that goes on. entered: units (lead and cycle) that entered the milestone in the week. mean_before: how many a week did in the four weeks before; for the week that goes on, until the same weekday and time. change = entered / mean_before - 1.
week: Monday that the week begins with
position: order of the milestones
milestone: milestone that was entered
entered: units that entered it in the week
mean_before: units a week in the four weeks before
change: entered / mean_before - 1; a fraction: 0.1 is 10 % more; NULL where none did before
partial: whether the week goes on
bar: entered, against the most of the milestone''s weeks
'::text);

	--
	-- Where an open unit is: the furthest milestone that it came to
	--
	SELECT string_agg(format('_microseconds_between(j.%I_at, least(%s)) AS %I', a.milestone, b.after, a.milestone), ', '),
		   string_agg(format('(%s, %L, t.%I, t.%I)', a.place, a.milestone, a.milestone || ' n', a.milestone || ' spread'), ', ')
		INTO times, stays
	FROM unnest(_milestones()) WITH ORDINALITY AS a (milestone, place)
	CROSS JOIN LATERAL (
		SELECT string_agg(format('CASE WHEN j.%1$I_at >= j.%2$I_at THEN j.%1$I_at END', b.milestone, a.milestone), ', ') AS after
		FROM unnest(_milestones()) WITH ORDINALITY AS b (milestone, place)
		WHERE b.place > a.place AND NOT _is_exit(b.milestone)) AS b
	WHERE _is_on_path(a.milestone);

	EXECUTE format($view$CREATE OR REPLACE VIEW stuck WITH (security_invoker = true) AS
	WITH told AS (
		SELECT %1$s
		FROM (SELECT %2$s FROM journey j WHERE num_nonnulls(%3$s) > 1 OFFSET '0') u
	), stay AS (
		SELECT v.place, v.milestone, v.n, v.spread[2] AS p90
		FROM told t
		CROSS JOIN LATERAL (VALUES %4$s) v (place, milestone, n, spread)
		WHERE v.n > 0
	), limits AS (
		SELECT array_agg(p.p90 ORDER BY m.place) AS p90
		FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, place)
		LEFT JOIN stay p ON p.place = m.place
	), counted AS (
		SELECT u.place, coalesce(l.owner::text, '(none)') AS owner, count(*) AS n, max(u.time) AS longest
		FROM (%7$s OFFSET '0') u
		JOIN lead l ON l.lead_id = u.lead_id
		WHERE u.time > (SELECT x.p90 FROM limits x)[u.place]
		GROUP BY u.place, coalesce(l.owner::text, '(none)')
	), deals AS (
		SELECT d.place, d.owner, count(*) AS n, sum(d.amount) AS amount, count(*) FILTER (WHERE d.amount IS NULL) AS unpriced
		FROM (SELECT DISTINCT u.place, coalesce(l.owner::text, '(none)') AS owner, d.deal_id,
					 CASE WHEN d.home_amount IS NOT NULL THEN d.home_amount
						  WHEN coalesce(d.currency, s.currency) = s.currency THEN d.amount END AS amount
			  FROM deal d
			  CROSS JOIN setting s
			  JOIN deal_contact k ON k.deal_id = d.deal_id
			  JOIN lead l ON l.lead_id = k.lead_id
			  JOIN LATERAL (%7$s AND j.lead_id = k.lead_id OFFSET '0') u ON u.time > (SELECT x.p90 FROM limits x)[u.place]
			  WHERE d.status = 'open') d
		GROUP BY d.place, d.owner
	)
	SELECT dense_rank() OVER (ORDER BY c.place) AS position,
		   p.milestone AS milestone,
		   c.owner AS owner,
		   p.n AS went_on,
		   _days(p.p90::numeric) AS p90_days,
		   c.n AS stuck,
		   _days(c.longest::numeric) AS longest_days,
		   coalesce(d.n, 0) AS open_deals,
		   coalesce(d.amount, 0) AS amount,
		   coalesce(d.unpriced, 0) AS n_unpriced
	FROM counted c
	JOIN stay p ON p.place = c.place
	LEFT JOIN deals d ON d.place = c.place AND d.owner = c.owner
	ORDER BY c.place, c.n DESC, c.owner$view$,
		(SELECT string_agg(format('count(u.%1$I) AS %2$I, _spread(u.%1$I) FILTER (WHERE u.%1$I >= 0) AS %3$I', m, m || ' n', m || ' spread'), ', ')
		 FROM unnest(_milestones()) AS m WHERE _is_on_path(m)),
		times, instants, stays, furthest, since,
		-- the open units
		format('SELECT j.lead_id, CASE %s END AS place, _microseconds_between(coalesce(%s), funnel_now()) AS time FROM journey j '
			   'WHERE j.exited_at IS NULL AND j.gone_at IS NULL AND j.customer_at IS NULL', furthest, since));

	PERFORM @extschema@._comment_view('stuck'::text, '
One row per milestone of the path and owner of today with units that are stuck there: still open, and in it for longer than nine of ten took of those that went on. A unit (lead and cycle) is open that is neither a customer nor off the path nor gone; it is in the furthest milestone that it entered, since it first did. went_on: units that entered a later milestone at or after this one; p90_days: the 90th percentile of how long until then, over all time. Where nobody went on, nobody is stuck. amount: of the open deals of these leads, each once in a row.
position: order of the milestones
milestone: milestone that the units are in
owner: who has the leads now; (none): nobody
went_on: units that went on from the milestone, those of all owners
p90_days: days within which nine of ten of these did
stuck: open units that are in it for longer
longest_days: days that the one is in it that is in it for longest
open_deals: open deals of their leads
amount: what these are worth, in the currency of the funnel
n_unpriced: open deals without an amount, or in a foreign currency without home_amount; not in amount
'::text);

END
$template$;

COMMENT ON FUNCTION _create_step_views() IS
'creates the views of a funnel on the steps from one milestone to the next; called by _create_funnel_views()';
