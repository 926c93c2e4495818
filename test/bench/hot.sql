-- How many updates of leads are heap-only (HOT) when activities come in that
-- move nobody.
--
--   test/tempserver psql -q -f test/bench/hot.sql
--   test/tempserver psql -q -v fillfactor=90 -f test/bench/hot.sql
--
-- 20,000 leads: one in ten an MQL or SAL with a deadline, the others new.
-- First 20,000 activities, each of a lead by chance and a transaction of its
-- own; then as many, 1,000 in a transaction.
\set ON_ERROR_STOP on
\pset footer off
\if :{?fillfactor}
\else
\set fillfactor 70
\endif
SET client_min_messages = error;
SET lead_qual.clock = '2026-03-02 09:00+00';
CREATE EXTENSION lead_qual;
\o /dev/null
SELECT create_funnel('hot', 'UTC'), setseed(0.5);
ALTER TABLE hot.lead SET (fillfactor = :fillfactor);
INSERT INTO hot.lead (external_id, email, full_name, job_title, company, industry, company_size, country, source)
	SELECT n, 'lead' || n || '@example.com', 'First Last' || n, 'Head of Something', 'Company ' || n / 3,
		   'software', n % 1000, 'DE', 'organic'
	FROM generate_series(1, 20000) AS n;
INSERT INTO hot.activity (lead_id, kind)
	SELECT lead_id, CASE lead_id % 10 WHEN 0 THEN 'demo_request' ELSE 'website_visit' END FROM hot.lead;
UPDATE hot.lead SET stage = 'sal' WHERE stage = 'mql' AND lead_id % 20 = 0;
VACUUM FULL hot.lead;
VACUUM ANALYZE hot.lead;

CREATE TABLE count AS SELECT '' AS load, n_tup_upd, n_tup_hot_upd, clock_timestamp() AS at
	FROM pg_stat_user_tables WHERE false;
CREATE PROCEDURE come(n int, at_a_time int) LANGUAGE plpgsql AS $$ BEGIN
	FOR i IN 1 .. n / at_a_time LOOP
		INSERT INTO hot.activity (lead_id, kind)
			SELECT 1 + floor(random() * 20000)::bigint, 'email_open' FROM generate_series(1, at_a_time);
		COMMIT;
	END LOOP;
END $$;
SELECT pg_stat_force_next_flush();
INSERT INTO count SELECT '', n_tup_upd, n_tup_hot_upd, clock_timestamp()
	FROM pg_stat_user_tables WHERE schemaname = 'hot' AND relname = 'lead';
CALL come(20000, 1);
SELECT pg_stat_force_next_flush();
INSERT INTO count SELECT 'one a transaction', n_tup_upd, n_tup_hot_upd, clock_timestamp()
	FROM pg_stat_user_tables WHERE schemaname = 'hot' AND relname = 'lead';
CALL come(20000, 1000);
SELECT pg_stat_force_next_flush();
INSERT INTO count SELECT '1,000 a transaction', n_tup_upd, n_tup_hot_upd, clock_timestamp()
	FROM pg_stat_user_tables WHERE schemaname = 'hot' AND relname = 'lead';
\o
SELECT :fillfactor AS fillfactor, load, updates, hot, round(100.0 * hot / updates, 1) AS hot_percent,
	   round(updates / seconds) AS updates_per_second, pg_size_pretty(pg_relation_size('hot.lead')) AS lead_table,
	   (SELECT count(*) FROM hot.stage_history WHERE to_stage = 'mql') AS mqls
FROM (SELECT load, n_tup_upd - lag(n_tup_upd) OVER w AS updates, n_tup_hot_upd - lag(n_tup_hot_upd) OVER w AS hot,
			 extract(epoch FROM at - lag(at) OVER w) AS seconds
	  FROM count WINDOW w AS (ORDER BY at)) AS c
WHERE load <> '';
