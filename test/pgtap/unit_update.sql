-- A move writes its unit's row without an UPDATE; nothing tells it from one.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SELECT plan(16);
\ir helper/journey.sql

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
INSERT INTO lead (email, source, account_id) SELECT 'l' || n || '@example.com', 'event', NULL FROM generate_series(1, 300) AS n;
INSERT INTO activity (lead_id, kind) SELECT lead_id, 'demo_request' FROM lead;

-- rows that no longer fit on their pages
UPDATE lead SET stage = 'sal', owner = 'ben' || repeat('n', 200);
UPDATE lead SET stage = 'nurture', reason = 'too_early';
INSERT INTO activity (lead_id, kind, occurred_at) SELECT lead_id, 'demo_request', funnel_now() + interval '1 minute' FROM lead;
SELECT is((SELECT count(*) FROM lead WHERE cycle = 2), 300::bigint, 'leads come and go');
UPDATE lead SET stage = 'sal', owner = 'eve' || repeat('v', 200);
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, 'units are as their moves say');
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT is((SELECT count(*) FROM generate_series(1, 300) AS k CROSS JOIN LATERAL (SELECT sal_at FROM journey AS j WHERE j.lead_id = k) AS u WHERE u.sal_at IS NOT NULL), 600::bigint, 'the index of the key leads to them');
SELECT is((SELECT count(*) FROM generate_series(1, 300) AS k CROSS JOIN LATERAL (SELECT sal_at FROM journey AS j WHERE j.lead_id = k AND j.cycle > 1) AS u WHERE u.sal_at IS NOT NULL), 300::bigint, 'and so does that of further cycles');
RESET enable_seqscan;
RESET enable_bitmapscan;

-- in one transaction, undone and done
SAVEPOINT once;
UPDATE lead SET stage = 'nurture', reason = 'no_budget' WHERE lead_id = 1;
ROLLBACK TO once;
SELECT is((SELECT exit FROM journey WHERE lead_id = 1 AND cycle = 2), NULL, 'what is undone is not there');
UPDATE lead SET stage = 'nurture', reason = 'no_budget' WHERE lead_id = 1;
UPDATE lead SET stage = 'disqualified', reason = (SELECT min(reason) FROM reason WHERE applies_to = 'disqualified') WHERE lead_id = 1;
SELECT results_eq('SELECT exit, exit_reason FROM journey WHERE lead_id = 1 AND cycle = 2', $$ VALUES ('nurture', 'no_budget') $$, 'a second exit changes nothing');

-- what is the user's
ALTER TABLE journey ADD COLUMN note text DEFAULT 'mine';
UPDATE lead SET stage = 'nurture', reason = 'no_budget' WHERE lead_id = 2;
SELECT results_eq('SELECT exit, note FROM journey WHERE lead_id = 2 AND cycle = 2', $$ VALUES ('nurture', 'mine') $$, 'a column of the user''s stays');
ALTER TABLE journey DROP COLUMN note;
UPDATE lead SET stage = 'nurture', reason = 'no_budget' WHERE lead_id = 3;
SELECT is((SELECT exit FROM journey WHERE lead_id = 3 AND cycle = 2), 'nurture', 'and may go');

CREATE TEMP TABLE seen (lead_id bigint, exit text);
CREATE FUNCTION pg_temp.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO pg_temp.seen VALUES (NEW.lead_id, NEW.exit); RETURN NEW; END $$;
CREATE TRIGGER aa_see AFTER UPDATE ON journey FOR EACH ROW EXECUTE FUNCTION pg_temp.see();
UPDATE lead SET stage = 'nurture', reason = 'no_budget' WHERE lead_id = 4;
SELECT results_eq('SELECT * FROM seen', $$ VALUES (4::bigint, 'nurture') $$, 'triggers of the user''s see it');
DROP TRIGGER aa_see ON journey;
CREATE TRIGGER aa_see BEFORE UPDATE ON journey FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.see();
ALTER TABLE journey DISABLE TRIGGER aa_see;
UPDATE lead SET stage = 'nurture', reason = 'no_budget' WHERE lead_id = 5;
SELECT is((SELECT exit FROM journey WHERE lead_id = 5 AND cycle = 2), 'nurture', 'one that is disabled does no harm');
DROP TRIGGER aa_see ON journey;
ALTER TABLE journey ADD CHECK (exit <> 'nurture') NOT VALID;
SELECT throws_ok($$ UPDATE lead SET stage = 'nurture', reason = 'no_budget' WHERE lead_id = 6 $$, '23514', NULL, 'constraints hold');
ALTER TABLE journey DROP CONSTRAINT journey_exit_check;
CREATE INDEX ON journey (lower(exit)) WHERE exit_owner IS NOT NULL;
UPDATE lead SET stage = 'nurture', reason = 'no_budget' WHERE lead_id = 6;
SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*) FROM journey WHERE lower(exit) = 'nurture' AND exit_owner IS NOT NULL AND lead_id = 6 AND cycle = 2), 1::bigint, 'an index of the user''s knows it');
RESET enable_seqscan;

-- loaded history whose units are not made yet
SET LOCAL lead_qual.import = on;
DELETE FROM journey WHERE lead_id = 7;
SET LOCAL lead_qual.import = off;
UPDATE lead SET stage = 'nurture', reason = 'no_budget' WHERE lead_id = 7;
SELECT is((SELECT count(*) FROM journey WHERE lead_id = 7), 1::bigint, 'a unit that is not there is made');
SELECT isnt_empty($$ SELECT * FROM check_funnel('crm', false) WHERE finding = 'journey_differs' $$, 'and found to lack what was before');
SELECT _rebuild_journey('crm', NULL::text[]) AS n \gset
SELECT is(:n, 2, 'and made anew');
SELECT is_empty($$ SELECT pg_temp.unlike('crm') $$, 'as are all');

SELECT * FROM finish();
ROLLBACK;
