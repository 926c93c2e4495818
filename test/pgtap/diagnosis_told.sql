-- Where leads drop out, who lets them wait, what is given back, who buys and
-- who is like them: as the history tells move by move, on a funnel of random
-- operations, where clocks have odd offsets and change by night.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(22);
\ir helper/random_funnel.sql
\set funnel crm
\ir helper/told_units.sql
\ir helper/told_outcomes.sql
\ir helper/told_diagnosis.sql
INSERT INTO operation VALUES ('profile', 40, $$UPDATE lead SET industry = (ARRAY['Software', 'software ', 'mining', NULL])[:a % 4 + 1], country = (ARRAY['DE', 'at', 'XX'])[:b % 3 + 1],
	seniority = NULLIF('vp' || :a % 30, 'vp0'), company_size = (ARRAY[0, 9, 10, 49, 50, 999, 5000, NULL])[:b % 8 + 1] WHERE lead_id = :lead$$),
	('an answer to another', 30, $$INSERT INTO answer (lead_id, framework, element, level) VALUES (:lead, (ARRAY['champ', 'discovery'])[:a % 2 + 1],
		(ARRAY['money', 'interest'])[:a % 2 + 1], CAST((ARRAY['no', 'yes'])[:b % 2 + 1] AS answer_level))$$);
UPDATE operation SET share = 60, statement = replace(statement, 'SELECT min(r.reason)', 'SELECT (array_agg(NULLIF(r.reason, ''no_need'') ORDER BY r.reason))[1 + :b % 9]') WHERE name = 'out';
SELECT isnt_empty('SELECT * FROM pg_temp.random_operations(1600, 0.31)', 'a funnel');

CREATE FUNCTION pg_temp.check(zone text, clock timestamptz) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE setting SET time_zone = zone;
	PERFORM set_config('lead_qual.clock', clock::text, true);
	RETURN QUERY SELECT is_empty(format('SELECT pg_temp.differences(''crm'', %L)', v), format('%s: as told, in %s at %s', v, zone, clock))
		FROM unnest('{hand_over,waterfall,sla_by_owner,rejection,ideal_profile,look_alike}'::text[]) AS v;
END $$;
-- clocks there change by half an hour, on 5 April 2026; here at 2 h, on 8 March
SELECT pg_temp.check('Australia/Lord_Howe', (SELECT max(entered_at) + interval '1 hour' FROM stage_history));
INSERT INTO reason (applies_to, reason, position, side) VALUES ('nurture', 'spam', 1, 'sales');
UPDATE reason SET side = NULL, position = 15 WHERE reason = 'no_authority';
DELETE FROM reason WHERE reason = 'duplicate';
SELECT pg_temp.check('America/St_Johns', (SELECT max(entered_at) + interval '40 days' FROM stage_history));

SELECT ok(count(*) FILTER (WHERE kind = 'reason') > 3 AND count(*) FILTER (WHERE kind = 'element') > 1 AND count(*) FILTER (WHERE kind = 'gone') = 1, 'leads drop out for all kinds of things')
FROM waterfall WHERE scope = 'all';
SELECT results_eq('SELECT leads, sum(excluded) + min(remaining) FROM waterfall GROUP BY scope, month, source, leads', 'SELECT leads, leads::numeric FROM waterfall WHERE position = 0',
	'D16 each lead once, in every scope');
SELECT results_eq($$ SELECT step, kind, excluded, remaining FROM waterfall WHERE scope = 'all' ORDER BY position $$,
	$$ WITH s AS (SELECT step, excluded, CASE WHEN step = '(all)' THEN 0 WHEN step = '(no reason)' THEN 3 WHEN step = '(gone)' THEN 4 WHEN step LIKE '%.%' THEN 2 ELSE 1 END AS place FROM told.waterfall WHERE scope = 'all'),
			o AS (SELECT s.*, (SELECT min(position) FROM reason WHERE reason = s.step) AS by_reason, (SELECT row(array_position('{bant,meddic,meddpicc}', e.framework), e.framework, e.position) FROM element AS e WHERE e.framework || '.' || e.element = s.step) AS by_element FROM s)
	   SELECT step, (ARRAY['all', 'reason', 'element', 'exit', 'gone'])[1 + place], excluded, (SELECT count(*) FROM told.failed) - (sum(excluded) OVER (ORDER BY place, by_reason, by_element, step))::bigint FROM o ORDER BY place, by_reason, by_element, step $$,
	'D16 reasons in their order, then elements, then the rest');
SELECT results_eq('SELECT owner_at, sum(handed_over)::bigint FROM sla_by_owner GROUP BY 1 ORDER BY 1', $$ SELECT w, (SELECT count(*) FROM hand_over) FROM unnest('{hand-over,now,outcome}'::text[]) AS w $$,
	'D9 every hand-over is one owner''s, then and now');
SELECT results_eq('SELECT month, owner, sum(handed_over), sum(late) FROM sla WHERE handed_over > 0 GROUP BY 1, 2 ORDER BY 1, 2', $$ SELECT month, owner, handed_over::numeric, late::numeric FROM sla_by_owner WHERE owner_at = 'outcome' AND handed_over > 0 ORDER BY 1, 2 $$,
	'sla and sla_by_owner agree');
SELECT ok(bool_or(outcome = 'lost') AND bool_or(rules_at_hand_over <> '') AND bool_or(side = 'sales') AND bool_or(side = 'marketing'), 'R002-04 R002-06 lost ones are there, with the rules of the hand-over and whose it is') FROM rejection;
SELECT ok(count(*) > 20 AND bool_or(criterion = '(other)') AND max(customers) > 0, 'profiles') FROM ideal_profile;
SELECT isnt_empty('SELECT * FROM look_alike', 'R003-24 some are like them');
SELECT results_eq('SELECT lead_id FROM look_alike', 'SELECT lead_id FROM look_alike ORDER BY fit DESC, intent DESC, lead_id', 'R003-24 the best fit first');
SELECT * FROM finish();
ROLLBACK;
