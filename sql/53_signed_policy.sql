--
-- What was signed stays as it was signed
--
-- A definition that asks for signatures is changed by copying it: the copy is
-- signed as it is, then activated.  Where the owner allows changes in place
-- (setting.edit_signed), they leave it unsigned, which the agreement tells.
--
CREATE FUNCTION _refuse_signed(funnel text, definition text, relation text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	asked text[];
	allowed boolean;
BEGIN
	EXECUTE format('SELECT d.sides FROM %I.definition AS d '
				   'WHERE d.definition = $1 AND d.status = ''active'' AND cardinality(d.sides) > 0', funnel)
		INTO asked USING definition;
	IF asked IS NULL THEN
		RETURN;
	END IF;
	EXECUTE format('SELECT s.edit_signed FROM %I.setting AS s', funnel) INTO allowed;
	IF allowed IS NOT TRUE THEN
		RAISE EXCEPTION 'definition "%" is not changed while it is active', definition
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = format('It asks for the signatures of: %s.', array_to_string(asked, ', ')),
				  HINT = format('Call copy_definition(), change the copy, have it signed with sign_definition() '
								'and call activate_definition(); or the owner sets edit_signed in %I.setting.', funnel),
				  SCHEMA = funnel, TABLE = relation;
	END IF;
END
$body$;

COMMENT ON FUNCTION _refuse_signed(text, text, text) IS
'raises if a definition is active and asks for signatures, unless the funnel allows to change it in place';

CREATE FUNCTION guard_signed() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('guard_signed'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
BEGIN
	IF @extschema@._importing() THEN
		RETURN coalesce(NEW, OLD);
	END IF;
	-- nothing is changed by who writes back what is there
	IF TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN
		RETURN NEW;
	END IF;
	IF TG_OP IN ('UPDATE', 'DELETE') THEN
		PERFORM @extschema@._refuse_signed(TG_TABLE_SCHEMA::text, OLD.definition::text, TG_TABLE_NAME::text);
	END IF;
	IF TG_OP IN ('UPDATE', 'INSERT') THEN
		PERFORM @extschema@._refuse_signed(TG_TABLE_SCHEMA::text, NEW.definition::text, TG_TABLE_NAME::text);
	END IF;
	RETURN coalesce(NEW, OLD);
END
$body$;

COMMENT ON FUNCTION guard_signed() IS
'trigger on rule and transition: BEFORE INSERT, UPDATE OR DELETE FOR EACH ROW: an active definition that asks for signatures is not changed in place';

-- Who must sign a move is the owner's to say: not to be taken away, nor passed
-- by on another way to the same stage, wherever that one begins.
CREATE FUNCTION guard_sides() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because what others plant in our schema must not be found
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('guard_sides'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	owner constant oid := (SELECT relowner FROM pg_class WHERE oid = TG_RELID);
	asked text[];
	of_stage text;
BEGIN
	IF @extschema@._importing() OR @extschema@._owns_table(TG_RELID::oid) THEN
		RETURN coalesce(NEW, OLD);
	END IF;

	IF TG_OP IN ('UPDATE', 'DELETE') AND cardinality(OLD.sides) > 0 AND
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
					   'WHERE d.status = ''active'' AND t.definition = $1 AND t.transition_id <> $2 '
					   'AND t.to_stage = $3 AND NOT coalesce($4, ''{}'') @> t.sides '
					   'ORDER BY t.transition_id LIMIT 1', TG_TABLE_SCHEMA)
			INTO asked, of_stage
			USING NEW.definition, NEW.transition_id, NEW.to_stage, NEW.sides;
	END IF;
	IF asked IS NOT NULL THEN
		RAISE EXCEPTION 'permission denied to change who must sign a move to stage "%"', of_stage
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('It asks for the signatures of: %s. Only members of role "%s", which owns the funnel, '
								  'may lift that or open another way there.',
								  array_to_string(asked, ', '), pg_get_userbyid(owner)),
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'sides';
	END IF;
	RETURN coalesce(NEW, OLD);
END
$body$;

COMMENT ON FUNCTION guard_sides() IS
'trigger on transition: BEFORE INSERT, UPDATE OR DELETE FOR EACH ROW: who must sign a move is the owner''s to say';
