-- merge_leads(): of two journeys the one that got further stays.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(34);

SELECT create_funnel('f', 'UTC');
SET LOCAL search_path = f, public;
SET LOCAL lead_qual.clock = '2026-06-01 09:00Z';
CREATE FUNCTION pg_temp.load(lead bigint, stages text[], days int[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL lead_qual.import = on;
	INSERT INTO f.lead (lead_id, owner) OVERRIDING SYSTEM VALUE VALUES (lead, 'owner' || lead);
	INSERT INTO f.stage_history (lead_id, to_stage, entered_at, owner)
		SELECT lead, s, timestamptz '2026-01-01Z' + d * interval '1 day', 'owner' || lead FROM unnest(stages, days) AS m (s, d);
	SET LOCAL lead_qual.import = off;
	PERFORM rebuild_history('f');
END $$;
CREATE FUNCTION pg_temp.way(lead bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(cycle || ' ' || to_stage, ', ' ORDER BY entered_at, ordinal, history_id)
	FROM f.stage_history WHERE lead_id = $1 AND voided_at IS NULL $$;
-- both ways of merging; the pair of leads 2n - 1, 2n as it was before each
CREATE FUNCTION pg_temp.both(a text[], a_days int[], b text[], b_days int[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	first text; second text;
BEGIN
	BEGIN
		PERFORM pg_temp.load(1001, a, a_days), pg_temp.load(1002, b, b_days);
		PERFORM merge_leads('f', '1001', '1002');
		first := (SELECT pg_temp.way(1001) || '; in ' || stage || ' ' || cycle FROM f.lead WHERE lead_id = 1001);
		IF EXISTS (SELECT FROM check_funnel('f') WHERE severity = 'error') THEN first := first || ' WRONG'; END IF;
		RAISE EXCEPTION USING ERRCODE = 'LQ001';
	EXCEPTION WHEN SQLSTATE 'LQ001' THEN NULL;
	END;
	BEGIN
		PERFORM pg_temp.load(1001, a, a_days), pg_temp.load(1002, b, b_days);
		PERFORM merge_leads('f', '1002', '1001');
		second := (SELECT pg_temp.way(1002) || '; in ' || stage || ' ' || cycle FROM f.lead WHERE lead_id = 1002);
		IF EXISTS (SELECT FROM check_funnel('f') WHERE severity = 'error') THEN second := second || ' WRONG'; END IF;
		RAISE EXCEPTION USING ERRCODE = 'LQ001';
	EXCEPTION WHEN SQLSTATE 'LQ001' THEN NULL;
	END;
	RETURN CASE WHEN first = second THEN first ELSE first || ' | ' || second END;
END $$;

SELECT is(pg_temp.both(a, a_days, b, b_days), expected, 'N16: ' || name) FROM (VALUES
	('the further of two attempts stays, whichever lead is kept', '{lead,mql}'::text[], '{0,20}'::int[], '{lead,mql,sal,sql,opportunity,customer}'::text[], '{5,6,7,8,9,30}'::int[],
	 '1 lead, 1 mql, 1 sal, 1 sql, 1 opportunity, 1 customer; in customer 1'),
	('one that begins when the other is a customer already does not demote it', '{lead,mql}', '{50,51}', '{mql,sql,customer}', '{0,1,2}', '1 mql, 1 sql, 1 customer; in customer 1'),
	('but as an SQL it is another cycle', '{mql,sql}', '{50,51}', '{mql,sql,customer}', '{0,1,2}', '1 mql, 1 sql, 1 customer, 2 mql, 2 sql; in sql 2'),
	('two sales are two cycles', '{sql,customer}', '{50,51}', '{mql,sql,customer}', '{0,1,2}', '1 mql, 1 sql, 1 customer, 2 sql, 2 customer; in customer 2'),
	('two that overlap are one', '{sql,customer}', '{1,51}', '{mql,sql,opportunity}', '{0,1,2}', '1 sql, 1 customer; in customer 1'),
	('what ended before the other began stays', '{mql,sql,lost}', '{0,1,2}', '{lead,mql}', '{10,11}', '1 mql, 1 sql, 1 lost, 2 lead, 2 mql; in mql 2'),
	('on either side of it', '{mql,sql,lost,mql,nurture}', '{0,1,2,50,60}', '{lead,mql,disqualified,mql}', '{10,11,12,70}',
	 '1 mql, 1 sql, 1 lost, 2 lead, 2 mql, 2 disqualified, 3 mql, 3 nurture, 4 mql; in mql 4'),
	('of cycles that overlap, the further one each time', '{mql,sql,lost,lead,mql}', '{0,1,20,50,51}', '{mql,nurture,mql,sal,sql}', '{10,12,52,53,54}',
	 '1 mql, 1 sql, 1 lost, 2 mql, 2 sal, 2 sql; in sql 2'),
	('one that never came to the path gives way', '{nurture}', '{3}', '{mql,sql}', '{0,10}', '1 mql, 1 sql; in sql 1'),
	('and one that was disqualified meanwhile', '{lead,disqualified}', '{3,4}', '{mql}', '{0}', '1 mql; in mql 1'),
	('a customer who left is none any more', '{sql,customer,lost}', '{0,1,2}', '{lead,mql}', '{50,51}', '1 sql, 1 customer, 1 lost, 2 lead, 2 mql; in mql 2'),
	('at one instant', '{lead,mql}', '{0,0}', '{lead,mql,sql,customer}', '{0,0,0,0}', '1 lead, 1 mql, 1 sql, 1 customer; in customer 1'),
	('one that ends when the other begins is one', '{mql,lost}', '{0,10}', '{mql,sql}', '{10,20}', '1 mql, 1 sql; in sql 1'),
	('repeats of what goes do not come back', '{lead,mql,mql}', '{0,1,2}', '{lead,mql,sal}', '{0,1,3}', '1 lead, 1 mql, 1 sal; in sal 1')) AS v (name, a, a_days, b, b_days, expected);
SELECT is(pg_temp.both('{lead,mql}', '{0,1}', '{lead,mql}', '{2,3}'), '1 lead, 1 mql; in mql 1', 'N16: of equals, one');

-- the numbers: 1 is kept, 2 got further
SELECT pg_temp.load(1, '{lead,mql}', '{0,20}'), pg_temp.load(2, '{lead,mql,sal,sql,opportunity,customer}', '{5,6,7,8,9,30}'), pg_temp.load(3, '{lead,mql,sal,sql}', '{5,6,7,8}');
UPDATE lead SET bant = 'B+ N?' WHERE lead_id = 1;
SET LOCAL lead_qual.clock = '2026-06-01 10:00Z';
UPDATE lead SET bant = 'B- N+' WHERE lead_id = 2;
SET LOCAL lead_qual.import = on;
INSERT INTO deal (deal_id, amount, status, opened_at, closed_at) OVERRIDING SYSTEM VALUE VALUES
	(1, 1000, 'won', '2026-01-10Z', '2026-01-31Z'), (2, 70, 'open', '2026-05-01Z', NULL), (3, 5, 'won', '2026-01-10Z', '2026-01-31Z');
INSERT INTO deal_contact (deal_id, lead_id) VALUES (1, 2), (2, 1), (1, 1), (3, 3);
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('f');
CREATE TEMP TABLE conversion AS SELECT month, sqls, customers, rate FROM sql_conversion;
CREATE TEMP TABLE revenue AS SELECT deal_id, amount, cycle, sql_at FROM won_deal;
CREATE TEMP TABLE journey AS SELECT * FROM lead_journey WHERE lead_id = 2;
SELECT results_eq($$ SELECT moves FROM merge_leads('f', '1', '2') $$, 'VALUES (6::bigint)', 'N16: the moves come along');
SELECT results_eq('SELECT stage, cycle, stage_entered_at, owner FROM lead WHERE lead_id = 1',
	$$ VALUES ('customer', 1, timestamptz '2026-01-31Z', 'owner2') $$, 'N16: the lead stands where the further one stood, with its owner');
SELECT results_eq('SELECT accepted_at, cycle_started_at, due_at FROM lead WHERE lead_id = 1', $$ VALUES (timestamptz '2026-01-08Z', timestamptz '2026-01-06Z', NULL::timestamptz) $$, 'N16: accepted as that was');
SELECT results_eq('SELECT deals_open, deals_won, won_amount FROM lead WHERE lead_id = 1', 'VALUES (1, 1, 1000::numeric)', 'N16: deals of both count once');
SELECT is(bant, 'B- N+', 'N16: the latest answers of both') FROM (SELECT bant || '' AS bant FROM lead WHERE lead_id = 1) AS l;
SELECT results_eq('SELECT month, sqls, customers, rate FROM sql_conversion', 'SELECT * FROM conversion', 'N16: no SQL and no customer is lost');
SELECT results_eq('SELECT deal_id, amount, cycle, sql_at FROM won_deal ORDER BY 1', 'SELECT * FROM revenue ORDER BY 1', 'N16: nor revenue, credited once');
SELECT results_eq('SELECT won_deals, won_amount, sql_at, customer_at FROM lead_journey WHERE lead_id = 1', 'SELECT won_deals, won_amount, sql_at, customer_at FROM journey', 'N16: to the unit that it was credited to');
SELECT is((SELECT count(*) FROM lead_journey WHERE lead_id IN (1, 2)), 1::bigint, 'N16: which is one');
SELECT results_eq('SELECT DISTINCT lead_id, voided_why FROM stage_history WHERE voided_at IS NOT NULL', $$ VALUES (1::bigint, 'lead 2 was merged into 1') $$, 'N16: the other attempt is void, and says why');
SELECT is_empty('SELECT * FROM check_funnel(''f'') WHERE severity = ''error''', 'N16: all is well');
SELECT is(rebuild_history('f'), 0::bigint, 'N16: and stays so');

-- as it happens, at one instant
INSERT INTO lead (lead_id, source, stage, bant, owner) OVERRIDING SYSTEM VALUE VALUES (20, 'partner', 'sal', 'B+ A+ N+ T+', 'sue');
INSERT INTO lead (lead_id, owner) OVERRIDING SYSTEM VALUE VALUES (21, 'mia');
INSERT INTO activity (lead_id, kind) VALUES (20, 'meeting'), (21, 'demo_request');
UPDATE lead SET stage = 'sql' WHERE lead_id = 20;
INSERT INTO deal (deal_id, amount) OVERRIDING SYSTEM VALUE VALUES (20, 300);
INSERT INTO deal_contact (deal_id, lead_id) VALUES (20, 20);
UPDATE deal SET status = 'won' WHERE deal_id = 20;
SELECT is((SELECT string_agg(stage, ',' ORDER BY lead_id) FROM lead WHERE lead_id IN (20, 21)), 'customer,mql', 'N16: a customer and an MQL');
SELECT lives_ok('SELECT merge_leads(''f'', ''21'', ''20'')', 'N16: are one person');
SELECT is(pg_temp.way(21), '1 sal, 1 sql, 1 opportunity, 1 customer', 'N16: the customer');
SELECT results_eq('SELECT stage, owner, accepted_by IS NOT NULL, won_amount FROM lead WHERE lead_id = 21', $$ VALUES ('customer', 'sue', true, 300::numeric) $$, 'N16: with all that it has');
SELECT results_eq('SELECT lead_id, cycle, amount FROM won_deal WHERE deal_id = 20', 'VALUES (21::bigint, 1::bigint, 300::numeric)', 'N16: revenue included');
SELECT results_eq('SELECT from_stage, to_stage FROM stage_history WHERE lead_id = 21 AND voided_at IS NULL ORDER BY history_id LIMIT 1', $$ VALUES (NULL::text, 'sal') $$, 'N16: from the first move on');
SELECT is_empty('SELECT * FROM check_funnel(''f'') WHERE severity = ''error''', 'N16: all is well in the end');

SELECT * FROM finish();
ROLLBACK;
