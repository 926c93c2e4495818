-- Every column of every table of a funnel with another type, without NOT NULL,
-- or gone: a fact, an edit or a call works or says what is wrong; it never
-- takes a value for what it is not.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(5);

SELECT create_funnel('f', 'UTC');
-- few rules, for the sake of time
DELETE FROM f.transition WHERE from_stage IS NOT NULL;
INSERT INTO f.transition (definition, position, from_stage, to_stage, automatic, condition) VALUES ('default', 1, 'lead', 'mql', true, 'score >= 100');
DELETE FROM f.rule WHERE rule_id NOT IN (SELECT min(rule_id) FROM f.rule GROUP BY axis) AND kind IS DISTINCT FROM 'demo_request';
INSERT INTO f.account (name) VALUES ('a');
INSERT INTO f.lead (email, external_id, account_id) VALUES ('ann@example.com', 'a', 1), ('bob@example.com', 'b', 1);
INSERT INTO f.activity (lead_id, kind, external_id) VALUES (1, 'webinar', 'a'), (2, 'demo_request', 'b');
INSERT INTO f.answer (lead_id, framework, element, level) VALUES (1, 'bant', 'need', 'yes'), (1, 'champ', 'money', 'no');
INSERT INTO f.deal (amount) VALUES (1);
INSERT INTO f.deal_contact VALUES (1, 1);
INSERT INTO f.verdict (lead_id, side, qualified) VALUES (1, 'sales', true);
INSERT INTO f.holiday VALUES ('2026-01-01');
INSERT INTO f.spend (department, starts_on, ends_on, amount) VALUES ('sales', '2026-01-01', '2026-01-31', 1);
INSERT INTO f.transition (definition, position, from_stage, to_stage, sides) VALUES ('default', 99, 'lead', 'sal', '{sales}');
SELECT sign_move('f', '1', 'sal');
SELECT archive_activities('f', funnel_now());
INSERT INTO f.activity (lead_id, kind, external_id) VALUES (1, 'webinar', 'c');

-- what stands in the way of altering a column, but for its own key
DO $$ DECLARE s text; BEGIN
	FOR s IN
		SELECT format('DROP VIEW IF EXISTS f.%I CASCADE', relname) FROM pg_class
		WHERE relnamespace = 'f'::regnamespace AND relkind = 'v'
		UNION ALL
		SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
		WHERE connamespace = 'f'::regnamespace AND contype IN ('c', 'f', 'x')
		UNION ALL
		SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index AS i JOIN pg_class AS c ON c.oid = indrelid
		WHERE relnamespace = 'f'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
		AND indexrelid::regclass::text !~ 'calendar_overlap'
		UNION ALL
		SELECT format('ALTER TABLE %s ALTER %I DROP IDENTITY', attrelid::regclass, attname) || format(', ALTER %I SET DEFAULT 1000', attname)
		FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
		WHERE relnamespace = 'f'::regnamespace AND attidentity <> ''
	LOOP
		EXECUTE s;
	END LOOP;
END $$;

CREATE TEMP TABLE call (position int GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO call (statement) VALUES
	($$INSERT INTO f.lead (email, owner) VALUES ('x@example.com', 'o')$$),
	($$UPDATE f.lead SET job_title = 'VP Marketing', bant = bant || 'B+', stage = 'mql', note = 'n' WHERE email = 'ann@example.com'$$),
	($$INSERT INTO f.activity (lead_id, kind, source, campaign) SELECT lead_id, 'sales_inquiry', 's', 'c' FROM f.lead LIMIT 1$$),
	($$INSERT INTO f.answer (lead_id, framework, element, level) SELECT lead_id, 'bant', 'budget', 'yes' FROM f.lead LIMIT 1$$),
	($$INSERT INTO f.answer (lead_id, framework, element, level) SELECT lead_id, 'champ', 'money', 'yes' FROM f.lead LIMIT 1$$),
	($$UPDATE f.deal SET status = 'won'$$),
	($$INSERT INTO f.deal_contact SELECT 1, lead_id FROM f.lead WHERE email = 'bob@example.com'$$),
	($$INSERT INTO f.verdict (lead_id, side, qualified) SELECT lead_id, 'marketing', true FROM f.lead LIMIT 1$$),
	($$UPDATE f.stage_history SET voided_at = now() WHERE voided_at IS NULL$$),
	($$SELECT sign_move('f', '1', 'sal')$$),
	($$SELECT why_not('f', 1, 'sal')$$),
	($$SELECT next_stages('f', 1), score_at('f', 1, '2026-01-01'), explain_score('f', 1)$$),
	($$UPDATE f.account SET name = 'b'$$),
	($$UPDATE f.rule SET points = points + 1 WHERE name = 'webinar' OR rule_id = 1$$),
	($$UPDATE f.transition SET condition = 'score > 1' WHERE position = 99$$),
	($$UPDATE f.definition SET max_fit = 50$$),
	($$INSERT INTO f.list VALUES ('l', 'v')$$),
	($$INSERT INTO f.stage (stage, position, milestone, sla, working_time) VALUES ('s', 9, 'sql', '1 day', true)$$),
	($$SELECT sweep_funnel('f')$$), ($$SELECT rescore_funnel('f', true)$$),
	($$SELECT rebuild_history('f')$$), ($$SELECT archive_activities('f', '2026-01-01')$$),
	($$SELECT check_funnel('f', true)$$), ($$SELECT record_activity('f', 'ann@example.com', 'webinar')$$),
	($$SELECT merge_leads('f', '1', '2')$$), ($$SELECT erase_lead('f', '2')$$),
	($$SELECT copy_definition('f', 'default', 'd')$$), ($$SELECT preview_definition('f', 'default')$$),
	($$SELECT framework_score('f', 1, 'bant'), framework_gaps('f', 1, 'champ'), may_send('f', 1, 'm')$$),
	($$DELETE FROM f.lead WHERE email = 'ann@example.com'$$);

-- alter a table, do everything until the column is refused, undo all
CREATE FUNCTION pg_temp.tried(change text, OUT altered boolean, OUT refused text, OUT internal text)
LANGUAGE plpgsql AS $$
DECLARE
	c record;
	hint text;
	detail text;
BEGIN
	altered := false;
	EXECUTE change;
	altered := true;
	FOR c IN SELECT statement FROM call ORDER BY position LOOP
		BEGIN
			EXECUTE c.statement;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			IF SQLSTATE LIKE 'XX%' OR SQLERRM = '' THEN
				internal := concat_ws(E'\n', internal, format('%s: %s: %s %s', change, c.statement, SQLSTATE, SQLERRM));
			ELSIF SQLERRM ~ '^column ".*" of relation ".*" (is|does)' AND detail <> '' AND hint <> '' THEN
				refused := SQLSTATE;
				EXIT;
			END IF;
		END;
	END LOOP;
	RAISE EXCEPTION USING ERRCODE = 'LQ001';
EXCEPTION
	WHEN SQLSTATE 'LQ001' THEN NULL;
	WHEN OTHERS THEN
		IF altered THEN
			RAISE;
		END IF;
END $$;

CREATE TEMP TABLE col AS
	SELECT a.attrelid::regclass AS relation, a.attname, a.attnotnull, format_type(a.atttypid, NULL) AS type,
		   row_number() OVER (ORDER BY attrelid, attnum) AS n
	FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
	WHERE c.relnamespace = 'f'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped;
CREATE TEMP TABLE other (n int, type text, conversion text, value text);
INSERT INTO other VALUES
	(0, 'bigint', '4242424242424242 + hashtext(%I::text)', '4242424242424242'),
	(1, 'text', '''4096'' || %I::text', '''4096'''), (2, 'integer[]', 'ARRAY[hashtext(%I::text)]', 'ARRAY[4096]'),
	(3, 'jsonb', 'to_jsonb(%I::text)', '''"4096"'''), (4, 'bytea', 'convert_to(%I::text, ''UTF8'')', '''\x4096''');

CREATE TEMP TABLE result AS
	SELECT c.relation, c.attname, o.type, t.*
	FROM col AS c JOIN other AS o ON o.n = CASE c.type WHEN (SELECT type FROM other WHERE n = c.n % 5) THEN (c.n + 1) % 5 ELSE c.n % 5 END
	CROSS JOIN LATERAL pg_temp.tried(format('ALTER TABLE %1$s ALTER %2$I DROP DEFAULT, ALTER %2$I TYPE %3$s USING ', relation, attname, o.type)
		|| format(o.conversion, attname)
		|| CASE WHEN attnotnull THEN format(', ALTER %I SET DEFAULT %s', attname, o.value) ELSE '' END) AS t;
-- whatever refuses a column at all refuses every other type of it
INSERT INTO result
	SELECT c.relation, c.attname, o.type, t.*
	FROM col AS c JOIN other AS o ON o.type <> c.type
	CROSS JOIN LATERAL pg_temp.tried(format('ALTER TABLE %1$s ALTER %2$I DROP DEFAULT, ALTER %2$I TYPE %3$s USING ', relation, attname, o.type)
		|| format(o.conversion, attname)
		|| CASE WHEN attnotnull THEN format(', ALTER %I SET DEFAULT %s', attname, o.value) ELSE '' END) AS t
	WHERE EXISTS (SELECT FROM result AS r WHERE (r.relation, r.attname) = (c.relation, c.attname) AND r.refused IS NOT NULL)
	AND NOT EXISTS (SELECT FROM result AS r WHERE (r.relation, r.attname, r.type) = (c.relation, c.attname, o.type));
INSERT INTO result
	SELECT c.relation, c.attname, 'gone', t.* FROM col AS c
	CROSS JOIN LATERAL pg_temp.tried(format('ALTER TABLE %s DROP %I CASCADE', relation, attname)) AS t
	UNION ALL
	SELECT c.relation, c.attname, 'null', t.* FROM col AS c
	CROSS JOIN LATERAL pg_temp.tried(format('ALTER TABLE %1$s ALTER %2$I DROP DEFAULT, ALTER %2$I DROP NOT NULL', relation, attname)) AS t
	WHERE attnotnull;

SELECT cmp_ok((SELECT count(*) FROM col), '>=', 227::bigint, 'S2: all columns of a funnel');
SELECT is((SELECT string_agg(internal, E'\n') FROM result), NULL, 'S2: no column of another type, without NOT NULL, or gone, ends in an internal error');
SELECT is((SELECT string_agg(format('%s.%s', relation, attname), ', ') FROM col AS c WHERE 2 > (SELECT count(*) FROM result AS r
	WHERE r.altered AND (r.relation, r.attname) = (c.relation, c.attname))), NULL, 'S2: each was altered in turn');
SELECT is((SELECT string_agg(format('%s.%s as %s', relation, attname, type), ', ') FROM result
	WHERE altered AND refused IS DISTINCT FROM CASE type WHEN 'gone' THEN '42703' WHEN 'null' THEN '55000' ELSE '42804' END
	AND (relation::text, attname) IN (('f.side', 'side'), ('f.side', 'role'), ('f.transition', 'sides'), ('f.calendar', 'opens'), ('f.holiday', 'day'),
		('f.signature', 'signed_by'), ('f.verdict', 'side'), ('f.definition_log', 'old_row'), ('f.stage_history', 'note'), ('f.lead', 'scorecard'))),
	NULL, 'S2: a column of another type is refused with detail and hint');
SELECT lives_ok($$ INSERT INTO f.lead (lead_id, email) VALUES (7, 'y@example.com') $$, 'and all is as before');

SELECT * FROM finish();
ROLLBACK;
