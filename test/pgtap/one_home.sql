-- Rules that SQL and the code both need: SQL asks the code.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(14);

SELECT create_funnel('f', 'UTC');
SET LOCAL search_path = f, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';

-- what counts as of when
SELECT is(_counts_at('2026-03-02 09:05Z', '2026-03-02 09:00Z'), '2026-03-02 09:05Z', 'S7 a clock may be five minutes fast');
SELECT is(_counts_at('2026-03-02 09:05:00.000001Z', '2026-03-02 09:00Z'), '2026-03-02 09:00Z', 'S7 what is further ahead counts as of when it was recorded');
SELECT is(_counts_at('2020-01-01', '2026-03-02 09:00Z'), '2020-01-01', 'S7 late ones as of when they occurred');
SELECT is(_counts_at(o, 'infinity'), o, 'S7 an unknown time of recording hides nothing') FROM (VALUES (timestamptz '2026-03-02')) AS v (o);
SELECT is(_counts_at('294276-12-31 23:59:59Z', '-infinity'), '-infinity', 'S7 nor wraps');
SELECT is(_counts_at('2026-03-02', NULL), NULL, 'S7 null is null');
INSERT INTO lead (lead_id, email) VALUES (1, 'ann@example.com');
INSERT INTO activity (lead_id, kind, occurred_at) VALUES (1, 'email_open', '2026-03-02 09:05Z'), (1, 'email_open', '2026-03-02 09:06Z'), (1, 'email_open', '2026-03-01');
SELECT is(last_activity(scorecard), (SELECT max(_counts_at(occurred_at, recorded_at)) FROM activity), 'S7 the code counts the same') FROM lead;
SELECT is((SELECT n FROM check_funnel('f') WHERE finding = 'future_activity'), 1::bigint, 'S7 check_funnel() finds the same');

-- who acted
SELECT is(_actor(), current_user::text, 'S7 the role acts');
SET LOCAL lead_qual.actor = 'ann';
SELECT is(_actor(), 'ann', 'S7 or the end user that an application names');
SET LOCAL lead_qual.actor = '';
SELECT is(_actor(), current_user::text, 'S7 an empty name is none');
CREATE ROLE regress_lq_other;
SET LOCAL ROLE regress_lq_other;
SELECT is(_actor(), 'regress_lq_other', 'S7 SET ROLE says who acts');
RESET ROLE;

-- which answer is the latest
INSERT INTO answer (lead_id, answer_id, framework, element, level, answered_at) VALUES
	(1, 3, 'bant', 'need', 'no', '2026-02-01'), (1, 1, 'bant', 'need', 'partial', '2026-03-01'), (1, 2, 'bant', 'need', 'yes', '2026-03-01'),
	(1, 6, 'champ', 'money', 'no', '2026-02-01'), (1, 4, 'champ', 'money', 'partial', '2026-03-01'), (1, 5, 'champ', 'money', 'yes', '2026-03-01');
SELECT is(format('%s %s', bant -> 'need', answers #>> '{champ,money}'), 'yes yes', 'S7 the latest answer holds, of one instant the one with the higher id') FROM lead;
SET LOCAL lead_qual.import = on;
UPDATE lead SET bant = DEFAULT, answers = DEFAULT;
SET LOCAL lead_qual.import = off;
SELECT rebuild_history('f');
SELECT is(format('%s %s', bant -> 'need', answers #>> '{champ,money}'), 'yes yes', 'S7 and holds again when it is told from the log') FROM lead;

SELECT * FROM finish();
ROLLBACK;
