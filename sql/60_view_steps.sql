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

CREATE TYPE _step AS (place integer, month date, source text, entered bigint, reached bigint[], skipped bigint[]);

COMMENT ON TYPE _step IS
'units that entered a milestone, the one at that place, in a month from a source; by place, how many of them entered a later milestone not before this one, and how many never entered an earlier one';

CREATE FUNCTION _steps_add(internal, instants timestamptz[], months date[], sources text[]) RETURNS internal
AS 'MODULE_PATHNAME', 'steps_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _steps_end(internal) RETURNS _step[]
AS 'MODULE_PATHNAME', 'entries_end' LANGUAGE C STABLE PARALLEL SAFE;

CREATE AGGREGATE _steps(instants timestamptz[], months date[], sources text[]) (
	SFUNC = _steps_add, STYPE = internal, SSPACE = 65536,
	COMBINEFUNC = _entries_join, SERIALFUNC = _entries_write,
	DESERIALFUNC = _entries_read, FINALFUNC = _steps_end,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE _steps(timestamptz[], date[], text[]) IS
'units by milestone, month and source, and how far they came, given for each milestone when they entered it, and in which month and from where (NULL: not to be counted there, but as far as others came); NULL where no unit is';
COMMENT ON FUNCTION _steps_add(internal, timestamptz[], date[], text[]) IS
'state transition of _steps(timestamptz[], date[], text[])';
COMMENT ON FUNCTION _steps_end(internal) IS
'the result of _steps(timestamptz[], date[], text[])';
