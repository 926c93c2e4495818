-- Lives of a key: who comes under one that has been here is another lead.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(44);
\ir helper/journey.sql

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
CREATE FUNCTION pg_temp.units(lead bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', cycle, CASE WHEN customer_at IS NOT NULL THEN 'customer' WHEN sql_at IS NOT NULL THEN 'sql' WHEN mql_at IS NOT NULL THEN 'mql' ELSE 'lead' END,
		'gone ' || gone_at::date), ', ' ORDER BY cycle) FROM journey WHERE lead_id = lead $$;
CREATE FUNCTION pg_temp.well() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT pg_temp.unlike('crm') UNION ALL
	SELECT finding || ' ' || detail FROM check_funnel('crm') WHERE finding NOT IN ('review_overdue', 'card_stale', 'unknown_source') $$;

-- deleted and inserted again
SET LOCAL lead_qual.clock = '2026-03-01 09:00Z';
INSERT INTO lead (lead_id, source) OVERRIDING SYSTEM VALUE VALUES (1, 'event'), (2, 'event');
INSERT INTO activity (lead_id, kind) VALUES (1, 'demo_request'), (2, 'demo_request');
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO activity (lead_id, kind) VALUES (1, 'sales_call'), (1, 'sales_email');
SET LOCAL lead_qual.clock = '2026-03-03 09:00Z';
DELETE FROM lead WHERE lead_id = 1;
SELECT is(pg_temp.units(1), '1 mql gone 2026-03-03', 'N11: a unit knows when its lead went');
SELECT results_eq('SELECT first_touch_at, first_conversation_at FROM journey WHERE lead_id = 1', $$ VALUES (timestamptz '2026-03-02 09:00Z', timestamptz '2026-03-02 09:00Z') $$, 'N15: and what sales had done');
SELECT results_eq('SELECT touches, first_touch_at FROM stage_history WHERE touches IS NOT NULL', $$ VALUES (2, timestamptz '2026-03-02 09:00Z') $$, '... which the move keeps');
SELECT results_eq('SELECT lead_id, at, how, last_move = (SELECT max(history_id) FROM stage_history WHERE lead_id = 1) FROM departure', $$ VALUES (1::bigint, timestamptz '2026-03-03 09:00Z', 'deleted', true) $$, 'the departure is noted');
SELECT is_empty('SELECT pg_temp.well()', 'all is well');
SET LOCAL lead_qual.clock = '2026-04-01 09:00Z';
INSERT INTO lead (lead_id, source) OVERRIDING SYSTEM VALUE VALUES (1, 'referral');
SELECT results_eq('SELECT stage, cycle, cycle_started_at FROM lead WHERE lead_id = 1', $$ VALUES ('lead', 2, timestamptz '2026-04-01 09:00Z') $$, 'N8: one that comes under its key begins in the next cycle');
INSERT INTO activity (lead_id, kind) VALUES (1, 'demo_request');
SELECT is(pg_temp.units(1), '1 mql gone 2026-03-03, 2 mql', '... and is a unit of its own');
SELECT is_empty('SELECT pg_temp.well()', 'N8: check_funnel() does not call that an error');
SELECT is(rebuild_history('crm'), 0::bigint, '... nor does rebuild_history() change it');
SELECT erase_lead('crm', '1');
SET LOCAL lead_qual.clock = '2026-05-01 09:00Z';
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (1);
SELECT is(pg_temp.units(1), '1 mql gone 2026-03-03, 2 mql gone 2026-04-01, 3 lead', 'N8: erased and inserted again');
SELECT is((SELECT string_agg(how, ' ' ORDER BY departure_id) FROM departure), 'deleted erased', 'each went its way');
SELECT is_empty('SELECT pg_temp.well()', 'all is well');

-- under import: a key with history, moves with dates of before
SET LOCAL lead_qual.import = on;
DELETE FROM lead WHERE lead_id = 2;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (2);
SET LOCAL lead_qual.import = off;
SELECT is((SELECT detail FROM check_funnel('crm') WHERE finding = 'history_missing'), 'Leads 2.', 'a lead that was loaded has no move of its own yet');
SELECT cmp_ok(rebuild_history('crm'), '>', 0::bigint, 'rebuild_history() gives it one');
SELECT is(pg_temp.units(2), '1 mql gone 2026-05-01, 2 lead', '... in its present life');
SELECT is((SELECT cycle FROM lead WHERE lead_id = 2), 2, '... in which it stands');
SET LOCAL lead_qual.import = on;
DELETE FROM lead WHERE lead_id = 2;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (2);
INSERT INTO stage_history (lead_id, to_stage, entered_at) VALUES (2, 'lead', '2025-01-01Z'), (2, 'mql', '2025-01-02Z'), (2, 'nurture', '2025-01-03Z'), (2, 'lead', '2025-02-01Z');
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('crm');
SELECT is(pg_temp.units(2), '1 mql gone 2026-05-01, 2 lead gone 2026-05-01, 3 mql, 4 lead', 'N8: dates do not part lives');
SELECT results_eq('SELECT stage, cycle, stage_entered_at FROM lead WHERE lead_id = 2', $$ VALUES ('lead', 4, timestamptz '2025-02-01Z') $$, 'a lead stands where its own moves have led');
SELECT is_empty('SELECT pg_temp.well()', 'all is well');
SELECT results_eq('SELECT from_stage FROM stage_history WHERE lead_id = 2 AND cycle >= 3 ORDER BY history_id', $$ VALUES (NULL), ('lead'), ('mql'), ('nurture') $$, 'and comes from no stage of another life');

-- IMPORT, DELETE, import again, and the way to start over
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (5), (6);
INSERT INTO stage_history (lead_id, to_stage, entered_at) SELECT l, s, d FROM unnest(ARRAY[5, 6]) AS l, unnest('{lead,sql}'::text[], '{2025-03-01,2025-03-02}'::timestamptz[]) AS m (s, d);
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('crm');
SELECT is((SELECT count(*) FROM journey WHERE sql_at IS NOT NULL), 2::bigint, 'an import');
SELECT throws_ok($$ SELECT forget_leads('crm', '{5,99}') $$, 'P0002', 'funnel "crm" has no lead with key "99"', 'who has never been there cannot be forgotten');
SELECT throws_ok($$ SELECT forget_leads('crm', '{5,NULL}') $$, '22004', NULL, 'nor can nobody');
SELECT throws_ok($$ SELECT forget_leads('crm', NULL) $$, '22004', NULL, 'nor nothing');
SELECT throws_ok($$ SELECT forget_leads('crm', '{x}') $$, '22P02', NULL, 'nor what is no key');
SELECT is(forget_leads('crm', '{}'), 0::bigint, 'none at all');
INSERT INTO deal (deal_id, amount, status) OVERRIDING SYSTEM VALUE VALUES (1, 10, 'won');
INSERT INTO deal_contact VALUES (1, 5, 'buyer');
DELETE FROM lead WHERE lead_id = 6;
SELECT is(forget_leads('crm', '{5,6,5}'), 2::bigint, 'N11: forget_leads() takes leads that are there, and that are gone');
SELECT is_empty('SELECT FROM journey WHERE lead_id IN (5, 6)', 'N11: they are in no count');
SELECT is_empty('SELECT FROM lead_journey WHERE lead_id IN (5, 6)', '... of any view');
SELECT is_empty('SELECT FROM lead WHERE lead_id IN (5, 6)', 'nor are they there');
SELECT is_empty('SELECT FROM deal_contact', 'and no deal names them');
SELECT is((SELECT count(*) FROM stage_history WHERE lead_id IN (5, 6) AND voided_at IS NOT NULL AND voided_why IS NOT NULL), 4::bigint, 'their moves are void');
SELECT is((SELECT string_agg(how, ' ' ORDER BY departure_id) FROM departure WHERE lead_id IN (5, 6)), 'deleted forgotten forgotten', 'how they went is known');
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (5), (6);
INSERT INTO stage_history (lead_id, to_stage, entered_at) SELECT l, s, d FROM unnest(ARRAY[5, 6]) AS l, unnest('{lead,sql}'::text[], '{2025-03-01,2025-03-02}'::timestamptz[]) AS m (s, d);
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('crm');
SELECT is((SELECT count(*) FROM journey WHERE sql_at IS NOT NULL), 2::bigint, 'N8: imported again, each unit counts once');
SELECT is((SELECT string_agg(DISTINCT cycle::text, ' ') FROM lead WHERE lead_id IN (5, 6)), '1', '... as if it were the first time');
SELECT is_empty('SELECT pg_temp.well()', 'all is well');
CREATE ROLE regress_lq_stranger;
RESET lead_qual.clock;
SET LOCAL ROLE regress_lq_stranger;
SELECT throws_ok($$ SELECT forget_leads('crm', '{5}') $$, '42501', NULL, 'forgetting is for members of the owner');
RESET ROLE;
SET LOCAL lead_qual.clock = '2026-05-02Z';

-- deals of one who bore the key before
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (8);
INSERT INTO deal (deal_id, amount, status) OVERRIDING SYSTEM VALUE VALUES (2, 10, 'open');
INSERT INTO deal_contact VALUES (2, 8, 'buyer');
DELETE FROM lead WHERE lead_id = 8;
SET LOCAL lead_qual.clock = '2026-05-03Z';
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (8);
SELECT is((SELECT deals_open FROM lead WHERE lead_id = 8), 0, 'N8: a lead has no deals of another who bore its key');
SELECT is_empty('SELECT pg_temp.well()', 'all is well');
INSERT INTO deal (deal_id, amount, status) OVERRIDING SYSTEM VALUE VALUES (3, 10, 'open');
INSERT INTO deal_contact VALUES (3, 8, 'buyer');
SELECT is((SELECT deals_open FROM lead WHERE lead_id = 8), 1, '... but its own');
SELECT is_empty($$ SELECT * FROM pg_temp.well() AS w WHERE w NOT LIKE 'deal_ahead%' $$, 'all is well');

-- merged by their present lives
DELETE FROM lead WHERE lead_id = 6;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (6), (7);
SELECT count(*) FROM merge_leads('crm', '7', '6');
SELECT is(pg_temp.units(6), '1 sql gone 2026-05-03', 'N8: of a lead that is merged, who bore its key before stays under it');
SELECT is(pg_temp.units(7), '1 lead', '... and the present life is the kept one''s');
SELECT count(*) FROM merge_leads('crm', '5', '7');
DELETE FROM lead WHERE lead_id = 2;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (2);
SELECT count(*) FROM merge_leads('crm', '2', '5');
SELECT is_empty($$ SELECT * FROM pg_temp.well() AS w WHERE w NOT LIKE 'deal_ahead%' $$, 'moves that are older than the kept lead are of its present life');

SELECT * FROM finish();
ROLLBACK;
