--
-- What functions on units are asked for: milestones, and by what
--

-- Raises unless they are milestones of the path, the first before the second.
CREATE FUNCTION _check_step(from_milestone text, to_milestone text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	path constant text[] := ARRAY(SELECT m FROM unnest(@extschema@._milestones()) AS m WHERE NOT @extschema@._is_exit(m::text));
	wrong text;
BEGIN
	FOREACH wrong IN ARRAY ARRAY[from_milestone, to_milestone] LOOP
		IF wrong IS NULL OR wrong <> ALL (path) THEN
			RAISE EXCEPTION 'there is no milestone "%" on the path', @extschema@._clip(coalesce(wrong, 'NULL')::text)
				USING ERRCODE = 'invalid_parameter_value',
					  HINT = format('Milestones of the path are, in their order: %s.', array_to_string(path, ', '));
		END IF;
	END LOOP;
	IF array_position(path, from_milestone) >= array_position(path, to_milestone) THEN
		RAISE EXCEPTION 'milestone "%" does not come after "%"', to_milestone, from_milestone
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = format('Milestones of the path are, in their order: %s.', array_to_string(path, ', '));
	END IF;
END
$body$;

COMMENT ON FUNCTION _check_step(text, text) IS
'raises unless a step from the first milestone to the second leads along the path';

-- As the row of the entry has it where table journey keeps that, else as the
-- unit began; what a lead has is that of today.
CREATE FUNCTION _dimension(funnel text, milestone text, dimension text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	kept constant boolean := milestone IN ('mql', 'sql');
	of_entry constant text := CASE WHEN kept THEN milestone || '_' ELSE '' END;
	said text;
BEGIN
	SELECT d.expression INTO said
	FROM (VALUES
		('month', format('to_char(date_trunc(''month'', j.%I_at AT TIME ZONE s.time_zone), ''YYYY-MM-DD'')', milestone)),
		('quarter', format('to_char(date_trunc(''quarter'', j.%I_at AT TIME ZONE s.time_zone), ''YYYY-MM-DD'')', milestone)),
		('week', format('to_char(date_trunc(''week'', j.%I_at AT TIME ZONE s.time_zone), ''YYYY-MM-DD'')', milestone)),
		('source', format('j.%I_source', milestone)),
		('channel', format('(SELECT c.channel FROM %I.source AS c WHERE c.source = j.%I_source)', funnel, milestone)),
		('campaign', format('j.%scampaign', of_entry)),
		('owner', format('j.%sowner', of_entry)),
		('account', format('(SELECT coalesce(a.name, a.account_id::text) FROM %I.account AS a WHERE a.account_id = j.%I_account_id)', funnel, milestone)),
		('country', format('(SELECT l.country::text FROM %I.lead AS l WHERE l.lead_id = j.lead_id AND j.gone_at IS NULL)', funnel)),
		('industry', format('(SELECT l.industry::text FROM %I.lead AS l WHERE l.lead_id = j.lead_id AND j.gone_at IS NULL)', funnel)),
		('definition', format('j.%sdefinition', of_entry)),
		('version', format('j.%1$sdefinition || '' '' || j.%1$sversion', of_entry))) AS d (name, expression)
	WHERE d.name = dimension;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no dimension "%"', @extschema@._clip(coalesce(dimension, 'NULL')::text)
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'Dimensions are month, quarter, week, source, channel, campaign, owner, account, country, industry, definition and version.';
	END IF;
	RETURN format('coalesce(%s, ''(none)'')', said);
END
$body$;

COMMENT ON FUNCTION _dimension(text, text, text) IS
'text of an expression: a dimension of a unit, row j of table journey, as it entered a milestone; s is the row of the settings';
