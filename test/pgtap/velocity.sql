-- velocity() and sql_velocity: from one milestone to another, for all, by month,
-- by source and by more, against a loop over the units of a funnel that random
-- operations have made.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;
SELECT plan(33);
\ir helper/random_funnel.sql
UPDATE setting SET time_zone = 'America/St_Johns';
SELECT isnt_empty('SELECT * FROM pg_temp.random_operations(1500, 0.2)', 'a funnel');

-- each unit as its moves tell it
CREATE TEMP TABLE moved AS
SELECT h.*, st.milestone, row_number() OVER (PARTITION BY h.lead_id, h.cycle ORDER BY h.entered_at, h.ordinal, h.history_id) AS n,
	   (SELECT d.at FROM departure AS d WHERE d.lead_id = h.lead_id AND d.last_move >= h.history_id ORDER BY d.last_move LIMIT 1) AS gone_at
FROM stage_history AS h LEFT JOIN stage AS st ON st.stage = h.to_stage WHERE h.voided_at IS NULL;
CREATE FUNCTION pg_temp.followed(a text, b text) RETURNS TABLE (month date, source text, campaign text, state text, days float8, hours numeric)
LANGUAGE sql AS $$
	SELECT date_trunc('month', u.a_at AT TIME ZONE 'America/St_Johns')::date, coalesce(u.source, '(none)'), coalesce(u.campaign, '(none)'),
		   CASE WHEN u.b_at < u.a_at THEN 'odd' WHEN u.b_at IS NOT NULL THEN 'reached'
				WHEN (u.left_by).history_id IS NOT NULL AND u.customer_at IS NULL THEN (u.left_by).milestone
				WHEN u.gone_at IS NOT NULL THEN 'gone' ELSE 'open' END,
		   extract(epoch FROM coalesce(u.b_at, CASE WHEN u.customer_at IS NULL THEN (u.left_by).entered_at END,
									   greatest(coalesce(u.gone_at, funnel_now()), u.a_at)) - u.a_at)::float8 / 86400,
		   _working_time_between((SELECT tableoid FROM setting), u.a_at, u.b_at)
	FROM (SELECT m.lead_id, m.cycle, max(m.gone_at) AS gone_at, min(m.entered_at) FILTER (WHERE m.milestone = a) AS a_at,
				 (array_agg(m.source ORDER BY m.n) FILTER (WHERE m.milestone = a))[1] AS source,
				 (array_agg(m.campaign ORDER BY m.n) FILTER (WHERE m.milestone = a))[1] AS campaign,
				 min(m.entered_at) FILTER (WHERE m.milestone = b) AS b_at, min(m.entered_at) FILTER (WHERE m.milestone = 'customer') AS customer_at,
				 (array_agg(m ORDER BY m.n) FILTER (WHERE m.n > (
					 SELECT max(o.n) FROM moved AS o WHERE o.lead_id = m.lead_id AND o.cycle = m.cycle
					 AND coalesce(o.milestone, '') NOT IN ('nurture', 'disqualified', 'lost'))))[1] AS left_by
		  FROM moved AS m GROUP BY m.lead_id, m.cycle) AS u
	WHERE u.a_at IS NOT NULL $$;
-- incidence of one way to end
CREATE FUNCTION pg_temp.incidence(a text, b text, way text, until float8) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	t float8;
	s float8 := 1;
	f float8 := 0;
	c record;
BEGIN
	FOR t IN SELECT DISTINCT days FROM told WHERE state NOT IN ('odd', 'open', 'gone') AND days <= until ORDER BY 1 LOOP
		SELECT count(*) AS at_risk, count(*) FILTER (WHERE state = way AND days = t) AS there,
			   count(*) FILTER (WHERE state NOT IN ('open', 'gone') AND days = t) AS ended
			INTO c FROM told WHERE state <> 'odd' AND days >= t;
		f := f + s * c.there / c.at_risk;
		s := s * (c.at_risk - c.ended) / c.at_risk;
	END LOOP;
	RETURN CASE WHEN s = 0 OR until <= (SELECT max(days) FROM told WHERE state <> 'odd') THEN round(f::numeric, 4) END;
END $$;
CREATE TEMP TABLE told (month date, source text, campaign text, state text, days float8, hours numeric);

CREATE FUNCTION pg_temp.agrees(a text, b text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	d int;
BEGIN
	TRUNCATE told;
	INSERT INTO told SELECT * FROM pg_temp.followed(a, b);
	RETURN NEXT results_eq(format('SELECT units, n, n_open, n_exited, n_gone, n_odd, mean_days, median_days, p90_days FROM velocity(''crm'', %L, %L)', a, b),
		$q$ SELECT count(*), count(*) FILTER (WHERE state = 'reached'), count(*) FILTER (WHERE state = 'open'),
				   count(*) FILTER (WHERE state IN ('nurture', 'disqualified', 'lost')), count(*) FILTER (WHERE state = 'gone'), count(*) FILTER (WHERE state = 'odd'),
				   round((avg(days) FILTER (WHERE state = 'reached'))::numeric, 2),
				   round((percentile_cont(0.5) WITHIN GROUP (ORDER BY days) FILTER (WHERE state = 'reached'))::numeric, 2),
				   round((percentile_cont(0.9) WITHIN GROUP (ORDER BY days) FILTER (WHERE state = 'reached'))::numeric, 2) FROM told $q$,
		format('D6: %s to %s: each unit is one of these', a, b));
	RETURN NEXT results_eq(format('SELECT ARRAY[reached_by_30, reached_by_60, reached_by_90, nurture_by_30, nurture_by_60, nurture_by_90, disqualified_by_30, '
		'disqualified_by_60, disqualified_by_90, lost_by_30, lost_by_60, lost_by_90] FROM velocity(''crm'', %L, %L)', a, b),
		format('SELECT array_agg(pg_temp.incidence(%L, %L, way, d) ORDER BY n, d) FROM unnest(''{reached,nurture,disqualified,lost}''::text[]) '
			   'WITH ORDINALITY AS w (way, n), unnest(''{30,60,90}''::float8[]) AS d', a, b),
		format('D6: %s to %s: incidence of each way, by a loop', a, b));
END $$;
SELECT pg_temp.agrees(a, b) FROM (VALUES ('lead', 'mql'), ('mql', 'sal'), ('sql', 'customer'), ('lead', 'customer')) AS p (a, b);

-- sums over groups
SELECT results_eq('SELECT sum(units), sum(n), sum(n_open), sum(n_exited), sum(n_gone), sum(n_odd) FROM velocity(''crm'', ''mql'', ''sql'', ''' || d || ''')',
	'SELECT units::numeric, n::numeric, n_open::numeric, n_exited::numeric, n_gone::numeric, n_odd::numeric FROM velocity(''crm'', ''mql'', ''sql'')', 'D6: they add up by ' || d)
FROM unnest('{month,quarter,week,channel,owner,account,country,industry,definition,version}'::text[]) AS d;
TRUNCATE told;
INSERT INTO told SELECT * FROM pg_temp.followed('mql', 'sql');
SELECT results_eq('SELECT value, units, n, mean_days FROM velocity(''crm'', ''mql'', ''sql'', ''source'')',
	$$ SELECT source, count(*), count(*) FILTER (WHERE state = 'reached'), round((avg(days) FILTER (WHERE state = 'reached'))::numeric, 2) FROM told GROUP BY 1 ORDER BY 1 $$, 'D6: by source of the entry');
SELECT results_eq('SELECT value, units, n FROM velocity(''crm'', ''mql'', ''sql'', ''campaign'')',
	$$ SELECT campaign, count(*), count(*) FILTER (WHERE state = 'reached') FROM told GROUP BY 1 ORDER BY 1 $$, 'D6: by campaign of the entry');
SELECT results_eq('SELECT value::date, units, n FROM velocity(''crm'', ''mql'', ''sql'', ''month'')',
	$$ SELECT month, count(*), count(*) FILTER (WHERE state = 'reached') FROM told GROUP BY 1 ORDER BY 1 $$, 'D6: by month in the funnel''s time zone');

-- the view is the same
SELECT results_eq($$ SELECT sqls, n, n_open, n_exited, n_gone, n_odd, won_median_days, mean_days, km_median_days, won_by_30, won_by_180 FROM sql_velocity WHERE by = 'all' $$,
	$$ SELECT units, n, n_open, n_exited, n_gone, n_odd, reached_median_days, mean_days, km_median_days, reached_by_30, reached_by_180 FROM velocity('crm', 'sql', 'customer') $$,
	'D6: sql_velocity has a row for all');
SELECT results_eq($$ SELECT source, sqls, n, won_median_days, won_by_90 FROM sql_velocity WHERE by = 'source' ORDER BY 1 $$,
	$$ SELECT value, units, n, reached_median_days, reached_by_90 FROM velocity('crm', 'sql', 'customer', 'source') $$, 'D6: and rows by source');
SELECT results_eq($$ SELECT month, sqls, n, won_median_days, won_by_90 FROM sql_velocity WHERE by = 'month' ORDER BY 1 $$,
	$$ SELECT value::date, units, n, reached_median_days, reached_by_90 FROM velocity('crm', 'sql', 'customer', 'month') $$, 'D6: and by month');

-- hours open, where the stage counts them
SELECT is(mean_working_hours, NULL, 'wall time by default') FROM velocity('crm', 'mql', 'sql');
UPDATE stage SET working_time = true WHERE milestone = 'mql';
SELECT results_eq('SELECT mean_working_hours FROM velocity(''crm'', ''mql'', ''sql'')',
	$$ SELECT round(avg(hours) FILTER (WHERE state = 'reached'), 2) FROM told $$, 'working time, where the stage counts it');

-- bad input
SELECT throws_ok('SELECT * FROM velocity(''crm'', ''mql'', ''won'')', '22023', 'there is no milestone "won"', 'an unknown milestone');
SELECT throws_ok('SELECT * FROM velocity(''crm'', ''lost'', ''customer'')', '22023', 'no way leads from milestone "lost" to "customer"', 'an exit leads nowhere');
SELECT throws_ok('SELECT * FROM velocity(''crm'', NULL, ''customer'')', '22023', NULL, 'none');
SELECT throws_ok('SELECT * FROM velocity(''crm'', ''sql'', ''mql'')', '22023', 'no way leads from milestone "sql" to "mql"', 'the wrong way round');
SELECT throws_ok('SELECT * FROM velocity(''crm'', ''mql'', ''sql'', ''moon'')', '22023', 'there is no dimension "moon"', 'an unknown dimension');
SET LOCAL DateStyle = 'German';
SELECT matches(value, '^20..-..-..$', 'days as they sort, whatever DateStyle says') FROM velocity('crm', 'mql', 'sql', 'week') LIMIT 1;

SELECT * FROM finish();
ROLLBACK;
