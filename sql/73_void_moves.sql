--
-- Moves that do not count
--
-- A misclick or a flood is voided, not erased: the row stays, metrics pass it
-- over, and the lead stands where the moves that remain have led.  What the
-- move used up (resume_at, the reason, the owner) does not come back.  A move that the
-- lead still earns by itself happens again with its next fact or sweep.
--
-- A repeated row is void while it repeats: named here, it stays so.
CREATE FUNCTION _void(funnel text, history_ids bigint[], why text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	voided bigint;
BEGIN
	EXECUTE format('UPDATE %I.stage_history SET voided_at = $2, voided_by = $3, voided_why = $4, '
				   'from_stage = CASE WHEN from_stage <> to_stage THEN from_stage END '
				   'WHERE history_id = ANY ($1) AND (voided_at IS NULL OR from_stage = to_stage)', funnel)
		USING history_ids, @extschema@.funnel_now(), @extschema@._actor(), why;
	GET DIAGNOSTICS voided = ROW_COUNT;
	RETURN voided;
END
$body$;

COMMENT ON FUNCTION _void(text, bigint[], text) IS
'part of void_moves() and merge_leads(): marks moves as void by whoever acts; returns how many were not yet';

-- In key order, as triggers take them: whoever moves one of these leads comes
-- before or after.  Who has gone has no row to lock, and one may just be coming
-- under that key.
CREATE FUNCTION _hold_leads(funnel text, keys text[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	there bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM (SELECT FROM %1$s WHERE %2$I IN (%3$s) ORDER BY %2$I FOR NO KEY UPDATE) AS locked',
				   k.leads, k.key, @extschema@._keys_query(keys, k.key_type::text)) INTO there;
	IF there < cardinality(keys) THEN
		EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', k.leads);
	END IF;
END
$body$;

COMMENT ON FUNCTION _hold_leads(text, text[]) IS
'part of void_moves() and forget_leads(): locks leads, given by distinct keys; all of them where some are gone';

CREATE FUNCTION void_moves(funnel text, history_ids bigint[], why text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k record := @extschema@._funnel_key(funnel);
	keys text[];
	unknown bigint[];
	homeless text[];
	voided bigint;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'void_moves'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'void_moves'::text);
	PERFORM @extschema@._require_read_committed('void_moves'::text);
	IF coalesce(btrim(why), '') = '' THEN
		RAISE EXCEPTION 'a reason why the moves are void must be given'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;

	EXECUTE format('SELECT array_agg(DISTINCT id ORDER BY id) FROM unnest($1) AS id '
				   'WHERE NOT EXISTS (SELECT FROM %I.stage_history WHERE history_id = id)', funnel)
		INTO unknown USING history_ids;
	IF unknown IS NOT NULL THEN
		RAISE EXCEPTION 'funnel "%" has no move %', funnel, array_to_string(unknown, ', ', 'NULL')
			USING ERRCODE = 'no_data_found',
				  HINT = format('Moves are named by history_id of %I.stage_history.', funnel);
	END IF;

	EXECUTE format('SELECT array_agg(DISTINCT lead_id::text) FROM %I.stage_history WHERE history_id = ANY ($1)', funnel)
		INTO keys USING history_ids;
	PERFORM @extschema@._hold_leads(funnel, keys);

	voided := @extschema@._void(funnel, history_ids, why);

	EXECUTE format('SELECT array_agg(key) FROM unnest($1) AS key WHERE NOT EXISTS '
				   '(SELECT FROM %1$I.stage_history AS h WHERE h.lead_id = key::%2$s '
				   'AND (h.voided_at IS NULL OR h.from_stage = h.to_stage) '
				   'AND NOT EXISTS (SELECT FROM %1$I.departure AS d WHERE d.lead_id = h.lead_id AND d.last_move >= h.history_id)) '
				   'AND EXISTS (SELECT FROM %3$s WHERE %4$I = key::%2$s)',
				   funnel, k.key_type, k.leads, k.key)
		INTO homeless USING keys;
	IF homeless IS NOT NULL THEN
		RAISE EXCEPTION 'cannot void all moves of a lead of funnel "%"', funnel
			USING ERRCODE = 'restrict_violation',
				  DETAIL = format('Nowhere to stand would be left for lead %s.', array_to_string(homeless, ', ')),
				  HINT = 'Delete a lead that should never have been there.';
	END IF;

	IF keys IS NOT NULL THEN
		PERFORM @extschema@._rebuild_leads(funnel, keys);
	END IF;
	RETURN voided;
END
$body$;

COMMENT ON FUNCTION void_moves(text, bigint[], text) IS
'declares moves void, given by history_id, and puts their leads where the moves that remain lead (a move that a lead still earns by itself comes again with the next sweep); for members of the role that owns the funnel; returns how many were voided';
