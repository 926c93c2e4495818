-- In place of table f.journey a view of what the statement tells: for funnels
-- of tables and views alone, whose history no trigger sees.
DO $$ BEGIN
	DROP TABLE f.journey;
	EXECUTE 'CREATE VIEW f.journey AS ' || _journey_query('f'::text, NULL::text[], NULL::text);
END $$;
