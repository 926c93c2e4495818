--
-- bant: budget, authority, need, timeline
--
-- The other qualification types are made by the same statements; only the
-- type's name, its size and its comment differ.
--
CREATE TYPE bant;

CREATE FUNCTION bant_in(cstring) RETURNS bant
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_in(cstring) IS 'I/O';

CREATE FUNCTION bant_out(bant) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_out(bant) IS 'I/O';

CREATE FUNCTION bant_recv(internal) RETURNS bant
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_recv(internal) IS 'I/O';

CREATE FUNCTION bant_send(bant) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_send(bant) IS 'I/O';

-- the layout is frozen: see src/qualification.h
CREATE TYPE bant (
	INPUT = bant_in,
	OUTPUT = bant_out,
	RECEIVE = bant_recv,
	SEND = bant_send,
	INTERNALLENGTH = 1,
	PASSEDBYVALUE,
	ALIGNMENT = char,
	STORAGE = plain
);
COMMENT ON TYPE bant IS
'answers to budget, authority, need and timeline: ''B+ A? N~ T-'', + yes, ~ partial, ? unknown, - no';

-- comparison
CREATE FUNCTION bant_eq(bant, bant) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_eq(bant, bant) IS
'implementation of = operator';

CREATE FUNCTION bant_ne(bant, bant) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_ne(bant, bant) IS
'implementation of <> operator';

CREATE FUNCTION bant_lt(bant, bant) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_lt(bant, bant) IS
'implementation of < operator';

CREATE FUNCTION bant_le(bant, bant) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_le(bant, bant) IS
'implementation of <= operator';

CREATE FUNCTION bant_gt(bant, bant) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_gt(bant, bant) IS
'implementation of > operator';

CREATE FUNCTION bant_ge(bant, bant) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_ge(bant, bant) IS
'implementation of >= operator';

CREATE FUNCTION bant_cmp(bant, bant) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_cmp(bant, bant) IS 'btree comparison';

CREATE FUNCTION bant_hash(bant) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_hash(bant) IS 'hash';

CREATE FUNCTION bant_hash_extended(bant, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_hash_extended(bant, bigint) IS
'hash with a seed';

CREATE OPERATOR = (
	LEFTARG = bant, RIGHTARG = bant, FUNCTION = bant_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (bant, bant) IS 'equal';

CREATE OPERATOR <> (
	LEFTARG = bant, RIGHTARG = bant, FUNCTION = bant_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (bant, bant) IS 'not equal';

CREATE OPERATOR < (
	LEFTARG = bant, RIGHTARG = bant, FUNCTION = bant_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (bant, bant) IS 'before in the total order';

CREATE OPERATOR <= (
	LEFTARG = bant, RIGHTARG = bant, FUNCTION = bant_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (bant, bant) IS
'before in the total order, or equal';

CREATE OPERATOR > (
	LEFTARG = bant, RIGHTARG = bant, FUNCTION = bant_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (bant, bant) IS 'after in the total order';

CREATE OPERATOR >= (
	LEFTARG = bant, RIGHTARG = bant, FUNCTION = bant_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (bant, bant) IS
'after in the total order, or equal';

CREATE OPERATOR CLASS bant_ops DEFAULT FOR TYPE bant USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 bant_cmp(bant, bant),
	FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS bant_ops USING btree IS
'total order of bant';

CREATE OPERATOR CLASS bant_ops DEFAULT FOR TYPE bant USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 bant_hash(bant),
	FUNCTION 2 bant_hash_extended(bant, bigint);
COMMENT ON OPERATOR CLASS bant_ops USING hash IS 'equality of bant';

CREATE FUNCTION bant_larger(bant, bant) RETURNS bant
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_larger(bant, bant) IS
'step of aggregate max';

CREATE FUNCTION bant_smaller(bant, bant) RETURNS bant
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_smaller(bant, bant) IS
'step of aggregate min';

CREATE AGGREGATE max(bant) (
	SFUNC = bant_larger, STYPE = bant, COMBINEFUNC = bant_larger,
	SORTOP = >, PARALLEL = SAFE
);
COMMENT ON AGGREGATE max(bant) IS 'the last in the total order';

CREATE AGGREGATE min(bant) (
	SFUNC = bant_smaller, STYPE = bant, COMBINEFUNC = bant_smaller,
	SORTOP = <, PARALLEL = SAFE
);
COMMENT ON AGGREGATE min(bant) IS 'the first in the total order';

-- elements
CREATE FUNCTION bant_get(bant, element text) RETURNS answer_level
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_get(bant, text) IS
'implementation of -> operator';

CREATE OPERATOR -> (
	LEFTARG = bant, RIGHTARG = text, FUNCTION = bant_get
);
COMMENT ON OPERATOR -> (bant, text) IS
'level of an element, by its symbol or long name';

CREATE FUNCTION set_level(q bant, element text, level answer_level)
RETURNS bant
AS 'MODULE_PATHNAME', 'bant_set_level'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION set_level(bant, text, answer_level) IS
'the same answers with one element at another level, unknown included';

CREATE FUNCTION bant_merge(bant, bant) RETURNS bant
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_merge(bant, bant) IS
'implementation of || operator';

CREATE OPERATOR || (
	LEFTARG = bant, RIGHTARG = bant, FUNCTION = bant_merge
);
COMMENT ON OPERATOR || (bant, bant) IS
'both sides; where the right one is known, it wins';

CREATE FUNCTION bant_contains(bant, bant) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_contains(bant, bant) IS
'implementation of @> operator';

CREATE FUNCTION bant_contained(bant, bant) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_contained(bant, bant) IS
'implementation of <@ operator';

CREATE OPERATOR @> (
	LEFTARG = bant, RIGHTARG = bant, FUNCTION = bant_contains,
	COMMUTATOR = <@, RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR @> (bant, bant) IS
'is each element at least as high as on the right?';

CREATE OPERATOR <@ (
	LEFTARG = bant, RIGHTARG = bant, FUNCTION = bant_contained,
	COMMUTATOR = @>, RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR <@ (bant, bant) IS
'is each element at most as high as on the right?';

-- the whole
CREATE FUNCTION met(q bant) RETURNS integer
AS 'MODULE_PATHNAME', 'bant_met'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION met(bant) IS 'number of elements answered yes';

CREATE FUNCTION known(q bant) RETURNS integer
AS 'MODULE_PATHNAME', 'bant_known'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION known(bant) IS
'number of elements answered: no, partial or yes';

CREATE FUNCTION refuted(q bant) RETURNS integer
AS 'MODULE_PATHNAME', 'bant_refuted'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION refuted(bant) IS 'number of elements answered no';

CREATE FUNCTION gaps(q bant) RETURNS text[]
AS 'MODULE_PATHNAME', 'bant_gaps'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gaps(bant) IS
'long names of the elements not answered yes';

CREATE FUNCTION weigh(q bant, weights double precision[],
	part double precision DEFAULT 0.5)
RETURNS double precision
AS 'MODULE_PATHNAME', 'bant_weigh'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weigh(bant, double precision[], double precision) IS
'sum of the weights of the elements: all of it for yes, a part for partial, else nothing';

CREATE FUNCTION verdict(q bant, need integer,
	unknown_as_no boolean DEFAULT false)
RETURNS text
AS 'MODULE_PATHNAME', 'bant_verdict'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION verdict(bant, integer, boolean) IS
'qualified when enough elements are yes, disqualified when that cannot come any more, else open';

CREATE FUNCTION bant_best(bant, bant) RETURNS bant
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_best(bant, bant) IS
'step of aggregate best';

CREATE AGGREGATE best(bant) (
	SFUNC = bant_best, STYPE = bant, COMBINEFUNC = bant_best,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE best(bant) IS
'the highest level of each element that anyone knows: yes, partial, no, else unknown';

-- jsonb
CREATE FUNCTION bant_to_jsonb(bant) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_to_jsonb(bant) IS 'convert bant to jsonb';

CREATE FUNCTION bant_from_jsonb(jsonb) RETURNS bant
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_from_jsonb(jsonb) IS 'convert jsonb to bant';

CREATE CAST (bant AS jsonb) WITH FUNCTION bant_to_jsonb(bant);
COMMENT ON CAST (bant AS jsonb) IS
'an object of all elements, {"budget": "yes", ...}';

CREATE CAST (jsonb AS bant) WITH FUNCTION bant_from_jsonb(jsonb);
COMMENT ON CAST (jsonb AS bant) IS
'an object of levels by symbol or long name; null or missing is unknown';
