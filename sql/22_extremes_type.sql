--
-- The first and the last value of a type
--
-- Types: those of the list of frameworks, and
-- also: answer_level
--
CREATE FUNCTION @TYPE@_larger(@TYPE@, @TYPE@) RETURNS @TYPE@
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_larger(@TYPE@, @TYPE@) IS
'step of aggregate max';

CREATE FUNCTION @TYPE@_smaller(@TYPE@, @TYPE@) RETURNS @TYPE@
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_smaller(@TYPE@, @TYPE@) IS
'step of aggregate min';

CREATE AGGREGATE max(@TYPE@) (
	SFUNC = @TYPE@_larger, STYPE = @TYPE@, COMBINEFUNC = @TYPE@_larger,
	SORTOP = >, PARALLEL = SAFE
);
COMMENT ON AGGREGATE max(@TYPE@) IS 'the last in the total order';

CREATE AGGREGATE min(@TYPE@) (
	SFUNC = @TYPE@_smaller, STYPE = @TYPE@, COMBINEFUNC = @TYPE@_smaller,
	SORTOP = <, PARALLEL = SAFE
);
COMMENT ON AGGREGATE min(@TYPE@) IS 'the first in the total order';
