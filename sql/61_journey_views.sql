--
-- Views of a funnel: what became of the leads
--
-- Static DDL, run with the funnel's schema first on the search path, like
-- the tables.  A unit is a lead and a cycle.  Keys of leads may be of any
-- type, so nothing here compares them by USING, IS DISTINCT FROM or NULLIF,
-- which pg_dump cannot write down for a type of an extension.
--
CREATE FUNCTION _create_journey_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	--
	-- D1: the base of what counts entries
	--
	CREATE OR REPLACE VIEW milestone_entry WITH (security_invoker = true) AS
	SELECT DISTINCT ON (h.lead_id, h.cycle, st.milestone)
		   h.lead_id AS lead_id,
		   h.cycle::bigint AS cycle,
		   st.milestone AS milestone,
		   h.entered_at AS entered_at,
		   h.to_stage AS stage,
		   coalesce(h.source, '(none)') AS source,
		   h.campaign AS campaign,
		   h.owner AS owner,
		   h.account_id AS account_id,
		   h.automatic AS automatic,
		   h.exception AS exception,
		   h.score AS score,
		   h.definition AS definition,
		   h.version::bigint AS version
	FROM stage_history h
	JOIN stage st ON st.stage = h.to_stage
	WHERE h.voided_at IS NULL
	ORDER BY h.lead_id, h.cycle, st.milestone, h.entered_at, h.ordinal, h.history_id;

	COMMENT ON VIEW milestone_entry IS
'One row per unit (lead and cycle) and milestone: the first non-voided history row of the unit in any stage of the milestone, with source, campaign, owner and account as that row has them. A later visit within the cycle is no new entry. Source (none) where it is missing.';

	--
	-- Who a deal is credited to: each deal once
	--
	CREATE OR REPLACE VIEW won_deal WITH (security_invoker = true) AS
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

	COMMENT ON VIEW won_deal IS
'One row per won deal, credited to one unit (lead and cycle) of its contacts: the one with the latest entered(sql) at or before the close, shown in sql_at; where none was an SQL by then (sql_at NULL), the one that began last before the close, or last of all where it has no date. amount is home_amount, or amount where the currency is missing or the funnel''s; a foreign amount without home_amount is NULL and flagged.';

	--
	-- The base of nearly every metric
	--
	CREATE OR REPLACE VIEW lead_journey WITH (security_invoker = true) AS
	WITH step AS (
		SELECT h.lead_id, h.cycle, st.milestone, h.entered_at, h.reason,
			   coalesce(h.source, '(none)') AS source,
			   h.campaign, h.owner, h.account_id, h.definition, h.version,
			   row_number() OVER unit = 1 AS is_first,
			   row_number() OVER visit = 1 AS is_entry,
			   -- the first of the exits that nothing but exits come after
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
		   round(_days_between(u.lead_at, u.mql_at), 6) AS days_lead_to_mql,
		   round(_days_between(u.mql_at, u.sal_at), 6) AS days_mql_to_sal,
		   round(_days_between(u.sal_at, u.sql_at), 6) AS days_sal_to_sql,
		   round(_days_between(u.sql_at, u.opportunity_at), 6)
			   AS days_sql_to_opportunity,
		   round(_days_between(u.opportunity_at, u.customer_at), 6)
			   AS days_opportunity_to_customer,
		   round(_days_between(u.mql_at, u.sql_at), 6) AS days_mql_to_sql,
		   round(_days_between(u.sql_at, u.customer_at), 6)
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

	COMMENT ON VIEW lead_journey IS
'One row per unit (lead and cycle), from the history that is not voided. <milestone>_at: first entry into any stage of the milestone. exit, exited_at, exit_reason: the row by which it left the path for nurture, disqualified or lost and after which it never came back to it or became a customer in that cycle; moves from there to another of the three change nothing, and a customer who leaves has no exit. source, campaign, owner, account_id: as the cycle began; mql_ and sql_ columns: as the row of that entry has them. days_a_to_b: seconds / 86400, negative where b came first, NULL where one is missing. won_deals, won_amount: deals credited to the unit by won_deal, each deal once. No personal data. A deleted lead keeps its rows; last_seen_at is then its last entry in the cycle, after which nothing is known: NULL while the lead is there.';

	CREATE OR REPLACE VIEW stage_stay WITH (security_invoker = true) AS
	WITH stay AS (
		SELECT h.lead_id, h.to_stage, h.entered_at, h.ordinal, h.history_id,
			   lead(h.entered_at) OVER log AS left_at,
			   lead(h.history_id) OVER log IS NULL AS is_last
		FROM stage_history h
		WHERE h.voided_at IS NULL
		WINDOW log AS (PARTITION BY h.lead_id
					   ORDER BY h.entered_at, h.ordinal, h.history_id)
	), timed AS (
		SELECT t.lead_id, t.to_stage, t.entered_at,
			   t.is_last AND l.lead_id IS NOT NULL AS is_open,
			   CASE WHEN NOT t.is_last
					THEN _days_between(t.entered_at, t.left_at)
					WHEN l.lead_id IS NOT NULL
					THEN greatest(_days_between(t.entered_at, funnel_now()), 0)
			   END AS days,
			   row_number() OVER (PARTITION BY t.lead_id, t.to_stage
								  ORDER BY t.entered_at DESC, t.ordinal DESC,
										   t.history_id DESC) = 1 AS is_latest
		FROM stay t
		LEFT JOIN lead l ON l.lead_id = t.lead_id
	), summed AS (
		SELECT t.lead_id, t.to_stage,
			   count(*) AS visits,
			   bool_or(t.is_open) AS is_open,
			   max(t.entered_at) AS entered_at,
			   max(t.days) FILTER (WHERE t.is_latest) AS latest_days,
			   sum(t.days) AS total_days,
			   max(t.days) FILTER (WHERE t.is_open) AS open_days
		FROM timed t
		GROUP BY t.lead_id, t.to_stage
	)
	SELECT t.lead_id AS lead_id,
		   t.to_stage AS stage,
		   st.milestone AS milestone,
		   t.visits AS visits,
		   t.is_open AS is_open,
		   t.entered_at AS entered_at,
		   round(t.latest_days, 6) AS latest_days,
		   round(t.total_days, 6) AS total_days,
		   round(t.open_days, 6) AS open_days
	FROM summed t
	LEFT JOIN stage st ON st.stage = t.to_stage;

	COMMENT ON VIEW stage_stay IS
'One row per lead and stage, over all cycles. A stay runs from a non-voided history row to the lead''s next one, or to now while it is open. latest_days: the last stay; total_days: all stays; open_days: the stay that goes on, never NULL while is_open, NULL otherwise; visits: number of stays; entered_at: start of the last. The last stay of a deleted lead has no known end and no days.';

	CREATE OR REPLACE VIEW stage_velocity WITH (security_invoker = true) AS
	WITH step AS (
		SELECT m.position, m.milestone
		FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position)
		WHERE m.milestone IN (SELECT st.milestone FROM stage st)
	), pair AS (
		SELECT a.milestone AS from_milestone, b.milestone AS to_milestone,
			   _days_between(a.entered_at, b.entered_at) AS days
		FROM milestone_entry a
		JOIN milestone_entry b ON b.lead_id = a.lead_id AND b.cycle = a.cycle
		WHERE b.milestone <> a.milestone
	)
	SELECT a.milestone AS from_milestone,
		   b.milestone AS to_milestone,
		   count(p.days) FILTER (WHERE p.days >= 0) AS n,
		   count(p.days) FILTER (WHERE p.days < 0) AS n_odd,
		   round(avg(p.days) FILTER (WHERE p.days >= 0), 6) AS mean_days,
		   round((percentile_cont(0.5) WITHIN GROUP (ORDER BY p.days)
				  FILTER (WHERE p.days >= 0))::numeric, 6) AS median_days,
		   round((percentile_cont(0.9) WITHIN GROUP (ORDER BY p.days)
				  FILTER (WHERE p.days >= 0))::numeric, 6) AS p90_days
	FROM step a
	JOIN step b ON b.position > a.position AND NOT _is_exit(a.milestone)
	LEFT JOIN pair p ON p.from_milestone = a.milestone
					AND p.to_milestone = b.milestone
	GROUP BY a.position, a.milestone, b.position, b.milestone
	ORDER BY a.position, b.position;

	COMMENT ON VIEW stage_velocity IS
'One row per pair of milestones of this funnel, the earlier one a step of the path: days from entered(from) to entered(to) in the same cycle. n: units with both, to at or after from; n_odd: units where to came first, left out. Only units that got there count, so young funnels look fast: for SQL to customer see sql_velocity.';
END
$template$;

COMMENT ON FUNCTION _create_journey_views() IS
'creates the views of a funnel on its leads'' ways; called by _create_funnel_views()';
