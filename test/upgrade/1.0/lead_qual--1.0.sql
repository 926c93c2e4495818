/* lead_qual: sales lead qualification inside PostgreSQL */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION lead_qual" to load this file. \quit

--
-- The clock
--
CREATE FUNCTION funnel_now() RETURNS timestamptz
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;

COMMENT ON FUNCTION funnel_now() IS
'the instant that scores, stages and views go by: now(), or the setting lead_qual.clock';

-- Until the library is loaded, whoever set it may have spelled it as he likes.
CREATE FUNCTION _importing() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN coalesce(NULLIF(current_setting('lead_qual.import', true), '')::boolean, false);

COMMENT ON FUNCTION _importing() IS
'is lead_qual.import on? whether it may be is for the triggers in C to tell';
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
--
-- A qualification type
--
-- each_type.awk makes each of them from this text, once for each of
-- src/type/framework_list.h.
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

-- the layout is frozen: see src/type/qualification.h
CREATE TYPE bant (
	INPUT = bant_in,
	OUTPUT = bant_out,
	RECEIVE = bant_recv,
	SEND = bant_send,
	LIKE = pg_catalog."char"
);
COMMENT ON TYPE bant IS
'answers to budget, authority, need, timeline: ''B? A? N? T?'', + yes, ~ partial, ? unknown, - no';

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

CREATE FUNCTION bant_get_text(bant, element text) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_get_text(bant, text) IS
'implementation of ->> operator';

CREATE OPERATOR ->> (
	LEFTARG = bant, RIGHTARG = text, FUNCTION = bant_get_text
);
COMMENT ON OPERATOR ->> (bant, text) IS
'level of an element as text, by its symbol or long name';

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
'an object of all elements, each with its level by long name';

CREATE CAST (jsonb AS bant) WITH FUNCTION bant_from_jsonb(jsonb) AS ASSIGNMENT;
COMMENT ON CAST (jsonb AS bant) IS
'an object of levels by symbol or long name; null or missing is unknown';

CREATE CAST (json AS bant) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (json AS bant) IS 'an object of levels by symbol or long name; null or missing is unknown';

CREATE FUNCTION bant_to_array(bant) RETURNS text[]
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bant_to_array(bant) IS 'convert bant to text[]';

CREATE CAST (bant AS text[]) WITH FUNCTION bant_to_array(bant);
COMMENT ON CAST (bant AS text[]) IS 'the levels of all elements, in their order';
--
-- A qualification type
--
-- each_type.awk makes each of them from this text, once for each of
-- src/type/framework_list.h.
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

-- the layout is frozen: see src/type/qualification.h
CREATE TYPE meddic (
	INPUT = meddic_in,
	OUTPUT = meddic_out,
	RECEIVE = meddic_recv,
	SEND = meddic_send,
	LIKE = pg_catalog.int2
);
COMMENT ON TYPE meddic IS
'answers to metrics, economic_buyer, decision_criteria, decision_process, identify_pain, champion: ''M? E? DC? DP? I? C?'', + yes, ~ partial, ? unknown, - no';

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

CREATE FUNCTION meddic_get_text(meddic, element text) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_get_text(meddic, text) IS
'implementation of ->> operator';

CREATE OPERATOR ->> (
	LEFTARG = meddic, RIGHTARG = text, FUNCTION = meddic_get_text
);
COMMENT ON OPERATOR ->> (meddic, text) IS
'level of an element as text, by its symbol or long name';

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
'an object of all elements, each with its level by long name';

CREATE CAST (jsonb AS meddic) WITH FUNCTION meddic_from_jsonb(jsonb) AS ASSIGNMENT;
COMMENT ON CAST (jsonb AS meddic) IS
'an object of levels by symbol or long name; null or missing is unknown';

CREATE CAST (json AS meddic) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (json AS meddic) IS 'an object of levels by symbol or long name; null or missing is unknown';

CREATE FUNCTION meddic_to_array(meddic) RETURNS text[]
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddic_to_array(meddic) IS 'convert meddic to text[]';

CREATE CAST (meddic AS text[]) WITH FUNCTION meddic_to_array(meddic);
COMMENT ON CAST (meddic AS text[]) IS 'the levels of all elements, in their order';
--
-- A qualification type
--
-- each_type.awk makes each of them from this text, once for each of
-- src/type/framework_list.h.
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

-- the layout is frozen: see src/type/qualification.h
CREATE TYPE meddpicc (
	INPUT = meddpicc_in,
	OUTPUT = meddpicc_out,
	RECEIVE = meddpicc_recv,
	SEND = meddpicc_send,
	LIKE = pg_catalog.int2
);
COMMENT ON TYPE meddpicc IS
'answers to metrics, economic_buyer, decision_criteria, decision_process, paper_process, identify_pain, champion, competition: ''M? E? DC? DP? PP? I? C? CO?'', + yes, ~ partial, ? unknown, - no';

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

CREATE FUNCTION meddpicc_get_text(meddpicc, element text) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_get_text(meddpicc, text) IS
'implementation of ->> operator';

CREATE OPERATOR ->> (
	LEFTARG = meddpicc, RIGHTARG = text, FUNCTION = meddpicc_get_text
);
COMMENT ON OPERATOR ->> (meddpicc, text) IS
'level of an element as text, by its symbol or long name';

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
'an object of all elements, each with its level by long name';

CREATE CAST (jsonb AS meddpicc) WITH FUNCTION meddpicc_from_jsonb(jsonb) AS ASSIGNMENT;
COMMENT ON CAST (jsonb AS meddpicc) IS
'an object of levels by symbol or long name; null or missing is unknown';

CREATE CAST (json AS meddpicc) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (json AS meddpicc) IS 'an object of levels by symbol or long name; null or missing is unknown';

CREATE FUNCTION meddpicc_to_array(meddpicc) RETURNS text[]
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION meddpicc_to_array(meddpicc) IS 'convert meddpicc to text[]';

CREATE CAST (meddpicc AS text[]) WITH FUNCTION meddpicc_to_array(meddpicc);
COMMENT ON CAST (meddpicc AS text[]) IS 'the levels of all elements, in their order';

--
-- scorecard: the score of one lead as a function of time
--
CREATE TYPE scorecard;

CREATE FUNCTION scorecard_in(cstring) RETURNS scorecard
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_in(cstring) IS 'I/O';

CREATE FUNCTION scorecard_out(scorecard) RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_out(scorecard) IS 'I/O';

CREATE FUNCTION scorecard_recv(internal) RETURNS scorecard
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_recv(internal) IS 'I/O';

CREATE FUNCTION scorecard_send(scorecard) RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_send(scorecard) IS 'I/O';

CREATE TYPE scorecard (
	INPUT = scorecard_in,
	OUTPUT = scorecard_out,
	RECEIVE = scorecard_recv,
	SEND = scorecard_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = main
);
COMMENT ON TYPE scorecard IS
'what a lead has earned, by rule, as of one instant: {v1 as_of=2026-01-31T09:00:00Z version=1 | 12 engagement hits=1 last=2026-01-31T09:00:00Z points=10 half_life=30d}';

--
-- Reading a card
--
CREATE FUNCTION score(card scorecard, at timestamptz DEFAULT funnel_now())
RETURNS numeric
AS 'MODULE_PATHNAME', 'scorecard_score'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score(scorecard, timestamptz) IS
'the score at an instant, not before the card is as of: fit plus engagement, and the floor; rounded to two decimals, as all points that are shown or compared';

CREATE FUNCTION fit(card scorecard, at timestamptz DEFAULT funnel_now())
RETURNS numeric
AS 'MODULE_PATHNAME', 'scorecard_fit'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION fit(scorecard, timestamptz) IS
'the points for who the lead is, limited to max_fit';

CREATE FUNCTION engagement(card scorecard, at timestamptz DEFAULT funnel_now())
RETURNS numeric
AS 'MODULE_PATHNAME', 'scorecard_engagement'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION engagement(scorecard, timestamptz) IS
'the points for what the lead does, limited to max_engagement';

CREATE FUNCTION points(card scorecard, rule_id bigint,
	at timestamptz DEFAULT funnel_now())
RETURNS numeric
AS 'MODULE_PATHNAME', 'scorecard_points'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION points(scorecard, bigint, timestamptz) IS
'the points of one rule at an instant, rounded to two decimals; 0 if it never held';

CREATE FUNCTION hits(card scorecard, rule_id bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'scorecard_hits'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hits(scorecard, bigint) IS
'how often one rule counted';

CREATE FUNCTION as_of(card scorecard) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'scorecard_as_of'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION as_of(scorecard) IS
'the instant of the latest hit that counted; NULL if there is none';

CREATE FUNCTION last_activity(card scorecard) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'scorecard_last_activity'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION last_activity(scorecard) IS
'the instant of the latest thing that the lead did, scored or not; NULL if there is none';

CREATE FUNCTION scored_version(card scorecard) RETURNS integer
AS 'MODULE_PATHNAME', 'scorecard_version'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scored_version(scorecard) IS
'the version of the definition that the card was scored under';

CREATE FUNCTION explain_score(card scorecard,
	at timestamptz DEFAULT funnel_now(),
	OUT part text, OUT rule_id bigint, OUT axis text, OUT hits bigint,
	OUT last_hit timestamptz, OUT points numeric, OUT half_life interval,
	OUT capped boolean)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'scorecard_explain'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION explain_score(scorecard, timestamptz) IS
'a row for each rule, for max_fit, max_engagement and floor where they bite, and for what rounding each part by itself leaves out: the points add up to the score';

-- Views of users' funnels call it: its signature is frozen.
CREATE FUNCTION _best_rules(card scorecard, at timestamptz) RETURNS bigint[]
AS 'MODULE_PATHNAME', 'scorecard_best_rules'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _best_rules(scorecard, timestamptz) IS
'the three rules that give most points at that instant, or as of the card where that is later: the best first, of equals the first by rule_id; none without points above zero';

CREATE FUNCTION falls_below(card scorecard, threshold numeric,
	at timestamptz DEFAULT funnel_now())
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'scorecard_falls_below'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION falls_below(scorecard, numeric, timestamptz) IS
'the first instant from then on at which the score is below the threshold if nothing happens: NULL if it is already, infinity if it never will be';

CREATE FUNCTION reaches(card scorecard, threshold numeric,
	at timestamptz DEFAULT funnel_now())
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'scorecard_reaches'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION reaches(scorecard, numeric, timestamptz) IS
'the first instant from then on at which the score is at the threshold or above if nothing happens, as negative points fade: NULL if it is already, infinity if it never will be';

CREATE FUNCTION heat(card scorecard) RETURNS double precision
AS 'MODULE_PATHNAME', 'scorecard_heat'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION heat(scorecard) IS
'a number that orders cards by uncapped engagement and stays the same while nothing happens, for an index; needs one half-life for all';

--
-- Making and joining cards
--
CREATE FUNCTION add_hit(card scorecard, rule_id bigint,
	points double precision, at timestamptz,
	half_life interval DEFAULT NULL, max_points double precision DEFAULT NULL,
	axis text DEFAULT 'engagement', max_hits integer DEFAULT NULL,
	per interval DEFAULT NULL)
RETURNS scorecard
AS 'MODULE_PATHNAME', 'scorecard_add_hit'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION add_hit(scorecard, bigint, double precision, timestamptz, interval, double precision, text, integer, interval) IS
'the card with one more hit of a rule; a NULL card is an empty one';

CREATE FUNCTION merge(scorecard, scorecard) RETURNS scorecard
AS 'MODULE_PATHNAME', 'scorecard_merge'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION merge(scorecard, scorecard) IS
'both cards together, by rule, as of the later instant; refused where a frequency limit is in play';

CREATE AGGREGATE merge(scorecard) (
	SFUNC = merge,
	STYPE = scorecard,
	COMBINEFUNC = merge,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE merge(scorecard) IS
'all cards together; refused where a frequency limit is in play';

CREATE FUNCTION scorecard_to_jsonb(scorecard) RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_to_jsonb(scorecard) IS 'the cast to jsonb';

CREATE CAST (scorecard AS jsonb) WITH FUNCTION scorecard_to_jsonb(scorecard);
COMMENT ON CAST (scorecard AS jsonb) IS
'the card as an object; what there is none of is null, durations are in seconds; of each rule, points as everything shows and compares them at the instant the card is as of, and earned as it is kept, not capped and not rounded';
--
-- The order of a type, and its hash
--
-- Types: those of the list of frameworks, and
-- also: answer_level scorecard
--
-- The order of scorecards has no meaning: it is there for DISTINCT and sorts.
--
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
COMMENT ON FUNCTION answer_level_cmp(answer_level, answer_level) IS 'btree comparison';

CREATE FUNCTION answer_level_hash(answer_level) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_hash(answer_level) IS 'hash';

CREATE FUNCTION answer_level_hash_extended(answer_level, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_hash_extended(answer_level, bigint) IS
'hash with a seed';

CREATE OPERATOR = (
	LEFTARG = answer_level, RIGHTARG = answer_level, FUNCTION = answer_level_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (answer_level, answer_level) IS 'equal';

CREATE OPERATOR <> (
	LEFTARG = answer_level, RIGHTARG = answer_level, FUNCTION = answer_level_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (answer_level, answer_level) IS 'not equal';

CREATE OPERATOR < (
	LEFTARG = answer_level, RIGHTARG = answer_level, FUNCTION = answer_level_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (answer_level, answer_level) IS 'before in the total order';

CREATE OPERATOR <= (
	LEFTARG = answer_level, RIGHTARG = answer_level, FUNCTION = answer_level_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (answer_level, answer_level) IS
'before in the total order, or equal';

CREATE OPERATOR > (
	LEFTARG = answer_level, RIGHTARG = answer_level, FUNCTION = answer_level_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (answer_level, answer_level) IS 'after in the total order';

CREATE OPERATOR >= (
	LEFTARG = answer_level, RIGHTARG = answer_level, FUNCTION = answer_level_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (answer_level, answer_level) IS
'after in the total order, or equal';

CREATE OPERATOR CLASS answer_level_ops DEFAULT FOR TYPE answer_level USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 answer_level_cmp(answer_level, answer_level),
	FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS answer_level_ops USING btree IS
'total order of answer_level';

CREATE OPERATOR CLASS answer_level_ops DEFAULT FOR TYPE answer_level USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 answer_level_hash(answer_level),
	FUNCTION 2 answer_level_hash_extended(answer_level, bigint);
COMMENT ON OPERATOR CLASS answer_level_ops USING hash IS 'equality of answer_level';
--
-- The order of a type, and its hash
--
-- Types: those of the list of frameworks, and
-- also: answer_level scorecard
--
-- The order of scorecards has no meaning: it is there for DISTINCT and sorts.
--
CREATE FUNCTION scorecard_eq(scorecard, scorecard) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_eq(scorecard, scorecard) IS
'implementation of = operator';

CREATE FUNCTION scorecard_ne(scorecard, scorecard) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_ne(scorecard, scorecard) IS
'implementation of <> operator';

CREATE FUNCTION scorecard_lt(scorecard, scorecard) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_lt(scorecard, scorecard) IS
'implementation of < operator';

CREATE FUNCTION scorecard_le(scorecard, scorecard) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_le(scorecard, scorecard) IS
'implementation of <= operator';

CREATE FUNCTION scorecard_gt(scorecard, scorecard) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_gt(scorecard, scorecard) IS
'implementation of > operator';

CREATE FUNCTION scorecard_ge(scorecard, scorecard) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_ge(scorecard, scorecard) IS
'implementation of >= operator';

CREATE FUNCTION scorecard_cmp(scorecard, scorecard) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_cmp(scorecard, scorecard) IS 'btree comparison';

CREATE FUNCTION scorecard_hash(scorecard) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_hash(scorecard) IS 'hash';

CREATE FUNCTION scorecard_hash_extended(scorecard, bigint) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION scorecard_hash_extended(scorecard, bigint) IS
'hash with a seed';

CREATE OPERATOR = (
	LEFTARG = scorecard, RIGHTARG = scorecard, FUNCTION = scorecard_eq,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (scorecard, scorecard) IS 'equal';

CREATE OPERATOR <> (
	LEFTARG = scorecard, RIGHTARG = scorecard, FUNCTION = scorecard_ne,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (scorecard, scorecard) IS 'not equal';

CREATE OPERATOR < (
	LEFTARG = scorecard, RIGHTARG = scorecard, FUNCTION = scorecard_lt,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (scorecard, scorecard) IS 'before in the total order';

CREATE OPERATOR <= (
	LEFTARG = scorecard, RIGHTARG = scorecard, FUNCTION = scorecard_le,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (scorecard, scorecard) IS
'before in the total order, or equal';

CREATE OPERATOR > (
	LEFTARG = scorecard, RIGHTARG = scorecard, FUNCTION = scorecard_gt,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (scorecard, scorecard) IS 'after in the total order';

CREATE OPERATOR >= (
	LEFTARG = scorecard, RIGHTARG = scorecard, FUNCTION = scorecard_ge,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (scorecard, scorecard) IS
'after in the total order, or equal';

CREATE OPERATOR CLASS scorecard_ops DEFAULT FOR TYPE scorecard USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 scorecard_cmp(scorecard, scorecard),
	FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS scorecard_ops USING btree IS
'total order of scorecard';

CREATE OPERATOR CLASS scorecard_ops DEFAULT FOR TYPE scorecard USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 scorecard_hash(scorecard),
	FUNCTION 2 scorecard_hash_extended(scorecard, bigint);
COMMENT ON OPERATOR CLASS scorecard_ops USING hash IS 'equality of scorecard';
--
-- The order of a type, and its hash
--
-- Types: those of the list of frameworks, and
-- also: answer_level scorecard
--
-- The order of scorecards has no meaning: it is there for DISTINCT and sorts.
--
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
--
-- The order of a type, and its hash
--
-- Types: those of the list of frameworks, and
-- also: answer_level scorecard
--
-- The order of scorecards has no meaning: it is there for DISTINCT and sorts.
--
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
--
-- The order of a type, and its hash
--
-- Types: those of the list of frameworks, and
-- also: answer_level scorecard
--
-- The order of scorecards has no meaning: it is there for DISTINCT and sorts.
--
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
--
-- The first and the last value of a type
--
-- Types: those of the list of frameworks, and
-- also: answer_level
--
CREATE FUNCTION answer_level_larger(answer_level, answer_level) RETURNS answer_level
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_larger(answer_level, answer_level) IS
'step of aggregate max';

CREATE FUNCTION answer_level_smaller(answer_level, answer_level) RETURNS answer_level
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answer_level_smaller(answer_level, answer_level) IS
'step of aggregate min';

CREATE AGGREGATE max(answer_level) (
	SFUNC = answer_level_larger, STYPE = answer_level, COMBINEFUNC = answer_level_larger,
	SORTOP = >, PARALLEL = SAFE
);
COMMENT ON AGGREGATE max(answer_level) IS 'the last in the total order';

CREATE AGGREGATE min(answer_level) (
	SFUNC = answer_level_smaller, STYPE = answer_level, COMBINEFUNC = answer_level_smaller,
	SORTOP = <, PARALLEL = SAFE
);
COMMENT ON AGGREGATE min(answer_level) IS 'the first in the total order';
--
-- The first and the last value of a type
--
-- Types: those of the list of frameworks, and
-- also: answer_level
--
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
--
-- The first and the last value of a type
--
-- Types: those of the list of frameworks, and
-- also: answer_level
--
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
--
-- The first and the last value of a type
--
-- Types: those of the list of frameworks, and
-- also: answer_level
--
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
--
-- Conditions of rules and transitions
--
CREATE FUNCTION check_condition(funnel name, target text, condition text,
	definition text DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;

COMMENT ON FUNCTION check_condition(name, text, text, text) IS
'checks the condition of a rule or transition (target: fit, activity, transition) and returns it with all names qualified; raises if it is not one';

CREATE FUNCTION _condition_thresholds(funnel name, condition text, definition text,
	OUT quantity text, OUT rule_id bigint, OUT threshold numeric)
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _condition_thresholds(name, text, text) IS
'the points that a transition''s condition asks for in parts that are only that: of score, fit, engagement or one rule (points)';

CREATE FUNCTION _pseudo_columns(OUT name text, OUT targets text[])
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION _pseudo_columns() IS
'the names that conditions know besides the columns of their row, and what a condition must be for to use them';

CREATE FUNCTION _check_rule() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION _check_rule() IS
'BEFORE INSERT OR UPDATE ON rule FOR EACH ROW: checks its condition and numbers and fills condition_sql';

CREATE FUNCTION _check_transition() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION _check_transition() IS
'BEFORE INSERT OR UPDATE ON transition FOR EACH ROW: checks its condition and stages and fills condition_sql';

CREATE FUNCTION _protect_rule() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION _protect_rule() IS
'BEFORE UPDATE OR DELETE ON rule FOR EACH ROW: refuses to rename or remove a rule that conditions name';
--
-- Triggers: the rows that say which a funnel has, the proof that one was fired
-- as they say, and the trigger functions.
--
CREATE FUNCTION _template_triggers(OUT relation name, OUT trigger name, OUT function regproc,
								   OUT timing text, OUT events text, OUT level text,
								   OUT old_rows boolean, OUT new_rows boolean, OUT is_deferrable boolean,
								   OUT enabled "char", OUT type smallint,
								   OUT since integer, OUT until integer)
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION _template_triggers() IS
'the triggers that funnels have, of which templates (since 0: of all, until NULL: of those to come); type and enabled as in pg_trigger';

-- Its arguments are of the types that PL/pgSQL's variables have.
CREATE FUNCTION _prove_trigger(function text, relid oid, tg_when text, tg_level text, tg_op text) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _prove_trigger(text, oid, text, text, text) IS
'the first act of a trigger function: raises unless it was fired as _template_triggers() says, on a table of a funnel';

CREATE FUNCTION _qualify_lead() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _qualify_lead() IS
'BEFORE INSERT OR UPDATE ON lead FOR EACH ROW: fit, the stage asked for or earned, deadlines';

CREATE FUNCTION _record_lead() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _record_lead() IS
'AFTER INSERT OR UPDATE ON lead FOR EACH ROW: writes moves to stage_history and answers to their log';

CREATE FUNCTION _forget_lead() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _forget_lead() IS
'AFTER DELETE ON lead FOR EACH ROW: its aliases, activities, answers, verdicts and baseline go with it';

CREATE FUNCTION _guard_alias() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _guard_alias() IS
'BEFORE INSERT OR UPDATE ON lead_alias FOR EACH ROW: refuses what is another lead''s own; since is the clock''s';

CREATE FUNCTION _require_lead() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _require_lead() IS
'AFTER INSERT or UPDATE ON baseline, lead_alias, verdict, signature or stage_history FOR EACH STATEMENT: a row names a lead that is there';

CREATE FUNCTION _stamp_activity() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _stamp_activity() IS
'BEFORE INSERT OR UPDATE ON activity FOR EACH ROW: recorded_at is the clock''s';

CREATE FUNCTION _ingest_activity() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _ingest_activity() IS
'AFTER INSERT, UPDATE or DELETE ON activity FOR EACH STATEMENT: scores the leads it is about';

CREATE FUNCTION _stamp_answer() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _stamp_answer() IS
'BEFORE INSERT OR UPDATE ON answer FOR EACH ROW: puts down who answered';

CREATE FUNCTION _ingest_answer() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _ingest_answer() IS
'AFTER INSERT, UPDATE or DELETE ON answer FOR EACH STATEMENT: the lead holds the latest answers';

CREATE FUNCTION _ingest_deal() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _ingest_deal() IS
'AFTER INSERT, UPDATE or DELETE ON deal FOR EACH STATEMENT: the leads of a deal count it';

CREATE FUNCTION _ingest_deal_contact() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _ingest_deal_contact() IS
'AFTER INSERT, UPDATE or DELETE ON deal_contact FOR EACH STATEMENT: the leads count their deals';

CREATE FUNCTION _refit_account_leads() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _refit_account_leads() IS
'AFTER UPDATE ON account FOR EACH STATEMENT: leads are judged anew where conditions read what changed';

CREATE FUNCTION _guard_verdict() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _guard_verdict() IS
'BEFORE INSERT OR UPDATE ON verdict FOR EACH ROW: members of the side''s role judge; puts down who judged, and when';

CREATE FUNCTION _policy_changed() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _policy_changed() IS
'AFTER INSERT OR UPDATE OR DELETE (row) and TRUNCATE on policy tables: every session reads them anew';

CREATE FUNCTION _list_changed() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _list_changed() IS
'AFTER UPDATE ON list FOR EACH STATEMENT: conditions follow a list whose values all got the same new name';

CREATE FUNCTION _guard_id() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _guard_id() IS
'BEFORE INSERT OR UPDATE on tables with an id FOR EACH ROW: it is one that the sequence gave, unless the owner writes';

CREATE FUNCTION _version_used(funnel text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION _version_used(text) IS
'somebody goes by the definitions of a funnel as they are now: what this transaction changes next is another version';

CREATE FUNCTION _append_only_history() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _append_only_history() IS
'BEFORE INSERT OR UPDATE OR DELETE ON stage_history FOR EACH ROW: its rows are written by triggers; a move may be voided, nothing else';

CREATE FUNCTION _refuse_change() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _refuse_change() IS
'BEFORE ROW and BEFORE TRUNCATE on signature, definition_log, baseline and departure: they are append-only, or written by other triggers alone';

CREATE FUNCTION _refuse_write() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _refuse_write() IS
'BEFORE INSERT, UPDATE, DELETE OR TRUNCATE ON journey FOR EACH STATEMENT: it follows from other tables, and other triggers alone write it';

CREATE FUNCTION _follow_stage() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _follow_stage() IS
'AFTER INSERT, UPDATE or DELETE ON stage FOR EACH STATEMENT: units of leads have the milestones of their stages';

CREATE FUNCTION _follow_kind() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _follow_kind() IS
'AFTER INSERT, UPDATE or DELETE ON kind FOR EACH STATEMENT: units of leads have what sales did with them';

CREATE FUNCTION _follow_history() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _follow_history() IS
'AFTER UPDATE ON stage_history FOR EACH STATEMENT: units of leads go without a move that was voided by hand';

CREATE FUNCTION _refuse_truncate() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION _refuse_truncate() IS
'BEFORE TRUNCATE FOR EACH STATEMENT: leads could not follow';
--
-- The frameworks that are types, each with a column of its name in a lead
--
-- Their list is src/type/framework_list.h.  Answers to every other framework
-- are in lead.answers.
--
CREATE FUNCTION _frameworks() RETURNS text[]
AS 'MODULE_PATHNAME', 'frameworks' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _frameworks() IS
'the frameworks that are types and columns of a lead';

CREATE FUNCTION _may_have_element(framework text, element text) RETURNS boolean
AS 'MODULE_PATHNAME', 'may_have_element' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _may_have_element(text, text) IS
'false for an element that a framework lacks which is a type';

CREATE FUNCTION _each_framework(template text, separator text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN (SELECT string_agg(format(template, f.name), separator ORDER BY f.n)
		FROM unnest(_frameworks()) WITH ORDINALITY AS f (name, n));

COMMENT ON FUNCTION _each_framework(text, text) IS
'text of SQL: the template, with the name of each in the place of its %s, once for each of _frameworks()';

-- SQL written with it, and the code, agree on which answer holds.
CREATE FUNCTION _latest_first() RETURNS text
AS 'MODULE_PATHNAME', 'latest_first' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _latest_first() IS
'text of SQL: an ORDER BY that puts first which of the answers to an element holds';
--
-- Milestones, and when a cycle begins
--
-- Funnels have them in views and constraints: signatures are frozen.
--
CREATE FUNCTION _milestones() RETURNS text[]
AS 'MODULE_PATHNAME', 'milestones' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _milestones() IS
'what a stage may be, in the order of the way: the path, customer, exits';

CREATE FUNCTION _is_on_path(milestone text) RETURNS boolean
AS 'MODULE_PATHNAME', 'is_on_path' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _is_on_path(text) IS
'whether it is a step towards a customer: lead ... opportunity';

CREATE FUNCTION _is_exit(milestone text) RETURNS boolean
AS 'MODULE_PATHNAME', 'is_exit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _is_exit(text) IS
'whether a lead there has left the path: nurture, disqualified, lost';

CREATE FUNCTION _has_reached(milestone text, other text) RETURNS boolean
AS 'MODULE_PATHNAME', 'has_reached' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _has_reached(text, text) IS
'whether a lead there has come as far as another milestone of the path, or to customer; off the path it has not';

CREATE FUNCTION _begins_cycle(left_milestone text, entered_milestone text) RETURNS boolean
AS 'MODULE_PATHNAME', 'begins_cycle' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _begins_cycle(text, text) IS
'whether a move begins a new cycle: it leaves nurture, disqualified, lost or customer for the path';
--
-- The template: what a funnel consists of.  Each version of it has a number,
-- which the funnels that were made by it carry.
--
CREATE FUNCTION _serve_template(template integer) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _serve_template(integer) IS
'that template version; raises unless the library of this session serves it';

-- The number comes from template.h as the script is built.
CREATE FUNCTION _template_version() RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN _serve_template(1);

COMMENT ON FUNCTION _template_version() IS
'the template by which create_funnel() makes funnels';

CREATE FUNCTION _funnel_template(schema oid) RETURNS integer
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	template integer;
BEGIN
	EXECUTE format('SELECT template_version FROM %s.setting', schema::regnamespace) INTO template;
	-- none: it is being created, or restored
	RETURN coalesce(template, @extschema@._template_version());
END
$body$;

COMMENT ON FUNCTION _funnel_template(oid) IS
'the template of the funnel in a schema';

-- The tables and views of a funnel, since which template.  drop_funnel() takes
-- anything else in the schema for the user's; a test compares this with what
-- create_funnel() creates.
CREATE FUNCTION _template_relations() RETURNS TABLE (since integer, names name[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	VALUES
		(1, '{
			setting,kind,source,list,element,question,stage,calendar,holiday,side,definition,transition,rule,reason,
			message,content,definition_log,
			account,lead,lead_alias,activity,baseline,answer,verdict,stage_history,departure,journey,signature,deal,deal_contact,spend,
			milestone_entry,won_deal,lead_journey,stage_stay,stage_velocity,
			funnel,funnel_monthly,mql_to_sql,sql_conversion,sql_velocity,cost_per_sql,sql_revenue,
			lead_now,inbox,hand_over,sla,rejection,agreement,
			open_question,account_qualification,verdict_pair,verdict_agreement,disputed_lead,
			detached_lead}'::name[]);
END;

COMMENT ON FUNCTION _template_relations() IS
'names of the tables and views that create_funnel() and detach_funnel() create, a row a template that brought some';

CREATE FUNCTION _funnel_relations(template integer) RETURNS name[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT pg_catalog.array_agg(n.name ORDER BY r.since, n.position)
	FROM _template_relations() AS r
	CROSS JOIN LATERAL unnest(r.names) WITH ORDINALITY AS n (name, position)
	WHERE r.since <= template;
END;

COMMENT ON FUNCTION _funnel_relations(integer) IS
'names of the tables and views that a funnel of that template has';
--
-- The tables of a funnel
--
-- The tables belong to the caller, not to the extension: pg_dump, logical
-- replication, ALTER TABLE and row security treat them as any table.
--

-- Static DDL, run by create_funnel() with the new schema first on the search
-- path.
CREATE FUNCTION _create_funnel_tables() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	--
	-- Policy: small tables that marketing and sales edit as rows
	--
	CREATE TABLE setting (
		only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
		time_zone text NOT NULL DEFAULT 'UTC',
		currency text NOT NULL DEFAULT 'EUR' CHECK (currency ~ '^[A-Z]{3}$'),
		maturity_days integer NOT NULL DEFAULT 90 CHECK (maturity_days BETWEEN 0 AND 36500),
		worth_rate numeric NOT NULL DEFAULT 0.20 CHECK (worth_rate BETWEEN 0 AND 1),
		sales_capacity integer CHECK (sales_capacity BETWEEN 0 AND 1000000000),
		attribution_first numeric NOT NULL DEFAULT 0.40 CHECK (attribution_first BETWEEN 0 AND 1),
		attribution_last numeric NOT NULL DEFAULT 0.40 CHECK (attribution_last BETWEEN 0 AND 1),
		attribution_anchor numeric NOT NULL DEFAULT 0.30 CHECK (attribution_anchor BETWEEN 0 AND 1),
		attribution_half_life interval CHECK (attribution_half_life > '0' AND attribution_half_life <= '100 years'),
		template_version integer NOT NULL,
		lead_table regclass,
		lead_key name NOT NULL DEFAULT 'lead_id',
		edit_signed boolean DEFAULT false,
		CHECK (attribution_first + attribution_last <= 1),
		CHECK (3 * attribution_anchor <= 1)
	);

	CREATE TABLE kind (
		kind text PRIMARY KEY CHECK (kind ~ '^[a-z_][a-z0-9_]*$'),
		party text NOT NULL DEFAULT 'lead'
			CHECK (party IN ('lead', 'sales', 'marketing', 'system')),
		touch boolean NOT NULL DEFAULT false,
		conversation boolean NOT NULL DEFAULT false,
		description text
	);

	CREATE TABLE source (
		source text PRIMARY KEY CHECK (source <> ''),
		channel text,
		direct boolean NOT NULL DEFAULT false,
		paid boolean NOT NULL DEFAULT false
	);

	CREATE TABLE list (
		list text CHECK (list ~ '^[a-z_][a-z0-9_]*$'),
		value text,
		PRIMARY KEY (list, value)
	);

	CREATE TABLE element (
		framework text,
		element text CHECK (element ~ '^[a-z_][a-z0-9_]*$'),
		label text,
		weight numeric NOT NULL DEFAULT 1 CHECK (weight BETWEEN 0 AND 1000),
		position integer NOT NULL DEFAULT 0,
		valid_for interval CHECK (valid_for > '0' AND valid_for <= '1000 years'),
		PRIMARY KEY (framework, element)
	);

	CREATE TABLE question (
		question_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		framework text NOT NULL,
		element text NOT NULL,
		text text NOT NULL,
		position integer NOT NULL DEFAULT 0,
		FOREIGN KEY (framework, element) REFERENCES element ON UPDATE CASCADE ON DELETE CASCADE
	);
	CREATE INDEX question_element ON question (framework, element);

	CREATE TABLE stage (
		stage text PRIMARY KEY CHECK (stage NOT IN ('', '*') AND octet_length(stage) <= 200),
		position integer NOT NULL,
		milestone text NOT NULL
			CHECK (milestone = ANY (_milestones())),
		owner_role text NOT NULL DEFAULT 'none'
			CHECK (owner_role IN ('marketing', 'sales', 'none')),
		sla interval CHECK (sla > '0' AND sla <= '300000 years'),
		notify boolean NOT NULL DEFAULT false,
		description text,
		working_time boolean NOT NULL DEFAULT false,
		CONSTRAINT stage_working_sla CHECK (
			NOT working_time OR sla IS NULL OR
			(extract(year FROM sla) = 0 AND extract(month FROM sla) = 0 AND
			 extract(day FROM sla) >= 0 AND
			 make_interval(days => extract(day FROM sla)::integer) <= sla))
	);

	-- When sales is at work.  The range stands for a week in which 1 January
	-- 2001 is a Monday: hours may touch, but not overlap.
	CREATE TABLE calendar (
		weekday integer CHECK (weekday BETWEEN 1 AND 7),
		opens time,
		closes time NOT NULL,
		PRIMARY KEY (weekday, opens),
		CHECK (opens < closes),
		CONSTRAINT calendar_overlap EXCLUDE USING gist (
			tsrange(date '2000-12-31' + weekday + opens,
					date '2000-12-31' + weekday + closes) WITH &&)
	);

	CREATE TABLE holiday (
		day date PRIMARY KEY CHECK (day BETWEEN '0001-01-01' AND '9999-12-31'),
		name text
	);

	-- A side signs through the members of a role; without one, those of the
	-- role that owns the funnel do.
	CREATE TABLE side (
		side text PRIMARY KEY CHECK (side ~ '^[a-z_][a-z0-9_]*$'),
		role name CHECK (role <> ''),
		description text
	);

	CREATE TABLE definition (
		definition text PRIMARY KEY CHECK (definition <> ''),
		status text NOT NULL DEFAULT 'draft'
			CHECK (status IN ('draft', 'active', 'retired')),
		version integer NOT NULL DEFAULT 0,
		sides text[],
		agreed_by_marketing text,
		agreed_by_sales text,
		agreed_at timestamptz,
		review_by date,
		max_fit numeric CHECK (max_fit > 0 AND max_fit <= 1000000000),
		max_engagement numeric CHECK (max_engagement > 0 AND max_engagement <= 1000000000),
		floor numeric CHECK (abs(floor) <= 1000000000),
		note text
	);
	CREATE UNIQUE INDEX definition_active ON definition (status) WHERE status = 'active';

	CREATE TABLE transition (
		transition_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		definition text NOT NULL REFERENCES definition ON UPDATE CASCADE ON DELETE CASCADE,
		position integer NOT NULL,
		from_stage text,
		to_stage text NOT NULL,
		automatic boolean NOT NULL DEFAULT false,
		after interval CHECK (after > '0' AND after <= '300000 years'),
		condition text,
		condition_sql text,
		needs_reason boolean NOT NULL DEFAULT false,
		exception boolean NOT NULL DEFAULT false,
		sides text[],
		description text,
		reason text,
		CHECK (NOT (automatic AND (needs_reason OR exception))),
		-- a lead that is created has been nowhere yet
		CHECK (after IS NULL OR from_stage IS NOT NULL),
		-- whoever signs needs a lead to sign for, and somebody who asks
		CHECK (coalesce(cardinality(sides), 0) = 0 OR
			   NOT (automatic OR from_stage IS NULL))
	);
	CREATE INDEX transition_definition ON transition (definition, position);

	CREATE TABLE rule (
		rule_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		definition text NOT NULL REFERENCES definition ON UPDATE CASCADE ON DELETE CASCADE,
		name text NOT NULL CHECK (name ~ '^[a-z_][a-z0-9_]*$' AND octet_length(name) < 64),
		axis text NOT NULL CHECK (axis IN ('fit', 'engagement')),
		kind text,
		condition text,
		condition_sql text,
		points numeric NOT NULL,
		half_life interval,
		max_points numeric,
		max_hits integer,
		per interval,
		category text,
		enabled boolean NOT NULL DEFAULT true,
		description text,
		UNIQUE (definition, name),
		CHECK ((axis = 'fit') = (kind IS NULL)),
		CHECK (axis = 'engagement' OR
			   (half_life IS NULL AND max_points IS NULL AND max_hits IS NULL)),
		CHECK (per IS NULL OR max_hits IS NOT NULL)
	);

	CREATE TABLE reason (
		reason text CHECK (reason <> ''),
		applies_to text,
		position integer NOT NULL DEFAULT 0,
		label text,
		rule text,
		PRIMARY KEY (applies_to, reason)
	);

	-- what may be said to a lead, and with what
	CREATE TABLE message (
		message text PRIMARY KEY CHECK (message ~ '^[a-z_][a-z0-9_]*$'),
		party text NOT NULL DEFAULT 'marketing' CHECK (party IN ('marketing', 'sales')),
		milestones text[] NOT NULL
			CHECK (milestones <@ _milestones()),
		stages text[],
		description text
	);

	CREATE TABLE content (
		content_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		title text NOT NULL UNIQUE,
		url text,
		milestones text[] NOT NULL
			CHECK (milestones <@ _milestones()),
		stages text[],
		topic text,
		position integer NOT NULL DEFAULT 0
	);

	-- What the rules were.  Written by triggers, append-only.
	CREATE TABLE definition_log (
		log_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		changed_at timestamptz NOT NULL DEFAULT funnel_now(),
		actor text,
		relation text NOT NULL,
		operation text NOT NULL
			CHECK (operation IN ('insert', 'update', 'delete', 'truncate', 'renamed')),
		definition text,
		version integer,
		old_row jsonb,
		new_row jsonb
	);
	CREATE INDEX definition_log_changed ON definition_log (changed_at);
	CREATE INDEX definition_log_version ON definition_log (version);

	--
	-- Facts and what follows from them
	--
	CREATE TABLE account (
		account_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		external_id text UNIQUE,
		name text,
		domain text,
		properties jsonb NOT NULL DEFAULT '{}'
	);

	-- The card changes with every activity: room in the page and a card that
	-- stays in the row keep those updates heap-only.
	EXECUTE format($table$CREATE TABLE lead (
		lead_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		external_id text UNIQUE,
		email text,
		full_name text,
		job_title text,
		department text,
		seniority text,
		years_in_industry numeric,
		company text,
		account_id bigint REFERENCES account ON DELETE SET NULL,
		industry text,
		company_size integer,
		annual_revenue numeric,
		country text,
		source text,
		campaign text,
		unsubscribed boolean NOT NULL DEFAULT false,
		properties jsonb NOT NULL DEFAULT '{}',
		owner text,
		resume_at timestamptz CHECK (isfinite(resume_at)),
		reason text,
		note text,
		%s,
		answers jsonb NOT NULL DEFAULT '{}',
		stage text NOT NULL DEFAULT '*' CHECK (stage <> '*'),
		stage_entered_at timestamptz NOT NULL DEFAULT funnel_now(),
		cycle integer NOT NULL DEFAULT 1,
		cycle_started_at timestamptz NOT NULL DEFAULT funnel_now(),
		accepted_by text,
		accepted_at timestamptz,
		scorecard scorecard,
		deals_open integer NOT NULL DEFAULT 0,
		deals_won integer NOT NULL DEFAULT 0,
		deals_lost integer NOT NULL DEFAULT 0,
		won_amount numeric NOT NULL DEFAULT 0,
		due_at timestamptz,
		review_at timestamptz,
		state_version bigint NOT NULL DEFAULT 0,
		created_at timestamptz NOT NULL DEFAULT funnel_now()
	) WITH (fillfactor = 70)$table$,
		_each_framework('%1$I %1$I NOT NULL DEFAULT '''''::text, ', '::text));
	ALTER TABLE lead ALTER COLUMN scorecard SET STORAGE MAIN;
	COMMENT ON TABLE lead IS
		'a person who may buy';
	CREATE UNIQUE INDEX lead_email ON lead (lower(email));
	CREATE INDEX lead_stage ON lead (stage);
	CREATE INDEX lead_account ON lead (account_id);
	CREATE INDEX lead_review ON lead (review_at) WHERE review_at IS NOT NULL;
	-- the inbox is in this order, that of all and that of an owner
	CREATE INDEX lead_due ON lead (due_at);
	CREATE INDEX lead_owner ON lead (owner, due_at);

	-- No table has a foreign key to the lead: its lock would come before the one
	-- that an update of the lead needs, and writers of one lead would stand in
	-- each other's way.  Triggers see to it that whoever names a lead names one
	-- that is there, and that aliases, activities, answers, verdicts and the
	-- baseline go with it.  The history, signatures and deals stay for the statistics.

	-- By what else a lead is known, and was before it was merged.
	CREATE TABLE lead_alias (
		alias_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		lead_id bigint NOT NULL,
		external_id text CHECK (external_id <> '') UNIQUE,
		email text CHECK (email <> ''),
		former_key text UNIQUE,
		since timestamptz NOT NULL DEFAULT funnel_now(),
		CONSTRAINT lead_alias_one CHECK (num_nonnulls(external_id, email, former_key) = 1)
	);
	CREATE UNIQUE INDEX lead_alias_email ON lead_alias (lower(email));
	CREATE INDEX lead_alias_lead ON lead_alias (lead_id);

	-- One index gives a lead's log in time order and allows partitions by month.
	-- So the id alone is no key that the server could keep, though it is one:
	-- clients that know a row by one column find it by an index of its own.
	CREATE TABLE activity (
		lead_id bigint,
		occurred_at timestamptz DEFAULT funnel_now() CHECK (isfinite(occurred_at)),
		activity_id bigint GENERATED BY DEFAULT AS IDENTITY,
		kind text NOT NULL,
		source text,
		campaign text,
		actor text,
		properties jsonb NOT NULL DEFAULT '{}',
		external_id text,
		recorded_at timestamptz NOT NULL DEFAULT funnel_now(),
		PRIMARY KEY (lead_id, occurred_at, activity_id),
		UNIQUE (lead_id, external_id)
	);
	CREATE INDEX activity_activity_id ON activity (activity_id);

	-- What archived activities gave: a lead's log begins with it.
	CREATE TABLE baseline (
		lead_id bigint PRIMARY KEY,
		scorecard scorecard NOT NULL,
		archived_before timestamptz NOT NULL,
		n bigint NOT NULL
	);

	CREATE TABLE answer (
		lead_id bigint NOT NULL,
		answer_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		framework text NOT NULL,
		element text NOT NULL,
		level answer_level NOT NULL,
		note text,
		via text,
		answered_by text,
		answered_at timestamptz NOT NULL DEFAULT funnel_now() CHECK (isfinite(answered_at))
	);
	CREATE INDEX answer_lead ON answer (lead_id, answer_id);

	-- what each side thinks of a lead itself, whatever its stage says
	CREATE TABLE verdict (
		verdict_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		lead_id bigint NOT NULL,
		side text NOT NULL CHECK (side IN ('marketing', 'sales')),
		qualified boolean NOT NULL,
		note text,
		judged_by text,
		judged_at timestamptz NOT NULL DEFAULT funnel_now() CHECK (isfinite(judged_at))
	);
	CREATE INDEX verdict_lead ON verdict (lead_id, side);

	CREATE TABLE stage_history (
		history_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		lead_id bigint NOT NULL,
		from_stage text,
		to_stage text NOT NULL,
		entered_at timestamptz NOT NULL DEFAULT funnel_now() CHECK (isfinite(entered_at)),
		cycle integer NOT NULL DEFAULT 1,
		actor text,
		automatic boolean NOT NULL DEFAULT false,
		exception boolean NOT NULL DEFAULT false,
		reason text,
		note text,
		score numeric,
		definition text,
		version integer,
		source text,
		campaign text,
		owner text,
		account_id bigint,
		due_at timestamptz,
		ordinal integer,
		-- kept with the move, because it cannot be told later
		scorecard scorecard,
		first_touch_at timestamptz,
		first_conversation_at timestamptz,
		touches integer,
		voided_at timestamptz,
		voided_by text,
		voided_why text
	);
	CREATE INDEX stage_history_lead ON stage_history (lead_id, cycle, entered_at, ordinal, history_id);
	CREATE INDEX stage_history_entered ON stage_history (to_stage, entered_at);
	CREATE INDEX stage_history_touches ON stage_history (lead_id, cycle) WHERE touches IS NOT NULL;

	-- A lead that went; its moves until then are those of one life of its key.
	CREATE TABLE departure (
		departure_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		lead_id bigint NOT NULL,
		at timestamptz NOT NULL DEFAULT funnel_now() CHECK (isfinite(at)),
		how text NOT NULL CHECK (how IN ('deleted', 'erased', 'merged', 'forgotten')),
		last_move bigint NOT NULL
	);
	CREATE INDEX departure_lead ON departure (lead_id, last_move);

	-- One row a unit.  No index on what changes: updates are HOT.
	EXECUTE format('CREATE TABLE journey (lead_id bigint, cycle integer, %s, PRIMARY KEY (lead_id, cycle)) WITH (fillfactor = 70)',
				   (SELECT string_agg(format('%I %s', c.name, c.type), ', ') FROM _journey_columns() AS c));
	CREATE INDEX journey_again ON journey (lead_id) WHERE cycle > 1;

	-- who agreed
	CREATE TABLE signature (
		signature_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		lead_id bigint,
		to_stage text,
		cycle integer,
		definition text,
		version integer,
		side text NOT NULL,
		signed_by text NOT NULL,
		signed_at timestamptz NOT NULL DEFAULT funnel_now(),
		note text,
		CHECK ((lead_id IS NULL AND to_stage IS NULL AND cycle IS NULL
				AND definition IS NOT NULL AND version IS NOT NULL) OR
			   (lead_id IS NOT NULL AND to_stage IS NOT NULL AND cycle IS NOT NULL
				AND definition IS NULL AND version IS NULL))
	);
	CREATE INDEX signature_lead ON signature (lead_id, to_stage) WHERE lead_id IS NOT NULL;
	CREATE INDEX signature_definition ON signature (definition) WHERE definition IS NOT NULL;

	CREATE TABLE deal (
		deal_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		external_id text UNIQUE,
		account_id bigint REFERENCES account ON DELETE SET NULL,
		owner text,
		amount numeric CHECK (amount >= 0 AND amount < 'infinity'),
		currency text CHECK (currency ~ '^[A-Z]{3}$'),
		home_amount numeric CHECK (home_amount >= 0 AND home_amount < 'infinity'),
		margin numeric,
		status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'won', 'lost')),
		opened_at timestamptz NOT NULL DEFAULT funnel_now() CHECK (isfinite(opened_at)),
		closed_at timestamptz CHECK (isfinite(closed_at)),
		reason text
	);
	CREATE INDEX deal_account ON deal (account_id);

	CREATE TABLE deal_contact (
		deal_id bigint REFERENCES deal ON DELETE CASCADE,
		lead_id bigint,
		role text,
		PRIMARY KEY (deal_id, lead_id)
	);
	CREATE INDEX deal_contact_lead ON deal_contact (lead_id);

	CREATE TABLE spend (
		spend_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
		external_id text UNIQUE,
		department text NOT NULL CHECK (department IN ('marketing', 'sales')),
		source text,
		campaign text,
		starts_on date NOT NULL CHECK (isfinite(starts_on)),
		ends_on date NOT NULL CHECK (isfinite(ends_on)),
		amount numeric NOT NULL CHECK (amount > '-infinity' AND amount < 'infinity'),
		currency text CHECK (currency ~ '^[A-Z]{3}$'),
		CHECK (ends_on >= starts_on)
	);
	CREATE INDEX spend_starts ON spend (starts_on);
END
$template$;

COMMENT ON FUNCTION _create_funnel_tables() IS
'creates the tables of a funnel in the first schema of the search path; called by create_funnel()';
--
-- The policy a new funnel begins with
--
-- Every row is the user's to change.  The stages follow the widest of the
-- usual models (MQL, SAL, SQL); the criteria are the eight explicit, nine
-- implicit and four negative ones of the textbooks.
--
-- How the points fit together: MQL is 100.  Who the lead is gives 60 by the
-- rules below, and the way to MQL asks for engagement besides, so that
-- interest is needed whatever rules of fit are added; a download, a subscription or a webinar
-- cannot give 100 alone; a demo, a trial, a meeting or an inquiry can, and
-- gives more than 100, so that it still counts a little later.
--
CREATE FUNCTION _create_funnel_stages() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	INSERT INTO stage (stage, position, milestone, owner_role, sla, description) VALUES
		('lead', 1, 'lead', 'marketing', NULL,
		 'a person who may buy; marketing wins and keeps the interest'),
		('mql', 2, 'mql', 'marketing', '24 hours',
		 'marketing qualified: worth a look by sales, which accepts or returns it'),
		('sal', 3, 'sal', 'sales', '7 days',
		 'accepted by sales, who reaches out and asks'),
		('sql', 4, 'sql', 'sales', NULL,
		 'sales qualified: found fit to buy'),
		('opportunity', 5, 'opportunity', 'sales', NULL,
		 'a deal is being worked on'),
		('customer', 6, 'customer', 'none', NULL,
		 'a deal was won'),
		('nurture', 7, 'nurture', 'marketing', NULL,
		 'not ready yet: back with marketing'),
		('disqualified', 8, 'disqualified', 'none', NULL,
		 'will not buy'),
		('lost', 9, 'lost', 'none', NULL,
		 'the deals were lost');
END
$template$;

COMMENT ON FUNCTION _create_funnel_stages() IS
'inserts the default stages of a funnel; called by create_funnel()';

CREATE FUNCTION _create_funnel_policy() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	--
	-- Working time, for deadlines of stages that ask for it
	--
	INSERT INTO calendar (weekday, opens, closes)
		SELECT weekday, '09:00', '17:00' FROM generate_series(1, 5) AS weekday;

	--
	-- Who may be asked to agree.  The funnel's owner names their roles.
	--
	INSERT INTO side (side, description) VALUES
		('marketing', 'vets what is handed over'),
		('sales', 'vets what it takes over'),
		('manager', 'decides on exceptions');

	--
	-- Kinds of activity
	--
	INSERT INTO kind (kind, party, touch, conversation, description) VALUES
		('website_visit', 'lead', true, false, 'visited the website'),
		('product_page_view', 'lead', true, false, 'viewed the page of a product'),
		('pricing_page_view', 'lead', true, false, 'viewed the pricing page'),
		('career_page_view', 'lead', false, false, 'viewed a career page: wants a job more than a product'),
		('social_interaction', 'lead', true, false, 'liked, shared, commented or followed on social media'),
		('ad_click', 'lead', true, false, 'clicked an advertisement'),
		('email_open', 'lead', false, false, 'opened an e-mail (machines do so too)'),
		('email_click', 'lead', true, false, 'followed a link in an e-mail'),
		('email_reply', 'lead', false, false, 'answered an e-mail'),
		('newsletter_subscription', 'lead', true, false, 'subscribed to the newsletter'),
		('blog_subscription', 'lead', true, false, 'subscribed to the blog'),
		('unsubscribe', 'lead', false, false, 'unsubscribed'),
		('content_download', 'lead', true, false, 'downloaded content that has no kind of its own'),
		('ebook_download', 'lead', true, false, 'downloaded an ebook'),
		('whitepaper_download', 'lead', true, false, 'downloaded a whitepaper'),
		('case_study_download', 'lead', true, false, 'downloaded a case study'),
		('webinar', 'lead', true, false, 'attended a webinar'),
		('contact_form', 'lead', true, false, 'submitted contact data in a form'),
		('contact_request', 'lead', true, false, 'asked to be contacted'),
		('consultation_request', 'lead', true, false, 'asked for a consultation'),
		('demo_request', 'lead', true, false, 'asked for a demo'),
		('free_trial', 'lead', true, false, 'began a free trial'),
		('meeting_booked', 'lead', true, false, 'booked a meeting'),
		('sales_inquiry', 'lead', true, false, 'asked sales for information, a price or an offer'),
		('email_sent', 'marketing', false, false, 'marketing sent an e-mail'),
		('sales_email', 'sales', false, false, 'sales wrote an e-mail'),
		('call_attempt', 'sales', false, false, 'sales called and reached nobody'),
		('sales_call', 'sales', false, true, 'sales spoke with the lead by telephone'),
		('discovery_call', 'sales', false, true, 'sales asked for needs, budget, authority and timeline'),
		('meeting', 'sales', false, true, 'sales met the lead'),
		('demo', 'sales', false, true, 'sales showed the product and the lead took part');

	--
	-- Sources
	--
	INSERT INTO source (source, channel, direct, paid) VALUES
		('organic_search', 'search', false, false),
		('paid_search', 'search', false, true),
		('social', 'social', false, false),
		('paid_social', 'social', false, true),
		('display', 'display', false, true),
		('email', 'email', false, false),
		('content', 'content', false, false),
		('event', 'event', false, true),
		('referral', 'referral', false, false),
		('partner', 'partner', false, false),
		('outbound', 'outbound', false, false),
		('direct', 'direct', true, false),
		('other', 'other', false, false);

	--
	-- Lists.  The target and rival lists hold examples: put your own in.
	-- The default conditions compare with ILIKE: upper and lower case are the
	-- same, % stands for any text and _ for any character.
	--
	INSERT INTO list (list, value) VALUES
		('target_countries', 'AT'), ('target_countries', 'CH'),
		('target_countries', 'DE'), ('target_countries', 'FR'),
		('target_countries', 'GB'), ('target_countries', 'NL'),
		('target_countries', 'US'),
		('target_industries', 'software'),
		('target_industries', 'information technology'),
		('target_industries', 'financial services'),
		('target_industries', 'manufacturing'),
		('target_industries', 'professional services'),
		('target_job_titles', '%marketing%'), ('target_job_titles', '%sales%'),
		('target_job_titles', '%revenue%'), ('target_job_titles', '%growth%'),
		('target_departments', 'marketing'), ('target_departments', 'sales'),
		('target_departments', 'operations'), ('target_departments', 'management'),
		('target_seniorities', 'owner'), ('target_seniorities', 'c-level'),
		('target_seniorities', 'vp'), ('target_seniorities', 'director'),
		('target_seniorities', 'head'), ('target_seniorities', 'manager'),
		('research_titles', '%researcher%'), ('research_titles', '%research assistant%'),
		('research_titles', '%scientist%'), ('research_titles', '%student%'),
		('research_titles', '%professor%'), ('research_titles', '%lecturer%'),
		('rival_domains', 'rival.example'), ('rival_companies', 'Rival (example)'),
		('sales_sources', 'outbound'), ('sales_sources', 'partner'),
		('free_mail_domains', 'aol.com'), ('free_mail_domains', 'gmail.com'),
		('free_mail_domains', 'gmx.de'), ('free_mail_domains', 'gmx.net'),
		('free_mail_domains', 'googlemail.com'), ('free_mail_domains', 'hotmail.com'),
		('free_mail_domains', 'icloud.com'), ('free_mail_domains', 'live.com'),
		('free_mail_domains', 'mail.ru'), ('free_mail_domains', 'msn.com'),
		('free_mail_domains', 'outlook.com'), ('free_mail_domains', 'proton.me'),
		('free_mail_domains', 'protonmail.com'), ('free_mail_domains', 'qq.com'),
		('free_mail_domains', 'web.de'), ('free_mail_domains', 'yahoo.com'),
		('free_mail_domains', 'yandex.ru'), ('free_mail_domains', '163.com');

	--
	-- Frameworks.  Those that are types have a column of a lead; the answers
	-- of the others gather in lead.answers.
	--
	INSERT INTO element (framework, element, label, weight, position, valid_for) VALUES
		('bant', 'budget', 'Budget', 1, 1, NULL),
		('bant', 'authority', 'Authority', 1, 2, NULL),
		('bant', 'need', 'Need', 1, 3, NULL),
		('bant', 'timeline', 'Timeline', 1, 4, '180 days'),
		('meddic', 'metrics', 'Metrics', 1, 1, NULL),
		('meddic', 'economic_buyer', 'Economic buyer', 1, 2, NULL),
		('meddic', 'decision_criteria', 'Decision criteria', 1, 3, NULL),
		('meddic', 'decision_process', 'Decision process', 1, 4, NULL),
		('meddic', 'identify_pain', 'Identify pain', 1, 5, NULL),
		('meddic', 'champion', 'Champion', 1, 6, NULL),
		('meddpicc', 'metrics', 'Metrics', 15, 1, NULL),
		('meddpicc', 'economic_buyer', 'Economic buyer', 15, 2, NULL),
		('meddpicc', 'decision_criteria', 'Decision criteria', 10, 3, NULL),
		('meddpicc', 'decision_process', 'Decision process', 10, 4, NULL),
		('meddpicc', 'paper_process', 'Paper process', 10, 5, NULL),
		('meddpicc', 'identify_pain', 'Identify pain', 15, 6, NULL),
		('meddpicc', 'champion', 'Champion', 15, 7, NULL),
		('meddpicc', 'competition', 'Competition', 10, 8, NULL),
		('discovery', 'interest', 'Interest', 1, 1, NULL),
		('discovery', 'goals', 'Goals', 1, 2, NULL),
		('discovery', 'obstacles', 'Obstacles and preconditions', 1, 3, NULL),
		('discovery', 'current_solution', 'Current solution', 1, 4, NULL),
		('discovery', 'satisfaction', 'Satisfied with it, and with its price', 1, 5, NULL),
		('basic', 'need', 'Need', 1, 1, NULL),
		('basic', 'interest', 'Expressed interest', 1, 2, NULL),
		('basic', 'budget', 'Budget', 1, 3, NULL),
		('champ', 'challenges', 'Challenges', 1, 1, NULL),
		('champ', 'authority', 'Authority', 1, 2, NULL),
		('champ', 'money', 'Money', 1, 3, NULL),
		('champ', 'prioritization', 'Prioritization', 1, 4, '180 days'),
		('anum', 'authority', 'Authority', 1, 1, NULL),
		('anum', 'need', 'Need', 1, 2, NULL),
		('anum', 'urgency', 'Urgency', 1, 3, '180 days'),
		('anum', 'money', 'Money', 1, 4, NULL),
		('gpctba_ci', 'goals', 'Goals', 1, 1, NULL),
		('gpctba_ci', 'plans', 'Plans', 1, 2, NULL),
		('gpctba_ci', 'challenges', 'Challenges', 1, 3, NULL),
		('gpctba_ci', 'timeline', 'Timeline', 1, 4, '180 days'),
		('gpctba_ci', 'budget', 'Budget', 1, 5, NULL),
		('gpctba_ci', 'authority', 'Authority', 1, 6, NULL),
		('gpctba_ci', 'consequences', 'Negative consequences', 1, 7, NULL),
		('gpctba_ci', 'implications', 'Positive implications', 1, 8, NULL),
		('spiced', 'situation', 'Situation', 1, 1, NULL),
		('spiced', 'pain', 'Pain', 1, 2, NULL),
		('spiced', 'impact', 'Impact', 1, 3, NULL),
		('spiced', 'critical_event', 'Critical event', 1, 4, '180 days'),
		('spiced', 'decision', 'Decision', 1, 5, NULL);

	INSERT INTO question (framework, element, text, position) VALUES
		('discovery', 'interest', 'What brought you to this topic, and what would you like to know?', 1),
		('bant', 'need', 'Which challenges do you face at the moment?', 2),
		('discovery', 'goals', 'What do you want to achieve?', 3),
		('discovery', 'obstacles', 'What has kept you from it so far? Is there anything that must be in place first?', 4),
		('discovery', 'current_solution', 'What do you use for it today?', 5),
		('discovery', 'satisfaction', 'Are you satisfied with it, and is its price fair?', 6),
		('bant', 'timeline', 'Do you intend to buy, and when?', 7),
		('bant', 'timeline', 'How far are you: looking around, comparing, or deciding?', 8),
		('bant', 'budget', 'What may it cost, and what do you want to know about our prices?', 9),
		('bant', 'authority', 'Who decides on the purchase?', 10),
		('bant', 'authority', 'With whom else should we speak?', 11);

	--
	-- The definition: a draft until all its rows are there
	--
	INSERT INTO definition (definition, status, version, note) VALUES
		('default', 'draft', 0, 'what a new funnel begins with');

	--
	-- Rules: who the lead is.
	--
	INSERT INTO rule (definition, name, axis, condition, points, category, enabled, description) VALUES
		('default', 'job_title', 'fit', 'job_title ILIKE ANY (list.target_job_titles)',
		 10, 'profile', true, 'the job title is one that buys'),
		('default', 'role', 'fit', 'department ILIKE ANY (list.target_departments)',
		 5, 'profile', true, 'works in a department that buys'),
		('default', 'seniority', 'fit', 'seniority ILIKE ANY (list.target_seniorities)',
		 10, 'profile', true, 'has a say'),
		('default', 'experience', 'fit', 'years_in_industry >= 3',
		 5, 'profile', true, 'knows the industry: three years or more'),
		('default', 'industry', 'fit', 'industry ILIKE ANY (list.target_industries)',
		 10, 'company', true, 'the industry is one that we serve'),
		('default', 'company_size', 'fit', 'company_size >= 50',
		 10, 'company', true, 'the company has 50 people or more'),
		('default', 'company_revenue', 'fit', 'annual_revenue >= 5000000',
		 5, 'company', true, 'the company turns over five million or more a year'),
		('default', 'location', 'fit', 'country ILIKE ANY (list.target_countries)',
		 5, 'company', true, 'the country is one that we serve'),
		('default', 'title_outside', 'fit', 'job_title ILIKE ANY (list.research_titles)',
		 -30, 'negative', true, 'a title from outside the industry: reads for research, not to buy'),
		('default', 'rival', 'fit',
		 'split_part(email, ''@'', 2) ILIKE ANY (list.rival_domains) OR company ILIKE ANY (list.rival_companies)',
		 -1000, 'negative', true, 'works for a rival; a transition disqualifies at once'),
		('default', 'unsubscribed', 'fit', 'unsubscribed',
		 -15, 'negative', true, 'is unsubscribed (the state; the act is the rule "unsubscribe")'),
		('default', 'free_mail', 'fit', 'split_part(email, ''@'', 2) ILIKE ANY (list.free_mail_domains)',
		 -5, 'negative', false, 'writes from a private mailbox: off, for who sells to companies only');

	--
	-- Rules: what the lead does.  What machines and habit repeat is capped by
	-- max_points, which needs no look into the log; max_hits would.
	--
	INSERT INTO rule (definition, name, axis, kind, condition, points, half_life, max_points, category, description) VALUES
		('default', 'website_visit', 'engagement', 'website_visit', NULL,
		 1, '14 days', 10, 'web', 'visits the website'),
		('default', 'product_page_view', 'engagement', 'product_page_view', NULL,
		 5, '14 days', 20, 'web', 'looks at a product'),
		('default', 'pricing_page_view', 'engagement', 'pricing_page_view', NULL,
		 15, '14 days', 60, 'intent', 'looks at the prices: wants to buy'),
		('default', 'career_page_view', 'engagement', 'career_page_view', NULL,
		 -10, '30 days', 40, 'negative', 'looks for a job'),
		('default', 'social_interaction', 'engagement', 'social_interaction', NULL,
		 2, '14 days', 10, 'social', 'interacts on social media'),
		('default', 'ad_click', 'engagement', 'ad_click', NULL,
		 3, '14 days', 9, 'web', 'clicks an advertisement'),
		('default', 'email_open', 'engagement', 'email_open', NULL,
		 1, '14 days', 5, 'email', 'opens e-mails'),
		('default', 'email_click', 'engagement', 'email_click', NULL,
		 3, '30 days', 15, 'email', 'follows links in e-mails'),
		('default', 'email_reply', 'engagement', 'email_reply', NULL,
		 20, '60 days', 120, 'email', 'answers e-mails: whoever does so time and again is an MQL'),
		('default', 'newsletter_subscription', 'engagement', 'newsletter_subscription', NULL,
		 5, '90 days', 5, 'subscription', 'subscribes to the newsletter'),
		('default', 'blog_subscription', 'engagement', 'blog_subscription', NULL,
		 3, '90 days', 3, 'subscription', 'subscribes to the blog'),
		('default', 'unsubscribe', 'engagement', 'unsubscribe', NULL,
		 -15, '180 days', 30, 'negative', 'unsubscribes'),
		('default', 'content_download', 'engagement', 'content_download', NULL,
		 10, '60 days', 40, 'content', 'downloads content'),
		('default', 'ebook_download', 'engagement', 'ebook_download', NULL,
		 15, '60 days', 45, 'content', 'downloads ebooks'),
		('default', 'whitepaper_download', 'engagement', 'whitepaper_download', NULL,
		 15, '60 days', 45, 'content', 'downloads whitepapers'),
		('default', 'case_study_download', 'engagement', 'case_study_download', NULL,
		 20, '60 days', 60, 'content', 'downloads case studies: wants to know how others fared'),
		('default', 'webinar', 'engagement', 'webinar', NULL,
		 20, '60 days', 60, 'content', 'attends webinars'),
		('default', 'contact_form', 'engagement', 'contact_form', NULL,
		 40, '30 days', 80, 'contact', 'submits contact data'),
		('default', 'contact_request', 'engagement', 'contact_request', NULL,
		 60, '30 days', 120, 'contact', 'asks to be contacted'),
		('default', 'consultation_request', 'engagement', 'consultation_request', NULL,
		 120, '30 days', 240, 'intent', 'asks for a consultation'),
		('default', 'demo_request', 'engagement', 'demo_request', NULL,
		 120, '30 days', 240, 'intent', 'asks for a demo'),
		('default', 'free_trial', 'engagement', 'free_trial', NULL,
		 120, '30 days', 240, 'intent', 'tries the product'),
		('default', 'meeting_booked', 'engagement', 'meeting_booked', NULL,
		 120, '30 days', 240, 'intent', 'books a meeting'),
		('default', 'sales_inquiry', 'engagement', 'sales_inquiry', NULL,
		 150, '30 days', 300, 'intent', 'asks sales: the fast way to sales; a transition reads its last hit'),
		('default', 'sales_conversation', 'engagement', '*', 'kind.conversation',
		 0, NULL, NULL, 'sales', 'sales and the lead spoke: gives no points; the way to SQL reads its last hit');

	--
	-- Reasons.  The waterfall counts a lead under the first one by position.
	--
	INSERT INTO reason (applies_to, reason, position, label) VALUES
		('disqualified', 'outside_audience', 10, 'Outside the audience'),
		('disqualified', 'no_budget', 20, 'Cannot afford it'),
		('disqualified', 'competitor_satisfied', 30, 'Happy with a competitor'),
		('disqualified', 'no_authority', 40, 'Does not decide and leads to nobody who does'),
		('disqualified', 'no_need', 50, 'Has no need'),
		('disqualified', 'rival', 110, 'Works for a rival'),
		('disqualified', 'duplicate', 120, 'Is in the funnel already'),
		('disqualified', 'wrong_data', 130, 'The contact data are wrong'),
		('disqualified', 'do_not_contact', 140, 'Does not want to be contacted'),
		('disqualified', 'spam', 150, 'Is not a person'),
		('nurture', 'no_budget', 20, 'Has no budget yet'),
		('nurture', 'competitor_satisfied', 30, 'Happy with a competitor for now'),
		('nurture', 'no_authority', 40, 'The one who decides is not on board'),
		('nurture', 'no_need', 50, 'Has no need yet'),
		('nurture', 'no_timeline', 60, 'Has no date in mind'),
		('nurture', 'missing_requirement', 70, 'Lacks something that our product needs'),
		('nurture', 'waiting_for_funding', 80, 'Waits for funding'),
		('nurture', 'waiting_for_hiring', 85, 'Waits for new people'),
		('nurture', 'too_early', 90, 'Handed over too early'),
		('nurture', 'not_reachable', 100, 'Could not be reached'),
		('lost', 'no_budget', 20, 'Could not afford it'),
		('lost', 'no_authority', 40, 'The one who decides said no'),
		('lost', 'not_reachable', 100, 'Could not be reached any more'),
		('lost', 'lost_to_competitor', 200, 'Bought from a competitor'),
		('lost', 'price', 210, 'Our price'),
		('lost', 'missing_feature', 220, 'Our product lacks something'),
		('lost', 'no_decision', 230, 'Decided to buy nothing'),
		('sql', 'strategic_account', 300, 'An account that we want in any case'),
		('sql', 'urgent', 310, 'Buys too soon to ask for all'),
		('lead', 'discarded_in_error', 320, 'Was discarded in error'),
		('lead', 'things_changed', 330, 'Things have changed');

	--
	-- Transitions, tried in the order of their positions
	--
	INSERT INTO transition (definition, position, from_stage, to_stage, automatic, condition, needs_reason, exception, description) VALUES
		('default', 10, NULL, 'lead', true, NULL, false, false,
		 'everybody begins here'),
		('default', 20, NULL, 'sal', false, 'source ILIKE ANY (list.sales_sources)', false, false,
		 'what sales found itself needs no acceptance'),
		('default', 30, '*', 'disqualified', true,
		 'split_part(email, ''@'', 2) ILIKE ANY (list.rival_domains) OR company ILIKE ANY (list.rival_companies)', false, false,
		 'a rival is a hard stop'),
		('default', 40, 'lead', 'mql', true, 'score >= 100 AND engagement > 0', false, false,
		 'the score hands the lead over to sales; who somebody is does not do it without anything done'),
		('default', 50, 'mql', 'sal', false, NULL, false, false,
		 'sales accepts the lead by asking for this move'),
		('default', 55, 'lead', 'sal', false, 'last.sales_inquiry >= cycle_started_at', false, false,
		 'who asks sales directly need not wait for a score'),
		('default', 60, 'sal', 'sql', false,
		 'last.sales_conversation >= cycle_started_at AND met(bant) >= 3 AND refuted(bant) = 0', false, false,
		 'sales spoke with the lead in this cycle, three of budget, authority, need and timeline are met and none is refuted'),
		('default', 65, 'sal', 'sql', false, 'last.sales_conversation >= cycle_started_at', true, true,
		 'an exception: after a conversation, by decision of a manager and with a reason'),
		('default', 70, 'sql', 'opportunity', true,
		 '(deals_open > 0 OR deals_won > 0) AND bant -> ''timeline'' >= ''partial''', false, false,
		 'a deal was opened and the timeline is known'),
		('default', 71, 'sql', 'opportunity', false, 'bant -> ''timeline'' >= ''partial''', false, false,
		 'sales works on a deal that is not recorded yet; the timeline is known'),
		('default', 80, 'opportunity', 'customer', true, 'deals_won > 0', false, false,
		 'a deal was won'),
		('default', 81, 'lost', 'customer', true, 'deals_won > 0', false, false,
		 'a deal was won after all, in the cycle of its SQL'),
		('default', 82, 'nurture', 'customer', true, 'deals_won > 0', false, false,
		 'bought while nobody worked on it, in the cycle that it had'),
		('default', 85, 'opportunity', 'lost', true,
		 'deals_lost > 0 AND deals_open = 0 AND deals_won = 0', false, false,
		 'the last open deal was lost and none was won'),
		('default', 86, 'sql', 'lost', false, NULL, true, false,
		 'lost before a deal was recorded'),
		('default', 87, 'opportunity', 'lost', false, NULL, true, false,
		 'given up'),
		('default', 90, 'mql', 'nurture', false, NULL, true, false,
		 'sales does not accept: marketing reworks the lead'),
		('default', 91, 'sal', 'nurture', false, NULL, true, false,
		 'not ready: marketing keeps the interest alive'),
		('default', 92, 'sql', 'nurture', false, NULL, true, false,
		 'qualified but not ready to buy: give resume_at where the date is known'),
		('default', 93, 'opportunity', 'nurture', false, NULL, true, false,
		 'the purchase was put off: give resume_at where the date is known'),
		('default', 100, '*', 'disqualified', false, NULL, true, false,
		 'will not buy: discarded'),
		('default', 110, 'nurture', 'mql', true,
		 'score >= 100 AND engagement > 0 AND last_activity > stage_entered_at', false, false,
		 'came back by itself: new activity and a score over the threshold'),
		('default', 111, 'nurture', 'mql', true,
		 'resume_at > stage_entered_at AND days_in_stage >= trunc(extract(epoch FROM resume_at - stage_entered_at) / 86400, 6)', false, false,
		 'the date to come back, resume_at, was reached'),
		('default', 112, 'nurture', 'lead', false, NULL, false, false,
		 'marketing begins anew'),
		('default', 113, 'disqualified', 'lead', false, NULL, true, false,
		 'discarded in error, or things have changed'),
		('default', 114, 'lost', 'nurture', false, NULL, false, false,
		 'lost this time: marketing keeps the interest alive'),
		('default', 115, 'lost', 'mql', true,
		 'score >= 100 AND engagement > 0 AND last_activity > stage_entered_at', false, false,
		 'came back by itself: new activity and a score over the threshold'),
		('default', 116, 'lost', 'opportunity', false, 'deals_open > 0 OR deals_won > 0', false, false,
		 'a deal is open again'),
		('default', 120, 'customer', 'opportunity', false, 'deals_open > 0 OR deals_won > 0', false, false,
		 'a customer buys again: a new cycle');

	--
	-- What may be said at which stage.  Who is new is not pitched to; who
	-- talks to sales hears no pitch of marketing's any more.
	--
	INSERT INTO message (message, party, milestones, description) VALUES
		('welcome', 'marketing', '{lead}', 'a first greeting and what to expect'),
		('newsletter', 'marketing', '{lead,mql,nurture,customer,lost}', 'news, without a pitch'),
		('education', 'marketing', '{lead,mql,nurture,lost}', 'content on the topic, without a pitch'),
		('invitation', 'marketing', '{lead,mql,nurture,lost}', 'an invitation to a webinar or an event'),
		('marketing_pitch', 'marketing', '{mql,nurture}', 'marketing offers the product'),
		('demo_pitch', 'marketing', '{mql}', 'marketing offers a demo or a trial'),
		('win_back', 'marketing', '{nurture,lost}', 'asks whether things have changed'),
		('first_contact', 'sales', '{mql,sal}', 'sales introduces itself and asks for a conversation'),
		('follow_up', 'sales', '{sal,sql,opportunity}', 'sales goes on with a conversation'),
		('sales_pitch', 'sales', '{sal,sql,opportunity}', 'sales offers the product, a demo or a trial'),
		('offer', 'sales', '{sql,opportunity}', 'a price or an offer'),
		('onboarding', 'sales', '{customer}', 'how to begin with what was bought'),
		('extension', 'sales', '{customer}', 'more for a customer');

	INSERT INTO content (title, milestones, topic, position) VALUES
		('Introduction to the topic', '{lead,nurture}', 'basics', 10),
		('Ebook', '{lead,nurture}', 'basics', 20),
		('Checklist: what to look for', '{lead,mql,nurture}', 'choice', 30),
		('Webinar', '{lead,mql,nurture}', 'product', 40),
		('Product video', '{mql}', 'product', 50),
		('Free trial', '{mql}', 'product', 60),
		('Live demo', '{mql,sal}', 'product', 70),
		('Success stories', '{sal,sql,opportunity}', 'proof', 80),
		('Comparison with the alternatives', '{sal,sql,opportunity}', 'choice', 90),
		('Answers to common objections', '{sal,sql,opportunity}', 'objections', 100),
		('Return on investment', '{sql,opportunity}', 'price', 110),
		('First steps', '{customer}', 'onboarding', 120);

	UPDATE transition SET reason = 'rival' WHERE from_stage = '*' AND automatic;
	UPDATE definition SET status = 'active' WHERE definition = 'default';

	-- what points had said otherwise
	UPDATE reason SET rule = v.rule
	FROM (VALUES ('rival', 'rival'), ('outside_audience', 'title_outside'),
				 ('do_not_contact', 'unsubscribed')) AS v (reason, rule)
	WHERE reason.reason = v.reason AND reason.applies_to = 'disqualified';
END
$template$;

COMMENT ON FUNCTION _create_funnel_policy() IS
'fills the policy tables of a new funnel; called by create_funnel()';
--
-- Signatures: who signs for which side, and that it binds
--

CREATE FUNCTION _actor() RETURNS text
AS 'MODULE_PATHNAME', 'actor' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION _actor() IS
'who acts: the end user that an application names, or the role';

--
-- Sides
--

-- The role whose members sign for a side; raises if there is none.
CREATE FUNCTION _role_of_side(funnel text, side text) RETURNS name
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	named name;
	known text[];
BEGIN
	EXECUTE format('SELECT coalesce(role, (SELECT pg_get_userbyid(relowner) FROM pg_class '
				   'WHERE oid = %1$L::regclass)) FROM %1$s AS s WHERE s.side = $1',
				   format('%I.side', funnel))
		INTO named USING side;
	IF named IS NULL THEN
		EXECUTE format('SELECT array_agg(s.side ORDER BY s.side) FROM %I.side AS s', funnel)
			INTO known;
		RAISE EXCEPTION 'side "%" does not exist', @extschema@._clip(side::text)
			USING ERRCODE = 'foreign_key_violation',
				  HINT = coalesce(format('The sides are: %s.', array_to_string(known, ', ')),
								  'Insert it into table "side" first.');
	END IF;
	RETURN named;
END
$body$;

COMMENT ON FUNCTION _role_of_side(text, text) IS
'the role whose members sign for a side of a funnel; an error if there is no such side';

CREATE FUNCTION _check_sides() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_check_sides'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	asked text;
BEGIN
	-- a restore may bring the sides later
	IF @extschema@._importing() THEN
		RETURN NEW;
	END IF;

	FOREACH asked IN ARRAY coalesce(NEW.sides, '{}') LOOP
		IF asked IS NULL THEN
			RAISE EXCEPTION 'a side must not be null'
				USING ERRCODE = 'null_value_not_allowed',
					  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'sides';
		END IF;
		PERFORM @extschema@._role_of_side(TG_TABLE_SCHEMA::text, asked);
	END LOOP;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _check_sides() IS
'trigger on transition and definition: the sides that they ask for exist';

CREATE FUNCTION _lock_cycle(signature oid, lead text, OUT cycle integer, OUT started_at timestamptz) RETURNS record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _lock_cycle(oid, text) IS
'locks a lead for who may insert into that table of signatures; its cycle, and since when, NULL if it is gone';

-- Whoever signs is a member of the side's role, now; who and when, and which
-- cycle or version, is not for the client to say.
CREATE FUNCTION _stamp_signature() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_stamp_signature'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	k record;
	named name;
	started_at timestamptz;
BEGIN
	PERFORM @extschema@._check_settings(TG_RELID);
	IF @extschema@._importing() THEN
		RETURN NEW;
	END IF;

	named := @extschema@._role_of_side(TG_TABLE_SCHEMA::text, NEW.side::text);
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = named) THEN
		RAISE EXCEPTION 'permission denied to sign for side "%"', NEW.side
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('Role "%s", whose members may, does not exist.', named),
				  HINT = format('The owner of the funnel names the role in %I.side.', TG_TABLE_SCHEMA);
	END IF;
	IF NOT pg_has_role(named, 'MEMBER') THEN
		RAISE EXCEPTION 'permission denied to sign for side "%"', NEW.side
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('Only members of role "%s" may.', named),
				  HINT = format('The owner of the funnel names the role in %I.side.', TG_TABLE_SCHEMA);
	END IF;

	NEW.signed_by := @extschema@._actor();
	NEW.signed_at := @extschema@.funnel_now();
	IF NEW.lead_id IS NOT NULL THEN
		k := @extschema@._funnel_key(TG_TABLE_SCHEMA::text);
		EXECUTE format('SELECT cycle FROM %s WHERE %I = $1', k.leads, k.key)
			INTO NEW.cycle USING NEW.lead_id;
		-- A move may begin another one: what the signer sees of the lead is
		-- asked for first, then it stays.  One that began after this
		-- transaction is signed in, not before.
		IF NEW.cycle IS NOT NULL THEN
			SELECT l.cycle, l.started_at INTO NEW.cycle, started_at
			FROM @extschema@._lock_cycle(TG_RELID::oid, NEW.lead_id::text) AS l;
			NEW.signed_at := greatest(NEW.signed_at, started_at);
		END IF;
		-- in the words of _require_lead(), which comes too late
		IF NEW.cycle IS NULL THEN
			RAISE EXCEPTION 'insert or update on table "signature" violates foreign key constraint "signature_lead_id_fkey"'
				USING ERRCODE = 'foreign_key_violation',
					  DETAIL = format('Key (lead_id)=(%s) is not present in table "lead".', @extschema@._clip(NEW.lead_id::text)),
					  HINT = 'Insert the lead first.',
					  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = 'signature_lead_id_fkey';
		END IF;
	ELSE
		-- whatever changes now is another version
		PERFORM @extschema@._version_used(TG_TABLE_SCHEMA::text);
		EXECUTE format('SELECT version FROM %I.definition WHERE definition = $1', TG_TABLE_SCHEMA)
			INTO NEW.version USING NEW.definition;
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _stamp_signature() IS
'trigger on signature: members of the side''s role sign; keeps signed_by, signed_at, cycle and version';

-- Who signed a definition as it is now.  A change of its rules, transitions
-- or limits, or of what all definitions share, makes what was signed before
-- worth nothing; activating it does not.
CREATE FUNCTION _signers(funnel text, definition text)
RETURNS TABLE (side text, signed_by text, signed_at timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN QUERY EXECUTE format($query$
		SELECT DISTINCT ON (s.side, s.signed_by) s.side, s.signed_by, s.signed_at
		FROM %1$I.signature AS s
		WHERE s.definition = $1
		AND NOT EXISTS (
			SELECT FROM %1$I.definition_log AS l
			WHERE l.version > s.version AND l.operation <> 'renamed'
			AND (l.definition IS NULL OR
				 (l.definition = $1 AND
				  (l.relation IN ('rule', 'transition') OR
				   (l.operation = 'update' AND
					(l.old_row -> 'max_fit', l.old_row -> 'max_engagement', l.old_row -> 'floor')
					IS DISTINCT FROM
					(l.new_row -> 'max_fit', l.new_row -> 'max_engagement', l.new_row -> 'floor'))))))
		ORDER BY s.side, s.signed_by, s.signature_id DESC
		$query$, funnel) USING definition;
END
$body$;

COMMENT ON FUNCTION _signers(text, text) IS
'who signed a definition, as it is now, for which side';

-- Who must sign a move is the owner's to say, and who signs for a side.  It is
-- not to be taken away, nor passed by: on another way to the same milestone,
-- wherever that one begins, or past it, or by giving a stage its milestone.
CREATE FUNCTION _guard_sides() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_guard_sides'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	owner constant oid := (SELECT relowner FROM pg_class WHERE oid = TG_RELID);
	asked text[];
	of_stage text;
	what text;
BEGIN
	IF @extschema@._importing() OR @extschema@._owns_table(TG_RELID::oid) THEN
		RETURN coalesce(NEW, OLD);
	END IF;

	IF TG_TABLE_NAME = 'side' THEN
		IF NEW.role IS DISTINCT FROM OLD.role THEN
			RAISE EXCEPTION 'permission denied to change who signs for side "%"', OLD.side
				USING ERRCODE = 'insufficient_privilege',
					  DETAIL = format('Only members of role "%s", which owns the funnel, may.', pg_get_userbyid(owner)),
					  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'role';
		END IF;
		RETURN NEW;
	ELSIF TG_TABLE_NAME = 'stage' THEN
		IF NEW.milestone <> OLD.milestone THEN
			what := format('the milestone of stage "%s"', OLD.stage);
			EXECUTE format('SELECT t.sides, t.to_stage FROM %1$I.transition AS t '
						   'JOIN %1$I.definition AS d ON d.definition = t.definition '
						   'WHERE d.status = ''active'' AND cardinality(t.sides) > 0 ORDER BY t.transition_id LIMIT 1', TG_TABLE_SCHEMA)
				INTO asked, of_stage;
		END IF;
	ELSIF TG_OP IN ('UPDATE', 'DELETE') AND cardinality(OLD.sides) > 0 AND
		  (TG_OP = 'DELETE' OR
		   (NEW.definition, NEW.from_stage, NEW.to_stage, NEW.sides) IS DISTINCT FROM
		   (OLD.definition, OLD.from_stage, OLD.to_stage, OLD.sides)) THEN
		asked := OLD.sides;
		of_stage := OLD.to_stage;
	ELSIF TG_OP = 'INSERT' OR
		  (TG_OP = 'UPDATE' AND
		   (NEW.definition, NEW.from_stage, NEW.to_stage, NEW.automatic, NEW.condition, NEW.needs_reason,
			NEW.exception, NEW.sides) IS DISTINCT FROM
		   (OLD.definition, OLD.from_stage, OLD.to_stage, OLD.automatic, OLD.condition, OLD.needs_reason,
			OLD.exception, OLD.sides)) THEN
		EXECUTE format('SELECT t.sides, t.to_stage FROM %1$I.transition AS t '
					   'JOIN %1$I.definition AS d ON d.definition = t.definition '
					   'JOIN %1$I.stage AS s ON s.stage = t.to_stage '
					   'JOIN %1$I.stage AS z ON z.stage = $3 '
					   'LEFT JOIN %1$I.stage AS f ON f.stage = $5 '
					   'WHERE d.status = ''active'' AND t.definition = $1 AND t.transition_id <> $2 '
					   'AND NOT coalesce($4, ''{}'') @> t.sides '
					   'AND (z.milestone = s.milestone OR '
					   '     (@extschema@._has_reached(z.milestone::text, s.milestone::text) AND '
					   '      @extschema@._has_reached(f.milestone::text, s.milestone::text) IS NOT TRUE)) '
					   'ORDER BY t.transition_id LIMIT 1', TG_TABLE_SCHEMA)
			INTO asked, of_stage
			USING NEW.definition, NEW.transition_id, NEW.to_stage, NEW.sides, NEW.from_stage;
	END IF;
	IF asked IS NOT NULL THEN
		RAISE EXCEPTION 'permission denied to change %',
			coalesce(what, format('who must sign a move to stage "%s"', of_stage))
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('A move to stage "%s" asks for the signatures of: %s. Only members of role "%s", which owns the funnel, '
								  'may lift that or open another way to its milestone or past it.',
								  of_stage, array_to_string(asked, ', '), pg_get_userbyid(owner)),
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
				  COLUMN = CASE TG_TABLE_NAME WHEN 'stage' THEN 'milestone' ELSE 'sides' END;
	END IF;
	RETURN coalesce(NEW, OLD);
END
$body$;

COMMENT ON FUNCTION _guard_sides() IS
'trigger on transition, stage and side: BEFORE INSERT, UPDATE OR DELETE FOR EACH ROW: who must sign a move, and who signs, is the owner''s to say';
--
-- Trigger functions of facts and of small tables
--
-- Which triggers a funnel has is written in src/funnel/trigger_rows.c.
--
CREATE FUNCTION _stamp_deal() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_stamp_deal'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	home text;
BEGIN
	-- a client that writes whole rows has NULL where it says nothing
	IF TG_OP = 'INSERT' THEN
		NEW.status := coalesce(NEW.status, 'open');
		NEW.opened_at := coalesce(NEW.opened_at, @extschema@.funnel_now());
	END IF;
	IF @extschema@._importing() THEN
		RETURN NEW;
	END IF;

	IF NEW.status = 'open' THEN
		NEW.closed_at := NULL;
	ELSIF NEW.closed_at IS NULL THEN
		NEW.closed_at := @extschema@.funnel_now();
	END IF;

	-- where nothing is to be exchanged, home_amount follows the amount; what
	-- followed it is no exchange when the currency turns out to be another
	IF NEW.home_amount IS NULL OR
	   (NEW.home_amount = OLD.home_amount AND OLD.home_amount = OLD.amount) THEN
		EXECUTE format('SELECT currency FROM %I.setting', TG_TABLE_SCHEMA)
			INTO home;
		IF NEW.currency IS NULL OR NEW.currency = home THEN
			NEW.home_amount := coalesce(NEW.amount, NEW.home_amount);
		ELSIF OLD.currency IS NULL OR OLD.currency = home THEN
			NEW.home_amount := NULL;
		END IF;
	END IF;

	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _stamp_deal() IS
'trigger on deal: keeps closed_at in step with status, and home_amount where no exchange is needed';

--
-- What is in use cannot be removed, and an element or a side keeps its name.
-- There is no foreign key from
-- the busy tables to these small ones: it would lock one row from every
-- transaction.
--

CREATE FUNCTION _users_of(funnel text, relation text, content jsonb) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	uses text[];
BEGIN
	EXECUTE format('SELECT array_agg(u.used_by ORDER BY u.used_by) FROM (' || CASE relation
		WHEN 'stage' THEN $query$
			SELECT format('%%s of "%%s"', n, of_table)
			FROM (SELECT 'lead', count(*) FROM %1$I.lead WHERE stage = $1 ->> 'stage'
				  UNION ALL
				  SELECT 'reason', count(*) FROM %1$I.reason WHERE applies_to = $1 ->> 'stage'
				  UNION ALL
				  SELECT 'stage_history', count(*) FROM %1$I.stage_history WHERE $1 ->> 'stage' IN (to_stage, from_stage)
				  UNION ALL
				  SELECT 'transition', count(*) FROM %1$I.transition WHERE $1 ->> 'stage' IN (to_stage, from_stage)
				 ) AS use (of_table, n)
			WHERE n > 0 $query$
		WHEN 'element' THEN $query$
			SELECT format('%%s of "answer"', count(*)) FROM %1$I.answer
			WHERE framework = $1 ->> 'framework' AND element = $1 ->> 'element' HAVING count(*) > 0
			UNION ALL
			SELECT format('column "%%s" of the leads', f) FROM unnest(@extschema@._frameworks()) AS f
			WHERE f = $1 ->> 'framework' $query$
		-- the log may be long: one is enough
		WHEN 'kind' THEN $query$
			SELECT format('rule "%%s" of definition "%%s"', name, definition) FROM %1$I.rule WHERE kind = $1 ->> 'kind'
			UNION ALL
			SELECT 'activities' WHERE EXISTS (SELECT FROM %1$I.activity WHERE kind = $1 ->> 'kind') $query$
		WHEN 'reason' THEN $query$
			SELECT format('the transition %%sto "%%s" of definition "%%s"', 'from "' || from_stage || '" ', to_stage, definition)
			FROM %1$I.transition WHERE to_stage = $1 ->> 'applies_to' AND reason = $1 ->> 'reason' $query$
		WHEN 'side' THEN $query$
			SELECT format('%%s of "%%s"', n, of_table)
			FROM (SELECT 'transition', count(*) FROM %1$I.transition WHERE $1 ->> 'side' = ANY (sides)
				  UNION ALL
				  SELECT 'definition', count(*) FROM %1$I.definition WHERE $1 ->> 'side' = ANY (sides)
				  UNION ALL
				  SELECT 'signature', count(*) FROM %1$I.signature WHERE side = $1 ->> 'side') AS use (of_table, n)
			WHERE n > 0 $query$
		END || ') AS u (used_by)', funnel)
		INTO uses USING content;
	RETURN uses;
END
$body$;

COMMENT ON FUNCTION _users_of(text, text, jsonb) IS
'what names a row of a small table of a funnel: leads, facts, rules, transitions; NULL: nothing';

CREATE FUNCTION _protect_used() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_protect_used'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	content jsonb;
	uses text[];
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		IF @extschema@._importing() THEN
			RETURN NULL;
		END IF;
		FOR content IN EXECUTE format('SELECT to_jsonb(t) FROM %I.%I AS t', TG_TABLE_SCHEMA, TG_TABLE_NAME) LOOP
			uses := @extschema@._users_of(TG_TABLE_SCHEMA::text, TG_TABLE_NAME::text, content);
			EXIT WHEN uses IS NOT NULL;
		END LOOP;
	ELSE
		content := to_jsonb(OLD);
		IF TG_OP = 'UPDATE' THEN
			IF @extschema@._policy_key(TG_TABLE_NAME::text, content) = @extschema@._policy_key(TG_TABLE_NAME::text, to_jsonb(NEW)) THEN
				RETURN NEW;
			END IF;
			-- what names these follows their new name
			IF TG_TABLE_NAME IN ('stage', 'kind') OR
			   (TG_TABLE_NAME = 'reason' AND content ->> 'applies_to' = to_jsonb(NEW) ->> 'applies_to') THEN
				RETURN NEW;
			END IF;
		END IF;
		uses := @extschema@._users_of(TG_TABLE_SCHEMA::text, TG_TABLE_NAME::text, content);
	END IF;

	IF uses IS NOT NULL THEN
		RAISE EXCEPTION '% "%" is in use', TG_TABLE_NAME,
			concat(content ->> 'framework' || '.', content ->> TG_TABLE_NAME)
			USING ERRCODE = 'dependent_objects_still_exist',
				  DETAIL = format('It is named by %s.', array_to_string(uses, ', ')),
				  HINT = CASE TG_TABLE_NAME
					WHEN 'stage' THEN 'A stage that no transition leads to stays empty: remove the transitions and keep the stage.'
					WHEN 'element' THEN 'Its label, weight and position may be changed.'
					WHEN 'kind' THEN 'Its party, touch, conversation and description may be changed.'
					WHEN 'reason' THEN 'Give the transition another reason first, or change its label and position only.'
					ELSE 'Its role and description may be changed.' END,
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;
	RETURN coalesce(NEW, OLD);
END
$body$;

COMMENT ON FUNCTION _protect_used() IS
'trigger on stage, element, kind, reason and side: BEFORE UPDATE, DELETE or TRUNCATE: what is named elsewhere is not removed; a stage, kind or reason may be renamed, an element or a side not';

-- A deadline in working time needs working time.
CREATE FUNCTION _check_working_time() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_check_working_time'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	never boolean;
	stages text[];
BEGIN
	IF @extschema@._importing() THEN
		RETURN NULL;
	END IF;

	EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I.calendar)', TG_TABLE_SCHEMA)
		INTO never;
	IF NOT never THEN
		RETURN NULL;
	END IF;
	EXECUTE format('SELECT array_agg(format(''"%%s"'', stage) ORDER BY position) FROM %I.stage '
				   'WHERE working_time AND sla IS NOT NULL', TG_TABLE_SCHEMA)
		INTO stages;
	IF stages IS NOT NULL THEN
		RAISE EXCEPTION 'the calendar of funnel "%" has no working time', TG_TABLE_SCHEMA
			USING ERRCODE = 'check_violation',
				  DETAIL = format('The deadline of %s counts working time.', array_to_string(stages, ', ')),
				  HINT = format('Insert hours into %I.calendar first, or set working_time of the stage to false.',
								TG_TABLE_SCHEMA),
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;
	RETURN NULL;
END
$body$;

COMMENT ON FUNCTION _check_working_time() IS
'trigger on stage and calendar: refuses a deadline in working time while the calendar never opens';

-- The constraints of the table say the same to those who write at once, but
-- not in words.
CREATE FUNCTION _check_hours() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_check_hours'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	weekday constant text := ('{Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday}'::text[])[NEW.weekday];
	other text;
BEGIN
	IF @extschema@._importing() THEN
		RETURN NEW;
	END IF;
	IF NEW.opens >= NEW.closes THEN
		RAISE EXCEPTION 'hours of % close before they open', weekday
			USING ERRCODE = 'check_violation',
				  DETAIL = format('They are %s to %s.', NEW.opens, NEW.closes),
				  HINT = 'Hours past midnight are two rows: up to 24:00, and from 00:00 of the next day.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;
	EXECUTE format('SELECT format(''%%s to %%s'', opens, closes) FROM %I.calendar '
				   'WHERE weekday = $1 AND opens < $3 AND closes > $2 AND NOT (weekday, opens) = ($4, $5) '
				   'ORDER BY opens LIMIT 1', TG_TABLE_SCHEMA)
		INTO other USING NEW.weekday, NEW.opens, NEW.closes,
						 CASE TG_OP WHEN 'UPDATE' THEN OLD.weekday ELSE 0 END,
						 CASE TG_OP WHEN 'UPDATE' THEN OLD.opens ELSE '00:00' END;
	IF other IS NOT NULL THEN
		RAISE EXCEPTION 'hours of % overlap', weekday
			USING ERRCODE = 'exclusion_violation',
				  DETAIL = format('%s to %s has time in common with %s.', NEW.opens, NEW.closes, other),
				  HINT = 'Change the hours that are there, or begin where they end.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = 'calendar_overlap';
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _check_hours() IS
'trigger on calendar: refuses hours that close before they open, or that overlap';

-- The one row of settings stays, and what it says of the funnel's make is ours.
-- TimeZone is set, so that what is tried here ends with the function.
CREATE FUNCTION _keep_setting() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_keep_setting'::text, TG_RELID, TG_WHEN, TG_LEVEL, TG_OP);
BEGIN
	IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
		IF @extschema@._importing() THEN
			RETURN OLD;
		END IF;
		RAISE EXCEPTION 'the settings of funnel "%" cannot be deleted', TG_TABLE_SCHEMA
			USING ERRCODE = 'restrict_violation',
				  DETAIL = 'A funnel has exactly one row of settings.',
				  HINT = 'Update it; drop_funnel() drops the funnel.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;

	-- one that cannot be computed with would refuse every fact
	IF TG_OP = 'INSERT' OR NEW.time_zone <> OLD.time_zone THEN
		BEGIN
			PERFORM timezone(NEW.time_zone, now()), set_config('TimeZone', NEW.time_zone, true);
		EXCEPTION
			WHEN data_exception THEN
				RAISE EXCEPTION 'time zone "%" not recognized', NEW.time_zone
					USING ERRCODE = 'invalid_parameter_value',
						  HINT = 'View pg_timezone_names lists those that are known.',
						  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'time_zone';
		END;
	END IF;

	-- to change what was signed is not for those to allow who would change it
	IF TG_OP = 'UPDATE' AND NEW.edit_signed IS DISTINCT FROM OLD.edit_signed AND NOT @extschema@._owns_table(TG_RELID::oid) THEN
		RAISE EXCEPTION 'permission denied to change edit_signed'
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('Only members of role "%s", which owns the funnel, may.',
								  (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)),
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'edit_signed';
	END IF;

	IF TG_OP = 'UPDATE' AND NOT @extschema@._importing() THEN
		NEW.template_version := OLD.template_version;
		NEW.lead_table := OLD.lead_table;
		NEW.lead_key := OLD.lead_key;
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _keep_setting() IS
'trigger on setting: its row stays, the time zone is one that is known, edit_signed is the owner''s; keeps template_version, lead_table and lead_key';
--
-- What keeps a definition from being activated
--

-- Automatic moves that lead back to where they began, at once: without a
-- condition, or under one and the same that the moves do not change.  Any move
-- changes the stay, and uses up note and reason; one that begins a cycle
-- changes what is known of the cycle, too.  What a condition reads is seen in
-- its compiled form, where columns are qualified: its literals may say anything.
CREATE FUNCTION _automatic_circle(funnel text, definition text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	circle text;
BEGIN
	EXECUTE format($query$
		WITH RECURSIVE edge AS (
			SELECT DISTINCT s.stage AS a, t.to_stage AS b, coalesce(t.condition_sql, 'true') AS c,
				   @extschema@._begins_cycle(s.milestone::text, z.milestone::text) AS renews
			FROM %1$I.transition AS t
			JOIN %1$I.stage AS s ON t.from_stage IN (s.stage, '*')
			JOIN %1$I.stage AS z ON z.stage = t.to_stage
			WHERE t.definition = $1 AND t.automatic AND t.after IS NULL AND s.stage <> t.to_stage
			AND coalesce(t.condition_sql, '') !~
				'\m(now\.days_in_stage|lead\.(stage|stage_entered_at|due_at|note|reason))\M'
		), walk AS (
			SELECT held.c, e.a AS start, e.b AS at, ARRAY[e.a, e.b] AS path, e.renews
			FROM (SELECT DISTINCT c FROM edge) AS held
			JOIN edge AS e ON e.c IN ('true', held.c)
			UNION ALL
			SELECT w.c, w.start, e.b, w.path || e.b, w.renews OR e.renews
			FROM walk AS w
			JOIN edge AS e ON e.a = w.at AND e.c IN ('true', w.c)
			WHERE w.at <> w.start AND (e.b = w.start OR e.b <> ALL (w.path))
		)
		SELECT '"' || array_to_string(path, '" -> "') || '"'
		FROM walk WHERE at = start
		AND NOT (renews AND c ~
				 '\mlead\.(cycle|cycle_started_at|accepted_at|accepted_by|resume_at|deals_won|deals_lost)\M')
		ORDER BY cardinality(path), path LIMIT 1 $query$, funnel)
		INTO circle USING definition;
	RETURN circle;
END
$body$;

COMMENT ON FUNCTION _automatic_circle(text, text) IS
'the shortest circle of automatic transitions of a definition that hold at once, or NULL';

-- Guards that ask for more points than the caps of the definition let a lead
-- have.  Under a cap on one axis the other gives what its rules add up to.
CREATE FUNCTION _out_of_reach(funnel text, definition text)
RETURNS TABLE (transition text, quantity text, threshold numeric, most numeric)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_variable
DECLARE
	part record;
	fit numeric;
	engagement numeric;
BEGIN
	EXECUTE format($query$
		SELECT CASE WHEN capped THEN least(max_fit, coalesce(fit, 0), 'Infinity') ELSE 'Infinity' END,
			   CASE WHEN capped THEN least(max_engagement, coalesce(engagement, 0), 'Infinity') ELSE 'Infinity' END
		FROM (SELECT d.max_fit, d.max_engagement, coalesce(d.max_fit, d.max_engagement) IS NOT NULL,
					 sum(least(r.points, r.max_points)) FILTER (WHERE r.axis = 'fit'),
					 sum(coalesce(r.max_points, r.points * CASE WHEN r.per IS NULL THEN r.max_hits END, 'Infinity'))
						 FILTER (WHERE r.axis = 'engagement')
			  FROM %1$I.definition AS d
			  LEFT JOIN %1$I.rule AS r ON r.definition = d.definition AND r.enabled AND r.points > 0
			  WHERE d.definition = $1
			  GROUP BY d.definition) AS c (max_fit, max_engagement, capped, fit, engagement)
		$query$, funnel)
		INTO fit, engagement USING definition;

	FOR part IN EXECUTE format($query$
		SELECT format('%%s to "%%s"', coalesce('from "' || t.from_stage || '"', 'that creates,'), t.to_stage) AS transition,
			   t.condition
		FROM %1$I.transition AS t
		WHERE t.definition = $1 AND t.condition IS NOT NULL
		ORDER BY t.position, t.transition_id $query$, funnel) USING definition
	LOOP
		BEGIN
			FOR quantity, threshold, most IN EXECUTE format($query$
				SELECT CASE q.quantity WHEN 'points' THEN format('points.%%s', r.name) ELSE q.quantity END, q.threshold,
					   CASE q.quantity WHEN 'fit' THEN $3 WHEN 'engagement' THEN $4 WHEN 'score' THEN $3 + $4
									   ELSE coalesce(r.max_points, 'Infinity') END
				FROM @extschema@._condition_thresholds($5, $1, $2) AS q
				LEFT JOIN %1$I.rule AS r ON r.rule_id = q.rule_id $query$, funnel)
				USING part.condition, definition, fit, engagement, funnel::name
			LOOP
				transition := part.transition;
				CONTINUE WHEN threshold <= most;
				RETURN NEXT;
			END LOOP;
		EXCEPTION
			WHEN query_canceled OR insufficient_privilege THEN
				RAISE;
			-- that it does not compile is told elsewhere
			WHEN OTHERS THEN
				NULL;
		END;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _out_of_reach(text, text) IS
'guards of a definition that ask for more points than its caps let a lead have';

-- The rows of a definition are checked as they are written, but what they
-- name may have changed since: columns, functions, lists, other rows.
CREATE FUNCTION check_definition(funnel text, definition text)
RETURNS TABLE (problem text, hint text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_variable
DECLARE
	def record;
	part record;
	n bigint;
	signers text[];
	named name;
BEGIN
	PERFORM @extschema@._funnel_schema(funnel);
	EXECUTE format('SELECT d.* FROM %I.definition AS d WHERE d.definition = $1', funnel)
		INTO def USING definition;
	IF def.definition IS NULL THEN
		RAISE EXCEPTION 'definition "%" does not exist in funnel "%"', @extschema@._clip(definition::text), funnel
			USING ERRCODE = 'undefined_object',
				  HINT = 'See table "definition"; copy_definition() makes one from another.';
	END IF;

	EXECUTE format('SELECT count(*) FROM %I.transition AS t WHERE t.definition = $1 AND t.from_stage IS NULL', funnel)
		INTO n USING definition;
	IF n = 0 THEN
		problem := 'No transition creates a lead: none has from_stage NULL.';
		hint := 'Add one to the stage where leads begin.';
		RETURN NEXT;
	END IF;

	FOR part IN EXECUTE format($query$
		SELECT 1 AS rank, r.rule_id AS id, format('rule "%%s"', r.name) AS what, r.condition,
			   CASE r.axis WHEN 'fit' THEN 'fit' ELSE 'activity' END AS target
		FROM %1$I.rule AS r
		WHERE r.definition = $1 AND r.enabled AND r.condition IS NOT NULL
		UNION ALL
		SELECT 2, t.transition_id,
			   format('transition %%s to "%%s"', coalesce('from "' || t.from_stage || '"', 'that creates, '), t.to_stage),
			   t.condition, 'transition'
		FROM %1$I.transition AS t
		WHERE t.definition = $1 AND t.condition IS NOT NULL
		ORDER BY 1, 2 $query$, funnel) USING definition
	LOOP
		BEGIN
			PERFORM @extschema@.check_condition(funnel::name, part.target::text, part.condition::text, definition);
		EXCEPTION
			WHEN query_canceled OR insufficient_privilege THEN
				RAISE;
			WHEN OTHERS THEN
				problem := format('The condition of %s does not compile: %s.', part.what, SQLERRM);
				hint := 'Correct it; check_condition() shows where.';
				RETURN NEXT;
		END;
	END LOOP;

	FOR part IN EXECUTE format($query$
		SELECT t.transition_id, named.stage
		FROM %1$I.transition AS t
		CROSS JOIN LATERAL (VALUES (t.from_stage), (t.to_stage)) AS named (stage)
		WHERE t.definition = $1 AND named.stage <> '*'
		AND NOT EXISTS (SELECT FROM %1$I.stage AS s WHERE s.stage = named.stage)
		ORDER BY 1, 2 $query$, funnel) USING definition
	LOOP
		problem := format('Transition %s names stage "%s", which does not exist.', part.transition_id, part.stage);
		hint := 'Add it to table "stage", or remove the transition.';
		RETURN NEXT;
	END LOOP;

	problem := @extschema@._automatic_circle(funnel, definition);
	IF problem IS NOT NULL THEN
		problem := format('Automatic transitions lead in a circle: %s.', problem);
		hint := 'Give one of them a condition that the others exclude, or let people ask for it.';
		RETURN NEXT;
	END IF;

	FOR part IN SELECT * FROM @extschema@._out_of_reach(funnel, definition) LOOP
		problem := format('The transition %s asks for %s >= %s, and the caps let nobody have more than %s.',
						  part.transition, part.quantity, part.threshold, part.most);
		hint := 'Raise or remove the caps (max_fit, max_engagement of the definition, max_points of rules), or lower the threshold.';
		RETURN NEXT;
	END LOOP;

	IF cardinality(def.sides) > 0 THEN
		SELECT array_agg(DISTINCT s.signed_by) INTO signers
		FROM @extschema@._signers(funnel, definition) AS s WHERE s.side = ANY (def.sides);
		FOR part IN
			SELECT asked.side FROM unnest(def.sides) WITH ORDINALITY AS asked (side, position)
			WHERE NOT EXISTS (SELECT FROM @extschema@._signers(funnel, definition) AS s WHERE s.side = asked.side)
			ORDER BY asked.position
		LOOP
			problem := format('Side "%s" has not signed it as it is now.', part.side);
			named := @extschema@._role_of_side(funnel, part.side::text);
			hint := CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = named)
					THEN format('A member of role "%s" calls sign_definition().', named)
					ELSE format('Role "%s" does not exist: name another one in table "side".', named) END;
			RETURN NEXT;
		END LOOP;
		IF signers = ARRAY[@extschema@._actor()] THEN
			problem := format('Nobody but "%s", who activates it, has signed it.', signers[1]);
			hint := 'Four eyes see more than two: let somebody else sign or activate it.';
			RETURN NEXT;
		END IF;
	END IF;
END
$body$;

COMMENT ON FUNCTION check_definition(text, text) IS
'what keeps a definition from being activated by the caller, a row a problem; none: nothing';
--
-- Definitions keep their order: exactly one is active, and that one is sound
--

CREATE FUNCTION _check_reason() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_check_reason'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	known boolean;
BEGIN
	-- a restore may bring the rules later
	IF NEW.rule IS NULL OR @extschema@._importing() THEN
		RETURN NEW;
	END IF;
	-- that the rule is gone since is told by check_funnel()
	IF TG_OP = 'UPDATE' THEN
		IF NEW.rule = OLD.rule THEN
			RETURN NEW;
		END IF;
	END IF;

	EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.rule AS r JOIN %1$I.definition AS d ON d.definition = r.definition '
				   'WHERE d.status = ''active'' AND r.name = $1)', TG_TABLE_SCHEMA)
		INTO known USING NEW.rule;
	IF NOT known THEN
		RAISE EXCEPTION 'rule "%" does not exist in the active definition', NEW.rule
			USING ERRCODE = 'foreign_key_violation',
				  HINT = 'The rules are in table "rule"; a reason need not blame one.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'rule';
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _check_reason() IS
'trigger on reason: the rule that it blames is one of the active definition';

CREATE FUNCTION _refuse_circle() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_refuse_circle'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	looped text;
	circle text;
BEGIN
	-- which moves begin a cycle, and so end a circle, is what milestones say
	IF TG_TABLE_NAME = 'stage' THEN
		IF NEW.milestone = OLD.milestone OR @extschema@._importing() THEN
			RETURN NULL;
		END IF;
		EXECUTE format('SELECT d.definition, c.circle FROM %1$I.definition AS d, '
					   'LATERAL @extschema@._automatic_circle(%1$L::text, d.definition::text) AS c (circle) '
					   'WHERE c.circle IS NOT NULL ORDER BY 1 LIMIT 1', TG_TABLE_SCHEMA)
			INTO looped, circle;
	ELSIF NOT NEW.automatic OR NEW.from_stage IS NULL THEN
		RETURN NULL;
	ELSE
		looped := NEW.definition;
		circle := @extschema@._automatic_circle(TG_TABLE_SCHEMA::text, looped);
	END IF;
	IF circle IS NOT NULL THEN
		RAISE EXCEPTION 'automatic transitions of definition "%" lead in a circle', looped
			USING ERRCODE = 'check_violation',
				  DETAIL = format('It is: %s. A lead there would never rest.', circle),
				  HINT = 'Give one of them a condition that the others exclude, or let people ask for it.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;
	RETURN NULL;
END
$body$;

COMMENT ON FUNCTION _refuse_circle() IS
'trigger on transition and stage: automatic transitions that hold at once do not lead in a circle';

CREATE FUNCTION _guard_definition() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_guard_definition'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	problems text[];
	hints text[];
	next_version integer;
	n_definitions bigint;
BEGIN
	IF @extschema@._importing() THEN
		RETURN NEW;
	END IF;

	-- it has no transitions yet, and nobody has signed it
	IF TG_OP = 'INSERT' THEN
		IF NEW.status = 'active' THEN
			RAISE EXCEPTION 'definition "%" cannot begin as the active one', NEW.definition
				USING ERRCODE = 'object_not_in_prerequisite_state',
					  HINT = 'Insert it as a draft, add its rules and transitions, then call activate_definition().',
					  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'status';
		END IF;
		NEW.version := 0;
		NEW.agreed_by_marketing := NULL;
		NEW.agreed_by_sales := NULL;
		NEW.agreed_at := NULL;
		RETURN NEW;
	END IF;

	-- who must sign is not for those to say who sign, nor what is in force
	IF (NEW.status, NEW.sides) IS DISTINCT FROM (OLD.status, OLD.sides) AND
	   NOT @extschema@._owns_table(TG_RELID) THEN
		RAISE EXCEPTION 'permission denied to change status or sides of definition "%"', OLD.definition
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('Only role "%s", which owns the funnel, and who has its privileges may.',
								  (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)),
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;

	-- Cards know a version and no name, and some may be of a definition that is
	-- gone, or of the last time that this one was active.  So whoever writes a
	-- version gets the next one that was never given.
	EXECUTE format('SELECT greatest((SELECT max(l.version) FROM %1$I.definition_log AS l), max(d.version)) + 1, count(*) '
				   'FROM %1$I.definition AS d', TG_TABLE_SCHEMA)
		INTO next_version, n_definitions;
	IF NEW.version <> OLD.version THEN
		NEW.version := next_version;
	END IF;

	-- who agreed is what signatures say.  A new version of the same standing
	-- has new rules.
	IF NEW.version <> OLD.version AND NEW.status = OLD.status THEN
		NEW.agreed_by_marketing := NULL;
		NEW.agreed_by_sales := NULL;
		NEW.agreed_at := NULL;
	ELSE
		SELECT max(s.signed_by) FILTER (WHERE s.side = 'marketing'),
			   max(s.signed_by) FILTER (WHERE s.side = 'sales'),
			   CASE WHEN count(DISTINCT s.side) FILTER (WHERE s.side IN ('marketing', 'sales')) = 2
					THEN max(s.signed_at) FILTER (WHERE s.side IN ('marketing', 'sales')) END
			INTO NEW.agreed_by_marketing, NEW.agreed_by_sales, NEW.agreed_at
		FROM (SELECT DISTINCT ON (side) * FROM @extschema@._signers(TG_TABLE_SCHEMA::text, OLD.definition::text)
			  ORDER BY side, signed_at DESC, signed_by) AS s;
	END IF;

	IF NEW.status <> 'active' OR OLD.status = 'active' THEN
		RETURN NEW;
	END IF;

	SELECT array_agg(c.problem), array_agg(DISTINCT c.hint) INTO problems, hints
	FROM @extschema@.check_definition(TG_TABLE_SCHEMA::text, OLD.definition::text) AS c;
	IF problems IS NOT NULL THEN
		RAISE EXCEPTION 'definition "%" cannot be activated', NEW.definition
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = array_to_string(problems, E'\n'),
				  HINT = array_to_string(hints, E'\n'),
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'status';
	END IF;

	IF n_definitions > 1 THEN
		NEW.version := next_version;
	END IF;
	RETURN NEW;
END
$body$;

COMMENT ON FUNCTION _guard_definition() IS
'trigger on definition: BEFORE INSERT OR UPDATE: one that becomes active is sound and gets a new version; status and sides are the owner''s; keeps who agreed';

CREATE FUNCTION _keep_one_active() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_keep_one_active'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	found_one boolean;
BEGIN
	IF OLD.status <> 'active' OR @extschema@._importing() THEN
		RETURN NULL;
	END IF;
	EXECUTE format('SELECT EXISTS (SELECT FROM %I.definition WHERE status = ''active'')', TG_TABLE_SCHEMA)
		INTO found_one;
	IF NOT found_one THEN
		RAISE EXCEPTION 'definition "%" is the active one', OLD.definition
			USING ERRCODE = 'restrict_violation',
				  DETAIL = format('Without it funnel "%s" would score and move nothing.', TG_TABLE_SCHEMA),
				  HINT = 'Call activate_definition() with another one, which retires this one.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'status';
	END IF;
	RETURN NULL;
END
$body$;

COMMENT ON FUNCTION _keep_one_active() IS
'trigger on definition: AFTER UPDATE OR DELETE: the active one goes only where another takes its place';

-- An owner who builds a definition anew is told by check_funnel().
CREATE FUNCTION _keep_way_in() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	proven constant boolean := @extschema@._prove_trigger('_keep_way_in'::text, TG_RELID::oid, TG_WHEN::text, TG_LEVEL::text, TG_OP::text);
	closed boolean;
BEGIN
	IF OLD.from_stage IS NOT NULL OR @extschema@._importing() OR @extschema@._owns_table(TG_RELID::oid) THEN
		RETURN NULL;
	END IF;
	EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.definition WHERE definition = $1 AND status = ''active'') '
				   'AND NOT EXISTS (SELECT FROM %1$I.transition WHERE definition = $1 AND from_stage IS NULL)', TG_TABLE_SCHEMA)
		INTO closed USING OLD.definition;
	IF closed THEN
		RAISE EXCEPTION 'definition "%" needs a transition that creates leads', OLD.definition
			USING ERRCODE = 'restrict_violation',
				  DETAIL = 'It is the active one: every INSERT of a lead would be refused.',
				  HINT = 'First insert the one that takes its place, or run SET CONSTRAINTS ALL DEFERRED.',
				  SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
	END IF;
	RETURN NULL;
END
$body$;

COMMENT ON FUNCTION _keep_way_in() IS
'trigger on transition: AFTER UPDATE OR DELETE: the last one of the active definition that creates leads goes only where another takes its place, or by the hand of the owner';
-- Our schema and, for now, the funnel's stand on the path of what creates
-- objects.  An overload that fits better than the server's own function or
-- operator would be taken for it, and be called by whoever uses the object.
CREATE FUNCTION _planted(schema oid) RETURNS TABLE (what text, used_by text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
-- not bound when it is created, under a path that has our schema: then what it
-- looks for would be in it
AS $body$
	SELECT pg_describe_object(d.refclassid, d.refobjid, 0),
		   pg_describe_object(d.classid, d.objid, d.objsubid)
	FROM pg_depend AS d
	LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
	LEFT JOIN pg_attrdef AS a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
	LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
	LEFT JOIN pg_trigger AS t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
	LEFT JOIN pg_class AS c
		ON c.oid = coalesce(r.ev_class, a.adrelid, k.conrelid, t.tgrelid,
							CASE WHEN d.classid = 'pg_class'::regclass THEN d.objid END)
	LEFT JOIN pg_depend AS member ON member.classid = d.classid AND member.objid = d.objid
		AND member.deptype = 'e'
		AND member.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'lead_qual')
	-- what is the server's own is not listed here
	WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
	AND CASE WHEN schema IS NULL THEN member.objid IS NOT NULL
		ELSE c.relnamespace = schema END
	AND NOT EXISTS (
		SELECT
		FROM pg_depend AS m
		JOIN pg_extension AS e ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid
		WHERE m.classid = d.refclassid AND m.objid = d.refobjid
		AND m.deptype = 'e' AND e.extname = 'lead_qual');
$body$;

COMMENT ON FUNCTION _planted(oid) IS
'functions and operators, neither the server''s nor ours, that objects of a funnel (NULL: of the extension) use';

CREATE FUNCTION _refuse_planted(schema oid, but text[]) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	planted record;
BEGIN
	SELECT p.* INTO planted
	FROM @extschema@._planted(schema) AS p
	WHERE concat_ws(' ', p.what, p.used_by) <> ALL (but)
	ORDER BY 1, 2
	LIMIT 1;

	IF FOUND THEN
		RAISE EXCEPTION '% stands in the way', planted.what
			USING ERRCODE = 'duplicate_object',
				  DETAIL = format('It would be used by %s in place of what the server has.', planted.used_by),
				  HINT = 'Drop it, or install lead_qual in a schema where only trusted roles may create objects.';
	END IF;
END
$body$;

COMMENT ON FUNCTION _refuse_planted(oid, text[]) IS
'raises if objects of a funnel (NULL: of the extension), but for some, use a function or an operator that is neither the server''s nor ours';

--
-- Creating and dropping a funnel
--
CREATE FUNCTION create_funnel(funnel text,
							  time_zone text DEFAULT pg_catalog.current_setting('TimeZone'),
							  currency text DEFAULT 'EUR',
							  lead_table regclass DEFAULT NULL,
							  lead_key name DEFAULT 'lead_id',
							  columns jsonb DEFAULT '{}',
							  prefix text DEFAULT '',
							  stage_column name DEFAULT NULL,
							  stages jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema oid;
	longest int := current_setting('max_identifier_length');
	extension_schema name;
	attached constant boolean := lead_table IS NOT NULL;
BEGIN
	IF funnel IS NULL OR time_zone IS NULL OR currency IS NULL THEN
		RAISE EXCEPTION 'name, time zone and currency of a funnel must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF funnel = '' THEN
		RAISE EXCEPTION 'name of a funnel must not be empty'
			USING ERRCODE = 'invalid_name';
	END IF;
	-- on a search path it is another schema, however it is quoted
	IF funnel = '$user' THEN
		RAISE EXCEPTION 'name "%" is not possible for a funnel', funnel
			USING ERRCODE = 'invalid_name';
	END IF;
	-- as an identifier it would be cut off without a word
	IF octet_length(funnel) > longest THEN
		RAISE EXCEPTION 'name "%" is too long for a funnel', funnel
			USING ERRCODE = 'name_too_long',
				  DETAIL = format('It takes %s bytes; %s are possible.',
								  octet_length(funnel), longest);
	END IF;
	IF currency !~ '^[A-Z]{3}$' THEN
		RAISE EXCEPTION 'invalid currency: "%"', currency
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'Use a code of three capital letters, such as EUR.';
	END IF;

	SELECT n.nspname INTO STRICT extension_schema
	FROM pg_extension AS e
	JOIN pg_namespace AS n ON n.oid = e.extnamespace
	WHERE e.extname = 'lead_qual';

	BEGIN
		EXECUTE format('CREATE SCHEMA %I', funnel);
	EXCEPTION
		-- unique_violation: somebody else created it meanwhile
		WHEN duplicate_schema OR unique_violation THEN
			RAISE EXCEPTION 'schema "%" already exists', funnel
				USING ERRCODE = 'duplicate_schema',
					  HINT = 'A funnel is a schema of its own: choose another name.';
	END;
	SELECT n.oid INTO STRICT schema FROM pg_namespace AS n WHERE n.nspname = funnel;

	-- The template names its objects without a schema.  The function's own
	-- search_path is back when it returns, and so is the caller's.
	PERFORM set_config('search_path',
					   format('%I, %I, pg_temp', funnel, extension_schema),
					   true);

	PERFORM _create_funnel_tables();
	-- before the policy: rules and transitions are checked as they come
	PERFORM @extschema@._create_triggers(schema, false);
	-- before the first row meets a constraint, and once more below
	PERFORM @extschema@._refuse_planted(schema, '{}'::text[]);
	INSERT INTO setting (time_zone, currency, attribution_half_life, template_version)
		VALUES (create_funnel.time_zone, create_funnel.currency, '7 days', @extschema@._template_version());
	PERFORM _create_funnel_stages();
	IF attached THEN
		PERFORM _attach_leads(funnel, lead_table, lead_key, columns, prefix, stage_column, stages);
	ELSE
		PERFORM @extschema@._create_triggers(schema, true);
	END IF;
	PERFORM _create_funnel_views();
	PERFORM _create_funnel_comments();
	PERFORM @extschema@._refuse_planted(schema, '{}'::text[]);
	PERFORM _create_funnel_policy();
	-- autovacuum never looks at so few rows, and the planner would take them for
	-- thousands: views were compiled for longer than they run
	ANALYZE setting, kind, source, list, element, question, stage, definition, transition, rule, reason;
	IF attached THEN
		PERFORM _begin_leads(funnel);
	END IF;
END
$body$;

COMMENT ON FUNCTION create_funnel(text, text, text, regclass, name, jsonb, text, name, jsonb) IS
'creates a funnel: a schema with tables, views, triggers and a default policy, owned by the caller. With lead_table its leads are the rows of that table, whose key is lead_key: the columns that a lead has and the table lacks are added, named with a prefix; columns names those that are there ({"job_title": "position"}); rows begin at the first stage, or at those that stages gives for values of stage_column ({"Qualified": "sql"})';

-- The schema of a funnel; raises if it is none.
CREATE FUNCTION _funnel_schema(funnel text) RETURNS oid
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema oid;
BEGIN
	IF funnel IS NULL THEN
		RAISE EXCEPTION 'name of a funnel must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;

	-- compared as text: a name would be cut off and meet another
	SELECT n.oid INTO schema FROM pg_namespace AS n WHERE n.nspname = funnel;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'schema "%" does not exist', funnel
			USING ERRCODE = 'invalid_schema_name',
				  HINT = 'Create a funnel with create_funnel().';
	END IF;

	-- the table of settings carries a trigger function of the extension
	PERFORM
	FROM pg_class AS c
	JOIN pg_trigger AS t ON t.tgrelid = c.oid
	JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid
	JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE c.relnamespace = schema AND c.relname = 'setting'
	AND d.deptype = 'e' AND e.extname = 'lead_qual';
	IF NOT FOUND THEN
		RAISE EXCEPTION 'schema "%" is not a funnel', funnel
			USING ERRCODE = 'wrong_object_type',
				  HINT = 'Create a funnel with create_funnel().';
	END IF;

	RETURN schema;
END
$body$;

COMMENT ON FUNCTION _funnel_schema(text) IS
'the schema of a funnel; an error if there is none of that name';

-- A table of leads of the user's, or a partition of one, that was moved into
-- the schema of a funnel: its triggers name the funnel that it is attached to.
CREATE FUNCTION _refuse_user_tables(schema oid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	tables regclass[];
BEGIN
	SELECT array_agg(DISTINCT c.oid::regclass) INTO tables
	FROM pg_class AS c
	JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgnargs > 0
	JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid AND d.deptype = 'e'
	JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE c.relnamespace = schema AND e.extname = 'lead_qual';
	IF tables IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" holds a table of leads that is not the funnel''s own', schema::regnamespace
			USING ERRCODE = 'dependent_objects_still_exist',
				  DETAIL = format('A funnel is attached to: %s.', array_to_string(tables, ', ')),
				  HINT = format('Keep it: ALTER TABLE %s SET SCHEMA public.', tables[1]);
	END IF;
END
$body$;

COMMENT ON FUNCTION _refuse_user_tables(oid) IS
'part of drop_funnel(): raises where a table of the user''s that a funnel is attached to, or a partition of it, stands in the schema';

CREATE FUNCTION drop_funnel(funnel text, force boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema oid := @extschema@._funnel_schema(funnel);
	fact name;
	n bigint;
	found_rows text[] := '{}';
	foreign_objects text[];
	views text;
	tables text;
	lead_table constant regclass := @extschema@._attached_table(schema);
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'drop_funnel'::text);
	PERFORM @extschema@._require_funnel_owner(schema, 'drop_funnel'::text);

	-- a table of the user's stays, and its rows
	IF lead_table IS NOT NULL THEN
		EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', lead_table);
	END IF;

	IF force THEN
		PERFORM @extschema@._refuse_user_tables(schema);
		EXECUTE format('DROP SCHEMA %I CASCADE', funnel);
		PERFORM @extschema@._strip_lead_table(lead_table::regclass);
		RETURN;
	END IF;

	-- the lead comes first, as everywhere, and nothing may arrive any more
	FOREACH fact IN ARRAY ARRAY['lead', 'lead_alias', 'account', 'activity', 'answer',
								'stage_history', 'deal', 'deal_contact', 'spend', 'signature']
	LOOP
		CONTINUE WHEN fact = 'lead' AND lead_table IS NOT NULL;
		EXECUTE format('LOCK TABLE %I.%I IN ACCESS EXCLUSIVE MODE', funnel, fact);
		EXECUTE format('SELECT count(*) FROM %I.%I', funnel, fact) INTO n;
		IF n > 0 THEN
			found_rows := found_rows || format('%s of "%s"', n, fact);
		END IF;
	END LOOP;
	IF found_rows <> '{}' THEN
		RAISE EXCEPTION 'funnel "%" is not empty', funnel
			USING ERRCODE = 'dependent_objects_still_exist',
				  DETAIL = format('It holds %s.', array_to_string(found_rows, ', ')),
				  HINT = 'Use force => true to drop the funnel with all that is in it.';
	END IF;

	-- whatever is not of the template belongs to somebody
	SELECT array_agg(what ORDER BY what) INTO foreign_objects
	FROM (SELECT pg_describe_object('pg_class'::regclass, c.oid, 0)
		  FROM pg_class AS c
		  WHERE c.relnamespace = schema
		  AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c', 'S')
		  AND c.relname <> ALL (@extschema@._funnel_relations(@extschema@._funnel_template(schema)))
		  AND NOT (c.relkind = 'S' AND
				   EXISTS (SELECT FROM pg_depend AS d
						   WHERE d.classid = 'pg_class'::regclass
						   AND d.objid = c.oid AND d.deptype IN ('a', 'i')))
		  UNION ALL
		  SELECT pg_describe_object('pg_proc'::regclass, p.oid, 0)
		  FROM pg_proc AS p WHERE p.pronamespace = schema
		  UNION ALL
		  SELECT pg_describe_object('pg_type'::regclass, t.oid, 0)
		  FROM pg_type AS t
		  WHERE t.typnamespace = schema AND t.typtype IN ('d', 'e', 'r')) AS object (what);
	IF foreign_objects IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" holds objects that are not part of the funnel', funnel
			USING ERRCODE = 'dependent_objects_still_exist',
				  DETAIL = format('They are: %s.', array_to_string(foreign_objects, ', ')),
				  HINT = 'Move or drop them, or use force => true to drop the funnel with all that is in it.';
	END IF;

	-- objects elsewhere that depend on these keep the funnel from being dropped
	SELECT string_agg(format('%I.%I', funnel, c.relname), ', ') FILTER (WHERE c.relkind = 'v'),
		   string_agg(format('%I.%I', funnel, c.relname), ', ') FILTER (WHERE c.relkind <> 'v')
		INTO views, tables
	FROM pg_class AS c
	WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p', 'v')
	AND c.relname = ANY (@extschema@._funnel_relations(@extschema@._funnel_template(schema)));
	IF views IS NOT NULL THEN
		EXECUTE 'DROP VIEW ' || views;
	END IF;
	EXECUTE 'DROP TABLE ' || tables;
	EXECUTE format('DROP SCHEMA %I', funnel);
	PERFORM @extschema@._strip_lead_table(lead_table::regclass);
END
$body$;

COMMENT ON FUNCTION drop_funnel(text, boolean) IS
'drops a funnel; refuses while its tables hold facts or somebody else''s objects depend on it, unless forced. A table of leads that it is attached to is left as it was before, with its rows';
--
-- The table of leads, where it is one that the user has
--
-- Which it is, what its columns are called, and whether it will do.  What is
-- done to it is in 59_attach.sql.
--

-- The table that holds a funnel's leads.  Read from the catalogs, so that a
-- caller without a right on the settings can ask.
CREATE FUNCTION _lead_table(schema oid) RETURNS regclass
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE l.relkind
		   WHEN 'v' THEN (SELECT DISTINCT d.refobjid
						  FROM pg_rewrite AS r
						  JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
						  WHERE r.ev_class = l.oid AND d.refclassid = 'pg_class'::regclass
						  AND d.refobjid <> l.oid)
		   ELSE l.oid END::regclass
	FROM pg_class AS l
	WHERE l.relnamespace = schema AND l.relname = 'lead';
END;

COMMENT ON FUNCTION _lead_table(oid) IS
'the table that holds the leads of the funnel in a schema: its own, or the one it is attached to';

CREATE FUNCTION _lead_columns(funnel text, OUT relation regclass, OUT attnum smallint, OUT name name)
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _lead_columns(text) IS
'the columns of a funnel''s lead table, by the names that the funnel knows them by';

-- The table of the user's that a funnel is attached to: it is the owner's, and
-- its triggers name the funnel.  Neither setting.lead_table nor view "lead" is
-- believed alone: whoever may write the one or put up the other could have
-- another table stripped.  A schema that was renamed leaves triggers that name
-- none, until they are repaired.
CREATE FUNCTION _attached_table(schema oid) RETURNS regclass
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT c.oid::regclass
	FROM pg_namespace AS n
	JOIN pg_class AS c ON c.relowner = (SELECT relowner FROM pg_class
										WHERE relnamespace = n.oid AND relname = 'setting')
		AND c.relkind IN ('r', 'p') AND NOT c.relispartition
	JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgnargs > 0
	JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid AND d.deptype = 'e'
	JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	CROSS JOIN LATERAL (SELECT
		t.tgargs = convert_to(n.nspname::text, getdatabaseencoding()) || '\x00'::bytea,
		NOT EXISTS (SELECT FROM pg_namespace AS other
					WHERE t.tgargs = convert_to(other.nspname::text, getdatabaseencoding()) || '\x00'::bytea),
		EXISTS (SELECT
				FROM pg_class AS l
				JOIN pg_rewrite AS r ON r.ev_class = l.oid
				JOIN pg_depend AS v ON v.classid = 'pg_rewrite'::regclass AND v.objid = r.oid
				WHERE l.relnamespace = n.oid AND l.relname = 'lead'
				AND v.refclassid = 'pg_class'::regclass AND v.refobjid = c.oid)) AS found (named, stale, shown)
	WHERE n.oid = schema AND e.extname = 'lead_qual' AND (found.named OR found.stale AND found.shown)
	-- neither one with a table of its own nor one that is detached
	AND NOT EXISTS (SELECT FROM pg_class AS own
					WHERE own.relnamespace = n.oid AND own.relkind IN ('r', 'p')
					AND own.relname IN ('lead', 'detached_lead'))
	GROUP BY c.oid, found.named, found.shown
	ORDER BY found.named DESC, found.shown DESC, count(DISTINCT t.tgfoid) DESC, c.oid
	LIMIT 1;
END;

COMMENT ON FUNCTION _attached_table(oid) IS
'the table of the user''s that the funnel in a schema is attached to, or NULL';

-- What is added to a table of the user's says so in its comment, which only
-- the table's owner writes: that, and nothing else, goes with the funnel.
CREATE FUNCTION _added_mark() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '(added by lead_qual)'::text;

COMMENT ON FUNCTION _added_mark() IS
'how the comment ends of a column or an index that create_funnel() added to a table of the user''s';

-- Columns by these names, as the lead table has them.
CREATE FUNCTION _lead_column_names(funnel text, names text[]) RETURNS text[]
LANGUAGE sql STABLE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attnum)
	FROM _lead_columns(funnel) AS l
	JOIN pg_attribute AS a ON a.attrelid = l.relation AND a.attnum = l.attnum
	WHERE l.name = ANY (names::name[]);
END;

COMMENT ON FUNCTION _lead_column_names(text, text[]) IS
'what columns that a funnel knows by these names are called in its lead table';

--
-- What is wrong with a table of leads, or with its mapping
--

-- Raises unless leads of this table can be a funnel's.
CREATE FUNCTION _check_lead_table(lead_table regclass, lead_key name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	c pg_class;
	a pg_attribute;
	attached_to text;
	twice text;
BEGIN
	SELECT * INTO c FROM pg_class WHERE oid = lead_table;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'table with OID % does not exist', lead_table::oid
			USING ERRCODE = 'undefined_table';
	END IF;
	IF c.relkind NOT IN ('r', 'p') THEN
		RAISE EXCEPTION '"%" is not a table', lead_table
			USING ERRCODE = 'wrong_object_type';
	END IF;
	IF c.relispartition THEN
		RAISE EXCEPTION '"%" is a partition', lead_table
			USING ERRCODE = 'wrong_object_type',
				  HINT = format('Attach the funnel to "%s".', pg_partition_root(lead_table));
	END IF;
	IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = lead_table) OR
	   (c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = lead_table)) THEN
		RAISE EXCEPTION 'table "%" takes part in inheritance', lead_table
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'Triggers of a table do not see the rows of those that inherit from it.',
				  HINT = 'Make it a partitioned table.';
	END IF;
	IF c.relpersistence = 't' THEN
		RAISE EXCEPTION 'table "%" is temporary', lead_table
			USING ERRCODE = 'feature_not_supported';
	END IF;
	IF c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user) THEN
		RAISE EXCEPTION 'table "%" belongs to role "%"', lead_table, pg_get_userbyid(c.relowner)
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = 'All tables of a funnel belong to one role: triggers work as their owner.',
				  HINT = format('SET ROLE %I, or let yours own the table.', pg_get_userbyid(c.relowner));
	END IF;
	-- the rest stays as it is checked
	EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', lead_table);

	SELECT CASE WHEN t.tgnargs > 0 THEN encode(trim('\x00'::bytea FROM t.tgargs), 'escape')
		   ELSE c.relnamespace::regnamespace::text END INTO attached_to
	FROM pg_trigger AS t
	JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid AND d.deptype = 'e'
	JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE t.tgrelid = lead_table AND e.extname = 'lead_qual'
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'table "%" belongs to funnel "%" already', lead_table, attached_to
			USING ERRCODE = 'object_in_use',
				  HINT = 'A lead is in one funnel: detach that one first with detach_funnel().';
	END IF;

	SELECT * INTO a FROM pg_attribute
	WHERE attrelid = lead_table AND attname = lead_key AND attnum > 0 AND NOT attisdropped;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'column "%" of relation "%" does not exist', lead_key, lead_table
			USING ERRCODE = 'undefined_column',
				  HINT = 'lead_key names the column that identifies a lead.';
	END IF;
	IF a.attgenerated <> '' THEN
		RAISE EXCEPTION 'key column "%" of table "%" is generated', lead_key, lead_table
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'Triggers see a row before its generated columns are computed.';
	END IF;
	IF NOT a.attnotnull THEN
		RAISE EXCEPTION 'key column "%" of table "%" may be null', lead_key, lead_table
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'Make it the primary key.';
	END IF;
	IF EXISTS (SELECT FROM pg_type AS t
			   JOIN pg_opclass AS o ON o.opcintype = coalesce(nullif(t.typbasetype, 0), t.oid)
			   JOIN pg_am AS m ON m.oid = o.opcmethod
			   -- the server's own OIDs end there
			   WHERE t.oid = a.atttypid AND o.opcdefault AND m.amname = 'btree' AND o.oid >= 16384) THEN
		RAISE EXCEPTION 'key column "%" of table "%" is of type %', lead_key, lead_table,
			format_type(a.atttypid, a.atttypmod)
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'Only the server''s own operators are used, and it does not compare values of that type.',
				  HINT = 'Let a column of a built-in type be the key.';
	END IF;
	-- raises where values of that type have no order
	EXECUTE format('SELECT FROM (SELECT NULL::%s) AS k (key) ORDER BY key',
				   format_type(a.atttypid, a.atttypmod));

	IF EXISTS (SELECT FROM pg_index AS i
			   WHERE i.indrelid = lead_table AND i.indisunique AND i.indisvalid AND i.indimmediate
			   AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) THEN
		RETURN;
	END IF;
	-- the key of a partitioned table includes what it is partitioned by
	IF c.relkind = 'r' OR
	   NOT EXISTS (SELECT FROM pg_index AS i
				   WHERE i.indrelid = lead_table AND i.indisunique AND i.indisvalid
				   AND i.indpred IS NULL AND a.attnum = ANY (i.indkey::smallint[])) THEN
		RAISE EXCEPTION 'key column "%" of table "%" is not unique', lead_key, lead_table
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'Make it the primary key.';
	END IF;
	EXECUTE format('SELECT %1$I::text FROM %2$s GROUP BY %1$I HAVING count(*) > 1 LIMIT 1', lead_key, lead_table)
		INTO twice;
	IF twice IS NOT NULL THEN
		RAISE EXCEPTION 'key column "%" of table "%" is not unique', lead_key, lead_table
			USING ERRCODE = 'unique_violation',
				  DETAIL = format('Key %s is there more than once, in different partitions.', twice);
	END IF;
END
$body$;

COMMENT ON FUNCTION _check_lead_table(regclass, name) IS
'locks a table, and raises unless a funnel can be attached to it with that key';

CREATE FUNCTION _kept_columns() RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN '{stage,stage_entered_at,cycle,cycle_started_at,accepted_by,accepted_at,scorecard,'
		'deals_open,deals_won,deals_lost,won_amount,answers,due_at,review_at,state_version,resume_at,reason,note}'::text[] || @extschema@._frameworks();
END
$body$;

COMMENT ON FUNCTION _kept_columns() IS
'the columns of a lead that triggers keep, or clear when they have read them';

-- Raises unless each column of the mapping is one that a funnel knows, and is
-- there with a type that will do.
CREATE FUNCTION _check_mapping(own_table regclass, lead_table regclass, lead_key name, columns jsonb) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	-- what is there would be lost
	kept constant text[] := @extschema@._kept_columns();
	-- read and written by code, which is particular
	handled constant text[] := '{source,campaign,owner,account_id}';
	ours text;
	theirs text;
	seen text[] := ARRAY[lead_key::text];
	o record;
	t record;
BEGIN
	IF jsonb_typeof(columns) <> 'object' THEN
		RAISE EXCEPTION 'columns must be an object of names, such as {"job_title": "position"}'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;

	FOR ours, theirs IN SELECT * FROM jsonb_each_text(columns) LOOP
		SELECT a.atttypid AS type, y.typcategory AS category INTO o
		FROM pg_attribute AS a
		JOIN pg_type AS y ON y.oid = a.atttypid
		WHERE a.attrelid = own_table AND a.attname = ours AND a.attnum > 0 AND a.attname <> 'lead_id';
		IF NOT FOUND OR ours = ANY (kept) THEN
			RAISE EXCEPTION 'column "%" of a lead cannot be mapped', ours
				USING ERRCODE = CASE WHEN ours = ANY (kept) THEN 'feature_not_supported' ELSE 'undefined_column' END,
					  DETAIL = CASE WHEN ours = ANY (kept)
							   THEN 'Triggers keep it: what is in a column of yours would be lost.'
							   WHEN ours = 'lead_id' THEN 'The argument lead_key names the key.'
							   ELSE 'A funnel knows no such column.' END,
					  HINT = format('Those that can are: %s.',
									(SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
									 WHERE attrelid = own_table AND attnum > 0
									 AND attname::text <> ALL (kept || 'lead_id'::text)));
		END IF;

		SELECT a.atttypid AS type, y.typcategory AS category, a.attgenerated <> '' AS generated,
			   format_type(a.atttypid, a.atttypmod) AS type_name,
			   coalesce(nullif(y.typbasetype, 0), y.oid) AS base_type INTO t
		FROM pg_attribute AS a
		JOIN pg_type AS y ON y.oid = a.atttypid
		WHERE a.attrelid = lead_table AND a.attname = theirs AND a.attnum > 0 AND NOT a.attisdropped;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'column "%" of relation "%" does not exist', theirs, lead_table
				USING ERRCODE = 'undefined_column',
					  DETAIL = format('The mapping of column "%s" of a lead names it.', ours);
		END IF;
		IF theirs = ANY (seen) THEN
			RAISE EXCEPTION 'column "%" of table "%" is mapped twice', theirs, lead_table
				USING ERRCODE = 'duplicate_column',
					  HINT = 'A generated column can hold the same under another name.';
		END IF;
		seen := seen || theirs;
		IF t.base_type >= 16384 OR		-- conditions may not read it
		   NOT (t.base_type = o.type OR
				EXISTS (SELECT FROM pg_cast WHERE castsource = t.base_type AND casttarget = o.type
						AND castmethod = 'b' AND castcontext = 'i') OR
				-- another text or another number will do, unless code reads it
				(ours <> ALL (handled) AND o.category IN ('N', 'S') AND t.category = o.category)) THEN
			RAISE EXCEPTION 'column "%" of table "%" is of type %, not %', theirs, lead_table,
				t.type_name, format_type(o.type, NULL)
				USING ERRCODE = 'datatype_mismatch',
					  DETAIL = format('The mapping gives it for column "%s" of a lead.', ours),
					  HINT = 'Leave it out, or map a generated column that converts it.';
		END IF;
		IF t.generated AND ours = ANY (handled) THEN
			RAISE EXCEPTION 'column "%" of table "%" is generated', theirs, lead_table
				USING ERRCODE = 'generated_always',
					  DETAIL = format('Triggers must read and write column "%s" of a lead.', ours);
		END IF;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _check_mapping(regclass, regclass, name, jsonb) IS
'raises unless each of these columns of a lead can be a column of the user''s table';

-- Raises unless every row has a stage: that of its value in stage_column, or
-- the first one where that is null.
CREATE FUNCTION _check_stages(funnel text, lead_table regclass, stage_column name, stages jsonb) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	known text[];
	wrong text[];
BEGIN
	IF jsonb_typeof(stages) <> 'object' THEN
		RAISE EXCEPTION 'stages must be an object that gives stages for values, such as {"Qualified": "sql"}'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF stage_column IS NULL THEN
		IF stages <> '{}' THEN
			RAISE EXCEPTION 'stages are given for values of no column'
				USING ERRCODE = 'invalid_parameter_value',
					  HINT = 'stage_column names the column that has these values.';
		END IF;
		RETURN;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = lead_table AND attname = stage_column
				   AND attnum > 0 AND NOT attisdropped) THEN
		RAISE EXCEPTION 'column "%" of relation "%" does not exist', stage_column, lead_table
			USING ERRCODE = 'undefined_column',
				  DETAIL = 'Stages were to follow from it.';
	END IF;

	EXECUTE format('SELECT array_agg(stage ORDER BY position) FROM %I.stage', funnel) INTO known;
	SELECT array_agg(DISTINCT v.value) INTO wrong
	FROM jsonb_each_text(stages) AS v WHERE v.value IS NULL OR v.value <> ALL (known);
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'stage "%" does not exist', @extschema@._clip(array_to_string(wrong, '", "', 'null')::text)
			USING ERRCODE = 'foreign_key_violation',
				  HINT = format('A new funnel has: %s.', array_to_string(known, ', '));
	END IF;
	EXECUTE format('SELECT array_agg(DISTINCT %1$I::text) FROM %2$s WHERE NOT $1 ? (%1$I::text)',
				   stage_column, lead_table)
		INTO wrong USING stages;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'no stage is given for some values of column "%"', stage_column
			USING ERRCODE = 'invalid_parameter_value',
				  DETAIL = format('They are: %s.', @extschema@._clip(array_to_string(wrong[:20], ', ')::text)),
				  HINT = 'stages gives the stage for each: {"value": "stage"}.';
	END IF;
END
$body$;

COMMENT ON FUNCTION _check_stages(text, regclass, name, jsonb) IS
'raises unless a stage follows from the values of a column for every row of the user''s table';
--
-- The triggers of a funnel: creating, checking and repairing read these rows
--

-- Names are qualified: the path has no schema but pg_catalog.
CREATE FUNCTION _trigger_statement(on_table regclass, like_table name, like_trigger name, template integer, funnel text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT format('CREATE %sTRIGGER %I %s %s ON %s %s%sFOR EACH %s EXECUTE FUNCTION %s(%s)',
				  CASE WHEN t.is_deferrable THEN 'CONSTRAINT ' END, t.trigger, t.timing, t.events, on_table,
				  CASE WHEN t.is_deferrable THEN 'DEFERRABLE INITIALLY IMMEDIATE ' END,
				  'REFERENCING ' || nullif(concat(CASE WHEN t.old_rows THEN 'OLD TABLE AS old_rows ' END,
												  CASE WHEN t.new_rows THEN 'NEW TABLE AS new_rows ' END), ''),
				  t.level, t.function, quote_literal(funnel))
		   || CASE t.enabled WHEN 'A' THEN format('; ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', on_table, t.trigger)
			  ELSE '' END
	FROM _template_triggers() AS t
	WHERE t.relation = like_table AND t.trigger = like_trigger AND template BETWEEN t.since AND coalesce(t.until, template);
END;

COMMENT ON FUNCTION _trigger_statement(regclass, name, name, integer, text) IS
'the statement that creates a trigger of a template on a table, which need not be the one it is for; it names the funnel where the table is not in its schema, else NULL';

CREATE FUNCTION _funnel_triggers(schema oid)
RETURNS TABLE (relation name, relid regclass, by_own_name boolean, trigger name, function regproc,
			   timing text, events text, level text, old_rows boolean, new_rows boolean, is_deferrable boolean,
			   enabled "char", type smallint, statement text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT t.relation, place.relid, place.by_own_name, t.trigger, t.function, t.timing, t.events, t.level,
		   t.old_rows, t.new_rows, t.is_deferrable, t.enabled, t.type,
		   _trigger_statement(place.relid, t.relation, t.trigger, f.template,
							  CASE WHEN r.attached THEN n.nspname::text END)
	FROM _funnel_template(schema) AS f (template)
	JOIN _template_triggers() AS t ON f.template BETWEEN t.since AND coalesce(t.until, f.template)
	JOIN pg_namespace AS n ON n.oid = schema
	JOIN LATERAL (SELECT CASE WHEN c.relname = 'lead' THEN _lead_table(schema) ELSE c.oid::regclass END AS relid,
						 c.relkind = 'v' AS attached
				  FROM pg_class AS c
				  WHERE c.relnamespace = n.oid AND c.relname = t.relation) AS r ON true
	-- partitions inherit the triggers of rows, not those of statements
	JOIN LATERAL (SELECT r.relid, false AS by_own_name
				  UNION ALL
				  SELECT tree.relid, true FROM pg_partition_tree(r.relid) AS tree
				  WHERE tree.level > 0 AND t.level = 'STATEMENT') AS place ON true;
END;

COMMENT ON FUNCTION _funnel_triggers(oid) IS
'the triggers that the funnel in a schema must have by its template, on its tables as they are, with the statements that create them; by_own_name: on a partition, for statements that name it';

CREATE FUNCTION _create_triggers(schema oid, of_leads boolean) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	statement text;
BEGIN
	FOR statement IN
		SELECT t.statement FROM @extschema@._funnel_triggers(schema) AS t WHERE (t.relation = 'lead') = of_leads
	LOOP
		EXECUTE statement;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _create_triggers(oid, boolean) IS
'part of create_funnel(): creates the triggers of the leads, or all others';
--
-- What the tables and columns of a funnel mean
--
-- Whoever opens the schema in a tool sees it explained.
--
CREATE FUNCTION _create_funnel_comments() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	object text;
	said text;
BEGIN
	FOR object, said IN VALUES
		('TABLE setting', 'the funnel itself: one row'),
		('COLUMN setting.only_row', 'always true: there is one row'),
		('COLUMN setting.time_zone', 'time zone in which views and deadlines count days and months'),
		('COLUMN setting.currency', 'currency of home_amount and of spend that names none'),
		('COLUMN setting.maturity_days', 'a cohort is mature this many days after its end'),
		('COLUMN setting.worth_rate', 'worth of a qualified lead as a share of net profit, by rule of thumb; kept for reports of yours, as no view reads it'),
		('COLUMN setting.sales_capacity', 'leads that sales can work on a week; NULL: not known'),
		('COLUMN setting.attribution_first', 'share of the first touch in U-shaped attribution; kept for reports of yours, as no view reads it'),
		('COLUMN setting.attribution_last', 'share of the last touch in U-shaped attribution; kept for reports of yours, as no view reads it'),
		('COLUMN setting.attribution_anchor', 'share of each of the three anchors in W-shaped attribution; kept for reports of yours, as no view reads it'),
		('COLUMN setting.attribution_half_life', 'half-life of time-decay attribution, 7 days in a new funnel; kept for reports of yours, as no view reads it'),
		('COLUMN setting.edit_signed', 'may the active definition be changed in place though it asks for signatures? It is unsigned then. For the owner to say'),
		('COLUMN setting.template_version', 'version of the template that made these tables; kept by the extension'),
		('COLUMN setting.lead_table', 'table of leads if it is not the funnel''s own; kept by the extension'),
		('COLUMN setting.lead_key', 'key column of the table of leads; kept by the extension'),

		('TABLE kind', 'a kind of activity'),
		('COLUMN kind.kind', 'name of the kind, as activities and rules give it'),
		('COLUMN kind.party', 'who acts: lead, sales, marketing or system'),
		('COLUMN kind.touch', 'counts as a touch: of merged leads the source of the first one stays'),
		('COLUMN kind.conversation', 'both sides spoke: opens the way to SQL'),
		('COLUMN kind.description', 'what it is, in words'),

		('TABLE source', 'where leads come from'),
		('COLUMN source.source', 'name of the source, as leads, activities and spend give it'),
		('COLUMN source.channel', 'group of sources; kept for reports of yours, as no view reads it'),
		('COLUMN source.direct', 'came by itself: passed over by last non-direct attribution; kept for reports of yours, as no view reads it'),
		('COLUMN source.paid', 'costs money a click or a contact; kept for reports of yours, as no view reads it'),

		('TABLE list', 'a value of a named list, which conditions read as list.<name>; the default conditions compare with ILIKE, so that case does not matter and % stands for any text'),
		('COLUMN list.list', 'name of the list'),
		('COLUMN list.value', 'a value, or a pattern where the condition compares with ILIKE'),

		('TABLE element', 'an element of a qualification framework'),
		('COLUMN element.framework', 'name of the framework; one that is a type has a column of a lead'),
		('COLUMN element.element', 'name of the element; for a framework that is a type, the long name there'),
		('COLUMN element.label', 'name that people see'),
		('COLUMN element.weight', 'weight where elements are weighed against each other'),
		('COLUMN element.position', 'order within the framework'),
		('COLUMN element.valid_for', 'an answer counts this long in a new cycle; NULL: for ever'),

		('TABLE question', 'what to ask a lead'),
		('COLUMN question.question_id', 'key'),
		('COLUMN question.framework', 'framework of the element'),
		('COLUMN question.element', 'element that an answer settles: the question is open until then'),
		('COLUMN question.text', 'the question'),
		('COLUMN question.position', 'order of asking'),

		('TABLE stage', 'a step of the funnel'),
		('COLUMN stage.stage', 'name, the user''s own'),
		('COLUMN stage.position', 'order of the steps'),
		('COLUMN stage.milestone', 'what the views take the stage for: lead, mql, sal, sql, opportunity, customer, nurture, disqualified or lost'),
		('COLUMN stage.owner_role', 'who works on leads in it: marketing, sales or none'),
		('COLUMN stage.sla', 'the next move is due this long after the entry; of the stage of MQLs: the acceptance'),
		('COLUMN stage.notify', 'NOTIFY when a lead enters, on the channel named like the funnel; transactions that do so commit one after another'),
		('COLUMN stage.description', 'what it means, in words'),
		('COLUMN stage.working_time', 'sla counts working time: its hours are hours open, a day is a working day; false: as on the wall'),

		('TABLE calendar', 'hours at which sales is at work, in the funnel''s time zone; deadlines set before a change stay as they are'),
		('COLUMN calendar.weekday', 'day of the week: 1 is Monday, 7 Sunday'),
		('COLUMN calendar.opens', 'beginning of the hours'),
		('COLUMN calendar.closes', 'end of the hours; 24:00 is the end of the day'),

		('TABLE holiday', 'a day without working time'),
		('COLUMN holiday.day', 'the day, in the funnel''s time zone'),
		('COLUMN holiday.name', 'what it is called'),

		('TABLE side', 'a side that may be asked to agree to a move or a definition'),
		('COLUMN side.side', 'name of the side; manager decides on exceptions'),
		('COLUMN side.role', 'PostgreSQL role whose members sign for it; NULL: the role that owns the funnel'),
		('COLUMN side.description', 'what it is asked for, in words'),

		('TABLE definition_log', 'a change of a rule, transition, definition, stage, list, kind, element or reason, of the calendar, a holiday or the time zone, and each renaming; rows are added by triggers and changed by renaming alone; definition_at() reads it'),
		('COLUMN definition_log.log_id', 'key, in the order of the changes'),
		('COLUMN definition_log.changed_at', 'when'),
		('COLUMN definition_log.actor', 'who'),
		('COLUMN definition_log.relation', 'table: rule, transition, definition, stage, list, kind, element, reason, calendar, holiday or setting; source, where one was renamed'),
		('COLUMN definition_log.operation', 'insert, update, delete or truncate; renamed: a name changed and all that names it followed, earlier rows here too'),
		('COLUMN definition_log.definition', 'definition that the row belongs to; NULL: all of them share it, or the table was emptied'),
		('COLUMN definition_log.version', 'version of that definition (NULL: of the active one) after the change'),
		('COLUMN definition_log.old_row', 'the row before; NULL: it came'),
		('COLUMN definition_log.new_row', 'the row after; NULL: it went'),

		('TABLE signature', 'a side''s agreement to a move of a lead or to a definition; append-only; see sign_move() and sign_definition()'),
		('COLUMN signature.signature_id', 'key'),
		('COLUMN signature.lead_id', 'lead that may move, which may be gone by now; NULL: a definition is agreed on'),
		('COLUMN signature.to_stage', 'stage that it may move to'),
		('COLUMN signature.cycle', 'cycle of the lead in which it may do so'),
		('COLUMN signature.definition', 'definition that is agreed on; NULL: a move'),
		('COLUMN signature.version', 'version of the definition that was signed'),
		('COLUMN signature.side', 'side that agrees'),
		('COLUMN signature.signed_by', 'who signed; kept by triggers'),
		('COLUMN signature.signed_at', 'when; kept by triggers'),
		('COLUMN signature.note', 'what was said'),

		('TABLE definition', 'what counts: a set of rules and transitions, of which one is active'),
		('COLUMN definition.definition', 'name'),
		('COLUMN definition.status', 'draft, active (exactly one) or retired; set by the owner of the funnel'),
		('COLUMN definition.version', 'rises with every transaction that changes the active definition; kept by triggers'),
		('COLUMN definition.sides', 'sides that must have signed its rules and transitions before it can be activated; NULL: none; set by the owner of the funnel'),
		('COLUMN definition.agreed_by_marketing', 'who agreed for marketing'),
		('COLUMN definition.agreed_by_sales', 'who agreed for sales'),
		('COLUMN definition.agreed_at', 'when both had agreed'),
		('COLUMN definition.review_by', 'the day by which to look at it again'),
		('COLUMN definition.max_fit', 'the most that rules of axis fit give together; NULL: no cap'),
		('COLUMN definition.max_engagement', 'the most that rules of axis engagement give together; NULL: no cap'),
		('COLUMN definition.floor', 'the least that a score can be; NULL: no floor'),
		('COLUMN definition.note', 'what it is for, in words'),

		('TABLE transition', 'a legal move from one stage to another'),
		('COLUMN transition.transition_id', 'key'),
		('COLUMN transition.definition', 'definition that it belongs to'),
		('COLUMN transition.position', 'order in which transitions are tried'),
		('COLUMN transition.from_stage', 'stage it leaves; NULL: creation of the lead, *: any'),
		('COLUMN transition.to_stage', 'stage it enters'),
		('COLUMN transition.automatic', 'happens by itself when it holds; else somebody asks for it by setting the stage'),
		('COLUMN transition.after', 'holds only this long after the stage was entered'),
		('COLUMN transition.condition', 'boolean expression over the lead and pseudo-columns; NULL: always holds'),
		('COLUMN transition.condition_sql', 'the condition with all names qualified; kept by triggers'),
		('COLUMN transition.needs_reason', 'whoever asks must give a reason'),
		('COLUMN transition.reason', 'reason that the move is recorded with where nobody gives one, as of an automatic one; of table reason'),
		('COLUMN transition.exception', 'the move is marked as an exception in history'),
		('COLUMN transition.sides', 'sides that must have signed the move, each through somebody else than who asks for it; NULL: none'),
		('COLUMN transition.description', 'why the move exists, in words'),

		('TABLE rule', 'a scoring rule'),
		('COLUMN rule.rule_id', 'key, by which scorecards know the rule'),
		('COLUMN rule.definition', 'definition that it belongs to'),
		('COLUMN rule.name', 'name by which conditions know the rule: hits.<name>, points.<name>, last.<name>'),
		('COLUMN rule.axis', 'fit: who the lead is; engagement: what the lead does'),
		('COLUMN rule.kind', 'kind of activity that it counts, * for any; NULL for fit'),
		('COLUMN rule.condition', 'boolean expression over the lead (fit) or the activity (engagement); NULL: always holds'),
		('COLUMN rule.condition_sql', 'the condition with all names qualified; kept by triggers'),
		('COLUMN rule.points', 'points that one hit gives, or takes if negative'),
		('COLUMN rule.half_life', 'after this long half of the points are left; NULL: they stay'),
		('COLUMN rule.max_points', 'cap on what the rule gives or takes altogether; NULL: none'),
		('COLUMN rule.max_hits', 'hits that count, in all or per window; NULL: any number'),
		('COLUMN rule.per', 'window of max_hits; NULL: in all'),
		('COLUMN rule.category', 'group in which the views add up: email, web, intent and so on'),
		('COLUMN rule.enabled', 'false: the rule counts nothing'),
		('COLUMN rule.description', 'why the rule exists, in words'),

		('TABLE reason', 'why a lead is returned, discarded or lost'),
		('COLUMN reason.reason', 'name, as it is given with a move'),
		('COLUMN reason.applies_to', 'stage for whose entry it may be given'),
		('COLUMN reason.position', 'order; the waterfall counts a lead under its first reason'),
		('COLUMN reason.label', 'name that people see'),
		('COLUMN reason.rule', 'name of the rule that the reason blames, of the active definition: the one to look at where leads are returned for it'),

		('TABLE account', 'a company: its contacts are the buying group'),
		('COLUMN account.account_id', 'key'),
		('COLUMN account.external_id', 'key in the system that it comes from'),
		('COLUMN account.name', 'name of the company'),
		('COLUMN account.domain', 'its domain on the internet'),
		('COLUMN account.properties', 'whatever else is known, as JSON'),

		('COLUMN lead.lead_id', 'key'),
		('COLUMN lead.external_id', 'key in the system that it comes from'),
		('COLUMN lead.email', 'e-mail address, unique whatever the case'),
		('COLUMN lead.full_name', 'name'),
		('COLUMN lead.job_title', 'title on the card'),
		('COLUMN lead.department', 'role: department that the person works in'),
		('COLUMN lead.seniority', 'standing: manager, director, vp and so on'),
		('COLUMN lead.years_in_industry', 'experience in the industry, in years'),
		('COLUMN lead.company', 'name of the company, as the person gives it'),
		('COLUMN lead.account_id', 'company, where it is known as an account'),
		('COLUMN lead.industry', 'industry of the company'),
		('COLUMN lead.company_size', 'people at the company'),
		('COLUMN lead.annual_revenue', 'revenue of the company a year'),
		('COLUMN lead.country', 'country of the company, as the lists name countries'),
		('COLUMN lead.source', 'where the lead came from first; set once'),
		('COLUMN lead.campaign', 'campaign it came from first'),
		('COLUMN lead.unsubscribed', 'wants no e-mails from marketing'),
		('COLUMN lead.properties', 'whatever else is known, as JSON'),
		('COLUMN lead.owner', 'who works on the lead'),
		('COLUMN lead.resume_at', 'when to come back to a lead in nurture'),
		('COLUMN lead.reason', 'reason, given with a move; kept in history, then cleared'),
		('COLUMN lead.note', 'note, given with a move; kept in history, then cleared'),
		('COLUMN lead.answers', 'what is known of the elements of other frameworks; kept by triggers'),
		('COLUMN lead.stage', 'where the lead stands; set it to ask for a move'),
		('COLUMN lead.stage_entered_at', 'when it came there; kept by triggers'),
		('COLUMN lead.cycle', 'how many times it has come: 1, and one more after each return; kept by triggers'),
		('COLUMN lead.cycle_started_at', 'when this time began; kept by triggers'),
		('COLUMN lead.accepted_by', 'who accepted it for sales; kept by triggers'),
		('COLUMN lead.accepted_at', 'when sales accepted it; kept by triggers'),
		('COLUMN lead.scorecard', 'what the lead earned, by rule, as of one instant; kept by triggers'),
		('COLUMN lead.deals_open', 'its open deals; kept by triggers'),
		('COLUMN lead.deals_won', 'its deals that were won; kept by triggers'),
		('COLUMN lead.deals_lost', 'its deals that were lost; kept by triggers'),
		('COLUMN lead.won_amount', 'amount of its won deals, in the funnel''s currency; kept by triggers'),
		('COLUMN lead.due_at', 'when the next move is due; kept by triggers'),
		('COLUMN lead.review_at', 'not before this instant can time alone move the lead; kept by triggers'),
		('COLUMN lead.state_version', 'one more with each change of stage or answers: a row that is saved with an earlier one changes neither; an ORM may lock by it; kept by triggers'),
		('COLUMN lead.created_at', 'when it was recorded'),

		('TABLE lead_alias', 'a further name of a lead, by which it is found: an external id, an e-mail address, or the key of a lead that was merged into it'),
		('COLUMN lead_alias.alias_id', 'key'),
		('COLUMN lead_alias.lead_id', 'lead'),
		('COLUMN lead_alias.external_id', 'a further id in another system'),
		('COLUMN lead_alias.email', 'a further e-mail address'),
		('COLUMN lead_alias.former_key', 'the key of a lead that was merged into this one, for as long as no other lead has it'),
		('COLUMN lead_alias.since', 'since when; kept by triggers'),

		('TABLE activity', 'something a lead did, or sales did with it'),
		('COLUMN activity.lead_id', 'lead'),
		('COLUMN activity.occurred_at', 'when it happened'),
		('COLUMN activity.activity_id', 'key for clients that know a row by one column; the table''s own has lead_id and occurred_at before it, so that it can be partitioned by time'),
		('COLUMN activity.kind', 'what happened: a kind of the table kind; others are kept and count for nothing'),
		('COLUMN activity.source', 'where the lead came from this time'),
		('COLUMN activity.campaign', 'campaign it came from this time'),
		('COLUMN activity.actor', 'who acted for us'),
		('COLUMN activity.properties', 'details, as JSON, which conditions of rules may read'),
		('COLUMN activity.external_id', 'key in the system that it comes from: sent again, it counts once'),
		('COLUMN activity.recorded_at', 'when it was recorded; kept by triggers'),

		('TABLE baseline', 'what the archived activities of a lead gave; its log begins with it. Written by archive_activities()'),
		('COLUMN baseline.lead_id', 'lead'),
		('COLUMN baseline.scorecard', 'what they gave, by rule'),
		('COLUMN baseline.archived_before', 'activities from before were archived'),
		('COLUMN baseline.n', 'how many there were'),

		('TABLE answer', 'an answer to one element of a framework; the latest one counts'),
		('COLUMN answer.lead_id', 'lead'),
		('COLUMN answer.answer_id', 'key, in the order in which they were written down'),
		('COLUMN answer.framework', 'framework of the element'),
		('COLUMN answer.element', 'element'),
		('COLUMN answer.level', 'no, unknown, partial or yes'),
		('COLUMN answer.note', 'the answer in words'),
		('COLUMN answer.via', 'how it was given: call, form and so on'),
		('COLUMN answer.answered_by', 'who wrote it down; kept by triggers'),
		('COLUMN answer.answered_at', 'when it was given'),

		('TABLE verdict', 'what one side thinks of a lead; the latest of a side in a cycle counts, see verdict_agreement'),
		('COLUMN verdict.verdict_id', 'key'),
		('COLUMN verdict.lead_id', 'lead'),
		('COLUMN verdict.side', 'whose judgement it is: marketing or sales; members of its role in table side write it, if that names one'),
		('COLUMN verdict.qualified', 'is the lead qualified, in the eyes of that side?'),
		('COLUMN verdict.note', 'why, in words'),
		('COLUMN verdict.judged_by', 'who judged; kept by triggers'),
		('COLUMN verdict.judged_at', 'when; kept by triggers'),

		('TABLE message', 'a kind of message and whom it may be sent to, see may_send()'),
		('COLUMN message.message', 'kind of message'),
		('COLUMN message.party', 'who sends it: marketing or sales'),
		('COLUMN message.milestones', 'a lead must be in a stage of one of these milestones'),
		('COLUMN message.stages', 'and in one of these stages; NULL: in any of them'),
		('COLUMN message.description', 'in words'),

		('TABLE content', 'something to read, watch or attend, see next_content()'),
		('COLUMN content.content_id', 'key; activities name it, or the title, as properties.content'),
		('COLUMN content.title', 'title'),
		('COLUMN content.url', 'where it is'),
		('COLUMN content.milestones', 'it is for leads in stages of these milestones'),
		('COLUMN content.stages', 'and of these stages; NULL: of any of them'),
		('COLUMN content.topic', 'what it is about'),
		('COLUMN content.position', 'order in which it is offered'),

		('TABLE stage_history', 'a move that happened; rows are added by triggers and never changed, at most voided'),
		('COLUMN stage_history.history_id', 'key'),
		('COLUMN stage_history.lead_id', 'lead, which may be gone'),
		('COLUMN stage_history.from_stage', 'stage it left; NULL: it was created'),
		('COLUMN stage_history.to_stage', 'stage it entered'),
		('COLUMN stage_history.entered_at', 'when'),
		('COLUMN stage_history.ordinal', 'place among the moves of one instant, of those that were loaded and those that they come after; NULL: the order of history_id, at the end. Moves are in the order of entered_at, ordinal, history_id'),
		('COLUMN stage_history.cycle', 'which time it was in the funnel'),
		('COLUMN stage_history.actor', 'who asked for the move, or whose statement brought it about'),
		('COLUMN stage_history.automatic', 'happened by itself'),
		('COLUMN stage_history.exception', 'went by a transition that is an exception'),
		('COLUMN stage_history.reason', 'reason given with the move'),
		('COLUMN stage_history.note', 'note given with the move'),
		('COLUMN stage_history.score', 'score at that instant'),
		('COLUMN stage_history.definition', 'definition in force then'),
		('COLUMN stage_history.version', 'its version then'),
		('COLUMN stage_history.source', 'source of the lead then'),
		('COLUMN stage_history.campaign', 'campaign of the lead then'),
		('COLUMN stage_history.owner', 'owner of the lead then'),
		('COLUMN stage_history.account_id', 'account of the lead then'),
		('COLUMN stage_history.due_at', 'deadline that the stay began with'),
		('COLUMN stage_history.scorecard', 'scorecard then, of moves to mql and off the path'),
		('COLUMN stage_history.first_touch_at', 'of a move to mql: first activity of party sales after it, of those that are in the log no more'),
		('COLUMN stage_history.first_conversation_at', 'first conversation of these'),
		('COLUMN stage_history.touches', 'how many these are'),
		('COLUMN stage_history.voided_at', 'when the row was declared void; NULL: it counts'),
		('COLUMN stage_history.voided_by', 'who declared it void'),
		('COLUMN stage_history.voided_why', 'why'),

		('TABLE departure', 'a lead that went; kept by triggers, append-only'),
		('COLUMN departure.departure_id', 'key'),
		('COLUMN departure.lead_id', 'lead; one that comes under its key later is another'),
		('COLUMN departure.at', 'when'),
		('COLUMN departure.how', 'deleted; erased (erase_lead), merged (merge_leads), forgotten (forget_leads)'),
		('COLUMN departure.last_move', 'greatest history_id of its moves: they are of the life that ended'),

		('TABLE journey', 'a unit: a lead and one of its cycles; kept by triggers beside the history, and never written by others'),
		('COLUMN journey.lead_id', 'lead, which may be gone'),
		('COLUMN journey.cycle', 'which time it was in the funnel'),

		('TABLE deal', 'revenue that may come, came or did not'),
		('COLUMN deal.deal_id', 'key'),
		('COLUMN deal.external_id', 'key in the system that it comes from'),
		('COLUMN deal.account_id', 'company that buys'),
		('COLUMN deal.owner', 'who works on it'),
		('COLUMN deal.amount', 'what it is worth, in its currency'),
		('COLUMN deal.currency', 'its currency; NULL: the funnel''s'),
		('COLUMN deal.home_amount', 'what it is worth in the funnel''s currency; filled where they are the same'),
		('COLUMN deal.margin', 'profit in it, in the funnel''s currency; kept for reports of yours, as no view reads it'),
		('COLUMN deal.status', 'open, won or lost'),
		('COLUMN deal.opened_at', 'when it was opened'),
		('COLUMN deal.closed_at', 'when it was won or lost; filled where it is missing, emptied while open'),
		('COLUMN deal.reason', 'why it was lost'),

		('TABLE deal_contact', 'a lead that belongs to a deal'),
		('COLUMN deal_contact.deal_id', 'deal'),
		('COLUMN deal_contact.lead_id', 'lead'),
		('COLUMN deal_contact.role', 'role in the decision'),

		('TABLE spend', 'money spent to get leads'),
		('COLUMN spend.spend_id', 'key'),
		('COLUMN spend.external_id', 'key in the system that it comes from'),
		('COLUMN spend.department', 'who spent it: marketing or sales'),
		('COLUMN spend.source', 'source that it was spent on; NULL: overhead'),
		('COLUMN spend.campaign', 'campaign that it was spent on'),
		('COLUMN spend.starts_on', 'first day of the period'),
		('COLUMN spend.ends_on', 'last day of the period'),
		('COLUMN spend.amount', 'amount for the whole period'),
		('COLUMN spend.currency', 'its currency; NULL: the funnel''s')
	LOOP
		EXECUTE pg_catalog.format('COMMENT ON %s IS %L', object, said);
	END LOOP;
	FOR object, said IN SELECT c.name, c.meaning FROM _journey_columns() AS c LOOP
		EXECUTE pg_catalog.format('COMMENT ON COLUMN journey.%I IS %L', object, said);
	END LOOP;
	EXECUTE _each_framework('COMMENT ON COLUMN lead.%1$I IS ''what is known of the elements of framework %1$s'''::text, '; '::text);
END
$template$;

COMMENT ON FUNCTION _create_funnel_comments() IS
'comments on the tables and columns of a funnel; called by create_funnel()';
--
-- Attaching a funnel to a table that the user has, and detaching it
--
-- create_funnel() first makes the funnel's own table "lead".  To attach the
-- funnel, that table is read as the list of columns that leads have: those
-- which the user's table lacks are added to it, and a view "lead", which
-- gives every column the name that a funnel knows it by, takes its place.
--

-- Adds the columns that the table lacks, and fills in where its rows stand:
-- by ALTER TABLE, so that no trigger of the user's fires.  Returns what the
-- columns of a lead are called in the table.
CREATE FUNCTION _add_lead_columns(funnel text, lead_table regclass, columns jsonb, prefix text,
								  stage_column name, stages jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	own_table constant regclass := format('%I.lead', funnel);
	names jsonb := columns;
	col record;
	there text[] := '{}';
	changes text[] := '{}';
	first_stage text;
	stage_of_row text;
BEGIN
	-- renamed, so that constraints and defaults can be read off
	FOR col IN
		SELECT a.attname FROM pg_attribute AS a
		WHERE a.attrelid = own_table AND a.attnum > 0 AND a.attname <> 'lead_id' AND NOT columns ? a.attname::text
		ORDER BY a.attnum
	LOOP
		names := names || jsonb_build_object(col.attname, prefix || col.attname);
		IF prefix <> '' THEN
			EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', own_table, col.attname, prefix || col.attname);
		END IF;
		IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = lead_table AND attname = prefix || col.attname) THEN
			there := there || (prefix || col.attname);
		END IF;
	END LOOP;
	IF there <> '{}' THEN
		RAISE EXCEPTION 'table "%" has columns already that the funnel would add', lead_table
			USING ERRCODE = 'duplicate_column',
				  DETAIL = format('They are: %s.', array_to_string(there, ', ')),
				  HINT = 'Map those that mean the same with columns => ''{"ours": "yours"}'', or give a prefix for the columns that are added.';
	END IF;

	EXECUTE format('SELECT stage FROM %I.stage ORDER BY position LIMIT 1', funnel) INTO STRICT first_stage;
	FOR col IN
		SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,
			   CASE n.key WHEN 'stage' THEN quote_literal(first_stage)
						  -- the next sweep looks at every row
						  WHEN 'review_at' THEN '@extschema@.funnel_now()'
						  ELSE pg_get_expr(d.adbin, d.adrelid) END AS default_value,
			   (SELECT string_agg(' ' || pg_get_constraintdef(k.oid), '') FROM pg_constraint AS k
				WHERE k.conrelid = own_table AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]) AS checks,
			   (SELECT format(' REFERENCES %s ON DELETE SET NULL', k.confrelid::regclass) FROM pg_constraint AS k
				WHERE k.conrelid = own_table AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]) AS reference
		FROM jsonb_each_text(names) AS n
		JOIN pg_attribute AS a ON a.attrelid = own_table AND a.attname = n.value
		LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		WHERE NOT columns ? n.key
		ORDER BY a.attnum
	LOOP
		changes := changes || format('ADD COLUMN %I %s%s%s%s%s', col.attname, col.type,
									 CASE WHEN col.attnotnull THEN ' NOT NULL' END,
									 ' DEFAULT ' || col.default_value, col.checks, col.reference);
	END LOOP;
	EXECUTE format('ALTER TABLE %s %s', lead_table, array_to_string(changes, ', '));

	changes := ARRAY[format('ALTER COLUMN %I SET DEFAULT ''*''', names ->> 'stage'),
					 format('ALTER COLUMN %I DROP DEFAULT', names ->> 'review_at'),
					 format('ALTER COLUMN %I SET STORAGE MAIN', names ->> 'scorecard')];
	stage_of_row := quote_literal(first_stage);
	IF stage_column IS NOT NULL THEN
		stage_of_row := format('coalesce(%L::jsonb ->> (%I::text), %L)', stages, stage_column, first_stage);
		changes := changes || format('ALTER COLUMN %I TYPE text USING %s', names ->> 'stage', stage_of_row);
	END IF;
	-- since when a lead is at a later stage is not known: now.  At the first
	-- one it is since it came.
	IF columns ? 'created_at' THEN
		changes := changes
			|| (SELECT array_agg(format('ALTER COLUMN %1$I TYPE timestamptz USING CASE %2$s WHEN %3$L THEN least(%4$I, %1$I) ELSE %1$I END',
										names ->> since, stage_of_row, first_stage, columns ->> 'created_at'))
				FROM unnest(ARRAY['stage_entered_at', 'cycle_started_at']) AS since);
	END IF;
	EXECUTE format('ALTER TABLE %s %s', lead_table, array_to_string(changes, ', '));

	FOR col IN
		SELECT n.value AS attname FROM jsonb_each_text(names) AS n WHERE NOT columns ? n.key
	LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', lead_table, col.attname, @extschema@._added_mark());
	END LOOP;
	RETURN names;
END
$body$;

COMMENT ON FUNCTION _add_lead_columns(text, regclass, jsonb, text, name, jsonb) IS
'part of create_funnel(): gives a table of the user''s the columns of a lead that it lacks; returns the names of all';

-- Indexes that a funnel looks leads up by.
CREATE FUNCTION _add_lead_indexes(lead_table regclass, columns jsonb, names jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	wanted record;
	before oid[];
	made regclass;
BEGIN
	FOR wanted IN
		SELECT i.name, format(i.key, coalesce(e.expression, quote_ident(a.attname))) AS key, i.condition,
			   -- one that is partitioned cannot have this
			   i.is_unique AND NOT columns ? i.name AND c.relkind = 'r' AS is_unique,
			   coalesce(', ' || quote_ident(names ->> i.and_name), '') AS further
		FROM (VALUES ('external_id', '%s', '', true, NULL), ('email', 'lower(%s)', '', true, NULL),
					 ('stage', '%s', '', false, NULL), ('account_id', '%s', '', false, NULL),
					 ('due_at', '%s', '', false, NULL), ('owner', '%s', '', false, 'due_at'),
					 ('review_at', '%s', ' WHERE %I IS NOT NULL', false, NULL)) AS i (name, key, condition, is_unique, and_name)
		JOIN pg_class AS c ON c.oid = lead_table
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = names ->> i.name
		-- a virtual column cannot be indexed, what it stands for can
		LEFT JOIN LATERAL (SELECT format('(%s)', pg_get_expr(d.adbin, d.adrelid, true)) AS expression
						   FROM pg_attrdef AS d
						   WHERE d.adrelid = c.oid AND d.adnum = a.attnum AND a.attgenerated NOT IN ('', 's')) AS e ON true
	LOOP
		before := ARRAY(SELECT indexrelid FROM pg_index WHERE indrelid = lead_table);
		-- the user may have it, whatever casts it is written with
		CONTINUE WHEN EXISTS (SELECT FROM unnest(before) AS i
							  WHERE replace(replace(pg_get_indexdef(i, 1, true), '::text', ''), '((', '(')
							  IN (wanted.key, replace(wanted.key, '(', '((')));
		EXECUTE format('CREATE %sINDEX ON %s (%s%s)%s', CASE WHEN wanted.is_unique THEN 'UNIQUE ' END,
					   lead_table, wanted.key, wanted.further, format(wanted.condition, names ->> wanted.name));
		SELECT i.indexrelid INTO STRICT made
		FROM pg_index AS i WHERE i.indrelid = lead_table AND i.indexrelid <> ALL (before);
		EXECUTE format('COMMENT ON INDEX %s IS %L', made,
					   format('for a funnel''s look-ups %s', @extschema@._added_mark()));
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _add_lead_indexes(regclass, jsonb, jsonb) IS
'part of create_funnel(): gives a table of the user''s the indexes of a lead table that it lacks';

-- Puts the view in the place of the table "lead".  It reads the table with the
-- rights of its owner, so that a role can be granted some of the columns: a
-- view with those of the invoker asks for a right on all.  But row security of
-- the table must bind who reads through the view.
CREATE FUNCTION _create_lead_view(funnel text, lead_table regclass, lead_key name, names jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	own_table constant regclass := format('%I.lead', funnel);
	description constant text := obj_description(own_table, 'pg_class');
	shown text;
BEGIN
	-- the columns of a lead in their order, then all others that do not go by
	-- the name of one
	SELECT string_agg(format('t.%I AS %I', theirs, ours), ', ' ORDER BY rank, attnum) INTO shown
	FROM (SELECT 1 AS rank, a.attnum, lead_key::text AS theirs, 'lead_id' AS ours
		  FROM pg_attribute AS a WHERE a.attrelid = own_table AND a.attname = 'lead_id'
		  UNION ALL
		  SELECT 1, a.attnum, n.value, n.key
		  FROM jsonb_each_text(names) AS n
		  -- what is mapped has its name still, what was added may have a prefix
		  LEFT JOIN LATERAL (SELECT o.attnum FROM pg_attribute AS o
							 WHERE o.attrelid = own_table AND o.attname IN (n.key, n.value)
							 ORDER BY o.attname = n.key DESC LIMIT 1) AS a ON true
		  UNION ALL
		  SELECT 2, a.attnum, a.attname, a.attname
		  FROM pg_attribute AS a
		  WHERE a.attrelid = lead_table AND a.attnum > 0 AND NOT a.attisdropped
		  AND a.attname NOT IN ('lead_id', lead_key) AND NOT names ? a.attname::text
		  AND NOT EXISTS (SELECT FROM jsonb_each_text(names) AS n WHERE n.value = a.attname::text)) AS c;

	EXECUTE format('DROP TABLE %s', own_table);
	EXECUTE format('CREATE VIEW %I.lead WITH (security_invoker = %s) AS SELECT %s FROM %s AS t',
				   funnel, (SELECT relrowsecurity FROM pg_class WHERE oid = lead_table), shown, lead_table);
	EXECUTE format('COMMENT ON VIEW %I.lead IS %L', funnel,
				   format('%s: rows of table %s, whose columns have here the names that the funnel knows them by',
						  description, lead_table));
END
$body$;

COMMENT ON FUNCTION _create_lead_view(text, regclass, name, jsonb) IS
'part of create_funnel(): the view of a table of the user''s that stands for table "lead"';

-- Which table it is, stands in the settings: kept by a trigger, for people to
-- read, and for the funnel to notice when another table took its place.
CREATE FUNCTION _set_lead_table(funnel text, lead_table regclass, lead_key name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
BEGIN
	EXECUTE format('UPDATE %I.setting SET lead_table = $1, lead_key = coalesce($2, lead_key)', funnel)
		USING lead_table, lead_key;
END
$body$;

COMMENT ON FUNCTION _set_lead_table(text, regclass, name) IS
'part of create_funnel() and detach_funnel(): notes the table that a funnel is attached to, or none, in its settings';

CREATE FUNCTION _attach_leads(funnel text, lead_table regclass, lead_key name, columns jsonb, prefix text,
							  stage_column name, stages jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	own_table constant regclass := format('%I.lead', funnel);
	names jsonb;
	fact record;
	key_type text;
BEGIN
	IF lead_key IS NULL OR columns IS NULL OR prefix IS NULL OR stages IS NULL THEN
		RAISE EXCEPTION 'lead_key, columns, prefix and stages must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF prefix !~ '^([a-z_][a-z0-9_]*)?$' OR octet_length(prefix) > 40 THEN
		RAISE EXCEPTION 'invalid prefix for columns: "%"', prefix
			USING ERRCODE = 'invalid_name',
				  HINT = 'Use at most 40 small letters, digits and underscores, such as "lq_".';
	END IF;
	PERFORM @extschema@._check_lead_table(lead_table, lead_key);
	PERFORM @extschema@._check_mapping(own_table, lead_table, lead_key, columns);
	PERFORM @extschema@._check_stages(funnel, lead_table, stage_column, stages);

	names := @extschema@._add_lead_columns(funnel, lead_table, columns, prefix, stage_column, stages);
	PERFORM @extschema@._add_lead_indexes(lead_table, columns, names);

	-- facts are about leads with that key
	SELECT format_type(a.atttypid, a.atttypmod)
		   || CASE WHEN a.attcollation <> t.typcollation THEN format(' COLLATE %s', a.attcollation::regcollation) ELSE '' END
		INTO key_type
	FROM pg_attribute AS a
	JOIN pg_type AS t ON t.oid = a.atttypid
	WHERE a.attrelid = lead_table AND a.attname = lead_key;
	IF key_type <> 'bigint' THEN
		FOR fact IN
			SELECT c.oid::regclass AS relation
			FROM pg_attribute AS a
			JOIN pg_class AS c ON c.oid = a.attrelid
			WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = own_table)
			AND c.oid <> own_table AND c.relkind = 'r' AND a.attname = 'lead_id'
			ORDER BY c.oid
		LOOP
			EXECUTE format('ALTER TABLE %s ALTER COLUMN lead_id TYPE %s USING NULL', fact.relation, key_type);
		END LOOP;
	END IF;

	PERFORM @extschema@._create_lead_view(funnel, lead_table, lead_key, names);
	PERFORM @extschema@._set_lead_table(funnel::text, lead_table::regclass, lead_key::name);
END
$body$;

COMMENT ON FUNCTION _attach_leads(text, regclass, name, jsonb, text, name, jsonb) IS
'part of create_funnel(): rows of a table of the user''s become the leads of a funnel';

-- Columns that were added say what the funnel's own would.
CREATE FUNCTION _comment_added(funnel text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	statement text;
BEGIN
	FOR statement IN
		SELECT format('COMMENT ON COLUMN %s.%I IS %L', l.relation, a.attname,
					  concat_ws(' ', col_description(v.attrelid, v.attnum), @extschema@._added_mark()))
		FROM @extschema@._lead_columns(funnel) AS l
		JOIN pg_attribute AS a ON a.attrelid = l.relation AND a.attnum = l.attnum
		JOIN pg_class AS c ON c.relnamespace = schema AND c.relname = 'lead'
		JOIN pg_attribute AS v ON v.attrelid = c.oid AND v.attname = l.name
		WHERE col_description(l.relation, l.attnum) = @extschema@._added_mark()
	LOOP
		EXECUTE statement;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _comment_added(text) IS
'comments on columns that were added to a table of the user''s';

-- The last part, when policy is there: triggers, and what came before them.
CREATE FUNCTION _begin_leads(funnel text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	f record;
BEGIN
	FOR f IN
		SELECT * FROM @extschema@._check_triggers(schema) AS c WHERE c.finding = 'trigger_search_path'
	LOOP
		RAISE WARNING 'trigger % may not find what it names', f.object
			USING DETAIL = f.detail, HINT = f.hint;
	END LOOP;
	PERFORM @extschema@._comment_added(funnel);
	PERFORM @extschema@._create_triggers(schema, true);
	PERFORM @extschema@.rebuild_history(funnel);
END
$body$;

COMMENT ON FUNCTION _begin_leads(text) IS
'part of create_funnel(): the triggers of a table of the user''s, and where its rows stand in the history';

--
-- Detaching
--

-- Takes from the table what attaching has put there.
CREATE FUNCTION _strip_lead_table(lead_table regclass) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	mark constant text := @extschema@._added_mark();
	statement text;
BEGIN
	-- NULL for a funnel that is not attached
	FOR statement IN
		SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
		FROM pg_trigger AS t
		JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid AND d.deptype = 'e'
		JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
		WHERE (t.tgrelid = lead_table OR t.tgrelid IN (SELECT tree.relid FROM pg_partition_tree(lead_table) AS tree))
		AND t.tgparentid = 0 AND e.extname = 'lead_qual'
		UNION ALL
		SELECT format('DROP INDEX %s', i.indexrelid::regclass)
		FROM pg_index AS i
		WHERE i.indrelid = lead_table
		AND right(obj_description(i.indexrelid, 'pg_class'), length(mark)) = mark
		UNION ALL
		SELECT format('ALTER TABLE %s %s', lead_table, string_agg(format('DROP COLUMN %I', a.attname), ', '))
		FROM pg_attribute AS a
		WHERE a.attrelid = lead_table AND a.attnum > 0 AND NOT a.attisdropped
		AND right(col_description(a.attrelid, a.attnum), length(mark)) = mark
		HAVING count(*) > 0
	LOOP
		EXECUTE statement;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _strip_lead_table(regclass) IS
'part of detach_funnel() and drop_funnel(): a table of the user''s without the triggers, indexes and columns of a funnel';

CREATE FUNCTION detach_funnel(funnel text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	lead_table constant regclass := @extschema@._attached_table(schema);
	shown text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'detach_funnel'::text);
	PERFORM @extschema@._require_funnel_owner(schema, 'detach_funnel'::text);
	IF lead_table IS NULL THEN
		RAISE EXCEPTION 'funnel "%" is not attached to a table', funnel
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'Its leads are in its own table: drop_funnel() drops it.';
	END IF;
	EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', lead_table);

	-- what the leads are now stays to be read, and with it every view
	EXECUTE format('CREATE TABLE %1$I.detached_lead AS TABLE %1$I.lead', funnel);
	EXECUTE format('COMMENT ON TABLE %I.detached_lead IS %L', funnel,
				   'what the leads were when the funnel was detached from their table');
	EXECUTE (SELECT string_agg(format('COMMENT ON COLUMN %I.detached_lead.%I IS %L', funnel, a.attname, col_description(a.attrelid, a.attnum)), '; ')
			 FROM pg_attribute AS a
			 WHERE a.attrelid = format('%I.lead', funnel)::regclass AND col_description(a.attrelid, a.attnum) IS NOT NULL);
	EXECUTE format('CREATE INDEX ON %I.detached_lead (lead_id)', funnel);
	SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO shown
	FROM pg_attribute WHERE attrelid = format('%I.lead', funnel)::regclass AND attnum > 0;
	EXECUTE format('CREATE OR REPLACE VIEW %1$I.lead WITH (security_invoker = %3$s) AS SELECT %2$s FROM %1$I.detached_lead',
				   funnel, shown, (SELECT relrowsecurity FROM pg_class WHERE oid = lead_table));

	PERFORM @extschema@._set_lead_table(funnel::text, NULL::regclass, NULL::name);
	PERFORM @extschema@._strip_lead_table(lead_table::regclass);
END
$body$;

COMMENT ON FUNCTION detach_funnel(text) IS
'leaves the table of leads that a funnel is attached to as it was before, without the columns, triggers and indexes of the funnel; what the leads were, their facts and their history stay in the funnel to be read';
--
-- Arithmetic that the views of a funnel share
--
-- Views of users' funnels call these: their signatures are frozen.
--
-- Sums and order of whole numbers are exact, and faster than those of numerics.
CREATE FUNCTION _microseconds_between(since timestamptz, until timestamptz) RETURNS bigint
AS 'MODULE_PATHNAME', 'microseconds_between' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _microseconds_between(timestamptz, timestamptz) IS
'microseconds from one instant to another';

--
-- What people read is rounded here and nowhere else: days, hours, points and
-- what there is of something for each of something else to two digits, rates
-- to four.  Money is what it is.
--
CREATE FUNCTION _days(microseconds numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(microseconds / 86400000000, 2);

COMMENT ON FUNCTION _days(numeric) IS
'microseconds as days, rounded to 2 digits: seconds / 86400';

CREATE FUNCTION _hours(microseconds numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(microseconds / 3600000000, 2);

COMMENT ON FUNCTION _hours(numeric) IS
'microseconds as hours, rounded to 2 digits';

CREATE FUNCTION _points(points numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(points, 2);

COMMENT ON FUNCTION _points(numeric) IS
'points, rounded to 2 digits';

CREATE FUNCTION _per(amount numeric, n numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(amount / NULLIF(n, 0), 2);

COMMENT ON FUNCTION _per(numeric, numeric) IS
'what there is for each of n, rounded to 2 digits; NULL for none';

CREATE FUNCTION _ratio(numerator numeric, denominator numeric)
RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(numerator / NULLIF(denominator, 0), 4);

COMMENT ON FUNCTION _ratio(numeric, numeric) IS
'a rate: quotient, rounded to 4 digits; NULL over zero';

CREATE FUNCTION _money_per(amount numeric, n numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN trim_scale(round(amount / NULLIF(n, 0), 6));

COMMENT ON FUNCTION _money_per(numeric, numeric) IS
'an amount of money for each of n, to 6 digits; NULL for none';

CREATE FUNCTION _month_of(at timestamptz, time_zone text) RETURNS date
AS 'MODULE_PATHNAME', 'month_of' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _month_of(timestamptz, text) IS
'first day of the month of an instant in a time zone';

-- The code uses it, too.
CREATE FUNCTION _counts_at(occurred_at timestamptz, recorded_at timestamptz) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'counts_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _counts_at(timestamptz, timestamptz) IS
'when an activity counts: as of when it occurred, but further ahead of when it was recorded than clocks may differ, as of that';

-- A month that nothing fell in is a row, too; but one wrong date in the past
-- makes no more than a hundred years of them.  Not inlined, so that the planner
-- takes ROWS for its word.
CREATE FUNCTION _months_since(first date, time_zone text) RETURNS SETOF date
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 36
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT m.month::date
	FROM (SELECT @extschema@._month_of(@extschema@.funnel_now(), time_zone)::timestamp AS month) AS last
	CROSS JOIN LATERAL generate_series(greatest(first::timestamp, last.month - interval '100 years'), last.month,
									   interval '1 month') AS m (month)
$body$;

COMMENT ON FUNCTION _months_since(date, text) IS
'the months from that one to the present one in a time zone, as their first days, of a hundred years at most';

CREATE FUNCTION _most_series() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 1000;

COMMENT ON FUNCTION _most_series() IS
'how many sources, or owners, of a view have rows for months without anything';

-- Local days are added before the zone applies: a sum that crosses a change
-- of the clocks must not depend on the session's TimeZone.
CREATE FUNCTION _mature_at(month date, days bigint, time_zone text)
RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (month + interval '1 month' + days * interval '1 day')
	AT TIME ZONE time_zone;

COMMENT ON FUNCTION _mature_at(date, bigint, text) IS
'the instant that many days after the end of a month in a time zone';

CREATE FUNCTION _working_time_between(setting oid, begins timestamptz, ends timestamptz)
RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _working_time_between(oid, timestamptz, timestamptz) IS
'hours open from one instant to a later one, by the calendar of the funnel whose table setting it is; NULL where the end comes first';

-- What a view says and what each of its columns says, line by line; the
-- funnel's schema is first on the search path, as in the template.
CREATE FUNCTION _comment_view(view text, told text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	lines constant text[] := string_to_array(btrim(told, E'\n'), E'\n');
	line text;
BEGIN
	EXECUTE format('COMMENT ON VIEW %I IS %L', view, lines[1]);
	FOREACH line IN ARRAY lines[2:] LOOP
		EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', view, split_part(line, ': ', 1),
					   substr(line, strpos(line, ': ') + 2));
	END LOOP;
END
$template$;

COMMENT ON FUNCTION _comment_view(text, text) IS
'comments on a view, by the first line, and on its columns, by the others: name, colon, what it means';

-- Everything is counted in whole cents with exact remainders; a division
-- would round.  What the amount has below a cent goes to the next in line.
CREATE FUNCTION _share_out(amount numeric, weights numeric[])
RETURNS numeric[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	WITH part AS (
		SELECT w.n, 100 * amount * w.weight AS due,
			   NULLIF(sum(w.weight) OVER (), 0) AS whole
		FROM unnest(weights) WITH ORDINALITY AS w (weight, n)
	), cut AS (
		SELECT p.n, p.due, p.whole,
			   mod(mod(p.due, p.whole) + p.whole, p.whole) AS rest
		FROM part p
	), ranked AS (
		SELECT c.n, div(c.due - c.rest, c.whole) AS cents,
			   row_number() OVER (ORDER BY c.rest DESC, c.n) AS place,
			   100 * amount - sum(div(c.due - c.rest, c.whole)) OVER () AS spare
		FROM cut c
	)
	SELECT pg_catalog.array_agg(0.01 * trim_scale(r.cents
							 + CASE WHEN r.place <= floor(r.spare) THEN 1
									WHEN r.place = floor(r.spare) + 1
									THEN r.spare - floor(r.spare)
									ELSE 0 END) ORDER BY r.n)
	FROM ranked r;
END;

COMMENT ON FUNCTION _share_out(numeric, numeric[]) IS
'an amount divided by weights, in cents that add up to it exactly (largest remainder, earlier first); NULLs when no weight is above zero';

-- Rounding at 40 digits keeps the numbers short; comparing at 20 digits then
-- sees ties such as 2/3 * 3/4 = 1/2 as what they are.
CREATE FUNCTION _survive(share numeric, at_risk bigint, ended bigint)
RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN round(share * (at_risk - ended) / at_risk, 40);

COMMENT ON FUNCTION _survive(numeric, bigint, bigint) IS
'state transition of _survival(bigint, bigint)';

CREATE AGGREGATE _survival(at_risk bigint, ended bigint) (
	SFUNC = _survive, STYPE = numeric, INITCOND = '1', PARALLEL = SAFE
);

COMMENT ON AGGREGATE _survival(bigint, bigint) IS
'product of (at_risk - ended) / at_risk, to 40 digits';

-- Of whole numbers, faster than count(DISTINCT) and in several processes.
-- SSPACE is far below what a state takes: the planner thinks that groups are
-- many, and would sort millions of rows to have one state at a time.
CREATE FUNCTION _count_distinct_add(internal, bigint) RETURNS internal
AS 'MODULE_PATHNAME', 'count_distinct_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _count_distinct_join(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'count_distinct_join' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _count_distinct_write(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'count_distinct_write' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _count_distinct_read(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'count_distinct_read' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _count_distinct_end(internal) RETURNS bigint
AS 'MODULE_PATHNAME', 'count_distinct_end' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE _count_distinct(number bigint) (
	SFUNC = _count_distinct_add, STYPE = internal, SSPACE = 8,
	COMBINEFUNC = _count_distinct_join, SERIALFUNC = _count_distinct_write,
	DESERIALFUNC = _count_distinct_read, FINALFUNC = _count_distinct_end,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE _count_distinct(bigint) IS
'how many different numbers there are: as count(DISTINCT)';
COMMENT ON FUNCTION _count_distinct_add(internal, bigint) IS
'state transition of _count_distinct(bigint)';
COMMENT ON FUNCTION _count_distinct_join(internal, internal) IS
'two states of _count_distinct(bigint) in one';
COMMENT ON FUNCTION _count_distinct_write(internal) IS
'a state of _count_distinct(bigint), written for another process';
COMMENT ON FUNCTION _count_distinct_read(bytea, internal) IS
'a state of _count_distinct(bigint), read from another process';
COMMENT ON FUNCTION _count_distinct_end(internal) IS
'the result of _count_distinct(bigint)';

-- As percentile_cont(ARRAY[0.5, 0.9]), but groups need no sorting, and several
-- processes can share the work.
CREATE FUNCTION _spread_add(internal, bigint) RETURNS internal
AS 'MODULE_PATHNAME', 'spread_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _spread_join(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'spread_join' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _spread_write(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'spread_write' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _spread_read(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'spread_read' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _spread_end(internal) RETURNS float8[]
AS 'MODULE_PATHNAME', 'spread_end' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE _spread(number bigint) (
	SFUNC = _spread_add, STYPE = internal, SSPACE = 8,
	COMBINEFUNC = _spread_join, SERIALFUNC = _spread_write,
	DESERIALFUNC = _spread_read, FINALFUNC = _spread_end,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE _spread(bigint) IS
'median and 90th percentile of numbers: as percentile_cont(ARRAY[0.5, 0.9])';
COMMENT ON FUNCTION _spread_add(internal, bigint) IS
'state transition of _spread(bigint)';
COMMENT ON FUNCTION _spread_join(internal, internal) IS
'two states of _spread(bigint) in one';
COMMENT ON FUNCTION _spread_write(internal) IS
'a state of _spread(bigint), written for another process';
COMMENT ON FUNCTION _spread_read(bytea, internal) IS
'a state of _spread(bigint), read from another process';
COMMENT ON FUNCTION _spread_end(internal) IS
'the result of _spread(bigint)';

CREATE FUNCTION _ways_add(internal, instants timestamptz[], accounts bigint[]) RETURNS internal
AS 'MODULE_PATHNAME', 'ways_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _ways_join(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'ways_join' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _ways_write(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'ways_write' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _ways_read(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'ways_read' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _ways_end(internal) RETURNS bigint[]
AS 'MODULE_PATHNAME', 'ways_end' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE _ways(instants timestamptz[], accounts bigint[]) (
	SFUNC = _ways_add, STYPE = internal, SSPACE = 8192,
	COMBINEFUNC = _ways_join, SERIALFUNC = _ways_write,
	DESERIALFUNC = _ways_read, FINALFUNC = _ways_end,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE _ways(timestamptz[], bigint[]) IS
'how far units came, given for each of n milestones when and with which account they entered it: n rows of n numbers, and n more. In row i, how many entered i (at i), i and at or after that j > i, or i and after that j < i; then at how many accounts they entered each';
COMMENT ON FUNCTION _ways_add(internal, timestamptz[], bigint[]) IS
'state transition of _ways(timestamptz[], bigint[])';
COMMENT ON FUNCTION _ways_join(internal, internal) IS
'two states of _ways(timestamptz[], bigint[]) in one';
COMMENT ON FUNCTION _ways_write(internal) IS
'a state of _ways(timestamptz[], bigint[]), written for another process';
COMMENT ON FUNCTION _ways_read(bytea, internal) IS
'a state of _ways(timestamptz[], bigint[]), read from another process';
COMMENT ON FUNCTION _ways_end(internal) IS
'the result of _ways(timestamptz[], bigint[])';

CREATE TYPE _entry AS (place integer, month date, source text, entered bigint, accounts bigint);

COMMENT ON TYPE _entry IS
'units that entered a milestone, the one at that place, in a month from a source, and at how many accounts';

CREATE FUNCTION _entries_add(internal, months date[], sources text[], accounts bigint[]) RETURNS internal
AS 'MODULE_PATHNAME', 'entries_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _entries_join(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'entries_join' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _entries_write(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'entries_write' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _entries_read(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'entries_read' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _entries_end(internal) RETURNS _entry[]
AS 'MODULE_PATHNAME', 'entries_end' LANGUAGE C STABLE PARALLEL SAFE;

CREATE AGGREGATE _entries(months date[], sources text[], accounts bigint[]) (
	SFUNC = _entries_add, STYPE = internal, SSPACE = 65536,
	COMBINEFUNC = _entries_join, SERIALFUNC = _entries_write,
	DESERIALFUNC = _entries_read, FINALFUNC = _entries_end,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE _entries(date[], text[], bigint[]) IS
'units by milestone, month and source, given for each milestone when, from where and with which account they entered it; NULL where no unit is';
COMMENT ON FUNCTION _entries_add(internal, date[], text[], bigint[]) IS
'state transition of _entries(date[], text[], bigint[])';
COMMENT ON FUNCTION _entries_join(internal, internal) IS
'two states of _entries(date[], text[], bigint[]) in one';
COMMENT ON FUNCTION _entries_write(internal) IS
'a state of _entries(date[], text[], bigint[]), written for another process';
COMMENT ON FUNCTION _entries_read(bytea, internal) IS
'a state of _entries(date[], text[], bigint[]), read from another process';
COMMENT ON FUNCTION _entries_end(internal) IS
'the result of _entries(date[], text[], bigint[])';
--
-- Views of a funnel: what became of the leads
--
-- Run with the funnel's schema first on the search path, like the tables.  A
-- unit is a lead and a cycle, a row of table "journey"; what tells of units
-- reads that table, and the history only for what no unit has: every stay, or
-- what one move was.  Keys of leads may be of any type, so nothing here
-- compares them by USING, IS DISTINCT FROM or NULLIF, which pg_dump cannot
-- write down for a type of an extension.
--
-- Where a subquery ends in OFFSET '0', its columns are worked out once a row,
-- and groups of them are expected to be few, so that several processes share
-- the work (OFFSET 0 is a cast, which keeps them from it).  The row of settings
-- is joined by only_row where rows are many: a hash join can be shared.
--
CREATE FUNCTION _create_journey_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	times text;
	figures text;
	pairs text;
BEGIN
	--
	-- D1: the base of what counts entries
	--
	CREATE OR REPLACE VIEW milestone_entry WITH (security_invoker = true) AS
	SELECT DISTINCT ON (h.lead_id, h.cycle, st.milestone)
		   h.lead_id AS lead_id,
		   h.cycle::bigint AS cycle,
		   st.position AS position,
		   st.milestone AS milestone,
		   h.entered_at AS entered_at,
		   h.to_stage AS stage,
		   coalesce(h.source, '(none)') AS source,
		   h.campaign AS campaign,
		   h.owner AS owner,
		   h.account_id AS account_id,
		   h.automatic AS automatic,
		   h.exception AS exception,
		   h.score AS score,
		   h.definition AS definition,
		   h.version::bigint AS version
	FROM stage_history h
	JOIN (SELECT s.stage, s.milestone, dense_rank() OVER (ORDER BY array_position(_milestones(), s.milestone)) AS position
		  FROM stage s) st ON st.stage = h.to_stage
	WHERE h.voided_at IS NULL
	ORDER BY h.lead_id, h.cycle, st.milestone, h.entered_at, h.ordinal, h.history_id;

	PERFORM @extschema@._comment_view('milestone_entry'::text, '
One row per unit (lead and cycle) and milestone: the first non-voided move of the unit to any stage of the milestone, with what the lead was then. A later visit within the cycle is no new entry.
lead_id: lead, which may be gone
cycle: which time it was in the funnel: with the lead the unit
position: order of the milestone among those that the funnel has stages for
milestone: milestone entered
entered_at: when
stage: stage by which it was entered
source: source then; (none) where it is missing
campaign: campaign then
owner: owner then
account_id: account then
automatic: whether the move happened by itself
exception: whether it went by a transition that is an exception
score: score then, in points
definition: definition in force then
version: its version then
'::text);

	--
	-- Who a deal is credited to: each deal once
	--
	CREATE OR REPLACE VIEW won_deal WITH (security_invoker = true) AS
	SELECT d.deal_id AS deal_id,
		   d.account_id AS account_id,
		   d.owner AS owner,
		   d.opened_at AS opened_at,
		   d.closed_at AS closed_at,
		   CASE WHEN d.home_amount IS NOT NULL THEN d.home_amount
				WHEN coalesce(d.currency, s.currency) = s.currency
				THEN d.amount END AS amount,
		   d.home_amount IS NULL AND d.amount IS NOT NULL
			   AND coalesce(d.currency, s.currency) <> s.currency
			   AS foreign_currency,
		   c.lead_id AS lead_id,
		   c.cycle::bigint AS cycle,
		   c.sql_at AS sql_at
	FROM deal d
	CROSS JOIN setting s
	LEFT JOIN LATERAL (
		SELECT j.lead_id, j.cycle,
			   CASE WHEN j.sql_at <= d.closed_at THEN j.sql_at END AS sql_at
		FROM deal_contact k
		JOIN journey j ON j.lead_id = k.lead_id
		WHERE k.deal_id = d.deal_id
		ORDER BY CASE WHEN j.sql_at <= d.closed_at THEN j.sql_at END DESC NULLS LAST,
				 j.started_at <= d.closed_at DESC NULLS LAST,
				 j.started_at DESC, j.lead_id, j.cycle
		LIMIT 1) c ON true
	WHERE d.status = 'won';

	PERFORM @extschema@._comment_view('won_deal'::text, '
One row per won deal, credited to one unit (lead and cycle) of its contacts: the one with the latest entered(sql) at or before the close; where none was an SQL by then, the one that began last before the close, or last of all where it has no date.
deal_id: deal
account_id: company that bought
owner: who worked on the deal
opened_at: when the deal was opened
closed_at: when it was won; NULL where nobody knows
amount: home_amount, or amount where the currency is missing or the funnel''s, in setting.currency; NULL where it is neither
foreign_currency: whether the amount is in another currency and home_amount is missing: amount is NULL then
lead_id: lead that it is credited to; NULL where no contact has a unit
cycle: its cycle
sql_at: when that unit entered sql; NULL where that was not before the close
'::text);

	--
	-- The base of nearly every metric
	--
	CREATE OR REPLACE VIEW lead_journey WITH (security_invoker = true) AS
	SELECT j.lead_id AS lead_id,
		   j.cycle::bigint AS cycle,
		   coalesce(j.source, '(none)') AS source,
		   j.campaign AS campaign,
		   j.owner AS owner,
		   j.account_id AS account_id,
		   j.started_at AS started_at,
		   j.lead_at AS lead_at,
		   j.mql_at AS mql_at,
		   j.sal_at AS sal_at,
		   j.sql_at AS sql_at,
		   j.opportunity_at AS opportunity_at,
		   j.customer_at AS customer_at,
		   j.exit AS exit,
		   j.exited_at AS exited_at,
		   j.exit_reason AS exit_reason,
		   _days(_microseconds_between(j.lead_at, j.mql_at)::numeric) AS days_lead_to_mql,
		   _days(_microseconds_between(j.mql_at, j.sal_at)::numeric) AS days_mql_to_sal,
		   _days(_microseconds_between(j.sal_at, j.sql_at)::numeric) AS days_sal_to_sql,
		   _days(_microseconds_between(j.sql_at, j.opportunity_at)::numeric)
			   AS days_sql_to_opportunity,
		   _days(_microseconds_between(j.opportunity_at, j.customer_at)::numeric)
			   AS days_opportunity_to_customer,
		   _days(_microseconds_between(j.mql_at, j.sql_at)::numeric) AS days_mql_to_sql,
		   _days(_microseconds_between(j.sql_at, j.customer_at)::numeric)
			   AS days_sql_to_customer,
		   CASE WHEN j.mql_at IS NOT NULL THEN coalesce(j.mql_source, '(none)') END
			   AS mql_source,
		   j.mql_campaign AS mql_campaign,
		   j.mql_owner AS mql_owner,
		   CASE WHEN j.sql_at IS NOT NULL THEN coalesce(j.sql_source, '(none)') END
			   AS sql_source,
		   j.sql_campaign AS sql_campaign,
		   j.sql_owner AS sql_owner,
		   j.sql_account_id AS sql_account_id,
		   j.sql_definition AS sql_definition,
		   j.sql_version::bigint AS sql_version,
		   w.deals AS won_deals,
		   coalesce(w.amount, 0) AS won_amount,
		   j.gone_at AS gone_at
	FROM journey j
	LEFT JOIN LATERAL (
		SELECT count(*) AS deals, sum(d.amount) AS amount
		FROM deal_contact k
		JOIN won_deal d ON d.deal_id = k.deal_id
		WHERE k.lead_id = j.lead_id AND d.lead_id = j.lead_id AND d.cycle = j.cycle) w ON true;

	PERFORM @extschema@._comment_view('lead_journey'::text, '
One row per unit (lead and cycle), from the history that is not voided: table journey, with days and deals. An instant <milestone>_at is the first entry into any stage of the milestone. Days are seconds / 86400, with two digits; the instants are exact. No personal data.
lead_id: lead, which may be gone
cycle: which time it was in the funnel: with the lead the unit
source: source as the cycle began; (none) where it is missing
campaign: campaign as the cycle began
owner: owner as the cycle began
account_id: account as the cycle began
started_at: when the cycle began
lead_at: first entry into milestone lead
mql_at: first entry into milestone mql
sal_at: first entry into milestone sal
sql_at: first entry into milestone sql
opportunity_at: first entry into milestone opportunity
customer_at: first entry into milestone customer
exit: nurture, disqualified or lost: where it left the path for, never to come back in that cycle; a customer who leaves has no exit
exited_at: when it left the path; moves from there to another exit change nothing
exit_reason: reason given for that
days_lead_to_mql: days from lead_at to mql_at, negative where mql came first; NULL where one is missing
days_mql_to_sal: days from mql_at to sal_at, likewise
days_sal_to_sql: days from sal_at to sql_at, likewise
days_sql_to_opportunity: days from sql_at to opportunity_at, likewise
days_opportunity_to_customer: days from opportunity_at to customer_at, likewise
days_mql_to_sql: days from mql_at to sql_at, likewise
days_sql_to_customer: days from sql_at to customer_at, likewise
mql_source: source when it entered mql; (none) where it is missing; NULL where it never did
mql_campaign: campaign when it entered mql
mql_owner: owner when it entered mql
sql_source: source when it entered sql; (none) where it is missing; NULL where it never did
sql_campaign: campaign when it entered sql
sql_owner: owner when it entered sql
sql_account_id: account when it entered sql
sql_definition: definition in force when it entered sql
sql_version: its version then
won_deals: deals credited to the unit by won_deal, each deal once
won_amount: their amounts in setting.currency; 0 where there are none
gone_at: when the lead was deleted, erased or merged: nothing is known of the unit after that; NULL while the lead is there
'::text);

	-- the lives of a key have units of their own, which follow each other
	CREATE OR REPLACE VIEW stage_stay WITH (security_invoker = true) AS
	WITH stay AS (
		SELECT h.lead_id, h.to_stage, h.entered_at, j.gone_at,
			   lead(h.entered_at) OVER life AS left_at,
			   lead(h.history_id) OVER life IS NULL AS is_last,
			   row_number() OVER (PARTITION BY h.lead_id
								  ORDER BY h.cycle, h.entered_at, h.ordinal, h.history_id) AS n
		FROM stage_history h
		LEFT JOIN journey j ON j.lead_id = h.lead_id AND j.cycle = h.cycle
		WHERE h.voided_at IS NULL
		WINDOW life AS (PARTITION BY h.lead_id, j.gone_at
						ORDER BY h.cycle, h.entered_at, h.ordinal, h.history_id)
	), timed AS (
		SELECT t.lead_id, t.to_stage, t.entered_at, t.n,
			   t.is_last AND l.lead_id IS NOT NULL AS is_open,
			   CASE WHEN NOT t.is_last
					THEN _microseconds_between(t.entered_at, t.left_at)
					WHEN t.gone_at IS NOT NULL
					THEN greatest(_microseconds_between(t.entered_at, t.gone_at), 0)
					WHEN l.lead_id IS NOT NULL
					THEN greatest(_microseconds_between(t.entered_at, funnel_now()), 0)
			   END AS time
		FROM stay t
		LEFT JOIN lead l ON l.lead_id = t.lead_id AND t.gone_at IS NULL
	), summed AS (
		SELECT t.lead_id, t.to_stage,
			   count(*) AS visits,
			   bool_or(t.is_open) AS is_open,
			   max(t.entered_at) AS entered_at,
			   (array_agg(t.time ORDER BY t.n DESC))[1] AS latest,
			   sum(t.time) AS total,
			   max(t.time) FILTER (WHERE t.is_open) AS open
		FROM timed t
		GROUP BY t.lead_id, t.to_stage
	)
	SELECT t.lead_id AS lead_id,
		   t.to_stage AS stage,
		   st.position::bigint AS position,
		   st.milestone AS milestone,
		   t.visits AS visits,
		   t.is_open AS is_open,
		   t.entered_at AS entered_at,
		   _days(t.latest::numeric) AS latest_days,
		   _days(t.total) AS total_days,
		   _days(t.open::numeric) AS open_days
	FROM summed t
	LEFT JOIN stage st ON st.stage = t.to_stage;

	PERFORM @extschema@._comment_view('stage_stay'::text, '
One row per lead and stage, over all cycles. A stay runs from a non-voided move to the lead''s next one, to when the lead was deleted, erased or merged, or to now while it is open. A lead that comes under the key of one that is gone adds its stays to that one''s.
lead_id: lead, which may be gone
stage: stage
position: order of the stage (stage.position); NULL where the stage is no more
milestone: milestone of the stage
visits: number of stays
is_open: whether the lead is in it now
entered_at: start of the last stay
latest_days: days of the last stay; NULL where its end is not known
total_days: days of all stays
open_days: days of the stay that goes on; NULL where none does
'::text);

	-- for each two milestones a column, in one pass
	SELECT string_agg(format('_microseconds_between(j.%I_at, j.%I_at) AS %I', a.milestone, b.milestone, c.pair), ', '),
		   string_agg(format('count(*) FILTER (WHERE u.%1$I >= 0) AS %2$I, '
							 'count(*) FILTER (WHERE u.%1$I < 0) AS %3$I, '
							 'avg(u.%1$I) FILTER (WHERE u.%1$I >= 0) AS %4$I, '
							 '_spread(u.%1$I) FILTER (WHERE u.%1$I >= 0) AS %5$I',
							 c.pair, c.pair || ' n', c.pair || ' odd', c.pair || ' mean', c.pair || ' parts'), ', '),
		   string_agg(format('(%L, %L, t.%I, t.%I, t.%I, t.%I)', a.milestone, b.milestone,
							 c.pair || ' n', c.pair || ' odd', c.pair || ' mean', c.pair || ' parts'), ', ')
		INTO times, figures, pairs
	FROM unnest(_milestones()) WITH ORDINALITY AS a (milestone, position)
	JOIN unnest(_milestones()) WITH ORDINALITY AS b (milestone, position)
		ON b.position > a.position AND NOT _is_exit(a.milestone)
	CROSS JOIN LATERAL (SELECT a.milestone || ' ' || b.milestone AS pair) AS c;

	EXECUTE format($view$CREATE OR REPLACE VIEW stage_velocity WITH (security_invoker = true) AS
	WITH told AS (
		SELECT %2$s
		FROM (SELECT %1$s FROM journey j
			  WHERE num_nonnulls(%4$s) > 1
			  OFFSET '0') u
	), step AS (
		SELECT row_number() OVER (ORDER BY m.position) AS position, m.milestone
		FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position)
		WHERE m.milestone IN (SELECT st.milestone FROM stage st)
	)
	SELECT a.position AS from_position,
		   p.from_milestone AS from_milestone,
		   b.position AS to_position,
		   p.to_milestone AS to_milestone,
		   p.n AS n,
		   p.odd AS n_odd,
		   _days(p.mean) AS mean_days,
		   _days(p.parts[1]::numeric) AS median_days,
		   _days(p.parts[2]::numeric) AS p90_days
	FROM told t
	CROSS JOIN LATERAL (VALUES %3$s) p (from_milestone, to_milestone, n, odd, mean, parts)
	JOIN step a ON a.milestone = p.from_milestone
	JOIN step b ON b.milestone = p.to_milestone
	ORDER BY a.position, b.position$view$, times, figures, pairs,
		(SELECT string_agg(format('j.%I_at', m), ', ') FROM unnest(_milestones()) AS m));

	PERFORM @extschema@._comment_view('stage_velocity'::text, '
One row per pair of milestones that this funnel has stages for, the earlier one a step of the path: days from entered(from) to entered(to) in the same cycle. Only units that got there count, so young funnels look fast: for SQL to customer see sql_velocity.
from_position: order of the earlier milestone among those that the funnel has stages for
from_milestone: the earlier milestone
to_position: order of the later one, which may be nurture, disqualified or lost
to_milestone: the later milestone
n: units (lead and cycle) that entered both, the later one at or after the earlier
n_odd: units that entered the later one first, left out
mean_days: mean of the days of n
median_days: median of the days of n
p90_days: nine in ten of n took no longer, in days
'::text);
END
$template$;

COMMENT ON FUNCTION _create_journey_views() IS
'creates the views of a funnel on its leads'' ways; called by _create_funnel_views()';
--
-- Views of a funnel: how many get how far, and how fast
--
CREATE FUNCTION _create_conversion_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	n_path integer := (SELECT count(*) FROM unnest(_milestones()) AS m WHERE NOT _is_exit(m));
	instants text;
	accounts text;
	again text;
	rungs text;
	pairs text;
	months text;
	sources text;
	all_accounts text;
BEGIN
	--
	-- Units by milestone of the path, and by each two of them in their order,
	-- in one pass.  A lead counts once: of those with a further unit few are
	-- looked at, whose units but one are too many.
	--
	SELECT string_agg(format('j.%I_at', m.milestone), ', ' ORDER BY m.position),
		   string_agg(format('j.%I_account_id', m.milestone), ', ' ORDER BY m.position),
		   string_agg(format('coalesce(sum(greatest(u.%1$I - 1, 0)), 0)::bigint AS %1$I', m.milestone), ', '),
		   string_agg(format('(%L, t.n[%s], a.%I, t.n[%s])', m.milestone, (m.position - 1) * n_path + m.position,
							 m.milestone, n_path * n_path + m.position), ', ')
		INTO instants, accounts, again, rungs
	FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position)
	WHERE NOT _is_exit(m.milestone);
	SELECT string_agg(format('(%L, %L, coalesce(t.n[%s], 0), coalesce(t.n[%s], 0))', a.milestone, b.milestone,
							 (a.position - 1) * n_path + b.position, (b.position - 1) * n_path + a.position), ', ')
		INTO pairs
	FROM unnest(_milestones()) WITH ORDINALITY AS a (milestone, position)
	JOIN unnest(_milestones()) WITH ORDINALITY AS b (milestone, position)
		ON b.position > a.position AND NOT _is_exit(b.milestone);
	SELECT string_agg(format('_month_of(j.%I_at, s.time_zone)', m.milestone), ', ' ORDER BY m.position),
		   string_agg(format('coalesce(j.%I_source, ''(none)'')', m.milestone), ', ' ORDER BY m.position),
		   string_agg(format('j.%I_account_id', m.milestone), ', ' ORDER BY m.position)
		INTO months, sources, all_accounts
	FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position);

	EXECUTE format($view$CREATE OR REPLACE VIEW funnel WITH (security_invoker = true) AS
	WITH step AS (
		SELECT row_number() OVER (ORDER BY m.position) AS position, m.milestone
		FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position)
		WHERE NOT _is_exit(m.milestone)
			  AND m.milestone IN (SELECT st.milestone FROM stage st)
	), told AS (
		SELECT _ways(ARRAY[%1$s], ARRAY[%2$s]) AS n FROM journey j
	), again AS (
		SELECT %3$s
		FROM (SELECT %6$s
			  FROM journey j
			  WHERE EXISTS (SELECT FROM journey o WHERE o.lead_id = j.lead_id AND o.cycle > 1)
			  GROUP BY j.lead_id) u
	), counted AS (
		SELECT r.milestone, r.reached, r.reached - r.again AS leads, r.accounts
		FROM told t
		CROSS JOIN again a
		CROSS JOIN LATERAL (VALUES %4$s) r (milestone, reached, again, accounts)
		WHERE r.reached > 0
	), pair AS (
		SELECT p.*
		FROM told t
		CROSS JOIN LATERAL (VALUES %5$s) p (earlier, later, in_order, odd)
	), present AS (
		SELECT st.milestone, sum(l.leads)::bigint AS leads
		FROM (SELECT stage, count(*) AS leads FROM lead GROUP BY stage) l
		JOIN stage st ON st.stage = l.stage
		GROUP BY st.milestone
	), rung AS (
		SELECT s.position, s.milestone,
			   coalesce(c.reached, 0) AS reached,
			   coalesce(c.leads, 0) AS leads,
			   coalesce(c.accounts, 0) AS accounts,
			   coalesce(p.leads, 0) AS in_it_now,
			   c.reached IS NULL
				   AND bool_or(c.reached > 0) OVER (
					   ORDER BY s.position ROWS BETWEEN 1 FOLLOWING
						   AND UNBOUNDED FOLLOWING) IS TRUE AS unused,
			   -- the nearest that units pass; without units, the nearest
			   CASE WHEN count(c.reached) OVER () > 0
					THEN max(s.position) FILTER (WHERE c.reached > 0) OVER earlier
					ELSE s.position - 1 END AS previous,
			   coalesce(min(s.position) FILTER (WHERE c.reached > 0)
							OVER (), 1) AS first,
			   max(coalesce(c.reached, 0)) OVER () AS widest
		FROM step s
		LEFT JOIN counted c ON c.milestone = s.milestone
		LEFT JOIN present p ON p.milestone = s.milestone
		WINDOW earlier AS (ORDER BY s.position ROWS BETWEEN UNBOUNDED PRECEDING
						   AND 1 PRECEDING)
	), joined AS (
		-- what no unit passes is in nobody's way
		SELECT r.*, v.milestone AS previous_milestone,
			   v.reached AS previous_reached,
			   CASE WHEN NOT r.unused THEN p.in_order END AS from_previous,
			   f.milestone AS first_milestone,
			   f.reached AS first_reached,
			   CASE WHEN r.unused THEN NULL
					WHEN r.position = r.first THEN r.reached
					ELSE coalesce(o.in_order, 0) END AS from_first,
			   coalesce(r.reached - p.in_order - p.odd, 0) AS skipped
		FROM rung r
		JOIN rung f ON f.position = r.first
		LEFT JOIN rung v ON v.position = r.previous
		LEFT JOIN pair p ON p.earlier = v.milestone AND p.later = r.milestone
		LEFT JOIN pair o ON o.earlier = f.milestone AND o.later = r.milestone
	)
	SELECT j.position AS position,
		   j.milestone AS milestone,
		   j.reached AS reached,
		   j.leads AS leads,
		   j.accounts AS accounts,
		   j.in_it_now AS in_it_now,
		   j.previous_milestone AS previous_milestone,
		   j.previous_reached AS previous_reached,
		   j.from_previous AS from_previous,
		   _ratio(j.from_previous::numeric, j.previous_reached::numeric) AS rate_from_previous,
		   j.first_milestone AS first_milestone,
		   j.first_reached AS first_reached,
		   j.from_first AS from_first,
		   _ratio(j.from_first::numeric, j.first_reached::numeric) AS rate_from_first,
		   j.skipped AS skipped,
		   j.unused AS unused,
		   repeat('█', ceil(30.0 * j.reached / NULLIF(j.widest, 0))::integer) AS bar
	FROM joined j
	ORDER BY j.position$view$, instants, accounts, again, rungs, pairs,
		(SELECT string_agg(format('count(j.%1$I_at) AS %1$I', m), ', ') FROM unnest(_milestones()) AS m WHERE NOT _is_exit(m)));

	PERFORM @extschema@._comment_view('funnel'::text, '
One row per milestone of the path that this funnel has stages for, over all time. Rates are fractions: 0.25 is 25 %. All cohorts, ripe or not: see mql_to_sql and sql_conversion for maturity.
position: order of the milestone among those that the funnel has stages for
milestone: milestone
reached: units (lead and cycle) that ever entered it
leads: distinct leads of these units
accounts: distinct accounts of these units, as they were then
in_it_now: leads that are in its stages now
previous_milestone: the nearest earlier one that units of this funnel pass
previous_reached: units that ever entered that
from_previous: units that entered the previous milestone, and this one at or after it
rate_from_previous: from_previous / previous_reached
first_milestone: the first milestone that units of this funnel pass
first_reached: units that ever entered that
from_first: units that entered the first milestone, and this one at or after it
rate_from_first: from_first / first_reached
skipped: units that entered this one but never the previous, not in from_previous
unused: whether no unit ever entered it, though some got further: it is in nobody''s way, is no other''s previous, and has no rates
bar: reached as a bar, of 30 characters where most units are
'::text);

	EXECUTE format($view$CREATE OR REPLACE VIEW funnel_monthly WITH (security_invoker = true) AS
	WITH counted AS (
		SELECT e.*
		FROM (SELECT _entries(ARRAY[%1$s], ARRAY[%2$s], ARRAY[%3$s]) AS entries
			  FROM journey j
			  JOIN setting s ON s.only_row = (coalesce(%4$s) IS NOT NULL)) u
		CROSS JOIN LATERAL unnest(u.entries) e
	), again AS (
		SELECT e.place, e.month, e.source, sum(e.entered - 1)::bigint AS n
		FROM (SELECT _entries(ARRAY[%1$s], ARRAY[%2$s], ARRAY[%3$s]) AS entries
			  FROM journey j
			  CROSS JOIN setting s
			  WHERE EXISTS (SELECT FROM journey o WHERE o.lead_id = j.lead_id AND o.cycle > 1)
			  GROUP BY j.lead_id) u
		CROSS JOIN LATERAL unnest(u.entries) e
		WHERE e.entered > 1
		GROUP BY e.place, e.month, e.source
	), step AS (
		SELECT m.place::integer AS place, row_number() OVER (ORDER BY m.place) AS position
		FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, place)
		WHERE m.milestone IN (SELECT st.milestone FROM stage st)
	), series AS (
		SELECT c.source, row_number() OVER (ORDER BY sum(c.entered) DESC, c.source) AS rank
		FROM counted c
		GROUP BY c.source
	), cell AS (
		SELECT c.place, c.month, c.source FROM counted c
		UNION
		SELECT m.place, g.month, r.source
		FROM (SELECT min(c.month) AS month FROM counted c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN series r
		CROSS JOIN step m
		WHERE r.rank <= _most_series()
	)
	SELECT e.month AS month,
		   e.source AS source,
		   m.position AS position,
		   (_milestones())[e.place] AS milestone,
		   coalesce(c.entered, 0) AS entered,
		   coalesce(c.entered - coalesce(a.n, 0), 0) AS leads,
		   coalesce(c.accounts, 0) AS accounts
	FROM cell e
	LEFT JOIN step m ON m.place = e.place
	LEFT JOIN counted c ON c.place = e.place AND c.month = e.month AND c.source = e.source
	LEFT JOIN again a ON a.place = e.place AND a.month = e.month AND a.source = e.source
	ORDER BY e.month, e.source, e.place$view$,
		months, sources, all_accounts,
		(SELECT string_agg(format('j.%I_at', m), ', ') FROM unnest(_milestones()) AS m));

	PERFORM @extschema@._comment_view('funnel_monthly'::text, '
One row per month (in the funnel''s time zone), source and milestone: every month from the first with an entry to the present one, for every source that any unit has and every milestone that the funnel has stages for, with zeros where nothing entered. Of more than 1,000 sources only the 1,000 with most entries have rows of zeros. Do not add up leads or accounts over months or sources.
month: first day of the month
source: source of the unit when it entered the milestone; (none) where it is missing
position: order of the milestone among those that the funnel has stages for; NULL for one that it has none for any more
milestone: milestone
entered: units (lead and cycle) that first entered the milestone in the month
leads: distinct leads of these units
accounts: distinct accounts of these units, as they were then
'::text);

	CREATE OR REPLACE VIEW mql_to_sql WITH (security_invoker = true) AS
	WITH unit AS (
		SELECT u.mql_month, u.sql_month, count(*) AS n,
			   count(*) FILTER (WHERE u.sql_at >= u.mql_at) AS in_order,
			   count(*) FILTER (WHERE u.sql_at < u.mql_at) AS odd
		FROM (SELECT _month_of(j.mql_at, s.time_zone) AS mql_month,
					 _month_of(j.sql_at, s.time_zone) AS sql_month,
					 j.mql_at, j.sql_at
			  FROM journey j
			  JOIN setting s ON s.only_row = (coalesce(j.mql_at, j.sql_at) IS NOT NULL)
			  OFFSET '0') u
		GROUP BY u.mql_month, u.sql_month
	), entry AS (
		SELECT u.mql_month AS month, u.n AS mqls, u.in_order, u.odd,
			   0 AS entered, 0 AS skipped
		FROM unit u
		UNION ALL
		SELECT u.sql_month AS month, 0 AS mqls, 0 AS in_order, 0 AS odd,
			   u.n AS entered,
			   CASE WHEN u.mql_month IS NULL THEN u.n ELSE 0 END AS skipped
		FROM unit u
		UNION ALL
		SELECT g.month, 0 AS mqls, 0 AS in_order, 0 AS odd, 0 AS entered, 0 AS skipped
		FROM (SELECT min(least(u.mql_month, u.sql_month)) AS month FROM unit u) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
	), counted AS (
		SELECT e.month,
			   sum(e.mqls)::bigint AS mqls,
			   sum(e.in_order)::bigint AS sqls_of_cohort,
			   sum(e.odd)::bigint AS odd,
			   sum(e.entered)::bigint AS sqls_entered,
			   sum(e.skipped)::bigint AS skipped
		FROM entry e
		WHERE e.month IS NOT NULL
		GROUP BY e.month
	)
	SELECT c.month AS month,
		   c.mqls AS mqls,
		   c.sqls_of_cohort AS sqls_of_cohort,
		   _ratio(c.sqls_of_cohort::numeric, c.mqls::numeric) AS cohort_rate,
		   c.sqls_entered AS sqls_entered,
		   _ratio(c.sqls_entered::numeric, c.mqls::numeric) AS period_rate,
		   c.skipped AS skipped,
		   c.odd AS odd,
		   _mature_at(c.month, s.maturity_days::bigint, s.time_zone) <= funnel_now()
			   AS mature
	FROM counted c
	CROSS JOIN setting s
	ORDER BY c.month;

	PERFORM @extschema@._comment_view('mql_to_sql'::text, '
One row per month (in the funnel''s time zone), from the first with an MQL or SQL to the present one. The cohort is whoever entered mql in the month, whenever the rest follows; the period is what entered in the month. Rates are fractions: 0.1 is 10 %.
month: first day of the month
mqls: units (lead and cycle) that entered mql in the month
sqls_of_cohort: those of them that entered sql at or after that, whenever
cohort_rate: sqls_of_cohort / mqls; NULL without MQLs
sqls_entered: units that entered sql in the month
period_rate: sqls_entered / mqls, which may exceed 1; NULL without MQLs
skipped: units of sqls_entered that never were an MQL, never in the cohort''s numerator
odd: units of mqls that were an SQL first
mature: whether the month ended at least setting.maturity_days ago: a rate that is not mature will still rise
'::text);

	CREATE OR REPLACE VIEW sql_conversion WITH (security_invoker = true) AS
	WITH unit AS (
		SELECT u.sql_month, u.customer_month, count(*) AS n,
			   count(*) FILTER (WHERE u.customer_at >= u.sql_at) AS in_order,
			   count(*) FILTER (WHERE u.customer_at < u.sql_at) AS odd
		FROM (SELECT _month_of(j.sql_at, s.time_zone) AS sql_month,
					 _month_of(j.customer_at, s.time_zone) AS customer_month,
					 j.sql_at, j.customer_at
			  FROM journey j
			  JOIN setting s ON s.only_row = (coalesce(j.sql_at, j.customer_at) IS NOT NULL)
			  OFFSET '0') u
		GROUP BY u.sql_month, u.customer_month
	), entry AS (
		SELECT u.sql_month AS month, u.n AS sqls, u.in_order, u.odd,
			   0 AS entered, 0 AS skipped
		FROM unit u
		UNION ALL
		SELECT u.customer_month AS month, 0 AS sqls, 0 AS in_order, 0 AS odd,
			   u.n AS entered,
			   CASE WHEN u.sql_month IS NULL THEN u.n ELSE 0 END AS skipped
		FROM unit u
		UNION ALL
		SELECT g.month, 0 AS sqls, 0 AS in_order, 0 AS odd, 0 AS entered, 0 AS skipped
		FROM (SELECT min(least(u.sql_month, u.customer_month)) AS month FROM unit u) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
	), counted AS (
		SELECT e.month,
			   sum(e.sqls)::bigint AS sqls,
			   sum(e.in_order)::bigint AS customers,
			   sum(e.odd)::bigint AS odd,
			   sum(e.entered)::bigint AS customers_entered,
			   sum(e.skipped)::bigint AS skipped
		FROM entry e
		WHERE e.month IS NOT NULL
		GROUP BY e.month
	)
	SELECT c.month AS month,
		   c.sqls AS sqls,
		   c.customers AS customers,
		   _ratio(c.customers::numeric, c.sqls::numeric) AS rate,
		   c.customers_entered AS customers_entered,
		   _ratio(c.customers_entered::numeric, c.sqls::numeric) AS period_rate,
		   c.skipped AS skipped,
		   c.odd AS odd,
		   _mature_at(c.month, s.maturity_days::bigint, s.time_zone) <= funnel_now()
			   AS mature
	FROM counted c
	CROSS JOIN setting s
	ORDER BY c.month;

	PERFORM @extschema@._comment_view('sql_conversion'::text, '
One row per month (in the funnel''s time zone), from the first with an SQL or customer to the present one. The cohort is whoever entered sql in the month, whenever the rest follows; the period is what entered in the month. Rates are fractions: 0.25 is 25 %.
month: first day of the month
sqls: units (lead and cycle) that entered sql in the month
customers: those of them that entered customer at or after that, whenever
rate: customers / sqls; NULL without SQLs
customers_entered: units that entered customer in the month
period_rate: customers_entered / sqls, which may exceed 1; NULL without SQLs
skipped: units of customers_entered that never were an SQL, never in customers
odd: units of sqls that were a customer first
mature: whether the month ended at least setting.maturity_days ago: a rate that is not mature will still rise
'::text);

	--
	-- Times of events and of censoring, one row a distinct time; then the
	-- product-limit estimates over those at which something ended.  Without
	-- follow-up to day n there is no estimate for day n.
	--
	CREATE OR REPLACE VIEW sql_velocity WITH (security_invoker = true) AS
	WITH unit AS (
		SELECT _month_of(j.sql_at, s.time_zone) AS month,
			   CASE WHEN j.customer_at < j.sql_at THEN 'odd'
					WHEN j.customer_at IS NOT NULL THEN 'won'
					WHEN j.exited_at IS NOT NULL THEN 'exited'
					WHEN j.gone_at IS NOT NULL THEN 'gone'
					ELSE 'open' END AS state,
			   _microseconds_between(j.sql_at,
									 coalesce(j.customer_at, j.exited_at,
											  greatest(coalesce(j.gone_at, funnel_now()), j.sql_at)))
				   AS time
		FROM journey j
		CROSS JOIN setting s
		WHERE j.sql_at IS NOT NULL
		OFFSET '0'
	), counted AS (
		SELECT u.month,
			   count(*) AS sqls,
			   count(*) FILTER (WHERE u.state = 'won') AS n,
			   count(*) FILTER (WHERE u.state = 'open') AS n_open,
			   count(*) FILTER (WHERE u.state = 'exited') AS n_exited,
			   count(*) FILTER (WHERE u.state = 'gone') AS n_gone,
			   count(*) FILTER (WHERE u.state = 'odd') AS n_odd,
			   avg(u.time) FILTER (WHERE u.state = 'won') AS mean,
			   _spread(u.time) FILTER (WHERE u.state = 'won') AS parts
		FROM unit u
		GROUP BY u.month
	), instant AS (
		SELECT u.month, u.time,
			   count(*) FILTER (WHERE u.state = 'won') AS won,
			   count(*) FILTER (WHERE u.state IN ('won', 'exited')) AS ended,
			   (sum(count(*)) OVER (PARTITION BY u.month
									ORDER BY u.time DESC))::bigint AS at_risk
		FROM unit u
		WHERE u.state <> 'odd'
		GROUP BY u.month, u.time
	), followed AS (
		SELECT i.month,
			   max(i.time) AS until,
			   least(max(i.time) FILTER (WHERE i.at_risk >= 5), 365 * 86400000000) AS horizon
		FROM instant i
		GROUP BY i.month
	), survival AS (
		SELECT i.month, i.time, i.won, i.at_risk,
			   _survival(i.at_risk, i.won) OVER past AS not_won,
			   _survival(i.at_risk, i.ended) OVER past AS left_over
		FROM instant i
		WHERE i.ended > 0
		WINDOW past AS (PARTITION BY i.month ORDER BY i.time ROWS UNBOUNDED PRECEDING)
	), step AS (
		SELECT v.month, v.time, v.won, v.at_risk, v.not_won, v.left_over,
			   coalesce(lag(v.left_over) OVER past, 1) AS left_before
		FROM survival v
		WINDOW past AS (PARTITION BY v.month ORDER BY v.time)
	), incidence AS (
		SELECT p.month, p.time, p.not_won, p.left_over,
			   sum(p.left_before * p.won / p.at_risk) OVER (
				   PARTITION BY p.month ORDER BY p.time ROWS UNBOUNDED PRECEDING) AS won_by
		FROM step p
	), horizon AS (
		SELECT i.month, max(i.won_by) AS won_by
		FROM incidence i
		JOIN followed f ON f.month = i.month
		WHERE i.time <= f.horizon
		GROUP BY i.month
	), estimate AS (
		SELECT i.month,
			   min(i.time) FILTER (WHERE h.won_by > 0
				   AND round(i.won_by - h.won_by / 2, 20) >= 0) AS won_median,
			   min(i.time) FILTER (WHERE round(i.not_won, 20) <= 0.5) AS km_median,
			   max(i.won_by) FILTER (WHERE i.time <= 30 * 86400000000) AS by_30,
			   max(i.won_by) FILTER (WHERE i.time <= 60 * 86400000000) AS by_60,
			   max(i.won_by) FILTER (WHERE i.time <= 90 * 86400000000) AS by_90,
			   max(i.won_by) FILTER (WHERE i.time <= 180 * 86400000000) AS by_180,
			   min(i.left_over) = 0 AS is_over
		FROM incidence i
		LEFT JOIN horizon h ON h.month = i.month
		GROUP BY i.month
	), known AS (
		-- to which day
		SELECT f.month,
			   CASE WHEN e.is_over THEN 'infinity' ELSE f.until / 86400000000.0 END AS days
		FROM followed f
		LEFT JOIN estimate e ON e.month = f.month
	), every AS (
		SELECT c.month FROM counted c
		UNION
		SELECT g.month
		FROM (SELECT min(c.month) AS month FROM counted c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
	)
	SELECT m.month AS month,
		   coalesce(c.sqls, 0) AS sqls,
		   coalesce(c.n, 0) AS n,
		   coalesce(c.n_open, 0) AS n_open,
		   coalesce(c.n_exited, 0) AS n_exited,
		   coalesce(c.n_gone, 0) AS n_gone,
		   coalesce(c.n_odd, 0) AS n_odd,
		   _days(e.won_median::numeric) AS won_median_days,
		   _days(c.mean) AS mean_days,
		   _days(c.parts[1]::numeric) AS median_days,
		   _days(c.parts[2]::numeric) AS p90_days,
		   _days(e.km_median::numeric) AS km_median_days,
		   CASE WHEN k.days >= 30
				THEN _ratio(coalesce(e.by_30, 0::numeric), 1::numeric) END AS won_by_30,
		   CASE WHEN k.days >= 60
				THEN _ratio(coalesce(e.by_60, 0::numeric), 1::numeric) END AS won_by_60,
		   CASE WHEN k.days >= 90
				THEN _ratio(coalesce(e.by_90, 0::numeric), 1::numeric) END AS won_by_90,
		   CASE WHEN k.days >= 180
				THEN _ratio(coalesce(e.by_180, 0::numeric), 1::numeric) END AS won_by_180
	FROM every m
	LEFT JOIN counted c ON c.month = m.month
	LEFT JOIN estimate e ON e.month = m.month
	LEFT JOIN known k ON k.month = m.month
	ORDER BY m.month;

	PERFORM @extschema@._comment_view('sql_velocity'::text, '
One row per month (in the funnel''s time zone) of entered(sql), from the first with an SQL to the present one. Velocity = entered(customer) - entered(sql) in the same cycle, in days. sqls = n + n_open + n_exited + n_gone + n_odd.
month: first day of the month
sqls: units (lead and cycle) that entered sql in the month
n: SQLs that became a customer
n_open: SQLs that did none of these yet
n_exited: SQLs that left for nurture, disqualified or lost without becoming a customer
n_gone: SQLs whose lead was deleted, erased or merged before either
n_odd: SQLs that were a customer first, left out of all that follows
won_median_days: the typical time of those who will buy: the least number of days by which half of all are customers who are so by the horizon, exits competing; the horizon is the last day to which at least 5 SQLs were followed, at most 365; NULL where nobody is a customer by then
mean_days: mean of the days of n, too short while many are open
median_days: median of the days of n, too short while many are open
p90_days: nine in ten of n took no longer, in days
km_median_days: Kaplan-Meier: exits censored at the exit, open ones at now, those gone when they went, events before ties; the least number of days with S <= 0.5, NULL if there is none: it tells what were if nobody ever dropped out
won_by_30: Aalen-Johansen: the share that is a customer by day 30, exits competing, as a fraction; NULL where nobody was followed that long
won_by_60: the share by day 60, likewise
won_by_90: the share by day 90, likewise
won_by_180: the share by day 180, likewise
'::text);
END
$template$;

COMMENT ON FUNCTION _create_conversion_views() IS
'creates the views of a funnel on counts and rates; called by _create_funnel_views()';
--
-- Views of a funnel: what it costs and what it brings
--
CREATE FUNCTION _create_money_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	CREATE OR REPLACE VIEW cost_per_sql WITH (security_invoker = true) AS
	WITH spent AS (
		-- each expense over the months of its period, by days
		SELECT p.source, sh.month, sh.amount,
			   coalesce(p.currency, s.currency) <> s.currency AS is_foreign
		FROM spend p
		CROSS JOIN setting s
		CROSS JOIN LATERAL (
			SELECT array_agg(m.first::date ORDER BY m.first) AS months,
				   array_agg((least(p.ends_on, (m.first + interval '1 month - 1 day')::date)
							  - greatest(p.starts_on, m.first::date) + 1)::numeric
							 ORDER BY m.first) AS days
			FROM generate_series(date_trunc('month', p.starts_on::timestamp),
								 p.ends_on::timestamp,
								 interval '1 month') AS m (first)
		) d
		CROSS JOIN LATERAL unnest(d.months, _share_out(p.amount, d.days))
			AS sh (month, amount)
	), direct AS (
		SELECT t.month, t.source,
			   coalesce(sum(t.amount) FILTER (WHERE NOT t.is_foreign), 0) AS amount,
			   count(*) FILTER (WHERE t.is_foreign) AS n_foreign
		FROM spent t
		GROUP BY t.month, t.source
	), won AS (
		SELECT u.month, u.source, count(*) AS sqls
		FROM (SELECT _month_of(j.sql_at, s.time_zone) AS month,
					 coalesce(j.sql_source, '(none)') AS source
			  FROM journey j
			  CROSS JOIN setting s
			  WHERE j.sql_at IS NOT NULL
			  OFFSET '0') u
		GROUP BY u.month, u.source
	), allocated AS (
		-- the overhead of a month over the sources of its SQLs
		SELECT w.month, sh.source, sh.amount
		FROM (SELECT g.month,
					 array_agg(g.source ORDER BY g.source) AS sources,
					 array_agg(g.sqls::numeric ORDER BY g.source) AS sqls
			  FROM won g
			  GROUP BY g.month) w
		JOIN direct d ON d.month = w.month AND d.source IS NULL
		CROSS JOIN LATERAL unnest(w.sources, _share_out(d.amount, w.sqls))
			AS sh (source, amount)
	), part AS (
		SELECT d.month, d.source, d.amount AS direct, 0 AS overhead,
			   0 AS sqls, d.n_foreign
		FROM direct d
		WHERE d.source IS NOT NULL
		UNION ALL
		SELECT a.month, a.source, 0 AS direct, a.amount AS overhead,
			   0 AS sqls, 0 AS n_foreign
		FROM allocated a
		UNION ALL
		SELECT w.month, w.source, 0 AS direct, 0 AS overhead,
			   w.sqls, 0 AS n_foreign
		FROM won w
		UNION ALL
		-- what nobody can be charged with
		SELECT d.month, '(overhead)' AS source, 0 AS direct,
			   CASE WHEN w.month IS NULL THEN d.amount ELSE 0 END AS overhead,
			   0 AS sqls, d.n_foreign
		FROM direct d
		LEFT JOIN (SELECT DISTINCT g.month FROM won g) w ON w.month = d.month
		WHERE d.source IS NULL AND (w.month IS NULL OR d.n_foreign > 0)
	), series AS (
		SELECT p.source, row_number() OVER (ORDER BY sum(p.sqls) DESC, p.source) AS rank
		FROM part p
		GROUP BY p.source
	), every AS (
		SELECT p.month, p.source, p.direct, p.overhead, p.sqls, p.n_foreign FROM part p
		UNION ALL
		SELECT g.month, r.source, 0 AS direct, 0 AS overhead, 0 AS sqls, 0 AS n_foreign
		FROM (SELECT min(p.month) AS month FROM part p) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN series r
		WHERE r.rank <= _most_series()
	)
	SELECT p.month AS month,
		   p.source AS source,
		   sum(p.direct) AS direct_cost,
		   sum(p.overhead) AS overhead,
		   sum(p.direct + p.overhead) AS cost,
		   sum(p.sqls)::bigint AS sqls,
		   _money_per(sum(p.direct + p.overhead), sum(p.sqls)::numeric) AS cost_per_sql,
		   sum(p.n_foreign)::bigint AS n_foreign
	FROM every p
	GROUP BY p.month, p.source
	ORDER BY p.month, p.source;

	PERFORM @extschema@._comment_view('cost_per_sql'::text, '
One row per month (of SQLs in the funnel''s time zone) and source: every month from the first with an expense or an SQL to the present one, for every source with either, with zeros where there is none; months to come have rows where they have expenses. Of more than 1,000 sources only the 1,000 with most SQLs have rows of zeros. Money is in setting.currency. Costs are not shifted by the time that leads take to become SQLs.
month: first day of the month
source: source of the expenses, and of the SQLs as they entered; (none) where an SQL has none; (overhead) for what no source can be charged with
direct_cost: expenses of marketing and sales on the source: amount × days of the period in the month / days of the period, in cents that add up to the amount over the months (largest remainder)
overhead: expenses without a source, by the source''s share of the month''s SQLs, adding up likewise; in a month without SQLs they stay in the source (overhead)
cost: direct_cost + overhead
sqls: units (lead and cycle) that entered sql in the month
cost_per_sql: cost / sqls; NULL without SQLs
n_foreign: expenses in another currency than setting.currency, left out of the costs; a missing currency is the funnel''s
'::text);

	CREATE OR REPLACE VIEW sql_revenue WITH (security_invoker = true) AS
	WITH dated AS (
		SELECT k.by, _month_of(k.at, s.time_zone) AS month,
			   w.amount, w.foreign_currency, false AS undated
		FROM won_deal w
		CROSS JOIN setting s
		CROSS JOIN LATERAL (VALUES ('close_month', w.closed_at),
								   ('sql_month', w.sql_at)) AS k (by, at)
		WHERE w.sql_at IS NOT NULL
		UNION ALL
		-- of an SQL, but who knows whether after it
		SELECT 'sql_month' AS by, _month_of(q.at, s.time_zone) AS month,
			   NULL::numeric AS amount, false AS foreign_currency, true AS undated
		FROM won_deal w
		CROSS JOIN setting s
		CROSS JOIN LATERAL (SELECT max(h.entered_at) AS at
							FROM deal_contact c
							JOIN stage_history h ON h.lead_id = c.lead_id
							JOIN stage st ON st.stage = h.to_stage
							WHERE c.deal_id = w.deal_id AND h.voided_at IS NULL
							AND st.milestone = 'sql') q
		WHERE w.closed_at IS NULL AND q.at IS NOT NULL
	), counted AS (
		SELECT d.by, d.month,
			   count(*) FILTER (WHERE NOT d.undated) AS deals,
			   sum(d.amount) AS revenue,
			   count(*) FILTER (WHERE d.foreign_currency) AS n_foreign,
			   count(*) FILTER (WHERE d.amount IS NULL AND NOT d.undated
								AND NOT d.foreign_currency) AS n_unpriced,
			   count(*) FILTER (WHERE d.undated) AS n_undated
		FROM dated d
		GROUP BY d.by, d.month
	), every AS (
		SELECT c.by, c.month FROM counted c
		UNION
		SELECT k.by, g.month
		FROM (SELECT min(c.month) AS month FROM counted c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN (VALUES ('close_month'), ('sql_month')) k (by)
	)
	SELECT e.by AS by,
		   e.month AS month,
		   coalesce(c.deals, 0) AS deals,
		   coalesce(c.revenue, 0) AS revenue,
		   coalesce(c.n_foreign, 0) AS n_foreign,
		   coalesce(c.n_unpriced, 0) AS n_unpriced,
		   coalesce(c.n_undated, 0) AS n_undated
	FROM every e
	LEFT JOIN counted c ON c.by = e.by AND c.month = e.month
	ORDER BY e.by, e.month;

	PERFORM @extschema@._comment_view('sql_revenue'::text, '
Revenue from SQLs by month (in the funnel''s time zone), in two kinds of rows, each of which has every deal once; every month from the first that either has to the present one. Deals are won ones closed at or after an entered(sql) of one of their contacts: customers that never were an SQL are left out, and so are deals without a close date, which may precede the SQLs of their contacts.
by: close_month: by the month of the close; sql_month: by the month of the entered(sql) that the deal is credited to (see won_deal: the latest of its contacts at or before the close)
month: first day of the month
deals: won deals
revenue: their amounts in setting.currency: home_amount, or amount where the currency is missing or the funnel''s
n_foreign: deals with an amount in another currency, which add nothing
n_unpriced: deals without an amount, which add nothing
n_undated: won deals without a close date, in the sql_month of the latest SQL of their contacts; not in deals
'::text);
END
$template$;

COMMENT ON FUNCTION _create_money_views() IS
'creates the views of a funnel on costs and revenue; called by _create_funnel_views()';
--
-- Views of a funnel: the leads as they are now
--
-- Columns of the lead may be of the user's own types in an attached table:
-- they are shown as text.
--
CREATE FUNCTION _create_work_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	CREATE OR REPLACE VIEW lead_now WITH (security_invoker = true) AS
	SELECT l.lead_id AS lead_id,
		   l.stage AS stage,
		   st.position::bigint AS position,
		   st.milestone AS milestone,
		   st.owner_role AS owner_role,
		   l.owner::text AS owner,
		   fit(l.scorecard, greatest(funnel_now(), as_of(l.scorecard))) AS fit,
		   engagement(l.scorecard, greatest(funnel_now(), as_of(l.scorecard)))
			   AS engagement,
		   CASE WHEN l.scorecard IS NOT NULL THEN
			   (SELECT coalesce(sum(x.points), 0)
				FROM explain_score(l.scorecard,
								   greatest(funnel_now(), as_of(l.scorecard))) x
				JOIN rule r ON r.rule_id = x.rule_id
				WHERE r.category = 'intent')
		   END AS intent,
		   score(l.scorecard, greatest(funnel_now(), as_of(l.scorecard)))
			   AS score,
		   coalesce(scored_version(l.scorecard)
					<> (SELECT d.version FROM definition d
						WHERE d.status = 'active'), true) AS stale,
		   last_activity(l.scorecard) AS last_activity,
		   _days(greatest(_microseconds_between(l.stage_entered_at, funnel_now()), 0)::numeric)
			   AS days_in_stage,
		   l.cycle::bigint AS cycle,
		   l.due_at AS due_at,
		   coalesce(l.due_at < funnel_now(), false) AS overdue
	FROM lead l
	LEFT JOIN stage st ON st.stage = l.stage;

	PERFORM @extschema@._comment_view('lead_now'::text, '
One row per lead, at funnel_now(). Points are those of the scorecard then, or at the card''s own instant where that is later; NULL without a card.
lead_id: lead
stage: stage that it is in
position: order of the stage (stage.position)
milestone: milestone of the stage
owner_role: who works on leads in it: marketing, sales or none
owner: who has the lead
fit: points for who it is
engagement: points for what it did
intent: points of the rules of category intent
score: fit and engagement together, with caps and floor
stale: scored under another version than the active definition''s, or not at all
last_activity: when it last did something
days_in_stage: days since stage_entered_at
cycle: which time it is in the funnel
due_at: when the next move is due; NULL: never
overdue: whether due_at has passed
'::text);

	CREATE OR REPLACE VIEW inbox WITH (security_invoker = true) AS
	SELECT l.lead_id AS lead_id,
		   l.full_name::text AS full_name,
		   l.company::text AS company,
		   l.stage AS stage,
		   l.owner::text AS owner,
		   score(l.scorecard, greatest(funnel_now(), as_of(l.scorecard)))
			   AS score,
		   coalesce(l.due_at < funnel_now(), false) AS past_due,
		   l.due_at AS due_at,
		   (SELECT string_agg(b.name || ' +' || b.points, ', '
							  ORDER BY b.points DESC, b.rule_id)
			FROM (SELECT r.rule_id, r.name, x.points
				  FROM explain_score(l.scorecard,
									 greatest(funnel_now(), as_of(l.scorecard))) x
				  JOIN rule r ON r.rule_id = x.rule_id
				  WHERE x.points > 0
				  ORDER BY x.points DESC, r.rule_id
				  LIMIT 3) b) AS reasons,
		   (SELECT q.question
			FROM open_question q
			WHERE q.lead_id = l.lead_id
			ORDER BY q.position, q.question_id
			LIMIT 1) AS next_question,
		   l.owner IS NULL AS unowned
	FROM lead l
	JOIN stage st ON st.stage = l.stage
	WHERE st.owner_role = 'sales'
		  OR (st.milestone = 'mql'
			  AND (l.accepted_at IS NULL
				   OR l.accepted_at < l.cycle_started_at))
	-- what is past due comes first by its date, and an index knows the dates
	ORDER BY due_at, score DESC NULLS LAST, lead_id;

	PERFORM @extschema@._comment_view('inbox'::text, '
What sales has to work on: one row per lead in a stage whose owner_role is sales, or in milestone mql and not accepted in this cycle; past due first, then by due_at, then the highest score. Shows personal data.
lead_id: lead
full_name: its name
company: its company
stage: stage that it is in
owner: who has the lead
score: score now, in points
past_due: whether due_at has passed
due_at: when the next move is due; NULL: never
reasons: the three rules that give most points now
next_question: the first of the lead''s open_question
unowned: whether nobody has it, so that nobody will keep the deadline
'::text);
END
$template$;

COMMENT ON FUNCTION _create_work_views() IS
'creates the views of a funnel on its leads as they are now; called by _create_funnel_views()';

CREATE FUNCTION _create_funnel_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	PERFORM @extschema@._create_journey_views();
	PERFORM @extschema@._create_conversion_views();
	PERFORM @extschema@._create_money_views();
	PERFORM @extschema@._create_qualification_views();
	PERFORM @extschema@._create_work_views();
	PERFORM @extschema@._create_hand_over_views();
	PERFORM @extschema@._create_agreement_view();
END
$template$;

COMMENT ON FUNCTION _create_funnel_views() IS
'creates the analytical views of a funnel in the first schema of the search path, or replaces those that are there';
--
-- Views of a funnel: what became of the leads that marketing handed over
--
CREATE FUNCTION _create_hand_over_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	-- what sales did with a unit (j): the log of a lead, until its next unit;
	-- plans have not taken place
	log constant text := $log$activity a
		JOIN kind k ON k.kind = a.kind AND k.party = 'sales'
		WHERE a.lead_id = j.lead_id AND j.first_touch_at IS NOT NULL AND j.gone_at IS NULL
			AND a.occurred_at >= j.mql_at
			AND (a.occurred_at > _counts_at(a.occurred_at, a.recorded_at)) IS NOT TRUE
			AND a.occurred_at < coalesce((SELECT n.started_at FROM journey n
										  WHERE n.lead_id = j.lead_id AND n.cycle > j.cycle AND n.cycle > 1
										  ORDER BY n.cycle LIMIT 1), 'infinity')$log$;
BEGIN
	--
	-- D9, D10: one by one
	--
	EXECUTE format($view$CREATE OR REPLACE VIEW hand_over WITH (security_invoker = true) AS
	SELECT j.lead_id AS lead_id,
		   j.cycle::bigint AS cycle,
		   j.mql_stage AS stage,
		   coalesce(j.mql_source, '(none)') AS source,
		   j.mql_campaign AS campaign,
		   -- who settled it, or has it now; not who had it then
		   coalesce(CASE o.outcome WHEN 'accepted' THEN j.accepted_owner
								   WHEN 'returned' THEN j.exit_owner
								   WHEN 'withdrawn' THEN j.exit_owner
								   ELSE l.owner::text END, j.mql_owner, '(none)') AS owner,
		   j.mql_at AS handed_over_at,
		   j.due_at AS due_at,
		   o.outcome AS outcome,
		   j.accepted_at AS accepted_at,
		   CASE o.outcome WHEN 'returned' THEN j.exited_at END AS returned_at,
		   CASE o.outcome WHEN 'withdrawn' THEN j.exited_at END AS withdrawn_at,
		   CASE WHEN o.outcome IN ('returned', 'withdrawn') THEN j.exit_reason END
			   AS return_reason,
		   o.outcome = 'accepted' AND j.exited_at IS NOT NULL AND NOT j.exit_automatic
			   AS returned_later,
		   j.gone_at AS gone_at,
		   CASE WHEN j.due_at IS NULL THEN NULL
				WHEN o.outcome IN ('pending', 'overdue') THEN o.outcome = 'overdue'
				ELSE coalesce(j.accepted_at, j.exited_at, j.gone_at) > j.due_at END AS breached,
		   -- where there was a first: those in the log, and those in it no more
		   CASE WHEN j.first_touch_at IS NULL THEN 0
				ELSE (SELECT count(*) FROM %1$s)
					 + (SELECT coalesce(sum(h.touches), 0)
						FROM stage_history h
						WHERE h.lead_id = j.lead_id AND h.cycle = j.cycle
							  AND h.touches IS NOT NULL AND h.voided_at IS NULL)
				END AS sales_touches,
		   j.first_touch_at AS first_touch_at,
		   j.first_conversation_at AS first_conversation_at,
		   coalesce(j.mql_owner, '(none)') AS owner_at_hand_over,
		   coalesce(l.owner::text, '(none)') AS owner_now
	FROM journey j
	LEFT JOIN lead l ON l.lead_id = j.lead_id AND j.gone_at IS NULL
	CROSS JOIN LATERAL (
		SELECT CASE WHEN j.accepted_at IS NOT NULL THEN 'accepted'
					WHEN j.exited_at IS NOT NULL
					THEN CASE WHEN j.exit_automatic THEN 'withdrawn' ELSE 'returned' END
					WHEN j.gone_at IS NOT NULL THEN 'gone'
					WHEN j.due_at < funnel_now() THEN 'overdue'
					ELSE 'pending' END AS outcome
		OFFSET '0') o
	WHERE j.mql_at IS NOT NULL$view$, log);

	PERFORM @extschema@._comment_view('hand_over'::text, '
One row per hand-over: a unit (lead and cycle) with entered(mql). No personal data.
lead_id: lead, which may be gone
cycle: which time it was in the funnel: with the lead the unit
stage: stage of milestone mql that it was handed over in
source: source then; (none) where it is missing
campaign: campaign then
owner: of one accepted, returned or withdrawn, as that move has it, else as the hand-over; of one pending or overdue, who has the lead now, else who had it then; (none) where it is missing
handed_over_at: when it entered mql
due_at: deadline that the stay as MQL began with; NULL: none
outcome: accepted: afterwards, in the cycle, it came to a stage of milestone sal because somebody asked (not automatically), or to sql, opportunity or customer in any way; returned: not accepted, and somebody moved it off the path (to nurture, disqualified or lost), where it stayed in that cycle; withdrawn: the same by an automatic transition; gone: none of these before the lead was deleted, erased or merged; overdue, pending: none of these yet, with due_at passed or not (or none)
accepted_at: when it was accepted
returned_at: when it was returned
withdrawn_at: when it was withdrawn
return_reason: reason given with a return or withdrawal
returned_later: accepted, and moved off the path by somebody afterwards
gone_at: when the lead was deleted, erased or merged
breached: accepted, returned, withdrawn or gone after due_at, or overdue; NULL without a deadline
sales_touches: activities of party sales from the hand-over to the lead''s next cycle, archived ones too
first_touch_at: the first of them
first_conversation_at: the first of them that is a conversation
owner_at_hand_over: who had the lead then; (none) where nobody did
owner_now: who has the lead now; (none) where nobody does
'::text);

	-- one by one it takes longer to look for touches than for all else
	EXECUTE format($view$CREATE OR REPLACE VIEW sla WITH (security_invoker = true) AS
	WITH touch AS (
		SELECT t.lead_id, t.cycle, sum(t.n) AS n
		FROM (SELECT j.lead_id, j.cycle, 1 AS n
			  FROM journey j, %1$s
			  UNION ALL
			  SELECT h.lead_id, h.cycle, h.touches AS n
			  FROM stage_history h
			  WHERE h.touches IS NOT NULL AND h.voided_at IS NULL) t
		GROUP BY t.lead_id, t.cycle
	), timed AS (
		SELECT _month_of(o.handed_over_at, s.time_zone) AS month, o.stage, o.owner, o.outcome,
			   o.returned_later, o.due_at, o.breached, t.n AS sales_touches, o.owner_now,
			   _microseconds_between(o.handed_over_at, o.accepted_at) AS to_acceptance,
			   _microseconds_between(o.handed_over_at, o.first_touch_at) AS to_touch,
			   _microseconds_between(o.handed_over_at, o.first_conversation_at) AS to_talk,
			   CASE WHEN st.working_time
					THEN round(_working_time_between(s.tableoid, o.handed_over_at, o.accepted_at)
							   * 3600000000)::bigint END AS open_to_acceptance,
			   CASE WHEN st.working_time
					THEN round(_working_time_between(s.tableoid, o.handed_over_at, o.first_touch_at)
							   * 3600000000)::bigint END AS open_to_touch
		FROM hand_over o
		JOIN setting s ON s.only_row = (o.handed_over_at IS NOT NULL)
		LEFT JOIN stage st ON st.stage = o.stage
		LEFT JOIN touch t ON t.lead_id = o.lead_id AND t.cycle = o.cycle
		OFFSET '0'
	), counted AS (
		SELECT t.month, t.stage, t.owner,
			   count(*) AS handed_over,
			   count(*) FILTER (WHERE t.outcome = 'accepted') AS accepted,
			   count(*) FILTER (WHERE t.outcome = 'returned') AS returned,
			   count(*) FILTER (WHERE t.outcome = 'withdrawn') AS withdrawn,
			   count(*) FILTER (WHERE t.outcome = 'gone') AS gone,
			   count(*) FILTER (WHERE t.outcome = 'pending') AS pending,
			   count(*) FILTER (WHERE t.outcome = 'overdue') AS overdue,
			   count(*) FILTER (WHERE t.returned_later) AS returned_later,
			   count(*) FILTER (WHERE t.outcome = 'accepted' AND NOT t.breached) AS in_time,
			   count(*) FILTER (WHERE t.outcome = 'accepted' AND t.breached) AS late,
			   count(t.due_at) AS with_deadline,
			   count(*) FILTER (WHERE t.breached) AS breached,
			   avg(t.to_acceptance) AS mean_to_acceptance,
			   _spread(t.to_acceptance) AS spread_to_acceptance,
			   count(t.to_touch) AS touched,
			   avg(t.to_touch) AS mean_to_touch,
			   _spread(t.to_touch) AS spread_to_touch,
			   count(t.to_talk) AS talked_to,
			   avg(t.to_talk) AS mean_to_talk,
			   _spread(t.to_talk) AS spread_to_talk,
			   coalesce(sum(t.sales_touches), 0) AS sales_touches,
			   count(*) FILTER (WHERE t.outcome IN ('pending', 'overdue')
								AND t.owner_now = '(none)') AS unowned,
			   avg(t.open_to_acceptance) AS mean_open_to_acceptance,
			   _spread(t.open_to_acceptance) AS spread_open_to_acceptance,
			   avg(t.open_to_touch) AS mean_open_to_touch,
			   _spread(t.open_to_touch) AS spread_open_to_touch
		FROM timed t
		GROUP BY t.month, t.stage, t.owner
	), series AS (
		SELECT c.stage, c.owner, row_number() OVER (ORDER BY sum(c.handed_over) DESC, c.stage, c.owner) AS rank
		FROM counted c
		GROUP BY c.stage, c.owner
	), every AS (
		SELECT c.month, c.stage, c.owner FROM counted c
		UNION
		SELECT g.month, r.stage, r.owner
		FROM (SELECT min(c.month) AS month FROM counted c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN series r
		WHERE r.rank <= _most_series()
	)
	SELECT e.month AS month,
		   st.position::bigint AS position,
		   e.stage AS stage,
		   e.owner AS owner,
		   coalesce(c.handed_over, 0) AS handed_over,
		   coalesce(c.accepted, 0) AS accepted,
		   coalesce(c.returned, 0) AS returned,
		   coalesce(c.withdrawn, 0) AS withdrawn,
		   coalesce(c.gone, 0) AS gone,
		   coalesce(c.pending, 0) AS pending,
		   coalesce(c.overdue, 0) AS overdue,
		   _ratio(c.accepted::numeric, c.handed_over::numeric) AS accepted_share,
		   _ratio(c.returned::numeric, c.handed_over::numeric) AS returned_share,
		   coalesce(c.returned_later, 0) AS returned_later,
		   coalesce(c.in_time, 0) AS in_time,
		   coalesce(c.late, 0) AS late,
		   _ratio(c.in_time::numeric, (c.in_time + c.late)::numeric) AS in_time_share,
		   coalesce(c.with_deadline, 0) AS with_deadline,
		   coalesce(c.breached, 0) AS breached,
		   _ratio(c.breached::numeric, c.with_deadline::numeric) AS breached_share,
		   _days(c.mean_to_acceptance) AS mean_days_to_acceptance,
		   _days(c.spread_to_acceptance[1]::numeric) AS median_days_to_acceptance,
		   coalesce(c.touched, 0) AS touched,
		   _days(c.mean_to_touch) AS mean_days_to_touch,
		   _days(c.spread_to_touch[1]::numeric) AS median_days_to_touch,
		   coalesce(c.talked_to, 0) AS talked_to,
		   _days(c.mean_to_talk) AS mean_days_to_conversation,
		   _days(c.spread_to_talk[1]::numeric) AS median_days_to_conversation,
		   coalesce(c.sales_touches, 0) AS sales_touches,
		   _ratio(c.sales_touches, c.handed_over::numeric) AS touches_per_lead,
		   coalesce(c.unowned, 0) AS unowned,
		   _hours(c.mean_open_to_acceptance) AS mean_working_hours_to_acceptance,
		   _hours(c.spread_open_to_acceptance[1]::numeric)
			   AS median_working_hours_to_acceptance,
		   _hours(c.mean_open_to_touch) AS mean_working_hours_to_touch,
		   _hours(c.spread_open_to_touch[1]::numeric)
			   AS median_working_hours_to_touch
	FROM every e
	LEFT JOIN counted c ON c.month = e.month AND c.stage = e.stage AND c.owner = e.owner
	LEFT JOIN stage st ON st.stage = e.stage
	ORDER BY e.month, st.position, e.stage, e.owner$view$, log);

	PERFORM @extschema@._comment_view('sla'::text, '
One row per month of the hand-over (in the funnel''s time zone), stage handed over in, and owner, over the rows of hand_over: every month from the first with a hand-over to the present one, for each stage and owner that ever had one, with zeros where there was none. Of more than 1,000 such pairs only the 1,000 with most hand-overs have rows of zeros. handed_over = entered(mql) = accepted + returned + withdrawn + gone + pending + overdue. Who was never touched is handed_over - touched and in no mean. Shares are fractions; all but counts is NULL where there is nothing to divide by.
month: first day of the month
position: order of the stage (stage.position); NULL where the stage is no more
stage: stage of milestone mql that leads were handed over in
owner: owner as hand_over has it; (none) where it is missing
handed_over: hand-overs
accepted: hand-overs that were accepted
returned: hand-overs that somebody returned
withdrawn: hand-overs that left the path by themselves
gone: hand-overs whose lead went before that
pending: hand-overs that wait, and are not due yet
overdue: hand-overs that wait, and were due before now
accepted_share: accepted / handed_over
returned_share: returned / handed_over
returned_later: of accepted, those moved off the path by somebody afterwards
in_time: of accepted, those accepted at or before due_at
late: of accepted, those accepted after due_at
in_time_share: in_time / (in_time + late)
with_deadline: hand-overs that have a due_at
breached: hand-overs accepted, returned, withdrawn or gone late, or overdue
breached_share: breached / with_deadline
mean_days_to_acceptance: mean of the days from the hand-over to the acceptance, of accepted
median_days_to_acceptance: their median
touched: hand-overs with an activity of party sales
mean_days_to_touch: mean of the days from the hand-over to the first of them, of touched
median_days_to_touch: their median
talked_to: hand-overs with a conversation
mean_days_to_conversation: mean of the days from the hand-over to the first, of talked_to
median_days_to_conversation: their median
sales_touches: activities of party sales from the hand-overs to the leads'' next cycles
touches_per_lead: sales_touches / handed_over
unowned: hand-overs pending or overdue whose lead nobody has
mean_working_hours_to_acceptance: mean of the hours from the hand-over to the acceptance in which the calendar was open, where the deadline of the stage counts working time (stage.working_time); NULL for others
median_working_hours_to_acceptance: their median
mean_working_hours_to_touch: mean of such hours from the hand-over to the first activity of party sales
median_working_hours_to_touch: their median
'::text);

	--
	-- What sales says of the leads it was given
	--
	CREATE OR REPLACE VIEW rejection WITH (security_invoker = true) AS
	WITH rejected AS (
		SELECT h.history_id, h.lead_id, h.entered_at, h.score, h.scorecard,
			   _month_of(h.entered_at, s.time_zone) AS month,
			   CASE st.milestone WHEN 'nurture' THEN 'returned'
								 ELSE 'disqualified' END AS outcome,
			   coalesce(h.from_stage, '(none)') AS from_stage,
			   coalesce(h.reason, '(none)') AS reason,
			   rs.rule AS blamed,
			   coalesce(h.source, '(none)') AS source,
			   coalesce(h.owner, '(none)') AS owner
		FROM stage_history h
		CROSS JOIN setting s
		JOIN stage st ON st.stage = h.to_stage
		LEFT JOIN stage f ON f.stage = h.from_stage
		LEFT JOIN reason rs ON rs.applies_to = h.to_stage
			AND rs.reason = h.reason
		WHERE h.voided_at IS NULL
			  AND (st.milestone = 'disqualified'
				   OR (st.milestone = 'nurture' AND _is_on_path(f.milestone)
					   AND _has_reached(f.milestone, 'mql'::text)))
	), given AS (
		SELECT j.month, j.outcome, j.from_stage, j.reason, j.source, j.owner,
			   r.name, sum(x.points) AS points,
			   row_number() OVER (
				   PARTITION BY j.month, j.outcome, j.from_stage, j.reason,
								j.source, j.owner
				   ORDER BY sum(x.points) DESC, r.name) AS place
		FROM rejected j
		CROSS JOIN LATERAL explain_score(j.scorecard,
			greatest(j.entered_at, as_of(j.scorecard))) x
		JOIN rule r ON r.rule_id = x.rule_id
		WHERE x.points > 0
		GROUP BY j.month, j.outcome, j.from_stage, j.reason, j.source,
				 j.owner, r.name
	), top AS (
		SELECT g.month, g.outcome, g.from_stage, g.reason, g.source, g.owner,
			   string_agg(g.name || ' +' || trim_scale(g.points), ', '
						  ORDER BY g.place) AS rules
		FROM given g
		WHERE g.place <= 3
		GROUP BY g.month, g.outcome, g.from_stage, g.reason, g.source, g.owner
	), counted AS (
		SELECT j.month, j.outcome, j.from_stage, j.reason, j.source, j.owner,
			   count(*) AS moves,
			   count(DISTINCT j.lead_id) AS leads,
			   _points(avg(j.score)) AS mean_score,
			   string_agg(DISTINCT j.blamed, ', ') AS blamed_rule
		FROM rejected j
		GROUP BY j.month, j.outcome, j.from_stage, j.reason, j.source, j.owner
	), every AS (
		SELECT c.* FROM counted c
		UNION ALL
		-- of the other dimensions there are too many combinations
		SELECT g.month, r.outcome, NULL AS from_stage, r.reason, NULL AS source, NULL AS owner,
			   0 AS moves, 0 AS leads, NULL AS mean_score, NULL AS blamed_rule
		FROM (SELECT min(c.month) AS month FROM counted c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN (SELECT DISTINCT c.outcome, c.reason FROM counted c) r
		WHERE NOT EXISTS (SELECT FROM counted c
						  WHERE c.month = g.month AND c.outcome = r.outcome AND c.reason = r.reason)
	)
	SELECT c.month AS month,
		   c.outcome AS outcome,
		   st.position::bigint AS position,
		   c.from_stage AS from_stage,
		   c.reason AS reason,
		   c.source AS source,
		   c.owner AS owner,
		   c.moves AS moves,
		   c.leads AS leads,
		   c.mean_score AS mean_score,
		   t.rules AS top_rules,
		   c.blamed_rule AS blamed_rule
	FROM every c
	LEFT JOIN stage st ON st.stage = c.from_stage
	LEFT JOIN top t ON t.month = c.month AND t.outcome = c.outcome
		AND t.from_stage = c.from_stage AND t.reason = c.reason
		AND t.source = c.source AND t.owner = c.owner
	ORDER BY c.month, c.moves DESC, c.outcome, c.from_stage, c.reason,
			 c.source, c.owner;

	PERFORM @extschema@._comment_view('rejection'::text, '
One row per month (in the funnel''s time zone), outcome, stage it came from, reason, source and owner, as the moves have them. In a month without such a move, from the first of all to the present one, each outcome and reason that ever occurred has one row with zero moves, whose other dimensions are NULL.
month: first day of the month
outcome: returned: a move from mql, sal, sql or opportunity to nurture; disqualified: any move to disqualified
position: order of the stage that it came from (stage.position)
from_stage: stage that it came from; (none) where it is not known
reason: reason given; (none) where it is missing
source: source of the lead then; (none) where it is missing
owner: owner of the lead then; (none) where it is missing
moves: non-voided moves
leads: distinct leads
mean_score: mean of the scores at the moves, in points, where known
top_rules: the three rules that gave these leads most points together when they were moved, from the scorecards kept with the moves; NULL where none was kept, as of loaded moves
blamed_rule: the rule that the reason blames (reason.rule), if any
'::text);
END
$template$;

COMMENT ON FUNCTION _create_hand_over_views() IS
'creates the views of a funnel on hand-overs and rejections; called by _create_funnel_views()';
--
-- View of a funnel: what marketing and sales agreed on
--
-- The document of the hand-over is not written beside the rules, it is the
-- rules, in the order in which people read them.  Notes and descriptions of
-- rules and transitions are not in it: nothing keeps them true when the rules
-- change.
--
CREATE FUNCTION _create_agreement_view() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	CREATE OR REPLACE VIEW agreement WITH (security_invoker = true) AS
	WITH d AS (
		SELECT * FROM definition WHERE status = 'active'
	), line AS (
		SELECT 1 AS rank, 'definition'::text AS section, v.n AS ordinal,
			   0 AS subordinal, v.text AS text
		FROM d
		CROSS JOIN LATERAL (VALUES
			(1, format('Definition "%s", version %s', d.definition, d.version)),
			(2, coalesce('To be reviewed by ' || d.review_by, 'No day of review is set')),
			(3, 'Fit counts for ' || trim_scale(d.max_fit) || ' points at most'),
			(4, 'Engagement counts for ' || trim_scale(d.max_engagement) || ' points at most'),
			(5, 'A score is never below ' || trim_scale(d.floor))
		) AS v (n, text)
		WHERE v.text IS NOT NULL
		UNION ALL
		SELECT 2 AS rank, 'stages'::text AS section, s.position AS ordinal,
			   0 AS subordinal,
			   format('%s (%s)%s', s.stage, concat_ws(', ', upper(s.milestone),
					  CASE WHEN s.owner_role <> 'none' THEN s.owner_role END), ': ' || s.description) AS text
		FROM stage s
		UNION ALL
		SELECT 3 AS rank, 'criteria'::text AS section, t.position AS ordinal,
			   t.transition_id AS subordinal,
			   format('%s -> %s%s%s', coalesce(t.from_stage, '(new)'), t.to_stage,
					  CASE WHEN t.automatic THEN ', by itself'
						   WHEN t.exception THEN ', as an exception'
						   ELSE ', on request' END,
					  ': ' || NULLIF(concat_ws('; ',
								'if ' || t.condition,
								CASE WHEN t.after IS NOT NULL
									 THEN format('after %s', t.after) END,
								CASE WHEN t.needs_reason THEN 'with a reason' END,
								'for reason ' || t.reason,
								CASE WHEN cardinality(t.sides) > 0
									 THEN 'signed by ' || array_to_string(t.sides, ' and ') END), '')) AS text
		FROM transition t
		JOIN d ON d.definition = t.definition
		UNION ALL
		SELECT 4 AS rank, 'points'::text AS section, CASE r.axis WHEN 'fit' THEN 1 ELSE 2 END AS ordinal,
			   r.rule_id AS subordinal,
			   format('%s %s: %s%s%s%s%s%s', r.axis, r.name,
					  CASE WHEN r.points > 0 THEN '+' ELSE '' END || trim_scale(r.points),
					  CASE WHEN r.half_life IS NOT NULL
						   THEN format(', half of it after %s', r.half_life) ELSE '' END,
					  CASE WHEN r.max_points IS NOT NULL
						   THEN format(', at most %s', trim_scale(r.max_points)) ELSE '' END,
					  CASE WHEN r.max_hits IS NOT NULL
						   THEN format(', %s times at most%s', r.max_hits, ' in ' || r.per) ELSE '' END,
					  CASE r.kind WHEN '*' THEN ' for any activity'
								  ELSE coalesce(' for ' || r.kind, '') END,
					  ' if ' || r.condition) AS text
		FROM rule r
		JOIN d ON d.definition = r.definition
		WHERE r.enabled
		UNION ALL
		SELECT 5 AS rank, 'passed on'::text AS section, a.attnum AS ordinal,
			   0 AS subordinal,
			   a.attname || coalesce(': ' || col_description(a.attrelid, a.attnum), '') AS text
		FROM pg_attribute a
		WHERE a.attrelid = 'lead'::regclass AND a.attnum > 0 AND NOT a.attisdropped
			  AND coalesce(col_description(a.attrelid, a.attnum), '')
				  !~ '(kept by triggers|then cleared)$'
		UNION ALL
		SELECT 6 AS rank, 'deadlines'::text AS section, s.position AS ordinal,
			   0 AS subordinal,
			   format('%s: %s within %s', s.stage,
					  CASE s.milestone WHEN 'mql' THEN 'sales accepts or returns it'
						  ELSE 'the next move' END, s.sla)
			   || CASE WHEN s.working_time THEN ' of working time' ELSE '' END AS text
		FROM stage s
		WHERE s.sla IS NOT NULL
		UNION ALL
		SELECT 7 AS rank, 'reasons'::text AS section, coalesce(s.position, 0) AS ordinal,
			   r.position AS subordinal,
			   format('%s: %s', r.applies_to, coalesce(r.label, r.reason)) AS text
		FROM reason r
		LEFT JOIN stage s ON s.stage = r.applies_to
		UNION ALL
		SELECT 8 AS rank, 'signatures'::text AS section, 1 AS ordinal,
			   0 AS subordinal, v.text AS text
		FROM d
		CROSS JOIN LATERAL (VALUES
			(format('asked of: %s', CASE WHEN cardinality(d.sides) > 0
										 THEN array_to_string(d.sides, ', ') ELSE 'nobody' END)),
			('agreed by marketing: ' || coalesce(d.agreed_by_marketing, 'nobody yet')),
			('agreed by sales: ' || coalesce(d.agreed_by_sales, 'nobody yet'))
		) AS v (text)
		UNION ALL
		SELECT 8 AS rank, 'signatures'::text AS section, 1 AS ordinal,
			   0 AS subordinal,
			   'not signed as it is now: ' || string_agg(a.side, ', ' ORDER BY a.position) AS text
		FROM d
		CROSS JOIN LATERAL unnest(d.sides) WITH ORDINALITY AS a (side, position)
		WHERE NOT EXISTS (SELECT
						  FROM pg_class AS c
						  JOIN pg_namespace AS n ON n.oid = c.relnamespace
						  CROSS JOIN LATERAL _signers(n.nspname::text, d.definition) AS s
						  WHERE c.oid = 'definition'::regclass AND s.side = a.side)
		HAVING count(*) > 0
		UNION ALL
		SELECT 8 AS rank, 'signatures'::text AS section, 2 AS ordinal,
			   g.signature_id AS subordinal,
			   format('%s for %s, version %s, on %s', g.signed_by, g.side, g.version,
					  (g.signed_at AT TIME ZONE (SELECT time_zone FROM setting))::date) AS text
		FROM signature g
		JOIN d ON d.definition = g.definition
	)
	SELECT line.section AS section,
		   row_number() OVER (PARTITION BY line.rank
							  ORDER BY line.ordinal, line.subordinal, line.text) AS position,
		   line.text AS text
	FROM line
	ORDER BY line.rank, position;

	PERFORM @extschema@._comment_view('agreement'::text, '
The service level agreement of the hand-over, read from the rows that are in force: the active definition with version, day of review, caps and floor, the stages and who works on them, the criteria of every move, what gives points and when, which columns of a lead are passed on (those that triggers do not keep), the deadlines, the reasons, and who signed which version. Notes and descriptions are left out, but for those of stages: they are nobody''s rules. One row per line, in reading order.
section: part of the document: definition, stages, criteria, points, passed on, deadlines, reasons, signatures
position: order of the line within the section
text: the line
'::text);
END
$template$;

COMMENT ON FUNCTION _create_agreement_view() IS
'creates the view that tells what marketing and sales agreed on; called by _create_funnel_views()';
--
-- Views of a funnel: what is known of leads and accounts, and who agrees
--
CREATE FUNCTION _create_qualification_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	name text;
	of_frameworks text := '';
BEGIN
	EXECUTE format($view$CREATE OR REPLACE VIEW open_question WITH (security_invoker = true) AS
	SELECT l.lead_id AS lead_id,
		   l.stage AS stage,
		   q.framework AS framework,
		   q.element AS element,
		   e.label AS label,
		   q.question_id AS question_id,
		   q.text AS question,
		   q.position::bigint AS position,
		   CASE WHEN a.ran_out OR a.expired THEN 'ran out'
				WHEN a.level IS NULL THEN 'never answered'
				ELSE 'unknown' END AS state,
		   a.answered_at AS answered_at
	FROM lead l
	JOIN stage st ON st.stage = l.stage
	CROSS JOIN question q
	JOIN element e ON e.framework = q.framework AND e.element = q.element
	CROSS JOIN setting s
	LEFT JOIN LATERAL (
		SELECT w.level::text AS level, w.answered_at AS answered_at,
			   coalesce((w.answered_at AT TIME ZONE s.time_zone + e.valid_for)
						AT TIME ZONE s.time_zone <= funnel_now(), false)
				   AS ran_out,
			   coalesce(w.via, '') = 'expired' AS expired,
			   -- asked in this cycle, and not known: not taken back
			   w.level = 'unknown' AND coalesce(w.via, '') NOT IN ('expired', 'lead')
				   AND w.answered_at >= l.cycle_started_at AS asked
		FROM answer w
		WHERE w.lead_id = l.lead_id AND w.framework = q.framework
			  AND w.element = q.element
		ORDER BY %1$s
		LIMIT 1) a ON true
	WHERE st.owner_role <> 'none'
		  AND (coalesce(a.ran_out, false)
			   OR NOT coalesce(a.asked, false) AND coalesce(CASE q.framework %2$s ELSE a.level END, 'unknown') = 'unknown')
	ORDER BY l.lead_id, q.position, q.question_id$view$,
		_latest_first(), _each_framework('WHEN %1$L THEN l.%1$I::jsonb ->> q.element'::text, ' '::text));

	PERFORM @extschema@._comment_view('open_question'::text, '
What may still be asked: one row per lead in a stage that marketing or sales works on and question whose element is not known of the lead, in the order of the questions. Known is what the lead holds in the column of the framework, and where there is none the latest answer; an answer older than the element''s valid_for has run out and is asked for again. Who was asked and does not know (the latest answer, inserted into answer, is unknown) is not asked again before the next cycle.
lead_id: lead
stage: stage that it is in
framework: framework of the element
element: element that an answer would settle
label: name of the element that people see
question_id: question
question: what to ask
position: order of asking (question.position)
state: never answered; unknown: it is so said, in an earlier cycle, or it was taken back in the lead; or ran out
answered_at: when the latest answer was given
'::text);

	FOREACH name IN ARRAY _frameworks() LOOP
		of_frameworks := of_frameworks || format($columns$,
		   t.%1$I::text AS %1$I,
		   coalesce(met(t.%1$I), 0)::bigint AS "%1$s_met",
		   coalesce(known(t.%1$I), 0)::bigint AS "%1$s_known",
		   coalesce(refuted(t.%1$I), 0)::bigint AS "%1$s_refuted",
		   array_to_string(gaps(t.%1$I), ', ') AS "%1$s_gaps"$columns$, name) ||
			-- each element of this one has a column
			CASE WHEN name = 'bant' THEN $columns$,
		   who.budget AS budget_by,
		   who.authority AS authority_by,
		   who.need AS need_by,
		   who.timeline AS timeline_by$columns$
				 ELSE format(', who.%1$I AS "%1$s_by"', name) END;
	END LOOP;
	EXECUTE format($view$CREATE OR REPLACE VIEW account_qualification WITH (security_invoker = true) AS
	WITH said AS (
		SELECT l.account_id, l.lead_id, f.framework, x.element,
			   x.level::answer_level AS level,
			   coalesce(l.job_title::text || ' ', '') || '(' || l.lead_id::text || ')'
				   AS who
		FROM lead l
		CROSS JOIN LATERAL (VALUES %1$s) f (framework, levels)
		CROSS JOIN LATERAL jsonb_each_text(f.levels) x (element, level)
		WHERE l.account_id IS NOT NULL AND x.level <> 'unknown'
	), by_level AS (
		SELECT d.account_id, d.framework, d.element, d.level,
			   string_agg(d.who, ', ' ORDER BY d.lead_id) AS who
		FROM said d
		GROUP BY d.account_id, d.framework, d.element, d.level
	), by_element AS (
		SELECT b.account_id, b.framework, b.element,
			   string_agg(b.level::text || ': ' || b.who, '; '
						  ORDER BY b.level DESC) AS who
		FROM by_level b
		GROUP BY b.account_id, b.framework, b.element
	), together AS (
		SELECT l.account_id, count(*) AS leads,
			   %2$s
		FROM lead l
		WHERE l.account_id IS NOT NULL
		GROUP BY l.account_id
	)
	SELECT a.account_id AS account_id,
		   a.name AS name,
		   coalesce(t.leads, 0) AS leads%3$s
	FROM account a
	LEFT JOIN together t ON t.account_id = a.account_id
	LEFT JOIN (
		SELECT b.account_id,
			   max(b.who) FILTER (WHERE b.framework = 'bant' AND b.element = 'budget') AS budget,
			   max(b.who) FILTER (WHERE b.framework = 'bant' AND b.element = 'authority') AS authority,
			   max(b.who) FILTER (WHERE b.framework = 'bant' AND b.element = 'need') AS need,
			   max(b.who) FILTER (WHERE b.framework = 'bant' AND b.element = 'timeline') AS timeline,
			   %4$s
		FROM by_element b
		GROUP BY b.account_id) who ON who.account_id = a.account_id$view$,
		_each_framework('(%1$L, l.%1$I::jsonb)'::text, ', '::text),
		_each_framework('best(l.%1$I) AS %1$I'::text, ', '::text),
		of_frameworks,
		_each_framework('string_agg(b.element || '' '' || b.who, '' | '' ORDER BY b.element) '
						'FILTER (WHERE b.framework = %1$L) AS %1$I'::text, ', '::text));

	PERFORM @extschema@._comment_view('account_qualification'::text, concat('
One row per account: what all its leads together answered.
account_id: account
name: its name
leads: leads of the account
', _each_framework('%1$s: of each element of %1$s the highest level that any of its leads knows (yes, partial, no, else unknown), as best() has it
%1$s_met: elements met (yes)
%1$s_known: elements known
%1$s_refuted: elements refuted (no)
%1$s_gaps: elements not met
'::text, ''::text),
		(SELECT string_agg(format(E'%s: which lead said what of %s, by job title and key, highest level first\n', a.attname, left(a.attname, -3)), '')
		 FROM pg_attribute AS a
		 WHERE a.attrelid = 'account_qualification'::regclass AND right(a.attname, 3) = '_by')));

	CREATE OR REPLACE VIEW verdict_pair WITH (security_invoker = true) AS
	WITH judged AS (
		SELECT DISTINCT ON (v.lead_id, c.cycle, v.side)
			   v.lead_id, c.cycle, v.side, v.verdict_id, v.qualified, v.judged_at
		FROM verdict v
		CROSS JOIN LATERAL (
			-- who is judged before it came is judged as it came
			SELECT coalesce(max(u.cycle) FILTER (WHERE u.started_at <= v.judged_at),
							min(u.cycle), 1)::bigint AS cycle
			FROM journey u
			WHERE u.lead_id = v.lead_id AND u.gone_at IS NULL) c
		ORDER BY v.lead_id, c.cycle, v.side, v.judged_at DESC, v.verdict_id DESC
	), unit AS (
		SELECT j.lead_id, j.cycle,
			   max(j.verdict_id) FILTER (WHERE j.side = 'marketing') AS marketing_id,
			   max(j.verdict_id) FILTER (WHERE j.side = 'sales') AS sales_id,
			   bool_or(j.qualified) FILTER (WHERE j.side = 'marketing') AS marketing,
			   bool_or(j.qualified) FILTER (WHERE j.side = 'sales') AS sales,
			   max(j.judged_at) AS judged_at
		FROM judged j
		GROUP BY j.lead_id, j.cycle
	)
	SELECT u.lead_id AS lead_id,
		   u.cycle AS cycle,
		   coalesce(l.source, '(none)') AS source,
		   u.marketing_id AS marketing_verdict_id,
		   u.marketing AS marketing_qualified,
		   u.sales_id AS sales_verdict_id,
		   u.sales AS sales_qualified,
		   u.marketing = u.sales AS agreed,
		   u.judged_at AS judged_at
	FROM unit u
	JOIN lead l ON l.lead_id = u.lead_id;

	PERFORM @extschema@._comment_view('verdict_pair'::text, '
One row per unit (lead and cycle) that a side has judged: the latest verdict of each side in that cycle.
lead_id: lead
cycle: which time it was in the funnel: with the lead the unit
source: source of the lead; (none) where it is missing
marketing_verdict_id: latest verdict of marketing; NULL where it has not judged
marketing_qualified: whether that holds the lead qualified
sales_verdict_id: latest verdict of sales; NULL where it has not judged
sales_qualified: whether that holds the lead qualified
agreed: both say the same; NULL where one has not judged
judged_at: the later of the two
'::text);

	CREATE OR REPLACE VIEW verdict_agreement WITH (security_invoker = true) AS
	WITH cell AS (
		SELECT CASE WHEN grouping(d.month) = 0 THEN 'month'
					WHEN grouping(d.source) = 0 THEN 'source'
					ELSE 'all' END AS scope,
			   d.month AS month,
			   d.source AS source,
			   count(*) AS judged,
			   count(*) FILTER (WHERE d.agreed IS NOT NULL) AS both_judged,
			   count(*) FILTER (WHERE d.agreed) AS agreed,
			   count(*) FILTER (WHERE d.marketing AND d.sales) AS both_yes,
			   count(*) FILTER (WHERE d.marketing AND NOT d.sales) AS marketing_only,
			   count(*) FILTER (WHERE NOT d.marketing AND d.sales) AS sales_only,
			   count(*) FILTER (WHERE NOT d.marketing AND NOT d.sales) AS both_no
		FROM (SELECT _month_of(p.judged_at, s.time_zone) AS month,
					 p.source AS source, p.agreed AS agreed,
					 p.marketing_qualified AS marketing,
					 p.sales_qualified AS sales
			  FROM verdict_pair p
			  CROSS JOIN setting s) d
		GROUP BY GROUPING SETS ((), (d.month), (d.source))
	), every AS (
		SELECT c.* FROM cell c
		UNION ALL
		SELECT 'month' AS scope, g.month, NULL AS source, 0 AS judged, 0 AS both_judged, 0 AS agreed,
			   0 AS both_yes, 0 AS marketing_only, 0 AS sales_only, 0 AS both_no
		FROM (SELECT min(c.month) AS month FROM cell c) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		WHERE NOT EXISTS (SELECT FROM cell c WHERE c.scope = 'month' AND c.month = g.month)
	), chance AS (
		SELECT c.*,
			   c.both_judged::numeric * c.both_judged AS square,
			   (c.both_yes + c.marketing_only)::numeric * (c.both_yes + c.sales_only)
			   + (c.both_no + c.sales_only)::numeric * (c.both_no + c.marketing_only)
				   AS expected
		FROM every c
	)
	SELECT h.scope AS scope,
		   h.month AS month,
		   h.source AS source,
		   h.judged AS judged,
		   h.both_judged AS both_judged,
		   h.agreed AS agreed,
		   h.both_yes AS both_qualified,
		   h.marketing_only AS marketing_only,
		   h.sales_only AS sales_only,
		   h.both_no AS both_not_qualified,
		   _ratio(h.agreed::numeric, h.both_judged::numeric) AS agreement_rate,
		   _ratio(h.agreed::numeric * h.both_judged - h.expected,
				  h.square - h.expected) AS kappa
	FROM chance h
	ORDER BY h.scope, h.month, h.source;

	PERFORM @extschema@._comment_view('verdict_agreement'::text, '
Do marketing and sales judge the same leads alike? One row for all units (scope all), one per month of the later verdict (scope month), every month from the first to the present one, and one per source (scope source). Rates are fractions.
scope: all, month or source
month: first day of the month, in the funnel''s time zone, of scope month
source: source of scope source; (none) where leads have none
judged: units (lead and cycle) that either side judged
both_judged: units that both judged
agreed: units that both judged alike
both_qualified: units that both hold qualified
marketing_only: units that only marketing holds qualified
sales_only: units that only sales holds qualified
both_not_qualified: units that neither holds qualified
agreement_rate: agreed / both_judged
kappa: Cohen''s kappa, agreement beyond chance: (observed - expected) / (1 - expected); 1 is full agreement, 0 what chance gives; NULL where chance alone gives all
'::text);

	EXECUTE format($view$CREATE OR REPLACE VIEW disputed_lead WITH (security_invoker = true) AS
	SELECT l.lead_id AS lead_id,
		   p.cycle AS cycle,
		   l.stage AS stage,
		   p.source AS source,
		   p.marketing_qualified AS marketing_qualified,
		   m.judged_by AS marketing_by,
		   m.note AS marketing_note,
		   p.sales_qualified AS sales_qualified,
		   s.judged_by AS sales_by,
		   s.note AS sales_note,
		   p.judged_at AS disputed_since,
		   fit(l.scorecard, greatest(funnel_now(), as_of(l.scorecard))) AS fit,
		   engagement(l.scorecard, greatest(funnel_now(), as_of(l.scorecard)))
			   AS engagement,
		   score(l.scorecard, greatest(funnel_now(), as_of(l.scorecard)))
			   AS score,
		   (SELECT string_agg(r.name || CASE WHEN x.points > 0 THEN ' +' ELSE ' ' END || x.points,
							  ', ' ORDER BY abs(x.points) DESC, r.rule_id)
			FROM explain_score(l.scorecard,
							   greatest(funnel_now(), as_of(l.scorecard))) x
			JOIN rule r ON r.rule_id = x.rule_id
			WHERE x.points <> 0) AS rules,
		   l.answers::text AS answers,
		   %s
	FROM verdict_pair p
	JOIN lead l ON l.lead_id = p.lead_id AND l.cycle = p.cycle
	LEFT JOIN verdict m ON m.verdict_id = p.marketing_verdict_id
	LEFT JOIN verdict s ON s.verdict_id = p.sales_verdict_id
	WHERE NOT p.agreed
	ORDER BY p.judged_at DESC, l.lead_id$view$,
		_each_framework('l.%1$I::text AS %1$I, met(l.%1$I)::bigint AS "%1$s_met", '
						'refuted(l.%1$I)::bigint AS "%1$s_refuted", '
						'array_to_string(gaps(l.%1$I), '', '') AS "%1$s_gaps"'::text, ', '::text));

	PERFORM @extschema@._comment_view('disputed_lead'::text, concat('
Leads that one side holds qualified and the other does not, in their present cycle, latest dispute first, with the criteria as they are now.
lead_id: lead
cycle: which time it is in the funnel
stage: stage that it is in
source: source of the lead; (none) where it is missing
marketing_qualified: whether marketing holds it qualified
marketing_by: who of marketing judged
marketing_note: what was noted with that
sales_qualified: whether sales holds it qualified
sales_by: who of sales judged
sales_note: what was noted with that
disputed_since: the later of the two verdicts
fit: points for who it is, now
engagement: points for what it did, now
score: score now, in points
rules: rules that give or take points now, largest first
answers: answers to frameworks that are no type, as JSON
', _each_framework('%1$s: what is known of the elements of %1$s
%1$s_met: elements met (yes)
%1$s_refuted: elements refuted (no)
%1$s_gaps: elements not met
'::text, ''::text)));
END
$template$;

COMMENT ON FUNCTION _create_qualification_views() IS
'creates the views of a funnel on what is known and agreed; called by _create_funnel_views()';
--
-- The journey: one row a unit (lead and cycle)
--
-- It is kept beside the history, move by move, and is a function of the
-- history, the departures and the log: _journey_query() says which.
--

-- The columns after lead_id and cycle, each once: its type, what it is of the
-- unit's moves (m) in the query below, and what it means.
CREATE FUNCTION _journey_columns() RETURNS TABLE (name text, type text, derived text, meaning text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT 'started_at', 'timestamptz NOT NULL', 'min(m.entered_at)', 'when the unit began'
	UNION ALL
	(SELECT format('%s_at', e.milestone), 'timestamptz', format('min(m.entered_at) FILTER (WHERE m.milestone = %L)', e.milestone),
			format('when it first entered a stage of milestone %s', e.milestone)
	 FROM unnest(@extschema@._milestones()) WITH ORDINALITY AS e (milestone, place)
	 ORDER BY e.place)
	UNION ALL
	VALUES
		('exited_at', 'timestamptz', 'max(m.entered_at) FILTER (WHERE m.is_exit)',
		 'when it left the path for nurture, disqualified or lost, not to come back in this cycle; NULL: it did not, or was a customer before'),
		('gone_at', 'timestamptz', NULL, 'when the lead was deleted, erased or merged'),
		('due_at', 'timestamptz', 'max(m.due_at) FILTER (WHERE m.is_entry AND m.milestone = ''mql'')',
		 'deadline of the hand-over: that of the move to mql'),
		('accepted_at', 'timestamptz', 'min(m.entered_at) FILTER (WHERE m.accepts)',
		 'when the hand-over was accepted: the first move after that to mql to a stage of milestone sal that was not automatic, or to sql, opportunity or customer'),
		('first_touch_at', 'timestamptz', NULL,
		 'first activity of party sales at or after the hand-over, before the next cycle'),
		('first_conversation_at', 'timestamptz', NULL,
		 'first of these that is a conversation'),
		('account_id', 'bigint', 'max(m.account_id) FILTER (WHERE m.n = 1)', 'account as the unit began'),
		('version', 'integer', 'max(m.version) FILTER (WHERE m.n = 1)', 'version of the definition in force as the unit began'),
		('mql_version', 'integer', 'max(m.version) FILTER (WHERE m.is_entry AND m.milestone = ''mql'')',
		 'version of the definition in force when it entered mql'),
		('sql_version', 'integer', 'max(m.version) FILTER (WHERE m.is_entry AND m.milestone = ''sql'')',
		 'version of the definition in force when it entered sql'),
		('exit_automatic', 'boolean', 'bool_or(m.automatic) FILTER (WHERE m.is_exit)', 'whether it left by itself'),
		('exit', 'text', 'max(m.milestone) FILTER (WHERE m.is_exit)', 'milestone that it left the path for'),
		('exit_reason', 'text', 'max(m.reason) FILTER (WHERE m.is_exit)', 'reason given for that'),
		('exit_owner', 'text', 'max(m.owner) FILTER (WHERE m.is_exit)', 'owner of the lead then'),
		('source', 'text', 'max(m.source) FILTER (WHERE m.n = 1)', 'source as the unit began'),
		('campaign', 'text', 'max(m.campaign) FILTER (WHERE m.n = 1)', 'campaign as the unit began'),
		('owner', 'text', 'max(m.owner) FILTER (WHERE m.n = 1)', 'owner as the unit began'),
		('definition', 'text', 'max(m.definition) FILTER (WHERE m.n = 1)', 'definition in force as the unit began'),
		('mql_stage', 'text', 'max(m.stage) FILTER (WHERE m.is_entry AND m.milestone = ''mql'')', 'stage that it was handed over in'),
		('accepted_owner', 'text',
		 '(pg_catalog.array_agg(m.owner ORDER BY m.n) FILTER (WHERE m.accepts))[1]', 'owner of the lead when the hand-over was accepted')
	UNION ALL
	(SELECT format('%s_%s', e.milestone, c.name), c.type,
			format('max(m.%I) FILTER (WHERE m.is_entry AND m.milestone = %L)', c.name, e.milestone),
			format('%s when it first entered %s', c.meaning, e.milestone)
	 FROM unnest(@extschema@._milestones()) WITH ORDINALITY AS e (milestone, place)
	 CROSS JOIN (VALUES
		 (1, 'account_id', 'bigint', 'account'),
		 (2, 'source', 'text', 'source'),
		 (3, 'campaign', 'text', 'campaign'),
		 (4, 'owner', 'text', 'owner'),
		 (5, 'definition', 'text', 'definition in force')) AS c (place, name, type, meaning)
	 WHERE c.place <= 2 OR e.milestone IN ('mql', 'sql')
	 ORDER BY c.place, e.place)
$body$;

COMMENT ON FUNCTION _journey_columns() IS
'the columns of table journey after its key: name, type, what they are of a unit''s moves (NULL: they are from elsewhere), and meaning';

-- Plans have not taken place.  The code reads this text, too, under a path that
-- has the funnel's schema.
CREATE FUNCTION _sales_log_query(funnel text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN format($query$
	SELECT a.lead_id, a.occurred_at::timestamptz AS at, k.conversation
	FROM %1$I.activity AS a
	JOIN %1$I.kind AS k ON k.kind = a.kind AND k.party = 'sales'
	WHERE a.occurred_at = @extschema@._counts_at(a.occurred_at::timestamptz, a.recorded_at::timestamptz) $query$, funnel);

COMMENT ON FUNCTION _sales_log_query(text) IS
'text of a query: what sales has done with leads: lead, instant, whether it was a conversation';

-- A life of a key ends with a departure: gone_at is that of the first one that
-- has seen the unit's moves.  The log is that of the present life.
CREATE FUNCTION _journey_query(funnel text, keys text[], key_type text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	wanted text := '';
	of_moves text;
	named text;
BEGIN
	IF keys IS NOT NULL THEN
		wanted := format(' AND h.lead_id IN (%s)', @extschema@._keys_query(keys, key_type));
	END IF;
	SELECT string_agg(format('%s AS %I', c.derived, c.name), ', ') FILTER (WHERE c.derived IS NOT NULL),
		   string_agg(CASE WHEN c.name LIKE 'first\_%' THEN format('least(u.kept_%1$s, t.%1$s) AS %1$I', c.name)
						   ELSE format('u.%I', c.name) END, ', ')
		INTO of_moves, named
	FROM @extschema@._journey_columns() AS c;

	RETURN format($query$
	WITH move AS (
		SELECT h.lead_id, h.cycle, h.history_id, h.entered_at, h.to_stage AS stage, st.milestone, h.automatic, h.reason,
			   h.due_at, h.source, h.campaign, h.owner, h.account_id, h.definition, h.version,
			   h.first_touch_at, h.first_conversation_at,
			   row_number() OVER unit AS n,
			   row_number() OVER visit = 1 AS is_entry,
			   -- the first of the exits that nothing but exits come after
			   st.leaves
				   AND (lag(st.leaves) OVER unit) IS NOT TRUE
				   AND count(*) FILTER (WHERE st.leaves IS NOT TRUE) OVER unit
					   = count(*) FILTER (WHERE st.leaves IS NOT TRUE) OVER (PARTITION BY h.lead_id, h.cycle)
				   AND count(*) FILTER (WHERE st.wins) OVER unit = 0 AS is_exit,
			   ((st.sal AND NOT h.automatic) OR st.far) AND count(*) FILTER (WHERE st.mql) OVER unit > 0 AS accepts
		FROM %1$I.stage_history AS h
		LEFT JOIN (SELECT stage, milestone, milestone = 'mql' AS mql, milestone = 'sal' AS sal, milestone = 'customer' AS wins,
						  @extschema@._is_exit(milestone::text) AS leaves, @extschema@._has_reached(milestone::text, 'sql'::text) AS far
				   FROM %1$I.stage) AS st ON st.stage = h.to_stage
		WHERE h.voided_at IS NULL%2$s
		WINDOW unit AS (PARTITION BY h.lead_id, h.cycle ORDER BY h.entered_at, h.ordinal, h.history_id),
			   visit AS (PARTITION BY h.lead_id, h.cycle, st.milestone ORDER BY h.entered_at, h.ordinal, h.history_id)
	), unit AS (
		SELECT m.lead_id, m.cycle, %3$s, max(m.history_id) AS last_move,
			   min(m.first_touch_at) AS kept_first_touch_at, min(m.first_conversation_at) AS kept_first_conversation_at,
			   lead(min(m.entered_at)) OVER (PARTITION BY m.lead_id ORDER BY m.cycle) AS ended_at
		FROM move AS m
		GROUP BY m.lead_id, m.cycle
	), lived AS (
		SELECT u.*, d.at[1 + pg_catalog.width_bucket(u.last_move - 1, d.last_move)] AS gone_at
		FROM unit AS u
		LEFT JOIN (%5$s) AS d ON d.lead_id = u.lead_id
	), touch AS (
		SELECT u.lead_id, u.cycle, min(l.at) AS first_touch_at,
			   min(l.at) FILTER (WHERE l.conversation) AS first_conversation_at
		FROM lived AS u
		JOIN (%6$s) AS l ON l.lead_id = u.lead_id AND l.at >= u.mql_at AND l.at < coalesce(u.ended_at, 'infinity')
		WHERE u.gone_at IS NULL
		GROUP BY u.lead_id, u.cycle
	)
	SELECT u.lead_id, u.cycle, %4$s
	FROM lived AS u
	LEFT JOIN touch AS t ON t.lead_id = u.lead_id AND t.cycle = u.cycle $query$,
		funnel, wanted, of_moves, named, @extschema@._departures_query(funnel, keys, key_type), @extschema@._sales_log_query(funnel));
END
$body$;

COMMENT ON FUNCTION _journey_query(text, text[], text) IS
'text of a query: table journey of a funnel, or its rows of the leads with these keys, as history, departures and log say';

-- What is as it should be is not written.
CREATE FUNCTION _rebuild_journey(funnel text, keys text[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	changed bigint;
BEGIN
	EXECUTE (SELECT format($query$
		WITH wanted AS MATERIALIZED (%2$s), changed AS MATERIALIZED (
			SELECT w.*
			FROM wanted AS w
			LEFT JOIN %1$I.journey AS j ON j.lead_id = w.lead_id AND j.cycle = w.cycle
			WHERE j.lead_id IS NULL OR (%3$s) IS DISTINCT FROM (%4$s)
		), stale AS (
			DELETE FROM %1$I.journey AS j
			WHERE %6$s NOT EXISTS (SELECT FROM wanted AS w WHERE w.lead_id = j.lead_id AND w.cycle = j.cycle)
			RETURNING j.lead_id
		), written AS (
			INSERT INTO %1$I.journey (lead_id, cycle, %5$s)
			SELECT w.lead_id, w.cycle, %4$s FROM changed AS w
			ON CONFLICT (lead_id, cycle) DO UPDATE SET (%5$s) = (SELECT %7$s)
			RETURNING lead_id
		)
		SELECT (SELECT count(*) FROM stale) + (SELECT count(*) FROM written) $query$,
		funnel, @extschema@._journey_query(funnel, keys, k.key_type::text),
		string_agg(format('j.%I', c.name), ', '), string_agg(format('w.%I', c.name), ', '),
		string_agg(quote_ident(c.name), ', '),
		CASE WHEN keys IS NOT NULL
			 THEN format('j.lead_id IN (%s) AND', @extschema@._keys_query(keys, k.key_type::text)) ELSE '' END,
		string_agg(format('excluded.%I', c.name), ', '))
		FROM @extschema@._journey_columns() AS c)
		INTO changed;
	RETURN changed;
END
$body$;

COMMENT ON FUNCTION _rebuild_journey(text, text[]) IS
'makes table journey of a funnel anew, or its rows of the leads with these keys; returns how many rows changed';
--
-- What the functions that act on a funnel ask first
--
-- They run as their caller: row security and privileges are those of the role.
-- Keys of leads may be of any type; arguments and results have them as text.
--

-- Read from the catalogs, so that a caller without a right on the settings can
-- record an activity.
CREATE FUNCTION _funnel_key(funnel text, OUT leads regclass, OUT key name, OUT key_type text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	SELECT l.oid, a.attname, format_type(a.atttypid, a.atttypmod)
		INTO leads, key, key_type
	FROM pg_namespace AS n
	JOIN pg_class AS l ON l.relnamespace = n.oid AND l.relname = 'lead'
	JOIN pg_attribute AS a ON a.attrelid = l.oid AND a.attname = 'lead_id'
	WHERE n.nspname = funnel;

	IF NOT FOUND THEN
		PERFORM @extschema@._funnel_schema(funnel);
		RAISE EXCEPTION 'leads of funnel "%" not found', funnel
			USING ERRCODE = 'undefined_table',
				  HINT = 'A funnel has a table or a view "lead" with a column "lead_id".';
	END IF;
END
$body$;

COMMENT ON FUNCTION _funnel_key(text) IS
'the leads of a funnel (its own table, or the view of the one it is attached to), their key and the key''s type';

-- Who is an owner is told in C, for functions in either language.
CREATE FUNCTION _require_funnel_owner(schema oid, function text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;

COMMENT ON FUNCTION _require_funnel_owner(oid, text) IS
'raises unless the caller has the privileges of the role that owns the funnel';

-- A SELECT runs what owners wrote, too; but whoever looks at a funnel can be
-- told by its owner what to expect, and these functions write.
CREATE FUNCTION _refuse_superuser(funnel text, function text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _refuse_superuser(text, text) IS
'raises where a superuser would run what another role, which owns the funnel, has put there';

-- As lq_clip() does.
CREATE FUNCTION _clip(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT CASE WHEN pg_catalog.length(value) > 200 THEN pg_catalog."left"(value, 200) || '...' ELSE value END
$body$;

COMMENT ON FUNCTION _clip(text) IS
'a value of the user''s in a message: its beginning';

CREATE FUNCTION _owns_table(relation oid) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _owns_table(oid) IS
'has the caller the privileges of the role that owns the table?';

CREATE FUNCTION _check_settings(relation oid) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _check_settings(oid) IS
'raises if lead_qual.clock or lead_qual.import is set by who is no member of the role that owns the table';

-- A lock keeps others away from a lead; a snapshot of before the lock would
-- not show what they did until then.
CREATE FUNCTION _require_read_committed(function text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		RAISE EXCEPTION '%() cannot run in a transaction of isolation level %', function,
			upper(current_setting('transaction_isolation'))
			USING ERRCODE = 'invalid_transaction_state',
				  DETAIL = 'It must see what others commit until it has its locks.',
				  HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED.';
	END IF;
END
$body$;

COMMENT ON FUNCTION _require_read_committed(text) IS
'raises where a transaction has one snapshot for all of its statements';
--
-- Which lead is meant
--
-- Every function of a lead comes twice.  The one with a text takes quoted
-- literals, parameters without a type and all that is text: a key, an external
-- id or an e-mail address.  The other takes a value of any other type, which
-- is a key, and gives the first "key:" and the value.  Among ourselves leads
-- are named by text alone: of functions with a parameter of any type, an
-- overload that names the type would be preferred.
--
CREATE FUNCTION _find_lead(funnel text, lead text) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;

COMMENT ON FUNCTION _find_lead(text, text) IS
'the key of the one lead that a text names, as key, external id, e-mail address or alias, or as what is said before a colon (key:7, external_id:x7, email:ann@example.com); raises where it is none or more than one';

CREATE FUNCTION _seek_lead(funnel text, way text, sought text, OUT what text, OUT key text) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _seek_lead(text, text, text) IS
'the leads that a text fits, and what of them: as key, external_id or email, or as any of these where way is empty';

CREATE FUNCTION _name_key(funnel text, value text, type oid) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;

COMMENT ON FUNCTION _name_key(text, text, oid) IS
'the text that names a lead by a key, which is given as a value of any type in words: key:7; NULL for a null; raises where the key''s type cannot hold it';
--
-- A lead that may be there already
--
CREATE FUNCTION _lock_name(funnel text, name text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _lock_name(text, text) IS
'part of find_or_create_lead(): waits for who may be about to create a lead with the same external id or address';

-- What a lead has stays; only what the caller may read and write is filled.
CREATE FUNCTION _fill_lead(funnel text, lead text, fields jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	given text;
	filled text;
	lacks text;
BEGIN
	SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '),
		   string_agg(format(CASE a.attname WHEN 'properties' THEN '%1$I = coalesce(n.%1$I || l.%1$I, l.%1$I, n.%1$I)'
							 ELSE '%1$I = coalesce(l.%1$I, n.%1$I)' END, a.attname), ', '),
		   string_agg(format(CASE a.attname WHEN 'properties' THEN '(n.%1$I || l.%1$I <> l.%1$I) IS NOT FALSE'
							 ELSE 'l.%1$I IS NULL' END, a.attname), ' OR ')
		INTO given, filled, lacks
	FROM pg_attribute AS a
	WHERE a.attrelid = k.leads AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> k.key
	AND fields ? a.attname::text AND a.attgenerated = ''
	AND has_column_privilege(k.leads, a.attnum, 'SELECT') AND has_column_privilege(k.leads, a.attnum, 'UPDATE');
	IF given IS NOT NULL THEN
		EXECUTE format('UPDATE %s AS l SET %s FROM jsonb_to_record($2) AS n (%s) WHERE l.%I = $1::%s AND (%s)',
					   k.leads, filled, given, k.key, k.key_type, lacks)
			USING lead, fields;
	END IF;
END
$body$;

COMMENT ON FUNCTION _fill_lead(text, text, jsonb) IS
'part of find_or_create_lead(): gives a lead, named by its key, what it has none of';

CREATE FUNCTION _create_lead(funnel text, fields jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	names text;
	given text;
	lead text;
BEGIN
	SELECT string_agg(quote_ident(a.attname), ', '),
		   string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ')
		INTO names, given
	FROM pg_attribute AS a
	WHERE a.attrelid = k.leads AND a.attnum > 0 AND NOT a.attisdropped AND fields ? a.attname::text;
	-- no conflict target: what is unique in a table of the user's is not known
	EXECUTE format('INSERT INTO %s (%s) SELECT %2$s FROM jsonb_to_record($1) AS n (%s) ON CONFLICT DO NOTHING RETURNING %I::text',
				   k.leads, names, given, k.key)
		INTO lead USING fields;
	RETURN lead;
END
$body$;

COMMENT ON FUNCTION _create_lead(text, jsonb) IS
'part of find_or_create_lead(): the key of a new lead, or NULL where there is one like it';

CREATE FUNCTION find_or_create_lead(funnel text, email text DEFAULT NULL, external_id text DEFAULT NULL,
									fields jsonb DEFAULT '{}', OUT lead text, OUT created boolean)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_variable
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	kept constant text[] := @extschema@._kept_columns();
	given jsonb;
	wrong text;
	found_leads text[];
	fits text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'find_or_create_lead'::text);
	IF jsonb_typeof(coalesce(fields, '{}')) <> 'object' THEN
		RAISE EXCEPTION 'fields of a lead must be an object of columns, such as {"full_name": "Ann Lee"}'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- an empty address is nobody's
	email := nullif(coalesce(email, fields ->> 'email'), '');
	external_id := nullif(coalesce(external_id, fields ->> 'external_id'), '');
	IF email IS NULL AND external_id IS NULL THEN
		RAISE EXCEPTION 'e-mail address or external id of a lead must be given'
			USING ERRCODE = 'null_value_not_allowed',
				  HINT = 'A lead without either is inserted into the table.';
	END IF;
	SELECT jsonb_object_agg(f.key, f.value) INTO given
	FROM jsonb_each(coalesce(fields, '{}') || jsonb_build_object('email', email, 'external_id', external_id)) AS f
	WHERE f.value <> 'null';
	SELECT f INTO wrong
	FROM jsonb_object_keys(given) AS f
	WHERE f = ANY (kept)
	OR NOT EXISTS (SELECT FROM pg_attribute AS a
				   WHERE a.attrelid = k.leads AND a.attname = f AND a.attnum > 0 AND NOT a.attisdropped)
	ORDER BY f
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'column "%" of a lead cannot be given here', wrong
			USING ERRCODE = CASE WHEN wrong = ANY (kept) THEN 'invalid_parameter_value' ELSE 'undefined_column' END,
				  DETAIL = CASE WHEN wrong = ANY (kept) THEN 'It belongs to a move, or is kept by triggers.'
						   ELSE format('%s has no such column.', k.leads) END,
				  HINT = CASE WHEN wrong = ANY (kept) THEN format('Update %s when the lead is there.', k.leads)
						 ELSE format('Its columns are: %s.', (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute AS a
															 WHERE a.attrelid = k.leads AND a.attnum > 0 AND NOT a.attisdropped
															 AND a.attname::text <> ALL (kept))) END;
	END IF;

	-- in a table of the user's, two leads may have the same address: there is
	-- no index where two who create it at once would meet
	IF (SELECT c.relkind FROM pg_class AS c WHERE c.oid = k.leads) = 'v' THEN
		PERFORM @extschema@._require_read_committed('find_or_create_lead'::text);
		-- in one order, so that nobody waits crosswise
		PERFORM @extschema@._lock_name(funnel, n.name)
		FROM (SELECT name FROM unnest(ARRAY[lower(email), lower(external_id)]) AS name ORDER BY name) AS n;
	END IF;

	FOR attempt IN 1..5 LOOP
		SELECT array_agg(DISTINCT s.key), string_agg(format('%s of lead %s', s.what, s.key), ', ')
			INTO found_leads, fits
		FROM (SELECT * FROM @extschema@._seek_lead(funnel, 'email'::text, email)
			  UNION ALL
			  SELECT * FROM @extschema@._seek_lead(funnel, 'external_id'::text, external_id)) AS s;
		IF cardinality(found_leads) > 1 THEN
			RAISE EXCEPTION 'more than one lead of funnel "%" is meant', funnel
				USING ERRCODE = 'cardinality_violation',
					  DETAIL = format('What is given is: %s.', fits),
					  HINT = 'Where they are one person, merge_leads() makes one lead of them.';
		END IF;
		BEGIN
			IF found_leads IS NULL THEN
				lead := @extschema@._create_lead(funnel, given);
				created := true;
			ELSE
				PERFORM @extschema@._fill_lead(funnel, found_leads[1], given);
				lead := found_leads[1];
				created := false;
			END IF;
		EXCEPTION WHEN unique_violation THEN
			-- somebody was faster: the lead, or an alias, is there now
			IF attempt = 5 THEN
				RAISE;
			END IF;
		END;
		IF lead IS NOT NULL THEN
			RETURN;
		END IF;
	END LOOP;

	RAISE EXCEPTION 'lead can be neither found nor created in funnel "%"', funnel
		USING ERRCODE = 'unique_violation',
			  DETAIL = 'Another row has the same key, or the same value of a column that is unique, and is not to be found by external id or address.',
			  HINT = 'Row security may hide it.';
END
$body$;

COMMENT ON FUNCTION find_or_create_lead(text, text, text, jsonb) IS
'the key of the lead with an e-mail address or an external id, aliases included, and whether it was created; fields are further columns ({"full_name": "Ann Lee"}), which a lead that is there gets only where it has none, as far as the caller may read and update them. Of two sessions at once one creates it, and the other finds it';
--
-- What a lead that is merged was known by
--
CREATE FUNCTION _names_of_lead(funnel text, lead text) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	own text;
	names jsonb;
BEGIN
	SELECT string_agg(format('UNION ALL SELECT jsonb_build_object(%L, l.%I::text) FROM %s AS l WHERE l.%I = $1::%s ',
							 a.attname, a.attname, k.leads, k.key, k.key_type), '') INTO own
	FROM pg_attribute AS a
	WHERE a.attrelid = k.leads AND a.attname IN ('external_id', 'email') AND NOT a.attisdropped;
	EXECUTE format('SELECT jsonb_agg(n.name) FROM (SELECT to_jsonb(a) FROM %I.lead_alias AS a WHERE a.lead_id = $1::%s '
				   'UNION ALL SELECT jsonb_build_object(''former_key'', $1) %s) AS n (name)',
				   funnel, k.key_type, own)
		INTO names USING lead;
	RETURN names;
END
$body$;

COMMENT ON FUNCTION _names_of_lead(text, text) IS
'part of merge_leads(): what a lead, given by key, is known by: a row of lead_alias each';

-- What another lead has for its own by now, stays that one's.
CREATE FUNCTION _add_aliases(funnel text, lead text, names jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	own text;
BEGIN
	SELECT string_agg(format('AND NOT EXISTS (SELECT FROM %s AS l WHERE %s) ', k.leads,
							 CASE a.attname WHEN 'email' THEN 'lower(l.email::text) = lower(n.email)'
							 ELSE 'l.external_id::text = n.external_id' END), '') INTO own
	FROM pg_attribute AS a
	WHERE a.attrelid = k.leads AND a.attname IN ('external_id', 'email') AND NOT a.attisdropped;
	EXECUTE format($query$
		INSERT INTO %I.lead_alias (lead_id, external_id, email, former_key, since)
		SELECT $1::%s, n.external_id, n.email, n.former_key, coalesce(n.since, @extschema@.funnel_now())
		FROM jsonb_to_recordset($2) AS n (external_id text, email text, former_key text, since timestamptz)
		WHERE concat(n.external_id, n.email, n.former_key) <> '' %s
		ON CONFLICT DO NOTHING $query$, funnel, k.key_type, own)
		USING lead, names;
END
$body$;

COMMENT ON FUNCTION _add_aliases(text, text, jsonb) IS
'part of merge_leads(): a lead, given by key, is known by these names, too, but for those that are a lead''s own';
--
-- Moving leads
--
-- One function takes arrays of any type: beside one for texts a quoted literal
-- would not know where to go.
--
CREATE FUNCTION move_leads(funnel text, leads anycompatiblearray, stage text,
						   reason text DEFAULT NULL, note text DEFAULT NULL)
RETURNS TABLE (lead text, moved boolean, sqlstate text, message text, detail text, hint text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_variable
DECLARE
	k record := @extschema@._funnel_key(funnel);
	type constant oid := (SELECT t.typelem FROM pg_type AS t WHERE t.oid = pg_typeof(leads));
	of_texts constant boolean := (SELECT t.typcategory = 'S' FROM pg_type AS t WHERE t.oid = type);
	given text;
	keys text[] := '{}';
	in_stage text;
	done bigint;
	code text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'move_leads'::text);
	IF stage IS NULL THEN
		RAISE EXCEPTION 'stage to move leads to must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;

	-- who is not found is told of first
	FOREACH given IN ARRAY coalesce(leads::text[], '{}') LOOP
		CONTINUE WHEN given IS NULL;
		BEGIN
			keys := keys || @extschema@._find_lead(funnel, CASE WHEN of_texts THEN given
															ELSE @extschema@._name_key(funnel, given, type) END);
		EXCEPTION WHEN no_data_found OR cardinality_violation OR data_exception THEN
			GET STACKED DIAGNOSTICS
				code = RETURNED_SQLSTATE,
				message = MESSAGE_TEXT,
				detail = PG_EXCEPTION_DETAIL,
				hint = PG_EXCEPTION_HINT;
			lead := given;
			moved := false;
			move_leads.sqlstate := code;
			RETURN NEXT;
		END;
	END LOOP;

	-- in key order, as triggers take them: so nobody waits crosswise
	FOR lead IN
		EXECUTE format('SELECT key::text FROM (SELECT DISTINCT unnest($1)::%s) AS k (key) ORDER BY k.key',
					   k.key_type)
		USING keys
	LOOP
		moved := false;
		move_leads.sqlstate := NULL;
		message := NULL;
		detail := NULL;
		hint := NULL;
		BEGIN
			EXECUTE format('UPDATE %1$s SET stage = $2, reason = coalesce($3, reason), '
						   'note = coalesce($4, note) WHERE %2$I = $1::%3$s AND stage <> $2',
						   k.leads, k.key, k.key_type)
				USING lead, stage, reason, note;
			GET DIAGNOSTICS done = ROW_COUNT;
			moved := done > 0;
			IF NOT moved THEN
				EXECUTE format('SELECT stage FROM %s WHERE %I = $1::%s',
							   k.leads, k.key, k.key_type)
					INTO in_stage USING lead;
				IF in_stage = stage THEN
					message := format('lead is in stage "%s" already', stage);
				ELSE
					move_leads.sqlstate := 'P0002';
					message := format('funnel "%s" has no lead with key "%s"', funnel, lead);
				END IF;
			END IF;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS
				code = RETURNED_SQLSTATE,
				message = MESSAGE_TEXT,
				detail = PG_EXCEPTION_DETAIL,
				hint = PG_EXCEPTION_HINT;
			-- not about this lead: a deadlock or a failed serialization calls
			-- for another try of all, a server that stops for none
			IF left(code, 2) IN ('40', '53', '57', '58', 'XX') THEN
				RAISE;
			END IF;
			moved := false;
			move_leads.sqlstate := code;
			detail := nullif(detail, '');
			hint := nullif(hint, '');
		END;
		RETURN NEXT;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION move_leads(text, anycompatiblearray, text, text, text) IS
'asks for a stage for each of the leads (an array of texts, or of keys): a row for each tells whether it moved, or why not';
--
-- Recording what a lead did
--
CREATE FUNCTION record_activity(funnel text, lead text, kind text,
								occurred_at timestamptz DEFAULT NULL,
								source text DEFAULT NULL,
								campaign text DEFAULT NULL,
								properties jsonb DEFAULT '{}',
								actor text DEFAULT NULL,
								external_id text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	found_lead text;
	recorded bigint;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'record_activity'::text);
	found_lead := @extschema@._find_lead(funnel, lead);
	-- No conflict target: that would need SELECT on its columns, and a log
	-- partitioned by time cannot have that key.
	EXECUTE format($query$
		INSERT INTO %I.activity (lead_id, occurred_at, kind, source, campaign,
								 actor, properties, external_id)
		VALUES ($1::%s, $2, $3, $4, $5, $6, $7, $8) %s $query$, funnel, k.key_type,
				   CASE WHEN external_id IS NOT NULL THEN 'ON CONFLICT DO NOTHING' END)
		USING found_lead, coalesce(occurred_at, @extschema@.funnel_now()), kind, source,
			  campaign, actor, coalesce(properties, '{}'), external_id;
	GET DIAGNOSTICS recorded = ROW_COUNT;
	RETURN recorded > 0;
END
$body$;

COMMENT ON FUNCTION record_activity(text, text, text, timestamptz, text, text, jsonb, text, text) IS
'records what a lead did; false if the activity of that external_id was there already';
--
-- Scores and time
--
CREATE FUNCTION rescore_funnel(funnel text, move boolean DEFAULT false) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION rescore_funnel(text, boolean) IS
'scores all leads anew from their logs by the active definition; they stay in their stages unless move is true; returns how many';

CREATE FUNCTION sweep_funnel(funnel text, max integer DEFAULT 1000,
							 OUT reviewed bigint, OUT rescored bigint, OUT failed bigint)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION sweep_funnel(text, integer) IS
'looks again at leads that time may have moved, and rescores those scored under an older version of the definition; to be called every few minutes';
--
-- What one lead's score is made of, and where it may go
--
CREATE FUNCTION explain_score(
	funnel text,
	lead text,
	at timestamptz DEFAULT NULL,
	OUT rule text,
	OUT axis text,
	OUT hits bigint,
	OUT last_hit timestamptz,
	OUT points numeric,
	OUT description text
) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'explain_lead_score' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION explain_score(text, text, timestamptz) IS
'what a lead''s score is made of at an instant (funnel_now()): a row a rule; the points add up to the score';

CREATE FUNCTION explain_score(
	funnel text,
	lead anyelement,
	at timestamptz DEFAULT NULL,
	OUT rule text,
	OUT axis text,
	OUT hits bigint,
	OUT last_hit timestamptz,
	OUT points numeric,
	OUT description text
) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'explain_lead_score' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION explain_score(text, anyelement, timestamptz) IS
'what a lead''s score is made of at an instant (funnel_now()): a row a rule; the points add up to the score';

CREATE FUNCTION score_at(
	funnel text,
	lead text,
	at timestamptz
) RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION score_at(text, text, timestamptz) IS
'a lead''s score at any instant, the past included, by the active definition and today''s fit';

CREATE FUNCTION score_at(
	funnel text,
	lead anyelement,
	at timestamptz
) RETURNS numeric
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION score_at(text, anyelement, timestamptz) IS
'a lead''s score at any instant, the past included, by the active definition and today''s fit';

CREATE FUNCTION why_not(
	funnel text,
	lead text,
	stage text,
	OUT step integer,
	OUT transition_id bigint,
	OUT from_stage text,
	OUT to_stage text,
	OUT part text,
	OUT state text,
	OUT needs text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION why_not(text, text, text) IS
'what keeps a lead from a stage: each part of the guards on the way, met, unmet or unknown; no row means it may go there';

CREATE FUNCTION why_not(
	funnel text,
	lead anyelement,
	stage text,
	OUT step integer,
	OUT transition_id bigint,
	OUT from_stage text,
	OUT to_stage text,
	OUT part text,
	OUT state text,
	OUT needs text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION why_not(text, anyelement, text) IS
'what keeps a lead from a stage: each part of the guards on the way, met, unmet or unknown; no row means it may go there';

CREATE FUNCTION next_stages(
	funnel text,
	lead text,
	OUT stage text,
	OUT transition_id bigint,
	OUT automatic boolean,
	OUT exception boolean,
	OUT allowed boolean,
	OUT needs text,
	OUT description text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION next_stages(text, text) IS
'the transitions that lead on from where a lead is, and whether each may be taken now';

CREATE FUNCTION next_stages(
	funnel text,
	lead anyelement,
	OUT stage text,
	OUT transition_id bigint,
	OUT automatic boolean,
	OUT exception boolean,
	OUT allowed boolean,
	OUT needs text,
	OUT description text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION next_stages(text, anyelement) IS
'the transitions that lead on from where a lead is, and whether each may be taken now';
--
-- History as it was
--
CREATE FUNCTION _keys_query(keys text[], key_type text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN format('SELECT k::%s FROM unnest(%L::text[]) AS k', key_type, keys);

COMMENT ON FUNCTION _keys_query(text[], text) IS
'text of a query: these keys of leads, of that type';

CREATE FUNCTION _departures_query(funnel text, keys text[], key_type text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN format('SELECT lead_id, pg_catalog.array_agg(last_move ORDER BY last_move, departure_id) AS last_move, '
			  'pg_catalog.array_agg(at ORDER BY last_move, departure_id) AS at FROM %I.departure%s GROUP BY lead_id', funnel,
			  CASE WHEN keys IS NOT NULL THEN format(' WHERE lead_id IN (%s)', @extschema@._keys_query(keys, key_type)) ELSE '' END);

COMMENT ON FUNCTION _departures_query(text, text[], text) IS
'text of a query: of each lead that has ever gone, or of these, the ends of its lives in order: the last move that each has seen, and when';

-- What a row of history says of the rows before it, in the order of moves:
-- by instant; of moves at one instant, those that triggers recorded (they have
-- a definition) as they were made, and those that were loaded where the path
-- has them: stage.position, exits last.  One that left a stage which was
-- loaded for that instant follows it.  What names the stage that the lead was
-- in already is no move: it repeats, and is void as long as it does; such a
-- row, from a stage to the same, is told from one that was voided by hand.
--
-- ordinal is what a reader needs to find the order again by entered_at,
-- ordinal, history_id: of loaded moves that share an instant, and of those that
-- they come after, how often history_id has stepped back in the lead's log;
-- NULL for all others, which come last at their instant.
--
-- A key has lives, which departures end: a move is of the life whose end has
-- seen it, or else of the present one.  The first move of a life begins a
-- cycle, and cycles are counted through all of them.
--
-- One sort of the history is all that most of it costs: only live moves at an
-- instant for which others were loaded have to be ranked first.
CREATE FUNCTION _history_query(funnel text, keys text[], key_type text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because it is in the text of a query
BEGIN ATOMIC
	WITH text_of AS (
		SELECT format('(SELECT stage, milestone, row_number() OVER (ORDER BY @extschema@._is_exit(milestone::text), position, stage) AS place '
					  'FROM %I.stage)', funnel) AS stages,
			   -- what repeats is void, but may be a move again
			   format('(SELECT h.*, coalesce(pg_catalog.width_bucket(h.history_id - 1, d.last_move), 0) AS life, '
					  'h.history_id <= d.last_move[pg_catalog.cardinality(d.last_move)] AS is_former '
					  'FROM %I.stage_history AS h LEFT JOIN (%s) AS d ON d.lead_id = h.lead_id '
					  'WHERE (h.voided_at IS NULL OR h.from_stage = h.to_stage)%s)', funnel,
					  @extschema@._departures_query(funnel, keys, key_type),
					  CASE WHEN keys IS NOT NULL THEN format(' AND h.lead_id IN (%s)', @extschema@._keys_query(keys, key_type)) ELSE '' END) AS moves
	)
	SELECT format($query$
	SELECT *, (kept_from, kept_cycle, kept_ordinal, void) IS DISTINCT FROM (from_stage, cycle, ordinal, repeats) AS differs
	FROM (
		SELECT *, coalesce(from_stage = to_stage, false) AS repeats,
			   (count(*) FILTER (WHERE left_id IS NULL OR begins) OVER log)::integer AS cycle,
			   -- cycles of this life that have begun
			   count(*) FILTER (WHERE begins) OVER life AS begun,
			   CASE WHEN placed AND (left_at = entered_at OR next_at = entered_at)
					THEN count(*) FILTER (WHERE left_at = entered_at AND left_id > history_id) OVER log
					END::integer AS ordinal
		FROM (
			SELECT *,
				   @extschema@._begins_cycle(left_milestone::text, milestone::text)
					   -- loaded before anything else it was dated wrongly
					   AND NOT (loaded AND left_milestone = 'customer' AND left_id = first_id) AS begins
			FROM (
			SELECT *, lag(to_stage) OVER life AS from_stage, lag(milestone) OVER life AS left_milestone,
				   lag(place) OVER life AS left_place, lag(entered_at) OVER life AS left_at,
				   lag(history_id) OVER life AS left_id, first_value(milestone) OVER life AS first_milestone,
				   first_value(history_id) OVER life AS first_id,
				   lead(CASE WHEN placed THEN entered_at END) OVER life AS next_at,
				   is_former IS NOT TRUE AND lead(history_id) OVER life IS NULL AS is_last
			FROM (
				SELECT h.history_id, h.lead_id, h.life, h.is_former, h.to_stage, h.entered_at, s.milestone, s.place, h.definition IS NULL AS loaded,
					   h.from_stage AS kept_from, h.cycle AS kept_cycle, h.ordinal AS kept_ordinal, h.voided_at IS NOT NULL AS void,
					   h.source IS NULL OR h.campaign IS NULL OR h.due_at IS NULL AS incomplete,
					   CASE WHEN h.definition IS NULL THEN 2 * s.place ELSE 2 * live.rank + 1 END AS rank,
					   h.definition IS NULL OR live.rank < live.last_loaded AS placed
				FROM %2$s AS h
				LEFT JOIN %1$s AS s ON s.stage = h.to_stage
				LEFT JOIN (
					SELECT l.history_id, l.last_loaded,
						   max(greatest(s.place, f.place)) OVER (PARTITION BY l.lead_id, l.life, l.entered_at ORDER BY l.history_id) AS rank
					FROM (SELECT h.history_id, h.lead_id, h.life, h.entered_at, h.from_stage, h.to_stage,
								 bool_or(loaded.to_stage = h.from_stage) AS left_loaded, max(p.place) AS last_loaded
						  FROM %2$s AS h
						  JOIN %2$s AS loaded ON loaded.lead_id = h.lead_id AND loaded.life = h.life AND loaded.entered_at = h.entered_at
						  LEFT JOIN %1$s AS p ON p.stage = loaded.to_stage
						  WHERE h.definition IS NOT NULL AND loaded.definition IS NULL
						  GROUP BY h.history_id, h.lead_id, h.life, h.entered_at, h.from_stage, h.to_stage) AS l
					LEFT JOIN %1$s AS s ON s.stage = l.to_stage
					LEFT JOIN %1$s AS f ON f.stage = l.from_stage AND l.left_loaded) AS live ON live.history_id = h.history_id) AS move
			WINDOW life AS (PARTITION BY lead_id, life ORDER BY entered_at, rank, history_id)) AS after) AS step
		WINDOW life AS (PARTITION BY lead_id, life ORDER BY entered_at, rank, history_id),
			   log AS (PARTITION BY lead_id ORDER BY life, entered_at, rank, history_id)) AS told $query$,
	stages, moves) FROM text_of;
END;

COMMENT ON FUNCTION _history_query(text, text[], text) IS
'text of a query: the moves of a funnel, or of the leads with these keys, as the moves before say: from_stage, cycle, place at their instant, what repeats, which is the last of the present life; and whether the rows say otherwise';

-- Closed deals count in the cycle they were closed in, where they have had
-- their say.  An amount in another currency than the funnel's is none, unless
-- home_amount says what it is worth: as in won_deal.  Those that were opened
-- before were of one who bore the same key.  _ingest_deal() reads this
-- text, too, under a path that has the funnel's schema.
CREATE FUNCTION _deals_query(funnel text, leads regclass, key name) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN format($query$
	SELECT key,
		   (count(*) FILTER (WHERE status = 'open'))::integer AS deals_open,
		   (count(*) FILTER (WHERE status = 'won' AND in_cycle))::integer AS deals_won,
		   (count(*) FILTER (WHERE status = 'lost' AND in_cycle))::integer AS deals_lost,
		   coalesce(sum(worth) FILTER (WHERE status = 'won'), 0) AS won_amount,
		   (pg_catalog.array_agg(reason ORDER BY closed_at DESC, deal_id DESC)
			FILTER (WHERE status = 'lost' AND in_cycle AND reason IS NOT NULL))[1] AS reason
	FROM (SELECT l.%3$I AS key, d.status, d.reason, d.closed_at, d.deal_id,
				 l.cycle = 1 OR d.closed_at >= l.cycle_started_at AS in_cycle,
				 CASE WHEN d.home_amount IS NOT NULL THEN d.home_amount
					  WHEN coalesce(d.currency, s.currency) = s.currency THEN d.amount END AS worth
		  FROM %2$s AS l
		  CROSS JOIN %1$I.setting AS s
		  LEFT JOIN (%1$I.deal_contact AS c JOIN %1$I.deal AS d ON d.deal_id = c.deal_id)
			  ON c.lead_id OPERATOR(pg_catalog.=) l.%3$I
			  AND coalesce(d.opened_at >=
				  (SELECT min(h.entered_at)
				   FROM (SELECT max(g.last_move) AS last_move FROM %1$I.departure AS g
						 WHERE g.lead_id OPERATOR(pg_catalog.=) l.%3$I) AS g
				   JOIN %1$I.stage_history AS h ON h.lead_id OPERATOR(pg_catalog.=) l.%3$I
					   AND h.history_id > g.last_move AND h.voided_at IS NULL), true)) AS each_deal
	GROUP BY key $query$, funnel, leads, key);

COMMENT ON FUNCTION _deals_query(text, regclass, name) IS
'text of a query: the deals of each lead of a funnel, counted by status';

-- Elements that a type does not have are left out.
CREATE FUNCTION _answers_query(funnel text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN format($query$
	SELECT lead_id, jsonb_object_agg(framework, levels) AS levels,
		   NULLIF(jsonb_object_agg(framework, levels) - @extschema@._frameworks(), '{}') AS others
	FROM (SELECT lead_id, framework, jsonb_object_agg(element, level::text) AS levels
		  FROM (SELECT DISTINCT ON (lead_id, framework, element)
					   lead_id, framework, element, level
				FROM %1$I.answer
				WHERE @extschema@._may_have_element(framework::text, element::text)
				ORDER BY lead_id, framework, element, %2$s) AS latest
		  GROUP BY lead_id, framework) AS f
	GROUP BY lead_id $query$, funnel, @extschema@._latest_first());

COMMENT ON FUNCTION _answers_query(text) IS
'text of a query: the latest answers of each lead of a funnel that has any, as objects by framework, and those to frameworks that are no types';

CREATE FUNCTION _due_at(funnel text, stage text, entered_at timestamptz) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'due_at' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _due_at(text, text, timestamptz) IS
'deadline, by the policy of today, of a lead that entered a stage then; NULL: none';

-- What the history and the deals say of the leads with these keys, or of all.
CREATE FUNCTION _rebuild_leads(funnel text, keys text[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k record := @extschema@._funnel_key(funnel);
	moves text := @extschema@._history_query(funnel, keys, k.key_type::text);
	deals text := @extschema@._deals_query(funnel, k.leads, k.key);
	wanted text := 'voided_at IS NULL';
	signed text[];
	changed bigint;
	total bigint := 0;
BEGIN
	IF keys IS NOT NULL THEN
		wanted := format('voided_at IS NULL AND lead_id IN (%s)', @extschema@._keys_query(keys, k.key_type::text));
		deals := format('SELECT * FROM (%s) AS of_all WHERE key IN (%s)',
						deals, @extschema@._keys_query(keys, k.key_type::text));
	END IF;

	-- who agreed did so in a cycle, whatever its number is to be; where its
	-- moves are void, in that of the time
	EXECUTE format('SELECT array_agg(DISTINCT lead_id::text) FROM %1$I.signature '
				   'WHERE lead_id IS NOT NULL '
				   'AND ($1 IS NULL OR lead_id IN (SELECT k::%2$s FROM unnest($1) AS k))', funnel, k.key_type)
		INTO signed USING keys;
	IF signed IS NOT NULL THEN
		EXECUTE format($query$
			UPDATE %1$I.signature AS g
			SET cycle = n.cycle
			FROM (SELECT DISTINCT ON (g.signature_id) g.signature_id, w.cycle
				  FROM %1$I.signature AS g
				  JOIN (%2$s) AS w ON w.lead_id = g.lead_id
				  ORDER BY g.signature_id, w.kept_cycle = g.cycle DESC, w.entered_at <= g.signed_at DESC,
						   CASE WHEN w.entered_at <= g.signed_at THEN w.cycle ELSE - w.cycle END DESC) AS n
			WHERE g.signature_id = n.signature_id AND g.cycle <> n.cycle
			$query$, funnel, @extschema@._history_query(funnel, signed, k.key_type::text));
		GET DIAGNOSTICS changed = ROW_COUNT;
		total := total + changed;
	END IF;

	-- a row that no trigger wrote has no definition; where the lead came
	-- from, which is set once, is known all the same
	EXECUTE format($query$
		UPDATE %1$I.stage_history AS h
		SET from_stage = w.from_stage,
			cycle = w.cycle,
			ordinal = w.ordinal,
			voided_at = CASE WHEN w.repeats THEN coalesce(h.voided_at, @extschema@.funnel_now()) END,
			voided_by = CASE WHEN w.repeats AND h.voided_at IS NULL THEN @extschema@._actor()
							 WHEN w.repeats THEN h.voided_by END,
			voided_why = CASE WHEN w.repeats AND h.voided_at IS NULL THEN 'repeats the stage that the lead was in'
							  WHEN w.repeats THEN h.voided_why END,
			source = CASE WHEN w.loaded THEN coalesce(h.source, l.source) ELSE h.source END,
			campaign = CASE WHEN w.loaded THEN coalesce(h.campaign, l.campaign) ELSE h.campaign END,
			due_at = CASE WHEN w.loaded THEN coalesce(h.due_at, w.due) ELSE h.due_at END
		FROM (SELECT *, CASE WHEN loaded THEN @extschema@._due_at(%5$L::text, to_stage::text, entered_at) END AS due
			  FROM (%2$s) AS every_move
			  WHERE differs OR (loaded AND incomplete)) AS w
		LEFT JOIN %3$s AS l ON l.%4$I = w.lead_id
		WHERE h.history_id = w.history_id
		AND (w.differs OR
			 (h.source IS NULL AND l.source IS NOT NULL) OR
			 (h.campaign IS NULL AND l.campaign IS NOT NULL) OR
			 (h.due_at IS NULL AND w.due IS NOT NULL))
		$query$, funnel, moves, k.leads, k.key, funnel);
	GET DIAGNOSTICS changed = ROW_COUNT;
	total := total + changed;

	-- where the leads stand.  A date of review may only come earlier: now.
	EXECUTE format($query$
		UPDATE %3$s AS l
		SET stage = n.stage,
			stage_entered_at = n.stage_entered_at,
			cycle = n.cycle,
			cycle_started_at = n.cycle_started_at,
			accepted_at = n.accepted_at,
			accepted_by = n.accepted_by,
			due_at = n.due_at,
			review_at = least(l.review_at, @extschema@.funnel_now())
		FROM (SELECT l.%4$I AS key, last.to_stage AS stage, last.entered_at AS stage_entered_at,
					 last.cycle, this.started_at AS cycle_started_at,
					 CASE WHEN keeps.acceptance THEN l.accepted_at
						  ELSE this.accepted_at END AS accepted_at,
					 CASE WHEN keeps.acceptance THEN coalesce(l.accepted_by, this.accepted_by)
						  ELSE this.accepted_by END AS accepted_by,
					 last.due_at
			  FROM %3$s AS l
			  JOIN (SELECT DISTINCT ON (lead_id) lead_id, to_stage, entered_at, cycle, due_at
					FROM %1$I.stage_history WHERE %2$s
					ORDER BY lead_id DESC, cycle DESC, entered_at DESC, ordinal DESC, history_id DESC) AS last ON last.lead_id = l.%4$I
			  JOIN (SELECT h.lead_id, h.cycle, min(h.entered_at) AS started_at,
						   min(h.entered_at) FILTER (WHERE s.milestone = 'sal' AND NOT h.automatic) AS accepted_at,
						   (array_agg(h.actor ORDER BY h.entered_at, h.ordinal, h.history_id)
							FILTER (WHERE s.milestone = 'sal' AND NOT h.automatic))[1] AS accepted_by
					FROM (SELECT * FROM %1$I.stage_history WHERE %2$s) AS h
					LEFT JOIN %1$I.stage AS s ON s.stage = h.to_stage
					GROUP BY h.lead_id, h.cycle) AS this ON this.lead_id = l.%4$I AND this.cycle = last.cycle
			  -- the lead may know better when it was accepted, but for a move
			  -- that was voided
			  CROSS JOIN LATERAL
				  (SELECT l.accepted_at >= this.started_at AND
						  NOT EXISTS (SELECT FROM %1$I.stage_history AS v
									  WHERE v.lead_id = l.%4$I AND v.entered_at = l.accepted_at
									  AND v.voided_at IS NOT NULL
									  AND v.from_stage IS DISTINCT FROM v.to_stage)) AS keeps (acceptance)) AS n
		WHERE l.%4$I = n.key
		AND (l.stage, l.stage_entered_at, l.cycle, l.cycle_started_at, l.accepted_at, l.accepted_by, l.due_at)
			IS DISTINCT FROM (n.stage, n.stage_entered_at, n.cycle, n.cycle_started_at,
							  n.accepted_at, n.accepted_by, n.due_at)
		$query$, funnel, wanted, k.leads, k.key);
	GET DIAGNOSTICS changed = ROW_COUNT;
	total := total + changed;

	-- deals
	EXECUTE format($query$
		UPDATE %2$s AS l
		SET deals_open = d.deals_open,
			deals_won = d.deals_won,
			deals_lost = d.deals_lost,
			won_amount = d.won_amount,
			review_at = least(l.review_at, @extschema@.funnel_now())
		FROM (%4$s) AS d
		WHERE l.%3$I = d.key
		AND (l.deals_open, l.deals_won, l.deals_lost, l.won_amount)
			IS DISTINCT FROM (d.deals_open, d.deals_won, d.deals_lost, d.won_amount)
		$query$, funnel, k.leads, k.key, deals);
	GET DIAGNOSTICS changed = ROW_COUNT;
	total := total + changed;

	RETURN total + @extschema@._rebuild_journey(funnel, keys);
END
$body$;

COMMENT ON FUNCTION _rebuild_leads(text, text[]) IS
'part of rebuild_history(), void_moves() and merge_leads(): order, from_stage and cycle of the history, what repeats in it, the cycle of signatures, where leads stand, and their units; returns how many rows changed';

-- A cast to time goes by the session's zone, as did that of a date to an
-- instant: whoever calls this from a function must not set another.
CREATE FUNCTION _warn_of_midnights(funnel text) RETURNS void
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	found record;
BEGIN
	EXECUTE format($query$
		SELECT count(*) AS n, s.time_zone
		FROM (SELECT entered_at FROM %1$I.stage_history WHERE definition IS NULL AND voided_at IS NULL
			  UNION ALL SELECT opened_at FROM %1$I.deal
			  UNION ALL SELECT closed_at FROM %1$I.deal
			  UNION ALL SELECT occurred_at FROM %1$I.activity
			  UNION ALL SELECT answered_at FROM %1$I.answer) AS of (instant)
		CROSS JOIN %1$I.setting AS s
		WHERE of.instant::time = '00:00' AND (of.instant AT TIME ZONE s.time_zone)::time <> '00:00'
		GROUP BY s.time_zone $query$, funnel) INTO found;
	IF found.n > 0 THEN
		RAISE WARNING '% instants of funnel "%" are midnights of time zone "%", not of the funnel''s "%"',
			found.n, funnel, current_setting('TimeZone'), found.time_zone
			USING HINT = format('If they were dates, cast them in the funnel''s zone: SET TimeZone = %L before they are loaded.',
								found.time_zone);
	END IF;
END
$body$;

COMMENT ON FUNCTION _warn_of_midnights(text) IS
'warns of loaded moves, deals, activities and answers that are dates cast in another time zone than the funnel''s';

-- The setting spares the history and the leads what triggers would make of
-- these updates; it is back when the function returns.
CREATE FUNCTION rebuild_history(funnel text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k record := @extschema@._funnel_key(funnel);
	unknown text[];
	changed bigint;
	total bigint := 0;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'rebuild_history'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'rebuild_history'::text);
	PERFORM @extschema@._require_read_committed('rebuild_history'::text);

	-- what arrives meanwhile would be built on what is being replaced
	EXECUTE format('LOCK TABLE %1$s, %2$I.stage_history, %2$I.journey IN SHARE ROW EXCLUSIVE MODE',
				   k.leads, funnel);

	EXECUTE format($query$
		SELECT array_agg(DISTINCT named.stage)
		FROM (SELECT to_stage FROM %1$I.stage_history WHERE voided_at IS NULL
			  UNION SELECT stage FROM %2$s) AS named (stage)
		WHERE NOT EXISTS (SELECT FROM %1$I.stage AS s WHERE s.stage = named.stage)
		$query$, funnel, k.leads) INTO unknown;
	IF unknown IS NOT NULL THEN
		RAISE EXCEPTION 'history of funnel "%" names stages that it does not have', funnel
			USING ERRCODE = 'foreign_key_violation',
				  DETAIL = format('They are: %s.', array_to_string(unknown, ', ')),
				  HINT = format('Add them to %I.stage, or correct the rows under lead_qual.import.', funnel);
	END IF;

	-- a lead without history in its present life came into being where it is
	EXECUTE format($query$
		INSERT INTO %1$I.stage_history (lead_id, to_stage, entered_at, source, campaign, owner, account_id)
		SELECT l.%3$I, l.stage, l.stage_entered_at, l.source, l.campaign, l.owner, l.account_id
		FROM %2$s AS l
		WHERE NOT EXISTS (SELECT FROM %1$I.stage_history AS h
						  WHERE h.lead_id = l.%3$I AND h.voided_at IS NULL
						  AND NOT EXISTS (SELECT FROM %1$I.departure AS d
										  WHERE d.lead_id = h.lead_id AND d.last_move >= h.history_id))
		ORDER BY l.%3$I $query$, funnel, k.leads, k.key);
	GET DIAGNOSTICS changed = ROW_COUNT;
	total := total + changed;

	PERFORM @extschema@._warn_of_midnights(funnel);
	total := total + @extschema@._rebuild_leads(funnel, NULL::text[]);

	-- answers, where the log has any
	EXECUTE format($query$
		UPDATE %2$s AS l
		SET %5$s,
			answers = n.answers,
			review_at = least(l.review_at, @extschema@.funnel_now())
		FROM (SELECT l.%3$I AS key,
					 %6$s,
					 coalesce(a.others, l.answers) AS answers
			  FROM %2$s AS l
			  JOIN (%4$s) AS a ON a.lead_id = l.%3$I) AS n
		WHERE l.%3$I = n.key
		AND (%7$s OR l.answers <> n.answers)
		$query$, funnel, k.leads, k.key, @extschema@._answers_query(funnel),
		@extschema@._each_framework('%1$I = n.%1$I'::text, ', '::text),
		@extschema@._each_framework(
			'(l.%1$I::jsonb || coalesce(a.levels -> %1$L, ''{}''))::@extschema@.%1$I AS %1$I'::text, ', '::text),
		@extschema@._each_framework('l.%1$I OPERATOR(@extschema@.<>) n.%1$I'::text, ' OR '::text));
	GET DIAGNOSTICS changed = ROW_COUNT;
	total := total + changed;

	RETURN total;
END
$body$;

COMMENT ON FUNCTION rebuild_history(text) IS
'after an import: puts the history in order, fills from_stage and cycle, voids rows that repeat the stage that the lead was in, and fills from it, the deals and the answers what leads hold; returns how many rows changed';
--
-- Privileges on a funnel, by profile
--
-- Plain GRANTs, which the function returns: whoever wants others edits them.
-- Triggers work on the tables as their owner, so that recording a fact needs
-- no right on what follows from it.
--
-- app        records leads and activities, and what it learns of a lead again
-- analyst    reads the views and what they need, but no names and addresses
-- sales      reads all; asks for moves; writes answers, accounts and deals
-- marketing  reads all; asks for moves; edits the policy and records spend,
--            but neither says who must sign a definition nor activates one
-- admin      reads and writes all
--
-- Each row is a GRANT; one whose relations are * is on all of them.  What
-- people may write of a lead, and what an analyst may read, is said column by
-- column: the rest is the user's own, or tells who somebody is.
CREATE FUNCTION _funnel_grants()
RETURNS TABLE (since integer, profiles text[], privileges text, relations name[], columns name[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	VALUES
		(1, '{admin}'::text[], 'SELECT, INSERT, UPDATE, DELETE', '{*}'::name[], NULL::name[]),

		(1, '{app,sales,marketing}', 'INSERT', '{lead,activity}', NULL),
		-- to find a lead, and for ON CONFLICT and RETURNING: who writes what
		-- EXCLUDED has must be allowed to read it
		(1, '{app,sales,marketing}', 'SELECT', '{lead}',
		 '{lead_id,external_id,email,full_name,job_title,department,seniority,years_in_industry,
		   company,account_id,industry,company_size,annual_revenue,country,source,campaign,
		   unsubscribed,properties}'),
		(1, '{app,sales,marketing}', 'UPDATE', '{lead}',
		 '{external_id,email,full_name,job_title,department,seniority,years_in_industry,
		   company,account_id,industry,company_size,annual_revenue,country,source,campaign,
		   unsubscribed,properties}'),
		(1, '{app,sales,marketing}', 'SELECT', '{lead_alias}', '{lead_id,external_id,email,former_key}'),
		(1, '{app,sales,marketing}', 'INSERT', '{lead_alias}', '{lead_id,external_id,email}'),
		(1, '{app,sales,marketing}', 'SELECT', '{activity}', '{lead_id,occurred_at,activity_id,external_id}'),
		(1, '{app,sales,marketing}', 'SELECT', '{kind,source}', NULL),

		(1, '{sales,marketing}', 'SELECT', '{*}', NULL),
		-- whole rows: what triggers keep they keep from whoever writes it
		(1, '{sales,marketing}', 'UPDATE', '{lead}',
		 '{lead_id,owner,resume_at,reason,note,answers,stage,stage_entered_at,
		   cycle,cycle_started_at,accepted_by,accepted_at,scorecard,deals_open,deals_won,
		   deals_lost,won_amount,due_at,review_at,state_version,created_at}'::name[] || _frameworks()::name[]),
		(1, '{sales,marketing}', 'INSERT, UPDATE', '{account,answer}', NULL),
		(1, '{sales,marketing}', 'UPDATE', '{activity}', NULL),
		(1, '{sales,marketing}', 'DELETE', '{lead_alias}', NULL),
		(1, '{sales,marketing}', 'INSERT', '{verdict}', NULL),
		(1, '{sales,marketing}', 'INSERT', '{signature}', '{lead_id,to_stage,definition,side,note}'),
		-- triggers keep these: whatever is written there is who signed
		(1, '{sales,marketing}', 'UPDATE', '{definition}',
		 '{agreed_by_marketing,agreed_by_sales,agreed_at}'),

		(1, '{sales}', 'INSERT, UPDATE', '{deal}', NULL),
		(1, '{sales}', 'INSERT, UPDATE, DELETE', '{deal_contact}', NULL),

		(1, '{marketing}', 'INSERT, UPDATE, DELETE',
		 '{kind,source,list,element,stage,calendar,holiday,transition,rule,reason,message,spend}', NULL),
		-- their ids come from the sequence, or a later row would be refused
		(1, '{marketing}', 'DELETE', '{question,content}', NULL),
		(1, '{marketing}', 'INSERT', '{question}', '{framework,element,text,position}'),
		(1, '{marketing}', 'UPDATE', '{question}', '{framework,element,text,position}'),
		(1, '{marketing}', 'INSERT', '{content}', '{title,url,milestones,stages,topic,position}'),
		(1, '{marketing}', 'UPDATE', '{content}', '{title,url,milestones,stages,topic,position}'),
		-- the rest of it says what the funnel consists of
		(1, '{marketing}', 'UPDATE', '{setting}',
		 '{time_zone,currency,maturity_days,worth_rate,sales_capacity,attribution_first,
		   attribution_last,attribution_anchor,attribution_half_life}'),
		-- to remove or rename one would make room for another, which asks for
		-- no signatures
		(1, '{marketing}', 'INSERT', '{definition}', NULL),
		(1, '{marketing}', 'UPDATE', '{definition}', '{review_by,max_fit,max_engagement,floor,note}'),

		(1, '{analyst}', 'SELECT',
		 '{setting,kind,source,list,element,question,stage,calendar,holiday,transition,rule,
		   reason,message,content,definition,side,definition_log,deal,deal_contact,spend}', NULL),
		(1, '{analyst}', 'SELECT', '{signature}',
		 '{signature_id,lead_id,to_stage,cycle,definition,version,side,signed_by,signed_at}'),
		(1, '{analyst}', 'SELECT', '{lead}',
		 '{lead_id,job_title,department,seniority,years_in_industry,company,account_id,
		   industry,company_size,annual_revenue,country,source,campaign,unsubscribed,owner,
		   resume_at,reason,answers,stage,stage_entered_at,cycle,cycle_started_at,
		   accepted_by,accepted_at,scorecard,deals_open,deals_won,deals_lost,won_amount,
		   due_at,review_at,state_version,created_at}'::name[] || _frameworks()::name[]),
		(1, '{analyst}', 'SELECT', '{journey,departure}', NULL),
		(1, '{analyst}', 'SELECT', '{account}', '{account_id,name,domain}'),
		(1, '{analyst}', 'SELECT', '{activity}',
		 '{lead_id,occurred_at,activity_id,kind,source,campaign,actor,recorded_at}'),
		(1, '{analyst}', 'SELECT', '{answer}',
		 '{lead_id,answer_id,framework,element,level,via,answered_by,answered_at}'),
		(1, '{analyst}', 'SELECT', '{verdict}',
		 '{verdict_id,lead_id,side,qualified,judged_by,judged_at}'),
		(1, '{analyst}', 'SELECT', '{stage_history}',
		 '{history_id,lead_id,from_stage,to_stage,entered_at,cycle,actor,automatic,exception,
		   reason,score,definition,version,source,campaign,owner,account_id,due_at,ordinal,
		   scorecard,first_touch_at,first_conversation_at,touches,voided_at,voided_by}');
END;

COMMENT ON FUNCTION _funnel_grants() IS
'what the profiles of grant_funnel() are granted, a row a GRANT, since which template of a funnel';

-- Where leads are in a table of the user's, a view reads it with the rights of
-- whoever queries: so what is granted on "lead" is granted on the table, too.
CREATE FUNCTION _grant_statements(funnel text, profile text, template integer, only_ours boolean) RETURNS SETOF text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	lead_table constant regclass := @extschema@._lead_table(schema);
	lead_schema constant oid := (SELECT relnamespace FROM pg_class WHERE oid = lead_table);
	all_tables text := format('ALL TABLES IN SCHEMA %I', funnel);
	all_sequences text := format('ALL SEQUENCES IN SCHEMA %I', funnel);
	row_of record;
BEGIN
	IF only_ours THEN
		SELECT string_agg(DISTINCT c.oid::regclass::text, ', '),
			   'SEQUENCE ' || string_agg(DISTINCT s.oid::regclass::text, ', ')
			INTO all_tables, all_sequences
		FROM pg_class AS c
		LEFT JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
			AND d.refobjid = c.oid AND d.deptype IN ('a', 'i')
		LEFT JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
		WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p', 'v')
		AND c.relname = ANY (@extschema@._funnel_relations(template));
	END IF;
	FOR row_of IN
		SELECT g.privileges, g.columns, g.relations = '{*}' AS all_of_them, 'lead' = ANY (g.relations) AS of_leads,
			   (SELECT string_agg(format('%I.%I', funnel, r.name), ', ' ORDER BY r.position)
				FROM unnest(g.relations) WITH ORDINALITY AS r (name, position)) AS relations,
			   (SELECT ' (' || string_agg(quote_ident(c), ', ') || ')' FROM unnest(g.columns) AS c) AS of_columns
		FROM @extschema@._funnel_grants() AS g
		WHERE profile = ANY (g.profiles) AND g.since <= template
	LOOP
		RETURN NEXT format('%s%s ON %s', row_of.privileges, row_of.of_columns,
						   CASE WHEN row_of.all_of_them THEN all_tables
								ELSE row_of.relations END);
		IF lead_schema <> schema AND (row_of.all_of_them OR row_of.of_leads) THEN
			RETURN NEXT format('%s%s ON %s', row_of.privileges,
							   (SELECT ' (' || string_agg(quote_ident(c), ', ') || ')'
								FROM unnest(@extschema@._lead_column_names(funnel, row_of.columns::text[])) AS c),
							   lead_table);
		END IF;
	END LOOP;
	IF profile = 'admin' THEN
		-- to set one back would have it give ids again
		RETURN NEXT format('USAGE, SELECT ON %s', all_sequences);
	END IF;
END
$body$;

COMMENT ON FUNCTION _grant_statements(text, text, integer, boolean) IS
'the GRANTs of a profile on a funnel of that template, without their first word and their role; on all tables in its schema, or on ours only';

CREATE FUNCTION _grant_profile(funnel text, grantee regrole, profile text, only_ours boolean) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema oid := @extschema@._funnel_schema(funnel);
	template constant integer := @extschema@._funnel_template(schema);
	lead_schema constant oid := (SELECT relnamespace FROM pg_class WHERE oid = @extschema@._lead_table(schema));
	what text;
	granted text;
	viewed record;
BEGIN
	granted := format('GRANT USAGE ON SCHEMA %I TO %s', funnel, grantee);
	EXECUTE granted;
	RETURN NEXT granted;

	IF lead_schema <> schema AND NOT has_schema_privilege(grantee, lead_schema, 'USAGE') THEN
		granted := format('GRANT USAGE ON SCHEMA %s TO %s', lead_schema::regnamespace, grantee);
		EXECUTE granted;
		RETURN NEXT granted;
	END IF;
	FOR what IN SELECT * FROM @extschema@._grant_statements(funnel, profile, template, only_ours) LOOP
		granted := format('GRANT %s TO %s', what, grantee);
		EXECUTE granted;
		RETURN NEXT granted;
	END LOOP;

	IF profile <> 'analyst' THEN
		RETURN;
	END IF;

	-- The views that read nothing else than what was granted.  A view comes
	-- after those that it reads.
	FOR viewed IN
		SELECT c.oid, c.relname FROM pg_class AS c
		WHERE c.relnamespace = schema AND c.relkind = 'v'
		AND c.relname = ANY (@extschema@._funnel_relations(template))
		ORDER BY c.oid
	LOOP
		IF NOT EXISTS (
			SELECT
			FROM pg_rewrite AS r
			JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
			-- what is no row type of a function's result
			JOIN pg_class AS t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid AND t.relkind <> 'c'
			WHERE r.ev_class = viewed.oid AND d.refobjid <> viewed.oid
			AND d.refobjsubid > 0
			AND NOT has_column_privilege(grantee, d.refobjid, d.refobjsubid::smallint, 'SELECT'))
		THEN
			granted := format('GRANT SELECT ON %I.%I TO %s', funnel, viewed.relname, grantee);
			EXECUTE granted;
			RETURN NEXT granted;
		END IF;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _grant_profile(text, regrole, text, boolean) IS
'grants a role what a profile has on a funnel, and returns the statements';

CREATE FUNCTION grant_funnel(funnel text, grantee regrole, profile text) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
BEGIN
	IF grantee IS NULL OR grantee = 0 THEN
		RAISE EXCEPTION 'a role to grant to must be given'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF profile IS NULL OR
	   NOT EXISTS (SELECT FROM @extschema@._funnel_grants() AS g WHERE profile = ANY (g.profiles)) THEN
		RAISE EXCEPTION 'unknown profile: "%"', @extschema@._clip(profile::text)
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'Profiles are app, sales, marketing, analyst and admin.';
	END IF;
	-- else GRANT itself would only warn that nothing was granted
	PERFORM @extschema@._require_funnel_owner(schema, 'grant_funnel'::text);

	RETURN QUERY SELECT * FROM @extschema@._grant_profile(funnel, grantee, profile, false);
END
$body$;

COMMENT ON FUNCTION grant_funnel(text, regrole, text) IS
'grants a role the privileges of a profile on a funnel, and returns the statements: app, analyst, sales, marketing or admin';
--
-- Moves that do not count
--
-- A misclick or a flood is voided, not erased: the row stays, metrics pass it
-- over, and the lead stands where the moves that remain have led.  What the
-- move used up (resume_at, the reason, the owner) does not come back.  A move that the
-- lead still earns by itself happens again with its next fact or sweep.
--
-- A repeated row is void while it repeats: named here, it stays so.
CREATE FUNCTION _void(funnel text, history_ids bigint[], why text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	voided bigint;
BEGIN
	EXECUTE format('UPDATE %I.stage_history SET voided_at = $2, voided_by = $3, voided_why = $4, '
				   'from_stage = CASE WHEN from_stage <> to_stage THEN from_stage END '
				   'WHERE history_id = ANY ($1) AND (voided_at IS NULL OR from_stage = to_stage)', funnel)
		USING history_ids, @extschema@.funnel_now(), @extschema@._actor(), why;
	GET DIAGNOSTICS voided = ROW_COUNT;
	RETURN voided;
END
$body$;

COMMENT ON FUNCTION _void(text, bigint[], text) IS
'part of void_moves() and merge_leads(): marks moves as void by whoever acts; returns how many were not yet';

-- In key order, as triggers take them: whoever moves one of these leads comes
-- before or after.  Who has gone has no row to lock, and one may just be coming
-- under that key.
CREATE FUNCTION _hold_leads(funnel text, keys text[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	there bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM (SELECT FROM %1$s WHERE %2$I IN (%3$s) ORDER BY %2$I FOR NO KEY UPDATE) AS locked',
				   k.leads, k.key, @extschema@._keys_query(keys, k.key_type::text)) INTO there;
	IF there < cardinality(keys) THEN
		EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', k.leads);
	END IF;
END
$body$;

COMMENT ON FUNCTION _hold_leads(text, text[]) IS
'part of void_moves() and forget_leads(): locks leads, given by distinct keys; all of them where some are gone';

CREATE FUNCTION void_moves(funnel text, history_ids bigint[], why text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k record := @extschema@._funnel_key(funnel);
	keys text[];
	unknown bigint[];
	homeless text[];
	voided bigint;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'void_moves'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'void_moves'::text);
	PERFORM @extschema@._require_read_committed('void_moves'::text);
	IF coalesce(btrim(why), '') = '' THEN
		RAISE EXCEPTION 'a reason why the moves are void must be given'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;

	EXECUTE format('SELECT array_agg(DISTINCT id ORDER BY id) FROM unnest($1) AS id '
				   'WHERE NOT EXISTS (SELECT FROM %I.stage_history WHERE history_id = id)', funnel)
		INTO unknown USING history_ids;
	IF unknown IS NOT NULL THEN
		RAISE EXCEPTION 'funnel "%" has no move %', funnel, array_to_string(unknown, ', ', 'NULL')
			USING ERRCODE = 'no_data_found',
				  HINT = format('Moves are named by history_id of %I.stage_history.', funnel);
	END IF;

	EXECUTE format('SELECT array_agg(DISTINCT lead_id::text) FROM %I.stage_history WHERE history_id = ANY ($1)', funnel)
		INTO keys USING history_ids;
	PERFORM @extschema@._hold_leads(funnel, keys);

	voided := @extschema@._void(funnel, history_ids, why);

	EXECUTE format('SELECT array_agg(key) FROM unnest($1) AS key WHERE NOT EXISTS '
				   '(SELECT FROM %1$I.stage_history AS h WHERE h.lead_id = key::%2$s '
				   'AND (h.voided_at IS NULL OR h.from_stage = h.to_stage) '
				   'AND NOT EXISTS (SELECT FROM %1$I.departure AS d WHERE d.lead_id = h.lead_id AND d.last_move >= h.history_id)) '
				   'AND EXISTS (SELECT FROM %3$s WHERE %4$I = key::%2$s)',
				   funnel, k.key_type, k.leads, k.key)
		INTO homeless USING keys;
	IF homeless IS NOT NULL THEN
		RAISE EXCEPTION 'cannot void all moves of a lead of funnel "%"', funnel
			USING ERRCODE = 'restrict_violation',
				  DETAIL = format('Nowhere to stand would be left for lead %s.', array_to_string(homeless, ', ')),
				  HINT = 'Delete a lead that should never have been there.';
	END IF;

	IF keys IS NOT NULL THEN
		PERFORM @extschema@._rebuild_leads(funnel, keys);
	END IF;
	RETURN voided;
END
$body$;

COMMENT ON FUNCTION void_moves(text, bigint[], text) IS
'declares moves void, given by history_id, and puts their leads where the moves that remain lead (a move that a lead still earns by itself comes again with the next sweep); for members of the role that owns the funnel; returns how many were voided';
--
-- Is all well with a funnel?
--

CREATE FUNCTION _check_policy(funnel text, deep boolean, OUT finding text, OUT severity text,
							  OUT object text, OUT n bigint, OUT detail text, OUT hint text)
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _check_policy(text, boolean) IS
'findings of check_funnel() on conditions and, if deep, scorecards';

CREATE FUNCTION _odd_leads(funnel text, deep boolean, OUT moves text[], OUT stage text[],
						   OUT deals text[], OUT card text[], OUT counts text[])
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _odd_leads(text, boolean) IS
'keys of the leads that check_funnel() has to look at closely, NULL: all; the others are well as far as their moves and units, their stage, their deals and stage, the version of their card, and how their deals are counted go; if deep, first touches are sought in the log, and deals counted';

CREATE FUNCTION _is_among(key text, keys text[], key_type text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN keys IS NULL THEN 'true' WHEN keys = '{}' THEN 'false'
			ELSE format('%s OPERATOR(pg_catalog.=) ANY (%L::%s[])', key, keys, key_type) END;

COMMENT ON FUNCTION _is_among(text, text[], text) IS
'text of a condition: it is one of these keys of leads, or keys is NULL';

-- Triggers that are missing, disabled or do not fire where they should; and
-- what else the catalogs tell.
CREATE FUNCTION _check_triggers(schema oid, OUT finding text, OUT severity text,
								OUT object text, OUT n bigint, OUT detail text, OUT hint text)
RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH funnel_trigger AS (
		SELECT f.* FROM _funnel_triggers(schema) AS f
	), expected AS (
		SELECT CASE WHEN f.by_own_name THEN 'partition' ELSE 'table' END AS place, f.relid AS place_id,
			   CASE WHEN f.by_own_name THEN c.relname ELSE f.relation END AS place_name, f.*
		FROM funnel_trigger AS f
		LEFT JOIN pg_class AS c ON c.oid = f.relid
		UNION ALL
		-- partitions of the leads have theirs, which may be disabled by themselves
		SELECT 'lead', tree.relid, c.relname, f.*
		FROM funnel_trigger AS f, pg_partition_tree(f.relid) AS tree
		JOIN pg_class AS c ON c.oid = tree.relid
		WHERE f.relation = 'lead' AND f.level = 'ROW' AND tree.level > 0
	), found AS (
		SELECT e.*, t.oid, t.tgname, t.tgenabled, t.tgparentid,
			   CASE WHEN t.tgnargs > 0 THEN trim('\x00'::bytea FROM t.tgargs) END AS funnel
		FROM expected AS e
		LEFT JOIN pg_trigger AS t ON t.tgrelid = e.place_id AND t.tgfoid = e.function AND t.tgtype = e.type
			AND t.tgdeferrable = e.is_deferrable AND NOT t.tginitdeferred AND NOT t.tgisinternal
			AND (t.tgoldtable IS NOT NULL OR NOT e.old_rows) AND (t.tgnewtable IS NOT NULL OR NOT e.new_rows)
			-- neither WHEN nor UPDATE OF keeps it from firing
			AND t.tgqual IS NULL AND cardinality(t.tgattr::smallint[]) = 0
	)
	SELECT 'trigger_missing', 'error', format('%I.%I', f.place_name, f.trigger), 1::bigint,
		   format('No trigger of table "%s" executes %s() %s %s.', f.place_name, p.proname, f.timing, f.events),
		   CASE WHEN EXISTS (SELECT FROM pg_trigger AS taken WHERE taken.tgrelid = f.place_id AND taken.tgname = f.trigger)
				THEN 'Rename or drop the trigger that has its name, then call repair_funnel() and rescore_funnel().'
				ELSE 'Call repair_funnel(), then rescore_funnel().' END
	FROM found AS f
	JOIN pg_proc AS p ON p.oid = f.function
	WHERE f.place <> 'partition' AND f.oid IS NULL
	UNION ALL
	SELECT 'trigger_disabled', 'error', format('%I.%I', f.place_name, f.tgname), 1,
		   CASE WHEN f.tgenabled = 'R' THEN 'It fires on a replica only.'
				WHEN f.tgenabled = 'O' THEN 'It does not fire on a replica.'
				ELSE 'It is disabled.' END,
		   format('ALTER TABLE %s ENABLE %sTRIGGER %I', f.place_id::regclass,
				  CASE WHEN f.enabled = 'A' THEN 'ALWAYS ' ELSE '' END, f.tgname)
	FROM found AS f
	WHERE f.place <> 'partition' AND (f.tgenabled IN ('D', 'R') OR (f.enabled = 'A' AND f.tgenabled <> 'A'))
	UNION ALL
	SELECT 'trigger_misdirected', 'error', format('%I.%I', f.place_name, f.tgname), 1,
		   format('It names funnel "%s", whose schema has another name now or is gone.', encode(f.funnel, 'escape')),
		   'CREATE OR REPLACE' || substr(_trigger_statement(f.place_id, f.relation, f.trigger, _funnel_template(schema), n.nspname::text), length('CREATE') + 1)
	FROM found AS f
	JOIN pg_namespace AS n ON n.oid = schema
	WHERE f.place <> 'partition' AND f.tgparentid = 0 AND f.funnel <> convert_to(n.nspname, getdatabaseencoding())
	UNION ALL
	SELECT 'partition_without_triggers', CASE WHEN bool_and(e.events = 'TRUNCATE') THEN 'warning' ELSE 'error' END,
		   e.place_id::regclass::text, count(*),
		   format('%s of this partition by its own name would go past the funnel.',
				  string_agg(e.events, ', ' ORDER BY e.type)),
		   format('Call repair_funnel(), which creates on it the triggers that table "%s" has.', e.relation)
	FROM expected AS e
	WHERE e.place = 'partition'
	AND NOT EXISTS (SELECT FROM found AS f
					WHERE f.place_id = e.place_id AND f.trigger = e.trigger AND f.tgenabled IN ('O', 'A'))
	GROUP BY e.place_id, e.relation
	UNION ALL
	SELECT 'row_security_bypassed', 'error', format('%I.lead', l.relnamespace::regnamespace), 1,
		   format('Who reads the view sees all rows of table "%s".', c.oid::regclass),
		   format('ALTER VIEW %s SET (security_invoker = true), and grant its readers SELECT on the whole table.', l.oid::regclass)
	FROM pg_class AS l
	JOIN pg_class AS c ON c.oid = _lead_table(schema)
	WHERE l.relnamespace = schema AND l.relname = 'lead' AND l.relkind = 'v' AND c.relrowsecurity
	AND NOT EXISTS (SELECT FROM unnest(l.reloptions) AS o WHERE o ~ '^security_invoker=(t|true|on|y|yes|1)$')
	UNION ALL
	SELECT 'row_policy_missing', 'warning', c.oid::regclass::text, count(*),
		   format('Rows about leads that it hides are open in: %s.', string_agg(r.relname::text, ', ' ORDER BY r.relname::text)),
		   'ALTER TABLE ... ENABLE ROW LEVEL SECURITY, with CREATE POLICY ... USING (EXISTS (SELECT FROM lead AS l '
		   'WHERE l.lead_id = ...lead_id)), on each of them: views and facts follow.'
	FROM pg_class AS c
	JOIN pg_class AS r ON r.relnamespace = schema AND r.relkind IN ('r', 'p')
		AND NOT r.relrowsecurity AND NOT r.relispartition AND r.oid <> c.oid
	JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attname = 'lead_id' AND NOT a.attisdropped
	WHERE c.oid = _lead_table(schema) AND c.relrowsecurity
	GROUP BY c.oid
	UNION ALL
	SELECT 'trigger_search_path', 'warning', format('%s.%I', t.tgrelid::regclass, t.tgname), 1,
		   format('Function %s sets no search_path, and the funnel''s own updates fire it under one that has no schema of yours.',
				  p.oid::regprocedure),
		   format('ALTER FUNCTION %s SET search_path = ...', p.oid::regprocedure)
	FROM pg_class AS c
	JOIN pg_trigger AS t ON t.tgrelid = c.oid
	JOIN pg_proc AS p ON p.oid = t.tgfoid
	JOIN pg_language AS l ON l.oid = p.prolang
	WHERE c.oid = _lead_table(schema) AND c.relnamespace <> schema
	AND NOT t.tgisinternal AND l.lanname NOT IN ('c', 'internal')
	AND p.oid NOT IN (SELECT f.function FROM funnel_trigger AS f)
	AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS s WHERE starts_with(s, 'search_path='))
	UNION ALL
	SELECT DISTINCT 'partition_elsewhere', 'error', e.place_id::regclass::text, 1,
		   'Triggers find the funnel by the schema of the table that they are fired on.',
		   format('ALTER TABLE %s SET SCHEMA %I', e.place_id::regclass, (SELECT nspname FROM pg_namespace WHERE oid = schema))
	FROM expected AS e
	JOIN pg_class AS c ON c.oid = e.place_id
	WHERE e.place = 'partition' AND e.relation <> 'lead' AND c.relnamespace <> schema;
END;

COMMENT ON FUNCTION _check_triggers(oid) IS
'findings of check_funnel() on triggers';

CREATE FUNCTION check_funnel(funnel text, deep boolean DEFAULT true)
RETURNS TABLE (finding text, severity text, object text, n bigint, detail text, hint text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	k constant record := @extschema@._funnel_key(funnel);
	template constant integer := @extschema@._template_version();
	-- the keys of some of the leads l, as text
	named constant text := format('(array_agg(l.%1$I::text ORDER BY l.%1$I))[:5]', k.key);
	key_column constant text := format('l.%I', k.key);
	odd record;
	moves record;
BEGIN
	PERFORM @extschema@._require_funnel_owner(schema, 'check_funnel'::text);

	--
	-- Policy
	--
	RETURN QUERY EXECUTE format($query$
		SELECT 'no_active_definition', 'error', 'definition', count(*),
			   'Nothing is scored and nothing moves.',
			   'Call activate_definition() for the one agreed on.'
		FROM %1$I.definition WHERE status = 'active'
		HAVING count(*) <> 1
		UNION ALL
		SELECT 'definition_review_due', 'info', definition, 1,
			   format('It was to be reviewed by %%s.', review_by),
			   'Agree on it again and set review_by.'
		FROM %1$I.definition WHERE status = 'active' AND review_by < @extschema@.funnel_now()::date
		UNION ALL
		SELECT 'no_working_time', 'warning', 'stage', count(*),
			   'The calendar has no hours: deadlines in working time go by the clock on the wall.',
			   'Insert hours into table "calendar".'
		FROM %1$I.stage
		WHERE working_time AND sla IS NOT NULL AND NOT EXISTS (SELECT FROM %1$I.calendar)
		HAVING count(*) > 0
		UNION ALL
		SELECT 'side_without_role', 'warning', side, 1,
			   format('Nobody can sign for it: role "%%s" does not exist.', role),
			   'Name another one in table "side".'
		FROM %1$I.side
		WHERE role IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = role)
		UNION ALL
		-- a reason that no lead was moved for blames nothing yet
		SELECT 'reason_without_rule', 'warning', r.reason, h.n,
			   format('Leads were moved for it, and it blames rule "%%s", which the active definition lacks.', r.rule),
			   'Name another rule in column rule of table "reason", or set it to NULL.'
		FROM %1$I.reason AS r
		CROSS JOIN LATERAL (SELECT count(*) AS n FROM %1$I.stage_history AS h
							WHERE h.to_stage = r.applies_to AND h.reason = r.reason AND h.voided_at IS NULL) AS h
		WHERE r.rule IS NOT NULL
		AND NOT EXISTS (SELECT FROM %1$I.rule AS known
						JOIN %1$I.definition AS d ON d.definition = known.definition
						WHERE d.status = 'active' AND known.name = r.rule)
		AND h.n > 0
		UNION ALL
		SELECT 'definition_unsigned', 'warning', d.definition, cardinality(unsigned.sides),
			   format('These sides have not signed it as it is now: %%s.', array_to_string(unsigned.sides, ', ')),
			   'Members of their roles call sign_definition().'
		FROM %1$I.definition AS d
		CROSS JOIN LATERAL
			(SELECT array_agg(a.side ORDER BY a.position) AS sides
			 FROM unnest(d.sides) WITH ORDINALITY AS a (side, position)
			 WHERE NOT EXISTS (SELECT FROM @extschema@._signers(%1$L::text, d.definition) AS s
							   WHERE s.side = a.side)) AS unsigned
		WHERE d.status = 'active' AND unsigned.sides IS NOT NULL
		UNION ALL
		SELECT 'template_outdated', 'warning', 'setting', 1,
			   format('The funnel is of template %%s, the extension makes funnels of template %%s.', template_version, $1),
			   CASE WHEN template_version < $1 THEN format('Call upgrade_funnel(%%L).', %1$L::text)
					ELSE 'Run ALTER EXTENSION lead_qual UPDATE.' END
		FROM %1$I.setting WHERE template_version <> $1
		$query$, funnel) USING template;
	RETURN QUERY SELECT * FROM @extschema@._check_triggers(schema);
	RETURN QUERY SELECT * FROM @extschema@._check_policy(funnel, coalesce(deep, true));

	--
	-- Leads and their history
	--
	-- one pass over all, and queries over the leads that it does not pass
	SELECT * INTO odd FROM @extschema@._odd_leads(funnel, coalesce(deep, true));
	IF odd.stage IS NULL OR odd.stage <> '{}' THEN
		RETURN QUERY EXECUTE format($query$
			SELECT 'unknown_stage', 'error', l.stage, count(*),
				   'Leads ' || array_to_string(%3$s, ', ') || ': no transition leads out of it.',
				   'Add the stage to table "stage", or correct the leads under lead_qual.import.'
			FROM %2$s AS l
			WHERE %4$s AND NOT EXISTS (SELECT FROM %1$I.stage AS s WHERE s.stage = l.stage)
			GROUP BY l.stage
			$query$, funnel, k.leads, named, @extschema@._is_among(key_column, odd.stage, k.key_type::text));
	END IF;

	IF odd.moves IS NULL OR odd.moves <> '{}' THEN
		EXECUTE format($query$
			SELECT (SELECT count(*) FROM %2$s AS l WHERE %5$s) - count(l.stage) AS n_missing,
				   count(*) FILTER (WHERE a.astray) AS n_astray,
				   (array_agg(l.%3$I::text ORDER BY l.%3$I) FILTER (WHERE a.astray))[:5] AS astray,
				   count(*) FILTER (WHERE w.differs) AS n_other,
				   (array_agg(w.history_id ORDER BY w.history_id) FILTER (WHERE w.differs))[:5] AS other,
				   count(*) FILTER (WHERE b.backwards) AS n_back,
				   (array_agg(w.history_id ORDER BY w.history_id) FILTER (WHERE b.backwards))[:5] AS back
			FROM (%4$s) AS w
			CROSS JOIN %1$I.setting AS s
			LEFT JOIN %2$s AS l ON w.is_last AND l.%3$I = w.lead_id
			CROSS JOIN LATERAL (SELECT l.stage <> w.to_stage OR l.cycle <> w.cycle) AS a (astray)
			-- loaded moves that hardly happened so: back on the path; to the path
			-- from its end, first of all; or from a date to a time on that day
			CROSS JOIN LATERAL (SELECT w.loaded AND NOT w.repeats AND w.left_place > w.place
								AND NOT @extschema@._is_exit(w.milestone::text)
								AND ((@extschema@._is_on_path(w.milestone::text) AND
									  (@extschema@._is_on_path(w.left_milestone::text) OR
									   (w.begun = 1 AND NOT @extschema@._is_on_path(w.first_milestone::text) AND w.left_milestone <> 'nurture'))) OR
									 (w.left_at < w.entered_at AND
									  w.left_at AT TIME ZONE s.time_zone = date_trunc('day', w.entered_at AT TIME ZONE s.time_zone)))) AS b (backwards)
			$query$, funnel, k.leads, k.key, @extschema@._history_query(funnel, odd.moves, k.key_type::text),
			@extschema@._is_among(key_column, odd.moves, k.key_type::text)) INTO moves;
		IF moves.n_missing > 0 THEN
			RETURN QUERY EXECUTE format($query$
				SELECT 'history_missing', 'error', 'stage_history', count(*),
					   'Leads ' || array_to_string(%4$s, ', ') || '.',
					   'Call rebuild_history().'
				FROM %2$s AS l
				WHERE NOT EXISTS (SELECT FROM %1$I.stage_history AS h
								  WHERE h.lead_id = l.%3$I AND h.voided_at IS NULL
								  AND NOT EXISTS (SELECT FROM %1$I.departure AS d
												  WHERE d.lead_id = h.lead_id AND d.last_move >= h.history_id))
				HAVING count(*) > 0
				$query$, funnel, k.leads, k.key, named);
		END IF;
		RETURN QUERY
			SELECT f.finding, f.severity, f.object, f.n, f.what || f.is_wrong, f.hint
			FROM (VALUES
				('stage_differs', 'error', 'lead', moves.n_astray, 'Leads ' || array_to_string(moves.astray, ', '),
				 ': stage or cycle is not that of their last move.',
				 'Call rebuild_history(), which goes by the history.'),
				('history_order', 'error', 'stage_history', moves.n_other, 'Rows ' || array_to_string(moves.other, ', '),
				 ': place, from_stage or cycle is not what the rows before say, or the row repeats the stage that the lead was in.',
				 'Call rebuild_history().'),
				('history_backwards', 'warning', 'stage_history', moves.n_back, 'Rows ' || array_to_string(moves.back, ', '),
				 ': loaded moves that lead back on the path.',
				 'Correct their dates under lead_qual.import, or void them by void_moves(); then call rebuild_history().'))
				AS f (finding, severity, object, n, what, is_wrong, hint)
			WHERE f.n > 0;

		-- as the history is, which may be about to change
		RETURN QUERY EXECUTE format($query$
			SELECT 'journey_differs', 'error', 'journey', count(*),
				   'Leads ' || array_to_string((array_agg(DISTINCT coalesce(j.lead_id, w.lead_id)::text))[:5], ', ')
					   || ': units are not what history, departures and log say.',
				   'Call repair_funnel().'
			FROM (SELECT * FROM %1$I.journey WHERE %5$s) AS j
			FULL JOIN (%2$s) AS w ON w.lead_id = j.lead_id AND w.cycle = j.cycle
			WHERE j.lead_id IS NULL OR w.lead_id IS NULL OR (%3$s) IS DISTINCT FROM (%4$s)
			HAVING count(*) > 0
			$query$, funnel, @extschema@._journey_query(funnel, odd.moves, k.key_type::text),
			(SELECT string_agg(format('j.%I', c.name), ', ') FROM @extschema@._journey_columns() AS c),
			(SELECT string_agg(format('w.%I', c.name), ', ') FROM @extschema@._journey_columns() AS c),
			@extschema@._is_among('lead_id'::text, odd.moves, k.key_type::text));
	END IF;

	--
	-- Caps
	--
	RETURN QUERY EXECUTE format($query$
		SELECT 'threshold_out_of_reach', 'warning', format('transition %%s', o.transition), 1::bigint,
			   format('It asks for %%s >= %%s, and the caps let nobody have more than %%s.', o.quantity, o.threshold, o.most),
			   'Raise or remove the caps (max_fit, max_engagement of the definition, max_points of rules), or lower the threshold.'
		FROM %1$I.definition AS d
		CROSS JOIN LATERAL @extschema@._out_of_reach($1, d.definition::text) AS o
		WHERE d.status = 'active'
		UNION ALL
		SELECT 'leads_at_cap', 'warning', c.cap, c.n,
			   format('Of %%s leads with a scorecard, %%s stand at the cap of %%s: their points do not tell them apart any more.',
					  c.of, c.n, trim_scale(c.most)),
			   format('Raise %%s of the active definition, or set it to NULL.', c.cap)
		FROM (SELECT v.cap, count(*), count(*) FILTER (WHERE v.points >= v.most), v.most
			  FROM %1$I.definition AS d
			  JOIN %2$s AS l ON d.max_fit IS NOT NULL OR d.max_engagement IS NOT NULL
			  CROSS JOIN LATERAL (VALUES
				  ('max_fit', d.max_fit,
				   CASE WHEN d.max_fit IS NOT NULL
						THEN @extschema@.fit(l.scorecard, greatest(@extschema@.funnel_now(), @extschema@.as_of(l.scorecard))) END),
				  ('max_engagement', d.max_engagement,
				   CASE WHEN d.max_engagement IS NOT NULL
						THEN @extschema@.engagement(l.scorecard, greatest(@extschema@.funnel_now(), @extschema@.as_of(l.scorecard))) END)
			  ) AS v (cap, most, points)
			  WHERE d.status = 'active' AND v.most IS NOT NULL AND l.scorecard IS NOT NULL
			  GROUP BY v.cap, v.most) AS c (cap, of, n, most)
		WHERE 3 * c.n >= c.of AND c.n > 0
		$query$, funnel, k.leads) USING funnel;

	--
	-- What time and policy have left behind
	--
	IF odd.card IS NULL OR odd.card <> '{}' THEN
		RETURN QUERY EXECUTE format($query$
			SELECT 'card_stale', 'warning', 'lead', count(*),
				   'Leads ' || array_to_string(%3$s, ', ') || ': not scored by the active definition as it is now.',
				   'Call sweep_funnel() regularly, or rescore_funnel() once.'
			FROM %2$s AS l
			CROSS JOIN (SELECT version FROM %1$I.definition WHERE status = 'active') AS d
			WHERE %4$s AND (l.scorecard IS NULL OR @extschema@.scored_version(l.scorecard) <> d.version)
			HAVING count(*) > 0
			$query$, funnel, k.leads, named, @extschema@._is_among(key_column, odd.card, k.key_type::text));
	END IF;
	RETURN QUERY EXECUTE format($query$
		SELECT 'review_overdue', 'warning', 'lead', count(*),
			   format('The oldest was due at %%s.', min(l.review_at)),
			   'Call sweep_funnel() every few minutes.'
		FROM %2$s AS l
		WHERE l.review_at < @extschema@.funnel_now() - interval '1 hour'
		HAVING count(*) > 0
		UNION ALL
		SELECT 'deal_ahead_of_stage', 'warning', l.stage, count(*),
			   format('Leads %%s: their deals say "%%s".', array_to_string(%3$s, ', '), t.stage),
			   format('SELECT * FROM why_not(%%L, lead, %%L) tells what the transition still needs.', %5$L::text, t.stage)
		FROM %2$s AS l
		JOIN %1$I.stage AS s ON s.stage = l.stage
		-- a stage that no transition leads to is one that the funnel goes without
		JOIN (SELECT DISTINCT ON (t.milestone) t.milestone, t.stage
			  FROM %1$I.stage AS t
			  JOIN %1$I.transition AS r ON r.to_stage = t.stage
			  JOIN %1$I.definition AS d ON d.definition = r.definition AND d.status = 'active'
			  ORDER BY t.milestone, t.position, t.stage) AS t
			ON t.milestone = CASE WHEN l.deals_won > 0 THEN 'customer' WHEN l.deals_open > 0 THEN 'opportunity'
								  WHEN l.deals_lost > 0 THEN 'lost' END
		WHERE %6$s AND s.milestone <> 'customer' AND
			  CASE t.milestone
				   WHEN 'customer'
				   THEN NOT EXISTS (SELECT FROM %1$I.stage_history AS h
									JOIN %1$I.stage AS was ON was.stage = h.to_stage
									WHERE h.lead_id = l.%4$I AND h.cycle = l.cycle
									AND h.voided_at IS NULL AND was.milestone = 'customer')
				   WHEN 'opportunity' THEN s.milestone <> 'opportunity'
				   -- a lead that deals have not moved yet is not lost with them
				   ELSE @extschema@._is_on_path(s.milestone::text)
						AND @extschema@._has_reached(s.milestone::text, 'sql'::text) END
		GROUP BY l.stage, t.stage
		UNION ALL
		SELECT 'stage_ahead_of_deals', 'warning', l.stage, count(*),
			   format('Leads %%s: none of their deals says "%%s" any more.', array_to_string(%3$s, ', '), l.stage),
			   format('Correct the deals, or take the moves back: SELECT void_moves(%%L, ARRAY[%%s], ''why'').', %5$L::text,
					  array_to_string((array_agg(l.history_id ORDER BY l.%4$I))[:5], ', '))
		FROM (SELECT DISTINCT ON (l.%4$I) l.%4$I, l.stage, s.milestone, l.deals_open + l.deals_lost AS n_deals, h.history_id, h.automatic
			  FROM %2$s AS l
			  JOIN %1$I.stage AS s ON s.stage = l.stage
			  JOIN %1$I.stage_history AS h ON h.lead_id = l.%4$I AND h.to_stage = l.stage AND h.entered_at = l.stage_entered_at
			  WHERE %6$s AND l.deals_won = 0 AND s.milestone IN ('opportunity', 'customer', 'lost') AND h.voided_at IS NULL
			  ORDER BY l.%4$I, h.ordinal DESC, h.history_id DESC) AS l
		-- whom somebody moved, or an import, need not have deals that are known
		WHERE CASE l.milestone
				   WHEN 'customer' THEN l.automatic OR l.n_deals > 0
				   WHEN 'opportunity' THEN l.automatic AND l.n_deals = 0
				   WHEN 'lost' THEN l.automatic AND l.n_deals = 0
				   ELSE false END
		GROUP BY l.stage
		UNION ALL
		SELECT f.finding, 'warning', 'deal', count(*),
			   format('Won deals %%s%%s', array_to_string((array_agg(d.deal_id ORDER BY d.deal_id))[:5], ', '), f.detail), f.hint
		FROM %1$I.deal AS d
		CROSS JOIN %1$I.setting AS s
		JOIN (VALUES ('deal_unpriced', ' have no amount: revenue lacks it.', 'Set deal.amount.'),
					 ('deal_undated', ' have no close date: no month and no SQL has their revenue.', 'Set deal.closed_at.'),
					 ('deal_foreign', ' are of another currency than the funnel''s: won_amount and revenue lack them.',
					  'Set deal.home_amount.')) AS f (finding, detail, hint)
			ON CASE f.finding WHEN 'deal_unpriced' THEN d.amount IS NULL AND d.home_amount IS NULL
							  WHEN 'deal_undated' THEN d.closed_at IS NULL
							  ELSE d.amount IS NOT NULL AND d.home_amount IS NULL AND d.currency <> s.currency END
		WHERE d.status = 'won'
		GROUP BY f.finding, f.detail, f.hint
		$query$, funnel, k.leads, named, k.key, funnel,
		@extschema@._is_among(key_column, odd.deals, k.key_type::text));

	IF NOT coalesce(deep, true) THEN
		RETURN;
	END IF;

	--
	-- Facts
	--
	RETURN QUERY EXECUTE format($query$
		SELECT 'deals_differ', 'error', 'lead', count(*),
			   'Leads ' || array_to_string(%4$s, ', ') || ': deals are not counted as tables deal and deal_contact have them.',
			   'Call rebuild_history().'
		FROM %2$s AS l
		JOIN (SELECT * FROM (%5$s) AS of_all WHERE %6$s) AS d ON d.key = l.%3$I
		WHERE (l.deals_open, l.deals_won, l.deals_lost, l.won_amount)
			IS DISTINCT FROM (d.deals_open, d.deals_won, d.deals_lost, d.won_amount)
		HAVING count(*) > 0
		UNION ALL
		SELECT 'unknown_source', 'warning', s.source, sum(s.n)::bigint,
			   'Leads, activities and spending name it, and table "source" does not know it.',
			   'Add it to table "source".'
		FROM (SELECT source, count(*) AS n FROM %2$s GROUP BY source
			  UNION ALL SELECT source, count(*) FROM %1$I.spend GROUP BY source
			  UNION ALL SELECT source, count(*) FROM %1$I.activity GROUP BY source) AS s
		WHERE s.source IS NOT NULL
		AND NOT EXISTS (SELECT FROM %1$I.source AS known WHERE known.source = s.source)
		GROUP BY s.source
		UNION ALL
		SELECT 'unknown_kind', 'warning', a.kind, a.n,
			   'Only rules of any kind count such activities.',
			   'Add it to table "kind" and call rescore_funnel().'
		FROM (SELECT kind, count(*) AS n FROM %1$I.activity GROUP BY kind) AS a
		WHERE NOT EXISTS (SELECT FROM %1$I.kind AS known WHERE known.kind = a.kind)
		UNION ALL
		SELECT 'future_activity', 'warning', 'activity', count(*),
			   format('The furthest ahead is of %%s; what leads did counts as of when it was recorded, what others plan not before its row is updated after its time.',
					  max(a.occurred_at)),
			   'Does a sender''s clock run fast, or a date lack its time zone?'
		FROM %1$I.activity AS a
		WHERE a.occurred_at <> @extschema@._counts_at(a.occurred_at::timestamptz, a.recorded_at::timestamptz)
		HAVING count(*) > 0
		$query$, funnel, k.leads, k.key, named, @extschema@._deals_query(funnel, k.leads, k.key),
		@extschema@._is_among('key'::text, odd.counts, k.key_type::text));
	RETURN QUERY EXECUTE format($query$
		SELECT 'answers_differ', 'error', 'lead', count(*),
			   'Leads ' || array_to_string(%4$s, ', ') || ': %6$s or answers are not the latest of the log.',
			   'Call rebuild_history().'
		FROM %2$s AS l
		JOIN (%5$s) AS a ON a.lead_id = l.%3$I
		WHERE %7$s
		OR coalesce(a.others, l.answers) <> l.answers
		HAVING count(*) > 0
		UNION ALL
		SELECT 'account_missing', 'error', 'lead', count(*),
			   'Leads ' || array_to_string(%4$s, ', ') || ': table "account" does not have theirs.',
			   'Set account_id to NULL, and create the foreign key again.'
		FROM %2$s AS l
		WHERE l.account_id IS NOT NULL
		AND NOT EXISTS (SELECT FROM %1$I.account AS a WHERE a.account_id = l.account_id)
		HAVING count(*) > 0
		UNION ALL
		SELECT 'lead_missing', 'error', f.relation, count(*),
			   format('Of leads such as %%s, which do not exist: triggers did not fire.', min(f.lead)),
			   format('Insert the leads again, or DELETE FROM %%I.%%I WHERE lead_id NOT IN (SELECT %%I FROM %%s).',
					  %1$L::text, f.relation, %3$L::text, %2$L::text)
		FROM (SELECT 'activity', lead_id::text FROM %1$I.activity AS a
			  WHERE NOT EXISTS (SELECT FROM %2$s AS l WHERE l.%3$I = a.lead_id)
			  UNION ALL
			  SELECT 'answer', lead_id::text FROM %1$I.answer AS a
			  WHERE NOT EXISTS (SELECT FROM %2$s AS l WHERE l.%3$I = a.lead_id)
			  UNION ALL
			  SELECT 'lead_alias', lead_id::text FROM %1$I.lead_alias AS a
			  WHERE NOT EXISTS (SELECT FROM %2$s AS l WHERE l.%3$I = a.lead_id)
			  UNION ALL
			  SELECT 'verdict', lead_id::text FROM %1$I.verdict AS v
			  WHERE NOT EXISTS (SELECT FROM %2$s AS l WHERE l.%3$I = v.lead_id)
			  UNION ALL
			  SELECT 'baseline', lead_id::text FROM %1$I.baseline AS b
			  WHERE NOT EXISTS (SELECT FROM %2$s AS l WHERE l.%3$I = b.lead_id)) AS f (relation, lead)
		GROUP BY f.relation
		UNION ALL
		SELECT 'baseline_unused', 'info', r.name, count(*),
			   'Archived activities gave points by a rule that the active definition lacks.',
			   'A rule of the same name would go on with them.'
		FROM %1$I.baseline AS b
		CROSS JOIN LATERAL @extschema@.explain_score(b.scorecard, greatest(@extschema@.as_of(b.scorecard),
																		   @extschema@.funnel_now())) AS e
		JOIN %1$I.rule AS r ON r.rule_id = e.rule_id
		WHERE NOT EXISTS (SELECT FROM %1$I.rule AS heir
						JOIN %1$I.definition AS d ON d.definition = heir.definition
						WHERE d.status = 'active' AND heir.axis = 'engagement' AND
							  (heir.rule_id = e.rule_id OR heir.name = r.name))
		GROUP BY r.name
		$query$, funnel, k.leads, k.key, named, @extschema@._answers_query(funnel),
		array_to_string(@extschema@._frameworks(), ', '),
		@extschema@._each_framework('l.%1$I::jsonb || coalesce(a.levels -> %1$L, ''{}'') <> l.%1$I::jsonb'::text,
									' OR '::text));
END
$body$;

COMMENT ON FUNCTION check_funnel(text, boolean) IS
'what is wrong with a funnel, a row a finding, none where all is well; deep also weighs the log of every lead anew, seeks the first touches of units in it, and looks at deals, answers, accounts, sources and kinds';
--
-- Renaming: what names a stage, kind, source, reason, list or rule follows
--

-- Where names are kept, in the order in which the tables are locked: as those
-- do who write facts, then leads, then what is told of them.  "only" is a
-- condition on a row t, of a funnel %1$I, under which its column has the name
-- in the sense that is meant; scope ($3) is the stage that a reason applies
-- to, or the definition of a rule.
CREATE FUNCTION _name_uses(what text)
RETURNS TABLE (relation text, attribute text, only_where text, place integer)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT u.relation, u.attribute, u.only_where, u.place::integer
	FROM (VALUES
		('kind', 'activity', 'kind', NULL, 1),
		('source', 'activity', 'source', NULL, 1),
		('reason', 'deal', 'reason',
		 't.status = ''lost'' AND EXISTS (SELECT FROM %1$I.stage AS s WHERE s.stage = $3 AND s.milestone = ''lost'')', 2),
		('source', 'spend', 'source', NULL, 3),
		('stage', 'lead', 'stage', NULL, 4),
		('source', 'lead', 'source', NULL, 4),
		('stage', 'journey', 'mql_stage', NULL, 5),
		('reason', 'journey', 'exit_reason',
		 'EXISTS (SELECT FROM %1$I.stage_history AS h WHERE h.lead_id = t.lead_id AND h.cycle = t.cycle '
		 'AND h.entered_at = t.exited_at AND h.to_stage = $3)', 5),
		('stage', 'stage_history', 'from_stage', NULL, 6),
		('stage', 'stage_history', 'to_stage', NULL, 6),
		('source', 'stage_history', 'source', NULL, 6),
		('reason', 'stage_history', 'reason', 't.to_stage = $3', 6),
		('stage', 'signature', 'to_stage', NULL, 7),
		('stage', 'transition', 'from_stage', NULL, 8),
		('stage', 'transition', 'to_stage', NULL, 8),
		('reason', 'transition', 'reason', 't.to_stage = $3', 8),
		('kind', 'rule', 'kind', NULL, 9),
		('stage', 'reason', 'applies_to', NULL, 10),
		('rule', 'reason', 'rule',
		 'EXISTS (SELECT FROM %1$I.definition AS d WHERE d.definition = $3 AND d.status = ''active'')', 10),
		('stage', 'message', 'stages', NULL, 11),
		('stage', 'content', 'stages', NULL, 12)) AS u (what, relation, attribute, only_where, place)
	WHERE u.what = $1
	UNION ALL
	SELECT 'journey', c.name, NULL, 5 FROM @extschema@._journey_columns() AS c
	WHERE $1 = 'source' AND c.name ~ '^(.*_)?source$'
	ORDER BY 4 $body$;

COMMENT ON FUNCTION _name_uses(text) IS
'the columns that hold names of stages, kinds, sources, reasons or rules, by the table that they stand in';

CREATE FUNCTION _rename_in_condition(condition text, what text, columns text[], before text, after text,
									 OUT renamed text, OUT problem text, OUT lists text[], OUT others text[])
RETURNS record
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _rename_in_condition(text, text, text[], text, text) IS
'a condition with another name in it, or why it would mean something else; lists: operators and lists that the column is held against; others: lists that something else is';

-- The spellings, in a condition, of the column that holds names of that sort.
CREATE FUNCTION _name_columns(what text, of_activity boolean) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT CASE
		WHEN what = 'source' THEN ARRAY['source', CASE WHEN of_activity THEN 'activity.source' ELSE 'lead.source' END]
		WHEN what = 'kind' AND of_activity THEN ARRAY['kind', 'activity.kind', 'kind.kind']
		WHEN what IN ('stage', 'reason') AND NOT of_activity THEN ARRAY[what, 'lead.' || what]
		ELSE '{}' END $body$;

COMMENT ON FUNCTION _name_columns(text, boolean) IS
'how conditions spell the column that holds a stage, kind, source or reason';

-- Rows are told with the names of today, in the history and in what the rules
-- were.  A condition of then that uses the name in another way stays.
CREATE FUNCTION _renamed_row(what text, relation text, content jsonb, before text, after text, scope text) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $body$
DECLARE
	attribute text;
	of_scope constant boolean := CASE what WHEN 'reason' THEN scope IN (content ->> 'to_stage', content ->> 'applies_to')
									  WHEN 'rule' THEN content ->> 'definition' = scope
									  ELSE true END;
	spelled text[];
	changed text;
BEGIN
	IF content IS NULL OR of_scope IS NOT TRUE THEN
		RETURN content;
	END IF;
	FOR attribute IN
		SELECT CASE what WHEN 'rule' THEN 'name' ELSE what END WHERE what = relation
		UNION ALL
		SELECT u.attribute FROM @extschema@._name_uses(what::text) AS u
		WHERE u.relation = _renamed_row.relation AND what <> 'rule'
	LOOP
		IF content ->> attribute = before THEN
			content := jsonb_set(content, ARRAY[attribute], to_jsonb(after));
		END IF;
	END LOOP;
	IF relation NOT IN ('rule', 'transition') THEN
		RETURN content;
	END IF;
	spelled := @extschema@._name_columns(what::text, coalesce(content ->> 'axis' = 'engagement', false)::boolean);
	FOREACH attribute IN ARRAY '{condition,condition_sql}'::text[] LOOP
		IF strpos(content ->> attribute, before) > 0 THEN
			SELECT CASE WHEN r.problem IS NULL THEN r.renamed END INTO changed
			FROM @extschema@._rename_in_condition((content ->> attribute)::text, what::text, spelled::text[], before::text, after::text) AS r;
			content := jsonb_set(content, ARRAY[attribute], to_jsonb(coalesce(changed, content ->> attribute)));
		END IF;
	END LOOP;
	RETURN content;
END
$body$;

COMMENT ON FUNCTION _renamed_row(text, text, jsonb, text, text, text) IS
'a row of policy as definition_log has it, with another name in it';

-- A table of the funnel's owner's; what else stands under a name of ours is left
-- alone, since its triggers would run as the owner.
CREATE FUNCTION _named_table(funnel text, relation text) RETURNS oid
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT t.oid
	FROM pg_namespace AS n
	JOIN pg_class AS s ON s.relnamespace = n.oid AND s.relname = 'setting'
	JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = relation
	JOIN pg_class AS t ON t.oid = CASE relation WHEN 'lead' THEN @extschema@._lead_table(n.oid::oid)::oid ELSE c.oid END
	WHERE n.nspname = funnel AND t.relkind IN ('r', 'p') AND t.relowner = s.relowner $body$;

COMMENT ON FUNCTION _named_table(text, text) IS
'a table of a funnel that belongs to its owner; of leads, the table that holds them';

-- Does a list match a name, once, and always?
CREATE FUNCTION _list_says(funnel text, held_against text, name text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	says text;
BEGIN
	EXECUTE format('SELECT concat(bool_or($1 OPERATOR(pg_catalog.%s) value), bool_and($1 OPERATOR(pg_catalog.%1$s) value)) '
				   'FROM %I.list WHERE list = $2', split_part(held_against, ' ', 1), funnel)
		INTO says USING name, split_part(held_against, ' ', 2);
	RETURN says;
END
$body$;

COMMENT ON FUNCTION _list_says(text, text, text) IS
'what a comparison of a name with the values of a list gives: of any, of all; held_against: operator and list';

-- Does a condition name a list?
CREATE FUNCTION _list_is_named(funnel text, list text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $body$
DECLARE
	found_one boolean;
BEGIN
	EXECUTE format('SELECT EXISTS (SELECT FROM (SELECT condition FROM %1$I.rule UNION ALL SELECT condition FROM %1$I.transition) AS c, '
				   'LATERAL @extschema@._rename_in_condition(c.condition::text, ''list''::text, ''{}''::text[], $1::text, ($1 || ''_'')::text) AS r '
				   'WHERE r.renamed <> c.condition)', funnel)
		INTO found_one USING list;
	RETURN found_one;
END
$body$;

COMMENT ON FUNCTION _list_is_named(text, text) IS
'does a condition of a funnel name that list?';

-- Part of the trigger on the table of names, which has the row renamed already.
-- It runs as the funnel's owner and as a replica does: no trigger judges,
-- records or counts what is written.
CREATE FUNCTION _rename(funnel text, what text, before text, after text, scope text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $body$
DECLARE
	use record;
	item record;
	sql_form record;
	text_form record;
	spelled text[];
	against text[] := '{}';
	beside text[] := '{}';
	was text[] := '{}';
	found_now text;
	target text;
	taken boolean;
BEGIN
	IF current_setting('session_replication_role') <> 'replica' THEN
		RAISE EXCEPTION 'renaming is the work of a trigger'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = format('UPDATE %I.%I.', funnel, what);
	END IF;

	-- Writers wait, and each statement from then on sees what they did before.
	FOR target IN
		SELECT c.oid::regclass::text
		FROM (SELECT u.relation, u.place FROM @extschema@._name_uses(what::text) AS u
			  UNION SELECT 'lead', 4 UNION SELECT 'transition', 8 UNION SELECT 'rule', 9) AS t (relation, place)
		JOIN LATERAL @extschema@._named_table(funnel::text, t.relation::text) AS c (oid) ON c.oid IS NOT NULL
		ORDER BY t.place
	LOOP
		EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', target);
	END LOOP;

	FOR use IN
		SELECT u.relation, c.oid::regclass AS target, bool_or(u.attribute = 'stages') AS is_array,
			   string_agg(format('%1$I = CASE WHEN t.%1$I = $1 AND %2$s THEN $2 ELSE t.%1$I END', n.attribute, n.only_where), ', ') AS assigned,
			   string_agg(format('t.%I = $1 AND %s', n.attribute, n.only_where), ' OR ') AS has_old,
			   string_agg(format('t.%I = $2 AND %s', n.attribute, n.only_where), ' OR ') AS has_new
		FROM @extschema@._name_uses(what::text) AS u
		JOIN LATERAL @extschema@._named_table(funnel::text, u.relation::text) AS c (oid) ON c.oid IS NOT NULL
		JOIN LATERAL (SELECT coalesce((SELECT a.attname FROM @extschema@._lead_columns(funnel::text) AS l
									   JOIN pg_attribute AS a ON a.attrelid = l.relation AND a.attnum = l.attnum
									   WHERE u.relation = 'lead' AND l.name = u.attribute),
									  u.attribute),
							 coalesce(format(u.only_where, funnel), 'true')) AS n (attribute, only_where) ON true
		GROUP BY u.relation, c.oid, u.place
		ORDER BY u.place
	LOOP
		IF use.is_array THEN
			EXECUTE format('UPDATE %s SET stages = array_replace(stages, $1, $2) WHERE $1 = ANY (stages)', use.target)
				USING before, after;
			CONTINUE;
		END IF;
		-- what was called so without being in the table of names would be taken for this
		EXECUTE format('SELECT EXISTS (SELECT FROM %s AS t WHERE %s)', use.target, use.has_new)
			INTO taken USING before, after, scope;
		IF taken THEN
			RAISE EXCEPTION '% "%" is named already', what, after
				USING ERRCODE = 'unique_violation',
					  DETAIL = format('Rows of "%s" name it, which would be taken for those of "%s".', use.relation, before),
					  HINT = 'Rename to what nothing is called, or change those rows first.',
					  SCHEMA = funnel, TABLE = what;
		END IF;
		EXECUTE format('UPDATE %s AS t SET %s WHERE %s', use.target, use.assigned, use.has_old)
			USING before, after, scope;
	END LOOP;

	FOR item IN EXECUTE format($query$
		SELECT 'rule' AS relation, 'rule_id' AS key, rule_id AS id, definition, axis = 'engagement' AS of_activity, NULL AS to_stage,
			   format('rule "%%s" of definition "%%s"', name, definition) AS label, condition, condition_sql
		FROM %1$I.rule WHERE condition IS NOT NULL
		UNION ALL
		SELECT 'transition', 'transition_id', transition_id, definition, false, to_stage,
			   format('the transition %%sto "%%s" of definition "%%s"', 'from "' || from_stage || '" ', to_stage, definition),
			   condition, condition_sql
		FROM %1$I.transition WHERE condition IS NOT NULL
		ORDER BY 1, 3 $query$, funnel)
	LOOP
		-- each definition has rules of its own
		CONTINUE WHEN what = 'rule' AND (item.relation <> 'transition' OR item.definition <> scope);
		spelled := CASE WHEN what = 'reason' AND item.to_stage IS DISTINCT FROM scope THEN '{}'
						ELSE @extschema@._name_columns(what::text, item.of_activity::boolean) END;
		SELECT r.* INTO text_form
		FROM @extschema@._rename_in_condition(item.condition::text, what::text, spelled::text[], before::text, after::text) AS r;
		SELECT r.* INTO sql_form
		FROM @extschema@._rename_in_condition(coalesce(item.condition_sql, 'true')::text, what::text, spelled::text[], before::text, after::text) AS r;
		IF text_form.problem IS NOT NULL OR sql_form.problem IS NOT NULL THEN
			RAISE EXCEPTION '% "%" cannot be renamed', what, before
				USING ERRCODE = 'dependent_objects_still_exist',
					  DETAIL = format('The condition of %s does not follow: %s', item.label, coalesce(text_form.problem, sql_form.problem)),
					  HINT = CASE WHEN what IN ('list', 'rule') THEN 'Change that condition first, or choose another name.'
							 ELSE format('Change that condition first: where it means the %1$s, compare the column "%1$s" with a string.', what) END,
					  SCHEMA = funnel, TABLE = what;
		END IF;
		against := against || text_form.lists;
		beside := beside || text_form.others;
		IF text_form.renamed <> item.condition OR sql_form.renamed <> item.condition_sql THEN
			EXECUTE format('UPDATE %I.%I SET condition = $2, condition_sql = $3 WHERE %I = $1', funnel, item.relation, item.key)
				USING item.id, text_form.renamed, CASE WHEN item.condition_sql IS NOT NULL THEN sql_form.renamed END;
		END IF;
	END LOOP;

	-- A list that the column is held against has the new name in the place of
	-- the old one, and says of it what it said.
	SELECT coalesce(array_agg(DISTINCT a ORDER BY a), '{}') INTO against FROM unnest(against) AS a;
	FOR n IN 1 .. cardinality(against) LOOP
		was := was || @extschema@._list_says(funnel::text, against[n]::text, before::text);
	END LOOP;
	FOR target IN SELECT DISTINCT split_part(a, ' ', 2) FROM unnest(against) AS a ORDER BY 1 LOOP
		EXECUTE format('SELECT string_agg(DISTINCT value, '','') FROM %I.list WHERE list = $1 AND value IN ($2, $3)', funnel)
			INTO found_now USING target, before, after;
		CONTINUE WHEN found_now IS NULL;
		IF found_now <> before OR target = ANY (beside) THEN
			RAISE EXCEPTION '% "%" cannot be renamed', what, before
				USING ERRCODE = 'dependent_objects_still_exist',
					  DETAIL = CASE WHEN found_now <> before THEN format('List "%s", which it is held against, has "%s" already.', target, after)
									ELSE format('List "%s", which it is held against, has its name, but something else is held against that list, too.', target) END,
					  HINT = 'Change the values of the list first, or the conditions that name it.',
					  SCHEMA = funnel, TABLE = what;
		END IF;
		EXECUTE format('UPDATE %I.list SET value = $3 WHERE list = $1 AND value = $2', funnel)
			USING target, before, after;
		EXECUTE format('UPDATE %I.definition_log SET '
					   'old_row = CASE WHEN old_row @> $1 THEN old_row || $2 ELSE old_row END, '
					   'new_row = CASE WHEN new_row @> $1 THEN new_row || $2 ELSE new_row END '
					   'WHERE relation = ''list'' AND (old_row @> $1 OR new_row @> $1)', funnel)
			USING jsonb_build_object('list', target, 'value', before), jsonb_build_object('value', after);
	END LOOP;
	FOR n IN 1 .. cardinality(against) LOOP
		IF @extschema@._list_says(funnel::text, against[n]::text, after::text) <> was[n] THEN
			RAISE EXCEPTION '% "%" cannot be renamed', what, before
				USING ERRCODE = 'dependent_objects_still_exist',
					  DETAIL = format('List "%s", which it is held against, would match it otherwise by its new name, "%s".',
									  split_part(against[n], ' ', 2), after),
					  HINT = 'Change the values of the list first, or choose another name.',
					  SCHEMA = funnel, TABLE = what;
		END IF;
	END LOOP;

	EXECUTE format('UPDATE %1$I.definition_log AS l SET old_row = r.old_row, new_row = r.new_row '
				   'FROM (SELECT log_id, @extschema@._renamed_row($1::text, relation::text, old_row::jsonb, $2::text, $3::text, $4::text) AS old_row, '
				   '@extschema@._renamed_row($1::text, relation::text, new_row::jsonb, $2::text, $3::text, $4::text) AS new_row '
				   'FROM %1$I.definition_log WHERE operation <> ''renamed'') AS r '
				   'WHERE r.log_id = l.log_id AND (l.old_row <> r.old_row OR l.new_row <> r.new_row)', funnel)
		USING what, before, after, scope;
END
$body$;

COMMENT ON FUNCTION _rename(text, text, text, text, text) IS
'part of a trigger: what names a stage, kind, source, reason (scope: the stage it applies to), list or rule (scope: its definition) follows its new name';
--
-- Definitions: copied, compared, tried, signed, activated, looked up
--
-- One is edited in place, or copied, edited as a draft and activated.
--

-- Raises unless the funnel has that definition.
CREATE FUNCTION _require_definition(funnel text, definition text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	known text[];
BEGIN
	PERFORM @extschema@._funnel_schema(funnel);
	EXECUTE format('SELECT array_agg(d.definition ORDER BY d.definition) FROM %I.definition AS d', funnel)
		INTO known;
	IF definition = ANY (known) THEN
		RETURN;
	END IF;
	RAISE EXCEPTION 'definition "%" does not exist in funnel "%"', @extschema@._clip(definition::text), funnel
		USING ERRCODE = 'undefined_object',
			  HINT = format('The definitions are: %s.', array_to_string(known, ', '));
END
$body$;

COMMENT ON FUNCTION _require_definition(text, text) IS
'raises unless the funnel has that definition';

-- Columns that the user added to a table go along.
CREATE FUNCTION _copy_rows(funnel text, relation text, definition text, new_definition text,
						   fixed text[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	columns text;
BEGIN
	SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns
	FROM pg_attribute AS a
	WHERE a.attrelid = format('%I.%I', funnel, relation)::regclass
	AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = ''
	AND a.attname <> ALL (fixed || '{definition}'::text[]);
	EXECUTE format('INSERT INTO %1$I.%2$I (definition, %3$s) SELECT $2, %3$s FROM %1$I.%2$I '
				   'WHERE definition = $1 ORDER BY %4$I', funnel, relation, columns,
				   CASE relation WHEN 'definition' THEN 'definition' ELSE relation || '_id' END)
		USING definition, new_definition;
END
$body$;

COMMENT ON FUNCTION _copy_rows(text, text, text, text, text[]) IS
'copies the rows of a definition in one table, but for the fixed columns';

CREATE FUNCTION copy_definition(funnel text, definition text, new_definition text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'copy_definition'::text);
	PERFORM @extschema@._require_definition(funnel, definition);
	IF new_definition IS NULL THEN
		RAISE EXCEPTION 'name of a definition must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM @extschema@._copy_rows(funnel, 'definition'::text, definition, new_definition,
		'{status,version,agreed_by_marketing,agreed_by_sales,agreed_at}'::text[]);
	-- rules first: transitions name them
	PERFORM @extschema@._copy_rows(funnel, 'rule'::text, definition, new_definition, '{condition_sql}'::text[]);
	PERFORM @extschema@._copy_rows(funnel, 'transition'::text, definition, new_definition, '{condition_sql}'::text[]);
END
$body$;

COMMENT ON FUNCTION copy_definition(text, text, text) IS
'copies a definition with its rules and transitions, as a draft of another name';

CREATE FUNCTION activate_definition(funnel text, definition text, existing text DEFAULT 'keep') RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	was text;
	risen integer;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'activate_definition'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'activate_definition'::text);
	PERFORM @extschema@._require_definition(funnel, definition);
	IF existing IS NULL OR existing NOT IN ('keep', 'move') THEN
		RAISE EXCEPTION 'unknown way to treat existing leads: "%"', @extschema@._clip(existing::text)
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'It is keep (they move on later facts only) or move (they move now).';
	END IF;
	-- one at a time: the next sees whom this one made the active one
	EXECUTE format('LOCK TABLE %I.definition IN SHARE ROW EXCLUSIVE MODE', funnel);
	EXECUTE format('SELECT d.status FROM %I.definition AS d WHERE d.definition = $1', funnel)
		INTO was USING definition;
	IF was = 'active' THEN
		RAISE EXCEPTION 'definition "%" is active already', definition
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'To score all leads anew by it, call rescore_funnel().';
	END IF;

	-- In one statement, and the old one first, so that there is exactly one
	-- at every instant.
	EXECUTE format($query$
		WITH old AS (
			UPDATE %1$I.definition SET status = 'retired' WHERE status = 'active' RETURNING 1
		)
		UPDATE %1$I.definition AS d SET status = 'active'
		WHERE (SELECT count(*) FROM old) >= 0 AND d.definition = $1
		RETURNING d.version $query$, funnel)
		INTO risen USING definition;

	IF existing = 'move' THEN
		PERFORM @extschema@.rescore_funnel(funnel, true);
	END IF;
	RETURN risen;
END
$body$;

COMMENT ON FUNCTION activate_definition(text, text, text) IS
'makes a definition the active one and retires the one that was; existing leads keep their stages until something happens, or (move) are rescored and moved now; returns its new version; activating the old one undoes it';

--
-- Looking before it counts
--
-- What activation with "move" would do is done, noted, and undone.
CREATE FUNCTION preview_definition(funnel text, definition text)
RETURNS TABLE (lead text, from_stage text, to_stage text, score_now numeric, score_then numeric,
			   source text, past_units bigint, past_customers bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_column
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	became integer;
	moved jsonb;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'preview_definition'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'preview_definition'::text);
	PERFORM @extschema@._require_definition(funnel, definition);
	BEGIN
		-- nobody need have signed what is only looked at
		EXECUTE format('UPDATE %I.definition AS d SET sides = NULL WHERE d.definition = $1', funnel)
			USING definition;
		EXECUTE format('SELECT d.version FROM %I.definition AS d WHERE d.definition = $1 AND d.status = ''active''', funnel)
			INTO became USING definition;
		IF became IS NULL THEN
			became := @extschema@.activate_definition(funnel, definition, 'keep'::text);
		END IF;
		EXECUTE format('CREATE TEMP TABLE _lead_qual_before ON COMMIT DROP AS '
					   'SELECT %2$I AS key, stage FROM %1$s', k.leads, k.key);
		PERFORM @extschema@.rescore_funnel(funnel, true);
		EXECUTE format($query$
			SELECT jsonb_agg(jsonb_build_object('lead', l.%2$I::text, 'was', b.stage, 'becomes', l.stage,
												'score', @extschema@.score(l.scorecard,
													greatest(@extschema@.funnel_now(),
															 @extschema@.as_of(l.scorecard))))
							 ORDER BY l.%2$I)
			FROM %1$s AS l
			JOIN pg_temp._lead_qual_before AS b ON b.key = l.%2$I
			WHERE b.stage <> l.stage $query$, k.leads, k.key)
			INTO moved;
		RAISE EXCEPTION USING ERRCODE = 'LQ000';
	EXCEPTION WHEN SQLSTATE 'LQ000' THEN
		NULL;
	END;

	-- past entries are counted once, by stage and source
	RETURN QUERY EXECUTE format($query$
		WITH moved AS MATERIALIZED (
			SELECT m.n, m.lead, m.was, m.becomes, m.score, l.source::text AS source,
				   @extschema@.score(l.scorecard, greatest(@extschema@.funnel_now(),
														   @extschema@.as_of(l.scorecard))) AS score_now
			FROM ROWS FROM (jsonb_to_recordset($1) AS (lead text, was text, becomes text, score numeric))
				WITH ORDINALITY AS m (lead, was, becomes, score, n)
			JOIN %2$s AS l ON l.%3$I::text = m.lead
		), entry AS (
			SELECT h.to_stage, coalesce(h.source, '') AS source, h.lead_id, h.cycle, min(h.entered_at) AS entered_at
			FROM %1$I.stage_history AS h
			WHERE h.voided_at IS NULL AND h.to_stage IN (SELECT v.becomes FROM moved AS v)
			GROUP BY h.to_stage, coalesce(h.source, ''), h.lead_id, h.cycle
		), customer AS (
			SELECT h.lead_id, h.cycle, max(h.entered_at) AS last_at
			FROM %1$I.stage_history AS h
			JOIN %1$I.stage AS s ON s.stage = h.to_stage
			WHERE h.voided_at IS NULL AND s.milestone = 'customer'
			GROUP BY h.lead_id, h.cycle
		), past AS (
			SELECT e.to_stage, e.source, count(*) AS units,
				   count(*) FILTER (WHERE c.last_at >= e.entered_at) AS customers
			FROM entry AS e
			LEFT JOIN customer AS c ON c.lead_id = e.lead_id AND c.cycle = e.cycle
			GROUP BY e.to_stage, e.source
		)
		SELECT v.lead, v.was, v.becomes, v.score_now, v.score, v.source,
			   coalesce(p.units, 0), coalesce(p.customers, 0)
		FROM moved AS v
		LEFT JOIN past AS p ON p.to_stage = v.becomes AND p.source = coalesce(v.source, '')
		ORDER BY v.n
		$query$, funnel, k.leads, k.key) USING coalesce(moved, '[]');
END
$body$;

COMMENT ON FUNCTION preview_definition(text, text) IS
'the leads that would move if the definition were activated with existing => ''move'' (for the active one: if all were rescored); past_units, past_customers: how many leads (each cycle for itself) of the same source ever entered that stage, and how many of them became customers in that cycle. Does it all and undoes it: it takes as long and holds the same locks meanwhile; preview a large funnel on a copy';

CREATE FUNCTION preview_load(funnel text, definition text)
RETURNS TABLE (stage text, owner_role text, entered_last_13_weeks bigint, entered_per_week numeric,
			   would_enter bigint, would_leave bigint, sales_capacity integer, weeks_of_capacity numeric)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_column
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'preview_load'::text);
	PERFORM @extschema@._require_definition(funnel, definition);
	RETURN QUERY EXECUTE format($query$
		WITH preview AS MATERIALIZED (
			SELECT * FROM @extschema@.preview_definition($1, $2)
		), entries AS (
			SELECT h.to_stage, count(DISTINCT (h.lead_id, h.cycle)) AS n
			FROM %1$I.stage_history AS h
			WHERE h.voided_at IS NULL AND h.entered_at <= @extschema@.funnel_now()
			AND h.entered_at > @extschema@.funnel_now() - interval '91 days'
			GROUP BY h.to_stage
		)
		SELECT s.stage, s.owner_role, coalesce(e.n, 0), @extschema@._per(coalesce(e.n, 0)::numeric, 13::numeric),
			   i.n, o.n, g.sales_capacity, @extschema@._per(i.n::numeric, g.sales_capacity::numeric)
		FROM %1$I.stage AS s
		CROSS JOIN %1$I.setting AS g
		LEFT JOIN entries AS e ON e.to_stage = s.stage
		CROSS JOIN LATERAL (SELECT count(*) AS n FROM preview AS p WHERE p.to_stage = s.stage) AS i
		CROSS JOIN LATERAL (SELECT count(*) AS n FROM preview AS p WHERE p.from_stage = s.stage) AS o
		ORDER BY s.position, s.stage $query$, funnel) USING funnel, definition;
END
$body$;

COMMENT ON FUNCTION preview_load(text, text) IS
'for each stage what is entered a week, as it was in the last 13 weeks, beside how many leads would enter and leave it at once by preview_definition(), and how many weeks of setting.sales_capacity those who enter would take. It does not tell how many would have entered in past weeks under the new definition: who the leads were then is not kept';

CREATE FUNCTION compare_definitions(funnel text, a text, b text)
RETURNS TABLE (relation text, item text, difference text, in_a text, in_b text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_column
BEGIN
	PERFORM @extschema@._require_definition(funnel, a);
	PERFORM @extschema@._require_definition(funnel, b);
	RETURN QUERY EXECUTE format($query$
		WITH item AS (
			SELECT d.definition, 1 AS rank, 'definition' AS relation, 'limits' AS item, 0 AS position,
				   to_jsonb(d) - '{definition,status,version,agreed_by_marketing,agreed_by_sales,agreed_at,review_by,note}'::text[] AS content
			FROM %1$I.definition AS d
			UNION ALL
			SELECT r.definition, 2, 'rule', r.name, 0,
				   to_jsonb(r) - '{rule_id,definition,name,condition_sql}'::text[]
			FROM %1$I.rule AS r
			UNION ALL
			-- transitions have no names: they are told apart by where they
			-- lead, and those between the same stages by their order
			SELECT t.definition, 3, 'transition',
				   format('%%s -> %%s', coalesce(t.from_stage, '(creation)'), t.to_stage)
				   || coalesce(' #' || NULLIF(row_number() OVER pair, 1), ''),
				   t.position, to_jsonb(t) - '{transition_id,definition,condition_sql}'::text[]
			FROM %1$I.transition AS t
			WINDOW pair AS (PARTITION BY t.definition, t.from_stage, t.to_stage
							ORDER BY t.position, t.transition_id)
		)
		SELECT coalesce(x.relation, y.relation), coalesce(x.item, y.item),
			   CASE WHEN x.item IS NULL THEN 'only in b' WHEN y.item IS NULL THEN 'only in a'
					ELSE 'changed' END,
			   l.in_a, l.in_b
		FROM (SELECT * FROM item AS i WHERE i.definition = $1) AS x
		FULL JOIN (SELECT * FROM item AS i WHERE i.definition = $2) AS y
			ON y.relation = x.relation AND y.item = x.item
		CROSS JOIN LATERAL (
			SELECT string_agg(format('%%s: %%s', k.key, x.content ->> k.key), ', ' ORDER BY k.key)
					   FILTER (WHERE x.content ->> k.key IS NOT NULL) AS in_a,
				   string_agg(format('%%s: %%s', k.key, y.content ->> k.key), ', ' ORDER BY k.key)
					   FILTER (WHERE y.content ->> k.key IS NOT NULL) AS in_b
			FROM jsonb_object_keys(coalesce(x.content, '{}') || coalesce(y.content, '{}')) AS k (key)
			WHERE x.content -> k.key IS DISTINCT FROM y.content -> k.key) AS l
		WHERE x.content IS DISTINCT FROM y.content
		ORDER BY coalesce(x.rank, y.rank), coalesce(x.position, y.position), 2
		$query$, funnel) USING a, b;
END
$body$;

COMMENT ON FUNCTION compare_definitions(text, text, text) IS
'what differs between two definitions: limits, rules by name, transitions by where they lead; for a changed one the columns that differ';

--
-- What the rules were
--
CREATE FUNCTION _policy_key(relation text, content jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE relation
	WHEN 'rule' THEN content ->> 'rule_id'
	WHEN 'transition' THEN content ->> 'transition_id'
	WHEN 'list' THEN jsonb_build_array(content -> 'list', content -> 'value')::text
	WHEN 'element' THEN jsonb_build_array(content -> 'framework', content -> 'element')::text
	WHEN 'reason' THEN jsonb_build_array(content -> 'applies_to', content -> 'reason')::text
	ELSE content ->> relation END;

COMMENT ON FUNCTION _policy_key(text, jsonb) IS
'key of a row of a table whose changes are in definition_log';

CREATE FUNCTION definition_at(funnel text, at timestamptz)
RETURNS TABLE (relation text, item text, content jsonb)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_column
BEGIN
	PERFORM @extschema@._funnel_schema(funnel);
	IF at IS NULL THEN
		RAISE EXCEPTION 'instant to look up a definition at must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	RETURN QUERY EXECUTE format($query$
		WITH log AS (
			SELECT l.*, @extschema@._policy_key(l.relation::text, l.old_row) AS old_key,
				   @extschema@._policy_key(l.relation::text, l.new_row) AS new_key
			FROM %1$I.definition_log AS l
			WHERE l.relation NOT IN ('calendar', 'holiday', 'reason', 'setting') AND l.operation <> 'renamed'
		), event AS (
			-- a row whose key changed is two: one went, one came
			SELECT l.relation, l.changed_at, l.log_id, l.new_key AS key, l.new_row AS after,
				   CASE WHEN l.old_key = l.new_key THEN l.old_row END AS before
			FROM log AS l WHERE l.new_row IS NOT NULL
			UNION ALL
			SELECT l.relation, l.changed_at, l.log_id, l.old_key, NULL, l.old_row
			FROM log AS l WHERE l.old_row IS NOT NULL
			AND (l.new_key <> l.old_key OR l.new_row IS NULL)
		), present AS (
			SELECT p.relation, @extschema@._policy_key(p.relation, p.content) AS key, p.content
			FROM (SELECT 'rule' AS relation, to_jsonb(r) AS content FROM %1$I.rule AS r
				  UNION ALL SELECT 'transition', to_jsonb(t) FROM %1$I.transition AS t
				  UNION ALL SELECT 'stage', to_jsonb(s) FROM %1$I.stage AS s
				  UNION ALL SELECT 'definition', to_jsonb(d) FROM %1$I.definition AS d
				  UNION ALL SELECT 'list', to_jsonb(v) FROM %1$I.list AS v
				  UNION ALL SELECT 'kind', to_jsonb(k) FROM %1$I.kind AS k
				  UNION ALL SELECT 'element', to_jsonb(e) FROM %1$I.element AS e) AS p
		), last AS (
			SELECT DISTINCT ON (v.relation, v.key) v.*
			FROM event AS v WHERE v.changed_at <= $1
			ORDER BY v.relation, v.key, v.changed_at DESC, v.log_id DESC
		), next AS (
			SELECT DISTINCT ON (v.relation, v.key) v.*
			FROM event AS v WHERE v.changed_at > $1
			ORDER BY v.relation, v.key, v.changed_at, v.log_id
		), emptied AS (
			SELECT DISTINCT ON (l.relation) l.relation, l.changed_at, l.log_id
			FROM log AS l WHERE l.operation = 'truncate' AND l.changed_at <= $1
			ORDER BY l.relation, l.changed_at DESC, l.log_id DESC
		), then_row AS (
			-- as the last change up to then left it, or as the first one after
			-- found it, or as it is
			SELECT i.relation, i.key,
				   CASE WHEN last.log_id IS NOT NULL
						THEN CASE WHEN (last.changed_at, last.log_id) < (e.changed_at, e.log_id) THEN NULL ELSE last.after END
						WHEN next.log_id IS NOT NULL THEN next.before
						ELSE p.content END AS content
			FROM (SELECT relation, key FROM event UNION SELECT relation, key FROM present) AS i
			LEFT JOIN emptied AS e ON e.relation = i.relation
			LEFT JOIN present AS p ON p.relation = i.relation AND p.key = i.key
			LEFT JOIN last ON last.relation = i.relation AND last.key = i.key
			LEFT JOIN next ON next.relation = i.relation AND next.key = i.key
		), active AS (
			SELECT t.key FROM then_row AS t
			WHERE t.relation = 'definition' AND t.content ->> 'status' = 'active'
		)
		SELECT t.relation,
			   CASE t.relation WHEN 'rule' THEN t.content ->> 'name'
				   WHEN 'transition' THEN format('%%s -> %%s', coalesce(t.content ->> 'from_stage', '(creation)'),
												 t.content ->> 'to_stage')
				   WHEN 'list' THEN t.content ->> 'list'
				   WHEN 'element' THEN format('%%s.%%s', t.content ->> 'framework', t.content ->> 'element')
				   ELSE t.key END,
			   t.content
		FROM then_row AS t
		WHERE t.content IS NOT NULL
		AND (t.relation NOT IN ('definition', 'transition', 'rule') OR
			 t.content ->> 'definition' IN (SELECT a.key FROM active AS a))
		ORDER BY array_position(ARRAY['definition', 'stage', 'transition', 'rule', 'list', 'kind', 'element'], t.relation),
				 CASE WHEN t.relation <> 'element' THEN (t.content ->> 'position')::integer END, 2, t.key $query$, funnel) USING at;
END
$body$;

COMMENT ON FUNCTION definition_at(text, timestamptz) IS
'the definition that was active at an instant, as it was then: its row, transitions and rules, and the stages, lists (a row a value), kinds and elements, read back from definition_log, by the names of today; for a move, take entered_at of stage_history. A row that was loaded under lead_qual.import is taken to have been as the first change after found it';

--
-- Signatures
--
CREATE FUNCTION sign_move(funnel text, lead text, stage text, note text DEFAULT NULL,
						  side text DEFAULT NULL) RETURNS text[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_variable
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	found_lead text;
	asked text[];
	signing text[] := '{}';
	each text;
	named name;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'sign_move'::text);
	found_lead := @extschema@._find_lead(funnel, lead);
	EXECUTE format($query$
		SELECT array_agg(DISTINCT a.side)
		FROM %1$I.transition AS t
		JOIN %1$I.definition AS d ON d.definition = t.definition AND d.status = 'active'
		CROSS JOIN unnest(t.sides) AS a (side)
		WHERE t.to_stage = $1 $query$, funnel)
		INTO asked USING stage;
	IF asked IS NULL THEN
		RAISE EXCEPTION 'no move to stage "%" asks for a signature', @extschema@._clip(stage::text)
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = format('Name the sides in column sides of %I.transition.', funnel);
	END IF;
	IF side IS NOT NULL AND side <> ALL (asked) THEN
		RAISE EXCEPTION 'no move to stage "%" asks for a signature of side "%"', @extschema@._clip(stage::text), @extschema@._clip(side::text)
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = format('The sides asked for are: %s.', array_to_string(asked, ', '));
	END IF;

	FOREACH each IN ARRAY CASE WHEN side IS NULL THEN asked ELSE ARRAY[side] END LOOP
		named := @extschema@._role_of_side(funnel, each);
		IF side IS NOT NULL OR
		   (EXISTS (SELECT FROM pg_roles WHERE rolname = named) AND pg_has_role(named, 'MEMBER')) THEN
			signing := signing || each;
			EXECUTE format('INSERT INTO %I.signature (lead_id, to_stage, side, note) VALUES ($1::%s, $2, $3, $4)',
						   funnel, k.key_type)
				USING found_lead, stage, each, note;
		END IF;
	END LOOP;
	IF signing = '{}' THEN
		RAISE EXCEPTION 'permission denied to sign for a move to stage "%"', stage
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('It asks for the signatures of: %s; "%s" is a member of none of their roles.',
								  array_to_string(asked, ', '), current_user),
				  HINT = format('The owner of the funnel names the roles in %I.side.', funnel);
	END IF;
	RETURN signing;
END
$body$;

COMMENT ON FUNCTION sign_move(text, text, text, text, text) IS
'agrees, for the sides that the caller is a member of (or for one), that a lead may move to a stage in its present cycle; whoever then asks for the move must be somebody else; returns the sides signed for';

CREATE FUNCTION sign_definition(funnel text, definition text, side text, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'sign_definition'::text);
	PERFORM @extschema@._require_definition(funnel, definition);
	EXECUTE format('INSERT INTO %I.signature (definition, side, note) VALUES ($1, $2, $3)', funnel)
		USING definition, side, note;
	-- its trigger puts down who agreed
	EXECUTE format('UPDATE %I.definition AS d SET agreed_at = d.agreed_at WHERE d.definition = $1', funnel)
		USING definition;
END
$body$;

COMMENT ON FUNCTION sign_definition(text, text, text, text) IS
'agrees to a definition as it is now for a side; any later change of its rules, or of stages, lists, kinds, elements, reasons, hours, holidays or the time zone, needs a new signature';
--
-- Qualification by any framework
--
-- Those of _frameworks() are types.  Every other framework is rows of "element", and
-- its answers are in lead.answers: {"champ": {"money": "yes"}}.  What the
-- types can be asked, that object can be asked too, in conditions as well.
--
CREATE FUNCTION answers_met(answers jsonb, framework text) RETURNS integer
AS 'MODULE_PATHNAME'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answers_met(jsonb, text) IS
'number of elements of a framework answered yes in lead.answers';

CREATE FUNCTION answers_known(answers jsonb, framework text) RETURNS integer
AS 'MODULE_PATHNAME'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answers_known(jsonb, text) IS
'number of elements of a framework answered no, partial or yes in lead.answers';

CREATE FUNCTION answers_refuted(answers jsonb, framework text) RETURNS integer
AS 'MODULE_PATHNAME'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answers_refuted(jsonb, text) IS
'number of elements of a framework answered no in lead.answers';

CREATE FUNCTION answers_level(answers jsonb, framework text, element text)
RETURNS answer_level
AS 'MODULE_PATHNAME'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION answers_level(jsonb, text, text) IS
'level of an element of a framework in lead.answers; unknown where there is none';

--
-- One lead, by a framework of any kind
--
CREATE FUNCTION _framework_levels(funnel text, lead text, framework text)
RETURNS TABLE (element text, label text, weight numeric, level answer_level)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k record;
	frameworks text;
BEGIN
	k := @extschema@._funnel_key(funnel);

	RETURN QUERY EXECUTE format($query$
		SELECT e.element, e.label, e.weight,
			   CASE e.framework
				   %5$s
				   ELSE @extschema@.answers_level(l.answers, e.framework, e.element)
			   END
		FROM %1$s AS l, %2$I.element AS e
		WHERE l.%3$I = $1::%4$s AND e.framework = $2
		ORDER BY e.position, e.element $query$, k.leads, funnel, k.key, k.key_type,
		@extschema@._each_framework('WHEN %1$L THEN l.%1$I OPERATOR(@extschema@.->) e.element'::text, ' '::text))
		USING lead, framework;

	IF NOT FOUND THEN
		EXECUTE format('SELECT string_agg(DISTINCT framework, '', '') FROM %I.element', funnel)
			INTO frameworks;
		RAISE EXCEPTION 'funnel "%" has no framework "%"', funnel, @extschema@._clip(framework::text)
			USING ERRCODE = 'undefined_object',
				  HINT = format('Its frameworks are: %s.', coalesce(frameworks, 'none'));
	END IF;
END
$body$;

COMMENT ON FUNCTION _framework_levels(text, text, text) IS
'framework_levels() of a lead, given by its key as text';

CREATE FUNCTION framework_levels(funnel text, lead text, framework text)
RETURNS TABLE (element text, label text, weight numeric, level answer_level)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN QUERY SELECT * FROM @extschema@._framework_levels(funnel, @extschema@._find_lead(funnel, lead), framework);
END
$body$;

COMMENT ON FUNCTION framework_levels(text, text, text) IS
'what a lead answered to each element of a framework, as the lead holds it now';

CREATE FUNCTION framework_verdict(funnel text, lead text, framework text,
								  need integer DEFAULT NULL,
								  unknown_as_no boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	elements bigint;
	met bigint;
	lost bigint;
BEGIN
	SELECT count(*), count(*) FILTER (WHERE f.level::text = 'yes'),
		   count(*) FILTER (WHERE f.level::text = 'no' OR (unknown_as_no AND f.level::text = 'unknown'))
		INTO elements, met, lost
	FROM @extschema@._framework_levels(funnel, @extschema@._find_lead(funnel, lead), framework) AS f;

	IF need < 0 OR need > elements THEN
		RAISE EXCEPTION 'number of elements needed must be between 0 and %', elements
			USING ERRCODE = 'invalid_parameter_value',
				  DETAIL = format('Framework "%s" has %s elements, %s are asked for.',
								  framework, elements, need);
	END IF;

	RETURN CASE WHEN met >= coalesce(need, elements) THEN 'qualified'
				WHEN elements - lost < coalesce(need, elements) THEN 'disqualified'
				ELSE 'open' END;
END
$body$;

COMMENT ON FUNCTION framework_verdict(text, text, text, integer, boolean) IS
'a lead by a framework: qualified when so many of its elements (all) are yes, disqualified when that cannot come any more, else open';

CREATE FUNCTION framework_score(funnel text, lead text, framework text,
								part numeric DEFAULT 0.5,
								OUT points numeric, OUT possible numeric,
								OUT share numeric)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	IF part IS NULL OR NOT part BETWEEN 0 AND 1 THEN
		RAISE EXCEPTION 'part of a weight must be between 0 and 1'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;

	SELECT sum(CASE f.level::text WHEN 'yes' THEN f.weight
					WHEN 'partial' THEN f.weight * part
					ELSE 0 END), sum(f.weight)
		INTO points, possible
	FROM @extschema@._framework_levels(funnel, @extschema@._find_lead(funnel, lead), framework) AS f;
	share := @extschema@._ratio(points, possible);
	points := @extschema@._points(points);
	possible := @extschema@._points(possible);
END
$body$;

COMMENT ON FUNCTION framework_score(text, text, text, numeric) IS
'sum of the weights of what a lead has met in a framework, a part of the weight for partial; what is possible; and the one over the other';

CREATE FUNCTION framework_gaps(funnel text, lead text, framework text) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN ARRAY(SELECT f.element
				 FROM @extschema@._framework_levels(funnel, @extschema@._find_lead(funnel, lead), framework) WITH ORDINALITY AS f
				 WHERE f.level::text <> 'yes' ORDER BY f.ordinality);
END
$body$;

COMMENT ON FUNCTION framework_gaps(text, text, text) IS
'the elements of a framework that a lead has not answered with yes';

--
-- What to say at which stage
--
CREATE FUNCTION may_send(funnel text, lead text, message text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	found_lead constant text := @extschema@._find_lead(funnel, lead);
	k constant record := @extschema@._funnel_key(funnel);
	known_message boolean;
	allowed boolean;
BEGIN
	EXECUTE format('SELECT EXISTS (SELECT FROM %I.message WHERE message = $1)', funnel)
		INTO known_message USING message;
	IF NOT known_message THEN
		RAISE EXCEPTION 'funnel "%" has no message "%"', funnel, @extschema@._clip(message::text)
			USING ERRCODE = 'undefined_object',
				  HINT = format('Describe it in table %I.message.', funnel);
	END IF;

	EXECUTE format($query$
		SELECT EXISTS (
			SELECT FROM %1$s AS l
			JOIN %2$I.stage AS st ON st.stage = l.stage
			JOIN %2$I.message AS m ON st.milestone = ANY (m.milestones)
				AND (m.stages IS NULL OR st.stage = ANY (m.stages))
			WHERE l.%3$I = $1::%4$s AND m.message = $2
			AND l.unsubscribed IS NOT TRUE) $query$, k.leads, funnel, k.key, k.key_type)
		INTO allowed USING found_lead, message;
	RETURN allowed;
END
$body$;

COMMENT ON FUNCTION may_send(text, text, text) IS
'may a lead be sent that kind of message at the stage where it is? never, if it is unsubscribed';

CREATE FUNCTION next_content(funnel text, lead text)
RETURNS TABLE (content_id bigint, title text, url text, topic text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	found_lead constant text := @extschema@._find_lead(funnel, lead);
	k constant record := @extschema@._funnel_key(funnel);
BEGIN
	RETURN QUERY EXECUTE format($query$
		SELECT c.content_id, c.title, c.url, c.topic
		FROM %1$s AS l
		JOIN %2$I.stage AS st ON st.stage = l.stage
		JOIN %2$I.content AS c ON st.milestone = ANY (c.milestones)
			AND (c.stages IS NULL OR st.stage = ANY (c.stages))
		WHERE l.%3$I = $1::%4$s
		AND NOT EXISTS (
			SELECT FROM %2$I.activity AS a
			WHERE a.lead_id = l.%3$I
			AND a.properties ->> 'content' IN (c.content_id::text, c.title))
		ORDER BY c.position, c.content_id $query$, k.leads, funnel, k.key, k.key_type)
		USING found_lead;
END
$body$;

COMMENT ON FUNCTION next_content(text, text) IS
'content for the stage where a lead is, in its order, without what an activity of the lead names (properties.content: id or title)';
--
-- Care of data: what grows old, comes twice or must go
--

-- The setting spares the leads what deletions would bring: no score changes.
CREATE FUNCTION archive_activities(funnel text, before timestamptz) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
SET lead_qual.import = on;

COMMENT ON FUNCTION archive_activities(text, timestamptz) IS
'folds activities from before an instant into baselines and deletes them, leaving scores as they are; returns how many. What rules gave for them stays as earned; views that read the log itself no longer see them, and one that is sent again counts again';

CREATE FUNCTION _join_baselines(scorecard, scorecard) RETURNS scorecard
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _join_baselines(scorecard, scorecard) IS
'the baselines of two leads as one; of two open windows of a frequency limit, the later goes on';

CREATE FUNCTION _rescore_lead(funnel text, lead text, move boolean) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _rescore_lead(text, text, boolean) IS
'scores one lead anew from its log; it stays in its stage unless move is true; false if there is none';

-- The lock comes first, and in key order, as triggers take them.
CREATE FUNCTION _lock_leads(funnel text, leads text[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	found_keys text[] := '{}';
	given text;
	key text;
BEGIN
	FOR key IN
		EXECUTE format('SELECT %2$I::text FROM %1$s WHERE %2$I IN (SELECT k::%3$s FROM unnest($1::text[]) AS k) ORDER BY %2$I FOR UPDATE',
					   k.leads, k.key, k.key_type)
		USING leads
	LOOP
		found_keys := found_keys || key;
	END LOOP;

	FOREACH given IN ARRAY leads LOOP
		EXECUTE format('SELECT $1::%s::text', k.key_type) INTO key USING given;
		IF key <> ALL (found_keys) THEN
			RAISE EXCEPTION 'funnel "%" has no lead with key "%"', funnel, @extschema@._clip(given::text)
				USING ERRCODE = 'no_data_found';
		END IF;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _lock_leads(text, text[]) IS
'locks leads, given by key; raises if one does not exist';

-- Triggers write that a lead has gone; who let it go says how.
CREATE FUNCTION _last_departure(funnel text, lead text) RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	last bigint;
BEGIN
	EXECUTE format('SELECT coalesce(max(departure_id), 0) FROM %I.departure WHERE lead_id = $1::%s', funnel, k.key_type)
		INTO last USING lead;
	RETURN last;
END
$body$;

COMMENT ON FUNCTION _last_departure(text, text) IS
'part of erase_lead() and merge_leads(): departure_id of the last departure under a key; 0: there was none';

CREATE FUNCTION _depart_as(funnel text, lead text, after bigint, how text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
BEGIN
	EXECUTE format('UPDATE %I.departure SET how = $3 WHERE lead_id = $1::%s AND departure_id > $2', funnel, k.key_type)
		USING lead, after, how;
END
$body$;

COMMENT ON FUNCTION _depart_as(text, text, bigint, text) IS
'part of erase_lead() and merge_leads(): says how a lead went that has just gone';

-- Units of two leads that are one person.  Those that overlap in time are one
-- attempt: the one that got further stays, of equals that of the lead that is
-- kept, and the moves of the other are void.  Units that do not overlap stay,
-- as cycles one after the other.  A unit lasts until its lead leaves; but who
-- has become a customer may well be an SQL once more.
CREATE FUNCTION _merge_units(funnel text, keep text, merge text) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	unit record;
	staying jsonb := '[]';
BEGIN
	FOR unit IN
		EXECUTE format($query$
			WITH each AS (
				SELECT j.lead_id, j.cycle, j.lead_id = $1::%2$s AS kept, j.started_at, j.customer_at,
					   coalesce(j.exited_at,
								(SELECT min(h.entered_at)
								 FROM %1$I.stage_history AS h
								 JOIN %1$I.stage AS s ON s.stage = h.to_stage
								 WHERE h.lead_id = j.lead_id AND h.cycle = j.cycle AND h.voided_at IS NULL
								 AND h.entered_at >= j.customer_at AND @extschema@._is_exit(s.milestone::text)),
								lead(j.started_at) OVER (PARTITION BY j.lead_id ORDER BY j.cycle),
								'infinity') AS ended_at,
					   (SELECT coalesce(max(m.n), 0)
						FROM unnest(ARRAY[j.lead_at, j.mql_at, j.sal_at, j.sql_at, j.opportunity_at, j.customer_at])
							WITH ORDINALITY AS m (at, n)
						WHERE m.at IS NOT NULL) AS reached
				FROM %1$I.journey AS j
				WHERE j.lead_id IN ($1::%2$s, $2::%2$s) AND j.gone_at IS NULL
			)
			SELECT *, @extschema@._has_reached((@extschema@._milestones())[reached], 'sql'::text) AS is_sql,
				   (SELECT array_agg(h.history_id) FROM %1$I.stage_history AS h
					WHERE h.lead_id = each.lead_id AND h.cycle = each.cycle
					AND (h.voided_at IS NULL OR h.from_stage = h.to_stage)) AS moves
			FROM each
			ORDER BY reached DESC, kept DESC, started_at
			$query$, funnel, k.key_type) USING keep, merge
	LOOP
		IF EXISTS (SELECT
				   FROM jsonb_to_recordset(staying)
					   AS o (kept boolean, started_at timestamptz, customer_at timestamptz,
							 ended_at timestamptz, is_sql boolean)
				   WHERE o.kept <> unit.kept
				   AND o.started_at <= least(unit.ended_at, CASE WHEN o.is_sql THEN unit.customer_at END)
				   AND unit.started_at <= least(o.ended_at, CASE WHEN unit.is_sql THEN o.customer_at END)) THEN
			PERFORM @extschema@._void(funnel, unit.moves, format('lead %s was merged into %s', merge, keep));
		ELSE
			staying := staying || to_jsonb(unit);
		END IF;
	END LOOP;
	RETURN (SELECT NOT o.kept
			FROM jsonb_to_recordset(staying) AS o (kept boolean, started_at timestamptz)
			ORDER BY o.started_at DESC LIMIT 1);
END
$body$;

COMMENT ON FUNCTION _merge_units(text, text, text) IS
'part of merge_leads(): voids the moves of units that overlap one that got further; whether where the person stands is told by the merged lead';

-- The moves of the merged lead's present life go to the lead that is kept; who
-- bore its key before were others.  Moves that an earlier life of the kept key
-- has seen the end of are of this one all the same: they get new numbers.
CREATE FUNCTION _merge_moves(funnel text, keep text, merge text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	moves bigint;
BEGIN
	EXECUTE format($query$
		UPDATE %1$I.stage_history AS h
		SET lead_id = $1::%2$s, history_id = m.number,
			cycle = CASE WHEN voided_at IS NULL OR from_stage = to_stage THEN - cycle ELSE cycle END
		FROM (SELECT o.history_id,
					 CASE WHEN o.seen THEN nextval(pg_get_serial_sequence($3, 'history_id')) ELSE o.history_id END AS number
			  FROM (SELECT a.history_id,
						   EXISTS (SELECT FROM %1$I.departure AS d
								   JOIN %1$I.stage_history AS b ON b.lead_id = $2::%2$s AND b.history_id <= d.last_move
								   WHERE d.lead_id = $1::%2$s) AS seen
					FROM %1$I.stage_history AS a
					WHERE a.lead_id = $2::%2$s
					AND NOT EXISTS (SELECT FROM %1$I.departure AS d WHERE d.lead_id = a.lead_id AND d.last_move >= a.history_id)
					ORDER BY a.history_id) AS o) AS m
		WHERE h.history_id = m.history_id $query$, funnel, k.key_type)
		USING keep, merge, format('%I.stage_history', funnel);
	GET DIAGNOSTICS moves = ROW_COUNT;
	RETURN moves;
END
$body$;

COMMENT ON FUNCTION _merge_moves(text, text, text) IS
'part of merge_leads(): gives a lead the moves of another''s present life; returns how many';

-- Everything but the score.  The setting spares both leads what triggers
-- would make of half-done work.
CREATE FUNCTION _merge_leads(funnel text, keep text, merge text, OUT activities bigint,
							 OUT answers bigint, OUT deals bigint, OUT moves bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	before constant bigint := @extschema@._last_departure(funnel, merge);
	writable text[];
	filled text;
	former_names jsonb;
	came_as_merged boolean;
	stands_by_merged boolean;
BEGIN
	-- where a person came from is told by the first touch, or by the first move
	EXECUTE format($query$
		SELECT (array_agg(t.lead_id = $2::%2$s ORDER BY t.at, t.lead_id = $2::%2$s))[1]
		FROM (SELECT lead_id, entered_at FROM %1$I.stage_history WHERE voided_at IS NULL
			  UNION ALL
			  SELECT a.lead_id, a.occurred_at FROM %1$I.activity AS a
			  JOIN %1$I.kind AS k ON k.kind = a.kind
			  WHERE k.touch AND a.source IS NOT NULL) AS t (lead_id, at)
		WHERE t.lead_id IN ($1::%2$s, $2::%2$s)
		$query$, funnel, k.key_type) INTO came_as_merged USING keep, merge;

	-- the same event of both counts once: by external_id, or where none has
	-- any, by all that is known of it
	EXECUTE format($query$
		DELETE FROM %1$I.activity AS m USING %1$I.activity AS a
		WHERE m.lead_id = $2::%2$s AND a.lead_id = $1::%2$s
		AND (m.external_id = a.external_id OR
			 (m.external_id IS NULL AND a.external_id IS NULL AND
			  m.occurred_at = a.occurred_at AND m.kind = a.kind AND m.properties = a.properties AND
			  (m.source, m.campaign, m.actor) IS NOT DISTINCT FROM (a.source, a.campaign, a.actor)))
		$query$, funnel, k.key_type) USING keep, merge;
	EXECUTE format('UPDATE %1$I.activity SET lead_id = $1::%2$s WHERE lead_id = $2::%2$s',
				   funnel, k.key_type) USING keep, merge;
	GET DIAGNOSTICS activities = ROW_COUNT;

	EXECUTE format($query$
		INSERT INTO %1$I.baseline AS b (lead_id, scorecard, archived_before, n)
		SELECT $1::%2$s, scorecard, archived_before, n FROM %1$I.baseline WHERE lead_id = $2::%2$s
		ON CONFLICT (lead_id) DO UPDATE
		SET scorecard = @extschema@._join_baselines(b.scorecard, excluded.scorecard),
			archived_before = greatest(b.archived_before, excluded.archived_before),
			n = b.n + excluded.n
		$query$, funnel, k.key_type) USING keep, merge;

	EXECUTE format('UPDATE %1$I.answer SET lead_id = $1::%2$s WHERE lead_id = $2::%2$s',
				   funnel, k.key_type) USING keep, merge;
	GET DIAGNOSTICS answers = ROW_COUNT;

	EXECUTE format($query$
		INSERT INTO %1$I.deal_contact AS c (deal_id, lead_id, role)
		SELECT deal_id, $1::%2$s, role FROM %1$I.deal_contact WHERE lead_id = $2::%2$s
		ON CONFLICT (deal_id, lead_id) DO UPDATE SET role = coalesce(c.role, excluded.role)
		$query$, funnel, k.key_type) USING keep, merge;
	GET DIAGNOSTICS deals = ROW_COUNT;
	EXECUTE format('DELETE FROM %1$I.deal_contact WHERE lead_id = $1::%2$s', funnel, k.key_type)
		USING merge;

	EXECUTE format('UPDATE %1$I.verdict SET lead_id = $1::%2$s WHERE lead_id = $2::%2$s',
				   funnel, k.key_type) USING keep, merge;

	-- one person went one way
	stands_by_merged := @extschema@._merge_units(funnel, keep, merge);
	-- cycles of both must not be taken for one another: those of the merged
	-- lead are less than 0 until they are counted
	EXECUTE format('UPDATE %1$I.signature SET lead_id = $1::%2$s, cycle = - cycle WHERE lead_id = $2::%2$s',
				   funnel, k.key_type) USING keep, merge;
	moves := @extschema@._merge_moves(funnel, keep, merge);

	-- what the kept lead lacks; what triggers keep is worked out below
	SELECT array_agg(l.name::text ORDER BY l.attnum) INTO writable
	FROM @extschema@._lead_columns(funnel) AS l
	JOIN pg_attribute AS a ON a.attrelid = l.relation AND a.attnum = l.attnum
	WHERE a.attgenerated = '' AND a.attidentity <> 'a';
	-- who works on it, and until when it waits, go with where it stands; a
	-- campaign is one of its source
	SELECT string_agg(format(CASE WHEN w IN ('source', 'campaign') AND 'source' = ANY (writable)
								  THEN '%1$I = CASE WHEN %2$s.source IS NOT NULL THEN %2$s.%1$I WHEN %3$s.source IS NOT NULL THEN %3$s.%1$I '
									   'ELSE coalesce(%2$s.%1$I, %3$s.%1$I) END, '
								  ELSE '%1$I = coalesce(%2$s.%1$I, %3$s.%1$I), ' END, w,
							 CASE WHEN merged THEN 'm' ELSE 'l' END, CASE WHEN merged THEN 'l' ELSE 'm' END), '') INTO filled
	FROM unnest(writable) AS w
	CROSS JOIN LATERAL (SELECT CASE WHEN w IN ('owner', 'resume_at') THEN stands_by_merged
									WHEN w IN ('source', 'campaign') THEN came_as_merged END IS TRUE) AS f (merged)
	WHERE w <> ALL (@extschema@._frameworks())
	AND w NOT IN (k.key, 'stage', 'stage_entered_at', 'cycle', 'cycle_started_at',
					'accepted_by', 'accepted_at', 'due_at', 'review_at', 'scorecard',
					'deals_open', 'deals_won', 'deals_lost', 'won_amount', 'answers',
					'reason', 'note', 'properties', 'unsubscribed',
					'created_at');
	former_names := @extschema@._names_of_lead(funnel, merge);
	EXECUTE format($query$
		WITH m AS (DELETE FROM %2$s WHERE %3$I = $2::%4$s RETURNING *)
		UPDATE %2$s AS l
		SET %6$s
			%8$s,
			answers = m.answers || l.answers || coalesce(a.others, '{}')
			%7$s
		FROM m
		LEFT JOIN (%5$s) AS a ON a.lead_id = $1::%4$s
		WHERE l.%3$I = $1::%4$s
		$query$, funnel, k.leads, k.key, k.key_type, @extschema@._answers_query(funnel), filled,
		(SELECT string_agg(CASE w
						   WHEN 'properties' THEN ', properties = m.properties || l.properties'
						   WHEN 'unsubscribed' THEN ', unsubscribed = m.unsubscribed OR l.unsubscribed'
						   ELSE ', created_at = least(m.created_at, l.created_at)' END, '')
		 FROM unnest(writable) AS w WHERE w IN ('properties', 'unsubscribed', 'created_at')),
		@extschema@._each_framework(
			'%1$I = ((m.%1$I OPERATOR(@extschema@.||) l.%1$I)::jsonb || coalesce(a.levels -> %1$L, ''{}''))::@extschema@.%1$I'::text,
			', '::text))
		USING keep, merge;
	PERFORM @extschema@._depart_as(funnel, merge, before, 'merged'::text);
	PERFORM @extschema@._add_aliases(funnel, keep, former_names);
	PERFORM @extschema@._rebuild_leads(funnel, ARRAY[keep, merge]);
END
$body$;

COMMENT ON FUNCTION _merge_leads(text, text, text) IS
'merge_leads() but for the score';

CREATE FUNCTION merge_leads(funnel text, keep text, merge text, OUT activities bigint,
							OUT answers bigint, OUT deals bigint, OUT moves bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = off
AS $body$
DECLARE
	kept text;
	merged text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'merge_leads'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'merge_leads'::text);
	PERFORM @extschema@._require_read_committed('merge_leads'::text);
	kept := @extschema@._find_lead(funnel, keep);
	merged := @extschema@._find_lead(funnel, merge);
	IF kept = merged THEN
		RAISE EXCEPTION 'lead % cannot be merged into itself', kept
			USING ERRCODE = 'invalid_parameter_value',
				  DETAIL = format('"%s" and "%s" are the same lead.', keep, merge),
				  HINT = 'Name the lead to keep, then the other one.';
	END IF;

	PERFORM @extschema@._lock_leads(funnel, ARRAY[kept, merged]);
	SELECT * INTO activities, answers, deals, moves FROM @extschema@._merge_leads(funnel, kept, merged);
	PERFORM @extschema@._rescore_lead(funnel, kept, true);
END
$body$;

COMMENT ON FUNCTION merge_leads(text, text, text) IS
'makes one lead of two: facts of the second go to the first, which is scored anew. Of units of both that overlap in time, the one that got further stays, whichever lead is kept (of equals, the first lead''s), and the moves of the other are voided; units that do not overlap become cycles one after the other. An event of both counts once, unless it was archived. What the second was known by, its key included, is an alias of the first from then on. Returns what was moved';

CREATE FUNCTION erase_lead(funnel text, lead text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	found_lead text;
	before bigint;
	noted record;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'erase_lead'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'erase_lead'::text);
	PERFORM @extschema@._require_read_committed('erase_lead'::text);
	found_lead := @extschema@._find_lead(funnel, lead);
	PERFORM @extschema@._lock_leads(funnel, ARRAY[found_lead]);
	before := @extschema@._last_departure(funnel, found_lead);

	-- people write what they like there, names included
	FOR noted IN
		SELECT c.relname AS name,
			   string_agg(format('%I = NULL', a.attname), ', ') AS emptied,
			   string_agg(format('%I IS NOT NULL', a.attname), ' OR ') AS filled
		FROM pg_class AS c
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname IN ('note', 'voided_why')
		WHERE c.relnamespace = @extschema@._funnel_schema(funnel) AND c.relkind IN ('r', 'p')
		AND NOT c.relispartition AND NOT a.attnotnull
		AND c.relname = ANY (@extschema@._funnel_relations(@extschema@._funnel_template(c.relnamespace)))
		AND EXISTS (SELECT FROM pg_attribute AS l
					WHERE l.attrelid = c.oid AND l.attname = 'lead_id' AND NOT l.attisdropped)
		GROUP BY c.relname
	LOOP
		EXECUTE format('UPDATE %1$I.%2$I SET %3$s WHERE lead_id = $1::%4$s AND (%5$s)',
					   funnel, noted.name, noted.emptied, k.key_type, noted.filled) USING found_lead;
	END LOOP;
	-- activities, answers and the baseline go with it
	EXECUTE format('DELETE FROM %1$s WHERE %2$I = $1::%3$s', k.leads, k.key, k.key_type)
		USING found_lead;
	PERFORM @extschema@._depart_as(funnel, found_lead, before, 'erased'::text);
END
$body$;

COMMENT ON FUNCTION erase_lead(text, text) IS
'erases a person: the lead, its aliases, activities and answers, and what was noted with its moves; moves and deals stay, so that no count changes: its units are gone since then, and no longer open. Leads that should never have counted: forget_leads()';

-- What the log and the moves of these leads told is not told any more.  Nobody
-- comes under such a key meanwhile, or would begin in a cycle after theirs.
CREATE FUNCTION forget_leads(funnel text, leads text[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	keys text[];
	wanted text;
	unknown text;
	moves bigint[];
	before bigint;
	relation text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'forget_leads'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'forget_leads'::text);
	PERFORM @extschema@._require_read_committed('forget_leads'::text);
	IF leads IS NULL OR array_position(leads, NULL) IS NOT NULL THEN
		RAISE EXCEPTION 'keys of the leads to forget must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	EXECUTE format('SELECT array_agg(DISTINCT key::%1$s::text) FROM unnest($1) AS key', k.key_type)
		INTO keys USING leads;
	IF keys IS NULL THEN
		RETURN 0;
	END IF;
	wanted := @extschema@._keys_query(keys, k.key_type::text);
	EXECUTE format('LOCK TABLE %1$s, %2$I.stage_history, %2$I.journey IN SHARE ROW EXCLUSIVE MODE', k.leads, funnel);

	EXECUTE format('SELECT min(key::text) FROM (%1$s) AS w (key) '
				   'WHERE NOT EXISTS (SELECT FROM %2$s AS l WHERE l.%3$I = w.key) '
				   'AND NOT EXISTS (SELECT FROM %4$I.stage_history AS h WHERE h.lead_id = w.key)',
				   wanted, k.leads, k.key, funnel)
		INTO unknown;
	IF unknown IS NOT NULL THEN
		RAISE EXCEPTION 'funnel "%" has no lead with key "%"', funnel, @extschema@._clip(unknown::text)
			USING ERRCODE = 'no_data_found',
				  DETAIL = 'None is there, and none has been there.';
	END IF;

	EXECUTE format('SELECT coalesce(max(departure_id), 0) FROM %I.departure', funnel) INTO before;
	-- aliases, activities, answers, verdicts and the baseline go with it
	EXECUTE format('DELETE FROM %1$s WHERE %2$I IN (%3$s)', k.leads, k.key, wanted);
	EXECUTE format('SELECT min(%2$I::text) FROM %1$s WHERE %2$I IN (%3$s)', k.leads, k.key, wanted) INTO unknown;
	IF unknown IS NOT NULL THEN
		RAISE EXCEPTION 'lead % of funnel "%" could not be deleted', unknown, funnel
			USING ERRCODE = 'triggered_data_change_violation',
				  HINT = 'A trigger or a rule on the table of leads suppressed it.';
	END IF;
	FOREACH relation IN ARRAY '{deal_contact,signature}'::text[] LOOP
		EXECUTE format('DELETE FROM %I.%I WHERE lead_id IN (%s)', funnel, relation, wanted);
	END LOOP;
	EXECUTE format('UPDATE %1$I.departure SET how = ''forgotten'' WHERE departure_id > $1 AND lead_id IN (%2$s)', funnel, wanted)
		USING before;
	EXECUTE format('INSERT INTO %1$I.departure (lead_id, how, last_move) '
				   'SELECT h.lead_id, ''forgotten'', max(h.history_id) FROM %1$I.stage_history AS h WHERE h.lead_id IN (%2$s) '
				   'AND NOT EXISTS (SELECT FROM %1$I.departure AS d WHERE d.lead_id = h.lead_id AND d.departure_id > $1) '
				   'GROUP BY h.lead_id', funnel, wanted)
		USING before;
	EXECUTE format('SELECT array_agg(history_id) FROM %I.stage_history '
				   'WHERE (voided_at IS NULL OR from_stage = to_stage) AND lead_id IN (%s)', funnel, wanted)
		INTO moves;
	PERFORM @extschema@._void(funnel, moves, 'the lead was forgotten: it never counted'::text);
	PERFORM @extschema@._rebuild_journey(funnel, keys);
	RETURN cardinality(keys);
END
$body$;

COMMENT ON FUNCTION forget_leads(text, text[]) IS
'takes leads out of every count, such as those of a test or of an import that is to be done again: given by key, there or gone, in all their lives. What is there is deleted with its facts, its deals name it no more, and its moves are void; who erases a person but keeps what it counted for calls erase_lead(). For members of the role that owns the funnel; returns how many';

-- Triggers, for repair_funnel() and upgrade_funnel().
CREATE FUNCTION _repair_trigger(schema oid, finding text, object text, hint text) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	statement text;
	action text;
BEGIN
	IF finding = 'trigger_missing' THEN
		SELECT e.statement INTO action
		FROM @extschema@._funnel_triggers(schema) AS e
		WHERE ARRAY[e.relation, e.trigger]::text[] = parse_ident(object) AND NOT e.by_own_name
		-- one of that name would be somebody's
		AND NOT EXISTS (SELECT FROM pg_trigger AS taken
						WHERE taken.tgrelid = e.relid AND taken.tgname = e.trigger);
		IF action IS NOT NULL THEN
			EXECUTE action;
		END IF;
	ELSIF finding IN ('trigger_disabled', 'trigger_misdirected') THEN
		action := hint;
		EXECUTE action;
	ELSIF finding = 'partition_without_triggers' THEN
		FOR statement IN
			SELECT CASE WHEN old.tgname IS NULL THEN e.statement
				   ELSE format('ALTER TABLE %s ENABLE TRIGGER %I', e.relid, old.tgname) END
			FROM @extschema@._funnel_triggers(schema) AS e
			LEFT JOIN pg_trigger AS old
				ON old.tgrelid = e.relid AND old.tgfoid = e.function AND old.tgtype = e.type
			WHERE e.by_own_name AND e.relid = object::regclass
			AND (old.tgname IS NULL OR old.tgenabled IN ('D', 'R'))
		LOOP
			EXECUTE statement;
			action := concat_ws('; ', action, statement);
		END LOOP;
	END IF;
	RETURN action;
END
$body$;

COMMENT ON FUNCTION _repair_trigger(oid, text, text, text) IS
'sets right what check_funnel() finds of triggers; returns what was done, NULL where it is for a human to do';

-- What remains to be done by hand has no action.
CREATE FUNCTION repair_funnel(funnel text)
RETURNS TABLE (finding text, object text, n bigint, action text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = off
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	f record;
	rebuilt text;
	rescored text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'repair_funnel'::text);
	PERFORM @extschema@._require_funnel_owner(schema, 'repair_funnel'::text);

	-- triggers first: what is set right must stay so; then moves, cards, time
	FOR f IN
		SELECT c.*
		FROM @extschema@.check_funnel(funnel, true) AS c
		ORDER BY array_position(ARRAY['trigger_misdirected', 'trigger_missing', 'trigger_disabled', 'partition_without_triggers',
									  'history_missing', 'history_order', 'stage_differs', 'deals_differ',
									  'answers_differ', 'journey_differs', 'card_differs', 'card_stale', 'review_overdue'],
								c.finding), c.finding, c.object
	LOOP
		finding := f.finding;
		object := f.object;
		n := f.n;
		action := NULL;
		CASE
		WHEN f.finding LIKE 'trigger\_%' OR f.finding LIKE 'partition\_%' THEN
			action := @extschema@._repair_trigger(schema, f.finding, f.object, f.hint);
		WHEN f.finding IN ('history_missing', 'history_order', 'stage_differs', 'deals_differ',
						   'answers_differ') THEN
			IF rebuilt IS NULL THEN
				BEGIN
					rebuilt := format('rebuild_history(): %s rows changed', @extschema@.rebuild_history(funnel));
				EXCEPTION WHEN foreign_key_violation THEN
					-- a stage that the funnel lacks: a finding of its own
					rebuilt := '';
				END;
			END IF;
			action := nullif(rebuilt, '');
		WHEN f.finding = 'journey_differs' THEN
			-- a history that was rebuilt has brought its units along
			action := coalesce(rebuilt, format('%s units made anew', @extschema@._rebuild_journey(funnel, NULL::text[])));
		WHEN f.finding IN ('card_differs', 'card_stale') THEN
			IF rescored IS NULL THEN
				rescored := format('rescore_funnel(): %s leads scored anew', @extschema@.rescore_funnel(funnel, false));
			END IF;
			action := rescored;
		WHEN f.finding = 'review_overdue' THEN
			SELECT format('sweep_funnel(): %s leads looked at, %s failed', s.reviewed, s.failed) INTO action
			FROM @extschema@.sweep_funnel(funnel, least(f.n, 1000000)::integer) AS s;
		ELSE
			NULL;
		END CASE;
		RETURN NEXT;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION repair_funnel(text) IS
'repairs what check_funnel() finds where that can be done without asking: triggers, what leads hold of history, deals and answers, units, scores, overdue reviews; a row a finding with what was done, NULL where its hint is for a human';
--
-- Functions of a lead, which is given by its key as a value of another type
-- than text: a number, a uuid.  What they do is in their namesakes.
--
CREATE FUNCTION record_activity(funnel text, lead anyelement, kind text,
								occurred_at timestamptz DEFAULT NULL,
								source text DEFAULT NULL,
								campaign text DEFAULT NULL,
								properties jsonb DEFAULT '{}',
								actor text DEFAULT NULL,
								external_id text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN @extschema@.record_activity(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, kind, occurred_at,
									   source, campaign, properties, actor, external_id);
END
$body$;

COMMENT ON FUNCTION record_activity(text, anyelement, text, timestamptz, text, text, jsonb, text, text) IS
'records what a lead did; false if the activity of that external_id was there already';

CREATE FUNCTION sign_move(funnel text, lead anyelement, stage text, note text DEFAULT NULL,
						  side text DEFAULT NULL) RETURNS text[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN @extschema@.sign_move(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, stage, note, side);
END
$body$;

COMMENT ON FUNCTION sign_move(text, anyelement, text, text, text) IS
'agrees, for the sides that the caller is a member of (or for one), that a lead may move to a stage in its present cycle; returns the sides signed for';

CREATE FUNCTION framework_levels(funnel text, lead anyelement, framework text)
RETURNS TABLE (element text, label text, weight numeric, level answer_level)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN QUERY SELECT * FROM @extschema@.framework_levels(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, framework);
END
$body$;

COMMENT ON FUNCTION framework_levels(text, anyelement, text) IS
'what a lead answered to each element of a framework, as the lead holds it now';

CREATE FUNCTION framework_verdict(funnel text, lead anyelement, framework text,
								  need integer DEFAULT NULL,
								  unknown_as_no boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN @extschema@.framework_verdict(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, framework, need, unknown_as_no);
END
$body$;

COMMENT ON FUNCTION framework_verdict(text, anyelement, text, integer, boolean) IS
'a lead by a framework: qualified when so many of its elements (all) are yes, disqualified when that cannot come any more, else open';

CREATE FUNCTION framework_score(funnel text, lead anyelement, framework text,
								part numeric DEFAULT 0.5,
								OUT points numeric, OUT possible numeric,
								OUT share numeric)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	SELECT * INTO points, possible, share
	FROM @extschema@.framework_score(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, framework, part);
END
$body$;

COMMENT ON FUNCTION framework_score(text, anyelement, text, numeric) IS
'sum of the weights of what a lead has met in a framework, a part of the weight for partial; what is possible; and the one over the other';

CREATE FUNCTION framework_gaps(funnel text, lead anyelement, framework text) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN @extschema@.framework_gaps(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, framework);
END
$body$;

COMMENT ON FUNCTION framework_gaps(text, anyelement, text) IS
'the elements of a framework that a lead has not answered with yes';

CREATE FUNCTION may_send(funnel text, lead anyelement, message text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN @extschema@.may_send(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text, message);
END
$body$;

COMMENT ON FUNCTION may_send(text, anyelement, text) IS
'may a lead be sent that kind of message at the stage where it is? never, if it is unsubscribed';

CREATE FUNCTION next_content(funnel text, lead anyelement)
RETURNS TABLE (content_id bigint, title text, url text, topic text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	RETURN QUERY SELECT * FROM @extschema@.next_content(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text);
END
$body$;

COMMENT ON FUNCTION next_content(text, anyelement) IS
'content for the stage where a lead is, in its order, without what an activity of the lead names (properties.content: id or title)';

CREATE FUNCTION merge_leads(funnel text, keep anyelement, merge text, OUT activities bigint,
							OUT answers bigint, OUT deals bigint, OUT moves bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	SELECT * INTO activities, answers, deals, moves
	FROM @extschema@.merge_leads(funnel,
		@extschema@._name_key(funnel, keep::text, pg_typeof(keep)::oid)::text,
		merge);
END
$body$;

COMMENT ON FUNCTION merge_leads(text, anyelement, text) IS
'makes one lead of two: facts of the second go to the first; see the function with two texts';

CREATE FUNCTION merge_leads(funnel text, keep text, merge anyelement, OUT activities bigint,
							OUT answers bigint, OUT deals bigint, OUT moves bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	SELECT * INTO activities, answers, deals, moves
	FROM @extschema@.merge_leads(funnel,
		keep,
		@extschema@._name_key(funnel, merge::text, pg_typeof(merge)::oid)::text);
END
$body$;

COMMENT ON FUNCTION merge_leads(text, text, anyelement) IS
'makes one lead of two: facts of the second go to the first; see the function with two texts';

CREATE FUNCTION merge_leads(funnel text, keep anyelement, merge anycompatible, OUT activities bigint,
							OUT answers bigint, OUT deals bigint, OUT moves bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	SELECT * INTO activities, answers, deals, moves
	FROM @extschema@.merge_leads(funnel,
		@extschema@._name_key(funnel, keep::text, pg_typeof(keep)::oid)::text,
		@extschema@._name_key(funnel, merge::text, pg_typeof(merge)::oid)::text);
END
$body$;

COMMENT ON FUNCTION merge_leads(text, anyelement, anycompatible) IS
'makes one lead of two: facts of the second go to the first; see the function with two texts';

CREATE FUNCTION erase_lead(funnel text, lead anyelement) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	PERFORM @extschema@.erase_lead(funnel, @extschema@._name_key(funnel, lead::text, pg_typeof(lead)::oid)::text);
END
$body$;

COMMENT ON FUNCTION erase_lead(text, anyelement) IS
'erases a person: the lead, its activities and answers, and what was noted with its moves; moves and deals stay, so that no count changes';
--
-- Upgrading a funnel to the template of the extension: its parts
--
-- What a template changes is in a step, sql/upgrade/N.sql, and in the rows of
-- the two functions that follow.  All else is read from the template itself.
-- How to write a step: see CONTRIBUTING.md.
--

-- Views that cannot be replaced in place, because a column of theirs went or
-- has another type, or because a step alters a column that they read.
CREATE FUNCTION _views_made_anew() RETURNS TABLE (since integer, views name[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT v.since, v.views FROM (VALUES (0, '{}'::name[])) AS v (since, views);
END;

COMMENT ON FUNCTION _views_made_anew() IS
'views of a funnel that are dropped on the way to a template, and made again';

-- A comment that is neither the template's nor one of these is the user's.
CREATE FUNCTION _former_comments() RETURNS TABLE (since integer, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT f.since, f.comment FROM (VALUES (0, ''::text)) AS f (since, comment);
END;

COMMENT ON FUNCTION _former_comments() IS
'comments that a template replaced, as they were before';

-- Views over some of a funnel's: ours are made again, what is the user's would
-- be lost.
CREATE FUNCTION _views_over(schema oid, views name[], OUT relid oid, OUT ours boolean, OUT object text)
RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH RECURSIVE over AS (
		SELECT c.oid FROM pg_class AS c
		WHERE c.relnamespace = schema AND c.relkind = 'v' AND c.relname = ANY (views)
		UNION
		SELECT r.ev_class
		FROM over AS o
		JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
			AND d.refobjid = o.oid
		JOIN pg_rewrite AS r ON r.oid = d.objid
	), known AS (
		SELECT c.oid, c.reltype, c.relnamespace = schema AND c.relkind = 'v'
			   AND c.relname = ANY (_funnel_relations(_funnel_template(schema))) AS ours
		FROM over AS o
		JOIN pg_class AS c ON c.oid = o.oid
	)
	SELECT k.oid, k.ours, pg_describe_object('pg_class'::regclass, k.oid, 0) FROM known AS k
	UNION ALL
	-- triggers, rules and defaults of a view, functions over it or its rows
	SELECT DISTINCT NULL::oid, false, pg_describe_object(d.classid, d.objid, d.objsubid)
	FROM known AS k
	JOIN pg_depend AS d ON (d.refclassid = 'pg_class'::regclass AND d.refobjid = k.oid) OR
		(d.refclassid = 'pg_type'::regclass AND
		 d.refobjid IN (SELECT t.oid FROM pg_type AS t WHERE k.reltype IN (t.oid, t.typelem)))
	LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
	WHERE k.ours AND d.deptype IN ('n', 'a') AND r.rulename IS DISTINCT FROM '_RETURN'
	AND NOT (d.classid = 'pg_type'::regclass AND d.objid IN (SELECT t.typarray FROM pg_type AS t WHERE t.oid = k.reltype));
END;

COMMENT ON FUNCTION _views_over(oid, name[]) IS
'views of a funnel with all that depends on them, ours or the user''s';

CREATE FUNCTION _view_grants(schema oid, views name[]) RETURNS SETOF text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT format('GRANT %s%s ON %s TO %s%s', acl.privilege_type, g.col, c.oid::regclass,
				  CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END,
				  CASE WHEN acl.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
	FROM pg_class AS c
	CROSS JOIN LATERAL (SELECT '' AS col, c.relacl AS acls
						UNION ALL
						SELECT format(' (%I)', a.attname), a.attacl FROM pg_attribute AS a
						WHERE a.attrelid = c.oid AND NOT a.attisdropped) AS g
	CROSS JOIN LATERAL aclexplode(g.acls) AS acl
	WHERE c.relnamespace = schema AND c.relkind = 'v' AND c.relname = ANY (views) AND acl.grantee <> c.relowner;
END;

COMMENT ON FUNCTION _view_grants(oid, name[]) IS
'the statements that grant what is granted on some views of a funnel';

-- What a funnel consists of, as the catalogs describe it.
CREATE FUNCTION _inventory(schema oid, OUT kind text, OUT object text, OUT definition text)
RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH c AS (
		SELECT r.*, r.oid::regclass::text AS name,
			   CASE r.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
				   ELSE 'TABLE' END AS what
		FROM pg_class AS r
		WHERE (r.relnamespace = schema AND r.relkind IN ('r', 'p', 'v', 'm', 'S')) OR r.oid = _lead_table(schema)
	), a AS (
		SELECT c.oid, c.name, c.what, format('%s.%I', c.name, a.attname) AS col, a.*
		FROM c
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	)
	SELECT lower(c.what), c.name,
		   concat_ws(' ', c.reloptions::text, CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
	FROM c
	UNION ALL
	SELECT 'column', a.col,
		   concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
					 nullif(a.attidentity, ''), nullif(a.attgenerated, ''), a.attstorage,
					 pg_get_expr(d.adbin, d.adrelid))
	FROM a
	LEFT JOIN pg_attrdef AS d ON d.adrelid = a.oid AND d.adnum = a.attnum
	WHERE a.what = 'TABLE'
	UNION ALL
	SELECT 'constraint', format('%s.%I', c.name, k.conname), pg_get_constraintdef(k.oid)
	FROM c
	JOIN pg_constraint AS k ON k.conrelid = c.oid
	WHERE k.contype <> 't'
	UNION ALL
	SELECT 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
	FROM c
	JOIN pg_index AS i ON i.indrelid = c.oid
	UNION ALL
	SELECT 'trigger', format('%s.%I', c.name, t.tgname), concat(t.tgenabled, ' ', pg_get_triggerdef(t.oid))
	FROM c
	JOIN pg_trigger AS t ON t.tgrelid = c.oid
	WHERE NOT t.tgisinternal
	UNION ALL
	-- named as COMMENT ON does
	SELECT 'comment', concat(c.what, ' ', c.name), obj_description(c.oid, 'pg_class')
	FROM c
	WHERE obj_description(c.oid, 'pg_class') IS NOT NULL
	UNION ALL
	SELECT 'comment', concat('COLUMN ', a.col), col_description(a.oid, a.attnum)
	FROM a
	WHERE col_description(a.oid, a.attnum) IS NOT NULL
	UNION ALL
	SELECT 'privileges', c.name, (SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM unnest(c.relacl) AS acl)
	FROM c
	WHERE c.relacl IS NOT NULL
	UNION ALL
	SELECT 'privileges', a.col, (SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM unnest(a.attacl) AS acl)
	FROM a
	WHERE a.attacl IS NOT NULL;
END;

COMMENT ON FUNCTION _inventory(oid) IS
'what the funnel in a schema and its table of leads consist of: relations, columns, constraints, indexes, triggers, comments, privileges';

-- Who holds a profile is whom grant_funnel() would give nothing more.
CREATE FUNCTION _profile_holders(funnel text, OUT grantee regrole, OUT profile text)
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	held text[];
	before constant text[] := ARRAY(SELECT concat_ws(' ', i.object, i.definition) FROM @extschema@._inventory(schema) AS i
									WHERE i.kind = 'privileges' ORDER BY 1);
	granted text[];
BEGIN
	FOR grantee IN
		SELECT DISTINCT acl.grantee
		FROM pg_namespace AS n
		CROSS JOIN LATERAL aclexplode(n.nspacl) AS acl
		JOIN pg_roles AS r ON r.oid = acl.grantee
		WHERE n.oid = schema AND acl.grantee <> n.nspowner
		ORDER BY 1
	LOOP
		held := '{}';
		FOR profile IN SELECT DISTINCT unnest(g.profiles) FROM @extschema@._funnel_grants() AS g LOOP
			BEGIN
				PERFORM @extschema@._grant_profile(funnel, grantee, profile, true);
				granted := ARRAY(SELECT concat_ws(' ', i.object, i.definition) FROM @extschema@._inventory(schema) AS i
								 WHERE i.kind = 'privileges' ORDER BY 1);
				-- only tried
				RAISE EXCEPTION USING ERRCODE = 'LQ000';
			EXCEPTION WHEN SQLSTATE 'LQ000' THEN
				IF granted = before THEN
					held := held || profile;
				END IF;
			END;
		END LOOP;
		-- one that is part of another says nothing of its own
		FOREACH profile IN ARRAY held LOOP
			IF NOT EXISTS (SELECT FROM unnest(held) AS wider
						   WHERE wider <> profile AND wider <> 'admin'
						   AND NOT EXISTS (SELECT FROM @extschema@._funnel_grants() AS g
										   WHERE profile = ANY (g.profiles) AND wider <> ALL (g.profiles)))
			   AND (profile = 'admin' OR 'admin' <> ALL (held))
			THEN
				RETURN NEXT;
			END IF;
		END LOOP;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _profile_holders(text) IS
'roles that hold all that a profile of grant_funnel() has, the widest ones only';

CREATE FUNCTION _lock_view(view oid) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _lock_view(oid) IS
'locks a view against everybody else, and not what it reads';

-- Waiting for a lock while holding another invites a deadlock, and every
-- writer queues up behind.  So each attempt ends before others are told of
-- one, lets them through, and begins anew.
CREATE FUNCTION _lock_funnel(schema oid) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	old_timeout constant text := current_setting('lock_timeout');
	patience constant numeric := (SELECT s.setting::numeric * 0.8 FROM pg_settings AS s WHERE s.name = 'deadlock_timeout');
	attempts constant integer := 10;
	place regclass;
	is_view boolean;
	started timestamptz;
BEGIN
	FOR attempt IN 1 .. attempts LOOP
		started := clock_timestamp();
		BEGIN
			FOR place, is_view IN
				SELECT c.oid, c.relkind = 'v' FROM pg_class AS c
				WHERE c.oid = @extschema@._lead_table(schema) OR
					  (c.relnamespace = schema AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
					   AND c.relname = ANY (@extschema@._funnel_relations(@extschema@._funnel_template(schema))))
				ORDER BY c.relkind = 'v' DESC, c.oid
			LOOP
				PERFORM set_config('lock_timeout', greatest(1, floor(
					patience - 1000 * extract(epoch FROM clock_timestamp() - started)))::text, true);
				IF is_view THEN
					PERFORM @extschema@._lock_view(place::oid);
				ELSE
					EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', place);
				END IF;
			END LOOP;
			PERFORM set_config('lock_timeout', old_timeout, true);
			RETURN;
		EXCEPTION WHEN lock_not_available THEN
			PERFORM pg_sleep(patience * attempt / 10000);
		END;
	END LOOP;
	RAISE EXCEPTION 'could not lock the tables of funnel "%"', (SELECT n.nspname FROM pg_namespace AS n WHERE n.oid = schema)
		USING ERRCODE = 'lock_not_available',
			  DETAIL = format('"%s" is in use by process %s.', place,
							  coalesce((SELECT string_agg(DISTINCT l.pid::text, ', ') FROM pg_locks AS l
										WHERE l.relation = place AND l.granted AND l.pid <> pg_backend_pid()
										AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())),
									   'that has ended by now')),
			  HINT = 'Call it again when that has ended: pg_stat_activity says what it is doing.';
END
$body$;

COMMENT ON FUNCTION _lock_funnel(oid) IS
'locks the tables and views of a funnel against everybody else, or raises after some attempts';

-- For steps: a column of the leads, wherever they are.  In the definition, %I
-- stands for the column.
CREATE FUNCTION _add_lead_column(funnel text, column_name name, definition text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	lead_table constant regclass := @extschema@._lead_table(schema);
	attached constant boolean := @extschema@._attached_table(schema) IS NOT NULL;
	own_view constant regclass := format('%I.lead', funnel);
	theirs name := column_name;
	shown text;
BEGIN
	IF attached THEN
		-- with the prefix that others were added with
		SELECT regexp_replace(a.attname, 'stage$', '') || column_name INTO STRICT theirs
		FROM @extschema@._lead_columns(funnel) AS l
		JOIN pg_attribute AS a ON a.attrelid = l.relation AND a.attnum = l.attnum
		WHERE l.name = 'stage';
	END IF;
	EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', lead_table, theirs, format(definition, theirs));
	IF NOT attached THEN
		RETURN;
	END IF;

	EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', lead_table, theirs, @extschema@._added_mark());
	SELECT string_agg(format('t.%I AS %I', a.attname, v.attname), ', ' ORDER BY v.attnum) INTO STRICT shown
	FROM pg_attribute AS v
	JOIN @extschema@._lead_columns(funnel) AS l ON l.name = v.attname
	JOIN pg_attribute AS a ON a.attrelid = l.relation AND a.attnum = l.attnum
	WHERE v.attrelid = own_view AND v.attnum > 0;
	EXECUTE format('CREATE OR REPLACE VIEW %s WITH (%s) AS SELECT %s, t.%I AS %I FROM %s AS t', own_view,
				   (SELECT array_to_string(c.reloptions, ', ') FROM pg_class AS c WHERE c.oid = own_view),
				   shown, theirs, column_name, lead_table);
END
$body$;

COMMENT ON FUNCTION _add_lead_column(text, name, text) IS
'for steps of upgrade_funnel(): adds a column to the leads, and shows it where they are in a table of the user''s';
--
-- Upgrading a funnel to the template of the extension
--

-- Raises, with all that stands in the way, before anything is changed.
CREATE FUNCTION _check_upgrade(funnel text, template integer) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	latest constant integer := @extschema@._template_version();
	found text[];
	hints text[];
BEGIN
	IF EXISTS (SELECT FROM pg_class WHERE relnamespace = schema AND relname = 'detached_lead') THEN
		RAISE EXCEPTION 'funnel "%" is detached', funnel
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'It is there to be read, and stays as it is.';
	END IF;
	-- loads it, which proves its tables and columns
	PERFORM FROM @extschema@._check_policy(funnel, false);

	SELECT array_agg(format('%s %s', c.finding, c.object) ORDER BY c.object),
		   array_agg(DISTINCT rtrim(c.hint, '.') || '.')
		INTO found, hints
	FROM @extschema@._check_triggers(schema) AS c
	WHERE c.severity = 'error' AND c.finding <> 'row_security_bypassed';
	IF found IS NOT NULL THEN
		RAISE EXCEPTION 'triggers of funnel "%" are not as they must be', funnel
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = format('check_funnel() finds: %s.', array_to_string(found, ', ')),
				  HINT = array_to_string(hints, ' ');
	END IF;

	SELECT array_agg(pg_describe_object('pg_class'::regclass, c.oid, 0) ORDER BY c.relname) INTO found
	FROM pg_class AS c
	WHERE c.relnamespace = schema
	AND c.relname = ANY (@extschema@._funnel_relations(latest))
	AND c.relname <> ALL (@extschema@._funnel_relations(template));
	IF found IS NOT NULL THEN
		RAISE EXCEPTION 'names that funnel "%" needs are taken', funnel
			USING ERRCODE = 'duplicate_object',
				  DETAIL = format('They are those of: %s.', array_to_string(found, ', ')),
				  HINT = 'Rename them, or move them to another schema.';
	END IF;
	-- the funnel's schema comes before ours where its views are made
	SELECT array_agg(pg_describe_object('pg_type'::regclass, t.oid, 0)) INTO found
	FROM pg_type AS t
	WHERE t.typnamespace = schema
	AND EXISTS (SELECT FROM pg_type AS ours
				JOIN pg_depend AS d ON d.classid = 'pg_type'::regclass AND d.objid = ours.oid AND d.deptype = 'e'
				JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
				WHERE e.extname = 'lead_qual' AND ours.typname = t.typname);
	IF found IS NOT NULL THEN
		RAISE EXCEPTION 'types in schema "%" stand in the way', funnel
			USING ERRCODE = 'duplicate_object',
				  DETAIL = format('They would be taken for those of lead_qual: %s.', array_to_string(found, ', ')),
				  HINT = 'Rename them, or move them to another schema.';
	END IF;

	SELECT array_agg(o.object ORDER BY o.object) INTO found
	FROM @extschema@._views_over(schema, ARRAY(SELECT unnest(a.views) FROM @extschema@._views_made_anew() AS a
											   WHERE a.since > template)) AS o
	WHERE NOT o.ours;
	IF found IS NOT NULL THEN
		RAISE EXCEPTION 'views of funnel "%" that must be made anew are in use', funnel
			USING ERRCODE = 'dependent_objects_still_exist',
				  DETAIL = format('On them depend: %s.', array_to_string(found, ', ')),
				  HINT = 'Note their definitions, drop them, call upgrade_funnel(), and create them again.';
	END IF;
END
$body$;

COMMENT ON FUNCTION _check_upgrade(text, integer) IS
'part of upgrade_funnel(): raises if the funnel, of that template, is not as it must be or something of the user''s stands in the way';

-- The views, in place, and the comments.  This is the only part that has the
-- funnel's schema on the path; nothing is evaluated in it.
CREATE FUNCTION _replay_template(funnel text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	extension_schema constant name := (SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'lead_qual');
	context text;
BEGIN
	PERFORM set_config('search_path', format('%I, %s, pg_temp', funnel, extension_schema), true);
	PERFORM @extschema@._create_funnel_views();
	PERFORM @extschema@._create_funnel_comments();
EXCEPTION WHEN invalid_table_definition THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
	context := substring(context FROM 'CREATE OR REPLACE VIEW (\w+)');
	IF context IS NULL THEN
		RAISE;
	END IF;
	RAISE EXCEPTION 'view "%" of funnel "%" cannot be replaced', context, funnel
		USING ERRCODE = 'invalid_table_definition',
			  DETAIL = format('It is not as create_funnel() made it: %s.', SQLERRM),
			  HINT = format('Keep what was added in a view of its own, DROP VIEW %I.%I, and call upgrade_funnel() again, which makes it anew.',
							funnel, context);
END
$body$;

COMMENT ON FUNCTION _replay_template(text) IS
'part of upgrade_funnel(): makes or replaces the views, and comments on everything';

-- Triggers of ours, by their functions, as the rows say.
CREATE FUNCTION _replay_triggers(funnel text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	statement text;
	f record;
BEGIN
	FOR statement IN
		SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
		FROM pg_trigger AS t
		JOIN pg_class AS c ON c.oid = t.tgrelid
		JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = t.tgfoid AND d.deptype = 'e'
		JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
		WHERE e.extname = 'lead_qual' AND NOT t.tgisinternal AND t.tgparentid = 0
		AND (c.relnamespace = schema OR c.oid = @extschema@._lead_table(schema))
		AND NOT EXISTS (SELECT FROM @extschema@._funnel_triggers(schema) AS r
						WHERE r.function = t.tgfoid AND r.type = t.tgtype AND r.is_deferrable = t.tgdeferrable
						AND (r.relid = t.tgrelid OR
							 r.relid IN (SELECT a.relid FROM pg_partition_ancestors(t.tgrelid) AS a)))
	LOOP
		EXECUTE statement;
	END LOOP;
	-- the trigger of a table brings those of its partitions
	PERFORM @extschema@._repair_trigger(schema, c.finding, c.object, c.hint)
	FROM @extschema@._check_triggers(schema) AS c
	WHERE c.severity = 'error';
	SELECT c.* INTO f
	FROM @extschema@._check_triggers(schema) AS c
	WHERE c.severity = 'error' AND c.finding <> 'row_security_bypassed'
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'trigger "%" of funnel "%" cannot be created', f.object, funnel
			USING ERRCODE = 'duplicate_object',
				  DETAIL = f.detail,
				  HINT = 'Rename or drop the trigger that has its name, and call upgrade_funnel() again.';
	END IF;
END
$body$;

COMMENT ON FUNCTION _replay_triggers(text) IS
'part of upgrade_funnel(): creates, drops and enables triggers of ours until they are as the template has them';

CREATE FUNCTION _set_template(funnel text, template integer) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
BEGIN
	EXECUTE format('UPDATE %I.setting SET template_version = $1', funnel) USING template;
END
$body$;

COMMENT ON FUNCTION _set_template(text, integer) IS
'part of upgrade_funnel(): notes the template in the settings, which a trigger keeps otherwise';

-- All in one transaction: what is refused half-way leaves the funnel as it was.
CREATE FUNCTION upgrade_funnel(funnel text, OUT kind text, OUT object text, OUT done text)
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = off
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	latest constant integer := @extschema@._template_version();
	owner constant text := (SELECT nspowner::regrole FROM pg_namespace WHERE oid = schema);
	template integer;
	before jsonb;
	holders jsonb;
	planted text[];
	views name[];
	grants text[];
	holder record;
	statement text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'upgrade_funnel'::text);
	PERFORM @extschema@._require_funnel_owner(schema, 'upgrade_funnel'::text);
	template := @extschema@._funnel_template(schema);
	IF template = latest THEN
		RETURN;
	END IF;
	IF template > latest THEN
		RAISE EXCEPTION 'funnel "%" is of template %, the extension makes funnels of template %', funnel, template, latest
			USING ERRCODE = 'feature_not_supported',
				  HINT = 'Install the lead_qual that made it, or a later one, reconnect, and run ALTER EXTENSION lead_qual UPDATE.';
	END IF;
	-- what it creates is to be the owner's, too
	IF current_user <> (SELECT r.rolname FROM pg_roles AS r JOIN pg_namespace AS n ON n.nspowner = r.oid WHERE n.oid = schema) THEN
		RAISE EXCEPTION 'funnel "%" belongs to role %', funnel, owner
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = 'All tables of a funnel belong to one role, and so must new ones.',
				  HINT = format('SET ROLE %s, and call upgrade_funnel() again.', owner);
	END IF;
	PERFORM @extschema@._require_read_committed('upgrade_funnel'::text);
	PERFORM @extschema@._lock_funnel(schema);
	-- it may have been upgraded while we waited
	template := @extschema@._funnel_template(schema);
	IF template >= latest THEN
		RETURN;
	END IF;
	PERFORM @extschema@._check_upgrade(funnel, template);

	SELECT jsonb_agg(to_jsonb(i)) INTO before FROM @extschema@._inventory(schema) AS i;
	SELECT coalesce(jsonb_agg(to_jsonb(h)), '[]') INTO holders FROM @extschema@._profile_holders(funnel) AS h;
	planted := ARRAY(SELECT concat_ws(' ', p.what, p.used_by) FROM @extschema@._planted(schema) AS p);

	views := ARRAY(SELECT c.relname FROM @extschema@._views_over(schema, ARRAY(
					  SELECT unnest(a.views) FROM @extschema@._views_made_anew() AS a WHERE a.since > template)) AS o
				   JOIN pg_class AS c ON c.oid = o.relid);
	grants := ARRAY(SELECT g FROM @extschema@._view_grants(schema, views) AS g);
	IF views <> '{}' THEN
		EXECUTE 'DROP VIEW ' || (SELECT string_agg(format('%I.%I', funnel, v), ', ') FROM unnest(views) AS v);
	END IF;
	BEGIN
		FOR step IN template + 1 .. latest LOOP
			EXECUTE format('SELECT @extschema@._upgrade_to_%s($1)', step) USING funnel;
		END LOOP;
	EXCEPTION WHEN duplicate_column OR duplicate_table OR duplicate_object THEN
		RAISE EXCEPTION USING
			MESSAGE = SQLERRM, ERRCODE = SQLSTATE,
			DETAIL = 'The funnel needs that name.',
			HINT = 'Rename what has it (a column of view "lead" by ALTER VIEW), and call upgrade_funnel() again.';
	END;
	PERFORM @extschema@._set_template(funnel, latest);
	PERFORM @extschema@._replay_template(funnel);
	PERFORM @extschema@._comment_added(funnel);
	PERFORM @extschema@._replay_triggers(funnel);

	-- what somebody changed of comments and grants stays
	FOR statement IN
		SELECT format('COMMENT ON %s IS %L', old.object, old.definition)
		FROM jsonb_to_recordset(before) AS old (kind text, object text, definition text)
		JOIN @extschema@._inventory(schema) AS now ON now.kind = old.kind AND now.object = old.object
		WHERE old.kind = 'comment' AND old.definition <> now.definition
		AND NOT EXISTS (SELECT FROM @extschema@._former_comments() AS f
						WHERE f.since > template AND f.comment = old.definition)
		UNION ALL
		-- which default privileges gave
		SELECT format('REVOKE ALL ON %s FROM %s', c.oid::regclass,
					  CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END)
		FROM pg_class AS c
		CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
		WHERE c.relnamespace = schema AND c.relname = ANY (views) AND acl.grantee <> c.relowner
	LOOP
		EXECUTE statement;
	END LOOP;
	FOREACH statement IN ARRAY grants LOOP
		EXECUTE statement;
	END LOOP;
	FOR holder IN SELECT * FROM jsonb_to_recordset(holders) AS h (grantee regrole, profile text) LOOP
		PERFORM @extschema@._grant_profile(funnel, holder.grantee::regrole, holder.profile::text, true);
	END LOOP;
	PERFORM @extschema@._refuse_planted(schema, planted);
	-- as it is now
	PERFORM FROM @extschema@._check_policy(funnel, false);

	kind := 'template';
	object := quote_ident(funnel);
	done := format('%s to %s', template, latest);
	RETURN NEXT;
	RETURN QUERY
		SELECT coalesce(old.kind, now.kind), coalesce(old.object, now.object),
			   CASE WHEN old.kind IS NULL THEN 'created' WHEN now.kind IS NULL THEN 'dropped' ELSE 'changed' END
		FROM jsonb_to_recordset(before) AS old (kind text, object text, definition text)
		FULL JOIN @extschema@._inventory(schema) AS now ON now.kind = old.kind AND now.object = old.object
		WHERE (old.*) IS DISTINCT FROM (now.*)
		ORDER BY 1, 2;
	RETURN QUERY
		SELECT 'profile', h.grantee::text, h.profile
		FROM jsonb_to_recordset(holders) AS h (grantee regrole, profile text);
END
$body$;

COMMENT ON FUNCTION upgrade_funnel(text) IS
'brings a funnel up to the template of the extension, in one transaction, and says what it did: rows, grants, comments, and what is the user''s stay. For the role that owns the funnel';
--
-- The last of the script: what it created uses nothing that others planted
--
SELECT @extschema@._refuse_planted(NULL::oid, '{}'::text[]);
