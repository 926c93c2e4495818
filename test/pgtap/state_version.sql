-- A whole row that is saved long after it was read: what has changed since is not written back.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SELECT plan(40);

SELECT create_funnel('crm', 'UTC');
CREATE FUNCTION pg_temp.v(lead bigint DEFAULT 1) RETURNS bigint LANGUAGE sql AS 'SELECT state_version FROM crm.lead WHERE lead_id = $1';
\ir helper/attempt.sql

-- counting
INSERT INTO crm.lead (email, source, stage) VALUES ('ann@example.com', 'partner', 'sal'), ('bob@example.com', 'partner', 'sal');
SELECT is(pg_temp.v(), 0::bigint, 'a new lead has 0');
INSERT INTO crm.lead (email, state_version) VALUES ('a@x.example', 7), ('b@x.example', NULL), ('c@x.example', 1);
SELECT is((SELECT array_agg(state_version ORDER BY lead_id) FROM crm.lead WHERE email LIKE '%x.example'), '{0,0,1}'::bigint[],
	'whatever is given, but for a lock column that begins with 1');
INSERT INTO crm.lead (email, job_title) VALUES ('d@x.example', 'VP Marketing');
UPDATE crm.lead SET full_name = 'Ann', resume_at = '2030-01-01Z', owner = 'ben' WHERE lead_id = 1;
SELECT is(pg_temp.v(), 0::bigint, 'A6: what is neither stage nor answer does not count');
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'discovery_call');
SELECT is(pg_temp.v(), 0::bigint, 'A6: nor do points');
UPDATE crm.lead SET bant = 'B+ N+', meddic = 'M+' WHERE lead_id = 1;
SELECT is(pg_temp.v(), 1::bigint, 'A6: answers that are written into the lead count once');
INSERT INTO crm.answer (lead_id, framework, element, level) VALUES (1, 'bant', 'authority', 'yes'), (1, 'bant', 'timeline', 'partial');
SELECT is(pg_temp.v(), 2::bigint, 'A6: so do those of the log');
INSERT INTO crm.answer (lead_id, framework, element, level) VALUES (1, 'champ', 'challenges', 'yes');
SELECT is(pg_temp.v(), 3::bigint, 'A6: and those to other frameworks');
UPDATE crm.lead SET bant = bant, stage = stage WHERE lead_id = 1;
SELECT is(pg_temp.v(), 3::bigint, 'A6: what stays the same does not');
UPDATE crm.lead SET stage = 'sql' WHERE lead_id = 1;
SELECT is(pg_temp.v(), 4::bigint, 'A6: a move counts');
INSERT INTO crm.deal (deal_id, amount) OVERRIDING SYSTEM VALUE VALUES (9, 10);
UPDATE crm.lead SET bant = bant || 'T+' WHERE lead_id = 1;
INSERT INTO crm.deal_contact (deal_id, lead_id) VALUES (9, 1);
SELECT is((SELECT stage || ' ' || state_version FROM crm.lead WHERE lead_id = 1), 'opportunity 6', 'A6: so does one that a deal brings about');
INSERT INTO crm.activity (lead_id, kind) SELECT lead_id, 'demo_request' FROM crm.lead WHERE email = 'd@x.example';
SELECT is((SELECT stage || ' ' || state_version FROM crm.lead WHERE email = 'd@x.example'), 'mql 1', 'A6: and one that an activity earns');

-- a stale row; lead 2 is read at 0
CREATE TEMP TABLE read AS SELECT * FROM crm.lead WHERE lead_id = 2;
CREATE FUNCTION pg_temp.save(changes jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.attempt(current_user, format('UPDATE crm.lead SET (%1$s) = (SELECT %1$s FROM jsonb_populate_record(NULL::crm.lead, %2$L)) WHERE lead_id = 2',
		(SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'crm.lead'::regclass AND attnum > 0),
		(SELECT to_jsonb(r) || changes FROM read AS r))) $$;
SELECT is(pg_temp.save('{"full_name": "Bob"}'), 'done', 'a row that is fresh is saved whole');
SELECT is((SELECT concat_ws(' ', full_name, stage, bant, state_version) FROM crm.lead WHERE lead_id = 2), 'Bob sal B? A? N? T? 0', 'and counts as what it changes');
UPDATE crm.lead SET bant = 'B+' WHERE lead_id = 2;
SELECT is(pg_temp.save('{"full_name": "Rob"}'),
	E'40001 stage or answers of the lead have changed since it was read The key of the lead is 2.\nThe row that is written has 0 in column "state_version", the lead has 1.',
	'A6: a stale row does not write old answers');
SELECT is(pg_temp.save('{"stage": "nurture", "reason": "no_need", "bant": "B+"}'), format('%s', pg_temp.save('{}')), 'A6: nor asks for a move');
SELECT is(pg_temp.save('{"full_name": "Rob", "bant": "B+"}'), 'done', 'A6: one that changes neither is saved');
SELECT is((SELECT concat_ws(' ', full_name, state_version) FROM crm.lead WHERE lead_id = 2), 'Rob 1', 'A6: and has no say in the version');
UPDATE crm.lead SET stage = 'nurture', reason = 'no_need' WHERE lead_id = 2;
SELECT matches(pg_temp.save('{"bant": "B+", "state_version": 1}'), '^40001 ', 'A6: a stale row does not ask for an old stage');
CREATE FUNCTION pg_temp.hint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE h text; BEGIN EXECUTE statement; RETURN 'done'; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS h = PG_EXCEPTION_HINT; RETURN h; END $$;
SELECT is(pg_temp.hint('UPDATE crm.lead SET stage = ''lead'', state_version = 0 WHERE lead_id = 2'),
	'Read the lead again and change it as it is now, or write only the columns that you change.', 'A6: the hint leads on');
SELECT matches(pg_temp.attempt(current_user, 'UPDATE crm.lead SET state_version = state_version + 2 WHERE lead_id = 2'),
	'^22023 the row that is written is ahead of the lead The key of the lead is 2\.\sThe row that is written has 4 in column "state_version", the lead has 2\.$', 'A6: a row of no state that there was is refused');
SELECT is(pg_temp.attempt(current_user, 'UPDATE crm.lead SET state_version = NULL WHERE lead_id = 2'), 'done', 'A6: NULL says nothing');
SELECT is(pg_temp.v(2), 2::bigint, 'and changes nothing');

-- a column that an ORM locks by: WHERE state_version = n, SET state_version = n + 1
UPDATE crm.lead SET full_name = 'Lock', state_version = 3 WHERE lead_id = 2 AND state_version = 2;
SELECT is(pg_temp.v(2), 3::bigint, 'A6: a lock column counts every save');
UPDATE crm.lead SET stage = 'lead', bant = 'B~', state_version = 4 WHERE lead_id = 2 AND state_version = 3;
SELECT is((SELECT stage || ' ' || state_version FROM crm.lead WHERE lead_id = 2), 'lead 4', 'A6: and what it changes only once');
SELECT is(pg_temp.save('{"stage": "lead", "state_version": 5}'), 'done', 'A6: a whole row as well, answers included');
SELECT is((SELECT bant::text || ' ' || state_version FROM crm.lead WHERE lead_id = 2), 'B? A? N? T? 5', 'which is fresh');
SELECT matches(pg_temp.attempt(current_user, 'UPDATE crm.lead SET stage = ''customer'', state_version = 6 WHERE lead_id = 2'), '^23514 ', 'A6: a move is judged as ever');
INSERT INTO crm.activity (lead_id, kind, occurred_at) VALUES (2, 'sales_inquiry', '2026-03-02 08:59Z');
INSERT INTO crm.lead (lead_id, email) OVERRIDING SYSTEM VALUE VALUES (50, 'e@x.example');
UPDATE crm.lead SET email = 'e@rival.example', state_version = 1 WHERE lead_id = 50 AND state_version = 0;
SELECT is((SELECT stage || ' ' || state_version FROM crm.lead WHERE lead_id = 50), 'disqualified 2', 'A6: what nobody asked for makes the writer''s own row a stale one');

-- who may not read it is not told; an import loads what was; history rebuilt makes rows stale
CREATE ROLE regress_lq_blind;
GRANT USAGE ON SCHEMA crm TO regress_lq_blind;
GRANT UPDATE (bant, state_version) ON crm.lead TO regress_lq_blind;
RESET lead_qual.clock;
SELECT matches(pg_temp.attempt('regress_lq_blind', 'UPDATE crm.lead SET state_version = -1, bant = ''B-'''),
	'^40001 .*since it was read The row that is written has -1 in column "state_version"\.$', 'A6: nobody is told what is not theirs to read');
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SET LOCAL lead_qual.import = on;
INSERT INTO crm.lead (lead_id, stage, state_version) OVERRIDING SYSTEM VALUE VALUES (60, 'lead', 41), (61, 'lead', 9223372036854775807);
UPDATE crm.lead SET stage = 'sal', state_version = 7 WHERE lead_id = 60;
SELECT is(pg_temp.v(60), 7::bigint, 'A6: an import is not checked');
UPDATE crm.lead SET stage = 'mql' WHERE lead_id IN (60, 61);
SELECT is((SELECT array_agg(state_version ORDER BY lead_id) FROM crm.lead WHERE lead_id >= 60), '{8,9223372036854775807}'::bigint[], 'but rows that were read before it are stale');
SET LOCAL lead_qual.import = off;
SELECT lives_ok('SELECT void_moves(''crm'', ARRAY[(SELECT max(history_id) FROM crm.stage_history WHERE lead_id = 1)], ''a mistake'')', 'a move is void');
SELECT is((SELECT stage || ' ' || state_version FROM crm.lead WHERE lead_id = 1), 'sql 7', 'A6: and so is a row from before');

-- a lead that is read for its columns costs nothing more
SELECT is_empty($$ SELECT 1 FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
	WHERE i.indrelid = 'crm.lead'::regclass AND a.attname = 'state_version' $$, 'no index has the column');
INSERT INTO crm.lead (lead_id, bant) OVERRIDING SYSTEM VALUE VALUES (70, 'B+');
CREATE TEMP TABLE hot AS SELECT pg_stat_get_xact_tuples_updated('crm.lead'::regclass) AS n, pg_stat_get_xact_tuples_hot_updated('crm.lead'::regclass) AS hot;
UPDATE crm.lead SET bant = 'A+' WHERE lead_id = 70;
SELECT is(pg_stat_get_xact_tuples_hot_updated('crm.lead'::regclass) - hot, pg_stat_get_xact_tuples_updated('crm.lead'::regclass) - n, 'an answer is a heap-only update') FROM hot;

-- leads of a table of the user's, in partitions
CREATE TABLE contact (id uuid, mail text, land text NOT NULL, PRIMARY KEY (land, id)) PARTITION BY LIST (land);
CREATE TABLE contact_other (land text NOT NULL, mail text, id uuid NOT NULL);
ALTER TABLE contact ATTACH PARTITION contact_other DEFAULT;
CREATE TABLE contact_de PARTITION OF contact FOR VALUES IN ('DE');
INSERT INTO contact VALUES ('00000000-0000-0000-0000-000000000001', 'gil@example.org', 'US');
SELECT lives_ok($$ SELECT create_funnel('b2b', 'UTC', lead_table => 'contact', lead_key => 'id', columns => '{"email": "mail", "country": "land"}', prefix => 'lq_') $$, 'a table of the user''s');
UPDATE contact SET lq_bant = 'B+', land = 'DE';
SELECT is((SELECT lq_state_version FROM contact), 1::bigint, 'A6: counts there, from one partition to another');
SELECT matches(pg_temp.attempt(current_user, 'UPDATE contact SET lq_bant = '''', lq_state_version = 0'), '^40001 .* in column "lq_state_version", the lead has 1\.$', 'A6: and is called what it is called there');
SELECT matches(pg_temp.attempt(current_user, 'UPDATE b2b.lead SET stage = ''mql'', state_version = 0'), '^40001 ', 'A6: through the view, too');
SELECT is(pg_temp.attempt(current_user, 'UPDATE contact SET mail = ''x'', land = ''FR'', lq_state_version = 0'), 'done', 'A6: what a stale row does not change is no matter');

SELECT * FROM finish();
ROLLBACK;
