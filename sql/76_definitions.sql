--
-- Definitions: copied, compared, tried, signed, activated, looked up
--
-- One is edited in place, or copied, edited as a draft and activated.
--

-- Raises unless the funnel has that definition.
CREATE FUNCTION _require_definition(funnel text, definition text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	known text[];
BEGIN
	PERFORM @extschema@._funnel_schema(funnel);
	EXECUTE format('SELECT array_agg(d.definition ORDER BY d.definition) FROM %I.definition AS d', funnel)
		INTO known;
	IF definition = ANY (known) THEN
		RETURN;
	END IF;
	RAISE EXCEPTION 'definition "%" does not exist in funnel "%"', @extschema@._clip(definition::text), funnel
		USING ERRCODE = 'undefined_object',
			  HINT = format('The definitions are: %s.', array_to_string(known, ', '));
END
$body$;

COMMENT ON FUNCTION _require_definition(text, text) IS
'raises unless the funnel has that definition';

-- Columns that the user added to a table go along.
CREATE FUNCTION _copy_rows(funnel text, relation text, definition text, new_definition text,
						   fixed text[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	columns text;
BEGIN
	SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns
	FROM pg_attribute AS a
	WHERE a.attrelid = format('%I.%I', funnel, relation)::regclass
	AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = ''
	AND a.attname <> ALL (fixed || '{definition}'::text[]);
	EXECUTE format('INSERT INTO %1$I.%2$I (definition, %3$s) SELECT $2, %3$s FROM %1$I.%2$I '
				   'WHERE definition = $1 ORDER BY %4$I', funnel, relation, columns,
				   CASE relation WHEN 'definition' THEN 'definition' ELSE relation || '_id' END)
		USING definition, new_definition;
END
$body$;

COMMENT ON FUNCTION _copy_rows(text, text, text, text, text[]) IS
'copies the rows of a definition in one table, but for the fixed columns';

CREATE FUNCTION copy_definition(funnel text, definition text, new_definition text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'copy_definition'::text);
	PERFORM @extschema@._require_definition(funnel, definition);
	IF new_definition IS NULL THEN
		RAISE EXCEPTION 'name of a definition must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM @extschema@._copy_rows(funnel, 'definition'::text, definition, new_definition,
		'{status,version,agreed_by_marketing,agreed_by_sales,agreed_at}'::text[]);
	-- rules first: transitions name them
	PERFORM @extschema@._copy_rows(funnel, 'rule'::text, definition, new_definition, '{condition_sql}'::text[]);
	PERFORM @extschema@._copy_rows(funnel, 'transition'::text, definition, new_definition, '{condition_sql}'::text[]);
END
$body$;

COMMENT ON FUNCTION copy_definition(text, text, text) IS
'copies a definition with its rules and transitions, as a draft of another name';

CREATE FUNCTION activate_definition(funnel text, definition text, existing text DEFAULT 'keep') RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	was text;
	risen integer;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'activate_definition'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'activate_definition'::text);
	PERFORM @extschema@._require_definition(funnel, definition);
	IF existing IS NULL OR existing NOT IN ('keep', 'move') THEN
		RAISE EXCEPTION 'unknown way to treat existing leads: "%"', @extschema@._clip(existing::text)
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'It is keep (they move on later facts only) or move (they move now).';
	END IF;
	-- one at a time: the next sees whom this one made the active one
	EXECUTE format('LOCK TABLE %I.definition IN SHARE ROW EXCLUSIVE MODE', funnel);
	EXECUTE format('SELECT d.status FROM %I.definition AS d WHERE d.definition = $1', funnel)
		INTO was USING definition;
	IF was = 'active' THEN
		RAISE EXCEPTION 'definition "%" is active already', definition
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'To score all leads anew by it, call rescore_funnel().';
	END IF;

	-- In one statement, and the old one first, so that there is exactly one
	-- at every instant.
	EXECUTE format($query$
		WITH old AS (
			UPDATE %1$I.definition SET status = 'retired' WHERE status = 'active' RETURNING 1
		)
		UPDATE %1$I.definition AS d SET status = 'active'
		WHERE (SELECT count(*) FROM old) >= 0 AND d.definition = $1
		RETURNING d.version $query$, funnel)
		INTO risen USING definition;

	IF existing = 'move' THEN
		PERFORM @extschema@.rescore_funnel(funnel, true);
	END IF;
	RETURN risen;
END
$body$;

COMMENT ON FUNCTION activate_definition(text, text, text) IS
'makes a definition the active one and retires the one that was; existing leads keep their stages until something happens, or (move) are rescored and moved now; returns its new version; activating the old one undoes it';

--
-- Looking before it counts
--
-- What activation with "move" would do is done, noted, and undone.
CREATE FUNCTION preview_definition(funnel text, definition text)
RETURNS TABLE (lead text, from_stage text, to_stage text, score_now numeric, score_then numeric,
			   source text, past_units bigint, past_customers bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_column
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	became integer;
	moved jsonb;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'preview_definition'::text);
	PERFORM @extschema@._require_funnel_owner(@extschema@._funnel_schema(funnel), 'preview_definition'::text);
	PERFORM @extschema@._require_definition(funnel, definition);
	BEGIN
		-- nobody need have signed what is only looked at
		EXECUTE format('UPDATE %I.definition AS d SET sides = NULL WHERE d.definition = $1', funnel)
			USING definition;
		EXECUTE format('SELECT d.version FROM %I.definition AS d WHERE d.definition = $1 AND d.status = ''active''', funnel)
			INTO became USING definition;
		IF became IS NULL THEN
			became := @extschema@.activate_definition(funnel, definition, 'keep'::text);
		END IF;
		EXECUTE format('CREATE TEMP TABLE _lead_qual_before ON COMMIT DROP AS '
					   'SELECT %2$I AS key, stage FROM %1$s', k.leads, k.key);
		PERFORM @extschema@.rescore_funnel(funnel, true);
		EXECUTE format($query$
			SELECT jsonb_agg(jsonb_build_object('lead', l.%2$I::text, 'was', b.stage, 'becomes', l.stage,
												'score', @extschema@.score(l.scorecard,
													greatest(@extschema@.funnel_now(),
															 @extschema@.as_of(l.scorecard))))
							 ORDER BY l.%2$I)
			FROM %1$s AS l
			JOIN pg_temp._lead_qual_before AS b ON b.key = l.%2$I
			WHERE b.stage <> l.stage $query$, k.leads, k.key)
			INTO moved;
		RAISE EXCEPTION USING ERRCODE = 'LQ000';
	EXCEPTION WHEN SQLSTATE 'LQ000' THEN
		NULL;
	END;

	-- past entries are counted once, by stage and source
	RETURN QUERY EXECUTE format($query$
		WITH moved AS MATERIALIZED (
			SELECT m.n, m.lead, m.was, m.becomes, m.score, l.source::text AS source,
				   @extschema@.score(l.scorecard, greatest(@extschema@.funnel_now(),
														   @extschema@.as_of(l.scorecard))) AS score_now
			FROM ROWS FROM (jsonb_to_recordset($1) AS (lead text, was text, becomes text, score numeric))
				WITH ORDINALITY AS m (lead, was, becomes, score, n)
			JOIN %2$s AS l ON l.%3$I::text = m.lead
		), entry AS (
			SELECT h.to_stage, coalesce(h.source, '') AS source, h.lead_id, h.cycle, min(h.entered_at) AS entered_at
			FROM %1$I.stage_history AS h
			WHERE h.voided_at IS NULL AND h.to_stage IN (SELECT v.becomes FROM moved AS v)
			GROUP BY h.to_stage, coalesce(h.source, ''), h.lead_id, h.cycle
		), customer AS (
			SELECT h.lead_id, h.cycle, max(h.entered_at) AS last_at
			FROM %1$I.stage_history AS h
			JOIN %1$I.stage AS s ON s.stage = h.to_stage
			WHERE h.voided_at IS NULL AND s.milestone = 'customer'
			GROUP BY h.lead_id, h.cycle
		), past AS (
			SELECT e.to_stage, e.source, count(*) AS units,
				   count(*) FILTER (WHERE c.last_at >= e.entered_at) AS customers
			FROM entry AS e
			LEFT JOIN customer AS c ON c.lead_id = e.lead_id AND c.cycle = e.cycle
			GROUP BY e.to_stage, e.source
		)
		SELECT v.lead, v.was, v.becomes, v.score_now, v.score, v.source,
			   coalesce(p.units, 0), coalesce(p.customers, 0)
		FROM moved AS v
		LEFT JOIN past AS p ON p.to_stage = v.becomes AND p.source = coalesce(v.source, '')
		ORDER BY v.n
		$query$, funnel, k.leads, k.key) USING coalesce(moved, '[]');
END
$body$;

COMMENT ON FUNCTION preview_definition(text, text) IS
'the leads that would move if the definition were activated with existing => ''move'' (for the active one: if all were rescored); past_units, past_customers: how many leads (each cycle for itself) of the same source ever entered that stage, and how many of them became customers in that cycle. Does it all and undoes it: it takes as long and holds the same locks meanwhile; preview a large funnel on a copy';

CREATE FUNCTION preview_load(funnel text, definition text)
RETURNS TABLE (stage text, owner_role text, entered_last_13_weeks bigint, entered_per_week numeric,
			   would_enter bigint, would_leave bigint, sales_capacity integer, weeks_of_capacity numeric)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_column
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'preview_load'::text);
	PERFORM @extschema@._require_definition(funnel, definition);
	RETURN QUERY EXECUTE format($query$
		WITH preview AS MATERIALIZED (
			SELECT * FROM @extschema@.preview_definition($1, $2)
		), entries AS (
			SELECT h.to_stage, count(DISTINCT (h.lead_id, h.cycle)) AS n
			FROM %1$I.stage_history AS h
			WHERE h.voided_at IS NULL AND h.entered_at <= @extschema@.funnel_now()
			AND h.entered_at > @extschema@.funnel_now() - interval '91 days'
			GROUP BY h.to_stage
		)
		SELECT s.stage, s.owner_role, coalesce(e.n, 0), @extschema@._per(coalesce(e.n, 0)::numeric, 13::numeric),
			   i.n, o.n, g.sales_capacity, @extschema@._per(i.n::numeric, g.sales_capacity::numeric)
		FROM %1$I.stage AS s
		CROSS JOIN %1$I.setting AS g
		LEFT JOIN entries AS e ON e.to_stage = s.stage
		CROSS JOIN LATERAL (SELECT count(*) AS n FROM preview AS p WHERE p.to_stage = s.stage) AS i
		CROSS JOIN LATERAL (SELECT count(*) AS n FROM preview AS p WHERE p.from_stage = s.stage) AS o
		ORDER BY s.position, s.stage $query$, funnel) USING funnel, definition;
END
$body$;

COMMENT ON FUNCTION preview_load(text, text) IS
'for each stage what is entered a week, as it was in the last 13 weeks, beside how many leads would enter and leave it at once by preview_definition(), and how many weeks of setting.sales_capacity those who enter would take. It does not tell how many would have entered in past weeks under the new definition: who the leads were then is not kept';

CREATE FUNCTION compare_definitions(funnel text, a text, b text)
RETURNS TABLE (relation text, item text, difference text, in_a text, in_b text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_column
BEGIN
	PERFORM @extschema@._require_definition(funnel, a);
	PERFORM @extschema@._require_definition(funnel, b);
	RETURN QUERY EXECUTE format($query$
		WITH item AS (
			SELECT d.definition, 1 AS rank, 'definition' AS relation, 'limits' AS item, 0 AS position,
				   to_jsonb(d) - '{definition,status,version,agreed_by_marketing,agreed_by_sales,agreed_at,review_by,note}'::text[] AS content
			FROM %1$I.definition AS d
			UNION ALL
			SELECT r.definition, 2, 'rule', r.name, 0,
				   to_jsonb(r) - '{rule_id,definition,name,condition_sql}'::text[]
			FROM %1$I.rule AS r
			UNION ALL
			-- transitions have no names: they are told apart by where they
			-- lead, and those between the same stages by their order
			SELECT t.definition, 3, 'transition',
				   format('%%s -> %%s', coalesce(t.from_stage, '(creation)'), t.to_stage)
				   || coalesce(' #' || NULLIF(row_number() OVER pair, 1), ''),
				   t.position, to_jsonb(t) - '{transition_id,definition,condition_sql}'::text[]
			FROM %1$I.transition AS t
			WINDOW pair AS (PARTITION BY t.definition, t.from_stage, t.to_stage
							ORDER BY t.position, t.transition_id)
		)
		SELECT coalesce(x.relation, y.relation), coalesce(x.item, y.item),
			   CASE WHEN x.item IS NULL THEN 'only in b' WHEN y.item IS NULL THEN 'only in a'
					ELSE 'changed' END,
			   l.in_a, l.in_b
		FROM (SELECT * FROM item AS i WHERE i.definition = $1) AS x
		FULL JOIN (SELECT * FROM item AS i WHERE i.definition = $2) AS y
			ON y.relation = x.relation AND y.item = x.item
		CROSS JOIN LATERAL (
			SELECT string_agg(format('%%s: %%s', k.key, x.content ->> k.key), ', ' ORDER BY k.key)
					   FILTER (WHERE x.content ->> k.key IS NOT NULL) AS in_a,
				   string_agg(format('%%s: %%s', k.key, y.content ->> k.key), ', ' ORDER BY k.key)
					   FILTER (WHERE y.content ->> k.key IS NOT NULL) AS in_b
			FROM jsonb_object_keys(coalesce(x.content, '{}') || coalesce(y.content, '{}')) AS k (key)
			WHERE x.content -> k.key IS DISTINCT FROM y.content -> k.key) AS l
		WHERE x.content IS DISTINCT FROM y.content
		ORDER BY coalesce(x.rank, y.rank), coalesce(x.position, y.position), 2
		$query$, funnel) USING a, b;
END
$body$;

COMMENT ON FUNCTION compare_definitions(text, text, text) IS
'what differs between two definitions: limits, rules by name, transitions by where they lead; for a changed one the columns that differ';

--
-- What the rules were
--
CREATE FUNCTION _policy_key(relation text, content jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE relation
	WHEN 'rule' THEN content ->> 'rule_id'
	WHEN 'transition' THEN content ->> 'transition_id'
	WHEN 'list' THEN jsonb_build_array(content -> 'list', content -> 'value')::text
	WHEN 'element' THEN jsonb_build_array(content -> 'framework', content -> 'element')::text
	WHEN 'reason' THEN jsonb_build_array(content -> 'applies_to', content -> 'reason')::text
	ELSE content ->> relation END;

COMMENT ON FUNCTION _policy_key(text, jsonb) IS
'key of a row of a table whose changes are in definition_log';

CREATE FUNCTION definition_at(funnel text, at timestamptz)
RETURNS TABLE (relation text, item text, content jsonb)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_column
BEGIN
	PERFORM @extschema@._funnel_schema(funnel);
	IF at IS NULL THEN
		RAISE EXCEPTION 'instant to look up a definition at must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	RETURN QUERY EXECUTE format($query$
		WITH log AS (
			SELECT l.*, @extschema@._policy_key(l.relation::text, l.old_row) AS old_key,
				   @extschema@._policy_key(l.relation::text, l.new_row) AS new_key
			FROM %1$I.definition_log AS l
			WHERE l.relation NOT IN ('calendar', 'holiday', 'reason', 'setting') AND l.operation <> 'renamed'
		), event AS (
			-- a row whose key changed is two: one went, one came
			SELECT l.relation, l.changed_at, l.log_id, l.new_key AS key, l.new_row AS after,
				   CASE WHEN l.old_key = l.new_key THEN l.old_row END AS before
			FROM log AS l WHERE l.new_row IS NOT NULL
			UNION ALL
			SELECT l.relation, l.changed_at, l.log_id, l.old_key, NULL, l.old_row
			FROM log AS l WHERE l.old_row IS NOT NULL
			AND (l.new_key <> l.old_key OR l.new_row IS NULL)
		), present AS (
			SELECT p.relation, @extschema@._policy_key(p.relation, p.content) AS key, p.content
			FROM (SELECT 'rule' AS relation, to_jsonb(r) AS content FROM %1$I.rule AS r
				  UNION ALL SELECT 'transition', to_jsonb(t) FROM %1$I.transition AS t
				  UNION ALL SELECT 'stage', to_jsonb(s) FROM %1$I.stage AS s
				  UNION ALL SELECT 'definition', to_jsonb(d) FROM %1$I.definition AS d
				  UNION ALL SELECT 'list', to_jsonb(v) FROM %1$I.list AS v
				  UNION ALL SELECT 'kind', to_jsonb(k) FROM %1$I.kind AS k
				  UNION ALL SELECT 'element', to_jsonb(e) FROM %1$I.element AS e) AS p
		), last AS (
			SELECT DISTINCT ON (v.relation, v.key) v.*
			FROM event AS v WHERE v.changed_at <= $1
			ORDER BY v.relation, v.key, v.changed_at DESC, v.log_id DESC
		), next AS (
			SELECT DISTINCT ON (v.relation, v.key) v.*
			FROM event AS v WHERE v.changed_at > $1
			ORDER BY v.relation, v.key, v.changed_at, v.log_id
		), emptied AS (
			SELECT DISTINCT ON (l.relation) l.relation, l.changed_at, l.log_id
			FROM log AS l WHERE l.operation = 'truncate' AND l.changed_at <= $1
			ORDER BY l.relation, l.changed_at DESC, l.log_id DESC
		), then_row AS (
			-- as the last change up to then left it, or as the first one after
			-- found it, or as it is
			SELECT i.relation, i.key,
				   CASE WHEN last.log_id IS NOT NULL
						THEN CASE WHEN (last.changed_at, last.log_id) < (e.changed_at, e.log_id) THEN NULL ELSE last.after END
						WHEN next.log_id IS NOT NULL THEN next.before
						ELSE p.content END AS content
			FROM (SELECT relation, key FROM event UNION SELECT relation, key FROM present) AS i
			LEFT JOIN emptied AS e ON e.relation = i.relation
			LEFT JOIN present AS p ON p.relation = i.relation AND p.key = i.key
			LEFT JOIN last ON last.relation = i.relation AND last.key = i.key
			LEFT JOIN next ON next.relation = i.relation AND next.key = i.key
		), active AS (
			SELECT t.key FROM then_row AS t
			WHERE t.relation = 'definition' AND t.content ->> 'status' = 'active'
		)
		SELECT t.relation,
			   CASE t.relation WHEN 'rule' THEN t.content ->> 'name'
				   WHEN 'transition' THEN format('%%s -> %%s', coalesce(t.content ->> 'from_stage', '(creation)'),
												 t.content ->> 'to_stage')
				   WHEN 'list' THEN t.content ->> 'list'
				   WHEN 'element' THEN format('%%s.%%s', t.content ->> 'framework', t.content ->> 'element')
				   ELSE t.key END,
			   t.content
		FROM then_row AS t
		WHERE t.content IS NOT NULL
		AND (t.relation NOT IN ('definition', 'transition', 'rule') OR
			 t.content ->> 'definition' IN (SELECT a.key FROM active AS a))
		ORDER BY array_position(ARRAY['definition', 'stage', 'transition', 'rule', 'list', 'kind', 'element'], t.relation),
				 CASE WHEN t.relation <> 'element' THEN (t.content ->> 'position')::integer END, 2, t.key $query$, funnel) USING at;
END
$body$;

COMMENT ON FUNCTION definition_at(text, timestamptz) IS
'the definition that was active at an instant, as it was then: its row, transitions and rules, and the stages, lists (a row a value), kinds and elements, read back from definition_log, by the names of today; for a move, take entered_at of stage_history. A row that was loaded under lead_qual.import is taken to have been as the first change after found it';

--
-- Signatures
--
CREATE FUNCTION sign_move(funnel text, lead text, stage text, note text DEFAULT NULL,
						  side text DEFAULT NULL) RETURNS text[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
#variable_conflict use_variable
DECLARE
	k constant record := @extschema@._funnel_key(funnel);
	found_lead text;
	asked text[];
	signing text[] := '{}';
	each text;
	named name;
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'sign_move'::text);
	found_lead := @extschema@._find_lead(funnel, lead);
	EXECUTE format($query$
		SELECT array_agg(DISTINCT a.side)
		FROM %1$I.transition AS t
		JOIN %1$I.definition AS d ON d.definition = t.definition AND d.status = 'active'
		CROSS JOIN unnest(t.sides) AS a (side)
		WHERE t.to_stage = $1 $query$, funnel)
		INTO asked USING stage;
	IF asked IS NULL THEN
		RAISE EXCEPTION 'no move to stage "%" asks for a signature', @extschema@._clip(stage::text)
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = format('Name the sides in column sides of %I.transition.', funnel);
	END IF;
	IF side IS NOT NULL AND side <> ALL (asked) THEN
		RAISE EXCEPTION 'no move to stage "%" asks for a signature of side "%"', @extschema@._clip(stage::text), @extschema@._clip(side::text)
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = format('The sides asked for are: %s.', array_to_string(asked, ', '));
	END IF;

	FOREACH each IN ARRAY CASE WHEN side IS NULL THEN asked ELSE ARRAY[side] END LOOP
		named := @extschema@._role_of_side(funnel, each);
		IF side IS NOT NULL OR
		   (EXISTS (SELECT FROM pg_roles WHERE rolname = named) AND pg_has_role(named, 'MEMBER')) THEN
			signing := signing || each;
			EXECUTE format('INSERT INTO %I.signature (lead_id, to_stage, side, note) VALUES ($1::%s, $2, $3, $4)',
						   funnel, k.key_type)
				USING found_lead, stage, each, note;
		END IF;
	END LOOP;
	IF signing = '{}' THEN
		RAISE EXCEPTION 'permission denied to sign for a move to stage "%"', stage
			USING ERRCODE = 'insufficient_privilege',
				  DETAIL = format('It asks for the signatures of: %s; "%s" is a member of none of their roles.',
								  array_to_string(asked, ', '), current_user),
				  HINT = format('The owner of the funnel names the roles in %I.side.', funnel);
	END IF;
	RETURN signing;
END
$body$;

COMMENT ON FUNCTION sign_move(text, text, text, text, text) IS
'agrees, for the sides that the caller is a member of (or for one), that a lead may move to a stage in its present cycle; whoever then asks for the move must be somebody else; returns the sides signed for';

CREATE FUNCTION sign_definition(funnel text, definition text, side text, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
	PERFORM @extschema@._refuse_superuser(funnel, 'sign_definition'::text);
	PERFORM @extschema@._require_definition(funnel, definition);
	EXECUTE format('INSERT INTO %I.signature (definition, side, note) VALUES ($1, $2, $3)', funnel)
		USING definition, side, note;
	-- its trigger puts down who agreed
	EXECUTE format('UPDATE %I.definition AS d SET agreed_at = d.agreed_at WHERE d.definition = $1', funnel)
		USING definition;
END
$body$;

COMMENT ON FUNCTION sign_definition(text, text, text, text) IS
'agrees to a definition as it is now for a side; any later change of its rules, or of stages, lists, kinds, elements, reasons, hours, holidays or the time zone, needs a new signature';
