--
-- What is done to a funnel
--
-- These functions run as their caller: row security and privileges are his.
-- Keys of leads may be of any type; arguments and results have them as text.
--

-- Read from the foreign key of the log, so that a caller without a right on
-- the settings can record an activity.
CREATE FUNCTION _funnel_key(funnel text, OUT leads regclass, OUT key name, OUT key_type text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, @extschema@, pg_temp
AS $body$
DECLARE
	schema oid;
BEGIN
	SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod)
		INTO leads, key, key_type
	FROM pg_namespace AS n
	JOIN pg_class AS log ON log.relnamespace = n.oid AND log.relname = 'activity'
	JOIN pg_attribute AS l ON l.attrelid = log.oid AND l.attname = 'lead_id'
	JOIN pg_constraint AS c ON c.conrelid = log.oid AND c.contype = 'f'
		AND c.conkey = ARRAY[l.attnum]
	JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = c.confkey[1]
	WHERE n.nspname = funnel
	LIMIT 1;

	-- no funnel, or one whose foreign key somebody dropped
	IF NOT FOUND THEN
		schema := _funnel_schema(funnel);
		SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod)
			INTO leads, key, key_type
		FROM pg_class AS c
		JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
		WHERE c.relnamespace = schema AND c.relname = 'lead';
		IF NOT FOUND THEN
			RAISE EXCEPTION 'key of the leads of funnel "%" not found', funnel
				USING ERRCODE = 'undefined_table',
					  HINT = 'Table "activity" of a funnel has a foreign key to the leads.';
		END IF;
	END IF;
END
$body$;

COMMENT ON FUNCTION _funnel_key(text) IS
'the table of leads of a funnel, its key and the key''s type';

CREATE FUNCTION _require_funnel_owner(schema oid, function text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	owner oid;
BEGIN
	SELECT relowner INTO STRICT owner
	FROM pg_class WHERE relnamespace = schema AND relname = 'setting';

	IF NOT pg_has_role(owner, 'USAGE') THEN
		RAISE EXCEPTION 'permission denied for funnel "%"',
			(SELECT nspname FROM pg_namespace WHERE oid = schema)
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('%s() is for members of role "%s", which owns the funnel.',
								  function, pg_get_userbyid(owner));
	END IF;
END
$body$;

COMMENT ON FUNCTION _require_funnel_owner(oid, text) IS
'raises unless the caller has the privileges of the role that owns the funnel';

--
-- Facts
--
CREATE FUNCTION record_activity(funnel text, lead text, kind text,
								occurred_at timestamptz DEFAULT NULL,
								source text DEFAULT NULL,
								campaign text DEFAULT NULL,
								properties jsonb DEFAULT '{}',
								actor text DEFAULT NULL,
								external_id text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, @extschema@, pg_temp
AS $body$
DECLARE
	k record;
	recorded bigint;
	known boolean;
BEGIN
	IF lead IS NULL THEN
		RAISE EXCEPTION 'external id or e-mail address of a lead must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	k := _funnel_key(funnel);

	-- No conflict target: that would need SELECT on its columns, and a log
	-- partitioned by time cannot have that key.
	EXECUTE format($query$
		INSERT INTO %1$I.activity (lead_id, occurred_at, kind, source, campaign,
								   actor, properties, external_id)
		SELECT key, $2, $3, $4, $5, $6, $7, $8
		FROM (SELECT coalesce((SELECT %2$I FROM %3$s WHERE external_id = $1),
							  (SELECT %2$I FROM %3$s WHERE lower(email) = lower($1)))) AS l (key)
		WHERE key IS NOT NULL %4$s $query$, funnel, k.key, k.leads,
				   CASE WHEN external_id IS NOT NULL THEN 'ON CONFLICT DO NOTHING' END)
		USING lead, coalesce(occurred_at, funnel_now()), kind, source,
			  campaign, actor, coalesce(properties, '{}'), external_id;
	GET DIAGNOSTICS recorded = ROW_COUNT;
	IF recorded > 0 THEN
		RETURN true;
	END IF;

	EXECUTE format('SELECT EXISTS (SELECT FROM %1$s WHERE external_id = $1) '
				   'OR EXISTS (SELECT FROM %1$s WHERE lower(email) = lower($1))', k.leads)
		INTO known USING lead;
	IF NOT known THEN
		RAISE EXCEPTION 'funnel "%" has no lead "%"', funnel, lead
			USING ERRCODE = 'no_data_found',
				  DETAIL = 'It was looked for by external_id and by e-mail address.',
				  HINT = format('Insert the lead into %I.lead first.', funnel);
	END IF;
	RETURN false;
END
$body$;

COMMENT ON FUNCTION record_activity(text, text, text, timestamptz, text, text, jsonb, text, text) IS
'records what a lead did, found by external id or else e-mail address; false if the activity of that external_id was there already';

--
-- Moves
--
CREATE FUNCTION move_leads(funnel text, leads text[], stage text,
						   reason text DEFAULT NULL, note text DEFAULT NULL)
RETURNS TABLE (lead text, moved boolean, sqlstate text, message text, detail text, hint text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, @extschema@, pg_temp
AS $body$
#variable_conflict use_variable
DECLARE
	k record := _funnel_key(funnel);
	given text;
	keys text[] := '{}';
	in_stage text;
	done bigint;
	code text;
BEGIN
	IF stage IS NULL THEN
		RAISE EXCEPTION 'stage to move leads to must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;

	-- what is no key at all is told of like a lead that does not exist
	FOREACH given IN ARRAY coalesce(leads, '{}') LOOP
		IF given IS NULL THEN
			CONTINUE;
		END IF;
		BEGIN
			EXECUTE format('SELECT $1::%s::text', k.key_type) INTO lead USING given;
			keys := keys || lead;
		EXCEPTION WHEN data_exception THEN
			GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
			lead := given;
			moved := false;
			move_leads.sqlstate := code;
			RETURN NEXT;
		END;
	END LOOP;

	-- in key order, as triggers take them: so nobody waits crosswise
	FOR lead IN
		EXECUTE format('SELECT key::text FROM (SELECT DISTINCT unnest($1)::%s) AS k (key) ORDER BY k.key',
					   k.key_type)
		USING keys
	LOOP
		moved := false;
		move_leads.sqlstate := NULL;
		message := NULL;
		detail := NULL;
		hint := NULL;
		BEGIN
			EXECUTE format('UPDATE %1$s SET stage = $2, reason = coalesce($3, reason), '
						   'note = coalesce($4, note) WHERE %2$I = $1::%3$s AND stage <> $2',
						   k.leads, k.key, k.key_type)
				USING lead, stage, reason, note;
			GET DIAGNOSTICS done = ROW_COUNT;
			moved := done > 0;
			IF NOT moved THEN
				EXECUTE format('SELECT stage FROM %s WHERE %I = $1::%s',
							   k.leads, k.key, k.key_type)
					INTO in_stage USING lead;
				IF in_stage = stage THEN
					message := format('lead is in stage "%s" already', stage);
				ELSE
					move_leads.sqlstate := 'P0002';
					message := format('funnel "%s" has no lead with key "%s"', funnel, lead);
				END IF;
			END IF;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS
				code = RETURNED_SQLSTATE,
				message = MESSAGE_TEXT,
				detail = PG_EXCEPTION_DETAIL,
				hint = PG_EXCEPTION_HINT;
			-- not about this lead: a deadlock or a failed serialization calls
			-- for another try of all, a server that stops for none
			IF left(code, 2) IN ('40', '53', '57', '58', 'XX') THEN
				RAISE;
			END IF;
			moved := false;
			move_leads.sqlstate := code;
			detail := nullif(detail, '');
			hint := nullif(hint, '');
		END;
		RETURN NEXT;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION move_leads(text, text[], text, text, text) IS
'asks for a stage for each of the leads, given by key: a row for each tells whether it moved, or why not';

--
-- Scores and time
--
CREATE FUNCTION rescore_funnel(funnel text, move boolean DEFAULT false) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION rescore_funnel(text, boolean) IS
'scores all leads anew from their logs by the active definition; they stay in their stages unless move is true; returns how many';

CREATE FUNCTION sweep_funnel(funnel text, max integer DEFAULT 1000,
							 OUT reviewed bigint, OUT rescored bigint, OUT failed bigint)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION sweep_funnel(text, integer) IS
'looks again at leads that time may have moved, and rescores those scored under an older version of the definition; to be called every few minutes';
