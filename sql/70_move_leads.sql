--
-- Moving leads
--
-- One function takes arrays of any type: beside one for texts a quoted literal
-- would not know where to go.
--
CREATE FUNCTION move_leads(funnel text, leads anycompatiblearray, stage text,
						   reason text DEFAULT NULL, note text DEFAULT NULL)
RETURNS TABLE (lead text, moved boolean, sqlstate text, message text, detail text, hint text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_variable
DECLARE
	k record := @extschema@._funnel_key(funnel);
	type constant oid := (SELECT t.typelem FROM pg_type AS t WHERE t.oid = pg_typeof(leads));
	of_texts constant boolean := (SELECT t.typcategory = 'S' FROM pg_type AS t WHERE t.oid = type);
	given text;
	keys text[] := '{}';
	in_stage text;
	done bigint;
	code text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'move_leads'::text);
	IF stage IS NULL THEN
		RAISE EXCEPTION 'stage to move leads to must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;

	-- who is not found is told of first
	FOREACH given IN ARRAY coalesce(leads::text[], '{}') LOOP
		CONTINUE WHEN given IS NULL;
		BEGIN
			keys := keys || @extschema@._find_lead(funnel, CASE WHEN of_texts THEN given
															ELSE @extschema@._name_key(funnel, given, type) END);
		EXCEPTION WHEN no_data_found OR cardinality_violation OR data_exception THEN
			GET STACKED DIAGNOSTICS
				code = RETURNED_SQLSTATE,
				message = MESSAGE_TEXT,
				detail = PG_EXCEPTION_DETAIL,
				hint = PG_EXCEPTION_HINT;
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

COMMENT ON FUNCTION move_leads(text, anycompatiblearray, text, text, text) IS
'asks for a stage for each of the leads (an array of texts, or of keys): a row for each tells whether it moved, or why not';
