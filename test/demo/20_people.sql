--
-- The people who will come by in the year, and what each of them will do
--
-- Everything is drawn from hashes of numbers, so it is the same on every
-- machine and in every run.  What the funnel makes of it is not decided here.
--
CREATE SCHEMA demo;

-- a number in [0, 1) that depends on what is asked, of whom, and how often
CREATE FUNCTION demo.dice(what text, who bigint, turn bigint DEFAULT 0)
RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (hashtextextended(what || who || '.' || turn, 4711) >> 11 & 4503599627370495)
	   / 4503599627370496.0::double precision;

-- one of the words, each as likely as its weight
CREATE FUNCTION demo.pick(chance double precision, words text[], weights double precision[])
RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
	rest double precision := chance * (SELECT sum(w) FROM unnest(weights) AS w);
BEGIN
	FOR i IN 1 .. cardinality(words) LOOP
		rest := rest - weights[i];
		IF rest < 0 THEN
			RETURN words[i];
		END IF;
	END LOOP;
	RETURN words[cardinality(words)];
END
$$;

-- days from one thing to the next: exponential, with that mean
CREATE FUNCTION demo.wait(chance double precision, mean double precision)
RETURNS interval
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN make_interval(secs => floor(-ln(1 - chance) * mean * 1440) * 60);

-- people come at working hours: whatever the minute of the day, 8 to 20 h
CREATE FUNCTION demo.by_day(at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN date_trunc('day', at, 'UTC')
	   + make_interval(mins => 480 + (extract(epoch FROM at)::bigint / 60 % 1440 / 2)::int);

--
-- Where they come from: how many of 1,000, how good, how it is paid for
--
CREATE TABLE demo.origin (
	source text, share double precision, quality double precision,
	campaigns text[], cost_per_lead numeric);
INSERT INTO demo.origin VALUES
	('organic_search', 240, 0.50, NULL, 35),
	('paid_search', 190, 0.45, '{brand,planning-software,sap-planning}', 95),
	('content', 140, 0.40, '{planning-guide,benchmark-2025}', 60),
	('paid_social', 110, 0.22, '{lookalike,retargeting}', 70),
	('social', 60, 0.25, NULL, 20),
	('email', 60, 0.38, '{newsletter}', 15),
	('event', 60, 0.55, '{hannover-fair,logistics-days}', 260),
	('referral', 50, 0.85, NULL, 40),
	('direct', 50, 0.45, NULL, NULL),
	('outbound', 40, 0.60, NULL, NULL);

--
-- People.  A lead is created on a day of the year; business grows, August
-- and December are quiet, weekends more so.
--
CREATE TABLE demo.person AS
WITH day AS (
	SELECT d::timestamptz AS day,
		   (0.8 + 0.45 * (d::date - date '2025-01-01') / 365.0)
		   * CASE extract(month FROM d)::int WHEN 8 THEN 0.7 WHEN 12 THEN 0.65
										WHEN 3 THEN 1.1 WHEN 10 THEN 1.15 ELSE 1 END
		   * CASE WHEN extract(isodow FROM d) > 5 THEN 0.35 ELSE 1.25 END AS weight
	FROM generate_series(timestamp '2025-01-01', '2025-12-31', '1 day') AS d
), span AS (
	SELECT day, sum(weight) OVER (ORDER BY day) - weight AS since,
		   sum(weight) OVER (ORDER BY day) AS until, sum(weight) OVER () AS whole
	FROM day
), lead AS (
	SELECT n, demo.dice('source', n) AS s,
		   span.day + make_interval(mins => 480 + floor(720 * demo.dice('hour', n))::int) AS born_at
	FROM generate_series(1, 5000) AS n
	JOIN span ON (n - 0.5) / 5000 * whole >= since AND (n - 0.5) / 5000 * whole < until
), drawn AS (
	SELECT n, born_at,
		   demo.pick(s, (SELECT array_agg(source ORDER BY source) FROM demo.origin),
					 (SELECT array_agg(share ORDER BY source) FROM demo.origin)) AS source,
		   demo.pick(demo.dice('country', n), '{DE,AT,CH,NL,GB,FR,PL,IN,US}',
					 '{40,9,9,8,9,8,7,5,5}') AS country,
		   demo.pick(demo.dice('function', n),
					 '{Operations,Supply Chain,Planning,IT,Marketing,Finance,Sales,Research,Student}',
					 '{20,17,13,14,8,8,6,6,8}') AS function,
		   demo.pick(demo.dice('rank', n), '{owner,c-level,vp,director,head,manager,specialist}',
					 '{4,6,5,9,12,26,38}') AS seniority,
		   -- several people of one company: that is what buying groups are
		   1 + floor(3400 * demo.dice('company', n))::int AS company
	FROM lead
)
SELECT d.n, d.born_at, d.source, d.country, d.seniority, d.company,
	   CASE WHEN o.campaigns IS NOT NULL THEN
		   o.campaigns[1 + floor(cardinality(o.campaigns) * demo.dice('campaign', n))::int] END AS campaign,
	   CASE d.function
		   WHEN 'Research' THEN 'Researcher'
		   WHEN 'Student' THEN 'Student'
		   ELSE CASE d.seniority
				WHEN 'owner' THEN 'Managing Owner, ' || d.function
				WHEN 'c-level' THEN 'Chief ' || d.function || ' Officer'
				WHEN 'vp' THEN 'VP ' || d.function
				WHEN 'director' THEN 'Director ' || d.function
				WHEN 'head' THEN 'Head of ' || d.function
				WHEN 'manager' THEN d.function || ' Manager'
				ELSE d.function || ' Specialist' END
	   END AS job_title,
	   CASE d.function WHEN 'Supply Chain' THEN 'operations' WHEN 'Planning' THEN 'operations'
					   WHEN 'Research' THEN 'research' WHEN 'Student' THEN NULL
					   ELSE lower(d.function) END AS department,
	   floor(24 * demo.dice('years', n) ^ 1.6)::int AS years,
	   (ARRAY['Anna','Ben','Carla','David','Elif','Finn','Greta','Hugo','Ines','Jan','Katja','Leon',
			  'Mara','Nils','Olga','Paul','Rosa','Sven','Tara','Uwe'])[1 + floor(20 * demo.dice('first', n))::int] AS first_name,
	   (ARRAY['Albers','Becker','Conrad','Decker','Engel','Fischer','Gruber','Huber','Iversen','Jansen',
			  'Keller','Lang','Maier','Novak','Otto','Peters','Richter','Schulz','Thoma','Vogel','Weber',
			  'Yildiz','Zimmer'])[1 + floor(23 * demo.dice('last', n))::int] AS last_name,
	   CASE WHEN d.function IN ('Research', 'Student') THEN 0.05
			ELSE least(0.97, o.quality
					   + 0.18 * (d.seniority <> 'specialist')::int
					   - 0.12 * (d.country IN ('IN', 'US', 'PL', 'FR'))::int
					   + 0.6 * (demo.dice('luck', n) - 0.55)) END AS promise
FROM drawn d
JOIN demo.origin o ON o.source = d.source;

CREATE TABLE demo.company AS
SELECT c, (ARRAY['Nord','Alpen','Rhein','Hansa','Elb','Main','Tal','Berg','See','Wald'])[1 + c % 10]
		  || (ARRAY['werk','bau','tech','log','food','druck','stahl','pharma','mode'])[1 + c / 10 % 9]
		  || ' ' || c AS name,
	   demo.pick(demo.dice('industry', c),
				 '{manufacturing,logistics,retail,software,health,public,education}',
				 '{30,18,16,10,9,9,8}') AS industry,
	   (10 * exp(6.2 * demo.dice('size', c) ^ 1.3))::int AS size,
	   demo.dice('erp', c) < 0.35 AS sap
FROM generate_series(1, 3400) AS c;

--
-- What they will do.  Four kinds of people: glancers come and go, readers
-- read, buyers are in earnest, seekers look for a job or write a thesis.
--
ALTER TABLE demo.person ADD habit text, ADD n_acts int;
UPDATE demo.person SET habit =
	CASE WHEN job_title IN ('Researcher', 'Student') THEN 'seeker'
		 WHEN demo.dice('seeker', n) < 0.02 THEN 'seeker'
		 WHEN promise > 0.28 + 0.72 * demo.dice('habit', n) THEN 'buyer'
		 WHEN demo.dice('reader', n) < 0.42 THEN 'reader'
		 ELSE 'glancer' END;
UPDATE demo.person SET n_acts =
	CASE habit WHEN 'buyer' THEN 13 + floor(17 * demo.dice('acts', n))
			   WHEN 'reader' THEN 10 + floor(16 * demo.dice('acts', n))
			   WHEN 'seeker' THEN 3 + floor(7 * demo.dice('acts', n))
			   ELSE 4 + floor(10 * demo.dice('acts', n)) END::int;

CREATE TABLE demo.act AS
WITH RECURSIVE step AS (
	SELECT p.n, 1 AS turn, p.born_at AS at FROM demo.person p
	UNION ALL
	SELECT s.n, s.turn + 1,
		   s.at + demo.wait(demo.dice('gap', s.n, s.turn),
							CASE p.habit WHEN 'buyer' THEN 2.2 WHEN 'reader' THEN 8
										 WHEN 'seeker' THEN 6 ELSE 14 END
							-- now and then a long pause: that is what nurturing is for
							* CASE WHEN demo.dice('pause', s.n, s.turn) < 0.06 THEN 12 ELSE 1 END)
	FROM step s
	JOIN demo.person p ON p.n = s.n
	WHERE s.turn < p.n_acts
)
SELECT s.n, s.turn, CASE WHEN s.turn = 1 THEN s.at ELSE greatest(demo.by_day(s.at), p.born_at + s.turn * interval '1 minute') END AS at,
	   CASE p.habit
		   WHEN 'glancer' THEN demo.pick(demo.dice('act', s.n, s.turn),
			   '{website_visit,email_open,ad_click,social_interaction,blog_subscription,product_page_view,newsletter_subscription,ebook_download,unsubscribe}',
			   '{38,22,8,10,3,10,4,4,1}')
		   WHEN 'reader' THEN demo.pick(demo.dice('act', s.n, s.turn),
			   '{website_visit,email_open,email_click,product_page_view,ebook_download,whitepaper_download,webinar,case_study_download,newsletter_subscription,pricing_page_view,email_reply,contact_form,unsubscribe}',
			   '{25,20,14,12,6,5,4,2,3,3,2,0.6,0.6}')
		   WHEN 'seeker' THEN demo.pick(demo.dice('act', s.n, s.turn),
			   '{career_page_view,website_visit,whitepaper_download,ebook_download,email_open}',
			   '{35,30,12,12,11}')
		   ELSE CASE WHEN s.turn < 4 THEN demo.pick(demo.dice('act', s.n, s.turn),
			   '{website_visit,product_page_view,ebook_download,whitepaper_download,case_study_download,ad_click}',
			   '{35,25,12,10,8,10}')
		   ELSE demo.pick(demo.dice('act', s.n, s.turn),
			   '{website_visit,product_page_view,pricing_page_view,case_study_download,webinar,email_click,email_open,email_reply,roi_calculator,contact_form,demo_request,free_trial,meeting_booked,contact_request,consultation_request,sales_inquiry}',
			   '{18,15,13,6,6,9,12,5,3,2.5,3,2.2,1.6,1.6,1,1}') END
	   END AS kind
FROM step s
JOIN demo.person p ON p.n = s.n;

DELETE FROM demo.act WHERE at >= '2025-12-31 20:00';
CREATE INDEX ON demo.act (at);
CREATE INDEX ON demo.person (born_at);
ANALYZE demo.act; ANALYZE demo.person;
