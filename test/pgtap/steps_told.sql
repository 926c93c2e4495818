-- The views of steps are what the history tells entry by entry: on funnels of
-- random operations, in time zones with odd offsets and nights that change them.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(13);
\ir helper/random_funnel.sql
\set funnel crm
\ir helper/told_units.sql
\ir helper/told_steps.sql
SELECT isnt_empty('SELECT * FROM pg_temp.random_operations(300, 0.21)', 'a funnel');

-- as many again a year before, so that there is a past; some at midnight
SET LOCAL lead_qual.import = on;
INSERT INTO lead (lead_id, owner) SELECT 1000 + n, 'o' || n % 4 FROM generate_series(1, 110) AS n;
INSERT INTO stage_history (lead_id, to_stage, entered_at, source, owner, reason, from_stage)
SELECT 1000 + n, w.stage, timestamptz '2025-01-02 11:30Z' + n * interval '107 hours' + w.day * interval '3 days', (ARRAY['event', 'social'])[1 + n % 2], 'o' || n % 3, w.reason, w.previous
FROM generate_series(1, 110) AS n,
	 LATERAL (VALUES (0, 0, 'lead', NULL, NULL), (1, 1, 'mql', NULL, 'lead'), (1 + n % 2, 2, 'sal', NULL, 'mql'), (2 + n % 3, 4, 'sql', NULL, 'sal'), (2 + n % 5, 6, 'opportunity', NULL, 'sql'), (2 + n % 7, 9, 'customer', NULL, 'opportunity'),
			  (4 + n % 4, 20, (ARRAY['nurture', 'disqualified', 'lost'])[1 + n % 3], (ARRAY['no_budget', NULL, 'price'])[1 + n % 3], 'sal')) AS w (need, day, stage, reason, previous)
WHERE w.need <= 1 + n % 5;
SELECT rebuild_history('crm');
SET LOCAL lead_qual.import = off;
INSERT INTO deal (external_id, amount, currency, home_amount, opened_at) SELECT 'o' || n, 10 * n, NULLIF((ARRAY['EUR', 'USD', ''])[1 + n % 3], ''), CASE WHEN n % 5 = 0 THEN n END, '2026-01-01' FROM generate_series(1, 60) AS n;
INSERT INTO deal_contact (deal_id, lead_id) SELECT d.deal_id, l.lead_id FROM deal AS d CROSS JOIN lead AS l WHERE d.external_id LIKE 'o%' AND (l.lead_id + d.deal_id) % 17 = 0;

CREATE FUNCTION pg_temp.check(zone text, clock timestamptz, days integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE setting SET time_zone = zone, maturity_days = days;
	PERFORM set_config('lead_qual.clock', clock::text, true);
	RETURN QUERY SELECT is_empty(format('SELECT pg_temp.differences(''crm'', %L)', v), format('%s: as told, in %s at %s', v, zone, clock))
		FROM unnest('{conversion,bottleneck,funnel_weekly,stuck}'::text[]) AS v;
END $$;
-- clocks there change by half an hour, on 5 April 2026; here at 2 h, on 8 March
SELECT pg_temp.check('Australia/Lord_Howe', '2026-04-06 13:17Z', 20);
INSERT INTO target (metric, starts_on, ends_on, value) VALUES ('rate:mql>sal', '2025-06-01', '2026-12-31', 0.9), ('rate:mql>sal', '2025-01-01', '2025-02-28', 0.1), ('rate:sql>opportunity', '2027-01-01', '2027-12-31', 0.99);
SELECT pg_temp.check('America/St_Johns', '2026-03-11 02:29:59Z', 90);
UPDATE stage SET milestone = 'mql' WHERE milestone = 'sal';
SELECT pg_temp.check('Pacific/Apia', '2026-07-01 11:00Z', 0);
SELECT * FROM finish();
ROLLBACK;
