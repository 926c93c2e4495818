-- Our schema and, for now, the funnel's stand on the path of what creates
-- objects.  An overload that fits better than the server's own function or
-- operator would be taken for it, and be called by whoever uses the object.
CREATE FUNCTION _planted(schema oid) RETURNS TABLE (what text, used_by text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
-- not bound when it is created, under a path that has our schema: then what it
-- looks for would be in it
AS $body$
	SELECT pg_describe_object(d.refclassid, d.refobjid, 0),
		   pg_describe_object(d.classid, d.objid, d.objsubid)
	FROM pg_depend AS d
	LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
	LEFT JOIN pg_attrdef AS a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
	LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
	LEFT JOIN pg_trigger AS t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
	LEFT JOIN pg_class AS c
		ON c.oid = coalesce(r.ev_class, a.adrelid, k.conrelid, t.tgrelid,
							CASE WHEN d.classid = 'pg_class'::regclass THEN d.objid END)
	LEFT JOIN pg_depend AS member ON member.classid = d.classid AND member.objid = d.objid
		AND member.deptype = 'e'
		AND member.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'lead_qual')
	-- what is the server's own is not listed here
	WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
	AND CASE WHEN schema IS NULL THEN member.objid IS NOT NULL
		ELSE c.relnamespace = schema END
	AND NOT EXISTS (
		SELECT
		FROM pg_depend AS m
		JOIN pg_extension AS e ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid
		WHERE m.classid = d.refclassid AND m.objid = d.refobjid
		AND m.deptype = 'e' AND e.extname = 'lead_qual');
$body$;

COMMENT ON FUNCTION _planted(oid) IS
'functions and operators, neither the server''s nor ours, that objects of a funnel (NULL: of the extension) use';

CREATE FUNCTION _refuse_planted(schema oid, but text[]) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	planted record;
BEGIN
	SELECT p.* INTO planted
	FROM @extschema@._planted(schema) AS p
	WHERE concat_ws(' ', p.what, p.used_by) <> ALL (but)
	ORDER BY 1, 2
	LIMIT 1;

	IF FOUND THEN
		RAISE EXCEPTION '% stands in the way', planted.what
			USING ERRCODE = 'duplicate_object',
				  DETAIL = format('It would be used by %s in place of what the server has.', planted.used_by),
				  HINT = 'Drop it, or install lead_qual in a schema where only trusted roles may create objects.';
	END IF;
END
$body$;

COMMENT ON FUNCTION _refuse_planted(oid, text[]) IS
'raises if objects of a funnel (NULL: of the extension), but for some, use a function or an operator that is neither the server''s nor ours';

--
-- Creating and dropping a funnel
--
CREATE FUNCTION create_funnel(funnel text,
							  time_zone text DEFAULT pg_catalog.current_setting('TimeZone'),
							  currency text DEFAULT 'EUR',
							  lead_table regclass DEFAULT NULL,
							  lead_key name DEFAULT 'lead_id',
							  columns jsonb DEFAULT '{}',
							  prefix text DEFAULT '',
							  stage_column name DEFAULT NULL,
							  stages jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema oid;
	longest int := current_setting('max_identifier_length');
	extension_schema name;
	attached constant boolean := lead_table IS NOT NULL;
BEGIN
	IF funnel IS NULL OR time_zone IS NULL OR currency IS NULL THEN
		RAISE EXCEPTION 'name, time zone and currency of a funnel must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF funnel = '' THEN
		RAISE EXCEPTION 'name of a funnel must not be empty'
			USING ERRCODE = 'invalid_name';
	END IF;
	-- on a search path it is another schema, however it is quoted
	IF funnel = '$user' THEN
		RAISE EXCEPTION 'name "%" is not possible for a funnel', funnel
			USING ERRCODE = 'invalid_name';
	END IF;
	-- as an identifier it would be cut off without a word
	IF octet_length(funnel) > longest THEN
		RAISE EXCEPTION 'name "%" is too long for a funnel', funnel
			USING ERRCODE = 'name_too_long',
				  DETAIL = format('It takes %s bytes; %s are possible.',
								  octet_length(funnel), longest);
	END IF;
	IF currency !~ '^[A-Z]{3}$' THEN
		RAISE EXCEPTION 'invalid currency: "%"', currency
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'Use a code of three capital letters, such as EUR.';
	END IF;

	SELECT n.nspname INTO STRICT extension_schema
	FROM pg_extension AS e
	JOIN pg_namespace AS n ON n.oid = e.extnamespace
	WHERE e.extname = 'lead_qual';

	BEGIN
		EXECUTE format('CREATE SCHEMA %I', funnel);
	EXCEPTION
		-- unique_violation: somebody else created it meanwhile
		WHEN duplicate_schema OR unique_violation THEN
			RAISE EXCEPTION 'schema "%" already exists', funnel
				USING ERRCODE = 'duplicate_schema',
					  HINT = 'A funnel is a schema of its own: choose another name.';
	END;
	SELECT n.oid INTO STRICT schema FROM pg_namespace AS n WHERE n.nspname = funnel;

	-- The template names its objects without a schema.  The function's own
	-- search_path is back when it returns, and so is the caller's.
	PERFORM set_config('search_path',
					   format('%I, %I, pg_temp', funnel, extension_schema),
					   true);

	PERFORM _create_funnel_tables();
	-- before the policy: rules and transitions are checked as they come
	PERFORM @extschema@._create_triggers(schema, false);
	-- before the first row meets a constraint, and once more below
	PERFORM @extschema@._refuse_planted(schema, '{}'::text[]);
	INSERT INTO setting (time_zone, currency, attribution_half_life, template_version)
		VALUES (create_funnel.time_zone, create_funnel.currency, '7 days', @extschema@._template_version());
	PERFORM _create_funnel_stages();
	IF attached THEN
		PERFORM _attach_leads(funnel, lead_table, lead_key, columns, prefix, stage_column, stages);
	ELSE
		PERFORM @extschema@._create_triggers(schema, true);
	END IF;
	PERFORM _create_funnel_views();
	PERFORM _create_funnel_comments();
	PERFORM @extschema@._refuse_planted(schema, '{}'::text[]);
	PERFORM _create_funnel_policy();
	-- autovacuum never looks at so few rows, and the planner would take them for
	-- thousands: views were compiled for longer than they run
	ANALYZE setting, kind, source, list, element, question, stage, definition, transition, rule, reason;
	IF attached THEN
		PERFORM _begin_leads(funnel);
	END IF;
END
$body$;

COMMENT ON FUNCTION create_funnel(text, text, text, regclass, name, jsonb, text, name, jsonb) IS
'creates a funnel: a schema with tables, views, triggers and a default policy, owned by the caller. With lead_table its leads are the rows of that table, whose key is lead_key: the columns that a lead has and the table lacks are added, named with a prefix; columns names those that are there ({"job_title": "position"}); rows begin at the first stage, or at those that stages gives for values of stage_column ({"Qualified": "sql"})';

-- The schema of a funnel; raises if it is none.
CREATE FUNCTION _funnel_schema(funnel text) RETURNS oid
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema oid;
BEGIN
	IF funnel IS NULL THEN
		RAISE EXCEPTION 'name of a funnel must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;

	-- compared as text: a name would be cut off and meet another
	SELECT n.oid INTO schema FROM pg_namespace AS n WHERE n.nspname = funnel;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'schema "%" does not exist', funnel
			USING ERRCODE = 'invalid_schema_name',
				  HINT = 'Create a funnel with create_funnel().';
	END IF;

	-- the table of settings carries a trigger function of the extension
	PERFORM
	FROM pg_class AS c
	JOIN pg_trigger AS t ON t.tgrelid = c.oid
	JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid
	JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE c.relnamespace = schema AND c.relname = 'setting'
	AND d.deptype = 'e' AND e.extname = 'lead_qual';
	IF NOT FOUND THEN
		RAISE EXCEPTION 'schema "%" is not a funnel', funnel
			USING ERRCODE = 'wrong_object_type',
				  HINT = 'Create a funnel with create_funnel().';
	END IF;

	RETURN schema;
END
$body$;

COMMENT ON FUNCTION _funnel_schema(text) IS
'the schema of a funnel; an error if there is none of that name';

-- A table of leads of the user's, or a partition of one, that was moved into
-- the schema of a funnel: its triggers name the funnel that it is attached to.
CREATE FUNCTION _refuse_user_tables(schema oid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	tables regclass[];
BEGIN
	SELECT array_agg(DISTINCT c.oid::regclass) INTO tables
	FROM pg_class AS c
	JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgnargs > 0
	JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid AND d.deptype = 'e'
	JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE c.relnamespace = schema AND e.extname = 'lead_qual';
	IF tables IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" holds a table of leads that is not the funnel''s own', schema::regnamespace
			USING ERRCODE = 'dependent_objects_still_exist',
				  DETAIL = format('A funnel is attached to: %s.', array_to_string(tables, ', ')),
				  HINT = format('Keep it: ALTER TABLE %s SET SCHEMA public.', tables[1]);
	END IF;
END
$body$;

COMMENT ON FUNCTION _refuse_user_tables(oid) IS
'part of drop_funnel(): raises where a table of the user''s that a funnel is attached to, or a partition of it, stands in the schema';

CREATE FUNCTION drop_funnel(funnel text, force boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema oid := @extschema@._funnel_schema(funnel);
	fact name;
	n bigint;
	found_rows text[] := '{}';
	foreign_objects text[];
	views text;
	tables text;
	lead_table constant regclass := @extschema@._attached_table(schema);
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'drop_funnel'::text);
	PERFORM @extschema@._require_funnel_owner(schema, 'drop_funnel'::text);

	-- a table of the user's stays, and its rows
	IF lead_table IS NOT NULL THEN
		EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', lead_table);
	END IF;

	IF force THEN
		PERFORM @extschema@._refuse_user_tables(schema);
		EXECUTE format('DROP SCHEMA %I CASCADE', funnel);
		PERFORM @extschema@._strip_lead_table(lead_table::regclass);
		RETURN;
	END IF;

	-- the lead comes first, as everywhere, and nothing may arrive any more
	FOREACH fact IN ARRAY ARRAY['lead', 'lead_alias', 'account', 'activity', 'answer',
								'stage_history', 'deal', 'deal_contact', 'spend', 'signature']
	LOOP
		CONTINUE WHEN fact = 'lead' AND lead_table IS NOT NULL;
		EXECUTE format('LOCK TABLE %I.%I IN ACCESS EXCLUSIVE MODE', funnel, fact);
		EXECUTE format('SELECT count(*) FROM %I.%I', funnel, fact) INTO n;
		IF n > 0 THEN
			found_rows := found_rows || format('%s of "%s"', n, fact);
		END IF;
	END LOOP;
	IF found_rows <> '{}' THEN
		RAISE EXCEPTION 'funnel "%" is not empty', funnel
			USING ERRCODE = 'dependent_objects_still_exist',
				  DETAIL = format('It holds %s.', array_to_string(found_rows, ', ')),
				  HINT = 'Use force => true to drop the funnel with all that is in it.';
	END IF;

	-- whatever is not of the template belongs to somebody
	SELECT array_agg(what ORDER BY what) INTO foreign_objects
	FROM (SELECT pg_describe_object('pg_class'::regclass, c.oid, 0)
		  FROM pg_class AS c
		  WHERE c.relnamespace = schema
		  AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c', 'S')
		  AND c.relname <> ALL (@extschema@._funnel_relations(@extschema@._funnel_template(schema)))
		  AND NOT (c.relkind = 'S' AND
				   EXISTS (SELECT FROM pg_depend AS d
						   WHERE d.classid = 'pg_class'::regclass
						   AND d.objid = c.oid AND d.deptype IN ('a', 'i')))
		  UNION ALL
		  SELECT pg_describe_object('pg_proc'::regclass, p.oid, 0)
		  FROM pg_proc AS p WHERE p.pronamespace = schema
		  UNION ALL
		  SELECT pg_describe_object('pg_type'::regclass, t.oid, 0)
		  FROM pg_type AS t
		  WHERE t.typnamespace = schema AND t.typtype IN ('d', 'e', 'r')) AS object (what);
	IF foreign_objects IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" holds objects that are not part of the funnel', funnel
			USING ERRCODE = 'dependent_objects_still_exist',
				  DETAIL = format('They are: %s.', array_to_string(foreign_objects, ', ')),
				  HINT = 'Move or drop them, or use force => true to drop the funnel with all that is in it.';
	END IF;

	-- objects elsewhere that depend on these keep the funnel from being dropped
	SELECT string_agg(format('%I.%I', funnel, c.relname), ', ') FILTER (WHERE c.relkind = 'v'),
		   string_agg(format('%I.%I', funnel, c.relname), ', ') FILTER (WHERE c.relkind <> 'v')
		INTO views, tables
	FROM pg_class AS c
	WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p', 'v')
	AND c.relname = ANY (@extschema@._funnel_relations(@extschema@._funnel_template(schema)));
	IF views IS NOT NULL THEN
		EXECUTE 'DROP VIEW ' || views;
	END IF;
	EXECUTE 'DROP TABLE ' || tables;
	EXECUTE format('DROP SCHEMA %I', funnel);
	PERFORM @extschema@._strip_lead_table(lead_table::regclass);
END
$body$;

COMMENT ON FUNCTION drop_funnel(text, boolean) IS
'drops a funnel; refuses while its tables hold facts or somebody else''s objects depend on it, unless forced. A table of leads that it is attached to is left as it was before, with its rows';
