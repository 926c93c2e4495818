-- Answers that run out: a new cycle begins without them (D2).
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(22);

SET LOCAL lead_qual.clock = '2026-01-01 00:00Z';
SELECT create_funnel('crm', 'Europe/Berlin');
SET LOCAL search_path = crm, public, pg_temp;
INSERT INTO lead (lead_id, email, source, stage) VALUES (1, 'ann@example.com', 'outbound', 'sal'),
	(2, 'ben@example.com', 'outbound', 'sal'),
	(3, 'cy@example.com', 'outbound', 'sal');
UPDATE lead SET bant = 'B+ N+ T+', meddic = 'M+';
INSERT INTO answer (lead_id, framework, element, level)
	SELECT l, f, e, 'yes' FROM generate_series(1, 3) AS l,
		(VALUES ('champ', 'money'), ('champ', 'prioritization'), ('discovery', 'goals')) AS x (f, e);
INSERT INTO transition (definition, position, from_stage, to_stage, condition, description) VALUES
	('default', 200, 'nurture', 'sal', 'bant -> ''timeline'' = ''yes'' AND answers #>> ''{champ,prioritization}'' = ''yes''',
	 'the timeline is what brings it back');
CREATE FUNCTION pg_temp.log() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM answer';

-- within a cycle nothing runs out
SET LOCAL lead_qual.clock = '2026-08-01 00:00Z';
UPDATE lead SET stage = 'nurture', reason = 'no_timeline';
SELECT results_eq('SELECT lead_id, bant::text, meddic::text, cycle FROM lead ORDER BY 1',
	$$ VALUES (1::bigint, 'B+ A? N+ T+', 'M+ E? DC? DP? I? C?', 1), (2, 'B+ A? N+ T+', 'M+ E? DC? DP? I? C?', 1),
			  (3, 'B+ A? N+ T+', 'M+ E? DC? DP? I? C?', 1) $$, 'D2 answers stay while the cycle lasts');
SELECT pg_temp.log() AS before \gset

-- a new one begins
UPDATE lead SET stage = 'lead' WHERE lead_id = 1;
SELECT results_eq('SELECT cycle, bant::text, meddic::text FROM lead WHERE lead_id = 1',
	$$ VALUES (2, 'B+ A? N+ T?', 'M+ E? DC? DP? I? C?') $$, 'D2 a new cycle begins without the timeline that ran out');
SELECT is((SELECT answers FROM lead WHERE lead_id = 1),
	'{"champ": {"money": "yes", "prioritization": "unknown"}, "discovery": {"goals": "yes"}}',
	'D2 nor with what ran out of other frameworks; the rest is carried over');
SELECT is(pg_temp.log(), :before::bigint + 2, 'the log says what became unknown');
SELECT is((SELECT level::text FROM answer WHERE lead_id = 1 AND element = 'timeline' ORDER BY answer_id LIMIT 1), 'yes',
	'R004-15 older answers are kept');

-- what is answered while it begins is new
UPDATE lead SET stage = 'lead', bant = bant || 'A+ T~' WHERE lead_id = 2;
SELECT is((SELECT bant::text FROM lead WHERE lead_id = 2), 'B+ A+ N+ T~', 'an answer given with the move is new');
SELECT results_eq($$ SELECT element, level::text FROM answer WHERE lead_id = 2 AND answered_at = '2026-08-01 00:00Z' AND via <> 'expired' ORDER BY 1 $$,
	$$ VALUES ('authority', 'yes'), ('timeline', 'partial') $$, 'and logged');

-- the guard saw what has run out: the path is found again from the row
SELECT lives_ok($$ UPDATE lead SET stage = 'sal' WHERE lead_id = 3 $$, 'a move that rests on what runs out with it');
SELECT results_eq('SELECT stage, cycle, bant::text, answers #>> ''{champ,prioritization}'' FROM lead WHERE lead_id = 3',
	$$ VALUES ('sal', 2, 'B+ A? N+ T?', 'unknown') $$, 'it is gone afterwards');
SELECT results_eq('SELECT from_stage, to_stage, cycle FROM stage_history WHERE lead_id = 3 ORDER BY history_id DESC LIMIT 1',
	$$ VALUES ('nurture', 'sal', 2) $$, 'and the move is in the history');

-- later answers do not bring it back
INSERT INTO answer (lead_id, framework, element, level) VALUES (1, 'champ', 'challenges', 'yes'), (1, 'bant', 'authority', 'no');
SELECT is((SELECT answers -> 'champ' FROM lead WHERE lead_id = 1),
	'{"money": "yes", "challenges": "yes", "prioritization": "unknown"}', 'an answer to another element does not bring it back');
SELECT is((SELECT bant::text FROM lead WHERE lead_id = 1), 'B+ A- N+ T?', 'nor in bant');
INSERT INTO answer (lead_id, framework, element, level, answered_at) VALUES (1, 'bant', 'timeline', 'no', '2025-12-01 00:00Z');
SELECT is((SELECT bant::text FROM lead WHERE lead_id = 1), 'B+ A- N+ T?', 'a late report of an old answer does not either');
DELETE FROM answer WHERE lead_id = 1 AND element = 'timeline' AND level = 'no';
SELECT is((SELECT bant::text FROM lead WHERE lead_id = 1), 'B+ A- N+ T?', 'nor its deletion');
INSERT INTO answer (lead_id, framework, element, level) VALUES (1, 'bant', 'timeline', 'yes'), (1, 'champ', 'prioritization', 'partial');
SELECT results_eq($$ SELECT bant::text, answers #>> '{champ,prioritization}' FROM lead WHERE lead_id = 1 $$,
	$$ VALUES ('B+ A- N+ T+', 'partial') $$, 'a new answer does');

-- an answer brings a lead back: its own write ends in a new cycle
UPDATE lead SET stage = 'nurture', reason = 'no_timeline' WHERE stage = 'sal' AND lead_id = 3;
UPDATE lead SET bant = bant || 'T+' WHERE lead_id = 3;
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition) VALUES
	('default', 201, 'nurture', 'lead', true, 'answers #>> ''{champ,authority}'' = ''yes'' AND bant -> ''timeline'' = ''yes''');
SET LOCAL lead_qual.clock = '2027-03-01 00:00Z';
INSERT INTO answer (lead_id, framework, element, level) VALUES (3, 'champ', 'authority', 'yes');
SELECT results_eq('SELECT stage, cycle, bant::text, answers -> ''champ'' FROM lead WHERE lead_id = 3',
	$$ VALUES ('lead', 3, 'B+ A? N+ T?', jsonb '{"money": "yes", "authority": "yes", "prioritization": "unknown"}') $$,
	'an answer that begins a cycle counts in it');

-- validity is policy
UPDATE element SET valid_for = NULL;
UPDATE lead SET stage = 'disqualified', reason = 'spam' WHERE lead_id = 1;
UPDATE lead SET stage = 'lead', reason = 'things_changed' WHERE lead_id = 1;
SELECT results_eq('SELECT cycle, bant::text FROM lead WHERE lead_id = 1', $$ VALUES (3, 'B+ A- N+ T+') $$,
	'without valid_for everything is carried over');
UPDATE element SET valid_for = '1 month' WHERE (framework, element) = ('bant', 'budget');
UPDATE lead SET stage = 'disqualified', reason = 'spam' WHERE lead_id = 1;
UPDATE lead SET stage = 'lead', reason = 'things_changed' WHERE lead_id = 1;
SELECT is((SELECT bant::text FROM lead WHERE lead_id = 1), 'B? A- N+ T+', 'any element may run out');
-- to the minute, in the funnel's time zone
UPDATE lead SET bant = bant || 'B+' WHERE lead_id = 1;
UPDATE lead SET stage = 'disqualified', reason = 'spam' WHERE lead_id = 1;
SET LOCAL TimeZone = 'Asia/Tokyo';
SET LOCAL lead_qual.clock = '2027-03-31 22:59Z';
UPDATE lead SET stage = 'lead', reason = 'things_changed' WHERE lead_id = 1;
SELECT is((SELECT bant -> 'budget' FROM lead WHERE lead_id = 1), 'yes'::answer_level, 'a minute before it runs out');
UPDATE lead SET stage = 'disqualified', reason = 'spam' WHERE lead_id = 1;
SET LOCAL lead_qual.clock = '2027-03-31 23:00Z';
UPDATE lead SET stage = 'lead', reason = 'things_changed' WHERE lead_id = 1;
SELECT is((SELECT bant -> 'budget' FROM lead WHERE lead_id = 1), 'unknown'::answer_level,
	'a month later, by the clocks of the funnel''s time zone');
SELECT is((SELECT count(*) FROM stage_history WHERE lead_id = 1 AND to_stage = 'lead'), 5::bigint, 'every return is on record');
SELECT is_empty($$ SELECT finding FROM check_funnel('crm') WHERE severity = 'error' $$, 'and the funnel is sound');

SELECT * FROM finish();
ROLLBACK;
