-- drop_funnel(), and what else keeps its place while it is in use.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(26);

SELECT create_funnel('crm');
SELECT create_funnel('Crm é');

-- dropping
SELECT throws_ok($$ SELECT drop_funnel('nowhere') $$, '3F000', NULL, 'no such schema');
SELECT throws_ok($$ SELECT drop_funnel('public') $$, '42809', NULL, 'a schema that is no funnel');
SELECT throws_ok($$ SELECT drop_funnel(NULL) $$, '22004', NULL, 'no name');

CREATE TABLE "Crm é".mine (id bigint GENERATED ALWAYS AS IDENTITY);
SELECT throws_like($$ SELECT drop_funnel('Crm é') $$, '%not part of the funnel%',
	'a table of the user''s own keeps the funnel');
DROP TABLE "Crm é".mine;

CREATE FUNCTION "Crm é".mine() RETURNS int LANGUAGE sql RETURN 1;
SELECT throws_ok($$ SELECT drop_funnel('Crm é') $$, '2BP01', NULL,
	'and so does a function');
DROP FUNCTION "Crm é".mine();

CREATE VIEW public.theirs AS SELECT stage FROM "Crm é".stage;
SELECT throws_ok($$ SELECT drop_funnel('Crm é') $$, '2BP01', NULL,
	'and a view elsewhere that reads it');
SELECT has_table('Crm é', 'stage', 'a refused drop drops nothing');
DROP VIEW public.theirs;

INSERT INTO "Crm é".spend (department, starts_on, ends_on, amount)
	VALUES ('sales', '2026-01-01', '2026-01-31', 1);
SELECT throws_like($$ SELECT drop_funnel('Crm é') $$, '%is not empty', 'facts keep the funnel');
DELETE FROM "Crm é".spend;
SELECT sign_definition('Crm é', 'default', 'sales');
SELECT throws_like($$ SELECT drop_funnel('Crm é') $$, '%is not empty', 'so does a signature');
SELECT lives_ok($$ SELECT drop_funnel('Crm é', force => true) $$, 'force drops it all the same');
SELECT hasnt_schema('Crm é', 'it is gone');
SELECT has_schema('crm', 'the other one is not');
SELECT lives_ok($$ SELECT create_funnel('Crm é') $$, 'the name can be used again');
SELECT lives_ok($$ SELECT drop_funnel('Crm é') $$, 'an empty funnel is dropped');
SELECT hasnt_schema('Crm é', 'it is gone, too');

-- policy in use
SELECT throws_ok($$ UPDATE crm.stage SET stage = 'accepted' WHERE stage = 'sal' $$, '2BP01', NULL,
	'a stage in use is not renamed');
SELECT throws_ok($$ DELETE FROM crm.stage WHERE stage = 'sal' $$, '2BP01', NULL,
	'nor removed');
SELECT lives_ok($$ UPDATE crm.stage SET sla = '1 hour' WHERE stage = 'mql' $$,
	'its deadline may change');
INSERT INTO crm.stage (stage, position, milestone) VALUES ('demo', 20, 'opportunity');
SELECT lives_ok($$ DELETE FROM crm.stage WHERE stage = 'demo' $$, 'an unused stage is removed');

SELECT throws_ok($$ DELETE FROM crm.kind WHERE kind = 'webinar' $$, '2BP01', NULL,
	'a kind that a rule names is not removed');
SELECT lives_ok($$ DELETE FROM crm.kind WHERE kind = 'call_attempt' $$,
	'a kind that nothing names is');

-- deals
INSERT INTO crm.deal (external_id, amount, status) VALUES ('a', 100, 'won');
SELECT ok((SELECT closed_at = funnel_now() AND home_amount = 100 FROM crm.deal),
	'a won deal without a date is closed now, and needs no exchange');
UPDATE crm.deal SET amount = 120;
SELECT is((SELECT home_amount FROM crm.deal), 120::numeric, 'home_amount follows the amount');
UPDATE crm.deal SET status = 'open';
SELECT is((SELECT closed_at FROM crm.deal), NULL, 'an open deal is not closed');
INSERT INTO crm.deal (external_id, amount, currency, status, closed_at)
	VALUES ('b', 100, 'USD', 'lost', '2026-01-31');
SELECT is((SELECT home_amount FROM crm.deal WHERE external_id = 'b'), NULL,
	'another currency is not taken for the funnel''s');
SELECT is((SELECT closed_at FROM crm.deal WHERE external_id = 'b'), timestamptz '2026-01-31',
	'a date that is given stands');

SELECT * FROM finish();
ROLLBACK;
