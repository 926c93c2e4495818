-- agreement: the document of the hand-over, read from the rows in force.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL IntervalStyle = postgres;
SELECT plan(27);

SET LOCAL lead_qual.clock = '2026-03-02 23:30Z';
SELECT create_funnel('crm', 'Europe/Berlin');
SET LOCAL search_path = crm, public;
CREATE FUNCTION pg_temp.says(section text, line text) RETURNS boolean LANGUAGE sql AS
	'SELECT EXISTS (SELECT FROM crm.agreement AS a WHERE a.section = $1 AND a.text ~ $2)';

SELECT results_eq('SELECT DISTINCT section, min(position), count(*) FROM agreement GROUP BY 1 ORDER BY 1',
	$$ VALUES ('criteria', 1::bigint, 29::bigint), ('deadlines', 1, 2), ('definition', 1, 2), ('passed on', 1, 25),
			  ('points', 1, 36), ('reasons', 1, 31), ('signatures', 1, 3), ('stages', 1, 9) $$, 'R000-11 the sections');
SELECT is(array_agg(section), ARRAY['definition', 'stages', 'criteria', 'points', 'passed on', 'deadlines', 'reasons', 'signatures'],
	'come in reading order') FROM (SELECT section FROM agreement WHERE position = 1) AS s;
SELECT results_eq('SELECT position FROM agreement WHERE section = ''criteria''',
	'SELECT generate_series(1, 29)::bigint', 'so do their lines');

-- what it says
SELECT ok(pg_temp.says('criteria', '^lead -> mql, by itself: .*if score >= 100 AND engagement > 0$'), 'R000-11 the criterion of an MQL');
SELECT ok(pg_temp.says('criteria', '^sal -> sql, on request: .*if last.sales_conversation .* met\(bant\) >= 3'), 'R000-11 that of an SQL');
SELECT ok(pg_temp.says('criteria', '^sal -> sql, as an exception: .*with a reason$'), 'its exception');
SELECT ok(pg_temp.says('criteria', '^\(new\) -> lead'), 'how leads begin');
SELECT ok(pg_temp.says('stages', '^mql \(MQL, marketing\): '), 'R001-04 what the stages mean');
SELECT ok(pg_temp.says('points', '^engagement webinar: \+20, half of it after 60 days, at most 60 '), 'what gives points');
SELECT ok(pg_temp.says('points', '^fit rival: -1000'), 'and what takes them');
SELECT ok(pg_temp.says('passed on', '^job_title: '), 'R000-11 what marketing passes on');
SELECT ok(NOT pg_temp.says('passed on', 'kept by triggers') AND NOT pg_temp.says('passed on', '^scorecard'), 'not what triggers keep');
SELECT ok(pg_temp.says('deadlines', '^mql: sales accepts or returns it within 24:00:00$'), 'R000-11 how fast sales follows up');
SELECT ok(pg_temp.says('reasons', '^nurture: Has no budget yet$'), 'why a lead may come back');

-- it follows the rows
UPDATE transition SET condition = 'last.sales_conversation >= cycle_started_at AND met(bant) = 4' WHERE position = 60;
UPDATE transition SET condition = 'score >= 80' WHERE position = 40;
UPDATE stage SET sla = '2 days', working_time = true WHERE stage = 'sal';
UPDATE rule SET condition = 'company_size >= 200' WHERE name = 'company_size';
UPDATE definition SET max_fit = 60, note = 'MQL at 50 points';
SELECT is_empty($$ SELECT text FROM agreement WHERE text ~* '100 points|50 points|24 hours|three|50 people|met and none' $$,
	'N18: no sentence says what is no longer true');
SELECT ok(pg_temp.says('criteria', '^lead -> mql, by itself: if score >= 80$') AND pg_temp.says('criteria', '^sal -> sql, on request: if .* met\(bant\) = 4$'),
	'N18: the criteria are those in force');
SELECT ok(pg_temp.says('points', '^fit company_size: \+10 if company_size >= 200$'), 'N18: so are the points');
SELECT ok(pg_temp.says('definition', '^Fit counts for 60 points at most$'), 'N18: and the caps');
SELECT ok(pg_temp.says('deadlines', '^sal: the next move within 2 days of working time$'), 'N18: and the deadlines');
UPDATE stage SET sla = '4 hours' WHERE stage = 'mql';
UPDATE transition SET sides = '{marketing,sales}' WHERE position = 60;
UPDATE definition SET review_by = '2026-09-01', sides = '{marketing,sales}';
ALTER TABLE lead ADD COLUMN shoe_size int;
SELECT ok(pg_temp.says('definition', '^To be reviewed by 2026-09-01$'), 'R000-17 the day of review');
SELECT ok(pg_temp.says('deadlines', '^mql: .* within 04:00:00$'), 'a new deadline');
SELECT ok(pg_temp.says('criteria', 'signed by marketing and sales$'), 'R000-01 who signs a move');
SELECT ok(pg_temp.says('passed on', '^shoe_size$'), 'a column of the user''s own');
SELECT ok(pg_temp.says('signatures', '^agreed by sales: nobody yet$'), 'nobody has signed');
SET LOCAL lead_qual.actor = 'sam';
SELECT sign_definition('crm', 'default', 'sales');
SELECT ok(pg_temp.says('signatures', '^agreed by sales: sam$'), 'R000-22 and then somebody has');
SELECT ok(pg_temp.says('signatures', format('^sam for sales, version %s, on 2026-03-03$', version)), 'when, in the funnel''s time zone') FROM definition;

CREATE ROLE regress_lq_analyst;
RESET lead_qual.clock;
RESET lead_qual.actor;
SELECT count(*) > 0 FROM grant_funnel('crm', 'regress_lq_analyst', 'analyst');
SET LOCAL ROLE regress_lq_analyst;
SELECT lives_ok('SELECT * FROM crm.agreement', 'an analyst may read it');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
