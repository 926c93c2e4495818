-- pg_temp.velocity(month): sql_velocity (D6) of a month as a loop over its SQLs
-- tells it; needs view told.move (told_outcomes.sql).
CREATE TEMP TABLE followed AS
SELECT _month_of(u.sql_at, s.time_zone) AS month, u.*,
	   CASE WHEN u.customer_at < u.sql_at THEN 'odd' WHEN u.customer_at IS NOT NULL THEN 'won'
			WHEN u.exited_at IS NOT NULL THEN 'exited' WHEN u.gone_at IS NOT NULL THEN 'gone' ELSE 'open' END AS state,
	   extract(epoch FROM coalesce(u.customer_at, u.exited_at, greatest(coalesce(u.gone_at, funnel_now()), u.sql_at)) - u.sql_at)::float8 / 86400 AS days
FROM setting AS s, (
	SELECT m.lead_id, m.cycle, min(m.entered_at) FILTER (WHERE m.milestone = 'sql') AS sql_at, max(m.gone_at) AS gone_at,
		   min(m.entered_at) FILTER (WHERE m.milestone = 'customer') AS customer_at,
		   (SELECT min(e.entered_at) FROM told.move AS e
			WHERE e.lead_id = m.lead_id AND e.cycle = m.cycle AND e.n > (
				SELECT max(o.n) FROM told.move AS o WHERE o.lead_id = m.lead_id AND o.cycle = m.cycle
				AND coalesce(o.milestone, '') NOT IN ('nurture', 'disqualified', 'lost'))) AS exited_at
	FROM told.move AS m GROUP BY m.lead_id, m.cycle) AS u
WHERE u.sql_at IS NOT NULL;
CREATE FUNCTION pg_temp.incidence(of_month date, until float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	t float8;
	s float8 := 1;
	f float8 := 0;
	at_risk int;
	won int;
	ended int;
BEGIN
	FOR t IN SELECT DISTINCT days FROM followed WHERE month = of_month AND state IN ('won', 'exited') AND days <= until ORDER BY 1 LOOP
		SELECT count(*), count(*) FILTER (WHERE state = 'won' AND days = t),
			   count(*) FILTER (WHERE state IN ('won', 'exited') AND days = t)
			INTO at_risk, won, ended FROM followed WHERE month = of_month AND state <> 'odd' AND days >= t;
		f := f + s * won / at_risk;
		s := s * (at_risk - ended) / at_risk;
	END LOOP;
	RETURN f;
END $$;
-- the fifth longest is the last time to which five are followed
CREATE FUNCTION pg_temp.won_median(of_month date) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	t float8;
	horizon float8 := least(365, (SELECT days FROM followed WHERE month = of_month AND state <> 'odd' ORDER BY days DESC LIMIT 1 OFFSET 4));
	half float8 := pg_temp.incidence(of_month, horizon) / 2;
BEGIN
	FOR t IN SELECT DISTINCT days FROM followed WHERE month = of_month AND state = 'won' AND days <= horizon ORDER BY 1 LOOP
		IF pg_temp.incidence(of_month, t) >= half - 1e-12 THEN
			RETURN t;
		END IF;
	END LOOP;
	RETURN NULL;
END $$;
