-- answer_level: text forms and refusals
SELECT 'no'::answer_level, 'unknown'::answer_level,
       'partial'::answer_level, 'yes'::answer_level;
SELECT 'NO'::answer_level, 'Yes'::answer_level,
       '-'::answer_level, '?'::answer_level, '~'::answer_level,
       '+'::answer_level;
SELECT ''::answer_level;
SELECT ' yes'::answer_level;
SELECT 'y'::answer_level;
SELECT 'maybe'::answer_level;
SELECT '++'::answer_level;

-- to and from text only when asked for
SELECT 'yes'::answer_level::text, 'yes'::text::answer_level;
-- hints differ between servers
\set VERBOSITY terse
SELECT length('yes'::answer_level);
SELECT 'yes'::answer_level = 'yes'::text;
\set VERBOSITY default

-- binary form
SELECT l, answer_level_send(l)
  FROM unnest('{no,unknown,partial,yes}'::answer_level[]) l;
CREATE TEMP TABLE answer_level_copy (l answer_level);
INSERT INTO answer_level_copy VALUES ('yes'), ('no'), (NULL), ('unknown'), ('partial');
\copy answer_level_copy TO 'results/answer_level.data' (FORMAT binary)
CREATE TEMP TABLE answer_level_back (l answer_level);
\copy answer_level_back FROM 'results/answer_level.data' (FORMAT binary)
SELECT l FROM answer_level_back;
-- a level that is none (twice), no byte, two bytes
\copy answer_level_back FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\001\003\377\377"' (FORMAT binary)
\copy answer_level_back FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\001\376\377\377"' (FORMAT binary)
\copy answer_level_back FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\000\377\377"' (FORMAT binary)
\copy answer_level_back FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\002\001\001\377\377"' (FORMAT binary)

-- every comparison
SELECT a, b, a = b AS eq, a <> b AS ne, a < b AS lt, a <= b AS le,
       a > b AS gt, a >= b AS ge, sign(answer_level_cmp(a, b)) AS cmp
  FROM unnest('{no,unknown,partial,yes}'::answer_level[]) a,
       unnest('{no,unknown,partial,yes}'::answer_level[]) b
 ORDER BY a, b;
SELECT l FROM answer_level_copy ORDER BY l;
SELECT l FROM answer_level_copy ORDER BY l DESC;
SELECT min(l), max(l) FROM answer_level_copy;
SELECT min(l), max(l) FROM answer_level_copy WHERE l > 'yes';

-- equal values hash equally, others differ
SELECT count(DISTINCT answer_level_hash(l)), count(DISTINCT answer_level_hash_extended(l, 7)),
       bool_and(answer_level_hash(l) = answer_level_hash(l::text::answer_level)) AS same
  FROM unnest('{no,unknown,partial,yes}'::answer_level[]) l;

-- an index finds what a sequential scan finds
CREATE TEMP TABLE answer_level_many AS
SELECT ('{no,unknown,partial,yes}'::answer_level[])[1 + i % 4] AS l FROM generate_series(1, 1000) i;
CREATE INDEX ON answer_level_many (l);
CREATE INDEX ON answer_level_many USING hash (l);
SET enable_seqscan = off;
SELECT count(*) FROM answer_level_many WHERE l >= 'partial';
SELECT count(*) FROM answer_level_many WHERE l = 'no';
SET enable_seqscan = on;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SET enable_bitmapscan = off;
SELECT count(*) FROM answer_level_many WHERE l >= 'partial';
SELECT count(*) FROM answer_level_many WHERE l = 'no';
RESET ALL;

-- k out of n
SELECT at_least(4, true, true, true, true, false) AS four_of_five,
       at_least(4, true, true, true, false, false) AS three_of_five,
       at_least(4, true, true, true, NULL, false) AS open,
       at_least(4, true, true, NULL, false, false) AS lost,
       at_least(3, true, true, true, NULL, NULL) AS sure;
SELECT at_least(0, false), at_least(-1, NULL::boolean), at_least(2, true),
       at_least(0, VARIADIC '{}'), at_least(1, VARIADIC '{}');
SELECT at_least(NULL, true), at_least(1, VARIADIC NULL);
