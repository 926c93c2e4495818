-- Text 3: an unknown budget counts as a no, the other three may be open.
UPDATE transition SET condition = 'last.sales_conversation >= cycle_started_at AND bant -> ''budget'' = ''yes'' AND refuted(bant) = 0',
	description = 'sales spoke with the lead in this cycle; the budget is certain and nothing is refuted'
	WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
