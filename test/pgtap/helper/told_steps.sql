-- More views of schema "told" (told_units.sql): steps, from one milestone to
-- the next, entry by entry.
SET LOCAL search_path = told, :funnel, public, pg_temp;
CREATE VIEW entry AS
SELECT e.*, array_position(_milestones(), e.milestone) AS place, e.entered_at AT TIME ZONE s.time_zone AS local_time,
	   date_trunc('month', e.entered_at AT TIME ZONE s.time_zone)::date AS month
FROM milestone_entry e CROSS JOIN setting s;
CREATE VIEW gone AS
SELECT u.lead_id, u.cycle, (SELECT min(d.at) FROM departure d WHERE d.lead_id = u.lead_id AND d.last_move >= u.last_move) AS gone_at
FROM (SELECT h.lead_id, h.cycle, max(h.history_id) AS last_move FROM stage_history h WHERE h.voided_at IS NULL GROUP BY 1, 2) AS u;
CREATE VIEW path AS
SELECT m.milestone, m.place, row_number() OVER (ORDER BY m.place) AS position, count(*) OVER () AS n
FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, place)
WHERE NOT _is_exit(m.milestone) AND m.milestone IN (SELECT st.milestone FROM stage st)
	AND (EXISTS (SELECT FROM entry e WHERE e.milestone = m.milestone)
		 OR NOT EXISTS (SELECT FROM entry e WHERE e.place > m.place AND NOT _is_exit(e.milestone)));
CREATE VIEW step AS
SELECT a.position, a.milestone AS from_milestone, b.milestone AS to_milestone FROM path a JOIN path b ON b.position = a.position + 1
UNION
SELECT a.n, a.milestone, b.milestone FROM path a JOIN path b ON a.position = 1 AND b.milestone = 'customer' AND a.n > 2;
CREATE FUNCTION wilson(k numeric, n numeric, sign integer) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
	SELECT round((((p + z * z / (2 * n::float8)) + sign * z * sqrt(p * (1 - p) / n::float8 + z * z / (4 * n::float8 * n::float8))) / (1 + z * z / n::float8))::numeric, 4)
	FROM (SELECT (k / n)::float8 AS p, 1.959963984540054::float8 AS z WHERE n > 0) AS v $$;

CREATE VIEW conversion AS
SELECT m.month::date AS month, f.source, t.*, c.n, c.converted, round(c.converted::numeric / NULLIF(c.n, 0), 4) AS rate,
	   wilson(c.converted, c.n, -1) AS rate_lower, wilson(c.converted, c.n, 1) AS rate_upper,
	   b.entered, round(b.entered::numeric / NULLIF(c.n, 0), 4) AS period_rate, b.skipped,
	   (m.month + interval '1 month' + s.maturity_days * interval '1 day') AT TIME ZONE s.time_zone <= funnel_now() AS mature
FROM setting s
CROSS JOIN generate_series((SELECT min(month)::timestamp FROM entry WHERE NOT _is_exit(milestone)),
	greatest((SELECT max(month) FROM entry WHERE NOT _is_exit(milestone)), (funnel_now() AT TIME ZONE s.time_zone)::date)::timestamp, interval '1 month') AS m (month)
CROSS JOIN (SELECT DISTINCT source FROM entry WHERE NOT _is_exit(milestone)) AS f
CROSS JOIN step t
CROSS JOIN LATERAL (
	SELECT count(*) AS n, count(*) FILTER (WHERE EXISTS (
		SELECT FROM milestone_entry o WHERE o.lead_id = e.lead_id AND o.cycle = e.cycle AND o.milestone = t.to_milestone AND o.entered_at >= e.entered_at)) AS converted
	FROM entry e WHERE e.milestone = t.from_milestone AND e.month = m.month AND e.source = f.source) AS c
CROSS JOIN LATERAL (
	SELECT count(*) AS entered, count(*) FILTER (WHERE NOT EXISTS (
		SELECT FROM milestone_entry o WHERE o.lead_id = e.lead_id AND o.cycle = e.cycle AND o.milestone = t.from_milestone)) AS skipped
	FROM entry e WHERE e.milestone = t.to_milestone AND e.month = m.month AND e.source = f.source) AS b
WHERE m.month <= funnel_now() AT TIME ZONE s.time_zone OR EXISTS (SELECT FROM entry e WHERE e.month = m.month AND e.source = f.source AND NOT _is_exit(e.milestone));

CREATE VIEW bottleneck AS
WITH days AS (
	SELECT d.last + 1 AS until, (d.last + 1 - interval '1 year')::date AS since, (d.last + 1 - interval '2 years')::date AS past
	FROM (SELECT (funnel_now() AT TIME ZONE time_zone)::date - 1 - maturity_days AS last FROM setting) AS d
), rate AS (
	SELECT row_number() OVER (ORDER BY t.place) AS position, t.from_milestone, t.to_milestone, count(*) FILTER (WHERE e.local_time >= d.since) AS n, count(*) FILTER (WHERE e.local_time >= d.since AND o.lead_id IS NOT NULL) AS k,
		   count(*) FILTER (WHERE e.local_time < d.since) AS past_n, count(*) FILTER (WHERE e.local_time < d.since AND o.lead_id IS NOT NULL) AS past_k
	FROM (SELECT p.place, p.milestone AS from_milestone, lead(p.milestone) OVER (ORDER BY p.place) AS to_milestone
		  FROM (SELECT m.*, bool_or(m.passed) OVER (ORDER BY m.place DESC) AS passed_by
				FROM (SELECT m.place, m.milestone, EXISTS (
						SELECT FROM entry e JOIN entry o ON o.lead_id = e.lead_id AND o.cycle = e.cycle AND o.milestone = m.milestone AND o.entered_at >= e.entered_at
						CROSS JOIN days d WHERE e.place <= m.place AND e.local_time >= d.past AND e.local_time < d.until) AS passed
					  FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, place)
					  WHERE NOT _is_exit(m.milestone) AND m.milestone IN (SELECT st.milestone FROM stage st)) AS m) AS p
		  WHERE p.passed OR NOT p.passed_by) AS t
	CROSS JOIN days d
	LEFT JOIN entry e ON e.milestone = t.from_milestone AND e.local_time >= d.past AND e.local_time < d.until
	LEFT JOIN milestone_entry o ON o.lead_id = e.lead_id AND o.cycle = e.cycle AND o.milestone = t.to_milestone AND o.entered_at >= e.entered_at
	WHERE t.to_milestone IS NOT NULL
	GROUP BY t.place, t.from_milestone, t.to_milestone
), held AS (
	SELECT r.*, coalesce(g.value, r.past_k::numeric / NULLIF(r.past_n, 0)) AS target, CASE WHEN g.value IS NOT NULL THEN 'target' WHEN r.past_n > 0 THEN 'own past' END AS target_of
	FROM rate r
	LEFT JOIN LATERAL (SELECT t.value FROM target t, days d WHERE t.metric = format('rate:%s>%s', r.from_milestone, r.to_milestone) AND t.source IS NULL AND t.owner IS NULL
		AND t.starts_on <= (SELECT (funnel_now() AT TIME ZONE time_zone)::date FROM setting) AND t.ends_on >= d.since ORDER BY t.starts_on DESC, t.ends_on DESC LIMIT 1) AS g ON true
), furthest AS (
	SELECT DISTINCT ON (e.lead_id, e.cycle) e.lead_id, e.cycle, e.milestone, e.local_time FROM entry e WHERE NOT _is_exit(e.milestone) ORDER BY 1, 2, e.place DESC
), lost AS (
	SELECT f.milestone, coalesce(CASE WHEN j.exited_at IS NOT NULL THEN (
			SELECT coalesce((SELECT r.side FROM reason r WHERE r.applies_to = h.to_stage AND r.reason = h.reason), (SELECT st.owner_role FROM stage st WHERE st.stage = h.from_stage))
			FROM stage_history h JOIN stage x ON x.stage = h.to_stage AND x.milestone = j.exit
			WHERE h.lead_id = j.lead_id AND h.cycle = j.cycle AND h.entered_at = j.exited_at AND h.voided_at IS NULL ORDER BY h.ordinal, h.history_id LIMIT 1)
		WHEN g.gone_at IS NULL THEN (SELECT st.owner_role FROM lead l JOIN stage st ON st.stage = l.stage
			WHERE l.lead_id = j.lead_id AND l.cycle = j.cycle AND l.due_at < funnel_now() AND NOT _is_exit(st.milestone) AND st.milestone <> 'customer') END, 'none') AS side
	FROM furthest f JOIN lead_journey j ON j.lead_id = f.lead_id AND j.cycle = f.cycle JOIN gone g ON g.lead_id = f.lead_id AND g.cycle = f.cycle CROSS JOIN days d
	WHERE f.local_time >= d.since AND f.local_time < d.until AND f.milestone <> 'customer'
), seen AS (
	SELECT h.*, round(h.k::numeric / NULLIF(h.n, 0), 4) AS rate, wilson(h.k, h.n, -1) AS rate_lower, wilson(h.k, h.n, 1) AS rate_upper,
		   (SELECT count(*) FROM lost l WHERE l.milestone = h.from_milestone AND l.side = 'marketing') AS lost_by_marketing,
		   (SELECT count(*) FROM lost l WHERE l.milestone = h.from_milestone AND l.side = 'sales') AS lost_by_sales
	FROM held h
)
SELECT s.position, s.from_milestone, s.to_milestone, s.n, s.k AS converted, s.rate, s.rate_lower, s.rate_upper,
	   CASE s.target_of WHEN 'target' THEN s.target ELSE round(s.target, 4) END AS target_rate, s.target_of,
	   CASE WHEN s.n > 0 AND s.k = 0 AND s.target > 0 THEN NULL WHEN s.n > 0 THEN round(greatest(s.target / NULLIF(s.k::numeric / s.n, 0) - 1, 0 * s.target), 4) END AS gain,
	   coalesce(s.n >= 30 AND s.rate_upper < s.target, false) AS proven, s.lost_by_marketing, s.lost_by_sales,
	   CASE sign(s.lost_by_marketing - s.lost_by_sales) WHEN 1 THEN 'marketing' WHEN -1 THEN 'sales' END AS side,
	   coalesce((SELECT w.from_milestone || '>' || w.to_milestone FROM seen w WHERE w.n >= 30 AND w.rate_upper < w.target
		ORDER BY w.k = 0 DESC, w.target / NULLIF(w.k::numeric / w.n, 0) DESC, w.position LIMIT 1), 'none proven') AS bottleneck
FROM seen s;

CREATE VIEW funnel_weekly AS
WITH today AS (
	SELECT t.at, t.at::date - extract(isodow FROM t.at)::integer + 1 AS monday FROM (SELECT funnel_now() AT TIME ZONE time_zone AS at FROM setting) AS t
), happened AS (
	SELECT e.milestone, e.local_time, e.local_time::date - extract(isodow FROM e.local_time)::integer + 1 AS monday FROM entry e WHERE e.entered_at <= funnel_now()
)
SELECT d.monday - 7 * w.ago AS week, m.milestone, count(*) FILTER (WHERE h.monday = d.monday - 7 * w.ago) AS entered,
	   round(count(*) FILTER (WHERE h.monday < d.monday - 7 * w.ago AND (w.ago > 0 OR h.local_time - h.monday::timestamp <= d.at - d.monday::timestamp)) / 4.0, 2) AS mean_before,
	   w.ago = 0 AS partial
FROM today d
CROSS JOIN generate_series(0, 12) AS w (ago)
CROSS JOIN (SELECT DISTINCT milestone FROM stage) AS m
LEFT JOIN happened h ON h.milestone = m.milestone AND h.monday BETWEEN d.monday - 7 * w.ago - 28 AND d.monday - 7 * w.ago
GROUP BY d.monday, w.ago, m.milestone;

CREATE VIEW stuck AS
WITH onward AS (
	SELECT e.lead_id, e.milestone, e.entered_at, min(o.entered_at) - e.entered_at AS stay
	FROM entry e JOIN entry o ON o.lead_id = e.lead_id AND o.cycle = e.cycle AND o.place > e.place AND o.entered_at >= e.entered_at
	WHERE NOT _is_exit(o.milestone) AND NOT _is_exit(e.milestone)
	GROUP BY e.lead_id, e.cycle, e.milestone, e.entered_at
), slow AS (
	SELECT milestone, count(*) AS went_on, percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM stay) / 86400) AS p90 FROM onward GROUP BY milestone
), waiting AS (
	SELECT DISTINCT ON (e.lead_id, e.cycle) e.lead_id, e.milestone, days_between(e.entered_at, funnel_now()) AS days, coalesce(l.owner, '(none)') AS owner
	FROM entry e JOIN lead_journey j ON j.lead_id = e.lead_id AND j.cycle = e.cycle AND j.exited_at IS NULL AND j.customer_at IS NULL
	JOIN gone g ON g.lead_id = e.lead_id AND g.cycle = e.cycle AND g.gone_at IS NULL
	JOIN lead l ON l.lead_id = e.lead_id
	WHERE NOT _is_exit(e.milestone)
	ORDER BY e.lead_id, e.cycle, e.place DESC
)
SELECT w.milestone, w.owner, s.went_on, two_digits(s.p90::numeric) AS p90_days, count(*) AS stuck, two_digits(max(w.days)) AS longest_days,
	   d.open_deals, d.amount, d.n_unpriced
FROM waiting w JOIN slow s ON s.milestone = w.milestone AND w.days > s.p90
CROSS JOIN LATERAL (
	SELECT count(*) AS open_deals, coalesce(sum(x.worth), 0) AS amount, count(*) - count(x.worth) AS n_unpriced
	FROM (SELECT v.deal_id, v.status, coalesce(v.home_amount, CASE WHEN coalesce(v.currency, g.currency) = g.currency THEN v.amount END) AS worth
		  FROM deal v CROSS JOIN setting g) AS x
	WHERE x.status = 'open' AND x.deal_id IN (SELECT k.deal_id FROM deal_contact k JOIN waiting o ON o.lead_id = k.lead_id JOIN slow p ON p.milestone = o.milestone
		WHERE o.milestone = w.milestone AND o.owner = w.owner AND o.days > p.p90)) AS d
GROUP BY w.milestone, w.owner, s.went_on, s.p90, d.open_deals, d.amount, d.n_unpriced;
SET LOCAL search_path = :funnel, public, pg_temp;
