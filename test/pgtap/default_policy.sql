-- What the policy of a new funnel says, as far as its rows alone show it.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(47);

SELECT create_funnel('crm');
SET LOCAL search_path = crm, public;

-- points of activities, each a kind and its age in days, under the rules
-- of the funnel: no conditions, caps by rule; every half-life may be replaced
CREATE FUNCTION pg_temp.earned(kinds text[], ages numeric[], half_life numeric DEFAULT NULL)
RETURNS numeric LANGUAGE sql RETURN (
	SELECT sum(least(points, coalesce(max_points, points)))
	FROM (SELECT r.max_points,
				 sum(r.points * 2 ^ (-done.age / coalesce(
					 earned.half_life, extract(epoch FROM r.half_life) / 86400))) AS points
		  FROM unnest(kinds, ages) AS done (kind, age)
		  JOIN crm.rule AS r USING (kind)
		  GROUP BY r.rule_id, r.max_points) AS by_rule);

-- does a condition hold for a lead, given as JSON, at a state of affairs?
CREATE FUNCTION pg_temp.holds(condition text, lead jsonb, score numeric DEFAULT 0,
	last_activity timestamptz DEFAULT NULL, days_in_stage numeric DEFAULT 0,
	talked timestamptz DEFAULT NULL, inquired timestamptz DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	lists text;
	result boolean;
BEGIN
	SELECT string_agg(format('(SELECT array_agg(value) FROM crm.list WHERE list = %L) AS %I',
							 list, list), ', ')
		INTO lists FROM (SELECT DISTINCT list FROM crm.list) AS named;
	EXECUTE format($query$
		SELECT coalesce(%s, false)
		FROM jsonb_populate_record(NULL::crm.lead,
				'{"bant": "", "cycle_started_at": "2026-01-01", "stage_entered_at": "2026-01-01",
				  "deals_open": 0, "deals_won": 0, "deals_lost": 0}'::jsonb || $1) AS lead,
			 (SELECT %s) AS list,
			 (SELECT $5 AS sales_conversation, $6 AS sales_inquiry) AS last,
			 (SELECT $2 AS score, $2 AS engagement, $3 AS last_activity, $4 AS days_in_stage) AS now
		$query$, condition, lists)
		INTO result USING lead, score, last_activity, days_in_stage, talked, inquired;
	RETURN result;
END $$;

CREATE FUNCTION pg_temp.fit(lead jsonb) RETURNS numeric LANGUAGE sql AS $$
	SELECT coalesce(sum(points), 0) FROM crm.rule
	WHERE axis = 'fit' AND enabled AND pg_temp.holds(condition, lead) $$;

CREATE FUNCTION pg_temp.move(from_stage text, to_stage text, is_automatic boolean DEFAULT false,
							 is_exception boolean DEFAULT false)
RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(condition, 'true') FROM crm.transition AS t
	WHERE t.from_stage = move.from_stage AND t.to_stage = move.to_stage
	AND automatic = is_automatic AND exception = is_exception
	ORDER BY position LIMIT 1 $$;

CREATE FUNCTION pg_temp.worth(rule text) RETURNS numeric LANGUAGE sql AS
	'SELECT points FROM crm.rule WHERE name = $1 AND definition = ''default''';

CREATE TEMP VIEW ideal AS SELECT '{"email": "Ann@Example.com", "job_title": "VP Marketing",
	"department": "Marketing", "seniority": "VP", "years_in_industry": 8, "industry": "Software",
	"company": "Example", "company_size": 900, "annual_revenue": 90000000, "country": "de"}'::jsonb AS lead;

-- fit
SELECT set_has('SELECT name FROM rule WHERE axis = ''fit'' AND points > 0',
	$$ VALUES ('job_title'), ('role'), ('seniority'), ('experience'), ('industry'),
			  ('company_size'), ('company_revenue'), ('location') $$,
	'R004-18 R000-08 the fit model has the eight explicit criteria');
SELECT is(pg_temp.fit(lead), 60::numeric, 'R004-18 R000-04 who meets all has the highest fit') FROM ideal;
SELECT results_eq('SELECT max_fit, max_engagement, floor FROM definition', $$ VALUES (NULL::numeric, NULL::numeric, NULL::numeric) $$,
	'N19: no cap hides a point');
SELECT is_empty($$ SELECT condition FROM transition WHERE to_stage = 'mql' AND condition ~ 'score' AND condition !~ 'engagement > 0' $$,
	'N19: fit alone makes no MQL');
SELECT is(pg_temp.fit('{}'), 0::numeric, 'of whom nothing is known, nothing counts');
SELECT is_empty($$ SELECT name FROM rule, ideal WHERE axis = 'fit' AND points > 0
				   AND pg_temp.holds(condition, lead || jsonb_build_object(
					   CASE name WHEN 'role' THEN 'department' WHEN 'experience' THEN 'years_in_industry'
								 WHEN 'company_revenue' THEN 'annual_revenue'
								 WHEN 'location' THEN 'country' ELSE name END, NULL)) $$,
	'R004-18 each criterion reads its own column');

-- engagement
SELECT set_has('SELECT kind FROM rule WHERE axis = ''engagement'' AND points > 0 AND half_life IS NOT NULL',
	$$ VALUES ('website_visit'), ('product_page_view'), ('social_interaction'), ('email_open'), ('email_click'),
			  ('newsletter_subscription'), ('contact_request'), ('contact_form'),
			  ('content_download'), ('ebook_download'), ('whitepaper_download'),
			  ('case_study_download'), ('webinar'), ('free_trial'), ('demo_request') $$,
	'R004-19 R000-08 the engagement model has the nine implicit criteria');
SELECT is_empty($$ SELECT kind FROM rule WHERE kind <> '*' AND kind NOT IN (SELECT kind FROM kind) $$,
	'every rule names a kind that there is');
SELECT cmp_ok(pg_temp.worth('meeting_booked'), '>', pg_temp.worth('email_reply'),
	'R003-10 booking a meeting gives more than replying to an e-mail');
SELECT cmp_ok(pg_temp.worth('email_reply'), '>', 0::numeric, 'R003-10 which gives something');
SELECT cmp_ok(pg_temp.worth(bottom), '>', 10 * pg_temp.worth('blog_subscription'),
			  'R001-02 ' || bottom || ' gives far more than a blog subscription')
FROM unnest(ARRAY['sales_inquiry', 'demo_request', 'free_trial']) AS bottom;
SELECT set_eq('SELECT name FROM rule WHERE category = ''intent''',
	$$ VALUES ('pricing_page_view'), ('demo_request'), ('free_trial'), ('sales_inquiry'),
			  ('consultation_request'), ('meeting_booked') $$,
	'R003-16 R004-05 intent is a component of its own');
SELECT cmp_ok(pg_temp.earned(ARRAY['ebook_download', 'webinar'], ARRAY[0, 0]) + 60, '<', 100::numeric,
	'R000-03 ebook and webinar alone are no more than an MQL');
SELECT cmp_ok(pg_temp.earned(ARRAY['whitepaper_download'], ARRAY[0]) + 60, '<', 100::numeric,
	'R000-19 after the whitepaper a lead, whoever it is');
SELECT cmp_ok(pg_temp.earned(ARRAY['whitepaper_download', 'webinar', 'demo_request'], ARRAY[30, 14, 0]),
	'>=', 100::numeric, 'R000-19 after the demo request the score is that of an MQL, whoever it is');
SELECT cmp_ok(pg_temp.earned(array_fill('email_reply'::text, ARRAY[7]), ARRAY[0, 7, 14, 21, 28, 35, 42]),
	'>=', 100::numeric, 'R003-01 who responds week after week is an MQL');
SELECT cmp_ok(pg_temp.earned(ARRAY['email_reply'], ARRAY[0]) + 60, '<', 100::numeric,
	'R003-01 who responds once is not');
SELECT cmp_ok(pg_temp.earned(array_fill('email_open'::text, ARRAY[500])
							 || array_fill('website_visit'::text, ARRAY[500]),
							 array_fill(0::numeric, ARRAY[1000])), '<=', 20::numeric,
	'opens and visits without end give little');
SELECT cmp_ok(pg_temp.earned(ARRAY['ebook_download', 'blog_subscription', 'webinar', 'pricing_page_view'],
							 ARRAY[90, 60, 30, 6], h), '>',
			  pg_temp.earned(ARRAY['blog_subscription'], ARRAY[0.6], h),
			  format('R001-05 the pricing page ranks contact 2 first, half-life %s days', h))
FROM unnest(ARRAY[NULL, 7, 30, 90]) AS h;

-- negative
SELECT cmp_ok(pg_temp.fit(lead || bad), '<', pg_temp.fit(lead), 'R004-20 ' || why)
FROM ideal, (VALUES ('unsubscribed lowers the fit', '{"unsubscribed": true}'::jsonb),
					('a researcher has less fit', '{"job_title": "Marketing Researcher"}'),
					('a rival has less fit', '{"email": "x@Rival.example"}')) AS negative (why, bad);
SELECT cmp_ok(pg_temp.worth(name), '<', 0::numeric, 'R004-20 ' || name || ' lowers the score')
FROM unnest(ARRAY['unsubscribe', 'career_page_view']) AS name;
SELECT ok(pg_temp.holds(pg_temp.move('*', 'disqualified', true), '{"company": "rival (example)"}'),
	'R004-20 a rival is disqualified at once');

-- moves
SELECT ok(pg_temp.holds(pg_temp.move('lead', 'mql', true), '{}', 100) AND
		  NOT pg_temp.holds(pg_temp.move('lead', 'mql', true), '{}', 99),
	'R000-09 MQL at 100, not at 99');
SELECT ok(NOT pg_temp.holds(pg_temp.move('sal', 'sql'), '{"bant": "B+ A+ N+ T+"}'),
	'R004-12 no SQL without a conversation');
SELECT ok(NOT pg_temp.holds(pg_temp.move('sal', 'sql'), '{"bant": "B+ A+ N+ T+"}', talked => '2025-12-31'),
	'R004-12 nor after one in an earlier cycle');
SELECT ok(pg_temp.holds(pg_temp.move('sal', 'sql'), '{"bant": "B+ N+ T+"}', talked => '2026-01-02'),
	'R000-20 three met and one unknown is enough after a conversation');
SELECT ok(NOT pg_temp.holds(pg_temp.move('sal', 'sql'), '{"bant": "B- A+ N+ T+"}', talked => '2026-01-02'),
	'a refuted element is not');
SELECT ok(pg_temp.holds(pg_temp.move('sal', 'sql', is_exception => true), '{}', talked => '2026-01-02') AND
		  (SELECT needs_reason FROM transition WHERE exception), 'an exception needs a reason');
SELECT ok(pg_temp.holds(pg_temp.move('lead', 'sal'), '{}', inquired => '2026-01-02'),
	'R003-02 a direct inquiry goes to sales at once');
SELECT ok(NOT pg_temp.holds(pg_temp.move('sql', 'opportunity', true), '{"deals_open": 1}') AND
		  pg_temp.holds(pg_temp.move('sql', 'opportunity', true), '{"deals_open": 1, "bant": "T~"}'),
	'R003-15 the timeline is known before an opportunity');
SELECT ok(pg_temp.holds(condition, '{"resume_at": "2026-03-01"}', days_in_stage => 59) AND
		  NOT pg_temp.holds(condition, '{"resume_at": "2026-03-01"}', days_in_stage => 58.9),
	'R003-15 a nurtured lead comes back on its date')
FROM transition WHERE condition ~ 'resume_at';
SELECT ok(pg_temp.holds(pg_temp.move('nurture', 'mql', true), '{}', 100, '2026-01-02') AND
		  NOT pg_temp.holds(pg_temp.move('nurture', 'mql', true), '{}', 100, '2025-12-31'),
	'R003-20 a nurtured lead comes back on new activity, not on old points');
SELECT is(sla, interval '24 hours', 'R004-10 sales has 24 hours to accept') FROM stage WHERE milestone = 'mql';
SELECT results_eq($$ SELECT milestone FROM stage WHERE position <= 6 ORDER BY position $$,
	$$ VALUES ('lead'), ('mql'), ('sal'), ('sql'), ('opportunity'), ('customer') $$,
	'R004-25 R004-04 the path is lead, MQL, SAL, SQL, opportunity, customer');

-- words
SELECT is_empty($$ SELECT from_stage, to_stage FROM transition WHERE NOT automatic AND NOT needs_reason
				   AND from_stage IN ('*', 'mql', 'sal', 'sql', 'opportunity') AND to_stage IN ('nurture', 'disqualified', 'lost') $$,
	'R004-09 every return needs a reason');
SELECT is_empty($$ SELECT to_stage FROM transition AS t WHERE needs_reason
				   AND to_stage NOT IN (SELECT applies_to FROM reason) $$,
	'R004-09 a move that needs a reason finds reasons to choose from');
SELECT results_eq($$ SELECT reason FROM reason WHERE applies_to = 'disqualified' ORDER BY position LIMIT 3 $$,
	$$ VALUES ('outside_audience'), ('no_budget'), ('competitor_satisfied') $$,
	'R004-01 the reasons come in the order of the waterfall');
SELECT is((SELECT count(*) FROM question), 11::bigint, 'R004-14 eleven questions are there to ask');
SELECT is_empty($$ SELECT description FROM rule WHERE description IS NULL UNION ALL
				   SELECT description FROM transition WHERE description IS NULL UNION ALL
				   SELECT description FROM stage WHERE description IS NULL UNION ALL
				   SELECT description FROM kind WHERE description IS NULL $$,
	'every row of policy says why it exists');

SELECT * FROM finish();
ROLLBACK;
