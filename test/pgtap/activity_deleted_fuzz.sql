-- Whatever goes from a log and comes to it: the card is what the log gives.
-- Rules fade fast, slowly and never, some are rare, one has a limit; activities
-- have the same instant, are dated ahead, and are years apart.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SELECT plan(5);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
UPDATE rule SET enabled = false WHERE kind IS NOT NULL;
INSERT INTO rule (definition, name, axis, kind, condition, points, half_life, max_hits, per) VALUES
	('default', 'hour', 'engagement', 'webinar', NULL, 7.3, '1 hour', NULL, NULL),
	('default', 'day', 'engagement', 'email_open', NULL, -0.1, '1 day', NULL, NULL),
	('default', 'month', 'engagement', 'website_visit', NULL, 5, '30 days', NULL, NULL),
	('default', 'ever', 'engagement', 'content_download', NULL, 0.7, NULL, NULL, NULL),
	('default', 'none', 'engagement', 'email_open', NULL, 0, '1 day', NULL, NULL),
	('default', 'any', 'engagement', '*', $$ (properties ->> 'n')::int % 3 = 0 $$, 1.1, '10 days', NULL, NULL),
	('default', 'rare', 'engagement', '*', $$ (properties ->> 'n')::int = 7 $$, 100, '90 days', NULL, NULL),
	('default', 'limited', 'engagement', 'demo_request', NULL, 20, '7 days', 2, '1 day');
INSERT INTO lead (job_title) SELECT 'VP' FROM generate_series(1, 3);

CREATE FUNCTION pg_temp.come(lead bigint, n int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO crm.activity (lead_id, kind, occurred_at, properties)
	SELECT $1, CASE WHEN random() < 0.01 THEN 'demo_request' ELSE (ARRAY['webinar', 'email_open', 'website_visit', 'content_download', 'meeting'])[1 + floor(random() * 5)::int] END,
		CASE floor(random() * 12) WHEN 0 THEN timestamptz '2026-03-02Z' WHEN 1 THEN '2026-03-09Z' WHEN 2 THEN timestamptz '2006-03-02Z' + random() * interval '10 years'
			ELSE timestamptz '2026-03-02 09:00Z' - random() * random() * interval '90 days' END, jsonb_build_object('n', floor(random() * 100))
	FROM generate_series(1, $2) $$;
CREATE FUNCTION pg_temp.go(lead bigint, how int, n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	CASE how
		WHEN 0 THEN DELETE FROM crm.activity WHERE activity_id IN (SELECT activity_id FROM crm.activity WHERE lead_id = lead ORDER BY occurred_at DESC LIMIT n);
		WHEN 1 THEN DELETE FROM crm.activity WHERE activity_id IN (SELECT activity_id FROM crm.activity WHERE lead_id = lead ORDER BY random() LIMIT n);
		WHEN 2 THEN DELETE FROM crm.activity WHERE activity_id IN (SELECT activity_id FROM crm.activity WHERE lead_id = lead ORDER BY occurred_at LIMIT n);
		WHEN 3 THEN DELETE FROM crm.activity WHERE activity_id IN (SELECT activity_id FROM crm.activity WHERE lead_id = lead AND kind = 'webinar' ORDER BY occurred_at DESC LIMIT n);
		WHEN 4 THEN UPDATE crm.activity SET kind = 'website_visit' WHERE activity_id IN (SELECT activity_id FROM crm.activity WHERE lead_id = lead ORDER BY occurred_at DESC LIMIT n);
		ELSE UPDATE crm.activity SET occurred_at = occurred_at - interval '1 day', lead_id = 1 + lead % 3
			WHERE activity_id IN (SELECT activity_id FROM crm.activity WHERE lead_id = lead AND kind <> 'demo_request' ORDER BY random() LIMIT n);
	END CASE;
END $$;
CREATE FUNCTION pg_temp.wrong() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT detail FROM check_funnel('crm') WHERE finding = 'card_differs'
	UNION ALL SELECT format('lead %s is as of %s, its last hit was at %s', lead_id, as_of(scorecard), e.last)
		FROM crm.lead, LATERAL (SELECT max(last_hit) AS last FROM explain_score('crm', lead_id::text)) AS e WHERE as_of(scorecard) IS DISTINCT FROM e.last $$;
CREATE FUNCTION pg_temp.walk(steps int, most int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	lead bigint;
	wrong text;
	how int;
BEGIN
	FOR i IN 1 .. steps LOOP
		lead := 1 + floor(random() * 3)::bigint;
		how := floor(random() * 8);
		IF how > 5 THEN PERFORM pg_temp.come(lead, 1 + floor(random() * most)::int); ELSE PERFORM pg_temp.go(lead, how, 1 + floor(random() * random() * most)::int); END IF;
		SELECT string_agg(w, '; ') INTO wrong FROM pg_temp.wrong() AS w;
		IF wrong IS NOT NULL THEN RETURN format('step %s (%s): %s', i, how, wrong); END IF;
	END LOOP;
	RETURN 'exact';
END $$;

SELECT setseed(0.42) \g /dev/null
SELECT pg_temp.come(lead_id, 300) FROM lead;
SELECT is(pg_temp.walk(100, 12), 'exact', 'R9: some at a time');
SELECT is(pg_temp.walk(25, 300), 'exact', 'R9: many at a time');

-- one by one from the end, until nothing is left: errors must not add up
CREATE FUNCTION pg_temp.erode(lead bigint, every int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n int := 0;
	wrong text;
BEGIN
	LOOP
		DELETE FROM crm.activity WHERE activity_id = (SELECT activity_id FROM crm.activity WHERE lead_id = lead ORDER BY occurred_at DESC, activity_id LIMIT 1);
		EXIT WHEN NOT FOUND;
		n := n + 1;
		CONTINUE WHEN n % every <> 0;
		SELECT string_agg(w, '; ') INTO wrong FROM pg_temp.wrong() AS w;
		IF wrong IS NOT NULL THEN RETURN format('after %s: %s', n, wrong); END IF;
	END LOOP;
	RETURN 'exact';
END $$;
DELETE FROM activity;
INSERT INTO activity (lead_id, kind, occurred_at) SELECT 1, (ARRAY['webinar', 'email_open', 'website_visit', 'content_download'])[1 + n % 4], timestamptz '2026-03-02Z' - n * interval '7 hours' FROM generate_series(1, 1500) AS n;
SELECT is(pg_temp.erode(1, 100), 'exact', 'R9: one by one from the end');
SELECT is(score(scorecard), fit(scorecard), 'until nothing is left of it') FROM lead WHERE lead_id = 1;
SELECT is((SELECT array_agg(w) FROM pg_temp.wrong() AS w), NULL, 'R9: nor is it');

SELECT * FROM finish();
ROLLBACK;
