-- Mutated text and bytes are refused with the right codes, or read soundly.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS lead_qual;
SELECT plan(6);
SET LOCAL TimeZone = 'UTC';
SELECT setseed(0.11);

CREATE TEMP TABLE seed (n serial, t text);
INSERT INTO seed (t) VALUES
('{v1 version=0}'),
('{v1 as_of=2026-01-02T03:04:05.6Z last_activity=2026-01-03T00:00:00Z version=3 max_fit=100 max_engagement=2e2 floor=-20 | 12 engagement hits=3 last=2026-01-02T03:04:05.6Z points=12.25 half_life=30d max_points=30 max_hits=3 per=1d window=2026-01-02T03:04:05.6Z window_hits=2 | 13 fit hits=1 points=10}'),
('{v1 as_of=2026-01-02T03:04:05Z version=1 | 1 engagement hits=2 last=2026-01-01T00:00:00Z points=-4.5 half_life=7h | 2 engagement hits=1 last=2026-01-02T03:04:05Z points=1 | 300 fit hits=1 points=0.1}'),
('{v1 as_of=-0044-03-15T12:00:00Z version=2147483647 floor=0 | -5 engagement hits=9223372036854775807 last=-0044-03-15T12:00:00Z points=1e+18 half_life=1us}');
CREATE TEMP TABLE outcome (form text, code text, n bigint DEFAULT 1);

-- one to three changes: another character, one less, one more, a piece twice, a cut
CREATE FUNCTION pg_temp.mutate(t text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	pool CONSTANT text := E'{}|=.:+-eEZTdhmsu0123456789naif _v,\t\né"\\';
	at int;
	piece text;
BEGIN
	FOR i IN 1 .. 1 + (random() * 2)::int LOOP
		at := 1 + (random() * length(t))::int;
		piece := substr(pool, 1 + (random() * (length(pool) - 1))::int, 1);
		t := CASE (random() * 4)::int
			WHEN 0 THEN overlay(t PLACING piece FROM at FOR 1)
			WHEN 1 THEN overlay(t PLACING '' FROM at FOR 1 + (random() * 6)::int)
			WHEN 2 THEN overlay(t PLACING piece FROM at FOR 0)
			WHEN 3 THEN overlay(t PLACING substr(t, 1 + (random() * length(t))::int, 12) FROM at FOR 0)
			ELSE left(t, at) END;
	END LOOP;
	RETURN t;
END $$;

-- is what was read a sound card?
CREATE FUNCTION pg_temp.sound(card scorecard) RETURNS boolean LANGUAGE sql
RETURN card::text::scorecard = card AND card::jsonb IS NOT NULL
	AND score(card, 'infinity') IS NOT NULL
	AND score(card, coalesce(as_of(card), '2026-01-01Z')) =
		(SELECT coalesce(sum(points), 0) FROM explain_score(card, coalesce(as_of(card), '2026-01-01Z')));

CREATE FUNCTION pg_temp.fuzz_text(rounds int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	mutant text;
	card scorecard;
BEGIN
	FOR i IN 1 .. rounds LOOP
		SELECT pg_temp.mutate(t) INTO mutant FROM seed WHERE n = 1 + i % 4;
		BEGIN
			card := mutant::scorecard;
			INSERT INTO outcome VALUES ('text', CASE WHEN pg_temp.sound(card) THEN 'sound' ELSE 'unsound: ' || mutant END);
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO outcome VALUES ('text', SQLSTATE);
		END;
	END LOOP;
END $$;
SELECT pg_temp.fuzz_text(20000) \g /dev/null

-- binary: a bytea in a COPY file, read back as a scorecard
CREATE FUNCTION pg_temp.mutate(b bytea) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	FOR i IN 1 .. 1 + (random() * 2)::int LOOP
		b := CASE (random() * 9)::int
			WHEN 0 THEN substr(b, 1, 1 + (random() * length(b))::int)
			WHEN 1 THEN b || substr(b, 1 + (random() * length(b))::int)
			ELSE set_byte(b, (random() * (length(b) - 1))::int,
				(CASE WHEN random() < .5 THEN random() * 255 ELSE (ARRAY[0, 1, 127, 128, 255])[1 + (random() * 4)::int] END)::int) END;
	END LOOP;
	RETURN b;
END $$;
CREATE TEMP TABLE target (c scorecard);
CREATE FUNCTION pg_temp.fuzz_binary(rounds int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	mutant bytea;
	file CONSTANT text := current_setting('data_directory') || '/lead_qual_fuzz.bin';
BEGIN
	FOR i IN 1 .. rounds LOOP
		IF i % 100 = 0 THEN
			TRUNCATE target;	-- deleted rows stay until commit
		END IF;
		SELECT pg_temp.mutate(scorecard_send(t::scorecard)) INTO mutant FROM seed WHERE n = 1 + i % 4;
		EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', mutant, file);
		BEGIN
			EXECUTE format('COPY target FROM %L (FORMAT binary)', file);
			INSERT INTO outcome SELECT 'binary', CASE WHEN pg_temp.sound(c) THEN 'sound' ELSE 'unsound: ' || mutant::text END FROM target;
			DELETE FROM target;
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO outcome VALUES ('binary', SQLSTATE);
		END;
	END LOOP;
END $$;
SELECT pg_temp.fuzz_binary(20000) \g /dev/null
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -f lead_qual_fuzz.bin';

SELECT is(count(*), 20000::bigint, '20,000 texts were tried') FROM outcome WHERE form = 'text';
SELECT is(array_agg(DISTINCT code ORDER BY code), '{22003,22P02,sound}'::text[], 'text: refused with 22P02 or 22003, or sound') FROM outcome WHERE form = 'text';
SELECT cmp_ok(count(*), '>', 100::bigint, 'and many were sound') FROM outcome WHERE form = 'text' AND code = 'sound';
SELECT is(count(*), 20000::bigint, '20,000 binary values were tried') FROM outcome WHERE form = 'binary';
SELECT is(array_agg(DISTINCT code ORDER BY code), '{22P03,sound}'::text[], 'binary: refused with 22P03, or sound') FROM outcome WHERE form = 'binary';
SELECT cmp_ok(count(*), '>', 100::bigint, 'and many were sound') FROM outcome WHERE form = 'binary' AND code = 'sound';
SELECT * FROM finish();
ROLLBACK;
