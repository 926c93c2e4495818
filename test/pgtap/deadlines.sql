-- Deadlines: by the clock on the wall and in working time.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(47);
SELECT create_funnel('crm', 'Europe/Berlin');
-- the session's zone does not matter
SET LOCAL TimeZone = 'America/New_York';
SET LOCAL search_path = crm, public;
CREATE FUNCTION due(entered text, stage text DEFAULT 'mql') RETURNS text LANGUAGE sql AS $$
	SELECT to_char(_due_at('crm', stage, entered::timestamp AT TIME ZONE 'Europe/Berlin')
				   AT TIME ZONE 'Europe/Berlin', 'Dy YYYY-MM-DD HH24:MI') $$;

-- as shipped
SELECT results_eq($$ SELECT weekday, opens, closes FROM calendar ORDER BY weekday $$,
	$$ SELECT d, time '09:00', time '17:00' FROM generate_series(1, 5) AS d $$, 'the calendar is Monday to Friday, 9 to 17');
SELECT is((SELECT bool_or(working_time) FROM stage), false, 'no stage counts working time unless told to');

-- by the clock on the wall.  2026-03-02 is a Monday.
SELECT is(due('2026-03-02 09:00'), 'Tue 2026-03-03 09:00', 'R004-10 handed over Mon 09:00, due Tue 09:00');
SELECT is(due('2026-03-28 09:00'), 'Sun 2026-03-29 10:00', '24 hours are 24 hours, whatever the clock does');
SELECT is(due('2026-03-25 09:00', 'sal'), 'Wed 2026-04-01 09:00', '7 days are days of the funnel''s time zone');
SELECT is(due('2026-03-25 09:00', 'sql'), NULL, 'no sla, no deadline');
SELECT is(due('2026-03-25 09:00', 'moon'), NULL, 'nor where there is no stage');

-- R004-10 through the stage machine
SET LOCAL lead_qual.clock = '2026-03-02 09:00+01';
INSERT INTO lead (lead_id, email) SELECT n, n || '@example.com' FROM generate_series(1, 4) AS n;
INSERT INTO activity (lead_id, kind) SELECT n, 'demo_request' FROM generate_series(1, 4) AS n;
SELECT is((SELECT count(*) FROM lead WHERE stage = 'mql' AND due_at = '2026-03-03 09:00+01'), 4::bigint,
	'R004-10 a lead holds its deadline');
SELECT is((SELECT count(*) FROM lead WHERE review_at = due_at), 4::bigint, 'and is looked at again then');
SELECT is((SELECT count(*) FROM stage_history WHERE to_stage = 'mql' AND due_at = '2026-03-03 09:00+01'), 4::bigint,
	'so does the history, for later');
SET LOCAL lead_qual.clock = '2026-03-03 08:59+01';
UPDATE lead SET stage = 'sal' WHERE lead_id = 1;
SET LOCAL lead_qual.clock = '2026-03-03 09:01+01';
UPDATE lead SET stage = 'sal' WHERE lead_id = 2;
SELECT results_eq('SELECT lead_id, accepted_at <= h.due_at FROM lead JOIN stage_history h USING (lead_id)
	WHERE to_stage = ''mql'' AND accepted_at IS NOT NULL ORDER BY 1', $$ VALUES (1::bigint, true), (2, false) $$,
	'R004-10 accepted 08:59 in time, 09:01 breached');
SELECT results_eq('SELECT lead_id FROM inbox WHERE past_due ORDER BY 1', $$ VALUES (3::bigint), (4) $$,
	'R004-10 still open is past due');
SELECT is((SELECT due_at FROM lead WHERE lead_id = 1), '2026-03-10 08:59+01', 'R003-03 the next stage has its own deadline');
UPDATE lead SET due_at = NULL WHERE lead_id = 3;
SELECT isnt((SELECT due_at FROM lead WHERE lead_id = 3), NULL, 'R003-03 nobody wipes out a deadline');
SELECT results_eq('SELECT stage, owner_role, count(due_at) FROM lead_now GROUP BY 1, 2 ORDER BY 1',
	$$ VALUES ('mql', 'marketing', 2::bigint), ('sal', 'sales', 2) $$, 'R003-03 R002-08 a deadline and a side that owns it, from MQL to SQL');
SAVEPOINT policy;
UPDATE transition SET condition = 'owner IS NOT NULL' WHERE from_stage = 'mql' AND to_stage = 'sal';
SELECT throws_ok($$ UPDATE lead SET stage = 'sal' WHERE lead_id = 3 $$, '23514', NULL, 'R003-03 who accepts may have to name an owner');
SELECT lives_ok($$ UPDATE lead SET stage = 'sal', owner = 'ben' WHERE lead_id = 3 $$, 'R003-03 with the acceptance itself');
ROLLBACK TO policy;

-- hours open
UPDATE stage SET working_time = true, sla = '8 hours' WHERE stage = 'mql';
SELECT is(due('2026-03-02 09:00'), 'Mon 2026-03-02 17:00', 'eight hours are a day, to its very end');
SELECT is(due('2026-03-02 10:00'), 'Tue 2026-03-03 10:00', 'the rest is on the next morning');
SELECT is(due('2026-03-06 16:30'), 'Mon 2026-03-09 16:30', 'the weekend does not count');
SELECT is(due('2026-03-07 12:00'), 'Mon 2026-03-09 17:00', 'what comes on Saturday begins on Monday');
SELECT is(due('2026-03-06 17:00'), 'Mon 2026-03-09 17:00', 'so does what comes as they close');
INSERT INTO holiday VALUES ('2026-04-03', 'Good Friday'), ('2026-04-06', 'Easter Monday');
SELECT is(due('2026-04-02 16:00'), 'Tue 2026-04-07 16:00', 'holidays do not count');
UPDATE stage SET sla = '24 hours' WHERE stage = 'mql';
SELECT is(due('2026-03-02 09:00'), 'Wed 2026-03-04 17:00', '24 hours open are three days');
SELECT is(due('2026-03-27 12:00'), 'Wed 2026-04-01 12:00', 'across a change of clocks outside hours, hours stay');

-- working days
UPDATE stage SET sla = '1 day' WHERE stage = 'mql';
SELECT is(due('2026-03-02 09:00'), 'Tue 2026-03-03 09:00', 'R004-10 a working day from Mon 09:00 ends Tue 09:00');
SELECT is(due('2026-03-06 15:20'), 'Mon 2026-03-09 15:20', 'after Friday comes Monday');
SELECT is(due('2026-04-02 15:20'), 'Tue 2026-04-07 15:20', 'or Tuesday, after Easter');
SELECT is(due('2026-03-07 03:00'), 'Tue 2026-03-10 09:00', 'what comes at night counts from the opening on');
UPDATE stage SET sla = '2 days 4 hours' WHERE stage = 'mql';
SELECT is(due('2026-03-02 15:00'), 'Thu 2026-03-05 11:00', 'days first, then hours');
UPDATE calendar SET closes = '12:00' WHERE weekday = 5;
INSERT INTO calendar VALUES (5, '13:00', '14:00');
UPDATE stage SET sla = '1 day' WHERE stage = 'mql';
SELECT is(due('2026-03-05 16:00'), 'Fri 2026-03-06 14:00', 'on a short day, its closing');
SELECT is(due('2026-03-05 12:30'), 'Fri 2026-03-06 12:00', 'at lunch, the closing before');

-- a night shift when the clocks change: 29 March 2:00 to 3:00, 25 October 3:00 to 2:00
DELETE FROM calendar WHERE weekday < 5;
INSERT INTO calendar VALUES (6, '22:00', '24:00'), (7, '00:00', '06:00');
UPDATE stage SET sla = '4 hours' WHERE stage = 'mql';
SELECT is(due('2026-03-28 22:00'), 'Sun 2026-03-29 03:00', 'an hour that the clock skips was not worked');
SELECT is(due('2026-10-24 22:00'), 'Sun 2026-10-25 02:00', 'an hour that comes twice');
SELECT is(_due_at('crm', 'mql', '2026-10-24 22:00+02'), '2026-10-25 01:00+01', 'is two hours');
SET LOCAL ROLE pg_monitor;
SELECT throws_ok($$ SELECT public._due_at('crm', 'mql', now()) $$, '42501', NULL, 'who may not read the policy is not told');
RESET ROLE;

-- what cannot be
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE d text; h text;
BEGIN
	EXECUTE statement;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN ARRAY[SQLSTATE, SQLERRM, d, h];
END $$;
SELECT is(pg_temp.refusal($$ INSERT INTO calendar VALUES (7, '05:00', '07:00') $$),
	'{23P01,"hours of Sunday overlap","05:00:00 to 07:00:00 has time in common with 00:00:00 to 06:00:00.","Change the hours that are there, or begin where they end."}', 'hours may not overlap');
SELECT lives_ok($$ INSERT INTO calendar VALUES (7, '06:00', '07:00') $$, 'they may touch');
SELECT is(pg_temp.refusal($$ INSERT INTO calendar VALUES (1, '17:00', '09:00') $$),
	'{23514,"hours of Monday close before they open","They are 17:00:00 to 09:00:00.","Hours past midnight are two rows: up to 24:00, and from 00:00 of the next day."}', 'hours end after they begin');
SELECT throws_ok($$ INSERT INTO calendar VALUES (0, '09:00', '17:00') $$, '23514', NULL, 'Sunday is 7');
SELECT throws_ok($$ UPDATE stage SET sla = '1 month' WHERE stage = 'mql' $$, '23514', NULL, 'a month is no working time');
SELECT throws_ok($$ UPDATE stage SET sla = '1 day -2 hours' WHERE stage = 'mql' $$, '23514', NULL, 'nor is less than a day');
CREATE TEMP TABLE closed AS SELECT ARRAY['23514', 'the calendar of funnel "crm" has no working time', 'The deadline of "mql" counts working time.',
	'Insert hours into crm.calendar first, or set working_time of the stage to false.'] AS said;
SELECT is(pg_temp.refusal('DELETE FROM calendar'), said, 'the last hours stay while a deadline needs them') FROM closed;
SELECT is(pg_temp.refusal('TRUNCATE calendar'), said, 'all at once as well') FROM closed;
UPDATE stage SET working_time = false;
DELETE FROM calendar;
SELECT is(pg_temp.refusal($$ UPDATE stage SET working_time = true WHERE stage = 'mql' $$), said,
	'no deadline in working time while they never open') FROM closed;
SET LOCAL lead_qual.import = on;
UPDATE stage SET working_time = true WHERE stage = 'mql';
SELECT is(due('2026-03-02 10:00'), 'Mon 2026-03-02 14:00', 'should it come to that, the clock on the wall decides');
SELECT is((SELECT n FROM check_funnel('crm') WHERE finding = 'no_working_time'), 1::bigint, 'and check_funnel() tells of it');

SELECT * FROM finish();
ROLLBACK;
