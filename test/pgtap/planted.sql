-- Functions, operators and casts that an attacker plants where our names are
-- looked up never run: in the extension's schema, in the funnel's, in his own
-- at the head of the search path, and among temporary objects.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(26);

\ir helper/attempt.sql

CREATE ROLE regress_lq_owner;
CREATE ROLE regress_lq_evil;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;

-- whatever runs, raises
CREATE FUNCTION pg_temp.plant(schema text) RETURNS integer LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	types text[] := '{text,name,varchar,oid,regclass,regrole,regtype,smallint,integer,bigint,numeric,boolean,"\"char\"",timestamptz,interval,text[],name[],smallint[],jsonb,bant,scorecard,answer_level}';
	l text;
	r text;
	o text;
	n integer := 0;
BEGIN
	FOREACH l IN ARRAY types LOOP
		EXECUTE pg_catalog.format('CREATE FUNCTION %I.trap(%s) RETURNS text LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION SQLSTATE ''''LQBAD'''' USING MESSAGE = ''''planted''''; END''', schema, l);
		FOREACH o IN ARRAY '{lower,upper,length,array_agg,count,unnest,quote_ident,quote_literal,max,min,cardinality,abs,to_jsonb,isfinite,split_part,pg_get_userbyid}'::text[] LOOP
			CONTINUE WHEN to_regprocedure(pg_catalog.format('pg_catalog.%s(%s)', o, l)) IS NOT NULL
				OR to_regprocedure(pg_catalog.format('%I.%s(%s)', schema, o, l)) IS NOT NULL;
			EXECUTE pg_catalog.format('CREATE FUNCTION %I.%I(%s) RETURNS text LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION SQLSTATE ''''LQBAD'''' USING MESSAGE = ''''planted %2$s''''; END''', schema, o, l);
		END LOOP;
		EXECUTE pg_catalog.format('CREATE FUNCTION %I.format(text, %s) RETURNS text LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION SQLSTATE ''''LQBAD'''' USING MESSAGE = ''''planted format''''; END''', schema, l);
		FOREACH r IN ARRAY types LOOP
			EXECUTE pg_catalog.format('CREATE FUNCTION %I.format(text, %s, %s) RETURNS text LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION SQLSTATE ''''LQBAD'''' USING MESSAGE = ''''planted format''''; END''', schema, l, r);
			EXECUTE pg_catalog.format('CREATE FUNCTION %I.trap(%s, %s) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION SQLSTATE ''''LQBAD'''' USING MESSAGE = ''''planted operator''''; END''', schema, l, r);
			FOREACH o IN ARRAY '{=,<>,<,>,<=,>=,||,->,@>}'::text[] LOOP
				CONTINUE WHEN EXISTS (SELECT FROM pg_operator WHERE oprname = o AND oprleft = l::regtype::oid AND oprright = r::regtype::oid);
				EXECUTE pg_catalog.format('CREATE OPERATOR %I.%s (leftarg = %s, rightarg = %s, function = %1$I.trap)', schema, o, l, r);
				n := n + 1;
			END LOOP;
		END LOOP;
	END LOOP;
	RETURN n;
END $$;

SELECT is(pg_temp.attempt('regress_lq_owner', $$ SELECT create_funnel('crm', 'UTC') $$), 'done', 'a funnel from before');
INSERT INTO crm.account (domain) VALUES ('acme.example');
INSERT INTO crm.lead (email, country, account_id) VALUES ('ann@example.com', 'DE', 1);
GRANT USAGE, CREATE ON SCHEMA crm, public TO regress_lq_evil;
CREATE SCHEMA evil AUTHORIZATION regress_lq_evil;
GRANT USAGE ON SCHEMA evil TO public;

-- nothing of what a funnel does meets them
CREATE FUNCTION pg_temp.use_funnel() RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	statement text;
	result text;
BEGIN
	FOREACH statement IN ARRAY ARRAY[
		'INSERT INTO crm.lead (lead_id, email, company) VALUES (2, ''bob@example.com'', ''Acme'')',
		'INSERT INTO crm.activity (lead_id, kind) VALUES (1, ''demo_request''), (2, ''webinar'')',
		'UPDATE crm.activity SET kind = ''ebook_download'' WHERE lead_id = 2', 'DELETE FROM crm.activity WHERE lead_id = 2',
		'INSERT INTO crm.answer (lead_id, framework, element, level) VALUES (1, ''champ'', ''challenges'', ''yes''), (1, ''bant'', ''need'', ''yes'')',
		'INSERT INTO crm.deal (amount, status, reason) VALUES (5, ''lost'', ''price'')', 'INSERT INTO crm.deal_contact SELECT deal_id, 1 FROM crm.deal LIMIT 1',
		'UPDATE crm.lead SET stage = ''sal'' WHERE lead_id = 1',
		'UPDATE crm.rule SET condition = ''lower(country) = ''''de'''' AND account.domain = lower(email)'' WHERE axis = ''fit''',
		'INSERT INTO crm.list VALUES (''rival_domains'', ''x'')', 'INSERT INTO crm.stage VALUES (''x'', 99, ''lead'')', 'DELETE FROM crm.stage WHERE stage = ''x''',
		'DELETE FROM crm.kind WHERE kind = ''career_page_view''', 'INSERT INTO crm.element VALUES (''y'', ''y'')', 'DELETE FROM crm.element WHERE framework = ''y''',
		'SELECT record_activity(''crm'', ''ann@example.com'', ''webinar'')', 'SELECT * FROM move_leads(''crm'', ARRAY[''1'', ''77''], ''nurture'', ''too_early'')',
		'SELECT grant_funnel(''crm'', ''regress_lq_evil'', ''analyst'')', 'SELECT rescore_funnel(''crm'')', 'SELECT * FROM sweep_funnel(''crm'')',
		'SELECT * FROM find_or_create_lead(''crm'', ''zoe@example.com'', ''z1'', ''{"country": "DE"}'')', 'SELECT * FROM find_or_create_lead(''crm'', ''ZOE@example.com'', NULL, ''{"company": "Acme"}'')',
		'INSERT INTO crm.lead_alias (lead_id, external_id) VALUES (1, ''a1'')', 'SELECT * FROM next_stages(''crm'', ''a1'')', 'SELECT * FROM why_not(''crm'', ''ann@example.com'', ''sql'')', 'SELECT * FROM merge_leads(''crm'', ''a1'', ''z1'')',
		'SELECT * FROM explain_score(''crm'', 1::bigint)', 'SELECT * FROM why_not(''crm'', 1::bigint, ''sql''::text)', 'SELECT * FROM next_stages(''crm'', 1::bigint)',
		'SELECT framework_verdict(''crm'', 1, ''bant'', 2), framework_score(''crm'', 1, ''champ''), framework_gaps(''crm'', 1, ''meddic'')',
		'SELECT framework_verdict(''crm'', ''1'', ''bant''), may_send(''crm'', 1, ''welcome''), next_content(''crm'', 1)', 'SELECT * FROM check_funnel(''crm'')',
		'SELECT * FROM crm.lead_now', 'SELECT * FROM crm.cost_per_sql', 'SELECT * FROM crm.inbox', 'SELECT * FROM crm.funnel_monthly'] LOOP
		result := pg_temp.attempt('regress_lq_owner', statement);
		IF result LIKE '%planted%' OR result LIKE 'LQBAD%' THEN
			RETURN result || ' ' || statement;
		END IF;
		IF result NOT IN ('done') AND result !~ '^(23514|2BP01)' THEN
			RETURN result || ' ' || statement;
		END IF;
	END LOOP;
	RETURN 'clean';
END $$;
-- each time in a subtransaction that is undone
CREATE FUNCTION pg_temp.trial(planted text) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	result text;
BEGIN
	IF planted <> '' THEN
		PERFORM pg_temp.plant(planted);
	END IF;
	result := pg_temp.use_funnel();
	RAISE EXCEPTION USING ERRCODE = 'LQ001';
EXCEPTION WHEN SQLSTATE 'LQ001' THEN
	RETURN result;
END $$;
SELECT is(pg_temp.trial(''), 'clean', 'the funnel is used');

-- a statement of the owner's under a path
CREATE FUNCTION pg_temp.under(path text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM pg_catalog.set_config('search_path', path, true);
	result := pg_temp.attempt('regress_lq_owner', statement);
	PERFORM pg_catalog.set_config('search_path', 'public', true);
	RETURN result;
END $$;

-- nothing of ours looks names up where others may plant them
SELECT is_empty($$ SELECT p.oid::regprocedure, p.proconfig FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension AS e ON d.refobjid = e.oid AND e.extname = 'lead_qual', unnest(p.proconfig) AS c WHERE c LIKE 'search_path=%' AND c <> 'search_path=pg_catalog, pg_temp' $$,
	'no function of ours has a schema of others on its path');

SAVEPOINT s;
SELECT is(pg_temp.trial('crm'), 'clean', 'planted in the funnel''s schema');
SELECT is(pg_temp.trial('public'), 'clean', 'planted in the extension''s schema');
SELECT cmp_ok(pg_temp.plant('evil'), '>', 1000, 'planted in a schema at the head of the path');
SELECT alike(pg_temp.under('evil, public', $$ SELECT count(1::smallint) $$), 'LQBAD%', '... where they win');
SELECT is(pg_temp.under('evil, public', statement), 'done', statement)
FROM (VALUES ('INSERT INTO crm.activity (lead_id, kind) VALUES (1, ''demo_request'')'), ('UPDATE crm.lead SET stage = ''sal'' '),
			 ('INSERT INTO crm.deal (amount, status) VALUES (1, ''won'')'), ('DELETE FROM crm.kind WHERE kind = ''sales_email'' '),
			 ('SELECT public.create_funnel(''crm2'', ''UTC'')'), ('SELECT public.drop_funnel(''crm2'')')) AS t (statement);
SET LOCAL search_path = public;
ROLLBACK TO s;

--
-- Temporary objects come first, unless something else says so
--
CREATE TEMP TABLE lead (LIKE crm.lead);
CREATE TEMP TABLE stage_history (LIKE crm.stage_history);
CREATE TEMP TABLE rule (LIKE crm.rule);
CREATE TEMP TABLE pg_proc (oid oid);
CREATE TEMP VIEW setting AS SELECT 1 AS one;
SET LOCAL search_path = pg_temp, crm, public;
SELECT lives_ok($$ INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'demo_request') $$, 'an activity past temporary tables');
SELECT is((SELECT count(*) FROM pg_temp.stage_history), 0::bigint, 'nothing went into them');
SELECT is((SELECT stage FROM crm.lead), 'mql', 'all went where it belongs');
SELECT lives_ok($$ SELECT public.create_funnel('crm3', 'UTC') $$, 'a new funnel past temporary tables');
SELECT is((SELECT count(*) FROM crm3.rule), (SELECT count(*) FROM crm.rule), '... with all its rules');
SET LOCAL search_path = public;
ROLLBACK TO s;

--
-- A trigger of the owner's runs as the owner, out of the caller's reach
--
CREATE ROLE regress_lq_feed;
GRANT USAGE ON SCHEMA crm TO regress_lq_feed;
GRANT INSERT ON crm.activity TO regress_lq_feed;
CREATE FUNCTION crm.note_path() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN NEW.note := concat(current_user, '' '', current_setting(''search_path'')); RETURN NEW; END';
CREATE TRIGGER note BEFORE UPDATE ON crm.lead FOR EACH ROW EXECUTE FUNCTION crm.note_path();
SET LOCAL search_path = evil, public;
SELECT is(pg_temp.attempt('regress_lq_feed', $$ INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar') $$), 'done', 'a feed whose path has schemas of its own');
SELECT is((SELECT note FROM crm.lead), 'regress_lq_owner pg_catalog, crm, pg_temp', 'the trigger''s user and path');
SET LOCAL search_path = public;
ROLLBACK TO s;

-- an overload that a new funnel would call instead of the server's function
CREATE FUNCTION public.planted(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE AGGREGATE public.count(bigint) (sfunc = public.planted, stype = bigint);
SELECT alike(pg_temp.attempt('regress_lq_owner', $$ SELECT create_funnel('crm4', 'UTC') $$), '42710 function public.count(bigint) stands in the way%', 'is found in time');
ROLLBACK TO s;
-- ... and before it has run
CREATE FUNCTION public.trap(numeric, integer) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION SQLSTATE ''LQBAD''; END';
CREATE OPERATOR public.>= (leftarg = numeric, rightarg = integer, function = public.trap);
SELECT alike(pg_temp.attempt('regress_lq_owner', $$ SELECT create_funnel('crm4', 'UTC') $$), '42710%', 'S3: one that the constraints of a new funnel would call is found before the first row');
ROLLBACK TO s;
-- nor does creating the extension run one
DROP EXTENSION lead_qual CASCADE;
CREATE FUNCTION public._refuse_planted(text) RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION SQLSTATE ''LQBAD''; END';
SELECT lives_ok('CREATE EXTENSION lead_qual', 'S3: the extension is created beside an overload of what its script calls');
ROLLBACK TO s;

-- names that mean something else
SELECT alike(pg_temp.attempt('regress_lq_owner', $$ SELECT create_funnel('$user', 'UTC') $$), '42602%', 'a funnel cannot be named $user');
SELECT is(pg_temp.attempt('regress_lq_owner', $$ SELECT create_funnel('evil, "x"', 'UTC'); INSERT INTO "evil, ""x""".lead (email) VALUES ('a') $$), 'done', 'but as odd as one likes');
ALTER SCHEMA crm RENAME TO renamed;
SELECT is(pg_temp.attempt('regress_lq_owner', $$ INSERT INTO renamed.activity (lead_id, kind) VALUES (1, 'webinar') $$), 'done', 'a funnel whose schema was renamed works on');

SELECT * FROM finish();
ROLLBACK;
