--
-- What the functions that act on a funnel ask first
--
-- They run as their caller: row security and privileges are those of the role.
-- Keys of leads may be of any type; arguments and results have them as text.
--

-- Read from the catalogs, so that a caller without a right on the settings can
-- record an activity.
CREATE FUNCTION _funnel_key(funnel text, OUT leads regclass, OUT key name, OUT key_type text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	SELECT l.oid, a.attname, format_type(a.atttypid, a.atttypmod)
		INTO leads, key, key_type
	FROM pg_namespace AS n
	JOIN pg_class AS l ON l.relnamespace = n.oid AND l.relname = 'lead'
	JOIN pg_attribute AS a ON a.attrelid = l.oid AND a.attname = 'lead_id'
	WHERE n.nspname = funnel;

	IF NOT FOUND THEN
		PERFORM @extschema@._funnel_schema(funnel);
		RAISE EXCEPTION 'leads of funnel "%" not found', funnel
			USING ERRCODE = 'undefined_table',
				  HINT = 'A funnel has a table or a view "lead" with a column "lead_id".';
	END IF;
END
$body$;

COMMENT ON FUNCTION _funnel_key(text) IS
'the leads of a funnel (its own table, or the view of the one it is attached to), their key and the key''s type';

-- Who is an owner is told in C, for functions in either language.
CREATE FUNCTION _require_funnel_owner(schema oid, function text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;

COMMENT ON FUNCTION _require_funnel_owner(oid, text) IS
'raises unless the caller has the privileges of the role that owns the funnel';

-- A SELECT runs what owners wrote, too; but whoever looks at a funnel can be
-- told by its owner what to expect, and these functions write.
CREATE FUNCTION _refuse_superuser(funnel text, function text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _refuse_superuser(text, text) IS
'raises where a superuser would run what another role, which owns the funnel, has put there';

-- As lq_clip() does.
CREATE FUNCTION _clip(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT CASE WHEN pg_catalog.length(value) > 200 THEN pg_catalog."left"(value, 200) || '...' ELSE value END
$body$;

COMMENT ON FUNCTION _clip(text) IS
'a value of the user''s in a message: its beginning';

CREATE FUNCTION _owns_table(relation oid) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _owns_table(oid) IS
'has the caller the privileges of the role that owns the table?';

CREATE FUNCTION _check_settings(relation oid) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _check_settings(oid) IS
'raises if lead_qual.clock or lead_qual.import is set by who is no member of the role that owns the table';

-- A lock keeps others away from a lead; a snapshot of before the lock would
-- not show what they did until then.
CREATE FUNCTION _require_read_committed(function text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		RAISE EXCEPTION '%() cannot run in a transaction of isolation level %', function,
			upper(current_setting('transaction_isolation'))
			USING ERRCODE = 'invalid_transaction_state',
				  DETAIL = 'It must see what others commit until it has its locks.',
				  HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED.';
	END IF;
END
$body$;

COMMENT ON FUNCTION _require_read_committed(text) IS
'raises where a transaction has one snapshot for all of its statements';
