-- merge_leads(): two leads that turn out to be one person.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(44);

CREATE ROLE regress_lq_sales;
SELECT create_funnel('crm', 'UTC');
SELECT grant_funnel('crm', 'regress_lq_sales', 'sales');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO rule (definition, name, axis, kind, points, half_life, max_hits, per) VALUES
	('default', 'limited', 'engagement', 'webinar', 7, '20 days', 2, '7 days');
INSERT INTO account (account_id, name) OVERRIDING SYSTEM VALUE VALUES (1, 'Acme');

-- 2 is merged into 1; 3 had the joint log from the start
INSERT INTO lead (lead_id, email, external_id, full_name, country, properties) OVERRIDING SYSTEM VALUE VALUES
	(1, NULL, 'a', 'Ann', 'DE', '{"x": 1, "y": 1}'),
	(3, NULL, NULL, 'Ann', 'DE', '{}'), (4, 'ben@example.com', 'd', 'Ben', 'FR', '{}');
SET LOCAL lead_qual.clock = '2026-02-01 09:00Z';
INSERT INTO lead (lead_id, email, external_id, full_name, country, account_id, unsubscribed, properties) OVERRIDING SYSTEM VALUE VALUES
	(2, 'ANN@example.com', 'b', 'Ann B.', 'FR', 1, true, '{"y": 2, "z": 2}');
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
CREATE FUNCTION pg_temp.add(leads int[], kind text, at timestamptz, external_id text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO crm.activity (lead_id, kind, occurred_at, source, external_id) SELECT l, $2, $3, 'email', $4 FROM unnest($1) AS l $$;
SELECT pg_temp.add('{1,3}', 'webinar', '2026-02-20Z', 'same'), pg_temp.add('{2}', 'webinar', '2026-02-20Z', 'same'),
	pg_temp.add('{1,3}', 'demo_request', '2026-02-25Z'), pg_temp.add('{2}', 'demo_request', '2026-02-25Z'),
	pg_temp.add('{2,3}', 'demo_request', '2026-02-25 00:00:01Z'), pg_temp.add('{1,3}', 'webinar', '2026-02-21Z', 'w1'),
	pg_temp.add('{2,3}', 'webinar', '2026-02-19Z', 'w2'), pg_temp.add('{2,3}', 'webinar', '2026-02-26Z', 'w3'),
	pg_temp.add('{2,3}', 'pricing_page_view', '2026-02-22Z'), pg_temp.add('{4}', 'webinar', '2026-02-22Z');
SET LOCAL lead_qual.clock = '2026-03-02 10:00Z';
UPDATE lead SET bant = 'B+ N~' WHERE lead_id = 1;
SET LOCAL lead_qual.clock = '2026-03-02 11:00Z';
UPDATE lead SET bant = 'N+ T-', meddic = 'C+' WHERE lead_id = 2;
SET LOCAL lead_qual.clock = '2026-03-02 12:00Z';
INSERT INTO deal (deal_id, amount, status) OVERRIDING SYSTEM VALUE VALUES (1, 100, 'open'), (2, 50, 'open'), (3, 9, 'open');
INSERT INTO deal_contact VALUES (1, 1, NULL), (1, 2, 'buyer'), (2, 2, 'user'), (3, 4, NULL);
INSERT INTO verdict (lead_id, side, qualified) VALUES (2, 'sales', true), (4, 'sales', false);
CREATE TEMP TABLE history AS SELECT * FROM stage_history;
CREATE TEMP TABLE journey AS SELECT * FROM lead_journey;
CREATE TEMP TABLE was AS SELECT * FROM lead;
SELECT isnt((SELECT count(*) FROM history WHERE lead_id = 2), 0::bigint, 'the other has a history');

-- refused
SELECT throws_ok($$ SELECT merge_leads('crm', '1', '01') $$, '22023', 'lead 1 cannot be merged into itself', 'a lead is not merged into itself');
DO $$ DECLARE d text; h text; BEGIN
	PERFORM merge_leads('crm', '1', '01');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	PERFORM set_config('test.refusal', concat_ws('|', d, h), true);
END $$;
SELECT is(current_setting('test.refusal'), '"1" and "01" are the same lead.|Name the lead to keep, then the other one.', 'and told why');
SELECT throws_ok($$ SELECT merge_leads('crm', '1', '99') $$, 'P0002', NULL, 'nor an unknown one');
SELECT throws_ok($$ SELECT merge_leads('crm', '99', '1') $$, 'P0002', NULL, 'nor into an unknown one');
SELECT throws_ok($$ SELECT merge_leads('crm', '1', NULL) $$, '22004', NULL, 'nor nothing');
SELECT throws_ok($$ SELECT merge_leads('crm', '1', 'ann') $$, 'P0002', NULL, 'nor one that nobody knows');
SELECT throws_ok($$ SELECT merge_leads('nowhere', '1', '2') $$, '3F000', NULL, 'no such funnel');
SET LOCAL ROLE regress_lq_sales;
SELECT throws_ok($$ SELECT merge_leads('crm', '1', '2') $$, '42501', NULL, 'it is for members of the owner');
RESET ROLE;
SELECT results_eq('SELECT * FROM lead ORDER BY lead_id', 'SELECT * FROM was ORDER BY lead_id', 'nothing has happened so far');

CREATE ROLE regress_lq_ops SUPERUSER;
SET LOCAL ROLE regress_lq_ops;
SELECT results_eq($$ SELECT activities, answers, deals, moves FROM merge_leads('crm', '1', '2') $$,
	$$ SELECT 4::bigint, 3::bigint, 2::bigint, (SELECT count(*) FROM history WHERE lead_id = 2) $$, 'it tells what was moved');
RESET ROLE;
SELECT is((SELECT string_agg(DISTINCT voided_by, ',') FROM stage_history WHERE voided_at IS NOT NULL), 'regress_lq_ops', 'and who did it is known');

-- facts
SELECT is_empty('SELECT * FROM lead WHERE lead_id = 2', 'the merged lead is gone');
SELECT is((SELECT count(*) FROM activity WHERE lead_id = 1), 7::bigint, 'the same event is there once');
SELECT results_eq('SELECT rule, hits, last_hit, points FROM explain_score(''crm'', 1) WHERE axis = ''engagement'' ORDER BY 1, 3',
	'SELECT rule, hits, last_hit, points FROM explain_score(''crm'', 3) WHERE axis = ''engagement'' ORDER BY 1, 3', 'the card is that of the joint log');
SELECT is((SELECT hits FROM explain_score('crm', 1) WHERE rule = 'limited'), 3::bigint, 'frequency limits included');
SELECT is((SELECT bant FROM lead WHERE lead_id = 1), 'B+ A? N+ T-'::bant, 'the latest answer counts');
SELECT is((SELECT meddic -> 'champion' FROM lead WHERE lead_id = 1), 'yes'::answer_level, 'in every framework');
SELECT results_eq('SELECT deal_id, lead_id, role FROM deal_contact ORDER BY 1, 2',
	$$ VALUES (1::bigint, 1::bigint, 'buyer'), (2, 1, 'user'), (3, 4, NULL) $$, 'a deal of both is there once');
SELECT is((SELECT deals_open FROM lead WHERE lead_id = 1), 2, 'and counted once');

SELECT results_eq('SELECT lead_id, qualified FROM verdict ORDER BY 1', 'VALUES (1::bigint, true), (4, false)', 'what was thought of it comes along');

-- columns
SELECT results_eq('SELECT email, external_id, full_name, country, account_id, unsubscribed, properties, created_at FROM lead WHERE lead_id = 1',
	$$ VALUES ('ANN@example.com', 'a', 'Ann', 'DE', 1::bigint, true, '{"x": 1, "y": 1, "z": 2}'::jsonb, timestamptz '2026-02-01 09:00Z') $$,
	'what was missing is filled in, what was there stays');
SELECT results_eq('SELECT * FROM lead WHERE lead_id > 2 ORDER BY 1', 'SELECT * FROM was WHERE lead_id > 2 ORDER BY 1', 'other leads are left alone');

-- history
SELECT results_eq('SELECT * FROM stage_history WHERE history_id IN (SELECT history_id FROM history WHERE lead_id <> 2) ORDER BY history_id',
	'SELECT * FROM history WHERE lead_id <> 2 ORDER BY history_id', 'the kept lead''s history stays the truth');
SELECT results_eq($$ SELECT history_id, lead_id, to_stage, entered_at, voided_at, voided_why FROM stage_history
		WHERE voided_at IS NOT NULL ORDER BY history_id $$,
	$$ SELECT history_id, 1::bigint, to_stage, entered_at, funnel_now(), 'lead 2 was merged into 1' FROM history WHERE lead_id = 2 ORDER BY history_id $$,
	'the moves of the other are voided');
SELECT results_eq('SELECT lead_id, cycle, started_at, mql_at, sql_at FROM lead_journey ORDER BY 1',
	'SELECT lead_id, cycle, started_at, mql_at, sql_at FROM journey WHERE lead_id <> 2 ORDER BY 1', 'D1 and so are its units');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding <> 'deal_ahead_of_stage' $$, 'all is well');

-- merged into a lead that then earns a stage
SET LOCAL lead_qual.clock = '2026-03-03Z';
INSERT INTO lead (lead_id, country) OVERRIDING SYSTEM VALUE VALUES (5, 'DE'), (6, 'DE');
SELECT pg_temp.add('{5,6}', kind, '2026-03-02Z') FROM unnest('{webinar,pricing_page_view}'::text[]) AS kind;
SELECT pg_temp.add('{6}', 'demo_request', '2026-03-02 01:00Z'), pg_temp.add('{6}', 'case_study_download', '2026-03-02 02:00Z');
CREATE TEMP TABLE six AS SELECT stage, score(scorecard) AS score FROM lead WHERE lead_id = 6;
SELECT lives_ok($$ SELECT merge_leads('crm', '5', '6') $$, 'a lead of the same stages');
SELECT is((SELECT stage FROM lead WHERE lead_id = 5), (SELECT stage FROM six), 'what both have earned, the kept one gets');
SELECT is((SELECT score(scorecard) FROM lead WHERE lead_id = 5), (SELECT score FROM six), 'and no more');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding <> 'deal_ahead_of_stage' $$, 'all is well again');

-- revenue is counted once
UPDATE deal SET status = 'won' WHERE deal_id = 1;
CREATE TEMP TABLE revenue AS SELECT deal_id, amount FROM won_deal;
SELECT lives_ok($$ SELECT merge_leads('crm', '4', '1') $$, 'a customer''s lead');
SELECT results_eq('SELECT deal_id, amount FROM won_deal', 'SELECT * FROM revenue', 'a won deal is still there once');
SELECT is((SELECT won_amount FROM lead WHERE lead_id = 4), 100::numeric, 'with its amount');
SELECT is((SELECT count(*) FROM lead_journey WHERE lead_id IN (1, 2)), 0::bigint, 'D1 no unit of a lead that is gone');
SELECT is((SELECT email FROM lead WHERE lead_id = 4), 'ben@example.com', 'an address that was there stays');

-- archives of both
SET LOCAL lead_qual.clock = '2026-03-10Z';
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (7), (8), (9);
SELECT pg_temp.add('{7,9}', 'webinar', '2026-03-04Z'), pg_temp.add('{8,9}', 'pricing_page_view', '2026-03-05Z'),
	pg_temp.add('{7,9}', 'email_click', '2026-03-05Z'), pg_temp.add('{8,9}', 'webinar', '2026-03-06Z'), pg_temp.add('{8,9}', 'webinar', '2026-03-07Z');
SELECT archive_activities('crm', '2026-03-06 12:00Z');
SELECT lives_ok($$ SELECT merge_leads('crm', '7', '8') $$, 'leads with baselines');
SELECT results_eq('SELECT rule, hits, last_hit, points FROM explain_score(''crm'', 7) ORDER BY 1, 3',
	'SELECT rule, hits, last_hit, points FROM explain_score(''crm'', 9) ORDER BY 1, 3', 'score as one would have');
SELECT is((SELECT n FROM baseline WHERE lead_id = 7), 4::bigint, 'and have a joint baseline');
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (10);
SELECT lives_ok($$ SELECT merge_leads('crm', '10', '7') $$, 'a lead without one');
SELECT is((SELECT n FROM baseline WHERE lead_id = 10), 4::bigint, 'takes it over');
SELECT is((SELECT count(*) FROM baseline WHERE lead_id = 7), 0::bigint, 'whole');
SELECT is(score_at('crm', 10, '2026-03-10Z'), score_at('crm', 9, '2026-03-10Z'), 'with the score');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding NOT IN ('deal_ahead_of_stage', 'review_overdue') $$, 'all is well at the end');

SELECT * FROM finish();
ROLLBACK;
