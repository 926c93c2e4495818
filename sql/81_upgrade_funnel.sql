--
-- Upgrading a funnel to the template of the extension
--

-- Raises, with all that stands in the way, before anything is changed.
CREATE FUNCTION _check_upgrade(funnel text, template integer) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	latest constant integer := @extschema@._template_version();
	found text[];
	hints text[];
BEGIN
	IF EXISTS (SELECT FROM pg_class WHERE relnamespace = schema AND relname = 'detached_lead') THEN
		RAISE EXCEPTION 'funnel "%" is detached', funnel
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'It is there to be read, and stays as it is.';
	END IF;
	-- loads it, which proves its tables and columns
	PERFORM FROM @extschema@._check_policy(funnel, false);

	SELECT array_agg(format('%s %s', c.finding, c.object) ORDER BY c.object),
		   array_agg(DISTINCT rtrim(c.hint, '.') || '.')
		INTO found, hints
	FROM @extschema@._check_triggers(schema) AS c
	WHERE c.severity = 'error' AND c.finding <> 'row_security_bypassed';
	IF found IS NOT NULL THEN
		RAISE EXCEPTION 'triggers of funnel "%" are not as they must be', funnel
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = format('check_funnel() finds: %s.', array_to_string(found, ', ')),
				  HINT = array_to_string(hints, ' ');
	END IF;

	SELECT array_agg(pg_describe_object('pg_class'::regclass, c.oid, 0) ORDER BY c.relname) INTO found
	FROM pg_class AS c
	WHERE c.relnamespace = schema
	AND c.relname = ANY (@extschema@._funnel_relations(latest))
	AND c.relname <> ALL (@extschema@._funnel_relations(template));
	IF found IS NOT NULL THEN
		RAISE EXCEPTION 'names that funnel "%" needs are taken', funnel
			USING ERRCODE = 'duplicate_object',
				  DETAIL = format('They are those of: %s.', array_to_string(found, ', ')),
				  HINT = 'Rename them, or move them to another schema.';
	END IF;
	-- the funnel's schema comes before ours where its views are made
	SELECT array_agg(pg_describe_object('pg_type'::regclass, t.oid, 0)) INTO found
	FROM pg_type AS t
	WHERE t.typnamespace = schema
	AND EXISTS (SELECT FROM pg_type AS ours
				JOIN pg_depend AS d ON d.classid = 'pg_type'::regclass AND d.objid = ours.oid AND d.deptype = 'e'
				JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
				WHERE e.extname = 'lead_qual' AND ours.typname = t.typname);
	IF found IS NOT NULL THEN
		RAISE EXCEPTION 'types in schema "%" stand in the way', funnel
			USING ERRCODE = 'duplicate_object',
				  DETAIL = format('They would be taken for those of lead_qual: %s.', array_to_string(found, ', ')),
				  HINT = 'Rename them, or move them to another schema.';
	END IF;

	SELECT array_agg(o.object ORDER BY o.object) INTO found
	FROM @extschema@._views_over(schema, ARRAY(SELECT unnest(a.views) FROM @extschema@._views_made_anew() AS a
											   WHERE a.since > template)) AS o
	WHERE NOT o.ours;
	IF found IS NOT NULL THEN
		RAISE EXCEPTION 'views of funnel "%" that must be made anew are in use', funnel
			USING ERRCODE = 'dependent_objects_still_exist',
				  DETAIL = format('On them depend: %s.', array_to_string(found, ', ')),
				  HINT = 'Note their definitions, drop them, call upgrade_funnel(), and create them again.';
	END IF;
END
$body$;

COMMENT ON FUNCTION _check_upgrade(text, integer) IS
'part of upgrade_funnel(): raises if the funnel, of that template, is not as it must be or something of the user''s stands in the way';

-- The views, in place, and the comments.  This is the only part that has the
-- funnel's schema on the path; nothing is evaluated in it.
CREATE FUNCTION _replay_template(funnel text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	extension_schema constant name := (SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'lead_qual');
	context text;
BEGIN
	PERFORM set_config('search_path', format('%I, %s, pg_temp', funnel, extension_schema), true);
	PERFORM @extschema@._create_funnel_views();
	PERFORM @extschema@._create_funnel_comments();
EXCEPTION WHEN invalid_table_definition THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
	context := substring(context FROM 'CREATE OR REPLACE VIEW (\w+)');
	IF context IS NULL THEN
		RAISE;
	END IF;
	RAISE EXCEPTION 'view "%" of funnel "%" cannot be replaced', context, funnel
		USING ERRCODE = 'invalid_table_definition',
			  DETAIL = format('It is not as create_funnel() made it: %s.', SQLERRM),
			  HINT = format('Keep what was added in a view of its own, DROP VIEW %I.%I, and call upgrade_funnel() again, which makes it anew.',
							funnel, context);
END
$body$;

COMMENT ON FUNCTION _replay_template(text) IS
'part of upgrade_funnel(): makes or replaces the views, and comments on everything';

-- Triggers of ours, by their functions, as the rows say.
CREATE FUNCTION _replay_triggers(funnel text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	statement text;
	f record;
BEGIN
	FOR statement IN
		SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
		FROM pg_trigger AS t
		JOIN pg_class AS c ON c.oid = t.tgrelid
		JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid AND d.deptype = 'e'
		JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
		WHERE e.extname = 'lead_qual' AND NOT t.tgisinternal AND t.tgparentid = 0
		AND (c.relnamespace = schema OR c.oid = @extschema@._lead_table(schema))
		AND NOT EXISTS (SELECT FROM @extschema@._funnel_triggers(schema) AS r
						WHERE r.function = t.tgfoid AND r.type = t.tgtype AND r.is_deferrable = t.tgdeferrable
						AND (r.relid = t.tgrelid OR
							 r.relid IN (SELECT a.relid FROM pg_partition_ancestors(t.tgrelid) AS a)))
	LOOP
		EXECUTE statement;
	END LOOP;
	-- the trigger of a table brings those of its partitions
	PERFORM @extschema@._repair_trigger(schema, c.finding, c.object, c.hint)
	FROM @extschema@._check_triggers(schema) AS c
	WHERE c.severity = 'error';
	SELECT c.* INTO f
	FROM @extschema@._check_triggers(schema) AS c
	WHERE c.severity = 'error' AND c.finding <> 'row_security_bypassed'
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'trigger "%" of funnel "%" cannot be created', f.object, funnel
			USING ERRCODE = 'duplicate_object',
				  DETAIL = f.detail,
				  HINT = 'Rename or drop the trigger that has its name, and call upgrade_funnel() again.';
	END IF;
END
$body$;

COMMENT ON FUNCTION _replay_triggers(text) IS
'part of upgrade_funnel(): creates, drops and enables triggers of ours until they are as the template has them';

CREATE FUNCTION _set_template(funnel text, template integer) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
BEGIN
	EXECUTE format('UPDATE %I.setting SET template_version = $1', funnel) USING template;
END
$body$;

COMMENT ON FUNCTION _set_template(text, integer) IS
'part of upgrade_funnel(): notes the template in the settings, which a trigger keeps otherwise';

-- All in one transaction: what is refused half-way leaves the funnel as it was.
CREATE FUNCTION upgrade_funnel(funnel text, OUT kind text, OUT object text, OUT done text)
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = off
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	latest constant integer := @extschema@._template_version();
	owner constant text := (SELECT nspowner::regrole FROM pg_namespace WHERE oid = schema);
	template integer;
	before jsonb;
	holders jsonb;
	planted text[];
	views name[];
	grants text[];
	holder record;
	statement text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'upgrade_funnel'::text);
	PERFORM @extschema@._require_funnel_owner(schema, 'upgrade_funnel'::text);
	template := @extschema@._funnel_template(schema);
	IF template = latest THEN
		RETURN;
	END IF;
	IF template > latest THEN
		RAISE EXCEPTION 'funnel "%" is of template %, the extension makes funnels of template %', funnel, template, latest
			USING ERRCODE = 'feature_not_supported',
				  HINT = 'Install the lead_qual that made it, or a later one, reconnect, and run ALTER EXTENSION lead_qual UPDATE.';
	END IF;
	-- what it creates is to be the owner's, too
	IF current_user <> (SELECT r.rolname FROM pg_roles AS r JOIN pg_namespace AS n ON n.nspowner = r.oid WHERE n.oid = schema) THEN
		RAISE EXCEPTION 'funnel "%" belongs to role %', funnel, owner
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = 'All tables of a funnel belong to one role, and so must new ones.',
				  HINT = format('SET ROLE %s, and call upgrade_funnel() again.', owner);
	END IF;
	PERFORM @extschema@._require_read_committed('upgrade_funnel'::text);
	PERFORM @extschema@._lock_funnel(schema);
	-- it may have been upgraded while we waited
	template := @extschema@._funnel_template(schema);
	IF template >= latest THEN
		RETURN;
	END IF;
	PERFORM @extschema@._check_upgrade(funnel, template);

	SELECT jsonb_agg(to_jsonb(i)) INTO before FROM @extschema@._inventory(schema) AS i;
	SELECT coalesce(jsonb_agg(to_jsonb(h)), '[]') INTO holders FROM @extschema@._profile_holders(funnel) AS h;
	planted := ARRAY(SELECT concat_ws(' ', p.what, p.used_by) FROM @extschema@._planted(schema) AS p);

	views := ARRAY(SELECT c.relname FROM @extschema@._views_over(schema, ARRAY(
					  SELECT unnest(a.views) FROM @extschema@._views_made_anew() AS a WHERE a.since > template)) AS o
				   JOIN pg_class AS c ON c.oid = o.relid);
	grants := ARRAY(SELECT g FROM @extschema@._view_grants(schema, views) AS g);
	IF views <> '{}' THEN
		EXECUTE 'DROP VIEW ' || (SELECT string_agg(format('%I.%I', funnel, v), ', ') FROM unnest(views) AS v);
	END IF;
	BEGIN
		FOR step IN template + 1 .. latest LOOP
			EXECUTE format('SELECT @extschema@._upgrade_to_%s($1)', step) USING funnel;
		END LOOP;
	EXCEPTION WHEN duplicate_column OR duplicate_table OR duplicate_object THEN
		RAISE EXCEPTION USING
			MESSAGE = SQLERRM, ERRCODE = SQLSTATE,
			DETAIL = 'The funnel needs that name.',
			HINT = 'Rename what has it (a column of view "lead" by ALTER VIEW), and call upgrade_funnel() again.';
	END;
	PERFORM @extschema@._set_template(funnel, latest);
	PERFORM @extschema@._replay_template(funnel);
	PERFORM @extschema@._comment_added(funnel);
	PERFORM @extschema@._replay_triggers(funnel);

	-- what somebody changed of comments and grants stays
	FOR statement IN
		SELECT format('COMMENT ON %s IS %L', old.object, old.definition)
		FROM jsonb_to_recordset(before) AS old (kind text, object text, definition text)
		JOIN @extschema@._inventory(schema) AS now ON now.kind = old.kind AND now.object = old.object
		WHERE old.kind = 'comment' AND old.definition <> now.definition
		AND NOT EXISTS (SELECT FROM @extschema@._former_comments() AS f
						WHERE f.since > template AND f.comment = old.definition)
		UNION ALL
		-- which default privileges gave
		SELECT format('REVOKE ALL ON %s FROM %s', c.oid::regclass,
					  CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END)
		FROM pg_class AS c
		CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
		WHERE c.relnamespace = schema AND c.relname = ANY (views) AND acl.grantee <> c.relowner
	LOOP
		EXECUTE statement;
	END LOOP;
	FOREACH statement IN ARRAY grants LOOP
		EXECUTE statement;
	END LOOP;
	FOR holder IN SELECT * FROM jsonb_to_recordset(holders) AS h (grantee regrole, profile text) LOOP
		PERFORM @extschema@._grant_profile(funnel, holder.grantee::regrole, holder.profile::text, true);
	END LOOP;
	PERFORM @extschema@._refuse_planted(schema, planted);
	-- as it is now
	PERFORM FROM @extschema@._check_policy(funnel, false);

	kind := 'template';
	object := quote_ident(funnel);
	done := format('%s to %s', template, latest);
	RETURN NEXT;
	RETURN QUERY
		SELECT coalesce(old.kind, now.kind), coalesce(old.object, now.object),
			   CASE WHEN old.kind IS NULL THEN 'created' WHEN now.kind IS NULL THEN 'dropped' ELSE 'changed' END
		FROM jsonb_to_recordset(before) AS old (kind text, object text, definition text)
		FULL JOIN @extschema@._inventory(schema) AS now ON now.kind = old.kind AND now.object = old.object
		WHERE (old.*) IS DISTINCT FROM (now.*)
		ORDER BY 1, 2;
	RETURN QUERY
		SELECT 'profile', h.grantee::text, h.profile
		FROM jsonb_to_recordset(holders) AS h (grantee regrole, profile text);
END
$body$;

COMMENT ON FUNCTION upgrade_funnel(text) IS
'brings a funnel up to the template of the extension, in one transaction, and says what it did: rows, grants, comments, and what is the user''s stay. For the role that owns the funnel';
