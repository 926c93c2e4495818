-- A funnel of n leads and about 2 n moves, the same on every run, to measure
-- what reads it:
--
--   test/tempserver psql -q -v n=100000 -f test/bench/funnel.sql
--
-- Half of the leads stay new; the others go on, wait, come back in a second
-- cycle, are lost, returned, disqualified or won over two years.  Sales calls
-- three in five of those handed over; a few leads did something themselves.
-- Deals, spend, accounts and owners are of the size that goes with it.
\set ON_ERROR_STOP on
\if :{?n}
\else
\set n 1000000
\endif
SET client_min_messages = error;
SET TimeZone = 'UTC';
SET lead_qual.clock = '2026-11-01 09:00+00';
CREATE EXTENSION IF NOT EXISTS lead_qual;
\o /dev/null
SELECT create_funnel('bench', 'Europe/Berlin');
\o
SET search_path = bench, public;

-- a whole number from 0 to below most, by chance but always the same
CREATE FUNCTION pg_temp.any_of(most bigint, n bigint, salt bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashint8extended(n, salt) & 9007199254740991) % most;

BEGIN;
SET LOCAL lead_qual.import = on;

INSERT INTO account (account_id, name)
	SELECT n, 'Company ' || n FROM generate_series(1, greatest(:n / 10, 1)) AS n;

CREATE TEMP TABLE way (part, stages) AS VALUES
	(500, '{lead}'::text[]), (200, '{lead,mql}'), (60, '{lead,mql,sal}'), (50, '{lead,mql,nurture}'),
	(40, '{lead,mql,sal,sql}'), (20, '{lead,mql,sal,sql,lost}'), (30, '{lead,mql,sal,sql,opportunity}'),
	(20, '{lead,mql,sal,sql,opportunity,customer}'), (30, '{lead,mql,nurture,mql,sal,sql}'),
	(20, '{lead,mql,sal,nurture,mql}'), (20, '{lead,disqualified}'), (10, '{sql,opportunity,customer}');
CREATE TEMP TABLE lead_way AS
	SELECT n AS lead_id, w.stages,
		   timestamptz '2024-11-01 06:00+00' + pg_temp.any_of(63072000, n, 2) * interval '1 second' AS began_at,
		   NULLIF((ARRAY['organic_search', 'paid_search', 'social', 'email', 'content', 'event', 'referral', ''])
				  [1 + pg_temp.any_of(8, n, 3)], '') AS source,
		   'campaign ' || pg_temp.any_of(20, n, 4) AS campaign,
		   CASE WHEN pg_temp.any_of(4, n, 5) > 0 THEN 'owner ' || pg_temp.any_of(40, n, 6) END AS owner,
		   CASE WHEN pg_temp.any_of(3, n, 7) > 0 THEN 1 + pg_temp.any_of(greatest(:n / 10, 1), n, 8) END AS account_id
	FROM generate_series(1, :n) AS n
	JOIN (SELECT stages, sum(part) OVER (ORDER BY part DESC, stages) - part AS since,
				 sum(part) OVER (ORDER BY part DESC, stages) AS until FROM way) AS w
		ON pg_temp.any_of(1000, n, 1) >= w.since AND pg_temp.any_of(1000, n, 1) < w.until;

INSERT INTO lead (lead_id, external_id, email, full_name, source, campaign, owner, account_id, stage, created_at)
	SELECT lead_id, 'l' || lead_id, 'lead' || lead_id || '@example.com', 'First Last' || lead_id,
		   source, campaign, owner, account_id, 'lead', began_at
	FROM lead_way;

-- up to three weeks pass from stage to stage
INSERT INTO stage_history (lead_id, to_stage, entered_at, reason, source, campaign, owner, account_id)
	SELECT m.lead_id, m.stage, m.at, CASE m.stage WHEN 'nurture' THEN 'no_budget' END,
		   m.source, m.campaign, m.owner, m.account_id
	FROM (SELECT w.*, s.stage, w.began_at + sum(CASE WHEN s.n > 1 THEN pg_temp.any_of(1814400, w.lead_id, 10 + s.n) ELSE 0 END)
				 OVER (PARTITION BY w.lead_id ORDER BY s.n) * interval '1 second' AS at
		  FROM lead_way AS w
		  CROSS JOIN unnest(w.stages) WITH ORDINALITY AS s (stage, n)) AS m
	WHERE m.at < funnel_now();
COMMIT;
BEGIN;
SET LOCAL lead_qual.import = on;

INSERT INTO activity (lead_id, occurred_at, kind, recorded_at)
	SELECT h.lead_id, a.at, CASE pg_temp.any_of(3, h.history_id, 21) WHEN 0 THEN 'sales_call' ELSE 'sales_email' END, a.at
	FROM stage_history AS h
	CROSS JOIN LATERAL (SELECT h.entered_at + pg_temp.any_of(345600, h.history_id, 22) * interval '1 second' AS at) AS a
	WHERE h.to_stage = 'mql' AND pg_temp.any_of(5, h.history_id, 20) < 3 AND a.at < funnel_now();
INSERT INTO activity (lead_id, occurred_at, kind, recorded_at)
	SELECT lead_id, began_at, 'website_visit', began_at FROM lead_way WHERE pg_temp.any_of(10, lead_id, 23) = 0;

INSERT INTO deal (deal_id, amount, currency, status, opened_at, closed_at)
	SELECT h.history_id, 1000 + pg_temp.any_of(900000, h.history_id, 30) / 100.0, 'EUR', 'won',
		   h.entered_at - interval '20 days', h.entered_at
	FROM stage_history AS h WHERE h.to_stage = 'customer';
INSERT INTO deal_contact (deal_id, lead_id)
	SELECT h.history_id, h.lead_id FROM stage_history AS h WHERE h.to_stage = 'customer';
INSERT INTO spend (department, source, starts_on, ends_on, amount)
	SELECT CASE WHEN s.source IS NULL THEN 'sales' ELSE 'marketing' END, s.source, m, m + 45, 1000 + pg_temp.any_of(9000, i, 40)
	FROM unnest(ARRAY['paid_search', 'social', 'event', NULL]) AS s (source)
	CROSS JOIN generate_series(0, 23) AS i
	CROSS JOIN LATERAL (SELECT (date '2024-11-01' + i * interval '1 month')::date AS m) AS month;
\o /dev/null
SELECT rebuild_history('bench');
COMMIT;
SELECT rescore_funnel('bench');
\o
-- whatever the loading has left behind is not what is measured
VACUUM ANALYZE;
