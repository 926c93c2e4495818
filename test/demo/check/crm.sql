-- What must hold of the funnel that the demo leaves behind
\set QUIET on
BEGIN;
CREATE SCHEMA pgtap;
CREATE EXTENSION pgtap SCHEMA pgtap;
SET LOCAL search_path = crm, public, pgtap;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2025-12-31 20:00';
SELECT plan(20);

SELECT is((SELECT count(*) FROM lead), 5000::bigint, 'the demo has 5,000 leads');
SELECT cmp_ok((SELECT count(*) FROM activity), '>=', 60000::bigint, 'and 60,000 activities or more');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') $$, 'check_funnel() finds nothing wrong after a year');

-- explanations
SELECT is_empty(format($$
	SELECT l.lead_id, score_at('crm', l.lead_id, %1$L), sum(e.points)
	FROM lead l LEFT JOIN LATERAL explain_score('crm', l.lead_id, %1$L) AS e ON true
	GROUP BY l.lead_id HAVING score_at('crm', l.lead_id, %1$L) <> coalesce(sum(e.points), 0) $$, at),
	'idea 4: of every lead, the points of explain_score() add up to the score to the last digit, ' || when_)
FROM (VALUES (1, '2025-07-01 00:00+00', 'in July'), (2, '2025-12-31 20:00+00', 'at the end of the year'),
			 (3, '2026-02-01 00:00+00', 'and a month later')) AS t (n, at, when_)
ORDER BY n;
SELECT is_empty($$
	SELECT n.lead_id FROM lead_now n
	WHERE n.score <> (SELECT coalesce(sum(points), 0) FROM explain_score('crm', n.lead_id)) $$,
	'D14: view lead_now shows the same score');

-- the scores are those of the whole log in time order
CREATE TEMP TABLE as_fed AS SELECT lead_id, scorecard, stage FROM lead;
SELECT rescore_funnel('crm') \g /dev/null
SELECT is_empty($$
	SELECT lead_id FROM lead l JOIN as_fed f USING (lead_id)
	WHERE abs(score(l.scorecard) - score(f.scorecard)) > 0.000001
		  OR (SELECT array_agg((rule_id, hits, last_hit) ORDER BY rule_id) FROM explain_score(l.scorecard))
			 IS DISTINCT FROM (SELECT array_agg((rule_id, hits, last_hit) ORDER BY rule_id) FROM explain_score(f.scorecard)) $$,
	'a year of statements gives the scores that the whole log gives');
SELECT is_empty($$ SELECT lead_id FROM lead l JOIN as_fed f USING (lead_id) WHERE l.stage <> f.stage $$,
	'and scoring anew moves nobody');

-- the funnel is a believable one
SELECT ok(rate_from_previous BETWEEN low AND high, format('%s of those before become %s: %s %%', what, milestone,
		  round(100 * rate_from_previous)))
FROM (VALUES ('mql', 'a quarter to a third', 0.25, 0.36), ('sal', 'about six in ten', 0.55, 0.70),
			 ('sql', 'about half', 0.42, 0.58)) AS t (milestone, what, low, high)
JOIN funnel USING (milestone) ORDER BY position;
SELECT ok(sum(customers)::numeric / sum(sqls) BETWEEN 0.2 AND 0.33, 'R000-13 about a quarter of the SQLs become customers')
FROM sql_conversion;
SELECT ok(bool_and(coalesce(p > before, true)),
		  'R004-04 the odds of a purchase rise with the stage: ' || string_agg(m || ' ' || round(100 * p, 1) || ' %', ' < ' ORDER BY place))
FROM (SELECT m, place, count(*) FILTER (WHERE j.customer_at >= at)::numeric / count(*) AS p,
			 lag(count(*) FILTER (WHERE j.customer_at >= at)::numeric / count(*)) OVER (ORDER BY place) AS before
	  FROM lead_journey j
	  CROSS JOIN LATERAL (VALUES (1, 'lead', j.lead_at), (2, 'mql', j.mql_at), (3, 'sal', j.sal_at),
								 (4, 'sql', j.sql_at)) AS s (place, m, at)
	  WHERE at IS NOT NULL
	  GROUP BY m, place) AS odds;

-- nothing is lost between the two sides, and no money
SELECT is((SELECT count(*) FROM lead_journey WHERE mql_at IS NOT NULL),
		  (SELECT count(*) FILTER (WHERE sal_at IS NOT NULL) + count(*) FILTER (WHERE sal_at IS NULL AND exit IS NOT NULL)
		   FROM lead_journey WHERE mql_at IS NOT NULL)
		  + (SELECT count(*) FILTER (WHERE due_at >= funnel_now()) + count(*) FILTER (WHERE due_at < funnel_now())
			 FROM lead WHERE stage = 'mql'),
		  'R004-08 handed over = accepted + returned + pending + overdue');
SELECT is((SELECT sum(cost) FROM cost_per_sql), (SELECT sum(amount) FROM spend),
		  'R000-15 the costs of all months and sources add up to what was spent');
SELECT is((SELECT sum(revenue) FROM sql_revenue WHERE by = 'close_month'),
		  (SELECT sum(amount) FROM deal WHERE status = 'won'),
		  'R000-16 every won deal counts once: here all were SQLs before');

-- the guards held
SELECT cmp_ok((SELECT count(*) FROM demo.refusal), '>', 500::bigint, 'R004-12 the guards refused moves that were not earned');
SELECT is_empty($$
	SELECT h.lead_id, h.cycle FROM stage_history h
	WHERE h.to_stage = 'sql' AND NOT EXISTS (
		SELECT FROM activity a JOIN kind k USING (kind)
		WHERE k.conversation AND a.lead_id = h.lead_id AND a.occurred_at <= h.entered_at
			  AND a.occurred_at >= (SELECT min(c.entered_at) FROM stage_history c
									WHERE c.lead_id = h.lead_id AND c.cycle = h.cycle)) $$,
	'R004-12 nobody became an SQL without a conversation in the same cycle');
SELECT is_empty($$
	SELECT history_id FROM (SELECT *, lag(to_stage) OVER (PARTITION BY lead_id ORDER BY entered_at, history_id) AS was
							FROM stage_history) AS h
	WHERE from_stage IS DISTINCT FROM was $$,
	'R004-26 each history is one unbroken line');
SELECT * FROM finish();
ROLLBACK;
