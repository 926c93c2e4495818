-- Accounts: what is known of a company is a fact about each of its leads.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(21);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_sales;
DO $$ BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database());
END $$;
SET ROLE regress_lq_owner;
SELECT create_funnel('crm');
SELECT grant_funnel('crm', 'regress_lq_sales', 'sales');
SET LOCAL search_path = crm, public, pg_temp;
SET LOCAL lead_qual.clock = '2026-03-01 09:00Z';

INSERT INTO account (account_id, name) VALUES (1, 'Acme'), (2, 'Zeta');
INSERT INTO lead (lead_id, email, account_id) VALUES (1, 'a@acme.example', 1), (2, 'b@acme.example', 1), (3, 'c@zeta.example', 2),
	(4, 'd@example.com', NULL);
CREATE FUNCTION pg_temp.card() RETURNS TABLE (lead_id bigint, fit numeric, stage text) LANGUAGE sql AS
	'SELECT l.lead_id, fit(l.scorecard), l.stage FROM lead l ORDER BY 1';

-- no condition reads the account: its leads are left alone
CREATE FUNCTION pg_temp.versions() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(ctid::text, ' ' ORDER BY lead_id) FROM lead $$;
SELECT pg_temp.versions() AS v \gset
UPDATE account SET properties = '{"tech": ["crm"]}';
SELECT is(pg_temp.versions(), :'v', 'where nothing reads the account, no lead is touched');

-- intent per account and topic, and what it runs
INSERT INTO rule (definition, name, axis, condition, points, category) VALUES
	('default', 'intent_security', 'fit', '(account.properties #>> ''{intent,security}'')::numeric >= 70', 40, 'intent'),
	('default', 'runs_crm', 'fit', 'account.properties -> ''tech'' @> ''["crm"]''', 15, 'company');
SELECT rescore_funnel('crm');
SELECT results_eq('SELECT * FROM pg_temp.card()', $$ VALUES (1::bigint, 15::numeric, 'lead'), (2, 15, 'lead'), (3, 15, 'lead'), (4, 0, 'lead') $$,
	'R003-21 technographic data of the account count for each of its leads');
RESET ROLE;
SET ROLE regress_lq_sales;
SET LOCAL lead_qual.clock = '';
UPDATE account SET properties = properties || '{"intent": {"security": 85, "payroll": 99}}' WHERE account_id = 1;
RESET ROLE;
SET ROLE regress_lq_owner;
SET LOCAL lead_qual.clock = '2026-03-01 09:00Z';
SELECT results_eq('SELECT lead_id, fit FROM pg_temp.card()', $$ VALUES (1::bigint, 55::numeric), (2, 55), (3, 15), (4, 0) $$,
	'R003-21 intent is per account and topic, combined into the score of its leads, whoever reports it');
SELECT results_eq($$ SELECT rule, points FROM explain_score('crm', 1) WHERE rule LIKE 'intent%' OR rule LIKE 'runs%' ORDER BY 1 $$,
	$$ VALUES ('intent_security', 40::numeric), ('runs_crm', 15) $$, 'R003-21 and the explanation names it');
SELECT is((SELECT intent FROM lead_now WHERE lead_id = 1), 40::numeric, 'D15 it is intent');
UPDATE account SET properties = properties || '{"intent": {"security": 10}}' WHERE account_id = 1;
SELECT results_eq('SELECT lead_id, fit FROM pg_temp.card()', $$ VALUES (1::bigint, 15::numeric), (2, 15), (3, 15), (4, 0) $$,
	'interest that is gone does not count any more');

-- only what is read
SELECT pg_temp.versions() AS v \gset
UPDATE account SET name = upper(name), properties = properties;
SELECT is(pg_temp.versions(), :'v', 'another column, or the same value again: no lead is touched');
UPDATE account SET properties = properties || '{"intent": {"security": 10}, "x": 1}' WHERE account_id = 2;
SELECT isnt(pg_temp.versions(), :'v', 'one that is read: its leads are judged');
SELECT is((SELECT ctid::text FROM lead WHERE lead_id = 1), split_part(:'v', ' ', 1), 'those of other accounts are not');

-- guards read it too, and a lead moves by it
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition) VALUES
	('default', 41, 'lead', 'mql', true, 'account.domain = ''acme.example''');
UPDATE account SET domain = 'acme.example' WHERE account_id = 1;
SELECT results_eq('SELECT lead_id, stage FROM pg_temp.card()', $$ VALUES (1::bigint, 'mql'), (2, 'mql'), (3, 'lead'), (4, 'lead') $$,
	'R003-19 a lead moves when its account earns it');
SELECT results_eq($$ SELECT lead_id, automatic FROM stage_history WHERE to_stage = 'mql' ORDER BY 1 $$,
	'VALUES (1::bigint, true), (2, true)', 'and the history tells');
SELECT is_empty($$ SELECT finding FROM check_funnel('crm') WHERE severity = 'error' $$, 'cards agree with a deep check');

-- leaving and losing an account
UPDATE lead SET account_id = 2 WHERE lead_id = 4;
SELECT is((SELECT fit FROM pg_temp.card() WHERE lead_id = 4), 15::numeric, 'a lead that joins an account has what it has');
DELETE FROM account WHERE account_id = 2;
SELECT results_eq('SELECT lead_id, fit FROM pg_temp.card() WHERE lead_id > 2', 'VALUES (3::bigint, 0::numeric), (4, 0)',
	'and when the account goes, no more');

-- a precondition: need is yes, but our product needs something that they lack
UPDATE rule SET enabled = false WHERE name = 'runs_crm';
DELETE FROM transition WHERE position = 41;
UPDATE transition SET condition = condition || $$ AND (NOT properties ? 'requires'
	OR coalesce(account.properties -> 'has' @> (properties -> 'requires'), false)) $$ WHERE position = 60;
UPDATE lead SET stage = 'sal', properties = '{"requires": ["Salesforce"]}' WHERE lead_id = 1;
SELECT record_activity('crm', 'a@acme.example', 'discovery_call');
UPDATE lead SET bant = 'B+ A+ N+ T+' WHERE lead_id = 1;
SELECT throws_ok($$ UPDATE lead SET stage = 'sql' WHERE lead_id = 1 $$, '23514', NULL,
	'R003-14 need is yes, it requires Salesforce and the account has none: not yet');
SELECT results_eq($$ SELECT part LIKE '%requires%', state FROM why_not('crm', 1, 'sql') WHERE state <> 'met' AND part LIKE '%requires%' $$,
	$$ VALUES (true, 'unmet') $$, 'R003-14 and why_not says so');
UPDATE lead SET stage = 'nurture', reason = 'missing_requirement', note = 'needs Salesforce first' WHERE lead_id = 1;
SELECT results_eq($$ SELECT reason, note FROM stage_history WHERE lead_id = 1 AND to_stage = 'nurture' $$,
	$$ VALUES ('missing_requirement', 'needs Salesforce first') $$, 'R003-14 the reason is kept');
SELECT is((SELECT bant -> 'need' FROM lead WHERE lead_id = 1), 'yes'::answer_level, 'R003-14 and the need stays yes');
UPDATE account SET properties = '{"has": ["Salesforce", "SAP"]}' WHERE account_id = 1;
UPDATE lead SET stage = 'lead' WHERE lead_id = 1;
SELECT record_activity('crm', 'a@acme.example', 'sales_inquiry');
UPDATE lead SET stage = 'sal' WHERE lead_id = 1;
SELECT record_activity('crm', 'a@acme.example', 'discovery_call');
SELECT lives_ok($$ UPDATE lead SET stage = 'sql' WHERE lead_id = 1 $$, 'R003-14 once the account has it, it is');

-- who may fire what
SELECT throws_ok($$ CREATE TRIGGER x AFTER INSERT ON account REFERENCING NEW TABLE AS n
	FOR EACH STATEMENT EXECUTE FUNCTION _refit_account_leads(); INSERT INTO account (account_id) VALUES (9) $$,
	'39P01', NULL, 'the trigger is for updates');
SELECT throws_ok($$ CREATE TRIGGER x AFTER UPDATE ON account
	FOR EACH STATEMENT EXECUTE FUNCTION _refit_account_leads(); UPDATE account SET name = 'x' $$,
	'39P01', NULL, 'with transition tables');

SELECT * FROM finish();
ROLLBACK;
