-- N9: dates that were cast in another zone than the funnel's
\set VERBOSITY default
SET client_min_messages = warning;
SET lead_qual.clock = '2026-06-01 12:00Z';
BEGIN;
SELECT create_funnel('z', 'America/Chicago');
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.import = on;
INSERT INTO z.lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (1), (2);
INSERT INTO z.stage_history (lead_id, to_stage, entered_at) VALUES
	(1, 'mql', date '2026-01-01'), (1, 'sql', date '2026-07-01'), (2, 'mql', '2026-01-01 10:30');
INSERT INTO z.deal (amount, status, opened_at, closed_at) VALUES (1, 'won', '2026-01-01 08:00', date '2026-02-01');
INSERT INTO z.activity (lead_id, kind, occurred_at) VALUES (1, 'webinar', date '2026-01-01');
SELECT rebuild_history('z') > 0 AS changed;
-- the same instants are midnights of nobody, here
SET LOCAL TimeZone = 'Europe/Berlin';
SELECT rebuild_history('z') AS changed;
SET LOCAL TimeZone = 'America/Chicago';
SELECT rebuild_history('z') AS changed;
-- as they are to be loaded; whoever looks from elsewhere may do so
DELETE FROM z.activity;
DELETE FROM z.deal;
DELETE FROM z.stage_history;
INSERT INTO z.stage_history (lead_id, to_stage, entered_at) VALUES (1, 'mql', date '2026-01-01'), (1, 'sql', date '2026-07-01');
SELECT rebuild_history('z') > 0 AS changed;
SELECT to_char(month, 'YYYY-MM') AS month, mqls FROM z.mql_to_sql WHERE mqls > 0;
SET LOCAL TimeZone = 'UTC';
SELECT rebuild_history('z') AS changed;
-- another name of the funnel's zone, or one of the same time then
DELETE FROM z.stage_history WHERE to_stage = 'sql';
SET LOCAL TimeZone = 'America/Mexico_City';
INSERT INTO z.stage_history (lead_id, to_stage, entered_at) VALUES (1, 'sal', date '2026-01-05');
SELECT rebuild_history('z') > 0 AS changed;
SET LOCAL TimeZone = '<-06>+06';
SELECT rebuild_history('z') AS changed;
ROLLBACK;
