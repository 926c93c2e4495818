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
		   coalesce(l.owner::text, '(none)') AS owner_now
	FROM journey j
	LEFT JOIN lead l ON l.lead_id = j.lead_id AND j.gone_at IS NULL
	CROSS JOIN LATERAL (
		SELECT CASE WHEN j.accepted_at IS NOT NULL THEN 'accepted'
					WHEN j.exited_at IS NOT NULL
					THEN CASE WHEN j.exit_automatic THEN 'withdrawn' ELSE 'returned' END
					WHEN j.gone_at IS NOT NULL THEN 'gone'
					WHEN j.due_at < funnel_now() THEN 'overdue'
					ELSE 'pending' END AS outcome
		OFFSET '0') o
	WHERE j.mql_at IS NOT NULL$view$, log);

	COMMENT ON VIEW hand_over IS
'One row per hand-over: a unit (lead and cycle) with entered(mql). outcome: accepted = afterwards, in the cycle, it came to a stage of milestone sal because somebody asked (not automatically), or to sql, opportunity or customer in any way; returned = not accepted, and somebody moved it off the path (to nurture, disqualified or lost), where it stayed in that cycle; withdrawn = the same by an automatic transition; gone = none of these before the lead was deleted, erased or merged; overdue, pending = none of these yet, with due_at passed or not (or none). returned_later: accepted, and moved off the path by somebody afterwards. due_at: the deadline that the stay as MQL began with. breached: accepted, returned, withdrawn or gone after due_at, or overdue; NULL without a deadline. owner: of one accepted, returned or withdrawn, as that move has it, else as the hand-over; of one pending or overdue, who has the lead now, else who had it then; (none) where missing. owner_at_hand_over, owner_now: who had it then, and who has it now. sales_touches, first_touch_at: activities of party sales from the hand-over to the lead''s next cycle, archived ones too; first_conversation_at: the first that is a conversation. No personal data.';

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
		CROSS JOIN setting s
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
	)
	SELECT c.month AS month,
		   c.stage AS stage,
		   c.owner AS owner,
		   c.handed_over AS handed_over,
		   c.accepted AS accepted,
		   c.returned AS returned,
		   c.withdrawn AS withdrawn,
		   c.gone AS gone,
		   c.pending AS pending,
		   c.overdue AS overdue,
		   _ratio(c.accepted::numeric, c.handed_over::numeric) AS accepted_share,
		   _ratio(c.returned::numeric, c.handed_over::numeric) AS returned_share,
		   c.returned_later AS returned_later,
		   c.in_time AS in_time,
		   c.late AS late,
		   _ratio(c.in_time::numeric, (c.in_time + c.late)::numeric) AS in_time_share,
		   c.with_deadline AS with_deadline,
		   c.breached AS breached,
		   _ratio(c.breached::numeric, c.with_deadline::numeric) AS breached_share,
		   _days(c.mean_to_acceptance) AS mean_days_to_acceptance,
		   _days(c.spread_to_acceptance[1]::numeric) AS median_days_to_acceptance,
		   c.touched AS touched,
		   _days(c.mean_to_touch) AS mean_days_to_touch,
		   _days(c.spread_to_touch[1]::numeric) AS median_days_to_touch,
		   c.talked_to AS talked_to,
		   _days(c.mean_to_talk) AS mean_days_to_conversation,
		   _days(c.spread_to_talk[1]::numeric) AS median_days_to_conversation,
		   c.sales_touches AS sales_touches,
		   _ratio(c.sales_touches, c.handed_over::numeric) AS touches_per_lead,
		   c.unowned AS unowned,
		   _hours(c.mean_open_to_acceptance) AS mean_working_hours_to_acceptance,
		   _hours(c.spread_open_to_acceptance[1]::numeric)
			   AS median_working_hours_to_acceptance,
		   _hours(c.mean_open_to_touch) AS mean_working_hours_to_touch,
		   _hours(c.spread_open_to_touch[1]::numeric)
			   AS median_working_hours_to_touch
	FROM counted c
	ORDER BY c.month, c.stage, c.owner$view$, log);

	COMMENT ON VIEW sla IS
'One row per month of the hand-over (in the funnel''s time zone), stage handed over in, and owner, over the rows of hand_over. handed_over = entered(mql) = accepted + returned + withdrawn + gone + pending + overdue. accepted_share, returned_share: of handed_over. returned_later: of accepted, moved off the path by somebody afterwards. in_time, late: accepted at or before due_at, or after; in_time_share = in_time / (in_time + late). with_deadline: hand-overs that have a due_at; breached: accepted, returned, withdrawn or gone late, or overdue; breached_share = breached / with_deadline. Days (seconds / 86400) from the hand-over: to the acceptance, of accepted; to the first activity of party sales, of touched; to the first conversation, of talked_to. Who was never touched is handed_over - touched and in no mean. touches_per_lead = sales_touches / handed_over. unowned: pending or overdue, and nobody has the lead. Working hours: the same times as far as the calendar was open, of stages whose deadline counts working time (stage.working_time); NULL for others.';

	--
	-- What sales says of the leads it was given
	--
	CREATE OR REPLACE VIEW rejection WITH (security_invoker = true) AS
	WITH rejected AS (
		SELECT h.history_id, h.lead_id, h.entered_at, h.score, h.scorecard,
			   _month_of(h.entered_at, s.time_zone) AS month,
			   CASE st.milestone WHEN 'nurture' THEN 'returned'
								 ELSE 'disqualified' END AS outcome,
			   coalesce(h.from_stage, '(none)') AS from_stage,
			   coalesce(h.reason, '(none)') AS reason,
			   rs.rule AS blamed,
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
				   OR (st.milestone = 'nurture' AND _is_on_path(f.milestone)
					   AND _has_reached(f.milestone, 'mql'::text)))
	), given AS (
		SELECT j.month, j.outcome, j.from_stage, j.reason, j.source, j.owner,
			   r.name, sum(x.points) AS points,
			   row_number() OVER (
				   PARTITION BY j.month, j.outcome, j.from_stage, j.reason,
								j.source, j.owner
				   ORDER BY sum(x.points) DESC, r.name) AS place
		FROM rejected j
		CROSS JOIN LATERAL explain_score(j.scorecard,
			greatest(j.entered_at, as_of(j.scorecard))) x
		JOIN rule r ON r.rule_id = x.rule_id
		WHERE x.points > 0
		GROUP BY j.month, j.outcome, j.from_stage, j.reason, j.source,
				 j.owner, r.name
	), top AS (
		SELECT g.month, g.outcome, g.from_stage, g.reason, g.source, g.owner,
			   string_agg(g.name || ' +' || trim_scale(g.points), ', '
						  ORDER BY g.place) AS rules
		FROM given g
		WHERE g.place <= 3
		GROUP BY g.month, g.outcome, g.from_stage, g.reason, g.source, g.owner
	), counted AS (
		SELECT j.month, j.outcome, j.from_stage, j.reason, j.source, j.owner,
			   count(*) AS moves,
			   count(DISTINCT j.lead_id) AS leads,
			   _points(avg(j.score)) AS mean_score,
			   string_agg(DISTINCT j.blamed, ', ') AS blamed_rule
		FROM rejected j
		GROUP BY j.month, j.outcome, j.from_stage, j.reason, j.source, j.owner
	)
	SELECT c.month AS month,
		   c.outcome AS outcome,
		   c.from_stage AS from_stage,
		   c.reason AS reason,
		   c.source AS source,
		   c.owner AS owner,
		   c.moves AS moves,
		   c.leads AS leads,
		   c.mean_score AS mean_score,
		   t.rules AS top_rules,
		   c.blamed_rule AS blamed_rule
	FROM counted c
	LEFT JOIN top t ON t.month = c.month AND t.outcome = c.outcome
		AND t.from_stage = c.from_stage AND t.reason = c.reason
		AND t.source = c.source AND t.owner = c.owner
	ORDER BY c.month, c.moves DESC, c.outcome, c.from_stage, c.reason,
			 c.source, c.owner;

	COMMENT ON VIEW rejection IS
'One row per month (in the funnel''s time zone), outcome, stage it came from, reason, source and owner, as the moves have them; (none) where missing. outcome: returned = a move from mql, sal, sql or opportunity to nurture; disqualified = any move to disqualified. moves: non-voided moves; leads: distinct leads; mean_score: of the score at the move, where known. top_rules: the three rules that gave these leads most points together when they were moved, from the scorecards kept with the moves; NULL where none was kept, as of loaded moves. blamed_rule: the rule that the reason blames (reason.rule), if any.';
END
$template$;

COMMENT ON FUNCTION _create_hand_over_views() IS
'creates the views of a funnel on hand-overs and rejections; called by _create_funnel_views()';
