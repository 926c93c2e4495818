-- erase_lead(): the person goes, the statistics stay.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(30);

CREATE ROLE regress_lq_stranger;
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO lead (lead_id, email, full_name, country, source) OVERRIDING SYSTEM VALUE
	SELECT i, 'zoe' || i || '@example.com', 'Zoe Zimmer', 'DE', 'event' FROM generate_series(1, 4) AS i;
INSERT INTO activity (lead_id, kind, occurred_at, properties) SELECT l, k, funnel_now() - interval '1 hour', '{"name": "Zoe Zimmer"}'
	FROM generate_series(1, 3) AS l, unnest('{webinar,demo_request,pricing_page_view,sales_call}'::text[]) AS k;
SELECT archive_activities('crm', '2026-03-02 08:30Z');
UPDATE lead SET bant = 'B+ A+ N+ T~' WHERE lead_id < 4;
UPDATE lead SET stage = 'sal', note = 'Zoe Zimmer is nice' WHERE lead_id < 4;
INSERT INTO activity (lead_id, kind) SELECT l, 'sales_call' FROM generate_series(1, 3) AS l;
SET LOCAL lead_qual.clock = '2026-03-03 09:00Z';
UPDATE lead SET stage = 'sql', note = 'as Zoe said' WHERE lead_id < 3;
UPDATE lead SET stage = 'nurture', reason = (SELECT reason FROM reason WHERE applies_to = 'nurture' LIMIT 1), note = 'Zoe waits' WHERE lead_id = 3;
UPDATE answer SET note = 'Zoe has the money' WHERE lead_id = 1 AND element = 'budget';
INSERT INTO deal (deal_id, amount, status) OVERRIDING SYSTEM VALUE VALUES (1, 100, 'open');
INSERT INTO deal_contact VALUES (1, 1, 'buyer'), (1, 2, 'user');
SET LOCAL lead_qual.clock = '2026-03-13 09:00Z';
UPDATE deal SET status = 'won';
INSERT INTO verdict (lead_id, side, qualified, note) VALUES (1, 'sales', true, 'Zoe is ready');
SET LOCAL lead_qual.import = on;
INSERT INTO signature (lead_id, to_stage, cycle, side, signed_by, note) VALUES (1, 'sql', 1, 'sales', 'boss', 'Zoe has signed');
SET LOCAL lead_qual.import = off;
UPDATE stage_history SET voided_at = funnel_now(), voided_by = 'boss', voided_why = 'Zoe called' WHERE lead_id = 2 AND to_stage = 'sal';
SELECT rebuild_history('crm');
SELECT is((SELECT string_agg(stage, ' ' ORDER BY lead_id) FROM lead WHERE lead_id < 4), 'customer customer nurture', 'ways that leads went');
SELECT cmp_ok((SELECT count(*) FROM stage_history WHERE note IS NOT NULL), '>', 3::bigint, 'things that were noted');

-- refused
SELECT throws_ok($$ SELECT erase_lead('crm', '99') $$, 'P0002', NULL, 'an unknown lead');
SELECT throws_ok($$ SELECT erase_lead('crm', NULL) $$, '22004', NULL, 'no lead');
SELECT throws_ok($$ SELECT erase_lead('crm', 'zoe') $$, 'P0002', NULL, 'not a key');
SELECT throws_ok($$ SELECT erase_lead('nowhere', '1') $$, '3F000', NULL, 'no such funnel');
SET LOCAL ROLE regress_lq_stranger;
SELECT throws_ok($$ SELECT erase_lead('crm', '1') $$, '42501', NULL, 'it is for members of the owner');
RESET ROLE;

CREATE TEMP TABLE journey AS SELECT * FROM lead_journey;
ALTER TABLE journey DROP COLUMN gone_at;
CREATE TEMP TABLE won AS SELECT * FROM won_deal;
CREATE TEMP TABLE monthly AS SELECT * FROM funnel_monthly;
CREATE TEMP TABLE conversion AS SELECT * FROM sql_conversion;
CREATE TEMP TABLE ratio AS SELECT * FROM mql_to_sql;
CREATE TEMP TABLE velocity AS SELECT * FROM sql_velocity;
CREATE TEMP TABLE revenue AS SELECT * FROM sql_revenue;
CREATE TEMP TABLE moves AS SELECT history_id, lead_id, from_stage, to_stage, entered_at, cycle, actor, reason, voided_at, voided_by FROM stage_history;

SELECT lives_ok($$ SELECT erase_lead('crm', '1'), erase_lead('crm', '2'), erase_lead('crm', '3') $$, 'they go');
SELECT results_eq('SELECT lead_id FROM lead', 'VALUES (4::bigint)', 'the leads are gone');
SELECT is_empty('SELECT lead_id FROM activity', 'and what they did');
SELECT is_empty('SELECT lead_id FROM answer WHERE lead_id < 4', 'and what they said');
SELECT is_empty('SELECT lead_id FROM baseline', 'and what was left of their archives');
SELECT is_empty($$ SELECT * FROM stage_history AS h WHERE h::text ILIKE '%zoe%' $$, 'and what was noted with their moves');
-- whatever a later version adds: no table keeps a trace
CREATE FUNCTION pg_temp.traces() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	name text;
	n bigint;
BEGIN
	FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('SELECT count(*) FROM crm.%I AS t WHERE t::text ~* ''zoe[1-3]|zoe (called|said|waits|is|has)''', name) INTO n;
		IF n > 0 THEN
			RETURN NEXT name;
		END IF;
	END LOOP;
END $$;
SELECT is_empty('SELECT pg_temp.traces()', 'no table keeps a trace of them');
SELECT is((SELECT signed_by FROM signature WHERE lead_id = 1), 'boss', 'but who signed for a lead stays known');

SELECT results_eq('SELECT history_id, lead_id, from_stage, to_stage, entered_at, cycle, actor, reason, voided_at, voided_by FROM stage_history ORDER BY 1',
	'SELECT * FROM moves ORDER BY 1', 'R000-23 the moves stay');
SELECT is_empty($$ SELECT FROM lead_journey AS n FULL JOIN journey AS j ON (j.lead_id, j.cycle) = (n.lead_id, n.cycle)
	WHERE n.lead_id IS NULL OR to_jsonb(n) - 'gone_at' IS DISTINCT FROM to_jsonb(j) $$, 'D1 so do the units');
SELECT results_eq('SELECT * FROM won_deal', 'SELECT * FROM won', 'and the deals');
SELECT results_eq('SELECT * FROM funnel_monthly ORDER BY 1, 2, 3', 'SELECT * FROM monthly ORDER BY 1, 2, 3', 'D3 no entry is lost');
SELECT results_eq('SELECT * FROM sql_conversion ORDER BY 1', 'SELECT * FROM conversion ORDER BY 1', 'D4 no conversion changes');
SELECT results_eq('SELECT * FROM mql_to_sql ORDER BY 1', 'SELECT * FROM ratio ORDER BY 1', 'D4 from no stage');
SELECT results_eq('SELECT * FROM sql_velocity ORDER BY by, month, source', 'SELECT * FROM velocity ORDER BY by, month, source', 'D5 no velocity');
SELECT results_eq('SELECT * FROM sql_revenue ORDER BY 1, 2', 'SELECT * FROM revenue ORDER BY 1, 2', 'D8 no revenue');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding <> 'review_overdue' $$, 'all is well');

-- a unit that was open is followed until its lead went, not for ever
SELECT is((SELECT count(*) FROM lead_journey WHERE gone_at IS NOT NULL), 3::bigint, 'N11: of a lead that is gone it is known since when');
SET LOCAL lead_qual.clock = '2026-05-01Z';
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (11), (12);
SET LOCAL lead_qual.import = on;
INSERT INTO stage_history (lead_id, to_stage, entered_at) VALUES (11, 'sql', '2026-05-01Z'), (12, 'sql', '2026-05-01Z'), (11, 'customer', '2026-05-11Z');
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('crm') > 0;
SET LOCAL lead_qual.clock = '2026-12-01Z';
SELECT results_eq($$ SELECT n, n_open, won_by_90 FROM sql_velocity WHERE month = '2026-05-01' $$,
	$$ VALUES (1::bigint, 1::bigint, 0.5) $$, 'D6 an open lead is at risk');
SELECT erase_lead('crm', '12');
SELECT results_eq($$ SELECT n, n_open, n_gone, won_by_90 FROM sql_velocity WHERE month = '2026-05-01' $$,
	$$ VALUES (1::bigint, 0::bigint, 1::bigint, 0.5) $$, 'N11: D6 an erased one was until it went');

-- what comes later
SELECT lives_ok($$ UPDATE deal SET amount = 120 $$, 'a deal outlives its people');
SELECT is((SELECT sum(amount) FROM won_deal), 120::numeric, 'with its amount');
SELECT lives_ok($$ INSERT INTO lead (email) VALUES ('zoe1@example.com') $$, 'who comes back is a new lead');

SELECT * FROM finish();
ROLLBACK;
