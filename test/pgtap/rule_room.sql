-- A card has room for so many rules: the rule is refused, never the fact.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(10);
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
DELETE FROM transition WHERE condition IS NOT NULL;
DELETE FROM rule;
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (1);
INSERT INTO rule (definition, name, axis, kind, points) SELECT 'default', 'r' || n, 'engagement', '*', 1 FROM generate_series(1, 4096) AS n;
SELECT throws_ok($$ INSERT INTO rule (definition, name, axis, points) VALUES ('default', 'more', 'fit', 1) $$, '54000',
	'a definition cannot have more than 4096 rules', 'R10: the rule that would be one too many is refused');
SELECT lives_ok($$ INSERT INTO activity (lead_id, kind) VALUES (1, 'webinar') $$, 'R10: a fact that hits all rules is not');
SELECT is((SELECT count(*) FROM explain_score('crm', 1) WHERE rule LIKE 'r%'), 4096::bigint, 'R10: and all count');
SELECT lives_ok($$ UPDATE rule SET points = 2 WHERE name = 'r1' $$, 'R10: those that are there can be changed');
INSERT INTO definition (definition, status) VALUES ('draft', 'draft');
SELECT lives_ok($$ INSERT INTO rule (definition, name, axis, points) VALUES ('draft', 'more', 'fit', 1) $$, 'R10: another definition has room of its own');
SELECT throws_ok($$ UPDATE rule SET definition = 'default' WHERE name = 'more' $$, '54000', NULL, 'R10: nor can a rule move in');
SELECT throws_ok($$ UPDATE rule SET definition = NULL WHERE name = 'more' $$, '23502', NULL, 'nor belong to none');

-- past the triggers, as a restore or a subscription writes
SET LOCAL session_replication_role = replica;
INSERT INTO rule (definition, name, axis, kind, points) SELECT 'default', 'later' || n, 'engagement', '*', 1 FROM generate_series(1, 10) AS n;
SET LOCAL session_replication_role = origin;
SELECT lives_ok($$ INSERT INTO activity (lead_id, kind) VALUES (1, 'webinar') $$, 'R10: rules beyond the room give nothing');
SELECT is((SELECT count(*) FROM explain_score('crm', 1) WHERE rule LIKE 'later%'), 0::bigint, 'R10: ... no points');
SELECT results_eq($$ SELECT severity, n FROM check_funnel('crm') WHERE finding = 'too_many_rules' $$, $$ VALUES ('error', 10::bigint) $$, 'R10: ... and are reported');
SELECT * FROM finish();
ROLLBACK;
