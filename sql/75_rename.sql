--
-- Renaming: what names a stage, kind, source, reason, list or rule follows
--

-- Where names are kept, in the order in which the tables are locked: as those
-- do who write facts, then leads, then what is told of them.  "only" is a
-- condition on a row t, of a funnel %1$I, under which its column has the name
-- in the sense that is meant; scope ($3) is the stage that a reason applies
-- to, or the definition of a rule.
CREATE FUNCTION _name_uses(what text)
RETURNS TABLE (relation text, attribute text, only_where text, place integer)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT u.relation, u.attribute, u.only_where, u.place::integer
	FROM (VALUES
		('kind', 'activity', 'kind', NULL, 1),
		('source', 'activity', 'source', NULL, 1),
		('reason', 'deal', 'reason',
		 't.status = ''lost'' AND EXISTS (SELECT FROM %1$I.stage AS s WHERE s.stage = $3 AND s.milestone = ''lost'')', 2),
		('source', 'spend', 'source', NULL, 3),
		('source', 'target', 'source', NULL, 3),
		('stage', 'lead', 'stage', NULL, 4),
		('source', 'lead', 'source', NULL, 4),
		('stage', 'journey', 'mql_stage', NULL, 5),
		('reason', 'journey', 'exit_reason',
		 'EXISTS (SELECT FROM %1$I.stage_history AS h WHERE h.lead_id = t.lead_id AND h.cycle = t.cycle '
		 'AND h.entered_at = t.exited_at AND h.to_stage = $3)', 5),
		('stage', 'stage_history', 'from_stage', NULL, 6),
		('stage', 'stage_history', 'to_stage', NULL, 6),
		('source', 'stage_history', 'source', NULL, 6),
		('reason', 'stage_history', 'reason', 't.to_stage = $3', 6),
		('stage', 'signature', 'to_stage', NULL, 7),
		('stage', 'transition', 'from_stage', NULL, 8),
		('stage', 'transition', 'to_stage', NULL, 8),
		('reason', 'transition', 'reason', 't.to_stage = $3', 8),
		('kind', 'rule', 'kind', NULL, 9),
		('stage', 'reason', 'applies_to', NULL, 10),
		('rule', 'reason', 'rule',
		 'EXISTS (SELECT FROM %1$I.definition AS d WHERE d.definition = $3 AND d.status = ''active'')', 10),
		('stage', 'message', 'stages', NULL, 11),
		('stage', 'content', 'stages', NULL, 12)) AS u (what, relation, attribute, only_where, place)
	WHERE u.what = $1
	UNION ALL
	SELECT 'journey', c.name, NULL, 5 FROM @extschema@._journey_columns() AS c
	WHERE $1 = 'source' AND c.name ~ '^(.*_)?source$'
	ORDER BY 4 $body$;

COMMENT ON FUNCTION _name_uses(text) IS
'the columns that hold names of stages, kinds, sources, reasons or rules, by the table that they stand in';

CREATE FUNCTION _rename_in_condition(condition text, what text, columns text[], before text, after text,
									 OUT renamed text, OUT problem text, OUT lists text[], OUT others text[])
RETURNS record
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION _rename_in_condition(text, text, text[], text, text) IS
'a condition with another name in it, or why it would mean something else; lists: operators and lists that the column is held against; others: lists that something else is';

-- The spellings, in a condition, of the column that holds names of that sort.
CREATE FUNCTION _name_columns(what text, of_activity boolean) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT CASE
		WHEN what = 'source' THEN ARRAY['source', CASE WHEN of_activity THEN 'activity.source' ELSE 'lead.source' END]
		WHEN what = 'kind' AND of_activity THEN ARRAY['kind', 'activity.kind', 'kind.kind']
		WHEN what IN ('stage', 'reason') AND NOT of_activity THEN ARRAY[what, 'lead.' || what]
		ELSE '{}' END $body$;

COMMENT ON FUNCTION _name_columns(text, boolean) IS
'how conditions spell the column that holds a stage, kind, source or reason';

-- Rows are told with the names of today, in the history and in what the rules
-- were.  A condition of then that uses the name in another way stays.
CREATE FUNCTION _renamed_row(what text, relation text, content jsonb, before text, after text, scope text) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $body$
DECLARE
	attribute text;
	of_scope constant boolean := CASE what WHEN 'reason' THEN scope IN (content ->> 'to_stage', content ->> 'applies_to')
									  WHEN 'rule' THEN content ->> 'definition' = scope
									  ELSE true END;
	spelled text[];
	changed text;
BEGIN
	IF content IS NULL OR of_scope IS NOT TRUE THEN
		RETURN content;
	END IF;
	FOR attribute IN
		SELECT CASE what WHEN 'rule' THEN 'name' ELSE what END WHERE what = relation
		UNION ALL
		SELECT u.attribute FROM @extschema@._name_uses(what::text) AS u
		WHERE u.relation = _renamed_row.relation AND what <> 'rule'
	LOOP
		IF content ->> attribute = before THEN
			content := jsonb_set(content, ARRAY[attribute], to_jsonb(after));
		END IF;
	END LOOP;
	IF relation NOT IN ('rule', 'transition') THEN
		RETURN content;
	END IF;
	spelled := @extschema@._name_columns(what::text, coalesce(content ->> 'axis' = 'engagement', false)::boolean);
	FOREACH attribute IN ARRAY '{condition,condition_sql}'::text[] LOOP
		IF strpos(content ->> attribute, before) > 0 THEN
			SELECT CASE WHEN r.problem IS NULL THEN r.renamed END INTO changed
			FROM @extschema@._rename_in_condition((content ->> attribute)::text, what::text, spelled::text[], before::text, after::text) AS r;
			content := jsonb_set(content, ARRAY[attribute], to_jsonb(coalesce(changed, content ->> attribute)));
		END IF;
	END LOOP;
	RETURN content;
END
$body$;

COMMENT ON FUNCTION _renamed_row(text, text, jsonb, text, text, text) IS
'a row of policy as definition_log has it, with another name in it';

-- A table of the funnel's owner's; what else stands under a name of ours is left
-- alone, since its triggers would run as the owner.
CREATE FUNCTION _named_table(funnel text, relation text) RETURNS oid
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
	SELECT t.oid
	FROM pg_namespace AS n
	JOIN pg_class AS s ON s.relnamespace = n.oid AND s.relname = 'setting'
	JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = relation
	JOIN pg_class AS t ON t.oid = CASE relation WHEN 'lead' THEN @extschema@._lead_table(n.oid::oid)::oid ELSE c.oid END
	WHERE n.nspname = funnel AND t.relkind IN ('r', 'p') AND t.relowner = s.relowner $body$;

COMMENT ON FUNCTION _named_table(text, text) IS
'a table of a funnel that belongs to its owner; of leads, the table that holds them';

-- Does a list match a name, once, and always?
CREATE FUNCTION _list_says(funnel text, held_against text, name text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
	says text;
BEGIN
	EXECUTE format('SELECT concat(bool_or($1 OPERATOR(pg_catalog.%s) value), bool_and($1 OPERATOR(pg_catalog.%1$s) value)) '
				   'FROM %I.list WHERE list = $2', split_part(held_against, ' ', 1), funnel)
		INTO says USING name, split_part(held_against, ' ', 2);
	RETURN says;
END
$body$;

COMMENT ON FUNCTION _list_says(text, text, text) IS
'what a comparison of a name with the values of a list gives: of any, of all; held_against: operator and list';

-- Does a condition name a list?
CREATE FUNCTION _list_is_named(funnel text, list text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $body$
DECLARE
	found_one boolean;
BEGIN
	EXECUTE format('SELECT EXISTS (SELECT FROM (SELECT condition FROM %1$I.rule UNION ALL SELECT condition FROM %1$I.transition) AS c, '
				   'LATERAL @extschema@._rename_in_condition(c.condition::text, ''list''::text, ''{}''::text[], $1::text, ($1 || ''_'')::text) AS r '
				   'WHERE r.renamed <> c.condition)', funnel)
		INTO found_one USING list;
	RETURN found_one;
END
$body$;

COMMENT ON FUNCTION _list_is_named(text, text) IS
'does a condition of a funnel name that list?';

-- Part of the trigger on the table of names, which has the row renamed already.
-- It runs as the funnel's owner and as a replica does: no trigger judges,
-- records or counts what is written.
CREATE FUNCTION _rename(funnel text, what text, before text, after text, scope text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $body$
DECLARE
	use record;
	item record;
	sql_form record;
	text_form record;
	spelled text[];
	against text[] := '{}';
	beside text[] := '{}';
	was text[] := '{}';
	found_now text;
	target text;
	taken boolean;
BEGIN
	IF current_setting('session_replication_role') <> 'replica' THEN
		RAISE EXCEPTION 'renaming is the work of a trigger'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = format('UPDATE %I.%I.', funnel, what);
	END IF;

	-- Writers wait, and each statement from then on sees what they did before.
	FOR target IN
		SELECT c.oid::regclass::text
		FROM (SELECT u.relation, u.place FROM @extschema@._name_uses(what::text) AS u
			  UNION SELECT 'lead', 4 UNION SELECT 'transition', 8 UNION SELECT 'rule', 9) AS t (relation, place)
		JOIN LATERAL @extschema@._named_table(funnel::text, t.relation::text) AS c (oid) ON c.oid IS NOT NULL
		ORDER BY t.place
	LOOP
		EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', target);
	END LOOP;

	FOR use IN
		SELECT u.relation, c.oid::regclass AS target, bool_or(u.attribute = 'stages') AS is_array,
			   string_agg(format('%1$I = CASE WHEN t.%1$I = $1 AND %2$s THEN $2 ELSE t.%1$I END', n.attribute, n.only_where), ', ') AS assigned,
			   string_agg(format('t.%I = $1 AND %s', n.attribute, n.only_where), ' OR ') AS has_old,
			   string_agg(format('t.%I = $2 AND %s', n.attribute, n.only_where), ' OR ') AS has_new
		FROM @extschema@._name_uses(what::text) AS u
		JOIN LATERAL @extschema@._named_table(funnel::text, u.relation::text) AS c (oid) ON c.oid IS NOT NULL
		JOIN LATERAL (SELECT coalesce((SELECT a.attname FROM @extschema@._lead_columns(funnel::text) AS l
									   JOIN pg_attribute AS a ON a.attrelid = l.relation AND a.attnum = l.attnum
									   WHERE u.relation = 'lead' AND l.name = u.attribute),
									  u.attribute),
							 coalesce(format(u.only_where, funnel), 'true')) AS n (attribute, only_where) ON true
		GROUP BY u.relation, c.oid, u.place
		ORDER BY u.place
	LOOP
		IF use.is_array THEN
			EXECUTE format('UPDATE %s SET stages = array_replace(stages, $1, $2) WHERE $1 = ANY (stages)', use.target)
				USING before, after;
			CONTINUE;
		END IF;
		-- what was called so without being in the table of names would be taken for this
		EXECUTE format('SELECT EXISTS (SELECT FROM %s AS t WHERE %s)', use.target, use.has_new)
			INTO taken USING before, after, scope;
		IF taken THEN
			RAISE EXCEPTION '% "%" is named already', what, after
				USING ERRCODE = 'unique_violation',
					  DETAIL = format('Rows of "%s" name it, which would be taken for those of "%s".', use.relation, before),
					  HINT = 'Rename to what nothing is called, or change those rows first.',
					  SCHEMA = funnel, TABLE = what;
		END IF;
		EXECUTE format('UPDATE %s AS t SET %s WHERE %s', use.target, use.assigned, use.has_old)
			USING before, after, scope;
	END LOOP;

	FOR item IN EXECUTE format($query$
		SELECT 'rule' AS relation, 'rule_id' AS key, rule_id AS id, definition, axis = 'engagement' AS of_activity, NULL AS to_stage,
			   format('rule "%%s" of definition "%%s"', name, definition) AS label, condition, condition_sql
		FROM %1$I.rule WHERE condition IS NOT NULL
		UNION ALL
		SELECT 'transition', 'transition_id', transition_id, definition, false, to_stage,
			   format('the transition %%sto "%%s" of definition "%%s"', 'from "' || from_stage || '" ', to_stage, definition),
			   condition, condition_sql
		FROM %1$I.transition WHERE condition IS NOT NULL
		ORDER BY 1, 3 $query$, funnel)
	LOOP
		-- each definition has rules of its own
		CONTINUE WHEN what = 'rule' AND (item.relation <> 'transition' OR item.definition <> scope);
		spelled := CASE WHEN what = 'reason' AND item.to_stage IS DISTINCT FROM scope THEN '{}'
						ELSE @extschema@._name_columns(what::text, item.of_activity::boolean) END;
		SELECT r.* INTO text_form
		FROM @extschema@._rename_in_condition(item.condition::text, what::text, spelled::text[], before::text, after::text) AS r;
		SELECT r.* INTO sql_form
		FROM @extschema@._rename_in_condition(coalesce(item.condition_sql, 'true')::text, what::text, spelled::text[], before::text, after::text) AS r;
		IF text_form.problem IS NOT NULL OR sql_form.problem IS NOT NULL THEN
			RAISE EXCEPTION '% "%" cannot be renamed', what, before
				USING ERRCODE = 'dependent_objects_still_exist',
					  DETAIL = format('The condition of %s does not follow: %s', item.label, coalesce(text_form.problem, sql_form.problem)),
					  HINT = CASE WHEN what IN ('list', 'rule') THEN 'Change that condition first, or choose another name.'
							 ELSE format('Change that condition first: where it means the %1$s, compare the column "%1$s" with a string.', what) END,
					  SCHEMA = funnel, TABLE = what;
		END IF;
		against := against || text_form.lists;
		beside := beside || text_form.others;
		IF text_form.renamed <> item.condition OR sql_form.renamed <> item.condition_sql THEN
			EXECUTE format('UPDATE %I.%I SET condition = $2, condition_sql = $3 WHERE %I = $1', funnel, item.relation, item.key)
				USING item.id, text_form.renamed, CASE WHEN item.condition_sql IS NOT NULL THEN sql_form.renamed END;
		END IF;
	END LOOP;

	-- A list that the column is held against has the new name in the place of
	-- the old one, and says of it what it said.
	SELECT coalesce(array_agg(DISTINCT a ORDER BY a), '{}') INTO against FROM unnest(against) AS a;
	FOR n IN 1 .. cardinality(against) LOOP
		was := was || @extschema@._list_says(funnel::text, against[n]::text, before::text);
	END LOOP;
	FOR target IN SELECT DISTINCT split_part(a, ' ', 2) FROM unnest(against) AS a ORDER BY 1 LOOP
		EXECUTE format('SELECT string_agg(DISTINCT value, '','') FROM %I.list WHERE list = $1 AND value IN ($2, $3)', funnel)
			INTO found_now USING target, before, after;
		CONTINUE WHEN found_now IS NULL;
		IF found_now <> before OR target = ANY (beside) THEN
			RAISE EXCEPTION '% "%" cannot be renamed', what, before
				USING ERRCODE = 'dependent_objects_still_exist',
					  DETAIL = CASE WHEN found_now <> before THEN format('List "%s", which it is held against, has "%s" already.', target, after)
									ELSE format('List "%s", which it is held against, has its name, but something else is held against that list, too.', target) END,
					  HINT = 'Change the values of the list first, or the conditions that name it.',
					  SCHEMA = funnel, TABLE = what;
		END IF;
		EXECUTE format('UPDATE %I.list SET value = $3 WHERE list = $1 AND value = $2', funnel)
			USING target, before, after;
		EXECUTE format('UPDATE %I.definition_log SET '
					   'old_row = CASE WHEN old_row @> $1 THEN old_row || $2 ELSE old_row END, '
					   'new_row = CASE WHEN new_row @> $1 THEN new_row || $2 ELSE new_row END '
					   'WHERE relation = ''list'' AND (old_row @> $1 OR new_row @> $1)', funnel)
			USING jsonb_build_object('list', target, 'value', before), jsonb_build_object('value', after);
	END LOOP;
	FOR n IN 1 .. cardinality(against) LOOP
		IF @extschema@._list_says(funnel::text, against[n]::text, after::text) <> was[n] THEN
			RAISE EXCEPTION '% "%" cannot be renamed', what, before
				USING ERRCODE = 'dependent_objects_still_exist',
					  DETAIL = format('List "%s", which it is held against, would match it otherwise by its new name, "%s".',
									  split_part(against[n], ' ', 2), after),
					  HINT = 'Change the values of the list first, or choose another name.',
					  SCHEMA = funnel, TABLE = what;
		END IF;
	END LOOP;

	EXECUTE format('UPDATE %1$I.definition_log AS l SET old_row = r.old_row, new_row = r.new_row '
				   'FROM (SELECT log_id, @extschema@._renamed_row($1::text, relation::text, old_row::jsonb, $2::text, $3::text, $4::text) AS old_row, '
				   '@extschema@._renamed_row($1::text, relation::text, new_row::jsonb, $2::text, $3::text, $4::text) AS new_row '
				   'FROM %1$I.definition_log WHERE operation <> ''renamed'') AS r '
				   'WHERE r.log_id = l.log_id AND (l.old_row <> r.old_row OR l.new_row <> r.new_row)', funnel)
		USING what, before, after, scope;
END
$body$;

COMMENT ON FUNCTION _rename(text, text, text, text, text) IS
'part of a trigger: what names a stage, kind, source, reason (scope: the stage it applies to), list or rule (scope: its definition) follows its new name';
