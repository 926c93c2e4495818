-- Signatures: who agrees to a move or to a definition, and who may not.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(59);

SELECT create_funnel('crm', 'UTC');
CREATE ROLE regress_lq_mkt;
CREATE ROLE regress_lq_sls;
CREATE ROLE regress_lq_boss;
CREATE ROLE regress_lq_mia IN ROLE regress_lq_mkt;
CREATE ROLE regress_lq_mo IN ROLE regress_lq_mkt;
CREATE ROLE regress_lq_sam IN ROLE regress_lq_sls;
CREATE ROLE regress_lq_sue IN ROLE regress_lq_sls;
CREATE ROLE regress_lq_bea IN ROLE regress_lq_sls, regress_lq_boss;
SELECT count(*) > 0 FROM grant_funnel('crm', 'regress_lq_mkt', 'marketing') AS m, grant_funnel('crm', 'regress_lq_sls', 'sales') AS s;

CREATE FUNCTION pg_temp.attempt(role text, statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE d text; h text; result text := 'done';
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	IF statement ~ '^SELECT' THEN
		EXECUTE statement INTO result;
	ELSE
		EXECUTE statement;
	END IF;
	RESET ROLE;
	RETURN ARRAY[result];
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RESET ROLE;
	RETURN ARRAY[SQLSTATE, SQLERRM, d, h];
END $$;

-- sides
SELECT results_eq('SELECT side, role FROM crm.side ORDER BY side', $$ VALUES ('manager', NULL::name), ('marketing', NULL), ('sales', NULL) $$, 'three sides');
SELECT is((pg_temp.attempt('regress_lq_mia', 'UPDATE crm.side SET role = ''regress_lq_mkt'''))[1], '42501', 'only the owner names their roles');
UPDATE crm.side SET role = CASE side WHEN 'marketing' THEN 'regress_lq_mkt' WHEN 'sales' THEN 'regress_lq_sls' ELSE 'regress_lq_boss' END;
SELECT throws_ok($$ UPDATE crm.transition SET sides = '{legal}' WHERE position = 60 $$, '23503', NULL, 'a side must exist');
SELECT throws_ok($$ UPDATE crm.transition SET sides = '{NULL}' WHERE position = 60 $$, '22004', NULL, 'and be named');
SELECT throws_ok($$ UPDATE crm.transition SET sides = '{sales}' WHERE position = 40 $$, '23514', NULL, 'an automatic move asks nobody');
SELECT throws_ok($$ UPDATE crm.transition SET sides = '{sales}' WHERE position = 20 $$, '23514', NULL, 'nor does a creation');
SELECT lives_ok($$ UPDATE crm.transition SET sides = '{marketing,sales}' WHERE position = 60 $$, 'R000-01 an SQL is vetted by marketing and sales');
SELECT throws_ok($$ DELETE FROM crm.side WHERE side = 'sales' $$, '2BP01', NULL, 'a side that is asked stays');

-- a lead ready for SQL but for the signatures
INSERT INTO crm.lead (email, source, bant) VALUES ('a@example.com', 'partner', 'B+ A+ N+ T+'), ('b@example.com', 'partner', 'B+');
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'sales_inquiry'), (1, 'sales_call'), (2, 'sales_inquiry'), (2, 'sales_call');
UPDATE crm.lead SET stage = 'sal' WHERE stage <> 'sal';
CREATE FUNCTION pg_temp.ask(role text) RETURNS text[] LANGUAGE sql AS
	'SELECT pg_temp.attempt(role, ''UPDATE crm.lead SET stage = ''''sql'''' WHERE lead_id = 1'')';
CREATE FUNCTION pg_temp.lacks() RETURNS SETOF text LANGUAGE sql AS
	'SELECT part || '' '' || state FROM public.why_not(''crm'', 1, ''sql'') WHERE part LIKE ''signature%''';
SELECT is((pg_temp.ask('regress_lq_sue'))[1], '23514', 'R000-01 without them no SQL');
SELECT matches((pg_temp.ask('regress_lq_sue'))[3], 'needs signature of marketing \(sign_move\(\) by a member of role "regress_lq_mkt"\)', 'the refusal names whose is missing');
SELECT set_eq('SELECT pg_temp.lacks()', $$ VALUES ('signature of marketing unmet'), ('signature of sales unmet') $$, 'so does why_not()');
SELECT is((pg_temp.attempt('regress_lq_mia', 'SELECT sign_move(''crm'', ''1'', ''sql'', ''fits our plan'')'))[1], '{marketing}', 'a member signs for his side');
SELECT set_eq('SELECT pg_temp.lacks()', $$ VALUES ('signature of marketing met'), ('signature of sales unmet') $$, 'one of two');
SELECT is((pg_temp.ask('regress_lq_sue'))[1], '23514', 'R000-01 one side is not enough');
SELECT is((pg_temp.attempt('regress_lq_sue', 'SELECT sign_move(''crm'', ''1'', ''sql'')'))[1], '{sales}', 'sales signs');
SELECT is((pg_temp.ask('regress_lq_sue'))[1], '23514', 'four eyes: who signed does not ask');
SELECT matches((pg_temp.ask('regress_lq_sue'))[3], 'signature of sales \(a member of role "regress_lq_sls", other than who asks for the move\)', 'and is told so');
SELECT is((pg_temp.ask('regress_lq_sam'))[1], 'done', 'R000-01 vetted by both, it moves for another');
SELECT results_eq('SELECT side, signed_by, signed_at, to_stage, cycle, note FROM crm.signature ORDER BY signature_id',
	$$ VALUES ('marketing', 'regress_lq_mia', now(), 'sql', 1, 'fits our plan'), ('sales', 'regress_lq_sue', now(), 'sql', 1, NULL) $$, 'R000-01 who agreed, and when, stays known');

-- in this cycle, to this stage, for this lead
UPDATE crm.lead SET stage = 'nurture', reason = 'no_timeline' WHERE lead_id = 1;
UPDATE crm.lead SET stage = 'lead' WHERE lead_id = 1;
SET LOCAL lead_qual.clock = '2099-01-01Z';
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'sales_inquiry'), (1, 'sales_call');
UPDATE crm.lead SET stage = 'sal' WHERE lead_id = 1 AND stage <> 'sal';
RESET lead_qual.clock;
SELECT set_eq('SELECT pg_temp.lacks()', $$ VALUES ('signature of marketing unmet'), ('signature of sales unmet') $$, 'a new cycle needs new ones');
SELECT is((pg_temp.attempt('regress_lq_mo', 'INSERT INTO crm.signature (lead_id, to_stage, side) VALUES (1, ''sql'', ''marketing'')'))[1], 'done', 'a plain INSERT does as well');
SELECT results_eq('SELECT signed_by, cycle FROM crm.signature ORDER BY signature_id DESC LIMIT 1', $$ VALUES ('regress_lq_mo', 2) $$, 'and is stamped');

-- refused
SELECT is((pg_temp.attempt('regress_lq_mia', 'SELECT sign_move(''crm'', ''1'', ''sql'', side => ''sales'')')),
	ARRAY['42501', 'permission denied to sign for side "sales"', 'Only members of role "regress_lq_sls" may.',
	'The owner of the funnel names the role in crm.side.'], 'a signature by a role that may not sign');
SELECT is((pg_temp.attempt('regress_lq_mia', 'INSERT INTO crm.signature (lead_id, to_stage, side) VALUES (1, ''sql'', ''sales'')'))[1], '42501', 'nor by hand');
SELECT is((pg_temp.attempt('regress_lq_mia', 'INSERT INTO crm.signature (lead_id, to_stage, side, signed_by) VALUES (1, ''sql'', ''marketing'', ''x'')'))[1], '42501', 'nor in another''s name');
SELECT is((pg_temp.attempt('regress_lq_mia', 'SELECT sign_move(''crm'', ''99'', ''sql'')'))[1], 'P0002', 'no such lead');
SELECT is((pg_temp.attempt('regress_lq_mia', 'SELECT sign_move(''crm'', ''1'', ''nurture'')'))[1], '55000', 'a move that asks for none');
SELECT is((pg_temp.attempt('regress_lq_mia', 'SELECT sign_move(''crm'', ''1'', ''sql'', side => ''manager'')'))[1], '22023', 'a side that is not asked');
CREATE ROLE regress_lq_other;
GRANT USAGE ON SCHEMA crm TO regress_lq_other;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA crm TO regress_lq_other;
SELECT is(pg_temp.attempt('regress_lq_other', 'SELECT sign_move(''crm'', ''1'', ''sql'')'),
	ARRAY['42501', 'permission denied to sign for a move to stage "sql"',
	'It asks for the signatures of: marketing, sales; "regress_lq_other" is a member of none of their roles.',
	'The owner of the funnel names the roles in crm.side.'], 'a member of no side');
SELECT throws_ok('UPDATE crm.signature SET note = ''x''', '23001', NULL, 'signatures are append-only');
SELECT throws_ok('DELETE FROM crm.signature', '23001', NULL, 'for the owner, too');
SELECT throws_ok('TRUNCATE crm.signature', '23001', NULL, 'all of them');
UPDATE crm.side SET role = 'regress_lq_nobody' WHERE side = 'marketing';
SELECT matches((pg_temp.attempt('regress_lq_mia', 'SELECT sign_move(''crm'', ''1'', ''sql'', side => ''marketing'')'))[3], 'does not exist', 'a role that is gone has no members');
SELECT is(object, 'marketing', 'which check_funnel() finds') FROM check_funnel('crm') WHERE finding = 'side_without_role';
UPDATE crm.side SET role = 'regress_lq_mkt' WHERE side = 'marketing';

-- exceptions are the manager's
SELECT matches((pg_temp.attempt('regress_lq_sam', 'UPDATE crm.lead SET stage = ''sql'', reason = ''urgent'' WHERE lead_id = 2'))[3],
	'needs manager \(a member of role "regress_lq_boss"\)', 'R000-01 an exception needs a manager');
SELECT is((pg_temp.attempt('regress_lq_bea', 'UPDATE crm.lead SET stage = ''sql'', reason = ''urgent'' WHERE lead_id = 2'))[1], 'done', 'whose role the owner named');
SELECT is(exception, true, 'and is flagged') FROM crm.stage_history WHERE lead_id = 2 ORDER BY history_id DESC LIMIT 1;

-- verdicts
CREATE FUNCTION pg_temp.judge(role text, side text) RETURNS text[] LANGUAGE sql AS
	$$ SELECT pg_temp.attempt(role, format('INSERT INTO crm.verdict (lead_id, side, qualified) VALUES (1, %L, true)', side)) $$;
SELECT is((pg_temp.judge('regress_lq_mia', 'marketing'))[1], 'done', 'R002-05 members of a side judge for it');
SELECT is((pg_temp.judge('regress_lq_sam', 'marketing'))[1:3],
	ARRAY['42501', 'permission denied to judge leads for side "marketing"', 'Only members of role "regress_lq_mkt" may.'], 'and the other side does not');
SELECT is((pg_temp.judge('regress_lq_mia', 'sales'))[1], '42501', 'nor the one for the other');
SELECT lives_ok($$ INSERT INTO crm.verdict (lead_id, side, qualified, judged_by) VALUES (1, 'sales', false, 'sue') $$, 'the owner puts down what others said');
UPDATE crm.side SET role = NULL WHERE side = 'marketing';
SELECT is((pg_temp.judge('regress_lq_sam', 'marketing'))[1], 'done', 'a side without a role is anyone''s');
UPDATE crm.side SET role = 'regress_lq_mkt' WHERE side = 'marketing';

-- definitions
SELECT copy_definition('crm', 'default', 'next');
UPDATE crm.definition SET sides = '{marketing,sales}' WHERE definition = 'next';
CREATE FUNCTION pg_temp.problems() RETURNS text LANGUAGE sql AS
	'SELECT string_agg(problem, '' '') FROM public.check_definition(''crm'', ''next'')';
SELECT throws_ok($$ SELECT activate_definition('crm', 'next') $$, '55000', NULL, 'R000-22 unsigned it is not activated');
SELECT is(pg_temp.problems(), 'Side "marketing" has not signed it as it is now. Side "sales" has not signed it as it is now.', 'who is missing');
SELECT lives_ok($$ SELECT * FROM preview_definition('crm', 'next') $$, 'but it may be tried');
GRANT UPDATE ON crm.definition TO regress_lq_mkt;
SELECT is((pg_temp.attempt('regress_lq_mia', 'UPDATE crm.definition SET sides = ''{marketing}'' WHERE definition = ''next'''))[1:2],
	ARRAY['42501', 'permission denied to change status or sides of definition "next"'], 'R000-22 whoever signs does not say who must');
SELECT is((pg_temp.attempt('regress_lq_mia', 'UPDATE crm.definition SET status = ''retired'''))[1], '42501', 'nor which one is in force');
SELECT is((pg_temp.attempt('regress_lq_mia', 'UPDATE crm.definition SET sides = sides, status = status, note = note'))[1], 'done', 'but writes a row back as it was');
SELECT is((pg_temp.attempt('regress_lq_mia', 'SELECT sign_definition(''crm'', ''next'', ''marketing'')'))[1], '', 'marketing signs');
SELECT is((pg_temp.attempt('regress_lq_mia', 'SELECT sign_definition(''crm'', ''next'', ''sales'')'))[1], '42501', 'but not for sales');
UPDATE crm.rule SET points = 21 WHERE definition = 'next' AND name = 'webinar';
SELECT is((pg_temp.attempt('regress_lq_sam', 'SELECT sign_definition(''crm'', ''next'', ''sales'', ''at last'')'))[1], '', 'sales signs');
SELECT is(pg_temp.problems(), 'Side "marketing" has not signed it as it is now.', 'a signature is for the rules as they were');
SELECT is((pg_temp.attempt('regress_lq_mo', 'SELECT sign_definition(''crm'', ''next'', ''marketing'')'))[1], '', 'marketing signs again');
SELECT results_eq('SELECT agreed_by_marketing, agreed_by_sales, agreed_at = now() FROM crm.definition WHERE definition = ''next''',
	$$ VALUES ('regress_lq_mo', 'regress_lq_sam', true) $$, 'R000-22 D15 the definition says who agreed: by that, marketing vets what moves by itself');
SELECT is((pg_temp.attempt('regress_lq_mia', 'UPDATE crm.definition SET agreed_by_sales = ''forged'' WHERE definition = ''next'''))[1], 'done', 'who writes there');
SELECT is(agreed_by_sales, 'regress_lq_sam', 'writes nothing') FROM crm.definition WHERE definition = 'next';
SELECT lives_ok($$ SELECT activate_definition('crm', 'next') $$, 'R000-22 R003-09 signed by both sides it is activated');
SAVEPOINT agreed;
INSERT INTO crm.list VALUES ('target_countries', 'NO');
UPDATE crm.definition SET note = 'further' WHERE definition = 'next';
SELECT is(agreed_by_sales, NULL, 'another country, and nobody has agreed') FROM crm.definition WHERE definition = 'next';
ROLLBACK TO agreed;
UPDATE crm.stage SET sla = '1 hour' WHERE stage = 'mql';
UPDATE crm.definition SET note = 'faster' WHERE definition = 'next';
SELECT is(agreed_by_sales, NULL, 'another deadline, and nobody has agreed') FROM crm.definition WHERE definition = 'next';

SELECT * FROM finish();
ROLLBACK;
