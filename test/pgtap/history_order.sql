-- The order of moves: by instant, and at one instant by the path.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(27);

SELECT create_funnel('f', 'UTC');
SET LOCAL search_path = f, public;
SET LOCAL lead_qual.clock = '2026-06-01 09:00Z';
CREATE FUNCTION pg_temp.way(lead bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(cycle || ' ' || to_stage, ', ' ORDER BY entered_at, ordinal, history_id)
	FROM f.stage_history WHERE lead_id = $1 AND voided_at IS NULL $$;
CREATE FUNCTION pg_temp.load(lead bigint, stages text[], at text[]) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL lead_qual.import = on;
	INSERT INTO f.lead (lead_id, created_at) OVERRIDING SYSTEM VALUE VALUES (lead, '2026-01-05') ON CONFLICT DO NOTHING;
	INSERT INTO f.stage_history (lead_id, to_stage, entered_at) SELECT lead, s, a::timestamptz FROM unnest(stages, at) AS m (s, a);
	SET LOCAL lead_qual.import = off;
	RETURN rebuild_history('f');
END $$;

SELECT pg_temp.load(1, '{customer,lead}', '{2026-01-05,2026-01-05}');
SELECT results_eq('SELECT stage, cycle FROM lead WHERE lead_id = 1', $$ VALUES ('customer', 1) $$, 'N4: of moves at one instant the path''s order holds');
SELECT is(pg_temp.way(1), '1 lead, 1 customer', 'N4: in the history, too');
SELECT results_eq('SELECT lead_at, customer_at, exit FROM lead_journey WHERE lead_id = 1',
	$$ VALUES (timestamptz '2026-01-05Z', timestamptz '2026-01-05Z', NULL::text) $$, 'N4: and for metrics');
SELECT results_eq('SELECT stage FROM stage_stay WHERE lead_id = 1 AND is_open', $$ VALUES ('customer') $$, 'N4: the stay that goes on is the last');
SELECT pg_temp.load(2, '{lost,sql,opportunity,mql,lead,sal}', '{2026-01-05,2026-01-05,2026-01-05,2026-01-05,2026-01-05,2026-01-05}');
SELECT is(pg_temp.way(2), '1 lead, 1 mql, 1 sal, 1 sql, 1 opportunity, 1 lost', 'N4: exits come last');
SELECT is(stage, 'lost', 'N4: the lead has left') FROM lead WHERE lead_id = 2;
SELECT pg_temp.load(3, '{nurture,mql,lead}', '{2026-01-05,2026-02-01,2026-01-05}');
SELECT is(pg_temp.way(3), '1 lead, 1 nurture, 2 mql', 'N4: other instants stand as they are');
SELECT is_empty($$ SELECT * FROM check_funnel('f') WHERE finding <> 'card_stale' $$, 'N4: nothing is wrong then');
SELECT is(rebuild_history('f'), 0::bigint, 'N4: nor to be rebuilt');
UPDATE stage SET position = 70 WHERE stage = 'sal';
SELECT is((SELECT n FROM check_funnel('f') WHERE finding = 'history_order') > 0, true, 'N4: a path of another order is told of');
SELECT rebuild_history('f');
SELECT is(pg_temp.way(2), '1 lead, 1 mql, 1 sql, 1 opportunity, 1 sal, 1 lost', 'N4: and followed');
UPDATE stage SET position = 3 WHERE stage = 'sal';
SELECT rebuild_history('f');

-- loaded beside what happened
UPDATE transition SET automatic = false;
INSERT INTO transition (definition, position, from_stage, to_stage) SELECT 'default', 500 + position, '*', stage FROM stage;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (4), (5);
UPDATE lead SET stage = 'mql' WHERE lead_id = 4;
UPDATE lead SET stage = 'nurture' WHERE lead_id = 4;
UPDATE lead SET stage = 'mql' WHERE lead_id = 4;
SELECT is(rebuild_history('f'), 0::bigint, 'N4: moves that happened at one instant are in order');
SELECT is(pg_temp.way(4), '1 lead, 1 mql, 1 nurture, 2 mql', 'N4: as they were made, back and forth');
SELECT pg_temp.load(4, '{sql}', '{2026-06-01 09:00Z}');
SELECT is(pg_temp.way(4), '1 lead, 1 mql, 1 sql, 1 nurture, 2 mql', 'N4: what is loaded for that instant finds its place among them');
SELECT is(stage, 'mql', 'N4: and the lead stays where it stands') FROM lead WHERE lead_id = 4;
SELECT pg_temp.load(5, '{customer}', '{2026-06-01 09:00Z}');
SELECT is(pg_temp.way(5), '1 lead, 1 customer', 'N4: after a step that happened, where the path has it later');
UPDATE lead SET stage = 'opportunity' WHERE lead_id = 5;
UPDATE lead SET stage = 'sql' WHERE lead_id = 5;
SELECT is_empty($$ SELECT * FROM check_funnel('f') WHERE finding LIKE 'history%' OR finding = 'stage_differs' $$, 'N4: a move from a loaded stage follows it, at the same instant');
SELECT is(rebuild_history('f') + rebuild_history('f'), 0::bigint, 'N4: for ever');
SELECT is(pg_temp.way(5), '1 lead, 1 customer, 2 opportunity, 2 sql', 'N4: whatever the path says');

-- what remains out of order
SELECT pg_temp.load(6, '{sql,customer}', '{2026-01-05 14:00,2026-01-05}'), pg_temp.load(7, '{sql,mql}', '{2026-01-05,2026-01-07}'),
	pg_temp.load(9, '{lost,customer}', '{2026-01-05,2026-01-05 14:00}'), pg_temp.load(8, '{lead,customer,opportunity}', '{2026-01-05,2026-01-07,2026-02-01}');
SELECT is((SELECT detail FROM check_funnel('f') WHERE finding = 'history_backwards'), (SELECT format('Rows %s: loaded moves that lead back on the path.', string_agg(history_id::text, ', ' ORDER BY history_id))
	FROM stage_history WHERE (lead_id, to_stage) IN ((6, 'sql'), (7, 'mql'), (9, 'customer'))), 'N4: a date beside a time of that day, and a step back, are told of; a customer who buys again is not');

-- repeats
SELECT pg_temp.load(10, '{mql,mql,mql}', '{2026-02-03,2026-02-15,2026-02-03}');
SELECT results_eq('SELECT visits, entered_at FROM stage_stay WHERE lead_id = 10', $$ VALUES (1::bigint, timestamptz '2026-02-03Z') $$, 'N5: a repeated row is no new stay');
SELECT is(due_at, '2026-02-04Z', 'N5: the deadline is that of the first') FROM lead WHERE lead_id = 10;
SELECT results_eq('SELECT count(*), count(DISTINCT voided_why), min(cycle), max(cycle) FROM stage_history WHERE lead_id = 10 AND voided_at IS NOT NULL',
	'VALUES (2::bigint, 1::bigint, 1, 1)', 'N5: repeats are void, and say why');
SELECT is(rebuild_history('f'), 0::bigint, 'N5: once');
SELECT void_moves('f', ARRAY(SELECT min(history_id) FROM stage_history WHERE lead_id = 10 AND voided_at IS NULL), 'wrong date');
SELECT void_moves('f', ARRAY(SELECT min(history_id) FROM stage_history WHERE lead_id = 10 AND voided_at IS NULL), 'wrong date');
SELECT results_eq('SELECT stage, stage_entered_at, due_at FROM lead WHERE lead_id = 10',
	$$ VALUES ('mql', timestamptz '2026-02-15Z', timestamptz '2026-02-16Z') $$, 'N5: they count where what they repeat does not');
SELECT pg_temp.load(11, '{mql,nurture,mql,sal}', '{2026-02-03,2026-02-04,2026-02-05,2026-02-06}');
SELECT void_moves('f', ARRAY(SELECT history_id FROM stage_history WHERE lead_id = 11 AND to_stage = 'nurture'), 'misclick');
SELECT is(pg_temp.way(11), '1 mql, 1 sal', 'N5: and what repeats now that a move is void does not');
SELECT is_empty($$ SELECT * FROM check_funnel('f') WHERE finding LIKE 'history_order' OR finding = 'stage_differs' $$, 'N5: nothing is wrong in the end');

SELECT * FROM finish();
ROLLBACK;
