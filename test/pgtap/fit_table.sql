-- X17: a fit table as another tool would have it, written as rules.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(4);

SELECT create_funnel('crm');
SET LOCAL search_path = crm, public;
DELETE FROM rule WHERE axis = 'fit';
UPDATE definition SET max_fit = NULL;
INSERT INTO rule (definition, name, axis, condition, points) VALUES
	('default', 'staff', 'fit', 'company_size >= 1000', 20),
	('default', 'revenue', 'fit', 'annual_revenue >= 100000000', 20),
	('default', 'engineering', 'fit', 'department = ''engineering''', 10),
	('default', 'engineer', 'fit', 'job_title ILIKE ''software engineer''', 10),
	('default', 'germany', 'fit', 'country = ''DE''', 10);
INSERT INTO lead (email, company_size, annual_revenue, department, job_title, country) VALUES
	('all@example.com', 1000, 100000000, 'engineering', 'Software Engineer', 'DE'),
	('small@example.com', 999, 99999999.99, 'engineering', 'Software Engineer', 'DE'),
	('none@example.com', NULL, NULL, NULL, NULL, NULL);

SELECT is(fit(scorecard), 70::numeric, 'X17 R004-17 every line of the table counts, without any interaction: 70')
	FROM lead WHERE email = 'all@example.com';
SELECT is((SELECT sum(points) FROM explain_score('crm', 1)), 70::numeric, 'X17 and the explanation adds up to it');
SELECT is(fit(scorecard), 30::numeric, 'X17 R004-17 just below the two limits: 30, so it ranks lower')
	FROM lead WHERE email = 'small@example.com';
SELECT is(fit(scorecard), 0::numeric, 'X17 nothing known: nothing')
	FROM lead WHERE email = 'none@example.com';

SELECT * FROM finish();
ROLLBACK;
