-- Whatever a condition raises on a row counts as NULL: no fact is refused, no
-- lead stops the others, and it does not matter who called from where.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(31);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-01 12:00+00';
DELETE FROM transition;
DELETE FROM rule;
UPDATE definition SET max_fit = NULL;
ALTER TABLE lead ADD a text, ADD b text, ADD q tsquery, ADD js json[], ADD p jsonb;
INSERT INTO transition (definition, position, to_stage, automatic) VALUES ('default', 1, 'lead', true);
INSERT INTO rule (definition, name, axis, condition, points) VALUES ('default', 'always', 'fit', NULL, 1);

-- the only rule besides, on a row that it cannot bear: neither true nor false
CREATE FUNCTION pg_temp.fit(condition text, a text DEFAULT NULL, b text DEFAULT NULL, p jsonb DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result numeric;
BEGIN
	DELETE FROM crm.rule WHERE name IN ('it', 'its_opposite');
	INSERT INTO crm.rule (definition, name, axis, condition, points) VALUES
		('default', 'it', 'fit', condition, 10), ('default', 'its_opposite', 'fit', 'NOT (' || condition || ')', 100);
	INSERT INTO crm.lead (a, b, p) VALUES (fit.a, fit.b, fit.p) RETURNING fit(scorecard) INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

SELECT is(pg_temp.fit(condition, a, b, p), '1', 'S7: ' || condition)
FROM (VALUES
	('to_tsvector(''english'', p ->> ''text'') @@ ''a''::tsquery', NULL, NULL,
		jsonb_build_object('text', (SELECT string_agg(md5(n::text), ' ') FROM generate_series(1, 70000) AS n))),
	('a::jsonb IS NULL', repeat('[', 100000), NULL, NULL),
	('(p ->> ''p'')::jsonb IS NULL', NULL, NULL, jsonb_build_object('p', repeat('[', 100000))),
	('a::tsquery IS NULL', 'a & & b', NULL, NULL),
	('a::jsonpath IS NULL', '$.[', NULL, NULL),
	('repeat(a, 1000000000) = ''x''', 'long', NULL, NULL),
	('length(replace(a, ''a'', b)) > 3', repeat('a', 50000), repeat('b', 50000), NULL),
	('length(replace(a, ''a'', ''bb'')) > a::int', 'aaaa', NULL, NULL),
	('a ~ b', 'x', '(', NULL),
	('regexp_replace(a, b, ''x'') = ''x''', 'x', '*', NULL),
	('a LIKE b', 'x', '\', NULL),
	('length(p ->> ''n'') > 3', NULL, NULL, jsonb_build_object('n', (SELECT jsonb_agg(1e131071) FROM generate_series(1, 9000)))),
	('split_part(a, '','', b::int) = ''x''', 'a', '0', NULL),
	('(p -> ''n'')::int > 1', NULL, NULL, '{"n": "x"}'),
	('a::uuid IS NULL', 'x', NULL, NULL),
	('lpad(a, 1500000000) = ''x''', 'x', NULL, NULL),
	('set_bit(a::bytea, 100, 1) IS NULL', 'x', NULL, NULL),
	('chr(b::int) = a', 'x', '-1', NULL),
	('p @? a::jsonpath', 'strict $[*] ? (', NULL, '1')) AS c (condition, a, b, p);

-- what bears it counts as ever
SELECT is(pg_temp.fit('length(replace(a, ''a'', b)) > 3', 'aaaa', 'bb'), '11', 'S7: a small value is worth its points');
SELECT is(pg_temp.fit('length(a || b) > 3', repeat('a', 2000000), 'b'), '11', 'S7: so is a large one that does not raise');

-- neither equality nor order of such types exists, which only a row tells
DELETE FROM rule WHERE name IN ('it', 'its_opposite');
SELECT lives_ok($$ INSERT INTO rule (definition, name, axis, condition, points) VALUES ('default', 'it', 'fit', 'js = js', 10) $$, 'S7: a comparison that there is none of');
SELECT lives_ok($$ INSERT INTO lead (js) VALUES ('{1,2}') $$, 'S7: ... does not refuse the row');
SELECT pg_temp.fit('(q || q) IS NULL');
SELECT lives_ok($$ INSERT INTO lead (q) VALUES ('a & b') $$, 'S7: a query in a column');

-- a transition of that kind
DELETE FROM rule WHERE name IN ('it', 'its_opposite');
DELETE FROM lead;
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition) VALUES
	('default', 10, 'lead', 'mql', true, '(p ->> ''p'')::jsonb IS NOT NULL');
SELECT lives_ok($$ INSERT INTO lead (lead_id, p) OVERRIDING SYSTEM VALUE VALUES (901, jsonb_build_object('p', repeat('[', 100000))), (902, '{"p": "1"}') $$,
	'S7: a transition that a lead cannot bear');
SELECT results_eq('SELECT stage FROM lead WHERE lead_id > 900 ORDER BY lead_id', $$ VALUES ('lead'), ('mql') $$, 'S7: leaves it where it is, and others move');
SELECT is(rescore_funnel('crm'), 2::bigint, 'S7: it does not stop rescore_funnel');
SELECT results_eq($$ SELECT finding, n, object LIKE 'transition%', detail LIKE 'stack depth limit exceeded (first for lead 901)%' FROM check_funnel('crm') WHERE finding = 'condition_raises' $$,
	$$ VALUES ('condition_raises', 1::bigint, true, true) $$, 'S7: check_funnel names it');

-- parts are asked one by one, though the whole is false without them
INSERT INTO list VALUES ('known', 'y');
INSERT INTO transition (definition, position, from_stage, to_stage, condition) VALUES
	('default', 20, 'lead', 'sql', '''x'' = ANY (list.known) AND a::int > 0 AND a::int > 1');
INSERT INTO lead (lead_id, a) OVERRIDING SYSTEM VALUE VALUES (903, 'SECRET');
SELECT throws_ok('UPDATE lead SET stage = ''sql'' WHERE lead_id = 903', '23514', 'cannot move lead from stage "lead" to "sql"',
	'S7: a part that raises beside one that never holds refuses in words of ours');
SELECT results_eq($$ SELECT part, state FROM why_not('crm', 903, 'sql') $$, $$ VALUES ('''x'' = ANY (list.known)', 'unmet'), ('a::int > 0', 'unknown'), ('a::int > 1', 'unknown') $$,
	'S7: ... and why_not says unknown');
SELECT lives_ok($$ SELECT next_stages('crm', 903) $$, 'S7: ... and next_stages goes on');

SELECT * FROM finish();
ROLLBACK;
