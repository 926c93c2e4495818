--
-- From one milestone to another
--
CREATE FUNCTION velocity(funnel text, from_milestone text, to_milestone text, by text DEFAULT NULL)
RETURNS TABLE (value text, units bigint, n bigint, n_open bigint, n_exited bigint, n_gone bigint, n_odd bigint,
			   reached_median_days numeric, mean_days numeric, median_days numeric, p90_days numeric, km_median_days numeric,
			   reached_by_30 numeric, reached_by_60 numeric, reached_by_90 numeric, reached_by_180 numeric,
			   nurture_by_30 numeric, nurture_by_60 numeric, nurture_by_90 numeric, nurture_by_180 numeric,
			   disqualified_by_30 numeric, disqualified_by_60 numeric, disqualified_by_90 numeric, disqualified_by_180 numeric,
			   lost_by_30 numeric, lost_by_60 numeric, lost_by_90 numeric, lost_by_180 numeric,
			   mean_working_hours numeric, median_working_hours numeric)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	part text := '''all''';
	working boolean;
BEGIN
	PERFORM @extschema@._funnel_schema(funnel);
	PERFORM @extschema@._require_step(from_milestone, to_milestone);
	IF by IS NOT NULL THEN
		SELECT format(CASE d.type WHEN 'date' THEN 'to_char((%s)::timestamp, ''YYYY-MM-DD'')' ELSE 'coalesce((%s)::text, ''(none)'')' END,
					  format(d.expression, from_milestone, CASE WHEN from_milestone IN ('mql', 'sql') THEN from_milestone || '_' ELSE '' END))
			INTO part
		FROM @extschema@._unit_dimensions() AS d WHERE d.name = by;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no dimension "%"', @extschema@._clip(by::text)
				USING ERRCODE = 'invalid_parameter_value',
					  HINT = format('Dimensions are %s.', (SELECT string_agg(d.name, ', ' ORDER BY d.place) FROM @extschema@._unit_dimensions() AS d));
		END IF;
	END IF;
	EXECUTE format('SELECT bool_and(st.working_time) FROM %I.stage AS st WHERE st.milestone = $1', funnel)
		INTO working USING from_milestone;

	RETURN QUERY EXECUTE format($query$
		WITH unit AS (
			SELECT %2$s AS value, %3$s, %5$s AS open_time
			FROM %1$I.journey AS j
			CROSS JOIN %1$I.setting AS s
			LEFT JOIN %1$I.source AS c ON c.source = j.%4$I_source
			LEFT JOIN %1$I.account AS a ON a.account_id = j.%4$I_account_id
			LEFT JOIN %1$I.lead AS l ON l.lead_id = j.lead_id AND j.gone_at IS NULL
			WHERE j.%4$I_at IS NOT NULL
			OFFSET '0'
		), counted AS (
			SELECT u.value, %6$s,
				   avg(u.open_time) FILTER (WHERE u.way = 1) AS open_mean,
				   @extschema@._spread(u.open_time) FILTER (WHERE u.way = 1) AS open_parts
			FROM unit AS u
			GROUP BY u.value
		)
		SELECT %7$s, coalesce(c.units, 0), coalesce(c.n, 0), coalesce(c.n_open, 0), coalesce(c.n_exited, 0), coalesce(c.n_gone, 0), coalesce(c.n_odd, 0),
			   @extschema@._days(c.estimate[1]::numeric), @extschema@._days(c.mean), @extschema@._days(c.parts[1]::numeric),
			   @extschema@._days(c.parts[2]::numeric), @extschema@._days(c.estimate[2]::numeric), %8$s,
			   @extschema@._hours(c.open_mean), @extschema@._hours(c.open_parts[1]::numeric)
		FROM %9$s
		ORDER BY 1 $query$,
		funnel, part, @extschema@._velocity_unit(from_milestone, to_milestone), from_milestone,
		CASE WHEN working THEN format('round(@extschema@._working_time_between(s.tableoid, j.%I_at, j.%I_at) * 3600000000)::bigint',
									  from_milestone, to_milestone) ELSE 'NULL::bigint' END,
		@extschema@._velocity_counts(),
		CASE WHEN by IS NULL THEN '''all''' ELSE 'c.value' END,
		(SELECT string_agg(format('@extschema@._ratio(c.estimate[%s]::numeric, 1::numeric)', i), ', ' ORDER BY i) FROM generate_series(3, 18) AS i),
		-- all of them is a row even where there are none
		CASE WHEN by IS NULL THEN '(SELECT) AS always LEFT JOIN counted AS c ON true' ELSE 'counted AS c' END);
END
$body$;

COMMENT ON FUNCTION velocity(text, text, text, text) IS
'days from one milestone of the path to a later one, or to an exit, in the same cycle, of all units (value "all") or by month, quarter, week (value: first day, in the funnel''s time zone), source, channel, campaign, owner, account, country, industry, definition or version: as the unit entered the first milestone; campaign, owner, definition and version of an entry other than mql or sql as the unit began, country and industry those of the lead today. units = n + n_open + n_exited + n_gone + n_odd, and all figures are those of view sql_velocity, in days or as a fraction of the units: reached_median_days (of those who will get there), reached_by_30 … reached_by_180, and beside it the share that has left by then for nurture, disqualified or lost instead; mean_working_hours, median_working_hours: of the n, hours open by the calendar, where all stages of the first milestone count working time, else NULL';
