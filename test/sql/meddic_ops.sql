-- meddic and meddpicc: operators and functions
SELECT 'M+ DC~'::meddic -> 'DC', 'M+ DC~'::meddic -> 'metrics', 'CO-'::meddpicc -> 'competition';
SELECT 'M+'::meddic -> 'PP';
SELECT set_level('M+'::meddic, 'champion', 'partial'), set_level('M+'::meddpicc, 'co', 'no');
SELECT 'M+ E-'::meddic || 'E~ C+', 'M+ PP-'::meddpicc || 'PP~ CO+';
SELECT 'M+ E~'::meddic @> 'M~', 'M~'::meddic <@ 'M+ E~', 'PP~'::meddpicc @> 'CO~', 'PP~'::meddpicc <@ 'PP+';
SELECT met(q), known(q), refuted(q), gaps(q)
  FROM unnest('{"","M+ E? DC~ DP- I+ C?","M+ E+ DC+ DP+ I+ C+"}'::meddic[]) q;
SELECT met(q), known(q), refuted(q), gaps(q)
  FROM unnest('{"","M+ E? DC~ DP- PP~ I+ C? CO-"}'::meddpicc[]) q;
SELECT weigh('M+ E+ DC~'::meddic, '{10,20,30,40,50,60}'),
       weigh('M+ PP+ CO~'::meddpicc, '{15,15,10,10,10,15,15,10}');
SELECT weigh('M+'::meddic, '{1,2,3,4}');
SELECT weigh('M+'::meddpicc, '{1,2,3,4,5,6,7,8,9}');
SELECT verdict('M+ E+ DC+ DP? I- C-'::meddic, 4), verdict('M+ E+ DC+ DP? I- C-'::meddic, 5),
       verdict('M+ E+ DC+ DP? I- C-'::meddic, 4, true), verdict('CO+'::meddpicc, 8);
SELECT verdict('M+'::meddic, 7);
SELECT verdict('M+'::meddpicc, 9);
SELECT best(q), min(q), max(q) FROM unnest('{"M- E~","M~ E-","C-"}'::meddic[]) q;
SELECT best(q), min(q), max(q) FROM unnest('{"M- E~","CO-",NULL}'::meddpicc[]) q;

-- order and hash against levels sorted by hand
CREATE TEMP TABLE meddic_all AS
SELECT format('M%s E%s DC%s DP%s I%s C%s', level[m], level[e], level[dc], level[dp], level[i], level[c])::meddic AS q,
       format('M%s E%s DC%s DP%s PP%s CO%s', level[m], level[e], level[dc], level[dp], level[i], level[c])::meddpicc AS qq,
       ARRAY[m, e, dc, dp, i, c] AS place
  FROM (SELECT '{-,?,~,+}'::text[] AS level) l, generate_series(1, 4) m, generate_series(1, 4) e,
       generate_series(1, 4) dc, generate_series(1, 4) dp, generate_series(1, 4) i, generate_series(1, 4) c;
SELECT array_agg(q ORDER BY q) = array_agg(q ORDER BY place) AS ascending,
       array_agg(q ORDER BY q DESC) = array_agg(q ORDER BY place DESC) AS descending,
       array_agg(qq ORDER BY qq) = array_agg(qq ORDER BY place) AS ascending,
       array_agg(qq ORDER BY qq DESC) = array_agg(qq ORDER BY place DESC) AS descending
  FROM meddic_all;
WITH sample AS (SELECT * FROM meddic_all ORDER BY meddic_hash(q) LIMIT 300)
SELECT bool_and(sign(meddic_cmp(x.q, y.q)) = sign(btarraycmp(x.place, y.place))) AS meddic_cmp,
       bool_and(sign(meddpicc_cmp(x.qq, y.qq)) = sign(btarraycmp(x.place, y.place))) AS meddpicc_cmp,
       bool_and(ARRAY[x.q = y.q, x.q <> y.q, x.q < y.q, x.q <= y.q, x.q > y.q, x.q >= y.q] =
                ARRAY[x.place = y.place, x.place <> y.place, x.place < y.place,
                      x.place <= y.place, x.place > y.place, x.place >= y.place]) AS meddic,
       bool_and(ARRAY[x.qq = y.qq, x.qq <> y.qq, x.qq < y.qq, x.qq <= y.qq, x.qq > y.qq, x.qq >= y.qq] =
                ARRAY[x.place = y.place, x.place <> y.place, x.place < y.place,
                      x.place <= y.place, x.place > y.place, x.place >= y.place]) AS meddpicc
  FROM sample x, sample y;
SELECT count(DISTINCT q) - count(DISTINCT meddic_hash_extended(q, 1)) AS meddic_collisions,
       count(DISTINCT qq) - count(DISTINCT meddpicc_hash_extended(qq, 1)) AS meddpicc_collisions,
       bool_and(meddic_hash(q) = meddic_hash(q::text::meddic)) AS same,
       bool_and(meddpicc_hash(qq) = meddpicc_hash(qq::text::meddpicc)) AS same
  FROM meddic_all;

-- an index finds what a sequential scan finds
SELECT count(*), count(*) FILTER (WHERE qq >= 'M+ CO~'), count(*) FILTER (WHERE q = 'M+ C+')
  FROM meddic_all WHERE q >= 'M+';
SELECT count(*) FROM meddic_all WHERE qq = 'M+ CO-';
CREATE INDEX ON meddic_all (q);
CREATE INDEX ON meddic_all (qq);
SET enable_seqscan = off;
SELECT count(*), count(*) FILTER (WHERE qq >= 'M+ CO~'), count(*) FILTER (WHERE q = 'M+ C+')
  FROM meddic_all WHERE q >= 'M+';
SELECT count(*) FROM meddic_all WHERE qq = 'M+ CO-';
RESET enable_seqscan;
