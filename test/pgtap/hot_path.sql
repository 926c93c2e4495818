-- What happens most often does no more work than it needs.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SET LOCAL enable_seqscan = off;
SELECT plan(5);

SELECT create_funnel('crm', 'UTC');
CREATE FUNCTION pg_temp.reads_leads(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint := pg_stat_get_xact_tuples_fetched('crm.lead'::regclass) + pg_stat_get_xact_tuples_returned('crm.lead'::regclass);
BEGIN
	EXECUTE statement;
	RETURN pg_stat_get_xact_tuples_fetched('crm.lead'::regclass) + pg_stat_get_xact_tuples_returned('crm.lead'::regclass) - before;
END $$;

SELECT is(pg_temp.reads_leads($$ INSERT INTO crm.lead (email) VALUES ('a@example.com'), ('b@example.com') $$), 0::bigint,
	'R11: a lead that comes is not looked for when its history is written');
INSERT INTO crm.activity (lead_id, kind) SELECT lead_id, 'demo_request' FROM crm.lead;
SELECT is(pg_temp.reads_leads($$ UPDATE crm.lead SET stage = 'sal' WHERE lead_id = 1 $$), pg_temp.reads_leads($$ UPDATE crm.lead SET full_name = 'x' WHERE lead_id = 1 $$),
	'R11: nor one that moves');
SELECT is((SELECT count(*) FROM crm.stage_history WHERE lead_id = 1), 3::bigint, 'which is written');

-- what a trigger of the user's writes of another lead meanwhile is looked at
CREATE FUNCTION pg_temp.other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	SET LOCAL lead_qual.import = on;
	INSERT INTO crm.stage_history (lead_id, to_stage, entered_at, cycle) VALUES (77, 'lead', '2026-01-01', 1);
	RETURN NULL;
END $$;
CREATE TRIGGER b AFTER INSERT ON crm.stage_history FOR EACH ROW WHEN (NEW.lead_id = 2) EXECUTE FUNCTION pg_temp.other();
SELECT throws_ok($$ UPDATE crm.lead SET stage = 'sal' WHERE lead_id = 2 $$, '23503', NULL, 'that it names no lead which is not there is still proven');
SELECT is((SELECT stage FROM crm.lead WHERE lead_id = 2), 'mql', 'and all is as before');

SELECT * FROM finish();
ROLLBACK;
