-- Marketing and sales on the same leads; what to say at which stage.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(33);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_sales;
CREATE ROLE regress_lq_analyst;
DO $$ BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database());
END $$;
SET ROLE regress_lq_owner;
SET LOCAL lead_qual.clock = '2026-01-10 00:00Z';
SELECT create_funnel('crm', 'UTC');
SELECT grant_funnel('crm', 'regress_lq_sales', 'sales'), grant_funnel('crm', 'regress_lq_analyst', 'analyst');
SET LOCAL search_path = crm, public, pg_temp;
SELECT results_eq('SELECT scope, judged, kappa FROM verdict_agreement', $$ VALUES ('all', 0::bigint, NULL::numeric) $$,
	'nobody has judged anything');

-- Cohen's own kind of table: 20 both yes, 5 marketing only, 10 sales only, 15 both no: kappa 0.4
INSERT INTO lead (lead_id, email, source) SELECT g, g || '@example.com', CASE WHEN g > 25 THEN 'event' END FROM generate_series(1, 52) AS g;
INSERT INTO verdict (lead_id, side, qualified) SELECT g, 'marketing', g <= 25 FROM generate_series(1, 51) AS g;
INSERT INTO verdict (lead_id, side, qualified) SELECT g, 'sales', g <= 20 OR g BETWEEN 26 AND 35 FROM generate_series(1, 50) AS g;
SELECT results_eq($$ SELECT judged, both_judged, agreed, both_qualified, marketing_only, sales_only, both_not_qualified, agreement_rate, kappa
	FROM verdict_agreement WHERE scope = 'all' $$,
	$$ VALUES (51::bigint, 50::bigint, 35::bigint, 20::bigint, 5::bigint, 10::bigint, 15::bigint, 0.7, 0.4) $$,
	'R002-05 agreement on the same leads, and Cohen''s kappa');
SELECT results_eq($$ SELECT source, both_judged, agreed, kappa FROM verdict_agreement WHERE scope = 'source' $$,
	$$ VALUES ('(none)', 25::bigint, 20::bigint, 0::numeric), ('event', 25, 15, 0) $$,
	'R002-05 by source; where one side always says the same, agreement is no better than chance');
SELECT is((SELECT count(*) FROM disputed_lead), 15::bigint, 'R002-05 the disputed leads');

-- the latest of a side counts
SET LOCAL lead_qual.clock = '2026-02-03 00:00Z';
INSERT INTO verdict (lead_id, side, qualified, note) SELECT g, 'sales', true, 'after the demo' FROM generate_series(21, 24) AS g;
SELECT results_eq($$ SELECT month, both_judged, agreed FROM verdict_agreement WHERE scope = 'month' $$,
	$$ VALUES (date '2026-01-01', 46::bigint, 35::bigint), ('2026-02-01', 4, 4) $$,
	'R002-05 by month; who changes his mind counts once, with the latest');
SELECT is((SELECT count(*) FROM verdict WHERE lead_id = 21), 3::bigint, 'earlier verdicts are kept');

-- criteria of a dispute
INSERT INTO answer (lead_id, framework, element, level) VALUES (25, 'champ', 'money', 'no');
UPDATE lead SET job_title = 'Head of Sales', bant = 'B- A+ N+' WHERE lead_id = 25;
SELECT record_activity('crm', '25@example.com', 'webinar');
SET ROLE regress_lq_sales;
RESET lead_qual.clock;
INSERT INTO verdict (lead_id, side, qualified, note, judged_at) VALUES (25, 'sales', false, 'no money', '2026-02-02 12:00Z');
RESET ROLE;
SET ROLE regress_lq_owner;
SET LOCAL lead_qual.clock = '2026-02-03 00:00Z';
SELECT results_eq('SELECT lead_id, marketing_qualified, sales_qualified, sales_by, sales_note, bant, bant_met, bant_refuted, bant_gaps,
		answers, score, rules FROM disputed_lead WHERE lead_id = 25',
	$$ VALUES (25::bigint, true, false, 'regress_lq_sales', 'no money', 'B- A+ N+ T?', 2::bigint, 1::bigint, 'budget, timeline',
		'{"champ": {"money": "no"}}', 30::numeric, 'webinar +20, job_title +10') $$,
	'R002-05 and the criteria in dispute');
SELECT is((SELECT count(*) FROM disputed_lead), 11::bigint, 'those settled are gone');

-- a new cycle is judged anew
UPDATE lead SET stage = 'disqualified', reason = 'no_budget' WHERE lead_id = 25;
UPDATE lead SET stage = 'lead', reason = 'things_changed' WHERE lead_id = 25;
SELECT is_empty('SELECT * FROM disputed_lead WHERE lead_id = 25', 'a dispute ends with its cycle');
SET LOCAL lead_qual.clock = '2100-01-01 00:00Z';
INSERT INTO verdict (lead_id, side, qualified) VALUES (25, 'marketing', true), (25, 'sales', true);
SELECT results_eq('SELECT cycle, agreed FROM verdict_pair WHERE lead_id = 25 ORDER BY 1',
	'VALUES (1::bigint, false), (2, true)', 'D1 each cycle has its own verdicts');
SELECT throws_ok($$ INSERT INTO verdict (lead_id, side, qualified) VALUES (1, 'finance', true) $$, '23514', NULL, 'there are two sides');
SET ROLE regress_lq_analyst;
SELECT lives_ok('SELECT * FROM crm.verdict_agreement', 'an analyst sees the agreement');
SELECT throws_ok('SELECT note FROM crm.verdict', '42501', NULL, 'but not what was noted');
RESET ROLE;
SET ROLE regress_lq_owner;
SET LOCAL lead_qual.clock = '2026-02-03 00:00Z';

-- messages
INSERT INTO lead (lead_id, email, source, stage) VALUES (101, 'new@example.com', NULL, DEFAULT), (102, 'sal@example.com', 'outbound', 'sal'),
	(103, 'sql@example.com', 'outbound', 'sal'), (104, 'opp@example.com', 'outbound', 'sal'), (105, 'mql@example.com', NULL, DEFAULT);
SELECT record_activity('crm', 'new@example.com', 'blog_subscription'), record_activity('crm', 'mql@example.com', 'demo_request'),
	record_activity('crm', 'sql@example.com', 'discovery_call'), record_activity('crm', 'opp@example.com', 'discovery_call');
UPDATE lead SET bant = 'B+ A+ N+ T+' WHERE lead_id IN (103, 104);
UPDATE lead SET stage = 'sql' WHERE lead_id IN (103, 104);
UPDATE lead SET stage = 'opportunity' WHERE lead_id = 104;
SELECT results_eq('SELECT lead_id, stage FROM lead WHERE lead_id > 100 ORDER BY 1',
	$$ VALUES (101::bigint, 'lead'), (102, 'sal'), (103, 'sql'), (104, 'opportunity'), (105, 'mql') $$, 'a lead in each stage');
SELECT is(may_send('crm', 101, 'demo_pitch'), false, 'R001-03 a blog subscriber is not pitched a demo');
SELECT is(may_send('crm', 101, 'welcome'), true, 'R003-04 but welcomed');
SELECT is(may_send('crm', lead_id, 'marketing_pitch'), false, 'R001-03 no marketing pitch in ' || stage)
	FROM lead WHERE lead_id BETWEEN 102 AND 104 ORDER BY lead_id;
SELECT is(may_send('crm', lead_id, 'demo_pitch'), false, 'R001-03 nor a demo by marketing in ' || stage)
	FROM lead WHERE lead_id BETWEEN 102 AND 104 ORDER BY lead_id;
SELECT is(may_send('crm', 104, 'sales_pitch'), true, 'R002-13 sales may');
SELECT is(may_send('crm', '105', 'demo_pitch'), true, 'R002-13 an MQL may be offered a demo');
UPDATE message SET stages = '{sal}' WHERE message = 'sales_pitch';
SELECT is(may_send('crm', 104, 'sales_pitch'), false, 'a message may be kept to some stages of a milestone');
UPDATE lead SET unsubscribed = true WHERE lead_id = 105;
SELECT is_empty($$ SELECT message FROM message WHERE may_send('crm', 105, message) $$, 'who unsubscribed is sent nothing');
SELECT throws_ok($$ SELECT may_send('crm', 101, 'poem') $$, '42704', NULL, 'a message that nobody described');
SELECT throws_ok($$ SELECT may_send('crm', 999, 'welcome') $$, 'P0002', NULL, 'a lead that is not there');

-- content
SELECT results_eq($$ SELECT title FROM next_content('crm', 103) $$,
	$$ VALUES ('Success stories'), ('Comparison with the alternatives'), ('Answers to common objections'), ('Return on investment') $$,
	'R000-12 near the sale: success stories, comparisons, objections');
SELECT set_has($$ SELECT title FROM next_content('crm', 105) $$, $$ VALUES ('Webinar'), ('Live demo'), ('Free trial') $$,
	'R000-12 webinars, demos and trials move an MQL on');
SELECT record_activity('crm', 'sql@example.com', 'content_download', properties => '{"content": "Success stories"}'),
	record_activity('crm', 'sql@example.com', 'content_download',
		properties => jsonb_build_object('content', (SELECT content_id FROM content WHERE title LIKE 'Comp%')));
SELECT results_eq($$ SELECT title FROM next_content('crm', 103) $$,
	$$ VALUES ('Answers to common objections'), ('Return on investment') $$, 'R000-12 what was had is not offered again, by title or id');
SELECT set_hasnt($$ SELECT title FROM next_content('crm', 101) $$, $$ VALUES ('Live demo'), ('Free trial'), ('Success stories') $$,
	'R003-04 who is new is not offered what comes later');
SELECT is_empty($$ SELECT finding FROM check_funnel('crm') WHERE severity = 'error' $$, 'the funnel is sound');

SELECT * FROM finish();
ROLLBACK;
