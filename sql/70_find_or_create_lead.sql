--
-- A lead that may be there already
--
CREATE FUNCTION _lock_name(funnel text, name text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _lock_name(text, text) IS
'part of find_or_create_lead(): waits for who may be about to create a lead with the same external id or address';

-- What a lead has stays; only what the caller may read and write is filled.
CREATE FUNCTION _fill_lead(funnel text, lead text, fields jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	given text;
	filled text;
	lacks text;
BEGIN
	SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '),
		   string_agg(format(CASE a.attname WHEN 'properties' THEN '%1$I = coalesce(n.%1$I || l.%1$I, l.%1$I, n.%1$I)'
							 ELSE '%1$I = coalesce(l.%1$I, n.%1$I)' END, a.attname), ', '),
		   string_agg(format(CASE a.attname WHEN 'properties' THEN '(n.%1$I || l.%1$I <> l.%1$I) IS NOT FALSE'
							 ELSE 'l.%1$I IS NULL' END, a.attname), ' OR ')
		INTO given, filled, lacks
	FROM pg_attribute AS a
	WHERE a.attrelid = k.leads AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> k.key
	AND fields ? a.attname::text AND a.attgenerated = ''
	AND has_column_privilege(k.leads, a.attnum, 'SELECT') AND has_column_privilege(k.leads, a.attnum, 'UPDATE');
	IF given IS NOT NULL THEN
		EXECUTE format('UPDATE %s AS l SET %s FROM jsonb_to_record($2) AS n (%s) WHERE l.%I = $1::%s AND (%s)',
					   k.leads, filled, given, k.key, k.key_type, lacks)
			USING lead, fields;
	END IF;
END
$body$;

COMMENT ON FUNCTION _fill_lead(text, text, jsonb) IS
'part of find_or_create_lead(): gives a lead, named by its key, what it has none of';

CREATE FUNCTION _create_lead(funnel text, fields jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	names text;
	given text;
	lead text;
BEGIN
	SELECT string_agg(quote_ident(a.attname), ', '),
		   string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ')
		INTO names, given
	FROM pg_attribute AS a
	WHERE a.attrelid = k.leads AND a.attnum > 0 AND NOT a.attisdropped AND fields ? a.attname::text;
	-- no conflict target: what is unique in a table of the user's is not known
	EXECUTE format('INSERT INTO %s (%s) SELECT %2$s FROM jsonb_to_record($1) AS n (%s) ON CONFLICT DO NOTHING RETURNING %I::text',
				   k.leads, names, given, k.key)
		INTO lead USING fields;
	RETURN lead;
END
$body$;

COMMENT ON FUNCTION _create_lead(text, jsonb) IS
'part of find_or_create_lead(): the key of a new lead, or NULL where there is one like it';

CREATE FUNCTION find_or_create_lead(funnel text, email text DEFAULT NULL, external_id text DEFAULT NULL,
									fields jsonb DEFAULT '{}', OUT lead text, OUT created boolean)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_variable
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	kept constant text[] := @extschema@._kept_columns();
	given jsonb;
	wrong text;
	found_leads text[];
	fits text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'find_or_create_lead'::text);
	IF jsonb_typeof(coalesce(fields, '{}')) <> 'object' THEN
		RAISE EXCEPTION 'fields of a lead must be an object of columns, such as {"full_name": "Ann Lee"}'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- an empty address is nobody's
	email := nullif(coalesce(email, fields ->> 'email'), '');
	external_id := nullif(coalesce(external_id, fields ->> 'external_id'), '');
	IF email IS NULL AND external_id IS NULL THEN
		RAISE EXCEPTION 'e-mail address or external id of a lead must be given'
			USING ERRCODE = 'null_value_not_allowed',
				  HINT = 'A lead without either is inserted into the table.';
	END IF;
	SELECT jsonb_object_agg(f.key, f.value) INTO given
	FROM jsonb_each(coalesce(fields, '{}') || jsonb_build_object('email', email, 'external_id', external_id)) AS f
	WHERE f.value <> 'null';
	SELECT f INTO wrong
	FROM jsonb_object_keys(given) AS f
	WHERE f = ANY (kept)
	OR NOT EXISTS (SELECT FROM pg_attribute AS a
				   WHERE a.attrelid = k.leads AND a.attname = f AND a.attnum > 0 AND NOT a.attisdropped)
	ORDER BY f
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'column "%" of a lead cannot be given here', wrong
			USING ERRCODE = CASE WHEN wrong = ANY (kept) THEN 'invalid_parameter_value' ELSE 'undefined_column' END,
				  DETAIL = CASE WHEN wrong = ANY (kept) THEN 'It belongs to a move, or is kept by triggers.'
						   ELSE format('%s has no such column.', k.leads) END,
				  HINT = CASE WHEN wrong = ANY (kept) THEN format('Update %s when the lead is there.', k.leads)
						 ELSE format('Its columns are: %s.', (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute AS a
															 WHERE a.attrelid = k.leads AND a.attnum > 0 AND NOT a.attisdropped
															 AND a.attname::text <> ALL (kept))) END;
	END IF;

	-- in a table of the user's, two leads may have the same address: there is
	-- no index where two who create it at once would meet
	IF (SELECT c.relkind FROM pg_class AS c WHERE c.oid = k.leads) = 'v' THEN
		PERFORM @extschema@._require_read_committed('find_or_create_lead'::text);
		-- in one order, so that nobody waits crosswise
		PERFORM @extschema@._lock_name(funnel, n.name)
		FROM (SELECT name FROM unnest(ARRAY[lower(email), lower(external_id)]) AS name ORDER BY name) AS n;
	END IF;

	FOR attempt IN 1..5 LOOP
		SELECT array_agg(DISTINCT s.key), string_agg(format('%s of lead %s', s.what, s.key), ', ')
			INTO found_leads, fits
		FROM (SELECT * FROM @extschema@._seek_lead(funnel, 'email'::text, email)
			  UNION ALL
			  SELECT * FROM @extschema@._seek_lead(funnel, 'external_id'::text, external_id)) AS s;
		IF cardinality(found_leads) > 1 THEN
			RAISE EXCEPTION 'more than one lead of funnel "%" is meant', funnel
				USING ERRCODE = 'cardinality_violation',
					  DETAIL = format('What is given is: %s.', fits),
					  HINT = 'Where they are one person, merge_leads() makes one lead of them.';
		END IF;
		BEGIN
			IF found_leads IS NULL THEN
				lead := @extschema@._create_lead(funnel, given);
				created := true;
			ELSE
				PERFORM @extschema@._fill_lead(funnel, found_leads[1], given);
				lead := found_leads[1];
				created := false;
			END IF;
		EXCEPTION WHEN unique_violation THEN
			-- somebody was faster: the lead, or an alias, is there now
			IF attempt = 5 THEN
				RAISE;
			END IF;
		END;
		IF lead IS NOT NULL THEN
			RETURN;
		END IF;
	END LOOP;

	RAISE EXCEPTION 'lead can be neither found nor created in funnel "%"', funnel
		USING ERRCODE = 'unique_violation',
			  DETAIL = 'Another row has the same key, or the same value of a column that is unique, and is not to be found by external id or address.',
			  HINT = 'Row security may hide it.';
END
$body$;

COMMENT ON FUNCTION find_or_create_lead(text, text, text, jsonb) IS
'the key of the lead with an e-mail address or an external id, aliases included, and whether it was created; fields are further columns ({"full_name": "Ann Lee"}), which a lead that is there gets only where it has none, as far as the caller may read and update them. Of two sessions at once one creates it, and the other finds it';
