-- What it costs and what it brings: cost_per_sql, won_deal, sql_revenue.
BEGIN;
SELECT plan(23);

CREATE SCHEMA f;
SET LOCAL search_path = f, public, pg_temp;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2027-01-01 00:00Z';
DO $$ BEGIN PERFORM _create_funnel_tables(); END $$;
\ir helper/told_journey.sql
DO $$ BEGIN PERFORM _create_funnel_views(); END $$;
INSERT INTO setting (template_version) VALUES (_template_version());
INSERT INTO stage (stage, position, milestone) VALUES ('mql', 1, 'mql'), ('sql', 2, 'sql'),
	('customer', 3, 'customer');
SAVEPOINT empty;

-- R000-15
INSERT INTO stage_history (lead_id, to_stage, entered_at, source)
SELECT n, 'sql', '2026-03-10Z', 'ads' FROM generate_series(1, 200) n;
INSERT INTO spend (department, source, starts_on, ends_on, amount) VALUES
	('marketing', 'ads', '2026-03-01', '2026-03-31', 60000), ('sales', 'ads', '2026-03-01', '2026-03-31', 40000),
	('marketing', 'ads', '2026-04-01', '2026-04-30', 700);
SELECT results_eq('SELECT month, source, cost, sqls, cost_per_sql FROM cost_per_sql WHERE cost > 0',
	$$ VALUES (date '2026-03-01', 'ads', 100000::numeric, 200::bigint, 500::numeric),
			  (date '2026-04-01', 'ads', 700, 0, NULL) $$,
	'R000-15 60,000 + 40,000 for 200 SQLs: 500; without SQLs NULL');
UPDATE spend SET source = NULL;
SELECT results_eq('SELECT month, source, direct_cost, overhead, cost_per_sql FROM cost_per_sql WHERE cost > 0',
	$$ VALUES (date '2026-03-01', 'ads', 0::numeric, 100000::numeric, 500::numeric),
			  (date '2026-04-01', '(overhead)', 0, 700, NULL) $$,
	'D7 overhead goes to the sources of the SQLs; without SQLs it stays (overhead)');
ROLLBACK TO empty;

-- D3, D7: the row of entered(sql) has the source; overhead by share
INSERT INTO stage_history (lead_id, to_stage, entered_at, source) VALUES
	(1, 'mql', '2026-03-01Z', 'web'), (1, 'sql', '2026-03-02Z', 'ads'), (1, 'sql', '2026-03-03Z', 'seo'),
	(2, 'sql', '2026-03-02Z', NULL), (3, 'sql', '2026-03-02Z', NULL);
INSERT INTO spend (department, source, starts_on, ends_on, amount) VALUES
	('sales', NULL, '2026-03-05', '2026-03-05', 100), ('marketing', 'ads', '2026-03-01', '2026-03-01', 50);
SELECT results_eq('SELECT source, direct_cost, overhead, sqls, cost_per_sql FROM cost_per_sql WHERE cost > 0 OR sqls > 0 ORDER BY source COLLATE "C"',
	$$ VALUES ('(none)', 0::numeric, 66.67, 2::bigint, 33.335), ('ads', 50, 33.33, 1, 83.33) $$,
	'D3, D7 dimensions of the entry; overhead by share of SQLs, to the cent');
-- 31 days of 100 a day over three months
UPDATE spend SET starts_on = '2026-01-30', ends_on = '2026-03-01', amount = 3100 WHERE source = 'ads';
SELECT results_eq('SELECT month, direct_cost FROM cost_per_sql WHERE source = ''ads'' AND cost > 0',
	$$ VALUES (date '2026-01-01', 200::numeric), (date '2026-02-01', 2800), (date '2026-03-01', 100) $$,
	'D7 an expense is spread by the days of its period, both ends inclusive');
INSERT INTO spend (department, source, starts_on, ends_on, amount, currency) VALUES
	('sales', 'ads', '2026-03-05', '2026-03-05', 999, 'USD'), ('sales', NULL, '2026-03-05', '2026-03-05', 999, 'USD'),
	('sales', 'ads', '2026-03-05', '2026-03-05', 5, 'EUR');
SELECT results_eq('SELECT source, cost, n_foreign FROM cost_per_sql WHERE month = ''2026-03-01'' ORDER BY source COLLATE "C"',
	$$ VALUES ('(none)', 66.67, 0::bigint), ('(overhead)', 0, 1), ('ads', 138.33, 1) $$,
	'D7 another currency is not added, and counted');
ROLLBACK TO empty;

-- D7: random expenses add up, whatever is allocated
INSERT INTO stage_history (lead_id, to_stage, entered_at, source)
SELECT n, 'sql', '2025-01-01Z'::timestamptz + n % 300 * interval '1 day', 's' || n % 7 FROM generate_series(1, 999) n;
INSERT INTO spend (department, source, starts_on, ends_on, amount)
SELECT 'sales', CASE WHEN random() < 0.6 THEN 's' || n % 9 END, d, d + floor(random() * 200)::int,
	   round((random() * 9000 - 500)::numeric, 2)
FROM (SELECT setseed(0.2)) s, generate_series(1, 400) n, LATERAL (SELECT date '2024-11-01' + n AS d) x;
SELECT is((SELECT sum(cost) FROM cost_per_sql), (SELECT sum(amount) FROM spend), 'D7 random: all cost is there, to the cent');
SELECT is((SELECT sum(direct_cost) FROM cost_per_sql WHERE source = 's4'),
		  (SELECT sum(amount) FROM spend WHERE source = 's4'), 'D7 random: and a source''s months are its expenses');
SELECT is((SELECT sum(sqls)::bigint FROM cost_per_sql), 999::bigint, 'D3 random: every SQL is there once');
SELECT is((SELECT count(*) FROM cost_per_sql WHERE cost <> round(cost, 2)), 0::bigint, 'D7 random: whole cents');
ROLLBACK TO empty;

-- R000-16, D8
INSERT INTO stage_history (lead_id, to_stage, entered_at, cycle) VALUES
	(1, 'mql', '2026-01-01Z', 1), (1, 'sql', '2026-01-10Z', 1), (1, 'customer', '2026-02-20Z', 1), (1, 'sql', '2026-06-10Z', 2),
	(2, 'mql', '2026-01-01Z', 1), (2, 'customer', '2026-02-01Z', 1),
	(3, 'sql', '2026-02-05Z', 1), (4, 'sql', '2026-05-01Z', 1);
INSERT INTO deal (deal_id, amount, home_amount, currency, status, closed_at) VALUES
	(1, 1000, NULL, NULL, 'won', '2026-02-20Z'),	-- lead 1
	(2, 5000, NULL, NULL, 'won', '2026-02-20Z'),	-- lead 2, never an SQL
	(3, 700, 600, 'USD', 'won', '2026-03-01Z'),		-- leads 1, 2 and 3: once
	(4, 80, NULL, 'EUR', 'won', '2026-07-01Z'),		-- lead 1, second cycle
	(5, 90, NULL, 'USD', 'won', '2026-07-02Z'),		-- no home amount
	(6, 33, NULL, NULL, 'won', '2026-04-01Z'),		-- lead 4: closed before SQL
	(7, 44, NULL, NULL, 'lost', '2026-07-01Z'),
	(8, 55, NULL, NULL, 'won', '2026-07-01Z'),		-- nobody's
	(9, 66, NULL, NULL, 'won', NULL);				-- never dated
INSERT INTO deal_contact (deal_id, lead_id) VALUES (1, 1), (2, 2), (3, 1), (3, 2), (3, 3), (4, 1), (5, 1), (6, 4), (7, 1), (9, 1);
SELECT results_eq('SELECT month, deals, revenue, n_foreign FROM sql_revenue WHERE by = ''close_month'' AND deals > 0',
	$$ VALUES (date '2026-02-01', 1::bigint, 1000::numeric, 0::bigint),
			  (date '2026-03-01', 1, 600, 0), (date '2026-07-01', 2, 80, 1) $$,
	'R000-16 revenue by close month: customers that never were an SQL are left out');
SELECT results_eq('SELECT month, deals, revenue, n_foreign FROM sql_revenue WHERE by = ''sql_month'' AND deals > 0',
	$$ VALUES (date '2026-01-01', 1::bigint, 1000::numeric, 0::bigint),
			  (date '2026-02-01', 1, 600, 0), (date '2026-06-01', 2, 80, 1) $$,
	'D8 revenue by SQL month: the latest SQL before the close, each deal once');
SELECT is((SELECT sum(revenue) FROM sql_revenue WHERE by = 'sql_month'),
		  (SELECT sum(revenue) FROM sql_revenue WHERE by = 'close_month'), 'D8 both kinds add up to the same');
SELECT results_eq('SELECT month, deals, n_unpriced, n_undated FROM sql_revenue WHERE by = ''sql_month'' AND deals > 0',
	$$ VALUES (date '2026-01-01', 1::bigint, 0::bigint, 0::bigint), (date '2026-02-01', 1, 0, 0), (date '2026-06-01', 2, 0, 1) $$,
	'N10: a won deal without a close date is counted with the SQL of its contact');
SAVEPOINT unpriced;
UPDATE deal SET amount = NULL, home_amount = NULL WHERE deal_id IN (4, 5);
SELECT results_eq('SELECT month, deals, revenue, n_foreign, n_unpriced FROM sql_revenue WHERE by = ''close_month'' AND month = ''2026-07-01''',
	$$ VALUES (date '2026-07-01', 2::bigint, 0::numeric, 0::bigint, 2::bigint) $$, 'N10: nor is one without an amount lost, whatever its currency');
ROLLBACK TO unpriced;
SELECT is((SELECT count(*) FROM won_deal), 8::bigint, 'D8 won_deal: a row per won deal, contacts or none');
SELECT results_eq('SELECT lead_id, cycle, sql_at FROM won_deal WHERE deal_id = 3',
	$$ VALUES (3::bigint, 1::bigint, '2026-02-05Z'::timestamptz) $$, 'D8 won_deal: of three contacts one is credited');
SELECT results_eq('SELECT lead_id, cycle FROM won_deal WHERE deal_id = 4', $$ VALUES (1::bigint, 2::bigint) $$,
	'D8 won_deal: the cycle under way is credited');
SELECT is((SELECT sql_at FROM won_deal WHERE deal_id = 6), NULL, 'D8 won_deal: an SQL after the close does not count');
SELECT results_eq('SELECT foreign_currency, amount FROM won_deal WHERE deal_id IN (3, 5) ORDER BY deal_id',
	$$ VALUES (false, 600::numeric), (true, NULL) $$, 'D8 the home amount counts, a foreign one without is flagged');
SELECT results_eq('SELECT cycle, won_deals, won_amount FROM lead_journey WHERE lead_id = 1 ORDER BY cycle',
	$$ VALUES (1::bigint, 1::bigint, 1000::numeric), (2, 3, 146) $$, 'the journey carries what its unit won, an undated deal in its last cycle');
SELECT is((SELECT sum(won_deals)::bigint FROM lead_journey), (SELECT count(*) FROM won_deal WHERE lead_id IS NOT NULL),
		  'D8 over all journeys every deal is there once');
DELETE FROM deal_contact;
SELECT is_empty('SELECT * FROM sql_revenue', 'D8 no contacts, no revenue from SQLs');
SELECT is((SELECT sum(won_amount) FROM lead_journey), 0::numeric, 'NULL-safe: nothing won is 0');

SELECT * FROM finish();
ROLLBACK;
