--
-- Views of a funnel: what became of the leads that marketing handed over
--
CREATE FUNCTION _create_hand_over_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	-- what sales did with a unit (j): the log of a lead, until its next unit;
	-- plans have not taken place
	log constant text := $log$activity a
		JOIN kind k ON k.kind = a.kind AND k.party = 'sales'
		WHERE a.lead_id = j.lead_id AND j.first_touch_at IS NOT NULL AND j.gone_at IS NULL
			AND a.occurred_at >= j.mql_at
			AND (a.occurred_at > _counts_at(a.occurred_at, a.recorded_at)) IS NOT TRUE
			AND a.occurred_at < coalesce((SELECT n.started_at FROM journey n
										  WHERE n.lead_id = j.lead_id AND n.cycle > j.cycle AND n.cycle > 1
										  ORDER BY n.cycle LIMIT 1), 'infinity')$log$;
	-- the rules that gave leads that were rejected (j) most, from cards of theirs (x)
	best constant text := $best$SELECT g.month, g.outcome, g.from_stage, g.reason, g.source, g.owner,
			   string_agg(g.name || ' +' || trim_scale(g.points), ', '
						  ORDER BY g.place) AS rules
		FROM (SELECT j.month, j.outcome, j.from_stage, j.reason, j.source, j.owner,
					 r.name, sum(x.points) AS points,
					 row_number() OVER (
						 PARTITION BY j.month, j.outcome, j.from_stage, j.reason,
									  j.source, j.owner
						 ORDER BY sum(x.points) DESC, r.name) AS place
			  FROM %s
			  JOIN rule r ON r.rule_id = x.rule_id
			  WHERE x.points > 0
			  GROUP BY j.month, j.outcome, j.from_stage, j.reason, j.source,
					   j.owner, r.name) g
		WHERE g.place <= 3
		GROUP BY g.month, g.outcome, g.from_stage, g.reason, g.source, g.owner$best$;
BEGIN
	--
	-- D9, D10: one by one
	--
	EXECUTE format($view$CREATE OR REPLACE VIEW hand_over WITH (security_invoker = true) AS
	SELECT j.lead_id AS lead_id,
		   j.cycle::bigint AS cycle,
		   j.mql_stage AS stage,
		   coalesce(j.mql_source, '(none)') AS source,
		   j.mql_campaign AS campaign,
		   -- who settled it, or has it now; not who had it then
		   coalesce(CASE o.outcome WHEN 'accepted' THEN j.accepted_owner
								   WHEN 'returned' THEN j.exit_owner
								   WHEN 'withdrawn' THEN j.exit_owner
								   ELSE l.owner::text END, j.mql_owner, '(none)') AS owner,
		   j.mql_at AS handed_over_at,
		   j.due_at AS due_at,
		   o.outcome AS outcome,
		   j.accepted_at AS accepted_at,
		   CASE o.outcome WHEN 'returned' THEN j.exited_at END AS returned_at,
		   CASE o.outcome WHEN 'withdrawn' THEN j.exited_at END AS withdrawn_at,
		   CASE WHEN o.outcome IN ('returned', 'withdrawn') THEN j.exit_reason END
			   AS return_reason,
		   o.outcome = 'accepted' AND j.exited_at IS NOT NULL AND NOT j.exit_automatic
			   AS returned_later,
		   j.gone_at AS gone_at,
		   CASE WHEN j.due_at IS NULL THEN NULL
				WHEN o.outcome IN ('pending', 'overdue') THEN o.outcome = 'overdue'
				ELSE coalesce(j.accepted_at, j.exited_at, j.gone_at) > j.due_at END AS breached,
		   -- where there was a first: those in the log, and those in it no more
		   CASE WHEN j.first_touch_at IS NULL THEN 0
				ELSE (SELECT count(*) FROM %1$s)
					 + (SELECT coalesce(sum(h.touches), 0)
						FROM stage_history h
						WHERE h.lead_id = j.lead_id AND h.cycle = j.cycle
							  AND h.touches IS NOT NULL AND h.voided_at IS NULL)
				END AS sales_touches,
		   j.first_touch_at AS first_touch_at,
		   j.first_conversation_at AS first_conversation_at,
		   coalesce(j.mql_owner, '(none)') AS owner_at_hand_over,
		   coalesce(l.owner::text, '(none)') AS owner_now,
		   CASE WHEN j.exited_at IS NOT NULL
				THEN coalesce(b.side, CASE WHEN j.accepted_at IS NULL AND q.owner_role <> 'none' THEN q.owner_role END)
				END AS side
	FROM journey j
	LEFT JOIN lead l ON l.lead_id = j.lead_id AND j.gone_at IS NULL
	LEFT JOIN stage q ON q.stage = j.mql_stage
	LEFT JOIN (
		SELECT r.reason, st.milestone,
			   CASE WHEN count(r.side) = count(*) AND min(r.side) = max(r.side) THEN min(r.side) END AS side
		FROM reason r
		JOIN stage st ON st.stage = r.applies_to
		GROUP BY r.reason, st.milestone) b ON b.reason = j.exit_reason AND b.milestone = j.exit
	CROSS JOIN LATERAL (
		SELECT CASE WHEN j.accepted_at IS NOT NULL THEN 'accepted'
					WHEN j.exited_at IS NOT NULL
					THEN CASE WHEN j.exit_automatic THEN 'withdrawn' ELSE 'returned' END
					WHEN j.gone_at IS NOT NULL THEN 'gone'
					WHEN j.due_at < funnel_now() THEN 'overdue'
					ELSE 'pending' END AS outcome
		OFFSET '0') o
	WHERE j.mql_at IS NOT NULL$view$, log);

	PERFORM @extschema@._comment_view('hand_over'::text, '
One row per hand-over: a unit (lead and cycle) with entered(mql). No personal data.
lead_id: lead, which may be gone
cycle: which time it was in the funnel: with the lead the unit
stage: stage of milestone mql that it was handed over in
source: source then; (none) where it is missing
campaign: campaign then
owner: of one accepted, returned or withdrawn, as that move has it, else as the hand-over; of one pending or overdue, who has the lead now, else who had it then; (none) where it is missing
handed_over_at: when it entered mql
due_at: deadline that the stay as MQL began with; NULL: none
outcome: accepted: afterwards, in the cycle, it came to a stage of milestone sal because somebody asked (not automatically), or to sql, opportunity or customer in any way; returned: not accepted, and somebody moved it off the path (to nurture, disqualified or lost), where it stayed in that cycle; withdrawn: the same by an automatic transition; gone: none of these before the lead was deleted, erased or merged; overdue, pending: none of these yet, with due_at passed or not (or none)
accepted_at: when it was accepted
returned_at: when it was returned
withdrawn_at: when it was withdrawn
return_reason: reason given with a return or withdrawal
returned_later: accepted, and moved off the path by somebody afterwards
gone_at: when the lead was deleted, erased or merged
breached: accepted, returned, withdrawn or gone after due_at, or overdue; NULL without a deadline
sales_touches: activities of party sales from the hand-over to the lead''s next cycle, archived ones too
first_touch_at: the first of them
first_conversation_at: the first of them that is a conversation
owner_at_hand_over: who had the lead then; (none) where nobody did
owner_now: who has the lead now; (none) where nobody does
side: of one that left the path, accepted or not, whose that is to mend: marketing or sales, as the reason given says (reason.side); where it does not, of one not accepted, who works on leads in the stage that it was handed over in (stage.owner_role)
'::text);

	-- one by one it takes longer to look for touches than for all else
	EXECUTE format($view$CREATE OR REPLACE VIEW sla WITH (security_invoker = true) AS
	WITH touch AS (
		SELECT t.lead_id, t.cycle, sum(t.n) AS n
		FROM (SELECT j.lead_id, j.cycle, 1 AS n
			  FROM journey j, %1$s
			  UNION ALL
			  SELECT h.lead_id, h.cycle, h.touches AS n
			  FROM stage_history h
			  WHERE h.touches IS NOT NULL AND h.voided_at IS NULL) t
		GROUP BY t.lead_id, t.cycle
	), timed AS (
		SELECT _month_of(o.handed_over_at, s.time_zone) AS month, o.stage, o.owner, o.outcome,
			   o.returned_later, o.due_at, o.breached, t.n AS sales_touches, o.owner_now,
			   _microseconds_between(o.handed_over_at, o.accepted_at) AS to_acceptance,
			   _microseconds_between(o.handed_over_at, o.first_touch_at) AS to_touch,
			   _microseconds_between(o.handed_over_at, o.first_conversation_at) AS to_talk,
			   CASE WHEN st.working_time
					THEN round(_working_time_between(s.tableoid, o.handed_over_at, o.accepted_at)
							   * 3600000000)::bigint END AS open_to_acceptance,
			   CASE WHEN st.working_time
					THEN round(_working_time_between(s.tableoid, o.handed_over_at, o.first_touch_at)
							   * 3600000000)::bigint END AS open_to_touch
		FROM hand_over o
		JOIN setting s ON s.only_row = (o.handed_over_at IS NOT NULL)
		LEFT JOIN stage st ON st.stage = o.stage
		LEFT JOIN touch t ON t.lead_id = o.lead_id AND t.cycle = o.cycle
		OFFSET '0'
	), counted AS (
		SELECT t.month, t.stage, t.owner,
			   count(*) AS handed_over,
			   count(*) FILTER (WHERE t.outcome = 'accepted') AS accepted,
			   count(*) FILTER (WHERE t.outcome = 'returned') AS returned,
			   count(*) FILTER (WHERE t.outcome = 'withdrawn') AS withdrawn,
			   count(*) FILTER (WHERE t.outcome = 'gone') AS gone,
			   count(*) FILTER (WHERE t.outcome = 'pending') AS pending,
			   count(*) FILTER (WHERE t.outcome = 'overdue') AS overdue,
			   count(*) FILTER (WHERE t.returned_later) AS returned_later,
			   count(*) FILTER (WHERE t.outcome = 'accepted' AND NOT t.breached) AS in_time,
			   count(*) FILTER (WHERE t.outcome = 'accepted' AND t.breached) AS late,
			   count(t.due_at) AS with_deadline,
			   count(*) FILTER (WHERE t.breached) AS breached,
			   avg(t.to_acceptance) AS mean_to_acceptance,
			   _spread(t.to_acceptance) AS spread_to_acceptance,
			   count(t.to_touch) AS touched,
			   avg(t.to_touch) AS mean_to_touch,
			   _spread(t.to_touch) AS spread_to_touch,
			   count(t.to_talk) AS talked_to,
			   avg(t.to_talk) AS mean_to_talk,
			   _spread(t.to_talk) AS spread_to_talk,
			   coalesce(sum(t.sales_touches), 0) AS sales_touches,
			   count(*) FILTER (WHERE t.outcome IN ('pending', 'overdue')
								AND t.owner_now = '(none)') AS unowned,
			   avg(t.open_to_acceptance) AS mean_open_to_acceptance,
			   _spread(t.open_to_acceptance) AS spread_open_to_acceptance,
			   avg(t.open_to_touch) AS mean_open_to_touch,
			   _spread(t.open_to_touch) AS spread_open_to_touch
		FROM timed t
		GROUP BY t.month, t.stage, t.owner
	), series AS (
		SELECT c.stage, c.owner, row_number() OVER (ORDER BY sum(c.handed_over) DESC, c.stage, c.owner) AS rank
		FROM counted c
		GROUP BY c.stage, c.owner
	), every AS (
		SELECT c.month, c.stage, c.owner FROM counted c
		UNION
		SELECT g.month, r.stage, r.owner
		FROM (SELECT min(c.month) AS month FROM counted c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN series r
		WHERE r.rank <= _most_series()
	)
	SELECT e.month AS month,
		   st.position::bigint AS position,
		   e.stage AS stage,
		   e.owner AS owner,
		   coalesce(c.handed_over, 0) AS handed_over,
		   coalesce(c.accepted, 0) AS accepted,
		   coalesce(c.returned, 0) AS returned,
		   coalesce(c.withdrawn, 0) AS withdrawn,
		   coalesce(c.gone, 0) AS gone,
		   coalesce(c.pending, 0) AS pending,
		   coalesce(c.overdue, 0) AS overdue,
		   _ratio(c.accepted::numeric, c.handed_over::numeric) AS accepted_share,
		   _ratio(c.returned::numeric, c.handed_over::numeric) AS returned_share,
		   coalesce(c.returned_later, 0) AS returned_later,
		   coalesce(c.in_time, 0) AS in_time,
		   coalesce(c.late, 0) AS late,
		   _ratio(c.in_time::numeric, (c.in_time + c.late)::numeric) AS in_time_share,
		   coalesce(c.with_deadline, 0) AS with_deadline,
		   coalesce(c.breached, 0) AS breached,
		   _ratio(c.breached::numeric, c.with_deadline::numeric) AS breached_share,
		   _days(c.mean_to_acceptance) AS mean_days_to_acceptance,
		   _days(c.spread_to_acceptance[1]::numeric) AS median_days_to_acceptance,
		   coalesce(c.touched, 0) AS touched,
		   _days(c.mean_to_touch) AS mean_days_to_touch,
		   _days(c.spread_to_touch[1]::numeric) AS median_days_to_touch,
		   coalesce(c.talked_to, 0) AS talked_to,
		   _days(c.mean_to_talk) AS mean_days_to_conversation,
		   _days(c.spread_to_talk[1]::numeric) AS median_days_to_conversation,
		   coalesce(c.sales_touches, 0) AS sales_touches,
		   _ratio(c.sales_touches, c.handed_over::numeric) AS touches_per_lead,
		   coalesce(c.unowned, 0) AS unowned,
		   _hours(c.mean_open_to_acceptance) AS mean_working_hours_to_acceptance,
		   _hours(c.spread_open_to_acceptance[1]::numeric)
			   AS median_working_hours_to_acceptance,
		   _hours(c.mean_open_to_touch) AS mean_working_hours_to_touch,
		   _hours(c.spread_open_to_touch[1]::numeric)
			   AS median_working_hours_to_touch
	FROM every e
	LEFT JOIN counted c ON c.month = e.month AND c.stage = e.stage AND c.owner = e.owner
	LEFT JOIN stage st ON st.stage = e.stage
	ORDER BY e.month, st.position, e.stage, e.owner$view$, log);

	PERFORM @extschema@._comment_view('sla'::text, '
One row per month of the hand-over (in the funnel''s time zone), stage handed over in, and owner, over the rows of hand_over: every month from the first with a hand-over to the present one, for each stage and owner that ever had one, with zeros where there was none. Of more than 1,000 such pairs only the 1,000 with most hand-overs have rows of zeros. handed_over = entered(mql) = accepted + returned + withdrawn + gone + pending + overdue. Who was never touched is handed_over - touched and in no mean. Shares are fractions; all but counts is NULL where there is nothing to divide by.
month: first day of the month
position: order of the stage (stage.position); NULL where the stage is no more
stage: stage of milestone mql that leads were handed over in
owner: owner as hand_over has it; (none) where it is missing
handed_over: hand-overs
accepted: hand-overs that were accepted
returned: hand-overs that somebody returned
withdrawn: hand-overs that left the path by themselves
gone: hand-overs whose lead went before that
pending: hand-overs that wait, and are not due yet
overdue: hand-overs that wait, and were due before now
accepted_share: accepted / handed_over
returned_share: returned / handed_over
returned_later: of accepted, those moved off the path by somebody afterwards
in_time: of accepted, those accepted at or before due_at
late: of accepted, those accepted after due_at
in_time_share: in_time / (in_time + late)
with_deadline: hand-overs that have a due_at
breached: hand-overs accepted, returned, withdrawn or gone late, or overdue
breached_share: breached / with_deadline
mean_days_to_acceptance: mean of the days from the hand-over to the acceptance, of accepted
median_days_to_acceptance: their median
touched: hand-overs with an activity of party sales
mean_days_to_touch: mean of the days from the hand-over to the first of them, of touched
median_days_to_touch: their median
talked_to: hand-overs with a conversation
mean_days_to_conversation: mean of the days from the hand-over to the first, of talked_to
median_days_to_conversation: their median
sales_touches: activities of party sales from the hand-overs to the leads'' next cycles
touches_per_lead: sales_touches / handed_over
unowned: hand-overs pending or overdue whose lead nobody has
mean_working_hours_to_acceptance: mean of the hours from the hand-over to the acceptance in which the calendar was open, where the deadline of the stage counts working time (stage.working_time); NULL for others
median_working_hours_to_acceptance: their median
mean_working_hours_to_touch: mean of such hours from the hand-over to the first activity of party sales
median_working_hours_to_touch: their median
'::text);

	--
	-- What sales says of the leads it was given
	--
	EXECUTE format($view$CREATE OR REPLACE VIEW rejection WITH (security_invoker = true) AS
	WITH rejected AS (
		SELECT h.history_id, h.lead_id, h.cycle, h.entered_at, h.score, h.scorecard,
			   _month_of(h.entered_at, s.time_zone) AS month,
			   CASE st.milestone WHEN 'nurture' THEN 'returned' ELSE st.milestone END AS outcome,
			   coalesce(h.from_stage, '(none)') AS from_stage,
			   coalesce(h.reason, '(none)') AS reason,
			   rs.rule AS blamed,
			   coalesce(rs.side, CASE WHEN f.owner_role <> 'none' THEN f.owner_role END) AS side,
			   coalesce(h.source, '(none)') AS source,
			   coalesce(h.owner, '(none)') AS owner
		FROM stage_history h
		CROSS JOIN setting s
		JOIN stage st ON st.stage = h.to_stage
		LEFT JOIN stage f ON f.stage = h.from_stage
		LEFT JOIN reason rs ON rs.applies_to = h.to_stage
			AND rs.reason = h.reason
		WHERE h.voided_at IS NULL
			  AND (st.milestone = 'disqualified'
				   OR (st.milestone IN ('nurture', 'lost') AND _is_on_path(f.milestone)
					   AND _has_reached(f.milestone, 'mql'::text)))
	), top AS (
		%1$s
	), handed_over AS (
		%2$s
	), counted AS (
		SELECT j.month, j.outcome, j.from_stage, j.reason, j.source, j.owner,
			   count(*) AS moves,
			   count(DISTINCT j.lead_id) AS leads,
			   _points(avg(j.score)) AS mean_score,
			   string_agg(DISTINCT j.blamed, ', ') AS blamed_rule,
			   string_agg(DISTINCT j.side, ', ') AS side
		FROM rejected j
		GROUP BY j.month, j.outcome, j.from_stage, j.reason, j.source, j.owner
	), every AS (
		SELECT c.* FROM counted c
		UNION ALL
		-- of the other dimensions there are too many combinations
		SELECT g.month, r.outcome, NULL AS from_stage, r.reason, NULL AS source, NULL AS owner,
			   0 AS moves, 0 AS leads, NULL AS mean_score, NULL AS blamed_rule, NULL AS side
		FROM (SELECT min(c.month) AS month FROM counted c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN (SELECT DISTINCT c.outcome, c.reason FROM counted c) r
		WHERE NOT EXISTS (SELECT FROM counted c
						  WHERE c.month = g.month AND c.outcome = r.outcome AND c.reason = r.reason)
	)
	SELECT c.month AS month,
		   c.outcome AS outcome,
		   st.position::bigint AS position,
		   c.from_stage AS from_stage,
		   c.reason AS reason,
		   c.source AS source,
		   c.owner AS owner,
		   c.moves AS moves,
		   c.leads AS leads,
		   c.mean_score AS mean_score,
		   t.rules AS top_rules,
		   c.blamed_rule AS blamed_rule,
		   c.side AS side,
		   o.rules AS rules_at_hand_over
	FROM every c
	LEFT JOIN stage st ON st.stage = c.from_stage
	LEFT JOIN top t ON t.month = c.month AND t.outcome = c.outcome
		AND t.from_stage = c.from_stage AND t.reason = c.reason
		AND t.source = c.source AND t.owner = c.owner
	LEFT JOIN handed_over o ON o.month = c.month AND o.outcome = c.outcome
		AND o.from_stage = c.from_stage AND o.reason = c.reason
		AND o.source = c.source AND o.owner = c.owner
	ORDER BY c.month, c.moves DESC, c.outcome, c.from_stage, c.reason,
			 c.source, c.owner$view$,
		format(best, $card$rejected j
			  CROSS JOIN LATERAL explain_score(j.scorecard, greatest(j.entered_at, as_of(j.scorecard))) x$card$),
		format(best, $card$rejected j
			  CROSS JOIN LATERAL (SELECT m.scorecard, m.entered_at
								  FROM stage_history m
								  JOIN stage q ON q.stage = m.to_stage AND q.milestone = 'mql'
								  WHERE m.lead_id = j.lead_id AND m.cycle = j.cycle AND m.entered_at <= j.entered_at
										AND m.voided_at IS NULL
								  ORDER BY m.entered_at, m.ordinal, m.history_id
								  LIMIT 1) m
			  CROSS JOIN LATERAL explain_score(m.scorecard, greatest(m.entered_at, as_of(m.scorecard))) x$card$));

	PERFORM @extschema@._comment_view('rejection'::text, '
One row per month (in the funnel''s time zone), outcome, stage it came from, reason, source and owner, as the moves have them. In a month without such a move, from the first of all to the present one, each outcome and reason that ever occurred has one row with zero moves, whose other dimensions are NULL.
month: first day of the month
outcome: returned, lost: a move from mql, sal, sql or opportunity to nurture, or to lost; disqualified: any move to disqualified
position: order of the stage that it came from (stage.position)
from_stage: stage that it came from; (none) where it is not known
reason: reason given; (none) where it is missing
source: source of the lead then; (none) where it is missing
owner: owner of the lead then; (none) where it is missing
moves: non-voided moves
leads: distinct leads
mean_score: mean of the scores at the moves, in points, where known
top_rules: the three rules that gave these leads most points together when they were moved, from the scorecards kept with the moves; NULL where none was kept, as of loaded moves
blamed_rule: the rule that the reason blames (reason.rule), if any
side: whose it is to mend: marketing or sales, as the reason says (reason.side), and where it does not, who works on leads in the stage that they left (stage.owner_role); NULL: nobody
rules_at_hand_over: the three rules that gave these leads most points together when they were handed over in that cycle, from the scorecards kept with those moves to mql; NULL where none was kept
'::text);
END
$template$;

COMMENT ON FUNCTION _create_hand_over_views() IS
'creates the views of a funnel on hand-overs and rejections; called by _create_funnel_views()';
