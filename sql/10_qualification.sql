--
-- answer_level: how far one element is answered
--
CREATE TYPE answer_level;

CREATE FUNCTION answer_level_in(cstring) RETURNS answer_level
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_in(cstring) IS 'I/O';

CREATE FUNCTION answer_level_out(answer_level) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_out(answer_level) IS 'I/O';

CREATE FUNCTION answer_level_recv(internal) RETURNS answer_level
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_recv(internal) IS 'I/O';

CREATE FUNCTION answer_level_send(answer_level) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_send(answer_level) IS 'I/O';

-- the layout is frozen: see src/qualification.h
CREATE TYPE answer_level (
	INPUT = answer_level_in,
	OUTPUT = answer_level_out,
	RECEIVE = answer_level_recv,
	SEND = answer_level_send,
	INTERNALLENGTH = 1,
	PASSEDBYVALUE,
	ALIGNMENT = char,
	STORAGE = plain
);
COMMENT ON TYPE answer_level IS
'how far an element of a qualification is answered: no, unknown, partial or yes, in this order';

--
-- k out of n
--
CREATE FUNCTION at_least(n integer, VARIADIC conditions boolean[])
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION at_least(integer, boolean[]) IS
'do n of the conditions hold? null while the unknown ones decide';
