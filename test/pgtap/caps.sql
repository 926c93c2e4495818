-- Caps on points: none by default, and told where they hide or forbid something.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(19);
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';

CREATE FUNCTION pg_temp.caps() RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT object || ': ' || n FROM check_funnel('crm') WHERE finding = 'leads_at_cap' $$;
CREATE FUNCTION pg_temp.problems(definition text) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT problem FROM check_definition('crm', definition) WHERE problem LIKE '%caps%' $$;

-- who somebody is does not make an MQL by itself
INSERT INTO rule (definition, name, axis, condition, points) VALUES ('default', 'large', 'fit', 'company_size >= 10000', 99);
INSERT INTO lead (lead_id, company_size) OVERRIDING SYSTEM VALUE VALUES (1, 20000);
SELECT is(fit(scorecard), 109::numeric, 'N19: a rule of the user''s own counts in full') FROM lead WHERE lead_id = 1;
SELECT results_eq($$ SELECT part, state, needs FROM why_not('crm', 1, 'mql') WHERE state <> 'met' $$,
	$$ VALUES ('engagement > 0', 'unmet', 'engagement is 0') $$, 'N19: why_not says what is missing to an MQL');
SELECT is((SELECT stage FROM lead WHERE lead_id = 1), 'lead', 'N19: a score of 109 for who it is makes no MQL');
INSERT INTO activity (lead_id, kind) VALUES (1, 'email_open');
SELECT is((SELECT stage FROM lead WHERE lead_id = 1), 'mql', 'N19: something done besides does');
INSERT INTO lead (lead_id, company_size, stage) OVERRIDING SYSTEM VALUE VALUES (2, 20000, 'lead');
UPDATE lead SET stage = 'disqualified', reason = 'spam' WHERE lead_id = 2;
SELECT is_empty('SELECT pg_temp.caps()', 'N19: no cap, no finding');

-- a third of the leads at a cap
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE SELECT generate_series(3, 7);
UPDATE definition SET max_fit = 60;
SELECT rescore_funnel('crm') \g /dev/null
SELECT is_empty('SELECT pg_temp.caps()', 'N19: two of seven at a cap are no third');
DELETE FROM lead WHERE lead_id = 7;
SELECT results_eq('SELECT pg_temp.caps()', $$ VALUES ('max_fit: 2') $$, 'N19: two of six are');
UPDATE definition SET max_engagement = 1, max_fit = NULL;
SELECT rescore_funnel('crm') \g /dev/null
SELECT is_empty('SELECT pg_temp.caps()', 'N19: one of six at the other is not');
INSERT INTO activity (lead_id, kind) VALUES (3, 'webinar');
SELECT results_eq('SELECT pg_temp.caps()', $$ VALUES ('max_engagement: 2') $$, 'N19: two of six are, there as well');
UPDATE definition SET max_engagement = NULL;

-- thresholds out of reach
SELECT copy_definition('crm', 'default', 'low');
SELECT is_empty($$ SELECT pg_temp.problems('low') $$, 'N19: without caps every threshold can be reached');
UPDATE definition SET max_fit = 50, max_engagement = 49.99 WHERE definition = 'low';
SELECT results_eq($$ SELECT pg_temp.problems('low') $$,
	$$ VALUES ('The transition from "lead" to "mql" asks for score >= 100, and the caps let nobody have more than 99.99.'),
			  ('The transition from "nurture" to "mql" asks for score >= 100, and the caps let nobody have more than 99.99.'),
			  ('The transition from "lost" to "mql" asks for score >= 100, and the caps let nobody have more than 99.99.') $$,
	'N19: check_definition tells of thresholds that the caps forbid');
SELECT throws_ok($$ SELECT activate_definition('crm', 'low') $$, '55000', NULL, 'N19: and such a definition is not activated');
UPDATE definition SET max_engagement = 50 WHERE definition = 'low';
SELECT is_empty($$ SELECT pg_temp.problems('low') $$, 'N19: 50 and 50 are 100');
UPDATE definition SET max_fit = NULL WHERE definition = 'low';
DELETE FROM rule WHERE definition = 'low' AND axis = 'fit' AND name <> 'location';
SELECT is((SELECT count(*) FROM pg_temp.problems('low')), 3::bigint, 'N19: beside a cap on engagement, five points for a country are not enough');
UPDATE definition SET max_engagement = NULL WHERE definition = 'low';
SELECT is_empty($$ SELECT pg_temp.problems('low') $$, 'N19: where nothing is capped, the sum of the rules is no cap');

CREATE FUNCTION pg_temp.asks(condition text) RETURNS text LANGUAGE sql AS $$
	UPDATE transition SET condition = $1 WHERE definition = 'low' AND from_stage = 'lead' AND to_stage = 'mql';
	SELECT coalesce(string_agg(substring(problem FROM 'asks for (.*), and') || ' > ' || substring(problem FROM '([0-9.]+)\.$'), ', '), 'nothing')
	FROM pg_temp.problems('low') AS problem $$;
SELECT is(pg_temp.asks('points.webinar > 60'), 'points.webinar >= 60.01 > 60', 'N19: nor more of one rule than its own cap');
UPDATE definition SET max_fit = 60, max_engagement = 100 WHERE definition = 'low';
UPDATE transition SET condition = replace(condition, '100', '1') WHERE definition = 'low' AND condition ~ 'score';
SELECT is(array_agg(pg_temp.asks(c) ORDER BY n), '{nothing,nothing,nothing,nothing,nothing,nothing,nothing}', 'N19: what need not be reached is no threshold')
FROM unnest(ARRAY['score < 1000', 'score >= 1000 OR company_size > 3', 'NOT (score >= 1000 AND fit >= 0)', 'CASE WHEN score >= 1000 THEN false ELSE true END',
	'fit >= 1 AND engagement >= 100', 'idle_days > 1000', 'points.webinar >= 60']) WITH ORDINALITY AS v (c, n);
SELECT is(array_agg(pg_temp.asks(c) ORDER BY n),
	'{fit >= 60.01 > 5,engagement >= 101 > 100,score >= 165.01 > 105,"fit >= 1000 > 5, engagement >= 2000 > 100"}'::text[],
	'N19: what must be is one, in whatever words')
FROM unnest(ARRAY['fit > 60', '101 <= engagement', 'country = ''DE'' AND score > 165.005::float8', 'fit = 1000 AND (true AND engagement > 1999.99)']) WITH ORDINALITY AS v (c, n);
UPDATE rule SET points = 1000 WHERE definition = 'default' AND name = 'large';
UPDATE definition SET max_fit = 40, max_engagement = 40 WHERE definition = 'default';
SELECT is((SELECT count(*) FROM check_funnel('crm') WHERE finding = 'threshold_out_of_reach'), 3::bigint, 'N19: of the active definition check_funnel tells');
SELECT * FROM finish();
ROLLBACK;
