-- No value that may be written into a policy table makes later facts or edits
-- fail.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(12);

CREATE ROLE regress_lq_admin;
CREATE ROLE regress_lq_marketing;
SELECT create_funnel('f', 'UTC');
SELECT count(*) FROM grant_funnel('f', 'regress_lq_admin', 'admin');
SELECT count(*) FROM grant_funnel('f', 'regress_lq_marketing', 'marketing');
INSERT INTO f.lead (lead_id, email) VALUES (1, 'ann@example.com');
INSERT INTO f.holiday VALUES ('2026-01-01');

SELECT throws_ok($$ UPDATE f.setting SET time_zone = 'nowhere/zone' $$, '22023', 'time zone "nowhere/zone" not recognized', 'S6: an unknown time zone is refused');
SELECT throws_ok(format('UPDATE f.setting SET time_zone = %L', z), '22023', NULL, 'S6: time zone ' || z) FROM unnest('{"",CEST-,12345,Europe/}'::text[]) AS z;
SELECT lives_ok($$ UPDATE f.setting SET time_zone = 'America/Chicago' $$, 'a known one is not');
SELECT throws_ok($$ UPDATE f.setting SET maturity_days = 2147483647 $$, '23514', NULL, 'S6: too many days are refused');

-- versions are ours
SET LOCAL ROLE regress_lq_marketing;
INSERT INTO f.definition (definition, version) VALUES ('d', 2147483647);
RESET ROLE;
SELECT is((SELECT version FROM f.definition WHERE definition = 'd'), 0, 'S6: a version is stamped on INSERT');
SET LOCAL ROLE regress_lq_admin;
UPDATE f.definition SET version = 2147483647 WHERE definition = 'd';
UPDATE f.definition SET version = -2147483648 WHERE definition = 'default';
RESET ROLE;
SELECT cmp_ok((SELECT max(version) FROM f.definition), '<', 100, 'S6: and on UPDATE');
SELECT lives_ok($$ UPDATE f.rule SET points = points + 1 WHERE name = 'webinar' $$, 'S6: rules may be edited as before');

-- every column of every policy table with every extreme, then what people do
CREATE TEMP TABLE act (position int GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO act (statement) VALUES
	($$INSERT INTO f.lead (lead_id, email) VALUES (2, 'x@example.com')$$),
	($$INSERT INTO f.activity (lead_id, kind) VALUES (2, 'sales_inquiry'), (1, 'webinar')$$),
	($$INSERT INTO f.answer (lead_id, framework, element, level) VALUES (2, 'bant', 'timeline', 'yes')$$),
	($$UPDATE f.lead SET stage = 'disqualified', reason = (SELECT min(reason) FROM f.reason WHERE applies_to = 'disqualified') WHERE lead_id = 1$$),
	($$INSERT INTO f.activity (lead_id, kind) VALUES (1, 'demo_request')$$),
	($$UPDATE f.rule SET points = 7 WHERE name = 'webinar'$$),
	($$INSERT INTO f.rule (definition, name, axis, condition, points) SELECT definition, 'mine', 'fit', 'country IS NULL', 1 FROM f.definition WHERE status = 'active'$$),
	($$INSERT INTO f.transition (definition, position, from_stage, to_stage) SELECT definition, 900, 'lead', 'nurture' FROM f.definition WHERE status = 'active'$$),
	($$INSERT INTO f.question (framework, element, text) VALUES ('bant', 'need', 'What?')$$),
	($$INSERT INTO f.content (title, milestones) VALUES ('A talk', '{mql}')$$),
	($$UPDATE f.stage SET sla = '2 days', working_time = true WHERE stage = 'sal'$$),
	($$INSERT INTO f.holiday VALUES ('2026-12-25')$$),
	($$SELECT copy_definition('f', (SELECT definition FROM f.definition WHERE status = 'active'), 'copy')$$),
	($$SELECT sweep_funnel('f'), rescore_funnel('f')$$),
	($$SELECT count(*) FROM check_funnel('f')$$),
	($$SELECT count(*) FROM f.lead_now$$), ($$SELECT count(*) FROM f.sla$$), ($$SELECT count(*) FROM f.inbox$$),
	($$SELECT count(*) FROM f.funnel_monthly$$);
CREATE FUNCTION pg_temp.tried(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a record;
	failed text;
	here text;
	n bigint;
BEGIN
	BEGIN
		SET LOCAL ROLE regress_lq_admin;
		EXECUTE change;
		GET DIAGNOSTICS n = ROW_COUNT;
		RESET ROLE;
	EXCEPTION WHEN OTHERS THEN
		RESET ROLE;
		RETURN CASE WHEN SQLSTATE ~ '^(22|23|2B|42|55|0A)' THEN NULL ELSE concat_ws(' ', change, SQLSTATE, SQLERRM) END;
	END;
	FOR a IN SELECT statement FROM act ORDER BY position LOOP
		BEGIN
			EXECUTE a.statement;
		EXCEPTION WHEN OTHERS THEN
			failed := concat_ws(E'\n', failed, format('%s: %s: %s %s', left(change, 150), a.statement, SQLSTATE, left(SQLERRM, 200)));
		END;
	END LOOP;
	RAISE EXCEPTION USING ERRCODE = 'LQ001';
EXCEPTION WHEN SQLSTATE 'LQ001' THEN
	RETURN failed;
END $$;
CREATE TEMP TABLE bad AS
	SELECT pg_temp.tried(format('UPDATE %1$s SET %2$I = %3$L' || CASE WHEN k.type IN ('text', 'bigint', 'time without time zone') THEN ' WHERE ctid = (SELECT max(ctid) FROM %1$s)' ELSE '' END,
		a.attrelid::regclass, a.attname, v.value)) AS said
	FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
	JOIN (VALUES ('integer', '{2147483647,-2147483648,0}'::text[]), ('bigint', '{9223372036854775807,-9223372036854775808,9000}'), ('numeric', '{1e130,-1e130,NaN,Infinity,1e-100}'), ('date', '{infinity,-infinity,5874897-12-31,4713-01-01 BC}'),
		('interval', '{178000000 years,-178000000 years,2147483647 days,0.000001 seconds,infinity}'), ('text', NULL), ('time without time zone', '{24:00,00:00}'), ('name', '{x}')) AS k (type, vals)
		ON k.type = format_type(a.atttypid, NULL)
	CROSS JOIN unnest(coalesce(k.vals, ARRAY['', repeat('x', 2600), E'\t"''\\', '%I$1'])) AS v (value)
	WHERE c.relnamespace = 'f'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
	AND c.relname IN ('setting', 'kind', 'source', 'list', 'element', 'question', 'stage', 'calendar', 'holiday', 'side', 'definition', 'transition', 'rule', 'reason', 'message', 'content');
SELECT is(pg_temp.tried('UPDATE f.reason SET position = 1'), NULL, 'all of it works');
SELECT is((SELECT string_agg(said, E'\n') FROM bad), NULL, 'S6: no extreme value makes later facts or edits fail');
SELECT * FROM finish();
ROLLBACK;
