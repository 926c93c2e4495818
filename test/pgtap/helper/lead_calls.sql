-- Every function of a lead, with its arguments behind the funnel and the lead.
-- Behaviour is tested with them, and so are clients (test/clients).
CREATE TABLE lead_call (function text PRIMARY KEY, further text[]);
INSERT INTO lead_call VALUES
	('erase_lead', '{}'), ('explain_score', '{}'), ('framework_gaps', '{bant}'), ('framework_levels', '{bant}'), ('framework_score', '{bant}'),
	('framework_verdict', '{bant}'), ('may_send', '{welcome}'), ('merge_leads', '{101}'), ('next_content', '{}'), ('next_stages', '{}'),
	('record_activity', '{webinar}'), ('score_at', '{2026-03-02 09:00+00}'), ('sign_move', '{sal}'), ('why_not', '{sql}');

-- those that there are
CREATE VIEW lead_function AS
	SELECT DISTINCT p.proname::text AS function
	FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	WHERE p.proargnames[2] IN ('lead', 'keep') AND p.proname !~ '^_' AND p.proargnames[1] = 'funnel';

-- one for sign_move() to sign
CREATE FUNCTION ask_for_signature() RETURNS void LANGUAGE sql
	AS $$ UPDATE crm.transition SET sides = '{sales}' WHERE to_stage = 'sal' AND from_stage IS NOT NULL AND NOT automatic $$;
