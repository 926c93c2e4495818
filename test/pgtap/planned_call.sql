-- A call dated ahead is a plan: it counts once somebody says it took place.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(14);
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
CREATE FUNCTION pg_temp.hits(lead bigint) RETURNS bigint LANGUAGE sql AS
	$$ SELECT hits(l.scorecard, r.rule_id) FROM crm.lead AS l, crm.rule AS r WHERE l.lead_id = $1 AND r.name = 'sales_conversation' AND r.definition = 'default' $$;
INSERT INTO lead (lead_id, source, stage, bant) OVERRIDING SYSTEM VALUE SELECT i, 'outbound', 'sal', 'B+ A+ N+ T+' FROM generate_series(1, 6) i;

INSERT INTO activity (lead_id, kind, occurred_at) VALUES (1, 'sales_call', '2026-04-02 09:00Z');
SELECT is((SELECT count(*) FROM activity WHERE lead_id = 1), 1::bigint, 'N20: a planned call is kept');
SELECT throws_ok($$ UPDATE crm.lead SET stage = 'sql' WHERE lead_id = 1 $$, '23514', NULL, 'N20: and makes no SQL now');
SELECT is(pg_temp.hits(1), 0::bigint, 'N20: it has not taken place');
UPDATE activity SET properties = '{"room": 1}' WHERE lead_id = 1;
SELECT is(pg_temp.hits(1), 0::bigint, 'N20: nor when it is changed before its time');
SET LOCAL lead_qual.clock = '2026-04-02 09:30Z';
SELECT rescore_funnel('crm') \g /dev/null
SELECT is(pg_temp.hits(1), 0::bigint, 'N20: nor by itself, once its time has passed: who knows whether it took place?');
UPDATE activity SET properties = '{"room": 1, "took_place": true}' WHERE lead_id = 1;
SELECT is(pg_temp.hits(1), 1::bigint, 'N20: somebody who writes the row then says so');
SELECT lives_ok($$ UPDATE crm.lead SET stage = 'sql' WHERE lead_id = 1 $$, 'N20: and the lead may go on');
SELECT rescore_funnel('crm') \g /dev/null
SELECT is(pg_temp.hits(1), 1::bigint, 'N20: a replay says the same');
DELETE FROM activity WHERE lead_id = 1;
SELECT is(pg_temp.hits(1), 0::bigint, 'N20: without it nothing is left of it');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE severity = 'error' $$, 'N20: cards are what their logs give');

INSERT INTO activity (lead_id, kind, occurred_at) VALUES (2, 'sales_call', '2026-04-02 09:34Z'), (3, 'demo_request', '2026-05-02 09:00Z'), (4, 'meeting', '2026-05-02 09:00Z');
SELECT is(pg_temp.hits(2), 1::bigint, 'N20: four minutes ahead is a clock that runs fast');
SELECT is((SELECT engagement FROM lead_now WHERE lead_id = 3), 120::numeric, 'N20: what the lead did counts as of the clock');
DELETE FROM activity WHERE lead_id = 4;
SELECT is(pg_temp.hits(4), 0::bigint, 'N20: a plan that is dropped takes nothing with it');
INSERT INTO activity (lead_id, kind, occurred_at) VALUES (5, 'meeting', '2026-05-02 09:00Z');
UPDATE activity SET occurred_at = '2026-04-02 09:00Z' WHERE lead_id = 5;
SELECT is(pg_temp.hits(5), 1::bigint, 'N20: one that took place earlier counts from then');
SELECT * FROM finish();
ROLLBACK;
