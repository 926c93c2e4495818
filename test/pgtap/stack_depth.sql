-- What a condition says of a row does not depend on how deep in a stack the
-- one who asks stands: he gets the same answer, or an error.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(4);
SELECT create_funnel('crm', 'UTC');
SET LOCAL search_path = crm, public;
UPDATE rule SET enabled = false;
ALTER TABLE lead ADD doc text;
INSERT INTO rule (definition, name, axis, condition, points) VALUES ('default', 'deep', 'fit', 'doc::jsonb IS NOT NULL', 10);

-- inserts a lead from so many calls down: its fit, or the error
CREATE FUNCTION pg_temp.insert(doc text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result numeric;
BEGIN
	INSERT INTO crm.lead (doc) VALUES (insert.doc) RETURNING fit(scorecard) INTO result;
	RETURN result;
EXCEPTION WHEN statement_too_complex THEN
	RETURN SQLSTATE;
END $$;
CREATE FUNCTION pg_temp.down(calls integer, doc text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF calls = 0 THEN RETURN pg_temp.insert(doc); END IF;
	RETURN pg_temp.down(calls - 1, doc);
EXCEPTION WHEN statement_too_complex THEN
	RETURN SQLSTATE;
END $$;
-- the outermost that cannot go on tells of itself
CREATE FUNCTION pg_temp.answers(doc text) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(DISTINCT pg_temp.down(calls, doc)) FROM generate_series(0, 600, 30) AS calls $$;

SELECT is(pg_temp.insert('[]'), '10', 'a document that everybody can read');
SELECT is(pg_temp.insert(repeat('[', 100000) || repeat(']', 100000)), '0', 'S7: one that nobody can read');
SELECT ok(pg_temp.answers(repeat('[', 3000) || repeat(']', 3000)) <@ '{10,54001}', 'S7: what can be read from a shallow stack counts from a deep one, or fails');
SELECT ok(pg_temp.answers(repeat('[', 12000) || repeat(']', 12000)) <@ '{0,54001}', 'S7: what cannot never counts');
SELECT * FROM finish();
ROLLBACK;
