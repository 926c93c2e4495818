-- Qualification types: what they say about leads
BEGIN;
SELECT plan(41);

-- frameworks
SELECT is(''::bant::text, 'B? A? N? T?', 'R000-06 BANT asks for budget, authority, need, timeline');
SELECT is(gaps(''::bant), '{budget,authority,need,timeline}', 'R000-06 in this order');
SELECT is(gaps(''::meddic),
          '{metrics,economic_buyer,decision_criteria,decision_process,identify_pain,champion}',
          'R000-07 MEDDIC asks for six elements');
SELECT is(gaps(''::meddpicc),
          '{metrics,economic_buyer,decision_criteria,decision_process,paper_process,identify_pain,champion,competition}',
          'R000-05 MEDDPICC adds paper process and competition');

-- R000-20: budget, need and timeline confirmed, authority never asked
SELECT is(verdict('B+ A? N+ T+'::bant, 3), 'qualified', 'R000-20 three of four are enough for text 0');
SELECT ok(met('B+ A? N+ T+'::bant) >= 3 AND refuted('B+ A? N+ T+'::bant) = 0,
          'R000-20 the same policy as a condition: three known and no "no"');
SELECT is(verdict('B+ A? N+ T+'::bant, 4), 'open', 'R000-20 a strict policy answers: not yet');
SELECT is(gaps('B+ A? N+ T+'::bant), '{authority}', 'R000-20 and what is missing: authority');
SELECT is(verdict('B+ A+ N+ T+'::bant, 4), 'qualified', 'R000-20 strict policy, all four answered');

-- R003-12: an unsure budget may count as none
SELECT is(verdict('B? A+ N+ T+'::bant, 4), 'open', 'R003-12 unknown budget stays open');
SELECT is(verdict('B? A+ N+ T+'::bant, 4, unknown_as_no => true), 'disqualified',
          'R003-12 unknown budget = no, where the policy says so');
SELECT is(verdict('B~ A+ N+ T+'::bant, 4, unknown_as_no => true), 'open',
          'R003-12 a partial budget is not unknown');
SELECT is(verdict('B- A+ N+ T+'::bant, 4), 'disqualified', 'R003-12 cannot afford it');

-- R003-13: authority is asked per person and counts per account
CREATE TEMP TABLE contact (account text, who text, bant bant);
INSERT INTO contact VALUES
  ('acme', 'user', 'A- N+'), ('acme', 'manager', 'A~ N?'), ('acme', 'director', 'A+ B?'),
  ('solo', 'user', 'A- N+'), ('hush', 'user', ''), ('hush', 'guest', NULL);
SELECT is(best(bant) -> 'authority', 'yes'::answer_level, 'R003-13 the account has authority')
  FROM contact WHERE account = 'acme';
SELECT is(bant -> 'authority', 'no'::answer_level, 'R003-13 its user alone has not')
  FROM contact WHERE account = 'acme' AND who = 'user';
SELECT is(best(bant)::text, 'B? A+ N+ T?', 'R003-13 the other elements roll up as well')
  FROM contact WHERE account = 'acme';
SELECT is(best(bant) -> 'authority', 'no'::answer_level, 'R003-13 a "no" is known, so it beats unknown')
  FROM contact WHERE account IN ('solo', 'hush');
SELECT is(best(bant)::text, 'B? A? N? T?', 'R003-13 nothing known stays unknown')
  FROM contact WHERE account = 'hush';
SELECT is(best(bant), NULL, 'R003-13 no contact, no answer') FROM contact WHERE account = 'none';

-- best does not depend on the order or grouping of contacts
SELECT ok(bool_and(bant_best(x, y) = bant_best(y, x) AND bant_best(x, x) = x AND
                   bant_best(bant_best(x, y), z) = bant_best(x, bant_best(y, z))),
          'R003-13 best is commutative, idempotent and associative')
  FROM unnest('{"",B-,B~,B+,"B- A+ T~"}'::bant[]) x, unnest('{"",B-,B~,B+,"B+ A- N~"}'::bant[]) y,
       unnest('{"",B-,B~,B+,"A? N- T-"}'::bant[]) z;
CREATE TEMP TABLE serial AS
SELECT i % 7 AS account, meddpicc_merge(format('M%s', (array['-','?','~','+'])[1 + i % 4])::meddpicc,
                                        format('CO%s', (array['?','-'])[1 + i / 3 % 2])::meddpicc) AS q
  FROM generate_series(1, 20000) i;
CREATE TABLE public.lq_parallel_test AS SELECT * FROM serial;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT results_eq('SELECT account, best(q), min(q), max(q) FROM public.lq_parallel_test GROUP BY 1 ORDER BY 1',
                  'SELECT account, best(q), min(q), max(q) FROM serial GROUP BY 1 ORDER BY 1',
                  'R003-13 parallel workers roll up to the same');
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS off) ' || query; END $$;
SELECT ok(string_agg(line, ' ') ~ 'Partial', 'best, min and max run in parallel workers')
  FROM pg_temp.plan_of('SELECT best(q), min(q), max(q) FROM public.lq_parallel_test') line;

-- R004-23: four of five criteria is still a very good lead
SELECT is(at_least(4, true, true, true, true, false), true, 'R004-23 4 of 5 is qualified');
SELECT is(at_least(4, true, true, true, false, false), false, 'R004-23 3 of 5 is not');
SELECT is(at_least(4, true, true, true, NULL, false), NULL, 'R004-23 while one is unknown, it is open');
SELECT is(verdict('M+ E+ DC+ DP+ I+ C?'::meddic, 5), 'qualified', 'R004-23 one gap is allowed for');
SELECT is(gaps('M+ E+ DC+ DP+ I+ C?'::meddic), '{champion}', 'R004-23 and listed');

-- X15: 0 to 4 points an element, four bands
SELECT results_eq($$
    SELECT weigh(q, '{4,4,4,4}', part => 0.25)::integer,
           CASE WHEN weigh(q, '{4,4,4,4}', part => 0.25) <= 4 THEN 'unqualified'
                WHEN weigh(q, '{4,4,4,4}', part => 0.25) <= 8 THEN 'slightly'
                WHEN weigh(q, '{4,4,4,4}', part => 0.25) <= 12 THEN 'qualified'
                ELSE 'highly' END
      FROM unnest('{B+,"B+ A~","B+ A+","B+ A+ N~","B+ A+ N+","B+ A+ N+ T~"}'::bant[]) q $$,
    $$ VALUES (4, 'unqualified'), (5, 'slightly'), (8, 'slightly'),
              (9, 'qualified'), (12, 'qualified'), (13, 'highly') $$,
    'X15 bands of weighted BANT are data over weigh');
SELECT is(weigh('B+ A~ N- T?'::bant, '{4,4,4,4}'), 6::float8, 'X15 partial counts half unless told otherwise');

-- what a call told: news win where they know something
SELECT is('B+ A? N~ T-'::bant || 'B- N? A+', 'B- A+ N~ T-'::bant, '|| keeps what the news do not know');
SELECT ok('B+ A~ N+'::bant @> 'B~ A~', '@> as a floor for each element');
SELECT ok(NOT 'B+ N+'::bant @> 'B~ A~', '@> is false where one is below');

-- errors that a client can tell apart
SELECT throws_ok($$ SELECT 'B+ X-'::bant $$, '22P02', 'invalid input syntax for type bant: "B+ X-"',
                 'a bad literal is an invalid text representation');
SELECT throws_ok($$ SELECT 'B+'::bant -> 'pain' $$, '22023', 'type bant has no element "pain"',
                 'an element that is none is an invalid parameter');
SELECT throws_ok($$ SELECT verdict('B+'::bant, 5) $$, '22023',
                 'number of elements needed must be between 0 and 4', 'more than all cannot be needed');
SELECT throws_ok($$ SELECT weigh('B+'::bant, '{1,2}') $$, '22023',
                 'weights for type bant must be an array of 4 numbers', 'one weight an element');
SELECT throws_ok($$ SELECT '[]'::jsonb::bant $$, '22023', 'cannot cast jsonb array to type bant',
                 'jsonb must be an object');
SELECT throws_ok($$ SELECT '{"budget": "lots"}'::jsonb::bant $$, '22P02',
                 'invalid jsonb object for type bant', 'levels in jsonb are checked');

-- the three types have the same functions, operators and aggregates
CREATE TEMP VIEW signature AS
SELECT t.typname AS type, replace(p.oid::regprocedure::text, t.typname, '$') AS object
  FROM pg_type t, pg_proc p
 WHERE t.typname IN ('bant', 'meddic', 'meddpicc')
   AND (t.oid = ANY (p.proargtypes) OR t.oid = p.prorettype);
SELECT is((SELECT array_agg(object ORDER BY object) FROM signature WHERE type = 'meddic'),
          (SELECT array_agg(object ORDER BY object) FROM signature WHERE type = 'bant'),
          'meddic has the functions of bant');
SELECT is((SELECT array_agg(object ORDER BY object) FROM signature WHERE type = 'meddpicc'),
          (SELECT array_agg(object ORDER BY object) FROM signature WHERE type = 'bant'),
          'meddpicc has the functions of bant');

-- a value leaves and comes back through a row as jsonb
SELECT is((jsonb_populate_record(NULL::contact, to_jsonb(c))).bant, c.bant, 'to_jsonb(row) and back')
  FROM contact c WHERE who = 'manager';

SELECT * FROM finish();
ROLLBACK;
