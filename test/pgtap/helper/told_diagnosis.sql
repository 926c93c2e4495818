-- Views of schema "told" (told_units.sql, told_outcomes.sql) for where leads
-- drop out, who lets them wait, who buys and who is like them.
SET LOCAL search_path = told, :funnel, public, pg_temp;
CREATE VIEW unit AS
SELECT u.*, (SELECT d.at FROM departure d WHERE d.lead_id = u.lead_id AND d.last_move >= u.last_id ORDER BY d.last_move LIMIT 1) AS gone_at,
	   (SELECT count(*) FROM departure d WHERE d.lead_id = u.lead_id AND d.last_move < u.last_id) AS life
FROM (SELECT m.lead_id, m.cycle, max(m.history_id) AS last_id, min(m.entered_at) AS started_at, bool_or(m.milestone = 'customer') IS TRUE AS won,
			 coalesce(max(m.n) FILTER (WHERE coalesce(m.milestone, '') NOT IN ('nurture', 'disqualified', 'lost')), 0) AS last_on_path,
			 max(m.n) AS moves
	  FROM move m GROUP BY m.lead_id, m.cycle) u;

-- one by one: the order of a reason or of an element, the first of each lead
CREATE VIEW failed AS
SELECT u.lead_id, u.life, date_trunc('month', u.started_at AT TIME ZONE (SELECT time_zone FROM setting))::date AS month,
	   coalesce((SELECT m.source FROM move m WHERE m.lead_id = u.lead_id AND m.cycle = u.cycle AND m.n = 1), '(none)') AS source,
	   CASE WHEN u.won THEN NULL
			ELSE coalesce((SELECT m.reason FROM move m
						   WHERE m.lead_id = u.lead_id AND m.cycle = u.cycle AND m.n > u.last_on_path AND m.reason <> ''
						   ORDER BY (SELECT min(r.position) FROM reason r WHERE r.reason = m.reason), m.reason LIMIT 1),
						  (SELECT e.framework || '.' || e.element FROM lead l, element e
						   WHERE l.lead_id = u.lead_id AND u.gone_at IS NULL
						   AND coalesce(CASE e.framework WHEN 'bant' THEN l.bant::jsonb WHEN 'meddic' THEN l.meddic::jsonb WHEN 'meddpicc' THEN l.meddpicc::jsonb END ->> e.element, l.answers -> e.framework ->> e.element) = 'no'
						   ORDER BY e.framework <> 'bant', e.framework <> 'meddic', e.framework <> 'meddpicc', e.framework, e.position, e.element LIMIT 1),
						  CASE WHEN u.moves > u.last_on_path THEN '(no reason)' WHEN u.gone_at IS NOT NULL THEN '(gone)' END) END AS step
FROM (SELECT DISTINCT ON (u.lead_id, u.life) u.* FROM unit u ORDER BY u.lead_id, u.life, u.cycle DESC) u;

CREATE VIEW waterfall AS
WITH scope AS (
	SELECT 'all' AS scope, NULL::date AS month, NULL::text AS source
	UNION ALL
	SELECT DISTINCT 'source', NULL::date, f.source FROM failed f
	UNION ALL
	SELECT 'month', g::date, NULL FROM setting s, generate_series((SELECT min(month)::timestamp FROM failed), funnel_now() AT TIME ZONE s.time_zone, '1 month') AS g
), step AS (
	SELECT DISTINCT ON (f.step) f.step, r.position, r.reason
	FROM failed f LEFT JOIN reason r ON r.reason = f.step WHERE f.step IS NOT NULL ORDER BY f.step, r.position
), counted AS (
	SELECT s.scope, s.month, s.source, t.step, n.leads, n.excluded
	FROM scope s CROSS JOIN (SELECT step FROM step UNION ALL SELECT '(all)') t
	CROSS JOIN LATERAL (SELECT count(*) AS leads, count(*) FILTER (WHERE f.step = t.step) AS excluded FROM failed f
						WHERE (s.scope = 'all' OR f.month = s.month OR f.source = s.source)) n
)
SELECT *, round(excluded::numeric / NULLIF(leads, 0), 4) AS excluded_share FROM counted;

CREATE VIEW sla_by_owner AS
SELECT _month_of(o.handed_over_at, s.time_zone) AS month, w.owner_at,
	   CASE w.owner_at WHEN 'hand-over' THEN o.owner_at_hand_over WHEN 'now' THEN o.owner_now ELSE o.owner END AS owner,
	   count(*) AS handed_over, count(*) FILTER (WHERE o.outcome = 'accepted') AS accepted, count(*) FILTER (WHERE o.outcome = 'returned') AS returned,
	   count(*) FILTER (WHERE o.outcome = 'overdue') AS overdue, count(*) FILTER (WHERE o.accepted_at <= o.due_at) AS in_time,
	   count(*) FILTER (WHERE o.accepted_at > o.due_at) AS late, count(*) FILTER (WHERE o.breached) AS breached,
	   two_digits(avg(days_between(o.handed_over_at, o.accepted_at))) AS mean_days_to_acceptance,
	   two_digits((percentile_cont(0.9) WITHIN GROUP (ORDER BY days_between(o.handed_over_at, o.accepted_at)))::numeric) AS p90_days_to_acceptance,
	   count(o.first_touch_at) AS touched
FROM hand_over o CROSS JOIN setting s CROSS JOIN unnest('{hand-over,outcome,now}'::text[]) AS w (owner_at)
GROUP BY 1, 2, 3;

CREATE VIEW rejection AS
WITH given AS MATERIALIZED (
	SELECT m.*, f.milestone AS was, _month_of(m.entered_at, s.time_zone) AS month,
		   coalesce((SELECT r.side FROM reason r WHERE r.applies_to = m.to_stage AND r.reason = m.reason), NULLIF(f.owner_role, 'none')) AS side,
		   (SELECT q FROM move q WHERE q.lead_id = m.lead_id AND q.cycle = m.cycle AND q.milestone = 'mql' AND q.entered_at <= m.entered_at ORDER BY q.n LIMIT 1) AS mql
	FROM move m CROSS JOIN setting s LEFT JOIN stage f ON f.stage = m.from_stage
	WHERE m.milestone = 'disqualified' OR m.milestone IN ('nurture', 'lost') AND f.milestone IN ('mql', 'sal', 'sql', 'opportunity')
), hit AS (
	SELECT g.history_id, r.name, x.points
	FROM given g, LATERAL explain_score((g.mql).scorecard, greatest((g.mql).entered_at, as_of((g.mql).scorecard))) x, rule r
	WHERE r.rule_id = x.rule_id AND x.points > 0
)
SELECT g.month, replace(g.milestone, 'nurture', 'returned') AS outcome, coalesce(g.from_stage, '(none)') AS from_stage, coalesce(g.reason, '(none)') AS reason,
	   coalesce(g.source, '(none)') AS source, coalesce(g.owner, '(none)') AS owner, count(*) AS moves, count(DISTINCT g.lead_id) AS leads,
	   NULLIF(array_to_string(ARRAY(SELECT DISTINCT s FROM unnest(array_agg(g.side)) AS s WHERE s <> '' ORDER BY s), ', '), '') AS side,
	   (SELECT string_agg(t.name || ' +' || trim_scale(t.points), ', ' ORDER BY t.points DESC, t.name)
		FROM (SELECT h.name, sum(h.points) AS points FROM hit h WHERE h.history_id = ANY (array_agg(g.history_id)) GROUP BY h.name
			  ORDER BY sum(h.points) DESC, h.name LIMIT 3) t) AS rules_at_hand_over
FROM given g
GROUP BY 1, 2, 3, 4, 5, 6;

CREATE VIEW ideal_profile AS
WITH person AS MATERIALIZED (
	SELECT l.*, l.scorecard::jsonb AS card, l.lead_id IN (SELECT u.lead_id FROM unit u WHERE u.gone_at IS NULL AND u.won) AS bought FROM lead l
), has AS (
	SELECT 'rule' AS dimension, r.name AS criterion, p.bought, c.rule_id IS NOT NULL AS met
	FROM person p JOIN rule r ON r.axis = 'fit' AND r.enabled AND r.definition = (SELECT d.definition FROM definition d WHERE d.status = 'active')
	LEFT JOIN LATERAL (SELECT e.rule_id FROM jsonb_to_recordset(p.card -> 'rules') AS e (rule_id bigint, hits bigint) WHERE e.hits > 0) c ON c.rule_id = r.rule_id
	WHERE p.card IS NOT NULL
), value AS (
	SELECT p.bought, v.dimension, coalesce(NULLIF(lower(trim(v.value)), ''), '(none)') AS value FROM person p, LATERAL (VALUES ('industry', p.industry),
		('country', p.country), ('seniority', p.seniority),
		('company_size', CASE WHEN p.company_size < 0 THEN NULL WHEN p.company_size < 10 THEN '1-9' WHEN p.company_size < 50 THEN '10-49' WHEN p.company_size < 250 THEN '50-249'
			WHEN p.company_size < 1000 THEN '250-999' WHEN p.company_size < 5000 THEN '1000-4999' WHEN p.company_size >= 5000 THEN '5000 and more' END)) AS v (dimension, value)
), known AS (
	SELECT v.dimension, v.bought, CASE WHEN v.value <> '(none)' AND (SELECT count(*) FROM value o WHERE o.dimension = v.dimension AND o.value = v.value) < 5
									   THEN '(other)' ELSE v.value END AS criterion FROM value v
)
SELECT h.dimension, h.criterion, count(*) AS leads, count(*) FILTER (WHERE h.met) AS leads_with, count(*) FILTER (WHERE h.bought) AS customers,
	   count(*) FILTER (WHERE h.met AND h.bought) AS customers_with
FROM has h GROUP BY 1, 2
UNION ALL
SELECT k.dimension, k.criterion, (SELECT count(*) FROM person), count(*), (SELECT count(*) FROM person WHERE bought), count(*) FILTER (WHERE k.bought)
FROM known k GROUP BY 1, 2;

CREATE VIEW look_alike AS
SELECT n.lead_id, n.stage, n.owner, n.fit, n.intent, n.score, coalesce(l.source, '(none)') AS source,
	   -- some of the log is archived
	   (SELECT max(c.last_hit) FROM jsonb_to_recordset(l.scorecard::jsonb -> 'rules') AS c (rule_id bigint, last_hit timestamptz)
		JOIN rule r ON r.rule_id = c.rule_id AND r.category = 'intent') AS last_intent_at
FROM lead_now n JOIN lead l ON l.lead_id = n.lead_id
WHERE n.milestone = 'lead' AND n.fit > 0 AND n.intent >= 1;
SET LOCAL search_path = :funnel, public, pg_temp;
