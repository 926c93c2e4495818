-- find_or_create_lead(): the key of a lead that may be there already.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(47);

CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	d text;
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(d, ''));
END $$;
CREATE FUNCTION pg_temp.made(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	made text;
BEGIN
	EXECUTE format('SELECT f.lead || CASE WHEN f.created THEN '' created'' ELSE '' found'' END FROM find_or_create_lead(%s) AS f', call) INTO made;
	RETURN made;
END $$;

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_app;
CREATE ROLE regress_lq_sales;
CREATE ROLE regress_lq_evil;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;
GRANT CREATE ON SCHEMA public TO regress_lq_owner;
SET LOCAL ROLE regress_lq_owner;
SELECT create_funnel('crm', 'UTC');
SELECT grant_funnel('crm', 'regress_lq_app', 'app');
SELECT grant_funnel('crm', 'regress_lq_sales', 'sales');

SELECT is(pg_temp.made($$ 'crm', 'Ann@example.com' $$), '1 created', 'A5: a lead is created by its address');
SELECT is(pg_temp.made($$ 'crm', 'ANN@example.com' $$), '1 found', 'A5: and found by it');
SELECT is(pg_temp.made($$ 'crm', external_id => 'x2', fields => '{"full_name": "Bob", "company_size": 900, "bogus": null, "properties": {"a": 1, "n": null}}' $$), '2 created', 'A5: by external id, with columns');
SELECT results_eq('SELECT full_name, company_size, properties, stage, email FROM crm.lead WHERE lead_id = 2', $$ VALUES ('Bob', 900, jsonb '{"a": 1, "n": null}', 'lead', NULL::text) $$, 'A5: that it has');
SELECT is((SELECT count(*) FROM crm.stage_history WHERE lead_id IN (1, 2)), 2::bigint, 'A5: and begins its history');
SELECT is(pg_temp.made($$ 'crm', 'bob@example.com', 'x2', '{"full_name": "Robert", "company": "Acme", "properties": {"a": 2, "b": 3}, "unsubscribed": true}' $$), '2 found', 'A5: found by one of two');
SELECT results_eq('SELECT full_name, company, email, properties, unsubscribed FROM crm.lead WHERE lead_id = 2', $$ VALUES ('Bob', 'Acme', 'bob@example.com', jsonb '{"a": 1, "b": 3, "n": null}', false) $$,
	'A5: what it had none of is filled, what it has stays');
SELECT is(pg_temp.made($$ 'crm', fields => '{"email": "BOB@example.com"}' $$), '2 found', 'A5: the address may be one of the columns');
SELECT is(pg_temp.made($$ 'crm', '', 'x2' $$), '2 found', 'A5: an empty address is none');
SELECT is((SELECT xmin FROM crm.lead WHERE lead_id = 2), (SELECT l.xmin FROM crm.lead AS l, find_or_create_lead('crm', 'bob@example.com', 'x2', '{"company": "Acme"}') WHERE l.lead_id = 2), 'A5: nothing to fill, nothing written');
PREPARE upsert AS SELECT lead, created FROM find_or_create_lead($1, $2, $3, $4);
SELECT results_eq($$ EXECUTE upsert('crm', 'cy@example.com', NULL, '{"source": "web"}') $$, $$ VALUES ('3', true) $$, 'A5: parameters without a type');
SELECT results_eq($$ EXECUTE upsert('crm', 'cy@example.com', NULL, NULL) $$, $$ VALUES ('3', false) $$, 'A5: no columns');

-- aliases
INSERT INTO crm.lead_alias (lead_id, email) VALUES (1, 'ann@home.example');
INSERT INTO crm.lead_alias (lead_id, external_id) VALUES (1, 'hub-1');
SELECT is(pg_temp.made($$ 'crm', 'Ann@HOME.example' $$), '1 found', 'A5: found by an alias');
SELECT is(pg_temp.made($$ 'crm', 'ann@home.example', 'hub-1' $$), '1 found', 'A5: by two');
SELECT results_eq('SELECT email, external_id FROM crm.lead WHERE lead_id = 1', $$ VALUES ('Ann@example.com', 'hub-1') $$, 'A5: its own address stays');
SELECT merge_leads('crm', 1, 3);
SELECT is(pg_temp.made($$ 'crm', 'cy@example.com' $$), '1 found', 'A14: who was merged is not created again');

-- refused
SELECT is(pg_temp.refusal($$ SELECT find_or_create_lead('crm', 'bob@example.com', 'hub-1') $$),
	'21000 | more than one lead of funnel "crm" is meant | What is given is: e-mail address of lead 2, external id of lead 1, alias of lead 1.', 'A5: an address of one and an id of another');
SELECT matches(pg_temp.refusal(format('SELECT find_or_create_lead(%s)', a)), '^22004 \| (e-mail address or external id|name of a funnel)', 'A5: nobody: ' || a)
FROM unnest(ARRAY['''crm''', '''crm'', NULL', '''crm'', ''''', '''crm'', fields => ''{"full_name": "Zoe", "email": null}''', 'NULL, ''a@example.com''']) AS a;
SELECT is(pg_temp.refusal($$ SELECT find_or_create_lead('crm', 'a@example.com', fields => '{"stage": "sql"}') $$), '22023 | column "stage" of a lead cannot be given here | It belongs to a move, or is kept by triggers.', 'A5: a stage is asked for otherwise');
SELECT is(pg_temp.refusal(format('SELECT find_or_create_lead(''crm'', ''a@example.com'', fields => jsonb_build_object(%L, 1))', c)), format('22023 | column "%s" of a lead cannot be given here | It belongs to a move, or is kept by triggers.', c), 'A5: what triggers keep: ' || c) FROM unnest('{scorecard,state_version}'::text[]) AS c;
SELECT is(pg_temp.refusal($$ SELECT find_or_create_lead('crm', 'a@example.com', fields => '{"fullname": "A"}') $$), '42703 | column "fullname" of a lead cannot be given here | crm.lead has no such column.', 'A5: a column that is not there');
SELECT matches(pg_temp.refusal(format('SELECT find_or_create_lead(''crm'', ''a@example.com'', fields => %L)', f)), '^22023 \| fields of a lead must be an object', 'A5: columns that are ' || f) FROM unnest(ARRAY['[1]', '7', '"x"', 'null']) AS f;
SELECT matches(pg_temp.refusal($$ SELECT find_or_create_lead('crm', 'a@example.com', fields => '{"company_size": "many"}') $$), '^22P02', 'A5: a value that is none');
SELECT is((SELECT count(*) FROM crm.lead), 2::bigint, 'A5: nothing else was created');
CREATE UNIQUE INDEX ON crm.lead (full_name);
SELECT matches(pg_temp.refusal($$ SELECT find_or_create_lead('crm', 'robert@example.com', fields => '{"full_name": "Bob"}') $$), '^23505 \| lead can be neither found nor created', 'A5: another row is in the way');

-- who may, and what
REVOKE SELECT (company) ON crm.lead FROM regress_lq_app;
SET LOCAL ROLE regress_lq_app;
SELECT matches(pg_temp.made($$ 'crm', 'dan@example.com', 'x4', '{"full_name": "Dan"}' $$), ' created$', 'A5: an application creates');
SELECT matches(pg_temp.made($$ 'crm', 'DAN@example.com', fields => '{"company": "Acme", "full_name": "Daniel"}' $$), ' found$', 'A5: and finds');
RESET ROLE;
SELECT results_eq($$ SELECT full_name, company FROM crm.lead WHERE external_id = 'x4' $$, $$ VALUES ('Dan', NULL::text) $$, 'A5: but fills nothing that it may not read');
SET LOCAL ROLE regress_lq_sales;
SELECT matches(pg_temp.made($$ 'crm', 'DAN@example.com', fields => '{"company": "Acme", "full_name": "Daniel"}' $$), ' found$', 'A5: sales does');
RESET ROLE;
SELECT results_eq($$ SELECT full_name, company FROM crm.lead WHERE external_id = 'x4' $$, $$ VALUES ('Dan', 'Acme') $$, 'A5: what was missing');
SET LOCAL ROLE regress_lq_evil;
SELECT matches(pg_temp.refusal($$ SELECT find_or_create_lead('crm', 'eve@example.com') $$), '^42501', 'A5: a stranger may not');
SELECT matches(pg_temp.refusal($$ SELECT _lock_name('crm', 'eve@example.com') $$), '^42501', 'A5: nor keep others waiting');

-- a table of the user's, whose addresses are not unique
SET LOCAL ROLE regress_lq_owner;
CREATE TABLE person (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), mail varchar(40), phone text, tier int DEFAULT 3);
INSERT INTO person (id, mail) VALUES ('00000000-0000-0000-0000-00000000000a', 'ann@example.com'), ('00000000-0000-0000-0000-00000000000b', 'two@example.com'), ('00000000-0000-0000-0000-00000000000c', 'Two@example.com');
SELECT create_funnel('own', 'UTC', lead_table => 'person', lead_key => 'id', columns => '{"email": "mail"}', prefix => 'lq_');
SELECT is(pg_temp.made($$ 'own', 'Ann@example.com', fields => '{"phone": "123", "full_name": "Ann"}' $$), '00000000-0000-0000-0000-00000000000a found', 'A5: attached, a lead is found');
SELECT results_eq($$ SELECT phone, lq_full_name, tier FROM person WHERE mail = 'ann@example.com' $$, $$ VALUES ('123', 'Ann', 3) $$, 'A5: and filled, columns of the user''s too');
SELECT matches(pg_temp.made($$ 'own', 'new@example.com', 'n1', '{"phone": "456"}' $$), '^[0-9a-f-]{36} created$', 'A5: or created');
SELECT results_eq($$ SELECT phone, lq_external_id, tier, lq_stage FROM person WHERE mail = 'new@example.com' $$, $$ VALUES ('456', 'n1', 3, 'lead') $$, 'A5: with the table''s defaults');
SELECT matches(pg_temp.refusal($$ SELECT find_or_create_lead('own', 'two@example.com') $$), '^21000', 'A5: an address that two have');
SELECT is(pg_temp.made($$ 'own', 'key@example.com', fields => '{"lead_id": "00000000-0000-0000-0000-00000000000f"}' $$), '00000000-0000-0000-0000-00000000000f created', 'A5: a key may be given');
SELECT matches(pg_temp.refusal($$ SELECT find_or_create_lead('own', repeat('x', 50)) $$), '^22001', 'A5: an address that is too long for the table');

SELECT * FROM finish();
ROLLBACK;
