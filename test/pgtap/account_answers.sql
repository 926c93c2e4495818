-- Conditions of transitions read what the leads of an account answered
-- together: account.bant and the like.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(32);
CREATE ROLE regress_lq_rep;
SELECT create_funnel('crm', 'UTC');
SELECT grant_funnel('crm', 'regress_lq_rep', 'sales');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
CREATE FUNCTION holds(lead bigint, to_stage text, OUT state text, OUT needs text) LANGUAGE sql AS
	$$ SELECT state, needs FROM why_not('crm', $1, $2) WHERE part LIKE '%account.%' LIMIT 1 $$;
CREATE FUNCTION refusal(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	SET LOCAL lead_qual.clock = '';
	EXECUTE pg_catalog.format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	RETURN 'done';
EXCEPTION WHEN check_violation THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RESET ROLE;
	RETURN detail;
END $$;

-- the user is not the one who decides
INSERT INTO account (account_id, name) VALUES (1, 'Acme'), (2, 'Zeta');
INSERT INTO lead (lead_id, job_title, account_id, bant) VALUES (1, 'user', 1, 'A- N+'), (2, 'manager', 1, 'A? B~'), (3, 'director', 1, 'T-'),
	(4, 'elsewhere', 2, 'A+'), (5, 'nowhere', NULL, 'A+');
INSERT INTO transition (transition_id, definition, position, from_stage, to_stage, condition) OVERRIDING SYSTEM VALUE VALUES
	(900, 'default', 1, 'lead', 'opportunity', 'account.bant -> ''authority'' = ''yes'' AND NOT bant -> ''authority'' = ''yes''');
SELECT results_eq('SELECT (holds(1, ''opportunity'')).*', $$ VALUES ('unmet', 'account.bant is B~ A- N+ T-') $$,
	'N20 R003-13 the best that the leads of the account answered, as it is told');
UPDATE lead SET bant = 'A~' WHERE lead_id = 2;
SELECT is((holds(1, 'opportunity')).needs, 'account.bant is B? A~ N+ T-', 'N20 R003-13 a manager who decides in part');
UPDATE lead SET bant = bant || 'A+' WHERE lead_id = 3;
SELECT is((holds(1, 'opportunity')).state, NULL, 'N20 R003-13 a director who decides: nothing is missing to the user''s lead');
SELECT is((SELECT bant -> 'authority' FROM lead WHERE lead_id = 1), 'no', '... whose own answer is no');
SELECT ok('opportunity' IN (SELECT stage FROM next_stages('crm', 1) WHERE allowed), 'N20 next_stages() says so');
SELECT lives_ok('UPDATE lead SET stage = ''opportunity'' WHERE lead_id = 1', 'N20 R003-13 and it moves');
SELECT results_eq($$ SELECT a.bant::text FROM account_qualification AS a WHERE account_id = 1 $$, $$ VALUES ('B? A+ N+ T-') $$, '... by what the view shows');

-- the row at hand
UPDATE transition SET condition = 'account.bant -> ''need'' = ''yes''' WHERE transition_id = 900;
SELECT lives_ok('UPDATE lead SET bant = ''N+'', stage = ''opportunity'' WHERE lead_id = 4', 'N20 the answers of the lead itself are those of its new row');
UPDATE lead SET bant = 'N~' WHERE lead_id = 1;
SELECT throws_ok('UPDATE lead SET bant = ''N-'', stage = ''opportunity'' WHERE lead_id = 2', '23514', NULL, '... and those of its old row do not count');
SELECT results_eq('SELECT (holds(5, ''opportunity'')).*', $$ VALUES ('unknown', 'account.bant is NULL') $$, 'N20 NULL without an account');
UPDATE lead SET account_id = 2 WHERE lead_id = 5;
SELECT lives_ok('UPDATE lead SET stage = ''opportunity'' WHERE lead_id = 5', 'N20 a lead that joins an account has what it has');
SELECT lives_ok($$ INSERT INTO transition (definition, position, to_stage, condition) VALUES ('default', 2, 'sal', 'account.bant -> ''need'' = ''yes''');
	INSERT INTO lead (lead_id, account_id, stage) VALUES (6, 2, 'sal') $$, 'N20 so has one that comes');
SELECT is((holds(3, 'opportunity')).state, 'unknown', 'N20 what an answer may still bring about is unknown, rather than unmet');

-- every framework that is a column of a lead
SELECT is(check_condition('crm', 'transition', format('known(account.%I) > 0', attname), 'default'),
	format('(public.known(account.%I) > 0)', attname), 'N20 account.' || attname)
FROM pg_attribute WHERE attrelid = 'lead'::regclass AND atttypid IN (SELECT unnest(ARRAY['bant', 'meddic', 'meddpicc']::regtype[])) ORDER BY attnum;

-- a column of that name
SELECT throws_ok($$ SELECT check_condition('crm', 'fit', 'known(account.bant) > 0', 'default') $$, '42703',
	'"account.bant" is not available in the condition of a fit rule', 'N20 a fit rule has no such name');
SELECT throws_ok($$ SELECT check_condition('crm', 'activity', 'known(account.bant) > 0', 'default') $$, '42703',
	'"account" is not available in the condition of an engagement rule', '... nor has an engagement rule');
SELECT throws_ok($$ SELECT check_condition('crm', 'transition', 'known(account.bandt) > 0', 'default') $$, '42703',
	'column account.bandt does not exist', 'N20 a name that there is not');
ALTER TABLE account ADD COLUMN bant text DEFAULT 'mine';
SELECT lives_ok($$ INSERT INTO rule (definition, name, axis, condition, points) VALUES ('default', 'mine', 'fit', 'account.bant = ''mine''', 7) $$,
	'N20 the user''s own column of that name is read by fit rules');
SELECT rescore_funnel('crm');
SELECT is((SELECT points FROM explain_score('crm', 3) WHERE rule = 'mine'), 7::numeric, '... and counts');
SELECT is((holds(3, 'opportunity')).needs, 'account.bant is B? A+ N~ T-', 'N20 transitions read the answers all the same');
SELECT throws_ok($$ UPDATE transition SET condition = 'account.bant = ''mine''' WHERE transition_id = 900 $$, '22P02', NULL, '... and cannot read the column');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE severity = 'error' $$, 'both compile');

-- who may not read what other leads answered is not told
GRANT UPDATE ON ALL TABLES IN SCHEMA crm TO regress_lq_rep;
UPDATE lead SET owner = 'regress_lq_rep' WHERE lead_id = 3;
SELECT alike(refusal('regress_lq_rep', 'UPDATE crm.lead SET stage = ''opportunity'' WHERE lead_id = 3'), '%(account.bant is B? A+ N~ T-).%', 'N20 a refusal says what the account has');
ALTER TABLE lead ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON lead USING (owner = current_user);
SET LOCAL ROLE regress_lq_rep;
SELECT results_eq($$ SELECT state, needs FROM why_not('crm', 3, 'opportunity') WHERE part LIKE '%account.bant%' LIMIT 1 $$, $$ VALUES ('unknown', '') $$,
	'N20 but not to whom row security hides those leads');
RESET ROLE;
ALTER TABLE lead DISABLE ROW LEVEL SECURITY;
REVOKE SELECT ON lead FROM regress_lq_rep;
GRANT SELECT (lead_id, stage) ON lead TO regress_lq_rep;
SELECT unalike(refusal('regress_lq_rep', 'UPDATE crm.lead SET stage = ''opportunity'' WHERE lead_id = 3'), '%account.bant is%', 'N20 nor to who may not read the column');

-- colleagues are moved by the sweep
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
DELETE FROM rule WHERE name = 'mine';
UPDATE transition SET automatic = true, to_stage = 'mql', condition = 'account.meddic -> ''champion'' = ''yes''' WHERE transition_id = 900;
UPDATE lead SET job_title = 'boss' WHERE lead_id = 3;
SELECT is((SELECT review_at FROM lead WHERE lead_id = 3), '2026-03-03 09:00Z', 'N20 a lead that waits for its account is looked at within a day');
UPDATE lead SET meddic = 'C+' WHERE lead_id = 2;
SELECT results_eq('SELECT lead_id, stage FROM lead WHERE lead_id IN (2, 3) ORDER BY 1', $$ VALUES (2::bigint, 'mql'), (3, 'lead') $$,
	'N20 who answers moves at once, and locks nobody else');
SET LOCAL lead_qual.clock = '2026-03-03 09:00Z';
SELECT sweep_funnel('crm');
SELECT is((SELECT stage FROM lead WHERE lead_id = 3), 'mql', 'N20 R003-13 the sweep moves the colleague');

-- leads of a table that was there, whose key has another name
CREATE TABLE person (id uuid PRIMARY KEY, firm bigint);
INSERT INTO person SELECT format('00000000-0000-0000-0000-00000000000%s', n)::uuid, 7 FROM generate_series(1, 3) AS n;
SELECT create_funnel('own', 'UTC', lead_table => 'person', lead_key => 'id', columns => '{"account_id": "firm"}', prefix => 'lq_');
INSERT INTO own.transition (definition, position, from_stage, to_stage, condition) VALUES
	('default', 1, 'lead', 'opportunity', 'account.bant -> ''authority'' = ''yes''');
SELECT throws_ok($$ UPDATE person SET lq_stage = 'opportunity' WHERE id::text LIKE '%1' $$, '23514', NULL, 'N20 an attached table: nobody decides');
UPDATE person SET lq_bant = 'A+' WHERE id::text LIKE '%2';
SELECT lives_ok($$ UPDATE person SET lq_stage = 'opportunity' WHERE id::text LIKE '%1' $$, 'N20 ... another row of it does');

SELECT * FROM finish();
ROLLBACK;
