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
CREATE FUNCTION _text_as(value text, type oid) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _text_as(text, oid) IS
'a text as a type, or what a domain is over, writes what it reads from it; NULL where it is no value of that type';

CREATE FUNCTION _base_type(type oid) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _base_type(oid) IS
'the name of a type, or of what a domain is over, for a cast that cuts nothing off';

-- What is looked for is what the caller may read: a role that sees no
-- addresses names leads by their keys.  The key is looked for in any case, so
-- that who may not read it is told.
CREATE FUNCTION _lead_names(funnel text, way text)
RETURNS TABLE (n integer, what text, relation regclass, attribute name, type oid)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_column
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
BEGIN
	RETURN QUERY
	SELECT w.n, w.what, a.attrelid::regclass, a.attname, a.atttypid
	FROM (VALUES (1, 'key', 'key', k.leads, k.key), (2, 'external_id', 'external id', k.leads, 'external_id'),
				 (3, 'email', 'e-mail address', k.leads, 'email')) AS w (n, way, what, relation, name)
	JOIN pg_attribute AS a ON a.attrelid = w.relation AND a.attname = w.name AND NOT a.attisdropped
	WHERE _lead_names.way IN (w.way, '')
	AND (w.way = 'key' OR has_column_privilege(a.attrelid, a.attnum, 'SELECT'));
END
$body$;

COMMENT ON FUNCTION _lead_names(text, text) IS
'the columns by which the caller can name a lead of a funnel: key, external_id or email, or all of them where way is empty';

CREATE FUNCTION _seek_lead(funnel text, way text, sought text, OUT what text, OUT key text) RETURNS SETOF record
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	query text;
BEGIN
	-- two are enough to know that it is not one
	SELECT string_agg(format('(SELECT %L, l.%I::text FROM %s AS l WHERE %s LIMIT 2)', w.what, k.key, k.leads,
							 CASE w.n
							 WHEN 3 THEN format('lower(l.%I::text) = lower($1)', w.attribute)
							 ELSE format('l.%I = %s::%s', w.attribute,
										 CASE WHEN @extschema@._text_as(sought, w.type) IS NULL THEN 'NULL' ELSE '$1' END,
										 @extschema@._base_type(w.type)) END),
					  ' UNION ALL ' ORDER BY w.n)
		INTO query
	FROM @extschema@._lead_names(funnel, way) AS w;

	IF query IS NOT NULL THEN
		RETURN QUERY EXECUTE query USING sought;
	END IF;
END
$body$;

COMMENT ON FUNCTION _seek_lead(text, text, text) IS
'the leads that a text fits, and what of them: key, external_id or email, or any of these where way is empty';

CREATE FUNCTION _find_lead(funnel text, lead text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	way constant text := coalesce(substring(lead FROM '^(key|external_id|email):'), '');
	sought constant text := CASE way WHEN '' THEN lead ELSE substr(lead, length(way) + 2) END;
	keys text[];
	fits text;
BEGIN
	IF lead IS NULL THEN
		RAISE EXCEPTION 'lead must not be null'
			USING ERRCODE = 'null_value_not_allowed',
				  HINT = 'Name it by its key, its external id or its e-mail address.';
	END IF;

	SELECT array_agg(DISTINCT s.key), string_agg(format('the %s of lead %s', s.what, s.key), ' and ')
		INTO keys, fits
	FROM @extschema@._seek_lead(funnel, way, sought) AS s;
	IF keys IS NULL THEN
		RAISE EXCEPTION 'funnel "%" has no lead "%"', funnel, lead
			USING ERRCODE = 'no_data_found',
				  DETAIL = (SELECT regexp_replace(format('It was looked for by %s.', string_agg(
									  CASE WHEN w.n = 1 AND @extschema@._text_as(sought, w.type) IS NULL
									  THEN format('key (it is no %s)', @extschema@._base_type(w.type))
									  ELSE w.what END, ', ' ORDER BY w.n)), ', ([^,]*)$', ' and \1')
							FROM @extschema@._lead_names(funnel, way) AS w),
				  HINT = format('Insert the lead into %I.lead first.', funnel);
	END IF;
	IF cardinality(keys) > 1 THEN
		RAISE EXCEPTION '"%" fits more than one lead of funnel "%"', lead, funnel
			USING ERRCODE = 'cardinality_violation',
				  DETAIL = format('It is %s.', fits),
				  HINT = format('Say which, by its key: %s.',
								(SELECT string_agg(format('''key:%s''', key), ' or ') FROM unnest(keys) AS key));
	END IF;
	RETURN keys[1];
END
$body$;

COMMENT ON FUNCTION _find_lead(text, text) IS
'the key of the one lead that a text names, as key, external id or e-mail address, or as what is said before a colon (key:7, external_id:x7, email:ann@example.com); raises where it is none or more than one';

-- A value that the key's type would read as another is refused: 7.5 is not 8.
CREATE FUNCTION _name_key(funnel text, value text, type oid) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	given constant text := CASE type WHEN 'numeric'::regtype THEN trim_scale(value::numeric)::text ELSE value END;
	of_key record;
	key text;
BEGIN
	IF value IS NULL THEN
		RETURN NULL;
	END IF;

	SELECT * INTO of_key FROM @extschema@._lead_names(funnel, 'key'::text);
	key := @extschema@._text_as(given, of_key.type);
	IF key IS NULL OR (key <> given AND @extschema@._text_as(key, type) IS DISTINCT FROM value) THEN
		RAISE EXCEPTION '% of type % is no key of a lead of funnel "%"', value, format_type(type, NULL), funnel
			USING ERRCODE = 'invalid_text_representation',
				  DETAIL = format('Keys of its leads are of type %s.', @extschema@._base_type(of_key.type)),
				  HINT = 'Give an external id or an e-mail address as text.';
	END IF;
	RETURN 'key:' || key;
END
$body$;

COMMENT ON FUNCTION _name_key(text, text, oid) IS
'the text that names a lead by a key, which is given as a value of any type in words: key:7; NULL for a null; raises where the key''s type cannot hold it';
