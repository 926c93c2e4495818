--
-- meddpicc: MEDDIC with paper process and competition
--
-- The same statements as in 11_bant.sql.
--
CREATE TYPE meddpicc;

CREATE FUNCTION meddpicc_in(cstring) RETURNS meddpicc
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_in(cstring) IS 'I/O';

CREATE FUNCTION meddpicc_out(meddpicc) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_out(meddpicc) IS 'I/O';

CREATE FUNCTION meddpicc_recv(internal) RETURNS meddpicc
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_recv(internal) IS 'I/O';

CREATE FUNCTION meddpicc_send(meddpicc) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_send(meddpicc) IS 'I/O';

-- the layout is frozen: see src/qualification.h
CREATE TYPE meddpicc (
	INPUT = meddpicc_in,
	OUTPUT = meddpicc_out,
	RECEIVE = meddpicc_recv,
	SEND = meddpicc_send,
	INTERNALLENGTH = 2,
	PASSEDBYVALUE,
	ALIGNMENT = int2,
	STORAGE = plain
);
COMMENT ON TYPE meddpicc IS
'answers to the eight elements of MEDDPICC: ''M+ E? DC~ DP- PP? I+ C? CO?'', + yes, ~ partial, ? unknown, - no';

-- comparison
CREATE FUNCTION meddpicc_eq(meddpicc, meddpicc) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_eq(meddpicc, meddpicc) IS
'implementation of = operator';

CREATE FUNCTION meddpicc_ne(meddpicc, meddpicc) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_ne(meddpicc, meddpicc) IS
'implementation of <> operator';

CREATE FUNCTION meddpicc_lt(meddpicc, meddpicc) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_lt(meddpicc, meddpicc) IS
'implementation of < operator';

CREATE FUNCTION meddpicc_le(meddpicc, meddpicc) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_le(meddpicc, meddpicc) IS
'implementation of <= operator';

CREATE FUNCTION meddpicc_gt(meddpicc, meddpicc) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_gt(meddpicc, meddpicc) IS
'implementation of > operator';

CREATE FUNCTION meddpicc_ge(meddpicc, meddpicc) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_ge(meddpicc, meddpicc) IS
'implementation of >= operator';

CREATE FUNCTION meddpicc_cmp(meddpicc, meddpicc) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_cmp(meddpicc, meddpicc) IS 'btree comparison';

CREATE FUNCTION meddpicc_hash(meddpicc) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_hash(meddpicc) IS 'hash';

CREATE FUNCTION meddpicc_hash_extended(meddpicc, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_hash_extended(meddpicc, bigint) IS
'hash with a seed';

CREATE OPERATOR = (
	LEFTARG = meddpicc, RIGHTARG = meddpicc, FUNCTION = meddpicc_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (meddpicc, meddpicc) IS 'equal';

CREATE OPERATOR <> (
	LEFTARG = meddpicc, RIGHTARG = meddpicc, FUNCTION = meddpicc_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (meddpicc, meddpicc) IS 'not equal';

CREATE OPERATOR < (
	LEFTARG = meddpicc, RIGHTARG = meddpicc, FUNCTION = meddpicc_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (meddpicc, meddpicc) IS 'before in the total order';

CREATE OPERATOR <= (
	LEFTARG = meddpicc, RIGHTARG = meddpicc, FUNCTION = meddpicc_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (meddpicc, meddpicc) IS
'before in the total order, or equal';

CREATE OPERATOR > (
	LEFTARG = meddpicc, RIGHTARG = meddpicc, FUNCTION = meddpicc_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (meddpicc, meddpicc) IS 'after in the total order';

CREATE OPERATOR >= (
	LEFTARG = meddpicc, RIGHTARG = meddpicc, FUNCTION = meddpicc_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (meddpicc, meddpicc) IS
'after in the total order, or equal';

CREATE OPERATOR CLASS meddpicc_ops DEFAULT FOR TYPE meddpicc USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 meddpicc_cmp(meddpicc, meddpicc),
	FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS meddpicc_ops USING btree IS
'total order of meddpicc';

CREATE OPERATOR CLASS meddpicc_ops DEFAULT FOR TYPE meddpicc USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 meddpicc_hash(meddpicc),
	FUNCTION 2 meddpicc_hash_extended(meddpicc, bigint);
COMMENT ON OPERATOR CLASS meddpicc_ops USING hash IS 'equality of meddpicc';

CREATE FUNCTION meddpicc_larger(meddpicc, meddpicc) RETURNS meddpicc
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_larger(meddpicc, meddpicc) IS
'step of aggregate max';

CREATE FUNCTION meddpicc_smaller(meddpicc, meddpicc) RETURNS meddpicc
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_smaller(meddpicc, meddpicc) IS
'step of aggregate min';

CREATE AGGREGATE max(meddpicc) (
	SFUNC = meddpicc_larger, STYPE = meddpicc, COMBINEFUNC = meddpicc_larger,
	SORTOP = >, PARALLEL = SAFE
);
COMMENT ON AGGREGATE max(meddpicc) IS 'the last in the total order';

CREATE AGGREGATE min(meddpicc) (
	SFUNC = meddpicc_smaller, STYPE = meddpicc, COMBINEFUNC = meddpicc_smaller,
	SORTOP = <, PARALLEL = SAFE
);
COMMENT ON AGGREGATE min(meddpicc) IS 'the first in the total order';

-- elements
CREATE FUNCTION meddpicc_get(meddpicc, element text) RETURNS answer_level
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_get(meddpicc, text) IS
'implementation of -> operator';

CREATE OPERATOR -> (
	LEFTARG = meddpicc, RIGHTARG = text, FUNCTION = meddpicc_get
);
COMMENT ON OPERATOR -> (meddpicc, text) IS
'level of an element, by its symbol or long name';

CREATE FUNCTION set_level(q meddpicc, element text, level answer_level)
RETURNS meddpicc
AS 'MODULE_PATHNAME', 'meddpicc_set_level'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION set_level(meddpicc, text, answer_level) IS
'the same answers with one element at another level, unknown included';

CREATE FUNCTION meddpicc_merge(meddpicc, meddpicc) RETURNS meddpicc
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_merge(meddpicc, meddpicc) IS
'implementation of || operator';

CREATE OPERATOR || (
	LEFTARG = meddpicc, RIGHTARG = meddpicc, FUNCTION = meddpicc_merge
);
COMMENT ON OPERATOR || (meddpicc, meddpicc) IS
'both sides; where the right one is known, it wins';

CREATE FUNCTION meddpicc_contains(meddpicc, meddpicc) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_contains(meddpicc, meddpicc) IS
'implementation of @> operator';

CREATE FUNCTION meddpicc_contained(meddpicc, meddpicc) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_contained(meddpicc, meddpicc) IS
'implementation of <@ operator';

CREATE OPERATOR @> (
	LEFTARG = meddpicc, RIGHTARG = meddpicc, FUNCTION = meddpicc_contains,
	COMMUTATOR = <@, RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR @> (meddpicc, meddpicc) IS
'is each element at least as high as on the right?';

CREATE OPERATOR <@ (
	LEFTARG = meddpicc, RIGHTARG = meddpicc, FUNCTION = meddpicc_contained,
	COMMUTATOR = @>, RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR <@ (meddpicc, meddpicc) IS
'is each element at most as high as on the right?';

-- the whole
CREATE FUNCTION met(q meddpicc) RETURNS integer
AS 'MODULE_PATHNAME', 'meddpicc_met'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION met(meddpicc) IS 'number of elements answered yes';

CREATE FUNCTION known(q meddpicc) RETURNS integer
AS 'MODULE_PATHNAME', 'meddpicc_known'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION known(meddpicc) IS
'number of elements answered: no, partial or yes';

CREATE FUNCTION refuted(q meddpicc) RETURNS integer
AS 'MODULE_PATHNAME', 'meddpicc_refuted'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION refuted(meddpicc) IS 'number of elements answered no';

CREATE FUNCTION gaps(q meddpicc) RETURNS text[]
AS 'MODULE_PATHNAME', 'meddpicc_gaps'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gaps(meddpicc) IS
'long names of the elements not answered yes';

CREATE FUNCTION weigh(q meddpicc, weights double precision[],
	part double precision DEFAULT 0.5)
RETURNS double precision
AS 'MODULE_PATHNAME', 'meddpicc_weigh'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weigh(meddpicc, double precision[], double precision) IS
'sum of the weights of the elements: all of it for yes, a part for partial, else nothing';

CREATE FUNCTION verdict(q meddpicc, need integer,
	unknown_as_no boolean DEFAULT false)
RETURNS text
AS 'MODULE_PATHNAME', 'meddpicc_verdict'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION verdict(meddpicc, integer, boolean) IS
'qualified when enough elements are yes, disqualified when that cannot come any more, else open';

CREATE FUNCTION meddpicc_best(meddpicc, meddpicc) RETURNS meddpicc
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_best(meddpicc, meddpicc) IS
'step of aggregate best';

CREATE AGGREGATE best(meddpicc) (
	SFUNC = meddpicc_best, STYPE = meddpicc, COMBINEFUNC = meddpicc_best,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE best(meddpicc) IS
'the highest level of each element that anyone knows: yes, partial, no, else unknown';

-- jsonb
CREATE FUNCTION meddpicc_to_jsonb(meddpicc) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_to_jsonb(meddpicc) IS 'convert meddpicc to jsonb';

CREATE FUNCTION meddpicc_from_jsonb(jsonb) RETURNS meddpicc
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_from_jsonb(jsonb) IS 'convert jsonb to meddpicc';

CREATE CAST (meddpicc AS jsonb) WITH FUNCTION meddpicc_to_jsonb(meddpicc);
COMMENT ON CAST (meddpicc AS jsonb) IS
'an object of all elements, {"metrics": "yes", ...}';

CREATE CAST (jsonb AS meddpicc) WITH FUNCTION meddpicc_from_jsonb(jsonb);
COMMENT ON CAST (jsonb AS meddpicc) IS
'an object of levels by symbol or long name; null or missing is unknown';
