-- Deadlines in hours open against a count of open quarters of an hour, at
-- random, in zones that change their clocks.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';
SELECT plan(6);
SELECT setseed(0.4);

CREATE FUNCTION pg_temp.differences(zone text, first timestamptz) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	PERFORM create_funnel('crm', zone);
	SET LOCAL search_path = crm, public;
	DELETE FROM calendar;
	-- a late shift into Monday, a break, a day without hours
	INSERT INTO calendar VALUES (1, '00:00', '01:45'), (1, '09:00', '12:15'), (1, '13:00', '17:00'), (2, '09:00', '17:00'),
		(4, '05:15', '23:00'), (5, '09:00', '14:00'), (6, '20:00', '24:00'), (7, '00:00', '07:00'), (7, '12:00', '24:00');
	INSERT INTO holiday SELECT (first + n * interval '5 days')::date FROM generate_series(1, 4) AS n;
	UPDATE stage SET working_time = true;

	CREATE TEMP TABLE quarter ON COMMIT DROP AS
		SELECT t, local.at::date NOT IN (SELECT day FROM holiday) AND
			   EXISTS (SELECT FROM calendar AS c WHERE c.weekday = extract(isodow FROM local.at)
					   AND local.at::time >= c.opens AND local.at::time < c.closes) AS open
		FROM generate_series(first, first + interval '45 days', '15 minutes') AS t,
			 LATERAL (SELECT t AT TIME ZONE zone) AS local (at);
	CREATE TEMP TABLE open_quarter ON COMMIT DROP AS SELECT t, row_number() OVER (ORDER BY t) AS n FROM quarter WHERE open;

	FOR i IN 1 .. 12 LOOP
		UPDATE stage SET sla = (1 + floor(random() * 200)) * interval '15 minutes' WHERE stage = 'mql';
		RETURN QUERY
			SELECT q.t, s.sla, _due_at('crm', 'mql', q.t), o.t + interval '15 minutes'
			FROM (SELECT t FROM quarter WHERE t < first + interval '20 days' ORDER BY random() LIMIT 40) AS q
			CROSS JOIN (SELECT sla FROM stage WHERE stage = 'mql') AS s
			JOIN open_quarter AS o ON o.n = (SELECT count(*) FROM open_quarter AS b WHERE b.t < q.t)
				+ extract(epoch FROM s.sla) / 900
			WHERE _due_at('crm', 'mql', q.t) <> o.t + interval '15 minutes';
	END LOOP;
	DROP TABLE quarter, open_quarter;
	SET LOCAL search_path = public;
	PERFORM drop_funnel('crm', true);
END $$;

SELECT is_empty(format($$ SELECT * FROM pg_temp.differences(%L, %L)
					   AS d (entered timestamptz, sla interval, due timestamptz, counted timestamptz) $$, zone, first),
	'R004-10 hours open are counted right in ' || zone || ' from ' || first)
FROM (VALUES ('Europe/Berlin', '2026-03-20 00:00Z'), ('Europe/Berlin', '2026-10-16 00:00Z'), ('America/New_York', '2026-03-01 00:00Z'),
			 ('Australia/Lord_Howe', '2026-03-28 00:00Z'), ('Asia/Kathmandu', '2026-06-01 00:00Z'), ('Pacific/Apia', '2011-12-20 00:00Z')) AS z (zone, first);

SELECT * FROM finish();
ROLLBACK;
