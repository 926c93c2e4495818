-- What each profile is for, done as the manual and as ORMs do it.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(36);

SELECT create_funnel('crm');
CREATE TABLE contact (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), mail text, secret text);
CREATE UNIQUE INDEX ON contact (mail);
SELECT create_funnel('b2b', lead_table => 'contact', lead_key => 'id', columns => '{"email": "mail"}');
CREATE ROLE regress_lq_app;
CREATE ROLE regress_lq_sales;
CREATE ROLE regress_lq_marketing;
CREATE ROLE regress_lq_analyst;
DO $$ BEGIN
	PERFORM grant_funnel(f, ('regress_lq_' || p)::regrole, p)
	FROM unnest(ARRAY['crm', 'b2b']) AS f, unnest(ARRAY['app', 'sales', 'marketing', 'analyst']) AS p;
END $$;
INSERT INTO crm.lead (email, source, stage) VALUES ('ann@example.com', 'partner', 'sal');
INSERT INTO contact (id, mail, secret) VALUES ('00000000-0000-0000-0000-000000000001', 'gil@example.org', 's');
\ir helper/attempt.sql

-- app
SELECT matches(pg_temp.attempt('regress_lq_app', statement), result, 'A7: app: ' || statement)
FROM (VALUES
	('INSERT INTO crm.lead (email, job_title) VALUES (''Ann@Example.com'', ''CMO'') ON CONFLICT (lower(email)) DO UPDATE SET job_title = excluded.job_title RETURNING lead_id', '^done'),
	('INSERT INTO crm.lead (email, full_name, unsubscribed) VALUES (''ann@example.com'', ''Ann'', true) ON CONFLICT (lower(email)) DO UPDATE SET full_name = excluded.full_name, unsubscribed = excluded.unsubscribed', '^done'),
	('INSERT INTO contact (mail) VALUES (''gil@example.org'') ON CONFLICT (mail) DO UPDATE SET mail = excluded.mail RETURNING id', '^done'),
	('INSERT INTO crm.activity (lead_id, kind, external_id) VALUES (1, ''webinar'', ''z-1'') RETURNING activity_id', '^done'),
	('INSERT INTO crm.activity (lead_id, kind, external_id) VALUES (1, ''webinar'', ''z-1'') ON CONFLICT (lead_id, external_id) DO NOTHING RETURNING lead_id, occurred_at, activity_id', '^done'),
	('SELECT record_activity(''crm'', ''ann@example.com'', ''webinar'', external_id => ''z-2'')', '^done'),
	('UPDATE crm.lead SET stage = ''sql''', '^42501'),
	('UPDATE crm.lead SET bant = ''B+''', '^42501'),
	('UPDATE crm.lead SET state_version = 1', '^42501'),
	('SELECT stage FROM crm.lead', '^42501'),
	('SELECT note FROM crm.lead', '^42501'),
	('UPDATE contact SET secret = ''x''', '^42501'),
	('SELECT secret FROM contact', '^42501')) AS t (statement, result);

-- sales and marketing: a whole row, the key and what triggers keep included
CREATE FUNCTION pg_temp.save(role text, relation regclass, changes jsonb, key text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.attempt(role, format('UPDATE %1$s SET (%2$s) = (SELECT %2$s FROM jsonb_populate_record(NULL::%1$s, %3$L)) WHERE %4$s',
		relation, string_agg(quote_ident(attname), ', ' ORDER BY attnum),
		(SELECT (CASE WHEN relation = 'crm.lead'::regclass THEN (SELECT to_jsonb(l) FROM crm.lead AS l WHERE lead_id = 1)
				 ELSE (SELECT to_jsonb(c) FROM b2b.lead AS c WHERE c.lead_id::text LIKE '0000%') END) || changes), key))
	FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND attname <> 'secret' $$;
SELECT is(pg_temp.save('regress_lq_' || p, 'crm.lead', '{"full_name": "Ann Lee"}', 'lead_id = 1'), 'done', format('A7: %s saves a whole row', p))
	FROM unnest(ARRAY['sales', 'marketing']) AS p;
SELECT is(pg_temp.save('regress_lq_sales', 'b2b.lead', '{"full_name": "Gil"}', 'lead_id::text LIKE ''0000%'''), 'done', 'A7: sales saves one of a table of the user''s');
SELECT is(pg_temp.save('regress_lq_sales', 'crm.lead', '{"scorecard": null, "cycle": 9, "deals_won": 3, "due_at": null}', 'lead_id = 1'), 'done', 'with what triggers keep');
SELECT is((SELECT cycle || ' ' || deals_won || ' ' || (scorecard IS NOT NULL) FROM crm.lead WHERE lead_id = 1), '1 0 true', 'who keep it');
SELECT matches(pg_temp.save('regress_lq_sales', 'crm.lead', '{"lead_id": 77}', 'lead_id = 1'), '^23001 ', 'the key stays');
SELECT is(pg_temp.save('regress_lq_sales', 'crm.lead', '{"stage": "nurture", "reason": "no_need"}', 'lead_id = 1'), 'done', 'a move is asked for');
SELECT matches(pg_temp.attempt('regress_lq_sales', statement), result, 'A7: sales: ' || statement)
FROM (VALUES
	('UPDATE contact SET secret = ''x''', '^42501'),
	('INSERT INTO crm.activity (lead_id, kind, occurred_at) VALUES (1, ''meeting'', funnel_now() + interval ''1 day'') RETURNING *', '^done'),
	('UPDATE crm.activity SET occurred_at = funnel_now() WHERE kind = ''meeting''', '^done'),
	('INSERT INTO crm.answer (lead_id, framework, element, level) VALUES (1, ''bant'', ''need'', ''yes'') RETURNING answer_id', '^done'),
	('DELETE FROM crm.activity', '^42501'),
	('DELETE FROM crm.lead', '^42501')) AS t (statement, result);

-- analyst: SELECT * of all that the manual does not except
CREATE TEMP TABLE by_name (relation text, personal text);
INSERT INTO by_name VALUES ('lead', 'email'), ('account', 'external_id'), ('activity', 'properties'), ('answer', 'note'), ('verdict', 'note'),
	('stage_history', 'note'), ('signature', 'note');
GRANT SELECT ON by_name TO regress_lq_analyst;
SELECT is((SELECT string_agg(c.relname, ', ' ORDER BY relname) FROM pg_class AS c WHERE relnamespace = 'crm'::regnamespace AND relkind = 'r'
	AND relname NOT IN ('baseline', 'lead_alias') AND relname NOT IN (SELECT relation FROM by_name)
	AND pg_temp.attempt('regress_lq_analyst', format('SELECT * FROM crm.%I', relname)) <> 'done'), NULL, 'A7: analyst: SELECT * of every other table');
SELECT matches(pg_temp.attempt('regress_lq_analyst', format('SELECT %I FROM crm.%I', personal, relation)), '^42501', format('A7: analyst: not %s.%s', relation, personal))
	FROM by_name;
SELECT is((SELECT string_agg(relation, ', ') FROM by_name WHERE pg_temp.attempt('regress_lq_analyst', format('SELECT %s FROM crm.%I',
	(SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = ('crm.' || relation)::regclass AND attnum > 0
	 AND has_column_privilege('regress_lq_analyst', attrelid, attnum, 'SELECT')), relation)) <> 'done'), NULL, 'A7: but what it may read of them, when it is named');
SELECT is((SELECT count(*) FROM pg_class AS c WHERE relnamespace = 'crm'::regnamespace AND relkind = 'v'
	AND has_table_privilege('regress_lq_analyst', oid, 'SELECT') AND pg_temp.attempt('regress_lq_analyst', format('SELECT * FROM crm.%I', relname)) <> 'done'),
	0::bigint, 'A7: and SELECT * of every view that it is granted');

SELECT * FROM finish();
ROLLBACK;
