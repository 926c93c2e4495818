-- A funnel for a client, which it finds at PGDATABASE: owned by a role that is
-- no superuser, and used by two that have a profile each.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION lead_qual;

SELECT 'CREATE ROLE ' || r || ' LOGIN' FROM unnest('{regress_lq_owner,regress_lq_app,regress_lq_sales}'::text[]) AS r
WHERE to_regrole(r) IS NULL \gexec
SELECT format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()) \gexec
GRANT CREATE ON SCHEMA public TO regress_lq_owner;

SET ROLE regress_lq_owner;
SELECT create_funnel('crm', 'UTC');
SELECT grant_funnel('crm', 'regress_lq_app', 'app');
SELECT grant_funnel('crm', 'regress_lq_sales', 'sales');

-- what every function of a lead is called with: a lead, and one to merge
\ir ../pgtap/helper/lead_calls.sql
SELECT ask_for_signature();
INSERT INTO crm.lead (lead_id, email) OVERRIDING SYSTEM VALUE VALUES (100, 'called@example.com'), (101, 'merged@example.com');
GRANT SELECT ON lead_call, lead_function TO regress_lq_sales;
