--
-- Upgrading a funnel to the template of the extension: its parts
--
-- What a template changes is in a step, sql/upgrade/N.sql, and in the rows of
-- the two functions that follow.  All else is read from the template itself.
-- How to write a step: see CONTRIBUTING.md.
--

-- Views that cannot be replaced in place, because a column of theirs went or
-- has another type, or because a step alters a column that they read.
CREATE FUNCTION _views_made_anew() RETURNS TABLE (since integer, views name[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT v.since, v.views FROM (VALUES (0, '{}'::name[])) AS v (since, views);
END;

COMMENT ON FUNCTION _views_made_anew() IS
'views of a funnel that are dropped on the way to a template, and made again';

-- A comment that is neither the template's nor one of these is the user's.
CREATE FUNCTION _former_comments() RETURNS TABLE (since integer, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT f.since, f.comment FROM (VALUES (0, ''::text),
		(2, 'One row per month (in the funnel''s time zone) of entered(sql), from the first with an SQL to the present one. Velocity = entered(customer) - entered(sql) in the same cycle, in days. sqls = n + n_open + n_exited + n_gone + n_odd.'),
		(2, 'first day of the month'),
		(2, 'units (lead and cycle) that entered sql in the month'),
		(2, 'group of sources; kept for reports of yours, as no view reads it'),
		(2, 'share of the first touch in U-shaped attribution; kept for reports of yours, as no view reads it'),
		(2, 'share of the last touch in U-shaped attribution; kept for reports of yours, as no view reads it'),
		(2, 'share of each of the three anchors in W-shaped attribution; kept for reports of yours, as no view reads it'),
		(2, 'half-life of time-decay attribution, 7 days in a new funnel; kept for reports of yours, as no view reads it'),
		(2, 'worth of a qualified lead as a share of net profit, by rule of thumb; kept for reports of yours, as no view reads it'),
		(2, 'returned: a move from mql, sal, sql or opportunity to nurture; disqualified: any move to disqualified'),
		(2, 'came by itself: passed over by last non-direct attribution; kept for reports of yours, as no view reads it'),
		(2, 'profit in it, in the funnel''s currency; kept for reports of yours, as no view reads it'),
		(2, 'counts as a touch: of merged leads the source of the first one stays')) AS f (since, comment);
END;

COMMENT ON FUNCTION _former_comments() IS
'comments that a template replaced, as they were before';

-- Views over some of a funnel's: ours are made again, what is the user's would
-- be lost.
CREATE FUNCTION _views_over(schema oid, views name[], OUT relid oid, OUT ours boolean, OUT object text)
RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH RECURSIVE over AS (
		SELECT c.oid FROM pg_class AS c
		WHERE c.relnamespace = schema AND c.relkind = 'v' AND c.relname = ANY (views)
		UNION
		SELECT r.ev_class
		FROM over AS o
		JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
			AND d.refobjid = o.oid
		JOIN pg_rewrite AS r ON r.oid = d.objid
	), known AS (
		SELECT c.oid, c.reltype, c.relnamespace = schema AND c.relkind = 'v'
			   AND c.relname = ANY (_funnel_relations(_funnel_template(schema))) AS ours
		FROM over AS o
		JOIN pg_class AS c ON c.oid = o.oid
	)
	SELECT k.oid, k.ours, pg_describe_object('pg_class'::regclass, k.oid, 0) FROM known AS k
	UNION ALL
	-- triggers, rules and defaults of a view, functions over it or its rows
	SELECT DISTINCT NULL::oid, false, pg_describe_object(d.classid, d.objid, d.objsubid)
	FROM known AS k
	JOIN pg_depend AS d ON (d.refclassid = 'pg_class'::regclass AND d.refobjid = k.oid) OR
		(d.refclassid = 'pg_type'::regclass AND
		 d.refobjid IN (SELECT t.oid FROM pg_type AS t WHERE k.reltype IN (t.oid, t.typelem)))
	LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
	WHERE k.ours AND d.deptype IN ('n', 'a') AND r.rulename IS DISTINCT FROM '_RETURN'
	AND NOT (d.classid = 'pg_type'::regclass AND d.objid IN (SELECT t.typarray FROM pg_type AS t WHERE t.oid = k.reltype));
END;

COMMENT ON FUNCTION _views_over(oid, name[]) IS
'views of a funnel with all that depends on them, ours or the user''s';

CREATE FUNCTION _view_grants(schema oid, views name[]) RETURNS SETOF text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT format('GRANT %s%s ON %s TO %s%s', acl.privilege_type, g.col, c.oid::regclass,
				  CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END,
				  CASE WHEN acl.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
	FROM pg_class AS c
	CROSS JOIN LATERAL (SELECT '' AS col, c.relacl AS acls
						UNION ALL
						SELECT format(' (%I)', a.attname), a.attacl FROM pg_attribute AS a
						WHERE a.attrelid = c.oid AND NOT a.attisdropped) AS g
	CROSS JOIN LATERAL aclexplode(g.acls) AS acl
	WHERE c.relnamespace = schema AND c.relkind = 'v' AND c.relname = ANY (views) AND acl.grantee <> c.relowner;
END;

COMMENT ON FUNCTION _view_grants(oid, name[]) IS
'the statements that grant what is granted on some views of a funnel';

-- What a funnel consists of, as the catalogs describe it.
CREATE FUNCTION _inventory(schema oid, OUT kind text, OUT object text, OUT definition text)
RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH c AS (
		SELECT r.*, r.oid::regclass::text AS name,
			   CASE r.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
				   ELSE 'TABLE' END AS what
		FROM pg_class AS r
		WHERE (r.relnamespace = schema AND r.relkind IN ('r', 'p', 'v', 'm', 'S')) OR r.oid = _lead_table(schema)
	), a AS (
		SELECT c.oid, c.name, c.what, format('%s.%I', c.name, a.attname) AS col, a.*
		FROM c
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	)
	SELECT lower(c.what), c.name,
		   concat_ws(' ', c.reloptions::text, CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
	FROM c
	UNION ALL
	SELECT 'column', a.col,
		   concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
					 nullif(a.attidentity, ''), nullif(a.attgenerated, ''), a.attstorage,
					 pg_get_expr(d.adbin, d.adrelid))
	FROM a
	LEFT JOIN pg_attrdef AS d ON d.adrelid = a.oid AND d.adnum = a.attnum
	WHERE a.what = 'TABLE'
	UNION ALL
	SELECT 'constraint', format('%s.%I', c.name, k.conname), pg_get_constraintdef(k.oid)
	FROM c
	JOIN pg_constraint AS k ON k.conrelid = c.oid
	WHERE k.contype <> 't'
	UNION ALL
	SELECT 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
	FROM c
	JOIN pg_index AS i ON i.indrelid = c.oid
	UNION ALL
	SELECT 'trigger', format('%s.%I', c.name, t.tgname), concat(t.tgenabled, ' ', pg_get_triggerdef(t.oid))
	FROM c
	JOIN pg_trigger AS t ON t.tgrelid = c.oid
	WHERE NOT t.tgisinternal
	UNION ALL
	-- named as COMMENT ON does
	SELECT 'comment', concat(c.what, ' ', c.name), obj_description(c.oid, 'pg_class')
	FROM c
	WHERE obj_description(c.oid, 'pg_class') IS NOT NULL
	UNION ALL
	SELECT 'comment', concat('COLUMN ', a.col), col_description(a.oid, a.attnum)
	FROM a
	WHERE col_description(a.oid, a.attnum) IS NOT NULL
	UNION ALL
	SELECT 'privileges', c.name, (SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM unnest(c.relacl) AS acl)
	FROM c
	WHERE c.relacl IS NOT NULL
	UNION ALL
	SELECT 'privileges', a.col, (SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM unnest(a.attacl) AS acl)
	FROM a
	WHERE a.attacl IS NOT NULL;
END;

COMMENT ON FUNCTION _inventory(oid) IS
'what the funnel in a schema and its table of leads consist of: relations, columns, constraints, indexes, triggers, comments, privileges';

-- Who holds a profile is whom grant_funnel() would give nothing more.
CREATE FUNCTION _profile_holders(funnel text, OUT grantee regrole, OUT profile text)
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	held text[];
	before constant text[] := ARRAY(SELECT concat_ws(' ', i.object, i.definition) FROM @extschema@._inventory(schema) AS i
									WHERE i.kind = 'privileges' ORDER BY 1);
	granted text[];
BEGIN
	FOR grantee IN
		SELECT DISTINCT acl.grantee
		FROM pg_namespace AS n
		CROSS JOIN LATERAL aclexplode(n.nspacl) AS acl
		JOIN pg_roles AS r ON r.oid = acl.grantee
		WHERE n.oid = schema AND acl.grantee <> n.nspowner
		ORDER BY 1
	LOOP
		held := '{}';
		FOR profile IN SELECT DISTINCT unnest(g.profiles) FROM @extschema@._funnel_grants() AS g LOOP
			BEGIN
				PERFORM @extschema@._grant_profile(funnel, grantee, profile, true);
				granted := ARRAY(SELECT concat_ws(' ', i.object, i.definition) FROM @extschema@._inventory(schema) AS i
								 WHERE i.kind = 'privileges' ORDER BY 1);
				-- only tried
				RAISE EXCEPTION USING ERRCODE = 'LQ000';
			EXCEPTION WHEN SQLSTATE 'LQ000' THEN
				IF granted = before THEN
					held := held || profile;
				END IF;
			END;
		END LOOP;
		-- one that is part of another says nothing of its own
		FOREACH profile IN ARRAY held LOOP
			IF NOT EXISTS (SELECT FROM unnest(held) AS wider
						   WHERE wider <> profile AND wider <> 'admin'
						   AND NOT EXISTS (SELECT FROM @extschema@._funnel_grants() AS g
										   WHERE profile = ANY (g.profiles) AND wider <> ALL (g.profiles)))
			   AND (profile = 'admin' OR 'admin' <> ALL (held))
			THEN
				RETURN NEXT;
			END IF;
		END LOOP;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _profile_holders(text) IS
'roles that hold all that a profile of grant_funnel() has, the widest ones only';

CREATE FUNCTION _lock_view(view oid) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _lock_view(oid) IS
'locks a view against everybody else, and not what it reads';

-- Waiting for a lock while holding another invites a deadlock, and every
-- writer queues up behind.  So each attempt ends before others are told of
-- one, lets them through, and begins anew.
CREATE FUNCTION _lock_funnel(schema oid) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	old_timeout constant text := current_setting('lock_timeout');
	patience constant numeric := (SELECT s.setting::numeric * 0.8 FROM pg_settings AS s WHERE s.name = 'deadlock_timeout');
	attempts constant integer := 10;
	place regclass;
	is_view boolean;
	started timestamptz;
BEGIN
	FOR attempt IN 1 .. attempts LOOP
		started := clock_timestamp();
		BEGIN
			FOR place, is_view IN
				SELECT c.oid, c.relkind = 'v' FROM pg_class AS c
				WHERE c.oid = @extschema@._lead_table(schema) OR
					  (c.relnamespace = schema AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
					   AND c.relname = ANY (@extschema@._funnel_relations(@extschema@._funnel_template(schema))))
				ORDER BY c.relkind = 'v' DESC, c.oid
			LOOP
				PERFORM set_config('lock_timeout', greatest(1, floor(
					patience - 1000 * extract(epoch FROM clock_timestamp() - started)))::text, true);
				IF is_view THEN
					PERFORM @extschema@._lock_view(place::oid);
				ELSE
					EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', place);
				END IF;
			END LOOP;
			PERFORM set_config('lock_timeout', old_timeout, true);
			RETURN;
		EXCEPTION WHEN lock_not_available THEN
			PERFORM pg_sleep(patience * attempt / 10000);
		END;
	END LOOP;
	RAISE EXCEPTION 'could not lock the tables of funnel "%"', (SELECT n.nspname FROM pg_namespace AS n WHERE n.oid = schema)
		USING ERRCODE = 'lock_not_available',
			  DETAIL = format('"%s" is in use by process %s.', place,
							  coalesce((SELECT string_agg(DISTINCT l.pid::text, ', ') FROM pg_locks AS l
										WHERE l.relation = place AND l.granted AND l.pid <> pg_backend_pid()
										AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())),
									   'that has ended by now')),
			  HINT = 'Call it again when that has ended: pg_stat_activity says what it is doing.';
END
$body$;

COMMENT ON FUNCTION _lock_funnel(oid) IS
'locks the tables and views of a funnel against everybody else, or raises after some attempts';

-- For steps: a column of the leads, wherever they are.  In the definition, %I
-- stands for the column.
CREATE FUNCTION _add_lead_column(funnel text, column_name name, definition text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	lead_table constant regclass := @extschema@._lead_table(schema);
	attached constant boolean := @extschema@._attached_table(schema) IS NOT NULL;
	own_view constant regclass := format('%I.lead', funnel);
	theirs name := column_name;
	shown text;
BEGIN
	IF attached THEN
		-- with the prefix that others were added with
		SELECT regexp_replace(a.attname, 'stage$', '') || column_name INTO STRICT theirs
		FROM @extschema@._lead_columns(funnel) AS l
		JOIN pg_attribute AS a ON a.attrelid = l.relation AND a.attnum = l.attnum
		WHERE l.name = 'stage';
	END IF;
	EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', lead_table, theirs, format(definition, theirs));
	IF NOT attached THEN
		RETURN;
	END IF;

	EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', lead_table, theirs, @extschema@._added_mark());
	SELECT string_agg(format('t.%I AS %I', a.attname, v.attname), ', ' ORDER BY v.attnum) INTO STRICT shown
	FROM pg_attribute AS v
	JOIN @extschema@._lead_columns(funnel) AS l ON l.name = v.attname
	JOIN pg_attribute AS a ON a.attrelid = l.relation AND a.attnum = l.attnum
	WHERE v.attrelid = own_view AND v.attnum > 0;
	EXECUTE format('CREATE OR REPLACE VIEW %s WITH (%s) AS SELECT %s, t.%I AS %I FROM %s AS t', own_view,
				   (SELECT array_to_string(c.reloptions, ', ') FROM pg_class AS c WHERE c.oid = own_view),
				   shown, theirs, column_name, lead_table);
END
$body$;

COMMENT ON FUNCTION _add_lead_column(text, name, text) IS
'for steps of upgrade_funnel(): adds a column to the leads, and shows it where they are in a table of the user''s';
