-- The words of an error quote the row: only who may read what the condition
-- reads is told them.
\set VERBOSITY default
SET client_min_messages = warning;
SELECT create_funnel('regress_lq_words', 'UTC');
ALTER TABLE regress_lq_words.account ADD tax_id text;
ALTER TABLE regress_lq_words.lead ADD ssn text;
INSERT INTO regress_lq_words.account (account_id, tax_id) OVERRIDING SYSTEM VALUE VALUES (1, 'SECRET-TAX');
INSERT INTO regress_lq_words.list (list, value) VALUES ('codes', 'SECRET-CODE');
INSERT INTO regress_lq_words.rule (definition, name, axis, condition, points) VALUES
	('default', 'ssn', 'fit', 'ssn::int > 0', 1),
	('default', 'tax', 'fit', 'account.tax_id::int > 0', 1),
	('default', 'code', 'fit', '(list.codes)[company_size]::int > 0', 1);
INSERT INTO regress_lq_words.rule (definition, name, axis, kind, condition, points) VALUES
	('default', 'seats', 'engagement', '*', '(properties ->> ''seats'')::int > 0', 1);
CREATE ROLE regress_lq_app;
GRANT USAGE ON SCHEMA regress_lq_words TO regress_lq_app;
GRANT INSERT ON regress_lq_words.lead, regress_lq_words.activity TO regress_lq_app;

-- who may write only
\c -
SET ROLE regress_lq_app;
INSERT INTO regress_lq_words.lead (ssn, account_id, company_size) VALUES ('SECRET-123', 1, 1);
INSERT INTO regress_lq_words.activity (lead_id, kind, properties) VALUES (1, 'webinar', '{"seats": "SECRET-SEAT"}');

-- who may read the very columns
RESET ROLE;
GRANT SELECT (ssn) ON regress_lq_words.lead TO regress_lq_app;
GRANT SELECT (properties) ON regress_lq_words.activity TO regress_lq_app;
\c -
SET ROLE regress_lq_app;
INSERT INTO regress_lq_words.lead (ssn, account_id, company_size) VALUES ('open', 1, 1);
INSERT INTO regress_lq_words.activity (lead_id, kind, properties) VALUES (1, 'webinar', '{"seats": "open"}');

-- not in every row
RESET ROLE;
ALTER TABLE regress_lq_words.lead ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON regress_lq_words.lead FOR INSERT WITH CHECK (true);
\c -
SET ROLE regress_lq_app;
INSERT INTO regress_lq_words.lead (ssn) VALUES ('SECRET-789');

-- the owner
\c -
SET client_min_messages = warning;
INSERT INTO regress_lq_words.lead (ssn, account_id, company_size) VALUES ('open', 1, 1);
SELECT finding, object, n, detail FROM check_funnel('regress_lq_words') WHERE finding = 'condition_raises' ORDER BY object;

-- nor is a list shown where a condition does not compile
UPDATE regress_lq_words.rule SET condition = 'country = ANY (list.codes) OR (list.codes)[1]::int > 0' WHERE name = 'code';
UPDATE regress_lq_words.rule SET condition = '(list.codes)[1]::int > 0' WHERE name = 'code';
\c -
SET ROLE regress_lq_app;
INSERT INTO regress_lq_words.lead (email) VALUES ('a@example.com');

\c -
SET client_min_messages = warning;
SELECT drop_funnel('regress_lq_words', true);
DROP ROLE regress_lq_app;
