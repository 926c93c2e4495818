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
	k constant record := @extschema@._funnel_key(funnel);
	found_lead text;
	recorded bigint;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'record_activity'::text);
	found_lead := @extschema@._find_lead(funnel, lead);
	-- No conflict target: that would need SELECT on its columns, and a log
	-- partitioned by time cannot have that key.
	EXECUTE format($query$
		INSERT INTO %I.activity (lead_id, occurred_at, kind, source, campaign,
								 actor, properties, external_id)
		VALUES ($1::%s, $2, $3, $4, $5, $6, $7, $8) %s $query$, funnel, k.key_type,
				   CASE WHEN external_id IS NOT NULL THEN 'ON CONFLICT DO NOTHING' END)
		USING found_lead, coalesce(occurred_at, @extschema@.funnel_now()), kind, source,
			  campaign, actor, coalesce(properties, '{}'), external_id;
	GET DIAGNOSTICS recorded = ROW_COUNT;
	RETURN recorded > 0;
END
$body$;

COMMENT ON FUNCTION record_activity(text, text, text, timestamptz, text, text, jsonb, text, text) IS
'records what a lead did; false if the activity of that external_id was there already';
