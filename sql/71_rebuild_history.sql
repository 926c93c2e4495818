--
-- History as it was
--
CREATE FUNCTION _keys_query(keys text[], key_type text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN format('SELECT k::%s FROM unnest(%L::text[]) AS k', key_type, keys);

COMMENT ON FUNCTION _keys_query(text[], text) IS
'text of a query: these keys of leads, of that type';

CREATE FUNCTION _departures_query(funnel text, keys text[], key_type text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN format('SELECT lead_id, pg_catalog.array_agg(last_move ORDER BY last_move, departure_id) AS last_move, '
			  'pg_catalog.array_agg(at ORDER BY last_move, departure_id) AS at FROM %I.departure%s GROUP BY lead_id', funnel,
			  CASE WHEN keys IS NOT NULL THEN format(' WHERE lead_id IN (%s)', @extschema@._keys_query(keys, key_type)) ELSE '' END);

COMMENT ON FUNCTION _departures_query(text, text[], text) IS
'text of a query: of each lead that has ever gone, or of these, the ends of its lives in order: the last move that each has seen, and when';

-- What a row of history says of the rows before it, in the order of moves:
-- by instant; of moves at one instant, those that triggers recorded (they have
-- a definition) as they were made, and those that were loaded where the path
-- has them: stage.position, exits last.  One that left a stage which was
-- loaded for that instant follows it.  What names the stage that the lead was
-- in already is no move: it repeats, and is void as long as it does; such a
-- row, from a stage to the same, is told from one that was voided by hand.
--
-- ordinal is what a reader needs to find the order again by entered_at,
-- ordinal, history_id: of loaded moves that share an instant, and of those that
-- they come after, how often history_id has stepped back in the lead's log;
-- NULL for all others, which come last at their instant.
--
-- A key has lives, which departures end: a move is of the life whose end has
-- seen it, or else of the present one.  The first move of a life begins a
-- cycle, and cycles are counted through all of them.
--
-- One sort of the history is all that most of it costs: only live moves at an
-- instant for which others were loaded have to be ranked first.
CREATE FUNCTION _history_query(funnel text, keys text[], key_type text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
-- lint: extschema, because it is in the text of a query
BEGIN ATOMIC
	WITH text_of AS (
		SELECT format('(SELECT stage, milestone, row_number() OVER (ORDER BY @extschema@._is_exit(milestone::text), position, stage) AS place '
					  'FROM %I.stage)', funnel) AS stages,
			   -- what repeats is void, but may be a move again
			   format('(SELECT h.*, coalesce(pg_catalog.width_bucket(h.history_id - 1, d.last_move), 0) AS life, '
					  'h.history_id <= d.last_move[pg_catalog.cardinality(d.last_move)] AS is_former '
					  'FROM %I.stage_history AS h LEFT JOIN (%s) AS d ON d.lead_id = h.lead_id '
					  'WHERE (h.voided_at IS NULL OR h.from_stage = h.to_stage)%s)', funnel,
					  @extschema@._departures_query(funnel, keys, key_type),
					  CASE WHEN keys IS NOT NULL THEN format(' AND h.lead_id IN (%s)', @extschema@._keys_query(keys, key_type)) ELSE '' END) AS moves
	)
	SELECT format($query$
	SELECT *, (kept_from, kept_cycle, kept_ordinal, void) IS DISTINCT FROM (from_stage, cycle, ordinal, repeats) AS differs
	FROM (
		SELECT *, coalesce(from_stage = to_stage, false) AS repeats,
			   (count(*) FILTER (WHERE left_id IS NULL OR begins) OVER log)::integer AS cycle,
			   -- cycles of this life that have begun
			   count(*) FILTER (WHERE begins) OVER life AS begun,
			   CASE WHEN placed AND (left_at = entered_at OR next_at = entered_at)
					THEN count(*) FILTER (WHERE left_at = entered_at AND left_id > history_id) OVER log
					END::integer AS ordinal
		FROM (
			SELECT *,
				   @extschema@._begins_cycle(left_milestone::text, milestone::text)
					   -- loaded before anything else it was dated wrongly
					   AND NOT (loaded AND left_milestone = 'customer' AND left_id = first_id) AS begins
			FROM (
			SELECT *, lag(to_stage) OVER life AS from_stage, lag(milestone) OVER life AS left_milestone,
				   lag(place) OVER life AS left_place, lag(entered_at) OVER life AS left_at,
				   lag(history_id) OVER life AS left_id, first_value(milestone) OVER life AS first_milestone,
				   first_value(history_id) OVER life AS first_id,
				   lead(CASE WHEN placed THEN entered_at END) OVER life AS next_at,
				   is_former IS NOT TRUE AND lead(history_id) OVER life IS NULL AS is_last
			FROM (
				SELECT h.history_id, h.lead_id, h.life, h.is_former, h.to_stage, h.entered_at, s.milestone, s.place, h.definition IS NULL AS loaded,
					   h.from_stage AS kept_from, h.cycle AS kept_cycle, h.ordinal AS kept_ordinal, h.voided_at IS NOT NULL AS void,
					   h.source IS NULL OR h.campaign IS NULL OR h.due_at IS NULL AS incomplete,
					   CASE WHEN h.definition IS NULL THEN 2 * s.place ELSE 2 * live.rank + 1 END AS rank,
					   h.definition IS NULL OR live.rank < live.last_loaded AS placed
				FROM %2$s AS h
				LEFT JOIN %1$s AS s ON s.stage = h.to_stage
				LEFT JOIN (
					SELECT l.history_id, l.last_loaded,
						   max(greatest(s.place, f.place)) OVER (PARTITION BY l.lead_id, l.life, l.entered_at ORDER BY l.history_id) AS rank
					FROM (SELECT h.history_id, h.lead_id, h.life, h.entered_at, h.from_stage, h.to_stage,
								 bool_or(loaded.to_stage = h.from_stage) AS left_loaded, max(p.place) AS last_loaded
						  FROM %2$s AS h
						  JOIN %2$s AS loaded ON loaded.lead_id = h.lead_id AND loaded.life = h.life AND loaded.entered_at = h.entered_at
						  LEFT JOIN %1$s AS p ON p.stage = loaded.to_stage
						  WHERE h.definition IS NOT NULL AND loaded.definition IS NULL
						  GROUP BY h.history_id, h.lead_id, h.life, h.entered_at, h.from_stage, h.to_stage) AS l
					LEFT JOIN %1$s AS s ON s.stage = l.to_stage
					LEFT JOIN %1$s AS f ON f.stage = l.from_stage AND l.left_loaded) AS live ON live.history_id = h.history_id) AS move
			WINDOW life AS (PARTITION BY lead_id, life ORDER BY entered_at, rank, history_id)) AS after) AS step
		WINDOW life AS (PARTITION BY lead_id, life ORDER BY entered_at, rank, history_id),
			   log AS (PARTITION BY lead_id ORDER BY life, entered_at, rank, history_id)) AS told $query$,
	stages, moves) FROM text_of;
END;

COMMENT ON FUNCTION _history_query(text, text[], text) IS
'text of a query: the moves of a funnel, or of the leads with these keys, as the moves before say: from_stage, cycle, place at their instant, what repeats, which is the last of the present life; and whether the rows say otherwise';

-- Closed deals count in the cycle they were closed in, where they have had
-- their say.  An amount in another currency than the funnel's is none, unless
-- home_amount says what it is worth: as in won_deal.  Those that were opened
-- before were of one who bore the same key.  _ingest_deal() reads this
-- text, too, under a path that has the funnel's schema.
CREATE FUNCTION _deals_query(funnel text, leads regclass, key name) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN format($query$
	SELECT key,
		   (count(*) FILTER (WHERE status = 'open'))::integer AS deals_open,
		   (count(*) FILTER (WHERE status = 'won' AND in_cycle))::integer AS deals_won,
		   (count(*) FILTER (WHERE status = 'lost' AND in_cycle))::integer AS deals_lost,
		   coalesce(sum(worth) FILTER (WHERE status = 'won'), 0) AS won_amount,
		   (pg_catalog.array_agg(reason ORDER BY closed_at DESC, deal_id DESC)
			FILTER (WHERE status = 'lost' AND in_cycle AND reason IS NOT NULL))[1] AS reason
	FROM (SELECT l.%3$I AS key, d.status, d.reason, d.closed_at, d.deal_id,
				 l.cycle = 1 OR d.closed_at >= l.cycle_started_at AS in_cycle,
				 CASE WHEN d.home_amount IS NOT NULL THEN d.home_amount
					  WHEN coalesce(d.currency, s.currency) = s.currency THEN d.amount END AS worth
		  FROM %2$s AS l
		  CROSS JOIN %1$I.setting AS s
		  LEFT JOIN (%1$I.deal_contact AS c JOIN %1$I.deal AS d ON d.deal_id = c.deal_id)
			  ON c.lead_id OPERATOR(pg_catalog.=) l.%3$I
			  AND coalesce(d.opened_at >=
				  (SELECT min(h.entered_at)
				   FROM (SELECT max(g.last_move) AS last_move FROM %1$I.departure AS g
						 WHERE g.lead_id OPERATOR(pg_catalog.=) l.%3$I) AS g
				   JOIN %1$I.stage_history AS h ON h.lead_id OPERATOR(pg_catalog.=) l.%3$I
					   AND h.history_id > g.last_move AND h.voided_at IS NULL), true)) AS each_deal
	GROUP BY key $query$, funnel, leads, key);

COMMENT ON FUNCTION _deals_query(text, regclass, name) IS
'text of a query: the deals of each lead of a funnel, counted by status';

-- Elements that a type does not have are left out.
CREATE FUNCTION _answers_query(funnel text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN format($query$
	SELECT lead_id, jsonb_object_agg(framework, levels) AS levels,
		   NULLIF(jsonb_object_agg(framework, levels) - @extschema@._frameworks(), '{}') AS others
	FROM (SELECT lead_id, framework, jsonb_object_agg(element, level::text) AS levels
		  FROM (SELECT DISTINCT ON (lead_id, framework, element)
					   lead_id, framework, element, level
				FROM %1$I.answer
				WHERE @extschema@._may_have_element(framework::text, element::text)
				ORDER BY lead_id, framework, element, %2$s) AS latest
		  GROUP BY lead_id, framework) AS f
	GROUP BY lead_id $query$, funnel, @extschema@._latest_first());

COMMENT ON FUNCTION _answers_query(text) IS
'text of a query: the latest answers of each lead of a funnel that has any, as objects by framework, and those to frameworks that are no types';

CREATE FUNCTION _due_at(funnel text, stage text, entered_at timestamptz) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'due_at' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _due_at(text, text, timestamptz) IS
'deadline, by the policy of today, of a lead that entered a stage then; NULL: none';

-- What the history and the deals say of the leads with these keys, or of all.
CREATE FUNCTION _rebuild_leads(funnel text, keys text[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k record := @extschema@._funnel_key(funnel);
	moves text := @extschema@._history_query(funnel, keys, k.key_type::text);
	deals text := @extschema@._deals_query(funnel, k.leads, k.key);
	wanted text := 'voided_at IS NULL';
	signed text[];
	changed bigint;
	total bigint := 0;
BEGIN
	IF keys IS NOT NULL THEN
		wanted := format('voided_at IS NULL AND lead_id IN (%s)', @extschema@._keys_query(keys, k.key_type::text));
		deals := format('SELECT * FROM (%s) AS of_all WHERE key IN (%s)',
						deals, @extschema@._keys_query(keys, k.key_type::text));
	END IF;

	-- who agreed did so in a cycle, whatever its number is to be; where its
	-- moves are void, in that of the time
	EXECUTE format('SELECT array_agg(DISTINCT lead_id::text) FROM %1$I.signature '
				   'WHERE lead_id IS NOT NULL '
				   'AND ($1 IS NULL OR lead_id IN (SELECT k::%2$s FROM unnest($1) AS k))', funnel, k.key_type)
		INTO signed USING keys;
	IF signed IS NOT NULL THEN
		EXECUTE format($query$
			UPDATE %1$I.signature AS g
			SET cycle = n.cycle
			FROM (SELECT DISTINCT ON (g.signature_id) g.signature_id, w.cycle
				  FROM %1$I.signature AS g
				  JOIN (%2$s) AS w ON w.lead_id = g.lead_id
				  ORDER BY g.signature_id, w.kept_cycle = g.cycle DESC, w.entered_at <= g.signed_at DESC,
						   CASE WHEN w.entered_at <= g.signed_at THEN w.cycle ELSE - w.cycle END DESC) AS n
			WHERE g.signature_id = n.signature_id AND g.cycle <> n.cycle
			$query$, funnel, @extschema@._history_query(funnel, signed, k.key_type::text));
		GET DIAGNOSTICS changed = ROW_COUNT;
		total := total + changed;
	END IF;

	-- a row that no trigger wrote has no definition; where the lead came
	-- from, which is set once, is known all the same
	EXECUTE format($query$
		UPDATE %1$I.stage_history AS h
		SET from_stage = w.from_stage,
			cycle = w.cycle,
			ordinal = w.ordinal,
			voided_at = CASE WHEN w.repeats THEN coalesce(h.voided_at, @extschema@.funnel_now()) END,
			voided_by = CASE WHEN w.repeats AND h.voided_at IS NULL THEN @extschema@._actor()
							 WHEN w.repeats THEN h.voided_by END,
			voided_why = CASE WHEN w.repeats AND h.voided_at IS NULL THEN 'repeats the stage that the lead was in'
							  WHEN w.repeats THEN h.voided_why END,
			source = CASE WHEN w.loaded THEN coalesce(h.source, l.source) ELSE h.source END,
			campaign = CASE WHEN w.loaded THEN coalesce(h.campaign, l.campaign) ELSE h.campaign END,
			due_at = CASE WHEN w.loaded THEN coalesce(h.due_at, w.due) ELSE h.due_at END
		FROM (SELECT *, CASE WHEN loaded THEN @extschema@._due_at(%5$L::text, to_stage::text, entered_at) END AS due
			  FROM (%2$s) AS every_move
			  WHERE differs OR (loaded AND incomplete)) AS w
		LEFT JOIN %3$s AS l ON l.%4$I = w.lead_id
		WHERE h.history_id = w.history_id
		AND (w.differs OR
			 (h.source IS NULL AND l.source IS NOT NULL) OR
			 (h.campaign IS NULL AND l.campaign IS NOT NULL) OR
			 (h.due_at IS NULL AND w.due IS NOT NULL))
		$query$, funnel, moves, k.leads, k.key, funnel);
	GET DIAGNOSTICS changed = ROW_COUNT;
	total := total + changed;

	-- where the leads stand.  A date of review may only come earlier: now.
	EXECUTE format($query$
		UPDATE %3$s AS l
		SET stage = n.stage,
			stage_entered_at = n.stage_entered_at,
			cycle = n.cycle,
			cycle_started_at = n.cycle_started_at,
			accepted_at = n.accepted_at,
			accepted_by = n.accepted_by,
			due_at = n.due_at,
			review_at = least(l.review_at, @extschema@.funnel_now())
		FROM (SELECT l.%4$I AS key, last.to_stage AS stage, last.entered_at AS stage_entered_at,
					 last.cycle, this.started_at AS cycle_started_at,
					 CASE WHEN keeps.acceptance THEN l.accepted_at
						  ELSE this.accepted_at END AS accepted_at,
					 CASE WHEN keeps.acceptance THEN coalesce(l.accepted_by, this.accepted_by)
						  ELSE this.accepted_by END AS accepted_by,
					 last.due_at
			  FROM %3$s AS l
			  JOIN (SELECT DISTINCT ON (lead_id) lead_id, to_stage, entered_at, cycle, due_at
					FROM %1$I.stage_history WHERE %2$s
					ORDER BY lead_id DESC, cycle DESC, entered_at DESC, ordinal DESC, history_id DESC) AS last ON last.lead_id = l.%4$I
			  JOIN (SELECT h.lead_id, h.cycle, min(h.entered_at) AS started_at,
						   min(h.entered_at) FILTER (WHERE s.milestone = 'sal' AND NOT h.automatic) AS accepted_at,
						   (array_agg(h.actor ORDER BY h.entered_at, h.ordinal, h.history_id)
							FILTER (WHERE s.milestone = 'sal' AND NOT h.automatic))[1] AS accepted_by
					FROM (SELECT * FROM %1$I.stage_history WHERE %2$s) AS h
					LEFT JOIN %1$I.stage AS s ON s.stage = h.to_stage
					GROUP BY h.lead_id, h.cycle) AS this ON this.lead_id = l.%4$I AND this.cycle = last.cycle
			  -- the lead may know better when it was accepted, but for a move
			  -- that was voided
			  CROSS JOIN LATERAL
				  (SELECT l.accepted_at >= this.started_at AND
						  NOT EXISTS (SELECT FROM %1$I.stage_history AS v
									  WHERE v.lead_id = l.%4$I AND v.entered_at = l.accepted_at
									  AND v.voided_at IS NOT NULL
									  AND v.from_stage IS DISTINCT FROM v.to_stage)) AS keeps (acceptance)) AS n
		WHERE l.%4$I = n.key
		AND (l.stage, l.stage_entered_at, l.cycle, l.cycle_started_at, l.accepted_at, l.accepted_by, l.due_at)
			IS DISTINCT FROM (n.stage, n.stage_entered_at, n.cycle, n.cycle_started_at,
							  n.accepted_at, n.accepted_by, n.due_at)
		$query$, funnel, wanted, k.leads, k.key);
	GET DIAGNOSTICS changed = ROW_COUNT;
	total := total + changed;

	-- deals
	EXECUTE format($query$
		UPDATE %2$s AS l
		SET deals_open = d.deals_open,
			deals_won = d.deals_won,
			deals_lost = d.deals_lost,
			won_amount = d.won_amount,
			review_at = least(l.review_at, @extschema@.funnel_now())
		FROM (%4$s) AS d
		WHERE l.%3$I = d.key
		AND (l.deals_open, l.deals_won, l.deals_lost, l.won_amount)
			IS DISTINCT FROM (d.deals_open, d.deals_won, d.deals_lost, d.won_amount)
		$query$, funnel, k.leads, k.key, deals);
	GET DIAGNOSTICS changed = ROW_COUNT;
	total := total + changed;

	RETURN total + @extschema@._rebuild_journey(funnel, keys);
END
$body$;

COMMENT ON FUNCTION _rebuild_leads(text, text[]) IS
'part of rebuild_history(), void_moves() and merge_leads(): order, from_stage and cycle of the history, what repeats in it, the cycle of signatures, where leads stand, and their units; returns how many rows changed';

-- A cast to time goes by the session's zone, as did that of a date to an
-- instant: whoever calls this from a function must not set another.
CREATE FUNCTION _warn_of_midnights(funnel text) RETURNS void
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	found record;
BEGIN
	EXECUTE format($query$
		SELECT count(*) AS n, s.time_zone
		FROM (SELECT entered_at FROM %1$I.stage_history WHERE definition IS NULL AND voided_at IS NULL
			  UNION ALL SELECT opened_at FROM %1$I.deal
			  UNION ALL SELECT closed_at FROM %1$I.deal
			  UNION ALL SELECT occurred_at FROM %1$I.activity
			  UNION ALL SELECT answered_at FROM %1$I.answer) AS of (instant)
		CROSS JOIN %1$I.setting AS s
		WHERE of.instant::time = '00:00' AND (of.instant AT TIME ZONE s.time_zone)::time <> '00:00'
		GROUP BY s.time_zone $query$, funnel) INTO found;
	IF found.n > 0 THEN
		RAISE WARNING '% instants of funnel "%" are midnights of time zone "%", not of the funnel''s "%"',
			found.n, funnel, current_setting('TimeZone'), found.time_zone
			USING HINT = format('If they were dates, cast them in the funnel''s zone: SET TimeZone = %L before they are loaded.',
								found.time_zone);
	END IF;
END
$body$;

COMMENT ON FUNCTION _warn_of_midnights(text) IS
'warns of loaded moves, deals, activities and answers that are dates cast in another time zone than the funnel''s';

-- The setting spares the history and the leads what triggers would make of
-- these updates; it is back when the function returns.
CREATE FUNCTION rebuild_history(funnel text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k record := @extschema@._funnel_key(funnel);
	unknown text[];
	changed bigint;
	total bigint := 0;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'rebuild_history'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'rebuild_history'::text);
	PERFORM @extschema@._require_read_committed('rebuild_history'::text);

	-- what arrives meanwhile would be built on what is being replaced
	EXECUTE format('LOCK TABLE %1$s, %2$I.stage_history, %2$I.journey IN SHARE ROW EXCLUSIVE MODE',
				   k.leads, funnel);

	EXECUTE format($query$
		SELECT array_agg(DISTINCT named.stage)
		FROM (SELECT to_stage FROM %1$I.stage_history WHERE voided_at IS NULL
			  UNION SELECT stage FROM %2$s) AS named (stage)
		WHERE NOT EXISTS (SELECT FROM %1$I.stage AS s WHERE s.stage = named.stage)
		$query$, funnel, k.leads) INTO unknown;
	IF unknown IS NOT NULL THEN
		RAISE EXCEPTION 'history of funnel "%" names stages that it does not have', funnel
			USING ERRCODE = 'foreign_key_violation',
				  DETAIL = format('They are: %s.', array_to_string(unknown, ', ')),
				  HINT = format('Add them to %I.stage, or correct the rows under lead_qual.import.', funnel);
	END IF;

	-- a lead without history in its present life came into being where it is
	EXECUTE format($query$
		INSERT INTO %1$I.stage_history (lead_id, to_stage, entered_at, source, campaign, owner, account_id)
		SELECT l.%3$I, l.stage, l.stage_entered_at, l.source, l.campaign, l.owner, l.account_id
		FROM %2$s AS l
		WHERE NOT EXISTS (SELECT FROM %1$I.stage_history AS h
						  WHERE h.lead_id = l.%3$I AND h.voided_at IS NULL
						  AND NOT EXISTS (SELECT FROM %1$I.departure AS d
										  WHERE d.lead_id = h.lead_id AND d.last_move >= h.history_id))
		ORDER BY l.%3$I $query$, funnel, k.leads, k.key);
	GET DIAGNOSTICS changed = ROW_COUNT;
	total := total + changed;

	PERFORM @extschema@._warn_of_midnights(funnel);
	total := total + @extschema@._rebuild_leads(funnel, NULL::text[]);

	-- answers, where the log has any
	EXECUTE format($query$
		UPDATE %2$s AS l
		SET %5$s,
			answers = n.answers,
			review_at = least(l.review_at, @extschema@.funnel_now())
		FROM (SELECT l.%3$I AS key,
					 %6$s,
					 coalesce(a.others, l.answers) AS answers
			  FROM %2$s AS l
			  JOIN (%4$s) AS a ON a.lead_id = l.%3$I) AS n
		WHERE l.%3$I = n.key
		AND (%7$s OR l.answers <> n.answers)
		$query$, funnel, k.leads, k.key, @extschema@._answers_query(funnel),
		@extschema@._each_framework('%1$I = n.%1$I'::text, ', '::text),
		@extschema@._each_framework(
			'(l.%1$I::jsonb || coalesce(a.levels -> %1$L, ''{}''))::@extschema@.%1$I AS %1$I'::text, ', '::text),
		@extschema@._each_framework('l.%1$I OPERATOR(@extschema@.<>) n.%1$I'::text, ' OR '::text));
	GET DIAGNOSTICS changed = ROW_COUNT;
	total := total + changed;

	RETURN total;
END
$body$;

COMMENT ON FUNCTION rebuild_history(text) IS
'after an import: puts the history in order, fills from_stage and cycle, voids rows that repeat the stage that the lead was in, and fills from it, the deals and the answers what leads hold; returns how many rows changed';
