-- rebuild_history(): leads as an imported history says.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(26);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_stranger;
DO $$ BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database());
END $$;
SET ROLE regress_lq_owner;
SELECT create_funnel('Crm é', 'Europe/Berlin');
SET LOCAL TimeZone = 'America/New_York';
SET LOCAL search_path = "Crm é", public;
SET LOCAL lead_qual.clock = '2026-01-01 00:00+00';

SET LOCAL lead_qual.import = on;
INSERT INTO lead (email, stage, stage_entered_at, source, campaign) VALUES
	('ann@example.com', 'lead', '2025-01-01', 'event', 'fair'),
	('ben@example.com', 'mql', '2025-02-01', NULL, NULL),
	('cy@example.com', 'lead', '2025-03-01', NULL, NULL);
-- not in the order of time; across the change of clocks in Berlin
INSERT INTO stage_history (lead_id, to_stage, entered_at, automatic, actor) VALUES
	(1, 'sal', '2025-01-20 09:00+01', false, 'sue'), (1, 'mql', '2025-01-10 09:00+01', true, NULL),
	(1, 'lead', '2025-01-01 09:00+01', true, NULL), (1, 'nurture', '2025-02-01 09:00+01', false, 'sue'),
	(1, 'mql', '2025-03-20 09:00+01', true, NULL), (1, 'sal', '2025-03-25 09:00+01', false, 'sam');
INSERT INTO stage_history (lead_id, to_stage, entered_at, voided_at) VALUES
	(1, 'customer', '2025-03-22 09:00+01', '2025-03-23');
UPDATE stage SET sla = '7 days' WHERE stage = 'sal';
INSERT INTO answer (lead_id, framework, element, level, answered_at) VALUES
	(1, 'bant', 'budget', 'yes', '2025-01-01'), (1, 'bant', 'budget', 'no', '2025-02-01'),
	(1, 'bant', 'need', 'yes', '2025-02-01'), (1, 'champ', 'money', 'partial', '2025-02-01'),
	(1, 'meddic', 'champion', 'yes', '2025-02-01');
INSERT INTO deal (amount, status, closed_at) VALUES (100, 'won', '2025-01-15'), (50, 'open', NULL),
	(30, 'won', '2025-04-01');
INSERT INTO deal_contact (deal_id, lead_id) VALUES (1, 1), (2, 1), (3, 1);
SET LOCAL lead_qual.import = off;

SELECT cmp_ok(rebuild_history('Crm é'), '>', 0::bigint, 'something changes');
SELECT is(current_setting('lead_qual.import'), 'off', 'the import is over');
SELECT is(current_setting('TimeZone'), 'America/New_York', 'and the time zone is the session''s');

SELECT results_eq($$ SELECT from_stage, to_stage, cycle FROM stage_history
	WHERE lead_id = 1 AND voided_at IS NULL ORDER BY entered_at $$,
	$$ VALUES (NULL, 'lead', 1), ('lead', 'mql', 1), ('mql', 'sal', 1), ('sal', 'nurture', 1),
			  ('nurture', 'mql', 2), ('mql', 'sal', 2) $$,
	'R003-20 from_stage and cycle follow from the order of time');
SELECT is((SELECT from_stage FROM stage_history WHERE to_stage = 'customer'), NULL,
	'a voided row is left alone');
SELECT results_eq($$ SELECT DISTINCT source, campaign FROM stage_history WHERE lead_id = 1 AND voided_at IS NULL $$,
	$$ VALUES ('event', 'fair') $$, 'the lead''s source is that of its moves');
SELECT results_eq($$ SELECT stage, stage_entered_at, cycle, cycle_started_at FROM lead WHERE lead_id = 1 $$,
	$$ VALUES ('sal', timestamptz '2025-03-25 09:00+01', 2, timestamptz '2025-03-20 09:00+01') $$,
	'the lead stands where its last move led');
SELECT results_eq($$ SELECT accepted_at, accepted_by FROM lead WHERE lead_id = 1 $$,
	$$ VALUES (timestamptz '2025-03-25 09:00+01', 'sam') $$,
	'R001-01 it was accepted with the first SAL of its cycle');
SELECT is((SELECT due_at FROM lead WHERE lead_id = 1), '2025-04-01 09:00+02',
	'R004-10 its deadline counts days as the funnel''s time zone does');
SELECT is((SELECT bant || '' FROM lead WHERE lead_id = 1), 'B- N+', 'the latest answers count');
SELECT is((SELECT meddic -> 'champion' FROM lead WHERE lead_id = 1), 'yes', 'of every framework');
SELECT is((SELECT answers FROM lead WHERE lead_id = 1), '{"champ": {"money": "partial"}}', 'of the user''s, too');
SELECT results_eq($$ SELECT deals_open, deals_won, deals_lost, won_amount FROM lead WHERE lead_id = 1 $$,
	$$ VALUES (1, 1, 0, 130::numeric) $$, 'deals won count in their cycle, their money always');
SELECT results_eq($$ SELECT from_stage, to_stage, entered_at, cycle FROM stage_history WHERE lead_id = 2 $$,
	$$ VALUES (NULL::text, 'mql', timestamptz '2025-02-01', 1) $$,
	'a lead without history came into being where it is');
SELECT is((SELECT review_at FROM lead WHERE lead_id = 1), funnel_now(), 'changed leads are to be looked at');

SELECT is(rebuild_history('Crm é'), 0::bigint, 'a second time nothing changes');
SELECT is(rescore_funnel('Crm é'), 3::bigint, 'every lead gets a card');
SELECT is((SELECT stage FROM lead WHERE lead_id = 1), 'sal', 'and stays where it is');
SELECT is(rebuild_history('Crm é'), 0::bigint, 'nothing changes still');
SELECT is_empty($$ SELECT * FROM check_funnel('Crm é') WHERE finding NOT LIKE 'deal_ahead%' $$,
	'nothing is wrong after it');

-- a move that did not count
UPDATE stage_history SET voided_at = funnel_now(), voided_why = 'mistake'
	WHERE to_stage = 'sal' AND cycle = 2;
SELECT is((SELECT n FROM check_funnel('Crm é', deep => false) WHERE finding = 'stage_differs'), 1::bigint,
	'a lead whose last move was voided is told of');
SELECT rebuild_history('Crm é');
SELECT results_eq('SELECT stage, cycle, accepted_at FROM lead WHERE lead_id = 1',
	$$ VALUES ('mql', 2, NULL::timestamptz) $$, 'and goes back');

-- won before its first contact: wrong dates are told of
SET LOCAL lead_qual.import = on;
INSERT INTO lead (email, stage) VALUES ('odd@example.com', 'customer');
INSERT INTO stage_history (lead_id, to_stage, entered_at)
	SELECT lead_id, s.stage, s.entered_at::timestamptz
	FROM lead, (VALUES ('customer', '2025-05-01'), ('mql', '2025-05-03')) AS s (stage, entered_at)
	WHERE email = 'odd@example.com';
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('Crm é');
SELECT is((SELECT count(*) FROM lead_journey AS j JOIN lead AS l USING (lead_id) WHERE l.email = 'odd@example.com'), 1::bigint,
	'D5 a lead won before its first contact is one unit, whose order is odd');

-- refusals
SET LOCAL lead_qual.import = on;
INSERT INTO stage_history (lead_id, to_stage, entered_at) VALUES (3, 'moon', '2025-03-02');
SET LOCAL lead_qual.import = off;
SELECT throws_ok($$ SELECT rebuild_history('Crm é') $$, '23503', NULL, 'a stage that the funnel lacks');
RESET ROLE;
GRANT USAGE ON SCHEMA "Crm é" TO regress_lq_stranger;
GRANT ALL ON ALL TABLES IN SCHEMA "Crm é" TO regress_lq_stranger;
RESET lead_qual.clock;
SET ROLE regress_lq_stranger;
SELECT throws_ok($$ SELECT rebuild_history('Crm é') $$, '42501', NULL, 'only its owner rebuilds a funnel');
SELECT throws_ok($$ SELECT rescore_funnel('Crm é') $$, '42501', NULL, 'or rescores it');

RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
