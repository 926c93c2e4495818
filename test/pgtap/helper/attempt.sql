-- pg_temp.attempt(): a statement as a role: "done", or its SQLSTATE, message and detail
CREATE FUNCTION pg_temp.attempt(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE pg_catalog.format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RESET ROLE;
	RETURN pg_catalog.concat_ws(' ', SQLSTATE, SQLERRM, nullif(detail, ''));
END $$;
