--
-- The template: what a funnel consists of.  Each version of it has a number,
-- which the funnels that were made by it carry.
--
CREATE FUNCTION _serve_template(template integer) RETURNS integer
AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _serve_template(integer) IS
'that template version; raises unless the library of this session serves it';

-- The number comes from template.h as the script is built.
CREATE FUNCTION _template_version() RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN _serve_template(@TEMPLATE_VERSION@);

COMMENT ON FUNCTION _template_version() IS
'the template by which create_funnel() makes funnels';

CREATE FUNCTION _funnel_template(schema oid) RETURNS integer
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	template integer;
BEGIN
	EXECUTE format('SELECT template_version FROM %s.setting', schema::regnamespace) INTO template;
	-- none: it is being created, or restored
	RETURN coalesce(template, @extschema@._template_version());
END
$body$;

COMMENT ON FUNCTION _funnel_template(oid) IS
'the template of the funnel in a schema';

-- The tables and views of a funnel, since which template.  drop_funnel() takes
-- anything else in the schema for the user's; a test compares this with what
-- create_funnel() creates.
CREATE FUNCTION _template_relations() RETURNS TABLE (since integer, names name[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	VALUES
		(1, '{
			setting,kind,source,list,element,question,stage,calendar,holiday,side,definition,transition,rule,reason,
			message,content,definition_log,
			account,lead,lead_alias,activity,baseline,answer,verdict,stage_history,departure,journey,signature,deal,deal_contact,spend,
			milestone_entry,won_deal,lead_journey,stage_stay,stage_velocity,
			funnel,funnel_monthly,mql_to_sql,sql_conversion,sql_velocity,cost_per_sql,sql_revenue,
			lead_now,inbox,hand_over,sla,rejection,agreement,
			open_question,account_qualification,verdict_pair,verdict_agreement,disputed_lead,
			detached_lead}'::name[]),
		(2, '{target,monthly_spend,attribution,attribution_summary,cost_per_stage,source_performance,pipeline,lead_worth,pareto,
			lead_velocity_rate,sales_velocity,forecast,target_attainment,
			waterfall,sla_by_owner,ideal_profile,look_alike,
			conversion,bottleneck,funnel_weekly,stuck,readiness}');
END;

COMMENT ON FUNCTION _template_relations() IS
'names of the tables and views that create_funnel() and detach_funnel() create, a row a template that brought some';

CREATE FUNCTION _funnel_relations(template integer) RETURNS name[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT pg_catalog.array_agg(n.name ORDER BY r.since, n.position)
	FROM _template_relations() AS r
	CROSS JOIN LATERAL unnest(r.names) WITH ORDINALITY AS n (name, position)
	WHERE r.since <= template;
END;

COMMENT ON FUNCTION _funnel_relations(integer) IS
'names of the tables and views that a funnel of that template has';
