-- Where a unit ended, and from where units came: lead_journey.exit, funnel.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(18);

SELECT create_funnel('f', 'UTC');
SET LOCAL search_path = f, public;
SET LOCAL lead_qual.clock = '2026-12-01Z';
CREATE FUNCTION pg_temp.load(lead bigint, stages text[], days int[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL lead_qual.import = on;
	INSERT INTO f.lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (lead);
	INSERT INTO f.stage_history (lead_id, to_stage, entered_at, reason)
		SELECT lead, s, timestamptz '2026-01-01Z' + d * interval '1 day', s || d FROM unnest(stages, days) AS m (s, d);
	SET LOCAL lead_qual.import = off;
	PERFORM rebuild_history('f');
END $$;
CREATE FUNCTION pg_temp.ends(lead bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(coalesce(exit || ' ' || (exited_at AT TIME ZONE 'UTC')::date - date '2026-01-01' || ' ' || exit_reason, 'none'), ', ' ORDER BY cycle)
	FROM f.lead_journey WHERE lead_id = $1 $$;

-- the exit
SELECT pg_temp.load(1, '{mql,sql,lost,nurture}', '{0,1,10,90}');
SELECT is(pg_temp.ends(1), 'lost 10 lost10', 'N12: a later move from exit to exit changes nothing');
SELECT pg_temp.load(2, '{mql,sql,nurture,disqualified,lost}', '{0,1,10,20,30}');
SELECT is(pg_temp.ends(2), 'nurture 10 nurture10', 'N12: nor do several');
SELECT pg_temp.load(3, '{mql,nurture,lost,mql,lost,nurture}', '{0,1,2,3,4,5}');
SELECT is(pg_temp.ends(3), 'nurture 1 nurture1, lost 4 lost4', 'N12: each cycle has its own');
SELECT pg_temp.load(4, '{sql,customer,lost,nurture}', '{0,5,10,20}');
SELECT is(pg_temp.ends(4), 'none', 'N12: who leaves as a customer ends nothing here');
SELECT pg_temp.load(5, '{sql,lost,customer}', '{0,5,10}');
SELECT is(pg_temp.ends(5), 'none', 'N12: who is won after all was not lost');
SELECT pg_temp.load(6, '{nurture,lost}', '{0,5}');
SELECT is(pg_temp.ends(6), 'nurture 0 nurture0', 'N12: who never was on the path left it at once');
SELECT pg_temp.load(7, '{lost,mql,nurture,nurture}', '{5,5,5,9}');
SELECT is(pg_temp.ends(7), 'nurture 5 nurture5', 'N12: exits of one instant by their position');
CREATE TEMP TABLE velocity AS SELECT * FROM sql_velocity;
SELECT pg_temp.load(8, '{sql,lost}', '{0,30}'), pg_temp.load(9, '{sql,customer}', '{0,40}');
TRUNCATE velocity;
INSERT INTO velocity SELECT * FROM sql_velocity;
SET LOCAL lead_qual.import = on;
INSERT INTO stage_history (lead_id, to_stage, entered_at) VALUES (8, 'nurture', '2026-06-01Z');
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('f');
SELECT results_eq('SELECT v::text FROM sql_velocity AS v', 'SELECT v::text FROM velocity AS v', 'N12: no estimate changes');

-- the previous milestone
SELECT drop_funnel('f', force => true);
SELECT create_funnel('f', 'UTC');
SELECT is_empty($$ SELECT * FROM funnel WHERE unused OR rate_from_previous IS NOT NULL OR (position > 1) <> (previous_milestone IS NOT NULL) $$,
	'N13: without units no milestone is unused');
SELECT pg_temp.load(n, '{lead,mql,sql}', '{0,1,2}') FROM generate_series(1, 4) AS n;
SELECT pg_temp.load(5, '{lead,mql,sql,customer}', '{0,1,2,3}'), pg_temp.load(6, '{lead,mql}', '{0,1}');
SELECT results_eq('SELECT milestone, previous_milestone, previous_reached, from_previous, round(rate_from_previous, 2), skipped, unused FROM funnel ORDER BY position',
	$$ VALUES ('lead', NULL::text, NULL::bigint, NULL::bigint, NULL::numeric, 0::bigint, false), ('mql', 'lead', 6, 6, 1.00, 0, false), ('sal', 'mql', 6, NULL, NULL, 0, true),
		('sql', 'mql', 6, 5, 0.83, 0, false), ('opportunity', 'sql', 5, NULL, NULL, 0, true), ('customer', 'sql', 5, 1, 0.20, 0, false) $$,
	'N13: the previous milestone is the nearest that units pass, and what none passes is shown as such');
SELECT is((SELECT from_first::text || '/' || first_reached FROM funnel WHERE milestone = 'customer'), '1/6', 'N13: from the first all the way');
SELECT pg_temp.load(7, '{lead,mql,sal,sql}', '{0,1,2,3}');
SELECT results_eq('SELECT milestone, previous_milestone, from_previous, skipped, unused FROM funnel WHERE milestone IN (''sal'', ''sql'') ORDER BY position',
	$$ VALUES ('sal', 'mql', 1::bigint, 0::bigint, false), ('sql', 'sal', 1, 5, false) $$, 'N13: one that some pass is not unused, and the others skip it');
SELECT void_moves('f', ARRAY(SELECT history_id FROM stage_history WHERE to_stage = 'lead' OR lead_id = 7 AND to_stage = 'sal'), 'no such stage');
SELECT results_eq('SELECT milestone, previous_milestone, from_previous, first_milestone, first_reached, from_first, unused FROM funnel WHERE milestone IN (''lead'', ''mql'', ''sql'') ORDER BY position',
	$$ VALUES ('lead', NULL::text, NULL::bigint, 'mql', 7::bigint, NULL::bigint, true), ('mql', NULL, NULL, 'mql', 7, 7, false), ('sql', 'mql', 6, 'mql', 7, 6, false) $$,
	'N13: the first milestone is the first that units pass');
SELECT is((SELECT sum(skipped) FROM funnel), 0::numeric, 'N13: nobody skips what is unused');
DELETE FROM transition WHERE to_stage IN ('sal', 'opportunity') OR from_stage IN ('sal', 'opportunity');
DELETE FROM stage WHERE stage IN ('opportunity');
SELECT results_eq('SELECT milestone, position FROM funnel ORDER BY position', $$ VALUES ('lead', 1::bigint), ('mql', 2), ('sal', 3), ('sql', 4), ('customer', 5) $$,
	'N13: a milestone without a stage is no step');
SELECT is((SELECT previous_milestone FROM funnel WHERE milestone = 'customer'), 'sql', 'N13: nor anybody''s previous');
SELECT results_eq('SELECT count(*) FROM stage_velocity WHERE from_milestone = ''mql'' AND to_milestone = ''sql'' AND n = 6', 'VALUES (1::bigint)', 'N13: pairs of any two milestones stay as they are');
SELECT results_eq('SELECT sum(mqls)::bigint, sum(sqls_of_cohort)::bigint FROM mql_to_sql', 'VALUES (7::bigint, 6::bigint)', 'N13: conversion needs no milestone between');

SELECT * FROM finish();
ROLLBACK;
