-- Views of schema "told" (told_units.sql) for what units came to: hand_over,
-- sla, stage_stay and rejection, each from its definition, move by move.
SET LOCAL search_path = told, :funnel, public, pg_temp;
CREATE VIEW move AS
SELECT h.*, st.milestone,
	   (SELECT d.at FROM departure d WHERE d.lead_id = h.lead_id AND d.last_move >= h.history_id ORDER BY d.last_move LIMIT 1) AS gone_at,
	   (SELECT count(*) FROM departure d WHERE d.lead_id = h.lead_id AND d.last_move < h.history_id) AS life,
	   row_number() OVER (PARTITION BY h.lead_id, h.cycle ORDER BY h.entered_at, h.ordinal, h.history_id) AS n
FROM stage_history h LEFT JOIN stage st ON st.stage = h.to_stage
WHERE h.voided_at IS NULL;

CREATE VIEW hand_over AS
WITH mql AS MATERIALIZED (
	SELECT DISTINCT ON (m.lead_id, m.cycle) m.* FROM move m WHERE m.milestone = 'mql' ORDER BY m.lead_id, m.cycle, m.n
), after AS MATERIALIZED (
	SELECT m.lead_id, m.cycle, x.*
	FROM mql m, LATERAL (
		SELECT (array_agg(a ORDER BY a.n) FILTER (WHERE a.n > m.n AND (a.milestone IN ('sql', 'opportunity', 'customer')
																		OR a.milestone = 'sal' AND NOT a.automatic)))[1] AS accepted,
			   -- all that comes from it on is off the path, and it never was a customer
			   (array_agg(a ORDER BY a.n) FILTER (WHERE a.n > (
				   SELECT max(o.n) FROM move o WHERE o.lead_id = m.lead_id AND o.cycle = m.cycle
				   AND coalesce(o.milestone, '') NOT IN ('nurture', 'disqualified', 'lost'))))[1] AS left_by,
			   bool_or(a.milestone = 'customer') AS won
		FROM move a WHERE a.lead_id = m.lead_id AND a.cycle = m.cycle) x
), outcome AS MATERIALIZED (
	SELECT m.*, a.accepted, CASE WHEN NOT a.won THEN a.left_by END AS left_by,
		   CASE WHEN (a.accepted).history_id IS NOT NULL THEN 'accepted'
				WHEN NOT a.won AND (a.left_by).history_id IS NOT NULL
				THEN CASE WHEN (a.left_by).automatic THEN 'withdrawn' ELSE 'returned' END
				WHEN m.gone_at IS NOT NULL THEN 'gone'
				WHEN m.due_at < funnel_now() THEN 'overdue' ELSE 'pending' END AS outcome,
		   CASE WHEN m.gone_at IS NULL THEN (SELECT l.owner FROM lead l WHERE l.lead_id = m.lead_id) END AS owner_now
	FROM mql m JOIN after a ON a.lead_id = m.lead_id AND a.cycle = m.cycle
)
SELECT o.lead_id, o.cycle::bigint, o.to_stage AS stage, coalesce(o.source, '(none)') AS source, o.campaign,
	   coalesce(CASE o.outcome WHEN 'accepted' THEN (o.accepted).owner WHEN 'gone' THEN NULL
							   WHEN 'returned' THEN (o.left_by).owner WHEN 'withdrawn' THEN (o.left_by).owner
							   ELSE o.owner_now END, o.owner, '(none)') AS owner,
	   o.entered_at AS handed_over_at, o.due_at, o.outcome, (o.accepted).entered_at AS accepted_at,
	   CASE o.outcome WHEN 'returned' THEN (o.left_by).entered_at END AS returned_at,
	   CASE o.outcome WHEN 'withdrawn' THEN (o.left_by).entered_at END AS withdrawn_at,
	   CASE WHEN o.outcome IN ('returned', 'withdrawn') THEN (o.left_by).reason END AS return_reason,
	   o.outcome = 'accepted' AND coalesce(NOT (o.left_by).automatic, false) AS returned_later, o.gone_at,
	   CASE o.outcome WHEN 'accepted' THEN (o.accepted).entered_at > o.due_at
					  WHEN 'gone' THEN o.gone_at > o.due_at
					  WHEN 'returned' THEN (o.left_by).entered_at > o.due_at
					  WHEN 'withdrawn' THEN (o.left_by).entered_at > o.due_at
					  ELSE o.due_at < funnel_now() END AS breached,
	   t.n + k.n AS sales_touches, least(t.first_at, k.first_at) AS first_touch_at,
	   least(t.talk_at, k.talk_at) AS first_conversation_at,
	   coalesce(o.owner, '(none)') AS owner_at_hand_over, coalesce(o.owner_now, '(none)') AS owner_now,
	   CASE WHEN (o.left_by).history_id IS NOT NULL
			THEN coalesce((SELECT CASE WHEN bool_and(r.side = 'marketing') THEN 'marketing' WHEN bool_and(r.side = 'sales') THEN 'sales' END
						   FROM (SELECT coalesce(x.side, '') AS side FROM reason x JOIN stage st ON st.stage = x.applies_to
								 WHERE x.reason = (o.left_by).reason AND st.milestone = (o.left_by).milestone) r),
						  (SELECT st.owner_role FROM stage st WHERE st.stage = o.to_stage AND st.owner_role <> 'none'
						   AND o.outcome <> 'accepted')) END AS side
FROM outcome o,
LATERAL (SELECT count(*) AS n, min(a.occurred_at) AS first_at, min(a.occurred_at) FILTER (WHERE d.conversation) AS talk_at
		 FROM activity a JOIN kind d ON d.kind = a.kind AND d.party = 'sales'
		 WHERE a.lead_id = o.lead_id AND o.gone_at IS NULL AND a.occurred_at >= o.entered_at
		 AND a.occurred_at <= a.recorded_at + interval '5 minutes'
		 AND NOT EXISTS (SELECT FROM move n WHERE n.lead_id = o.lead_id AND n.cycle > o.cycle
						 GROUP BY n.cycle HAVING min(n.entered_at) <= a.occurred_at)) t,
LATERAL (SELECT coalesce(sum(h.touches), 0) AS n, min(h.first_touch_at) AS first_at, min(h.first_conversation_at) AS talk_at
		 FROM move h WHERE h.lead_id = o.lead_id AND h.cycle = o.cycle) k;

CREATE VIEW sla AS
SELECT _month_of(o.handed_over_at, s.time_zone) AS month, o.stage, o.owner, count(*) AS handed_over,
	   count(*) FILTER (WHERE o.outcome = 'accepted') AS accepted, count(*) FILTER (WHERE o.outcome = 'returned') AS returned,
	   count(*) FILTER (WHERE o.outcome = 'withdrawn') AS withdrawn, count(*) FILTER (WHERE o.outcome = 'gone') AS gone,
	   count(*) FILTER (WHERE o.outcome = 'pending') AS pending, count(*) FILTER (WHERE o.outcome = 'overdue') AS overdue,
	   round(1.0 * count(*) FILTER (WHERE o.outcome = 'accepted') / count(*), 4) AS accepted_share,
	   count(*) FILTER (WHERE o.returned_later) AS returned_later,
	   count(*) FILTER (WHERE o.outcome = 'accepted' AND NOT o.breached) AS in_time,
	   count(*) FILTER (WHERE o.outcome = 'accepted' AND o.breached) AS late,
	   count(o.due_at) AS with_deadline, count(*) FILTER (WHERE o.breached) AS breached,
	   two_digits(avg(days_between(o.handed_over_at, o.accepted_at))) AS mean_days_to_acceptance,
	   two_digits((percentile_cont(0.5) WITHIN GROUP (ORDER BY days_between(o.handed_over_at, o.accepted_at)))::numeric) AS median_days_to_acceptance,
	   count(o.first_touch_at) AS touched,
	   two_digits(avg(days_between(o.handed_over_at, o.first_touch_at))) AS mean_days_to_touch,
	   two_digits((percentile_cont(0.5) WITHIN GROUP (ORDER BY days_between(o.handed_over_at, o.first_touch_at)))::numeric) AS median_days_to_touch,
	   count(o.first_conversation_at) AS talked_to,
	   two_digits(avg(days_between(o.handed_over_at, o.first_conversation_at))) AS mean_days_to_conversation,
	   sum(o.sales_touches) AS sales_touches,
	   count(*) FILTER (WHERE o.outcome IN ('pending', 'overdue') AND o.owner_now = '(none)') AS unowned,
	   two_digits(avg(_working_time_between(s.tableoid, o.handed_over_at, o.accepted_at)) FILTER (WHERE st.working_time)) AS mean_working_hours_to_acceptance,
	   two_digits((percentile_cont(0.5) WITHIN GROUP (ORDER BY _working_time_between(s.tableoid, o.handed_over_at, o.first_touch_at))
			  FILTER (WHERE st.working_time))::numeric) AS median_working_hours_to_touch
FROM hand_over o CROSS JOIN setting s LEFT JOIN stage st ON st.stage = o.stage
GROUP BY 1, 2, 3;

CREATE VIEW stage_stay AS
WITH stay AS MATERIALIZED (
	SELECT m.lead_id, m.to_stage, m.entered_at, m.gone_at, m.cycle, m.n, l.lead_id IS NOT NULL AS there,
		   (SELECT o.entered_at FROM move o WHERE o.lead_id = m.lead_id AND o.life = m.life
			AND (o.cycle, o.n) > (m.cycle, m.n) ORDER BY o.cycle, o.n LIMIT 1) AS left_at
	FROM move m LEFT JOIN lead l ON l.lead_id = m.lead_id AND m.gone_at IS NULL
), timed AS (
	SELECT s.*, s.left_at IS NULL AND s.there AS is_open,
		   CASE WHEN s.left_at IS NOT NULL THEN days_between(s.entered_at, s.left_at)
				WHEN s.gone_at IS NOT NULL OR s.there
				THEN greatest(days_between(s.entered_at, coalesce(s.gone_at, funnel_now())), 0) END AS days
	FROM stay s
)
SELECT t.lead_id, t.to_stage AS stage, st.milestone, count(*) AS visits, bool_or(t.is_open) AS is_open, max(t.entered_at) AS entered_at,
	   two_digits((array_agg(t.days ORDER BY t.cycle DESC, t.n DESC))[1]) AS latest_days,
	   two_digits(sum(t.days)) AS total_days, two_digits(max(t.days) FILTER (WHERE t.is_open)) AS open_days
FROM timed t LEFT JOIN stage st ON st.stage = t.to_stage
GROUP BY t.lead_id, t.to_stage, st.milestone;
SET LOCAL search_path = :funnel, public, pg_temp;
