-- A stage, kind, source, reason, list or rule gets another name by one UPDATE:
-- all that names it follows, and nothing else changes.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(44);

SELECT create_funnel('crm', 'UTC');
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';

-- names that nothing else has, and conditions that name all there is
UPDATE crm.stage SET stage = 'q_stage' WHERE stage = 'sal';
UPDATE crm.kind SET kind = 'q_kind' WHERE kind = 'webinar';
UPDATE crm.source SET source = 'q_source' WHERE source = 'partner';
UPDATE crm.reason SET reason = 'q_reason' WHERE reason = 'too_early';
INSERT INTO crm.list VALUES ('q_list', 'q_source'), ('q_list', 'event');
INSERT INTO crm.rule (definition, name, axis, kind, condition, points) VALUES
	('default', 'q_rule', 'engagement', 'q_kind', $$kind IN ('q_kind', E'demo') AND kind.kind /* kept */ <> 'x'$$, 1),
	('default', 'by_origin', 'engagement', '*', $$activity.source IS NOT NULL AND activity.source = 'q_source'::text$$, 1),
	('default', 'by_source', 'fit', NULL, $$lead.source IN ('q_source', 'event') OR 'q_source' = source$$, 1),
	('default', 'by_case', 'fit', NULL, $$CASE source WHEN 'q_source' THEN true ELSE source IS DISTINCT FROM 'q_source' AND source LIKE 'o%' END$$, 2),
	('default', 'by_list', 'fit', NULL, $$source = ANY (list.q_list) AND NOT country ILIKE ANY (list . target_countries)$$, 4);
UPDATE crm.transition SET condition = $$stage <> ALL (ARRAY['lead', 'q_stage']) OR reason IS DISTINCT FROM 'q_reason' OR hits . q_rule = 0 OR points.q_rule < 1000$$
WHERE from_stage = 'q_stage' AND to_stage = 'nurture';
UPDATE crm.transition SET reason = 'q_reason' WHERE from_stage = 'sql' AND to_stage = 'nurture';
INSERT INTO crm.message (message, milestones, stages) VALUES ('hello', '{sal}', '{mql,q_stage}');
INSERT INTO crm.content (title, milestones, stages) VALUES ('Paper', '{sal}', '{q_stage}');
INSERT INTO crm.reason (applies_to, reason, rule) VALUES ('q_stage', 'eager', 'q_rule');
INSERT INTO crm.reason (applies_to, reason) VALUES ('lost', 'q_reason');
SELECT copy_definition('crm', 'default', 'next');
UPDATE crm.definition SET sides = '{marketing}';
SELECT sign_definition('crm', definition, 'marketing') FROM crm.definition;

-- facts
INSERT INTO crm.lead (lead_id, email, source) OVERRIDING SYSTEM VALUE
	VALUES (1, 'ann@example.com', 'q_source'), (2, 'ben@example.com', 'event'), (3, 'eve@example.com', 'email');
INSERT INTO crm.activity (lead_id, kind, source) VALUES (1, 'q_kind', 'q_source'), (2, 'q_kind', 'event'), (3, 'demo_request', NULL);
SET LOCAL lead_qual.clock = '2026-03-03 09:00Z';
UPDATE crm.lead SET stage = 'q_stage' WHERE stage = 'mql';
SET LOCAL lead_qual.clock = '2026-03-04 09:00Z';
UPDATE crm.lead SET stage = 'nurture', reason = 'q_reason' WHERE lead_id = 3;
INSERT INTO crm.lead (lead_id, email, source, stage) OVERRIDING SYSTEM VALUE VALUES (4, 'joe@example.com', 'q_source', 'q_stage');
INSERT INTO crm.deal (status, reason) VALUES ('lost', 'q_reason'), ('open', 'price');
INSERT INTO crm.spend (department, source, starts_on, ends_on, amount) VALUES ('marketing', 'q_source', '2026-03-01', '2026-03-31', 100);
SELECT is((SELECT count(*) FROM crm.lead WHERE stage = 'q_stage'), 1::bigint, 'a lead is in the stage');
SELECT is((SELECT count(*) FROM crm.journey WHERE exit_reason = 'q_reason'), 1::bigint, 'a unit was left for the reason');

-- all tables and views, but for the log, in which names of then are told
CREATE FUNCTION pg_temp.state() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	of_relation name;
BEGIN
	FOR of_relation IN
		SELECT relname FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind IN ('r', 'v') AND relname <> 'definition_log'
	LOOP
		RETURN QUERY EXECUTE format('SELECT %L || to_jsonb(t)::text FROM crm.%1$I AS t', of_relation);
	END LOOP;
END $$;
CREATE FUNCTION pg_temp.naming(of_name text) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT s FROM pg_temp.state() AS s WHERE strpos(s, of_name) > 0 $$;
CREATE FUNCTION pg_temp.rename(relation text, attribute text, before text, after text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('UPDATE crm.%1$I SET %2$I = %3$L WHERE %2$I = %4$L', relation, attribute, after, before);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN CASE relation WHEN 'list' THEN 1 ELSE n END;
END $$;
CREATE FUNCTION pg_temp.n_log() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM crm.definition_log WHERE operation = 'renamed' $$;
CREATE FUNCTION pg_temp.try(relation text, attribute text, before text, after text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	n_before constant bigint := pg_temp.n_log();
	n_renamed bigint;
BEGIN
	CREATE TEMP TABLE before_it AS SELECT pg_temp.state() AS row;
	CREATE TEMP TABLE cards AS SELECT lead_id, scorecard::text AS card FROM crm.lead;
	n_renamed := pg_temp.rename(relation, attribute, before, after);
	RETURN NEXT is(pg_temp.n_log() - n_before, n_renamed, format('A10: %s: the log has a row of it', relation));
	RETURN NEXT is_empty(format('SELECT pg_temp.naming(%L)', before), format('A10: %s: nothing has the old name', relation));
	RETURN NEXT results_eq('SELECT lead_id, scorecard::text FROM crm.lead ORDER BY 1', 'SELECT * FROM cards ORDER BY 1', format('A10: %s: cards are the same', relation));
	PERFORM pg_temp.rename(relation, attribute, after, before);
	RETURN NEXT bag_eq('SELECT pg_temp.state()', 'SELECT row FROM before_it', format('A10: %s: there and back, all tables and views are as they were', relation));
	DROP TABLE before_it, cards;
	PERFORM pg_temp.rename(relation, attribute, before, after);
END $$;
CREATE TEMP TABLE versions AS SELECT definition, version FROM crm.definition;
CREATE TEMP TABLE then_was AS SELECT relation, count(*) FROM definition_at('crm', '2026-03-02 12:00Z') GROUP BY 1;

SELECT pg_temp.try('stage', 'stage', 'q_stage', $$zz'\ "stage"$$);
SELECT pg_temp.try('kind', 'kind', 'q_kind', 'zz_kind');
SELECT pg_temp.try('source', 'source', 'q_source', 'zz_source');
SELECT pg_temp.try('reason', 'reason', 'q_reason', 'zz ''reason''');
SELECT pg_temp.try('list', 'list', 'q_list', 'user');
SELECT pg_temp.try('rule', 'name', 'q_rule', 'select');

SELECT is_empty($$ SELECT * FROM check_funnel('crm', true) WHERE severity = 'error' $$, 'A10: check_funnel() finds no fault');
SELECT is_empty($$ SELECT * FROM check_definition('crm', 'default') WHERE problem ~ 'has not signed' $$, 'A10: what was signed is signed');
SELECT is_empty($$ SELECT * FROM check_definition('crm', 'next') WHERE problem ~ 'has not signed' $$, 'A10: a draft, too');
SELECT results_eq('SELECT definition, version FROM crm.definition ORDER BY 1', 'SELECT * FROM versions ORDER BY 1', 'A10: no version was raised');
SELECT results_eq($$ SELECT relation, count(*) FROM definition_at('crm', '2026-03-02 12:00Z') GROUP BY 1 ORDER BY 1 $$,
	'SELECT * FROM then_was ORDER BY 1', 'A10: a definition of before has as many rows');
SELECT is_empty($$ SELECT * FROM definition_at('crm', '2026-03-02 12:00Z') WHERE content::text ~ 'q_' $$, 'A10: and the names of today');
SELECT results_eq($$ SELECT DISTINCT old_row ->> 'list', new_row ->> 'list' FROM crm.definition_log WHERE operation = 'renamed' AND relation = 'list' ORDER BY 1 $$,
	$$ VALUES ('q_list', 'user'), ('user', 'q_list') $$, 'A10: the log tells both names');
SELECT results_eq($$ SELECT name, condition FROM crm.rule WHERE definition = 'default' AND name LIKE 'by\_%' OR name = 'select' AND definition = 'next' ORDER BY name COLLATE "C" $$, $$ VALUES
	('by_case', $x$CASE source WHEN 'zz_source' THEN true ELSE source IS DISTINCT FROM 'zz_source' AND source LIKE 'o%' END$x$),
	('by_list', $x$source = ANY (list."user") AND NOT country ILIKE ANY (list . target_countries)$x$),
	('by_origin', $x$activity.source IS NOT NULL AND activity.source = 'zz_source'::text$x$),
	('by_source', $x$lead.source IN ('zz_source', 'event') OR 'zz_source' = source$x$),
	('select', $x$kind IN ('zz_kind', E'demo') AND kind.kind /* kept */ <> 'x'$x$) $$, 'A10: the text is as it was written, but for the name');
SELECT results_eq($$ SELECT condition FROM crm.transition WHERE from_stage LIKE 'zz%' AND to_stage = 'nurture' AND definition = 'default' $$,
	$$ VALUES ($x$stage <> ALL (ARRAY['lead', E'zz''\\ "stage"']) OR reason IS DISTINCT FROM 'zz ''reason''' OR hits . "select" = 0 OR points."select" < 1000$x$) $$, 'A10: that of a guard, too');
SELECT set_eq('SELECT value FROM crm.list WHERE list = ''user''', $$ VALUES ('zz_source'), ('event') $$, 'A10: a list that sources are held against has the new name');

-- what was renamed goes on working
SET LOCAL lead_qual.clock = '2026-03-05 09:00Z';
SELECT lives_ok($$ INSERT INTO crm.activity (lead_id, kind) VALUES (2, 'zz_kind') $$, 'A10: an activity of the kind');
SELECT throws_ok($$ UPDATE crm.lead SET stage = 'q_stage' WHERE lead_id = 1 $$, '23514', NULL, 'A10: the old name is none any more');

-- several at once, together with other changes, and by who may write no more
CREATE TEMP TABLE log_was AS SELECT pg_temp.n_log() AS n;
UPDATE crm.setting SET edit_signed = true;
UPDATE crm.kind SET kind = 'k_' || kind, description = upper(description) WHERE party = 'sales';
SELECT is(pg_temp.n_log() - n, (SELECT count(*) FROM crm.kind WHERE party = 'sales'), 'A10: several renamed by one statement') FROM log_was;
SELECT cmp_ok((SELECT version FROM crm.definition WHERE definition = 'default'), '>', version, 'A10: what else changed is a change') FROM versions WHERE definition = 'default';
CREATE ROLE regress_lq_mkt;
GRANT USAGE ON SCHEMA crm TO regress_lq_mkt;
GRANT SELECT, UPDATE ON crm.stage, crm.list TO regress_lq_mkt;
GRANT SELECT ON crm.calendar TO regress_lq_mkt;
SET LOCAL lead_qual.clock TO DEFAULT;
SET LOCAL ROLE regress_lq_mkt;
SELECT lives_ok($$ UPDATE crm.stage SET stage = 'won' WHERE stage = 'customer' $$, 'A10: who may edit stages renames one');
SELECT lives_ok($$ UPDATE crm.list SET list = 'homes' WHERE list = 'target_countries' $$, 'A10: or a list');
RESET ROLE;
SELECT is_empty($$ SELECT * FROM crm.transition WHERE 'customer' IN (from_stage, to_stage) $$, 'A10: with all that names it');
SELECT is((SELECT new_row ->> 'list' FROM crm.definition_log ORDER BY log_id DESC LIMIT 1), 'homes', 'A10: and the log says who');

SELECT * FROM finish();
ROLLBACK;
