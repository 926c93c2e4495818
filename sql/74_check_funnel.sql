--
-- Is all well with a funnel?
--

CREATE FUNCTION _check_policy(funnel text, deep boolean, OUT finding text, OUT severity text,
							  OUT object text, OUT n bigint, OUT detail text, OUT hint text)
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _check_policy(text, boolean) IS
'findings of check_funnel() on conditions and, if deep, scorecards';

CREATE FUNCTION _odd_leads(funnel text, deep boolean, OUT moves text[], OUT stage text[],
						   OUT deals text[], OUT card text[], OUT counts text[])
RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _odd_leads(text, boolean) IS
'keys of the leads that check_funnel() has to look at closely, NULL: all; the others are well as far as their moves and units, their stage, their deals and stage, the version of their card, and how their deals are counted go; if deep, first touches are sought in the log, and deals counted';

CREATE FUNCTION _is_among(key text, keys text[], key_type text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN keys IS NULL THEN 'true' WHEN keys = '{}' THEN 'false'
			ELSE format('%s OPERATOR(pg_catalog.=) ANY (%L::%s[])', key, keys, key_type) END;

COMMENT ON FUNCTION _is_among(text, text[], text) IS
'text of a condition: it is one of these keys of leads, or keys is NULL';

-- Triggers that are missing, disabled or do not fire where they should; and
-- what else the catalogs tell.
CREATE FUNCTION _check_triggers(schema oid, OUT finding text, OUT severity text,
								OUT object text, OUT n bigint, OUT detail text, OUT hint text)
RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH funnel_trigger AS (
		SELECT f.* FROM _funnel_triggers(schema) AS f
	), expected AS (
		SELECT CASE WHEN f.by_own_name THEN 'partition' ELSE 'table' END AS place, f.relid AS place_id,
			   CASE WHEN f.by_own_name THEN c.relname ELSE f.relation END AS place_name, f.*
		FROM funnel_trigger AS f
		LEFT JOIN pg_class AS c ON c.oid = f.relid
		UNION ALL
		-- partitions of the leads have theirs, which may be disabled by themselves
		SELECT 'lead', tree.relid, c.relname, f.*
		FROM funnel_trigger AS f, pg_partition_tree(f.relid) AS tree
		JOIN pg_class AS c ON c.oid = tree.relid
		WHERE f.relation = 'lead' AND f.level = 'ROW' AND tree.level > 0
	), found AS (
		SELECT e.*, t.oid, t.tgname, t.tgenabled, t.tgparentid,
			   CASE WHEN t.tgnargs > 0 THEN trim('\x00'::bytea FROM t.tgargs) END AS funnel
		FROM expected AS e
		LEFT JOIN pg_trigger AS t ON t.tgrelid = e.place_id AND t.tgfoid = e.function AND t.tgtype = e.type
			AND t.tgdeferrable = e.is_deferrable AND NOT t.tginitdeferred AND NOT t.tgisinternal
			AND (t.tgoldtable IS NOT NULL OR NOT e.old_rows) AND (t.tgnewtable IS NOT NULL OR NOT e.new_rows)
			-- neither WHEN nor UPDATE OF keeps it from firing
			AND t.tgqual IS NULL AND cardinality(t.tgattr::smallint[]) = 0
	)
	SELECT 'trigger_missing', 'error', format('%I.%I', f.place_name, f.trigger), 1::bigint,
		   format('No trigger of table "%s" executes %s() %s %s.', f.place_name, p.proname, f.timing, f.events),
		   CASE WHEN EXISTS (SELECT FROM pg_trigger AS taken WHERE taken.tgrelid = f.place_id AND taken.tgname = f.trigger)
				THEN 'Rename or drop the trigger that has its name, then call repair_funnel() and rescore_funnel().'
				ELSE 'Call repair_funnel(), then rescore_funnel().' END
	FROM found AS f
	JOIN pg_proc AS p ON p.oid = f.function
	WHERE f.place <> 'partition' AND f.oid IS NULL
	UNION ALL
	SELECT 'trigger_disabled', 'error', format('%I.%I', f.place_name, f.tgname), 1,
		   CASE WHEN f.tgenabled = 'R' THEN 'It fires on a replica only.'
				WHEN f.tgenabled = 'O' THEN 'It does not fire on a replica.'
				ELSE 'It is disabled.' END,
		   format('ALTER TABLE %s ENABLE %sTRIGGER %I', f.place_id::regclass,
				  CASE WHEN f.enabled = 'A' THEN 'ALWAYS ' ELSE '' END, f.tgname)
	FROM found AS f
	WHERE f.place <> 'partition' AND (f.tgenabled IN ('D', 'R') OR (f.enabled = 'A' AND f.tgenabled <> 'A'))
	UNION ALL
	SELECT 'trigger_misdirected', 'error', format('%I.%I', f.place_name, f.tgname), 1,
		   format('It names funnel "%s", whose schema has another name now or is gone.', encode(f.funnel, 'escape')),
		   'CREATE OR REPLACE' || substr(_trigger_statement(f.place_id, f.relation, f.trigger, _funnel_template(schema), n.nspname::text), length('CREATE') + 1)
	FROM found AS f
	JOIN pg_namespace AS n ON n.oid = schema
	WHERE f.place <> 'partition' AND f.tgparentid = 0 AND f.funnel <> convert_to(n.nspname, getdatabaseencoding())
	UNION ALL
	SELECT 'partition_without_triggers', CASE WHEN bool_and(e.events = 'TRUNCATE') THEN 'warning' ELSE 'error' END,
		   e.place_id::regclass::text, count(*),
		   format('%s of this partition by its own name would go past the funnel.',
				  string_agg(e.events, ', ' ORDER BY e.type)),
		   format('Call repair_funnel(), which creates on it the triggers that table "%s" has.', e.relation)
	FROM expected AS e
	WHERE e.place = 'partition'
	AND NOT EXISTS (SELECT FROM found AS f
					WHERE f.place_id = e.place_id AND f.trigger = e.trigger AND f.tgenabled IN ('O', 'A'))
	GROUP BY e.place_id, e.relation
	UNION ALL
	SELECT 'row_security_bypassed', 'error', format('%I.lead', l.relnamespace::regnamespace), 1,
		   format('Who reads the view sees all rows of table "%s".', c.oid::regclass),
		   format('ALTER VIEW %s SET (security_invoker = true), and grant its readers SELECT on the whole table.', l.oid::regclass)
	FROM pg_class AS l
	JOIN pg_class AS c ON c.oid = _lead_table(schema)
	WHERE l.relnamespace = schema AND l.relname = 'lead' AND l.relkind = 'v' AND c.relrowsecurity
	AND NOT EXISTS (SELECT FROM unnest(l.reloptions) AS o WHERE o ~ '^security_invoker=(t|true|on|y|yes|1)$')
	UNION ALL
	SELECT 'row_policy_missing', 'warning', c.oid::regclass::text, count(*),
		   format('Rows about leads that it hides are open in: %s.', string_agg(r.relname::text, ', ' ORDER BY r.relname::text)),
		   'ALTER TABLE ... ENABLE ROW LEVEL SECURITY, with CREATE POLICY ... USING (EXISTS (SELECT FROM lead AS l '
		   'WHERE l.lead_id = ...lead_id)), on each of them: views and facts follow.'
	FROM pg_class AS c
	JOIN pg_class AS r ON r.relnamespace = schema AND r.relkind IN ('r', 'p')
		AND NOT r.relrowsecurity AND NOT r.relispartition AND r.oid <> c.oid
	JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attname = 'lead_id' AND NOT a.attisdropped
	WHERE c.oid = _lead_table(schema) AND c.relrowsecurity
	GROUP BY c.oid
	UNION ALL
	SELECT 'trigger_search_path', 'warning', format('%s.%I', t.tgrelid::regclass, t.tgname), 1,
		   format('Function %s sets no search_path, and the funnel''s own updates fire it under one that has no schema of yours.',
				  p.oid::regprocedure),
		   format('ALTER FUNCTION %s SET search_path = ...', p.oid::regprocedure)
	FROM pg_class AS c
	JOIN pg_trigger AS t ON t.tgrelid = c.oid
	JOIN pg_proc AS p ON p.oid = t.tgfoid
	JOIN pg_language AS l ON l.oid = p.prolang
	WHERE c.oid = _lead_table(schema) AND c.relnamespace <> schema
	AND NOT t.tgisinternal AND l.lanname NOT IN ('c', 'internal')
	AND p.oid NOT IN (SELECT f.function FROM funnel_trigger AS f)
	AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS s WHERE starts_with(s, 'search_path='))
	UNION ALL
	SELECT DISTINCT 'partition_elsewhere', 'error', e.place_id::regclass::text, 1,
		   'Triggers find the funnel by the schema of the table that they are fired on.',
		   format('ALTER TABLE %s SET SCHEMA %I', e.place_id::regclass, (SELECT nspname FROM pg_namespace WHERE oid = schema))
	FROM expected AS e
	JOIN pg_class AS c ON c.oid = e.place_id
	WHERE e.place = 'partition' AND e.relation <> 'lead' AND c.relnamespace <> schema;
END;

COMMENT ON FUNCTION _check_triggers(oid) IS
'findings of check_funnel() on triggers';

CREATE FUNCTION check_funnel(funnel text, deep boolean DEFAULT true)
RETURNS TABLE (finding text, severity text, object text, n bigint, detail text, hint text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	k constant record := @extschema@._funnel_key(funnel);
	template constant integer := @extschema@._template_version();
	-- the keys of some of the leads l, as text
	named constant text := format('(array_agg(l.%1$I::text ORDER BY l.%1$I))[:5]', k.key);
	key_column constant text := format('l.%I', k.key);
	odd record;
	moves record;
BEGIN
	PERFORM @extschema@._require_funnel_owner(schema, 'check_funnel'::text);

	--
	-- Policy
	--
	RETURN QUERY EXECUTE format($query$
		SELECT 'no_active_definition', 'error', 'definition', count(*),
			   'Nothing is scored and nothing moves.',
			   'Call activate_definition() for the one agreed on.'
		FROM %1$I.definition WHERE status = 'active'
		HAVING count(*) <> 1
		UNION ALL
		SELECT 'definition_review_due', 'info', definition, 1,
			   format('It was to be reviewed by %%s.', review_by),
			   'Agree on it again and set review_by.'
		FROM %1$I.definition WHERE status = 'active' AND review_by < @extschema@.funnel_now()::date
		UNION ALL
		SELECT 'no_working_time', 'warning', 'stage', count(*),
			   'The calendar has no hours: deadlines in working time go by the clock on the wall.',
			   'Insert hours into table "calendar".'
		FROM %1$I.stage
		WHERE working_time AND sla IS NOT NULL AND NOT EXISTS (SELECT FROM %1$I.calendar)
		HAVING count(*) > 0
		UNION ALL
		SELECT 'side_without_role', 'warning', side, 1,
			   format('Nobody can sign for it: role "%%s" does not exist.', role),
			   'Name another one in table "side".'
		FROM %1$I.side
		WHERE role IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = role)
		UNION ALL
		-- a reason that no lead was moved for blames nothing yet
		SELECT 'reason_without_rule', 'warning', r.reason, h.n,
			   format('Leads were moved for it, and it blames rule "%%s", which the active definition lacks.', r.rule),
			   'Name another rule in column rule of table "reason", or set it to NULL.'
		FROM %1$I.reason AS r
		CROSS JOIN LATERAL (SELECT count(*) AS n FROM %1$I.stage_history AS h
							WHERE h.to_stage = r.applies_to AND h.reason = r.reason AND h.voided_at IS NULL) AS h
		WHERE r.rule IS NOT NULL
		AND NOT EXISTS (SELECT FROM %1$I.rule AS known
						JOIN %1$I.definition AS d ON d.definition = known.definition
						WHERE d.status = 'active' AND known.name = r.rule)
		AND h.n > 0
		UNION ALL
		SELECT 'definition_unsigned', 'warning', d.definition, cardinality(unsigned.sides),
			   format('These sides have not signed it as it is now: %%s.', array_to_string(unsigned.sides, ', ')),
			   'Members of their roles call sign_definition().'
		FROM %1$I.definition AS d
		CROSS JOIN LATERAL
			(SELECT array_agg(a.side ORDER BY a.position) AS sides
			 FROM unnest(d.sides) WITH ORDINALITY AS a (side, position)
			 WHERE NOT EXISTS (SELECT FROM @extschema@._signers(%1$L::text, d.definition) AS s
							   WHERE s.side = a.side)) AS unsigned
		WHERE d.status = 'active' AND unsigned.sides IS NOT NULL
		UNION ALL
		SELECT 'template_outdated', 'warning', 'setting', 1,
			   format('The funnel is of template %%s, the extension makes funnels of template %%s.', template_version, $1),
			   CASE WHEN template_version < $1 THEN format('Call upgrade_funnel(%%L).', %1$L::text)
					ELSE 'Run ALTER EXTENSION lead_qual UPDATE.' END
		FROM %1$I.setting WHERE template_version <> $1
		$query$, funnel) USING template;
	RETURN QUERY SELECT * FROM @extschema@._check_triggers(schema);
	RETURN QUERY SELECT * FROM @extschema@._check_policy(funnel, coalesce(deep, true));

	--
	-- Leads and their history
	--
	-- one pass over all, and queries over the leads that it does not pass
	SELECT * INTO odd FROM @extschema@._odd_leads(funnel, coalesce(deep, true));
	IF odd.stage IS NULL OR odd.stage <> '{}' THEN
		RETURN QUERY EXECUTE format($query$
			SELECT 'unknown_stage', 'error', l.stage, count(*),
				   'Leads ' || array_to_string(%3$s, ', ') || ': no transition leads out of it.',
				   'Add the stage to table "stage", or correct the leads under lead_qual.import.'
			FROM %2$s AS l
			WHERE %4$s AND NOT EXISTS (SELECT FROM %1$I.stage AS s WHERE s.stage = l.stage)
			GROUP BY l.stage
			$query$, funnel, k.leads, named, @extschema@._is_among(key_column, odd.stage, k.key_type::text));
	END IF;

	IF odd.moves IS NULL OR odd.moves <> '{}' THEN
		EXECUTE format($query$
			SELECT (SELECT count(*) FROM %2$s AS l WHERE %5$s) - count(l.stage) AS n_missing,
				   count(*) FILTER (WHERE a.astray) AS n_astray,
				   (array_agg(l.%3$I::text ORDER BY l.%3$I) FILTER (WHERE a.astray))[:5] AS astray,
				   count(*) FILTER (WHERE w.differs) AS n_other,
				   (array_agg(w.history_id ORDER BY w.history_id) FILTER (WHERE w.differs))[:5] AS other,
				   count(*) FILTER (WHERE b.backwards) AS n_back,
				   (array_agg(w.history_id ORDER BY w.history_id) FILTER (WHERE b.backwards))[:5] AS back
			FROM (%4$s) AS w
			CROSS JOIN %1$I.setting AS s
			LEFT JOIN %2$s AS l ON w.is_last AND l.%3$I = w.lead_id
			CROSS JOIN LATERAL (SELECT l.stage <> w.to_stage OR l.cycle <> w.cycle) AS a (astray)
			-- loaded moves that hardly happened so: back on the path; to the path
			-- from its end, first of all; or from a date to a time on that day
			CROSS JOIN LATERAL (SELECT w.loaded AND NOT w.repeats AND w.left_place > w.place
								AND NOT @extschema@._is_exit(w.milestone::text)
								AND ((@extschema@._is_on_path(w.milestone::text) AND
									  (@extschema@._is_on_path(w.left_milestone::text) OR
									   (w.begun = 1 AND NOT @extschema@._is_on_path(w.first_milestone::text) AND w.left_milestone <> 'nurture'))) OR
									 (w.left_at < w.entered_at AND
									  w.left_at AT TIME ZONE s.time_zone = date_trunc('day', w.entered_at AT TIME ZONE s.time_zone)))) AS b (backwards)
			$query$, funnel, k.leads, k.key, @extschema@._history_query(funnel, odd.moves, k.key_type::text),
			@extschema@._is_among(key_column, odd.moves, k.key_type::text)) INTO moves;
		IF moves.n_missing > 0 THEN
			RETURN QUERY EXECUTE format($query$
				SELECT 'history_missing', 'error', 'stage_history', count(*),
					   'Leads ' || array_to_string(%4$s, ', ') || '.',
					   'Call rebuild_history().'
				FROM %2$s AS l
				WHERE NOT EXISTS (SELECT FROM %1$I.stage_history AS h
								  WHERE h.lead_id = l.%3$I AND h.voided_at IS NULL
								  AND NOT EXISTS (SELECT FROM %1$I.departure AS d
												  WHERE d.lead_id = h.lead_id AND d.last_move >= h.history_id))
				HAVING count(*) > 0
				$query$, funnel, k.leads, k.key, named);
		END IF;
		RETURN QUERY
			SELECT f.finding, f.severity, f.object, f.n, f.what || f.is_wrong, f.hint
			FROM (VALUES
				('stage_differs', 'error', 'lead', moves.n_astray, 'Leads ' || array_to_string(moves.astray, ', '),
				 ': stage or cycle is not that of their last move.',
				 'Call rebuild_history(), which goes by the history.'),
				('history_order', 'error', 'stage_history', moves.n_other, 'Rows ' || array_to_string(moves.other, ', '),
				 ': place, from_stage or cycle is not what the rows before say, or the row repeats the stage that the lead was in.',
				 'Call rebuild_history().'),
				('history_backwards', 'warning', 'stage_history', moves.n_back, 'Rows ' || array_to_string(moves.back, ', '),
				 ': loaded moves that lead back on the path.',
				 'Correct their dates under lead_qual.import, or void them by void_moves(); then call rebuild_history().'))
				AS f (finding, severity, object, n, what, is_wrong, hint)
			WHERE f.n > 0;

		-- as the history is, which may be about to change
		RETURN QUERY EXECUTE format($query$
			SELECT 'journey_differs', 'error', 'journey', count(*),
				   'Leads ' || array_to_string((array_agg(DISTINCT coalesce(j.lead_id, w.lead_id)::text))[:5], ', ')
					   || ': units are not what history, departures and log say.',
				   'Call repair_funnel().'
			FROM (SELECT * FROM %1$I.journey WHERE %5$s) AS j
			FULL JOIN (%2$s) AS w ON w.lead_id = j.lead_id AND w.cycle = j.cycle
			WHERE j.lead_id IS NULL OR w.lead_id IS NULL OR (%3$s) IS DISTINCT FROM (%4$s)
			HAVING count(*) > 0
			$query$, funnel, @extschema@._journey_query(funnel, odd.moves, k.key_type::text),
			(SELECT string_agg(format('j.%I', c.name), ', ') FROM @extschema@._journey_columns() AS c),
			(SELECT string_agg(format('w.%I', c.name), ', ') FROM @extschema@._journey_columns() AS c),
			@extschema@._is_among('lead_id'::text, odd.moves, k.key_type::text));
	END IF;

	--
	-- Caps
	--
	RETURN QUERY EXECUTE format($query$
		SELECT 'threshold_out_of_reach', 'warning', format('transition %%s', o.transition), 1::bigint,
			   format('It asks for %%s >= %%s, and the caps let nobody have more than %%s.', o.quantity, o.threshold, o.most),
			   'Raise or remove the caps (max_fit, max_engagement of the definition, max_points of rules), or lower the threshold.'
		FROM %1$I.definition AS d
		CROSS JOIN LATERAL @extschema@._out_of_reach($1, d.definition::text) AS o
		WHERE d.status = 'active'
		UNION ALL
		SELECT 'leads_at_cap', 'warning', c.cap, c.n,
			   format('Of %%s leads with a scorecard, %%s stand at the cap of %%s: their points do not tell them apart any more.',
					  c.of, c.n, trim_scale(c.most)),
			   format('Raise %%s of the active definition, or set it to NULL.', c.cap)
		FROM (SELECT v.cap, count(*), count(*) FILTER (WHERE v.points >= v.most), v.most
			  FROM %1$I.definition AS d
			  JOIN %2$s AS l ON d.max_fit IS NOT NULL OR d.max_engagement IS NOT NULL
			  CROSS JOIN LATERAL (VALUES
				  ('max_fit', d.max_fit,
				   CASE WHEN d.max_fit IS NOT NULL
						THEN @extschema@.fit(l.scorecard, greatest(@extschema@.funnel_now(), @extschema@.as_of(l.scorecard))) END),
				  ('max_engagement', d.max_engagement,
				   CASE WHEN d.max_engagement IS NOT NULL
						THEN @extschema@.engagement(l.scorecard, greatest(@extschema@.funnel_now(), @extschema@.as_of(l.scorecard))) END)
			  ) AS v (cap, most, points)
			  WHERE d.status = 'active' AND v.most IS NOT NULL AND l.scorecard IS NOT NULL
			  GROUP BY v.cap, v.most) AS c (cap, of, n, most)
		WHERE 3 * c.n >= c.of AND c.n > 0
		$query$, funnel, k.leads) USING funnel;

	--
	-- What time and policy have left behind
	--
	IF odd.card IS NULL OR odd.card <> '{}' THEN
		RETURN QUERY EXECUTE format($query$
			SELECT 'card_stale', 'warning', 'lead', count(*),
				   'Leads ' || array_to_string(%3$s, ', ') || ': not scored by the active definition as it is now.',
				   'Call sweep_funnel() regularly, or rescore_funnel() once.'
			FROM %2$s AS l
			CROSS JOIN (SELECT version FROM %1$I.definition WHERE status = 'active') AS d
			WHERE %4$s AND (l.scorecard IS NULL OR @extschema@.scored_version(l.scorecard) <> d.version)
			HAVING count(*) > 0
			$query$, funnel, k.leads, named, @extschema@._is_among(key_column, odd.card, k.key_type::text));
	END IF;
	RETURN QUERY EXECUTE format($query$
		SELECT 'review_overdue', 'warning', 'lead', count(*),
			   format('The oldest was due at %%s.', min(l.review_at)),
			   'Call sweep_funnel() every few minutes.'
		FROM %2$s AS l
		WHERE l.review_at < @extschema@.funnel_now() - interval '1 hour'
		HAVING count(*) > 0
		UNION ALL
		SELECT 'deal_ahead_of_stage', 'warning', l.stage, count(*),
			   format('Leads %%s: their deals say "%%s".', array_to_string(%3$s, ', '), t.stage),
			   format('SELECT * FROM why_not(%%L, lead, %%L) tells what the transition still needs.', %5$L::text, t.stage)
		FROM %2$s AS l
		JOIN %1$I.stage AS s ON s.stage = l.stage
		-- a stage that no transition leads to is one that the funnel goes without
		JOIN (SELECT DISTINCT ON (t.milestone) t.milestone, t.stage
			  FROM %1$I.stage AS t
			  JOIN %1$I.transition AS r ON r.to_stage = t.stage
			  JOIN %1$I.definition AS d ON d.definition = r.definition AND d.status = 'active'
			  ORDER BY t.milestone, t.position, t.stage) AS t
			ON t.milestone = CASE WHEN l.deals_won > 0 THEN 'customer' WHEN l.deals_open > 0 THEN 'opportunity'
								  WHEN l.deals_lost > 0 THEN 'lost' END
		WHERE %6$s AND s.milestone <> 'customer' AND
			  CASE t.milestone
				   WHEN 'customer'
				   THEN NOT EXISTS (SELECT FROM %1$I.stage_history AS h
									JOIN %1$I.stage AS was ON was.stage = h.to_stage
									WHERE h.lead_id = l.%4$I AND h.cycle = l.cycle
									AND h.voided_at IS NULL AND was.milestone = 'customer')
				   WHEN 'opportunity' THEN s.milestone <> 'opportunity'
				   -- a lead that deals have not moved yet is not lost with them
				   ELSE @extschema@._is_on_path(s.milestone::text)
						AND @extschema@._has_reached(s.milestone::text, 'sql'::text) END
		GROUP BY l.stage, t.stage
		UNION ALL
		SELECT 'stage_ahead_of_deals', 'warning', l.stage, count(*),
			   format('Leads %%s: none of their deals says "%%s" any more.', array_to_string(%3$s, ', '), l.stage),
			   format('Correct the deals, or take the moves back: SELECT void_moves(%%L, ARRAY[%%s], ''why'').', %5$L::text,
					  array_to_string((array_agg(l.history_id ORDER BY l.%4$I))[:5], ', '))
		FROM (SELECT DISTINCT ON (l.%4$I) l.%4$I, l.stage, s.milestone, l.deals_open + l.deals_lost AS n_deals, h.history_id, h.automatic
			  FROM %2$s AS l
			  JOIN %1$I.stage AS s ON s.stage = l.stage
			  JOIN %1$I.stage_history AS h ON h.lead_id = l.%4$I AND h.to_stage = l.stage AND h.entered_at = l.stage_entered_at
			  WHERE %6$s AND l.deals_won = 0 AND s.milestone IN ('opportunity', 'customer', 'lost') AND h.voided_at IS NULL
			  ORDER BY l.%4$I, h.ordinal DESC, h.history_id DESC) AS l
		-- whom somebody moved, or an import, need not have deals that are known
		WHERE CASE l.milestone
				   WHEN 'customer' THEN l.automatic OR l.n_deals > 0
				   WHEN 'opportunity' THEN l.automatic AND l.n_deals = 0
				   WHEN 'lost' THEN l.automatic AND l.n_deals = 0
				   ELSE false END
		GROUP BY l.stage
		UNION ALL
		SELECT f.finding, 'warning', 'deal', count(*),
			   format('Won deals %%s%%s', array_to_string((array_agg(d.deal_id ORDER BY d.deal_id))[:5], ', '), f.detail), f.hint
		FROM %1$I.deal AS d
		CROSS JOIN %1$I.setting AS s
		JOIN (VALUES ('deal_unpriced', ' have no amount: revenue lacks it.', 'Set deal.amount.'),
					 ('deal_undated', ' have no close date: no month and no SQL has their revenue.', 'Set deal.closed_at.'),
					 ('deal_foreign', ' are of another currency than the funnel''s: won_amount and revenue lack them.',
					  'Set deal.home_amount.')) AS f (finding, detail, hint)
			ON CASE f.finding WHEN 'deal_unpriced' THEN d.amount IS NULL AND d.home_amount IS NULL
							  WHEN 'deal_undated' THEN d.closed_at IS NULL
							  ELSE d.amount IS NOT NULL AND d.home_amount IS NULL AND d.currency <> s.currency END
		WHERE d.status = 'won'
		GROUP BY f.finding, f.detail, f.hint
		$query$, funnel, k.leads, named, k.key, funnel,
		@extschema@._is_among(key_column, odd.deals, k.key_type::text));

	IF NOT coalesce(deep, true) THEN
		RETURN;
	END IF;

	--
	-- Facts
	--
	RETURN QUERY EXECUTE format($query$
		SELECT 'deals_differ', 'error', 'lead', count(*),
			   'Leads ' || array_to_string(%4$s, ', ') || ': deals are not counted as tables deal and deal_contact have them.',
			   'Call rebuild_history().'
		FROM %2$s AS l
		JOIN (SELECT * FROM (%5$s) AS of_all WHERE %6$s) AS d ON d.key = l.%3$I
		WHERE (l.deals_open, l.deals_won, l.deals_lost, l.won_amount)
			IS DISTINCT FROM (d.deals_open, d.deals_won, d.deals_lost, d.won_amount)
		HAVING count(*) > 0
		UNION ALL
		SELECT 'unknown_source', 'warning', s.source, sum(s.n)::bigint,
			   'Leads, activities and spending name it, and table "source" does not know it.',
			   'Add it to table "source".'
		FROM (SELECT source, count(*) AS n FROM %2$s GROUP BY source
			  UNION ALL SELECT source, count(*) FROM %1$I.spend GROUP BY source
			  UNION ALL SELECT source, count(*) FROM %1$I.activity GROUP BY source) AS s
		WHERE s.source IS NOT NULL
		AND NOT EXISTS (SELECT FROM %1$I.source AS known WHERE known.source = s.source)
		GROUP BY s.source
		UNION ALL
		SELECT 'unknown_kind', 'warning', a.kind, a.n,
			   'Only rules of any kind count such activities.',
			   'Add it to table "kind" and call rescore_funnel().'
		FROM (SELECT kind, count(*) AS n FROM %1$I.activity GROUP BY kind) AS a
		WHERE NOT EXISTS (SELECT FROM %1$I.kind AS known WHERE known.kind = a.kind)
		UNION ALL
		SELECT 'future_activity', 'warning', 'activity', count(*),
			   format('The furthest ahead is of %%s; what leads did counts as of when it was recorded, what others plan not before its row is updated after its time.',
					  max(a.occurred_at)),
			   'Does a sender''s clock run fast, or a date lack its time zone?'
		FROM %1$I.activity AS a
		WHERE a.occurred_at <> @extschema@._counts_at(a.occurred_at::timestamptz, a.recorded_at::timestamptz)
		HAVING count(*) > 0
		$query$, funnel, k.leads, k.key, named, @extschema@._deals_query(funnel, k.leads, k.key),
		@extschema@._is_among('key'::text, odd.counts, k.key_type::text));
	RETURN QUERY EXECUTE format($query$
		SELECT 'answers_differ', 'error', 'lead', count(*),
			   'Leads ' || array_to_string(%4$s, ', ') || ': %6$s or answers are not the latest of the log.',
			   'Call rebuild_history().'
		FROM %2$s AS l
		JOIN (%5$s) AS a ON a.lead_id = l.%3$I
		WHERE %7$s
		OR coalesce(a.others, l.answers) <> l.answers
		HAVING count(*) > 0
		UNION ALL
		SELECT 'account_missing', 'error', 'lead', count(*),
			   'Leads ' || array_to_string(%4$s, ', ') || ': table "account" does not have theirs.',
			   'Set account_id to NULL, and create the foreign key again.'
		FROM %2$s AS l
		WHERE l.account_id IS NOT NULL
		AND NOT EXISTS (SELECT FROM %1$I.account AS a WHERE a.account_id = l.account_id)
		HAVING count(*) > 0
		UNION ALL
		SELECT 'lead_missing', 'error', f.relation, count(*),
			   format('Of leads such as %%s, which do not exist: triggers did not fire.', min(f.lead)),
			   format('Insert the leads again, or DELETE FROM %%I.%%I WHERE lead_id NOT IN (SELECT %%I FROM %%s).',
					  %1$L::text, f.relation, %3$L::text, %2$L::text)
		FROM (SELECT 'activity', lead_id::text FROM %1$I.activity AS a
			  WHERE NOT EXISTS (SELECT FROM %2$s AS l WHERE l.%3$I = a.lead_id)
			  UNION ALL
			  SELECT 'answer', lead_id::text FROM %1$I.answer AS a
			  WHERE NOT EXISTS (SELECT FROM %2$s AS l WHERE l.%3$I = a.lead_id)
			  UNION ALL
			  SELECT 'lead_alias', lead_id::text FROM %1$I.lead_alias AS a
			  WHERE NOT EXISTS (SELECT FROM %2$s AS l WHERE l.%3$I = a.lead_id)
			  UNION ALL
			  SELECT 'verdict', lead_id::text FROM %1$I.verdict AS v
			  WHERE NOT EXISTS (SELECT FROM %2$s AS l WHERE l.%3$I = v.lead_id)
			  UNION ALL
			  SELECT 'baseline', lead_id::text FROM %1$I.baseline AS b
			  WHERE NOT EXISTS (SELECT FROM %2$s AS l WHERE l.%3$I = b.lead_id)) AS f (relation, lead)
		GROUP BY f.relation
		UNION ALL
		SELECT 'baseline_unused', 'info', r.name, count(*),
			   'Archived activities gave points by a rule that the active definition lacks.',
			   'A rule of the same name would go on with them.'
		FROM %1$I.baseline AS b
		CROSS JOIN LATERAL @extschema@.explain_score(b.scorecard, greatest(@extschema@.as_of(b.scorecard),
																		   @extschema@.funnel_now())) AS e
		JOIN %1$I.rule AS r ON r.rule_id = e.rule_id
		WHERE NOT EXISTS (SELECT FROM %1$I.rule AS heir
						JOIN %1$I.definition AS d ON d.definition = heir.definition
						WHERE d.status = 'active' AND heir.axis = 'engagement' AND
							  (heir.rule_id = e.rule_id OR heir.name = r.name))
		GROUP BY r.name
		$query$, funnel, k.leads, k.key, named, @extschema@._answers_query(funnel),
		array_to_string(@extschema@._frameworks(), ', '),
		@extschema@._each_framework('l.%1$I::jsonb || coalesce(a.levels -> %1$L, ''{}'') <> l.%1$I::jsonb'::text,
									' OR '::text));
END
$body$;

COMMENT ON FUNCTION check_funnel(text, boolean) IS
'what is wrong with a funnel, a row a finding, none where all is well; deep also weighs the log of every lead anew, seeks the first touches of units in it, and looks at deals, answers, accounts, sources and kinds';
