-- bant: order, indexes and hash against levels sorted by hand
CREATE TEMP TABLE bant_all AS
SELECT q, place, i
  FROM (SELECT format('B%s A%s N%s T%s', level[b], level[a], level[n], level[t])::bant AS q,
               ARRAY[b, a, n, t] AS place
          FROM (SELECT '{-,?,~,+}'::text[] AS level) l, generate_series(1, 4) b,
               generate_series(1, 4) a, generate_series(1, 4) n, generate_series(1, 4) t) v,
       generate_series(1, 5) i;

-- sorts both ways as the places do
SELECT array_agg(q ORDER BY q) = array_agg(q ORDER BY place) AS ascending,
       array_agg(q ORDER BY q DESC) = array_agg(q ORDER BY place DESC) AS descending,
       min(q), max(q)
  FROM bant_all;

-- each operator as the places have it
SELECT count(*),
       bool_and((x.q = y.q) = (x.place = y.place)) AS eq,
       bool_and((x.q <> y.q) = (x.place <> y.place)) AS ne,
       bool_and((x.q < y.q) = (x.place < y.place)) AS lt,
       bool_and((x.q <= y.q) = (x.place <= y.place)) AS le,
       bool_and((x.q > y.q) = (x.place > y.place)) AS gt,
       bool_and((x.q >= y.q) = (x.place >= y.place)) AS ge,
       bool_and(sign(bant_cmp(x.q, y.q)) = sign(btarraycmp(x.place, y.place))) AS cmp,
       bool_and((x.q @> y.q) = (x.place[1] >= y.place[1] AND x.place[2] >= y.place[2] AND
                                x.place[3] >= y.place[3] AND x.place[4] >= y.place[4])) AS contains,
       bool_and((x.q @> y.q) = (y.q <@ x.q)) AS contained,
       bool_and(NOT x.q @> y.q OR x.q >= y.q) AS contained_is_not_after
  FROM bant_all x, bant_all y WHERE x.i = 1 AND y.i = 1;

-- one hash a value
SELECT count(DISTINCT bant_hash(q)), count(DISTINCT bant_hash_extended(q, 1)),
       bool_and(bant_hash(q) = bant_hash_extended(q, 0)::bit(32)::integer) AS low_half,
       bool_and(bant_hash(q) = bant_hash(q::text::bant)) AS same
  FROM bant_all;

-- an index finds what a sequential scan finds
CREATE TEMP TABLE bant_found (plan text, condition text, found bigint, sum bigint);
CREATE FUNCTION pg_temp.bant_find(plan text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    condition text;
BEGIN
    FOREACH condition IN ARRAY ARRAY['q = ''B+ A? N~ T-''', 'q < ''B~''', 'q <= ''B~''',
                                     'q >= ''T-''', 'q > ''T-''', 'q BETWEEN ''B-'' AND ''B- A+ N+''',
                                     'q IN (''B+'', ''A-'')', 'q IS NULL']
    LOOP
        EXECUTE format('INSERT INTO bant_found SELECT $1, $2, count(*), sum(i) FROM bant_all WHERE %s',
                       condition) USING plan, condition;
    END LOOP;
END
$$;
INSERT INTO bant_all VALUES (NULL, NULL, 6);
SELECT pg_temp.bant_find('sequential');
CREATE INDEX bant_all_btree ON bant_all (q);
ANALYZE bant_all;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT i FROM bant_all WHERE q >= 'B+' ORDER BY q;
SELECT pg_temp.bant_find('btree');
DROP INDEX bant_all_btree;
CREATE INDEX bant_all_hash ON bant_all USING hash (q);
EXPLAIN (COSTS off) SELECT i FROM bant_all WHERE q = 'B+';
SELECT pg_temp.bant_find('hash');
RESET ALL;
SELECT condition, min(found) AS found, count(DISTINCT (found, sum)) AS answers
  FROM bant_found GROUP BY condition ORDER BY condition COLLATE "C";

-- joins by hash and by merge, grouping, hash partitions
SET enable_nestloop = off;
SET enable_mergejoin = off;
SELECT count(*) FROM bant_all x JOIN bant_all y ON x.q = y.q;
SET enable_mergejoin = on;
SET enable_hashjoin = off;
SELECT count(*) FROM bant_all x JOIN bant_all y ON x.q = y.q;
RESET ALL;
SELECT count(*) FROM (SELECT q FROM bant_all GROUP BY q) v;
CREATE TEMP TABLE bant_part (q bant) PARTITION BY HASH (q);
CREATE TEMP TABLE bant_part_0 PARTITION OF bant_part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TEMP TABLE bant_part_1 PARTITION OF bant_part FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO bant_part SELECT q FROM bant_all;
SELECT count(*) FROM bant_part WHERE q = 'B+ T-';
