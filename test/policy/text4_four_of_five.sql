-- Text 4: four of five criteria is still a very good lead.
UPDATE transition SET condition = 'last.sales_conversation >= cycle_started_at AND at_least(4, company_size >= 50,
	bant -> ''budget'' = ''yes'', bant -> ''authority'' = ''yes'', bant -> ''need'' = ''yes'', bant -> ''timeline'' = ''yes'')',
	description = 'sales spoke with the lead in this cycle; four of size, budget, authority, need and timeline are met'
	WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
