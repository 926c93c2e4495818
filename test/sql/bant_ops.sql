-- bant: elements
SELECT 'B+ A? N~ T-'::bant -> 'B' AS b, 'B+ A? N~ T-'::bant -> 'authority' AS a,
       'B+ A? N~ T-'::bant -> 'NEED' AS n, 'B+ A? N~ T-'::bant -> 't' AS t,
       pg_typeof(''::bant -> 'B');
SELECT 'B+'::bant -> 'champion';
SELECT 'B+'::bant -> '';
SELECT ''::bant -> 'B+';
SELECT set_level('B+ A?'::bant, 'authority', 'yes'), set_level('B+ A?'::bant, 'B', 'unknown');
SELECT set_level('B+'::bant, 'M', 'yes');

-- the right side wins where it is known
SELECT 'B+ A- N~'::bant || 'B- A? N+ T~', ''::bant || 'B+', 'B+'::bant || '';
SELECT q || 'B+ N+ T~' FROM (VALUES ('A-'::bant), (NULL)) v(q);

-- each element at least as high
SELECT 'B+ A~ N+'::bant @> 'B+ A~' AS t, 'B+'::bant @> 'A~' AS f,
       'B+'::bant @> 'A-' AS unknown_covers_no, ''::bant @> '' AS same,
       'A~'::bant <@ 'B+ A~' AS t, 'B+ A~'::bant <@ 'A~' AS f;

-- the whole
SELECT q, met(q), known(q), refuted(q), gaps(q)
  FROM unnest('{"","B+ A? N~ T-","B+ A+ N+ T+","B- A- N- T-"}'::bant[]) q;

SELECT weigh('B+ A~ N- T?'::bant, '{40,30,20,10}') AS half,
       weigh('B+ A~ N- T?'::bant, '{40,30,20,10}', part => 0) AS none,
       weigh('B+ A~ N- T?'::bant, '{40,30,20,10}', part => 1) AS whole,
       weigh('B+ A~'::bant, '{-1,1,0,0}') AS negative,
       weigh('B+ A~'::bant, NULL) AS null;
SELECT weigh('B+'::bant, '{1,2,3}');
SELECT weigh('B+'::bant, '{1,2,3,4,5}');
SELECT weigh('B+'::bant, '{}');
SELECT weigh('B+'::bant, '{{1,2},{3,4}}');
SELECT weigh('B+'::bant, '{1,2,NULL,4}');
SELECT weigh('B+'::bant, '{1,2,NaN,4}');
SELECT weigh('B+'::bant, '{1,2,3,-Infinity}');
SELECT weigh('B+'::bant, '{1,2,3,4}', 1.5);
SELECT weigh('B+'::bant, '{1,2,3,4}', 'NaN');
SELECT weigh('B+ A+'::bant, '{1e308,1e308,0,0}');

-- verdict for each number of elements needed
SELECT q, need, verdict(q, need), verdict(q, need, unknown_as_no => true) AS unknown_as_no
  FROM unnest('{"B+ A? N+ T+","B+ A- N+ T+","B~ A? N- T+"}'::bant[]) q,
       generate_series(0, 4) need;
SELECT verdict('B+'::bant, -1);
SELECT verdict('B+'::bant, 5);
SELECT verdict('B+'::bant, NULL), verdict(NULL::bant, 3);

-- aggregates
SELECT best(q), min(q), max(q)
  FROM unnest('{"A- N+","B- A~","A+ N-",NULL}'::bant[]) q;
SELECT best(q), min(q), max(q) FROM unnest('{}'::bant[]) q;
