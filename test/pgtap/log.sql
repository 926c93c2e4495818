-- The log in any order: late, corrected, re-sent, moved and deleted activities.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(43);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SELECT setseed(0.42);

INSERT INTO kind (kind, party) VALUES ('k1', 'lead'), ('k2', 'lead'), ('limited', 'lead'), ('s', 'sales');
INSERT INTO rule (definition, name, axis, kind, condition, points, half_life, max_points, max_hits, per) VALUES
	('default', 'k1', 'engagement', 'k1', NULL, 0.7, '10 days', 20, NULL, NULL),
	('default', 'k2', 'engagement', 'k2', 'properties ->> ''big'' = ''yes''', 11, '45 days', NULL, NULL, NULL),
	('default', 'forever', 'engagement', 'k2', NULL, 0.1, NULL, NULL, NULL, NULL),
	('default', 'life', 'engagement', 'limited', NULL, 1, '3 days', NULL, 3, NULL),
	('default', 'a_day', 'engagement', 'limited', NULL, 5, '20 days', NULL, 2, '1 day'),
	('default', 'any', 'engagement', '*', 'source IS NOT NULL', -1, '5 days', NULL, 1, '7 days');

-- a card without versions, points to 1e-9
CREATE FUNCTION pg_temp.card(lead bigint) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('last', last_activity(scorecard), 'as_of', as_of(scorecard), 'rules',
		(SELECT jsonb_agg(jsonb_build_array(rule, hits, last_hit, round(points(scorecard, r.rule_id, funnel_now() + interval '1 day')::numeric, 9)) ORDER BY rule)
		 FROM explain_score('crm', lead_id, funnel_now() + interval '1 day') AS e JOIN crm.rule AS r ON r.name = e.rule AND definition = 'default'))
	FROM crm.lead WHERE lead_id = $1 $$;
CREATE FUNCTION pg_temp.score(lead bigint) RETURNS numeric LANGUAGE sql AS
	'SELECT score(scorecard, funnel_now()) FROM crm.lead WHERE lead_id = $1';
CREATE FUNCTION pg_temp.hits(lead bigint, rule text) RETURNS bigint LANGUAGE sql AS
	'SELECT coalesce((SELECT hits FROM explain_score(''crm'', $1) AS e WHERE e.rule = $2), 0)';

CREATE TEMP TABLE feed AS
	SELECT i AS external_id, (ARRAY['k1', 'k2', 'limited', 'webinar', 's', 'nonesuch'])[1 + floor(random() * 6)] AS kind,
		   timestamptz '2026-01-01Z' + random() * interval '60 days' AS occurred_at,
		   CASE WHEN random() < 0.2 THEN 'email' END AS source,
		   CASE WHEN random() < 0.5 THEN '{"big": "yes"}' ELSE '{}' END::jsonb AS properties, random() AS o1, random() AS o2
	FROM generate_series(1, 300) AS i;
INSERT INTO feed SELECT 300 + external_id, kind, occurred_at, source, properties, o1, o2 FROM feed WHERE external_id <= 10;	-- at the same instant
INSERT INTO lead (lead_id, company_size) OVERRIDING SYSTEM VALUE SELECT i, 900 FROM generate_series(1, 12) AS i;
CREATE FUNCTION pg_temp.add(lead bigint, f feed) RETURNS void LANGUAGE sql AS $$
	INSERT INTO crm.activity (lead_id, kind, occurred_at, source, properties, external_id)
		VALUES ($1, $2.kind, $2.occurred_at, $2.source, $2.properties, $2.external_id) $$;

-- 1 one statement in time order; 2 one by one; 3 and 4 random order, one by one and at once; 5 latest first
INSERT INTO activity (lead_id, kind, occurred_at, source, properties, external_id) SELECT 1, kind, occurred_at, source, properties, external_id FROM feed ORDER BY occurred_at;
SELECT count(pg_temp.add(2, f)) FROM (SELECT f FROM feed AS f ORDER BY occurred_at) AS f;
SELECT count(pg_temp.add(3, f)) FROM (SELECT f FROM feed AS f ORDER BY o1) AS f;
INSERT INTO activity (lead_id, kind, occurred_at, source, properties, external_id) SELECT 4, kind, occurred_at, source, properties, external_id FROM feed ORDER BY o2;
DO $$ DECLARE f feed; BEGIN FOR f IN SELECT * FROM feed ORDER BY occurred_at DESC LOOP
	INSERT INTO crm.activity (lead_id, kind, occurred_at, source, properties, external_id) VALUES (5, f.kind, f.occurred_at, f.source, f.properties, f.external_id); END LOOP; END $$;
SELECT cmp_ok(pg_temp.hits(1, 'life'), '=', 3::bigint, 'three times in a life');
SELECT cmp_ok(pg_temp.hits(1, 'a_day'), '>', 30::bigint, 'twice a day');
SELECT is(pg_temp.card(l), pg_temp.card(1), format('the same log gives the same card: lead %s', l)) FROM generate_series(2, 5) AS l;
SELECT is(rescore_funnel('crm', false), 12::bigint, 'all are replayed');
SELECT is(pg_temp.card(l), pg_temp.card(1), format('and a replay too: lead %s', l)) FROM generate_series(2, 5) AS l;

-- re-sent
INSERT INTO activity (lead_id, kind, occurred_at, external_id) SELECT 3, kind, occurred_at, external_id FROM feed ON CONFLICT (lead_id, external_id) DO NOTHING;
SELECT is(pg_temp.card(3), pg_temp.card(1), 'a re-sent event counts once');
INSERT INTO activity (lead_id, kind, occurred_at, source, properties, external_id) SELECT 3, kind, occurred_at, source, properties, external_id FROM feed
	ON CONFLICT (lead_id, external_id) DO UPDATE SET kind = excluded.kind, properties = excluded.properties;
SELECT is(pg_temp.card(3), pg_temp.card(1), 'also when it overwrites');
SELECT throws_ok($$ INSERT INTO activity (lead_id, kind, external_id) VALUES (3, 'k1', '1') $$, '23505', NULL, 'without ON CONFLICT it is an error');

-- corrected
UPDATE activity SET kind = 'k1', properties = '{}', source = NULL WHERE lead_id IN (3, 4) AND kind = 'k2';
INSERT INTO activity (lead_id, kind, occurred_at, source, properties, external_id)
	SELECT 6, CASE kind WHEN 'k2' THEN 'k1' ELSE kind END, occurred_at, CASE WHEN kind <> 'k2' THEN source END, '{}', external_id FROM feed;
SELECT is(pg_temp.card(3) -> 'rules', pg_temp.card(6) -> 'rules', 'corrected events give what right ones give');
UPDATE activity SET occurred_at = occurred_at - interval '30 hours' WHERE lead_id = 4;
UPDATE activity SET occurred_at = occurred_at + interval '30 hours' WHERE lead_id = 4;
SELECT is(pg_temp.card(4) -> 'rules', pg_temp.card(6) -> 'rules', 'moved in time and back');
UPDATE activity SET kind = kind WHERE lead_id = 1;
SELECT is(pg_temp.card(1), pg_temp.card(2), 'an update that changes nothing changes nothing');
UPDATE activity SET kind = 'k1' WHERE false;
DELETE FROM activity WHERE false;
INSERT INTO activity (lead_id, kind) SELECT 1, 'k1' WHERE false;
SELECT is(pg_temp.card(1), pg_temp.card(2), 'nor do empty statements');

-- deleted
DELETE FROM activity WHERE lead_id = 5 AND external_id::int % 3 = 0;
INSERT INTO activity (lead_id, kind, occurred_at, source, properties, external_id)
	SELECT 7, kind, occurred_at, source, properties, external_id FROM feed WHERE external_id % 3 <> 0;
SELECT is(pg_temp.card(5), pg_temp.card(7), 'deleted events leave nothing');
DELETE FROM activity WHERE lead_id = 7;
SELECT results_eq('SELECT engagement(scorecard, funnel_now()), last_activity(scorecard), fit(scorecard) FROM lead WHERE lead_id = 7',
	$$ VALUES (0::numeric, NULL::timestamptz, 10::numeric) $$, 'a log that is empty again: the fit is all');

-- moved from one lead to another, several at a time
UPDATE activity SET external_id = NULL, lead_id = CASE lead_id WHEN 1 THEN 8 ELSE 1 END WHERE lead_id IN (1, 2);
SELECT is(pg_temp.card(8) -> 'rules', pg_temp.card(1) -> 'rules', 'activities moved in a ring between leads');
SELECT is(pg_temp.hits(2, 'k1'), 0::bigint, 'none is left behind');
SELECT throws_ok('UPDATE activity SET lead_id = 4711 WHERE lead_id = 1', '23503', NULL, 'not to a lead that does not exist');
SELECT throws_ok($$ INSERT INTO activity (lead_id, kind) VALUES (1, 'k1'), (4711, 'k1') $$, '23503', NULL, 'an activity for no lead');
SELECT throws_ok($$ INSERT INTO activity (lead_id, kind) VALUES (NULL, 'k1') $$, '23502', NULL, 'or for none at all');
SELECT throws_ok($$ INSERT INTO activity (lead_id, kind) VALUES (1, NULL) $$, '23502', NULL, 'an activity of no kind');
SELECT throws_ok($$ INSERT INTO activity (lead_id, kind, occurred_at) VALUES (1, 'k1', 'infinity') $$, '23514', NULL, 'an activity at no time');

-- from the future
INSERT INTO activity (lead_id, kind, occurred_at) VALUES (9, 'k1', '2026-03-02 09:04Z'), (10, 'k1', '2026-03-02 09:06Z'), (11, 'k1', '2030-01-01Z'), (12, 'k1', '2026-03-02 09:05Z');
SELECT results_eq('SELECT lead_id, as_of(scorecard) FROM lead WHERE lead_id BETWEEN 9 AND 12 ORDER BY 1',
	$$ VALUES (9::bigint, '2026-03-02 09:04Z'::timestamptz), (10, '2026-03-02 09:00Z'), (11, '2026-03-02 09:00Z'), (12, '2026-03-02 09:05Z') $$,
	'4 minutes ahead counts as of itself, 6 minutes and 4 years as of the clock');
SELECT is(max(occurred_at), '2030-01-01Z'::timestamptz, 'and is kept as it was sent') FROM activity WHERE lead_id = 11;
SET LOCAL lead_qual.clock = '2026-06-02 09:00Z';
UPDATE activity SET properties = '{"corrected": true}' WHERE lead_id = 11;
SELECT is(as_of(scorecard), '2026-03-02 09:00Z'::timestamptz, 'a correction later does not make it younger') FROM lead WHERE lead_id = 11;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
CREATE FUNCTION pg_temp.warned(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'kept'; END $$;
SELECT is(pg_temp.warned($$ INSERT INTO crm.activity (lead_id, kind, source) VALUES (12, 'unheard_of', 'email') $$), 'kept', 'an unknown kind is kept');
SELECT is(pg_temp.hits(12, 'any'), 1::bigint, 'and counts for rules of any kind');

-- the past: score_at is what a clock set then would have shown
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (20), (21);
INSERT INTO activity (lead_id, kind, occurred_at, properties) SELECT 20, kind, occurred_at, properties FROM feed;
INSERT INTO activity (lead_id, kind, occurred_at, properties) SELECT 21, kind, occurred_at, properties FROM feed WHERE occurred_at <= '2026-02-01Z';
SELECT is(score_at('crm', 20, '2026-02-01Z'), score_at('crm', 21, '2026-02-01Z'), 'score_at the past: what came later does not count');
SELECT is(score_at('crm', 20, '2025-12-31Z'), 0::numeric, 'before everything');
SELECT is((SELECT sum(points) FROM explain_score('crm', 20, '2026-02-01Z')), score_at('crm', 20, '2026-02-01Z'), 'explain_score of the past adds up too');
SELECT throws_ok($$ SELECT score_at('crm', 20, 'infinity') $$, '22023', NULL, 'the end of time has no score');

-- one statement, many leads, each once; a nested statement of the user's own
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE SELECT 100 + i FROM generate_series(1, 200) AS i;
CREATE TEMP TABLE updates (n int);
CREATE FUNCTION pg_temp.count_updates() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO pg_temp.updates VALUES (1); RETURN NULL; END $$;
CREATE TRIGGER count_updates AFTER UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION pg_temp.count_updates();
INSERT INTO activity (lead_id, kind) SELECT 101 + i % 200, 'k1' FROM generate_series(1, 1000) AS i;
SELECT is((SELECT count(*) FROM updates), 200::bigint, '1,000 activities of 200 leads: each lead is updated once');
SELECT is(count(*), 200::bigint, 'by five hits each') FROM lead WHERE lead_id > 100 AND hits(scorecard, (SELECT rule_id FROM rule WHERE name = 'k1')) = 5;
DROP TRIGGER count_updates ON lead;
CREATE FUNCTION pg_temp.follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF NEW.kind = 'k1' THEN INSERT INTO crm.activity (lead_id, kind) VALUES (NEW.lead_id, 's'), (NEW.lead_id, 'k2'); END IF; RETURN NULL; END $$;
CREATE TRIGGER aa_follow AFTER INSERT ON activity FOR EACH ROW EXECUTE FUNCTION pg_temp.follow();
INSERT INTO activity (lead_id, kind) VALUES (101, 'k1'), (102, 'k1'), (101, 'k1');
SELECT is(ARRAY[pg_temp.hits(101, 'k1'), pg_temp.hits(101, 'forever'), pg_temp.hits(102, 'k1'), pg_temp.hits(102, 'forever')], ARRAY[7, 2, 6, 1]::bigint[],
	'a trigger that records activities itself');
DROP TRIGGER aa_follow ON activity;

-- one statement that inserts and changes: nothing counts twice
CREATE FUNCTION pg_temp.all_hits(lead bigint) RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg(rule || ' ' || hits, ', ' ORDER BY rule) FROM explain_score('crm', $1) WHERE axis = 'engagement' $$;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (400), (401), (402);
INSERT INTO activity (lead_id, kind, external_id) VALUES (400, 'k1', 'a'), (401, 'k1', 'a');
INSERT INTO activity (lead_id, kind, external_id) VALUES (400, 'webinar', 'a'), (400, 'k1', 'b'), (401, 'k1', 'b'), (402, 'k1', 'b')
	ON CONFLICT (lead_id, external_id) DO UPDATE SET kind = excluded.kind;
SELECT is(ARRAY[pg_temp.all_hits(400), pg_temp.all_hits(401), pg_temp.all_hits(402)], ARRAY['k1 1, webinar 1', 'k1 2', 'k1 1'], 'ON CONFLICT DO UPDATE that does both');
MERGE INTO activity AS a USING (VALUES ('a'), ('b'), ('c')) AS v (e) ON a.lead_id = 400 AND a.external_id = v.e
	WHEN MATCHED AND v.e = 'a' THEN DELETE WHEN MATCHED THEN UPDATE SET kind = 'webinar' WHEN NOT MATCHED THEN INSERT (lead_id, kind, external_id) VALUES (400, 'k1', v.e);
SELECT is(pg_temp.all_hits(400), 'k1 1, webinar 1', 'MERGE that does all three');
WITH i AS (INSERT INTO activity (lead_id, kind) VALUES (400, 'k1') RETURNING lead_id), d AS (DELETE FROM activity WHERE lead_id = 400 AND kind = 'webinar' RETURNING lead_id)
	UPDATE activity SET kind = 'webinar' FROM i, d WHERE activity.lead_id = i.lead_id AND external_id = 'c';
SELECT is(pg_temp.all_hits(400), 'k1 1, webinar 1', 'so do several in one WITH');
CREATE FUNCTION pg_temp.correct() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF pg_trigger_depth() = 1 THEN UPDATE crm.activity SET kind = 'webinar' WHERE lead_id = NEW.lead_id AND kind = 'k1' AND activity_id < NEW.activity_id; END IF; RETURN NULL; END $$;
CREATE TRIGGER correct AFTER INSERT ON activity FOR EACH ROW EXECUTE FUNCTION pg_temp.correct();
INSERT INTO activity (lead_id, kind) VALUES (400, 'k1');
SELECT is(pg_temp.all_hits(400), 'k1 1, webinar 2', 'a trigger that corrects the log while it grows');

SELECT * FROM finish();
ROLLBACK;
