--
-- A real scoring problem: the 9,240 leads of a seller of courses, 38.5 % of
-- which bought.  Only with DATA=folder.
--
-- The rules were written by hand.  They do not read what sales wrote down
-- after it had spoken with the lead (Tags, Lead Quality, Lead Profile, Last
-- Activity, Last Notable Activity): those columns tell the outcome, and a
-- model that reads them scores .97 here and nothing in real life.
--
\getenv data LQ_DATA
\if :{?data}
SET TimeZone = 'UTC';
SET client_min_messages = warning;
\pset footer off
\pset border 0
\pset null '-'

\echo
\echo 'REAL DATA: 9,240 leads of X Education, scored by triggers as they come'
\set QUIET on
CREATE TEMP TABLE raw (
	prospect_id text, lead_number text, lead_origin text, lead_source text, do_not_email text, do_not_call text,
	converted int, total_visits numeric, time_on_site numeric, pages_per_visit numeric, last_activity text,
	country text, specialization text, heard_of_us text, occupation text, matters_most text, search text,
	magazine text, article text, forums text, newspaper text, ad text, recommended text, updates text,
	tags text, lead_quality text, supply_chain text, dm text, lead_profile text, city text,
	activity_index text, profile_index text, activity_score text, profile_score text, cheque text,
	free_copy text, last_notable_activity text);
\set file :data '/xeducation/Leads.csv'
\set load '\\copy raw FROM ' :'file' ' WITH (FORMAT csv, HEADER)'
:load

SELECT create_funnel('courses', time_zone => 'UTC', currency => 'INR') \g /dev/null
SET lead_qual.clock = '2025-12-31 12:00';		-- the file has no dates: all at once

INSERT INTO courses.kind (kind, party, touch, description) VALUES
	('time_on_site', 'lead', false, 'spent time on the website: property seconds'),
	('pages', 'lead', false, 'looked at pages: property per_visit');

INSERT INTO courses.definition (definition, note) VALUES
	('courses', 'points written by hand: a working professional who was referred and reads for ten minutes is worth a call');
INSERT INTO courses.rule (definition, name, axis, kind, condition, points, max_points, category, description) VALUES
	('courses', 'add_form', 'fit', NULL, 'properties ->> ''origin'' = ''Lead Add Form''', 60, NULL, 'origin', 'was added by a form: mostly referred'),
	('courses', 'landing_page', 'fit', NULL, 'properties ->> ''origin'' = ''Landing Page Submission''', -8, NULL, 'origin', 'filled in a landing page'),
	('courses', 'chat', 'fit', NULL, 'source = ''Olark Chat''', 20, NULL, 'origin', 'came by the chat, which counts no visits'),
	('courses', 'welingak', 'fit', NULL, 'source = ''Welingak Website''', 20, NULL, 'origin', 'came from a site that knows our courses'),
	('courses', 'professional', 'fit', NULL, 'properties ->> ''occupation'' = ''Working Professional''', 40, NULL, 'profile', 'works, and pays'),
	('courses', 'no_occupation', 'fit', NULL, 'properties ->> ''occupation'' IS NULL', -20, NULL, 'profile', 'does not say what he or she does'),
	('courses', 'specialization', 'fit', NULL, 'properties ->> ''specialization'' IS NOT NULL', 5, NULL, 'profile', 'names a specialization'),
	('courses', 'city', 'fit', NULL, 'properties ->> ''city'' IS NOT NULL', 3, NULL, 'profile', 'names a city'),
	('courses', 'no_email', 'fit', NULL, 'unsubscribed', -25, NULL, 'negative', 'does not want e-mail'),
	('courses', 'visit', 'engagement', 'website_visit', NULL, 1, 5, 'web', 'visits the website'),
	('courses', 'five_minutes', 'engagement', 'time_on_site', '(properties ->> ''seconds'')::numeric >= 300', 10, NULL, 'web', 'stays five minutes'),
	('courses', 'ten_minutes', 'engagement', 'time_on_site', '(properties ->> ''seconds'')::numeric >= 600', 15, NULL, 'web', 'stays ten minutes'),
	('courses', 'a_good_while', 'engagement', 'time_on_site', '(properties ->> ''seconds'')::numeric >= 800', 15, NULL, 'web', 'stays longer'),
	('courses', 'twenty_minutes', 'engagement', 'time_on_site', '(properties ->> ''seconds'')::numeric >= 1200', 5, NULL, 'web', 'stays twenty minutes');
INSERT INTO courses.transition (definition, position, from_stage, to_stage, automatic, condition, description) VALUES
	('courses', 10, NULL, 'lead', true, NULL, 'everybody begins here'),
	('courses', 20, 'lead', 'mql', true, 'score >= 35', 'worth a call'),
	('courses', 30, 'mql', 'sal', false, NULL, 'sales accepts');
DO $$ BEGIN PERFORM activate_definition('courses', 'courses'); END $$;

SELECT clock_timestamp() AS began \gset
INSERT INTO courses.lead (external_id, source, country, unsubscribed, properties)
SELECT prospect_id, CASE lead_source WHEN 'google' THEN 'Google' WHEN 'Select' THEN NULL ELSE lead_source END,
	   country, do_not_email = 'Yes',
	   jsonb_strip_nulls(jsonb_build_object('origin', lead_origin, 'occupation', nullif(occupation, 'Select'),
											'specialization', nullif(specialization, 'Select'),
											'city', nullif(city, 'Select')))
FROM raw ORDER BY lead_number;
INSERT INTO courses.activity (lead_id, kind, properties)
SELECT l.lead_id, a.kind, a.properties
FROM raw r
JOIN courses.lead l ON l.external_id = r.prospect_id
CROSS JOIN LATERAL (
	SELECT 'website_visit', '{}'::jsonb FROM generate_series(1, r.total_visits::int)
	UNION ALL
	SELECT 'time_on_site', jsonb_build_object('seconds', r.time_on_site) WHERE r.time_on_site > 0
	UNION ALL
	SELECT 'pages', jsonb_build_object('per_visit', r.pages_per_visit) WHERE r.pages_per_visit > 0) AS a (kind, properties)
ORDER BY l.lead_id;
SELECT format('That took %s s: %s leads and %s activities.',
			  round(extract(epoch FROM clock_timestamp() - :'began'), 1),
			  to_char((SELECT count(*) FROM courses.lead), 'FM999,999'),
			  to_char((SELECT count(*) FROM courses.activity), 'FM999,999')) AS summary \gset
\echo :summary
INSERT INTO courses.source (source) SELECT DISTINCT source FROM courses.lead WHERE source IS NOT NULL
	ON CONFLICT DO NOTHING;
ANALYZE courses.lead;
SET search_path = courses, public;

-- the outcome, beside the funnel: no rule can see it
CREATE TABLE courses.outcome AS
SELECT l.lead_id, r.converted
FROM raw r
JOIN courses.lead l ON l.external_id = r.prospect_id;

\echo
\echo 'How well does the score tell who will buy?  (Mann-Whitney, ties count half)'
CREATE TEMP TABLE auc AS
WITH ranked AS (
	SELECT o.converted, n.score,
		   rank() OVER (ORDER BY n.score) + (count(*) OVER (PARTITION BY n.score) - 1) / 2.0 AS place
	FROM lead_now n
	JOIN outcome o ON o.lead_id = n.lead_id
), summed AS (
	SELECT count(*) FILTER (WHERE converted = 1) AS won, count(*) FILTER (WHERE converted = 0) AS others,
		   sum(place) FILTER (WHERE converted = 1) AS places
	FROM ranked
)
SELECT won, others, (places - won * (won + 1) / 2.0) / (won * others) AS auc FROM summed;
SELECT won AS bought, others AS "did not", round(100.0 * won / (won + others), 3) AS "% bought", round(auc, 4) AS "AUC"
FROM auc;

\echo 'By tenths of the leads, highest score first                view courses.lead_now'
SELECT tenth, count(*) AS leads, min(score) AS "score from", max(score) AS "to", sum(converted) AS bought,
	   round(100.0 * sum(converted) / count(*), 1) AS "%", repeat('█', (sum(converted) * 25.0 / count(*))::int) AS bar
FROM (SELECT ntile(10) OVER (ORDER BY n.score DESC, n.lead_id) AS tenth, n.score, o.converted
	  FROM lead_now n
	  JOIN outcome o ON o.lead_id = n.lead_id) AS t
GROUP BY tenth ORDER BY tenth;

\echo 'Had sales called the MQLs only:'
SELECT n.stage, count(*) AS leads, sum(o.converted) AS bought, round(100.0 * sum(o.converted) / count(*), 1) AS "%"
FROM lead_now n
JOIN outcome o ON o.lead_id = n.lead_id
GROUP BY n.stage ORDER BY n.stage DESC;
\endif
