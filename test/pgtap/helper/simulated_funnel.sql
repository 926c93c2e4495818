-- Funnel f (tables alone, with stages), simulated: units begin at random, so many
-- a week, and in each milestone go on or leave at known chances a day, from 60
-- weeks before the clock to 90 days after it.
CREATE FUNCTION pg_temp.simulate(a_week float8, seed float8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	on_ constant float8[] := '{.05,.2,.1,.08,.03}';
	off_ constant float8[] := '{.03,.05,.1,.04,.02}';
	began timestamptz := funnel_now() - interval '60 weeks';
	at timestamptz;
	ats timestamptz[];
	left_at timestamptz;
BEGIN
	TRUNCATE f.journey;
	PERFORM setseed(seed);
	FOR i IN 1 .. 100000 LOOP
		began := began - ln(1 - random()) / a_week * interval '7 days';
		EXIT WHEN began > funnel_now() + interval '90 days';
		at := began;
		ats := ARRAY[at];
		left_at := NULL;
		FOR s IN 1 .. 5 LOOP
			at := at - ln(1 - random()) / (on_[s] + off_[s]) * interval '1 day';
			IF random() < off_[s] / (on_[s] + off_[s]) THEN
				left_at := at;
				EXIT;
			END IF;
			ats[s + 1] := at;
		END LOOP;
		INSERT INTO f.journey (lead_id, cycle, started_at, lead_at, mql_at, sal_at, sql_at, opportunity_at, customer_at, exited_at)
			VALUES (i, 1, began, ats[1], ats[2], ats[3], ats[4], ats[5], ats[6], left_at);
	END LOOP;
END $$;
-- What the forecast says of n such funnels, beside what comes.
CREATE TEMP TABLE seen (milestone text, horizon_days int, expected numeric, lower numeric, upper numeric, came bigint);
CREATE FUNCTION pg_temp.watch(n int, a_week float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. n LOOP
		PERFORM pg_temp.simulate(a_week, i / (n + 1.0));
		INSERT INTO seen SELECT f.milestone, f.horizon_days, f.expected, f.lower, f.upper,
			(SELECT count(*) FROM f.journey AS j, LATERAL (SELECT CASE f.milestone WHEN 'mql' THEN j.mql_at WHEN 'sal' THEN j.sal_at WHEN 'sql' THEN j.sql_at
				WHEN 'opportunity' THEN j.opportunity_at ELSE j.customer_at END AS at) AS e
			 WHERE e.at > funnel_now() AND e.at <= funnel_now() + f.horizon_days * interval '1 day')
		FROM _forecast_of('f.setting'::regclass::oid, funnel_now()) AS f WHERE f.milestone <> 'lead';
	END LOOP;
END $$;
