--
-- The year goes by
--
-- Four times a day the website delivers what people did, in one statement; in
-- between sales works off its tasks, each at its own minute.  The clock of
-- the funnel is set to every one of these instants.  Moves are asked for like
-- any application would, and what the guards refuse is refused here too.
--
CREATE TABLE demo.task (
	at timestamptz, n bigint, cycle int, what text, turn int);
CREATE INDEX ON demo.task (at, n, what);
CREATE TABLE demo.seen (n bigint, cycle int, PRIMARY KEY (n, cycle));
CREATE TABLE demo.refusal (at timestamptz, n bigint, rep text, wanted text, message text, detail text);

-- the next minute at which an office is open: weekdays, 8 to 18 h
CREATE FUNCTION demo.office(at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	WHILE extract(isodow FROM at) > 5 OR extract(hour FROM at) NOT BETWEEN 8 AND 17 LOOP
		at := at + interval '1 hour';
	END LOOP;
	RETURN at;
END
$$;

-- who works on a lead
CREATE FUNCTION demo.rep(who bigint) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN demo.pick(demo.dice('rep', who), '{ben,eva,kim,lea,tom}', '{24,22,20,19,15}');

-- Ask for a move; note what the guards say where they refuse.
CREATE FUNCTION demo.ask(who bigint, wanted text, rep text, because text DEFAULT NULL,
						 remark text DEFAULT NULL, back_at timestamptz DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
	answer record;
BEGIN
	PERFORM set_config('lead_qual.actor', rep, false);
	IF wanted = 'sal' THEN
		UPDATE crm.lead SET owner = rep WHERE lead_id = who;
	END IF;
	SELECT * INTO answer FROM move_leads('crm', ARRAY[who::text], wanted, because, remark);
	IF NOT answer.moved THEN
		INSERT INTO demo.refusal VALUES (funnel_now(), who, rep, wanted, answer.message, answer.detail);
	ELSIF back_at IS NOT NULL THEN
		UPDATE crm.lead SET resume_at = back_at WHERE lead_id = who;
	END IF;
	RETURN answer.moved;
END
$$;

--
-- A task of sales, at the clock.  What people answer depends on how
-- promising they are.
--
CREATE PROCEDURE demo.do_task(t demo.task)
LANGUAGE plpgsql
AS $$
DECLARE
	p demo.person;
	k demo.company;
	l record;
	rep text;
	deal bigint;
	d double precision := demo.dice(t.what, t.n, t.cycle * 100 + t.turn);
	e double precision := demo.dice('then', t.n, t.cycle * 100 + t.turn);
	soon timestamptz := demo.office(funnel_now() + demo.wait(e, 2.5));
BEGIN
	SELECT * INTO p FROM demo.person WHERE n = t.n;
	SELECT * INTO k FROM demo.company WHERE c = p.company;
	SELECT lead_id, stage, cycle, bant, owner INTO l FROM crm.lead WHERE lead_id = t.n;
	rep := coalesce(l.owner, demo.rep(t.n));
	IF l.cycle <> t.cycle THEN
		RETURN;				-- it came back meanwhile and is another story now
	END IF;

	CASE t.what
	WHEN 'look' THEN
		IF l.stage NOT IN ('mql', 'lead') THEN
			RETURN;
		END IF;
		IF p.habit = 'seeker' THEN
			PERFORM demo.ask(t.n, 'disqualified', rep, 'outside_audience', 'writes a thesis or looks for a job');
		ELSIF d < 0.40 + 0.42 * p.promise THEN
			IF demo.ask(t.n, 'sal', rep) THEN
				INSERT INTO demo.task VALUES (soon, t.n, t.cycle, 'call', 1);
			END IF;
		ELSIF e < 0.72 THEN
			PERFORM demo.ask(t.n, 'nurture', rep,
				demo.pick(e / 0.72, '{too_early,no_need,no_budget,no_authority,competitor_satisfied,not_reachable}',
						  '{45,15,10,12,8,10}'));
		ELSE
			PERFORM demo.ask(t.n, 'disqualified', rep,
				demo.pick((e - 0.72) / 0.28, '{outside_audience,wrong_data,no_need,competitor_satisfied,duplicate}',
						  '{40,20,20,14,6}'));
		END IF;

	WHEN 'call' THEN
		IF l.stage <> 'sal' THEN
			RETURN;
		END IF;
		PERFORM set_config('lead_qual.actor', rep, false);
		IF d < 0.30 THEN			-- nobody answers
			INSERT INTO crm.activity (lead_id, kind, actor) VALUES (t.n, 'call_attempt', rep);
			IF t.turn >= 4 THEN
				PERFORM demo.ask(t.n, 'nurture', rep, 'not_reachable');
			ELSE
				INSERT INTO crm.activity (lead_id, kind, actor) VALUES (t.n, 'sales_email', rep);
				INSERT INTO demo.task VALUES (soon, t.n, t.cycle, 'call', t.turn + 1);
			END IF;
			RETURN;
		END IF;
		INSERT INTO crm.activity (lead_id, kind, actor)
			VALUES (t.n, CASE WHEN e < 0.6 THEN 'discovery_call' WHEN e < 0.85 THEN 'sales_call' ELSE 'demo' END, rep);
		-- not all at once, and what is known is not asked again
		INSERT INTO crm.answer (lead_id, framework, element, level, via)
			SELECT t.n, 'bant', q.element,
				   (CASE WHEN demo.dice(q.element, t.n, t.cycle) < q.yes * (0.28 + 0.60 * p.promise) THEN 'yes'
						 WHEN demo.dice(q.element || '?', t.n, t.turn) < 0.68 THEN 'partial'
						 ELSE 'no' END)::answer_level,
				   'call'
			FROM (VALUES ('need', 1.25, 0), ('timeline', 0.95, 1), ('budget', 1.0, 2), ('authority', 1.05, 3))
				AS q (element, yes, place)
			WHERE (l.bant -> q.element) IN ('unknown', 'partial')
				  AND demo.dice('ask', t.n, t.turn * 10 + q.place) < 0.78
			ORDER BY q.place;

		IF demo.ask(t.n, 'sql', rep) THEN
			INSERT INTO demo.task VALUES (demo.office(funnel_now() + demo.wait(d, 6)), t.n, t.cycle, 'offer', 1);
		ELSIF k.size > 1500 AND e < 0.3 THEN
			IF demo.ask(t.n, 'sql', 'sam', 'strategic_account', 'we want them in any case') THEN
				INSERT INTO demo.task VALUES (demo.office(funnel_now() + demo.wait(d, 6)), t.n, t.cycle, 'offer', 1);
			END IF;
		ELSIF t.turn < 3 THEN
			INSERT INTO demo.task VALUES (demo.office(funnel_now() + demo.wait(d, 5)), t.n, t.cycle, 'call', t.turn + 1);
		ELSE
			SELECT CASE WHEN (bant -> 'budget') < 'partial' THEN 'no_budget'
						WHEN (bant -> 'need') < 'partial' THEN 'no_need'
						WHEN (bant -> 'authority') < 'yes' THEN 'no_authority'
						ELSE 'no_timeline' END AS reason INTO l
			FROM crm.lead WHERE lead_id = t.n;
			PERFORM demo.ask(t.n, CASE WHEN l.reason IN ('no_budget', 'no_need') AND e < 0.35
									   THEN 'disqualified' ELSE 'nurture' END, rep, l.reason);
		END IF;

	WHEN 'offer' THEN
		IF l.stage <> 'sql' THEN
			RETURN;
		END IF;
		IF d < 0.14 THEN
			PERFORM demo.ask(t.n, 'nurture', rep,
				CASE WHEN e < 0.5 THEN 'waiting_for_funding' ELSE 'waiting_for_hiring' END,
				'call again then', funnel_now() + make_interval(days => 30 + floor(60 * e)::int));
			RETURN;
		ELSIF d < 0.24 THEN
			PERFORM demo.ask(t.n, 'lost', rep, CASE WHEN e < 0.5 THEN 'no_decision' ELSE 'lost_to_competitor' END);
			RETURN;
		END IF;
		PERFORM set_config('lead_qual.actor', rep, false);
		INSERT INTO crm.activity (lead_id, kind, actor) VALUES (t.n, 'meeting', rep);
		IF (l.bant -> 'timeline') < 'partial' THEN
			INSERT INTO crm.answer (lead_id, framework, element, level, via)
				VALUES (t.n, 'bant', 'timeline', 'partial', 'meeting');
		END IF;
		INSERT INTO crm.deal (external_id, account_id, owner, amount, currency)
			VALUES (format('D-%s-%s', t.n, t.cycle), p.company, rep,
					round((5000 + 420 * sqrt(k.size) * (0.6 + 0.8 * e))::numeric, -2), 'EUR')
			RETURNING deal_id INTO deal;
		INSERT INTO crm.deal_contact (deal_id, lead_id, role) VALUES (deal, t.n, 'buyer');
		-- a colleague of the same company signs, too
		INSERT INTO crm.deal_contact (deal_id, lead_id, role)
			SELECT deal, c.lead_id, 'influencer'
			FROM crm.lead c
			WHERE c.account_id = p.company AND c.lead_id <> t.n AND c.stage IN ('sql', 'opportunity')
			LIMIT 1;
		INSERT INTO demo.task VALUES (demo.office(funnel_now() + interval '9 days'
			+ demo.wait(demo.dice('close', t.n, t.cycle), 26)), t.n, t.cycle, 'close', 1);

	WHEN 'close' THEN
		PERFORM set_config('lead_qual.actor', rep, false);
		UPDATE crm.deal
		SET status = CASE WHEN d < 0.16 + 0.42 * p.promise THEN 'won' ELSE 'lost' END,
			reason = CASE WHEN d >= 0.16 + 0.42 * p.promise THEN
				demo.pick(e, '{lost_to_competitor,price,no_decision,missing_feature}', '{35,25,28,12}') END
		WHERE external_id = format('D-%s-%s', t.n, t.cycle) AND status = 'open';
	END CASE;
END
$$;

--
-- Day by day
--
CREATE PROCEDURE demo.live(first_day date, last_day date)
LANGUAGE plpgsql
AS $$
DECLARE
	since timestamptz;
	tick timestamptz;
	t demo.task;
BEGIN
	FOR day IN 0 .. last_day - first_day LOOP
		FOREACH tick IN ARRAY ARRAY[first_day + day + time '09:00', first_day + day + time '12:00',
									first_day + day + time '15:00', first_day + day + time '20:00'] LOOP
			since := coalesce(since, first_day);
			-- sales works
			LOOP
				SELECT * INTO t FROM demo.task WHERE at <= tick ORDER BY at, n, what LIMIT 1;
				EXIT WHEN NOT FOUND;
				DELETE FROM demo.task WHERE n = t.n AND at = t.at AND what = t.what;
				PERFORM set_config('lead_qual.clock', greatest(t.at, since)::text, false);
				CALL demo.do_task(t);
			END LOOP;

			-- the website delivers
			PERFORM set_config('lead_qual.clock', tick::text, false),
					set_config('lead_qual.actor', 'website', false);
			INSERT INTO crm.account (account_id, name, domain)
				SELECT DISTINCT k.c, k.name, lower(replace(k.name, ' ', '-')) || '.example'
				FROM demo.person p
				JOIN demo.company k ON k.c = p.company
				WHERE p.born_at > since AND p.born_at <= tick
				ON CONFLICT DO NOTHING;
			INSERT INTO crm.lead (lead_id, external_id, email, full_name, job_title, department, seniority,
								  years_in_industry, company, account_id, industry, company_size,
								  annual_revenue, country, source, campaign, properties, owner, stage, created_at)
				SELECT p.n, 'P' || p.n,
					   lower(p.first_name || '.' || p.last_name) || p.n || '@'
					   || CASE WHEN demo.dice('rival', p.n) < 0.002 THEN 'planwell.example'
							   ELSE lower(replace(k.name, ' ', '-')) || '.example' END,
					   p.first_name || ' ' || p.last_name, p.job_title, p.department, p.seniority,
					   p.years, k.name, k.c, k.industry, k.size, k.size * 140000.0, p.country,
					   p.source, p.campaign,
					   CASE WHEN k.sap THEN '{"erp": "sap"}'::jsonb ELSE '{}' END,
					   CASE WHEN p.source = 'outbound' THEN demo.rep(p.n) END,
					   CASE WHEN p.source = 'outbound' THEN 'sal' END, p.born_at
				FROM demo.person p
				JOIN demo.company k ON k.c = p.company
				WHERE p.born_at > since AND p.born_at <= tick
				ORDER BY p.n;
			INSERT INTO crm.activity (lead_id, occurred_at, kind, source, campaign, properties)
				SELECT a.n, a.at, a.kind, CASE WHEN a.turn = 1 OR a.kind = 'ad_click' THEN p.source
											   WHEN a.kind LIKE 'email%' THEN 'email'
											   WHEN demo.dice('way', a.n, a.turn) < 0.4 THEN 'direct'
											   ELSE 'organic_search' END,
					   CASE WHEN a.turn = 1 OR a.kind = 'ad_click' THEN p.campaign END,
					   CASE WHEN a.kind = 'roi_calculator'
							THEN jsonb_build_object('savings', 1000 * floor(250 * demo.dice('roi', a.n, a.turn)))
							ELSE '{}' END
				FROM demo.act a
				JOIN demo.person p ON p.n = a.n
				WHERE a.at > since AND a.at <= tick
				ORDER BY a.at, a.n, a.turn;
			UPDATE crm.lead SET unsubscribed = true
				FROM demo.act a
				WHERE a.n = lead_id AND a.kind = 'unsubscribe' AND a.at > since AND a.at <= tick
					  AND NOT unsubscribed;

			-- sales sees who is new to it; one in twenty slips through for weeks
			WITH fresh AS (
				INSERT INTO demo.seen (n, cycle)
				SELECT l.lead_id, l.cycle
				FROM crm.lead l
				WHERE l.stage IN ('mql', 'sal')
				ON CONFLICT DO NOTHING
				RETURNING n, cycle
			)
			INSERT INTO demo.task
				SELECT demo.office(tick + demo.wait(demo.dice('look', f.n, f.cycle),
						CASE WHEN demo.dice('slip', f.n, f.cycle) < 0.05 THEN 20
							 WHEN demo.rep(f.n) = 'tom' THEN 0.9 ELSE 0.25 END)),
					   f.n, f.cycle, CASE WHEN l.stage = 'sal' THEN 'call' ELSE 'look' END, 1
				FROM fresh f
				JOIN crm.lead l ON l.lead_id = f.n;
			since := tick;
		END LOOP;
		PERFORM sweep_funnel('crm');
		COMMIT;
		IF day % 30 = 29 THEN
			ANALYZE crm.lead, crm.activity, demo.task;
		END IF;
	END LOOP;
END
$$;

\echo 'Living through 2025: 5,000 leads, day by day ...'
SELECT clock_timestamp() AS began \gset
SET TimeZone = 'UTC';
CALL demo.live('2025-01-01', '2025-12-31');
RESET lead_qual.actor;

--
-- What it cost: campaigns by month, events when they take place, and the
-- people and tools that no source can be charged with
--
INSERT INTO crm.spend (external_id, department, source, campaign, starts_on, ends_on, amount, currency)
SELECT format('%s/%s/%s', b.month, b.source, b.campaign), 'marketing', b.source, b.campaign, b.month,
	   (b.month + interval '1 month - 1 day')::date,
	   round((b.leads * o.cost_per_lead * (0.85 + 0.3 * demo.dice(b.source || b.campaign, extract(month FROM b.month)::int)))::numeric, -1),
	   'EUR'
FROM (SELECT date_trunc('month', p.born_at, 'UTC')::date AS month, p.source,
			 coalesce(p.campaign, 'always on') AS campaign, count(*) AS leads
	  FROM demo.person p
	  GROUP BY 1, 2, 3) b
JOIN demo.origin o ON o.source = b.source
WHERE o.cost_per_lead IS NOT NULL;

INSERT INTO crm.spend (external_id, department, source, campaign, starts_on, ends_on, amount, currency)
SELECT format('%s/%s', m::date, c.campaign), c.department, NULL, c.campaign, m::date,
	   (m + interval '1 month - 1 day')::date, c.amount, 'EUR'
FROM generate_series(timestamp '2025-01-01', '2025-12-01', '1 month') AS m,
	 (VALUES ('sales', 'salaries', 31500), ('marketing', 'salaries and tools', 17800)) AS c (department, campaign, amount);

-- whoever looks around later sees the funnel at the end of that year
SELECT format('ALTER DATABASE %I SET lead_qual.clock = %L', current_database(), '2025-12-31 20:00+00') \gexec
ANALYZE;
SELECT format(E'That took %s s.\nIn: %s leads, %s activities, %s answers, %s deals;\nout: a score for each of %s and %s moves between stages.',
			  round(extract(epoch FROM clock_timestamp() - :'began'), 1),
			  to_char((SELECT count(*) FROM crm.lead), 'FM999,999'),
			  to_char((SELECT count(*) FROM crm.activity), 'FM999,999'),
			  to_char((SELECT count(*) FROM crm.answer), 'FM999,999'),
			  to_char((SELECT count(*) FROM crm.deal), 'FM999,999'),
			  to_char((SELECT count(*) FROM crm.lead WHERE scorecard IS NOT NULL), 'FM999,999'),
			  to_char((SELECT count(*) FROM crm.stage_history), 'FM999,999')) AS summary \gset
\echo :summary
