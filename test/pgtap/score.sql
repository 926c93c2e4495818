-- The score of a lead as its activities come: thresholds, decay, explanation.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(37);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';

CREATE FUNCTION pg_temp.now_score(lead bigint) RETURNS numeric LANGUAGE sql AS
	'SELECT score(scorecard, funnel_now()) FROM crm.lead WHERE lead_id = $1';
CREATE FUNCTION pg_temp.stage(lead bigint) RETURNS text LANGUAGE sql AS
	'SELECT stage FROM crm.lead WHERE lead_id = $1';
CREATE FUNCTION pg_temp.explained(lead bigint, at timestamptz) RETURNS numeric LANGUAGE sql AS
	'SELECT coalesce(sum(points), 0) FROM explain_score(''crm'', $1, $2)';
-- a lead without any fit
CREATE FUNCTION pg_temp.new_lead() RETURNS bigint LANGUAGE sql AS
	'INSERT INTO crm.lead DEFAULT VALUES RETURNING lead_id';
CREATE FUNCTION pg_temp.does(lead bigint, VARIADIC kinds text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE k text;
BEGIN
	FOREACH k IN ARRAY kinds LOOP
		INSERT INTO crm.activity (lead_id, kind) VALUES (lead, k);
	END LOOP;
END $$;

INSERT INTO kind (kind, touch) VALUES ('ninety_nine', false), ('one', false), ('tenth', false), ('ten', false), ('x', false);
INSERT INTO rule (definition, name, axis, kind, points, half_life) VALUES
	('default', 'ninety_nine', 'engagement', 'ninety_nine', 99, NULL),
	('default', 'one', 'engagement', 'one', 1, NULL),
	('default', 'tenth', 'engagement', 'tenth', 0.1, NULL),
	('default', 'ten', 'engagement', 'ten', 10, '30 days');

-- R000-09
SELECT pg_temp.new_lead();
SELECT pg_temp.does(1, 'ninety_nine');
SELECT is(pg_temp.now_score(1), 99::numeric, 'R000-09 99 points');
SELECT is(pg_temp.stage(1), 'lead', 'R000-09 at 99 not flagged');
SELECT pg_temp.does(1, 'one');
SELECT is(pg_temp.stage(1), 'mql', 'R000-09 at 100 flagged in the same transaction');
SELECT pg_temp.does(1, 'one', 'ninety_nine');
SELECT results_eq($$ SELECT to_stage, automatic, score FROM stage_history WHERE lead_id = 1 ORDER BY history_id $$,
	$$ VALUES ('lead', true, 0::numeric), ('mql', true, 100) $$, 'R000-09 flagged once');

-- R000-03
SELECT pg_temp.new_lead();
SELECT pg_temp.does(2, 'ebook_download', 'webinar');
SELECT isnt(pg_temp.stage(2), 'sql', 'R000-03 ebook and webinar make no SQL');
SELECT isnt_empty($$ SELECT FROM why_not('crm', 2, 'sql') WHERE state <> 'met' $$, 'R000-03 and why_not says so');
INSERT INTO lead (lead_id, job_title, department, seniority, years_in_industry, industry, company_size, annual_revenue, country)
	OVERRIDING SYSTEM VALUE VALUES (100, 'Head of Sales', 'sales', 'head', 9, 'software', 900, 1e8, 'DE');
SELECT is(fit(scorecard), 60::numeric, 'R004-18 all eight explicit criteria add up to the best fit') FROM lead WHERE lead_id = 100;
SELECT pg_temp.does(100, 'ebook_download', 'webinar', 'webinar', 'ebook_download', 'ebook_download');
SELECT is(pg_temp.stage(100), 'mql', 'R000-03 whoever fits becomes an MQL by content');
SELECT throws_ok($$ UPDATE lead SET stage = 'sql' WHERE lead_id = 100 $$, '23514', NULL, 'R000-03 and no more than an MQL');

-- D14
SELECT pg_temp.new_lead();
INSERT INTO activity (lead_id, kind) SELECT 3, 'tenth' FROM generate_series(1, 999);
SELECT is(pg_temp.stage(3), 'lead', 'D14 999 x 0.1 does not flag');
INSERT INTO activity (lead_id, kind) VALUES (3, 'tenth');
SELECT is(pg_temp.now_score(3), 100::numeric, 'D14 1,000 x 0.1 is exactly 100');
SELECT is(pg_temp.stage(3), 'mql', 'D14 and flags');
SELECT pg_temp.new_lead();
INSERT INTO activity (lead_id, kind) SELECT 4, 'tenth' FROM generate_series(1, 1000);
SELECT is(pg_temp.stage(4), 'mql', 'D14 in one statement too');
SELECT pg_temp.new_lead();
DO $$ BEGIN FOR i IN 1 .. 1000 LOOP INSERT INTO crm.activity (lead_id, kind) VALUES (5, 'tenth'); END LOOP; END $$;
SELECT is(pg_temp.now_score(5), 100::numeric, 'D14 and one by one');
INSERT INTO rule (definition, name, axis, kind, points) VALUES ('default', 'close', 'engagement', 'x', 99.97);
SELECT pg_temp.new_lead();
SELECT pg_temp.does(6, 'x');
SELECT is(pg_temp.now_score(6), 99.97, 'D14 99.97 is not 100');
SELECT is_empty($$ SELECT FROM lead_now WHERE lead_id = 6 AND (score >= 100 OR score::text LIKE '100%') $$, 'D14 and never shows 100');
SELECT is(pg_temp.stage(6), 'lead', 'D14 nor flags');

-- X2
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition) VALUES
	('default', 45, 'lead', 'nurture', true, 'hits.ten > 0 AND score < 4');
SELECT pg_temp.new_lead();
SELECT pg_temp.does(7, 'ten');
SELECT is(pg_temp.now_score(7), 10::numeric, 'X2 10 points at once');
SELECT is(score_at('crm', 7, '2026-04-01 09:00Z'), 5::numeric, 'X2 5 after 30 days');
SELECT is(score_at('crm', 7, '2026-05-01 09:00Z'), 2.5, 'X2 2.5 after 60 days');
SELECT is(round((extract(epoch FROM review_at - funnel_now()) / 86400)::numeric, 2), 39.71,
	'X2 D14 the lead is reviewed when it is shown as 3.99, after 39.71 days') FROM lead WHERE lead_id = 7;
SET LOCAL lead_qual.clock = '2026-05-01 09:00Z';
SELECT is(pg_temp.now_score(7), 2.5, 'X2 and the clock moves the score');
SELECT is(score_at('crm', 7, '2026-03-02 08:59Z'), 0::numeric, 'before the activity there was nothing');
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
DELETE FROM transition WHERE position = 45;

-- R003-10
SELECT ok((SELECT points FROM rule WHERE name = 'meeting_booked') > points AND points > 0,
	'R003-10 a meeting booked weighs more than a reply by e-mail') FROM rule WHERE name = 'email_reply';
SELECT pg_temp.new_lead(), pg_temp.new_lead();
SELECT pg_temp.does(8, 'meeting_booked'), pg_temp.does(9, 'email_reply');
SELECT ok(pg_temp.now_score(8) > pg_temp.now_score(9) AND pg_temp.now_score(9) > 0, 'R003-10 and so do the leads');

-- R003-19, R001-07
SELECT results_eq($$ WITH done AS (INSERT INTO activity (lead_id, kind) VALUES (9, 'demo_request') RETURNING lead_id)
	SELECT count(*) FROM done $$, $$ VALUES (1::bigint) $$, 'R003-19 an event comes in');
SELECT is(pg_temp.now_score(9), 140::numeric, 'R003-19 and the score is there in the same transaction');
INSERT INTO activity (lead_id, kind, external_id)
	SELECT 2, k, 'all ' || k FROM unnest(ARRAY(SELECT kind FROM kind WHERE party = 'lead')) AS k;
SELECT is_empty($$ SELECT kind FROM kind WHERE party = 'lead' EXCEPT SELECT kind FROM activity WHERE lead_id = 2 $$,
	'R001-07 every kind of event is kept');
SELECT is_empty($$ SELECT name FROM rule WHERE axis = 'engagement' AND enabled AND points <> 0
	EXCEPT SELECT rule FROM explain_score('crm', 2) WHERE hits > 0 $$, 'R001-07 R004-19 and considered');

-- a score is the sum of its explanation
SELECT is(pg_temp.explained(l, at), score_at('crm', l, at), format('lead %s at %s adds up', l, at))
	FROM (VALUES (2::bigint), (100)) AS lead (l),
		 unnest(ARRAY['2026-03-02 09:00Z', '2026-03-30 09:00Z', '2027-03-02 09:00Z']::timestamptz[]) AS at;

-- R001-05
CREATE TABLE pg_temp.ranked (days int, first numeric, second numeric);
DO $$
DECLARE a bigint; b bigint;
BEGIN
	FOREACH a IN ARRAY ARRAY[7, 14, 30, 60, 90] LOOP
		UPDATE crm.rule SET half_life = make_interval(days => a::int) WHERE half_life IS NOT NULL;
		INSERT INTO crm.lead (full_name) VALUES ('contact 1') RETURNING lead_id INTO b;
		INSERT INTO crm.activity (lead_id, kind, occurred_at) VALUES (b, 'blog_subscription', '2026-03-01 19:00Z');
		INSERT INTO crm.lead (full_name) VALUES ('contact 2') RETURNING lead_id INTO b;
		INSERT INTO crm.activity (lead_id, kind, occurred_at) VALUES
			(b, 'pricing_page_view', '2026-02-26 10:00Z'), (b, 'ebook_download', '2025-12-02 10:00Z'),
			(b, 'blog_subscription', '2026-01-10 10:00Z'), (b, 'content_download', '2026-02-01 10:00Z');
		INSERT INTO pg_temp.ranked VALUES (a, pg_temp.now_score(b - 1), pg_temp.now_score(b));
	END LOOP;
END $$;
SELECT is((SELECT count(*) FROM ranked WHERE second > first), 5::bigint, 'R001-05 contact 2 ranks above contact 1 for half-lives of 7 to 90 days');
SELECT results_eq($$ SELECT rule FROM explain_score('crm', (SELECT max(lead_id) FROM lead WHERE full_name = 'contact 2'))
	WHERE axis = 'engagement' ORDER BY points DESC LIMIT 1 $$, $$ VALUES ('pricing_page_view') $$, 'R001-05 and the explanation names the pricing page first');

SELECT * FROM finish();
ROLLBACK;
