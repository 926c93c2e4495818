--
-- What becomes of units that are followed for a time
--
-- Views of users' funnels call this: its signature is frozen.  Groups need no
-- sorting, and several processes can share the work: see _spread().
--
CREATE FUNCTION _incidence_add(internal, bigint, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'incidence_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _incidence_join(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'incidence_join' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _incidence_write(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'incidence_write' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _incidence_read(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'incidence_read' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _incidence_end(internal) RETURNS float8[]
AS 'MODULE_PATHNAME', 'incidence_end' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE _incidence(microseconds bigint, way integer) (
	SFUNC = _incidence_add, STYPE = internal, SSPACE = 8,
	COMBINEFUNC = _incidence_join, SERIALFUNC = _incidence_write,
	DESERIALFUNC = _incidence_read, FINALFUNC = _incidence_end,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE _incidence(bigint, integer) IS
'what becomes of units, given how long each was followed and how that ended: 0 it goes on, 1 it got there, 2 to 4 it left in one of three ways; NULLs are left out. First the median of those that get there (half of the incidence at the last time to which 5 were followed, at most 365 days) and the Kaplan-Meier median, in microseconds; then for each way the Aalen-Johansen incidence by day 30, 60, 90 and 180, NULL beyond what any was followed';
COMMENT ON FUNCTION _incidence_add(internal, bigint, integer) IS
'state transition of _incidence(bigint, integer)';
COMMENT ON FUNCTION _incidence_join(internal, internal) IS
'two states of _incidence(bigint, integer) in one';
COMMENT ON FUNCTION _incidence_write(internal) IS
'a state of _incidence(bigint, integer), written for another process';
COMMENT ON FUNCTION _incidence_read(bytea, internal) IS
'a state of _incidence(bigint, integer), read from another process';
COMMENT ON FUNCTION _incidence_end(internal) IS
'the result of _incidence(bigint, integer)';

-- The view and the function of velocities are made of these texts.
CREATE FUNCTION _velocity_unit(from_milestone text, to_milestone text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT format('CASE WHEN j.%2$I_at < j.%1$I_at THEN NULL WHEN j.%2$I_at IS NOT NULL THEN 1 WHEN j.exited_at IS NOT NULL '
				  'THEN CASE j.exit WHEN ''nurture'' THEN 2 WHEN ''disqualified'' THEN 3 ELSE 4 END ELSE 0 END AS way, '
				  'j.gone_at IS NOT NULL AS gone, '
				  '@extschema@._microseconds_between(j.%1$I_at, coalesce(j.%2$I_at, j.exited_at, '
				  'greatest(coalesce(j.gone_at, @extschema@.funnel_now()), j.%1$I_at))) AS time', from_milestone, to_milestone)
$body$;

COMMENT ON FUNCTION _velocity_unit(text, text) IS
'text of columns: how long a unit, row j of table journey, was followed from one milestone to another, and how that ended: see _incidence(bigint, integer); NULL where it got there first';

CREATE FUNCTION _velocity_counts() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT 'count(*) AS units, count(*) FILTER (WHERE u.way = 1) AS n, count(*) FILTER (WHERE u.way = 0 AND NOT u.gone) AS n_open, '
		   'count(*) FILTER (WHERE u.way > 1) AS n_exited, count(*) FILTER (WHERE u.way = 0 AND u.gone) AS n_gone, '
		   'count(*) FILTER (WHERE u.way IS NULL) AS n_odd, avg(u.time) FILTER (WHERE u.way = 1) AS mean, '
		   '@extschema@._spread(u.time) FILTER (WHERE u.way = 1) AS parts, @extschema@._incidence(u.time, u.way) AS estimate'
$body$;

COMMENT ON FUNCTION _velocity_counts() IS
'text of columns: what is told of a group of units u of _velocity_unit(text, text)';
