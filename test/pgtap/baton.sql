-- Who has a lead between marketing and sales: owners, returns, times of response.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(22);
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 16:00Z';		-- a Monday

CREATE FUNCTION pg_temp.owner(lead bigint) RETURNS text LANGUAGE sql AS 'SELECT owner FROM crm.lead WHERE lead_id = $1';
CREATE FUNCTION pg_temp.history(lead bigint) RETURNS text LANGUAGE sql AS
	'SELECT string_agg(to_stage || coalesce('' '' || owner, ''''), '', '' ORDER BY history_id) FROM crm.stage_history WHERE lead_id = $1';
INSERT INTO lead (lead_id, email) OVERRIDING SYSTEM VALUE SELECT i, i || '@x.example' FROM generate_series(1, 9) i;
INSERT INTO activity (lead_id, kind) SELECT lead_id, 'demo_request' FROM lead WHERE lead_id < 9;

-- a return gives the lead back
UPDATE lead SET stage = 'sal', owner = 'ben' WHERE lead_id IN (1, 2, 3);
UPDATE lead SET stage = 'nurture', reason = 'too_early' WHERE lead_id = 1;
SELECT is(pg_temp.owner(1), NULL, 'N20 a lead that sales returns is nobody''s there');
SELECT is(pg_temp.history(1), 'lead, mql, sal ben, nurture ben', 'N20 history keeps whose it was');
SELECT is((SELECT owner FROM rejection WHERE outcome = 'returned'), 'ben', 'N20 and rejections are told of him who returned it');
UPDATE lead SET stage = 'nurture', reason = 'too_early', owner = 'mia' WHERE lead_id = 2;
SELECT is(pg_temp.history(2), 'lead, mql, sal ben, nurture mia', 'N20 as history says');
UPDATE lead SET stage = 'disqualified', reason = 'no_need' WHERE lead_id = 3;
SELECT is(pg_temp.owner(3), 'ben', 'N20 a discarded lead is not returned');
UPDATE lead SET owner = 'mia' WHERE lead_id = 9;
INSERT INTO transition (definition, position, from_stage, to_stage, condition) VALUES ('default', 200, 'lead', 'nurture', 'owner = ''mia''');
UPDATE lead SET stage = 'nurture' WHERE lead_id = 9;
SELECT is(pg_temp.owner(9), 'mia', 'N20 nor is one that sales never had');
INSERT INTO transition (definition, position, from_stage, to_stage, condition) VALUES ('default', 201, 'mql', 'nurture', 'owner = ''ben'''),
	('default', 202, 'lost', 'nurture', 'owner = ''ben''');
UPDATE lead SET owner = 'ben' WHERE lead_id = 4;
SELECT lives_ok('UPDATE crm.lead SET stage = ''nurture'' WHERE lead_id = 4', 'N20 a guard that reads the owner sees him');
SELECT is(pg_temp.owner(4), NULL, 'N20 before he is gone');

-- nobody has it
SELECT results_eq('SELECT lead_id, unowned FROM inbox WHERE lead_id IN (5, 6) ORDER BY 1', $$ VALUES (5::bigint, true), (6, true) $$,
	'N20 R003-03 a lead that nobody has is flagged');
UPDATE lead SET owner = 'ann' WHERE lead_id IN (5, 6);
SELECT results_eq('SELECT owner, unowned FROM sla WHERE unowned > 0', $$ VALUES ('(none)', 2::bigint) $$, 'N20 R003-03 sla counts those that wait without');

-- given to another
UPDATE lead SET owner = 'eva' WHERE lead_id = 5;
SET LOCAL lead_qual.clock = '2026-03-03 17:00Z';
SELECT results_eq('SELECT owner, owner_at_hand_over, owner_now, outcome FROM hand_over WHERE lead_id = 5', $$ VALUES ('eva', '(none)', 'eva', 'overdue') $$,
	'N20 who has the lead now answers for it');
UPDATE lead SET stage = 'sal' WHERE lead_id = 5;
UPDATE lead SET owner = 'tom' WHERE lead_id = 5;
SELECT results_eq('SELECT owner, owner_now, outcome FROM hand_over WHERE lead_id = 5', $$ VALUES ('eva', 'tom', 'accepted') $$,
	'N20 and who accepted it for that');
INSERT INTO lead (lead_id, owner) OVERRIDING SYSTEM VALUE VALUES (20, 'ann');
INSERT INTO activity (lead_id, kind) VALUES (20, 'demo_request');
UPDATE lead SET owner = 'eva' WHERE lead_id = 20;
SELECT results_eq('SELECT owner, owner_at_hand_over, owner_now FROM hand_over WHERE lead_id = 20', $$ VALUES ('eva', 'ann', 'eva') $$, 'N20 then and now');
UPDATE lead SET owner = NULL WHERE lead_id = 20;
SELECT results_eq('SELECT owner, owner_at_hand_over, owner_now FROM hand_over WHERE lead_id = 20', $$ VALUES ('ann', 'ann', '(none)') $$, 'N20 nobody now: who had it then');

-- response in working time: hours of nine to five
CREATE FUNCTION pg_temp.open(text, text) RETURNS numeric LANGUAGE sql AS
	'SELECT round(_working_time_between(s.tableoid, $1::timestamptz, $2::timestamptz), 4) FROM crm.setting AS s';
SELECT is(pg_temp.open(f, t), hours::numeric, format('N20 from %s to %s %s hours are open', f, t, hours))
FROM (VALUES ('2026-03-02 16:00Z', '2026-03-03 10:00Z', '2'), ('2026-03-06 16:30Z', '2026-03-09 09:15Z', '0.75'), ('2026-03-07 00:00Z', '2026-03-08 24:00Z', '0'),
	('2026-03-02 10:00Z', '2026-03-02 10:00Z', '0'), ('2026-03-03 10:00Z', '2026-03-02 10:00Z', NULL)) AS v (f, t, hours);
INSERT INTO holiday (day, name) VALUES ('2026-03-03', 'a day off');
SELECT is(pg_temp.open('2026-03-02 16:00Z', '2026-03-04 10:00Z'), 2::numeric, 'N20 holidays are not');
SELECT is((SELECT count(mean_working_hours_to_acceptance) FROM sla), 0::bigint, 'N20 a deadline by the clock is not measured in working time');
UPDATE stage SET working_time = true WHERE stage = 'mql';
SELECT results_eq($$ SELECT mean_working_hours_to_acceptance, round(mean_days_to_acceptance, 2) FROM sla WHERE owner = 'eva' $$,
	$$ VALUES (1.00, 1.04) $$, 'N20 beside the clock on the wall stands what the calendar counts');
SELECT * FROM finish();
ROLLBACK;
