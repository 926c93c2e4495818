-- What is said of a column that was altered, also in the midst of our work,
-- and of a template that the library does not serve.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(13);

-- SQLSTATE, message and hint of a statement, undone
CREATE FUNCTION pg_temp.said(VARIADIC statements text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	s text;
	hint text;
BEGIN
	FOREACH s IN ARRAY statements LOOP
		EXECUTE s;
	END LOOP;
	RAISE EXCEPTION 'done' USING ERRCODE = 'LQ001';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(hint, ''));
END $$;
SELECT create_funnel('f', 'UTC');

SELECT is(pg_temp.said('DROP VIEW f.agreement', 'ALTER TABLE f.side DROP CONSTRAINT side_side_check', $$DELETE FROM f.side WHERE side <> 'sales'$$,
	'ALTER TABLE f.side ALTER side TYPE bigint USING 4242424242424242', $$INSERT INTO f.lead (email) VALUES ('x@example.com')$$),
	'42804 | column "side" of relation "side" is of type bigint, not text | The columns that create_funnel() made must keep their types: ALTER TABLE f.side ALTER COLUMN side TYPE text USING ...',
	'S2: side.side as bigint');
SELECT alike(pg_temp.said('DROP VIEW f.agreement CASCADE',
	'DO $d$ DECLARE c name; BEGIN FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = ''f.transition''::regclass AND contype = ''c'' LOOP EXECUTE format(''ALTER TABLE f.transition DROP CONSTRAINT %I'', c); END LOOP; END $d$',
	'ALTER TABLE f.transition ALTER sides TYPE int[] USING ARRAY[4096]', $$INSERT INTO f.lead (email) VALUES ('x@example.com')$$),
	'42804 | column "sides" of relation "transition" is of type integer[], not text[] | %', 'S2: transition.sides as integer[]');
SELECT alike(pg_temp.said('CREATE DOMAIN f.weak AS bigint', 'ALTER TABLE f.holiday DROP CONSTRAINT holiday_day_check', 'ALTER TABLE f.holiday ALTER day TYPE f.weak USING 1', $$INSERT INTO f.lead (email) VALUES ('x@example.com')$$),
	'%is of type %weak, not date%', 'S2: a domain over another type');
SELECT alike(pg_temp.said('CREATE DOMAIN f.name AS varchar(40)', 'DROP VIEW f.agreement', 'ALTER TABLE f.side DROP CONSTRAINT side_side_check',
	'ALTER TABLE f.side ALTER side TYPE f.name', $$INSERT INTO f.lead (email) VALUES ('x@example.com')$$),
	'LQ001%', 'a domain over varchar will do for text');
SELECT alike(pg_temp.said('ALTER TABLE f.activity ADD a bigint DEFAULT 4096, ADD event bigint DEFAULT 4096', 'ALTER TABLE f.account ADD a bigint DEFAULT 4096', 'ALTER TABLE f.kind ADD t bigint DEFAULT 4096',
	'ALTER TABLE f.lead ADD l bigint DEFAULT 4096', $$INSERT INTO f.account (name) VALUES ('a')$$,
	$$INSERT INTO f.rule (definition, name, axis, condition, points) VALUES ('default', 'at_a', 'fit', 'account.name = ''a''', 1)$$,
	$$INSERT INTO f.lead (lead_id, account_id) VALUES (7, 1)$$, $$INSERT INTO f.activity (lead_id, kind) VALUES (7, 'webinar')$$,
	$$SELECT rescore_funnel('f'), why_not('f', 7, 'sql'), archive_activities('f', funnel_now())$$),
	'LQ001%', 'S2: columns of the user''s by any name do no harm');

-- in a trigger of the user's, in the midst of our work
INSERT INTO f.lead (lead_id, email) VALUES (7, 'ann@example.com'), (8, 'bob@example.com');
INSERT INTO f.activity (lead_id, kind, occurred_at) VALUES (7, 'webinar', '2026-01-01'), (8, 'webinar', '2026-01-01');
SET LOCAL lead_qual.clock = '2026-02-01';
SELECT archive_activities('f', '2026-01-15');
CREATE TABLE todo (statement text);
CREATE FUNCTION alters() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	s text;
BEGIN
	DELETE FROM public.todo RETURNING statement INTO s;
	IF FOUND THEN
		EXECUTE s;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER alters AFTER UPDATE ON f.lead FOR EACH ROW EXECUTE FUNCTION alters();
INSERT INTO f.activity (lead_id, kind) VALUES (7, 'webinar'), (8, 'webinar');
SELECT alike(pg_temp.said(format('INSERT INTO todo VALUES (%L)', statement), by), expected, 'S2: ' || statement)
FROM (VALUES ('ALTER TABLE f.baseline ALTER scorecard TYPE bigint USING 4096', $$UPDATE f.activity SET kind = 'demo_request'$$, '42804 | a table of funnel "f" was altered%'),
			 ('ALTER TABLE f.baseline DROP scorecard CASCADE', $$UPDATE f.activity SET kind = 'demo_request'$$, '42703 |%'),
			 -- it goes on past leads that fail
			 ('ALTER TABLE f.activity ALTER source TYPE bigint USING 4096', $$SELECT rescore_funnel('f')$$, '%')) AS v (statement, by, expected);
SELECT alike(pg_temp.said($$INSERT INTO todo VALUES ('ALTER TABLE f.element DROP framework CASCADE')$$,
	$$INSERT INTO f.answer (lead_id, framework, element, level) VALUES (7, 'bant', 'need', 'yes'), (8, 'bant', 'need', 'no')$$),
	'%', 'S2: answers of two leads, of which the first alters a table');

-- the template
SELECT alike(pg_temp.said(format('SET LOCAL lead_qual.import = on; UPDATE f.setting SET template_version = %s', v), 'SET LOCAL lead_qual.import = off',
	$$INSERT INTO f.lead (email) VALUES ('x@example.com')$$), format('0A000 | template version %s of funnel "f" is not supported | %s%%', v, hint), 'template ' || v)
FROM (VALUES (0, 'Table "setting" says'), (2147483647, 'Reconnect: '), (-1, 'Table')) AS t (v, hint);
SELECT lives_ok($$ INSERT INTO f.lead (lead_id, email) VALUES (70, 'y@example.com') $$, 'and all is as before');

SELECT * FROM finish();
ROLLBACK;
