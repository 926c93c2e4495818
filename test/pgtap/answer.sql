-- Answers: the log and the lead say the same, whichever was written.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(38);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
ALTER TABLE lead ALTER COLUMN lead_id RESTART WITH 1000;

CREATE FUNCTION pg_temp.told(lead bigint) RETURNS text LANGUAGE sql AS
	'SELECT bant::text FROM crm.lead WHERE lead_id = $1';
CREATE FUNCTION pg_temp.log(lead bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s.%s=%s', framework, element, level), ' ' ORDER BY answer_id) FROM crm.answer WHERE lead_id = $1 $$;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE SELECT generate_series(1, 10);

-- the lead is written
UPDATE lead SET bant = bant || 'B+ N+ T~' WHERE lead_id = 1;
SELECT is(pg_temp.log(1), 'bant.budget=yes bant.need=yes bant.timeline=partial', 'UPDATE lead SET bant leaves its answers in the log');
SELECT results_eq('SELECT DISTINCT via, answered_by, answered_at FROM answer', $$ VALUES ('lead', current_user::text COLLATE "default", funnel_now()) $$, 'with who and when');
UPDATE lead SET bant = bant || 'T~' WHERE lead_id = 1;
SELECT is(pg_temp.log(1), 'bant.budget=yes bant.need=yes bant.timeline=partial', 'the same once more is no answer');
UPDATE lead SET bant = 'B- N+ T~' WHERE lead_id = 1;
SELECT is(pg_temp.log(1), 'bant.budget=yes bant.need=yes bant.timeline=partial bant.budget=no', 'R004-15 the latest answer joins the older ones');
UPDATE lead SET bant = '' WHERE lead_id = 1;
SELECT is(pg_temp.told(1), 'B? A? N? T?', 'answers may be taken back');
SELECT ok(pg_temp.log(1) LIKE '%budget=unknown bant.need=unknown bant.timeline=unknown', 'and the log says so');
UPDATE lead SET meddic = 'M+ C-' WHERE lead_id = 1;
SELECT ok(pg_temp.log(1) LIKE '%meddic.metrics=yes meddic.champion=no', 'MEDDIC too');
INSERT INTO lead (lead_id, bant) OVERRIDING SYSTEM VALUE VALUES (11, 'B+');
SELECT is(pg_temp.log(11), 'bant.budget=yes', 'and INSERT');
SELECT lives_ok('INSERT INTO lead (lead_id, bant) OVERRIDING SYSTEM VALUE VALUES (11, ''A+'') ON CONFLICT DO NOTHING', 'an upsert that does nothing');
SELECT is(pg_temp.log(11), 'bant.budget=yes', 'logs nothing');
SELECT throws_ok('UPDATE lead SET bant = NULL WHERE lead_id = 1', '23502', NULL, 'bant is never NULL');

-- the log is written
INSERT INTO answer (lead_id, framework, element, level, note) VALUES (2, 'bant', 'budget', 'no', 'first'), (2, 'bant', 'authority', 'partial', NULL);
SELECT is(pg_temp.told(2), 'B- A~ N? T?', 'the answer log updates the lead');
SELECT is(pg_temp.log(2), 'bant.budget=no bant.authority=partial', 'and is not written twice');
INSERT INTO answer (lead_id, framework, element, level) VALUES (2, 'bant', 'budget', 'yes');
SELECT is(pg_temp.told(2), 'B+ A~ N? T?', 'R004-15 the latest answer wins');
SELECT is(count(*), 2::bigint, 'R004-15 and the older is kept') FROM answer WHERE lead_id = 2 AND element = 'budget';
INSERT INTO answer (lead_id, framework, element, level, answered_at) VALUES (2, 'bant', 'budget', 'no', '2026-03-01Z');
SELECT is(pg_temp.told(2), 'B+ A~ N? T?', 'an answer of yesterday that comes late does not win');
INSERT INTO answer (lead_id, framework, element, level, answered_at) VALUES (2, 'bant', 'need', 'no', '2026-04-01Z');
UPDATE lead SET bant = bant || 'N+' WHERE lead_id = 2;
SELECT is(pg_temp.told(2), 'B+ A~ N+ T?', 'what is written to the lead wins over an answer dated ahead');
UPDATE answer SET level = 'partial' WHERE lead_id = 2 AND level = 'yes' AND element = 'budget';
SELECT is(pg_temp.told(2), 'B~ A~ N+ T?', 'an answer corrected');
UPDATE answer SET element = 'timeline' WHERE lead_id = 2 AND element = 'authority';
SELECT is(pg_temp.told(2), 'B~ A? N+ T~', 'one that was filed under the wrong element');
UPDATE answer SET lead_id = 3 WHERE lead_id = 2 AND element = 'timeline';
SELECT is(pg_temp.told(2) || ' / ' || pg_temp.told(3), 'B~ A? N+ T? / B? A? N? T~', 'or of the wrong lead');
DELETE FROM answer WHERE lead_id = 2 AND level = 'partial';
SELECT is(pg_temp.told(2), 'B- A? N+ T?', 'one deleted: the one before it holds again');
INSERT INTO answer (lead_id, framework, element, level) SELECT 1 + i % 10, 'bant', 'authority', 'yes' FROM generate_series(1, 100) AS i;
SELECT is(count(*), 10::bigint, 'many leads in one statement') FROM lead WHERE bant -> 'authority' = 'yes';
SELECT is(pg_temp.log(3), 'bant.timeline=partial' || repeat(' bant.authority=yes', 10), 'each answer kept');

-- other frameworks
INSERT INTO answer (lead_id, framework, element, level) VALUES (4, 'champ', 'challenges', 'yes'), (4, 'champ', 'money', 'no'),
	(4, 'anum', 'urgency', 'partial'), (4, 'bant', 'need', 'yes'), (4, 'champ', 'money', 'partial');
SELECT is(answers, '{"champ": {"challenges": "yes", "money": "partial"}}'::jsonb || '{"anum": {"urgency": "partial"}}', 'R000-05 other frameworks gather in lead.answers') FROM lead WHERE lead_id = 4;
INSERT INTO element (framework, element) VALUES ('ours', 'colour');
INSERT INTO answer (lead_id, framework, element, level) VALUES (4, 'ours', 'colour', 'no');
SELECT is(answers -> 'ours' ->> 'colour', 'no', 'one''s own at once') FROM lead WHERE lead_id = 4;
DELETE FROM answer WHERE lead_id = 4 AND framework <> 'ours';
SELECT is(answers, '{"ours": {"colour": "no"}}', 'and forget') FROM lead WHERE lead_id = 4;
SELECT throws_ok($$ DELETE FROM element WHERE framework = 'ours' $$, '2BP01', NULL, 'an element that answers name stays');

-- refused
SELECT throws_ok($$ INSERT INTO answer (lead_id, framework, element, level) VALUES (5, 'bant', 'mood', 'yes') $$, '23503',
	'framework "bant" has no element "mood"', 'an unknown element');
SELECT throws_ok($$ INSERT INTO answer (lead_id, framework, element, level) VALUES (5, 'bent', 'need', 'yes') $$, '23503',
	'framework "bent" has no element "need"', 'an unknown framework');
SELECT throws_ok($$ INSERT INTO answer (lead_id, framework, element, level) VALUES (5, 'bant', 'need', 'maybe') $$, '22P02', NULL, 'an unknown level');
SELECT throws_ok($$ INSERT INTO answer (lead_id, framework, element, level) VALUES (4711, 'bant', 'need', 'yes') $$, '23503', NULL, 'no such lead');
SELECT throws_ok($$ INSERT INTO answer (lead_id, framework, element, level) VALUES (5, 'bant', 'need', NULL) $$, '23502', NULL, 'no level');

-- the answer moves the lead
UPDATE transition SET automatic = true WHERE position = 60;
INSERT INTO lead (lead_id, stage, source) OVERRIDING SYSTEM VALUE VALUES (20, 'sal', 'partner');
INSERT INTO activity (lead_id, kind) VALUES (20, 'meeting');
INSERT INTO answer (lead_id, framework, element, level) SELECT 20, 'bant', e, 'yes' FROM unnest(ARRAY['budget', 'need', 'authority']) AS e;
SELECT results_eq('SELECT stage, bant::text FROM lead WHERE lead_id = 20', $$ VALUES ('sql', 'B+ A+ N+ T?') $$, 'an answer may move a lead');

-- valid_for: answers that ran out when a new cycle begins
INSERT INTO answer (lead_id, framework, element, level, answered_at) VALUES
	(20, 'bant', 'timeline', 'yes', '2026-03-02 09:00Z'), (20, 'champ', 'prioritization', 'yes', '2026-03-02 09:00Z'), (20, 'champ', 'money', 'yes', '2026-03-02 09:00Z');
UPDATE lead SET stage = 'nurture', reason = 'no_timeline' WHERE lead_id = 20;
SET LOCAL lead_qual.clock = '2026-08-28 09:00Z';
SAVEPOINT s;
UPDATE lead SET stage = 'lead' WHERE lead_id = 20;
SELECT is(pg_temp.told(20), 'B+ A+ N+ T+', 'D2 after 179 days a timeline carries over');
ROLLBACK TO s;
SET LOCAL lead_qual.clock = '2026-08-30 09:00Z';
UPDATE lead SET stage = 'lead' WHERE lead_id = 20;
SELECT is(pg_temp.told(20), 'B+ A+ N+ T?', 'D2 after 181 days it does not, the others do');
SELECT is(answers, '{"champ": {"money": "yes", "prioritization": "unknown"}}', 'D2 nor in other frameworks') FROM lead WHERE lead_id = 20;
SELECT is(level || ' ' || via, 'unknown expired', 'D2 and the log says why') FROM answer WHERE lead_id = 20 AND element = 'timeline' ORDER BY answer_id DESC LIMIT 1;
ROLLBACK TO s;
SET LOCAL lead_qual.clock = '2026-08-30 09:00Z';
INSERT INTO activity (lead_id, kind, occurred_at) VALUES (20, 'demo_request', '2026-03-01Z'), (20, 'demo_request', '2026-03-01 01:00Z');
UPDATE rule SET half_life = NULL WHERE name = 'demo_request';
INSERT INTO activity (lead_id, kind, occurred_at) VALUES (20, 'email_sent', '2026-03-01Z');
UPDATE lead SET stage = 'lead' WHERE lead_id = 20;
SELECT results_eq('SELECT stage, bant::text, score(scorecard, funnel_now()) >= 100 FROM lead WHERE lead_id = 20', $$ VALUES ('lead', 'B+ A+ N+ T?', true) $$,
	'D2 answers that run out do not move the lead that was asked to move');

SELECT * FROM finish();
ROLLBACK;
