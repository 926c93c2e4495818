-- No foreign money in won_amount, whatever is said first: the amount or the
-- currency.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(7);
SELECT create_funnel('crm', 'UTC');
INSERT INTO crm.lead (lead_id, email) OVERRIDING SYSTEM VALUE VALUES (1, 'ann@example.com');
INSERT INTO crm.deal (deal_id, amount, status) OVERRIDING SYSTEM VALUE VALUES (1, 1000, 'won');
INSERT INTO crm.deal_contact (deal_id, lead_id) VALUES (1, 1);
SELECT is((SELECT won_amount FROM crm.lead), 1000::numeric, 'an amount without a currency is the funnel''s');

UPDATE crm.deal SET currency = 'USD';
SELECT is((SELECT home_amount FROM crm.deal), NULL, 'N3: home_amount is no exchange when the currency turns out to be another');
SELECT is((SELECT won_amount FROM crm.lead), 0::numeric, 'N3: nor is it in won_amount');
UPDATE crm.deal SET home_amount = 900;
SELECT is((SELECT won_amount FROM crm.lead), 900::numeric, 'what was exchanged is');
UPDATE crm.deal SET amount = 1100;
SELECT is((SELECT home_amount FROM crm.deal), 900::numeric, 'and stays as it was given');
UPDATE crm.deal SET currency = 'EUR', home_amount = NULL;
SELECT is((SELECT won_amount FROM crm.lead), 1100::numeric, 'back to the funnel''s currency');
UPDATE crm.deal SET currency = 'JPY', amount = 50000, home_amount = 400;
SELECT is((SELECT won_amount FROM crm.lead), 400::numeric, 'N3: all said at once');

SELECT * FROM finish();
ROLLBACK;
