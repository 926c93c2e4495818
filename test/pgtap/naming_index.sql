-- Leads are found by an index, whatever they are named by.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(17);

-- scans of the whole of a table in this transaction
CREATE FUNCTION pg_temp.whole(VARIADIC relations text[]) RETURNS bigint LANGUAGE sql AS
	$$ SELECT sum(pg_stat_get_xact_numscans(r::regclass))::bigint FROM unnest($1) AS r $$;
CREATE FUNCTION pg_temp.find(funnel text, name text, VARIADIC relations text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before constant bigint := pg_temp.whole(VARIADIC relations);
	found_lead text;
BEGIN
	-- more often than a plan is made for the values at hand
	FOR i IN 1..8 LOOP
		found_lead := public._find_lead(funnel, name);
	END LOOP;
	RETURN found_lead || CASE WHEN pg_temp.whole(VARIADIC relations) = before THEN '' ELSE ' by looking at all' END;
END $$;

SELECT create_funnel('crm', 'UTC');
INSERT INTO crm.lead (external_id, email) SELECT 'x' || i, 'Lead' || i || '@example.com' FROM generate_series(1, 3000) AS i;
INSERT INTO crm.lead_alias (lead_id, external_id) SELECT i, 'y' || i FROM generate_series(1, 2000) AS i;
INSERT INTO crm.lead_alias (lead_id, email) SELECT i, 'Alias' || i || '@example.com' FROM generate_series(1, 2000) AS i;
INSERT INTO crm.lead_alias (lead_id, former_key) SELECT i, 10000 + i FROM generate_series(1, 2000) AS i;
ANALYZE crm.lead, crm.lead_alias;
SELECT is(pg_temp.find('crm', n, 'crm.lead', 'crm.lead_alias'), '77', 'A1: found at once: ' || n)
FROM unnest('{77,x77,lead77@EXAMPLE.com,y77,alias77@EXAMPLE.com,10077,key:77,external_id:y77,email:alias77@example.com}'::text[]) AS n;

CREATE TABLE person (id uuid PRIMARY KEY, mail varchar(60), crm_no name);
INSERT INTO person SELECT format('00000000-0000-0000-0000-%s', lpad(i::text, 12, '0'))::uuid, format('Lead%s@example.com', i % 2500), 'n' || i % 2500 FROM generate_series(1, 3000) AS i;
SELECT create_funnel('own', 'UTC', lead_table => 'person', lead_key => 'id', columns => '{"email": "mail", "external_id": "crm_no"}');
ANALYZE person;
SELECT is(pg_temp.find('own', n, 'person', 'own.lead_alias'), '00000000-0000-0000-0000-000000000777', 'A1: attached, found at once: ' || n)
FROM unnest('{00000000-0000-0000-0000-000000000777,lead777@EXAMPLE.com,n777,email:lead777@example.com}'::text[]) AS n;

-- who writes a lead or an alias looks at the other table
SELECT set_config('test.whole', pg_temp.whole('crm.lead', 'crm.lead_alias', 'person', 'own.lead_alias')::text, true);
SELECT lives_ok($$ INSERT INTO crm.lead (email, external_id) VALUES ('zoe@example.com', 'z') $$, 'a lead is written');
SELECT lives_ok($$ INSERT INTO crm.lead_alias (lead_id, email) VALUES (1, 'one@example.com'), (2, 'two@example.com') $$, 'aliases are written');
SELECT lives_ok($$ INSERT INTO own.lead_alias (lead_id, email) VALUES ('00000000-0000-0000-0000-000000000001', 'one@example.com') $$, 'attached, an alias is written');
SELECT is(pg_temp.whole('crm.lead', 'crm.lead_alias', 'person', 'own.lead_alias')::text, current_setting('test.whole'), '... without looking at all');

SELECT * FROM finish();
ROLLBACK;
