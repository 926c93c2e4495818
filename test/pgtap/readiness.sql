-- How many leads are ready, how many lack one thing: against why_not(), lead
-- by lead.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(16);
\ir helper/random_funnel.sql
SELECT results_eq('SELECT stage, leads, ready, one_step_short, to_be_worked, in_nurture FROM readiness',
	$$ SELECT stage, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint FROM stage WHERE milestone IN ('lead', 'mql', 'sal', 'nurture') ORDER BY position, stage $$, 'an empty funnel has its stages');

-- each part of each transition on the way, as why_not() has it; answered(e): with yes to one element of BANT
CREATE FUNCTION pg_temp.parts(key bigint) RETURNS TABLE (step int, transition bigint, unmet bigint, part text) LANGUAGE sql AS $$
	SELECT w.step, w.transition_id, count(*) FILTER (WHERE w.state <> 'met'), min(w.part) FILTER (WHERE w.state <> 'met')
	FROM why_not('crm', key, 'sql') AS w GROUP BY 1, 2 $$;
CREATE FUNCTION pg_temp.one_more(key bigint, wanted bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	e text;
	met boolean := false;
BEGIN
	FOREACH e IN ARRAY '{budget,authority,need,timeline}'::text[] LOOP
		BEGIN
			SET LOCAL lead_qual.import = on;
			UPDATE lead SET bant = set_level(bant, e, 'yes') WHERE lead_id = key;
			SELECT coalesce(min(p.unmet), 0) = 0 INTO met FROM pg_temp.parts(key) AS p WHERE p.transition = wanted;
			RAISE EXCEPTION USING ERRCODE = 'LQ002';
		EXCEPTION WHEN SQLSTATE 'LQ002' THEN NULL;
		END;
		IF met THEN RETURN true; END IF;
	END LOOP;
	RETURN false;
END $$;
CREATE FUNCTION pg_temp.told() RETURNS TABLE (stage text, ready bigint, one_step_short bigint, to_be_worked bigint) LANGUAGE sql AS $$
	SELECT l.stage, count(*) FILTER (WHERE d.distance = 0), count(*) FILTER (WHERE d.distance = 1), count(*) FILTER (WHERE d.distance > 1)
	FROM lead AS l JOIN stage AS st ON st.stage = l.stage AND st.milestone IN ('lead', 'mql', 'sal'),
		LATERAL (SELECT coalesce(sum(s.least), 0) AS distance FROM (
			SELECT p.step, min(CASE WHEN p.unmet = 1 AND (p.part !~ 'bant' OR pg_temp.one_more(l.lead_id, p.transition)) THEN 1 ELSE 2 END) AS least
			FROM pg_temp.parts(l.lead_id) AS p GROUP BY p.step) AS s) AS d
	GROUP BY l.stage $$;
CREATE FUNCTION pg_temp.as_told(what text) RETURNS text LANGUAGE sql AS $$
	SELECT results_eq('SELECT stage, ready, one_step_short, to_be_worked FROM readiness WHERE ready + one_step_short + to_be_worked > 0 ORDER BY stage COLLATE "C"',
		'SELECT * FROM pg_temp.told() ORDER BY stage COLLATE "C"', what) $$;

SELECT isnt_empty('SELECT * FROM pg_temp.random_operations(700, 0.4)', 'a funnel');
SELECT pg_temp.as_told('R003-11, D15b: as why_not() says of each lead');
SELECT results_eq('SELECT sum(leads), sum(ready + one_step_short + to_be_worked + in_nurture) FROM readiness',
	$$ SELECT count(*)::numeric, count(*)::numeric FROM lead JOIN stage USING (stage) WHERE milestone IN ('lead', 'mql', 'sal', 'nurture') $$, 'R003-11: the four add up');
SELECT is(in_nurture, (SELECT count(*) FROM lead WHERE stage = 'nurture'), 'R003-11: and those to be nurtured further are in the same view') FROM readiness WHERE stage = 'nurture';

-- by hand: a guard of three things
DELETE FROM lead;
UPDATE transition SET condition = 'country = ''DE'' AND at_least(3, bant -> ''budget'' = ''yes'', bant -> ''authority'' = ''yes'', bant -> ''need'' = ''yes'', bant -> ''timeline'' = ''yes'')', sides = NULL
	WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, stage, country, bant)
SELECT n, 'sal', country, bant::bant FROM (VALUES (1, 'DE', 'B+ A+ N+'), (2, 'DE', 'B+ A+'), (3, 'DE', 'B+'), (4, 'FR', 'B+ A+ N+'), (5, 'FR', 'B+ A+'), (6, NULL, 'B+ A+ N+'), (7, 'DE', 'B+ A+ N- T-')) AS v (n, country, bant);
SET LOCAL lead_qual.import = off;
SELECT results_eq('SELECT leads, ready, one_step_short, to_be_worked FROM readiness WHERE stage = ''sal''', 'VALUES (7::bigint, 1::bigint, 4::bigint, 2::bigint)',
	'D15b: one part unmet or unknown; of answers, one more must do');
SELECT pg_temp.as_told('D15b: so says why_not()');
UPDATE transition SET sides = '{marketing}' WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
SELECT results_eq('SELECT ready, one_step_short, to_be_worked FROM readiness WHERE stage = ''sal''', 'VALUES (0::bigint, 1::bigint, 6::bigint)', 'D15b: a signature is a part');
INSERT INTO transition (definition, position, from_stage, to_stage, condition) SELECT definition, 950, 'sal', 'sql', 'country = ''FR''' FROM definition WHERE status = 'active';
SELECT results_eq('SELECT ready, one_step_short, to_be_worked FROM readiness WHERE stage = ''sal''', 'VALUES (2::bigint, 5::bigint, 0::bigint)', 'D15b: by the transition that is nearest');
SELECT pg_temp.as_told('D15b: so says why_not(), too');
DELETE FROM transition WHERE to_stage = 'sql';
SELECT results_eq('SELECT leads, to_be_worked FROM readiness WHERE stage = ''sal''', 'VALUES (7::bigint, 7::bigint)', 'where no way leads on, all are to be worked');

-- who may
CREATE ROLE regress_lq_analyst;
CREATE ROLE regress_lq_sales;
SELECT FROM grant_funnel('crm', 'regress_lq_analyst', 'analyst');
SELECT FROM grant_funnel('crm', 'regress_lq_sales', 'sales');
SELECT ok(NOT has_table_privilege('regress_lq_analyst', 'crm.readiness', 'SELECT'), 'an analyst, who may not read what guards read, is not granted it');
SET LOCAL ROLE regress_lq_sales;
SELECT is(leads, 7::bigint, 'sales is') FROM crm.readiness WHERE stage = 'sal';
RESET ROLE;
ALTER TABLE lead ENABLE ROW LEVEL SECURITY;
CREATE POLICY theirs ON lead FOR SELECT TO regress_lq_sales USING (lead_id < 3);
SET LOCAL ROLE regress_lq_sales;
SELECT is(leads, 2::bigint, 'and sees what row security shows') FROM crm.readiness WHERE stage = 'sal';
RESET ROLE;
SELECT throws_ok('SELECT * FROM _readiness(0)', NULL, NULL, 'no funnel');
SELECT throws_ok('SELECT * FROM _readiness(''pg_class''::regclass)', NULL, NULL, 'nor there');
SELECT * FROM finish();
ROLLBACK;
