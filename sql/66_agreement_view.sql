--
-- View of a funnel: what marketing and sales agreed on
--
-- The document of the hand-over is not written beside the rules, it is the
-- rules, in the order in which people read them.  Notes and descriptions of
-- rules and transitions are not in it: nothing keeps them true when the rules
-- change.
--
CREATE FUNCTION _create_agreement_view() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $template$
BEGIN
	CREATE OR REPLACE VIEW agreement WITH (security_invoker = true) AS
	WITH d AS (
		SELECT * FROM definition WHERE status = 'active'
	), line AS (
		SELECT 1 AS rank, 'definition'::text AS section, v.n AS ordinal,
			   0 AS subordinal, v.text AS text
		FROM d
		CROSS JOIN LATERAL (VALUES
			(1, format('Definition "%s", version %s', d.definition, d.version)),
			(2, coalesce('To be reviewed by ' || d.review_by, 'No day of review is set')),
			(3, 'Fit counts for ' || trim_scale(d.max_fit) || ' points at most'),
			(4, 'Engagement counts for ' || trim_scale(d.max_engagement) || ' points at most'),
			(5, 'A score is never below ' || trim_scale(d.floor))
		) AS v (n, text)
		WHERE v.text IS NOT NULL
		UNION ALL
		SELECT 2 AS rank, 'stages'::text AS section, s.position AS ordinal,
			   0 AS subordinal,
			   format('%s (%s)%s', s.stage, concat_ws(', ', upper(s.milestone),
					  CASE WHEN s.owner_role <> 'none' THEN s.owner_role END), ': ' || s.description) AS text
		FROM stage s
		UNION ALL
		SELECT 3 AS rank, 'criteria'::text AS section, t.position AS ordinal,
			   t.transition_id AS subordinal,
			   format('%s -> %s%s%s', coalesce(t.from_stage, '(new)'), t.to_stage,
					  CASE WHEN t.automatic THEN ', by itself'
						   WHEN t.exception THEN ', as an exception'
						   ELSE ', on request' END,
					  ': ' || NULLIF(concat_ws('; ',
								'if ' || t.condition,
								CASE WHEN t.after IS NOT NULL
									 THEN format('after %s', t.after) END,
								CASE WHEN t.needs_reason THEN 'with a reason' END,
								'for reason ' || t.reason,
								CASE WHEN cardinality(t.sides) > 0
									 THEN 'signed by ' || array_to_string(t.sides, ' and ') END), '')) AS text
		FROM transition t
		JOIN d ON d.definition = t.definition
		UNION ALL
		SELECT 4 AS rank, 'points'::text AS section, CASE r.axis WHEN 'fit' THEN 1 ELSE 2 END AS ordinal,
			   r.rule_id AS subordinal,
			   format('%s %s: %s%s%s%s%s%s', r.axis, r.name,
					  CASE WHEN r.points > 0 THEN '+' ELSE '' END || trim_scale(r.points),
					  CASE WHEN r.half_life IS NOT NULL
						   THEN format(', half of it after %s', r.half_life) ELSE '' END,
					  CASE WHEN r.max_points IS NOT NULL
						   THEN format(', at most %s', trim_scale(r.max_points)) ELSE '' END,
					  CASE WHEN r.max_hits IS NOT NULL
						   THEN format(', %s times at most%s', r.max_hits, ' in ' || r.per) ELSE '' END,
					  CASE r.kind WHEN '*' THEN ' for any activity'
								  ELSE coalesce(' for ' || r.kind, '') END,
					  ' if ' || r.condition) AS text
		FROM rule r
		JOIN d ON d.definition = r.definition
		WHERE r.enabled
		UNION ALL
		SELECT 5 AS rank, 'passed on'::text AS section, a.attnum AS ordinal,
			   0 AS subordinal,
			   a.attname || coalesce(': ' || col_description(a.attrelid, a.attnum), '') AS text
		FROM pg_attribute a
		WHERE a.attrelid = 'lead'::regclass AND a.attnum > 0 AND NOT a.attisdropped
			  AND coalesce(col_description(a.attrelid, a.attnum), '')
				  !~ '(kept by triggers|then cleared)$'
		UNION ALL
		SELECT 6 AS rank, 'deadlines'::text AS section, s.position AS ordinal,
			   0 AS subordinal,
			   format('%s: %s within %s', s.stage,
					  CASE s.milestone WHEN 'mql' THEN 'sales accepts or returns it'
						  ELSE 'the next move' END, s.sla)
			   || CASE WHEN s.working_time THEN ' of working time' ELSE '' END AS text
		FROM stage s
		WHERE s.sla IS NOT NULL
		UNION ALL
		SELECT 7 AS rank, 'reasons'::text AS section, coalesce(s.position, 0) AS ordinal,
			   r.position AS subordinal,
			   format('%s: %s', r.applies_to, coalesce(r.label, r.reason)) AS text
		FROM reason r
		LEFT JOIN stage s ON s.stage = r.applies_to
		UNION ALL
		SELECT 8 AS rank, 'signatures'::text AS section, 1 AS ordinal,
			   0 AS subordinal, v.text AS text
		FROM d
		CROSS JOIN LATERAL (VALUES
			(format('asked of: %s', CASE WHEN cardinality(d.sides) > 0
										 THEN array_to_string(d.sides, ', ') ELSE 'nobody' END)),
			('agreed by marketing: ' || coalesce(d.agreed_by_marketing, 'nobody yet')),
			('agreed by sales: ' || coalesce(d.agreed_by_sales, 'nobody yet'))
		) AS v (text)
		UNION ALL
		SELECT 8 AS rank, 'signatures'::text AS section, 1 AS ordinal,
			   0 AS subordinal,
			   'not signed as it is now: ' || string_agg(a.side, ', ' ORDER BY a.position) AS text
		FROM d
		CROSS JOIN LATERAL unnest(d.sides) WITH ORDINALITY AS a (side, position)
		WHERE NOT EXISTS (SELECT
						  FROM pg_class AS c
						  JOIN pg_namespace AS n ON n.oid = c.relnamespace
						  CROSS JOIN LATERAL _signers(n.nspname::text, d.definition) AS s
						  WHERE c.oid = 'definition'::regclass AND s.side = a.side)
		HAVING count(*) > 0
		UNION ALL
		SELECT 8 AS rank, 'signatures'::text AS section, 2 AS ordinal,
			   g.signature_id AS subordinal,
			   format('%s for %s, version %s, on %s', g.signed_by, g.side, g.version,
					  (g.signed_at AT TIME ZONE (SELECT time_zone FROM setting))::date) AS text
		FROM signature g
		JOIN d ON d.definition = g.definition
	)
	SELECT line.section AS section,
		   row_number() OVER (PARTITION BY line.rank
							  ORDER BY line.ordinal, line.subordinal, line.text) AS position,
		   line.text AS text
	FROM line
	ORDER BY line.rank, position;

	PERFORM @extschema@._comment_view('agreement'::text, '
The service level agreement of the hand-over, read from the rows that are in force: the active definition with version, day of review, caps and floor, the stages and who works on them, the criteria of every move, what gives points and when, which columns of a lead are passed on (those that triggers do not keep), the deadlines, the reasons, and who signed which version. Notes and descriptions are left out, but for those of stages: they are nobody''s rules. One row per line, in reading order.
section: part of the document: definition, stages, criteria, points, passed on, deadlines, reasons, signatures
position: order of the line within the section
text: the line
'::text);
END
$template$;

COMMENT ON FUNCTION _create_agreement_view() IS
'creates the view that tells what marketing and sales agreed on; called by _create_funnel_views()';
