-- INSERT ... ON CONFLICT DO UPDATE: what a client takes from EXCLUDED though nobody gave it is no wish.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SELECT plan(19);

SELECT create_funnel('crm', 'UTC');
\ir helper/attempt.sql
-- a lead that has got somewhere, and is asked to be where it is
INSERT INTO crm.lead (lead_id, external_id, email, source, stage, bant) OVERRIDING SYSTEM VALUE
	VALUES (1, 'one', 'ann@example.com', 'partner', 'sal', 'B+ N+');
UPDATE crm.lead SET stage = 'nurture', reason = 'no_need' WHERE lead_id = 1;
UPDATE crm.lead SET meddic = 'M+' WHERE lead_id = 1;
CREATE FUNCTION pg_temp.state(lead bigint DEFAULT 1) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', stage, bant, met(meddic), 'v' || state_version, 'moves', (SELECT count(*) FROM crm.stage_history AS h WHERE h.lead_id = l.lead_id),
		'answers', (SELECT count(*) FROM crm.answer AS a WHERE a.lead_id = l.lead_id)) FROM crm.lead AS l WHERE lead_id = $1 $$;
CREATE TEMP TABLE before AS SELECT pg_temp.state() AS state;
SELECT is(state, 'nurture B+ A? N+ T? 1 v2 moves 2 answers 3', 'a lead') FROM before;

-- as ORMs do it: every column is taken from there
CREATE FUNCTION pg_temp.upsert(columns text, "values" text, target text DEFAULT 'external_id') RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.attempt(current_user, format('INSERT INTO crm.lead (%s) VALUES (%s) ON CONFLICT (%s) DO UPDATE SET %s', columns, "values", target,
		(SELECT string_agg(format('%1$I = excluded.%1$I', attname), ', ') FROM pg_attribute
		 WHERE attrelid = 'crm.lead'::regclass AND attnum > 0 AND attname <> 'lead_id'))) $$;
SELECT is(pg_temp.upsert('external_id, email, full_name', '''one'', ''ann@example.com'', ''Ann'''), 'done', 'A6: an upsert of all columns');
SELECT is(pg_temp.state(), state, 'A6: is no move and no answer') FROM before;
SELECT is((SELECT full_name FROM crm.lead WHERE lead_id = 1), 'Ann', 'but writes the rest');
SELECT is(pg_temp.upsert('external_id, email', '''one'', ''ANN@example.com''', 'lower(email)'), 'done', 'A6: by an index over an expression');
SELECT is(pg_temp.state(), state, 'A6: neither') FROM before;
SELECT is(pg_temp.attempt(current_user, 'INSERT INTO crm.lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (1) ON CONFLICT (lead_id) DO UPDATE SET bant = excluded.bant, stage = excluded.stage, state_version = excluded.state_version'), 'done', 'A6: by the key');
SELECT is(pg_temp.state(), state, 'A6: neither') FROM before;
SELECT is(pg_temp.attempt(current_user, 'INSERT INTO crm.lead (external_id) VALUES (''new''), (''one''), (''newer'') ON CONFLICT (external_id) DO UPDATE SET (stage, bant, meddic, state_version) = ROW(excluded.stage, excluded.bant, excluded.meddic, excluded.state_version)'), 'done', 'A6: one of several');
SELECT is(pg_temp.state(), state, 'A6: neither') FROM before;

-- what somebody gives is meant
SELECT is(pg_temp.upsert('external_id, email, bant', '''one'', ''ann@example.com'', ''A+'''), 'done', 'answers that are given');
SELECT is(pg_temp.state(), 'nurture B? A+ N? T? 1 v3 moves 2 answers 6', 'are answers, and a new row is never stale');
SELECT matches(pg_temp.upsert('external_id, email, stage', '''one'', ''ann@example.com'', ''customer'''), '^23514 cannot move lead from stage "nurture" to "customer"', 'a stage that is given is asked for');
SELECT matches(pg_temp.attempt(current_user, 'INSERT INTO crm.lead (external_id) VALUES (''one'') ON CONFLICT (external_id) DO UPDATE SET stage = ''customer'''), '^23514 ', 'so is one that the update gives');

-- a row that went in does not speak for one that is updated
SELECT is(pg_temp.attempt(current_user, $$ MERGE INTO crm.lead AS l USING (VALUES (1, 'x1'), (2, 'one')) AS f (n, id) ON l.external_id = f.id
	WHEN MATCHED THEN UPDATE SET stage = 'lead', bant = '' WHEN NOT MATCHED THEN INSERT (external_id) VALUES (f.id) $$), 'done', 'MERGE inserts one, and then updates another');
SELECT is(pg_temp.state(), 'lead B? A? N? T? 1 v4 moves 3 answers 7', 'which moves as it is asked to');

-- leads of a table of the user's, in partitions whose columns stand otherwise
CREATE TABLE contact (id int, mail text, land text NOT NULL, PRIMARY KEY (land, id)) PARTITION BY LIST (land);
CREATE TABLE contact_other (land text NOT NULL, mail text, id int NOT NULL);
ALTER TABLE contact ATTACH PARTITION contact_other DEFAULT;
INSERT INTO contact VALUES (1, 'gil@example.org', 'US');
SELECT lives_ok($$ SELECT create_funnel('b2b', 'UTC', lead_table => 'contact', lead_key => 'id', columns => '{"email": "mail", "country": "land"}') $$, 'a table of the user''s');
UPDATE contact SET stage = 'disqualified', reason = 'spam';
UPDATE contact SET bant = 'B+ A+';
INSERT INTO contact (id, land, mail) VALUES (1, 'US', 'x') ON CONFLICT (land, id)
	DO UPDATE SET mail = excluded.mail, stage = excluded.stage, bant = excluded.bant, state_version = excluded.state_version;
SELECT is((SELECT concat_ws(' ', mail, stage, bant, state_version) FROM contact), 'x disqualified B+ A+ N? T? 2', 'A6: the same there');
SELECT is((SELECT count(*) FROM b2b.stage_history WHERE lead_id = 1), 2::bigint, 'A6: without a move');

SELECT * FROM finish();
ROLLBACK;
