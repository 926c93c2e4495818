-- The qualification types as drivers meet them: JSON in, text and arrays of text out.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(39);

SELECT is('B+ N~'::bant ->> 'budget', 'yes', 'A12: a level as text, by long name');
SELECT is('B+ N~'::bant ->> 'n', 'partial', 'A12: by symbol');
SELECT is('PP+ CO-'::meddpicc ->> 'competition', 'no', 'A12: of each type');
SELECT is('M~'::meddic ->> 'champion', 'unknown', 'A12: unknown is a level');
SELECT is(pg_typeof('B+'::bant ->> 'budget'), 'text'::regtype, 'A12: of a type that clients know');
SELECT throws_ok($$ SELECT 'B+'::bant ->> 'champion' $$, '22023', 'type bant has no element "champion"', 'an element that it has not');
SELECT is(NULL::bant ->> 'budget', NULL, 'of none');
SELECT is(e ->> 'element', e -> 'budget' ->> 'level', 'beside jsonb''s own') FROM (SELECT '{"element": "x", "budget": {"level": "x"}}'::jsonb) AS j (e);

SELECT is('{"budget": "yes", "A": "-", "need": null}'::bant, 'B+ A-', 'A12: a JSON object is a value');
SELECT is(E'\t{ "B" : "+" ,\n"T":null}\r\n'::bant, 'B+', 'A12: with white space, null and symbols');
SELECT is(q::jsonb::text::bant, q, 'A12: what jsonb shows comes back: ' || q::text) FROM unnest('{"",B+,"A~ T-","B+ A+ N+ T+"}'::bant[]) AS q;
SELECT is(q::jsonb::text::meddpicc, q, 'A12: of each type: ' || q::text) FROM unnest('{"",M+,"PP~ CO-","M+ E- DC~"}'::meddpicc[]) AS q;
SELECT is('{"{\"budget\": \"yes\"}",B-}'::bant[], ARRAY['B+', 'B-']::bant[], 'A12: in an array, too');
SELECT throws_ok(format('SELECT %L::bant', bad), '22P02', NULL, 'no value: ' || bad)
	FROM unnest(ARRAY['{"budget"', '{"budget": "yes"', '{"budgets": "yes"}', '{"budget": "often"}', '{"B": "yes", "budget": "yes"}', '{budget: "yes"}', '{"budget": yes}',
		'{"budget": "yes",}', '{"budget": 3}', '{"budget": {"yes": "yes"}}', '{"budget": NULL}', '{', '{}{}', '{} B+', '"B+"', '["yes"]']) AS bad;

-- parameters of the types that drivers give objects
CREATE TEMP TABLE answered (q bant, n meddic);
PREPARE by_json(json, jsonb) AS INSERT INTO answered VALUES ($1, $2);
SELECT lives_ok($$ EXECUTE by_json('{"budget": "yes"}', '{"M": "+"}') $$, 'A12: json and jsonb are assigned');
SELECT results_eq('SELECT q::text, n::text FROM answered', $$ VALUES ('B+ A? N? T?', 'M+ E? DC? DP? I? C?') $$, 'as the values that they are');

-- arrays
SELECT is('B+ A- N~'::bant::text[], '{yes,no,partial,unknown}', 'A12: all levels, as an array that drivers read');
SELECT is((''::meddpicc::text[])[8], 'unknown', 'A12: in the order of the elements');

SELECT * FROM finish();
ROLLBACK;
