--
-- Recording what a lead did
--
CREATE FUNCTION record_activity(funnel text, lead text, kind text,
								occurred_at timestamptz DEFAULT NULL,
								source text DEFAULT NULL,
								campaign text DEFAULT NULL,
								properties jsonb DEFAULT '{}',
								actor text DEFAULT NULL,
								external_id text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k record;
	found_by text;
	recorded bigint;
	known bigint;
BEGIN
	IF lead IS NULL THEN
		RAISE EXCEPTION 'external id or e-mail address of a lead must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	k := @extschema@._funnel_key(funnel);
	-- by external id, or else by address; two are enough to know
	found_by := format('SELECT %1$I FROM %2$s WHERE external_id = $1 '
					   'UNION ALL '
					   '(SELECT %1$I FROM %2$s WHERE lower(email) = lower($1) '
					   'AND NOT EXISTS (SELECT FROM %2$s WHERE external_id = $1)) LIMIT 2', k.key, k.leads);

	-- No conflict target: that would need SELECT on its columns, and a log
	-- partitioned by time cannot have that key.
	EXECUTE format($query$
		INSERT INTO %1$I.activity (lead_id, occurred_at, kind, source, campaign,
								   actor, properties, external_id)
		SELECT key, $2, $3, $4, $5, $6, $7, $8
		FROM (%2$s) AS l (key)
		WHERE (SELECT count(*) FROM (%2$s) AS any_of) = 1 %3$s $query$, funnel, found_by,
				   CASE WHEN external_id IS NOT NULL THEN 'ON CONFLICT DO NOTHING' END)
		USING lead, coalesce(occurred_at, @extschema@.funnel_now()), kind, source,
			  campaign, actor, coalesce(properties, '{}'), external_id;
	GET DIAGNOSTICS recorded = ROW_COUNT;
	IF recorded > 0 THEN
		RETURN true;
	END IF;

	EXECUTE format('SELECT count(*) FROM (%s) AS l', found_by) INTO known USING lead;
	IF known > 1 THEN
		RAISE EXCEPTION 'more than one lead of funnel "%" is "%"', funnel, lead
			USING ERRCODE = 'cardinality_violation',
				  DETAIL = 'The columns external_id and e-mail address of the table it is attached to are not unique.',
				  HINT = format('Insert into %I.activity with the key of the lead.', funnel);
	END IF;
	IF known = 0 THEN
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
