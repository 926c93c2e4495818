-- The triggers of a funnel are rows: what is created, checked and repaired.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(10);

SELECT create_funnel('crm', 'UTC');
CREATE TEMP VIEW member AS
SELECT p.* FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid WHERE e.extname = 'lead_qual';
CREATE TEMP VIEW present AS
SELECT c.relname AS relation, t.tgname AS trigger, t.tgfoid AS function, t.tgtype AS type, t.tgenabled AS enabled,
	   t.tgdeferrable AS is_deferrable, t.tgoldtable IS NOT NULL AS old_rows, t.tgnewtable IS NOT NULL AS new_rows,
	   pg_get_triggerdef(t.oid) AS definition
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'crm'::regnamespace AND NOT t.tgisinternal;

SELECT set_eq('SELECT relation, trigger, function::oid, type, enabled, is_deferrable, old_rows, new_rows FROM _template_triggers()',
	'SELECT relation, trigger, function, type, enabled, is_deferrable, old_rows, new_rows FROM present',
	'S1: every trigger of a new funnel is in the rows, and the reverse');
SELECT set_eq('SELECT function::oid FROM _template_triggers()', $$ SELECT oid FROM member WHERE prorettype = 'trigger'::regtype $$,
	'S1: so is every trigger function of the extension');
SELECT set_eq('SELECT unnest(_funnel_relations(_template_version()))',
	$$ SELECT relname FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind IN ('r', 'p', 'v') UNION ALL SELECT 'detached_lead' $$,
	'the tables and views that make a funnel are listed');
SELECT is_empty($$ SELECT relation, trigger FROM _template_triggers() EXCEPT SELECT relation, trigger FROM _funnel_triggers('crm'::regnamespace) $$,
	'all of them are on tables');

-- what the rows say is what comes back
CREATE TEMP TABLE before AS SELECT relation, trigger, definition, enabled FROM present;
DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT relid, trigger, statement FROM _funnel_triggers('crm'::regnamespace) LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', t.trigger, t.relid);
		EXECUTE t.statement;
	END LOOP;
END $$;
SELECT set_eq('SELECT relation, trigger, definition, enabled FROM present', 'TABLE before', 'their statements make them as they were');

-- a trigger that does not fire where it should is none
CREATE FUNCTION pg_temp.missing(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	result text[];
BEGIN
	BEGIN
		EXECUTE statement;
		result := ARRAY(SELECT concat_ws(' ', f.finding, f.object) FROM check_funnel('crm', false) AS f);
		PERFORM repair_funnel('crm');
		result := result || ARRAY(SELECT concat_ws(' ', 'still', f.finding, f.object) FROM check_funnel('crm', false) AS f);
		RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO1';
	EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
		RETURN QUERY SELECT unnest(result);
	END;
END $$;
SELECT set_eq($$ SELECT pg_temp.missing('DROP TRIGGER zz_circle ON crm.transition; DROP TRIGGER zz_changed ON crm.reason') $$,
	$$ VALUES ('trigger_missing transition.zz_circle'), ('trigger_missing reason.zz_changed') $$, 'one that is gone is found and made again');
SELECT set_eq($$ SELECT pg_temp.missing('CREATE OR REPLACE TRIGGER zz_circle AFTER INSERT OR UPDATE ON crm.transition FOR EACH ROW WHEN (false) EXECUTE FUNCTION _refuse_circle()') $$,
	$$ VALUES ('trigger_missing transition.zz_circle'), ('still trigger_missing transition.zz_circle') $$, 'one with a condition is not ours');
SELECT set_eq($$ SELECT pg_temp.missing('DROP TRIGGER zz_insert ON crm.activity; CREATE TRIGGER zz_insert AFTER INSERT ON crm.activity FOR EACH STATEMENT EXECUTE FUNCTION _ingest_activity()') $$,
	$$ VALUES ('trigger_missing activity.zz_insert'), ('still trigger_missing activity.zz_insert') $$, 'nor one without transition tables');
SELECT set_eq($$ SELECT pg_temp.missing('DROP TRIGGER zz_one_active ON crm.definition; CREATE TRIGGER one_active AFTER UPDATE OR DELETE ON crm.definition FOR EACH ROW EXECUTE FUNCTION _keep_one_active()') $$,
	$$ VALUES ('trigger_missing definition.zz_one_active') $$, 'nor one that cannot be deferred');
SELECT set_eq($$ SELECT pg_temp.missing('ALTER TABLE crm.list ENABLE TRIGGER zz_emptied; ALTER TABLE crm.lead DISABLE TRIGGER zz_forget') $$,
	$$ VALUES ('trigger_disabled list.zz_emptied'), ('trigger_disabled lead.zz_forget') $$, 'one that is disabled is enabled');

SELECT * FROM finish();
ROLLBACK;
