-- Schema "told": views of the funnel :funnel as they read the history itself,
-- row by row; and pg_temp.differences(funnel, view), what the funnel's own view
-- shows otherwise, in the columns that both have.  Months without anything are
-- left out: the tests month_rows tell of these.
CREATE FUNCTION pg_temp.differences(funnel text, view text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	columns text;
	something text;
BEGIN
	something := CASE WHEN view = 'funnel_monthly' THEN 'entered > 0' WHEN view = 'mql_to_sql' THEN 'mqls + sqls_entered > 0'
		WHEN view = 'sql_conversion' THEN 'sqls + customers_entered > 0' WHEN view LIKE 'sla%' THEN 'handed_over > 0' WHEN view = 'rejection' THEN 'moves > 0'
		WHEN view = 'cost_per_sql' THEN 'sqls > 0 OR direct_cost <> 0 OR overhead <> 0 OR n_foreign > 0'
		WHEN view = 'sql_revenue' THEN 'deals + n_undated > 0' ELSE 'true' END;
	SELECT string_agg(quote_ident(t.attname), ', ') INTO columns
	FROM pg_attribute AS t JOIN pg_attribute AS c ON c.attname = t.attname AND c.attrelid = format('%I.%I', funnel, view)::regclass
	WHERE t.attrelid = format('told.%I', view)::regclass AND t.attnum > 0;
	RETURN QUERY EXECUTE format('WITH shown AS MATERIALIZED (SELECT %1$s FROM %3$I.%2$I WHERE %4$s), told AS MATERIALIZED (SELECT %1$s FROM told.%2$I WHERE %4$s) '
		'SELECT ''shown '' || x::text FROM (TABLE shown EXCEPT ALL TABLE told) AS x '
		'UNION ALL SELECT ''told '' || x::text FROM (TABLE told EXCEPT ALL TABLE shown) AS x', columns, view, funnel, something);
END $$;
CREATE SCHEMA told;
-- each a quotient, their sum and mean may be a bit below what lies between
CREATE FUNCTION told.two_digits(days numeric) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS 'SELECT round(round(days, 12), 2)';
CREATE FUNCTION told.days_between(since timestamptz, until timestamptz) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT
AS 'SELECT extract(epoch FROM until - since) / 86400';
SET LOCAL search_path = told, :funnel, public, pg_temp;
CREATE VIEW won_deal AS
WITH unit AS (
	SELECT d.deal_id, d.closed_at, h.lead_id, h.cycle,
		   min(h.entered_at) AS started_at,
		   min(h.entered_at) FILTER (WHERE st.milestone = 'sql') AS sql_at
	FROM deal d
	JOIN deal_contact c ON c.deal_id = d.deal_id
	JOIN stage_history h ON h.lead_id = c.lead_id
	LEFT JOIN stage st ON st.stage = h.to_stage
	WHERE d.status = 'won' AND h.voided_at IS NULL
	GROUP BY d.deal_id, d.closed_at, h.lead_id, h.cycle
), candidate AS (
	SELECT u.deal_id, u.lead_id, u.cycle, u.started_at,
		   u.started_at <= u.closed_at AS before_close,
		   CASE WHEN u.sql_at <= u.closed_at THEN u.sql_at END AS sql_at
	FROM unit u
), credited AS (
	SELECT DISTINCT ON (n.deal_id) n.deal_id, n.lead_id, n.cycle, n.sql_at
	FROM candidate n
	ORDER BY n.deal_id, n.sql_at DESC NULLS LAST,
			 n.before_close DESC NULLS LAST, n.started_at DESC,
			 n.lead_id, n.cycle
)
SELECT d.deal_id AS deal_id,
	   d.account_id AS account_id,
	   d.owner AS owner,
	   d.opened_at AS opened_at,
	   d.closed_at AS closed_at,
	   CASE WHEN d.home_amount IS NOT NULL THEN d.home_amount
			WHEN coalesce(d.currency, s.currency) = s.currency
			THEN d.amount END AS amount,
	   d.home_amount IS NULL AND d.amount IS NOT NULL
		   AND coalesce(d.currency, s.currency) <> s.currency
		   AS foreign_currency,
	   c.lead_id AS lead_id,
	   c.cycle::bigint AS cycle,
	   c.sql_at AS sql_at
FROM deal d
CROSS JOIN setting s
LEFT JOIN credited c ON c.deal_id = d.deal_id
WHERE d.status = 'won';
CREATE VIEW lead_journey AS
WITH step AS (
	SELECT h.lead_id, h.cycle, st.milestone, h.entered_at, h.reason,
		   coalesce(h.source, '(none)') AS source,
		   h.campaign, h.owner, h.account_id, h.definition, h.version,
		   row_number() OVER unit = 1 AS is_first,
		   row_number() OVER visit = 1 AS is_entry,
		   _is_exit(st.milestone)
			   AND _is_exit(lag(st.milestone) OVER unit) IS NOT TRUE
			   AND count(*) FILTER (WHERE _is_exit(st.milestone) IS NOT TRUE)
					   OVER unit
				   = count(*) FILTER (WHERE _is_exit(st.milestone) IS NOT TRUE)
					   OVER (PARTITION BY h.lead_id, h.cycle)
			   AND count(*) FILTER (WHERE st.milestone = 'customer')
				   OVER unit = 0 AS is_end
	FROM stage_history h
	LEFT JOIN stage st ON st.stage = h.to_stage
	WHERE h.voided_at IS NULL
	WINDOW unit AS (PARTITION BY h.lead_id, h.cycle
					ORDER BY h.entered_at, h.ordinal, h.history_id),
		   visit AS (PARTITION BY h.lead_id, h.cycle, st.milestone
					 ORDER BY h.entered_at, h.ordinal, h.history_id)
), unit AS (
	SELECT p.lead_id, p.cycle,
		   min(p.entered_at) AS started_at,
		   max(p.entered_at) AS last_at,
		   min(p.entered_at) FILTER (WHERE p.milestone = 'lead') AS lead_at,
		   min(p.entered_at) FILTER (WHERE p.milestone = 'mql') AS mql_at,
		   min(p.entered_at) FILTER (WHERE p.milestone = 'sal') AS sal_at,
		   min(p.entered_at) FILTER (WHERE p.milestone = 'sql') AS sql_at,
		   min(p.entered_at) FILTER (WHERE p.milestone = 'opportunity')
			   AS opportunity_at,
		   min(p.entered_at) FILTER (WHERE p.milestone = 'customer')
			   AS customer_at,
		   max(p.milestone) FILTER (WHERE p.is_end) AS exit,
		   max(p.entered_at) FILTER (WHERE p.is_end) AS exited_at,
		   max(p.reason) FILTER (WHERE p.is_end) AS exit_reason,
		   max(p.source) FILTER (WHERE p.is_first) AS source,
		   max(p.campaign) FILTER (WHERE p.is_first) AS campaign,
		   max(p.owner) FILTER (WHERE p.is_first) AS owner,
		   max(p.account_id) FILTER (WHERE p.is_first) AS account_id,
		   max(p.source) FILTER (WHERE p.is_entry
			   AND p.milestone = 'mql') AS mql_source,
		   max(p.campaign) FILTER (WHERE p.is_entry
			   AND p.milestone = 'mql') AS mql_campaign,
		   max(p.owner) FILTER (WHERE p.is_entry
			   AND p.milestone = 'mql') AS mql_owner,
		   max(p.source) FILTER (WHERE p.is_entry
			   AND p.milestone = 'sql') AS sql_source,
		   max(p.campaign) FILTER (WHERE p.is_entry
			   AND p.milestone = 'sql') AS sql_campaign,
		   max(p.owner) FILTER (WHERE p.is_entry
			   AND p.milestone = 'sql') AS sql_owner,
		   max(p.account_id) FILTER (WHERE p.is_entry
			   AND p.milestone = 'sql') AS sql_account_id,
		   max(p.definition) FILTER (WHERE p.is_entry
			   AND p.milestone = 'sql') AS sql_definition,
		   max(p.version) FILTER (WHERE p.is_entry
			   AND p.milestone = 'sql') AS sql_version
	FROM step p
	GROUP BY p.lead_id, p.cycle
), won AS (
	SELECT w.lead_id, w.cycle, count(*) AS deals, sum(w.amount) AS amount
	FROM won_deal w
	WHERE w.lead_id IS NOT NULL
	GROUP BY w.lead_id, w.cycle
)
SELECT u.lead_id AS lead_id,
	   u.cycle::bigint AS cycle,
	   u.source AS source,
	   u.campaign AS campaign,
	   u.owner AS owner,
	   u.account_id AS account_id,
	   u.started_at AS started_at,
	   u.lead_at AS lead_at,
	   u.mql_at AS mql_at,
	   u.sal_at AS sal_at,
	   u.sql_at AS sql_at,
	   u.opportunity_at AS opportunity_at,
	   u.customer_at AS customer_at,
	   u.exit AS exit,
	   u.exited_at AS exited_at,
	   u.exit_reason AS exit_reason,
	   two_digits(days_between(u.lead_at, u.mql_at)) AS days_lead_to_mql,
	   two_digits(days_between(u.mql_at, u.sal_at)) AS days_mql_to_sal,
	   two_digits(days_between(u.sal_at, u.sql_at)) AS days_sal_to_sql,
	   two_digits(days_between(u.sql_at, u.opportunity_at))
		   AS days_sql_to_opportunity,
	   two_digits(days_between(u.opportunity_at, u.customer_at))
		   AS days_opportunity_to_customer,
	   two_digits(days_between(u.mql_at, u.sql_at)) AS days_mql_to_sql,
	   two_digits(days_between(u.sql_at, u.customer_at))
		   AS days_sql_to_customer,
	   u.mql_source AS mql_source,
	   u.mql_campaign AS mql_campaign,
	   u.mql_owner AS mql_owner,
	   u.sql_source AS sql_source,
	   u.sql_campaign AS sql_campaign,
	   u.sql_owner AS sql_owner,
	   u.sql_account_id AS sql_account_id,
	   u.sql_definition AS sql_definition,
	   u.sql_version::bigint AS sql_version,
	   coalesce(w.deals, 0) AS won_deals,
	   coalesce(w.amount, 0) AS won_amount,
	   CASE WHEN l.lead_id IS NULL THEN u.last_at END AS last_seen_at
FROM unit u
LEFT JOIN won w ON w.lead_id = u.lead_id AND w.cycle = u.cycle
LEFT JOIN lead l ON l.lead_id = u.lead_id;
CREATE VIEW stage_velocity AS
WITH step AS (
	SELECT m.position, m.milestone
	FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position)
	WHERE m.milestone IN (SELECT st.milestone FROM stage st)
), pair AS (
	SELECT a.milestone AS from_milestone, b.milestone AS to_milestone,
		   days_between(a.entered_at, b.entered_at) AS days
	FROM milestone_entry a
	JOIN milestone_entry b ON b.lead_id = a.lead_id AND b.cycle = a.cycle
	WHERE b.milestone <> a.milestone
)
SELECT a.milestone AS from_milestone,
	   b.milestone AS to_milestone,
	   count(p.days) FILTER (WHERE p.days >= 0) AS n,
	   count(p.days) FILTER (WHERE p.days < 0) AS n_odd,
	   two_digits(avg(p.days) FILTER (WHERE p.days >= 0)) AS mean_days,
	   two_digits((percentile_cont(0.5) WITHIN GROUP (ORDER BY p.days)
			  FILTER (WHERE p.days >= 0))::numeric) AS median_days,
	   two_digits((percentile_cont(0.9) WITHIN GROUP (ORDER BY p.days)
			  FILTER (WHERE p.days >= 0))::numeric) AS p90_days
FROM step a
JOIN step b ON b.position > a.position AND NOT _is_exit(a.milestone)
LEFT JOIN pair p ON p.from_milestone = a.milestone
				AND p.to_milestone = b.milestone
GROUP BY a.position, a.milestone, b.position, b.milestone
ORDER BY a.position, b.position;
SET LOCAL search_path = :funnel, public, pg_temp;
