-- What each text calls an SQL, as a policy of its own (test/policy).
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(50);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-02-01 09:00Z';
INSERT INTO lead (lead_id, job_title, industry, company_size, country) OVERRIDING SYSTEM VALUE VALUES
	(-1, 'Head of Sales', 'software', 900, 'DE'), (-2, 'Head of Sales', 'software', 900, 'DE');
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';

CREATE FUNCTION pg_temp.stage(lead bigint) RETURNS text LANGUAGE sql AS
	'SELECT stage FROM crm.lead WHERE lead_id = $1';
CREATE FUNCTION pg_temp.lacks(lead bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(part || ' ' || state || coalesce(' ' || needs, ''), '; ')
	FROM why_not('crm', $1, 'sql') WHERE state <> 'met' $$;
CREATE FUNCTION pg_temp.ready(lead bigint) RETURNS boolean LANGUAGE sql AS
	'SELECT NOT EXISTS (SELECT FROM why_not(''crm'', $1, ''sql''))';
-- a new lead at SAL with these answers, and one conversation unless told otherwise
CREATE FUNCTION pg_temp.at_sal(answers bant, talked boolean DEFAULT true, details jsonb DEFAULT '{}') RETURNS bigint
LANGUAGE sql AS $$
	INSERT INTO crm.lead (source, stage, company_size, bant, properties)
		VALUES ('partner', 'sal', 900, $1, $3);
	INSERT INTO crm.activity (lead_id, kind) SELECT max(lead_id), 'discovery_call' FROM crm.lead HAVING talked;
	SELECT max(lead_id) FROM crm.lead $$;

-- the default: R000-10, R000-19
CREATE FUNCTION pg_temp.first_example(lead bigint, OUT stage text, OUT ready boolean) RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE e text[];
BEGIN
	FOREACH e SLICE 1 IN ARRAY ARRAY[['whitepaper_download', 'Advanced CRM Features for Enterprises', '2026-02-10 10:00Z'],
		['webinar', 'Boosting Sales Productivity with AI', '2026-02-20 10:00Z'], ['demo_request', NULL, '2026-03-01 10:00Z']] LOOP
		INSERT INTO crm.activity (lead_id, kind, properties, occurred_at)
			VALUES (lead, e[1], jsonb_build_object('title', e[2]), e[3]::timestamptz);
		stage := pg_temp.stage(lead);
		ready := pg_temp.ready(lead);
		RETURN NEXT;
	END LOOP;
END $$;
SELECT results_eq('SELECT * FROM pg_temp.first_example(-1)', $$ VALUES ('lead', false), ('lead', false), ('mql', false) $$,
	'R000-19 by the default a lead twice, then an MQL, which sales has yet to talk to');
SELECT throws_like($$ UPDATE lead SET stage = 'sql' WHERE lead_id = -1 $$, 'cannot move lead from stage "mql" to "sql"', 'R000-10 an MQL is no SQL');
UPDATE lead SET stage = 'sal' WHERE lead_id = -1;
SELECT throws_ok($$ UPDATE lead SET stage = 'sql', bant = 'B+ A+ N+ T+' WHERE lead_id = -1 $$, '23514', NULL,
	'R004-12 SAL without a contact by sales: SQL refused');
SELECT throws_ok($$ UPDATE lead SET stage = 'sql', bant = 'B+ A+ N+ T+', reason = 'strategic_account' WHERE lead_id = -1 $$, '23514', NULL,
	'R004-12 not even by exception');
SELECT ok(pg_temp.lacks(-1) LIKE '%last.sales_conversation >= cycle_started_at unknown%never%', 'R000-10 refused with a reason');
INSERT INTO activity (lead_id, kind) VALUES (-1, 'discovery_call');
SELECT throws_ok($$ UPDATE lead SET stage = 'sql' WHERE lead_id = -1 $$, '23514', NULL, 'R000-10 a call that confirms nothing is not enough');
UPDATE lead SET bant = 'B+ N+ T+' WHERE lead_id = -1;
SELECT ok(pg_temp.ready(-1), 'D15 R000-20 three met and no "no": SQL-ready by the default');
SELECT lives_ok($$ UPDATE lead SET stage = 'sql' WHERE lead_id = -1 $$, 'R000-10 a discovery call with needs confirmed: SQL');
SELECT results_eq($$ SELECT to_stage FROM stage_history WHERE lead_id = -1 ORDER BY history_id $$,
	$$ VALUES ('lead'), ('mql'), ('sal'), ('sql') $$, 'R004-25 R000-02 the way leads over MQL and SAL');
SELECT is(pg_temp.lacks(pg_temp.at_sal('B+ A+ N+ T-')), 'refuted(bant) = 0 unmet timeline: no', 'one no is enough to wait');

SAVEPOINT policy;
\ir ../policy/text0_behaviour.sql
SELECT results_eq('SELECT * FROM pg_temp.first_example(-2)', $$ VALUES ('lead', false), ('lead', false), ('mql', true) $$,
	'R000-19 behaviour alone: a lead, at most an MQL, SQL-ready');
SELECT results_eq($$ SELECT rule FROM explain_score('crm', -2) WHERE axis = 'engagement' AND hits > 0 AND points > 0 ORDER BY last_hit $$,
	$$ VALUES ('whitepaper_download'), ('webinar'), ('demo_request') $$, 'R000-19 all three are in the explanation, in order');
SELECT results_eq($$ SELECT properties ->> 'title' FROM activity WHERE lead_id = -2 ORDER BY occurred_at $$,
	$$ VALUES ('Advanced CRM Features for Enterprises'), ('Boosting Sales Productivity with AI'), (NULL) $$, 'R000-19 and in the log');
SELECT lives_ok($$ UPDATE lead SET stage = 'sql' WHERE lead_id = -2 $$, 'R000-19 R004-13 R004-21 and the move is granted: nobody was asked anything');
ROLLBACK TO policy;

\ir ../policy/text0_answers.sql
SELECT ok(pg_temp.ready(pg_temp.at_sal('B+ N+ T+')), 'R000-20 text 0: three known and no "no" is an SQL');
SELECT ok(pg_temp.ready(pg_temp.at_sal('B+ N~ T~')), 'R000-20 known is not met');
SELECT is(pg_temp.lacks(pg_temp.at_sal('B+ N+')), 'known(bant) >= 3 unknown authority: unknown, timeline: unknown', 'R000-20 two known: what is open');
SELECT is(pg_temp.lacks(pg_temp.at_sal('B- N+ T+')), 'refuted(bant) = 0 unmet budget: no, authority: unknown', 'R000-20 a "no" blocks');
ROLLBACK TO policy;

\ir ../policy/text3_strict.sql
SELECT is(pg_temp.lacks(pg_temp.at_sal('B+ N+ T+')), $$bant -> 'authority' = 'yes' unknown authority: unknown$$, 'R000-20 strict: not yet, authority');
SELECT ok(pg_temp.ready(pg_temp.at_sal('B+ A+ N+ T+')), 'R000-20 strict: 4 of 4');
SELECT is(pg_temp.lacks(pg_temp.at_sal('B+ A- N+ T+')), $$bant -> 'authority' = 'yes' unmet authority: no$$, 'R003-13 a contact who does not decide');
ROLLBACK TO policy;

\ir ../policy/text1_demo.sql
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (-3);
INSERT INTO activity (lead_id, kind) VALUES (-3, 'free_trial');
SELECT is(pg_temp.stage(-3), 'mql', 'R001-01 acceptance is explicit: a trial moves nobody to SQL');
SELECT lives_ok($$ UPDATE lead SET stage = 'sql' WHERE lead_id = -3 $$, 'R001-02 but the team may accept');
ROLLBACK TO policy;

\ir ../policy/text2_marketing.sql
INSERT INTO lead (lead_id, industry, company_size) OVERRIDING SYSTEM VALUE VALUES (-4, 'software', 900), (-5, NULL, NULL);
UPDATE lead SET seniority = 'head' WHERE lead_id = -4;
INSERT INTO activity (lead_id, kind) VALUES (-4, 'demo_request'), (-5, 'demo_request');
SELECT is(pg_temp.stage(-4), 'sql', 'R002-01 an action and the criteria make an SQL');
SELECT is(pg_temp.stage(-5), 'mql', 'R002-01 the action alone does not');
SELECT results_eq($$ SELECT from_stage, to_stage, automatic FROM stage_history WHERE lead_id = -4 ORDER BY history_id $$,
	$$ VALUES (NULL, 'lead', true), ('lead', 'mql', true), ('mql', 'sql', true) $$, 'R002-01 R002-02 over MQL, a row a hop');
ROLLBACK TO policy;

\ir ../policy/text3_budget.sql
SELECT is(pg_temp.lacks(pg_temp.at_sal('A+ N+ T+')), $$bant -> 'budget' = 'yes' unknown budget: unknown$$, 'R003-12 an unknown budget counts as a no');
SELECT throws_ok(format('UPDATE lead SET stage = ''sql'' WHERE lead_id = %s', pg_temp.at_sal('B~ A+ N+ T+')), '23514', NULL, 'R003-12 so does an unsure one');
SELECT ok(pg_temp.ready(pg_temp.at_sal('B+')), 'R003-12 a certain one is enough');
ROLLBACK TO policy;

\ir ../policy/text3_requirement.sql
SELECT ok(pg_temp.lacks(pg_temp.at_sal('B+ A+ N+ T+', true, '{"requires": "Salesforce"}')) LIKE '%properties%unmet%', 'R003-14 need yes, requires Salesforce, has nothing: not yet');
SELECT isnt(pg_temp.lacks(pg_temp.at_sal('B+ A+ N+ T+', true, '{"requires": "Salesforce", "has": ["SAP"]}')), NULL, 'R003-14 nor with another');
SELECT ok(pg_temp.ready(pg_temp.at_sal('B+ A+ N+ T+', true, '{"requires": "Salesforce", "has": ["SAP", "Salesforce"]}')), 'R003-14 with it: SQL-ready');
SELECT lives_ok(format($$ UPDATE lead SET stage = 'nurture', reason = 'missing_requirement', note = 'no Salesforce' WHERE lead_id = %s $$,
	pg_temp.at_sal('N+', true, '{"requires": "Salesforce"}')), 'R003-14 and the reason is kept');
SELECT is(reason || ': ' || note, 'missing_requirement: no Salesforce', 'R003-14 in the history') FROM stage_history WHERE to_stage = 'nurture';
ROLLBACK TO policy;

\ir ../policy/text4_basic.sql
CREATE TEMP TABLE basic AS SELECT pg_temp.at_sal('') AS lead_id;
INSERT INTO answer (lead_id, framework, element, level) SELECT lead_id, 'basic', e, 'yes' FROM basic, unnest(ARRAY['need', 'interest']) AS e;
SELECT isnt(pg_temp.lacks(lead_id), NULL, 'R004-02 one of three is missing: no SQL under "all"') FROM basic;
INSERT INTO answer (lead_id, framework, element, level) SELECT lead_id, 'basic', 'budget', 'yes' FROM basic;
SELECT ok(pg_temp.ready(lead_id), 'R004-02 all three: SQL-ready') FROM basic;
UPDATE transition SET condition = replace(condition, 'at_least(3', 'at_least(2') WHERE condition LIKE '%at_least%';
INSERT INTO answer (lead_id, framework, element, level) SELECT lead_id, 'basic', 'need', 'no' FROM basic;
SELECT ok(pg_temp.ready(lead_id), 'R004-02 two of three, by a condition') FROM basic;
ROLLBACK TO policy;

\ir ../policy/text4_four_of_five.sql
SELECT ok(pg_temp.ready(pg_temp.at_sal('B+ A+ N+')), 'R004-23 4 of 5 is qualified');
SELECT ok(pg_temp.lacks(pg_temp.at_sal('B+ A+')) LIKE '%need: unknown, timeline: unknown%', 'R004-23 3 of 5 is not; what is missing is listed');
SELECT is(verdict('B+ N+ T+'::bant, 3, false), 'qualified', 'R004-23 by verdict too');
ROLLBACK TO policy;

\ir ../policy/text4_prequalified.sql
SELECT lives_ok($$ INSERT INTO lead (lead_id, stage, bant) OVERRIDING SYSTEM VALUE VALUES (-6, 'sql', 'B+ A+ N+') $$, 'R004-24 found by the criteria: an SQL from the start');
SELECT throws_ok($$ INSERT INTO lead (stage, bant) VALUES ('sql', 'B+ A+') $$, '23514', NULL, 'R004-24 without them: refused');
SELECT results_eq($$ SELECT lead_id, from_stage FROM stage_history JOIN lead USING (lead_id) WHERE (to_stage, stage) = ('sql', 'sql') ORDER BY lead_id $$,
	$$ VALUES (-6::bigint, NULL), (-1, 'sal') $$, 'R004-24 all pre-qualified are SQLs, not vice versa; they were no MQL before');
ROLLBACK TO policy;

-- R004-20: each negative lowers the score; a rival is a hard stop
CREATE FUNCTION pg_temp.scored(OUT s numeric) LANGUAGE sql AS 'SELECT score(scorecard, funnel_now()) FROM crm.lead WHERE lead_id = -7';
INSERT INTO lead (lead_id, company_size, job_title) OVERRIDING SYSTEM VALUE VALUES (-7, 900, 'Buyer');
SELECT is(pg_temp.scored(), 10::numeric, 'R004-20 before');
INSERT INTO activity (lead_id, kind) VALUES (-7, 'unsubscribe');
SELECT is(pg_temp.scored(), -5::numeric, 'R004-20 unsubscribing lowers the score');
UPDATE lead SET unsubscribed = true WHERE lead_id = -7;
SELECT is(pg_temp.scored(), -20::numeric, 'R004-20 so does being unsubscribed');
INSERT INTO activity (lead_id, kind) VALUES (-7, 'career_page_view');
SELECT is(pg_temp.scored(), -30::numeric, 'R004-20 so does a career page');
UPDATE lead SET job_title = 'Researcher' WHERE lead_id = -7;
SELECT is(pg_temp.scored(), -60::numeric, 'R004-20 so does a title from outside');
UPDATE lead SET email = 'spy@RIVAL.example' WHERE lead_id = -7;
SELECT is(pg_temp.stage(-7), 'disqualified', 'R004-20 a rival is a hard stop');

-- R004-03: criteria differ by what is sold to whom
SELECT create_funnel('enterprise', 'UTC');
UPDATE enterprise.transition SET condition = 'score >= 50' WHERE from_stage = 'lead' AND to_stage = 'mql';
INSERT INTO enterprise.lead (lead_id) VALUES (1);
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (-8);
INSERT INTO enterprise.activity (lead_id, kind) VALUES (1, 'contact_request');
INSERT INTO activity (lead_id, kind) VALUES (-8, 'contact_request');
SELECT is((SELECT stage FROM enterprise.lead) || ' ' || pg_temp.stage(-8), 'mql lead', 'R004-03 each pipeline has its own definition');

SELECT * FROM finish();
ROLLBACK;
