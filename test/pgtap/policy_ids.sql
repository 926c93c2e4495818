-- Ids of policy rows are those of their sequences.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(24);
CREATE ROLE regress_lq_marketing;
CREATE ROLE regress_lq_admin;
CREATE ROLE regress_lq_sales;
SELECT create_funnel('f', 'UTC');
SELECT count(*) FROM unnest('{marketing,admin,sales}'::text[]) AS p, grant_funnel('f', ('regress_lq_' || p)::regrole, p);
INSERT INTO f.lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (1);
\ir helper/attempt.sql

CREATE TEMP TABLE way (relation text, id text, columns text, given text);
INSERT INTO way VALUES
	('rule', 'rule_id', 'definition, name, axis, condition, points', $$'default', 'r%s', 'fit', 'true', 1$$),
	('transition', 'transition_id', 'definition, position, from_stage, to_stage', $$'default', 9%s, 'lead', 'nurture'$$);
CREATE TEMP TABLE granted_way AS SELECT * FROM way WITH NO DATA;
INSERT INTO granted_way VALUES
	('question', 'question_id', 'framework, element, text', $$'bant', 'need', 'What %s?'$$),
	('content', 'content_id', 'title, milestones', $$'Talk %s', '{mql}'$$);
SELECT alike(pg_temp.attempt('regress_lq_' || who, format('INSERT INTO f.%I (%s, %s) VALUES (%s, %s)', relation, id, columns, ahead, format(given, 1))),
	format('428C9 %s %s was not given by its sequence%%', id, ahead), format('S6: %s gives no id to a %s: %s', who, relation, ahead))
FROM way, (VALUES ('marketing', 10000), ('admin', 9223372036854775807)) AS v (who, ahead);
SELECT alike(pg_temp.attempt('regress_lq_marketing', format('UPDATE f.%1$I SET %2$I = %2$I + 10000', relation, id)), '428C9 %', 'S6: nor changes that of a ' || relation) FROM way;
SELECT is(left(pg_temp.attempt('regress_lq_marketing', statement), 5), '42501', 'S6: ' || statement) FROM granted_way,
	unnest(ARRAY[format('INSERT INTO f.%I (%s, %s) VALUES (%s, %s)', relation, id, columns, 10000, format(given, 1)),
		format('UPDATE f.%1$I SET %2$I = %2$I + 10000', relation, id)]) AS statement;
SELECT is(pg_temp.attempt('regress_lq_marketing', format('INSERT INTO f.%I (%s) VALUES (%s)', relation, columns, format(given, 2))), 'done', 'marketing adds a ' || relation) FROM granted_way;
SELECT is(pg_temp.attempt('regress_lq_' || who, format('INSERT INTO f.%I (%s) VALUES (%s)', relation, columns, format(given, i))), 'done', format('a %s gets one', relation))
FROM way, (VALUES ('marketing', 2), ('admin', 3)) AS v (who, i);
SELECT is(pg_temp.attempt('regress_lq_marketing', format('UPDATE f.%1$I SET %2$I = %2$I', relation, id)), 'done', 'what is written back as it was is no change') FROM way WHERE relation = 'rule';
SELECT alike(pg_temp.attempt('regress_lq_sales', 'INSERT INTO f.verdict (verdict_id, lead_id, side, qualified) VALUES (77, 1, ''sales'', true)'), '428C9 %', 'S6: sales gives none to a verdict');
SELECT alike(pg_temp.attempt('regress_lq_admin', 'INSERT INTO f.signature (signature_id, definition, side, signed_by, version) VALUES (77, ''default'', ''sales'', ''x'', 1)'), '42%', 'S6: nor admin to a signature');
SELECT alike(pg_temp.attempt('regress_lq_admin', 'SELECT setval(''f.rule_rule_id_seq'', 1)'), '42501 %', 'S6: nor sets a sequence back');

-- what is loaded has its ids
SELECT lives_ok($$ INSERT INTO f.rule (rule_id, definition, name, axis, condition, points) VALUES (5000, 'default', 'loaded', 'fit', 'true', 1) $$, 'the owner loads rows with their ids');
SELECT is(pg_temp.attempt('regress_lq_marketing', 'UPDATE f.rule SET points = 2 WHERE rule_id = 5000'), 'done', 'which are changed as others are');
SELECT is(pg_temp.attempt('regress_lq_marketing', 'SELECT copy_definition(''f'', ''default'', ''next'')'), 'done', 'marketing copies a definition');
SELECT is((SELECT count(*) FROM f.rule WHERE definition = 'next'), (SELECT count(*) FROM f.rule WHERE definition = 'default'), 'with all its rules');
SELECT * FROM finish();
ROLLBACK;
