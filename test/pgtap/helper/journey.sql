-- pg_temp.unlike(): rows of table journey that are not as the statement tells
-- them from history, departures and log, or the reverse
CREATE FUNCTION pg_temp.unlike(funnel text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	columns text;
BEGIN
	SELECT string_agg(quote_ident(c), ', ') INTO columns
	FROM (SELECT unnest(ARRAY['lead_id', 'cycle']) AS c UNION ALL SELECT name FROM _journey_columns()) AS all_of_them;
	RETURN QUERY EXECUTE format(
		'WITH there AS (SELECT to_jsonb(t) AS j FROM (SELECT %2$s FROM %1$I.journey) AS t), '
		'told AS (SELECT to_jsonb(t) AS j FROM (SELECT %2$s FROM (%3$s) AS t) AS t) '
		'SELECT ''table '' || jsonb_strip_nulls(j)::text FROM (TABLE there EXCEPT ALL TABLE told) AS x '
		'UNION ALL SELECT ''told '' || jsonb_strip_nulls(j)::text FROM (TABLE told EXCEPT ALL TABLE there) AS x',
		funnel, columns, _journey_query(funnel, NULL::text[], NULL::text));
END $$;
