-- record_activity() and move_leads(): what applications and people do.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(34);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_app;
DO $$ BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database());
END $$;
SET ROLE regress_lq_owner;
SELECT create_funnel('Crm é');
INSERT INTO "Crm é".lead (external_id, email) VALUES
	('c-1', 'Ann@Example.com'), ('ben@example.com', 'ben@work.example'), (NULL, 'ben@example.com'),
	(NULL, 'cy@example.com');
SELECT grant_funnel('Crm é', 'regress_lq_app', 'app');

--
-- record_activity(), by an application
--
SET ROLE regress_lq_app;
SELECT is(record_activity('Crm é', 'c-1', 'webinar'), true, 'a lead is found by its external id');
SELECT is(record_activity('Crm é', 'ANN@example.COM', 'webinar'), true, 'and by its address in any case');
SELECT throws_ok($$ SELECT record_activity('Crm é', 'ben@example.com', 'ad_click') $$, '21000', NULL, 'A2: the external id of one lead and the address of another');
SELECT is(record_activity('Crm é', 'external_id:ben@example.com', 'ad_click'), true, 'A2: is settled by saying what it is');
SELECT is(record_activity('Crm é', 'c-1', 'ebook_download', external_id => 'evt-1'), true,
	'an activity with an id of the sender''s');
SELECT is(record_activity('Crm é', 'c-1', 'ebook_download', external_id => 'evt-1'), false,
	'counts once, however often it is sent');
SELECT is(record_activity('Crm é', 'cy@example.com', 'ebook_download', external_id => 'evt-1'), true,
	'ids of senders are unique for a lead only');
SELECT throws_ok($$ SELECT record_activity('Crm é', 'nobody', 'webinar') $$, 'P0002', NULL,
	'a lead that nobody knows is an error');
SELECT throws_ok($$ SELECT record_activity('Crm é', 'nobody', 'webinar', external_id => 'evt-1') $$,
	'P0002', NULL, 'with an id as well');
SELECT throws_ok($$ SELECT record_activity('Crm é', NULL, 'webinar') $$, '22004', NULL, 'no lead');
SELECT throws_ok($$ SELECT record_activity('Crm é', 'c-1', NULL) $$, '23502', NULL, 'no kind');
SELECT throws_ok($$ SELECT record_activity('nowhere', 'c-1', 'webinar') $$, '3F000', NULL, 'no funnel');
SELECT throws_ok($$ SELECT record_activity('public', 'c-1', 'webinar') $$, '42809', NULL,
	'a schema that is no funnel');
SELECT is(record_activity('Crm é', 'c-1', 'pricing_page_view', now() - interval '1 day', 'email', 'spring',
						  NULL, 'site', 'evt-2'), true, 'everything given');
SELECT throws_ok($$ SELECT count(*) FROM "Crm é".activity WHERE kind <> '' $$, '42501', NULL,
	'R003-17 an application reads no log to add to it');

SET ROLE regress_lq_owner;
SELECT results_eq($$ SELECT lead_id, count(*) FROM "Crm é".activity GROUP BY 1 ORDER BY 1 $$,
	$$ VALUES (1::bigint, 4::bigint), (2, 1), (4, 1) $$, 'R001-07 all events are kept');
SELECT results_eq($$ SELECT occurred_at, source, campaign, properties, actor
	FROM "Crm é".activity WHERE external_id = 'evt-2' $$,
	$$ VALUES (now() - interval '1 day', 'email', 'spring', jsonb '{}', 'site') $$, 'as they were given');
SELECT is((SELECT occurred_at FROM "Crm é".activity WHERE lead_id = 2), now(),
	'an activity without a date happens now');
SELECT results_eq($$ SELECT stage, score(scorecard) FROM "Crm é".lead WHERE lead_id = 1 $$,
	$$ VALUES ('lead', round(2 * 20 + 15 + 15 * 2 ^ (-1/14.0), 2)) $$,
	'R003-19 event insert and score are visible in one transaction');
SELECT record_activity('Crm é', 'c-1', 'demo_request');
SELECT is((SELECT stage FROM "Crm é".lead WHERE lead_id = 1), 'mql', 'and so is the stage');

--
-- move_leads()
--
SELECT record_activity('Crm é', 'cy@example.com', 'demo_request');
SELECT results_eq($$ SELECT lead, moved, sqlstate FROM move_leads('Crm é', '{4,2,x,1,01,99,NULL}', 'sal') $$,
	$$ VALUES ('x', false, 'P0002'), ('99', false, 'P0002'), ('1', true, NULL), ('2', false, '23514'), ('4', true, NULL) $$,
	'a result for each lead: who is not found, then the others in the order of keys');
SELECT results_eq('SELECT lead_id, stage FROM "Crm é".lead ORDER BY 1',
	$$ VALUES (1::bigint, 'sal'), (2, 'lead'), (3, 'lead'), (4, 'sal') $$, 'who may move has moved');
SELECT results_eq($$ SELECT moved, sqlstate, message FROM move_leads('Crm é', '{1}', 'sal') $$,
	$$ VALUES (false, NULL, 'lead is in stage "sal" already') $$, 'who is there already stays');
SELECT is((SELECT message FROM move_leads('Crm é', '{1}', 'sql')),
	'cannot move lead from stage "sal" to "sql"', 'a refusal keeps its message');
SELECT matches((SELECT detail FROM move_leads('Crm é', '{1}', 'sql')), 'met\(bant\) >= 3', 'its detail');
SELECT matches((SELECT hint FROM move_leads('Crm é', '{1}', 'sql')), 'nurture', 'and its hint');
SELECT is((SELECT sqlstate FROM move_leads('Crm é', '{1}', 'moon')), '23514', 'a stage that does not exist');
SELECT is((SELECT moved FROM move_leads('Crm é', '{1}', 'nurture')), false, 'a reason is needed');
SELECT is((SELECT moved FROM move_leads('Crm é', '{1}', 'nurture', 'no_budget', 'next year')), true,
	'R004-11 and given');
SELECT results_eq($$ SELECT reason, note, actor FROM "Crm é".stage_history WHERE to_stage = 'nurture' $$,
	$$ VALUES ('no_budget', 'next year', 'regress_lq_owner') $$, 'it stands in the history');
SELECT is_empty($$ SELECT * FROM move_leads('Crm é', '{}', 'sal') $$, 'no leads');
SELECT is_empty($$ SELECT * FROM move_leads('Crm é', NULL, 'sal') $$, 'none at all');
SELECT throws_ok($$ SELECT * FROM move_leads('Crm é', '{1}', NULL) $$, '22004', NULL, 'no stage');
SET ROLE regress_lq_app;
SELECT is((SELECT sqlstate FROM move_leads('Crm é', '{2}', 'disqualified', 'spam')), '42501',
	'moving leads takes the right to update them');

RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
