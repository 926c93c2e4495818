-- What conditions see: rows, pseudo-columns, lists.  Truth is told by the
-- points that rules give and by the moves that guards allow.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(29);

SELECT create_funnel('crm');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-01 12:00+00';

DELETE FROM transition;
DELETE FROM rule;
UPDATE definition SET max_fit = NULL, max_engagement = NULL;
INSERT INTO transition (definition, position, to_stage, automatic) VALUES ('default', 1, 'lead', true);
ALTER TABLE lead ADD score int, ADD kind text,
	ADD doubled int GENERATED ALWAYS AS (company_size * 2) STORED;

-- fit rules a row: does the condition hold for this lead?
CREATE FUNCTION pg_temp.fits(condition text, lead jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	points numeric;
BEGIN
	DELETE FROM crm.rule;
	INSERT INTO crm.rule (definition, name, axis, condition, points) VALUES ('default', 'it', 'fit', condition, 1);
	EXECUTE format('INSERT INTO crm.lead (%s) SELECT %1$s FROM jsonb_populate_record(NULL::crm.lead, $1) RETURNING fit(scorecard)',
				   (SELECT string_agg(quote_ident(k), ', ') FROM jsonb_object_keys(lead) AS k))
		INTO points USING lead;
	RETURN points = 1;
END $$;

SELECT ok(pg_temp.fits('country = ''DE''', '{"country": "DE"}'), 'a column');
SELECT ok(NOT pg_temp.fits('country = ''DE''', '{"country": "AT"}'), 'a column that differs');
SELECT ok(NOT pg_temp.fits('country = ''DE''', '{"company": "x"}'), 'NULL does not hold');
SELECT ok(NOT pg_temp.fits('NOT country = ''DE''', '{"company": "x"}'), 'nor does its negation');
SELECT ok(pg_temp.fits('country IS NULL AND company IS NOT NULL AND lead_id IS NOT NULL', '{"company": "x"}'), 'columns that are NULL and are not');
SELECT ok(pg_temp.fits('coalesce(country, company, ''x'') IS DISTINCT FROM country', '{"company": "x"}'), 'and expressions over them');
SELECT ok(pg_temp.fits('country ILIKE ANY (list.target_countries)', '{"country": "de"}'), 'a list');
SELECT ok(NOT pg_temp.fits('country = ANY (list.target_countries)', '{"country": "XX"}'), 'not in the list');
DELETE FROM rule;
INSERT INTO list VALUES ('brief', 'x');
INSERT INTO rule (definition, name, axis, condition, points)
	VALUES ('default', 'brief', 'fit', 'country = ''DE'' OR country = ANY (list.brief)', 5);
DELETE FROM list WHERE list = 'brief';
INSERT INTO lead (country) VALUES ('DE');
SELECT is(fit(scorecard), 5::numeric, 'a list that lost its last value is empty, and its rule goes on')
	FROM lead ORDER BY lead_id DESC LIMIT 1;
DELETE FROM lead;
SELECT ok(pg_temp.fits('doubled = 10', '{"company_size": 5}'), 'a stored generated column, before it is computed');
SELECT ok(pg_temp.fits('score = 7 AND kind = ''x''', '{"score": 7, "kind": "x"}'), 'columns named as pseudo-columns elsewhere');
SELECT ok(pg_temp.fits('bant -> ''need'' IN (''yes'', ''partial'') AND met(bant) = 1', '{"bant": "B+ N~"}'), 'a type of ours');
SELECT ok(pg_temp.fits('at_least(2, country = ''DE'', company_size > 5, company = ''x'')', '{"country": "DE", "company_size": 9}'), 'two of three');
SELECT ok(NOT pg_temp.fits('at_least(3, country = ''DE'', company_size > 5, company = ''x'')', '{"country": "DE", "company_size": 9}'), 'not three of three');
SELECT ok(pg_temp.fits('(properties ->> ''seats'')::int BETWEEN 5 AND 10', '{"properties": {"seats": 7}}'), 'a cast that may fail');

INSERT INTO account (account_id, domain) VALUES (1, 'acme.example');
SELECT ok(pg_temp.fits('account.domain = ''acme.example''', '{"account_id": 1}'), 'a column of the account');
SELECT ok(NOT pg_temp.fits('account.domain = ''acme.example''', '{"account_id": null}'), 'no account');
SELECT ok(pg_temp.fits('account.domain IS NULL', '{"account_id": null}'), 'no account is NULL');

-- a list that changes is seen at once
INSERT INTO list VALUES ('colours', 'red');
SELECT ok(NOT pg_temp.fits('company = ANY (list.colours)', '{"company": "blue"}'), 'blue is not in the list');
INSERT INTO list VALUES ('colours', 'blue');
INSERT INTO lead (external_id, company) VALUES ('blue', 'blue');
SELECT is(fit(scorecard), 1::numeric, 'until it is inserted') FROM lead WHERE external_id = 'blue';

-- activities
DELETE FROM rule;
INSERT INTO rule (definition, name, axis, kind, condition, points, half_life) VALUES
	('default', 'talk', 'engagement', '*', 'kind.conversation', 10, NULL),
	('default', 'long', 'engagement', '*', '(properties ->> ''seconds'')::int > 60', 100, '10 days'),
	('default', 'by_kind', 'engagement', '*', 'kind = ''webinar'' AND kind.party = ''lead''', 1000, NULL);
INSERT INTO lead (external_id) VALUES ('busy');
INSERT INTO activity (lead_id, kind, properties)
	SELECT lead_id, done.kind, done.properties::jsonb
	FROM lead, (VALUES ('sales_call', '{"seconds": 61}'), ('webinar', '{}')) AS done (kind, properties)
	WHERE external_id = 'busy';
SELECT is(score(scorecard, funnel_now()), 1000 + 100 + (SELECT 10.0 * count(*) FROM kind WHERE kind = 'sales_call' AND conversation),
		  'conditions of activities: kind, kind.column, properties')
	FROM lead WHERE external_id = 'busy';

-- guards: every pseudo-column of a transition
CREATE FUNCTION pg_temp.moves(guard text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM crm.transition WHERE to_stage = 'mql';
	INSERT INTO crm.transition (definition, position, from_stage, to_stage, condition)
		VALUES ('default', 2, 'lead', 'mql', guard);
	UPDATE crm.lead SET stage = 'mql' WHERE external_id = 'busy';
	RAISE EXCEPTION USING ERRCODE = 'LQ001';
EXCEPTION
	WHEN SQLSTATE 'LQ001' THEN RETURN true;
	WHEN check_violation THEN RETURN false;
END $$;

SELECT ok(pg_temp.moves('score >= 1100 AND fit = 0 AND engagement = score AND lead.score IS NULL'), 'score, fit, engagement');
SELECT ok(NOT pg_temp.moves('score > 1200'), 'not yet');
SELECT ok(pg_temp.moves('hits.long = 1 AND points.long = 100 AND last.long = ''2026-03-01 12:00+00'''), 'hits, points, last of a rule');
SELECT ok(pg_temp.moves('idle_days = 0 AND days_in_stage = 0 AND last_activity = stage_entered_at'), 'no time has passed');
SET LOCAL lead_qual.clock = '2026-03-11 12:00+00';
SELECT ok(pg_temp.moves('points.long = 50 AND idle_days = 10 AND days_in_stage BETWEEN 10 AND 10'), 'ten days have');
SELECT ok(NOT pg_temp.moves('idle_days > 10'), 'and no more');

-- a function planted later does not change what a stored rule means
DELETE FROM transition WHERE to_stage = 'mql';
SELECT ok(pg_temp.fits('lower(kind) = ''x''', '{"kind": "X"}'), 'built-in lower()');
ALTER TABLE lead ALTER kind TYPE varchar;
CREATE FUNCTION public.lower(varchar) RETURNS text IMMUTABLE LANGUAGE sql RETURN 'planted';
INSERT INTO lead (external_id, kind) VALUES ('late', 'X');
SELECT is(fit(scorecard), 1::numeric, 'still the built-in one') FROM lead WHERE external_id = 'late';

SELECT * FROM finish();
ROLLBACK;
