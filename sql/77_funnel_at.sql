--
-- The funnel as it was
--
CREATE FUNCTION funnel_at(funnel text, at timestamptz)
RETURNS TABLE ("position" bigint, milestone text, reached bigint, leads bigint, accounts bigint, in_it_then bigint,
			   previous_milestone text, previous_reached bigint, from_previous bigint, rate_from_previous numeric,
			   first_milestone text, first_reached bigint, from_first bigint, rate_from_first numeric,
			   skipped bigint, unused boolean, bar text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	entries text;
BEGIN
	PERFORM @extschema@._funnel_schema(funnel);
	IF at IS NULL THEN
		RAISE EXCEPTION 'the instant must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT string_agg(format('min(m.entered_at) FILTER (WHERE m.milestone = %1$L) AS %2$I, '
							 '(pg_catalog.array_agg(m.account_id ORDER BY m.entered_at, m.ordinal, m.history_id) FILTER (WHERE m.milestone = %1$L))[1] AS %3$I',
							 e, e || '_at', e || '_account_id'), ', ')
		INTO entries
	FROM unnest(@extschema@._milestones()) AS e
	WHERE NOT @extschema@._is_exit(e::text);

	RETURN QUERY EXECUTE format($query$
		WITH move AS MATERIALIZED (
			SELECT h.lead_id, h.cycle, h.history_id, h.entered_at, h.ordinal, h.to_stage, h.account_id, st.milestone
			FROM %1$I.stage_history AS h
			LEFT JOIN %1$I.stage AS st ON st.stage = h.to_stage
			WHERE h.entered_at <= $1 AND (h.voided_at IS NULL OR h.voided_at > $1)
				  AND NOT EXISTS (SELECT FROM %1$I.departure AS d WHERE d.lead_id = h.lead_id AND d.last_move >= h.history_id AND d.at <= $1)
		), unit_then AS MATERIALIZED (
			SELECT m.lead_id, m.cycle, %2$s FROM move AS m GROUP BY m.lead_id, m.cycle
		), last_move AS (
			SELECT DISTINCT ON (m.lead_id) m.to_stage AS stage FROM move AS m
			ORDER BY m.lead_id, m.cycle DESC, m.entered_at DESC, m.ordinal DESC, m.history_id DESC
		)
		SELECT t.position, t.milestone, t.reached, t.leads, t.accounts, t.in_it_now, t.previous_milestone, t.previous_reached, t.from_previous,
			   t.rate_from_previous, t.first_milestone, t.first_reached, t.from_first, t.rate_from_first, t.skipped, t.unused, t.bar
		FROM (%3$s) AS t $query$,
		funnel, entries,
		@extschema@._funnel_query('unit_then'::text, 'SELECT stage, count(*) AS leads FROM last_move GROUP BY stage'::text,
								'SELECT NULL::text AS milestone, 0::bigint AS deals, 0::numeric AS amount'::text, format('%I.', funnel)))
		USING at;
END
$body$;

COMMENT ON FUNCTION funnel_at(text, timestamptz) IS
'view funnel as it was at an instant: of the moves entered by then, and not voided by then, of leads that had not gone (deleted, erased, merged) by then. in_it_then: leads that were in stages of the milestone. All else is as the view counts it. Stages and what they mean are today''s; so are deals, which are left out here, spend and policy. Leads that were merged since are one, and what was imported since for then counts. To set lead_qual.clock back does not give the past: moves since then stay';
