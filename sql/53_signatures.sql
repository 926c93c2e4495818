--
-- Signatures: who signs for which side, and that it binds
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
		RAISE EXCEPTION 'side "%" does not exist', @extschema@._clip(side::text)
			USING ERRCODE = 'foreign_key_violation',
				  HINT = coalesce(format('The sides are: %s.', array_to_string(known, ', ')),
								  'Insert it into table "side" first.');
	END IF;
	RETURN named;
END
$body$;

COMMENT ON FUNCTION _role_of_side(text, text) IS
'the role whose members sign for a side of a funnel; an error if there is no such side';

CREATE FUNCTION _check_sides() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_check_sides'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
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

COMMENT ON FUNCTION _check_sides() IS
'trigger on transition and definition: the sides that they ask for exist';

CREATE FUNCTION _lock_cycle(signature oid, lead text, OUT cycle integer, OUT started_at timestamptz) RETURNS record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _lock_cycle(oid, text) IS
'locks a lead for who may insert into that table of signatures; its cycle, and since when, NULL if it is gone';

-- Whoever signs is a member of the side's role, now; who and when, and which
-- cycle or version, is not for the client to say.
CREATE FUNCTION _stamp_signature() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_stamp_signature'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	k record;
	named name;
	started_at timestamptz;
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
		-- A move may begin another one: what the signer sees of the lead is
		-- asked for first, then it stays.  One that began after this
		-- transaction is signed in, not before.
		IF NEW.cycle IS NOT NULL THEN
			SELECT l.cycle, l.started_at INTO NEW.cycle, started_at
			FROM @extschema@._lock_cycle(TG_RELID::oid, NEW.lead_id::text) AS l;
			NEW.signed_at := greatest(NEW.signed_at, started_at);
		END IF;
		-- in the words of _require_lead(), which comes too late
		IF NEW.cycle IS NULL THEN
			RAISE EXCEPTION 'insert or update on table "signature" violates foreign key constraint "signature_lead_id_fkey"'
				USING ERRCODE = 'foreign_key_violation',
					  DETAIL = format('Key (lead_id)=(%s) is not present in table "lead".', @extschema@._clip(NEW.lead_id::text)),
					  HINT = 'Insert the lead first.',
					  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = 'signature_lead_id_fkey';
		END IF;
	ELSE
		-- whatever changes now is another version
		PERFORM @extschema@._version_used(TG_TABLE_SCHEMA::text);
		EXECUTE format('SELECT version FROM %I.definition WHERE definition = $1', TG_TABLE_SCHEMA)
			INTO NEW.version USING NEW.definition;
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _stamp_signature() IS
'trigger on signature: members of the side''s role sign; keeps signed_by, signed_at, cycle and version';

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
			WHERE l.version > s.version AND l.operation <> 'renamed'
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

-- Who must sign a move is the owner's to say, and who signs for a side.  It is
-- not to be taken away, nor passed by: on another way to the same milestone,
-- wherever that one begins, or past it, or by giving a stage its milestone.
CREATE FUNCTION _guard_sides() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_guard_sides'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	owner constant oid := (SELECT relowner FROM pg_class WHERE oid = TG_RELID);
	asked text[];
	of_stage text;
	what text;
BEGIN
	IF @extschema@._importing() OR @extschema@._owns_table(TG_RELID::oid) THEN
		RETURN coalesce(NEW, OLD);
	END IF;

	IF TG_TABLE_NAME = 'side' THEN
		IF NEW.role IS DISTINCT FROM OLD.role THEN
			RAISE EXCEPTION 'permission denied to change who signs for side "%"', OLD.side
				USING ERRCODE = 'insufficient_privilege',
					  DETAIL = format('Only members of role "%s", which owns the funnel, may.', pg_get_userbyid(owner)),
					  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'role';
		END IF;
		RETURN NEW;
	ELSIF TG_TABLE_NAME = 'stage' THEN
		IF NEW.milestone <> OLD.milestone THEN
			what := format('the milestone of stage "%s"', OLD.stage);
			EXECUTE format('SELECT t.sides, t.to_stage FROM %1$I.transition AS t '
						   'JOIN %1$I.definition AS d ON d.definition = t.definition '
						   'WHERE d.status = ''active'' AND cardinality(t.sides) > 0 ORDER BY t.transition_id LIMIT 1', TG_TABLE_SCHEMA)
				INTO asked, of_stage;
		END IF;
	ELSIF TG_OP IN ('UPDATE', 'DELETE') AND cardinality(OLD.sides) > 0 AND
		  (TG_OP = 'DELETE' OR
		   (NEW.definition, NEW.from_stage, NEW.to_stage, NEW.sides) IS DISTINCT FROM
		   (OLD.definition, OLD.from_stage, OLD.to_stage, OLD.sides)) THEN
		asked := OLD.sides;
		of_stage := OLD.to_stage;
	ELSIF TG_OP = 'INSERT' OR
		  (TG_OP = 'UPDATE' AND
		   (NEW.definition, NEW.from_stage, NEW.to_stage, NEW.automatic, NEW.condition, NEW.needs_reason,
			NEW.exception, NEW.sides) IS DISTINCT FROM
		   (OLD.definition, OLD.from_stage, OLD.to_stage, OLD.automatic, OLD.condition, OLD.needs_reason,
			OLD.exception, OLD.sides)) THEN
		EXECUTE format('SELECT t.sides, t.to_stage FROM %1$I.transition AS t '
					   'JOIN %1$I.definition AS d ON d.definition = t.definition '
					   'JOIN %1$I.stage AS s ON s.stage = t.to_stage '
					   'JOIN %1$I.stage AS z ON z.stage = $3 '
					   'LEFT JOIN %1$I.stage AS f ON f.stage = $5 '
					   'WHERE d.status = ''active'' AND t.definition = $1 AND t.transition_id <> $2 '
					   'AND NOT coalesce($4, ''{}'') @> t.sides '
					   'AND (z.milestone = s.milestone OR '
					   '     (@extschema@._has_reached(z.milestone::text, s.milestone::text) AND '
					   '      @extschema@._has_reached(f.milestone::text, s.milestone::text) IS NOT TRUE)) '
					   'ORDER BY t.transition_id LIMIT 1', TG_TABLE_SCHEMA)
			INTO asked, of_stage
			USING NEW.definition, NEW.transition_id, NEW.to_stage, NEW.sides, NEW.from_stage;
	END IF;
	IF asked IS NOT NULL THEN
		RAISE EXCEPTION 'permission denied to change %',
			coalesce(what, format('who must sign a move to stage "%s"', of_stage))
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('A move to stage "%s" asks for the signatures of: %s. Only members of role "%s", which owns the funnel, '
								  'may lift that or open another way to its milestone or past it.',
								  of_stage, array_to_string(asked, ', '), pg_get_userbyid(owner)),
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
				  COLUMN = CASE TG_TABLE_NAME WHEN 'stage' THEN 'milestone' ELSE 'sides' END;
	END IF;
	RETURN coalesce(NEW, OLD);
END
$body$;

COMMENT ON FUNCTION _guard_sides() IS
'trigger on transition, stage and side: BEFORE INSERT, UPDATE OR DELETE FOR EACH ROW: who must sign a move, and who signs, is the owner''s to say';
