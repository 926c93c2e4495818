-- pg_temp.told_attribution(funnel): view attribution, deal by deal from the
-- definition over the raw tables, with credits by plain division; amounts are
-- to be within a cent and add up.
CREATE FUNCTION pg_temp.told_attribution() RETURNS TABLE (deal_id bigint, model text, source text, campaign text, kind text, touches bigint, amount numeric)
LANGUAGE plpgsql AS $$
DECLARE
	s record;
	d record;
	t record;
	mql timestamptz;
	opportunity timestamptz;
	m text;
	w numeric[];
	n int;
	i int;
	anchors int[];
BEGIN
	SELECT * INTO s FROM setting;
	CREATE TEMP TABLE told_touch (place int, source text, campaign text, kind text, at timestamptz, direct boolean) ON COMMIT DROP;
	CREATE TEMP TABLE told_credit (deal_id bigint, model text, place int, source text, campaign text, kind text, amount numeric) ON COMMIT DROP;
	FOR d IN SELECT e.deal_id AS id, least(e.opened_at, e.closed_at) AS at, CASE WHEN e.home_amount IS NOT NULL THEN e.home_amount WHEN coalesce(e.currency, s.currency) = s.currency THEN e.amount END AS amount
			 FROM deal AS e WHERE e.status = 'won' LOOP
		TRUNCATE told_touch;
		INSERT INTO told_touch
		SELECT row_number() OVER (ORDER BY x.occurred_at, x.activity_id), x.source, x.campaign, x.kind, x.occurred_at,
			   EXISTS (SELECT FROM source AS o WHERE o.source = x.source AND o.direct)
		FROM (SELECT a.*, k.lead_id AS who,
					 -- nothing of the same came before on that day
					 NOT EXISTS (SELECT FROM activity AS b JOIN kind AS bk ON bk.kind = b.kind AND bk.touch
								 WHERE b.lead_id = a.lead_id AND b.source = a.source AND b.campaign IS NOT DISTINCT FROM a.campaign
								 AND b.occurred_at <= b.recorded_at + interval '5 minutes'
								 AND to_char(b.occurred_at AT TIME ZONE s.time_zone, 'YYYY-MM-DD') = to_char(a.occurred_at AT TIME ZONE s.time_zone, 'YYYY-MM-DD')
								 AND (b.occurred_at, b.activity_id) < (a.occurred_at, a.activity_id)) AS first_of_day
			  FROM deal_contact AS k
			  JOIN activity AS a ON a.lead_id = k.lead_id
			  JOIN kind ON kind.kind = a.kind AND kind.touch
			  WHERE k.deal_id = d.id AND a.source IS NOT NULL AND a.occurred_at <= a.recorded_at + interval '5 minutes') AS x
		WHERE x.first_of_day AND x.occurred_at <= d.at
		AND (s.attribution_window IS NULL OR x.occurred_at AT TIME ZONE s.time_zone >= d.at AT TIME ZONE s.time_zone - s.attribution_window)
		AND NOT EXISTS (SELECT FROM deal_contact AS k JOIN deal AS e ON e.deal_id = k.deal_id AND e.status = 'won'
						WHERE k.lead_id = x.who AND least(e.opened_at, e.closed_at) < d.at AND x.occurred_at <= least(e.opened_at, e.closed_at));
		SELECT count(*) INTO n FROM told_touch;
		IF n = 0 THEN
			RETURN QUERY SELECT d.id, v.model, '(none)', NULL::text, NULL::text, 0::bigint, d.amount
				FROM unnest('{first,last,last_non_direct,linear,u,w,decay}'::text[]) AS v (model);
			CONTINUE;
		END IF;
		-- of the unit that sales was on
		SELECT (SELECT j.mql_at FROM journey AS j WHERE j.lead_id = c.lead_id AND j.cycle = c.cycle),
			   (SELECT j.opportunity_at FROM journey AS j WHERE j.lead_id = c.lead_id AND j.cycle = c.cycle)
			INTO mql, opportunity FROM won_deal AS c WHERE c.deal_id = d.id;
		FOREACH m IN ARRAY '{first,last,last_non_direct,linear,u,w,decay}'::text[] LOOP
			w := array_fill(0::numeric, ARRAY[n]);
			CASE m
				WHEN 'first' THEN w[1] := 1;
				WHEN 'last' THEN w[n] := 1;
				WHEN 'last_non_direct' THEN
					SELECT coalesce(max(place) FILTER (WHERE NOT direct), n) INTO i FROM told_touch;
					w[i] := 1;
				WHEN 'linear' THEN w := array_fill(1::numeric, ARRAY[n]);
				WHEN 'u' THEN
					w[1] := w[1] + s.attribution_first;
					w[n] := w[n] + s.attribution_last;
					FOR i IN 2 .. n - 1 LOOP w[i] := (1 - s.attribution_first - s.attribution_last) / (n - 2); END LOOP;
				WHEN 'w' THEN
					SELECT ARRAY[1, max(place) FILTER (WHERE at <= mql), max(place) FILTER (WHERE at <= opportunity)] INTO anchors FROM told_touch;
					FOREACH i IN ARRAY anchors LOOP
						IF i IS NOT NULL THEN w[i] := w[i] + s.attribution_anchor; END IF;
					END LOOP;
					SELECT count(*) INTO n FROM told_touch WHERE place <> ALL (array_remove(anchors, NULL));
					FOR t IN SELECT place FROM told_touch WHERE place <> ALL (array_remove(anchors, NULL)) LOOP
						w[t.place] := (1 - 3 * s.attribution_anchor) / n;
					END LOOP;
					n := cardinality(w);
				WHEN 'decay' THEN
					FOR t IN SELECT * FROM told_touch LOOP
						w[t.place] := power(2::float8, -extract(epoch FROM d.at - t.at)::float8 / extract(epoch FROM s.attribution_half_life)::float8)::numeric;
					END LOOP;
			END CASE;
			INSERT INTO told_credit SELECT d.id, m, o.place, o.source, o.campaign, o.kind, d.amount * w[o.place] / (SELECT sum(x) FROM unnest(w) AS x) FROM told_touch AS o;
		END LOOP;
	END LOOP;
	RETURN QUERY SELECT c.deal_id, c.model, c.source, c.campaign, c.kind, count(*), sum(c.amount)
		FROM told_credit AS c GROUP BY c.deal_id, c.model, c.source, c.campaign, c.kind;
END $$;
