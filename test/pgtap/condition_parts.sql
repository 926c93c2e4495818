-- The parts of a condition, in the words of the one who wrote it.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(10);

SELECT create_funnel('crm');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-01 12:00+00';
DELETE FROM transition;
INSERT INTO transition (definition, position, to_stage, automatic) VALUES ('default', 1, 'lead', true);
INSERT INTO lead (external_id) VALUES ('it');

CREATE FUNCTION pg_temp.parts(guard text) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM crm.transition WHERE to_stage = 'mql';
	INSERT INTO crm.transition (definition, position, from_stage, to_stage, condition)
		VALUES ('default', 2, 'lead', 'mql', guard);
	RETURN (SELECT array_agg(w.part::text) FROM crm.lead, why_not('crm', lead_id, 'mql') AS w
			WHERE external_id = 'it');
END $$;

SELECT is(pg_temp.parts('country = ''DE'''), ARRAY['country = ''DE'''], 'one');
SELECT is(pg_temp.parts('score >= 100 AND country = ''DE'' and bant @> ''B+'''),
		  ARRAY['score >= 100', 'country = ''DE''', 'bant @> ''B+'''], 'three');
SELECT is(pg_temp.parts('((score >= 100) AND ((country = ''DE'') AND (company = ''x'')))'),
		  ARRAY['score >= 100', 'country = ''DE''', 'company = ''x'''], 'nested, in parentheses');
SELECT is(pg_temp.parts('score >= 100 OR country = ''DE'' AND company = ''x'''),
		  ARRAY['score >= 100 OR country = ''DE'' AND company = ''x'''], 'OR binds less');
SELECT is(pg_temp.parts('NOT (score < 100 AND fit < 10) AND company = ''x'''),
		  ARRAY['NOT (score < 100 AND fit < 10)', 'company = ''x'''], 'NOT binds more');
SELECT is(pg_temp.parts('company_size BETWEEN 10 AND 20 AND annual_revenue BETWEEN SYMMETRIC 2 AND 1'),
		  ARRAY['company_size BETWEEN 10 AND 20', 'annual_revenue BETWEEN SYMMETRIC 2 AND 1'], 'the AND of BETWEEN');
SELECT is(pg_temp.parts('(country, company) = (''DE'', ''x'') AND country NOT IN (''AT'', ''CH'', source)'),
		  ARRAY['(country, company) = (''DE'', ''x'')', 'country NOT IN (''AT'', ''CH'', source)'], 'shorthands');
SELECT is(pg_temp.parts('company = ''you and me'' AND note = E''it\''s and'' -- and more
	AND campaign = $q$a and b$q$ /* and /* and */ */ AND "owner" = ''x'''),
		  ARRAY['company = ''you and me''', 'note = E''it\''s and''', 'campaign = $q$a and b$q$', '"owner" = ''x'''],
		  'quotes and comments');
SELECT is(pg_temp.parts('CASE WHEN score > 1 AND fit > 1 THEN country = ''DE'' END AND company = ''x'''),
		  ARRAY['CASE WHEN score > 1 AND fit > 1 THEN country = ''DE'' END', 'company = ''x'''], 'CASE');
SELECT is(pg_temp.parts('bant -> ''need'' NOT IN (''yes'', bant -> ''budget'') AND company NOT IN (''x'', country)'),
		  ARRAY['bant -> ''need'' NOT IN (''yes'', bant -> ''budget'')', 'company NOT IN (''x'', country)'],
		  'NOT IN over a type of ours');

SELECT * FROM finish();
ROLLBACK;
