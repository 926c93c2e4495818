-- Qualification types: mutated literals, jsonb and bytes never do worse than
-- an error of the expected class.  Needs a superuser: it writes a file of
-- binary COPY into the data directory, because receive functions cannot be
-- called from SQL.
BEGIN;
SELECT plan(19);
SELECT setseed(0.15);

-- One to four random changes: a byte inserted, replaced or removed, a part
-- doubled, the case changed.
CREATE FUNCTION pg_temp.mutate(str text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    pool text[] := array[' ', ',', '=', '+', '-', '?', '~', 'B', 'a', 'DC', 'CO', 'yes', 'no', '_', '"', '{', ':',
                         '%s', '%', '''', chr(9), chr(1), 'budget', 'metrics=', 'unknown', '0', '\', repeat('x', 300)]
                   || CASE WHEN getdatabaseencoding() = 'UTF8' THEN array[chr(233), chr(8364), chr(128512)] END;
    at integer;
    piece text;
BEGIN
    FOR i IN 1 .. 1 + floor(random() * 4)::integer LOOP
        at := 1 + floor(random() * (length(str) + 1))::integer;
        piece := pool[1 + floor(random() * cardinality(pool))::integer];
        CASE floor(random() * 5)::integer
            WHEN 0 THEN str := overlay(str PLACING piece FROM at FOR 0);
            WHEN 1 THEN str := overlay(str PLACING piece FROM at FOR 1);
            WHEN 2 THEN str := overlay(str PLACING '' FROM at FOR 1 + floor(random() * 3)::integer);
            WHEN 3 THEN str := str || ' ' || substr(str, at, 8);
            ELSE str := CASE WHEN random() < 0.5 THEN upper(str) ELSE initcap(str) END;
        END CASE;
    END LOOP;
    RETURN str;
END
$$;

-- Try many literals of a type; count what came of them.  A value that was
-- accepted must print to a text that reads back as the same value and text.
CREATE TEMP TABLE outcome (type text, what text, code text, n integer DEFAULT 1, PRIMARY KEY (type, what, code));
CREATE FUNCTION pg_temp.fuzz(type regtype, what text, seeds text[], source text, rounds integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    literal text;
    round_trip boolean;
    result text;
    message text;
BEGIN
    FOR i IN 1 .. rounds LOOP
        literal := pg_temp.mutate(seeds[1 + i % cardinality(seeds)]);
        BEGIN
            EXECUTE format('SELECT v::text::%s = v AND v::text::%1$s::text = v::text FROM (SELECT $1::%s::%1$s AS v) t',
                           type, source) INTO round_trip USING literal;
            result := CASE WHEN round_trip OR round_trip IS NULL THEN 'accepted' ELSE 'changed' END;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
            result := SQLSTATE ||
                CASE WHEN source = 'text' AND strpos(message, type::text) = 0 THEN ' without the type' ELSE '' END;
        END;
        INSERT INTO outcome AS o VALUES (type, what, result)
            ON CONFLICT ON CONSTRAINT outcome_pkey DO UPDATE SET n = o.n + 1;
    END LOOP;
END
$$;
SELECT pg_temp.fuzz('bant', 'text', array['B+ A? N~ T-', 'budget=yes, authority=unknown', 'B=+,t = no', '', '{"budget": "yes", "A": null}'], 'text', 8000);
SELECT pg_temp.fuzz('meddic', 'text', array['M+ E? DC~ DP- I+ C?', 'metrics=no champion=partial', 'C+M-'], 'text', 5000);
SELECT pg_temp.fuzz('meddpicc', 'text', array['M+ E? DC~ DP- PP+ I+ C? CO~', 'competition=yes,paper_process=no'], 'text', 5000);
SELECT pg_temp.fuzz('answer_level', 'text', array['no', 'unknown', 'partial', 'yes', '+'], 'text', 2000);
SELECT pg_temp.fuzz('bant', 'jsonb', array['{"budget": "yes", "A": "+", "need": null}', '"B+ A?"', '{}'], 'jsonb', 4000);

SELECT is(sum(n), 24000::bigint, 'every literal has an outcome') FROM outcome;
SELECT is(array_agg(DISTINCT code ORDER BY code), '{22P02,accepted}', 'text of ' || type || ' is read or refused')
  FROM outcome WHERE what = 'text' GROUP BY type ORDER BY type;
SELECT ok(min(n) > 100, type || ' met both') FROM outcome WHERE what = 'text' GROUP BY type ORDER BY type;
-- 22P02 is the server's own for broken JSON, too; 22P05 its for \u0000
SELECT is(array_agg(code ORDER BY code), '{22023,22P02,accepted}', 'jsonb is read or refused')
  FROM outcome WHERE what = 'jsonb';

-- Bytes: every word of up to two bytes, then random ones of up to five.
CREATE TEMP TABLE bytes_bant (q bant);
CREATE TEMP TABLE bytes_meddic (q meddic);
CREATE TEMP TABLE bytes_meddpicc (q meddpicc);
CREATE TEMP TABLE bytes_answer_level (q answer_level);
CREATE FUNCTION pg_temp.copy_file() RETURNS text LANGUAGE sql AS
$$ SELECT current_setting('data_directory') || '/lead_qual_fuzz.data' $$;

-- Load words as binary COPY would bring them; the SQLSTATE, or ok.
CREATE FUNCTION pg_temp.receive(type regtype, words bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    file oid := lo_from_bytea(0, '\x5047434f50590aff0d0a00' || '\x0000000000000000'::bytea || words || '\xffff');
    result text := 'ok';
BEGIN
    PERFORM lo_export(file, pg_temp.copy_file());
    PERFORM lo_unlink(file);
    EXECUTE format('TRUNCATE %I', 'bytes_' || type);
    BEGIN
        EXECUTE format('COPY %I FROM %L (FORMAT binary)', 'bytes_' || type, pg_temp.copy_file());
    EXCEPTION WHEN OTHERS THEN
        result := SQLSTATE;
    END;
    RETURN result;
END
$$;
CREATE FUNCTION pg_temp.word(length integer, number bigint) RETURNS bytea LANGUAGE sql AS
$$ SELECT '\x0001'::bytea || int4send(length) || substr(int8send(number), 9 - length) $$;

SELECT is(pg_temp.receive('bant', string_agg(pg_temp.word(1, i), '')), 'ok', 'every byte is a bant')
  FROM generate_series(0, 255) i;
SELECT is(count(DISTINCT q), 256::bigint, 'each another') FROM bytes_bant;
SELECT is(pg_temp.receive('meddic', string_agg(pg_temp.word(2, i), '')), 'ok', 'twelve bits are a meddic')
  FROM generate_series(0, 4095) i;
SELECT is(count(DISTINCT q), 4096::bigint, 'each another') FROM bytes_meddic;
SELECT is(array_agg(DISTINCT pg_temp.receive('meddic', pg_temp.word(2, i << 12 | (i * 1103) % 4096))), '{22P03}',
          'one bit more is not') FROM generate_series(1, 15) i;
SELECT is(pg_temp.receive('meddpicc', string_agg(pg_temp.word(2, i), '')), 'ok', 'sixteen bits are a meddpicc')
  FROM generate_series(0, 65535) i;
SELECT is(count(DISTINCT q), 65536::bigint, 'each another') FROM bytes_meddpicc;
SELECT is(array_agg(i ORDER BY i), '{0,1,2,255}', 'four bytes are an answer_level')
  FROM generate_series(0, 255) i WHERE pg_temp.receive('answer_level', pg_temp.word(1, i)) = 'ok';

-- 08P01 is what the server says of a message that is too short
SELECT is(array_agg(DISTINCT code ORDER BY code), '{08P01,22P03,ok}', 'random bytes are read or refused')
  FROM (SELECT pg_temp.receive((array['bant', 'meddic', 'meddpicc', 'answer_level'])[1 + i % 4]::regtype,
                               pg_temp.word(floor(random() * 6)::integer,
                                            floor(random() * 1099511627776)::bigint)) AS code
          FROM generate_series(1, 1000) i) t;

-- leave no file
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; rm -f lead_qual_fuzz.data';

SELECT * FROM finish();
ROLLBACK;
