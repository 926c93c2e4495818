-- A value of the user's that is long is shown by its beginning in messages.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(15);

SELECT create_funnel('crm', 'UTC');
CREATE TEMP TABLE long AS SELECT repeat('é', 500000) AS text;
UPDATE crm.transition SET condition = 'company = ''x'' AND reason = ''y''' WHERE from_stage = 'mql' AND to_stage = 'sal';
INSERT INTO crm.lead (email, company) SELECT 'ann@example.com', text FROM long;
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'demo_request');
CREATE TABLE contact (id text PRIMARY KEY, phase text);
INSERT INTO contact SELECT 'a', text FROM long;

-- how long a message with its detail and hint is
CREATE FUNCTION pg_temp.told(statement text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement USING (SELECT l.text FROM long AS l);
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN length(message || detail || hint);
END $$;
SELECT ok(pg_temp.told(statement) < 2000, 'R: a long value is clipped: ' || statement) FROM unnest(ARRAY[
	$$ UPDATE crm.lead SET stage = 'sal' $$,
	$$ UPDATE crm.lead SET stage = $1 $$,
	$$ INSERT INTO crm.lead (email, stage) VALUES ('bob@example.com', $1) $$,
	$$ SELECT why_not('crm', '1', $1) $$,
	$$ SELECT why_not('crm', $1, 'sal') $$,
	$$ SELECT record_activity('crm', $1, 'webinar') $$,
	$$ INSERT INTO crm.answer (lead_id, framework, element, level) VALUES (1, $1, 'x', '+') $$,
	$$ INSERT INTO crm.rule (definition, name, axis, condition, points, kind) VALUES ('default', 'r', 'engagement', 'true', 1, $1) $$,
	$$ INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES ('default', 99, 'lead', $1) $$,
	$$ SELECT copy_definition('crm', $1, 'x') $$,
	$$ SELECT sign_move('crm', '1', $1) $$,
	$$ SELECT framework_levels('crm', '1', $1) $$,
	$$ SELECT may_send('crm', '1', $1) $$,
	$$ SELECT create_funnel('b2b', 'UTC', lead_table => 'contact', lead_key => 'id', stage_column => 'phase') $$]) AS statement;
SELECT throws_ok($$ SELECT sign_move('crm', '1', 'nowhere') $$, '55000', 'no move to stage "nowhere" asks for a signature', 'what is short is shown whole');

SELECT * FROM finish();
ROLLBACK;
