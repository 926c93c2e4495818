-- Attaching to the tables that people have: a HubSpot contact export and
-- Odoo's crm_lead; and detaching, which leaves them as they were.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-03-02 09:00+00';
SELECT plan(37);

-- all that a table is, apart from the numbers of its columns
CREATE FUNCTION pg_temp.shape(t regclass) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', 'column', row_number() OVER (ORDER BY a.attnum), attname, format_type(atttypid, atttypmod), attnotnull, attstorage, attidentity, attgenerated,
					 pg_get_expr(adbin, adrelid), col_description(attrelid, attnum), attacl)
	FROM pg_attribute AS a LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = t AND attnum > 0 AND NOT attisdropped
	UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = t
	UNION ALL SELECT concat_ws(' ', conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE conrelid = t OR confrelid = t
	UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = t AND NOT tgisinternal
	UNION ALL SELECT concat_ws(' ', relacl, reloptions, relhasrules, obj_description(oid, 'pg_class')) FROM pg_class WHERE oid = t
	UNION ALL SELECT concat_ws(' ', 'function', pg_describe_object(classid, objid, objsubid)) FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid = t AND deptype = 'n' AND classid = 'pg_rewrite'::regclass
$$;

--
-- What HubSpot exports
--
CREATE TABLE hubspot_contact (
	"Record ID" bigint PRIMARY KEY,
	"First Name" text,
	"Last Name" text,
	"Email" text,
	"Job Title" text,
	"Company Name" text,
	"Industry" text,
	"Number of Employees" text,
	"Annual Revenue" numeric,
	"Country/Region" text,
	"Original Source" text,
	"Contact owner" text,
	"Lifecycle Stage" text,
	"Lead Status" text,
	"Unsubscribed from all email" boolean,
	"Create Date" timestamptz
);
COMMENT ON COLUMN hubspot_contact."Email" IS 'the user''s comment';
INSERT INTO hubspot_contact VALUES
	(101, 'Ann', 'Lee', 'ann@acme.example', 'VP Marketing', 'Acme', 'software', '900', 5e7, 'DE', 'Organic Search', 'ben', 'Marketing Qualified Lead', 'NEW', false, '2026-01-05 10:00+00'),
	(102, 'Ben', 'Orr', 'ben@acme.example', 'Intern', 'Acme', 'software', '900', 5e7, 'DE', 'Paid Search', NULL, 'Subscriber', NULL, true, '2026-01-06 10:00+00'),
	(103, 'Cid', 'Poe', 'cid@other.example', 'CEO', 'Other', NULL, '', NULL, 'US', 'Offline Sources', 'dot', 'Customer', NULL, NULL, '2025-06-01 10:00+00'),
	(104, NULL, NULL, 'eve@else.example', NULL, NULL, NULL, NULL, NULL, NULL, 'Direct Traffic', NULL, NULL, NULL, NULL, '2026-02-01 10:00+00');
-- names and numbers that are put together or converted
ALTER TABLE hubspot_contact ADD full_name text GENERATED ALWAYS AS (coalesce("First Name" || ' ', '') || coalesce("Last Name", '')) STORED,
	ADD employees numeric GENERATED ALWAYS AS (CASE WHEN "Number of Employees" ~ '^[0-9]+$' THEN "Number of Employees"::numeric END) STORED;
CREATE TEMP TABLE before AS SELECT pg_temp.shape('hubspot_contact') AS line;
CREATE TEMP TABLE rows_before AS SELECT * FROM hubspot_contact;

SELECT lives_ok($$ SELECT create_funnel('hub', 'UTC', lead_table => 'hubspot_contact', lead_key => 'Record ID',
	columns => '{"email": "Email", "full_name": "full_name", "job_title": "Job Title", "company": "Company Name", "industry": "Industry",
				 "company_size": "employees", "annual_revenue": "Annual Revenue", "country": "Country/Region", "source": "Original Source",
				 "owner": "Contact owner", "unsubscribed": "Unsubscribed from all email", "created_at": "Create Date"}',
	stage_column => 'Lifecycle Stage',
	stages => '{"Subscriber": "lead", "Lead": "lead", "Marketing Qualified Lead": "mql", "Sales Qualified Lead": "sql", "Opportunity": "opportunity", "Customer": "customer"}') $$,
	'HubSpot: a funnel attaches to an export of contacts');
SELECT results_eq($$ SELECT lead_id, full_name, stage, source FROM hub.lead ORDER BY lead_id $$,
	$$ VALUES (101::bigint, 'Ann Lee', 'mql', 'Organic Search'), (102, 'Ben Orr', 'lead', 'Paid Search'), (103, 'Cid Poe', 'customer', 'Offline Sources'), (104, '', 'lead', 'Direct Traffic') $$,
	'HubSpot: lifecycle stages are stages');
SELECT is(rescore_funnel('hub'), 4::bigint, 'HubSpot: contacts are scored');
SELECT results_eq($$ SELECT lead_id, fit FROM hub.lead_now ORDER BY lead_id $$, $$ VALUES (101::bigint, 40::numeric), (102, 15), (103, 5), (104, 0) $$, 'HubSpot: by who they are');
SELECT results_eq($$ SELECT milestone, reached FROM hub.funnel WHERE reached > 0 $$, $$ VALUES ('lead', 2::bigint), ('mql', 1), ('customer', 1) $$, 'HubSpot: the funnel is a view');
SELECT is(record_activity('hub', 'BEN@acme.example', 'demo_request', '2026-03-02 08:00+00'), true, 'HubSpot: events go on');
SELECT is((SELECT stage FROM hubspot_contact WHERE "Record ID" = 102), 'mql', 'HubSpot: and qualify');
SELECT is(may_send('hub', 102, 'newsletter'), false, 'HubSpot: who unsubscribed there is not written to') FROM hub.message WHERE message = 'newsletter'
UNION ALL SELECT is(may_send('hub', 102, (SELECT min(message) FROM hub.message)), false, 'HubSpot: who unsubscribed there is not written to')
WHERE NOT EXISTS (SELECT FROM hub.message WHERE message = 'newsletter');
SELECT is_empty($$ SELECT * FROM check_funnel('hub') WHERE finding <> 'unknown_source' $$, 'HubSpot: nothing is wrong');
SELECT lives_ok($$ SELECT detach_funnel('hub') $$, 'HubSpot: it is detached');
SELECT set_eq($$ SELECT pg_temp.shape('hubspot_contact') $$, $$ SELECT line FROM before $$, 'HubSpot: the table is what it was');
SELECT set_eq('SELECT * FROM hubspot_contact', 'SELECT * FROM rows_before', 'HubSpot: and so are its rows');
SELECT results_eq($$ SELECT lead_id, stage FROM hub.lead_now ORDER BY lead_id $$, $$ VALUES (101::bigint, 'mql'), (102, 'mql'), (103, 'customer'), (104, 'lead') $$, 'what the leads were can be read');
SELECT is((SELECT sum(reached) FROM hub.funnel), 5::numeric, 'and so can the metrics');
SELECT throws_ok($$ SELECT record_activity('hub', 'ann@acme.example', 'webinar') $$, '55000', 'funnel "hub" is not attached to a table of leads', 'nothing more can happen');

--
-- Odoo's crm_lead, with what it refers to
--
CREATE TABLE crm_stage (id serial PRIMARY KEY, name text, sequence int);
INSERT INTO crm_stage (name, sequence) VALUES ('New', 1), ('Qualified', 2), ('Proposition', 3), ('Won', 4);
CREATE TABLE utm_source (id serial PRIMARY KEY, name text);
INSERT INTO utm_source (name) VALUES ('Search engine'), ('Newsletter');
CREATE TABLE crm_lead (
	id serial PRIMARY KEY,
	create_uid int, create_date timestamp without time zone, write_date timestamp without time zone,
	name varchar NOT NULL, contact_name varchar, partner_name varchar, "function" varchar,
	email_from varchar, email_normalized varchar, phone varchar, type varchar NOT NULL, priority varchar,
	stage_id int REFERENCES crm_stage, user_id int, team_id int, source_id int REFERENCES utm_source,
	country_id int, expected_revenue numeric, probability double precision, active boolean DEFAULT true,
	lost_reason_id int, date_open timestamp, date_closed timestamp, description text
);
CREATE INDEX crm_lead_mail ON crm_lead (lower(email_normalized));
INSERT INTO crm_lead (create_date, name, contact_name, "function", email_from, email_normalized, type, stage_id, source_id) VALUES
	('2026-01-05 10:00', 'Portal', 'Ann Lee', 'Head of Sales', '"Ann" <ann@acme.example>', 'ann@acme.example', 'lead', 1, 1),
	('2026-01-06 10:00', 'CRM', 'Ben Orr', 'Student', 'ben@acme.example', 'ben@acme.example', 'opportunity', 2, NULL);
-- what is a number there is a name in a funnel: a trigger of Odoo's own looks it up
CREATE TABLE before_odoo AS SELECT pg_temp.shape('crm_lead') AS line;
SELECT lives_ok($$ SELECT create_funnel('odoo', 'UTC', lead_table => 'crm_lead', lead_key => 'id', prefix => 'lq_',
	columns => '{"full_name": "contact_name", "email": "email_normalized", "job_title": "function", "company": "partner_name"}',
	stage_column => 'stage_id', stages => '{"1": "lead", "2": "sql", "3": "opportunity", "4": "customer"}') $$, 'Odoo: a funnel attaches to crm_lead');
CREATE FUNCTION odoo_source() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$ BEGIN
	NEW.lq_source := (SELECT name FROM utm_source WHERE id = NEW.source_id);
	RETURN NEW;
END $$;
CREATE TRIGGER lq_source BEFORE INSERT OR UPDATE OF source_id ON crm_lead FOR EACH ROW EXECUTE FUNCTION odoo_source();
INSERT INTO crm_lead (name, contact_name, "function", email_normalized, type, stage_id, source_id) VALUES ('New one', 'Cid Poe', 'CEO', 'cid@acme.example', 'lead', 1, 2);
SELECT results_eq($$ SELECT id, lq_stage, lq_source, stage_id FROM crm_lead ORDER BY id $$,
	$$ VALUES (1, 'lead', NULL, 1), (2, 'sql', NULL, 2), (3, 'lead', 'Newsletter', 1) $$, 'Odoo: stages follow from stage_id, integer keys do');
SELECT is((SELECT count(*) FROM pg_index WHERE indrelid = 'crm_lead'::regclass AND pg_get_indexdef(indexrelid) ~ 'email_normalized'), 1::bigint, 'Odoo: an index that is there serves');
SELECT is(record_activity('odoo', 'cid@acme.example', 'demo_request'), true, 'Odoo: an event');
SELECT results_eq($$ SELECT lq_stage, lq_due_at FROM crm_lead WHERE id = 3 $$, $$ VALUES ('mql', '2026-03-03 09:00+00'::timestamptz) $$, 'Odoo: makes an MQL, with a deadline');
SELECT is_empty($$ SELECT part FROM why_not('odoo', 3, 'sal') $$, 'Odoo: sales may accept it');
SELECT throws_ok($$ UPDATE crm_lead SET lq_stage = 'customer' WHERE id = 3 $$, '23514', NULL, 'Odoo: nobody goes around the stages');
DROP TRIGGER lq_source ON crm_lead;
SELECT lives_ok($$ SELECT drop_funnel('odoo', true) $$, 'Odoo: the funnel is dropped with all that it has');
SELECT set_eq($$ SELECT pg_temp.shape('crm_lead') $$, $$ SELECT line FROM before_odoo $$, 'Odoo: the table is what it was');
SELECT is((SELECT count(*) FROM crm_lead), 3::bigint, 'Odoo: with every row');

--
-- A table whose columns have each other's names, and that moves
--
CREATE TABLE swapped (lead_id bigint PRIMARY KEY, email text, full_name text, company text, firm text);
INSERT INTO swapped VALUES (1, 'Ann Lee', 'ann@example.com', 'VP', 'Acme');
CREATE TEMP TABLE before_swapped AS SELECT pg_temp.shape('swapped') AS line;
SELECT lives_ok($$ SELECT create_funnel('swapped_funnel', 'UTC', lead_table => 'swapped', prefix => 'lq_',
	columns => '{"email": "full_name", "full_name": "email", "job_title": "company", "company": "firm"}') $$, 'columns may have the names of others');
SELECT results_eq('SELECT email, full_name, job_title, company FROM swapped_funnel.lead', $$ VALUES ('ann@example.com', 'Ann Lee', 'VP', 'Acme') $$,
	'which the funnel knows by theirs');
CREATE SCHEMA elsewhere;
ALTER TABLE swapped SET SCHEMA elsewhere;
SELECT is(record_activity('swapped_funnel', 'ann@example.com', 'webinar'), true, 'a table may go to another schema');
SELECT lives_ok($$ SELECT detach_funnel('swapped_funnel') $$, 'and be detached there');
SELECT set_eq($$ SELECT replace(pg_temp.shape('elsewhere.swapped'), 'elsewhere.', 'public.') $$, 'SELECT line FROM before_swapped', 'with none of our indexes left');

--
-- Keys of other types
--
CREATE DOMAIN day AS date CHECK (VALUE > '2000-01-01');
CREATE TABLE by_day (id day PRIMARY KEY, mail text);
INSERT INTO by_day VALUES ('2026-01-01', 'ann@example.com');
SELECT lives_ok($$ SELECT create_funnel('by_day_funnel', 'UTC', lead_table => 'by_day', lead_key => 'id', columns => '{"email": "mail"}') $$, 'a domain may be the key');
INSERT INTO by_day_funnel.activity (lead_id, kind) VALUES ('2026-01-01', 'demo_request');
SELECT is((SELECT stage FROM by_day), 'mql', 'its leads move');
CREATE TABLE by_path (id int[] PRIMARY KEY);
INSERT INTO by_path VALUES ('{1,2}');
SELECT lives_ok($$ SELECT create_funnel('by_path_funnel', 'UTC', lead_table => 'by_path', lead_key => 'id') $$, 'an array may be the key');
INSERT INTO by_path_funnel.activity (lead_id, kind) VALUES ('{1,2}', 'demo_request');
SELECT is((SELECT stage FROM by_path), 'mql', 'its leads move');
CREATE EXTENSION citext;
CREATE TABLE by_name (id citext PRIMARY KEY, mail citext, mail_text text GENERATED ALWAYS AS (mail::text) STORED, n int UNIQUE NOT NULL);
SELECT throws_ok($$ SELECT create_funnel('by_name_funnel', 'UTC', lead_table => 'by_name', lead_key => 'id') $$, '0A000',
	'key column "id" of table "public.by_name" is of type public.citext', 'a type that another extension compares may not');
SELECT throws_ok($$ SELECT create_funnel('by_name_funnel', 'UTC', lead_table => 'by_name', lead_key => 'n', columns => '{"email": "mail"}') $$, '42804',
	'column "mail" of table "public.by_name" is of type public.citext, not text', 'nor be read by conditions');
SELECT lives_ok($$ SELECT create_funnel('by_name_funnel', 'UTC', lead_table => 'by_name', lead_key => 'n', columns => '{"email": "mail_text"}') $$,
	'a generated column converts it');

SELECT * FROM finish();
ROLLBACK;
