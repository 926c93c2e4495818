--
-- The metrics that a target may be set for
--
CREATE FUNCTION _metrics() RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT 'revenue'
	UNION ALL
	SELECT format('entries:%s', m) FROM unnest(@extschema@._milestones()) AS m
	UNION ALL
	SELECT format('rate:%s>%s', a.milestone, b.milestone)
	FROM unnest(@extschema@._milestones()) WITH ORDINALITY AS a (milestone, n)
	JOIN unnest(@extschema@._milestones()) WITH ORDINALITY AS b (milestone, n) ON b.n > a.n
	WHERE NOT @extschema@._is_exit(a.milestone::text)
$body$;

COMMENT ON FUNCTION _metrics() IS
'the metrics that a target may be set for: revenue, entries into a milestone, the rate from one to a later one';

CREATE FUNCTION _check_metric(metric text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	IF metric IS NULL OR EXISTS (SELECT FROM @extschema@._metrics() AS m WHERE m = metric) THEN
		RETURN true;
	END IF;
	RAISE EXCEPTION 'there is no metric "%"', @extschema@._clip(metric::text)
		USING ERRCODE = 'invalid_parameter_value',
			  HINT = format('Metrics are revenue, entries:<milestone> and rate:<milestone>><milestone>, from one to a later one; milestones are %s.',
							array_to_string(@extschema@._milestones(), ', '));
END
$body$;

COMMENT ON FUNCTION _check_metric(text) IS
'raises where there is no such metric; a CHECK of table target';
