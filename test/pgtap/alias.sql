-- lead_alias: further names of a lead, which no two leads share, and which
-- merging leaves behind.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(53);

CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	d text; h text; c text;
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT, c = CONSTRAINT_NAME;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(d, ''), nullif(h, ''), nullif(c, ''));
END $$;

CREATE ROLE regress_lq_app;
CREATE ROLE regress_lq_sales;
SELECT create_funnel('crm', 'UTC');
SELECT grant_funnel('crm', 'regress_lq_app', 'app');
SELECT grant_funnel('crm', 'regress_lq_sales', 'sales');
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO crm.lead (lead_id, external_id, email, full_name) OVERRIDING SYSTEM VALUE VALUES
	(1, 'x1', 'ann@example.com', 'Ann'), (2, 'x2', 'Ann.Lee@example.com', NULL), (3, NULL, 'bob@example.com', NULL), (4, '5', NULL, NULL), (5, NULL, NULL, NULL);
ALTER TABLE crm.lead ALTER lead_id RESTART WITH 50;

-- a name of a lead's
INSERT INTO crm.lead_alias (lead_id, email, since) VALUES (1, 'Ann@home.example', '2000-01-01Z');
INSERT INTO crm.lead_alias (lead_id, external_id) VALUES (1, 'hub-7');
SELECT is(_find_lead('crm', l), '1', 'A2: found by ' || l) FROM unnest('{ann@HOME.example,hub-7,email:ann@home.example,external_id:hub-7}'::text[]) AS l;
SELECT is(pg_temp.refusal($$ SELECT _find_lead('crm', 'key:hub-7') $$), 'P0002 | funnel "crm" has no lead "key:hub-7" | It was looked for by key (it is no bigint) and alias. | find_or_create_lead() creates a lead that is not there.', 'A2: an alias is no key');
SELECT is((SELECT min(since) FROM crm.lead_alias), '2026-03-02 09:00Z', 'since when is the clock''s');
UPDATE crm.lead_alias SET since = '2000-01-01Z';
SELECT is((SELECT min(since) FROM crm.lead_alias), '2026-03-02 09:00Z', '... and stays');
SELECT is(record_activity('crm', 'ann@home.example', 'webinar'), true, 'A14: an activity by an alias');
SELECT is((SELECT array_agg(lead_id) FROM crm.activity), ARRAY[1::bigint], 'A14: is the lead''s');

-- of nobody else's
SELECT is(pg_temp.refusal($$ INSERT INTO crm.lead_alias (lead_id, email) VALUES (1, 'BOB@example.com') $$),
	'23505 | e-mail address "BOB@example.com" is another lead''s own | It is that of lead 3 of funnel "crm". | Where both are one person, merge_leads() makes one lead of them. | lead_alias_email', 'an alias that is another lead''s address');
SELECT matches(pg_temp.refusal($$ INSERT INTO crm.lead_alias (lead_id, external_id) VALUES (1, 'x2') $$), '^23505 \| external id "x2" is another lead''s own', '... or external id');
SELECT matches(pg_temp.refusal($$ UPDATE crm.lead_alias SET email = 'bob@example.com' WHERE email IS NOT NULL $$), '^23505 \| e-mail address', '... by UPDATE');
SELECT matches(pg_temp.refusal($$ SET LOCAL lead_qual.import = on; INSERT INTO crm.lead_alias (lead_id, email) VALUES (1, 'bob@example.com') $$), '^23505 \| e-mail address', '... under import');
SELECT is(pg_temp.refusal($$ INSERT INTO crm.lead_alias (lead_id, email) VALUES (3, 'bob@example.com') $$), 'done', 'an alias that is the lead''s own address does no harm');
SELECT is(pg_temp.refusal($$ INSERT INTO crm.lead (email) VALUES ('ANN@home.example') $$),
	'23505 | e-mail address "ANN@home.example" is an alias of another lead | It is one of lead 1 of funnel "crm". | Use that lead, or delete the row of table "lead_alias" first. | lead_alias_email', 'a lead whose address is an alias');
SELECT matches(pg_temp.refusal($$ INSERT INTO crm.lead (email, external_id) VALUES ('new@example.com', 'hub-7') $$), '^23505 \| external id "hub-7" is an alias of another lead', '... or its external id');
SELECT matches(pg_temp.refusal($$ UPDATE crm.lead SET external_id = 'hub-7' WHERE lead_id = 3 $$), '^23505 \| external id', '... by UPDATE');
SELECT matches(pg_temp.refusal($$ SET LOCAL lead_qual.import = on; INSERT INTO crm.lead (email, stage) VALUES ('ann@home.example', 'lead') $$), '^23505 \| e-mail address', '... under import');
SELECT is(pg_temp.refusal($$ UPDATE crm.lead SET email = 'ann@home.example' WHERE lead_id = 1 $$), 'done', 'but its own lead may take it');
SELECT is(pg_temp.refusal($$ UPDATE crm.lead SET email = 'ann@example.com' WHERE lead_id = 1 $$), 'done', '... and give it back');
SELECT matches(pg_temp.refusal($$ INSERT INTO crm.lead_alias (lead_id, email) VALUES (3, 'Ann@HOME.example') $$), '^23505 .*lead_alias_email', 'an alias of two leads');
SELECT matches(pg_temp.refusal(format('INSERT INTO crm.lead_alias (lead_id, external_id, email) VALUES (1, %L, %L)', x, e)), '^23514', format('an alias is one name: %s, %s', x, e))
FROM (VALUES ('q', 'q@example.com'), (NULL, NULL), ('', NULL), (NULL, '')) AS t (x, e);
SELECT matches(pg_temp.refusal($$ INSERT INTO crm.lead_alias (lead_id, external_id) VALUES (99, 'q') $$), '^23503 ', 'an alias of no lead');
SELECT matches(pg_temp.refusal($$ INSERT INTO crm.lead_alias (lead_id, external_id) VALUES (NULL, 'q') $$), '^23502 ', '... nor of nobody');
SELECT is(pg_temp.refusal($$ INSERT INTO crm.lead_alias (lead_id, external_id) VALUES (1, 'ann@example.com') $$), 'done', 'an external id may look like an address');
INSERT INTO crm.lead_alias (lead_id, external_id) VALUES (3, 'zoe@example.com');
INSERT INTO crm.lead (lead_id, email) OVERRIDING SYSTEM VALUE VALUES (6, 'zoe@example.com');
SELECT matches(pg_temp.refusal($$ SELECT _find_lead('crm', 'zoe@example.com') $$), '^21000 .* It is the e-mail address of lead 6 and an alias of lead 3\.', 'A2: an alias of one and the address of another');

-- who may
RESET lead_qual.clock;
SET LOCAL ROLE regress_lq_app;
SELECT is(pg_temp.refusal($$ INSERT INTO crm.lead_alias (lead_id, email) VALUES (3, 'bob@home.example') $$), 'done', 'an application adds names');
SELECT is(record_activity('crm', 'bob@home.example', 'webinar'), true, '... and finds leads by them');
SELECT matches(pg_temp.refusal($$ DELETE FROM crm.lead_alias $$), '^42501', '... but removes none');
SELECT matches(pg_temp.refusal($$ INSERT INTO crm.lead_alias (lead_id, former_key) VALUES (3, '77') $$), '^42501', '... nor says what was merged');
SET LOCAL ROLE regress_lq_sales;
SELECT is(pg_temp.refusal($$ DELETE FROM crm.lead_alias WHERE external_id = 'zoe@example.com' $$), 'done', 'sales may');
RESET ROLE;

-- what merging leaves behind
INSERT INTO crm.lead_alias (lead_id, external_id) VALUES (2, 'old-2');
SELECT merge_leads('crm', 'ann@example.com', 'x2');
SELECT is(_find_lead('crm', l), '1', 'A14: after merging, lead 1 is found by ' || l) FROM unnest('{2,key:2,x2,Ann.Lee@example.com,old-2,ann@example.com,1}'::text[]) AS l;
SELECT is(record_activity('crm', 2, 'webinar'), true, 'A14: a tracker that sends the old key');
SELECT is(record_activity('crm', 'ann.lee@example.com', 'webinar'), true, 'A14: or the old address');
SELECT is((SELECT count(*) FROM crm.activity WHERE lead_id = 1), 3::bigint, 'A14: is heard');
SELECT is((SELECT count(*) FROM explain_score('crm', 2)), (SELECT count(*) FROM explain_score('crm', 1)), 'A14: so is who asks by the old key');
SELECT merge_leads('crm', 5, 1);
SELECT is((SELECT array_agg(_find_lead('crm', l)) FROM unnest('{2,1,x2,old-2,hub-7}'::text[]) AS l), array_fill('5'::text, ARRAY[5]), 'A14: merged once more, by all that both were known by');
SELECT results_eq('SELECT external_id, email FROM crm.lead WHERE lead_id = 5', $$ VALUES ('x1', 'ann@example.com') $$, 'A14: names that the kept lead had none of are its own');
SELECT is_empty($$ SELECT FROM crm.lead_alias WHERE email = 'ann@example.com' OR external_id = 'x1' $$, '... and no aliases');
SELECT matches(pg_temp.refusal($$ SELECT _find_lead('crm', '5') $$), '^21000', 'A2: a key that is another''s external id is told of');
INSERT INTO crm.lead (lead_id, email) OVERRIDING SYSTEM VALUE VALUES (2, 'other@example.com');
SELECT is(_find_lead('crm', '2'), '2', 'A14: a lead that comes under the old key goes before');

-- they go with their lead
SELECT erase_lead('crm', 'hub-7');
SELECT is_empty('SELECT FROM crm.lead_alias WHERE lead_id = 5', 'aliases of an erased lead are gone');
DELETE FROM crm.lead WHERE lead_id = 3;
SELECT is_empty('SELECT FROM crm.lead_alias', 'and those of a deleted one');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE severity = 'error' $$, 'nothing is wrong');

SELECT * FROM finish();
ROLLBACK;
