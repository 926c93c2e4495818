--
-- Care of data: what grows old, comes twice or must go
--

-- The setting spares the leads what deletions would bring: no score changes.
CREATE FUNCTION archive_activities(funnel text, before timestamptz) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
SET lead_qual.import = on;

COMMENT ON FUNCTION archive_activities(text, timestamptz) IS
'folds activities from before an instant into baselines and deletes them, leaving scores as they are; returns how many. What rules gave for them stays as earned; views that read the log itself no longer see them, and one that is sent again counts again';

CREATE FUNCTION _join_baselines(scorecard, scorecard) RETURNS scorecard
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _join_baselines(scorecard, scorecard) IS
'the baselines of two leads as one; of two open windows of a frequency limit, the later goes on';

CREATE FUNCTION _rescore_lead(funnel text, lead text, move boolean) RETURNS boolean
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION _rescore_lead(text, text, boolean) IS
'scores one lead anew from its log; it stays in its stage unless move is true; false if there is none';

-- The lock comes first, and in key order, as triggers take them.
CREATE FUNCTION _lock_leads(funnel text, leads text[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	found_keys text[] := '{}';
	given text;
	key text;
BEGIN
	FOR key IN
		EXECUTE format('SELECT %2$I::text FROM %1$s WHERE %2$I IN (SELECT k::%3$s FROM unnest($1::text[]) AS k) ORDER BY %2$I FOR UPDATE',
					   k.leads, k.key, k.key_type)
		USING leads
	LOOP
		found_keys := found_keys || key;
	END LOOP;

	FOREACH given IN ARRAY leads LOOP
		EXECUTE format('SELECT $1::%s::text', k.key_type) INTO key USING given;
		IF key <> ALL (found_keys) THEN
			RAISE EXCEPTION 'funnel "%" has no lead with key "%"', funnel, @extschema@._clip(given::text)
				USING ERRCODE = 'no_data_found';
		END IF;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION _lock_leads(text, text[]) IS
'locks leads, given by key; raises if one does not exist';

-- Triggers write that a lead has gone; who let it go says how.
CREATE FUNCTION _last_departure(funnel text, lead text) RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	last bigint;
BEGIN
	EXECUTE format('SELECT coalesce(max(departure_id), 0) FROM %I.departure WHERE lead_id = $1::%s', funnel, k.key_type)
		INTO last USING lead;
	RETURN last;
END
$body$;

COMMENT ON FUNCTION _last_departure(text, text) IS
'part of erase_lead() and merge_leads(): departure_id of the last departure under a key; 0: there was none';

CREATE FUNCTION _depart_as(funnel text, lead text, after bigint, how text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
BEGIN
	EXECUTE format('UPDATE %I.departure SET how = $3 WHERE lead_id = $1::%s AND departure_id > $2', funnel, k.key_type)
		USING lead, after, how;
END
$body$;

COMMENT ON FUNCTION _depart_as(text, text, bigint, text) IS
'part of erase_lead() and merge_leads(): says how a lead went that has just gone';

-- Units of two leads that are one person.  Those that overlap in time are one
-- attempt: the one that got further stays, of equals that of the lead that is
-- kept, and the moves of the other are void.  Units that do not overlap stay,
-- as cycles one after the other.  A unit lasts until its lead leaves; but who
-- has become a customer may well be an SQL once more.
CREATE FUNCTION _merge_units(funnel text, keep text, merge text) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	unit record;
	staying jsonb := '[]';
BEGIN
	FOR unit IN
		EXECUTE format($query$
			WITH each AS (
				SELECT j.lead_id, j.cycle, j.lead_id = $1::%2$s AS kept, j.started_at, j.customer_at,
					   coalesce(j.exited_at,
								(SELECT min(h.entered_at)
								 FROM %1$I.stage_history AS h
								 JOIN %1$I.stage AS s ON s.stage = h.to_stage
								 WHERE h.lead_id = j.lead_id AND h.cycle = j.cycle AND h.voided_at IS NULL
								 AND h.entered_at >= j.customer_at AND @extschema@._is_exit(s.milestone::text)),
								lead(j.started_at) OVER (PARTITION BY j.lead_id ORDER BY j.cycle),
								'infinity') AS ended_at,
					   (SELECT coalesce(max(m.n), 0)
						FROM unnest(ARRAY[j.lead_at, j.mql_at, j.sal_at, j.sql_at, j.opportunity_at, j.customer_at])
							WITH ORDINALITY AS m (at, n)
						WHERE m.at IS NOT NULL) AS reached
				FROM %1$I.journey AS j
				WHERE j.lead_id IN ($1::%2$s, $2::%2$s) AND j.gone_at IS NULL
			)
			SELECT *, @extschema@._has_reached((@extschema@._milestones())[reached], 'sql'::text) AS is_sql,
				   (SELECT array_agg(h.history_id) FROM %1$I.stage_history AS h
					WHERE h.lead_id = each.lead_id AND h.cycle = each.cycle
					AND (h.voided_at IS NULL OR h.from_stage = h.to_stage)) AS moves
			FROM each
			ORDER BY reached DESC, kept DESC, started_at
			$query$, funnel, k.key_type) USING keep, merge
	LOOP
		IF EXISTS (SELECT
				   FROM jsonb_to_recordset(staying)
					   AS o (kept boolean, started_at timestamptz, customer_at timestamptz,
							 ended_at timestamptz, is_sql boolean)
				   WHERE o.kept <> unit.kept
				   AND o.started_at <= least(unit.ended_at, CASE WHEN o.is_sql THEN unit.customer_at END)
				   AND unit.started_at <= least(o.ended_at, CASE WHEN unit.is_sql THEN o.customer_at END)) THEN
			PERFORM @extschema@._void(funnel, unit.moves, format('lead %s was merged into %s', merge, keep));
		ELSE
			staying := staying || to_jsonb(unit);
		END IF;
	END LOOP;
	RETURN (SELECT NOT o.kept
			FROM jsonb_to_recordset(staying) AS o (kept boolean, started_at timestamptz)
			ORDER BY o.started_at DESC LIMIT 1);
END
$body$;

COMMENT ON FUNCTION _merge_units(text, text, text) IS
'part of merge_leads(): voids the moves of units that overlap one that got further; whether where the person stands is told by the merged lead';

-- The moves of the merged lead's present life go to the lead that is kept; who
-- bore its key before were others.  Moves that an earlier life of the kept key
-- has seen the end of are of this one all the same: they get new numbers.
CREATE FUNCTION _merge_moves(funnel text, keep text, merge text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	moves bigint;
BEGIN
	EXECUTE format($query$
		UPDATE %1$I.stage_history AS h
		SET lead_id = $1::%2$s, history_id = m.number,
			cycle = CASE WHEN voided_at IS NULL OR from_stage = to_stage THEN - cycle ELSE cycle END
		FROM (SELECT o.history_id,
					 CASE WHEN o.seen THEN nextval(pg_get_serial_sequence($3, 'history_id')) ELSE o.history_id END AS number
			  FROM (SELECT a.history_id,
						   EXISTS (SELECT FROM %1$I.departure AS d
								   JOIN %1$I.stage_history AS b ON b.lead_id = $2::%2$s AND b.history_id <= d.last_move
								   WHERE d.lead_id = $1::%2$s) AS seen
					FROM %1$I.stage_history AS a
					WHERE a.lead_id = $2::%2$s
					AND NOT EXISTS (SELECT FROM %1$I.departure AS d WHERE d.lead_id = a.lead_id AND d.last_move >= a.history_id)
					ORDER BY a.history_id) AS o) AS m
		WHERE h.history_id = m.history_id $query$, funnel, k.key_type)
		USING keep, merge, format('%I.stage_history', funnel);
	GET DIAGNOSTICS moves = ROW_COUNT;
	RETURN moves;
END
$body$;

COMMENT ON FUNCTION _merge_moves(text, text, text) IS
'part of merge_leads(): gives a lead the moves of another''s present life; returns how many';

-- Everything but the score.  The setting spares both leads what triggers
-- would make of half-done work.
CREATE FUNCTION _merge_leads(funnel text, keep text, merge text, OUT activities bigint,
							 OUT answers bigint, OUT deals bigint, OUT moves bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	before constant bigint := @extschema@._last_departure(funnel, merge);
	writable text[];
	filled text;
	former_names jsonb;
	came_as_merged boolean;
	stands_by_merged boolean;
BEGIN
	-- where a person came from is told by the first touch, or by the first move
	EXECUTE format($query$
		SELECT (array_agg(t.lead_id = $2::%2$s ORDER BY t.at, t.lead_id = $2::%2$s))[1]
		FROM (SELECT lead_id, entered_at FROM %1$I.stage_history WHERE voided_at IS NULL
			  UNION ALL
			  SELECT a.lead_id, a.occurred_at FROM %1$I.activity AS a
			  JOIN %1$I.kind AS k ON k.kind = a.kind
			  WHERE k.touch AND a.source IS NOT NULL) AS t (lead_id, at)
		WHERE t.lead_id IN ($1::%2$s, $2::%2$s)
		$query$, funnel, k.key_type) INTO came_as_merged USING keep, merge;

	-- the same event of both counts once: by external_id, or where none has
	-- any, by all that is known of it
	EXECUTE format($query$
		DELETE FROM %1$I.activity AS m USING %1$I.activity AS a
		WHERE m.lead_id = $2::%2$s AND a.lead_id = $1::%2$s
		AND (m.external_id = a.external_id OR
			 (m.external_id IS NULL AND a.external_id IS NULL AND
			  m.occurred_at = a.occurred_at AND m.kind = a.kind AND m.properties = a.properties AND
			  (m.source, m.campaign, m.actor) IS NOT DISTINCT FROM (a.source, a.campaign, a.actor)))
		$query$, funnel, k.key_type) USING keep, merge;
	EXECUTE format('UPDATE %1$I.activity SET lead_id = $1::%2$s WHERE lead_id = $2::%2$s',
				   funnel, k.key_type) USING keep, merge;
	GET DIAGNOSTICS activities = ROW_COUNT;

	EXECUTE format($query$
		INSERT INTO %1$I.baseline AS b (lead_id, scorecard, archived_before, n)
		SELECT $1::%2$s, scorecard, archived_before, n FROM %1$I.baseline WHERE lead_id = $2::%2$s
		ON CONFLICT (lead_id) DO UPDATE
		SET scorecard = @extschema@._join_baselines(b.scorecard, excluded.scorecard),
			archived_before = greatest(b.archived_before, excluded.archived_before),
			n = b.n + excluded.n
		$query$, funnel, k.key_type) USING keep, merge;

	EXECUTE format('UPDATE %1$I.answer SET lead_id = $1::%2$s WHERE lead_id = $2::%2$s',
				   funnel, k.key_type) USING keep, merge;
	GET DIAGNOSTICS answers = ROW_COUNT;

	EXECUTE format($query$
		INSERT INTO %1$I.deal_contact AS c (deal_id, lead_id, role)
		SELECT deal_id, $1::%2$s, role FROM %1$I.deal_contact WHERE lead_id = $2::%2$s
		ON CONFLICT (deal_id, lead_id) DO UPDATE SET role = coalesce(c.role, excluded.role)
		$query$, funnel, k.key_type) USING keep, merge;
	GET DIAGNOSTICS deals = ROW_COUNT;
	EXECUTE format('DELETE FROM %1$I.deal_contact WHERE lead_id = $1::%2$s', funnel, k.key_type)
		USING merge;

	EXECUTE format('UPDATE %1$I.verdict SET lead_id = $1::%2$s WHERE lead_id = $2::%2$s',
				   funnel, k.key_type) USING keep, merge;

	-- one person went one way
	stands_by_merged := @extschema@._merge_units(funnel, keep, merge);
	-- cycles of both must not be taken for one another: those of the merged
	-- lead are less than 0 until they are counted
	EXECUTE format('UPDATE %1$I.signature SET lead_id = $1::%2$s, cycle = - cycle WHERE lead_id = $2::%2$s',
				   funnel, k.key_type) USING keep, merge;
	moves := @extschema@._merge_moves(funnel, keep, merge);

	-- what the kept lead lacks; what triggers keep is worked out below
	SELECT array_agg(l.name::text ORDER BY l.attnum) INTO writable
	FROM @extschema@._lead_columns(funnel) AS l
	JOIN pg_attribute AS a ON a.attrelid = l.relation AND a.attnum = l.attnum
	WHERE a.attgenerated = '' AND a.attidentity <> 'a';
	-- who works on it, and until when it waits, go with where it stands; a
	-- campaign is one of its source
	SELECT string_agg(format(CASE WHEN w IN ('source', 'campaign') AND 'source' = ANY (writable)
								  THEN '%1$I = CASE WHEN %2$s.source IS NOT NULL THEN %2$s.%1$I WHEN %3$s.source IS NOT NULL THEN %3$s.%1$I '
									   'ELSE coalesce(%2$s.%1$I, %3$s.%1$I) END, '
								  ELSE '%1$I = coalesce(%2$s.%1$I, %3$s.%1$I), ' END, w,
							 CASE WHEN merged THEN 'm' ELSE 'l' END, CASE WHEN merged THEN 'l' ELSE 'm' END), '') INTO filled
	FROM unnest(writable) AS w
	CROSS JOIN LATERAL (SELECT CASE WHEN w IN ('owner', 'resume_at') THEN stands_by_merged
									WHEN w IN ('source', 'campaign') THEN came_as_merged END IS TRUE) AS f (merged)
	WHERE w <> ALL (@extschema@._frameworks())
	AND w NOT IN (k.key, 'stage', 'stage_entered_at', 'cycle', 'cycle_started_at',
					'accepted_by', 'accepted_at', 'due_at', 'review_at', 'scorecard',
					'deals_open', 'deals_won', 'deals_lost', 'won_amount', 'answers',
					'reason', 'note', 'properties', 'unsubscribed',
					'created_at');
	former_names := @extschema@._names_of_lead(funnel, merge);
	EXECUTE format($query$
		WITH m AS (DELETE FROM %2$s WHERE %3$I = $2::%4$s RETURNING *)
		UPDATE %2$s AS l
		SET %6$s
			%8$s,
			answers = m.answers || l.answers || coalesce(a.others, '{}')
			%7$s
		FROM m
		LEFT JOIN (%5$s) AS a ON a.lead_id = $1::%4$s
		WHERE l.%3$I = $1::%4$s
		$query$, funnel, k.leads, k.key, k.key_type, @extschema@._answers_query(funnel), filled,
		(SELECT string_agg(CASE w
						   WHEN 'properties' THEN ', properties = m.properties || l.properties'
						   WHEN 'unsubscribed' THEN ', unsubscribed = m.unsubscribed OR l.unsubscribed'
						   ELSE ', created_at = least(m.created_at, l.created_at)' END, '')
		 FROM unnest(writable) AS w WHERE w IN ('properties', 'unsubscribed', 'created_at')),
		@extschema@._each_framework(
			'%1$I = ((m.%1$I OPERATOR(@extschema@.||) l.%1$I)::jsonb || coalesce(a.levels -> %1$L, ''{}''))::@extschema@.%1$I'::text,
			', '::text))
		USING keep, merge;
	PERFORM @extschema@._depart_as(funnel, merge, before, 'merged'::text);
	PERFORM @extschema@._add_aliases(funnel, keep, former_names);
	PERFORM @extschema@._rebuild_leads(funnel, ARRAY[keep, merge]);
END
$body$;

COMMENT ON FUNCTION _merge_leads(text, text, text) IS
'merge_leads() but for the score';

CREATE FUNCTION merge_leads(funnel text, keep text, merge text, OUT activities bigint,
							OUT answers bigint, OUT deals bigint, OUT moves bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = off
AS $body$
DECLARE
	kept text;
	merged text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'merge_leads'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'merge_leads'::text);
	PERFORM @extschema@._require_read_committed('merge_leads'::text);
	kept := @extschema@._find_lead(funnel, keep);
	merged := @extschema@._find_lead(funnel, merge);
	IF kept = merged THEN
		RAISE EXCEPTION 'lead % cannot be merged into itself', kept
			USING ERRCODE = 'invalid_parameter_value',
				  DETAIL = format('"%s" and "%s" are the same lead.', keep, merge),
				  HINT = 'Name the lead to keep, then the other one.';
	END IF;

	PERFORM @extschema@._lock_leads(funnel, ARRAY[kept, merged]);
	SELECT * INTO activities, answers, deals, moves FROM @extschema@._merge_leads(funnel, kept, merged);
	PERFORM @extschema@._rescore_lead(funnel, kept, true);
END
$body$;

COMMENT ON FUNCTION merge_leads(text, text, text) IS
'makes one lead of two: facts of the second go to the first, which is scored anew. Of units of both that overlap in time, the one that got further stays, whichever lead is kept (of equals, the first lead''s), and the moves of the other are voided; units that do not overlap become cycles one after the other. An event of both counts once, unless it was archived. What the second was known by, its key included, is an alias of the first from then on. Returns what was moved';

CREATE FUNCTION erase_lead(funnel text, lead text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	found_lead text;
	before bigint;
	noted record;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'erase_lead'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'erase_lead'::text);
	PERFORM @extschema@._require_read_committed('erase_lead'::text);
	found_lead := @extschema@._find_lead(funnel, lead);
	PERFORM @extschema@._lock_leads(funnel, ARRAY[found_lead]);
	before := @extschema@._last_departure(funnel, found_lead);

	-- people write what they like there, names included
	FOR noted IN
		SELECT c.relname AS name,
			   string_agg(format('%I = NULL', a.attname), ', ') AS emptied,
			   string_agg(format('%I IS NOT NULL', a.attname), ' OR ') AS filled
		FROM pg_class AS c
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname IN ('note', 'voided_why')
		WHERE c.relnamespace = @extschema@._funnel_schema(funnel) AND c.relkind IN ('r', 'p')
		AND NOT c.relispartition AND NOT a.attnotnull
		AND c.relname = ANY (@extschema@._funnel_relations(@extschema@._funnel_template(c.relnamespace)))
		AND EXISTS (SELECT FROM pg_attribute AS l
					WHERE l.attrelid = c.oid AND l.attname = 'lead_id' AND NOT l.attisdropped)
		GROUP BY c.relname
	LOOP
		EXECUTE format('UPDATE %1$I.%2$I SET %3$s WHERE lead_id = $1::%4$s AND (%5$s)',
					   funnel, noted.name, noted.emptied, k.key_type, noted.filled) USING found_lead;
	END LOOP;
	-- activities, answers and the baseline go with it
	EXECUTE format('DELETE FROM %1$s WHERE %2$I = $1::%3$s', k.leads, k.key, k.key_type)
		USING found_lead;
	PERFORM @extschema@._depart_as(funnel, found_lead, before, 'erased'::text);
END
$body$;

COMMENT ON FUNCTION erase_lead(text, text) IS
'erases a person: the lead, its aliases, activities and answers, and what was noted with its moves; moves and deals stay, so that no count changes: its units are gone since then, and no longer open. Leads that should never have counted: forget_leads()';

-- What the log and the moves of these leads told is not told any more.  Nobody
-- comes under such a key meanwhile, or would begin in a cycle after theirs.
CREATE FUNCTION forget_leads(funnel text, leads text[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = on
AS $body$
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	keys text[];
	wanted text;
	unknown text;
	moves bigint[];
	before bigint;
	relation text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'forget_leads'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'forget_leads'::text);
	PERFORM @extschema@._require_read_committed('forget_leads'::text);
	IF leads IS NULL OR array_position(leads, NULL) IS NOT NULL THEN
		RAISE EXCEPTION 'keys of the leads to forget must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	EXECUTE format('SELECT array_agg(DISTINCT key::%1$s::text) FROM unnest($1) AS key', k.key_type)
		INTO keys USING leads;
	IF keys IS NULL THEN
		RETURN 0;
	END IF;
	wanted := @extschema@._keys_query(keys, k.key_type::text);
	EXECUTE format('LOCK TABLE %1$s, %2$I.stage_history, %2$I.journey IN SHARE ROW EXCLUSIVE MODE', k.leads, funnel);

	EXECUTE format('SELECT min(key::text) FROM (%1$s) AS w (key) '
				   'WHERE NOT EXISTS (SELECT FROM %2$s AS l WHERE l.%3$I = w.key) '
				   'AND NOT EXISTS (SELECT FROM %4$I.stage_history AS h WHERE h.lead_id = w.key)',
				   wanted, k.leads, k.key, funnel)
		INTO unknown;
	IF unknown IS NOT NULL THEN
		RAISE EXCEPTION 'funnel "%" has no lead with key "%"', funnel, @extschema@._clip(unknown::text)
			USING ERRCODE = 'no_data_found',
				  DETAIL = 'None is there, and none has been there.';
	END IF;

	EXECUTE format('SELECT coalesce(max(departure_id), 0) FROM %I.departure', funnel) INTO before;
	-- aliases, activities, answers, verdicts and the baseline go with it
	EXECUTE format('DELETE FROM %1$s WHERE %2$I IN (%3$s)', k.leads, k.key, wanted);
	EXECUTE format('SELECT min(%2$I::text) FROM %1$s WHERE %2$I IN (%3$s)', k.leads, k.key, wanted) INTO unknown;
	IF unknown IS NOT NULL THEN
		RAISE EXCEPTION 'lead % of funnel "%" could not be deleted', unknown, funnel
			USING ERRCODE = 'triggered_data_change_violation',
				  HINT = 'A trigger or a rule on the table of leads suppressed it.';
	END IF;
	FOREACH relation IN ARRAY '{deal_contact,signature}'::text[] LOOP
		EXECUTE format('DELETE FROM %I.%I WHERE lead_id IN (%s)', funnel, relation, wanted);
	END LOOP;
	EXECUTE format('UPDATE %1$I.departure SET how = ''forgotten'' WHERE departure_id > $1 AND lead_id IN (%2$s)', funnel, wanted)
		USING before;
	EXECUTE format('INSERT INTO %1$I.departure (lead_id, how, last_move) '
				   'SELECT h.lead_id, ''forgotten'', max(h.history_id) FROM %1$I.stage_history AS h WHERE h.lead_id IN (%2$s) '
				   'AND NOT EXISTS (SELECT FROM %1$I.departure AS d WHERE d.lead_id = h.lead_id AND d.departure_id > $1) '
				   'GROUP BY h.lead_id', funnel, wanted)
		USING before;
	EXECUTE format('SELECT array_agg(history_id) FROM %I.stage_history '
				   'WHERE (voided_at IS NULL OR from_stage = to_stage) AND lead_id IN (%s)', funnel, wanted)
		INTO moves;
	PERFORM @extschema@._void(funnel, moves, 'the lead was forgotten: it never counted'::text);
	PERFORM @extschema@._rebuild_journey(funnel, keys);
	RETURN cardinality(keys);
END
$body$;

COMMENT ON FUNCTION forget_leads(text, text[]) IS
'takes leads out of every count, such as those of a test or of an import that is to be done again: given by key, there or gone, in all their lives. What is there is deleted with its facts, its deals name it no more, and its moves are void; who erases a person but keeps what it counted for calls erase_lead(). For members of the role that owns the funnel; returns how many';

-- Triggers, for repair_funnel() and upgrade_funnel().
CREATE FUNCTION _repair_trigger(schema oid, finding text, object text, hint text) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	statement text;
	action text;
BEGIN
	IF finding = 'trigger_missing' THEN
		SELECT e.statement INTO action
		FROM @extschema@._funnel_triggers(schema) AS e
		WHERE ARRAY[e.relation, e.trigger]::text[] = parse_ident(object) AND NOT e.by_own_name
		-- one of that name would be somebody's
		AND NOT EXISTS (SELECT FROM pg_trigger AS taken
						WHERE taken.tgrelid = e.relid AND taken.tgname = e.trigger);
		IF action IS NOT NULL THEN
			EXECUTE action;
		END IF;
	ELSIF finding IN ('trigger_disabled', 'trigger_misdirected') THEN
		action := hint;
		EXECUTE action;
	ELSIF finding = 'partition_without_triggers' THEN
		FOR statement IN
			SELECT CASE WHEN old.tgname IS NULL THEN e.statement
				   ELSE format('ALTER TABLE %s ENABLE TRIGGER %I', e.relid, old.tgname) END
			FROM @extschema@._funnel_triggers(schema) AS e
			LEFT JOIN pg_trigger AS old
				ON old.tgrelid = e.relid AND old.tgfoid = e.function AND old.tgtype = e.type
			WHERE e.by_own_name AND e.relid = object::regclass
			AND (old.tgname IS NULL OR old.tgenabled IN ('D', 'R'))
		LOOP
			EXECUTE statement;
			action := concat_ws('; ', action, statement);
		END LOOP;
	END IF;
	RETURN action;
END
$body$;

COMMENT ON FUNCTION _repair_trigger(oid, text, text, text) IS
'sets right what check_funnel() finds of triggers; returns what was done, NULL where it is for a human to do';

-- What remains to be done by hand has no action.
CREATE FUNCTION repair_funnel(funnel text)
RETURNS TABLE (finding text, object text, n bigint, action text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET lead_qual.import = off
AS $body$
DECLARE
	schema constant oid := @extschema@._funnel_schema(funnel);
	f record;
	rebuilt text;
	rescored text;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'repair_funnel'::text);
	PERFORM @extschema@._require_funnel_owner(schema, 'repair_funnel'::text);

	-- triggers first: what is set right must stay so; then moves, cards, time
	FOR f IN
		SELECT c.*
		FROM @extschema@.check_funnel(funnel, true) AS c
		ORDER BY array_position(ARRAY['trigger_misdirected', 'trigger_missing', 'trigger_disabled', 'partition_without_triggers',
									  'history_missing', 'history_order', 'stage_differs', 'deals_differ',
									  'answers_differ', 'journey_differs', 'card_differs', 'card_stale', 'review_overdue'],
								c.finding), c.finding, c.object
	LOOP
		finding := f.finding;
		object := f.object;
		n := f.n;
		action := NULL;
		CASE
		WHEN f.finding LIKE 'trigger\_%' OR f.finding LIKE 'partition\_%' THEN
			action := @extschema@._repair_trigger(schema, f.finding, f.object, f.hint);
		WHEN f.finding IN ('history_missing', 'history_order', 'stage_differs', 'deals_differ',
						   'answers_differ') THEN
			IF rebuilt IS NULL THEN
				BEGIN
					rebuilt := format('rebuild_history(): %s rows changed', @extschema@.rebuild_history(funnel));
				EXCEPTION WHEN foreign_key_violation THEN
					-- a stage that the funnel lacks: a finding of its own
					rebuilt := '';
				END;
			END IF;
			action := nullif(rebuilt, '');
		WHEN f.finding = 'journey_differs' THEN
			-- a history that was rebuilt has brought its units along
			action := coalesce(rebuilt, format('%s units made anew', @extschema@._rebuild_journey(funnel, NULL::text[])));
		WHEN f.finding IN ('card_differs', 'card_stale') THEN
			IF rescored IS NULL THEN
				rescored := format('rescore_funnel(): %s leads scored anew', @extschema@.rescore_funnel(funnel, false));
			END IF;
			action := rescored;
		WHEN f.finding = 'review_overdue' THEN
			SELECT format('sweep_funnel(): %s leads looked at, %s failed', s.reviewed, s.failed) INTO action
			FROM @extschema@.sweep_funnel(funnel, least(f.n, 1000000)::integer) AS s;
		ELSE
			NULL;
		END CASE;
		RETURN NEXT;
	END LOOP;
END
$body$;

COMMENT ON FUNCTION repair_funnel(text) IS
'repairs what check_funnel() finds where that can be done without asking: triggers, what leads hold of history, deals and answers, units, scores, overdue reviews; a row a finding with what was done, NULL where its hint is for a human';
