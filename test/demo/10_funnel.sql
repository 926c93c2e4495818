--
-- A company that sells planning software opens a funnel
--
-- Everything here is what a user would type: lists filled, a rule added, one
-- changed, a definition signed by both sides.
--
\set QUIET on
SET TimeZone = 'UTC';
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS lead_qual;
SELECT create_funnel('crm', time_zone => 'UTC', currency => 'EUR') \g /dev/null

SET lead_qual.clock = '2025-01-01 00:00';

-- who buys planning software, and who makes it
DELETE FROM crm.list
WHERE list IN ('target_countries', 'target_industries', 'target_job_titles',
			   'rival_domains', 'rival_companies');
INSERT INTO crm.list (list, value) VALUES
	('target_countries', 'DE'), ('target_countries', 'AT'),
	('target_countries', 'CH'), ('target_countries', 'NL'),
	('target_countries', 'GB'),
	('target_industries', 'manufacturing'), ('target_industries', 'logistics'),
	('target_industries', 'retail'), ('target_industries', 'software'),
	('target_job_titles', '%operations%'), ('target_job_titles', '%supply chain%'),
	('target_job_titles', '%planning%'), ('target_job_titles', 'it %'),
	('target_job_titles', '% it'), ('target_job_titles', '% it officer'),
	('rival_domains', 'planwell.example'), ('rival_companies', 'Planwell');

-- sales asks marketing to listen for two more things
INSERT INTO crm.kind (kind, party, touch, description) VALUES
	('roi_calculator', 'lead', true, 'worked out what our product would save');
INSERT INTO crm.rule (definition, name, axis, kind, condition, points, half_life, max_points, category, description) VALUES
	('default', 'roi_calculator', 'engagement', 'roi_calculator', NULL,
	 40, '30 days', 80, 'intent', 'works out the savings: has a purchase in mind'),
	('default', 'big_roi', 'engagement', 'roi_calculator',
	 '(properties ->> ''savings'')::numeric >= 100000',
	 25, '30 days', 50, 'intent', 'and they would be large'),
	('default', 'runs_sap', 'fit', NULL, 'properties ->> ''erp'' = ''sap''',
	 5, NULL, NULL, 'technology', 'our product plugs into SAP');

UPDATE crm.rule SET points = 25
WHERE definition = 'default' AND name = 'case_study_download';

-- who was sent back comes back on new intent, not on one more click
UPDATE crm.transition
SET condition = 'score >= 120 AND (last.demo_request > stage_entered_at'
	' OR last.free_trial > stage_entered_at OR last.meeting_booked > stage_entered_at'
	' OR last.consultation_request > stage_entered_at OR last.roi_calculator > stage_entered_at)',
	description = 'came back by itself, with new intent'
WHERE definition = 'default' AND automatic AND from_stage IN ('nurture', 'lost')
	  AND condition LIKE '%last_activity%';

UPDATE crm.setting SET sales_capacity = 25, maturity_days = 90;
UPDATE crm.definition SET review_by = '2026-01-31' WHERE definition = 'default';
SET lead_qual.actor = 'mia';
DO $$ BEGIN PERFORM sign_definition('crm', 'default', 'marketing'); END $$;
SET lead_qual.actor = 'sam';
DO $$ BEGIN PERFORM sign_definition('crm', 'default', 'sales'); END $$;
RESET lead_qual.actor;
