-- A11: every view with a month has a row for each month from its first to the
-- present one, within each series that an analyst would plot; steps have
-- positions; and no view of a small funnel is compiled for longer than it runs.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-12-31 23:30Z';
SELECT plan(30);
-- where it is January by then
SELECT create_funnel('crm', 'Europe/Berlin');
SET LOCAL search_path = crm, public, pg_temp;

-- a view has to have zeros where nothing was: columns of the series, and what
-- is not zero or NULL without it
CREATE TEMP TABLE monthly (view text, series text, known text);
INSERT INTO monthly VALUES
	('funnel_monthly', 'source, milestone', '{position}'), ('mql_to_sql', '', '{mature}'), ('sql_conversion', '', '{mature}'),
	('sql_velocity', '', '{by,source}'), ('lead_velocity_rate', 'milestone', '{position,partial,comparable,definition,version}'), ('cost_per_sql', 'source', '{}'), ('sql_revenue', 'by', '{}'), ('sla', 'stage, owner', '{position}'),
	('conversion', 'source, from_milestone, to_milestone', '{position,mature}'),
	('rejection', 'outcome, reason', '{position}');
CREATE FUNCTION pg_temp.grid(view text, series text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		WITH shown AS (SELECT DISTINCT month, row(%2$s)::text AS series FROM crm.%1$I),
			 wanted AS (SELECT m::date AS month, s.series FROM (SELECT DISTINCT series FROM shown) AS s,
						generate_series((SELECT min(month) FROM shown), timestamp '2027-01-01', interval '1 month') AS m)
		SELECT x::text FROM (TABLE shown EXCEPT TABLE wanted) AS x WHERE month <= '2027-01-01'
		UNION ALL SELECT x::text FROM (TABLE wanted EXCEPT TABLE shown) AS x $q$, view, series);
END $$;
-- what rows that tell of nothing say
CREATE FUNCTION pg_temp.of_nothing(view text, series text, known text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT DISTINCT e.key || ' ' || e.value FROM crm.%1$I AS v, jsonb_each(to_jsonb(v)) AS e
		WHERE NOT EXISTS (SELECT FROM jsonb_each(to_jsonb(v)) AS n WHERE jsonb_typeof(n.value) = 'number' AND n.value <> '0' AND n.key <> 'position')
		AND e.value NOT IN ('0', 'null') AND e.key <> 'month' AND e.key <> ALL (string_to_array(%2$L, ', ')) AND e.key <> ALL (%3$L)
		$q$, view, series, known);
END $$;

SELECT is_empty(format('SELECT * FROM %I', view), 'nothing began: no months in ' || view) FROM monthly;

SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, stage, source, owner) SELECT i, 'lead', 's' || i % 3, 'o' || i % 2 FROM generate_series(1, 12) AS i;
INSERT INTO stage_history (lead_id, to_stage, entered_at, source, owner, reason)
SELECT i, s.stage, '2026-01-10Z'::timestamptz + i % 4 * interval '50 days' + s.n * interval '9 days', 's' || i % 3, 'o' || i % 2,
	   CASE WHEN s.stage IN ('nurture', 'disqualified') THEN 'r' || i % 2 END
FROM generate_series(1, 12) AS i, unnest(CASE WHEN i % 3 = 0 THEN '{lead,mql,nurture}'::text[] WHEN i % 5 = 0 THEN '{lead,disqualified}'
	ELSE '{lead,mql,sal,sql,customer}' END) WITH ORDINALITY AS s (stage, n);
INSERT INTO deal (deal_id, amount, status, closed_at) VALUES (1, 100, 'won', '2026-05-01Z'), (2, 10, 'won', '2026-10-01Z');
INSERT INTO deal_contact (deal_id, lead_id) VALUES (1, 1), (2, 2);
INSERT INTO spend (department, source, starts_on, ends_on, amount) VALUES ('sales', 's9', '2026-02-01', '2026-02-28', 50),
	('sales', NULL, '2025-11-01', '2025-11-05', 70), ('sales', 's1', '2027-03-01', '2027-03-31', 80);
DO $$ BEGIN PERFORM rebuild_history('crm'); END $$;
SET LOCAL lead_qual.import = off;
SELECT is_empty(format('SELECT pg_temp.grid(%L, %L)', view, series), 'A11: ' || view || ' has every month of every series') FROM monthly;
SELECT is_empty($$ SELECT view, said FROM monthly, pg_temp.of_nothing(view, series, known) AS said $$, 'A11: counts are 0, rates NULL, money 0 where nothing was');
SELECT results_eq('SELECT min(month), max(month), count(DISTINCT month) FROM cost_per_sql', $$ VALUES (date '2025-11-01', date '2027-03-01', 16::bigint) $$,
	'A11: costs begin with the first expense, overhead too; a month to come is there where it has one');
SELECT results_eq('SELECT DISTINCT source FROM cost_per_sql ORDER BY 1', $$ VALUES ('(overhead)'), ('s1'), ('s2'), ('s9') $$, 'A11: sources that have either');
SET LOCAL lead_qual.import = on;
INSERT INTO verdict (lead_id, side, qualified, judged_at) VALUES (1, 'sales', true, '2026-03-05Z'), (2, 'sales', true, '2026-06-05Z');
SELECT results_eq('SELECT month::text, judged, agreement_rate FROM verdict_agreement WHERE scope = ''month'' ORDER BY 1',
	$$ SELECT m::date::text, CASE WHEN m IN ('2026-03-01', '2026-06-01') THEN 1 ELSE 0 END::bigint, NULL::numeric
	   FROM generate_series(timestamp '2026-03-01', '2027-01-01', interval '1 month') AS m $$, 'A11: verdict_agreement by month');
SET LOCAL lead_qual.import = off;

SELECT results_eq('SELECT DISTINCT position, milestone FROM funnel_monthly ORDER BY 1', $$ SELECT n, m FROM unnest(_milestones()) WITH ORDINALITY AS x (m, n) $$,
	'A11: milestones have their order');
SELECT is_empty($$ SELECT e.milestone, e.position FROM milestone_entry AS e EXCEPT SELECT milestone, position FROM funnel_monthly $$, 'A11: the same in milestone_entry');
SELECT is_empty($$ SELECT position, milestone FROM funnel EXCEPT SELECT position, milestone FROM funnel_monthly $$, 'A11: and in funnel');
SELECT is_empty($$ SELECT from_milestone, from_position, to_milestone, to_position FROM stage_velocity EXCEPT
	SELECT a.milestone, a.position, b.milestone, b.position FROM funnel_monthly AS a, funnel_monthly AS b WHERE a.position < b.position $$, 'A11: and in stage_velocity');
SELECT is_empty($$ SELECT stage, position FROM lead_now UNION SELECT stage, position FROM stage_stay UNION SELECT stage, position FROM sla
	EXCEPT SELECT stage, position::bigint FROM stage $$, 'A11: stages have theirs');

-- a thousand sources are enough
SET LOCAL lead_qual.import = on;
INSERT INTO spend (department, source, starts_on, ends_on, amount) SELECT 'sales', 'many ' || i, '2026-12-01', '2026-12-31', i FROM generate_series(1, 1200) AS i;
SELECT results_eq('SELECT count(DISTINCT source), count(*) FILTER (WHERE month <= ''2027-01-01'') FROM cost_per_sql',
	'SELECT 1204::bigint, 1000::bigint * 15 + 204', 'A11: of more than a thousand sources a thousand have months without anything');
SELECT * FROM finish();
ROLLBACK;
