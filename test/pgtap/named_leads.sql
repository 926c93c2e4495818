-- Facts name leads that are there, and go when these go: what foreign keys
-- would see to, were it not for their locks.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(81);

CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text; said text; why text; place text; held text;
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, why = PG_EXCEPTION_DETAIL,
		place = TABLE_NAME, held = CONSTRAINT_NAME;
	RETURN concat_ws(' | ', code, nullif(place, ''), nullif(held, ''), why);
END $$;

SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';
INSERT INTO account (account_id, name) OVERRIDING SYSTEM VALUE VALUES (1, 'Acme');
INSERT INTO lead (lead_id, email, account_id) OVERRIDING SYSTEM VALUE SELECT i, i || '@example.com', 1 FROM generate_series(1, 4) AS i;
INSERT INTO deal (deal_id) OVERRIDING SYSTEM VALUE VALUES (1), (2);

SELECT is_empty($$ SELECT conname FROM pg_constraint WHERE contype = 'f' AND confrelid = 'lead'::regclass $$, 'R2: no table has a foreign key to the lead');

-- a row of each table that names a lead
CREATE TEMP TABLE fact (relation text PRIMARY KEY, columns text, form text);
INSERT INTO fact VALUES
	('activity', 'kind', $$ 'webinar' $$),
	('answer', 'framework, element, level', $$ 'bant', 'need', 'yes' $$),
	('baseline', 'scorecard, archived_before, n', $$ '{v1 version=0}', '2020-01-01', 1 $$),
	('deal_contact', 'deal_id', '1'),
	('lead_alias', 'external_id', 'gen_random_uuid()::text'),
	('signature', 'to_stage, cycle, side, signed_by', $$ 'sql', 1, 'sales', 'sam' $$),
	('stage_history', 'to_stage', $$ 'lead' $$),
	('verdict', 'side, qualified', $$ 'sales', true $$);
CREATE FUNCTION pg_temp.insertion(f fact, VARIADIC leads text[]) RETURNS text LANGUAGE sql AS $$
	SELECT format('INSERT INTO crm.%I (lead_id, %s) VALUES ', $1.relation, $1.columns) || string_agg(format('(%s, %s)', l, $1.form), ', ')
	FROM unnest($2) AS l $$;
CREATE FUNCTION pg_temp.as_foreign_key(relation text, key text) RETURNS text LANGUAGE sql AS $$
	SELECT format('23503 | %1$s | %1$s_lead_id_fkey | Key (lead_id)=(%2$s) is not present in table "lead".', $1, $2) $$;

SELECT is(pg_temp.refusal(pg_temp.insertion(f, '1')), 'done', 'R2: ' || relation || ' of a lead') FROM fact AS f WHERE relation NOT IN ('baseline', 'stage_history') ORDER BY relation;
SELECT is(pg_temp.refusal(pg_temp.insertion(f, '4711')), pg_temp.as_foreign_key(relation, '4711'), 'R2: INSERT into ' || relation || ' of no lead')
FROM fact AS f WHERE relation NOT IN ('baseline', 'stage_history') ORDER BY relation;
SELECT is(pg_temp.refusal(pg_temp.insertion(f, '3', '4712', '2')), pg_temp.as_foreign_key(relation, '4712'), 'R2: INSERT into ' || relation || ' of several, one of them none')
FROM fact AS f WHERE relation NOT IN ('baseline', 'stage_history') ORDER BY relation;
SET LOCAL lead_qual.import = on;
-- (rows that only triggers and an import write)
SELECT is(pg_temp.refusal(pg_temp.insertion(f, '1', '3')), 'done', 'R2: ' || relation || ' of leads') FROM fact AS f WHERE relation IN ('baseline', 'stage_history') ORDER BY relation;
SELECT is(pg_temp.refusal(pg_temp.insertion(f, '2', '4711')), pg_temp.as_foreign_key(relation, '4711'), 'R2: under import, INSERT into ' || relation)
FROM fact AS f ORDER BY relation;
SELECT is(pg_temp.refusal(format('UPDATE crm.%I SET lead_id = 4711 WHERE lead_id = 1', relation)), pg_temp.as_foreign_key(relation, '4711'), 'R2: under import, UPDATE of ' || relation)
FROM fact WHERE relation <> 'signature' ORDER BY relation;
SELECT is(pg_temp.refusal(pg_temp.insertion(f, '2')), 'done', 'R2: under import, ' || relation || ' of a lead') FROM fact AS f ORDER BY relation;
SET LOCAL lead_qual.import = off;
SELECT is(pg_temp.refusal(format('UPDATE crm.%I SET lead_id = 4711 WHERE lead_id = 1', relation)), pg_temp.as_foreign_key(relation, '4711'), 'R2: UPDATE of ' || relation || ' to no lead')
FROM fact WHERE relation NOT IN ('baseline', 'signature', 'stage_history') ORDER BY relation;
SELECT is(pg_temp.refusal(format('UPDATE crm.%I SET lead_id = 3 WHERE lead_id = 2', relation)), 'done', 'R2: UPDATE of ' || relation || ' to another lead')
FROM fact WHERE relation NOT IN ('baseline', 'signature', 'stage_history') ORDER BY relation;
SELECT is(pg_temp.refusal($$ MERGE INTO crm.activity AS a USING (VALUES (1, 'webinar'), (4711, 'demo')) AS n (lead_id, kind) ON false
	WHEN NOT MATCHED THEN INSERT (lead_id, kind) VALUES (n.lead_id, n.kind) $$), pg_temp.as_foreign_key('activity', '4711'), 'R2: MERGE that inserts');
SELECT is(pg_temp.refusal($$ MERGE INTO crm.activity AS a USING (VALUES (1, 4711)) AS n (old, new) ON a.lead_id = n.old
	WHEN MATCHED THEN UPDATE SET lead_id = n.new $$), pg_temp.as_foreign_key('activity', '4711'), 'R2: MERGE that updates');

-- what goes with a lead, and what stays for the statistics
INSERT INTO signature (lead_id, to_stage, cycle, side) VALUES (3, 'sql', 1, 'sales');
DELETE FROM lead WHERE lead_id = 3;
SELECT results_eq($$ SELECT (SELECT count(*) FROM activity WHERE lead_id = 3), (SELECT count(*) FROM answer WHERE lead_id = 3),
	(SELECT count(*) FROM baseline WHERE lead_id = 3), (SELECT count(*) FROM verdict WHERE lead_id = 3), (SELECT count(*) FROM lead_alias WHERE lead_id = 3),
	(SELECT count(*) > 0 FROM deal_contact WHERE lead_id = 3), (SELECT count(*) > 0 FROM signature WHERE lead_id = 3), (SELECT count(*) > 0 FROM stage_history WHERE lead_id = 3) $$,
	$$ VALUES (0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, true, true, true) $$, 'R2: facts go with their lead, the history stays');
SELECT is(pg_temp.refusal('UPDATE crm.deal_contact SET role = ''buyer'' WHERE lead_id = 3'), 'done', 'R2: what stayed may be changed otherwise');
SELECT is(pg_temp.refusal('UPDATE crm.deal_contact SET deal_id = deal_id + 1 WHERE lead_id = 3'), 'done', 'R2: all of it');
SELECT is(pg_temp.refusal('UPDATE crm.deal_contact SET lead_id = 4 - lead_id WHERE lead_id IN (1, 3)'), pg_temp.as_foreign_key('deal_contact', '3'),
	'R2: but nothing comes to name the lead that is gone, not even in exchange for what did');
SET LOCAL lead_qual.import = on;
SELECT is(pg_temp.refusal('UPDATE crm.stage_history SET note = ''gone'' WHERE lead_id = 3'), 'done', 'R2: nor the history under import');
SELECT is(pg_temp.refusal(pg_temp.insertion(f, '2', '3', '4')), CASE WHEN relation IN ('deal_contact', 'signature', 'stage_history') THEN 'done' ELSE pg_temp.as_foreign_key(relation, '3') END,
	'R2: under import, ' || relation || ' of a lead that departure tells of') FROM fact AS f WHERE relation NOT IN ('baseline', 'verdict') ORDER BY relation;
SELECT is(pg_temp.refusal(pg_temp.insertion(f, '4711', '3', '4')), pg_temp.as_foreign_key(relation, '4711'), 'R2: under import, and ' || relation || ' of one that was never there')
FROM fact AS f WHERE relation IN ('signature', 'stage_history') ORDER BY relation;
SELECT is(pg_temp.refusal('UPDATE crm.lead SET lead_id = 5 WHERE lead_id = 1'), '23001 | Column "lead_id" identifies the lead in its log and its history.',
	'R2: under import, a key that facts name stays');
DELETE FROM lead WHERE lead_id = 1;
SELECT is((SELECT count(*) FROM activity WHERE lead_id = 1), 0::bigint, 'R2: under import, facts go with their lead');
SET LOCAL lead_qual.import = off;

-- cascades
INSERT INTO activity (lead_id, kind) VALUES (4, 'webinar');
DELETE FROM account;
SELECT results_eq('SELECT lead_id, account_id FROM lead ORDER BY lead_id', $$ VALUES (2::bigint, NULL::bigint), (4, NULL) $$, 'R2: an account goes and leads stay');
DELETE FROM deal;
SELECT is_empty('SELECT FROM deal_contact', 'R2: a deal takes the contacts along, of whatever lead');

-- a table of another owner's FK-like cascade: two leads in one statement
INSERT INTO verdict (lead_id, side, qualified) VALUES (2, 'sales', true), (4, 'sales', false);
WITH gone AS (DELETE FROM lead RETURNING lead_id) SELECT is(count(*), 2::bigint, 'R2: several leads at once') FROM gone;
SELECT is_empty('SELECT lead_id FROM activity UNION ALL SELECT lead_id FROM answer UNION ALL SELECT lead_id FROM verdict', 'R2: take all facts along');
SELECT is(pg_temp.refusal(pg_temp.insertion(f, '4')), pg_temp.as_foreign_key(relation, '4'), 'R2: no ' || relation || ' after its lead is gone')
FROM fact AS f WHERE relation NOT IN ('baseline', 'deal_contact', 'stage_history') ORDER BY relation;

-- a role that leaves triggers out, as a restore of data or a subscriber
SET LOCAL session_replication_role = replica;
INSERT INTO activity (lead_id, kind) VALUES (77, 'webinar'), (77, 'webinar');
SET LOCAL session_replication_role = origin;
SELECT results_eq($$ SELECT finding, object, n, detail, hint FROM check_funnel('crm') WHERE finding = 'lead_missing' $$,
	$$ VALUES ('lead_missing', 'activity', 2::bigint, 'Of leads such as 77, which do not exist: triggers did not fire.',
		'Insert the leads again, or DELETE FROM crm.activity WHERE lead_id NOT IN (SELECT lead_id FROM crm.lead).') $$, 'R2: what came without triggers is found');

SELECT * FROM finish();
ROLLBACK;
