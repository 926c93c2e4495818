-- Text 3, need with a precondition: a need that depends on something the company
-- must have (properties "requires") holds only where it has it ("has").
UPDATE transition SET condition = condition || ' AND (properties ->> ''requires'' IS NULL
	OR coalesce(properties -> ''has'' ? (properties ->> ''requires''), false))',
	description = description || '; what the need depends on is there'
	WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
