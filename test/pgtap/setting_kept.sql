-- What the settings say of a funnel's make is kept, and nothing is dropped for
-- what they say.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(30);

CREATE TABLE contact (id bigint PRIMARY KEY, mail text, land text);
COMMENT ON COLUMN contact.land IS 'where';
CREATE TABLE other (id bigint PRIMARY KEY, email text, stage text);
CREATE INDEX other_email ON other (email);
INSERT INTO contact VALUES (1, 'ann@example.com', 'DE');
SELECT create_funnel('f', 'UTC', lead_table => 'contact', lead_key => 'id', columns => '{"email": "mail", "country": "land"}', prefix => 'q_');
SELECT create_funnel('g', 'UTC');
CREATE ROLE regress_lq_admin;
SELECT count(*) FROM grant_funnel('f', 'regress_lq_admin', 'admin');
SELECT count(*) FROM grant_funnel('g', 'regress_lq_admin', 'admin');

SET LOCAL ROLE regress_lq_admin;
UPDATE f.setting SET lead_table = 'public.other', lead_key = 'stage', template_version = 7, currency = 'USD';
UPDATE g.setting SET lead_table = 'public.other', lead_key = 'email', template_version = 0, currency = 'USD';
RESET ROLE;
SELECT is((SELECT (lead_table, lead_key, template_version, currency)::text FROM f.setting), format('(contact,id,%s,USD)', _template_version()), 'S5: kept columns of the settings are kept');
SELECT is((SELECT (lead_table, lead_key, template_version, currency)::text FROM g.setting), format('(,lead_id,%s,USD)', _template_version()), 'S5: also where there are none');
SELECT throws_ok($$ DELETE FROM g.setting $$, '23001', NULL, 'S5: the one row of settings is not deleted');
SELECT throws_ok($$ TRUNCATE g.setting $$, '23001', NULL, 'S5: nor truncated');
SELECT lives_ok($$ INSERT INTO f.lead (lead_id, email) VALUES (2, 'bob@example.com') $$, 'S5: the funnel works on');

-- even where a setting is wrong
SET LOCAL lead_qual.import = on;
UPDATE f.setting SET lead_table = 'public.other', lead_key = 'stage';
UPDATE g.setting SET lead_table = 'public.other', lead_key = 'email';
SET LOCAL lead_qual.import = off;
SELECT lives_ok($$ SELECT drop_funnel('g', true) $$, 'S5: dropping a funnel whose setting names a table');
SELECT throws_ok($$ SELECT detach_funnel('nowhere') $$, '3F000', NULL, 'no such funnel');
SELECT lives_ok($$ SELECT detach_funnel('f') $$, 'S5: detaching a funnel whose setting names another table');
SELECT columns_are('public', 'other', '{id,email,stage}'::name[], 'S5: a table of no funnel loses no column');
SELECT has_index('public', 'other', 'other_email', 'S5: nor an index');
SELECT columns_are('public', 'contact', '{id,mail,land}'::name[], 'S5: the table of leads is as it was before');
SELECT is((SELECT count(*) FROM pg_index WHERE indrelid = 'contact'::regclass), 1::bigint, 'with the index that it had');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'contact'::regclass), 0::bigint, 'and without triggers');
SELECT is(col_description('contact'::regclass, 3), 'where', 'and with its comments');
SELECT throws_ok($$ SELECT detach_funnel('f') $$, '55000', NULL, 'it is detached once');
SELECT lives_ok($$ SELECT drop_funnel('f', true) $$, 'and dropped');

-- a column of the user's by the name that a funnel would give
SELECT create_funnel('f', 'UTC', lead_table => 'contact', lead_key => 'id', prefix => 'q_');
ALTER TABLE contact ADD q_mine text, ADD note text;
COMMENT ON COLUMN contact.note IS 'mine';
SELECT lives_ok($$ SELECT drop_funnel('f', true) $$, 'a funnel that is attached goes');
SELECT columns_are('public', 'contact', '{id,mail,land,q_mine,note}'::name[], 'S5: columns that came later stay');

-- without the view, the triggers tell
SELECT create_funnel('f', 'UTC', lead_table => 'contact', lead_key => 'id', prefix => 'q_');
DROP VIEW f.lead CASCADE;
SELECT lives_ok($$ SELECT drop_funnel('f', true) $$, 'a funnel without its view goes');
SELECT columns_are('public', 'contact', '{id,mail,land,q_mine,note}'::name[], 'S5: what was added goes with it');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'contact'::regclass), 0::bigint, 'the triggers, too');

-- triggers by anybody on tables of theirs keep no funnel
SELECT create_funnel('f', 'UTC');
CREATE TRIGGER zz_qualify BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION _qualify_lead('f');
SELECT lives_ok($$ SELECT drop_funnel('f') $$, 'S5: a trigger that names a funnel does not keep it');
SELECT columns_are('public', 'other', '{id,email,stage}'::name[], 'S5: and the table stays as it is');
SELECT has_trigger('public', 'other', 'zz_qualify', 'S5: with the trigger');

-- nor does a view in place of the funnel's, over a table of another funnel
SELECT create_funnel('a', 'UTC', lead_table => 'contact', lead_key => 'id', prefix => 'a_');
CREATE TABLE person (id bigint PRIMARY KEY, name text);
SELECT create_funnel('b', 'UTC', lead_table => 'person', lead_key => 'id', prefix => 'b_');
DROP VIEW a.lead CASCADE;
DROP VIEW b.lead CASCADE;
CREATE VIEW a.lead AS SELECT id AS lead_id, name FROM person;
CREATE VIEW b.lead AS SELECT id AS lead_id FROM other;
SELECT lives_ok($$ SELECT drop_funnel('a', true) $$, 'S5: a funnel whose view shows the table of another goes');
SELECT columns_are('public', 'contact', '{id,mail,land,q_mine,note}'::name[], 'S5: with what was added to its table');
SELECT has_column('public', 'person', 'b_stage', 'S5: but nothing of the other''s');
SELECT has_trigger('public', 'person', 'zz_qualify', 'S5: nor a trigger');
SELECT lives_ok($$ SELECT drop_funnel('b', true) $$, 'S5: which then goes, too');
SELECT columns_are('public', 'person', '{id,name}'::name[], 'S5: with what was added to its own');

SELECT * FROM finish();
ROLLBACK;
