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
		   st.position AS position,
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
	JOIN (SELECT s.stage, s.milestone, dense_rank() OVER (ORDER BY array_position(_milestones(), s.milestone)) AS position
		  FROM stage s) st ON st.stage = h.to_stage
	WHERE h.voided_at IS NULL
	ORDER BY h.lead_id, h.cycle, st.milestone, h.entered_at, h.ordinal, h.history_id;

	PERFORM @extschema@._comment_view('milestone_entry'::text, '
One row per unit (lead and cycle) and milestone: the first non-voided move of the unit to any stage of the milestone, with what the lead was then. A later visit within the cycle is no new entry.
lead_id: lead, which may be gone
cycle: which time it was in the funnel: with the lead the unit
position: order of the milestone among those that the funnel has stages for
milestone: milestone entered
entered_at: when
stage: stage by which it was entered
source: source then; (none) where it is missing
campaign: campaign then
owner: owner then
account_id: account then
automatic: whether the move happened by itself
exception: whether it went by a transition that is an exception
score: score then, in points
definition: definition in force then
version: its version then
'::text);

	--
	-- Who a deal is credited to: each deal once
	--
	CREATE OR REPLACE VIEW won_deal WITH (security_invoker = true) AS
	SELECT d.deal_id AS deal_id,
		   d.account_id AS account_id,
		   d.owner AS owner,
		   d.opened_at AS opened_at,
		   d.closed_at AS closed_at,
		   _home_amount(d.home_amount, d.amount, d.currency, s.currency) AS amount,
		   d.home_amount IS NULL AND d.amount IS NOT NULL
			   AND coalesce(d.currency, s.currency) <> s.currency
			   AS foreign_currency,
		   c.lead_id AS lead_id,
		   c.cycle::bigint AS cycle,
		   c.sql_at AS sql_at
	FROM deal d
	JOIN setting s ON s.only_row = (d.status = 'won')
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

	PERFORM @extschema@._comment_view('won_deal'::text, '
One row per won deal, credited to one unit (lead and cycle) of its contacts: the one with the latest entered(sql) at or before the close; where none was an SQL by then, the one that began last before the close, or last of all where it has no date.
deal_id: deal
account_id: company that bought
owner: who worked on the deal
opened_at: when the deal was opened
closed_at: when it was won; NULL where nobody knows
amount: home_amount, or amount where the currency is missing or the funnel''s, in setting.currency; NULL where it is neither
foreign_currency: whether the amount is in another currency and home_amount is missing: amount is NULL then
lead_id: lead that it is credited to; NULL where no contact has a unit
cycle: its cycle
sql_at: when that unit entered sql; NULL where that was not before the close
'::text);

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

	PERFORM @extschema@._comment_view('lead_journey'::text, '
One row per unit (lead and cycle), from the history that is not voided: table journey, with days and deals. An instant <milestone>_at is the first entry into any stage of the milestone. Days are seconds / 86400, with two digits; the instants are exact. No personal data.
lead_id: lead, which may be gone
cycle: which time it was in the funnel: with the lead the unit
source: source as the cycle began; (none) where it is missing
campaign: campaign as the cycle began
owner: owner as the cycle began
account_id: account as the cycle began
started_at: when the cycle began
lead_at: first entry into milestone lead
mql_at: first entry into milestone mql
sal_at: first entry into milestone sal
sql_at: first entry into milestone sql
opportunity_at: first entry into milestone opportunity
customer_at: first entry into milestone customer
exit: nurture, disqualified or lost: where it left the path for, never to come back in that cycle; a customer who leaves has no exit
exited_at: when it left the path; moves from there to another exit change nothing
exit_reason: reason given for that
days_lead_to_mql: days from lead_at to mql_at, negative where mql came first; NULL where one is missing
days_mql_to_sal: days from mql_at to sal_at, likewise
days_sal_to_sql: days from sal_at to sql_at, likewise
days_sql_to_opportunity: days from sql_at to opportunity_at, likewise
days_opportunity_to_customer: days from opportunity_at to customer_at, likewise
days_mql_to_sql: days from mql_at to sql_at, likewise
days_sql_to_customer: days from sql_at to customer_at, likewise
mql_source: source when it entered mql; (none) where it is missing; NULL where it never did
mql_campaign: campaign when it entered mql
mql_owner: owner when it entered mql
sql_source: source when it entered sql; (none) where it is missing; NULL where it never did
sql_campaign: campaign when it entered sql
sql_owner: owner when it entered sql
sql_account_id: account when it entered sql
sql_definition: definition in force when it entered sql
sql_version: its version then
won_deals: deals credited to the unit by won_deal, each deal once
won_amount: their amounts in setting.currency; 0 where there are none
gone_at: when the lead was deleted, erased or merged: nothing is known of the unit after that; NULL while the lead is there
'::text);

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
		   st.position::bigint AS position,
		   st.milestone AS milestone,
		   t.visits AS visits,
		   t.is_open AS is_open,
		   t.entered_at AS entered_at,
		   _days(t.latest::numeric) AS latest_days,
		   _days(t.total) AS total_days,
		   _days(t.open::numeric) AS open_days
	FROM summed t
	LEFT JOIN stage st ON st.stage = t.to_stage;

	PERFORM @extschema@._comment_view('stage_stay'::text, '
One row per lead and stage, over all cycles. A stay runs from a non-voided move to the lead''s next one, to when the lead was deleted, erased or merged, or to now while it is open. A lead that comes under the key of one that is gone adds its stays to that one''s.
lead_id: lead, which may be gone
stage: stage
position: order of the stage (stage.position); NULL where the stage is no more
milestone: milestone of the stage
visits: number of stays
is_open: whether the lead is in it now
entered_at: start of the last stay
latest_days: days of the last stay; NULL where its end is not known
total_days: days of all stays
open_days: days of the stay that goes on; NULL where none does
'::text);

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
		SELECT row_number() OVER (ORDER BY m.position) AS position, m.milestone
		FROM unnest(_milestones()) WITH ORDINALITY AS m (milestone, position)
		WHERE m.milestone IN (SELECT st.milestone FROM stage st)
	)
	SELECT a.position AS from_position,
		   p.from_milestone AS from_milestone,
		   b.position AS to_position,
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

	PERFORM @extschema@._comment_view('stage_velocity'::text, '
One row per pair of milestones that this funnel has stages for, the earlier one a step of the path: days from entered(from) to entered(to) in the same cycle. Only units that got there count, so young funnels look fast: for SQL to customer see sql_velocity.
from_position: order of the earlier milestone among those that the funnel has stages for
from_milestone: the earlier milestone
to_position: order of the later one, which may be nurture, disqualified or lost
to_milestone: the later milestone
n: units (lead and cycle) that entered both, the later one at or after the earlier
n_odd: units that entered the later one first, left out
mean_days: mean of the days of n
median_days: median of the days of n
p90_days: nine in ten of n took no longer, in days
'::text);
END
$template$;

COMMENT ON FUNCTION _create_journey_views() IS
'creates the views of a funnel on its leads'' ways; called by _create_funnel_views()';
