-- What is not renamed: onto a name that something has, or where a condition
-- would come to mean something else.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(41);
SELECT create_funnel('crm', 'UTC');
INSERT INTO crm.lead (lead_id, source) OVERRIDING SYSTEM VALUE VALUES (1, 'fair'), (2, 'event');
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'nod'), (1, 'webinar');
INSERT INTO crm.list VALUES ('hot', 'event'), ('hot', '%search%'), ('cold', 'fair');
CREATE TEMP TABLE log_was AS SELECT count(*) AS n FROM crm.definition_log;

-- names
SELECT throws_ok(statement, state, NULL, 'A10: ' || statement) FROM (VALUES
	('23505', 'UPDATE crm.stage SET stage = ''sal'' WHERE stage = ''mql'''),
	('23505', 'UPDATE crm.stage SET stage = CASE stage WHEN ''sal'' THEN ''mql'' ELSE ''sal'' END WHERE stage IN (''sal'', ''mql'')'),
	('23505', 'UPDATE crm.kind SET kind = ''demo'' WHERE kind = ''webinar'''),
	('23505', 'UPDATE crm.kind SET kind = ''demo'''),
	('23505', 'UPDATE crm.source SET source = ''email'' WHERE source = ''event'''),
	('23505', 'UPDATE crm.reason SET reason = ''no_need'' WHERE reason = ''no_budget'''),
	('23505', 'UPDATE crm.rule SET name = ''industry'' WHERE name = ''location'''),
	('23505', 'UPDATE crm.list SET list = ''rival_domains'' WHERE list = ''target_countries'''),
	('23505', 'UPDATE crm.list SET list = CASE list WHEN ''hot'' THEN ''cold'' ELSE ''hot'' END WHERE list IN (''hot'', ''cold'')'),
	('23502', 'UPDATE crm.stage SET stage = NULL WHERE stage = ''mql'''),
	('23502', 'UPDATE crm.list SET list = NULL WHERE list = ''target_countries'''),
	('23502', 'UPDATE crm.rule SET name = NULL WHERE name = ''location'''),
	('23514', 'UPDATE crm.stage SET stage = '''' WHERE stage = ''mql'''),
	('23514', 'UPDATE crm.stage SET stage = ''*'' WHERE stage = ''mql'''),
	('23514', 'UPDATE crm.source SET source = '''' WHERE source = ''event'''),
	('23514', 'UPDATE crm.reason SET reason = '''' WHERE reason = ''no_budget'''),
	('23514', 'UPDATE crm.kind SET kind = ''A b'' WHERE kind = ''webinar'''),
	('23514', 'UPDATE crm.rule SET name = ''A b'' WHERE name = ''location'''),
	('23514', 'UPDATE crm.list SET list = ''A b'' WHERE list = ''target_countries'''),
	('2BP01', 'UPDATE crm.reason SET applies_to = ''nurture'', reason = ''rivals'' WHERE reason = ''rival'''),
	('2BP01', 'DELETE FROM crm.stage WHERE stage = ''mql'''),
	('2BP01', 'DELETE FROM crm.kind WHERE kind = ''webinar'''),
	('2BP01', 'DELETE FROM crm.rule WHERE name = ''sales_conversation''')) AS s (state, statement);
-- what facts call so without being in the table of names
SELECT throws_like($$ UPDATE crm.kind SET kind = 'nod' WHERE kind = 'webinar' $$, 'kind "nod" is named already', 'A10: activities have the name');
SELECT throws_like($$ UPDATE crm.source SET source = 'fair' WHERE source = 'event' $$, 'source "fair" is named already', 'A10: leads have it');
SELECT is((SELECT count(*) FROM crm.definition_log), n, 'A10: nothing was changed') FROM log_was;

-- conditions, each in the text of one rule
INSERT INTO crm.rule (definition, name, axis, condition, points) VALUES ('default', 'tried', 'fit', 'true', 1);
CREATE FUNCTION pg_temp.try(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	told text;
BEGIN
	UPDATE crm.rule SET condition = try.condition WHERE name = 'tried';
	UPDATE crm.source SET source = 'fairs' WHERE source = 'event';
	SELECT r.condition INTO told FROM crm.rule AS r WHERE name = 'tried';
	RAISE EXCEPTION USING MESSAGE = told;
EXCEPTION
	WHEN raise_exception THEN
		RETURN SQLERRM;
	WHEN dependent_objects_still_exist THEN
		GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL;
		RETURN concat(CASE WHEN told !~ 'rule "tried"|List "' THEN told END, SQLERRM);
END $$;
SELECT is(pg_temp.try(condition), coalesce(becomes, 'source "event" cannot be renamed'), 'A10: ' || condition) FROM (VALUES
	('lower(source) = ''event''', NULL),
	('source || '''' = ''event''', NULL),
	('source > ''e''', NULL),
	('source LIKE ''ev%''', NULL),
	('source IN (''event'', ''fairs'')', NULL),
	('answers ->> ''first'' = ''event''', NULL),
	('source = ANY (list.hot) OR company = ANY (list.hot)', NULL),
	('source = ANY (''{event}''::text[])', NULL),
	('source ILIKE ''%s%'' AND source = ''event''', NULL),
	('source ILIKE ANY (list.hot)', 'source ILIKE ANY (list.hot)'),
	('company = ''event'' AND source=''event''', 'company = ''event'' AND source=''fairs'''),
	('answers ? ''event'' AND coalesce(source = ''event'', false)', 'answers ? ''event'' AND coalesce(source = ''fairs'', false)'),
	('source = U&''\0065vent'' OR source IS NULL', NULL),
	('source = $a$event$a$ AND lead.source IS NOT DISTINCT FROM ''e''
	''vent''', 'source = ''fairs'' AND lead.source IS NOT DISTINCT FROM ''fairs'''),
	('source NOT LIKE ''x%'' AND source <> ''event''', 'source NOT LIKE ''x%'' AND source <> ''fairs''')) AS c (condition, becomes);
SELECT * FROM finish();
ROLLBACK;
