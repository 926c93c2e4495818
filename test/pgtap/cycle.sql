-- Cycles, returns, and deals: what brings a lead back, and what it leaves behind.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(55);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';

CREATE FUNCTION pg_temp.stage(lead bigint) RETURNS text LANGUAGE sql AS
	'SELECT stage FROM crm.lead WHERE lead_id = $1';
CREATE FUNCTION pg_temp.way(lead bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(cycle || ' ' || to_stage, ', ' ORDER BY history_id) FROM crm.stage_history WHERE lead_id = $1 $$;
CREATE FUNCTION pg_temp.new_sql(lead bigint) RETURNS void LANGUAGE sql AS $$
	INSERT INTO crm.lead (lead_id, stage, source, bant) OVERRIDING SYSTEM VALUE VALUES ($1, 'sal', 'partner', 'B+ A+ N+ T+');
	INSERT INTO crm.activity (lead_id, kind) VALUES ($1, 'meeting');
	UPDATE crm.lead SET stage = 'sql' WHERE lead_id = $1 $$;

-- R003-20
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (1);
INSERT INTO activity (lead_id, kind) VALUES (1, 'demo_request');
UPDATE lead SET stage = 'sal', owner = 'ben' WHERE lead_id = 1;
CREATE TEMP TABLE first_cycle AS SELECT * FROM stage_history WHERE lead_id = 1;
CREATE TEMP TABLE first_journey AS SELECT * FROM lead_journey WHERE lead_id = 1;
SET LOCAL lead_qual.clock = '2026-03-03 09:00Z';
SELECT throws_ok(format('UPDATE lead SET stage = %L, reason = ''too_early'' WHERE lead_id = 1', s), '23514', NULL, 'D2 a return never goes to ' || s)
	FROM unnest(ARRAY['lead', 'mql']) AS s;
SELECT is_empty($$ SELECT * FROM transition WHERE to_stage IN ('lead', 'mql')
	AND from_stage NOT IN ('lead', 'nurture', 'disqualified', 'lost') $$, 'D2 from no stage');
UPDATE lead SET stage = 'nurture', reason = 'too_early', note = 'next year' WHERE lead_id = 1;
SELECT results_eq('SELECT stage, owner, reason, note, due_at FROM lead WHERE lead_id = 1',
	$$ VALUES ('nurture', NULL::text, NULL::text, NULL::text, NULL::timestamptz) $$, 'D2 R004-06 a return goes to nurture; reason and note are cleared');
SELECT is(owner_role, 'marketing', 'R004-11 marketing owns the returned lead, in the same transaction') FROM stage WHERE stage = pg_temp.stage(1);
INSERT INTO first_cycle SELECT * FROM stage_history WHERE lead_id = 1 AND to_stage = 'nurture';
SELECT results_eq('SELECT reason, note, score FROM first_cycle WHERE to_stage = ''nurture''',
	$$ VALUES ('too_early', 'next year', 117.26) $$, 'R004-11 for rework, with a reason');
SELECT is(pg_temp.stage(1), 'nurture', 'a returned lead stays returned, whatever its score');
UPDATE lead SET full_name = 'Ann' WHERE lead_id = 1;
SELECT is(pg_temp.stage(1), 'nurture', 'and an update without news does not bring it back');
INSERT INTO activity (lead_id, kind, occurred_at) VALUES (1, 'email_open', '2026-03-02 10:00Z');
SELECT is(pg_temp.stage(1), 'nurture', 'nor does an event from before the return');
SET LOCAL lead_qual.clock = '2026-03-20 09:00Z';
INSERT INTO activity (lead_id, kind) VALUES (1, 'email_open');
SELECT is(pg_temp.stage(1), 'nurture', 'R003-20 new activity below the threshold does not either');
INSERT INTO activity (lead_id, kind) VALUES (1, 'demo_request');
SELECT results_eq('SELECT stage, cycle, cycle_started_at, accepted_at, accepted_by FROM lead WHERE lead_id = 1',
	$$ VALUES ('mql', 2, '2026-03-20 09:00Z'::timestamptz, NULL::timestamptz, NULL::text) $$, 'R003-20 new intent over the threshold: MQL again, cycle 2');
SELECT results_eq('SELECT h::text FROM stage_history AS h WHERE lead_id = 1 AND cycle = 1 ORDER BY history_id',
	'SELECT f::text FROM first_cycle AS f ORDER BY history_id', 'R003-20 the first cycle is untouched in the history');
SELECT results_eq('SELECT j.mql_at, j.sal_at FROM lead_journey AS j WHERE lead_id = 1 AND cycle = 1',
	'SELECT mql_at, sal_at FROM first_journey', 'R003-20 and in lead_journey');
SELECT is(count(*), 2::bigint, 'D1 one journey a cycle') FROM lead_journey WHERE lead_id = 1;

-- R004-11, discard
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (2);
INSERT INTO activity (lead_id, kind) VALUES (2, 'demo_request');
SELECT throws_ok($$ UPDATE lead SET stage = 'disqualified' WHERE lead_id = 2 $$, '23514', NULL, 'R004-11 discarding needs a reason');
UPDATE lead SET stage = 'disqualified', reason = 'no_budget' WHERE lead_id = 2;
SELECT is(pg_temp.way(2), '1 lead, 1 mql, 1 disqualified', 'R004-11 discarded');
INSERT INTO activity (lead_id, kind) VALUES (2, 'demo_request');
SELECT is(pg_temp.stage(2), 'disqualified', 'D2 who was discarded does not come back by himself');
UPDATE lead SET stage = 'lead', reason = 'things_changed' WHERE lead_id = 2;
SELECT is(pg_temp.way(2), '1 lead, 1 mql, 1 disqualified, 2 lead', 'D2 but by a decision, in a new cycle; no automatic move in that statement');

-- R003-15: a date to come back
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SELECT pg_temp.new_sql(3);
UPDATE lead SET stage = 'nurture', reason = 'waiting_for_funding', resume_at = '2026-04-01 00:00Z' WHERE lead_id = 3;
SELECT cmp_ok(review_at, '<=', '2026-04-01 00:00Z'::timestamptz, 'R003-15 a recycled lead is reviewed at its date or before') FROM lead WHERE lead_id = 3;
SET LOCAL lead_qual.clock = '2026-03-31 23:59:59Z';
UPDATE lead SET note = 'still waiting' WHERE lead_id = 3;
SELECT is(pg_temp.stage(3), 'nurture', 'R003-15 not a second before');
SET LOCAL lead_qual.clock = '2026-04-01 00:00Z';
SELECT lives_ok('UPDATE lead SET note = note WHERE lead_id = 3', 'R003-15 the date is reached');
SELECT results_eq('SELECT stage, cycle, resume_at, note FROM lead WHERE lead_id = 3',
	$$ VALUES ('mql', 2, NULL::timestamptz, NULL::text) $$, 'R003-15 the lead is back with sales, and the date is used up');
SELECT results_eq('SELECT from_stage, automatic, note FROM stage_history WHERE lead_id = 3 AND cycle = 2', $$ VALUES ('nurture', true, 'still waiting') $$,
	'R003-15 the history keeps what the move used up');
SELECT is(pg_temp.way(3), '1 sal, 1 sql, 1 nurture, 2 mql', 'R000-23 an SQL that was not ready came back, and its history is whole');
UPDATE lead SET stage = 'sal' WHERE lead_id = 3;
SELECT throws_ok($$ UPDATE lead SET stage = 'sql' WHERE lead_id = 3 $$, '23514', NULL, 'D10 a conversation of the cycle before is not enough for an SQL');
INSERT INTO activity (lead_id, kind) VALUES (3, 'sales_call');
SELECT lives_ok($$ UPDATE lead SET stage = 'sql' WHERE lead_id = 3 $$, 'D10 one in this cycle is');

-- R003-15: the timeline before the hand-over to whoever closes
INSERT INTO lead (lead_id, stage, source, bant) OVERRIDING SYSTEM VALUE VALUES (4, 'sal', 'partner', 'B+ A+ N+');
INSERT INTO activity (lead_id, kind) VALUES (4, 'meeting');
UPDATE lead SET stage = 'sql' WHERE lead_id = 4;
SELECT throws_ok($$ UPDATE lead SET stage = 'opportunity' WHERE lead_id = 4 $$, '23514', NULL, 'R003-15 no opportunity without a timeline');
SELECT lives_ok($$ UPDATE lead SET stage = 'opportunity', bant = bant || 'T~' WHERE lead_id = 4 $$, 'R003-15 with one, even a rough one');

-- D11
INSERT INTO deal (deal_id, amount, currency) OVERRIDING SYSTEM VALUE VALUES (1, 1000, 'EUR'), (2, 500, 'EUR'), (3, 70, 'EUR'), (4, 1, 'EUR');
SELECT pg_temp.new_sql(5);
INSERT INTO deal_contact (deal_id, lead_id) VALUES (1, 5), (2, 5);
SELECT results_eq('SELECT stage, deals_open, deals_won FROM lead WHERE lead_id = 5', $$ VALUES ('opportunity', 2, 0) $$, 'D11 an open deal makes an opportunity');
UPDATE deal SET status = 'lost', reason = 'price' WHERE deal_id = 2;
SELECT is(pg_temp.stage(5), 'opportunity', 'D11 one lost, one open: still an opportunity');
UPDATE deal SET status = 'won' WHERE deal_id = 1;
SELECT results_eq('SELECT stage, deals_open, deals_won, deals_lost, won_amount FROM lead WHERE lead_id = 5', $$ VALUES ('customer', 0, 1, 1, 1000::numeric) $$, 'D11 any won: a customer');
SELECT is(pg_temp.way(5), '1 sal, 1 sql, 1 opportunity, 1 customer', 'D11 step by step');
SELECT pg_temp.new_sql(6);
INSERT INTO deal_contact (deal_id, lead_id) VALUES (3, 6);
UPDATE deal SET status = 'lost', reason = 'price' WHERE deal_id = 3;
SELECT results_eq($$ SELECT to_stage, reason FROM stage_history WHERE lead_id = 6 ORDER BY history_id DESC LIMIT 1 $$, $$ VALUES ('lost', 'price') $$, 'D11 all lost: lost, for the deal''s reason');
SAVEPOINT lost;
UPDATE lead SET stage = 'nurture' WHERE lead_id = 6;
SELECT is(pg_temp.way(6), '1 sal, 1 sql, 1 opportunity, 1 lost, 1 nurture', 'D2 from lost to nurture the cycle goes on');
ROLLBACK TO lost;
SET LOCAL lead_qual.clock = '2026-04-02 00:00Z';
INSERT INTO activity (lead_id, kind) VALUES (6, 'demo_request');
SELECT is(pg_temp.way(6), '1 sal, 1 sql, 1 opportunity, 1 lost, 2 mql', 'D2 towards an MQL a new one begins');
ROLLBACK TO lost;
SELECT pg_temp.new_sql(7);
INSERT INTO deal_contact (deal_id, lead_id) VALUES (1, 7);
SELECT is(pg_temp.way(7), '1 sal, 1 sql, 1 opportunity, 1 customer', 'D11 a deal won already takes the lead all the way');
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (8);
SELECT lives_ok('INSERT INTO deal_contact (deal_id, lead_id) VALUES (1, 8), (4, 8)', 'D11 a deal ahead of the stage never fails');
SELECT results_eq('SELECT stage, deals_open, deals_won, won_amount FROM lead WHERE lead_id = 8', $$ VALUES ('lead', 1, 1, 1000::numeric) $$, 'D11 the stage stays and the deals count');
SELECT lives_ok($$ UPDATE deal SET status = 'lost', reason = 'no_such_reason' WHERE deal_id = 4 $$, 'D11 nor does an unknown reason');
SELECT lives_ok('DELETE FROM deal', 'D11 nor deleting deals');
SELECT results_eq('SELECT DISTINCT deals_open, deals_won, deals_lost, won_amount FROM lead', $$ VALUES (0, 0, 0, 0::numeric) $$, 'and leads forget what was deleted');
SELECT is(pg_temp.stage(5), 'customer', 'but stay where they are');

-- D2: a customer who buys again; deals of the cycle before have had their say
SET LOCAL lead_qual.clock = '2026-05-01 09:00Z';
SELECT pg_temp.new_sql(9);
INSERT INTO deal (deal_id, amount) OVERRIDING SYSTEM VALUE VALUES (11, 10), (12, 20);
INSERT INTO deal_contact (deal_id, lead_id) VALUES (11, 9);
UPDATE deal SET status = 'won' WHERE deal_id = 11;
SET LOCAL lead_qual.clock = '2026-06-01 09:00Z';
UPDATE transition SET automatic = true WHERE from_stage = 'customer' AND to_stage = 'opportunity';
SELECT lives_ok('INSERT INTO deal_contact (deal_id, lead_id) VALUES (12, 9)', 'D2 a customer buys again');
SELECT results_eq('SELECT stage, cycle, deals_open, deals_won, won_amount FROM lead WHERE lead_id = 9',
	$$ VALUES ('opportunity', 2, 1, 0, 10::numeric) $$, 'D2 in a new cycle, where the first deal does not win again');
UPDATE deal SET status = 'won' WHERE deal_id = 12;
SELECT is(pg_temp.way(9), '1 sal, 1 sql, 1 opportunity, 1 customer, 2 opportunity, 2 customer', 'D2 and wins by the second');
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition) VALUES
	('default', 119, 'customer', 'lead', true, 'deals_won > 1 OR note = ''again''');
INSERT INTO deal (deal_id, amount, status) OVERRIDING SYSTEM VALUE VALUES (13, 30, 'won');
SELECT lives_ok('INSERT INTO deal_contact (deal_id, lead_id) VALUES (13, 9)', 'D11 a guard may read what its own move resets');
SELECT results_eq('SELECT stage, cycle, deals_won FROM lead WHERE lead_id = 9', $$ VALUES ('lead', 3, 0) $$, 'D11 and the move is made');
SELECT lives_ok($$ UPDATE lead SET note = 'again' WHERE lead_id = 5 $$, 'or clears');
SELECT results_eq('SELECT stage, cycle, note FROM lead WHERE lead_id = 5', $$ VALUES ('lead', 2, NULL::text) $$, 'note included');

-- deals and leads that go
SELECT lives_ok('DELETE FROM lead WHERE lead_id = 9', 'a lead with activities, answers and deals can be deleted');
SELECT results_eq($$ SELECT (SELECT count(*) FROM activity WHERE lead_id = 9), (SELECT count(*) FROM answer WHERE lead_id = 9),
	(SELECT count(*) FROM deal_contact WHERE lead_id = 9), (SELECT count(*) FROM stage_history WHERE lead_id = 9) $$,
	$$ VALUES (0::bigint, 0::bigint, 3::bigint, 7::bigint) $$, 'and its history and deals stay for the statistics');
SELECT lives_ok($$ UPDATE deal SET status = 'lost' WHERE deal_id = 13 $$, 'whose deals may change');
SELECT lives_ok('UPDATE deal_contact SET lead_id = 1 WHERE deal_id = 12', 'and move to another lead');
SELECT is(won_amount, 20::numeric, 'who counts them') FROM lead WHERE lead_id = 1;
SELECT throws_ok('INSERT INTO deal_contact (deal_id, lead_id) VALUES (12, 4711)', '23503', NULL, 'a contact must be a lead');

SELECT * FROM finish();
ROLLBACK;
