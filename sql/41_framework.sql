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
