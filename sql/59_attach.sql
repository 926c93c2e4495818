--
-- Attaching a funnel to a table that the user has, and detaching it
--
-- create_funnel() first makes the funnel's own table "lead".  To attach the
-- funnel, that table is read as the list of columns that leads have: those
-- which the user's table lacks are added to it, and a view "lead", which
-- gives every column the name that a funnel knows it by, takes its place.
--

-- Adds the columns that the table lacks, and fills in where its rows stand:
-- by ALTER TABLE, so that no trigger of the user's fires.  Returns what the
-- columns of a lead are called in the table.
CREATE FUNCTION _add_lead_columns(funnel text, lead_table regclass, columns jsonb, prefix text,
								  stage_column name, stages jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	own_table constant regclass := format('%I.lead', funnel);
	names jsonb := columns;
	col record;
	there text[] := '{}';
	changes text[] := '{}';
	first_stage text;
	stage_of_row text;
BEGIN
	-- renamed, so that constraints and defaults can be read off
	FOR col IN
		SELECT a.attname FROM pg_attribute AS a
		WHERE a.attrelid = own_table AND a.attnum > 0 AND a.attname <> 'lead_id' AND NOT columns ? a.attname::text
		ORDER BY a.attnum
	LOOP
		names := names || jsonb_build_object(col.attname, prefix || col.attname);
		IF prefix <> '' THEN
			EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', own_table, col.attname, prefix || col.attname);
		END IF;
		IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = lead_table AND attname = prefix || col.attname) THEN
			there := there || (prefix || col.attname);
		END IF;
	END LOOP;
	IF there <> '{}' THEN
		RAISE EXCEPTION 'table "%" has columns already that the funnel would add', lead_table
			USING ERRCODE = 'duplicate_column',
				  DETAIL = format('They are: %s.', array_to_string(there, ', ')),
				  HINT = 'Map those that mean the same with columns => ''{"ours": "yours"}'', or give a prefix for the columns that are added.';
	END IF;

	EXECUTE format('SELECT stage FROM %I.stage ORDER BY position LIMIT 1', funnel) INTO STRICT first_stage;
	FOR col IN
		SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,
			   CASE n.key WHEN 'stage' THEN quote_literal(first_stage)
						  -- the next sweep looks at every row
						  WHEN 'review_at' THEN '@extschema@.funnel_now()'
						  ELSE pg_get_expr(d.adbin, d.adrelid) END AS default_value,
			   (SELECT string_agg(' ' || pg_get_constraintdef(k.oid), '') FROM pg_constraint AS k
				WHERE k.conrelid = own_table AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]) AS checks,
			   (SELECT format(' REFERENCES %s ON DELETE SET NULL', k.confrelid::regclass) FROM pg_constraint AS k
				WHERE k.conrelid = own_table AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]) AS reference
		FROM jsonb_each_text(names) AS n
		JOIN pg_attribute AS a ON a.attrelid = own_table AND a.attname = n.value
		LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		WHERE NOT columns ? n.key
		ORDER BY a.attnum
	LOOP
		changes := changes || format('ADD COLUMN %I %s%s%s%s%s', col.attname, col.type,
									 CASE WHEN col.attnotnull THEN ' NOT NULL' END,
									 ' DEFAULT ' || col.default_value, col.checks, col.reference);
	END LOOP;
	EXECUTE format('ALTER TABLE %s %s', lead_table, array_to_string(changes, ', '));

	changes := ARRAY[format('ALTER COLUMN %I SET DEFAULT ''*''', names ->> 'stage'),
					 format('ALTER COLUMN %I DROP DEFAULT', names ->> 'review_at'),
					 format('ALTER COLUMN %I SET STORAGE MAIN', names ->> 'scorecard')];
	stage_of_row := quote_literal(first_stage);
	IF stage_column IS NOT NULL THEN
		stage_of_row := format('coalesce(%L::jsonb ->> (%I::text), %L)', stages, stage_column, first_stage);
		changes := changes || format('ALTER COLUMN %I TYPE text USING %s', names ->> 'stage', stage_of_row);
	END IF;
	-- since when a lead is at a later stage is not known: now.  At the first
	-- one it is since it came.
	IF columns ? 'created_at' THEN
		changes := changes
			|| (SELECT array_agg(format('ALTER COLUMN %1$I TYPE timestamptz USING CASE %2$s WHEN %3$L THEN least(%4$I, %1$I) ELSE %1$I END',
										names ->> since, stage_of_row, first_stage, columns ->> 'created_at'))
				FROM unnest(ARRAY['stage_entered_at', 'cycle_started_at']) AS since);
	END IF;
	EXECUTE format('ALTER TABLE %s %s', lead_table, array_to_string(changes, ', '));

	FOR col IN
		SELECT n.value AS attname FROM jsonb_each_text(names) AS n WHERE NOT columns ? n.key
	LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', lead_table, col.attname, @extschema@._added_mark());
	END LOOP;
	RETURN names;
END
$body$;

COMMENT ON FUNCTION _add_lead_columns(text, regclass, jsonb, text, name, jsonb) IS
'part of create_funnel(): gives a table of the user''s the columns of a lead that it lacks; returns the names of all';

-- Indexes that a funnel looks leads up by.
CREATE FUNCTION _add_lead_indexes(lead_table regclass, columns jsonb, names jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	wanted record;
	before oid[];
	made regclass;
BEGIN
	FOR wanted IN
		SELECT i.name, format(i.key, coalesce(e.expression, quote_ident(a.attname))) AS key, i.condition,
			   -- one that is partitioned cannot have this
			   i.is_unique AND NOT columns ? i.name AND c.relkind = 'r' AS is_unique,
			   coalesce(', ' || quote_ident(names ->> i.and_name), '') AS further
		FROM (VALUES ('external_id', '%s', '', true, NULL), ('email', 'lower(%s)', '', true, NULL),
					 ('stage', '%s', '', false, NULL), ('account_id', '%s', '', false, NULL),
					 ('due_at', '%s', '', false, NULL), ('owner', '%s', '', false, 'due_at'),
					 ('review_at', '%s', ' WHERE %I IS NOT NULL', false, NULL)) AS i (name, key, condition, is_unique, and_name)
		JOIN pg_class AS c ON c.oid = lead_table
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = names ->> i.name
		-- a virtual column cannot be indexed, what it stands for can
		LEFT JOIN LATERAL (SELECT format('(%s)', pg_get_expr(d.adbin, d.adrelid, true)) AS expression
						   FROM pg_attrdef AS d
						   WHERE d.adrelid = c.oid AND d.adnum = a.attnum AND a.attgenerated NOT IN ('', 's')) AS e ON true
	LOOP
		before := ARRAY(SELECT indexrelid FROM pg_index WHERE indrelid = lead_table);
		-- the user may have it, whatever casts it is written with
		CONTINUE WHEN EXISTS (SELECT FROM unnest(before) AS i
							  WHERE replace(replace(pg_get_indexdef(i, 1, true), '::text', ''), '((', '(')
							  IN (wanted.key, replace(wanted.key, '(', '((')));
		EXECUTE format('CREATE %sINDEX ON %s (%s%s)%s', CASE WHEN wanted.is_unique THEN 'UNIQUE ' END,
					   lead_table, wanted.key, wanted.further, format(wanted.condition, names ->> wanted.name));
		SELECT i.indexrelid INTO STRICT made
		FROM pg_index AS i WHERE i.indrelid = lead_table AND i.indexrelid <> ALL (before);
		EXECUTE format('COMMENT ON INDEX %s IS %L', made,
					   format('for a funnel''s look-ups %s', @extschema@._added_mark()));
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _add_lead_indexes(regclass, jsonb, jsonb) IS
'part of create_funnel(): gives a table of the user''s the indexes of a lead table that it lacks';

-- Puts the view in the place of the table "lead".  It reads the table with the
-- rights of its owner, so that a role can be granted some of the columns: a
-- view with those of the invoker asks for a right on all.  But row security of
-- the table must bind who reads through the view.
CREATE FUNCTION _create_lead_view(funnel text, lead_table regclass, lead_key name, names jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	own_table constant regclass := format('%I.lead', funnel);
	description constant text := obj_description(own_table, 'pg_class');
	shown text;
BEGIN
	-- the columns of a lead in their order, then all others that do not go by
	-- the name of one
	SELECT string_agg(format('t.%I AS %I', theirs, ours), ', ' ORDER BY rank, attnum) INTO shown
	FROM (SELECT 1 AS rank, a.attnum, lead_key::text AS theirs, 'lead_id' AS ours
		  FROM pg_attribute AS a WHERE a.attrelid = own_table AND a.attname = 'lead_id'
		  UNION ALL
		  SELECT 1, a.attnum, n.value, n.key
		  FROM jsonb_each_text(names) AS n
		  -- what is mapped has its name still, what was added may have a prefix
		  LEFT JOIN LATERAL (SELECT o.attnum FROM pg_attribute AS o
							 WHERE o.attrelid = own_table AND o.attname IN (n.key, n.value)
							 ORDER BY o.attname = n.key DESC LIMIT 1) AS a ON true
		  UNION ALL
		  SELECT 2, a.attnum, a.attname, a.attname
		  FROM pg_attribute AS a
		  WHERE a.attrelid = lead_table AND a.attnum > 0 AND NOT a.attisdropped
		  AND a.attname NOT IN ('lead_id', lead_key) AND NOT names ? a.attname::text
		  AND NOT EXISTS (SELECT FROM jsonb_each_text(names) AS n WHERE n.value = a.attname::text)) AS c;

	EXECUTE format('DROP TABLE %s', own_table);
	EXECUTE format('CREATE VIEW %I.lead WITH (security_invoker = %s) AS SELECT %s FROM %s AS t',
				   funnel, (SELECT relrowsecurity FROM pg_class WHERE oid = lead_table), shown, lead_table);
	EXECUTE format('COMMENT ON VIEW %I.lead IS %L', funnel,
				   format('%s: rows of table %s, whose columns have here the names that the funnel knows them by',
						  description, lead_table));
END
$body$;

COMMENT ON FUNCTION _create_lead_view(text, regclass, name, jsonb) IS
'part of create_funnel(): the view of a table of the user''s that stands for table "lead"';

-- Which table it is, stands in the settings: kept by a trigger, for people to
-- read, and for the funnel to notice when another table took its place.
CREATE FUNCTION _set_lead_table(funnel text, lead_table regclass, lead_key name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
BEGIN
	EXECUTE format('UPDATE %I.setting SET lead_table = $1, lead_key = coalesce($2, lead_key)', funnel)
		USING lead_table, lead_key;
END
$body$;

COMMENT ON FUNCTION _set_lead_table(text, regclass, name) IS
'part of create_funnel() and detach_funnel(): notes the table that a funnel is attached to, or none, in its settings';

CREATE FUNCTION _attach_leads(funnel text, lead_table regclass, lead_key name, columns jsonb, prefix text,
							  stage_column name, stages jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	own_table constant regclass := format('%I.lead', funnel);
	names jsonb;
	fact record;
	key_type text;
BEGIN
	IF lead_key IS NULL OR columns IS NULL OR prefix IS NULL OR stages IS NULL THEN
		RAISE EXCEPTION 'lead_key, columns, prefix and stages must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF prefix !~ '^([a-z_][a-z0-9_]*)?$' OR octet_length(prefix) > 40 THEN
		RAISE EXCEPTION 'invalid prefix for columns: "%"', prefix
			USING ERRCODE = 'invalid_name',
				  HINT = 'Use at most 40 small letters, digits and underscores, such as "lq_".';
	END IF;
	PERFORM @extschema@._check_lead_table(lead_table, lead_key);
	PERFORM @extschema@._check_mapping(own_table, lead_table, lead_key, columns);
	PERFORM @extschema@._check_stages(funnel, lead_table, stage_column, stages);

	names := @extschema@._add_lead_columns(funnel, lead_table, columns, prefix, stage_column, stages);
	PERFORM @extschema@._add_lead_indexes(lead_table, columns, names);

	-- facts are about leads with that key
	SELECT format_type(a.atttypid, a.atttypmod)
		   || CASE WHEN a.attcollation <> t.typcollation THEN format(' COLLATE %s', a.attcollation::regcollation) ELSE '' END
		INTO key_type
	FROM pg_attribute AS a
	JOIN pg_type AS t ON t.oid = a.atttypid
	WHERE a.attrelid = lead_table AND a.attname = lead_key;
	IF key_type <> 'bigint' THEN
		FOR fact IN
			SELECT c.oid::regclass AS relation
			FROM pg_attribute AS a
			JOIN pg_class AS c ON c.oid = a.attrelid
			WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = own_table)
			AND c.oid <> own_table AND c.relkind = 'r' AND a.attname = 'lead_id'
			ORDER BY c.oid
		LOOP
			EXECUTE format('ALTER TABLE %s ALTER COLUMN lead_id TYPE %s USING NULL', fact.relation, key_type);
		END LOOP;
	END IF;

	PERFORM @extschema@._create_lead_view(funnel, lead_table, lead_key, names);
	PERFORM @extschema@._set_lead_table(funnel::text, lead_table::regclass, lead_key::name);
END
$body$;

COMMENT ON FUNCTION _attach_leads(text, regclass, name, jsonb, text, name, jsonb) IS
'part of create_funnel(): rows of a table of the user''s become the leads of a funnel';

-- Columns that were added say what the funnel's own would.
CREATE FUNCTION _comment_added(funnel text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	statement text;
BEGIN
	FOR statement IN
		SELECT format('COMMENT ON COLUMN %s.%I IS %L', l.relation, a.attname,
					  concat_ws(' ', col_description(v.attrelid, v.attnum), @extschema@._added_mark()))
		FROM @extschema@._lead_columns(funnel) AS l
		JOIN pg_attribute AS a ON a.attrelid = l.relation AND a.attnum = l.attnum
		JOIN pg_class AS c ON c.relnamespace = schema AND c.relname = 'lead'
		JOIN pg_attribute AS v ON v.attrelid = c.oid AND v.attname = l.name
		WHERE col_description(l.relation, l.attnum) = @extschema@._added_mark()
	LOOP
		EXECUTE statement;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _comment_added(text) IS
'comments on columns that were added to a table of the user''s';

-- The last part, when policy is there: triggers, and what came before them.
CREATE FUNCTION _begin_leads(funnel text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	f record;
BEGIN
	FOR f IN
		SELECT * FROM @extschema@._check_triggers(schema) AS c WHERE c.finding = 'trigger_search_path'
	LOOP
		RAISE WARNING 'trigger % may not find what it names', f.object
			USING DETAIL = f.detail, HINT = f.hint;
	END LOOP;
	PERFORM @extschema@._comment_added(funnel);
	PERFORM @extschema@._create_triggers(schema, true);
	PERFORM @extschema@.rebuild_history(funnel);
END
$body$;

COMMENT ON FUNCTION _begin_leads(text) IS
'part of create_funnel(): the triggers of a table of the user''s, and where its rows stand in the history';

--
-- Detaching
--

-- Takes from the table what attaching has put there.
CREATE FUNCTION _strip_lead_table(lead_table regclass) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	mark constant text := @extschema@._added_mark();
	statement text;
BEGIN
	-- NULL for a funnel that is not attached
	FOR statement IN
		SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
		FROM pg_trigger AS t
		JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid AND d.deptype = 'e'
		JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
		WHERE (t.tgrelid = lead_table OR t.tgrelid IN (SELECT tree.relid FROM pg_partition_tree(lead_table) AS tree))
		AND t.tgparentid = 0 AND e.extname = 'lead_qual'
		UNION ALL
		SELECT format('DROP INDEX %s', i.indexrelid::regclass)
		FROM pg_index AS i
		WHERE i.indrelid = lead_table
		AND right(obj_description(i.indexrelid, 'pg_class'), length(mark)) = mark
		UNION ALL
		SELECT format('ALTER TABLE %s %s', lead_table, string_agg(format('DROP COLUMN %I', a.attname), ', '))
		FROM pg_attribute AS a
		WHERE a.attrelid = lead_table AND a.attnum > 0 AND NOT a.attisdropped
		AND right(col_description(a.attrelid, a.attnum), length(mark)) = mark
		HAVING count(*) > 0
	LOOP
		EXECUTE statement;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _strip_lead_table(regclass) IS
'part of detach_funnel() and drop_funnel(): a table of the user''s without the triggers, indexes and columns of a funnel';

CREATE FUNCTION detach_funnel(funnel text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	lead_table constant regclass := @extschema@._attached_table(schema);
	shown text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'detach_funnel'::text);
	PERFORM @extschema@._require_funnel_owner(schema, 'detach_funnel'::text);
	IF lead_table IS NULL THEN
		RAISE EXCEPTION 'funnel "%" is not attached to a table', funnel
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'Its leads are in its own table: drop_funnel() drops it.';
	END IF;
	EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', lead_table);

	-- what the leads are now stays to be read, and with it every view
	EXECUTE format('CREATE TABLE %1$I.detached_lead AS TABLE %1$I.lead', funnel);
	EXECUTE format('COMMENT ON TABLE %I.detached_lead IS %L', funnel,
				   'what the leads were when the funnel was detached from their table');
	EXECUTE (SELECT string_agg(format('COMMENT ON COLUMN %I.detached_lead.%I IS %L', funnel, a.attname, col_description(a.attrelid, a.attnum)), '; ')
			 FROM pg_attribute AS a
			 WHERE a.attrelid = format('%I.lead', funnel)::regclass AND col_description(a.attrelid, a.attnum) IS NOT NULL);
	EXECUTE format('CREATE INDEX ON %I.detached_lead (lead_id)', funnel);
	SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO shown
	FROM pg_attribute WHERE attrelid = format('%I.lead', funnel)::regclass AND attnum > 0;
	EXECUTE format('CREATE OR REPLACE VIEW %1$I.lead WITH (security_invoker = %3$s) AS SELECT %2$s FROM %1$I.detached_lead',
				   funnel, shown, (SELECT relrowsecurity FROM pg_class WHERE oid = lead_table));

	PERFORM @extschema@._set_lead_table(funnel::text, NULL::regclass, NULL::name);
	PERFORM @extschema@._strip_lead_table(lead_table::regclass);
END
$body$;

COMMENT ON FUNCTION detach_funnel(text) IS
'leaves the table of leads that a funnel is attached to as it was before, without the columns, triggers and indexes of the funnel; what the leads were, their facts and their history stay in the funnel to be read';
