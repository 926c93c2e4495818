-- Who must sign a move is the owner's to say: nobody else opens a way to its
-- milestone, or past it, or becomes who signs.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(29);
SELECT create_funnel('crm', 'UTC');
CREATE ROLE regress_lq_marketing;
CREATE ROLE regress_lq_admin;
SELECT count(*) FROM unnest('{marketing,admin}'::text[]) AS p, grant_funnel('crm', ('regress_lq_' || p)::regrole, p);
\ir helper/attempt.sql
INSERT INTO crm.stage (stage, position, milestone) VALUES ('trial', 45, 'sal');
SELECT is(pg_temp.attempt('regress_lq_marketing', 'UPDATE crm.stage SET milestone = ''mql'' WHERE stage = ''trial'''), 'done', 'before anybody signs moves, stages are what marketing says');
UPDATE crm.transition SET sides = '{marketing,sales}' WHERE to_stage = 'sql';

SELECT is(pg_temp.attempt('regress_lq_' || who, 'INSERT INTO crm.stage (stage, position, milestone) VALUES (''sql of ' || who || ''', 46, ''sql'')'), 'done', who || ' adds a stage')
FROM unnest('{marketing,admin}'::text[]) AS who;
SELECT alike(pg_temp.attempt('regress_lq_' || who, statement), '42501 permission denied to change who must sign a move to stage "sql"%', format('S10: %s: %s', who, statement))
FROM unnest('{marketing,admin}'::text[]) AS who,
	 (VALUES ('INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES (''default'', 1, ''mql'', ''sql of marketing'')'),
			 ('INSERT INTO crm.transition (definition, position, from_stage, to_stage, sides) VALUES (''default'', 1, ''mql'', ''sql of marketing'', ''{sales}'')'),
			 ('INSERT INTO crm.transition (definition, position, from_stage, to_stage, automatic) VALUES (''default'', 1, NULL, ''sql of marketing'', true)'),
			 ('INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES (''default'', 1, ''sal'', ''opportunity'')'),
			 ('INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES (''default'', 1, ''*'', ''customer'')'),
			 ('UPDATE crm.transition SET to_stage = ''sql of admin'' WHERE definition = ''default'' AND from_stage = ''nurture'' AND to_stage = ''lead''')) AS s (statement);
SELECT alike(pg_temp.attempt('regress_lq_' || who, statement), '42501 permission denied to change the milestone of stage "' || stage || '"%', format('S10: %s: %s', who, statement))
FROM unnest('{marketing,admin}'::text[]) AS who,
	 (VALUES ('trial', 'UPDATE crm.stage SET milestone = ''sql'' WHERE stage = ''trial'''),
			 ('sql', 'UPDATE crm.stage SET milestone = ''opportunity'' WHERE stage = ''sql''')) AS s (stage, statement);
SELECT is(pg_temp.attempt('regress_lq_marketing', statement), 'done', statement)
FROM (VALUES ('UPDATE crm.stage SET sla = ''3 days'', milestone = milestone WHERE stage = ''trial'''),
			 ('INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES (''default'', 2, ''mql'', ''trial'')'),
			 ('INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES (''default'', 3, ''sql'', ''customer'')'),
			 ('INSERT INTO crm.transition (definition, position, from_stage, to_stage) VALUES (''default'', 4, ''opportunity'', ''nurture'')'),
			 ('INSERT INTO crm.transition (definition, position, from_stage, to_stage, sides) VALUES (''default'', 5, ''mql'', ''sql'', ''{sales,marketing}'')')) AS s (statement);

-- nor who signs, nor whether it binds
SELECT alike(pg_temp.attempt('regress_lq_admin', 'UPDATE crm.side SET role = ''regress_lq_admin'' WHERE side = ''sales'''), '42501 permission denied to change who signs for side "sales"%', 'S10: nobody names his own role');
SELECT is(pg_temp.attempt('regress_lq_admin', 'UPDATE crm.side SET description = ''they'''), 'done', 'a side is described');
SELECT alike(pg_temp.attempt('regress_lq_admin', 'UPDATE crm.setting SET edit_signed = true'), '42501 permission denied to change edit_signed%', 'S10: not admin allows to edit what was signed');
SELECT lives_ok($$ UPDATE crm.side SET role = 'regress_lq_admin' WHERE side = 'sales' $$, 'the owner names roles');
SELECT lives_ok($$ UPDATE crm.stage SET milestone = 'sal' WHERE stage = 'trial' $$, 'and says what a stage is');
SELECT * FROM finish();
ROLLBACK;
