--
-- What a lead that is merged was known by
--
CREATE FUNCTION _names_of_lead(funnel text, lead text) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	own text;
	names jsonb;
BEGIN
	SELECT string_agg(format('UNION ALL SELECT jsonb_build_object(%L, l.%I::text) FROM %s AS l WHERE l.%I = $1::%s ',
							 a.attname, a.attname, k.leads, k.key, k.key_type), '') INTO own
	FROM pg_attribute AS a
	WHERE a.attrelid = k.leads AND a.attname IN ('external_id', 'email') AND NOT a.attisdropped;
	EXECUTE format('SELECT jsonb_agg(n.name) FROM (SELECT to_jsonb(a) FROM %I.lead_alias AS a WHERE a.lead_id = $1::%s '
				   'UNION ALL SELECT jsonb_build_object(''former_key'', $1) %s) AS n (name)',
				   funnel, k.key_type, own)
		INTO names USING lead;
	RETURN names;
END
$body$;

COMMENT ON FUNCTION _names_of_lead(text, text) IS
'part of merge_leads(): what a lead, given by key, is known by: a row of lead_alias each';

-- What another lead has for its own by now, stays that one's.
CREATE FUNCTION _add_aliases(funnel text, lead text, names jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	own text;
BEGIN
	SELECT string_agg(format('AND NOT EXISTS (SELECT FROM %s AS l WHERE %s) ', k.leads,
							 CASE a.attname WHEN 'email' THEN 'lower(l.email::text) = lower(n.email)'
							 ELSE 'l.external_id::text = n.external_id' END), '') INTO own
	FROM pg_attribute AS a
	WHERE a.attrelid = k.leads AND a.attname IN ('external_id', 'email') AND NOT a.attisdropped;
	EXECUTE format($query$
		INSERT INTO %I.lead_alias (lead_id, external_id, email, former_key, since)
		SELECT $1::%s, n.external_id, n.email, n.former_key, coalesce(n.since, @extschema@.funnel_now())
		FROM jsonb_to_recordset($2) AS n (external_id text, email text, former_key text, since timestamptz)
		WHERE concat(n.external_id, n.email, n.former_key) <> '' %s
		ON CONFLICT DO NOTHING $query$, funnel, k.key_type, own)
		USING lead, names;
END
$body$;

COMMENT ON FUNCTION _add_aliases(text, text, jsonb) IS
'part of merge_leads(): a lead, given by key, is known by these names, too, but for those that are a lead''s own';
