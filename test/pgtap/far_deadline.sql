-- A deadline beyond the end of time.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(2);

SELECT create_funnel('crm');
INSERT INTO crm.lead (lead_id, email) VALUES (1, 'ann@example.com');
INSERT INTO crm.activity (lead_id, kind) VALUES (1, 'sales_inquiry');

-- an interval beyond the end of time never passes, and stops nobody
INSERT INTO crm.transition (definition, position, from_stage, to_stage, automatic, after)
VALUES ('default', 500, '*', 'nurture', true, '292000 years');
UPDATE crm.stage SET sla = '290000 years' WHERE stage = 'lead';
SELECT lives_ok($$ INSERT INTO crm.lead (lead_id) VALUES (2) $$,
	'a deadline beyond the end of time refuses no lead');
SELECT is((SELECT due_at FROM crm.lead WHERE lead_id = 2), 'infinity'::timestamptz,
	'and is never reached');
DELETE FROM crm.transition WHERE position = 500;

SELECT * FROM finish();
ROLLBACK;
