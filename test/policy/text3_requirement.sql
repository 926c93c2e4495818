-- Text 3, need with a precondition: a need that depends on something the company
-- must have (attributes "requires") holds only where it has it ("has").
UPDATE transition SET condition = condition || ' AND (attributes ->> ''requires'' IS NULL
	OR coalesce(attributes -> ''has'' ? (attributes ->> ''requires''), false))',
	description = description || '; what the need depends on is there'
	WHERE from_stage = 'sal' AND to_stage = 'sql' AND NOT exception;
