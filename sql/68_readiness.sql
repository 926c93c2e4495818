--
-- How far leads are from being taken over by sales
--
CREATE FUNCTION _readiness(setting oid, OUT stage text, OUT ready bigint, OUT one_step_short bigint, OUT to_be_worked bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _readiness(oid) IS
'leads of each stage on the path before SQL by how far they are from it, of the funnel whose table setting it is; reads the leads with the rights of whoever asks';

CREATE FUNCTION _create_readiness_view() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	CREATE OR REPLACE VIEW readiness WITH (security_invoker = true) AS
	SELECT row_number() OVER (ORDER BY st.position, st.stage) AS position,
		   st.stage AS stage,
		   st.milestone AS milestone,
		   CASE WHEN st.milestone = 'nurture' THEN n.leads ELSE r.ready + r.one_step_short + r.to_be_worked END AS leads,
		   coalesce(r.ready, 0) AS ready,
		   coalesce(r.one_step_short, 0) AS one_step_short,
		   coalesce(r.to_be_worked, 0) AS to_be_worked,
		   CASE WHEN st.milestone = 'nurture' THEN n.leads ELSE 0 END AS in_nurture
	FROM stage st
	LEFT JOIN (SELECT r.* FROM setting s CROSS JOIN LATERAL _readiness(s.tableoid) r) r ON r.stage = st.stage
	CROSS JOIN LATERAL (
		-- who may not read whole leads, as guards do, is not granted this view
		SELECT count(l.lead_id) FILTER (WHERE (l.properties IS NULL) IS NOT NULL) AS leads
		FROM lead l
		WHERE l.stage = st.stage AND st.milestone = 'nurture') n
	WHERE r.stage IS NOT NULL OR st.milestone = 'nurture'
	ORDER BY st.position, st.stage;

	PERFORM @extschema@._comment_view('readiness'::text, '
One row per stage on the path before SQL, and per stage of milestone nurture: how many leads are ready for sales now, and how many need work. leads = ready + one_step_short + to_be_worked + in_nurture. A lead is ready when why_not() says nothing against SQL; one step short when a single part of the guards on its way is unmet or unknown and, if that part is about answers, one more yes would meet it. Reads every lead: for a glance now and then.
position: order of the stages
stage: stage that the leads are in
milestone: its milestone
leads: leads that are in it
ready: leads that may be an SQL now
one_step_short: leads that lack one thing
to_be_worked: leads that lack more
in_nurture: leads that are not ready yet: back with marketing
'::text);
END
$template$;

COMMENT ON FUNCTION _create_readiness_view() IS
'creates the view that tells how far leads are from SQL; called by _create_funnel_views()';
