-- Text 4: three criteria, need, interest and budget (the framework "basic"), all
-- of them.  For two of three write at_least(2, ...).
UPDATE transition SET condition = 'last.sales_conversation >= cycle_started_at AND at_least(3,
	answers -> ''basic'' ->> ''need'' = ''yes'', answers -> ''basic'' ->> ''interest'' = ''yes'',
	answers -> ''basic'' ->> ''budget'' = ''yes'')',
	description = 'sales spoke with the lead in this cycle; need, interest and budget are there'
	WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
