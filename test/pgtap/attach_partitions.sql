-- Leads in a table that is partitioned by something else than their key: a
-- lead that goes to another partition is the same lead, and no writer gets
-- past a guard that way.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL lead_qual.clock = '2026-03-02 09:00+00';
SELECT plan(48);

-- partitions that number their columns otherwise, and rows from before
CREATE TABLE contact (gone int, id text, email text, country text NOT NULL, PRIMARY KEY (id, country)) PARTITION BY LIST (country);
ALTER TABLE contact DROP COLUMN gone;
CREATE TABLE contact_de PARTITION OF contact FOR VALUES IN ('DE', 'AT');
CREATE TABLE contact_fr (country text NOT NULL, went int, email text, id text NOT NULL);
ALTER TABLE contact_fr DROP COLUMN went;
ALTER TABLE contact ATTACH PARTITION contact_fr FOR VALUES IN ('FR');
CREATE TABLE contact_rest PARTITION OF contact DEFAULT PARTITION BY HASH (id);
CREATE TABLE contact_rest_0 PARTITION OF contact_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE contact_rest_1 PARTITION OF contact_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO contact VALUES ('old-de', 'a@example.com', 'DE'), ('old-fr', 'b@example.com', 'FR'), ('old-us', 'c@example.com', 'US');

SELECT lives_ok($$ SELECT create_funnel('crm', 'UTC', lead_table => 'contact', lead_key => 'id', columns => '{"email": "email", "country": "country"}') $$,
	'a funnel attaches to it');
SELECT throws_ok($$ INSERT INTO crm.verdict (lead_id, side, qualified) VALUES ('old-de', 'sales', true), ('nobody', 'sales', true) $$, '23503',
	'insert or update on table "verdict" violates foreign key constraint "verdict_lead_id_fkey"', 'R2: a fact about no row of any partition');
DELETE FROM crm.list WHERE list = 'target_countries' AND value = 'FR';
SELECT is(rescore_funnel('crm'), 3::bigint, 'rows from before are leads, whatever their partition');
SELECT is_empty('SELECT * FROM check_funnel(''crm'')', 'and all is well');

INSERT INTO contact (id, email, country, job_title) VALUES ('ann', 'ann@example.com', 'FR', 'VP Sales'), ('ben', 'ben@example.com', 'DE', NULL);
SELECT is(record_activity('crm', 'ann@example.com', 'demo_request'), true, 'an activity');
SELECT results_eq($$ SELECT tableoid::regclass::text, stage, score(scorecard) FROM contact WHERE id = 'ann' $$, $$ VALUES ('contact_fr', 'mql', 130::numeric) $$,
	'makes an MQL');

-- it goes to another partition, by itself and with a move
UPDATE contact SET country = 'DE', bant = 'B+' WHERE id = 'ann';
SELECT results_eq($$ SELECT tableoid::regclass::text, stage, score(scorecard), cycle FROM contact WHERE id = 'ann' $$, $$ VALUES ('contact_de', 'mql', 135::numeric, 1) $$,
	'in another partition it is who it was, and scored as it is now');
SELECT results_eq($$ SELECT framework, element, level::text FROM crm.answer $$, $$ VALUES ('bant', 'budget', 'yes') $$, 'its answers reach the log');
SELECT is((SELECT count(*) FROM crm.stage_history WHERE lead_id = 'ann'), 2::bigint, 'that is no creation: the history goes on');
UPDATE contact SET country = 'US', stage = 'sal', owner = 'ben', note = 'took over' WHERE id = 'ann';
SELECT results_eq($$ SELECT tableoid::regclass::text LIKE 'contact_rest_%', stage, accepted_at, note FROM contact WHERE id = 'ann' $$,
	$$ VALUES (true, 'sal', '2026-03-02 09:00+00'::timestamptz, NULL::text) $$, 'a move that is allowed is made on the way');
SELECT results_eq($$ SELECT from_stage, to_stage, note, owner FROM crm.stage_history WHERE lead_id = 'ann' ORDER BY history_id DESC LIMIT 1 $$,
	$$ VALUES ('mql', 'sal', 'took over', 'ben') $$, 'and told');
UPDATE contact SET country = 'FR', stage = 'nurture', reason = 'too_early' WHERE id = 'ann';
SELECT results_eq($$ SELECT from_stage, to_stage, reason, automatic FROM crm.stage_history WHERE lead_id = 'ann' ORDER BY history_id DESC LIMIT 1 $$,
	$$ VALUES ('sal', 'nurture', 'too_early', false) $$, 'with what it used up');
SELECT is((SELECT count(*) FROM crm.activity WHERE lead_id = 'ann'), 1::bigint, 'its facts stay with it');

-- each guard, through a move to another partition
CREATE TEMP TABLE wish (wish text, set text, answer text);
INSERT INTO wish VALUES
	('a move that no transition allows', 'stage = ''customer''', '^23514 .*No transition allows this move\.'),
	('a reason that is missing', 'stage = ''disqualified''', '^23514 .*needs reason'),
	('a changed key', 'id = ''eve''', '^23001 '),
	('columns that triggers keep', 'cycle = 9, scorecard = NULL, deals_won = 3', '^done: lead 1 t 0 ');
CREATE FUNCTION pg_temp.attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	detail text;
BEGIN
	EXECUTE statement;
	SELECT format('done: %s %s %s %s %s', stage, cycle, scorecard IS NOT NULL, deals_won, tableoid::regclass) INTO result FROM contact WHERE id = 'ben';
	RAISE EXCEPTION USING ERRCODE = 'LQ001';
EXCEPTION
	WHEN SQLSTATE 'LQ001' THEN RETURN result;
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		RETURN concat_ws(' ', SQLSTATE, SQLERRM, detail);
END $$;
SELECT matches(pg_temp.attempt(replace(template, '{set}', set)), answer, concat(wish, ', ', writer))
FROM wish, (VALUES ('UPDATE to another partition', 'UPDATE contact SET country = ''FR'', {set} WHERE id = ''ben'''),
				   ('through the view', 'UPDATE crm.lead SET country = ''US'', {set} WHERE lead_id = ''ben'''),
				   ('MERGE to another partition', 'MERGE INTO contact USING (VALUES (''ben'')) AS v (k) ON id = k WHEN MATCHED THEN UPDATE SET country = ''FR'', {set}')) AS w (writer, template)
WHERE NOT (writer = 'through the view' AND wish = 'a changed key');
SELECT matches(pg_temp.attempt('UPDATE crm.lead SET country = ''US'', lead_id = ''eve'' WHERE lead_id = ''ben'''), '^23001 ', 'a changed key, through the view');

-- our own write, a savepoint undone in between, triggers of the user's
CREATE FUNCTION prepare() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$ BEGIN NEW.country := upper(NEW.country); RETURN NEW; END $$;
CREATE TRIGGER aa_upper BEFORE INSERT OR UPDATE ON contact FOR EACH ROW EXECUTE FUNCTION prepare();
UPDATE contact SET country = 'FR', stage = 'disqualified', reason = 'outside_audience' WHERE id = 'ben';
SELECT results_eq($$ SELECT tableoid::regclass::text, stage FROM contact WHERE id = 'ben' $$, $$ VALUES ('contact_fr', 'disqualified') $$, 'with a trigger of the user''s');
DO $$ BEGIN
	UPDATE contact SET country = 'DE' WHERE id = 'ben';
	RAISE EXCEPTION 'undo';
EXCEPTION WHEN raise_exception THEN NULL; END $$;
DELETE FROM contact WHERE id = 'ben';
INSERT INTO contact (id, country) VALUES ('ben', 'DE');
SELECT results_eq($$ SELECT stage, cycle FROM contact WHERE id = 'ben' $$, $$ VALUES ('lead', 2) $$, 'what was undone leaves nothing: one that comes is new, in a cycle of its own');
SELECT is((SELECT count(*) FROM crm.stage_history WHERE lead_id = 'ben' AND from_stage IS NULL), 2::bigint, 'and its history says so');
INSERT INTO crm.activity (lead_id, kind) VALUES ('old-de', 'webinar'), ('old-fr', 'webinar'), ('old-us', 'demo_request');
SELECT results_eq($$ SELECT id, hits(scorecard, r.rule_id) FROM contact, crm.rule AS r WHERE id LIKE 'old%' AND r.name = 'webinar' ORDER BY id $$,
	$$ VALUES ('old-de', 1::bigint), ('old-fr', 1), ('old-us', 0) $$, 'one statement updates leads of all partitions');

-- a trigger of the user's takes leads on before ours have heard of the first move
CREATE FUNCTION take_on() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$ BEGIN
	UPDATE contact SET country = 'AR' WHERE id = replace(NEW.id, 'one', 'two') AND country = 'FR' AND stage = 'disqualified';
	RETURN NULL;
END $$;
CREATE TRIGGER "A_take_on" AFTER INSERT ON contact FOR EACH ROW EXECUTE FUNCTION take_on();
INSERT INTO contact (id, country) VALUES ('one', 'DE'), ('two', 'DE');
SELECT lives_ok($$ UPDATE contact SET country = 'FR', stage = 'disqualified', reason = 'outside_audience' WHERE id IN ('one', 'two') $$, 'a move within a move');
SELECT results_eq($$ SELECT id, country, stage FROM contact WHERE id IN ('one', 'two') ORDER BY id $$, $$ VALUES ('one', 'FR', 'disqualified'), ('two', 'AR', 'disqualified') $$, 'goes where it goes');
SELECT results_eq($$ SELECT lead_id, from_stage, to_stage, reason FROM crm.stage_history WHERE lead_id IN ('one', 'two') ORDER BY lead_id, history_id $$,
	$$ VALUES ('one', NULL, 'lead', NULL), ('one', 'lead', 'disqualified', 'outside_audience'), ('two', NULL, 'lead', NULL), ('two', 'lead', 'disqualified', 'outside_audience') $$,
	'and is told once');
DROP TRIGGER "A_take_on" ON contact;

-- facts go with a lead, not with a move
DELETE FROM contact WHERE id = 'ann';
SELECT is_empty($$ SELECT lead_id FROM crm.activity WHERE lead_id = 'ann' UNION ALL SELECT lead_id FROM crm.answer WHERE lead_id = 'ann' $$, 'facts go with a deleted lead');
SELECT is((SELECT count(*) FROM crm.stage_history WHERE lead_id = 'ann'), 4::bigint, 'its history does not');
SELECT lives_ok($$ SELECT erase_lead('crm', 'old-us') $$, 'a person is erased');
SELECT is_empty($$ SELECT FROM crm.activity WHERE lead_id = 'old-us' $$, 'with what it did');
SELECT is_empty('SELECT * FROM check_funnel(''crm'') WHERE finding <> ''history_order''', 'all is well');

-- a partition that comes later has the triggers; one that lost them is told of
CREATE TABLE contact_it PARTITION OF contact FOR VALUES IN ('IT');
INSERT INTO contact_it (id, country) VALUES ('it', 'IT');
SELECT is((SELECT stage FROM contact WHERE id = 'it'), 'lead', 'a partition that comes later is guarded, too');
ALTER TABLE contact_it DISABLE TRIGGER zz_qualify;
SELECT results_eq($$ SELECT finding, severity, object FROM check_funnel('crm') WHERE finding ~ 'trigger' ORDER BY finding $$,
	$$ VALUES ('partition_without_triggers', 'warning', 'public.contact_it'), ('trigger_disabled', 'error', 'contact_it.zz_qualify') $$, 'a trigger that is off there is told of, and one of statements that is not there');
SELECT is((SELECT action FROM repair_funnel('crm') WHERE finding = 'trigger_disabled'), 'ALTER TABLE public.contact_it ENABLE TRIGGER zz_qualify', 'and repaired');
SELECT throws_ok($$ UPDATE contact_it SET stage = 'customer' $$, '23514', NULL, 'guards hold by the partition''s own name');

-- a TRUNCATE of a partition by its own name would leave facts without leads
SELECT throws_ok(format('TRUNCATE %I', p), '0A000', NULL, 'TRUNCATE of ' || p) FROM unnest('{contact_de,contact_rest,contact_rest_1,contact_it}'::text[]) AS p;
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding <> 'history_order' $$, 'nothing is wrong');
SELECT lives_ok($$ SELECT detach_funnel('crm') $$, 'the funnel is detached');
SELECT is_empty($$ SELECT tgname FROM pg_trigger AS t, pg_partition_tree('contact') AS p WHERE t.tgrelid = p.relid AND tgname ~ '^zz|record' $$, 'no trigger of it is left on a partition');

SELECT * FROM finish();
ROLLBACK;
