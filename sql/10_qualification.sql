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

-- comparison
CREATE FUNCTION answer_level_eq(answer_level, answer_level) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_eq(answer_level, answer_level) IS
'implementation of = operator';

CREATE FUNCTION answer_level_ne(answer_level, answer_level) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_ne(answer_level, answer_level) IS
'implementation of <> operator';

CREATE FUNCTION answer_level_lt(answer_level, answer_level) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_lt(answer_level, answer_level) IS
'implementation of < operator';

CREATE FUNCTION answer_level_le(answer_level, answer_level) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_le(answer_level, answer_level) IS
'implementation of <= operator';

CREATE FUNCTION answer_level_gt(answer_level, answer_level) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_gt(answer_level, answer_level) IS
'implementation of > operator';

CREATE FUNCTION answer_level_ge(answer_level, answer_level) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_ge(answer_level, answer_level) IS
'implementation of >= operator';

CREATE FUNCTION answer_level_cmp(answer_level, answer_level) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_cmp(answer_level, answer_level) IS
'btree comparison';

CREATE FUNCTION answer_level_hash(answer_level) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_hash(answer_level) IS 'hash';

CREATE FUNCTION answer_level_hash_extended(answer_level, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_hash_extended(answer_level, bigint) IS
'hash with a seed';

CREATE OPERATOR = (
	LEFTARG = answer_level, RIGHTARG = answer_level,
	FUNCTION = answer_level_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (answer_level, answer_level) IS 'equal';

CREATE OPERATOR <> (
	LEFTARG = answer_level, RIGHTARG = answer_level,
	FUNCTION = answer_level_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (answer_level, answer_level) IS 'not equal';

CREATE OPERATOR < (
	LEFTARG = answer_level, RIGHTARG = answer_level,
	FUNCTION = answer_level_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (answer_level, answer_level) IS 'lower';

CREATE OPERATOR <= (
	LEFTARG = answer_level, RIGHTARG = answer_level,
	FUNCTION = answer_level_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (answer_level, answer_level) IS 'lower or equal';

CREATE OPERATOR > (
	LEFTARG = answer_level, RIGHTARG = answer_level,
	FUNCTION = answer_level_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (answer_level, answer_level) IS 'higher';

CREATE OPERATOR >= (
	LEFTARG = answer_level, RIGHTARG = answer_level,
	FUNCTION = answer_level_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (answer_level, answer_level) IS 'higher or equal';

CREATE OPERATOR CLASS answer_level_ops DEFAULT
FOR TYPE answer_level USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 answer_level_cmp(answer_level, answer_level),
	FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS answer_level_ops USING btree IS
'order of answer_level';

CREATE OPERATOR CLASS answer_level_ops DEFAULT
FOR TYPE answer_level USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 answer_level_hash(answer_level),
	FUNCTION 2 answer_level_hash_extended(answer_level, bigint);
COMMENT ON OPERATOR CLASS answer_level_ops USING hash IS
'equality of answer_level';

CREATE FUNCTION answer_level_larger(answer_level, answer_level)
RETURNS answer_level
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_larger(answer_level, answer_level) IS
'step of aggregate max';

CREATE FUNCTION answer_level_smaller(answer_level, answer_level)
RETURNS answer_level
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_smaller(answer_level, answer_level) IS
'step of aggregate min';

CREATE AGGREGATE max(answer_level) (
	SFUNC = answer_level_larger, STYPE = answer_level,
	COMBINEFUNC = answer_level_larger,
	SORTOP = >, PARALLEL = SAFE
);
COMMENT ON AGGREGATE max(answer_level) IS 'the highest level';

CREATE AGGREGATE min(answer_level) (
	SFUNC = answer_level_smaller, STYPE = answer_level,
	COMBINEFUNC = answer_level_smaller,
	SORTOP = <, PARALLEL = SAFE
);
COMMENT ON AGGREGATE min(answer_level) IS 'the lowest level';

--
-- k out of n
--
CREATE FUNCTION at_least(n integer, VARIADIC conditions boolean[])
RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION at_least(integer, boolean[]) IS
'do n of the conditions hold? null while the unknown ones decide';
