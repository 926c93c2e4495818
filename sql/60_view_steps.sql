--
-- What the views of steps share
--
-- Views of users' funnels call these: their signatures are frozen.
--
CREATE FUNCTION _wilson(k numeric, n numeric) RETURNS numeric[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	-- z is the 0.975 quantile of the normal distribution, z2 its square
	SELECT CASE WHEN n > 0 AND k BETWEEN 0 AND n THEN
		ARRAY[CASE WHEN k > 0 THEN greatest((k + c.z2 / 2 - w.half) / (n + c.z2), 0) ELSE 0 END,
			  CASE WHEN k < n THEN least((k + c.z2 / 2 + w.half) / (n + c.z2), 1) ELSE 1 END] END
	FROM (VALUES (1.959963984540054, 3.841458820694124)) AS c (z, z2)
	CROSS JOIN LATERAL (SELECT CASE WHEN n > 0 AND k BETWEEN 0 AND n
									THEN c.z * sqrt(k * (n - k) / n + c.z2 / 4) END AS half) AS w
$body$;

COMMENT ON FUNCTION _wilson(numeric, numeric) IS
'Wilson''s 95 % interval of a rate, k of n: lower and upper limit, within 0 and 1, not rounded; NULL where n is none or k is not among them';
