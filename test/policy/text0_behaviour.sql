-- Text 0, first example: behaviour alone makes an SQL.  There is no SAL, and a
-- demo requested in this cycle is enough, with a score that shows more interest
-- than that one request.
UPDATE transition SET from_stage = 'mql', condition = 'last.demo_request >= cycle_started_at AND score >= 150',
	description = 'asked for a demo, and did more than that'
	WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
DELETE FROM transition WHERE from_stage = 'sal' OR to_stage = 'sal';
