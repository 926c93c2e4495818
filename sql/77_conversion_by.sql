--
-- Conversion by whatever is asked for
--

-- What units may be told apart by, in the order of columns.  Campaign, owner,
-- definition and version are in table journey for some milestones, and else
-- as the unit began.
CREATE FUNCTION _unit_dimensions() RETURNS TABLE (place integer, name text, type text, expression text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	VALUES
		(1, 'month', 'date', 'date_trunc(''month'', j.%1$s_at AT TIME ZONE s.time_zone)::date'),
		(2, 'week', 'date', 'date_trunc(''week'', j.%1$s_at AT TIME ZONE s.time_zone)::date'),
		(3, 'quarter', 'date', 'date_trunc(''quarter'', j.%1$s_at AT TIME ZONE s.time_zone)::date'),
		(4, 'source', 'text', 'coalesce(j.%1$s_source, ''(none)'')'),
		(5, 'channel', 'text', 'coalesce(c.channel, ''(none)'')'),
		(6, 'campaign', 'text', 'coalesce(j.%2$scampaign, ''(none)'')'),
		(7, 'owner', 'text', 'coalesce(j.%2$sowner, ''(none)'')'),
		(8, 'account', 'text', 'coalesce(a.name, ''account '' || j.%1$s_account_id, ''(none)'')'),
		(9, 'country', 'text', 'coalesce(l.country::text, ''(none)'')'),
		(10, 'industry', 'text', 'coalesce(l.industry::text, ''(none)'')'),
		(11, 'definition', 'text', 'coalesce(j.%2$sdefinition, ''(none)'')'),
		(12, 'version', 'bigint', 'j.%2$sversion::bigint')
$body$;

COMMENT ON FUNCTION _unit_dimensions() IS
'what units may be told apart by: name, type, and expression over the tables journey (j), setting (s), source (c), account (a) and lead (l), with a milestone (%1), and what its columns of campaign, owner, definition and version begin with (%2)';

CREATE FUNCTION _require_step(from_milestone text, to_milestone text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	milestones constant text[] := @extschema@._milestones();
	unknown text;
BEGIN
	SELECT m.milestone INTO unknown
	FROM (VALUES (1, from_milestone), (2, to_milestone)) AS m (n, milestone)
	WHERE m.milestone IS NULL OR m.milestone <> ALL (milestones)
	ORDER BY m.n LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'there is no milestone "%"', coalesce(@extschema@._clip(unknown::text), 'NULL')
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = format('Milestones are %s.', array_to_string(milestones, ', '));
	END IF;
	IF @extschema@._is_exit(from_milestone::text)
		OR array_position(milestones, from_milestone) >= array_position(milestones, to_milestone) THEN
		RAISE EXCEPTION 'no way leads from milestone "%" to "%"', from_milestone, to_milestone
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = format('A step goes from an earlier to a later one of %s.', array_to_string(milestones, ', '));
	END IF;
END
$body$;

COMMENT ON FUNCTION _require_step(text, text) IS
'raises unless both are milestones, the first one of the path and the second a later one or an exit';

CREATE FUNCTION conversion_by(
	funnel text,
	from_milestone text,
	to_milestone text,
	by text[] DEFAULT '{}',
	since date DEFAULT NULL,
	until date DEFAULT NULL,
	period boolean DEFAULT false,
	OUT month date,
	OUT week date,
	OUT quarter date,
	OUT source text,
	OUT channel text,
	OUT campaign text,
	OUT owner text,
	OUT account text,
	OUT country text,
	OUT industry text,
	OUT definition text,
	OUT version bigint,
	OUT n bigint,
	OUT converted bigint,
	OUT skipped bigint,
	OUT rate numeric,
	OUT rate_lower numeric,
	OUT rate_upper numeric,
	OUT mature boolean
) RETURNS SETOF record
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	unknown text;
	-- the columns, with the expressions of one milestone or the other
	of_from text;
	of_to text;
	shown text;
	ends text;
	-- the units that entered a milestone on the days, with what they are told apart by
	units constant text := $units$
			FROM %4$I.journey AS j
			CROSS JOIN %4$I.setting AS s
			LEFT JOIN %4$I.source AS c ON c.source = j.%5$I
			LEFT JOIN %4$I.account AS a ON a.account_id = j.%6$I
			LEFT JOIN %4$I.lead AS l ON l.lead_id = j.lead_id AND j.gone_at IS NULL
			WHERE j.%3$I IS NOT NULL
				AND (%1$L::date IS NULL OR j.%3$I >= %1$L::date::timestamp AT TIME ZONE s.time_zone)
				AND (%2$L::date IS NULL OR j.%3$I < %2$L::date::timestamp AT TIME ZONE s.time_zone)$units$;
BEGIN
	PERFORM @extschema@._funnel_key(funnel::text);
	PERFORM @extschema@._require_step(from_milestone::text, to_milestone::text);
	SELECT b.name INTO unknown
	FROM unnest(by) AS b (name)
	WHERE b.name IS NULL OR b.name NOT IN (SELECT d.name FROM @extschema@._unit_dimensions() AS d)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'there is no dimension "%"', coalesce(@extschema@._clip(unknown::text), 'NULL')
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = format('Dimensions are %s.', (SELECT string_agg(d.name, ', ' ORDER BY d.place) FROM @extschema@._unit_dimensions() AS d));
	END IF;

	SELECT string_agg(format(CASE WHEN d.name = ANY (by) THEN d.expression ELSE 'NULL::' || d.type END || ' AS %3$I', from_milestone,
							 CASE WHEN from_milestone IN ('mql', 'sql') THEN from_milestone || '_' ELSE '' END, d.name),
					  ', ' ORDER BY d.place),
		   string_agg(format(CASE WHEN d.name = ANY (by) THEN d.expression ELSE 'NULL::' || d.type END || ' AS %3$I', to_milestone,
							 CASE WHEN to_milestone IN ('mql', 'sql') THEN to_milestone || '_' ELSE '' END, d.name),
					  ', ' ORDER BY d.place),
		   string_agg(format('u.%I', d.name), ', ' ORDER BY d.place)
		INTO of_from, of_to, shown
	FROM @extschema@._unit_dimensions() AS d;

	-- where what a row counts ends: with the shortest span that it is by
	SELECT coalesce('least(' || string_agg(e.ends, ', ') || ')', '''infinity''::timestamp')
		INTO ends
	FROM (SELECT format('g.%1$I + interval %2$L', v.name, v.span)
		  FROM (VALUES ('month', '1 month'), ('week', '7 days'), ('quarter', '3 months')) AS v (name, span)
		  WHERE v.name = ANY (by)
		  UNION ALL
		  SELECT format('%L::date::timestamp', until) WHERE isfinite(until)) AS e (ends);

	RETURN QUERY EXECUTE format($query$
		WITH unit AS (
			SELECT %2$s, true AS enters, j.%5$I >= j.%4$I AS comes, false AS skips %6$s
			UNION ALL
			SELECT %3$s, false, false, j.%4$I IS NULL %7$s
				AND (%9$L OR j.%4$I IS NULL)
		), counted AS (
			SELECT %8$s, count(*) FILTER (WHERE u.enters) AS n,
				   CASE WHEN %9$L THEN count(*) FILTER (WHERE NOT u.enters) ELSE count(*) FILTER (WHERE u.comes) END AS converted,
				   count(*) FILTER (WHERE u.skips) AS skipped
			FROM unit AS u
			GROUP BY %8$s
		)
		SELECT g.*, @extschema@._ratio(g.converted::numeric, g.n::numeric),
			   @extschema@._ratio(w.limits[1], 1::numeric), @extschema@._ratio(w.limits[2], 1::numeric),
			   (%10$s + s.maturity_days * interval '1 day') AT TIME ZONE s.time_zone <= @extschema@.funnel_now()
		FROM counted AS g
		CROSS JOIN %1$I.setting AS s
		CROSS JOIN LATERAL (SELECT CASE WHEN NOT %9$L THEN @extschema@._wilson(g.converted::numeric, g.n::numeric) END AS limits) AS w
		ORDER BY 1, 3, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12 $query$,
		funnel, of_from, of_to, from_milestone || '_at', to_milestone || '_at',
		format(units, since, until, from_milestone || '_at', funnel, from_milestone || '_source', from_milestone || '_account_id'),
		format(units, since, until, to_milestone || '_at', funnel, to_milestone || '_source', to_milestone || '_account_id'),
		shown, coalesce(period, false), ends);
END
$body$;

COMMENT ON FUNCTION conversion_by(text, text, text, text[], date, date, boolean) IS
'how many units (lead and cycle) that entered a milestone came to a later one, by any of month, week, quarter, source, channel, campaign, owner, account, country, industry, definition and version; those not asked for are NULL. From day since to before day until, in the funnel''s time zone. rate = converted / n, a fraction, with Wilson''s 95 % interval. Cohort: n entered from_milestone then, converted are those of them that entered to_milestone at or after that, whenever. period: converted are all that entered to_milestone then; the rate may exceed 1. skipped: entered to_milestone then without ever having been in from_milestone. Source and account are those of the move; campaign, owner, definition and version, too, where it is to mql or sql, else those with which the unit began; country and industry are the lead''s of today. mature: the span ended at least setting.maturity_days ago; if not, a cohort''s rate will still rise';
