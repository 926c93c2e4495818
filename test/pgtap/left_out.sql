-- What a client may leave out, or write NULL for: columns of a new lead that have a default.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SELECT plan(29);

SELECT create_funnel('crm', 'UTC');
SELECT is_empty($$ SELECT column_name FROM information_schema.columns WHERE table_schema = 'crm' AND table_name = 'lead'
	AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER' $$,
	'A4: generators see no column that must be given');
SELECT col_default_is('crm', 'lead', 'stage', '*', 'A4: the stage has a default');
SELECT is_empty($$ SELECT c.table_name, c.column_name, c.column_default FROM information_schema.columns AS c WHERE c.table_schema = 'crm'
	AND c.column_default !~ '^(''[^'']*''::[a-z."]+|true|false|-?[0-9.]+|[a-z_]+\(\))$' $$, 'A12: every default is a constant or a plain call');
SELECT is_empty($$ SELECT c.table_name, c.column_name, c.column_default FROM information_schema.columns AS c WHERE c.table_schema = 'crm'
	AND (c.data_type = 'text' AND c.column_default !~ '^''[^'']+''::text$' OR c.data_type = 'interval' AND c.column_default <> '') $$,
	'A12: that of a text is a constant and not empty, which drizzle-kit copies as it is; an interval has none, which sequelize-auto would not quote');
INSERT INTO crm.lead (email) VALUES ('a@example.com');
INSERT INTO crm.lead (email, stage) VALUES ('b@example.com', DEFAULT);
INSERT INTO crm.lead (email, job_title, stage) VALUES ('c@example.com', 'VP', NULL);
INSERT INTO crm.lead (email, stage) VALUES ('d@example.com', '') ON CONFLICT (lower(email)) DO UPDATE SET stage = excluded.stage;
INSERT INTO crm.lead (email, stage) VALUES ('d@example.com', '*') ON CONFLICT (lower(email)) DO UPDATE SET stage = excluded.stage;
SELECT results_eq('SELECT lead_id, stage FROM crm.lead ORDER BY lead_id', $$ VALUES (1::bigint, 'lead'), (2, 'lead'), (3, 'lead'), (4, 'lead') $$, 'A4: left out, default, NULL or empty, as Django writes it: it begins where leads begin');
SELECT throws_ok(format('UPDATE crm.lead SET stage = %L', none), '23514', format('cannot move lead from stage "lead" to "%s"', none), 'but is not moved to no stage: ' || none)
	FROM unnest('{"",*}'::text[]) AS none;
ALTER TABLE crm.lead DISABLE TRIGGER USER;
SELECT throws_ok('INSERT INTO crm.lead DEFAULT VALUES', '23514', NULL, 'nor is that kept where no trigger finds one');
ALTER TABLE crm.lead ENABLE TRIGGER USER;

-- a whole row of which little is known
CREATE FUNCTION pg_temp.all_null(funnel text, given text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT format('INSERT INTO %I.lead (%s) VALUES (%s)', funnel, string_agg(quote_ident(attname), ', ' ORDER BY attnum),
		string_agg(CASE WHEN attname = ANY (given) THEN quote_literal('x') ELSE 'NULL' END, ', ' ORDER BY attnum))
	FROM pg_attribute WHERE attrelid = to_regclass(funnel || '.lead') AND attnum > 0 AND NOT attisdropped $$;
ALTER TABLE crm.lead ADD COLUMN tier text NOT NULL DEFAULT 'standard', ADD COLUMN must text NOT NULL DEFAULT '';
ALTER TABLE crm.lead ALTER COLUMN must DROP DEFAULT;
SELECT throws_ok(pg_temp.all_null('crm'), '23502', NULL, 'a column without a default must be given');
ALTER TABLE crm.lead DROP COLUMN must;
SELECT lives_ok(pg_temp.all_null('crm'), 'A4: NULL stands for what has a default');
INSERT INTO crm.lead DEFAULT VALUES;
CREATE TEMP TABLE known AS SELECT lead_id, to_jsonb(l) - ARRAY['lead_id', 'scorecard'] AS lead FROM crm.lead AS l WHERE email IS NULL;
SELECT is((SELECT count(DISTINCT lead) FROM known), 1::bigint, 'A4: in every column, as if it had been left out');
SELECT is((SELECT count(*) FROM known), 2::bigint, 'the key included');
SELECT throws_ok('UPDATE crm.lead SET bant = NULL', '23502', NULL, 'to a lead that is there NULL is a value');
SELECT throws_ok('UPDATE crm.lead SET stage = NULL', '23502', NULL, 'of the stage, too');

-- loaded as it was
SET LOCAL lead_qual.import = on;
SELECT lives_ok(pg_temp.all_null('crm'), 'A4: under import as well');
SET LOCAL lead_qual.import = off;
SELECT results_eq('SELECT stage, stage_entered_at, cycle, deals_won, state_version, bant::text FROM crm.lead ORDER BY lead_id DESC LIMIT 1',
	$$ VALUES ('lead', '2026-03-02 09:00Z'::timestamptz, 1, 0, 0::bigint, 'B? A? N? T?') $$, 'with the same');

-- facts
SELECT lives_ok($$ INSERT INTO crm.activity (lead_id, occurred_at, activity_id, kind, properties, external_id, recorded_at)
	VALUES (1, NULL, NULL, 'webinar', NULL, NULL, NULL) $$, 'A4: an activity of which little is known');
SELECT results_eq('SELECT occurred_at, properties, recorded_at, activity_id IS NOT NULL FROM crm.activity', $$ VALUES ('2026-03-02 09:00Z'::timestamptz, '{}'::jsonb, '2026-03-02 09:00Z'::timestamptz, true) $$, 'has the rest');
SELECT lives_ok($$ INSERT INTO crm.answer (lead_id, answer_id, framework, element, level, answered_at) VALUES (1, NULL, 'bant', 'need', 'yes', NULL) $$, 'A4: so has an answer');
SELECT lives_ok($$ INSERT INTO crm.verdict (verdict_id, lead_id, side, qualified, judged_at) VALUES (NULL, 1, 'sales', true, NULL) $$, 'a verdict');
SELECT lives_ok($$ INSERT INTO crm.deal (status, opened_at) VALUES (NULL, NULL) $$, 'and a deal');
SELECT throws_ok($$ INSERT INTO crm.activity (lead_id, kind) VALUES (1, NULL) $$, '23502', NULL, 'what has no default must be given');
SELECT throws_ok('UPDATE crm.activity SET properties = NULL', '23502', NULL, 'and NULL in a row that is there is a value');

-- a table of the user's: what the funnel keeps there, and nothing else
CREATE TABLE contact (id bigint PRIMARY KEY DEFAULT 1, mail text, mine text NOT NULL DEFAULT 'm');
INSERT INTO contact (id) VALUES (7);
SELECT lives_ok($$ SELECT create_funnel('b2b', 'UTC', lead_table => 'contact', lead_key => 'id', columns => '{"email": "mail"}', prefix => 'lq_') $$, 'a table of the user''s');
SELECT is((SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid = 'contact'::regclass AND attname = 'lq_stage'),
	'''*''::text', 'A4: the stage has a default there');
SELECT is((SELECT lq_stage FROM contact), 'lead', 'rows that were there have a stage');
SELECT lives_ok($$ INSERT INTO contact (id, lq_stage, lq_bant, lq_cycle, lq_won_amount, lq_answers, lq_state_version) VALUES (8, NULL, NULL, NULL, NULL, NULL, NULL), (6, '', '', NULL, NULL, NULL, NULL) $$, 'A4: NULL stands for it there');
SELECT throws_ok($$ INSERT INTO contact (id, mine) VALUES (9, NULL) $$, '23502', NULL, 'what is the user''s is left alone');
SELECT lives_ok($$ INSERT INTO b2b.lead (lead_id, email) VALUES (10, 'x@example.com') $$, 'through the view');

SELECT * FROM finish();
ROLLBACK;
