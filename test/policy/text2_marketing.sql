-- Text 2: marketing makes the SQL.  An action (a form or a demo request) and the
-- criteria together move the lead by themselves; there is no SAL.
DELETE FROM transition WHERE from_stage = 'sal' OR to_stage = 'sal';
INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition, description) VALUES
	('default', 60, 'mql', 'sql', true,
	 '(last.demo_request >= cycle_started_at OR last.contact_form >= cycle_started_at) AND fit >= 30 AND score >= 100',
	 'an action and the criteria');
