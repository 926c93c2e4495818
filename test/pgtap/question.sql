-- What may still be asked, and what an account knows: open_question, account_qualification.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(23);

SET LOCAL lead_qual.clock = '2026-01-01 00:00Z';
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public, pg_temp;
INSERT INTO account (account_id, name) VALUES (1, 'Acme'), (2, 'Zeta');
INSERT INTO lead (lead_id, email, source, stage, account_id, job_title) VALUES (1, 'u@acme.example', 'outbound', 'sal', 1, 'User'),
	(2, 'm@acme.example', 'outbound', 'sal', 1, 'Manager'), (3, 'd@acme.example', 'outbound', 'sal', 1, NULL);
CREATE FUNCTION pg_temp.open(id bigint) RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg(position::text, ' ' ORDER BY position) FROM open_question WHERE lead_id = id $$;

SELECT results_eq($$ SELECT position, framework, element FROM open_question WHERE lead_id = 1 ORDER BY 1 $$,
	$$ VALUES (1::bigint, 'discovery', 'interest'), (2, 'bant', 'need'), (3, 'discovery', 'goals'), (4, 'discovery', 'obstacles'),
		(5, 'discovery', 'current_solution'), (6, 'discovery', 'satisfaction'), (7, 'bant', 'timeline'), (8, 'bant', 'timeline'),
		(9, 'bant', 'budget'), (10, 'bant', 'authority'), (11, 'bant', 'authority') $$,
	'R004-14 eleven questions, each mapped to an element, R001-06 those of BANT among them');
INSERT INTO answer (lead_id, framework, element, level, note) VALUES (1, 'discovery', 'goals', 'yes', 'fewer tickets'),
	(1, 'discovery', 'current_solution', 'yes', 'a spreadsheet'), (1, 'discovery', 'satisfaction', 'no', 'too slow, too dear');
SELECT is(pg_temp.open(1), '1 2 4 7 8 9 10 11', 'R004-15 what was answered is not asked again');
SELECT results_eq($$ SELECT element, level::text, note FROM answer WHERE lead_id = 1 AND element IN ('current_solution', 'satisfaction') ORDER BY 1 $$,
	$$ VALUES ('current_solution', 'yes', 'a spreadsheet'), ('satisfaction', 'no', 'too slow, too dear') $$,
	'R004-16 the current solution and how satisfied they are, are kept');
UPDATE lead SET bant = 'T+ A~' WHERE lead_id = 1;
SELECT is(pg_temp.open(1), '1 2 4 9', 'R004-15 nor what was written into the lead; both questions of an element are done');
INSERT INTO answer (lead_id, framework, element, level) VALUES (1, 'discovery', 'goals', 'unknown');
SELECT is(pg_temp.open(1), '1 2 4 9', 'N20 R004-15 who was asked and does not know is not asked again');
INSERT INTO answer (lead_id, framework, element, level) VALUES (1, 'bant', 'budget', 'unknown');
SELECT is(pg_temp.open(1), '1 2 4', 'N20 R004-15 nor of a framework that the lead holds');
SELECT ok(next_question NOT LIKE '%prices%', 'N20 R004-15 nor in the inbox') FROM inbox WHERE lead_id = 1;
UPDATE lead SET bant = 'B? A~ N? T+' WHERE lead_id = 1;
UPDATE lead SET bant = 'B+ A~ N? T+' WHERE lead_id = 1;
UPDATE lead SET bant = 'B? A~ N? T+' WHERE lead_id = 1;
SELECT results_eq($$ SELECT position, state FROM open_question WHERE lead_id = 1 AND element = 'budget' $$, $$ VALUES (9::bigint, 'unknown') $$,
	'N20 what was taken back in the lead may be asked for');
SELECT is(pg_temp.open(2), '1 2 3 4 5 6 7 8 9 10 11', 'one lead''s answers are not another''s');

SET LOCAL lead_qual.clock = '2026-06-29 23:59Z';
SELECT is(pg_temp.open(1), '1 2 4 9', 'D2 a timeline is good for 180 days');
SET LOCAL lead_qual.clock = '2026-06-30 00:00Z';
SELECT results_eq('SELECT position, state, answered_at FROM open_question WHERE lead_id = 1 AND element = ''timeline''',
	$$ VALUES (7::bigint, 'ran out', timestamptz '2026-01-01 00:00Z'), (8, 'ran out', '2026-01-01 00:00Z') $$,
	'D2 then it is asked for again');
SELECT is((SELECT bant -> 'timeline' FROM lead WHERE lead_id = 1), 'yes'::answer_level, 'the lead keeps it while the cycle lasts');
INSERT INTO answer (lead_id, framework, element, level) VALUES (1, 'bant', 'timeline', 'yes');
SELECT is(pg_temp.open(1), '1 2 4 9', 'an answer confirmed is not asked for again');
SET LOCAL lead_qual.clock = '2027-01-01 00:00Z';
UPDATE lead SET stage = 'nurture', reason = 'no_timeline' WHERE lead_id = 1;
UPDATE lead SET stage = 'lead' WHERE lead_id = 1;
SELECT results_eq('SELECT cycle, bant::text FROM lead WHERE lead_id = 1', $$ VALUES (2, 'B? A~ N? T?') $$, 'D2 in a new cycle it is unknown');
SELECT is((SELECT string_agg(state, ', ') FROM open_question WHERE lead_id = 1 AND element = 'timeline'), 'ran out, ran out',
	'D2 and asked for, because it ran out');
SELECT is((SELECT state FROM open_question WHERE lead_id = 1 AND element = 'goals'), 'unknown', 'N20 what was not known in the cycle before is asked for in the next');
INSERT INTO answer (lead_id, framework, element, level) VALUES (1, 'bant', 'timeline', 'yes');
UPDATE lead SET stage = 'disqualified', reason = 'no_need' WHERE lead_id = 2;
SELECT is(pg_temp.open(2), NULL, 'nobody works on a lead that is discarded');

-- accounts
SELECT results_eq('SELECT leads, bant, authority_by FROM account_qualification WHERE account_id = 1',
	$$ VALUES (3::bigint, 'B? A~ N? T+', 'partial: User (1)') $$, 'what one of them said');
UPDATE lead SET bant = 'A-' WHERE lead_id = 1;
UPDATE lead SET bant = 'A~ B-' WHERE lead_id = 2;
SELECT is((SELECT bant_met FROM account_qualification WHERE account_id = 1), 0::bigint, 'R003-13 a user and a manager decide nothing');
UPDATE lead SET bant = 'A+ N+', meddic = 'E+' WHERE lead_id = 3;
SELECT results_eq('SELECT bant, bant_met, bant_known, bant_refuted, bant_gaps, authority_by, need_by, timeline_by
	FROM account_qualification WHERE account_id = 1',
	$$ VALUES ('B- A+ N+ T?', 2::bigint, 3::bigint, 1::bigint, 'budget, timeline',
		'yes: (3); partial: Manager (2); no: User (1)', 'yes: (3)', NULL::text) $$,
	'R003-13 with the director the account''s authority is met, and it says who said what');
SELECT ok(met(bant) = 0 AND verdict(bant, 1) = 'open', 'R003-13 the contact "user" alone has none') FROM lead WHERE lead_id = 1;
SELECT results_eq('SELECT meddic_met, meddic_by FROM account_qualification WHERE account_id = 1',
	$$ VALUES (1::bigint, 'economic_buyer yes: (3)') $$, 'MEDDIC is rolled up too');
SELECT results_eq('SELECT leads, bant, bant_met, authority_by, meddic_by FROM account_qualification WHERE account_id = 2',
	'VALUES (0::bigint, NULL, 0::bigint, NULL, NULL::text)', 'an account without leads');

SELECT * FROM finish();
ROLLBACK;
