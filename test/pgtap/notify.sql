-- NOTIFY of a stage that asks for it.  psql prints a notification where it
-- prints results, so this file commits and reads them back.
SET client_min_messages = warning;
SET TimeZone = 'UTC';
BEGIN;
SELECT plan(5);
SELECT create_funnel('c "r"m', 'UTC');
COMMIT;
SET search_path = "c ""r""m", public;
SET lead_qual.clock = '2026-03-02 09:00Z';
LISTEN "c ""r""m";

\set file `mktemp`
\o :file
BEGIN;
INSERT INTO lead (full_name) VALUES ('Ann');
INSERT INTO activity (lead_id, kind) VALUES (1, 'demo_request');
COMMIT;
\o
\set heard `cat :file`
SELECT unalike(:'heard'::text, '%Asynchronous%', 'no stage asks for it: silence');

UPDATE stage SET notify = true WHERE stage IN ('sal', 'lead');
\o :file
BEGIN;
UPDATE lead SET stage = 'sal' WHERE lead_id = 1;
INSERT INTO lead (full_name) VALUES ('Ben');
SAVEPOINT s;
INSERT INTO lead (full_name) VALUES ('nobody');
ROLLBACK TO s;
COMMIT;
BEGIN;
INSERT INTO lead (full_name) VALUES ('nobody either');
ROLLBACK;
\o
\set heard `cat :file`
SELECT matches(:'heard'::text, '"c "r"m" with payload "{"funnel": "c \\"r\\"m", "lead_id": "1", "from": "mql", "to": "sal"}"', 'R004-22 R002-11 who listens hears of the move');
SELECT matches(:'heard'::text, '"lead_id": "2", "from": null, "to": "lead"', 'and of a new lead');
SELECT is((SELECT count(*) FROM regexp_matches(:'heard'::text, 'Asynchronous', 'g')), 2::bigint, 'not of what was rolled back');
\set gone `rm -f :file && echo gone`
SELECT is(:'gone'::text, 'gone', 'the file is removed');
RESET lead_qual.clock;
SELECT drop_funnel('c "r"m', true);
SELECT * FROM finish();
