-- Where leads drop out: the worked examples, and each lead once.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-03-20 09:00Z';
SELECT plan(17);
SELECT create_funnel('crm', 'Europe/Berlin');
SET LOCAL search_path = crm, public, pg_temp;
CREATE FUNCTION pg_temp.steps() RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT concat_ws(' ', step, excluded, remaining) FROM crm.waterfall WHERE scope = 'all' ORDER BY position $$;
CREATE FUNCTION pg_temp.empty() RETURNS void LANGUAGE sql AS $$ DELETE FROM crm.lead; SELECT forget_leads('crm', ARRAY(SELECT DISTINCT lead_id::text FROM crm.stage_history)) $$;

SELECT results_eq('SELECT scope, step, leads, excluded, remaining, excluded_share, remaining_share FROM waterfall',
	$$ VALUES ('all', '(all)', 0::bigint, 0::bigint, 0::bigint, NULL::numeric, NULL::numeric) $$, 'an empty funnel has no leads, and divides by none');

-- R004-01; the order in which they are given back is another
INSERT INTO lead (lead_id, email, source) SELECT n, n || '@x.example', CASE WHEN n <= 60 THEN 'event' ELSE 'social' END FROM generate_series(1, 100) AS n;
UPDATE lead SET stage = 'disqualified', reason = 'competitor_satisfied' WHERE lead_id BETWEEN 2 AND 15;
UPDATE lead SET stage = 'disqualified', reason = 'no_budget' WHERE lead_id BETWEEN 16 AND 25;
UPDATE lead SET stage = 'disqualified', reason = 'outside_audience' WHERE lead_id BETWEEN 26 AND 100;
-- one that fails at two counts at the first
INSERT INTO answer (lead_id, framework, element, level) SELECT n, 'bant', 'budget', 'no' FROM generate_series(20, 30) AS n;
SELECT results_eq('SELECT pg_temp.steps()', $$ VALUES ('(all) 0 100'), ('outside_audience 75 25'), ('no_budget 10 15'), ('competitor_satisfied 14 1') $$,
	'R004-01 100 -> 25 -> 15 -> 1');
SELECT results_eq($$ SELECT sum(excluded)::bigint, min(remaining) FROM waterfall WHERE scope = 'all' $$, 'VALUES (99::bigint, 1::bigint)', 'R004-01 99 never buyers');
SELECT results_eq($$ SELECT label, kind, side, excluded_share, remaining_share FROM waterfall WHERE scope = 'all' AND position = 1 $$,
	$$ VALUES ('Outside the audience', 'reason', 'marketing', 0.75, 0.25) $$, 'R004-01 in words, as shares, and whose it is to mend');
SELECT is((SELECT side FROM waterfall WHERE scope = 'all' AND step = 'no_budget'), NULL, 'whose it is depends on where the lead was lost');
SELECT results_eq($$ SELECT source, leads, excluded, excluded_share FROM waterfall WHERE scope = 'source' AND step = 'outside_audience' $$,
	$$ VALUES ('event', 60::bigint, 35::bigint, 0.5833), ('social', 40, 40, 1.0000) $$, 'D16 by source');
SELECT results_eq($$ SELECT month, leads, remaining FROM waterfall WHERE scope = 'month' AND step = 'competitor_satisfied' $$,
	$$ VALUES (date '2026-03-01', 100::bigint, 1::bigint) $$, 'D16 by month');
UPDATE reason SET position = 5 WHERE reason = 'competitor_satisfied';
SELECT is((SELECT step FROM waterfall WHERE scope = 'all' AND position = 1), 'competitor_satisfied', 'D16 reasons are in the order of their positions');

-- R003-05: two elements, and some who fail at both
DO $$ BEGIN PERFORM pg_temp.empty(); END $$;
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, stage, bant) SELECT n, 'lead', CASE WHEN n <= 2500 THEN 'B-' WHEN n <= 4500 THEN 'A-' ELSE 'B+ A+' END::bant FROM generate_series(1, 5000) AS n;
UPDATE lead SET bant = 'B- A-' WHERE lead_id % 10 = 0 AND lead_id <= 2500;
INSERT INTO stage_history (lead_id, to_stage, entered_at) SELECT lead_id, 'lead', '2026-02-28 23:30Z' FROM lead;
DO $$ BEGIN PERFORM rebuild_history('crm'); END $$;
SET LOCAL lead_qual.import = off;
SELECT results_eq('SELECT pg_temp.steps()', $$ VALUES ('(all) 0 5000'), ('bant.budget 2500 2500'), ('bant.authority 2000 500') $$,
	'R003-05 of 5,000 leads 500 are left');
SELECT results_eq($$ SELECT excluded_share, remaining_share FROM waterfall WHERE scope = 'all' AND kind = 'element' ORDER BY position $$,
	'VALUES (0.5000, 0.5000), (0.4000, 0.1000)', 'R003-05 40 % authority, 50 % budget, 10.0 % qualified; who fails at both counts once');
UPDATE element SET position = 0 WHERE framework = 'bant' AND element = 'authority';
SELECT results_eq('SELECT pg_temp.steps()', $$ VALUES ('(all) 0 5000'), ('bant.authority 2250 2750'), ('bant.budget 2250 500') $$, 'D16 elements are in their order');
SELECT results_eq($$ SELECT month FROM waterfall WHERE scope = 'month' AND position = 0 $$, $$ VALUES (date '2026-03-01') $$, 'months are those of the funnel''s time zone');

-- what is no dropping out, and what is
DO $$ BEGIN PERFORM pg_temp.empty(); END $$;
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, stage, cycle, bant, answers, source) VALUES
	(1, 'customer', 1, 'B-', '{}', 'a'), (2, 'mql', 2, '', '{}', 'a'), (3, 'nurture', 1, 'A-', '{}', 'a'), (4, 'lead', 1, '', '{"champ": {"money": "no", "authority": "yes"}}', 'b'),
	(5, 'sal', 1, 'A?', '{}', 'b'), (6, 'disqualified', 1, 'B-', '{}', NULL), (7, 'lost', 1, '', '{}', NULL), (9, 'lead', 1, '', '{}', NULL);
INSERT INTO stage_history (lead_id, to_stage, from_stage, entered_at, cycle, reason, source) VALUES
	(1, 'customer', NULL, '2026-01-01Z', 1, NULL, 'a'), (2, 'disqualified', NULL, '2026-01-01Z', 1, 'no_need', 'a'), (2, 'mql', 'disqualified', '2026-01-05Z', 2, NULL, 'a'),
	(3, 'nurture', NULL, '2026-01-01Z', 1, NULL, 'a'), (4, 'lead', NULL, '2026-01-01Z', 1, NULL, 'b'),
	-- it came back, in this cycle
	(5, 'nurture', NULL, '2026-01-01Z', 1, 'no_need', 'b'), (5, 'sal', 'nurture', '2026-01-02Z', 1, NULL, 'b'),
	-- from one exit to the next
	(6, 'nurture', NULL, '2026-03-01Z', 1, 'waiting_for_funding', NULL), (6, 'disqualified', 'nurture', '2026-03-02Z', 1, 'outside_audience', NULL),
	(7, 'lost', NULL, '2026-03-01Z', 1, 'moon', NULL), (8, 'lead', NULL, '2026-01-01Z', 1, NULL, NULL), (9, 'lead', NULL, '2026-03-05Z', 1, NULL, NULL);
INSERT INTO departure (lead_id, at, how, last_move) SELECT 8, '2026-02-01Z', 'erased', max(history_id) FROM stage_history WHERE lead_id = 8;
DO $$ BEGIN PERFORM rebuild_history('crm'); END $$;
SET LOCAL lead_qual.import = off;
SELECT results_eq('SELECT pg_temp.steps()', $$ VALUES ('(all) 0 9'), ('outside_audience 1 8'), ('moon 1 7'), ('bant.authority 1 6'), ('champ.money 1 5'), ('(gone) 1 4') $$,
	'D16 a customer is no loss, nor is who came back; a reason goes before an element; of several exits the first reason by its order; gone is gone');
UPDATE lead SET bant = '' WHERE lead_id = 3;
SELECT is((SELECT excluded FROM waterfall WHERE scope = 'all' AND step = '(no reason)'), 1::bigint, 'who left for no reason is shown, too');
SELECT results_eq($$ SELECT month, leads FROM waterfall WHERE scope = 'month' AND position = 0 $$, $$ VALUES (date '2026-01-01', 6::bigint), ('2026-02-01', 0), ('2026-03-01', 3) $$,
	'a month without leads has rows');
SELECT results_eq($$ SELECT excluded_share, remaining FROM waterfall WHERE scope = 'month' AND month = '2026-02-01' AND position = 1 $$, 'VALUES (NULL::numeric, 0::bigint)', 'and no shares');
DO $$ BEGIN PERFORM void_moves('crm', ARRAY(SELECT history_id FROM stage_history WHERE lead_id = 6 AND to_stage = 'disqualified'), 'a mistake'); END $$;
SELECT results_eq($$ SELECT step, label FROM waterfall WHERE scope = 'all' AND position = 1 $$, $$ VALUES ('waiting_for_funding', 'Waits for funding') $$, 'a void move counts for nothing');
SELECT * FROM finish();
ROLLBACK;
