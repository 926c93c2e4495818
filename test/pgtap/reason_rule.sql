-- Reasons: of moves that nobody asked for, and the rules that they blame.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(22);
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-02 09:00Z';

-- an automatic move has a reason too
INSERT INTO lead (lead_id, email) OVERRIDING SYSTEM VALUE VALUES (1, 'spy@rival.example'), (2, 'a@x.example');
SELECT results_eq('SELECT to_stage, automatic, reason FROM stage_history WHERE lead_id = 1 ORDER BY history_id',
	$$ VALUES ('lead', true, NULL), ('disqualified', true, 'rival') $$, 'N20 a rival is disqualified for a reason');
UPDATE lead SET company = 'Rival (example)', note = 'met at the fair' WHERE lead_id = 2;
SELECT results_eq('SELECT reason, note FROM stage_history WHERE lead_id = 2 AND to_stage = ''disqualified''',
	$$ VALUES ('rival', 'met at the fair') $$, 'N20 when it turns out later, too');
SELECT results_eq('SELECT reason, moves, blamed_rule FROM rejection', $$ VALUES ('rival', 2::bigint, 'rival') $$, 'N20 rejection tells it');
INSERT INTO lead (lead_id, email, reason) OVERRIDING SYSTEM VALUE VALUES (3, 'b@x.example', NULL);
UPDATE lead SET email = 'b@rival.example', reason = 'spam' WHERE lead_id = 3;
SELECT is((SELECT reason FROM stage_history WHERE lead_id = 3 AND to_stage = 'disqualified'), 'spam', 'N20 a reason that somebody gives goes first');
SELECT throws_ok($$ UPDATE crm.transition SET reason = 'bored' WHERE from_stage = '*' AND automatic $$, '23503',
	'reason "bored" does not exist for stage "disqualified"', 'N20 a transition''s reason is one of its stage');
SELECT throws_ok($$ UPDATE crm.transition SET reason = 'no_timeline' WHERE from_stage = '*' AND automatic $$, '23503', NULL, 'N20 not one of another');
SELECT lives_ok($$ UPDATE crm.transition SET reason = NULL WHERE from_stage = '*' AND automatic $$, 'N20 none is none');
SELECT copy_definition('crm', 'default', 'next');
UPDATE transition SET reason = 'do_not_contact' WHERE definition = 'next' AND from_stage = '*' AND automatic;
SELECT copy_definition('crm', 'next', 'third');
SELECT is((SELECT reason FROM transition WHERE definition = 'third' AND from_stage = '*' AND automatic), 'do_not_contact', 'N20 copied with its definition');

-- a reason may blame a rule
SELECT throws_ok($$ INSERT INTO crm.reason (applies_to, reason, rule) VALUES ('nurture', 'only_downloads', 'ebok') $$, '23503',
	'rule "ebok" does not exist in the active definition', 'N20 R002-06 the rule that a reason blames exists');
INSERT INTO reason (applies_to, reason, rule) VALUES ('nurture', 'only_downloads', 'ebook_download');
SELECT throws_ok($$ UPDATE crm.reason SET rule = 'x' WHERE reason = 'only_downloads' $$, '23503', NULL, 'N20 R002-06 when it is changed as well');
INSERT INTO lead (lead_id) OVERRIDING SYSTEM VALUE VALUES (4);
INSERT INTO activity (lead_id, kind) VALUES (4, 'demo_request'), (4, 'ebook_download');
UPDATE lead SET stage = 'nurture', reason = 'only_downloads' WHERE lead_id = 4;
SELECT results_eq($$ SELECT reason, blamed_rule FROM rejection WHERE outcome = 'returned' $$, $$ VALUES ('only_downloads', 'ebook_download') $$,
	'N20 R002-06 rejection names it');
SELECT is_empty($$ SELECT * FROM check_funnel('crm') WHERE finding = 'reason_without_rule' $$, 'N20 R002-06 all is well');
DELETE FROM rule WHERE name = 'ebook_download' AND definition = 'default';
SELECT results_eq($$ SELECT object, n FROM check_funnel('crm') WHERE finding = 'reason_without_rule' $$, $$ VALUES ('only_downloads', 1::bigint) $$,
	'N20 R002-06 a rule that is gone is told of');
SELECT lives_ok($$ UPDATE crm.reason SET label = 'Only reads' WHERE reason = 'only_downloads' $$, 'S6: and stands in the way of no other change');
SELECT lives_ok($$ UPDATE crm.reason SET rule = NULL WHERE reason = 'only_downloads' $$, 'N20 R002-06 a reason need not blame any');
SELECT throws_ok($$ UPDATE crm.reason SET rule = 'ebook_download' WHERE reason = 'only_downloads' $$, '23503', NULL, 'N20 R002-06 of a draft does not do');

-- what a transition names stays
SELECT throws_ok(statement, '2BP01', 'reason "do_not_contact" is in use', 'S6: ' || statement)
FROM unnest(ARRAY[$$DELETE FROM crm.reason WHERE reason = 'do_not_contact'$$,
	$$UPDATE crm.reason SET applies_to = 'nurture' WHERE reason = 'do_not_contact'$$, 'TRUNCATE crm.reason']) AS statement;
SELECT lives_ok($$ UPDATE crm.reason SET label = 'Asked not to be', position = 9 WHERE reason = 'do_not_contact' $$, 'S6: but for its label');
SELECT lives_ok($$ SELECT copy_definition('crm', 'third', 'fourth') $$, 'S6: so a copy is made');
DELETE FROM definition WHERE definition IN ('next', 'third', 'fourth');
SELECT lives_ok($$ DELETE FROM crm.reason WHERE reason = 'do_not_contact' $$, 'S6: what none names any more goes');
SELECT * FROM finish();
ROLLBACK;
