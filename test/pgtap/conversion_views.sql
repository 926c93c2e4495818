-- How many get how far, and how fast: funnel, funnel_monthly, mql_to_sql,
-- sql_conversion, sql_velocity.
BEGIN;
SELECT plan(28);

CREATE SCHEMA f;
SET LOCAL search_path = f, public, pg_temp;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2027-01-01 00:00Z';
DO $$ BEGIN PERFORM _create_funnel_tables(); END $$;
\ir helper/told_journey.sql
DO $$ BEGIN PERFORM _create_funnel_views(); END $$;
-- of sql_velocity the rows by month
DO $$ BEGIN CREATE TEMP VIEW monthly AS SELECT * FROM sql_velocity WHERE by = 'month'; END $$;
INSERT INTO setting (template_version, time_zone) VALUES (_template_version(), 'Europe/Berlin');
INSERT INTO stage (stage, position, milestone) VALUES
	('lead', 1, 'lead'), ('mql', 2, 'mql'), ('sal', 3, 'sal'), ('sql', 4, 'sql'),
	('opportunity', 5, 'opportunity'), ('customer', 6, 'customer'),
	('nurture', 7, 'nurture'), ('lost', 8, 'lost');

-- a lead's way, as (stage, day of entry) pairs from an instant on
CREATE FUNCTION way(lead bigint, since timestamptz, stages text[], days numeric[])
RETURNS void LANGUAGE sql AS $$
	INSERT INTO stage_history (lead_id, to_stage, entered_at, source, account_id)
	SELECT lead, stage, since + day * interval '1 day', 's' || lead % 2, lead % 7
	FROM unnest(stages, days) AS w (stage, day);
	INSERT INTO lead (lead_id, stage) VALUES (lead, 'elsewhere') ON CONFLICT DO NOTHING $$;

SELECT is_empty('SELECT * FROM sql_velocity', 'no history, no months');
SELECT is((SELECT array_agg(reached ORDER BY position) FROM funnel),
		  '{0,0,0,0,0,0}'::bigint[], 'an empty funnel has its steps');

SAVEPOINT empty;
DO $$ BEGIN PERFORM way(n, '2026-03-10Z', '{sql,customer}', ARRAY[0, 20])
	FROM generate_series(1, 10) n; END $$;
DO $$ BEGIN PERFORM way(n, '2026-03-10Z', '{sql}', '{0}') FROM generate_series(11, 40) n; END $$;
SELECT results_eq('SELECT month, sqls, customers, rate FROM sql_conversion WHERE sqls > 0',
	$$ VALUES (date '2026-03-01', 40::bigint, 10::bigint, 0.25) $$,
	'R000-13 40 SQLs, 10 customers: 25 %');
-- a customer never an SQL, and one that was a customer first
DO $$ BEGIN PERFORM way(41, '2026-03-10Z', '{customer}', '{0}'),
					way(42, '2026-03-10Z', '{customer,sql}', '{0,1}'); END $$;
SELECT results_eq('SELECT sqls, customers, skipped, odd, customers_entered
	FROM sql_conversion WHERE sqls > 0', $$ VALUES (41::bigint, 10::bigint, 1::bigint, 1::bigint, 12::bigint) $$,
	'D4 B without A is skipped, B before A is odd, neither is in the numerator');
SELECT results_eq('SELECT reached, previous_milestone, skipped FROM funnel
	WHERE milestone = ''customer''', $$ VALUES (12::bigint, 'sql', 1::bigint) $$,
	'D4 the funnel counts them apart too');
ROLLBACK TO empty;

DO $$ BEGIN PERFORM way(n, '2026-03-10Z', '{mql}', '{0}') FROM generate_series(501, 5000) n;
			PERFORM way(n, '2026-03-10Z', '{mql,sql}', '{0,40}') FROM generate_series(1, 500) n; END $$;
SELECT results_eq('SELECT month, mqls, sqls_of_cohort, cohort_rate, sqls_entered, period_rate
	FROM mql_to_sql WHERE mqls + sqls_entered > 0',
	$$ VALUES (date '2026-03-01', 5000::bigint, 500::bigint, 0.1, 0::bigint, 0::numeric),
			  (date '2026-04-01', 0, 0, NULL, 500, NULL) $$,
	'R003-05 5,000 MQLs, 500 SQLs: 10.0 % of the cohort, in whatever month');
ROLLBACK TO empty;

DO $$ BEGIN PERFORM way(n, '2026-03-10Z', '{lead}', '{0}') FROM generate_series(6, 1000) n;
			PERFORM way(n, '2026-03-10Z', '{lead,mql,customer}', '{0,1,9}') FROM generate_series(1, 5) n; END $$;
UPDATE lead SET stage = CASE WHEN lead_id <= 5 THEN 'customer' ELSE 'lead' END;
SELECT results_eq('SELECT reached, first_reached, from_first, rate_from_first, in_it_now
	FROM funnel WHERE milestone = ''customer''',
	$$ VALUES (5::bigint, 1000::bigint, 5::bigint, 0.005, 5::bigint) $$,
	'R003-06 1,000 leads, 5 customers: 0.5 % lead-to-customer rate');
SELECT results_eq('SELECT reached, leads, accounts, from_previous, rate_from_previous, length(bar)
	FROM funnel WHERE milestone IN (''lead'', ''mql'') ORDER BY position',
	$$ VALUES (1000::bigint, 1000::bigint, 7::bigint, NULL::bigint, NULL::numeric, 30),
			  (5, 5, 5, 5, 0.005, 1) $$,
	'D1 distinct leads and accounts beside units; numerator and denominator; a bar');
SELECT results_eq('SELECT sum(entered)::bigint, count(*) FROM funnel_monthly WHERE milestone = ''lead'' AND entered > 0',
	$$ VALUES (1000::bigint, 2::bigint) $$, 'D1 funnel_monthly: entries by month and source');
DELETE FROM stage WHERE milestone = 'sal';
SELECT is((SELECT previous_milestone FROM funnel WHERE milestone = 'sql'), 'mql',
		  'a funnel without a SAL stage has no such step');
ROLLBACK TO empty;

DO $$ BEGIN PERFORM way(1, '2026-03-10Z', '{sql,mql}', '{0,1}'), way(2, '2026-03-10Z', '{sql}', '{0}'),
					way(3, '2026-03-10Z', '{mql,sql}', '{0,0}'); END $$;
SELECT results_eq('SELECT mqls, sqls_of_cohort, cohort_rate, sqls_entered, period_rate, skipped, odd FROM mql_to_sql WHERE mqls > 0',
	$$ VALUES (2::bigint, 1::bigint, 0.5, 3::bigint, 1.5, 1::bigint, 1::bigint) $$,
	'D4 an SQL before its MQL is odd, one without is skipped; at the same instant counts');
ROLLBACK TO empty;

-- D3, D4: time zone and maturity
DO $$ BEGIN PERFORM way(1, '2026-01-31 23:30Z', '{mql,sql}', '{0,0}'); END $$;
SELECT is((SELECT month FROM mql_to_sql WHERE mqls > 0), date '2026-02-01',
		  'D3 a month is one in the funnel''s time zone');
SET LOCAL lead_qual.clock = '2026-05-29 22:00:00Z';
SELECT is((SELECT mature FROM mql_to_sql WHERE mqls > 0), true, 'D4 mature 90 days after the end of the month');
SET LOCAL lead_qual.clock = '2026-05-29 21:59:59Z';
SELECT is((SELECT mature FROM mql_to_sql WHERE mqls > 0), false, 'D4 not a second earlier');
SET LOCAL lead_qual.clock = '2027-01-01 00:00Z';
ROLLBACK TO empty;

-- R000-14
DO $$ BEGIN PERFORM way(1, '2026-01-01Z', '{sql,customer}', '{0,30}'),
					way(2, '2026-01-05Z', '{sql}', '{0}'),
					way(3, '2026-01-05Z', '{customer,sql}', '{0,2}'),
					way(4, '2026-01-05Z', '{sql,nurture}', '{0,50}'); END $$;
SELECT results_eq('SELECT sqls, n, n_open, n_exited, n_odd, mean_days, median_days, p90_days
	FROM monthly WHERE sqls > 0', $$ VALUES (4::bigint, 1::bigint, 1::bigint, 1::bigint, 1::bigint,
	30::numeric, 30::numeric, 30::numeric) $$,
	'R000-14 SQL 1 Jan, customer 31 Jan: 30 days; open, exited and odd ones counted (D5, D6)');
SELECT results_eq('SELECT km_median_days, won_by_30 FROM monthly WHERE sqls > 0',
	$$ VALUES (NULL::numeric, 0.3333) $$, 'R000-14 open SQLs are censored: no median yet');
ROLLBACK TO empty;

-- D6: the 6-MP arm as SQLs, censored ones as exits
DO $$ BEGIN PERFORM way(n, '2026-01-02Z', CASE WHEN w > 0 THEN '{sql,customer}'::text[]
											   ELSE '{sql,lost}' END, ARRAY[0, abs(w)])
	FROM unnest(ARRAY[6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22,
					  23, -25, -32, -32, -34, -35]) WITH ORDINALITY AS t (w, n); END $$;
SELECT results_eq('SELECT n, n_exited, km_median_days, median_days FROM monthly WHERE sqls > 0',
	$$ VALUES (9::bigint, 12::bigint, 23::numeric, 10::numeric) $$,
	'D6 Kaplan-Meier median of a published set is 23, of the closed alone 10');
ROLLBACK TO empty;
DO $$ BEGIN PERFORM way(n, '2026-01-02Z', CASE WHEN n < 4 THEN '{sql,customer}'::text[] ELSE '{sql,lost}' END,
	ARRAY[0, CASE WHEN n < 3 THEN 5 WHEN n = 3 THEN 10 ELSE 20 END]) FROM generate_series(1, 6) n; END $$;
SELECT is((SELECT km_median_days FROM monthly WHERE sqls > 0), 10::numeric,
		  'D6 S(t) = 1/2 exactly is the median');
ROLLBACK TO empty;
DO $$ BEGIN PERFORM way(1, '2026-01-02Z', '{sql,customer}', '{0,10}'), way(2, '2026-01-02Z', '{sql,lost}', '{0,10}'),
					way(3, '2026-01-02Z', '{sql}', '{0}'); END $$;
SELECT is((SELECT km_median_days FROM monthly WHERE sqls > 0), NULL,
		  'D6 at a tie the event comes before the exit');
ROLLBACK TO empty;

-- D6: exits compete: 1/4 + 1/2 * 1/2, where 1 - S would say 5/8
DO $$ BEGIN PERFORM way(1, '2026-01-02Z', '{sql,customer}', '{0,10}'), way(2, '2026-01-02Z', '{sql,lost}', '{0,20}'),
					way(3, '2026-01-02Z', '{sql,customer}', '{0,30}'), way(4, '2026-01-02Z', '{sql}', '{0}'); END $$;
SELECT results_eq('SELECT won_by_30, won_by_60, won_by_180, km_median_days FROM monthly WHERE sqls > 0',
	$$ VALUES (0.5, 0.5, 0.5, 30::numeric) $$, 'D6 Aalen-Johansen incidence, by hand');
SET LOCAL lead_qual.clock = '2026-03-10Z';
SELECT results_eq('SELECT won_by_60, won_by_90 FROM monthly WHERE sqls > 0', $$ VALUES (0.5, NULL::numeric) $$,
	'D6 beyond what anybody was followed nothing is claimed');
DELETE FROM stage_history WHERE lead_id = 4;
SELECT results_eq('SELECT won_by_60, won_by_180 FROM monthly WHERE sqls > 0', $$ VALUES (0.6667, 0.6667) $$,
	'D6 when all have ended the share is known for good');
SET LOCAL lead_qual.clock = '2027-01-01Z';
ROLLBACK TO empty;

-- D6 against an independent calculation, unit by unit
DO $$ BEGIN PERFORM setseed(0.3); PERFORM way(n, '2026-01-02Z',
	CASE WHEN n % 3 = 0 THEN '{sql,customer}'::text[] WHEN n % 3 = 1 THEN '{sql,lost}' ELSE '{sql,sql}' END,
	ARRAY[0, floor(random() * 200)::numeric]) FROM generate_series(1, 300) n; END $$;
CREATE TEMP TABLE unit AS
SELECT customer_at IS NOT NULL AS won, exited_at IS NOT NULL AS gone,
	   extract(epoch FROM coalesce(customer_at, exited_at, funnel_now()) - sql_at)::float8 / 86400 AS days
FROM lead_journey;
CREATE FUNCTION incidence(until float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE t float8; s float8 := 1; f float8 := 0; at_risk int; w int; g int;
BEGIN
	FOR t IN SELECT DISTINCT days FROM unit WHERE (won OR gone) AND days <= until ORDER BY 1 LOOP
		SELECT count(*), count(*) FILTER (WHERE won AND days = t), count(*) FILTER (WHERE gone AND days = t)
		INTO at_risk, w, g FROM unit WHERE days >= t;
		f := f + s * w / at_risk; s := s * (at_risk - w - g) / at_risk;
	END LOOP;
	RETURN f;
END $$;
SELECT is((SELECT array_agg(v) FROM (SELECT * FROM monthly WHERE sqls > 0) AS v0,
		   LATERAL (VALUES (won_by_30), (won_by_60), (won_by_90), (won_by_180)) x (v)),
		  (SELECT array_agg(round(incidence(d)::numeric, 4) ORDER BY d) FROM unnest(ARRAY[30, 60, 90, 180]) d),
		  'D6 random cohort: the incidence of an independent loop');
SELECT is((SELECT km_median_days FROM monthly WHERE sqls > 0), (SELECT round(days::numeric, 2) FROM (
	SELECT e.days, round(exp(sum(ln(1 - e.d / e.n)) OVER (ORDER BY e.days))::numeric, 9) AS s
	FROM (SELECT u.days, count(*) FILTER (WHERE u.won)::float8 AS d,
				 (SELECT count(*) FROM unit r WHERE r.days >= u.days)::float8 AS n
		  FROM unit u GROUP BY u.days) e) k WHERE s <= 0.5 ORDER BY days LIMIT 1),
	'D6 random cohort: the median of an independent product');
SELECT ok((SELECT won_by_30 <= won_by_60 AND won_by_60 <= won_by_90 AND won_by_90 <= won_by_180
				  AND won_by_180 <= 1 FROM monthly WHERE sqls > 0), 'D6 incidence rises and stays within 1');
SELECT ok((SELECT won_by_180 + incidence_of_exit <= 1.000001 FROM (SELECT * FROM monthly WHERE sqls > 0) AS v0,
		   LATERAL (SELECT count(*)::numeric / 300 AS incidence_of_exit FROM unit WHERE gone AND days <= 180) x),
		  'D6 incidence and exits together stay within 1');
SELECT is((SELECT sqls FROM monthly WHERE sqls > 0), (SELECT n + n_open + n_exited + n_odd FROM monthly WHERE sqls > 0),
		  'D6 every SQL is counted once');

-- a month of one lead that was won at once
ROLLBACK TO empty;
DO $$ BEGIN PERFORM way(1, '2026-01-02Z', '{sql,customer}', '{0,0}'); END $$;
SELECT results_eq('SELECT mean_days, km_median_days, won_by_180 FROM monthly WHERE sqls > 0',
	$$ VALUES (0::numeric, 0::numeric, 1::numeric) $$, 'D5 no time at all is a velocity of 0 days');

SELECT * FROM finish();
ROLLBACK;
