-- Whatever a profile does to a policy table, it is refused in words, or all
-- that is done with the policy works as before.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(29);

CREATE ROLE regress_lq_admin;
CREATE ROLE regress_lq_marketing;
SELECT create_funnel('f', 'UTC');
SELECT count(*) FROM unnest('{admin,marketing}'::text[]) AS p, grant_funnel('f', ('regress_lq_' || p)::regrole, p);
INSERT INTO f.lead (lead_id, email) OVERRIDING SYSTEM VALUE VALUES (1, 'ann@example.com');
INSERT INTO f.activity (lead_id, kind) VALUES (1, 'webinar');
INSERT INTO f.holiday VALUES ('2026-01-01');
INSERT INTO f.list VALUES ('off', 'DE');
INSERT INTO f.rule (definition, name, axis, condition, points, enabled) VALUES ('default', 'off', 'fit', 'country = ANY (list.off)', 1, false);
SELECT copy_definition('f', 'default', 'draft');

-- what people do
CREATE TEMP TABLE act (position int GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO act (statement) VALUES
	($$SELECT copy_definition('f', d, 'copy of ' || d) FROM unnest('{default,draft}'::text[]) AS d WHERE d IN (SELECT definition FROM f.definition)$$),
	($$SELECT count(*) FROM check_definition('f', (SELECT definition FROM f.definition WHERE status = 'active'))$$),
	($$SELECT count(*) FROM preview_definition('f', (SELECT min(definition) FROM f.definition WHERE status = 'draft'))$$),
	($$INSERT INTO f.lead (lead_id, email) OVERRIDING SYSTEM VALUE VALUES (2, 'x@example.com')$$),
	($$INSERT INTO f.activity (lead_id, kind) VALUES (2, 'sales_inquiry'), (1, 'discovery_call')$$),
	($$INSERT INTO f.answer (lead_id, framework, element, level) VALUES (2, 'bant', 'timeline', 'yes')$$),
	($$UPDATE f.lead SET bant = bant || 'B+ A+ N+' WHERE lead_id = 2$$),
	($$UPDATE f.rule SET points = points + 1 WHERE definition = 'default'$$),
	($$UPDATE f.rule SET condition = condition$$),
	($$UPDATE f.transition SET condition = condition, reason = reason$$),
	($$INSERT INTO f.rule (definition, name, axis, condition, points) VALUES ('default', 'mine', 'fit', 'country IS NULL', 1)$$),
	($$INSERT INTO f.transition (definition, position, from_stage, to_stage) VALUES ('default', 900, 'lead', 'nurture')$$),
	($$INSERT INTO f.question (framework, element, text) SELECT framework, element, 'What?' FROM f.element LIMIT 1$$),
	($$INSERT INTO f.content (title, milestones) VALUES ('A talk', '{mql}')$$),
	($$INSERT INTO f.holiday VALUES ('2026-12-25')$$),
	($$SELECT sweep_funnel('f'), rescore_funnel('f')$$),
	($$SELECT count(*) FROM check_funnel('f')$$),
	($$SELECT activate_definition('f', (SELECT max(definition) FROM f.definition WHERE status = 'draft'), 'move')$$);

-- a change as a role, and then what people do: NULL, or what failed
CREATE FUNCTION pg_temp.tried(who text, change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a record;
	failed text;
BEGIN
	BEGIN
		EXECUTE format('SET LOCAL ROLE %I', 'regress_lq_' || who);
		EXECUTE change;
		RESET ROLE;
	EXCEPTION WHEN OTHERS THEN
		RESET ROLE;
		RETURN CASE WHEN SQLSTATE ~ '^(22|23|2B|42|55|0A)' THEN NULL ELSE concat_ws(' ', change, SQLSTATE, SQLERRM) END;
	END;
	FOR a IN SELECT statement FROM act ORDER BY position LOOP
		BEGIN
			EXECUTE a.statement;
		EXCEPTION WHEN OTHERS THEN
			failed := concat_ws(E'\n', failed, format('%s: %s: %s: %s %s', who, left(change, 150), a.statement, SQLSTATE, left(SQLERRM, 200)));
		END;
	END LOOP;
	RAISE EXCEPTION USING ERRCODE = 'LQ001';
EXCEPTION WHEN SQLSTATE 'LQ001' THEN
	RETURN failed;
END $$;
SELECT is(pg_temp.tried('admin', 'SELECT'), NULL, 'all of it works');

-- what a table holds is deleted, together and row by row, and renamed
CREATE TEMP TABLE policy AS
	SELECT unnest('{kind,source,list,element,question,stage,calendar,holiday,transition,rule,reason,message,content,side,definition,setting}'::text[]) AS name;
SELECT is((SELECT string_agg(pg_temp.tried(who, format('DELETE FROM f.%I', name)), E'\n') FROM unnest('{admin,marketing}'::text[]) AS who),
	NULL, 'S6: DELETE FROM ' || name || ' leaves no ruin') FROM policy;
CREATE FUNCTION pg_temp.each_value(which name, of name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	failed text;
	value text;
BEGIN
	FOR value IN EXECUTE format('SELECT DISTINCT %I FROM f.%I', of, which) LOOP
		failed := concat_ws(E'\n', failed, pg_temp.tried('marketing', format('DELETE FROM f.%I WHERE %I = %L', which, of, value)));
	END LOOP;
	RETURN nullif(failed, '');
END $$;
SELECT is(pg_temp.each_value(t, c), NULL, format('S6: nor does that of one %s of table %s', c, t))
FROM (VALUES ('element', 'framework'), ('reason', 'applies_to'), ('stage', 'stage'), ('list', 'list')) AS v (t, c);
SELECT is(pg_temp.tried('marketing', s), NULL, 'S6: ' || s)
FROM unnest(ARRAY['UPDATE f.list SET list = list || ''_2''', 'UPDATE f.reason SET applies_to = ''nurture'' WHERE reason = ''rival''',
	'UPDATE f.reason SET reason = reason || '' 2''', 'UPDATE f.stage SET position = -position', 'DELETE FROM f.transition WHERE from_stage IS NULL']) AS s;

-- what a stage is says whether automatic moves begin a cycle, and so whether
-- they lead in a circle
INSERT INTO f.transition (definition, position, from_stage, to_stage, automatic, condition) VALUES
	('draft', 700, 'nurture', 'mql', true, 'cycle = 1'), ('draft', 701, 'mql', 'nurture', true, 'cycle = 1');
SELECT throws_ok($$ UPDATE f.stage SET milestone = 'lead' WHERE stage = 'nurture' $$, '23514', 'automatic transitions of definition "draft" lead in a circle', 'S6: a stage''s milestone makes no circle');
SELECT lives_ok($$ UPDATE f.stage SET milestone = 'lost' WHERE stage = 'nurture' $$, 'it may be another');
SELECT lives_ok($$ SELECT copy_definition('f', 'draft', 'copy') $$, 'S6: so a copy is made');
SELECT * FROM finish();
ROLLBACK;
