-- archive_activities(): old activities go, and every score stays.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(36);

CREATE ROLE regress_lq_stranger;
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SELECT setseed(0.42);

INSERT INTO kind (kind, party) VALUES ('k1', 'lead'), ('k2', 'lead'), ('limited', 'lead');
INSERT INTO rule (definition, name, axis, kind, condition, points, half_life, max_points, max_hits, per) VALUES
	('default', 'k1', 'engagement', 'k1', NULL, 0.7, '10 days', 20, NULL, NULL),
	('default', 'k2', 'engagement', 'k2', 'properties ->> ''big'' = ''yes''', 11, '45 days', NULL, NULL, NULL),
	('default', 'forever', 'engagement', 'k2', NULL, 0.1, NULL, NULL, NULL, NULL),
	('default', 'life', 'engagement', 'limited', NULL, 1, '3 days', NULL, 3, NULL),
	('default', 'a_day', 'engagement', 'limited', NULL, 5, '20 days', NULL, 2, '1 day'),
	('default', 'a_month', 'engagement', 'limited', NULL, 2, '20 days', NULL, 4, '30 days');

-- what a card shows, points to 1e-9
CREATE FUNCTION pg_temp.card(card scorecard) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('last', last_activity(card), 'as_of', as_of(card), 'rules',
		(SELECT jsonb_agg(jsonb_build_array(r.name, hits(card, rule_id), last_hit,
				round(points(card, rule_id, timestamptz '2026-03-09')::numeric, 9)) ORDER BY r.name)
		 FROM explain_score(card, '2026-03-09') AS e JOIN crm.rule AS r USING (rule_id))) $$;

CREATE TEMP TABLE feed AS
	SELECT i AS external_id, (ARRAY['k1', 'k2', 'limited', 'webinar', 'email_click'])[1 + floor(random() * 5)] AS kind,
		   timestamptz '2026-01-01Z' + random() * interval '60 days' AS occurred_at,
		   CASE WHEN random() < 0.5 THEN '{"big": "yes"}' ELSE '{}' END::jsonb AS properties
	FROM generate_series(1, 400) AS i;
-- 1 and 3 are archived, 2 and 4 never are; what the feed says of 4 ends early
INSERT INTO lead (lead_id, company_size, country) OVERRIDING SYSTEM VALUE
	SELECT i, 900, 'DE' FROM generate_series(1, 6) AS i;
INSERT INTO activity (lead_id, kind, occurred_at, properties, external_id)
	SELECT l, kind, occurred_at, properties, external_id FROM feed, unnest(ARRAY[1, 2, 3]) AS l ORDER BY random();
INSERT INTO activity (lead_id, kind, occurred_at) VALUES (4, 'k1', '2026-02-20Z');
CREATE TEMP TABLE before AS SELECT lead_id, scorecard, stage, xmin::text AS version FROM lead;
CREATE TEMP TABLE was AS SELECT lead_id, at, score_at('crm', lead_id, at) AS score
	FROM lead, generate_series(timestamptz '2026-02-02Z', '2026-03-20Z', '5 days') AS at WHERE lead_id < 5;

-- refused
SELECT throws_ok($$ SELECT archive_activities('crm', '2026-03-02 09:00:01Z') $$, '22023', NULL, 'the future is not archived');
SELECT throws_ok($$ SELECT archive_activities('crm', '-infinity') $$, '22023', NULL, 'nor is eternity');
SELECT throws_ok($$ SELECT archive_activities('nowhere', '2026-01-01Z') $$, '3F000', NULL, 'no such funnel');
SET LOCAL ROLE regress_lq_stranger;
SELECT throws_ok($$ SELECT archive_activities('crm', '2026-01-01Z') $$, '42501', NULL, 'it is for the owner');
RESET ROLE;
SAVEPOINT broken;
ALTER TABLE activity DROP COLUMN actor;
SELECT lives_ok($$ SELECT archive_activities('crm', '2026-01-15Z') $$, 'a column that no rule reads may be gone');
ROLLBACK TO broken;
ALTER TABLE activity DROP COLUMN properties;
SELECT throws_ok($$ SELECT archive_activities('crm', '2026-01-15Z') $$, '55000', NULL, 'with a broken rule, points would be lost');
ROLLBACK TO broken;
SET CONSTRAINTS ALL DEFERRED;
UPDATE definition SET status = 'retired';
SELECT throws_ok($$ SELECT archive_activities('crm', '2026-01-15Z') $$, '55000', NULL, 'without a definition, all of them');
ROLLBACK TO broken;

-- archived, twice
SELECT is(archive_activities('crm', '2025-01-01Z'), 0::bigint, 'nothing is that old');
SELECT is(archive_activities('crm', '2026-01-20 05:00Z'),
	3 * (SELECT count(*) FROM feed WHERE occurred_at < '2026-01-20 05:00Z'), 'what is older goes');
SELECT is(archive_activities('crm', '2026-02-01Z'),
	3 * (SELECT count(*) FROM feed WHERE occurred_at >= '2026-01-20 05:00Z' AND occurred_at < '2026-02-01Z'), 'and then some more');
SELECT is((SELECT min(occurred_at) FROM activity) >= '2026-02-01Z', true, 'it is gone from the log');
SELECT results_eq('SELECT lead_id, archived_before, n FROM baseline ORDER BY lead_id',
	$$ SELECT l::bigint, timestamptz '2026-02-01Z', (SELECT count(*) FROM feed WHERE occurred_at < '2026-02-01Z') FROM generate_series(1, 3) AS l $$,
	'the baseline says how many and up to when');
SELECT results_eq('SELECT lead_id, scorecard, stage, xmin::text FROM lead ORDER BY 1', 'SELECT * FROM before ORDER BY 1', 'no lead was touched');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') $$, 'check_funnel() finds nothing wrong');
SELECT is(rescore_funnel('crm'), 6::bigint, 'a replay starts from the baseline');
SELECT is_empty($$ SELECT l.lead_id FROM lead AS l JOIN before AS b USING (lead_id)
	WHERE pg_temp.card(l.scorecard) <> pg_temp.card(b.scorecard) $$, 'and gives the same card');
SELECT is_empty($$ SELECT * FROM was WHERE score <> score_at('crm', lead_id, at) $$,
	'R001-07 so is any score since then: nothing slips through the cracks');
SELECT throws_ok($$ SELECT score_at('crm', 1, '2026-01-15Z') $$, '22023', NULL, 'what was before is not known any more');
SELECT lives_ok($$ SELECT score_at('crm', 4, '2026-01-15Z') $$, 'but for a lead without a baseline');

-- limits go on as if nothing had been archived: lead 1 against lead 2, restored
SET LOCAL lead_qual.import = on;
DELETE FROM baseline WHERE lead_id = 2;
INSERT INTO activity (lead_id, kind, occurred_at, properties, external_id)
	SELECT 2, kind, occurred_at, properties, external_id FROM feed WHERE occurred_at < '2026-02-01Z';
SET LOCAL lead_qual.import = off;
INSERT INTO activity (lead_id, kind, occurred_at) SELECT l, 'limited', at
	FROM unnest(ARRAY[1, 2]) AS l, generate_series(timestamptz '2026-02-01 01:00Z', '2026-02-03Z', '7 hours') AS at;
DELETE FROM activity WHERE lead_id IN (1, 2) AND occurred_at BETWEEN '2026-02-10Z' AND '2026-02-12Z';
SELECT is((SELECT pg_temp.card(scorecard) FROM lead WHERE lead_id = 1), (SELECT pg_temp.card(scorecard) FROM lead WHERE lead_id = 2),
	'late and deleted activities since then come out as with the whole log');
SELECT cmp_ok((SELECT hits(scorecard, rule_id) FROM lead, rule WHERE lead_id = 1 AND name = 'life'), '=', 3::bigint, 'three times in a life');

-- late: from before the archive
CREATE TEMP TABLE late AS SELECT scorecard FROM lead WHERE lead_id = 1;
INSERT INTO activity (lead_id, kind, occurred_at) SELECT l, 'k1', '2026-01-10Z' FROM unnest(ARRAY[1, 2]) AS l;
SELECT is((SELECT pg_temp.card(scorecard) FROM lead WHERE lead_id = 1), (SELECT pg_temp.card(scorecard) FROM lead WHERE lead_id = 2),
	'without a limit, an event from before adds exactly');
INSERT INTO activity (lead_id, kind, occurred_at) VALUES (1, 'limited', '2026-01-10Z');
SELECT is((SELECT hits(scorecard, rule_id) FROM lead, rule WHERE lead_id = 1 AND name = 'life'), 3::bigint, 'with one, it keeps the limit');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') $$, 'and a replay says the same');
CREATE TEMP TABLE again AS SELECT scorecard FROM lead WHERE lead_id = 1;
SELECT cmp_ok(archive_activities('crm', '2026-02-20Z'), '>', 2::bigint, 'the late ones go with the next');
SELECT rescore_funnel('crm');
SELECT is((SELECT pg_temp.card(scorecard) FROM lead WHERE lead_id = 1), (SELECT pg_temp.card(scorecard) FROM again), 'and leave the card as it is');

-- rules change
CREATE TEMP TABLE points AS SELECT name, points(scorecard, rule_id, funnel_now()) AS points, hits(scorecard, rule_id) AS hits
	FROM lead, rule WHERE lead_id = 3 AND axis = 'engagement';
SELECT archive_activities('crm', funnel_now());
SELECT is_empty('SELECT * FROM activity', 'all may go');
CREATE FUNCTION pg_temp.now(rule text) RETURNS numeric LANGUAGE sql AS
	'SELECT points(scorecard, r.rule_id, funnel_now()) FROM lead, rule AS r, definition AS d
	 WHERE lead_id = 3 AND name = $1 AND r.definition = d.definition AND d.status = ''active''';
CREATE FUNCTION pg_temp.then(rule text) RETURNS numeric LANGUAGE sql AS 'SELECT points FROM points WHERE name = $1';
UPDATE rule SET points = 100, max_points = 6 WHERE name = 'k2';
UPDATE rule SET enabled = false WHERE name = 'forever';
DELETE FROM rule WHERE name = 'life';
SELECT rescore_funnel('crm');
SELECT ok(pg_temp.then('k2') > 6, 'what was earned stays earned,');
SELECT is(pg_temp.now('k2'), 6.000000, 'and is capped as the rule says now');
SELECT is(pg_temp.now('forever'), 0::numeric, 'a disabled rule gives nothing');
SELECT is((SELECT count(*) FROM lead AS l, explain_score(l.scorecard) AS e WHERE lead_id = 3
	AND e.rule_id IS NOT NULL AND NOT EXISTS (SELECT FROM rule AS r WHERE r.rule_id = e.rule_id)), 0::bigint, 'nor one that is gone');
INSERT INTO activity (lead_id, kind, occurred_at) VALUES (3, 'k1', '2026-03-01Z');
SELECT archive_activities('crm', funnel_now());
UPDATE rule SET enabled = true WHERE name = 'forever';
SELECT rescore_funnel('crm');
SELECT is(pg_temp.now('forever'), pg_temp.then('forever'), 'enabled again, it has its points back');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') $$, 'all is well');

-- another definition: rules of the same name go on
INSERT INTO definition (definition) VALUES ('next');
INSERT INTO rule (definition, name, axis, kind, points) VALUES ('next', 'forever', 'engagement', 'k2', 1);
SET LOCAL lead_qual.import = on;
SET CONSTRAINTS ALL DEFERRED;
UPDATE definition SET status = 'retired' WHERE definition = 'default';
UPDATE definition SET status = 'active', version = 99 WHERE definition = 'next';
SET CONSTRAINTS ALL IMMEDIATE;
SET LOCAL lead_qual.import = off;
SELECT rescore_funnel('crm');
SELECT is(pg_temp.now('forever'), pg_temp.then('forever'), 'the rule of the same name inherits');
SELECT lives_ok($$ INSERT INTO activity (lead_id, kind, occurred_at) VALUES (3, 'k2', '2026-03-01Z') $$, 'and goes on');
SELECT is((SELECT hits(scorecard, rule_id) FROM lead, rule WHERE lead_id = 3 AND name = 'forever' AND definition = 'next'),
	(SELECT hits + 1 FROM points WHERE name = 'forever'), 'counting');

SELECT * FROM finish();
ROLLBACK;
