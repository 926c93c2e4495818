-- Naming a lead whose key is of another type than bigint, in a table whose
-- addresses are anything but unique texts.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(35);

CREATE FUNCTION pg_temp.find(funnel text, lead text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	d text;
BEGIN
	RETURN public._find_lead(funnel, lead);
EXCEPTION WHEN no_data_found OR cardinality_violation THEN
	GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' ', SQLSTATE, d);
END $$;
CREATE FUNCTION pg_temp.said(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END $$;

-- uuid; addresses that two share
CREATE TABLE person (id uuid PRIMARY KEY, mail varchar(60), crm_no char(6));
INSERT INTO person VALUES ('00000000-0000-0000-0000-00000000000a', 'ann@example.com', 'a1'), ('00000000-0000-0000-0000-00000000000b', 'ANN@example.com', 'b1'),
	('00000000-0000-0000-0000-00000000000c', NULL, 'a1'), ('00000000-0000-0000-0000-00000000000d', 'dan@example.com', 'd1');
SELECT create_funnel('own', 'UTC', lead_table => 'person', lead_key => 'id', columns => '{"email": "mail", "external_id": "crm_no"}');
SELECT is(pg_temp.find('own', 'dan@example.com'), '00000000-0000-0000-0000-00000000000d', 'A1: uuid, by address');
SELECT is(pg_temp.find('own', 'd1'), '00000000-0000-0000-0000-00000000000d', 'A1: by external id');
SELECT is(pg_temp.find('own', '{0000000000000000000000000000000D}'), '00000000-0000-0000-0000-00000000000d', 'A1: by key, however it is written');
SELECT is(pg_temp.find('own', 'ann@example.com'), '21000 It is the e-mail address of lead 00000000-0000-0000-0000-00000000000a and the e-mail address of lead 00000000-0000-0000-0000-00000000000b.', 'A2: an address that two have');
SELECT matches(pg_temp.find('own', 'a1'), '^21000', 'A2: an external id that two have');
SELECT is(pg_temp.find('own', 'nobody'), 'P0002 It was looked for by key (it is no uuid), external id, e-mail address and alias.', 'A2: nobody');
SELECT is(pg_temp.said($$ SELECT next_stages('own', '00000000-0000-0000-0000-00000000000d'::uuid), explain_score('own', 'DAN@example.com') $$), 'done', 'A1: functions take either');
SELECT is(pg_temp.said($$ SELECT next_stages('own', 7) $$), '22P02 7 of type integer is no key of a lead of funnel "own"', 'A1: a key of another funnel''s type');
SELECT is(pg_temp.said($$ SELECT record_activity('own', '00000000-0000-0000-0000-00000000000d'::uuid, 'webinar') $$), 'done', 'A2: an activity by key');
SELECT is(pg_temp.said($$ SELECT record_activity('own', 'd1', 'webinar') $$), 'done', 'A2: and by external id');
SELECT is(pg_temp.said($$ SELECT record_activity('own', 'ann@example.com', 'webinar') $$), '21000 "ann@example.com" fits more than one lead of funnel "own"', 'A2: but not by what two have');
SELECT is((SELECT count(*) FROM own.activity), 2::bigint, 'A2: nothing else was recorded');

-- text, which any text could be
CREATE TABLE "Account" ("Id" varchar(8) PRIMARY KEY, "E-Mail" text);
INSERT INTO "Account" VALUES ('7', 'ann@example.com'), ('abcdefgh', 'bob@example.com'), ('key:7', NULL), ('Ann@ex.', NULL);
SELECT create_funnel('sf', 'UTC', lead_table => '"Account"', lead_key => 'Id', columns => '{"email": "E-Mail"}');
UPDATE "Account" SET external_id = '7' WHERE "Id" = 'abcdefgh';
SELECT is(pg_temp.find('sf', 'ann@example.com'), '7', 'A1: text, by address');
SELECT is(pg_temp.find('sf', '7'), '21000 It is the key of lead 7 and the external id of lead abcdefgh.', 'A2: a key that is another''s external id');
SELECT is(pg_temp.find('sf', 'key:7'), '7', 'A2: said which');
SELECT is(pg_temp.find('sf', 'key:key:7'), 'key:7', 'A2: though a key begin like that');
SELECT is(pg_temp.find('sf', 'abcdefghi'), 'P0002 It was looked for by key, external id, e-mail address and alias.', 'A1: a text that is longer than keys are is not cut off');
SELECT is(pg_temp.said($$ SELECT why_not('sf', 7, 'sql') $$), 'done', 'A1: a number where keys are texts');
SELECT is(pg_temp.said($$ SELECT why_not('sf', "Id", 'sql') FROM "Account" WHERE "Id" = 'Ann@ex.' $$), 'done', 'A1: a column');

-- a domain, whose check is not run to look
CREATE FUNCTION pg_temp.sprung(date) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
	IF current_setting('test.armed', true) = 'yes' THEN
		RAISE EXCEPTION 'sprung';
	END IF;
	RETURN true;
END $$;
CREATE DOMAIN day AS date CHECK (pg_temp.sprung(VALUE));
CREATE TABLE by_day (id day PRIMARY KEY, mail name);
INSERT INTO by_day VALUES ('2026-01-02', 'ann@example.com'), ('2026-01-03', repeat('x', 63));
SELECT create_funnel('days', 'UTC', lead_table => 'by_day', lead_key => 'id', columns => '{"email": "mail"}');
SELECT set_config('test.armed', 'yes', true);
SELECT is(pg_temp.find('days', 'ann@example.com'), '2026-01-02', 'A1: a domain over date');
SELECT is(pg_temp.find('days', '3 Jan 2026'), '2026-01-03', 'A1: a key as its type reads it');
SELECT is(pg_temp.find('days', repeat('x', 64)), 'P0002 It was looked for by key (it is no date), external id, e-mail address and alias.', 'A1: nothing is cut off to fit a name');
SELECT set_config('test.armed', 'no', true);
SELECT is(pg_temp.said($$ SELECT next_stages('days', date '2026-01-02') $$), 'done', 'A1: a date');
SELECT is(pg_temp.said($$ SELECT next_stages('days', timestamp '2026-01-02 00:00') $$), 'done', 'A1: a timestamp that is one');
SELECT is(pg_temp.said($$ SELECT next_stages('days', timestamp '2026-01-02 10:00') $$), '22P02 2026-01-02 10:00:00 of type timestamp without time zone is no key of a lead of funnel "days"', 'A1: one that is none');

-- arrays, and partitions whose key is not unique by itself
CREATE TABLE by_path (id int[] PRIMARY KEY);
INSERT INTO by_path VALUES ('{1,2}');
SELECT create_funnel('paths', 'UTC', lead_table => 'by_path', lead_key => 'id');
SELECT is(pg_temp.find('paths', '{1, 2}'), '{1,2}', 'A1: an array');
SELECT is(pg_temp.said($$ SELECT next_stages('paths', ARRAY[1, 2]) $$), 'done', 'A1: as a value');

-- a funnel's own table, whose columns of addresses were changed or dropped
SELECT create_funnel('crm', 'UTC');
INSERT INTO crm.lead (email, external_id) VALUES ('ann@example.com', '00042');
ALTER TABLE crm.lead ALTER external_id TYPE bigint USING external_id::bigint;
SELECT is(pg_temp.find('crm', '042'), '1', 'A1: an external id that is a number');
SELECT is(pg_temp.find('crm', 'Ann@Example.com'), '1', 'A1: beside it, an address');
CREATE EXTENSION citext;
ALTER TABLE crm.lead ALTER external_id TYPE citext, ALTER email TYPE citext;
SELECT is((SELECT array_agg(_find_lead('crm', n)) FROM unnest('{42,ANN@example.com}'::text[]) AS n), '{1,1}', 'A1: in columns of citext');
SELECT is(pg_temp.said($$ INSERT INTO crm.lead (email) VALUES ('bob@example.com'); INSERT INTO crm.lead_alias (lead_id, external_id) VALUES (1, 'x'); INSERT INTO crm.lead_alias (lead_id, email) VALUES (1, 'BOB@example.com') $$),
	'23505 e-mail address "BOB@example.com" is another lead''s own', 'A14: beside which aliases are told apart');
ALTER TABLE crm.lead DROP COLUMN external_id;
SELECT is(pg_temp.find('crm', 'zoe'), 'P0002 It was looked for by key (it is no bigint), e-mail address and alias.', 'A1: without external ids');
SELECT is(pg_temp.said($$ SELECT record_activity('crm', 'ANN@example.com', 'webinar') $$), 'done', 'A1: by address');
ALTER TABLE crm.lead DROP COLUMN email;
SELECT is(pg_temp.said($$ SELECT record_activity('crm', '1', 'webinar') $$), 'done', 'A1: without addresses');
SELECT is(pg_temp.find('crm', 'ANN@example.com'), 'P0002 It was looked for by key (it is no bigint) and alias.', 'A1: nobody');

SELECT * FROM finish();
ROLLBACK;
