-- Definitions: copied, compared, tried, activated, undone; what is refused.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(57);

SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
INSERT INTO lead (email, source) VALUES ('a@example.com', 'webinar'), ('b@example.com', 'webinar'), ('c@example.com', NULL);
INSERT INTO activity (lead_id, kind) VALUES (1, 'demo_request'), (2, 'contact_request'), (3, 'webinar');
UPDATE setting SET sales_capacity = 4;

CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE d text; h text;
BEGIN
	EXECUTE statement;
	RETURN ARRAY['done'];
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN ARRAY[SQLSTATE, SQLERRM, d, h];
END $$;
CREATE FUNCTION pg_temp.stages() RETURNS text LANGUAGE sql AS
	'SELECT string_agg(stage, '' '' ORDER BY lead_id) FROM crm.lead';
CREATE FUNCTION pg_temp.statuses() RETURNS text LANGUAGE sql AS
	'SELECT string_agg(definition || '' '' || status, '', '' ORDER BY definition) FROM crm.definition';

-- nothing goes round what activation checks
SET CONSTRAINTS ALL DEFERRED;
SELECT is((pg_temp.refusal($$ UPDATE definition SET status = 'retired' WHERE status = 'active';
	INSERT INTO definition (definition, status) VALUES ('hollow', 'active') $$))[1:2],
	ARRAY['55000', 'definition "hollow" cannot begin as the active one'], 'no definition begins as the active one');
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO definition (definition, agreed_by_sales, agreed_at) VALUES ('hollow', 'sam', now());
SELECT is(d, ROW(NULL::text, NULL::timestamptz), 'nor is one agreed to by writing so')
	FROM (SELECT ROW(agreed_by_sales, agreed_at) AS d FROM definition WHERE definition = 'hollow') AS h;
DELETE FROM definition WHERE definition = 'hollow';

-- copied
SELECT lives_ok($$ SELECT copy_definition('crm', 'default', 'eager') $$, 'R004-03 a definition is copied');
SELECT is(pg_temp.statuses(), 'default active, eager draft', 'as a draft');
SELECT is(count(*), 0::bigint, 'rules have ids of their own') FROM rule AS a JOIN rule AS b USING (rule_id) WHERE a.definition <> b.definition;
SELECT is_empty($$ SELECT * FROM compare_definitions('crm', 'default', 'eager') $$, 'and are the same');
SELECT throws_ok($$ SELECT copy_definition('crm', 'none', 'x') $$, '42704', NULL, 'an unknown one is not copied');
SELECT throws_ok($$ SELECT copy_definition('crm', 'default', 'eager') $$, '23505', NULL, 'nor onto another');

-- edited and compared
UPDATE transition SET condition = 'score >= 50' WHERE definition = 'eager' AND from_stage = 'lead' AND to_stage = 'mql';
UPDATE rule SET points = 70 WHERE definition = 'eager' AND name = 'contact_request';
DELETE FROM rule WHERE definition = 'eager' AND name = 'ad_click';
UPDATE definition SET max_engagement = 200 WHERE definition = 'eager';
SELECT results_eq($$ SELECT * FROM compare_definitions('crm', 'default', 'eager') $$,
	$$ VALUES ('definition', 'limits', 'changed', NULL, 'max_engagement: 200'),
			  ('rule', 'ad_click', 'only in a', (SELECT in_a FROM compare_definitions('crm', 'default', 'eager') WHERE item = 'ad_click'), NULL),
			  ('rule', 'contact_request', 'changed', 'points: 60', 'points: 70'),
			  ('transition', 'lead -> mql', 'changed', 'condition: score >= 100 AND engagement > 0', 'condition: score >= 50') $$,
	'what differs');

-- tried
CREATE TEMP TABLE was AS SELECT l.lead_id, l::text AS row FROM lead AS l;
CREATE TEMP TABLE history_was AS SELECT count(*) FROM stage_history;
SELECT results_eq($$ SELECT lead, from_stage, to_stage, score_now, score_then, source, past_units, past_customers FROM preview_definition('crm', 'eager') $$,
	$$ VALUES ('2', 'lead', 'mql', 60::numeric, 70::numeric, 'webinar', 1::bigint, 0::bigint) $$,
	'a preview tells who would move, and what became of the likes of him');
SELECT results_eq($$ SELECT stage, entered_last_13_weeks, would_enter, would_leave, weeks_of_capacity FROM preview_load('crm', 'eager') WHERE would_enter + would_leave > 0 $$,
	$$ VALUES ('lead', 3::bigint, 0::bigint, 1::bigint, 0.00), ('mql', 1, 1, 0, 0.25) $$, 'R002-12 and what that means for the capacity of sales');
SELECT is_empty('SELECT FROM lead AS l JOIN was USING (lead_id) WHERE l::text <> was.row', 'a preview changes no lead');
SELECT is((SELECT count(*) FROM stage_history), (SELECT count FROM history_was), 'writes no history');
SELECT is(pg_temp.statuses(), 'default active, eager draft', 'activates nothing');
SELECT is_empty($$ SELECT * FROM preview_definition('crm', 'default') $$, 'and the one in force moves nobody');

-- activated
CREATE TEMP TABLE risen AS SELECT activate_definition('crm', 'eager') AS version;
SELECT is(version, (SELECT max(version) FROM definition), 'D13 it is activated under a new version') FROM risen;
SELECT is(pg_temp.statuses(), 'default retired, eager active', 'R000-22 exactly one is active');
SELECT is(pg_temp.stages(), 'mql lead lead', 'D13 keep: nobody moves');
SELECT is(count(*), 3::bigint, 'but all are stale') FROM lead_now WHERE stale;
SELECT is((sweep_funnel('crm')).rescored, 3::bigint, 'a sweep rescores them');
SELECT is(pg_temp.stages(), 'mql lead lead', 'D13 and still nobody moves');
INSERT INTO activity (lead_id, kind) VALUES (2, 'email_open'), (3, 'email_open');
SELECT is(pg_temp.stages(), 'mql mql lead', 'D13 until something happens');
SELECT results_eq('SELECT definition, version FROM stage_history ORDER BY history_id DESC LIMIT 1',
	$$ SELECT definition, version FROM definition WHERE status = 'active' $$, 'the history says by which definition');

-- undone
SELECT activate_definition('crm', 'default');
SELECT is(pg_temp.statuses(), 'default active, eager retired', 'D13 activating the old one undoes it');
SELECT is(pg_temp.stages(), 'mql mql lead', 'D13 moves stay');
SELECT is(count(*), 3::bigint, 'no card is taken for that of an earlier time') FROM lead_now WHERE stale;
UPDATE rule SET points = 150, max_points = NULL WHERE definition = 'eager' AND name = 'webinar';
SELECT is(activate_definition('crm', 'eager', existing => 'move') > 0, true, 'a retired one may be edited and activated');
SELECT is(pg_temp.stages(), 'mql mql mql', 'D13 move: all move at once');
SELECT is(count(*), 0::bigint, 'and none is stale') FROM lead_now WHERE stale;

-- refused
SELECT is((pg_temp.refusal($$ SELECT activate_definition('crm', 'none') $$))[1], '42704', 'an unknown definition');
SELECT is((pg_temp.refusal($$ SELECT activate_definition('crm', 'eager') $$))[1], '55000', 'one that is active');
SELECT is((pg_temp.refusal($$ SELECT activate_definition('crm', 'default', 'drop') $$))[1], '22023', 'an unknown way');
INSERT INTO definition (definition) VALUES ('empty');
SELECT is((pg_temp.refusal($$ SELECT activate_definition('crm', 'empty') $$))[1:3], ARRAY['55000', 'definition "empty" cannot be activated',
	'No transition creates a lead: none has from_stage NULL.'], 'one that lets no lead in');
SELECT copy_definition('crm', 'default', 'broken');
ALTER TABLE rule DISABLE TRIGGER zz_protect;
DELETE FROM rule WHERE definition = 'broken' AND name = 'sales_inquiry';
ALTER TABLE rule ENABLE TRIGGER zz_protect;
SELECT is(pg_temp.refusal($$ SELECT activate_definition('crm', 'broken') $$), ARRAY['55000', 'definition "broken" cannot be activated',
	'The condition of transition from "lead" to "sal" does not compile: rule "sales_inquiry" does not exist in this definition.',
	'Correct it; check_condition() shows where.'], 'one whose guard names a rule that it lacks');
SELECT is((pg_temp.refusal($$ UPDATE definition SET status = 'active' WHERE definition = 'broken' $$))[1], '55000', 'by hand as well');
SELECT matches((pg_temp.refusal($$ DELETE FROM definition WHERE definition = 'eager' $$))[2], 'is the active one', 'R000-22 the active one is not removed');
SELECT matches((pg_temp.refusal($$ UPDATE definition SET status = 'retired' WHERE definition = 'eager' $$))[4], 'activate_definition', 'nor retired without another');
SELECT is((pg_temp.refusal($$ UPDATE definition SET status = 'active' WHERE definition = 'default' $$))[1], '23505', 'there are no two');
SELECT is(pg_temp.statuses(), 'broken draft, default retired, eager active, empty draft', 'all of that left things as they were');
SELECT is((pg_temp.refusal($$ DELETE FROM definition WHERE definition = 'empty' $$))[1], 'done', 'any other may be removed');

-- circles
SELECT is(pg_temp.refusal($$ INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition)
	VALUES ('broken', 1, 'mql', 'sal', true, 'score >= 100 AND engagement > 0'), ('broken', 2, 'sal', 'lead', true, NULL) $$),
	ARRAY['23514', 'automatic transitions of definition "broken" lead in a circle',
	'It is: "lead" -> "mql" -> "sal" -> "lead". A lead there would never rest.',
	'Give one of them a condition that the others exclude, or let people ask for it.'], 'a circle of automatic moves is found when it is written, and named');
SELECT is((pg_temp.refusal($$ INSERT INTO transition (definition, position, from_stage, to_stage, condition) VALUES ('broken', 1, 'mql', 'lead', 'score >= 100 AND engagement > 0');
	UPDATE transition SET automatic = true WHERE definition = 'broken' AND from_stage = 'mql' AND to_stage = 'lead' $$))[3],
	'It is: "lead" -> "mql" -> "lead". A lead there would never rest.', 'or when a move begins to happen by itself');
SELECT is((pg_temp.refusal($$ INSERT INTO transition (definition, position, from_stage, to_stage, automatic)
	VALUES ('broken', 1, 'disqualified', 'nurture', true) $$))[3],
	'It is: "disqualified" -> "nurture" -> "disqualified". A lead there would never rest.', 'one through a transition from any stage, too');
SELECT is((pg_temp.refusal(format($$ INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition)
	VALUES ('broken', 1, 'mql', 'sal', true, %1$L), ('broken', 2, 'sal', 'mql', true, %1$L) $$, condition)))[3],
	'It is: "mql" -> "sal" -> "mql". A lead there would never rest.', 'under a condition that the moves do not change: ' || condition)
FROM unnest(ARRAY['last.demo_request >= cycle_started_at', 'properties ->> ''stage'' = ''x''']) AS condition;
SELECT is((pg_temp.refusal(format($$ INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition)
	VALUES ('broken', 1, 'mql', 'nurture', true, %1$L), ('broken', 2, 'nurture', 'mql', true, %1$L);
	DELETE FROM transition WHERE definition = 'broken' AND position < 3 $$, condition)))[1], 'done', 'none is one that ends with ' || condition)
FROM unnest(ARRAY['cycle < 3', 'last.demo_request >= cycle_started_at', 'days_in_stage > 3', 'note = ''x''']) AS condition;
SELECT is((pg_temp.refusal($$ INSERT INTO transition (definition, position, from_stage, to_stage, automatic, after)
	VALUES ('broken', 1, 'mql', 'lead', true, '30 days') $$))[1], 'done', 'one that takes time is none');
SELECT is((pg_temp.refusal($$ INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition)
	VALUES ('broken', 1, 'mql', 'lead', true, 'score < 100') $$))[1], 'done', 'nor one whose conditions differ');
SELECT is((pg_temp.refusal($$ INSERT INTO transition (definition, position, from_stage, to_stage)
	VALUES ('broken', 1, 'mql', 'lead') $$))[1], 'done', 'nor one that people ask for');

-- who may
CREATE ROLE regress_lq_marketing;
SELECT count(*) > 0 FROM grant_funnel('crm', 'regress_lq_marketing', 'marketing');
RESET lead_qual.clock;
SET LOCAL ROLE regress_lq_marketing;
SELECT is((pg_temp.refusal($$ SELECT activate_definition('crm', 'default') $$))[1], '42501', 'activation is for the owner');
SELECT is((pg_temp.refusal($$ SELECT * FROM preview_definition('crm', 'default') $$))[1], '42501', 'so is a preview');
SELECT is((pg_temp.refusal($$ SELECT copy_definition('crm', 'default', 'mine') $$))[1], 'done', 'copying is for whoever edits rules');
SELECT is_empty($$ SELECT * FROM check_definition('crm', 'mine') $$, 'who may see what keeps it from being activated');
RESET ROLE;
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE severity = 'error' $$, 'the funnel is well');

SELECT * FROM finish();
ROLLBACK;
