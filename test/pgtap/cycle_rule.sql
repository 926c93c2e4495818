-- When a cycle begins: one rule for moves as they happen and for the history.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(23);

SELECT create_funnel('f', 'UTC');
SET LOCAL search_path = f, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';

-- the rule itself
SELECT is(_milestones(), '{lead,mql,sal,sql,opportunity,customer,nurture,disqualified,lost}'::text[], 'D2 the milestones, in the order of the way');
SELECT results_eq($$ SELECT m FROM unnest(_milestones()) WITH ORDINALITY AS m (m, n) WHERE _is_on_path(m) ORDER BY n $$,
	$$ VALUES ('lead'), ('mql'), ('sal'), ('sql'), ('opportunity') $$, 'D2 the path');
SELECT results_eq($$ SELECT m FROM unnest(_milestones()) WITH ORDINALITY AS m (m, n) WHERE _is_exit(m) ORDER BY n $$,
	$$ VALUES ('nurture'), ('disqualified'), ('lost') $$, 'D2 the exits');
SELECT is_empty($$ SELECT l, e FROM unnest(_milestones()) AS l, unnest(_milestones()) AS e
	WHERE _begins_cycle(l, e) <> (NOT _is_on_path(l) AND _is_on_path(e)) $$, 'D2 a cycle begins from off the path to it');
SELECT is(_begins_cycle(NULL, 'lead'), NULL, 'D2 not with a lead');
SELECT is(_begins_cycle('moon', 'lead'), false, 'nor from what is no milestone');
SELECT throws_ok($$ UPDATE stage SET milestone = 'moon' WHERE stage = 'mql' $$, '23514', NULL, 'a stage is of a milestone');
SELECT throws_ok($$ UPDATE message SET milestones = '{mql,moon}' $$, '23514', NULL, 'and a message for some');

-- everything is allowed, and nothing happens by itself
UPDATE transition SET automatic = false;
INSERT INTO transition (definition, position, from_stage, to_stage) SELECT 'default', 500 + position, '*', stage FROM stage;
INSERT INTO transition (definition, position, from_stage, to_stage) SELECT 'default', 600 + position, NULL, stage FROM stage;

-- a lead that begins off the path
INSERT INTO lead (lead_id, stage) OVERRIDING SYSTEM VALUE VALUES (1, 'nurture');
SET LOCAL lead_qual.clock = '2026-03-03 09:00Z';
UPDATE lead SET stage = 'lead' WHERE lead_id = 1;
SET LOCAL lead_qual.clock = '2026-03-04 09:00Z';
UPDATE lead SET stage = 'mql' WHERE lead_id = 1;
SET LOCAL lead_qual.clock = '2026-03-05 09:00Z';
UPDATE lead SET stage = 'sal' WHERE lead_id = 1;
SELECT is(cycle, 2, 'N14: a lead that begins in nurture comes to the path in its second cycle') FROM lead WHERE lead_id = 1;
SELECT is_empty('SELECT * FROM check_funnel(''f'')', 'N14: and nothing is wrong with that');
SELECT is(void_moves('f', ARRAY(SELECT history_id FROM stage_history WHERE lead_id = 1 AND to_stage = 'sal'), 'misclick'), 1::bigint, 'N14: a misclick is voided');
SELECT results_eq('SELECT stage, cycle, cycle_started_at FROM lead WHERE lead_id = 1',
	$$ VALUES ('mql', 2, timestamptz '2026-03-03 09:00Z') $$, 'N14: and renumbers nothing');
SELECT results_eq('SELECT to_stage, cycle FROM stage_history WHERE lead_id = 1 ORDER BY history_id',
	$$ VALUES ('nurture', 1), ('lead', 2), ('mql', 2), ('sal', 2) $$, 'N14: in the history either');

-- the same, loaded
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE SELECT generate_series(11, 14);
INSERT INTO stage_history (lead_id, to_stage, entered_at)
	SELECT l, s, at::timestamptz FROM (VALUES (11, 'nurture', '2026-01-01Z'), (11, 'mql', '2026-01-02Z'), (12, 'lost', '2026-01-01Z'), (12, 'nurture', '2026-01-02Z'),
		(12, 'sal', '2026-01-03Z'), (13, 'disqualified', '2026-01-01Z'), (14, 'customer', '2026-01-01Z'), (14, 'opportunity', '2026-01-05Z')) AS v (l, s, at);
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('f');
SELECT results_eq('SELECT lead_id, stage, cycle FROM lead WHERE lead_id > 10 ORDER BY 1',
	$$ VALUES (11::bigint, 'mql', 2), (12, 'sal', 2), (13, 'disqualified', 1), (14, 'opportunity', 1) $$, 'N14: loaded exits before any step of the path count alike, but for a customer, who was dated wrongly');
SELECT is_empty('SELECT finding, n, detail FROM check_funnel(''f'') WHERE finding LIKE ''history%''', 'N14: who is one unit, which metrics call odd');

-- live against rebuilt, over many ways: instants that repeat, clocks that go back
SELECT setseed(0.14);
DO $$
DECLARE
	stages text[] := ARRAY(SELECT stage FROM f.stage ORDER BY position);
	at timestamptz := '2026-04-01Z';
BEGIN
	FOR i IN 1 .. 600 LOOP
		at := at + (floor(random() * 4) - 1) * interval '1 hour';
		PERFORM set_config('lead_qual.clock', at::text, true);
		INSERT INTO f.lead (lead_id, stage) OVERRIDING SYSTEM VALUE
			VALUES (100 + floor(random() * 40), stages[1 + floor(random() * 9)])
			ON CONFLICT (lead_id) DO UPDATE SET stage = excluded.stage;
	END LOOP;
END $$;
CREATE TEMP TABLE live AS SELECT lead_id, history_id, from_stage, to_stage, entered_at, cycle, ordinal FROM stage_history WHERE lead_id >= 100;
CREATE TEMP TABLE stood AS SELECT lead_id, stage, stage_entered_at, cycle, cycle_started_at, accepted_at FROM lead WHERE lead_id >= 100;
SELECT cmp_ok((SELECT max(cycle) FROM live), '>', 4, 'N14: leads come and go');
SELECT cmp_ok((SELECT count(*) FROM live AS a JOIN live AS b USING (lead_id, entered_at) WHERE a.history_id < b.history_id), '>', 30::bigint, 'N14: often at one instant');
SELECT is_empty('SELECT * FROM check_funnel(''f'') WHERE finding IN (''history_order'', ''stage_differs'')', 'N14: the history agrees with every move');
SELECT is(rebuild_history('f'), 0::bigint, 'N14: nothing is to be rebuilt');
SELECT results_eq('SELECT lead_id, stage, stage_entered_at, cycle, cycle_started_at, accepted_at FROM lead WHERE lead_id >= 100 ORDER BY 1', 'SELECT * FROM stood ORDER BY 1', 'N14: leads stand where they stood');

-- the same ways, a day apart and loaded in any order
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE SELECT DISTINCT lead_id + 900 FROM live;
INSERT INTO stage_history (lead_id, to_stage, entered_at)
	SELECT lead_id + 900, to_stage, timestamptz '2026-04-01Z' + history_id * interval '1 day' FROM live ORDER BY random();
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('f');
SELECT results_eq('SELECT lead_id - 900, from_stage, to_stage, cycle FROM stage_history WHERE lead_id >= 1000 AND lead_id - 900 NOT IN (SELECT lead_id FROM (SELECT DISTINCT ON (lead_id) lead_id, to_stage FROM live ORDER BY lead_id, history_id) AS first WHERE to_stage = ''customer'') ORDER BY lead_id, entered_at',
	'SELECT lead_id, from_stage, to_stage, cycle FROM live WHERE true AND lead_id NOT IN (SELECT lead_id FROM (SELECT DISTINCT ON (lead_id) lead_id, to_stage FROM live ORDER BY lead_id, history_id) AS first WHERE to_stage = ''customer'') ORDER BY lead_id, history_id', 'N14: loaded, they say the same');
SELECT results_eq('SELECT lead_id - 900, stage, cycle FROM lead WHERE lead_id >= 1000 AND lead_id - 900 NOT IN (SELECT lead_id FROM (SELECT DISTINCT ON (lead_id) lead_id, to_stage FROM live ORDER BY lead_id, history_id) AS first WHERE to_stage = ''customer'') ORDER BY 1', 'SELECT lead_id, stage, cycle FROM stood WHERE true AND lead_id NOT IN (SELECT lead_id FROM (SELECT DISTINCT ON (lead_id) lead_id, to_stage FROM live ORDER BY lead_id, history_id) AS first WHERE to_stage = ''customer'') ORDER BY 1', 'N14: and end alike');
SELECT is(rebuild_history('f'), 0::bigint, 'N14: once for all');

SELECT * FROM finish();
ROLLBACK;
