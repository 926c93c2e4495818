-- One way to name a lead, in every function of one: key, external id or e-mail
-- address, as a literal, a parameter, a column or a value of the key's type.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(78);

-- an error with all that is said of it
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	d text; h text;
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(d, ''), nullif(h, ''));
END $$;

CREATE ROLE regress_lq_analyst;
SELECT create_funnel('crm', 'UTC');
SELECT grant_funnel('crm', 'regress_lq_analyst', 'analyst');
INSERT INTO crm.lead (lead_id, external_id, email) OVERRIDING SYSTEM VALUE VALUES
	(1, 'x1', 'Ann@example.com'), (2, 'x2', 'bob@example.com'), (3, '2', 'x1'), (4, 'a:b', 'key:9'),
	(101, NULL, NULL), (102, NULL, NULL), (103, NULL, NULL), (104, NULL, NULL), (105, NULL, NULL), (106, NULL, NULL);
\ir helper/lead_calls.sql
SELECT ask_for_signature();
-- %s stands for the lead; a number among the arguments is a key
CREATE TEMP TABLE call AS SELECT function, format('SELECT * FROM %s(''crm'', %%s%s)', function,
	(SELECT string_agg(', ' || CASE WHEN a ~ '^\d+$' THEN a ELSE quote_literal(a) END, '') FROM unnest(further) AS a)) AS statement FROM lead_call;
SELECT set_eq('SELECT function FROM lead_function', 'SELECT function FROM call', 'A1: every function of a lead is tried here, and move_leads() below');
SELECT is_empty($$ SELECT c.function FROM call AS c WHERE NOT EXISTS (SELECT FROM pg_proc AS p WHERE p.proname = c.function AND p.proargtypes[1] = 'text'::regtype AND p.proargnames[1] = 'funnel')
	OR NOT EXISTS (SELECT FROM pg_proc AS p WHERE p.proname = c.function AND p.proargtypes[1] = 'anyelement'::regtype) $$, 'A1: and comes for texts and for keys');

CREATE EXTENSION citext;
CREATE DOMAIN pg_temp.address AS text;
CREATE DOMAIN pg_temp.number AS bigint;
CREATE FUNCTION pg_temp.all_forms(function text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	form text;
	said text;
BEGIN
	FOREACH form IN ARRAY ARRAY['1', '''1''', '1::smallint', '1::bigint', '1.0', '1::real', '1::pg_temp.number', '''x2''', '''BOB@example.com''', '''key:2''', '''external_id:x2''', '''email:bob@Example.com''',
		'''x2''::text', '''x2''::varchar', '''x2''::name', '''x2''::char(4)', '''bob@example.com''::citext', '''bob@example.com''::pg_temp.address', '(SELECT lead_id FROM crm.lead WHERE email = ''bob@example.com'')',
		'(SELECT email FROM crm.lead WHERE lead_id = 2)'] LOOP
		BEGIN
			said := pg_temp.refusal(format(statement, form));
			IF said <> 'done' THEN
				RETURN form || ': ' || said;
			END IF;
			RAISE EXCEPTION USING ERRCODE = 'UNDO1';
		EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
			NULL;
		END;
	END LOOP;
	EXECUTE format('PREPARE untyped AS ' || statement, '$1');
	BEGIN
		EXECUTE 'EXECUTE untyped(''ann@example.com'')';
		RAISE EXCEPTION USING ERRCODE = 'UNDO1';
	EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
		NULL;
	END;
	DEALLOCATE untyped;
	RETURN 'all';
END $$;
SELECT is(pg_temp.all_forms(function, statement), 'all', format('A1: %s() takes literals, parameters, columns, keys', function)) FROM call ORDER BY function;
SELECT is(pg_temp.refusal(format(statement, '''2''')), '21000 | "2" fits more than one lead of funnel "crm" | It is the key of lead 2 and the external id of lead 3. | Say which, by its key: ''key:2'' or ''key:3''.',
	format('A2: %s() refuses what fits two leads', function)) FROM call ORDER BY function;
SELECT is(pg_temp.refusal(format(statement, '''nobody''')), 'P0002 | funnel "crm" has no lead "nobody" | It was looked for by key (it is no bigint), external id, e-mail address and alias. | find_or_create_lead() creates a lead that is not there.',
	format('A2: %s() tells what was looked for', function)) FROM call ORDER BY function;
SELECT is(pg_temp.refusal(format(statement, n)), '22004 | lead must not be null | Name it by its key, its external id or its e-mail address.', format('A1: %s() of %s', function, n))
FROM call, unnest('{"NULL",NULL::text}'::text[]) AS n WHERE function IN ('next_stages', 'framework_gaps') ORDER BY 1;
SELECT is_empty($$ SELECT function, n, pg_temp.refusal(format(statement, n)) FROM call, unnest('{"NULL",NULL::text,NULL::bigint,NULL::uuid}'::text[]) AS n
	WHERE pg_temp.refusal(format(statement, n)) NOT LIKE '22004 | lead must not be null |%' $$, 'A1: NULL of whatever type is refused in words');
SELECT is_empty($$ SELECT function, v, said FROM call, unnest(ARRAY['7.5', 'gen_random_uuid()', 'true', 'ROW(1, 2)', 'now()', 'ARRAY[1]', '''2 days''::interval']) AS v, pg_temp.refusal(format(statement, v)) AS said
	WHERE (function, v) <> ('explain_score', 'now()') -- which is asked of a card
	AND said NOT LIKE '22P02 | % is no key of a lead of funnel "crm" | Keys of its leads are of type bigint. | Give an external id or an e-mail address as text.' $$, 'A1: and so is what the key''s type does not hold');
SELECT is(pg_temp.refusal('SELECT next_stages(''crm'', 7.5)'), '22P02 | 7.5 of type numeric is no key of a lead of funnel "crm" | Keys of its leads are of type bigint. | Give an external id or an e-mail address as text.', 'A1: 7.5 is not 8');
SELECT is(pg_temp.refusal('SELECT next_stages(''crm'', 99)'), 'P0002 | funnel "crm" has no lead "key:99" | It was looked for by key and alias. | find_or_create_lead() creates a lead that is not there.', 'A1: a key that no lead has');

-- what is meant can be said
SELECT is(_find_lead('crm', l), k, 'A2: ' || l) FROM (VALUES ('key:2', '2'), ('external_id:2', '3'), ('email:x1', '3'), ('external_id:x1', '1'), ('email:key:9', '4'), ('a:b', '4')) AS t (l, k);
SELECT is(_find_lead('crm', ' 1'), '1', 'A2: a key as its type reads it');
SELECT matches(pg_temp.refusal('SELECT _find_lead(''crm'', ''x1'')'), '^21000 .* It is the external id of lead 1 and the e-mail address of lead 3', 'A2: an external id and an address');
SELECT matches(pg_temp.refusal(format('SELECT _find_lead(''crm'', %L)', l)), '^P0002', 'A2: no lead: ' || l) FROM unnest('{key:x1,email:x2,external_id:ann@example.com,key:,"",9223372036854775808}'::text[]) AS l;

-- many at once
SELECT results_eq($$ SELECT lead, sqlstate FROM move_leads('crm', '{x2,2,nobody,NULL,Ann@example.com}', 'nowhere') $$,
	$$ VALUES ('2', '21000'), ('nobody', 'P0002'), ('1', '23514'), ('2', '23514') $$, 'A1: move_leads() of a literal');
PREPARE move AS SELECT lead FROM move_leads('crm', $1, 'nowhere');
SELECT results_eq('EXECUTE move(''{x2}'')', $$ VALUES ('2') $$, 'A1: of a parameter');
SELECT results_eq($$ SELECT lead, sqlstate FROM move_leads('crm', ARRAY[1, 2, 99]::bigint[], 'nowhere') $$, $$ VALUES ('99', 'P0002'), ('1', '23514'), ('2', '23514') $$, 'A1: of keys');
SELECT results_eq($$ SELECT lead FROM move_leads('crm', (SELECT array_agg(external_id::varchar) FROM crm.lead WHERE lead_id = 2), 'nowhere') $$, $$ VALUES ('2') $$, 'A1: of a column');
SELECT is_empty($$ SELECT * FROM move_leads('crm', NULL, 'nowhere') $$, 'A1: of none');

-- who may not read addresses names leads by their keys
SET LOCAL ROLE regress_lq_analyst;
SELECT is(framework_verdict('crm', '1', 'bant'), 'open', 'a role that sees no addresses names a lead by its key');
SELECT is(pg_temp.refusal('SELECT framework_verdict(''crm'', ''x1'', ''bant'')'), 'P0002 | funnel "crm" has no lead "x1" | It was looked for by key (it is no bigint). | find_or_create_lead() creates a lead that is not there.', '... and by nothing else');
RESET ROLE;

-- merging by different names of two leads
SELECT lives_ok(format('SELECT merge_leads(''crm'', %s, %s)', a, b), format('A2: merge_leads(%s, %s)', a, b))
FROM (VALUES ('''ann@example.com''', '101'), ('1', '''102'''), ('1', '103::bigint'), ('''x1''::varchar', '''104'''), ('key', '105')) AS t (a, b) WHERE a <> 'key' AND a NOT LIKE '%x1%';
SELECT lives_ok($$ SELECT merge_leads('crm', 'key:1', 'key:104') $$, 'A2: merge_leads() of two texts');
SELECT matches(pg_temp.refusal($$ SELECT merge_leads('crm', 1, 'ann@example.com') $$), '^22023 .*merged into itself', 'A2: by two names of one lead');

SELECT * FROM finish();
ROLLBACK;
