-- What a session keeps of a funnel: how often it is read, and how much memory
-- that takes.  Reading it reads table setting twice: which template, and the rest.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(13);

CREATE FUNCTION pg_temp.reads() RETURNS bigint LANGUAGE sql AS
	'SELECT (seq_scan + coalesce(idx_scan, 0)) / 2 FROM pg_stat_xact_user_tables WHERE schemaname = ''crm'' AND relname = ''setting''';
CREATE FUNCTION pg_temp.bytes() RETURNS numeric LANGUAGE sql AS
	'SELECT sum(total_bytes) FROM pg_backend_memory_contexts';
CREATE FUNCTION pg_temp.kept() RETURNS bigint LANGUAGE sql AS
	'SELECT count(*) FROM pg_backend_memory_contexts WHERE name = ''lead_qual funnel''';

-- so often the statement, with %s the number of the run: reads, megabytes
CREATE FUNCTION pg_temp.repeat(n int, statement text, OUT reads bigint, OUT mb numeric) LANGUAGE plpgsql AS $$
BEGIN
	reads := pg_temp.reads();
	mb := pg_temp.bytes();
	FOR i IN 1 .. n LOOP
		EXECUTE replace(statement, '%s', i::text);
	END LOOP;
	reads := pg_temp.reads() - reads;
	mb := (pg_temp.bytes() - mb) / 1024 / 1024;
END $$;
CREATE FUNCTION pg_temp.bounded(n int, statement text, reads bigint, mb numeric, what text) RETURNS text LANGUAGE sql AS $$
	SELECT ok(r.reads <= bounded.reads AND r.mb < bounded.mb, format('%s (%s reads, %s MB)', what, r.reads, round(r.mb, 1)))
	FROM pg_temp.repeat(n, statement) AS r
$$;

SELECT create_funnel('crm', 'UTC');
UPDATE crm.definition SET max_fit = NULL, max_engagement = NULL;
UPDATE crm.rule SET max_points = NULL, max_hits = NULL WHERE name = 'webinar';
INSERT INTO crm.lead (lead_id, company_size) VALUES (1, 5);

-- R1: changes of policy in one transaction
SELECT pg_temp.bounded(1000, $$INSERT INTO crm.rule (definition, name, axis, condition, points) VALUES ('default', 'r%s', 'fit', 'company_size > %s', 1)$$,
	5, 20, 'R1: a thousand rules are inserted one by one');
SELECT pg_temp.bounded(1000, $$UPDATE crm.rule SET points = %s WHERE name = 'r1'$$, 5, 20, 'R1: a rule is changed a thousand times');
SELECT pg_temp.bounded(1000, $$UPDATE crm.rule SET condition = 'company_size > 1 + %s' WHERE name = 'r1'$$, 5, 20, 'R1: and its condition');
DELETE FROM crm.rule WHERE name ~ '^r[0-9]';
SELECT pg_temp.bounded(200, $$INSERT INTO crm.transition (definition, position, from_stage, to_stage, condition) VALUES ('default', 500 + %s, 'sal', 'customer', 'hits.webinar > %s')$$,
	5, 20, 'R1: transitions, which name rules');
SELECT pg_temp.bounded(1000, $$INSERT INTO crm.list VALUES ('target_countries', 'c%s')$$, 5, 20, 'R1: values of a list');
SELECT pg_temp.bounded(100, $$UPDATE crm.rule SET points = %s WHERE name = 'webinar'; INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar')$$,
	105, 20, 'R1: rules that are used in between are read each time, and not kept');
SELECT cmp_ok(pg_temp.kept(), '<=', 5::bigint, 'R1: few of those that were replaced are kept');
SELECT is((SELECT score(scorecard, funnel_now()) FROM crm.lead), 10000::numeric, 'R1, S10: each change after a lead was judged is a version of its own: all counts by the last');

-- a rule that a transition names is one that has just come
INSERT INTO crm.rule (definition, name, axis, kind, points) VALUES ('default', 'just_come', 'engagement', 'webinar', 1);
SELECT lives_ok($$INSERT INTO crm.transition (definition, position, from_stage, to_stage, condition)
	VALUES ('default', 900, 'sal', 'customer', 'hits.just_come > 0')$$, 'R1: a transition may name a rule that has just come');

-- R8: what the policy does not use
SELECT pg_temp.bounded(20, $$CREATE OR REPLACE FUNCTION pg_temp.f%s() RETURNS int LANGUAGE sql AS 'SELECT 1';
	CREATE SCHEMA s%s; CREATE DOMAIN s%s.d AS int; CREATE OPERATOR s%s.+ (LEFTARG = bytea, RIGHTARG = bytea, FUNCTION = byteacat);
	INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar')$$, 1, 20, 'R8: other functions, operators, types and schemas do not matter');

-- what it uses
CREATE DOMAIN public.seats AS int;
ALTER TABLE crm.lead ADD seats public.seats;
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar');
SELECT is((pg_temp.repeat(1, $$ALTER FUNCTION met(bant) COST 2;
	INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar')$$)).reads, 1::bigint, 'R8: a function that a condition calls does');
SELECT is((pg_temp.repeat(1, $$ALTER DOMAIN public.seats ADD CHECK (value > 0);
	INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar')$$)).reads, 1::bigint, 'R8: and the type of a column');

-- R6: funnels that are gone
SELECT create_funnel('gone', 'UTC');
SELECT pg_temp.repeat(10, $$SELECT drop_funnel('gone', true); SELECT create_funnel('gone', 'UTC'); INSERT INTO gone.lead (email) VALUES ('x')$$);
SELECT cmp_ok(pg_temp.kept(), '<=', 8::bigint, 'R6: nothing is kept of funnels that were dropped');

SELECT * FROM finish();
ROLLBACK;
