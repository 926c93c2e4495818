--
-- Views of a funnel: who buys, and who is like them
--
-- Columns of the lead may be of the user's own types in an attached table.
--
CREATE FUNCTION _create_profile_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	CREATE OR REPLACE VIEW ideal_profile WITH (security_invoker = true) AS
	WITH buyer AS (
		SELECT DISTINCT j.lead_id
		FROM journey j
		WHERE j.customer_at IS NOT NULL AND j.gone_at IS NULL
	), met AS (
		SELECT x.rule_id, count(*) AS n, count(b.lead_id) AS bought
		FROM lead l
		LEFT JOIN buyer b ON b.lead_id = l.lead_id
		CROSS JOIN LATERAL explain_score(l.scorecard, greatest(funnel_now(), as_of(l.scorecard))) x
		WHERE x.axis = 'fit' AND x.hits > 0
		GROUP BY x.rule_id
	), scored AS (
		SELECT count(*) AS n, count(b.lead_id) AS bought
		FROM lead l
		LEFT JOIN buyer b ON b.lead_id = l.lead_id
		WHERE l.scorecard IS NOT NULL
	), value AS (
		SELECT grouping(p.industry, p.seniority, p.country, p.size) AS of, p.industry, p.seniority, p.country, p.size,
			   count(*) AS n, count(*) FILTER (WHERE p.bought) AS bought
		FROM (SELECT l.industry::text AS industry, l.seniority::text AS seniority, l.country::text AS country,
					 l.company_size::text AS size, b.lead_id IS NOT NULL AS bought
			  FROM lead l
			  LEFT JOIN buyer b ON b.lead_id = l.lead_id
			  OFFSET '0') p
		GROUP BY GROUPING SETS ((p.industry), (p.seniority), (p.country), (p.size))
	), said AS (
		SELECT v.place, v.dimension, v.value, sum(p.n) AS n, sum(p.bought) AS bought
		FROM value p
		JOIN LATERAL (VALUES
			(2, 7, 'industry', lower(btrim(p.industry))), (3, 11, 'seniority', lower(btrim(p.seniority))),
			(4, 13, 'country', lower(btrim(p.country))),
			-- bands of a number, whatever its type is
			(5, 14, 'company_size', CASE WHEN p.size ~ '^[0-9]{1,15}$'
				THEN (ARRAY['1-9', '10-49', '50-249', '250-999', '1000-4999', '5000 and more'])
					 [1 + width_bucket(p.size::bigint, ARRAY[10, 50, 250, 1000, 5000]::bigint[])] END)) v (place, of, dimension, value)
			ON v.of = p.of
		GROUP BY v.place, v.dimension, v.value
	), counted AS (
		SELECT 1 AS place, 'rule' AS dimension, r.name AS criterion, r.description,
			   s.n AS leads, coalesce(m.n, 0) AS leads_with, s.bought AS customers, coalesce(m.bought, 0) AS customers_with
		FROM rule r
		JOIN definition d ON d.definition = r.definition AND d.status = 'active'
		CROSS JOIN scored s
		LEFT JOIN met m ON m.rule_id = r.rule_id
		WHERE r.axis = 'fit' AND r.enabled
		UNION ALL
		SELECT f.place, f.dimension, f.criterion, NULL AS description, sum(sum(f.n)) OVER one, sum(f.n), sum(sum(f.bought)) OVER one, sum(f.bought)
		FROM (SELECT v.place, v.dimension, v.n, v.bought,
					 -- what only few have might tell who they are
					 CASE WHEN coalesce(v.value, '') = '' THEN '(none)' WHEN v.n < 5 THEN '(other)' ELSE v.value END AS criterion
			  FROM said v) f
		GROUP BY f.place, f.dimension, f.criterion
		WINDOW one AS (PARTITION BY f.dimension)
	)
	SELECT c.dimension AS dimension,
		   c.criterion AS criterion,
		   c.description AS description,
		   c.leads::bigint AS leads,
		   c.leads_with::bigint AS leads_with,
		   _ratio(c.leads_with, c.leads) AS lead_share,
		   c.customers::bigint AS customers,
		   c.customers_with::bigint AS customers_with,
		   _ratio(c.customers_with, c.customers) AS customer_share,
		   _ratio(w.limits[1], 1::numeric) AS customer_share_lower,
		   _ratio(w.limits[2], 1::numeric) AS customer_share_upper,
		   _ratio(c.customers_with * c.leads, c.customers * c.leads_with) AS lift
	FROM counted c
	CROSS JOIN LATERAL (SELECT _wilson(c.customers_with::numeric, c.customers::numeric) AS limits) w
	ORDER BY c.place, lift DESC NULLS LAST, c.criterion;

	PERFORM @extschema@._comment_view('ideal_profile'::text, '
Who buys, beside who comes: one row per rule of axis fit of the active definition that is enabled, and per industry, seniority, country and band of company_size; of each the share of customers that have it against the share of all leads. Leads that are there now, as they are now; a customer is a lead that has ever been one. Values differ in more than case; those of fewer than 5 leads are together in (other), so that nobody is known by one; (none): not known. A criterion with lift above 1 whose interval is above lead_share is part of the ideal customer; one of a rule whose interval is below is worth its points to nobody. No personal data.
dimension: rule, industry, seniority, country or company_size
criterion: name of the rule, or the value
description: of a rule, what it is for, in words (rule.description)
leads: leads; of a rule those that have a scorecard
leads_with: of leads, those that meet the criterion; of a rule those whose scorecard says so
lead_share: leads_with / leads
customers: of leads, those that have ever been a customer
customers_with: of customers, those that meet the criterion
customer_share: customers_with / customers
customer_share_lower: lower limit of its Wilson interval, 95 %
customer_share_upper: upper limit of its Wilson interval, 95 %
lift: customer_share / lead_share, which is the rate of customers among leads with the criterion over that among all
'::text);

	CREATE OR REPLACE VIEW look_alike WITH (security_invoker = true) AS
	WITH bright AS (
		SELECT r.rule_id, r.name FROM rule r WHERE r.category = 'intent'
	)
	SELECT l.lead_id AS lead_id,
		   l.stage AS stage,
		   coalesce(l.source::text, '(none)') AS source,
		   l.owner::text AS owner,
		   fit(l.scorecard, t.at) AS fit,
		   i.intent AS intent,
		   score(l.scorecard, t.at) AS score,
		   i.last_intent_at AS last_intent_at,
		   _days(greatest(_microseconds_between(i.last_intent_at, t.at), 0)::numeric) AS days_since_intent,
		   i.rules AS intent_rules
	FROM lead l
	JOIN stage st ON st.stage = l.stage AND st.milestone = 'lead'
	CROSS JOIN LATERAL (SELECT greatest(funnel_now(), as_of(l.scorecard)) AS at) t
	CROSS JOIN LATERAL (
		SELECT sum(x.points) AS intent, max(x.last_hit) FILTER (WHERE x.points > 0) AS last_intent_at,
			   string_agg(b.name || ' +' || x.points, ', ' ORDER BY x.points DESC, b.rule_id) FILTER (WHERE x.points > 0) AS rules
		FROM explain_score(l.scorecard, t.at) x
		JOIN bright b ON b.rule_id = x.rule_id) i
	WHERE engagement(l.scorecard, t.at) <> 0 AND fit(l.scorecard, t.at) > 0 AND i.intent >= 1
	ORDER BY fit DESC, intent DESC, lead_id;

	PERFORM @extschema@._comment_view('look_alike'::text, '
Whom to win next where MQLs are few: leads below MQL (in a stage of milestone lead) that look like customers, which is points of fit above 0, and show intent, which is a point or more of rules of category intent, faded to funnel_now(); the best fit first, then the most intent. Leads that were returned are not here: see lead_now for those in nurture. No personal data.
lead_id: lead
stage: stage that it is in
source: where it came from first; (none) where it is missing
owner: who has the lead
fit: points for who it is
intent: points of the rules of category intent
score: score now, in points
last_intent_at: the latest thing done that such a rule counted
days_since_intent: days since then
intent_rules: the rules of category intent that give points now, and how many
'::text);
END
$template$;

COMMENT ON FUNCTION _create_profile_views() IS
'creates the views of a funnel on who buys and who is like them; called by _create_funnel_views()';
