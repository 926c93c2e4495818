--
-- Views of a funnel: which touches are credited with what was won
--
CREATE FUNCTION _create_attribution_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	credits text;
	taken text;
	sums text;
	rows text;
BEGIN
	SELECT string_agg(format('attribute_amount(w.amount, t.touched_at, w.at, %L::text, s.attribution_half_life, t.direct, w.mql_at, w.opportunity_at, '
							 's.attribution_first, s.attribution_last, s.attribution_anchor) AS %I', m, 'by ' || m), ', '),
		   string_agg(format('c.%I', 'by ' || m), ', '),
		   string_agg(format('sum(u.%1$I) AS %1$I', 'by ' || m), ', '),
		   string_agg(format('(%L, g.%I)', m, 'by ' || m), ', ')
		INTO credits, taken, sums, rows
	FROM unnest(_attribution_models()) AS m;

	-- What a lead did is looked up by index, from its previous won deal on; the
	-- day in which that was opened from its start, for the first of a day is
	-- the touch.
	EXECUTE format($view$CREATE OR REPLACE VIEW attribution WITH (security_invoker = true) AS
	WITH won AS (
		SELECT d.deal_id, d.amount, least(d.opened_at, d.closed_at) AS at, j.mql_at, j.opportunity_at
		FROM won_deal d
		LEFT JOIN journey j ON j.lead_id = d.lead_id AND j.cycle = d.cycle
	), contact AS (
		SELECT k.deal_id, k.lead_id, least(d.opened_at, d.closed_at) AS at,
			   s.time_zone, s.attribution_window,
			   max(least(d.opened_at, d.closed_at)) OVER (
				   PARTITION BY k.lead_id ORDER BY least(d.opened_at, d.closed_at)
				   RANGE BETWEEN UNBOUNDED PRECEDING AND interval '1 microsecond' PRECEDING) AS previous_at
		FROM deal_contact k
		JOIN deal d ON d.deal_id = k.deal_id
		JOIN setting s ON s.only_row = (d.status = 'won')
		WHERE d.status = 'won'
	), bounded AS (
		SELECT k.deal_id, k.lead_id, k.at, k.time_zone,
			   coalesce(k.previous_at, '-infinity') AS after,
			   coalesce((k.at AT TIME ZONE k.time_zone - k.attribution_window) AT TIME ZONE k.time_zone, '-infinity') AS since
		FROM contact k
	), touch AS (
		SELECT b.deal_id, x.at, x.activity_id, x.source, x.campaign, x.kind, x.direct
		FROM bounded b
		CROSS JOIN LATERAL (
			SELECT DISTINCT ON (a.source, a.campaign, (a.occurred_at AT TIME ZONE b.time_zone)::date)
				   a.occurred_at AS at, a.activity_id, a.source, a.campaign, a.kind,
				   coalesce(o.direct, false) AS direct
			FROM activity a
			JOIN kind k ON k.kind = a.kind
			LEFT JOIN source o ON o.source = a.source
			WHERE a.lead_id = b.lead_id AND a.occurred_at <= b.at
				  AND a.occurred_at > greatest(b.after, b.since) - interval '48 hours'
				  AND a.source IS NOT NULL AND k.touch
				  AND a.occurred_at = _counts_at(a.occurred_at, a.recorded_at)
			ORDER BY a.source, a.campaign, (a.occurred_at AT TIME ZONE b.time_zone)::date,
					 a.occurred_at, a.activity_id) x
		WHERE x.at > b.after AND x.at >= b.since
	), touched AS (
		SELECT o.deal_id, array_agg(o.at) AS touched_at, array_agg(o.source) AS sources,
			   array_agg(o.campaign) AS campaigns, array_agg(o.kind) AS kinds, array_agg(o.direct) AS direct
		FROM (SELECT t.* FROM touch t ORDER BY t.deal_id, t.at, t.activity_id) o
		GROUP BY o.deal_id
	), credited AS (
		SELECT w.deal_id, w.amount, t.sources, t.campaigns, t.kinds, %1$s
		FROM won w
		CROSS JOIN (SELECT x.attribution_half_life, x.attribution_first, x.attribution_last, x.attribution_anchor FROM setting x LIMIT 1) s
		LEFT JOIN touched t ON t.deal_id = w.deal_id
	), grouped AS (
		SELECT c.deal_id, c.amount, u.source, u.campaign, u.kind, count(u.source) AS touches, %3$s
		FROM credited c
		LEFT JOIN LATERAL unnest(c.sources, c.campaigns, c.kinds, %2$s)
			AS u (source, campaign, kind, %5$s) ON true
		GROUP BY c.deal_id, c.amount, u.source, u.campaign, u.kind
	)
	SELECT g.deal_id AS deal_id,
		   m.model AS model,
		   coalesce(g.source, '(none)') AS source,
		   g.campaign AS campaign,
		   g.kind AS kind,
		   g.touches AS touches,
		   CASE WHEN g.source IS NULL THEN g.amount ELSE m.amount END AS amount
	FROM grouped g
	CROSS JOIN LATERAL (VALUES %4$s) AS m (model, amount)$view$, credits, taken, sums, rows,
		(SELECT string_agg(quote_ident('by ' || m), ', ') FROM unnest(_attribution_models()) AS m));

	PERFORM @extschema@._comment_view('attribution'::text, '
One row per won deal, model, and source, campaign and kind of its touches. A touch is what a lead did of a kind that is a touch (kind.touch) and with a source; of one lead, source, campaign and day in the funnel''s zone the first. Touches of a deal: those of all its contacts, at or before it was opened or closed, whichever came first; after the contact''s previous won deal was; and within setting.attribution_window of it. Of each model the amounts of a deal add up to what it won, in cents: add them up over deals, not over models. Activities that were archived or deleted are no touches any more.
deal_id: won deal
model: first, last, last_non_direct, linear, u, w or decay: how attribute_amount() shares out, with the weights and the half-life of table setting; w has the mql and the opportunity of the unit that won_deal credits
source: source of the touches; (none): the deal has no touch
campaign: campaign of the touches; NULL: they have none
kind: kind of activity; NULL: the deal has no touch
touches: how many touches of the deal are of that source, campaign and kind
amount: what they are credited with, in setting.currency; NULL where won_deal has no amount
'::text);

	CREATE OR REPLACE VIEW attribution_summary WITH (security_invoker = true) AS
	WITH part AS (
		SELECT _month_of(d.closed_at, s.time_zone) AS month, a.model, a.source, a.campaign,
			   a.deal_id, a.touches, a.amount, 0::numeric AS cost, 0::bigint AS n_foreign
		FROM attribution a
		JOIN deal d ON d.deal_id = a.deal_id
		JOIN setting s ON s.only_row = (d.status = 'won')
		UNION ALL
		SELECT p.month, m.model, coalesce(p.source, '(overhead)') AS source,
			   CASE WHEN p.source IS NOT NULL THEN p.campaign END AS campaign,
			   NULL::bigint AS deal_id, 0::bigint AS touches, NULL::numeric AS amount, p.amount AS cost, p.n_foreign
		FROM monthly_spend p
		CROSS JOIN unnest(_attribution_models()) AS m (model)
	), series AS (
		SELECT p.model, p.source, p.campaign, row_number() OVER (ORDER BY count(*) DESC, p.model, p.source, p.campaign) AS rank
		FROM part p
		GROUP BY p.model, p.source, p.campaign
	), every AS (
		SELECT p.* FROM part p
		UNION ALL
		SELECT g.month, r.model, r.source, r.campaign, NULL AS deal_id, 0, NULL AS amount, 0, 0
		FROM (SELECT min(p.month) AS month FROM part p) f
		JOIN setting s ON s.only_row = (f.month IS NOT NULL)
		CROSS JOIN LATERAL _months_since(f.month, s.time_zone) g (month)
		CROSS JOIN series r
		WHERE r.rank <= _most_series()
	)
	SELECT p.month AS month,
		   p.model AS model,
		   p.source AS source,
		   p.campaign AS campaign,
		   coalesce(_count_distinct(p.deal_id), 0) AS deals,
		   sum(p.touches)::bigint AS touches,
		   coalesce(sum(p.amount), 0) AS amount,
		   sum(p.cost) AS cost,
		   _ratio(coalesce(sum(p.amount), 0) - sum(p.cost), sum(p.cost)) AS roi,
		   sum(p.n_foreign)::bigint AS n_foreign
	FROM every p
	GROUP BY p.month, p.model, p.source, p.campaign;

	PERFORM @extschema@._comment_view('attribution_summary'::text, '
One row per month (in the funnel''s time zone), model, source and campaign: every month from the first with a won deal or an expense to the present one, for every model, source and campaign with either, with zeros where there is none. Of more than 1,000 of these only 1,000 have rows of zeros. The amounts of a model add up to what was won, its costs to what was spent; so add up neither over models.
month: first day of the month of the close; NULL: won deals without a close date
model: model of attribution
source: source of the touches and of the expenses; (none): deals without a touch; (overhead): expenses without a source, which are not shared out here
campaign: campaign of both; NULL: none
deals: won deals in which it had a touch
touches: how many touches it had in them
amount: what view attribution credits them with, in setting.currency
cost: expenses for the source and campaign, as view monthly_spend has them, in setting.currency
roi: (amount - cost) / cost, as a fraction; NULL without a cost
n_foreign: expenses in another currency than setting.currency, left out of the cost
'::text);
END
$template$;

COMMENT ON FUNCTION _create_attribution_views() IS
'creates the views of a funnel on attribution; called by _create_funnel_views()';
