-- A version that somebody went by is not changed: the next change is another
-- one, within a transaction too.  And what all definitions share is part of
-- what was signed.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(32);
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
CREATE FUNCTION pg_temp.version(of text) RETURNS int LANGUAGE sql AS 'SELECT version FROM crm.definition WHERE definition = $1';
CREATE FUNCTION pg_temp.unsigned(of text) RETURNS bigint LANGUAGE sql AS
	$$ SELECT count(*) FROM public.check_definition('crm', $1) WHERE problem ~ 'has not signed it as it is now' $$;
CREATE TEMP TABLE was (version int);

-- leads
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (2);
INSERT INTO was SELECT pg_temp.version('default');
UPDATE rule SET points = points + 1 WHERE axis = 'fit';
UPDATE rule SET points = points + 1 WHERE axis = 'fit';
SELECT is(pg_temp.version('default') - version, 1, 'changes that nobody saw are one version') FROM was;
INSERT INTO lead (lead_id, company_size) OVERRIDING SYSTEM VALUE VALUES (1, 900);
UPDATE rule SET points = points + 1 WHERE axis = 'fit';
SELECT is(pg_temp.version('default') - version, 2, 'S10: a lead was judged: the next change is another version') FROM was;
SELECT is(stale, true, 'S10: so the lead is stale') FROM lead_now WHERE lead_id = 1;
UPDATE stage SET description = description || '.';
SELECT is(pg_temp.version('default') - version, 2, 'what all share is of the same') FROM was;
UPDATE lead SET company_size = 901 WHERE lead_id = 1;
UPDATE stage SET description = description || '.';
SELECT is(pg_temp.version('default') - version, 3, 'S10: what all share is another version as well') FROM was;
SELECT is((SELECT count(*) FROM definition_log WHERE relation = 'rule' AND operation = 'update'), (SELECT 3 * count(*) FROM rule WHERE axis = 'fit'), 'each change is in the log');

-- a draft
SELECT copy_definition('crm', 'default', 'next');
UPDATE definition SET sides = '{marketing}' WHERE definition = 'next';
UPDATE rule SET points = 30 WHERE definition = 'next' AND name = 'webinar';
SELECT lives_ok($$ SELECT sign_definition('crm', 'next', 'marketing') $$, 'a draft is signed');
SELECT is(pg_temp.unsigned('next'), 0::bigint, 'as it is');
SAVEPOINT signed;
UPDATE rule SET points = 99 WHERE definition = 'next' AND name = 'webinar';
SELECT is(pg_temp.unsigned('next'), 1::bigint, 'S10: a draft that is changed after it was signed, in one transaction, is unsigned');
ROLLBACK TO signed;
SELECT is(pg_temp.unsigned('next'), 0::bigint, 'undone, it is signed');
SELECT is((SELECT pg_temp.unsigned('next') FROM (SELECT sign_definition('crm', 'next', 'marketing')) AS s), 0::bigint, 'or signed again');
UPDATE transition SET position = position + 1 WHERE definition = 'next';
SELECT is(pg_temp.unsigned('next'), 1::bigint, 'S10: so it is after its transitions changed');
INSERT INTO signature (definition, side, signed_by) VALUES ('next', 'marketing', 'x');
SELECT is(pg_temp.unsigned('next'), 0::bigint, 'signed by a plain INSERT');
UPDATE definition SET floor = -7 WHERE definition = 'next';
SELECT is(pg_temp.unsigned('next'), 1::bigint, 'S10: and after its limits did');

-- what all share
CREATE TEMP TABLE shared AS SELECT unnest(ARRAY['INSERT INTO list VALUES (''rival_domains'', ''%'')', 'INSERT INTO kind VALUES (''nod'')', 'UPDATE element SET valid_for = ''1 day''',
	'INSERT INTO stage (stage, position, milestone) VALUES (''fast'', 35, ''sql'')', 'UPDATE stage SET sla = ''1 year'' WHERE stage = ''mql''', 'DELETE FROM calendar WHERE weekday = 5',
	'INSERT INTO holiday VALUES (''2026-05-01'')', 'INSERT INTO reason (applies_to, reason) VALUES (''sql'', ''boss'')', 'UPDATE setting SET time_zone = ''Asia/Tokyo''']) AS change;
CREATE FUNCTION pg_temp.leaves_unsigned(change text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sign_definition('crm', 'default', 'marketing');
	IF (SELECT count(*) FROM check_funnel('crm', false) WHERE finding = 'definition_unsigned') <> 0 THEN
		RETURN 'is not signed';
	END IF;
	EXECUTE change;
	RETURN concat_ws(', ', (SELECT finding FROM check_funnel('crm', false) WHERE finding = 'definition_unsigned'),
		(SELECT text FROM agreement WHERE text ~ '^not signed'));
END $$;
UPDATE definition SET sides = '{marketing}' WHERE definition = 'default';
SELECT is(pg_temp.leaves_unsigned(change), 'definition_unsigned, not signed as it is now: marketing', 'S10: ' || change) FROM shared;
SELECT is(pg_temp.leaves_unsigned(change), '', change || ' is nobody''s rule')
FROM unnest(ARRAY['UPDATE setting SET maturity_days = 30', 'INSERT INTO source VALUES (''fair'')', 'INSERT INTO question (framework, element, text) VALUES (''bant'', ''need'', ''Why?'')', 'UPDATE holiday SET name = name']) AS change;

-- which milestone a stage is is a rule
SELECT sign_definition('crm', 'default', 'marketing');
SELECT throws_ok(change, '55000', 'definition "default" is not changed while it is active', 'S10: ' || change)
FROM unnest(ARRAY['UPDATE crm.stage SET milestone = ''sql'' WHERE stage = ''mql''', 'TRUNCATE crm.rule']) AS change;
UPDATE list SET value = value || '2' WHERE list = 'rival_domains';
SELECT throws_ok($$ UPDATE crm.rule SET points = 1 WHERE definition = 'default' $$, '55000', NULL, 'S10: a list that was changed before makes no way for rules');
UPDATE setting SET edit_signed = true;
SELECT lives_ok($$ UPDATE crm.stage SET milestone = 'sql' WHERE stage = 'fast' $$, 'where the owner allows it, it is changed');
UPDATE setting SET edit_signed = false;
SELECT throws_ok($$ UPDATE crm.rule SET points = 1 WHERE definition = 'default' $$, '55000', NULL, 'S10: until the owner does not, in one transaction');
SELECT * FROM finish();
ROLLBACK;
