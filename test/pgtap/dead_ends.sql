-- check_funnel(): no lead can come in; and what its hints say to do can be done.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(10);

SELECT create_funnel('crm', 'UTC');
CREATE FUNCTION pg_temp.hint(of text) RETURNS text LANGUAGE sql AS
	$$ SELECT max(hint) FROM check_funnel('crm') WHERE finding = of $$;
CREATE FUNCTION pg_temp.finds(of text) RETURNS boolean LANGUAGE sql AS
	$$ SELECT EXISTS (SELECT FROM check_funnel('crm') WHERE finding = of) $$;
SELECT ok(NOT pg_temp.finds('no_way_in'), 'leads can come in');
SAVEPOINT s;

-- no transition can create a lead
DELETE FROM crm.transition WHERE from_stage IS NULL;
SELECT is(format('%s %s', severity, object), 'error transition', 'R13: no transition creates a lead')
FROM check_funnel('crm') WHERE finding = 'no_way_in';
SELECT throws_ok($$ INSERT INTO crm.lead (email) VALUES ('ann@example.com') $$, '23514', NULL, '... nor does a lead come in');
ROLLBACK TO s;

DELETE FROM crm.transition WHERE from_stage IS NULL AND to_stage <> 'lead';
UPDATE crm.transition SET condition = 'years_in_industry IS NULL' WHERE from_stage IS NULL;
ALTER TABLE crm.lead DROP COLUMN years_in_industry;
SELECT ok(pg_temp.finds('no_way_in'), 'R13: the only one that does has a condition that does not compile');
ROLLBACK TO s;

SET LOCAL lead_qual.import = on;
ALTER TABLE crm.stage DISABLE TRIGGER USER;
DELETE FROM crm.transition WHERE from_stage IS NULL AND to_stage <> 'lead';
UPDATE crm.stage SET stage = 'raw' WHERE stage = 'lead';
ALTER TABLE crm.stage ENABLE TRIGGER USER;
SET LOCAL lead_qual.import = off;
UPDATE crm.stage SET description = 'read anew';
SELECT ok(pg_temp.finds('no_way_in'), 'R13: ... or leads to a stage that is gone');
ROLLBACK TO s;

UPDATE crm.transition SET from_stage = NULL, automatic = false WHERE definition = 'default' AND from_stage = 'lead' AND to_stage = 'mql';
DELETE FROM crm.transition WHERE from_stage IS NULL AND to_stage <> 'mql';
SELECT ok(NOT pg_temp.finds('no_way_in'), 'one that people ask for is a way in');
ROLLBACK TO s;

-- hints
SET CONSTRAINTS ALL DEFERRED;
UPDATE crm.definition SET status = 'retired';
SELECT alike(pg_temp.hint('no_active_definition'), '%activate_definition()%', 'no definition is active: a hint');
SELECT activate_definition('crm', 'default');
SELECT ok(NOT pg_temp.finds('no_active_definition'), '... that leads out of it');
ROLLBACK TO s;
DROP TRIGGER zz_insert ON crm.activity;
SELECT alike(pg_temp.hint('trigger_missing'), '%repair_funnel()%', 'a trigger is gone: a hint');
SELECT count(*) FROM repair_funnel('crm');
SELECT ok(NOT pg_temp.finds('trigger_missing'), '... that leads out of it');

SELECT * FROM finish();
ROLLBACK;
