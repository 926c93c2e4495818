-- Whoever may create functions in the extension's schema plants overloads of
-- every function and operator of ours that a careless call would fit better.
-- Then all that a funnel does is done: none is called, no call is ambiguous.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(9);

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_app;
CREATE ROLE regress_lq_sales;
CREATE ROLE regress_lq_marketing;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;

-- what is planted puts down its number, which no rollback undoes
CREATE SCHEMA trap;
CREATE SEQUENCE trap.sprung MINVALUE 0 START 0;
CREATE TABLE trap.planted (id serial PRIMARY KEY, what text);
INSERT INTO trap.planted VALUES (1000000, 'own.=(varchar, varchar)');
GRANT USAGE ON SCHEMA trap TO public;
GRANT ALL ON SEQUENCE trap.sprung TO public;
CREATE FUNCTION trap.sprung_by() RETURNS text LANGUAGE sql AS
	$$ SELECT coalesce((SELECT what FROM trap.planted WHERE id = (SELECT last_value FROM trap.sprung)), 'nothing') $$;

-- the types of which an argument may be, where one of another is declared
CREATE FUNCTION trap.near(declared regtype) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_prepend(declared, array_remove(CASE
		WHEN declared::text = 'text' THEN '{name,varchar,"\"char\""}'
		WHEN declared::text = 'name' THEN '{text,varchar}'
		WHEN declared::text = '"char"' THEN '{text,name}'
		WHEN declared::text IN ('smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision')
			THEN '{smallint,integer,bigint,numeric,"double precision",text}'
		WHEN declared::text = 'oid' OR declared::text ~ '^reg' THEN '{oid,regclass,regnamespace,integer,bigint,text}'
		WHEN declared::text ~ '^timestamp|^date$' THEN '{timestamptz,timestamp,date,text}'
		WHEN declared::text IN ('json', 'jsonb') THEN '{json,jsonb,text,anyelement}'
		-- but for bigint, which people's calls below have
		WHEN declared::text ~ '^"?any' THEN '{text,name,varchar,integer,uuid}'
		WHEN declared::text LIKE '%[]' THEN '{text[],name[],varchar[],text,anyarray}'
		ELSE '{text,anyelement}' END::regtype[], declared))::text[] $$;

-- lists of argument types that differ in one place or in two, or in all
-- places of one type alike
CREATE FUNCTION trap.shapes(declared regtype[]) RETURNS SETOF text LANGUAGE sql AS $$
	WITH other AS (
		SELECT i, n FROM unnest(declared) WITH ORDINALITY AS d (type, i), unnest((trap.near(type))[2:]) AS n
	), changed AS (
		SELECT jsonb_build_object(i, n) AS by FROM other
		UNION SELECT jsonb_build_object(a.i, a.n, b.i, b.n) FROM other AS a JOIN other AS b ON a.i < b.i WHERE cardinality(declared) <= 5
		UNION SELECT jsonb_object_agg(i, n) FROM (SELECT i, n, declared[i] AS was FROM other) AS o GROUP BY was, n
	), shape AS (
		SELECT ARRAY(SELECT coalesce(by ->> i::text, type::text) FROM unnest(declared) WITH ORDINALITY AS d (type, i) ORDER BY i) AS types FROM changed
		UNION SELECT declared::text[] WHERE cardinality(declared) > 0
		UNION SELECT declared[:n - 1]::text[] || ('VARIADIC ' || declared[n] || '[]') FROM (SELECT cardinality(declared)) AS c (n)
		WHERE n > 0 AND declared[n]::text !~ '\[\]$|^"?any'
	)
	SELECT array_to_string(types, ', ') FROM shape WHERE '"any"' <> ALL (types) $$;

-- generated from the catalogue, so that what comes anew is there
CREATE FUNCTION trap.plant() RETURNS bigint LANGUAGE plpgsql SET check_function_bodies = off AS $$
DECLARE
	p record;
	number integer;
BEGIN
	FOR p IN
		WITH ours AS (
			SELECT f.oid, f.proname, f.proretset, f.prorettype, f.pronargdefaults,
				   ARRAY(SELECT t::regtype FROM unnest(f.proargtypes) WITH ORDINALITY AS a (t, i) ORDER BY i) AS args
			FROM pg_depend AS d JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'lead_qual'
			JOIN pg_proc AS f ON d.classid = 'pg_proc'::regclass AND d.objid = f.oid
			WHERE NOT f.prorettype || f.proargtypes::oid[] && '{trigger,internal,cstring}'::regtype[]::oid[]
		)
		SELECT DISTINCT ON (o.proname, s.shape) o.proname AS name, s.shape,
			   CASE WHEN o.proretset THEN 'SETOF ' ELSE '' END || o.prorettype::regtype AS result
		-- all arguments, and what is left when those with a default are left out
		FROM ours AS o, generate_series(cardinality(o.args) - o.pronargdefaults, cardinality(o.args)) AS given, trap.shapes(o.args[:given]) AS s (shape)
		WHERE to_regprocedure(format('public.%I(%s)', o.proname, replace(s.shape, 'VARIADIC ', ''))) IS NULL
	LOOP
		INSERT INTO trap.planted (what) VALUES (format('%s(%s)', p.name, p.shape)) RETURNING id INTO number;
		EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS ''BEGIN PERFORM setval(''''trap.sprung'''', %s); RAISE EXCEPTION ''''planted''''; END''',
					   p.name, p.shape, p.result, number);
	END LOOP;

	FOR p IN
		SELECT DISTINCT o.oprname AS name, l AS l, r AS r, o.oprresult::regtype AS result
		FROM pg_depend AS d JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'lead_qual'
		JOIN pg_operator AS o ON d.classid = 'pg_operator'::regclass AND d.objid = o.oid, unnest(trap.near(o.oprleft)) AS l, unnest(trap.near(o.oprright)) AS r
		WHERE NOT EXISTS (SELECT FROM pg_operator AS x WHERE x.oprname = o.oprname AND x.oprleft = l::regtype AND x.oprright = r::regtype)
		AND l <> 'anyelement' AND r <> 'anyelement'
	LOOP
		INSERT INTO trap.planted (what) VALUES (format('%s(%s, %s)', p.name, p.l, p.r)) RETURNING id INTO number;
		EXECUTE format('CREATE FUNCTION trap.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS ''BEGIN PERFORM setval(''''trap.sprung'''', %1$s); RAISE EXCEPTION ''''planted''''; END''',
					   number, p.l, p.r, p.result);
		EXECUTE format('CREATE OPERATOR public.%s (leftarg = %s, rightarg = %s, function = trap.operator_%s)', p.name, p.l, p.r, number);
	END LOOP;
	RETURN (SELECT count(*) FROM trap.planted);
END $$;

-- The tour.  A step is done as a role and ends well, or so.  People's calls have
-- exact types here, for only ours are on trial.
CREATE TABLE trap.step (n serial PRIMARY KEY, role text, ends text, statement text);
CREATE FUNCTION trap.steps(role text, ends text, VARIADIC statements text[]) RETURNS void LANGUAGE sql AS
	$$ INSERT INTO trap.step (role, ends, statement) SELECT role, ends, s FROM unnest(statements) AS s $$;

SELECT trap.steps('regress_lq_owner', 'done',
	$$ SELECT create_funnel('crm'::text, 'UTC'::text, 'EUR'::text, NULL::regclass, 'lead_id'::name, '{}'::jsonb, ''::text, NULL::name, '{}'::jsonb) $$,
	$$ SELECT grant_funnel('crm'::text, 'regress_lq_app'::regrole, 'app'::text), grant_funnel('crm'::text, 'regress_lq_app'::regrole, 'analyst'::text),
		grant_funnel('crm'::text, 'regress_lq_sales'::regrole, 'sales'::text), grant_funnel('crm'::text, 'regress_lq_marketing'::regrole, 'marketing'::text) $$,
	$$ UPDATE crm.side SET role = 'regress_lq_' || side WHERE side IN ('sales', 'marketing') $$,
	$$ INSERT INTO crm.account (name, domain) VALUES ('Acme', 'acme.example') $$);
SELECT trap.steps('regress_lq_app', 'done',
	$$ INSERT INTO crm.lead (external_id, email, source, account_id, country) VALUES ('x1', 'ann@example.com', 'web', 1, 'DE'), ('x2', 'bob@example.com', NULL, 1, 'FR'), ('x3', 'cy@example.com', 'web', NULL, NULL) $$,
	$$ INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'demo_request'), (2, 'webinar'), (3, 'webinar') $$,
	$$ SELECT * FROM find_or_create_lead('crm'::text, 'Ann@example.com'::text, NULL::text, '{"company": "Acme"}'::jsonb) $$, $$ SELECT * FROM find_or_create_lead('crm'::text, 'dan@example.com'::text, 'x4'::text, '{"country": "DE", "properties": {"a": 1}}'::jsonb) $$, $$ INSERT INTO crm.lead_alias (lead_id, external_id) VALUES (2, 'bob') $$, $$ SELECT record_activity('crm'::text, 3::bigint, 'webinar'::text, NULL::timestamptz, NULL::text, NULL::text, '{}'::jsonb, NULL::text, NULL::text) $$, $$ SELECT record_activity('crm'::text, 'bob@example.com'::text, 'demo_request'::text, NULL::timestamptz, 'web'::text, NULL::text, '{}'::jsonb, NULL::text, 'e1'::text) $$);
SELECT trap.steps('regress_lq_sales', 'done',
	$$ SELECT * FROM find_or_create_lead('crm'::text, NULL::text, 'x4'::text, '{"company": "Acme", "properties": {"b": 1}}'::jsonb) $$, $$ SELECT * FROM crm.lead_now, crm.inbox $$, $$ SELECT * FROM conversion_by('crm'::text, 'mql'::text, 'sql'::text, '{source,month}'::text[], NULL::date, NULL::date, false), velocity('crm'::text, 'mql'::text, 'sql'::text, 'source'::text) $$, $$ SELECT * FROM funnel_at('crm'::text, now()), forecast_check('crm'::text, now()), plan('crm'::text, 1000::numeric, NULL::date) $$, $$ UPDATE crm.lead SET stage = 'sal', owner = 'ben' WHERE lead_id = 1 $$,
	$$ SELECT * FROM move_leads('crm'::text, ARRAY['2', '77', 'x']::text[], 'sal'::text, NULL::text, 'a note'::text) $$,
	$$ INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'sales_call'), (2, 'sales_call') $$,
	$$ UPDATE crm.lead SET bant = 'B+ A+ N+ T+' WHERE lead_id = 1 $$, $$ INSERT INTO crm.answer (lead_id, framework, element, level) VALUES (2, 'champ', 'challenges', 'yes'), (2, 'bant', 'need', 'yes') $$,
	$$ UPDATE crm.lead SET stage = 'sql' WHERE lead_id = 1 $$, $$ INSERT INTO crm.deal (account_id, amount, status) VALUES (1, 500, 'open') $$,
	$$ INSERT INTO crm.deal_contact (deal_id, lead_id) VALUES (1, 1) $$, $$ UPDATE crm.deal SET status = 'won' $$,
	$$ INSERT INTO crm.verdict (lead_id, side, qualified) VALUES (1, 'sales', true) $$);
SELECT trap.steps('regress_lq_marketing', 'done',
	$$ INSERT INTO crm.verdict (lead_id, side, qualified) VALUES (1, 'marketing', false) $$, $$ INSERT INTO crm.list VALUES ('target_countries', 'XX') $$,
	$$ UPDATE crm.rule SET points = points + 1 WHERE name = 'webinar' $$, $$ INSERT INTO crm.rule (definition, name, axis, condition, points) VALUES ('default', 'good', 'fit', 'met(bant) >= 3 AND country = ''DE''', 5) $$,
	$$ INSERT INTO crm.transition (definition, position, from_stage, to_stage, condition) VALUES ('default', 200, 'lead', 'sql', 'answers_known(answers, ''champ'') > 1 AND bant -> ''need'' = ''yes'' AND bant @> ''N+''') $$,
	$$ UPDATE crm.transition SET condition = 'score > 5' WHERE position = 200 $$, $$ DELETE FROM crm.rule WHERE name = 'good' $$,
	$$ INSERT INTO crm.stage (stage, position, milestone) VALUES ('x', 99, 'lead') $$, $$ DELETE FROM crm.stage WHERE stage = 'x' $$,
	$$ INSERT INTO crm.calendar VALUES (6, '10:00', '12:00') $$, $$ UPDATE crm.stage SET working_time = true WHERE stage = 'mql' $$, $$ UPDATE crm.stage SET working_time = false $$,
	$$ INSERT INTO crm.spend (department, amount, starts_on, ends_on) VALUES ('marketing', 100, current_date - 40, current_date) $$,
	$$ SELECT copy_definition('crm'::text, 'default'::text, 'd2'::text) $$, $$ UPDATE crm.rule SET points = 7 WHERE definition = 'd2' AND name = 'webinar' $$,
	$$ SELECT check_condition('crm'::name, 'fit'::text, 'met(bant) > 1'::text, 'default'::text) $$);
SELECT trap.steps('regress_lq_marketing', '2BP01', $$ DELETE FROM crm.stage WHERE stage = 'sal' $$, $$ DELETE FROM crm.kind WHERE kind = 'webinar' $$, $$ DELETE FROM crm.element WHERE element = 'challenges' $$);
SELECT trap.steps('regress_lq_marketing', '23514', $$ INSERT INTO crm.transition (definition, position, from_stage, to_stage, automatic) VALUES ('default', 201, 'mql', 'sal', true), ('default', 202, 'sal', 'mql', true) $$);
SELECT trap.steps('regress_lq_marketing', '23P01', $$ INSERT INTO crm.calendar VALUES (1, '10:00', '12:00') $$);
SELECT trap.steps('regress_lq_owner', 'done', $$ UPDATE crm.definition SET sides = '{sales}' WHERE definition = 'd2' $$, $$ UPDATE crm.transition SET sides = '{sales}' WHERE definition = 'default' AND to_stage = 'sql' AND NOT exception $$,
	$$ SELECT * FROM check_definition('crm'::text, 'd2'::text) $$, $$ SELECT * FROM preview_definition('crm'::text, 'd2'::text) $$, $$ SELECT * FROM preview_load('crm'::text, 'd2'::text) $$,
	$$ SELECT * FROM compare_definitions('crm'::text, 'default'::text, 'd2'::text) $$, $$ SELECT * FROM definition_at('crm'::text, now()) $$);
SELECT trap.steps('regress_lq_owner', '2BP01', $$ DELETE FROM crm.side WHERE side = 'sales' $$);
SELECT trap.steps('regress_lq_sales', 'done', $$ SELECT sign_definition('crm'::text, 'd2'::text, 'sales'::text, NULL::text) $$, $$ SELECT sign_move('crm'::text, '2'::text, 'sql'::text, NULL::text, NULL::text) $$);
SELECT trap.steps('regress_lq_owner', 'done', $$ SELECT activate_definition('crm'::text, 'd2'::text, 'move'::text) $$, $$ SELECT rescore_funnel('crm'::text, true) $$,
	$$ UPDATE crm.lead SET review_at = now() - interval '1 day' $$, $$ SELECT * FROM sweep_funnel('crm'::text, 10::integer) $$,
	$$ SELECT * FROM explain_score('crm'::text, '1'::text, NULL::timestamptz) AS a, explain_score('crm'::text, 1::bigint, NULL::timestamptz) AS b $$, $$ SELECT score_at('crm'::text, 1::bigint, now()) $$,
	$$ SELECT * FROM why_not('crm'::text, 2::bigint, 'opportunity'::text), next_stages('crm'::text, 2::bigint) $$,
	$$ SELECT framework_verdict('crm'::text, 2::bigint, 'champ'::text, 2::integer, true), framework_score('crm'::text, 2::bigint, 'champ'::text, 0.5::numeric), framework_gaps('crm'::text, 2::bigint, 'bant'::text) $$,
	$$ SELECT * FROM why_not('crm'::text, 'bob'::text, 'opportunity'::text), next_stages('crm'::text, 'email:bob@example.com'::text) $$, $$ SELECT score_at('crm'::text, 'external_id:x1'::text, now()), may_send('crm'::text, 'x1'::text, 'welcome'::text) $$, $$ SELECT framework_verdict('crm'::text, 'bob'::text, 'champ'::text, 2::integer, true), framework_score('crm'::text, 'bob'::text, 'champ'::text, 0.5::numeric), framework_gaps('crm'::text, 'bob'::text, 'bant'::text) $$, $$ SELECT * FROM framework_levels('crm'::text, 'bob'::text, 'meddic'::text), next_content('crm'::text, 'bob'::text) $$, $$ SELECT * FROM framework_levels('crm'::text, 2::bigint, 'meddic'::text), next_content('crm'::text, 2::bigint) $$, $$ SELECT may_send('crm'::text, 2::bigint, 'welcome'::text) $$,
	$$ SELECT void_moves('crm'::text, (SELECT array_agg(history_id) FROM crm.stage_history WHERE lead_id = 2 AND to_stage = 'sal')::bigint[], 'a misclick'::text) $$,
	$$ SELECT archive_activities('crm'::text, now()) $$, $$ SELECT * FROM merge_leads('crm'::text, '1'::text, '2'::text) $$, $$ SELECT * FROM merge_leads('crm'::text, 1::bigint, 'x4'::text) $$, $$ SELECT erase_lead('crm'::text, '3'::text) $$, $$ SELECT forget_leads('crm'::text, ARRAY['3']::text[]) $$,
	$$ ALTER TABLE crm.deal DISABLE TRIGGER zz_insert; DROP TRIGGER zz_stamp ON crm.activity; DROP TRIGGER zz_changed ON crm.rule $$, $$ ALTER TABLE crm.lead DISABLE TRIGGER USER; UPDATE crm.lead SET stage = 'mql', scorecard = NULL; ALTER TABLE crm.lead ENABLE TRIGGER USER $$,
	$$ SELECT * FROM check_funnel('crm'::text, true) $$, $$ SELECT * FROM repair_funnel('crm'::text) $$, $$ SELECT rebuild_history('crm'::text) $$, $$ DELETE FROM crm.activity; DELETE FROM crm.deal; DELETE FROM crm.lead $$,
	$$ CREATE SCHEMA app; CREATE TABLE app.person (id varchar PRIMARY KEY, mail varchar, rank text); INSERT INTO app.person VALUES ('p1', 'dan@example.com', 'hot'), ('p2', NULL, NULL) $$,
	$$ SELECT create_funnel('own'::text, 'UTC'::text, 'EUR'::text, 'app.person'::regclass, 'id'::name, '{"email": "mail"}'::jsonb, 'lq_'::text, 'rank'::name, '{"hot": "sql"}'::jsonb) $$,
	-- in the funnel's own schema, and before the server's for a key of this type
	$$ CREATE FUNCTION own.same(varchar, varchar) RETURNS boolean LANGUAGE sql AS 'SELECT setval(''trap.sprung'', 1000000) > 0'; CREATE OPERATOR own.= (leftarg = varchar, rightarg = varchar, function = own.same) $$,
	$$ SELECT grant_funnel('own'::text, 'regress_lq_app'::regrole, 'app'::text) $$, $$ INSERT INTO own.activity (lead_id, kind) VALUES ('p2', 'demo_request') $$, $$ SELECT * FROM own.lead_now $$, $$ SELECT * FROM find_or_create_lead('own'::text, 'Dan@example.com'::text, 'd1'::text, '{"country": "DE"}'::jsonb) $$, $$ SELECT * FROM find_or_create_lead('own'::text, 'eve@example.com'::text, NULL::text, '{"lead_id": "p3"}'::jsonb) $$,
	$$ DROP TRIGGER aa_record ON app.person $$, $$ SELECT * FROM repair_funnel('own'::text) $$, $$ SELECT * FROM upgrade_funnel('own'::text) $$, $$ SELECT detach_funnel('own'::text) $$, $$ SELECT drop_funnel('own'::text, true) $$);

CREATE FUNCTION trap.tour() RETURNS SETOF text LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	s record;
	ended text;
BEGIN
	FOR s IN SELECT * FROM trap.step ORDER BY n LOOP
		BEGIN
			EXECUTE format('SET LOCAL ROLE %I', s.role);
			EXECUTE s.statement;
			ended := 'done';
		EXCEPTION WHEN OTHERS THEN
			ended := CASE SQLSTATE WHEN s.ends THEN SQLSTATE ELSE concat_ws(' ', SQLSTATE, SQLERRM) END;
		END;
		RESET ROLE;
		IF ended <> s.ends THEN
			RETURN NEXT format('%s: %s (%s)', s.statement, ended, trap.sprung_by());
		END IF;
	END LOOP;
END $$;

-- planted before anything of ours has run: plans that are there already would not look again
SELECT cmp_ok(trap.plant(), '>', 3000::bigint, 'overloads of each shape are planted');
SELECT is_empty($$ VALUES ('_automatic_circle(name, text)'), ('_role_of_side(name, text)'), ('_signers(name, text)'), ('check_funnel(text)'), ('_copy_rows(text, text, text, text, text)'), ('_ratio(bigint, bigint)')
	EXCEPT SELECT what FROM trap.planted $$, '... those that careless calls met among them');
SELECT throws_ok($$ SELECT _ratio(1::bigint, 2::bigint) $$, 'P0001', 'planted', 'a careless call is caught');
SELECT is(trap.sprung_by(), '_ratio(bigint, bigint)', '... and put down');
DO $$ BEGIN PERFORM setval('trap.sprung', 0); END $$;

SELECT is_empty('SELECT trap.tour()', 'S3: whatever is done with a funnel ends as it should');
SELECT is(trap.sprung_by(), 'nothing', 'S3: nothing planted was called');
SELECT is_empty($$ SELECT f.oid::regprocedure FROM pg_proc AS f JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = f.oid
	JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'lead_qual'
	WHERE f.proargnames[1] = 'funnel' AND f.proname !~ '^_' AND NOT EXISTS (SELECT FROM trap.step WHERE statement ~ ('\m' || f.proname || '\(')) $$,
	'every function that takes a funnel was');

-- views are read, and written anew as a dump would have them
CREATE FUNCTION trap.restored(view regclass) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$ BEGIN
	EXECUTE format('CREATE OR REPLACE VIEW %s WITH (security_invoker = true) AS %s; SELECT * FROM %1$s', view, pg_get_viewdef(view));
	RETURN true;
END $$;
SELECT cmp_ok((SELECT count(*) FILTER (WHERE trap.restored(oid)) FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'v'), '>', 20::bigint, 'S3: every view is read, before and after a restore');
SELECT is(trap.sprung_by(), 'nothing', 'S3: ... and calls nothing planted');

SELECT * FROM finish();
ROLLBACK;
