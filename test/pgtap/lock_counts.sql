-- How many locks a transaction holds; the manual says these numbers where it
-- speaks of sessions.
\set QUIET on
SET client_min_messages = warning;
SELECT plan(4);

CREATE FUNCTION locks(what text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(DISTINCT (locktype, relation, classid, objid, mode)) FROM pg_locks
	WHERE pid = pg_backend_pid() AND (what = 'all' OR relation >= 16384)
$$;

BEGIN;
SELECT create_funnel('crm', 'UTC');
SELECT cmp_ok(locks('all'), '<=', 830::bigint, 'R11: create_funnel() holds the locks that the manual says');
COMMIT;
INSERT INTO crm.lead (lead_id) VALUES (1);

BEGIN;
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar');
SELECT cmp_ok(locks('tables'), '<=', 25::bigint, 'R11: an activity locks few tables and indexes');
COMMIT;

-- the policy is read anew
UPDATE crm.rule SET points = points + 1 WHERE name = 'webinar';
BEGIN;
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar');
SELECT cmp_ok(locks('tables'), '<=', 58::bigint, 'R11: more of them after a change of policy');
COMMIT;
BEGIN;
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar');
SELECT cmp_ok(locks('tables'), '<=', 25::bigint, 'R11: and few again');
COMMIT;

SELECT * FROM finish();
