-- Views attribution and attribution_summary: which touches count, by hand and
-- against the definition on a random funnel.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(30);
SELECT create_funnel('f', 'America/St_Johns', 'EUR');
SET LOCAL search_path = f, public, pg_temp;
\ir helper/told_attribution.sql

SET LOCAL lead_qual.clock = '2026-12-01 12:00Z';
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, email) SELECT n, n || '@example.com' FROM generate_series(1, 6) AS n;
INSERT INTO stage_history (lead_id, to_stage, entered_at) VALUES (1, 'lead', '2026-01-01Z'), (1, 'mql', '2026-01-13Z'), (1, 'opportunity', '2026-02-05Z'), (2, 'lead', '2026-01-01Z');
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('f') \g /dev/null
SET LOCAL lead_qual.import = on;
INSERT INTO activity (lead_id, kind, source, campaign, occurred_at, recorded_at) VALUES
	(1, 'ad_click', 'paid_search', 'c1', '2026-01-01 12:00Z', '2026-01-01 12:00Z'),
	(1, 'website_visit', 'social', NULL, '2026-01-06 12:00Z', '2026-01-06 12:00Z'),
	(1, 'webinar', 'event', 'fair', '2026-01-13 00:00Z', '2026-01-13 00:00Z'),
	(1, 'website_visit', 'direct', NULL, '2026-01-31 12:00Z', '2026-01-31 12:00Z'),
	-- nobody counts these: no touch, no source, planned, after the deal was opened
	(1, 'email_open', 'email', NULL, '2026-01-20 12:00Z', '2026-01-20 12:00Z'),
	(1, 'demo_request', NULL, NULL, '2026-01-20 12:00Z', '2026-01-20 12:00Z'),
	(1, 'meeting_booked', 'event', NULL, '2026-01-25 12:00Z', '2026-01-20 12:00Z'),
	(1, 'webinar', 'event', 'fair', '2026-02-20 12:00Z', '2026-02-20 12:00Z'),
	-- twice on a day in Newfoundland, which began at 03:30Z
	(2, 'ad_click', 'paid_search', 'c1', '2026-03-02 03:31Z', '2026-03-02 03:31Z'),
	(2, 'webinar', 'paid_search', 'c1', '2026-03-03 03:29Z', '2026-03-03 03:29Z'),
	(2, 'webinar', 'paid_search', 'c1', '2026-03-03 03:31Z', '2026-03-03 03:31Z');
INSERT INTO deal (deal_id, amount, currency, status, opened_at, closed_at) VALUES
	(1, 1000, 'EUR', 'won', '2026-02-10Z', '2026-03-10Z'), (2, 100, NULL, 'won', '2026-12-01 12:00Z', '2026-03-20Z'), (3, 7, NULL, 'won', '2026-02-10Z', '2026-02-11Z'),
	(4, 5, NULL, 'open', '2026-02-10Z', NULL), (5, 5, NULL, 'lost', '2026-02-10Z', '2026-02-11Z');
INSERT INTO deal_contact (deal_id, lead_id) VALUES (1, 1), (2, 2), (3, 3), (4, 1), (5, 1);
SET LOCAL lead_qual.import = off;

SELECT results_eq($$ SELECT array_agg(DISTINCT source ORDER BY source), sum(touches) FROM attribution WHERE deal_id = 1 AND model = 'first' $$,
	$$ VALUES ('{direct,event,paid_search,social}'::text[], 4::numeric) $$, 'D12: touches of a kind that is one, with a source, that took place, before the deal');
SELECT results_eq(format('SELECT source, amount FROM attribution WHERE deal_id = 1 AND model = %L AND amount > 0 ORDER BY source', m), format('SELECT * FROM (%s) AS v', v), 'D12: ' || m)
FROM (VALUES ('first', $$VALUES ('paid_search', 1000::numeric)$$), ('last', $$VALUES ('direct', 1000::numeric)$$), ('last_non_direct', $$VALUES ('event', 1000::numeric)$$),
	('linear', $$VALUES ('direct', 250::numeric), ('event', 250), ('paid_search', 250), ('social', 250)$$),
	('u', $$VALUES ('direct', 400::numeric), ('event', 100), ('paid_search', 400), ('social', 100)$$),
	('w', $$VALUES ('direct', 300::numeric), ('event', 300), ('paid_search', 300), ('social', 100)$$)) AS x (m, v);
SELECT results_eq($$ SELECT kind, touches, amount FROM attribution WHERE deal_id = 2 AND model = 'linear' ORDER BY kind $$,
	$$ VALUES ('ad_click', 1::bigint, 50::numeric), ('webinar', 1, 50) $$, 'D12: one a day of the funnel''s zone; a deal that was closed before it was loaded counts as of then');
SELECT results_eq($$ SELECT DISTINCT source, campaign, kind, touches, amount FROM attribution WHERE deal_id = 3 $$, $$ VALUES ('(none)', NULL::text, NULL::text, 0::bigint, 7::numeric) $$, 'D24: no touch: (none)');
SELECT is_empty('SELECT * FROM attribution WHERE deal_id IN (4, 5)', 'D24: only what is won');
SELECT is((SELECT count(DISTINCT model) FROM attribution), 7::bigint, 'D12: seven models');

-- another deal of the lead: its touches come after the first one was opened
INSERT INTO deal (deal_id, amount, status, opened_at, closed_at) VALUES (6, 50, 'won', '2026-03-01Z', '2026-03-02Z'), (7, 60, 'won', '2026-03-01Z', '2026-03-05Z');
INSERT INTO deal_contact (deal_id, lead_id) VALUES (6, 1), (7, 1);
SELECT results_eq($$ SELECT deal_id, source, campaign, touches, amount FROM attribution WHERE deal_id IN (6, 7) AND model = 'linear' ORDER BY 1 $$,
	$$ VALUES (6::bigint, 'event', 'fair', 1::bigint, 50::numeric), (7, 'event', 'fair', 1, 60) $$, 'D12: a second deal has what came after the first, two of one instant the same');
UPDATE setting SET attribution_window = '12 days';
SELECT results_eq($$ SELECT deal_id, source, amount FROM attribution WHERE model = 'linear' AND deal_id IN (1, 2) ORDER BY 1, 2 $$, $$ VALUES (1::bigint, 'direct', 1000::numeric), (2, '(none)', 100) $$, 'D12: within the look-back window');
UPDATE setting SET attribution_window = NULL;

-- the night of 8 March has 23 hours in Newfoundland, and begins at 03:30Z
SET LOCAL lead_qual.import = on;
INSERT INTO activity (lead_id, kind, source, occurred_at, recorded_at) SELECT 4, 'webinar', 'event', at, at FROM unnest('{2026-03-08 03:31Z,2026-03-09 02:29Z,2026-03-09 02:31Z}'::timestamptz[]) AS at;
INSERT INTO activity (lead_id, kind, source, occurred_at, recorded_at) SELECT 5, 'webinar', 'social', at, at FROM unnest('{2026-03-07 12:30Z,2026-03-07 13:00Z}'::timestamptz[]) AS at;
INSERT INTO deal (deal_id, amount, status, opened_at, closed_at) VALUES (20, 3, 'won', '2026-03-10 12:00Z', '2026-03-10 12:00Z'), (21, 3, 'won', '2026-03-10 12:00Z', '2026-03-10 12:00Z');
INSERT INTO deal_contact (deal_id, lead_id) VALUES (20, 4), (21, 5);
SET LOCAL lead_qual.import = off;
SELECT is(touches, 2::bigint, 'D12: the day that is an hour short is a day') FROM attribution WHERE deal_id = 20 AND model = 'linear';
UPDATE setting SET attribution_window = '3 days';
SELECT is(touches, 0::bigint, 'D12: the look-back window counts local days: the first of the day was an hour before it') FROM attribution WHERE deal_id = 21 AND model = 'linear';
UPDATE setting SET attribution_window = NULL;
DELETE FROM deal WHERE deal_id IN (20, 21);

-- beside cost
INSERT INTO spend (department, source, campaign, starts_on, ends_on, amount, currency) VALUES
	('marketing', 'paid_search', 'c1', '2026-03-01', '2026-03-31', 200, NULL), ('marketing', 'display', NULL, '2026-03-01', '2026-04-30', 61, NULL), ('sales', NULL, NULL, '2026-03-01', '2026-03-31', 9, NULL),
	('marketing', 'paid_search', 'c1', '2026-03-01', '2026-03-31', 300, 'USD');
SELECT results_eq($$ SELECT month, source, campaign, deals, touches, amount, cost, roi, n_foreign FROM attribution_summary WHERE model = 'first' AND (deals > 0 OR cost > 0) ORDER BY month, source COLLATE "C" $$, $$ VALUES
	(date '2026-02-01', '(none)', NULL::text, 1::bigint, 0::bigint, 7::numeric, 0::numeric, NULL::numeric, 0::bigint),
	('2026-03-01', '(overhead)', NULL, 0, 0, 0, 9, -1, 0), ('2026-03-01', 'direct', NULL, 1, 1, 0, 0, NULL, 0), ('2026-03-01', 'display', NULL, 0, 0, 0, 31, -1, 0),
	('2026-03-01', 'event', 'fair', 3, 3, 110, 0, NULL, 0), ('2026-03-01', 'paid_search', 'c1', 2, 3, 1100, 200, 4.5, 1), ('2026-03-01', 'social', NULL, 1, 1, 0, 0, NULL, 0),
	('2026-04-01', 'display', NULL, 0, 0, 0, 30, -1, 0) $$, 'D24: by month of close, source and campaign, beside cost');

CREATE ROLE regress_lq_analyst;
SELECT grant_funnel('f', 'regress_lq_analyst', 'analyst') \g /dev/null
GRANT USAGE ON SCHEMA f TO regress_lq_analyst;
SET LOCAL ROLE regress_lq_analyst;
SELECT isnt_empty('TABLE f.' || v, 'an analyst reads ' || v) FROM unnest('{attribution_summary,source_performance}'::text[]) AS v;
RESET ROLE;

-- bad input: no amount, nothing, no date
SET LOCAL lead_qual.import = on;
INSERT INTO deal (deal_id, amount, home_amount, currency, status, opened_at, closed_at) VALUES (8, NULL, NULL, NULL, 'won', '2026-03-06Z', NULL), (9, 0, NULL, NULL, 'won', '2026-03-06Z', NULL), (10, 5, NULL, 'USD', 'won', '2026-03-06Z', '2026-03-07Z');
INSERT INTO deal_contact (deal_id, lead_id) VALUES (8, 2), (9, 2), (10, 2);
SELECT results_eq($$ SELECT deal_id, sum(touches), sum(amount) FROM attribution WHERE model = 'u' AND deal_id >= 8 GROUP BY 1 ORDER BY 1 $$, $$ VALUES (8::bigint, 2::numeric, NULL::numeric), (9, 2, 0), (10, 2, NULL) $$,
	'D24: an amount that is not known is none');
SELECT is((SELECT sum(amount) FROM attribution_summary WHERE month IS NULL), 0::numeric, 'D24: a deal without a date is in no month');
SET LOCAL lead_qual.import = off;
UPDATE setting SET attribution_half_life = '1 month', attribution_first = 0, attribution_last = 0, attribution_anchor = 0;
SELECT lives_ok('SELECT * FROM attribution_summary', 'weights of 0, and a half-life of a month');
DELETE FROM activity;
SELECT is((SELECT array_agg(DISTINCT source) FROM attribution), '{(none)}'::text[], 'no activities: (none)');
DELETE FROM deal;
SELECT is_empty('SELECT * FROM attribution', 'no deals: no rows');
SET LOCAL search_path = public, pg_temp;

-- a funnel of random operations
\ir helper/random_funnel.sql
UPDATE operation SET statement = replace(statement, 'SELECT :lead, k, ''event''', 'SELECT :lead, k, (ARRAY[''event'', ''direct'', NULL, ''social''])[:b % 4 + 1]') WHERE name = 'activity';
UPDATE operation SET share = 3 * share WHERE name IN ('deal', 'close a deal', 'activity');
SELECT pg_temp.random_operations(700, 0.7) \g /dev/null
INSERT INTO activity (lead_id, kind, source, campaign, occurred_at)
SELECT l.lead_id, (ARRAY['ad_click', 'webinar', 'email_open'])[1 + n % 3], (ARRAY['paid_search', 'direct', 'event'])[1 + n % 3], NULLIF('c' || n % 4, 'c0'), funnel_now() - n * 0.37 * interval '1 day' - l.lead_id * interval '1 hour'
FROM lead AS l, generate_series(1, 60) AS n WHERE (l.lead_id + n) % 5 = 0;
SET LOCAL lead_qual.import = on;
INSERT INTO deal (deal_id, amount, currency, status, opened_at, closed_at)
SELECT 1000 + n, n * 33.37, (ARRAY['EUR', NULL, 'USD'])[1 + n % 7 % 3], 'won', funnel_now() - n % 20 * interval '27 hours', CASE WHEN n % 9 > 0 THEN funnel_now() - n % 13 * interval '31 hours' END FROM generate_series(1, 60) AS n;
INSERT INTO deal_contact (deal_id, lead_id) SELECT 1001 + i % 60, lead_id FROM (SELECT lead_id, row_number() OVER (ORDER BY lead_id) AS i FROM lead CROSS JOIN generate_series(1, 4)) AS l ON CONFLICT DO NOTHING;
SET LOCAL lead_qual.import = off;
SELECT cmp_ok((SELECT count(*) FROM attribution WHERE touches > 1), '>', 10::bigint, 'random: deals with touches');
CREATE TEMP VIEW unlike AS
WITH told AS MATERIALIZED (SELECT * FROM pg_temp.told_attribution()), shown AS MATERIALIZED (SELECT * FROM attribution)
SELECT concat_ws(' ', s.deal_id, s.model, s.source, s.touches, s.amount) AS shown, concat_ws(' ', t.deal_id, t.model, t.source, t.touches, t.amount) AS told
FROM shown AS s FULL JOIN told AS t ON t.deal_id = s.deal_id AND t.model = s.model AND t.source = s.source
	AND coalesce(t.campaign, '') = coalesce(s.campaign, '') AND coalesce(t.kind, '') = coalesce(s.kind, '')
WHERE s.deal_id IS NULL OR t.deal_id IS NULL OR s.touches <> t.touches OR num_nulls(s.amount, t.amount) = 1 OR abs(s.amount - t.amount) > 0.01 * s.touches;
SELECT is_empty('SELECT * FROM unlike', 'D12, D24 random: as the definition has it');
DROP TABLE told_touch, told_credit;
UPDATE setting SET time_zone = 'Australia/Lord_Howe', attribution_window = '9 days 7 hours', attribution_first = 0.5, attribution_last = 0.3, attribution_anchor = 0.2, attribution_half_life = '3 days';
SELECT is_empty('SELECT * FROM unlike', 'D12, D24 random: with other weights, a window and an odd zone');
SELECT is_empty($$ SELECT w.deal_id, m FROM won_deal AS w CROSS JOIN unnest(_attribution_models()) AS m LEFT JOIN attribution AS a ON a.deal_id = w.deal_id AND a.model = m
	GROUP BY w.deal_id, w.amount, m HAVING sum(a.amount) IS DISTINCT FROM w.amount $$, 'D24 random: every model adds up to what the deal won, in cents');
SELECT is_empty($$ SELECT model FROM attribution_summary GROUP BY model HAVING sum(amount) <> (SELECT sum(amount) FROM won_deal) OR sum(cost) <> (SELECT sum(amount) FROM spend) $$,
	'D24 random: the months add up to what was won and what was spent');
CREATE TEMP TABLE credited AS TABLE attribution;
SELECT is_empty($$ WITH told AS (SELECT date_trunc('month', d.closed_at AT TIME ZONE s.time_zone)::date AS month, a.model, a.source, a.campaign, count(DISTINCT a.deal_id) AS deals, sum(a.touches)::bigint AS touches, coalesce(sum(a.amount), 0) AS amount
		FROM setting AS s, credited AS a JOIN deal AS d USING (deal_id) GROUP BY 1, 2, 3, 4),
	shown AS (SELECT month, model, source, campaign, deals, touches, amount FROM attribution_summary WHERE deals > 0)
	(TABLE told EXCEPT ALL TABLE shown) UNION ALL (TABLE shown EXCEPT ALL TABLE told) $$, 'D24 random: the summary is the sum of the deals');
SELECT is_empty('SELECT * FROM attribution WHERE amount <> round(amount, 2)', 'D24 random: whole cents');

SELECT * FROM finish();
ROLLBACK;
