-- Text 3, strictly: all four of BANT, one part each, so that why_not() names the
-- element that is missing.
UPDATE transition SET condition = 'last.sales_conversation >= cycle_started_at AND bant -> ''budget'' = ''yes''
	AND bant -> ''authority'' = ''yes'' AND bant -> ''need'' = ''yes'' AND bant -> ''timeline'' = ''yes''',
	description = 'sales spoke with the lead in this cycle; all four of BANT are met'
	WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
