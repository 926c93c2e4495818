-- Table journey after any sequence of what may happen: each step is one of what
-- people, sales, time, policy and care do, by chance but always the same.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(4);
\ir helper/journey.sql

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
UPDATE rule SET max_hits = NULL, per = NULL WHERE definition = 'default';
CREATE TEMP TABLE done (step int, what text, outcome text, unlike text);

CREATE FUNCTION pg_temp.some(VARIADIC list text[]) RETURNS text LANGUAGE sql VOLATILE AS
	'SELECT list[1 + floor(random() * cardinality(list))::int]';
CREATE FUNCTION pg_temp.lead() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT 1 + floor(random() * 8)::bigint';

CREATE FUNCTION pg_temp.step() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	what text;
	statement text;
BEGIN
	what := pg_temp.some('insert', 'insert', 'heat', 'heat', 'heat', 'sales', 'sales', 'sales', 'several', 'move', 'move', 'move', 'move', 'move', 'sweep',
		'log', 'unlog', 'archive', 'delete', 'erase', 'merge', 'void', 'load', 'reload', 'stage', 'kind', 'forget', 'savepoint', 'many');
	CASE what
		WHEN 'insert' THEN statement := format('INSERT INTO lead (lead_id, source, owner) OVERRIDING SYSTEM VALUE VALUES (%s, %L, %L)', pg_temp.lead(), pg_temp.some('event', 'referral'), pg_temp.some('ben', 'eve'));
		WHEN 'heat' THEN statement := format('INSERT INTO activity (lead_id, kind) VALUES (%s, ''demo_request'')', pg_temp.lead());
		WHEN 'sales' THEN statement := format('INSERT INTO activity (lead_id, kind, occurred_at) VALUES (%s, %L, funnel_now() - %L::interval)', pg_temp.lead(), pg_temp.some('sales_call', 'sales_email'), pg_temp.some('0', '1 day', '3 days', '-3 minutes', '-1 day'));
		WHEN 'several' THEN statement := format('INSERT INTO activity (lead_id, kind, occurred_at) SELECT l, k, funnel_now() - i * interval ''1 day'' FROM unnest(ARRAY[%s, %s]) AS l, unnest(''{sales_call,sales_email,webinar}''::text[]) AS k, generate_series(0, 2) AS i', pg_temp.lead(), pg_temp.lead());
		WHEN 'move' THEN statement := format('UPDATE lead SET stage = %L, reason = %L, bant = ''B+ A+ N+ T+'', owner = %L WHERE lead_id = %s', pg_temp.some('mql', 'sal', 'sql', 'opportunity', 'customer', 'nurture', 'disqualified', 'lost', 'lead'),
			pg_temp.some('too_early', 'no_budget', 'outside_audience'), pg_temp.some('ben', 'eve'), pg_temp.lead());
		WHEN 'sweep' THEN statement := 'SELECT sweep_funnel(''crm'', 100)';
		WHEN 'log' THEN statement := format('UPDATE activity SET occurred_at = occurred_at + %L::interval, kind = %L WHERE lead_id = %s', pg_temp.some('-1 day', '1 day'), pg_temp.some('sales_call', 'sales_email', 'webinar'), pg_temp.lead());
		WHEN 'unlog' THEN statement := format('DELETE FROM activity WHERE lead_id = %s AND kind = %L', pg_temp.lead(), pg_temp.some('sales_call', 'sales_email'));
		WHEN 'archive' THEN statement := format('SELECT archive_activities(''crm'', funnel_now() - %L::interval)', pg_temp.some('2 days', '30 days'));
		WHEN 'delete' THEN statement := format('DELETE FROM lead WHERE lead_id = %s', pg_temp.lead());
		WHEN 'erase' THEN statement := format('SELECT erase_lead(''crm'', %L)', pg_temp.lead());
		WHEN 'merge' THEN statement := format('SELECT merge_leads(''crm'', %L, %L)', pg_temp.lead()::text, pg_temp.lead()::text);
		WHEN 'void' THEN statement := 'SELECT void_moves(''crm'', ARRAY[(SELECT history_id FROM stage_history WHERE voided_at IS NULL ORDER BY random() LIMIT 1)], ''why'')';
		WHEN 'load' THEN statement := format('INSERT INTO stage_history (lead_id, to_stage, entered_at) SELECT lead_id, %L, funnel_now() - %L::interval FROM lead WHERE lead_id = %s', pg_temp.some('mql', 'sql', 'nurture', 'customer'), pg_temp.some('1 day', '10 days', '0'), pg_temp.lead());
		WHEN 'reload' THEN statement := format('DELETE FROM lead WHERE lead_id = %1$s; INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (%1$s)', pg_temp.lead());
		WHEN 'stage' THEN statement := format('UPDATE stage SET milestone = %L WHERE stage = ''sal''', pg_temp.some('sal', 'sql', 'mql'));
		WHEN 'kind' THEN statement := format('UPDATE kind SET party = %L, conversation = %L WHERE kind = ''sales_email''', pg_temp.some('sales', 'marketing'), pg_temp.some('t', 'f'));
		WHEN 'forget' THEN statement := CASE WHEN random() < 0.3 THEN format('SELECT forget_leads(''crm'', ARRAY[%L])', pg_temp.lead()) ELSE 'SELECT 1' END;
		WHEN 'savepoint' THEN statement := format('DELETE FROM lead WHERE lead_id = %s; SELECT 1 / 0', pg_temp.lead());
		WHEN 'many' THEN statement := 'UPDATE lead SET stage = ''nurture'', reason = ''too_early'' WHERE stage IN (''mql'', ''sal'')';
	END CASE;
	PERFORM set_config('lead_qual.import', CASE WHEN what IN ('load', 'reload') THEN 'on' ELSE 'off' END, true);
	BEGIN
		EXECUTE statement;
		PERFORM set_config('lead_qual.import', 'off', true);
		IF what IN ('load', 'reload') THEN
			PERFORM rebuild_history('crm');
		END IF;
		RETURN what || ' done';
	EXCEPTION WHEN OTHERS THEN
		PERFORM set_config('lead_qual.import', 'off', true);
		IF left(SQLSTATE, 2) IN ('XX', '42') THEN
			RAISE;
		END IF;
		RETURN concat_ws(' ', what, SQLSTATE, SQLERRM);
	END;
END $$;

SELECT setseed(0.42);
DO $$
DECLARE
	outcome text;
BEGIN
	FOR i IN 1 .. 500 LOOP
		PERFORM set_config('lead_qual.clock', (timestamptz '2026-01-01Z' + i * interval '13 hours')::text, true);
		outcome := pg_temp.step();
		INSERT INTO done SELECT i, split_part(outcome, ' ', 1), outcome, (SELECT string_agg(u, E'\n') FROM pg_temp.unlike('crm') AS u);
	END LOOP;
END $$;
SELECT is((SELECT format('step %s, %s: %s', step, outcome, unlike) FROM done WHERE unlike IS NOT NULL ORDER BY step LIMIT 1), NULL, 'after any sequence of operations, the table is what the statement makes anew');
SELECT cmp_ok((SELECT count(DISTINCT what) FROM done WHERE outcome LIKE '% done'), '>=', 19::bigint, 'all of them happened, but for what was undone');
SELECT _rebuild_journey('crm', NULL::text[]) AS rebuilt \gset
SELECT is(:rebuilt, 0, 'there is nothing to make anew');

SELECT is_empty($$ SELECT finding, detail FROM check_funnel('crm') WHERE finding NOT IN ('card_stale', 'review_overdue') $$, 'and all is well but for time and policy');

SELECT * FROM finish();
ROLLBACK;
