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
