-- lead_velocity_rate and sales_velocity: figures known from elsewhere, a small
-- funnel by hand, and a funnel of random operations against its raw tables.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;
SELECT plan(23);

SELECT is(round(sales_velocity(40, 0.25, 25000, 90), 2), 2777.78, 'X13: 40 opportunities, 25,000, 25 %, 90 days');
SELECT is(sales_velocity(40, 0.25, 25000, 0), NULL, 'D27: a cycle of no time');
SELECT is(sales_velocity(0, 0.25, 25000, 90), 0::numeric, 'D27: nothing in the pipeline');

SELECT create_funnel('f', 'Australia/Lord_Howe');
SET LOCAL search_path = f, public, pg_temp;
SET LOCAL lead_qual.clock = '2026-05-15 02:00Z';
SELECT is_empty('SELECT * FROM lead_velocity_rate', 'no units, no months');
SELECT is_empty('SELECT * FROM sales_velocity', 'no deals, no rows');

-- n units that enter a stage at an instant; as written by a definition
CREATE FUNCTION pg_temp.enter(stage text, at timestamptz, n int, version int DEFAULT 1) RETURNS void LANGUAGE sql AS $$
	INSERT INTO lead (lead_id, stage) SELECT lead_id, 'lead' FROM generate_series((SELECT coalesce(max(lead_id), 0) + 1 FROM f.lead),
		(SELECT coalesce(max(lead_id), 0) + n FROM f.lead)) AS lead_id;
	INSERT INTO stage_history (lead_id, to_stage, entered_at, definition, version)
		SELECT lead_id, $1, $2, 'default', $4 FROM f.lead WHERE lead_id NOT IN (SELECT lead_id FROM f.stage_history) $$;
SET LOCAL lead_qual.import = on;
SELECT count(pg_temp.enter('mql', m::timestamptz, n)) FROM (VALUES ('2025-09-03Z', 80), ('2025-10-03Z', 92), ('2025-12-31 13:30Z', 200), ('2026-02-03Z', 230),
	('2026-03-31 12:30Z', 264), ('2026-04-30 13:20Z', 290), ('2026-04-30 13:40Z', 7)) AS t (m, n);
SELECT pg_temp.enter('mql', '2026-05-14 02:00Z', 1, 2), pg_temp.enter('sql', '2026-05-14 02:00Z', 3, 2);
SELECT rebuild_history('f') > 0;
SET LOCAL lead_qual.import = off;

SELECT results_eq($$ SELECT month, qualified, previous, rate FROM lead_velocity_rate WHERE milestone = 'mql' AND NOT partial $$,
	$$ VALUES (date '2025-09-01', 80::bigint, NULL::bigint, NULL::numeric), ('2025-10-01', 92, 80, 0.15), ('2025-11-01', 0, 92, -1.0000), ('2025-12-01', 0, 0, NULL),
			  ('2026-01-01', 200, 0, NULL), ('2026-02-01', 230, 200, 0.15), ('2026-03-01', 264, 230, 0.1478), ('2026-04-01', 290, 264, 0.0985) $$,
	'X14: 80 then 92: 15 %; 200, 230, 264, 290: 15, 14.78, 9.85 %; D29: months without an entry are there');
SELECT results_eq($$ SELECT qualified, previous, rate, previous_so_far, definition, version FROM lead_velocity_rate WHERE milestone = 'mql' AND partial $$,
	$$ VALUES (8::bigint, 290::bigint, NULL::numeric, 0::bigint, NULL, NULL::bigint) $$, 'D29: the present month is partial');
SELECT results_eq($$ SELECT month, comparable FROM lead_velocity_rate WHERE milestone = 'sql' AND month >= '2026-03-01' $$,
	$$ VALUES (date '2026-03-01', true), ('2026-04-01', true), ('2026-05-01', false) $$, 'D29: the definition changed in May');
SELECT results_eq('SELECT milestone FROM lead_velocity_rate WHERE partial', $$ VALUES ('lead'), ('mql'), ('sal'), ('sql'), ('opportunity'), ('customer') $$, 'milestones in their order');
SET LOCAL lead_qual.clock = '2026-05-31 13:15Z';
SELECT is((SELECT previous_so_far FROM lead_velocity_rate WHERE milestone = 'mql' AND partial), 290::bigint, 'D29: the month before has fewer days: all of them');
SET LOCAL lead_qual.clock = '2026-06-15 02:00Z';
SELECT results_eq($$ SELECT milestone, rate, comparable FROM lead_velocity_rate WHERE month = '2026-05-01' AND milestone IN ('mql', 'sql') $$,
	$$ VALUES ('mql', -0.9724, false), ('sql', NULL, false) $$, 'D29: NULL when the previous is 0');
-- imported: nobody knows by which rules
UPDATE setting SET time_zone = 'UTC';
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, stage) VALUES (5000, 'lead');
INSERT INTO stage_history (lead_id, to_stage, entered_at) VALUES (5000, 'mql', '2026-02-10Z');
SELECT rebuild_history('f') > 0;
SET LOCAL lead_qual.import = off;
SELECT results_eq($$ SELECT month, comparable, version FROM lead_velocity_rate WHERE milestone = 'mql' AND month BETWEEN '2026-01-01' AND '2026-04-01' $$,
	$$ VALUES (date '2026-01-01', true, NULL::bigint), ('2026-02-01', NULL, NULL), ('2026-03-01', NULL, 1), ('2026-04-01', true, 1) $$, 'D29: what is not known is not said');

-- D27 by hand: 4 open, 1 of 2 won in the year, 20 days
SET LOCAL lead_qual.clock = '2026-04-11Z';
INSERT INTO deal (owner, amount, status, opened_at, closed_at) VALUES ('ann', 900, 'won', '2026-03-01Z', '2026-03-21Z'), (NULL, 500, 'lost', '2026-03-05Z', '2026-04-02Z'),
	('ann', 1, 'open', '2026-03-10Z', NULL), ('ann', 1, 'open', '2026-04-10Z', NULL), (NULL, NULL, 'open', '2026-04-10Z', NULL), ('bob', 1, 'open', '2026-01-10Z', NULL),
	('old', 70, 'won', '2025-01-01Z', '2025-04-10Z');
SELECT results_eq($$ SELECT by, value, opportunities, won, lost, win_rate, mean_amount, mean_cycle_days, per_day, won_per_day FROM sales_velocity WHERE by <> 'month' $$,
	$$ VALUES ('all', 'all', 4::bigint, 1::bigint, 1::bigint, 0.5, 900::numeric, 20::numeric, 90::numeric, 2.465753),
			  ('owner', '(none)', 1, 0, 1, 0, NULL, NULL, NULL, 0), ('owner', 'ann', 2, 1, 0, 1, 900, 20, 90, 2.465753), ('owner', 'bob', 1, 0, 0, NULL, NULL, NULL, NULL, 0),
			  ('source', '(none)', 4, 1, 1, 0.5, 900, 20, 90, 2.465753) $$, 'D27: of the year up to now, by hand');
SELECT results_eq($$ SELECT value::date, opportunities, won, lost, per_day, won_per_day, days FROM sales_velocity WHERE by = 'month' AND value >= '2025-12' $$,
	$$ VALUES (date '2025-12-01', 0::bigint, 1::bigint, 0::bigint, 0::numeric, 0::numeric, 31::numeric), ('2026-01-01', 1, 1, 0, 0.707071, 0, 31), ('2026-02-01', 1, 1, 0, 0.707071, 0, 28),
			  ('2026-03-01', 3, 2, 0, 24.453782, 29.032258, 31), ('2026-04-01', 4, 1, 1, 90, 0, 10) $$, 'D27: by month, those without a deal too');
UPDATE deal SET opened_at = closed_at + interval '1 year' WHERE status = 'won';
SELECT results_eq($$ SELECT mean_cycle_days, per_day FROM sales_velocity WHERE by = 'all' $$, $$ VALUES (0.00, NULL::numeric) $$, 'D27: imported deals that took no time');
DELETE FROM deal WHERE status <> 'open';
SELECT results_eq($$ SELECT opportunities, win_rate, per_day, won_per_day FROM sales_velocity WHERE by = 'all' $$, $$ VALUES (4::bigint, NULL::numeric, NULL::numeric, 0::numeric) $$, 'D27: all open');

-- against raw tables
\ir helper/random_funnel.sql
UPDATE setting SET time_zone = 'Australia/Lord_Howe';
SELECT isnt_empty('SELECT * FROM pg_temp.random_operations(1500, 0.7)', 'a funnel');
CREATE TEMP VIEW told AS
WITH entry AS MATERIALIZED (
	SELECT st.milestone, h.lead_id, h.cycle, min(h.entered_at) AS at FROM stage_history AS h JOIN stage AS st ON st.stage = h.to_stage WHERE h.voided_at IS NULL GROUP BY 1, 2, 3
), n AS MATERIALIZED (
	SELECT m.month, s.milestone, (SELECT count(*) FROM entry AS e WHERE e.milestone = s.milestone AND date_trunc('month', e.at AT TIME ZONE 'Australia/Lord_Howe') = m.month) AS n,
		   (SELECT count(*) FROM entry AS e WHERE e.milestone = s.milestone AND e.at AT TIME ZONE 'Australia/Lord_Howe' >= m.month
			AND e.at AT TIME ZONE 'Australia/Lord_Howe' < m.month + (funnel_now() AT TIME ZONE 'Australia/Lord_Howe' - date_trunc('month', funnel_now() AT TIME ZONE 'Australia/Lord_Howe'))) AS so_far
	FROM (SELECT DISTINCT milestone FROM stage WHERE milestone NOT IN ('nurture', 'disqualified', 'lost')) AS s,
		 generate_series((SELECT date_trunc('month', min(at) AT TIME ZONE 'Australia/Lord_Howe') FROM entry), date_trunc('month', funnel_now() AT TIME ZONE 'Australia/Lord_Howe'), interval '1 month') AS m (month))
SELECT n.month::date, n.milestone, n.n AS qualified, p.n AS previous,
	   CASE WHEN n.month < date_trunc('month', funnel_now() AT TIME ZONE 'Australia/Lord_Howe') THEN round((n.n - p.n)::numeric / NULLIF(p.n, 0), 4) END AS rate,
	   n.month = date_trunc('month', funnel_now() AT TIME ZONE 'Australia/Lord_Howe') AS partial,
	   CASE WHEN n.month = date_trunc('month', funnel_now() AT TIME ZONE 'Australia/Lord_Howe') THEN p.so_far END AS previous_so_far
FROM n LEFT JOIN n AS p ON p.milestone = n.milestone AND p.month = n.month - interval '1 month';
SELECT is_empty($$ (SELECT month, milestone, qualified, previous, rate, partial, previous_so_far FROM lead_velocity_rate EXCEPT ALL TABLE told)
	UNION ALL (TABLE told EXCEPT ALL SELECT month, milestone, qualified, previous, rate, partial, previous_so_far FROM lead_velocity_rate) $$, 'D29: lead_velocity_rate is as told, both ways');
SELECT cmp_ok(count(rate), '>', 4::bigint, 'with rates') FROM lead_velocity_rate;

CREATE TEMP VIEW told_deals AS
WITH d AS MATERIALIZED (
	SELECT d.*, least(d.opened_at, d.closed_at) AS began, CASE WHEN d.home_amount IS NOT NULL THEN d.home_amount WHEN coalesce(d.currency, 'EUR') = 'EUR' THEN d.amount END AS home,
		   (SELECT coalesce(u.source, '(none)') FROM journey AS u JOIN deal_contact AS c ON c.lead_id = u.lead_id WHERE c.deal_id = d.deal_id
			ORDER BY CASE WHEN u.sql_at <= coalesce(d.closed_at, funnel_now()) THEN u.sql_at END DESC NULLS LAST, u.started_at <= coalesce(d.closed_at, funnel_now()) DESC,
					 u.started_at DESC, u.lead_id, u.cycle LIMIT 1) AS source
	FROM deal AS d
), period AS (
	SELECT 'month' AS by, to_char(m, 'YYYY-MM-DD') AS value, m AT TIME ZONE 'Australia/Lord_Howe' AS since, (m + interval '1 month') AT TIME ZONE 'Australia/Lord_Howe' AS until,
		   (m - interval '11 months') AT TIME ZONE 'Australia/Lord_Howe' AS year
	FROM generate_series((SELECT date_trunc('month', min(began) AT TIME ZONE 'Australia/Lord_Howe') FROM d WHERE status = 'open' OR closed_at IS NOT NULL),
		date_trunc('month', funnel_now() AT TIME ZONE 'Australia/Lord_Howe'), interval '1 month') AS m
	UNION ALL
	SELECT g.by, g.value, y.year, funnel_now() + interval '1 microsecond', y.year + interval '1 microsecond'
	FROM (SELECT (funnel_now() AT TIME ZONE 'Australia/Lord_Howe' - interval '1 year') AT TIME ZONE 'Australia/Lord_Howe' AS year) AS y,
		 (SELECT 'all' AS by, 'all' AS value UNION SELECT 'owner', coalesce(owner, '(none)') FROM d UNION SELECT 'source', coalesce(source, '(none)') FROM d) AS g
), told AS (
	SELECT p.by, p.value, count(*) FILTER (WHERE d.status = 'open' AND d.opened_at < p.until OR d.began < p.until AND d.closed_at >= p.until) AS opportunities,
		   count(*) FILTER (WHERE d.status = 'won' AND d.closed_at >= p.year AND d.closed_at < p.until) AS won,
		   count(*) FILTER (WHERE d.status = 'lost' AND d.closed_at >= p.year AND d.closed_at < p.until) AS lost,
		   avg(d.home) FILTER (WHERE d.status = 'won' AND d.closed_at >= p.year AND d.closed_at < p.until) AS amount,
		   avg(extract(epoch FROM d.closed_at - d.began) / 86400) FILTER (WHERE d.status = 'won' AND d.closed_at >= p.year AND d.closed_at < p.until) AS days,
		   coalesce(sum(d.home) FILTER (WHERE d.status = 'won' AND d.closed_at >= p.since AND d.closed_at < p.until), 0) AS revenue
	FROM period AS p LEFT JOIN d ON p.by IN ('all', 'month') OR p.value = CASE p.by WHEN 'owner' THEN coalesce(d.owner, '(none)') ELSE coalesce(d.source, '(none)') END
	GROUP BY 1, 2)
SELECT by, value, opportunities, won, lost, round(won::numeric / NULLIF(won + lost, 0), 4) AS win_rate, round(amount, 4) AS mean_amount, round(days, 2) AS mean_cycle_days,
	   round(opportunities * (won::numeric / NULLIF(won + lost, 0)) * amount / NULLIF(days, 0), 3) AS per_day, revenue
FROM told WHERE by = 'month' OR opportunities + won + lost > 0;
SELECT is_empty($$ WITH shown AS (SELECT by, value, opportunities, won, lost, win_rate, round(mean_amount, 4), mean_cycle_days, round(per_day, 3), revenue FROM sales_velocity)
	(TABLE shown EXCEPT ALL TABLE told_deals) UNION ALL (TABLE told_deals EXCEPT ALL TABLE shown) $$, 'D27: sales_velocity is as told, both ways');
SELECT is(sum(revenue) FILTER (WHERE by = 'month'), (SELECT sum(amount) FROM won_deal WHERE closed_at IS NOT NULL), 'revenue by month is that of all won deals') FROM sales_velocity;
SELECT results_eq($$ SELECT d.by, sum(d.revenue), sum(d.won) FROM sales_velocity AS d WHERE d.by <> 'month' GROUP BY 1 ORDER BY 1 $$,
	$$ SELECT d.by, a.revenue, a.won::numeric FROM sales_velocity AS a, (VALUES ('all'), ('owner'), ('source')) AS d (by) WHERE a.by = 'all' $$, 'by owner = by source = all');
SELECT results_eq($$ SELECT w.source, sum(w.amount) FROM (SELECT coalesce(j.source, '(none)') AS source, w.amount FROM won_deal AS w LEFT JOIN journey AS j ON j.lead_id = w.lead_id AND j.cycle = w.cycle
	WHERE w.closed_at > funnel_now() - interval '1 year') AS w GROUP BY 1 HAVING sum(w.amount) > 0 ORDER BY 1 $$,
	$$ SELECT value, revenue FROM sales_velocity WHERE by = 'source' AND revenue > 0 ORDER BY 1 $$, 'a deal has the source of the unit that won_deal credits');

SELECT * FROM finish();
ROLLBACK;
