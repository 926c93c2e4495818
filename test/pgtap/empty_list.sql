-- A list that lost its last value is empty, whoever has to name it again.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(19);
CREATE ROLE regress_lq_marketing;
SELECT create_funnel('crm', 'UTC');
SELECT count(*) FROM grant_funnel('crm', 'regress_lq_marketing', 'marketing');
SET LOCAL search_path = crm, public;
INSERT INTO list VALUES ('vip', 'DE'), ('order', 'x'), ('once', 'y');
INSERT INTO rule (definition, name, axis, condition, points, enabled) VALUES
	('default', 'vip', 'fit', 'country = ANY (list.vip)', 7, true),
	('default', 'vip_off', 'fit', 'country = ANY (LIST."vip") IS NOT TRUE AND country = ANY (list."order")', 7, false);
UPDATE transition SET condition = condition || ' AND country <> ALL (list.vip)' WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
INSERT INTO lead (lead_id, country) OVERRIDING SYSTEM VALUE VALUES (1, 'DE');
SELECT is((SELECT points FROM explain_score('crm', 1) WHERE rule = 'vip'), 7::numeric, 'a value of the list gives points');

SET LOCAL ROLE regress_lq_marketing;
DELETE FROM list WHERE list IN ('vip', 'order', 'once');
SELECT lives_ok($$ SELECT copy_definition('crm', 'default', 'next') $$, 'S6: a definition that names a list without values is copied');
SELECT is((SELECT condition_sql FROM rule WHERE definition = 'next' AND name = 'vip'), (SELECT condition_sql FROM rule WHERE definition = 'default' AND name = 'vip'),
	'S6: the copy names the list');
SELECT is_empty($$ SELECT * FROM check_definition('crm', 'default') $$, 'S6: it is checked');
SELECT is_empty($$ SELECT * FROM check_definition('crm', 'next') $$, 'S6: and the copy');
SELECT lives_ok($$ UPDATE rule SET condition = condition || ' AND source IS NULL' WHERE name = 'vip' $$, 'S6: conditions that name it are changed');
SELECT lives_ok($$ SELECT check_condition('crm', 'fit', 'country = ANY (list.vip)', 'default') $$, 'S6: and written');
SELECT throws_ok($$ SELECT check_condition('crm', 'fit', 'country = ANY (list.vips)', 'default') $$, '42703', 'list "vips" does not exist', 'one that never was is unknown');
SELECT throws_ok($$ SELECT check_condition('crm', 'fit', 'country = ANY (list.country)', 'default') $$, '42703', NULL, 'as is what conditions name otherwise');
SELECT lives_ok($$ SELECT check_condition('crm', 'fit', 'country = ANY (list.once)', 'default') $$, 'S6: the log knows of one that no condition names');
RESET ROLE;
INSERT INTO lead (lead_id, country) OVERRIDING SYSTEM VALUE VALUES (2, 'DE');
SELECT is_empty($$ SELECT * FROM explain_score('crm', 2) WHERE rule = 'vip' $$, 'an empty list holds for nobody');
SELECT lives_ok($$ SELECT count(*) FROM preview_definition('crm', 'next') $$, 'S6: the copy is tried');
SELECT lives_ok($$ SELECT activate_definition('crm', 'next', 'move') $$, 'S6: and activated');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') $$, 'S6: all is well');
SELECT is_empty($$ SELECT * FROM why_not('crm', 2, 'sql') WHERE part ~ 'vip' AND state <> 'met' $$, 'S6: whom an empty list excludes is nobody');

-- values come back, and count in conditions that were written meanwhile
INSERT INTO list VALUES ('vip', 'DE');
INSERT INTO lead (lead_id, country) OVERRIDING SYSTEM VALUE VALUES (3, 'DE');
SELECT is((SELECT points FROM explain_score('crm', 3) WHERE rule = 'vip'), 7::numeric, 'S6: values that come back count');

-- all at once, and without a log
DELETE FROM list;
SELECT lives_ok($$ SELECT copy_definition('crm', 'next', 'third') $$, 'S6: without any list');
SET LOCAL lead_qual.import = on;
DELETE FROM definition_log;
SET LOCAL lead_qual.import = off;
SELECT lives_ok($$ SELECT copy_definition('crm', 'next', 'fourth') $$, 'S6: conditions that stand know their lists');
SELECT throws_ok($$ SELECT check_condition('crm', 'fit', 'country = ANY (list.once)', 'next') $$, '42703', NULL, 'nothing knows of any other');
SELECT * FROM finish();
ROLLBACK;
