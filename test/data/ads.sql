-- What the leads of the spend file cost, from the funnel that the demo has
-- loaded.  Where there is no data, skipped.
\set QUIET on
\getenv data LQ_DATA
BEGIN;
CREATE SCHEMA pgtap;
CREATE EXTENSION pgtap SCHEMA pgtap;
\if :{?data}
SET LOCAL search_path = ads, public, pgtap;
SET LOCAL TimeZone = 'UTC';
SET LOCAL lead_qual.clock = '2021-03-01 00:00';
SELECT plan(12);

SELECT results_eq($$
	SELECT (SELECT sum(amount) FROM spend), (SELECT reached FROM funnel WHERE milestone = 'lead'),
		   round((SELECT sum(amount) FROM spend) / (SELECT reached FROM funnel WHERE milestone = 'lead'), 2) $$,
	$$ VALUES (30590879.82, 65579::bigint, 466.47) $$, 'spend: 30,590,879.82 for 65,579 leads is 466.47 a lead');
SELECT is((SELECT count(DISTINCT campaign) FROM spend), 11::bigint, 'spend: 11 campaigns, however they are spelt');
SELECT results_eq($$
	SELECT s.campaign, round(s.amount / j.leads, 2)
	FROM (SELECT campaign, sum(amount) AS amount FROM spend GROUP BY campaign) s
	JOIN (SELECT campaign, count(*) AS leads FROM lead_journey GROUP BY campaign) j ON j.campaign = s.campaign
	WHERE s.campaign IN ('instagram_tier2', 'facebook_lal') ORDER BY 2 $$,
	$$ VALUES ('instagram_tier2', 102.77), ('facebook_lal', 1383.94) $$, 'spend: from 102.77 to 1,383.94 a lead');
SELECT is((SELECT sum(cost) FROM cost_per_sql), 30590879.82, 'D7: the cost view has every cent');
SELECT is((SELECT count(*) FROM cost_per_sql WHERE cost_per_sql IS NOT NULL), 0::bigint,
	'R000-15 without SQLs the cost per SQL is NULL, not an error');
-- the same by the views
SELECT results_eq($$ SELECT sum(cost), sum(entered)::bigint, round(sum(cost) / sum(entered), 2) FROM cost_per_stage WHERE milestone = 'lead' $$,
	$$ VALUES (30590879.82, 65579::bigint, 466.47) $$, 'D7: a lead cost 466.47, by cost_per_stage');
SELECT results_eq($$ SELECT campaign, round(sum(cost) / sum(entered), 2) FROM cost_per_stage WHERE milestone = 'lead'
		AND campaign IN ('instagram_tier2', 'facebook_lal') GROUP BY campaign ORDER BY 2 $$,
	$$ VALUES ('instagram_tier2', 102.77), ('facebook_lal', 1383.94) $$, 'D7: by campaign from 102.77 to 1,383.94');
SELECT is((SELECT count(DISTINCT campaign) FROM cost_per_stage WHERE milestone = 'lead' AND entered > 0), 11::bigint, 'D7: 11 campaigns');
SELECT results_eq($$ SELECT basis, sum(cost), sum(leads)::bigint, sum(revenue) FROM source_performance GROUP BY 1 ORDER BY 1 $$,
	$$ VALUES ('cohort', 30590879.82, 65579::bigint, 0::numeric), ('period', 30590879.82, 65579, 0) $$, 'D28: all cost and all leads, without revenue');
SELECT is_empty($$ SELECT campaign, cost_per_lead FROM source_performance AS p WHERE cost > 0 AND round(cost_per_lead, 2) <>
	(SELECT round(sum(amount) / (SELECT count(*) FROM lead AS l WHERE l.campaign = p.campaign), 2) FROM spend AS s WHERE s.campaign = p.campaign) $$, 'D28: what a lead cost, campaign by campaign');
SELECT results_eq($$ SELECT model, sum(amount), sum(cost) FROM attribution_summary GROUP BY model ORDER BY model $$,
	$$ SELECT m, 0::numeric, 30590879.82 FROM unnest(_attribution_models()) AS m ORDER BY m $$, 'D24: nothing to attribute, beside all cost');
SELECT is_empty($$ SELECT * FROM check_funnel('ads') $$,
	'check_funnel() finds nothing wrong with imported leads');
\else
SET LOCAL search_path = pgtap;
SELECT plan(1);
SELECT skip('no real data: set LQ_DATA', 1);
\endif
SELECT * FROM finish();
ROLLBACK;
