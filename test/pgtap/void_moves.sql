-- Acceptance, rejection, and moves that do not count.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(44);
CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_sales;
GRANT SET ON PARAMETER "lead_qual.actor" TO regress_lq_owner;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;
SET ROLE regress_lq_owner;
SELECT create_funnel('crm', 'UTC');
SELECT count(*) FROM grant_funnel('crm', 'regress_lq_sales', 'sales');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
CREATE FUNCTION move(lead bigint, stage text) RETURNS bigint[] LANGUAGE sql AS $$
	SELECT array_agg(history_id) FROM crm.stage_history WHERE lead_id = $1 AND to_stage = $2 AND voided_at IS NULL $$;
CREATE FUNCTION at(clock text) RETURNS void LANGUAGE sql AS $$ SELECT set_config('lead_qual.clock', clock, true) $$;

INSERT INTO source VALUES ('ads') ON CONFLICT DO NOTHING;
INSERT INTO lead (lead_id, email, source, owner) OVERRIDING SYSTEM VALUE
	SELECT n, n || '@example.com', 'ads', 'ben' FROM generate_series(1, 8) AS n;
INSERT INTO activity (lead_id, kind) SELECT n, 'demo_request' FROM generate_series(1, 7) AS n;
INSERT INTO activity (lead_id, kind) SELECT 1, 'webinar';

-- acceptance
SELECT results_eq('SELECT owner, accepted_by, accepted_at FROM lead WHERE lead_id = 1',
	$$ VALUES ('ben', NULL::text, NULL::timestamptz) $$, 'R001-01 an owner assigned earlier accepts nothing');
SAVEPOINT policy;
UPDATE transition SET automatic = true WHERE from_stage = 'mql' AND to_stage = 'sal';
INSERT INTO activity (lead_id, kind) SELECT 1, 'webinar';
SELECT results_eq('SELECT stage, accepted_by, accepted_at FROM lead WHERE lead_id = 1',
	$$ VALUES ('sal', NULL::text, NULL::timestamptz) $$, 'R001-01 nor does a move that nobody asked for');
ROLLBACK TO policy;
SELECT is((SELECT count(*) FROM hand_over WHERE outcome = 'pending'), 7::bigint, 'R004-08 seven leads wait for sales');
SELECT at('2026-03-02 12:00Z');
SET LOCAL lead_qual.actor = 'sue';
UPDATE lead SET stage = 'sal', owner = 'sue' WHERE lead_id = 1 AND stage = 'mql';
SET LOCAL lead_qual.actor = 'sam';
UPDATE lead SET stage = 'sal', owner = 'sam' WHERE lead_id = 1 AND stage = 'mql';
SELECT is((SELECT owner FROM lead WHERE lead_id = 1), 'sue', 'R001-01 a second accept finds no lead to take');
UPDATE lead SET stage = 'sal' WHERE lead_id = 1;
SELECT results_eq('SELECT accepted_by, accepted_at FROM lead WHERE lead_id = 1',
	$$ VALUES ('sue', timestamptz '2026-03-02 12:00Z') $$, 'R001-01 R004-07 nor does asking again steal it: who accepted, and when, is kept');
SELECT is(cardinality(move(1, 'sal')), 1, 'one acceptance is in the history');

-- R004-11: returned at once
SELECT at('2026-03-03 08:00Z');
SELECT results_eq('SELECT stage, owner_role FROM lead_now WHERE lead_id < 3 ORDER BY 1',
	$$ VALUES ('mql', 'marketing'), ('sal', 'sales') $$, 'R002-08 an MQL is marketing''s, what sales accepted is sales''s');
UPDATE lead SET stage = 'nurture', reason = 'too_early' WHERE lead_id IN (2, 3);
UPDATE lead SET stage = 'disqualified', reason = 'spam' WHERE lead_id = 4;
SELECT results_eq('SELECT lead_id, stage, owner_role FROM lead_now WHERE lead_id IN (2, 4) ORDER BY 1',
	$$ VALUES (2::bigint, 'nurture', 'marketing'), (4, 'disqualified', 'none') $$,
	'R004-11 rejected: back with marketing to rework, or discarded, in the same transaction');
SELECT results_eq('SELECT sum(handed_over), sum(accepted), sum(returned), sum(pending), sum(overdue) FROM sla',
	$$ VALUES (7::numeric, 1::numeric, 3::numeric, 3::numeric, 0::numeric) $$, 'R004-08 the sum is all that were handed over');
SELECT at('2026-03-03 09:00:01Z');
SELECT is((SELECT sum(overdue) FROM sla), 3::numeric, 'R004-10 who waits too long is overdue');

-- rejection
SELECT results_eq('SELECT outcome, from_stage, reason, source, owner, moves, leads, top_rules FROM rejection ORDER BY moves DESC', $$ VALUES
	('returned', 'mql', 'too_early', 'ads', 'ben', 2::bigint, 2::bigint, 'demo_request +234.74'),
	('disqualified', 'mql', 'spam', 'ads', 'ben', 1, 1, 'demo_request +117.37') $$,
	'R002-06 R004-09 rejections by reason, with the rules behind them');
SELECT is((SELECT month FROM rejection LIMIT 1), '2026-03-01', 'by month');
SELECT cmp_ok((SELECT mean_score FROM rejection WHERE moves = 2), '>', 100::numeric, 'with the score they had');
UPDATE lead SET stage = 'disqualified', reason = 'rival' WHERE lead_id = 8;
SELECT results_eq($$ SELECT from_stage, top_rules FROM rejection WHERE reason = 'rival' $$,
	$$ VALUES ('lead', NULL::text) $$, 'no points, no rules');
UPDATE lead SET stage = 'nurture', reason = 'no_need' WHERE lead_id = 1;
SELECT is((SELECT top_rules FROM rejection WHERE reason = 'no_need'), 'demo_request +117.26, webinar +19.77',
	'the rule with most points first');
UPDATE lead SET stage = 'lead' WHERE lead_id = 2;

-- void the latest move: a return by mistake
CREATE TEMP TABLE said AS SELECT void_moves('crm', move(1, 'nurture'), 'wrong row') AS n;
SELECT is((SELECT n FROM said), 1::bigint, 'one move was voided');
SELECT results_eq('SELECT stage, stage_entered_at, cycle, accepted_by, accepted_at, due_at FROM lead WHERE lead_id = 1',
	$$ VALUES ('sal', timestamptz '2026-03-02 12:00Z', 1, 'sue', timestamptz '2026-03-02 12:00Z', timestamptz '2026-03-09 12:00Z') $$,
	'the lead is back where it was, still accepted, with the deadline it had');
SELECT results_eq($$ SELECT voided_at, voided_by, voided_why, reason FROM stage_history WHERE lead_id = 1 AND to_stage = 'nurture' $$,
	$$ VALUES (funnel_now(), 'sam', 'wrong row', 'no_need') $$, 'the row stays, and says who voided it and why');
SELECT is((SELECT count(*) FROM rejection WHERE reason = 'no_need'), 0::bigint, 'metrics pass it over');
SELECT is((SELECT outcome FROM hand_over WHERE lead_id = 1), 'accepted', 'every one');
SELECT is(void_moves('crm', ARRAY(SELECT history_id FROM stage_history WHERE voided_at IS NOT NULL), 'again'), 0::bigint,
	'what is void is not voided again');
SELECT is((SELECT voided_why FROM stage_history WHERE voided_at IS NOT NULL), 'wrong row', 'and keeps its reason');

-- void the acceptance
SELECT void_moves('crm', move(1, 'sal'), 'misclick');
SELECT results_eq('SELECT stage, accepted_by, accepted_at, due_at FROM lead WHERE lead_id = 1',
	$$ VALUES ('mql', NULL::text, NULL::timestamptz, timestamptz '2026-03-03 09:00Z') $$, 'nobody has accepted it');
SELECT is((SELECT outcome FROM hand_over WHERE lead_id = 1), 'overdue', 'R004-08 so it is overdue');
UPDATE lead SET stage = 'sal', owner = 'sam' WHERE lead_id = 1;
SELECT is((SELECT accepted_by FROM lead WHERE lead_id = 1), 'sam', 'and may be accepted by another');

-- void what began a cycle
SELECT is((SELECT cycle FROM lead WHERE lead_id = 2), 2, 'a return from nurture is a new cycle');
SELECT void_moves('crm', move(2, 'lead'), 'too soon') WHERE false;
SELECT void_moves('crm', ARRAY(SELECT max(history_id) FROM stage_history WHERE lead_id = 2), 'too soon');
SELECT results_eq('SELECT stage, cycle, cycle_started_at FROM lead WHERE lead_id = 2',
	$$ VALUES ('nurture', 1, timestamptz '2026-03-02 09:00Z') $$, 'it takes the cycle along');
-- void one in the middle
UPDATE lead SET stage = 'lead' WHERE lead_id = 3;
SELECT is((SELECT cycle FROM lead WHERE lead_id = 3), 2, 'another lead began anew');
SELECT void_moves('crm', move(3, 'nurture'), 'never happened');
SELECT results_eq('SELECT from_stage, to_stage, cycle FROM stage_history WHERE lead_id = 3 AND voided_at IS NULL ORDER BY history_id',
	$$ VALUES (NULL, 'lead', 1), ('lead', 'mql', 1), ('mql', 'lead', 1) $$, 'moves after a void one are told from the one before it');
SELECT results_eq('SELECT stage, cycle FROM lead WHERE lead_id = 3', $$ VALUES ('lead', 1) $$, 'the lead stays where it is');

-- a flood: all at once; what is still earned comes back
SELECT is(void_moves('crm', move(5, 'mql') || move(6, 'mql') || move(7, 'mql'), 'a robot'), 3::bigint, 'many at once');
SELECT is((SELECT array_agg(stage) FROM lead WHERE lead_id IN (5, 6, 7)), '{lead,lead,lead}', 'all go back');
DELETE FROM activity WHERE lead_id IN (5, 6);
SELECT is((SELECT reviewed FROM sweep_funnel('crm')) > 0, true, 'the sweep looks at them');
SELECT results_eq('SELECT lead_id, stage FROM lead WHERE lead_id IN (5, 6, 7) ORDER BY 1',
	$$ VALUES (5::bigint, 'lead'), (6, 'lead'), (7, 'mql') $$, 'a lead whose facts still earn the move makes it again');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') $$, 'nothing is wrong after all this');

-- a lead that is gone
DELETE FROM lead WHERE lead_id = 8;
SELECT is(void_moves('crm', move(8, 'disqualified') || move(8, 'lead'), 'test data'), 2::bigint, 'the moves of a deleted lead can be voided');

-- refusals
SELECT throws_ok($$ SELECT void_moves('crm', move(1, 'sal'), ' ') $$, '22023', NULL, 'a reason is required');
SELECT throws_ok($$ SELECT void_moves('crm', move(1, 'sal'), NULL) $$, '22023', NULL, 'null is none');
SELECT throws_ok($$ SELECT void_moves('crm', ARRAY[1, 4711], 'x') $$, 'P0002', 'funnel "crm" has no move 4711', 'a move that is not there');
SELECT throws_ok($$ SELECT void_moves('crm', ARRAY(SELECT history_id FROM stage_history WHERE lead_id = 1), 'x') $$, '23001', NULL,
	'a lead must stand somewhere');
SELECT is(void_moves('crm', '{}', 'x'), 0::bigint, 'no moves, nothing done');
SELECT throws_ok($$ SELECT void_moves('nowhere', '{}', 'x') $$, '3F000', NULL, 'a funnel that is not there');
RESET ROLE;
RESET lead_qual.clock;
SET ROLE regress_lq_sales;
SELECT throws_ok($$ SELECT void_moves('crm', ARRAY[1], 'x') $$, '42501', NULL, 'sales cannot void a move');
SELECT throws_ok($$ UPDATE stage_history SET voided_at = now() $$, '42501', NULL, 'not even by hand');

RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
