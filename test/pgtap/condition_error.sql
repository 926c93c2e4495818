-- Errors in the data leave a condition unknown; they lose neither the lead
-- nor the other rules.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(8);

SELECT create_funnel('crm');
SET LOCAL search_path = crm, public;
SET LOCAL lead_qual.clock = '2026-03-01 12:00+00';
DELETE FROM transition;
DELETE FROM rule;
UPDATE definition SET max_fit = NULL;
INSERT INTO transition (definition, position, to_stage, automatic) VALUES ('default', 1, 'lead', true);
INSERT INTO rule (definition, name, axis, condition, points) VALUES
	('default', 'cast_it', 'fit', '(properties ->> ''seats'')::int > 5', 1),
	('default', 'divide', 'fit', 'annual_revenue / company_size > 1000', 10),
	('default', 'unless', 'fit', 'NOT (properties ->> ''seats'')::int > 5', 100),
	('default', 'either', 'fit', 'country = ''DE'' OR (properties ->> ''seats'')::int > 5', 1000),
	('default', 'plain', 'fit', 'company = ''x''', 10000);

CREATE FUNCTION pg_temp.fit(properties jsonb, size int, country text) RETURNS numeric LANGUAGE sql AS $$
	INSERT INTO crm.lead (properties, company_size, annual_revenue, company, country)
		VALUES (properties, size, 1000000, 'x', country) RETURNING fit(scorecard) $$;

SELECT is(pg_temp.fit('{"seats": 6}', 10, 'AT'), 11011::numeric, 'no error');
SELECT is(pg_temp.fit('{"seats": "six"}', 10, 'AT'), 10010::numeric, 'a failed cast is neither true nor false');
SELECT is(pg_temp.fit('{"seats": "six"}', 10, 'DE'), 11010::numeric, 'what comes first may decide');
SELECT is(pg_temp.fit('{"seats": 6}', 0, 'AT'), 11001::numeric, 'a division by zero');
SELECT is(pg_temp.fit('{"seats": "99999999999"}', 0, 'AT'), 10000::numeric, 'two errors in one row');
SELECT is((SELECT count(*) FROM lead), 5::bigint, 'no lead is lost');

-- within a subtransaction that is undone, and after it
CREATE FUNCTION pg_temp.undone() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.fit('{"seats": "six"}', 10, 'AT');
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
	RETURN 'undone';
END $$;
SELECT is(pg_temp.undone(), 'undone', 'an error inside a subtransaction that is undone');
SELECT is(pg_temp.fit('{"seats": 6}', 10, 'AT'), 11011::numeric, 'and the condition goes on');

SELECT * FROM finish();
ROLLBACK;
