-- A move that is undone leaves nothing behind for the next change of the lead.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
SELECT plan(5);

SELECT create_funnel('crm', 'UTC');
INSERT INTO crm.lead (email) VALUES ('ann@example.com');

-- fires after ours, and puts a lead where no transition leads without a reason
CREATE FUNCTION pg_temp.trick() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	NEW.stage := 'disqualified';
	NEW.stage_entered_at := funnel_now();
	RETURN NEW;
END $$;
CREATE TRIGGER zzz_trick BEFORE UPDATE ON crm.lead FOR EACH ROW WHEN (NEW.full_name = 'trick') EXECUTE FUNCTION pg_temp.trick();
SELECT throws_ok($$ UPDATE crm.lead SET full_name = 'trick' $$, '27000', NULL, 'a trigger may not move a lead past the rules');

-- fails when ours has taken the reason out of the row
CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not now'; END $$;
CREATE TRIGGER zzz_fail BEFORE UPDATE ON crm.lead FOR EACH ROW WHEN (NEW.full_name = 'fail') EXECUTE FUNCTION pg_temp.fail();
SELECT throws_ok($$ UPDATE crm.lead SET full_name = 'fail', stage = 'disqualified', reason = 'no_budget' $$, 'P0001', 'not now', 'a move fails after it was granted');
SELECT throws_ok($$ UPDATE crm.lead SET full_name = 'trick' $$, '27000', NULL, 'N1: its reason is not there for the next one');

-- nor does it keep memory
CREATE FUNCTION pg_temp.fail_often(n int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint := (SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name IN ('TopTransactionContext', 'CurTransactionContext'));
BEGIN
	FOR i IN 1 .. n LOOP
		BEGIN
			UPDATE crm.lead SET full_name = 'fail', stage = 'disqualified', reason = 'no_budget', note = repeat('x', 1000);
		EXCEPTION WHEN raise_exception THEN
		END;
	END LOOP;
	RETURN (SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name IN ('TopTransactionContext', 'CurTransactionContext')) - before;
END $$;
SELECT cmp_ok(pg_temp.fail_often(1000), '<', 200000::bigint, 'R1: a thousand that fail keep no memory');
SELECT lives_ok($$ UPDATE crm.lead SET stage = 'disqualified', reason = 'no_budget' $$, 'and one that does not fail is made');

SELECT * FROM finish();
ROLLBACK;
