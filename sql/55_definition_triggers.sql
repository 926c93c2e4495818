--
-- Definitions keep their order: exactly one is active, and that one is sound
--

CREATE FUNCTION _check_reason() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_check_reason'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	known boolean;
BEGIN
	-- a restore may bring the rules later
	IF NEW.rule IS NULL OR @extschema@._importing() THEN
		RETURN NEW;
	END IF;
	-- that the rule is gone since is told by check_funnel()
	IF TG_OP = 'UPDATE' THEN
		IF NEW.rule = OLD.rule THEN
			RETURN NEW;
		END IF;
	END IF;

	EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.rule AS r JOIN %1$I.definition AS d ON d.definition = r.definition '
				   'WHERE d.status = ''active'' AND r.name = $1)', TG_TABLE_SCHEMA)
		INTO known USING NEW.rule;
	IF NOT known THEN
		RAISE EXCEPTION 'rule "%" does not exist in the active definition', NEW.rule
			USING ERRCODE = 'foreign_key_violation',
				  HINT = 'The rules are in table "rule"; a reason need not blame one.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'rule';
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _check_reason() IS
'trigger on reason: the rule that it blames is one of the active definition';

CREATE FUNCTION _refuse_circle() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_refuse_circle'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	looped text;
	circle text;
BEGIN
	-- which moves begin a cycle, and so end a circle, is what milestones say
	IF TG_TABLE_NAME = 'stage' THEN
		IF NEW.milestone = OLD.milestone OR @extschema@._importing() THEN
			RETURN NULL;
		END IF;
		EXECUTE format('SELECT d.definition, c.circle FROM %1$I.definition AS d, '
					   'LATERAL @extschema@._automatic_circle(%1$L::text, d.definition::text) AS c (circle) '
					   'WHERE c.circle IS NOT NULL ORDER BY 1 LIMIT 1', TG_TABLE_SCHEMA)
			INTO looped, circle;
	ELSIF NOT NEW.automatic OR NEW.from_stage IS NULL THEN
		RETURN NULL;
	ELSE
		looped := NEW.definition;
		circle := @extschema@._automatic_circle(TG_TABLE_SCHEMA::text, looped);
	END IF;
	IF circle IS NOT NULL THEN
		RAISE EXCEPTION 'automatic transitions of definition "%" lead in a circle', looped
			USING ERRCODE = 'check_violation',
				  DETAIL = format('It is: %s. A lead there would never rest.', circle),
				  HINT = 'Give one of them a condition that the others exclude, or let people ask for it.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;
	RETURN NULL;
END
$body$;

COMMENT ON FUNCTION _refuse_circle() IS
'trigger on transition and stage: automatic transitions that hold at once do not lead in a circle';

CREATE FUNCTION _guard_definition() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_guard_definition'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	problems text[];
	hints text[];
	next_version integer;
	n_definitions bigint;
BEGIN
	IF @extschema@._importing() THEN
		RETURN NEW;
	END IF;

	-- it has no transitions yet, and nobody has signed it
	IF TG_OP = 'INSERT' THEN
		IF NEW.status = 'active' THEN
			RAISE EXCEPTION 'definition "%" cannot begin as the active one', NEW.definition
				USING ERRCODE = 'object_not_in_prerequisite_state',
					  HINT = 'Insert it as a draft, add its rules and transitions, then call activate_definition().',
					  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'status';
		END IF;
		NEW.version := 0;
		NEW.agreed_by_marketing := NULL;
		NEW.agreed_by_sales := NULL;
		NEW.agreed_at := NULL;
		RETURN NEW;
	END IF;

	-- who must sign is not for those to say who sign, nor what is in force
	IF (NEW.status, NEW.sides) IS DISTINCT FROM (OLD.status, OLD.sides) AND
	   NOT @extschema@._owns_table(TG_RELID) THEN
		RAISE EXCEPTION 'permission denied to change status or sides of definition "%"', OLD.definition
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('Only role "%s", which owns the funnel, and who has its privileges may.',
								  (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)),
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;

	-- Cards know a version and no name, and some may be of a definition that is
	-- gone, or of the last time that this one was active.  So whoever writes a
	-- version gets the next one that was never given.
	EXECUTE format('SELECT greatest((SELECT max(l.version) FROM %1$I.definition_log AS l), max(d.version)) + 1, count(*) '
				   'FROM %1$I.definition AS d', TG_TABLE_SCHEMA)
		INTO next_version, n_definitions;
	IF NEW.version <> OLD.version THEN
		NEW.version := next_version;
	END IF;

	-- who agreed is what signatures say.  A new version of the same standing
	-- has new rules.
	IF NEW.version <> OLD.version AND NEW.status = OLD.status THEN
		NEW.agreed_by_marketing := NULL;
		NEW.agreed_by_sales := NULL;
		NEW.agreed_at := NULL;
	ELSE
		SELECT max(s.signed_by) FILTER (WHERE s.side = 'marketing'),
			   max(s.signed_by) FILTER (WHERE s.side = 'sales'),
			   CASE WHEN count(DISTINCT s.side) FILTER (WHERE s.side IN ('marketing', 'sales')) = 2
					THEN max(s.signed_at) FILTER (WHERE s.side IN ('marketing', 'sales')) END
			INTO NEW.agreed_by_marketing, NEW.agreed_by_sales, NEW.agreed_at
		FROM (SELECT DISTINCT ON (side) * FROM @extschema@._signers(TG_TABLE_SCHEMA::text, OLD.definition::text)
			  ORDER BY side, signed_at DESC, signed_by) AS s;
	END IF;

	IF NEW.status <> 'active' OR OLD.status = 'active' THEN
		RETURN NEW;
	END IF;

	SELECT array_agg(c.problem), array_agg(DISTINCT c.hint) INTO problems, hints
	FROM @extschema@.check_definition(TG_TABLE_SCHEMA::text, OLD.definition::text) AS c;
	IF problems IS NOT NULL THEN
		RAISE EXCEPTION 'definition "%" cannot be activated', NEW.definition
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = array_to_string(problems, E'\n'),
				  HINT = array_to_string(hints, E'\n'),
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'status';
	END IF;

	IF n_definitions > 1 THEN
		NEW.version := next_version;
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _guard_definition() IS
'trigger on definition: BEFORE INSERT OR UPDATE: one that becomes active is sound and gets a new version; status and sides are the owner''s; keeps who agreed';

CREATE FUNCTION _keep_one_active() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_keep_one_active'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	found_one boolean;
BEGIN
	IF OLD.status <> 'active' OR @extschema@._importing() THEN
		RETURN NULL;
	END IF;
	EXECUTE format('SELECT EXISTS (SELECT FROM %I.definition WHERE status = ''active'')', TG_TABLE_SCHEMA)
		INTO found_one;
	IF NOT found_one THEN
		RAISE EXCEPTION 'definition "%" is the active one', OLD.definition
			USING ERRCODE = 'restrict_violation',
				  DETAIL = format('Without it funnel "%s" would score and move nothing.', TG_TABLE_SCHEMA),
				  HINT = 'Call activate_definition() with another one, which retires this one.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'status';
	END IF;
	RETURN NULL;
END
$body$;

COMMENT ON FUNCTION _keep_one_active() IS
'trigger on definition: AFTER UPDATE OR DELETE: the active one goes only where another takes its place';

-- An owner who builds a definition anew is told by check_funnel().
CREATE FUNCTION _keep_way_in() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_keep_way_in'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	closed boolean;
BEGIN
	IF OLD.from_stage IS NOT NULL OR @extschema@._importing() OR @extschema@._owns_table(TG_RELID::oid) THEN
		RETURN NULL;
	END IF;
	EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.definition WHERE definition = $1 AND status = ''active'') '
				   'AND NOT EXISTS (SELECT FROM %1$I.transition WHERE definition = $1 AND from_stage IS NULL)', TG_TABLE_SCHEMA)
		INTO closed USING OLD.definition;
	IF closed THEN
		RAISE EXCEPTION 'definition "%" needs a transition that creates leads', OLD.definition
			USING ERRCODE = 'restrict_violation',
				  DETAIL = 'It is the active one: every INSERT of a lead would be refused.',
				  HINT = 'First insert the one that takes its place, or run SET CONSTRAINTS ALL DEFERRED.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;
	RETURN NULL;
END
$body$;

COMMENT ON FUNCTION _keep_way_in() IS
'trigger on transition: AFTER UPDATE OR DELETE: the last one of the active definition that creates leads goes only where another takes its place, or by the hand of the owner';
