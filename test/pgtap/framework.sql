-- Frameworks as data: levels, verdict, score, gaps, and in conditions.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(44);

-- the object itself
SELECT is(answers_met('{"champ": {"money": "yes", "authority": "no", "challenges": "partial"}, "anum": {"need": "yes"}}', 'champ'), 1,
	'met counts yes');
SELECT is(answers_known('{"champ": {"money": "yes", "authority": "no", "challenges": "partial", "x": "unknown"}}', 'champ'), 3,
	'known counts what is answered');
SELECT is(answers_refuted('{"champ": {"money": "yes", "authority": "no", "challenges": "partial"}}', 'champ'), 1, 'refuted counts no');
SELECT is(answers_met('{}', 'champ'), 0, 'nothing answered');
SELECT is(answers_level('{"champ": {"money": "partial"}}', 'champ', 'money'), 'partial'::answer_level, 'level of an element');
SELECT is(answers_level('{"champ": {"money": "partial"}}', 'champ', 'authority'), 'unknown'::answer_level, 'that nobody answered');
SELECT is(answers_level('{"champ": {"money": "partial"}}', 'anum', 'money'), 'unknown'::answer_level, 'of another framework');
SELECT is(answers_met(j, 'a') + answers_known(j, 'a') + answers_refuted(j, 'a'), 0, format('not fooled by %s', j)) FROM (VALUES (jsonb '[]'), ('"a"'), ('7'),
	('null'), ('{"a": 1}'), ('{"a": ["yes"]}'), ('{"a": {"b": {"c": "yes"}}}'), ('{"a": {"b": "maybe", "c": null, "d": 2}}')) AS v (j);
SELECT is(answers_met(NULL::jsonb, 'champ'), NULL, 'null is null');

SELECT create_funnel('crm');
SET LOCAL search_path = crm, public, pg_temp;
SELECT set_has('SELECT DISTINCT framework FROM element',
	$$ VALUES ('bant'), ('meddic'), ('meddpicc'), ('champ'), ('anum'), ('spiced'), ('gpctba_ci'), ('basic') $$,
	'R000-05 the usual frameworks are there');
INSERT INTO lead (lead_id, email, source, stage, bant) VALUES (1, 'ann@example.com', 'outbound', 'sal', 'B+ A- N~ T+'),
	(2, 'ben@example.com', 'outbound', 'sal', '');
INSERT INTO element (framework, element, label, weight, position) VALUES
	('fives', 'budget', 'Budget', 3, 1), ('fives', 'fit', 'Fit', 2, 2), ('fives', 'need', 'Need', 2, 3),
	('fives', 'team', 'Team', 2, 4), ('fives', 'date', 'Date', 1, 5);
INSERT INTO answer (lead_id, framework, element, level)
	SELECT 1, 'fives', e, 'yes' FROM unnest(ARRAY['budget', 'fit', 'need']) AS e;
INSERT INTO answer (lead_id, framework, element, level) VALUES (1, 'fives', 'team', 'partial');

-- one of the user's own
SELECT results_eq($$ SELECT element, weight, level::text FROM framework_levels('crm', 1, 'fives') $$,
	$$ VALUES ('budget', 3::numeric, 'yes'), ('fit', 2, 'yes'), ('need', 2, 'yes'), ('team', 2, 'partial'), ('date', 1, 'unknown') $$,
	'R000-05 a framework of the user''s own is rows');
SELECT is(framework_verdict('crm', 1, 'fives', 3), 'qualified', '3 of 5');
SELECT is(framework_verdict('crm', 1, 'fives', 4), 'open', 'R004-23 3 of 5 where 4 are asked for: not yet');
SELECT is(framework_gaps('crm', 1, 'fives'), '{team,date}', 'R004-23 what is missing is listed');
SELECT is(framework_verdict('crm', 1, 'fives', 5, true), 'disqualified', 'R003-12 an unknown one may count as no');
SELECT is(framework_verdict('crm', 1, 'fives', 5), 'open', 'or not');
SELECT results_eq($$ SELECT * FROM framework_score('crm', 1, 'fives') $$, 'VALUES (8::numeric, 10::numeric, 0.8::numeric)',
	'weights add up, half for partial');
SELECT is((framework_score('crm', 1, 'fives', 0)).points, 7::numeric, 'or nothing for partial');
UPDATE answer SET level = 'yes' WHERE element = 'team';
SELECT is(framework_verdict('crm', '1', 'fives', 4), 'qualified', 'R004-23 4 of 5 is a very good lead');
-- a key of any type
SELECT is(array[framework_verdict('crm', 1::bigint, 'fives', 4), framework_verdict('crm', '1'::text, 'fives', 4), framework_verdict('crm', '1'::varchar, 'fives', 4),
	framework_verdict('crm', lead_id, 'fives', 4)], array_fill('qualified'::text, array[4]), 'a key may be of any type') FROM lead WHERE lead_id = 1;
SELECT throws_ok($$ SELECT framework_verdict('crm', gen_random_uuid(), 'fives') $$, '22P02', NULL, 'of which it can be read');
SELECT throws_ok($$ SELECT framework_gaps('crm', NULL, 'fives') $$, '22004', NULL, 'but there must be one');

-- the typed ones through the same door
SELECT is(framework_verdict('crm', 1, 'bant', 2), verdict('B+ A- N~ T+'::bant, 2), 'bant: the type''s own verdict');
SELECT is(framework_verdict('crm', 1, 'bant'), 'disqualified', 'all four cannot come any more');
SELECT is(framework_gaps('crm', 1, 'bant'), gaps('B+ A- N~ T+'::bant), 'and gaps');
SELECT is(framework_gaps('crm', 1, 'meddic'), gaps(''::meddic), 'meddic as well');

-- three criteria in general
INSERT INTO answer (lead_id, framework, element, level) VALUES (2, 'basic', 'need', 'yes'), (2, 'basic', 'interest', 'yes');
SELECT is(framework_verdict('crm', 2, 'basic'), 'open', 'R004-02 need and interest without budget: not yet, all are needed');
INSERT INTO answer (lead_id, framework, element, level) VALUES (2, 'basic', 'budget', 'no');
SELECT is(framework_verdict('crm', 2, 'basic'), 'disqualified', 'R004-02 without budget never');

SELECT throws_ok($$ SELECT framework_verdict('crm', 1, 'nonsense', 1) $$, '42704', NULL, 'a framework that nobody described');
SELECT throws_ok($$ SELECT framework_verdict('crm', 9, 'champ', 1) $$, 'P0002', NULL, 'a lead that is not there');
SELECT throws_ok($$ SELECT framework_verdict('crm', 1, 'champ', 5) $$, '22023', NULL, 'more than there are');
SELECT throws_ok($$ SELECT framework_verdict('nowhere', 1, 'champ', 5) $$, '3F000', NULL, 'no funnel');

-- in conditions
UPDATE transition SET condition = 'answers_met(answers, ''basic'') = 3 AND answers_level(answers, ''champ'', ''money'') >= ''partial'''
	WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
SELECT results_eq($$ SELECT part, state FROM why_not('crm', 2, 'sql') WHERE part LIKE '%answers%' ORDER BY 1 DESC $$,
	$$ VALUES ('answers_met(answers, ''basic'') = 3', 'unmet'), ('answers_level(answers, ''champ'', ''money'') >= ''partial''', 'unknown') $$,
	'R004-02 a guard may ask for them; what nobody answered is unknown');
INSERT INTO answer (lead_id, framework, element, level) VALUES (2, 'basic', 'budget', 'yes'), (2, 'champ', 'money', 'partial');
SELECT lives_ok($$ UPDATE lead SET stage = 'sql' WHERE lead_id = 2 $$, 'R004-02 with all three it is an SQL');
SELECT throws_ok($$ UPDATE lead SET stage = 'sql' WHERE lead_id = 1 $$, '23514', NULL, 'and without them not');
UPDATE transition SET condition = 'met(meddic) >= 5 AND refuted(meddic) = 0' WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
UPDATE lead SET meddic = 'M+ E+ DC+ DP+' WHERE lead_id = 1;
SELECT results_eq($$ SELECT part, state, needs FROM why_not('crm', 1, 'sql') WHERE part LIKE '%meddic%' AND state <> 'met' $$,
	$$ VALUES ('met(meddic) >= 5', 'unknown', 'identify_pain: unknown, champion: unknown') $$, 'R000-05 MEDDIC instead of BANT: what is missing is listed');
UPDATE lead SET meddic = meddic || 'I+' WHERE lead_id = 1;
SELECT lives_ok($$ UPDATE lead SET stage = 'sql' WHERE lead_id = 1 $$, 'R000-05 and five of six make an SQL');

SELECT * FROM finish();
ROLLBACK;
