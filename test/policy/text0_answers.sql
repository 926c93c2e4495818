-- Text 0, second example: an element that nobody asked for does not block.
-- Three of four are known and none is a no.
UPDATE transition SET condition = 'last.sales_conversation >= cycle_started_at AND known(bant) >= 3 AND refuted(bant) = 0',
	description = 'sales spoke with the lead in this cycle; three of four answers are known and none is a no'
	WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
