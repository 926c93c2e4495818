-- An activity that goes is subtracted: without a frequency limit the log need
-- not be read, however long it is.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(21);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (1), (2);
INSERT INTO activity (lead_id, kind, occurred_at, activity_id) OVERRIDING SYSTEM VALUE
	SELECT 1, (ARRAY['website_visit', 'webinar', 'email_open', 'meeting'])[1 + g % 4], timestamptz '2026-01-01Z' + g * interval '25 minutes', g FROM generate_series(1, 3000) AS g;
-- the same, as it will be
INSERT INTO activity (lead_id, kind, occurred_at, activity_id) OVERRIDING SYSTEM VALUE
	SELECT 2, kind, occurred_at, activity_id FROM activity WHERE activity_id NOT IN (1, 2, 3, 1500, 1501, 2990);

CREATE FUNCTION pg_temp.card(lead bigint) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('last', last_activity(scorecard), 'as_of', as_of(scorecard), 'rules',
		(SELECT jsonb_agg(jsonb_build_array(rule, hits, last_hit, round(points(scorecard, r.rule_id, funnel_now())::numeric, 9)) ORDER BY rule)
		 FROM explain_score('crm', lead_id, funnel_now()) AS e JOIN crm.rule AS r ON r.name = e.rule AND definition = 'default'))
	FROM crm.lead WHERE lead_id = $1 $$;
-- rows of the log that a statement makes this transaction fetch
CREATE FUNCTION pg_temp.reads(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint := pg_stat_get_xact_tuples_fetched('crm.activity'::regclass) + pg_stat_get_xact_tuples_returned('crm.activity'::regclass);
BEGIN
	EXECUTE statement;
	RETURN pg_stat_get_xact_tuples_fetched('crm.activity'::regclass) + pg_stat_get_xact_tuples_returned('crm.activity'::regclass) - before;
END $$;

SELECT cmp_ok(pg_temp.reads('DELETE FROM crm.activity WHERE lead_id = 1 AND activity_id = 1500 AND occurred_at = timestamptz ''2026-01-01Z'' + 1500 * interval ''25 minutes'''),
	'<', 10::bigint, 'R9: one of a long log goes, and the rest is not read');
SELECT is((SELECT hits FROM explain_score('crm', 1) WHERE rule = 'website_visit'), 749::bigint, 'it counts no more');
SELECT cmp_ok(pg_temp.reads('DELETE FROM crm.activity WHERE lead_id = 1 AND occurred_at = timestamptz ''2026-01-01Z'' + 2990 * interval ''25 minutes'''), '<', 10::bigint,
	'R9: nor for one near its end');
DELETE FROM activity WHERE lead_id = 1 AND activity_id IN (1, 2, 3);
UPDATE activity SET kind = 'webinar' WHERE lead_id = 1 AND activity_id = 1501;
DELETE FROM activity WHERE lead_id = 1 AND activity_id = 1501;
SELECT is(pg_temp.card(1), pg_temp.card(2), 'R9: the card is what the rest of the log gives');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding = 'card_differs' $$, 'R9: to 1e-9');
SELECT cmp_ok(pg_temp.reads('UPDATE crm.activity SET kind = ''webinar'' WHERE lead_id = 1 AND occurred_at = timestamptz ''2026-01-01Z'' + 1000 * interval ''25 minutes'''),
	'<', 10::bigint, 'R9: a corrected one is taken back and added');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding = 'card_differs' $$, 'R9: and counts as what it is now');

-- what subtraction does not tell is looked for from the end of the log
SELECT cmp_ok(pg_temp.reads('DELETE FROM crm.activity WHERE lead_id = 1 AND occurred_at = timestamptz ''2026-01-01Z'' + 3000 * interval ''25 minutes'''),
	'<', 50::bigint, 'R9: the latest goes, and what was before it is found at the end of the log');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding = 'card_differs' $$, 'R9: the latest goes, and the one before it is the latest');
SELECT is(last_activity(scorecard), (SELECT max(occurred_at) FROM activity WHERE lead_id = 1 AND kind <> 'meeting'), 'R9: of those that the lead did') FROM lead WHERE lead_id = 1;
SELECT is(as_of(scorecard), (SELECT max(last_hit) FROM explain_score('crm', '1')), 'R9: as of when the card is') FROM lead WHERE lead_id = 1;
SELECT max(last_hit) AS last_webinar FROM explain_score('crm', '1') WHERE rule = 'webinar' \gset
SELECT cmp_ok(pg_temp.reads(format('DELETE FROM crm.activity WHERE lead_id = 1 AND occurred_at = %L', :'last_webinar')),
	'<', 50::bigint, 'R9: so for the latest of a rule');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding = 'card_differs' $$, 'R9: and that is the last hit of it');
INSERT INTO activity (lead_id, kind, occurred_at) VALUES (1, 'demo_request', '2026-01-05Z');
SELECT cmp_ok(pg_temp.reads('DELETE FROM crm.activity WHERE lead_id = 1 AND kind = ''demo_request'' AND occurred_at = ''2026-01-05Z'''), '<', 10::bigint, 'R9: the only one of a rule goes');
SELECT is((SELECT count(*) FROM explain_score('crm', 1) WHERE rule = 'demo_request'), 0::bigint, 'R9: the only one of a rule leaves nothing');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding = 'card_differs' $$, 'R9: as in the log');
SELECT cmp_ok(pg_temp.reads('DELETE FROM crm.activity WHERE lead_id = 1 AND occurred_at BETWEEN ''2026-01-02Z'' AND timestamptz ''2026-01-02Z'' + 1200 * interval ''25 minutes'''),
	'<', 2500::bigint, 'R9: of more than a thousand no more is read than goes');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding = 'card_differs' $$, 'R9: and the card is right');
UPDATE rule SET max_hits = 2, per = '1 day' WHERE name = 'webinar';
SELECT ok(rescore_funnel('crm') > 0, 'with a frequency limit');
DELETE FROM activity WHERE lead_id = 1 AND activity_id = (SELECT activity_id FROM activity WHERE lead_id = 1 AND kind = 'webinar' ORDER BY occurred_at LIMIT 1 OFFSET 5);
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding = 'card_differs' $$, 'R9: another takes the place of one that goes: the log is read');
DELETE FROM activity WHERE lead_id = 1;
SELECT is(score(scorecard), 0::numeric, 'R9: many at once, too') FROM lead WHERE lead_id = 1;

SELECT * FROM finish();
ROLLBACK;
