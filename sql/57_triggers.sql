--
-- The triggers of a funnel: creating, checking and repairing read these rows
--

-- Names are qualified: the path has no schema but pg_catalog.
CREATE FUNCTION _trigger_statement(on_table regclass, like_table name, like_trigger name, template integer, funnel text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT format('CREATE %sTRIGGER %I %s %s ON %s %s%sFOR EACH %s EXECUTE FUNCTION %s(%s)',
				  CASE WHEN t.is_deferrable THEN 'CONSTRAINT ' END, t.trigger, t.timing, t.events, on_table,
				  CASE WHEN t.is_deferrable THEN 'DEFERRABLE INITIALLY IMMEDIATE ' END,
				  'REFERENCING ' || nullif(concat(CASE WHEN t.old_rows THEN 'OLD TABLE AS old_rows ' END,
												  CASE WHEN t.new_rows THEN 'NEW TABLE AS new_rows ' END), ''),
				  t.level, t.function, quote_literal(funnel))
		   || CASE t.enabled WHEN 'A' THEN format('; ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', on_table, t.trigger)
			  ELSE '' END
	FROM _template_triggers() AS t
	WHERE t.relation = like_table AND t.trigger = like_trigger AND template BETWEEN t.since AND coalesce(t.until, template);
END;

COMMENT ON FUNCTION _trigger_statement(regclass, name, name, integer, text) IS
'the statement that creates a trigger of a template on a table, which need not be the one it is for; it names the funnel where the table is not in its schema, else NULL';

CREATE FUNCTION _funnel_triggers(schema oid)
RETURNS TABLE (relation name, relid regclass, by_own_name boolean, trigger name, function regproc,
			   timing text, events text, level text, old_rows boolean, new_rows boolean, is_deferrable boolean,
			   enabled "char", type smallint, statement text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT t.relation, place.relid, place.by_own_name, t.trigger, t.function, t.timing, t.events, t.level,
		   t.old_rows, t.new_rows, t.is_deferrable, t.enabled, t.type,
		   _trigger_statement(place.relid, t.relation, t.trigger, f.template,
							  CASE WHEN r.attached THEN n.nspname::text END)
	FROM _funnel_template(schema) AS f (template)
	JOIN _template_triggers() AS t ON f.template BETWEEN t.since AND coalesce(t.until, f.template)
	JOIN pg_namespace AS n ON n.oid = schema
	JOIN LATERAL (SELECT CASE WHEN c.relname = 'lead' THEN _lead_table(schema) ELSE c.oid::regclass END AS relid,
						 c.relkind = 'v' AS attached
				  FROM pg_class AS c
				  WHERE c.relnamespace = n.oid AND c.relname = t.relation) AS r ON true
	-- partitions inherit the triggers of rows, not those of statements
	JOIN LATERAL (SELECT r.relid, false AS by_own_name
				  UNION ALL
				  SELECT tree.relid, true FROM pg_partition_tree(r.relid) AS tree
				  WHERE tree.level > 0 AND t.level = 'STATEMENT') AS place ON true;
END;

COMMENT ON FUNCTION _funnel_triggers(oid) IS
'the triggers that the funnel in a schema must have by its template, on its tables as they are, with the statements that create them; by_own_name: on a partition, for statements that name it';

CREATE FUNCTION _create_triggers(schema oid, of_leads boolean) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	statement text;
BEGIN
	FOR statement IN
		SELECT t.statement FROM @extschema@._funnel_triggers(schema) AS t WHERE (t.relation = 'lead') = of_leads
	LOOP
		EXECUTE statement;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _create_triggers(oid, boolean) IS
'part of create_funnel(): creates the triggers of the leads, or all others';
