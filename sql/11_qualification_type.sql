--
-- A qualification type
--
-- each_type.awk makes each of them from this text, once for each of
-- src/type/framework_list.h.
--
CREATE TYPE @TYPE@;

CREATE FUNCTION @TYPE@_in(cstring) RETURNS @TYPE@
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_in(cstring) IS 'I/O';

CREATE FUNCTION @TYPE@_out(@TYPE@) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_out(@TYPE@) IS 'I/O';

CREATE FUNCTION @TYPE@_recv(internal) RETURNS @TYPE@
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_recv(internal) IS 'I/O';

CREATE FUNCTION @TYPE@_send(@TYPE@) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_send(@TYPE@) IS 'I/O';

-- the layout is frozen: see src/type/qualification.h
CREATE TYPE @TYPE@ (
	INPUT = @TYPE@_in,
	OUTPUT = @TYPE@_out,
	RECEIVE = @TYPE@_recv,
	SEND = @TYPE@_send,
	LIKE = pg_catalog.@LIKE@
);
COMMENT ON TYPE @TYPE@ IS
'answers to @ELEMENTS@: ''@UNKNOWN@'', + yes, ~ partial, ? unknown, - no';

-- elements
CREATE FUNCTION @TYPE@_get(@TYPE@, element text) RETURNS answer_level
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_get(@TYPE@, text) IS
'implementation of -> operator';

CREATE OPERATOR -> (
	LEFTARG = @TYPE@, RIGHTARG = text, FUNCTION = @TYPE@_get
);
COMMENT ON OPERATOR -> (@TYPE@, text) IS
'level of an element, by its symbol or long name';

CREATE FUNCTION @TYPE@_get_text(@TYPE@, element text) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_get_text(@TYPE@, text) IS
'implementation of ->> operator';

CREATE OPERATOR ->> (
	LEFTARG = @TYPE@, RIGHTARG = text, FUNCTION = @TYPE@_get_text
);
COMMENT ON OPERATOR ->> (@TYPE@, text) IS
'level of an element as text, by its symbol or long name';

CREATE FUNCTION set_level(q @TYPE@, element text, level answer_level)
RETURNS @TYPE@
AS 'MODULE_PATHNAME', '@TYPE@_set_level'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION set_level(@TYPE@, text, answer_level) IS
'the same answers with one element at another level, unknown included';

CREATE FUNCTION @TYPE@_merge(@TYPE@, @TYPE@) RETURNS @TYPE@
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_merge(@TYPE@, @TYPE@) IS
'implementation of || operator';

CREATE OPERATOR || (
	LEFTARG = @TYPE@, RIGHTARG = @TYPE@, FUNCTION = @TYPE@_merge
);
COMMENT ON OPERATOR || (@TYPE@, @TYPE@) IS
'both sides; where the right one is known, it wins';

CREATE FUNCTION @TYPE@_contains(@TYPE@, @TYPE@) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_contains(@TYPE@, @TYPE@) IS
'implementation of @> operator';

CREATE FUNCTION @TYPE@_contained(@TYPE@, @TYPE@) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_contained(@TYPE@, @TYPE@) IS
'implementation of <@ operator';

CREATE OPERATOR @> (
	LEFTARG = @TYPE@, RIGHTARG = @TYPE@, FUNCTION = @TYPE@_contains,
	COMMUTATOR = <@, RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR @> (@TYPE@, @TYPE@) IS
'is each element at least as high as on the right?';

CREATE OPERATOR <@ (
	LEFTARG = @TYPE@, RIGHTARG = @TYPE@, FUNCTION = @TYPE@_contained,
	COMMUTATOR = @>, RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR <@ (@TYPE@, @TYPE@) IS
'is each element at most as high as on the right?';

-- the whole
CREATE FUNCTION met(q @TYPE@) RETURNS integer
AS 'MODULE_PATHNAME', '@TYPE@_met'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION met(@TYPE@) IS 'number of elements answered yes';

CREATE FUNCTION known(q @TYPE@) RETURNS integer
AS 'MODULE_PATHNAME', '@TYPE@_known'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION known(@TYPE@) IS
'number of elements answered: no, partial or yes';

CREATE FUNCTION refuted(q @TYPE@) RETURNS integer
AS 'MODULE_PATHNAME', '@TYPE@_refuted'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION refuted(@TYPE@) IS 'number of elements answered no';

CREATE FUNCTION gaps(q @TYPE@) RETURNS text[]
AS 'MODULE_PATHNAME', '@TYPE@_gaps'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gaps(@TYPE@) IS
'long names of the elements not answered yes';

CREATE FUNCTION weigh(q @TYPE@, weights double precision[],
	part double precision DEFAULT 0.5)
RETURNS double precision
AS 'MODULE_PATHNAME', '@TYPE@_weigh'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weigh(@TYPE@, double precision[], double precision) IS
'sum of the weights of the elements: all of it for yes, a part for partial, else nothing';

CREATE FUNCTION verdict(q @TYPE@, need integer,
	unknown_as_no boolean DEFAULT false)
RETURNS text
AS 'MODULE_PATHNAME', '@TYPE@_verdict'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION verdict(@TYPE@, integer, boolean) IS
'qualified when enough elements are yes, disqualified when that cannot come any more, else open';

CREATE FUNCTION @TYPE@_best(@TYPE@, @TYPE@) RETURNS @TYPE@
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_best(@TYPE@, @TYPE@) IS
'step of aggregate best';

CREATE AGGREGATE best(@TYPE@) (
	SFUNC = @TYPE@_best, STYPE = @TYPE@, COMBINEFUNC = @TYPE@_best,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE best(@TYPE@) IS
'the highest level of each element that anyone knows: yes, partial, no, else unknown';

-- jsonb
CREATE FUNCTION @TYPE@_to_jsonb(@TYPE@) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_to_jsonb(@TYPE@) IS 'convert @TYPE@ to jsonb';

CREATE FUNCTION @TYPE@_from_jsonb(jsonb) RETURNS @TYPE@
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_from_jsonb(jsonb) IS 'convert jsonb to @TYPE@';

CREATE CAST (@TYPE@ AS jsonb) WITH FUNCTION @TYPE@_to_jsonb(@TYPE@);
COMMENT ON CAST (@TYPE@ AS jsonb) IS
'an object of all elements, each with its level by long name';

CREATE CAST (jsonb AS @TYPE@) WITH FUNCTION @TYPE@_from_jsonb(jsonb) AS ASSIGNMENT;
COMMENT ON CAST (jsonb AS @TYPE@) IS
'an object of levels by symbol or long name; null or missing is unknown';

CREATE CAST (json AS @TYPE@) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (json AS @TYPE@) IS 'an object of levels by symbol or long name; null or missing is unknown';

CREATE FUNCTION @TYPE@_to_array(@TYPE@) RETURNS text[]
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @TYPE@_to_array(@TYPE@) IS 'convert @TYPE@ to text[]';

CREATE CAST (@TYPE@ AS text[]) WITH FUNCTION @TYPE@_to_array(@TYPE@);
COMMENT ON CAST (@TYPE@ AS text[]) IS 'the levels of all elements, in their order';
