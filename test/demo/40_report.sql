--
-- What the funnel knows after a year.  Everything comes from its views and
-- from functions of the extension.
--
SET TimeZone = 'UTC';
SET lead_qual.clock = '2025-12-31 20:00';
SET search_path = crm, public;
\pset footer off
\pset border 0
\pset null '-'

-- a text in lines of at most so many characters
CREATE FUNCTION demo.lines(words text, width int, OUT line text, OUT n bigint)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT found.part[1], row_number() OVER ()
	FROM regexp_matches(coalesce(words, ''), format('\S.{0,%s}(?=\s|$)|\S{%s}', width - 1, width), 'g') AS found (part)
	UNION ALL
	SELECT NULL, 1 WHERE coalesce(words, '') = ''
$$;

\echo
\echo 'THE FUNNEL: units (a lead, each time it comes back) that reached each step'
\echo '                                                               view crm.funnel'
SELECT milestone, reached, in_it_now AS now, round(100 * rate_from_previous, 1) AS "% of last", bar
FROM funnel ORDER BY position;

\echo 'MONTH BY MONTH                                         view crm.funnel_monthly'
SELECT to_char(month, 'YYYY-MM') AS month,
	   sum(entered) FILTER (WHERE milestone = 'lead') AS leads,
	   sum(entered) FILTER (WHERE milestone = 'mql') AS mqls,
	   sum(entered) FILTER (WHERE milestone = 'sal') AS accepted,
	   sum(entered) FILTER (WHERE milestone = 'sql') AS sqls,
	   sum(entered) FILTER (WHERE milestone = 'opportunity') AS opportunities,
	   sum(entered) FILTER (WHERE milestone = 'customer') AS customers,
	   repeat('█', (sum(entered) FILTER (WHERE milestone = 'sql') / 6)::int) AS "SQLs"
FROM funnel_monthly
GROUP BY month ORDER BY month;

\echo 'SQL VELOCITY: days from SQL to customer; km counts those still open, too'
\echo '                                                         view crm.sql_velocity'
SELECT to_char(month, 'YYYY-MM') AS month, sqls, n AS won, n_exited AS "left", n_open AS open,
	   round(mean_days, 1) AS mean, round(median_days, 1) AS median, round(p90_days, 1) AS p90,
	   round(km_median_days, 1) AS "km median",
	   round(100 * won_by_30, 1) AS "% in 30 d", round(100 * won_by_90, 1) AS "in 90 d"
FROM sql_velocity WHERE by = 'month'
ORDER BY month DESC LIMIT 8;

\echo 'PACE: MQLs and SQLs against the month before    view crm.lead_velocity_rate'
SELECT to_char(month, 'YYYY-MM') AS month,
	   max(qualified) FILTER (WHERE milestone = 'mql') AS mqls, round(100 * max(rate) FILTER (WHERE milestone = 'mql'), 1) AS "%",
	   max(qualified) FILTER (WHERE milestone = 'sql') AS sqls, round(100 * max(rate) FILTER (WHERE milestone = 'sql'), 1) AS "% ",
	   repeat('█', (max(qualified) FILTER (WHERE milestone = 'sql') / 6)::int) AS "SQLs"
FROM lead_velocity_rate GROUP BY month ORDER BY month DESC LIMIT 6;

\echo 'FORECAST: who will come in the next days              view crm.forecast'
SELECT milestone, horizon_days AS days, waiting, expected, lower, upper, round(revenue) AS "EUR"
FROM forecast WHERE milestone IN ('mql', 'sql', 'customer') ORDER BY position(milestone IN 'mql sql customer'), days;

\echo 'What it would have said on 1 October, and what came: forecast_check()'
SELECT milestone, horizon_days AS days, expected, lower, upper, came, within
FROM forecast_check('crm', '2025-10-01') WHERE milestone IN ('mql', 'sql', 'customer') ORDER BY position(milestone IN 'mql sql customer'), days;

\echo 'COST PER SQL in 2025: what each source cost, with its share of overhead'
\echo '                                                         view crm.cost_per_sql'
SELECT coalesce(source, 'all') AS source, round(sum(direct_cost)) AS direct, round(sum(overhead)) AS overhead,
	   sum(sqls) AS sqls, round(sum(cost) / nullif(sum(sqls), 0)) AS "EUR an SQL",
	   repeat('█', (sum(cost) / nullif(sum(sqls), 0) / 120)::int) AS bar
FROM cost_per_sql
GROUP BY ROLLUP (source)
ORDER BY source = 'all', sum(cost) / nullif(sum(sqls), 0);

\echo 'CONVERSION of each month''s MQLs and SQLs, whenever it came, and REVENUE'
\echo '                     views crm.mql_to_sql, crm.sql_conversion, crm.sql_revenue'
SELECT to_char(m.month, 'YYYY-MM') AS month, m.mqls, m.sqls_of_cohort AS "to SQL",
	   round(100 * m.cohort_rate, 1) AS "%", s.sqls, s.customers, round(100 * s.rate, 1) AS "% won",
	   CASE WHEN s.mature THEN '' ELSE 'will still rise' END AS note,
	   to_char(r.revenue, '9,999,999') AS "EUR closed"
FROM mql_to_sql m
JOIN sql_conversion s ON s.month = m.month
LEFT JOIN sql_revenue r ON r.month = m.month AND r.by = 'close_month'
ORDER BY m.month;

\echo 'WHO LETS LEADS WAIT: acceptance of what was handed over, by whom'
\echo '                                                         view crm.lead_journey'
SELECT coalesce(l.accepted_by, '(not accepted)') AS "accepted by", count(*) AS leads,
	   round((percentile_cont(0.5) WITHIN GROUP (ORDER BY j.days_mql_to_sal) * 24)::numeric, 1) AS "median hours",
	   round(100.0 * count(*) FILTER (WHERE j.days_mql_to_sal <= 1) / nullif(count(j.sal_at), 0), 1) AS "% within 24 h"
FROM lead_journey j
JOIN lead l ON l.lead_id = j.lead_id AND l.cycle = j.cycle
WHERE j.mql_at IS NOT NULL
GROUP BY l.accepted_by ORDER BY l.accepted_by NULLS LAST;

\echo 'WHERE LEADS DROP OUT, each once, under the first thing it fails at'
\echo '                                                            view crm.waterfall'
SELECT left(label, 30) AS "dropped out for (1 % or more)", excluded AS leads, round(100 * excluded_share, 1) AS "%", remaining AS "left",
	   repeat('█', round(30 * remaining_share)::int) AS bar
FROM waterfall
WHERE scope = 'all' AND (position = 0 OR excluded_share >= 0.01)
ORDER BY position;

\echo 'IS MARKETING SENDING JUNK, and from where?                  view crm.hand_over'
SELECT source, count(*) AS "handed over", count(*) FILTER (WHERE side = 'marketing') AS junk,
	   round(100.0 * count(*) FILTER (WHERE side = 'marketing') / count(*), 1) AS "%",
	   repeat('█', (40.0 * count(*) FILTER (WHERE side = 'marketing') / count(*))::int) AS bar
FROM hand_over
GROUP BY source
ORDER BY 1.0 * count(*) FILTER (WHERE side = 'marketing') / count(*) DESC, source;

\echo 'WHO BUYS: criteria that more customers meet than leads do'
\echo '                                                        view crm.ideal_profile'
SELECT dimension, left(criterion, 20) AS criterion, round(100 * lead_share, 1) AS "% of leads",
	   round(100 * customer_share, 1) AS "% of customers", round(lift, 2) AS lift,
	   CASE WHEN customer_share_lower > lead_share THEN 'proven' ELSE '' END AS note
FROM ideal_profile
WHERE lift > 1.05
ORDER BY lift DESC, dimension, criterion LIMIT 8;

\echo 'WHO ELSE IS LIKE THEM, and shows intent                    view crm.look_alike'
SELECT lead_id AS lead, source, trunc(fit, 1) AS fit, trunc(intent, 1) AS intent, trunc(score, 1) AS score,
	   round(days_since_intent, 1) AS "days ago"
FROM look_alike LIMIT 5;

\echo 'THE INBOX OF SALES, 31 December, 20:00; ! is past due           view crm.inbox'
SELECT CASE w.n WHEN 1 THEN i.lead_id::text ELSE '' END AS lead,
	   CASE w.n WHEN 1 THEN i.full_name ELSE '' END AS name, CASE w.n WHEN 1 THEN i.stage ELSE '' END AS stage,
	   CASE w.n WHEN 1 THEN coalesce(i.owner, '-') ELSE '' END AS owner,
	   CASE w.n WHEN 1 THEN trunc(i.score, 1)::text ELSE '' END AS score,
	   CASE w.n WHEN 1 THEN to_char(i.due_at, 'DD Mon HH24:MI') || CASE WHEN i.past_due THEN ' !' ELSE '' END ELSE '' END AS due,
	   w.line AS "why, and what to ask next"
FROM (SELECT row_number() OVER () AS place, * FROM (SELECT * FROM inbox LIMIT 5) AS top) AS i
CROSS JOIN LATERAL demo.lines(i.reasons || '; ' || i.next_question, 28) AS w
ORDER BY i.place, w.n;

--
-- One lead: the one with the longest story that sales is still working on
--
SELECT n.lead_id AS lead, n.score
FROM lead_now n
JOIN lead l ON l.lead_id = n.lead_id
WHERE n.stage = 'sal' AND n.cycle IN (2, 3) AND met(l.bant) BETWEEN 1 AND 2 AND l.owner IS NOT NULL
ORDER BY (SELECT count(*) FROM stage_history h WHERE h.lead_id = n.lead_id) DESC, n.score DESC, n.lead_id
LIMIT 1 \gset

SELECT format(E'Lead %s: %s, %s at %s\n(%s, %s people, %s), came from %s.\nNow %s in cycle %s, with %s. Known so far: %s. Score %s:',
			  l.lead_id, l.full_name, l.job_title, l.company, l.industry, l.company_size, l.country, l.source,
			  l.stage, l.cycle, l.owner, l.bant, :'score') AS who
FROM lead l WHERE l.lead_id = :lead \gset
\echo 'ONE LEAD''S WHOLE STORY'
\echo
\echo :who
\echo
\echo 'What is the score made of?                         explain_score(''crm'', ':lead')'
SELECT rule, axis, hits, to_char(last_hit, 'DD Mon') AS "last", round(points, 6) AS points, left(description, 25) AS "because the lead"
FROM (SELECT * FROM explain_score('crm', :lead::bigint)
	  UNION ALL
	  SELECT 'SCORE', '', NULL, NULL, sum(points), 'their sum, exactly'
	  FROM explain_score('crm', :lead::bigint)) AS e
ORDER BY rule = 'SCORE', points DESC, rule;

\echo 'Why is it not an SQL yet?                         why_not(''crm'', ':lead', ''sql'')'
SELECT CASE w.n WHEN 1 THEN a.part ELSE '' END AS part, CASE w.n WHEN 1 THEN a.state ELSE '' END AS state, w.line AS needs
FROM (SELECT row_number() OVER () AS place, * FROM why_not('crm', :lead::bigint, 'sql')) AS a
CROSS JOIN LATERAL demo.lines(a.needs, 28) AS w
ORDER BY a.place, w.n;

\echo 'Where can it go?                                      next_stages(''crm'', ':lead')'
SELECT CASE w.n WHEN 1 THEN a.stage ELSE '' END AS stage,
	   CASE WHEN w.n > 1 THEN '' WHEN exception THEN 'exception' ELSE 'on request' END AS how,
	   CASE WHEN w.n > 1 THEN '' WHEN allowed THEN 'yes' ELSE 'not yet' END AS now, w.line AS needs
FROM (SELECT row_number() OVER () AS place, * FROM next_stages('crm', :lead::bigint) WHERE NOT automatic) AS a
CROSS JOIN LATERAL demo.lines(a.needs, 46) AS w
ORDER BY a.place, w.n;

\echo 'How it came here                                         table crm.stage_history'
SELECT to_char(entered_at, 'DD Mon HH24:MI') AS at, cycle, coalesce(from_stage, '(new)') || ' > ' || to_stage AS move,
	   actor, trunc(score, 1) AS score, concat_ws(', ', CASE WHEN automatic THEN 'by itself' END,
	   CASE WHEN exception THEN 'exception' END, reason) AS why
FROM stage_history WHERE lead_id = :lead ORDER BY entered_at, history_id;

SELECT CASE WHEN count(*) = 0 THEN 'finds nothing wrong.' ELSE 'finds: ' || string_agg(finding, ', ') END AS found
FROM check_funnel('crm') \gset
\echo 'After all this, check_funnel(''crm'')' :found
\echo
\echo 'WHAT THE GUARDS REFUSED in the year: moves that sales asked for too early'
SELECT wanted, count(*) AS refused, count(DISTINCT n) AS leads,
	   count(DISTINCT n) FILTER (WHERE EXISTS (SELECT FROM stage_history h
											   WHERE h.lead_id = n AND h.to_stage = wanted AND h.entered_at > r.at)) AS "of them got there later"
FROM demo.refusal r GROUP BY wanted ORDER BY wanted;
SELECT string_agg(line[1], E'\n') AS answer
FROM (SELECT message || E'\n' || detail AS answer FROM demo.refusal ORDER BY at DESC, n LIMIT 1) AS r,
	regexp_matches(answer, '(?n)(.{1,78})(?: |$)', 'g') AS line \gset
\echo 'The last answer they got:'
\echo :answer
