--
-- Targets, and what it takes to reach one
--
CREATE FUNCTION _target_attained(funnel text, metric text, since timestamptz, until timestamptz, source text, owner text,
								 OUT attained numeric, OUT n bigint, OUT of_n bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	a constant text := regexp_replace(metric, '^[a-z]+:|>.*$', '', 'g');
	b constant text := substring(metric FROM '>(.*)$');
BEGIN
	IF metric = 'revenue' AND source IS NULL THEN
		EXECUTE format($query$
			SELECT coalesce(sum(@extschema@._home_amount(d.home_amount, d.amount, d.currency, s.currency)), 0), count(*)
			FROM %1$I.deal AS d
			CROSS JOIN %1$I.setting AS s
			WHERE d.status = 'won' AND d.closed_at >= $1 AND d.closed_at < $2 AND ($3 IS NULL OR coalesce(d.owner, '(none)') = $3) $query$, funnel)
			INTO attained, n USING since, until, owner;
		RETURN;
	ELSIF metric = 'revenue' THEN
		EXECUTE format($query$
			SELECT coalesce(sum(w.amount), 0), count(*)
			FROM %1$I.won_deal AS w
			LEFT JOIN %1$I.journey AS j ON j.lead_id = w.lead_id AND j.cycle = w.cycle
			WHERE w.closed_at >= $1 AND w.closed_at < $2 AND coalesce(j.source, '(none)') = $3 $query$, funnel)
			INTO attained, n USING since, until, source;
		RETURN;
	END IF;
	EXECUTE format($query$
		SELECT count(*), count(*) FILTER (WHERE j.%3$I >= j.%2$I)
		FROM %1$I.journey AS j
		WHERE j.%2$I >= $1 AND j.%2$I < $2 AND ($3 IS NULL OR coalesce(j.%4$I, '(none)') = $3) AND ($4 IS NULL OR coalesce(j.%5$I, '(none)') = $4) $query$,
		funnel, a || '_at', coalesce(b, a) || '_at', a || '_source', CASE WHEN a IN ('mql', 'sql') THEN a || '_owner' ELSE 'owner' END)
		INTO of_n, n USING since, until, source, owner;
	IF b IS NULL THEN
		attained := n;
		of_n := NULL;
	ELSE
		attained := n::numeric / nullif(of_n, 0);
	END IF;
END
$body$;

COMMENT ON FUNCTION _target_attained(text, text, timestamptz, timestamptz, text, text) IS
'what came of a metric in a time, of a source or an owner (NULL: all): entries into a milestone, revenue won, or the rate of those that entered one milestone then and a later one since; n of of_n';

-- Nothing is foreseen of rates, of exits, and beyond two years.
CREATE FUNCTION _target_rest(funnel text, metric text, until timestamptz, source text, owner text, OUT expected numeric, OUT upper numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	now constant timestamptz := @extschema@.funnel_now();
	milestone constant text := CASE WHEN metric = 'revenue' THEN 'customer' ELSE substring(metric FROM '^entries:(.*)$') END;
	days constant integer := ceil(extract(epoch FROM until - now) / 86400);
BEGIN
	IF days <= 0 THEN
		expected := 0;
		upper := 0;
	ELSIF milestone IS NOT NULL AND NOT @extschema@._is_exit(milestone::text) AND days <= 731 THEN
		SELECT CASE metric WHEN 'revenue' THEN f.revenue ELSE f.expected END, CASE metric WHEN 'revenue' THEN f.revenue_upper ELSE f.upper END
			INTO expected, upper
		FROM @extschema@._forecast_told(funnel, now, ARRAY[milestone], ARRAY[days], source, owner) AS f;
	END IF;
END
$body$;

COMMENT ON FUNCTION _target_rest(text, text, timestamptz, text, text) IS
'what the forecast says of a metric from now to an instant, and its upper limit; NULL where there is none';

CREATE FUNCTION _targets_of(setting oid)
RETURNS TABLE (target_id bigint, metric text, starts_on date, ends_on date, source text, owner text, value numeric, attained numeric, n bigint, of_n bigint,
			   days numeric, elapsed_days numeric, expected_by_now numeric, forecast numeric, forecast_upper numeric, alarm boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	funnel constant text := (SELECT s.nspname FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace WHERE c.oid = setting);
	now constant timestamptz := @extschema@.funnel_now();
	since timestamptz;
	until timestamptz;
	ripe timestamptz;
BEGIN
	FOR target_id, metric, starts_on, ends_on, source, owner, value, since, until, ripe IN EXECUTE format($query$
		SELECT t.target_id, t.metric, t.starts_on, t.ends_on, t.source, t.owner, t.value, t.starts_on::timestamp AT TIME ZONE s.time_zone,
			   (t.ends_on + 1)::timestamp AT TIME ZONE s.time_zone, (t.ends_on + 1 + s.maturity_days)::timestamp AT TIME ZONE s.time_zone
		FROM %1$I.target AS t CROSS JOIN %1$I.setting AS s
		ORDER BY t.starts_on, t.ends_on, t.metric, t.source, t.owner $query$, funnel)
	LOOP
		SELECT a.attained, a.n, a.of_n INTO attained, n, of_n
		FROM @extschema@._target_attained(funnel, metric, since, least(until, now + interval '1 microsecond'), source, owner) AS a;
		days := ends_on - starts_on + 1;
		elapsed_days := round(least(greatest((extract(epoch FROM now - since) / extract(epoch FROM until - since)) * days, 0), days), 2);
		forecast := NULL;
		forecast_upper := NULL;
		alarm := NULL;
		IF metric LIKE 'rate:%' THEN
			expected_by_now := value;
			IF ripe <= now THEN
				alarm := attained < value;
			END IF;
			attained := @extschema@._ratio(attained, 1::numeric);
		ELSE
			expected_by_now := @extschema@._per(value * least(greatest(extract(epoch FROM now - since), 0), extract(epoch FROM until - since)),
												extract(epoch FROM until - since));
			-- of one that has not begun nothing is late
			IF since <= now THEN
				SELECT r.expected, r.upper INTO forecast, forecast_upper FROM @extschema@._target_rest(funnel, metric, until, source, owner) AS r;
				alarm := attained + forecast_upper < value;
			END IF;
		END IF;
		RETURN NEXT;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _targets_of(oid) IS
'view target_attainment of the funnel whose table setting it is';

CREATE FUNCTION plan(funnel text, revenue numeric, until date DEFAULT NULL)
RETURNS TABLE (milestone text, rate numeric, came bigint, entered bigint, needed numeric, pace numeric, short numeric, days integer)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	now constant timestamptz := @extschema@.funnel_now();
	local timestamp;
	path text[];
	ripe timestamptz;
	mean numeric;
	each record;
	next_milestone text;
	next_needed numeric;
	seen numeric;
BEGIN
	IF revenue IS NULL OR revenue <= 0 OR revenue >= 'infinity' THEN
		RAISE EXCEPTION 'revenue must be an amount above zero'
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'It is what is to be won until that day, in the currency of the funnel.';
	END IF;
	EXECUTE format($query$
		SELECT $1 AT TIME ZONE s.time_zone, $1 - s.maturity_days * interval '1 day',
			   (SELECT avg(@extschema@._home_amount(d.home_amount, d.amount, d.currency, s.currency)) FROM %1$I.deal AS d WHERE d.status = 'won'),
			   ARRAY(SELECT m.milestone FROM unnest($2) WITH ORDINALITY AS m (milestone, n)
					 WHERE NOT @extschema@._is_exit(m.milestone::text)
						   AND (m.milestone IN ('lead', 'mql', 'sql', 'customer')) AND m.milestone IN (SELECT st.milestone FROM %1$I.stage AS st)
					 ORDER BY m.n DESC)
		FROM %1$I.setting AS s $query$, funnel)
		INTO local, ripe, mean, path USING now, @extschema@._milestones();
	until := coalesce(until, (date_trunc('quarter', local) + interval '3 months - 1 day')::date);
	IF NOT isfinite(until) OR until < local::date OR until > local::date + 36500 THEN
		RAISE EXCEPTION 'the day must be one of the next hundred years'
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'It is the day by which the revenue is to be won.';
	END IF;

	days := until - local::date + 1;
	next_needed := revenue / nullif(mean, 0);
	FOREACH milestone IN ARRAY path LOOP
		-- those that entered it in a year, and have had their time
		EXECUTE format($query$
			SELECT count(*) FILTER (WHERE j.%2$I > $1 - interval '1 year' AND j.%2$I <= $1),
				   count(*) FILTER (WHERE j.%2$I > $1 - interval '1 year' AND j.%2$I <= $1 AND j.%3$I >= j.%2$I),
				   count(*) FILTER (WHERE j.%2$I > $2 - interval '91 days' AND j.%2$I <= $2),
				   extract(epoch FROM $2 - min(j.started_at)) / 86400
			FROM %1$I.journey AS j $query$, funnel, milestone || '_at', coalesce(next_milestone, milestone) || '_at')
			INTO entered, came, pace, seen USING ripe, now;
		IF next_milestone IS NULL THEN
			came := NULL;
			entered := NULL;
			rate := NULL;
			needed := next_needed;
		ELSE
			rate := came::numeric / nullif(entered, 0);
			needed := next_needed / nullif(rate, 0);
		END IF;
		next_needed := needed;
		next_milestone := milestone;
		rate := @extschema@._ratio(came::numeric, entered::numeric);
		needed := ceil(needed);
		pace := CASE WHEN seen >= 28 THEN @extschema@._per(pace * days, least(seen, 91::numeric)) END;
		short := CASE WHEN needed > pace THEN needed - pace WHEN needed <= pace THEN 0 END;
		RETURN NEXT;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION plan(text, numeric, date) IS
'what it takes to win a revenue (in the funnel''s currency) until a day (default: the last of this quarter): needed: customers = revenue / mean amount of all won deals; SQLs, MQLs and leads as many as make these at the mature rate: came / entered, of the units that entered the milestone in the year before setting.maturity_days ago those that came to the next one listed. pace: as many as will enter it in the days left at the rate of the last 13 weeks (fewer, where units are there for less; NULL under 4); short = needed - pace, 0 where the pace will do. Units that come late in the time will not all be customers by its end: how long that takes is told by velocity(). NULL where nothing was won, or nobody came through';
