--
-- Definitions keep their order: exactly one is active, and that one is sound
--

CREATE FUNCTION _actor() RETURNS text
AS 'MODULE_PATHNAME', 'actor' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION _actor() IS
'who acts: the end user that an application names, or the role';

--
-- Sides
--

-- The role whose members sign for a side; raises if there is none.
CREATE FUNCTION _role_of_side(funnel text, side text) RETURNS name
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	named name;
	known text[];
BEGIN
	EXECUTE format('SELECT coalesce(role, (SELECT pg_get_userbyid(relowner) FROM pg_class '
				   'WHERE oid = %1$L::regclass)) FROM %1$s AS s WHERE s.side = $1',
				   format('%I.side', funnel))
		INTO named USING side;
	IF named IS NULL THEN
		EXECUTE format('SELECT array_agg(s.side ORDER BY s.side) FROM %I.side AS s', funnel)
			INTO known;
		RAISE EXCEPTION 'side "%" does not exist', side
			USING ERRCODE = 'foreign_key_violation',
				  HINT = coalesce(format('The sides are: %s.', array_to_string(known, ', ')),
								  'Insert it into table "side" first.');
	END IF;
	RETURN named;
END
$body$;

COMMENT ON FUNCTION _role_of_side(text, text) IS
'the role whose members sign for a side of a funnel; an error if there is no such side';

CREATE FUNCTION check_sides() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('check_sides'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	asked text;
BEGIN
	-- a restore may bring the sides later
	IF @extschema@._importing() THEN
		RETURN NEW;
	END IF;

	FOREACH asked IN ARRAY coalesce(NEW.sides, '{}') LOOP
		IF asked IS NULL THEN
			RAISE EXCEPTION 'a side must not be null'
				USING ERRCODE = 'null_value_not_allowed',
					  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'sides';
		END IF;
		PERFORM @extschema@._role_of_side(TG_TABLE_SCHEMA::text, asked);
	END LOOP;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION check_sides() IS
'trigger on transition and definition: the sides that they ask for exist';

CREATE FUNCTION check_reason() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('check_reason'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
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

COMMENT ON FUNCTION check_reason() IS
'trigger on reason: the rule that it blames is one of the active definition';

CREATE FUNCTION protect_side() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('protect_side'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	uses text[];
BEGIN
	IF TG_OP = 'UPDATE' AND NEW.side = OLD.side THEN
		RETURN NEW;
	END IF;

	EXECUTE format($query$
		SELECT array_agg(format('%%s of "%%s"', n, used_by) ORDER BY used_by)
		FROM (SELECT 'transition', count(*) FROM %1$I.transition WHERE $1 = ANY (sides)
			  UNION ALL
			  SELECT 'definition', count(*) FROM %1$I.definition WHERE $1 = ANY (sides)
			  UNION ALL
			  SELECT 'signature', count(*) FROM %1$I.signature WHERE side = $1) AS use (used_by, n)
		WHERE n > 0 $query$, TG_TABLE_SCHEMA)
		INTO uses USING OLD.side;
	IF uses IS NOT NULL THEN
		PERFORM @extschema@._refuse_in_use('side'::text, OLD.side::text, uses,
			'Its role and description may be changed.'::text);
	END IF;

	IF TG_OP = 'DELETE' THEN
		RETURN OLD;
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION protect_side() IS
'trigger on side: refuses to rename or remove a side that transitions, definitions or signatures name';

-- Whoever signs is a member of the side's role, now; who and when, and which
-- cycle or version, is not for the client to say.
CREATE FUNCTION stamp_signature() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('stamp_signature'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	k record;
	named name;
BEGIN
	PERFORM @extschema@._check_settings(TG_RELID);
	IF @extschema@._importing() THEN
		RETURN NEW;
	END IF;

	named := @extschema@._role_of_side(TG_TABLE_SCHEMA::text, NEW.side::text);
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = named) THEN
		RAISE EXCEPTION 'permission denied to sign for side "%"', NEW.side
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('Role "%s", whose members may, does not exist.', named),
				  HINT = format('The owner of the funnel names the role in %I.side.', TG_TABLE_SCHEMA);
	END IF;
	IF NOT pg_has_role(named, 'MEMBER') THEN
		RAISE EXCEPTION 'permission denied to sign for side "%"', NEW.side
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('Only members of role "%s" may.', named),
				  HINT = format('The owner of the funnel names the role in %I.side.', TG_TABLE_SCHEMA);
	END IF;

	NEW.signed_by := @extschema@._actor();
	NEW.signed_at := @extschema@.funnel_now();
	IF NEW.lead_id IS NOT NULL THEN
		k := @extschema@._funnel_key(TG_TABLE_SCHEMA::text);
		EXECUTE format('SELECT cycle FROM %s WHERE %I = $1', k.leads, k.key)
			INTO NEW.cycle USING NEW.lead_id;
		-- in the words of require_lead(), which comes too late
		IF NEW.cycle IS NULL THEN
			RAISE EXCEPTION 'insert or update on table "signature" violates foreign key constraint "signature_lead_id_fkey"'
				USING ERRCODE = 'foreign_key_violation',
					  DETAIL = format('Key (lead_id)=(%s) is not present in table "lead".', NEW.lead_id),
					  HINT = 'Insert the lead first.',
					  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = 'signature_lead_id_fkey';
		END IF;
	ELSE
		EXECUTE format('SELECT version FROM %I.definition WHERE definition = $1', TG_TABLE_SCHEMA)
			INTO NEW.version USING NEW.definition;
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION stamp_signature() IS
'trigger on signature: members of the side''s role sign; keeps signed_by, signed_at, cycle and version';

--
-- Definitions
--

-- Who signed a definition as it is now.  A change of its rules, transitions
-- or limits, or of what all definitions share, makes what was signed before
-- worth nothing; activating it does not.
CREATE FUNCTION _signers(funnel text, definition text)
RETURNS TABLE (side text, signed_by text, signed_at timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN QUERY EXECUTE format($query$
		SELECT DISTINCT ON (s.side, s.signed_by) s.side, s.signed_by, s.signed_at
		FROM %1$I.signature AS s
		WHERE s.definition = $1
		AND NOT EXISTS (
			SELECT FROM %1$I.definition_log AS l
			WHERE l.version > s.version
			AND (l.definition IS NULL OR
				 (l.definition = $1 AND
				  (l.relation IN ('rule', 'transition') OR
				   (l.operation = 'update' AND
					(l.old_row -> 'max_fit', l.old_row -> 'max_engagement', l.old_row -> 'floor')
					IS DISTINCT FROM
					(l.new_row -> 'max_fit', l.new_row -> 'max_engagement', l.new_row -> 'floor'))))))
		ORDER BY s.side, s.signed_by, s.signature_id DESC
		$query$, funnel) USING definition;
END
$body$;

COMMENT ON FUNCTION _signers(text, text) IS
'who signed a definition, as it is now, for which side';

-- Automatic moves that lead back to where they began, at once: without a
-- condition, or under one and the same that the moves do not change.  Any move
-- changes the stay, and uses up note and reason; one that begins a cycle
-- changes what is known of the cycle, too.  What a condition reads is seen in
-- its compiled form, where columns are qualified: its literals may say anything.
CREATE FUNCTION _automatic_circle(funnel text, definition text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	circle text;
BEGIN
	EXECUTE format($query$
		WITH RECURSIVE edge AS (
			SELECT DISTINCT s.stage AS a, t.to_stage AS b, coalesce(t.condition_sql, 'true') AS c,
				   @extschema@._begins_cycle(s.milestone::text, z.milestone::text) AS renews
			FROM %1$I.transition AS t
			JOIN %1$I.stage AS s ON t.from_stage IN (s.stage, '*')
			JOIN %1$I.stage AS z ON z.stage = t.to_stage
			WHERE t.definition = $1 AND t.automatic AND t.after IS NULL AND s.stage <> t.to_stage
			AND coalesce(t.condition_sql, '') !~
				'\m(now\.days_in_stage|lead\.(stage|stage_entered_at|due_at|note|reason))\M'
		), walk AS (
			SELECT held.c, e.a AS start, e.b AS at, ARRAY[e.a, e.b] AS path, e.renews
			FROM (SELECT DISTINCT c FROM edge) AS held
			JOIN edge AS e ON e.c IN ('true', held.c)
			UNION ALL
			SELECT w.c, w.start, e.b, w.path || e.b, w.renews OR e.renews
			FROM walk AS w
			JOIN edge AS e ON e.a = w.at AND e.c IN ('true', w.c)
			WHERE w.at <> w.start AND (e.b = w.start OR e.b <> ALL (w.path))
		)
		SELECT '"' || array_to_string(path, '" -> "') || '"'
		FROM walk WHERE at = start
		AND NOT (renews AND c ~
				 '\mlead\.(cycle|cycle_started_at|accepted_at|accepted_by|resume_at|deals_won|deals_lost)\M')
		ORDER BY cardinality(path), path LIMIT 1 $query$, funnel)
		INTO circle USING definition;
	RETURN circle;
END
$body$;

COMMENT ON FUNCTION _automatic_circle(text, text) IS
'the shortest circle of automatic transitions of a definition that hold at once, or NULL';

CREATE FUNCTION refuse_circle() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('refuse_circle'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	circle text;
BEGIN
	IF NOT NEW.automatic OR NEW.from_stage IS NULL THEN
		RETURN NULL;
	END IF;
	circle := @extschema@._automatic_circle(TG_TABLE_SCHEMA::text, NEW.definition::text);
	IF circle IS NOT NULL THEN
		RAISE EXCEPTION 'automatic transitions of definition "%" lead in a circle', NEW.definition
			USING ERRCODE = 'check_violation',
				  DETAIL = format('It is: %s. A lead there would never rest.', circle),
				  HINT = 'Give one of them a condition that the others exclude, or let people ask for it.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;
	RETURN NULL;
END
$body$;

COMMENT ON FUNCTION refuse_circle() IS
'trigger on transition: automatic transitions that hold at once do not lead in a circle';

-- Guards that ask for more points than the caps of the definition let a lead
-- have.  Under a cap on one axis the other gives what its rules add up to.
CREATE FUNCTION _out_of_reach(funnel text, definition text)
RETURNS TABLE (transition text, quantity text, threshold numeric, most numeric)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
#variable_conflict use_variable
DECLARE
	part record;
	fit numeric;
	engagement numeric;
BEGIN
	EXECUTE format($query$
		SELECT CASE WHEN capped THEN least(max_fit, coalesce(fit, 0), 'Infinity') ELSE 'Infinity' END,
			   CASE WHEN capped THEN least(max_engagement, coalesce(engagement, 0), 'Infinity') ELSE 'Infinity' END
		FROM (SELECT d.max_fit, d.max_engagement, coalesce(d.max_fit, d.max_engagement) IS NOT NULL,
					 sum(least(r.points, r.max_points)) FILTER (WHERE r.axis = 'fit'),
					 sum(coalesce(r.max_points, r.points * CASE WHEN r.per IS NULL THEN r.max_hits END, 'Infinity'))
						 FILTER (WHERE r.axis = 'engagement')
			  FROM %1$I.definition AS d
			  LEFT JOIN %1$I.rule AS r ON r.definition = d.definition AND r.enabled AND r.points > 0
			  WHERE d.definition = $1
			  GROUP BY d.definition) AS c (max_fit, max_engagement, capped, fit, engagement)
		$query$, funnel)
		INTO fit, engagement USING definition;

	FOR part IN EXECUTE format($query$
		SELECT format('%%s to "%%s"', coalesce('from "' || t.from_stage || '"', 'that creates,'), t.to_stage) AS transition,
			   t.condition
		FROM %1$I.transition AS t
		WHERE t.definition = $1 AND t.condition IS NOT NULL
		ORDER BY t.position, t.transition_id $query$, funnel) USING definition
	LOOP
		BEGIN
			FOR quantity, threshold, most IN EXECUTE format($query$
				SELECT CASE q.quantity WHEN 'points' THEN format('points.%%s', r.name) ELSE q.quantity END, q.threshold,
					   CASE q.quantity WHEN 'fit' THEN $3 WHEN 'engagement' THEN $4 WHEN 'score' THEN $3 + $4
									   ELSE coalesce(r.max_points, 'Infinity') END
				FROM @extschema@._condition_thresholds($5, $1, $2) AS q
				LEFT JOIN %1$I.rule AS r ON r.rule_id = q.rule_id $query$, funnel)
				USING part.condition, definition, fit, engagement, funnel::name
			LOOP
				transition := part.transition;
				CONTINUE WHEN threshold <= most;
				RETURN NEXT;
			END LOOP;
		EXCEPTION
			WHEN query_canceled OR insufficient_privilege THEN
				RAISE;
			-- that it does not compile is told elsewhere
			WHEN OTHERS THEN
				NULL;
		END;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _out_of_reach(text, text) IS
'guards of a definition that ask for more points than its caps let a lead have';

-- The rows of a definition are checked as they are written, but what they
-- name may have changed since: columns, functions, lists, other rows.
CREATE FUNCTION check_definition(funnel text, definition text)
RETURNS TABLE (problem text, hint text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
#variable_conflict use_variable
DECLARE
	def record;
	part record;
	n bigint;
	signers text[];
	named name;
BEGIN
	PERFORM @extschema@._funnel_schema(funnel);
	EXECUTE format('SELECT d.* FROM %I.definition AS d WHERE d.definition = $1', funnel)
		INTO def USING definition;
	IF def.definition IS NULL THEN
		RAISE EXCEPTION 'definition "%" does not exist in funnel "%"', definition, funnel
			USING ERRCODE = 'undefined_object',
				  HINT = 'See table "definition"; copy_definition() makes one from another.';
	END IF;

	EXECUTE format('SELECT count(*) FROM %I.transition AS t WHERE t.definition = $1 AND t.from_stage IS NULL', funnel)
		INTO n USING definition;
	IF n = 0 THEN
		problem := 'No transition creates a lead: none has from_stage NULL.';
		hint := 'Add one to the stage where leads begin.';
		RETURN NEXT;
	END IF;

	FOR part IN EXECUTE format($query$
		SELECT 1 AS rank, r.rule_id AS id, format('rule "%%s"', r.name) AS what, r.condition,
			   CASE r.axis WHEN 'fit' THEN 'fit' ELSE 'activity' END AS target
		FROM %1$I.rule AS r
		WHERE r.definition = $1 AND r.enabled AND r.condition IS NOT NULL
		UNION ALL
		SELECT 2, t.transition_id,
			   format('transition %%s to "%%s"', coalesce('from "' || t.from_stage || '"', 'that creates, '), t.to_stage),
			   t.condition, 'transition'
		FROM %1$I.transition AS t
		WHERE t.definition = $1 AND t.condition IS NOT NULL
		ORDER BY 1, 2 $query$, funnel) USING definition
	LOOP
		BEGIN
			PERFORM @extschema@.check_condition(funnel::name, part.target::text, part.condition::text, definition);
		EXCEPTION
			WHEN query_canceled OR insufficient_privilege THEN
				RAISE;
			WHEN OTHERS THEN
				problem := format('The condition of %s does not compile: %s.', part.what, SQLERRM);
				hint := 'Correct it; check_condition() shows where.';
				RETURN NEXT;
		END;
	END LOOP;

	FOR part IN EXECUTE format($query$
		SELECT t.transition_id, named.stage
		FROM %1$I.transition AS t
		CROSS JOIN LATERAL (VALUES (t.from_stage), (t.to_stage)) AS named (stage)
		WHERE t.definition = $1 AND named.stage <> '*'
		AND NOT EXISTS (SELECT FROM %1$I.stage AS s WHERE s.stage = named.stage)
		ORDER BY 1, 2 $query$, funnel) USING definition
	LOOP
		problem := format('Transition %s names stage "%s", which does not exist.', part.transition_id, part.stage);
		hint := 'Add it to table "stage", or remove the transition.';
		RETURN NEXT;
	END LOOP;

	problem := @extschema@._automatic_circle(funnel, definition);
	IF problem IS NOT NULL THEN
		problem := format('Automatic transitions lead in a circle: %s.', problem);
		hint := 'Give one of them a condition that the others exclude, or let people ask for it.';
		RETURN NEXT;
	END IF;

	FOR part IN SELECT * FROM @extschema@._out_of_reach(funnel, definition) LOOP
		problem := format('The transition %s asks for %s >= %s, and the caps let nobody have more than %s.',
						  part.transition, part.quantity, part.threshold, part.most);
		hint := 'Raise or remove the caps (max_fit, max_engagement of the definition, max_points of rules), or lower the threshold.';
		RETURN NEXT;
	END LOOP;

	IF cardinality(def.sides) > 0 THEN
		SELECT array_agg(DISTINCT s.signed_by) INTO signers
		FROM @extschema@._signers(funnel, definition) AS s WHERE s.side = ANY (def.sides);
		FOR part IN
			SELECT asked.side FROM unnest(def.sides) WITH ORDINALITY AS asked (side, position)
			WHERE NOT EXISTS (SELECT FROM @extschema@._signers(funnel, definition) AS s WHERE s.side = asked.side)
			ORDER BY asked.position
		LOOP
			problem := format('Side "%s" has not signed it as it is now.', part.side);
			named := @extschema@._role_of_side(funnel, part.side::text);
			hint := CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = named)
					THEN format('A member of role "%s" calls sign_definition().', named)
					ELSE format('Role "%s" does not exist: name another one in table "side".', named) END;
			RETURN NEXT;
		END LOOP;
		IF signers = ARRAY[@extschema@._actor()] THEN
			problem := format('Nobody but "%s", who activates it, has signed it.', signers[1]);
			hint := 'Four eyes see more than two: let somebody else sign or activate it.';
			RETURN NEXT;
		END IF;
	END IF;
END
$body$;

COMMENT ON FUNCTION check_definition(text, text) IS
'what keeps a definition from being activated by the caller, a row a problem; none: nothing';

CREATE FUNCTION guard_definition() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('guard_definition'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
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

	IF OLD.status = 'active' AND NEW.status = 'active' AND
	   (NEW.max_fit, NEW.max_engagement, NEW.floor) IS DISTINCT FROM
	   (OLD.max_fit, OLD.max_engagement, OLD.floor) THEN
		PERFORM @extschema@._refuse_signed(TG_TABLE_SCHEMA::text, OLD.definition::text, TG_TABLE_NAME::text);
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

COMMENT ON FUNCTION guard_definition() IS
'trigger on definition: BEFORE INSERT OR UPDATE: one that becomes active is sound and gets a new version; status and sides are the owner''s; keeps who agreed';

CREATE FUNCTION keep_one_active() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('keep_one_active'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
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

COMMENT ON FUNCTION keep_one_active() IS
'trigger on definition: AFTER UPDATE OR DELETE: the active one goes only where another takes its place';
