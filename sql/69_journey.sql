--
-- The journey: one row a unit (lead and cycle)
--
-- It is kept beside the history, move by move, and is a function of the
-- history, the departures and the log: _journey_query() says which.
--

-- The columns after lead_id and cycle, each once: its type, what it is of the
-- unit's moves (m) in the query below, and what it means.
CREATE FUNCTION _journey_columns() RETURNS TABLE (name text, type text, derived text, meaning text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT 'started_at', 'timestamptz NOT NULL', 'min(m.entered_at)', 'when the unit began'
	UNION ALL
	(SELECT format('%s_at', e.milestone), 'timestamptz', format('min(m.entered_at) FILTER (WHERE m.milestone = %L)', e.milestone),
			format('when it first entered a stage of milestone %s', e.milestone)
	 FROM unnest(@extschema@._milestones()) WITH ORDINALITY AS e (milestone, place)
	 ORDER BY e.place)
	UNION ALL
	VALUES
		('exited_at', 'timestamptz', 'max(m.entered_at) FILTER (WHERE m.is_exit)',
		 'when it left the path for nurture, disqualified or lost, not to come back in this cycle; NULL: it did not, or was a customer before'),
		('gone_at', 'timestamptz', NULL, 'when the lead was deleted, erased or merged'),
		('due_at', 'timestamptz', 'max(m.due_at) FILTER (WHERE m.is_entry AND m.milestone = ''mql'')',
		 'deadline of the hand-over: that of the move to mql'),
		('accepted_at', 'timestamptz', 'min(m.entered_at) FILTER (WHERE m.accepts)',
		 'when the hand-over was accepted: the first move after that to mql to a stage of milestone sal that was not automatic, or to sql, opportunity or customer'),
		('first_touch_at', 'timestamptz', NULL,
		 'first activity of party sales at or after the hand-over, before the next cycle'),
		('first_conversation_at', 'timestamptz', NULL,
		 'first of these that is a conversation'),
		('account_id', 'bigint', 'max(m.account_id) FILTER (WHERE m.n = 1)', 'account as the unit began'),
		('version', 'integer', 'max(m.version) FILTER (WHERE m.n = 1)', 'version of the definition in force as the unit began'),
		('mql_version', 'integer', 'max(m.version) FILTER (WHERE m.is_entry AND m.milestone = ''mql'')',
		 'version of the definition in force when it entered mql'),
		('sql_version', 'integer', 'max(m.version) FILTER (WHERE m.is_entry AND m.milestone = ''sql'')',
		 'version of the definition in force when it entered sql'),
		('exit_automatic', 'boolean', 'bool_or(m.automatic) FILTER (WHERE m.is_exit)', 'whether it left by itself'),
		('exit', 'text', 'max(m.milestone) FILTER (WHERE m.is_exit)', 'milestone that it left the path for'),
		('exit_reason', 'text', 'max(m.reason) FILTER (WHERE m.is_exit)', 'reason given for that'),
		('exit_owner', 'text', 'max(m.owner) FILTER (WHERE m.is_exit)', 'owner of the lead then'),
		('source', 'text', 'max(m.source) FILTER (WHERE m.n = 1)', 'source as the unit began'),
		('campaign', 'text', 'max(m.campaign) FILTER (WHERE m.n = 1)', 'campaign as the unit began'),
		('owner', 'text', 'max(m.owner) FILTER (WHERE m.n = 1)', 'owner as the unit began'),
		('definition', 'text', 'max(m.definition) FILTER (WHERE m.n = 1)', 'definition in force as the unit began'),
		('mql_stage', 'text', 'max(m.stage) FILTER (WHERE m.is_entry AND m.milestone = ''mql'')', 'stage that it was handed over in'),
		('accepted_owner', 'text',
		 '(pg_catalog.array_agg(m.owner ORDER BY m.n) FILTER (WHERE m.accepts))[1]', 'owner of the lead when the hand-over was accepted')
	UNION ALL
	(SELECT format('%s_%s', e.milestone, c.name), c.type,
			format('max(m.%I) FILTER (WHERE m.is_entry AND m.milestone = %L)', c.name, e.milestone),
			format('%s when it first entered %s', c.meaning, e.milestone)
	 FROM unnest(@extschema@._milestones()) WITH ORDINALITY AS e (milestone, place)
	 CROSS JOIN (VALUES
		 (1, 'account_id', 'bigint', 'account'),
		 (2, 'source', 'text', 'source'),
		 (3, 'campaign', 'text', 'campaign'),
		 (4, 'owner', 'text', 'owner'),
		 (5, 'definition', 'text', 'definition in force')) AS c (place, name, type, meaning)
	 WHERE c.place <= 2 OR e.milestone IN ('mql', 'sql')
	 ORDER BY c.place, e.place)
$body$;

COMMENT ON FUNCTION _journey_columns() IS
'the columns of table journey after its key: name, type, what they are of a unit''s moves (NULL: they are from elsewhere), and meaning';

-- Plans have not taken place.  The code reads this text, too, under a path that
-- has the funnel's schema.
CREATE FUNCTION _sales_log_query(funnel text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN format($query$
	SELECT a.lead_id, a.occurred_at::timestamptz AS at, k.conversation
	FROM %1$I.activity AS a
	JOIN %1$I.kind AS k ON k.kind = a.kind AND k.party = 'sales'
	WHERE a.occurred_at = @extschema@._counts_at(a.occurred_at::timestamptz, a.recorded_at::timestamptz) $query$, funnel);

COMMENT ON FUNCTION _sales_log_query(text) IS
'text of a query: what sales has done with leads: lead, instant, whether it was a conversation';

-- A life of a key ends with a departure: gone_at is that of the first one that
-- has seen the unit's moves.  The log is that of the present life.
CREATE FUNCTION _journey_query(funnel text, keys text[], key_type text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	wanted text := '';
	of_moves text;
	named text;
BEGIN
	IF keys IS NOT NULL THEN
		wanted := format(' AND h.lead_id IN (%s)', @extschema@._keys_query(keys, key_type));
	END IF;
	SELECT string_agg(format('%s AS %I', c.derived, c.name), ', ') FILTER (WHERE c.derived IS NOT NULL),
		   string_agg(CASE WHEN c.name LIKE 'first\_%' THEN format('least(u.kept_%1$s, t.%1$s) AS %1$I', c.name)
						   ELSE format('u.%I', c.name) END, ', ')
		INTO of_moves, named
	FROM @extschema@._journey_columns() AS c;

	RETURN format($query$
	WITH move AS (
		SELECT h.lead_id, h.cycle, h.history_id, h.entered_at, h.to_stage AS stage, st.milestone, h.automatic, h.reason,
			   h.due_at, h.source, h.campaign, h.owner, h.account_id, h.definition, h.version,
			   h.first_touch_at, h.first_conversation_at,
			   row_number() OVER unit AS n,
			   row_number() OVER visit = 1 AS is_entry,
			   -- the first of the exits that nothing but exits come after
			   st.leaves
				   AND (lag(st.leaves) OVER unit) IS NOT TRUE
				   AND count(*) FILTER (WHERE st.leaves IS NOT TRUE) OVER unit
					   = count(*) FILTER (WHERE st.leaves IS NOT TRUE) OVER (PARTITION BY h.lead_id, h.cycle)
				   AND count(*) FILTER (WHERE st.wins) OVER unit = 0 AS is_exit,
			   ((st.sal AND NOT h.automatic) OR st.far) AND count(*) FILTER (WHERE st.mql) OVER unit > 0 AS accepts
		FROM %1$I.stage_history AS h
		LEFT JOIN (SELECT stage, milestone, milestone = 'mql' AS mql, milestone = 'sal' AS sal, milestone = 'customer' AS wins,
						  @extschema@._is_exit(milestone::text) AS leaves, @extschema@._has_reached(milestone::text, 'sql'::text) AS far
				   FROM %1$I.stage) AS st ON st.stage = h.to_stage
		WHERE h.voided_at IS NULL%2$s
		WINDOW unit AS (PARTITION BY h.lead_id, h.cycle ORDER BY h.entered_at, h.ordinal, h.history_id),
			   visit AS (PARTITION BY h.lead_id, h.cycle, st.milestone ORDER BY h.entered_at, h.ordinal, h.history_id)
	), unit AS (
		SELECT m.lead_id, m.cycle, %3$s, max(m.history_id) AS last_move,
			   min(m.first_touch_at) AS kept_first_touch_at, min(m.first_conversation_at) AS kept_first_conversation_at,
			   lead(min(m.entered_at)) OVER (PARTITION BY m.lead_id ORDER BY m.cycle) AS ended_at
		FROM move AS m
		GROUP BY m.lead_id, m.cycle
	), lived AS (
		SELECT u.*, d.at[1 + pg_catalog.width_bucket(u.last_move - 1, d.last_move)] AS gone_at
		FROM unit AS u
		LEFT JOIN (%5$s) AS d ON d.lead_id = u.lead_id
	), touch AS (
		SELECT u.lead_id, u.cycle, min(l.at) AS first_touch_at,
			   min(l.at) FILTER (WHERE l.conversation) AS first_conversation_at
		FROM lived AS u
		JOIN (%6$s) AS l ON l.lead_id = u.lead_id AND l.at >= u.mql_at AND l.at < coalesce(u.ended_at, 'infinity')
		WHERE u.gone_at IS NULL
		GROUP BY u.lead_id, u.cycle
	)
	SELECT u.lead_id, u.cycle, %4$s
	FROM lived AS u
	LEFT JOIN touch AS t ON t.lead_id = u.lead_id AND t.cycle = u.cycle $query$,
		funnel, wanted, of_moves, named, @extschema@._departures_query(funnel, keys, key_type), @extschema@._sales_log_query(funnel));
END
$body$;

COMMENT ON FUNCTION _journey_query(text, text[], text) IS
'text of a query: table journey of a funnel, or its rows of the leads with these keys, as history, departures and log say';

-- What is as it should be is not written.
CREATE FUNCTION _rebuild_journey(funnel text, keys text[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	changed bigint;
BEGIN
	EXECUTE (SELECT format($query$
		WITH wanted AS MATERIALIZED (%2$s), changed AS MATERIALIZED (
			SELECT w.*
			FROM wanted AS w
			LEFT JOIN %1$I.journey AS j ON j.lead_id = w.lead_id AND j.cycle = w.cycle
			WHERE j.lead_id IS NULL OR (%3$s) IS DISTINCT FROM (%4$s)
		), stale AS (
			DELETE FROM %1$I.journey AS j
			WHERE %6$s NOT EXISTS (SELECT FROM wanted AS w WHERE w.lead_id = j.lead_id AND w.cycle = j.cycle)
			RETURNING j.lead_id
		), written AS (
			INSERT INTO %1$I.journey (lead_id, cycle, %5$s)
			SELECT w.lead_id, w.cycle, %4$s FROM changed AS w
			ON CONFLICT (lead_id, cycle) DO UPDATE SET (%5$s) = (SELECT %7$s)
			RETURNING lead_id
		)
		SELECT (SELECT count(*) FROM stale) + (SELECT count(*) FROM written) $query$,
		funnel, @extschema@._journey_query(funnel, keys, k.key_type::text),
		string_agg(format('j.%I', c.name), ', '), string_agg(format('w.%I', c.name), ', '),
		string_agg(quote_ident(c.name), ', '),
		CASE WHEN keys IS NOT NULL
			 THEN format('j.lead_id IN (%s) AND', @extschema@._keys_query(keys, k.key_type::text)) ELSE '' END,
		string_agg(format('excluded.%I', c.name), ', '))
		FROM @extschema@._journey_columns() AS c)
		INTO changed;
	RETURN changed;
END
$body$;

COMMENT ON FUNCTION _rebuild_journey(text, text[]) IS
'makes table journey of a funnel anew, or its rows of the leads with these keys; returns how many rows changed';
