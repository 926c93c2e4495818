--
-- Views of a funnel: what became of the leads
--
-- Run with the funnel's schema first on the search path, like the tables.  A
-- unit is a lead and a cycle, a row of table "journey"; what tells of units
-- reads that table, and the history only for what no unit has: every stay, or
-- what one move was.  Keys of leads may be of any type, so nothing here
-- compares them by USING, IS DISTINCT FROM or NULLIF, which pg_dump cannot
-- write down for a type of an extension.
--
-- Where a subquery ends in OFFSET '0', its columns are worked out once a row,
-- and groups of them are expected to be few, so that several processes share
-- the work (OFFSET 0 is a cast, which keeps them from it).  The row of settings
-- is joined by only_row where rows are many: a hash join can be shared.
--
CREATE FUNCTION _create_journey_views() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
DECLARE
	times text;
	figures text;
	pairs text;
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
	LEFT JOIN LATERAL (
		SELECT j.lead_id, j.cycle,
			   CASE WHEN j.sql_at <= d.closed_at THEN j.sql_at END AS sql_at
		FROM deal_contact k
		JOIN journey j ON j.lead_id = k.lead_id
		WHERE k.deal_id = d.deal_id
		ORDER BY CASE WHEN j.sql_at <= d.closed_at THEN j.sql_at END DESC NULLS LAST,
				 j.started_at <= d.closed_at DESC NULLS LAST,
				 j.started_at DESC, j.lead_id, j.cycle
		LIMIT 1) c ON true
	WHERE d.status = 'won';

	COMMENT ON VIEW won_deal IS
'One row per won deal, credited to one unit (lead and cycle) of its contacts: the one with the latest entered(sql) at or before the close, shown in sql_at; where none was an SQL by then (sql_at NULL), the one that began last before the close, or last of all where it has no date. amount is home_amount, or amount where the currency is missing or the funnel''s; a foreign amount without home_amount is NULL and flagged.';

	--
	-- The base of nearly every metric
	--
	CREATE OR REPLACE VIEW lead_journey WITH (security_invoker = true) AS
	SELECT j.lead_id AS lead_id,
		   j.cycle::bigint AS cycle,
		   coalesce(j.source, '(none)') AS source,
		   j.campaign AS campaign,
		   j.owner AS owner,
		   j.account_id AS account_id,
		   j.started_at AS started_at,
		   j.lead_at AS lead_at,
		   j.mql_at AS mql_at,
		   j.sal_at AS sal_at,
		   j.sql_at AS sql_at,
		   j.opportunity_at AS opportunity_at,
		   j.customer_at AS customer_at,
		   j.exit AS exit,
		   j.exited_at AS exited_at,
		   j.exit_reason AS exit_reason,
		   _days(_microseconds_between(j.lead_at, j.mql_at)::numeric) AS days_lead_to_mql,
		   _days(_microseconds_between(j.mql_at, j.sal_at)::numeric) AS days_mql_to_sal,
		   _days(_microseconds_between(j.sal_at, j.sql_at)::numeric) AS days_sal_to_sql,
		   _days(_microseconds_between(j.sql_at, j.opportunity_at)::numeric)
			   AS days_sql_to_opportunity,
		   _days(_microseconds_between(j.opportunity_at, j.customer_at)::numeric)
			   AS days_opportunity_to_customer,
		   _days(_microseconds_between(j.mql_at, j.sql_at)::numeric) AS days_mql_to_sql,
		   _days(_microseconds_between(j.sql_at, j.customer_at)::numeric)
			   AS days_sql_to_customer,
		   CASE WHEN j.mql_at IS NOT NULL THEN coalesce(j.mql_source, '(none)') END
			   AS mql_source,
		   j.mql_campaign AS mql_campaign,
		   j.mql_owner AS mql_owner,
		   CASE WHEN j.sql_at IS NOT NULL THEN coalesce(j.sql_source, '(none)') END
			   AS sql_source,
		   j.sql_campaign AS sql_campaign,
		   j.sql_owner AS sql_owner,
		   j.sql_account_id AS sql_account_id,
		   j.sql_definition AS sql_definition,
		   j.sql_version::bigint AS sql_version,
		   w.deals AS won_deals,
		   coalesce(w.amount, 0) AS won_amount,
		   j.gone_at AS gone_at
	FROM journey j
	LEFT JOIN LATERAL (
		SELECT count(*) AS deals, sum(d.amount) AS amount
		FROM deal_contact k
		JOIN won_deal d ON d.deal_id = k.deal_id
		WHERE k.lead_id = j.lead_id AND d.lead_id = j.lead_id AND d.cycle = j.cycle) w ON true;

	COMMENT ON VIEW lead_journey IS
'One row per unit (lead and cycle), from the history that is not voided: table journey, with days and deals. <milestone>_at: first entry into any stage of the milestone. exit, exited_at, exit_reason: the row by which it left the path for nurture, disqualified or lost and after which it never came back to it or became a customer in that cycle; moves from there to another of the three change nothing, and a customer who leaves has no exit. source, campaign, owner, account_id: as the cycle began; mql_ and sql_ columns: as the row of that entry has them. days_a_to_b: seconds / 86400, negative where b came first, NULL where one is missing. won_deals, won_amount: deals credited to the unit by won_deal, each deal once. gone_at: when the lead was deleted, erased or merged; its units stay, and nothing is known of them after that; NULL while the lead is there. No personal data.';

	-- the lives of a key have units of their own, which follow each other
	CREATE OR REPLACE VIEW stage_stay WITH (security_invoker = true) AS
	WITH stay AS (
		SELECT h.lead_id, h.to_stage, h.entered_at, j.gone_at,
			   lead(h.entered_at) OVER life AS left_at,
			   lead(h.history_id) OVER life IS NULL AS is_last,
			   row_number() OVER (PARTITION BY h.lead_id
								  ORDER BY h.cycle, h.entered_at, h.ordinal, h.history_id) AS n
		FROM stage_history h
		LEFT JOIN journey j ON j.lead_id = h.lead_id AND j.cycle = h.cycle
		WHERE h.voided_at IS NULL
		WINDOW life AS (PARTITION BY h.lead_id, j.gone_at
						ORDER BY h.cycle, h.entered_at, h.ordinal, h.history_id)
	), timed AS (
		SELECT t.lead_id, t.to_stage, t.entered_at, t.n,
			   t.is_last AND l.lead_id IS NOT NULL AS is_open,
			   CASE WHEN NOT t.is_last
					THEN _microseconds_between(t.entered_at, t.left_at)
					WHEN t.gone_at IS NOT NULL
					THEN greatest(_microseconds_between(t.entered_at, t.gone_at), 0)
					WHEN l.lead_id IS NOT NULL
					THEN greatest(_microseconds_between(t.entered_at, funnel_now()), 0)
			   END AS time
		FROM stay t
		LEFT JOIN lead l ON l.lead_id = t.lead_id AND t.gone_at IS NULL
	), summed AS (
		SELECT t.lead_id, t.to_stage,
			   count(*) AS visits,
			   bool_or(t.is_open) AS is_open,
			   max(t.entered_at) AS entered_at,
			   (array_agg(t.time ORDER BY t.n DESC))[1] AS latest,
			   sum(t.time) AS total,
			   max(t.time) FILTER (WHERE t.is_open) AS open
		FROM timed t
		GROUP BY t.lead_id, t.to_stage
	)
	SELECT t.lead_id AS lead_id,
		   t.to_stage AS stage,
		   st.milestone AS milestone,
		   t.visits AS visits,
		   t.is_open AS is_open,
		   t.entered_at AS entered_at,
		   _days(t.latest::numeric) AS latest_days,
		   _days(t.total) AS total_days,
		   _days(t.open::numeric) AS open_days
	FROM summed t
	LEFT JOIN stage st ON st.stage = t.to_stage;

	COMMENT ON VIEW stage_stay IS
'One row per lead and stage, over all cycles. A stay runs from a non-voided history row to the lead''s next one, to when the lead was deleted, erased or merged, or to now while it is open. latest_days: the last stay; total_days: all stays; open_days: the stay that goes on, never NULL while is_open, NULL otherwise; visits: number of stays; entered_at: start of the last. A lead that comes under the key of one that is gone adds its stays to that one''s.';

	-- for each two milestones a column, in one pass
	SELECT string_agg(format('_microseconds_between(j.%I_at, j.%I_at) AS %I', a.milestone, b.milestone, c.pair), ', '),
		   string_agg(format('count(*) FILTER (WHERE u.%1$I >= 0) AS %2$I, '
							 'count(*) FILTER (WHERE u.%1$I < 0) AS %3$I, '
							 'avg(u.%1$I) FILTER (WHERE u.%1$I >= 0) AS %4$I, '
							 '_spread(u.%1$I) FILTER (WHERE u.%1$I >= 0) AS %5$I',
							 c.pair, c.pair || ' n', c.pair || ' odd', c.pair || ' mean', c.pair || ' parts'), ', '),
		   string_agg(format('(%L, %L, t.%I, t.%I, t.%I, t.%I)', a.milestone, b.milestone,
							 c.pair || ' n', c.pair || ' odd', c.pair || ' mean', c.pair || ' parts'), ', ')
		INTO times, figures, pairs
	FROM unnest(_milestones()) WITH ORDINALITY AS a (milestone, position)
	JOIN unnest(_milestones()) WITH ORDINALITY AS b (milestone, position)
		ON b.position > a.position AND NOT _is_exit(a.milestone)
	CROSS JOIN LATERAL (SELECT a.milestone || ' ' || b.milestone AS pair) AS c;

	EXECUTE format($view$CREATE OR REPLACE VIEW stage_velocity WITH (security_invoker = true) AS
	WITH told AS (
		SELECT %2$s
		FROM (SELECT %1$s FROM journey j
			  WHERE num_nonnulls(%4$s) > 1
			  OFFSET '0') u
	), step AS (
		SELECT m.position, m.milestone
		FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position)
		WHERE m.milestone IN (SELECT st.milestone FROM stage st)
	)
	SELECT p.from_milestone AS from_milestone,
		   p.to_milestone AS to_milestone,
		   p.n AS n,
		   p.odd AS n_odd,
		   _days(p.mean) AS mean_days,
		   _days(p.parts[1]::numeric) AS median_days,
		   _days(p.parts[2]::numeric) AS p90_days
	FROM told t
	CROSS JOIN LATERAL (VALUES %3$s) p (from_milestone, to_milestone, n, odd, mean, parts)
	JOIN step a ON a.milestone = p.from_milestone
	JOIN step b ON b.milestone = p.to_milestone
	ORDER BY a.position, b.position$view$, times, figures, pairs,
		(SELECT string_agg(format('j.%I_at', m), ', ') FROM unnest(_milestones()) AS m));

	COMMENT ON VIEW stage_velocity IS
'One row per pair of milestones of this funnel, the earlier one a step of the path: days from entered(from) to entered(to) in the same cycle. n: units with both, to at or after from; n_odd: units where to came first, left out. Only units that got there count, so young funnels look fast: for SQL to customer see sql_velocity.';
END
$template$;

COMMENT ON FUNCTION _create_journey_views() IS
'creates the views of a funnel on its leads'' ways; called by _create_funnel_views()';
