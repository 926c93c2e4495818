--
-- meddic: for complex sales
--
-- The same statements as in 11_bant.sql.
--
CREATE TYPE meddic;

CREATE FUNCTION meddic_in(cstring) RETURNS meddic
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_in(cstring) IS 'I/O';

CREATE FUNCTION meddic_out(meddic) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_out(meddic) IS 'I/O';

CREATE FUNCTION meddic_recv(internal) RETURNS meddic
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_recv(internal) IS 'I/O';

CREATE FUNCTION meddic_send(meddic) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_send(meddic) IS 'I/O';

-- the layout is frozen: see src/qualification.h
CREATE TYPE meddic (
	INPUT = meddic_in,
	OUTPUT = meddic_out,
	RECEIVE = meddic_recv,
	SEND = meddic_send,
	INTERNALLENGTH = 2,
	PASSEDBYVALUE,
	ALIGNMENT = int2,
	STORAGE = plain
);
COMMENT ON TYPE meddic IS
'answers to the six elements of MEDDIC: ''M+ E? DC~ DP- I+ C?'', + yes, ~ partial, ? unknown, - no';

-- comparison
CREATE FUNCTION meddic_eq(meddic, meddic) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_eq(meddic, meddic) IS
'implementation of = operator';

CREATE FUNCTION meddic_ne(meddic, meddic) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_ne(meddic, meddic) IS
'implementation of <> operator';

CREATE FUNCTION meddic_lt(meddic, meddic) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_lt(meddic, meddic) IS
'implementation of < operator';

CREATE FUNCTION meddic_le(meddic, meddic) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_le(meddic, meddic) IS
'implementation of <= operator';

CREATE FUNCTION meddic_gt(meddic, meddic) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_gt(meddic, meddic) IS
'implementation of > operator';

CREATE FUNCTION meddic_ge(meddic, meddic) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_ge(meddic, meddic) IS
'implementation of >= operator';

CREATE FUNCTION meddic_cmp(meddic, meddic) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_cmp(meddic, meddic) IS 'btree comparison';

CREATE FUNCTION meddic_hash(meddic) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_hash(meddic) IS 'hash';

CREATE FUNCTION meddic_hash_extended(meddic, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_hash_extended(meddic, bigint) IS
'hash with a seed';

CREATE OPERATOR = (
	LEFTARG = meddic, RIGHTARG = meddic, FUNCTION = meddic_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (meddic, meddic) IS 'equal';

CREATE OPERATOR <> (
	LEFTARG = meddic, RIGHTARG = meddic, FUNCTION = meddic_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (meddic, meddic) IS 'not equal';

CREATE OPERATOR < (
	LEFTARG = meddic, RIGHTARG = meddic, FUNCTION = meddic_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (meddic, meddic) IS 'before in the total order';

CREATE OPERATOR <= (
	LEFTARG = meddic, RIGHTARG = meddic, FUNCTION = meddic_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (meddic, meddic) IS
'before in the total order, or equal';

CREATE OPERATOR > (
	LEFTARG = meddic, RIGHTARG = meddic, FUNCTION = meddic_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (meddic, meddic) IS 'after in the total order';

CREATE OPERATOR >= (
	LEFTARG = meddic, RIGHTARG = meddic, FUNCTION = meddic_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (meddic, meddic) IS
'after in the total order, or equal';

CREATE OPERATOR CLASS meddic_ops DEFAULT FOR TYPE meddic USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 meddic_cmp(meddic, meddic),
	FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS meddic_ops USING btree IS
'total order of meddic';

CREATE OPERATOR CLASS meddic_ops DEFAULT FOR TYPE meddic USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 meddic_hash(meddic),
	FUNCTION 2 meddic_hash_extended(meddic, bigint);
COMMENT ON OPERATOR CLASS meddic_ops USING hash IS 'equality of meddic';

CREATE FUNCTION meddic_larger(meddic, meddic) RETURNS meddic
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_larger(meddic, meddic) IS
'step of aggregate max';

CREATE FUNCTION meddic_smaller(meddic, meddic) RETURNS meddic
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_smaller(meddic, meddic) IS
'step of aggregate min';

CREATE AGGREGATE max(meddic) (
	SFUNC = meddic_larger, STYPE = meddic, COMBINEFUNC = meddic_larger,
	SORTOP = >, PARALLEL = SAFE
);
COMMENT ON AGGREGATE max(meddic) IS 'the last in the total order';

CREATE AGGREGATE min(meddic) (
	SFUNC = meddic_smaller, STYPE = meddic, COMBINEFUNC = meddic_smaller,
	SORTOP = <, PARALLEL = SAFE
);
COMMENT ON AGGREGATE min(meddic) IS 'the first in the total order';

-- elements
CREATE FUNCTION meddic_get(meddic, element text) RETURNS answer_level
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_get(meddic, text) IS
'implementation of -> operator';

CREATE OPERATOR -> (
	LEFTARG = meddic, RIGHTARG = text, FUNCTION = meddic_get
);
COMMENT ON OPERATOR -> (meddic, text) IS
'level of an element, by its symbol or long name';

CREATE FUNCTION set_level(q meddic, element text, level answer_level)
RETURNS meddic
AS 'MODULE_PATHNAME', 'meddic_set_level'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION set_level(meddic, text, answer_level) IS
'the same answers with one element at another level, unknown included';

CREATE FUNCTION meddic_merge(meddic, meddic) RETURNS meddic
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_merge(meddic, meddic) IS
'implementation of || operator';

CREATE OPERATOR || (
	LEFTARG = meddic, RIGHTARG = meddic, FUNCTION = meddic_merge
);
COMMENT ON OPERATOR || (meddic, meddic) IS
'both sides; where the right one is known, it wins';

CREATE FUNCTION meddic_contains(meddic, meddic) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_contains(meddic, meddic) IS
'implementation of @> operator';

CREATE FUNCTION meddic_contained(meddic, meddic) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_contained(meddic, meddic) IS
'implementation of <@ operator';

CREATE OPERATOR @> (
	LEFTARG = meddic, RIGHTARG = meddic, FUNCTION = meddic_contains,
	COMMUTATOR = <@, RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR @> (meddic, meddic) IS
'is each element at least as high as on the right?';

CREATE OPERATOR <@ (
	LEFTARG = meddic, RIGHTARG = meddic, FUNCTION = meddic_contained,
	COMMUTATOR = @>, RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR <@ (meddic, meddic) IS
'is each element at most as high as on the right?';

-- the whole
CREATE FUNCTION met(q meddic) RETURNS integer
AS 'MODULE_PATHNAME', 'meddic_met'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION met(meddic) IS 'number of elements answered yes';

CREATE FUNCTION known(q meddic) RETURNS integer
AS 'MODULE_PATHNAME', 'meddic_known'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION known(meddic) IS
'number of elements answered: no, partial or yes';

CREATE FUNCTION refuted(q meddic) RETURNS integer
AS 'MODULE_PATHNAME', 'meddic_refuted'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION refuted(meddic) IS 'number of elements answered no';

CREATE FUNCTION gaps(q meddic) RETURNS text[]
AS 'MODULE_PATHNAME', 'meddic_gaps'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gaps(meddic) IS
'long names of the elements not answered yes';

CREATE FUNCTION weigh(q meddic, weights double precision[],
	part double precision DEFAULT 0.5)
RETURNS double precision
AS 'MODULE_PATHNAME', 'meddic_weigh'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weigh(meddic, double precision[], double precision) IS
'sum of the weights of the elements: all of it for yes, a part for partial, else nothing';

CREATE FUNCTION verdict(q meddic, need integer,
	unknown_as_no boolean DEFAULT false)
RETURNS text
AS 'MODULE_PATHNAME', 'meddic_verdict'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION verdict(meddic, integer, boolean) IS
'qualified when enough elements are yes, disqualified when that cannot come any more, else open';

CREATE FUNCTION meddic_best(meddic, meddic) RETURNS meddic
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_best(meddic, meddic) IS
'step of aggregate best';

CREATE AGGREGATE best(meddic) (
	SFUNC = meddic_best, STYPE = meddic, COMBINEFUNC = meddic_best,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE best(meddic) IS
'the highest level of each element that anyone knows: yes, partial, no, else unknown';

-- jsonb
CREATE FUNCTION meddic_to_jsonb(meddic) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_to_jsonb(meddic) IS 'convert meddic to jsonb';

CREATE FUNCTION meddic_from_jsonb(jsonb) RETURNS meddic
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_from_jsonb(jsonb) IS 'convert jsonb to meddic';

CREATE CAST (meddic AS jsonb) WITH FUNCTION meddic_to_jsonb(meddic);
COMMENT ON CAST (meddic AS jsonb) IS
'an object of all elements, {"metrics": "yes", ...}';

CREATE CAST (jsonb AS meddic) WITH FUNCTION meddic_from_jsonb(jsonb);
COMMENT ON CAST (jsonb AS meddic) IS
'an object of levels by symbol or long name; null or missing is unknown';
