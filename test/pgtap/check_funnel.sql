-- check_funnel(): every finding, once.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(34);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_stranger;
DO $$ BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database());
END $$;
SET ROLE regress_lq_owner;
SELECT create_funnel('Crm é', 'Europe/Berlin');
SET LOCAL search_path = "Crm é", public;

CREATE FUNCTION pg_temp.found(deep boolean DEFAULT true)
RETURNS TABLE (finding text, severity text, object text, n bigint) LANGUAGE sql AS $$
	SELECT finding, severity, object, n FROM check_funnel('Crm é', deep) $$;
-- what a statement makes it find, and no trace of the statement after that
CREATE FUNCTION pg_temp.after(VARIADIC statements text[])
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	statement text;
	result text[];
BEGIN
	BEGIN
		FOREACH statement IN ARRAY statements LOOP
			EXECUTE statement;
		END LOOP;
		result := ARRAY(SELECT concat_ws(' ', f.finding, f.severity, f.object, f.n) FROM pg_temp.found() AS f);
		RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO1';
	EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
		RETURN QUERY SELECT unnest(result);
	END;
END $$;

SELECT is_empty('SELECT * FROM pg_temp.found()', 'nothing is wrong with a new funnel');
SELECT results_eq(
	$$ SELECT relation::text COLLATE "C", trigger::text COLLATE "C", function::text COLLATE "C", type, enabled
	   FROM _funnel_triggers('"Crm é"'::regnamespace) ORDER BY 1, 2 $$,
	$$ SELECT c.relname::text COLLATE "C", t.tgname::text COLLATE "C", p.proname::text COLLATE "C", t.tgtype, t.tgenabled
	   FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_proc AS p ON p.oid = t.tgfoid
	   WHERE c.relnamespace = '"Crm é"'::regnamespace AND NOT t.tgisinternal ORDER BY 1, 2 $$,
	'the triggers that are looked for are those of a new funnel');

INSERT INTO lead (email, job_title, country, source) SELECT g || '@example.com', 'Head of Sales', 'DE', 'event'
	FROM generate_series(1, 6) AS g;
INSERT INTO activity (lead_id, occurred_at, kind, source)
	SELECT l, now() - a * interval '7 hours', k, 'email'
	FROM generate_series(1, 6) AS l, generate_series(1, 9) AS a,
		 unnest(ARRAY['webinar', 'pricing_page_view', 'email_click']) AS k;
UPDATE lead SET stage = 'sal' WHERE lead_id = 1;
UPDATE lead SET bant = 'B+ N+ T~' WHERE lead_id = 1;
DELETE FROM activity WHERE lead_id = 2 AND kind = 'webinar';
UPDATE activity SET kind = 'demo_request' WHERE lead_id = 3 AND kind = 'webinar';
SELECT is_empty('SELECT * FROM pg_temp.found()', 'nor with one whose facts were corrected');

-- policy
SELECT set_has($$ SELECT pg_temp.after('ALTER TABLE lead DROP COLUMN years_in_industry') $$,
	$$ VALUES ('condition_does_not_compile error rule "experience" 1') $$, 'a column that a rule reads is gone');
SELECT set_has($$ SELECT pg_temp.after('SET CONSTRAINTS ALL DEFERRED; UPDATE definition SET status = ''retired''') $$,
	$$ VALUES ('no_active_definition error definition 0') $$, 'R000-22 no definition is active');
SELECT set_has($$ SELECT pg_temp.after('UPDATE definition SET review_by = ''2020-01-01''') $$,
	$$ VALUES ('definition_review_due info default 1') $$, 'R000-17 the definition is to be reviewed');
SELECT throws_ok($$ SELECT pg_temp.after('SET LOCAL lead_qual.import = on', 'UPDATE setting SET template_version = 0') $$,
	'0A000', NULL, 'a template that the library does not serve');
SELECT set_has($$ SELECT pg_temp.after('INSERT INTO rule (definition, name, axis, kind, condition, points)
		VALUES (''default'', ''big'', ''engagement'', ''webinar'', ''(properties->>''''seats'''')::int > 5'', 3)',
	'INSERT INTO activity (lead_id, kind, properties) VALUES (4, ''webinar'', ''{"seats": "many"}''),
		(5, ''webinar'', ''{"seats": "6"}''), (6, ''webinar'', ''{"seats": ""}'')') $$,
	$$ VALUES ('condition_raises warning rule "big" 2') $$, 'a property of the wrong type inside a rule');
SELECT set_has($$ SELECT pg_temp.after('UPDATE rule SET points = points + 1 WHERE name = ''webinar''') $$,
	$$ VALUES ('card_stale warning lead 6') $$, 'rules changed and the leads were not rescored');

-- triggers
SELECT set_has($$ SELECT pg_temp.after('DROP TRIGGER aa_record ON lead') $$,
	$$ VALUES ('trigger_missing error lead.aa_record 1') $$, 'a trigger is missing');
SELECT set_has($$ SELECT pg_temp.after('ALTER TABLE activity DISABLE TRIGGER zz_insert') $$,
	$$ VALUES ('trigger_disabled error activity.zz_insert 1') $$, 'a trigger is disabled');
SELECT set_has($$ SELECT pg_temp.after('ALTER TABLE list ENABLE TRIGGER zz_changed') $$,
	$$ VALUES ('trigger_disabled error list.zz_changed 1') $$, 'a trigger does not fire on a replica');
SELECT is_empty($$ SELECT pg_temp.after('ALTER TRIGGER zz_insert ON activity RENAME TO zz_added') $$,
	'the name of a trigger does not matter');

-- leads and history
SELECT set_has($$ SELECT pg_temp.after('ALTER TABLE activity DISABLE TRIGGER zz_insert',
	'INSERT INTO activity (lead_id, kind) VALUES (4, ''webinar'')',
	'ALTER TABLE activity ENABLE TRIGGER zz_insert') $$,
	$$ VALUES ('card_differs error lead 1') $$, 'a card lacks what is in the log');
SELECT set_has($$ SELECT pg_temp.after('SET LOCAL lead_qual.import = on',
	'UPDATE lead SET country = NULL WHERE lead_id > 4') $$,
	$$ VALUES ('card_differs error lead 2') $$, 'or has what the lead no longer is');
SELECT set_has($$ SELECT pg_temp.after('SET LOCAL lead_qual.import = on',
	'DELETE FROM stage_history WHERE lead_id > 4') $$,
	$$ VALUES ('history_missing error stage_history 2') $$, 'leads without history');
SELECT set_has($$ SELECT pg_temp.after('SET LOCAL lead_qual.import = on',
	'UPDATE lead SET stage = ''nurture'' WHERE lead_id = 6') $$,
	$$ VALUES ('stage_differs error lead 1') $$, 'a lead where no move led it');
SELECT set_has($$ SELECT pg_temp.after('SET LOCAL lead_qual.import = on',
	'UPDATE lead SET cycle = 2 WHERE lead_id = 6') $$,
	$$ VALUES ('stage_differs error lead 1') $$, 'or in a cycle that no move began');
SELECT set_has($$ SELECT pg_temp.after('SET LOCAL lead_qual.import = on',
	'UPDATE stage_history SET entered_at = ''2020-01-01'' WHERE lead_id = 1 AND to_stage = ''sal''') $$,
	$$ VALUES ('history_order error stage_history 2') $$, 'a history out of order');
SELECT set_has($$ SELECT pg_temp.after('SET LOCAL lead_qual.import = on',
	'UPDATE lead SET stage = ''moon'' WHERE lead_id = 6') $$,
	$$ VALUES ('unknown_stage error moon 1') $$, 'a stage that the funnel lacks');
SELECT set_has($$ SELECT pg_temp.after('SET LOCAL lead_qual.import = on',
	'UPDATE lead SET review_at = now() - interval ''61 minutes'' WHERE lead_id = 6') $$,
	$$ VALUES ('review_overdue warning lead 1') $$, 'nobody sweeps the funnel');

-- facts
SELECT set_has($$ SELECT pg_temp.after('INSERT INTO deal (amount) VALUES (100)',
	'INSERT INTO deal_contact SELECT max(deal_id), 1 FROM deal') $$,
	$$ VALUES ('deal_ahead_of_stage warning sal 1') $$, 'D11 a deal is open before the lead is an opportunity');
SELECT set_has($$ SELECT pg_temp.after('INSERT INTO deal (amount, status) VALUES (100, ''won'')',
	'INSERT INTO deal_contact SELECT max(deal_id), 1 FROM deal') $$,
	$$ VALUES ('deal_ahead_of_stage warning sal 1') $$, 'D11 or won before it is a customer');
SELECT set_has($$ SELECT pg_temp.after('SET LOCAL lead_qual.import = on',
	'UPDATE lead SET stage = ''sql'', deals_lost = 1 WHERE lead_id = 6') $$,
	$$ VALUES ('deal_ahead_of_stage warning sql 1') $$, 'D11 or all are lost while it waits as an SQL');
SELECT set_has($$ SELECT pg_temp.after('SET LOCAL lead_qual.import = on',
	'INSERT INTO deal (amount) VALUES (100)', 'INSERT INTO deal_contact SELECT max(deal_id), 1 FROM deal') $$,
	$$ VALUES ('deals_differ error lead 1') $$, 'deals that were not counted');
SELECT set_has($$ SELECT pg_temp.after('INSERT INTO activity (lead_id, kind) VALUES (1, ''tour''), (2, ''tour'')') $$,
	$$ VALUES ('unknown_kind warning tour 2') $$, 'a kind that nobody described');
SELECT set_has($$ SELECT pg_temp.after('UPDATE lead SET source = ''mars'' WHERE lead_id = 6',
	'INSERT INTO activity (lead_id, kind, source) VALUES (1, ''webinar'', ''mars'')') $$,
	$$ VALUES ('unknown_source warning mars 2') $$, 'and a source');
SELECT set_has($$ SELECT pg_temp.after('INSERT INTO activity (lead_id, kind, occurred_at)
		VALUES (1, ''webinar'', now() + interval ''4 minutes''), (1, ''webinar'', now() + interval ''6 minutes'')') $$,
	$$ VALUES ('future_activity warning activity 1') $$, 'an activity from the future');
SELECT is_empty($$ SELECT * FROM pg_temp.found() $$, 'nothing is left of all that');
SELECT lives_ok($$ SELECT * FROM pg_temp.found(NULL) $$, 'deep is the default');

-- sweeping makes it well
UPDATE rule SET points = points + 1 WHERE name = 'webinar';
SELECT is((SELECT rescored FROM sweep_funnel('Crm é', max => 4)), 4::bigint, 'a sweep takes as many as it may');
SELECT is((SELECT n FROM pg_temp.found() WHERE finding = 'card_stale'), 2::bigint, 'the rest wait');
SELECT results_eq($$ SELECT reviewed, rescored, failed FROM sweep_funnel('Crm é') $$,
	$$ VALUES (0::bigint, 2::bigint, 0::bigint) $$, 'for the next');

RESET ROLE;
SET ROLE regress_lq_stranger;
SELECT throws_ok($$ SELECT * FROM check_funnel('Crm é') $$, '42501', NULL, 'only its owner checks a funnel');

RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
