--
-- Views of a funnel: where leads drop out, and who lets them wait
--
CREATE FUNCTION _create_diagnosis_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	--
	-- D16.  The last unit of a lead tells what became of it; the lives of a key
	-- are leads of their own.
	--
	EXECUTE format($view$CREATE OR REPLACE VIEW waterfall WITH (security_invoker = true) AS
	WITH unit AS (
		SELECT j.lead_id, j.cycle, j.exited_at, j.customer_at, j.gone_at,
			   coalesce(j.source, '(none)') AS source, j.started_at
		FROM journey j
		WHERE NOT EXISTS (SELECT FROM journey n
						  WHERE n.lead_id = j.lead_id AND n.cycle > j.cycle AND n.cycle > 1
								AND coalesce(n.gone_at, 'infinity') = coalesce(j.gone_at, 'infinity'))
	), listed AS (
		SELECT r.reason, row_number() OVER (ORDER BY min(r.position), r.reason) AS place,
			   (array_agg(coalesce(r.label, r.reason) ORDER BY r.position, st.position, r.applies_to))[1] AS label,
			   CASE WHEN count(r.side) = count(*) AND min(r.side) = max(r.side) THEN min(r.side) END AS side
		FROM reason r
		LEFT JOIN stage st ON st.stage = r.applies_to
		GROUP BY r.reason
	), known AS (
		SELECT e.framework, e.element, coalesce(e.label, e.element) AS label,
			   row_number() OVER (ORDER BY array_position(_frameworks(), e.framework), e.framework,
								  e.position, e.element) AS place
		FROM element e
	), given AS (
		-- with the move off the path, and with those that followed it there
		SELECT h.lead_id, h.cycle, (array_agg(h.reason ORDER BY r.place, h.reason))[1] AS reason
		FROM journey j
		JOIN stage_history h ON h.lead_id = j.lead_id AND h.cycle = j.cycle AND h.entered_at >= j.exited_at
		JOIN stage st ON st.stage = h.to_stage AND _is_exit(st.milestone)
		LEFT JOIN listed r ON r.reason = h.reason
		WHERE h.voided_at IS NULL AND h.reason IS NOT NULL
		GROUP BY h.lead_id, h.cycle
	), refuted AS (
		SELECT l.lead_id, l.cycle, min(k.place) AS place
		FROM lead l
		JOIN known k ON CASE k.framework %1$s
							ELSE answers_level(l.answers, k.framework, k.element)::text END = 'no'
		WHERE %2$s OR l.answers::text LIKE '%%"no"%%'
		GROUP BY l.lead_id, l.cycle
	), told AS (
		SELECT _month_of(u.started_at, s.time_zone) AS month, u.source,
			   CASE WHEN u.customer_at IS NOT NULL THEN NULL
					WHEN g.reason IS NOT NULL THEN 'reason'
					WHEN f.place IS NOT NULL THEN 'element'
					WHEN u.exited_at IS NOT NULL THEN 'exit'
					WHEN u.gone_at IS NOT NULL THEN 'gone' END AS kind,
			   g.reason, f.place
		FROM unit u
		JOIN setting s ON s.only_row = (u.started_at IS NOT NULL)
		LEFT JOIN given g ON g.lead_id = u.lead_id AND g.cycle = u.cycle
		LEFT JOIN refuted f ON f.lead_id = u.lead_id AND f.cycle = u.cycle AND u.gone_at IS NULL
		OFFSET '0'
	), cell AS (
		SELECT t.month, t.source, t.kind,
			   CASE t.kind WHEN 'reason' THEN t.reason END AS reason,
			   CASE t.kind WHEN 'element' THEN t.place END AS place, count(*) AS n
		FROM told t
		GROUP BY 1, 2, 3, 4, 5
	), step AS (
		SELECT row_number() OVER (ORDER BY x.kind_place, x.place, x.step) AS position, x.*
		FROM (SELECT DISTINCT CASE c.kind WHEN 'reason' THEN 1 WHEN 'element' THEN 2 WHEN 'exit' THEN 3 ELSE 4 END AS kind_place,
					 c.kind, c.reason, c.place AS element_place, coalesce(r.place, k.place) AS place,
					 CASE c.kind WHEN 'reason' THEN c.reason
								 WHEN 'element' THEN k.framework || '.' || k.element
								 WHEN 'exit' THEN '(no reason)' ELSE '(gone)' END AS step,
					 CASE c.kind WHEN 'reason' THEN coalesce(r.label, c.reason)
								 WHEN 'element' THEN 'No: ' || k.label
								 WHEN 'exit' THEN 'Left the path for no reason given'
								 ELSE 'Deleted, erased or merged' END AS label,
					 r.side
			  FROM cell c
			  LEFT JOIN listed r ON r.reason = c.reason
			  LEFT JOIN known k ON k.place = c.place
			  WHERE c.kind IS NOT NULL) x
		UNION ALL
		SELECT 0, 0, 'all' AS kind, NULL AS reason, NULL AS element_place, NULL AS place, '(all)' AS step, 'All leads' AS label, NULL AS side
	), scope AS (
		SELECT 'all' AS scope, NULL::date AS month, NULL::text AS source, coalesce(sum(c.n), 0) AS leads
		FROM cell c
		UNION ALL
		SELECT 'month' AS scope, m.month, NULL AS source, coalesce(sum(c.n), 0)
		FROM (SELECT c.month FROM cell c
			  UNION
			  SELECT g.month
			  FROM (SELECT min(c.month) AS month FROM cell c) f
			  JOIN setting s ON s.only_row = (f.month IS NOT NULL)
			  CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)) m
		LEFT JOIN cell c ON c.month = m.month
		GROUP BY m.month
		UNION ALL
		SELECT 'source' AS scope, NULL AS month, c.source, sum(c.n)
		FROM cell c
		GROUP BY c.source
	), dropped AS (
		SELECT CASE WHEN grouping(c.month) = 0 THEN 'month' WHEN grouping(c.source) = 0 THEN 'source' ELSE 'all' END AS scope,
			   c.month, c.source, c.kind, c.reason, c.place, sum(c.n) AS n
		FROM cell c
		WHERE c.kind IS NOT NULL
		GROUP BY c.kind, c.reason, c.place, GROUPING SETS ((), (c.month), (c.source))
	), line AS (
		SELECT p.scope, p.month, p.source, t.position, t.step, t.kind, t.label, t.side, p.leads, coalesce(d.n, 0) AS excluded,
			   p.leads - sum(coalesce(d.n, 0)) OVER (PARTITION BY p.scope, p.month, p.source ORDER BY t.position) AS remaining
		FROM scope p
		CROSS JOIN step t
		LEFT JOIN dropped d ON d.scope = p.scope AND d.kind = t.kind
			AND coalesce(d.month, 'infinity') = coalesce(p.month, 'infinity') AND coalesce(d.source, '') = coalesce(p.source, '')
			AND coalesce(d.reason, '') = coalesce(t.reason, '') AND coalesce(d.place, 0) = coalesce(t.element_place, 0)
	)
	SELECT l.scope AS scope,
		   l.month AS month,
		   l.source AS source,
		   l.position AS position,
		   l.step AS step,
		   l.kind AS kind,
		   l.label AS label,
		   l.side AS side,
		   l.leads::bigint AS leads,
		   l.excluded::bigint AS excluded,
		   l.remaining::bigint AS remaining,
		   _ratio(l.excluded, l.leads) AS excluded_share,
		   _ratio(l.remaining, l.leads) AS remaining_share
	FROM line l
	ORDER BY l.scope, l.month, l.source, l.position$view$,
		_each_framework('WHEN %1$L THEN l.%1$I::jsonb ->> k.element'::text, ' '::text),
		_each_framework('refuted(l.%1$I) > 0'::text, ' OR '::text));

	PERFORM @extschema@._comment_view('waterfall'::text, '
What leads drop out for, step by step, and who is left: each lead once, by its latest unit, under the first step that it fails. Reasons go first, in their order (reason.position): those given when the unit left the path, and when it moved on from one exit to another; then elements of the frameworks that are refuted now, in the order of the frameworks and of element.position; then who left the path without a reason, and who is gone. A customer drops out at no step. Rows for all leads (scope all), for each month in which their latest unit began (scope month, in the funnel''s time zone, months without one too), and for each source (scope source); in each the same steps, those that any lead dropped out at.
scope: all, month or source
month: first day of the month; NULL in other scopes
source: source of the latest unit; (none) where it is missing; NULL in other scopes
position: order of the steps; 0: all leads
step: reason; framework.element; (no reason), (gone); (all) at position 0
kind: reason, element, exit, gone; all at position 0
label: the step in words
side: whose the reason is to mend (reason.side), where it is the same wherever it may be given
leads: leads of the scope
excluded: leads that drop out at this step
remaining: leads that are left after it
excluded_share: excluded / leads
remaining_share: remaining / leads
'::text);

	--
	-- Who had a lead when it was handed over may not be who has it now
	--
	CREATE OR REPLACE VIEW sla_by_owner WITH (security_invoker = true) AS
	WITH timed AS (
		SELECT _month_of(o.handed_over_at, s.time_zone) AS month, w.owner_at, w.owner, o.outcome,
			   o.due_at, o.breached, o.first_touch_at, o.owner_now,
			   _microseconds_between(o.handed_over_at, o.accepted_at) AS to_acceptance,
			   _microseconds_between(o.handed_over_at, o.first_touch_at) AS to_touch
		FROM hand_over o
		JOIN setting s ON s.only_row = (o.handed_over_at IS NOT NULL)
		CROSS JOIN LATERAL (VALUES ('hand-over', o.owner_at_hand_over), ('outcome', o.owner), ('now', o.owner_now)) w (owner_at, owner)
		OFFSET '0'
	), counted AS (
		SELECT t.month, t.owner_at, t.owner,
			   count(*) AS handed_over,
			   count(*) FILTER (WHERE t.outcome = 'accepted') AS accepted,
			   count(*) FILTER (WHERE t.outcome = 'returned') AS returned,
			   count(*) FILTER (WHERE t.outcome = 'withdrawn') AS withdrawn,
			   count(*) FILTER (WHERE t.outcome = 'gone') AS gone,
			   count(*) FILTER (WHERE t.outcome = 'pending') AS pending,
			   count(*) FILTER (WHERE t.outcome = 'overdue') AS overdue,
			   count(*) FILTER (WHERE t.outcome = 'accepted' AND NOT t.breached) AS in_time,
			   count(*) FILTER (WHERE t.outcome = 'accepted' AND t.breached) AS late,
			   count(t.due_at) AS with_deadline,
			   count(*) FILTER (WHERE t.breached) AS breached,
			   avg(t.to_acceptance) AS mean_to_acceptance,
			   _spread(t.to_acceptance) AS spread_to_acceptance,
			   count(t.to_touch) AS touched,
			   _spread(t.to_touch) AS spread_to_touch
		FROM timed t
		GROUP BY t.month, t.owner_at, t.owner
	), series AS (
		SELECT c.owner_at, c.owner,
			   row_number() OVER (PARTITION BY c.owner_at ORDER BY sum(c.handed_over) DESC, c.owner) AS rank
		FROM counted c
		GROUP BY c.owner_at, c.owner
	), every AS (
		SELECT c.month, c.owner_at, c.owner FROM counted c
		UNION
		SELECT g.month, r.owner_at, r.owner
		FROM (SELECT min(c.month) AS month FROM counted c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN series r
		WHERE r.rank <= _most_series()
	)
	SELECT e.month AS month,
		   e.owner_at AS owner_at,
		   e.owner AS owner,
		   coalesce(c.handed_over, 0) AS handed_over,
		   coalesce(c.accepted, 0) AS accepted,
		   coalesce(c.returned, 0) AS returned,
		   coalesce(c.withdrawn, 0) AS withdrawn,
		   coalesce(c.gone, 0) AS gone,
		   coalesce(c.pending, 0) AS pending,
		   coalesce(c.overdue, 0) AS overdue,
		   _ratio(c.accepted::numeric, c.handed_over::numeric) AS accepted_share,
		   coalesce(c.in_time, 0) AS in_time,
		   coalesce(c.late, 0) AS late,
		   _ratio(c.in_time::numeric, (c.in_time + c.late)::numeric) AS in_time_share,
		   coalesce(c.with_deadline, 0) AS with_deadline,
		   coalesce(c.breached, 0) AS breached,
		   _ratio(c.breached::numeric, c.with_deadline::numeric) AS breached_share,
		   _days(c.mean_to_acceptance) AS mean_days_to_acceptance,
		   _days(c.spread_to_acceptance[1]::numeric) AS median_days_to_acceptance,
		   _days(c.spread_to_acceptance[2]::numeric) AS p90_days_to_acceptance,
		   coalesce(c.touched, 0) AS touched,
		   _days(c.spread_to_touch[1]::numeric) AS median_days_to_touch
	FROM every e
	LEFT JOIN counted c ON c.month = e.month AND c.owner_at = e.owner_at AND c.owner = e.owner
	ORDER BY e.owner_at, e.month, e.owner;

	PERFORM @extschema@._comment_view('sla_by_owner'::text, '
One row per owner and month of the hand-over (in the funnel''s time zone), three times over: by who had the lead when it was handed over, by who had it when that came to an end, and by who has it now. Each of the three counts every row of hand_over once, so take one of them. Every month from the first with a hand-over to the present one, for each owner that ever had one, of more than 1,000 the 1,000 with most hand-overs. handed_over = accepted + returned + withdrawn + gone + pending + overdue, as in view sla.
month: first day of the month
owner_at: hand-over: by who had the lead when it was handed over; outcome: by who had it when it was accepted, returned or withdrawn, and of one that waits by who has it now, as in view sla; now: by who has it now
owner: owner then; (none) where nobody had it, or the lead is gone
handed_over: hand-overs
accepted: hand-overs that were accepted
returned: hand-overs that somebody returned
withdrawn: hand-overs that left the path by themselves
gone: hand-overs whose lead went before that
pending: hand-overs that wait, and are not due yet
overdue: hand-overs that wait, and were due before now
accepted_share: accepted / handed_over
in_time: of accepted, those accepted at or before due_at
late: of accepted, those accepted after due_at
in_time_share: in_time / (in_time + late)
with_deadline: hand-overs that have a due_at
breached: hand-overs accepted, returned, withdrawn or gone late, or overdue
breached_share: breached / with_deadline
mean_days_to_acceptance: mean of the days from the hand-over to the acceptance, of accepted
median_days_to_acceptance: their median, in days
p90_days_to_acceptance: their 90th percentile, in days
touched: hand-overs with an activity of party sales
median_days_to_touch: median of the days from the hand-over to the first of them, of touched
'::text);
END
$template$;

COMMENT ON FUNCTION _create_diagnosis_views() IS
'creates the views of a funnel on where leads drop out and who lets them wait; called by _create_funnel_views()';
