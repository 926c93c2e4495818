-- Row security of the leads: what it does not reach is told, and the policies
-- that the hint names make history, views and facts follow.  And what a
-- superuser does not run for the owner of a funnel.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(16);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_rep;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;
GRANT CREATE ON SCHEMA public TO regress_lq_owner;

CREATE FUNCTION pg_temp.attempt(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE pg_catalog.format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RESET ROLE;
	RETURN pg_catalog.concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

SELECT is(pg_temp.attempt('regress_lq_owner', $$ SELECT create_funnel('crm', 'UTC') $$), 'done', 'a funnel');
SELECT is(pg_temp.attempt('regress_lq_owner', $$ SELECT grant_funnel('crm', 'regress_lq_rep', 'sales') $$), 'done', 'a rep');
INSERT INTO crm.lead (email, owner) VALUES ('a@example.com', 'regress_lq_rep'), ('b@example.com', 'somebody');

SELECT is_empty($$ SELECT * FROM check_funnel('crm', false) WHERE finding = 'row_policy_missing' $$, 'nothing to tell without row security');
ALTER TABLE crm.lead ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON crm.lead USING (owner = current_user);
SELECT results_eq($$ SELECT severity, object, detail COLLATE "default" FROM check_funnel('crm', false) WHERE finding = 'row_policy_missing' $$,
	$$ SELECT 'warning', 'crm.lead', 'Rows about leads that it hides are open in: ' || string_agg(r, ', ' ORDER BY r) || '.'
	   FROM (SELECT c.relname::text COLLATE "default" FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'lead_id'
			 WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r' AND c.relname <> 'lead') AS t (r) $$,
	'S11: check_funnel() names what row security of the leads does not cover');

DO $$
DECLARE
	r name;
BEGIN
	FOR r IN SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'lead_id'
			 WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r' AND c.relname <> 'lead'
	LOOP
		EXECUTE format('ALTER TABLE crm.%I ENABLE ROW LEVEL SECURITY', r);
		EXECUTE format('CREATE POLICY own ON crm.%1$I USING (EXISTS (SELECT FROM crm.lead AS l WHERE l.lead_id = %1$I.lead_id))', r);
	END LOOP;
END $$;
SELECT is_empty($$ SELECT * FROM check_funnel('crm', false) WHERE finding = 'row_policy_missing' $$, 'S11: the policies of its hint are enough');
SET LOCAL ROLE regress_lq_rep;
SELECT results_eq('SELECT DISTINCT lead_id FROM crm.stage_history', 'VALUES (1::bigint)', 'S11: the history follows');
SELECT results_eq('SELECT DISTINCT lead_id FROM crm.lead_journey', 'VALUES (1::bigint)', 'S11: so do views');
RESET ROLE;
SELECT is(pg_temp.attempt('regress_lq_rep', $$ INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar') $$), 'done', 'S11: facts about one''s own leads');
SELECT alike(pg_temp.attempt('regress_lq_rep', $$ INSERT INTO crm.activity (lead_id, kind) VALUES (2, 'webinar') $$), '42501%', 'S11: not about others');

-- a row that may be updated need not be one that is shown
ALTER TABLE crm.lead ADD COLUMN ssn text;
UPDATE crm.lead SET ssn = 'SECRET' WHERE lead_id = 2;
INSERT INTO crm.transition (definition, position, from_stage, to_stage, condition) VALUES ('default', 1, 'lead', 'opportunity', 'ssn = ''q''');
GRANT SELECT (ssn) ON crm.lead TO regress_lq_rep;
CREATE POLICY wide ON crm.lead FOR UPDATE USING (true);
SELECT unalike(pg_temp.attempt('regress_lq_rep', $$ UPDATE crm.lead SET stage = 'opportunity' $$), '%SECRET%', 'S8: a refusal does not show a hidden row');

-- a deferred trigger of the owner's would run as the superuser who calls
SELECT is(pg_temp.attempt(current_user, $$ SELECT rescore_funnel('crm') $$), 'done', 'without one a superuser may');
SELECT is(pg_temp.attempt('regress_lq_owner', $$ CREATE FUNCTION crm.later() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON crm.lead DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION crm.later() $$), 'done', 'a deferred trigger');
SELECT is(pg_temp.attempt(current_user, format('SELECT %s', call)),
	format('42501 | %s() is not run by a superuser in funnel "crm" | Trigger "later" of table "lead" may be deferred: it would run as "%s" when the transaction ends. | Connect as regress_lq_owner; where its code is trusted, SET ROLE regress_lq_owner will do.',
		   split_part(call, '(', 1), current_user), 'S11: ' || call)
FROM (VALUES ('rescore_funnel(''crm'')'), ('sweep_funnel(''crm'')'), ('archive_activities(''crm'', funnel_now())')) AS c (call);
SELECT is(pg_temp.attempt('regress_lq_owner', $$ SELECT rescore_funnel('crm') $$), 'done', 'S11: the owner may, and so may who sets that role');

SELECT * FROM finish();
ROLLBACK;
