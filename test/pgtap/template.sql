-- The number of the template, and upgrade_funnel() where there is nothing to
-- do.  What it does otherwise, test/t/upgrade.pl tells.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(18);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_member IN ROLE regress_lq_owner;
CREATE ROLE regress_lq_sales;
CREATE ROLE regress_lq_partly;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;
SET LOCAL ROLE regress_lq_owner;
SELECT create_funnel('crm', 'UTC');

SELECT is((SELECT template_version FROM crm.setting), _template_version(), 'a new funnel is of the template of the SQL');
SELECT is(_funnel_template('crm'::regnamespace), _template_version(), 'which is asked for by schema');
SELECT throws_ok($$ SELECT _serve_template(1000000) $$, '55000', 'the library of lead_qual in this session is older than the extension', 'a library that is too old for the SQL');
SELECT throws_ok($$ SELECT _serve_template(0) $$, '55000', 'the extension lead_qual is too old for its library', 'SQL that is too old for the library');
SELECT is(_serve_template(NULL), NULL, 'no template at all');
SELECT is((SELECT max(since) FROM _template_relations()), (SELECT greatest(max(v.n), 1) FROM (SELECT max(since) AS n FROM _template_relations() WHERE since <= _template_version()) AS v), 'no relation is of a template to come');
SELECT is_empty($$ SELECT relation, trigger FROM _template_triggers() WHERE since > _template_version() OR until >= _template_version() $$, 'nor a trigger, and none goes yet');
SELECT is_empty($$ SELECT n FROM generate_series(2, _template_version()) AS n WHERE to_regprocedure(format('_upgrade_to_%s(text)', n)) IS NULL $$, 'each template has a step that leads to it');

-- without a name PostgreSQL 18 calls it by its type once it was restored
SELECT is_empty($$ SELECT DISTINCT r.ev_class::regclass FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class
	WHERE c.relnamespace = 'crm'::regnamespace AND r.ev_action::text ~ '\{CONST :consttype (?!(?:16|20|21|23) )[^{}]*\} :resno \d+ :resname \?column\?' $$,
	'constants in the views have names, so that a dump of what was restored is the same dump');

-- nothing to do
SELECT is_empty($$ SELECT * FROM upgrade_funnel('crm') $$, 'a new funnel is up to date');
SELECT throws_ok($$ SELECT * FROM upgrade_funnel('nowhere') $$, '3F000', NULL, 'no such funnel');
SELECT throws_ok($$ SELECT * FROM upgrade_funnel(NULL) $$, '22004', NULL, 'no name');
SET LOCAL ROLE regress_lq_member;
SELECT is_empty($$ SELECT * FROM upgrade_funnel('crm') $$, 'as a member of the owner sees');
SET LOCAL ROLE regress_lq_sales;
SELECT throws_ok($$ SELECT * FROM upgrade_funnel('crm') $$, '42501', NULL, 'somebody else');

-- who holds what
SET LOCAL ROLE regress_lq_owner;
CREATE VIEW crm.mine AS SELECT 1 AS one;
SELECT count(*) FROM grant_funnel('crm', 'regress_lq_sales', 'sales');
SELECT count(*) FROM grant_funnel('crm', 'regress_lq_partly', 'sales');
REVOKE SELECT ON crm.inbox FROM regress_lq_partly;
CREATE VIEW crm.mine_too AS SELECT 1 AS one;
CREATE TEMP TABLE before AS SELECT * FROM _inventory('crm'::regnamespace);
SELECT set_eq($$ SELECT grantee::text, profile FROM _profile_holders('crm') $$, $$ VALUES ('regress_lq_sales', 'sales'), ('regress_lq_partly', 'app') $$,
	'who holds all of a profile is known, by the widest one, whatever else there is in the schema');
SELECT set_eq('SELECT * FROM before', $$ SELECT * FROM _inventory('crm'::regnamespace) $$, 'asking changes nothing');

-- the parts, where there is nothing to do
SELECT lives_ok($$ SELECT _lock_funnel('crm'::regnamespace), _replay_template('crm'), _replay_triggers('crm') $$, 'a template that is replayed over itself');
SELECT set_eq('SELECT * FROM before', $$ SELECT * FROM _inventory('crm'::regnamespace) $$, '... changes nothing');

SELECT * FROM finish();
ROLLBACK;
