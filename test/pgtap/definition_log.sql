-- definition_log and definition_at(): what the rules were.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(34);

SET LOCAL lead_qual.clock = '2026-01-05 09:00Z';
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SELECT is(count(*), (SELECT count(*) FROM rule), 'R000-17 the log begins with the rules that a funnel is created with')
FROM definition_log WHERE relation = 'rule' AND operation = 'insert' AND old_row IS NULL AND changed_at = '2026-01-05 09:00Z';
CREATE TEMP TABLE was AS SELECT max(log_id) AS log_id FROM definition_log;
CREATE FUNCTION pg_temp.logged() RETURNS TABLE (log text) LANGUAGE sql AS $$
	WITH new AS (UPDATE pg_temp.was SET log_id = (SELECT max(log_id) FROM crm.definition_log) RETURNING 1),
		 old AS (SELECT log_id FROM pg_temp.was)
	SELECT concat_ws(' ', relation, operation, definition) FROM crm.definition_log, new
	WHERE definition_log.log_id > (SELECT log_id FROM old) ORDER BY definition_log.log_id $$;

-- every kind of change, whoever makes it
SET LOCAL lead_qual.clock = '2026-02-01 09:00Z';
SET LOCAL lead_qual.actor = 'mia';
UPDATE rule SET points = 25 WHERE name = 'webinar';
SELECT results_eq('SELECT changed_at, actor, old_row ->> ''points'', new_row ->> ''points'' FROM definition_log ORDER BY log_id DESC LIMIT 1',
	$$ VALUES ('2026-02-01 09:00Z'::timestamptz, 'mia', '20', '25') $$, 'when, who, the row before and the row after');
SELECT is((SELECT version FROM definition_log ORDER BY log_id DESC LIMIT 1), (SELECT version FROM definition),
	'the version is that after the change');
SELECT set_eq('SELECT * FROM pg_temp.logged()', $$ VALUES ('rule update default') $$,
	'that the version rose is no change of its own');
DELETE FROM rule WHERE name = 'ad_click';
INSERT INTO rule (definition, name, axis, kind, points) VALUES ('default', 'click', 'engagement', 'ad_click', 4);
UPDATE transition SET condition = 'score >= 90' WHERE position = 40;
UPDATE stage SET sla = '12 hours' WHERE stage = 'mql';
UPDATE definition SET max_fit = 50;
UPDATE rule SET points = points WHERE name = 'webinar';
UPDATE list SET value = value;
UPDATE list SET value = 'NZ' WHERE list = 'target_countries' AND value = 'AT';
INSERT INTO list VALUES ('target_countries', 'AU');
UPDATE kind SET touch = NOT touch WHERE kind = 'webinar';
UPDATE element SET valid_for = '1 year' WHERE framework = 'bant' AND element = 'budget';
UPDATE setting SET currency = 'CHF';
SELECT results_eq('SELECT * FROM pg_temp.logged()', $$ VALUES ('rule delete default'), ('rule insert default'),
	('transition update default'), ('stage update'), ('definition update default'), ('list update'), ('list insert'),
	('kind update'), ('element update') $$,
	'what scores and moves go by, and no other; not what changed nothing');
SAVEPOINT s;
UPDATE rule SET points = 1;
ROLLBACK TO SAVEPOINT s;
SELECT is_empty('SELECT * FROM pg_temp.logged()', 'nor what was rolled back');
SET LOCAL lead_qual.import = on;
UPDATE rule SET description = 'imported' WHERE name = 'webinar';
SET LOCAL lead_qual.import = off;
SELECT is_empty('SELECT * FROM pg_temp.logged()', 'nothing is logged under lead_qual.import');
SET LOCAL session_replication_role = replica;
UPDATE rule SET description = 'replicated' WHERE name = 'webinar';
SET LOCAL session_replication_role = origin;
SELECT is_empty('SELECT * FROM pg_temp.logged()', 'nor on a replica, which gets the log with the rules');

-- the rules of a day
CREATE FUNCTION pg_temp.past(item text, at timestamptz, which text) RETURNS text LANGUAGE sql AS
	'SELECT string_agg(content ->> $3, '','') FROM public.definition_at(''crm'', $2) AS p WHERE p.item = $1';
SELECT is(pg_temp.past('webinar', '2026-01-20Z', 'points'), '20', 'R000-17 a rule as it was');
SELECT is(pg_temp.past('webinar', '2026-02-01 09:00Z', 'points'), '25', 'and from its change on');
SELECT is(pg_temp.past('ad_click', '2026-01-20Z', 'points'), '3', 'a rule that is gone was there');
SELECT is(pg_temp.past('ad_click', '2026-02-02Z', 'points'), NULL, 'and is not any more');
SELECT is(pg_temp.past('click', '2026-01-20Z', 'points'), NULL, 'one that came later was not');
SELECT is(pg_temp.past('click', '2026-02-02Z', 'points'), '4', 'and then is');
SELECT is(pg_temp.past('lead -> mql', '2026-01-20Z', 'condition'), 'score >= 100 AND engagement > 0', 'R000-11 a guard as it was');
SELECT is(pg_temp.past('mql', '2026-01-20Z', 'sla'), '24:00:00', 'R000-11 a deadline as it was');
SELECT is(pg_temp.past('default', '2026-01-20Z', 'max_fit'), NULL, 'a limit as it was');
SELECT is(pg_temp.past('default', '2026-02-20Z', 'max_fit'), '50', 'and as it is');
SELECT is((SELECT string_agg(content ->> 'value', ' ') FROM definition_at('crm', '2026-01-20Z') WHERE item = 'target_countries'), 'AT CH DE FR GB NL US', 'a list as it was');
SELECT is((SELECT string_agg(content ->> 'value', ' ') FROM definition_at('crm', '2026-02-20Z') WHERE item = 'target_countries'), 'AU CH DE FR GB NL NZ US', 'and as it is');
SELECT is(pg_temp.past('bant.budget', '2026-02-20Z', 'valid_for'), '1 year', 'how long an answer holds');
SELECT isnt(pg_temp.past('webinar', '2026-01-20Z', 'touch'), pg_temp.past('webinar', '2026-02-20Z', 'touch'), 'what a kind was');
SELECT is_empty($$ SELECT * FROM definition_at('crm', '2026-01-01Z') $$, 'before the funnel was, no rule was');
SELECT throws_ok($$ SELECT * FROM definition_at('crm', NULL) $$, '22004', NULL, 'never is no instant');
SELECT results_eq($$ SELECT relation, count(*) FROM definition_at('crm', '2026-01-20Z') GROUP BY 1 ORDER BY 1 $$,
	$$ VALUES ('definition', 1::bigint), ('element', (SELECT count(*) FROM element)), ('kind', (SELECT count(*) FROM kind)),
		('list', (SELECT count(*) - 1 FROM list)), ('rule', 37), ('stage', 9), ('transition', 29) $$, 'all of it is there');

SET LOCAL lead_qual.clock = '2026-03-01 09:00Z';
SELECT copy_definition('crm', 'default', 'other');
SELECT activate_definition('crm', 'other');
SET LOCAL lead_qual.clock = '2026-04-01 09:00Z';
UPDATE definition SET definition = 'spring' WHERE definition = 'other';
DELETE FROM definition WHERE definition = 'default';
SELECT results_eq($$ SELECT at, (SELECT item FROM definition_at('crm', at) WHERE relation = 'definition'),
						   (SELECT count(*) FROM definition_at('crm', at) WHERE relation = 'rule')
					FROM unnest('{2026-02-20Z,2026-03-20Z,2026-04-20Z}'::timestamptz[]) AS at $$,
	$$ VALUES ('2026-02-20Z'::timestamptz, 'default', 37::bigint), ('2026-03-20Z', 'other', 37), ('2026-04-20Z', 'spring', 37) $$,
	'D13 the definition that was active then, also if it is renamed or gone by now');
SELECT is(max(version), (SELECT max(version) FROM definition_log), 'D13 a version is never given twice') FROM definition;
DELETE FROM rule WHERE name = 'click';
SELECT cmp_ok(version, '>', (SELECT max(version) FROM definition_log WHERE definition = 'other'), 'whatever is deleted') FROM definition;

-- nobody writes it by hand
CREATE ROLE regress_lq_marketing;
SELECT count(*) > 0 FROM grant_funnel('crm', 'regress_lq_marketing', 'marketing');
SET LOCAL ROLE regress_lq_marketing;
RESET lead_qual.clock;
SELECT lives_ok($$ UPDATE crm.rule SET points = 30 WHERE name = 'webinar' $$, 'who may edit rules needs no right on the log');
SELECT is((SELECT new_row ->> 'points' FROM crm.definition_log ORDER BY log_id DESC LIMIT 1), '30', 'and may read it');
SELECT throws_ok($$ INSERT INTO crm.definition_log (relation, operation) VALUES ('rule', 'insert') $$, '42501', NULL, 'but not write it');
RESET ROLE;
SELECT throws_ok($$ UPDATE definition_log SET actor = 'x' $$, '23001', NULL, 'the log is append-only');
SELECT throws_ok($$ DELETE FROM definition_log $$, '23001', NULL, 'for its owner, too');
SELECT throws_ok($$ TRUNCATE definition_log $$, '23001', NULL, 'as a whole as well');

SELECT * FROM finish();
ROLLBACK;
