-- drop_funnel(), and what else keeps its place while it is in use.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(34);

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

-- a table of leads of the user's that was moved into the schema
CREATE TABLE public.people (id bigint, country text, PRIMARY KEY (id, country)) PARTITION BY LIST (country);
CREATE TABLE public.people_de PARTITION OF public.people FOR VALUES IN ('DE');
CREATE TABLE public.people_fr PARTITION OF public.people FOR VALUES IN ('FR');
INSERT INTO public.people VALUES (1, 'DE'), (2, 'FR');
SELECT create_funnel('of', lead_table => 'public.people', lead_key => 'id', columns => '{"country": "country"}');
ALTER TABLE public.people SET SCHEMA "of";
SELECT throws_ok($$ SELECT drop_funnel('of', true) $$, '2BP01', 'schema "of" holds a table of leads that is not the funnel''s own',
	'S5: force does not drop a table of leads of the user''s');
SELECT throws_ok($$ SELECT drop_funnel('of') $$, '2BP01', NULL, 'S5: nor is it dropped without');
ALTER TABLE "of".people SET SCHEMA public;
ALTER TABLE public.people_de SET SCHEMA crm;
SELECT throws_ok($$ SELECT drop_funnel('crm', true) $$, '2BP01', NULL, 'S5: nor a partition of one, be it of another funnel''s');
ALTER TABLE public.people DETACH PARTITION crm.people_de;
SELECT throws_ok($$ SELECT drop_funnel('crm', true) $$, '2BP01', NULL, 'S5: nor one that was detached from it');
ALTER TABLE crm.people_de SET SCHEMA public;
SELECT lives_ok($$ SELECT drop_funnel('of', true) $$, 'S5: moved out, they stay');
SELECT results_eq('SELECT id, country FROM public.people UNION ALL TABLE public.people_fr', $$ VALUES (2::bigint, 'FR'), (2, 'FR') $$, 'with their rows');
SELECT columns_are('public', 'people', '{id,country}'::name[], 'and without columns of the funnel');
SELECT is((SELECT count(*) FROM public.people_de), 1::bigint, 'so does what was detached');

-- policy in use
SELECT throws_ok($$ UPDATE crm.element SET element = 'money' WHERE framework = 'bant' AND element = 'budget' $$, '2BP01', NULL,
	'an element of a type is not renamed');
SELECT throws_ok($$ DELETE FROM crm.stage WHERE stage = 'sal' $$, '2BP01', NULL,
	'a stage in use is not removed');
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
