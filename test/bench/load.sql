-- A funnel "hot" with 10,000 MQLs, and work for it, each piece a transaction of
-- its own.  It is for compare: what "first" is differs from call to call, and
-- "first" + n stays below 10,000.
\set ON_ERROR_STOP on
SET client_min_messages = error;
CREATE EXTENSION lead_qual;
SELECT create_funnel('hot', 'UTC') \g /dev/null
INSERT INTO hot.lead (email) SELECT 'mql' || n || '@example.com' FROM generate_series(1, 10000) AS n;
INSERT INTO hot.activity (lead_id, kind) SELECT lead_id, 'demo_request' FROM hot.lead;
CREATE PROCEDURE work(what text, first int, n int) LANGUAGE plpgsql AS $$ BEGIN
	FOR i IN first .. first + n - 1 LOOP
		CASE what
			WHEN 'activity' THEN	-- which moves nobody
				INSERT INTO hot.activity (lead_id, kind) VALUES (1 + i % 1000, 'email_open');
			WHEN 'sales' THEN		-- which has had to do with it before
				INSERT INTO hot.activity (lead_id, kind) VALUES (9001 + i % 10, 'sales_email');
			WHEN 'lead' THEN
				INSERT INTO hot.lead (external_id, email, full_name, job_title, company, industry, company_size, country, source)
					VALUES (i, 'lead' || i || '@example.com', 'First Last', 'Head of Something', 'Company', 'software', i % 1000, 'DE', 'organic');
			WHEN 'move' THEN		-- sales accepts it
				UPDATE hot.lead SET stage = 'sal', owner = 'ben' WHERE lead_id = i;
		END CASE;
		COMMIT;
	END LOOP;
END $$;
VACUUM ANALYZE;
