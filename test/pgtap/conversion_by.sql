-- conversion_by(): against the view, and against the history move by move.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(37);
\ir helper/random_funnel.sql
SELECT isnt_empty('SELECT * FROM pg_temp.random_operations(900, 0.77)', 'a funnel');
UPDATE source SET channel = CASE source WHEN 'event' THEN 'fairs' WHEN 'social' THEN 'paid' END;
UPDATE setting SET time_zone = 'Australia/Lord_Howe', maturity_days = 10;

-- the moves of a unit, each with its dimensions
CREATE TEMP VIEW entry AS
SELECT DISTINCT ON (h.lead_id, h.cycle, st.milestone) h.lead_id, h.cycle, st.milestone, h.entered_at,
	   date_trunc('month', h.entered_at AT TIME ZONE s.time_zone)::date AS month, date_trunc('week', h.entered_at AT TIME ZONE s.time_zone)::date AS week,
	   date_trunc('quarter', h.entered_at AT TIME ZONE s.time_zone)::date AS quarter, coalesce(h.source, '(none)') AS source, coalesce(c.channel, '(none)') AS channel,
	   coalesce(h.campaign, '(none)') AS campaign, coalesce(h.owner, '(none)') AS owner, coalesce(a.name, '(none)') AS account,
	   coalesce(l.country, '(none)') AS country, coalesce(l.industry, '(none)') AS industry, coalesce(h.definition, '(none)') AS definition, h.version::bigint AS version
FROM stage_history AS h
CROSS JOIN setting AS s
JOIN stage AS st ON st.stage = h.to_stage
LEFT JOIN source AS c ON c.source = h.source
LEFT JOIN account AS a ON a.account_id = h.account_id
LEFT JOIN lead AS l ON l.lead_id = h.lead_id AND NOT EXISTS (SELECT FROM departure AS d WHERE d.lead_id = h.lead_id AND d.last_move >= h.history_id)
WHERE h.voided_at IS NULL
ORDER BY h.lead_id, h.cycle, st.milestone, h.entered_at, h.ordinal, h.history_id;
CREATE FUNCTION pg_temp.told(a text, b text, by text[], period boolean) RETURNS text LANGUAGE sql AS $$
	SELECT format($query$
		SELECT %1$s, n, converted, skipped, round(1.0 * converted / NULLIF(n, 0), 4) FROM (
			SELECT %2$s, count(e.entered_at) FILTER (WHERE e.milestone = %3$L) AS n,
				   CASE WHEN %5$L THEN count(e.entered_at) FILTER (WHERE e.milestone = %4$L)
				   ELSE count(e.entered_at) FILTER (WHERE e.milestone = %3$L AND EXISTS (SELECT FROM entry AS o WHERE o.lead_id = e.lead_id AND o.cycle = e.cycle AND o.milestone = %4$L AND o.entered_at >= e.entered_at)) END AS converted,
				   count(e.entered_at) FILTER (WHERE e.milestone = %4$L AND NOT EXISTS (SELECT FROM entry AS o WHERE o.lead_id = e.lead_id AND o.cycle = e.cycle AND o.milestone = %3$L)) AS skipped
			FROM entry AS e WHERE e.milestone IN (%3$L, %4$L) GROUP BY %2$s) AS x WHERE n + converted + skipped > 0 $query$,
		string_agg('x.' || d, ', '), string_agg('e.' || d, ', '), a, b, period) FROM unnest(by) AS d $$;
CREATE FUNCTION pg_temp.alike(a text, b text, by text[], period boolean) RETURNS text LANGUAGE sql AS $$
	SELECT results_eq(format('SELECT %s, n, converted, skipped, rate FROM conversion_by(''crm'', %L, %L, %L, period => %L) ORDER BY 1, 2', array_to_string(by, ', '), a, b, by, period),
		pg_temp.told(a, b, by, period) || ' ORDER BY 1, 2', format('D4: from %s to %s by %s%s, as the history tells', a, b, array_to_string(by, ', '), CASE WHEN period THEN ', period' END)) $$;
SELECT pg_temp.alike('mql', 'sql', ARRAY[d], false) FROM unnest('{month,week,quarter,source,channel,campaign,owner,account,country,industry,definition,version}'::text[]) AS d;
SELECT pg_temp.alike('mql', 'sql', '{month,source}', true);
SELECT pg_temp.alike('lead', 'customer', '{quarter,source}', false);
SELECT pg_temp.alike('sal', 'nurture', '{channel,country}', false);
SELECT pg_temp.alike('sql', 'lost', '{source,month}', false);

-- as the view has it, and in all
SELECT results_eq($$ SELECT month, source, n, converted, rate, rate_lower, rate_upper, skipped, mature FROM conversion_by('crm', 'mql', 'sal', '{month,source}') ORDER BY 1, 2 $$,
	$$ SELECT month, source, n, converted, rate, rate_lower, rate_upper, skipped, mature FROM conversion WHERE from_milestone = 'mql' AND to_milestone = 'sal' AND (n > 0 OR entered > 0) ORDER BY 1, 2 $$, 'D4: as view conversion');
SELECT results_eq($$ SELECT n, converted, skipped FROM conversion_by('crm', 'mql', 'sal') $$,
	$$ SELECT sum(n)::bigint, sum(converted)::bigint, sum(skipped)::bigint FROM conversion WHERE from_milestone = 'mql' AND to_milestone = 'sal' $$, 'by nothing: one row for all');
SELECT results_eq($$ SELECT n, mature FROM conversion_by('crm', 'mql', 'sal', '{}', '2026-01-10', '2026-01-20') $$,
	$$ SELECT count(*), true FROM entry WHERE milestone = 'mql' AND entered_at >= timestamp '2026-01-10' AT TIME ZONE 'Australia/Lord_Howe' AND entered_at < timestamp '2026-01-20' AT TIME ZONE 'Australia/Lord_Howe' $$,
	'D4: from day to before day, where the funnel is');
SELECT results_eq($$ SELECT DISTINCT month, mature FROM conversion_by('crm', 'lead', 'mql', '{month,week}', '2026-01-01', '2026-01-20') $$, $$ VALUES (date '2026-01-01', true) $$, 'D4: mature when the shortest span is');
SELECT is_empty($$ SELECT * FROM conversion_by('crm', 'mql', 'sql', '{month}', '2026-02-01', '2026-01-01') $$, 'no days, no rows');
SELECT isnt_empty($$ SELECT * FROM conversion_by('crm', 'mql', 'sql', NULL, '-infinity', 'infinity', NULL) $$, 'all days');

-- bad input
SELECT throws_ok($$ SELECT * FROM conversion_by('crm', 'mql', 'sql', '{month,mood}') $$, '22023', 'there is no dimension "mood"', 'an unknown dimension is refused');
SELECT throws_ok($$ SELECT * FROM conversion_by('crm', 'mql', 'sql', '{NULL}') $$, '22023', 'there is no dimension "NULL"', 'so is none');
SELECT throws_ok($$ SELECT * FROM conversion_by('crm', 'mql', 'hero') $$, '22023', 'there is no milestone "hero"', 'an unknown milestone');
SELECT throws_ok($$ SELECT * FROM conversion_by('crm', NULL, 'sql') $$, '22023', 'there is no milestone "NULL"', 'none');
SELECT throws_ok(format($$ SELECT * FROM conversion_by('crm', %L, %L) $$, a, b), '22023', NULL, format('no way leads from %s to %s', a, b))
FROM (VALUES ('sql', 'mql'), ('mql', 'mql'), ('lost', 'customer'), ('customer', 'sql')) AS v (a, b);
SELECT throws_ok($$ SELECT * FROM conversion_by('no such', 'mql', 'sql') $$, '3F000', NULL, 'an unknown funnel');
CREATE ROLE regress_lq_analyst;
SELECT FROM grant_funnel('crm', 'regress_lq_analyst', 'analyst');
SET LOCAL ROLE regress_lq_analyst;
SELECT isnt_empty($$ SELECT * FROM conversion_by('crm', 'mql', 'sql', '{month,week,quarter,source,channel,campaign,owner,account,country,industry,definition,version}') $$, 'an analyst may ask');
SELECT lives_ok('SELECT 1 FROM crm.' || v, 'and may read ' || v) FROM unnest('{conversion,bottleneck,funnel_weekly,stuck}'::text[]) AS v;
SELECT * FROM finish();
ROLLBACK;
