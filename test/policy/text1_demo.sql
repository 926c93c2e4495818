-- Text 1 (and 2): a demo, a trial or an inquiry makes an SQL, as soon as the team
-- accepts the contact: acceptance is the move itself, so there is no SAL.
DELETE FROM transition WHERE from_stage = 'sal' OR to_stage = 'sal';
INSERT INTO transition (definition, position, from_stage, to_stage, condition, description) VALUES
	('default', 60, 'mql', 'sql',
	 'last.demo_request >= cycle_started_at OR last.free_trial >= cycle_started_at OR last.sales_inquiry >= cycle_started_at',
	 'the team accepts a contact who asked for it');
