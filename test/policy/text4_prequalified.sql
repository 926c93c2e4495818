-- Text 4: pre-qualified leads, found by searching for the criteria, are SQLs from
-- the start, without the way through MQL and without a talk.
INSERT INTO transition (definition, position, from_stage, to_stage, condition, description) VALUES
	('default', 15, NULL, 'sql', 'met(bant) >= 3 AND refuted(bant) = 0', 'found by its criteria');
