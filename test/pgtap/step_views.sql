-- From one milestone to the next: conversion, bottleneck, funnel_weekly, stuck,
-- by hand.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(34);

-- Wilson's interval; z = 1.96
SELECT results_eq($$ SELECT k, n, round((_wilson(k, n))[1], 4), round((_wilson(k, n))[2], 4)
	FROM (VALUES (1, 10), (5, 10), (0, 10), (10, 10), (10, 100), (500, 5000), (0, 1), (1, 1)) AS v (k, n) $$,
	$$ VALUES (1, 10, 0.0179, 0.4042), (5, 10, 0.2366, 0.7634), (0, 10, 0::numeric, 0.2775), (10, 10, 0.7225, 1::numeric), (10, 100, 0.0552, 0.1744),
			  (500, 5000, 0.0920, 0.1086), (0, 1, 0, 0.7935), (1, 1, 0.2065, 1) $$, 'D18: Wilson''s interval, published values');
SELECT is(_wilson(0, 0), NULL, 'D18: of none there is no interval');
SELECT is(_wilson(k, n), NULL, format('D18: nor of %s of %s', k, n)) FROM (VALUES (2, 1), (-1, 3)) AS v (k, n);
SELECT ok(bool_and((_wilson(k, n))[1] BETWEEN 0 AND 1.0 * k / n AND (_wilson(k, n))[2] BETWEEN 1.0 * k / n AND 1), 'D18: limits are within 0 and 1, the rate between them')
FROM generate_series(1, 60) AS n, LATERAL generate_series(0, n) AS k;
SELECT ok((_wilson(1, 1e15))[1] > 0 AND (_wilson(1e15 - 1, 1e15))[2] < 1, 'D18: also of very many');

CREATE SCHEMA f;
SET LOCAL search_path = f, public, pg_temp;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-07-01 12:00Z';
DO $$ BEGIN PERFORM _create_funnel_tables(); END $$;
\ir helper/told_journey.sql
DO $$ BEGIN PERFORM _create_funnel_views(); PERFORM _create_funnel_stages(); END $$;
INSERT INTO setting (template_version) VALUES (2);
INSERT INTO reason (applies_to, reason, side) SELECT s, r, _shipped_side(s, r)
	FROM unnest('{disqualified,nurture,lost}'::text[]) AS s, unnest('{no_authority,no_budget,price,no_decision}'::text[]) AS r;
-- a lead's way: stages, on days from an instant on
CREATE FUNCTION way(lead bigint, since timestamptz, stages text[], days numeric[], reason text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO stage_history (lead_id, from_stage, to_stage, entered_at, source, reason)
	SELECT lead, lag(stage) OVER (ORDER BY n), stage, since + day * interval '1 day', 's' || lead % 2, CASE WHEN n = cardinality(stages) THEN reason END
	FROM unnest(stages, days) WITH ORDINALITY AS w (stage, day, n);
	INSERT INTO lead (lead_id, stage) VALUES (lead, stages[cardinality(stages)]) ON CONFLICT DO NOTHING $$;

SELECT is_empty('SELECT * FROM conversion', 'no history, no months');
SELECT results_eq('SELECT position, n, rate, target_rate, gain, proven, side, bottleneck FROM bottleneck',
	$$ SELECT p, 0::bigint, NULL::numeric, NULL::numeric, NULL::numeric, false, NULL, 'none proven' FROM generate_series(1::bigint, 5) AS p $$,
	'D18: nothing is proven of nobody');
SELECT results_eq('SELECT count(*), sum(entered), max(mean_before), count(change) FROM funnel_weekly', $$ VALUES (13 * 9::bigint, 0::numeric, 0.00, 0::bigint) $$, 'a funnel has its weeks from the start');
SELECT is_empty('SELECT * FROM stuck', 'and nobody stuck');
SAVEPOINT empty;

-- R003-05
DO $$ BEGIN
	PERFORM way(n, '2026-02-10Z', '{mql,disqualified}', '{0,3}', CASE WHEN n <= 2500 THEN 'no_authority' ELSE 'no_budget' END) FROM generate_series(501, 5000) AS n;
	PERFORM way(n, '2026-02-10Z', '{mql,sql}', '{0,40}') FROM generate_series(1, 500) AS n; END $$;
INSERT INTO target (metric, starts_on, ends_on, value) VALUES ('rate:mql>sql', '2026-01-01', '2026-12-31', 0.13);
SELECT results_eq('SELECT from_milestone, to_milestone, sum(n)::bigint, sum(converted)::bigint, round(sum(converted) / sum(n), 3) FROM conversion WHERE from_milestone = ''mql'' AND position = 1 GROUP BY 1, 2',
	$$ VALUES ('mql', 'sql', 5000::bigint, 500::bigint, 0.100) $$, 'R003-05: 5,000 downloads, 500 qualified: 10.0 %; a stage that no unit passes is no step');
SELECT results_eq('SELECT * FROM bottleneck WHERE from_milestone = ''mql''',
	$$ VALUES (1::bigint, 'mql', 'sql', 5000::bigint, 500::bigint, 0.1000, 0.0920, 0.1086, 0.13, 'target', 0.3000, true, 4500::bigint, 0::bigint, 'marketing', 'mql>sql') $$,
	'R003-05, R003-07: the bottleneck is from MQL to SQL, and marketing''s');
SELECT results_eq('SELECT round(count(*) FILTER (WHERE exit_reason = ''no_authority'') / 5000.0, 2), round(count(*) FILTER (WHERE exit_reason = ''no_budget'') / 5000.0, 2) FROM lead_journey',
	'VALUES (0.40, 0.50)', 'R003-05: 40 % for authority, 50 % for budget');
UPDATE target SET value = 0.108;
SELECT results_eq('SELECT gain, proven, bottleneck FROM bottleneck WHERE from_milestone = ''mql''', $$ VALUES (0.08, false, 'none proven') $$, 'D18: within the interval it is not proven');
UPDATE target SET starts_on = '2026-07-02';
SELECT is(target_of, NULL, 'D29: a target that has not begun does not hold') FROM bottleneck WHERE from_milestone = 'mql';
UPDATE target SET starts_on = '2026-01-01', source = 's1';
SELECT is(target_of, NULL, 'D29: nor one for a source') FROM bottleneck WHERE from_milestone = 'mql';
ROLLBACK TO empty;

-- R003-06, and of 990 leads nobody knows why they were lost
DO $$ BEGIN
	PERFORM way(n, '2026-02-10Z', '{lead,sql,lost}', '{0,1,20}', CASE WHEN n <= 10 THEN 'price' END) FROM generate_series(6, 1000) AS n;
	PERFORM way(n, '2026-02-10Z', '{lead,sql,customer}', '{0,1,9}') FROM generate_series(1, 5) AS n; END $$;
INSERT INTO target (metric, starts_on, ends_on, value) VALUES ('rate:sql>customer', '2026-01-01', '2026-12-31', 0.05), ('rate:lead>sql', '2026-01-01', '2026-12-31', 0.5);
SELECT results_eq($$ SELECT sum(n)::bigint, sum(converted)::bigint, round(sum(converted) / sum(n), 3) FROM conversion WHERE from_milestone = 'lead' AND to_milestone = 'customer' $$,
	$$ VALUES (1000::bigint, 5::bigint, 0.005) $$, 'R003-06: 1,000 leads, 5 customers: lead-to-customer rate 0.5 %');
SELECT results_eq('SELECT from_milestone, rate, gain, lost_by_marketing, lost_by_sales, side, bottleneck FROM bottleneck',
	$$ VALUES ('sql', 0.0050, 9.0000, 0::bigint, 995::bigint, 'sales', 'sql>customer'), ('lead', 1.0000, 0, 0, 0, NULL, 'sql>customer') $$,
	'R003-06, R003-07: the bottleneck is the closing, and sales'': by reason, else by whose stage they left');
UPDATE reason SET side = 'marketing' WHERE reason = 'price' AND applies_to = 'lost';
SELECT results_eq('SELECT lost_by_marketing, lost_by_sales FROM bottleneck WHERE position = 2', 'VALUES (5::bigint, 990::bigint)', 'D18: a reason says whose it is');
INSERT INTO stage (stage, position, milestone, owner_role) VALUES ('lost_later', 20, 'lost', 'none');
INSERT INTO reason (applies_to, reason, side) VALUES ('lost_later', 'price', 'sales');
SELECT results_eq('SELECT lost_by_marketing, lost_by_sales FROM bottleneck WHERE position = 2', 'VALUES (5::bigint, 990::bigint)', 'D18: the one of the stage that they went to');
UPDATE stage SET owner_role = 'none' WHERE stage = 'sql';
SELECT results_eq('SELECT lost_by_marketing, lost_by_sales, side FROM bottleneck WHERE position = 2', $$ VALUES (5::bigint, 0::bigint, 'marketing') $$, 'D18: nobody''s stage is nobody''s fault');
ROLLBACK TO empty;

-- own past, few, none, past due: the year that ended 90 days ago began on 2 April 2025
DO $$ BEGIN
	PERFORM way(n, '2025-04-01 23:59Z', '{lead,mql}', '{0,1}') FROM generate_series(1, 40) AS n;
	PERFORM way(n, '2024-04-02Z', '{lead}', '{0}') FROM generate_series(41, 80) AS n;
	PERFORM way(n, '2025-04-02Z', '{lead}', '{0}') FROM generate_series(101, 129) AS n;
	PERFORM way(n, '2026-04-02Z', '{lead,mql}', '{0,1}') FROM generate_series(201, 240) AS n; END $$;
SELECT results_eq('SELECT n, converted, rate, rate_upper, target_rate, target_of, gain, proven, bottleneck FROM bottleneck WHERE from_milestone = ''lead''',
	$$ VALUES (29::bigint, 0::bigint, 0.0000, 0.1170, 0.5, 'own past', NULL::numeric, false, 'none proven') $$, 'D18: the cohort of 12 months before the last mature day, its own past, and 29 are too few');
DO $$ BEGIN PERFORM way(130, '2026-04-01 23:59:59Z', '{lead}', '{0}'); END $$;
SELECT results_eq('SELECT n, gain, proven, bottleneck FROM bottleneck LIMIT 1', $$ VALUES (30::bigint, NULL::numeric, true, 'lead>mql') $$, 'D18: nobody got further: first, and no gain can be said');
UPDATE lead SET due_at = '2026-07-01 11:59Z' WHERE lead_id IN (101, 102);
UPDATE lead SET due_at = '2026-07-01 12:00Z' WHERE lead_id = 103;
SELECT results_eq('SELECT lost_by_marketing, lost_by_sales, side FROM bottleneck WHERE from_milestone = ''lead''', $$ VALUES (2::bigint, 0::bigint, 'marketing') $$, 'D18: who waits past due is with the owner of that stage');
ROLLBACK TO empty;

-- D4
DO $$ BEGIN
	PERFORM way(2, '2026-01-31 22:30Z', '{lead,mql,sal}', '{0,0,60}'), way(4, '2026-01-10Z', '{lead}', '{0}'), way(6, '2026-01-10Z', '{mql,lead}', '{0,1}'), way(8, '2026-01-10Z', '{mql}', '{0}'); END $$;
SELECT results_eq('SELECT n, converted, rate, rate_lower, rate_upper, entered, period_rate, skipped, mature FROM conversion WHERE month = ''2026-01-01'' AND position = 1',
	$$ VALUES (3::bigint, 1::bigint, 0.3333, 0.0615, 0.7923, 3::bigint, 1.0000, 1::bigint, true) $$, 'D4: cohort and period; B before A is neither converted nor skipped');
SELECT results_eq('SELECT month, n, converted, entered, period_rate, mature FROM conversion WHERE from_milestone = ''mql'' AND to_milestone = ''sal'' AND month >= ''2026-02-01''',
	$$ VALUES (date '2026-02-01', 0::bigint, 0::bigint, 0::bigint, NULL::numeric, true), ('2026-03-01', 0, 0, 0, NULL, true), ('2026-04-01', 0, 0, 1, NULL, false),
			  ('2026-05-01', 0, 0, 0, NULL, false), ('2026-06-01', 0, 0, 0, NULL, false), ('2026-07-01', 0, 0, 0, NULL, false) $$, 'D4: months without an entry have rows, until this one; mature 90 days after their end');
SELECT is(string_agg(DISTINCT format('%s %s>%s', position, from_milestone, to_milestone), ', '), '1 lead>mql, 2 mql>sal, 3 sal>sql, 4 sql>opportunity, 5 opportunity>customer, 6 lead>customer', 'D4: each step, and lead to customer') FROM conversion;
UPDATE setting SET time_zone = 'Africa/Maputo';
SELECT is(sum(n), 1::numeric, 'D3: months are the funnel''s') FROM conversion WHERE month = '2026-02-01' AND position = 1;
DELETE FROM stage WHERE stage IN ('lead', 'sql', 'opportunity');
SELECT is(string_agg(DISTINCT format('%s %s>%s', position, from_milestone, to_milestone), ', '), '1 mql>sal, 2 sal>customer, 3 mql>customer', 'R004-03: a funnel without some of the stages has other steps') FROM conversion;
DELETE FROM stage WHERE stage = 'sal';
SELECT is(string_agg(DISTINCT format('%s %s>%s', position, from_milestone, to_milestone), ', '), '1 mql>customer', 'one step is not told twice') FROM conversion;
ROLLBACK TO empty;

-- weeks: 1 July 2026 is a Wednesday, and it is noon
DO $$ BEGIN PERFORM way(n, at::timestamptz, '{mql}', '{0}')
	FROM (VALUES (1, '2026-06-29 00:00Z'), (2, '2026-07-01 12:00Z'), (3, '2026-06-22 00:00Z'), (4, '2026-06-24 12:00Z'), (5, '2026-06-24 12:00:01Z'), (6, '2026-06-01Z'), (7, '2026-07-01 12:00:01Z'), (8, '2026-05-31 23:59Z')) AS v (n, at); END $$;
SELECT results_eq('SELECT week, entered, mean_before, change, partial, length(bar) FROM funnel_weekly WHERE milestone = ''mql'' AND week >= ''2026-06-15''',
	$$ VALUES (date '2026-06-15', 0::bigint, 0.50, -1.0000, false, 0), ('2026-06-22', 3, 0.50, 5.0000, false, 20), ('2026-06-29', 2, 0.75, 1.6667, true, 14) $$,
	'a week against the mean of the four before; the one that goes on, as far as it has come');
ROLLBACK TO empty;

-- stuck: ten went on, in 1, 2, ... 10 days: nine of ten in 9.1
DO $$ BEGIN PERFORM way(n, '2026-02-01Z', '{mql,sal}', ARRAY[0, n]) FROM generate_series(1, 10) AS n;
	PERFORM way(20, '2026-06-22 09:36Z', '{mql}', '{0}'), way(21, '2026-06-22 09:35:59Z', '{mql}', '{0}'), way(22, '2026-06-01 12:00Z', '{mql}', '{0}'), way(23, '2026-05-01Z', '{mql,nurture}', '{0,30}'),
			way(24, '2026-05-01Z', '{mql,customer}', '{0,9}'); END $$;
DELETE FROM stage_history WHERE lead_id = 24;
UPDATE lead SET owner = 'ben' WHERE lead_id IN (20, 21, 22);
INSERT INTO deal (deal_id, status, amount, currency) OVERRIDING SYSTEM VALUE VALUES (1, 'open', 100, NULL), (2, 'open', 7, 'USD'), (3, 'won', 1000, NULL), (4, 'open', 0, 'EUR'), (5, 'open', 50, NULL);
INSERT INTO deal_contact (deal_id, lead_id) VALUES (1, 21), (1, 22), (2, 22), (3, 22), (4, 21), (5, 20);
SELECT results_eq('SELECT milestone, owner, went_on, p90_days, stuck, longest_days, open_deals, amount, n_unpriced FROM stuck',
	$$ VALUES ('mql', 'ben', 10::bigint, 9.10, 2::bigint, 30.00, 3::bigint, 100::numeric, 1::bigint) $$, 'stuck: longer than nine of ten of those who went on, by owner, each deal once');
UPDATE lead SET owner = NULL WHERE lead_id = 22;
SELECT results_eq('SELECT owner, stuck, open_deals, amount FROM stuck', $$ VALUES ('(none)', 1::bigint, 2::bigint, 100::numeric), ('ben', 1, 2, 100) $$, 'and by nobody');
DELETE FROM lead WHERE lead_id = 22;
SELECT results_eq('SELECT owner FROM stuck', $$ VALUES ('ben') $$, 'who is not there is not stuck');
SELECT * FROM finish();
ROLLBACK;
