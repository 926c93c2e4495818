-- Deals and where they lead: money of other currencies, deals won late, stages
-- that are ahead of deals, and funnels that go without a stage.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(23);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
CREATE FUNCTION pg_temp.at(day text) RETURNS void LANGUAGE sql AS $$ SELECT set_config('lead_qual.clock', day || ' 09:00Z', true) $$;
CREATE FUNCTION pg_temp.stands(lead bigint) RETURNS text LANGUAGE sql AS
	'SELECT concat_ws('' '', stage, cycle, deals_open, deals_won, deals_lost) FROM crm.lead WHERE lead_id = $1';
CREATE FUNCTION pg_temp.found() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', finding, object, n, detail, hint) FROM check_funnel('crm', false) WHERE finding IN ('deal_ahead_of_stage', 'stage_ahead_of_deals') $$;
-- an opportunity with a deal
CREATE FUNCTION pg_temp.sell(lead bigint, deal bigint) RETURNS void LANGUAGE sql AS $$
	INSERT INTO crm.lead (lead_id, source, stage, bant) OVERRIDING SYSTEM VALUE VALUES ($1, 'outbound', 'sal', 'B+ A+ N+ T+');
	INSERT INTO crm.activity (lead_id, kind) VALUES ($1, 'sales_call');
	UPDATE crm.lead SET stage = 'sql' WHERE lead_id = $1;
	INSERT INTO crm.deal (deal_id, amount) OVERRIDING SYSTEM VALUE VALUES ($2, 100);
	INSERT INTO crm.deal_contact VALUES ($2, $1) $$;

-- money
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (90);
INSERT INTO deal (deal_id, amount, currency, home_amount, status) OVERRIDING SYSTEM VALUE VALUES
	(91, 1000, 'EUR', NULL, 'won'), (92, 50000, 'JPY', NULL, 'won'), (93, 7, NULL, NULL, 'won'), (94, 9, 'USD', 8, 'won'), (95, NULL, NULL, NULL, 'won');
INSERT INTO deal_contact SELECT deal_id, 90 FROM deal;
SELECT is(won_amount, 1015::numeric, 'N3: foreign money is no money of the funnel''s, but where home_amount says what it is worth') FROM lead WHERE lead_id = 90;
SELECT is((SELECT sum(amount) FROM won_deal), won_amount, 'N3: as the views say') FROM lead WHERE lead_id = 90;
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding = 'deals_differ' $$, 'N3: and check_funnel()');
SET LOCAL lead_qual.import = on;
UPDATE lead SET won_amount = 51015 WHERE lead_id = 90;
SET LOCAL lead_qual.import = off;
SELECT is(rebuild_history('crm'), 1::bigint, 'N3: and rebuild_history(), which sets right');
SELECT is(won_amount, 1015::numeric, 'N3: what was counted otherwise') FROM lead WHERE lead_id = 90;
SET LOCAL lead_qual.import = on;
UPDATE deal SET closed_at = NULL WHERE deal_id = 93;
SET LOCAL lead_qual.import = off;
SELECT results_eq($$ SELECT finding, n, detail FROM check_funnel('crm', false) WHERE object = 'deal' ORDER BY finding $$,
	$$ VALUES ('deal_foreign', 1::bigint, 'Won deals 92 are of another currency than the funnel''s: won_amount and revenue lack them.'),
			  ('deal_undated', 1, 'Won deals 93 have no close date: no month and no SQL has their revenue.'),
			  ('deal_unpriced', 1, 'Won deals 95 have no amount: revenue lacks it.') $$, 'N10, N3: check_funnel() counts what revenue lacks');
DELETE FROM deal;
DELETE FROM lead;

-- a deal is won, wherever the lead stands
SELECT pg_temp.sell(1, 1);
SELECT is(pg_temp.stands(1), 'opportunity 1 1 0 0', 'an opportunity');
SELECT pg_temp.at('2026-03-10');
UPDATE deal SET status = 'lost', reason = 'price' WHERE deal_id = 1;
SELECT is(pg_temp.stands(1), 'lost 1 0 0 1', 'whose deal is lost');
SELECT pg_temp.at('2026-04-10');
UPDATE deal SET status = 'won', closed_at = '2026-04-10 09:00Z' WHERE deal_id = 1;
SELECT is(pg_temp.stands(1), 'customer 1 0 1 0', 'N7: and won after all makes a customer, in the same cycle');
SELECT results_eq('SELECT cycle, sql_at IS NOT NULL, won_deals, won_amount FROM lead_journey WHERE lead_id = 1', 'VALUES (1::bigint, true, 1::bigint, 100::numeric)',
	'N7: of the SQL that it is credited to');
SELECT pg_temp.sell(2, 2);
UPDATE lead SET stage = 'nurture', reason = 'no_timeline' WHERE lead_id = 2;
UPDATE deal SET status = 'won' WHERE deal_id = 2;
SELECT is(pg_temp.stands(2), 'customer 1 0 1 0', 'N7: so does one won in nurture');
SELECT pg_temp.sell(3, 3);
UPDATE lead SET stage = 'lost', reason = 'price' WHERE lead_id = 3;
INSERT INTO deal (deal_id, amount, status) OVERRIDING SYSTEM VALUE VALUES (33, 10, 'won');
INSERT INTO deal_contact VALUES (33, 3);
SELECT is(pg_temp.stands(3), 'customer 1 1 1 0', 'N7: or another deal that is won');
UPDATE lead SET stage = 'opportunity' WHERE lead_id = 3;
SELECT is(pg_temp.stands(3), 'opportunity 2 1 0 0', 'a customer buys again');
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (4);
INSERT INTO deal (deal_id, amount, status) OVERRIDING SYSTEM VALUE VALUES (4, 10, 'won');
INSERT INTO deal_contact VALUES (4, 4);
SELECT is(array_agg(f), ARRAY['deal_ahead_of_stage | lead | 1 | Leads 4: their deals say "customer". | SELECT * FROM why_not(''crm'', lead, ''customer'') tells what the transition still needs.'],
	'D11: stages that were skipped are told, not made up') FROM pg_temp.found() AS f;
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition) VALUES ('default', 83, '*', 'customer', true, 'deals_won > 0 AND stage <> ''disqualified''');
SELECT ok(rescore_funnel('crm', true) > 0, 'by a rule of one''s own');
SELECT is(pg_temp.stands(4), 'customer 1 0 1 0', 'N7: one row lets a won deal make a customer of whoever has it');

-- the other way round
UPDATE deal SET status = 'lost', reason = 'price' WHERE deal_id = 1;
SELECT is(pg_temp.stands(1), 'customer 1 0 0 1', 'a deal was no deal: nobody stops being a customer by itself');
SELECT is(array_agg(f), ARRAY[format('stage_ahead_of_deals | customer | 1 | Leads 1: none of their deals says "customer" any more. | Correct the deals, or take the moves back: SELECT void_moves(''crm'', ARRAY[%s], ''why'').',
	(SELECT max(history_id) FROM stage_history WHERE lead_id = 1))], 'N6: which is found') FROM pg_temp.found() AS f;
DO $$ BEGIN EXECUTE (SELECT substring(hint FROM 'SELECT .*[)]') FROM check_funnel('crm', false) WHERE finding = 'stage_ahead_of_deals'); END $$;
SELECT is(pg_temp.stands(1), 'lost 1 0 0 1', 'N6: and taken back as the hint says');
SELECT is_empty('SELECT pg_temp.found()', 'N6: then all is well');
DELETE FROM deal WHERE deal_id = 4;
SELECT matches((SELECT f FROM pg_temp.found() AS f), '^stage_ahead_of_deals \| customer \| 1 \| Leads 4', 'N6: a deal that is deleted is no deal either');
DELETE FROM lead WHERE lead_id IN (3, 4);

-- a funnel without opportunities
DELETE FROM transition WHERE to_stage = 'opportunity';
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (5);
INSERT INTO deal (deal_id, amount) OVERRIDING SYSTEM VALUE VALUES (5, 10);
INSERT INTO deal_contact VALUES (5, 5);
SELECT is_empty('SELECT pg_temp.found()', 'N6: where no transition leads to opportunity, an open deal is ahead of nothing');
UPDATE deal SET status = 'won' WHERE deal_id = 5;
SELECT is(pg_temp.stands(5), 'customer 1 0 1 0', 'and a won one makes a customer');

SELECT * FROM finish();
ROLLBACK;
