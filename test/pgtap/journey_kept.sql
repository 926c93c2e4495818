-- Table journey: what policy, void moves, loads and repairs make of it.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(29);
\ir helper/journey.sql

CREATE ROLE regress_lq_marketing;
SELECT create_funnel('crm', 'UTC');
SELECT count(*) > 0 FROM grant_funnel('crm', 'regress_lq_marketing', 'marketing');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO lead (lead_id, email, source) OVERRIDING SYSTEM VALUE
	SELECT i, 'ann' || i || '@example.com', 'event' FROM generate_series(1, 4) AS i;
INSERT INTO activity (lead_id, kind) SELECT i, k FROM generate_series(1, 3) AS i, unnest('{webinar,demo_request,pricing_page_view}'::text[]) AS k;
SET LOCAL lead_qual.clock = '2026-03-02 10:00Z';
UPDATE lead SET stage = 'sal', owner = 'eve' WHERE lead_id = 1;
INSERT INTO activity (lead_id, kind) SELECT i, k FROM generate_series(1, 4) AS i, unnest('{sales_email,website_visit}'::text[]) AS k;
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, 'kept so far');
SELECT isnt_empty('SELECT FROM journey WHERE first_touch_at IS NOT NULL', 'with touches of sales');

-- written by hand
CREATE FUNCTION pg_temp.attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.attempt(statement), '23001', 'refused: ' || statement)
FROM (VALUES ('INSERT INTO journey (lead_id, cycle, started_at) VALUES (9, 1, now())'), ('UPDATE journey SET mql_at = now()'), ('DELETE FROM journey'), ('TRUNCATE journey'),
	('INSERT INTO departure (lead_id, how, last_move) VALUES (1, ''deleted'', 99)'), ('TRUNCATE departure')) AS s (statement);
SET LOCAL lead_qual.import = on;
SELECT is(pg_temp.attempt('TRUNCATE journey'), '23001', 'TRUNCATE even under import');
UPDATE journey SET mql_at = mql_at - interval '1 day' WHERE lead_id = 1;
DELETE FROM journey WHERE lead_id = 4;
INSERT INTO journey (lead_id, cycle, started_at) VALUES (9, 1, now());
SET LOCAL lead_qual.import = off;
SELECT results_eq($$ SELECT finding, severity, n, detail FROM check_funnel('crm') $$,
	$$ VALUES ('journey_differs', 'error', 3::bigint, 'Leads 1, 4, 9: units are not what history, departures and log say.') $$, 'what was loaded wrongly is found');
SELECT results_eq($$ SELECT finding, n, action FROM repair_funnel('crm') $$, $$ VALUES ('journey_differs', 3::bigint, '3 units made anew') $$, '... and repaired');
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, '... for good');

-- history that is edited under import without a rebuild
SET LOCAL lead_qual.import = on;
UPDATE stage_history SET entered_at = entered_at + interval '1 minute' WHERE lead_id = 2 AND to_stage = 'mql';
SET LOCAL lead_qual.import = off;
SELECT is((SELECT detail FROM check_funnel('crm') WHERE finding = 'journey_differs'),
	'Leads 2: units are not what history, departures and log say.', 'history edited without a rebuild is found');
SELECT rebuild_history('crm');
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, 'rebuild_history() takes it over');
SELECT is_empty($$ SELECT finding FROM check_funnel('crm') $$, 'and all is well');

-- policy that says what a stage or a kind means
SELECT history_id AS move FROM stage_history WHERE lead_id = 3 AND to_stage = 'mql' \gset
RESET lead_qual.clock;
SET LOCAL ROLE regress_lq_marketing;
UPDATE stage SET milestone = 'lead' WHERE stage = 'mql';
RESET ROLE;
SET LOCAL lead_qual.clock = '2026-03-02 10:00Z';
SELECT is((SELECT count(mql_at) FROM journey), 0::bigint, 'a stage that is of another milestone');
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, '... is so in all units');
UPDATE stage SET milestone = 'mql' WHERE stage = 'mql';
SELECT is((SELECT count(mql_at) FROM journey), 3::bigint, '... and back');
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, '... as it was');
RESET lead_qual.clock;
SET LOCAL ROLE regress_lq_marketing;
UPDATE kind SET party = 'lead' WHERE kind = 'sales_email';
RESET ROLE;
SET LOCAL lead_qual.clock = '2026-03-02 10:00Z';
SELECT is((SELECT count(first_touch_at) FROM journey), 0::bigint, 'a kind that is no longer of sales');
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, '... is so in all units');
UPDATE kind SET party = 'sales', conversation = true WHERE kind = 'sales_email';
SELECT is((SELECT count(first_conversation_at) FROM journey), 3::bigint, 'a kind that is a conversation');
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, '... is so in all units');

-- savepoints that are undone
SAVEPOINT s;
UPDATE lead SET stage = 'sal' WHERE lead_id = 2;
INSERT INTO activity (lead_id, kind, occurred_at) VALUES (3, 'sales_call', '2026-03-02 09:10Z');
DELETE FROM lead WHERE lead_id = 1;
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, 'in a savepoint');
ROLLBACK TO s;
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, 'which is undone');

-- N15: moves of leads that are gone
UPDATE lead SET stage = 'nurture', reason = (SELECT reason FROM reason WHERE applies_to = 'nurture' LIMIT 1) WHERE lead_id = 2;
SET LOCAL lead_qual.clock = '2026-04-02 10:00Z';
INSERT INTO activity (lead_id, kind) SELECT 2, k FROM unnest('{webinar,demo_request}'::text[]) AS k;
SELECT is((SELECT cycle FROM lead WHERE lead_id = 2), 2, 'a lead in its second cycle');
DELETE FROM lead WHERE lead_id = 2;
SELECT void_moves('crm', ARRAY[(SELECT history_id FROM stage_history WHERE lead_id = 2 AND to_stage = 'nurture')], 'a misclick');
SELECT is((SELECT count(*) FROM journey WHERE lead_id = 2 AND gone_at = '2026-04-02 10:00Z'), 1::bigint, 'N15: void_moves() renumbers the moves of one that is gone');
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, '... with its units');
SELECT is_empty($$ SELECT finding FROM check_funnel('crm') WHERE finding NOT IN ('review_overdue', 'card_stale') $$, '... so that all is well');

SELECT * FROM finish();
ROLLBACK;
