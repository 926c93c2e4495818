-- A16, D14: what people read has two digits of days, hours and points, four of
-- rates; money is what it is.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SELECT plan(7);
\ir helper/random_funnel.sql
SELECT isnt_empty('SELECT * FROM pg_temp.random_operations(1500, 0.3)', 'a funnel');
INSERT INTO spend (department, source, starts_on, ends_on, amount) SELECT 'sales', 'web', d, d + 50, 1234.56
	FROM generate_series(date '2026-01-01', date '2026-12-01', interval '1 month') AS m, CAST(m AS date) AS d;

-- numbers that have more digits than asked for, by column
CREATE FUNCTION pg_temp.longer(columns text, digits integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	c record;
	n bigint;
BEGIN
	FOR c IN SELECT r.relname, a.attname FROM pg_class AS r JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0
			 WHERE r.relnamespace = 'crm'::regnamespace AND r.relkind = 'v' AND a.atttypid = 'numeric'::regtype AND a.attname ~ columns LOOP
		EXECUTE format('SELECT count(*) FROM crm.%1$I WHERE scale(%2$I) > %3$s', c.relname, c.attname, digits) INTO n;
		IF n > 0 THEN
			RETURN NEXT format('%s.%s: %s rows', c.relname, c.attname, n);
		END IF;
	END LOOP;
END $$;
CREATE TEMP TABLE kind_of_column (columns text, digits integer, what text);
INSERT INTO kind_of_column VALUES
	('(^|_)(days|hours)(_|$)|^mean_before$', 2, 'days and hours'), ('(^|_)(score|fit|engagement|intent|points)$', 2, 'points'),
	('(^share|_share(_lower|_upper)?|^lift|_rate|^rate.*|^gain$|^change$|^kappa|^won_by_.*|touches_per_lead|^coverage|roi|^paid_back|^probability)$', 4, 'rates'),
	('(cost|overhead|revenue(_lower|_upper)?|amount|per_day|cost_per_.*|margin|^target|^won|^remaining|_value|^value_now|^rule_of_thumb)$', 6, 'money'),
	('^(expected|lower|upper|from_(waiting|new)|begin_per_week)$', 2, 'numbers that are expected');
SELECT is_empty(format('SELECT pg_temp.longer(%L, %s)', columns, digits), 'A16, D14: ' || what || ' have so many digits: ' || digits) FROM kind_of_column;
SELECT is_empty($$ SELECT r.relname, a.attname FROM pg_class AS r JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0
	WHERE r.relnamespace = 'crm'::regnamespace AND r.relkind = 'v' AND a.atttypid = 'numeric'::regtype
	AND NOT EXISTS (SELECT FROM kind_of_column AS k WHERE a.attname ~ k.columns) AND a.attname NOT IN ('sales_touches', 'value', 'attained', 'expected_by_now', 'forecast', 'forecast_upper') $$,
	'every number with a fraction is one of these');
SELECT * FROM finish();
ROLLBACK;
