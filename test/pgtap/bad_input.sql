-- What is refused, and with which code; and what is kept all the same.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(95);

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO lead (company_size) VALUES (900);

-- SQLSTATE of a statement, or NULL
CREATE FUNCTION pg_temp.code(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN EXECUTE query; RETURN NULL; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
CREATE FUNCTION pg_temp.fit_rule(condition text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.code(format('INSERT INTO crm.rule (definition, name, axis, condition, points) VALUES (''default'', %L, ''fit'', %L, 1)', 'x' || md5($1), $1)) $$;
CREATE FUNCTION pg_temp.guard(condition text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.code(format('INSERT INTO crm.transition (definition, position, from_stage, to_stage, condition) VALUES (''default'', 1, ''lead'', ''mql'', %L)', $1)) $$;
CREATE FUNCTION pg_temp.rule(columns text, vals text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.code(format('INSERT INTO crm.rule (definition, name, axis, kind, %s) VALUES (''default'', ''x'', ''engagement'', ''webinar'', %s)', $1, $2)) $$;

-- conditions
CREATE FUNCTION public.immutable_of_mine(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
SELECT is(pg_temp.fit_rule(c), e, 'condition ' || c) FROM (VALUES
	('company_size', '42804'), ('1', '42804'), ('no_such_column = 1', '42703'), ('last.nonesuch > now()', '42703'),
	('hits.company_size > 1', NULL), ('score > 1', '42703'), ('', '42601'), ('true; DROP TABLE crm.lead', '42601'), ('true) OR (true', '42601'),
	('true FROM crm.lead', '42601'), ('true LIMIT 1', '42601'), ('true UNION SELECT true', '42601'),
	('EXISTS (SELECT FROM crm.lead)', '0A000'), ('company_size = (SELECT 1)', '0A000'), ('created_at < now()', '0A000'), ('random() < 1', '0A000'),
	('public.immutable_of_mine(email)', '0A000'), ('immutable_of_mine(email)', '42883'), ('created_at > ''today''', '0A000'), ('created_at > ''now''::timestamptz', '0A000'),
	('created_at > timestamptz ''tomorrow''', '0A000'), ('resume_at::date > ''yesterday''', '0A000'), ('count(*) > 1', '0A000'), ('row_number() OVER () = 1', '0A000'),
	('pg_sleep(1) IS NULL', '0A000'), ('country = ANY (list.nonesuch)', '42703'), ('ctid IS NULL', '0A000'), ('$1', '0A000'), ('bant', '42804'), ('NULL', NULL), ('true', NULL)) AS v (c, e)
	WHERE e IS NOT NULL;
SELECT is(pg_temp.fit_rule('score > 1') IS NULL, false, 'fit does not see the score that it is part of');
SELECT is(pg_temp.guard(c), e, 'guard ' || c) FROM (VALUES
	('last.nonesuch > cycle_started_at', '42703'), ('days_in_stge > 1', '42703'), ('occurred_at IS NULL', '42703'), ('score', '42804'), ('account.nonesuch = 1', '42703')) AS v (c, e);
SELECT is(pg_temp.fit_rule(c), NULL, 'allowed: ' || c) FROM unnest(ARRAY['true', 'NULL', 'lower(email) LIKE ''%@example.com''', 'properties @> ''{"a": 1}''', 'met(bant) > 1']) AS c;
DELETE FROM rule WHERE starts_with(name, 'x');

-- numbers, intervals, names
SELECT is(pg_temp.rule('points', p), '22003', 'points ' || p) FROM unnest(ARRAY['1000001', '-1000001', '''NaN''', '''Infinity''']) AS p;
SELECT is(pg_temp.rule('points', 'NULL'), '23502', 'no points');
SELECT isnt(pg_temp.rule('points, half_life', '1, ' || quote_literal(h)), NULL, 'half-life ' || h) FROM unnest(ARRAY['0', '-1 day', '1 month', '1 year', '1 month -30 days']) AS h;
SELECT isnt(pg_temp.rule('points, ' || c, '1, ' || v), NULL, c || ' ' || v) FROM (VALUES ('max_points', '0'), ('max_points', '-1'), ('max_points', '''NaN'''),
	('max_hits', '0'), ('max_hits', '-1'), ('per', '''1 day'''), ('max_hits, per', '1, ''1 month'''), ('max_hits, per', '1, ''0''')) AS v (c, v);
SELECT is(pg_temp.code($$ UPDATE crm.rule SET name = 'Upper' WHERE name = 'ad_click' $$), '23514', 'a name that is none');
SELECT is(pg_temp.code($$ UPDATE crm.rule SET kind = 'nonesuch' WHERE name = 'ad_click' $$), '23503', 'a kind that is none');
SELECT is(pg_temp.code($$ DELETE FROM crm.rule WHERE name = 'sales_conversation' $$), '2BP01', 'a rule that a guard names stays');
SELECT is(pg_temp.code($$ UPDATE crm.rule SET name = 'talk' WHERE name = 'sales_conversation' $$), NULL, 'and may be renamed');
SELECT is(pg_temp.code($$ INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES ('default', 1, 'lead', 'nowhere') $$), '23503', 'a transition to a stage that is none');
SELECT is(pg_temp.code($$ INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES ('default', 1, 'nowhere', 'lead') $$), '23503', 'or from one');
SELECT is(pg_temp.code($$ DELETE FROM crm.stage WHERE stage = 'lead' $$), '2BP01', 'a stage that leads are in stays');

-- triggers where they do not belong
CREATE TABLE public.mine (lead_id bigint, stage text);
SELECT is(pg_temp.code(format('CREATE TRIGGER t %s EXECUTE FUNCTION %s(); %s', t, f, s)), e, f || ' ' || t) FROM (VALUES
	('BEFORE INSERT ON public.mine FOR EACH ROW', '_qualify_lead', 'INSERT INTO public.mine VALUES (1)', '42P01'),
	('AFTER INSERT ON crm.account FOR EACH ROW', '_record_lead', 'INSERT INTO crm.account DEFAULT VALUES', '39P01'),
	('AFTER INSERT ON crm.lead FOR EACH ROW', '_qualify_lead', 'INSERT INTO crm.lead DEFAULT VALUES', '39P01'),
	('BEFORE INSERT ON crm.lead', '_qualify_lead', 'INSERT INTO crm.lead DEFAULT VALUES', '39P01'),
	('BEFORE DELETE ON crm.lead FOR EACH ROW', '_qualify_lead', 'DELETE FROM crm.lead', '39P01'),
	('AFTER INSERT ON crm.activity', '_ingest_activity', 'INSERT INTO crm.activity (lead_id, kind) VALUES (1, ''webinar'')', '39P01'),
	('AFTER INSERT ON crm.answer FOR EACH ROW', '_ingest_answer', 'INSERT INTO crm.answer (lead_id, framework, element, level) VALUES (1, ''bant'', ''need'', ''yes'')', '39P01'),
	('AFTER INSERT ON crm.deal', '_ingest_deal_contact', 'INSERT INTO crm.deal DEFAULT VALUES', '39P01'),
	('BEFORE INSERT ON crm.kind FOR EACH ROW', '_check_rule', 'INSERT INTO crm.kind (kind) VALUES (''q'')', '39P01'),
	('BEFORE INSERT ON crm.lead FOR EACH ROW', '_policy_changed', 'INSERT INTO crm.lead DEFAULT VALUES', '39P01'),
	('BEFORE INSERT ON crm.lead FOR EACH ROW', '_refuse_truncate', 'INSERT INTO crm.lead DEFAULT VALUES', '39P01')) AS v (t, f, s, e);

-- settings of roles that may not
CREATE ROLE regress_lq_app;
GRANT USAGE ON SCHEMA crm TO regress_lq_app;
GRANT INSERT ON activity TO regress_lq_app;
SET LOCAL SESSION AUTHORIZATION regress_lq_app;
SELECT is(pg_temp.code($$ INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar') $$), '42501', 'a clock set by a role that may not is an error');
RESET lead_qual.clock;
SELECT is(pg_temp.code($$ INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar') $$), NULL, 'INSERT on activity is all that an application needs');
SET LOCAL lead_qual.import = on;
SELECT is(pg_temp.code($$ INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'webinar') $$), '42501', 'so is import');
SET LOCAL lead_qual.import = off;
SELECT is(pg_temp.code($$ SET LOCAL lead_qual.actor = 'somebody' $$), '42501', 'and the actor');
RESET SESSION AUTHORIZATION;
GRANT SET ON PARAMETER lead_qual.actor TO regress_lq_app;
GRANT SELECT, INSERT ON lead TO regress_lq_app;
SET LOCAL SESSION AUTHORIZATION regress_lq_app;
SELECT is(pg_temp.code($$ SET LOCAL lead_qual.actor = 'eve@web' $$), NULL, 'unless it was granted');
SELECT is(pg_temp.code($$ INSERT INTO crm.lead (full_name) VALUES ('of the web') $$), NULL, 'an application inserts a lead');
RESET SESSION AUTHORIZATION;
SELECT is(actor, 'eve@web', 'and the history shows who did it') FROM stage_history JOIN lead USING (lead_id) WHERE full_name = 'of the web';
RESET lead_qual.actor;
REVOKE SET ON PARAMETER lead_qual.actor FROM regress_lq_app;
SELECT is(pg_temp.code(format('SET LOCAL lead_qual.clock = %L', c)), '22023', 'clock ' || c) FROM unnest(ARRAY['now', 'today', 'infinity', 'nonsense', '12:00']) AS c;

-- kept: what goes wrong in a condition loses no lead and no activity
INSERT INTO rule (definition, name, axis, kind, condition, points) VALUES
	('default', 'big', 'engagement', 'webinar', '(properties ->> ''n'')::int > 3', 1000),
	('default', 'divided', 'engagement', '*', '1 / (properties ->> ''m'')::int = 1', 500);
INSERT INTO rule (definition, name, axis, condition, points) VALUES ('default', 'cast', 'fit', 'job_title::int > 3', 7);
INSERT INTO lead (lead_id, company_size, job_title) OVERRIDING SYSTEM VALUE VALUES (10, 900, 'abc');
SELECT is(fit(scorecard), 10::numeric, 'a cast that fails loses its rule, not the lead') FROM lead WHERE lead_id = 10;
INSERT INTO activity (lead_id, kind, properties) VALUES (10, 'webinar', '{"n": "abc", "m": 0}'), (10, 'webinar', '{"n": "2147483648"}'), (10, 'webinar', '{"m": 1}'), (10, 'webinar', '{"n": 4}');
SELECT results_eq($$ SELECT rule, hits FROM explain_score('crm', 10) WHERE rule IN ('big', 'divided', 'webinar') ORDER BY 1 $$,
	$$ VALUES ('big', 1::bigint), ('divided', 1), ('webinar', 4) $$, 'nor an activity');
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition) VALUES ('default', 1, 'mql', 'sql', true, '(properties ->> ''x'')::int = 1');
UPDATE lead SET properties = '{"x": "y"}' WHERE lead_id = 10;
SELECT is(stage, 'mql', 'a guard that fails does not hold') FROM lead WHERE lead_id = 10;
SELECT is(state, 'unknown', 'and is unknown to why_not') FROM why_not('crm', 10, 'sql') WHERE part LIKE '%properties%';
ALTER TABLE lead ADD COLUMN extra int DEFAULT 5;
INSERT INTO rule (definition, name, axis, condition, points) VALUES ('default', 'extra', 'fit', 'extra = 5', 9);
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (11);
SELECT is(fit(scorecard), 9::numeric, 'a column of the user''s own in a rule') FROM lead WHERE lead_id = 11;
ALTER TABLE lead DROP COLUMN extra CASCADE;
INSERT INTO lead (lead_id, company_size) OVERRIDING SYSTEM VALUE VALUES (12, 900);
SELECT is(fit(scorecard), 10::numeric, 'a condition whose column is gone is skipped') FROM lead WHERE lead_id = 12;
SELECT is(pg_temp.code($$ UPDATE crm.rule SET enabled = false WHERE name = 'extra' $$), NULL, 'and can be switched off');
SELECT is(pg_temp.code($$ INSERT INTO crm.activity (lead_id, kind) VALUES (12, 'webinar') $$), NULL, 'everything else goes on');

SELECT * FROM finish();
ROLLBACK;
