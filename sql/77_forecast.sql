--
-- What will come
--
-- A unit waits in the furthest milestone that it has come to, goes on to a later
-- one, or leaves.  How likely it does either in a week of its stay is the
-- Aalen-Johansen estimate of that week, over stays of the last 365 days, by
-- their days; what comes of it in the weeks that are left follows week by week.
-- Nothing is worked out lead by lead: units that wait in one milestone for as
-- many weeks are one number.
--
-- Positions of milestones on the path are 1, 2, ..., k; in arrays of chances
-- k + 1 stands for leaving.
--
CREATE TYPE _forecast_count AS (kind text, place integer, day integer, way integer, n bigint);

COMMENT ON TYPE _forecast_count IS
'what a forecast is made of, see _forecast_counts(text, timestamptz, text, text)';

-- By whole days.  A set of a million units is looked at once, by several
-- processes.
CREATE FUNCTION _stays_add(internal, timestamptz[], timestamptz, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'stays_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _stays_join(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'stays_join' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION _stays_write(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'stays_write' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _stays_read(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'stays_read' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION _stays_end(internal) RETURNS bigint[]
AS 'MODULE_PATHNAME', 'stays_end' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE _stays(instants timestamptz[], left_at timestamptz, at timestamptz) (
	SFUNC = _stays_add, STYPE = internal, SSPACE = 200000,
	COMBINEFUNC = _stays_join, SERIALFUNC = _stays_write,
	DESERIALFUNC = _stays_read, FINALFUNC = _stays_end,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE _stays(timestamptz[], timestamptz, timestamptz) IS
'how long units wait in milestones, given when they entered each of n and when they left, as of an instant: rows of four numbers, one after the other: place of the milestone; how that ended: 0 it goes on, 1 to n it went on to that place, n + 1 it left, n + 2 it goes on and began more than 365 days ago, n + 3 entries so far; days; how many';
COMMENT ON FUNCTION _stays_add(internal, timestamptz[], timestamptz, timestamptz) IS
'state transition of _stays(timestamptz[], timestamptz, timestamptz)';
COMMENT ON FUNCTION _stays_join(internal, internal) IS
'two states of _stays(timestamptz[], timestamptz, timestamptz) in one';
COMMENT ON FUNCTION _stays_write(internal) IS
'a state of _stays(timestamptz[], timestamptz, timestamptz), written for another process';
COMMENT ON FUNCTION _stays_read(bytea, internal) IS
'a state of _stays(timestamptz[], timestamptz, timestamptz), read from another process';
COMMENT ON FUNCTION _stays_end(internal) IS
'the result of _stays(timestamptz[], timestamptz, timestamptz)';

CREATE FUNCTION _forecast_counts(funnel text, at timestamptz, source text, owner text) RETURNS SETOF _forecast_count
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	path constant text[] := ARRAY(SELECT m.milestone FROM unnest(@extschema@._milestones()) WITH ORDINALITY AS m (milestone, n)
								  WHERE NOT @extschema@._is_exit(m.milestone::text) ORDER BY m.n);
	k constant integer := cardinality(path);
	part constant text := CASE WHEN source IS NOT NULL THEN ' AND coalesce(j.source, ''(none)'') = $2' ELSE '' END
		|| CASE WHEN owner IS NOT NULL THEN ' AND coalesce(j.owner, ''(none)'') = $3' ELSE '' END;
	time_zone text;
	week timestamp;
	-- where the last 13 full weeks begin and end
	bounds timestamptz[];
BEGIN
	EXECUTE format('SELECT s.time_zone FROM %I.setting AS s', funnel) INTO time_zone;
	week := date_trunc('week', at AT TIME ZONE time_zone);
	bounds := ARRAY(SELECT (week - n * interval '1 week') AT TIME ZONE time_zone FROM generate_series(13, 0, -1) AS n);

	RETURN QUERY EXECUTE format($query$
		WITH told AS MATERIALIZED (
			SELECT @extschema@._stays(ARRAY[%2$s], least(j.exited_at, j.gone_at), $1) AS stays, min(j.started_at) AS since
			FROM %1$I.journey AS j
			WHERE j.started_at <= $1%3$s
		)
		SELECT CASE s.way WHEN %5$s THEN 'old' WHEN %6$s THEN 'past' ELSE 'stay' END, s.place::integer, s.day::integer,
			   CASE WHEN s.way < %5$s THEN s.way ELSE 0 END::integer, s.n
		FROM told AS t
		CROSS JOIN LATERAL generate_series(1, pg_catalog.cardinality(t.stays), 4) AS i
		CROSS JOIN LATERAL (SELECT t.stays[i] AS place, t.stays[i + 1] AS way, t.stays[i + 2] AS day, t.stays[i + 3] AS n) AS s
		UNION ALL
		-- units that began, by weeks before the present one
		SELECT 'begun', u.start, u.ago, 0, count(*)
		FROM (SELECT CASE %4$s END AS start, 14 - pg_catalog.width_bucket(j.started_at, $4) AS ago
			  FROM %1$I.journey AS j
			  WHERE j.started_at >= $4[1] AND j.started_at < $4[14]%3$s
			  OFFSET '0') AS u
		GROUP BY u.start, u.ago
		UNION ALL
		-- since how many weeks units are there
		SELECT 'weeks', NULL, ($5::date - date_trunc('week', t.since AT TIME ZONE $6)::date) / 7, 0, 0
		FROM told AS t $query$,
		funnel, (SELECT string_agg(format('j.%I', p || '_at'), ', ' ORDER BY n) FROM unnest(path) WITH ORDINALITY AS p (p, n)), part,
		(SELECT string_agg(format('WHEN j.%I = j.started_at THEN %s', p || '_at', n), ' ' ORDER BY n) FROM unnest(path) WITH ORDINALITY AS p (p, n)),
		k + 2, k + 3)
		USING at, source, owner, bounds, week, time_zone;
END
$body$;

COMMENT ON FUNCTION _forecast_counts(text, timestamptz, text, text) IS
'what a forecast as of an instant is made of: stays by milestone (its place on the path), length in days and how they ended (way: place that they went on to, one more than there are for leaving, 0 they go on), begun in the last 365 days or before; units begun, by full weeks ago; for how many weeks there have been units; entries into each milestone so far';

-- For stages with too few stays: of units begun in the last 365 days, how long
-- until a milestone, leaving or now.
CREATE FUNCTION _forecast_incidence(funnel text, at timestamptz, milestone text, weeks integer) RETURNS float8[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	incidence float8[] := array_fill(0::float8, ARRAY[weeks + 1]);
	stayed float8 := 1;
	reached float8 := 0;
	d record;
	filled integer := 0;
BEGIN
	FOR d IN EXECUTE format($query$
		SELECT u.day, count(*) FILTER (WHERE u.way = 1) AS there, count(*) FILTER (WHERE u.way > 0) AS ended,
			   sum(count(*)) OVER (ORDER BY u.day DESC) AS at_risk, sum(count(*)) OVER () AS n
		FROM (SELECT (@extschema@._microseconds_between(j.started_at, coalesce(e.at, $1)) / 86400000000)::integer AS day,
					 CASE WHEN e.at IS NULL THEN 0 WHEN e.at = j.%2$I THEN 1 ELSE 2 END AS way
			  FROM %1$I.journey AS j
			  CROSS JOIN LATERAL (SELECT CASE WHEN least(j.%2$I, j.exited_at, j.gone_at) <= $1
											  THEN greatest(least(j.%2$I, j.exited_at, j.gone_at), j.started_at) END AS at) AS e
			  WHERE j.started_at <= $1 AND j.started_at > $1 - interval '365 days') AS u
		GROUP BY u.day
		ORDER BY u.day $query$, funnel, milestone || '_at')
		USING at
	LOOP
		IF d.n < 20 THEN
			RETURN NULL;
		END IF;
		-- after w weeks: before day 7 w
		WHILE filled < weeks AND d.day >= 7 * (filled + 1) LOOP
			filled := filled + 1;
			incidence[filled + 1] := reached;
		END LOOP;
		reached := reached + stayed * d.there / d.at_risk::float8;
		stayed := stayed * (d.at_risk - d.ended)::float8 / d.at_risk::float8;
	END LOOP;
	WHILE filled < weeks LOOP
		filled := filled + 1;
		incidence[filled + 1] := reached;
	END LOOP;
	RETURN incidence;
END
$body$;

COMMENT ON FUNCTION _forecast_incidence(text, timestamptz, text, integer) IS
'by how many weeks after a unit began it has entered a milestone: Aalen-Johansen, by weeks from 0 on; NULL under 20 units';

-- Of those that go on within a week, and do so at that mean part of it, how
-- many have by another part: as if evenly about the mean.
CREATE FUNCTION _forecast_share(part float8, mean float8) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT CASE WHEN part >= 1 THEN 1 WHEN mean <= 0.5 THEN least(part / (2 * mean), 1)
				ELSE greatest((part - 2 * mean + 1) / (2 - 2 * mean), 0) END
$body$;

COMMENT ON FUNCTION _forecast_share(float8, float8) IS
'which share of the moves of a week has happened when a part of it has passed, given the mean part';

CREATE FUNCTION _forecast(funnel text, at timestamptz, targets text[], horizons integer[], source text, owner text)
RETURNS TABLE (milestone text, horizon_days integer, waiting bigint, past bigint, weekly float8, from_waiting float8, from_new float8, variance float8)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	path constant text[] := ARRAY(SELECT m.milestone FROM unnest(@extschema@._milestones()) WITH ORDINALITY AS m (milestone, n)
								  WHERE NOT @extschema@._is_exit(m.milestone::text) ORDER BY m.n);
	k constant integer := cardinality(path);
	max_week constant integer := 51;
	span constant integer := max_week + 1;
	weeks constant integer := ceil((SELECT max(h) FROM unnest(horizons) AS h) / 7.0) + 1;
	counts constant @extschema@._forecast_count[] := ARRAY(SELECT c FROM @extschema@._forecast_counts(funnel, at, source, owner) AS c);
	-- by place and week of the stay: at risk; by way, too: chance in that week
	risk float8[] := array_fill(0::float8, ARRAY[k * span]);
	chance float8[] := array_fill(0::float8, ARRAY[k * span * (k + 1)]);
	-- by place and week: which part of the week has passed when a stay ends
	passed float8[] := array_fill(0.5::float8, ARRAY[k * span]);
	last_week integer[] := array_fill(-1, ARRAY[k]);
	present float8[] := array_fill(0::float8, ARRAY[k * span]);
	starts float8[] := array_fill(0::float8, ARRAY[k]);
	n_weeks integer;
	spread float8;
	-- by place, week of the stay and weeks left: the chance to get there
	gets float8[];
	-- how many are expected to be there then
	flow float8[];
	slope float8[];
	thin float8[];
	c record;
	stayed float8;
	t integer;
	w integer;
	next integer;
	i integer;
	base integer;
	here float8;
	all_ways float8;
	stay_on float8;
	worth float8;
	total float8;
	squared float8;
	share float8;
	left_over float8;
	level float8;
	low integer;
	part float8;
	q float8;
	f float8;
	sum_f float8;
	sum_ff float8;
	sum_own float8;
BEGIN
	-- chances of each week of a stay, by its days
	FOR c IN
		SELECT r.place, r.day, least(r.day / 7, max_week) AS week, r.at_risk::float8,
			   row_number() OVER (PARTITION BY r.place, least(r.day / 7, max_week) ORDER BY r.day) = 1 AS is_first, r.ended, r.all_ended::float8
		FROM (SELECT s.place, s.day, sum(sum(s.n)) OVER (PARTITION BY s.place ORDER BY s.day DESC) AS at_risk,
					 pg_catalog.array_agg(s.way) FILTER (WHERE s.way > 0) AS ways, pg_catalog.array_agg(s.n::float8) FILTER (WHERE s.way > 0) AS ns,
					 pg_catalog.jsonb_object_agg(s.way, s.n) AS ended, coalesce(sum(s.n) FILTER (WHERE s.way > 0), 0) AS all_ended
			  FROM unnest(counts) AS s
			  WHERE s.kind = 'stay'
			  GROUP BY s.place, s.day) AS r
		ORDER BY r.place, r.day
	LOOP
		i := (c.place - 1) * span + c.week + 1;
		IF c.is_first THEN
			stayed := 1;
			total := 0;
			squared := 0;
			risk[i] := c.at_risk;
		END IF;
		IF c.all_ended > 0 THEN
			base := ((c.place - 1) * span + c.week) * (k + 1);
			FOR way IN c.place + 1 .. k + 1 LOOP
				IF c.ended ? way::text THEN
					chance[base + way] := chance[base + way] + stayed * (c.ended ->> way::text)::float8 / c.at_risk;
				END IF;
			END LOOP;
			total := total + stayed * c.all_ended / c.at_risk;
			squared := squared + stayed * c.all_ended / c.at_risk * least((c.day - 7 * c.week + 0.5) / 7, 1);
			passed[i] := least(greatest(squared / total, 0.05), 0.95);
			stayed := stayed * (c.at_risk - c.all_ended) / c.at_risk;
		END IF;
	END LOOP;
	-- in a week in which nothing ended as many were at risk as in the next;
	-- beyond the last one with 20, its chances
	FOR s IN 1 .. k LOOP
		FOR v IN REVERSE max_week .. 0 LOOP
			i := (s - 1) * span + v + 1;
			IF v < max_week THEN
				risk[i] := greatest(risk[i], risk[i + 1]);
			END IF;
			IF last_week[s] < 0 AND risk[i] >= 20 THEN
				last_week[s] := v;
			END IF;
		END LOOP;
	END LOOP;

	-- who waits, between the beginnings of two weeks in proportion
	FOR c IN
		SELECT s.place, s.week, sum(s.n)::float8 AS n, sum(s.n * s.part)::float8 AS n_later
		FROM (SELECT w.place, w.n, least(w.day / 7, max_week) AS week, (w.day - 7 * (w.day / 7) + 0.5) / 7 AS part
			  FROM unnest(counts) AS w WHERE w.kind IN ('stay', 'old') AND w.way = 0) AS s
		GROUP BY 1, 2
	LOOP
		i := (c.place - 1) * span + greatest(least(c.week, last_week[c.place]), 0) + 1;
		present[i] := present[i] + c.n - c.n_later;
		i := (c.place - 1) * span + greatest(least(c.week + 1, last_week[c.place]), 0) + 1;
		present[i] := present[i] + c.n_later;
	END LOOP;

	-- who begins
	SELECT least(13, greatest(max(s.day), 0)) INTO n_weeks FROM unnest(counts) AS s WHERE s.kind = 'weeks';
	IF n_weeks >= 4 THEN
		SELECT coalesce(sum(b.n), 0)::float8 / n_weeks, coalesce(var_samp(b.n), 0)::float8 INTO weekly, spread
		FROM (SELECT coalesce(sum(s.n), 0) AS n
			  FROM generate_series(1, n_weeks) AS g (ago)
			  LEFT JOIN unnest(counts) AS s ON s.kind = 'begun' AND s.day = g.ago
			  GROUP BY g.ago) AS b;
		spread := greatest(spread, weekly);
		FOR c IN
			SELECT s.place, sum(s.n)::float8 AS n FROM unnest(counts) AS s
			WHERE s.kind = 'begun' AND s.day <= n_weeks AND s.place IS NOT NULL GROUP BY 1
		LOOP
			starts[c.place] := c.n / (weekly * n_weeks);
		END LOOP;
	END IF;

	FOREACH milestone IN ARRAY targets LOOP
		t := array_position(path, milestone);
		past := (SELECT s.n FROM unnest(counts) AS s WHERE s.kind = 'past' AND s.place = t);
		waiting := (SELECT coalesce(sum(s.n), 0) FROM unnest(counts) AS s WHERE s.kind IN ('stay', 'old') AND s.way = 0 AND s.place < t);
		thin := NULL;
		gets := array_fill(0::float8, ARRAY[k * span * (weeks + 1)]);
		-- with none left nobody gets anywhere
		FOR r IN 1 .. weeks LOOP
			FOR s IN REVERSE t - 1 .. 1 LOOP
				IF last_week[s] < 0 THEN
					CONTINUE WHEN risk[(s - 1) * span + 1] = 0 AND present[(s - 1) * span + 1] = 0 AND starts[s] = 0;
					IF thin IS NULL THEN
						thin := @extschema@._forecast_incidence(funnel, at, milestone, weeks);
						EXIT WHEN thin IS NULL;
					END IF;
					gets[(s - 1) * span * (weeks + 1) + r + 1] := thin[r + 1];
					CONTINUE;
				END IF;
				FOR v IN 0 .. last_week[s] LOOP
					base := ((s - 1) * span + v) * (k + 1);
					part := passed[(s - 1) * span + v + 1];
					here := 0;
					stay_on := 1 - chance[base + k + 1];
					FOR way IN s + 1 .. k LOOP
						stay_on := stay_on - chance[base + way];
						IF way < t THEN
							IF chance[base + way] > 0 THEN
								i := (way - 1) * span * (weeks + 1) + r;
								share := 1 - part;
								IF r = 1 THEN
									share := @extschema@._forecast_share(share, passed[(way - 1) * span + 1]);
								END IF;
								here := here + chance[base + way] * ((1 - share) * gets[i] + share * gets[i + 1]);
							END IF;
						ELSIF way = t THEN
							here := here + chance[base + way];
						END IF;
					END LOOP;
					next := least(v + 1, last_week[s]);
					gets[((s - 1) * span + v) * (weeks + 1) + r + 1] := here + stay_on * gets[((s - 1) * span + next) * (weeks + 1) + r];
				END LOOP;
			END LOOP;
		END LOOP;

		FOREACH horizon_days IN ARRAY horizons LOOP
			-- between two whole numbers of weeks, in proportion
			level := horizon_days / 7.0;
			low := floor(level);
			part := level - low;
			flow := array_fill(0::float8, ARRAY[k * span * (weeks + 1)]);
			from_waiting := 0;
			variance := 0;
			FOR s IN 1 .. t - 1 LOOP
				FOR v IN 0 .. greatest(last_week[s], 0) LOOP
					here := present[(s - 1) * span + v + 1];
					CONTINUE WHEN here = 0;
					base := ((s - 1) * span + v) * (weeks + 1) + low + 1;
					f := gets[base] + part * (gets[base + 1] - gets[base]);
					from_waiting := from_waiting + here * f;
					variance := variance + here * f * (1 - f);
					flow[base] := flow[base] + here * (1 - part);
					flow[base + 1] := flow[base + 1] + here * part;
				END LOOP;
			END LOOP;

			from_new := NULL;
			IF n_weeks >= 4 THEN
				sum_f := 0;
				sum_ff := 0;
				sum_own := 0;
				FOR j IN 0 .. ceil(level)::integer - 1 LOOP
					-- those of a week, or of what is left of it, in its middle
					q := least(level - j, 1);
					left_over := level - j - q / 2;
					w := floor(left_over);
					f := starts[t];
					FOR s IN 1 .. t - 1 LOOP
						CONTINUE WHEN starts[s] = 0;
						base := (s - 1) * span * (weeks + 1) + w + 1;
						share := left_over - w;
						IF w = 0 THEN
							share := @extschema@._forecast_share(share, passed[(s - 1) * span + 1]);
						END IF;
						f := f + starts[s] * (gets[base] + share * (gets[base + 1] - gets[base]));
						flow[base] := flow[base] + weekly * starts[s] * q * (1 - share);
						flow[base + 1] := flow[base + 1] + weekly * starts[s] * q * share;
					END LOOP;
					sum_f := sum_f + q * f;
					sum_ff := sum_ff + q * f * f;
					sum_own := sum_own + q * f * (1 - f);
				END LOOP;
				from_new := weekly * sum_f;
				variance := variance + weekly * sum_own + spread * sum_ff + spread / n_weeks * sum_f * sum_f;
			END IF;

			-- Greenwood: what the number depends on each chance, which is known
			-- as well as so many at risk tell it
			slope := array_fill(0::float8, ARRAY[k * span * (k + 1)]);
			FOR r IN REVERSE low + 1 .. 1 LOOP
				FOR s IN 1 .. t - 1 LOOP
					CONTINUE WHEN last_week[s] < 0;
					FOR v IN 0 .. last_week[s] LOOP
						here := flow[((s - 1) * span + v) * (weeks + 1) + r + 1];
						CONTINUE WHEN here = 0;
						base := ((s - 1) * span + v) * (k + 1);
						next := ((s - 1) * span + least(v + 1, last_week[s])) * (weeks + 1) + r;
						part := passed[(s - 1) * span + v + 1];
						all_ways := 0;
						FOR way IN s + 1 .. k + 1 LOOP
							CONTINUE WHEN chance[base + way] = 0;
							all_ways := all_ways + chance[base + way];
							worth := 0;
							IF way < t THEN
								i := (way - 1) * span * (weeks + 1) + r;
								share := 1 - part;
								IF r = 1 THEN
									share := @extschema@._forecast_share(share, passed[(way - 1) * span + 1]);
								END IF;
								worth := (1 - share) * gets[i] + share * gets[i + 1];
								flow[i] := flow[i] + here * chance[base + way] * (1 - share);
								flow[i + 1] := flow[i + 1] + here * chance[base + way] * share;
							ELSIF way = t THEN
								worth := 1;
							END IF;
							slope[base + way] := slope[base + way] + here * (worth - gets[next]);
						END LOOP;
						flow[next] := flow[next] + here * (1 - all_ways);
					END LOOP;
				END LOOP;
			END LOOP;
			FOR s IN 1 .. t - 1 LOOP
				FOR v IN 0 .. last_week[s] LOOP
					base := ((s - 1) * span + v) * (k + 1);
					total := 0;
					squared := 0;
					FOR way IN s + 1 .. k + 1 LOOP
						total := total + chance[base + way] * slope[base + way];
						squared := squared + chance[base + way] * slope[base + way] * slope[base + way];
					END LOOP;
					variance := variance + (squared - total * total) / risk[(s - 1) * span + v + 1];
				END LOOP;
			END LOOP;
			RETURN NEXT;
		END LOOP;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _forecast(text, timestamptz, text[], integer[], text, text) IS
'entries into milestones of the path within so many days, as of an instant, of units of a source or an owner (NULL: all): units that wait on the way there, entries so far, units that begin a week (NULL: less than 4 full weeks), what is expected of those that wait and of those that will begin, and the variance of their sum';

-- As people read it, with the interval and the money.
CREATE FUNCTION _forecast_told(funnel text, at timestamptz, targets text[], horizons integer[], source text, owner text)
RETURNS TABLE (milestone text, horizon_days integer, expected numeric, lower numeric, upper numeric, waiting bigint, begin_per_week numeric,
			   from_waiting numeric, from_new numeric, revenue numeric, revenue_lower numeric, revenue_upper numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	-- of a won deal
	mean float8;
	var float8;
BEGIN
	EXECUTE format($query$
		SELECT avg(d.amount)::float8, var_samp(d.amount)::float8
		FROM (SELECT @extschema@._home_amount(o.home_amount, o.amount, o.currency, s.currency) AS amount
			  FROM %1$I.deal AS o CROSS JOIN %1$I.setting AS s
			  WHERE o.status = 'won' AND o.closed_at <= $1) AS d $query$, funnel)
		INTO mean, var USING at;

	RETURN QUERY
	SELECT f.milestone, f.horizon_days, @extschema@._per(n.expected::numeric, 1::numeric),
		   CASE WHEN n.width IS NOT NULL THEN @extschema@._per(greatest(n.expected - n.width, 0)::numeric, 1::numeric) END,
		   @extschema@._per((n.expected + n.width)::numeric, 1::numeric), f.waiting,
		   @extschema@._per(f.weekly::numeric, 1::numeric), @extschema@._per(f.from_waiting::numeric, 1::numeric),
		   @extschema@._per(f.from_new::numeric, 1::numeric),
		   @extschema@._money_per(m.revenue::numeric, 1::numeric),
		   CASE WHEN m.width IS NOT NULL THEN @extschema@._money_per(greatest(m.revenue - m.width, 0)::numeric, 1::numeric) END,
		   @extschema@._money_per((m.revenue + m.width)::numeric, 1::numeric)
	FROM @extschema@._forecast(funnel, at, targets, horizons, source, owner) AS f
	CROSS JOIN LATERAL (
		SELECT f.from_waiting + f.from_new AS expected,
			   -- of a normal distribution 90 % are within
			   CASE WHEN f.past >= 10 AND f.from_new IS NOT NULL THEN 1.645 * sqrt(greatest(f.variance, 0)) END AS width) AS n
	CROSS JOIN LATERAL (
		SELECT n.expected * mean AS revenue,
			   CASE WHEN n.width IS NOT NULL AND var IS NOT NULL
					THEN 1.645 * sqrt(greatest(mean * mean * f.variance + n.expected * var, 0)) END AS width
		WHERE f.milestone = 'customer'
		UNION ALL
		SELECT NULL, NULL WHERE f.milestone <> 'customer') AS m;
END
$body$;

COMMENT ON FUNCTION _forecast_told(text, timestamptz, text[], integer[], text, text) IS
'what _forecast(text, timestamptz, text[], integer[], text, text) says, rounded, with the 90 % interval (NULL under 10 past entries) and the revenue of customers';

CREATE FUNCTION _forecast_of(setting oid, at timestamptz)
RETURNS TABLE (milestone text, horizon_days integer, expected numeric, lower numeric, upper numeric, waiting bigint, begin_per_week numeric,
			   from_waiting numeric, from_new numeric, revenue numeric, revenue_lower numeric, revenue_upper numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	funnel constant text := (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = setting);
	targets text[];
BEGIN
	EXECUTE format('SELECT pg_catalog.array_agg(m.milestone ORDER BY m.n) FROM unnest($1) WITH ORDINALITY AS m (milestone, n) '
				   'WHERE NOT @extschema@._is_exit(m.milestone::text) AND m.milestone IN (SELECT st.milestone FROM %I.stage AS st)', funnel)
		INTO targets USING @extschema@._milestones();
	IF targets IS NOT NULL THEN
		RETURN QUERY SELECT * FROM @extschema@._forecast_told(funnel, at, targets, '{30,60,90}'::integer[], NULL::text, NULL::text);
	END IF;
END
$body$;

COMMENT ON FUNCTION _forecast_of(oid, timestamptz) IS
'view forecast of the funnel whose table setting it is, as of an instant';

CREATE FUNCTION forecast_check(funnel text, at timestamptz)
RETURNS TABLE (milestone text, horizon_days integer, expected numeric, lower numeric, upper numeric, came bigint, within boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	now constant timestamptz := @extschema@.funnel_now();
	f record;
BEGIN
	IF at IS NULL THEN
		RAISE EXCEPTION 'the instant must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	FOR f IN
		SELECT * FROM @extschema@._forecast_of((SELECT c.oid FROM pg_class AS c WHERE c.relnamespace = schema AND c.relname = 'setting'), at)
	LOOP
		milestone := f.milestone;
		horizon_days := f.horizon_days;
		expected := f.expected;
		lower := f.lower;
		upper := f.upper;
		EXECUTE format('SELECT count(*) FROM %1$I.journey AS j WHERE j.%2$I > $1 AND j.%2$I <= $1 + $2 * interval ''24 hours''', funnel, f.milestone || '_at')
			INTO came USING at, f.horizon_days;
		within := CASE WHEN at + f.horizon_days * interval '24 hours' <= now THEN came BETWEEN f.lower AND f.upper END;
		RETURN NEXT;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION forecast_check(text, timestamptz) IS
'what view forecast would have said at an instant, beside what came: entries into each milestone within 30, 60 and 90 days, and whether they are within the interval (NULL: the days are not over). Of moves it takes those entered by then, whenever they were written down and whether or not they were imported later; leads that went since are counted until they went';
