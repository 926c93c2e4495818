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
