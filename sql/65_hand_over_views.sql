--
-- Views of a funnel: what became of the leads that marketing handed over
--
CREATE FUNCTION _create_hand_over_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	--
	-- D9, D10: one by one
	--
	CREATE OR REPLACE VIEW hand_over WITH (security_invoker = true) AS
	WITH step AS (
		SELECT h.lead_id, h.cycle, h.to_stage, st.milestone, h.entered_at,
			   h.due_at, h.automatic, h.reason, h.owner,
			   coalesce(h.source, '(none)') AS source, h.campaign,
			   row_number() OVER unit AS n,
			   lead(h.history_id) OVER unit IS NULL AS is_last,
			   row_number() OVER visit = 1 AS is_entry
		FROM stage_history h
		LEFT JOIN stage st ON st.stage = h.to_stage
		WHERE h.voided_at IS NULL
		WINDOW unit AS (PARTITION BY h.lead_id, h.cycle
						ORDER BY h.entered_at, h.ordinal, h.history_id),
			   visit AS (PARTITION BY h.lead_id, h.cycle, st.milestone
						 ORDER BY h.entered_at, h.ordinal, h.history_id)
	), cycle AS (
		SELECT p.lead_id, p.cycle,
			   lead(min(p.entered_at)) OVER (PARTITION BY p.lead_id
											 ORDER BY p.cycle) AS ended_at,
			   bool_or(_has_reached(p.milestone, 'mql'::text)
					   AND NOT _has_reached(p.milestone, 'sql'::text))
				   FILTER (WHERE p.is_last) AS is_waiting
		FROM step p
		GROUP BY p.lead_id, p.cycle
	), handed AS (
		SELECT p.* FROM step p WHERE p.milestone = 'mql' AND p.is_entry
	), accepted AS (
		SELECT DISTINCT ON (m.lead_id, m.cycle) m.lead_id, m.cycle,
			   p.entered_at, p.owner
		FROM handed m
		JOIN step p ON p.lead_id = m.lead_id AND p.cycle = m.cycle
			AND p.n > m.n
		WHERE (p.milestone = 'sal' AND NOT p.automatic)
			  OR _has_reached(p.milestone, 'sql'::text)
		ORDER BY m.lead_id, m.cycle, p.n
	), returned AS (
		SELECT DISTINCT ON (m.lead_id, m.cycle) m.lead_id, m.cycle,
			   p.entered_at, p.owner, p.reason
		FROM handed m
		JOIN step p ON p.lead_id = m.lead_id AND p.cycle = m.cycle
			AND p.n > m.n
		WHERE NOT _has_reached(p.milestone, 'mql'::text)
		ORDER BY m.lead_id, m.cycle, p.n
	), settled AS (
		SELECT m.*,
			   CASE WHEN a.lead_id IS NOT NULL THEN 'accepted'
					WHEN NOT c.is_waiting OR l.lead_id IS NULL THEN 'returned'
					WHEN m.due_at < funnel_now() THEN 'overdue'
					ELSE 'pending' END AS outcome,
			   a.entered_at AS accepted_at,
			   a.owner AS accepted_owner,
			   r.entered_at AS returned_at,
			   r.owner AS returned_owner,
			   r.reason AS returned_reason,
			   c.ended_at AS ended_at,
			   l.owner::text AS owner_now
		FROM handed m
		JOIN cycle c ON c.lead_id = m.lead_id AND c.cycle = m.cycle
		LEFT JOIN accepted a ON a.lead_id = m.lead_id AND a.cycle = m.cycle
		LEFT JOIN returned r ON r.lead_id = m.lead_id AND r.cycle = m.cycle
		LEFT JOIN lead l ON l.lead_id = m.lead_id
	)
	SELECT s.lead_id AS lead_id,
		   s.cycle::bigint AS cycle,
		   s.to_stage AS stage,
		   s.source AS source,
		   s.campaign AS campaign,
		   -- who settled it, or has it now; not who had it then
		   coalesce(CASE s.outcome WHEN 'accepted' THEN coalesce(s.accepted_owner, s.owner)
								   WHEN 'returned' THEN coalesce(s.returned_owner, s.owner)
								   ELSE coalesce(s.owner_now, s.owner) END, '(none)') AS owner,
		   s.entered_at AS handed_over_at,
		   s.due_at AS due_at,
		   s.outcome AS outcome,
		   s.accepted_at AS accepted_at,
		   CASE s.outcome WHEN 'returned' THEN s.returned_at END AS returned_at,
		   CASE s.outcome WHEN 'returned' THEN s.returned_reason END
			   AS return_reason,
		   CASE WHEN s.due_at IS NULL THEN NULL
				WHEN s.outcome = 'accepted' THEN s.accepted_at > s.due_at
				WHEN s.outcome = 'returned' THEN coalesce(s.returned_at > s.due_at, false)
				ELSE s.outcome = 'overdue' END AS breached,
		   t.touches AS sales_touches,
		   t.first_touch_at AS first_touch_at,
		   t.first_talk_at AS first_conversation_at,
		   coalesce(s.owner, '(none)') AS owner_at_hand_over,
		   coalesce(s.owner_now, '(none)') AS owner_now
	FROM settled s
	CROSS JOIN LATERAL (
		SELECT count(*) AS touches,
			   min(a.occurred_at) AS first_touch_at,
			   min(a.occurred_at) FILTER (WHERE k.conversation) AS first_talk_at
		FROM activity a
		JOIN kind k ON k.kind = a.kind
		WHERE a.lead_id = s.lead_id AND k.party = 'sales'
			  AND a.occurred_at >= s.entered_at
			  -- plans have not taken place
			  AND a.occurred_at = _counts_at(a.occurred_at, a.recorded_at)
			  AND a.occurred_at < coalesce(s.ended_at, 'infinity')) t;

	COMMENT ON VIEW hand_over IS
'One row per hand-over: a unit (lead and cycle) with entered(mql). outcome: accepted = afterwards, in the cycle, it came to a stage of milestone sal because somebody asked (not automatically), or to sql, opportunity or customer in any way; overdue, pending = not accepted and it still stands in milestone mql or sal, with due_at passed or not (or none); returned = not accepted and it left in another way, or the lead was deleted. due_at: the deadline that the stay as MQL began with. breached: accepted or returned after due_at, or overdue; NULL without a deadline. owner: of one accepted or returned, as that move has it, else as the hand-over; of one pending or overdue, who has the lead now, else who had it then; (none) where missing. owner_at_hand_over, owner_now: who had it then, and who has it now. sales_touches, first_touch_at: activities of party sales from the hand-over to the lead''s next cycle; first_conversation_at: the first that is a conversation. No personal data.';

	CREATE OR REPLACE VIEW sla WITH (security_invoker = true) AS
	SELECT _month_of(o.handed_over_at, s.time_zone) AS month,
		   o.stage AS stage,
		   o.owner AS owner,
		   count(*) AS handed_over,
		   count(*) FILTER (WHERE o.outcome = 'accepted') AS accepted,
		   count(*) FILTER (WHERE o.outcome = 'returned') AS returned,
		   count(*) FILTER (WHERE o.outcome = 'pending') AS pending,
		   count(*) FILTER (WHERE o.outcome = 'overdue') AS overdue,
		   _ratio((count(*) FILTER (WHERE o.outcome = 'accepted'))::numeric, count(*)::numeric)
			   AS accepted_share,
		   _ratio((count(*) FILTER (WHERE o.outcome = 'returned'))::numeric, count(*)::numeric)
			   AS returned_share,
		   count(*) FILTER (WHERE o.outcome = 'accepted' AND NOT o.breached)
			   AS in_time,
		   count(*) FILTER (WHERE o.outcome = 'accepted' AND o.breached)
			   AS late,
		   _ratio((count(*) FILTER (WHERE o.outcome = 'accepted' AND NOT o.breached))::numeric,
				  (count(*) FILTER (WHERE o.outcome = 'accepted' AND o.due_at IS NOT NULL))::numeric)
			   AS in_time_share,
		   count(o.due_at) AS with_deadline,
		   count(*) FILTER (WHERE o.breached) AS breached,
		   _ratio((count(*) FILTER (WHERE o.breached))::numeric, count(o.due_at)::numeric)
			   AS breached_share,
		   round(avg(_days_between(o.handed_over_at, o.accepted_at)), 6)
			   AS mean_days_to_acceptance,
		   round((percentile_cont(0.5) WITHIN GROUP (ORDER BY
				  _days_between(o.handed_over_at, o.accepted_at)))::numeric, 6)
			   AS median_days_to_acceptance,
		   count(o.first_touch_at) AS touched,
		   round(avg(_days_between(o.handed_over_at, o.first_touch_at)), 6)
			   AS mean_days_to_touch,
		   round((percentile_cont(0.5) WITHIN GROUP (ORDER BY
				  _days_between(o.handed_over_at, o.first_touch_at)))::numeric, 6)
			   AS median_days_to_touch,
		   count(o.first_conversation_at) AS talked_to,
		   round(avg(_days_between(o.handed_over_at, o.first_conversation_at)), 6)
			   AS mean_days_to_conversation,
		   round((percentile_cont(0.5) WITHIN GROUP (ORDER BY
				  _days_between(o.handed_over_at, o.first_conversation_at)))::numeric, 6)
			   AS median_days_to_conversation,
		   sum(o.sales_touches) AS sales_touches,
		   _ratio(sum(o.sales_touches), count(*)::numeric) AS touches_per_lead,
		   count(*) FILTER (WHERE o.outcome IN ('pending', 'overdue')
							AND o.owner_now = '(none)') AS unowned,
		   round(avg(w.to_acceptance), 2) AS mean_working_hours_to_acceptance,
		   round((percentile_cont(0.5) WITHIN GROUP (ORDER BY w.to_acceptance))::numeric, 2)
			   AS median_working_hours_to_acceptance,
		   round(avg(w.to_touch), 2) AS mean_working_hours_to_touch,
		   round((percentile_cont(0.5) WITHIN GROUP (ORDER BY w.to_touch))::numeric, 2)
			   AS median_working_hours_to_touch
	FROM hand_over o
	CROSS JOIN setting s
	LEFT JOIN stage st ON st.stage = o.stage
	CROSS JOIN LATERAL (
		SELECT CASE WHEN st.working_time
					THEN _working_time_between(s.tableoid, o.handed_over_at, o.accepted_at) END
				   AS to_acceptance,
			   CASE WHEN st.working_time
					THEN _working_time_between(s.tableoid, o.handed_over_at, o.first_touch_at) END
				   AS to_touch) w
	GROUP BY 1, o.stage, o.owner
	ORDER BY 1, o.stage, o.owner;

	COMMENT ON VIEW sla IS
'One row per month of the hand-over (in the funnel''s time zone), stage handed over in, and owner, over the rows of hand_over. handed_over = entered(mql) = accepted + returned + pending + overdue. accepted_share, returned_share: of handed_over. in_time, late: accepted at or before due_at, or after; in_time_share = in_time / (in_time + late). with_deadline: hand-overs that have a due_at; breached: accepted late, returned late, or overdue; breached_share = breached / with_deadline. Days (seconds / 86400) from the hand-over: to the acceptance, of accepted; to the first activity of party sales, of touched; to the first conversation, of talked_to. Who was never touched is handed_over - touched and in no mean. touches_per_lead = sales_touches / handed_over. unowned: pending or overdue, and nobody has the lead. Working hours: the same times as far as the calendar was open, of stages whose deadline counts working time (stage.working_time); NULL for others.';

	--
	-- What sales says of the leads it was given
	--
	CREATE OR REPLACE VIEW rejection WITH (security_invoker = true) AS
	WITH rejected AS (
		SELECT h.history_id, h.lead_id, h.entered_at, h.score,
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
		JOIN lead l ON l.lead_id = j.lead_id
		CROSS JOIN LATERAL explain_score(l.scorecard,
			greatest(j.entered_at, as_of(l.scorecard))) x
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
			   round(avg(j.score), 2) AS mean_score,
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
'One row per month (in the funnel''s time zone), outcome, stage it came from, reason, source and owner, as the moves have them; (none) where missing. outcome: returned = a move from mql, sal, sql or opportunity to nurture; disqualified = any move to disqualified. moves: non-voided moves; leads: distinct leads; mean_score: of the score at the move, where known. top_rules: the three rules that give these leads most points together, from their scorecards of now read as of the move or, where it is later, the card''s own instant: points earned after the move count too, and deleted leads have none. blamed_rule: the rule that the reason blames (reason.rule), if any.';
END
$template$;

COMMENT ON FUNCTION _create_hand_over_views() IS
'creates the views of a funnel on hand-overs and rejections; called by _create_funnel_views()';
