-- What became of the leads: milestone_entry, lead_journey, stage_stay,
-- stage_velocity; and what holds for every view.
BEGIN;
SELECT plan(27);

CREATE SCHEMA f;
SET LOCAL search_path = f, public, pg_temp;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-07-01 00:00Z';
DO $$ BEGIN PERFORM _create_funnel_tables(); END $$;
\ir helper/told_journey.sql
DO $$ BEGIN PERFORM _create_funnel_views(); END $$;
INSERT INTO setting (template_version) VALUES (_template_version());
INSERT INTO stage (stage, position, milestone) VALUES
	('new', 1, 'lead'), ('mql', 2, 'mql'), ('accepted', 3, 'sal'),
	('sql', 4, 'sql'), ('sql_hot', 5, 'sql'), ('deal', 6, 'opportunity'),
	('won', 7, 'customer'), ('nurture', 8, 'nurture'), ('out', 9, 'disqualified'),
	('lost', 10, 'lost');

-- lead 1: two stages of one milestone, a voided row, nurture, a second cycle
INSERT INTO stage_history (lead_id, to_stage, entered_at, cycle, source,
						   campaign, owner, reason, definition, version, voided_at)
VALUES
	(1, 'new',     '2026-01-01Z', 1, NULL, NULL, NULL, NULL, 'd', 1, NULL),
	(1, 'mql',     '2026-01-01Z', 1, 'ads', 'spring', NULL, NULL, 'd', 1, NULL),
	(1, 'deal',    '2026-01-02Z', 1, 'ads', 'spring', 'ben', NULL, 'd', 1, '2026-01-02Z'),
	(1, 'accepted', '2026-01-03Z', 1, 'ads', 'spring', 'ben', NULL, 'd', 1, NULL),
	(1, 'sql',     '2026-01-04Z', 1, 'web', 'spring', 'ben', NULL, 'd', 2, NULL),
	(1, 'sql_hot', '2026-01-06Z', 1, 'seo', 'autumn', 'eva', NULL, 'd', 3, NULL),
	(1, 'nurture', '2026-01-10Z', 1, 'seo', NULL, 'eva', 'no budget', 'd', 3, NULL),
	(1, 'mql',     '2026-02-10Z', 2, 'seo', NULL, NULL, NULL, 'd', 3, NULL),
	(1, 'sql',     '2026-02-11 12:00Z', 2, 'seo', NULL, 'eva', NULL, 'd', 3, NULL),
-- lead 2: nurture, then disqualified
	(2, 'new',     '2026-03-01Z', 1, 'web', NULL, NULL, NULL, 'd', 3, NULL),
	(2, 'nurture', '2026-03-02Z', 1, 'web', NULL, NULL, 'later', 'd', 3, NULL),
	(2, 'out',     '2026-03-05Z', 1, 'web', NULL, NULL, 'rival', 'd', 3, NULL),
-- lead 3: imported, only two dates known
	(3, 'mql',     '2026-04-01Z', 1, 'fair', NULL, NULL, NULL, NULL, NULL, NULL),
	(3, 'won',     '2026-05-01Z', 1, 'fair', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO lead (lead_id, stage) VALUES (1, 'sql'), (3, 'won');

SELECT results_eq($$ SELECT lead_id, cycle, milestone, entered_at, stage, source
	FROM milestone_entry WHERE lead_id = 1 AND milestone = 'sql' ORDER BY cycle $$,
	$$ VALUES (1::bigint, 1::bigint, 'sql', '2026-01-04Z'::timestamptz, 'sql', 'web'),
			  (1, 2, 'sql', '2026-02-11 12:00Z', 'sql', 'seo') $$,
	'D1 a unit enters a milestone once, with the first row in any of its stages');
SELECT is((SELECT source FROM milestone_entry WHERE lead_id = 1 AND milestone = 'lead'),
		  '(none)', 'D3 a missing source is (none)');
SELECT is((SELECT count(*) FROM lead_journey), 4::bigint,
		  'D1 one row a lead and cycle');
SELECT is((SELECT opportunity_at FROM lead_journey WHERE lead_id = 1 AND cycle = 1),
		  NULL, 'D1 voided rows do not count');
SELECT results_eq($$ SELECT lead_at, mql_at, sal_at, sql_at, customer_at
	FROM lead_journey WHERE lead_id = 1 AND cycle = 1 $$,
	$$ VALUES ('2026-01-01Z'::timestamptz, '2026-01-01Z'::timestamptz,
			   '2026-01-03Z'::timestamptz, '2026-01-04Z'::timestamptz,
			   NULL::timestamptz) $$, 'D1 an instant per milestone');
SELECT results_eq($$ SELECT days_lead_to_mql, days_mql_to_sal, days_sal_to_sql,
		days_mql_to_sql, days_sql_to_customer
	FROM lead_journey WHERE lead_id = 1 AND cycle = 1 $$,
	$$ VALUES (0::numeric, 2::numeric, 1::numeric, 3::numeric, NULL::numeric) $$,
	'D5 days between milestones');
SELECT results_eq($$ SELECT exit, exited_at, exit_reason FROM lead_journey
	WHERE lead_id = 1 ORDER BY cycle $$,
	$$ VALUES ('nurture', '2026-01-10Z'::timestamptz, 'no budget'),
			  (NULL, NULL, NULL) $$,
	'D2 a cycle that ended in nurture has an exit, the one under way has none');
SELECT results_eq($$ SELECT exit, exited_at, exit_reason FROM lead_journey
	WHERE lead_id = 2 $$,
	$$ VALUES ('nurture', '2026-03-02Z'::timestamptz, 'later') $$,
	'D6 the exit is the first row of the last time off the path');
SELECT results_eq($$ SELECT source, campaign, owner, mql_source, mql_campaign,
		sql_source, sql_campaign, sql_owner, sql_definition, sql_version
	FROM lead_journey WHERE lead_id = 1 AND cycle = 1 $$,
	$$ VALUES ('(none)', NULL, NULL, 'ads', 'spring', 'web', 'spring', 'ben', 'd', 2::bigint) $$,
	'D3 dimensions are those of the first row, and of the rows of mql and sql');
SELECT results_eq($$ SELECT lead_at, mql_at, sql_at, customer_at, exit
	FROM lead_journey WHERE lead_id = 3 $$,
	$$ VALUES (NULL::timestamptz, '2026-04-01Z'::timestamptz, NULL::timestamptz,
			   '2026-05-01Z'::timestamptz, NULL) $$,
	'D1 imported history may lack milestones');
SELECT results_eq($$ SELECT cycle, exit FROM lead_journey WHERE lead_id = 1 ORDER BY cycle $$,
	$$ VALUES (1::bigint, 'nurture'), (2, NULL) $$,
	'R003-20 the second cycle leaves the first untouched');

-- stage_stay
SELECT results_eq($$ SELECT visits, latest_days, total_days, open_days, is_open
	FROM stage_stay WHERE lead_id = 1 AND stage = 'sql' $$,
	$$ VALUES (2::bigint, 139.5, 141.5, 139.5, true) $$,
	'stage_stay: latest, cumulative and open stay of a stage visited twice');
SELECT results_eq($$ SELECT visits, latest_days, total_days, open_days, is_open
	FROM stage_stay WHERE lead_id = 1 AND stage = 'mql' $$,
	$$ VALUES (2::bigint, 1.5, 3.5, NULL::numeric, false) $$,
	'stage_stay: a stay ends with the next row, across cycles');
SELECT is((SELECT count(*) FROM stage_stay WHERE is_open AND open_days IS NULL),
		  0::bigint, 'stage_stay: an open stay is never NULL');
SELECT is((SELECT count(*) FROM stage_stay WHERE is_open), 2::bigint,
		  'stage_stay: one open stay per lead that exists');
SELECT is((SELECT latest_days FROM stage_stay WHERE lead_id = 2 AND stage = 'out'),
		  NULL, 'stage_stay: the last stay of a deleted lead has no end');

-- stage_velocity
SELECT results_eq($$ SELECT n, n_odd, mean_days, median_days, p90_days
	FROM stage_velocity WHERE from_milestone = 'mql' AND to_milestone = 'sql' $$,
	$$ VALUES (2::bigint, 0::bigint, 2.25, 2.25, 2.85) $$,
	'stage_velocity: mean, median, p90 between two milestones');
SELECT results_eq($$ SELECT n, mean_days FROM stage_velocity
	WHERE from_milestone = 'mql' AND to_milestone = 'customer' $$,
	$$ VALUES (1::bigint, 30::numeric) $$, 'stage_velocity: any two milestones');
SELECT is((SELECT count(*) FROM stage_velocity), 33::bigint,
		  'stage_velocity: a row per pair, from a step to a later one or an exit');
INSERT INTO stage_history (lead_id, to_stage, entered_at) VALUES
	(4, 'won', '2026-04-01Z'), (4, 'sql', '2026-04-02Z');
SELECT results_eq($$ SELECT n, n_odd, mean_days FROM stage_velocity
	WHERE from_milestone = 'sql' AND to_milestone = 'customer' $$,
	$$ VALUES (0::bigint, 1::bigint, NULL::numeric) $$,
	'D5 negative times are left out and counted');
SELECT is((SELECT days_sql_to_customer FROM lead_journey WHERE lead_id = 4),
		  -1::numeric, 'D5 the journey shows them as they are');

-- The two bases agree on random history
INSERT INTO stage_history (lead_id, to_stage, entered_at, cycle, source, voided_at)
SELECT 100 + n % 500, (ARRAY['new', 'mql', 'accepted', 'sql', 'sql_hot', 'deal',
							 'won', 'nurture', 'out', 'lost'])[1 + floor(random() * 10)],
	   '2026-01-01Z'::timestamptz + floor(random() * 20) * interval '1 day',
	   1 + n % 2, 's' || floor(random() * 5), CASE WHEN random() < 0.1 THEN now() END
FROM (SELECT setseed(0.6)) seed, generate_series(1, 5000) n;
SELECT is_empty($$
	(SELECT lead_id, cycle, m.milestone, m.entered_at
	 FROM lead_journey, LATERAL (VALUES ('lead', lead_at), ('mql', mql_at),
		('sal', sal_at), ('sql', sql_at), ('opportunity', opportunity_at),
		('customer', customer_at)) m (milestone, entered_at)
	 WHERE m.entered_at IS NOT NULL)
	EXCEPT ALL SELECT lead_id, cycle, milestone, entered_at FROM milestone_entry $$,
	'D1 every instant of a journey is an entry');
SELECT is((SELECT count(*) FROM milestone_entry
		   WHERE milestone NOT IN ('nurture', 'disqualified', 'lost')),
		  (SELECT count(lead_at) + count(mql_at) + count(sal_at) + count(sql_at)
				  + count(opportunity_at) + count(customer_at) FROM lead_journey),
		  'D1 and every entry is an instant of a journey');
SELECT is_empty($$ SELECT j.lead_id, j.cycle, j.sql_source FROM lead_journey j
	WHERE j.sql_at IS NOT NULL EXCEPT ALL
	SELECT e.lead_id, e.cycle, e.source FROM milestone_entry e WHERE e.milestone = 'sql' $$,
	'D3 both take the source from the same row');

-- Every view
SELECT is_empty($$ SELECT c.relname, a.attname, a.atttypid::regtype
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE c.relnamespace = 'f'::regnamespace AND c.relkind = 'v' AND c.relname <> 'journey'
		  AND a.atttypid NOT IN ('text'::regtype, 'numeric'::regtype, 'bigint'::regtype,
								 'boolean'::regtype, 'date'::regtype, 'timestamptz'::regtype) $$,
	'every column of every view is of a type that dashboards know');
SELECT is_empty($$ SELECT relname FROM pg_class
	WHERE relnamespace = 'f'::regnamespace AND relkind = 'v' AND relname <> 'journey'
		  AND (obj_description(oid, 'pg_class') IS NULL
			   OR NOT 'security_invoker=true' = ANY (reloptions)) $$,
	'every view has its definition as a comment, and the reader''s rights');
SELECT is_empty($$ SELECT c.relname, a.attname FROM pg_class c
	JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relnamespace = 'f'::regnamespace AND c.relkind = 'v' AND c.relname <> 'inbox'
		  AND a.attname IN ('email', 'full_name', 'company') $$,
	'no view but the inbox has personal data');

SELECT * FROM finish();
ROLLBACK;
