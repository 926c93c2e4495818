--
-- The table of leads, where it is one that the user has
--
-- Which it is, what its columns are called, and whether it will do.  What is
-- done to it is in 59_attach.sql.
--

-- The table that holds a funnel's leads.  Read from the catalogs, so that a
-- caller without a right on the settings can ask.
CREATE FUNCTION _lead_table(schema oid) RETURNS regclass
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE l.relkind
		   WHEN 'v' THEN (SELECT DISTINCT d.refobjid
						  FROM pg_rewrite AS r
						  JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
						  WHERE r.ev_class = l.oid AND d.refclassid = 'pg_class'::regclass
						  AND d.refobjid <> l.oid)
		   ELSE l.oid END::regclass
	FROM pg_class AS l
	WHERE l.relnamespace = schema AND l.relname = 'lead';
END;

COMMENT ON FUNCTION _lead_table(oid) IS
'the table that holds the leads of the funnel in a schema: its own, or the one it is attached to';

CREATE FUNCTION _lead_columns(funnel text, OUT relation regclass, OUT attnum smallint, OUT name name)
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _lead_columns(text) IS
'the columns of a funnel''s lead table, by the names that the funnel knows them by';

-- The table of the user's that a funnel is attached to: it is the owner's, and
-- its triggers name the funnel.  Neither setting.lead_table nor view "lead" is
-- believed alone: whoever may write the one or put up the other could have
-- another table stripped.  A schema that was renamed leaves triggers that name
-- none, until they are repaired.
CREATE FUNCTION _attached_table(schema oid) RETURNS regclass
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT c.oid::regclass
	FROM pg_namespace AS n
	JOIN pg_class AS c ON c.relowner = (SELECT relowner FROM pg_class
										WHERE relnamespace = n.oid AND relname = 'setting')
		AND c.relkind IN ('r', 'p') AND NOT c.relispartition
	JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgnargs > 0
	JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid AND d.deptype = 'e'
	JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	CROSS JOIN LATERAL (SELECT
		t.tgargs = convert_to(n.nspname::text, getdatabaseencoding()) || '\x00'::bytea,
		NOT EXISTS (SELECT FROM pg_namespace AS other
					WHERE t.tgargs = convert_to(other.nspname::text, getdatabaseencoding()) || '\x00'::bytea),
		EXISTS (SELECT
				FROM pg_class AS l
				JOIN pg_rewrite AS r ON r.ev_class = l.oid
				JOIN pg_depend AS v ON v.classid = 'pg_rewrite'::regclass AND v.objid = r.oid
				WHERE l.relnamespace = n.oid AND l.relname = 'lead'
				AND v.refclassid = 'pg_class'::regclass AND v.refobjid = c.oid)) AS found (named, stale, shown)
	WHERE n.oid = schema AND e.extname = 'lead_qual' AND (found.named OR found.stale AND found.shown)
	-- neither one with a table of its own nor one that is detached
	AND NOT EXISTS (SELECT FROM pg_class AS own
					WHERE own.relnamespace = n.oid AND own.relkind IN ('r', 'p')
					AND own.relname IN ('lead', 'detached_lead'))
	GROUP BY c.oid, found.named, found.shown
	ORDER BY found.named DESC, found.shown DESC, count(DISTINCT t.tgfoid) DESC, c.oid
	LIMIT 1;
END;

COMMENT ON FUNCTION _attached_table(oid) IS
'the table of the user''s that the funnel in a schema is attached to, or NULL';

-- What is added to a table of the user's says so in its comment, which only
-- the table's owner writes: that, and nothing else, goes with the funnel.
CREATE FUNCTION _added_mark() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '(added by lead_qual)'::text;

COMMENT ON FUNCTION _added_mark() IS
'how the comment ends of a column or an index that create_funnel() added to a table of the user''s';

-- Columns by these names, as the lead table has them.
CREATE FUNCTION _lead_column_names(funnel text, names text[]) RETURNS text[]
LANGUAGE sql STABLE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attnum)
	FROM _lead_columns(funnel) AS l
	JOIN pg_attribute AS a ON a.attrelid = l.relation AND a.attnum = l.attnum
	WHERE l.name = ANY (names::name[]);
END;

COMMENT ON FUNCTION _lead_column_names(text, text[]) IS
'what columns that a funnel knows by these names are called in its lead table';

--
-- What is wrong with a table of leads, or with its mapping
--

-- Raises unless leads of this table can be a funnel's.
CREATE FUNCTION _check_lead_table(lead_table regclass, lead_key name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	c pg_class;
	a pg_attribute;
	attached_to text;
	twice text;
BEGIN
	SELECT * INTO c FROM pg_class WHERE oid = lead_table;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'table with OID % does not exist', lead_table::oid
			USING ERRCODE = 'undefined_table';
	END IF;
	IF c.relkind NOT IN ('r', 'p') THEN
		RAISE EXCEPTION '"%" is not a table', lead_table
			USING ERRCODE = 'wrong_object_type';
	END IF;
	IF c.relispartition THEN
		RAISE EXCEPTION '"%" is a partition', lead_table
			USING ERRCODE = 'wrong_object_type',
				  HINT = format('Attach the funnel to "%s".', pg_partition_root(lead_table));
	END IF;
	IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = lead_table) OR
	   (c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = lead_table)) THEN
		RAISE EXCEPTION 'table "%" takes part in inheritance', lead_table
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'Triggers of a table do not see the rows of those that inherit from it.',
				  HINT = 'Make it a partitioned table.';
	END IF;
	IF c.relpersistence = 't' THEN
		RAISE EXCEPTION 'table "%" is temporary', lead_table
			USING ERRCODE = 'feature_not_supported';
	END IF;
	IF c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user) THEN
		RAISE EXCEPTION 'table "%" belongs to role "%"', lead_table, pg_get_userbyid(c.relowner)
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = 'All tables of a funnel belong to one role: triggers work as their owner.',
				  HINT = format('SET ROLE %I, or let yours own the table.', pg_get_userbyid(c.relowner));
	END IF;
	-- the rest stays as it is checked
	EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', lead_table);

	SELECT CASE WHEN t.tgnargs > 0 THEN encode(trim('\x00'::bytea FROM t.tgargs), 'escape')
		   ELSE c.relnamespace::regnamespace::text END INTO attached_to
	FROM pg_trigger AS t
	JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid AND d.deptype = 'e'
	JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE t.tgrelid = lead_table AND e.extname = 'lead_qual'
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'table "%" belongs to funnel "%" already', lead_table, attached_to
			USING ERRCODE = 'object_in_use',
				  HINT = 'A lead is in one funnel: detach that one first with detach_funnel().';
	END IF;

	SELECT * INTO a FROM pg_attribute
	WHERE attrelid = lead_table AND attname = lead_key AND attnum > 0 AND NOT attisdropped;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'column "%" of relation "%" does not exist', lead_key, lead_table
			USING ERRCODE = 'undefined_column',
				  HINT = 'lead_key names the column that identifies a lead.';
	END IF;
	IF a.attgenerated <> '' THEN
		RAISE EXCEPTION 'key column "%" of table "%" is generated', lead_key, lead_table
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'Triggers see a row before its generated columns are computed.';
	END IF;
	IF NOT a.attnotnull THEN
		RAISE EXCEPTION 'key column "%" of table "%" may be null', lead_key, lead_table
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'Make it the primary key.';
	END IF;
	IF EXISTS (SELECT FROM pg_type AS t
			   JOIN pg_opclass AS o ON o.opcintype = coalesce(nullif(t.typbasetype, 0), t.oid)
			   JOIN pg_am AS m ON m.oid = o.opcmethod
			   -- the server's own OIDs end there
			   WHERE t.oid = a.atttypid AND o.opcdefault AND m.amname = 'btree' AND o.oid >= 16384) THEN
		RAISE EXCEPTION 'key column "%" of table "%" is of type %', lead_key, lead_table,
			format_type(a.atttypid, a.atttypmod)
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'Only the server''s own operators are used, and it does not compare values of that type.',
				  HINT = 'Let a column of a built-in type be the key.';
	END IF;
	-- raises where values of that type have no order
	EXECUTE format('SELECT FROM (SELECT NULL::%s) AS k (key) ORDER BY key',
				   format_type(a.atttypid, a.atttypmod));

	IF EXISTS (SELECT FROM pg_index AS i
			   WHERE i.indrelid = lead_table AND i.indisunique AND i.indisvalid AND i.indimmediate
			   AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) THEN
		RETURN;
	END IF;
	-- the key of a partitioned table includes what it is partitioned by
	IF c.relkind = 'r' OR
	   NOT EXISTS (SELECT FROM pg_index AS i
				   WHERE i.indrelid = lead_table AND i.indisunique AND i.indisvalid
				   AND i.indpred IS NULL AND a.attnum = ANY (i.indkey::smallint[])) THEN
		RAISE EXCEPTION 'key column "%" of table "%" is not unique', lead_key, lead_table
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'Make it the primary key.';
	END IF;
	EXECUTE format('SELECT %1$I::text FROM %2$s GROUP BY %1$I HAVING count(*) > 1 LIMIT 1', lead_key, lead_table)
		INTO twice;
	IF twice IS NOT NULL THEN
		RAISE EXCEPTION 'key column "%" of table "%" is not unique', lead_key, lead_table
			USING ERRCODE = 'unique_violation',
				  DETAIL = format('Key %s is there more than once, in different partitions.', twice);
	END IF;
END
$body$;

COMMENT ON FUNCTION _check_lead_table(regclass, name) IS
'locks a table, and raises unless a funnel can be attached to it with that key';

CREATE FUNCTION _kept_columns() RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN '{stage,stage_entered_at,cycle,cycle_started_at,accepted_by,accepted_at,scorecard,'
		'deals_open,deals_won,deals_lost,won_amount,answers,due_at,review_at,state_version,resume_at,reason,note}'::text[] || @extschema@._frameworks();
END
$body$;

COMMENT ON FUNCTION _kept_columns() IS
'the columns of a lead that triggers keep, or clear when they have read them';

-- Raises unless each column of the mapping is one that a funnel knows, and is
-- there with a type that will do.
CREATE FUNCTION _check_mapping(own_table regclass, lead_table regclass, lead_key name, columns jsonb) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	-- what is there would be lost
	kept constant text[] := @extschema@._kept_columns();
	-- read and written by code, which is particular
	handled constant text[] := '{source,campaign,owner,account_id}';
	ours text;
	theirs text;
	seen text[] := ARRAY[lead_key::text];
	o record;
	t record;
BEGIN
	IF jsonb_typeof(columns) <> 'object' THEN
		RAISE EXCEPTION 'columns must be an object of names, such as {"job_title": "position"}'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;

	FOR ours, theirs IN SELECT * FROM jsonb_each_text(columns) LOOP
		SELECT a.atttypid AS type, y.typcategory AS category INTO o
		FROM pg_attribute AS a
		JOIN pg_type AS y ON y.oid = a.atttypid
		WHERE a.attrelid = own_table AND a.attname = ours AND a.attnum > 0 AND a.attname <> 'lead_id';
		IF NOT FOUND OR ours = ANY (kept) THEN
			RAISE EXCEPTION 'column "%" of a lead cannot be mapped', ours
				USING ERRCODE = CASE WHEN ours = ANY (kept) THEN 'feature_not_supported' ELSE 'undefined_column' END,
					  DETAIL = CASE WHEN ours = ANY (kept)
							   THEN 'Triggers keep it: what is in a column of yours would be lost.'
							   WHEN ours = 'lead_id' THEN 'The argument lead_key names the key.'
							   ELSE 'A funnel knows no such column.' END,
					  HINT = format('Those that can are: %s.',
									(SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
									 WHERE attrelid = own_table AND attnum > 0
									 AND attname::text <> ALL (kept || 'lead_id'::text)));
		END IF;

		SELECT a.atttypid AS type, y.typcategory AS category, a.attgenerated <> '' AS generated,
			   format_type(a.atttypid, a.atttypmod) AS type_name,
			   coalesce(nullif(y.typbasetype, 0), y.oid) AS base_type INTO t
		FROM pg_attribute AS a
		JOIN pg_type AS y ON y.oid = a.atttypid
		WHERE a.attrelid = lead_table AND a.attname = theirs AND a.attnum > 0 AND NOT a.attisdropped;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'column "%" of relation "%" does not exist', theirs, lead_table
				USING ERRCODE = 'undefined_column',
					  DETAIL = format('The mapping of column "%s" of a lead names it.', ours);
		END IF;
		IF theirs = ANY (seen) THEN
			RAISE EXCEPTION 'column "%" of table "%" is mapped twice', theirs, lead_table
				USING ERRCODE = 'duplicate_column',
					  HINT = 'A generated column can hold the same under another name.';
		END IF;
		seen := seen || theirs;
		IF t.base_type >= 16384 OR		-- conditions may not read it
		   NOT (t.base_type = o.type OR
				EXISTS (SELECT FROM pg_cast WHERE castsource = t.base_type AND casttarget = o.type
						AND castmethod = 'b' AND castcontext = 'i') OR
				-- another text or another number will do, unless code reads it
				(ours <> ALL (handled) AND o.category IN ('N', 'S') AND t.category = o.category)) THEN
			RAISE EXCEPTION 'column "%" of table "%" is of type %, not %', theirs, lead_table,
				t.type_name, format_type(o.type, NULL)
				USING ERRCODE = 'datatype_mismatch',
					  DETAIL = format('The mapping gives it for column "%s" of a lead.', ours),
					  HINT = 'Leave it out, or map a generated column that converts it.';
		END IF;
		IF t.generated AND ours = ANY (handled) THEN
			RAISE EXCEPTION 'column "%" of table "%" is generated', theirs, lead_table
				USING ERRCODE = 'generated_always',
					  DETAIL = format('Triggers must read and write column "%s" of a lead.', ours);
		END IF;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _check_mapping(regclass, regclass, name, jsonb) IS
'raises unless each of these columns of a lead can be a column of the user''s table';

-- Raises unless every row has a stage: that of its value in stage_column, or
-- the first one where that is null.
CREATE FUNCTION _check_stages(funnel text, lead_table regclass, stage_column name, stages jsonb) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	known text[];
	wrong text[];
BEGIN
	IF jsonb_typeof(stages) <> 'object' THEN
		RAISE EXCEPTION 'stages must be an object that gives stages for values, such as {"Qualified": "sql"}'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF stage_column IS NULL THEN
		IF stages <> '{}' THEN
			RAISE EXCEPTION 'stages are given for values of no column'
				USING ERRCODE = 'invalid_parameter_value',
					  HINT = 'stage_column names the column that has these values.';
		END IF;
		RETURN;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = lead_table AND attname = stage_column
				   AND attnum > 0 AND NOT attisdropped) THEN
		RAISE EXCEPTION 'column "%" of relation "%" does not exist', stage_column, lead_table
			USING ERRCODE = 'undefined_column',
				  DETAIL = 'Stages were to follow from it.';
	END IF;

	EXECUTE format('SELECT array_agg(stage ORDER BY position) FROM %I.stage', funnel) INTO known;
	SELECT array_agg(DISTINCT v.value) INTO wrong
	FROM jsonb_each_text(stages) AS v WHERE v.value IS NULL OR v.value <> ALL (known);
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'stage "%" does not exist', @extschema@._clip(array_to_string(wrong, '", "', 'null')::text)
			USING ERRCODE = 'foreign_key_violation',
				  HINT = format('A new funnel has: %s.', array_to_string(known, ', '));
	END IF;
	EXECUTE format('SELECT array_agg(DISTINCT %1$I::text) FROM %2$s WHERE NOT $1 ? (%1$I::text)',
				   stage_column, lead_table)
		INTO wrong USING stages;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'no stage is given for some values of column "%"', stage_column
			USING ERRCODE = 'invalid_parameter_value',
				  DETAIL = format('They are: %s.', @extschema@._clip(array_to_string(wrong[:20], ', ')::text)),
				  HINT = 'stages gives the stage for each: {"value": "stage"}.';
	END IF;
END
$body$;

COMMENT ON FUNCTION _check_stages(text, regclass, name, jsonb) IS
'raises unless a stage follows from the values of a column for every row of the user''s table';
