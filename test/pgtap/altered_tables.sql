-- Tables whose columns are not what they were: an error, never a value taken
-- for what it is not.  (Each of these read memory at an address of the
-- owner's choice.)
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(17);

\ir helper/attempt.sql

CREATE ROLE regress_lq_owner;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lq_owner', current_database()); END $$;
SELECT is(pg_temp.attempt('regress_lq_owner', $$ SELECT create_funnel('crm', 'UTC') $$), 'done', 'a funnel');
INSERT INTO crm.lead (email) VALUES ('ann@example.com');
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar');
SET LOCAL ROLE regress_lq_owner;
DO $$ DECLARE v text; BEGIN
	LOOP
		SELECT relname INTO v FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'v' LIMIT 1;
		EXIT WHEN NOT FOUND;
		EXECUTE format('DROP VIEW crm.%I CASCADE', v);
	END LOOP;
END $$;
RESET ROLE;

-- alter, use, and undo
CREATE FUNCTION pg_temp.altered(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	BEGIN
		result := pg_temp.attempt('regress_lq_owner', 'ALTER TABLE crm.' || change);
		IF result <> 'done' THEN
			RETURN 'not altered: ' || result;
		END IF;
		result := pg_temp.attempt('regress_lq_owner', 'INSERT INTO crm.activity (lead_id, kind) SELECT lead_id, k.kind::text FROM crm.lead, (SELECT * FROM crm.kind LIMIT 1) AS k');
		RAISE EXCEPTION USING ERRCODE = 'LQ001';
	EXCEPTION WHEN SQLSTATE 'LQ001' THEN
		RETURN result;
	END;
END $$;
SELECT is(pg_temp.altered('lead ADD more text'), 'done', 'a column may be added');
SELECT is(pg_temp.altered('lead ALTER company TYPE varchar(100)'), 'done', 'and a column that we do not read have another type');
SELECT is(pg_temp.altered('activity ALTER campaign TYPE varchar(100)'), 'done', 'or one we read, where that is no difference');
SELECT alike(pg_temp.altered(change), '42804 column%is of type%', change)
FROM (VALUES ('activity ALTER source TYPE bigint USING 4096'), ('activity ALTER recorded_at DROP DEFAULT, ALTER recorded_at TYPE text'),
			 ('setting ALTER time_zone DROP DEFAULT, ALTER time_zone TYPE bigint USING 4096'), ('rule ALTER points TYPE double precision'),
			 ('rule ALTER description TYPE bigint USING 4096'), ('lead ALTER source TYPE bigint USING 4096'),
			 ('lead ALTER won_amount DROP DEFAULT, ALTER won_amount TYPE bigint'), ('stage ALTER notify DROP DEFAULT, ALTER notify TYPE bigint USING 1'),
			 ('deal ALTER home_amount TYPE bigint')) AS c (change);
SELECT alike(pg_temp.altered(change), '55000 column%is not NOT NULL%', change)
FROM (VALUES ('activity ALTER kind DROP NOT NULL'), ('lead ALTER answers DROP NOT NULL'), ('lead ALTER stage DROP NOT NULL')) AS c (change);
SELECT alike(pg_temp.altered('activity DROP campaign'), '42703 column "campaign" of relation "activity" does not exist%', 'a column that is gone');

SELECT * FROM finish();
ROLLBACK;
