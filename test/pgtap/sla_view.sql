-- What became of the leads handed over: hand_over and sla.
BEGIN;
SELECT plan(20);

CREATE SCHEMA f;
SET LOCAL search_path = f, public, pg_temp;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-03-31 00:00Z';
DO $$ BEGIN PERFORM _create_funnel_tables(); END $$;
\ir helper/told_journey.sql
DO $$ BEGIN PERFORM _create_funnel_views(); END $$;
INSERT INTO setting (template_version, time_zone) VALUES (1, 'Europe/Berlin');
INSERT INTO stage (stage, position, milestone) VALUES
	('lead', 1, 'lead'), ('mql', 2, 'mql'), ('sal', 3, 'sal'), ('sql', 4, 'sql'), ('customer', 5, 'customer'),
	('nurture', 6, 'nurture'), ('out', 7, 'disqualified');
INSERT INTO kind (kind, party, conversation) VALUES
	('visit', 'lead', false), ('call', 'sales', true), ('mail', 'sales', false), ('chat', 'lead', true);
INSERT INTO lead (lead_id, stage) SELECT n, 'mql' FROM generate_series(1, 14) AS n;
INSERT INTO stage_history (lead_id, to_stage, entered_at, due_at, cycle, automatic, owner, source, reason, voided_at) VALUES
	-- R004-10: three leads, due on Tuesday at nine
	(1, 'mql', '2026-03-02 09:00Z', '2026-03-03 09:00Z', 1, true, NULL, 'ads', NULL, NULL),
	(1, 'sal', '2026-03-03 08:59Z', NULL, 1, false, 'ben', 'ads', NULL, NULL),
	(2, 'mql', '2026-03-02 09:00Z', '2026-03-03 09:00Z', 1, true, NULL, 'ads', NULL, NULL),
	(2, 'sal', '2026-03-03 09:01Z', NULL, 1, false, 'ben', 'ads', NULL, NULL),
	(3, 'mql', '2026-03-02 09:00Z', '2026-03-03 09:00Z', 1, true, 'ben', 'ads', NULL, NULL),
	-- returned, handed over again in a second cycle, then accepted at the deadline itself
	(4, 'mql', '2026-03-02 09:00Z', '2026-03-03 09:00Z', 1, true, NULL, NULL, NULL, NULL),
	(4, 'nurture', '2026-03-02 12:00Z', NULL, 1, false, 'eva', NULL, 'too_early', NULL),
	(4, 'mql', '2026-03-20 09:00Z', '2026-03-21 09:00Z', 2, true, NULL, NULL, NULL, NULL),
	(4, 'sal', '2026-03-21 09:00Z', NULL, 2, false, 'ben', NULL, NULL, NULL),
	-- returned after acceptance is accepted; a voided acceptance is none
	(5, 'mql', '2026-03-02 09:00Z', NULL, 1, true, NULL, NULL, NULL, NULL),
	(5, 'sal', '2026-03-03 09:00Z', NULL, 1, false, 'ben', NULL, NULL, NULL),
	(5, 'nurture', '2026-03-09 09:00Z', NULL, 1, false, 'ben', NULL, 'no_need', NULL),
	(6, 'mql', '2026-03-30 09:00Z', '2026-03-31 09:00Z', 1, true, NULL, NULL, NULL, NULL),
	(6, 'sal', '2026-03-30 10:00Z', NULL, 1, false, 'ben', NULL, NULL, '2026-03-30 11:00Z'),
	-- no deadline; past the SAL; automatically in SAL; twice an MQL in a cycle; back to lead
	(7, 'mql', '2026-03-30 09:00Z', NULL, 1, true, NULL, NULL, NULL, NULL),
	(8, 'mql', '2026-03-02 09:00Z', '2026-03-03 09:00Z', 1, true, NULL, NULL, NULL, NULL),
	(8, 'customer', '2026-03-02 21:00Z', NULL, 1, true, NULL, NULL, NULL, NULL),
	(9, 'mql', '2026-03-02 09:00Z', '2026-03-03 09:00Z', 1, true, NULL, NULL, NULL, NULL),
	(9, 'sal', '2026-03-02 09:00Z', NULL, 1, true, 'eva', NULL, NULL, NULL),
	(10, 'mql', '2026-03-02 09:00Z', '2026-03-03 09:00Z', 1, true, NULL, NULL, NULL, NULL),
	(10, 'lead', '2026-03-05 09:00Z', NULL, 1, true, NULL, NULL, NULL, NULL),
	(10, 'mql', '2026-03-30 09:00Z', '2026-03-31 09:00Z', 1, true, NULL, NULL, NULL, NULL),
	(11, 'mql', '2026-03-02 09:00Z', '2026-03-03 09:00Z', 1, true, NULL, NULL, NULL, NULL),
	(11, 'lead', '2026-03-05 09:00Z', NULL, 1, true, NULL, NULL, NULL, NULL),
	-- never handed over: sales' own; handed over, then deleted
	(12, 'sal', '2026-03-02 09:00Z', NULL, 1, false, 'ben', NULL, NULL, NULL),
	(99, 'mql', '2026-03-02 09:00Z', '2026-03-03 09:00Z', 1, true, NULL, NULL, NULL, NULL),
	-- the month is that of the funnel's time zone
	(13, 'mql', '2026-02-28 23:30Z', '2026-03-01 23:30Z', 1, true, NULL, NULL, NULL, NULL),
	-- nobody sent it away
	(14, 'mql', '2026-03-02 09:00Z', '2026-03-03 09:00Z', 1, true, NULL, NULL, NULL, NULL),
	(14, 'nurture', '2026-03-09 09:00Z', NULL, 1, true, 'eva', NULL, 'silent', NULL);
INSERT INTO departure (lead_id, at, how, last_move)
	SELECT 99, '2026-03-02 12:00Z', 'erased', max(history_id) FROM stage_history WHERE lead_id = 99;
INSERT INTO activity (lead_id, occurred_at, kind) VALUES
	(1, '2026-03-01Z', 'call'), (1, '2026-03-02 15:00Z', 'mail'), (1, '2026-03-03 09:00Z', 'call'), (1, '2026-03-02 10:00Z', 'chat'),
	(2, '2026-03-02 21:00Z', 'mail'), (4, '2026-03-20 21:00Z', 'call'), (4, '2026-03-21 21:00Z', 'call'), (3, '2026-03-02 10:00Z', 'visit');

SELECT results_eq('SELECT lead_id, cycle, outcome, breached FROM hand_over ORDER BY 1, 2', $$ VALUES
	(1::bigint, 1::bigint, 'accepted', false), (2, 1, 'accepted', true), (3, 1, 'overdue', true),
	(4, 1, 'returned', false), (4, 2, 'accepted', false), (5, 1, 'accepted', NULL), (6, 1, 'pending', false),
	(7, 1, 'pending', NULL), (8, 1, 'accepted', false), (9, 1, 'overdue', true), (10, 1, 'overdue', true),
	(11, 1, 'overdue', true), (13, 1, 'overdue', true), (14, 1, 'withdrawn', true), (99, 1, 'gone', false) $$,
	'R004-08, N11: every lead handed over is accepted, returned, withdrawn, gone, pending or overdue');
SELECT results_eq('SELECT lead_id, return_reason, returned_at, withdrawn_at, gone_at, returned_later FROM hand_over
	WHERE outcome IN (''withdrawn'', ''gone'') OR returned_later ORDER BY 1',
	$$ VALUES (5::bigint, NULL, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, true),
			  (14, 'silent', NULL, '2026-03-09 09:00Z', NULL, false), (99, NULL, NULL, NULL, '2026-03-02 12:00Z', false) $$,
	'D9 a later return undoes no acceptance; who withdrew it, and when it went');
SELECT results_eq('SELECT outcome, breached FROM hand_over WHERE lead_id IN (1, 2, 3) ORDER BY lead_id',
	$$ VALUES ('accepted', false), ('accepted', true), ('overdue', true) $$,
	'R004-10 accepted 08:59 in time, 09:01 breached, still open past due');
SELECT is((SELECT accepted_at FROM hand_over WHERE lead_id = 4 AND cycle = 2), '2026-03-21 09:00Z', 'at the deadline is in time');
SELECT results_eq('SELECT returned_at, return_reason FROM hand_over WHERE lead_id = 4 AND cycle = 1',
	$$ VALUES (timestamptz '2026-03-02 12:00Z', 'too_early') $$, 'R002-06 a return says when and why');
SELECT results_eq('SELECT lead_id, owner FROM hand_over WHERE lead_id IN (1, 3, 7, 9) ORDER BY 1',
	$$ VALUES (1::bigint, 'ben'), (3, 'ben'), (7, '(none)'), (9, '(none)') $$, 'owner: who settled it, else who had it');
SELECT results_eq('SELECT sales_touches, first_touch_at, first_conversation_at FROM hand_over WHERE lead_id = 1',
	$$ VALUES (2::bigint, timestamptz '2026-03-02 15:00Z', timestamptz '2026-03-03 09:00Z') $$,
	'D10 the first activity of sales at or after the hand-over; beside it the first conversation');
SELECT results_eq('SELECT cycle, sales_touches FROM hand_over WHERE lead_id = 4 ORDER BY 1', $$ VALUES (1::bigint, 0::bigint), (2, 2) $$,
	'a touch counts in its cycle');

-- sla
SELECT is_empty('SELECT * FROM sla WHERE handed_over <> accepted + returned + withdrawn + gone + pending + overdue',
	'R004-08 D9 handed over = accepted + returned + withdrawn + gone + pending + overdue');
SELECT results_eq('SELECT sum(handed_over), sum(accepted), sum(returned), sum(withdrawn), sum(gone), sum(pending), sum(overdue), sum(returned_later) FROM sla',
	$$ VALUES (15::numeric, 5::numeric, 1::numeric, 1::numeric, 1::numeric, 2::numeric, 5::numeric, 1::numeric) $$, 'D9 each once');
SELECT is((SELECT sum(handed_over) FROM sla), (SELECT count(*)::numeric FROM milestone_entry WHERE milestone = 'mql'),
	'D9 handed over = entered(mql)');
SELECT results_eq($$ SELECT month, stage, handed_over, accepted, in_time, late, in_time_share, with_deadline, breached, breached_share
	FROM sla WHERE owner = 'ben' $$,
	$$ VALUES (date '2026-03-01', 'mql', 5::bigint, 4::bigint, 2::bigint, 1::bigint, 0.6667, 4::bigint, 2::bigint, 0.5) $$,
	'D9 in time: accepted_at <= due_at, of those accepted with a deadline');
SELECT results_eq($$ SELECT mean_days_to_acceptance, median_days_to_acceptance FROM sla WHERE owner = 'ben' $$,
	$$ VALUES (1.00, 1.00) $$, 'days to acceptance');
SELECT results_eq($$ SELECT touched, mean_days_to_touch, median_days_to_touch, sales_touches, touches_per_lead FROM sla WHERE owner = 'ben' $$,
	$$ VALUES (3::bigint, 0.42, 0.5, 5::numeric, 1.0) $$, 'R003-18 speed and persistence');
SELECT results_eq($$ SELECT talked_to, mean_days_to_conversation, median_days_to_conversation FROM sla WHERE owner = 'ben' $$,
	$$ VALUES (2::bigint, 0.75, 0.75) $$, 'D10 days to the first conversation');
SELECT results_eq($$ SELECT touched, mean_days_to_touch, mean_days_to_acceptance, in_time_share FROM sla WHERE owner = 'eva' $$,
	$$ VALUES (0::bigint, NULL::numeric, NULL::numeric, NULL::numeric) $$, 'nothing to divide by is NULL');
SELECT results_eq('SELECT owner, handed_over, returned, returned_share FROM sla WHERE returned > 0 ORDER BY 1',
	$$ VALUES ('eva', 2::bigint, 1::bigint, 0.5) $$, 'R000-21 the share of returned leads');
SELECT is((SELECT sum(handed_over) FROM sla WHERE month = '2026-02-01'), NULL, 'months are those of the funnel''s time zone');
SET LOCAL lead_qual.clock = '2026-03-31 09:00Z';
SELECT is((SELECT outcome FROM hand_over WHERE lead_id = 6), 'pending', 'at the deadline nothing is overdue');
SET LOCAL lead_qual.clock = '2026-03-31 09:00:01Z';
SELECT is((SELECT outcome FROM hand_over WHERE lead_id = 6), 'overdue', 'after it, it is');

SELECT * FROM finish();
ROLLBACK;
