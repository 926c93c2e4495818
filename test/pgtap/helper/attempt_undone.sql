-- pg_temp.attempt(): a statement by a role, and what came of it; nothing of it stays
CREATE FUNCTION pg_temp.attempt(role name, statement text, id text DEFAULT 'one') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	detail text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	SET CONSTRAINTS ALL IMMEDIATE;
	RESET ROLE;
	SELECT format('done: %s cycle %s card %s won %s answers %s reason %s moves %s', stage, cycle, scorecard IS NOT NULL, deals_won, answers, coalesce(reason, '-'),
		(SELECT string_agg(concat_ws('/', to_stage, h.reason, CASE WHEN from_stage IS NOT NULL THEN actor END), ' ' ORDER BY history_id) FROM crm.stage_history AS h WHERE h.lead_id = l.lead_id))
		INTO result FROM crm.lead AS l WHERE external_id = id;
	RAISE EXCEPTION USING ERRCODE = 'LQ001';
EXCEPTION
	WHEN SQLSTATE 'LQ001' THEN
		RETURN coalesce(result, 'done: no lead');
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		RETURN concat_ws(' ', SQLSTATE, SQLERRM, detail);
END $$;
