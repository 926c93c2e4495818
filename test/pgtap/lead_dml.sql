-- Every way to write a lead: upserts, MERGE, views, COPY, and triggers of the user's own.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(47);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
ALTER TABLE lead ALTER COLUMN lead_id RESTART WITH 1000;

CREATE FUNCTION pg_temp.stage(lead bigint) RETURNS text LANGUAGE sql AS
	'SELECT stage FROM crm.lead WHERE lead_id = $1';
CREATE FUNCTION pg_temp.moves() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM crm.stage_history';
CREATE FUNCTION pg_temp.state(lead bigint) RETURNS jsonb LANGUAGE sql AS $$
	SELECT to_jsonb(l) - ARRAY['full_name', 'scorecard'] || jsonb_build_object('card', scorecard::text) FROM crm.lead AS l WHERE lead_id = $1 $$;

INSERT INTO lead (lead_id, external_id, email, company_size) OVERRIDING SYSTEM VALUE VALUES (1, 'one', 'a@example.com', 900);
INSERT INTO activity (lead_id, kind) VALUES (1, 'demo_request');

-- upserts
CREATE TEMP TABLE before AS SELECT pg_temp.state(1) AS state, pg_temp.moves() AS moves;
SELECT lives_ok($$ INSERT INTO lead (external_id, stage) VALUES ('one', 'sql') ON CONFLICT DO NOTHING $$,
	'ON CONFLICT DO NOTHING: a stage for a lead that is not inserted is not judged');
SELECT lives_ok($$ INSERT INTO lead (external_id, stage, reason) VALUES ('one', 'nowhere', 'x') ON CONFLICT (external_id) DO NOTHING $$, 'nor one that does not exist');
SELECT is(pg_temp.state(1), state, 'and the lead is untouched') FROM before;
SELECT is(pg_temp.moves(), moves, 'and so is the history') FROM before;
SELECT lives_ok($$ INSERT INTO lead (external_id, full_name) VALUES ('one', 'Ann') ON CONFLICT (external_id) DO UPDATE SET full_name = excluded.full_name $$, 'ON CONFLICT DO UPDATE');
SELECT is(pg_temp.state(1), state, 'changes what it says and nothing else') FROM before;
SELECT is(pg_temp.moves(), moves, 'without a move') FROM before;
SELECT throws_ok($$ INSERT INTO lead (external_id, stage) VALUES ('one', 'sql') ON CONFLICT (external_id) DO UPDATE SET stage = excluded.stage $$, '23514', NULL, 'a stage is judged there');
SELECT lives_ok($$ INSERT INTO lead (external_id, full_name) VALUES ('one', 'Ann') ON CONFLICT (external_id)
	DO UPDATE SET (full_name, stage, scorecard, cycle, review_at, due_at) = (SELECT excluded.full_name, lead.stage, excluded.scorecard, excluded.cycle, excluded.review_at, excluded.due_at) $$,
	'a blind upsert of all columns');
SELECT is(pg_temp.state(1), state, 'does not reset what triggers keep') FROM before;
SELECT lives_ok($$ INSERT INTO lead (external_id, stage) VALUES ('one', 'lead') ON CONFLICT (external_id) DO UPDATE SET stage = 'sal' $$, 'a stage that is allowed is granted');
SELECT is(pg_temp.stage(1), 'sal', 'there too');
SELECT throws_ok($$ INSERT INTO lead (external_id, stage) VALUES ('two', 'sal'), ('one', 'lead') ON CONFLICT DO NOTHING $$, '23514', NULL, 'the row that is inserted is judged');

-- MERGE
CREATE TEMP TABLE feed (external_id text, size int, stage text);
INSERT INTO feed VALUES ('one', 10, NULL), ('three', 900, NULL), ('four', 5, NULL);
SELECT lives_ok($$ MERGE INTO lead USING feed AS f ON lead.external_id = f.external_id
	WHEN MATCHED THEN UPDATE SET company_size = f.size
	WHEN NOT MATCHED THEN INSERT (external_id, company_size) VALUES (f.external_id, f.size) $$, 'MERGE inserts and updates');
SELECT results_eq('SELECT external_id, fit(scorecard), stage FROM lead ORDER BY external_id',
	$$ VALUES ('four', 0::numeric, 'lead'), ('one', 0, 'sal'), ('three', 10, 'lead') $$, 'and scores both');
SELECT throws_ok($$ MERGE INTO lead USING feed AS f ON lead.external_id = f.external_id
	WHEN MATCHED THEN UPDATE SET stage = 'sql' $$, '23514', NULL, 'MERGE asks like anybody');
SELECT lives_ok($$ MERGE INTO lead USING feed AS f ON lead.external_id = f.external_id
	WHEN MATCHED AND lead.external_id = 'one' THEN UPDATE SET stage = 'nurture', reason = 'no_need'
	WHEN MATCHED THEN DELETE $$, 'MERGE moves and deletes');
SELECT is(pg_temp.stage(1), 'nurture', 'the lead is where it was asked to be');

-- a view, COPY, RETURNING
CREATE VIEW pg_temp.mine AS SELECT lead_id, stage, reason, owner, scorecard FROM lead WHERE owner IS NOT NULL;
UPDATE lead SET owner = 'ben' WHERE lead_id = 1;
SELECT throws_ok($$ UPDATE mine SET stage = 'sql' $$, '23514', NULL, 'through a view, refused');
SELECT results_eq($$ UPDATE mine SET stage = 'lead', scorecard = NULL RETURNING stage, scorecard IS NULL $$, $$ VALUES ('lead', false) $$, 'through a view, granted; RETURNING shows what is there');
COPY lead (lead_id, company_size, source, stage, scorecard, cycle) FROM stdin;
50	900	partner	sal	\N	9
51	900	partner	lead	\N	9
\.
SELECT results_eq('SELECT lead_id, stage, cycle, fit(scorecard) FROM lead WHERE lead_id IN (50, 51) ORDER BY 1',
	$$ VALUES (50::bigint, 'sal', 1, 10::numeric), (51, 'lead', 1, 10) $$, 'COPY: judged, scored and stamped');
COPY activity (lead_id, kind, properties) FROM stdin;
51	demo_request	{}
51	webinar	{"n": 1}
\.
SELECT is(pg_temp.stage(51), 'mql', 'COPY of activities');

-- what triggers keep is ignored, all of it
CREATE TEMP TABLE kept (col) AS SELECT unnest(ARRAY['answers', 'stage_entered_at', 'cycle', 'cycle_started_at', 'accepted_by', 'accepted_at', 'scorecard',
	'deals_open', 'deals_won', 'deals_lost', 'won_amount', 'due_at', 'review_at']);
UPDATE before SET state = (pg_temp.state(51));
UPDATE lead SET answers = '{"x": {"y": "yes"}}', stage_entered_at = '2000-01-01', cycle = 7, cycle_started_at = '2000-01-01', accepted_by = 'me', accepted_at = '2000-01-01',
	scorecard = '{v1 version=1}', deals_open = 3, deals_won = 4, deals_lost = 5, won_amount = 6, due_at = NULL, review_at = '2000-01-01' WHERE lead_id = 51;
SELECT is(pg_temp.state(51) -> col, state -> col, 'UPDATE of ' || col || ' is ignored') FROM kept, before WHERE col <> 'scorecard';
SELECT is(pg_temp.state(51), state, 'as is that of the card') FROM before;
INSERT INTO lead (lead_id, answers, stage_entered_at, cycle, cycle_started_at, accepted_by, accepted_at, scorecard, deals_open, deals_won, deals_lost, won_amount, due_at, review_at)
	OVERRIDING SYSTEM VALUE VALUES (60, '{"x": {"y": "yes"}}', '2000-01-01', 7, '2000-01-01', 'me', '2000-01-01', '{v1 version=1}', 3, 4, 5, 6, '2000-01-01', '2000-01-01'), (61, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT);
SELECT is(pg_temp.state(60) - 'lead_id', pg_temp.state(61) - 'lead_id', 'INSERT of them is ignored');
INSERT INTO activity (lead_id, kind, recorded_at) VALUES (60, 'webinar', '2000-01-01');
SELECT is(recorded_at, funnel_now(), 'recorded_at too is ours') FROM activity WHERE lead_id = 60;

-- triggers of the user's own
CREATE FUNCTION pg_temp.set_stage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.stage := TG_ARGV[0]; NEW.reason := TG_ARGV[1]; RETURN NEW; END $$;
CREATE TRIGGER ask BEFORE UPDATE OF full_name ON lead FOR EACH ROW EXECUTE FUNCTION pg_temp.set_stage('nurture', 'no_need');
UPDATE lead SET full_name = 'x' WHERE lead_id = 51;
SELECT is(pg_temp.stage(51), 'nurture', 'a trigger that sorts before ours may ask for a stage');
SELECT throws_ok($$ UPDATE lead SET full_name = 'x' WHERE lead_id = 60 $$, '23514', NULL, 'and is refused like anybody');
DROP TRIGGER ask ON lead;
CREATE TRIGGER zzz_force BEFORE UPDATE OF full_name ON lead FOR EACH ROW EXECUTE FUNCTION pg_temp.set_stage('sql', NULL);
SELECT throws_ok($$ UPDATE lead SET full_name = 'x' WHERE lead_id = 50 $$, '27000', NULL, 'one that sorts after ours may not move a lead');
DROP TRIGGER zzz_force ON lead;
SET LOCAL lead_qual.clock = '2026-03-02 09:01Z';
CREATE TRIGGER zzz_force BEFORE UPDATE OF full_name ON lead FOR EACH ROW EXECUTE FUNCTION pg_temp.set_stage('disqualified', 'spam');
SELECT throws_ok($$ UPDATE lead SET full_name = 'x' WHERE lead_id = 50 $$, '27000', NULL, 'not even where a transition leads');
DROP TRIGGER zzz_force ON lead;
CREATE FUNCTION pg_temp.set_cycle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.cycle := NEW.cycle + 1; RETURN NEW; END $$;
CREATE TRIGGER zzz_force BEFORE UPDATE OF full_name ON lead FOR EACH ROW EXECUTE FUNCTION pg_temp.set_cycle();
SELECT throws_ok($$ UPDATE lead SET full_name = 'x' WHERE lead_id = 50 $$, '27000', NULL, 'nor touch its state');
DROP TRIGGER zzz_force ON lead;

CREATE FUNCTION pg_temp.move_on() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	UPDATE crm.lead SET stage = 'nurture', reason = 'no_need', note = 'at once', bant = 'N-' WHERE lead_id = NEW.lead_id; RETURN NULL; END $$;
CREATE TRIGGER ab_move_on AFTER UPDATE ON lead FOR EACH ROW WHEN (OLD.stage = 'lead' AND NEW.stage = 'mql') EXECUTE FUNCTION pg_temp.move_on();
INSERT INTO activity (lead_id, kind) VALUES (60, 'demo_request');
SELECT results_eq('SELECT to_stage, automatic, note FROM stage_history WHERE lead_id = 60 ORDER BY entered_at, history_id',
	$$ VALUES ('lead', true, NULL), ('mql', true, NULL), ('nurture', false, 'at once') $$, 'an AFTER trigger may move a lead on: the history keeps the order');
SELECT is(count(*), 1::bigint, 'and its answers are logged once') FROM answer WHERE lead_id = 60;
CREATE FUNCTION pg_temp.skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER skip BEFORE UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION pg_temp.skip();
SELECT throws_ok($$ INSERT INTO activity (lead_id, kind) VALUES (60, 'demo_request') $$, '27000', NULL, 'a trigger that suppresses our update: no activity');
SELECT throws_ok($$ INSERT INTO answer (lead_id, framework, element, level) VALUES (60, 'bant', 'need', 'yes') $$, '27000', NULL, 'no answer');
INSERT INTO deal (deal_id) OVERRIDING SYSTEM VALUE VALUES (1);
SELECT throws_ok($$ INSERT INTO deal_contact VALUES (1, 60) $$, '27000', NULL, 'and no deal goes by a lead in silence');

SELECT * FROM finish();
ROLLBACK;
